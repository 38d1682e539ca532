/* QLinearConv and ConvInteger: convolutions of 8-bit integers over any number of spatial dimensions.
 *
 * Source: ONNX operators QLinearConv 10, ConvInteger 10; com.microsoft QLinearConv (channels_last). Rounding
 * as in ONNX Runtime (quantization/qlinearconv.cc): x_scale * w_scale / y_scale is one float32 factor.
 * x  [N, C, D1, ...] (channels_last: [N, D1, ..., C]);  w  [M, C / group, k1, ...]; int8 or uint8 each
 * w_scale, w_zero_point  one or [M];  B  int32 [M]
 * Method: rows of one output's inputs times the weights (kernel/gemm_i8.h); where every group has one
 * filter, plain sums. Padding is the zero point of x. Sums wrap at 32 bits. */
#include "kernel/gemm_i8.h"
#include "kernel/requantize.h"
#include "op/conv.h"
#include "op/inner.h"
#include "op/product_i8.h"
#include "op/quant.h"

#include <inttypes.h>

enum { BLOCK_BYTES = 1 << 18 };

typedef struct places { /* of the inputs of an operator; -1: it has none */
    int x, w, x_zero, w_zero, x_scale, w_scale, y_scale, y_zero, bias;
} places;

static const places qlinear = {0, 3, 2, 5, 1, 4, 6, 7, 8};
static const places integer = {0, 1, 2, 3, -1, -1, -1, -1, -1};

static const uc_tensor *input_at(const uc_call *call, int i)
{
    return i < 0 ? NULL : uc_call_in(call, (size_t)i);
}

/* ---- shapes ------------------------------------------------------------------------------- */

static bool is_last(const uc_call *call) { return uc_call_int(call, "channels_last", 0) != 0; }

/* Shape with channels first. */
static uc_tensor channels_first(const uc_tensor *x, bool last)
{
    uc_tensor t = *x;
    if (!last || x->rank < 3) return t;
    t.shape[1] = x->shape[x->rank - 1];
    for (int d = 2; d < x->rank; d++) {
        t.shape[d] = x->shape[d - 1];
    }
    return t;
}

static uncork_status geometry(uc_call *call, const places *at, uc_conv *c, int *rank,
                              int64_t *shape)
{
    uc_inner inner;
    uc_tensor x = channels_first(uc_call_arg(call, (size_t)at->x), is_last(call));
    uc_tensor w = *uc_call_arg(call, (size_t)at->w);
    const uc_tensor *b = input_at(call, at->bias);
    uc_tensor bias = b ? *b : x;
    uc_inner_begin(&inner, call);
    x.dtype = w.dtype = bias.dtype = UNCORK_FLOAT32; /* the geometry is that of a float one */
    uc_inner_add(&inner, &x);
    uc_inner_add(&inner, &w);
    uc_inner_add(&inner, b ? &bias : NULL);
    return uc_conv_geometry(&inner.call, 2, c, rank, shape);
}

static uncork_status check_counts(uc_call *call, const places *at)
{
    const uc_tensor *w = uc_call_arg(call, (size_t)at->w);
    const int each[] = {at->w_scale, at->w_zero}, one[] = {at->x_zero, at->x_scale};
    for (int i = 0; i < 2; i++) {
        const uc_tensor *t = input_at(call, each[i]), *u = input_at(call, one[i]);
        if (u && uc_dims_known(u->shape, u->rank) && uc_tensor_count(u) != 1) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "input %d has %" PRId64 " elements, 1 is wanted", one[i],
                                uc_tensor_count(u));
        }
        if (!t || w->rank < 1 || w->shape[0] < 0 || !uc_dims_known(t->shape, t->rank)) continue;
        int64_t n = uc_tensor_count(t);
        if (n == 1 || n == w->shape[0]) continue;
        return uc_call_fail(call, UNCORK_INPUT,
                            "input %d has %" PRId64 " elements for %" PRId64 " filters", each[i], n,
                            w->shape[0]);
    }
    return UNCORK_OK;
}

static uncork_status infer_as(uc_call *call, const places *at, uncork_dtype dtype)
{
    uc_conv c = {0};
    int rank = 0;
    int64_t shape[UNCORK_MAX_RANK];
    UC_TRY(uc_product_i8_check(call, (size_t)at->x, (size_t)at->w, (size_t)at->x_zero,
                               (size_t)at->w_zero));
    UC_TRY(check_counts(call, at));
    UC_TRY(geometry(call, at, &c, &rank, shape));
    if (rank > 2 && is_last(call)) {
        int64_t channels = shape[1];
        for (int d = 1; d < rank - 1; d++) {
            shape[d] = shape[d + 1];
        }
        shape[rank - 1] = channels;
    }
    return uc_call_shape(call, 0, dtype, rank, shape);
}

static uncork_status infer_integer(uc_call *call) { return infer_as(call, &integer, UNCORK_INT32); }

static uncork_status infer_qlinear(uc_call *call)
{
    uncork_dtype y = uc_call_dtype(call, 7), b = uc_call_dtype(call, 8);
    if (y && y != UNCORK_INT8 && y != UNCORK_UINT8) {
        return uc_call_fail(call, UNCORK_INPUT, "y_zero_point is %s", uc_dtype_name(y));
    }
    if (b && b != UNCORK_INT32) {
        return uc_call_fail(call, UNCORK_INPUT, "B is %s, int32 is wanted", uc_dtype_name(b));
    }
    UC_TRY(uc_quant_check_one(call, 6, 7, y));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_FLOAT));
    UC_TRY(uc_call_expect(call, 4, UC_TYPES_FLOAT));
    return infer_as(call, &qlinear, y);
}

static uint64_t macs_as(const uc_call *call, const places *at)
{
    const uc_tensor *w = uc_call_arg(call, (size_t)at->w);
    const uc_tensor *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t n = 0;
    if (!y || !uc_dims_known(y->shape, y->rank) || !uc_dims_known(w->shape, w->rank)) return 0;
    if (w->rank < 1 || w->shape[0] < 1) return 0;
    uint64_t k = (uint64_t)(uc_tensor_count(w) / w->shape[0]);
    return __builtin_mul_overflow((uint64_t)uc_tensor_count(y), k, &n) ? UINT64_MAX : n;
}

static uint64_t macs_integer(const uc_call *call) { return macs_as(call, &integer); }
static uint64_t macs_qlinear(const uc_call *call) { return macs_as(call, &qlinear); }

/* ---- the convolution ---------------------------------------------------------------------- */

typedef struct conv {
    uc_conv c;
    int64_t k, taps, pixels;            /* of one output: inputs, and of them a channel; outputs */
    int64_t x_channel, x_image, x_step; /* strides of x: channel, image, innermost dimension */
    int64_t y_channel, y_image, y_step;
    const uint8_t *x, *w;
    uint8_t x_flip, w_flip; /* 0x80 turns signed into unsigned and back */
    int32_t x_zero;         /* of unsigned x */
    const int32_t *w_zero;  /* of signed w, one or one a filter */
    int64_t w_zero_step;
    bool w_zero_none;
    const int32_t *bias;
    const float *scale;
    int64_t scale_step;
    int32_t zero, low, high;
    int32_t *sums; /* y, one of both */
    uint8_t *bytes;
    /* the block at hand */
    int64_t image, group, first;
    uint8_t *rows;
    int64_t *offsets; /* [threads, taps] */
} conv;

/* Element of a plane of x (innermost step 1) under each tap of output `pixel`; -1: padding. */
static void tap_offsets(const uc_slide *w, int64_t pixel, int64_t *offsets, int64_t taps)
{
    int64_t at[UC_SLIDE_RANK], tap[UC_SLIDE_RANK] = {0};
    for (int d = w->rank - 1; d >= 0; d--) {
        at[d] = pixel % w->out[d] * w->stride[d] - w->before[d];
        pixel /= w->out[d];
    }
    for (int64_t t = 0; t < taps; t++) {
        int64_t offset = 0;
        for (int d = 0; d < w->rank; d++) {
            int64_t i = at[d] + tap[d] * w->dilation[d];
            if (i < 0 || i >= w->in[d]) {
                offset = -1;
                break;
            }
            offset = offset * w->in[d] + i;
        }
        offsets[t] = offset;
        for (int d = w->rank - 1; d >= 0 && ++tap[d] == w->kernel[d]; d--) {
            tap[d] = 0;
        }
    }
}

/* Rows of the block: [pixels, k] unsigned bytes. */
static void gather_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const conv *v = context;
    int64_t *offsets = v->offsets + thread * v->taps;
    const uint8_t *x = v->x + v->image * v->x_image + v->group * v->c.in_channels * v->x_channel;
    for (int64_t p = begin; p < end; p++) {
        uint8_t *row = v->rows + p * v->k;
        tap_offsets(&v->c.w, v->first + p, offsets, v->taps);
        for (int64_t c = 0; c < v->c.in_channels; c++, row += v->taps) {
            const uint8_t *plane = x + c * v->x_channel;
            for (int64_t t = 0; t < v->taps; t++) {
                row[t] =
                    offsets[t] < 0 ? (uint8_t)v->x_zero : plane[offsets[t] * v->x_step] ^ v->x_flip;
            }
        }
    }
}

static void multiply_block(const conv *v, const void *packed, int32_t *row_sums, int64_t count,
                           uncork_pool *pool)
{
    int64_t filter = v->group * v->c.out_channels;
    int64_t to = v->image * v->y_image + filter * v->y_channel + v->first * v->y_step;
    uc_gemm_i8_args args = {
        .m = count, .n = v->c.out_channels, .k = v->k, .lda = v->k, .pool = pool};
    args.a = v->rows;
    args.packed = packed;
    args.a_zero = &v->x_zero;
    args.b_zero = v->w_zero + filter * v->w_zero_step;
    args.b_zero_step = v->w_zero_step;
    args.a_sums = v->w_zero_none ? NULL : row_sums;
    args.bias = v->bias ? v->bias + filter : NULL;
    args.sums = v->sums ? v->sums + to : NULL;
    args.bytes = v->bytes ? v->bytes + to : NULL;
    args.c_row = v->y_step;
    args.c_column = v->y_channel;
    args.scale = v->scale ? v->scale + filter * v->scale_step : NULL;
    args.scale_step = v->scale_step;
    args.zero = v->zero;
    args.low = v->low;
    args.high = v->high;
    if (args.a_sums) uc_gemm_i8_sums(args.a, args.lda, count, v->k, row_sums);
    uc_gemm_i8(&args);
}

/* One filter a group: channel and image `i`. */
static void direct_body(void *context, int64_t begin, int64_t end, int thread)
{
    const conv *v = context;
    int64_t *offsets = v->offsets + thread * v->taps, groups = v->c.group;
    for (int64_t i = begin; i < end; i++) {
        int64_t image = i / groups, filter = i % groups, p = 0;
        const uint8_t *x = v->x + image * v->x_image + filter * v->c.in_channels * v->x_channel;
        const uint8_t *w = v->w + filter * v->k;
        int32_t w_zero = v->w_zero[filter * v->w_zero_step];
        for (; p < v->pixels; p++) {
            uint32_t sum = v->bias ? (uint32_t)v->bias[filter] : 0;
            tap_offsets(&v->c.w, p, offsets, v->taps);
            for (int64_t q = 0; q < v->k; q++) {
                int64_t at = offsets[q % v->taps];
                if (at < 0) continue;
                int32_t a = x[q / v->taps * v->x_channel + at * v->x_step] ^ v->x_flip;
                sum += (uint32_t)((a - v->x_zero) * ((int8_t)(w[q] ^ v->w_flip) - w_zero));
            }
            int64_t to = image * v->y_image + filter * v->y_channel + p * v->y_step;
            if (v->sums) {
                v->sums[to] = (int32_t)sum;
            } else {
                v->bytes[to] = uc_requantize((int32_t)sum, v->scale[filter * v->scale_step],
                                             v->zero, v->low, v->high);
            }
        }
    }
}

typedef struct packed {
    const char *data;
    size_t bytes; /* of one group */
} packed;

static uncork_status pack(uc_call *call, uc_arena *arena, const uc_tensor *w, int64_t group,
                          packed *to)
{
    int64_t filters = w->shape[0] / group, k = 1;
    size_t all = 0;
    for (int d = 1; d < w->rank; d++) {
        k *= w->shape[d];
    }
    bool fits =
        uc_gemm_i8_packed_bytes(k, filters, &to->bytes) && uc_add_size(to->bytes, 63, &to->bytes);
    to->bytes &= ~(size_t)63;
    fits = fits && uc_mul_size(to->bytes, (size_t)group, &all);
    char *data = NULL;
    if (fits) data = arena ? uc_arena_alloc_raw(arena, all) : uc_call_scratch(call, all, 1);
    if (!data) return arena ? uc_arena_status(arena, call->error) : uc_fail_memory(call->error);
    for (int64_t g = 0; g < group; g++) {
        uc_gemm_i8_pack(data + (size_t)g * to->bytes, (const char *)w->data + g * filters * k, 1, k,
                        k, filters, w->dtype == UNCORK_UINT8 ? 0x80 : 0);
    }
    to->data = data;
    return UNCORK_OK;
}

static uncork_status prepare_as(uc_call *call, const places *at)
{
    const uc_tensor *w = uc_call_arg(call, (size_t)at->w);
    int64_t group = uc_call_int(call, "group", 1);
    bool good = uc_call_known(call, (size_t)at->w) && w->rank >= 3 && group >= 1 &&
                (w->dtype == UNCORK_INT8 || w->dtype == UNCORK_UINT8) && w->shape[0] % group == 0;
    if (!good || w->shape[0] == group) return UNCORK_OK;
    packed *p = UC_NEW(call->arena, packed, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    UC_TRY(pack(call, call->arena, w, group, p));
    call->prepared = p;
    return UNCORK_OK;
}

static uncork_status prepare_integer(uc_call *call) { return prepare_as(call, &integer); }
static uncork_status prepare_qlinear(uc_call *call) { return prepare_as(call, &qlinear); }

static uncork_status run_blocks(uc_call *call, conv *v, const uc_tensor *w)
{
    const packed *ready = call->prepared;
    packed now;
    int64_t block = v->k ? BLOCK_BYTES / v->k : v->pixels;
    if (block < 64) block = 64;
    if (block > v->pixels) block = v->pixels;
    if (!ready) {
        UC_TRY(pack(call, NULL, w, v->c.group, &now));
        ready = &now;
    }
    size_t bytes = 0;
    if (!uc_mul_size((size_t)block, (size_t)v->k, &bytes)) return uc_fail_memory(call->error);
    v->rows = uc_call_scratch(call, bytes, 1);
    int32_t *row_sums = uc_call_scratch(call, (size_t)block, sizeof *row_sums);
    if (!v->rows || !row_sums) return uc_fail_memory(call->error);
    for (v->image = 0; v->image < v->c.batch; v->image++) {
        for (v->group = 0; v->group < v->c.group; v->group++) {
            for (v->first = 0; v->first < v->pixels; v->first += block) {
                int64_t left = v->pixels - v->first, count = left < block ? left : block;
                uc_parallel(call->pool, count, 1 + 16384 / (v->k + 1), gather_rows, v);
                multiply_block(v, ready->data + (size_t)v->group * ready->bytes, row_sums, count,
                               call->pool);
            }
        }
    }
    return UNCORK_OK;
}

static void set_strides(conv *v, bool last, int64_t filters)
{
    int64_t channels = v->c.in_channels * v->c.group, plane = uc_slide_in(&v->c.w);
    v->x_channel = last ? 1 : plane;
    v->x_step = last ? channels : 1;
    v->x_image = channels * plane;
    v->y_channel = last ? 1 : v->pixels;
    v->y_step = last ? filters : 1;
    v->y_image = filters * v->pixels;
}

static uncork_status read_zeros(uc_call *call, const places *at, conv *v)
{
    const uc_tensor *zero = input_at(call, at->w_zero);
    int64_t n = zero ? uc_tensor_count(zero) : 1;
    int32_t *zeros = uc_call_scratch(call, (size_t)n, sizeof *zeros);
    if (!zeros) return uc_fail_memory(call->error);
    v->w_zero_none = true;
    for (int64_t i = 0; i < n; i++) {
        zeros[i] = (zero ? (int32_t)uc_dtype_load_i64(zero->data, i, zero->dtype) : 0) -
                   (v->w_flip ? 128 : 0);
        v->w_zero_none = v->w_zero_none && zeros[i] == 0;
    }
    v->w_zero = zeros;
    v->w_zero_step = n > 1;
    v->x_zero = uc_quant_zero(call, (size_t)at->x_zero) + (v->x_flip ? 128 : 0);
    return UNCORK_OK;
}

static uncork_status run_as(uc_call *call, const places *at, conv *v)
{
    int rank = 0;
    int64_t shape[UNCORK_MAX_RANK];
    const uc_tensor *x = uc_call_arg(call, (size_t)at->x), *w = uc_call_arg(call, (size_t)at->w);
    const uc_tensor *bias = input_at(call, at->bias);
    UC_TRY(geometry(call, at, &v->c, &rank, shape));
    v->taps = uc_slide_taps(&v->c.w);
    v->pixels = uc_slide_out(&v->c.w);
    v->k = v->c.in_channels * v->taps;
    v->x = x->data;
    v->w = w->data;
    v->x_flip = x->dtype == UNCORK_INT8 ? 0x80 : 0;
    v->w_flip = w->dtype == UNCORK_UINT8 ? 0x80 : 0;
    v->bias = bias ? bias->data : NULL;
    set_strides(v, is_last(call), w->shape[0]);
    UC_TRY(read_zeros(call, at, v));
    size_t threads = (size_t)uc_pool_threads(call->pool), offsets = 0;
    if (!uc_mul_size(threads, (size_t)v->taps, &offsets)) return uc_fail_memory(call->error);
    v->offsets = uc_call_scratch(call, offsets, sizeof *v->offsets);
    if (!v->offsets) return uc_fail_memory(call->error);
    if (v->c.out_channels == 1 && v->c.group > 1) {
        uc_parallel(call->pool, v->c.batch * v->c.group, 1, direct_body, v);
        return UNCORK_OK;
    }
    return run_blocks(call, v, w);
}

static uncork_status run_integer(uc_call *call)
{
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    conv v = {.sums = y->data};
    return run_as(call, &integer, &v);
}

static uncork_status run_qlinear(uc_call *call)
{
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    conv v = {.bytes = y->data, .zero = uc_quant_zero(call, 7)};
    (void)uc_quant_bounds(y->dtype, &v.low, &v.high);
    v.scale = uc_product_i8_scales(call, uc_call_arg(call, 1), uc_call_arg(call, 4),
                                   uc_call_arg(call, 6), 1, &v.scale_step);
    if (!v.scale) return uc_fail_memory(call->error);
    return run_as(call, &qlinear, &v);
}

const uc_op uc_op_conv_integer = {.name = "ConvInteger",
                                  .in = {2, 4},
                                  .out = {1, 1},
                                  .infer = infer_integer,
                                  .prepare = prepare_integer,
                                  .run = run_integer,
                                  .macs = macs_integer,
                                  .stoppable = true};
const uc_op uc_op_qlinear_conv = {.name = "QLinearConv",
                                  .in = {8, 9},
                                  .out = {1, 1},
                                  .infer = infer_qlinear,
                                  .prepare = prepare_qlinear,
                                  .run = run_qlinear,
                                  .macs = macs_qlinear,
                                  .stoppable = true};
const uc_op uc_op_ms_qlinear_conv = {.domain = "com.microsoft",
                                     .name = "QLinearConv",
                                     .in = {8, 9},
                                     .out = {1, 1},
                                     .infer = infer_qlinear,
                                     .prepare = prepare_qlinear,
                                     .run = run_qlinear,
                                     .macs = macs_qlinear,
                                     .stoppable = true};
