/* SVMClassifier and SVMRegressor.
 *
 * Source: ONNX operators of ai.onnx.ml 1; ONNX Runtime, core/providers/cpu/ml/svmclassifier.cc and
 * svmregressor.cc (libsvm's svm_predict_values and multiclass_probability, with their bounds).
 * x  numeric [rows, features] or [features]
 * labels  [rows] int64 or string; scores  float32: probabilities [rows, classes], or a decision a pair
 * Numerics: float64 (kernel/svm.h), rounded to float32 once. */
#include "base/cpu.h"
#include "kernel/svm.h"
#include "op/ml/ml_score.h"

#include <inttypes.h>
#include <math.h>

typedef struct svm {
    uc_svm machine;
    uc_svm_fn run;
    bool linear; /* no vectors: one row of coefficients a class */
    const double *coef, *rho, *prob_a, *prob_b;
    int64_t classes, features, pairs, rho_count;
    bool all_positive, has_proba;
    uc_post post;
    uc_labels labels;
    int64_t *starts; /* of each class's vectors */
} svm;

static uncork_status read_kernel(uc_call *call, uc_svm *m)
{
    static const char *const names[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
    uc_str name = uc_call_str(call, "kernel_type", "LINEAR");
    const uc_attr *params = uc_call_attr(call, "kernel_params");
    int kind = 0;
    while (kind < 4 && !uc_str_is(name, names[kind]))
        kind++;
    if (kind == 4) {
        return uc_call_fail(call, UNCORK_MALFORMED, "kernel_type '%.*s' isn't known",
                            (int)(name.size < 40 ? name.size : 40), name.data);
    }
    m->kind = (uc_svm_kind)kind;
    double v[3] = {0, 0, 0};
    bool given = params && params->kind == UC_ATTR_FLOATS;
    for (size_t i = 0; given && i < 3 && i < params->count; i++) {
        v[i] = params->floats[i];
    }
    m->gamma = v[0];
    m->coef0 = v[1];
    if (!(v[2] >= 0 && v[2] <= 1 << 20) || (kind == UC_SVM_RBF && !(v[0] >= 0))) {
        return uc_call_fail(call, UNCORK_MALFORMED, "kernel_params are %g, %g, %g", v[0], v[1],
                            v[2]);
    }
    m->degree = (int)v[2];
    return UNCORK_OK;
}

/* Vectors and coefficients, laid out for the kernel. */
static uncork_status pack(uc_call *call, svm *s, const double *vectors, int64_t sums)
{
    uc_svm *m = &s->machine;
    size_t count = 0, weights = 0;
    m->padded = uc_svm_padded(m->vectors);
    m->features = s->features;
    m->sums = sums;
    if (!uc_mul_size((size_t)m->padded, (size_t)m->features, &count) ||
        !uc_mul_size((size_t)(m->padded + UC_SVM_LANES * m->classes), (size_t)sums, &weights)) {
        return uc_call_fail(call, UNCORK_LIMIT, "vectors are more than memory can hold");
    }
    double *panels = UC_NEW(call->arena, double, count + UC_SVM_LANES);
    double *to = UC_NEW(call->arena, double, (size_t)uc_svm_weights(m));
    double *intercept = UC_NEW(call->arena, double, (size_t)s->pairs);
    if (!panels || !to || !intercept) return uc_arena_status(call->arena, call->error);
    panels += (64 - (uintptr_t)panels % 64) % 64 / sizeof *panels;
    uc_svm_pack(vectors, m->vectors, m->features, panels);
    uc_svm_pack_weights(m, s->coef, to);
    for (int64_t i = 0; i < s->pairs; i++) {
        intercept[i] = s->rho[i];
    }
    m->panels = panels;
    m->weights = to;
    m->intercept = intercept;
    s->run = uc_svm_row(uc_cpu_features());
    return UNCORK_OK;
}

static uncork_status count_fails(uc_call *call, const char *name, int64_t have, int64_t want)
{
    return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " %s, expected %" PRId64, have, name,
                        want);
}

static uncork_status read_common(uc_call *call, svm *s, int64_t *coefs)
{
    bool wide = false;
    UC_TRY(uc_ml_floats(call, "coefficients", &s->coef, coefs, &wide));
    UC_TRY(uc_ml_floats(call, "rho", &s->rho, &s->rho_count, &wide));
    UC_TRY(uc_post_of(call, &s->post));
    UC_TRY(read_kernel(call, &s->machine));
    if (*coefs > 0 && s->rho_count > 0) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "coefficients or rho are missing");
}

static uncork_status read_vectors(uc_call *call, svm *s, const double **vectors)
{
    bool wide = false;
    int64_t count = 0, n = s->machine.vectors;
    UC_TRY(uc_ml_floats(call, "support_vectors", vectors, &count, &wide));
    if (count == 0 || count % n != 0) return count_fails(call, "numbers of vectors", count, n);
    s->features = count / n;
    return UNCORK_OK;
}

/* Decisions of all rows, [rows, pairs]; NULL after a failure. */
static double *decide(uc_call *call, const svm *s, int64_t rows)
{
    const double *x = uc_ml_input(call, true);
    int64_t columns = s->linear ? s->classes : s->pairs;
    double *y = uc_call_scratch(call, (size_t)(rows * columns) + 1, sizeof *y);
    if (!x || !y) return NULL;
    for (int64_t i = 0; s->linear && i < rows * columns; i++) {
        double sum = 0;
        for (int64_t f = 0; f < s->features; f++) {
            sum += x[i / columns * s->features + f] * s->coef[i % columns * s->features + f];
        }
        y[i] = sum + s->rho[0];
    }
    if (s->linear) return y;
    double *scratch = uc_call_scratch(call, (size_t)uc_svm_scratch(&s->machine), sizeof *scratch);
    if (!scratch) return NULL;
    for (int64_t r = 0; r < rows; r += UC_SVM_BLOCK) {
        int64_t n = rows - r < UC_SVM_BLOCK ? rows - r : UC_SVM_BLOCK;
        s->run(&s->machine, x + r * s->features, n, scratch, y + r * columns);
    }
    return y;
}

static uncork_status check_columns(uc_call *call, const svm *s, int64_t features)
{
    if (features < 0 || features == s->features) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, the model takes %" PRId64,
                        features, s->features);
}

/* ---- SVMRegressor ------------------------------------------------------------------------- */

static uncork_status prepare_regressor(uc_call *call)
{
    svm *s = UC_NEW(call->arena, svm, 1);
    const double *vectors = NULL;
    int64_t coefs = 0, n = uc_call_int(call, "n_supports", 0);
    if (!s) return uc_arena_status(call->arena, call->error);
    UC_TRY(read_common(call, s, &coefs));
    s->classes = s->pairs = s->machine.classes = 1;
    s->linear = n <= 0;
    s->features = coefs;
    if (!s->linear) {
        if (n != coefs) return count_fails(call, "coefficients", coefs, n);
        s->machine.vectors = n;
        s->starts = UC_NEW(call->arena, int64_t, 2);
        if (!s->starts) return uc_arena_status(call->arena, call->error);
        s->starts[1] = n;
        s->machine.starts = s->starts;
        UC_TRY(read_vectors(call, s, &vectors));
        UC_TRY(pack(call, s, vectors, 1));
    }
    call->prepared = s;
    return UNCORK_OK;
}

static uncork_status infer_regressor(uc_call *call)
{
    int64_t shape[2] = {0, 1}, features;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(uc_ml_rows(call, &shape[0], &features));
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 2, shape);
}

static uncork_status run_regressor(uc_call *call)
{
    const svm *s = call->prepared;
    int64_t shape[2] = {0, 1}, features;
    UC_TRY(uc_ml_rows(call, &shape[0], &features));
    UC_TRY(check_columns(call, s, features));
    double *y = decide(call, s, shape[0]);
    if (!y) return call->error->status;
    bool one_class = uc_call_int(call, "one_class", 0) != 0;
    for (int64_t r = 0; r < shape[0]; r++) {
        if (one_class) {
            y[r] = y[r] > 0 ? 1 : -1;
        } else if (s->post == UC_POST_PROBIT) {
            uc_post_row(s->post, y + r, 1);
        }
    }
    return uc_ml_output(call, 0, y, 2, shape);
}

const uc_op uc_op_ml_svm_regressor = {.domain = "ai.onnx.ml",
                                      .name = "SVMRegressor",
                                      .in = {1, 1},
                                      .out = {1, 1},
                                      .infer = infer_regressor,
                                      .prepare = prepare_regressor,
                                      .run = run_regressor};

/* ---- SVMClassifier ------------------------------------------------------------------------ */

static uncork_status read_classes(uc_call *call, svm *s)
{
    size_t count = 0;
    const int64_t *sizes = uc_call_ints(call, "vectors_per_class", &count);
    int64_t total = 0;
    s->labels = uc_labels_of(call, "classlabels_ints");
    s->classes = s->labels.count > 0 ? s->labels.count : 1;
    s->starts = UC_NEW(call->arena, int64_t, count + 1);
    if (!s->starts) return uc_arena_status(call->arena, call->error);
    for (size_t i = 0; i < count; i++) {
        if (sizes[i] < 0 || sizes[i] > INT32_MAX) {
            return uc_call_fail(call, UNCORK_MALFORMED, "class %zu has %" PRId64 " vectors", i,
                                sizes[i]);
        }
        total += sizes[i];
        s->starts[i + 1] = total;
    }
    s->linear = total == 0;
    if (!s->linear && ((int64_t)count != s->classes || s->classes < 2)) {
        return count_fails(call, "classes with vectors", (int64_t)count, s->classes);
    }
    s->machine.vectors = total;
    s->machine.classes = s->classes;
    s->machine.starts = s->starts;
    s->pairs = s->linear ? s->classes : s->classes * (s->classes - 1) / 2;
    return UNCORK_OK;
}

static uncork_status read_proba(uc_call *call, svm *s)
{
    bool wide = false;
    int64_t a = 0, b = 0;
    UC_TRY(uc_ml_floats(call, "prob_a", &s->prob_a, &a, &wide));
    UC_TRY(uc_ml_floats(call, "prob_b", &s->prob_b, &b, &wide));
    s->has_proba = a > 0 && !s->linear;
    if (!s->has_proba || (a >= s->pairs && b >= s->pairs)) return UNCORK_OK;
    return count_fails(call, "of prob_a and prob_b", a < b ? a : b, s->pairs);
}

static uncork_status read_classifier(uc_call *call, svm *s, const double **vectors)
{
    int64_t coefs = 0;
    UC_TRY(read_common(call, s, &coefs));
    UC_TRY(read_classes(call, s));
    UC_TRY(read_proba(call, s));
    s->all_positive = true;
    for (int64_t i = 0; i < coefs; i++) {
        s->all_positive = s->all_positive && s->coef[i] >= 0;
    }
    if (s->linear) {
        if (coefs % s->classes != 0) return count_fails(call, "coefficients", coefs, s->classes);
        s->features = coefs / s->classes;
        return UNCORK_OK;
    }
    int64_t want = (s->classes - 1) * s->machine.vectors;
    if (coefs != want) return count_fails(call, "coefficients", coefs, want);
    if (s->rho_count < s->pairs) return count_fails(call, "rho", s->rho_count, s->pairs);
    return read_vectors(call, s, vectors);
}

/* Columns of the scores. */
static int64_t score_columns(const svm *s)
{
    int64_t n = s->has_proba || s->linear ? s->classes : s->pairs;
    bool pair = n == 1 && s->rho_count == 1 && s->labels.count == 2;
    return pair ? 2 : n;
}

static uncork_status infer_classifier(uc_call *call)
{
    svm s = {0};
    const double *vectors = NULL;
    int64_t shape[2], features = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(read_classifier(call, &s, &vectors));
    UC_TRY(uc_ml_rows(call, &shape[0], &features));
    UC_TRY(check_columns(call, &s, features));
    shape[1] = score_columns(&s);
    UC_TRY(uc_call_shape(call, 0, uc_labels_dtype(&s.labels), 1, shape));
    return uc_call_shape(call, 1, UNCORK_FLOAT32, 2, shape);
}

static uncork_status prepare_classifier(uc_call *call)
{
    svm *s = UC_NEW(call->arena, svm, 1);
    const double *vectors = NULL;
    if (!s) return uc_arena_status(call->arena, call->error);
    UC_TRY(read_classifier(call, s, &vectors));
    if (!s->linear) UC_TRY(pack(call, s, vectors, s->classes - 1));
    call->prepared = s;
    return UNCORK_OK;
}

/* Wu, Lin and Weng, "Probability estimates for multi-class classification by pairwise coupling" (2004),
 * the second approach, as libsvm iterates it. r [k, k]; p [k]; q [k, k + 1] is room. */
static void couple(const double *r, int64_t k, double *p, double *q)
{
    double *qp = q + k * k;
    for (int64_t t = 0; t < k; t++) {
        p[t] = 1 / (double)k;
        q[t * k + t] = 0;
        for (int64_t j = 0; j < k; j++) {
            if (j == t) continue;
            q[t * k + t] += r[j * k + t] * r[j * k + t];
            q[t * k + j] = -r[j * k + t] * r[t * k + j];
        }
    }
    for (int64_t round = 0; round < (k > 100 ? k : 100); round++) {
        double pqp = 0, worst = 0;
        for (int64_t t = 0; t < k; t++) {
            qp[t] = 0;
            for (int64_t j = 0; j < k; j++) {
                qp[t] += q[t * k + j] * p[j];
            }
            pqp += p[t] * qp[t];
        }
        for (int64_t t = 0; t < k; t++) {
            worst = fabs(qp[t] - pqp) > worst ? fabs(qp[t] - pqp) : worst;
        }
        if (worst < 0.005 / (double)k) return;
        for (int64_t t = 0; t < k; t++) {
            double d = (-qp[t] + pqp) / q[t * k + t];
            p[t] += d;
            pqp = (pqp + d * (d * q[t * k + t] + 2 * qp[t])) / (1 + d) / (1 + d);
            for (int64_t j = 0; j < k; j++) {
                qp[j] = (qp[j] + d * q[t * k + j]) / (1 + d);
                p[j] /= 1 + d;
            }
        }
    }
}

static void probabilities(const svm *s, const double *decisions, double *p, double *room)
{
    int64_t k = s->classes, at = 0;
    double *r = room, *q = room + k * k;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = i + 1; j < k; j++, at++) {
            double v = decisions[at] * s->prob_a[at] + s->prob_b[at];
            v = v >= 0 ? exp(-v) / (1 + exp(-v)) : 1 / (1 + exp(v));
            v = v < 1e-7 ? 1e-7 : v > 1 - 1e-7 ? 1 - 1e-7 : v;
            r[i * k + j] = v;
            r[j * k + i] = 1 - v;
        }
    }
    couple(r, k, p, q);
}

/* The class with most votes, or the best score; *weight: that number. */
static int64_t winner(const svm *s, const double *decisions, int64_t *votes, double *weight)
{
    int64_t best = 0;
    if (s->linear) {
        for (int64_t c = 1; c < s->classes; c++) {
            if (decisions[c] > decisions[best]) best = c;
        }
        *weight = decisions[best];
        return best;
    }
    memset(votes, 0, (size_t)s->classes * sizeof *votes);
    for (int64_t i = 0; i < s->classes; i++) {
        for (int64_t j = i + 1; j < s->classes; j++) {
            votes[(float)*decisions++ > 0 ? i : j]++;
        }
    }
    for (int64_t c = 1; c < s->classes; c++) {
        if (votes[c] > votes[best]) best = c;
    }
    *weight = (double)votes[best];
    return best;
}

/* ONNX Runtime's rule for two classes without vectors: a score above 0 (0.5 where no coefficient is
 * negative) speaks for the second class, whosever it is. */
static int64_t label_of(const svm *s, int64_t best, double weight)
{
    if (s->labels.count == 0) return weight > 0 ? UC_LABEL_ONE : UC_LABEL_ZERO;
    bool second = s->all_positive ? weight >= 0.5 : weight > 0;
    return s->linear && s->rho_count == 1 && s->labels.count == 2 && second ? 1 : best;
}

static void write_scores(const svm *s, const double *from, int64_t n, double *to)
{
    if (n > 1 || score_columns(s) == n) {
        memcpy(to, from, (size_t)n * sizeof *to);
        if (n > 1 || s->post == UC_POST_PROBIT) uc_post_row(s->post, to, n);
        return;
    }
    uc_post_pair(s->post, s->post != UC_POST_NONE, from[0], to);
}

static uncork_status run_classifier(uc_call *call)
{
    const svm *s = call->prepared;
    int64_t shape[2], features = 0, k = s->classes;
    UC_TRY(uc_ml_rows(call, &shape[0], &features));
    UC_TRY(check_columns(call, s, features));
    shape[1] = score_columns(s);
    double *d = decide(call, s, shape[0]);
    double *z = uc_call_scratch(call, (size_t)(shape[0] * shape[1]) + 2, sizeof *z);
    double *room = uc_call_scratch(call, (size_t)(k * (2 * k + 2)), sizeof *room);
    int64_t *votes = uc_call_scratch(call, (size_t)k, sizeof *votes);
    int64_t *classes = uc_call_scratch(call, (size_t)shape[0], sizeof *classes);
    if (!d || !z || !room || !votes || !classes) return call->error->status;
    for (int64_t r = 0; r < shape[0]; r++) {
        const double *row = d + r * s->pairs;
        double weight = 0;
        int64_t best = winner(s, row, votes, &weight);
        classes[r] = label_of(s, best, weight);
        if (s->has_proba) {
            probabilities(s, row, room, room + k);
            write_scores(s, room, k, z + r * shape[1]);
        } else {
            write_scores(s, row, s->pairs, z + r * shape[1]);
        }
    }
    UC_TRY(uc_labels_write(call, 0, &s->labels, classes, shape[0]));
    return uc_ml_output(call, 1, z, 2, shape);
}

const uc_op uc_op_ml_svm_classifier = {.domain = "ai.onnx.ml",
                                       .name = "SVMClassifier",
                                       .in = {1, 1},
                                       .out = {1, 2},
                                       .infer = infer_classifier,
                                       .prepare = prepare_classifier,
                                       .run = run_classifier};
