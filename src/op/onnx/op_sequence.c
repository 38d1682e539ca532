/* Sequences: making, reading and changing them. A sequence never changes: an operator gives a new list
 * that shares the items it keeps.
 *
 * Source: ONNX operators SequenceAt 11, SequenceConstruct 11, SequenceEmpty 11, SequenceErase 11,
 * SequenceInsert 11, SequenceLength 11. A position counts from the end when negative. */
#include "op/shape.h"

#include <inttypes.h>

static uncork_status expect_sequence(uc_call *call, size_t i)
{
    uc_kind kind = uc_call_kind_of(call, i);
    if (kind == UC_SEQUENCE) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, it takes a sequence", i,
                        uc_kind_name(kind));
}

static uncork_status expect_tensor(uc_call *call, size_t i)
{
    uc_kind kind = uc_call_kind_of(call, i);
    if (kind == UC_TENSOR || kind == UC_NOTHING) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, it takes a tensor", i,
                        uc_kind_name(kind));
}

/* The position of input i in [0, last]; `otherwise` when it is missing. */
static uncork_status position(uc_call *call, size_t i, int64_t count, int64_t last,
                              int64_t otherwise, int64_t *at)
{
    const uc_tensor *t = uc_call_in(call, i);
    *at = otherwise;
    if (t && uc_tensor_count(t) != 1) {
        return uc_call_fail(call, UNCORK_INPUT, "the position has %" PRId64 " elements, not one",
                            uc_tensor_count(t));
    }
    if (t) *at = uc_dtype_load_i64(t->data, 0, t->dtype);
    int64_t asked = *at;
    if (t && *at < 0) *at += count;
    if (*at >= 0 && *at <= last) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT,
                        "position %" PRId64 " in a sequence of %" PRId64 " items", asked, count);
}

static uncork_status infer_position(uc_call *call, size_t i)
{
    UC_TRY(expect_tensor(call, i));
    return uc_call_expect(call, i, UC_TYPES_INDEX);
}

/* ---- SequenceConstruct, SequenceEmpty ----------------------------------------------------- */

/* What all of two types are: unknown where they differ. */
static void widen(uc_tensor *common, const uc_tensor *t)
{
    if (common->rank != t->rank) common->rank = -1;
    for (int d = 0; d < common->rank; d++) {
        if (common->shape[d] != t->shape[d]) common->shape[d] = UC_DIM_UNKNOWN;
    }
}

static uncork_status infer_construct(uc_call *call)
{
    UC_TRY(expect_tensor(call, 0));
    uc_tensor common = *uc_call_arg(call, 0);
    for (size_t i = 1; i < call->in_count; i++) {
        UC_TRY(expect_tensor(call, i));
        if (!uc_call_in(call, i))
            return uc_call_fail(call, UNCORK_MALFORMED, "item %zu is missing", i);
        UC_TRY(uc_call_same_dtype(call, 0, i));
        widen(&common, uc_call_arg(call, i));
    }
    return uc_call_kind(call, 0, UC_SEQUENCE, UC_TENSOR, common.dtype, common.rank, common.shape);
}

static uncork_status run_construct(uc_call *call)
{
    uc_value **items;
    UC_TRY(uc_call_items(call, 0, UC_SEQUENCE, call->in_count, &items));
    for (size_t i = 0; i < call->in_count; i++) {
        UC_TRY(uc_call_item_copy(call, 0, call->in[i], &items[i]));
    }
    return UNCORK_OK;
}

const uc_op uc_op_sequence_construct = {.name = "SequenceConstruct",
                                        .in = {1, -1},
                                        .out = {1, 1},
                                        .any_kind = true,
                                        .infer = infer_construct,
                                        .run = run_construct};

static uncork_status infer_empty(uc_call *call)
{
    int64_t dtype = uc_call_int(call, "dtype", UNCORK_FLOAT32);
    if (dtype <= 0 || dtype > UNCORK_INT2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "element type %" PRId64 " isn't known", dtype);
    }
    return uc_call_kind(call, 0, UC_SEQUENCE, UC_TENSOR, (uncork_dtype)dtype, -1, NULL);
}

static uncork_status run_empty(uc_call *call)
{
    uc_value **items;
    return uc_call_items(call, 0, UC_SEQUENCE, 0, &items);
}

const uc_op uc_op_sequence_empty = {.name = "SequenceEmpty",
                                    .in = {0, 0},
                                    .out = {1, 1},
                                    .any_kind = true,
                                    .infer = infer_empty,
                                    .run = run_empty};

/* ---- SequenceAt, SequenceLength ----------------------------------------------------------- */

static uncork_status infer_at(uc_call *call)
{
    UC_TRY(expect_sequence(call, 0));
    UC_TRY(infer_position(call, 1));
    const uc_value *x = call->in[0];
    uc_kind kind = x->item_kind == UC_NOTHING ? UC_TENSOR : x->item_kind;
    return uc_call_kind(call, 0, kind, UC_TENSOR, x->tensor.dtype, x->tensor.rank, x->tensor.shape);
}

static uncork_status run_at(uc_call *call)
{
    const uc_value *x = call->in[0];
    int64_t count = (int64_t)x->item_count, at = 0;
    UC_TRY(position(call, 1, count, count - 1, 0, &at));
    return uc_call_share(call, 0, x->items[at]);
}

const uc_op uc_op_sequence_at = {.name = "SequenceAt",
                                 .in = {2, 2},
                                 .out = {1, 1},
                                 .any_kind = true,
                                 .infer = infer_at,
                                 .run = run_at};

static uncork_status infer_length(uc_call *call)
{
    UC_TRY(expect_sequence(call, 0));
    return uc_call_shape(call, 0, UNCORK_INT64, 0, NULL);
}

static uncork_status run_length(uc_call *call)
{
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    *(int64_t *)y->data = (int64_t)call->in[0]->item_count;
    return UNCORK_OK;
}

const uc_op uc_op_sequence_length = {.name = "SequenceLength",
                                     .in = {1, 1},
                                     .out = {1, 1},
                                     .any_kind = true,
                                     .infer = infer_length,
                                     .run = run_length};

/* ---- SequenceErase, SequenceInsert -------------------------------------------------------- */

static uncork_status infer_erase(uc_call *call)
{
    UC_TRY(expect_sequence(call, 0));
    UC_TRY(infer_position(call, 1));
    return uc_call_like(call, 0, 0);
}

static uncork_status run_erase(uc_call *call)
{
    const uc_value *x = call->in[0];
    int64_t count = (int64_t)x->item_count, at = 0;
    uc_value **items;
    UC_TRY(position(call, 1, count, count - 1, count - 1, &at));
    UC_TRY(uc_call_items(call, 0, UC_SEQUENCE, x->item_count - 1, &items));
    size_t rest = (size_t)(count - 1 - at);
    if (at) memcpy(items, x->items, (size_t)at * sizeof *items);
    if (rest) memcpy(items + at, x->items + at + 1, rest * sizeof *items);
    return UNCORK_OK;
}

const uc_op uc_op_sequence_erase = {.name = "SequenceErase",
                                    .in = {1, 2},
                                    .out = {1, 1},
                                    .any_kind = true,
                                    .infer = infer_erase,
                                    .run = run_erase};

static uncork_status infer_insert(uc_call *call)
{
    UC_TRY(expect_sequence(call, 0));
    UC_TRY(infer_position(call, 2));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    const uc_value *x = call->in[0], *item = call->in[1];
    uc_kind kind = x->item_kind == UC_NOTHING ? UC_TENSOR : x->item_kind;
    if (kind != item->kind) {
        return uc_call_fail(call, UNCORK_INPUT, "%s can't go into a sequence of another kind",
                            uc_kind_name(item->kind));
    }
    /* An empty sequence's shape isn't known, so neither is the result's. */
    uc_tensor common = x->tensor;
    if (!common.dtype) common.dtype = item->tensor.dtype;
    widen(&common, &item->tensor);
    return uc_call_kind(call, 0, UC_SEQUENCE, kind, common.dtype, common.rank, common.shape);
}

static uncork_status run_insert(uc_call *call)
{
    const uc_value *x = call->in[0];
    int64_t count = (int64_t)x->item_count, at = 0;
    uc_value **items;
    UC_TRY(position(call, 2, count, count, count, &at));
    UC_TRY(uc_call_items(call, 0, UC_SEQUENCE, x->item_count + 1, &items));
    size_t rest = (size_t)(count - at);
    if (at) memcpy(items, x->items, (size_t)at * sizeof *items);
    if (rest) memcpy(items + at + 1, x->items + at, rest * sizeof *items);
    return uc_call_item_copy(call, 0, call->in[1], &items[at]);
}

const uc_op uc_op_sequence_insert = {.name = "SequenceInsert",
                                     .in = {2, 3},
                                     .out = {1, 1},
                                     .any_kind = true,
                                     .infer = infer_insert,
                                     .run = run_insert};
