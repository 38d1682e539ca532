/* Where: y = condition ? a : b.
 *
 * Source: ONNX operator Where, opset 16.
 * condition  bool; a, b  one type, any; all broadcast;  y  that type. */
#include "op/move.h"
#include "op/shape.h"
#include "op/spread.h"

static uncork_status infer(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_BOOL));
    UC_TRY(uc_call_same_dtype(call, 1, 2));
    UC_TRY(uc_broadcast_inputs(call, 0, 3, &rank, shape));
    uncork_dtype a = uc_call_dtype(call, 1), b = uc_call_dtype(call, 2);
    return uc_call_shape(call, 0, a ? a : b, rank, shape);
}

/* What move() needs beside the elements: the condition and the shapes. */
typedef struct context {
    const uc_tensor *condition, *a, *b, *out;
    uncork_pool *pool;
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    uc_walk w;
    uc_walk_begin(&w, c->out->rank, c->out->shape);
    uc_walk_add(&w, to, size, c->out->rank, c->out->shape, NULL);
    uc_walk_add(&w, c->condition->data, 1, c->condition->rank, c->condition->shape, NULL);
    uc_walk_add(&w, from[0], size, c->a->rank, c->a->shape, NULL);
    uc_walk_add(&w, from[1], size, c->b->rank, c->b->shape, NULL);
    uc_walk_fold(&w);
    uc_walk_run(&w, uc_loop_where(size), c->pool);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *from[] = {uc_call_arg(call, 1), uc_call_arg(call, 2)};
    context c = {uc_call_arg(call, 0), from[0], from[1], &call->out[0]->tensor, call->pool};
    return uc_move(call, 0, from, 2, move, &c);
}

const uc_op uc_op_where = {
    .name = "Where", .in = {3, 3}, .out = {1, 1}, .infer = infer, .run = run};
