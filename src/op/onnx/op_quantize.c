/* QuantizeLinear and DequantizeLinear: y = saturate(round(x / scale) + zero), y = (x - zero) * scale.
 *
 * Source: ONNX operators QuantizeLinear 28, DequantizeLinear 28, and com.microsoft's of the same names
 * (contrib_defs.cc), which add no behaviour.
 * x      [..., axis, ...];  y  its shape
 * scale  one element; or [n] along axis; or x's rank with ceil(n / block_size) along axis
 * zero   the scale's shape and the quantised type; none: 0
 * Numerics: in the scale's precision (or attribute `precision`): float32, or rounded to the short float.
 * A scale of 0 divides to infinity or NaN, which saturate (NaN: the least number). */
#include "base/thread.h"
#include "kernel/quantize.h"
#include "op/axis.h"
#include "op/quant.h"

#include <inttypes.h>

enum { PIECE = 4096, CHUNK = 512 };

/* How scales lie over x, seen as [outer, n, inner]. */
typedef struct layout {
    enum { WHOLE, BY_AXIS, BY_BLOCK } kind;
    uc_along x;
    int64_t block, blocks;
} layout;

/* ---- checks ------------------------------------------------------------------------------- */

static uncork_status fail_scale(uc_call *call, const uc_tensor *x, const uc_tensor *scale,
                                int64_t axis, int64_t block)
{
    char a[128], b[128];
    return uc_call_fail(call, UNCORK_INPUT,
                        "a scale of shape %.80s doesn't fit %.80s on axis %" PRId64
                        " with block_size %" PRId64,
                        uc_shape_text(scale->shape, scale->rank, a, sizeof a),
                        uc_shape_text(x->shape, x->rank, b, sizeof b), axis, block);
}

static bool is_one(const uc_tensor *t)
{
    return t->rank == 0 || (t->rank == 1 && t->shape[0] == 1);
}

static bool may_be_one(const uc_tensor *t)
{
    return is_one(t) || (t->rank == 1 && t->shape[0] < 0);
}

/* The layout; dimensions may be unknown, where anything fits. */
static uncork_status find_layout(uc_call *call, const uc_tensor *x, const uc_tensor *scale,
                                 layout *to)
{
    int64_t axis = uc_call_int(call, "axis", 1), block = uc_call_int(call, "block_size", 0);
    *to = (layout){.kind = WHOLE};
    if (block < 0) {
        return uc_call_fail(call, UNCORK_MALFORMED, "block_size is %" PRId64, block);
    }
    if (x->rank < 0 || scale->rank < 0 || is_one(scale)) return UNCORK_OK;
    if (x->rank == 1 && scale->rank == 1 && !block) axis = 0;
    UC_TRY(uc_along_axis(call, x, axis, &to->x));
    if (scale->rank == 1 && !block) {
        bool fits = scale->shape[0] < 0 || to->x.n < 0 || scale->shape[0] == to->x.n;
        to->kind = BY_AXIS;
        return fits ? UNCORK_OK : fail_scale(call, x, scale, axis, block);
    }
    to->kind = BY_BLOCK;
    to->block = block;
    bool fits = scale->rank == x->rank && block > 0;
    for (int d = 0; fits && d < x->rank; d++) {
        int64_t want = x->shape[d], got = scale->shape[d];
        if (want < 0 || got < 0) continue;
        if (d == to->x.axis) want = want / block + (want % block != 0);
        fits = got == want;
    }
    if (!fits) return fail_scale(call, x, scale, axis, block);
    to->blocks = scale->shape[to->x.axis];
    return UNCORK_OK;
}

static uncork_status check_zero(uc_call *call, uncork_dtype quantised)
{
    const uc_tensor *scale = uc_call_arg(call, 1), *zero = uc_call_in(call, 2);
    if (!zero) return UNCORK_OK;
    if (zero->dtype && quantised && zero->dtype != quantised) {
        return uc_call_fail(call, UNCORK_INPUT, "the zero point is %s, the quantised type %s",
                            uc_dtype_name(zero->dtype), uc_dtype_name(quantised));
    }
    if (scale->rank < 0 || zero->rank < 0) return UNCORK_OK;
    bool same = scale->rank == zero->rank || (may_be_one(scale) && may_be_one(zero));
    for (int d = 0; same && d < scale->rank && scale->rank == zero->rank; d++) {
        bool known = scale->shape[d] >= 0 && zero->shape[d] >= 0;
        same = !known || scale->shape[d] == zero->shape[d];
    }
    if (same) return UNCORK_OK;
    char a[128], b[128];
    return uc_call_fail(call, UNCORK_INPUT, "the scale has shape %.80s, the zero point %.80s",
                        uc_shape_text(scale->shape, scale->rank, a, sizeof a),
                        uc_shape_text(zero->shape, zero->rank, b, sizeof b));
}

/* ---- walking ------------------------------------------------------------------------------ */

/* Elements from `at` on that share one rule: how many of at most `n`, their first scale and its step. */
static int64_t run_of(const layout *l, int64_t at, int64_t n, int64_t *scale, int64_t *step)
{
    *scale = *step = 0;
    if (l->kind == WHOLE) return n;
    int64_t inner = l->x.inner, j = at % inner, i = at / inner % l->x.n, o = at / inner / l->x.n;
    int64_t length = inner - j;
    if (l->kind == BY_AXIS) {
        *scale = i;
        *step = inner == 1;
        if (inner == 1) length = l->x.n - i;
    } else {
        *scale = (o * l->blocks + i / l->block) * inner + j;
        *step = inner > 1;
        if (inner == 1) {
            length = l->block - i % l->block;
            if (length > l->x.n - i) length = l->x.n - i;
        }
    }
    return length < n ? length : n;
}

typedef struct job {
    layout l;
    const uc_tensor *x;
    uncork_dtype to, precision;
    bool saturate;
    const float *scale;
    const int32_t *zero;
    bool no_zero; /* zero is one 0 for all */
    int32_t low, high;
    void *y; /* of 4-bit types and the like: one byte an element, packed afterwards */
} job;

static uc_quant_row row_of(const job *j, int64_t scale, int64_t step)
{
    static const int32_t zeros[CHUNK] = {0};
    const int32_t *zero = j->no_zero ? zeros : j->zero + scale;
    return (uc_quant_row){j->scale + scale, zero, step, j->low, j->high};
}

/* x as float32 at [at, at + n): in place or in room. */
static const float *floats_at(const uc_tensor *x, int64_t at, int64_t n, float *room)
{
    if (x->dtype == UNCORK_FLOAT32) return (const float *)x->data + at;
    uc_dtype_floats(x->data, at, n, x->dtype, room);
    return room;
}

static float rounded_to(float v, uncork_dtype dtype)
{
    if (dtype == UNCORK_FLOAT16) return uc_f16_to_f32(uc_f32_to_f16(v));
    if (dtype == UNCORK_BFLOAT16) return uc_bf16_to_f32(uc_f32_to_bf16(v));
    return v;
}

/* ---- QuantizeLinear ----------------------------------------------------------------------- */

static uncork_status infer_quantize(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *scale = uc_call_arg(call, 1);
    int64_t want = uc_call_int(call, "output_dtype", 0),
            precision = uc_call_int(call, "precision", 0);
    uncork_dtype zero = uc_call_dtype(call, 2);
    layout l;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_NUMERIC));
    bool known = precision == 0 || precision == UNCORK_FLOAT32 || precision == UNCORK_FLOAT16 ||
                 precision == UNCORK_BFLOAT16;
    if (!known) {
        return uc_call_fail(call, UNCORK_MALFORMED, "precision %" PRId64 " is no float type",
                            precision);
    }
    if (want < 0 || want > UNCORK_FLOAT6E3M2) want = -1;
    uncork_dtype to = want ? (uncork_dtype)want : zero ? zero : UNCORK_UINT8;
    if (want < 0 || !uc_quant_is_narrow(to)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "nothing is quantised to %s",
                            want < 0 ? "a type of that number" : uc_dtype_name(to));
    }
    UC_TRY(check_zero(call, to));
    UC_TRY(find_layout(call, x, scale, &l));
    return uc_call_shape_like(call, 0, 0, to);
}

/* x / scale where the quotient is rounded or goes to a float: into v. */
static void divide(const job *j, const uc_quant_row *q, const float *x, int64_t n, float *v)
{
    for (int64_t i = 0; i < n; i++) {
        float scale = rounded_to(q->scale[i * q->step], j->precision);
        v[i] = rounded_to(rounded_to(x[i], j->precision) / scale, j->precision);
    }
}

static void store_floats(const job *j, const uc_quant_row *q, const float *v, int64_t n, uint8_t *y)
{
    bool shift = uc_dtype_bits(j->to) < 8;
    for (int64_t i = 0; i < n; i++) {
        float zero = shift ? (float)q->zero[i * q->step] : 0; /* float8 knows no other than 0 */
        y[i] = uc_f64_to_f8((double)(v[i] + zero), j->to, j->saturate);
    }
}

static void quantize_piece(void *context, int64_t begin, int64_t end, int thread)
{
    static const float one = 1;
    const job *j = context;
    float room[CHUNK], quotient[CHUNK];
    int bytes = uc_dtype_bits(j->to) == 16 ? 2 : 1;
    bool to_float = uc_dtype_is_float(j->to);
    (void)thread;
    while (begin < end) {
        int64_t scale, step, n = end - begin < CHUNK ? end - begin : CHUNK;
        n = run_of(&j->l, begin, n, &scale, &step);
        uc_quant_row q = row_of(j, scale, step);
        const float *x = floats_at(j->x, begin, n, room);
        uint8_t *y = (uint8_t *)j->y + begin * bytes;
        if (to_float || j->precision != UNCORK_FLOAT32) {
            divide(j, &q, x, n, quotient);
            x = quotient;
        }
        if (to_float) {
            store_floats(j, &q, x, n, y);
        } else if (x != quotient) {
            uc_quantize(&q, x, y, bytes, n);
        } else {
            for (int64_t i = 0; i < n; i++) {
                uc_quant_row each = {&one, q.zero + i * q.step, 0, q.low, q.high};
                uc_quantize(&each, x + i, y + i * bytes, bytes, 1);
            }
        }
        begin += n;
    }
}

static void pack_bytes(uc_tensor *y, const uint8_t *from)
{
    size_t bytes = 0;
    if (uc_shape_bytes(y->dtype, y->shape, y->rank, &bytes)) memset(y->data, 0, bytes);
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        uc_bits_store(y->data, i, uc_dtype_bits(y->dtype), from[i]);
    }
}

static uncork_status find_precision(const uc_call *call, uncork_dtype scale, uncork_dtype *to)
{
    int64_t precision = uc_call_int(call, "precision", 0);
    *to = precision ? (uncork_dtype)precision : scale;
    if (*to != UNCORK_FLOAT16 && *to != UNCORK_BFLOAT16) *to = UNCORK_FLOAT32;
    return UNCORK_OK;
}

static uncork_status run_quantize(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *scale = uc_call_arg(call, 1);
    const uc_tensor *zero = uc_call_in(call, 2);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    job j = {.x = x, .to = y->dtype, .y = y->data, .no_zero = !zero};
    j.saturate = uc_call_int(call, "saturate", 1) != 0;
    UC_TRY(find_layout(call, x, scale, &j.l));
    UC_TRY(find_precision(call, scale->dtype, &j.precision));
    (void)uc_quant_bounds(y->dtype, &j.low, &j.high);
    size_t count = (size_t)uc_tensor_count(x);
    bool packed = !uc_dtype_size(y->dtype);
    if (packed) j.y = uc_call_scratch(call, count, 1);
    j.scale = uc_quant_floats(call, scale);
    j.zero = uc_quant_ints(call, zero);
    if (!j.y || !j.scale || !j.zero) return uc_fail_memory(call->error);
    uc_parallel(call->pool, (int64_t)count, PIECE, quantize_piece, &j);
    if (packed) pack_bytes(y, j.y);
    return UNCORK_OK;
}

const uc_op uc_op_quantize_linear = {.name = "QuantizeLinear",
                                     .in = {2, 3},
                                     .out = {1, 1},
                                     .infer = infer_quantize,
                                     .run = run_quantize};
const uc_op uc_op_ms_quantize_linear = {.domain = "com.microsoft",
                                        .name = "QuantizeLinear",
                                        .in = {2, 3},
                                        .out = {1, 1},
                                        .infer = infer_quantize,
                                        .run = run_quantize};

/* ---- DequantizeLinear --------------------------------------------------------------------- */

static uncork_status infer_dequantize(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *scale = uc_call_arg(call, 1);
    int64_t want = uc_call_int(call, "output_dtype", 0);
    layout l;
    if (x->dtype && !uc_quant_is_narrow(x->dtype) && x->dtype != UNCORK_INT32) {
        return uc_call_fail(call, UNCORK_INPUT, "x is %s, which is no quantised type",
                            uc_dtype_name(x->dtype));
    }
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_FLOAT));
    if (want < 0 || want > UNCORK_FLOAT6E3M2) want = UNCORK_STRING;
    uncork_dtype to = want ? (uncork_dtype)want : scale->dtype;
    bool known = to == UNCORK_DTYPE_NONE || to == UNCORK_FLOAT32 || to == UNCORK_FLOAT16 ||
                 to == UNCORK_BFLOAT16;
    if (!known) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "output_dtype %" PRId64 " over a scale of %s gives no float type",
                            uc_call_int(call, "output_dtype", 0), uc_dtype_name(scale->dtype));
    }
    UC_TRY(check_zero(call, x->dtype));
    UC_TRY(find_layout(call, x, scale, &l));
    return uc_call_shape_like(call, 0, 0, to);
}

static void dequantize_piece(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    float room[CHUNK];
    (void)thread;
    while (begin < end) {
        int64_t scale, step, n = end - begin < CHUNK ? end - begin : CHUNK;
        n = run_of(&j->l, begin, n, &scale, &step);
        uc_quant_row q = row_of(j, scale, step);
        uc_dtype_floats(j->x->data, begin, n, j->x->dtype, room);
        float *y = j->to == UNCORK_FLOAT32 ? (float *)j->y + begin : room;
        uc_dequantize(&q, room, y, n);
        if (y == room) {
            uc_dtype_convert((uint16_t *)j->y + begin, j->to, room, UNCORK_FLOAT32, n);
        }
        begin += n;
    }
}

static uncork_status run_dequantize(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *scale = uc_call_arg(call, 1);
    uc_tensor *y = uc_call_out(call, 0);
    const uc_tensor *zero = uc_call_in(call, 2);
    if (!y) return uc_fail_memory(call->error);
    /* The short floats have no zero point but 0. */
    if (zero && uc_dtype_is_float(zero->dtype)) zero = NULL;
    job j = {.x = x, .to = y->dtype, .y = y->data, .no_zero = !zero};
    UC_TRY(find_layout(call, x, scale, &j.l));
    j.scale = uc_quant_floats(call, scale);
    j.zero = uc_quant_ints(call, zero);
    if (!j.scale || !j.zero) return uc_fail_memory(call->error);
    uc_parallel(call->pool, uc_tensor_count(x), PIECE, dequantize_piece, &j);
    return UNCORK_OK;
}

const uc_op uc_op_dequantize_linear = {.name = "DequantizeLinear",
                                       .in = {2, 3},
                                       .out = {1, 1},
                                       .infer = infer_dequantize,
                                       .run = run_dequantize};
const uc_op uc_op_ms_dequantize_linear = {.domain = "com.microsoft",
                                          .name = "DequantizeLinear",
                                          .in = {2, 3},
                                          .out = {1, 1},
                                          .infer = infer_dequantize,
                                          .run = run_dequantize};

/* ---- DynamicQuantizeLinear ---------------------------------------------------------------- */

/* Source: ONNX operator DynamicQuantizeLinear 11; a range of nothing but 0 has scale 1, as in ONNX Runtime
 * (core/util/qmath.h, GetQuantizationParameter). x f32; y u8, its scale f32 [], its zero point u8 []. */
static uncork_status infer_dynamic(uc_call *call)
{
    uncork_dtype x = uc_call_dtype(call, 0);
    if (x && x != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_INPUT, "x is %s, float32 is wanted", uc_dtype_name(x));
    }
    UC_TRY(uc_call_shape_like(call, 0, 0, UNCORK_UINT8));
    UC_TRY(uc_call_shape(call, 1, UNCORK_FLOAT32, 0, NULL));
    return uc_call_shape(call, 2, UNCORK_UINT8, 0, NULL);
}

static uncork_status run_dynamic(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    float scale = 0;
    uint8_t zero = 0;
    uc_tensor *y = uc_call_out(call, 0), *s = uc_call_out(call, 1), *z = uc_call_out(call, 2);
    uc_quant_parameters(x->data, uc_tensor_count(x), &scale, &zero);
    if (y) {
        int32_t zero_wide = zero;
        job j = {.x = x,
                 .to = UNCORK_UINT8,
                 .precision = UNCORK_FLOAT32,
                 .scale = &scale,
                 .zero = &zero_wide,
                 .high = 255,
                 .y = y->data};
        uc_parallel(call->pool, uc_tensor_count(x), PIECE, quantize_piece, &j);
    }
    if (s) memcpy(s->data, &scale, sizeof scale);
    if (z) memcpy(z->data, &zero, sizeof zero);
    return UNCORK_OK;
}

const uc_op uc_op_dynamic_quantize_linear = {.name = "DynamicQuantizeLinear",
                                             .in = {1, 1},
                                             .out = {3, 3},
                                             .infer = infer_dynamic,
                                             .run = run_dynamic};
