/* Layers of descriptions: weights by key with the shapes they must have, emitted by torch_build. */
#include "import/pytorch/zoo/zoo_build.h"

static uc_t_build *of(uc_zoo *z) { return z->build; }

uc_zv uc_z_picture(uc_zoo *z, int64_t channels, int64_t rows, int64_t columns)
{
    const int64_t shape[] = {-1, channels ? channels : -1, rows ? rows : -1,
                             columns ? columns : -1};
    z->report->image[0] = rows;
    z->report->image[1] = columns;
    const uc_ref x = uc_graph_input(of(z)->graph, "input", UNCORK_FLOAT32, 4, shape);
    return (uc_zv){x, channels};
}

void uc_z_output(uc_zoo *z, const char *name, uc_zv v)
{
    uc_graph_output(of(z)->graph, name, v.ref);
}

uc_ref uc_z_param(uc_zoo *z, const char *key, int rank, const int64_t *dims)
{
    const uc_tensor *t = uc_z_tensor(z, key, rank, dims);
    return t ? uc_t_const(of(z), t) : 0;
}

static uc_ref bias_of(uc_zoo *z, const char *name, int64_t out, bool wanted)
{
    return wanted ? UC_Z_P(z, uc_z_key(z, "%s.bias", name), out) : 0;
}

/* As TensorFlow pads: by the size that comes, the odd zero behind. */
static uc_ref conv_same(uc_zoo *z, uc_ref x, uc_ref weight, uc_ref bias, const uc_z_window *w)
{
    uc_graph *g = of(z)->graph;
    const uc_ref in[] = {x, weight, bias};
    const int64_t strides[] = {w->stride, w->stride}, dilations[] = {w->dilation, w->dilation};
    uc_node *n = uc_graph_node(g, "Conv", in, bias ? 3 : 2, 1);
    uc_node_str(g, n, "auto_pad", "SAME_UPPER");
    uc_node_ints(g, n, "strides", strides, 2);
    uc_node_ints(g, n, "dilations", dilations, 2);
    uc_node_int(g, n, "group", w->groups);
    return uc_node_out(n, 0);
}

static uc_ref emit_conv(uc_zoo *z, uc_ref x, const uc_tensor *weight, uc_ref bias,
                        const uc_z_window *w)
{
    const uc_ref k = uc_t_const(of(z), weight);
    if (w->same) return conv_same(z, x, k, bias, w);
    int64_t pads[2];
    for (int i = 0; i < 2; i++) {
        const int64_t half = (weight->shape[2 + i] - 1) / 2 * w->dilation;
        pads[i] = w->valid ? 0 : w->pad ? w->pad : half;
    }
    const int64_t strides[] = {w->stride, w->stride}, dilations[] = {w->dilation, w->dilation};
    return uc_t_conv(of(z), x, k, bias, 2, strides, pads, dilations, w->groups);
}

/* How many groups: as given, or as the input's channels and the weight's show. */
static int64_t groups_of(uc_zoo *z, const char *key, int64_t channels, int64_t groups)
{
    if (groups == UC_Z_DEPTHWISE) return channels ? channels : 1;
    const int64_t each = uc_z_dim(z, key, 1);
    if (groups == UC_Z_GROUPED) {
        return each > 0 && channels % each == 0 && channels ? channels / each : 1;
    }
    return groups ? groups : 1;
}

uc_zv uc_z_conv(uc_zoo *z, const char *name, uc_zv x, uc_z_window w)
{
    const char *key = uc_z_key(z, "%s.weight", name);
    w.groups = groups_of(z, key, x.c, w.groups);
    if (!w.stride) w.stride = 1;
    if (!w.dilation) w.dilation = 1;
    const int64_t each = x.c % w.groups == 0 ? x.c / w.groups : -1;
    const int64_t dims[] = {w.out, each, w.kernel, w.kernel};
    const uc_tensor *weight = uc_z_tensor(z, key, 4, dims);
    const char *bias_key = uc_z_key(z, "%s.bias", name);
    const bool biased = w.bias || (w.maybe_bias && uc_z_has(z, bias_key));
    const int64_t out = weight ? weight->shape[0] : w.out;
    const uc_ref bias = bias_of(z, name, out, biased);
    if (!weight) return (uc_zv){0, out};
    if (out % w.groups != 0) uc_z_unlike(z, "%s in %d groups", key, (int)w.groups);
    return (uc_zv){emit_conv(z, x.ref, weight, bias, &w), out};
}

uc_zv uc_z_conv_transpose(uc_zoo *z, const char *name, uc_zv x, int64_t out, int64_t stride,
                          int64_t pad)
{
    const int64_t dims[] = {x.c, out, 0, 0};
    const uc_tensor *weight = uc_z_tensor(z, uc_z_key(z, "%s.weight", name), 4, dims);
    out = weight ? weight->shape[1] : out;
    const uc_ref bias = bias_of(z, name, out, uc_z_has(z, uc_z_key(z, "%s.bias", name)));
    if (!weight) return (uc_zv){0, out};
    const int64_t strides[] = {stride, stride}, pads[] = {pad, pad}, none[] = {0, 0},
                  ones[] = {1, 1};
    const uc_ref y = uc_t_conv_transpose(of(z), x.ref, uc_t_const(of(z), weight), bias, 2, strides,
                                         pads, none, ones, 1);
    return (uc_zv){y, out};
}

uc_zv uc_z_batch_norm(uc_zoo *z, const char *name, uc_zv x, double eps)
{
    const uc_ref weight = UC_Z_P(z, uc_z_key(z, "%s.weight", name), x.c);
    const uc_ref bias = UC_Z_P(z, uc_z_key(z, "%s.bias", name), x.c);
    const uc_ref mean = UC_Z_P(z, uc_z_key(z, "%s.running_mean", name), x.c);
    const uc_ref var = UC_Z_P(z, uc_z_key(z, "%s.running_var", name), x.c);
    uc_z_skip(z, uc_z_key(z, "%s.num_batches_tracked", name));
    return (uc_zv){uc_t_batch_norm(of(z), x.ref, weight, bias, mean, var, eps), x.c};
}

uc_zv uc_z_layer_norm(uc_zoo *z, const char *name, uc_zv x, double eps)
{
    const uc_ref weight = UC_Z_P(z, uc_z_key(z, "%s.weight", name), x.c);
    const uc_ref bias = UC_Z_P(z, uc_z_key(z, "%s.bias", name), x.c);
    return (uc_zv){uc_t_layer_norm(of(z), x.ref, 1, weight, bias, eps), x.c};
}

uc_zv uc_z_layer_norm2d(uc_zoo *z, const char *name, uc_zv x, double eps)
{
    static const int64_t last[] = {0, 2, 3, 1}, first[] = {0, 3, 1, 2};
    x = uc_z_permute(z, x, 4, last);
    x = uc_z_layer_norm(z, name, x, eps);
    return uc_z_permute(z, x, 4, first);
}

uc_zv uc_z_linear(uc_zoo *z, const char *name, uc_zv x, int64_t out, bool bias)
{
    const int64_t dims[] = {out, x.c};
    const uc_tensor *weight = uc_z_tensor(z, uc_z_key(z, "%s.weight", name), 2, dims);
    out = weight ? weight->shape[0] : out;
    const uc_ref b = bias_of(z, name, out, bias);
    if (!weight) return (uc_zv){0, out};
    return (uc_zv){uc_t_linear(of(z), x.ref, uc_t_const(of(z), weight), b), out};
}

uc_zv uc_z_act(uc_zoo *z, const char *function, uc_zv x)
{
    if (strcmp(function, "quick_gelu") == 0) { /* x sigmoid(1.702 x), of OpenAI's CLIP */
        const uc_ref s = uc_t_act(of(z), "sigmoid", uc_t_mul_number(of(z), x.ref, 1.702));
        return (uc_zv){uc_t_mul(of(z), x.ref, s), x.c};
    }
    return (uc_zv){uc_t_act(of(z), function, x.ref), x.c};
}

uc_zv uc_z_max_pool(uc_zoo *z, uc_zv x, int64_t size, int64_t stride, int64_t pad, bool ceil)
{
    return (uc_zv){uc_t_max_pool2d(of(z), x.ref, size, stride, pad, ceil), x.c};
}

uc_zv uc_z_avg_pool(uc_zoo *z, uc_zv x, int64_t size, int64_t stride, int64_t pad, bool ceil,
                    bool count_pad)
{
    const int64_t kernel[] = {size, size}, strides[] = {stride, stride}, pads[] = {pad, pad};
    return (uc_zv){uc_t_avg_pool(of(z), x.ref, 2, kernel, strides, pads, ceil, count_pad, 0), x.c};
}

uc_zv uc_z_adaptive_avg_pool(uc_zoo *z, uc_zv x, int64_t rows, int64_t columns)
{
    const int64_t size[] = {rows, columns};
    return (uc_zv){uc_t_adaptive_avg_pool(of(z), x.ref, 2, size), x.c};
}

uc_zv uc_z_global_avg_pool(uc_zoo *z, uc_zv x, bool keep)
{
    static const int64_t axes[] = {2, 3};
    return (uc_zv){uc_t_mean(of(z), x.ref, axes, 2, keep), x.c};
}

uc_zv uc_z_flatten(uc_zoo *z, uc_zv x, int64_t cells)
{
    return (uc_zv){uc_t_flatten(of(z), x.ref, 1, -1), x.c * cells};
}

/* Channels of the sum: what is known of either. */
static int64_t common(uc_zoo *z, uc_zv a, uc_zv b)
{
    if (a.c && b.c && a.c != b.c && a.c != 1 && b.c != 1) {
        uc_z_unlike(z, "%d channels that meet %d", (int)a.c, (int)b.c);
    }
    return a.c > b.c ? a.c : b.c;
}

uc_zv uc_z_add(uc_zoo *z, uc_zv a, uc_zv b)
{
    const int64_t c = common(z, a, b);
    return (uc_zv){uc_t_add(of(z), a.ref, b.ref), c};
}

uc_zv uc_z_mul(uc_zoo *z, uc_zv a, uc_zv b)
{
    const int64_t c = common(z, a, b);
    return (uc_zv){uc_t_mul(of(z), a.ref, b.ref), c};
}

uc_zv uc_z_scale(uc_zoo *z, uc_zv a, double factor)
{
    return (uc_zv){uc_t_mul_number(of(z), a.ref, factor), a.c};
}

uc_zv uc_z_cat(uc_zoo *z, const uc_zv *parts, size_t count)
{
    uc_ref *refs = UC_NEW(z->arena, uc_ref, count);
    if (!refs) return (uc_zv){uc_t_fail(of(z), "no memory for %zu parts", count), 0};
    uc_zv y = {0, 0};
    for (size_t i = 0; i < count; i++) {
        refs[i] = parts[i].ref;
        y.c += parts[i].c;
    }
    y.ref = uc_t_cat(of(z), refs, count, 1);
    return y;
}

uc_zv uc_z_slice(uc_zoo *z, uc_zv x, int axis, int64_t begin, int64_t end, int64_t channels)
{
    return (uc_zv){uc_t_slice(of(z), x.ref, axis, begin, end, 1), channels};
}

uc_zv uc_z_permute(uc_zoo *z, uc_zv x, int rank, const int64_t *perm)
{
    return (uc_zv){uc_t_permute(of(z), x.ref, perm, rank), x.c};
}

uc_zv uc_z_reshape(uc_zoo *z, uc_zv x, int rank, const int64_t *shape, int64_t channels)
{
    return (uc_zv){uc_t_reshape0(of(z), x.ref, shape, rank), channels};
}
