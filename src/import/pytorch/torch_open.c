/* The importer "pytorch": which form a file has, what is said about it, what is emitted. */
#include "import/pytorch/script_code.h"
#include "import/pytorch/torch_module.h"

#include <inttypes.h>

static const uc_t_form *const forms[] = {
#define FORM(symbol) &uc_t_form_##symbol,
#include "import/pytorch/torch_form_table.def"
#undef FORM
};

static const uc_t_form *form_of(uc_bytes head, const uc_bundle *bundle)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i]->is(head, bundle)) return forms[i];
    }
    return NULL;
}

static int torch_probe(uc_bytes head, const uc_bundle *bundle)
{
    return form_of(head, bundle) ? 2 : 0;
}

/* ---- open ---------------------------------------------------------------------------------------- */

static void describe(const uc_t_file *f, uc_import *file)
{
    uc_fact_text(&file->facts, "format", "pytorch");
    uc_fact_text(&file->facts, "framework", "pytorch");
    uc_fact_text(&file->facts, "form", "%s", f->form->name);
    if (!f->recognised) return;
    uc_fact_text(&file->facts, "architecture", "%s", f->model.name);
    if (f->model.source) uc_fact_text(&file->facts, "architecture_source", "%s", f->model.source);
    if (f->model.source && strcmp(f->model.source, "ultralytics") == 0)
        uc_t_ultralytics_facts(f, &file->facts);
    if (!f->model.preset) return;
    uc_fact_text(&file->facts, "architecture_preset", "%s", f->model.preset);
    uc_fact_text(&file->facts, "architecture_from", "the weights' names and shapes");
}

/* config.json in the folder: Hugging Face's say which architecture. What can't be read isn't there. */
static const uc_json *config_beside(uc_import *file)
{
    uncork_error quiet = {.size = sizeof quiet};
    uc_bytes bytes;
    uc_error_init(&quiet);
    if (!file->bundle) return NULL;
    if (uc_bundle_side(file->bundle, "config.json", &bytes, &quiet)) return NULL;
    if (bytes.size > (1u << 20)) return NULL;
    return uc_json_read(bytes, 0, file->arena, &quiet);
}

/* --code: the network is its source's, whatever the weights look like; a file that isn't safe stays so. */
static uncork_status take_code(uc_t_file *f, uncork_error *error)
{
    uc_import *file = f->import;
    uc_code_file *code = UC_NEW(file->arena, uc_code_file, 1);
    if (!code) return uc_arena_status(file->arena, error);
    UC_TRY(uc_code_open(file->code, file->arena, code, error));
    if (f->unsafe) return UNCORK_OK;
    if (!f->state) {
        uc_error_init(&f->flaw);
        uc_t_flaw(f, UNCORK_UNSUPPORTED,
                  "--code is for weights by name, which this file doesn't hold");
        return UNCORK_OK;
    }
    f->code = code;
    f->recognised = false;
    uc_error_init(&f->flaw);
    return UNCORK_OK;
}

static uncork_status torch_open(uc_import *file, uncork_error *error)
{
    uc_t_file *f = UC_NEW(file->arena, uc_t_file, 1);
    if (!f) return uc_arena_status(file->arena, error);
    uc_error_init(&f->flaw);
    file->state = f;
    f->import = file;
    f->form = form_of(file->bytes, file->bundle);
    if (!f->form) return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "no form of PyTorch");
    f->config = config_beside(file);
    UC_TRY(f->form->open(f, error));
    if (file->code) UC_TRY(take_code(f, error));
    if (file->entry_count == 0) {
        file->entries = UC_NEW(file->arena, const char *, 1);
        if (!file->entries) return uc_arena_status(file->arena, error);
        file->entries[file->entry_count++] = "predict";
    }
    describe(f, file);
    return uc_arena_status(file->arena, error);
}

/* ---- import -------------------------------------------------------------------------------------- */

static uncork_status torch_import(const uc_import *file, const char *entry,
                                  const uc_import_options *options, uc_graph *graph,
                                  uc_findings *findings, uncork_error *error)
{
    const uc_t_file *f = file->state;
    uc_t_build b;
    if (f->flaw.status) {
        (void)uc_fail(error, f->flaw.status, f->flaw.offset, "%s", f->flaw.what);
        if (f->flaw.where[0]) (void)uc_where(error, "%s", f->flaw.where);
        return f->flaw.fix[0] ? uc_fix(error, "%s", f->flaw.fix) : error->status;
    }
    if (entry && strcmp(entry, "predict") != 0 && !f->form->emit && !f->code)
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "there is no method '%s'", entry);
    if (!uc_t_build_open(&b, graph, findings, f->state)) return graph->status;
    b.options = options;
    if (f->code)
        uc_code_emit(f, f->code, entry, &b);
    else if (f->form->emit)
        f->form->emit(f, entry, &b);
    else if (f->module)
        uc_t_emit_module(f, &b);
    else
        uc_zoo_emit(&f->model, &b);
    uc_t_build_close(&b);
    return graph->status;
}

/* ---- inspect ------------------------------------------------------------------------------------- */

static void put_state(const uc_t_state *s, uc_json_writer *json)
{
    enum { SHOWN = 5000 };
    int64_t parameters = 0;
    for (size_t i = 0; i < s->count; i++) {
        parameters += uc_tensor_count(s->items[i].tensor);
    }
    uc_json_key(json, "parameter_count");
    uc_json_put_i64(json, parameters);
    uc_json_key(json, "tensor_count");
    uc_json_put_i64(json, (int64_t)s->count);
    uc_json_key(json, "tensors");
    uc_json_begin_array(json);
    for (size_t i = 0; i < s->count && i < SHOWN; i++) {
        const uc_tensor *t = s->items[i].tensor;
        uc_json_begin_object(json);
        uc_json_key(json, "name");
        uc_json_put_text(json, s->items[i].name);
        uc_json_key(json, "dtype");
        uc_json_put_text(json, uc_dtype_name(t->dtype));
        uc_json_key(json, "shape");
        uc_json_begin_array(json);
        for (int d = 0; d < t->rank; d++) {
            uc_json_put_i64(json, t->shape[d]);
        }
        uc_json_end_array(json);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
}

static void put_names(uc_json_writer *json, const char *key, const char **names, size_t count)
{
    uc_json_key(json, key);
    uc_json_begin_array(json);
    for (size_t i = 0; i < count && i < UC_ZOO_NAMES; i++) {
        uc_json_put_text(json, names[i] ? names[i] : "");
    }
    uc_json_end_array(json);
}

/* What an unknown state dict comes nearest to, and the text that would take it. */
static void put_closest(const uc_zoo_model *m, uc_json_writer *json)
{
    if (m->proposal) {
        uc_json_key(json, "arch_proposed");
        uc_json_put_text(json, m->proposal);
        uc_json_key(json, "arch_assumes");
        uc_json_put_text(json, m->assumed ? m->assumed : "");
    }
    uc_json_key(json, "closest_architectures");
    uc_json_begin_array(json);
    for (size_t i = 0; i < m->closest_count; i++) {
        const uc_zoo_report *r = &m->closest[i];
        uc_json_begin_object(json);
        uc_json_key(json, "architecture");
        uc_json_put_text(json, r->arch);
        put_names(json, "missing", r->missing, r->missing_count);
        put_names(json, "unexpected", r->unexpected, r->unexpected_count);
        put_names(json, "misshaped", r->misshaped, r->misshaped_count);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
}

static void torch_inspect(const uc_import *file, uc_json_writer *json)
{
    const uc_t_file *f = file->state;
    uc_json_key(json, "form");
    uc_json_put_text(json, f->form->name);
    if (f->recognised) {
        uc_json_key(json, "architecture");
        uc_json_put_text(json, f->model.name);
    }
    if (f->flaw.status) {
        uc_json_key(json, "runs");
        uc_json_put_bool(json, false);
        uc_json_key(json, "refused");
        uc_json_put_text(json, f->flaw.what);
    }
    if (f->flaw.status && f->state && !f->recognised) put_closest(&f->model, json);
    if (f->state) put_state(f->state, json);
}

const uc_importer uc_importer_pytorch = {
    .name = "pytorch",
    .probe = torch_probe,
    .open = torch_open,
    .import = torch_import,
    .inspect = torch_inspect,
};
