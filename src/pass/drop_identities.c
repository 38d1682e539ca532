/* Removes what changes nothing: Identity, Dropout in inference, casts to the same type, reshapes,
 * slices and expansions to the same shape, transposes that move nothing, sums of one value, products with
 * 1; makes one of two transposes in a row. Exact. */
#include "pass/rewrite.h"

static bool keeps_order(const uc_node *node, int rank)
{
    const uc_attr *perm = uc_node_attr(node, "perm");
    if (!perm) return rank == 0 || rank == 1;
    for (size_t i = 0; i < perm->count; i++) {
        if (perm->ints[i] != (int64_t)i) return false;
    }
    return true;
}

/* Dropout passes its input on unless it is told to train. */
static bool is_idle_dropout(const uc_rewrite *r, const uc_node *node)
{
    if (node->out_count > 1 && node->out[1] && r->uses[node->out[1]] > 0) return false;
    if (node->in_count < 3 || !node->in[2]) return true;
    const uc_tensor *training = uc_rewrite_const(r, node->in[2]);
    return training && uc_tensor_count(training) == 1 && *(const uint8_t *)training->data == 0;
}

/* Every pad is 0; NULL inputs are no pads. */
static bool pads_nothing(const uc_rewrite *r, const uc_node *node)
{
    const uc_tensor *pads = node->in_count > 1 ? uc_rewrite_const(r, node->in[1]) : NULL;
    if (!pads || pads->dtype != UNCORK_INT64) return false;
    const int64_t *p = pads->data;
    for (int64_t i = 0; i < uc_tensor_count(pads); i++) {
        if (p[i] != 0) return false;
    }
    return true;
}

/* Steps of Slice may be negative: then the shape may stay while the order changes. */
static bool slices_forward(const uc_rewrite *r, const uc_node *node)
{
    if (node->in_count < 5 || !node->in[4]) return true;
    const uc_tensor *steps = uc_rewrite_const(r, node->in[4]);
    if (!steps) return false;
    for (int64_t i = 0; i < uc_tensor_count(steps); i++) {
        int64_t step = steps->dtype == UNCORK_INT64 ? ((const int64_t *)steps->data)[i]
                                                    : ((const int32_t *)steps->data)[i];
        if (step < 0) return false;
    }
    return true;
}

/* x * 1 and x / 1. Not x + 0: that makes 0 of -0. */
static bool multiplies_by_one(const uc_rewrite *r, const uc_node *node, uc_ref *x)
{
    double v = 0;
    if (uc_is_op(node, "Div")) {
        *x = node->in[0];
        return uc_rewrite_scalar(r, node->in[1], &v) && v == 1;
    }
    return uc_is_op(node, "Mul") && uc_rewrite_scalar_operand(r, node, &v, x) && v == 1;
}

static bool changes_nothing(const uc_rewrite *r, const uc_node *node)
{
    const uc_graph *g = r->g;
    static const char *const shapers[] = {"Reshape", "Flatten", "Expand", "Squeeze", "Unsqueeze"};
    if (node->in_count == 0 || !node->in[0] || !node->out[0]) return false;
    if (uc_is_op(node, "Identity")) return g->values[node->in[0]].kind == UC_TENSOR;
    if (uc_is_op(node, "Dropout")) return is_idle_dropout(r, node);
    const uc_graph_value *x = &g->values[node->in[0]], *y = &g->values[node->out[0]];
    if (uc_is_op(node, "Cast")) return x->dtype && x->dtype == y->dtype;
    if (uc_is_op(node, "Transpose")) return x->rank >= 0 && keeps_order(node, x->rank);
    static const char *const sums[] = {"Sum", "Max", "Min", "Mean", "Concat"};
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        if (node->in_count == 1 && uc_is_op(node, sums[i])) return true;
    }
    if (!uc_same_shape(g, node->in[0], node->out[0])) return false;
    if (uc_is_op(node, "Slice")) return slices_forward(r, node);
    if (uc_is_op(node, "Pad")) return pads_nothing(r, node);
    for (size_t i = 0; i < sizeof shapers / sizeof shapers[0]; i++) {
        if (uc_is_op(node, shapers[i])) return true;
    }
    return false;
}

/* Transpose of a transpose: one with the composed order. */
static uncork_status join_transposes(uc_rewrite *r, uc_node *node)
{
    const uc_node *first = uc_rewrite_made_by(r, node->in[0], "Transpose");
    if (!first || !uc_is_op(node, "Transpose")) return UNCORK_OK;
    const uc_attr *outer = uc_node_attr(node, "perm"), *inner = uc_node_attr(first, "perm");
    if (!outer || !inner || outer->count != inner->count) return UNCORK_OK;
    int64_t perm[UNCORK_MAX_RANK];
    for (size_t i = 0; i < outer->count; i++) {
        int64_t at = outer->ints[i];
        if (at < 0 || at >= (int64_t)inner->count) return UNCORK_OK;
        perm[i] = inner->ints[at];
    }
    size_t count = outer->count;
    UC_TRY(uc_rewrite_become(r, node, "Transpose", (uc_ref[]){first->in[0]}, 1));
    uc_node_ints(r->g, node, "perm", perm, count);
    return UNCORK_OK;
}

static uncork_status run(uc_graph *g, bool *changed)
{
    uc_rewrite r;
    UC_TRY(uc_rewrite_init(&r, g));
    for (size_t n = 0; n < g->node_count; n++) {
        uc_node *node = &g->nodes[n];
        uc_rewrite_refresh(&r, node);
        if (node->in_count > 0) UC_TRY(join_transposes(&r, node));
        uc_ref x = 0;
        if (changes_nothing(&r, node)) {
            uc_rewrite_replace(&r, node->out[0], node->in[0]);
        } else if (multiplies_by_one(&r, node, &x) && uc_same_shape(g, x, node->out[0])) {
            uc_rewrite_replace(&r, node->out[0], x);
        }
    }
    return uc_rewrite_done(&r, changed);
}

const uc_pass uc_pass_drop_identities = {.name = "drop_identities", .exact = true, .run = run};
