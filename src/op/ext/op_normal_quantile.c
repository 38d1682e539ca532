/* NormalQuantile: x with Phi(x) = p, the inverse of the standard normal distribution function.
 *
 * Source: M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied
 * Statistics 37 (1988), routine PPND16: three rational approximations, about 1e-16 relative.
 * p  f64, any shape;  y  f64, its shape. 0 gives -inf, 1 inf, anything outside [0, 1] NaN, as
 * scipy.special.ndtri */
#include "op/shape.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    if (uc_call_dtype(call, 0) != UNCORK_FLOAT64) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes float64");
    }
    return uc_call_shape_like(call, 0, 0, UNCORK_FLOAT64);
}

/* c[0] + c[1] x + ... + c[7] x^7 */
static double polynomial(const double c[8], double x)
{
    double sum = c[7];
    for (int i = 6; i >= 0; i--)
        sum = sum * x + c[i];
    return sum;
}

static double normal_quantile(double p)
{
    /* |p - 1/2| <= 0.425 */
    static const double a[8] = {3.3871328727963666080,    1.3314166789178437745e+2,
                                1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                3.3430575583588128105e+4, 2.5090809287301226727e+3};
    static const double b[8] = {1.0,
                                4.2313330701600911252e+1,
                                6.8718700749205790830e+2,
                                5.3941960214247511077e+3,
                                2.1213794301586595867e+4,
                                3.9307895800092710610e+4,
                                2.8729085735721942674e+4,
                                5.2264952788528545610e+3};
    /* then by r = sqrt(-ln min(p, 1 - p)): up to 5 */
    static const double c[8] = {1.42343711074968357734,    4.63033784615654529590,
                                5.76949722146069140550,    3.64784832476320460504,
                                1.27045825245236838258,    2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1.0,
                                2.05319162663775882187,
                                1.67638483018380384940,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    /* and beyond */
    static const double e[8] = {6.65790464350110377720,    5.46378491116411436990,
                                1.78482653991729133580,    2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[8] = {1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return q * polynomial(a, r) / polynomial(b, r);
    }
    double tail = q < 0 ? p : 1 - p;
    if (!(tail > 0)) return tail == 0 ? copysign((double)INFINITY, q) : (double)NAN;
    double r = sqrt(-log(tail));
    double y = r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)
                      : polynomial(e, r - 5) / polynomial(f, r - 5);
    return q < 0 ? -y : y;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *p = uc_call_in(call, 0);
    uc_tensor *out = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, p->rank, p->shape, &out));
    for (int64_t i = 0, n = uc_tensor_count(p); i < n; i++)
        ((double *)out->data)[i] = normal_quantile(uc_tensor_doubles(p)[i]);
    return UNCORK_OK;
}

const uc_op uc_op_normal_quantile = {
    .domain = "uncork",
    .name = "NormalQuantile",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
