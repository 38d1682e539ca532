/* Maps: DictVectorizer and CastMap make rows of them, ZipMap makes them of rows.
 *
 * Source: ONNX operators of ai.onnx.ml 1; ONNX Runtime, core/providers/cpu/ml/ (dictvectorizer.h,
 * cast_map.cc, zipmap.cc).
 * A map's items are its keys [n] and its values [n]. */
#include "base/table.h"
#include "base/text.h"
#include "op/ml/ml_score.h"

#include <inttypes.h>

/* Input 0's keys and values; fails for what is no map. */
static uncork_status read_map(uc_call *call, const uc_tensor **keys, const uc_tensor **values)
{
    const uc_value *map = call->in[0];
    if (!map || map->kind != UC_MAP || map->item_count != 2 || !map->items[0] || !map->items[1]) {
        return uc_call_fail(call, UNCORK_INPUT, "x is no map");
    }
    *keys = &map->items[0]->tensor;
    *values = &map->items[1]->tensor;
    bool sound = (*keys)->rank == 1 && (*values)->rank == 1 &&
                 (*keys)->shape[0] == (*values)->shape[0] &&
                 ((*keys)->dtype == UNCORK_STRING || (*keys)->dtype == UNCORK_INT64);
    if (sound) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "x is no map of int64 or string keys");
}

static uncork_status expect_map(uc_call *call)
{
    uc_kind kind = uc_call_kind_of(call, 0);
    if (kind == UC_MAP) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "x is a %s, expected a map",
                        kind == UC_TENSOR ? "tensor" : "sequence or optional");
}

/* The dtype of the map's values where infer knows it. */
static uncork_dtype value_dtype(const uc_call *call)
{
    const uc_value *map = call->in[0];
    bool known = map && map->item_count == 2 && map->items && map->items[1];
    return known ? map->items[1]->tensor.dtype : map ? map->tensor.dtype : UNCORK_DTYPE_NONE;
}

/* ---- DictVectorizer ------------------------------------------------------------------------- */

typedef struct vocabulary {
    const uc_attr *texts, *ints;
    int64_t count;
} vocabulary;

static uncork_status read_vocabulary(uc_call *call, vocabulary *v)
{
    const uc_attr *s = uc_call_attr(call, "string_vocabulary");
    const uc_attr *i = uc_call_attr(call, "int64_vocabulary");
    v->texts = s && s->kind == UC_ATTR_STRINGS && s->count ? s : NULL;
    v->ints = !v->texts && i && i->kind == UC_ATTR_INTS && i->count ? i : NULL;
    v->count = (int64_t)(v->texts ? v->texts->count : v->ints ? v->ints->count : 0);
    if (v->count) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "there is no vocabulary");
}

static uncork_status infer_dict(uc_call *call)
{
    vocabulary v;
    UC_TRY(expect_map(call));
    UC_TRY(read_vocabulary(call, &v));
    const int64_t shape[2] = {1, v.count};
    return uc_call_shape(call, 0, value_dtype(call), 2, shape);
}

static uc_str key_text(const uc_tensor *keys, int64_t i)
{
    if (keys->dtype == UNCORK_STRING) return uc_tensor_string(keys, i);
    return (uc_str){(const char *)keys->data + i * (int64_t)sizeof(int64_t), sizeof(int64_t)};
}

/* Where each word of the vocabulary stands in the map + 1, 0: nowhere. */
static uncork_status find_words(uc_call *call, const vocabulary *v, const uc_tensor *keys,
                                int64_t *at)
{
    uc_table *table = uc_table_new(call->arena);
    if (!table) return uc_arena_status(call->arena, call->error);
    for (int64_t i = 0; i < keys->shape[0]; i++) {
        if (!uc_table_put(table, key_text(keys, i), (void *)(intptr_t)(i + 1))) {
            return uc_arena_status(call->arena, call->error);
        }
    }
    for (int64_t w = 0; w < v->count; w++) {
        uc_str word = v->texts ? v->texts->strings[w]
                               : (uc_str){(const char *)&v->ints->ints[w], sizeof(int64_t)};
        at[w] = (int64_t)(intptr_t)uc_table_find(table, word);
    }
    return UNCORK_OK;
}

static uncork_status run_dict(uc_call *call)
{
    const uc_tensor *keys = NULL, *values = NULL;
    vocabulary v;
    uc_tensor *y = NULL;
    UC_TRY(read_map(call, &keys, &values));
    UC_TRY(read_vocabulary(call, &v));
    const int64_t shape[2] = {1, v.count};
    if ((keys->dtype == UNCORK_STRING) != (v.texts != NULL)) {
        return uc_call_fail(call, UNCORK_INPUT, "the map's keys are %s, the vocabulary isn't",
                            uc_dtype_name(keys->dtype));
    }
    int64_t *at = uc_call_scratch(call, (size_t)v.count, sizeof *at);
    if (!at) return call->error->status;
    UC_TRY(find_words(call, &v, keys, at));
    if (values->dtype == UNCORK_STRING) {
        uc_str *items = uc_call_scratch(call, (size_t)v.count, sizeof *items);
        if (!items) return call->error->status;
        for (int64_t w = 0; w < v.count; w++) {
            items[w] = at[w] ? uc_tensor_string(values, at[w] - 1) : uc_str_of("");
        }
        return uc_call_strings(call, 0, items, 2, shape);
    }
    size_t size = uc_dtype_size(values->dtype);
    UC_TRY(uc_call_output(call, 0, values->dtype, 2, shape, &y));
    for (int64_t w = 0; w < v.count; w++) {
        char *to = (char *)y->data + (size_t)w * size;
        if (at[w]) {
            memcpy(to, (const char *)values->data + (size_t)(at[w] - 1) * size, size);
        } else {
            memset(to, 0, size);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_ml_dict_vectorizer = {.domain = "ai.onnx.ml",
                                        .name = "DictVectorizer",
                                        .in = {1, 1},
                                        .out = {1, 1},
                                        .any_kind = true,
                                        .infer = infer_dict,
                                        .run = run_dict};

/* ---- CastMap ------------------------------------------------------------------------------ */

typedef struct cast_map {
    uncork_dtype to;
    bool sparse;
    int64_t width; /* sparse: of the row */
} cast_map;

static uncork_status read_cast(uc_call *call, cast_map *c)
{
    uc_str to = uc_call_str(call, "cast_to", "TO_FLOAT");
    c->to = uc_str_is(to, "TO_STRING")  ? UNCORK_STRING
            : uc_str_is(to, "TO_INT64") ? UNCORK_INT64
                                        : UNCORK_FLOAT32;
    c->sparse = uc_str_is(uc_call_str(call, "map_form", "DENSE"), "SPARSE");
    c->width = uc_call_int(call, "max_map", 1);
    if (c->sparse && c->width <= 0) {
        return uc_call_fail(call, UNCORK_MALFORMED, "max_map is %" PRId64 ", expected 1 or more",
                            c->width);
    }
    return UNCORK_OK;
}

static uncork_status infer_cast(uc_call *call)
{
    cast_map c;
    UC_TRY(expect_map(call));
    UC_TRY(read_cast(call, &c));
    const int64_t shape[2] = {1, c.sparse ? c.width : UC_DIM_UNKNOWN};
    return uc_call_shape(call, 0, c.to, 2, shape);
}

/* Places in the order of the keys, as std::map has them. */
static uncork_status sorted_places(uc_call *call, const uc_tensor *keys, int64_t *place)
{
    const int64_t *k = keys->data;
    int64_t n = keys->shape[0];
    if (keys->dtype != UNCORK_INT64) {
        return uc_call_fail(call, UNCORK_INPUT, "the map's keys are %s, expected int64",
                            uc_dtype_name(keys->dtype));
    }
    for (int64_t i = 0; i < n; i++) {
        place[i] = i;
    }
    for (int64_t gap = n / 2; gap > 0; gap /= 2) { /* Shell's sort */
        for (int64_t i = gap; i < n; i++) {
            int64_t moved = place[i], j = i;
            for (; j >= gap && k[place[j - gap]] > k[moved]; j -= gap) {
                place[j] = place[j - gap];
            }
            place[j] = moved;
        }
    }
    return UNCORK_OK;
}

/* One value as a text: six decimals, as std::to_string writes a float. */
static uc_str text_of(uc_call *call, const uc_tensor *values, int64_t i)
{
    if (values->dtype == UNCORK_STRING) return uc_tensor_string(values, i);
    const char *text =
        uc_dtype_is_float(values->dtype)
            ? uc_arena_printf(call->arena, "%f", uc_dtype_load_f64(values->data, i, values->dtype))
            : uc_arena_printf(call->arena, "%" PRId64,
                              uc_dtype_load_i64(values->data, i, values->dtype));
    return uc_str_of(text ? text : "");
}

static uncork_status number_of(uc_call *call, const uc_tensor *values, int64_t i, double *v)
{
    *v = 0;
    if (values->dtype != UNCORK_STRING) {
        *v = uc_dtype_load_f64(values->data, i, values->dtype);
        return UNCORK_OK;
    }
    uc_str text = uc_tensor_string(values, i);
    if (uc_text_f64(uc_text_trim(text), v)) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "'%.*s' is no number",
                        (int)(text.size < 60 ? text.size : 60), text.data);
}

static uncork_status run_cast(uc_call *call)
{
    const uc_tensor *keys = NULL, *values = NULL;
    cast_map c;
    UC_TRY(read_map(call, &keys, &values));
    UC_TRY(read_cast(call, &c));
    int64_t n = keys->shape[0], shape[2] = {1, c.sparse ? c.width : n};
    int64_t *place = uc_call_scratch(call, (size_t)n, sizeof *place);
    uc_str *items = uc_call_scratch(call, (size_t)shape[1], sizeof *items);
    double *numbers = uc_call_scratch(call, (size_t)shape[1], sizeof *numbers);
    if (!place || !items || !numbers) return call->error->status;
    UC_TRY(sorted_places(call, keys, place));
    memset(items, 0, (size_t)shape[1] * sizeof *items);
    memset(numbers, 0, (size_t)shape[1] * sizeof *numbers);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = c.sparse ? ((const int64_t *)keys->data)[place[i]] : i;
        if (at < 0) {
            return uc_call_fail(call, UNCORK_INPUT, "key %" PRId64 " of a sparse map", at);
        }
        if (at >= shape[1]) continue;
        if (c.to == UNCORK_STRING) {
            items[at] = text_of(call, values, place[i]);
        } else {
            UC_TRY(number_of(call, values, place[i], &numbers[at]));
        }
    }
    if (c.to == UNCORK_STRING) return uc_call_strings(call, 0, items, 2, shape);
    uc_tensor *y = NULL;
    UC_TRY(uc_call_output(call, 0, c.to, 2, shape, &y));
    uc_dtype_convert(y->data, c.to, numbers, UNCORK_FLOAT64, shape[1]);
    return UNCORK_OK;
}

const uc_op uc_op_ml_cast_map = {.domain = "ai.onnx.ml",
                                 .name = "CastMap",
                                 .in = {1, 1},
                                 .out = {1, 1},
                                 .any_kind = true,
                                 .infer = infer_cast,
                                 .run = run_cast};

/* ---- ZipMap: a sequence of maps, one a row --------------------------------------------------- */

static uncork_status infer_zip(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    uc_labels labels = uc_labels_of(call, "classlabels_int64s");
    if (!x) return uc_call_fail(call, UNCORK_INPUT, "x is no tensor");
    if (x->dtype != UNCORK_FLOAT32 && x->dtype != UNCORK_DTYPE_NONE) {
        return uc_call_fail(call, UNCORK_MALFORMED, "x is %s, expected float32",
                            uc_dtype_name(x->dtype));
    }
    int64_t rows, columns;
    UC_TRY(uc_ml_rows(call, &rows, &columns));
    if (labels.count == 0 || (columns >= 0 && columns != labels.count)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " labels for %" PRId64 " columns",
                            labels.count, columns);
    }
    return uc_call_kind(call, 0, UC_SEQUENCE, UC_MAP, UNCORK_FLOAT32, 1, &labels.count);
}

static uncork_status run_zip(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_labels labels = uc_labels_of(call, "classlabels_int64s");
    int64_t rows, columns;
    UC_TRY(uc_ml_rows(call, &rows, &columns));
    if (call->out_count == 0 || !call->out[0]) return UNCORK_OK;
    uc_value keys = {.kind = UC_TENSOR}, values = {.kind = UC_TENSOR};
    uc_value *pair[2] = {&keys, &values}, **items = NULL;
    uc_value map = {.kind = UC_MAP, .items = pair, .item_count = 2};
    const uc_tensor *names =
        labels.texts ? uc_tensor_strings(call->arena, labels.texts->strings, 1, &labels.count)
                     : uc_tensor_i64(call->arena, labels.ints->ints, labels.count);
    if (!names) return uc_arena_status(call->arena, call->error);
    keys.tensor = *names;
    uc_tensor_set(&values.tensor, UNCORK_FLOAT32, 1, &columns);
    map.tensor = values.tensor;
    UC_TRY(uc_call_items(call, 0, UC_SEQUENCE, (size_t)rows, &items));
    for (int64_t r = 0; r < rows; r++) {
        values.tensor.data = (float *)x->data + r * columns;
        UC_TRY(uc_call_item_copy(call, 0, &map, &items[r]));
    }
    return UNCORK_OK;
}

const uc_op uc_op_ml_zip_map = {.domain = "ai.onnx.ml",
                                .name = "ZipMap",
                                .in = {1, 1},
                                .out = {1, 1},
                                .any_kind = true,
                                .infer = infer_zip,
                                .run = run_zip};
