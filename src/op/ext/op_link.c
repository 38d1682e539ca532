/* uncork.Link: the function between a boosted sum and what is predicted, in the library's arithmetic.
 *
 * Source: xgboost src/common/math.h (Sigmoid, Softmax), src/objective; lightgbm src/objective,
 * ConvertOutput of each. C's expf and exp, one element after another, as both libraries call them.
 * x  f32 or f64 [rows, columns];  y  the same type and shape
 * kind   "logistic": 1 / (1 + exp(-scale x)); "exp"; "log1p_exp": log1p(exp(x)); "signed_square":
 *        x |x|; "softmax": along a row
 * scale  of logistic, default 1;  bounded  float32 logistic keeps x above -88.7 (default 0)
 * Numerics: float32 softmax sums in float64 (xgboost). */
#include "op/op.h"

#include <math.h>

typedef void (*link_f32_fn)(float *y, const float *x, int64_t n, float scale);
typedef void (*link_f64_fn)(double *y, const double *x, int64_t n, double scale);

static void logistic_f32(float *y, const float *x, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = 1.0f / (expf(-scale * x[i]) + 1.0f);
    }
}

/* xgboost since 1.6: the exponential stays finite. */
static void bounded_logistic_f32(float *y, const float *x, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i++) {
        float minus = -scale * x[i];
        y[i] = 1.0f / (expf(minus > 88.7f ? 88.7f : minus) + 1.0f);
    }
}

static void logistic_f64(double *y, const double *x, int64_t n, double scale)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = 1.0 / (1.0 + exp(-scale * x[i]));
    }
}

static void exp_f32(float *y, const float *x, int64_t n, float scale)
{
    (void)scale;
    for (int64_t i = 0; i < n; i++) {
        y[i] = expf(x[i]);
    }
}

static void exp_f64(double *y, const double *x, int64_t n, double scale)
{
    (void)scale;
    for (int64_t i = 0; i < n; i++) {
        y[i] = exp(x[i]);
    }
}

static void log1p_exp_f64(double *y, const double *x, int64_t n, double scale)
{
    (void)scale;
    for (int64_t i = 0; i < n; i++) {
        y[i] = log1p(exp(x[i]));
    }
}

static void signed_square_f64(double *y, const double *x, int64_t n, double scale)
{
    (void)scale;
    for (int64_t i = 0; i < n; i++) {
        y[i] = (x[i] > 0 ? 1 : x[i] < 0 ? -1 : 0) * x[i] * x[i];
    }
}

/* One row. */
static void softmax_f32(float *y, const float *x, int64_t n, float scale)
{
    float top = x[0];
    double sum = 0;
    (void)scale;
    for (int64_t i = 1; i < n; i++) {
        top = x[i] > top ? x[i] : top;
    }
    for (int64_t i = 0; i < n; i++) {
        y[i] = expf(x[i] - top);
        sum += (double)y[i];
    }
    for (int64_t i = 0; i < n; i++) {
        y[i] /= (float)sum;
    }
}

static void softmax_f64(double *y, const double *x, int64_t n, double scale)
{
    double top = x[0], sum = 0;
    (void)scale;
    for (int64_t i = 1; i < n; i++) {
        top = x[i] > top ? x[i] : top;
    }
    for (int64_t i = 0; i < n; i++) {
        y[i] = exp(x[i] - top);
        sum += y[i];
    }
    for (int64_t i = 0; i < n; i++) {
        y[i] /= sum;
    }
}

typedef struct link_kind {
    const char *name;
    bool by_row;
    link_f32_fn f32; /* NULL: not in this type */
    link_f64_fn f64;
} link_kind;

static const link_kind kinds[] = {
    {"exp", false, exp_f32, exp_f64},
    {"log1p_exp", false, NULL, log1p_exp_f64},
    {"logistic", false, logistic_f32, logistic_f64},
    {"signed_square", false, NULL, signed_square_f64},
    {"softmax", true, softmax_f32, softmax_f64},
};

static const link_kind *find_kind(const uc_call *call)
{
    uc_str name = uc_call_str(call, "kind", "");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (uc_str_is(name, kinds[i].name)) {
            return &kinds[i];
        }
    }
    return NULL;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    const link_kind *kind = find_kind(call);
    if (!kind || !x || !(x->dtype == UNCORK_FLOAT32 ? kind->f32 != NULL : kind->f64 != NULL) ||
        (x->dtype != UNCORK_FLOAT32 && x->dtype != UNCORK_FLOAT64)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "there is no such function of %s",
                            x ? uc_dtype_name(x->dtype) : "nothing");
    }
    if (kind->by_row && x->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "softmax needs rows and columns, gets rank %d",
                            x->rank);
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, x->shape);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_tensor_dense(call->arena, uc_call_in(call, 0));
    const link_kind *kind = find_kind(call);
    double scale = uc_call_float(call, "scale", 1);
    bool bounded = kind && kind->f32 == logistic_f32 && uc_call_int(call, "bounded", 0);
    link_f32_fn f32 = bounded ? bounded_logistic_f32 : kind ? kind->f32 : NULL;
    uc_tensor *y;
    if (!x || !kind) {
        return uc_arena_status(call->arena, call->error);
    }
    UC_TRY(uc_call_output(call, 0, x->dtype, x->rank, x->shape, &y));
    int64_t count = uc_tensor_count(x), step = kind->by_row ? x->shape[1] : count;
    for (int64_t i = 0; step > 0 && i < count; i += step) {
        if (x->dtype == UNCORK_FLOAT32) {
            f32((float *)y->data + i, (const float *)x->data + i, step, (float)scale);
        } else {
            kind->f64((double *)y->data + i, (const double *)x->data + i, step, scale);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_link = {
    .domain = "uncork",
    .name = "Link",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
