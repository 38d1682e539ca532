/* QQuantize: floats as quantised integers, as XNNPACK and TensorFlow Lite (times 1 / scale, half to even) or
 * its reference (by scale, half away from zero) round them.
 *
 * x  f32, any shape
 * y  of type `to`: u8 or s16
 * attributes: to, rounding, y_scale, y_zero */
#include "base/thread.h"
#include "op/ext/q_number.h"

typedef struct job {
    uc_q_rule rule;
    uc_q_number y;
    int32_t low, high;
    const float *x;
    uc_tensor *to;
} job;

static uncork_status read(uc_call *call, job *j, uncork_dtype *to)
{
    *to = (uncork_dtype)uc_call_int(call, "to", UNCORK_UINT8);
    if (*to != UNCORK_UINT8 && *to != UNCORK_INT16)
        return uc_call_fail(call, UNCORK_INPUT, "to is neither uint8 nor int16");
    UC_TRY(uc_q_rule_read(call, &j->rule));
    UC_TRY(uc_q_number_read(call, "y", *to, &j->y));
    return uc_q_limits_read(call, *to, &j->low, &j->high);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    job j = {.rule = UC_Q_XNNPACK};
    uncork_dtype to;
    UC_TRY(read(call, &j, &to));
    if (x->dtype && x->dtype != UNCORK_FLOAT32)
        return uc_call_fail(call, UNCORK_INPUT, "x is %s, not float32", uc_dtype_name(x->dtype));
    return uc_call_shape(call, 0, to, x->rank, x->shape);
}

static void span(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const float inverse = 1.0f / j->y.scale;
    const float least = (float)(j->low - j->y.zero), most = (float)(j->high - j->y.zero);
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        float v = j->rule == UC_Q_REFERENCE ? roundf(j->x[i] / j->y.scale) : j->x[i] * inverse;
        v = v > least ? v : least; /* NaN: least */
        v = v < most ? v : most;
        /* Adding and taking away 1.5 * 2^23 rounds to an integer. */
        const int32_t q = (int32_t)((v + 12582912.0f) - 12582912.0f) + j->y.zero;
        uc_q_store(j->to->data, i, j->to->dtype, q);
    }
}

static uncork_status run(uc_call *call)
{
    job j = {.x = uc_call_arg(call, 0)->data, .to = uc_call_out(call, 0)};
    uncork_dtype to;
    if (!j.to) return call->error->status;
    UC_TRY(read(call, &j, &to));
    uc_parallel(call->pool, uc_tensor_count(j.to), 1 << 15, span, &j);
    return UNCORK_OK;
}

const uc_op uc_op_q_quantize = {
    .domain = "uncork",
    .name = "QQuantize",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
