/* ToHalf: float32 [N, C, H, W] to bfloat16 [N, H, W, C]. FromHalf: back. Passes emit them under
 * --precision fast. */
#include "base/thread.h"
#include "op/ext/half_ops.h"

enum { PIXELS = 32 }; /* that are turned together */

static uncork_status infer(uc_call *call, bool to_half)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    if (!to_half) UC_TRY(uc_half_expect(call, 0, -1));
    if (to_half && ((x->dtype != UNCORK_FLOAT32 && x->dtype != UNCORK_DTYPE_NONE) ||
                    (x->rank >= 0 && x->rank != 4))) {
        return uc_call_fail(call, UNCORK_INPUT, "x isn't float32 [n, c, h, w]");
    }
    int64_t shape[4] = {-1, -1, -1, -1};
    static const int order[2][4] = {{0, 3, 1, 2}, {0, 2, 3, 1}};
    for (int d = 0; d < 4 && x->rank == 4; d++)
        shape[d] = x->shape[order[to_half][d]];
    return uc_call_shape(call, 0, to_half ? UNCORK_BFLOAT16 : UNCORK_FLOAT32, 4, shape);
}

static uncork_status infer_to(uc_call *call) { return infer(call, true); }
static uncork_status infer_from(uc_call *call) { return infer(call, false); }

typedef struct job {
    const uc_half *kernels;
    const void *x;
    void *y;
    int64_t channels, plane, pieces; /* of PIXELS pixels in a picture */
} job;

/* A piece is 32 pixels of a picture, all channels: 32 channels at a time. */
static void to_pieces(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        const int64_t image = i / j->pieces, first = i % j->pieces * PIXELS;
        const int64_t n = j->plane - first < PIXELS ? j->plane - first : PIXELS;
        const float *from = (const float *)j->x + image * j->channels * j->plane + first;
        uint16_t *to = (uint16_t *)j->y + (image * j->plane + first) * j->channels;
        for (int64_t c = 0; c < j->channels; c++, from += j->plane) {
            uint16_t column[PIXELS];
            j->kernels->round(from, column, n);
            for (int64_t p = 0; p < n; p++)
                to[p * j->channels + c] = column[p];
        }
    }
}

static void from_pieces(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        const int64_t image = i / j->pieces, first = i % j->pieces * PIXELS;
        const int64_t n = j->plane - first < PIXELS ? j->plane - first : PIXELS;
        const uint16_t *from = (const uint16_t *)j->x + (image * j->plane + first) * j->channels;
        float *to = (float *)j->y + image * j->channels * j->plane + first;
        for (int64_t c = 0; c < j->channels; c++, to += j->plane) {
            uint16_t column[PIXELS];
            for (int64_t p = 0; p < n; p++)
                column[p] = from[p * j->channels + c];
            j->kernels->widen(column, to, n);
        }
    }
}

static uncork_status run(uc_call *call, bool to_half)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    job j = {.x = x->data, .channels = x->shape[to_half ? 1 : 3]};
    UC_TRY(uc_half_require(call, &j.kernels));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    j.y = y->data;
    j.plane = uc_tensor_count(y) / x->shape[0] / j.channels;
    if (j.plane == 1) { /* only the type changes */
        if (to_half) {
            j.kernels->round(j.x, j.y, uc_tensor_count(y));
        } else {
            j.kernels->widen(j.x, j.y, uc_tensor_count(y));
        }
        return UNCORK_OK;
    }
    j.pieces = (j.plane + PIXELS - 1) / PIXELS;
    uc_parallel(call->pool, x->shape[0] * j.pieces, 1 + 512 / j.channels,
                to_half ? to_pieces : from_pieces, &j);
    return UNCORK_OK;
}

static uncork_status run_to(uc_call *call) { return run(call, true); }
static uncork_status run_from(uc_call *call) { return run(call, false); }

const uc_op uc_op_to_half = {.domain = "uncork",
                             .name = "ToHalf",
                             .in = {1, 1},
                             .out = {1, 1},
                             .infer = infer_to,
                             .run = run_to};
const uc_op uc_op_from_half = {.domain = "uncork",
                               .name = "FromHalf",
                               .in = {1, 1},
                               .out = {1, 1},
                               .infer = infer_from,
                               .run = run_from};
