/* Operators that work column by column, as lookups of constant tables. */
#include "pack/expand.h"

#include <math.h>

static const int64_t *numbers_of(const uc_expansion *e, size_t i, int64_t *count)
{
    const uc_tensor *t = uc_expand_known(e, i);
    if (!t || t->dtype != UNCORK_INT64 || t->rank != 1 || !uc_tensor_is_dense(t)) return NULL;
    *count = uc_tensor_count(t);
    return t->data;
}

/* starts[i + 1] - starts[i] at most; -1: they aren't positions below `total`. */
static int64_t widest(const int64_t *starts, int64_t count, int64_t total)
{
    int64_t most = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t n = starts[i + 1] - starts[i];
        if (starts[i] < 0 || n < 0 || starts[i + 1] > total) return -1;
        if (n > most) most = n;
    }
    return most;
}

/* A column of ones stands for a factor that isn't there. */
bool uc_expand_products(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const bool reverse = uc_expand_int(e, "reverse", 0) != 0;
    const uc_graph_value *x = &e->from->values[e->node->in[0]];
    int64_t count = 0, total = 0;
    const int64_t *starts = numbers_of(e, 1, &count), *factors = numbers_of(e, 2, &total);
    if (!starts || !factors || count < 2 || x->rank != 2 || x->shape[1] < 0) return false;
    const int64_t outputs = count - 1, most = widest(starts, outputs, total);
    if (most < 0 || most > 64) return false;
    const uc_ref one = uc_expand_scalar(e, x->dtype, 1);
    const uc_ref column = uc_g_slice(g, e->in[0], 1, 0, 1);
    const uc_ref ones =
        uc_g2(g, "Add", uc_g2(g, "Mul", column, uc_expand_scalar(e, x->dtype, 0)), one);
    const uc_ref parts[2] = {e->in[0], ones};
    const uc_ref padded = uc_g_concat(g, parts, 2, 1);
    int64_t *index = UC_NEW(g->arena, int64_t, (size_t)outputs);
    uc_ref product = 0;
    for (int64_t k = 0; index && (k < most || k == 0); k++) {
        for (int64_t o = 0; o < outputs; o++) {
            const int64_t n = starts[o + 1] - starts[o];
            const int64_t at = reverse ? starts[o + 1] - 1 - k : starts[o] + k;
            index[o] = k < n ? factors[at] : x->shape[1];
        }
        const uc_ref chosen = uc_g_gather(g, padded, uc_graph_i64s(g, index, outputs), 1);
        product = product ? uc_g2(g, "Mul", product, chosen) : chosen;
    }
    e->out[0] = product;
    return product != 0;
}

/* How many edges of its column aren't above a cell; edges that aren't there are infinite. */
bool uc_expand_digitize(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const uc_tensor *edges = uc_expand_known(e, 1);
    const uncork_dtype dtype = uc_expand_dtype(e, 0);
    int64_t count = 0;
    const int64_t *starts = numbers_of(e, 2, &count);
    if (!edges || edges->dtype != UNCORK_FLOAT64 || !uc_tensor_is_dense(edges) || !starts ||
        count < 2 || uc_expand_int(e, "nudged", 0)) {
        return false;
    }
    const int64_t columns = count - 1, most = widest(starts, columns, uc_tensor_count(edges));
    uc_ref table;
    if (most < 0) return false;
    double *m = uc_expand_matrix(e, columns, most, &table);
    for (int64_t c = 0; m && c < columns; c++) {
        for (int64_t k = 0; k < most; k++) {
            const bool there = k < starts[c + 1] - starts[c];
            m[c * most + k] =
                there ? ((const double *)edges->data)[starts[c] + k] : (double)INFINITY;
        }
    }
    const uc_ref x = uc_g_unsqueeze(g, uc_g_cast(g, e->in[0], UNCORK_FLOAT64), 2);
    const uc_ref above = uc_g1(g, "Not", uc_g2(g, "Less", x, table)); /* NaN: above all */
    const uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g_cast(g, above, UNCORK_FLOAT64), 2, false);
    e->out[0] = uc_g_cast(g, sum, dtype);
    return true;
}
