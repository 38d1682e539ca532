/* Two numbers to one: Add, Sub, Mul, Div, Mod, Pow, Min, Max, Sum, Mean, the bitwise operators.
 *
 * Source: ONNX operators Add 14, Sub 14, Mul 14, Div 14, Mod 13, Pow 15, Min 13, Max 13, Sum 13, Mean
 * 13, BitShift 11, BitwiseAnd 18, BitwiseOr 18, BitwiseXor 18, PRelu 16.
 * a, b  one numeric type, broadcast as in NumPy;  y  that type (Pow: the type of a).
 * Numerics: integers wrap; division by an integer zero gives 0 (ONNX leaves it open); Min and Max
 * give NaN when one side is. */
#include "op/shape.h"
#include "op/spread.h"

static uncork_status infer_broadcast(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    for (size_t i = 0; i < call->in_count; i++) {
        UC_TRY(uc_call_expect(call, i, UC_TYPES_NUMERIC));
        UC_TRY(uc_call_same_dtype(call, 0, i));
    }
    UC_TRY(uc_broadcast_inputs(call, 0, call->in_count, &rank, shape));
    uncork_dtype dtype = uc_call_dtype(call, 0);
    for (size_t i = 1; dtype == UNCORK_DTYPE_NONE && i < call->in_count; i++) {
        dtype = uc_call_dtype(call, i);
    }
    return uc_call_shape(call, 0, dtype, rank, shape);
}

static uc_loop_fn loop_of(const uc_call *call, uc_binary op)
{
    return uc_loop_binary(op, uc_spread_dtype(uc_call_dtype(call, 0)));
}

#define BINARY(SYMBOL, NAME, OP)                             \
    static uncork_status run_##SYMBOL(uc_call *call)         \
    {                                                        \
        return uc_spread_inputs(call, loop_of(call, OP), 2); \
    }                                                        \
    const uc_op uc_op_##SYMBOL = {                           \
        .name = NAME, .in = {2, 2}, .out = {1, 1}, .infer = infer_broadcast, .run = run_##SYMBOL};

BINARY(add, "Add", UC_ADD)
BINARY(sub, "Sub", UC_SUB)
BINARY(mul, "Mul", UC_MUL)
BINARY(div, "Div", UC_DIV)
BINARY(bitwise_and, "BitwiseAnd", UC_BITAND)
BINARY(bitwise_or, "BitwiseOr", UC_BITOR)
BINARY(bitwise_xor, "BitwiseXor", UC_BITXOR)

#define VARIADIC(SYMBOL, NAME, OP)                          \
    static uncork_status run_##SYMBOL(uc_call *call)        \
    {                                                       \
        return uc_spread_fold(call, loop_of(call, OP));     \
    }                                                       \
    const uc_op uc_op_##SYMBOL = {.name = NAME,             \
                                  .in = {1, -1},            \
                                  .out = {1, 1},            \
                                  .infer = infer_broadcast, \
                                  .run = run_##SYMBOL};

VARIADIC(min, "Min", UC_MIN)
VARIADIC(max, "Max", UC_MAX)
VARIADIC(sum, "Sum", UC_ADD)

/* The sum of the inputs over their number. */
static uncork_status run_mean(uc_call *call)
{
    UC_TRY(run_sum(call));
    uncork_dtype dtype = uc_spread_dtype(uc_call_dtype(call, 0));
    double n64 = (double)call->in_count;
    float n32 = (float)n64;
    uc_tensor n = {.dtype = dtype, .data = &n64};
    if (dtype == UNCORK_FLOAT32) n.data = &n32;
    const uc_tensor *in[] = {&call->out[0]->tensor, &n};
    return uc_spread(call, loop_of(call, UC_DIV), in, 2);
}

const uc_op uc_op_mean = {
    .name = "Mean", .in = {1, -1}, .out = {1, 1}, .infer = infer_broadcast, .run = run_mean};

/* fmod 1: C's fmod, needed for floats; 0: the sign of the divisor, as in Python. */
static uncork_status run_mod(uc_call *call)
{
    bool c = uc_call_int(call, "fmod", 0) != 0;
    return uc_spread_inputs(call, loop_of(call, c ? UC_FMOD : UC_MOD), 2);
}

const uc_op uc_op_mod = {
    .name = "Mod", .in = {2, 2}, .out = {1, 1}, .infer = infer_broadcast, .run = run_mod};

static uncork_status run_bit_shift(uc_call *call)
{
    bool left = uc_str_is(uc_call_str(call, "direction", "LEFT"), "LEFT");
    return uc_spread_inputs(call, loop_of(call, left ? UC_SHL : UC_SHR), 2);
}

const uc_op uc_op_bit_shift = {.name = "BitShift",
                               .in = {2, 2},
                               .out = {1, 1},
                               .infer = infer_broadcast,
                               .run = run_bit_shift};

/* y = x < 0 ? slope * x : x; the slope broadcasts to x. */
static uncork_status run_p_relu(uc_call *call)
{
    uncork_dtype dtype = uc_spread_dtype(uc_call_dtype(call, 0));
    return uc_spread_inputs(call, uc_loop_scaled(UC_LEAKY_RELU, dtype), 2);
}

const uc_op uc_op_p_relu = {
    .name = "PRelu", .in = {2, 2}, .out = {1, 1}, .infer = infer_broadcast, .run = run_p_relu};

/* ---- Pow: the exponent may be of another type --------------------------------------------- */

static uncork_status infer_pow(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_NUMERIC));
    UC_TRY(uc_broadcast_inputs(call, 0, 2, &rank, shape));
    return uc_call_shape(call, 0, uc_call_dtype(call, 0), rank, shape);
}

/* Both sides as `dtype` in scratch. */
static uncork_status cast_into(uc_call *call, const uc_tensor *t, uncork_dtype dtype, uc_tensor *to)
{
    *to = *t;
    if (t->dtype == dtype) return UNCORK_OK;
    uc_tensor_set(to, dtype, t->rank, t->shape);
    int64_t n = uc_tensor_count(t);
    to->data = uc_call_scratch(call, (size_t)n, uc_dtype_size(dtype));
    if (!to->data) return uc_fail_memory(call->error);
    uc_dtype_convert(to->data, dtype, t->data, t->dtype, n);
    return UNCORK_OK;
}

static uncork_status run_pow_as(uc_call *call, uncork_dtype dtype)
{
    uc_tensor a = {0}, b = {0};
    const uc_tensor *in[] = {&a, &b};
    UC_TRY(cast_into(call, uc_call_arg(call, 0), dtype, &a));
    UC_TRY(cast_into(call, uc_call_arg(call, 1), dtype, &b));
    return uc_spread(call, uc_loop_binary(UC_POW, uc_spread_dtype(dtype)), in, 2);
}

/* An integer to a float power is a float, cut to the integer type afterwards. */
static uncork_status run_pow_rounded(uc_call *call)
{
    uc_value wide = {.kind = UC_TENSOR}, *out[] = {&wide};
    uc_call inner = *call;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    int64_t n = uc_tensor_count(y);
    uc_tensor_set(&wide.tensor, UNCORK_FLOAT64, y->rank, y->shape);
    wide.tensor.data = uc_call_scratch(call, (size_t)n, sizeof(double));
    if (!wide.tensor.data) return uc_fail_memory(call->error);
    inner.out = out;
    UC_TRY(run_pow_as(&inner, UNCORK_FLOAT64));
    uc_dtype_convert(y->data, y->dtype, wide.tensor.data, UNCORK_FLOAT64, n);
    return UNCORK_OK;
}

static uncork_status run_pow(uc_call *call)
{
    uncork_dtype a = uc_call_dtype(call, 0), b = uc_call_dtype(call, 1);
    bool rounded = uc_dtype_is_integer(a) && uc_dtype_is_float(b);
    return rounded ? run_pow_rounded(call) : run_pow_as(call, a);
}

const uc_op uc_op_pow = {
    .name = "Pow", .in = {2, 2}, .out = {1, 1}, .infer = infer_pow, .run = run_pow};
