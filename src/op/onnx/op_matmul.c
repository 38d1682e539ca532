/* MatMul and Gemm: matrix products.
 *
 * Source: ONNX operators MatMul 13 (batches broadcast as in numpy.matmul), Gemm 13.
 * MatMul  a [..., m, k], b [..., k, n], one numeric type; a vector is a row (a) or column (b)
 * Gemm    y = alpha * a' b' + beta * c; a [m, k], b [k, n], either may come transposed; c broadcasts
 * Numerics: see kernel/gemm.h; short floats run in float32, integers wrap. A constant b is packed once. */
#include "kernel/copy.h"
#include "kernel/elementwise.h"
#include "kernel/gemm.h"
#include "op/matrices.h"
#include "op/packs.h"
#include "op/shape.h"
#include "op/spread.h"

#include <inttypes.h>

/* Constant b, packed: matrix after matrix. */
typedef struct packed {
    const uc_gemm *gemm;
    const void *data;
    size_t count; /* elements of one matrix */
} packed;

static const uc_gemm *gemm_of(uncork_dtype dtype)
{
    return dtype == UNCORK_FLOAT64 ? uc_gemm_f64() : uc_gemm_f32();
}

static bool is_fast(uncork_dtype dtype)
{
    return dtype == UNCORK_FLOAT32 || dtype == UNCORK_FLOAT64;
}

/* prepare: memory for the packed form, or the form itself where the file brings it. */
static const void *take_form(uc_call *call, const uc_gemm *gemm, const uc_tensor *b, int64_t k,
                             int64_t n, int64_t row, int64_t column, size_t bytes, void **room)
{
    const uc_pack_key key = {.kernel = b->dtype == UNCORK_FLOAT64 ? "gemm-f64" : "gemm-f32",
                             .version = 1,
                             .isa = gemm->name,
                             .sources = {b},
                             .source_count = 1,
                             .params = {k, n, row, column},
                             .param_count = 4};
    const void *form;
    return uc_call_pack(call, &key, bytes, room, &form) ? NULL : form;
}

/* Packs `matrices` matrices [k, n] of b, whose last two strides are row and column. */
static const void *pack_all(uc_call *call, bool kept, const uc_gemm *gemm, const uc_tensor *b,
                            int64_t k, int64_t n, int64_t row, int64_t column, int64_t matrices,
                            size_t *count)
{
    size_t size = uc_dtype_size(b->dtype), total = 0, bytes = 0;
    bool fits = gemm->packed_count(k, n, count) && uc_mul_size(*count, (size_t)matrices, &total) &&
                uc_mul_size(total, size, &bytes);
    if (!fits) return NULL;
    void *room = kept ? NULL : uc_call_scratch(call, bytes, 1);
    const void *form = kept ? take_form(call, gemm, b, k, n, row, column, bytes, &room) : room;
    char *to = room;
    if (!to) return form;
    for (int64_t i = 0; i < matrices; i++) {
        int64_t at = 0, rest = i;
        for (int d = b->rank - 3; d >= 0; d--) {
            at += rest % b->shape[d] * b->stride[d];
            rest /= b->shape[d];
        }
        gemm->pack(to + (size_t)i * *count * size, (const char *)b->data + at * (int64_t)size, row,
                   column, k, n);
    }
    return to;
}

/* ---- MatMul: shapes ----------------------------------------------------------------------- */

static uncork_status infer_matmul(uc_call *call)
{
    uncork_dtype dtype = uc_call_dtype(call, 0);
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    return uc_matrices_infer(call, 0, 1, dtype ? dtype : uc_call_dtype(call, 1));
}

static uint64_t macs_matmul(const uc_call *call) { return uc_matrices_macs(call, 0); }

/* ---- MatMul: running ---------------------------------------------------------------------- */

static uncork_status prepare_matmul(uc_call *call)
{
    const uc_tensor *t = uc_call_arg(call, 1);
    if (!uc_call_known(call, 1) || !is_fast(t->dtype) || t->rank < 1) return UNCORK_OK;
    packed *p = UC_NEW(call->arena, packed, 1);
    uc_tensor b = uc_matrices_of(t, false);
    int64_t k = b.shape[b.rank - 2], n = b.shape[b.rank - 1], matrices = 1;
    for (int d = 0; d < b.rank - 2; d++) {
        matrices *= b.shape[d];
    }
    if (!p) return uc_arena_status(call->arena, call->error);
    p->gemm = gemm_of(b.dtype);
    p->data = pack_all(call, true, p->gemm, &b, k, n, b.stride[b.rank - 2], b.stride[b.rank - 1],
                       matrices, &p->count);
    if (!p->data) return uc_arena_status(call->arena, call->error);
    call->prepared = p;
    return UNCORK_OK;
}

/* Rows of a apart, columns adjacent; a constant may be a view that isn't. */
static const uc_tensor *row_major(uc_call *call, const uc_tensor *a, uc_tensor *room)
{
    if (uc_tensor_is_dense(a)) return a;
    size_t size = uc_dtype_size(a->dtype);
    *room = *a;
    room->data = uc_call_scratch(call, (size_t)uc_tensor_count(a), size);
    if (!room->data) return NULL;
    uc_copy_strided(room->data, NULL, a->data, a->stride, a->rank, a->shape, size);
    uc_tensor_set(room, a->dtype, a->rank, a->shape);
    return room;
}

static uncork_status multiply(uc_call *call, const uc_tensor *ta, const uc_tensor *tb, void *y)
{
    const packed *p = call->prepared;
    packed now = {0};
    uc_tensor room, b = uc_matrices_of(tb, false);
    const uc_tensor *dense = row_major(call, ta, &room);
    if (!dense) return uc_fail_memory(call->error);
    uc_tensor a = uc_matrices_of(dense, true);
    int64_t shape[UNCORK_MAX_RANK], batches = 1, matrices = 1;
    int rank = 0;
    UC_TRY(uc_matrices_broadcast(call, &a, &b, shape, &rank));
    for (int d = 0; d < rank; d++) {
        batches *= shape[d];
    }
    int64_t m = a.shape[a.rank - 2], k = a.shape[a.rank - 1], n = b.shape[b.rank - 1];
    if (!p) {
        for (int d = 0; d < b.rank - 2; d++) {
            matrices *= b.shape[d];
        }
        now.gemm = gemm_of(b.dtype);
        now.data = pack_all(call, false, now.gemm, &b, k, n, b.stride[b.rank - 2],
                            b.stride[b.rank - 1], matrices, &now.count);
        if (!now.data) return uc_fail_memory(call->error);
        p = &now;
    }
    size_t size = uc_dtype_size(a.dtype);
    for (int64_t i = 0; i < batches; i++) {
        int64_t ia = uc_matrices_batch(&a, shape, rank, i),
                ib = uc_matrices_batch(&b, shape, rank, i);
        uc_gemm_args args = {.m = m, .n = n, .k = k, .lda = k, .ldc = n, .pool = call->pool};
        args.a = (const char *)a.data + (size_t)(ia * m * k) * size;
        args.packed = (const char *)p->data + (size_t)ib * p->count * size;
        args.c = (char *)y + (size_t)(i * m * n) * size;
        p->gemm->run(&args);
    }
    return UNCORK_OK;
}

/* Integers: a plain sum that wraps; small in real models. */
static void multiply_ints(const uc_tensor *a, const uc_tensor *b, uc_tensor *y,
                          const int64_t *shape, int rank)
{
    int64_t m = a->shape[a->rank - 2], k = a->shape[a->rank - 1], n = b->shape[b->rank - 1];
    size_t size = uc_dtype_size(y->dtype);
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        int64_t batch = i / (m * n), row = i / n % m, column = i % n;
        int64_t pa = (uc_matrices_batch(a, shape, rank, batch) * m + row) * k;
        int64_t pb = uc_matrices_batch(b, shape, rank, batch) * k * n + column;
        uint64_t sum = 0;
        for (int64_t p = 0; p < k; p++) {
            sum += (uint64_t)uc_dtype_load_i64(a->data, pa + p, a->dtype) *
                   (uint64_t)uc_dtype_load_i64(b->data, pb + p * n, b->dtype);
        }
        int64_t v = (int64_t)sum;
        if (y->dtype == UNCORK_UINT64 || y->dtype == UNCORK_INT64) {
            memcpy((char *)y->data + (size_t)i * size, &v, size);
        } else {
            int32_t low = (int32_t)(uint32_t)sum; /* int32 and uint32 wrap the same way */
            memcpy((char *)y->data + (size_t)i * size, &low, size < 4 ? size : 4);
        }
    }
}

static uncork_status widen(uc_call *call, const uc_tensor *t, uc_tensor *wide)
{
    *wide = *t;
    wide->dtype = UNCORK_FLOAT32;
    int64_t n = uc_tensor_count(t);
    wide->data = uc_call_scratch(call, (size_t)n, sizeof(float));
    if (!wide->data) return uc_fail_memory(call->error);
    uc_dtype_convert(wide->data, UNCORK_FLOAT32, t->data, t->dtype, n);
    return UNCORK_OK;
}

static uncork_status run_slowly(uc_call *call, const uc_tensor *ta, const uc_tensor *tb,
                                uc_tensor *y)
{
    uc_tensor a = {0}, b = {0}, room_a, room_b;
    const uc_tensor *da = row_major(call, ta, &room_a), *db = row_major(call, tb, &room_b);
    if (!da || !db) return uc_fail_memory(call->error);
    if (uc_dtype_is_float(ta->dtype)) {
        int64_t n = uc_tensor_count(y);
        UC_TRY(widen(call, da, &a));
        UC_TRY(widen(call, db, &b));
        float *wide = uc_call_scratch(call, (size_t)n, sizeof *wide);
        if (!wide) return uc_fail_memory(call->error);
        UC_TRY(multiply(call, &a, &b, wide));
        uc_dtype_convert(y->data, y->dtype, wide, UNCORK_FLOAT32, n);
        return UNCORK_OK;
    }
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    a = uc_matrices_of(da, true);
    b = uc_matrices_of(db, false);
    UC_TRY(uc_matrices_broadcast(call, &a, &b, shape, &rank));
    multiply_ints(&a, &b, y, shape, rank);
    return UNCORK_OK;
}

static uncork_status run_matmul(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    return is_fast(a->dtype) ? multiply(call, a, b, y->data) : run_slowly(call, a, b, y);
}

const uc_op uc_op_matmul = {.name = "MatMul",
                            .in = {2, 2},
                            .out = {1, 1},
                            .strided = true,
                            .infer = infer_matmul,
                            .prepare = prepare_matmul,
                            .run = run_matmul,
                            .macs = macs_matmul,
                            .stoppable = true};

/* ---- Gemm --------------------------------------------------------------------------------- */

static bool is_transposed(const uc_call *call, size_t i)
{
    return uc_call_int(call, i ? "transB" : "transA", 0) != 0;
}

static uncork_status infer_gemm(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1), *c = uc_call_in(call, 2);
    int64_t shape[2] = {UC_DIM_UNKNOWN, UC_DIM_UNKNOWN};
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    if (c) UC_TRY(uc_call_same_dtype(call, 0, 2));
    bool ranks = (a->rank < 0 || a->rank == 2) && (b->rank < 0 || b->rank == 2);
    if (!ranks) return uc_call_fail(call, UNCORK_INPUT, "a and b must be matrices");
    if (a->rank == 2) shape[0] = a->shape[is_transposed(call, 0) ? 1 : 0];
    if (b->rank == 2) shape[1] = b->shape[is_transposed(call, 1) ? 0 : 1];
    int64_t ka = a->rank == 2 ? a->shape[is_transposed(call, 0) ? 0 : 1] : UC_DIM_UNKNOWN;
    int64_t kb = b->rank == 2 ? b->shape[is_transposed(call, 1) ? 1 : 0] : UC_DIM_UNKNOWN;
    if (ka >= 0 && kb >= 0 && ka != kb) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " columns meet %" PRId64 " rows", ka,
                            kb);
    }
    for (int d = 0; c && d < c->rank; d++) {
        int at = 2 - c->rank + d;
        bool fits = at >= 0 && (c->shape[d] < 0 || c->shape[d] == 1 || shape[at] < 0 ||
                                c->shape[d] == shape[at]);
        if (!fits) return uc_call_fail(call, UNCORK_INPUT, "c doesn't broadcast to the product");
    }
    return uc_call_shape(call, 0, a->dtype, 2, shape);
}

static uint64_t macs_gemm(const uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t n = 0;
    if (!y || a->rank != 2 || !uc_dims_known(y->shape, y->rank)) return 0;
    int64_t k = a->shape[is_transposed(call, 0) ? 0 : 1];
    return k < 0 || __builtin_mul_overflow((uint64_t)uc_tensor_count(y), (uint64_t)k, &n) ? 0 : n;
}

/* The constant c of one row as the kernel's bias, where alpha and beta leave it be. */
static const void *bias_of(const uc_call *call, const uc_tensor *c, int64_t n)
{
    bool plain = uc_call_float(call, "alpha", 1) == 1 && uc_call_float(call, "beta", 1) == 1;
    bool row = c && uc_tensor_is_dense(c) && (c->rank == 1 || (c->rank == 2 && c->shape[0] == 1)) &&
               c->shape[c->rank - 1] == n;
    return plain && row ? c->data : NULL;
}

static uc_tensor turned(const uc_tensor *t, bool transposed)
{
    return transposed ? uc_tensor_transposed(t) : *t;
}

static uncork_status prepare_gemm(uc_call *call)
{
    const uc_tensor *t = uc_call_arg(call, 1);
    if (!uc_call_known(call, 1) || !is_fast(t->dtype) || t->rank != 2) return UNCORK_OK;
    uc_tensor b = turned(t, is_transposed(call, 1));
    packed *p = UC_NEW(call->arena, packed, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    p->gemm = gemm_of(b.dtype);
    p->data = pack_all(call, true, p->gemm, &b, b.shape[0], b.shape[1], b.stride[0], b.stride[1], 1,
                       &p->count);
    if (!p->data) return uc_arena_status(call->arena, call->error);
    call->prepared = p;
    return UNCORK_OK;
}

/* y = alpha * y, then y += beta * c, as the specification's order of rounding. */
static uncork_status scale_and_add(uc_call *call, uc_tensor *y, const uc_tensor *c)
{
    double alpha = uc_call_float(call, "alpha", 1), beta = uc_call_float(call, "beta", 1);
    double numbers[2] = {alpha, beta};
    float singles[2] = {(float)alpha, (float)beta};
    bool wide = y->dtype == UNCORK_FLOAT64;
    uc_tensor k[2];
    for (int i = 0; i < 2; i++) {
        k[i] = (uc_tensor){.dtype = y->dtype};
        k[i].data = wide ? (void *)&numbers[i] : (void *)&singles[i];
    }
    if (alpha != 1) {
        const uc_tensor *in[] = {y, &k[0]};
        UC_TRY(uc_spread(call, uc_loop_binary(UC_MUL, y->dtype), in, 2));
    }
    if (!c || beta == 0) return UNCORK_OK;
    uc_tensor scaled = *c;
    if (beta != 1) {
        size_t size = uc_dtype_size(c->dtype), n = (size_t)uc_tensor_count(c);
        scaled.data = uc_call_scratch(call, n, size);
        if (!scaled.data) return uc_fail_memory(call->error);
        char *p[UC_WALK_ARRAYS] = {scaled.data, c->data, k[1].data};
        const int64_t step[UC_WALK_ARRAYS] = {(int64_t)size, (int64_t)size, 0};
        uc_loop_binary(UC_MUL, c->dtype)(p, step, (int64_t)n);
    }
    const uc_tensor *in[] = {y, &scaled};
    return uc_spread(call, uc_loop_binary(UC_ADD, y->dtype), in, 2);
}

static uncork_status run_gemm_fast(uc_call *call, const uc_tensor *ta, const uc_tensor *tb,
                                   const uc_tensor *tc, uc_tensor *y)
{
    const packed *p = call->prepared;
    packed now = {0};
    uc_tensor room, room_c, a = turned(ta, is_transposed(call, 0));
    uc_tensor b = turned(tb, is_transposed(call, 1));
    const uc_tensor *rows = row_major(call, &a, &room), *c = NULL;
    if (!rows) return uc_fail_memory(call->error);
    if (tc) c = row_major(call, tc, &room_c);
    if (tc && !c) return uc_fail_memory(call->error);
    if (!p) {
        now.gemm = gemm_of(b.dtype);
        now.data = pack_all(call, false, now.gemm, &b, b.shape[0], b.shape[1], b.stride[0],
                            b.stride[1], 1, &now.count);
        if (!now.data) return uc_fail_memory(call->error);
        p = &now;
    }
    uc_gemm_args args = {.m = a.shape[0],
                         .n = b.shape[1],
                         .k = a.shape[1],
                         .a = rows->data,
                         .lda = a.shape[1],
                         .packed = p->data,
                         .c = y->data,
                         .ldc = b.shape[1],
                         .bias = bias_of(call, c, b.shape[1]),
                         .pool = call->pool};
    p->gemm->run(&args);
    if (args.bias) return UNCORK_OK;
    return scale_and_add(call, y, c);
}

/* Integers and short floats: in float64, where the products of int32 are exact. */
static uncork_status run_gemm_slowly(uc_call *call, uc_tensor *y)
{
    uc_tensor in[3], wide = *y;
    const uc_tensor *use[3] = {NULL, NULL, NULL};
    for (size_t i = 0; i < 3; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        uc_tensor room;
        if (!t) continue;
        t = row_major(call, t, &room);
        if (!t) return uc_fail_memory(call->error);
        in[i] = *t;
        uc_tensor_set(&in[i], UNCORK_FLOAT64, t->rank, t->shape);
        int64_t n = uc_tensor_count(t);
        in[i].data = uc_call_scratch(call, (size_t)n, sizeof(double));
        if (!in[i].data) return uc_fail_memory(call->error);
        uc_dtype_convert(in[i].data, UNCORK_FLOAT64, t->data, t->dtype, n);
        use[i] = &in[i];
    }
    uc_value out = {.kind = UC_TENSOR}, *outs[] = {&out};
    uc_call inner = *call;
    wide.dtype = UNCORK_FLOAT64;
    wide.data = uc_call_scratch(call, (size_t)uc_tensor_count(y), sizeof(double));
    if (!wide.data) return uc_fail_memory(call->error);
    out.tensor = wide;
    inner.out = outs;
    inner.prepared = NULL;
    UC_TRY(run_gemm_fast(&inner, use[0], use[1], use[2], &out.tensor));
    uc_dtype_convert(y->data, y->dtype, wide.data, UNCORK_FLOAT64, uc_tensor_count(y));
    return UNCORK_OK;
}

static uncork_status run_gemm(uc_call *call)
{
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (!is_fast(y->dtype)) return run_gemm_slowly(call, y);
    return run_gemm_fast(call, uc_call_arg(call, 0), uc_call_arg(call, 1), uc_call_in(call, 2), y);
}

const uc_op uc_op_gemm = {.name = "Gemm",
                          .in = {2, 3},
                          .out = {1, 1},
                          .strided = true,
                          .infer = infer_gemm,
                          .prepare = prepare_gemm,
                          .run = run_gemm,
                          .macs = macs_gemm,
                          .stoppable = true};
