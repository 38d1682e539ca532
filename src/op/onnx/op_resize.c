/* Resize and Upsample: any axes to another size, nearest, linear or cubic.
 *
 * Source: ONNX operators Resize 19, Upsample 10 (coordinates asymmetric, nearest rounds down).
 * x  any number;  roi  float [2 * axes], for tf_crop_and_resize;  scales  float32 [axes] or
 * sizes  int64 [axes];  y  the type of x.
 * Numerics: see op/resize.c for coordinates and weights; sums run in float32 (float64, and integers
 * in float64, rounded to nearest, ties to even), one axis after the other. */
#include "base/thread.h"
#include "kernel/span.h"
#include "op/resize.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

typedef struct plan {
    uc_resize_how how;
    int rank;
    uc_resize_axis axis[UNCORK_MAX_RANK]; /* one a dimension of x */
    bool changes[UNCORK_MAX_RANK];
} plan;

/* ---- attributes --------------------------------------------------------------------------------- */

static uncork_status choose(uc_call *call, const char *name, const char *const *words, int count,
                            int otherwise, int *chosen)
{
    uc_str text = uc_call_str(call, name, words[otherwise]);
    for (*chosen = 0; *chosen < count; ++*chosen) {
        if (uc_str_is(text, words[*chosen])) return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_UNSUPPORTED, "%s is '%.*s'", name, (int)text.size, text.data);
}

static uncork_status read_how(uc_call *call, uc_resize_how *how)
{
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    static const char *const coordinates[] = {
        "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
        "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"};
    static const char *const rounding[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                           "ceil"};
    bool upsample = strcmp(call->op->name, "Upsample") == 0;
    int mode, place, nearest;
    UC_TRY(choose(call, "mode", modes, 3, 0, &mode));
    UC_TRY(choose(call, "coordinate_transformation_mode", coordinates, 7,
                  upsample ? UC_ASYMMETRIC : UC_HALF_PIXEL, &place));
    UC_TRY(choose(call, "nearest_mode", rounding, 4,
                  upsample ? UC_ROUND_FLOOR : UC_ROUND_PREFER_FLOOR, &nearest));
    how->mode = (uc_resize_mode)mode;
    how->coordinates = (uc_resize_coordinates)place;
    how->rounding = (uc_resize_rounding)nearest;
    how->antialias = uc_call_int(call, "antialias", 0) != 0;
    how->exclude_outside = uc_call_int(call, "exclude_outside", 0) != 0;
    how->cubic_a = (float)uc_call_float(call, "cubic_coeff_a", -0.75);
    return UNCORK_OK;
}

/* Which dimensions of x the inputs speak of. */
static uncork_status read_axes(uc_call *call, int rank, int *axes, int *count)
{
    size_t have = 0;
    bool seen[UNCORK_MAX_RANK] = {false};
    const int64_t *given = uc_call_ints(call, "axes", &have);
    *count = have ? (int)have : rank;
    if (have > (size_t)rank) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu axes of %d dimensions", have, rank);
    }
    for (int i = 0; i < *count; i++) {
        UC_TRY(uc_axis(call, have ? given[i] : i, rank, &axes[i]));
        if (seen[axes[i]]) {
            return uc_call_fail(call, UNCORK_MALFORMED, "axis %d is named twice", axes[i]);
        }
        seen[axes[i]] = true;
    }
    return UNCORK_OK;
}

/* Input i when it is given and not empty. */
static const uc_tensor *given(const uc_call *call, size_t i)
{
    const uc_tensor *t = uc_call_in(call, i);
    return t && !(t->rank == 1 && t->shape[0] == 0) ? t : NULL;
}

/* Inputs of Upsample are x and scales. */
static size_t scales_input(const uc_call *call)
{
    return strcmp(call->op->name, "Upsample") == 0 ? 1 : 2;
}

/* ---- sizes -------------------------------------------------------------------------------------- */

static uncork_status check_count(uc_call *call, const uc_tensor *t, const char *name, int want)
{
    if (t->rank < 0 || (t->rank == 1 && (t->shape[0] < 0 || t->shape[0] == want))) return UNCORK_OK;
    char text[128];
    return uc_call_fail(call, UNCORK_INPUT, "%s has shape %s, not [%d]", name,
                        uc_shape_text(t->shape, t->rank, text, sizeof text), want);
}

static uncork_status set_by_scales(uc_call *call, const uc_tensor *t, const int *axes, int count,
                                   plan *p)
{
    for (int i = 0; i < count; i++) {
        uc_resize_axis *a = &p->axis[axes[i]];
        a->scale = (float)uc_dtype_load_f64(t->data, i, t->dtype);
        if (!(a->scale > 0) || isinf(a->scale)) {
            return uc_call_fail(call, UNCORK_INPUT, "scale %d is %g", i, (double)a->scale);
        }
        if (a->in < 0) continue;
        float out = a->scale * (float)a->in;
        if (out >= 1e15F) {
            return uc_call_fail(call, UNCORK_LIMIT, "%" PRId64 " places scaled by %g", a->in,
                                (double)a->scale);
        }
        a->out = (int64_t)out;
    }
    return UNCORK_OK;
}

static uncork_status set_by_sizes(uc_call *call, const uc_tensor *t, const int *axes, int count,
                                  plan *p)
{
    static const char *const policies[] = {"stretch", "not_larger", "not_smaller"};
    int policy;
    UC_TRY(choose(call, "keep_aspect_ratio_policy", policies, 3, 0, &policy));
    float common = 0;
    bool known = true;
    for (int i = 0; i < count; i++) {
        uc_resize_axis *a = &p->axis[axes[i]];
        a->out = uc_dtype_load_i64(t->data, i, t->dtype);
        if (a->out < 0 || a->out > INT64_MAX / 4) {
            return uc_call_fail(call, UNCORK_INPUT, "size %d is %" PRId64, i, a->out);
        }
        known = known && a->in > 0;
        a->scale = a->in > 0 ? (float)a->out / (float)a->in : 1;
        bool better = i == 0 || (policy == 1 ? a->scale < common : a->scale > common);
        if (better) common = a->scale;
    }
    for (int i = 0; policy && i < count; i++) {
        uc_resize_axis *a = &p->axis[axes[i]];
        if (!known) {
            a->out = UC_DIM_UNKNOWN;
            continue;
        }
        a->scale = common;
        a->out = (int64_t)(common * (float)a->in + 0.5F);
    }
    return UNCORK_OK;
}

/* Sizes and scales of all axes as far as they are known. */
static uncork_status read_plan(uc_call *call, plan *p)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int axes[UNCORK_MAX_RANK], count = 0;
    memset(p, 0, sizeof *p);
    p->rank = x->rank;
    UC_TRY(read_how(call, &p->how));
    UC_TRY(read_axes(call, x->rank, axes, &count));
    for (int d = 0; d < x->rank; d++) {
        p->axis[d] = (uc_resize_axis){.in = x->shape[d], .out = x->shape[d], .scale = 1, .end = 1};
    }
    size_t by_scales = scales_input(call);
    const uc_tensor *scales = given(call, by_scales);
    const uc_tensor *sizes = by_scales == 2 ? given(call, 3) : NULL;
    if (!scales == !sizes) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%s",
                            scales ? "both scales and sizes are given"
                                   : "neither scales nor sizes are given");
    }
    UC_TRY(check_count(call, scales ? scales : sizes, scales ? "scales" : "sizes", count));
    size_t at = scales ? by_scales : 3;
    UC_TRY(uc_call_expect(call, at, scales ? UC_TYPES_FLOAT : UC_TYPES_INDEX));
    if (uc_call_known(call, at)) {
        UC_TRY(scales ? set_by_scales(call, scales, axes, count, p)
                      : set_by_sizes(call, sizes, axes, count, p));
    } else {
        for (int i = 0; i < count; i++) {
            p->axis[axes[i]].out = UC_DIM_UNKNOWN;
        }
    }
    const uc_tensor *roi = p->how.coordinates == UC_TF_CROP_AND_RESIZE ? given(call, 1) : NULL;
    if (p->how.coordinates == UC_TF_CROP_AND_RESIZE) {
        if (!roi) return uc_call_fail(call, UNCORK_MALFORMED, "tf_crop_and_resize without a roi");
        UC_TRY(check_count(call, roi, "roi", 2 * count));
        UC_TRY(uc_call_expect(call, 1, UC_TYPES_FLOAT));
    }
    for (int i = 0; roi && uc_call_known(call, 1) && i < count; i++) {
        p->axis[axes[i]].begin = (float)uc_dtype_load_f64(roi->data, i, roi->dtype);
        p->axis[axes[i]].end = (float)uc_dtype_load_f64(roi->data, count + i, roi->dtype);
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    plan p;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    UC_TRY(read_plan(call, &p));
    for (int d = 0; d < x->rank; d++) {
        shape[d] = p.axis[d].in < 0 && p.axis[d].scale != 1 && !given(call, 3) ? UC_DIM_UNKNOWN
                                                                               : p.axis[d].out;
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

/* ---- nearest: elements are moved ---------------------------------------------------------------- */

typedef struct nearest_job {
    const plan *p;
    const char *x;
    char *y;
    size_t size;
    int64_t in_stride[UNCORK_MAX_RANK];
    const char *outside; /* the element beyond the input */
} nearest_job;

#define PICK(T)                                                                 \
    for (int64_t j = 0; j < last->out; j++) {                                   \
        ((T *)(void *)to)[j] = ((const T *)(const void *)from)[last->first[j]]; \
    }

/* Output rows along the last axis. */
static void nearest_body(void *context, int64_t begin, int64_t end, int thread)
{
    const nearest_job *n = context;
    const plan *p = n->p;
    const uc_resize_axis *last = &p->axis[p->rank - 1];
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        int64_t rest = row, offset = 0;
        bool outside = false;
        for (int d = p->rank - 2; d >= 0; d--) {
            int64_t j = rest % p->axis[d].out;
            rest /= p->axis[d].out;
            offset += p->axis[d].first[j] * n->in_stride[d];
            outside = outside || p->axis[d].outside[j];
        }
        const char *from = n->x + (size_t)offset * n->size;
        char *to = n->y + (size_t)(row * last->out) * n->size;
        switch (n->size) {
        case 1: PICK(uint8_t) break;
        case 2: PICK(uint16_t) break;
        case 4: PICK(uint32_t) break;
        default: PICK(uint64_t) break;
        }
        if (p->how.coordinates != UC_TF_CROP_AND_RESIZE) continue;
        for (int64_t j = 0; j < last->out; j++) {
            if (outside || last->outside[j]) memcpy(to + (size_t)j * n->size, n->outside, n->size);
        }
    }
}

/* An axis that stays as it is. */
static uncork_status identity(uc_call *call, uc_resize_axis *a)
{
    uc_resize_how how = {.mode = UC_RESIZE_NEAREST, .coordinates = UC_ASYMMETRIC};
    how.rounding = UC_ROUND_FLOOR;
    a->scale = 1;
    UC_TRY(uc_resize_table(call, &how, a));
    for (int64_t j = 0; j < a->out; j++) { /* float32 can't count beyond 2^24 */
        a->first[j] = j;
    }
    return UNCORK_OK;
}

static uncork_status run_nearest(uc_call *call, plan *p)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    double value = uc_call_float(call, "extrapolation_value", 0);
    char element[16];
    nearest_job n = {.p = p, .x = x->data, .y = y->data, .size = uc_dtype_size(x->dtype)};
    uc_dtype_convert(element, x->dtype, &value, UNCORK_FLOAT64, 1);
    n.outside = element;
    memcpy(n.in_stride, x->stride, sizeof n.in_stride);
    int64_t rows = 1;
    for (int d = 0; d < p->rank - 1; d++) {
        rows *= p->axis[d].out;
    }
    int64_t width = p->axis[p->rank - 1].out;
    uc_parallel(call->pool, rows, width < 4096 ? 4096 / width : 1, nearest_body, &n);
    return UNCORK_OK;
}

/* ---- linear and cubic: one axis after the other --------------------------------------------------- */

typedef struct pass_job {
    const uc_resize_axis *a;
    const void *x;
    void *y;
    int64_t inner;
} pass_job;

/* Rows of [outer, out, inner] (inner 1: of [outer]). */
#define PASS(NAME, T, SPANS)                                                         \
    static void NAME(void *context, int64_t begin, int64_t end, int thread)          \
    {                                                                                \
        const pass_job *p = context;                                                 \
        const uc_resize_axis *a = p->a;                                              \
        (void)thread;                                                                \
        for (int64_t row = begin; p->inner == 1 && row < end; row++) {               \
            const T *x = (const T *)p->x + row * a->in;                              \
            T *y = (T *)p->y + row * a->out;                                         \
            for (int64_t j = 0; j < a->out; j++) {                                   \
                const float *w = a->weight + j * a->taps;                            \
                const T *from = x + a->first[j];                                     \
                T sum = 0;                                                           \
                for (int64_t k = 0; k < a->count[j]; k++) {                          \
                    sum += (T)w[k] * from[k];                                        \
                }                                                                    \
                y[j] = sum;                                                          \
            }                                                                        \
        }                                                                            \
        for (int64_t row = begin; p->inner != 1 && row < end; row++) {               \
            int64_t outer = row / a->out, j = row % a->out;                          \
            const T *x = (const T *)p->x + (outer * a->in + a->first[j]) * p->inner; \
            T *y = (T *)p->y + row * p->inner;                                       \
            const float *w = a->weight + j * a->taps;                                \
            SPANS->scale(y, x, 0, (T)w[0], 0, p->inner);                             \
            for (int64_t k = 1; k < a->count[j]; k++) {                              \
                SPANS->axpy(y, x + k * p->inner, 1, (T)w[k], p->inner);              \
            }                                                                        \
        }                                                                            \
    }

PASS(pass_f32, float, uc_spans_f32())
PASS(pass_f64, double, uc_spans_f64())

/* Axes that shrink first, then those that grow from the last on: the least work. */
static int order_axes(const plan *p, int *order)
{
    int count = 0;
    for (int d = 0; d < p->rank; d++) {
        if (p->changes[d] && p->axis[d].out <= p->axis[d].in) order[count++] = d;
    }
    for (int d = p->rank - 1; d >= 0; d--) {
        if (p->changes[d] && p->axis[d].out > p->axis[d].in) order[count++] = d;
    }
    return count;
}

/* `x`, float32 or float64 by `size`, resized into `y`. */
static uncork_status run_passes(uc_call *call, const plan *p, const void *x, void *y, size_t size)
{
    int64_t shape[UNCORK_MAX_RANK];
    int order[UNCORK_MAX_RANK], count = order_axes(p, order);
    for (int d = 0; d < p->rank; d++) {
        shape[d] = p->axis[d].in;
    }
    for (int i = 0; i < count; i++) {
        pass_job job = {.a = &p->axis[order[i]], .x = x, .y = y, .inner = 1};
        int64_t outer = 1;
        for (int d = 0; d < p->rank; d++) {
            *(d < order[i] ? &outer : &job.inner) *= d == order[i] ? 1 : shape[d];
        }
        shape[order[i]] = job.a->out;
        if (i < count - 1) {
            size_t bytes = 0;
            bool fits = uc_shape_count(shape, p->rank, &bytes);
            job.y = fits ? uc_call_scratch(call, bytes, size) : NULL;
            if (!fits) return uc_call_fail(call, UNCORK_LIMIT, "the result is too large");
            if (!job.y) return uc_fail_memory(call->error);
        }
        int64_t rows = job.inner == 1 ? outer : outer * job.a->out;
        int64_t work = (job.inner == 1 ? job.a->out : job.inner) * job.a->taps;
        uc_parallel(call->pool, rows, work < 8192 ? 8192 / (work ? work : 1) : 1,
                    size == sizeof(float) ? pass_f32 : pass_f64, &job);
        x = job.y;
    }
    return UNCORK_OK;
}

/* The extrapolation value wherever one coordinate is outside. */
static void set_outside(const plan *p, uc_tensor *y, double value)
{
    size_t size = uc_dtype_size(y->dtype);
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        int64_t rest = i;
        bool outside = false;
        for (int d = p->rank - 1; d >= 0; d--) {
            outside = outside || p->axis[d].outside[rest % p->axis[d].out];
            rest /= p->axis[d].out;
        }
        if (outside) {
            uc_dtype_convert((char *)y->data + (size_t)i * size, y->dtype, &value, UNCORK_FLOAT64,
                             1);
        }
    }
}

static uncork_status run_weighted(uc_call *call, const plan *p)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    int64_t n = uc_tensor_count(y);
    if (x->dtype == UNCORK_FLOAT32 || x->dtype == UNCORK_FLOAT64) {
        UC_TRY(run_passes(call, p, x->data, y->data, uc_dtype_size(x->dtype)));
    } else {
        const double *wide = uc_call_doubles(call, x);
        double *out = uc_call_scratch(call, (size_t)n, sizeof *out);
        if (!wide || !out) return uc_fail_memory(call->error);
        UC_TRY(run_passes(call, p, wide, out, sizeof *out));
        for (int64_t i = 0; uc_dtype_is_integer(x->dtype) && i < n; i++) {
            out[i] = rint(out[i]);
        }
        uc_dtype_convert(y->data, y->dtype, out, UNCORK_FLOAT64, n);
    }
    if (p->how.coordinates == UC_TF_CROP_AND_RESIZE) {
        set_outside(p, y, uc_call_float(call, "extrapolation_value", 0));
    }
    return UNCORK_OK;
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    plan p;
    UC_TRY(read_plan(call, &p));
    bool any = false, empty = false;
    for (int d = 0; d < p.rank; d++) {
        uc_resize_axis *a = &p.axis[d];
        if (a->out > 0 && a->in == 0) {
            return uc_call_fail(call, UNCORK_INPUT, "dimension %d is empty", d);
        }
        empty = empty || a->out == 0;
    }
    for (int d = 0; !empty && d < p.rank; d++) {
        uc_resize_axis *a = &p.axis[d];
        bool crop = p.how.coordinates == UC_TF_CROP_AND_RESIZE && (a->begin != 0 || a->end != 1);
        p.changes[d] = a->in != a->out || a->scale != 1 || crop;
        UC_TRY(p.changes[d] ? uc_resize_table(call, &p.how, a) : identity(call, a));
        any = any || p.changes[d];
    }
    if (empty) return uc_call_out(call, 0) ? UNCORK_OK : uc_fail_memory(call->error);
    if (p.rank > 0 && (!any || p.how.mode == UC_RESIZE_NEAREST)) return run_nearest(call, &p);
    if (p.rank > 0) return run_weighted(call, &p);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    memcpy(y->data, x->data, uc_dtype_size(x->dtype));
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    bool moves = uc_str_is(uc_call_str(call, "mode", "nearest"), "nearest");
    return moves ? run_wide(call) : uc_widened(call, run_wide);
}

const uc_op uc_op_resize = {
    .name = "Resize", .in = {1, 4}, .out = {1, 1}, .infer = infer, .run = run};
const uc_op uc_op_upsample = {
    .name = "Upsample", .in = {2, 2}, .out = {1, 1}, .infer = infer, .run = run};
