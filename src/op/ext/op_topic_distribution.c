/* uncork.TopicDistribution: topics of documents under a fitted latent Dirichlet allocation, by the
 * iteration of sklearn/decomposition/_lda.py (_update_doc_distribution), which stops early, with the
 * digamma of _online_lda_fast.pyx (Bernardo's AS 103), which is short of double precision.
 *
 * x f64 [n, words], counts; topics f64 [k, words]: exp(E[ln beta]); out f64 [n, k], rows sum to 1
 * Attributes: prior, tol, max_iter. */
#include "op/op.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *topics = uc_call_in(call, 1);
    if (!x || x->dtype != UNCORK_FLOAT64 || x->rank != 2 || !topics ||
        topics->dtype != UNCORK_FLOAT64 || topics->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs float64 counts and topics");
    }
    int64_t shape[2] = {x->shape[0], topics->shape[0]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

static double psi(double x)
{
    static const double euler = 0.577215664901532860606512090082402431;
    if (x <= 1e-6) return -euler - 1.0 / x;
    double sum = 0.0;
    while (x < 6.0) {
        sum -= 1.0 / x;
        x += 1.0;
    }
    double r = 1.0 / x;
    sum += log(x) - 0.5 * r;
    r = r * r;
    return sum - r * ((1.0 / 12.0) - r * ((1.0 / 120.0) - r * (1.0 / 252.0)));
}

typedef struct document {
    const double *topics; /* [k, words] */
    int64_t words, k, max_iter;
    double prior, tol;
    int64_t *used;  /* [words] places of the counts that aren't 0 */
    double *share;  /* [words] count over expected count */
    double *weight; /* [k] exp(E[ln theta]) */
    double *last;   /* [k] */
} document;

/* exp(E[ln theta]) for theta ~ Dir(v + prior); v takes the prior in. */
static void expect(double *v, double prior, int64_t k, double *weight)
{
    double total = 0.0;
    for (int64_t t = 0; t < k; t++) {
        v[t] += prior;
        total += v[t];
    }
    total = psi(total);
    for (int64_t t = 0; t < k; t++) {
        weight[t] = exp(psi(v[t]) - total);
    }
}

static void settle(const document *doc, const double *counts, double *theta)
{
    int64_t k = doc->k, used = 0;
    for (int64_t j = 0; j < doc->words; j++) {
        if (counts[j] != 0.0) doc->used[used++] = j;
    }
    for (int64_t t = 0; t < k; t++) {
        theta[t] = 1.0;
    }
    expect(theta, 0.0, k, doc->weight);
    for (int64_t round = 0; round < doc->max_iter; round++) {
        memcpy(doc->last, theta, (size_t)k * sizeof(double));
        for (int64_t i = 0; i < used; i++) {
            double norm = 0.0;
            for (int64_t t = 0; t < k; t++) {
                norm += doc->weight[t] * doc->topics[t * doc->words + doc->used[i]];
            }
            doc->share[i] = counts[doc->used[i]] / (norm + 0x1p-52);
        }
        double change = 0.0;
        for (int64_t t = 0; t < k; t++) {
            double sum = 0.0;
            for (int64_t i = 0; i < used; i++) {
                sum += doc->share[i] * doc->topics[t * doc->words + doc->used[i]];
            }
            theta[t] = doc->weight[t] * sum;
        }
        expect(theta, doc->prior, k, doc->weight);
        for (int64_t t = 0; t < k; t++) {
            change += fabs(doc->last[t] - theta[t]);
        }
        if (!(change / (double)k >= doc->tol)) break;
    }
    double total = 0.0;
    for (int64_t t = 0; t < k; t++) {
        total += theta[t];
    }
    for (int64_t t = 0; t < k; t++) {
        theta[t] /= total;
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *topics = uc_call_in(call, 1);
    document doc = {
        .topics = uc_tensor_doubles(topics), .k = topics->shape[0], .words = topics->shape[1]};
    if (x->shape[1] != doc.words) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld features are fed, %lld are needed",
                            (long long)x->shape[1], (long long)doc.words);
    }
    const int64_t shape[2] = {x->shape[0], doc.k};
    uc_tensor *out;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    doc.prior = uc_call_float(call, "prior", 1.0 / (double)doc.k);
    doc.tol = uc_call_float(call, "tol", 1e-3);
    doc.max_iter = uc_call_int(call, "max_iter", 100);
    doc.used = uc_call_scratch(call, (size_t)doc.words, sizeof(int64_t));
    doc.share = uc_call_scratch(call, (size_t)doc.words, sizeof(double));
    doc.weight = uc_call_scratch(call, (size_t)doc.k, sizeof(double));
    doc.last = uc_call_scratch(call, (size_t)doc.k, sizeof(double));
    if (!doc.used || !doc.share || !doc.weight || !doc.last) return UNCORK_NO_MEMORY;
    for (int64_t r = 0; r < shape[0]; r++) {
        settle(&doc, uc_tensor_doubles(x) + r * doc.words, (double *)out->data + r * doc.k);
        UC_TRY(uc_budget_check(call->budget, call->error));
    }
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *topics = uc_call_in(call, 1);
    return 2 * (uint64_t)x->shape[0] * (uint64_t)topics->shape[0] * (uint64_t)topics->shape[1];
}

const uc_op uc_op_topic_distribution = {
    .domain = "uncork",
    .name = "TopicDistribution",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
    .macs = macs,
};
