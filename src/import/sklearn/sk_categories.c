/* Categories and their slots: sk_categories.h says what they promise.
 * Source: sklearn/preprocessing/_encoders.py, sklearn/utils/_encode.py. */
#include "import/sklearn/sk_categories.h"

#include <inttypes.h>
#include <math.h>

/* ---- reading ------------------------------------------------------------------------------- */

static bool reserve(sk_ctx *ctx, sk_categories *c, int64_t count, bool is_text)
{
    *c = (sk_categories){
        .is_text = is_text, .is_whole = !is_text, .count = count, .nan = -1, .none = -1};
    if (is_text) {
        c->texts = UC_NEW(ctx->arena, uc_str, (size_t)count);
        return c->texts != NULL;
    }
    c->numbers = UC_NEW(ctx->arena, double, (size_t)count);
    c->wholes = UC_NEW(ctx->arena, int64_t, (size_t)count);
    return c->numbers && c->wholes;
}

static void put_number(sk_categories *c, int64_t i, double v)
{
    c->numbers[i] = v;
    c->is_whole = c->is_whole && v == floor(v) && fabs(v) < 9007199254740992.0;
    if (c->is_whole) c->wholes[i] = (int64_t)v;
    if (isnan(v)) c->nan = i;
}

static void put_whole(sk_categories *c, int64_t i, int64_t v)
{
    c->numbers[i] = (double)v;
    c->wholes[i] = v;
}

static bool from_tensor(sk_ctx *ctx, const uc_tensor *t, sk_categories *out)
{
    if (!reserve(ctx, out, t->shape[0], t->dtype == UNCORK_STRING)) return false;
    for (int64_t i = 0; i < out->count; i++) {
        if (out->is_text) {
            out->texts[i] = uc_tensor_string(t, i);
        } else if (uc_dtype_is_float(t->dtype)) {
            put_number(out, i, uc_dtype_load_f64(t->data, i, t->dtype));
        } else {
            put_whole(out, i, uc_dtype_load_i64(t->data, i, t->dtype));
        }
    }
    return true;
}

static bool is_text_value(const uc_pickle *v)
{
    return v && (v->kind == UC_PICKLE_TEXT || v->kind == UC_PICKLE_BYTES);
}

/* Objects: texts or numbers, NaN and None among them. */
static bool from_objects(sk_ctx *ctx, const sk_est *est, const char *attribute,
                         const uc_pickle *value, sk_categories *out)
{
    bool is_text = false;
    for (size_t i = 0; i < value->count; i++)
        is_text = is_text || is_text_value(value->items[i]);
    if (!reserve(ctx, out, (int64_t)value->count, is_text)) return false;
    for (size_t i = 0; i < value->count; i++) {
        const uc_pickle *v = value->items[i];
        int64_t at = (int64_t)i;
        double number = 0;
        if (v && v->kind == UC_PICKLE_NONE) {
            out->none = at;
            out->is_whole = false;
            if (!is_text) out->numbers[i] = (double)NAN;
        } else if (is_text && is_text_value(v)) {
            out->texts[i] = v->text;
        } else if (v && v->kind == UC_PICKLE_FLOAT && (!is_text || isnan(v->number))) {
            if (is_text) out->nan = at;
            if (!is_text) put_number(out, at, v->number);
        } else if (!is_text && v && v->kind == UC_PICKLE_INT) {
            put_whole(out, at, v->integer);
        } else if (!is_text && uc_pickle_f64(v, &number)) {
            put_number(out, at, number);
        } else {
            const char *type = v ? uc_pickle_type_name(v, ctx->arena) : NULL;
            sk_unsupported(ctx, est, "%s holds %s among %s", attribute, type ? type : "nothing",
                           is_text ? "texts" : "numbers");
            return false;
        }
    }
    return true;
}

/* The texts that stand for missing values; a category of that very text goes first. */
static void name_missing(sk_categories *c)
{
    if (!c->is_text) return;
    if (c->none >= 0) c->texts[c->none] = uc_str_of(c->nan >= 0 ? "None" : "nan");
    if (c->nan >= 0) c->texts[c->nan] = uc_str_of("nan");
}

bool sk_read_categories(sk_ctx *ctx, const sk_est *est, const char *attribute,
                        const uc_pickle *value, sk_categories *out)
{
    *out = (sk_categories){.nan = -1, .none = -1};
    if (sk_status(ctx) != UNCORK_OK) return false;
    bool objects = value && (value->kind == UC_PICKLE_OBJECTS || value->kind == UC_PICKLE_LIST ||
                             value->kind == UC_PICKLE_TUPLE);
    bool flat = objects && (value->kind != UC_PICKLE_OBJECTS || value->tensor->rank == 1);
    bool array = value && value->kind == UC_PICKLE_ARRAY && value->tensor->rank == 1 &&
                 value->tensor->dtype != UNCORK_COMPLEX64 &&
                 value->tensor->dtype != UNCORK_COMPLEX128;
    if (!flat && !array) {
        sk_fail(ctx, est, attribute, "holds no list of categories");
        return false;
    }
    if (array && value->text.size && value->tensor->dtype == UNCORK_INT64) {
        sk_unsupported(ctx, est, "%s holds %.*s", attribute, (int)value->text.size,
                       value->text.data);
        return false;
    }
    const uc_tensor *t = array ? uc_tensor_dense(ctx->arena, value->tensor) : NULL;
    bool read = t ? from_tensor(ctx, t, out) : from_objects(ctx, est, attribute, value, out);
    if (read) name_missing(out);
    return read && sk_status(ctx) == UNCORK_OK;
}

sk_categories *sk_read_category_lists(sk_ctx *ctx, const sk_est *est, const char *names,
                                      size_t *count)
{
    const uc_pickle *value = sk_attr(est, names);
    *count = sk_list_count(est, names);
    if (sk_status(ctx) != UNCORK_OK) return NULL;
    if (*count == 0) {
        sk_fail(ctx, est, names, value ? "is no list of arrays" : "is missing: not fitted?");
        return NULL;
    }
    sk_categories *lists = UC_NEW(ctx->arena, sk_categories, *count);
    for (size_t i = 0; lists && i < *count; i++) {
        if (!sk_read_categories(ctx, est, names, value->items[i], &lists[i])) return NULL;
    }
    return lists;
}

bool sk_whole_categories(sk_ctx *ctx, int64_t n, sk_categories *out)
{
    if (!reserve(ctx, out, n, false)) return false;
    for (int64_t i = 0; i < n; i++)
        put_whole(out, i, i);
    return true;
}

int64_t sk_slot_count(const sk_categories *lists, size_t count)
{
    int64_t n = (int64_t)count;
    for (size_t i = 0; i < count; i++)
        n += lists[i].count;
    return n;
}

/* ---- slots --------------------------------------------------------------------------------- */

/* Some columns of one type. */
typedef struct run_of {
    uc_ref x;
    uncork_dtype dtype; /* of x */
    const sk_categories *lists;
    size_t count;
    int64_t column; /* number of the first */
    int64_t offset; /* slots in front of it */
    const uc_str *names;
} run_of;

/* The type cells and categories are compared in: whole numbers exactly, others as float64. */
static uncork_dtype common(sk_ctx *ctx, const sk_est *est, const run_of *r)
{
    bool whole = uc_dtype_is_integer(r->dtype) || r->dtype == UNCORK_BOOL;
    bool text = false, number = false;
    for (size_t i = 0; i < r->count; i++) {
        const sk_categories *c = &r->lists[i];
        whole = whole && (c->count == 0 || c->is_whole);
        text = text || (c->count && c->is_text);
        number = number || (c->count && !c->is_text);
    }
    bool fed_text = r->dtype == UNCORK_STRING;
    if ((fed_text && number) || (!fed_text && text)) {
        sk_unsupported(ctx, est, "has categories of %s from column %" PRId64 " on, gets %s",
                       text ? "text" : "numbers", r->column, uc_dtype_name(r->dtype));
        return UNCORK_DTYPE_NONE;
    }
    return fed_text ? UNCORK_STRING : whole ? UNCORK_INT64 : UNCORK_FLOAT64;
}

static const uc_tensor *joined(sk_ctx *ctx, const run_of *r, uncork_dtype dtype,
                               const uc_tensor **starts)
{
    int64_t total = sk_slot_count(r->lists, r->count) - (int64_t)r->count, at = 0;
    const int64_t ends = (int64_t)r->count + 1;
    uc_tensor *s = uc_tensor_new(ctx->arena, UNCORK_INT64, 1, &ends);
    uc_str *texts = dtype == UNCORK_STRING ? UC_NEW(ctx->arena, uc_str, (size_t)total) : NULL;
    uc_tensor *t = dtype == UNCORK_STRING ? NULL : uc_tensor_new(ctx->arena, dtype, 1, &total);
    if (!s || (!t && !texts)) return NULL;
    for (size_t i = 0; i < r->count; i++) {
        const sk_categories *c = &r->lists[i];
        for (int64_t k = 0; k < c->count; k++, at++) {
            if (texts) texts[at] = c->texts[k];
            if (t && dtype == UNCORK_INT64) ((int64_t *)t->data)[at] = c->wholes[k];
            if (t && dtype == UNCORK_FLOAT64) ((double *)t->data)[at] = c->numbers[k];
        }
        ((int64_t *)s->data)[i + 1] = at;
    }
    *starts = s;
    return texts ? uc_tensor_strings(ctx->arena, texts, 1, &total) : t;
}

static uc_ref slots_of(sk_ctx *ctx, const sk_est *est, const run_of *r, bool strict,
                       const int64_t *limits)
{
    uncork_dtype dtype = limits ? UNCORK_INT64 : common(ctx, est, r);
    const uc_tensor *starts = NULL;
    if (sk_status(ctx) != UNCORK_OK) return 0;
    if (limits && r->dtype == UNCORK_STRING) {
        sk_unsupported(ctx, est, "takes whole numbers, gets text");
        return 0;
    }
    const uc_tensor *categories = joined(ctx, r, dtype, &starts);
    uc_tensor *bound = limits ? uc_tensor_i64(ctx->arena, limits, (int64_t)r->count) : NULL;
    if (!categories || (limits && !bound)) return 0;
    const uc_ref in[4] = {sk_cast(ctx, r->x, r->dtype, dtype), sk_const(ctx, categories),
                          sk_const(ctx, starts), sk_const(ctx, bound)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.CategoryIndex", in, bound ? 4 : 3, 1);
    uc_node_str(ctx->graph, n, "unknown", strict ? "error" : "slot");
    uc_node_int(ctx->graph, n, "offset", r->offset);
    uc_node_int(ctx->graph, n, "column", r->column);
    if (r->names) uc_node_strs(ctx->graph, n, "names", r->names, r->count);
    return uc_node_out(n, 0);
}

/* A table: each column in its own type. */
static uc_ref table_slots(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                          const sk_categories *lists, size_t count, bool strict,
                          const int64_t *limits)
{
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, count);
    int64_t offset = 0;
    for (size_t i = 0; parts && i < count; i++) {
        const sk_column *c = &in->columns[i];
        run_of r = {c->ref, c->dtype, &lists[i], 1, (int64_t)i, offset, &c->name};
        uc_ref slots = slots_of(ctx, est, &r, strict, limits ? &limits[i] : NULL);
        if (sk_status(ctx) != UNCORK_OK) return 0;
        parts[i] = uc_g_unsqueeze(ctx->graph, slots, 1);
        offset += lists[i].count + 1;
    }
    if (!parts) return 0;
    return count == 1 ? parts[0] : uc_g_concat(ctx->graph, parts, count, 1);
}

uc_ref sk_category_slots(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                         const sk_categories *lists, size_t count, bool strict,
                         const int64_t *limits)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    int64_t width = in->columns ? (int64_t)in->column_count : in->rank == 1 ? 1 : in->width;
    if (width >= 0 && width != (int64_t)count) {
        sk_fail(ctx, est, NULL, "was trained on %zu features, gets %" PRId64, count, width);
        return 0;
    }
    if (in->columns) return table_slots(ctx, est, in, lists, count, strict, limits);
    const run_of r = {in->x, in->dtype, lists, count, 0, 0, in->names};
    return slots_of(ctx, est, &r, strict, limits);
}

uc_ref sk_category_one_hot(sk_ctx *ctx, uc_ref slots, const int64_t *targets, int64_t slot_count,
                           int64_t width, uncork_dtype dtype, double on, double off)
{
    uc_tensor *t = uc_tensor_i64(ctx->arena, targets, slot_count);
    if (!t || sk_status(ctx) != UNCORK_OK) return 0;
    const uc_ref in[2] = {slots, sk_const(ctx, t)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.CategoryOneHot", in, 2, 1);
    uc_node_int(ctx->graph, n, "width", width);
    uc_node_int(ctx->graph, n, "dtype", dtype);
    uc_node_float(ctx->graph, n, "on", on);
    uc_node_float(ctx->graph, n, "off", off);
    return uc_node_out(n, 0);
}
