/* Normalisations. Source: torch 2.15, torch/nn/modules/{batchnorm,instancenorm,normalization}.py;
 * torchvision 0.29, ops/misc.py. */
#include "import/pytorch/torch_module.h"

void uc_t_m_batch_norm(uc_t_call *c)
{
    uc_t_set(c, uc_t_batch_norm(c->build, c->in[0], uc_t_tensor(c, "weight"),
                                uc_t_tensor(c, "bias"), uc_t_tensor(c, "running_mean"),
                                uc_t_tensor(c, "running_var"), uc_t_attr_float(c, "eps", 1e-5)));
}

/* torchvision.ops.FrozenBatchNorm2d: eps was 0 before 0.6. */
void uc_t_m_frozen_batch_norm(uc_t_call *c)
{
    uc_t_set(c, uc_t_batch_norm(c->build, c->in[0], uc_t_tensor(c, "weight"),
                                uc_t_tensor(c, "bias"), uc_t_tensor(c, "running_mean"),
                                uc_t_tensor(c, "running_var"), uc_t_attr_float(c, "eps", 0)));
}

void uc_t_m_instance_norm(uc_t_call *c)
{
    uc_t_build *b = c->build;
    const bool single = uc_t_rank(b, c->in[0]) == c->row->arg + 1;
    const uc_ref x = single ? uc_g_unsqueeze(b->graph, c->in[0], 0) : c->in[0];
    const uc_ref y = uc_t_instance_norm(
        b, x, uc_t_tensor(c, "weight"), uc_t_tensor(c, "bias"), uc_t_tensor(c, "running_mean"),
        uc_t_tensor(c, "running_var"), uc_t_attr_float(c, "eps", 1e-5));
    uc_t_set(c, single ? uc_g_squeeze(b->graph, y, 0) : y);
}

/* How many axes are normalised: normalized_shape is a tuple, torch.Size or one number. */
static int normalized_axes(uc_t_call *c)
{
    int64_t shape[UNCORK_MAX_RANK], one;
    const uc_pickle *value = uc_t_attr(c, "normalized_shape");
    const size_t n = uc_t_ints(value, shape, UNCORK_MAX_RANK);
    if (n != SIZE_MAX) return (int)n;
    return value && uc_pickle_i64(value, &one) ? 1 : 0;
}

void uc_t_m_layer_norm(uc_t_call *c)
{
    uc_t_set(c, uc_t_layer_norm(c->build, c->in[0], normalized_axes(c), uc_t_tensor(c, "weight"),
                                uc_t_tensor(c, "bias"), uc_t_attr_float(c, "eps", 1e-5)));
}

void uc_t_m_rms_norm(uc_t_call *c)
{
    uc_t_set(c, uc_t_rms_norm(c->build, c->in[0], normalized_axes(c), uc_t_tensor(c, "weight"),
                              uc_t_attr_float(c, "eps", -1)));
}

void uc_t_m_group_norm(uc_t_call *c)
{
    uc_t_set(c, uc_t_group_norm(c->build, c->in[0], uc_t_attr_int(c, "num_groups", 1),
                                uc_t_tensor(c, "weight"), uc_t_tensor(c, "bias"),
                                uc_t_attr_float(c, "eps", 1e-5)));
}

void uc_t_m_response_norm(uc_t_call *c)
{
    uc_t_set(c, uc_t_local_response_norm(c->build, c->in[0], uc_t_attr_int(c, "size", 5),
                                         uc_t_attr_float(c, "alpha", 1e-4),
                                         uc_t_attr_float(c, "beta", 0.75),
                                         uc_t_attr_float(c, "k", 1)));
}
