/* Matern: the Matern covariance of a distance, any order nu.
 *
 * Source: Rasmussen and Williams, "Gaussian processes for machine learning", 2006, eq. 4.14, in the
 * forms of scikit-learn, gaussian_process/kernels.py, Matern.__call__: closed ones for nu 0.5, 1.5,
 * 2.5 and infinity, else 2^(1-nu) / Gamma(nu) t^nu K_nu(t), t = sqrt(2 nu) d, d = 0 taken as epsilon.
 * d  f64, any shape;  y  f64, the same shape
 * Attributes: nu > 0 (infinity is the squared exponential).
 * Numerics: K_nu within about 1e-14 relative of scipy.special.kv. */
#include "op/op.h"

#include <float.h>
#include <math.h>

#define PI 3.14159265358979323846

static uncork_status infer(uc_call *call)
{
    const uc_tensor *d = uc_call_in(call, 0);
    double nu = uc_call_float(call, "nu", 0);
    if (d->dtype != UNCORK_FLOAT64) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes float64, gets %s",
                            uc_dtype_name(d->dtype));
    }
    if (!(nu > 0) || (nu > 1000 && isfinite(nu))) {
        return uc_call_fail(call, UNCORK_MALFORMED, "nu is %g, expected 0 to 1000 or infinity", nu);
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, d->rank, d->shape);
}

/* ---- the modified Bessel function of the second kind --------------------------------------- */

/* K_mu and K_mu+1 of a small order, |mu| <= 1/2. */
typedef struct bessel_pair {
    double k, next;
} bessel_pair;

/* x <= 2. Temme, "On the numerical evaluation of the modified Bessel function of the third kind",
 * J. Comput. Phys. 19, 1975: a power series whose first terms need 1/Gamma(1 +- mu). */
static bessel_pair series(double mu, double x)
{
    /* Taylor coefficients of 1/Gamma(1 + z), from Euler's constant and zeta(2), zeta(3), ... */
    static const double even[] = {1.0,
                                  -0.6558780715202539,
                                  0.16653861138229148,
                                  -0.009621971527876973,
                                  -0.0011651675918590652,
                                  0.0001280502823881162,
                                  -1.2504934821426706e-06,
                                  -2.056338416977607e-07,
                                  5.002007644469223e-09,
                                  1.0434267116911005e-10};
    static const double odd[] = {0.5772156649015329,      -0.04200263503409524,
                                 -0.04219773455554433,    0.0072189432466631,
                                 -0.00021524167411495098, -2.013485478078824e-05,
                                 1.133027231981696e-06,   6.116095104481416e-09,
                                 -1.18127457048702e-09,   7.782263439905071e-12};
    double gamma1 = 0, gamma2 = 0, m2 = mu * mu;
    for (int i = 9; i >= 0; i--) {
        gamma1 = gamma1 * m2 - odd[i];
        gamma2 = gamma2 * m2 + even[i];
    }
    double plus = gamma2 - mu * gamma1, minus = gamma2 + mu * gamma1; /* 1/Gamma(1 +- mu) */
    double logarithm = log(2 / x), sigma = mu * logarithm;
    double sinc = fabs(mu) < 1e-10 ? 1 : PI * mu / sin(PI * mu);
    double sinhc = fabs(sigma) < 1e-10 ? 1 : sinh(sigma) / sigma;
    double f = sinc * (cosh(sigma) * gamma1 + sinhc * logarithm * gamma2);
    double p = 0.5 * exp(sigma) / plus, q = 0.5 * exp(-sigma) / minus;
    double c = 1, k = f, next = p, quarter = x * x / 4;
    for (int i = 1; i < 500; i++) {
        f = (i * f + p + q) / (i * i - m2);
        p /= i - mu;
        q /= i + mu;
        c *= quarter / i;
        double term = c * f;
        k += term;
        next += c * (p - i * f);
        if (fabs(term) < DBL_EPSILON / 8 * fabs(k)) break;
    }
    return (bessel_pair){k, next * 2 / x};
}

/* x > 2. The same paper: the continued fraction of K_mu+1 / K_mu, with the sum that normalises it,
 * evaluated forwards (Thompson and Barnett, Comput. Phys. Commun. 47, 1987). */
static bessel_pair fraction(double mu, double x)
{
    double first = 0.25 - mu * mu, a = -first, b = 2 * (1 + x);
    double d = 1 / b, h = d, step = d;
    double before = 0, now = 1, c = first, q = first, s = 1 + q * step;
    for (int i = 2; i < 10000; i++) {
        a -= 2 * (i - 1);
        c = -a * c / i;
        double after = (before - b * now) / a;
        before = now;
        now = after;
        q += c * now;
        b += 2;
        d = 1 / (b + a * d);
        step *= b * d - 1;
        h += step;
        s += q * step;
        if (fabs(q * step) < DBL_EPSILON / 8 * fabs(s)) break;
    }
    double k = sqrt(PI / (2 * x)) * exp(-x) / s;
    return (bessel_pair){k, k * (mu + x + 0.5 - first * h) / x};
}

static double bessel_k(double nu, double x)
{
    int steps = (int)(nu + 0.5);
    double mu = nu - steps;
    bessel_pair p = x <= 2 ? series(mu, x) : fraction(mu, x);
    for (int i = 0; i < steps; i++) {
        double after = p.k + 2 * (mu + i + 1) / x * p.next;
        p.k = p.next;
        p.next = after;
    }
    return p.k;
}

/* ---- the covariance ------------------------------------------------------------------------ */

static double covariance(double d, double nu, double factor)
{
    if (nu == 0.5) return exp(-d);
    if (nu == 1.5) {
        double t = d * sqrt(3);
        return (1 + t) * exp(-t);
    }
    if (nu == 2.5) {
        double t = d * sqrt(5);
        return (1 + t + t * t / 3) * exp(-t);
    }
    if (isinf(nu)) return exp(-(d * d) / 2);
    if (d == 0) d += DBL_EPSILON;
    double t = sqrt(2 * nu) * d;
    if (!(t < 750)) return isnan(t) ? t : 0; /* K_nu is below the smallest number */
    return factor * pow(t, nu) * bessel_k(nu, t);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *d = uc_call_in(call, 0);
    double nu = uc_call_float(call, "nu", 0);
    uc_tensor *y = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, d->rank, d->shape, &y));
    int64_t count = uc_tensor_count(d);
    double factor = pow(2, 1 - nu) / tgamma(nu);
    for (int64_t i = 0; i < count; i++) {
        ((double *)y->data)[i] = covariance(uc_tensor_doubles(d)[i], nu, factor);
    }
    return UNCORK_OK;
}

const uc_op uc_op_matern = {
    .domain = "uncork",
    .name = "Matern",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
