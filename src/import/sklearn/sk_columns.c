/* ColumnTransformer: columns chosen by name, number, slice or mask, each group transformed, results
 * side by side in the order of transformers_ (the remainder stands last there).
 * Source: sklearn/compose/_column_transformer.py, sklearn/utils/__init__.py (_get_column_indices). */
#include "import/sklearn/sk_file.h"

#include "base/table.h"

#include <inttypes.h>

/* ---- which columns ------------------------------------------------------------------------- */

static bool is_text(const uc_pickle *v)
{
    return v && (v->kind == UC_PICKLE_TEXT || v->kind == UC_PICKLE_BYTES);
}

typedef struct lookup {
    sk_ctx *ctx;
    const sk_est *est;
    const uc_str *names;
    int64_t width;
    uc_table *table; /* name -> index + 1, made at the first use */
    sk_selection *out;
} lookup;

static bool add_index(lookup *l, int64_t i)
{
    if (i < 0 && l->width >= 0) i += l->width;
    if (i < 0 || (l->width >= 0 && i >= l->width)) {
        sk_fail(l->ctx, l->est, "transformers_", "selects column %" PRId64 " of %" PRId64, i,
                l->width);
        return false;
    }
    l->out->indices[l->out->count++] = i;
    return true;
}

static int64_t index_of(lookup *l, uc_str name)
{
    if (!l->names) return -1;
    if (!l->table) {
        l->table = uc_table_new(l->ctx->arena);
        for (int64_t i = l->width; l->table && i-- > 0;) {
            uc_table_put(l->table, l->names[i], (void *)(intptr_t)(i + 1));
        }
    }
    return l->table ? (int64_t)(intptr_t)uc_table_find(l->table, name) - 1 : -1;
}

static bool add_name(lookup *l, uc_str name)
{
    int64_t i = index_of(l, name);
    if (i >= 0) return add_index(l, i);
    if (l->names) {
        sk_fail(l->ctx, l->est, "transformers_",
                "selects column '%.*s', which it wasn't trained on", (int)name.size, name.data);
    } else {
        sk_unsupported(l->ctx, l->est, "selects column '%.*s' by name, but names aren't known here",
                       (int)name.size, name.data);
    }
    return false;
}

/* One end of a slice: a number or a name. */
static bool slice_end(lookup *l, const uc_pickle *v, int64_t otherwise, bool is_stop, int64_t *end)
{
    *end = otherwise;
    if (!v || v->kind == UC_PICKLE_NONE) return true;
    if (is_text(v)) { /* by name the last one is part of it, as in pandas */
        *end = index_of(l, v->text) + (is_stop ? 1 : 0);
        if (index_of(l, v->text) >= 0) return true;
    } else if (uc_pickle_i64(v, end)) {
        if (*end < 0) *end += l->width;
        if (*end < 0) *end = 0;
        if (*end > l->width) *end = l->width;
        return true;
    }
    sk_fail(l->ctx, l->est, "transformers_", "has a slice that selects nothing it was trained on");
    return false;
}

static bool add_slice(lookup *l, const uc_pickle *slice)
{
    int64_t begin, end, step = 1;
    const uc_pickle *by = uc_pickle_item(slice, 2);
    if (slice->count == 3) by = slice->items[2];
    bool odd = by && by->kind != UC_PICKLE_NONE && (!uc_pickle_i64(by, &step) || step <= 0);
    if (l->width < 0 || slice->count < 2 || odd) {
        sk_unsupported(l->ctx, l->est, "selects columns by a slice that isn't understood");
        return false;
    }
    if (!slice_end(l, slice->items[0], 0, false, &begin) ||
        !slice_end(l, slice->items[1], l->width, true, &end)) {
        return false;
    }
    l->out->indices = UC_NEW(l->ctx->arena, int64_t, end > begin ? (size_t)(end - begin) : 0);
    for (int64_t i = begin; l->out->indices && i < end; i += step) {
        if (!add_index(l, i)) return false;
    }
    return sk_status(l->ctx) == UNCORK_OK;
}

static bool add_tensor(lookup *l, const uc_tensor *t)
{
    int64_t n = uc_tensor_count(t);
    l->out->indices = UC_NEW(l->ctx->arena, int64_t, (size_t)n);
    if (!l->out->indices) return false;
    if (t->dtype == UNCORK_BOOL && l->width >= 0 && n != l->width) {
        sk_fail(l->ctx, l->est, "transformers_",
                "has a mask of %" PRId64 " for %" PRId64 " columns", n, l->width);
        return false;
    }
    for (int64_t i = 0; i < n; i++) {
        bool fine = true;
        if (t->dtype == UNCORK_STRING) {
            fine = add_name(l, uc_tensor_string(t, i));
        } else if (t->dtype == UNCORK_BOOL) {
            if (uc_dtype_load_i64(t->data, i, t->dtype)) fine = add_index(l, i);
        } else {
            fine = add_index(l, uc_dtype_load_i64(t->data, i, t->dtype));
        }
        if (!fine) return false;
    }
    return true;
}

/* What holds the list: a pandas Index keeps it in its call, _RemainderColsList (1.5) in `data`. */
static const uc_pickle *unwrap(const uc_pickle *spec)
{
    if (!spec || spec->kind != UC_PICKLE_OBJECT) return spec;
    const uc_pickle *data = uc_pickle_attr(spec, "data");
    if (!data) data = uc_pickle_get(uc_pickle_item(spec->args, 1), "data");
    return data ? data : spec->list_items ? spec->list_items : spec;
}

bool sk_select(sk_ctx *ctx, const sk_est *est, const uc_pickle *spec, const uc_str *names,
               int64_t width, sk_selection *out)
{
    *out = (sk_selection){.indices = UC_NEW(ctx->arena, int64_t, 1)};
    lookup l = {.ctx = ctx, .est = est, .names = names, .width = width, .out = out};
    spec = unwrap(spec);
    if (!out->indices || !spec || spec->kind == UC_PICKLE_NONE) return sk_status(ctx) == UNCORK_OK;
    if (is_text(spec)) {
        out->scalar = true;
        return add_name(&l, spec->text);
    }
    if (spec->kind == UC_PICKLE_INT) {
        out->scalar = true;
        return add_index(&l, spec->integer);
    }
    if (spec->kind == UC_PICKLE_SLICE) return add_slice(&l, spec);
    bool empty = spec->kind == UC_PICKLE_LIST && spec->count == 0;
    if (empty) return true;
    const uc_tensor *t = uc_pickle_tensor(spec, ctx->arena, NULL);
    if (t && t->rank == 1 && !uc_dtype_is_float(t->dtype)) return add_tensor(&l, t);
    if (t && t->rank == 1 && t->shape[0] == 0) return true;
    const char *type = uc_pickle_type_name(spec, ctx->arena);
    sk_unsupported(ctx, est, "selects columns by %s", type ? type : "?");
    return false;
}

bool sk_selects_by_name(const sk_est *est)
{
    const uc_pickle *list = sk_attr(est, "transformers_");
    for (size_t i = 0; i < sk_item_count(list); i++) {
        const uc_pickle *spec = unwrap(uc_pickle_item(uc_pickle_item(list, i), 2));
        if (is_text(spec)) return true;
        if (!spec) continue;
        if (spec->tensor && spec->tensor->dtype == UNCORK_STRING) return true;
        bool pickles = spec->kind == UC_PICKLE_LIST || spec->kind == UC_PICKLE_TUPLE ||
                       spec->kind == UC_PICKLE_OBJECTS || spec->kind == UC_PICKLE_SLICE;
        for (size_t k = 0; pickles && k < spec->count; k++) {
            if (is_text(spec->items[k])) return true;
        }
    }
    return false;
}

static bool is_number(const uc_pickle *v)
{
    return v && (v->kind == UC_PICKLE_INT || v->kind == UC_PICKLE_BOOL);
}

bool sk_selects_by_number(const sk_est *est)
{
    const uc_pickle *list = sk_attr(est, "transformers_");
    for (size_t i = 0; i < sk_item_count(list); i++) {
        const uc_pickle *entry = uc_pickle_item(list, i), *what = uc_pickle_item(entry, 1);
        const uc_pickle *spec = unwrap(uc_pickle_item(entry, 2));
        if (!what || what->kind == UC_PICKLE_NONE || uc_pickle_is_text(what, "drop")) continue;
        if (is_number(spec)) return true;
        if (!spec) continue;
        if (spec->tensor && spec->tensor->dtype != UNCORK_STRING && uc_tensor_count(spec->tensor))
            return true;
        bool pickles = spec->kind == UC_PICKLE_LIST || spec->kind == UC_PICKLE_TUPLE ||
                       spec->kind == UC_PICKLE_OBJECTS || spec->kind == UC_PICKLE_SLICE;
        for (size_t k = 0; pickles && k < spec->count; k++) {
            if (is_number(spec->items[k])) return true;
        }
    }
    return false;
}

/* ---- the data of some columns -------------------------------------------------------------- */

static const sk_column *column_named(const sk_data *in, uc_str name)
{
    for (size_t i = 0; i < in->column_count; i++) {
        if (uc_str_equal(in->columns[i].name, name)) return &in->columns[i];
    }
    return NULL;
}

static bool from_table(sk_ctx *ctx, const sk_est *est, const sk_data *in, const uc_str *names,
                       const sk_selection *picked, sk_data *out)
{
    sk_column *columns = UC_NEW(ctx->arena, sk_column, picked->count);
    if (!columns) return false;
    for (size_t i = 0; i < picked->count; i++) {
        int64_t at = picked->indices[i];
        const sk_column *c = names                           ? column_named(in, names[at])
                             : (size_t)at < in->column_count ? &in->columns[at]
                                                             : NULL;
        if (!c) {
            sk_fail(ctx, est, "transformers_", "needs column %" PRId64 ", which isn't fed", at);
            return false;
        }
        columns[i] = *c;
    }
    if (picked->scalar) {
        *out = (sk_data){.x = columns[0].ref, .dtype = columns[0].dtype, .rank = 1, .width = 1};
    } else {
        *out = (sk_data){.columns = columns,
                         .column_count = picked->count,
                         .rank = 2,
                         .width = (int64_t)picked->count,
                         .dtype = columns[0].dtype};
    }
    return true;
}

static bool is_run(const sk_selection *picked)
{
    for (size_t i = 1; i < picked->count; i++) {
        if (picked->indices[i] != picked->indices[0] + (int64_t)i) return false;
    }
    return picked->count > 0;
}

static bool from_matrix(sk_ctx *ctx, const sk_data *in, const sk_selection *picked, sk_data *out)
{
    *out = (sk_data){.dtype = in->dtype, .rank = 2, .width = (int64_t)picked->count};
    int64_t first = picked->indices[0];
    if (picked->scalar) {
        out->rank = 1;
        out->x = sk_column_at(ctx, in->x, first);
    } else if (is_run(picked) && (int64_t)picked->count == in->width) {
        out->x = in->x;
    } else if (is_run(picked)) {
        out->x = sk_columns(ctx, in->x, first, first + (int64_t)picked->count);
    } else {
        uc_ref index = uc_graph_i64s(ctx->graph, picked->indices, (int64_t)picked->count);
        out->x = uc_g_gather(ctx->graph, in->x, index, 1);
    }
    uc_str *names = in->names ? UC_NEW(ctx->arena, uc_str, picked->count) : NULL;
    for (size_t i = 0; names && i < picked->count; i++)
        names[i] = in->names[picked->indices[i]];
    out->names = names;
    return sk_status(ctx) == UNCORK_OK;
}

/* ---- the transformer ----------------------------------------------------------------------- */

static uncork_status one_group(sk_ctx *ctx, const sk_est *est, size_t i, const uc_pickle *entry,
                               const sk_data *data, sk_result *part)
{
    const uc_pickle *what = uc_pickle_item(entry, 1);
    if (uc_pickle_is_text(what, "passthrough")) {
        UC_TRY(sk_return_input(ctx, est, data, part));
    } else {
        sk_est child;
        if (!sk_list_child(ctx, est, "transformers_", i, &child)) return sk_status(ctx);
        UC_TRY(sk_apply(ctx, &child, SK_TRANSFORM, data, part));
    }
    return sk_weigh(ctx, part, sk_transformer_weight(est, uc_pickle_item(entry, 0)));
}

/* Names of the columns it was trained on, where it keeps none: those fed, in their order. Columns
 * that nothing uses aren't fed; then the numbered names of sk_input.c tell the places of the rest. */
static const uc_str *fed_names(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t *width)
{
    int64_t own = sk_width_in(ctx, est);
    bool gaps = own > (int64_t)in->column_count && !sk_selects_by_name(est);
    *width = gaps ? own : (int64_t)in->column_count;
    uc_str *names = UC_NEW(ctx->arena, uc_str, (size_t)*width);
    for (int64_t i = 0; names && i < *width; i++) {
        const char *numbered = gaps ? uc_arena_printf(ctx->arena, "x%d", (int)i) : NULL;
        names[i] = numbered ? uc_str_of(numbered) : gaps ? (uc_str){"", 0} : in->columns[i].name;
    }
    return names;
}

uncork_status sk_do_column_transformer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                       const sk_data *in, sk_result *out)
{
    (void)method;
    const uc_pickle *list = sk_attr(est, "transformers_");
    size_t n = sk_list_count(est, "transformers_"), used = 0;
    if (!list) return sk_fail(ctx, est, "transformers_", "is missing: not fitted?");
    int64_t name_count = 0, width = in->columns ? -1 : in->width;
    uc_str *names = sk_feature_names(ctx, est, &name_count);
    const uc_str *known = names ? names : in->names;
    if (names) {
        width = name_count;
    } else if (in->columns) {
        known = fed_names(ctx, est, in, &width);
    }
    if (!in->columns && in->width >= 0 && width >= 0 && width != in->width) {
        return sk_fail(ctx, est, NULL, "was trained on %" PRId64 " columns, gets %" PRId64, width,
                       in->width);
    }
    sk_result *parts = UC_NEW(ctx->arena, sk_result, n + 1);
    if (!parts) return sk_status(ctx);
    for (size_t i = 0; i < n; i++) {
        const uc_pickle *entry = uc_pickle_item(list, i), *what = uc_pickle_item(entry, 1);
        sk_selection picked;
        sk_data data;
        if (!what || what->kind == UC_PICKLE_NONE || uc_pickle_is_text(what, "drop")) continue;
        if (!sk_select(ctx, est, uc_pickle_item(entry, 2), known, width, &picked))
            return sk_status(ctx);
        if (picked.count == 0) continue;
        if (!(in->columns ? from_table(ctx, est, in, known, &picked, &data)
                          : from_matrix(ctx, in, &picked, &data))) {
            return sk_status(ctx);
        }
        UC_TRY(one_group(ctx, est, i, entry, &data, &parts[used++]));
    }
    return sk_hstack(ctx, est, parts, used, out);
}
