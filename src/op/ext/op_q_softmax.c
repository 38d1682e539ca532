/* QSoftmax: softmax or its logarithm over the last axis of quantised numbers.
 *
 * x  u8 or s16, rank at least 1
 * y  of type `to`, x's shape
 * attributes: to, rounding ("builtin", "reference"), x_scale, y_scale, y_zero, beta, log (1: the logarithm),
 * offset (128 where bytes stand for signed ones)
 * Source: tensorflow/lite/kernels/activations.cc, internal/optimized/optimized_ops.h, internal/reference/
 * {softmax.h,integer_ops/log_softmax.h} */
#include "base/thread.h"
#include "op/ext/q_quotient.h"
#include "op/ext/q_unary.h"

typedef struct prepared {
    uc_q_rule rule;
    uc_q_number x, y;
    bool wide, log;
    float beta;
    int32_t low, high;
    float table[256]; /* e^(-x_scale beta d); of the logarithm x_scale d */
    uc_fixed diff;    /* of the fixed point */
    int32_t diff_min;
    int16_t exps[513], inverses[513];
} prepared;

static uncork_status read(uc_call *call, prepared *p, uncork_dtype *to)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    *to = (uncork_dtype)uc_call_int(call, "to", x->dtype);
    if (*to != UNCORK_UINT8 && *to != UNCORK_INT16)
        return uc_call_fail(call, UNCORK_INPUT, "to is neither uint8 nor int16");
    if (x->rank == 0) return uc_call_fail(call, UNCORK_INPUT, "x has no axis");
    p->wide = x->dtype == UNCORK_INT16;
    p->log = uc_call_int(call, "log", 0) != 0;
    p->beta = (float)uc_call_float(call, "beta", 1);
    UC_TRY(uc_q_rule_read(call, &p->rule));
    UC_TRY(uc_q_number_read(call, "x", x->dtype, &p->x));
    UC_TRY(uc_q_number_read(call, "y", *to, &p->y));
    UC_TRY(uc_q_limits_read(call, *to, &p->low, &p->high));
    if (p->wide && (p->log || *to != UNCORK_INT16))
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "16 bits to 8, or a logarithm of 16");
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    prepared p = {.log = false};
    uncork_dtype to;
    UC_TRY(uc_q_expect(call, 0));
    if (!x->dtype) return UNCORK_OK;
    UC_TRY(read(call, &p, &to));
    return uc_call_shape(call, 0, to, x->rank, x->shape);
}

static double exp_of(double x) { return exp(x); }
static double inverse_of(double x) { return 1 / (1 + x); }

static void prepare_wide(prepared *p)
{
    const double range = 65535;
    uc_q_table_fill(p->exps, 10 / range, INT16_MAX, 2 / range, 0, exp_of);
    uc_q_table_fill(p->inverses, 1 / range, INT16_MIN, 2 / range, 0, inverse_of);
    p->diff = uc_fixed_of((double)(p->x.scale * p->beta) / (10 / 65535.0));
}

/* PreprocessSoftmaxScaling and CalculateInputRadius with 5 integer bits. */
static void prepare_fixed(prepared *p)
{
    double factor = (double)p->beta * (double)p->x.scale * (double)(1 << 26);
    if (factor > 2147483647.0) factor = 2147483647.0;
    p->diff = uc_fixed_of(factor);
    const double most = 31.0 * (double)(1 << 26) / (double)(INT64_C(1) << p->diff.shift);
    p->diff_min = p->diff.shift < 0 ? -255 : -(int32_t)fmin(floor(most), 1e9);
}

static uncork_status prepare(uc_call *call)
{
    prepared *p = UC_NEW(call->arena, prepared, 1);
    uncork_dtype to;
    if (!p) return uc_arena_status(call->arena, call->error);
    UC_TRY(read(call, p, &to));
    const float scale = -p->x.scale * p->beta;
    for (int d = 0; d < 256; d++)
        p->table[d] = expf(scale * (float)d);
    if (p->wide) prepare_wide(p);
    if (!p->wide && p->rule == UC_Q_REFERENCE) prepare_fixed(p);
    call->prepared = p;
    return UNCORK_OK;
}

/* ---- rows ------------------------------------------------------------------------------------------ */

static void float_row(const prepared *p, const uint8_t *x, int64_t n, uc_tensor *y, int64_t first)
{
    uint8_t most = 0;
    float sum = 0;
    for (int64_t i = 0; i < n; i++)
        most = x[i] > most ? x[i] : most;
    for (int64_t i = 0; i < n; i++)
        sum += p->table[most - x[i]];
    if (p->log) {
        const float log_sum = logf(sum);
        const float precise = (float)most * p->x.scale + log_sum;
        for (int64_t i = 0; i < n; i++) {
            const float log_prob = p->x.scale * (float)x[i] - precise;
            const int32_t v = (int32_t)rintf(log_prob / p->y.scale) + p->y.zero;
            uc_q_store(y->data, first + i, y->dtype, uc_fixed_clamp(v, p->low, p->high));
        }
        return;
    }
    const float inverse = 1.0f / (sum * p->y.scale);
    for (int64_t i = 0; i < n; i++) {
        const float v = p->table[most - x[i]] * inverse;
        const int32_t q = y->dtype == UNCORK_UINT8 ? (int32_t)(v + 0.5f) : (int32_t)roundf(v);
        uc_q_store(y->data, first + i, y->dtype, uc_fixed_clamp(q + p->y.zero, p->low, p->high));
    }
}

static void fixed_row(const prepared *p, const uint8_t *x, int64_t n, uc_tensor *y, int64_t first)
{
    uint8_t most = 0;
    int32_t sum = 0; /* 12 integer bits */
    const int bits = y->dtype == UNCORK_INT16 ? 16 : 8;
    for (int64_t i = 0; i < n; i++)
        most = x[i] > most ? x[i] : most;
    for (int64_t i = 0; i < n; i++) {
        const int32_t d = x[i] - most;
        if (d < p->diff_min) continue;
        const int32_t e = uc_q_exp_negative(uc_fixed_twice(d, p->diff));
        sum += uc_fixed_down(e, 12);
    }
    int over;
    const int32_t scale = uc_q_reciprocal(sum, 12, &over);
    const int exponent = over + 31 - bits;
    for (int64_t i = 0; i < n; i++) {
        const int32_t d = x[i] - most;
        int32_t q = 0;
        if (d >= p->diff_min && exponent >= 0 && exponent <= 31) {
            const int32_t e = uc_q_exp_negative(uc_fixed_twice(d, p->diff));
            q = uc_fixed_down(uc_fixed_high(scale, e), exponent);
        }
        q += bits == 16 ? INT16_MIN : 0;
        uc_q_store(y->data, first + i, y->dtype, uc_fixed_clamp(q, p->low, p->high));
    }
}

static void wide_row(const prepared *p, const int16_t *x, int64_t n, int16_t *y)
{
    int16_t most = INT16_MIN;
    int32_t sum = 0;
    for (int64_t i = 0; i < n; i++)
        most = x[i] > most ? x[i] : most;
    for (int64_t i = 0; i < n; i++) {
        const int32_t d = uc_fixed_twice(x[i] - most, p->diff) + 32767;
        y[i] = uc_q_table_at(p->exps, (int16_t)uc_fixed_clamp(d, INT16_MIN, INT16_MAX));
        sum = (int32_t)((uint32_t)sum + (uint32_t)y[i]);
    }
    const int head = sum > 0 ? __builtin_clz((uint32_t)sum) : 1;
    const int32_t shifted =
        (int32_t)(((int64_t)((uint64_t)(int64_t)sum << (head - 1)) + (1 << 13)) >> 14);
    const int32_t at = shifted - ((1 << 15) + (1 << 16));
    const int64_t inverse =
        uc_q_table_at(p->inverses, (int16_t)uc_fixed_clamp(at, INT16_MIN, INT16_MAX));
    const int right = 31 - head;
    for (int64_t i = 0; i < n; i++) {
        const int64_t round = right > 0 ? INT64_C(1) << (right - 1) : 0;
        const int64_t v = (y[i] * inverse + round) >> (right > 0 ? right : 0);
        y[i] = (int16_t)(v < 0 ? 0 : v > INT16_MAX ? INT16_MAX : v);
    }
}

typedef struct job {
    const prepared *p;
    const void *x;
    uc_tensor *y;
    int64_t n;
} job;

static void rows(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const prepared *p = j->p;
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        const int64_t first = row * j->n;
        if (p->wide)
            wide_row(p, (const int16_t *)j->x + first, j->n, (int16_t *)j->y->data + first);
        else if (p->rule == UC_Q_REFERENCE && !p->log)
            fixed_row(p, (const uint8_t *)j->x + first, j->n, j->y, first);
        else
            float_row(p, (const uint8_t *)j->x + first, j->n, j->y, first);
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    job j = {.p = call->prepared, .x = x->data, .y = uc_call_out(call, 0)};
    if (!j.y) return call->error->status;
    j.n = x->shape[x->rank - 1];
    if (j.n == 0 || uc_tensor_count(x) == 0) return UNCORK_OK;
    uc_parallel(call->pool, uc_tensor_count(x) / j.n, 1 + 4096 / j.n, rows, &j);
    return UNCORK_OK;
}

const uc_op uc_op_q_softmax = {
    .domain = "uncork",
    .name = "QSoftmax",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
