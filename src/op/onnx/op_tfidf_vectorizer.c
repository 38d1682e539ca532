/* TfIdfVectorizer: how often each n-gram of a pool occurs in a row, with skips.
 *
 * Source: ONNX operator TfIdfVectorizer, opset 9; ONNX Runtime, core/providers/cpu/nn/tfidfvectorizer.cc
 * (weights are taken by column, not by n-gram).
 * x  string, int32 or int64 [n] or [rows, n];  y  float32 [columns] or [rows, columns], columns =
 *    the largest of ngram_indexes + 1 */
#include "base/table.h"
#include "op/shape.h"

#include <inttypes.h>

/* A step of the trie of n-grams: which node, which token. */
typedef struct edge {
    int64_t from, token;
} edge;

typedef struct grams {
    uc_table *tokens; /* text, or the 8 bytes of an integer: item is its number + 1 */
    uc_table *edges;  /* edge: item is the node */
    int64_t *gram;    /* [nodes]: number of the n-gram that ends there + 1; node 0 is the root */
    int64_t nodes;
    const int64_t *column; /* [n-grams] */
    int64_t gram_count, columns;
    int64_t least, most, skips;
    bool counts, weighs; /* TF, TFIDF: the number of times; IDF, TFIDF: by weights */
    const double *weights;
    bool is_text;
} grams;

static uncork_status read_columns(uc_call *call, int64_t *columns)
{
    size_t count = 0;
    const int64_t *at = uc_call_ints(call, "ngram_indexes", &count);
    *columns = 0;
    for (size_t i = 0; i < count; i++) {
        if (at[i] < 0 || at[i] > INT32_MAX) {
            return uc_call_fail(call, UNCORK_MALFORMED, "ngram_indexes[%zu] is %" PRId64, i, at[i]);
        }
        if (at[i] >= *columns) *columns = at[i] + 1;
    }
    if (count) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "ngram_indexes are empty");
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[2];
    UC_TRY(read_columns(call, &shape[1]));
    if (x->dtype && x->dtype != UNCORK_STRING && x->dtype != UNCORK_INT32 &&
        x->dtype != UNCORK_INT64) {
        return uc_call_fail(call, UNCORK_MALFORMED, "x is %s, expected string, int32 or int64",
                            uc_dtype_name(x->dtype));
    }
    if (x->rank < 0) return uc_call_shape(call, 0, UNCORK_FLOAT32, -1, NULL);
    if (x->rank > 2) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %d dimensions, expected 1 or 2", x->rank);
    }
    shape[0] = x->rank == 2 ? x->shape[0] : 1;
    return uc_call_shape(call, 0, UNCORK_FLOAT32, x->rank == 2 ? 2 : 1, shape + (x->rank != 2));
}

/* ---- the trie ------------------------------------------------------------------------------ */

static int64_t find_token(const grams *g, uc_str key)
{
    return (int64_t)(intptr_t)uc_table_find(g->tokens, key) - 1;
}

static int64_t find_edge(const grams *g, int64_t from, int64_t token)
{
    edge e = {from, token};
    return (int64_t)(intptr_t)uc_table_find(g->edges, (uc_str){(const char *)&e, sizeof e});
}

static bool add_edge(grams *g, edge *e, int64_t to)
{
    return uc_table_put(g->edges, (uc_str){(const char *)e, sizeof *e}, (void *)(intptr_t)to);
}

/* The pool as numbers of tokens. */
static bool number_pool(uc_call *call, grams *g, const uc_attr *pool, int64_t *numbers)
{
    for (size_t i = 0; i < pool->count; i++) {
        uc_str key =
            g->is_text ? pool->strings[i] : (uc_str){(const char *)&pool->ints[i], sizeof(int64_t)};
        numbers[i] = find_token(g, key);
        if (numbers[i] >= 0) continue;
        numbers[i] = (int64_t)uc_table_count(g->tokens);
        if (!uc_table_put(g->tokens, key, (void *)(intptr_t)(numbers[i] + 1))) return false;
    }
    (void)call;
    return true;
}

static bool add_gram(grams *g, const int64_t *tokens, int64_t size, edge *room, int64_t number)
{
    int64_t node = 0;
    for (int64_t k = 0; k < size; k++) {
        int64_t next = find_edge(g, node, tokens[k]);
        if (next == 0) {
            next = g->nodes++;
            room[next] = (edge){node, tokens[k]};
            if (!add_edge(g, &room[next], next)) return false;
        }
        node = next;
    }
    g->gram[node] = number + 1;
    return true;
}

/* n-grams of each size stand one behind another in the pool; sizes outside [least, most] only count. */
static uncork_status build(uc_call *call, grams *g, const int64_t *pool, int64_t pool_size)
{
    size_t sizes = 0;
    const int64_t *starts = uc_call_ints(call, "ngram_counts", &sizes);
    edge *room = UC_NEW(call->arena, edge, (size_t)pool_size + 1);
    g->gram = UC_NEW(call->arena, int64_t, (size_t)pool_size + 1);
    if (!room || !g->gram) return uc_arena_status(call->arena, call->error);
    g->nodes = 1;
    int64_t number = 0;
    for (size_t s = 0; s < sizes; s++) {
        int64_t begin = starts[s], end = s + 1 < sizes ? starts[s + 1] : pool_size;
        int64_t size = (int64_t)s + 1;
        if (begin < 0 || end < begin || end > pool_size || (end - begin) % size != 0) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "n-grams of %" PRId64 " stand from %" PRId64 " to %" PRId64
                                " of a pool of %" PRId64,
                                size, begin, end, pool_size);
        }
        for (; begin < end; begin += size, number++) {
            if (number >= g->gram_count) {
                return uc_call_fail(call, UNCORK_MALFORMED,
                                    "more n-grams than ngram_indexes, which are %" PRId64,
                                    g->gram_count);
            }
            if (size < g->least || size > g->most) continue;
            if (!add_gram(g, pool + begin, size, room, number)) {
                return uc_arena_status(call->arena, call->error);
            }
        }
    }
    return UNCORK_OK;
}

static uncork_status read_mode(uc_call *call, grams *g)
{
    uc_str mode = uc_call_str(call, "mode", "");
    const uc_attr *weights = uc_call_attr(call, "weights");
    g->counts = !uc_str_is(mode, "IDF");
    g->weighs = !uc_str_is(mode, "TF");
    if (g->counts && g->weighs && !uc_str_is(mode, "TFIDF")) {
        return uc_call_fail(call, UNCORK_MALFORMED, "mode '%.*s' isn't TF, IDF or TFIDF",
                            (int)(mode.size < 40 ? mode.size : 40), mode.data);
    }
    if (!g->weighs || !weights || weights->kind != UC_ATTR_FLOATS || !weights->count) {
        return UNCORK_OK;
    }
    if ((int64_t)weights->count < g->columns) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu weights for %" PRId64 " columns",
                            weights->count, g->columns);
    }
    g->weights = weights->floats;
    return UNCORK_OK;
}

static uncork_status prepare(uc_call *call)
{
    const uc_attr *texts = uc_call_attr(call, "pool_strings");
    const uc_attr *integers = uc_call_attr(call, "pool_int64s");
    size_t count = 0;
    grams *g = UC_NEW(call->arena, grams, 1);
    if (!g) return uc_arena_status(call->arena, call->error);
    g->is_text = texts && texts->kind == UC_ATTR_STRINGS;
    const uc_attr *pool = g->is_text ? texts : integers;
    if (!pool || (!g->is_text && pool->kind != UC_ATTR_INTS)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "there is no pool of n-grams");
    }
    UC_TRY(read_columns(call, &g->columns));
    g->column = uc_call_ints(call, "ngram_indexes", &count);
    g->gram_count = (int64_t)count;
    g->least = uc_call_int(call, "min_gram_length", 1);
    g->most = uc_call_int(call, "max_gram_length", 1);
    g->skips = uc_call_int(call, "max_skip_count", 0);
    if (g->least < 1 || g->most < g->least || g->most > INT32_MAX || g->skips < 0) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "n-grams of %" PRId64 " to %" PRId64 " with %" PRId64 " skips",
                            g->least, g->most, g->skips);
    }
    UC_TRY(read_mode(call, g));
    g->tokens = uc_table_new(call->arena);
    g->edges = uc_table_new(call->arena);
    int64_t *numbers = UC_NEW(call->arena, int64_t, pool->count);
    if (!g->tokens || !g->edges || !numbers || !number_pool(call, g, pool, numbers)) {
        return uc_arena_status(call->arena, call->error);
    }
    UC_TRY(build(call, g, numbers, (int64_t)pool->count));
    call->prepared = g;
    return UNCORK_OK;
}

/* ---- counting ------------------------------------------------------------------------------ */

static void count_from(const grams *g, const int64_t *row, int64_t n, int64_t step, int64_t least,
                       float *y)
{
    int64_t node = 0;
    for (int64_t size = 1, at = 0; size <= g->most && at < n; size++, at += step) {
        if (row[at] < 0 || !(node = find_edge(g, node, row[at]))) return;
        if (size >= least && g->gram[node]) y[g->column[g->gram[node] - 1]] += 1;
    }
}

static void count_row(const grams *g, const int64_t *row, int64_t n, float *y)
{
    int64_t least = g->least;
    for (int64_t step = 1; step - 1 <= g->skips && step <= n; step++) {
        for (int64_t i = 0; i < n && (n - 1 - i) / step >= least - 1; i++) {
            count_from(g, row + i, n - i, step, least, y);
        }
        /* Single tokens know no skips: they are counted once. */
        if (least == 1 && ++least > g->most) return;
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const grams *g = call->prepared;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    if ((x->dtype == UNCORK_STRING) != g->is_text) {
        return uc_call_fail(call, UNCORK_MALFORMED, "x is %s, the pool isn't",
                            uc_dtype_name(x->dtype));
    }
    int64_t n = uc_tensor_count(x), rows = x->rank == 2 ? x->shape[0] : 1;
    int64_t *numbers = uc_call_scratch(call, (size_t)n, sizeof *numbers);
    if (!numbers) return call->error->status;
    for (int64_t i = 0; i < n; i++) {
        int64_t v = g->is_text ? 0 : uc_dtype_load_i64(x->data, i, x->dtype);
        numbers[i] = find_token(g, g->is_text ? uc_tensor_string(x, i)
                                              : (uc_str){(const char *)&v, sizeof v});
    }
    float *out = y->data;
    memset(out, 0, (size_t)uc_tensor_count(y) * sizeof *out);
    for (int64_t r = 0; r < rows; r++, out += g->columns) {
        count_row(g, numbers + r * (n / rows), n / rows, out);
        for (int64_t c = 0; c < g->columns; c++) {
            if (!g->counts) out[c] = out[c] > 0;
            if (g->weights) out[c] *= (float)g->weights[c];
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_tfidf_vectorizer = {.name = "TfIdfVectorizer",
                                      .in = {1, 1},
                                      .out = {1, 1},
                                      .infer = infer,
                                      .prepare = prepare,
                                      .run = run};
