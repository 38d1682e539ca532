/* A graph made ready once: constants folded, operators prepared. Immutable afterwards, so any number
 * of runners may share it. */
#include "plan/plan_parts.h"

/* Folding may blow a small constant up (Expand, ConstantOfShape): a bound on what it keeps. */
#define FOLD_BYTES (UINT64_C(16) << 20)
#define FOLD_MACS  UINT64_C(100000000)

/* Operators that don't read strides get dense, aligned constants; file bytes may be neither. */
static bool is_plain(const uc_tensor *t)
{
    size_t size = uc_dtype_size(t->dtype);
    return uc_tensor_is_dense(t) && (size < 2 || (uintptr_t)t->data % size == 0);
}

static uncork_status make_plain(uc_program *p, uc_tensor *t, uncork_error *error)
{
    size_t bytes = 0;
    if (is_plain(t)) return UNCORK_OK;
    if (!uc_tensor_is_dense(t)) {
        const uc_tensor *dense = uc_tensor_dense(p->arena, t);
        if (!dense) return uc_arena_status(p->arena, error);
        *t = *dense;
        return UNCORK_OK;
    }
    bool fits = uc_shape_bytes(t->dtype, t->shape, t->rank, &bytes);
    void *copy = fits ? uc_arena_alloc_raw(p->arena, bytes) : NULL;
    if (!copy) return uc_arena_status(p->arena, error);
    memcpy(copy, t->data, bytes);
    t->data = copy;
    return UNCORK_OK;
}

static uncork_status make_constants_plain(uc_program *p, uncork_error *error)
{
    for (size_t n = 0; n < p->graph->node_count; n++) {
        const uc_node *node = &p->graph->nodes[n];
        for (size_t i = 0; i < node->in_count; i++) {
            uc_value *v = &p->values[node->in[i]];
            bool constant = node->in[i] && p->graph->values[node->in[i]].constant;
            bool reads = !node->op->strided ||
                         (constant && uc_dtype_size(v->tensor.dtype) > 1 && v->tensor.data &&
                          (uintptr_t)v->tensor.data % uc_dtype_size(v->tensor.dtype));
            if (constant && reads) UC_TRY(make_plain(p, &v->tensor, error));
        }
    }
    for (size_t i = 0; i < p->graph->output_count; i++) {
        uc_ref ref = p->graph->outputs[i];
        if (p->graph->values[ref].constant) UC_TRY(make_plain(p, &p->values[ref].tensor, error));
    }
    return UNCORK_OK;
}

/* ---- folding ------------------------------------------------------------------------------ */

static bool is_folded(const uc_infer *infer, const uc_node *node)
{
    for (size_t i = 0; i < node->out_count; i++) {
        if (node->out[i] && !uc_value_is_known(&infer->values[node->out[i]])) return false;
    }
    return true;
}

/* A folded value that something still needs moves to the program's arena. */
static uncork_status keep_value(uc_program *p, uc_value *v, uncork_error *error)
{
    uc_tensor *t = &v->tensor;
    size_t bytes = 0;
    if (t->dtype == UNCORK_STRING) {
        size_t count = (size_t)uc_tensor_count(t);
        uint64_t *offsets = UC_NEW(p->arena, uint64_t, count + 1);
        if (!offsets) return uc_arena_status(p->arena, error);
        memcpy(offsets, t->strings.offsets, (count + 1) * sizeof *offsets);
        t->strings.offsets = offsets;
        t->strings.bytes = uc_arena_copy(p->arena, t->strings.bytes, offsets[count]);
        return t->strings.bytes ? UNCORK_OK : uc_arena_status(p->arena, error);
    }
    bool fits = uc_shape_bytes(t->dtype, t->shape, t->rank, &bytes);
    void *copy = fits ? uc_arena_alloc_raw(p->arena, bytes) : NULL;
    if (!copy) return uc_arena_status(p->arena, error);
    memcpy(copy, t->data, bytes);
    t->data = copy;
    return UNCORK_OK;
}

/* Keeps folded values used by nodes that run, forgets the others. */
static uncork_status keep_needed(uc_program *p, bool *needed, uncork_error *error)
{
    const uc_graph *g = p->graph;
    for (size_t i = 0; i < g->output_count; i++) {
        needed[g->outputs[i]] = true;
    }
    for (size_t n = 0; n < g->node_count; n++) {
        for (size_t i = 0; !p->folded[n] && i < g->nodes[n].in_count; i++) {
            needed[g->nodes[n].in[i]] = true;
        }
    }
    for (size_t i = 1; i < g->value_count; i++) {
        uc_value *v = &p->values[i];
        if (g->values[i].producer < 0 || !uc_value_is_known(v)) continue;
        if (needed[i]) {
            UC_TRY(keep_value(p, v, error));
        } else {
            v->tensor.data = NULL;
            v->tensor.strings = (uc_strings){0};
        }
    }
    return UNCORK_OK;
}

/* Without a view: a constant that is a view of another (Reshape) is a copy like any folded value. */
static uncork_status fold_constants(uc_program *p, uc_infer *infer, uc_arena *arena,
                                    uncork_error *error)
{
    UC_TRY(uc_infer_init(infer));
    p->values = UC_NEW(p->arena, uc_value, p->graph->value_count);
    if (!p->values) return uc_arena_status(p->arena, error);
    memcpy(p->values, infer->values, p->graph->value_count * sizeof *p->values);
    infer->values = p->values;
    for (size_t i = 1; i < p->graph->value_count; i++) {
        const uc_tensor *constant = p->graph->values[i].constant;
        if (constant) p->values[i].tensor = *constant; /* not a copy in the temporary arena */
    }
    UC_TRY(make_constants_plain(p, error));
    UC_TRY(uc_infer_graph(infer));
    for (size_t n = 0; n < p->graph->node_count; n++) {
        p->folded[n] = is_folded(infer, &p->graph->nodes[n]);
    }
    bool *needed = UC_NEW(arena, bool, p->graph->value_count);
    return needed ? keep_needed(p, needed, error) : uc_arena_status(arena, error);
}

/* ---- preparing ---------------------------------------------------------------------------- */

static uncork_status prepare_nodes(uc_program *p, uc_infer *infer)
{
    for (size_t n = 0; n < p->graph->node_count; n++) {
        const uc_node *node = &p->graph->nodes[n];
        if (p->folded[n] || !(node->op->prepare || node->op->control)) continue;
        uc_call *call = uc_infer_call(infer, node);
        if (!call) return uc_arena_status(infer->arena, infer->error);
        call->arena = p->arena;
        call->packs = p->graph->packs;
        if (node->op->control) {
            const uc_bodies *bodies = NULL;
            UC_TRY(uc_control_prepare(node, call, p->arena, infer->budget, &bodies, infer->error));
            p->prepared[n] = bodies;
            continue;
        }
        UC_TRY(node->op->prepare(call));
        p->prepared[n] = call->prepared;
    }
    return uc_arena_status(p->arena, infer->error);
}

static uncork_status make_program(uc_program *p, uc_arena *arena, uc_arena *scratch,
                                  uc_budget *budget, uncork_error *error)
{
    uc_infer infer = {.graph = p->graph,
                      .arena = arena,
                      .scratch = scratch,
                      .budget = budget,
                      .error = error,
                      .fold_bytes = FOLD_BYTES,
                      .fold_macs = FOLD_MACS};
    UC_TRY(fold_constants(p, &infer, arena, error));
    return prepare_nodes(p, &infer);
}

uncork_status uc_program_new(const uc_graph *graph, uc_arena *arena, uc_budget *budget,
                             uc_program **program, uncork_error *error)
{
    *program = NULL;
    uc_program *p = UC_NEW(arena, uc_program, 1);
    if (!p) return uc_arena_status(arena, error);
    p->graph = graph;
    p->arena = arena;
    p->prepared = UC_NEW(arena, const void *, graph->node_count);
    p->folded = UC_NEW(arena, bool, graph->node_count);
    if (!p->prepared || !p->folded) return uc_arena_status(arena, error);
    uc_arena *temporary = uc_arena_new(budget), *scratch = uc_arena_new(budget);
    uncork_status status = temporary && scratch ? make_program(p, temporary, scratch, budget, error)
                                                : uc_fail_memory(error);
    uc_arena_free(scratch);
    uc_arena_free(temporary);
    if (status == UNCORK_OK) *program = p;
    return status;
}
