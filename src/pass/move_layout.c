/* What channels-last importers leave between convolutions, moved out of their way:
 *
 *   Transpose that moves dimensions of 1 only        Reshape
 *   Flatten(x), Reshape(Reshape(x))                  Reshape(x)
 *   ReduceMean(picture), its dimensions dropped      Reshape(ReduceMean(picture), its dimensions kept)
 *   Transpose(Pad(x))                                Pad(Transpose(x)), so that a convolution takes the pad
 *
 * Exact: the same numbers in other places. */
#include "pass/rewrite.h"

/* The shape as Reshape takes it, over `x`: at most one free dimension, or one that stays in its place. */
static bool as_target(const uc_graph_value *x, const int64_t *shape, int rank, int64_t *target)
{
    int rest = 0;
    for (int d = 0; d < rank; d++) {
        bool keeps = d < x->rank && shape[d] == x->shape[d] && shape[d] != UC_DIM_UNKNOWN;
        if (shape[d] == UC_DIM_UNKNOWN || shape[d] == 0) return false;
        target[d] = shape[d] > 0 ? shape[d] : keeps ? 0 : -1;
        rest += target[d] == -1;
    }
    return rest <= 1;
}

/* The node becomes Reshape(x) with the shape of its output, if that can be said. */
static uncork_status become_reshape(uc_rewrite *r, uc_node *node, uc_ref x)
{
    const uc_graph_value *from = &r->g->values[x], *to = &r->g->values[node->out[0]];
    int64_t target[UNCORK_MAX_RANK];
    if (from->rank < 0 || to->rank < 0 || !as_target(from, to->shape, to->rank, target)) {
        return UNCORK_OK;
    }
    const uc_ref in[] = {x, uc_graph_i64s(r->g, target, to->rank)};
    return uc_rewrite_become(r, node, "Reshape", in, 2);
}

static bool moves_ones_only(const uc_graph_value *x, const uc_attr *perm)
{
    int64_t last = -1;
    for (size_t i = 0; i < perm->count; i++) {
        if (perm->ints[i] < 0 || perm->ints[i] >= x->rank) return false;
        if (x->shape[perm->ints[i]] == 1) continue;
        if (perm->ints[i] < last) return false;
        last = perm->ints[i];
    }
    return true;
}

/* ---- a mean over the picture -------------------------------------------------------------- */

static bool is_picture_mean(const uc_rewrite *r, const uc_node *node)
{
    const uc_graph_value *x = &r->g->values[node->in[0]];
    if (!uc_is_op(node, "ReduceMean") || x->rank != 4 || x->dtype != UNCORK_FLOAT32) return false;
    if (uc_node_get_int(node, "keepdims", 1) || node->in_count < 2 || !node->in[1]) return false;
    const uc_tensor *axes = uc_rewrite_const(r, node->in[1]);
    if (!axes || axes->dtype != UNCORK_INT64 || uc_tensor_count(axes) != 2) return false;
    const int64_t *a = axes->data;
    return a[0] == 2 && a[1] == 3;
}

static uncork_status keep_dimensions(uc_rewrite *r, size_t index)
{
    uc_graph *g = r->g;
    const uc_ref in[] = {g->nodes[index].in[0], g->nodes[index].in[1]};
    const uc_graph_value *y = &g->values[g->nodes[index].out[0]];
    int64_t target[UNCORK_MAX_RANK];
    if (y->rank != 2 || !as_target(&g->values[in[0]], y->shape, 2, target)) return UNCORK_OK;
    g->where = g->nodes[index].where;
    uc_node *mean = uc_graph_node(g, "ReduceMean", in, 2, 1);
    uc_node_int(g, mean, "keepdims", 1);
    const uc_ref kept = uc_node_out(mean, 0);
    int64_t *shape = UC_NEW(g->arena, int64_t, 4);
    if (g->status != UNCORK_OK || !shape) return uc_arena_status(g->arena, g->error);
    y = &g->values[g->nodes[index].out[0]];
    memcpy(shape, (int64_t[]){y->shape[0], y->shape[1], 1, 1}, 4 * sizeof *shape);
    g->values[kept].dtype = y->dtype;
    g->values[kept].rank = 4;
    g->values[kept].shape = shape; /* for the Reshape that may follow */
    const uc_ref flat[] = {kept, uc_graph_i64s(g, target, 2)};
    return uc_rewrite_become(r, &g->nodes[index], "Reshape", flat, 2);
}

/* ---- a pad -------------------------------------------------------------------------------- */

static uncork_status turn_pad(uc_rewrite *r, size_t index)
{
    uc_graph *g = r->g;
    const uc_node *node = &g->nodes[index];
    const uc_attr *perm = uc_node_attr(node, "perm");
    const uc_node *pad = uc_rewrite_made_by(r, node->in[0], "Pad");
    const uc_tensor *pads = pad ? uc_rewrite_const(r, pad->in[1]) : NULL;
    if (!pads || !uc_rewrite_is_single(r, node->in[0]) || pads->dtype != UNCORK_INT64) {
        return UNCORK_OK;
    }
    size_t n = perm->count;
    if (uc_tensor_count(pads) != 2 * (int64_t)n || (pad->in_count > 3 && pad->in[3])) {
        return UNCORK_OK;
    }
    int64_t turned[2 * UNCORK_MAX_RANK];
    for (size_t d = 0; d < n; d++) {
        turned[d] = ((const int64_t *)pads->data)[perm->ints[d]];
        turned[n + d] = ((const int64_t *)pads->data)[n + (size_t)perm->ints[d]];
    }
    const uc_node old = *pad;
    g->where = old.where;
    uc_node *transpose = uc_graph_node(g, "Transpose", &old.in[0], 1, 1);
    uc_node_ints(g, transpose, "perm", perm->ints, n);
    uc_ref in[3] = {uc_node_out(transpose, 0), uc_graph_i64s(g, turned, 2 * (int64_t)n)};
    if (old.in_count > 2) in[2] = old.in[2];
    if (g->status != UNCORK_OK) return g->status;
    UC_TRY(uc_rewrite_become(r, &g->nodes[index], "Pad", in, old.in_count > 2 ? 3 : 2));
    uc_rewrite_add_attrs(r, &g->nodes[index], &old);
    return g->status;
}

static uncork_status visit(uc_rewrite *r, size_t index)
{
    uc_node *node = &r->g->nodes[index];
    if (node->in_count == 0 || !node->in[0] || !node->out[0]) return UNCORK_OK;
    const uc_graph_value *x = &r->g->values[node->in[0]];
    if (uc_is_op(node, "Transpose") && x->rank >= 0) {
        const uc_attr *perm = uc_node_attr(node, "perm");
        if (!perm || perm->count != (size_t)x->rank) return UNCORK_OK;
        if (!moves_ones_only(x, perm)) return turn_pad(r, index);
        UC_TRY(become_reshape(r, node, node->in[0]));
    }
    if (is_picture_mean(r, node)) return keep_dimensions(r, index);
    if (uc_is_op(node, "Flatten")) UC_TRY(become_reshape(r, node, node->in[0]));
    const uc_node *first = uc_rewrite_made_by(r, node->in[0], "Reshape");
    if (!first || !uc_is_op(node, "Reshape")) return UNCORK_OK;
    return become_reshape(r, node, first->in[0]);
}

static uncork_status run(uc_graph *g, bool *changed) { return uc_rewrite_each(g, visit, changed); }

const uc_pass uc_pass_move_layout = {.name = "move_layout", .exact = true, .run = run};
