/* MatMulInteger and QLinearMatMul: products of quantised matrices.
 *
 * Source: ONNX operators MatMulInteger 10, QLinearMatMul 21; rounding as in ONNX Runtime
 * (quantization/quantize_linear_matmul.cc): the three scales make one float32 factor.
 * a [..., m, k], b [..., k, n]  int8 or uint8, each its own; zero points and scales: one, or one a row of a
 * and a column of b
 * y  int32, or requantised to the type of y_zero_point
 * Numerics: sums wrap at 32 bits. Also com.microsoft's MatMulIntegerToFloat and DynamicQuantizeMatMul, which
 * give float32. QLinearMatMul of 8-bit floats sums in float64. */
#include "kernel/quantize.h"
#include "kernel/requantize.h"
#include "op/matrices.h"
#include "op/product_i8.h"
#include "op/quant.h"
#include "op/shape.h"

#include <inttypes.h>

enum { NO_INPUT = 99 };

static uint64_t macs_first(const uc_call *call) { return uc_matrices_macs(call, 0); }

/* ---- MatMulInteger ------------------------------------------------------------------------ */

static uncork_status infer_integer(uc_call *call)
{
    UC_TRY(uc_product_i8_check(call, 0, 1, 2, 3));
    return uc_matrices_infer(call, 0, 1, UNCORK_INT32);
}

static uncork_status prepare_second(uc_call *call) { return uc_product_i8_prepare(call, 1, false); }

static uncork_status run_integer(uc_call *call)
{
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    uc_product_i8 p = {.a = uc_call_arg(call, 0), .b = uc_call_arg(call, 1), .sums = y->data};
    p.a_zero = uc_call_in(call, 2);
    p.b_zero = uc_call_in(call, 3);
    return uc_product_i8_run(call, &p);
}

const uc_op uc_op_matmul_integer = {.name = "MatMulInteger",
                                    .in = {2, 4},
                                    .out = {1, 1},
                                    .infer = infer_integer,
                                    .prepare = prepare_second,
                                    .run = run_integer,
                                    .macs = macs_first,
                                    .stoppable = true};

/* ---- QLinearMatMul ------------------------------------------------------------------------ */

enum { A, A_SCALE, A_ZERO, B, B_SCALE, B_ZERO, Y_SCALE, Y_ZERO };

static bool is_float8(uncork_dtype dtype)
{
    return uc_dtype_is_float(dtype) && uc_quant_is_narrow(dtype) && uc_dtype_size(dtype) == 1;
}

static uncork_status infer_qlinear(uc_call *call)
{
    uncork_dtype y = uc_call_dtype(call, Y_ZERO);
    int64_t scales = 0;
    if (!is_float8(uc_call_dtype(call, A)) || !is_float8(uc_call_dtype(call, B))) {
        UC_TRY(uc_product_i8_check(call, A, B, A_ZERO, B_ZERO));
    }
    for (size_t i = A_SCALE; i <= Y_SCALE; i += 3) {
        const uc_tensor *t = uc_call_arg(call, i);
        UC_TRY(uc_call_expect(call, i, UC_TYPES_FLOAT));
        if (!uc_dims_known(t->shape, t->rank)) continue;
        scales = uc_tensor_count(t);
        if (scales == 1 || (scales > 0 && i != Y_SCALE)) continue;
        return uc_call_fail(call, UNCORK_INPUT, "scale (input %zu) has %" PRId64 " elements", i,
                            scales);
    }
    UC_TRY(uc_quant_check_one(call, Y_SCALE, Y_ZERO, y));
    if (y && uc_dtype_size(y) != 1) {
        return uc_call_fail(call, UNCORK_INPUT, "y_zero_point is %s", uc_dtype_name(y));
    }
    return uc_matrices_infer(call, A, B, y);
}

static uncork_status prepare_qlinear(uc_call *call)
{
    return uc_product_i8_prepare(call, B, false);
}

/* Element i of [count] or, when there are more, of [..., count] by the place of its matrix. */
static float scale_at(const uc_tensor *t, int64_t matrix, int64_t count, int64_t i)
{
    int64_t n = uc_tensor_count(t), at = n == 1 ? 0 : n == count ? i : matrix * count + i;
    return (float)uc_dtype_load_f64(t->data, at, t->dtype);
}

/* Scales of a by row, or of matrices apart: from the sums, element by element. */
static uncork_status requantise_each(uc_call *call, uc_product_i8 *p, uint8_t *y)
{
    const uc_tensor *sa = uc_call_arg(call, A_SCALE), *sb = uc_call_arg(call, B_SCALE);
    const uc_tensor *out = &call->out[0]->tensor;
    uc_tensor a = uc_matrices_of(p->a, true), b = uc_matrices_of(p->b, false);
    int64_t m = a.shape[a.rank - 2], n = b.shape[b.rank - 1], count = uc_tensor_count(out);
    int64_t shape[UNCORK_MAX_RANK], na = uc_tensor_count(sa), nb = uc_tensor_count(sb);
    int rank = 0;
    bool fits =
        (na == 1 || na == m || (a.rank > 2 && na == uc_tensor_count(&a) / a.shape[a.rank - 1])) &&
        (nb == 1 || nb == n || (b.rank > 2 && nb == uc_tensor_count(&b) / b.shape[b.rank - 2]));
    if (!fits) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "%" PRId64 " and %" PRId64 " scales for %" PRId64 " rows and %" PRId64
                            " columns",
                            na, nb, m, n);
    }
    UC_TRY(uc_matrices_broadcast(call, &a, &b, shape, &rank));
    p->sums = uc_call_scratch(call, (size_t)count, sizeof *p->sums);
    if (!p->sums) return uc_fail_memory(call->error);
    p->bytes = NULL;
    UC_TRY(uc_product_i8_run(call, p));
    float y_scale = uc_quant_scale(call, Y_SCALE);
    for (int64_t i = 0; i < count; i++) {
        int64_t batch = i / (m * n);
        float one = scale_at(sa, uc_matrices_batch(&a, shape, rank, batch), m, i / n % m);
        float two = scale_at(sb, uc_matrices_batch(&b, shape, rank, batch), n, i % n);
        y[i] = uc_requantize(p->sums[i], one * two / y_scale, p->zero, p->low, p->high);
    }
    return UNCORK_OK;
}

/* 8-bit floats: exact products summed in float64. */
static uncork_status run_float8(uc_call *call, const uc_tensor *ta, const uc_tensor *tb,
                                uc_tensor *y)
{
    uc_tensor a = uc_matrices_of(ta, true), b = uc_matrices_of(tb, false);
    int64_t m = a.shape[a.rank - 2], k = a.shape[a.rank - 1], n = b.shape[b.rank - 1], step = 0;
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    UC_TRY(uc_matrices_broadcast(call, &a, &b, shape, &rank));
    float *scale =
        uc_product_i8_scales(call, uc_call_arg(call, A_SCALE), uc_call_arg(call, B_SCALE),
                             uc_call_arg(call, Y_SCALE), 1, &step);
    if (!scale) return uc_fail_memory(call->error);
    if (uc_tensor_count(uc_call_arg(call, A_SCALE)) != 1 ||
        (step && uc_tensor_count(uc_call_arg(call, B_SCALE)) != n)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "8-bit floats with a scale a row");
    }
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        int64_t batch = i / (m * n), row = i / n % m, column = i % n;
        int64_t pa = (uc_matrices_batch(&a, shape, rank, batch) * m + row) * k;
        int64_t pb = uc_matrices_batch(&b, shape, rank, batch) * k * n + column;
        double sum = 0;
        for (int64_t q = 0; q < k; q++) {
            sum += uc_dtype_load_f64(a.data, pa + q, a.dtype) *
                   uc_dtype_load_f64(b.data, pb + q * n, b.dtype);
        }
        sum *= (double)scale[column * step];
        uc_dtype_convert((uint8_t *)y->data + i, y->dtype, &sum, UNCORK_FLOAT64, 1);
    }
    return UNCORK_OK;
}

static uncork_status run_qlinear(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, A), *b = uc_call_arg(call, B);
    const uc_tensor *sa = uc_call_arg(call, A_SCALE), *sb = uc_call_arg(call, B_SCALE);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (is_float8(a->dtype)) return run_float8(call, a, b, y);
    uc_product_i8 p = {.a = a, .b = b, .bytes = y->data, .zero = uc_quant_zero(call, Y_ZERO)};
    p.a_zero = uc_call_arg(call, A_ZERO);
    p.b_zero = uc_call_arg(call, B_ZERO);
    if (!uc_quant_bounds(y->dtype, &p.low, &p.high)) {
        return uc_call_fail(call, UNCORK_INPUT, "integers as %s", uc_dtype_name(y->dtype));
    }
    int64_t columns = b->rank > 1 ? b->shape[b->rank - 1] : 1, scales = uc_tensor_count(sb);
    if (uc_tensor_count(sa) != 1 || (scales != 1 && scales != columns)) {
        return requantise_each(call, &p, y->data);
    }
    p.scale = uc_product_i8_scales(call, sa, sb, uc_call_arg(call, Y_SCALE), 1, &p.scale_step);
    if (!p.scale) return uc_fail_memory(call->error);
    return uc_product_i8_run(call, &p);
}

const uc_op uc_op_qlinear_matmul = {.name = "QLinearMatMul",
                                    .in = {8, 8},
                                    .out = {1, 1},
                                    .infer = infer_qlinear,
                                    .prepare = prepare_qlinear,
                                    .run = run_qlinear,
                                    .macs = macs_first,
                                    .stoppable = true};

/* ---- com.microsoft: float32 results --------------------------------------------------------- */

/* Source: onnxruntime/core/graph/contrib_ops/quantization_defs.cc and
 * contrib_ops/cpu/quantization/dynamic_quantize_matmul.cc. bias float32 [n]. */
static uncork_status check_columns(uc_call *call, size_t scale, size_t bias, size_t b)
{
    const uc_tensor *tb = uc_call_arg(call, b);
    const size_t which[] = {scale, bias};
    UC_TRY(uc_call_expect(call, scale, UC_TYPES_FLOAT));
    UC_TRY(uc_call_expect(call, bias, UC_TYPES_FLOAT));
    if (tb->rank < 1 || tb->shape[tb->rank - 1] < 0) return UNCORK_OK;
    int64_t n = tb->rank > 1 ? tb->shape[tb->rank - 1] : 1;
    for (int i = 0; i < 2; i++) {
        const uc_tensor *t = uc_call_in(call, which[i]);
        if (!t || !uc_dims_known(t->shape, t->rank)) continue;
        int64_t count = uc_tensor_count(t);
        if (count == n || (i == 0 && count == 1)) continue;
        return uc_call_fail(call, UNCORK_INPUT,
                            "input %zu has %" PRId64 " elements for %" PRId64 " columns", which[i],
                            count, n);
    }
    return UNCORK_OK;
}

static uncork_status infer_to_float(uc_call *call)
{
    UC_TRY(uc_product_i8_check(call, 0, 1, 4, 5));
    UC_TRY(uc_quant_check_one(call, 2, NO_INPUT, UNCORK_DTYPE_NONE));
    UC_TRY(check_columns(call, 3, 6, 1));
    uncork_dtype scale = uc_call_dtype(call, 2);
    if (scale && scale != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "scales of %s", uc_dtype_name(scale));
    }
    return uc_matrices_infer(call, 0, 1, UNCORK_FLOAT32);
}

static uncork_status run_to_float(uc_call *call)
{
    uc_tensor *y = uc_call_out(call, 0);
    const uc_tensor *bias = uc_call_in(call, 6);
    if (!y) return uc_fail_memory(call->error);
    uc_product_i8 p = {.a = uc_call_arg(call, 0), .b = uc_call_arg(call, 1), .floats = y->data};
    p.a_zero = uc_call_in(call, 4);
    p.b_zero = uc_call_in(call, 5);
    p.float_bias = bias ? bias->data : NULL;
    p.scale = uc_product_i8_scales(call, uc_call_arg(call, 2), uc_call_arg(call, 3), NULL, 1,
                                   &p.scale_step);
    if (!p.scale) return uc_fail_memory(call->error);
    return uc_product_i8_run(call, &p);
}

const uc_op uc_op_ms_matmul_integer_to_float = {.domain = "com.microsoft",
                                                .name = "MatMulIntegerToFloat",
                                                .in = {4, 7},
                                                .out = {1, 1},
                                                .infer = infer_to_float,
                                                .prepare = prepare_second,
                                                .run = run_to_float,
                                                .macs = macs_first,
                                                .stoppable = true};

/* Inputs A f32, B, b_scale, b_zero_point, bias: a is quantised as DynamicQuantizeLinear does. */
static uncork_status infer_dynamic(uc_call *call)
{
    uncork_dtype a = uc_call_dtype(call, 0);
    if (a && a != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_INPUT, "A is %s, float32 is wanted", uc_dtype_name(a));
    }
    UC_TRY(uc_product_i8_check(call, 1, 1, NO_INPUT, 3));
    UC_TRY(check_columns(call, 2, 4, 1));
    return uc_matrices_infer(call, 0, 1, UNCORK_FLOAT32);
}

static uncork_status run_dynamic(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *bias = uc_call_in(call, 4);
    uc_tensor *y = uc_call_out(call, 0), a = *x, zero = {.dtype = UNCORK_UINT8};
    uc_tensor scale = {.dtype = UNCORK_FLOAT32};
    int64_t n = uc_tensor_count(x);
    float a_scale = 1;
    uint8_t a_zero = 0;
    if (!y) return uc_fail_memory(call->error);
    uc_quant_parameters(x->data, n, &a_scale, &a_zero);
    a.dtype = UNCORK_UINT8;
    a.data = uc_call_scratch(call, (size_t)n, 1);
    if (!a.data) return uc_fail_memory(call->error);
    const int32_t wide = a_zero;
    uc_quant_row q = {&a_scale, &wide, 0, 0, 255};
    uc_quantize(&q, x->data, a.data, 1, n);
    zero.data = &a_zero;
    scale.data = &a_scale;
    uc_product_i8 p = {.a = &a, .b = uc_call_arg(call, 1), .a_zero = &zero, .floats = y->data};
    p.b_zero = uc_call_in(call, 3);
    p.float_bias = bias ? bias->data : NULL;
    p.scale = uc_product_i8_scales(call, &scale, uc_call_arg(call, 2), NULL, 1, &p.scale_step);
    if (!p.scale) return uc_fail_memory(call->error);
    return uc_product_i8_run(call, &p);
}

const uc_op uc_op_ms_dynamic_quantize_matmul = {.domain = "com.microsoft",
                                                .name = "DynamicQuantizeMatMul",
                                                .in = {3, 5},
                                                .out = {1, 1},
                                                .infer = infer_dynamic,
                                                .prepare = prepare_second,
                                                .run = run_dynamic,
                                                .macs = macs_first,
                                                .stoppable = true};
