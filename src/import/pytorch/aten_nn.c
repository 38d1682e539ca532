/* Layers: convolutions, pools, norms, sizes, attention. */
#include "import/pytorch/aten.h"

#include <math.h>

static uc_ref self(uc_aten_call *c) { return uc_aten_operand(c, c->args[0], UNCORK_DTYPE_NONE); }

/* ---- convolutions ---------------------------------------------------------------------------- */

static int spatial(uc_aten_call *c, uc_ref weight)
{
    const int rank = uc_t_rank(c->b, weight) - 2;
    if (rank < 1 || rank > 3) uc_aten_fail(c, "a kernel of %d axes", rank + 2);
    return c->ev->failed ? -1 : rank;
}

void uc_aten_conv(uc_aten_call *c)
{
    const uc_ref x = self(c), w = uc_aten_in(c, "weight"), bias = uc_aten_in(c, "bias");
    const int rank = spatial(c, w);
    int64_t stride[3] = {1, 1, 1}, pad[3] = {0}, dilation[3] = {1, 1, 1}, extra[3] = {0};
    if (rank < 0) return;
    uc_aten_ints(c, "stride", stride, 3, rank);
    uc_aten_ints(c, "dilation", dilation, 3, rank);
    const int64_t groups = uc_aten_int(c, "groups", 1);
    const uc_pv padding = uc_aten_arg(c, "padding");
    if (padding.kind == UC_PV_TEXT && uc_str_is(*padding.text, "same")) {
        uc_aten_out(c, uc_t_conv_same(c->b, x, w, bias, rank, dilation, groups));
        return;
    }
    if (padding.kind != UC_PV_TEXT) uc_aten_ints(c, "padding", pad, 3, rank);
    const bool turned = uc_aten_bool(c, "transposed", false) || strcmp(c->with, "transposed") == 0;
    if (c->ev->failed) return;
    if (!turned) {
        uc_aten_out(c, uc_t_conv(c->b, x, w, bias, rank, stride, pad, dilation, groups));
        return;
    }
    uc_aten_ints(c, "output_padding", extra, 3, rank);
    uc_aten_out(c,
                uc_t_conv_transpose(c->b, x, w, bias, rank, stride, pad, extra, dilation, groups));
}

void uc_aten_linear(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_linear(c->b, self(c), uc_aten_in(c, "weight"), uc_aten_in(c, "bias")));
}

void uc_aten_bilinear(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_bilinear(c->b, self(c), uc_aten_in(c, "input2"), uc_aten_in(c, "weight"),
                                 uc_aten_in(c, "bias")));
}

/* ---- norms ----------------------------------------------------------------------------------- */

void uc_aten_batch_norm(uc_aten_call *c)
{
    const bool train = uc_aten_bool(c, "training", false);
    const uc_ref mean = train ? 0 : uc_aten_in(c, "running_mean");
    const uc_ref var = train ? 0 : uc_aten_in(c, "running_var");
    uc_aten_out(c, uc_t_batch_norm(c->b, self(c), uc_aten_in(c, "weight"), uc_aten_in(c, "bias"),
                                   mean, var, uc_aten_float(c, "eps", 1e-5)));
}

void uc_aten_native_batch_norm(uc_aten_call *c)
{
    uc_aten_batch_norm(c);
    if (c->result.kind != UC_PV_TENSOR) return;
    const uc_ref y = c->result.tensor->ref, out[] = {y, y, y};
    uc_aten_outs(c, out, 3); /* what training saves isn't asked for */
}

void uc_aten_instance_norm(uc_aten_call *c)
{
    const bool own = uc_aten_bool(c, "use_input_stats", true);
    uc_aten_out(c, uc_t_instance_norm(c->b, self(c), uc_aten_in(c, "weight"), uc_aten_in(c, "bias"),
                                      own ? 0 : uc_aten_in(c, "running_mean"),
                                      own ? 0 : uc_aten_in(c, "running_var"),
                                      uc_aten_float(c, "eps", 1e-5)));
}

void uc_aten_layer_norm(uc_aten_call *c)
{
    int64_t shape[UC_PY_RANK];
    const int n = uc_aten_ints(c, "normalized_shape", shape, UC_PY_RANK, 0);
    const uc_ref y = uc_t_layer_norm(c->b, self(c), n, uc_aten_in(c, "weight"),
                                     uc_aten_in(c, "bias"), uc_aten_float(c, "eps", 1e-5));
    const uc_ref out[] = {y, y, y};
    if (strncmp(c->name, "native", 6) == 0)
        uc_aten_outs(c, out, 3);
    else
        uc_aten_out(c, y);
}

void uc_aten_rms_norm(uc_aten_call *c)
{
    int64_t shape[UC_PY_RANK];
    const int n = uc_aten_ints(c, "normalized_shape", shape, UC_PY_RANK, 0);
    uc_aten_out(
        c, uc_t_rms_norm(c->b, self(c), n, uc_aten_in(c, "weight"), uc_aten_float(c, "eps", -1)));
}

void uc_aten_group_norm(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_group_norm(c->b, self(c), uc_aten_int(c, "num_groups", 1),
                                   uc_aten_in(c, "weight"), uc_aten_in(c, "bias"),
                                   uc_aten_float(c, "eps", 1e-5)));
}

void uc_aten_native_group_norm(uc_aten_call *c)
{
    const uc_ref y =
        uc_t_group_norm(c->b, self(c), uc_aten_int(c, "group", 1), uc_aten_in(c, "weight"),
                        uc_aten_in(c, "bias"), uc_aten_float(c, "eps", 1e-5));
    const uc_ref out[] = {y, y, y};
    uc_aten_outs(c, out, 3);
}

void uc_aten_softmax(uc_aten_call *c)
{
    uc_ref x = self(c);
    const int64_t dim = uc_aten_int(c, "dim", -1);
    const uncork_dtype t = uc_aten_dtype(c, "dtype", UNCORK_DTYPE_NONE);
    if (t != UNCORK_DTYPE_NONE && t != uc_t_dtype(c->b, x)) x = uc_t_cast(c->b, x, t);
    x = uc_aten_floating(c, x);
    if (uc_t_rank(c->b, x) == 0) {
        uc_aten_out(c, uc_t_scalar(c->b, x, strcmp(c->with, "log") == 0 ? 0 : 1));
        return;
    }
    if (strcmp(c->with, "log") == 0)
        uc_aten_out(c, uc_t_log_softmax(c->b, x, dim));
    else
        uc_aten_out(c, uc_t_softmax(c->b, x, dim));
}

/* ---- pools ----------------------------------------------------------------------------------- */

static int pool_rank(uc_aten_call *c) { return c->with[0] - '0'; }

void uc_aten_max_pool(uc_aten_call *c)
{
    const int rank = pool_rank(c);
    int64_t kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, pad[3] = {0}, dilation[3] = {1, 1, 1};
    uc_ref out[2] = {0};
    const bool both = strcmp(c->with + 1, "i") == 0;
    uc_aten_ints(c, "kernel_size", kernel, 3, rank);
    const int own = uc_aten_ints(c, "stride", stride, 3, rank);
    uc_aten_ints(c, "padding", pad, 3, rank);
    uc_aten_ints(c, "dilation", dilation, 3, rank);
    const bool ceil_mode = uc_aten_bool(c, "ceil_mode", false);
    if (c->ev->failed) return;
    const uc_pv v = c->args[0];
    out[0] = uc_t_max_pool(c->b, self(c), rank, kernel, own ? stride : NULL, pad, dilation,
                           ceil_mode, both ? &out[1] : NULL);
    if (both)
        uc_aten_outs(c, out, 2);
    else if (v.kind == UC_PV_TENSOR && v.tensor->quant)
        uc_aten_requantise(c, out[0], v.tensor->quant);
    else
        uc_aten_out(c, out[0]);
}

void uc_aten_avg_pool(uc_aten_call *c)
{
    const int rank = pool_rank(c);
    int64_t kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, pad[3] = {0};
    uc_aten_ints(c, "kernel_size", kernel, 3, rank);
    const int own = uc_aten_ints(c, "stride", stride, 3, rank);
    uc_aten_ints(c, "padding", pad, 3, rank);
    const bool ceil_mode = uc_aten_bool(c, "ceil_mode", false);
    const bool with_pad = uc_aten_bool(c, "count_include_pad", true);
    const int64_t divisor = uc_aten_int(c, "divisor_override", 0);
    if (c->ev->failed) return;
    const uc_ref y = uc_t_avg_pool(c->b, self(c), rank, kernel, own ? stride : NULL, pad, ceil_mode,
                                   with_pad, divisor);
    const uc_pv v = c->args[0];
    if (v.kind == UC_PV_TENSOR && v.tensor->quant)
        uc_aten_requantise(c, y, v.tensor->quant);
    else
        uc_aten_out(c, y);
}

void uc_aten_adaptive_pool(uc_aten_call *c)
{
    const int rank = pool_rank(c);
    int64_t size[3] = {-1, -1, -1};
    const uc_pv v = uc_aten_arg(c, "output_size");
    uc_ref out[2] = {0};
    for (int i = 0; i < rank; i++) {
        const uc_pv one = uc_pv_is_list(v) ? v.list->items[i < (int)v.list->count ? i : 0] : v;
        if (one.kind != UC_PV_NONE) uc_py_int(c->ev, one, &size[i]);
    }
    if (c->ev->failed) return;
    if (c->with[1] == 'm') {
        out[0] = uc_t_adaptive_max_pool(c->b, self(c), rank, size, &out[1]);
        uc_aten_outs(c, out, 2);
        return;
    }
    const uc_ref y = uc_t_adaptive_avg_pool(c->b, self(c), rank, size);
    const uc_pv x = c->args[0];
    if (x.kind == UC_PV_TENSOR && x.tensor->quant)
        uc_aten_requantise(c, y, x.tensor->quant);
    else
        uc_aten_out(c, y);
}

void uc_aten_max_unpool(uc_aten_call *c)
{
    int64_t size[3] = {0};
    const int rank = pool_rank(c);
    const uc_ref x = self(c), indices = uc_aten_in(c, "indices");
    uc_aten_ints(c, "output_size", size, 3, rank);
    if (c->ev->failed) return;
    /* Scattered into a plane of zeros: the indices count in it. */
    const int n = uc_t_rank(c->b, x);
    int64_t total = 1;
    for (int i = 0; i < rank; i++)
        total *= size[i];
    if (n <= rank || total < 0 || total > ((int64_t)1 << 31)) {
        uc_aten_fail(c, "its sizes aren't known");
        return;
    }
    const uc_ref rows = uc_t_flatten(c->b, x, n - rank, -1),
                 at = uc_t_flatten(c->b, indices, n - rank, -1);
    const uc_ref head = uc_g_slice(c->g, uc_g1(c->g, "Shape", rows), 0, 0, n - rank);
    const uc_ref plane[] = {head, uc_graph_i64s(c->g, &total, 1)};
    const uc_ref zeros =
        uc_g2(c->g, "Expand", uc_t_scalar(c->b, x, 0), uc_g_concat(c->g, plane, 2, 0));
    const uc_ref in[] = {zeros, at, rows};
    uc_node *node = uc_graph_node(c->g, "ScatterElements", in, 3, 1);
    uc_node_int(c->g, node, "axis", n - rank);
    const uc_ref shape[] = {head, uc_graph_i64s(c->g, size, rank)};
    uc_aten_out(c, uc_g2(c->g, "Reshape", uc_node_out(node, 0), uc_g_concat(c->g, shape, 2, 0)));
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* upsample_*: with = "<rank><mode>". */
void uc_aten_upsample(uc_aten_call *c)
{
    const int rank = pool_rank(c);
    const char *mode = c->with + 1;
    const bool align = uc_aten_bool(c, "align_corners", false);
    static const char *const names[] = {"scales_h", "scales_w"};
    int64_t size[3] = {0};
    double scale[3] = {1, 1, 1};
    bool antialias = c->name[0] == '_';
    if (strstr(mode, "exact")) antialias = false;
    const uc_pv sizes = uc_aten_arg(c, "output_size"), factors = uc_aten_arg(c, "scale_factors");
    const uc_ref x = self(c);
    if (factors.kind != UC_PV_UNSET && factors.kind != UC_PV_NONE) {
        const int n = uc_aten_floats(c, "scale_factors", scale, 3);
        for (int i = n; i < rank && n == 1; i++)
            scale[i] = scale[0];
        if (!c->ev->failed)
            uc_aten_out(c, uc_t_interpolate(c->b, x, rank, NULL, scale, mode, align, antialias));
        return;
    }
    if (uc_aten_is_known_ints(sizes)) {
        uc_aten_ints(c, "output_size", size, 3, rank);
        const uc_pv h = uc_aten_arg(c, names[0]);
        bool scaled = h.kind == UC_PV_FLOAT && rank == 2 && !align;
        /* The factors that a caller gave count, where they and the sizes don't agree to the bit. */
        for (int i = 0; i < 2 && scaled; i++) {
            const int64_t n = uc_t_dim(c->b, x, i - 2);
            scale[i] = uc_aten_float(c, names[i], 1);
            if (n > 0 && (int64_t)floor((double)n * scale[i]) != size[i]) scaled = false;
            if (n > 0 && (double)size[i] == (double)n * scale[i]) scaled = scaled && true;
        }
        if (c->ev->failed) return;
        uc_aten_out(c, uc_t_interpolate(c->b, x, rank, scaled ? NULL : size, scaled ? scale : NULL,
                                        mode, align, antialias));
        return;
    }
    if (sizes.kind == UC_PV_NONE) {
        uc_aten_fail(c, "neither a size nor factors");
        return;
    }
    /* Sizes that only the input tells: as those of a value of that shape. */
    const uc_ref spatial_sizes = uc_aten_sizes(c, "output_size");
    const uc_ref head = uc_graph_i64s(c->g, (const int64_t[]){1, 1}, 2);
    const uc_ref both[] = {head, spatial_sizes};
    const uc_ref like =
        uc_g2(c->g, "Expand", uc_t_scalar(c->b, x, 0), uc_g_concat(c->g, both, 2, 0));
    uc_aten_out(c, uc_t_interpolate_like(c->b, x, rank, like, mode, align));
}

void uc_aten_pad(uc_aten_call *c)
{
    int64_t pads[2 * UC_PY_RANK];
    const char *mode = c->with[0] ? c->with : uc_aten_text(c, "mode", "constant");
    const char *name = uc_aten_arg(c, "pad").kind != UC_PV_UNSET ? "pad" : "padding";
    const int n = uc_aten_ints(c, name, pads, 2 * UC_PY_RANK, 0);
    double value = 0;
    if (uc_aten_has(c, "value")) value = uc_aten_float(c, "value", 0);
    if (!c->ev->failed) uc_aten_out(c, uc_t_pad(c->b, self(c), pads, (size_t)n, mode, value));
}

void uc_aten_shuffle(uc_aten_call *c)
{
    const uc_ref x = self(c);
    if (strcmp(c->with, "channel") == 0)
        uc_aten_out(c, uc_t_channel_shuffle(c->b, x, uc_aten_int(c, "groups", 1)));
    else if (strcmp(c->with, "up") == 0)
        uc_aten_out(c, uc_t_pixel_shuffle(c->b, x, uc_aten_int(c, "upscale_factor", 1)));
    else
        uc_aten_out(c, uc_t_pixel_unshuffle(c->b, x, uc_aten_int(c, "downscale_factor", 1)));
}

void uc_aten_im2col(uc_aten_call *c)
{
    int64_t k[2] = {1, 1}, d[2] = {1, 1}, p[2] = {0, 0}, s[2] = {1, 1}, size[2] = {0};
    uc_aten_ints(c, "kernel_size", k, 2, 2);
    uc_aten_ints(c, "dilation", d, 2, 2);
    uc_aten_ints(c, "padding", p, 2, 2);
    uc_aten_ints(c, "stride", s, 2, 2);
    if (strcmp(c->name, "col2im") == 0) {
        uc_aten_ints(c, "output_size", size, 2, 2);
        if (!c->ev->failed) uc_aten_out(c, uc_t_fold(c->b, self(c), size, k, d, p, s));
        return;
    }
    if (!c->ev->failed) uc_aten_out(c, uc_t_unfold(c->b, self(c), k, d, p, s));
}

/* Windows of a length and a step along an axis, as a new last axis. */
void uc_aten_unfold(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const int dim = uc_aten_axis(c, x, "dimension", 0);
    const int64_t size = uc_aten_int(c, "size", 1), step = uc_aten_int(c, "step", 1);
    const int64_t n = uc_t_dim(c->b, x, dim),
                  count = n < size ? 0 : (n - size) / (step > 0 ? step : 1) + 1;
    if (c->ev->failed || n < 0 || step < 1 || size < 1 || count < 1 || count * size > 16777216) {
        uc_aten_fail(c, "windows that aren't known");
        return;
    }
    int64_t *at = UC_NEW(c->ev->arena, int64_t, (size_t)(count * size));
    for (int64_t i = 0; at && i < count; i++) {
        for (int64_t k = 0; k < size; k++)
            at[i * size + k] = i * step + k;
    }
    if (!at) return;
    const int64_t shape[] = {count, size};
    const uc_ref index = uc_g_reshape(c->g, uc_graph_i64s(c->g, at, count * size), shape, 2);
    const uc_ref y = uc_g_gather(c->g, x, index, dim);
    const int rank = uc_t_rank(c->b, x);
    int64_t perm[UC_PY_RANK];
    int m = 0;
    for (int i = 0; i <= rank && i < UC_PY_RANK; i++) {
        if (i != dim + 1) perm[m++] = i;
    }
    perm[m++] = dim + 1;
    uc_aten_out(c, uc_t_permute(c->b, y, perm, m));
}

void uc_aten_grid_sampler(uc_aten_call *c)
{
    static const char *const modes[] = {"linear", "nearest", "cubic"};
    static const char *const pads[] = {"zeros", "border", "reflection"};
    const int64_t mode = uc_aten_int(c, "interpolation_mode", 0),
                  pad = uc_aten_int(c, "padding_mode", 0);
    const uc_ref in[] = {self(c), uc_aten_in(c, "grid")};
    if (mode < 0 || mode > 2 || pad < 0 || pad > 2) {
        uc_aten_fail(c, "a mode that isn't known");
        return;
    }
    uc_node *n = uc_graph_node(c->g, "GridSample", in, 2, 1);
    uc_node_str(c->g, n, "mode", modes[mode]);
    uc_node_str(c->g, n, "padding_mode", pads[pad]);
    uc_node_int(c->g, n, "align_corners", uc_aten_bool(c, "align_corners", false));
    uc_aten_out(c, uc_node_out(n, 0));
}

void uc_aten_affine_grid(uc_aten_call *c)
{
    const uc_ref in[] = {uc_aten_in(c, "theta"), uc_aten_sizes(c, "size")};
    uc_node *n = uc_graph_node(c->g, "AffineGrid", in, 2, 1);
    uc_node_int(c->g, n, "align_corners", uc_aten_bool(c, "align_corners", false));
    uc_aten_out(c, uc_node_out(n, 0));
}

/* ---- distances ------------------------------------------------------------------------------- */

void uc_aten_cosine_similarity(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_cosine_similarity(c->b, self(c), uc_aten_in(c, "x2"),
                                          uc_aten_int(c, "dim", 1), uc_aten_float(c, "eps", 1e-8)));
}

void uc_aten_pairwise_distance(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_pairwise_distance(c->b, self(c), uc_aten_in(c, "x2"),
                                          uc_aten_float(c, "p", 2), uc_aten_float(c, "eps", 1e-6),
                                          uc_aten_bool(c, "keepdim", false)));
}

void uc_aten_cdist(uc_aten_call *c)
{
    const double p = uc_aten_float(c, "p", 2);
    const uc_ref a = uc_g_unsqueeze(c->g, self(c), -2),
                 b = uc_g_unsqueeze(c->g, uc_aten_in(c, "x2"), -3);
    uc_aten_out(c, uc_t_norm(c->b, uc_g2(c->g, "Sub", a, b), p, -1, false));
}

/* ---- attention ------------------------------------------------------------------------------- */

void uc_aten_sdpa(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_sdpa(c->b, self(c), uc_aten_in(c, "key"), uc_aten_in(c, "value"),
                             uc_aten_in(c, "attn_mask"), uc_aten_bool(c, "is_causal", false),
                             uc_aten_float(c, "scale", 0)));
}

static uc_t_mha packed_mha(uc_aten_call *c, int64_t heads)
{
    const bool layer = strcmp(c->name, "_transformer_encoder_layer_fwd") == 0;
    return (uc_t_mha){.heads = heads,
                      .in_weight = uc_aten_in(c, "qkv_weight"),
                      .in_bias = uc_aten_in(c, "qkv_bias"),
                      .out_weight = uc_aten_in(c, "proj_weight"),
                      .out_bias = uc_aten_in(c, "proj_bias"),
                      .batch_first = true,
                      .average = !layer && uc_aten_bool(c, "average_attn_weights", true)};
}

void uc_aten_native_mha(uc_aten_call *c)
{
    uc_t_mha a = packed_mha(c, uc_aten_int(c, "num_head", 1));
    const uc_ref mask = uc_aten_in(c, "mask");
    const int64_t type = uc_aten_int(c, "mask_type", 0);
    if (mask && type == 1)
        a.key_padding_mask = mask;
    else
        a.attn_mask = mask;
    uc_ref weights = 0;
    const bool wanted = uc_aten_bool(c, "need_weights", true);
    const uc_ref q = uc_aten_in(c, "query");
    const uc_ref y = uc_t_multi_head_attention(c->b, &a, q, uc_aten_in(c, "key"),
                                               uc_aten_in(c, "value"), wanted ? &weights : NULL);
    const uc_ref out[] = {y, wanted ? weights : y};
    uc_aten_outs(c, out, 2);
}

static uc_ref norm_of(uc_aten_call *c, uc_ref x, const char *weight, const char *bias)
{
    return uc_t_layer_norm(c->b, x, 1, uc_aten_in(c, weight), uc_aten_in(c, bias),
                           uc_aten_float(c, "eps", 1e-5));
}

/* nn.TransformerEncoderLayer's fast path. */
void uc_aten_encoder_layer(uc_aten_call *c)
{
    uc_t_mha a = packed_mha(c, uc_aten_int(c, "num_heads", 1));
    const bool first = uc_aten_bool(c, "norm_first", false);
    const uc_ref mask = uc_aten_in(c, "mask");
    if (mask && uc_aten_int(c, "mask_type", 0) == 1)
        a.key_padding_mask = mask;
    else
        a.attn_mask = mask;
    uc_ref x = uc_aten_in(c, "src");
    uc_ref h = first ? norm_of(c, x, "norm_weight_1", "norm_bias_1") : x;
    h = uc_g2(c->g, "Add", x, uc_t_multi_head_attention(c->b, &a, h, h, h, NULL));
    if (!first) h = norm_of(c, h, "norm_weight_1", "norm_bias_1");
    x = first ? norm_of(c, h, "norm_weight_2", "norm_bias_2") : h;
    x = uc_t_linear(c->b, x, uc_aten_in(c, "ffn_weight_1"), uc_aten_in(c, "ffn_bias_1"));
    x = uc_t_act(c->b, uc_aten_bool(c, "use_gelu", false) ? "gelu" : "relu", x);
    x = uc_t_linear(c->b, x, uc_aten_in(c, "ffn_weight_2"), uc_aten_in(c, "ffn_bias_2"));
    x = uc_g2(c->g, "Add", h, x);
    uc_aten_out(c, first ? x : norm_of(c, x, "norm_weight_2", "norm_bias_2"));
}

/* ---- recurrence ------------------------------------------------------------------------------ */

/* lstm, gru, rnn_tanh, rnn_relu; with: uc_t_rnn's kind. */
void uc_aten_rnn(uc_aten_call *c)
{
    const bool lstm = strcmp(c->with, "LSTM") == 0;
    size_t count = 0, hx_count = 0;
    uc_ref *params = uc_aten_tensors(c, "params", &count), h0 = 0, c0 = 0, out[3] = {0};
    if (!params) return;
    if (uc_aten_arg(c, "batch_sizes").kind != UC_PV_UNSET) {
        uc_aten_fail(c, "packed sequences aren't supported");
        return;
    }
    if (lstm) {
        uc_ref *hx = uc_aten_tensors(c, "hx", &hx_count);
        if (!hx || hx_count != 2) return;
        h0 = hx[0];
        c0 = hx[1];
    } else {
        h0 = uc_aten_in(c, "hx");
    }
    const bool biases = uc_aten_bool(c, "has_biases", true),
               both = uc_aten_bool(c, "bidirectional", false);
    const int64_t layers = uc_aten_int(c, "num_layers", 1), cells = layers * (both ? 2 : 1);
    if (c->ev->failed || cells < 1 || cells > 1024 || count % (size_t)cells) {
        uc_aten_fail(c, "%zu weights for %lld layers", count, (long long)layers);
        return;
    }
    const size_t each = count / (size_t)cells;
    uc_ref(*w)[5] = (uc_ref(*)[5])uc_arena_alloc(c->ev->arena, (size_t)cells, sizeof *w);
    if (!w || each < 2 || each > 5) return;
    for (int64_t i = 0; i < cells; i++) {
        const uc_ref *p = params + (size_t)i * each;
        w[i][0] = p[0];
        w[i][1] = p[1];
        if (biases && each >= 4) {
            w[i][2] = p[2];
            w[i][3] = p[3];
        }
        if (each == 3 || each == 5) w[i][4] = p[each - 1];
    }
    const int64_t gates = lstm ? 4 : strcmp(c->with, "GRU") == 0 ? 3 : 1;
    const uc_t_rnn r = {.kind = c->with,
                        .hidden = uc_t_dim(c->b, params[0], 0) / gates,
                        .layers = layers,
                        .projection = w[0][4] ? uc_t_dim(c->b, w[0][4], 0) : 0,
                        .bidirectional = both,
                        .batch_first = uc_aten_bool(c, "batch_first", false),
                        .weights = w};
    if (uc_t_run_rnn(c->b, &r, self(c), h0, c0, out)) uc_aten_outs(c, out, lstm ? 3 : 2);
}

/* One step of a cell. Source: torch.nn.LSTMCell, GRUCell, RNNCell. */
void uc_aten_cell(uc_aten_call *c)
{
    uc_graph *g = c->g;
    uc_ref h = 0, cell = 0;
    size_t n = 0;
    if (strcmp(c->with, "LSTM") == 0) {
        uc_ref *hx = uc_aten_tensors(c, "hx", &n);
        if (!hx || n != 2) return;
        h = hx[0];
        cell = hx[1];
    } else {
        h = uc_aten_in(c, "hx");
    }
    const uc_ref a = uc_t_linear(c->b, self(c), uc_aten_in(c, "w_ih"), uc_aten_in(c, "b_ih"));
    const uc_ref b = uc_t_linear(c->b, h, uc_aten_in(c, "w_hh"), uc_aten_in(c, "b_hh"));
    if (strcmp(c->with, "RNN") == 0 || strcmp(c->with, "RELU") == 0) {
        uc_aten_out(c, uc_g1(g, c->with[1] == 'N' ? "Tanh" : "Relu", uc_g2(g, "Add", a, b)));
        return;
    }
    const int64_t gates = cell ? 4 : 3, wide = uc_t_dim(c->b, uc_aten_in(c, "w_ih"), 0) / gates;
    uc_ref x[4], y[4];
    for (int64_t i = 0; i < gates; i++) {
        x[i] = uc_t_slice(c->b, a, -1, i * wide, (i + 1) * wide, 1);
        y[i] = uc_t_slice(c->b, b, -1, i * wide, (i + 1) * wide, 1);
    }
    if (cell) {
        uc_ref s[4];
        for (int i = 0; i < 4; i++)
            s[i] = uc_g1(g, i == 2 ? "Tanh" : "Sigmoid", uc_g2(g, "Add", x[i], y[i]));
        const uc_ref next =
            uc_g2(g, "Add", uc_g2(g, "Mul", s[1], cell), uc_g2(g, "Mul", s[0], s[2]));
        const uc_ref out[] = {uc_g2(g, "Mul", s[3], uc_g1(g, "Tanh", next)), next};
        uc_aten_outs(c, out, 2);
        return;
    }
    const uc_ref r = uc_g1(g, "Sigmoid", uc_g2(g, "Add", x[0], y[0]));
    const uc_ref z = uc_g1(g, "Sigmoid", uc_g2(g, "Add", x[1], y[1]));
    const uc_ref m = uc_g1(g, "Tanh", uc_g2(g, "Add", x[2], uc_g2(g, "Mul", r, y[2])));
    uc_aten_out(c, uc_g2(g, "Add", m, uc_g2(g, "Mul", z, uc_g2(g, "Sub", h, m))));
}
