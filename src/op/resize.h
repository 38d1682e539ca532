/* Where each output of a resized axis comes from: a run of inputs and their weights. Used by Resize and
 * Upsample; any separable resampling can be put this way. */
#ifndef UC_OP_RESIZE_H
#define UC_OP_RESIZE_H

#include "op/op.h"

typedef enum uc_resize_mode { UC_RESIZE_NEAREST, UC_RESIZE_LINEAR, UC_RESIZE_CUBIC } uc_resize_mode;

typedef enum uc_resize_coordinates {
    UC_HALF_PIXEL,
    UC_HALF_PIXEL_SYMMETRIC,
    UC_PYTORCH_HALF_PIXEL,
    UC_ALIGN_CORNERS,
    UC_ASYMMETRIC,
    UC_TF_HALF_PIXEL_FOR_NN,
    UC_TF_CROP_AND_RESIZE,
} uc_resize_coordinates;

typedef enum uc_resize_rounding {
    UC_ROUND_PREFER_FLOOR,
    UC_ROUND_PREFER_CEIL,
    UC_ROUND_FLOOR,
    UC_ROUND_CEIL,
} uc_resize_rounding;

/* How, for all axes. */
typedef struct uc_resize_how {
    uc_resize_mode mode;
    uc_resize_coordinates coordinates;
    uc_resize_rounding rounding;
    bool antialias, exclude_outside;
    float cubic_a;
} uc_resize_how;

/* One axis: output j is the sum of weight[j * taps + k] * input[first[j] + k], k < count[j]. */
typedef struct uc_resize_axis {
    int64_t in, out;
    float scale;
    float begin, end; /* of the region, TF_CROP_AND_RESIZE alone */
    int64_t taps;     /* most of a sum */
    int64_t *first, *count;
    float *weight;
    bool *outside; /* beyond the input: the extrapolation value (TF_CROP_AND_RESIZE) */
} uc_resize_axis;

/* Fills the table of an axis whose sizes, scale and region are set; from the call's scratch. */
uncork_status uc_resize_table(uc_call *call, const uc_resize_how *how, uc_resize_axis *a);

#endif
