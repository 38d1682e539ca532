/* MaxPool, AveragePool and LpPool over any number of spatial dimensions.
 *
 * Source: ONNX operators MaxPool 22, AveragePool 22, LpPool 22.
 * x  float [N, C, D1, ...], MaxPool int8 and uint8 as well;  y  [N, C, out...]
 * Indices (MaxPool)  int64, the place of each maximum in x as one row; storage_order 1 counts a plane
 * with its first dimension fastest.
 * Numerics: a window's elements are added in order in the type of x (short floats: float32). MaxPool
 * gives NaN where a window holds one, as PyTorch. Windows that end in the padding behind the last row
 * (ceil_mode) count it only as far as the padding goes. */
#include "base/thread.h"
#include "kernel/span.h"
#include "op/slide.h"
#include "op/widen.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

typedef enum pool_kind { MAXIMUM, AVERAGE, NORM } pool_kind;

typedef struct pool {
    pool_kind kind;
    uc_slide w;
    uncork_dtype dtype;
    const void *x; /* planes of the input */
    void *y;       /* NULL: only places are wanted */
    int64_t *places;
    bool column_major;
    double p;
    bool count_padding;
    int64_t *taps; /* AVERAGE: that count, of the last dimension, an output */
} pool;

/* ---- walking windows ------------------------------------------------------------------------- */

/* The next index of the first `rank` dimensions; false after the last. */
static bool next_index(const int64_t *shape, int rank, int64_t *index)
{
    for (int d = rank - 1; d >= 0; d--) {
        if (++index[d] < shape[d]) return true;
        index[d] = 0;
    }
    return false;
}

/* Taps of output `at` within [0, limit) of dimension d, the input shifted by `shift`. */
static void taps_within(const uc_slide *w, int d, int64_t at, int64_t low, int64_t high,
                        int64_t *first, int64_t *end)
{
    int64_t start = at * w->stride[d] - w->before[d], step = w->dilation[d];
    *first = start < low ? (low - start + step - 1) / step : 0;
    *end = high - start <= 0 ? 0 : (high - start + step - 1) / step;
    if (*end > w->kernel[d]) *end = w->kernel[d];
    if (*first > *end) *first = *end;
}

/* Those in the input, of the first `rank` dimensions; false when there are none. */
static bool tap_ranges(const uc_slide *w, const int64_t *at, int rank, int64_t *first, int64_t *end)
{
    for (int d = 0; d < rank; d++) {
        taps_within(w, d, at[d], 0, w->in[d], &first[d], &end[d]);
        if (first[d] >= end[d]) return false;
    }
    return true;
}

static bool next_tap(const int64_t *first, const int64_t *end, int rank, int64_t *tap)
{
    for (int d = rank - 1; d >= 0; d--) {
        if (++tap[d] < end[d]) return true;
        tap[d] = first[d];
    }
    return false;
}

/* Of the input's row that output `at` reads for `tap`, which is within the input. */
static int64_t row_offset(const uc_slide *w, const int64_t *at, const int64_t *tap)
{
    int64_t offset = 0;
    for (int d = 0; d < w->rank - 1; d++) {
        int64_t i = at[d] * w->stride[d] + tap[d] * w->dilation[d] - w->before[d];
        offset = (offset + i) * w->in[d + 1];
    }
    return offset;
}

static int64_t last_index(const uc_slide *w, const int64_t *at, const int64_t *tap)
{
    int d = w->rank - 1;
    return at[d] * w->stride[d] + tap[d] * w->dilation[d] - w->before[d];
}

/* A place counted with the first dimension fastest. */
static int64_t turned(const uc_slide *w, int64_t place)
{
    int64_t index[UC_SLIDE_RANK], result = 0;
    for (int d = w->rank - 1; d >= 0; d--) {
        index[d] = place % w->in[d];
        place /= w->in[d];
    }
    for (int d = w->rank - 1; d >= 0; d--) {
        result = result * w->in[d] + index[d];
    }
    return result;
}

/* Taps of one output that its average counts, in dimension d. */
static int64_t counted(const pool *p, int d, int64_t at)
{
    int64_t first, end, pad = p->count_padding;
    taps_within(&p->w, d, at, pad ? -p->w.before[d] : 0, p->w.in[d] + (pad ? p->w.after[d] : 0),
                &first, &end);
    return end - first;
}

/* The same over all dimensions but the last. */
static int64_t outer_taps(const pool *p, const int64_t *at)
{
    int64_t n = 1;
    for (int d = 0; d < p->w.rank - 1; d++) {
        n *= counted(p, d, at[d]);
    }
    return n;
}

static double power(double v, double p)
{
    v = fabs(v);
    return p == 2 ? v * v : (p == 1 ? v : pow(v, p));
}

static double root(double v, double p) { return p == 2 ? sqrt(v) : (p == 1 ? v : pow(v, 1 / p)); }

/* ---- one type after the other ------------------------------------------------------------------ */

static void add_f32(float *y, const float *x, int64_t step, int64_t n)
{
    uc_spans_f32()->add(y, x, step, n);
}

static void max_f32(float *y, const float *x, int64_t step, int64_t n)
{
    uc_spans_f32()->max(y, x, step, n);
}

static void add_f64(double *y, const double *x, int64_t step, int64_t n)
{
    uc_spans_f64()->add(y, x, step, n);
}

static void max_f64(double *y, const double *x, int64_t step, int64_t n)
{
    uc_spans_f64()->max(y, x, step, n);
}

#define SMALL_MAX(NAME, TYPE)                                         \
    static void NAME(TYPE *y, const TYPE *x, int64_t step, int64_t n) \
    {                                                                 \
        for (int64_t i = 0; i < n; i++) {                             \
            if (x[i * step] > y[i]) y[i] = x[i * step];               \
        }                                                             \
    }

SMALL_MAX(max_i8, int8_t)
SMALL_MAX(max_u8, uint8_t)

#define T         float
#define N(x)      x##_f32
#define LEAST     (-HUGE_VALF)
#define ADD       add_f32
#define MAX       max_f32
#define IS_NAN(v) isnan(v)
#include "op/onnx/pool.inc"

#define T         double
#define N(x)      x##_f64
#define LEAST     (-HUGE_VAL)
#define ADD       add_f64
#define MAX       max_f64
#define IS_NAN(v) isnan(v)
#include "op/onnx/pool.inc"

#define T                  int8_t
#define N(x)               x##_i8
#define LEAST              INT8_MIN
#define ADD(y, x, step, n) ((void)(x)) /* never: only MaxPool takes integers */
#define MAX                max_i8
#define IS_NAN(v)          false
#include "op/onnx/pool.inc"

#define T                  uint8_t
#define N(x)               x##_u8
#define LEAST              0
#define ADD(y, x, step, n) ((void)(x))
#define MAX                max_u8
#define IS_NAN(v)          false
#include "op/onnx/pool.inc"

typedef struct type_row {
    uncork_dtype dtype;
    void (*plane)(const pool *p, int64_t index);
    void (*plane_with_places)(const pool *p, int64_t index);
} type_row;

static const type_row types[] = {
    {UNCORK_FLOAT32, plane_f32, plane_with_places_f32},
    {UNCORK_FLOAT64, plane_f64, plane_with_places_f64},
    {UNCORK_INT8, plane_i8, plane_with_places_i8},
    {UNCORK_UINT8, plane_u8, plane_with_places_u8},
};

static const type_row *type_of(uncork_dtype dtype)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].dtype == dtype) return &types[i];
    }
    return NULL;
}

static void pool_body(void *context, int64_t begin, int64_t end, int thread)
{
    const pool *p = context;
    const type_row *row = type_of(p->dtype);
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        (p->places ? row->plane_with_places : row->plane)(p, i);
    }
}

/* ---- the operators ------------------------------------------------------------------------------ */

static bool is_ceil(const uc_call *call) { return uc_call_int(call, "ceil_mode", 0) != 0; }

static uncork_status infer_as(uc_call *call, pool_kind kind)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool whole = kind == MAXIMUM && (x->dtype == UNCORK_INT8 || x->dtype == UNCORK_UINT8);
    if (!whole) UC_TRY(uc_call_expect_wide(call, 0));
    int64_t shape[UNCORK_MAX_RANK], p = uc_call_int(call, "p", 2);
    if (kind == NORM && p < 1) return uc_call_fail(call, UNCORK_MALFORMED, "p is %" PRId64, p);
    uc_slide w;
    if (x->rank >= 0) {
        UC_TRY(uc_slide_read(call, x, NULL, is_ceil(call), &w));
        memcpy(shape, x->shape, 2 * sizeof *shape);
        memcpy(shape + 2, w.out, (size_t)w.rank * sizeof *shape);
    }
    UC_TRY(uc_call_shape(call, 0, x->dtype, x->rank, shape));
    return kind == MAXIMUM ? uc_call_shape(call, 1, UNCORK_INT64, x->rank, shape) : UNCORK_OK;
}

static uncork_status run_as(uc_call *call, pool_kind kind)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    pool p = {.kind = kind, .dtype = x->dtype, .x = x->data};
    UC_TRY(uc_slide_read(call, x, NULL, is_ceil(call), &p.w));
    p.p = (double)uc_call_int(call, "p", 2);
    p.count_padding = uc_call_int(call, "count_include_pad", 0) != 0;
    p.column_major = uc_call_int(call, "storage_order", 0) != 0;
    for (size_t i = 0; i < 2; i++) {
        if (!uc_call_wants(call, i)) continue;
        uc_tensor *out = uc_call_out(call, i);
        if (!out) return uc_fail_memory(call->error);
        if (i) p.places = out->data;
        if (!i) p.y = out->data;
    }
    int64_t width = p.w.out[p.w.rank - 1], count = uc_slide_out(&p.w);
    if (kind == AVERAGE) {
        p.taps = uc_call_scratch(call, (size_t)width, sizeof *p.taps);
        if (!p.taps) return uc_fail_memory(call->error);
        for (int64_t o = 0; o < width; o++) {
            p.taps[o] = counted(&p, p.w.rank - 1, o);
        }
    }
    if (!type_of(p.dtype)) return uc_call_fail(call, UNCORK_UNSUPPORTED, "not for this type");
    if (count == 0) return UNCORK_OK;
    int64_t grain = count < 4096 ? 4096 / count : 1;
    uc_parallel(call->pool, x->shape[0] * x->shape[1], grain, pool_body, &p);
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *y = NULL;
    size_t taps = 0;
    const int64_t *kernel = uc_call_ints(call, "kernel_shape", &taps);
    for (size_t i = 0; !y && i < call->out_count; i++) {
        y = call->out[i] ? &call->out[i]->tensor : NULL;
    }
    if (!y || !uc_dims_known(y->shape, y->rank)) return 0;
    uint64_t n = (uint64_t)uc_tensor_count(y);
    for (size_t i = 0; i < taps; i++) {
        if (kernel[i] < 1 || __builtin_mul_overflow(n, (uint64_t)kernel[i], &n)) return UINT64_MAX;
    }
    return n / 4; /* an addition is less than a multiply-add */
}

#define POOL(SYMBOL, NAME, KIND, OUT)                                                            \
    static uncork_status infer_##SYMBOL(uc_call *call) { return infer_as(call, KIND); }          \
    static uncork_status wide_##SYMBOL(uc_call *call) { return run_as(call, KIND); }             \
    static uncork_status run_##SYMBOL(uc_call *call) { return uc_widened(call, wide_##SYMBOL); } \
    const uc_op uc_op_##SYMBOL = {.name = NAME,                                                  \
                                  .in = {1, 1},                                                  \
                                  .out = {1, OUT},                                               \
                                  .infer = infer_##SYMBOL,                                       \
                                  .run = run_##SYMBOL,                                           \
                                  .macs = macs};

POOL(max_pool, "MaxPool", MAXIMUM, 2)
POOL(average_pool, "AveragePool", AVERAGE, 1)
POOL(lp_pool, "LpPool", NORM, 1)
