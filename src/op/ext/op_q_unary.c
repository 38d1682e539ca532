/* QUnary: a function of every quantised element; over bytes it is a table of 256.
 *
 * x  u8 or s16, any shape
 * y  of type `to` (x's), x's shape
 * attributes: function (q_unary.h: "identity", "logistic", ...), rounding, x_scale, x_zero, y_scale, y_zero,
 * low, high, alpha; to */
#include "base/thread.h"
#include "op/ext/q_unary.h"

typedef struct prepared {
    uc_q_unary unary;
    int32_t table[256];
} prepared;

static uncork_status read(uc_call *call, uc_q_unary *u, uncork_dtype *to)
{
    const uc_str name = uc_call_str(call, "function", "identity");
    const uncork_dtype x = uc_call_arg(call, 0)->dtype;
    *to = (uncork_dtype)uc_call_int(call, "to", x);
    if (*to != UNCORK_UINT8 && *to != UNCORK_INT16 && *to != UNCORK_INT32)
        return uc_call_fail(call, UNCORK_INPUT, "to is neither uint8, int16 nor int32");
    int f = 0;
    while (f < UC_Q_FUNCTIONS && !uc_str_is(name, uc_q_function_names[f]))
        f++;
    if (f == UC_Q_FUNCTIONS)
        return uc_call_fail(call, UNCORK_INPUT, "no function '%.*s'", (int)name.size, name.data);
    u->function = (uc_q_function)f;
    u->wide = x == UNCORK_INT16;
    u->alpha = (float)uc_call_float(call, "alpha", 0);
    UC_TRY(uc_q_rule_read(call, &u->rule));
    UC_TRY(uc_q_number_read(call, "x", x, &u->x));
    UC_TRY(uc_q_number_read(call, "y", *to, &u->y));
    return uc_q_limits_read(call, *to, &u->low, &u->high);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_q_unary u = {.function = UC_Q_IDENTITY};
    uncork_dtype to;
    UC_TRY(uc_q_expect(call, 0));
    if (!x->dtype) return UNCORK_OK;
    UC_TRY(read(call, &u, &to));
    return uc_call_shape(call, 0, to, x->rank, x->shape);
}

static uncork_status prepare(uc_call *call)
{
    prepared *p = UC_NEW(call->arena, prepared, 1);
    uncork_dtype to;
    if (!p) return uc_arena_status(call->arena, call->error);
    UC_TRY(read(call, &p->unary, &to));
    uc_q_unary_begin(&p->unary);
    for (int q = 0; q < 256 && !p->unary.wide; q++)
        p->table[q] = uc_q_unary_at(&p->unary, q);
    call->prepared = p;
    return UNCORK_OK;
}

typedef struct job {
    const prepared *p;
    const void *x;
    uc_tensor *y;
} job;

static void span(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    if (!j->p->unary.wide && j->y->dtype == UNCORK_UINT8) {
        const uint8_t *x = j->x;
        uint8_t *y = j->y->data;
        for (int64_t i = begin; i < end; i++)
            y[i] = (uint8_t)j->p->table[x[i]];
        return;
    }
    for (int64_t i = begin; i < end; i++) {
        const int32_t q = uc_q_load(j->x, i, j->p->unary.wide);
        uc_q_store(j->y->data, i, j->y->dtype,
                   j->p->unary.wide ? uc_q_unary_at(&j->p->unary, q) : j->p->table[q]);
    }
}

static uncork_status run(uc_call *call)
{
    job j = {call->prepared, uc_call_arg(call, 0)->data, uc_call_out(call, 0)};
    if (!j.y) return call->error->status;
    uc_parallel(call->pool, uc_tensor_count(j.y), 1 << 16, span, &j);
    return UNCORK_OK;
}

const uc_op uc_op_q_unary = {
    .domain = "uncork",
    .name = "QUnary",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
