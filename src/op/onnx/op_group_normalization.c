/* GroupNormalization and InstanceNormalization: the channels of a group (each channel alone) brought
 * to mean 0 and variance 1 over one sample, then scaled and shifted a channel.
 *
 * Source: ONNX operators GroupNormalization 21, InstanceNormalization 22.
 * x  float [N, C, ...];  scale, bias  [C];  y  as x.
 * Numerics: sums run in float64; short floats run in float32, which every stash_type allows. */
#include "base/thread.h"
#include "kernel/span.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer_as(uc_call *call, bool grouped)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t groups = uc_call_int(call, "num_groups", grouped ? 0 : 1);
    UC_TRY(uc_call_expect_wide(call, 0));
    if (groups < 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "num_groups is %" PRId64, groups);
    }
    if (x->rank >= 0 && x->rank < 2) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "the input has %d dimensions, at least 2 are needed", x->rank);
    }
    int64_t channels = x->rank < 0 ? UC_DIM_UNKNOWN : x->shape[1];
    if (channels >= 0 && channels % groups != 0) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "%" PRId64 " channels don't divide into %" PRId64 " groups", channels,
                            groups);
    }
    for (size_t i = 1; i < 3; i++) {
        const uc_tensor *t = uc_call_arg(call, i);
        UC_TRY(uc_call_same_dtype(call, 0, i));
        bool fits = t->rank < 0 ||
                    (t->rank == 1 && (t->shape[0] < 0 || channels < 0 || t->shape[0] == channels));
        if (fits) continue;
        char text[128];
        return uc_call_fail(call, UNCORK_INPUT, "%s has shape %s for %" PRId64 " channels",
                            i == 1 ? "scale" : "bias",
                            uc_shape_text(t->shape, t->rank, text, sizeof text), channels);
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, x->shape);
}

typedef struct job {
    const uc_tensor *x, *scale, *bias;
    uc_tensor *y;
    int64_t groups, channels, plane; /* channels of a group */
    double epsilon;
} job;

/* One group of one sample. */
#define GROUP(NAME, T, SPANS)                                                          \
    static void NAME(const job *j, int64_t i)                                          \
    {                                                                                  \
        int64_t n = j->channels * j->plane, channel = i % j->groups * j->channels;     \
        const T *x = (const T *)j->x->data + i * n;                                    \
        T *y = (T *)j->y->data + i * n;                                                \
        double mean = SPANS->sum(x, n) / (double)n;                                    \
        double factor = 1 / sqrt(SPANS->squares(x, mean, n) / (double)n + j->epsilon); \
        for (int64_t c = 0; c < j->channels; c++) {                                    \
            double scale = (double)((const T *)j->scale->data)[channel + c] * factor;  \
            SPANS->scale(y + c * j->plane, x + c * j->plane, (T)mean, (T)scale,        \
                         ((const T *)j->bias->data)[channel + c], j->plane);           \
        }                                                                              \
    }

GROUP(group_f32, float, uc_spans_f32())
GROUP(group_f64, double, uc_spans_f64())

static void body(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        if (j->x->dtype == UNCORK_FLOAT64) {
            group_f64(j, i);
        } else {
            group_f32(j, i);
        }
    }
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    job j = {.x = x, .scale = uc_call_arg(call, 1), .bias = uc_call_arg(call, 2), .y = y};
    j.groups = uc_call_int(call, "num_groups", x->shape[1]);
    j.plane = 1;
    for (int d = 2; d < x->rank; d++) {
        j.plane *= x->shape[d];
    }
    if (uc_tensor_count(x) == 0) return UNCORK_OK;
    j.channels = x->shape[1] / j.groups;
    j.epsilon = uc_call_float(call, "epsilon", (double)1e-5F);
    int64_t n = j.channels * j.plane;
    uc_parallel(call->pool, x->shape[0] * j.groups, n < 4096 ? 4096 / n : 1, body, &j);
    return UNCORK_OK;
}

static uncork_status infer_group(uc_call *call) { return infer_as(call, true); }

static uncork_status infer_instance(uc_call *call) { return infer_as(call, false); }

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_group_normalization = {
    .name = "GroupNormalization", .in = {3, 3}, .out = {1, 1}, .infer = infer_group, .run = run};
const uc_op uc_op_instance_normalization = {.name = "InstanceNormalization",
                                            .in = {3, 3},
                                            .out = {1, 1},
                                            .infer = infer_instance,
                                            .run = run};
