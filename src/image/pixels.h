/* Array pictures: what OpenCV, TensorFlow, torchvision's tensors, Keras layers and scikit-image work
 * on (Pillow's own pictures, with their modes, are uc_image). */
#ifndef UC_IMAGE_PIXELS_H
#define UC_IMAGE_PIXELS_H

#include "image/image.h"

/* [height, width, channels], dense, in the order of channels that the library gives (OpenCV: BGR).
 * BOOL, UINT8, UINT16, INT32, FLOAT32 or FLOAT64; what a TIFF holds also in other types. */
typedef struct uc_pixels {
    uncork_dtype dtype;
    int height, width, channels;
    void *data;
} uc_pixels;

/* How many values, and how many bytes. */
size_t uc_pixels_count(const uc_pixels *pixels);
size_t uc_pixels_bytes(const uc_pixels *pixels);

/* An array of zeros; LIMIT beyond UC_LIMIT_IMAGE_PIXELS, INPUT for an empty one. */
uncork_status uc_pixels_new(uncork_dtype dtype, int64_t height, int64_t width, int channels,
                            uc_arena *arena, uc_pixels *pixels, uncork_error *error);

/* The same, not zeroed: for a reader that writes every value. */
uncork_status uc_pixels_new_raw(uncork_dtype dtype, int64_t height, int64_t width, int channels,
                                uc_arena *arena, uc_pixels *pixels, uncork_error *error);

/* numpy.asarray(image): mode 1 is BOOL, P the indices, I;16 is UINT16. A view of the same data where
 * no value changes. */
uncork_status uc_pixels_of_image(const uc_image *image, uc_arena *arena, uc_pixels *pixels,
                                 uncork_error *error);
/* Image.fromarray: UINT8 of 1, 2, 3 or 4 channels (L, LA, RGB, RGBA), BOOL (1), UINT16 (I;16), INT32
 * (I), FLOAT32 of one channel (F); INPUT for what Pillow has no mode for. */
uncork_status uc_pixels_to_image(const uc_pixels *pixels, uc_arena *arena, uc_image *image,
                                 uncork_error *error);

/* Turned by an EXIF orientation (1 to 8; anything else: as it is, the same data). */
uncork_status uc_pixels_upright(const uc_pixels *from, int orientation, uc_arena *arena,
                                uc_pixels *pixels, uncork_error *error);

#endif
