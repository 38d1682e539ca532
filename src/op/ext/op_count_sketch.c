/* uncork.CountSketch: tensor sketch of the polynomial kernel. scikit-learn multiplies the Fourier
 * transforms of `degree` count sketches; that is their cyclic convolution, done here directly.
 * Source: sklearn/kernel_approximation.py, PolynomialCountSketch.transform.
 *
 * x f64 [n, d]; places i64 [degree, d], below the attribute components; signs f64 [degree, d]
 * out f64 [n, components] */
#include "op/op.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *places = uc_call_in(call, 1);
    const uc_tensor *signs = uc_call_in(call, 2);
    int64_t components = uc_call_int(call, "components", 0);
    if (!x || x->dtype != UNCORK_FLOAT64 || x->rank != 2 || !places || places->rank != 2 ||
        places->dtype != UNCORK_INT64 || !signs || signs->rank != 2 ||
        signs->dtype != UNCORK_FLOAT64 || components < 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs rows, places, signs and a width");
    }
    int64_t shape[2] = {x->shape[0], components};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *places = uc_call_in(call, 1), *signs = uc_call_in(call, 2);
    int64_t components = uc_call_int(call, "components", 0);
    if (!places->data || !signs->data) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "places and signs must be constant");
    }
    if (places->shape[0] < 1 || places->shape[0] != signs->shape[0] ||
        places->shape[1] != signs->shape[1]) {
        return uc_call_fail(call, UNCORK_MALFORMED, "places and signs differ in shape");
    }
    int64_t count = uc_tensor_count(places);
    for (int64_t i = 0; i < count; i++) {
        int64_t place = ((const int64_t *)places->data)[i];
        if (place >= 0 && place < components) continue;
        return uc_call_fail(call, UNCORK_MALFORMED, "a place is %lld, of %lld components",
                            (long long)place, (long long)components);
    }
    return UNCORK_OK;
}

static void sketch(const double *x, const int64_t *places, const double *signs, int64_t d,
                   int64_t components, double *out)
{
    memset(out, 0, (size_t)components * sizeof(double));
    for (int64_t j = 0; j < d; j++) {
        out[places[j]] += signs[j] * x[j];
    }
}

/* out = a (*) b, cyclic. */
static void convolve(const double *a, const double *b, int64_t n, double *out)
{
    memset(out, 0, (size_t)n * sizeof(double));
    for (int64_t i = 0; i < n; i++) {
        if (a[i] == 0.0) continue;
        for (int64_t j = 0; j < n - i; j++) {
            out[i + j] += a[i] * b[j];
        }
        for (int64_t j = n - i; j < n; j++) {
            out[i + j - n] += a[i] * b[j];
        }
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *places = uc_call_in(call, 1);
    const int64_t *place = places->data;
    const double *sign = uc_tensor_doubles(uc_call_in(call, 2));
    int64_t degree = places->shape[0], d = places->shape[1], n = uc_call_int(call, "components", 0);
    if (x->shape[1] != d) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld features are fed, %lld are needed",
                            (long long)x->shape[1], (long long)d);
    }
    const int64_t shape[2] = {x->shape[0], n};
    uc_tensor *out;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    double *product = uc_call_scratch(call, (size_t)n, sizeof(double));
    double *next = uc_call_scratch(call, (size_t)n, sizeof(double));
    if (!product || !next) return UNCORK_NO_MEMORY;
    for (int64_t r = 0; r < shape[0]; r++) {
        const double *row = uc_tensor_doubles(x) + r * d;
        double *o = (double *)out->data + r * n;
        sketch(row, place, sign, d, n, o);
        for (int64_t g = 1; g < degree; g++) {
            memcpy(product, o, (size_t)n * sizeof(double));
            sketch(row, place + g * d, sign + g * d, d, n, next);
            convolve(next, product, n, o);
        }
    }
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *places = uc_call_in(call, 1);
    uint64_t n = (uint64_t)uc_call_int(call, "components", 0);
    return (uint64_t)x->shape[0] * (uint64_t)places->shape[0] * n * n;
}

const uc_op uc_op_count_sketch = {
    .domain = "uncork",
    .name = "CountSketch",
    .in = {3, 3},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .macs = macs,
};
