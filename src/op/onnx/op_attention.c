/* Attention: softmax(scale * Q K' + bias) V over heads, with key and value caches.
 *
 * Source: ONNX operator Attention, opset 25.
 * q  float [b, heads, queries, size] or [b, queries, heads * size];  k, v  likewise with kv_heads
 * mask  bool or number, broadcast to [b, heads, queries, keys], its last dimension may be shorter
 * past_key, past_value  [b, kv_heads, past, size];  nonpad_kv_seqlen  int64 [b]
 * y  as q with v's size;  present_key, present_value  the caches with k and v behind
 * qk_matmul_output  [b, heads, queries, keys]: scores at the stage qk_matmul_output_mode names
 * Numerics: short floats run in float32, which is at least every softmax_precision that matters. A
 * query that sees no key gives zeros. */
#include "base/thread.h"
#include "kernel/copy.h"
#include "kernel/gemm.h"
#include "kernel/span.h"
#include "kernel/vmath.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

enum {
    BLOCK = 64, /* queries whose scores are in memory at a time */
    FEW = 4,    /* queries up to which keys aren't packed: a cache is read once */
};

typedef struct attention {
    uncork_dtype dtype;
    size_t bytes; /* of an element */
    const uc_gemm *gemm;
    int64_t batch, heads, kv_heads, queries, keys, size, v_size, past;
    int64_t q_row, k_row, v_row, y_row; /* elements from one query or key to the next */
    int64_t q_head, k_head, v_head, y_head;
    int64_t q_batch, k_batch, v_batch, y_batch;
    const void *q, *k, *v;
    void *y, *qk;
    int qk_mode;
    double scale, softcap;
    const uc_tensor *mask;
    int64_t mask_keys, mask_row, mask_head, mask_batch;
    const int64_t *valid; /* nonpad_kv_seqlen, or NULL */
    bool causal;
    int64_t left, right; /* window, -1: unbounded */
    char *room;          /* a thread's */
    size_t room_bytes, k_bytes, v_bytes, q_bytes;
} attention;

typedef struct head {
    int64_t index, batch;
    const void *q, *k, *v;
    const void *packed_k, *packed_v; /* NULL: few queries */
    void *y;
    int64_t mask;
} head;

/* Keys [begin, end) that a query may see whatever the mask says. */
static void key_range(const attention *a, const head *h, int64_t query, int64_t *begin,
                      int64_t *end)
{
    int64_t offset = a->past, place;
    *begin = 0;
    *end = a->keys;
    if (a->valid) {
        offset = a->valid[h->batch] - a->queries;
        if (a->valid[h->batch] < *end) *end = a->valid[h->batch];
    }
    place = query + offset;
    if (a->causal && place + 1 < *end) *end = place + 1;
    if (a->right >= 0 && a->right < a->keys && place + a->right + 1 < *end) {
        *end = place + a->right + 1;
    }
    if (a->left >= 0 && a->left < a->keys + a->queries + a->past && place - a->left > 0) {
        *begin = place - a->left;
    }
}

#define T     float
#define N(x)  x##_f32
#define SPANS uc_spans_f32()
#define EXP   uc_exp_f32
#define TANH  uc_tanh_f32
#include "op/onnx/attention.inc"

#define T     double
#define N(x)  x##_f64
#define SPANS uc_spans_f64()
#define EXP   uc_exp_f64
#define TANH  uc_tanh_f64
#include "op/onnx/attention.inc"

/* ---- shapes ------------------------------------------------------------------------------------ */

static uncork_status fail_shapes(uc_call *call, const char *what)
{
    char a[128], b[128], c[128];
    const uc_tensor *q = uc_call_arg(call, 0), *k = uc_call_arg(call, 1), *v = uc_call_arg(call, 2);
    return uc_call_fail(call, UNCORK_INPUT, "%s: Q %.50s, K %.50s, V %.50s", what,
                        uc_shape_text(q->shape, q->rank, a, sizeof a),
                        uc_shape_text(k->shape, k->rank, b, sizeof b),
                        uc_shape_text(v->shape, v->rank, c, sizeof c));
}

/* Heads and the size of one, of input i; -1 where unknown. */
static uncork_status read_heads(uc_call *call, size_t i, int64_t *heads, int64_t *rows,
                                int64_t *size)
{
    const uc_tensor *t = uc_call_arg(call, i);
    const char *name = i == 0 ? "q_num_heads" : "kv_num_heads";
    *heads = uc_call_int(call, name, 0);
    *rows = *size = UC_DIM_UNKNOWN;
    if (t->rank == 4) {
        *heads = t->shape[1];
        *rows = t->shape[2];
        *size = t->shape[3];
        return UNCORK_OK;
    }
    if (*heads < 1) return uc_call_fail(call, UNCORK_MALFORMED, "%s is %" PRId64, name, *heads);
    *rows = t->shape[1];
    if (t->shape[2] < 0) return UNCORK_OK;
    if (t->shape[2] % *heads != 0) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "%" PRId64 " features don't divide into %" PRId64 " heads", t->shape[2],
                            *heads);
    }
    *size = t->shape[2] / *heads;
    return UNCORK_OK;
}

static bool differ(int64_t a, int64_t b) { return a >= 0 && b >= 0 && a != b; }

/* Sizes of q, k and v against each other; past 0 and keys of k alone. */
static uncork_status read_sizes(uc_call *call, attention *a)
{
    const uc_tensor *q = uc_call_arg(call, 0), *k = uc_call_arg(call, 1), *v = uc_call_arg(call, 2);
    int64_t k_size, v_heads, v_rows;
    bool ranks = q->rank == k->rank && q->rank == v->rank && (q->rank == 3 || q->rank == 4);
    if (!ranks) return fail_shapes(call, "3 or 4 dimensions each are wanted");
    UC_TRY(read_heads(call, 0, &a->heads, &a->queries, &a->size));
    UC_TRY(read_heads(call, 1, &a->kv_heads, &a->keys, &k_size));
    UC_TRY(read_heads(call, 2, &v_heads, &v_rows, &a->v_size));
    a->batch = q->shape[0];
    bool fits = !differ(a->size, k_size) && !differ(v_heads, a->kv_heads) &&
                !differ(v_rows, a->keys) && !differ(q->shape[0], k->shape[0]) &&
                !differ(q->shape[0], v->shape[0]);
    if (a->kv_heads >= 0 && a->heads >= 0) {
        fits = fits && (a->kv_heads == 0 ? a->heads == 0 : a->heads % a->kv_heads == 0);
    }
    return fits ? UNCORK_OK : fail_shapes(call, "shapes don't fit");
}

/* past_key (4) or past_value (5): [b, kv_heads, past, size]. */
static uncork_status check_past(uc_call *call, size_t i, const attention *a, int64_t *past)
{
    const uc_tensor *t = uc_call_in(call, i);
    *past = t ? UC_DIM_UNKNOWN : 0;
    if (!t || t->rank < 0) return UNCORK_OK;
    int64_t size = i == 4 ? a->size : a->v_size;
    bool fits = t->rank == 4 && !differ(t->shape[0], a->batch) &&
                !differ(t->shape[1], a->kv_heads) && !differ(t->shape[3], size);
    if (!fits) {
        char text[128];
        return uc_call_fail(call, UNCORK_INPUT, "%s has shape %s",
                            i == 4 ? "past_key" : "past_value",
                            uc_shape_text(t->shape, t->rank, text, sizeof text));
    }
    *past = t->shape[2];
    return UNCORK_OK;
}

static uncork_status check_mask(uc_call *call, const attention *a, int64_t keys)
{
    const uc_tensor *m = uc_call_in(call, 3);
    const int64_t want[] = {a->batch, a->heads, a->queries};
    if (!m || m->rank < 0) return UNCORK_OK;
    bool fits = m->rank >= 1 && m->rank <= 4;
    for (int d = 0; fits && d < m->rank - 1; d++) {
        fits = m->shape[d] == 1 || !differ(m->shape[d], want[4 - m->rank + d]);
    }
    fits = fits && !(m->shape[m->rank - 1] >= 0 && keys >= 0 && m->shape[m->rank - 1] > keys);
    if (fits) return UNCORK_OK;
    char text[128];
    return uc_call_fail(
        call, UNCORK_INPUT,
        "a mask of shape %s for [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 "]",
        uc_shape_text(m->shape, m->rank, text, sizeof text), a->batch, a->heads, a->queries, keys);
}

static uncork_status read_all(uc_call *call, attention *a)
{
    int64_t past_value = 0;
    *a = (attention){.dtype = uc_call_dtype(call, 0)};
    UC_TRY(read_sizes(call, a));
    UC_TRY(check_past(call, 4, a, &a->past));
    UC_TRY(check_past(call, 5, a, &past_value));
    bool caches = !uc_call_in(call, 4) == !uc_call_in(call, 5) && !differ(a->past, past_value);
    if (!caches || (uc_call_in(call, 4) && uc_call_in(call, 6))) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "past_key and past_value go together, without nonpad_kv_seqlen");
    }
    a->keys = a->keys < 0 || a->past < 0 ? UC_DIM_UNKNOWN : a->keys + a->past;
    const uc_tensor *valid = uc_call_in(call, 6);
    if (valid && valid->rank >= 0 && (valid->rank != 1 || differ(valid->shape[0], a->batch))) {
        return uc_call_fail(call, UNCORK_INPUT, "nonpad_kv_seqlen isn't one number a sample");
    }
    a->left = uc_call_int(call, "left_window_size", -1);
    a->right = uc_call_int(call, "right_window_size", -1);
    a->qk_mode = (int)uc_call_int(call, "qk_matmul_output_mode", 0);
    if (a->left < -1 || a->right < -1 || a->qk_mode < 0 || a->qk_mode > 3) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "windows of %" PRId64 " and %" PRId64 ", qk_matmul_output_mode %d",
                            a->left, a->right, a->qk_mode);
    }
    a->causal = uc_call_int(call, "is_causal", 0) != 0;
    a->softcap = uc_call_float(call, "softcap", 0);
    return check_mask(call, a, a->keys);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *q = uc_call_arg(call, 0), *k = uc_call_arg(call, 1), *v = uc_call_arg(call, 2);
    uncork_dtype dtype = q->dtype, v_dtype = v->dtype;
    attention a;
    for (size_t i = 0; i < 6; i++) {
        if (i != 3) UC_TRY(uc_call_expect_wide(call, i));
    }
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    UC_TRY(uc_call_same_dtype(call, 0, 2));
    UC_TRY(uc_call_expect(call, 3, UC_TYPES_FIXED));
    UC_TRY(uc_call_expect(call, 6, UC_TYPES_INDEX));
    if (q->rank < 0 || k->rank < 0 || v->rank < 0) {
        UC_TRY(uc_call_shape(call, 0, dtype, -1, NULL));
        UC_TRY(uc_call_shape(call, 1, dtype, -1, NULL));
        UC_TRY(uc_call_shape(call, 2, v_dtype, -1, NULL));
        return uc_call_shape(call, 3, dtype, -1, NULL);
    }
    UC_TRY(read_all(call, &a));
    const int64_t y4[] = {a.batch, a.heads, a.queries, a.v_size};
    int64_t width = 0;
    if (a.v_size < 0 || __builtin_mul_overflow(a.heads, a.v_size, &width)) width = UC_DIM_UNKNOWN;
    const int64_t y3[] = {a.batch, a.queries, width};
    const int64_t key[] = {a.batch, a.kv_heads, a.keys, a.size};
    const int64_t value[] = {a.batch, a.kv_heads, a.keys, a.v_size};
    const int64_t qk[] = {a.batch, a.heads, a.queries, a.keys};
    UC_TRY(uc_call_shape(call, 0, dtype, q->rank, q->rank == 4 ? y4 : y3));
    UC_TRY(uc_call_shape(call, 1, dtype, 4, key));
    UC_TRY(uc_call_shape(call, 2, v_dtype, 4, value));
    return uc_call_shape(call, 3, dtype, 4, qk);
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *q = uc_call_arg(call, 0), *k = uc_call_arg(call, 1),
                    *past = uc_call_in(call, 4);
    bool known = q->rank >= 3 && k->rank >= 3 && uc_dims_known(q->shape, q->rank) &&
                 uc_dims_known(k->shape, k->rank);
    uint64_t n = 0;
    if (!known) return 0;
    uint64_t keys = (uint64_t)k->shape[k->rank - 2];
    if (past && past->rank == 4 && past->shape[2] > 0) keys += (uint64_t)past->shape[2];
    bool over = __builtin_mul_overflow((uint64_t)uc_tensor_count(q), 2 * keys, &n);
    return over ? UINT64_MAX : n;
}

/* ---- running ----------------------------------------------------------------------------------- */

/* k or v (input i) behind its cache, into output `i` or scratch: [b, heads, keys, size]. */
static void *join(uc_call *call, const attention *a, size_t i, int64_t size)
{
    const uc_tensor *t = uc_call_arg(call, i), *past = uc_call_in(call, i + 3);
    uc_tensor *out = uc_call_wants(call, i) ? uc_call_out(call, i) : NULL;
    size_t count = (size_t)(a->batch * a->kv_heads * a->keys * size);
    char *to = out ? out->data : uc_call_scratch(call, count, a->bytes);
    if (!to) return NULL;
    int64_t fresh = a->keys - a->past;
    const int64_t to_stride[] = {a->kv_heads * a->keys * size, a->keys * size, size, 1};
    const int64_t shape[] = {a->batch, a->kv_heads, fresh, size};
    const int64_t by_rows[] = {fresh * a->kv_heads * size, size, a->kv_heads * size, 1};
    const int64_t old[] = {a->batch, a->kv_heads, a->past, size};
    if (past) uc_copy_strided(to, to_stride, past->data, NULL, 4, old, a->bytes);
    uc_copy_strided(to + (size_t)(a->past * size) * a->bytes, to_stride, t->data,
                    t->rank == 4 ? NULL : by_rows, 4, shape, a->bytes);
    return to;
}

static const void *at(const attention *a, const void *p, int64_t offset)
{
    return (const char *)p + (size_t)offset * a->bytes;
}

static void run_head(const attention *a, int64_t index, char *room)
{
    head h = {.index = index, .batch = index / a->heads};
    int64_t one = index % a->heads, kv = one / (a->heads / a->kv_heads);
    char *packed_k = room, *packed_v = packed_k + a->k_bytes, *q = packed_v + a->v_bytes;
    char *scores = q + a->q_bytes;
    h.q = at(a, a->q, h.batch * a->q_batch + one * a->q_head);
    h.k = at(a, a->k, h.batch * a->k_batch + kv * a->k_head);
    h.v = at(a, a->v, h.batch * a->v_batch + kv * a->v_head);
    if (a->y) h.y = (char *)a->y + (size_t)(h.batch * a->y_batch + one * a->y_head) * a->bytes;
    h.mask = h.batch * a->mask_batch + one * a->mask_head;
    if (a->queries > FEW) {
        a->gemm->pack(packed_k, h.k, 1, a->k_row, a->size, a->keys);
        a->gemm->pack(packed_v, h.v, a->v_row, 1, a->keys, a->v_size);
        h.packed_k = packed_k;
        h.packed_v = packed_v;
    }
    for (int64_t first = 0; first < a->queries; first += BLOCK) {
        int64_t rows = a->queries - first < BLOCK ? a->queries - first : BLOCK;
        if (a->dtype == UNCORK_FLOAT64) {
            block_f64(a, &h, first, rows, (double *)(void *)q, (double *)(void *)scores);
        } else {
            block_f32(a, &h, first, rows, (float *)(void *)q, (float *)(void *)scores);
        }
    }
}

static void body(void *context, int64_t begin, int64_t end, int thread)
{
    const attention *a = context;
    for (int64_t i = begin; i < end; i++) {
        run_head(a, i, a->room + (size_t)thread * a->room_bytes);
    }
}

/* Memory of each thread: packed keys and values, scaled queries, scores. */
static uncork_status get_room(uc_call *call, attention *a)
{
    size_t k = 0, v = 0, scores = 0, all = 0,
           rows = a->queries < BLOCK ? (size_t)a->queries : BLOCK;
    bool fits = a->gemm->packed_count(a->size, a->keys, &k) &&
                a->gemm->packed_count(a->keys, a->v_size, &v) && k < SIZE_MAX / 64 &&
                v < SIZE_MAX / 64 && uc_mul_size(rows * a->bytes, (size_t)a->keys, &scores) &&
                scores < SIZE_MAX / 8;
    if (!fits) return uc_call_fail(call, UNCORK_LIMIT, "too many keys");
    bool packs = a->queries > FEW;
    a->k_bytes = packs ? (k * a->bytes + 63) / 64 * 64 : 0;
    a->v_bytes = packs ? (v * a->bytes + 63) / 64 * 64 : 0;
    a->q_bytes = (rows * (size_t)a->size * a->bytes + 63) / 64 * 64;
    a->room_bytes = a->k_bytes + a->v_bytes + a->q_bytes + (scores + 63) / 64 * 64;
    if (!uc_mul_size(a->room_bytes, (size_t)uc_pool_threads(call->pool), &all)) {
        return uc_call_fail(call, UNCORK_LIMIT, "too many keys");
    }
    a->room = uc_call_scratch(call, all, 1);
    return a->room ? UNCORK_OK : uc_fail_memory(call->error);
}

static void set_mask(uc_call *call, attention *a)
{
    const uc_tensor *m = uc_call_in(call, 3);
    if (!m) return;
    a->mask = m;
    a->mask_keys = m->shape[m->rank - 1];
    int64_t *strides[] = {&a->mask_batch, &a->mask_head, &a->mask_row};
    for (int d = 0; d < m->rank - 1; d++) {
        *strides[4 - m->rank + d] = m->shape[d] == 1 ? 0 : m->stride[d];
    }
}

/* Elements between rows, heads and samples of a tensor in either layout. */
static void set_strides(bool rows_first, int64_t rows, int64_t heads, int64_t size, int64_t *row,
                        int64_t *head_step, int64_t *batch)
{
    *row = rows_first ? heads * size : size;
    *head_step = rows_first ? size : rows * size;
    *batch = rows * heads * size;
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *q = uc_call_arg(call, 0), *valid = uc_call_in(call, 6);
    attention a;
    UC_TRY(read_all(call, &a));
    bool flat = q->rank == 3,
         joined = uc_call_in(call, 4) || uc_call_wants(call, 1) || uc_call_wants(call, 2);
    a.bytes = uc_dtype_size(a.dtype);
    a.gemm = a.dtype == UNCORK_FLOAT64 ? uc_gemm_f64() : uc_gemm_f32();
    a.scale = uc_call_float(call, "scale", 1 / sqrt((double)a.size));
    a.q = q->data;
    a.k = joined ? join(call, &a, 1, a.size) : uc_call_arg(call, 1)->data;
    a.v = joined ? join(call, &a, 2, a.v_size) : uc_call_arg(call, 2)->data;
    if (!a.k || !a.v) return uc_fail_memory(call->error);
    set_strides(flat, a.queries, a.heads, a.size, &a.q_row, &a.q_head, &a.q_batch);
    set_strides(flat, a.queries, a.heads, a.v_size, &a.y_row, &a.y_head, &a.y_batch);
    set_strides(flat && !joined, a.keys, a.kv_heads, a.size, &a.k_row, &a.k_head, &a.k_batch);
    set_strides(flat && !joined, a.keys, a.kv_heads, a.v_size, &a.v_row, &a.v_head, &a.v_batch);
    set_mask(call, &a);
    int64_t *lengths = valid ? uc_call_scratch(call, (size_t)a.batch, sizeof *lengths) : NULL;
    if (valid && !lengths) return uc_fail_memory(call->error);
    for (int64_t b = 0; valid && b < a.batch; b++) {
        int64_t n = uc_dtype_load_i64(valid->data, b, valid->dtype);
        lengths[b] = n < 0 ? 0 : (n > a.keys ? a.keys : n);
    }
    a.valid = lengths;
    uc_tensor *y = uc_call_wants(call, 0) ? uc_call_out(call, 0) : NULL;
    uc_tensor *qk = uc_call_wants(call, 3) ? uc_call_out(call, 3) : NULL;
    if ((uc_call_wants(call, 0) && !y) || (uc_call_wants(call, 3) && !qk)) {
        return uc_fail_memory(call->error);
    }
    a.y = y ? y->data : NULL;
    a.qk = qk ? qk->data : NULL;
    if (a.batch * a.heads == 0 || a.queries == 0) return UNCORK_OK;
    UC_TRY(get_room(call, &a));
    uc_parallel(call->pool, a.batch * a.heads, 1, body, &a);
    return UNCORK_OK;
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_attention = {.name = "Attention",
                               .in = {3, 7},
                               .out = {1, 4},
                               .infer = infer,
                               .run = run,
                               .macs = macs,
                               .stoppable = true};
