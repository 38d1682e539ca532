/* Texts and vocabularies. Source: keras/src/layers/preprocessing/text_vectorization.py, string_lookup.py,
 * integer_lookup.py, index_lookup.py (3.15); the vocabulary stands in the configuration or, after adapt(),
 * in an asset of the .keras file. */
#include "import/keras/keras.h"

#include "base/dtype.h"
#include "base/text.h"

#include <inttypes.h>

#define VOCABULARY_MAX ((size_t)1 << 22)

typedef struct vocabulary {
    uc_str *texts;    /* without the tokens for nothing and for unknown */
    int64_t *numbers; /* of IntegerLookup */
    size_t count;
} vocabulary;

/* ---- where the vocabulary stands ---- */

static bool from_config(uc_k_call *c, bool numbers, vocabulary *v)
{
    const uc_json *list = uc_k_get(c->layer, "vocabulary");
    if (list && list->kind == UC_JSON_OBJECT) list = uc_json_path(list, "config.value");
    v->count = uc_json_count(list);
    if (v->count == 0) return false;
    if (numbers) {
        v->numbers = uc_json_i64s(list, c->graph->arena, &v->count);
        return v->numbers != NULL;
    }
    v->texts = UC_NEW(c->graph->arena, uc_str, v->count);
    for (size_t i = 0; v->texts && i < v->count; i++) {
        v->texts[i] = uc_json_str(uc_json_at(list, i), "");
    }
    return v->texts != NULL;
}

/* One a line; the first ones are the tokens that aren't words, `skip` of them. */
static bool from_lines(uc_k_call *c, uc_bytes bytes, size_t skip, bool numbers, vocabulary *v)
{
    const char *at = (const char *)bytes.data, *end = at + bytes.size;
    size_t capacity = 0, line = 0;
    *v = (vocabulary){0};
    while (at <= end && v->count < VOCABULARY_MAX) {
        const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!stop) stop = end;
        uc_str *texts =
            uc_arena_grow(c->graph->arena, v->texts, &capacity, v->count + 1, sizeof *texts);
        if (!texts) return false;
        v->texts = texts;
        if (line++ >= skip) texts[v->count++] = (uc_str){at, (size_t)(stop - at)};
        at = stop + 1;
    }
    if (v->count && v->texts[v->count - 1].size == 0) v->count--; /* the last line's end */
    if (!numbers) return v->count > 0;
    v->numbers = UC_NEW(c->graph->arena, int64_t, v->count);
    for (size_t i = 0; v->numbers && i < v->count; i++) {
        if (!uc_text_i64(v->texts[i], &v->numbers[i])) return false;
    }
    return v->numbers && v->count > 0;
}

static bool find_vocabulary(uc_k_call *c, size_t skip, bool numbers, vocabulary *v)
{
    static const char *const names[] = {"vocabulary.txt", "_lookup_layer/vocabulary.txt"};
    uc_bundle *bundle = c->build->file->bundle;
    if (from_config(c, numbers, v)) return true;
    for (size_t i = 0; c->layer->path && bundle && i < 2; i++) {
        const char *entry =
            uc_arena_printf(c->graph->arena, "assets/%s/%s", c->layer->path, names[i]);
        uncork_error unused = {.size = sizeof unused};
        uc_bytes bytes;
        const size_t at = entry ? uc_bundle_find(bundle, entry) : SIZE_MAX;
        if (at == SIZE_MAX || uc_bundle_read(bundle, at, &bytes, &unused)) continue;
        if (from_lines(c, bytes, skip, numbers, v)) return true;
    }
    uc_k_fail(c, "its vocabulary isn't in the file");
    uc_fix(c->graph->error,
           "save the model as .keras with Keras 3, or give the vocabulary to the layer");
    return false;
}

/* ---- ids ---- */

typedef struct ids {
    int64_t unknown; /* of a token outside */
    int64_t nothing; /* of the mask token; -1: there is none */
    int64_t first;   /* of the vocabulary */
    int64_t depth;   /* all of them */
} ids;

/* Index 0 is the mask token where it has one and ids are asked for; then the unknown ones. */
static ids ids_of(bool masks, int64_t unknown_count, size_t words)
{
    ids n = {.nothing = masks ? 0 : -1};
    n.unknown = unknown_count ? n.nothing + 1 : -1;
    n.first = n.nothing + 1 + unknown_count;
    n.depth = n.first + (int64_t)words;
    return n;
}

static uc_ref encode_texts(uc_k_call *c, uc_ref x, const vocabulary *v, const ids *n, uc_str mask)
{
    uc_graph *g = c->graph;
    uc_str *keys = UC_NEW(g->arena, uc_str, v->count + 1);
    int64_t *values = UC_NEW(g->arena, int64_t, v->count + 1);
    size_t count = 0;
    if (!keys || !values) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for a vocabulary");
    if (n->nothing >= 0) {
        keys[count] = mask;
        values[count++] = n->nothing;
    }
    for (size_t i = 0; i < v->count; i++) {
        keys[count] = v->texts[i];
        values[count++] = n->first + (int64_t)i;
    }
    uc_node *node = uc_graph_node(g, "ai.onnx.ml.LabelEncoder", &x, 1, 1);
    uc_node_strs(g, node, "keys_strings", keys, count);
    uc_node_ints(g, node, "values_int64s", values, count);
    uc_node_int(g, node, "default_int64", n->unknown);
    return uc_node_out(node, 0);
}

static uc_ref encode_numbers(uc_k_call *c, uc_ref x, const vocabulary *v, const ids *n,
                             int64_t mask)
{
    uc_graph *g = c->graph;
    int64_t *keys = UC_NEW(g->arena, int64_t, v->count + 1),
            *values = UC_NEW(g->arena, int64_t, v->count + 1);
    size_t count = 0;
    if (!keys || !values) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for a vocabulary");
    if (n->nothing >= 0) {
        keys[count] = mask;
        values[count++] = n->nothing;
    }
    for (size_t i = 0; i < v->count; i++) {
        keys[count] = v->numbers[i];
        values[count++] = n->first + (int64_t)i;
    }
    uc_node *node = uc_graph_node(g, "ai.onnx.ml.LabelEncoder", &x, 1, 1);
    uc_node_ints(g, node, "keys_int64s", keys, count);
    uc_node_ints(g, node, "values_int64s", values, count);
    uc_node_int(g, node, "default_int64", n->unknown);
    return uc_node_out(node, 0);
}

/* Weights of words: in the configuration without those of unknown ones, which have the mean; after adapt()
 * among the weights, whole. */
static const double *idf_of(uc_k_call *c, int64_t depth)
{
    uc_graph *g = c->graph;
    size_t known = 0;
    const double *own = uc_json_f64s(uc_k_get(c->layer, "idf_weights"), g->arena, &known);
    double *all = UC_NEW(g->arena, double, (size_t)depth), mean = 0;
    const size_t unknown = (size_t)uc_k_int(c->layer, "num_oov_indices", 1);
    if (!all) return NULL;
    if (!own || (int64_t)(known + unknown) > depth) {
        const uc_k_file *f = c->build->file;
        const char *path = c->layer->path
                               ? uc_arena_printf(g->arena, "%s/vars/idf_weights", c->layer->path)
                               : NULL;
        const uc_h5_object *o =
            path && f->h5 ? uc_h5_find(uc_h5_root(f->h5), uc_str_of(path)) : NULL;
        uncork_error unused = {.size = sizeof unused};
        uc_tensor *t;
        if (!uc_h5_is_dataset(o) || uc_h5_read(f->h5, o, g->arena, &t, &unused) ||
            uc_tensor_count(t) > depth || !uc_dtype_is_float(t->dtype))
            return NULL;
        for (int64_t i = 0; i < uc_tensor_count(t); i++) {
            all[i] = uc_dtype_load_f64(t->data, i, t->dtype);
        }
        return all;
    }
    for (size_t i = 0; i < known; i++) {
        mean += own[i] / (double)known;
    }
    for (size_t i = 0; i < known + unknown; i++) {
        all[i] = i < unknown ? mean : own[i - unknown];
    }
    return all;
}

void uc_k_give_ids(uc_k_call *c, uc_ref id, int64_t depth)
{
    uc_graph *g = c->graph;
    const uc_str mode = uc_k_text(c->layer, "output_mode", "int");
    const double values[] = {0, 1};
    const int64_t two = 2;
    if (uc_str_is(mode, "int")) {
        uc_k_set(c, id);
        return;
    }
    const int64_t most = uc_k_int(c->layer, "max_tokens", 0);
    if (uc_k_bool(c->layer, "pad_to_max_tokens", false) && most > depth) depth = most;
    int rank = uc_k_rank(c, id);
    const bool one_hot = uc_str_is(mode, "one_hot") || uc_str_is(mode, "one-hot");
    if (one_hot && rank > 1 && uc_k_dim(c, id, -1) == 1) id = uc_g_squeeze(g, id, --rank);
    c->dtype = UNCORK_FLOAT32;
    /* Keras 3 counts in int64, Keras 2 in float32 */
    static const int64_t whole_values[] = {0, 1};
    const bool lookup =
        strstr(c->layer->class_name, "Lookup") || strstr(c->layer->class_name, "Text");
    const bool whole = c->layer->major >= 3 && lookup && !uc_str_is(mode, "tf_idf");
    const uc_ref in[] = {id, uc_graph_i64(g, depth),
                         whole ? uc_graph_i64s(g, whole_values, 2)
                               : uc_k_constant(c, values, 1, &two)};
    uc_node *n = uc_graph_node(g, "OneHot", in, 3, 1);
    uc_node_int(g, n, "axis", -1);
    const uc_ref y = uc_node_out(n, 0);
    if (one_hot) {
        uc_k_set(c, y);
        return;
    }
    if (uc_str_is(mode, "multi_hot") || uc_str_is(mode, "binary") || uc_str_is(mode, "multi-hot")) {
        uc_k_set(c, uc_g_reduce(g, "ReduceMax", y, rank - 1, false));
        return;
    }
    const uc_ref counts = uc_g_reduce(g, "ReduceSum", y, rank - 1, false);
    if (uc_str_is(mode, "count")) {
        uc_k_set(c, counts);
        return;
    }
    const double *idf =
        uc_str_is(mode, "tf_idf") || uc_str_is(mode, "tf-idf") ? idf_of(c, depth) : NULL;
    if (!idf) {
        uc_k_fail(c, "output_mode '%.*s' without weights of words",
                  (int)(mode.size < 40 ? mode.size : 40), mode.data);
        return;
    }
    uc_k_set(c, uc_g2(g, "Mul", counts, uc_k_constant(c, idf, 1, &depth)));
}

/* ---- layers ---- */

static int64_t standard_of(uc_k_call *c, const char *what)
{
    const uc_json *json = uc_k_get(c->layer, "standardize");
    const uc_str s = uc_json_str(json, json ? "" : "none");
    if (uc_str_is(s, "none") || s.size == 0) return 0;
    if (uc_str_is(s, "lower_and_strip_punctuation")) return 1;
    return uc_str_is(s, what);
}

void uc_k_text_vectorization(uc_k_call *c)
{
    uc_graph *g = c->graph;
    const bool as_ids = uc_str_is(uc_k_text(c->layer, "output_mode", "int"), "int");
    const uc_str split = uc_k_text(c->layer, "split", "");
    const int64_t most = uc_k_int(c->layer, "max_tokens", 0), special = as_ids ? 2 : 1;
    int64_t ngrams[16], length = uc_k_int(c->layer, "output_sequence_length", 0);
    vocabulary v;
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const uc_json *widths = uc_k_get(c->layer, "ngrams");
    size_t width_count = uc_k_list(widths, ngrams, 16);
    if (widths && widths->kind == UC_JSON_INT && ngrams[0] > 0 && ngrams[0] <= 16) {
        width_count = (size_t)ngrams[0]; /* all up to it */
        for (size_t i = 0; i < width_count; i++) {
            ngrams[i] = (int64_t)i + 1;
        }
    }
    if (split.size && !uc_str_is(split, "whitespace") && !uc_str_is(split, "character")) {
        uc_k_fail(c, "split '%.*s'", (int)(split.size < 40 ? split.size : 40), split.data);
        return;
    }
    if (!find_vocabulary(c, (size_t)special, false, &v)) return;
    if (!c->layer->path && v.count >= 2 && v.texts[0].size == 0) { /* Keras 2 kept all of them */
        v.texts += 2;
        v.count -= 2;
    }
    if (most > special && (int64_t)v.count > most - special) v.count = (size_t)(most - special);
    uc_node *n = uc_graph_node(g, "uncork.TextTokens", &x, 1, 1);
    uc_node_int(g, n, "lower", standard_of(c, "lower"));
    uc_node_int(g, n, "strip", standard_of(c, "strip_punctuation"));
    uc_node_int(g, n, "split", split.size == 0 ? 0 : uc_str_is(split, "character") ? 2 : 1);
    if (width_count) uc_node_ints(g, n, "ngrams", ngrams, width_count);
    uc_node_int(g, n, "length", as_ids && length > 0 ? length : 0);
    const uc_ref tokens = uc_node_out(n, 0);
    ids id = ids_of(as_ids, 1, v.count);
    const int64_t depth = id.depth;
    if (!as_ids) id.nothing = INT32_MAX; /* what fills a row up counts for nothing */
    uc_k_give_ids(c, encode_texts(c, tokens, &v, &id, (uc_str){"", 0}), depth);
}

/* Of several tokens for unknown words a hash chooses one. */
static bool read_ids(uc_k_call *c, bool numbers, vocabulary *v, ids *n, bool *masks)
{
    const bool as_ids = uc_str_is(uc_k_text(c->layer, "output_mode", "int"), "int");
    const int64_t unknown = uc_k_int(c->layer, "num_oov_indices", 1);
    const uc_json *mask = uc_k_get(c->layer, "mask_token");
    *masks = mask && mask->kind != UC_JSON_NULL && as_ids;
    if (unknown < 0 || unknown > (int64_t)VOCABULARY_MAX) {
        uc_k_fail(c, "%" PRId64 " indices of unknown words", unknown);
        return false;
    }
    if (!find_vocabulary(c, (size_t)(*masks + unknown), numbers, v)) return false;
    *n = ids_of(*masks, unknown, v->count);
    if (unknown > 1) n->unknown = -1; /* spread_unknown says which */
    return true;
}

/* Of several indices of unknown words: the one that the hash, or the rest of the number, says. */
static uc_ref spread_unknown(uc_k_call *c, uc_ref x, uc_ref id, const ids *n)
{
    uc_graph *g = c->graph;
    const int64_t count = uc_k_int(c->layer, "num_oov_indices", 1);
    uc_ref at;
    if (count < 2) return id;
    if (uc_k_dtype(c, x) == UNCORK_STRING) {
        uc_node *node = uc_graph_node(g, "uncork.TfStringToHashBucketFast", &x, 1, 1);
        uc_node_int(g, node, "num_buckets", count);
        at = uc_node_out(node, 0);
    } else {
        at = uc_g2(g, "uncork.TfFloorMod", x, uc_graph_i64(g, count));
    }
    at = uc_g2(g, "Add", at, uc_graph_i64(g, n->nothing + 1));
    return uc_g_where(g, uc_g2(g, "Less", id, uc_graph_i64(g, 0)), at, id);
}

/* Ids back to words. */
static void invert(uc_k_call *c, const vocabulary *v, const ids *n, bool masks)
{
    uc_graph *g = c->graph;
    const uc_str oov = uc_k_text(c->layer, "oov_token", "[UNK]"),
                 mask = uc_k_text(c->layer, "mask_token", "");
    int64_t *keys = UC_NEW(g->arena, int64_t, v->count + 1);
    uc_str *values = UC_NEW(g->arena, uc_str, v->count + 1);
    size_t count = 0;
    if (!keys || !values) return;
    if (masks) {
        keys[count] = 0;
        values[count++] = mask;
    }
    for (size_t i = 0; i < v->count; i++) {
        keys[count] = n->first + (int64_t)i;
        values[count++] = v->texts[i];
    }
    const uc_ref x = uc_g_cast(g, uc_k_plain(c, c->in[0]), UNCORK_INT64);
    uc_node *node = uc_graph_node(g, "ai.onnx.ml.LabelEncoder", &x, 1, 1);
    uc_node_ints(g, node, "keys_int64s", keys, count);
    uc_node_strs(g, node, "values_strings", values, count);
    const char *text = uc_arena_copy(g->arena, oov.data, oov.size);
    uc_node_str(g, node, "default_string", text ? text : "");
    uc_k_set(c, uc_node_out(node, 0));
}

void uc_k_string_lookup(uc_k_call *c)
{
    vocabulary v;
    ids n;
    bool masks;
    if (!read_ids(c, false, &v, &n, &masks)) return;
    if (uc_k_bool(c->layer, "invert", false)) {
        invert(c, &v, &n, masks);
        return;
    }
    const uc_str mask = uc_k_text(c->layer, "mask_token", "");
    const uc_ref x = uc_k_plain(c, c->in[0]);
    uc_k_give_ids(c, spread_unknown(c, x, encode_texts(c, x, &v, &n, mask), &n), n.depth);
}

void uc_k_integer_lookup(uc_k_call *c)
{
    vocabulary v;
    ids n;
    bool masks;
    if (!read_ids(c, true, &v, &n, &masks)) return;
    if (uc_k_bool(c->layer, "invert", false)) {
        uc_k_fail(c, "invert");
        return;
    }
    const uc_ref x = uc_g_cast(c->graph, uc_k_plain(c, c->in[0]), UNCORK_INT64);
    const uc_ref id = encode_numbers(c, x, &v, &n, uc_k_int(c->layer, "mask_token", 0));
    uc_k_give_ids(c, spread_unknown(c, x, id, &n), n.depth);
}
