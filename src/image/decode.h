/* File bytes to array pictures as each library decodes them (Pillow's own is uc_image_decode). Where
 * two libraries differ, the difference is a file of the library's name: decode_opencv.c and so on.
 * UNSUPPORTED: the format, or what this library refuses of it; MALFORMED: a broken file. */
#ifndef UC_IMAGE_DECODE_H
#define UC_IMAGE_DECODE_H

#include "image/pixels.h"

/* cv2.imread's flags that decide depth and channels. */
typedef enum uc_opencv_read {
    UC_OPENCV_COLOR,     /* BGR, turned by EXIF */
    UC_OPENCV_GRAYSCALE, /* one channel, turned by EXIF */
    UC_OPENCV_UNCHANGED, /* as stored: alpha and depth kept, not turned */
    UC_OPENCV_ANYDEPTH,  /* grey, depth kept */
    UC_OPENCV_ANYCOLOR,  /* grey or BGR, as the file has it */
    UC_OPENCV_ANYDEPTH_COLOR,
    UC_OPENCV_ANYDEPTH_ANYCOLOR,
    UC_OPENCV_COLOR_RGB, /* RGB */
} uc_opencv_read;

/* cv2.imread(file, flags), where it gives a picture: UINT8, UINT16, or what a TIFF holds (INT16, INT32,
 * FLOAT32, FLOAT64). Refuses what makes imread return None.
 *
 * ignore_orientation  IMREAD_IGNORE_ORIENTATION.
 * reduce              1, 2, 4 or 8: IMREAD_REDUCED_*. */
uncork_status uc_decode_opencv(uc_bytes bytes, uc_opencv_read flags, bool ignore_orientation,
                               int reduce, uc_arena *arena, uc_pixels *pixels, uncork_error *error);

typedef enum uc_tensorflow_op {
    UC_TF_DECODE_IMAGE,
    UC_TF_DECODE_JPEG,
    UC_TF_DECODE_PNG,
    UC_TF_DECODE_BMP,
    UC_TF_DECODE_GIF,
} uc_tensorflow_op;

typedef struct uc_tensorflow_decode {
    uc_tensorflow_op op;
    int channels;          /* 0: as the file has them */
    bool accurate_dct;     /* dct_method='INTEGER_ACCURATE'; the default is the fast one */
    bool plain_upscaling;  /* fancy_upscaling=False */
    int ratio;             /* 1, 2, 4, 8; 0 means 1 */
    bool try_recover;      /* try_recover_truncated */
    uncork_dtype dtype;    /* UINT8, UINT16 or FLOAT32; NONE means UINT8 */
    bool first_frame_only; /* expand_animations=False */
} uc_tensorflow_decode;

/* tf.io.decode_*: *frames is how many pictures lie one behind the other in `pixels` (its height is
 * one frame's): 1 for everything but animations. */
uncork_status uc_decode_tensorflow(uc_bytes bytes, const uc_tensorflow_decode *options,
                                   uc_arena *arena, uc_pixels *pixels, int *frames,
                                   uncork_error *error);

/* torchvision.io.decode_image(mode): channels 0 (UNCHANGED), 1 (GRAY), 2 (GRAY_ALPHA), 3 (RGB) or 4
 * (RGB_ALPHA), or those the format gives whatever was asked; not turned. *frames as above (GIF). Rows x
 * columns x channels, where torchvision gives channels first. */
uncork_status uc_decode_torchvision(uc_bytes bytes, int channels, uc_arena *arena,
                                    uc_pixels *pixels, int *frames, uncork_error *error);

/* skimage.io.imread and imageio.v3.imread through Pillow (a TIFF goes through tifffile there), the first
 * frame of animations; and matplotlib.image.imread. */
uncork_status uc_decode_skimage(uc_bytes bytes, uc_arena *arena, uc_pixels *pixels,
                                uncork_error *error);
uncork_status uc_decode_matplotlib(uc_bytes bytes, uc_arena *arena, uc_pixels *pixels,
                                   uncork_error *error);

/* Image.draft(mode, size) in front of load: a JPEG decoded at the smallest of 1, 1/2, 1/4 and 1/8 of its
 * size that isn't smaller than width x height, of colour ones only the Y plane where to_grey ('L').
 * Other formats are read whole. */
uncork_status uc_decode_pillow_draft(uc_bytes bytes, bool to_grey, int width, int height,
                                     uc_arena *arena, uc_image *image, uncork_error *error);

#endif
