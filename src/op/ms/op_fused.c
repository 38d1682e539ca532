/* FusedMatMul, FusedGemm, FusedConv: products with what ONNX Runtime's optimiser found around them.
 *
 * Source: onnxruntime/core/graph/contrib_ops/contrib_defs.cc. FusedMatMul: alpha * A' B', where transBatch
 * moves the first dimension in front of the last, and trans swaps the last two. FusedGemm and FusedConv: an
 * activation by name (Relu, Tanh, Sigmoid, LeakyRelu, HardSigmoid, Clip, ...); FusedConv adds Z before it. */
#include "kernel/elementwise.h"
#include "op/activation.h"
#include "op/inner.h"
#include "op/shape.h"
#include "op/spread.h"
#include "op/widen.h"

#include <math.h>

/* ---- FusedMatMul -------------------------------------------------------------------------- */

static void swap_dims(uc_tensor *t, int a, int b)
{
    int64_t shape = t->shape[a], stride = t->stride[a];
    t->shape[a] = t->shape[b];
    t->stride[a] = t->stride[b];
    t->shape[b] = shape;
    t->stride[b] = stride;
}

static uc_tensor turned(const uc_call *call, size_t i)
{
    uc_tensor t = *uc_call_arg(call, i);
    if (t.rank < 2) return t;
    if (uc_call_int(call, i ? "transBatchB" : "transBatchA", 0)) {
        for (int d = 0; d + 2 < t.rank; d++) {
            swap_dims(&t, d, d + 1);
        }
    }
    if (uc_call_int(call, i ? "transB" : "transA", 0)) swap_dims(&t, t.rank - 2, t.rank - 1);
    return t;
}

static void begin_matmul(uc_inner *inner, const uc_call *call)
{
    uc_tensor a = turned(call, 0), b = turned(call, 1);
    uc_inner_begin(inner, call);
    uc_inner_add(inner, &a);
    uc_inner_add(inner, &b);
    inner->call.prepared = call->prepared;
}

static uncork_status infer_matmul(uc_call *call)
{
    uc_inner inner;
    begin_matmul(&inner, call);
    UC_TRY(uc_op_matmul.infer(&inner.call));
    return uc_call_shape(call, 0, inner.out.tensor.dtype, inner.out.tensor.rank,
                         inner.out.tensor.shape);
}

static uncork_status prepare_matmul(uc_call *call)
{
    uc_inner inner;
    begin_matmul(&inner, call);
    UC_TRY(uc_op_matmul.prepare(&inner.call));
    call->prepared = inner.call.prepared;
    return UNCORK_OK;
}

static uncork_status wide_matmul(uc_call *call)
{
    uc_inner inner;
    uc_tensor *y = uc_call_out(call, 0);
    double wide = uc_call_float(call, "alpha", 1);
    float narrow = (float)wide;
    if (!y) return uc_fail_memory(call->error);
    begin_matmul(&inner, call);
    uc_inner_into(&inner, y);
    UC_TRY(uc_op_matmul.run(&inner.call));
    if (wide == 1) return UNCORK_OK;
    uc_tensor alpha = {.dtype = y->dtype};
    alpha.data = y->dtype == UNCORK_FLOAT64 ? (void *)&wide : &narrow;
    const uc_tensor *in[] = {y, &alpha};
    return uc_spread(&inner.call, uc_loop_binary(UC_MUL, y->dtype), in, 2);
}

static uncork_status run_matmul(uc_call *call) { return uc_widened(call, wide_matmul); }

const uc_op uc_op_ms_fused_matmul = {.domain = "com.microsoft",
                                     .name = "FusedMatMul",
                                     .in = {2, 2},
                                     .out = {1, 1},
                                     .infer = infer_matmul,
                                     .prepare = prepare_matmul,
                                     .run = run_matmul};

/* ---- FusedGemm ---------------------------------------------------------------------------- */

static uncork_status read_activation(uc_call *call, double alpha, double beta, uncork_dtype dtype,
                                     uc_activation *a)
{
    uc_str name = uc_call_str(call, "activation", "");
    if (uc_activation_of(name, alpha, beta, dtype, a)) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_UNSUPPORTED, "there is no activation '%.*s'",
                        name.size < 40 ? (int)name.size : 40, name.data);
}

static uncork_status gemm_activation(uc_call *call, uncork_dtype dtype, uc_activation *a)
{
    return read_activation(call, uc_call_float(call, "activation_alpha", (double)NAN),
                           uc_call_float(call, "activation_beta", (double)NAN), dtype, a);
}

static uncork_status infer_gemm(uc_call *call)
{
    uc_activation a;
    UC_TRY(gemm_activation(call, UNCORK_FLOAT32, &a));
    return uc_op_gemm.infer(call);
}

static uncork_status prepare_gemm(uc_call *call) { return uc_op_gemm.prepare(call); }

static uncork_status wide_gemm(uc_call *call)
{
    uc_activation a;
    UC_TRY(uc_op_gemm.run(call));
    uc_tensor *y = &call->out[0]->tensor;
    if (y->dtype != UNCORK_FLOAT32 && y->dtype != UNCORK_FLOAT64) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not defined for %s",
                            uc_dtype_name(y->dtype));
    }
    UC_TRY(gemm_activation(call, y->dtype, &a));
    uc_activation_apply(&a, y->data, uc_tensor_count(y));
    return UNCORK_OK;
}

static uncork_status run_gemm(uc_call *call) { return uc_widened(call, wide_gemm); }

const uc_op uc_op_ms_fused_gemm = {.domain = "com.microsoft",
                                   .name = "FusedGemm",
                                   .in = {2, 3},
                                   .out = {1, 1},
                                   .strided = true,
                                   .infer = infer_gemm,
                                   .prepare = prepare_gemm,
                                   .run = run_gemm};

/* ---- FusedConv: activation_params in the place of alpha and beta ------------------------------ */

static uc_call with_numbers(const uc_call *call, uc_attr room[UC_INNER_ATTRS])
{
    static const char *const names[] = {"alpha", "beta"};
    const uc_attr *params = uc_call_attr(call, "activation_params");
    uc_call own = *call;
    uc_attr more[2];
    size_t count = 0;
    for (; params && params->kind == UC_ATTR_FLOATS && count < params->count && count < 2;
         count++) {
        more[count] =
            (uc_attr){.name = names[count], .kind = UC_ATTR_FLOAT, .f = params->floats[count]};
    }
    uc_inner_attrs(&own, room, more, count);
    return own;
}

static uncork_status infer_conv(uc_call *call)
{
    uc_attr room[UC_INNER_ATTRS];
    uc_call own = with_numbers(call, room);
    return uc_op_fused_conv.infer(&own);
}

static uncork_status run_conv(uc_call *call)
{
    uc_attr room[UC_INNER_ATTRS];
    uc_call own = with_numbers(call, room);
    return uc_op_fused_conv.run(&own);
}

static uint64_t macs_conv(const uc_call *call) { return uc_op_fused_conv.macs(call); }

const uc_op uc_op_ms_fused_conv = {.domain = "com.microsoft",
                                   .name = "FusedConv",
                                   .in = {2, 4},
                                   .out = {1, 1},
                                   .infer = infer_conv,
                                   .run = run_conv,
                                   .macs = macs_conv,
                                   .stoppable = true};
