/* What the rows of the resizes share. */
#ifndef UC_TESTS_VECTORS_RESIZE_H
#define UC_TESTS_VECTORS_RESIZE_H

#include "vectors.h"

#include "image/fit.h"
#include "image/resize.h"

/* The array an operation starts from: the RGB picture as "dtype", "channels" (RGB or G) and "input"
 * (uint8, float32, u8/255) say. */
uncork_status vector_source(const vector *v, uc_pixels *pixels);
/* Which of the names a parameter is; -1: none. */
int vector_name(const vector *v, const char *param, const char *otherwise, const char *const *names,
                size_t count);
/* [height, width] of a parameter. */
uncork_status vector_size_hw(const vector *v, const char *param, uc_size *size);
/* TensorFlow's method names. */
uncork_status vector_tf_filter(const vector *v, const char *param, const char *otherwise,
                               uc_tensorflow_filter *filter);
/* The product's steps (tests/steps.h) over it; numbers go in by %.17g. */
uncork_status vector_steps(const vector *v, uc_pixels *pixels, const char *format, ...)
    UC_PRINTF(3, 4);
/* Channels first. */
uncork_status vector_give_planes(vector *v, const uc_pixels *pixels);

#endif
