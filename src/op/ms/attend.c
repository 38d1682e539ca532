/* Attention over heads: see attend.h. Scores of one head are a packed product, then softmax a row, then
 * another product; heads are split over threads. */
#include "op/ms/attend.h"

#include "base/thread.h"
#include "kernel/gemm.h"
#include "kernel/vmath.h"

#include <float.h>
#include <math.h>

typedef struct job {
    const uc_attend *a;
    const uc_gemm *gemm;
    size_t packed_count;   /* of the larger of both packed matrices */
    float *packed, *score; /* a thread: packed_count, [rows, keys] */
} job;

/* Keys [first, end) that row `row` of batch `b` sees. */
static void seen(const uc_attend *a, int64_t b, int64_t row, int64_t *first, int64_t *end)
{
    int64_t own = (a->past ? a->past[b] : a->keys - a->rows) + row;
    *first = 0;
    *end = a->length ? a->length[b] : a->keys;
    if (a->causal && own + 1 < *end) *end = own + 1;
    if (a->window > 0 && own + 1 > a->window) *first = own + 1 - a->window;
    if (*end < 0) *end = 0;
    if (*first > *end) *first = *end;
}

static void weigh_row(const uc_attend *a, int64_t b, int64_t h, int64_t row, float *s)
{
    const float *mask = a->mask ? a->mask + b * a->mask_batch + row * a->mask_row : NULL;
    const float *bias =
        a->bias ? a->bias + b * a->bias_batch + h * a->bias_head + row * a->bias_row : NULL;
    int64_t first, end;
    float most = -FLT_MAX;
    double sum = 0;
    seen(a, b, row, &first, &end);
    for (int64_t i = first; i < end; i++) {
        float v = s[i] * a->scale;
        if (a->softcap > 0) v = a->softcap * tanhf(v / a->softcap);
        if (mask) v += mask[i];
        if (bias) v += bias[i];
        s[i] = v;
        if (v > most || isnan(v)) most = v;
    }
    for (int64_t i = 0; i < a->keys; i++) {
        s[i] = i < first || i >= end ? 0 : s[i] - most;
    }
    uc_exp_f32(s + first, s + first, (size_t)(end - first));
    for (int64_t i = first; i < end; i++) {
        sum += (double)s[i];
    }
    for (int64_t i = first; i < end; i++) {
        s[i] = (float)((double)s[i] / sum);
    }
}

static void attend_heads(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const uc_attend *a = j->a;
    float *packed = j->packed + (size_t)thread * j->packed_count;
    float *score = j->score + thread * a->rows * a->keys;
    for (int64_t i = begin; i < end; i++) {
        int64_t b = i / a->heads, h = i % a->heads, kv = h / (a->heads / a->kv_heads);
        const float *k = a->k.data + b * a->k.batch + kv * a->k.head;
        const float *v = a->v.data + b * a->v.batch + kv * a->v.head;
        j->gemm->pack(packed, k, 1, a->k.row, a->size, a->keys);
        uc_gemm_args args = {.m = a->rows, .n = a->keys, .k = a->size, .packed = packed};
        args.a = a->q.data + b * a->q.batch + h * a->q.head;
        args.lda = a->q.row;
        args.c = score;
        args.ldc = a->keys;
        j->gemm->run(&args);
        for (int64_t r = 0; r < a->rows; r++) {
            weigh_row(a, b, h, r, score + r * a->keys);
        }
        j->gemm->pack(packed, v, a->v.row, 1, a->keys, a->v_size);
        uc_gemm_args out = {.m = a->rows, .n = a->v_size, .k = a->keys, .packed = packed};
        out.a = score;
        out.lda = a->keys;
        out.c = a->y.data + b * a->y.batch + h * a->y.head;
        out.ldc = a->y.row;
        j->gemm->run(&out);
    }
}

uncork_status uc_attend_run(uc_call *call, const uc_attend *a)
{
    job j = {.a = a, .gemm = uc_gemm_f32()};
    size_t threads = (size_t)uc_pool_threads(call->pool), one = 0, two = 0, packed = 0, score = 0;
    if (a->batch * a->heads == 0 || a->rows == 0) return UNCORK_OK;
    bool fits = j.gemm->packed_count(a->size, a->keys, &one) &&
                j.gemm->packed_count(a->keys, a->v_size, &two) &&
                uc_mul_size((size_t)a->rows, (size_t)a->keys, &score) &&
                uc_mul_size(score, threads, &score);
    j.packed_count = one > two ? one : two;
    fits = fits && uc_mul_size(j.packed_count, threads, &packed);
    j.packed = fits ? uc_call_scratch(call, packed, sizeof(float)) : NULL;
    j.score = fits ? uc_call_scratch(call, score, sizeof(float)) : NULL;
    if (!j.packed || !j.score) return uc_fail_memory(call->error);
    uc_parallel(call->pool, a->batch * a->heads, 1, attend_heads, &j);
    return UNCORK_OK;
}
