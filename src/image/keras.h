/* Keras' picture loading and preprocessing layers. Sizes are width, height. */
#ifndef UC_IMAGE_KERAS_H
#define UC_IMAGE_KERAS_H

#include "image/fit.h"
#include "image/resize.h"

/* utils.load_img(color_mode, target_size, interpolation, keep_aspect_ratio) of a decoded picture.
 *
 * mode  RGB, RGBA, or L for 'grayscale', which leaves I;16 and I as they are.
 * size  NULL: none. */
uncork_status uc_load_img_keras(const uc_image *from, uc_image_mode mode, const uc_size *size,
                                uc_pillow_filter filter, bool keep_aspect_ratio, int version,
                                uc_arena *arena, uc_image *image, uncork_error *error);

typedef enum uc_keras_aspect { UC_KERAS_STRETCH, UC_KERAS_CROP, UC_KERAS_PAD } uc_keras_aspect;

/* layers.Resizing, and ops.image.resize behind image_dataset_from_directory: UINT8 stays UINT8
 * (rounded), FLOAT32 stays.
 *
 * fill  of UC_KERAS_PAD. */
uncork_status uc_resizing_keras(const uc_pixels *from, uc_size size, uc_tensorflow_filter filter,
                                bool antialias, uc_keras_aspect aspect, double fill,
                                uc_arena *arena, uc_pixels *pixels, uncork_error *error);
/* utils.image_dataset_from_directory: of a picture decoded as TensorFlow does. As with
 * tf.image.resize, NEAREST keeps the dtype. */
uncork_status uc_dataset_keras(const uc_pixels *from, uc_size size, uc_tensorflow_filter filter,
                               uc_keras_aspect aspect, uc_arena *arena, uc_pixels *pixels,
                               uncork_error *error);
/* utils.smart_resize(picture, size, interpolation). */
uncork_status uc_smart_resize_keras(const uc_pixels *from, uc_size size,
                                    uc_tensorflow_filter filter, uc_arena *arena, uc_pixels *pixels,
                                    uncork_error *error);
/* layers.CenterCrop: smart_resize where the picture is smaller. */
uncork_status uc_center_crop_keras(const uc_pixels *from, uc_size size, uc_arena *arena,
                                   uc_pixels *pixels, uncork_error *error);

#endif
