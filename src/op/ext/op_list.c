/* uncork.List*: lists of tensors as TensorFlow's loops write them: sequences of which an item may not be
 * written yet. Such an item reads as zeros. A list never changes: an operator gives a new one that shares
 * the items it keeps.
 *
 * ListReserve  n -> list of n items not written (attributes dtype; shape: of an item, -1 free; unranked)
 * ListSet      list, at, item -> list (grow=1: longer when `at` is beyond the end)
 * ListGet      list, at, shape? -> item; shape: of an item that isn't written, -1 free
 * ListStack    list, shape? -> [n, item...]
 * ListResize   list, n -> list
 * ListLengths  list -> [n]: of each item its first dimension
 * ListPick     list, at [m] -> the items there
 * ListPlace    list, at [m], items -> list with those items (grow as ListSet)
 *
 * Facts: TensorFlow 2.21, core/kernels/list_kernels.{h,cc}: uninitialised elements are zeros. */
#include "op/shape.h"

#include <inttypes.h>

#define MOST_ITEMS ((int64_t)1 << 26)

static uncork_status expect_list(uc_call *call, size_t i)
{
    const uc_value *x = i < call->in_count ? call->in[i] : NULL;
    if (x && x->kind == UC_SEQUENCE && (x->item_kind == UC_TENSOR || x->item_kind == UC_NOTHING)) {
        return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, it takes a list of tensors", i,
                        uc_kind_name(uc_call_kind_of(call, i)));
}

static uncork_status expect_tensor(uc_call *call, size_t i)
{
    if (uc_call_kind_of(call, i) == UC_TENSOR) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, it takes a tensor", i,
                        uc_kind_name(uc_call_kind_of(call, i)));
}

static uncork_status expect_index(uc_call *call, size_t i)
{
    UC_TRY(expect_tensor(call, i));
    return uc_call_expect(call, i, UC_TYPES_INDEX);
}

static uncork_status one_number(uc_call *call, size_t i, int64_t *v)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t || uc_tensor_count(t) != 1) {
        return uc_call_fail(call, UNCORK_INPUT, "input %zu isn't one number", i);
    }
    *v = uc_dtype_load_i64(t->data, 0, t->dtype);
    return UNCORK_OK;
}

/* An item that isn't written is a tensor that no list has: of most dimensions, all 0. */
static bool is_written(const uc_value *item)
{
    const uc_tensor *t = &item->tensor;
    for (int d = 0; d < t->rank; d++) {
        if (t->shape[d]) return true;
    }
    return t->rank != UNCORK_MAX_RANK;
}

/* Items from `begin` on: not written. */
static uncork_status clear(uc_call *call, uncork_dtype dtype, uc_value **items, size_t begin,
                           size_t end)
{
    static const uint64_t offsets[1] = {0};
    const int64_t shape[UNCORK_MAX_RANK] = {0};
    if (begin >= end) return UNCORK_OK;
    uc_value blank = {.kind = UC_TENSOR};
    uc_tensor_set(&blank.tensor, dtype, UNCORK_MAX_RANK, shape);
    blank.tensor.strings = (uc_strings){.offsets = offsets, .bytes = ""};
    UC_TRY(uc_call_item_copy(call, 0, &blank, &items[begin]));
    for (size_t i = begin + 1; i < end; i++) {
        items[i] = items[begin];
    }
    return UNCORK_OK;
}

static uncork_dtype dtype_of(const uc_call *call)
{
    const uc_value *x = call->in[0];
    if (x->item_count) return x->items[0]->tensor.dtype;
    return x->tensor.dtype ? x->tensor.dtype : call->out[0]->tensor.dtype;
}

/* Output 0 begins as the list of input 0 with `count` items. */
static uncork_status begin_list(uc_call *call, int64_t count, uc_value ***items)
{
    const uc_value *x = call->in[0];
    if (count < 0 || count > MOST_ITEMS) {
        return uc_call_fail(call, UNCORK_INPUT, "a list of %" PRId64 " items", count);
    }
    UC_TRY(uc_call_items(call, 0, UC_SEQUENCE, (size_t)count, items));
    const size_t kept = x->item_count < (size_t)count ? x->item_count : (size_t)count;
    if (kept) memcpy(*items, x->items, kept * sizeof **items);
    return clear(call, dtype_of(call), *items, kept, (size_t)count);
}

/* ---- ListReserve -------------------------------------------------------------------------- */

static uncork_status infer_reserve(uc_call *call)
{
    size_t rank = 0;
    const int64_t *shape = uc_call_ints(call, "shape", &rank);
    const int64_t dtype = uc_call_int(call, "dtype", 0);
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_INDEX));
    if (dtype <= 0 || dtype > UNCORK_INT2 || rank > UNCORK_MAX_RANK) {
        return uc_call_fail(call, UNCORK_MALFORMED, "a list of no known type");
    }
    for (size_t d = 0; d < rank; d++) {
        if (shape[d] >= -1) continue;
        return uc_call_fail(call, UNCORK_MALFORMED, "items with a dimension of %" PRId64, shape[d]);
    }
    const bool unranked = uc_call_int(call, "unranked", 0) != 0;
    return uc_call_kind(call, 0, UC_SEQUENCE, UC_TENSOR, (uncork_dtype)dtype,
                        unranked ? -1 : (int)rank, unranked ? NULL : shape);
}

static uncork_status run_reserve(uc_call *call)
{
    int64_t n = 0;
    uc_value **items;
    UC_TRY(one_number(call, 0, &n));
    if (n < 0 || n > MOST_ITEMS) {
        return uc_call_fail(call, UNCORK_INPUT, "a list of %" PRId64 " items", n);
    }
    UC_TRY(uc_call_items(call, 0, UC_SEQUENCE, (size_t)n, &items));
    const int64_t dtype = uc_call_int(call, "dtype", 0);
    return clear(call, (uncork_dtype)dtype, items, 0, (size_t)n);
}

const uc_op uc_op_list_reserve = {.domain = "uncork",
                                  .name = "ListReserve",
                                  .in = {1, 1},
                                  .out = {1, 1},
                                  .any_kind = true,
                                  .infer = infer_reserve,
                                  .run = run_reserve};

/* ---- ListSet, ListPlace ------------------------------------------------------------------- */

/* The type of items that were of one type and may now be of another. */
static uncork_status declare_joined(uc_call *call, const uc_tensor *item)
{
    uc_tensor common = call->in[0]->tensor;
    if (!common.dtype) common.dtype = item->dtype;
    if (item->dtype && common.dtype != item->dtype) {
        return uc_call_fail(call, UNCORK_INPUT, "an item of %s for a list of %s",
                            uc_dtype_name(item->dtype), uc_dtype_name(common.dtype));
    }
    if (common.rank != item->rank) common.rank = -1;
    for (int d = 0; d < common.rank; d++) {
        if (common.shape[d] != item->shape[d]) common.shape[d] = UC_DIM_UNKNOWN;
    }
    return uc_call_kind(call, 0, UC_SEQUENCE, UC_TENSOR, common.dtype, common.rank, common.shape);
}

static uncork_status infer_set(uc_call *call)
{
    UC_TRY(expect_list(call, 0));
    UC_TRY(expect_index(call, 1));
    UC_TRY(expect_tensor(call, 2));
    return declare_joined(call, uc_call_in(call, 2));
}

static uncork_status infer_place(uc_call *call)
{
    UC_TRY(expect_list(call, 0));
    UC_TRY(expect_index(call, 1));
    UC_TRY(expect_list(call, 2));
    return declare_joined(call, &call->in[2]->tensor);
}

/* Whether `at` may be written; the list grows when it may. */
static uncork_status room_for(uc_call *call, int64_t at, int64_t *count)
{
    const bool grow = uc_call_int(call, "grow", 0) != 0;
    if (at >= 0 && (at < *count || (grow && at < MOST_ITEMS))) {
        if (at >= *count) *count = at + 1;
        return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_INPUT, "item %" PRId64 " of a list of %" PRId64, at, *count);
}

static uncork_status run_set(uc_call *call)
{
    int64_t at = 0, count = (int64_t)call->in[0]->item_count;
    uc_value **items;
    UC_TRY(one_number(call, 1, &at));
    UC_TRY(room_for(call, at, &count));
    UC_TRY(begin_list(call, count, &items));
    return uc_call_item_copy(call, 0, call->in[2], &items[at]);
}

const uc_op uc_op_list_set = {.domain = "uncork",
                              .name = "ListSet",
                              .in = {3, 3},
                              .out = {1, 1},
                              .any_kind = true,
                              .infer = infer_set,
                              .run = run_set};

static uncork_status run_place(uc_call *call)
{
    const uc_tensor *at = uc_call_in(call, 1);
    const uc_value *from = call->in[2];
    int64_t count = (int64_t)call->in[0]->item_count;
    const int64_t n = at ? uc_tensor_count(at) : 0;
    uc_value **items;
    if (!at || (uint64_t)n != from->item_count) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " places for %zu items", n,
                            from->item_count);
    }
    for (int64_t i = 0; i < n; i++) {
        UC_TRY(room_for(call, uc_dtype_load_i64(at->data, i, at->dtype), &count));
    }
    UC_TRY(begin_list(call, count, &items));
    for (int64_t i = 0; i < n; i++) {
        items[uc_dtype_load_i64(at->data, i, at->dtype)] = from->items[i];
    }
    return UNCORK_OK;
}

const uc_op uc_op_list_place = {.domain = "uncork",
                                .name = "ListPlace",
                                .in = {3, 3},
                                .out = {1, 1},
                                .any_kind = true,
                                .infer = infer_place,
                                .run = run_place};

/* ---- ListResize, ListPick ----------------------------------------------------------------- */

static uncork_status infer_same(uc_call *call)
{
    UC_TRY(expect_list(call, 0));
    UC_TRY(expect_index(call, 1));
    return uc_call_like(call, 0, 0);
}

static uncork_status run_resize(uc_call *call)
{
    int64_t n = 0;
    uc_value **items;
    UC_TRY(one_number(call, 1, &n));
    return begin_list(call, n, &items);
}

const uc_op uc_op_list_resize = {.domain = "uncork",
                                 .name = "ListResize",
                                 .in = {2, 2},
                                 .out = {1, 1},
                                 .any_kind = true,
                                 .infer = infer_same,
                                 .run = run_resize};

static uncork_status run_pick(uc_call *call)
{
    const uc_value *x = call->in[0];
    const uc_tensor *at = uc_call_in(call, 1);
    const int64_t n = at ? uc_tensor_count(at) : 0;
    uc_value **items;
    UC_TRY(uc_call_items(call, 0, UC_SEQUENCE, (size_t)n, &items));
    for (int64_t i = 0; i < n; i++) {
        const int64_t k = uc_dtype_load_i64(at->data, i, at->dtype);
        if (k < 0 || (uint64_t)k >= x->item_count) {
            return uc_call_fail(call, UNCORK_INPUT, "item %" PRId64 " of a list of %zu", k,
                                x->item_count);
        }
        items[i] = x->items[k];
    }
    return UNCORK_OK;
}

const uc_op uc_op_list_pick = {.domain = "uncork",
                               .name = "ListPick",
                               .in = {2, 2},
                               .out = {1, 1},
                               .any_kind = true,
                               .infer = infer_same,
                               .run = run_pick};

/* ---- ListGet, ListStack ------------------------------------------------------------------- */

/* What is known of an item: of all items together, and as input i says (-1 free; a scalar: any). */
static uncork_status item_type(uc_call *call, size_t i, uc_tensor *type)
{
    const uc_tensor *said = uc_call_in(call, i);
    *type = call->in[0]->tensor;
    if (!said) return UNCORK_OK;
    UC_TRY(uc_call_expect(call, i, UC_TYPES_INDEX));
    if (!said->data || said->rank != 1) return UNCORK_OK;
    const int64_t rank = uc_tensor_count(said);
    if (rank > UNCORK_MAX_RANK || (type->rank >= 0 && type->rank != rank)) return UNCORK_OK;
    for (int d = 0; d < (int)rank; d++) {
        const int64_t n = uc_dtype_load_i64(said->data, d, said->dtype);
        if (type->rank < 0 || (n >= 0 && type->shape[d] < 0)) type->shape[d] = n < 0 ? -1 : n;
    }
    type->rank = (int)rank;
    return UNCORK_OK;
}

static uncork_status infer_get(uc_call *call)
{
    uc_tensor type;
    UC_TRY(expect_list(call, 0));
    UC_TRY(expect_index(call, 1));
    UC_TRY(item_type(call, 2, &type));
    return uc_call_shape(call, 0, type.dtype, type.rank, type.shape);
}

/* The type of the items that aren't written: of one that is, else as said. */
static uncork_status blank_type(uc_call *call, size_t i, uc_tensor *type)
{
    const uc_value *x = call->in[0];
    for (size_t k = 0; k < x->item_count; k++) {
        if (!is_written(x->items[k])) continue;
        *type = x->items[k]->tensor;
        return UNCORK_OK;
    }
    UC_TRY(item_type(call, i, type));
    if (!type->dtype) type->dtype = call->out[0]->tensor.dtype;
    if (x->item_count == 0) { /* a stack of nothing: its items may have any shape */
        if (type->rank < 0) type->rank = 0;
        for (int d = 0; d < type->rank; d++) {
            if (type->shape[d] < 0) type->shape[d] = 0;
        }
        return UNCORK_OK;
    }
    if (type->rank >= 0 && uc_dims_known(type->shape, type->rank)) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT,
                        "nothing was written to the list, and its items' shape "
                        "isn't said");
}

/* `count` strings at `to`; of an item that isn't written: empty ones. */
static void put_strings(uc_str *to, const uc_value *item, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        to[k] = is_written(item) ? uc_tensor_string(&item->tensor, (int64_t)k) : (uc_str){"", 0};
    }
}

/* The items side by side as output 0. */
static uncork_status lay(uc_call *call, uc_value *const *items, size_t count, const uc_tensor *type,
                         int rank, const int64_t *shape)
{
    size_t each = 0, all = 0;
    if (uc_dtype_bits(type->dtype) % 8) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "lists of %s aren't done",
                            uc_dtype_name(type->dtype));
    }
    if (!uc_shape_count(type->shape, type->rank, &each) || !uc_mul_size(each, count, &all)) {
        return uc_call_fail(call, UNCORK_LIMIT, "the stack is more than memory can hold");
    }
    if (type->dtype == UNCORK_STRING) {
        uc_str *strings = uc_call_scratch(call, all, sizeof *strings);
        if (!strings) return uc_fail_memory(call->error);
        for (size_t i = 0; i < count; i++) {
            put_strings(strings + i * each, items[i], each);
        }
        return uc_call_strings(call, 0, strings, rank, shape);
    }
    uc_tensor *y = NULL;
    UC_TRY(uc_call_output(call, 0, type->dtype, rank, shape, &y));
    const size_t bytes = each * uc_dtype_size(type->dtype);
    for (size_t i = 0; bytes && i < count; i++) {
        char *to = (char *)y->data + i * bytes;
        if (is_written(items[i]))
            memcpy(to, items[i]->tensor.data, bytes);
        else
            memset(to, 0, bytes);
    }
    return UNCORK_OK;
}

static uncork_status run_get(uc_call *call)
{
    const uc_value *x = call->in[0];
    int64_t at = 0;
    uc_tensor type;
    UC_TRY(one_number(call, 1, &at));
    if (at < 0 || (uint64_t)at >= x->item_count) {
        return uc_call_fail(call, UNCORK_INPUT, "item %" PRId64 " of a list of %zu", at,
                            x->item_count);
    }
    if (is_written(x->items[at])) return uc_call_share(call, 0, x->items[at]);
    UC_TRY(blank_type(call, 2, &type));
    return lay(call, &x->items[at], 1, &type, type.rank, type.shape);
}

const uc_op uc_op_list_get = {.domain = "uncork",
                              .name = "ListGet",
                              .in = {2, 3},
                              .out = {1, 1},
                              .any_kind = true,
                              .infer = infer_get,
                              .run = run_get};

static uncork_status infer_stack(uc_call *call)
{
    uc_tensor type;
    int64_t shape[UNCORK_MAX_RANK] = {UC_DIM_UNKNOWN};
    UC_TRY(expect_list(call, 0));
    UC_TRY(item_type(call, 1, &type));
    if (type.rank >= UNCORK_MAX_RANK) {
        return uc_call_fail(call, UNCORK_LIMIT, "a stack of more than %d dimensions",
                            UNCORK_MAX_RANK);
    }
    for (int d = 0; d < type.rank; d++) {
        shape[d + 1] = type.shape[d];
    }
    return uc_call_shape(call, 0, type.dtype, type.rank < 0 ? -1 : type.rank + 1, shape);
}

static uncork_status run_stack(uc_call *call)
{
    const uc_value *x = call->in[0];
    uc_tensor type;
    UC_TRY(blank_type(call, 1, &type));
    if (type.rank >= UNCORK_MAX_RANK) {
        return uc_call_fail(call, UNCORK_LIMIT, "a stack of more than %d dimensions",
                            UNCORK_MAX_RANK);
    }
    for (size_t i = 0; i < x->item_count; i++) {
        const uc_tensor *t = &x->items[i]->tensor;
        if (!is_written(x->items[i])) continue;
        bool same = t->dtype == type.dtype && t->rank == type.rank;
        for (int d = 0; same && d < t->rank; d++) {
            same = t->shape[d] == type.shape[d];
        }
        if (same) continue;
        char text[128];
        return uc_call_fail(call, UNCORK_INPUT, "item %zu is %s%s, unlike the first", i,
                            uc_dtype_name(t->dtype),
                            uc_shape_text(t->shape, t->rank, text, sizeof text));
    }
    int64_t shape[UNCORK_MAX_RANK];
    shape[0] = (int64_t)x->item_count;
    for (int d = 0; d < type.rank; d++) {
        shape[d + 1] = type.shape[d];
    }
    return lay(call, x->items, x->item_count, &type, type.rank + 1, shape);
}

const uc_op uc_op_list_stack = {.domain = "uncork",
                                .name = "ListStack",
                                .in = {1, 2},
                                .out = {1, 1},
                                .any_kind = true,
                                .infer = infer_stack,
                                .run = run_stack};

/* ---- ListLengths -------------------------------------------------------------------------- */

/* list -> int64 [n]: how long each item is along its first axis */
static uncork_status infer_lengths(uc_call *call)
{
    const int64_t shape[1] = {UC_DIM_UNKNOWN};
    UC_TRY(expect_list(call, 0));
    return uc_call_shape(call, 0, UNCORK_INT64, 1, shape);
}

static uncork_status run_lengths(uc_call *call)
{
    const uc_value *x = call->in[0];
    const int64_t shape[1] = {(int64_t)x->item_count};
    uc_tensor *y = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_INT64, 1, shape, &y));
    for (size_t i = 0; i < x->item_count; i++) {
        const uc_tensor *t = &x->items[i]->tensor;
        ((int64_t *)y->data)[i] = is_written(x->items[i]) && t->rank > 0 ? t->shape[0] : 0;
    }
    return UNCORK_OK;
}

const uc_op uc_op_list_lengths = {.domain = "uncork",
                                  .name = "ListLengths",
                                  .in = {1, 1},
                                  .out = {1, 1},
                                  .any_kind = true,
                                  .infer = infer_lengths,
                                  .run = run_lengths};
