/* Writing an artifact: the model as ONNX beside its constants, opened again to pack them, tested. */
#include "pack/cork_write.h"

#include "base/file.h"
#include "base/sha256.h"
#include "container/zip.h"
#include "model/cork.h"
#include "pack/onnx_write.h"
#include "pack/selftest.h"
#include "pack/sign.h"

#include <stdio.h>
#include <stdlib.h>

#define CONSTANTS_NAME "weights/constants.bin"

typedef struct form {
    const char *name;
    uc_bytes bytes;
} form;

typedef struct making {
    const uncork_file *file;
    const uc_cork_write *how;
    uc_arena *arena;
    uc_writer model, constants, contract, labels, provenance, signature;
    uc_selftest test;
    form *forms;
    size_t form_count, form_capacity;
    bool lost; /* a form: memory is out */
    uncork_error *error;
} making;

/* ---- provenance.json ---------------------------------------------------------------------- */

/* Of a file its bytes; of a folder every file's name and bytes, in the order of their names. */
static uncork_status hash_source(making *m, char text[65], uint64_t *bytes)
{
    const uc_import *import = uc_file_import(m->file);
    uc_sha256 sha;
    uc_sha256_begin(&sha);
    *bytes = 0;
    if (uc_file_kind_of(m->how->path) == UC_FILE_REGULAR) {
        uc_bytes all;
        UC_TRY(uc_file_read(m->how->path, false, m->arena, &all, m->error));
        uc_sha256_add(&sha, all.data, all.size);
        *bytes = all.size;
    }
    for (size_t i = 0; *bytes == 0 && i < uc_bundle_count(import->bundle); i++) {
        const char *name = uc_bundle_name(import->bundle, i);
        uc_bytes one;
        UC_TRY(uc_bundle_read(import->bundle, i, &one, m->error));
        uc_sha256_add(&sha, name, strlen(name) + 1);
        uc_sha256_add(&sha, one.data, one.size);
    }
    uc_sha256_end(&sha, text);
    return UNCORK_OK;
}

static void put_text(uc_json_writer *json, const char *key, const char *text)
{
    if (!text) return;
    uc_json_key(json, key);
    uc_json_put_text(json, text);
}

static uncork_status put_provenance(making *m)
{
    static const char *const keys[] = {"producer", "framework", "framework_version", "python",
                                       "numpy"};
    const char *slash = strrchr(m->how->path, '/');
    char sha[65];
    uint64_t bytes;
    uc_json_writer json = {.out = &m->provenance};
    UC_TRY(hash_source(m, sha, &bytes));
    uc_json_begin_object(&json);
    uc_json_key(&json, "cork");
    uc_json_put_i64(&json, 1);
    put_text(&json, "packed_by", "uncork");
    put_text(&json, "packed_by_version", uncork_version());
    put_text(&json, "source", slash ? slash + 1 : m->how->path);
    put_text(&json, "source_sha256", sha);
    uc_json_key(&json, "source_bytes");
    uc_json_put_i64(&json, (int64_t)bytes);
    put_text(&json, "source_format", uncork_file_format(m->file));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        put_text(&json, keys[i], uc_fact_get_text(&uc_file_import(m->file)->facts, keys[i]));
    put_text(&json, "note",
             "operators of the domain uncork in model.onnx are those that ONNX has no exact "
             "counterpart of; `uncork convert` spells them out");
    if (m->test.reason) put_text(&json, "no_selftest", m->test.reason);
    uc_json_end_object(&json);
    uc_writer_u8(&m->provenance, '\n');
    return UNCORK_OK;
}

/* ---- packed forms ------------------------------------------------------------------------- */

static void keep_form(void *data, const char *name, uc_bytes bytes)
{
    making *m = data;
    form *forms =
        uc_arena_grow(m->arena, m->forms, &m->form_capacity, m->form_count + 1, sizeof *forms);
    if (!forms) {
        m->lost = true;
        return;
    }
    m->forms = forms;
    forms[m->form_count++] = (form){name, bytes};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const form *)a)->name, ((const form *)b)->name);
}

/* Two operators that pack the same constant alike made the same form twice. */
static void put_forms(making *m, uc_zip_writer *zip, uc_cork_report *report)
{
    char path[192];
    if (m->form_count) qsort(m->forms, m->form_count, sizeof *m->forms, by_name);
    for (size_t i = 0; i < m->form_count; i++) {
        if (i && strcmp(m->forms[i].name, m->forms[i - 1].name) == 0) continue;
        snprintf(path, sizeof path, UC_CORK_PACKED "%s", m->forms[i].name);
        uc_zip_put_aligned(zip, path, m->forms[i].bytes, 64);
        report->packed_bytes += m->forms[i].bytes.size;
        report->packed_forms++;
    }
}

/* ---- the file ----------------------------------------------------------------------------- */

static void put_part(uc_zip_writer *zip, const char *name, const uc_writer *part)
{
    uc_zip_put_aligned(zip, name, (uc_bytes){part->data, part->size}, 64);
    if (part->status && !zip->out->status) zip->out->status = part->status;
}

static void put_all(making *m, uc_writer *out, uc_cork_report *report)
{
    uc_zip_writer zip;
    uc_zip_writer_init(&zip, out);
    put_part(&zip, UC_CORK_PROVENANCE, &m->provenance);
    put_part(&zip, UC_CORK_CONTRACT, &m->contract);
    if (m->labels.size) put_part(&zip, UC_CORK_LABELS, &m->labels);
    put_part(&zip, UC_CORK_MODEL, &m->model);
    uc_selftest_put(&m->test, &zip);
    put_part(&zip, UC_CORK_CONSTANTS, &m->constants);
    put_forms(m, &zip, report);
    if (m->signature.size) put_part(&zip, UC_CORK_SIGNATURE, &m->signature);
    uc_zip_finish(&zip);
}

static uncork_status check_bits(making *m, const uncork_model *model)
{
    uc_selftest_result result;
    if (m->test.reason) return UNCORK_OK;
    UC_TRY(uc_selftest_run(&m->test, model, &result, m->error));
    if (result.worst == 0) return UNCORK_OK;
    return uc_fail(m->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                   "the packed model doesn't give output '%.60s' of the original",
                   result.worst_output ? result.worst_output : "");
}

/* Opens what was written so far, as it will be opened, and keeps what its operators pack. */
static uncork_status pack_again(making *m, const uc_writer *draft, uc_writer *out,
                                uc_cork_report *report)
{
    struct uc_packs packs = {.keep = keep_form, .data = m};
    uncork_file *again = NULL;
    uncork_model *model = NULL;
    uncork_prepare_options options = {.size = sizeof options};
    if (m->how->prepare) options = *m->how->prepare;
    options.input_dtype = UNCORK_DTYPE_NONE;
    uncork_status status =
        uncork_open_memory(draft->data, draft->size, "the artifact", NULL, &again, m->error);
    if (status == UNCORK_OK) {
        (void)uc_bundle_view(uc_file_import(again)->bundle, UC_CORK_CONSTANTS, &packs.weights);
        status = uc_prepare_with(again, NULL, &options, &packs, &model, m->error);
    }
    if (status == UNCORK_OK) status = check_bits(m, model);
    if (status == UNCORK_OK && m->lost) status = uc_fail_memory(m->error);
    if (status == UNCORK_OK) put_all(m, out, report);
    uncork_model_free(model);
    uncork_file_close(again);
    return status;
}

/* Signs the entries of what was written, and writes it again with the signature behind them. */
static uncork_status sign(making *m, uc_writer *out, uc_cork_report *report)
{
    uncork_file *file = NULL;
    uncork_status status =
        uncork_open_memory(out->data, out->size, "the artifact", NULL, &file, m->error);
    if (status == UNCORK_OK)
        status = uc_sign(uc_file_import(file)->bundle, m->how->sign, &m->signature, m->error);
    uncork_file_close(file);
    if (status != UNCORK_OK) return status;
    uc_writer_done(out);
    uc_writer_init(out, SIZE_MAX / 2);
    *report = (uc_cork_report){0};
    put_all(m, out, report);
    return UNCORK_OK;
}

static uncork_status make(making *m, uc_writer *out, uc_cork_report *report)
{
    const uc_import *import = uc_file_import(m->file);
    const uc_onnx_write how = {.weights = &m->constants,
                               .weights_name = CONSTANTS_NAME,
                               .as_fed = strcmp(import->importer->name, "pytorch") == 0};
    uncork_model *model = NULL;
    uc_writer draft;
    uc_writer_init(&draft, SIZE_MAX / 2);
    uncork_status status =
        uncork_prepare(m->file, m->how->entry, m->how->prepare, &model, m->error);
    if (status == UNCORK_OK)
        status = uc_onnx_write_model(uc_model_graph(model), &how, &m->model, m->error);
    if (status == UNCORK_OK)
        status =
            uc_selftest_make(model, &uc_file_import(m->file)->facts, m->arena, &m->test, m->error);
    if (status == UNCORK_OK) {
        status = uc_cork_contract_put(&m->how->contract, m->file, model, m->how->entry, m->arena,
                                      &m->contract, &m->labels, m->error);
    }
    if (status == UNCORK_OK) status = put_provenance(m);
    if (status == UNCORK_OK) {
        put_all(m, &draft, report);
        status = draft.status ? uc_fail(m->error, draft.status, UC_NO_OFFSET,
                                        "the artifact is too large for memory")
                              : pack_again(m, &draft, out, report);
    }
    if (status == UNCORK_OK && m->how->sign) status = sign(m, out, report);
    uc_writer_done(&draft);
    uncork_model_free(model);
    return status;
}

uncork_status uc_cork_write_file(const uncork_file *file, const uc_cork_write *how, uc_writer *out,
                                 uc_cork_report *report, uncork_error *error)
{
    making m = {.file = file, .how = how, .error = error};
    uc_writer *parts[] = {&m.model,  &m.constants,  &m.contract,
                          &m.labels, &m.provenance, &m.signature};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        uc_writer_init(parts[i], SIZE_MAX / 2);
    *report = (uc_cork_report){0};
    m.arena = uc_arena_new(NULL);
    uncork_status status = m.arena ? make(&m, out, report) : uc_fail_memory(error);
    report->bytes = out->size;
    report->tested = status == UNCORK_OK && !m.test.reason;
    report->reason = m.test.reason;
    if (status == UNCORK_OK && out->status)
        status = uc_fail(error, out->status, UC_NO_OFFSET, "the artifact is too large for memory");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        uc_writer_done(parts[i]);
    uc_arena_free(m.arena);
    return status;
}
