/* LinearAttention: a matrix of state a head that each step decays, is corrected, written and read.
 *
 * Source: ONNX operator LinearAttention, opset 27 (update_rule linear, gated, delta, gated_delta).
 * q  float [b, steps, q_heads * dk];  k  [b, steps, kv_heads * dk];  v  [b, steps, kv_heads * dv]
 * past_state  [b, kv_heads, dk, dv], optional;  decay  [b, steps, kv_heads] or [.., kv_heads * dk]
 * beta  [b, steps, kv_heads] or [b, steps, 1];  y  [b, steps, q_heads * dv];  present_state  as past
 * Numerics: all in float32, step after step; chunk_size changes nothing. */
#include "base/thread.h"
#include "kernel/span.h"
#include "kernel/vmath.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

typedef struct linear {
    int64_t batch, steps, q_heads, kv_heads, dk, dv;
    bool gated, delta, decay_each, beta_each;
    const float *q, *k, *v, *past, *decay, *beta;
    float *y, *state, *room; /* room: dv + dk a thread */
    float scale;
} linear;

static uncork_status read_rule(uc_call *call, linear *l)
{
    uc_str rule = uc_call_str(call, "update_rule", "gated_delta");
    l->gated = uc_str_is(rule, "gated") || uc_str_is(rule, "gated_delta");
    l->delta = uc_str_is(rule, "delta") || uc_str_is(rule, "gated_delta");
    if (!l->gated && !l->delta && !uc_str_is(rule, "linear")) {
        return uc_call_fail(call, UNCORK_MALFORMED, "update_rule is '%.*s'", (int)rule.size,
                            rule.data);
    }
    if (!uc_call_in(call, 4) == l->gated || !uc_call_in(call, 5) == l->delta) {
        return uc_call_fail(call, UNCORK_INPUT, "decay and beta don't go with '%.*s'",
                            (int)rule.size, rule.data);
    }
    l->q_heads = uc_call_int(call, "q_num_heads", 0);
    l->kv_heads = uc_call_int(call, "kv_num_heads", 0);
    if (l->q_heads >= 1 && l->kv_heads >= 1 && l->q_heads % l->kv_heads == 0) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " heads over %" PRId64, l->q_heads,
                        l->kv_heads);
}

static int64_t dim(const uc_tensor *t, int d) { return t->rank < 0 ? UC_DIM_UNKNOWN : t->shape[d]; }

static bool differ(int64_t a, int64_t b) { return a >= 0 && b >= 0 && a != b; }

static int64_t over(int64_t n, int64_t heads) { return n < 0 ? n : n / heads; }

static uncork_status read_sizes(uc_call *call, linear *l)
{
    const uc_tensor *q = uc_call_arg(call, 0), *k = uc_call_arg(call, 1), *v = uc_call_arg(call, 2);
    const uc_tensor *decay = uc_call_in(call, 4), *beta = uc_call_in(call, 5);
    *l = (linear){0};
    UC_TRY(read_rule(call, l));
    bool fits = true;
    for (size_t i = 0; i < call->in_count; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        UC_TRY(uc_call_expect_wide(call, i));
        if (!t || t->rank < 0) continue;
        fits = fits && t->rank == (i == 3 ? 4 : 3) && !differ(t->shape[0], dim(q, 0));
        if (fits && i != 3) fits = !differ(t->shape[1], dim(q, 1));
    }
    if (fits) {
        l->batch = dim(q, 0);
        l->steps = dim(q, 1);
        l->dk = over(dim(q, 2), l->q_heads);
        l->dv = over(dim(v, 2), l->kv_heads);
        fits = !differ(dim(k, 2), l->dk < 0 ? l->dk : l->dk * l->kv_heads) &&
               (dim(q, 2) < 0 || dim(q, 2) % l->q_heads == 0) &&
               (dim(v, 2) < 0 || dim(v, 2) % l->kv_heads == 0);
    }
    const uc_tensor *past = uc_call_in(call, 3);
    if (fits && past && past->rank == 4) {
        fits = !differ(past->shape[1], l->kv_heads) && !differ(past->shape[2], l->dk) &&
               !differ(past->shape[3], l->dv);
    }
    if (fits && decay && dim(decay, 2) >= 0 && l->dk >= 0) {
        l->decay_each = dim(decay, 2) != l->kv_heads;
        fits = !l->decay_each || dim(decay, 2) == l->kv_heads * l->dk;
    }
    if (fits && beta && dim(beta, 2) >= 0) {
        l->beta_each = dim(beta, 2) == l->kv_heads;
        fits = l->beta_each || dim(beta, 2) == 1;
    }
    if (fits) return UNCORK_OK;
    char a[128], b[128];
    return uc_call_fail(call, UNCORK_INPUT, "query %.90s, value %.90s and the rest don't fit",
                        uc_shape_text(q->shape, q->rank, a, sizeof a),
                        uc_shape_text(v->shape, v->rank, b, sizeof b));
}

static uncork_status infer(uc_call *call)
{
    linear l;
    UC_TRY(read_sizes(call, &l));
    const uc_tensor *past = uc_call_in(call, 3);
    int64_t width = 0;
    if (l.dv < 0 || __builtin_mul_overflow(l.q_heads, l.dv, &width)) width = UC_DIM_UNKNOWN;
    const int64_t y[] = {l.batch, l.steps, width}, state[] = {l.batch, l.kv_heads, l.dk, l.dv};
    UC_TRY(uc_call_shape(call, 0, uc_call_dtype(call, 0), 3, y));
    return uc_call_shape(call, 1, past ? past->dtype : uc_call_dtype(call, 0), 4, state);
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *q = uc_call_arg(call, 0), *v = uc_call_arg(call, 2);
    uint64_t n = 0;
    if (q->rank != 3 || v->rank != 3 || !uc_dims_known(q->shape, 3) ||
        !uc_dims_known(v->shape, 3)) {
        return 0;
    }
    bool big = __builtin_mul_overflow((uint64_t)uc_tensor_count(q), 4 * (uint64_t)v->shape[2], &n);
    return big ? UINT64_MAX : n;
}

/* One step of one head: state [dk, dv] decays, learns k -> v. */
static void learn(const linear *l, int64_t row, int64_t h, float *state, float *room)
{
    const uc_span_f32 *span = uc_spans_f32();
    const float *k = l->k + (row * l->kv_heads + h) * l->dk,
                *v = l->v + (row * l->kv_heads + h) * l->dv;
    float *value = room, *factor = room + l->dv;
    for (int64_t i = 0; l->gated && i < l->dk; i++) {
        factor[i] = l->decay_each ? l->decay[(row * l->kv_heads + h) * l->dk + i]
                                  : l->decay[row * l->kv_heads + h];
    }
    if (l->gated) uc_exp_f32(factor, factor, (size_t)l->dk);
    for (int64_t i = 0; l->gated && i < l->dk; i++) {
        span->scale(state + i * l->dv, state + i * l->dv, 0, factor[i], 0, l->dv);
    }
    memcpy(value, v, (size_t)l->dv * sizeof *v);
    if (l->delta) {
        float beta = l->beta_each ? l->beta[row * l->kv_heads + h] : l->beta[row];
        for (int64_t i = 0; i < l->dk; i++) {
            span->axpy(value, state + i * l->dv, 1, -k[i], l->dv);
        }
        span->scale(value, value, 0, beta, 0, l->dv);
    }
    for (int64_t i = 0; i < l->dk; i++) {
        span->axpy(state + i * l->dv, value, 1, k[i], l->dv);
    }
}

static void body(void *context, int64_t begin, int64_t end, int thread)
{
    const linear *l = context;
    int64_t each = l->q_heads / l->kv_heads;
    float *room = l->room + thread * (l->dv + l->dk);
    for (int64_t index = begin; index < end; index++) {
        int64_t b = index / l->kv_heads, h = index % l->kv_heads;
        float *state = l->state + index * l->dk * l->dv;
        for (int64_t t = 0; t < l->steps; t++) {
            int64_t row = b * l->steps + t;
            learn(l, row, h, state, room);
            for (int64_t g = h * each; l->y && g < (h + 1) * each; g++) {
                const float *q = l->q + (row * l->q_heads + g) * l->dk;
                float *y = l->y + (row * l->q_heads + g) * l->dv;
                memset(y, 0, (size_t)l->dv * sizeof *y);
                for (int64_t i = 0; i < l->dk; i++) {
                    uc_spans_f32()->axpy(y, state + i * l->dv, 1, q[i], l->dv);
                }
                uc_spans_f32()->scale(y, y, 0, l->scale, 0, l->dv);
            }
        }
    }
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *past = uc_call_in(call, 3), *decay = uc_call_in(call, 4),
                    *beta = uc_call_in(call, 5);
    linear l;
    UC_TRY(read_sizes(call, &l));
    for (size_t i = 0; i < call->in_count; i++) {
        if (!uc_call_in(call, i) || uc_call_dtype(call, i) == UNCORK_FLOAT32) continue;
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not for %s",
                            uc_dtype_name(uc_call_dtype(call, i)));
    }
    uc_tensor *y = uc_call_wants(call, 0) ? uc_call_out(call, 0) : NULL;
    uc_tensor *state = uc_call_wants(call, 1) ? uc_call_out(call, 1) : NULL;
    size_t count = (size_t)(l.batch * l.kv_heads * l.dk * l.dv);
    l.state = state ? state->data : uc_call_scratch(call, count, sizeof(float));
    l.room = uc_call_scratch(call, (size_t)uc_pool_threads(call->pool),
                             (size_t)(l.dv + l.dk) * sizeof(float));
    bool got =
        l.state && l.room && (y || !uc_call_wants(call, 0)) && (state || !uc_call_wants(call, 1));
    if (!got) return uc_fail_memory(call->error);
    if (past) {
        memcpy(l.state, past->data, count * sizeof(float));
    } else {
        memset(l.state, 0, count * sizeof(float));
    }
    double scale = uc_call_float(call, "scale", 0);
    l.scale = (float)(scale == 0 ? 1 / sqrt((double)l.dk) : scale);
    l.q = uc_call_arg(call, 0)->data;
    l.k = uc_call_arg(call, 1)->data;
    l.v = uc_call_arg(call, 2)->data;
    l.decay = decay ? decay->data : NULL;
    l.beta = beta ? beta->data : NULL;
    l.y = y ? y->data : NULL;
    uc_parallel(call->pool, l.batch * l.kv_heads, 1, body, &l);
    return UNCORK_OK;
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_linear_attention = {.name = "LinearAttention",
                                      .in = {3, 6},
                                      .out = {1, 2},
                                      .infer = infer,
                                      .run = run,
                                      .macs = macs};
