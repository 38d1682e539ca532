/* ConvTranspose: the gradient of a convolution, as upsampling layers use it.
 *
 * Source: ONNX operator ConvTranspose, opset 22: an input at i adds w[k] * x[i] to the output at
 * i * stride + k * dilation - pad; output_shape chooses the pads, auto_pad SAME_* an output of
 * in * stride.
 * x  float [N, C, D1, ...];  w  [C, M / group, k1, ...];  b  [M], optional;  y  [N, M, ...]
 * Numerics: each output adds its taps in the order of the kernel, each tap a sum over channels
 * (kernel/gemm.h); short floats run in float32. */
#include "base/thread.h"
#include "kernel/gemm.h"
#include "kernel/span.h"
#include "op/slide.h"
#include "op/widen.h"

#include <inttypes.h>

/* ---- geometry ------------------------------------------------------------------------------------ */

/* w: in and out are those of the convolution whose gradient this is, swapped: w.in is the output. */
static uncork_status pads_by_shape(uc_call *call, uc_slide *w, int d, int64_t x, int64_t extra,
                                   int64_t want, bool upper)
{
    int64_t total = (x - 1) * w->stride[d] + extra + (w->kernel[d] - 1) * w->dilation[d] + 1 - want;
    if (want < 1) return uc_call_fail(call, UNCORK_INPUT, "an output of %" PRId64, want);
    if (total < 0) total = 0;
    w->before[d] = upper ? total / 2 : total - total / 2;
    w->after[d] = total - w->before[d];
    w->in[d] = want;
    return UNCORK_OK;
}

static uncork_status small_ints(uc_call *call, const char *name, int count, const int64_t **out)
{
    size_t have = 0;
    *out = uc_call_ints(call, name, &have);
    if (have && have != (size_t)count) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%s has %zu numbers, not %d", name, have,
                            count);
    }
    for (size_t i = 0; i < have; i++) {
        if ((*out)[i] >= 0 && (*out)[i] <= INT32_MAX) continue;
        return uc_call_fail(call, UNCORK_MALFORMED, "%s[%zu] is %" PRId64, name, i, (*out)[i]);
    }
    return UNCORK_OK;
}

static uncork_status read_geometry(uc_call *call, uc_slide *w)
{
    const uc_tensor *x = uc_call_arg(call, 0), *k = uc_call_arg(call, 1);
    const int64_t *extra = NULL, *wanted = NULL;
    uc_str pad = uc_call_str(call, "auto_pad", "NOTSET");
    bool upper = uc_str_is(pad, "SAME_UPPER"), same = upper || uc_str_is(pad, "SAME_LOWER");
    bool valid = uc_str_is(pad, "VALID");
    if (!same && !valid && pad.size && !uc_str_is(pad, "NOTSET")) {
        return uc_call_fail(call, UNCORK_MALFORMED, "auto_pad is '%.*s'", (int)pad.size, pad.data);
    }
    *w = (uc_slide){.rank = x->rank - 2};
    UC_TRY(uc_slide_attributes(call, k->shape + 2, w));
    size_t with_batch = 0;
    const int64_t *given = uc_call_ints(call, "output_shape", &with_batch);
    bool whole = with_batch == (size_t)w->rank + 2; /* older exporters give N and C as well */
    if (whole) {
        wanted = given + 2;
    } else {
        UC_TRY(small_ints(call, "output_shape", w->rank, &wanted));
    }
    UC_TRY(small_ints(call, "output_padding", w->rank, &extra));
    for (int d = 0; d < w->rank; d++) {
        int64_t in = x->shape[2 + d], more = extra ? extra[d] : 0;
        w->out[d] = in;
        w->in[d] = UC_DIM_UNKNOWN;
        if (valid) w->before[d] = w->after[d] = 0;
        if (in < 0 || w->kernel[d] < 0) continue;
        if (in == 0 || w->kernel[d] == 0 || in > INT32_MAX) {
            return uc_call_fail(call, UNCORK_INPUT, "dimension %d of %" PRId64 ", kernel %" PRId64,
                                d + 2, in, w->kernel[d]);
        }
        int64_t size = wanted ? wanted[d] : in * w->stride[d];
        if (wanted || same) {
            UC_TRY(pads_by_shape(call, w, d, in, more, size, upper));
            continue;
        }
        w->in[d] = (in - 1) * w->stride[d] + more + (w->kernel[d] - 1) * w->dilation[d] + 1 -
                   w->before[d] - w->after[d];
        if (w->in[d] > 0) continue;
        return uc_call_fail(call, UNCORK_INPUT,
                            "dimension %d of %" PRId64 " gives an output of %" PRId64, d + 2, in,
                            w->in[d]);
    }
    return UNCORK_OK;
}

static uncork_status check_channels(uc_call *call, int64_t group)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1), *b = uc_call_in(call, 2);
    char s[128], t[128];
    bool fits = x->rank == w->rank && x->rank >= 3;
    if (fits && x->shape[1] >= 0 && w->shape[0] >= 0) fits = x->shape[1] == w->shape[0];
    if (fits && w->shape[0] >= 0) fits = w->shape[0] % group == 0;
    int64_t filters = 0;
    if (fits && w->shape[1] >= 0) fits = !__builtin_mul_overflow(w->shape[1], group, &filters);
    if (fits && b && b->rank >= 0) {
        fits = b->rank == 1 && (b->shape[0] < 0 || w->shape[1] < 0 || b->shape[0] == filters);
    }
    if (fits) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "input %s, weights %s, %" PRId64 " groups don't fit",
                        uc_shape_text(x->shape, x->rank, s, sizeof s),
                        uc_shape_text(w->shape, w->rank, t, sizeof t), group);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1);
    int64_t shape[UNCORK_MAX_RANK], group = uc_call_int(call, "group", 1);
    uc_slide slide;
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    if (uc_call_in(call, 2)) UC_TRY(uc_call_same_dtype(call, 0, 2));
    if (group < 1) return uc_call_fail(call, UNCORK_MALFORMED, "group is %" PRId64, group);
    if (x->rank < 0 || w->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    UC_TRY(check_channels(call, group));
    UC_TRY(read_geometry(call, &slide));
    shape[0] = x->shape[0];
    shape[1] = w->shape[1] < 0 ? UC_DIM_UNKNOWN : w->shape[1] * group;
    memcpy(shape + 2, slide.in, (size_t)slide.rank * sizeof *shape);
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1);
    bool known = uc_dims_known(x->shape, x->rank) && uc_dims_known(w->shape, w->rank);
    uint64_t n = 0;
    if (!known) return 0;
    n = (uint64_t)uc_tensor_count(x);
    for (int d = 1; d < w->rank; d++) {
        if (__builtin_mul_overflow(n, (uint64_t)w->shape[d], &n)) return UINT64_MAX;
    }
    return n;
}

/* ---- running ---------------------------------------------------------------------------------------- */

typedef struct job {
    uncork_dtype dtype;
    size_t size;
    const uc_gemm *gemm;
    uc_slide w; /* in: of y, out: of x */
    int64_t group, in_channels, out_channels, taps, x_plane, y_plane, block;
    const char *x, *bias;
    const char *weight; /* [group, out_channels * taps, in_channels] */
    char *y, *packed, *room;
    size_t room_bytes;
    int64_t image, of_group;
} job;

static bool next_index(const int64_t *shape, int rank, int64_t *index)
{
    for (int d = rank - 1; d >= 0; d--) {
        if (++index[d] < shape[d]) return true;
        index[d] = 0;
    }
    return false;
}

/* Adds one tap's plane, x-shaped, into the output's plane. Rows along the last dimension: with steps of
 * 1 whole rows are added, else element by element. */
#define SPREAD(NAME, T, SPANS)                                                             \
    static void NAME(const uc_slide *w, const int64_t *tap, const T *from, T *y)           \
    {                                                                                      \
        int last = w->rank - 1;                                                            \
        int64_t at[UC_SLIDE_RANK] = {0}, low, high, step = w->stride[last];                \
        int64_t shift = tap[last] * w->dilation[last] - w->before[last];                   \
        uc_slide_range(w, last, tap[last], &low, &high);                                   \
        do {                                                                               \
            int64_t offset = 0;                                                            \
            bool inside = true;                                                            \
            for (int d = 0; d < last && inside; d++) {                                     \
                int64_t o = at[d] * w->stride[d] + tap[d] * w->dilation[d] - w->before[d]; \
                inside = o >= 0 && o < w->in[d];                                           \
                offset = (offset + o) * w->in[d + 1];                                      \
            }                                                                              \
            if (inside && low < high) {                                                    \
                T *to = y + offset + low * step + shift;                                   \
                if (step == 1) {                                                           \
                    SPANS->add(to, from + low, 1, high - low);                             \
                } else {                                                                   \
                    for (int64_t i = 0; i < high - low; i++) {                             \
                        to[i * step] += from[low + i];                                     \
                    }                                                                      \
                }                                                                          \
            }                                                                              \
            from += w->out[last];                                                          \
        } while (next_index(w->out, last, at));                                            \
    }

SPREAD(spread_f32, float, uc_spans_f32())
SPREAD(spread_f64, double, uc_spans_f64())

static void set_bias(const job *j, char *y, int64_t channel)
{
    const float *narrow = (const float *)(const void *)j->bias;
    const double *wide = (const double *)(const void *)j->bias;
    for (int64_t i = 0; i < j->y_plane; i++) {
        if (j->dtype == UNCORK_FLOAT64) {
            ((double *)(void *)y)[i] = wide ? wide[channel] : 0;
        } else {
            ((float *)(void *)y)[i] = narrow ? narrow[channel] : 0;
        }
    }
}

/* Output channels in blocks: their taps' planes by one product, then each is spread. */
static void body(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    char *planes = j->room + (size_t)thread * j->room_bytes;
    for (int64_t block = begin; block < end; block++) {
        int64_t first = block * j->block, left = j->out_channels - first;
        int64_t rows = left < j->block ? left : j->block, all = j->group * j->out_channels;
        uc_gemm_args args = {.m = rows * j->taps, .n = j->x_plane, .k = j->in_channels};
        args.a =
            j->weight +
            (size_t)((j->of_group * j->out_channels + first) * j->taps * j->in_channels) * j->size;
        args.lda = j->in_channels;
        args.packed = j->packed;
        args.c = planes;
        args.ldc = j->x_plane;
        j->gemm->run(&args);
        for (int64_t r = 0; r < rows; r++) {
            int64_t channel = j->of_group * j->out_channels + first + r;
            char *y = j->y + (size_t)((j->image * all + channel) * j->y_plane) * j->size;
            const char *from = planes + (size_t)(r * j->taps * j->x_plane) * j->size;
            int64_t tap[UC_SLIDE_RANK] = {0};
            set_bias(j, y, channel);
            do {
                if (j->dtype == UNCORK_FLOAT64) {
                    spread_f64(&j->w, tap, (const double *)(const void *)from, (double *)(void *)y);
                } else {
                    spread_f32(&j->w, tap, (const float *)(const void *)from, (float *)(void *)y);
                }
                from += (size_t)j->x_plane * j->size;
            } while (next_index(j->w.kernel, j->w.rank, tap));
        }
    }
}

/* [in, out * taps] of each group turned into [out * taps, in]. */
static void turn(char *to, const char *from, int64_t group, int64_t rows, int64_t columns,
                 size_t size)
{
    for (int64_t g = 0; g < group; g++) {
        for (int64_t c = 0; c < columns; c++) {
            for (int64_t r = 0; r < rows; r++) {
                size_t a = (size_t)((g * rows + r) * columns + c) * size;
                memcpy(to + (size_t)((g * columns + c) * rows + r) * size, from + a, size);
            }
        }
    }
}

/* Weights as products want them; once a model when they are constant. */
static uncork_status prepare(uc_call *call)
{
    const uc_tensor *w = uc_call_arg(call, 1);
    int64_t group = uc_call_int(call, "group", 1), rest = 1;
    bool fits = uc_call_known(call, 1) && w->rank >= 3 && group > 0 && w->shape[0] % group == 0;
    if (!fits) return UNCORK_OK;
    if (uc_is_short_float(w->dtype)) w = uc_tensor_cast(call->arena, w, UNCORK_FLOAT32);
    if (!w) return uc_arena_status(call->arena, call->error);
    for (int d = 1; d < w->rank; d++) {
        rest *= w->shape[d];
    }
    size_t size = uc_dtype_size(w->dtype);
    void *to = uc_arena_alloc(call->arena, (size_t)uc_tensor_count(w), size);
    if (!to) return uc_arena_status(call->arena, call->error);
    turn(to, w->data, group, w->shape[0] / group, rest, size);
    call->prepared = to;
    return UNCORK_OK;
}

static uncork_status get_room(uc_call *call, job *j)
{
    size_t packed = 0, planes = 0, all = 0;
    bool fits = j->gemm->packed_count(j->in_channels, j->x_plane, &packed) &&
                uc_mul_size((size_t)(j->block * j->taps), (size_t)j->x_plane * j->size, &planes) &&
                planes < SIZE_MAX / 2;
    j->room_bytes = (planes + 63) / 64 * 64;
    fits = fits && uc_mul_size(j->room_bytes, (size_t)uc_pool_threads(call->pool), &all);
    if (!fits) return uc_call_fail(call, UNCORK_LIMIT, "the kernel is too large");
    j->packed = uc_call_scratch(call, packed, j->size);
    j->room = uc_call_scratch(call, all, 1);
    return j->packed && j->room ? UNCORK_OK : uc_fail_memory(call->error);
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1), *b = uc_call_in(call, 2);
    job j = {.dtype = x->dtype, .size = uc_dtype_size(x->dtype)};
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(read_geometry(call, &j.w));
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    j.gemm = x->dtype == UNCORK_FLOAT64 ? uc_gemm_f64() : uc_gemm_f32();
    j.group = uc_call_int(call, "group", 1);
    j.in_channels = w->shape[0] / j.group;
    j.out_channels = w->shape[1];
    j.taps = uc_slide_taps(&j.w);
    j.x_plane = uc_slide_out(&j.w);
    j.y_plane = uc_slide_in(&j.w);
    j.x = x->data;
    j.y = y->data;
    j.bias = b ? b->data : NULL;
    int threads = uc_pool_threads(call->pool);
    int64_t by_size = (1 << 20) / (int64_t)j.size / (j.taps * j.x_plane), by_threads;
    by_threads = (j.out_channels + threads - 1) / threads;
    j.block = by_size < by_threads ? by_size : by_threads;
    if (j.block < 1) j.block = 1;
    UC_TRY(get_room(call, &j));
    j.weight = call->prepared;
    if (!j.weight) {
        char *turned = uc_call_scratch(call, (size_t)uc_tensor_count(w), j.size);
        if (!turned) return uc_fail_memory(call->error);
        turn(turned, w->data, j.group, j.in_channels, j.out_channels * j.taps, j.size);
        j.weight = turned;
    }
    for (int64_t i = 0; i < x->shape[0] * j.group; i++) {
        j.image = i / j.group;
        j.of_group = i % j.group;
        j.gemm->pack(j.packed, j.x + (size_t)(i * j.in_channels * j.x_plane) * j.size, j.x_plane, 1,
                     j.in_channels, j.x_plane);
        uc_parallel(call->pool, (j.out_channels + j.block - 1) / j.block, 1, body, &j);
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_conv_transpose = {.name = "ConvTranspose",
                                    .in = {2, 3},
                                    .out = {1, 1},
                                    .infer = infer,
                                    .prepare = prepare,
                                    .run = run,
                                    .macs = macs,
                                    .stoppable = true};
