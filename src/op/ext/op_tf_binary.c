/* Two or three numbers to one, broadcast: FloorDiv, FloorMod, TruncateDiv, TruncateMod, DivNoNan, MulNoNan,
 * Xdivy, Xlogy, Xlog1py, Atan2, NextAfter, shifts, Igamma, Igammac, Zeta, Polygamma, Betainc.
 *
 * Source: tensorflow/core/kernels/cwise_ops.h; Eigen, unsupported/Eigen/CXX11/src/SpecialFunctions. Integers
 * divided by zero fail, as there. float32 special functions are computed in float64 and rounded once.
 * Facts: Press et al., "Numerical recipes", 6.2 and 6.4 (incomplete gamma and beta functions). */
#include "kernel/special.h"
#include "op/ext/tf_call.h"

#include <inttypes.h>
#include <math.h>

typedef uncork_status (*whole_fn)(uc_call *call, int64_t a, int64_t b, int64_t *y);
typedef double (*real_fn)(double a, double b);
typedef float (*single_fn)(float a, float b);

/* What an operator is for each kind of number; NULL: it isn't. single: NULL for real over float32. */
typedef struct kinds {
    whole_fn whole;
    real_fn real;
    single_fn single;
} kinds;

static uncork_status map(uc_call *call, const kinds *k)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    const bool real = uc_dtype_is_float(a->dtype);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const int64_t n = uc_tensor_count(y);
    for (int64_t i = 0; i < n; i++) {
        const int64_t p = uc_tf_source(a, y->rank, y->shape, i),
                      q = uc_tf_source(b, y->rank, y->shape, i);
        if (!real) {
            int64_t v = 0;
            UC_TRY(k->whole(call, uc_tf_int_at(a, p), uc_tf_int_at(b, q), &v));
            uc_tf_put_int(y->data, i, y->dtype, v);
        } else if (a->dtype == UNCORK_FLOAT32 && k->single) {
            ((float *)y->data)[i] =
                k->single(((const float *)a->data)[p], ((const float *)b->data)[q]);
        } else {
            uc_tf_put(y->data, i, y->dtype, k->real(uc_tf_at(a, p), uc_tf_at(b, q)));
        }
    }
    return UNCORK_OK;
}

static uncork_status check(uc_call *call, const kinds *k)
{
    const uncork_dtype dtype = uc_call_dtype(call, 0);
    const bool real = uc_dtype_is_float(dtype);
    if (dtype && !(real ? k->real != NULL : k->whole != NULL)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not defined for %s", uc_dtype_name(dtype));
    }
    return uc_tf_infer_broadcast(call);
}

/* ---- whole numbers --------------------------------------------------------------------------- */

static uncork_status by_zero(uc_call *call)
{
    return uc_call_fail(call, UNCORK_INPUT, "Integer division by zero");
}

static uncork_status truncate_div(uc_call *call, int64_t a, int64_t b, int64_t *y)
{
    if (b == 0) return by_zero(call);
    *y = b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
    return UNCORK_OK;
}

static uncork_status truncate_mod(uc_call *call, int64_t a, int64_t b, int64_t *y)
{
    if (b == 0) return by_zero(call);
    *y = b == -1 ? 0 : a % b;
    return UNCORK_OK;
}

static uncork_status floor_div(uc_call *call, int64_t a, int64_t b, int64_t *y)
{
    UC_TRY(truncate_div(call, a, b, y));
    if (b != -1 && a % b != 0 && (a < 0) != (b < 0)) --*y;
    return UNCORK_OK;
}

static uncork_status floor_mod(uc_call *call, int64_t a, int64_t b, int64_t *y)
{
    UC_TRY(truncate_mod(call, a, b, y));
    if (*y != 0 && (*y < 0) != (b < 0)) *y += b;
    return UNCORK_OK;
}

/* The distance is kept within the width. */
static int64_t distance(const uc_call *call, int64_t b)
{
    const int64_t most = uc_dtype_bits(uc_call_dtype(call, 0)) - 1;
    return b < 0 ? 0 : b > most ? most : b;
}

static uncork_status left_shift(uc_call *call, int64_t a, int64_t b, int64_t *y)
{
    *y = (int64_t)((uint64_t)a << distance(call, b));
    return UNCORK_OK;
}

static uncork_status right_shift(uc_call *call, int64_t a, int64_t b, int64_t *y)
{
    const bool wide = uc_call_dtype(call, 0) == UNCORK_UINT64;
    *y = wide ? (int64_t)((uint64_t)a >> distance(call, b)) : a >> distance(call, b);
    return UNCORK_OK;
}

/* ---- real numbers ---------------------------------------------------------------------------- */

static double floor_div_f64(double a, double b) { return floor(a / b); }
static float floor_div_f32(float a, float b) { return floorf(a / b); }
static double truncate_div_f64(double a, double b) { return trunc(a / b); }
static double floor_mod_f64(double a, double b)
{
    const double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
static float floor_mod_f32(float a, float b)
{
    const float r = fmodf(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
static double div_no_nan(double a, double b) { return b == 0 ? 0 : a / b; }
static float div_no_nan_f32(float a, float b) { return b == 0 ? 0 : a / b; }
static double mul_no_nan(double a, double b) { return b == 0 ? 0 : a * b; }
static float mul_no_nan_f32(float a, float b) { return b == 0 ? 0 : a * b; }
static double xdivy(double a, double b) { return a == 0 ? 0 : a / b; }
static double xlogy(double a, double b) { return a == 0 ? 0 : a * log(b); }
static double xlog1py(double a, double b) { return a == 0 ? 0 : a * log1p(b); }

/* ---- incomplete gamma functions --------------------------------------------------------------- */

/* P(a, x) by its series, Q(a, x) by its continued fraction, whichever converges. */
static double gamma_part(double a, double x, bool upper)
{
    if (!(a > 0) || !(x >= 0)) return (double)NAN;
    if (x == 0) return upper ? 1 : 0;
    if (isinf(x)) return upper ? 0 : 1;
    const double scale = exp(a * log(x) - x - uc_log_gamma(a));
    if (x < a + 1) {
        double sum = 1 / a, term = sum, at = a;
        for (int i = 0; i < 10000 && fabs(term) > fabs(sum) * 1e-17; i++) {
            at += 1;
            term *= x / at;
            sum += term;
        }
        return upper ? 1 - sum * scale : sum * scale;
    }
    double b = x + 1 - a, c = 1e300, d = 1 / b, f = d;
    for (int i = 1; i < 10000; i++) {
        const double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        if (fabs(d) < 1e-300) d = 1e-300;
        c = b + an / c;
        if (fabs(c) < 1e-300) c = 1e-300;
        d = 1 / d;
        f *= d * c;
        if (fabs(d * c - 1) < 1e-16) break;
    }
    return upper ? f * scale : 1 - f * scale;
}

static double igamma(double a, double x) { return gamma_part(a, x, false); }
static double igammac(double a, double x) { return gamma_part(a, x, true); }

/* Hurwitz's zeta by Euler and Maclaurin. */
static double zeta(double s, double q)
{
    static const double b[] = {1.0 / 12,         -1.0 / 720,     1.0 / 30240,
                               -1.0 / 1209600,   1.0 / 47900160, -691.0 / 1307674368000,
                               1.0 / 74724249600};
    if (s == 1) return (double)INFINITY;
    if (s < 1) return (double)NAN;
    if (q <= 0) return q == floor(q) ? (double)INFINITY : (double)NAN;
    double sum = 0;
    const int n = 12;
    for (int k = 0; k < n; k++) {
        sum += pow(q + k, -s);
    }
    const double w = q + n;
    sum += pow(w, 1 - s) / (s - 1) + pow(w, -s) / 2;
    double factor = s * pow(w, -s - 1);
    for (int k = 0; k < 7; k++) {
        sum += b[k] * factor;
        factor *= (s + 2 * k + 1) * (s + 2 * k + 2) / (w * w);
    }
    return sum;
}

static double polygamma(double n, double x)
{
    if (n != floor(n) || n < 0) return (double)NAN;
    if (n == 0) return x > 0 ? uc_digamma(x) : (double)NAN;
    const double sign = fmod(n, 2) == 0 ? -1 : 1;
    return sign * exp(uc_log_gamma(n + 1)) * zeta(n + 1, x);
}

static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    if (fabs(d) < 1e-300) d = 1e-300;
    d = 1 / d;
    double f = d;
    for (int m = 1; m < 10000; m++) {
        for (int odd = 0; odd < 2; odd++) {
            const double t = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                                 : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 + t * d;
            if (fabs(d) < 1e-300) d = 1e-300;
            c = 1 + t / c;
            if (fabs(c) < 1e-300) c = 1e-300;
            d = 1 / d;
            f *= d * c;
        }
        if (fabs(d * c - 1) < 1e-16) break;
    }
    return f;
}

static double betainc(double a, double b, double x)
{
    if (!(a > 0) || !(b > 0) || !(x >= 0) || !(x <= 1)) return (double)NAN;
    if (x == 0 || x == 1) return x;
    const double front =
        exp(uc_log_gamma(a + b) - uc_log_gamma(a) - uc_log_gamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

static uncork_status betainc_wide(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1), *x = uc_call_arg(call, 2);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        const double v = betainc(uc_tf_at(a, uc_tf_source(a, y->rank, y->shape, i)),
                                 uc_tf_at(b, uc_tf_source(b, y->rank, y->shape, i)),
                                 uc_tf_at(x, uc_tf_source(x, y->rank, y->shape, i)));
        uc_tf_put(y->data, i, y->dtype, v);
    }
    return UNCORK_OK;
}

static uncork_status infer_betainc(uc_call *call)
{
    UC_TRY(uc_call_expect_wide(call, 0));
    return uc_tf_infer_broadcast(call);
}

static uncork_status run_betainc(uc_call *call) { return uc_widened(call, betainc_wide); }
UC_TF_ROW(tf_betainc, "TfBetainc", 3, 3, 1, infer_betainc, run_betainc)

/* ---- rows ------------------------------------------------------------------------------------ */

#define BINARY(SYMBOL, NAME, WHOLE, REAL, SINGLE)                                               \
    static const kinds kinds_##SYMBOL = {WHOLE, REAL, SINGLE};                                  \
    static uncork_status infer_##SYMBOL(uc_call *call) { return check(call, &kinds_##SYMBOL); } \
    static uncork_status map_##SYMBOL(uc_call *call) { return map(call, &kinds_##SYMBOL); }     \
    static uncork_status run_##SYMBOL(uc_call *call) { return uc_widened(call, map_##SYMBOL); } \
    UC_TF_ROW(SYMBOL, NAME, 2, 2, 1, infer_##SYMBOL, run_##SYMBOL)

BINARY(tf_atan2, "TfAtan2", NULL, atan2, atan2f)
BINARY(tf_div_no_nan, "TfDivNoNan", NULL, div_no_nan, div_no_nan_f32)
BINARY(tf_floor_div, "TfFloorDiv", floor_div, floor_div_f64, floor_div_f32)
BINARY(tf_floor_mod, "TfFloorMod", floor_mod, floor_mod_f64, floor_mod_f32)
BINARY(tf_igamma, "TfIgamma", NULL, igamma, NULL)
BINARY(tf_igammac, "TfIgammac", NULL, igammac, NULL)
BINARY(tf_left_shift, "TfLeftShift", left_shift, NULL, NULL)
BINARY(tf_mul_no_nan, "TfMulNoNan", NULL, mul_no_nan, mul_no_nan_f32)
BINARY(tf_next_after, "TfNextAfter", NULL, nextafter, nextafterf)
BINARY(tf_polygamma, "TfPolygamma", NULL, polygamma, NULL)
BINARY(tf_right_shift, "TfRightShift", right_shift, NULL, NULL)
BINARY(tf_truncate_div, "TfTruncateDiv", truncate_div, truncate_div_f64, NULL)
BINARY(tf_truncate_mod, "TfTruncateMod", truncate_mod, fmod, fmodf)
BINARY(tf_xdivy, "TfXdivy", NULL, xdivy, NULL)
BINARY(tf_xlog1py, "TfXlog1py", NULL, xlog1py, NULL)
BINARY(tf_xlogy, "TfXlogy", NULL, xlogy, NULL)
BINARY(tf_zeta, "TfZeta", NULL, zeta, NULL)
