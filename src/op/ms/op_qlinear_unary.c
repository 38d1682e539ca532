/* QLinearLeakyRelu, QLinearSigmoid, QLinearSoftmax, QLinearConcat: quantised tensors through tables.
 *
 * Source: onnxruntime/core/graph/contrib_ops/quantization_defs.cc; contrib_ops/cpu/quantization/
 * qlinear_lookup_table.cc, qlinear_softmax.cc, qlinear_concat.cc.
 * X  int8 or uint8; scales float32, zero points of X's type, one each (missing: 0) */
#include "base/thread.h"
#include "kernel/vmath.h"
#include "op/axis.h"
#include "op/quant.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

static uncork_status check_byte(uc_call *call, size_t i)
{
    uncork_dtype dtype = uc_call_dtype(call, i);
    if (!dtype || dtype == UNCORK_INT8 || dtype == UNCORK_UINT8) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, int8 or uint8 is wanted", i,
                        uc_dtype_name(dtype));
}

static uncork_status infer(uc_call *call)
{
    uncork_dtype dtype = uc_call_dtype(call, 0);
    UC_TRY(check_byte(call, 0));
    UC_TRY(uc_quant_need(call, 3));
    UC_TRY(uc_quant_check_one(call, 1, 2, dtype));
    UC_TRY(uc_quant_check_one(call, 3, 4, dtype));
    return uc_call_shape_like(call, 0, 0, dtype);
}

static uncork_status run_table(uc_call *call, uc_quant_fn f, const void *context)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    uc_quant_table table = {.dtype = x->dtype};
    table.x_scale = uc_quant_scale(call, 1);
    table.x_zero = uc_quant_zero(call, 2);
    table.y_scale = uc_quant_scale(call, 3);
    table.y_zero = uc_quant_zero(call, 4);
    uc_quant_table_fill(&table, f, context);
    uc_quant_table_apply(&table, x->data, y->data, uc_tensor_count(x), call->pool);
    return UNCORK_OK;
}

static void leaky(const void *context, float *x, size_t n)
{
    float alpha = *(const float *)context;
    for (size_t i = 0; i < n; i++) {
        x[i] = x[i] >= 0 ? x[i] : alpha * x[i];
    }
}

static void sigmoid(const void *context, float *x, size_t n)
{
    (void)context;
    uc_expit_f32(x, x, n);
}

static uncork_status run_leaky(uc_call *call)
{
    float alpha = (float)uc_call_float(call, "alpha", 0.01);
    return run_table(call, leaky, &alpha);
}

static uncork_status run_sigmoid(uc_call *call) { return run_table(call, sigmoid, NULL); }

const uc_op uc_op_ms_qlinear_leaky_relu = {.domain = "com.microsoft",
                                           .name = "QLinearLeakyRelu",
                                           .in = {2, 5},
                                           .out = {1, 1},
                                           .infer = infer,
                                           .run = run_leaky};
const uc_op uc_op_ms_qlinear_sigmoid = {.domain = "com.microsoft",
                                        .name = "QLinearSigmoid",
                                        .in = {2, 5},
                                        .out = {1, 1},
                                        .infer = infer,
                                        .run = run_sigmoid};

/* ---- QLinearSoftmax ----------------------------------------------------------------------- */

/* Below opset 13 the dimensions from axis on are one; its default is 1. */
static uncork_status softmax_axis(uc_call *call, const uc_tensor *x, uc_along *a)
{
    int64_t opset = uc_call_int(call, "opset", 13);
    UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", opset < 13 ? 1 : -1), a));
    if (opset < 13) {
        a->n *= a->inner;
        a->inner = 1;
    }
    return UNCORK_OK;
}

static uncork_status infer_softmax(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_along a;
    if (x->rank >= 0) UC_TRY(softmax_axis(call, x, &a));
    return infer(call);
}

typedef struct softmax {
    uc_along a;
    const uint8_t *x;
    uint8_t *y;
    bool is_signed;
    float table
        [256];   /* exp of a distance of 255 - i below the largest, scaled to lose no small one */
    float scale; /* 1 / y_scale, a whole number */
    int32_t zero, low, high;
} softmax;

static int value_of(const softmax *s, uint8_t x) { return s->is_signed ? (int8_t)x : x; }

static void softmax_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const softmax *s = context;
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        int64_t at = row / s->a.inner * s->a.n * s->a.inner + row % s->a.inner, step = s->a.inner;
        int most = -128;
        float sum = 0;
        for (int64_t i = 0; i < s->a.n; i++) {
            int v = value_of(s, s->x[at + i * step]);
            most = v > most ? v : most;
        }
        for (int64_t i = 0; i < s->a.n; i++) {
            sum += s->table[255 + value_of(s, s->x[at + i * step]) - most];
        }
        for (int64_t i = 0; i < s->a.n; i++) {
            float e = s->table[255 + value_of(s, s->x[at + i * step]) - most] * s->scale / sum;
            e = e < 65536 ? e : 65536; /* NaN too */
            int32_t v = (int32_t)nearbyintf(e) + s->zero;
            s->y[at + i * step] = (uint8_t)(v > s->high ? s->high : v < s->low ? s->low : v);
        }
    }
}

static uncork_status run_softmax(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    softmax s = {.x = x->data, .is_signed = x->dtype == UNCORK_INT8};
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(softmax_axis(call, x, &s.a));
    if (uc_tensor_count(x) == 0) return UNCORK_OK;
    double x_scale = (double)uc_quant_scale(call, 1);
    double shift = log((double)(FLT_MAX / (float)s.a.n)) - 5;
    shift = (shift > 0 ? shift : 0) / x_scale;
    for (int i = 0; i < 256; i++) {
        s.table[i] = (float)exp((i - 255 + shift) * x_scale);
    }
    s.y = y->data;
    s.scale = floorf(1.0f / uc_quant_scale(call, 3));
    s.zero = uc_quant_zero(call, 4);
    (void)uc_quant_bounds(x->dtype, &s.low, &s.high);
    uc_parallel(call->pool, s.a.outer * s.a.inner, 1 + 16384 / (s.a.n + 1), softmax_rows, &s);
    return UNCORK_OK;
}

const uc_op uc_op_ms_qlinear_softmax = {.domain = "com.microsoft",
                                        .name = "QLinearSoftmax",
                                        .in = {2, 5},
                                        .out = {1, 1},
                                        .infer = infer_softmax,
                                        .run = run_softmax};

/* ---- QLinearConcat: y_scale, y_zero_point, then (tensor, scale, zero_point) again and again --- */

static uncork_status infer_concat(uc_call *call)
{
    uncork_dtype dtype = uc_call_dtype(call, 1);
    int64_t shape[UNCORK_MAX_RANK];
    int rank = -1, axis = 0;
    UC_TRY(check_byte(call, 1));
    UC_TRY(uc_quant_check_one(call, 0, 1, dtype));
    if (call->in_count < 5 || (call->in_count - 2) % 3) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu inputs: 2 and 3 a tensor are wanted",
                            call->in_count);
    }
    for (size_t i = 2; i < call->in_count; i += 3) {
        const uc_tensor *x = uc_call_in(call, i);
        if (!x || !uc_call_in(call, i + 1) || !uc_call_in(call, i + 2)) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "input %zu, its scale or zero point is missing", i);
        }
        UC_TRY(uc_quant_check_one(call, i + 1, i + 2, x->dtype));
        if (x->dtype && dtype && x->dtype != dtype) {
            return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, the result %s", i,
                                uc_dtype_name(x->dtype), uc_dtype_name(dtype));
        }
        if (x->rank < 0) return uc_call_shape(call, 0, dtype, -1, NULL);
        UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &axis));
        if (rank < 0) memcpy(shape, x->shape, sizeof shape);
        for (int d = 0; rank >= 0 && d < x->rank; d++) {
            int64_t add = x->shape[d];
            bool known = shape[d] >= 0 && add >= 0;
            if (x->rank != rank || (d != axis && known && shape[d] != add)) {
                return uc_call_fail(call, UNCORK_INPUT, "input %zu doesn't fit the ones before", i);
            }
            if (d != axis && shape[d] < 0) shape[d] = add;
            if (d == axis && (!known || __builtin_add_overflow(shape[d], add, &shape[d]))) {
                shape[d] = UC_DIM_UNKNOWN;
            }
        }
        if (rank < 0) rank = x->rank;
        if (x->rank != rank) {
            return uc_call_fail(call, UNCORK_INPUT, "input %zu has %d dimensions, not %d", i,
                                x->rank, rank);
        }
    }
    return uc_call_shape(call, 0, dtype, rank, shape);
}

static uncork_status run_concat(uc_call *call)
{
    uc_tensor *y = uc_call_out(call, 0);
    uc_along whole, a;
    int64_t axis = uc_call_int(call, "axis", 0), from = 0;
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(uc_along_axis(call, y, axis, &whole));
    for (size_t i = 2; i < call->in_count; i += 3) {
        const uc_tensor *x = uc_call_arg(call, i);
        uc_quant_table table = {.dtype = x->dtype, .y_scale = uc_quant_scale(call, 0)};
        table.y_zero = uc_quant_zero(call, 1);
        table.x_scale = uc_quant_scale(call, i + 1);
        table.x_zero = uc_quant_zero(call, i + 2);
        bool same = table.x_scale == table.y_scale && table.x_zero == table.y_zero;
        UC_TRY(uc_along_axis(call, x, axis, &a));
        uc_quant_table_fill(&table, NULL, NULL);
        int64_t piece = a.n * a.inner;
        for (int64_t o = 0; o < a.outer; o++) {
            uint8_t *to = (uint8_t *)y->data + (o * whole.n + from) * whole.inner;
            const uint8_t *bytes = (const uint8_t *)x->data + o * piece;
            if (same) {
                memcpy(to, bytes, (size_t)piece);
            } else {
                uc_quant_table_apply(&table, bytes, to, piece, call->pool);
            }
        }
        from += a.n;
    }
    return UNCORK_OK;
}

const uc_op uc_op_ms_qlinear_concat = {.domain = "com.microsoft",
                                       .name = "QLinearConcat",
                                       .in = {3, -1},
                                       .out = {1, 1},
                                       .infer = infer_concat,
                                       .run = run_concat};
