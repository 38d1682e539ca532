/* What changes the numbers of a picture as a whole: TensorFlow's dtypes and standardization, each
 * library's grey of an array, the order of channels, cv2.dnn's blob. Pictures are rows x columns x
 * channels; uc_pixels_planes gives channels first. */
#ifndef UC_IMAGE_SCALE_H
#define UC_IMAGE_SCALE_H

#include "image/fit.h"
#include "image/resize.h"

/* tf.image.convert_image_dtype(saturate=False): UINT8, UINT16 and FLOAT32 both ways. */
uncork_status uc_convert_dtype_tensorflow(const uc_pixels *from, uncork_dtype dtype,
                                          uc_arena *arena, uc_pixels *pixels, uncork_error *error);

/* tf.image.per_image_standardization of FLOAT32, in place (within 2e-6: the order of TensorFlow's sums is its own). */
void uc_standardize_tensorflow(uc_pixels *pixels);

/* RGB (or BGR where said) to one channel. */
typedef enum uc_grey_rule {
    UC_GREY_OPENCV_RGB, /* cvtColor RGB2GRAY: UINT8, UINT16, FLOAT32 */
    UC_GREY_OPENCV_BGR,
    UC_GREY_TENSORFLOW,  /* tf.image.rgb_to_grayscale: UINT8, UINT16, FLOAT32 */
    UC_GREY_TORCHVISION, /* rgb_to_grayscale of a tensor: UINT8, FLOAT32 */
    UC_GREY_SKIMAGE,     /* color.rgb2gray: FLOAT64 of UINT8 and FLOAT64, FLOAT32 of FLOAT32 */
} uc_grey_rule;

uncork_status uc_grey(const uc_pixels *from, uc_grey_rule rule, uc_arena *arena, uc_pixels *pixels,
                      uncork_error *error);

/* Channels in the opposite order (RGB and BGR; a fourth stays last), in place. */
void uc_swap_channels(uc_pixels *pixels);
/* [channels, height, width] of a picture, same dtype: `pixels` keeps the picture's fields. */
uncork_status uc_pixels_planes(const uc_pixels *from, uc_arena *arena, void **planes,
                               uncork_error *error);

/* cv2.dnn.blobFromImage(picture, scalefactor, size, mean, swapRB, crop): FLOAT32, channels first,
 * [1, channels, height, width]; `blob` holds them as a picture of height x width x channels would. */
typedef struct uc_blob_options {
    double scale; /* 0 means 1 */
    uc_size size; /* 0, 0: the picture's own */
    double mean[4];
    bool swap_rb, crop;
} uc_blob_options;

uncork_status uc_blob_opencv(const uc_pixels *from, const uc_blob_options *options, uc_arena *arena,
                             uc_pixels *blob, uncork_error *error);

#endif
