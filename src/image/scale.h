/* From the numbers of a picture to the numbers a model takes, in each library's own order and
 * precision of operations, and each library's grey of an array. Pictures are rows x columns x
 * channels; uc_pixels_planes gives channels first. */
#ifndef UC_IMAGE_SCALE_H
#define UC_IMAGE_SCALE_H

#include "image/fit.h"
#include "image/resize.h"

/* What becomes of an integer picture on its way to FLOAT32. */
typedef enum uc_scale_rule {
    UC_SCALE_CAST,     /* f32(x) */
    UC_SCALE_DIVIDE,   /* f32(x) / max: torchvision v1 ToTensor, timm, matplotlib's PNG */
    UC_SCALE_MULTIPLY, /* f32(x) * f32(1/max): tf convert_image_dtype, torchvision v2 to_dtype */
    UC_SCALE_TRANSFORMERS_PIL, /* f32(double(x) * factor): transformers' rescale of NumPy arrays */
} uc_scale_rule;

/* To FLOAT32; max is 255 or 65535 by the dtype; a FLOAT32 picture is left as it is. `factor` is
 * TRANSFORMERS_PIL's rescale_factor (0 means 1/255). */
uncork_status uc_scale_float(const uc_pixels *from, uc_scale_rule rule, double factor,
                             uc_arena *arena, uc_pixels *pixels, uncork_error *error);
/* tf.image.convert_image_dtype(saturate=False): UINT8, UINT16 and FLOAT32 both ways. */
uncork_status uc_convert_dtype_tensorflow(const uc_pixels *from, uncork_dtype dtype,
                                          uc_arena *arena, uc_pixels *pixels, uncork_error *error);

/* These work in place on FLOAT32; mean and std hold a value a channel. */

/* torchvision Normalize, timm, transformers' Pil processors: (x - f32(mean)) / f32(std). */
void uc_normalize_torchvision(uc_pixels *pixels, const double *mean, const double *std);
/* transformers' torchvision backend on values 0 to 255, rescale and normalise fused; the flags are
 * do_rescale and do_normalize. */
void uc_normalize_transformers(uc_pixels *pixels, bool rescale, double factor, bool normalize,
                               const double *mean, const double *std);
/* Keras layers.Normalization(mean, variance) and layers.Rescaling(scale, offset). */
void uc_normalize_keras(uc_pixels *pixels, const double *mean, const double *variance);
void uc_rescale_keras(uc_pixels *pixels, const double *scale, const double *offset);
/* tf.image.per_image_standardization (within 2e-6: the order of TensorFlow's sums is its own). */
void uc_standardize_tensorflow(uc_pixels *pixels);

typedef enum uc_keras_mode {
    UC_KERAS_TF,    /* x / 127.5 - 1 */
    UC_KERAS_TORCH, /* x / 255, then mean and std of ImageNet */
    UC_KERAS_CAFFE, /* BGR, mean taken off */
} uc_keras_mode;

/* keras imagenet_utils.preprocess_input: FLOAT32 in place. */
void uc_preprocess_keras(uc_pixels *pixels, uc_keras_mode mode);
/* The same of a tf.Tensor of integers in caffe mode: computed in UINT8, so it wraps. */
void uc_preprocess_keras_wrapped(uc_pixels *pixels);

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
