/* Ultralytics' LetterBox: resize to fit, then pad with grey, and what maps boxes back. */
#ifndef UC_IMAGE_LETTERBOX_H
#define UC_IMAGE_LETTERBOX_H

#include "image/fit.h"
#include "image/resize.h"

/* LetterBox(new_shape, auto, scale_fill, scaleup, center, stride, padding_value, interpolation). */
typedef struct uc_letterbox_options {
    int width, height;
    bool minimum_rectangle; /* auto: pad only to a multiple of stride */
    bool scale_fill;        /* stretch, no padding */
    bool no_scale_up;       /* scaleup=False */
    bool corner;            /* center=False: the picture lies top left */
    int stride;             /* 0 means 32 */
    int padding;            /* 114 in Ultralytics */
    uc_opencv_filter filter;
} uc_letterbox_options;

/* Where the picture lies in the box: x_box = x * scale_x + left, where the resize was done as drawn. */
typedef struct uc_letterbox {
    uc_size from, inner, to;
    int left, top;
    double scale_x, scale_y; /* the ratio Ultralytics computes with, not inner / from */
} uc_letterbox;

/* The geometry alone. */
uc_letterbox uc_letterbox_plan(uc_size from, const uc_letterbox_options *options);
uncork_status uc_letterbox_apply(const uc_pixels *from, const uc_letterbox_options *options,
                                 uc_arena *arena, uc_pixels *pixels, uc_letterbox *record,
                                 uncork_error *error);

#endif
