/* TensorScatter: new rows written into a cache, each sample at its own place.
 *
 * Source: ONNX operator TensorScatter, opset 24. Mode circular goes on at the front.
 * past  any type [b, ..., axis, ...];  update  the same but for the axis;  write_indices int64 [b]
 * present  as past. */
#include "op/axis.h"

#include <inttypes.h>

static uncork_status check(uc_call *call, int *axis)
{
    const uc_tensor *past = uc_call_arg(call, 0), *update = uc_call_arg(call, 1);
    uc_str mode = uc_call_str(call, "mode", "linear");
    if (!uc_str_is(mode, "linear") && !uc_str_is(mode, "circular")) {
        return uc_call_fail(call, UNCORK_MALFORMED, "mode is '%.*s'", (int)mode.size, mode.data);
    }
    if (past->rank < 0 || update->rank < 0) return UNCORK_OK;
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", -2), past->rank, axis));
    if (*axis == 0) return uc_call_fail(call, UNCORK_MALFORMED, "the batch can't be the axis");
    bool fits = past->rank == update->rank;
    for (int d = 0; fits && d < past->rank; d++) {
        int64_t a = past->shape[d], b = update->shape[d];
        fits = a < 0 || b < 0 || (d == *axis ? b <= a : a == b);
    }
    if (fits) return UNCORK_OK;
    char s[128], t[128];
    return uc_call_fail(call, UNCORK_INPUT, "an update of shape %.90s for a cache of %.90s",
                        uc_shape_text(update->shape, update->rank, s, sizeof s),
                        uc_shape_text(past->shape, past->rank, t, sizeof t));
}

static uncork_status infer(uc_call *call)
{
    int axis = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FIXED));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    UC_TRY(uc_call_expect(call, 2, UC_TYPES_INDEX));
    UC_TRY(check(call, &axis));
    return uc_call_shape_like(call, 0, 0, uc_call_dtype(call, 0));
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *past = uc_call_arg(call, 0), *update = uc_call_arg(call, 1);
    const uc_tensor *at = uc_call_in(call, 2);
    bool circular = uc_str_is(uc_call_str(call, "mode", "linear"), "circular");
    uc_along a;
    int axis = 0;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(check(call, &axis));
    UC_TRY(uc_along_axis(call, past, axis, &a));
    size_t size = uc_dtype_size(past->dtype), row = (size_t)a.inner * size;
    if (size == 0) return uc_call_fail(call, UNCORK_UNSUPPORTED, "not for types below a byte");
    if (uc_tensor_count(past) == 0) return UNCORK_OK;
    int64_t fresh = update->shape[axis], batch = past->shape[0];
    if (at && uc_tensor_count(at) != batch) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " write_indices for %" PRId64 " samples",
                            uc_tensor_count(at), batch);
    }
    memcpy(y->data, past->data, (size_t)uc_tensor_count(past) * size);
    for (int64_t i = 0; i < a.outer; i++) {
        int64_t b = i / (a.outer / batch);
        int64_t start = at ? uc_dtype_load_i64(at->data, b, at->dtype) : 0;
        if (start < 0 || start >= a.n + !fresh || (!circular && start + fresh > a.n)) {
            return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " rows at %" PRId64 " of %" PRId64,
                                fresh, start, a.n);
        }
        for (int64_t k = 0; k < fresh; k++) {
            char *to = (char *)y->data + (size_t)(i * a.n + (start + k) % a.n) * row;
            memcpy(to, (char *)update->data + (size_t)(i * fresh + k) * row, row);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_tensor_scatter = {
    .name = "TensorScatter", .in = {2, 3}, .out = {1, 1}, .infer = infer, .run = run};
