/* GridSample and AffineGrid: an image read at given places, and places by an affine map.
 *
 * Source: ONNX operators GridSample 22, AffineGrid 20. Coordinates go from -1 to 1, the last of a grid
 * point first (x, y, z).
 * x  number [N, C, D1, ...];  grid  float [N, o1, ..., dims];  y  [N, C, o1, ...]
 * theta  float [N, dims, dims + 1];  size  int64 [N, C, D1, ...];  grid  [N, D1, ..., dims]
 * Numerics: all in float64, rounded once. Reflection beyond a border as onnxruntime's GsReflect. */
#include "base/thread.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

enum { DIMS = 3, MOST_TAPS = 64 };

typedef enum sample_mode { NEAREST, LINEAR, CUBIC } sample_mode;
typedef enum sample_padding { ZEROS, BORDER, REFLECTION } sample_padding;

typedef struct sampler {
    sample_mode mode;
    sample_padding padding;
    bool align_corners;
    int dims;
    int64_t size[DIMS], channels, plane, points;
    const double *x, *grid;
    double *y;
} sampler;

static uncork_status read_modes(uc_call *call, sampler *s)
{
    uc_str mode = uc_call_str(call, "mode", "linear");
    uc_str padding = uc_call_str(call, "padding_mode", "zeros");
    bool linear = uc_str_is(mode, "linear") || uc_str_is(mode, "bilinear");
    bool cubic = uc_str_is(mode, "cubic") || uc_str_is(mode, "bicubic");
    bool known = linear || cubic || uc_str_is(mode, "nearest");
    s->mode = linear ? LINEAR : (cubic ? CUBIC : NEAREST);
    s->padding = uc_str_is(padding, "border")       ? BORDER
                 : uc_str_is(padding, "reflection") ? REFLECTION
                                                    : ZEROS;
    s->align_corners = uc_call_int(call, "align_corners", 0) != 0;
    if (known && (s->padding != ZEROS || uc_str_is(padding, "zeros"))) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "mode '%.*s', padding '%.*s'", (int)mode.size,
                        mode.data, (int)padding.size, padding.data);
}

static uncork_status infer_sample(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *g = uc_call_arg(call, 1);
    int64_t shape[UNCORK_MAX_RANK];
    sampler s;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(uc_call_expect_wide(call, 1));
    UC_TRY(read_modes(call, &s));
    if (x->rank < 0 || g->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    int dims = x->rank - 2;
    bool fits = dims >= 1 && dims <= DIMS && g->rank == x->rank &&
                (g->shape[g->rank - 1] < 0 || g->shape[g->rank - 1] == dims) &&
                (g->shape[0] < 0 || x->shape[0] < 0 || g->shape[0] == x->shape[0]);
    if (!fits) {
        char a[128], b[128];
        return uc_call_fail(call, UNCORK_INPUT, "input %.90s and grid %.90s don't fit",
                            uc_shape_text(x->shape, x->rank, a, sizeof a),
                            uc_shape_text(g->shape, g->rank, b, sizeof b));
    }
    shape[0] = x->shape[0];
    shape[1] = x->shape[1];
    memcpy(shape + 2, g->shape + 1, (size_t)dims * sizeof *shape);
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

/* Mirrored at the borders until within them. */
static double reflect(double x, double low, double high)
{
    double range = high - low;
    if (!(range > 0) || !isfinite(x)) return low;
    if (x < low) {
        double over = fmod(low - x, 2 * range);
        return over <= range ? low + over : high - (over - range);
    }
    if (x > high) {
        double over = fmod(x - high, 2 * range);
        return over <= range ? high - over : low + (over - range);
    }
    return x;
}

/* Index of a tap in its dimension, -1 where it counts as zero. */
static int64_t index_of(const sampler *s, double i, int64_t n)
{
    double low = s->align_corners ? 0 : -0.5, high = (double)n - (s->align_corners ? 1 : 0.5);
    if (!(i >= -1e15 && i <= 1e15)) i = s->padding == ZEROS ? -1 : 0; /* NaN, infinities */
    if (i >= 0 && i < (double)n) return (int64_t)i;
    if (s->padding == ZEROS) return -1;
    if (s->padding == REFLECTION) i = trunc(reflect(i, low, high));
    return i < 0 ? 0 : (i >= (double)n ? n - 1 : (int64_t)i);
}

/* Taps of one dimension. */
static int taps_of(const sampler *s, double v, int64_t n, int64_t *index, double *weight)
{
    double low = s->align_corners ? 0 : -0.5, high = (double)n - (s->align_corners ? 1 : 0.5);
    double x = s->align_corners ? (v + 1) / 2 * (double)(n - 1) : ((v + 1) * (double)n - 1) / 2;
    if (s->mode == NEAREST) x = rint(x);
    if (x < low || x > high) {
        if (s->padding == BORDER) x = x < 0 ? 0 : (x > (double)(n - 1) ? (double)(n - 1) : x);
        if (s->padding == REFLECTION) x = reflect(x, low, high);
    }
    if (s->mode == NEAREST) {
        index[0] = index_of(s, x, n);
        weight[0] = 1;
        return 1;
    }
    double down = floor(x), rest = x - down;
    int count = s->mode == LINEAR ? 2 : 4;
    for (int k = 0; k < count; k++) {
        double t = fabs(s->mode == LINEAR ? rest - k : rest + 1 - k), a = -0.75;
        index[k] = index_of(s, down + (s->mode == LINEAR ? k : k - 1), n);
        if (s->mode == LINEAR) {
            weight[k] = 1 - t;
        } else {
            weight[k] = t <= 1 ? ((a + 2) * t - (a + 3)) * t * t + 1
                               : ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
        }
    }
    return count;
}

static void sample_point(const sampler *s, int64_t n, int64_t p)
{
    const double *at = s->grid + (n * s->points + p) * s->dims;
    int64_t index[MOST_TAPS], next[4], offset[MOST_TAPS];
    double weight[MOST_TAPS], w[4];
    int count = 1;
    offset[0] = 0;
    weight[0] = 1;
    for (int d = 0; d < s->dims; d++) { /* the first spatial dimension is the grid's last number */
        int taps = taps_of(s, at[s->dims - 1 - d], s->size[d], next, w), made = 0;
        int64_t old[MOST_TAPS];
        double old_weight[MOST_TAPS];
        memcpy(old, offset, sizeof old);
        memcpy(old_weight, weight, sizeof old_weight);
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < taps; k++) {
                if (next[k] < 0) continue;
                index[made] = old[i] * s->size[d] + next[k];
                weight[made++] = old_weight[i] * w[k];
            }
        }
        count = made;
        memcpy(offset, index, sizeof offset);
    }
    for (int64_t c = 0; c < s->channels; c++) {
        const double *plane = s->x + (n * s->channels + c) * s->plane;
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += weight[i] * plane[offset[i]];
        }
        s->y[(n * s->channels + c) * s->points + p] = sum;
    }
}

static void sample_body(void *context, int64_t begin, int64_t end, int thread)
{
    const sampler *s = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        sample_point(s, i / s->points, i % s->points);
    }
}

static uncork_status run_sample(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *g = uc_call_arg(call, 1);
    sampler s = {.dims = x->rank - 2, .channels = x->shape[1], .plane = 1, .points = 1};
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(read_modes(call, &s));
    for (int d = 0; d < s.dims; d++) {
        s.size[d] = x->shape[2 + d];
        s.plane *= s.size[d];
        s.points *= g->shape[1 + d];
    }
    int64_t count = uc_tensor_count(y);
    if (count == 0) return UNCORK_OK;
    if (s.plane == 0) return uc_call_fail(call, UNCORK_INPUT, "the input is empty");
    s.x = uc_call_doubles(call, x);
    s.grid = uc_call_doubles(call, g);
    s.y = y->dtype == UNCORK_FLOAT64 ? y->data : uc_call_scratch(call, (size_t)count, sizeof *s.y);
    if (!s.x || !s.grid || !s.y) return uc_fail_memory(call->error);
    uc_parallel(call->pool, x->shape[0] * s.points, 256, sample_body, &s);
    if (s.y != y->data) uc_dtype_convert(y->data, y->dtype, s.y, UNCORK_FLOAT64, count);
    return UNCORK_OK;
}

const uc_op uc_op_grid_sample = {
    .name = "GridSample", .in = {2, 2}, .out = {1, 1}, .infer = infer_sample, .run = run_sample};

/* ---- AffineGrid --------------------------------------------------------------------------------- */

static uncork_status grid_shape(uc_call *call, int64_t *shape, int *rank)
{
    const uc_tensor *theta = uc_call_arg(call, 0), *size = uc_call_arg(call, 1);
    size_t count = 0;
    int64_t dims = theta->rank == 3 ? theta->shape[1] : UC_DIM_UNKNOWN;
    bool fits =
        theta->rank < 0 || (theta->rank == 3 && (dims < 0 || dims == 2 || dims == 3) &&
                            (dims < 0 || theta->shape[2] < 0 || theta->shape[2] == dims + 1));
    *rank = dims < 0 ? -1 : (int)dims + 2;
    for (int d = 0; d < *rank; d++) {
        shape[d] = d == *rank - 1 ? dims : UC_DIM_UNKNOWN;
    }
    if (fits && uc_call_known(call, 1)) {
        int64_t given[UNCORK_MAX_RANK];
        UC_TRY(uc_call_small_ints(call, 1, given, &count));
        fits = (count == 4 || count == 5) && (dims < 0 || count == (size_t)dims + 2);
        *rank = (int)count;
        for (size_t d = 0; d < count; d++) {
            fits = fits && given[d] >= 0;
            if (d > 1) shape[d - 1] = given[d];
        }
        shape[0] = given[0];
        if (count) shape[count - 1] = (int64_t)count - 2;
        if (fits && theta->rank == 3 && theta->shape[0] >= 0) fits = theta->shape[0] == given[0];
    }
    if (fits) return UNCORK_OK;
    char a[128], b[128];
    return uc_call_fail(call, UNCORK_INPUT, "theta %.90s and a size of %.60s don't fit",
                        uc_shape_text(theta->shape, theta->rank, a, sizeof a),
                        uc_shape_text(size->shape, size->rank, b, sizeof b));
}

static uncork_status infer_affine(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = -1;
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    UC_TRY(grid_shape(call, shape, &rank));
    return uc_call_shape(call, 0, uc_call_dtype(call, 0), rank, shape);
}

static uncork_status run_affine(uc_call *call)
{
    const uc_tensor *theta = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK], points = 1;
    int rank = -1;
    uc_tensor *y = NULL;
    UC_TRY(grid_shape(call, shape, &rank));
    UC_TRY(uc_call_output(call, 0, theta->dtype, rank, shape, &y));
    bool corners = uc_call_int(call, "align_corners", 0) != 0;
    int dims = rank - 2;
    for (int d = 0; d < dims; d++) {
        points *= shape[1 + d];
    }
    size_t size = uc_dtype_size(y->dtype);
    for (int64_t i = 0; i < shape[0] * points; i++) {
        double at[DIMS + 1], value;
        int64_t rest = i % points, first = i / points * dims * (dims + 1);
        for (int d = dims - 1; d >= 0; d--) { /* x, the last dimension, first */
            double n = (double)shape[1 + d], k = (double)(rest % shape[1 + d]);
            rest /= shape[1 + d];
            at[dims - 1 - d] = corners ? (n > 1 ? -1 + k * 2 / (n - 1) : -1) : (2 * k + 1) / n - 1;
        }
        at[dims] = 1;
        for (int d = 0; d < dims; d++) {
            value = 0;
            for (int k = 0; k <= dims; k++) {
                value += at[k] *
                         uc_dtype_load_f64(theta->data, first + d * (dims + 1) + k, theta->dtype);
            }
            uc_dtype_convert((char *)y->data + (size_t)(i * dims + d) * size, y->dtype, &value,
                             UNCORK_FLOAT64, 1);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_affine_grid = {
    .name = "AffineGrid", .in = {2, 2}, .out = {1, 1}, .infer = infer_affine, .run = run_affine};
