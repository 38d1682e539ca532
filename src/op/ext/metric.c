/* See metric.h. */
#include "op/ext/metric.h"

#include <math.h>

static const struct {
    const char *name;
    uc_metric metric;
    int sum;
} metrics[] = {
    {"euclidean", UC_METRIC_EUCLIDEAN, UC_SUM_SQUARE},
    {"l2", UC_METRIC_EUCLIDEAN, UC_SUM_SQUARE},
    {"sqeuclidean", UC_METRIC_SQEUCLIDEAN, UC_SUM_SQUARE},
    {"manhattan", UC_METRIC_MANHATTAN, UC_SUM_ABS},
    {"l1", UC_METRIC_MANHATTAN, UC_SUM_ABS},
    {"cityblock", UC_METRIC_MANHATTAN, UC_SUM_ABS},
    {"chebyshev", UC_METRIC_CHEBYSHEV, UC_SUM_MAX},
    {"infinity", UC_METRIC_CHEBYSHEV, UC_SUM_MAX},
    {"minkowski", UC_METRIC_MINKOWSKI, -1},
    {"p", UC_METRIC_MINKOWSKI, -1},
    {"wminkowski", UC_METRIC_WMINKOWSKI, -1},
    {"seuclidean", UC_METRIC_SEUCLIDEAN, UC_SUM_SQUARE_OVER},
    {"mahalanobis", UC_METRIC_MAHALANOBIS, -1},
    {"hamming", UC_METRIC_HAMMING, UC_SUM_UNEQUAL},
    {"canberra", UC_METRIC_CANBERRA, UC_SUM_CANBERRA},
    {"braycurtis", UC_METRIC_BRAYCURTIS, UC_SUM_BRAY_ABS},
    {"cosine", UC_METRIC_COSINE, UC_SUM_DOT},
    {"correlation", UC_METRIC_CORRELATION, UC_SUM_DOT},
    {"jaccard", UC_METRIC_JACCARD, UC_SUM_BOOL},
    {"dice", UC_METRIC_DICE, UC_SUM_BOOL},
    {"matching", UC_METRIC_MATCHING, UC_SUM_BOOL},
    {"kulsinski", UC_METRIC_KULSINSKI, UC_SUM_BOOL},
    {"rogerstanimoto", UC_METRIC_ROGERSTANIMOTO, UC_SUM_BOOL},
    {"sokalmichener", UC_METRIC_ROGERSTANIMOTO, UC_SUM_BOOL}, /* the same number */
    {"russellrao", UC_METRIC_RUSSELLRAO, UC_SUM_BOOL},
    {"sokalsneath", UC_METRIC_SOKALSNEATH, UC_SUM_BOOL},
    {"yule", UC_METRIC_YULE, UC_SUM_BOOL},
    {"haversine", UC_METRIC_HAVERSINE, -1},
    {"nan_euclidean", UC_METRIC_NAN_EUCLIDEAN, UC_SUM_PRESENT},
    {"precomputed", UC_METRIC_PRECOMPUTED, -1},
};

static uncork_status parse(uc_call *call, uc_metric_rows *m)
{
    uc_str name = uc_call_str(call, "metric", "euclidean");
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        if (uc_str_is(name, metrics[i].name)) {
            m->metric = metrics[i].metric;
            m->sum = metrics[i].sum;
            m->p = uc_call_float(call, "p", 2.0);
            m->scipy = uc_call_int(call, "scipy", 0) != 0;
            break;
        }
        if (i + 1 == sizeof metrics / sizeof *metrics) {
            return uc_call_fail(call, UNCORK_UNSUPPORTED, "no metric is called '%.*s'",
                                (int)name.size, name.data);
        }
    }
    bool powers = m->metric == UC_METRIC_MINKOWSKI || m->metric == UC_METRIC_WMINKOWSKI;
    if (powers && !(m->p > 0.0 && m->p < (double)INFINITY)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "p is %g, it must be positive and finite",
                            m->p);
    }
    return UNCORK_OK;
}

/* Whether two dimensions may be equal. */
static bool agree(int64_t a, int64_t b) { return a < 0 || b < 0 || a == b; }

static uncork_status infer_parameter(uc_call *call, const uc_metric_rows *m, int64_t width)
{
    const uc_tensor *v = uc_call_in(call, 2);
    bool matrix = m->metric == UC_METRIC_MAHALANOBIS;
    bool must = matrix || m->metric == UC_METRIC_SEUCLIDEAN || m->metric == UC_METRIC_WMINKOWSKI;
    bool may = must || m->metric == UC_METRIC_MINKOWSKI;
    if (!v) {
        if (!must) return UNCORK_OK;
        return uc_call_fail(call, UNCORK_MALFORMED, "the metric's parameter (%s) is missing",
                            matrix ? "VI" : "V or w");
    }
    if (!may) return uc_call_fail(call, UNCORK_MALFORMED, "the metric takes no parameter");
    if (v->dtype != UNCORK_FLOAT64 || v->rank != (matrix ? 2 : 1) || !agree(v->shape[0], width) ||
        (matrix && !agree(v->shape[1], width))) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "the metric's parameter doesn't fit %lld features", (long long)width);
    }
    return UNCORK_OK;
}

uncork_status uc_metric_infer(uc_call *call, int64_t *rows)
{
    uc_metric_rows m = {0};
    UC_TRY(parse(call, &m));
    const uc_tensor *x = uc_call_in(call, 0), *y = uc_call_in(call, 1);
    if (!x || x->dtype != UNCORK_FLOAT64 || x->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs a float64 matrix of queries");
    }
    if (m.metric == UC_METRIC_PRECOMPUTED) {
        *rows = x->shape[1];
        return UNCORK_OK;
    }
    if (!y || y->dtype != UNCORK_FLOAT64 || y->rank != 2 || !agree(x->shape[1], y->shape[1])) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs float64 rows as wide as the queries");
    }
    int64_t width = y->shape[1] >= 0 ? y->shape[1] : x->shape[1];
    if (m.metric == UC_METRIC_HAVERSINE && !agree(width, 2)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "haversine takes 2 features, there are %lld",
                            (long long)width);
    }
    *rows = y->shape[0];
    return infer_parameter(call, &m, width);
}

static double norm(const double *v, int64_t n)
{
    double sum = 0.0;
    for (int64_t j = 0; j < n; j++) {
        sum += v[j] * v[j];
    }
    return sqrt(sum);
}

/* What cosine and correlation multiply: the row (minus its mean) over its length. A row of zeros
 * stays for cosine (sklearn.preprocessing.normalize), gives NaN for correlation (SciPy). */
static void direction(const uc_metric_rows *m, const double *v, double *out)
{
    double mean = 0.0;
    if (m->metric == UC_METRIC_CORRELATION) {
        for (int64_t j = 0; j < m->width; j++) {
            mean += v[j];
        }
        mean /= (double)m->width;
    }
    for (int64_t j = 0; j < m->width; j++) {
        out[j] = v[j] - mean;
    }
    double length = norm(out, m->width);
    if (length == 0.0 && m->metric == UC_METRIC_COSINE) length = 1.0;
    for (int64_t j = 0; j < m->width; j++) {
        out[j] /= length;
    }
}

static bool is_direction(const uc_metric_rows *m)
{
    return m->metric == UC_METRIC_COSINE || m->metric == UC_METRIC_CORRELATION;
}

static uncork_status pack(uc_call *call, uc_metric_rows *m)
{
    size_t count;
    if (!uc_mul_size((size_t)m->padded, (size_t)m->width, &count))
        return uc_fail_memory(call->error);
    double *panels = UC_NEW(call->arena, double, count);
    double *work = UC_NEW(call->arena, double, m->width);
    if (!panels || !work) return uc_arena_status(call->arena, call->error);
    for (int64_t i = 0; i < m->rows; i++) {
        const double *row = m->y + i * m->width;
        if (is_direction(m)) {
            direction(m, row, work);
            row = work;
        }
        double *panel = panels + i / UC_DISTANCE_LANES * UC_DISTANCE_LANES * m->width;
        for (int64_t j = 0; j < m->width; j++) {
            panel[j * UC_DISTANCE_LANES + i % UC_DISTANCE_LANES] = row[j];
        }
    }
    m->panels = panels;
    return UNCORK_OK;
}

/* The sums that weights or a power turn into faster ones with the same result. */
static void choose_sum(uc_metric_rows *m)
{
    if (m->metric == UC_METRIC_MINKOWSKI && (m->p == 1.0 || m->p == 2.0)) {
        if (m->p == 1.0) m->sum = m->parameter ? UC_SUM_ABS_TIMES : UC_SUM_ABS;
        if (m->p == 2.0) m->sum = m->parameter ? UC_SUM_SQUARE_TIMES : UC_SUM_SQUARE;
    }
    if (m->metric == UC_METRIC_BRAYCURTIS && m->scipy) m->sum = UC_SUM_BRAY_SUM;
}

uncork_status uc_metric_pack(uc_call *call, const uc_metric_rows *like, const double *y,
                             int64_t rows, uc_metric_rows **out)
{
    uc_metric_rows *m = UC_NEW(call->arena, uc_metric_rows, 1);
    *out = NULL;
    if (!m) return uc_arena_status(call->arena, call->error);
    *m = *like;
    m->y = y;
    m->rows = rows;
    m->padded = (rows + UC_DISTANCE_LANES - 1) / UC_DISTANCE_LANES * UC_DISTANCE_LANES;
    if (m->sum >= 0) UC_TRY(pack(call, m));
    *out = m;
    return UNCORK_OK;
}

uncork_status uc_metric_prepare(uc_call *call, uc_metric_rows **out)
{
    uc_metric_rows *m = UC_NEW(call->arena, uc_metric_rows, 1);
    *out = NULL;
    if (!m) return uc_arena_status(call->arena, call->error);
    UC_TRY(parse(call, m));
    if (m->metric != UC_METRIC_PRECOMPUTED) {
        const uc_tensor *y = uc_call_in(call, 1), *v = uc_call_in(call, 2);
        if (!y || !y->data || (v && !v->data)) {
            return uc_call_fail(call, UNCORK_UNSUPPORTED,
                                "the rows to compare with must be constant");
        }
        y = uc_tensor_dense(call->arena, y);
        v = v ? uc_tensor_dense(call->arena, v) : NULL;
        if (!y || uc_arena_status(call->arena, NULL) != UNCORK_OK) {
            return uc_arena_status(call->arena, call->error);
        }
        m->rows = y->shape[0];
        m->width = y->shape[1];
        m->y = uc_tensor_doubles(y);
        m->parameter = v ? uc_tensor_doubles(v) : NULL;
        choose_sum(m);
        return uc_metric_pack(call, m, m->y, m->rows, out);
    }
    *out = m;
    return UNCORK_OK;
}

/* The boolean metrics from the counts: both true, only the first, only the second. */
static double boolean_distance(uc_metric metric, double tt, double tf, double ft, double n)
{
    double unequal = tf + ft, nonzero = tt + unequal;
    switch ((int)metric) {
    case UC_METRIC_JACCARD: return nonzero == 0.0 ? 0.0 : unequal / nonzero;
    case UC_METRIC_DICE: return unequal / (2.0 * tt + unequal);
    case UC_METRIC_MATCHING: return unequal / n;
    case UC_METRIC_KULSINSKI: return (unequal - tt + n) / (unequal + n);
    case UC_METRIC_ROGERSTANIMOTO: return 2.0 * unequal / (n + unequal);
    case UC_METRIC_RUSSELLRAO: return (n - tt) / n;
    case UC_METRIC_SOKALSNEATH: return unequal / (0.5 * tt + unequal);
    default: break;
    }
    double half = tf * ft;
    return half == 0.0 ? 0.0 : 2.0 * half / (tt * (n - nonzero) + half);
}

/* Sums of one row to its reduced distance. */
static double from_sums(const uc_metric_rows *m, double a, double b, double c)
{
    double n = (double)m->width;
    switch (m->metric) {
    case UC_METRIC_HAMMING: return a / n;
    case UC_METRIC_BRAYCURTIS: return b > 0.0 || m->scipy ? a / b : 0.0;
    case UC_METRIC_COSINE: return fmin(fmax(1.0 - a, 0.0), 2.0);
    case UC_METRIC_CORRELATION: return fmax(1.0 - a, 0.0); /* as newer SciPy clips it */
    case UC_METRIC_NAN_EUCLIDEAN: return b == 0.0 ? (double)NAN : a / b * n;
    case UC_METRIC_JACCARD:
    case UC_METRIC_DICE:
    case UC_METRIC_MATCHING:
    case UC_METRIC_KULSINSKI:
    case UC_METRIC_ROGERSTANIMOTO:
    case UC_METRIC_RUSSELLRAO:
    case UC_METRIC_SOKALSNEATH:
    case UC_METRIC_YULE: return boolean_distance(m->metric, a, b, c, n);
    case UC_METRIC_EUCLIDEAN:
    case UC_METRIC_SQEUCLIDEAN:
    case UC_METRIC_MANHATTAN:
    case UC_METRIC_CHEBYSHEV:
    case UC_METRIC_MINKOWSKI:
    case UC_METRIC_WMINKOWSKI:
    case UC_METRIC_SEUCLIDEAN:
    case UC_METRIC_MAHALANOBIS:
    case UC_METRIC_CANBERRA:
    case UC_METRIC_HAVERSINE:
    case UC_METRIC_PRECOMPUTED: break;
    }
    return a;
}

static double power_sum(const uc_metric_rows *m, const double *x, const double *y)
{
    double sum = 0.0;
    for (int64_t j = 0; j < m->width; j++) {
        double t = fabs(x[j] - y[j]);
        if (m->metric == UC_METRIC_WMINKOWSKI) {
            sum += pow(m->parameter[j] * t, m->p);
        } else {
            double power = pow(t, m->p);
            sum += m->parameter ? m->parameter[j] * power : power;
        }
    }
    return sum;
}

/* (x-y)' VI (x-y); work: [width]. */
static double mahalanobis(const uc_metric_rows *m, const double *x, const double *y, double *work)
{
    double sum = 0.0;
    for (int64_t j = 0; j < m->width; j++) {
        work[j] = x[j] - y[j];
    }
    for (int64_t i = 0; i < m->width; i++) {
        const double *row = m->parameter + i * m->width;
        double t = 0.0;
        for (int64_t j = 0; j < m->width; j++) {
            t += row[j] * work[j];
        }
        sum += t * work[i];
    }
    return sum;
}

static double haversine(const double *x, const double *y)
{
    double s0 = sin(0.5 * (x[0] - y[0])), s1 = sin(0.5 * (x[1] - y[1]));
    return s0 * s0 + cos(x[0]) * cos(y[0]) * s1 * s1;
}

static double slow_pair(const uc_metric_rows *m, const double *x, const double *y, double *work)
{
    if (m->metric == UC_METRIC_MAHALANOBIS) return mahalanobis(m, x, y, work);
    if (m->metric == UC_METRIC_HAVERSINE) return haversine(x, y);
    return power_sum(m, x, y);
}

void uc_metric_reduced(const uc_metric_rows *m, const double *x, double *work, double *reduced)
{
    if (m->sum < 0) {
        for (int64_t i = 0; i < m->rows; i++) {
            reduced[i] = slow_pair(m, x, m->y + i * m->width, work);
        }
        return;
    }
    if (is_direction(m)) {
        direction(m, x, work);
        x = work;
    }
    uc_distance_fn sum = uc_distance()->sum[m->sum];
    double sums[3][UC_DISTANCE_LANES];
    for (int64_t i = 0; i < m->padded; i += UC_DISTANCE_LANES) {
        sum(x, m->panels + i * m->width, m->parameter, m->width, sums[0]);
        for (int64_t l = 0; l < UC_DISTANCE_LANES; l++) {
            reduced[i + l] = from_sums(m, sums[0][l], sums[1][l], sums[2][l]);
        }
    }
}

double uc_metric_finish(const uc_metric_rows *m, double reduced)
{
    switch ((int)m->metric) {
    case UC_METRIC_EUCLIDEAN:
    case UC_METRIC_SEUCLIDEAN:
    case UC_METRIC_MAHALANOBIS:
    case UC_METRIC_NAN_EUCLIDEAN: return sqrt(reduced);
    case UC_METRIC_MINKOWSKI:
    case UC_METRIC_WMINKOWSKI: return pow(reduced, 1.0 / m->p);
    case UC_METRIC_HAVERSINE: return 2.0 * asin(sqrt(reduced));
    default: return reduced;
    }
}

double uc_metric_reduce(const uc_metric_rows *m, double distance)
{
    switch ((int)m->metric) {
    case UC_METRIC_EUCLIDEAN:
    case UC_METRIC_SEUCLIDEAN:
    case UC_METRIC_MAHALANOBIS:
    case UC_METRIC_NAN_EUCLIDEAN: return distance * distance;
    case UC_METRIC_MINKOWSKI:
    case UC_METRIC_WMINKOWSKI: return pow(distance, m->p);
    case UC_METRIC_HAVERSINE: {
        double s = sin(0.5 * distance);
        return s * s;
    }
    default: return distance;
    }
}

uncork_status uc_metric_check_input(uc_call *call, const uc_metric_rows *m, const double *x,
                                    int64_t n)
{
    bool takes_nan = m->metric == UC_METRIC_NAN_EUCLIDEAN;
    for (int64_t i = 0; i < n; i++) {
        const double *row = x + i * m->width;
        double sum = 0.0; /* 0 as long as all are finite */
        for (int64_t j = 0; j < m->width; j++) {
            sum += row[j] * 0.0;
        }
        if (sum == 0.0) continue;
        for (int64_t j = 0; j < m->width; j++) {
            if (isinf(row[j]) || (isnan(row[j]) && !takes_nan)) {
                return uc_call_fail(call, UNCORK_INPUT, "row %lld, column %lld is %s", (long long)i,
                                    (long long)j, isnan(row[j]) ? "NaN" : "infinite");
            }
        }
    }
    return UNCORK_OK;
}
