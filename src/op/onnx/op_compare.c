/* Two elements to a bool, and the logic of bools: Equal, Less, LessOrEqual, Greater, GreaterOrEqual,
 * And, Or, Xor, Not, IsNaN, IsInf.
 *
 * Source: ONNX operators Equal 19, Less 13, Greater 13, LessOrEqual 16, GreaterOrEqual 16, And 7, Or 7,
 * Xor 7, Not 1, IsNaN 20, IsInf 20.
 * a, b  one type (Equal: bool and string too), broadcast as in NumPy;  y  bool. */
#include "op/shape.h"
#include "op/spread.h"

#include <math.h>

static uncork_status infer_compare(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    UC_TRY(uc_broadcast_inputs(call, 0, 2, &rank, shape));
    return uc_call_shape(call, 0, UNCORK_BOOL, rank, shape);
}

static uncork_status infer_numbers(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_NUMERIC));
    return infer_compare(call);
}

static uncork_status infer_logic(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_BOOL));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_BOOL));
    return infer_compare(call);
}

static uncork_status run_loop(uc_call *call, uc_compare op)
{
    uncork_dtype dtype = uc_spread_dtype(uc_call_dtype(call, 0));
    return uc_spread_inputs(call, uc_loop_compare(op, dtype), 2);
}

#define COMPARE(SYMBOL, NAME, OP, INFER)                                            \
    static uncork_status run_##SYMBOL(uc_call *call) { return run_loop(call, OP); } \
    const uc_op uc_op_##SYMBOL = {                                                  \
        .name = NAME, .in = {2, 2}, .out = {1, 1}, .infer = INFER, .run = run_##SYMBOL};

COMPARE(less, "Less", UC_LT, infer_numbers)
COMPARE(less_or_equal, "LessOrEqual", UC_LE, infer_numbers)
COMPARE(greater, "Greater", UC_GT, infer_numbers)
COMPARE(greater_or_equal, "GreaterOrEqual", UC_GE, infer_numbers)
COMPARE(and, "And", UC_AND, infer_logic)
COMPARE(or, "Or", UC_OR, infer_logic)
COMPARE(xor, "Xor", UC_XOR, infer_logic)

/* ---- Equal: strings by their place -------------------------------------------------------- */

/* Element of `t` that output element i reads. */
static int64_t place(const uc_tensor *t, const uc_tensor *out, int64_t i)
{
    int64_t at = 0, stride = 1;
    for (int d = out->rank - 1, e = t->rank - 1; d >= 0; d--, e--) {
        int64_t index = i % out->shape[d];
        i /= out->shape[d];
        if (e < 0) continue;
        at += t->shape[e] == 1 ? 0 : index * stride;
        stride *= t->shape[e];
    }
    return at;
}

static uncork_status equal_strings(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    uc_tensor *out = uc_call_out(call, 0);
    if (!out) return uc_fail_memory(call->error);
    int64_t n = uc_tensor_count(out);
    uint8_t *y = out->data;
    for (int64_t i = 0; i < n; i++) {
        y[i] = uc_str_equal(uc_tensor_string(a, place(a, out, i)),
                            uc_tensor_string(b, place(b, out, i)));
    }
    return UNCORK_OK;
}

static uncork_status run_equal(uc_call *call)
{
    bool strings = uc_call_dtype(call, 0) == UNCORK_STRING;
    return strings ? equal_strings(call) : run_loop(call, UC_EQ);
}

const uc_op uc_op_equal = {
    .name = "Equal", .in = {2, 2}, .out = {1, 1}, .infer = infer_compare, .run = run_equal};

/* ---- one input ---------------------------------------------------------------------------- */

static uncork_status infer_not(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_BOOL));
    return uc_call_shape_like(call, 0, 0, UNCORK_BOOL);
}

static uncork_status run_not(uc_call *call)
{
    uint8_t one = 1;
    const uc_tensor t = {.dtype = UNCORK_BOOL, .data = &one};
    const uc_tensor *in[] = {uc_call_arg(call, 0), &t};
    return uc_spread(call, uc_loop_compare(UC_XOR, UNCORK_BOOL), in, 2);
}

const uc_op uc_op_not = {
    .name = "Not", .in = {1, 1}, .out = {1, 1}, .infer = infer_not, .run = run_not};

static uncork_status infer_float(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    return uc_call_shape_like(call, 0, 0, UNCORK_BOOL);
}

static uncork_status run_is_nan(uc_call *call)
{
    return uc_spread_inputs(call, uc_loop_is_nan(uc_spread_dtype(uc_call_dtype(call, 0))), 1);
}

const uc_op uc_op_is_nan = {
    .name = "IsNaN", .in = {1, 1}, .out = {1, 1}, .infer = infer_float, .run = run_is_nan};

static uncork_status run_is_inf(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool plus = uc_call_int(call, "detect_positive", 1) != 0;
    bool minus = uc_call_int(call, "detect_negative", 1) != 0;
    uc_tensor *out = uc_call_out(call, 0);
    if (!out) return uc_fail_memory(call->error);
    int64_t n = uc_tensor_count(x);
    uint8_t *y = out->data;
    for (int64_t i = 0; i < n; i++) {
        double v = uc_dtype_load_f64(x->data, i, x->dtype);
        y[i] = isinf(v) && (v > 0 ? plus : minus);
    }
    return UNCORK_OK;
}

const uc_op uc_op_is_inf = {
    .name = "IsInf", .in = {1, 1}, .out = {1, 1}, .infer = infer_float, .run = run_is_inf};
