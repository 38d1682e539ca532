/* BatchNormalization: every channel brought to mean 0 and variance 1, then scaled and shifted.
 *
 * Source: ONNX operator BatchNormalization, opset 15; training_mode 1 takes mean and (population)
 * variance from the batch and updates the running ones: momentum * old + (1 - momentum) * new.
 * x  float [N, C, ...] or [N] (one channel);  scale, b, mean, var  float [C]
 * y  as x;  running_mean, running_var  as mean, var, with training_mode only.
 * Numerics: scale / sqrt(var + epsilon) is computed in float64 and rounded once; sums in float64. */
#include "base/thread.h"
#include "kernel/span.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

static bool is_training(const uc_call *call) { return uc_call_int(call, "training_mode", 0) != 0; }

static int64_t channels_of(const uc_tensor *x) { return x->rank > 1 ? x->shape[1] : 1; }

static uncork_status infer(uc_call *call)
{
    static const char *const names[] = {"X", "scale", "B", "input_mean", "input_var"};
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_call_expect_wide(call, 0));
    if (x->rank == 0) return uc_call_fail(call, UNCORK_INPUT, "the input is a scalar");
    int64_t channels = x->rank > 0 ? channels_of(x) : UC_DIM_UNKNOWN;
    for (size_t i = 1; i < 5; i++) {
        const uc_tensor *t = uc_call_arg(call, i);
        UC_TRY(uc_call_expect_wide(call, i));
        bool fits = t->rank < 0 ||
                    (t->rank == 1 && (t->shape[0] < 0 || channels < 0 || t->shape[0] == channels));
        if (fits) continue;
        char text[128];
        return uc_call_fail(call, UNCORK_INPUT, "%s has shape %s for %" PRId64 " channels",
                            names[i], uc_shape_text(t->shape, t->rank, text, sizeof text),
                            channels);
    }
    bool more = uc_call_wants(call, 1) || uc_call_wants(call, 2);
    if (more && !is_training(call)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "more than one output without training_mode");
    }
    UC_TRY(uc_call_shape(call, 0, x->dtype, x->rank, x->shape));
    UC_TRY(uc_call_shape_like(call, 1, 3, uc_call_dtype(call, 3)));
    return uc_call_shape_like(call, 2, 4, uc_call_dtype(call, 4));
}

/* A channel's numbers. */
typedef struct channel {
    double mean, factor, offset;
} channel;

typedef struct job {
    const uc_tensor *x;
    uc_tensor *y;
    const channel *channels;
    int64_t count, plane;
} job;

static void body(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        const channel *c = &j->channels[i % j->count];
        if (j->x->dtype == UNCORK_FLOAT64) {
            uc_spans_f64()->scale((double *)j->y->data + i * j->plane,
                                  (const double *)j->x->data + i * j->plane, c->mean, c->factor,
                                  c->offset, j->plane);
        } else {
            uc_spans_f32()->scale((float *)j->y->data + i * j->plane,
                                  (const float *)j->x->data + i * j->plane, (float)c->mean,
                                  (float)c->factor, (float)c->offset, j->plane);
        }
    }
}

static double sum_of(const job *j, int64_t i, bool squares, double mean)
{
    if (j->x->dtype == UNCORK_FLOAT64) {
        const double *x = (const double *)j->x->data + i * j->plane;
        return squares ? uc_spans_f64()->squares(x, mean, j->plane)
                       : uc_spans_f64()->sum(x, j->plane);
    }
    const float *x = (const float *)j->x->data + i * j->plane;
    return squares ? uc_spans_f32()->squares(x, mean, j->plane) : uc_spans_f32()->sum(x, j->plane);
}

/* Mean and variance of channel c over the batch. */
static void measure(const job *j, int64_t batch, int64_t c, double *mean, double *var)
{
    double n = (double)(batch * j->plane), sum = 0;
    for (int64_t b = 0; b < batch; b++) {
        sum += sum_of(j, b * j->count + c, false, 0);
    }
    *mean = sum / n;
    sum = 0;
    for (int64_t b = 0; b < batch; b++) {
        sum += sum_of(j, b * j->count + c, true, *mean);
    }
    *var = sum / n;
}

/* running = old * momentum + now * (1 - momentum), for output i. */
static uncork_status update(uc_call *call, size_t i, const double *now, int64_t count)
{
    if (!uc_call_wants(call, i)) return UNCORK_OK;
    const uc_tensor *old = uc_call_arg(call, i + 2);
    uc_tensor *y = uc_call_out(call, i);
    double momentum = uc_call_float(call, "momentum", (double)0.9F);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t c = 0; c < count; c++) {
        double v = uc_dtype_load_f64(old->data, c, old->dtype) * momentum + now[c] * (1 - momentum);
        uc_dtype_convert((char *)y->data + (size_t)c * uc_dtype_size(y->dtype), y->dtype, &v,
                         UNCORK_FLOAT64, 1);
    }
    return UNCORK_OK;
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *in[5];
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    double epsilon = uc_call_float(call, "epsilon", (double)1e-5F);
    job j = {.x = x, .y = y, .count = channels_of(x), .plane = 1};
    int64_t batch = x->shape[0];
    for (int d = 2; d < x->rank; d++) {
        j.plane *= x->shape[d];
    }
    channel *channels = uc_call_scratch(call, (size_t)j.count, sizeof *channels);
    double *mean = uc_call_scratch(call, (size_t)j.count, sizeof *mean);
    double *var = uc_call_scratch(call, (size_t)j.count, sizeof *var);
    if (!channels || !mean || !var) return uc_fail_memory(call->error);
    for (size_t i = 1; i < 5; i++) {
        in[i] = uc_call_arg(call, i);
    }
    for (int64_t c = 0; c < j.count; c++) {
        mean[c] = uc_dtype_load_f64(in[3]->data, c, in[3]->dtype);
        var[c] = uc_dtype_load_f64(in[4]->data, c, in[4]->dtype);
        if (is_training(call)) measure(&j, batch, c, &mean[c], &var[c]);
        channels[c].mean = mean[c];
        channels[c].factor =
            uc_dtype_load_f64(in[1]->data, c, in[1]->dtype) / sqrt(var[c] + epsilon);
        channels[c].offset = uc_dtype_load_f64(in[2]->data, c, in[2]->dtype);
    }
    j.channels = channels;
    int64_t grain = j.plane < 4096 ? 4096 / (j.plane ? j.plane : 1) : 1;
    uc_parallel(call->pool, batch * j.count, grain, body, &j);
    UC_TRY(update(call, 1, mean, j.count));
    return update(call, 2, var, j.count);
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_batch_normalization = {
    .name = "BatchNormalization", .in = {5, 5}, .out = {1, 3}, .infer = infer, .run = run};
