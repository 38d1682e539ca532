/* TextCounts: how often each term of a vocabulary stands in each document.
 *
 * Source: scikit-learn, feature_extraction/text.py, CountVectorizer._count_vocab.
 * x           string [documents]
 * vocabulary  string [terms], constant: term i is counted in column i; the last of equal ones counts
 * y           [documents, terms] of `dtype`
 * binary      1: ones instead of counts; the analyzer's attributes: text_analyzer.h */
#include "op/ext/text_analyzer.h"

typedef struct prepared {
    uc_text_analyzer analyzer;
    uc_table *columns; /* item: column + 1 */
} prepared;

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *vocabulary = uc_call_in(call, 1);
    uncork_dtype dtype = (uncork_dtype)uc_call_int(call, "dtype", UNCORK_FLOAT64);
    uc_text_analyzer analyzer;
    if (x->dtype != UNCORK_STRING || x->rank != 1 || vocabulary->dtype != UNCORK_STRING ||
        vocabulary->rank != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes documents and a vocabulary");
    }
    bool number = dtype == UNCORK_BOOL || uc_dtype_is_float(dtype) || uc_dtype_is_integer(dtype);
    if (!number || uc_dtype_size(dtype) == 0) {
        return uc_call_fail(call, UNCORK_MALFORMED, "dtype is no type of numbers");
    }
    UC_TRY(uc_text_analyzer_read(call, &analyzer));
    const int64_t shape[2] = {x->shape[0], vocabulary->shape[0]};
    return uc_call_shape(call, 0, dtype, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *vocabulary = uc_call_in(call, 1);
    if (!vocabulary->strings.offsets) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "the vocabulary isn't constant");
    }
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    UC_TRY(uc_text_analyzer_read(call, &p->analyzer));
    p->columns = uc_table_new(call->arena);
    for (int64_t i = 0; p->columns && i < vocabulary->shape[0]; i++) {
        if (!uc_table_put(p->columns, uc_tensor_string(vocabulary, i), (void *)(intptr_t)(i + 1)))
            break;
    }
    call->prepared = p;
    return uc_arena_status(call->arena, call->error);
}

/* A row while it is counted. */
typedef struct counter {
    uc_text_sink sink;
    const uc_table *columns;
    double *counts; /* [terms] */
} counter;

static void count_term(uc_text_sink *sink, uc_str term)
{
    counter *c = (counter *)sink;
    intptr_t column = (intptr_t)uc_table_find(c->columns, term);
    if (column) c->counts[column - 1]++;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    const prepared *p = call->prepared;
    bool binary = uc_call_int(call, "binary", 0) != 0;
    uc_tensor *out = uc_call_out(call, 0);
    if (!out) return call->error->status;
    int64_t terms = out->shape[1];
    double *counts = uc_call_scratch(call, (size_t)terms, sizeof *counts);
    if (!counts) return call->error->status;
    counter c = {.sink = {count_term}, .columns = p->columns, .counts = counts};
    uc_text_work work = {.arena = call->arena};
    size_t size = uc_dtype_size(out->dtype);
    for (int64_t r = 0; r < x->shape[0]; r++) {
        uint8_t *row = (uint8_t *)out->data + (size_t)(r * terms) * size;
        memset(counts, 0, (size_t)terms * sizeof *counts);
        UC_TRY(uc_budget_check(call->budget, call->error));
        UC_TRY(uc_text_analyze(call, &p->analyzer, &work, uc_tensor_string(x, r), r, &c.sink));
        for (int64_t i = 0; binary && i < terms; i++)
            counts[i] = counts[i] > 0;
        uc_dtype_convert(row, out->dtype, counts, UNCORK_FLOAT64, (size_t)terms);
    }
    return UNCORK_OK;
}

const uc_op uc_op_text_counts = {
    .domain = "uncork",
    .name = "TextCounts",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
