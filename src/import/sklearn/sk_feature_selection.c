/* sklearn.feature_selection by stored scores: VarianceThreshold, the univariate selectors and
 * SequentialFeatureSelector. Source: sklearn/feature_selection/_univariate_selection.py,
 * _variance_threshold.py, _sequential.py (without underscore before 0.22). */
#include "import/sklearn/sk_meta.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Numbers, one a feature, and which features they let through. */
typedef struct scores {
    const double *of; /* [count] */
    int64_t count;
    bool *mask;
} scores;

static bool read_scores(sk_ctx *ctx, const sk_est *est, const char *names, scores *s)
{
    const uc_tensor *t = sk_f64(ctx, est, names, 1);
    *s = (scores){.count = t ? t->shape[0] : 0};
    if (!t) return false;
    s->of = uc_tensor_doubles(t);
    s->mask = UC_NEW(ctx->arena, bool, (size_t)s->count);
    return s->mask != NULL;
}

/* NaN last, as numpy.sort puts it. */
static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    if (isnan(x) || isnan(y)) return (isnan(x) != 0) - (isnan(y) != 0);
    return x < y ? -1 : x > y;
}

static double *sorted(sk_ctx *ctx, const scores *s)
{
    double *copy = UC_NEW(ctx->arena, double, (size_t)s->count + 1);
    if (!copy || s->count == 0) return copy;
    memcpy(copy, s->of, (size_t)s->count * sizeof *copy);
    qsort(copy, (size_t)s->count, sizeof *copy, ascending);
    return copy;
}

/* NaN counts as the lowest score (_clean_nans). */
static bool clean(sk_ctx *ctx, scores *s)
{
    double *copy = UC_NEW(ctx->arena, double, (size_t)s->count + 1);
    for (int64_t i = 0; copy && i < s->count; i++)
        copy[i] = isnan(s->of[i]) ? -DBL_MAX : s->of[i];
    s->of = copy;
    return copy != NULL;
}

static void keep_all(scores *s, bool keep)
{
    for (int64_t i = 0; i < s->count; i++)
        s->mask[i] = keep;
}

static void keep_below(scores *s, double limit)
{
    for (int64_t i = 0; i < s->count; i++)
        s->mask[i] = s->of[i] < limit;
}

/* ---- the five modes ------------------------------------------------------------------------ */

/* The k highest; of equal ones the later, as a stable ascending sort leaves them at the end. */
static bool keep_best(sk_ctx *ctx, const sk_est *est, const char *parameter, scores *s)
{
    if (!read_scores(ctx, est, "scores_", s) || !clean(ctx, s)) return false;
    if (sk_str_is(est, parameter, "all")) {
        keep_all(s, true);
        return true;
    }
    int64_t k = sk_int(ctx, est, parameter, 10);
    if (k < 0) sk_fail(ctx, est, parameter, "is %" PRId64, k);
    for (int64_t i = 0; i < s->count; i++) {
        int64_t above = 0;
        for (int64_t j = 0; j < s->count && above < k; j++)
            above += s->of[j] > s->of[i] || (!(s->of[j] < s->of[i]) && j > i);
        s->mask[i] = above < k;
    }
    return sk_status(ctx) == UNCORK_OK;
}

/* numpy.percentile of ascending numbers, linear. */
static double percentile_of(const double *v, int64_t n, double percent)
{
    double at = (double)(n - 1) * (percent / 100), low = floor(at), part = at - low;
    double a = v[(int64_t)low], b = v[(int64_t)low + 1 < n ? (int64_t)low + 1 : n - 1];
    return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1 - part);
}

/* Those above the percentile, then as many equal to it as still have room, first ones first. */
static bool keep_percentile(sk_ctx *ctx, const sk_est *est, const char *parameter, scores *s)
{
    double percent = sk_number(ctx, est, parameter, 10);
    if (!read_scores(ctx, est, "scores_", s) || !clean(ctx, s)) return false;
    if (!(percent >= 0 && percent <= 100)) {
        sk_fail(ctx, est, parameter, "is %g, it must be 0 to 100", percent);
        return false;
    }
    if (percent >= 100 || percent <= 0 || s->count == 0) {
        keep_all(s, percent >= 100);
        return true;
    }
    double *order = sorted(ctx, s);
    if (!order) return false;
    double threshold = percentile_of(order, s->count, 100 - percent);
    int64_t room = (int64_t)((double)s->count * percent / 100);
    for (int64_t i = 0; i < s->count; i++) {
        s->mask[i] = s->of[i] > threshold;
        room -= s->mask[i];
    }
    for (int64_t i = 0; i < s->count; i++) {
        bool tie = !(s->of[i] > threshold) && !(s->of[i] < threshold);
        if (tie && room-- > 0) s->mask[i] = true;
    }
    return true;
}

/* Benjamini and Hochberg: up to the largest p-value that is under its rank's share of alpha. */
static void keep_fdr(const double *order, double alpha, scores *s)
{
    double highest = -1;
    for (int64_t i = 0; i < s->count; i++) {
        if (order[i] <= alpha / (double)s->count * (double)(i + 1)) highest = order[i];
    }
    for (int64_t i = 0; i < s->count; i++)
        s->mask[i] = s->of[i] <= highest;
}

static bool keep_significant(sk_ctx *ctx, const sk_est *est, uc_str mode, const char *parameter,
                             scores *s)
{
    double alpha = sk_number(ctx, est, parameter, 0.05);
    if (!read_scores(ctx, est, "pvalues_", s)) return false;
    double *order = sorted(ctx, s);
    if (!order) return false;
    if (uc_str_is(mode, "fdr")) {
        keep_fdr(order, alpha, s);
    } else {
        keep_below(s, uc_str_is(mode, "fwe") ? alpha / (double)s->count : alpha);
    }
    return sk_status(ctx) == UNCORK_OK;
}

static uncork_status select_by(sk_ctx *ctx, const sk_est *est, uc_str mode, const char *parameter,
                               const sk_data *in, sk_result *out)
{
    scores s;
    bool read = uc_str_is(mode, "k_best")       ? keep_best(ctx, est, parameter, &s)
                : uc_str_is(mode, "percentile") ? keep_percentile(ctx, est, parameter, &s)
                                                : keep_significant(ctx, est, mode, parameter, &s);
    if (!read) return sk_status(ctx);
    return sk_take_columns(ctx, est, "scores_", s.mask, s.count, in, out);
}

uncork_status sk_do_univariate_select(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    static const struct {
        const char *name, *mode, *parameter;
    } selectors[] = {
        {"SelectKBest", "k_best", "k"}, {"SelectPercentile", "percentile", "percentile"},
        {"SelectFpr", "fpr", "alpha"},  {"SelectFdr", "fdr", "alpha"},
        {"SelectFwe", "fwe", "alpha"},
    };
    (void)method;
    for (size_t i = 0; i < sizeof selectors / sizeof selectors[0]; i++) {
        if (!uc_str_is(est->class_name, selectors[i].name)) continue;
        return select_by(ctx, est, uc_str_of(selectors[i].mode), selectors[i].parameter, in, out);
    }
    static const char *const modes[] = {"k_best", "percentile", "fpr", "fdr", "fwe"};
    uc_str mode = sk_str(ctx, est, "mode", "percentile");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (uc_str_is(mode, modes[i])) return select_by(ctx, est, mode, "param", in, out);
    }
    return sk_fail(ctx, est, "mode", "is '%.*s'", (int)(mode.size < 40 ? mode.size : 40),
                   mode.data);
}

/* ---- the others ------------------------------------------------------------------------------ */

uncork_status sk_do_variance_threshold(sk_ctx *ctx, const sk_est *est, sk_method method,
                                       const sk_data *in, sk_result *out)
{
    (void)method;
    scores s;
    double threshold = sk_number(ctx, est, "threshold", 0);
    if (!read_scores(ctx, est, "variances_", &s)) return sk_status(ctx);
    for (int64_t i = 0; i < s.count; i++)
        s.mask[i] = s.of[i] > threshold;
    return sk_take_columns(ctx, est, "variances_", s.mask, s.count, in, out);
}

uncork_status sk_do_sequential_selector(sk_ctx *ctx, const sk_est *est, sk_method method,
                                        const sk_data *in, sk_result *out)
{
    (void)method;
    scores s;
    if (!read_scores(ctx, est, "support_", &s)) return sk_status(ctx);
    for (int64_t i = 0; i < s.count; i++)
        s.mask[i] = s.of[i] > 0;
    return sk_take_columns(ctx, est, "support_", s.mask, s.count, in, out);
}
