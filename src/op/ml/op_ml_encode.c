/* Look-ups of categories: LabelEncoder, CategoryMapper, OneHotEncoder.
 *
 * Source: ONNX operators LabelEncoder 4 (its version 1 as well), CategoryMapper 1, OneHotEncoder 1 of
 * ai.onnx.ml; ONNX Runtime, core/providers/cpu/ml/label_encoder.h: the first of equal keys holds, NaN
 * equals NaN. */
#include "base/table.h"
#include "op/ml/ml_score.h"

#include <inttypes.h>
#include <math.h>

/* ---- keys --------------------------------------------------------------------------------- */

/* Numbers are looked up by the bytes of one canonical form. */
typedef struct key {
    bool is_float;
    union {
        int64_t i;
        double f;
    } number;
} key;

static uc_str key_of(const uc_tensor *t, int64_t i, key *room)
{
    if (t->dtype == UNCORK_STRING) return uc_tensor_string(t, i);
    if (uc_dtype_is_float(t->dtype)) {
        room->number.f = uc_dtype_load_f64(t->data, i, t->dtype);
        if (isnan(room->number.f)) room->number.f = (double)NAN;
        if (room->number.f == 0) room->number.f = 0; /* -0 is 0 */
    } else {
        room->number.i = uc_dtype_load_i64(t->data, i, t->dtype);
    }
    return (uc_str){(const char *)&room->number, sizeof room->number};
}

/* Place of each key + 1; NULL when memory is out. */
static uc_table *index_keys(uc_call *call, const uc_tensor *keys)
{
    uc_table *table = uc_table_new(call->arena);
    int64_t n = uc_tensor_count(keys);
    key *room = UC_NEW(call->arena, key, (size_t)n);
    for (int64_t i = 0; table && room && i < n; i++) {
        uc_str name = key_of(keys, i, &room[i]);
        if (uc_table_find(table, name)) continue;
        if (!uc_table_put(table, name, (void *)(intptr_t)(i + 1))) return NULL;
    }
    return room ? table : NULL;
}

/* A list of attribute `prefix`_strings, _int64s, _floats or _tensor as a tensor; *t NULL: none. */
static uncork_status list_of(uc_call *call, const char *const names[4], const uc_tensor **t)
{
    static const uc_attr_kind kinds[] = {UC_ATTR_STRINGS, UC_ATTR_INTS, UC_ATTR_FLOATS,
                                         UC_ATTR_TENSOR};
    *t = NULL;
    for (int k = 0; k < 4; k++) {
        const uc_attr *a = names[k] ? uc_call_attr(call, names[k]) : NULL;
        if (!a || a->kind != kinds[k]) continue;
        if (k < 3 && a->count == 0) continue;
        int64_t n = (int64_t)a->count;
        if (k == 0) *t = uc_tensor_strings(call->arena, a->strings, 1, &n);
        if (k == 1) *t = uc_tensor_i64(call->arena, a->ints, n);
        if (k == 2) {
            const uc_tensor *wide = uc_tensor_f64(call->arena, a->floats, n);
            *t = wide ? uc_tensor_cast(call->arena, wide, UNCORK_FLOAT32) : NULL;
        }
        if (k == 3) *t = uc_tensor_dense(call->arena, a->tensor);
        return *t ? UNCORK_OK : uc_arena_status(call->arena, call->error);
    }
    return UNCORK_OK;
}

/* ---- LabelEncoder --------------------------------------------------------------------------- */

typedef struct encoder {
    uc_table *table;
    const uc_tensor *values, *otherwise; /* otherwise: one element of the values' type */
    uncork_dtype key_dtype;
} encoder;

static const char *const key_names[] = {"keys_strings", "keys_int64s", "keys_floats",
                                        "keys_tensor"};
static const char *const value_names[] = {"values_strings", "values_int64s", "values_floats",
                                          "values_tensor"};

/* Version 1: classes_strings is both lists, with their numbers. */
static uncork_status read_classes(uc_call *call, const uc_tensor **keys, const uc_tensor **values)
{
    static const char *const names[] = {"classes_strings", NULL, NULL, NULL};
    const uc_tensor *texts = NULL;
    UC_TRY(list_of(call, names, &texts));
    if (!texts) return UNCORK_OK;
    uc_tensor *numbers = uc_tensor_new(call->arena, UNCORK_INT64, 1, texts->shape);
    if (!numbers) return uc_arena_status(call->arena, call->error);
    for (int64_t i = 0; i < texts->shape[0]; i++) {
        ((int64_t *)numbers->data)[i] = i;
    }
    bool forward = uc_call_dtype(call, 0) == UNCORK_STRING;
    *keys = forward ? texts : numbers;
    *values = forward ? numbers : texts;
    return UNCORK_OK;
}

static uncork_status read_lists(uc_call *call, const uc_tensor **keys, const uc_tensor **values)
{
    UC_TRY(list_of(call, key_names, keys));
    UC_TRY(list_of(call, value_names, values));
    if (!*keys || !*values) UC_TRY(read_classes(call, keys, values));
    if (!*keys || !*values || uc_tensor_count(*keys) != uc_tensor_count(*values)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " keys for %" PRId64 " values",
                            *keys ? uc_tensor_count(*keys) : 0,
                            *values ? uc_tensor_count(*values) : 0);
    }
    bool sound = ((*keys)->data || (*keys)->dtype == UNCORK_STRING || !uc_tensor_count(*keys)) &&
                 (uc_dtype_size((*values)->dtype) || (*values)->dtype == UNCORK_STRING);
    return sound ? UNCORK_OK
                 : uc_call_fail(call, UNCORK_MALFORMED, "values of type %s",
                                uc_dtype_name((*values)->dtype));
}

/* What a key that isn't there becomes. */
static uncork_status read_default(uc_call *call, encoder *e)
{
    const uc_attr *given = uc_call_attr(call, "default_tensor");
    uncork_dtype dtype = e->values->dtype;
    if (given && given->kind == UC_ATTR_TENSOR) {
        e->otherwise = uc_tensor_dense(call->arena, given->tensor);
        if (!e->otherwise) return uc_arena_status(call->arena, call->error);
        if (e->otherwise->dtype == dtype && uc_tensor_count(e->otherwise) == 1) return UNCORK_OK;
        return uc_call_fail(call, UNCORK_MALFORMED, "default_tensor is no %s",
                            uc_dtype_name(dtype));
    }
    uc_str text = uc_call_str(call, "default_string", "_Unused");
    double f = uc_call_float(call, "default_float", -0.0);
    int64_t i = uc_call_int(call, "default_int64", -1);
    if (dtype == UNCORK_STRING) {
        e->otherwise = uc_tensor_strings(call->arena, &text, 0, NULL);
        return e->otherwise ? UNCORK_OK : uc_arena_status(call->arena, call->error);
    }
    uc_tensor *t = uc_tensor_new(call->arena, dtype, 0, NULL);
    if (!t) return uc_arena_status(call->arena, call->error);
    if (uc_dtype_is_float(dtype)) {
        uc_dtype_convert(t->data, dtype, &f, UNCORK_FLOAT64, 1);
    } else {
        uc_dtype_convert(t->data, dtype, &i, UNCORK_INT64, 1);
    }
    e->otherwise = t;
    return UNCORK_OK;
}

static uncork_status infer_label(uc_call *call)
{
    const uc_tensor *keys = NULL, *values = NULL;
    UC_TRY(read_lists(call, &keys, &values));
    uncork_dtype dtype = uc_call_dtype(call, 0);
    bool fits =
        dtype == UNCORK_DTYPE_NONE || (dtype == UNCORK_STRING) == (keys->dtype == UNCORK_STRING);
    if (!fits || (dtype != UNCORK_STRING && dtype != UNCORK_DTYPE_NONE && !uc_dtype_size(dtype))) {
        return uc_call_fail(call, UNCORK_MALFORMED, "x is %s, the keys are %s",
                            uc_dtype_name(dtype), uc_dtype_name(keys->dtype));
    }
    return uc_call_shape_like(call, 0, 0, values->dtype);
}

static uncork_status prepare_label(uc_call *call)
{
    const uc_tensor *keys = NULL;
    encoder *e = UC_NEW(call->arena, encoder, 1);
    if (!e) return uc_arena_status(call->arena, call->error);
    UC_TRY(read_lists(call, &keys, &e->values));
    e->key_dtype = keys->dtype;
    UC_TRY(read_default(call, e));
    e->table = index_keys(call, keys);
    if (!e->table) return uc_arena_status(call->arena, call->error);
    call->prepared = e;
    return UNCORK_OK;
}

/* Place of x's element among the values; -1: none. */
static int64_t place_of(const encoder *e, const uc_tensor *x, int64_t i)
{
    key room;
    uc_str name;
    if (x->dtype != UNCORK_STRING &&
        uc_dtype_is_float(x->dtype) != uc_dtype_is_float(e->key_dtype)) {
        /* Numbers of the other kind: as the keys' kind would have them. */
        double v = uc_dtype_load_f64(x->data, i, x->dtype);
        int64_t whole = uc_dtype_load_i64(x->data, i, x->dtype);
        uc_tensor one = {.dtype = uc_dtype_is_float(e->key_dtype) ? UNCORK_FLOAT64 : UNCORK_INT64,
                         .data = uc_dtype_is_float(e->key_dtype) ? (void *)&v : (void *)&whole};
        name = key_of(&one, 0, &room);
        return (int64_t)(intptr_t)uc_table_find(e->table, name) - 1;
    }
    name = key_of(x, i, &room);
    return (int64_t)(intptr_t)uc_table_find(e->table, name) - 1;
}

static uncork_status run_label(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const encoder *e = call->prepared;
    int64_t n = uc_tensor_count(x);
    if (e->values->dtype == UNCORK_STRING) {
        uc_str *items = uc_call_scratch(call, (size_t)n, sizeof *items);
        if (!items) return call->error->status;
        for (int64_t i = 0; i < n; i++) {
            int64_t at = place_of(e, x, i);
            items[i] = at < 0 ? uc_tensor_string(e->otherwise, 0) : uc_tensor_string(e->values, at);
        }
        return uc_call_strings(call, 0, items, x->rank, x->shape);
    }
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    size_t size = uc_dtype_size(y->dtype);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = place_of(e, x, i);
        const char *from = at < 0 ? (const char *)e->otherwise->data
                                  : (const char *)e->values->data + (size_t)at * size;
        memcpy((char *)y->data + (size_t)i * size, from, size);
    }
    return UNCORK_OK;
}

const uc_op uc_op_ml_label_encoder = {.domain = "ai.onnx.ml",
                                      .name = "LabelEncoder",
                                      .in = {1, 1},
                                      .out = {1, 1},
                                      .infer = infer_label,
                                      .prepare = prepare_label,
                                      .run = run_label};

/* ---- CategoryMapper: texts to numbers or back ----------------------------------------------- */

static uncork_status read_cats(uc_call *call, const uc_tensor **texts, const uc_tensor **ints)
{
    static const char *const text_names[] = {"cats_strings", NULL, NULL, NULL};
    static const char *const int_names[] = {NULL, "cats_int64s", NULL, NULL};
    UC_TRY(list_of(call, text_names, texts));
    return list_of(call, int_names, ints);
}

static uncork_status infer_mapper(uc_call *call)
{
    const uc_tensor *texts = NULL, *ints = NULL;
    uncork_dtype dtype = uc_call_dtype(call, 0);
    UC_TRY(read_cats(call, &texts, &ints));
    if (!texts || !ints || uc_tensor_count(texts) != uc_tensor_count(ints)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "cats_strings and cats_int64s don't pair up");
    }
    if (dtype != UNCORK_STRING && dtype != UNCORK_INT64 && dtype != UNCORK_DTYPE_NONE) {
        return uc_call_fail(call, UNCORK_MALFORMED, "x is %s, expected string or int64",
                            uc_dtype_name(dtype));
    }
    uncork_dtype made = dtype == UNCORK_STRING  ? UNCORK_INT64
                        : dtype == UNCORK_INT64 ? UNCORK_STRING
                                                : UNCORK_DTYPE_NONE;
    return uc_call_shape_like(call, 0, 0, made);
}

static uncork_status prepare_mapper(uc_call *call)
{
    const uc_tensor *texts = NULL, *ints = NULL;
    encoder *e = UC_NEW(call->arena, encoder, 1);
    if (!e) return uc_arena_status(call->arena, call->error);
    UC_TRY(read_cats(call, &texts, &ints));
    bool forward = uc_call_dtype(call, 0) == UNCORK_STRING;
    e->values = forward ? ints : texts;
    e->key_dtype = forward ? UNCORK_STRING : UNCORK_INT64;
    UC_TRY(read_default(call, e));
    e->table = index_keys(call, forward ? texts : ints);
    if (!e->table) return uc_arena_status(call->arena, call->error);
    call->prepared = e;
    return UNCORK_OK;
}

const uc_op uc_op_ml_category_mapper = {.domain = "ai.onnx.ml",
                                        .name = "CategoryMapper",
                                        .in = {1, 1},
                                        .out = {1, 1},
                                        .infer = infer_mapper,
                                        .prepare = prepare_mapper,
                                        .run = run_label};

/* ---- OneHotEncoder -------------------------------------------------------------------------- */

static uncork_status infer_one_hot(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *texts = NULL, *ints = NULL;
    int64_t shape[UNCORK_MAX_RANK + 1];
    UC_TRY(read_cats(call, &texts, &ints));
    const uc_tensor *cats = texts ? texts : ints;
    bool is_text = x->dtype == UNCORK_STRING;
    if (!cats || (x->dtype && is_text != (texts != NULL))) {
        return uc_call_fail(call, UNCORK_MALFORMED, "x is %s, there are no categories of it",
                            uc_dtype_name(x->dtype));
    }
    if (!is_text) UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    if (x->rank < 0) return uc_call_shape(call, 0, UNCORK_FLOAT32, -1, NULL);
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    shape[x->rank] = uc_tensor_count(cats);
    return uc_call_shape(call, 0, UNCORK_FLOAT32, x->rank + 1, shape);
}

static uncork_status prepare_one_hot(uc_call *call)
{
    const uc_tensor *texts = NULL, *ints = NULL;
    encoder *e = UC_NEW(call->arena, encoder, 1);
    if (!e) return uc_arena_status(call->arena, call->error);
    UC_TRY(read_cats(call, &texts, &ints));
    e->values = texts ? texts : ints;
    e->key_dtype = e->values->dtype;
    e->table = index_keys(call, e->values);
    if (!e->table) return uc_arena_status(call->arena, call->error);
    call->prepared = e;
    return UNCORK_OK;
}

static uncork_status run_one_hot(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const encoder *e = call->prepared;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    bool zeros = uc_call_int(call, "zeros", 1) != 0;
    int64_t width = uc_tensor_count(e->values);
    memset(y->data, 0, (size_t)uc_tensor_count(y) * sizeof(float));
    for (int64_t i = 0, n = uc_tensor_count(x); i < n; i++) {
        int64_t at = place_of(e, x, i);
        if (at < 0 && !zeros) {
            return uc_call_fail(call, UNCORK_INPUT, "element %" PRId64 " is no known category", i);
        }
        if (at >= 0) ((float *)y->data)[i * width + at] = 1;
    }
    return UNCORK_OK;
}

const uc_op uc_op_ml_one_hot_encoder = {.domain = "ai.onnx.ml",
                                        .name = "OneHotEncoder",
                                        .in = {1, 1},
                                        .out = {1, 1},
                                        .infer = infer_one_hot,
                                        .prepare = prepare_one_hot,
                                        .run = run_one_hot};
