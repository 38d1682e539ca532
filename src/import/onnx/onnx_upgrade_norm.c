/* Older BatchNormalization and GroupNormalization.
 *
 * Source: onnx/docs/Changelog.md, BatchNormalization-1, -6, -7, -9, -14 and GroupNormalization-18, -21. */
#include "import/onnx/onnx_upgrade_steps.h"

/* Whether one of the outputs that only training has is wanted. */
static bool trains(const uc_onnx_draft *d)
{
    for (size_t i = 1; i < d->out_count; i++) {
        if (uc_draft_wants(d, i)) return true;
    }
    return false;
}

/* 7: is_test is gone; one output means test, five mean training. */
void uc_onnx_upgrade_batch_norm_test(uc_onnx_draft *d)
{
    if (uc_draft_int(d, "is_test", 0) && d->out_count > 1) uc_draft_keep_out(d, 1);
    uc_draft_drop(d, "is_test");
    uc_draft_drop(d, "consumed_inputs");
}

/* 9: spatial = 0 has a scale, bias, mean and variance for each element of a sample, [C, D1, ...]. */
void uc_onnx_upgrade_batch_norm_spatial(uc_onnx_draft *d)
{
    const bool spatial = uc_draft_int(d, "spatial", 1) != 0;
    uc_draft_drop(d, "spatial");
    if (spatial) return;
    if (trains(d)) {
        uc_draft_fail(d, UNCORK_UNSUPPORTED, "training with spatial = 0 isn't done");
        return;
    }
    uc_graph *g = d->graph;
    uc_ref epsilon = uc_graph_f32(g, (float)uc_draft_float(d, "epsilon", 1e-5));
    uc_ref deviation = uc_g1(g, "Sqrt", uc_g2(g, "Add", uc_draft_in(d, 4), epsilon));
    uc_ref factor = uc_g2(g, "Div", uc_draft_in(d, 1), deviation);
    uc_ref centred = uc_g2(g, "Sub", uc_draft_in(d, 0), uc_draft_in(d, 3));
    uc_draft_give(d, 0, uc_g2(g, "Add", uc_g2(g, "Mul", centred, factor), uc_draft_in(d, 2)));
}

/* Mean and population variance of every channel of x. */
static void channel_moments(uc_onnx_draft *d, uc_ref x, uc_ref *mean, uc_ref *variance)
{
    uc_graph *g = d->graph;
    const int rank = uc_draft_shape(d, 0, NULL);
    if (rank < 2) {
        uc_draft_fail(d, UNCORK_UNSUPPORTED, "training needs an input of known rank");
        return;
    }
    int64_t axes[UNCORK_MAX_RANK];
    int count = 0;
    for (int i = 0; i < rank; i++) {
        if (i != 1) axes[count++] = i;
    }
    uc_ref over = uc_graph_i64s(g, axes, count);
    uc_ref kept = uc_g2(g, "ReduceMean", x, over);
    uc_ref off = uc_g2(g, "Sub", x, kept);
    const uc_ref in[] = {uc_g2(g, "Mul", off, off), over};
    uc_node *v = uc_graph_node(g, "ReduceMean", in, 2, 1);
    uc_node_int(g, v, "keepdims", 0);
    *variance = uc_node_out(v, 0);
    *mean = uc_g2(g, "Squeeze", kept, over);
}

/* 14: training is asked for by an attribute, and the batch's own mean and variance are no outputs. */
void uc_onnx_upgrade_batch_norm_training(uc_onnx_draft *d)
{
    if (!trains(d)) {
        uc_draft_keep_out(d, 1);
        return;
    }
    uc_onnx_draft inner = uc_draft_copy(d);
    inner.version = 14;
    uc_draft_put_int(&inner, "training_mode", 1);
    uc_draft_keep_out(&inner, 3);
    uc_draft_add(&inner);
    for (size_t i = 0; i < 3 && i < d->out_count; i++) {
        if (uc_draft_wants(d, i)) uc_draft_give(d, i, uc_draft_out(&inner, i));
    }
    if (!uc_draft_wants(d, 3) && !uc_draft_wants(d, 4)) return;
    uc_ref saved[2] = {0, 0};
    channel_moments(d, uc_draft_in(d, 0), &saved[0], &saved[1]);
    for (size_t i = 0; i < 2; i++) {
        if (uc_draft_wants(d, 3 + i)) uc_draft_give(d, 3 + i, saved[i]);
    }
}

/* 21: scale and bias are one a channel; they were one a group. */
void uc_onnx_upgrade_group_norm(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    const int64_t groups = uc_draft_int(d, "num_groups", 0), flat = -1;
    int64_t shape[UNCORK_MAX_RANK] = {0};
    if (groups <= 0) {
        uc_draft_fail(d, UNCORK_MALFORMED, "num_groups is %lld", (long long)groups);
        return;
    }
    uc_ref each; /* channels of a group, [1] */
    if (uc_draft_shape(d, 0, shape) > 1 && shape[1] >= 0) {
        const int64_t n = shape[1] / groups;
        each = uc_graph_i64s(g, &n, 1);
    } else {
        uc_ref channels = uc_g_slice(g, uc_g1(g, "Shape", uc_draft_in(d, 0)), 0, 1, 2);
        each = uc_g2(g, "Div", channels, uc_graph_i64s(g, &groups, 1));
    }
    const uc_ref parts[] = {uc_graph_i64s(g, &groups, 1), each};
    uc_ref wide = uc_g_concat(g, parts, 2, 0);
    for (size_t i = 1; i <= 2; i++) {
        uc_ref column = uc_g_unsqueeze(g, uc_draft_in(d, i), 1);
        uc_draft_set_in(d, i, uc_g_reshape(g, uc_g2(g, "Expand", column, wide), &flat, 1));
    }
}
