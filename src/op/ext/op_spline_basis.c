/* SplineBasis: B-splines of each column at its value.
 *
 * Source: scikit-learn, preprocessing/_polynomial.py, SplineTransformer.transform; C. de Boor, "A
 * Practical Guide to Splines" (1978), chapter X: the recurrence; scipy.interpolate.BSpline, whose
 * intervals and ends are meant.
 * x      f32 or f64 [rows, columns]
 * knots  f64 [columns, n], ascending, constant
 * coefs  f64 [n - degree - 1, splines], constant: identity, or wrapped around for periodic splines
 * y      as x, [rows, columns * splines], a column's splines side by side
 * degree; extrapolation "continue", "error", "periodic", "constant" or "linear"
 * missing_zeros  1: splines of NaN are 0 (NaN else)
 * A value outside the knots is an INPUT error with "error". Computed in f64, rounded once. */
#include "op/op.h"

#include <inttypes.h>
#include <math.h>

enum { MAX_DEGREE = 64 };

typedef enum beyond { CONTINUE, ERROR, PERIODIC, CONSTANT, LINEAR } beyond;

static bool beyond_of(const uc_call *call, beyond *out)
{
    static const char *const names[] = {"continue", "error", "periodic", "constant", "linear"};
    uc_str name = uc_call_str(call, "extrapolation", "constant");
    for (int i = 0; i < 5; i++) {
        *out = (beyond)i;
        if (uc_str_is(name, names[i])) return true;
    }
    return false;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *knots = uc_call_in(call, 1);
    const uc_tensor *coefs = uc_call_in(call, 2);
    int64_t degree = uc_call_int(call, "degree", 3);
    beyond outside;
    if ((x->dtype != UNCORK_FLOAT64 && x->dtype != UNCORK_FLOAT32) || x->rank != 2 ||
        knots->dtype != UNCORK_FLOAT64 || knots->rank != 2 || coefs->dtype != UNCORK_FLOAT64 ||
        coefs->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    if (degree < 0 || degree > MAX_DEGREE || coefs->shape[0] <= degree || coefs->shape[1] < 1 ||
        knots->shape[1] != coefs->shape[0] + degree + 1 || !beyond_of(call, &outside)) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "degree %" PRId64 ", knots, coefficients and extrapolation don't agree",
                            degree);
    }
    int64_t width = 0;
    if (__builtin_mul_overflow(knots->shape[0], coefs->shape[1], &width)) {
        return uc_call_fail(call, UNCORK_LIMIT, "too many splines");
    }
    const int64_t shape[2] = {x->shape[0], width};
    return uc_call_shape(call, 0, x->dtype, 2, shape);
}

/* One column's splines. */
typedef struct spline {
    const double *t, *coefs;
    int64_t degree, basis, splines; /* basis = n - degree - 1 */
} spline;

static int64_t interval_of(const spline *s, double x)
{
    int64_t at = s->degree;
    while (at < s->basis - 1 && x >= s->t[at + 1])
        at++;
    return at;
}

/* The degree + 1 B-splines that aren't 0 in the interval, or their first derivatives. */
static void basis_of(const spline *s, double x, int64_t at, bool derivative, double *h)
{
    double last[MAX_DEGREE + 1];
    int64_t values = derivative ? s->degree - 1 : s->degree;
    h[0] = 1;
    for (int64_t j = 1; j <= s->degree; j++) {
        memcpy(last, h, (size_t)j * sizeof *h);
        h[0] = 0;
        for (int64_t n = 1; n <= j; n++) {
            double right = s->t[at + n], left = s->t[at + n - j], gap = right - left;
            if (!(gap > 0)) {
                h[n] = 0;
            } else if (j <= values) {
                double w = last[n - 1] / gap;
                h[n - 1] += w * (right - x);
                h[n] = w * (x - left);
            } else {
                double w = (double)j * last[n - 1] / gap;
                h[n - 1] -= w;
                h[n] = w;
            }
        }
    }
    if (derivative && s->degree == 0) h[0] = 0;
}

/* All splines of the column at x, as if the outer intervals went on. */
static void evaluate(const spline *s, double x, bool derivative, double *y)
{
    double h[MAX_DEGREE + 1];
    int64_t at = interval_of(s, x);
    basis_of(s, x, at, derivative, h);
    for (int64_t j = 0; j < s->splines; j++) {
        double sum = 0;
        for (int64_t i = 0; i <= s->degree; i++)
            sum += s->coefs[(at - s->degree + i) * s->splines + j] * h[i];
        y[j] = sum;
    }
}

/* Python's %: the sign of the divisor. */
static double wrapped(const spline *s, double x)
{
    double low = s->t[s->degree], range = s->t[s->basis] - low;
    if (!(range > 0)) return 0;
    double rest = fmod(x - low, range);
    return low + (rest < 0 ? rest + range : rest);
}

/* Outside [low, high] for "constant" and "linear": the outermost `count` splines as they are at the
 * end, or along the tangent there; the others are 0. */
static void outside(const spline *s, double x, double end, bool below, bool linear, int64_t count,
                    double *y, double *scratch)
{
    double *value = scratch, *slope = scratch + s->splines;
    evaluate(s, end, false, value);
    if (linear) evaluate(s, end, true, slope);
    memset(y, 0, (size_t)s->splines * sizeof *y);
    for (int64_t i = 0; i < count && i < s->splines; i++) {
        int64_t j = below ? i : s->splines - 1 - i;
        y[j] = linear ? value[j] + (x - end) * slope[j] : value[j];
    }
}

/* The knots that bound column j and how many outer splines go on. A linear spline of degree 0 or 1
 * counts one more for each column before it, up to 2: scikit-learn raises `degree` in its loop. */
static void ends_of(const spline *s, beyond how, int64_t j, int64_t *edge, int64_t *count)
{
    *edge = *count = s->degree;
    if (how != LINEAR || s->degree > 1) return;
    *edge = s->degree + j > 2 ? 2 : s->degree + j;
    *count = *edge <= 1 ? *edge + 1 : *edge;
}

static uncork_status one_cell(uc_call *call, const spline *s, beyond how, double x, int64_t row,
                              int64_t j, double *y, double *scratch)
{
    int64_t edge, count, last = s->basis + s->degree;
    if (isnan(x)) {
        double fill = uc_call_int(call, "missing_zeros", 0) ? 0 : x;
        if (how == CONSTANT || how == LINEAR) fill = 0;
        for (int64_t i = 0; i < s->splines; i++)
            y[i] = fill;
        return UNCORK_OK;
    }
    if (how == PERIODIC) x = wrapped(s, x);
    ends_of(s, how, j, &edge, &count);
    double low = s->t[edge], high = s->t[last - edge];
    if (how == ERROR && (x < low || x > high)) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "row %" PRId64 ", column %" PRId64 " is %g, the knots reach %g to %g",
                            row, j, x, low, high);
    }
    if ((how == CONSTANT || how == LINEAR) && !(x >= low && x <= high)) {
        outside(s, x, x < low ? low : high, x < low, how == LINEAR, count, y, scratch);
    } else {
        evaluate(s, x, false, y);
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *knots = uc_call_in(call, 1);
    const uc_tensor *coefs = uc_call_in(call, 2);
    int64_t width = knots->shape[0], splines = coefs->shape[1];
    bool f32 = x->dtype == UNCORK_FLOAT32;
    beyond how = CONSTANT;
    (void)beyond_of(call, &how);
    if (x->shape[1] != width) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64,
                            x->shape[1], width);
    }
    double *y = uc_call_scratch(call, (size_t)splines * 3, sizeof *y);
    uc_tensor *out = uc_call_out(call, 0);
    if (!y || !out) return call->error->status;
    for (int64_t i = 0, n = uc_tensor_count(x); i < n; i++) {
        int64_t j = i % width;
        const spline s = {uc_tensor_doubles(knots) + j * knots->shape[1], uc_tensor_doubles(coefs),
                          uc_call_int(call, "degree", 3), coefs->shape[0], splines};
        double v = f32 ? (double)((const float *)x->data)[i] : uc_tensor_doubles(x)[i];
        UC_TRY(one_cell(call, &s, how, v, i / width, j, y, y + splines));
        for (int64_t k = 0; k < splines; k++) {
            if (f32) {
                ((float *)out->data)[i * splines + k] = (float)y[k];
            } else {
                ((double *)out->data)[i * splines + k] = y[k];
            }
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_spline_basis = {
    .domain = "uncork",
    .name = "SplineBasis",
    .in = {3, 3},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
