/* The JSON object that uncork_file_json returns and inspect prints: facts, entries, findings and
 * the format's own members. docs/inspect.md lists its keys. */
#include "model/model_internal.h"

#define DESCRIBE_CEILING ((size_t)64 << 20)

static void put_tensor(uc_json_writer *json, const uc_tensor *t)
{
    int64_t n = uc_tensor_count(t);
    uc_json_begin_array(json);
    for (int64_t i = 0; i < n; i++) {
        if (t->dtype == UNCORK_STRING) {
            uc_json_put_str(json, uc_tensor_string(t, i));
        } else if (t->dtype == UNCORK_BOOL) {
            uc_json_put_bool(json, ((const uint8_t *)t->data)[i] != 0);
        } else if (uc_dtype_is_integer(t->dtype)) {
            uc_json_put_i64(json, uc_dtype_load_i64(t->data, i, t->dtype));
        } else {
            uc_json_put_f64(json, uc_dtype_load_f64(t->data, i, t->dtype));
        }
    }
    uc_json_end_array(json);
}

static const char *kind_text(uc_finding_kind kind)
{
    switch (kind) {
    case UC_NOTE_ASSUMED: return "assumed";
    case UC_NOTE_CHOSEN: return "chosen";
    case UC_NOTE_IGNORED: return "ignored";
    case UC_NOTE_ODD: return "odd";
    }
    return "note";
}

static void put_facts(const uc_import *import, uc_json_writer *json)
{
    for (size_t i = 0; i < import->facts.count; i++) {
        const uc_fact *f = &import->facts.items[i];
        uc_json_key(json, f->key);
        if (f->text) {
            uc_json_put_text(json, f->text);
        } else if (f->tensor) {
            put_tensor(json, f->tensor);
        } else {
            uc_json_put_f64(json, f->number);
        }
    }
}

const char *uc_describe(const uc_import *import, uc_arena *arena)
{
    uc_writer out;
    uc_writer_init(&out, DESCRIBE_CEILING);
    uc_json_writer json = {.out = &out};
    uc_json_begin_object(&json);
    uc_json_key(&json, "file");
    uc_json_put_text(&json, import->path);
    uc_json_key(&json, "bytes");
    uc_json_put_i64(&json, (int64_t)import->bytes.size);
    uc_json_key(&json, "importer");
    uc_json_put_text(&json, import->importer->name);
    put_facts(import, &json);
    uc_json_key(&json, "methods");
    uc_json_begin_array(&json);
    for (size_t i = 0; i < import->entry_count; i++) {
        uc_json_put_text(&json, import->entries[i]);
    }
    uc_json_end_array(&json);
    if (import->importer->inspect) import->importer->inspect(import, &json);
    uc_json_key(&json, "findings");
    uc_json_begin_array(&json);
    for (size_t i = 0; i < import->findings.count; i++) {
        const uc_finding *f = &import->findings.items[i];
        uc_json_begin_object(&json);
        uc_json_key(&json, "kind");
        uc_json_put_text(&json, kind_text(f->kind));
        uc_json_key(&json, "code");
        uc_json_put_text(&json, f->code);
        uc_json_key(&json, "text");
        uc_json_put_text(&json, f->text);
        uc_json_end_object(&json);
    }
    uc_json_end_array(&json);
    uc_json_end_object(&json);
    const char *text = uc_arena_str(arena, uc_writer_string(&out));
    uc_writer_done(&out);
    return text ? text : "{}";
}
