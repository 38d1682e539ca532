/* Trilu: the upper or lower triangle of the last two axes, zeros elsewhere.
 *
 * Source: ONNX operator Trilu, opset 14 (k: the diagonal where the triangle begins).
 * x  any type [..., n, m]; k  int64 scalar;  y  as x */
#include "op/move.h"
#include "op/shape.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    if (x->rank >= 0 && x->rank < 2) {
        return uc_call_fail(call, UNCORK_INPUT, "%d dimensions are no matrix", x->rank);
    }
    return uc_call_shape_like(call, 0, 0, x->dtype);
}

typedef struct context {
    int64_t count, rows, columns, k;
    bool upper;
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    for (int64_t i = 0; i < c->count; i++) {
        int64_t row = i / c->columns % c->rows, column = i % c->columns;
        /* column - row >= k, in an order that can't overflow */
        bool above = column - row >= c->k, below = column - row <= c->k;
        const char *x = (const char *)from[0] + (size_t)i * size;
        memcpy((char *)to + (size_t)i * size, (c->upper ? above : below) ? x : from[1], size);
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uint64_t zero[2] = {0}, no_text[2] = {0};
    const uc_tensor nothing = {
        .dtype = x->dtype, .data = zero, .strings = {.offsets = no_text, .bytes = ""}};
    const uc_tensor *from[] = {x, &nothing};
    context c = {.count = uc_tensor_count(x),
                 .rows = x->shape[x->rank - 2],
                 .columns = x->shape[x->rank - 1],
                 .upper = uc_call_int(call, "upper", 1) != 0};
    if (uc_call_in(call, 1)) UC_TRY(uc_call_one_int(call, 1, &c.k));
    return uc_move(call, 0, from, 2, move, &c);
}

const uc_op uc_op_trilu = {
    .name = "Trilu", .in = {1, 2}, .out = {1, 1}, .infer = infer, .run = run};
