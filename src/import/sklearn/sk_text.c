/* sklearn.feature_extraction: CountVectorizer, TfidfVectorizer, TfidfTransformer, HashingVectorizer,
 * FeatureHasher, DictVectorizer. Source: sklearn/feature_extraction/text.py, _hash.py,
 * _dict_vectorizer.py (hashing.py, dict_vectorizer.py before 0.22). */
#include "container/sparse.h"
#include "import/sklearn/sk_categories.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- the analyzer -------------------------------------------------------------------------- */

static bool is_text(const uc_pickle *v)
{
    return v && (v->kind == UC_PICKLE_TEXT || v->kind == UC_PICKLE_BYTES);
}

/* A parameter that may be a Python function is refused by the function's name. */
static bool no_function(sk_ctx *ctx, const sk_est *est, const char *name, bool text_is_fine)
{
    const uc_pickle *value = sk_attr(est, name);
    if (!value || value->kind == UC_PICKLE_NONE || (text_is_fine && is_text(value))) return true;
    if (value->kind == UC_PICKLE_BOOL && !value->boolean) return true;
    const char *type = uc_pickle_type_name(value, ctx->arena);
    sk_unsupported(ctx, est, "%s is the Python function %s, which can't be run", name,
                   type ? type : "?");
    return false;
}

static const char *copied(sk_ctx *ctx, uc_str text)
{
    const char *copy = uc_arena_copy(ctx->arena, text.data, text.size);
    return copy ? copy : "";
}

/* stop_words: 'english', or a list, set or frozenset of words. */
static bool put_stop_words(sk_ctx *ctx, const sk_est *est, uc_node *node)
{
    static const uc_str english[] = {
#define STOP(word) {word, sizeof word - 1},
#include "import/sklearn/sk_stop_words.def"
#undef STOP
    };
    const uc_pickle *value = sk_attr(est, "stop_words");
    if (!value || value->kind == UC_PICKLE_NONE) return true;
    if (uc_pickle_is_text(value, "english")) {
        uc_node_strs(ctx->graph, node, "stop_words", english, sizeof english / sizeof english[0]);
        return true;
    }
    if (value->kind == UC_PICKLE_OBJECT && uc_str_is(value->text, "frozenset")) {
        value = uc_pickle_item(value->args, 0);
    }
    bool list = value && (value->kind == UC_PICKLE_LIST || value->kind == UC_PICKLE_TUPLE ||
                          value->kind == UC_PICKLE_SET || value->kind == UC_PICKLE_OBJECTS);
    const uc_tensor *t = value && value->kind == UC_PICKLE_ARRAY ? value->tensor : NULL;
    size_t count = list ? value->count : 0;
    if (t && t->dtype == UNCORK_STRING && t->rank == 1) count = (size_t)t->shape[0];
    uc_str *words = UC_NEW(ctx->arena, uc_str, count + 1);
    bool fine = list || (t && t->dtype == UNCORK_STRING);
    for (size_t i = 0; fine && words && i < count; i++) {
        fine = t || is_text(value->items[i]);
        if (fine) words[i] = t ? uc_tensor_string(t, (int64_t)i) : value->items[i]->text;
    }
    if (!fine) sk_fail(ctx, est, "stop_words", "is no list of words");
    if (fine && words) uc_node_strs(ctx->graph, node, "stop_words", words, count);
    return fine && words;
}

/* strip_accents: until 0.21 text that was decomposed already kept its marks. */
static bool put_accents(sk_ctx *ctx, const sk_est *est, uc_node *node)
{
    const uc_pickle *value = sk_attr(est, "strip_accents");
    if (!value || value->kind == UC_PICKLE_NONE) return true;
    if (uc_pickle_is_text(value, "ascii")) {
        uc_node_str(ctx->graph, node, "strip_accents", "ascii");
    } else if (uc_pickle_is_text(value, "unicode")) {
        uc_node_str(ctx->graph, node, "strip_accents",
                    est->version < 22 ? "unicode-old" : "unicode");
    } else if (is_text(value) && value->text.size) {
        sk_fail(ctx, est, "strip_accents", "is neither 'ascii' nor 'unicode'");
    } else {
        return no_function(ctx, est, "strip_accents", true);
    }
    return sk_status(ctx) == UNCORK_OK;
}

static bool put_ngrams(sk_ctx *ctx, const sk_est *est, uc_node *node)
{
    const uc_pickle *range = sk_attr(est, "ngram_range");
    int64_t low = 1, high = 1;
    if (range && (!uc_pickle_i64(uc_pickle_item(range, 0), &low) ||
                  !uc_pickle_i64(uc_pickle_item(range, 1), &high) || low < 1 || high < low)) {
        sk_fail(ctx, est, "ngram_range", "is no pair of rising numbers from 1 on");
        return false;
    }
    uc_node_int(ctx->graph, node, "ngram_min", low);
    uc_node_int(ctx->graph, node, "ngram_max", high);
    return true;
}

static bool put_analyzer(sk_ctx *ctx, const sk_est *est, uc_node *node)
{
    uc_graph *g = ctx->graph;
    if (!no_function(ctx, est, "analyzer", true) || !no_function(ctx, est, "preprocessor", false)) {
        return false;
    }
    uc_str kind = sk_str(ctx, est, "analyzer", "word");
    if (uc_str_is(kind, "word")) {
        if (!no_function(ctx, est, "tokenizer", false)) return false;
        uc_str pattern = sk_str(ctx, est, "token_pattern", "(?u)\\b\\w\\w+\\b");
        uc_node_str(g, node, "token_pattern", copied(ctx, pattern));
        if (!put_stop_words(ctx, est, node)) return false;
    } else if (!uc_str_is(kind, "char") && !uc_str_is(kind, "char_wb")) {
        sk_fail(ctx, est, "analyzer", "is neither 'word', 'char' nor 'char_wb'");
        return false;
    }
    uc_node_str(g, node, "analyzer", copied(ctx, kind));
    uc_node_int(g, node, "lowercase", sk_bool(ctx, est, "lowercase", true));
    uc_node_int(g, node, "python2", ctx->python2);
    return put_accents(ctx, est, node) && put_ngrams(ctx, est, node);
}

/* The documents, [rows]. */
static uc_ref documents(sk_ctx *ctx, const sk_est *est, const sk_data *in)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    if (sk_has(est, "input") && !sk_str_is(est, "input", "content")) {
        sk_unsupported(ctx, est, "reads files itself: input isn't 'content'");
    } else if (in->columns && in->column_count == 1 && in->columns[0].dtype == UNCORK_STRING) {
        return in->columns[0].ref;
    } else if (in->columns || in->rank != 1 || in->dtype != UNCORK_STRING) {
        sk_unsupported(ctx, est, "takes one column of text");
    }
    return in->x;
}

/* ---- CountVectorizer ------------------------------------------------------------------------- */

/* {term: column} with every column once. */
static bool terms_of_dict(sk_ctx *ctx, const sk_est *est, const char *names, const uc_pickle *dict,
                          uc_str *terms)
{
    bool *seen = UC_NEW(ctx->arena, bool, dict->count + 1);
    for (size_t i = 0; seen && i < dict->count; i++) {
        const uc_pickle *term = dict->items[2 * i];
        int64_t column = -1;
        bool fine = is_text(term) && uc_pickle_i64(dict->items[2 * i + 1], &column) &&
                    column >= 0 && column < (int64_t)dict->count && !seen[column];
        if (!fine) {
            sk_fail(ctx, est, names, "doesn't give each of its %zu terms a column of its own",
                    dict->count);
            return false;
        }
        seen[column] = true;
        terms[column] = term->text;
    }
    return seen != NULL;
}

static int by_code_points(const void *a, const void *b)
{
    const uc_str *p = a, *q = b; /* UTF-8 sorts as its characters do */
    size_t n = p->size < q->size ? p->size : q->size;
    int order = n ? memcmp(p->data, q->data, n) : 0;
    return order ? order : (p->size > q->size) - (p->size < q->size);
}

/* The columns' terms: vocabulary_, or the vocabulary given and never fitted (a dict, a list, a set). */
static const uc_tensor *vocabulary(sk_ctx *ctx, const sk_est *est)
{
    const char *names = sk_has(est, "vocabulary_") ? "vocabulary_" : "vocabulary";
    const uc_pickle *value = sk_attr(est, names);
    if (sk_status(ctx) != UNCORK_OK) return NULL;
    bool dict = value && value->kind == UC_PICKLE_DICT, set = value && value->kind == UC_PICKLE_SET;
    bool list = value && (value->kind == UC_PICKLE_LIST || value->kind == UC_PICKLE_TUPLE ||
                          value->kind == UC_PICKLE_OBJECTS || set);
    if ((!dict && !list) || value->count == 0) {
        sk_fail(ctx, est, names, value ? "holds no terms" : "is missing: not fitted?");
        return NULL;
    }
    int64_t count = (int64_t)value->count;
    uc_str *terms = UC_NEW(ctx->arena, uc_str, value->count);
    if (!terms || (dict && !terms_of_dict(ctx, est, names, value, terms))) return NULL;
    for (size_t i = 0; list && i < value->count; i++) {
        if (!is_text(value->items[i])) {
            sk_fail(ctx, est, names, "holds something other than texts");
            return NULL;
        }
        terms[i] = value->items[i]->text;
    }
    if (set) qsort(terms, value->count, sizeof *terms, by_code_points);
    return uc_tensor_strings(ctx->arena, terms, 1, &count);
}

static uncork_status count_terms(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_result *out)
{
    const uc_tensor *terms = vocabulary(ctx, est);
    uncork_dtype dtype = sk_dtype(ctx, est, "dtype", UNCORK_INT64);
    const uc_ref inputs[2] = {documents(ctx, est, in), sk_const(ctx, terms)};
    if (!terms || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_node *n = uc_graph_node(ctx->graph, "uncork.TextCounts", inputs, 2, 1);
    if (!put_analyzer(ctx, est, n)) return sk_status(ctx);
    uc_node_int(ctx->graph, n, "dtype", dtype);
    uc_node_int(ctx->graph, n, "binary", sk_bool(ctx, est, "binary", false));
    return sk_return(ctx, out, uc_node_out(n, 0), dtype, terms->shape[0]);
}

uncork_status sk_do_count_vectorizer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    (void)method;
    return count_terms(ctx, est, in, out);
}

/* ---- tf-idf ---------------------------------------------------------------------------------- */

/* idf_ (1.5), before that the diagonal of _idf_diag, a sparse matrix. NULL: use_idf is off. */
static const uc_tensor *read_idf(sk_ctx *ctx, const sk_est *est)
{
    uc_sparse s;
    if (!sk_bool(ctx, est, "use_idf", true)) return NULL;
    if (!sk_has(est, "_idf_diag")) return sk_f64(ctx, est, "idf_", 1);
    const uc_pickle *value = sk_attr(est, "_idf_diag");
    if (!uc_sparse_is(value)) {
        const uc_tensor *t = sk_f64(ctx, est, "_idf_diag", 1);
        return t;
    }
    if (uc_sparse_read(value, ctx->arena, &s, ctx->error) != UNCORK_OK) {
        if (ctx->status == UNCORK_OK) ctx->status = ctx->error->status;
        return NULL;
    }
    uc_tensor *t = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 1, &s.rows);
    for (int64_t r = 0; t && r < s.rows; r++) {
        for (int64_t k = s.indptr[r]; k < s.indptr[r + 1]; k++) {
            if (s.indices[k] != r || s.rows != s.columns) {
                sk_fail(ctx, est, "_idf_diag", "isn't diagonal");
                return NULL;
            }
            ((double *)t->data)[r] += s.values[k];
        }
    }
    return t;
}

/* Whether the rows are a sparse matrix in scikit-learn: what a vectorizer made. */
static bool is_sparse(const sk_ctx *ctx, uc_ref x)
{
    const uc_graph *g = ctx->graph;
    if (x <= 0 || (size_t)x >= g->value_count || g->values[x].producer < 0) return false;
    const char *name = g->nodes[g->values[x].producer].op->name;
    return strcmp(name, "TextCounts") == 0 || strcmp(name, "TextHash") == 0 ||
           strcmp(name, "Tfidf") == 0;
}

/* What float32 becomes: float64 where it met the idf (until 0.19) or was dense (0.20 to 1.4). */
static sk_rows_of promoted(sk_ctx *ctx, const sk_est *est, sk_rows_of x, bool has_idf)
{
    bool keeps = x.dtype == UNCORK_FLOAT32 && (est->version >= 20 || !has_idf);
    if (est->version >= 20 && est->version < 105) keeps = keeps && is_sparse(ctx, x.ref);
    if (x.dtype == UNCORK_FLOAT64 || keeps) return x;
    x.ref = sk_cast(ctx, x.ref, x.dtype, UNCORK_FLOAT64);
    x.dtype = UNCORK_FLOAT64;
    return x;
}

/* Counts weighed by a TfidfTransformer: the estimator itself or a vectorizer's _tfidf. */
static uncork_status weigh(sk_ctx *ctx, const sk_est *est, sk_rows_of x, sk_result *out)
{
    const uc_tensor *idf = read_idf(ctx, est);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (idf && !sk_shape1(ctx, est, "idf_|_idf_diag", idf, x.width)) return sk_status(ctx);
    bool sublinear = sk_bool(ctx, est, "sublinear_tf", false);
    if (sublinear && est->version < 20 && x.dtype == UNCORK_FLOAT32) { /* then the promotion */
        uc_node *log = uc_graph_node(ctx->graph, "uncork.Tfidf", &x.ref, 1, 1);
        uc_node_int(ctx->graph, log, "sublinear", 1);
        x.ref = uc_node_out(log, 0);
        sublinear = false;
    }
    x = promoted(ctx, est, x, idf != NULL);
    if (idf && x.dtype != UNCORK_FLOAT64) idf = uc_tensor_cast(ctx->arena, idf, x.dtype);
    uc_str norm = sk_str(ctx, est, "norm", "");
    bool known =
        norm.size == 0 || uc_str_is(norm, "l1") || uc_str_is(norm, "l2") || uc_str_is(norm, "max");
    if (!known) return sk_fail(ctx, est, "norm", "is neither 'l1', 'l2' nor None");
    const uc_ref inputs[2] = {x.ref, sk_const(ctx, idf)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.Tfidf", inputs, idf ? 2 : 1, 1);
    uc_node_int(ctx->graph, n, "sublinear", sublinear);
    uc_node_str(ctx->graph, n, "norm", copied(ctx, norm));
    return sk_return(ctx, out, uc_node_out(n, 0), x.dtype, x.width);
}

uncork_status sk_do_tfidf_transformer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    (void)method;
    const uc_tensor *idf = read_idf(ctx, est);
    sk_rows_of x = sk_float_rows(ctx, est, in, idf ? idf->shape[0] : -1);
    return weigh(ctx, est, x, out);
}

uncork_status sk_do_tfidf_vectorizer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    (void)method;
    sk_est tfidf;
    UC_TRY(count_terms(ctx, est, in, out));
    if (!sk_object(ctx, est, "_tfidf", &tfidf)) return sk_status(ctx);
    const sk_rows_of x = {out->out[0], out->dtype, out->width};
    return weigh(ctx, &tfidf, x, out);
}

/* ---- hashing --------------------------------------------------------------------------------- */

static bool read_features(sk_ctx *ctx, const sk_est *est, int64_t *features)
{
    *features = sk_int(ctx, est, "n_features", 1048576);
    if (*features >= 1 && *features <= INT32_MAX) return sk_status(ctx) == UNCORK_OK;
    sk_fail(ctx, est, "n_features", "is %" PRId64, *features);
    return false;
}

/* The signs came with 0.18, as a parameter with 0.19. */
static void put_hashing(sk_ctx *ctx, const sk_est *est, uc_node *n, int64_t features,
                        uncork_dtype dtype)
{
    uc_node_int(ctx->graph, n, "n_features", features);
    uc_node_int(ctx->graph, n, "dtype", dtype);
    uc_node_int(ctx->graph, n, "alternate_sign", sk_bool(ctx, est, "alternate_sign", true));
    uc_node_int(ctx->graph, n, "absolute", sk_bool(ctx, est, "non_negative", false));
}

uncork_status sk_do_hashing_vectorizer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                       const sk_data *in, sk_result *out)
{
    (void)method;
    int64_t features = 0;
    uncork_dtype dtype = sk_dtype(ctx, est, "dtype", UNCORK_FLOAT64);
    uc_ref texts = documents(ctx, est, in);
    if (!read_features(ctx, est, &features)) return sk_status(ctx);
    uc_node *n = uc_graph_node(ctx->graph, "uncork.TextHash", &texts, 1, 1);
    if (!put_analyzer(ctx, est, n)) return sk_status(ctx);
    put_hashing(ctx, est, n, features, dtype);
    uc_node_int(ctx->graph, n, "binary", sk_bool(ctx, est, "binary", false));
    sk_rows_of x = {uc_node_out(n, 0), dtype, features};
    uc_str norm = sk_str(ctx, est, "norm", "");
    if (norm.size == 0) return sk_return(ctx, out, x.ref, dtype, features);
    if (dtype != UNCORK_FLOAT64 && dtype != UNCORK_FLOAT32) {
        x.ref = sk_cast(ctx, x.ref, dtype, UNCORK_FLOAT64);
        x.dtype = UNCORK_FLOAT64;
    }
    if (!uc_str_is(norm, "l1") && !uc_str_is(norm, "l2")) {
        return sk_fail(ctx, est, "norm", "is neither 'l1', 'l2' nor None");
    }
    uc_node *w = uc_graph_node(ctx->graph, "uncork.Tfidf", &x.ref, 1, 1);
    uc_node_str(ctx->graph, w, "norm", copied(ctx, norm));
    return sk_return(ctx, out, uc_node_out(w, 0), x.dtype, features);
}

/* Rows of terms. Dictionaries have whatever keys they like: no fixed inputs. */
uncork_status sk_do_feature_hasher(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    (void)method;
    int64_t features = 0;
    uncork_dtype dtype = sk_dtype(ctx, est, "dtype", UNCORK_FLOAT64);
    if (!sk_str_is(est, "input_type", "string")) {
        return sk_unsupported(
            ctx, est, "takes dictionaries of any keys: only input_type='string' has a form");
    }
    if (in->columns || in->rank != 2 || in->dtype != UNCORK_STRING) {
        return sk_unsupported(ctx, est, "takes a matrix of text, a row of terms a sample");
    }
    if (!read_features(ctx, est, &features)) return sk_status(ctx);
    uc_node *n = uc_graph_node(ctx->graph, "uncork.TextHash", &in->x, 1, 1);
    put_hashing(ctx, est, n, features, dtype);
    return sk_return(ctx, out, uc_node_out(n, 0), dtype, features);
}

/* ---- DictVectorizer -------------------------------------------------------------------------- */

/* A column of text: its one-hot rows over the terms "name=value", added to `sum`. */
static bool add_text_column(sk_ctx *ctx, const sk_est *est, const sk_column *c, uc_str separator,
                            const uc_tensor *terms, uncork_dtype dtype, uc_ref *sum)
{
    int64_t n = terms->shape[0], count = 0;
    size_t skip = c->name.size + separator.size;
    int64_t *targets = UC_NEW(ctx->arena, int64_t, (size_t)n + 1);
    sk_categories list = {
        .is_text = true, .texts = UC_NEW(ctx->arena, uc_str, (size_t)n), .nan = -1, .none = -1};
    if (!targets || !list.texts) return false;
    targets[0] = -1;
    for (int64_t i = 0; i < n; i++) {
        uc_str term = uc_tensor_string(terms, i);
        if (term.size < skip || memcmp(term.data, c->name.data, c->name.size) != 0 ||
            memcmp(term.data + c->name.size, separator.data, separator.size) != 0) {
            continue;
        }
        list.texts[count++] = (uc_str){term.data + skip, term.size - skip};
        targets[count] = i;
    }
    list.count = count;
    const sk_data vector = {.x = c->ref, .dtype = c->dtype, .rank = 1, .width = 1};
    uc_ref slots = sk_category_slots(ctx, est, &vector, &list, 1, false, NULL);
    uc_ref part = sk_category_one_hot(ctx, slots, targets, count + 1, n, dtype, 1, 0);
    *sum = *sum ? uc_g2(ctx->graph, "Add", *sum, part) : part;
    return sk_status(ctx) == UNCORK_OK;
}

/* A column of numbers: into the column of its name, when there is one. */
static bool add_number_column(sk_ctx *ctx, const sk_column *c, const uc_tensor *terms,
                              uncork_dtype dtype, uc_ref *columns)
{
    for (int64_t i = 0; i < terms->shape[0]; i++) {
        if (!uc_str_equal(uc_tensor_string(terms, i), c->name)) continue;
        uc_ref x = sk_cast(ctx, c->ref, c->dtype, dtype);
        columns[i] = uc_g_unsqueeze(ctx->graph, x, 1);
        break;
    }
    return sk_status(ctx) == UNCORK_OK;
}

/* A table stands for the dictionaries: a column is a key. */
uncork_status sk_do_dict_vectorizer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out)
{
    (void)method;
    const uc_tensor *terms = vocabulary(ctx, est);
    uncork_dtype dtype = sk_dtype(ctx, est, "dtype", UNCORK_FLOAT64);
    uc_str separator = sk_str(ctx, est, "separator", "=");
    if (!terms || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (!in->columns) return sk_unsupported(ctx, est, "takes a table of named columns");
    int64_t n = terms->shape[0];
    uc_ref sum = 0, *columns = UC_NEW(ctx->arena, uc_ref, (size_t)n);
    if (!columns) return sk_status(ctx);
    for (size_t i = 0; i < in->column_count; i++) {
        const sk_column *c = &in->columns[i];
        bool fine = c->dtype == UNCORK_STRING
                        ? add_text_column(ctx, est, c, separator, terms, dtype, &sum)
                        : add_number_column(ctx, c, terms, dtype, columns);
        if (!fine) return sk_status(ctx);
    }
    uc_ref zero = 0;
    for (int64_t i = 0; i < n; i++) {
        if (columns[i]) continue;
        if (!sum && !zero) {
            const sk_column *c = &in->columns[0];
            uc_ref nothing = sk_fill(ctx, c->ref, 0, 1);
            zero = sk_cast(ctx, nothing, UNCORK_FLOAT64, dtype);
        }
        columns[i] = sum ? sk_columns(ctx, sum, i, i + 1) : zero;
    }
    uc_ref y = n == 1 ? columns[0] : uc_g_concat(ctx->graph, columns, (size_t)n, 1);
    return sk_return(ctx, out, y, dtype, n);
}
