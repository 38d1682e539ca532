/* uncork.Attention: what exporters write out as MatMul, Mul, Add, Softmax, MatMul, a head at a time.
 *
 * y = softmax(s q k' + mask) v. Made by passes only.
 * q  f32 [..., rows, size];  k  f32 [..., size, keys] ([..., keys, size] with transK)
 * v  f32 [..., keys, width];  mask  f32 [..., rows, keys], optional;  y  f32 [..., rows, width]
 * scales  up to 3 values of one element, optional: s is their product times the attribute scale
 * Leading dimensions, and the mask's last two, broadcast as in the operators this stands for.
 * Numerics: products as kernel/gemm.h sums them, softmax of kernel/softmax_row.inc; the scale is applied
 * to the scores. The scores of a block of rows of one head are all that is ever in memory. */
#include "base/thread.h"
#include "kernel/conv_blocked.h"
#include "kernel/gemm.h"
#include "op/matrices.h"
#include "op/shape.h"

#include <inttypes.h>

enum { Q = 0, K = 1, VALUES = 2, MASK = 3, SCALES = 4 };

typedef struct attention {
    const uc_gemm *gemm;
    const uc_conv_row *row;
    uc_tensor q, k, v, mask; /* mask.data NULL: none */
    bool turned;
    float scale;
    int64_t shape[UNCORK_MAX_RANK]; /* of the heads */
    int rank;
    int64_t heads, rows, keys, size, width;
    float *y;
    float *room; /* a thread: packed k, packed v, scores, a row of the mask */
    size_t k_count, v_count, score_count, room_count;
} attention;

/* ---- shapes --------------------------------------------------------------------------------- */

/* NumPy's rule for one dimension, of which either may be unknown. */
static bool join(int64_t *to, int64_t d)
{
    if (*to >= 0 && d >= 0 && *to != d && *to != 1 && d != 1) return false;
    if (*to == 1) {
        *to = d;
    } else if (*to < 0 && d != *to && d != 1) {
        *to = d > 1 ? d : UC_DIM_UNKNOWN;
    }
    return true;
}

static bool join_heads(attention *a, const uc_tensor *t)
{
    bool fits = true;
    for (int d = 0; d < t->rank - 2; d++) {
        fits = fits && join(&a->shape[a->rank - (t->rank - 2) + d], t->shape[d]);
    }
    return fits;
}

static uncork_status fail_shapes(uc_call *call)
{
    char q[64], k[64], v[64], m[64] = "none";
    const uc_tensor *mask = uc_call_in(call, MASK);
    const uc_tensor *in[] = {uc_call_arg(call, Q), uc_call_arg(call, K), uc_call_arg(call, VALUES)};
    if (mask) uc_shape_text(mask->shape, mask->rank, m, sizeof m);
    return uc_call_fail(call, UNCORK_INPUT, "shapes don't fit: q %s, k %s, v %s, mask %s",
                        uc_shape_text(in[0]->shape, in[0]->rank, q, sizeof q),
                        uc_shape_text(in[1]->shape, in[1]->rank, k, sizeof k),
                        uc_shape_text(in[2]->shape, in[2]->rank, v, sizeof v), m);
}

/* Sizes of everything; every input has a known rank. */
static uncork_status read_shapes(uc_call *call, attention *a)
{
    const uc_tensor *mask = uc_call_in(call, MASK);
    *a = (attention){.q = *uc_call_arg(call, Q),
                     .k = *uc_call_arg(call, K),
                     .v = *uc_call_arg(call, VALUES),
                     .turned = uc_call_int(call, "transK", 0) != 0};
    if (mask) a->mask = uc_matrices_of(mask, true);
    if (a->q.rank < 2 || a->k.rank < 2 || a->v.rank < 2 || (mask && a->mask.rank < 2)) {
        return fail_shapes(call);
    }
    const uc_tensor *all[] = {&a->q, &a->k, &a->v, mask ? &a->mask : &a->q};
    for (int i = 0; i < 4; i++) {
        if (all[i]->rank - 2 > a->rank) a->rank = all[i]->rank - 2;
    }
    for (int d = 0; d < a->rank; d++) {
        a->shape[d] = 1;
    }
    const int64_t *k = a->k.shape + a->k.rank - 2, *v = a->v.shape + a->v.rank - 2;
    a->rows = a->q.shape[a->q.rank - 2];
    a->size = a->q.shape[a->q.rank - 1];
    a->keys = k[a->turned ? 0 : 1];
    a->width = v[1];
    int64_t size = k[a->turned ? 1 : 0];
    bool fits = size < 0 || a->size < 0 || size == a->size;
    for (int i = 0; i < 4; i++) {
        fits = fits && join_heads(a, all[i]);
    }
    if (mask) {
        fits = fits && join(&a->rows, a->mask.shape[a->mask.rank - 2]) &&
               join(&a->keys, a->mask.shape[a->mask.rank - 1]);
    }
    fits = fits && (a->keys < 0 || v[0] < 0 || a->keys == v[0]);
    return fits ? UNCORK_OK : fail_shapes(call);
}

static uncork_status infer(uc_call *call)
{
    attention a;
    for (size_t i = 0; i < call->in_count; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        if (!t) continue;
        if (t->dtype != UNCORK_FLOAT32 && t->dtype != UNCORK_DTYPE_NONE) {
            return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, not float32", i,
                                uc_dtype_name(t->dtype));
        }
        if (t->rank < 0) return uc_call_shape(call, 0, UNCORK_FLOAT32, -1, NULL);
        bool one = true;
        for (int d = 0; i >= SCALES && d < t->rank; d++) {
            one = one && (t->shape[d] == 1 || t->shape[d] < 0);
        }
        if (!one) return uc_call_fail(call, UNCORK_INPUT, "scale %zu isn't one number", i - SCALES);
    }
    UC_TRY(read_shapes(call, &a));
    if (a.rank > UNCORK_MAX_RANK - 2) return fail_shapes(call);
    a.shape[a.rank] = a.rows;
    a.shape[a.rank + 1] = a.width;
    return uc_call_shape(call, 0, UNCORK_FLOAT32, a.rank + 2, a.shape);
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *q = uc_call_arg(call, Q), *v = uc_call_arg(call, VALUES);
    const uc_tensor *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t n = 0;
    if (!y || q->rank < 2 || v->rank < 2 || !uc_dims_known(y->shape, y->rank)) return 0;
    const int64_t size = q->shape[q->rank - 1], keys = v->shape[v->rank - 2];
    const int64_t width = y->shape[y->rank - 1];
    if (size < 0 || keys < 0 || width <= 0) return 0;
    uint64_t scores = (uint64_t)(uc_tensor_count(y) / width);
    bool over = __builtin_mul_overflow(scores, (uint64_t)keys, &n) ||
                __builtin_mul_overflow(n, (uint64_t)(size + width), &n);
    return over ? UINT64_MAX : n;
}

/* ---- running -------------------------------------------------------------------------------- */

/* The matrix of `t` that head i reads. */
static const float *matrix(const attention *a, const uc_tensor *t, int64_t i)
{
    int64_t at = 0;
    for (int d = a->rank - 1, e = t->rank - 3; d >= 0 && e >= 0; d--, e--) {
        if (t->shape[e] != 1) at += i % a->shape[d] * t->stride[e];
        i /= a->shape[d];
    }
    return (const float *)t->data + at;
}

/* Strides of its rows and columns; 0 where one stands for all that there are. */
static int64_t row_step(const uc_tensor *t, int64_t rows)
{
    return t->shape[t->rank - 2] == rows ? t->stride[t->rank - 2] : 0;
}

static int64_t column_step(const uc_tensor *t, int64_t columns)
{
    return t->shape[t->rank - 1] == columns ? t->stride[t->rank - 1] : 0;
}

/* Rows at a time: tiles of a matrix product, whose scores the second cache holds. */
static int64_t block_rows(const attention *a)
{
    enum { LEAST = 112, MOST = 224, SCORES = 65536 };
    return a->keys * MOST <= SCORES ? MOST : LEAST;
}

/* The mask's row, spread over the keys when it holds one number. */
static const float *mask_row(const attention *a, int64_t head, int64_t row, float *room)
{
    if (!a->mask.data) return NULL;
    const int64_t rows = a->mask.shape[a->mask.rank - 2], keys = a->mask.shape[a->mask.rank - 1];
    const float *from = matrix(a, &a->mask, head) + (rows == 1 ? 0 : row) * keys;
    for (int64_t j = 0; keys != a->keys && j < a->keys; j++) {
        room[j] = *from;
    }
    return keys == a->keys ? from : room;
}

static void run_head(const attention *a, int64_t i, float *room)
{
    float *packed_k = room, *packed_v = packed_k + a->k_count, *scores = packed_v + a->v_count;
    float *spread = scores + a->score_count;
    const int64_t lda = row_step(&a->q, a->rows);
    const float *q = matrix(a, &a->q, i);
    const int64_t down = a->turned ? column_step(&a->k, a->size) : row_step(&a->k, a->size);
    const int64_t along = a->turned ? row_step(&a->k, a->keys) : column_step(&a->k, a->keys);
    a->gemm->pack(packed_k, matrix(a, &a->k, i), down, along, a->size, a->keys);
    a->gemm->pack(packed_v, matrix(a, &a->v, i), row_step(&a->v, a->keys),
                  column_step(&a->v, a->width), a->keys, a->width);
    const int64_t most = block_rows(a), blocks = (a->rows + most - 1) / most;
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t first = a->rows * b / blocks, rows = a->rows * (b + 1) / blocks - first;
        uc_gemm_args g = {.m = rows, .n = a->keys, .k = a->size, .lda = lda, .ldc = a->keys};
        g.a = q + first * lda;
        g.packed = packed_k;
        g.c = scores;
        a->gemm->run(&g);
        for (int64_t r = 0; r < rows; r++) {
            a->row->softmax(scores + r * a->keys, mask_row(a, i, first + r, spread), a->scale,
                            a->keys);
        }
        g = (uc_gemm_args){.m = rows, .n = a->width, .k = a->keys, .lda = a->keys, .ldc = a->width};
        g.a = scores;
        g.packed = packed_v;
        g.c = a->y + (i * a->rows + first) * a->width;
        a->gemm->run(&g);
    }
}

static void run_heads(void *context, int64_t begin, int64_t end, int thread)
{
    const attention *a = context;
    for (int64_t i = begin; i < end; i++) {
        run_head(a, i, a->room + (size_t)thread * a->room_count);
    }
}

static bool line(size_t *count)
{
    if (*count > SIZE_MAX / 64) return false;
    *count = (*count + 15) / 16 * 16;
    return true;
}

/* Rows of q are read in place: its columns must be neighbours. */
static uncork_status join_columns(uc_call *call, attention *a)
{
    if (a->q.stride[a->q.rank - 1] == 1 || a->size == 1) return UNCORK_OK;
    const uc_tensor *dense = uc_tensor_dense(call->arena, &a->q);
    if (!dense) return uc_arena_status(call->arena, call->error);
    a->q = *dense;
    return UNCORK_OK;
}

static uncork_status get_room(uc_call *call, attention *a)
{
    const int64_t rows = a->rows < block_rows(a) ? a->rows : block_rows(a);
    size_t keys = (size_t)a->keys, all = 0;
    bool fits = a->gemm->packed_count(a->size, a->keys, &a->k_count) &&
                a->gemm->packed_count(a->keys, a->width, &a->v_count) &&
                uc_mul_size((size_t)rows, keys, &a->score_count) && line(&a->k_count) &&
                line(&a->v_count) && line(&a->score_count) && line(&keys);
    a->room_count = a->k_count + a->v_count + a->score_count + keys;
    fits = fits && uc_mul_size(a->room_count, (size_t)uc_pool_threads(call->pool), &all);
    if (!fits) return uc_call_fail(call, UNCORK_LIMIT, "too many keys");
    a->room = uc_call_scratch(call, all, sizeof(float));
    return a->room ? UNCORK_OK : uc_fail_memory(call->error);
}

static uncork_status run(uc_call *call)
{
    attention a;
    UC_TRY(read_shapes(call, &a));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    double scale = uc_call_float(call, "scale", 1);
    for (size_t i = SCALES; i < call->in_count; i++) {
        const uc_tensor *s = uc_call_in(call, i);
        if (s) scale *= (double)*(const float *)s->data;
    }
    a.scale = (float)scale;
    a.gemm = uc_gemm_f32();
    a.row = uc_conv_row_at(0);
    a.y = y->data;
    a.heads = 1;
    for (int d = 0; d < a.rank; d++) {
        a.heads *= a.shape[d];
    }
    UC_TRY(join_columns(call, &a));
    UC_TRY(get_room(call, &a));
    uc_parallel(call->pool, a.heads, 1, run_heads, &a);
    return UNCORK_OK;
}

const uc_op uc_op_scores_attention = {.domain = "uncork",
                                      .name = "Attention",
                                      .in = {3, 7},
                                      .out = {1, 1},
                                      .any_stride = 1u << Q | 1u << K | 1u << VALUES,
                                      .infer = infer,
                                      .run = run,
                                      .macs = macs,
                                      .stoppable = true};
