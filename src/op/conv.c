/* Convolution over channels first: see conv.h.
 *
 * Numerics: each output is one sum over channels and taps in the order of the product kernel
 * (kernel/gemm.h), the bias is added to it: equal for any number of threads and any place in a batch. */
#include "op/conv.h"

#include "kernel/gemm.h"
#include "kernel/span.h"
#include "op/widen.h"

#include <inttypes.h>

enum {
    TILE_BYTES = 512 << 10, /* of columns a tile holds, about: half of a second cache */
    TILE_STEP = 96, /* columns of a tile are a multiple: whole panels of every product kernel */
    TILE_MOST = 768,
    DIRECT_MULTIPLIER = 4, /* filters an input channel has at most to be summed directly */
};

/* The next index of `rank` dimensions; false after the last. */
static bool advance(const int64_t *shape, int rank, int64_t *index)
{
    for (int d = rank - 1; d >= 0; d--) {
        if (++index[d] < shape[d]) return true;
        index[d] = 0;
    }
    return false;
}

/* Start of the input row that output `at` reads for `tap` (all dimensions but the last count); NULL in
 * the padding. */
static const void *outer_row(const uc_slide *w, const int64_t *at, const int64_t *tap,
                             const void *plane, size_t size)
{
    int64_t offset = 0;
    for (int d = 0; d < w->rank - 1; d++) {
        int64_t i = at[d] * w->stride[d] + tap[d] * w->dilation[d] - w->before[d];
        if (i < 0 || i >= w->in[d]) return NULL;
        offset = (offset + i) * w->in[d + 1];
    }
    return (const char *)plane + (size_t)offset * size;
}

#define T     float
#define N(x)  x##_f32
#define SPANS uc_spans_f32()
#include "op/conv.inc"

#define T     double
#define N(x)  x##_f64
#define SPANS uc_spans_f64()
#include "op/conv.inc"

/* ---- shapes ------------------------------------------------------------------------------- */

static uncork_status check_channels(uc_call *call, const uc_tensor *x, const uc_tensor *w,
                                    int64_t group)
{
    int64_t channels = x->shape[1], filters = w->shape[0], each = w->shape[1];
    char a[128], b[128];
    bool fits = filters < 0 || filters % group == 0;
    int64_t all = 0;
    if (channels >= 0 && each >= 0) {
        fits = fits && !__builtin_mul_overflow(each, group, &all) && all == channels;
    }
    if (fits) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "input %s and weights %s don't fit %" PRId64 " groups",
                        uc_shape_text(x->shape, x->rank, a, sizeof a),
                        uc_shape_text(w->shape, w->rank, b, sizeof b), group);
}

uncork_status uc_conv_geometry(uc_call *call, size_t bias, uc_conv *c, int *rank,
                               int64_t shape[UNCORK_MAX_RANK])
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1);
    const uc_tensor *b = uc_call_in(call, bias);
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    if (b) UC_TRY(uc_call_same_dtype(call, 0, bias));
    c->dtype = x->dtype;
    c->group = uc_call_int(call, "group", 1);
    *rank = -1;
    if (c->group < 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "group is %" PRId64, c->group);
    }
    if (x->rank < 0 || w->rank < 0) return UNCORK_OK;
    if (x->rank != w->rank) {
        return uc_call_fail(call, UNCORK_INPUT, "the input has %d dimensions, the weights %d",
                            x->rank, w->rank);
    }
    UC_TRY(uc_slide_read(call, x, w->shape + 2, false, &c->w));
    UC_TRY(check_channels(call, x, w, c->group));
    bool fits =
        !b || b->rank < 0 ||
        (b->rank == 1 && (b->shape[0] < 0 || w->shape[0] < 0 || b->shape[0] == w->shape[0]));
    if (!fits) {
        char text[128];
        return uc_call_fail(call, UNCORK_INPUT, "a bias of shape %s for %" PRId64 " filters",
                            uc_shape_text(b->shape, b->rank, text, sizeof text), w->shape[0]);
    }
    *rank = x->rank;
    c->batch = shape[0] = x->shape[0];
    shape[1] = w->shape[0];
    memcpy(shape + 2, c->w.out, (size_t)c->w.rank * sizeof *shape);
    c->in_channels = w->shape[1];
    c->out_channels = w->shape[0] < 0 ? w->shape[0] : w->shape[0] / c->group;
    return UNCORK_OK;
}

uint64_t uc_conv_macs(const uc_call *call)
{
    const uc_tensor *w = uc_call_arg(call, 1), *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t n = 0;
    if (!y || !uc_dims_known(y->shape, y->rank) || !uc_dims_known(w->shape, w->rank)) return 0;
    n = (uint64_t)uc_tensor_count(y);
    for (int d = 1; d < w->rank; d++) {
        if (__builtin_mul_overflow(n, (uint64_t)w->shape[d], &n)) return UINT64_MAX;
    }
    return n;
}

/* ---- direct: every output channel has one input channel ------------------------------------- */

static void direct_body(void *context, int64_t begin, int64_t end, int thread)
{
    const uc_conv *c = context;
    int64_t channels = c->group * c->out_channels;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        if (c->dtype == UNCORK_FLOAT64) {
            depthwise_f64(c, i / channels, i % channels);
        } else {
            depthwise_f32(c, i / channels, i % channels);
        }
    }
}

/* ---- products of tiles ---------------------------------------------------------------------- */

typedef struct tiles {
    const uc_conv *c;
    const uc_gemm *gemm;
    size_t size;           /* of an element */
    int64_t k, places;     /* rows of columns; outputs of a plane */
    int64_t tile, a_plane; /* columns of a tile; tiles of a plane */
    bool in_place;         /* the input is the matrix of columns */
    char *room;            /* a thread's: columns, then the packed ones */
    size_t columns_bytes, room_bytes;
    uncork_pool *pool; /* inside one product; NULL: tiles are spread instead */
} tiles;

static void run_tile(const tiles *t, int64_t index, int thread)
{
    const uc_conv *c = t->c;
    int64_t begin = index % t->a_plane * t->tile, unit = index / t->a_plane;
    int64_t end = t->places - begin < t->tile ? t->places : begin + t->tile;
    int64_t image = unit / c->group, group = unit % c->group, filter = group * c->out_channels;
    char *columns = t->room + (size_t)thread * t->room_bytes, *packed = columns + t->columns_bytes;
    if (t->in_place) {
        const char *x = (const char *)c->x +
                        ((size_t)(unit * t->k) * (size_t)t->places + (size_t)begin) * t->size;
        t->gemm->pack(packed, x, t->places, 1, t->k, end - begin);
    } else {
        c->columns(c, image, group, begin, end, columns);
        t->gemm->pack(packed, columns, end - begin, 1, t->k, end - begin);
    }
    uc_gemm_args args = {.m = c->out_channels, .n = end - begin, .k = t->k, .lda = t->k};
    args.a = (const char *)c->weight + (size_t)(filter * t->k) * t->size;
    args.packed = packed;
    args.ldc = t->places;
    args.c = (char *)c->y +
             (size_t)((image * c->group * c->out_channels + filter) * t->places + begin) * t->size;
    args.pool = t->pool;
    t->gemm->run(&args);
    if (c->dtype == UNCORK_FLOAT64) {
        finish_f64(c, image, filter, c->out_channels, begin, end);
    } else {
        finish_f32(c, image, filter, c->out_channels, begin, end);
    }
}

static void tile_body(void *context, int64_t begin, int64_t end, int thread)
{
    for (int64_t i = begin; i < end; i++) {
        run_tile(context, i, thread);
    }
}

/* Whether the columns are the input itself: kernels of 1, no steps, no padding. */
static bool is_pointwise(const uc_conv *c)
{
    for (int d = 0; d < c->w.rank; d++) {
        if (c->w.kernel[d] != 1 || c->w.in[d] != c->w.out[d] || c->w.before[d]) return false;
    }
    return true;
}

static uncork_status run_tiles(uc_call *call, const uc_conv *c)
{
    tiles t = {.c = c, .size = uc_dtype_size(c->dtype), .places = uc_slide_out(&c->w)};
    t.gemm = c->dtype == UNCORK_FLOAT64 ? uc_gemm_f64() : uc_gemm_f32();
    t.k = c->in_channels * uc_slide_taps(&c->w);
    t.in_place = is_pointwise(c) && (c->columns == columns_f32 || c->columns == columns_f64);
    int64_t most = TILE_BYTES / (int64_t)t.size / (t.k ? t.k : 1) / TILE_STEP * TILE_STEP;
    t.tile = most < TILE_STEP ? TILE_STEP : (most > TILE_MOST ? TILE_MOST : most);
    if (t.tile > t.places) t.tile = t.places;
    t.a_plane = (t.places + t.tile - 1) / t.tile;
    int64_t count = c->batch * c->group * t.a_plane;
    int threads = uc_pool_threads(call->pool);
    if (count < 2 * threads) threads = 1;
    if (threads == 1) t.pool = call->pool;
    size_t packed = 0, columns = 0, all = 0;
    bool fits = t.gemm->packed_count(t.k, t.tile, &packed) &&
                uc_mul_size(packed, t.size, &packed) &&
                uc_mul_size((size_t)t.k, (size_t)t.tile * t.size, &columns) &&
                columns < SIZE_MAX / 4 && packed < SIZE_MAX / 4;
    t.columns_bytes = t.in_place ? 0 : (columns + 63) / 64 * 64;
    t.room_bytes = t.columns_bytes + (packed + 63) / 64 * 64;
    fits = fits && uc_mul_size(t.room_bytes, (size_t)threads, &all);
    if (!fits) return uc_call_fail(call, UNCORK_LIMIT, "the kernel is too large");
    t.room = uc_call_scratch(call, all, 1);
    if (!t.room) return uc_fail_memory(call->error);
    if (threads > 1) {
        uc_parallel(call->pool, count, 1, tile_body, &t);
    } else {
        tile_body(&t, 0, count, 0);
    }
    return UNCORK_OK;
}

uncork_status uc_conv_run(uc_call *call, const uc_conv *given)
{
    uc_conv c = *given;
    int64_t channels = c.group * c.out_channels;
    if (c.batch == 0 || channels == 0 || uc_slide_out(&c.w) == 0) return UNCORK_OK;
    bool direct = !c.columns && c.in_channels == 1 && c.out_channels <= DIRECT_MULTIPLIER &&
                  (c.group > 1 || c.out_channels == 1);
    if (direct) {
        uc_parallel(call->pool, c.batch * channels, 1, direct_body, &c);
        return UNCORK_OK;
    }
    if (!c.columns) c.columns = c.dtype == UNCORK_FLOAT64 ? columns_f64 : columns_f32;
    return run_tiles(call, &c);
}
