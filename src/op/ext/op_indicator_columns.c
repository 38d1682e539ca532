/* IndicatorColumns: some columns of a mask, and the promise that no other one is set.
 *
 * Source: scikit-learn, impute/_base.py, MissingIndicator.transform.
 * mask     bool [rows, columns]
 * columns  i64 [k], constant
 * y        bool [rows, k]
 * strict   1: a cell that is set in another column is an INPUT error (error_on_new) */
#include "op/op.h"

#include <inttypes.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *mask = uc_call_in(call, 0), *columns = uc_call_in(call, 1);
    if (mask->rank != 2 || mask->dtype != UNCORK_BOOL || columns->dtype != UNCORK_INT64 ||
        columns->rank != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    const int64_t shape[2] = {mask->shape[0], columns->shape[0]};
    return uc_call_shape(call, 0, UNCORK_BOOL, 2, shape);
}

static uncork_status refuse_others(uc_call *call, const uc_tensor *mask, const int64_t *columns,
                                   int64_t count)
{
    int64_t width = mask->shape[1];
    bool *known = uc_call_scratch(call, (size_t)width, sizeof *known);
    if (!known) return call->error->status;
    memset(known, 0, (size_t)width * sizeof *known);
    for (int64_t i = 0; i < count; i++)
        known[columns[i]] = true;
    const uint8_t *m = mask->data;
    for (int64_t i = 0, n = uc_tensor_count(mask); i < n; i++) {
        if (!m[i] || known[i % width]) continue;
        return uc_call_fail(call, UNCORK_INPUT,
                            "row %" PRId64 ", column %" PRId64
                            " is missing; it never was where the model was trained",
                            i / width, i % width);
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *mask = uc_call_in(call, 0), *columns = uc_call_in(call, 1);
    const int64_t *c = columns->data;
    int64_t count = columns->shape[0], width = mask->shape[1];
    for (int64_t i = 0; i < count; i++) {
        if (c[i] < 0 || c[i] >= width) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "x has %" PRId64 " columns, column %" PRId64 " is needed", width,
                                c[i]);
        }
    }
    if (uc_call_int(call, "strict", 0)) UC_TRY(refuse_others(call, mask, c, count));
    const int64_t shape[2] = {mask->shape[0], count};
    uc_tensor *out = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_BOOL, 2, shape, &out));
    const uint8_t *m = mask->data;
    uint8_t *y = out->data;
    for (int64_t r = 0; r < shape[0]; r++) {
        for (int64_t i = 0; i < count; i++)
            y[r * count + i] = m[r * width + c[i]];
    }
    return UNCORK_OK;
}

const uc_op uc_op_indicator_columns = {
    .domain = "uncork",
    .name = "IndicatorColumns",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
