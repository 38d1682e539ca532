/* Elements told apart: Unique*, ListDiff, Lookup.
 *
 * Source: tensorflow/core/kernels/{unique,listdiff,lookup_table}_op.cc: in the order of first appearance. */
#include "base/table.h"
#include "op/ext/tf_call.h"
#include "op/move.h"

#include <inttypes.h>

/* The bytes of rows [i, i + each) of a tensor, for look-up: strings one by one. */
static uc_str key_of(const uc_tensor *t, int64_t i, int64_t each)
{
    if (t->dtype == UNCORK_STRING) return uc_tensor_string(t, i);
    const size_t size = uc_dtype_size(t->dtype);
    return (uc_str){(const char *)t->data + (size_t)(i * each) * size, (size_t)each * size};
}

/* Every float has one pattern of bits but zero. */
static uncork_status plain_zeros(uc_call *call, const uc_tensor *x, uc_tensor *copy)
{
    const int64_t n = uc_tensor_count(x);
    const size_t size = uc_dtype_size(x->dtype);
    *copy = *x;
    if (!uc_dtype_is_float(x->dtype)) return UNCORK_OK;
    copy->data = uc_call_scratch(call, (size_t)n + 1, size);
    if (!copy->data) return uc_fail_memory(call->error);
    if (n) memcpy(copy->data, x->data, (size_t)n * size);
    for (int64_t i = 0; i < n; i++) {
        if (uc_tf_at(x, i) == 0) memset((char *)copy->data + (size_t)i * size, 0, size);
    }
    return UNCORK_OK;
}

/* ---- Unique ---------------------------------------------------------------------------------- */

static uncork_status infer_unique(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const uncork_dtype index = uc_tf_type_of(call, "out_idx", UNCORK_INT32);
    UC_TRY(uc_tf_infer_open(call, 0, x->dtype, x->rank));
    for (size_t i = 1; i < call->out_count; i++) {
        UC_TRY(uc_tf_infer_open(call, i, index, 1));
    }
    return UNCORK_OK;
}

/* x with `axis` in front: rows to be told apart. */
typedef struct front {
    int64_t outer, n, inner;
} front;

static void move_front(const void *context, void *to, const void *const *from, size_t size)
{
    const front *f = context;
    for (int64_t k = 0; k < f->n; k++) {
        for (int64_t o = 0; o < f->outer; o++) {
            memcpy((char *)to + (size_t)((k * f->outer + o) * f->inner) * size,
                   (const char *)from[0] + (size_t)((o * f->n + k) * f->inner) * size,
                   (size_t)f->inner * size);
        }
    }
}

typedef struct kept {
    front f;
    const int64_t *at;
    int64_t count;
} kept;

static void move_kept(const void *context, void *to, const void *const *from, size_t size)
{
    const kept *k = context;
    const size_t row = (size_t)k->f.inner * size;
    for (int64_t o = 0; o < k->f.outer; o++) {
        for (int64_t i = 0; i < k->count; i++) {
            memcpy((char *)to + (size_t)(o * k->count + i) * row,
                   (const char *)from[0] + (size_t)(o * k->f.n + k->at[i]) * row, row);
        }
    }
}

static uncork_status give_counts(uc_call *call, const int64_t *place, int64_t n, int64_t unique)
{
    uc_tf_numbers at = {.call = call}, counts = {.call = call};
    const uncork_dtype index = uc_tf_type_of(call, "out_idx", UNCORK_INT32);
    for (int64_t i = 0; i < unique; i++) {
        uc_tf_numbers_add(&counts, 0);
    }
    for (int64_t i = 0; i < n; i++) {
        uc_tf_numbers_add(&at, place[i]);
        if (!counts.failed) counts.items[place[i]]++;
    }
    const int64_t wide[] = {n}, narrow[] = {unique};
    UC_TRY(uc_tf_numbers_give(&at, 1, index, 1, wide));
    return uc_tf_numbers_give(&counts, 2, index, 1, narrow);
}

static uncork_status run_unique(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t axis = 0, shape[UNCORK_MAX_RANK];
    int own = 0;
    uc_tensor plain, moved, *y = NULL;
    const uc_tensor *axes = uc_call_in(call, 1);
    if (axes && uc_tensor_count(axes) == 1) UC_TRY(uc_tf_one_int(call, 1, &axis));
    UC_TRY(uc_axis(call, axis, x->rank, &own));
    if (x->dtype == UNCORK_STRING && x->rank != 1)
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "of rows of strings");
    kept k = {.f = {uc_tf_product(x->shape, 0, own), x->shape[own],
                    uc_tf_product(x->shape, own + 1, x->rank)}};
    const int64_t n = k.f.n, each = k.f.outer * k.f.inner;
    UC_TRY(plain_zeros(call, x, &plain));
    moved = plain;
    if (x->dtype != UNCORK_STRING && k.f.outer != 1) {
        moved.data = uc_call_scratch(call, (size_t)uc_tensor_count(x) + 1, uc_dtype_size(x->dtype));
        if (!moved.data) return uc_fail_memory(call->error);
        const void *from[] = {plain.data};
        move_front(&k.f, moved.data, from, uc_dtype_size(x->dtype));
    }
    int64_t *place = uc_call_scratch(call, 2 * (size_t)n + 1, sizeof *place), *first = place + n;
    uc_table *seen = uc_table_new(call->arena);
    if (!place || !seen) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < n; i++) {
        const uc_str key = key_of(&moved, i, each);
        int64_t *old = uc_table_find(seen, key);
        if (!old) {
            first[k.count] = i;
            old = &first[k.count++];
            if (!uc_table_put(seen, key, old)) return uc_arena_status(call->arena, call->error);
        }
        place[i] = old - first;
    }
    k.at = first;
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    shape[own] = k.count;
    if (uc_call_wants(call, 0)) {
        UC_TRY(uc_call_output(call, 0, x->dtype, x->rank, shape, &y));
        UC_TRY(uc_move(call, 0, &x, 1, move_kept, &k));
    }
    return give_counts(call, place, n, k.count);
}
UC_TF_ROW(tf_unique, "TfUnique", 1, 1, 2, infer_unique, run_unique)
UC_TF_ROW(tf_unique_v2, "TfUniqueV2", 2, 2, 2, infer_unique, run_unique)
UC_TF_ROW(tf_unique_with_counts, "TfUniqueWithCounts", 1, 1, 3, infer_unique, run_unique)
UC_TF_ROW(tf_unique_with_counts_v2, "TfUniqueWithCountsV2", 2, 2, 3, infer_unique, run_unique)

/* ---- ListDiff: what of x isn't in y ------------------------------------------------------------ */

static uncork_status run_list_diff(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *y = uc_call_arg(call, 1);
    uc_tensor a, b, *out = NULL;
    UC_TRY(plain_zeros(call, x, &a));
    UC_TRY(plain_zeros(call, y, &b));
    uc_table *seen = uc_table_new(call->arena);
    if (!seen || x->rank != 1 || y->rank != 1 || x->dtype != y->dtype)
        return uc_call_fail(call, UNCORK_INPUT, "its inputs aren't two lists of one type");
    for (int64_t i = 0; i < y->shape[0]; i++) {
        if (!uc_table_put(seen, key_of(&b, i, 1), &b))
            return uc_arena_status(call->arena, call->error);
    }
    uc_tf_numbers at = {.call = call};
    for (int64_t i = 0; i < x->shape[0]; i++) {
        if (!uc_table_find(seen, key_of(&a, i, 1))) uc_tf_numbers_add(&at, i);
    }
    kept k = {.f = {1, x->shape[0], 1}, .at = at.items, .count = (int64_t)at.count};
    const int64_t shape[] = {k.count};
    if (uc_call_wants(call, 0)) {
        UC_TRY(uc_call_output(call, 0, x->dtype, 1, shape, &out));
        UC_TRY(uc_move(call, 0, &x, 1, move_kept, &k));
    }
    return uc_tf_numbers_give(&at, 1, uc_tf_type_of(call, "out_idx", UNCORK_INT32), 1, shape);
}
UC_TF_ROW(tf_list_diff, "TfListDiff", 2, 2, 2, infer_unique, run_list_diff)

/* ---- Lookup: keys, default, the table's keys, its values ---------------------------------------- */

static uncork_status infer_lookup(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *values = uc_call_arg(call, 3);
    if (uc_call_dtype(call, 0) && uc_call_dtype(call, 2) &&
        uc_call_dtype(call, 0) != uc_call_dtype(call, 2))
        return uc_call_fail(call, UNCORK_INPUT, "its keys are %s, the table's %s",
                            uc_dtype_name(x->dtype), uc_dtype_name(uc_call_dtype(call, 2)));
    if (x->rank < 0 || values->rank < 1 || x->rank + values->rank - 1 > UNCORK_MAX_RANK)
        return uc_tf_infer_open(call, 0, values->dtype, -1);
    int64_t shape[UNCORK_MAX_RANK];
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    memcpy(shape + x->rank, values->shape + 1, (size_t)(values->rank - 1) * sizeof *shape);
    return uc_call_shape(call, 0, values->dtype, x->rank + values->rank - 1, shape);
}

/* Constant keys are entered once a model. */
static uncork_status enter(uc_call *call, const uc_tensor *keys, uc_arena *arena, uc_table **table)
{
    const int64_t n = uc_tensor_count(keys);
    *table = uc_table_new(arena);
    int64_t *place = UC_NEW(arena, int64_t, (size_t)n + 1);
    if (!*table || !place) return uc_arena_status(arena, call->error);
    for (int64_t i = 0; i < n; i++) {
        place[i] = i;
        if (!uc_table_put(*table, key_of(keys, i, 1), &place[i]))
            return uc_arena_status(arena, call->error);
    }
    return UNCORK_OK;
}

static uncork_status prepare_lookup(uc_call *call)
{
    const uc_tensor *keys = uc_call_in(call, 2);
    uc_table *table = NULL;
    if (!keys || (!keys->data && !keys->strings.offsets)) return UNCORK_OK;
    UC_TRY(enter(call, keys, call->arena, &table));
    call->prepared = table;
    return UNCORK_OK;
}

typedef struct found {
    const int64_t *at; /* -1: the default */
    int64_t count, each, defaults;
} found;

static void move_found(const void *context, void *to, const void *const *from, size_t size)
{
    const found *f = context;
    const size_t row = (size_t)f->each * size;
    for (int64_t i = 0; i < f->count; i++) {
        const char *source =
            f->at[i] >= 0 ? (const char *)from[0] + (size_t)f->at[i] * row : from[1];
        for (int64_t k = 0; k < f->each; k++) {
            memcpy((char *)to + (size_t)i * row + (size_t)k * size,
                   source + (size_t)(f->at[i] < 0 && f->defaults == 1 ? 0 : k) * size, size);
        }
    }
}

static uncork_status run_lookup(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *in[] = {uc_call_arg(call, 3), uc_call_arg(call, 1)};
    const uc_tensor *keys = uc_call_arg(call, 2);
    uc_table *own = NULL;
    const uc_table *table = call->prepared;
    if (!table) {
        UC_TRY(enter(call, keys, call->arena, &own));
        table = own;
    }
    int64_t shape[UNCORK_MAX_RANK];
    uc_tensor *y = NULL;
    const int rank = x->rank + in[0]->rank - 1;
    found f = {.count = uc_tensor_count(x),
               .each = uc_tf_product(in[0]->shape, 1, in[0]->rank),
               .defaults = uc_tensor_count(in[1])};
    if (in[0]->shape[0] != uc_tensor_count(keys) || (f.defaults != 1 && f.defaults != f.each) ||
        in[1]->dtype != in[0]->dtype || rank > UNCORK_MAX_RANK)
        return uc_call_fail(call, UNCORK_INPUT, "its default doesn't fit the table");
    int64_t *at = uc_call_scratch(call, (size_t)f.count + 1, sizeof *at);
    if (!at) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < f.count; i++) {
        const int64_t *place = uc_table_find(table, key_of(x, i, 1));
        at[i] = place ? *place : -1;
    }
    f.at = at;
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    memcpy(shape + x->rank, in[0]->shape + 1, (size_t)(in[0]->rank - 1) * sizeof *shape);
    UC_TRY(uc_call_output(call, 0, in[0]->dtype, rank, shape, &y));
    return uc_move(call, 0, in, 2, move_found, &f);
}

const uc_op uc_op_tf_lookup = {.domain = "uncork",
                               .name = "TfLookup",
                               .in = {4, 4},
                               .out = {1, 1},
                               .infer = infer_lookup,
                               .prepare = prepare_lookup,
                               .run = run_lookup};
