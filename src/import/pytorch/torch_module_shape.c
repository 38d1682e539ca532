/* Shapes, padding, other sizes, distances. Source: torch 2.15, torch/nn/modules/{flatten,fold,padding,
 * upsampling,pixelshuffle,channelshuffle,distance}.py; torchvision 0.29, ops/misc.py (Permute). */
#include "import/pytorch/torch_module.h"

#include <math.h>

void uc_t_m_flatten(uc_t_call *c)
{
    uc_t_build *b = c->build;
    const int64_t start = uc_t_attr_int(c, "start_dim", 1), end = uc_t_attr_int(c, "end_dim", -1);
    if (start == 1 && end == -1 && uc_t_rank(b, c->in[0]) < 0) { /* any rank does */
        uc_node *n = uc_graph_node(b->graph, "Flatten", &c->in[0], 1, 1);
        uc_node_int(b->graph, n, "axis", 1);
        uc_t_set(c, uc_node_out(n, 0));
        return;
    }
    uc_t_set(c, uc_t_flatten(b, c->in[0], start, end));
}

void uc_t_m_unflatten(uc_t_call *c)
{
    int64_t sizes[UNCORK_MAX_RANK];
    const size_t n = uc_t_ints(uc_t_attr(c, "unflattened_size"), sizes, UNCORK_MAX_RANK);
    if (n == SIZE_MAX || n == 0) {
        uc_t_refuse(c, "its unflattened_size isn't a list of numbers");
        return;
    }
    uc_t_set(c, uc_t_unflatten(c->build, c->in[0], uc_t_attr_int(c, "dim", 1), sizes, n));
}

typedef struct blocks {
    int64_t size[2], kernel[2], dilation[2], padding[2], stride[2];
} blocks;

static blocks read_blocks(uc_t_call *c)
{
    blocks w = {{0}, {0}, {1, 1}, {0}, {1, 1}};
    (void)uc_t_attr_ints(c, "output_size", w.size, 2);
    (void)uc_t_attr_ints(c, "kernel_size", w.kernel, 2);
    (void)uc_t_attr_ints(c, "dilation", w.dilation, 2);
    (void)uc_t_attr_ints(c, "padding", w.padding, 2);
    (void)uc_t_attr_ints(c, "stride", w.stride, 2);
    return w;
}

void uc_t_m_fold(uc_t_call *c)
{
    const blocks w = read_blocks(c);
    uc_t_set(c, uc_t_fold(c->build, c->in[0], w.size, w.kernel, w.dilation, w.padding, w.stride));
}

void uc_t_m_unfold(uc_t_call *c)
{
    const blocks w = read_blocks(c);
    uc_t_set(c, uc_t_unfold(c->build, c->in[0], w.kernel, w.dilation, w.padding, w.stride));
}

void uc_t_m_pad(uc_t_call *c)
{
    int64_t pads[6];
    const size_t n = 2 * (size_t)c->row->arg;
    if (!uc_t_attr_ints(c, "padding", pads, n)) {
        uc_t_refuse(c, "its padding isn't %zu numbers", n);
        return;
    }
    uc_t_set(c,
             uc_t_pad(c->build, c->in[0], pads, n, c->row->word, uc_t_attr_float(c, "value", 0)));
}

/* scale_factor: one number or a tuple. */
static bool read_scale(uc_t_call *c, double *scale, size_t rank)
{
    const uc_pickle *value = uc_t_attr(c, "scale_factor");
    if (!value) return false;
    for (size_t i = 0; i < rank; i++) {
        const uc_pickle *item = value->kind == UC_PICKLE_TUPLE || value->kind == UC_PICKLE_LIST
                                    ? uc_pickle_item(value, i)
                                    : value;
        if (!uc_pickle_f64(item, &scale[i])) return false;
    }
    return true;
}

/* recompute_scale_factor: the size that the scale gives counts, not the scale. */
static bool as_size(uc_t_call *c, const double *scale, size_t rank, int64_t *size)
{
    for (size_t i = 0; i < rank; i++) {
        const int64_t in = uc_t_dim(c->build, c->in[0], (int)i + 2);
        if (in < 0) return false;
        size[i] = (int64_t)floor((double)in * scale[i]);
    }
    return true;
}

void uc_t_m_upsample(uc_t_call *c)
{
    static const char *const linear[] = {"linear", "bilinear", "trilinear"};
    const int rank = uc_t_rank(c->build, c->in[0]) - 2;
    int64_t size[3];
    double scale[3];
    char mode[24] = "nearest";
    const uc_str given = uc_t_attr_text(c, "mode", "nearest");
    if (rank < 1 || rank > 3 || given.size >= sizeof mode) {
        uc_t_refuse(c, "its input has %d dimensions", rank + 2);
        return;
    }
    memcpy(mode, given.data, given.size);
    mode[given.size] = 0;
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(mode, linear[i]) == 0) memcpy(mode, "linear", 7);
    }
    bool has_size = uc_t_attr_ints(c, "size", size, (size_t)rank);
    const bool has_scale = !has_size && read_scale(c, scale, (size_t)rank);
    if (has_scale && uc_t_attr_bool(c, "recompute_scale_factor", false))
        has_size = as_size(c, scale, (size_t)rank, size);
    uc_t_set(c, uc_t_interpolate(c->build, c->in[0], rank, has_size ? size : NULL,
                                 has_scale && !has_size ? scale : NULL, mode,
                                 uc_t_attr_bool(c, "align_corners", false), false));
}

void uc_t_m_pixel_shuffle(uc_t_call *c)
{
    uc_t_set(c, uc_t_pixel_shuffle(c->build, c->in[0], uc_t_attr_int(c, "upscale_factor", 1)));
}

void uc_t_m_pixel_unshuffle(uc_t_call *c)
{
    uc_t_set(c, uc_t_pixel_unshuffle(c->build, c->in[0], uc_t_attr_int(c, "downscale_factor", 1)));
}

void uc_t_m_channel_shuffle(uc_t_call *c)
{
    uc_t_set(c, uc_t_channel_shuffle(c->build, c->in[0], uc_t_attr_int(c, "groups", 1)));
}

void uc_t_m_permute(uc_t_call *c)
{
    int64_t dims[UNCORK_MAX_RANK];
    const size_t n = uc_t_ints(uc_t_attr(c, "dims"), dims, UNCORK_MAX_RANK);
    if (n == SIZE_MAX)
        uc_t_refuse(c, "its dims aren't a list of numbers");
    else
        uc_t_set(c, uc_t_permute(c->build, c->in[0], dims, (int)n));
}

void uc_t_m_cosine(uc_t_call *c)
{
    uc_t_set(c, uc_t_cosine_similarity(c->build, c->in[0], c->in[1], uc_t_attr_int(c, "dim", 1),
                                       uc_t_attr_float(c, "eps", 1e-8)));
}

void uc_t_m_distance(uc_t_call *c)
{
    uc_t_set(c, uc_t_pairwise_distance(c->build, c->in[0], c->in[1], uc_t_attr_float(c, "norm", 2),
                                       uc_t_attr_float(c, "eps", 1e-6),
                                       uc_t_attr_bool(c, "keepdim", false)));
}
