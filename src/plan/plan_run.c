/* Runs a graph: finds the plan of the input shapes (or makes it), points it at the inputs, runs its
 * steps. The plan's block, the scratch and the run arena keep their memory between runs. */
#include "plan/plan_parts.h"

#include "base/thread.h"

/* ---- the host of the calls ---------------------------------------------------------------- */

void *uc_runner_memory(uc_runner *r, size_t bytes)
{
    if (uc_budget_bytes(r->budget, bytes, "the values of this run", r->error)) return NULL;
    r->charged += bytes;
    return uc_arena_alloc_raw(r->run, bytes);
}

static void *host_memory(uc_call *call, size_t i, size_t bytes)
{
    (void)i;
    return uc_runner_memory(call->host_data, bytes);
}

static void *host_scratch(uc_call *call, size_t bytes)
{
    uc_runner *r = call->host_data;
    if (bytes > SIZE_MAX / 4) return NULL;
    size_t need = (bytes + 64) & ~(size_t)63, left = r->scratch_size - r->scratch_used;
    if (r->scratch_used <= r->scratch_size && need <= left) {
        void *p = r->scratch + r->scratch_used;
        r->scratch_used += need;
        return p;
    }
    r->scratch_used += need; /* now beyond its size: the rest of this step goes the slow way */
    if (r->scratch_used > r->scratch_wanted) r->scratch_wanted = r->scratch_used;
    return uc_runner_memory(r, bytes);
}

static bool same_shape(const uc_tensor *t, uncork_dtype dtype, int rank, const int64_t *shape)
{
    if (t->dtype != dtype || t->rank != rank) return false;
    for (int d = 0; d < rank; d++) {
        if (t->shape[d] != shape[d]) return false;
    }
    return true;
}

static uncork_status host_output(uc_call *call, size_t i, uncork_dtype dtype, int rank,
                                 const int64_t *shape, uc_tensor **tensor)
{
    uc_runner *r = call->host_data;
    uc_value *v = i < call->out_count ? call->out[i] : NULL;
    if (v && v->tensor.data) {
        *tensor = &v->tensor;
        if (same_shape(&v->tensor, dtype, rank, shape)) return UNCORK_OK;
        return uc_call_fail(call, UNCORK_MALFORMED, "output %zu came out in another shape", i);
    }
    size_t bytes = 0;
    uc_tensor *t = v ? &v->tensor : uc_runner_memory(r, sizeof *t);
    bool fits = t && uc_shape_bytes(dtype, shape, rank, &bytes);
    void *data = fits ? uc_runner_memory(r, bytes) : NULL;
    if (!data) return uc_fail_memory(call->error);
    if (v) v->kind = UC_TENSOR;
    t->data = dtype == UNCORK_STRING ? NULL : data;
    uc_tensor_set(t, dtype, rank, shape);
    *tensor = t;
    return UNCORK_OK;
}

static const uc_call_host host = {
    .output = host_output, .memory = host_memory, .scratch = host_scratch};

/* ---- plans -------------------------------------------------------------------------------- */

/* Kind and type, rank and dimensions of one input after the other; a fixed number of words each. Of
 * other kinds than tensors the types alone: what depends on items is found as it runs. */
#define KEY_WORDS (2 + UNCORK_MAX_RANK)

static int64_t type_word(const uc_value *v)
{
    uc_kind item = v->item_count ? v->items[0]->kind : UC_NOTHING;
    return (int64_t)uc_value_dtype(v) | (int64_t)v->kind << 16 | (int64_t)item << 24;
}

static bool key_matches(const uc_plan *plan, const uc_value *const *inputs, size_t count)
{
    const int64_t *key = plan->key;
    for (size_t i = 0; i < count; i++, key += KEY_WORDS) {
        const uc_tensor *t = &inputs[i]->tensor;
        if (key[0] != type_word(inputs[i])) return false;
        if (inputs[i]->kind != UC_TENSOR) continue;
        if (key[1] != t->rank) return false;
        for (int d = 0; d < t->rank; d++) {
            if (key[2 + d] != t->shape[d]) return false;
        }
    }
    return true;
}

static bool write_key(uc_plan *plan, const uc_value *const *inputs, size_t count)
{
    plan->key = UC_NEW(plan->arena, int64_t, count * KEY_WORDS);
    int64_t *key = plan->key;
    for (size_t i = 0; key && i < count; i++, key += KEY_WORDS) {
        const uc_tensor *t = &inputs[i]->tensor;
        key[0] = type_word(inputs[i]);
        if (inputs[i]->kind != UC_TENSOR) continue;
        key[1] = t->rank;
        for (int d = 0; d < t->rank; d++) {
            key[2 + d] = t->shape[d];
        }
    }
    return plan->key != NULL;
}

/* A free place, or that of the plan not used for longest. */
static uc_plan *free_place(uc_runner *r)
{
    if (r->plan_count < UC_LIMIT_PLANS) return &r->plans[r->plan_count++];
    uc_plan *oldest = &r->plans[0];
    for (size_t i = 1; i < r->plan_count; i++) {
        if (r->plans[i].stamp < oldest->stamp) oldest = &r->plans[i];
    }
    uc_arena_free(oldest->arena);
    return oldest;
}

static uncork_status make_plan(uc_runner *r, const uc_value *const *inputs, size_t count)
{
    uc_plan *plan = free_place(r);
    *plan = (uc_plan){.arena = uc_arena_new(NULL)};
    uncork_status status = plan->arena && write_key(plan, inputs, count)
                               ? uc_plan_make(r->program, inputs, &host, r->budget, plan, r->error)
                               : uc_fail_memory(r->error);
    if (status != UNCORK_OK) {
        uc_arena_free(plan->arena);
        *plan = r->plans[--r->plan_count]; /* keep the used places together */
        r->plans[r->plan_count] = (uc_plan){0};
        return status;
    }
    for (size_t i = 0; i < plan->step_count; i++) {
        plan->steps[i].call.host_data = r;
        plan->steps[i].call.pool = plan->steps[i].alone ? NULL : r->pool;
        plan->steps[i].call.arena = r->run;
    }
    r->plan = plan;
    return UNCORK_OK;
}

static uncork_status find_plan(uc_runner *r, const uc_value *const *inputs, size_t count)
{
    if (r->plan && key_matches(r->plan, inputs, count)) return UNCORK_OK;
    for (size_t i = 0; i < r->plan_count; i++) {
        if (!key_matches(&r->plans[i], inputs, count)) continue;
        r->plan = &r->plans[i];
        return UNCORK_OK;
    }
    r->plan = NULL;
    return make_plan(r, inputs, count);
}

/* ---- a run -------------------------------------------------------------------------------- */

static void *take_run_memory(void *context, size_t bytes)
{
    return uc_runner_memory(context, bytes);
}

/* Every tensor inside has the type that the model declares. */
static uncork_status check_items(uc_runner *r, const uc_graph_value *want, const uc_value *v)
{
    for (size_t i = 0; i < v->item_count; i++) {
        const uc_value *item = v->items[i];
        UC_TRY(check_items(r, want, item));
        bool checked = item->kind == UC_TENSOR && v->kind != UC_MAP && want->dtype;
        if (!checked || item->tensor.dtype == want->dtype) continue;
        return uc_fail(r->error, UNCORK_INPUT, UC_NO_OFFSET,
                       "input '%.40s': item %zu is %s, the model takes %s",
                       want->name ? want->name : "", i, uc_dtype_name(item->tensor.dtype),
                       uc_dtype_name(want->dtype));
    }
    return UNCORK_OK;
}

/* Items may end up in outputs, which never point at the caller's memory; those of an outer graph
 * outlive this runner's. */
static uncork_status bind_items(uc_runner *r, size_t i, uc_value *v)
{
    const uc_value *in = r->fed[i];
    if (!r->parent) {
        UC_TRY(check_items(r, &r->program->graph->values[r->program->graph->inputs[i]], in));
        in = uc_value_copy(in, take_run_memory, r, r);
        if (!in) return uc_fail_memory(r->error);
    }
    v->items = in->items;
    v->item_count = in->item_count;
    return UNCORK_OK;
}

static uncork_status bind_inputs(uc_runner *r)
{
    uc_plan *plan = r->plan;
    const uc_graph *g = r->program->graph;
    for (size_t i = 0; i < g->input_count; i++) {
        uc_value *v = &plan->values[g->inputs[i]];
        const uc_tensor *t = &r->fed[i]->tensor;
        if (r->fed[i]->kind != UC_TENSOR) {
            UC_TRY(bind_items(r, i, v));
            continue;
        }
        if (!uc_tensor_is_dense(t)) {
            t = uc_tensor_dense(r->run, t);
            if (!t) return uc_arena_status(r->run, r->error);
        }
        v->tensor.data = t->data;
        v->tensor.strings = t->strings;
    }
    for (size_t i = 0; i < plan->follower_count; i++) {
        uc_tensor *view = &plan->values[plan->followers[i].value].tensor;
        const uc_tensor *source = &plan->values[plan->followers[i].input].tensor;
        char *data = source->data; /* NULL: it is empty or of strings */
        view->data = data ? data + plan->followers[i].offset : NULL;
        view->strings = source->strings;
    }
    for (size_t i = 0; i < plan->unknown_count; i++) {
        uc_value *v = &plan->values[plan->unknown[i]];
        *v = (uc_value){.kind = v->kind, .item_kind = v->item_kind, .tensor = {.rank = -1}};
    }
    return UNCORK_OK;
}

/* The values of a node whose shapes the data decides: infer with the data at hand, then outputs, then
 * the run itself. */
static uncork_status run_dynamic(uc_runner *r, uc_step *step)
{
    uc_call *call = &step->call;
    UC_TRY(call->op->infer ? call->op->infer(call) : UNCORK_OK);
    if (call->op->macs) {
        UC_TRY(uc_budget_macs(r->budget, call->op->macs(call), "this run", r->error));
    }
    for (size_t i = 0; i < call->out_count; i++) {
        uc_value *v = call->out[i];
        uc_tensor *t = NULL;
        if (!v || v->tensor.data || !uc_value_is_shaped(v)) continue;
        if (v->tensor.dtype == UNCORK_STRING) continue;
        UC_TRY(host_output(call, i, v->tensor.dtype, v->tensor.rank, v->tensor.shape, &t));
    }
    return call->op->run(call);
}

uncork_status uc_step_run(uc_runner *r, uc_step *step)
{
    step->call.budget = r->budget;
    step->call.error = r->error;
    r->scratch_used = 0;
    if (step->call.op->control) return uc_control_run(r, step);
    uc_parallel_until(step->call.op->stoppable ? r->budget : NULL);
    const uncork_status status =
        step->dynamic ? run_dynamic(r, step) : step->call.op->run(&step->call);
    uc_parallel_until(NULL);
    return status;
}

static uncork_status run_steps(uc_runner *r)
{
    uc_plan *plan = r->plan;
    for (size_t i = 0; i < plan->step_count; i++) {
        uc_step *step = &plan->steps[i];
        uncork_status status = r->profile ? uc_step_profile(r, step) : uc_step_run(r, step);
        if (status != UNCORK_OK) return status;
        if (step->heavy) UC_TRY(uc_budget_check(r->budget, r->error));
    }
    return UNCORK_OK;
}

/* Between runs, so that the next one finds all it needs in one block. */
static void grow_scratch(uc_runner *r)
{
    if (r->scratch_wanted <= r->scratch_size || uc_arena_watched()) return;
    uc_arena_reset(r->scratch_arena);
    r->scratch = uc_arena_alloc_raw(r->scratch_arena, r->scratch_wanted);
    r->scratch_size = r->scratch ? r->scratch_wanted : 0;
}

static uncork_status run_plan(uc_runner *r, size_t count)
{
    UC_TRY(find_plan(r, r->fed, count));
    uint64_t bytes = r->plan->block_bytes + r->scratch_size;
    UC_TRY(uc_budget_bytes(r->budget, bytes, "the values of this run", r->error));
    r->charged += bytes;
    UC_TRY(uc_budget_macs(r->budget, r->plan->macs, "this run", r->error));
    r->plan->stamp = ++r->runs;
    UC_TRY(bind_inputs(r));
    return run_steps(r);
}

/* What is fed; what was left out is its default, or an optional without a value. */
static uncork_status gather_inputs(uc_runner *r, const uc_value *const *inputs, size_t count)
{
    const uc_graph *g = r->program->graph;
    if (count != g->input_count) {
        return uc_fail(r->error, UNCORK_USAGE, UC_NO_OFFSET,
                       "%zu inputs are fed, the model takes %zu", count, g->input_count);
    }
    for (size_t i = 0; i < count; i++) {
        const uc_graph_value *want = &g->values[g->inputs[i]];
        r->fed[i] = inputs[i];
        if (inputs[i]) continue;
        if (r->stand_ins[i].kind == UC_NOTHING) {
            return uc_fail(r->error, UNCORK_USAGE, UC_NO_OFFSET, "input %zu ('%.60s') is missing",
                           i, want->name ? want->name : "");
        }
        r->fed[i] = &r->stand_ins[i];
    }
    return UNCORK_OK;
}

uncork_status uc_runner_run(uc_runner *r, const uc_value *const *inputs, size_t input_count,
                            uc_budget *budget, uncork_error *error)
{
    r->budget = budget;
    r->error = error;
    r->charged = 0;
    UC_TRY(gather_inputs(r, inputs, input_count));
    uc_arena_reset(r->run);
    grow_scratch(r);
    uncork_status status = run_plan(r, input_count);
    uc_budget_return(budget, r->charged);
    return status;
}

const uc_value *uc_runner_output(const uc_runner *r, size_t i)
{
    if (!r->plan || i >= r->program->graph->output_count) return NULL;
    return &r->plan->values[r->program->graph->outputs[i]];
}

/* ---- life --------------------------------------------------------------------------------- */

static bool make_stand_ins(uc_runner *r)
{
    const uc_graph *g = r->program->graph;
    r->fed = UC_NEW(r->arena, const uc_value *, g->input_count);
    r->stand_ins = UC_NEW(r->arena, uc_value, g->input_count);
    for (size_t i = 0; r->fed && r->stand_ins && i < g->input_count; i++) {
        const uc_graph_value *want = &g->values[g->inputs[i]];
        if (want->fallback) {
            r->stand_ins[i] = (uc_value){.kind = UC_TENSOR, .tensor = *want->fallback};
        } else if (want->optional && want->kind == UC_OPTIONAL) {
            r->stand_ins[i] = (uc_value){.kind = UC_OPTIONAL, .tensor = {.rank = -1}};
        }
    }
    return r->fed && r->stand_ins;
}

uncork_status uc_runner_new(const uc_program *program, uncork_pool *pool, uc_runner **runner)
{
    *runner = NULL;
    uc_arena *arena = uc_arena_new(NULL);
    if (!arena) return UNCORK_NO_MEMORY;
    uc_runner *r = UC_NEW(arena, uc_runner, 1);
    if (!r) {
        uc_arena_free(arena);
        return UNCORK_NO_MEMORY;
    }
    *r = (uc_runner){.program = program, .pool = pool, .arena = arena};
    r->run = uc_arena_new(NULL);
    r->scratch_arena = uc_arena_new(NULL);
    if (!r->run || !r->scratch_arena || !make_stand_ins(r)) {
        uc_runner_free(r);
        return UNCORK_NO_MEMORY;
    }
    *runner = r;
    return UNCORK_OK;
}

void uc_runner_free(uc_runner *r)
{
    if (!r) return;
    uc_control_free(r);
    for (size_t i = 0; i < r->plan_count; i++) {
        uc_arena_free(r->plans[i].arena);
    }
    uc_arena_free(r->run);
    uc_arena_free(r->scratch_arena);
    uc_arena_free(r->arena);
}
