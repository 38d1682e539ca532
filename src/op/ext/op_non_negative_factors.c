/* uncork.NonNegativeFactors: W >= 0 with W H ~ X for a fixed H, by the very iterations scikit-learn's
 * NMF.transform and MiniBatchNMF.transform do, since they stop early. Their stopping looks at the
 * whole batch (and "mu", "mini" start from its mean), so a row's answer depends on its companions
 * there, and here.
 * Source: sklearn/decomposition/_nmf.py (_fit_coordinate_descent, _fit_multiplicative_update,
 * _multiplicative_update_w, _beta_divergence, MiniBatchNMF._solve_W) and _cdnmf_fast.pyx.
 *
 * x f64 [n, d]; h f64 [k, d], constant; w f64 [n, k]
 * Attributes: solver "cd", "mu", "mini"; beta (2 Frobenius, 1 Kullback-Leibler, 0 Itakura-Saito);
 * tol; max_iter; l1, l2 penalties on W. */
#include "op/op.h"

#include <math.h>

/* numpy.finfo(numpy.float32).eps: what scikit-learn divides by instead of 0. */
static const double epsilon = 0x1p-23;

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *h = uc_call_in(call, 1);
    if (!x || x->dtype != UNCORK_FLOAT64 || x->rank != 2 || !h || h->dtype != UNCORK_FLOAT64 ||
        h->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs a float64 matrix and its components");
    }
    int64_t shape[2] = {x->shape[0], h->shape[0]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

typedef struct factors {
    int64_t n, d, k, max_iter;
    const double *x, *h;             /* [n, d], [k, d] */
    double *w;                       /* [n, k] */
    double *hht, *xht;               /* [k, k], [n, k] */
    double *sums;                    /* [k]: of H's rows */
    double *wh;                      /* [d] */
    double *numerator, *denominator; /* [k] */
    double beta, tol, l1, l2, gamma;
} factors;

static void products(factors *f)
{
    for (int64_t a = 0; a < f->k; a++) {
        const double *ha = f->h + a * f->d;
        f->sums[a] = 0.0;
        for (int64_t j = 0; j < f->d; j++) {
            f->sums[a] += ha[j];
        }
        for (int64_t b = 0; b < f->k; b++) {
            double sum = 0.0;
            for (int64_t j = 0; j < f->d; j++) {
                sum += ha[j] * f->h[b * f->d + j];
            }
            f->hht[a * f->k + b] = sum;
        }
        for (int64_t i = 0; i < f->n; i++) {
            double sum = 0.0;
            for (int64_t j = 0; j < f->d; j++) {
                sum += f->x[i * f->d + j] * ha[j];
            }
            f->xht[i * f->k + a] = sum;
        }
    }
}

/* ---- coordinate descent ------------------------------------------------------------------------ */

/* One round over the components; returns the violation of the optimality conditions. */
static double descend(factors *f)
{
    double violation = 0.0;
    for (int64_t t = 0; t < f->k; t++) {
        const double *hht = f->hht + t * f->k;
        for (int64_t i = 0; i < f->n; i++) {
            double *w = f->w + i * f->k, gradient = -f->xht[i * f->k + t];
            for (int64_t r = 0; r < f->k; r++) {
                gradient += hht[r] * w[r];
            }
            violation += fabs(w[t] == 0.0 ? fmin(0.0, gradient) : gradient);
            if (hht[t] != 0.0) w[t] = fmax(w[t] - gradient / hht[t], 0.0);
        }
    }
    return violation;
}

static uncork_status coordinate_descent(uc_call *call, factors *f)
{
    products(f);
    memset(f->w, 0, (size_t)(f->n * f->k) * sizeof(double));
    for (int64_t a = 0; a < f->k; a++) {
        f->hht[a * f->k + a] += f->l2;
        for (int64_t i = 0; i < f->n; i++) {
            f->xht[i * f->k + a] -= f->l1;
        }
    }
    double first = 0.0;
    for (int64_t round = 1; round <= f->max_iter; round++) {
        double violation = descend(f);
        if (round == 1) first = violation;
        if (first == 0.0 || !(violation / first > f->tol)) break; /* NaN ends it, too */
        UC_TRY(uc_budget_check(call->budget, call->error));
    }
    return UNCORK_OK;
}

/* ---- multiplicative updates ---------------------------------------------------------------------- */

static void row_product(const factors *f, const double *w, double *wh)
{
    memset(wh, 0, (size_t)f->d * sizeof(double));
    for (int64_t a = 0; a < f->k; a++) {
        const double *h = f->h + a * f->d;
        for (int64_t j = 0; j < f->d; j++) {
            wh[j] += w[a] * h[j];
        }
    }
}

/* x * max(v, epsilon)^(beta - 2), v^(beta - 1) as the branches of _multiplicative_update_w have it. */
static double pulled(double beta, double x, double v)
{
    if (beta < 2.0) v = fmax(v, epsilon);
    if (beta == 1.0) return x / v;
    if (beta == 0.0) return 1.0 / v * (1.0 / v) * x;
    return pow(v, beta - 2.0) * x;
}

static double pushed(double beta, double v)
{
    if (beta < 1.0) v = fmax(v, epsilon);
    return beta == 0.0 ? 1.0 / v : pow(v, beta - 1.0);
}

/* Numerator and denominator of one row. */
static void ratio(const factors *f, int64_t i)
{
    const double *w = f->w + i * f->k;
    if (f->beta == 2.0) {
        for (int64_t a = 0; a < f->k; a++) {
            double sum = 0.0;
            for (int64_t b = 0; b < f->k; b++) {
                sum += w[b] * f->hht[b * f->k + a];
            }
            f->numerator[a] = f->xht[i * f->k + a];
            f->denominator[a] = sum;
        }
        return;
    }
    row_product(f, w, f->wh);
    memset(f->numerator, 0, (size_t)f->k * sizeof(double));
    memset(f->denominator, 0, (size_t)f->k * sizeof(double));
    for (int64_t j = 0; j < f->d; j++) {
        double up = pulled(f->beta, f->x[i * f->d + j], f->wh[j]);
        double down = f->beta == 1.0 ? 0.0 : pushed(f->beta, f->wh[j]);
        for (int64_t a = 0; a < f->k; a++) {
            f->numerator[a] += up * f->h[a * f->d + j];
            f->denominator[a] += down * f->h[a * f->d + j];
        }
    }
    if (f->beta == 1.0) memcpy(f->denominator, f->sums, (size_t)f->k * sizeof(double));
}

/* One update of W. zero_small: values below machine epsilon become 0 (NMF, beta < 1). */
static void multiply(factors *f, bool zero_small)
{
    for (int64_t i = 0; i < f->n; i++) {
        double *w = f->w + i * f->k;
        ratio(f, i);
        for (int64_t a = 0; a < f->k; a++) {
            double down = f->denominator[a];
            if (f->l1 > 0.0) down += f->l1;
            if (f->l2 > 0.0) down += f->l2 * w[a];
            double delta = f->numerator[a] / (down == 0.0 ? epsilon : down);
            w[a] *= f->gamma == 1.0 ? delta : pow(delta, f->gamma);
            if (zero_small && w[a] < 0x1p-52) w[a] = 0.0;
        }
    }
}

/* sqrt(2 D_beta(X | W H)) */
static double divergence(const factors *f)
{
    double a = 0.0, b = 0.0, c = 0.0, beta = f->beta;
    for (int64_t i = 0; i < f->n; i++) {
        row_product(f, f->w + i * f->k, f->wh);
        for (int64_t j = 0; j < f->d; j++) {
            double x = f->x[i * f->d + j], v = f->wh[j], floor = fmax(v, epsilon);
            bool some = x > epsilon;
            if (beta == 2.0) {
                a += (x - v) * (x - v);
            } else if (beta == 1.0) {
                a += some ? x * log(x / floor) - x : 0.0;
                b += v;
            } else if (beta == 0.0) {
                a += some ? x / floor - log(x / floor) : 0.0;
                b -= 1.0;
            } else {
                a += some ? pow(x, beta) : 0.0;
                b += pow(v, beta);
                c += some ? x * pow(floor, beta - 1.0) : 0.0;
            }
        }
    }
    if (beta == 2.0) return sqrt(a);
    double sum = a + b;
    if (beta != 1.0 && beta != 0.0) sum = (a - beta * c + b * (beta - 1.0)) / (beta * (beta - 1.0));
    return sqrt(2.0 * fmax(sum, 0.0));
}

static void start_from_mean(factors *f)
{
    double sum = 0.0;
    for (int64_t i = 0; i < f->n * f->d; i++) {
        sum += f->x[i];
    }
    double start = sqrt(sum / (double)(f->n * f->d) / (double)f->k);
    for (int64_t i = 0; i < f->n * f->k; i++) {
        f->w[i] = start;
    }
    f->gamma = f->beta < 1.0 ? 1.0 / (2.0 - f->beta) : f->beta > 2.0 ? 1.0 / (f->beta - 1.0) : 1.0;
}

static uncork_status multiplicative(uc_call *call, factors *f)
{
    products(f);
    start_from_mean(f);
    double first = divergence(f), last = first;
    for (int64_t round = 1; round <= f->max_iter; round++) {
        multiply(f, f->beta < 1.0);
        UC_TRY(uc_budget_check(call->budget, call->error));
        if (!(f->tol > 0.0) || round % 10 != 0) continue;
        double error = divergence(f);
        if (!((last - error) / first >= f->tol)) break;
        last = error;
    }
    return UNCORK_OK;
}

/* MiniBatchNMF: until W moves by less than tol of its length. */
static uncork_status mini_batch(uc_call *call, factors *f)
{
    size_t count = (size_t)(f->n * f->k);
    double *before = uc_call_scratch(call, count, sizeof(double));
    if (!before) return UNCORK_NO_MEMORY;
    products(f);
    start_from_mean(f);
    for (int64_t round = 0; round < f->max_iter; round++) {
        memcpy(before, f->w, count * sizeof(double));
        multiply(f, false);
        double moved = 0.0, length = 0.0;
        for (size_t i = 0; i < count; i++) {
            double t = f->w[i] - before[i];
            moved += t * t;
            length += f->w[i] * f->w[i];
        }
        if (f->tol > 0.0 && !(sqrt(moved) / sqrt(length) > f->tol)) break;
        UC_TRY(uc_budget_check(call->budget, call->error));
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *h = uc_call_in(call, 1);
    factors f = {.n = x->shape[0], .d = h->shape[1], .k = h->shape[0]};
    if (x->shape[1] != f.d) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld features are fed, %lld are needed",
                            (long long)x->shape[1], (long long)f.d);
    }
    const int64_t shape[2] = {f.n, f.k};
    uc_tensor *w;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &w));
    f.x = uc_tensor_doubles(x);
    f.h = uc_tensor_doubles(h);
    f.w = w->data;
    f.beta = uc_call_float(call, "beta", 2.0);
    f.tol = uc_call_float(call, "tol", 1e-4);
    f.l1 = uc_call_float(call, "l1", 0.0);
    f.l2 = uc_call_float(call, "l2", 0.0);
    f.max_iter = uc_call_int(call, "max_iter", 200);
    f.hht = uc_call_scratch(call, (size_t)(f.k * f.k), sizeof(double));
    f.xht = uc_call_scratch(call, (size_t)(f.n * f.k), sizeof(double));
    f.sums = uc_call_scratch(call, (size_t)f.k, sizeof(double));
    f.wh = uc_call_scratch(call, (size_t)f.d, sizeof(double));
    f.numerator = uc_call_scratch(call, (size_t)f.k, sizeof(double));
    f.denominator = uc_call_scratch(call, (size_t)f.k, sizeof(double));
    if (!f.hht || !f.xht || !f.sums || !f.wh || !f.numerator || !f.denominator)
        return UNCORK_NO_MEMORY;
    uc_str solver = uc_call_str(call, "solver", "cd");
    if (uc_str_is(solver, "mu")) return multiplicative(call, &f);
    return uc_str_is(solver, "mini") ? mini_batch(call, &f) : coordinate_descent(call, &f);
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *h = uc_call_in(call, 1);
    uint64_t once = (uint64_t)x->shape[0] * (uint64_t)h->shape[0] * (uint64_t)h->shape[1];
    return once * 4;
}

const uc_op uc_op_non_negative_factors = {
    .domain = "uncork",
    .name = "NonNegativeFactors",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
    .macs = macs,
};
