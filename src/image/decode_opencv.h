/* Between the files of OpenCV's readers: what is asked, and one reader a format. All give BGR. */
#ifndef UC_IMAGE_DECODE_OPENCV_H
#define UC_IMAGE_DECODE_OPENCV_H

#include "image/decode.h"

/* What imread makes of a file's own depth and channels. */
typedef struct uc_opencv_type {
    uncork_dtype dtype;
    int channels;
} uc_opencv_type;

uc_opencv_type uc_opencv_asked(uc_opencv_read flags, uncork_dtype dtype, int channels);

/* Grey of B, G, R in the 14 bits of imgcodecs' utils.cpp. */
static inline unsigned uc_opencv_grey14(unsigned b, unsigned g, unsigned r)
{
    return (b * 1868 + g * 9617 + r * 4899 + (1u << 13)) >> 14;
}

/* The grey of cv2.cvtColor for 8 bits. */
static inline unsigned uc_opencv_grey15(unsigned b, unsigned g, unsigned r)
{
    return (b * 3735 + g * 19235 + r * 9798 + (1u << 14)) >> 15;
}

uncork_status uc_opencv_bmp(uc_bytes bytes, uc_opencv_read flags, uc_arena *arena,
                            uc_pixels *pixels, uncork_error *error);
uncork_status uc_opencv_pnm(uc_bytes bytes, uc_opencv_read flags, uc_arena *arena,
                            uc_pixels *pixels, uncork_error *error);
/* With a file only where the build has the format's library. */
uncork_status uc_opencv_tiff(uc_bytes bytes, uc_opencv_read flags, uc_arena *arena,
                             uc_pixels *pixels, uncork_error *error);

#endif
