/* CategoryIndex: where each cell's category stands in a table with one slot a category.
 *
 * Source: scikit-learn, utils/_encode.py (_encode, _check_unknown) and preprocessing/_encoders.py.
 * x           f64, i64 or string [rows, columns], or [rows] for one column
 * categories  the type of x [total], constant: those of column 0, then those of column 1 ...
 * starts      i64 [columns + 1], constant: where each column's categories begin in it
 * limits      i64 [columns], constant, optional, x i64: whole numbers from 0 to below the limit are
 *             taken even when they are no category; negative ones never are
 * y           i64, shape of x: offset + starts[c] + c + 1 + place of the category; a cell that is no
 *             category gets offset + starts[c] + c, the slot before the column's first
 * unknown     "error" (the default): such a cell is an INPUT error; "slot": it isn't
 * offset      slots in front of column 0; column: number of column 0 (both for parts of a table)
 * names       of the columns, for messages; optional
 * Numerics: numbers by value, NaN equals NaN, the first of equal ones; texts by their bytes, the last
 * of equal ones. */
#include "base/table.h"
#include "base/text.h"
#include "op/op.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct number {
    union {
        double f;
        int64_t i;
    } key;
    int64_t place;
} number;

typedef struct column {
    uc_table *texts; /* item: place + 1 */
    number *numbers; /* sorted, NaN left out */
    int64_t count;   /* of numbers */
    int64_t nan;     /* place of NaN, -1: none */
} column;

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *categories = uc_call_in(call, 1);
    const uc_tensor *starts = uc_call_in(call, 2), *limits = uc_call_in(call, 3);
    bool typed =
        x->dtype == UNCORK_FLOAT64 || x->dtype == UNCORK_INT64 || x->dtype == UNCORK_STRING;
    if (!typed || (x->rank != 1 && x->rank != 2) || categories->dtype != x->dtype ||
        categories->rank != 1 || starts->dtype != UNCORK_INT64 || starts->rank != 1 ||
        starts->shape[0] < 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    if (limits && (limits->dtype != UNCORK_INT64 || limits->rank != 1 || x->dtype != UNCORK_INT64 ||
                   limits->shape[0] != starts->shape[0] - 1)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "limits don't fit the columns");
    }
    return uc_call_shape(call, 0, UNCORK_INT64, x->rank, x->shape);
}

static int by_float(const void *a, const void *b)
{
    const number *p = a, *q = b;
    if (p->key.f < q->key.f) return -1;
    if (p->key.f > q->key.f) return 1;
    return p->place < q->place ? -1 : 1;
}

static int by_integer(const void *a, const void *b)
{
    const number *p = a, *q = b;
    if (p->key.i != q->key.i) return p->key.i < q->key.i ? -1 : 1;
    return p->place < q->place ? -1 : 1;
}

static bool index_texts(uc_call *call, column *c, const uc_tensor *categories, int64_t begin,
                        int64_t end)
{
    c->texts = uc_table_new(call->arena);
    for (int64_t i = begin; c->texts && i < end; i++) {
        void *item = (void *)(intptr_t)(i - begin + 1);
        if (!uc_table_put(c->texts, uc_tensor_string(categories, i), item)) return false;
    }
    return c->texts != NULL;
}

static bool index_numbers(uc_call *call, column *c, const uc_tensor *categories, int64_t begin,
                          int64_t end)
{
    bool f64 = categories->dtype == UNCORK_FLOAT64;
    c->numbers = UC_NEW(call->arena, number, (size_t)(end - begin));
    if (!c->numbers) return false;
    for (int64_t i = begin; i < end; i++) {
        number n = {.place = i - begin};
        if (f64) {
            n.key.f = uc_tensor_doubles(categories)[i];
            if (isnan(n.key.f)) {
                if (c->nan < 0) c->nan = n.place;
                continue;
            }
        } else {
            n.key.i = ((const int64_t *)categories->data)[i];
        }
        c->numbers[c->count++] = n;
    }
    if (c->count > 1) {
        qsort(c->numbers, (size_t)c->count, sizeof *c->numbers, f64 ? by_float : by_integer);
    }
    return true;
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *categories = uc_call_in(call, 1), *starts = uc_call_in(call, 2);
    const uc_tensor *limits = uc_call_in(call, 3);
    bool is_text = categories->dtype == UNCORK_STRING;
    bool known = starts->data && (is_text ? categories->strings.offsets != NULL
                                          : categories->data || categories->shape[0] == 0);
    if (!known || (limits && !limits->data)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "the categories aren't constant");
    }
    const int64_t *s = starts->data;
    int64_t count = starts->shape[0] - 1;
    column *columns = UC_NEW(call->arena, column, (size_t)count);
    if (!columns) return uc_arena_status(call->arena, call->error);
    for (int64_t j = 0; j < count; j++) {
        if (s[j] < 0 || s[j + 1] < s[j] || s[j + 1] > categories->shape[0]) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "column %" PRId64 " has categories %" PRId64 " to %" PRId64
                                " of %" PRId64,
                                j, s[j], s[j + 1], categories->shape[0]);
        }
        columns[j].nan = -1;
        bool made = is_text ? index_texts(call, &columns[j], categories, s[j], s[j + 1])
                            : index_numbers(call, &columns[j], categories, s[j], s[j + 1]);
        if (!made) return uc_arena_status(call->arena, call->error);
    }
    call->prepared = columns;
    return UNCORK_OK;
}

static int64_t find_float(const column *c, double v)
{
    if (isnan(v)) return c->nan;
    int64_t low = 0, high = c->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (c->numbers[middle].key.f < v) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < c->count && !(c->numbers[low].key.f > v);
    return found ? c->numbers[low].place : -1;
}

static int64_t find_integer(const column *c, int64_t v)
{
    int64_t low = 0, high = c->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (c->numbers[middle].key.i < v) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < c->count && c->numbers[low].key.i == v ? c->numbers[low].place : -1;
}

/* Place of cell i among the categories of its column, -1: none. */
static int64_t find(const uc_tensor *x, const column *c, int64_t i)
{
    if (x->dtype == UNCORK_STRING) {
        return (int64_t)(intptr_t)uc_table_find(c->texts, uc_tensor_string(x, i)) - 1;
    }
    if (x->dtype == UNCORK_INT64) return find_integer(c, ((const int64_t *)x->data)[i]);
    return find_float(c, uc_tensor_doubles(x)[i]);
}

static uncork_status unknown(uc_call *call, const uc_tensor *x, int64_t row, int64_t j, int64_t i)
{
    const uc_attr *names = uc_call_attr(call, "names");
    char where[80], what[32];
    uc_str text = {what, 0};
    if (names && names->kind == UC_ATTR_STRINGS && (size_t)j < names->count) {
        uc_str name = names->strings[j];
        snprintf(where, sizeof where, "column '%.*s'", (int)(name.size < 60 ? name.size : 60),
                 name.data);
    } else {
        snprintf(where, sizeof where, "column %" PRId64, uc_call_int(call, "column", 0) + j);
    }
    if (x->dtype == UNCORK_STRING) {
        text = uc_tensor_string(x, i);
    } else if (x->dtype == UNCORK_INT64) {
        text.size = (size_t)snprintf(what, sizeof what, "%" PRId64, ((const int64_t *)x->data)[i]);
    } else {
        text.size = uc_f64_text(uc_tensor_doubles(x)[i], what);
    }
    return uc_call_fail(call, UNCORK_INPUT,
                        "row %" PRId64 ", %s: '%.*s' is no category the model knows", row, where,
                        (int)(text.size < 60 ? text.size : 60), text.data);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *starts = uc_call_in(call, 2);
    const uc_tensor *limits = uc_call_in(call, 3);
    const column *columns = call->prepared;
    const int64_t *s = starts->data, *limit = limits ? limits->data : NULL;
    int64_t width = starts->shape[0] - 1, offset = uc_call_int(call, "offset", 0);
    if ((x->rank == 1 ? 1 : x->shape[1]) != width) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64,
                            x->rank == 1 ? 1 : x->shape[1], width);
    }
    bool strict = uc_str_is(uc_call_str(call, "unknown", "error"), "error");
    uc_tensor *out = uc_call_out(call, 0);
    if (!out) return call->error->status;
    int64_t *y = out->data;
    for (int64_t r = 0, i = 0; r < x->shape[0]; r++) {
        for (int64_t j = 0; j < width; j++, i++) {
            int64_t place = find(x, &columns[j], i);
            if (place < 0 && (strict || limit)) {
                int64_t v = limit ? ((const int64_t *)x->data)[i] : -1;
                if (v < 0 || (strict && v >= limit[j])) return unknown(call, x, r, j, i);
            }
            y[i] = offset + s[j] + j + 1 + place;
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_category_index = {
    .domain = "uncork",
    .name = "CategoryIndex",
    .in = {3, 4},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
