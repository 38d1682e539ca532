/* Products of 8-bit matrices: see product_i8.h. The kernel takes unsigned times signed; the other signs are
 * shifted by 128, together with their zero points. */
#include "op/product_i8.h"

#include "kernel/gemm_i8.h"
#include "op/matrices.h"
#include "op/shape.h"

#include <inttypes.h>

typedef struct packed {
    const char *data;
    size_t bytes; /* of one matrix */
} packed;

static bool is_byte(uncork_dtype dtype)
{
    return dtype == UNCORK_UINT8 || dtype == UNCORK_INT8 || dtype == UNCORK_DTYPE_NONE;
}

uncork_status uc_product_i8_check(uc_call *call, size_t a, size_t b, size_t a_zero, size_t b_zero)
{
    const size_t inputs[] = {a, b, a_zero, b_zero};
    for (int i = 0; i < 4; i++) {
        uncork_dtype own = uc_call_dtype(call, inputs[i]);
        uncork_dtype wanted = i < 2 ? own : uc_call_dtype(call, inputs[i - 2]);
        if (!is_byte(own)) {
            return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, int8 or uint8 is wanted",
                                inputs[i], uc_dtype_name(own));
        }
        if (own == wanted || !own || !wanted) continue;
        return uc_call_fail(call, UNCORK_INPUT, "the zero point (input %zu) is %s, its matrix %s",
                            inputs[i], uc_dtype_name(own), uc_dtype_name(wanted));
    }
    return UNCORK_OK;
}

/* ---- packing ------------------------------------------------------------------------------ */

static uncork_status pack(uc_call *call, uc_arena *arena, const uc_tensor *t, bool turned,
                          packed *to)
{
    uc_tensor b = uc_matrices_of(t, false);
    int64_t k = b.shape[b.rank - 2], n = b.shape[b.rank - 1], matrices = 1;
    uint8_t flip = t->dtype == UNCORK_UINT8 ? 0x80 : 0;
    size_t all = 0;
    int64_t row = n, column = 1;
    if (turned) {
        int64_t swap = k;
        k = n;
        n = swap;
        row = 1;
        column = k;
    }
    for (int d = 0; d < b.rank - 2; d++) {
        matrices *= b.shape[d];
    }
    bool fits = uc_gemm_i8_packed_bytes(k, n, &to->bytes) && uc_add_size(to->bytes, 63, &to->bytes);
    to->bytes &= ~(size_t)63;
    fits = fits && uc_mul_size(to->bytes, (size_t)matrices, &all);
    char *data = NULL;
    if (fits) data = arena ? uc_arena_alloc_raw(arena, all) : uc_call_scratch(call, all, 1);
    if (!data) return arena ? uc_arena_status(arena, call->error) : uc_fail_memory(call->error);
    for (int64_t i = 0; i < matrices; i++) {
        uc_gemm_i8_pack(data + (size_t)i * to->bytes, (const char *)b.data + i * k * n, row, column,
                        k, n, flip);
    }
    to->data = data;
    return UNCORK_OK;
}

uncork_status uc_product_i8_prepare(uc_call *call, size_t i, bool turned)
{
    const uc_tensor *t = uc_call_arg(call, i);
    bool known = uc_call_known(call, i) && t->rank >= 1 && t->dtype && is_byte(t->dtype);
    if (!known || (turned && t->rank != 2)) return UNCORK_OK;
    packed *p = UC_NEW(call->arena, packed, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    UC_TRY(pack(call, call->arena, t, turned, p));
    call->prepared = p;
    return UNCORK_OK;
}

/* ---- zero points -------------------------------------------------------------------------- */

typedef struct zeros {
    int32_t *values;
    int64_t step;  /* 0: one for all; 1: one a row or column */
    int64_t batch; /* from one matrix's to the next's */
    bool none;     /* all are 0 */
} zeros;

/* Zero points of `count` rows or columns in each of `matrices`, moved by `shift`. */
static uncork_status read_zeros(uc_call *call, const uc_tensor *t, int64_t count, int64_t matrices,
                                int32_t shift, zeros *z)
{
    int64_t n = t ? uc_tensor_count(t) : 1;
    bool fits =
        n == 1 || n == count || (matrices > 1 && n / matrices == count && n % matrices == 0);
    if (!fits) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "%" PRId64 " zero points for %" PRId64 " rows or columns", n, count);
    }
    *z = (zeros){.step = n > 1, .batch = n > count ? count : 0, .none = true};
    z->values = uc_call_scratch(call, (size_t)n, sizeof *z->values);
    if (!z->values) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < n; i++) {
        z->values[i] = (t ? (int32_t)uc_dtype_load_i64(t->data, i, t->dtype) : 0) + shift;
        z->none = z->none && z->values[i] == 0;
    }
    return UNCORK_OK;
}

/* ---- running ------------------------------------------------------------------------------ */

static int64_t matrices_in(const uc_tensor *t)
{
    int64_t n = 1;
    for (int d = 0; d < t->rank - 2; d++) {
        n *= t->shape[d];
    }
    return n;
}

/* a's bytes as unsigned: its own, or a shifted copy. */
static const uint8_t *unsigned_bytes(uc_call *call, const uc_tensor *a)
{
    int64_t n = uc_tensor_count(a);
    if (a->dtype == UNCORK_UINT8) return a->data;
    uint8_t *to = uc_call_scratch(call, (size_t)n, 1);
    for (int64_t i = 0; to && i < n; i++) {
        to[i] = ((const uint8_t *)a->data)[i] ^ 0x80;
    }
    return to;
}

uncork_status uc_product_i8_run(uc_call *call, const uc_product_i8 *p)
{
    uc_tensor a = uc_matrices_of(p->a, true), b = uc_matrices_of(p->b, false);
    int64_t shape[UNCORK_MAX_RANK], batches = 1;
    int64_t m = a.shape[a.rank - 2], k = a.shape[a.rank - 1], n = b.shape[b.rank - 1];
    int rank = 0;
    const packed *ready = call->prepared;
    packed now;
    zeros za, zb;
    UC_TRY(uc_matrices_broadcast(call, &a, &b, shape, &rank));
    for (int d = 0; d < rank; d++) {
        batches *= shape[d];
    }
    if (!ready) {
        UC_TRY(pack(call, NULL, p->b, false, &now));
        ready = &now;
    }
    UC_TRY(read_zeros(call, p->a_zero, m, matrices_in(&a), a.dtype == UNCORK_INT8 ? 128 : 0, &za));
    UC_TRY(
        read_zeros(call, p->b_zero, n, matrices_in(&b), b.dtype == UNCORK_UINT8 ? -128 : 0, &zb));
    const uint8_t *bytes = unsigned_bytes(call, &a);
    int32_t *sums = zb.none ? NULL : uc_call_scratch(call, (size_t)m, sizeof *sums);
    if (!bytes || (!zb.none && !sums)) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < batches; i++) {
        int64_t ia = uc_matrices_batch(&a, shape, rank, i);
        int64_t ib = uc_matrices_batch(&b, shape, rank, i), at = i * m * n;
        uc_gemm_i8_args args = {.m = m, .n = n, .k = k, .lda = k, .c_row = n, .c_column = 1};
        args.a = bytes + ia * m * k;
        args.packed = ready->data + (size_t)ib * ready->bytes;
        args.a_zero = za.values + ia * za.batch;
        args.a_zero_step = za.step;
        args.b_zero = zb.values + ib * zb.batch;
        args.b_zero_step = zb.step;
        args.a_sums = sums;
        args.bias = p->bias;
        args.sums = p->sums ? p->sums + at : NULL;
        args.floats = p->floats ? p->floats + at : NULL;
        args.bytes = p->bytes ? p->bytes + at : NULL;
        args.scale = p->scale;
        args.scale_step = p->scale_step;
        args.float_bias = p->float_bias;
        args.zero = p->zero;
        args.low = p->low;
        args.high = p->high;
        args.pool = call->pool;
        if (sums) uc_gemm_i8_sums(args.a, k, m, k, sums);
        uc_gemm_i8(&args);
    }
    return UNCORK_OK;
}

/* ---- scales ------------------------------------------------------------------------------- */

/* As the reference does in NumPy: products of short floats are rounded to their type. */
static float rounded(float v, uncork_dtype dtype)
{
    if (dtype == UNCORK_FLOAT16) return uc_f16_to_f32(uc_f32_to_f16(v));
    if (dtype == UNCORK_BFLOAT16) return uc_bf16_to_f32(uc_f32_to_bf16(v));
    return v;
}

float *uc_product_i8_scales(uc_call *call, const uc_tensor *a_scale, const uc_tensor *b_scale,
                            const uc_tensor *y_scale, float alpha, int64_t *step)
{
    int64_t n = uc_tensor_count(b_scale);
    float *to = uc_call_scratch(call, (size_t)n + 1, sizeof *to), a = 1, y = 1;
    *step = n > 1;
    if (!to) return NULL;
    uc_dtype_floats(a_scale->data, 0, 1, a_scale->dtype, &a);
    if (y_scale) uc_dtype_floats(y_scale->data, 0, 1, y_scale->dtype, &y);
    uc_dtype_floats(b_scale->data, 0, n, b_scale->dtype, to);
    for (int64_t i = 0; i < n; i++) {
        to[i] = rounded(alpha * a * to[i], b_scale->dtype);
        if (y_scale) to[i] = rounded(to[i] / y, b_scale->dtype);
    }
    return to;
}
