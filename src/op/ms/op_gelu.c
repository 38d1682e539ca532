/* Gelu, BiasGelu, FastGelu, QuickGelu, BiasSplitGelu: the kinds of GELU that transformers are fused into.
 *
 * Source: onnxruntime/core/graph/contrib_ops/bert_defs.cc, contrib_defs.cc, diffusion_defs.cc.
 * X [..., n], bias [n] (optional for FastGelu);  Y the type and shape of X
 * Gelu, BiasGelu  x * normal(x), by erf;  FastGelu  its approximation by tanh;  QuickGelu  x * sigmoid(alpha * x)
 * BiasSplitGelu   x + bias as two halves of the last dimension: left * gelu(right) */
#include "op/axis.h"
#include "op/inner.h"
#include "op/spread.h"

#include <inttypes.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *b = uc_call_in(call, 1);
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    if (b) UC_TRY(uc_call_same_dtype(call, 0, 1));
    bool known = b && b->rank >= 0 && x->rank >= 0;
    if (known) {
        bool fits = b->rank == 1 && x->rank >= 1;
        int64_t n = fits ? x->shape[x->rank - 1] : -1;
        if (!fits || (n >= 0 && b->shape[0] >= 0 && b->shape[0] != n)) {
            char text[128], other[128];
            return uc_call_fail(call, UNCORK_INPUT, "a bias of shape %.80s for %.80s",
                                uc_shape_text(b->shape, b->rank, text, sizeof text),
                                uc_shape_text(x->shape, x->rank, other, sizeof other));
        }
    }
    return uc_call_shape_like(call, 0, 0, x->dtype);
}

/* loop(x + bias); sums of short floats stay float32. */
static uncork_status run_loop(uc_call *call, uc_unary loop)
{
    const uc_tensor *x = uc_call_arg(call, 0), *b = uc_call_in(call, 1);
    uncork_dtype dtype = uc_spread_dtype(x->dtype);
    uc_tensor sum = *x;
    if (b) {
        uc_inner add;
        const uc_tensor *in[] = {x, b};
        sum.dtype = dtype;
        sum.data = uc_call_scratch(call, (size_t)uc_tensor_count(x), uc_dtype_size(dtype));
        if (!sum.data) return uc_fail_memory(call->error);
        uc_inner_begin(&add, call);
        uc_inner_into(&add, &sum);
        UC_TRY(uc_spread(&add.call, uc_loop_binary(UC_ADD, dtype), in, 2));
    }
    const uc_tensor *in[] = {&sum};
    return uc_spread(call, uc_loop_unary(loop, dtype), in, 1);
}

static uncork_status run_gelu(uc_call *call) { return run_loop(call, UC_GELU); }
static uncork_status run_fast(uc_call *call) { return run_loop(call, UC_GELU_TANH); }

static uncork_status run_quick(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uncork_dtype dtype = uc_spread_dtype(x->dtype);
    double wide = uc_call_float(call, "alpha", 1.702);
    float narrow = (float)wide;
    uc_tensor alpha = {.dtype = dtype, .data = dtype == UNCORK_FLOAT64 ? (void *)&wide : &narrow};
    const uc_tensor *in[] = {x, &alpha};
    return uc_spread(call, uc_loop_scaled(UC_SWISH, dtype), in, 2);
}

#define ROW(SYMBOL, NAME, MIN, MAX, RUN)                        \
    const uc_op uc_op_ms_##SYMBOL = {.domain = "com.microsoft", \
                                     .name = NAME,              \
                                     .in = {MIN, MAX},          \
                                     .out = {1, 1},             \
                                     .infer = infer,            \
                                     .run = RUN};

ROW(gelu, "Gelu", 1, 1, run_gelu)
ROW(bias_gelu, "BiasGelu", 2, 2, run_gelu)
ROW(fast_gelu, "FastGelu", 1, 2, run_fast)
ROW(quick_gelu, "QuickGelu", 1, 1, run_quick)
