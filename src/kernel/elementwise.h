/* Loops over elements, by operation and type; NULL where a type has none. All may write over an
 * input that they walk at the same pace. */
#ifndef UC_KERNEL_ELEMENTWISE_H
#define UC_KERNEL_ELEMENTWISE_H

#include "kernel/walk.h"

/* out, a, b of one type. Integer division truncates towards zero and gives 0 for a zero divisor (no
 * trap); MOD has the divisor's sign, FMOD the dividend's; MIN and MAX give NaN when one is. */
typedef enum uc_binary {
    UC_ADD,
    UC_SUB,
    UC_MUL,
    UC_DIV,
    UC_MOD,
    UC_FMOD,
    UC_MIN,
    UC_MAX,
    UC_POW,
    UC_BITAND,
    UC_BITOR,
    UC_BITXOR,
    UC_SHL,
    UC_SHR,
    UC_BINARY_COUNT
} uc_binary;
uc_loop_fn uc_loop_binary(uc_binary op, uncork_dtype dtype);

/* out bool, a, b of one type; AND, OR, XOR take bool. */
typedef enum uc_compare { UC_EQ, UC_LT, UC_LE, UC_GT, UC_GE, UC_AND, UC_OR, UC_XOR } uc_compare;
uc_loop_fn uc_loop_compare(uc_compare op, uncork_dtype dtype);

/* out, a of one type. */
typedef enum uc_unary {
    UC_NEG,
    UC_ABS,
    UC_SIGN,
    UC_BITNOT,
    UC_FLOOR,
    UC_CEIL,
    UC_ROUND, /* ties to even */
    UC_RELU,
    UC_SQRT,
    UC_RECIPROCAL,
    UC_EXP,
    UC_LOG,
    UC_TANH,
    UC_SIGMOID,
    UC_SOFTPLUS,
    UC_SOFTSIGN,
    UC_ERF,
    UC_SIN,
    UC_COS,
    UC_TAN,
    UC_ASIN,
    UC_ACOS,
    UC_ATAN,
    UC_SINH,
    UC_COSH,
    UC_ASINH,
    UC_ACOSH,
    UC_ATANH,
    UC_HARDSWISH,
    UC_MISH,
    UC_GELU,      /* exact, by erf */
    UC_GELU_TANH, /* its approximation */
    UC_UNARY_COUNT
} uc_unary;
uc_loop_fn uc_loop_unary(uc_unary op, uncork_dtype dtype);

/* out bool, a float. */
uc_loop_fn uc_loop_is_nan(uncork_dtype dtype);
/* out, a, and one number (step 0) of the same type; float32 and float64. */
typedef enum uc_scaled {
    UC_LEAKY_RELU, /* a < 0 ? k * a : a */
    UC_ELU,
    UC_CELU,
    UC_THRESHOLDED_RELU, /* a > k ? a : 0 */
    UC_SWISH             /* a * sigmoid(k * a) */
} uc_scaled;
uc_loop_fn uc_loop_scaled(uc_scaled op, uncork_dtype dtype);
/* out, a, and two numbers k, m (step 0) of the same type; float32 and float64. */
typedef enum uc_scaled_twice {
    UC_HARD_SIGMOID, /* k * a + m within [0, 1] */
    UC_SELU,         /* m * (a > 0 ? a : k * (exp(a) - 1)) */
    UC_SHRINK        /* a + m below -k, a - m above k, else 0 */
} uc_scaled_twice;
uc_loop_fn uc_loop_scaled_twice(uc_scaled_twice op, uncork_dtype dtype);
/* out, condition (bool), a, b: elements of 1, 2, 4, 8 or 16 bytes. */
uc_loop_fn uc_loop_where(size_t size);
/* out, a, low, high: low <= high isn't assumed (high wins, as in NumPy), NaN stays. */
uc_loop_fn uc_loop_clip(uncork_dtype dtype);

#endif
