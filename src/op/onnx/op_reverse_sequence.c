/* ReverseSequence: the first `lens[i]` steps of each sequence turned round, the rest as it is.
 *
 * Source: ONNX operator ReverseSequence, opset 28; time and batch are the first two axes.
 * x  any type [time, batch, ...] or [batch, time, ...]; lens  int64 [batch];  y  as x */
#include "op/move.h"
#include "op/shape.h"

#include <inttypes.h>

static uncork_status find_axes(uc_call *call, int *time, int *batch)
{
    int64_t t = uc_call_int(call, "time_axis", 0), b = uc_call_int(call, "batch_axis", 1);
    if (t + b != 1 || t < 0 || t > 1) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "axes %" PRId64 " and %" PRId64 " aren't 0 and 1", t, b);
    }
    *time = (int)t;
    *batch = (int)b;
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *lens = uc_call_arg(call, 1);
    int time = 0, batch = 0;
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    UC_TRY(find_axes(call, &time, &batch));
    if (x->rank >= 0 && x->rank < 2) {
        return uc_call_fail(call, UNCORK_INPUT, "%d dimensions hold no sequences", x->rank);
    }
    bool known = x->rank >= 2 && lens->rank >= 0;
    bool fits = !known || (lens->rank == 1 && (lens->shape[0] < 0 || x->shape[batch] < 0 ||
                                               lens->shape[0] == x->shape[batch]));
    if (!fits) return uc_call_fail(call, UNCORK_INPUT, "one length a sequence is wanted");
    return uc_call_shape_like(call, 0, 0, x->dtype);
}

typedef struct context {
    const uc_tensor *x, *lens;
    int time, batch;
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    int64_t steps = c->x->shape[c->time], inner = 1;
    for (int d = 2; d < c->x->rank; d++) {
        inner *= c->x->shape[d];
    }
    size_t piece = (size_t)inner * size;
    for (int64_t b = 0; b < c->x->shape[c->batch]; b++) {
        int64_t n = uc_dtype_load_i64(c->lens->data, b, c->lens->dtype);
        for (int64_t t = 0; t < steps; t++) {
            int64_t source = t < n ? n - 1 - t : t;
            int64_t at = b * c->x->stride[c->batch];
            memcpy((char *)to + (size_t)(at + t * c->x->stride[c->time]) * size,
                   (const char *)from[0] + (size_t)(at + source * c->x->stride[c->time]) * size,
                   piece);
        }
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *lens = uc_call_arg(call, 1);
    context c = {.x = x, .lens = lens};
    UC_TRY(find_axes(call, &c.time, &c.batch));
    for (int64_t b = 0; b < uc_tensor_count(lens); b++) {
        int64_t n = uc_dtype_load_i64(lens->data, b, lens->dtype);
        if (n >= 0 && n <= x->shape[c.time]) continue;
        return uc_call_fail(call, UNCORK_INPUT, "length %" PRId64 " of %" PRId64 " steps", n,
                            x->shape[c.time]);
    }
    return uc_move(call, 0, &x, 1, move, &c);
}

const uc_op uc_op_reverse_sequence = {
    .name = "ReverseSequence", .in = {2, 2}, .out = {1, 1}, .infer = infer, .run = run};
