/* RotaryEmbedding and GroupQueryAttention.
 *
 * Source: onnxruntime/core/graph/contrib_ops/bert_defs.cc, contrib_ops/cpu/bert/rotary_embedding.cc,
 * group_query_attention.cc.
 * RotaryEmbedding      input [B, S, N * H] or [B, N, S, H], position_ids [1] (the first) or [B, S],
 *                      cos_cache, sin_cache [positions, rotated / 2]; halves or neighbours (interleaved) turn
 * GroupQueryAttention  query [B, S, N * H] with key, value [B, S, K * H], or all packed in query; past_key,
 *                      past_value [B, K, P, H]; seqlens_k int32 [B], keys but one; total_sequence_length;
 *                      caches for rotation; attention_bias. A row sees the keys up to its own. */
#include "op/ms/attend.h"
#include "op/quant.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

typedef struct turner {
    const float *cos, *sin; /* [positions, half] */
    int64_t positions, half;
    bool neighbours;
} turner;

/* Turns the first 2 * half of `size` elements; the rest is copied. */
static void turn(const turner *t, int64_t position, const float *x, int64_t size, float *y)
{
    const float *c = t->cos + position * t->half, *s = t->sin + position * t->half;
    for (int64_t i = 0; i < t->half; i++) {
        int64_t a = t->neighbours ? 2 * i : i, b = t->neighbours ? 2 * i + 1 : i + t->half;
        float left = x[a], right = x[b];
        y[a] = left * c[i] - right * s[i];
        y[b] = right * c[i] + left * s[i];
    }
    for (int64_t i = 2 * t->half; i < size; i++) {
        y[i] = x[i];
    }
}

static uncork_status read_turner(uc_call *call, size_t cos, int64_t size, const char *interleaved,
                                 turner *t)
{
    const uc_tensor *c = uc_call_in(call, cos), *s = uc_call_in(call, cos + 1);
    bool good = c && s && c->rank == 2 && s->rank == 2 && c->shape[0] == s->shape[0] &&
                c->shape[1] == s->shape[1] && c->shape[1] <= size / 2;
    if (!good) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "the caches (inputs %zu, %zu) don't fit heads of %" PRId64, cos,
                            cos + 1, size);
    }
    *t = (turner){c->data, s->data, c->shape[0], c->shape[1],
                  uc_call_int(call, interleaved, 0) != 0};
    return UNCORK_OK;
}

static uncork_status check_position(uc_call *call, const turner *t, int64_t position)
{
    if (position >= 0 && position < t->positions) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "position %" PRId64 " of caches for %" PRId64, position,
                        t->positions);
}

/* ---- RotaryEmbedding ---------------------------------------------------------------------- */

static uncork_status infer_rotary(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_same_dtype(call, 0, 2));
    UC_TRY(uc_call_same_dtype(call, 0, 3));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (x->rank >= 0 && x->rank != 3 && x->rank != 4) {
        return uc_call_fail(call, UNCORK_INPUT, "input has %d dimensions, 3 or 4 are wanted",
                            x->rank);
    }
    return uc_call_shape_like(call, 0, 0, x->dtype);
}

/* Heads and their size of [B, S, D]: by num_heads, or by the caches' width. */
static uncork_status head_size(uc_call *call, const uc_tensor *x, int64_t *size)
{
    int64_t heads = uc_call_int(call, "num_heads", 0);
    const uc_tensor *cos = uc_call_arg(call, 2);
    int64_t width = x->shape[x->rank - 1];
    *size = x->rank == 4 ? width
            : heads > 0  ? width / heads
                         : 2 * (cos->rank == 2 ? cos->shape[1] : 0);
    if (*size > 0 && width % *size == 0) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " elements don't split into heads", width);
}

static uncork_status wide_rotary(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *ids = uc_call_arg(call, 1);
    uc_tensor *y = uc_call_out(call, 0);
    int64_t size = 0;
    turner t;
    if (!y) return uc_fail_memory(call->error);
    if (x->dtype != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not defined for %s",
                            uc_dtype_name(x->dtype));
    }
    if (uc_tensor_count(x) == 0) return UNCORK_OK;
    UC_TRY(head_size(call, x, &size));
    UC_TRY(read_turner(call, 2, size, "interleaved", &t));
    bool by_head = x->rank == 4;
    int64_t rows = x->shape[by_head ? 2 : 1], heads = by_head ? x->shape[1] : x->shape[2] / size;
    int64_t given = uc_tensor_count(ids);
    if (given != 1 && given != x->shape[0] * rows) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " position_ids for %" PRId64 " rows",
                            given, x->shape[0] * rows);
    }
    for (int64_t i = 0; i < uc_tensor_count(x) / size; i++) {
        int64_t b = i / heads / rows, r = by_head ? i % rows : i / heads % rows;
        int64_t id = given == 1 ? 0 : b * rows + r;
        int64_t position = uc_dtype_load_i64(ids->data, id, ids->dtype);
        if (given == 1 && __builtin_add_overflow(position, r, &position)) position = -1;
        UC_TRY(check_position(call, &t, position));
        turn(&t, position, (const float *)x->data + i * size, size, (float *)y->data + i * size);
    }
    return UNCORK_OK;
}

static uncork_status run_rotary(uc_call *call) { return uc_widened(call, wide_rotary); }

const uc_op uc_op_ms_rotary_embedding = {.domain = "com.microsoft",
                                         .name = "RotaryEmbedding",
                                         .in = {4, 4},
                                         .out = {1, 1},
                                         .infer = infer_rotary,
                                         .run = run_rotary};

/* ---- GroupQueryAttention ------------------------------------------------------------------ */

enum { QUERY, KEY, VALUE, PAST_KEY, PAST_VALUE, LENGTHS, TOTAL, COS, SIN, POSITIONS, BIAS, LAST };

typedef struct group {
    int64_t batch, rows, heads, kv_heads, size, room, total,
        keys;               /* room: of past; keys: of present */
    int64_t *past, *length; /* [batch] */
    uc_heads q, k, v;
} group;

static uncork_status read_group(uc_call *call, group *g)
{
    const uc_tensor *q = uc_call_arg(call, QUERY), *k = uc_call_in(call, KEY);
    const uc_tensor *v = uc_call_in(call, VALUE), *past = uc_call_in(call, PAST_KEY);
    const uc_tensor *other = uc_call_in(call, PAST_VALUE);
    g->heads = uc_call_int(call, "num_heads", 0);
    g->kv_heads = uc_call_int(call, "kv_num_heads", 0);
    bool good =
        g->heads >= 1 && g->heads <= 65536 && g->kv_heads >= 1 && g->heads % g->kv_heads == 0;
    if (!good) {
        return uc_call_fail(call, UNCORK_MALFORMED, "num_heads %" PRId64 ", kv_num_heads %" PRId64,
                            g->heads, g->kv_heads);
    }
    int64_t parts = k ? g->heads : g->heads + 2 * g->kv_heads;
    good = q->rank == 3 && q->shape[2] % parts == 0 && !k == !v;
    if (good) {
        g->batch = q->shape[0];
        g->rows = q->shape[1];
        g->size = q->shape[2] / parts;
    }
    for (int i = 0; good && k && i < 2; i++) {
        const uc_tensor *t = i ? v : k;
        good = t->rank == 3 && t->shape[0] == g->batch && t->shape[1] == g->rows &&
               t->shape[2] == g->kv_heads * g->size;
    }
    for (int i = 0; good && past && i < 2; i++) {
        const uc_tensor *t = i ? other : past;
        good = t && t->rank == 4 && t->shape[0] == g->batch && t->shape[1] == g->kv_heads &&
               t->shape[2] == past->shape[2] && t->shape[3] == g->size;
    }
    if (!good)
        return uc_call_fail(call, UNCORK_INPUT, "query, key, value or past don't fit another");
    g->room = past ? past->shape[2] : 0;
    return UNCORK_OK;
}

static uncork_status infer_group(uc_call *call)
{
    uncork_dtype dtype = uc_call_dtype(call, QUERY);
    const uc_tensor *q = uc_call_arg(call, QUERY);
    int64_t y[3] = {-1, -1, -1}, present[4] = {-1, -1, -1, -1}, total = 0;
    group g = {0};
    bool known = true;
    UC_TRY(uc_call_expect_wide(call, QUERY));
    for (size_t i = 0; i < LAST; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        bool index = i == LENGTHS || i == TOTAL || i == POSITIONS;
        if (index) UC_TRY(uc_call_expect(call, i, UC_TYPES_INDEX));
        if (!index) UC_TRY(uc_call_same_dtype(call, QUERY, i));
        if (t && !uc_dims_known(t->shape, t->rank)) known = false;
    }
    UC_TRY(uc_quant_need(call, LENGTHS));
    UC_TRY(uc_quant_need(call, TOTAL));
    for (size_t i = LAST; i < call->in_count; i++) {
        if (uc_call_in(call, i)) {
            return uc_call_fail(call, UNCORK_UNSUPPORTED, "input %zu isn't supported", i);
        }
    }
    if (uc_call_int(call, "smooth_softmax", 0) == 1 || !uc_call_int(call, "causal", 1)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED,
                            "smooth_softmax and causal 0 aren't supported");
    }
    if (known) {
        UC_TRY(read_group(call, &g));
        y[0] = present[0] = g.batch;
        y[1] = q->shape[1];
        y[2] = g.heads * g.size;
        present[1] = g.kv_heads;
        present[3] = g.size;
        if (uc_call_known(call, TOTAL)) {
            UC_TRY(uc_call_one_int(call, TOTAL, &total));
            present[2] = total > g.room ? total : g.room;
        }
    }
    UC_TRY(uc_call_shape(call, 0, dtype, 3, y));
    UC_TRY(uc_call_shape(call, 1, dtype, 4, present));
    return uc_call_shape(call, 2, dtype, 4, present);
}

/* Where each batch's new keys go, and how many it has then. */
static uncork_status read_lengths(uc_call *call, group *g)
{
    const uc_tensor *t = uc_call_arg(call, LENGTHS);
    UC_TRY(uc_call_one_int(call, TOTAL, &g->total));
    g->keys = g->total > g->room ? g->total : g->room;
    g->past = uc_call_scratch(call, (size_t)g->batch, sizeof *g->past);
    g->length = uc_call_scratch(call, (size_t)g->batch, sizeof *g->length);
    if (!g->past || !g->length) return uc_fail_memory(call->error);
    if (uc_tensor_count(t) != g->batch || g->total < g->rows || g->total > INT32_MAX) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "%" PRId64 " lengths for %" PRId64 " batches, %" PRId64
                            " keys for %" PRId64 " rows",
                            uc_tensor_count(t), g->batch, g->total, g->rows);
    }
    for (int64_t b = 0; b < g->batch; b++) {
        int64_t have = uc_dtype_load_i64(t->data, b, t->dtype);
        bool first = g->rows == g->total;
        if (have < 0 || have >= g->keys ||
            (!first && (have + 1 < g->rows || have + 1 - g->rows > g->room))) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "seqlens_k[%" PRId64 "] is %" PRId64 ", the keys are %" PRId64, b,
                                have, g->keys);
        }
        g->length[b] = have + 1;
        g->past[b] = first ? 0 : have + 1 - g->rows;
    }
    return UNCORK_OK;
}

/* Rows of `heads` heads into (batch, head, place + row) of `to`, turned when t is given. */
static uncork_status place(uc_call *call, const group *g, const turner *t, const uc_heads *from,
                           int64_t heads, const uc_heads *to, bool shifted)
{
    const uc_tensor *ids = uc_call_in(call, POSITIONS);
    bool each = ids && uc_tensor_count(ids) == g->batch * g->rows;
    for (int64_t i = 0; i < g->batch * heads * g->rows; i++) {
        int64_t b = i / g->rows / heads, h = i / g->rows % heads, r = i % g->rows;
        const float *x = from->data + b * from->batch + h * from->head + r * from->row;
        int64_t row = shifted ? g->past[b] + r : r;
        float *y = to->data + b * to->batch + h * to->head + row * to->row;
        int64_t position = g->past[b] + r;
        if (!t) {
            memcpy(y, x, (size_t)g->size * sizeof *y);
            continue;
        }
        if (each) position = uc_dtype_load_i64(ids->data, b * g->rows + r, ids->dtype);
        UC_TRY(check_position(call, t, position));
        turn(t, position, x, g->size, y);
    }
    return UNCORK_OK;
}

static void find_sources(uc_call *call, group *g)
{
    const uc_tensor *q = uc_call_arg(call, QUERY), *k = uc_call_in(call, KEY);
    int64_t width = q->shape[2], kv = g->kv_heads * g->size;
    g->q = (uc_heads){q->data, g->rows * width, g->size, width};
    g->k = (uc_heads){g->q.data + g->heads * g->size, g->rows * width, g->size, width};
    g->v = g->k;
    g->v.data += kv;
    if (!k) return;
    g->k = (uc_heads){k->data, g->rows * kv, g->size, kv};
    g->v = g->k;
    g->v.data = uc_call_arg(call, VALUE)->data;
}

/* What is used of past into present, whose rows may be more; the rest is 0. */
static void keep_past(const group *g, const uc_tensor *past, float *to)
{
    size_t row = (size_t)g->size * sizeof *to;
    for (int64_t i = 0; i < g->batch * g->kv_heads; i++, to += g->keys * g->size) {
        memset(to, 0, (size_t)g->keys * row);
        if (past) {
            int64_t used = g->past[i / g->kv_heads];
            memcpy(to, (const float *)past->data + i * g->room * g->size, (size_t)used * row);
        }
    }
}

static uncork_status set_bias(uc_call *call, const group *g, uc_attend *a)
{
    const uc_tensor *t = uc_call_in(call, BIAS);
    if (!t) return UNCORK_OK;
    bool fits = t->rank == 4 && (t->shape[0] == 1 || t->shape[0] == g->batch) &&
                (t->shape[1] == 1 || t->shape[1] == g->heads) && t->shape[2] == g->rows &&
                t->shape[3] >= g->total;
    if (!fits) return uc_call_fail(call, UNCORK_INPUT, "attention_bias doesn't fit");
    for (int64_t b = 0; b < g->batch; b++) {
        if (g->length[b] > t->shape[3]) {
            return uc_call_fail(call, UNCORK_INPUT, "attention_bias has fewer keys than seqlens_k");
        }
    }
    a->bias = t->data;
    a->bias_row = t->shape[3];
    a->bias_head = t->shape[1] > 1 ? g->rows * t->shape[3] : 0;
    a->bias_batch = t->shape[0] > 1 ? t->shape[1] * g->rows * t->shape[3] : 0;
    return UNCORK_OK;
}

static uncork_status wide_group(uc_call *call)
{
    group g = {0};
    uc_tensor *y = uc_call_out(call, 0), *pk = NULL, *pv = NULL;
    turner turner_room, *t = NULL;
    if (!y) return uc_fail_memory(call->error);
    if (y->dtype != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not defined for %s",
                            uc_dtype_name(y->dtype));
    }
    UC_TRY(read_group(call, &g));
    UC_TRY(read_lengths(call, &g));
    find_sources(call, &g);
    if (uc_call_int(call, "do_rotary", 0)) {
        UC_TRY(read_turner(call, COS, g.size, "rotary_interleaved", &turner_room));
        t = &turner_room;
    }
    const int64_t shape[] = {g.batch, g.kv_heads, g.keys, g.size};
    UC_TRY(uc_call_output(call, 1, UNCORK_FLOAT32, 4, shape, &pk));
    UC_TRY(uc_call_output(call, 2, UNCORK_FLOAT32, 4, shape, &pv));
    float *q = uc_call_scratch(call, (size_t)uc_tensor_count(y), sizeof *q);
    if (!q) return uc_fail_memory(call->error);
    int64_t width = g.heads * g.size, each = g.keys * g.size;
    uc_attend a = {.batch = g.batch, .heads = g.heads, .kv_heads = g.kv_heads, .rows = g.rows};
    a.q = (uc_heads){q, g.rows * width, g.size, width};
    a.k = (uc_heads){pk->data, g.kv_heads * each, each, g.size};
    a.v = (uc_heads){pv->data, g.kv_heads * each, each, g.size};
    a.y = (uc_heads){y->data, g.rows * width, g.size, width};
    keep_past(&g, uc_call_in(call, PAST_KEY), a.k.data);
    keep_past(&g, uc_call_in(call, PAST_VALUE), a.v.data);
    UC_TRY(place(call, &g, t, &g.q, g.heads, &a.q, false));
    UC_TRY(place(call, &g, t, &g.k, g.kv_heads, &a.k, true));
    UC_TRY(place(call, &g, NULL, &g.v, g.kv_heads, &a.v, true));
    a.keys = g.keys;
    a.size = a.v_size = g.size;
    a.scale = (float)uc_call_float(call, "scale", 0);
    if (a.scale == 0) a.scale = 1 / sqrtf((float)g.size);
    a.softcap = (float)uc_call_float(call, "softcap", 0);
    a.causal = true;
    a.past = g.past;
    a.length = g.length;
    a.window = uc_call_int(call, "local_window_size", -1);
    UC_TRY(set_bias(call, &g, &a));
    return uc_attend_run(call, &a);
}

static uncork_status run_group(uc_call *call)
{
    const uc_tensor *present = uc_call_wants(call, 1) ? &call->out[1]->tensor : NULL;
    bool open = present && !uc_dims_known(present->shape, present->rank);
    if (open && uc_is_short_float(uc_call_dtype(call, QUERY))) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "%s with a total_sequence_length that is fed",
                            uc_dtype_name(uc_call_dtype(call, QUERY)));
    }
    return uc_widened(call, wide_group);
}

const uc_op uc_op_ms_group_query_attention = {.domain = "com.microsoft",
                                              .name = "GroupQueryAttention",
                                              .in = {1, 17},
                                              .out = {1, 3},
                                              .infer = infer_group,
                                              .run = run_group};
