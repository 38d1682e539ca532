/* What the files of TensorFlow's resize share. */
#ifndef UC_IMAGE_RESIZE_TENSORFLOW_PARTS_H
#define UC_IMAGE_RESIZE_TENSORFLOW_PARTS_H

#include "image/resize.h"

/* The operator ScaleAndTranslate as tf.image.resize calls it. `from` is FLOAT32, `to` is made. */
uncork_status uc_tensorflow_spans(const uc_pixels *from, int width, int height,
                                  uc_tensorflow_filter filter, bool antialias, uc_arena *arena,
                                  uc_pixels *to, uncork_error *error);

#endif
