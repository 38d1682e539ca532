/* CategoryOneHot: rows of `off` with `on` where the slots of their cells point.
 *
 * Source: scikit-learn, preprocessing/_encoders.py, OneHotEncoder.transform.
 * slots    i64 [rows, columns] or [rows], from uncork.CategoryIndex
 * targets  i64 [slots], constant: a column of y, or -1 for none
 * y        [rows, width] of `dtype` */
#include "op/op.h"

#include <inttypes.h>

static uncork_dtype dtype_of(const uc_call *call)
{
    return (uncork_dtype)uc_call_int(call, "dtype", UNCORK_FLOAT64);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *slots = uc_call_in(call, 0), *targets = uc_call_in(call, 1);
    int64_t width = uc_call_int(call, "width", -1);
    uncork_dtype dtype = dtype_of(call);
    if (slots->dtype != UNCORK_INT64 || (slots->rank != 1 && slots->rank != 2) ||
        targets->dtype != UNCORK_INT64 || targets->rank != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    bool number = dtype == UNCORK_BOOL || uc_dtype_is_float(dtype) || uc_dtype_is_integer(dtype);
    if (width < 0 || !number || uc_dtype_size(dtype) == 0) {
        return uc_call_fail(call, UNCORK_MALFORMED, "width %" PRId64 " or dtype is wrong", width);
    }
    const int64_t shape[2] = {slots->shape[0], width};
    return uc_call_shape(call, 0, dtype, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *targets = uc_call_in(call, 1);
    int64_t width = uc_call_int(call, "width", -1);
    if (!targets->data) return uc_call_fail(call, UNCORK_UNSUPPORTED, "targets aren't constant");
    const int64_t *t = targets->data;
    for (int64_t i = 0; i < targets->shape[0]; i++) {
        if (t[i] < -1 || t[i] >= width) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "slot %" PRId64 " points at column %" PRId64 " of %" PRId64, i,
                                t[i], width);
        }
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *slots = uc_call_in(call, 0), *targets = uc_call_in(call, 1);
    int64_t cells = slots->rank == 1 ? 1 : slots->shape[1], rows = slots->shape[0];
    double on = uc_call_float(call, "on", 1), off = uc_call_float(call, "off", 0);
    uc_tensor *out = uc_call_out(call, 0);
    if (!out) return call->error->status;
    size_t size = uc_dtype_size(out->dtype);
    int64_t width = out->shape[1];
    uint8_t one[16], zero[16], *y = out->data;
    uc_dtype_convert(one, out->dtype, &on, UNCORK_FLOAT64, 1);
    uc_dtype_convert(zero, out->dtype, &off, UNCORK_FLOAT64, 1);
    const int64_t *slot = slots->data, *target = targets->data;
    for (int64_t r = 0; r < rows; r++, y += (size_t)width * size) {
        for (int64_t c = 0; c < width; c++)
            memcpy(y + (size_t)c * size, zero, size);
        for (int64_t j = 0; j < cells; j++) {
            int64_t s = slot[r * cells + j];
            if (s < 0 || s >= targets->shape[0]) {
                return uc_call_fail(call, UNCORK_INPUT, "slot %" PRId64 " of %" PRId64, s,
                                    targets->shape[0]);
            }
            if (target[s] >= 0) memcpy(y + (size_t)target[s] * size, one, size);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_category_one_hot = {
    .domain = "uncork",
    .name = "CategoryOneHot",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
