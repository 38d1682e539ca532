/* Quantised tensors as the operators of src/op/ext/op_q_*.c take them.
 * Source: tensorflow/lite/kernels/kernel_util.cc (CalculateActivationRangeQuantized). */
#include "import/tflite/tflite_quant.h"

#include <math.h>

bool uc_tfl_q_is(const uc_tfl_call *c, const uc_tfl_tensor *t)
{
    const uncork_dtype d = t->dtype;
    const bool narrow = d == UNCORK_INT8 || d == UNCORK_UINT8;
    if (c->build->kernels == UNCORK_KERNELS_REAL || t->scales != 1) return false;
    if (!(t->scale[0] > 0) || !isfinite(t->scale[0])) return false;
    if (d == UNCORK_INT16) return t->zero[0] == 0;
    const int64_t low = d == UNCORK_INT8 ? -128 : 0;
    return narrow && t->zero[0] >= low && t->zero[0] <= low + 255;
}

int64_t uc_tfl_q_zero(const uc_tfl_call *c, const uc_tfl_tensor *t)
{
    return t->zero[0] + (uc_tfl_is_lifted(c->build, t) ? 128 : 0);
}

uncork_dtype uc_tfl_q_dtype(const uc_tfl_call *c, const uc_tfl_tensor *t)
{
    return uc_tfl_is_lifted(c->build, t) ? UNCORK_UINT8 : t->dtype;
}

bool uc_tfl_q_delegates(const uc_tfl_call *c, const uc_tfl_tensor *a, const uc_tfl_tensor *b)
{
    return c->build->kernels == UNCORK_KERNELS_XNNPACK && a->dtype != UNCORK_INT16 &&
           a->dtype == b->dtype && isnormal(a->scale[0]) && isnormal(b->scale[0]);
}

void uc_tfl_q_put(uc_tfl_call *c, uc_node *n, const char *prefix, const uc_tfl_tensor *t)
{
    uc_graph *g = c->graph;
    uc_node_float(g, n, uc_arena_printf(g->arena, "%s_scale", prefix), (double)t->scale[0]);
    uc_node_int(g, n, uc_arena_printf(g->arena, "%s_zero", prefix), uc_tfl_q_zero(c, t));
}

void uc_tfl_q_put_rule(uc_tfl_call *c, uc_node *n, bool delegated)
{
    const bool reference = c->build->kernels == UNCORK_KERNELS_REFERENCE;
    uc_node_str(c->graph, n, "rounding",
                delegated   ? "xnnpack"
                : reference ? "reference"
                            : "builtin");
}

void uc_tfl_q_put_offset(uc_tfl_call *c, uc_node *n, const uc_tfl_tensor *t)
{
    if (uc_tfl_is_lifted(c->build, t)) uc_node_int(c->graph, n, "offset", 128);
}

bool uc_tfl_q_put_limits(uc_tfl_call *c, uc_node *n, const uc_tfl_tensor *t, int64_t activation)
{
    const bool wide = t->dtype == UNCORK_INT16;
    double low = wide ? -32768 : 0, high = wide ? 32767 : 255;
    const double zero = (double)uc_tfl_q_zero(c, t);
    const float least = activation == 2 ? -1.0f : 0.0f, most = activation == 2 ? 1.0f : 6.0f;
    if (activation == 0) return true;
    if (activation < 0 || activation > 3) return false;
    const double from = zero + (double)roundf(least / t->scale[0]);
    const double to = zero + (double)roundf(most / t->scale[0]);
    if (from > low) low = from;
    if (activation != 1 && to < high) high = to;
    if (low > high) low = high;
    uc_node_int(c->graph, n, "low", (int64_t)low);
    uc_node_int(c->graph, n, "high", (int64_t)high);
    return true;
}
