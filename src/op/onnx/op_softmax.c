/* Softmax, LogSoftmax and Hardmax along one axis.
 *
 * Source: ONNX operators Softmax 13, LogSoftmax 13, Hardmax 13. Older ones coerce to 2-D: the importer's
 * upgrade.
 * x  float [..., axis, ...];  y  the same type and shape; may share x's memory.
 * Numerics: the maximum is subtracted, so no finite x overflows; a row of -inf gives NaN. */
#include "kernel/reduce.h"
#include "op/axis.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int axis = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    if (x->rank >= 0) UC_TRY(uc_axis(call, uc_call_int(call, "axis", -1), x->rank, &axis));
    return uc_call_shape_like(call, 0, 0, x->dtype);
}

/* The short floats go through float32. */
static uncork_status run_widened(uc_call *call, const uc_tensor *x, uc_tensor *y, const uc_along *a,
                                 bool log)
{
    int64_t n = uc_tensor_count(x);
    float *wide = uc_call_scratch(call, (size_t)n, sizeof *wide);
    if (!wide) return uc_fail_memory(call->error);
    uc_dtype_convert(wide, UNCORK_FLOAT32, x->data, x->dtype, n);
    uc_softmax_f32(wide, wide, a->outer, a->n, a->inner, log, call->pool);
    uc_dtype_convert(y->data, y->dtype, wide, UNCORK_FLOAT32, n);
    return UNCORK_OK;
}

static uncork_status run_as(uc_call *call, bool log)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_along a;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", -1), &a));
    if (x->dtype == UNCORK_FLOAT64) {
        uc_softmax_f64(x->data, y->data, a.outer, a.n, a.inner, log, call->pool);
    } else if (x->dtype == UNCORK_FLOAT32) {
        uc_softmax_f32(x->data, y->data, a.outer, a.n, a.inner, log, call->pool);
    } else {
        return run_widened(call, x, y, &a, log);
    }
    return UNCORK_OK;
}

static uncork_status run_softmax(uc_call *call) { return run_as(call, false); }

static uncork_status run_log_softmax(uc_call *call) { return run_as(call, true); }

const uc_op uc_op_softmax = {
    .name = "Softmax", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run_softmax};
const uc_op uc_op_log_softmax = {
    .name = "LogSoftmax", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run_log_softmax};

/* ---- Hardmax: 1 at the first maximum, 0 elsewhere ------------------------------------------ */

static uncork_status run_hardmax(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_along a;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", -1), &a));
    int64_t *at = uc_call_scratch(call, (size_t)(a.outer * a.inner), sizeof *at);
    size_t count = (size_t)uc_tensor_count(x), size = uc_dtype_size(x->dtype);
    if (!at) return uc_fail_memory(call->error);
    memset(y->data, 0, count * size);
    if (count == 0) return UNCORK_OK;
    uc_arg_reduce job = {.x = x->data,
                         .dtype = x->dtype,
                         .y = at,
                         .outer = a.outer,
                         .red = a.n,
                         .inner = a.inner,
                         .max = true};
    if (!uc_arg_reduce_run(&job)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not defined for %s",
                            uc_dtype_name(x->dtype));
    }
    const double one = 1;
    for (int64_t i = 0; i < a.outer * a.inner; i++) {
        int64_t place = (i / a.inner * a.n + at[i]) * a.inner + i % a.inner;
        uc_dtype_convert((char *)y->data + (size_t)place * size, y->dtype, &one, UNCORK_FLOAT64, 1);
    }
    return UNCORK_OK;
}

const uc_op uc_op_hardmax = {
    .name = "Hardmax", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run_hardmax};
