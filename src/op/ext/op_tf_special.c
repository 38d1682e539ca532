/* Special functions, element by element: Expm1, Log1p, Erfc, Lgamma, Digamma, Erfinv, Ndtri, Bessel*, Dawsn,
 * Expint, Fresnel*, Spence. float32 is computed in float64 and rounded once.
 *
 * Facts: Abramowitz and Stegun, "Handbook of mathematical functions" (chapters 5, 7, 9, 27.7); Rybicki,
 * "Dawson's integral and the sampling theorem", Computers in Physics 3 (1989).
 * x  float, any shape;  y  the same. */
#include "kernel/special.h"
#include "op/ext/tf_call.h"

#include <math.h>

#define PI 3.14159265358979323846

/* ---- gamma ----------------------------------------------------------------------------------- */

static double lgamma_of(double x)
{
    if (x > 0) return isinf(x) ? x : uc_log_gamma(x);
    if (x == floor(x)) return (double)INFINITY;
    return log(PI / fabs(sin(PI * x))) - uc_log_gamma(1 - x);
}

static double digamma_of(double x)
{
    if (x > 0) return uc_digamma(x);
    if (x == floor(x)) return (double)NAN;
    return uc_digamma(1 - x) - PI / tan(PI * x);
}

/* ---- the normal distribution ------------------------------------------------------------------ */

/* Newton's steps on erfc from a first guess: two give all digits. */
static double ndtri(double p)
{
    if (p <= 0) return p == 0 ? -(double)INFINITY : (double)NAN;
    if (p >= 1) return p == 1 ? (double)INFINITY : (double)NAN;
    const double q = p < 0.5 ? p : 1 - p, t = sqrt(-2 * log(q));
    double x = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for (int i = 0; i < 4; i++) {
        const double e = (0.5 * erfc(x / sqrt(2.0)) - q) * sqrt(2 * PI) * exp(x * x / 2);
        x += e / (1 - x * e / 2);
    }
    return p < 0.5 ? -x : x;
}

static double erfinv_of(double x) { return ndtri((x + 1) / 2) / sqrt(2.0); }

/* Close to 0 a sum of (x + 1) / 2 loses what x has. */
static double erfinv(double x)
{
    if (fabs(x) > 0.5) {
        const double tail = (1 - fabs(x)) / 2;
        return (x < 0 ? 1 : -1) * ndtri(tail) / sqrt(2.0);
    }
    double y = erfinv_of(x);
    for (int i = 0; i < 2; i++) {
        y -= (erf(y) - x) / (2 / sqrt(PI) * exp(-y * y));
    }
    return y;
}

/* ---- Bessel ---------------------------------------------------------------------------------- */

/* exp(-|x|) I_v(x): the power series, all of one sign, or the asymptotic one. */
static double bessel_ie(int v, double x)
{
    const double a = fabs(x);
    double sum, term;
    if (a < 25) {
        term = v ? a / 2 : 1;
        sum = term;
        for (int k = 1; k < 400 && term > sum * 1e-18; k++) {
            term *= a * a / 4 / ((double)k * (k + v));
            sum += term;
        }
        sum *= exp(-a);
    } else {
        sum = term = 1;
        for (int k = 1; k < 30; k++) {
            const double odd = 2 * k - 1, next = term * -(4.0 * v * v - odd * odd) / (k * 8 * a);
            if (fabs(next) > fabs(term)) break;
            term = next;
            sum += term;
        }
        sum /= sqrt(2 * PI * a);
    }
    return v && x < 0 ? -sum : sum;
}

static double bessel_i0e(double x) { return bessel_ie(0, x); }
static double bessel_i1e(double x) { return bessel_ie(1, x); }
static double bessel_i0(double x) { return exp(fabs(x)) * bessel_ie(0, x); }
static double bessel_i1(double x) { return exp(fabs(x)) * bessel_ie(1, x); }

/* exp(x) K_v(x): the integral of exp(-x (cosh t - 1)) cosh(v t), whose trapezoids converge like its tails. */
static double bessel_ke(int v, double x)
{
    if (!(x > 0)) return x == 0 ? (double)INFINITY : (double)NAN;
    const double h = 0.03125;
    double sum = 0.5;
    for (int i = 1; i < 100000; i++) {
        const double t = i * h, term = exp(-x * (cosh(t) - 1)) * (v ? cosh(t) : 1);
        sum += term;
        if (term < sum * 1e-18) break;
    }
    return sum * h;
}

static double bessel_k0e(double x) { return bessel_ke(0, x); }
static double bessel_k1e(double x) { return bessel_ke(1, x); }
static double bessel_k0(double x) { return exp(-x) * bessel_ke(0, x); }
static double bessel_k1(double x) { return exp(-x) * bessel_ke(1, x); }

/* J and Y for arguments of any size by Bessel's own integrals over half a turn would be slow to converge for
 * Y: J by trapezoids, Y by its integral split where it decays. */
static double bessel_j(int v, double x)
{
    const int n = 64 + 2 * (int)fmin(fabs(x), 1e6);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const double t = PI * (i + 0.5) / n;
        sum += cos(v * t - x * sin(t));
    }
    return sum / n;
}

static double bessel_y(int v, double x)
{
    if (!(x > 0)) return x == 0 ? -(double)INFINITY : (double)NAN;
    /* (1/pi) int_0^pi sin(x sin t - v t) dt - (1/pi) int_0^inf (e^vt + e^-vt cos(v pi)) e^(-x sinh t) dt,
     * both by the tanh-sinh rule. */
    double first = 0, second = 0;
    const double h = 1.0 / 64;
    for (int i = -300; i <= 300; i++) {
        const double u = i * h, w = PI / 2 * sinh(u), c = cosh(w);
        const double t = PI / 2 * (1 + tanh(w)), weight = PI / 2 * (PI / 2 * cosh(u)) / (c * c);
        if (isfinite(weight)) first += weight * sin(x * sin(t) - v * t);
    }
    for (int i = -400; i <= 400; i++) {
        const double u = i * h, t = exp(PI / 2 * sinh(u)), weight = t * PI / 2 * cosh(u);
        const double decay = -x * sinh(t) + v * t;
        if (!(decay > -800) || !isfinite(weight)) continue;
        second += weight * (exp(decay) + (v % 2 ? -1 : 1) * exp(-x * sinh(t) - v * t));
    }
    return (first - second) * h / PI;
}

static double bessel_j0(double x) { return bessel_j(0, x); }
static double bessel_j1(double x) { return bessel_j(1, x); }
static double bessel_y0(double x) { return bessel_y(0, x); }
static double bessel_y1(double x) { return bessel_y(1, x); }

/* ---- integrals ------------------------------------------------------------------------------- */

static double dawson(double x)
{
    const double h = 0.2, a = fabs(x);
    if (a < 1e-4) return x;
    if (a > 1e7) return 0.5 / x;
    const double n0 = 2 * rint(a / (2 * h)), from = a - n0 * h;
    double sum = 0;
    for (int k = -45; k <= 45; k += 2) {
        const double d = from - k * h;
        sum += exp(-d * d) / (n0 + k);
    }
    return copysign(sum / sqrt(PI), x);
}

static double expint(double x)
{
    const double euler = 0.57721566490153286061;
    if (x == 0) return -(double)INFINITY;
    if (x < -2) { /* -E1(-x): Lentz's continued fraction */
        const double a = -x;
        double b = a + 1, c = 1e300, d = 1 / b, f = d;
        for (int i = 1; i < 500; i++) {
            const double an = -(double)i * i;
            b += 2;
            d = 1 / (an * d + b);
            c = b + an / c;
            f *= c * d;
            if (fabs(c * d - 1) < 1e-16) break;
        }
        return -f * exp(-a);
    }
    if (x > 50) {
        double sum = 1, term = 1;
        for (int k = 1; k < 60 && k < x; k++) {
            term *= k / x;
            sum += term;
        }
        return exp(x) / x * sum;
    }
    long double sum = 0, term = 1;
    for (int k = 1; k < 300; k++) {
        term *= (long double)x / k;
        sum += term / k;
        if (fabsl(term) < fabsl(sum) * 1e-20L) break;
    }
    return (double)(sum + (long double)euler + (long double)log(fabs(x)));
}

/* S (1) and C (0) by their power series, from 4 on by the auxiliary functions. */
static double fresnel(double x, int sine)
{
    const double a = fabs(x);
    if (isinf(a)) return copysign(0.5, x);
    if (a < 4) {
        const long double z = (long double)PI / 2 * (long double)a * (long double)a;
        long double term = sine ? z * (long double)a : (long double)a, sum = 0;
        for (int k = 0; k < 200; k++) {
            sum += term / (4 * k + (sine ? 3 : 1));
            term *= -z * z / ((2 * k + 1 + sine) * (long double)(2 * k + 2 + sine));
            if (fabsl(term) < 1e-24L) break;
        }
        return copysign((double)sum, x);
    }
    const double z = PI * a * a;
    double f = 1, g = 1, tf = 1, tg = 1;
    for (int k = 1; k < 12; k++) {
        tf *= -(4.0 * k - 1) * (4 * k - 3) / (z * z);
        tg *= -(4.0 * k + 1) * (4 * k - 1) / (z * z);
        f += tf;
        g += tg;
    }
    f /= PI * a;
    g /= PI * PI * a * a * a;
    const double turn = fmod(a * a, 4) * PI / 2;
    const double y =
        sine ? 0.5 - f * cos(turn) - g * sin(turn) : 0.5 + f * sin(turn) - g * cos(turn);
    return copysign(y, x);
}

static double fresnel_sin(double x) { return fresnel(x, 1); }
static double fresnel_cos(double x) { return fresnel(x, 0); }

/* The dilogarithm for |z| <= 1/2. */
static double dilog_small(double z)
{
    double sum = 0, power = 1;
    for (int k = 1; k < 100; k++) {
        power *= z;
        sum += power / ((double)k * k);
    }
    return sum;
}

/* Spence's integral: the dilogarithm of 1 - x. */
static double spence(double x)
{
    if (x < 0) return (double)NAN;
    if (x == 0) return PI * PI / 6;
    if (x > 2) { /* of 1 / x */
        const double l = log(x);
        return -spence(1 / x) - l * l / 2;
    }
    if (x < 0.5) return PI * PI / 6 - log(x) * log1p(-x) - dilog_small(x);
    if (x <= 1.5) return dilog_small(1 - x);
    const double l = log(x);
    return -dilog_small(1 - 1 / x) - l * l / 2;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static uncork_status infer(uc_call *call)
{
    UC_TRY(uc_call_expect_wide(call, 0));
    return uc_tf_infer_same(call);
}

typedef double (*function)(double);

static uncork_status map(uc_call *call, function f)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const int64_t n = uc_tensor_count(x);
    for (int64_t i = 0; i < n; i++) {
        if (x->dtype == UNCORK_FLOAT32)
            ((float *)y->data)[i] = (float)f((double)((const float *)x->data)[i]);
        else
            ((double *)y->data)[i] = f(((const double *)x->data)[i]);
    }
    return UNCORK_OK;
}

#define FUNCTION(SYMBOL, NAME, F)                                                               \
    static uncork_status map_##SYMBOL(uc_call *call) { return map(call, F); }                   \
    static uncork_status run_##SYMBOL(uc_call *call) { return uc_widened(call, map_##SYMBOL); } \
    UC_TF_ROW(SYMBOL, NAME, 1, 1, 1, infer, run_##SYMBOL)

FUNCTION(tf_bessel_i0, "TfBesselI0", bessel_i0)
FUNCTION(tf_bessel_i0e, "TfBesselI0e", bessel_i0e)
FUNCTION(tf_bessel_i1, "TfBesselI1", bessel_i1)
FUNCTION(tf_bessel_i1e, "TfBesselI1e", bessel_i1e)
FUNCTION(tf_bessel_j0, "TfBesselJ0", bessel_j0)
FUNCTION(tf_bessel_j1, "TfBesselJ1", bessel_j1)
FUNCTION(tf_bessel_k0, "TfBesselK0", bessel_k0)
FUNCTION(tf_bessel_k0e, "TfBesselK0e", bessel_k0e)
FUNCTION(tf_bessel_k1, "TfBesselK1", bessel_k1)
FUNCTION(tf_bessel_k1e, "TfBesselK1e", bessel_k1e)
FUNCTION(tf_bessel_y0, "TfBesselY0", bessel_y0)
FUNCTION(tf_bessel_y1, "TfBesselY1", bessel_y1)
FUNCTION(tf_dawsn, "TfDawsn", dawson)
FUNCTION(tf_digamma, "TfDigamma", digamma_of)
FUNCTION(tf_erfc, "TfErfc", erfc)
FUNCTION(tf_erfinv, "TfErfinv", erfinv)
FUNCTION(tf_expint, "TfExpint", expint)
FUNCTION(tf_expm1, "TfExpm1", expm1)
FUNCTION(tf_fresnel_cos, "TfFresnelCos", fresnel_cos)
FUNCTION(tf_fresnel_sin, "TfFresnelSin", fresnel_sin)
FUNCTION(tf_lgamma, "TfLgamma", lgamma_of)
FUNCTION(tf_log1p, "TfLog1p", log1p)
FUNCTION(tf_ndtri, "TfNdtri", ndtri)
FUNCTION(tf_spence, "TfSpence", spence)
