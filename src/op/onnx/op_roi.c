/* RoiAlign and MaxRoiPool: regions of pictures brought to one size.
 *
 * Source: ONNX operators RoiAlign 22 (He et al., "Mask R-CNN"), MaxRoiPool 22 (Girshick, "Fast R-CNN").
 * x  float [N, C, H, W];  y  [regions, C, height, width]
 * RoiAlign    rois [regions, 4] (x1, y1, x2, y2), batch_indices int64 [regions]
 * MaxRoiPool  rois [regions, 5] (sample, x1, y1, x2, y2)
 * Numerics: RoiAlign in float64, rounded once. */
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer_as(uc_call *call, int64_t columns, int64_t height, int64_t width)
{
    const uc_tensor *x = uc_call_arg(call, 0), *r = uc_call_arg(call, 1);
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    if (height < 1 || width < 1 || height > INT32_MAX || width > INT32_MAX) {
        return uc_call_fail(call, UNCORK_MALFORMED, "an output of %" PRId64 " x %" PRId64, height,
                            width);
    }
    bool fits = (x->rank < 0 || x->rank == 4) &&
                (r->rank < 0 || (r->rank == 2 && (r->shape[1] < 0 || r->shape[1] == columns)));
    if (!fits) {
        char a[128], b[128];
        return uc_call_fail(call, UNCORK_INPUT, "input %.90s and regions %.90s don't fit",
                            uc_shape_text(x->shape, x->rank, a, sizeof a),
                            uc_shape_text(r->shape, r->rank, b, sizeof b));
    }
    const int64_t shape[] = {r->rank < 0 ? UC_DIM_UNKNOWN : r->shape[0],
                             x->rank < 0 ? UC_DIM_UNKNOWN : x->shape[1], height, width};
    return uc_call_shape(call, 0, x->dtype, 4, shape);
}

#define MOST_WORK 1e10 /* multiply-adds of all regions: seconds; detectors stay below a tenth */

/* ---- RoiAlign ------------------------------------------------------------------------------------ */

typedef struct align {
    int64_t channels, height, width, out_h, out_w, grid_h, grid_w;
    double start_h, start_w, bin_h, bin_w;
    bool max;
} align;

static uncork_status infer_align(uc_call *call)
{
    const uc_tensor *r = uc_call_arg(call, 1), *b = uc_call_arg(call, 2);
    uc_str mode = uc_call_str(call, "mode", "avg");
    uc_str place = uc_call_str(call, "coordinate_transformation_mode", "half_pixel");
    bool known = (uc_str_is(mode, "avg") || uc_str_is(mode, "max")) &&
                 (uc_str_is(place, "half_pixel") || uc_str_is(place, "output_half_pixel"));
    if (!known) {
        return uc_call_fail(call, UNCORK_MALFORMED, "mode '%.*s', coordinates '%.*s'",
                            (int)mode.size, mode.data, (int)place.size, place.data);
    }
    UC_TRY(uc_call_expect(call, 2, UC_TYPES_INDEX));
    bool fits = b->rank < 0 || (b->rank == 1 && (r->rank != 2 || r->shape[0] < 0 ||
                                                 b->shape[0] < 0 || r->shape[0] == b->shape[0]));
    if (!fits) return uc_call_fail(call, UNCORK_INPUT, "batch_indices isn't one number a region");
    return infer_as(call, 4, uc_call_int(call, "output_height", 1),
                    uc_call_int(call, "output_width", 1));
}

/* One sample: the four neighbours' weighted values. */
static void neighbours(const align *a, const double *plane, double y, double x, double *v)
{
    memset(v, 0, 4 * sizeof *v);
    if (!(y >= -1 && y <= (double)a->height && x >= -1 && x <= (double)a->width)) return;
    y = y > 0 ? y : 0;
    x = x > 0 ? x : 0;
    int64_t y0 = (int64_t)y, x0 = (int64_t)x, y1 = y0 + 1, x1 = x0 + 1;
    if (y0 >= a->height - 1) {
        y0 = y1 = a->height - 1;
        y = (double)y0;
    }
    if (x0 >= a->width - 1) {
        x0 = x1 = a->width - 1;
        x = (double)x0;
    }
    double ly = y - (double)y0, lx = x - (double)x0;
    v[0] = (1 - ly) * (1 - lx) * plane[y0 * a->width + x0];
    v[1] = (1 - ly) * lx * plane[y0 * a->width + x1];
    v[2] = ly * (1 - lx) * plane[y1 * a->width + x0];
    v[3] = ly * lx * plane[y1 * a->width + x1];
}

/* Samples [*begin, *end) of a bin that begins at `from` that may lie in a picture of n pixels; those
 * outside are zeros. */
static void inside(double from, double bin, int64_t grid, int64_t n, int64_t *begin, int64_t *end)
{
    const double step = bin / (double)grid;
    const double first = floor((-1 - from) / step - 0.5),
                 last = ceil(((double)n - from) / step - 0.5);
    *begin = first > 0 ? (first < (double)grid ? (int64_t)first : grid) : 0;
    *end = last < 0 ? 0 : last + 1 < (double)grid ? (int64_t)last + 1 : grid;
    if (!(step > 0)) {
        *begin = 0;
        *end = grid;
    }
    if (*end < *begin) *end = *begin;
}

/* One output: the mean (maximum) over its grid of samples. */
static double align_bin(const align *a, const double *plane, int64_t oh, int64_t ow)
{
    double sum = 0, most = -HUGE_VAL, v[4];
    int64_t top, bottom, left, right;
    const double y0 = a->start_h + (double)oh * a->bin_h, x0 = a->start_w + (double)ow * a->bin_w;
    inside(y0, a->bin_h, a->grid_h, a->height, &top, &bottom);
    inside(x0, a->bin_w, a->grid_w, a->width, &left, &right);
    if (bottom - top < a->grid_h || right - left < a->grid_w) most = 0;
    for (int64_t i = top; i < bottom; i++) {
        double y =
            a->start_h + (double)oh * a->bin_h + ((double)i + 0.5) * a->bin_h / (double)a->grid_h;
        for (int64_t k = left; k < right; k++) {
            double x = a->start_w + (double)ow * a->bin_w +
                       ((double)k + 0.5) * a->bin_w / (double)a->grid_w;
            neighbours(a, plane, y, x, v);
            sum += v[0] + v[1] + v[2] + v[3];
            most = fmax(most, fmax(fmax(v[0], v[1]), fmax(v[2], v[3])));
        }
    }
    int64_t count = a->grid_h * a->grid_w;
    if (a->max) return count > 0 ? most : 0;
    return sum / (double)(count > 1 ? count : 1);
}

/* Samples along one side of a bin. */
static int64_t grid_of(int64_t ratio, double bin)
{
    double n = ratio > 0 ? (double)ratio : ceil(bin);
    return n >= 1 ? (n < 1e9 ? (int64_t)n : 1000000000) : 0;
}

static void set_region(uc_call *call, const uc_tensor *rois, int64_t n, align *a)
{
    double scale = uc_call_float(call, "spatial_scale", 1), r[4];
    bool half =
        uc_str_is(uc_call_str(call, "coordinate_transformation_mode", "half_pixel"), "half_pixel");
    int64_t ratio = uc_call_int(call, "sampling_ratio", 0);
    for (int k = 0; k < 4; k++) {
        r[k] = uc_dtype_load_f64(rois->data, 4 * n + k, rois->dtype) * scale - (half ? 0.5 : 0);
    }
    double w = r[2] - r[0], h = r[3] - r[1];
    if (!half) w = w > 1 ? w : 1;
    if (!half) h = h > 1 ? h : 1;
    a->start_w = r[0];
    a->start_h = r[1];
    a->bin_h = h / (double)a->out_h;
    a->bin_w = w / (double)a->out_w;
    a->grid_h = grid_of(ratio, a->bin_h);
    a->grid_w = grid_of(ratio, a->bin_w);
}

/* Samples of all bins along a side that may lie in the picture. */
static double samples_of(int64_t grid, double bin, int64_t bins, int64_t n)
{
    const double all = (double)grid * (double)bins;
    const double there = ((double)n + 2) * (double)grid / bin + 2 * (double)bins;
    return bin > 0 && there < all ? there : all;
}

/* *spent: of the regions so far. */
static uncork_status charge(uc_call *call, const align *a, double *spent)
{
    double work = samples_of(a->grid_h, a->bin_h, a->out_h, a->height) *
                  samples_of(a->grid_w, a->bin_w, a->out_w, a->width) * (double)a->channels * 4;
    *spent += work;
    UC_TRY(uc_budget_check(call->budget, call->error));
    if (*spent > MOST_WORK) {
        return uc_call_fail(call, UNCORK_LIMIT,
                            "a region of %" PRId64 " x %" PRId64 " samples an output", a->grid_h,
                            a->grid_w);
    }
    return uc_budget_macs(call->budget, (uint64_t)work, "RoiAlign", call->error);
}

static uncork_status run_align(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *rois = uc_call_arg(call, 1);
    const uc_tensor *batch = uc_call_arg(call, 2);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    align a = {.channels = x->shape[1], .height = x->shape[2], .width = x->shape[3]};
    a.out_h = y->shape[2];
    a.out_w = y->shape[3];
    a.max = uc_str_is(uc_call_str(call, "mode", "avg"), "max");
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    if (uc_tensor_count(x) == 0) return uc_call_fail(call, UNCORK_INPUT, "the input is empty");
    const double *wide = uc_call_doubles(call, x);
    if (!wide) return uc_fail_memory(call->error);
    int64_t plane = a.height * a.width, each = a.out_h * a.out_w, at = 0;
    double spent = 0;
    for (int64_t n = 0; n < rois->shape[0]; n++) {
        int64_t b = uc_dtype_load_i64(batch->data, n, batch->dtype);
        if (b < 0 || b >= x->shape[0]) {
            return uc_call_fail(call, UNCORK_INPUT, "sample %" PRId64 " of %" PRId64, b,
                                x->shape[0]);
        }
        set_region(call, rois, n, &a);
        UC_TRY(charge(call, &a, &spent));
        for (int64_t i = 0; i < a.channels * each; i++, at++) {
            const double *from = wide + (b * a.channels + i / each) * plane;
            double v = align_bin(&a, from, i % each / a.out_w, i % a.out_w);
            uc_dtype_convert((char *)y->data + (size_t)at * uc_dtype_size(y->dtype), y->dtype, &v,
                             UNCORK_FLOAT64, 1);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_roi_align = {
    .name = "RoiAlign", .in = {3, 3}, .out = {1, 1}, .infer = infer_align, .run = run_align};

/* ---- MaxRoiPool ---------------------------------------------------------------------------------- */

static uncork_status infer_pool(uc_call *call)
{
    size_t count = 0;
    const int64_t *shape = uc_call_ints(call, "pooled_shape", &count);
    if (count != 2)
        return uc_call_fail(call, UNCORK_MALFORMED, "pooled_shape has %zu numbers", count);
    return infer_as(call, 5, shape[0], shape[1]);
}

/* Inputs [*begin, *end) of bin o, within [0, n). */
static void bin_range(int64_t start, double size, int64_t o, int64_t n, int64_t *begin,
                      int64_t *end)
{
    double low = floor((double)o * size) + (double)start,
           high = ceil((double)(o + 1) * size) + (double)start;
    *begin = low > 0 ? (low < (double)n ? (int64_t)low : n) : 0;
    *end = high > 0 ? (high < (double)n ? (int64_t)high : n) : 0;
}

/* A coordinate rounded, within what sizes can be. */
static int64_t rounded(double v) { return v > -1e12 && v < 1e12 ? (int64_t)round(v) : 0; }

static uncork_status run_pool(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *rois = uc_call_arg(call, 1);
    double scale = uc_call_float(call, "spatial_scale", 1), r[5];
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    int64_t h = x->shape[2], w = x->shape[3], oh = y->shape[2], ow = y->shape[3], at = 0;
    size_t size = uc_dtype_size(x->dtype);
    for (int64_t n = 0; n < rois->shape[0]; n++) {
        for (int k = 0; k < 5; k++) {
            r[k] = uc_dtype_load_f64(rois->data, 5 * n + k, rois->dtype);
        }
        if (!(r[0] >= 0 && r[0] < (double)x->shape[0])) {
            return uc_call_fail(call, UNCORK_INPUT, "sample %g of %" PRId64, r[0], x->shape[0]);
        }
        int64_t left = rounded(r[1] * scale), top = rounded(r[2] * scale);
        int64_t wide = rounded(r[3] * scale) - left + 1, high = rounded(r[4] * scale) - top + 1;
        double bin_w = (double)(wide > 1 ? wide : 1) / (double)ow;
        double bin_h = (double)(high > 1 ? high : 1) / (double)oh;
        for (int64_t i = 0; i < x->shape[1] * oh * ow; i++, at++) {
            int64_t plane = ((int64_t)r[0] * x->shape[1] + i / (oh * ow)) * h * w;
            int64_t y0, y1, x0, x1, best = -1;
            double most = 0;
            bin_range(top, bin_h, i / ow % oh, h, &y0, &y1);
            bin_range(left, bin_w, i % ow, w, &x0, &x1);
            for (int64_t p = y0; p < y1; p++) {
                for (int64_t q = x0; q < x1; q++) {
                    double v = uc_dtype_load_f64(x->data, plane + p * w + q, x->dtype);
                    if (best < 0 || v > most) most = v;
                    best = 0;
                }
            }
            uc_dtype_convert((char *)y->data + (size_t)at * size, y->dtype, &most, UNCORK_FLOAT64,
                             1);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_max_roi_pool = {
    .name = "MaxRoiPool", .in = {2, 2}, .out = {1, 1}, .infer = infer_pool, .run = run_pool};
