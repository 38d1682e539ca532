/* uncork.KernelDensity: log density of rows from their distances to the fitted rows.
 * Source: sklearn/neighbors/binary_tree.pxi, log_kernel and _log_kernel_norm. scikit-learn sums over a
 * tree within atol and rtol; with their default 0 its sum is this one, in another order.
 *
 * distances f64 [n, m]; weights f64 [m], optional
 * out       f64 [n]: ln(sum w K(d) / sum w), normalised
 * Attributes: kernel, bandwidth, width (features). */
#include "kernel/special.h"
#include "op/op.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

enum { GAUSSIAN, TOPHAT, EPANECHNIKOV, EXPONENTIAL, LINEAR, COSINE, KERNELS };
static const char *const kernels[KERNELS] = {"gaussian",    "tophat", "epanechnikov",
                                             "exponential", "linear", "cosine"};

static int kernel_of(const uc_call *call)
{
    uc_str name = uc_call_str(call, "kernel", "gaussian");
    int kernel = 0;
    while (kernel < KERNELS && !uc_str_is(name, kernels[kernel])) {
        kernel++;
    }
    return kernel;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *d = uc_call_in(call, 0), *w = uc_call_in(call, 1);
    if (!d || d->dtype != UNCORK_FLOAT64 || d->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs a float64 matrix of distances");
    }
    if (w && (w->dtype != UNCORK_FLOAT64 || w->rank != 1)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs a float64 vector of weights");
    }
    double h = uc_call_float(call, "bandwidth", 1.0);
    if (kernel_of(call) == KERNELS || !(h > 0) || uc_call_int(call, "width", 1) < 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "kernel, bandwidth or width is none");
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 1, d->shape);
}

/* ln of K at distance d. */
static double log_kernel(int kernel, double d, double h)
{
    double off = -(double)INFINITY;
    switch (kernel) {
    case GAUSSIAN: return -0.5 * (d * d) / (h * h);
    case TOPHAT: return d < h ? 0.0 : off;
    case EPANECHNIKOV: return d < h ? log(1.0 - (d * d) / (h * h)) : off;
    case EXPONENTIAL: return -d / h;
    case LINEAR: return d < h ? log(1.0 - d / h) : off;
    default: return d < h ? log(cos(0.5 * pi * d / h)) : off;
    }
}

/* ln of the volume of the unit ball in n dimensions, and of the surface of that in n + 1. */
static double log_volume(double n) { return 0.5 * n * log(pi) - uc_log_gamma(0.5 * n + 1.0); }

static double log_surface(double n) { return log(2.0 * pi) + log_volume(n - 1.0); }

static double log_norm(int kernel, double h, int64_t width)
{
    double d = (double)width, factor = 0.0, term = 2.0 / pi;
    switch (kernel) {
    case GAUSSIAN: factor = 0.5 * d * log(2.0 * pi); break;
    case TOPHAT: factor = log_volume(d); break;
    case EPANECHNIKOV: factor = log_volume(d) + log(2.0 / (d + 2.0)); break;
    case EXPONENTIAL: factor = log_surface(d - 1.0) + uc_log_gamma(d); break;
    case LINEAR: factor = log_volume(d) - log(d + 1.0); break;
    default:
        for (int64_t k = 1; k <= width; k += 2) {
            factor += term;
            term *= -(d - (double)k) * (d - (double)k - 1.0) * (2.0 / pi) * (2.0 / pi);
        }
        factor = log(factor) + log_surface(d - 1.0);
        break;
    }
    return -factor - d * log(h);
}

static double log_sum(const double *d, const double *w, int64_t m, int kernel, double h)
{
    double top = -(double)INFINITY, sum = 0.0;
    for (int64_t i = 0; i < m; i++) {
        double v = log_kernel(kernel, d[i], h);
        top = v > top && !(w && w[i] == 0.0) ? v : top;
    }
    if (isinf(top)) return top;
    for (int64_t i = 0; i < m; i++) {
        double v = exp(log_kernel(kernel, d[i], h) - top);
        sum += w ? w[i] * v : v;
    }
    return log(sum) + top;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *d = uc_call_in(call, 0), *w = uc_call_in(call, 1);
    int64_t n = d->shape[0], m = d->shape[1];
    if (w && w->shape[0] != m) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld weights for %lld rows",
                            (long long)w->shape[0], (long long)m);
    }
    uc_tensor *out;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 1, d->shape, &out));
    const double *weights = w ? uc_tensor_doubles(w) : NULL;
    double total = w ? 0.0 : (double)m, h = uc_call_float(call, "bandwidth", 1.0);
    for (int64_t i = 0; w && i < m; i++) {
        total += weights[i];
    }
    int kernel = kernel_of(call);
    double shift = log_norm(kernel, h, uc_call_int(call, "width", 1)) - log(total);
    for (int64_t r = 0; r < n; r++) {
        ((double *)out->data)[r] =
            log_sum(uc_tensor_doubles(d) + r * m, weights, m, kernel, h) + shift;
    }
    return UNCORK_OK;
}

const uc_op uc_op_kernel_density = {
    .domain = "uncork",
    .name = "KernelDensity",
    .in = {1, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
