/* Resizes of array pictures in each library's own arithmetic, one file a library (Pillow's is
 * uc_resize_pillow in image.h). Sizes are width, height. INPUT: what the library itself refuses. */
#ifndef UC_IMAGE_RESIZE_H
#define UC_IMAGE_RESIZE_H

#include "image/pixels.h"

typedef enum uc_opencv_filter {
    UC_OPENCV_NEAREST,
    UC_OPENCV_LINEAR,
    UC_OPENCV_CUBIC,
    UC_OPENCV_AREA,
    UC_OPENCV_LANCZOS4,
    UC_OPENCV_LINEAR_EXACT,
    UC_OPENCV_NEAREST_EXACT,
    UC_OPENCV_NEAREST_EXACT_4, /* as OpenCV 4 had it; 5 goes with Pillow's nearest */
} uc_opencv_filter;

/* cv2.resize(picture, (width, height), interpolation) without IPP; UINT8, UINT16, FLOAT32 or
 * FLOAT64. */
uncork_status uc_resize_opencv(const uc_pixels *from, int width, int height,
                               uc_opencv_filter filter, uc_arena *arena, uc_pixels *pixels,
                               uncork_error *error);

typedef enum uc_tensorflow_filter {
    UC_TF_NEAREST,
    UC_TF_BILINEAR,
    UC_TF_BICUBIC,
    UC_TF_AREA,
    UC_TF_LANCZOS3,
    UC_TF_LANCZOS5,
    UC_TF_GAUSSIAN,
    UC_TF_MITCHELL,
} uc_tensorflow_filter;

/* tf.image.resize (v2) by default; the flags give the raw operators and v1.
 *
 * antialias     tf.image.resize(antialias=True).
 * legacy        v1: no half-pixel centres, align_corners as told.
 * same_is_copy  tf.compat.v1.image.resize: a picture that has the size already is left as it is, its
 *               dtype too. */
typedef struct uc_tensorflow_resize {
    uc_tensorflow_filter filter;
    bool antialias;
    bool legacy, align_corners, same_is_copy;
} uc_tensorflow_resize;

/* Any dtype; NEAREST keeps it, every other result is FLOAT32. */
uncork_status uc_resize_tensorflow(const uc_pixels *from, int width, int height,
                                   const uc_tensorflow_resize *options, uc_arena *arena,
                                   uc_pixels *pixels, uncork_error *error);

/* The BILINEAR one over planes [count, height, width]; sizes are {height, width}, all above 0.
 * to  [count, size[0], size[1]];  arena  room for tables */
uncork_status uc_resize_tensorflow_planes(const float *from, int64_t count, const int from_size[2],
                                          const int size[2], const uc_tensorflow_resize *options,
                                          uncork_pool *pool, uc_arena *arena, float *to,
                                          uncork_error *error);

typedef enum uc_torchvision_filter {
    UC_TORCHVISION_NEAREST,
    UC_TORCHVISION_NEAREST_EXACT,
    UC_TORCHVISION_BILINEAR,
    UC_TORCHVISION_BICUBIC,
    UC_TORCHVISION_LANCZOS, /* with antialias only */
} uc_torchvision_filter;

/* torchvision's resize of a tensor (a PIL picture goes through uc_resize_pillow): UINT8 or FLOAT32.
 * PyTorch's own result in float32 depends on the machine in the last bits: this is that of AVX2 and
 * AVX-512 machines, bit for bit but for Lanczos of FLOAT32 and for results one pixel wide.
 *
 * version  1: transforms (UINT8 through float32); 2: transforms.v2 (UINT8 by integer weights). */
uncork_status uc_resize_torchvision(const uc_pixels *from, int width, int height,
                                    uc_torchvision_filter filter, bool antialias, int version,
                                    uc_arena *arena, uc_pixels *pixels, uncork_error *error);

/* skimage.transform.resize(picture, (height, width), order, anti_aliasing, preserve_range): FLOAT64,
 * FLOAT32 for a FLOAT32 picture, BOOL for BOOL. Mode 'reflect', the default.
 *
 * order  0, 1 or 3; below 0: the default, 0 for BOOL and 1 otherwise. */
uncork_status uc_resize_skimage(const uc_pixels *from, int width, int height, int order,
                                bool anti_aliasing, bool preserve_range, uc_arena *arena,
                                uc_pixels *pixels, uncork_error *error);

#endif
