/* SwiGLU: swish(a) * b.
 *
 * Source: ONNX operator SwiGLU, opset 28: a * sigmoid(alpha * a) * b, no broadcasting.
 * a, b, y  float of one type and shape. */
#include "op/activation.h"
#include "op/shape.h"
#include "op/widen.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    bool same = a->rank < 0 || b->rank < 0 || a->rank == b->rank;
    for (int d = 0; same && a->rank >= 0 && d < b->rank; d++) {
        same = a->shape[d] < 0 || b->shape[d] < 0 || a->shape[d] == b->shape[d];
    }
    if (!same) {
        char s[128], t[128];
        return uc_call_fail(call, UNCORK_INPUT, "shapes %.90s and %.90s differ",
                            uc_shape_text(a->shape, a->rank, s, sizeof s),
                            uc_shape_text(b->shape, b->rank, t, sizeof t));
    }
    return uc_call_shape_like(call, 0, 0, a->dtype);
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    int64_t n = uc_tensor_count(a);
    uc_activation swish;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    double alpha = uc_call_float(call, "alpha", 1);
    if (!uc_activation_of(uc_str_of("Swish"), alpha, 0, a->dtype, &swish)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not for %s", uc_dtype_name(a->dtype));
    }
    if (y->data != a->data) memcpy(y->data, a->data, (size_t)n * uc_dtype_size(a->dtype));
    uc_activation_apply(&swish, y->data, n);
    for (int64_t i = 0; i < n; i++) {
        if (a->dtype == UNCORK_FLOAT64) {
            ((double *)y->data)[i] *= ((const double *)b->data)[i];
        } else {
            ((float *)y->data)[i] *= ((const float *)b->data)[i];
        }
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_swiglu = {
    .name = "SwiGLU", .in = {2, 2}, .out = {1, 1}, .infer = infer, .run = run};
