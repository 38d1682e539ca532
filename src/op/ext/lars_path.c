/* See lars_path.h. The active regressors stand first: gram, indices and correlations are permuted
 * together; `first` is how many were taken off the front of the correlations. */
#include "op/ext/lars_path.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct path {
    const uc_lars *lars;
    int64_t k, active;     /* regressors, those in the factor */
    double *gram, *factor; /* [k, k] */
    double *correlation;   /* [k]: those not active, from `first` on */
    int64_t first;
    double *sign, *step, *direction, *last; /* [k] each */
    double *coefficient;                    /* [k], by original index */
    int64_t *index;                         /* [k] original index at each place */
    double alpha, last_alpha;
} path;

static const double tiny = 0x1p-126;      /* numpy.finfo(numpy.float32).tiny */
static const double same_alpha = 0x1p-23; /* numpy.finfo(numpy.float32).eps */

static void swap_at(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

static void swap_places(path *p, int64_t m, int64_t n)
{
    int64_t t = p->index[m];
    p->index[m] = p->index[n];
    p->index[n] = t;
    for (int64_t j = 0; j < p->k; j++) {
        swap_at(&p->gram[m * p->k + j], &p->gram[n * p->k + j]);
    }
    for (int64_t j = 0; j < p->k; j++) {
        swap_at(&p->gram[j * p->k + m], &p->gram[j * p->k + n]);
    }
}

/* Takes the regressor at place `at` of the correlations in; false when it depends on those there:
 * its correlation becomes 0 and it isn't asked again. */
static bool append(path *p, int64_t at)
{
    int64_t n = p->active, k = p->k;
    double c = p->correlation[p->first + at], *row = p->factor + n * k, sum = 0.0;
    p->sign[n] = p->lars->positive ? 1.0 : c > 0.0 ? 1.0 : c < 0.0 ? -1.0 : 0.0;
    swap_at(&p->correlation[p->first + at], &p->correlation[p->first]);
    swap_places(p, n, n + at);
    for (int64_t i = 0; i < n; i++) {
        double t = p->gram[n * k + i];
        for (int64_t j = 0; j < i; j++) {
            t -= p->factor[i * k + j] * row[j];
        }
        row[i] = t / p->factor[i * k + i];
        sum += row[i] * row[i];
    }
    double diagonal = fmax(sqrt(fabs(p->gram[n * k + n] - sum)), 0x1p-52);
    row[n] = diagonal;
    if (diagonal < 1e-7) {
        p->correlation[p->first] = 0.0;
        swap_at(&p->correlation[p->first + at], &p->correlation[p->first]);
        return false;
    }
    p->first++;
    p->active++;
    return true;
}

static void solve_signs(path *p, double ridge)
{
    int64_t n = p->active, k = p->k;
    double *s = p->step;
    memcpy(s, p->sign, (size_t)n * sizeof(double));
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < i; j++) {
            s[i] -= p->factor[i * k + j] * s[j];
        }
        s[i] /= p->factor[i * k + i] + ridge;
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t j = i + 1; j < n; j++) {
            s[i] -= p->factor[j * k + i] * s[j];
        }
        s[i] /= p->factor[i * k + i] + ridge;
    }
}

static double signed_sum(const path *p)
{
    double sum = 0.0;
    for (int64_t i = 0; i < p->active; i++) {
        sum += p->step[i] * p->sign[i];
    }
    return sum;
}

/* The equiangular step; its scale. */
static double choose_step(path *p)
{
    solve_signs(p, 0.0);
    if (p->active == 1 && p->step[0] == 0.0) {
        p->step[0] = 1.0;
        return 1.0;
    }
    double scale = 1.0 / sqrt(signed_sum(p)), ridge = 0.0;
    for (int i = 0; !isfinite(scale) && i < 1000; i++) { /* the factor is too ill-conditioned */
        ridge += ldexp(0x1p-52, i);
        solve_signs(p, ridge);
        scale = 1.0 / sqrt(fmax(signed_sum(p), 0x1p-52));
    }
    for (int64_t i = 0; i < p->active; i++) {
        p->step[i] *= scale;
    }
    return scale;
}

/* How the other correlations change along the step: direction[0 .. k - active). */
static void find_directions(path *p)
{
    for (int64_t i = p->active; i < p->k; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < p->active; j++) {
            sum += p->gram[j * p->k + i] * p->step[j];
        }
        if (p->lars->round_directions) sum = rint(sum * 1e15) / 1e15;
        p->direction[i - p->active] = sum;
    }
}

static void least_positive(double v, double *least)
{
    if (v > 0.0 && v < *least) *least = v;
}

/* Length of the step until another regressor is as correlated. */
static double step_length(const path *p, double c, double scale)
{
    double toward = DBL_MAX, away = DBL_MAX;
    for (int64_t i = 0; i < p->k - p->active; i++) {
        double v = p->correlation[p->first + i], d = p->direction[i];
        least_positive((c - v) / (scale - d + tiny), &toward);
        least_positive((c + v) / (scale + d + tiny), &away);
    }
    double length = fmin(toward, c / scale);
    return p->lars->positive ? length : fmin(length, away);
}

/* Deletes row `out` from the factor of n rows. Source: sklearn/utils/arrayfuncs.pyx, cholesky_delete. */
static void factor_delete(double *l, int64_t k, int64_t n, int64_t out)
{
    for (int64_t i = out; i < n - 1; i++) {
        memmove(l + i * k, l + (i + 1) * k, (size_t)(i + 2) * sizeof(double));
    }
    for (int64_t i = out; i < n - 1; i++) {
        double *row = l + i * k, a = row[i], b = row[i + 1], r = hypot(a, b);
        double c = r > 0.0 ? a / r : 1.0, s = r > 0.0 ? b / r : 0.0;
        row[i] = r;
        row[i + 1] = 0.0;
        for (int64_t j = i + 1; j < n - 1; j++) {
            double *below = l + j * k, u = below[i], v = below[i + 1];
            below[i] = c * u + s * v;
            below[i + 1] = c * v - s * u;
        }
    }
}

/* A coefficient reached 0: its regressor leaves, and its correlation is computed anew. */
static void drop_regressor(path *p, int64_t out, const double *gram, const double *covariance)
{
    int64_t k = p->k, gone = p->index[out];
    factor_delete(p->factor, k, p->active, out);
    p->active--;
    for (int64_t i = out; i < p->active; i++) {
        swap_places(p, i, i + 1);
        p->sign[i] = p->sign[i + 1];
    }
    p->sign[p->active] = 0.0;
    double sum = 0.0;
    for (int64_t j = 0; j < k; j++) {
        sum += gram[gone * k + j] * p->coefficient[j];
    }
    p->correlation[--p->first] = covariance[gone] - sum;
}

/* Moves along the step; the place of the coefficient that reached 0 first, -1: none. */
static int64_t advance(path *p, double c, double scale)
{
    double length = step_length(p, c, scale), first = DBL_MAX;
    int64_t out = -1;
    for (int64_t i = 0; i < p->active; i++) {
        least_positive(-p->coefficient[p->index[i]] / (p->step[i] + tiny), &first);
    }
    if (first < length) {
        for (int64_t i = 0; i < p->active; i++) {
            if (-p->coefficient[p->index[i]] / (p->step[i] + tiny) == first) {
                p->sign[i] = -p->sign[i];
                out = i;
            }
        }
        if (p->lars->lasso) length = first;
    }
    memcpy(p->last, p->coefficient, (size_t)p->k * sizeof(double));
    p->last_alpha = p->alpha;
    memset(p->coefficient, 0, (size_t)p->k * sizeof(double));
    for (int64_t i = 0; i < p->active; i++) {
        int64_t index = p->index[i];
        p->coefficient[index] = p->last[index] + length * p->step[i];
    }
    for (int64_t i = 0; i < p->k - p->active; i++) {
        p->correlation[p->first + i] -= length * p->direction[i];
    }
    return out;
}

/* The end between two corners of the path, where alpha is alpha_min. */
static void interpolate(path *p, int64_t rounds)
{
    if (fabs(p->alpha - p->lars->alpha_min) <= same_alpha || rounds == 0) return;
    double share = (p->last_alpha - p->lars->alpha_min) / (p->last_alpha - p->alpha);
    for (int64_t j = 0; j < p->k; j++) {
        p->coefficient[j] = p->last[j] + share * (p->coefficient[j] - p->last[j]);
    }
}

static int64_t most_correlated(const path *p)
{
    int64_t best = 0;
    const double *c = p->correlation + p->first;
    for (int64_t i = 1; i < p->k - p->active; i++) {
        bool more = p->lars->positive ? c[i] > c[best] : fabs(c[i]) > fabs(c[best]);
        if (more) best = i;
    }
    return best;
}

void uc_lars_path(const uc_lars *lars, const double *gram, const double *covariance,
                  double *coefficients)
{
    int64_t k = lars->k;
    path p = {.lars = lars,
              .k = k,
              .gram = lars->gram,
              .factor = lars->factor,
              .correlation = lars->vectors,
              .sign = lars->vectors + k,
              .step = lars->vectors + 2 * k,
              .direction = lars->vectors + 3 * k,
              .last = lars->vectors + 4 * k,
              .coefficient = coefficients,
              .index = lars->lists};
    memcpy(p.gram, gram, (size_t)(k * k) * sizeof(double));
    memcpy(p.correlation, covariance, (size_t)k * sizeof(double));
    memset(p.last, 0, (size_t)k * sizeof(double));
    memset(coefficients, 0, (size_t)k * sizeof(double));
    for (int64_t i = 0; i < k; i++) {
        p.index[i] = i;
    }
    bool dropped = false;
    /* Each pass advances a step or rules a regressor out, so the bound is never the reason to stop. */
    int64_t most = lars->max_iter < 100000000 ? lars->max_iter : 100000000;
    int64_t rounds = 0, bound = 4 * (most + k) + 16;
    for (int64_t pass = 0; pass < bound; pass++) {
        int64_t best = most_correlated(&p);
        double c = p.active < k ? p.correlation[p.first + best] : 0.0;
        if (!lars->positive) c = fabs(c);
        p.alpha = c / (double)lars->samples;
        if (p.alpha <= lars->alpha_min + same_alpha) {
            interpolate(&p, rounds);
            return;
        }
        if (rounds >= lars->max_iter || p.active >= k) return;
        if (!dropped && !append(&p, best)) continue;
        if (lars->lasso && rounds > 0 && p.last_alpha < p.alpha) return;
        double scale = choose_step(&p);
        find_directions(&p);
        int64_t out = advance(&p, c, scale);
        dropped = out >= 0;
        rounds++;
        if (dropped && lars->lasso) drop_regressor(&p, out, gram, covariance);
    }
}
