/* uncork_prepare and sessions: a graph finished and prepared once, run many times. */
#include "model/model_internal.h"

#include "base/thread.h"
#include "container/bundle.h"
#include "pass/pass.h"

/* Callers built before a member was appended have shorter options. */
#define HAS(options, member) \
    ((options) &&            \
     (options)->size >= offsetof(uncork_prepare_options, member) + sizeof(options)->member)

static bool is_fast(const uncork_prepare_options *options)
{
    return HAS(options, precision) && options->precision == UNCORK_FAST;
}

typedef struct request {
    const char *entry;
    const uncork_prepare_options *options;
    const struct uc_packs *packs;
    bool layers;
} request;

static uncork_status prepare(uncork_model *m, const request *r, uncork_error *error)
{
    const uncork_prepare_options *options = r->options;
    const uc_import *import = &m->file->import;
    uc_import_options given = {.input_dtype = options ? options->input_dtype : UNCORK_DTYPE_NONE,
                               .raw = options && options->raw};
    if (HAS(options, kernels)) given.kernels = options->kernels;
    if (HAS(options, fed_count) && options->fed && options->fed_count > 0) {
        given.fed = options->fed;
        given.fed_count = (size_t)options->fed_count;
    }
    m->graph = uc_graph_new(m->arena, &m->budget, error);
    if (!m->graph) return uc_fail_memory(error);
    m->graph->packs = r->packs;
    UC_TRY(import->importer->import(import, r->entry, &given, m->graph, &m->findings, error));
    if (r->layers) UC_TRY(uc_layers_add(m, error));
    UC_TRY(uc_graph_finish(m->graph));
    uc_graph *better = NULL;
    UC_TRY(uc_pass_run_all(m->graph, options ? options->disable_pass : NULL, is_fast(options),
                           error, &better));
    m->final_graph = better;
    UC_TRY(uc_program_new(better, m->arena, &m->budget, &m->program, error));
    return uc_arena_status(m->arena, error);
}

static uncork_status make(const uncork_file *file, const request *r, uncork_model **model,
                          uncork_error *error)
{
    uncork_error local;
    if (!error) error = &local;
    uc_error_init(error);
    *model = NULL;
    uncork_model *m = NULL;
    uc_arena *own =
        uc_arena_new(NULL); /* holds the handle; the model's arena is charged to its budget */
    if (own) m = UC_NEW(own, uncork_model, 1);
    if (!m) {
        uc_arena_free(own);
        return uc_fail_memory(error);
    }
    m->own = own;
    m->file = file;
    uc_file_retain(file);
    uc_budget_init(&m->budget, r->options ? &r->options->limits : NULL, file->import.bytes.size);
    m->arena = uc_arena_new(&m->budget);
    m->findings.arena = m->arena;
    uncork_status status = m->arena ? prepare(m, r, error) : uc_fail_memory(error);
    if (status != UNCORK_OK) {
        uc_where(error, "%s", file->import.path);
        uncork_model_free(m);
        return status;
    }
    if (file->import.bundle) uc_bundle_seen(file->import.bundle);
    *model = m;
    return UNCORK_OK;
}

uncork_status uncork_prepare(const uncork_file *file, const char *entry,
                             const uncork_prepare_options *options, uncork_model **model,
                             uncork_error *error)
{
    const struct uc_packs *packs = file->packs.find ? &file->packs : NULL;
    return uc_prepare_with(file, entry, options, packs, model, error);
}

uncork_status uc_prepare_with(const uncork_file *file, const char *entry,
                              const uncork_prepare_options *options, const struct uc_packs *packs,
                              uncork_model **model, uncork_error *error)
{
    const request r = {.entry = entry, .options = options, .packs = packs};
    return make(file, &r, model, error);
}

uncork_status uc_prepare_layers(const uncork_file *file, const char *entry,
                                const uncork_prepare_options *options, uncork_model **model,
                                uncork_error *error)
{
    const request r = {.entry = entry, .options = options, .layers = true};
    return make(file, &r, model, error);
}

void uncork_model_free(uncork_model *model)
{
    if (!model) return;
    uc_arena_free(model->arena);
    uc_file_release(model->file);
    uc_arena_free(model->own);
}

const uc_findings *uc_model_findings(const uncork_model *model) { return &model->findings; }

const uncork_file *uc_model_file(const uncork_model *model) { return model->file; }

const uc_graph *uc_model_graph(const uncork_model *model) { return model->graph; }

const uc_graph *uc_model_final_graph(const uncork_model *model) { return model->final_graph; }

static const uc_graph_value *input_at(const uncork_model *model, int i)
{
    const uc_graph *g = model->graph;
    return i >= 0 && (size_t)i < g->input_count ? &g->values[g->inputs[i]] : NULL;
}

int uncork_model_input_count(const uncork_model *model) { return (int)model->graph->input_count; }

const char *uncork_model_input_name(const uncork_model *model, int i)
{
    const uc_graph_value *v = input_at(model, i);
    return v ? v->name : NULL;
}

uncork_dtype uncork_model_input_dtype(const uncork_model *model, int i)
{
    const uc_graph_value *v = input_at(model, i);
    return v ? v->dtype : UNCORK_DTYPE_NONE;
}

int uncork_model_input_shape(const uncork_model *model, int i, int64_t *shape)
{
    const uc_graph_value *v = input_at(model, i);
    if (!v || v->rank < 0) return -1;
    for (int d = 0; d < v->rank; d++) {
        shape[d] = v->shape[d] < 0 ? -1 : v->shape[d];
    }
    return v->rank;
}

uncork_kind uncork_model_input_kind(const uncork_model *model, int i)
{
    const uc_graph_value *v = input_at(model, i);
    return v ? (uncork_kind)v->kind : UNCORK_TENSOR; /* the same numbers: value.c asserts it */
}

uncork_kind uncork_model_output_kind(const uncork_model *model, int i)
{
    const uc_graph *g = model->graph;
    bool there = i >= 0 && (size_t)i < g->output_count;
    return there ? (uncork_kind)g->values[g->outputs[i]].kind : UNCORK_TENSOR;
}

bool uncork_model_input_optional(const uncork_model *model, int i)
{
    const uc_graph_value *v = input_at(model, i);
    return v && (v->optional || v->fallback);
}

int uncork_model_output_count(const uncork_model *model) { return (int)model->graph->output_count; }

const char *uncork_model_output_name(const uncork_model *model, int i)
{
    return uc_graph_output_name(model->graph, i);
}

uncork_status uncork_pool_new(int threads, uncork_pool **pool)
{
    return uc_pool_new(threads, pool);
}

void uncork_pool_free(uncork_pool *pool) { uc_pool_free(pool); }

uncork_status uncork_session_new(const uncork_model *model, uncork_pool *pool,
                                 uncork_session **session)
{
    *session = NULL;
    uc_arena *arena = uc_arena_new(NULL);
    uncork_session *s = arena ? UC_NEW(arena, uncork_session, 1) : NULL;
    if (!s) {
        uc_arena_free(arena);
        return UNCORK_NO_MEMORY;
    }
    s->arena = arena;
    s->model = model;
    s->outputs = UC_NEW(arena, uncork_value, model->graph->output_count);
    s->inputs = UC_NEW(arena, const uc_value *, model->graph->input_count);
    uncork_status status = s->outputs && s->inputs ? uc_runner_new(model->program, pool, &s->runner)
                                                   : UNCORK_NO_MEMORY;
    if (status != UNCORK_OK) {
        uc_arena_free(arena);
        return status;
    }
    *session = s;
    return UNCORK_OK;
}

void uncork_session_free(uncork_session *session)
{
    if (!session) return;
    uc_runner_free(session->runner);
    uc_arena_free(session->arena);
}

uncork_status uncork_session_run(uncork_session *session, const uncork_value *const *inputs,
                                 int input_count, const uncork_limits *limits, uncork_error *error)
{
    uncork_error local;
    if (!error) error = &local;
    uc_error_init(error);
    const uc_graph *g = session->model->graph;
    if (input_count < 0 || (size_t)input_count != g->input_count) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "the model takes %zu inputs, %d given",
                       g->input_count, input_count);
    }
    for (int i = 0; i < input_count; i++) {
        session->inputs[i] = inputs[i] ? &inputs[i]->value : NULL;
    }
    uc_budget budget;
    uc_budget_init(&budget, limits, session->model->file->import.bytes.size);
    UC_TRY(uc_runner_run(session->runner, session->inputs, (size_t)input_count, &budget, error));
    for (size_t i = 0; i < g->output_count; i++) {
        session->outputs[i].value = *uc_runner_output(session->runner, i);
    }
    return UNCORK_OK;
}

const uncork_value *uncork_session_output(const uncork_session *session, int i)
{
    return i >= 0 && (size_t)i < session->model->graph->output_count ? &session->outputs[i] : NULL;
}
