/* Tables of a resized axis: see resize.h.
 *
 * Source: ONNX operator Resize 19. Coordinates and weights are computed in float32 in the order of
 * onnxruntime (core/providers/cpu/tensor/upsample.cc, upsamplebase.h, upsample_antialias.h): which
 * input is nearest depends on the last bit. */
#include "op/resize.h"

#include <math.h>

/* Place of output j in the input. */
static float coordinate(const uc_resize_how *how, const uc_resize_axis *a, int64_t j)
{
    float x = (float)j, in = (float)a->in, out = (float)a->out;
    switch (how->coordinates) {
    case UC_HALF_PIXEL: return (x + 0.5F) / a->scale - 0.5F;
    case UC_HALF_PIXEL_SYMMETRIC: {
        float offset = in / 2 * (1 - out / (a->scale * in));
        return offset + (x + 0.5F) / a->scale - 0.5F;
    }
    case UC_PYTORCH_HALF_PIXEL: return a->out > 1 ? (x + 0.5F) / a->scale - 0.5F : 0;
    /* By the output's length as onnxruntime and PyTorch have it; ONNX's reference takes that before
     * rounding. They differ only where scales give no whole number. */
    case UC_ALIGN_CORNERS: return a->out == 1 ? 0 : x * (in - 1) / (out - 1);
    case UC_ASYMMETRIC: return x / a->scale;
    case UC_TF_HALF_PIXEL_FOR_NN: return (x + 0.5F) / a->scale;
    case UC_TF_CROP_AND_RESIZE:
        if (a->out <= 1) return 0.5F * (a->begin + a->end) * (in - 1);
        return a->begin * (in - 1) + x * (a->end - a->begin) * (in - 1) / (out - 1);
    }
    return 0;
}

/* A number as an index within [low, high]; NaN is low. */
static int64_t index_of(float v, int64_t low, int64_t high)
{
    if (!(v > (float)low)) return low;
    return v >= (float)high ? high : (int64_t)v;
}

static float rounded(float x, uc_resize_rounding rounding)
{
    switch (rounding) {
    case UC_ROUND_PREFER_FLOOR: return x == floorf(x) + 0.5F ? floorf(x) : roundf(x);
    case UC_ROUND_PREFER_CEIL: return roundf(x);
    case UC_ROUND_FLOOR: return floorf(x);
    case UC_ROUND_CEIL: return ceilf(x);
    }
    return x;
}

/* Keys' cubic: "Cubic convolution interpolation for digital image processing" (1981). */
static float cubic(float x, float a)
{
    x = fabsf(x);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    return 0;
}

static float triangle(float x)
{
    x = fabsf(x);
    return x < 1 ? 1 - x : 0;
}

/* Adds a weight to input i of output j; outside ones go to the nearest input, or nowhere. */
static void add(const uc_resize_how *how, uc_resize_axis *a, int64_t j, int64_t i, float weight)
{
    bool inside = i >= 0 && i < a->in;
    if (!inside && how->exclude_outside) return;
    i = i < 0 ? 0 : (i < a->in ? i : a->in - 1);
    int64_t k = i - a->first[j];
    if (k < 0 || k >= a->taps) return;
    a->weight[j * a->taps + k] += weight;
    if (k >= a->count[j]) a->count[j] = k + 1;
}

static void divide(uc_resize_axis *a, int64_t j, float total)
{
    for (int64_t k = 0; k < a->count[j]; k++) {
        a->weight[j * a->taps + k] /= total;
    }
}

static float total_of(const uc_resize_axis *a, int64_t j)
{
    float total = 0;
    for (int64_t k = 0; k < a->count[j]; k++) {
        total += a->weight[j * a->taps + k];
    }
    return total;
}

static void set_plain(const uc_resize_how *how, uc_resize_axis *a, int64_t j, float x)
{
    if (how->mode == UC_RESIZE_LINEAR) {
        float most = (float)(a->in - 1), at = x > 0 ? (x < most ? x : most) : 0;
        int64_t low = index_of(at, 0, a->in - 1);
        float rest = at - (float)low;
        a->first[j] = low;
        add(how, a, j, low, low + 1 < a->in ? 1 - rest : 1);
        if (low + 1 < a->in) add(how, a, j, low + 1, rest);
        return;
    }
    float down = floorf(x), rest = x - down;
    int64_t low = index_of(down, -2, a->in + 1) - 1;
    a->first[j] = low < 0 ? 0 : (low < a->in ? low : a->in - 1);
    for (int64_t k = 0; k < 4; k++) {
        add(how, a, j, low + k, cubic(rest + 1 - (float)k, how->cubic_a));
    }
    if (how->exclude_outside) divide(a, j, total_of(a, j));
}

static void set_filtered(const uc_resize_how *how, uc_resize_axis *a, int64_t j, float x,
                         float support, float narrow)
{
    float center = 0.5F + (a->scale == 1 ? (float)j : x);
    int64_t low = index_of(floorf(center - support + 0.5F), -a->taps, a->in);
    int64_t high = index_of(floorf(center + support + 0.5F), -a->taps, a->in + a->taps);
    a->first[j] = low < 0 ? 0 : (low < a->in ? low : a->in - 1);
    for (int64_t i = low; i < high; i++) {
        float v = ((float)i - center + 0.5F) * narrow;
        add(how, a, j, i, how->mode == UC_RESIZE_LINEAR ? triangle(v) : cubic(v, how->cubic_a));
    }
    float total = total_of(a, j);
    if (total != 0) divide(a, j, total);
}

uncork_status uc_resize_table(uc_call *call, const uc_resize_how *how, uc_resize_axis *a)
{
    float wide = a->scale < 1 && how->antialias ? 1 / a->scale : 1;
    float support = (how->mode == UC_RESIZE_LINEAR ? 1.0F : 2.0F) * wide;
    a->taps = how->mode == UC_RESIZE_NEAREST ? 1 : (how->mode == UC_RESIZE_LINEAR ? 2 : 4);
    bool filtered = how->antialias && how->mode != UC_RESIZE_NEAREST;
    if (filtered) a->taps = index_of(2 * ceilf(support) + 1, 1, a->in);
    if (a->taps > a->in) a->taps = a->in;
    size_t weights = 0;
    if (!uc_mul_size((size_t)a->out, (size_t)a->taps, &weights)) {
        return uc_call_fail(call, UNCORK_LIMIT, "too many weights");
    }
    a->first = uc_call_scratch(call, (size_t)a->out, sizeof *a->first);
    a->count = uc_call_scratch(call, (size_t)a->out, sizeof *a->count);
    a->weight = uc_call_scratch(call, weights, sizeof *a->weight);
    a->outside = uc_call_scratch(call, (size_t)a->out, sizeof *a->outside);
    if (!a->first || !a->count || !a->weight || !a->outside) return uc_fail_memory(call->error);
    memset(a->weight, 0, weights * sizeof *a->weight);
    for (int64_t j = 0; j < a->out; j++) {
        float x = coordinate(how, a, j);
        a->count[j] = how->mode == UC_RESIZE_NEAREST;
        a->outside[j] =
            how->coordinates == UC_TF_CROP_AND_RESIZE && !(x >= 0 && x <= (float)(a->in - 1));
        if (how->mode == UC_RESIZE_NEAREST) {
            a->first[j] = index_of(rounded(x, how->rounding), 0, a->in - 1);
        } else if (filtered) {
            set_filtered(how, a, j, x, support, 1 / wide);
        } else {
            set_plain(how, a, j, x);
        }
    }
    return UNCORK_OK;
}
