/* Types and shapes of operators with bodies: If, Loop, Scan, SequenceMap. A body is a graph of its own;
 * its inputs are the node's formal ones, then its captures (attribute `captures` counts them).
 *
 * Source: ONNX operators If 25, Loop 25, Scan 25, SequenceMap 17. */
#include "base/limits.h"
#include "graph/graph_infer.h"
#include "op/shape.h"

#include <inttypes.h>

/* Deeper than this, carried shapes are taken as unknown at once: trying twice a level adds up. */
#define TRY_DEPTH 3

uc_graph *uc_node_body(const uc_node *node, const char *name)
{
    for (size_t i = 0; i < node->attr_count; i++) {
        bool found = strcmp(node->attrs[i].name, name) == 0;
        if (found && node->attrs[i].kind == UC_ATTR_GRAPH) return node->attrs[i].graph;
    }
    return NULL;
}

bool uc_control_split(const uc_call *call, uc_control_parts *parts)
{
    int64_t captures = uc_call_int(call, "captures", 0);
    if (captures < 0 || (uint64_t)captures > call->in_count) return false;
    parts->captures = (size_t)captures;
    parts->formal = call->in_count - parts->captures;
    return true;
}

/* ---- types -------------------------------------------------------------------------------- */

/* A value's type without its elements. */
static uc_value type_of(const uc_value *v)
{
    uc_value type = {.kind = v->kind, .item_kind = v->item_kind};
    type.tensor.dtype = v->tensor.dtype;
    type.tensor.rank = v->tensor.rank;
    for (int d = 0; d < v->tensor.rank; d++) {
        type.tensor.shape[d] = v->tensor.shape[d];
    }
    return type;
}

static uc_value scalar_type(uncork_dtype dtype)
{
    return (uc_value){.kind = UC_TENSOR, .tensor = {.dtype = dtype}};
}

/* An optional may become what it holds: a loop that starts with nothing. */
static bool join_optional(uc_value *a, const uc_value *b)
{
    if (a->kind != UC_OPTIONAL || b->kind == UC_OPTIONAL) return false;
    if (a->item_kind != UC_NOTHING && a->item_kind != UC_TENSOR && a->item_kind != b->kind) {
        return false;
    }
    a->item_kind = b->kind;
    return true;
}

/* Makes *a what both are: unknown where they differ. False when no type is both. */
static bool join(uc_value *a, const uc_value *b, bool *changed)
{
    if (a->kind != b->kind && !join_optional(a, b)) return false;
    if (a->tensor.dtype && b->tensor.dtype && a->tensor.dtype != b->tensor.dtype) return false;
    if (!a->tensor.dtype) a->tensor.dtype = b->tensor.dtype;
    if (a->item_kind == UC_NOTHING) a->item_kind = b->item_kind;
    if (a->tensor.rank >= 0 && a->tensor.rank != b->tensor.rank) {
        a->tensor.rank = -1;
        *changed = true;
    }
    for (int d = 0; d < a->tensor.rank; d++) {
        if (a->tensor.shape[d] == UC_DIM_UNKNOWN || a->tensor.shape[d] == b->tensor.shape[d]) {
            continue;
        }
        a->tensor.shape[d] = UC_DIM_UNKNOWN;
        *changed = true;
    }
    return true;
}

static uncork_status fail_join(uc_call *call, const char *what, size_t i, const uc_value *a,
                               const uc_value *b)
{
    return uc_call_fail(call, UNCORK_MALFORMED, "%s %zu is %s of %s here and %s of %s there", what,
                        i, uc_kind_name(a->kind), uc_dtype_name(a->tensor.dtype),
                        uc_kind_name(b->kind), uc_dtype_name(b->tensor.dtype));
}

static uncork_status declare(uc_call *call, size_t i, const uc_value *type)
{
    const uc_tensor *t = &type->tensor;
    return uc_call_kind(call, i, type->kind, type->item_kind, t->dtype, t->rank, t->shape);
}

/* The type of a stack of `n` of these along `axis`. */
static uncork_status declare_stack(uc_call *call, size_t i, const uc_value *slice, int64_t axis,
                                   int64_t n)
{
    const uc_tensor *t = &slice->tensor;
    int64_t shape[UNCORK_MAX_RANK];
    int at = 0;
    if (slice->kind != UC_TENSOR) {
        return uc_call_fail(call, UNCORK_MALFORMED, "output %zu would be a stack of no tensors", i);
    }
    if (t->rank < 0) return uc_call_shape(call, i, t->dtype, -1, NULL);
    if (t->rank == UNCORK_MAX_RANK) {
        return uc_call_fail(call, UNCORK_LIMIT, "output %zu has more than %d dimensions", i,
                            UNCORK_MAX_RANK);
    }
    UC_TRY(uc_axis(call, axis, t->rank + 1, &at));
    for (int d = 0; d <= t->rank; d++) {
        shape[d] = d < at ? t->shape[d] : (d == at ? n : t->shape[d - 1]);
    }
    return uc_call_shape(call, i, t->dtype, t->rank + 1, shape);
}

/* ---- a body ------------------------------------------------------------------------------- */

typedef struct body {
    uc_infer *infer;
    uc_call *call;
    uc_graph *graph;
    const char *name;
    uc_control_parts parts;
    uc_value *in, *out; /* [input_count], [output_count] */
    bool stays_true;    /* a loop whose condition is true goes on being so */
} body;

static uncork_status open_body(uc_infer *infer, const uc_node *node, uc_call *call,
                               const char *name, body *b)
{
    *b = (body){.infer = infer, .call = call, .graph = uc_node_body(node, name), .name = name};
    if (!b->graph) return uc_call_fail(call, UNCORK_MALFORMED, "attribute '%s' is missing", name);
    if (infer->depth >= UC_LIMIT_GRAPH_DEPTH) {
        return uc_call_fail(call, UNCORK_LIMIT, "subgraphs are nested deeper than %d",
                            UC_LIMIT_GRAPH_DEPTH);
    }
    if (!uc_control_split(call, &b->parts)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "more captures than inputs");
    }
    for (size_t i = b->parts.formal; i < call->in_count; i++) {
        if (call->in[i]) continue;
        return uc_call_fail(call, UNCORK_MALFORMED, "capture %zu is missing", i - b->parts.formal);
    }
    b->in = UC_NEW(infer->arena, uc_value, b->graph->input_count);
    b->out = UC_NEW(infer->arena, uc_value, b->graph->output_count);
    return b->in && b->out ? UNCORK_OK : uc_arena_status(infer->arena, infer->error);
}

/* The body takes `formal` inputs and then the captures. */
static uncork_status bind_captures(body *b, size_t formal)
{
    if (b->graph->input_count != formal + b->parts.captures) {
        return uc_call_fail(b->call, UNCORK_MALFORMED, "%s takes %zu inputs, %zu are fed to it",
                            b->name, b->graph->input_count - b->parts.captures, formal);
    }
    for (size_t i = 0; i < b->parts.captures; i++) {
        b->in[formal + i] = type_of(b->call->in[b->parts.formal + i]);
    }
    return UNCORK_OK;
}

static uncork_status expect_outputs(body *b, size_t count)
{
    if (b->graph->output_count == count) return UNCORK_OK;
    return uc_call_fail(b->call, UNCORK_MALFORMED, "%s gives %zu outputs, %zu are expected",
                        b->name, b->graph->output_count, count);
}

static bool is_known_true(const uc_value *v)
{
    return uc_value_is_known(v) && v->tensor.dtype == UNCORK_BOOL &&
           uc_tensor_count(&v->tensor) == 1 && *(const uint8_t *)v->tensor.data != 0;
}

/* What the body makes of these input types, changing nothing. */
static uncork_status try_body(body *b, uc_arena *arena, uncork_error *error)
{
    uc_infer *outer = b->infer;
    const uc_graph *g = b->graph;
    uc_infer sub = {.graph = g,
                    .arena = arena,
                    .scratch = outer->scratch,
                    .budget = outer->budget,
                    .error = error,
                    .fold_bytes = UC_FOLD_SHAPE_BYTES,
                    .fold_macs = UC_FOLD_SHAPE_MACS,
                    .depth = outer->depth + 1};
    UC_TRY(uc_budget_nodes(outer->budget, g->node_count + 1, "the subgraphs", error));
    UC_TRY(uc_infer_init(&sub));
    for (size_t i = 0; i < g->input_count; i++) {
        sub.values[g->inputs[i]] = b->in[i];
    }
    UC_TRY(uc_infer_graph(&sub));
    for (size_t i = 0; i < g->output_count; i++) {
        b->out[i] = type_of(&sub.values[g->outputs[i]]);
    }
    b->stays_true = g->output_count && is_known_true(&sub.values[g->outputs[0]]);
    return UNCORK_OK;
}

static uncork_status infer_body(body *b, uncork_error *error)
{
    uc_arena *arena = uc_arena_new(b->infer->budget);
    uncork_status status = arena ? try_body(b, arena, error) : uc_fail_memory(error);
    uc_arena_free(arena);
    return status;
}

/* Gives the body its input types for good and finishes it. */
static uncork_status finish_body(body *b)
{
    uc_graph *g = b->graph;
    if (!b->infer->finish) return UNCORK_OK;
    g->error = b->infer->error;
    g->budget = b->infer->budget;
    for (size_t i = 0; i < g->input_count; i++) {
        uc_graph_value *v = &g->values[g->inputs[i]];
        const uc_tensor *t = &b->in[i].tensor;
        v->kind = b->in[i].kind;
        v->item_kind = b->in[i].item_kind;
        if (t->dtype) v->dtype = t->dtype;
        v->rank = t->rank;
        v->shape = UC_NEW(g->arena, int64_t, t->rank > 0 ? (size_t)t->rank : 0);
        if (!v->shape) return uc_arena_status(g->arena, g->error);
        for (int d = 0; d < t->rank; d++) {
            v->shape[d] = t->shape[d];
        }
    }
    UC_TRY(uc_graph_finish_at(g, b->infer->depth + 1));
    for (size_t i = 0; i < g->output_count; i++) {
        const uc_graph_value *v = &g->values[g->outputs[i]];
        b->out[i] = (uc_value){.kind = v->kind, .item_kind = v->item_kind};
        b->out[i].tensor.dtype = v->dtype;
        b->out[i].tensor.rank = v->rank;
        for (int d = 0; d < v->rank; d++) {
            b->out[i].tensor.shape[d] = v->shape[d];
        }
    }
    return UNCORK_OK;
}

/* ---- If ----------------------------------------------------------------------------------- */

static uncork_status check_condition(uc_call *call, size_t i)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t) return UNCORK_OK;
    UC_TRY(uc_call_expect(call, i, UC_TYPES_BOOL));
    bool one = !uc_dims_known(t->shape, t->rank) || uc_tensor_count(t) == 1;
    if (one) return UNCORK_OK;
    char text[128];
    return uc_call_fail(call, UNCORK_INPUT, "the condition has shape %s, it takes one element",
                        uc_shape_text(t->shape, t->rank, text, sizeof text));
}

/* A branch that can't be inferred isn't refused before it is taken: shapes may be what its condition
 * asks for. */
static uncork_status infer_branch(body *b, bool *known)
{
    UC_TRY(bind_captures(b, 0));
    UC_TRY(expect_outputs(b, b->call->out_count));
    *known = true;
    if (b->infer->finish) return finish_body(b);
    uncork_error ignored;
    uc_error_init(&ignored);
    uncork_status status = infer_body(b, &ignored);
    *known = status == UNCORK_OK;
    if (status != UNCORK_LIMIT && status != UNCORK_NO_MEMORY) return UNCORK_OK;
    return uc_fail(b->infer->error, status, UC_NO_OFFSET, "%s", ignored.what);
}

static uncork_status infer_if(uc_infer *infer, const uc_node *node, uc_call *call)
{
    static const char *const names[2] = {"else_branch", "then_branch"};
    body b[2];
    bool known[2] = {false, false}, ignored = false;
    uncork_status failed = UNCORK_OK;
    UC_TRY(check_condition(call, 0));
    const uc_tensor *condition = uc_call_in(call, 0);
    if (!condition) return uc_call_fail(call, UNCORK_MALFORMED, "the condition is no tensor");
    bool decided = condition->data != NULL; /* the other branch is never run, nor finished */
    int taken = decided && *(const uint8_t *)condition->data != 0;
    for (int i = 0; i < 2; i++) {
        UC_TRY(open_body(infer, node, call, names[i], &b[i]));
        if (b[i].parts.formal != 1) {
            return uc_call_fail(call, UNCORK_MALFORMED, "%zu inputs, it takes one",
                                b[i].parts.formal);
        }
        if (!decided || i == taken) UC_TRY(infer_branch(&b[i], &known[i]));
    }
    for (size_t k = 0; k < call->out_count; k++) {
        uc_value unknown = {.kind = UC_TENSOR, .tensor = {.rank = -1}};
        uc_value *type = known[1] ? &b[1].out[k] : (known[0] ? &b[0].out[k] : &unknown);
        if (known[0] && known[1] && !join(type, &b[0].out[k], &ignored)) {
            return fail_join(call, "output", k, type, &b[0].out[k]);
        }
        if (!decided && (!known[0] || !known[1])) type->tensor.rank = -1;
        UC_TRY(declare(call, k, type));
    }
    return failed;
}

/* ---- carried values ----------------------------------------------------------------------- */

static uncork_status join_carried(body *b, size_t in, size_t out, size_t count, bool *changed)
{
    for (size_t i = 0; i < count; i++) {
        uc_value *carried = &b->in[in + i], *next = &b->out[out + i];
        if (!join(carried, next, changed)) {
            return fail_join(b->call, "carried value", i, carried, next);
        }
        if (carried->item_kind != next->item_kind && next->item_kind == UC_NOTHING) {
            next->item_kind = carried->item_kind;
        }
    }
    return UNCORK_OK;
}

static void forget_shapes(body *b, size_t in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        b->in[in + i].tensor.rank = -1;
    }
}

/* Finds types of the carried values (inputs from `in`, outputs from `out`) that an iteration keeps: as
 * they start, else with unknown dimensions, else of unknown rank. */
static uncork_status settle(body *b, size_t in, size_t out, size_t count)
{
    bool changed = false;
    if (b->infer->depth >= TRY_DEPTH) forget_shapes(b, in, count);
    UC_TRY(infer_body(b, b->infer->error));
    UC_TRY(join_carried(b, in, out, count, &changed));
    if (changed) {
        changed = false;
        UC_TRY(infer_body(b, b->infer->error));
        UC_TRY(join_carried(b, in, out, count, &changed));
    }
    if (changed) {
        forget_shapes(b, in, count);
        UC_TRY(infer_body(b, b->infer->error));
        UC_TRY(join_carried(b, in, out, count, &changed));
    }
    return finish_body(b);
}

/* ---- Loop --------------------------------------------------------------------------------- */

/* The condition of an iteration that runs is true: by induction it stays so when the body says so. */
static const uint8_t true_byte = 1;

static uncork_status infer_loop(uc_infer *infer, const uc_node *node, uc_call *call)
{
    body b;
    UC_TRY(open_body(infer, node, call, "body", &b));
    if (b.parts.formal < 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu inputs, it takes at least 2",
                            b.parts.formal);
    }
    size_t carried = b.parts.formal - 2;
    UC_TRY(bind_captures(&b, b.parts.formal));
    UC_TRY(expect_outputs(&b, call->out_count + 1));
    if (call->out_count < carried) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu outputs for %zu carried values",
                            call->out_count, carried);
    }
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_INDEX));
    UC_TRY(check_condition(call, 1));
    b.in[0] = scalar_type(UNCORK_INT64);
    b.in[1] = scalar_type(UNCORK_BOOL);
    b.in[1].tensor.data = (void *)(uintptr_t)&true_byte;
    for (size_t i = 0; i < carried; i++) {
        if (!call->in[2 + i]) {
            return uc_call_fail(call, UNCORK_MALFORMED, "carried value %zu is missing", i);
        }
        b.in[2 + i] = type_of(call->in[2 + i]);
    }
    UC_TRY(settle(&b, 2, 1, carried));
    const uc_value *condition = call->in[1];
    bool always = b.stays_true && (!condition || is_known_true(condition));
    int64_t trips = UC_DIM_UNKNOWN;
    if (always && uc_call_known(call, 0)) UC_TRY(uc_call_one_int(call, 0, &trips));
    if (always && uc_call_known(call, 0) && trips < 0) trips = 0;
    for (size_t i = 0; i < carried; i++) {
        bool optional = b.in[2 + i].kind == UC_OPTIONAL;
        UC_TRY(declare(call, i, optional ? &b.out[1 + i] : &b.in[2 + i]));
    }
    for (size_t i = carried; i < call->out_count; i++) {
        UC_TRY(declare_stack(call, i, &b.out[1 + i], 0, trips));
    }
    return UNCORK_OK;
}

/* ---- Scan --------------------------------------------------------------------------------- */

int64_t uc_control_entry(const uc_call *call, const char *name, size_t i)
{
    size_t count = 0;
    const int64_t *list = uc_call_ints(call, name, &count);
    return i < count ? list[i] : 0;
}

/* The type of one slice of scan input i; agrees on the length. */
static uncork_status slice_type(uc_call *call, size_t state, size_t i, int64_t *length,
                                uc_value *type)
{
    const uc_value *x = call->in[state + i];
    int axis = 0;
    if (!x || x->kind != UC_TENSOR) {
        return uc_call_fail(call, UNCORK_MALFORMED, "scan input %zu is no tensor", i);
    }
    *type = type_of(x);
    if (x->tensor.rank < 0) return UNCORK_OK;
    if (x->tensor.rank == 0) {
        return uc_call_fail(call, UNCORK_INPUT, "scan input %zu is a scalar", i);
    }
    UC_TRY(uc_axis(call, uc_control_entry(call, "scan_input_axes", i), x->tensor.rank, &axis));
    int64_t n = x->tensor.shape[axis];
    if (n >= 0 && *length >= 0 && n != *length) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "scan input %zu has %" PRId64 " slices, others %" PRId64, i, n,
                            *length);
    }
    if (*length < 0) *length = n;
    type->tensor.rank--;
    for (int d = axis; d < type->tensor.rank; d++) {
        type->tensor.shape[d] = type->tensor.shape[d + 1];
    }
    return UNCORK_OK;
}

static uncork_status infer_scan(uc_infer *infer, const uc_node *node, uc_call *call)
{
    body b;
    int64_t scans = uc_call_int(call, "num_scan_inputs", 0), length = UC_DIM_UNKNOWN;
    UC_TRY(open_body(infer, node, call, "body", &b));
    if (scans < 1 || (uint64_t)scans > b.parts.formal) {
        return uc_call_fail(call, UNCORK_MALFORMED, "num_scan_inputs is %" PRId64 " of %zu inputs",
                            scans, b.parts.formal);
    }
    size_t state = b.parts.formal - (size_t)scans;
    UC_TRY(bind_captures(&b, b.parts.formal));
    UC_TRY(expect_outputs(&b, call->out_count));
    if (call->out_count < state) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu outputs for %zu states", call->out_count,
                            state);
    }
    for (size_t i = 0; i < state; i++) {
        if (!call->in[i]) return uc_call_fail(call, UNCORK_MALFORMED, "state %zu is missing", i);
        b.in[i] = type_of(call->in[i]);
    }
    for (size_t i = 0; i < (size_t)scans; i++) {
        UC_TRY(slice_type(call, state, i, &length, &b.in[state + i]));
    }
    UC_TRY(settle(&b, 0, 0, state));
    for (size_t i = 0; i < state; i++) {
        UC_TRY(declare(call, i, &b.in[i]));
    }
    for (size_t i = state; i < call->out_count; i++) {
        int64_t axis = uc_control_entry(call, "scan_output_axes", i - state);
        UC_TRY(declare_stack(call, i, &b.out[i], axis, length));
    }
    return UNCORK_OK;
}

/* A symbol is one number a run, but items of a sequence may each have another. */
static void forget_symbols(uc_tensor *t)
{
    for (int d = 0; d < t->rank; d++) {
        if (t->shape[d] < 0) t->shape[d] = UC_DIM_UNKNOWN;
    }
}

/* ---- SequenceMap -------------------------------------------------------------------------- */

static uncork_status infer_map(uc_infer *infer, const uc_node *node, uc_call *call)
{
    body b;
    UC_TRY(open_body(infer, node, call, "body", &b));
    UC_TRY(bind_captures(&b, b.parts.formal));
    UC_TRY(expect_outputs(&b, call->out_count));
    for (size_t i = 0; i < b.parts.formal; i++) {
        const uc_value *x = call->in[i];
        if (!x) return uc_call_fail(call, UNCORK_MALFORMED, "input %zu is missing", i);
        if (i == 0 && x->kind != UC_SEQUENCE) {
            return uc_call_fail(call, UNCORK_INPUT, "input 0 is %s, it takes a sequence",
                                uc_kind_name(x->kind));
        }
        b.in[i] = type_of(x);
        if (x->kind != UC_SEQUENCE) continue;
        b.in[i].kind = x->item_kind == UC_NOTHING ? UC_TENSOR : x->item_kind;
        b.in[i].item_kind = UC_NOTHING;
        forget_symbols(&b.in[i].tensor);
    }
    UC_TRY(infer_body(&b, infer->error));
    UC_TRY(finish_body(&b));
    for (size_t i = 0; i < call->out_count; i++) {
        const uc_tensor *t = &b.out[i].tensor;
        UC_TRY(uc_call_kind(call, i, UC_SEQUENCE, b.out[i].kind, t->dtype, t->rank, t->shape));
    }
    return UNCORK_OK;
}

uncork_status uc_infer_control(uc_infer *infer, const uc_node *node, uc_call *call)
{
    switch (node->op->control) {
    case UC_CONTROL_IF: return infer_if(infer, node, call);
    case UC_CONTROL_LOOP: return infer_loop(infer, node, call);
    case UC_CONTROL_SCAN: return infer_scan(infer, node, call);
    case UC_CONTROL_MAP: return infer_map(infer, node, call);
    case UC_CONTROL_NONE: break;
    }
    return UNCORK_OK;
}
