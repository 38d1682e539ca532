/* QScale: sums of products of two quantised tensors as the third's integers.
 *
 * x  s32 or s64, any shape
 * y  of type `to` (u8, s16), x's shape: round(x a_scale b_scale / y_scale) + y_zero, within low and high
 * attributes: to, rounding ("float", "up", "once", "twice" as in QConv), a_scale, b_scale, y_scale, y_zero,
 * low, high
 * Source: tensorflow/lite/kernels/batch_matmul.cc, kernel_util.cc (GetQuantizedConvolutionMultipler) */
#include "base/thread.h"
#include "op/ext/q_conv.h"
#include "op/ext/q_number.h"

typedef struct prepared {
    uc_q_rounding rounding;
    float scale;
    uc_fixed fixed;
    int32_t zero, low, high;
} prepared;

static uncork_status read(uc_call *call, prepared *p, uncork_dtype *to)
{
    const float a = (float)uc_call_float(call, "a_scale", 1);
    const float b = (float)uc_call_float(call, "b_scale", 1);
    uc_q_number y;
    UC_TRY(uc_q_rounding_read(call, &p->rounding));
    if (p->rounding == UC_Q_BLOCKS) return uc_call_fail(call, UNCORK_INPUT, "no such rounding");
    *to = (uncork_dtype)uc_call_int(call, "to", UNCORK_UINT8);
    if (*to != UNCORK_UINT8 && *to != UNCORK_INT16)
        return uc_call_fail(call, UNCORK_INPUT, "to is neither uint8 nor int16");
    UC_TRY(uc_q_number_read(call, "y", *to, &y));
    UC_TRY(uc_q_limits_read(call, *to, &p->low, &p->high));
    const float product = a * b;
    p->scale = product / y.scale;
    p->fixed = uc_fixed_of((double)product / (double)y.scale);
    p->zero = y.zero;
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    prepared p = {.zero = 0};
    uncork_dtype to;
    if (x->dtype && x->dtype != UNCORK_INT32 && x->dtype != UNCORK_INT64)
        return uc_call_fail(call, UNCORK_INPUT, "x is neither int32 nor int64");
    UC_TRY(read(call, &p, &to));
    return uc_call_shape(call, 0, to, x->rank, x->shape);
}

static uncork_status prepare(uc_call *call)
{
    prepared *p = UC_NEW(call->arena, prepared, 1);
    uncork_dtype to;
    if (!p) return uc_arena_status(call->arena, call->error);
    call->prepared = p;
    return read(call, p, &to);
}

typedef struct job {
    const prepared *p;
    const uc_tensor *x;
    uc_tensor *y;
} job;

static void span(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const prepared *p = j->p;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        int32_t v;
        if (j->x->dtype == UNCORK_INT64) {
            v = uc_fixed_wide(((const int64_t *)j->x->data)[i], p->fixed);
        } else if (p->rounding == UC_Q_FLOAT) {
            const float real = (float)((const int32_t *)j->x->data)[i] * p->scale;
            uc_q_store(j->y->data, i, j->y->dtype, uc_q_even(real, p->zero, p->low, p->high));
            continue;
        } else {
            v = uc_q_rounded(p->rounding, ((const int32_t *)j->x->data)[i], p->fixed);
        }
        v = (int32_t)((uint32_t)v + (uint32_t)p->zero);
        uc_q_store(j->y->data, i, j->y->dtype, uc_fixed_clamp(v, p->low, p->high));
    }
}

static uncork_status run(uc_call *call)
{
    job j = {call->prepared, uc_call_arg(call, 0), uc_call_out(call, 0)};
    if (!j.y) return call->error->status;
    uc_parallel(call->pool, uc_tensor_count(j.y), 1 << 14, span, &j);
    return UNCORK_OK;
}

const uc_op uc_op_q_scale = {
    .domain = "uncork",
    .name = "QScale",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
