/* Inverse and CropAndResize.
 *
 * Source: onnxruntime/core/graph/contrib_ops/contrib_defs.cc, contrib_ops/cpu/crop_and_resize.cc,
 * contrib_ops/cpu/inverse.cc.
 * Inverse        X [..., n, n] float, by elimination in float64; a singular matrix is refused
 * CropAndResize  X [N, C, H, W], rois [R, 4] as fractions y1, x1, y2, x2, batch_indices int32 [R],
 *                crop_size int32 [2];  Y [R, C, height, width]; corners meet corners */
#include "kernel/linalg.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer_inverse(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_call_expect_wide(call, 0));
    bool fits = x->rank < 0 || x->rank >= 2;
    if (fits && x->rank >= 2) {
        int64_t m = x->shape[x->rank - 2], n = x->shape[x->rank - 1];
        fits = m < 0 || n < 0 || m == n;
    }
    if (!fits) return uc_call_fail(call, UNCORK_INPUT, "X holds no square matrices");
    return uc_call_shape_like(call, 0, 0, x->dtype);
}

static uncork_status run_inverse(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    int64_t n = x->shape[x->rank - 1], count = uc_tensor_count(x);
    double *lu = uc_call_scratch(call, (size_t)(n * n), sizeof *lu);
    double *out = uc_call_scratch(call, (size_t)count, sizeof *out);
    double *column = uc_call_scratch(call, (size_t)n, sizeof *column);
    int64_t *pivot = uc_call_scratch(call, (size_t)n, sizeof *pivot);
    if (!lu || !out || !column || !pivot) return uc_fail_memory(call->error);
    for (int64_t at = 0; at < count; at += n * n) {
        for (int64_t i = 0; i < n * n; i++) {
            lu[i] = uc_dtype_load_f64(x->data, at + i, x->dtype);
        }
        if (uc_lu(lu, n, pivot) == 0) {
            return uc_call_fail(call, UNCORK_INPUT, "matrix %" PRId64 " is singular", at / (n * n));
        }
        for (int64_t j = 0; j < n; j++) {
            memset(column, 0, (size_t)n * sizeof *column);
            column[j] = 1;
            uc_lu_solve(lu, pivot, n, column);
            for (int64_t i = 0; i < n; i++) {
                out[at + i * n + j] = column[i];
            }
        }
    }
    uc_dtype_convert(y->data, y->dtype, out, UNCORK_FLOAT64, count);
    return UNCORK_OK;
}

static uint64_t macs_inverse(const uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uint64_t n = 0;
    if (!uc_dims_known(x->shape, x->rank) || x->rank < 2) return 0;
    return __builtin_mul_overflow((uint64_t)uc_tensor_count(x), 2 * (uint64_t)x->shape[x->rank - 1],
                                  &n)
               ? UINT64_MAX
               : n;
}

const uc_op uc_op_ms_inverse = {.domain = "com.microsoft",
                                .name = "Inverse",
                                .in = {1, 1},
                                .out = {1, 1},
                                .infer = infer_inverse,
                                .run = run_inverse,
                                .macs = macs_inverse};

/* ---- CropAndResize ------------------------------------------------------------------------ */

static uncork_status infer_crop(uc_call *call)
{
    static const int ranks[] = {4, 2, 1, 1};
    const uc_tensor *x = uc_call_arg(call, 0), *rois = uc_call_arg(call, 1);
    uc_str mode = uc_call_str(call, "mode", "bilinear");
    int64_t shape[4] = {-1, -1, -1, -1}, size[UNCORK_MAX_RANK];
    size_t count = 0;
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    UC_TRY(uc_call_expect(call, 2, UC_TYPES_INDEX));
    UC_TRY(uc_call_expect(call, 3, UC_TYPES_INDEX));
    if (!uc_str_is(mode, "bilinear") && !uc_str_is(mode, "nearest")) {
        return uc_call_fail(call, UNCORK_MALFORMED, "mode '%.*s' isn't bilinear or nearest",
                            mode.size < 40 ? (int)mode.size : 40, mode.data);
    }
    for (size_t i = 0; i < 4; i++) {
        int rank = uc_call_arg(call, i)->rank;
        if (rank < 0 || rank == ranks[i]) continue;
        return uc_call_fail(call, UNCORK_INPUT, "input %zu has %d dimensions, %d are wanted", i,
                            rank, ranks[i]);
    }
    const uc_tensor *which = uc_call_arg(call, 2);
    bool fits = rois->rank < 0 || ((rois->shape[1] == 4 || rois->shape[1] < 0) &&
                                   (which->rank < 0 || which->shape[0] < 0 || rois->shape[0] < 0 ||
                                    which->shape[0] == rois->shape[0]));
    if (!fits) return uc_call_fail(call, UNCORK_INPUT, "rois aren't [n, 4] with n batch_indices");
    if (rois->rank == 2) shape[0] = rois->shape[0];
    if (x->rank == 4) shape[1] = x->shape[1];
    if (uc_call_known(call, 3)) {
        UC_TRY(uc_call_small_ints(call, 3, size, &count));
        if (count != 2 || size[0] < 1 || size[1] < 1) {
            return uc_call_fail(call, UNCORK_INPUT, "crop_size isn't two positive numbers");
        }
        shape[2] = size[0];
        shape[3] = size[1];
    }
    return uc_call_shape(call, 0, x->dtype, 4, shape);
}

/* Where output `i` of `n` over [low, high] of a side of `size` lies. */
static float place(float low, float high, int64_t size, int64_t i, int64_t n)
{
    float span = (float)(size - 1);
    if (n == 1) return 0.5f * (low + high) * span;
    return low * span + (float)i * ((high - low) * span / (float)(n - 1));
}

static float sample(const float *plane, int64_t h, int64_t w, float y, float x, bool bilinear)
{
    if (!bilinear) return plane[(int64_t)roundf(y) * w + (int64_t)roundf(x)];
    int64_t top = (int64_t)floorf(y), left = (int64_t)floorf(x);
    int64_t bottom = (int64_t)ceilf(y), right = (int64_t)ceilf(x);
    float dy = y - (float)top, dx = x - (float)left;
    (void)h;
    float up = plane[top * w + left] + (plane[top * w + right] - plane[top * w + left]) * dx;
    float down =
        plane[bottom * w + left] + (plane[bottom * w + right] - plane[bottom * w + left]) * dx;
    return up + (down - up) * dy;
}

static uncork_status wide_crop(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *rois = uc_call_arg(call, 1);
    const uc_tensor *which = uc_call_arg(call, 2);
    bool bilinear = uc_str_is(uc_call_str(call, "mode", "bilinear"), "bilinear");
    float outside = (float)uc_call_float(call, "extrapolation_value", 0);
    int64_t size[UNCORK_MAX_RANK], h = x->shape[2], w = x->shape[3], channels = x->shape[1];
    size_t count = 0;
    UC_TRY(uc_call_small_ints(call, 3, size, &count));
    if (count != 2 || size[0] < 1 || size[1] < 1 || x->dtype != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "crop_size isn't two positive numbers, or X no float32");
    }
    const int64_t shape[] = {rois->shape[0], channels, size[0], size[1]};
    uc_tensor *out = NULL;
    UC_TRY(uc_call_output(call, 0, x->dtype, 4, shape, &out));
    float *y = out->data;
    for (int64_t r = 0; r < rois->shape[0]; r++) {
        const float *roi = (const float *)rois->data + 4 * r;
        int64_t image = uc_dtype_load_i64(which->data, r, which->dtype);
        if (image < 0 || image >= x->shape[0]) {
            return uc_call_fail(call, UNCORK_INPUT, "image %" PRId64 " of %" PRId64, image,
                                x->shape[0]);
        }
        for (int64_t i = 0; i < channels * size[0] * size[1]; i++) {
            int64_t row = i / size[1] % size[0], channel = i / size[1] / size[0];
            float at_y = place(roi[0], roi[2], h, row, size[0]);
            float at_x = place(roi[1], roi[3], w, i % size[1], size[1]);
            bool inside =
                at_y >= 0 && at_y <= (float)(h - 1) && at_x >= 0 && at_x <= (float)(w - 1);
            const float *plane = (const float *)x->data + (image * channels + channel) * h * w;
            *y++ = inside ? sample(plane, h, w, at_y, at_x, bilinear) : outside;
        }
    }
    return UNCORK_OK;
}

static uncork_status run_crop(uc_call *call) { return uc_widened(call, wide_crop); }

const uc_op uc_op_ms_crop_and_resize = {.domain = "com.microsoft",
                                        .name = "CropAndResize",
                                        .in = {4, 4},
                                        .out = {1, 1},
                                        .infer = infer_crop,
                                        .run = run_crop};
