/* What the files of scikit-image's resize share. */
#ifndef UC_IMAGE_RESIZE_SKIMAGE_PARTS_H
#define UC_IMAGE_RESIZE_SKIMAGE_PARTS_H

#include "image/resize.h"

/* Rows of a picture as doubles, [height, width, channels]. */
typedef struct uc_skimage_plane {
    double *data;
    int height, width, channels;
    bool single; /* stands for float32 values */
} uc_skimage_plane;

/* Which rows and columns of the picture are wanted, and how far each is smoothed along. */
typedef struct uc_skimage_need {
    const int *rows; /* rising */
    int row_count;
    const bool *columns; /* [width]; NULL: all */
    double sigma_down, sigma_across;
    bool preserve_range;
} uc_skimage_need;

/* Whole positions mirrored about the centres of the first and the last pixel. */
int uc_skimage_mirrored(int64_t i, int n);
/* A value of the picture, by 1/255 or 1/65535 where the range isn't preserved. */
double uc_skimage_factor(const uc_pixels *from, bool preserve_range);
/* The rows wanted, smoothed; columns that aren't wanted hold anything. */
uncork_status uc_skimage_smoothed(const uc_pixels *from, const uc_skimage_need *need,
                                  uc_arena *arena, uc_skimage_plane *plane, uncork_error *error);
/* Coefficients of the B-spline of order 2 to 5 through the plane, in place; along all three axes. */
uncork_status uc_skimage_prefilter(uc_skimage_plane *plane, int order, uc_arena *arena,
                                   uncork_error *error);

#endif
