/* What the files of TensorFlow's resize share. */
#ifndef UC_IMAGE_RESIZE_TENSORFLOW_PARTS_H
#define UC_IMAGE_RESIZE_TENSORFLOW_PARTS_H

#include "image/resize.h"

/* Where outputs of an axis lie in the input. */
typedef struct uc_places {
    int in, out;
    float scale;
    bool half_pixel;
} uc_places;

uc_places uc_tensorflow_places(int in, int out, const uc_tensorflow_resize *options);
static inline float place_at(const uc_places *p, int i)
{
    return p->half_pixel ? ((float)i + 0.5f) * p->scale - 0.5f : (float)i * p->scale;
}

typedef struct uc_between {
    int lower, upper; /* places in a row (times the step), or rows */
    float fraction;
} uc_between;

/* Of each output of an axis, [p->out]; NULL when memory is out. */
uc_between *uc_tensorflow_between(const uc_places *p, int step, uc_arena *arena);

/* The operator ScaleAndTranslate as tf.image.resize calls it. `from` is FLOAT32, `to` is made. */
uncork_status uc_tensorflow_spans(const uc_pixels *from, int width, int height,
                                  uc_tensorflow_filter filter, bool antialias, uc_arena *arena,
                                  uc_pixels *to, uncork_error *error);

#endif
