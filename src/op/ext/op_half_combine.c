/* HalfCombine: y = activation(a op b) element by element in bfloat16, channels last; passes emit it
 * under --precision fast.
 *
 * a  bf16 [N, H, W, C]
 * b  bf16, as a or [N or 1, 1, 1, C]; absent without op
 * y  bf16, as a
 * attributes: op ("", "Add", "Mul"), activation, alpha, beta
 * Numerics: float32 arithmetic, y is rounded once. */
#include "base/thread.h"
#include "op/ext/half_ops.h"

static uncork_status read_op(uc_call *call, uc_half_binary *op)
{
    const uc_str name = uc_call_str(call, "op", "");
    *op = uc_str_is(name, "Add")   ? UC_HALF_ADD
          : uc_str_is(name, "Mul") ? UC_HALF_MUL
                                   : UC_HALF_NONE;
    if ((*op == UC_HALF_NONE && name.size) || (*op != UC_HALF_NONE) != (call->in_count == 2)) {
        return uc_call_fail(call, UNCORK_INPUT, "op is %.*s with %zu inputs",
                            (int)(name.size < 32 ? name.size : 32), name.data, call->in_count);
    }
    return UNCORK_OK;
}

/* One number of b for all of a picture's pixels. */
static bool is_broadcast(const uc_tensor *a, const uc_tensor *b)
{
    return b->shape[1] == 1 && b->shape[2] == 1 &&
           (a->shape[1] != 1 || a->shape[2] != 1 || a->shape[0] != b->shape[0]);
}

static bool meets(int64_t a, int64_t b) { return a < 0 || b < 0 || a == b; }

static uncork_status infer(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_in(call, 1);
    uc_half_binary op;
    uc_act act;
    UC_TRY(read_op(call, &op));
    UC_TRY(uc_block_act(call, "activation", "alpha", "beta", &act));
    UC_TRY(uc_half_expect(call, 0, -1));
    UC_TRY(uc_half_expect(call, 1, a->rank == 4 ? a->shape[3] : -1));
    if (b && a->rank == 4 && b->rank == 4) {
        const bool pixels = meets(a->shape[1], b->shape[1]) && meets(a->shape[2], b->shape[2]);
        const bool single = b->shape[1] == 1 && b->shape[2] == 1;
        const bool images = meets(a->shape[0], b->shape[0]) || (single && b->shape[0] == 1);
        if (!images || (!pixels && !single)) {
            return uc_call_fail(call, UNCORK_INPUT, "b is neither as a nor [n, 1, 1, c]");
        }
    }
    return uc_call_shape(call, 0, UNCORK_BFLOAT16, a->rank, a->shape);
}

typedef struct job {
    const uc_half *kernels;
    uc_half_binary op;
    uc_act act;
    const uint16_t *a, *b;
    uint16_t *y;
    int64_t row;     /* numbers of a piece */
    int64_t picture; /* pieces that share a row of b; 0: b is as a */
    bool one_b;      /* the same row for every picture */
} job;

static void rows(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    if (!j->picture) {
        const int64_t at = begin * j->row, n = (end - begin) * j->row;
        j->kernels->combine(j->op, j->act, j->a + at, j->b ? j->b + at : NULL, j->y + at, n);
        return;
    }
    for (int64_t i = begin; i < end; i++) {
        const uint16_t *b = j->b + (j->one_b ? 0 : i / j->picture * j->row);
        j->kernels->combine(j->op, j->act, j->a + i * j->row, b, j->y + i * j->row, j->row);
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_in(call, 1);
    job j = {.a = a->data, .b = b ? b->data : NULL};
    UC_TRY(uc_half_require(call, &j.kernels));
    UC_TRY(read_op(call, &j.op));
    UC_TRY(uc_block_act(call, "activation", "alpha", "beta", &j.act));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    j.y = y->data;
    j.row = a->shape[3];
    if (b && is_broadcast(a, b)) {
        j.picture = a->shape[1] * a->shape[2];
        j.one_b = b->shape[0] == 1;
    }
    uc_parallel(call->pool, uc_tensor_count(y) / j.row, 1 + 16384 / j.row, rows, &j);
    return UNCORK_OK;
}

const uc_op uc_op_half_combine = {.domain = "uncork",
                                  .name = "HalfCombine",
                                  .in = {1, 2},
                                  .out = {1, 1},
                                  .in_place = 1u << 0,
                                  .infer = infer,
                                  .run = run};
