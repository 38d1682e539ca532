/* Pillow's ImageOps and Image methods that models' own code is written with. */
#ifndef UC_IMAGE_IMAGEOPS_H
#define UC_IMAGE_IMAGEOPS_H

#include "image/fit.h"

/* Image.thumbnail(size, filter, reducing_gap) of a decoded picture: as it is when it is smaller. */
uncork_status uc_thumbnail_pillow(const uc_image *from, double width, double height,
                                  uc_pillow_filter filter, double reducing_gap, int version,
                                  uc_arena *arena, uc_image *image, uncork_error *error);
/* Image.reduce((fx, fy), box); box NULL: the whole picture. */
uncork_status uc_reduce_pillow(const uc_image *from, int fx, int fy, const int *box,
                               uc_arena *arena, uc_image *image, uncork_error *error);

/* ImageOps.contain, cover, pad, fit: centering is 0.5, 0.5 by default; color is a value a channel. */
uncork_status uc_contain_pillow(const uc_image *from, uc_size to, uc_pillow_filter filter,
                                int version, uc_arena *arena, uc_image *image, uncork_error *error);
uncork_status uc_cover_pillow(const uc_image *from, uc_size to, uc_pillow_filter filter,
                              int version, uc_arena *arena, uc_image *image, uncork_error *error);
uncork_status uc_pad_pillow(const uc_image *from, uc_size to, uc_pillow_filter filter,
                            const double *color, const double centering[2], int version,
                            uc_arena *arena, uc_image *image, uncork_error *error);
uncork_status uc_fit_pillow(const uc_image *from, uc_size to, uc_pillow_filter filter, double bleed,
                            const double centering[2], int version, uc_arena *arena,
                            uc_image *image, uncork_error *error);
/* Image.crop, then pasted on `fill`: uc_pixels_window for a Pillow picture, its mode kept. */
uncork_status uc_window_pillow(const uc_image *from, int left, int top, uc_size size,
                               const double *fill, uc_arena *arena, uc_image *image,
                               uncork_error *error);

#endif
