/* uncork.OrderedLinear: a linear function summed feature after feature in float32.
 *
 * Source: xgboost src/gbm/gblinear.cc, GBLinear::Pred: from the bias on, present features only.
 * x  f32 [rows, features]; NaN is absent;  y  f32 [rows, columns]
 * weight  tensor f32 [features + 1, columns]; the last row is where sums start
 * Numerics: one product and one sum, rounded each, per feature, in order. */
#include "op/op.h"

static const uc_tensor *weight_of(const uc_call *call)
{
    const uc_attr *attr = uc_call_attr(call, "weight");
    const uc_tensor *w = attr ? attr->tensor : NULL;
    bool ok = w && w->dtype == UNCORK_FLOAT32 && w->rank == 2 && w->shape[0] >= 1 &&
              uc_tensor_is_dense(w);
    return ok ? w : NULL;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *w = weight_of(call);
    if (!w || !x || x->dtype != UNCORK_FLOAT32 || x->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "rows and weights must be float32 matrices");
    }
    if (x->shape[1] >= 0 && x->shape[1] != w->shape[0] - 1) {
        return uc_call_fail(call, UNCORK_INPUT, "rows have %lld columns, the model takes %lld",
                            (long long)x->shape[1], (long long)w->shape[0] - 1);
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 2, (int64_t[]){x->shape[0], w->shape[1]});
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_tensor_dense(call->arena, uc_call_in(call, 0)), *w = weight_of(call);
    uc_tensor *y;
    if (!x) {
        return uc_arena_status(call->arena, call->error);
    }
    int64_t rows = x->shape[0], features = w->shape[0] - 1, columns = w->shape[1];
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT32, 2, (int64_t[]){rows, columns}, &y));
    for (int64_t i = 0; i < rows; i++) {
        const float *row = (const float *)x->data + i * features, *weight = w->data;
        float *sum = (float *)y->data + i * columns;
        memcpy(sum, weight + features * columns, (size_t)columns * sizeof *sum);
        for (int64_t f = 0; f < features; f++) {
            for (int64_t k = 0; row[f] == row[f] && k < columns; k++) {
                sum[k] += row[f] * weight[f * columns + k];
            }
        }
    }
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *w = weight_of(call);
    uint64_t cost = 0;
    if (!x || !w || x->shape[0] < 0 ||
        __builtin_mul_overflow((uint64_t)x->shape[0], (uint64_t)uc_tensor_count(w), &cost)) {
        return 0;
    }
    return cost;
}

const uc_op uc_op_ordered_linear = {
    .domain = "uncork",
    .name = "OrderedLinear",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
    .macs = macs,
};
