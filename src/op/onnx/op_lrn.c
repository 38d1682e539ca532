/* LRN: local response normalization across channels.
 *
 * Source: ONNX operator LRN, opset 13: y = x / (bias + alpha / size * sum)^beta, the sum of squares
 * over the channels from c - (size - 1) / 2 (rounded down) to c + (size - 1) / 2 (rounded up).
 * x  float [N, C, ...];  y  as x.
 * Numerics: squares are summed in float64. */
#include "base/thread.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

enum { CHUNK = 256 }; /* places whose sums are kept at a time */

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t size = uc_call_int(call, "size", 0);
    UC_TRY(uc_call_expect_wide(call, 0));
    if (size < 1) return uc_call_fail(call, UNCORK_MALFORMED, "size is %" PRId64, size);
    if (x->rank >= 0 && x->rank < 2) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "the input has %d dimensions, at least 2 are needed", x->rank);
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, x->shape);
}

typedef struct job {
    const uc_tensor *x;
    uc_tensor *y;
    int64_t channels, plane, before, after;
    double scale, beta, bias;
} job;

/* 1 / v^beta; 0.75, which nearly every model has, by roots. */
static double damp(double v, double beta)
{
    if (beta != 0.75) return pow(v, -beta);
    double root = sqrt(v);
    return 1 / (root * sqrt(root));
}

/* Adds the squares of n elements from `at` on. */
static void add(const job *j, int64_t at, int64_t n, double *sum)
{
    for (int64_t i = 0; i < n; i++) {
        double v = j->x->dtype == UNCORK_FLOAT64 ? ((const double *)j->x->data)[at + i]
                                                 : (double)((const float *)j->x->data)[at + i];
        sum[i] += v * v;
    }
}

static void body(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    double sum[CHUNK];
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        int64_t image = row / j->channels, c = row % j->channels;
        int64_t first = c - j->before > 0 ? c - j->before : 0;
        int64_t last = c + j->after < j->channels - 1 ? c + j->after : j->channels - 1;
        for (int64_t p = 0; p < j->plane; p += CHUNK) {
            int64_t n = j->plane - p < CHUNK ? j->plane - p : CHUNK, at = row * j->plane + p;
            memset(sum, 0, sizeof sum);
            for (int64_t k = first; k <= last; k++) {
                add(j, (image * j->channels + k) * j->plane + p, n, sum);
            }
            for (int64_t i = 0; i < n; i++) {
                double factor = damp(j->bias + j->scale * sum[i], j->beta);
                if (j->x->dtype == UNCORK_FLOAT64) {
                    ((double *)j->y->data)[at + i] = ((const double *)j->x->data)[at + i] * factor;
                } else {
                    ((float *)j->y->data)[at + i] =
                        (float)((double)((const float *)j->x->data)[at + i] * factor);
                }
            }
        }
    }
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t size = uc_call_int(call, "size", 1);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    job j = {.x = x, .y = y, .channels = x->shape[1], .plane = 1};
    for (int d = 2; d < x->rank; d++) {
        j.plane *= x->shape[d];
    }
    if (size > 2 * j.channels + 1) size = 2 * j.channels + 1 + size % 2; /* all channels anyway */
    j.before = (size - 1) / 2;
    j.after = size / 2;
    j.scale = uc_call_float(call, "alpha", (double)1e-4F) / (double)uc_call_int(call, "size", 1);
    j.beta = uc_call_float(call, "beta", 0.75);
    j.bias = uc_call_float(call, "bias", 1);
    uc_parallel(call->pool, x->shape[0] * j.channels, 1, body, &j);
    return UNCORK_OK;
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_lrn = {.name = "LRN", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run};
