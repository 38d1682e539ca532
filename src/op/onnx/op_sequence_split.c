/* Tensors to sequences and back.
 *
 * Source: ONNX operators SplitToSequence 24, ConcatFromSequence 11.
 * SplitToSequence     x any type; split int64: a size, sizes, or missing: parts of one;  y the parts
 * ConcatFromSequence  sequence of equal tensors (but for the axis);  y their join, or their stack */
#include "op/shape.h"

#include <inttypes.h>

/* ---- elements along an axis --------------------------------------------------------------- */

/* `rows` pieces of `bytes`, each `from_step` and `to_step` bytes after the one before. */
static void copy_rows(char *to, size_t to_step, const char *from, size_t from_step, size_t rows,
                      size_t bytes)
{
    for (size_t i = 0; bytes && i < rows; i++) {
        memcpy(to + i * to_step, from + i * from_step, bytes);
    }
}

static size_t product(const int64_t *shape, int begin, int end)
{
    size_t n = 1; /* parts of a shape that fits */
    for (int d = begin; d < end; d++) {
        n *= (size_t)shape[d];
    }
    return n;
}

/* A string item of some of the strings of x. */
static uncork_status string_item(uc_call *call, const uc_str *strings, int rank,
                                 const int64_t *shape, uc_value **item)
{
    size_t count = 0, bytes = 0, at = 0;
    if (!uc_shape_count(shape, rank, &count)) return uc_fail_memory(call->error);
    for (size_t k = 0; k < count; k++) {
        bytes += strings[k].size; /* parts of one tensor */
    }
    uint64_t *offsets = uc_call_scratch(call, count + 1, sizeof *offsets);
    char *text = uc_call_scratch(call, bytes, 1);
    if (!offsets || !text) return uc_fail_memory(call->error);
    for (size_t k = 0; k < count; k++) {
        offsets[k] = at;
        if (strings[k].size) memcpy(text + at, strings[k].data, strings[k].size);
        at += strings[k].size;
    }
    offsets[count] = at;
    uc_value v = {.kind = UC_TENSOR};
    uc_tensor_set(&v.tensor, UNCORK_STRING, rank, shape);
    v.tensor.strings = (uc_strings){.offsets = offsets, .bytes = text};
    return uc_call_item_copy(call, 0, &v, item);
}

/* ---- SplitToSequence ---------------------------------------------------------------------- */

static uncork_status infer_split(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *split = uc_call_in(call, 1);
    int64_t shape[UNCORK_MAX_RANK];
    int axis = 0, rank = x->rank;
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (split && split->rank > 1) {
        return uc_call_fail(call, UNCORK_INPUT, "split has %d dimensions, it takes at most 1",
                            split->rank);
    }
    if (rank >= 0) UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), rank, &axis));
    for (int d = 0; d < rank; d++) {
        shape[d] = x->shape[d];
    }
    bool drop = !split && uc_call_int(call, "keepdims", 1) == 0;
    if (rank > 0) shape[axis] = split ? UC_DIM_UNKNOWN : 1;
    if (rank > 0 && drop) {
        memmove(shape + axis, shape + axis + 1, (size_t)(rank - 1 - axis) * sizeof *shape);
        rank--;
    }
    return uc_call_kind(call, 0, UC_SEQUENCE, UC_TENSOR, x->dtype, rank, shape);
}

/* Number of parts of n elements. */
static uncork_status count_parts(uc_call *call, int64_t n, int64_t *count)
{
    const uc_tensor *split = uc_call_in(call, 1);
    *count = n;
    if (!split) return UNCORK_OK;
    int64_t total = 0;
    *count = uc_tensor_count(split);
    for (int64_t i = 0; i < *count; i++) {
        int64_t size = uc_dtype_load_i64(split->data, i, split->dtype);
        if (size < (split->rank == 0) || __builtin_add_overflow(total, size, &total)) {
            return uc_call_fail(call, UNCORK_INPUT, "part %" PRId64 " has %" PRId64 " elements", i,
                                size);
        }
    }
    if (split->rank == 0) {
        *count = n / total + (n % total != 0);
    } else if (total != n) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "the parts have %" PRId64 " elements, the axis %" PRId64, total, n);
    }
    return UNCORK_OK;
}

static int64_t part_size(const uc_call *call, int64_t i, int64_t left)
{
    const uc_tensor *split = uc_call_in(call, 1);
    if (!split) return 1;
    int64_t size = uc_dtype_load_i64(split->data, split->rank ? i : 0, split->dtype);
    return size < left ? size : left;
}

/* One part: `size` elements of the axis from `begin` on. */
static uncork_status make_part(uc_call *call, int axis, int64_t begin, int64_t size, bool drop,
                               uc_value **item)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    for (int d = 0; d < x->rank; d++) {
        if (d != axis || !drop) shape[rank++] = d == axis ? size : x->shape[d];
    }
    size_t outer = product(x->shape, 0, axis), inner = product(x->shape, axis + 1, x->rank);
    size_t width = uc_dtype_size(x->dtype), row = (size_t)x->shape[axis] * inner;
    size_t piece = (size_t)size * inner, at = (size_t)begin * inner;
    if (x->dtype == UNCORK_STRING) {
        uc_str *strings = uc_call_scratch(call, outer * piece, sizeof *strings);
        if (!strings) return uc_fail_memory(call->error);
        for (size_t k = 0; k < outer * piece; k++) {
            size_t from = k / piece * row + at + k % piece;
            strings[k] = uc_tensor_string(x, (int64_t)from);
        }
        return string_item(call, strings, rank, shape, item);
    }
    UC_TRY(uc_call_item(call, 0, x->dtype, rank, shape, item));
    copy_rows((*item)->tensor.data, piece * width, (const char *)x->data + at * width, row * width,
              outer, piece * width);
    return UNCORK_OK;
}

static uncork_status run_split(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int axis = 0;
    int64_t parts = 0, begin = 0;
    uc_value **items;
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &axis));
    if (uc_dtype_bits(x->dtype) % 8) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "parts of %s aren't done",
                            uc_dtype_name(x->dtype));
    }
    UC_TRY(count_parts(call, x->shape[axis], &parts));
    UC_TRY(uc_call_items(call, 0, UC_SEQUENCE, (size_t)parts, &items));
    bool drop = !uc_call_in(call, 1) && uc_call_int(call, "keepdims", 1) == 0;
    for (int64_t i = 0; i < parts; i++) {
        int64_t size = part_size(call, i, x->shape[axis] - begin);
        UC_TRY(make_part(call, axis, begin, size, drop, &items[i]));
        begin += size;
    }
    return UNCORK_OK;
}

const uc_op uc_op_split_to_sequence = {
    .name = "SplitToSequence", .in = {1, 2}, .out = {1, 1}, .infer = infer_split, .run = run_split};

/* ---- ConcatFromSequence ------------------------------------------------------------------- */

static uncork_status concat_axis(uc_call *call, int rank, int *axis)
{
    const uc_attr *attr = uc_call_attr(call, "axis");
    bool stack = uc_call_int(call, "new_axis", 0) != 0;
    if (!attr) return uc_call_fail(call, UNCORK_MALFORMED, "attribute 'axis' is missing");
    return uc_axis(call, attr->i, rank + stack, axis);
}

static uncork_status infer_concat(uc_call *call)
{
    const uc_value *x = call->in[0];
    int64_t shape[UNCORK_MAX_RANK];
    int axis = 0, rank = x->tensor.rank, from = 0;
    bool stack = uc_call_int(call, "new_axis", 0) != 0;
    bool tensors = x->item_kind == UC_TENSOR || x->item_kind == UC_NOTHING;
    if (x->kind != UC_SEQUENCE || !tensors) {
        return uc_call_fail(call, UNCORK_INPUT, "it takes a sequence of tensors, not %s",
                            uc_kind_name(x->kind));
    }
    if (rank < 0 || rank + stack > UNCORK_MAX_RANK) {
        return uc_call_shape(call, 0, x->tensor.dtype, -1, NULL);
    }
    UC_TRY(concat_axis(call, rank, &axis));
    for (int d = 0; d < rank + stack; d++) {
        shape[d] = d == axis ? UC_DIM_UNKNOWN : x->tensor.shape[from];
        from += d != axis || !stack;
    }
    return uc_call_shape(call, 0, x->tensor.dtype, rank + stack, shape);
}

/* The joined shape; every item must be like the first but for the axis. */
static uncork_status joined_shape(uc_call *call, int axis, bool stack, int64_t *shape)
{
    const uc_value *x = call->in[0];
    const uc_tensor *first = &x->items[0]->tensor;
    int64_t total = 0;
    for (size_t i = 0; i < x->item_count; i++) {
        const uc_tensor *t = &x->items[i]->tensor;
        bool same = t->dtype == first->dtype && t->rank == first->rank;
        for (int d = 0; same && d < t->rank; d++) {
            same = t->shape[d] == first->shape[d] || (d == axis && !stack);
        }
        if (!same || __builtin_add_overflow(total, stack ? 1 : t->shape[axis], &total)) {
            char text[128];
            return uc_call_fail(call, UNCORK_INPUT, "item %zu is %s%s, unlike the first", i,
                                uc_dtype_name(t->dtype),
                                uc_shape_text(t->shape, t->rank, text, sizeof text));
        }
    }
    for (int d = 0, from = 0; d < first->rank + stack; d++) {
        shape[d] = d == axis ? total : first->shape[from];
        from += d != axis || !stack;
    }
    return UNCORK_OK;
}

static uncork_status concat_strings(uc_call *call, size_t outer, size_t row, int rank,
                                    const int64_t *shape)
{
    const uc_value *x = call->in[0];
    uc_str *all = uc_call_scratch(call, outer * row, sizeof *all);
    if (!all) return uc_fail_memory(call->error);
    size_t at = 0;
    for (size_t i = 0; i < x->item_count; i++) {
        const uc_tensor *t = &x->items[i]->tensor;
        size_t piece = outer ? (size_t)uc_tensor_count(t) / outer : 0;
        for (size_t k = 0; k < outer * piece; k++) {
            all[k / piece * row + at + k % piece] = uc_tensor_string(t, (int64_t)k);
        }
        at += piece;
    }
    return uc_call_strings(call, 0, all, rank, shape);
}

static uncork_status run_concat(uc_call *call)
{
    const uc_value *x = call->in[0];
    int64_t shape[UNCORK_MAX_RANK];
    int axis = 0;
    bool stack = uc_call_int(call, "new_axis", 0) != 0;
    if (x->item_count == 0) return uc_call_fail(call, UNCORK_INPUT, "the sequence is empty");
    const uc_tensor *first = &x->items[0]->tensor;
    int rank = first->rank + stack;
    if (rank > UNCORK_MAX_RANK) {
        return uc_call_fail(call, UNCORK_LIMIT, "an output has %d dimensions, at most %d can be",
                            rank, UNCORK_MAX_RANK);
    }
    if (uc_dtype_bits(first->dtype) % 8) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "a join of %s isn't done",
                            uc_dtype_name(first->dtype));
    }
    UC_TRY(concat_axis(call, first->rank, &axis));
    UC_TRY(joined_shape(call, axis, stack, shape));
    uc_tensor *y = NULL;
    if (!uc_shape_is_sane(first->dtype, rank, shape)) {
        return uc_call_fail(call, UNCORK_LIMIT, "the join is more than memory can hold");
    }
    size_t outer = product(shape, 0, axis), row = product(shape, axis, rank), at = 0;
    if (first->dtype == UNCORK_STRING) return concat_strings(call, outer, row, rank, shape);
    UC_TRY(uc_call_output(call, 0, first->dtype, rank, shape, &y));
    size_t width = uc_dtype_size(first->dtype);
    for (size_t i = 0; i < x->item_count; i++) {
        const uc_tensor *t = &x->items[i]->tensor;
        size_t piece = outer ? (size_t)uc_tensor_count(t) / outer * width : 0;
        copy_rows((char *)y->data + at, row * width, t->data, piece, outer, piece);
        at += piece;
    }
    return UNCORK_OK;
}

const uc_op uc_op_concat_from_sequence = {.name = "ConcatFromSequence",
                                          .in = {1, 1},
                                          .out = {1, 1},
                                          .any_kind = true,
                                          .infer = infer_concat,
                                          .run = run_concat};
