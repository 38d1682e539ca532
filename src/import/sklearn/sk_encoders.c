/* sklearn.preprocessing, categories: OneHotEncoder, OrdinalEncoder, TargetEncoder and the encoders of
 * labels. Each cell becomes a slot (sk_categories.h), a table says what a slot stands for.
 * Source: sklearn/preprocessing/_encoders.py, _target_encoder.py, _label.py; data.py, label.py before
 * 0.22. */
#include "import/sklearn/sk_categories.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- infrequent categories, dropped ones ---------------------------------------------------- */

/* What a column's codes become: codes are places of categories, after grouping of infrequent ones. */
typedef struct grouping {
    const int64_t *mapping; /* [categories], NULL: none is infrequent */
    int64_t first;          /* an infrequent category */
    int64_t count;          /* of codes after it */
    int64_t drop;           /* code whose column is left out, -1: none */
} grouping;

static const uc_pickle *item_of(const uc_pickle *list, size_t i)
{
    bool sequence = list && (list->kind == UC_PICKLE_LIST || list->kind == UC_PICKLE_TUPLE ||
                             list->kind == UC_PICKLE_OBJECTS);
    return sequence && i < list->count ? list->items[i] : NULL;
}

static bool is_none(const uc_pickle *v) { return !v || v->kind == UC_PICKLE_NONE; }

static const uc_tensor *whole_numbers(sk_ctx *ctx, const sk_est *est, const char *attribute,
                                      const uc_pickle *value)
{
    const uc_tensor *t = uc_pickle_tensor(value, ctx->arena, NULL);
    if (t) t = uc_tensor_dense(ctx->arena, t);
    if (t && t->rank == 1 && t->shape[0] > 0 && uc_dtype_is_integer(t->dtype)) {
        return t->dtype == UNCORK_INT64 ? t : uc_tensor_cast(ctx->arena, t, UNCORK_INT64);
    }
    sk_fail(ctx, est, attribute, "holds no list of whole numbers");
    return NULL;
}

/* left_out: a category that has no place in the mapping (OrdinalEncoder's missing one, which stands
 * last), or -1. */
static bool read_grouping(sk_ctx *ctx, const sk_est *est, size_t column, int64_t categories,
                          int64_t left_out, grouping *g)
{
    *g = (grouping){.count = categories, .first = -1, .drop = -1};
    const char *maps = "_default_to_infrequent_mappings", *places = "_infrequent_indices";
    const uc_pickle *map = item_of(sk_attr(est, maps), column);
    const uc_pickle *rare = item_of(sk_attr(est, places), column);
    if (!sk_bool(ctx, est, "_infrequent_enabled", false) || is_none(map) || is_none(rare)) {
        return sk_status(ctx) == UNCORK_OK;
    }
    const uc_tensor *m = whole_numbers(ctx, est, maps, map);
    const uc_tensor *r = whole_numbers(ctx, est, places, rare);
    if (!m || !r) return false;
    int64_t mapped = categories;
    if (left_out == categories - 1 && m->shape[0] == left_out) mapped = left_out;
    if (!sk_shape1(ctx, est, maps, m, mapped)) return false;
    g->mapping = m->data;
    g->first = ((const int64_t *)r->data)[0];
    g->count = 0;
    for (int64_t i = 0; i < mapped; i++) {
        if (g->mapping[i] < 0 || g->mapping[i] >= categories) {
            sk_fail(ctx, est, maps, "has code %" PRId64 " of %" PRId64, g->mapping[i], categories);
            return false;
        }
        if (g->mapping[i] >= g->count) g->count = g->mapping[i] + 1;
    }
    if (g->first >= 0 && g->first < categories) return true;
    sk_fail(ctx, est, places, "names category %" PRId64 " of %" PRId64, g->first, categories);
    return false;
}

/* drop_idx_ until 1.1, the same after grouping since: an entry a column, None for nothing. */
static bool read_drop(sk_ctx *ctx, const sk_est *est, size_t column, size_t columns, grouping *g)
{
    const char *names =
        est->version >= 102 ? "_drop_idx_after_grouping|drop_idx_" : "drop_idx_|_drop_idx";
    if (!sk_has(est, names) || (est->version < 102 && !sk_has(est, "drop"))) return true;
    const uc_pickle *value = sk_attr(est, names);
    bool objects = value->kind == UC_PICKLE_OBJECTS || value->kind == UC_PICKLE_LIST;
    if (objects) {
        const uc_pickle *one = item_of(value, column);
        if (value->count == columns && is_none(one)) return true;
        if (value->count != columns || !uc_pickle_i64(one, &g->drop)) g->drop = -2;
    } else {
        const uc_tensor *t = sk_i64(ctx, est, names, 1);
        if (!sk_shape1(ctx, est, names, t, (int64_t)columns)) return false;
        g->drop = ((const int64_t *)t->data)[column];
    }
    if (g->drop >= 0 && g->drop < g->count) return true;
    sk_fail(ctx, est, names, "names no category of column %zu", column);
    return false;
}

/* ---- OneHotEncoder --------------------------------------------------------------------------- */

typedef enum unknown_rule { UNKNOWN_ERROR, UNKNOWN_IGNORE, UNKNOWN_INFREQUENT } unknown_rule;

/* 'warn' (1.6) means 'infrequent_if_exist', but 1.6 and 1.7 forgot it when they set the mask. */
static unknown_rule rule_of(sk_ctx *ctx, const sk_est *est)
{
    uc_str rule = sk_str(ctx, est, "handle_unknown", "error");
    if (uc_str_is(rule, "error")) return UNKNOWN_ERROR;
    if (uc_str_is(rule, "ignore")) return UNKNOWN_IGNORE;
    if (uc_str_is(rule, "infrequent_if_exist")) return UNKNOWN_INFREQUENT;
    if (uc_str_is(rule, "warn")) return est->version >= 108 ? UNKNOWN_INFREQUENT : UNKNOWN_IGNORE;
    sk_fail(ctx, est, "handle_unknown", "is '%.*s'", (int)rule.size, rule.data);
    return UNKNOWN_ERROR;
}

/* The output column of a code among the column's own, -1 for none. */
static int64_t target_of(const grouping *g, int64_t code, unknown_rule rule)
{
    if (code < 0) {
        if (rule != UNKNOWN_INFREQUENT || !g->mapping) return -1;
        code = g->first;
    }
    if (g->mapping) code = g->mapping[code];
    if (code == g->drop) return -1;
    return g->drop >= 0 && code > g->drop ? code - 1 : code;
}

static uncork_status one_hot(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_result *out)
{
    size_t columns = 0;
    sk_categories *lists = sk_read_category_lists(ctx, est, "categories_", &columns);
    unknown_rule rule = rule_of(ctx, est);
    uncork_dtype dtype = sk_dtype(ctx, est, "dtype", UNCORK_FLOAT64);
    if (!lists) return sk_status(ctx);
    int64_t slot_count = sk_slot_count(lists, columns), width = 0, at = 0;
    int64_t *targets = UC_NEW(ctx->arena, int64_t, (size_t)slot_count);
    if (!targets) return sk_status(ctx);
    for (size_t j = 0; j < columns; j++) {
        grouping g;
        if (!read_grouping(ctx, est, j, lists[j].count, -1, &g) ||
            !read_drop(ctx, est, j, columns, &g)) {
            return sk_status(ctx);
        }
        for (int64_t code = -1; code < lists[j].count; code++) {
            int64_t target = target_of(&g, code, rule);
            targets[at++] = target < 0 ? -1 : width + target;
        }
        width += g.count - (g.drop >= 0);
    }
    uc_ref slots = sk_category_slots(ctx, est, in, lists, columns, rule == UNKNOWN_ERROR, NULL);
    uc_ref y = sk_category_one_hot(ctx, slots, targets, slot_count, width, dtype, 1, 0);
    return sk_return(ctx, out, y, dtype, width);
}

/* ---- OneHotEncoder until 0.19, and in "legacy mode" until 0.21 --------------------------------- */

/* Which columns are encoded, ascending: 'all' (then `columns` is NULL), a mask or a list of numbers
 * (categorical_features). */
typedef struct chosen {
    int64_t *columns;
    int64_t count;
} chosen;

static int by_number(const void *a, const void *b)
{
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

static bool read_chosen(sk_ctx *ctx, const sk_est *est, int64_t width, chosen *out)
{
    const char *names = "categorical_features|_categorical_features";
    *out = (chosen){.count = width};
    if (!sk_has(est, names) || sk_str_is(est, names, "all")) return sk_status(ctx) == UNCORK_OK;
    const uc_tensor *t = sk_tensor(ctx, est, names, 1);
    bool mask = t && t->dtype == UNCORK_BOOL;
    if (t && !mask) t = sk_i64(ctx, est, names, 1);
    if (!t || (mask && width >= 0 && !sk_shape1(ctx, est, names, t, width))) return false;
    int64_t *columns = UC_NEW(ctx->arena, int64_t, (size_t)t->shape[0]), n = 0;
    for (int64_t i = 0; columns && i < t->shape[0]; i++) {
        int64_t v = uc_dtype_load_i64(t->data, i, t->dtype);
        if (mask && !v) continue;
        int64_t column = mask ? i : v < 0 && width >= 0 ? v + width : v;
        if (column < 0 || (width >= 0 && column >= width)) {
            sk_fail(ctx, est, names, "names column %" PRId64 " of %" PRId64, v, width);
            return false;
        }
        columns[n++] = column;
    }
    if (!columns) return false;
    if (n > 1) qsort(columns, (size_t)n, sizeof *columns, by_number);
    int64_t distinct = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || columns[i] != columns[i - 1]) columns[distinct++] = columns[i];
    }
    *out = (chosen){.columns = columns, .count = distinct};
    return true;
}

typedef struct legacy {
    int64_t count;         /* of encoded columns */
    const int64_t *limits; /* n_values_: numbers from 0 to below are known */
    const int64_t *starts; /* feature_indices_ [count + 1] */
    const uc_tensor *kept; /* active_features_, NULL: all are */
} legacy;

static bool read_legacy(sk_ctx *ctx, const sk_est *est, legacy *l)
{
    const uc_tensor *starts = sk_i64(ctx, est, "feature_indices_|_feature_indices_", 1);
    const uc_tensor *limits = sk_i64(ctx, est, "n_values_|_n_values_", 1);
    if (!starts || !limits) return false;
    l->count = limits->shape[0];
    l->limits = limits->data;
    l->starts = starts->data;
    l->kept = NULL;
    if (!sk_shape1(ctx, est, "feature_indices_|_feature_indices_", starts, l->count + 1)) {
        return false;
    }
    for (int64_t j = 0; j < l->count; j++) {
        int64_t begin = l->starts[j], end = l->starts[j + 1];
        if ((j == 0 && begin != 0) || l->limits[j] < 0 || end < begin ||
            end - begin != l->limits[j]) {
            sk_fail(ctx, est, "feature_indices_|_feature_indices_",
                    "and n_values_ don't agree on column %" PRId64, j);
            return false;
        }
    }
    const char *values = "n_values|_n_values";
    if (!sk_has(est, values) || sk_str_is(est, values, "auto")) {
        l->kept = sk_i64(ctx, est, "active_features_|_active_features_", 1);
        if (!l->kept) return false;
    }
    return true;
}

/* Each column's categories are its numbers that have an output column. */
static bool legacy_lists(sk_ctx *ctx, const sk_est *est, const legacy *l, sk_categories *lists)
{
    const int64_t *kept = l->kept ? l->kept->data : NULL;
    int64_t n = l->kept ? l->kept->shape[0] : 0, at = 0;
    for (int64_t j = 0; j < l->count; j++) {
        if (!kept) {
            if (!sk_whole_categories(ctx, l->limits[j], &lists[j])) return false;
            continue;
        }
        int64_t begin = at;
        while (at < n && kept[at] >= l->starts[j] && kept[at] < l->starts[j + 1] &&
               (at == begin || kept[at] > kept[at - 1])) {
            at++;
        }
        if (!sk_whole_categories(ctx, at - begin, &lists[j])) return false;
        for (int64_t i = begin; i < at; i++) {
            lists[j].wholes[i - begin] = kept[i] - l->starts[j];
            lists[j].numbers[i - begin] = (double)lists[j].wholes[i - begin];
        }
    }
    if (at == n) return true;
    sk_fail(ctx, est, "active_features_|_active_features_", "don't rise within feature_indices_");
    return false;
}

/* The columns that pass, behind the encoded ones; they went through check_array(dtype=FLOAT_DTYPES). */
static uncork_status append_others(sk_ctx *ctx, const sk_est *est, sk_rows_of x, const chosen *c,
                                   sk_result *encoded)
{
    if (c->count == x.width) return sk_status(ctx);
    const uc_ref in[2] = {x.ref, uc_graph_i64s(ctx->graph, c->columns, c->count)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.OtherColumns", in, 2, 1);
    sk_result parts[2] = {*encoded};
    int64_t width = x.width < 0 ? -1 : x.width - c->count;
    UC_TRY(sk_return(ctx, &parts[1], uc_node_out(n, 0), x.dtype, width));
    return sk_hstack(ctx, est, parts, 2, encoded);
}

static uncork_status legacy_one_hot(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                                    sk_result *out)
{
    legacy l;
    uncork_dtype dtype = sk_dtype(ctx, est, "dtype", UNCORK_FLOAT64);
    unknown_rule rule = rule_of(ctx, est);
    if (!read_legacy(ctx, est, &l)) return sk_status(ctx);
    sk_categories *lists = UC_NEW(ctx->arena, sk_categories, (size_t)l.count);
    if (!lists || !legacy_lists(ctx, est, &l, lists)) return sk_status(ctx);
    int64_t slot_count = sk_slot_count(lists, (size_t)l.count), at = 0, width = 0;
    int64_t *targets = UC_NEW(ctx->arena, int64_t, (size_t)slot_count);
    if (!targets) return sk_status(ctx);
    for (int64_t j = 0; j < l.count; j++) {
        targets[at++] = -1;
        for (int64_t i = 0; i < lists[j].count; i++)
            targets[at++] = width++;
    }
    sk_rows_of x = sk_float_rows(ctx, est, in, -1);
    chosen c;
    if (!read_chosen(ctx, est, x.width, &c)) return sk_status(ctx);
    if (c.columns && c.count == 0) return sk_return_rows(ctx, in, x, out);
    if (c.columns && c.count != l.count) {
        return sk_fail(ctx, est, "n_values_|_n_values_",
                       "holds %" PRId64 " columns, %" PRId64 " are encoded", l.count, c.count);
    }
    sk_data data = {.x = x.ref, .dtype = x.dtype, .rank = 2, .width = l.count};
    if (c.columns) {
        data.x = uc_g_gather(ctx->graph, x.ref, uc_graph_i64s(ctx->graph, c.columns, c.count), 1);
    } else if (x.width != l.count) {
        data.width = x.width;
    }
    uc_ref slots =
        sk_category_slots(ctx, est, &data, lists, (size_t)l.count, rule == UNKNOWN_ERROR, l.limits);
    uc_ref y = sk_category_one_hot(ctx, slots, targets, slot_count, width, dtype, 1, 0);
    UC_TRY(sk_return(ctx, out, y, dtype, width));
    return c.columns ? append_others(ctx, est, x, &c, out) : sk_status(ctx);
}

uncork_status sk_do_one_hot_encoder(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out)
{
    (void)method;
    bool is_legacy = sk_bool(ctx, est, "_legacy_mode", !sk_has(est, "categories_"));
    return is_legacy ? legacy_one_hot(ctx, est, in, out) : one_hot(ctx, est, in, out);
}

/* ---- OrdinalEncoder -------------------------------------------------------------------------- */

/* The code of the column's missing category (_missing_indices, 1.0), -1: none. */
static int64_t missing_code(const sk_est *est, size_t column)
{
    const uc_pickle *dict = sk_attr(est, "_missing_indices");
    int64_t key = 0, code = -1;
    if (!dict || dict->kind != UC_PICKLE_DICT) return -1;
    for (size_t i = 0; i < dict->count; i++) {
        if (uc_pickle_i64(dict->items[2 * i], &key) && key == (int64_t)column) {
            return uc_pickle_i64(dict->items[2 * i + 1], &code) ? code : -1;
        }
    }
    return -1;
}

static double ordinal_of(const grouping *g, int64_t code, int64_t missing, double missing_value,
                         double unknown_value)
{
    if (code < 0) return unknown_value;
    if (g->mapping && code != missing) code = g->mapping[code];
    return code == missing ? missing_value : (double)code;
}

uncork_status sk_do_ordinal_encoder(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out)
{
    (void)method;
    size_t columns = 0;
    sk_categories *lists = sk_read_category_lists(ctx, est, "categories_", &columns);
    bool strict = !sk_str_is(est, "handle_unknown", "use_encoded_value");
    double unknown_value = sk_number(ctx, est, "unknown_value", strict ? 0 : (double)NAN);
    double missing_value = sk_number(ctx, est, "encoded_missing_value", (double)NAN);
    uncork_dtype dtype = sk_dtype(ctx, est, "dtype", UNCORK_FLOAT64);
    if (!lists) return sk_status(ctx);
    int64_t slot_count = sk_slot_count(lists, columns), at = 0;
    uc_tensor *values = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 1, &slot_count);
    if (!values) return sk_status(ctx);
    for (size_t j = 0; j < columns; j++) {
        grouping g;
        int64_t missing = missing_code(est, j);
        if (!read_grouping(ctx, est, j, lists[j].count, missing, &g)) return sk_status(ctx);
        for (int64_t code = -1; code < lists[j].count; code++) {
            ((double *)values->data)[at++] =
                ordinal_of(&g, code, missing, missing_value, unknown_value);
        }
    }
    uc_tensor *table = uc_tensor_cast(ctx->arena, values, dtype);
    uc_ref slots = sk_category_slots(ctx, est, in, lists, columns, strict, NULL);
    if (!table || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_ref y = uc_g_gather(ctx->graph, sk_const(ctx, table), slots, 0);
    UC_TRY(sk_return(ctx, out, y, dtype, in->rank == 1 && !in->columns ? 0 : (int64_t)columns));
    out->names = in->names;
    return UNCORK_OK;
}

/* ---- labels ---------------------------------------------------------------------------------- */

/* A column of labels: a vector, or a matrix of one column. */
static bool as_vector(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_data *out)
{
    *out = *in;
    if (in->columns && in->column_count == 1) {
        *out = (sk_data){.x = in->columns[0].ref, .dtype = in->columns[0].dtype, .rank = 1};
    } else if (in->columns || (in->rank == 2 && in->width > 1)) {
        sk_unsupported(ctx, est, "takes a vector of labels, gets a matrix");
    } else if (in->rank == 2) {
        const int64_t flat = -1;
        out->x = uc_g_reshape(ctx->graph, in->x, &flat, 1);
        out->rank = 1;
    }
    out->width = 1;
    return sk_status(ctx) == UNCORK_OK;
}

/* classes_, a vector's slots in `slots`. */
static bool label_slots(sk_ctx *ctx, const sk_est *est, const sk_data *in, bool strict,
                        sk_categories *classes, uc_ref *slots)
{
    sk_data vector;
    if (!sk_read_categories(ctx, est, "classes_", sk_attr(est, "classes_"), classes)) return false;
    if (!as_vector(ctx, est, in, &vector)) return false;
    *slots = sk_category_slots(ctx, est, &vector, classes, 1, strict, NULL);
    return sk_status(ctx) == UNCORK_OK;
}

uncork_status sk_do_label_encoder(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    (void)method;
    sk_categories classes;
    uc_ref slots = 0;
    if (!label_slots(ctx, est, in, true, &classes, &slots)) return sk_status(ctx);
    uc_ref y = uc_g2(ctx->graph, "Sub", slots, uc_graph_i64(ctx->graph, 1));
    return sk_return(ctx, out, y, UNCORK_INT64, 0);
}

/* Rows of 0 and 1 already: what isn't 0 becomes pos_label, the rest neg_label. */
static uncork_status binarize_indicator(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                                        double off, double on, sk_result *out)
{
    uc_graph *g = ctx->graph;
    sk_categories classes;
    if (!sk_read_categories(ctx, est, "classes_", sk_attr(est, "classes_"), &classes)) {
        return sk_status(ctx);
    }
    uc_ref x = sk_x(ctx, est, in, classes.count);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_ref zero = uc_g2(g, "Equal", x, uc_graph_f64(g, 0));
    /* a pos_label of 1 leaves the numbers as they are */
    uc_ref set = on > 1 || on < 1 ? uc_graph_f64(g, on) : x;
    uc_ref y = uc_g_where(g, zero, uc_graph_f64(g, off), set);
    return sk_return(ctx, out, uc_g_cast(g, y, UNCORK_INT64), UNCORK_INT64, classes.count);
}

/* Labels that aren't classes get rows of neg_label; two classes share one column. */
uncork_status sk_do_label_binarizer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out)
{
    (void)method;
    double off = sk_number(ctx, est, "neg_label", 0), on = sk_number(ctx, est, "pos_label", 1);
    uc_str type = sk_str(ctx, est, "y_type_", "multiclass");
    if (uc_str_is(type, "multilabel-indicator")) {
        return binarize_indicator(ctx, est, in, off, on, out);
    }
    sk_categories classes;
    uc_ref slots = 0;
    if (!label_slots(ctx, est, in, false, &classes, &slots)) return sk_status(ctx);
    int64_t n = classes.count, width = n <= 2 ? 1 : n;
    int64_t *targets = UC_NEW(ctx->arena, int64_t, (size_t)n + 1);
    if (!targets) return sk_status(ctx);
    targets[0] = -1;
    for (int64_t i = 0; i < n; i++)
        targets[i + 1] = n > 2 ? i : n == 2 ? i - 1 : -1;
    uc_ref y = sk_category_one_hot(ctx, slots, targets, n + 1, width, UNCORK_INT64, on, off);
    return sk_return(ctx, out, y, UNCORK_INT64, width);
}

/* Each row holds a sample's labels, as often as one likes. Since 0.20 others are left out. */
uncork_status sk_do_multi_label_binarizer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                          const sk_data *in, sk_result *out)
{
    (void)method;
    sk_categories classes;
    if (!sk_read_categories(ctx, est, "classes_", sk_attr(est, "classes_"), &classes)) {
        return sk_status(ctx);
    }
    if (in->columns || in->rank != 2) {
        return sk_unsupported(ctx, est, "takes a matrix, a row of labels a sample");
    }
    const int64_t flat = -1;
    sk_data labels = {
        .x = uc_g_reshape(ctx->graph, in->x, &flat, 1), .dtype = in->dtype, .rank = 1, .width = 1};
    uc_ref slots = sk_category_slots(ctx, est, &labels, &classes, 1, est->version < 20, NULL);
    int64_t *targets = UC_NEW(ctx->arena, int64_t, (size_t)classes.count + 1);
    if (!targets || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    for (int64_t i = 0; i <= classes.count; i++)
        targets[i] = i - 1;
    slots = uc_g2(ctx->graph, "Reshape", slots, uc_g1(ctx->graph, "Shape", in->x));
    uc_ref y = sk_category_one_hot(ctx, slots, targets, classes.count + 1, classes.count,
                                   UNCORK_INT64, 1, 0);
    return sk_return(ctx, out, y, UNCORK_INT64, classes.count);
}

/* ---- TargetEncoder --------------------------------------------------------------------------- */

/* encodings_: an array a column, or one a column and class (column 0's classes first). */
uncork_status sk_do_target_encoder(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    (void)method;
    size_t columns = 0;
    sk_categories *lists = sk_read_category_lists(ctx, est, "categories_", &columns);
    const uc_tensor *mean = sk_f64(ctx, est, "target_mean_", -1);
    bool multiclass = sk_str_is(est, "target_type_", "multiclass");
    const uc_tensor *classes = multiclass ? sk_classes(ctx, est) : NULL;
    if (!lists || !mean || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (multiclass && !classes) return sk_fail(ctx, est, "classes_", "is missing");
    int64_t each = classes ? classes->shape[0] : 1;
    if (uc_tensor_count(mean) != each) {
        return sk_fail(ctx, est, "target_mean_", "holds %" PRId64 " means, expected %" PRId64,
                       uc_tensor_count(mean), each);
    }
    const uc_pickle *encodings = sk_attr(est, "encodings_");
    int64_t shape[2] = {sk_slot_count(lists, columns), each}, at = 0;
    uc_tensor *table = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
    if (!table) return sk_status(ctx);
    for (size_t j = 0; j < columns; at += lists[j++].count + 1) {
        for (int64_t c = 0; c < each; c++) {
            double *to = (double *)table->data + at * each + c;
            const uc_pickle *one = item_of(encodings, j * (size_t)each + (size_t)c);
            const uc_tensor *e = one ? uc_pickle_tensor(one, ctx->arena, NULL) : NULL;
            if (e) e = uc_tensor_cast(ctx->arena, e, UNCORK_FLOAT64);
            if (!e || e->rank != 1 || e->shape[0] != lists[j].count) {
                return sk_fail(ctx, est, "encodings_", "holds no number a category for column %zu",
                               j);
            }
            to[0] = uc_tensor_doubles(mean)[c];
            for (int64_t i = 0; i < lists[j].count; i++)
                to[(i + 1) * each] = uc_tensor_doubles(e)[i];
        }
    }
    uc_ref slots = sk_category_slots(ctx, est, in, lists, columns, false, NULL);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_ref y = uc_g_gather(ctx->graph, sk_const(ctx, table), slots, 0);
    const int64_t flat[2] = {0, (int64_t)columns * each};
    y = uc_g_reshape(ctx->graph, y, flat, 2);
    return sk_return(ctx, out, y, UNCORK_FLOAT64, flat[1]);
}
