/* Operators of opsets 1 to 9 that were experimental and left the standard at opset 10, spelled out in
 * those that stayed. Converters of that time wrote some of them (ImageScaler, Affine, Crop).
 *
 * Source: onnx 1.2, docs/Operators.md, "experimental" operators; onnx/defs/experiments/defs.cc. */
#include "import/onnx/onnx_upgrade_steps.h"

static uc_ref constant(uc_onnx_draft *d, const char *name, double otherwise)
{
    return uc_graph_f32(d->graph, (float)uc_draft_float(d, name, otherwise));
}

/* y = alpha x + beta */
void uc_onnx_upgrade_affine(uc_onnx_draft *d)
{
    uc_ref y = uc_g2(d->graph, "Mul", uc_draft_in(d, 0), constant(d, "alpha", 1));
    uc_draft_give(d, 0, uc_g2(d->graph, "Add", y, constant(d, "beta", 0)));
}

/* y = scale x */
void uc_onnx_upgrade_scale(uc_onnx_draft *d)
{
    uc_draft_give(d, 0, uc_g2(d->graph, "Mul", uc_draft_in(d, 0), constant(d, "scale", 1)));
}

/* y = scale x + bias[channel], x [N, C, H, W] */
void uc_onnx_upgrade_image_scaler(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    uc_ref y = uc_g2(g, "Mul", uc_draft_in(d, 0), constant(d, "scale", 1));
    const uc_attr *bias = uc_draft_attr(d, "bias");
    if (bias && bias->kind == UC_ATTR_FLOATS) {
        const int64_t shape[] = {(int64_t)bias->count, 1, 1};
        uc_tensor *t = uc_tensor_new(g->arena, UNCORK_FLOAT32, 3, shape);
        for (size_t i = 0; t && i < bias->count; i++) {
            ((float *)t->data)[i] = (float)bias->floats[i];
        }
        if (t) y = uc_g2(g, "Add", y, uc_graph_const(g, t));
    }
    uc_draft_give(d, 0, y);
}

/* y = alpha log(exp(beta x) + 1) */
void uc_onnx_upgrade_parametric_softplus(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    uc_ref x = uc_g2(g, "Mul", uc_draft_in(d, 0), constant(d, "beta", 1));
    uc_draft_give(d, 0, uc_g2(g, "Mul", uc_g1(g, "Softplus", x), constant(d, "alpha", 1)));
}

/* y = alpha tanh(beta x) */
void uc_onnx_upgrade_scaled_tanh(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    uc_ref x = uc_g2(g, "Mul", uc_draft_in(d, 0), constant(d, "beta", 1));
    uc_draft_give(d, 0, uc_g2(g, "Mul", uc_g1(g, "Tanh", x), constant(d, "alpha", 1)));
}

/* x [N, C, H, W] without `border` (left, top, right, bottom), or `scale` (height, width) of it from
 * the left and top border on. */
void uc_onnx_upgrade_crop(uc_onnx_draft *d)
{
    size_t border_count, scale_count;
    const int64_t *border = uc_draft_ints(d, "border", &border_count);
    const int64_t *scale = uc_draft_ints(d, "scale", &scale_count);
    if (!border || border_count != 4 || (scale && scale_count != 2)) {
        uc_draft_fail(d, UNCORK_MALFORMED,
                      "border needs 4 numbers and scale 2, there are %zu and %zu",
                      border ? border_count : 0, scale ? scale_count : 0);
        return;
    }
    int64_t ends[2];
    for (int i = 0; i < 2; i++) {
        const int64_t begin = border[1 - i], after = border[3 - i];
        if (begin < 0 || begin > INT32_MAX || after < 0 || after > INT32_MAX ||
            (scale && (scale[i] < 0 || scale[i] > INT32_MAX))) {
            uc_draft_fail(d, UNCORK_MALFORMED, "a border or scale is out of range");
            return;
        }
        ends[i] = scale ? begin + scale[i] : after ? -after : INT64_MAX;
    }
    uc_ref y = uc_g_slice(d->graph, uc_draft_in(d, 0), 2, border[1], ends[0]);
    uc_draft_give(d, 0, uc_g_slice(d->graph, y, 3, border[0], ends[1]));
}

/* (x - mean) / deviation of every channel, or of every sample where across_channels is set; the
 * deviation stays out where normalize_variance is 0. */
void uc_onnx_upgrade_mean_variance(uc_onnx_draft *d)
{
    static const int64_t within[] = {0, 2, 3}, across[] = {1, 2, 3};
    uc_graph *g = d->graph;
    const int64_t *axes = uc_draft_int(d, "across_channels", 0) ? across : within;
    uc_ref x = uc_draft_in(d, 0);
    uc_ref over = uc_graph_i64s(g, axes, 3);
    uc_ref y = uc_g2(g, "Sub", x, uc_g2(g, "ReduceMean", x, over));
    if (uc_draft_int(d, "normalize_variance", 1)) {
        uc_ref variance = uc_g2(g, "ReduceMean", uc_g2(g, "Mul", y, y), over);
        y = uc_g2(g, "Div", y, uc_g1(g, "Sqrt", variance));
    }
    uc_draft_give(d, 0, y);
}

/* Slice with its bounds as inputs, before Slice 10 had them. */
void uc_onnx_upgrade_dynamic_slice(uc_onnx_draft *d)
{
    d->op = "Slice";
    d->version = 10;
}
