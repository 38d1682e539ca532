/* QL2Norm: bytes of the last axis by their length, in steps of 1/128 around 128.
 *
 * x  u8, rank at least 1
 * y  u8, x's shape
 * attributes: x_zero; offset (128 where bytes stand for signed ones: these are scaled by other steps)
 * Source: tensorflow/lite/kernels/internal/{quantization_util.h (GetInvSqrtQuantizedMultiplierExp),
 * optimized/optimized_ops.h, reference/integer_ops/l2normalization.h} */
#include "base/thread.h"
#include "op/ext/q_number.h"

typedef struct prepared {
    int32_t zero;
    bool lifted;
} prepared;

static uncork_status read(uc_call *call, prepared *p)
{
    const int64_t zero = uc_call_int(call, "x_zero", 0);
    if (zero < 0 || zero > 255) return uc_call_fail(call, UNCORK_INPUT, "x_zero isn't a byte");
    p->zero = (int32_t)zero;
    p->lifted = uc_call_int(call, "offset", 0) != 0;
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    prepared p;
    UC_TRY(read(call, &p));
    if (x->dtype && x->dtype != UNCORK_UINT8)
        return uc_call_fail(call, UNCORK_INPUT, "x isn't uint8");
    if (x->rank == 0) return uc_call_fail(call, UNCORK_INPUT, "x has no axis");
    return uc_call_shape(call, 0, UNCORK_UINT8, x->rank, x->shape);
}

static uncork_status prepare(uc_call *call)
{
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    call->prepared = p;
    return read(call, p);
}

/* x 2^bits within 32 bits. */
static int32_t saturated_left(int32_t x, int bits)
{
    const int64_t v = (int64_t)x * ((int64_t)1 << bits);
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

/* 1 / sqrt(v) as m 2^(shift - 31), by Newton's method on numbers of 28 bits behind the point. */
static uc_fixed inverse_root(int32_t v)
{
    if (v <= 1) return (uc_fixed){INT32_MAX, 0};
    int shift = 11, pairs = -1;
    for (; v >= 1 << 29; v /= 4)
        shift++;
    for (int64_t w = v; w * 4 < INT64_C(1) << 31; w *= 4)
        pairs++;
    if (pairs > 0) v = (int32_t)((uint32_t)v << (2 * pairs));
    shift -= pairs;
    const int32_t half = uc_fixed_down(v >> 1, 1), three_halves = (1 << 28) + (1 << 27);
    int32_t x = 1 << 28;
    for (int i = 0; i < 5; i++) {
        const int32_t cube = saturated_left(uc_fixed_high(uc_fixed_high(x, x), x), 6);
        const int32_t a = uc_fixed_high(three_halves, x), b = uc_fixed_high(half, cube);
        x = saturated_left((int32_t)((uint32_t)a - (uint32_t)b), 3);
    }
    x = uc_fixed_high(x, 1518500250); /* sqrt(2) / 2 */
    if (shift < 0) {
        x = (int32_t)((uint32_t)x << -shift);
        shift = 0;
    }
    return (uc_fixed){x, -shift};
}

typedef struct job {
    const prepared *p;
    const uc_tensor *x;
    uc_tensor *y;
    int64_t depth;
} job;

static void rows(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        const uint8_t *x = (const uint8_t *)j->x->data + row * j->depth;
        uint8_t *y = (uint8_t *)j->y->data + row * j->depth;
        uint32_t sum = 0;
        for (int64_t i = 0; i < j->depth; i++)
            sum += (uint32_t)((x[i] - j->p->zero) * (x[i] - j->p->zero));
        uc_fixed f = inverse_root((int32_t)sum);
        f.shift += j->p->lifted ? 7 : 0;
        for (int64_t i = 0; i < j->depth; i++) {
            const int32_t d = x[i] - j->p->zero;
            const int32_t v = uc_fixed_twice(j->p->lifted ? d : 128 * d, f);
            y[i] = (uint8_t)(uc_fixed_clamp(v, -128, 127) + 128);
        }
    }
}

static uncork_status run(uc_call *call)
{
    job j = {.p = call->prepared, .x = uc_call_arg(call, 0), .y = uc_call_out(call, 0)};
    if (!j.y) return call->error->status;
    j.depth = j.x->shape[j.x->rank - 1];
    const int64_t count = uc_tensor_count(j.x);
    if (count) uc_parallel(call->pool, count / j.depth, 1 + 4096 / j.depth, rows, &j);
    return UNCORK_OK;
}

const uc_op uc_op_q_l2_norm = {
    .domain = "uncork",
    .name = "QL2Norm",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
