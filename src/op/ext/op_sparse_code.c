/* uncork.SparseCode: a row as a sparse combination of atoms, by the solvers of
 * sklearn/decomposition/_dict_learning.py, sparse_encode, step by step as they stop early:
 * omp (linear_model/_omp.py, _gram_omp), lars and lasso_lars (lars_path.h), lasso_cd
 * (_cd_fast.pyx, enet_coordinate_descent_gram) and threshold.
 *
 * x f64 [n, d]; atoms f64 [k, d], constant; out f64 [n, k]
 * Attributes: algorithm; alpha; nonzero (omp, lars); max_iter; positive; version (24 for 0.24, 108 for
 * 1.8: steps that changed). */
#include "op/ext/lars_path.h"
#include "op/op.h"

#include <math.h>

enum { OMP, LARS, LASSO_LARS, LASSO_CD, THRESHOLD, ALGORITHMS };
static const char *const algorithms[ALGORITHMS] = {"omp", "lars", "lasso_lars", "lasso_cd",
                                                   "threshold"};

static int algorithm_of(const uc_call *call)
{
    uc_str name = uc_call_str(call, "algorithm", "omp");
    int i = 0;
    while (i < ALGORITHMS && !uc_str_is(name, algorithms[i])) {
        i++;
    }
    return i;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *atoms = uc_call_in(call, 1);
    if (!x || x->dtype != UNCORK_FLOAT64 || x->rank != 2 || !atoms ||
        atoms->dtype != UNCORK_FLOAT64 || atoms->rank != 2 || algorithm_of(call) == ALGORITHMS) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs float64 rows, atoms and an algorithm");
    }
    int64_t k = atoms->shape[0], nonzero = uc_call_int(call, "nonzero", 1);
    if (algorithm_of(call) == OMP && (nonzero < 1 || (k >= 0 && nonzero > k))) {
        return uc_call_fail(call, UNCORK_MALFORMED, "asks for %lld of %lld atoms",
                            (long long)nonzero, (long long)k);
    }
    int64_t shape[2] = {x->shape[0], k};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

/* atoms atoms': [k, k] */
static uncork_status prepare(uc_call *call)
{
    const uc_tensor *atoms = uc_call_in(call, 1);
    if (!atoms->data) return uc_call_fail(call, UNCORK_UNSUPPORTED, "the atoms must be constant");
    int64_t k = atoms->shape[0], d = atoms->shape[1];
    size_t count;
    if (!uc_mul_size((size_t)k, (size_t)k, &count)) return uc_fail_memory(call->error);
    double *gram = UC_NEW(call->arena, double, count);
    if (!gram) return uc_arena_status(call->arena, call->error);
    for (int64_t a = 0; a < k; a++) {
        for (int64_t b = 0; b < k; b++) {
            double sum = 0.0;
            for (int64_t j = 0; j < d; j++) {
                sum += uc_tensor_doubles(atoms)[a * d + j] * uc_tensor_doubles(atoms)[b * d + j];
            }
            gram[a * k + b] = sum;
        }
    }
    call->prepared = gram;
    return UNCORK_OK;
}

typedef struct coder {
    int64_t k, d, nonzero, max_iter, version;
    const double *gram;
    double alpha;
    bool positive;
    double *covariance; /* [k] atoms x */
    double *matrix;     /* [k, k] scratch */
    double *factor;     /* [k, k] scratch */
    double *a, *b;      /* [k] scratch */
    int64_t *order;     /* [k] */
    uc_lars lars;
} coder;

static void swap_doubles(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* ---- orthogonal matching pursuit ------------------------------------------------------------------ */

/* L g = v, then L' g = that: [n, n] of a matrix k wide. */
static void solve_factor(const double *l, int64_t k, int64_t n, double *g)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < i; j++) {
            g[i] -= l[i * k + j] * g[j];
        }
        g[i] /= l[i * k + i];
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t j = i + 1; j < n; j++) {
            g[i] -= l[j * k + i] * g[j];
        }
        g[i] /= l[i * k + i];
    }
}

/* Appends the atom at `at` to the factor; false: it depends on those chosen. */
static bool append_atom(coder *c, int64_t n, int64_t at)
{
    int64_t k = c->k;
    double *row = c->factor + n * k, sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double t = c->matrix[at * k + i];
        for (int64_t j = 0; j < i; j++) {
            t -= c->factor[i * k + j] * row[j];
        }
        row[i] = t / c->factor[i * k + i];
        sum += row[i] * row[i];
    }
    double rest = c->matrix[at * k + at] - sum;
    if (n > 0 && rest <= 0x1p-52) return false;
    row[n] = sqrt(rest);
    return true;
}

static void swap_atoms(double *gram, int64_t k, int64_t a, int64_t b)
{
    for (int64_t j = 0; j < k; j++) {
        swap_doubles(&gram[a * k + j], &gram[b * k + j]);
    }
    for (int64_t j = 0; j < k; j++) {
        swap_doubles(&gram[j * k + a], &gram[j * k + b]);
    }
}

static void pursue(coder *c, double *code)
{
    int64_t k = c->k, n = 0;
    double *rest = c->a, *gamma = c->b;
    memcpy(c->matrix, c->gram, (size_t)(k * k) * sizeof(double));
    memcpy(rest, c->covariance, (size_t)k * sizeof(double));
    for (int64_t i = 0; i < k; i++) {
        c->order[i] = i;
    }
    while (n < c->nonzero) {
        int64_t best = 0;
        for (int64_t i = 1; i < k; i++) {
            if (fabs(rest[i]) > fabs(rest[best])) best = i;
        }
        if (best < n || rest[best] * rest[best] < 0x1p-52 || !append_atom(c, n, best)) break;
        swap_atoms(c->matrix, k, n, best);
        swap_doubles(&c->covariance[n], &c->covariance[best]);
        int64_t place = c->order[n];
        c->order[n] = c->order[best];
        c->order[best] = place;
        n++;
        memcpy(gamma, c->covariance, (size_t)n * sizeof(double));
        solve_factor(c->factor, k, n, gamma);
        for (int64_t i = 0; i < k; i++) {
            double sum = 0.0;
            for (int64_t j = 0; j < n; j++) {
                sum += c->matrix[i * k + j] * gamma[j];
            }
            rest[i] = c->covariance[i] - sum;
        }
    }
    for (int64_t i = 0; i < n; i++) {
        code[c->order[i]] = gamma[i];
    }
}

/* ---- coordinate descent --------------------------------------------------------------------------- */

typedef struct descent {
    double *w, *qw, *grad; /* [k] coefficients, gram w, covariance - gram w */
    int64_t *active;       /* [k] */
    int64_t count;         /* of active */
    double y2, alpha, tol;
} descent;

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* The duality gap, as written until 1.7 and from 1.8 on: the same number in another order. */
static double duality_gap(const coder *c, descent *s, double *norm)
{
    double qw = dot(s->w, c->covariance, c->k), wqw = dot(s->w, s->qw, c->k), l1 = 0.0;
    double r2 = s->y2 + wqw - 2.0 * qw;
    *norm = c->positive ? -(double)INFINITY : 0.0;
    for (int64_t j = 0; j < c->k; j++) {
        s->grad[j] = c->covariance[j] - s->qw[j];
        *norm = fmax(*norm, c->positive ? s->grad[j] : fabs(s->grad[j]));
        l1 += fabs(s->w[j]);
    }
    double scale = *norm > s->alpha ? s->alpha / *norm : 1.0;
    if (c->version >= 108) {
        double primal = 0.5 * r2 + s->alpha * l1;
        return primal - (-0.5 * (scale * scale) * r2 + scale * (s->y2 - qw));
    }
    double gap = *norm > s->alpha ? 0.5 * (r2 + r2 * (scale * scale)) : r2;
    return gap + (s->alpha * l1 - scale * s->y2 + scale * qw);
}

static void add_column(const coder *c, descent *s, int64_t j, double by)
{
    for (int64_t i = 0; i < c->k; i++) {
        s->qw[i] += by * c->gram[j * c->k + i];
    }
}

/* Gap-safe screening (1.8+): atoms that are 0 in the answer leave. */
static void screen_atoms(const coder *c, descent *s, double gap, double norm)
{
    double radius = sqrt(2.0 * fabs(gap)) / s->alpha;
    int64_t kept = 0;
    for (int64_t i = 0; i < s->count; i++) {
        int64_t j = s->active[i];
        double own = c->gram[j * c->k + j], theta = s->grad[j] / fmax(s->alpha, norm);
        if (own != 0.0 && (1.0 - fabs(theta)) / sqrt(own) <= radius) {
            s->active[kept++] = j;
            continue;
        }
        if (s->w[j] != 0.0) add_column(c, s, j, -s->w[j]);
        s->w[j] = 0.0;
    }
    s->count = kept;
}

/* One coordinate; the change. */
static double descend(const coder *c, descent *s, int64_t j)
{
    double own = c->gram[j * c->k + j], old = s->w[j], t;
    if (own == 0.0) return 0.0;
    if (c->version >= 108) {
        t = c->covariance[j] - s->qw[j] + old * own;
    } else {
        if (old != 0.0) add_column(c, s, j, -old);
        t = c->covariance[j] - s->qw[j];
    }
    double sign = t > 0.0 ? 1.0 : t < 0.0 ? -1.0 : 0.0;
    double w = c->positive && t < 0.0 ? 0.0 : sign * fmax(fabs(t) - s->alpha, 0.0) / own;
    s->w[j] = w;
    if (c->version >= 108) {
        if (w != old) add_column(c, s, j, w - old);
    } else if (w != 0.0) {
        add_column(c, s, j, w);
    }
    return fabs(w - old);
}

static void coordinate_descent(coder *c, double y2, double *code)
{
    bool screens = c->version >= 108 && c->alpha != 0.0;
    double tol = c->version >= 108 ? 1e-8 : 1e-4, norm; /* Lasso's default until 1.7 */
    descent s = {
        .w = code, .qw = c->a, .grad = c->b, .active = c->order, .y2 = y2, .tol = tol * y2};
    s.alpha = c->alpha / (double)c->d * (double)c->d; /* Lasso's alpha is a sample's */
    memset(s.qw, 0, (size_t)c->k * sizeof(double));
    s.count = c->k;
    for (int64_t j = 0; j < c->k; j++) {
        s.active[j] = j;
    }
    if (c->version >= 108) {
        double gap = duality_gap(c, &s, &norm);
        if (gap >= 0.0 && gap <= s.tol) return;
        if (screens) screen_atoms(c, &s, gap, norm);
    }
    for (int64_t round = 0; round < c->max_iter; round++) {
        double most = 0.0, change = 0.0;
        for (int64_t i = 0; i < s.count; i++) {
            change = fmax(change, descend(c, &s, s.active[i]));
            most = fmax(most, fabs(s.w[s.active[i]]));
        }
        bool moves = c->version >= 108 ? change / most > tol : change / most >= tol;
        if (most != 0.0 && moves && round != c->max_iter - 1) continue;
        double gap = duality_gap(c, &s, &norm);
        if (isnan(gap) || (c->version >= 108 ? gap <= s.tol : gap < s.tol)) return;
        if (screens) screen_atoms(c, &s, gap, norm);
    }
}

/* ---- run -------------------------------------------------------------------------------------------- */

static void threshold(const coder *c, double *code)
{
    for (int64_t j = 0; j < c->k; j++) {
        double v = c->covariance[j], sign = v > 0.0 ? 1.0 : v < 0.0 ? -1.0 : 0.0;
        code[j] = sign * fmax(fabs(v) - c->alpha, 0.0);
        if (c->positive) code[j] = fmax(code[j], 0.0);
    }
}

static void encode(coder *c, int algorithm, const double *x, const double *atoms, double *code)
{
    memset(code, 0, (size_t)c->k * sizeof(double));
    for (int64_t j = 0; j < c->k; j++) {
        c->covariance[j] = dot(atoms + j * c->d, x, c->d);
    }
    c->lars.lasso = algorithm == LASSO_LARS;
    c->lars.alpha_min = c->lars.lasso ? c->alpha / (double)c->d : 0.0;
    c->lars.max_iter = c->lars.lasso ? c->max_iter : c->nonzero;
    switch (algorithm) {
    case OMP: pursue(c, code); break;
    case LASSO_CD: coordinate_descent(c, dot(x, x, c->d), code); break;
    case THRESHOLD: threshold(c, code); break;
    default: uc_lars_path(&c->lars, c->gram, c->covariance, code); break;
    }
}

static bool make_scratch(uc_call *call, coder *c)
{
    size_t k = (size_t)c->k;
    c->covariance = uc_call_scratch(call, k, sizeof(double));
    c->matrix = uc_call_scratch(call, k * k, sizeof(double));
    c->factor = uc_call_scratch(call, k * k, sizeof(double));
    c->a = uc_call_scratch(call, k, sizeof(double));
    c->b = uc_call_scratch(call, k, sizeof(double));
    c->order = uc_call_scratch(call, k, sizeof(int64_t));
    double *vectors = uc_call_scratch(call, k * UC_LARS_VECTORS, sizeof(double));
    int64_t *lists = uc_call_scratch(call, k * UC_LARS_LISTS, sizeof(int64_t));
    c->lars = (uc_lars){.k = c->k,
                        .samples = c->d,
                        .positive = c->positive,
                        .gram = c->matrix,
                        .factor = c->factor,
                        .vectors = vectors,
                        .lists = lists,
                        .round_directions = c->version >= 100};
    return c->covariance && c->matrix && c->factor && c->a && c->b && c->order && vectors && lists;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *atoms = uc_call_in(call, 1);
    coder c = {.k = atoms->shape[0], .d = atoms->shape[1], .gram = call->prepared};
    if (x->shape[1] != c.d) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld features are fed, %lld are needed",
                            (long long)x->shape[1], (long long)c.d);
    }
    c.alpha = uc_call_float(call, "alpha", 1.0);
    c.nonzero = uc_call_int(call, "nonzero", 1);
    c.max_iter = uc_call_int(call, "max_iter", 1000);
    c.version = uc_call_int(call, "version", 109);
    c.positive = uc_call_int(call, "positive", 0) != 0;
    const int64_t shape[2] = {x->shape[0], c.k};
    uc_tensor *out;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    if (!make_scratch(call, &c)) return UNCORK_NO_MEMORY;
    int algorithm = algorithm_of(call);
    for (int64_t r = 0; r < shape[0]; r++) {
        encode(&c, algorithm, uc_tensor_doubles(x) + r * c.d, uc_tensor_doubles(atoms),
               (double *)out->data + r * c.k);
        UC_TRY(uc_budget_check(call->budget, call->error));
    }
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *atoms = uc_call_in(call, 1);
    uint64_t k = (uint64_t)atoms->shape[0];
    return (uint64_t)x->shape[0] * k * ((uint64_t)atoms->shape[1] + k);
}

const uc_op uc_op_sparse_code = {
    .domain = "uncork",
    .name = "SparseCode",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .macs = macs,
};
