/* OtherColumns: x without some of its columns, however many it has.
 *
 * Source: scikit-learn 0.18 to 0.21, preprocessing/base.py, _transform_selected: the columns that
 * categorical_features doesn't name pass.
 * x        any number type [rows, columns]
 * columns  i64 [k], constant, not negative: the ones to leave out
 * y        as x, [rows, columns that stay]. A number beyond x's columns is an INPUT error. */
#include "op/op.h"

#include <inttypes.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *columns = uc_call_in(call, 1);
    if (x->rank != 2 || x->dtype == UNCORK_STRING || uc_dtype_size(x->dtype) == 0 ||
        columns->dtype != UNCORK_INT64 || columns->rank != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    const int64_t shape[2] = {x->shape[0], -1};
    return uc_call_shape(call, 0, x->dtype, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *columns = uc_call_in(call, 1);
    if (!columns->data && columns->shape[0] != 0) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "columns aren't constant");
    }
    for (int64_t i = 0; i < columns->shape[0]; i++) {
        int64_t c = ((const int64_t *)columns->data)[i];
        if (c < 0) return uc_call_fail(call, UNCORK_MALFORMED, "column %" PRId64, c);
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *columns = uc_call_in(call, 1);
    int64_t width = x->shape[1], kept = width;
    bool *out_of = uc_call_scratch(call, (size_t)width, sizeof *out_of);
    if (!out_of) return call->error->status;
    memset(out_of, 0, (size_t)width * sizeof *out_of);
    for (int64_t i = 0; i < columns->shape[0]; i++) {
        int64_t c = ((const int64_t *)columns->data)[i];
        if (c >= width) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "x has %" PRId64 " columns, column %" PRId64 " is needed", width,
                                c);
        }
        kept -= !out_of[c];
        out_of[c] = true;
    }
    const int64_t shape[2] = {x->shape[0], kept};
    uc_tensor *out = NULL;
    UC_TRY(uc_call_output(call, 0, x->dtype, 2, shape, &out));
    size_t size = uc_dtype_size(x->dtype);
    uint8_t *to = out->data;
    const uint8_t *from = x->data;
    for (int64_t i = 0, n = uc_tensor_count(x); i < n; i++) {
        if (out_of[i % width]) continue;
        memcpy(to, from + (size_t)i * size, size);
        to += size;
    }
    return UNCORK_OK;
}

const uc_op uc_op_other_columns = {
    .domain = "uncork",
    .name = "OtherColumns",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
