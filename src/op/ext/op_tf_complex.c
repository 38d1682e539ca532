/* Complex numbers: Complex, Real, Imag, ComplexAbs, Angle, Conj, arithmetic, sums, products of matrices.
 * Pairs of float32 or float64; arithmetic runs in float64 but for the sums, which run in the type's own. */
#include "op/ext/tf_call.h"

#include <math.h>

static bool is_complex(uncork_dtype d) { return d == UNCORK_COMPLEX64 || d == UNCORK_COMPLEX128; }
static uncork_dtype part_of(uncork_dtype d)
{
    return d == UNCORK_COMPLEX64 ? UNCORK_FLOAT32 : d == UNCORK_COMPLEX128 ? UNCORK_FLOAT64 : d;
}
static uncork_dtype whole_of(uncork_dtype d)
{
    return d == UNCORK_FLOAT64 ? UNCORK_COMPLEX128 : UNCORK_COMPLEX64;
}

typedef struct number {
    double re, im;
} number;

static number get(const uc_tensor *t, int64_t i)
{
    if (!is_complex(t->dtype)) return (number){uc_tf_at(t, i), 0};
    const uncork_dtype p = part_of(t->dtype);
    return (number){uc_dtype_load_f64(t->data, 2 * i, p), uc_dtype_load_f64(t->data, 2 * i + 1, p)};
}

static void put(uc_tensor *t, int64_t i, number v)
{
    const uncork_dtype p = part_of(t->dtype);
    uc_tf_put(t->data, 2 * i, p, v.re);
    uc_tf_put(t->data, 2 * i + 1, p, v.im);
}

static uncork_status want_complex(uc_call *call, size_t i)
{
    const uncork_dtype d = uc_call_dtype(call, i);
    if (!d || is_complex(d)) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, not complex", i, uc_dtype_name(d));
}

/* ---- parts ----------------------------------------------------------------------------------- */

static uncork_status infer_complex(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    UC_TRY(uc_broadcast_inputs(call, 0, 2, &rank, shape));
    return uc_call_shape(call, 0, whole_of(uc_call_dtype(call, 0)), rank, shape);
}

static uncork_status run_complex(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        put(y, i,
            (number){uc_tf_at(a, uc_tf_source(a, y->rank, y->shape, i)),
                     uc_tf_at(b, uc_tf_source(b, y->rank, y->shape, i))});
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_complex, "TfComplex", 2, 2, 1, infer_complex, run_complex)

static double real_part(number v) { return v.re; }
static double imaginary_part(number v) { return v.im; }
static double absolute(number v) { return hypot(v.re, v.im); }
static double angle(number v) { return atan2(v.im, v.re); }

static uncork_status infer_part(uc_call *call)
{
    return uc_tf_infer_shape_of(call, part_of(uc_call_dtype(call, 0)));
}

static uncork_status map_part(uc_call *call, double (*f)(number))
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        uc_tf_put(y->data, i, y->dtype, f(get(x, i)));
    }
    return UNCORK_OK;
}

#define PART(SYMBOL, NAME, F)                                                      \
    static uncork_status run_##SYMBOL(uc_call *call) { return map_part(call, F); } \
    UC_TF_ROW(SYMBOL, NAME, 1, 1, 1, infer_part, run_##SYMBOL)
PART(tf_angle, "TfAngle", angle)
PART(tf_complex_abs, "TfComplexAbs", absolute)
PART(tf_imag, "TfImag", imaginary_part)
PART(tf_real, "TfReal", real_part)

static uncork_status infer_conj(uc_call *call)
{
    UC_TRY(want_complex(call, 0));
    return uc_tf_infer_same(call);
}

static uncork_status run_conj(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const number v = get(x, i);
        put(y, i, (number){v.re, -v.im});
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_conj, "TfConj", 1, 1, 1, infer_conj, run_conj)

/* ---- arithmetic: attribute op is the ONNX operator's name -------------------------------------- */

static number add(number a, number b) { return (number){a.re + b.re, a.im + b.im}; }
static number sub(number a, number b) { return (number){a.re - b.re, a.im - b.im}; }
static number mul(number a, number b)
{
    return (number){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
static number divide(number a, number b)
{
    const double d = b.re * b.re + b.im * b.im;
    return (number){(a.re * b.re + a.im * b.im) / d, (a.im * b.re - a.re * b.im) / d};
}
static number neg(number a, number b)
{
    (void)b;
    return (number){-a.re, -a.im};
}
static number reciprocal(number a, number b)
{
    (void)b;
    return divide((number){1, 0}, a);
}
static number exponential(number a, number b)
{
    (void)b;
    return (number){exp(a.re) * cos(a.im), exp(a.re) * sin(a.im)};
}
static number logarithm(number a, number b)
{
    (void)b;
    return (number){log(absolute(a)), angle(a)};
}
static number square_root(number a, number b)
{
    (void)b;
    const double r = sqrt(absolute(a)), t = angle(a) / 2;
    return (number){r * cos(t), r * sin(t)};
}
static number power(number a, number b)
{
    if (a.re == 0 && a.im == 0) return (number){b.re == 0 && b.im == 0 ? 1 : 0, 0};
    return exponential(mul(b, logarithm(a, b)), b);
}

typedef struct operation {
    const char *name;
    number (*f)(number a, number b);
    size_t inputs;
} operation;

static const operation *operation_of(const uc_call *call)
{
    static const operation all[] = {{"Add", add, 2},          {"Sub", sub, 2},
                                    {"Mul", mul, 2},          {"Div", divide, 2},
                                    {"Neg", neg, 1},          {"Reciprocal", reciprocal, 1},
                                    {"Exp", exponential, 1},  {"Log", logarithm, 1},
                                    {"Sqrt", square_root, 1}, {"Pow", power, 2}};
    const uc_str name = uc_call_str(call, "op", "");
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (uc_str_is(name, all[i].name) && call->in_count == all[i].inputs) return &all[i];
    }
    return NULL;
}

static uncork_status infer_math(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    if (!operation_of(call)) {
        const uc_str op = uc_call_str(call, "op", "");
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "%.*s isn't supported of complex numbers",
                            op.size < 40 ? (int)op.size : 40, op.data);
    }
    UC_TRY(want_complex(call, 0));
    UC_TRY(uc_broadcast_inputs(call, 0, call->in_count, &rank, shape));
    return uc_call_shape(call, 0, uc_call_dtype(call, 0), rank, shape);
}

static uncork_status run_math(uc_call *call)
{
    const operation *op = operation_of(call);
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, call->in_count - 1);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        put(y, i,
            op->f(get(a, uc_tf_source(a, y->rank, y->shape, i)),
                  get(b, uc_tf_source(b, y->rank, y->shape, i))));
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_complex_math, "TfComplexMath", 1, 2, 1, infer_math, run_math)

/* ---- sums and products ----------------------------------------------------------------------- */

static uncork_status reduced_shape(uc_call *call, bool *gone, int *rank, int64_t *shape)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t axes[UNCORK_MAX_RANK];
    size_t n = 0;
    UC_TRY(uc_call_small_ints(call, 1, axes, &n));
    *rank = 0;
    for (size_t i = 0; i < n; i++) {
        int axis = 0;
        UC_TRY(uc_axis(call, axes[i], x->rank, &axis));
        gone[axis] = true;
    }
    const bool keep = uc_call_int(call, "keep_dims", 0) != 0;
    for (int d = 0; d < x->rank; d++) {
        if (!gone[d] || keep) shape[(*rank)++] = gone[d] ? 1 : x->shape[d];
    }
    return UNCORK_OK;
}

static uncork_status infer_reduce(uc_call *call)
{
    bool gone[UNCORK_MAX_RANK] = {false};
    int64_t shape[UNCORK_MAX_RANK];
    int rank = -1;
    UC_TRY(want_complex(call, 0));
    if (uc_call_arg(call, 0)->rank < 0 || !uc_call_known(call, 1))
        return uc_tf_infer_open(call, 0, uc_call_dtype(call, 0), -1);
    UC_TRY(reduced_shape(call, gone, &rank, shape));
    return uc_call_shape(call, 0, uc_call_dtype(call, 0), rank, shape);
}

static uncork_status run_reduce(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool gone[UNCORK_MAX_RANK] = {false};
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    uc_tensor *y = NULL;
    UC_TRY(reduced_shape(call, gone, &rank, shape));
    UC_TRY(uc_call_output(call, 0, x->dtype, rank, shape, &y));
    const int64_t n = uc_tensor_count(y), m = uc_tensor_count(x);
    number *sums = uc_call_scratch(call, (size_t)n + 1, sizeof *sums);
    if (!sums) return uc_fail_memory(call->error);
    memset(sums, 0, ((size_t)n + 1) * sizeof *sums);
    for (int64_t i = 0; i < m; i++) {
        int64_t at = 0, stride = 1, left = i;
        for (int d = x->rank - 1; d >= 0; d--) {
            if (!gone[d]) {
                at += left % x->shape[d] * stride;
                stride *= x->shape[d];
            }
            left /= x->shape[d];
        }
        sums[at] = add(sums[at], get(x, i));
    }
    for (int64_t i = 0; i < n; i++) {
        put(y, i, sums[i]);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_complex_reduce, "TfComplexReduce", 2, 2, 1, infer_reduce, run_reduce)

/* Shapes [..., m, k] and [..., k, n]. */
static uncork_status product_shape(uc_call *call, int *rank, int64_t *shape)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    *rank = a->rank > b->rank ? a->rank : b->rank;
    if (a->rank < 2 || b->rank < 2)
        return uc_call_fail(call, UNCORK_INPUT, "its inputs aren't matrices");
    const int64_t k = a->shape[a->rank - 1], other = b->shape[b->rank - 2];
    if (k >= 0 && other >= 0 && k != other)
        return uc_call_fail(call, UNCORK_INPUT, "its inputs don't fit");
    for (int d = 0; d < *rank - 2; d++) {
        const int p = d - (*rank - a->rank), q = d - (*rank - b->rank);
        const int64_t m = p >= 0 ? a->shape[p] : 1, n = q >= 0 ? b->shape[q] : 1;
        if (m >= 0 && n >= 0 && m != n && m != 1 && n != 1)
            return uc_call_fail(call, UNCORK_INPUT, "its inputs don't fit");
        shape[d] = m == 1 ? n : m;
    }
    shape[*rank - 2] = a->shape[a->rank - 2];
    shape[*rank - 1] = b->shape[b->rank - 1];
    return UNCORK_OK;
}

static uncork_status infer_product(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    UC_TRY(want_complex(call, 0));
    if (uc_call_arg(call, 0)->rank < 0 || uc_call_arg(call, 1)->rank < 0)
        return uc_tf_infer_open(call, 0, uc_call_dtype(call, 0), -1);
    UC_TRY(product_shape(call, &rank, shape));
    return uc_call_shape(call, 0, uc_call_dtype(call, 0), rank, shape);
}

static uncork_status run_product(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    uc_tensor *y = NULL;
    UC_TRY(product_shape(call, &rank, shape));
    UC_TRY(uc_call_output(call, 0, a->dtype, rank, shape, &y));
    const int64_t m = shape[rank - 2], n = shape[rank - 1], k = a->shape[a->rank - 1];
    uc_tensor left = *a, right = *b;
    left.rank -= 2;
    right.rank -= 2;
    for (int64_t batch = 0; batch < uc_tf_product(shape, 0, rank - 2); batch++) {
        const int64_t p = uc_tf_source(&left, rank - 2, shape, batch) * m * k;
        const int64_t q = uc_tf_source(&right, rank - 2, shape, batch) * k * n;
        for (int64_t i = 0; i < m * n; i++) {
            number sum = {0, 0};
            for (int64_t t = 0; t < k; t++) {
                sum = add(sum, mul(get(a, p + i / n * k + t), get(b, q + t * n + i % n)));
            }
            put(y, batch * m * n + i, sum);
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_complex_mat_mul, "TfComplexMatMul", 2, 2, 1, infer_product, run_product)
