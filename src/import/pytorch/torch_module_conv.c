/* Layers with weights. Source: torch 2.15, torch/nn/modules/{linear,conv,sparse}.py. */
#include "import/pytorch/torch_module.h"

#include <math.h>

void uc_t_m_linear(uc_t_call *c)
{
    uc_t_set(c, uc_t_linear(c->build, c->in[0], uc_t_tensor(c, "weight"), uc_t_tensor(c, "bias")));
}

void uc_t_m_bilinear(uc_t_call *c)
{
    uc_t_set(c, uc_t_bilinear(c->build, c->in[0], c->in[1], uc_t_tensor(c, "weight"),
                              uc_t_tensor(c, "bias")));
}

typedef struct window {
    int64_t kernel[3], stride[3], padding[3], dilation[3], groups;
    bool same;
} window;

static bool read_window(uc_t_call *c, window *w)
{
    const size_t rank = (size_t)c->row->arg;
    *w = (window){.stride = {1, 1, 1}, .dilation = {1, 1, 1}};
    const uc_str padding = uc_t_attr_text(c, "padding", "");
    w->groups = uc_t_attr_int(c, "groups", 1);
    w->same = uc_str_is(padding, "same");
    (void)uc_t_attr_ints(c, "stride", w->stride, rank);
    (void)uc_t_attr_ints(c, "dilation", w->dilation, rank);
    if (!padding.size) (void)uc_t_attr_ints(c, "padding", w->padding, rank);
    if (uc_t_attr_ints(c, "kernel_size", w->kernel, rank)) return true;
    uc_t_refuse(c, "it has no kernel_size");
    return false;
}

/* x with the padding of a mode other than zeros; the convolution then has none. */
static uc_ref padded(uc_t_call *c, uc_ref x, window *w, const char *mode)
{
    int64_t pads[6];
    const int rank = c->row->arg;
    for (int i = 0; i < rank; i++) {
        const int at = 2 * (rank - 1 - i); /* the last axis first */
        const int64_t total = w->dilation[i] * (w->kernel[i] - 1);
        pads[at] = w->same ? total / 2 : w->padding[i];
        pads[at + 1] = w->same ? total - total / 2 : w->padding[i];
        w->padding[i] = 0;
    }
    w->same = false;
    return uc_t_pad(c->build, x, pads, 2 * (size_t)rank, mode, 0);
}

void uc_t_m_conv(uc_t_call *c)
{
    window w;
    const int rank = c->row->arg;
    uc_ref x = c->in[0];
    const uc_str mode = uc_t_attr_text(c, "padding_mode", "zeros");
    if (!read_window(c, &w)) return;
    if (!uc_str_is(mode, "zeros")) {
        char text[20];
        if (mode.size >= sizeof text) {
            uc_t_refuse(c, "its padding_mode isn't known");
            return;
        }
        memcpy(text, mode.data, mode.size);
        text[mode.size] = 0;
        x = padded(c, x, &w, text);
    }
    const uc_ref weight = uc_t_tensor(c, "weight"), bias = uc_t_tensor(c, "bias");
    uc_t_set(c, w.same ? uc_t_conv_same(c->build, x, weight, bias, rank, w.dilation, w.groups)
                       : uc_t_conv(c->build, x, weight, bias, rank, w.stride, w.padding, w.dilation,
                                   w.groups));
}

void uc_t_m_conv_transpose(uc_t_call *c)
{
    window w;
    int64_t more[3] = {0};
    if (!read_window(c, &w)) return;
    (void)uc_t_attr_ints(c, "output_padding", more, (size_t)c->row->arg);
    uc_t_set(c, uc_t_conv_transpose(c->build, c->in[0], uc_t_tensor(c, "weight"),
                                    uc_t_tensor(c, "bias"), c->row->arg, w.stride, w.padding, more,
                                    w.dilation, w.groups));
}

/* max_norm: rows that are longer are shortened to it whenever they are looked up. */
static uc_ref table(uc_t_call *c)
{
    uc_t_build *b = c->build;
    const uc_ref weight = uc_t_tensor(c, "weight");
    const double most = uc_t_attr_float(c, "max_norm", (double)NAN);
    if (isnan(most)) return weight;
    const uc_ref norm = uc_t_norm(b, weight, uc_t_attr_float(c, "norm_type", 2), 1, true);
    const uc_ref limit = uc_t_scalar(b, norm, most);
    const uc_ref shorter =
        uc_t_div(b, limit, uc_t_add_number(b, norm, 1e-7)); /* embedding_renorm_ */
    const uc_ref factor = uc_g_where(b->graph, uc_g2(b->graph, "Greater", norm, limit), shorter,
                                     uc_t_scalar(b, norm, 1));
    return uc_t_mul(b, weight, factor);
}

void uc_t_m_embedding(uc_t_call *c) { uc_t_set(c, uc_t_embedding(c->build, table(c), c->in[0])); }

void uc_t_m_embedding_bag(uc_t_call *c)
{
    char mode[16] = "mean";
    const uc_str given = uc_t_attr_text(c, "mode", "mean");
    if (given.size < sizeof mode) {
        memcpy(mode, given.data, given.size);
        mode[given.size] = 0;
    }
    uc_t_set(c, uc_t_embedding_bag(c->build, table(c), c->in[0], c->in_count > 1 ? c->in[1] : 0,
                                   mode, c->in_count > 2 ? c->in[2] : 0,
                                   uc_t_attr_bool(c, "include_last_offset", false),
                                   uc_t_attr_int(c, "padding_idx", -1)));
}
