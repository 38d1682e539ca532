/* What the files of OpenCV's resize share. */
#ifndef UC_IMAGE_RESIZE_OPENCV_PARTS_H
#define UC_IMAGE_RESIZE_OPENCV_PARTS_H

#include "image/resize.h"

#include <math.h>

/* One axis: inverse is N/n, or the factor that was given; scale is 1/inverse. */
typedef struct uc_opencv_axis {
    int in, out;
    double inverse, scale;
} uc_opencv_axis;

static inline uc_opencv_axis uc_opencv_axis_of(int in, int out, double inverse)
{
    if (!(inverse > 0)) inverse = (double)out / in;
    return (uc_opencv_axis){in, out, inverse, 1.0 / inverse};
}

/* Whether a scale is whole, as OpenCV asks it. */
static inline bool uc_opencv_whole(double scale)
{
    return scale < 2147483647.0 && fabs(scale - rint(scale)) < 2.220446049250313e-16;
}

/* Half to even, for |v| below 2^22; what a vectoriser can turn into vectors. */
static inline int uc_round_even(float v) { return (int)((v + 12582912.0f) - 12582912.0f); }

static inline uint8_t uc_saturate_u8(float v)
{
    return (uint8_t)uc_round_even(v < 0.0f ? 0.0f : v > 255.0f ? 255.0f : v);
}

static inline uint16_t uc_saturate_u16(float v)
{
    return (uint16_t)uc_round_even(v < 0.0f ? 0.0f : v > 65535.0f ? 65535.0f : v);
}

/* INTER_AREA where both axes shrink. `to` is made. */
uncork_status uc_opencv_area(const uc_pixels *from, uc_opencv_axis x, uc_opencv_axis y,
                             uc_arena *arena, uc_pixels *to, uncork_error *error);
uncork_status uc_opencv_linear_exact(const uc_pixels *from, uc_opencv_axis x, uc_opencv_axis y,
                                     uc_arena *arena, uc_pixels *to, uncork_error *error);
/* cv2.resize(picture, None, fx=factor, fy=factor): the size is rounded, half to even. */
uncork_status uc_resize_opencv_by(const uc_pixels *from, double factor, uc_opencv_filter filter,
                                  uc_arena *arena, uc_pixels *pixels, uncork_error *error);

#endif
