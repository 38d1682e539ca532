/* MatMulNBits: float rows times a weight of 2, 4 or 8 bits with a scale a block of each column.
 *
 * Source: onnxruntime/core/graph/contrib_ops/contrib_defs.cc; docs/ContribOperators.md.
 * A [..., K] float;  B uint8 [N, ceil(K / block_size), block_size * bits / 8], low bits first
 * scales [N, blocks];  zero_points as packed bytes [N, ceil(blocks * bits / 8)] or in A's type [N, blocks];
 * none: the middle of the range;  g_idx int32 [K], the block of each row;  bias [N]
 * Method: a few columns at a time are unpacked and multiplied, so the weight stays small in memory. */
#include "base/thread.h"
#include "kernel/gemm.h"
#include "op/quant.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>

enum { COLUMNS = 32 };

typedef struct weight {
    int64_t n, k, block, blocks;
    int bits;
} weight;

static uncork_status read_weight(uc_call *call, weight *w)
{
    w->n = uc_call_int(call, "N", 0);
    w->k = uc_call_int(call, "K", 0);
    w->block = uc_call_int(call, "block_size", 0);
    w->bits = (int)uc_call_int(call, "bits", 4);
    bool bits = w->bits == 2 || w->bits == 4 || w->bits == 8;
    bool sizes = w->n > 0 && w->k > 0 && w->n <= INT32_MAX && w->k <= INT32_MAX;
    if (!bits || !sizes || w->block < 8 || w->block > 65536 || w->block % 8) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "N %" PRId64 ", K %" PRId64 ", block_size %" PRId64
                            ", bits %d aren't sound",
                            w->n, w->k, w->block, w->bits);
    }
    w->blocks = w->k / w->block + (w->k % w->block != 0);
    if (uc_call_int(call, "weight_prepacked", 0)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "a weight packed for one device");
    }
    return UNCORK_OK;
}

static uncork_status check_count(uc_call *call, size_t i, int64_t want)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t || !uc_dims_known(t->shape, t->rank) || uc_tensor_count(t) == want) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT,
                        "input %zu has %" PRId64 " elements, %" PRId64 " are wanted", i,
                        uc_tensor_count(t), want);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0);
    uncork_dtype b = uc_call_dtype(call, 1), zero = uc_call_dtype(call, 3);
    int64_t shape[UNCORK_MAX_RANK];
    weight w;
    UC_TRY(read_weight(call, &w));
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_expect_wide(call, 2));
    if (b && b != UNCORK_UINT8) {
        return uc_call_fail(call, UNCORK_INPUT, "B is %s, uint8 is wanted", uc_dtype_name(b));
    }
    UC_TRY(check_count(call, 1, w.n * w.blocks * (w.block * w.bits / 8)));
    UC_TRY(check_count(call, 2, w.n * w.blocks));
    bool packed = zero == UNCORK_UINT8;
    if (zero && !packed) UC_TRY(uc_call_expect_wide(call, 3));
    UC_TRY(check_count(call, 3, w.n * (packed ? (w.blocks * w.bits + 7) / 8 : w.blocks)));
    UC_TRY(uc_call_expect(call, 4, UC_TYPES_INDEX));
    const uc_tensor *group = uc_call_in(call, 4);
    bool padded = group && group->rank == 1 && group->shape[0] == w.blocks * w.block;
    if (!padded) UC_TRY(check_count(call, 4, w.k));
    UC_TRY(check_count(call, 5, w.n));
    if (a->rank < 0) return uc_call_shape(call, 0, a->dtype, -1, NULL);
    if (a->rank == 0 || (a->shape[a->rank - 1] >= 0 && a->shape[a->rank - 1] != w.k)) {
        char text[128];
        return uc_call_fail(call, UNCORK_INPUT,
                            "A has shape %s, rows of K = %" PRId64 " are wanted",
                            uc_shape_text(a->shape, a->rank, text, sizeof text), w.k);
    }
    memcpy(shape, a->shape, sizeof shape);
    shape[a->rank - 1] = w.n;
    return uc_call_shape(call, 0, a->dtype, a->rank, shape);
}

typedef struct job {
    weight w;
    const uint8_t *b, *packed_zero;
    const float *scale, *zero, *bias, *a;
    const int64_t *group;
    float *y;
    int64_t rows;
    const uc_gemm *gemm;
    size_t packed_count;
    float *wide, *packed; /* a thread: [COLUMNS, k], one packed matrix */
} job;

static float zero_of(const job *j, int64_t column, int64_t block)
{
    if (j->zero) return j->zero[column * j->w.blocks + block];
    if (!j->packed_zero) return (float)(1 << (j->w.bits - 1));
    int64_t bytes = (j->w.blocks * j->w.bits + 7) / 8;
    return (float)uc_bits_load(j->packed_zero + column * bytes, block, j->w.bits);
}

static void unpack_column(const job *j, int64_t column, float *to)
{
    const weight *w = &j->w;
    const uint8_t *from = j->b + column * w->blocks * (w->block * w->bits / 8);
    for (int64_t g = 0; g < w->blocks; g++) {
        float scale = j->scale[column * w->blocks + g], zero = zero_of(j, column, g);
        int64_t first = g * w->block, end = first + w->block < w->k ? first + w->block : w->k;
        for (int64_t i = first; i < end; i++) {
            if (j->group) {
                scale = j->scale[column * w->blocks + j->group[i]];
                zero = zero_of(j, column, j->group[i]);
            }
            to[i] = ((float)uc_bits_load(from, i, w->bits) - zero) * scale;
        }
    }
}

static void multiply_columns(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    float *wide = j->wide + thread * COLUMNS * j->w.k;
    float *packed = j->packed + (size_t)thread * j->packed_count;
    for (int64_t c = begin; c < end; c++) {
        int64_t first = c * COLUMNS, left = j->w.n - first, n = left < COLUMNS ? left : COLUMNS;
        for (int64_t i = 0; i < n; i++) {
            unpack_column(j, first + i, wide + i * j->w.k);
        }
        j->gemm->pack(packed, wide, 1, j->w.k, j->w.k, n);
        uc_gemm_args args = {.m = j->rows, .n = n, .k = j->w.k, .a = j->a, .lda = j->w.k};
        args.packed = packed;
        args.c = j->y + first;
        args.ldc = j->w.n;
        args.bias = j->bias ? j->bias + first : NULL;
        j->gemm->run(&args);
    }
}

/* Blocks of rows, each within the scales. */
static uncork_status read_group(uc_call *call, job *j)
{
    const uc_tensor *t = uc_call_in(call, 4);
    if (!t) return UNCORK_OK;
    int64_t *group = uc_call_scratch(call, (size_t)j->w.k, sizeof *group);
    if (!group) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < j->w.k; i++) {
        group[i] = uc_dtype_load_i64(t->data, i, t->dtype);
        if (group[i] >= 0 && group[i] < j->w.blocks) continue;
        return uc_call_fail(call, UNCORK_INPUT,
                            "g_idx[%" PRId64 "] is %" PRId64 " of %" PRId64 " blocks", i, group[i],
                            j->w.blocks);
    }
    j->group = group;
    return UNCORK_OK;
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *zero = uc_call_in(call, 3),
                    *bias = uc_call_in(call, 5);
    uc_tensor *y = uc_call_out(call, 0);
    size_t threads = (size_t)uc_pool_threads(call->pool), wide = 0, packed = 0;
    if (!y) return uc_fail_memory(call->error);
    if (a->dtype != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "A of %s", uc_dtype_name(a->dtype));
    }
    job j = {.b = uc_call_arg(call, 1)->data, .a = a->data, .y = y->data, .gemm = uc_gemm_f32()};
    UC_TRY(read_weight(call, &j.w));
    UC_TRY(read_group(call, &j));
    j.rows = uc_tensor_count(a) / j.w.k;
    j.scale = uc_call_arg(call, 2)->data;
    if (zero && zero->dtype == UNCORK_UINT8) j.packed_zero = zero->data;
    if (zero && zero->dtype == UNCORK_FLOAT32) j.zero = zero->data;
    j.bias = bias ? bias->data : NULL;
    bool fits = j.gemm->packed_count(j.w.k, COLUMNS, &j.packed_count) &&
                uc_mul_size(threads * COLUMNS, (size_t)j.w.k, &wide) &&
                uc_mul_size(threads, j.packed_count, &packed);
    j.wide = fits ? uc_call_scratch(call, wide, sizeof(float)) : NULL;
    j.packed = fits ? uc_call_scratch(call, packed, sizeof(float)) : NULL;
    if (!j.wide || !j.packed) return uc_fail_memory(call->error);
    if (j.rows) uc_parallel(call->pool, (j.w.n + COLUMNS - 1) / COLUMNS, 1, multiply_columns, &j);
    return UNCORK_OK;
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t n = 0;
    if (!y || !uc_dims_known(y->shape, y->rank)) return 0;
    uint64_t k = (uint64_t)uc_call_int(call, "K", 0);
    return __builtin_mul_overflow((uint64_t)uc_tensor_count(y), k, &n) ? UINT64_MAX : n;
}

const uc_op uc_op_ms_matmul_nbits = {.domain = "com.microsoft",
                                     .name = "MatMulNBits",
                                     .in = {3, 6},
                                     .out = {1, 1},
                                     .infer = infer,
                                     .run = run,
                                     .macs = macs,
                                     .stoppable = true};
