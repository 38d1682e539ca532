/* An artifact opens like any other model: its ONNX through import/onnx. Here is the rest of it. */
#include "model/cork.h"

#include "contract/contract.h"

#include <stdio.h>

/* ---- packed constants --------------------------------------------------------------------- */

static bool find_form(void *data, const char *name, uc_bytes *form)
{
    char path[192];
    const int n = snprintf(path, sizeof path, UC_CORK_PACKED "%s", name);
    return n > 0 && (size_t)n < sizeof path && uc_bundle_view(data, path, form);
}

void uc_cork_packs(const uc_bundle *bundle, struct uc_packs *packs)
{
    *packs = (struct uc_packs){0};
    if (!uc_bundle_is_cork(bundle)) return;
    (void)uc_bundle_view(bundle, UC_CORK_CONSTANTS, &packs->weights);
    packs->find = find_form;
    packs->data = (void *)(uintptr_t)bundle; /* find_form changes nothing */
}

enum { MOST_FACTS = 256 };

/* ---- facts -------------------------------------------------------------------------------- */

static const uc_tensor *strings_of(const uc_json *list, uc_arena *arena)
{
    const int64_t count = (int64_t)list->count;
    uc_str *items = UC_NEW(arena, uc_str, list->count);
    for (size_t i = 0; items && i < list->count; i++)
        items[i] = uc_json_str(list->items[i], "");
    return items ? uc_tensor_strings(arena, items, 1, &count) : NULL;
}

static void add_fact(const char *key, const uc_json *v, uc_arena *arena, uc_facts *facts)
{
    const uc_tensor *tensor = NULL;
    switch ((int)v->kind) {
    case UC_JSON_STRING:
        uc_fact_text(facts, key, "%.*s", v->string.size < 65536 ? (int)v->string.size : 65536,
                     v->string.data);
        return;
    case UC_JSON_INT:
    case UC_JSON_FLOAT: uc_fact_number(facts, key, v->number); return;
    case UC_JSON_NUMBERS: tensor = v->numbers; break;
    case UC_JSON_ARRAY: tensor = strings_of(v, arena); break;
    default: return;
    }
    if (tensor) uc_fact_tensor(facts, key, tensor);
}

/* What stands in front of the model: "preprocess" and where it came from. */
static uncork_status add_steps(const uc_json *json, uc_arena *arena, uc_facts *facts,
                               uncork_error *error)
{
    const uc_json *steps = uc_json_get(json, "preprocess");
    const uc_str from = uc_json_str(uc_json_get(json, "preprocess_from"), "");
    uc_contract *contract = NULL;
    uc_writer text;
    if (!steps) return UNCORK_OK;
    if (uc_contract_of_json(steps, UC_CORK_CONTRACT, arena, &contract, error)) {
        if (error->status == UNCORK_USAGE) error->status = UNCORK_UNSUPPORTED;
        return error->status;
    }
    uc_writer_init(&text, 65536);
    uc_contract_text(contract, &text);
    uc_fact_text(facts, "preprocess", "%s", uc_writer_string(&text));
    uc_writer_done(&text);
    uc_fact_text(facts, "preprocess_from", "the artifact%s%.*s", from.size ? ": " : "",
                 from.size < 1024 ? (int)from.size : 1024, from.data);
    return UNCORK_OK;
}

/* What was said about its answers when it was packed, as "answers.task", "answers.threshold". */
static void add_answers(const uc_json *json, uc_arena *arena, uc_facts *facts)
{
    static const char *const keys[] = {"task", "activation", "threshold", "nms", "max_boxes"};
    const uc_json *answers = uc_json_get(json, "answers");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const uc_json *v = uc_json_get(answers, keys[i]);
        const char *key = uc_arena_printf(arena, "answers.%s", keys[i]);
        if (v && key) add_fact(key, v, arena, facts);
    }
}

uncork_status uc_cork_facts(uc_bundle *bundle, uc_arena *arena, uc_facts *facts,
                            uncork_error *error)
{
    const size_t i =
        uc_bundle_is_cork(bundle) ? uc_bundle_find(bundle, UC_CORK_CONTRACT) : SIZE_MAX;
    uc_bytes bytes;
    if (i == SIZE_MAX) return UNCORK_OK;
    UC_TRY(uc_bundle_read(bundle, i, &bytes, error));
    const uc_json *json = uc_json_read(bytes, 0, arena, error);
    if (!json) {
        uc_where(error, UC_CORK_CONTRACT);
        return error->status;
    }
    UC_TRY(add_steps(json, arena, facts, error));
    add_answers(json, arena, facts);
    const uc_json *labels = uc_json_get(json, "labels"), *list = uc_json_get(json, "facts");
    if (labels) add_fact("labels", labels, arena, facts);
    if (labels) uc_fact_text(facts, "labels_from", "the artifact");
    if (!list || list->kind != UC_JSON_OBJECT) return UNCORK_OK;
    /* Adding one looks through all: a file says a few dozen. */
    for (size_t k = 0; k < list->count && facts->count < MOST_FACTS; k++) {
        const char *key = uc_arena_copy(arena, list->keys[k].data, list->keys[k].size);
        if (!key) return uc_arena_status(arena, error);
        add_fact(key, list->items[k], arena, facts);
    }
    return uc_arena_status(arena, error);
}
