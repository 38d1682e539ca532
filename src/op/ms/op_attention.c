/* MultiHeadAttention, Attention, QAttention: attention as ONNX Runtime's transformer optimiser fuses it.
 *
 * Source: onnxruntime/core/graph/contrib_ops/bert_defs.cc, contrib_ops/cpu/bert/multihead_attention.cc,
 * attention.cc, quantization/attention_quant.cc.
 * MultiHeadAttention  query [B, S, D] with key, value [B, L, D] or [B, N, L, H]; or packed [B, S, N, 3, H];
 *                     bias of all three; key_padding_mask; attention_bias; past_key, past_value [B, N, P, H]
 * Attention           input [B, S, I], weights [I, 3 D], bias, mask_index, past [2, B, N, P, H], attention_bias
 * QAttention          the same of int8 or uint8 with scales and zero points
 * Masks  [B] lengths, [2 B] ends and starts, [B, T] or [B, S, T] of 0 and 1: mask_filter_value is added. */
#include "kernel/gemm.h"
#include "op/ms/attend.h"
#include "op/product_i8.h"
#include "op/quant.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

/* Sources of q, k and v and all that goes with them. */
typedef struct layer {
    int64_t batch, heads, rows, fresh, past; /* fresh, past: keys that come and that were */
    int64_t size, v_size;
    uc_heads q, k, v;             /* data NULL: none fresh */
    const float *bias[3];         /* of q, k, v, [heads * size]; NULL: none */
    const float *past_k, *past_v; /* [B, N, P, H] */
    float *present_k, *present_v; /* [B, N, T, H], NULL: scratch */
    const uc_tensor *mask, *attention_bias;
    float *y; /* [B, S, N * v_size] */
} layer;

static uncork_status fail_shape(uc_call *call, size_t i)
{
    const uc_tensor *t = uc_call_in(call, i);
    char text[128];
    return uc_call_fail(call, UNCORK_INPUT, "input %zu of shape %s doesn't fit", i,
                        t ? uc_shape_text(t->shape, t->rank, text, sizeof text) : "nothing");
}

/* Past and fresh keys or values as [B, N, T, size]. */
static void gather(const layer *l, const float *past, const uc_heads *from, const float *bias,
                   int64_t size, float *to)
{
    for (int64_t i = 0; i < l->batch * l->heads; i++) {
        int64_t b = i / l->heads, h = i % l->heads;
        if (past) memcpy(to, past + i * l->past * size, (size_t)(l->past * size) * sizeof *to);
        to += l->past * size;
        for (int64_t r = 0; r < l->fresh; r++, to += size) {
            const float *row = from->data + b * from->batch + h * from->head + r * from->row;
            for (int64_t e = 0; e < size; e++) {
                to[e] = bias ? row[e] + bias[h * size + e] : row[e];
            }
        }
    }
}

/* The mask as numbers to add, [B, 1 or S, T]. */
static uncork_status read_mask(uc_call *call, const layer *l, uc_attend *a)
{
    const uc_tensor *t = l->mask;
    float filter = (float)uc_call_float(call, "mask_filter_value", -10000);
    if (!t) return UNCORK_OK;
    int64_t n = uc_tensor_count(t), keys = a->keys, wide = l->batch * keys, values = 0;
    bool lengths = t->rank == 1 && (n == l->batch || n == 2 * l->batch);
    bool flat = t->rank == 2 && t->shape[0] == l->batch && t->shape[1] == keys;
    bool square =
        t->rank == 3 && t->shape[0] == l->batch && t->shape[1] == l->rows && t->shape[2] == keys;
    if (!lengths && !flat && !square) {
        char text[128];
        return uc_call_fail(call, UNCORK_UNSUPPORTED,
                            "a mask of shape %s for %" PRId64 " rows and %" PRId64 " keys",
                            uc_shape_text(t->shape, t->rank, text, sizeof text), l->rows, keys);
    }
    values = square ? n : wide;
    float *mask = uc_call_scratch(call, (size_t)values, sizeof *mask);
    if (!mask) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < values; i++) {
        bool on;
        if (lengths) {
            int64_t b = i / keys, end = uc_dtype_load_i64(t->data, b, t->dtype);
            int64_t start = n > l->batch ? uc_dtype_load_i64(t->data, l->batch + b, t->dtype) : 0;
            on = i % keys >= start && i % keys < end;
        } else {
            on = uc_dtype_load_i64(t->data, i, t->dtype) > 0;
        }
        mask[i] = on ? 0 : filter;
    }
    a->mask = mask;
    a->mask_batch = square ? l->rows * keys : keys;
    a->mask_row = square ? keys : 0;
    return UNCORK_OK;
}

static uncork_status read_bias(uc_call *call, const layer *l, uc_attend *a)
{
    const uc_tensor *t = l->attention_bias;
    if (!t) return UNCORK_OK;
    const int64_t want[] = {l->batch, l->heads, l->rows, a->keys};
    bool fits = t->rank == 4 && t->dtype == UNCORK_FLOAT32;
    for (int d = 0; fits && d < 4; d++) {
        fits = t->shape[d] == want[d] || (d < 2 && t->shape[d] == 1);
    }
    if (!fits) {
        return uc_call_fail(call, UNCORK_INPUT, "attention_bias doesn't fit %" PRId64 " keys",
                            a->keys);
    }
    a->bias = t->data;
    a->bias_row = a->keys;
    a->bias_head = t->shape[1] > 1 ? l->rows * a->keys : 0;
    a->bias_batch = t->shape[0] > 1 ? t->shape[1] * l->rows * a->keys : 0;
    return UNCORK_OK;
}

static float *room_for(uc_call *call, float *given, int64_t count)
{
    return given ? given : uc_call_scratch(call, (size_t)count, sizeof(float));
}

static uncork_status run_layer(uc_call *call, layer *l)
{
    int64_t keys = l->past + l->fresh, each = l->batch * l->heads * keys;
    uc_attend a = {.batch = l->batch, .heads = l->heads, .kv_heads = l->heads, .rows = l->rows};
    a.keys = keys;
    a.size = l->size;
    a.v_size = l->v_size;
    a.window = -1;
    float *k = room_for(call, l->present_k, each * l->size);
    float *v = room_for(call, l->present_v, each * l->v_size);
    if (!k || !v) return uc_fail_memory(call->error);
    gather(l, l->past_k, &l->k, l->bias[1], l->size, k);
    gather(l, l->past_v, &l->v, l->bias[2], l->v_size, v);
    a.q = l->q;
    if (l->bias[0]) {
        int64_t width = l->heads * l->size;
        float *q = uc_call_scratch(call, (size_t)(l->batch * l->rows * width), sizeof *q);
        if (!q) return uc_fail_memory(call->error);
        a.q = (uc_heads){q, l->rows * width, l->size, width};
        for (int64_t i = 0; i < l->batch * l->rows * width; i++) {
            int64_t b = i / width / l->rows, r = i / width % l->rows, c = i % width;
            q[i] =
                l->q.data[b * l->q.batch + c / l->size * l->q.head + r * l->q.row + c % l->size] +
                l->bias[0][c];
        }
    }
    a.k = (uc_heads){k, l->heads * keys * l->size, keys * l->size, l->size};
    a.v = (uc_heads){v, l->heads * keys * l->v_size, keys * l->v_size, l->v_size};
    a.y = (uc_heads){l->y, l->rows * l->heads * l->v_size, l->v_size, l->heads * l->v_size};
    a.scale = (float)uc_call_float(call, "scale", 0);
    if (a.scale == 0) a.scale = 1 / sqrtf((float)l->size);
    a.causal = uc_call_int(call, "unidirectional", 0) != 0;
    UC_TRY(read_mask(call, l, &a));
    UC_TRY(read_bias(call, l, &a));
    return uc_attend_run(call, &a);
}

static uncork_status read_heads(uc_call *call, int64_t *heads)
{
    *heads = uc_call_int(call, "num_heads", 0);
    if (*heads >= 1 && *heads <= 65536) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "num_heads is %" PRId64, *heads);
}

static uncork_status refuse(uc_call *call, const char *attribute)
{
    if (!uc_call_int(call, attribute, 0)) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_UNSUPPORTED, "%s isn't supported", attribute);
}

/* ---- MultiHeadAttention ------------------------------------------------------------------- */

enum { QUERY, KEY, VALUE, BIAS, PADDING, ATTENTION_BIAS, PAST_KEY, PAST_VALUE };

/* Everything but data, with numbers where infer knows them. */
static uncork_status read_multi(uc_call *call, layer *l)
{
    const uc_tensor *q = uc_call_arg(call, QUERY), *k = uc_call_in(call, KEY);
    const uc_tensor *v = uc_call_in(call, VALUE), *past = uc_call_in(call, PAST_KEY);
    bool packed = q->rank == 5, pairs = k && k->rank == 5;
    UC_TRY(read_heads(call, &l->heads));
    bool good = packed ? !k && !v && q->shape[3] == 3 && q->shape[2] == l->heads
                       : q->rank == 3 && k && (pairs ? !v : v && v->rank == k->rank);
    if (good && pairs) good = k->shape[3] == 2 && k->shape[2] == l->heads;
    if (!good) return fail_shape(call, k ? KEY : QUERY);
    l->batch = q->shape[0];
    l->rows = l->fresh = q->shape[1];
    l->size = l->v_size = packed ? q->shape[4] : q->shape[2] / l->heads;
    if (!packed && q->shape[2] % l->heads) return fail_shape(call, QUERY);
    if (k && !pairs) {
        bool by_head = k->rank == 4;
        if (k->rank != 3 && !by_head) return fail_shape(call, KEY);
        l->fresh = k->shape[by_head ? 2 : 1];
        l->v_size = by_head ? v->shape[3] : v->shape[2] / l->heads;
        good =
            k->shape[0] == l->batch && v->shape[0] == l->batch &&
            v->shape[by_head ? 2 : 1] == l->fresh &&
            (by_head ? k->shape[1] == l->heads && v->shape[1] == l->heads && k->shape[3] == l->size
                     : k->shape[2] == q->shape[2] && v->shape[2] % l->heads == 0);
        if (!good) return fail_shape(call, KEY);
    }
    if (pairs) {
        l->fresh = k->shape[1];
        if (k->shape[0] != l->batch || k->shape[4] != l->size) return fail_shape(call, KEY);
    }
    if (!past) return UNCORK_OK;
    const uc_tensor *other = uc_call_in(call, PAST_VALUE);
    good = past->rank == 4 && other && other->rank == 4 && past->shape[0] == l->batch &&
           past->shape[1] == l->heads && past->shape[3] == l->size && other->shape[0] == l->batch &&
           other->shape[1] == l->heads && other->shape[3] == l->v_size &&
           other->shape[2] == past->shape[2];
    if (!good) return fail_shape(call, PAST_KEY);
    l->past = past->shape[2];
    return UNCORK_OK;
}

static bool all_known(const uc_call *call)
{
    for (size_t i = 0; i < call->in_count; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        if (t && !uc_dims_known(t->shape, t->rank)) return false;
    }
    return true;
}

static uncork_status infer_multi(uc_call *call)
{
    layer l = {0};
    uncork_dtype dtype = uc_call_dtype(call, QUERY);
    int64_t y[3] = {-1, -1, -1}, k[4] = {-1, -1, -1, -1}, v[4] = {-1, -1, -1, -1};
    UC_TRY(uc_call_expect_wide(call, QUERY));
    for (size_t i = KEY; i <= PAST_VALUE; i++) {
        if (i == PADDING) UC_TRY(uc_call_expect(call, i, UC_TYPES_INDEX));
        if (i != PADDING) UC_TRY(uc_call_same_dtype(call, QUERY, i));
    }
    if (uc_call_in(call, 8) || uc_call_in(call, 9)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "buffers shared between past and present");
    }
    if (all_known(call)) {
        UC_TRY(read_multi(call, &l));
        const uc_tensor *bias = uc_call_in(call, BIAS);
        bool fits =
            !bias || (bias->rank == 1 && bias->shape[0] == l.heads * (2 * l.size + l.v_size));
        if (!fits) return fail_shape(call, BIAS);
        y[0] = k[0] = v[0] = l.batch;
        y[1] = l.rows;
        y[2] = l.heads * l.v_size;
        k[1] = v[1] = l.heads;
        k[2] = v[2] = l.past + l.fresh;
        k[3] = l.size;
        v[3] = l.v_size;
    }
    UC_TRY(uc_call_shape(call, 0, dtype, 3, y));
    UC_TRY(uc_call_shape(call, 1, dtype, 4, k));
    UC_TRY(uc_call_shape(call, 2, dtype, 4, v));
    k[2] = y[1];
    k[3] = v[2];
    return uc_call_shape(call, 3, dtype, 4, k);
}

/* Rows of heads in [B, L, N * size] or [B, N, L, size]. */
static uc_heads heads_of(const uc_tensor *t, int64_t heads, int64_t size)
{
    uc_heads h = {t->data, 0, 0, 0};
    bool by_head = t->rank == 4;
    int64_t length = t->shape[by_head ? 2 : 1];
    h.batch = heads * length * size;
    h.head = by_head ? length * size : size;
    h.row = by_head ? size : heads * size;
    return h;
}

/* Part `i` of `parts` in [B, L, N, parts, size]. */
static uc_heads part_of(const uc_tensor *t, int64_t parts, int64_t i)
{
    int64_t size = t->shape[4], heads = t->shape[2];
    uc_heads h = {(float *)t->data + i * size, t->shape[1] * heads * parts * size, parts * size,
                  heads * parts * size};
    return h;
}

static uncork_status wide_multi(uc_call *call)
{
    layer l = {0};
    const uc_tensor *q = uc_call_arg(call, QUERY), *k = uc_call_in(call, KEY);
    const uc_tensor *bias = uc_call_in(call, BIAS), *past = uc_call_in(call, PAST_KEY);
    uc_tensor *y = uc_call_out(call, 0), *pk = uc_call_out(call, 1), *pv = uc_call_out(call, 2);
    if (!y) return uc_fail_memory(call->error);
    if (q->dtype != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not defined for %s",
                            uc_dtype_name(q->dtype));
    }
    UC_TRY(read_multi(call, &l));
    bool pairs = k && k->rank == 5;
    l.q = k ? heads_of(q, l.heads, l.size) : part_of(q, 3, 0);
    l.k = !k ? part_of(q, 3, 1) : pairs ? part_of(k, 2, 0) : heads_of(k, l.heads, l.size);
    l.v = !k      ? part_of(q, 3, 2)
          : pairs ? part_of(k, 2, 1)
                  : heads_of(uc_call_arg(call, VALUE), l.heads, l.v_size);
    for (int i = 0; bias && i < 3; i++) {
        l.bias[i] = (const float *)bias->data + i * l.heads * l.size;
    }
    if (past) {
        l.past_k = past->data;
        l.past_v = uc_call_arg(call, PAST_VALUE)->data;
    }
    l.present_k = pk ? pk->data : NULL;
    l.present_v = pv ? pv->data : NULL;
    l.mask = uc_call_in(call, PADDING);
    l.attention_bias = uc_call_in(call, ATTENTION_BIAS);
    l.y = y->data;
    return run_layer(call, &l);
}

static uncork_status run_multi(uc_call *call) { return uc_widened(call, wide_multi); }

const uc_op uc_op_ms_multi_head_attention = {.domain = "com.microsoft",
                                             .name = "MultiHeadAttention",
                                             .in = {1, 10},
                                             .out = {1, 3},
                                             .infer = infer_multi,
                                             .run = run_multi};

/* ---- Attention, QAttention ---------------------------------------------------------------- */

typedef struct places { /* of inputs; 99: none */
    size_t mask, past, attention_bias;
} places;

static const places plain = {3, 4, 5}, quantised = {5, 8, 99};

/* Hidden sizes of q, k and v out of the weight's columns. */
static uncork_status read_sizes(uc_call *call, int64_t columns, int64_t heads, int64_t sizes[3])
{
    size_t count = 0;
    const int64_t *given = uc_call_ints(call, "qkv_hidden_sizes", &count);
    for (int i = 0; i < 3; i++) {
        sizes[i] = given && count == 3 ? given[i] : columns / 3;
    }
    bool good = sizes[0] > 0 && sizes[1] == sizes[0] && sizes[2] > 0 && columns <= INT32_MAX &&
                sizes[0] <= columns && sizes[2] <= columns && 2 * sizes[0] + sizes[2] == columns &&
                sizes[0] % heads == 0 && sizes[2] % heads == 0;
    if (good) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT,
                        "%" PRId64 " columns don't split into q, k, v of %" PRId64 " heads",
                        columns, heads);
}

static uncork_status read_attention(uc_call *call, const places *at, layer *l)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1), *b = uc_call_in(call, 2);
    const uc_tensor *past = uc_call_in(call, at->past);
    int64_t sizes[3];
    UC_TRY(read_heads(call, &l->heads));
    if (x->rank != 3) return fail_shape(call, 0);
    if (w->rank != 2 || w->shape[0] != x->shape[2]) return fail_shape(call, 1);
    if (b && (b->rank != 1 || b->shape[0] != w->shape[1])) return fail_shape(call, 2);
    UC_TRY(read_sizes(call, w->shape[1], l->heads, sizes));
    l->batch = x->shape[0];
    l->rows = l->fresh = x->shape[1];
    l->size = sizes[0] / l->heads;
    l->v_size = sizes[2] / l->heads;
    if (!past) return UNCORK_OK;
    bool good = past->rank == 5 && past->shape[0] == 2 && past->shape[1] == l->batch &&
                past->shape[2] == l->heads && past->shape[4] == l->size && l->size == l->v_size;
    if (!good) return fail_shape(call, at->past);
    l->past = past->shape[3];
    return UNCORK_OK;
}

static uncork_status infer_attention(uc_call *call, const places *at, uncork_dtype dtype)
{
    layer l = {0};
    int64_t y[3] = {-1, -1, -1}, present[5] = {2, -1, -1, -1, -1};
    UC_TRY(refuse(call, "do_rotary"));
    UC_TRY(refuse(call, "past_present_share_buffer"));
    UC_TRY(uc_call_expect(call, at->mask, UC_TYPES_INDEX));
    if (all_known(call)) {
        UC_TRY(read_attention(call, at, &l));
        y[0] = present[1] = l.batch;
        y[1] = l.rows;
        y[2] = l.heads * l.v_size;
        present[2] = l.heads;
        present[3] = l.past + l.fresh;
        present[4] = l.size;
        if (uc_call_wants(call, 1) && uc_call_in(call, at->past) && l.size != l.v_size) {
            return uc_call_fail(call, UNCORK_INPUT, "present of heads of two sizes");
        }
    }
    UC_TRY(uc_call_shape(call, 0, dtype, 3, y));
    return uc_call_shape(call, 1, dtype, 5, present);
}

/* q, k and v are in qkv [B, S, columns]. */
static uncork_status attend_over(uc_call *call, const places *at, layer *l, float *qkv, float *bias)
{
    const uc_tensor *past = uc_call_in(call, at->past);
    uc_tensor *y = uc_call_out(call, 0), *present = uc_call_out(call, 1);
    int64_t q = l->heads * l->size, columns = 2 * q + l->heads * l->v_size;
    if (!y) return uc_fail_memory(call->error);
    if (present && l->size != l->v_size) present = NULL;
    l->q = (uc_heads){qkv, l->rows * columns, l->size, columns};
    l->k = (uc_heads){qkv + q, l->rows * columns, l->size, columns};
    l->v = (uc_heads){qkv + 2 * q, l->rows * columns, l->v_size, columns};
    for (int i = 0; bias && i < 3; i++) {
        l->bias[i] = bias + i * q;
    }
    if (past) {
        l->past_k = past->data;
        l->past_v = l->past_k + uc_tensor_count(past) / 2;
    }
    if (present) {
        l->present_k = present->data;
        l->present_v = l->present_k + uc_tensor_count(present) / 2;
    }
    l->mask = uc_call_in(call, at->mask);
    l->attention_bias = uc_call_in(call, at->attention_bias);
    l->y = y->data;
    return run_layer(call, l);
}

static uncork_status infer_plain(uc_call *call)
{
    UC_TRY(uc_call_expect_wide(call, 0));
    for (size_t i = 1; i <= 5; i++) {
        if (i != 3) UC_TRY(uc_call_same_dtype(call, 0, i));
    }
    return infer_attention(call, &plain, uc_call_dtype(call, 0));
}

static uncork_status wide_plain(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1), *b = uc_call_in(call, 2);
    const uc_gemm *gemm = uc_gemm_f32();
    layer l = {0};
    size_t count = 0;
    if (x->dtype != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not defined for %s",
                            uc_dtype_name(x->dtype));
    }
    UC_TRY(read_attention(call, &plain, &l));
    int64_t rows = l.batch * l.rows, k = w->shape[0], n = w->shape[1];
    bool fits = gemm->packed_count(k, n, &count);
    float *packed = fits ? uc_call_scratch(call, count, sizeof *packed) : NULL;
    float *qkv = uc_call_scratch(call, (size_t)(rows * n), sizeof *qkv);
    if (!packed || !qkv) return uc_fail_memory(call->error);
    gemm->pack(packed, w->data, n, 1, k, n);
    uc_gemm_args args = {.m = rows, .n = n, .k = k, .a = x->data, .lda = k, .pool = call->pool};
    args.packed = packed;
    args.c = qkv;
    args.ldc = n;
    args.bias = b ? b->data : NULL;
    gemm->run(&args);
    return attend_over(call, &plain, &l, qkv, NULL);
}

static uncork_status run_plain(uc_call *call) { return uc_widened(call, wide_plain); }

const uc_op uc_op_ms_attention = {.domain = "com.microsoft",
                                  .name = "Attention",
                                  .in = {2, 7},
                                  .out = {1, 2},
                                  .infer = infer_plain,
                                  .run = run_plain};

static uncork_status infer_quantised(uc_call *call)
{
    UC_TRY(uc_product_i8_check(call, 0, 1, 6, 7));
    UC_TRY(uc_quant_check_one(call, 3, 6, uc_call_dtype(call, 0)));
    UC_TRY(uc_call_expect(call, 4, UC_TYPES_FLOAT));
    uncork_dtype dtype = uc_call_dtype(call, 2);
    if (dtype && dtype != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "a bias of %s", uc_dtype_name(dtype));
    }
    UC_TRY(uc_call_same_dtype(call, 2, 8));
    const uc_tensor *w = uc_call_arg(call, 1), *scale = uc_call_arg(call, 4);
    if (uc_dims_known(scale->shape, scale->rank) && w->rank == 2 && w->shape[1] >= 0) {
        int64_t n = uc_tensor_count(scale);
        if (n != 1 && n != w->shape[1]) return fail_shape(call, 4);
    }
    return infer_attention(call, &quantised, dtype);
}

static uncork_status prepare_quantised(uc_call *call)
{
    return uc_product_i8_prepare(call, 1, false);
}

static uncork_status run_quantised(uc_call *call)
{
    layer l = {0};
    const uc_tensor *w = uc_call_arg(call, 1), *bias = uc_call_arg(call, 2);
    UC_TRY(read_attention(call, &quantised, &l));
    float *qkv = uc_call_scratch(call, (size_t)(l.batch * l.rows * w->shape[1]), sizeof *qkv);
    if (!qkv) return uc_fail_memory(call->error);
    uc_product_i8 p = {.a = uc_call_arg(call, 0), .b = w, .floats = qkv};
    p.a_zero = uc_call_in(call, 6);
    p.b_zero = uc_call_in(call, 7);
    p.float_bias = bias->data;
    p.scale = uc_product_i8_scales(call, uc_call_arg(call, 3), uc_call_arg(call, 4), NULL, 1,
                                   &p.scale_step);
    if (!p.scale) return uc_fail_memory(call->error);
    UC_TRY(uc_product_i8_run(call, &p));
    return attend_over(call, &quantised, &l, qkv, NULL);
}

const uc_op uc_op_ms_qattention = {.domain = "com.microsoft",
                                   .name = "QAttention",
                                   .in = {5, 9},
                                   .out = {1, 2},
                                   .infer = infer_quantised,
                                   .prepare = prepare_quantised,
                                   .run = run_quantised};
