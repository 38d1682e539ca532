/* Activations. Source: torch 2.15, torch/nn/modules/activation.py. */
#include "import/pytorch/torch_module.h"

void uc_t_m_identity(uc_t_call *c) { uc_t_set(c, c->in[0]); }

void uc_t_m_act(uc_t_call *c) { uc_t_set(c, uc_t_act(c->build, c->row->word, c->in[0])); }

void uc_t_m_gelu(uc_t_call *c)
{
    const bool by_tanh = uc_str_is(uc_t_attr_text(c, "approximate", "none"), "tanh");
    uc_t_set(c, uc_t_act(c->build, by_tanh ? "gelu_tanh" : "gelu", c->in[0]));
}

void uc_t_m_leaky_relu(uc_t_call *c)
{
    uc_t_set(c, uc_t_leaky_relu(c->build, c->in[0], uc_t_attr_float(c, "negative_slope", 0.01)));
}

void uc_t_m_elu(uc_t_call *c)
{
    uc_t_set(c, uc_t_elu(c->build, c->in[0], uc_t_attr_float(c, "alpha", 1), 1, 1));
}

void uc_t_m_celu(uc_t_call *c)
{
    uc_t_set(c, uc_t_celu(c->build, c->in[0], uc_t_attr_float(c, "alpha", 1)));
}

void uc_t_m_hardtanh(uc_t_call *c)
{
    uc_t_set(c, uc_t_clamp(c->build, c->in[0], uc_t_attr_float(c, "min_val", -1),
                           uc_t_attr_float(c, "max_val", 1)));
}

void uc_t_m_hardshrink(uc_t_call *c)
{
    uc_t_set(c, uc_t_hardshrink(c->build, c->in[0], uc_t_attr_float(c, "lambd", 0.5)));
}

void uc_t_m_softshrink(uc_t_call *c)
{
    uc_t_set(c, uc_t_softshrink(c->build, c->in[0], uc_t_attr_float(c, "lambd", 0.5)));
}

void uc_t_m_threshold(uc_t_call *c)
{
    uc_t_set(c, uc_t_threshold(c->build, c->in[0], uc_t_attr_float(c, "threshold", 0),
                               uc_t_attr_float(c, "value", 0)));
}

void uc_t_m_softplus(uc_t_call *c)
{
    uc_t_set(c, uc_t_softplus(c->build, c->in[0], uc_t_attr_float(c, "beta", 1),
                              uc_t_attr_float(c, "threshold", 20)));
}

void uc_t_m_prelu(uc_t_call *c)
{
    uc_t_set(c, uc_t_prelu(c->build, c->in[0], uc_t_tensor(c, "weight")));
}

/* In eval() the slope is the mean of its bounds. */
void uc_t_m_rrelu(uc_t_call *c)
{
    const double lower = uc_t_attr_float(c, "lower", 1.0 / 8);
    const double upper = uc_t_attr_float(c, "upper", 1.0 / 3);
    uc_t_set(c, uc_t_leaky_relu(c->build, c->in[0], (lower + upper) / 2));
}

void uc_t_m_glu(uc_t_call *c)
{
    uc_t_set(c, uc_t_glu(c->build, c->in[0], uc_t_attr_int(c, "dim", -1)));
}

/* Without dim: the first axis of 0, 1 and 3 dimensions, else the second (_get_softmax_dim). */
void uc_t_m_softmax(uc_t_call *c)
{
    uc_t_build *b = c->build;
    const uc_ref x = c->in[0];
    int64_t dim = c->row->arg;
    if (!dim) {
        const int rank = uc_t_rank(b, x);
        const int64_t implied = rank == 0 || rank == 1 || rank == 3 ? 0 : 1;
        if (!uc_t_attr(c, "dim") && rank < 0) {
            uc_t_refuse(c, "its dim isn't said and the input's rank isn't known");
            return;
        }
        dim = uc_t_attr_int(c, "dim", implied);
    }
    if (strcmp(c->row->word, "softmax") == 0)
        uc_t_set(c, uc_t_softmax(b, x, dim));
    else if (strcmp(c->row->word, "softmin") == 0)
        uc_t_set(c, uc_t_softmin(b, x, dim));
    else
        uc_t_set(c, uc_t_log_softmax(b, x, dim));
}
