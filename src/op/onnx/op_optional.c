/* Optionals: a value that may be empty.
 *
 * Source: ONNX operators Optional 15, OptionalGetElement 18, OptionalHasElement 18. */
#include "op/shape.h"

/* ---- Optional: wraps its input, or is empty; attribute `type` then says of what, which nothing needs
 * until an element is read ------------------------------------------------------------------ */

static uncork_status infer_optional(uc_call *call)
{
    if (call->in_count == 0 || !call->in[0]) {
        return uc_call_kind(call, 0, UC_OPTIONAL, UC_NOTHING, UNCORK_DTYPE_NONE, -1, NULL);
    }
    const uc_value *x = call->in[0];
    return uc_call_kind(call, 0, UC_OPTIONAL, x->kind, x->tensor.dtype, x->tensor.rank,
                        x->tensor.shape);
}

static uncork_status run_optional(uc_call *call)
{
    uc_value **items;
    size_t count = call->in_count && call->in[0] ? 1 : 0;
    UC_TRY(uc_call_items(call, 0, UC_OPTIONAL, count, &items));
    return count ? uc_call_item_copy(call, 0, call->in[0], &items[0]) : UNCORK_OK;
}

const uc_op uc_op_optional = {.name = "Optional",
                              .in = {0, 1},
                              .out = {1, 1},
                              .any_kind = true,
                              .infer = infer_optional,
                              .run = run_optional};

/* ---- OptionalGetElement: also of what is no optional, which it hands on ------------------- */

static uncork_status infer_get(uc_call *call)
{
    const uc_value *x = call->in[0];
    if (x->kind != UC_OPTIONAL) return uc_call_like(call, 0, 0);
    uc_kind kind = x->item_kind == UC_NOTHING ? UC_TENSOR : x->item_kind;
    return uc_call_kind(call, 0, kind, UC_TENSOR, x->tensor.dtype, x->tensor.rank, x->tensor.shape);
}

static uncork_status run_get(uc_call *call)
{
    const uc_value *x = call->in[0];
    if (x->kind == UC_OPTIONAL) {
        if (x->item_count == 0) {
            return uc_call_fail(call, UNCORK_INPUT, "the optional holds nothing");
        }
        return uc_call_share(call, 0, x->items[0]);
    }
    uc_value *copy; /* what is no item may lose its memory to others */
    UC_TRY(uc_call_item_copy(call, 0, x, &copy));
    return uc_call_share(call, 0, copy);
}

const uc_op uc_op_optional_get_element = {.name = "OptionalGetElement",
                                          .in = {1, 1},
                                          .out = {1, 1},
                                          .view = true,
                                          .any_kind = true,
                                          .infer = infer_get,
                                          .run = run_get};

/* ---- OptionalHasElement ------------------------------------------------------------------- */

static uncork_status infer_has(uc_call *call)
{
    return uc_call_shape(call, 0, UNCORK_BOOL, 0, NULL);
}

static uncork_status run_has(uc_call *call)
{
    const uc_value *x = call->in_count ? call->in[0] : NULL;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    *(uint8_t *)y->data = x && (x->kind != UC_OPTIONAL || x->item_count > 0);
    return UNCORK_OK;
}

const uc_op uc_op_optional_has_element = {.name = "OptionalHasElement",
                                          .in = {0, 1},
                                          .out = {1, 1},
                                          .any_kind = true,
                                          .infer = infer_has,
                                          .run = run_has};
