/* One number to one: Abs to Tanh, and the activations.
 *
 * Source: ONNX operators of these names at opset 28.
 * x  a numeric type (floats only where the function leaves the integers), any shape
 * y  the same type and shape; may share x's memory. */
#include "op/shape.h"
#include "op/spread.h"

static uncork_status infer_number(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    return uc_call_shape_like(call, 0, 0, uc_call_dtype(call, 0));
}

static uncork_status infer_float(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    return uc_call_shape_like(call, 0, 0, uc_call_dtype(call, 0));
}

static uncork_status infer_int(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_INT));
    return uc_call_shape_like(call, 0, 0, uc_call_dtype(call, 0));
}

static uncork_status run_loop(uc_call *call, uc_unary op)
{
    return uc_spread_inputs(call, uc_loop_unary(op, uc_spread_dtype(uc_call_dtype(call, 0))), 1);
}

#define UNARY(SYMBOL, NAME, OP, INFER)                                              \
    static uncork_status run_##SYMBOL(uc_call *call) { return run_loop(call, OP); } \
    const uc_op uc_op_##SYMBOL = {                                                  \
        .name = NAME, .in = {1, 1}, .out = {1, 1}, .infer = INFER, .run = run_##SYMBOL};

UNARY(abs, "Abs", UC_ABS, infer_number)
UNARY(acos, "Acos", UC_ACOS, infer_float)
UNARY(acosh, "Acosh", UC_ACOSH, infer_float)
UNARY(asin, "Asin", UC_ASIN, infer_float)
UNARY(asinh, "Asinh", UC_ASINH, infer_float)
UNARY(atan, "Atan", UC_ATAN, infer_float)
UNARY(atanh, "Atanh", UC_ATANH, infer_float)
UNARY(bitwise_not, "BitwiseNot", UC_BITNOT, infer_int)
UNARY(ceil, "Ceil", UC_CEIL, infer_float)
UNARY(cos, "Cos", UC_COS, infer_float)
UNARY(cosh, "Cosh", UC_COSH, infer_float)
UNARY(erf, "Erf", UC_ERF, infer_float)
UNARY(exp, "Exp", UC_EXP, infer_float)
UNARY(floor, "Floor", UC_FLOOR, infer_float)
UNARY(hard_swish, "HardSwish", UC_HARDSWISH, infer_float)
UNARY(log, "Log", UC_LOG, infer_float)
UNARY(mish, "Mish", UC_MISH, infer_float)
UNARY(neg, "Neg", UC_NEG, infer_number)
UNARY(reciprocal, "Reciprocal", UC_RECIPROCAL, infer_float)
UNARY(relu, "Relu", UC_RELU, infer_number)
UNARY(round, "Round", UC_ROUND, infer_float)
UNARY(sigmoid, "Sigmoid", UC_SIGMOID, infer_float)
UNARY(sign, "Sign", UC_SIGN, infer_number)
UNARY(sin, "Sin", UC_SIN, infer_float)
UNARY(sinh, "Sinh", UC_SINH, infer_float)
UNARY(softplus, "Softplus", UC_SOFTPLUS, infer_float)
UNARY(softsign, "Softsign", UC_SOFTSIGN, infer_float)
UNARY(sqrt, "Sqrt", UC_SQRT, infer_float)
UNARY(tan, "Tan", UC_TAN, infer_float)
UNARY(tanh, "Tanh", UC_TANH, infer_float)

static uncork_status run_gelu(uc_call *call)
{
    bool by_tanh = uc_str_is(uc_call_str(call, "approximate", "none"), "tanh");
    return run_loop(call, by_tanh ? UC_GELU_TANH : UC_GELU);
}

const uc_op uc_op_gelu = {
    .name = "Gelu", .in = {1, 1}, .out = {1, 1}, .infer = infer_float, .run = run_gelu};

/* ---- with one parameter: alpha and its default -------------------------------------------- */

static uncork_status run_scaled(uc_call *call, uc_scaled op, double otherwise)
{
    uncork_dtype dtype = uc_spread_dtype(uc_call_dtype(call, 0));
    double k64 = uc_call_float(call, "alpha", otherwise);
    float k32 = (float)k64;
    uc_tensor k = {.dtype = dtype, .data = &k64};
    if (dtype == UNCORK_FLOAT32) k.data = &k32;
    const uc_tensor *in[] = {uc_call_arg(call, 0), &k};
    return uc_spread(call, uc_loop_scaled(op, dtype), in, 2);
}

#define SCALED(SYMBOL, NAME, OP, ALPHA)                                                      \
    static uncork_status run_##SYMBOL(uc_call *call) { return run_scaled(call, OP, ALPHA); } \
    const uc_op uc_op_##SYMBOL = {                                                           \
        .name = NAME, .in = {1, 1}, .out = {1, 1}, .infer = infer_float, .run = run_##SYMBOL};

SCALED(celu, "Celu", UC_CELU, 1)
SCALED(elu, "Elu", UC_ELU, 1)
SCALED(leaky_relu, "LeakyRelu", UC_LEAKY_RELU, (double)0.01F)
SCALED(swish, "Swish", UC_SWISH, 1)
SCALED(thresholded_relu, "ThresholdedRelu", UC_THRESHOLDED_RELU, 1)

/* ---- with two ----------------------------------------------------------------------------- */

typedef struct parameter {
    const char *name;
    double otherwise;
} parameter;

static uncork_status run_twice(uc_call *call, uc_scaled_twice op, parameter k, parameter m)
{
    uncork_dtype dtype = uc_spread_dtype(uc_call_dtype(call, 0));
    double v64[2] = {uc_call_float(call, k.name, k.otherwise),
                     uc_call_float(call, m.name, m.otherwise)};
    float v32[2] = {(float)v64[0], (float)v64[1]};
    uc_tensor t[2];
    for (int i = 0; i < 2; i++) {
        t[i] = (uc_tensor){.dtype = dtype};
        t[i].data = dtype == UNCORK_FLOAT32 ? (void *)&v32[i] : (void *)&v64[i];
    }
    const uc_tensor *in[] = {uc_call_arg(call, 0), &t[0], &t[1]};
    return uc_spread(call, uc_loop_scaled_twice(op, dtype), in, 3);
}

/* The defaults are float32 numbers in the specification. */
#define TWICE(SYMBOL, NAME, OP, K, K0, M, M0)                                                   \
    static uncork_status run_##SYMBOL(uc_call *call)                                            \
    {                                                                                           \
        return run_twice(call, OP, (parameter){K, (double)(K0)}, (parameter){M, (double)(M0)}); \
    }                                                                                           \
    const uc_op uc_op_##SYMBOL = {                                                              \
        .name = NAME, .in = {1, 1}, .out = {1, 1}, .infer = infer_float, .run = run_##SYMBOL};

TWICE(hard_sigmoid, "HardSigmoid", UC_HARD_SIGMOID, "alpha", 0.2F, "beta", 0.5F)
TWICE(selu, "Selu", UC_SELU, "alpha", 1.67326319217681884765625F, "gamma",
      1.05070102214813232421875F)
TWICE(shrink, "Shrink", UC_SHRINK, "lambd", 0.5F, "bias", 0.0F)
