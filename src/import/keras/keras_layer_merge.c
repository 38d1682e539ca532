/* Layers that join tensors. Source: keras/src/layers/merging; keras 1 engine/topology.py (Merge). */
#include "import/keras/keras.h"

#include <inttypes.h>

/* Whether all inputs can lie channels first: one does, and all have its rank. */
static bool join_first(uc_k_call *c)
{
    bool any = false;
    const int rank = uc_k_rank(c, c->in[0].ref);
    for (size_t i = 0; i < c->in_count; i++) {
        any |= c->in[i].nchw;
        if (uc_k_rank(c, c->in[i].ref) != rank) return false;
    }
    return any && rank > 2;
}

static uc_ref take(uc_k_call *c, size_t i, bool nchw)
{
    return nchw ? uc_k_first(c, c->in[i]) : uc_k_plain(c, c->in[i]);
}

/* Of tensors of fewer dimensions, the missing ones come after the batch (base_merge.py). */
static uc_ref widen(uc_k_call *c, uc_ref x, int rank)
{
    for (int r = uc_k_rank(c, x); r > 0 && r < rank; r++) {
        x = uc_g_unsqueeze(c->graph, x, 1);
    }
    return x;
}

static void join(uc_k_call *c, const char *op, bool mean)
{
    uc_graph *g = c->graph;
    const bool nchw = join_first(c);
    int rank = 0;
    for (size_t i = 0; i < c->in_count; i++) {
        const int r = uc_k_rank(c, c->in[i].ref);
        if (r > rank) rank = r;
    }
    uc_ref y = widen(c, take(c, 0, nchw), rank);
    for (size_t i = 1; i < c->in_count; i++) {
        y = uc_g2(g, op, y, widen(c, take(c, i, nchw), rank));
    }
    if (mean) y = uc_g2(g, "Div", y, uc_k_scalar(c, (double)c->in_count));
    uc_k_set_as(c, y, nchw);
}

void uc_k_add(uc_k_call *c) { join(c, "Add", false); }
void uc_k_subtract(uc_k_call *c) { join(c, "Sub", false); }
void uc_k_multiply(uc_k_call *c) { join(c, "Mul", false); }
void uc_k_average(uc_k_call *c) { join(c, "Add", true); }
void uc_k_maximum(uc_k_call *c) { join(c, "Max", false); }
void uc_k_minimum(uc_k_call *c) { join(c, "Min", false); }

/* x + scale * y, of keras.applications' Inception-ResNet. */
void uc_k_scaled_sum(uc_k_call *c)
{
    uc_graph *g = c->graph;
    if (c->in_count != 2) {
        uc_k_fail(c, "it takes 2 inputs, not %zu", c->in_count);
        return;
    }
    const bool nchw = join_first(c);
    const uc_ref y =
        uc_g2(g, "Mul", take(c, 1, nchw), uc_k_scalar(c, uc_k_number(c->layer, "scale", 1)));
    uc_k_set_as(c, uc_g2(g, "Add", take(c, 0, nchw), y), nchw);
}

static void concatenate(uc_k_call *c, int64_t where)
{
    const int rank = uc_k_rank(c, c->in[0].ref);
    const int axis = uc_k_axis(where, rank);
    const bool nchw = join_first(c) && axis > 0;
    uc_ref *parts = UC_NEW(c->graph->arena, uc_ref, c->in_count);
    if (!parts || axis < 0) {
        uc_k_fail(c, "axis %" PRId64 " of %d", where, rank);
        return;
    }
    for (size_t i = 0; i < c->in_count; i++) {
        parts[i] = take(c, i, nchw);
    }
    const int at = !nchw ? axis : axis == rank - 1 ? 1 : axis + 1;
    uc_k_set_as(c, uc_g_concat(c->graph, parts, c->in_count, at), nchw);
}

void uc_k_concatenate(uc_k_call *c) { concatenate(c, uc_k_int(c->layer, "axis", -1)); }

static uc_ref unit(uc_k_call *c, uc_ref x, int axis)
{
    uc_graph *g = c->graph;
    const uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", x, x), axis, true);
    return uc_g2(g, "Div", x, uc_g1(g, "Sqrt", uc_g2(g, "Max", sum, uc_k_scalar(c, 1e-12))));
}

/* x with axis `axis` moved to `to`. */
static uc_ref move_axis(uc_k_call *c, uc_ref x, int axis, int to)
{
    int64_t perm[UNCORK_MAX_RANK];
    const int rank = uc_k_rank(c, x);
    if (axis == to) return x;
    for (int i = 0, from = 0; i < rank; i++) {
        if (i == to) {
            perm[i] = axis;
            continue;
        }
        from += from == axis;
        perm[i] = from++;
    }
    return uc_k_transpose(c->graph, x, perm, (size_t)rank);
}

/* batch_dot: the axes contracted, what remains of both in order. */
void uc_k_dot(uc_k_call *c)
{
    uc_graph *g = c->graph;
    int64_t axes[2] = {-1, -1};
    const uc_json *json = uc_k_get(c->layer, "axes");
    if (!json) json = uc_k_get(c->layer, "dot_axes");
    if (c->in_count != 2 || (json && !uc_k_ints(json, axes, 2))) {
        uc_k_fail(c, "it needs two inputs and an axis of each");
        return;
    }
    uc_ref a = uc_k_plain(c, c->in[0]), b = uc_k_plain(c, c->in[1]);
    const int ra = uc_k_rank(c, a), rb = uc_k_rank(c, b);
    const int xa = uc_k_axis(axes[0], ra), xb = uc_k_axis(axes[1], rb);
    if (xa < 1 || xb < 1 || ra > 3 || rb > 3) {
        uc_k_fail(c, "axes %" PRId64 " and %" PRId64 " of %d and %d dimensions", axes[0], axes[1],
                  ra, rb);
        return;
    }
    if (uc_k_bool(c->layer, "normalize", false)) {
        a = unit(c, a, xa);
        b = unit(c, b, xb);
    }
    a = move_axis(c, a, xa, ra - 1);
    b = move_axis(c, b, xb, 1);
    if (ra == 2) a = uc_g_unsqueeze(g, a, 1);
    if (rb == 2) b = uc_g_unsqueeze(g, b, 2);
    uc_ref y = uc_g2(g, "MatMul", a, b);
    if (ra == 2 && rb == 2)
        y = uc_g_squeeze(g, y, 2); /* [N, 1] */
    else if (rb == 2)
        y = uc_g_squeeze(g, y, 2);
    else if (ra == 2)
        y = uc_g_squeeze(g, y, 1);
    uc_k_set(c, y);
}

/* Keras 1: one class, the operation in "mode". */
void uc_k_merge(uc_k_call *c)
{
    const uc_str mode = uc_k_text(c->layer, "mode", "sum");
    if (uc_str_is(mode, "sum"))
        join(c, "Add", false);
    else if (uc_str_is(mode, "mul"))
        join(c, "Mul", false);
    else if (uc_str_is(mode, "ave"))
        join(c, "Add", true);
    else if (uc_str_is(mode, "max"))
        join(c, "Max", false);
    else if (uc_str_is(mode, "dot"))
        uc_k_dot(c);
    else if (uc_str_is(mode, "concat"))
        concatenate(c, uc_k_int(c->layer, "concat_axis", -1));
    else
        uc_k_fail(c, "mode '%.*s'", (int)(mode.size < 40 ? mode.size : 40), mode.data);
}
