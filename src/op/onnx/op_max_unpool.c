/* MaxUnpool: values put back where MaxPool found them, zeros elsewhere.
 *
 * Source: ONNX operator MaxUnpool, opset 22: places count in the tensor whose spatial sizes are
 * (in - 1) * stride - pads + kernel; a larger output_shape holds it in its corner.
 * x  float [N, C, D1, ...];  indices  int64 as x;  output_shape  int64 [rank], optional;  y  float */
#include "kernel/copy.h"
#include "op/slide.h"
#include "op/widen.h"

#include <inttypes.h>

/* The size that the pooled tensor had; `shape` has N and C as well. */
static uncork_status read_shape(uc_call *call, const uc_tensor *x, int64_t *shape)
{
    uc_slide w = {.rank = x->rank - 2};
    size_t have = 0;
    uc_call_ints(call, "kernel_shape", &have);
    if (w.rank < 1 || have == 0) {
        return uc_call_fail(call, UNCORK_INPUT, "%d dimensions and a kernel of %zu", x->rank, have);
    }
    UC_TRY(uc_slide_attributes(call, NULL, &w));
    shape[0] = x->shape[0];
    shape[1] = x->shape[1];
    for (int d = 0; d < w.rank; d++) {
        int64_t in = x->shape[2 + d];
        shape[2 + d] = UC_DIM_UNKNOWN;
        if (in < 0) continue;
        if (in > INT32_MAX) return uc_call_fail(call, UNCORK_LIMIT, "the input is too large");
        shape[2 + d] = (in - 1) * w.stride[d] - w.before[d] - w.after[d] + w.kernel[d];
        if (shape[2 + d] > 0) continue;
        return uc_call_fail(call, UNCORK_INPUT, "dimension %d of %" PRId64 " gives %" PRId64, d + 2,
                            in, shape[2 + d]);
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    size_t count = 0;
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    UC_TRY(uc_call_expect(call, 2, UC_TYPES_INDEX));
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    UC_TRY(read_shape(call, x, shape));
    if (uc_call_known(call, 2)) {
        UC_TRY(uc_call_small_ints(call, 2, shape, &count));
        if (count != (size_t)x->rank) {
            return uc_call_fail(call, UNCORK_INPUT, "output_shape has %zu of %d dimensions", count,
                                x->rank);
        }
        for (int d = 0; d < x->rank; d++) {
            if (shape[d] >= 0) continue;
            return uc_call_fail(call, UNCORK_INPUT, "output_shape[%d] is %" PRId64, d, shape[d]);
        }
    } else if (uc_call_in(call, 2)) {
        for (int d = 0; d < x->rank; d++) {
            shape[d] = UC_DIM_UNKNOWN;
        }
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *at = uc_call_arg(call, 1);
    int64_t shape[UNCORK_MAX_RANK], overlap[UNCORK_MAX_RANK];
    size_t size = uc_dtype_size(x->dtype), all = 0;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(read_shape(call, x, shape));
    bool same = true,
         fits = uc_shape_is_sane(x->dtype, x->rank, shape) && uc_shape_count(shape, x->rank, &all);
    int64_t n = uc_tensor_count(x);
    if (!fits || uc_tensor_count(at) != n) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " places for %" PRId64 " values",
                            uc_tensor_count(at), n);
    }
    for (int d = 0; d < x->rank; d++) {
        overlap[d] = shape[d] < y->shape[d] ? shape[d] : y->shape[d];
        same = same && shape[d] == y->shape[d];
    }
    char *to = same ? y->data : uc_call_scratch(call, all, size);
    if (!to) return uc_fail_memory(call->error);
    memset(to, 0, all * size);
    for (int64_t i = 0; i < n; i++) {
        int64_t place = uc_dtype_load_i64(at->data, i, at->dtype);
        if (place < 0 || (uint64_t)place >= all) {
            return uc_call_fail(call, UNCORK_INPUT, "place %" PRId64 " of %zu", place, all);
        }
        memcpy(to + (size_t)place * size, (const char *)x->data + (size_t)i * size, size);
    }
    if (same) return UNCORK_OK;
    uc_tensor inner = {0};
    uc_tensor_set(&inner, x->dtype, x->rank, shape);
    memset(y->data, 0, (size_t)uc_tensor_count(y) * size);
    uc_copy_strided(y->data, y->stride, to, inner.stride, x->rank, overlap, size);
    return UNCORK_OK;
}

const uc_op uc_op_max_unpool = {
    .name = "MaxUnpool", .in = {2, 3}, .out = {1, 1}, .infer = infer, .run = run};
