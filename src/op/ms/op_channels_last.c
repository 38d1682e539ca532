/* Operators over channels last, and quantised pools: another operator between two small steps.
 *
 * Source: onnxruntime/core/graph/contrib_ops/nhwc_schema_defs.cc, quantization_defs.cc; rounding of the pools
 * as in contrib_ops/cpu/quantization/qlinear_pool.cc, mlas/lib/qlgavgpool.cpp.
 * NhwcMaxPool  int8 or uint8 [N, D1, ..., C];  NhwcConv  float, w [M, C / group, k1, ...]
 * QLinearAveragePool, QLinearGlobalAveragePool  int8 or uint8; attribute channels_last
 * Numerics: the pools' averages are float32 sums over dequantised elements; the global one is an integer sum
 * times one float32 factor. */
#include "kernel/copy.h"
#include "kernel/quantize.h"
#include "kernel/requantize.h"
#include "op/inner.h"
#include "op/quant.h"
#include "op/shape.h"

#include <inttypes.h>
#include <math.h>

/* ---- layout ------------------------------------------------------------------------------- */

/* t with channels first over the same data, or back: strides say where its elements are. */
static uc_tensor turned(const uc_tensor *t, bool to_first)
{
    uc_tensor v = *t;
    int last = t->rank - 1;
    if (last < 2) return v;
    for (int d = 1; d <= last; d++) {
        int from = to_first ? (d == 1 ? last : d - 1) : (d == last ? 1 : d + 1);
        v.shape[d] = t->shape[from];
        v.stride[d] = t->stride[from];
    }
    return v;
}

static uncork_status densed(uc_call *call, const uc_tensor *view, uc_tensor *to)
{
    size_t size = uc_dtype_size(view->dtype);
    uc_tensor_set(to, view->dtype, view->rank, view->shape);
    to->data = uc_call_scratch(call, (size_t)uc_tensor_count(view), size);
    if (!to->data) return uc_fail_memory(call->error);
    uc_copy_strided(to->data, NULL, view->data, view->stride, view->rank, view->shape, size);
    return UNCORK_OK;
}

/* ---- NhwcMaxPool, NhwcConv ---------------------------------------------------------------- */

static void begin_first(uc_inner *inner, const uc_call *call, const uc_tensor *x)
{
    uc_inner_begin(inner, call);
    uc_inner_add(inner, x);
    for (size_t i = 1; i < call->in_count && i < UC_INNER_VALUES; i++) {
        uc_inner_add(inner, uc_call_in(call, i));
    }
}

static uncork_status infer_last(uc_call *call, const uc_op *op, uncork_dtype dtype)
{
    uc_inner inner;
    uc_tensor x = turned(uc_call_arg(call, 0), true);
    begin_first(&inner, call, &x);
    UC_TRY(op->infer(&inner.call));
    uc_tensor y = turned(&inner.out.tensor, false);
    return uc_call_shape(call, 0, dtype ? dtype : y.dtype, y.rank, y.shape);
}

static uncork_status run_last(uc_call *call, const uc_op *op)
{
    uc_inner inner;
    uc_tensor *y = uc_call_out(call, 0), view, x, first;
    if (!y) return uc_fail_memory(call->error);
    view = turned(uc_call_arg(call, 0), true);
    UC_TRY(densed(call, &view, &x));
    view = turned(y, true);
    first = view;
    uc_tensor_set(&first, y->dtype, view.rank, view.shape);
    first.data = uc_call_scratch(call, (size_t)uc_tensor_count(y), uc_dtype_size(y->dtype));
    if (!first.data) return uc_fail_memory(call->error);
    begin_first(&inner, call, &x);
    uc_inner_into(&inner, &first);
    UC_TRY(op->run(&inner.call));
    uc_copy_strided(y->data, view.stride, first.data, NULL, view.rank, view.shape,
                    uc_dtype_size(y->dtype));
    return UNCORK_OK;
}

static uncork_status infer_max(uc_call *call)
{
    return infer_last(call, &uc_op_max_pool, UNCORK_DTYPE_NONE);
}
static uncork_status run_max(uc_call *call) { return run_last(call, &uc_op_max_pool); }
static uncork_status infer_conv(uc_call *call)
{
    return infer_last(call, &uc_op_conv, UNCORK_DTYPE_NONE);
}
static uncork_status run_conv(uc_call *call) { return run_last(call, &uc_op_conv); }

const uc_op uc_op_ms_nhwc_max_pool = {.domain = "com.microsoft",
                                      .name = "NhwcMaxPool",
                                      .in = {1, 1},
                                      .out = {1, 1},
                                      .infer = infer_max,
                                      .run = run_max};
const uc_op uc_op_ms_nhwc_conv = {.domain = "com.microsoft",
                                  .name = "NhwcConv",
                                  .in = {2, 3},
                                  .out = {1, 1},
                                  .infer = infer_conv,
                                  .run = run_conv};

/* ---- quantised pools: x, x_scale, x_zero_point, y_scale, y_zero_point ------------------------ */

static bool is_last(const uc_call *call) { return uc_call_int(call, "channels_last", 0) != 0; }

static uncork_status check_pool(uc_call *call)
{
    uncork_dtype dtype = uc_call_dtype(call, 0);
    if (dtype && dtype != UNCORK_INT8 && dtype != UNCORK_UINT8) {
        return uc_call_fail(call, UNCORK_INPUT, "X is %s, int8 or uint8 is wanted",
                            uc_dtype_name(dtype));
    }
    UC_TRY(uc_quant_need(call, 3));
    UC_TRY(uc_quant_check_one(call, 1, 2, dtype));
    return uc_quant_check_one(call, 3, 4, dtype);
}

static uncork_status infer_average(uc_call *call)
{
    uc_inner inner;
    const uc_tensor *t = uc_call_arg(call, 0);
    bool last = is_last(call);
    uc_tensor x = last ? turned(t, true) : *t;
    UC_TRY(check_pool(call));
    x.dtype = UNCORK_FLOAT32;
    uc_inner_begin(&inner, call);
    uc_inner_add(&inner, &x);
    UC_TRY(uc_op_average_pool.infer(&inner.call));
    uc_tensor y = last ? turned(&inner.out.tensor, false) : inner.out.tensor;
    return uc_call_shape(call, 0, t->dtype, y.rank, y.shape);
}

/* The floats' averages, quantised in place of the output. */
static uncork_status run_average(uc_call *call)
{
    uc_inner inner;
    const uc_tensor *t = uc_call_arg(call, 0);
    bool last = is_last(call);
    uc_tensor *out = uc_call_out(call, 0), x = *t, y, view;
    float scale = uc_quant_scale(call, 1), y_scale = uc_quant_scale(call, 3);
    int32_t zero = uc_quant_zero(call, 2), y_zero = uc_quant_zero(call, 4);
    if (!out) return uc_fail_memory(call->error);
    if (last) {
        view = turned(t, true);
        UC_TRY(densed(call, &view, &x));
    }
    int64_t n = uc_tensor_count(&x);
    float *wide = uc_call_scratch(call, (size_t)n, sizeof *wide);
    if (!wide) return uc_fail_memory(call->error);
    uc_quant_row q = {&scale, &zero, 0, 0, 0};
    uc_dtype_floats(x.data, 0, n, x.dtype, wide);
    uc_dequantize(&q, wide, wide, n);
    x.dtype = UNCORK_FLOAT32;
    x.data = wide;
    view = last ? turned(out, true) : *out;
    y = view;
    uc_tensor_set(&y, UNCORK_FLOAT32, view.rank, view.shape);
    n = uc_tensor_count(&y);
    y.data = uc_call_scratch(call, (size_t)n, sizeof *wide);
    uint8_t *bytes = last ? uc_call_scratch(call, (size_t)n, 1) : out->data;
    if (!y.data || !bytes) return uc_fail_memory(call->error);
    uc_inner_begin(&inner, call);
    uc_inner_add(&inner, &x);
    uc_inner_into(&inner, &y);
    UC_TRY(uc_op_average_pool.run(&inner.call));
    int32_t low = 0, high = 0;
    (void)uc_quant_bounds(out->dtype, &low, &high);
    for (int64_t i = 0; i < n; i++) { /* the zero point comes before the rounding here */
        float v = ((const float *)y.data)[i] / y_scale + (float)y_zero;
        v = v > (float)low ? v : (float)low;
        bytes[i] = (uint8_t)(int32_t)nearbyintf(v < (float)high ? v : (float)high);
    }
    if (last) uc_copy_strided(out->data, view.stride, bytes, NULL, view.rank, view.shape, 1);
    return UNCORK_OK;
}

const uc_op uc_op_ms_qlinear_average_pool = {.domain = "com.microsoft",
                                             .name = "QLinearAveragePool",
                                             .in = {2, 5},
                                             .out = {1, 1},
                                             .infer = infer_average,
                                             .run = run_average};

static uncork_status infer_global(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    UC_TRY(check_pool(call));
    if (x->rank >= 0 && x->rank < 3) {
        return uc_call_fail(call, UNCORK_INPUT, "X has %d dimensions, at least 3 are needed",
                            x->rank);
    }
    for (int d = 0; d < x->rank; d++) {
        bool kept = d == 0 || d == (is_last(call) ? x->rank - 1 : 1);
        shape[d] = kept ? x->shape[d] : 1;
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

static uncork_status run_global(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    bool last = is_last(call), is_signed = x->dtype == UNCORK_INT8;
    int64_t channels = x->shape[last ? x->rank - 1 : 1], size = 1, count = uc_tensor_count(y);
    for (int d = 1; d < x->rank; d++) {
        if (d != (last ? x->rank - 1 : 1)) size *= x->shape[d];
    }
    float scale = uc_quant_scale(call, 1) / (uc_quant_scale(call, 3) * (float)size);
    int32_t zero = uc_quant_zero(call, 4), low = 0, high = 0;
    uint32_t bias = (uint32_t)-uc_quant_zero(call, 2) * (uint32_t)size;
    (void)uc_quant_bounds(x->dtype, &low, &high);
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *p = (const uint8_t *)x->data;
        uint32_t sum = bias;
        p += last ? i / channels * size * channels + i % channels : i * size;
        for (int64_t k = 0; k < size; k++, p += last ? channels : 1) {
            sum += (uint32_t)(is_signed ? (int8_t)*p : (int32_t)*p);
        }
        ((uint8_t *)y->data)[i] = uc_requantize((int32_t)sum, scale, zero, low, high);
    }
    return UNCORK_OK;
}

const uc_op uc_op_ms_qlinear_global_average_pool = {.domain = "com.microsoft",
                                                    .name = "QLinearGlobalAveragePool",
                                                    .in = {2, 5},
                                                    .out = {1, 1},
                                                    .infer = infer_global,
                                                    .run = run_global};
