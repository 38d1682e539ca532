/* TextHash: terms counted in the columns their hashes name.
 *
 * Source: scikit-learn, feature_extraction/_hashing_fast.pyx (transform), text.py (HashingVectorizer),
 * _hash.py (FeatureHasher).
 * x  string [documents]: terms by the analyzer's attributes (text_analyzer.h); or [rows, k]: each cell
 *    is a term
 * y  [documents, n_features] of `dtype`
 * alternate_sign  1: a term whose hash is negative counts -1
 * binary          1: each column that a term names is 1; absolute 1: without signs in the end */
#include "kernel/murmur3.h"
#include "op/ext/text_analyzer.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    uncork_dtype dtype = (uncork_dtype)uc_call_int(call, "dtype", UNCORK_FLOAT64);
    int64_t features = uc_call_int(call, "n_features", 0);
    uc_text_analyzer analyzer;
    if (x->dtype != UNCORK_STRING || (x->rank != 1 && x->rank != 2)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes documents or rows of terms");
    }
    bool number = uc_dtype_is_float(dtype) || uc_dtype_is_integer(dtype);
    if (!number || uc_dtype_size(dtype) == 0 || features < 1 || features > INT32_MAX) {
        return uc_call_fail(call, UNCORK_MALFORMED, "n_features %" PRId64 " or dtype is wrong",
                            features);
    }
    UC_TRY(uc_text_analyzer_read(call, &analyzer));
    const int64_t shape[2] = {x->shape[0], features};
    return uc_call_shape(call, 0, dtype, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    uc_text_analyzer *analyzer = UC_NEW(call->arena, uc_text_analyzer, 1);
    if (!analyzer) return uc_arena_status(call->arena, call->error);
    call->prepared = analyzer;
    return uc_text_analyzer_read(call, analyzer);
}

typedef struct hasher {
    uc_text_sink sink;
    int64_t features;
    bool signs, binary;
    double *counts; /* [features] */
} hasher;

/* |h| mod n; -2^31 has no |h| in 32 bits and is brought into range before it is negated. */
static int64_t column_of(int32_t h, int64_t n)
{
    if (h == INT32_MIN) return (INT32_MAX - (n - 1)) % n;
    return (h < 0 ? -(int64_t)h : (int64_t)h) % n;
}

static void hash_term(uc_text_sink *sink, uc_str term)
{
    hasher *t = (hasher *)sink;
    int32_t h = uc_murmur3_s32(term.data, term.size, 0);
    double *count = &t->counts[column_of(h, t->features)];
    if (t->binary) {
        *count = 1;
    } else {
        *count += t->signs && h < 0 ? -1 : 1;
    }
}

static uncork_status hash_row(uc_call *call, const uc_tensor *x, int64_t r, uc_text_work *work,
                              hasher *t)
{
    if (x->rank == 1) {
        return uc_text_analyze(call, call->prepared, work, uc_tensor_string(x, r), r, &t->sink);
    }
    for (int64_t i = 0; i < x->shape[1]; i++)
        hash_term(&t->sink, uc_tensor_string(x, r * x->shape[1] + i));
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    bool absolute = uc_call_int(call, "absolute", 0) != 0;
    uc_tensor *out = uc_call_out(call, 0);
    if (!out) return call->error->status;
    int64_t features = out->shape[1];
    bool in_place = out->dtype == UNCORK_FLOAT64;
    double *scratch = in_place ? NULL : uc_call_scratch(call, (size_t)features, sizeof *scratch);
    if (!in_place && !scratch) return call->error->status;
    hasher t = {.sink = {hash_term},
                .features = features,
                .signs = uc_call_int(call, "alternate_sign", 1) != 0,
                .binary = uc_call_int(call, "binary", 0) != 0};
    uc_text_work work = {.arena = call->arena};
    size_t size = uc_dtype_size(out->dtype);
    for (int64_t r = 0; r < x->shape[0]; r++) {
        uint8_t *row = (uint8_t *)out->data + (size_t)(r * features) * size;
        t.counts = in_place ? (double *)(void *)row : scratch;
        memset(t.counts, 0, (size_t)features * sizeof *t.counts);
        UC_TRY(uc_budget_check(call->budget, call->error));
        UC_TRY(hash_row(call, x, r, &work, &t));
        for (int64_t i = 0; absolute && i < features; i++)
            t.counts[i] = fabs(t.counts[i]);
        if (!in_place) {
            uc_dtype_convert(row, out->dtype, scratch, UNCORK_FLOAT64, (size_t)features);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_text_hash = {
    .domain = "uncork",
    .name = "TextHash",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
