/* Pooling. Source: torch 2.15, torch/nn/modules/pooling.py. */
#include "import/pytorch/torch_module.h"

typedef struct window {
    int64_t kernel[3], stride[3], padding[3], dilation[3];
    bool ceil_mode;
} window;

static bool read_window(uc_t_call *c, window *w)
{
    const size_t rank = (size_t)c->row->arg;
    *w = (window){.dilation = {1, 1, 1}, .ceil_mode = uc_t_attr_bool(c, "ceil_mode", false)};
    if (!uc_t_attr_ints(c, "kernel_size", w->kernel, rank)) {
        uc_t_refuse(c, "it has no kernel_size");
        return false;
    }
    if (!uc_t_attr_ints(c, "stride", w->stride, rank))
        memcpy(w->stride, w->kernel, sizeof w->stride);
    (void)uc_t_attr_ints(c, "padding", w->padding, rank);
    (void)uc_t_attr_ints(c, "dilation", w->dilation, rank);
    return true;
}

void uc_t_m_max_pool(uc_t_call *c)
{
    window w;
    uc_ref places = 0;
    const bool wanted = uc_t_attr_bool(c, "return_indices", false);
    if (!read_window(c, &w)) return;
    uc_t_set(c, uc_t_max_pool(c->build, c->in[0], c->row->arg, w.kernel, w.stride, w.padding,
                              w.dilation, w.ceil_mode, wanted ? &places : NULL));
    if (wanted) c->out[c->out_count++] = places;
}

void uc_t_m_avg_pool(uc_t_call *c)
{
    window w;
    if (!read_window(c, &w)) return;
    uc_t_set(c, uc_t_avg_pool(c->build, c->in[0], c->row->arg, w.kernel, w.stride, w.padding,
                              w.ceil_mode, uc_t_attr_bool(c, "count_include_pad", true),
                              uc_t_attr_int(c, "divisor_override", 0)));
}

static bool read_size(uc_t_call *c, int64_t *size)
{
    if (uc_t_attr_ints(c, "output_size", size, (size_t)c->row->arg)) return true;
    for (int i = 0; i < c->row->arg; i++) {
        size[i] = -1; /* None: as it is */
    }
    return true;
}

void uc_t_m_adaptive_avg_pool(uc_t_call *c)
{
    int64_t size[3];
    if (read_size(c, size))
        uc_t_set(c, uc_t_adaptive_avg_pool(c->build, c->in[0], c->row->arg, size));
}

void uc_t_m_adaptive_max_pool(uc_t_call *c)
{
    int64_t size[3];
    uc_ref places = 0;
    const bool wanted = uc_t_attr_bool(c, "return_indices", false);
    if (!read_size(c, size)) return;
    uc_t_set(
        c, uc_t_adaptive_max_pool(c->build, c->in[0], c->row->arg, size, wanted ? &places : NULL));
    if (wanted) c->out[c->out_count++] = places;
}

void uc_t_m_lp_pool(uc_t_call *c)
{
    window w;
    if (!read_window(c, &w)) return;
    uc_t_set(c, uc_t_lp_pool(c->build, c->in[0], c->row->arg, uc_t_attr_float(c, "norm_type", 2),
                             w.kernel, w.stride, w.ceil_mode));
}

void uc_t_m_max_unpool(uc_t_call *c)
{
    window w;
    if (!read_window(c, &w)) return;
    uc_t_set(c, uc_t_max_unpool(c->build, c->in[0], c->in[1], c->row->arg, w.kernel, w.stride,
                                w.padding, NULL));
}
