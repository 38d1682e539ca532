/* Schedules a graph for one set of input shapes: infers every shape, drops what that makes constant,
 * gives every value its place in one block, and lays out the calls so that running them does nothing
 * else. */
#include "op/shape.h"
#include "plan/planner.h"

/* A step with more output bytes or multiply-adds than this is worth a look at the clock. */
#define HEAVY (1u << 16)

static uncork_status out_of_memory(planner *p)
{
    uncork_status status = uc_arena_status(p->plan->arena, p->error);
    if (status == UNCORK_OK) status = uc_arena_status(p->scratch, p->error);
    return status == UNCORK_OK ? uc_fail_memory(p->error) : status;
}

/* ---- inputs ------------------------------------------------------------------------------- */

static uncork_status refuse_input(planner *p, size_t i, const uc_tensor *got, const char *reason)
{
    const uc_graph_value *want = &p->graph->values[p->graph->inputs[i]];
    char got_text[128], want_text[128];
    uc_fail(
        p->error, UNCORK_INPUT, UC_NO_OFFSET,
        "input '%.40s' is %s%.60s, the model takes %s%.60s: %s", want->name ? want->name : "",
        uc_dtype_name(got->dtype), uc_shape_text(got->shape, got->rank, got_text, sizeof got_text),
        want->dtype ? uc_dtype_name(want->dtype) : "any type",
        want->rank < 0 ? "" : uc_shape_text(want->shape, want->rank, want_text, sizeof want_text),
        reason);
    return UNCORK_INPUT;
}

static uncork_status refuse_kind(planner *p, size_t i, const uc_value *got)
{
    const uc_graph_value *want = &p->graph->values[p->graph->inputs[i]];
    return uc_fail(p->error, UNCORK_INPUT, UC_NO_OFFSET, "input '%.60s' is %s, the model takes %s",
                   want->name ? want->name : "", uc_kind_name(got->kind), uc_kind_name(want->kind));
}

/* Symbols are equal within a call: all inputs that name one agree. */
static bool bind_symbol(planner *p, size_t input, int dim, int64_t value)
{
    int64_t symbol = p->graph->values[p->graph->inputs[input]].shape[dim];
    for (size_t i = 0; i <= input; i++) {
        const uc_graph_value *want = &p->graph->values[p->graph->inputs[i]];
        const uc_tensor *got = &p->plan->values[p->graph->inputs[i]].tensor;
        if (want->kind != UC_TENSOR) continue; /* each item may be of another size */
        for (int d = 0; d < want->rank && (i < input || d < dim); d++) {
            if (want->shape[d] == symbol && got->shape[d] != value) return false;
        }
    }
    return true;
}

static uncork_status bind_input(planner *p, size_t i, const uc_value *in)
{
    const uc_graph_value *want = &p->graph->values[p->graph->inputs[i]];
    const uc_tensor *got = &in->tensor;
    uc_value *v = &p->plan->values[p->graph->inputs[i]];
    if (in->kind != want->kind) return refuse_kind(p, i, in);
    if (in->kind != UC_TENSOR) {
        v->item_kind = in->item_count ? in->items[0]->kind : want->item_kind;
        v->tensor.dtype = in->item_count ? uc_value_dtype(in) : want->dtype;
        v->tensor.rank = -1;
        return UNCORK_OK;
    }
    if (want->dtype && want->dtype != got->dtype) return refuse_input(p, i, got, "another type");
    if (want->rank >= 0 && want->rank != got->rank) {
        return refuse_input(p, i, got, "another number of dimensions");
    }
    if (!uc_shape_is_sane(got->dtype, got->rank, got->shape)) {
        return refuse_input(p, i, got, "more than memory can hold");
    }
    uc_tensor_set(&v->tensor, got->dtype, got->rank, got->shape);
    for (int d = 0; d < want->rank; d++) {
        if (want->shape[d] >= 0 && want->shape[d] != got->shape[d]) {
            return refuse_input(p, i, got, "another size");
        }
        if (want->shape[d] < UC_DIM_UNKNOWN && !bind_symbol(p, i, d, got->shape[d])) {
            return refuse_input(p, i, got, "a size that must equal another input's differs");
        }
    }
    return UNCORK_OK;
}

/* ---- which nodes run ---------------------------------------------------------------------- */

static bool all_known(const uc_call *call)
{
    for (size_t i = 0; i < call->out_count; i++) {
        if (call->out[i] && !uc_value_is_known(call->out[i])) return false;
    }
    return true;
}

static uncork_status infer_nodes(planner *p, uc_budget *budget)
{
    uc_infer infer = {.graph = p->graph,
                      .arena = p->plan->arena,
                      .scratch = p->scratch,
                      .budget = budget,
                      .error = p->error,
                      .fold_bytes = UC_FOLD_SHAPE_BYTES,
                      .fold_macs = UC_FOLD_SHAPE_MACS,
                      .values = p->plan->values};
    uc_arena *operators = uc_arena_new(budget);
    infer.scratch = operators;
    uncork_status status = operators ? UNCORK_OK : uc_fail_memory(p->error);
    for (size_t n = 0; status == UNCORK_OK && n < p->graph->node_count; n++) {
        if (p->program->folded[n]) continue;
        uc_call *call = uc_infer_call(&infer, &p->graph->nodes[n]);
        if (!call) {
            status = out_of_memory(p);
            break;
        }
        call->prepared = p->program->prepared[n];
        status = uc_infer_node(&infer, &p->graph->nodes[n], call);
        if (!all_known(call)) p->calls[n] = call;
    }
    uc_arena_free(operators);
    return status;
}

/* Backwards from the outputs: what only folded nodes needed isn't computed. */
static void drop_dead(planner *p)
{
    for (size_t i = 0; i < p->graph->output_count; i++) {
        p->needed[p->graph->outputs[i]] = p->result[p->graph->outputs[i]] = true;
    }
    for (size_t n = p->graph->node_count; n-- > 0;) {
        const uc_node *node = &p->graph->nodes[n];
        bool live = node->op->impure;
        for (size_t i = 0; i < node->out_count; i++) {
            live = live || p->needed[node->out[i]];
        }
        if (!live) p->calls[n] = NULL;
        for (size_t i = 0; p->calls[n] && i < node->in_count; i++) {
            p->needed[node->in[i]] = true;
        }
    }
}

/* ---- lifetimes ---------------------------------------------------------------------------- */

static void see(uc_life *life, size_t step, size_t bytes)
{
    if (bytes > life->bytes) life->bytes = bytes;
    if (step < life->first) life->first = step;
    if (step > life->last) life->last = step;
}

size_t uc_plan_bytes(const uc_value *v)
{
    size_t bytes = 0;
    bool fits = uc_shape_bytes(v->tensor.dtype, v->tensor.shape, v->tensor.rank, &bytes);
    return fits && bytes ? bytes : 1; /* infer has checked that it fits */
}

/* The memory of a value is alive from the node that makes it to the last that reads it or a view of
 * it. Outputs stay to the end. */
static void find_lives(planner *p, uc_life *lives)
{
    for (size_t i = 0; i < p->graph->value_count; i++) {
        lives[i].first = SIZE_MAX;
    }
    for (size_t n = 0; n < p->graph->node_count; n++) {
        const uc_node *node = &p->graph->nodes[n];
        if (!p->calls[n]) continue;
        for (size_t i = 0; i < node->in_count; i++) {
            see(&lives[p->root[node->in[i]]], n, 0);
        }
        for (size_t i = 0; i < node->out_count; i++) {
            uc_ref ref = node->out[i];
            const uc_value *v = &p->plan->values[ref];
            if (!ref || !uc_value_is_shaped(v) || v->tensor.dtype == UNCORK_STRING) continue;
            if (p->needed[ref] && !node->op->control)
                see(&lives[p->root[ref]], n, uc_plan_bytes(v));
        }
    }
    for (size_t i = 0; i < p->graph->output_count; i++) {
        see(&lives[p->root[p->graph->outputs[i]]], SIZE_MAX, 0);
    }
}

/* Whether the plan gives this value its memory. */
static bool is_planned(const planner *p, size_t ref, const uc_life *life)
{
    return life->bytes > 0 && p->graph->values[ref].producer >= 0 &&
           !uc_value_is_known(&p->plan->values[ref]);
}

static uncork_status place_values(planner *p, uc_budget *budget)
{
    size_t count = p->graph->value_count, used = 0, total = 0;
    uc_life *lives = UC_NEW(p->scratch, uc_life, count),
            *packed = UC_NEW(p->scratch, uc_life, count);
    uc_ref *owner = UC_NEW(p->scratch, uc_ref, count);
    if (!lives || !packed || !owner) return out_of_memory(p);
    find_lives(p, lives);
    for (size_t i = 1; i < count; i++) {
        if (p->root[i] != (uc_ref)i || !is_planned(p, i, &lives[i])) continue;
        packed[used] = lives[i];
        owner[used++] = (uc_ref)i;
    }
    if (!uc_plan_memory(packed, used, p->scratch, &total)) {
        UC_TRY(uc_arena_status(p->scratch, p->error));
        return uc_fail(p->error, UNCORK_LIMIT, UC_NO_OFFSET,
                       "the values of one run are more than memory can hold");
    }
    UC_TRY(uc_budget_bytes(budget, total, "the values of this run", p->error));
    uc_budget_return(budget, total); /* each run charges it anew: the plan outlives this budget */
    char *block = uc_arena_alloc_raw(p->plan->arena, total);
    if (!block) return out_of_memory(p);
    p->plan->block_bytes = total;
    for (size_t i = 0; i < used; i++) {
        char *data = block + packed[i].offset;
        if (uc_arena_watched()) data = uc_arena_alloc_raw(p->plan->arena, lives[owner[i]].bytes);
        if (!data) return out_of_memory(p);
        p->plan->values[owner[i]].tensor.data = data;
    }
    return UNCORK_OK;
}

/* ---- steps -------------------------------------------------------------------------------- */

/* Views and what shares memory get their source's pointer once, or with each run when the source is an
 * input. */
static uncork_status link_views(planner *p)
{
    uc_plan *plan = p->plan;
    plan->followers = UC_NEW(plan->arena, uc_follower, p->graph->node_count);
    if (!plan->followers) return out_of_memory(p);
    for (size_t n = 0; n < p->graph->node_count; n++) {
        if (!p->is_view[n] && !p->in_place[n]) continue;
        uc_ref out = p->graph->nodes[n].out[0], root = p->root[out];
        if (!uc_plan_is_fed(p, root)) continue;
        plan->followers[plan->follower_count++] =
            (uc_follower){.value = out, .input = root, .offset = p->at[out]};
    }
    for (size_t v = 1; v < p->graph->value_count; v++) {
        uc_ref root = p->root[v];
        if (root == (uc_ref)v || uc_plan_is_fed(p, root)) continue;
        plan->values[v].tensor.data = (char *)plan->values[root].tensor.data + p->at[v];
    }
    return UNCORK_OK;
}

static bool is_dynamic(const uc_call *call)
{
    for (size_t i = 0; i < call->in_count; i++) {
        if (call->in[i] && !uc_value_is_shaped(call->in[i])) return true;
    }
    for (size_t i = 0; i < call->out_count; i++) {
        if (call->out[i] && !uc_value_is_shaped(call->out[i])) return true;
    }
    return false;
}

/* Outputs nobody reads are NULL in the call, so that an operator may skip them. */
static void drop_unread(planner *p, const uc_node *node, uc_value **out)
{
    for (size_t i = 0; i < node->out_count; i++) {
        if (!p->needed[node->out[i]]) out[i] = NULL;
    }
}

static uint64_t work_of(const uc_call *call)
{
    uint64_t work = call->op->macs ? call->op->macs(call) : 0;
    for (size_t i = 0; i < call->out_count; i++) {
        if (call->out[i]) work += uc_plan_bytes(call->out[i]);
    }
    return work;
}

/* Whether a step takes less than waking the others: by its multiply-adds and bytes, for operators whose
 * cost these tell. */
static bool is_short(const uc_call *call, uint64_t macs)
{
    enum { MACS_A_NS = 64, BYTES_A_NS = 24, SHORT_NS = 4000 };
    uint64_t bytes = 0;
    for (size_t i = 0; i < call->in_count; i++) {
        if (call->in[i] && call->in[i]->kind == UC_TENSOR) bytes += uc_plan_bytes(call->in[i]);
    }
    for (size_t i = 0; i < call->out_count; i++) {
        if (call->out[i]) bytes += uc_plan_bytes(call->out[i]);
    }
    return macs / MACS_A_NS + bytes / BYTES_A_NS < SHORT_NS;
}

static void make_step(planner *p, size_t node, const uc_call_host *host)
{
    const uc_call *call = p->calls[node];
    uc_step *step = &p->plan->steps[p->plan->step_count++];
    step->node = node;
    step->call = *call;
    step->call.host = host;
    step->dynamic = is_dynamic(call);
    step->heavy = step->dynamic || work_of(call) > HEAVY;
    uint64_t macs = !step->dynamic && call->op->macs ? call->op->macs(call) : 0;
    step->macs = macs;
    step->alone = !step->dynamic && (macs > 0 || call->op->streams) && is_short(call, macs);
    if (__builtin_add_overflow(p->plan->macs, macs, &p->plan->macs)) p->plan->macs = UINT64_MAX;
}

static bool must_run(const planner *p, size_t n)
{
    const uc_node *node = &p->graph->nodes[n];
    return p->calls[n] && !p->is_view[n] && (node->op->run || node->op->control);
}

static uncork_status make_steps(planner *p, const uc_call_host *host)
{
    uc_plan *plan = p->plan;
    const uc_graph *g = p->graph;
    plan->steps = UC_NEW(plan->arena, uc_step, g->node_count);
    plan->unknown = UC_NEW(plan->arena, uc_ref, g->value_count);
    if (!plan->steps || !plan->unknown) return out_of_memory(p);
    for (size_t n = 0; n < g->node_count; n++) {
        if (!must_run(p, n)) continue;
        uc_value **out = UC_NEW(plan->arena, uc_value *, g->nodes[n].out_count);
        if (!out) return out_of_memory(p);
        memcpy(out, p->calls[n]->out, g->nodes[n].out_count * sizeof *out);
        drop_unread(p, &g->nodes[n], out);
        p->calls[n]->out = out;
        make_step(p, n, host);
        for (size_t i = 0; i < g->nodes[n].out_count; i++) {
            if (out[i] && !uc_value_is_shaped(out[i])) {
                plan->unknown[plan->unknown_count++] = g->nodes[n].out[i];
            }
        }
    }
    return UNCORK_OK;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static uncork_status make_plan(planner *p, const uc_value *const *inputs, const uc_call_host *host,
                               uc_budget *budget)
{
    size_t values = p->graph->value_count, nodes = p->graph->node_count;
    p->plan->values = UC_NEW(p->plan->arena, uc_value, values);
    p->calls = UC_NEW(p->scratch, uc_call *, nodes);
    p->root = UC_NEW(p->scratch, uc_ref, values);
    p->at = UC_NEW(p->scratch, size_t, values);
    p->result = UC_NEW(p->scratch, bool, values);
    p->needed = UC_NEW(p->scratch, bool, values);
    p->is_view = UC_NEW(p->scratch, uint8_t, nodes);
    p->in_place = UC_NEW(p->scratch, uint8_t, nodes);
    if (!p->plan->values || !p->calls || !p->root || !p->at || !p->result || !p->needed ||
        !p->is_view || !p->in_place) {
        return out_of_memory(p);
    }
    memcpy(p->plan->values, p->program->values, values * sizeof *p->plan->values);
    for (size_t i = 0; i < p->graph->input_count; i++) {
        UC_TRY(bind_input(p, i, inputs[i]));
    }
    UC_TRY(infer_nodes(p, budget));
    drop_dead(p);
    if (!uc_plan_share(p)) return out_of_memory(p);
    UC_TRY(place_values(p, budget));
    UC_TRY(link_views(p));
    return make_steps(p, host);
}

uncork_status uc_plan_make(const uc_program *program, const uc_value *const *inputs,
                           const uc_call_host *host, uc_budget *budget, uc_plan *plan,
                           uncork_error *error)
{
    planner p = {.program = program, .graph = program->graph, .plan = plan, .error = error};
    p.scratch = uc_arena_new(budget);
    if (!p.scratch) return uc_fail_memory(error);
    uncork_status status = make_plan(&p, inputs, host, budget);
    uc_arena_free(p.scratch);
    return status;
}
