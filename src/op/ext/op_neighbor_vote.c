/* uncork.NeighborVote: the class of a row from the classes of its neighbours, as scikit-learn's
 * KNeighborsClassifier counts (sklearn/neighbors/_classification.py and utils/extmath.py,
 * weighted_mode): the smallest class of those with most votes.
 *
 * indices   i64 [n, k], from uncork.Neighbors
 * codes     i64 [m], class of every indexed row, constant, below the attribute classes
 * distances f64 [n, k]; missing: every neighbour counts 1. Else 1/d, and where a distance is 0 only
 *    those of distance 0 count, 1 each
 * winner i64 [n]; proba f64 [n, classes]
 * Numerics: proba adds the votes in neighbour order; the winner's votes are added pairwise with the
 * others' places 0, as numpy.sum does: that decides between equal votes. */
#include "kernel/neighbors.h"
#include "op/op.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *indices = uc_call_in(call, 0), *distances = uc_call_in(call, 2);
    const uc_tensor *codes = uc_call_in(call, 1);
    int64_t classes = uc_call_int(call, "classes", 0);
    if (!indices || indices->dtype != UNCORK_INT64 || indices->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs an int64 matrix of indices");
    }
    if (distances && (distances->dtype != UNCORK_FLOAT64 || distances->rank != 2)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs a float64 matrix of distances");
    }
    if (!codes || codes->dtype != UNCORK_INT64 || codes->rank != 1 || classes < 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs a class for every row");
    }
    int64_t shape[2] = {indices->shape[0], classes};
    UC_TRY(uc_call_shape(call, 0, UNCORK_INT64, 1, shape));
    return uc_call_shape(call, 1, UNCORK_FLOAT64, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *codes = uc_call_in(call, 1);
    int64_t classes = uc_call_int(call, "classes", 0);
    if (!codes || !codes->data || !uc_tensor_is_dense(codes)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "the classes of the rows must be constant");
    }
    const int64_t *code = codes->data;
    for (int64_t i = 0; i < codes->shape[0]; i++) {
        if (code[i] < 0 || code[i] >= classes) {
            return uc_call_fail(call, UNCORK_MALFORMED, "row %lld is of class %lld, of %lld",
                                (long long)i, (long long)code[i], (long long)classes);
        }
    }
    call->prepared = codes->data;
    return UNCORK_OK;
}

/* The weights of one row's neighbours. */
static void weigh(const double *distances, int64_t k, double *weights)
{
    bool zero = false;
    for (int64_t i = 0; i < k; i++) {
        weights[i] = distances ? 1.0 / distances[i] : 1.0;
        zero |= isinf(weights[i]) != 0;
    }
    for (int64_t i = 0; zero && i < k; i++) {
        weights[i] = isinf(weights[i]) ? 1.0 : 0.0;
    }
}

static int64_t winner_of(const int64_t *labels, const double *weights, int64_t k, int64_t classes,
                         const double *votes, double *masked)
{
    int64_t best = 0;
    double most = 0.0;
    for (int64_t c = 0; c < classes; c++) {
        if (votes[c] == 0.0) continue;
        for (int64_t i = 0; i < k; i++) {
            masked[i] = labels[i] == c ? weights[i] : 0.0;
        }
        double sum = uc_pairwise_sum(masked, k);
        if (sum > most) {
            most = sum;
            best = c;
        }
    }
    return best;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *indices = uc_call_in(call, 0), *distances = uc_call_in(call, 2);
    const int64_t *codes = call->prepared;
    int64_t n = indices->shape[0], k = indices->shape[1], rows = uc_call_in(call, 1)->shape[0];
    int64_t classes = uc_call_int(call, "classes", 0);
    const int64_t shape[2] = {n, classes};
    uc_tensor *winner, *proba;
    UC_TRY(uc_call_output(call, 0, UNCORK_INT64, 1, shape, &winner));
    UC_TRY(uc_call_output(call, 1, UNCORK_FLOAT64, 2, shape, &proba));
    double *weights = uc_call_scratch(call, (size_t)k * 2, sizeof(double));
    int64_t *labels = uc_call_scratch(call, (size_t)k, sizeof(int64_t));
    if (!weights || !labels) return UNCORK_NO_MEMORY;
    for (int64_t r = 0; r < n; r++) {
        const int64_t *index = (const int64_t *)indices->data + r * k;
        double *p = (double *)proba->data + r * classes;
        memset(p, 0, (size_t)classes * sizeof(double));
        weigh(distances ? uc_tensor_doubles(distances) + r * k : NULL, k, weights);
        for (int64_t i = 0; i < k; i++) {
            if (index[i] < 0 || index[i] >= rows) {
                return uc_call_fail(call, UNCORK_INPUT, "neighbour %lld of %lld rows",
                                    (long long)index[i], (long long)rows);
            }
            labels[i] = codes[index[i]];
            p[labels[i]] += weights[i];
        }
        ((int64_t *)winner->data)[r] = winner_of(labels, weights, k, classes, p, weights + k);
        double total = uc_pairwise_sum(p, classes);
        for (int64_t c = 0; c < classes; c++) {
            p[c] /= total;
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_neighbor_vote = {
    .domain = "uncork",
    .name = "NeighborVote",
    .in = {2, 3},
    .out = {1, 2},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
