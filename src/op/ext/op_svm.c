/* SVM: decisions of a support vector machine, one a pair of classes, and who wins the votes.
 *
 * Source: libsvm's svm_predict_values (Chang and Lin, "LIBSVM: a library for support vector machines",
 * 2011) as scikit-learn carries it; classes are in the order of their vectors.
 * x          f64 [rows, features]; kernel 'precomputed': [rows, vectors]
 * weights    f64 [classes - 1, vectors], constant; [1, vectors] without classes
 * intercept  f64 [pairs], constant
 * vectors    f64 [vectors, features], constant; missing when precomputed
 * counts     i64 [classes], constant: vectors of each class; missing: regression, one decision
 * decisions  f64 [rows, pairs]: pair (i, j), i < j; positive speaks for i
 * winner     i64 [rows]: the class with most votes, first among equals; needs counts
 * Attributes: kernel (linear, poly, rbf, sigmoid, precomputed), gamma, coef0, degree.
 * Numerics: sums in another order than libsvm's, so decisions differ by a few rounding errors of
 * their largest term. */
#include "base/cpu.h"
#include "base/thread.h"
#include "kernel/svm.h"
#include "op/op.h"

#include <inttypes.h>

static const struct {
    const char *name;
    uc_svm_kind kind;
} kernels[] = {{"linear", UC_SVM_LINEAR},
               {"poly", UC_SVM_POLY},
               {"rbf", UC_SVM_RBF},
               {"sigmoid", UC_SVM_SIGMOID},
               {"precomputed", UC_SVM_PRECOMPUTED}};

enum { X, WEIGHTS, INTERCEPT, VECTORS, COUNTS };

typedef struct svm_prepared {
    uc_svm svm;
    uc_svm_fn run;
} svm_prepared;

static bool find_kernel(const uc_call *call, uc_svm_kind *kind)
{
    uc_str name = uc_call_str(call, "kernel", "rbf");
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        if (uc_str_is(name, kernels[i].name)) {
            *kind = kernels[i].kind;
            return true;
        }
    }
    return false;
}

static int64_t pair_count(const uc_tensor *counts)
{
    int64_t n = counts ? counts->shape[0] : 2;
    return n * (n - 1) / 2;
}

static uncork_status check_kind(uc_call *call, size_t i, const char *name, uncork_dtype dtype,
                                int rank)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t && i > INTERCEPT) return UNCORK_OK;
    if (t && t->dtype == dtype && t->rank == rank) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "%s isn't %s of %d dimensions", name,
                        uc_dtype_name(dtype), rank);
}

static uncork_status infer(uc_call *call)
{
    UC_TRY(check_kind(call, X, "x", UNCORK_FLOAT64, 2));
    UC_TRY(check_kind(call, WEIGHTS, "weights", UNCORK_FLOAT64, 2));
    UC_TRY(check_kind(call, INTERCEPT, "intercept", UNCORK_FLOAT64, 1));
    const uc_tensor *counts = uc_call_in(call, COUNTS), *x = uc_call_in(call, X);
    UC_TRY(check_kind(call, VECTORS, "vectors", UNCORK_FLOAT64, 2));
    UC_TRY(check_kind(call, COUNTS, "counts", UNCORK_INT64, 1));
    if (counts) {
        if (counts->shape[0] < 2 || counts->shape[0] > 1 << 20) {
            return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " classes, expected 2 to 2^20",
                                counts->shape[0]);
        }
    }
    const int64_t shape[2] = {x->shape[0], pair_count(counts)};
    UC_TRY(uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape));
    return uc_call_shape(call, 1, UNCORK_INT64, 1, shape);
}

/* Every shape against the others, and counts against the number of vectors. */
static uncork_status check_parts(uc_call *call, const uc_svm *svm)
{
    const uc_tensor *weights = uc_call_in(call, WEIGHTS), *vectors = uc_call_in(call, VECTORS);
    const uc_tensor *x = uc_call_in(call, X);
    if (!weights->data || !uc_call_in(call, INTERCEPT)->data || (vectors && !vectors->data) ||
        (uc_call_in(call, COUNTS) && !uc_call_in(call, COUNTS)->data)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "vectors and weights aren't constant");
    }
    if (weights->shape[0] != svm->sums || svm->vectors < 0) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "weights have %" PRId64 " rows, expected %" PRId64, weights->shape[0],
                            svm->sums);
    }
    if (svm->kind != UC_SVM_PRECOMPUTED && (!vectors || vectors->shape[0] != svm->vectors)) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "%" PRId64 " vectors, the weights are for %" PRId64,
                            vectors ? vectors->shape[0] : 0, svm->vectors);
    }
    if (x->shape[1] >= 0 && x->shape[1] != svm->features) {
        return uc_call_fail(call, UNCORK_MALFORMED, "x has %" PRId64 " columns, expected %" PRId64,
                            x->shape[1], svm->features);
    }
    int64_t pairs = pair_count(uc_call_in(call, COUNTS));
    if (uc_call_in(call, INTERCEPT)->shape[0] != pairs) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "%" PRId64 " intercepts for %" PRId64 " pairs of classes",
                            uc_call_in(call, INTERCEPT)->shape[0], pairs);
    }
    return UNCORK_OK;
}

/* Where each class's vectors begin. */
static uncork_status class_starts(uc_call *call, uc_svm *svm)
{
    const uc_tensor *counts = uc_call_in(call, COUNTS);
    int64_t *starts = UC_NEW(call->arena, int64_t, (size_t)svm->classes + 1);
    if (!starts) return uc_arena_status(call->arena, call->error);
    for (int64_t i = 0; counts && i < svm->classes; i++) {
        int64_t n = ((const int64_t *)counts->data)[i];
        if (n < 0 || n > svm->vectors - starts[i]) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "class %" PRId64 " has %" PRId64 " vectors, %" PRId64 " remain", i,
                                n, svm->vectors - starts[i]);
        }
        starts[i + 1] = starts[i] + n;
    }
    if (counts && starts[svm->classes] != svm->vectors) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "the classes have %" PRId64 " vectors together, there are %" PRId64,
                            starts[svm->classes], svm->vectors);
    }
    svm->starts = starts;
    return UNCORK_OK;
}

static uncork_status pack_weights(uc_call *call, uc_svm *svm)
{
    size_t count = 0;
    /* a bound of uc_svm_weights that can't overflow */
    if (!uc_mul_size((size_t)(svm->padded + UC_SVM_LANES * svm->classes), (size_t)svm->sums,
                     &count)) {
        return uc_call_fail(call, UNCORK_LIMIT, "weights are more than memory can hold");
    }
    double *to = UC_NEW(call->arena, double, (size_t)uc_svm_weights(svm));
    if (!to) return uc_arena_status(call->arena, call->error);
    uc_svm_pack_weights(svm, uc_tensor_doubles(uc_call_in(call, WEIGHTS)), to);
    svm->weights = to;
    return UNCORK_OK;
}

static uncork_status pack_vectors(uc_call *call, uc_svm *svm)
{
    if (svm->kind == UC_SVM_PRECOMPUTED) return UNCORK_OK;
    size_t count = 0;
    if (!uc_mul_size((size_t)svm->padded, (size_t)svm->features, &count)) {
        return uc_call_fail(call, UNCORK_LIMIT, "vectors are more than memory can hold");
    }
    double *to = UC_NEW(call->arena, double, count + UC_SVM_LANES);
    if (!to) return uc_arena_status(call->arena, call->error);
    to += (64 - (uintptr_t)to % 64) % 64 / sizeof *to;
    uc_svm_pack(uc_tensor_doubles(uc_call_in(call, VECTORS)), svm->vectors, svm->features, to);
    svm->panels = to;
    return UNCORK_OK;
}

/* Vectors of pixels or counts are kept as whole numbers too, which are faster and just as exact. */
static uncork_status pack_integers(uc_call *call, uc_svm *svm)
{
    const uc_tensor *vectors = uc_call_in(call, VECTORS);
    if (svm->kind == UC_SVM_PRECOMPUTED) return UNCORK_OK;
    const double *from = uc_tensor_doubles(vectors);
    bool squared = svm->kind == UC_SVM_RBF;
    int32_t most = uc_svm_integer_most(from, svm->vectors, svm->features, squared);
    if (!most) return UNCORK_OK;
    int64_t blocks = (svm->vectors + UC_SVM_INTEGER_LANES - 1) / UC_SVM_INTEGER_LANES;
    uc_svm_integers *integers = UC_NEW(call->arena, uc_svm_integers, 1);
    int16_t *panels =
        UC_NEW(call->arena, int16_t, (size_t)uc_svm_integer_packed(svm->vectors, svm->features));
    int32_t *norms =
        squared ? UC_NEW(call->arena, int32_t, (size_t)(blocks * UC_SVM_INTEGER_LANES)) : NULL;
    if (!integers || !panels || (squared && !norms)) {
        return uc_arena_status(call->arena, call->error);
    }
    uc_svm_integer_pack(from, svm->vectors, svm->features, panels, norms);
    *integers = (uc_svm_integers){.features = svm->features,
                                  .blocks = blocks,
                                  .panels = panels,
                                  .norms = norms,
                                  .most = most};
    svm->integers = integers;
    return UNCORK_OK;
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *counts = uc_call_in(call, COUNTS), *vectors = uc_call_in(call, VECTORS);
    const uc_tensor *weights = uc_call_in(call, WEIGHTS);
    svm_prepared *p = UC_NEW(call->arena, svm_prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    uc_svm *svm = &p->svm;
    if (!find_kernel(call, &svm->kind)) {
        uc_str name = uc_call_str(call, "kernel", "");
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "kernel '%.*s' isn't known", (int)name.size,
                            name.data);
    }
    svm->gamma = uc_call_float(call, "gamma", 0);
    svm->coef0 = uc_call_float(call, "coef0", 0);
    if (svm->kind == UC_SVM_RBF && !(svm->gamma >= 0)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "gamma is %g, expected 0 or more", svm->gamma);
    }
    int64_t degree = uc_call_int(call, "degree", 3);
    if (degree < 0 || degree > 1 << 20) {
        return uc_call_fail(call, UNCORK_MALFORMED, "degree is %" PRId64 ", expected 0 to 2^20",
                            degree);
    }
    svm->degree = (int)degree;
    svm->vectors = weights->shape[1];
    svm->padded = uc_svm_padded(svm->vectors);
    svm->features = svm->kind == UC_SVM_PRECOMPUTED ? svm->vectors
                    : vectors                       ? vectors->shape[1]
                                                    : 0;
    svm->classes = counts ? counts->shape[0] : 1;
    svm->sums = svm->classes > 2 ? svm->classes - 1 : 1;
    UC_TRY(check_parts(call, svm));
    svm->intercept = uc_tensor_doubles(uc_call_in(call, INTERCEPT));
    UC_TRY(class_starts(call, svm));
    UC_TRY(pack_weights(call, svm));
    UC_TRY(pack_vectors(call, svm));
    UC_TRY(pack_integers(call, svm));
    p->run = uc_svm_row(uc_cpu_features());
    call->prepared = p;
    return UNCORK_OK;
}

/* ---- run ----------------------------------------------------------------------------------- */

typedef struct svm_job {
    const svm_prepared *prepared;
    const double *x;
    int64_t rows, pairs;
    double *scratch; /* one piece a thread */
    size_t scratch_size;
    double *decisions;
    int64_t *winner;
    int64_t *votes; /* [classes] a thread */
} svm_job;

static int64_t winner_of(const double *decisions, int64_t classes, int64_t *votes)
{
    memset(votes, 0, (size_t)classes * sizeof *votes);
    for (int64_t i = 0; i < classes; i++) {
        for (int64_t j = i + 1; j < classes; j++)
            votes[*decisions++ > 0 ? i : j]++;
    }
    int64_t best = 0;
    for (int64_t i = 1; i < classes; i++) {
        if (votes[i] > votes[best]) best = i;
    }
    return best;
}

static void run_blocks(void *context, int64_t begin, int64_t end, int thread)
{
    const svm_job *job = context;
    const uc_svm *svm = &job->prepared->svm;
    for (int64_t b = begin; b < end; b++) {
        int64_t at = b * UC_SVM_BLOCK, left = job->rows - at;
        int64_t rows = left < UC_SVM_BLOCK ? left : UC_SVM_BLOCK;
        double *decisions = job->decisions + at * job->pairs;
        job->prepared->run(svm, job->x + at * svm->features, rows,
                           job->scratch + (size_t)thread * job->scratch_size, decisions);
        for (int64_t r = 0; job->winner && r < rows; r++) {
            job->winner[at + r] = winner_of(decisions + r * job->pairs, svm->classes,
                                            job->votes + thread * svm->classes);
        }
    }
}

static uncork_status run(uc_call *call)
{
    const svm_prepared *p = call->prepared;
    const uc_tensor *x = uc_call_in(call, X);
    if (x->shape[1] != p->svm.features) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64,
                            x->shape[1], p->svm.features);
    }
    int64_t pairs = pair_count(uc_call_in(call, COUNTS));
    const int64_t shape[2] = {x->shape[0], pairs};
    uc_tensor *decisions = NULL, *winner = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &decisions));
    bool votes = uc_call_in(call, COUNTS) && call->out_count > 1 && call->out[1];
    if (call->out_count > 1 && call->out[1]) {
        UC_TRY(uc_call_output(call, 1, UNCORK_INT64, 1, shape, &winner));
    }
    size_t threads = (size_t)uc_pool_threads(call->pool);
    size_t size =
        ((size_t)uc_svm_scratch(&p->svm) + UC_SVM_LANES - 1) / UC_SVM_LANES * UC_SVM_LANES;
    svm_job job = {.prepared = p,
                   .x = uc_tensor_doubles(x),
                   .rows = x->shape[0],
                   .pairs = pairs,
                   .scratch = uc_call_scratch(call, threads * size + 1, sizeof(double)),
                   .scratch_size = size,
                   .decisions = decisions->data,
                   .winner = votes ? winner->data : NULL,
                   .votes = uc_call_scratch(call, threads * (size_t)p->svm.classes, 8)};
    if (!job.scratch || !job.votes) return call->error->status;
    uc_parallel(call->pool, (job.rows + UC_SVM_BLOCK - 1) / UC_SVM_BLOCK, 1, run_blocks, &job);
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_svm *svm = &((const svm_prepared *)call->prepared)->svm;
    return (uint64_t)uc_call_in(call, X)->shape[0] * (uint64_t)svm->vectors *
           (uint64_t)(svm->features + svm->sums);
}

const uc_op uc_op_svm = {
    .domain = "uncork",
    .name = "SVM",
    .in = {3, 5},
    .out = {1, 2},
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .macs = macs,
};
