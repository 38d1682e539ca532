/* WebP through libwebp, for the readers that stand on it (uc_webp_decode is Pillow's). */
#ifndef UC_IMAGE_WEBP_H
#define UC_IMAGE_WEBP_H

#include "image/pixels.h"

typedef struct uc_webp_header {
    int width, height, frames;
    bool alpha, animated;
} uc_webp_header;

uncork_status uc_webp_header_read(uc_bytes bytes, uc_webp_header *header, uncork_error *error);
/* The first `frames` frames, each drawn over those in front of it where the file is animated, one
 * behind the other into pixels made for them: RGB or RGBA (an animation's are RGBA). */
uncork_status uc_webp_read(uc_bytes bytes, const uc_webp_header *header, int frames,
                           uc_arena *arena, const uc_pixels *pixels, uncork_error *error);

#endif
