/* GIF through giflib, frame by frame, as the file has them: what becomes of them on a canvas is each
 * library's own (uc_gif_decode is Pillow's first frame). */
#ifndef UC_IMAGE_GIF_H
#define UC_IMAGE_GIF_H

#include "image/pixels.h"

typedef struct uc_gif_frame {
    int left, top, width, height;
    const uint8_t *indices; /* [height, width], lines in their order */
    const uint8_t
        *palette; /* [palette_count, 3]: the frame's own or the file's; NULL without one */
    int palette_count;
    bool own_palette;
    int transparent; /* index, -1: none */
    int disposal;
} uc_gif_frame;

typedef struct uc_gif {
    int width, height, background;
    const uint8_t *palette; /* the file's; NULL without one */
    int palette_count;
    uc_gif_frame *frames;
    size_t count;
    bool cut; /* lenient: the file breaks behind the last frame given */
} uc_gif;

typedef enum uc_gif_end {
    UC_GIF_END_REFUSED,
    UC_GIF_END_SLURPED, /* refused, by the block rules of giflib's DGifSlurp */
    UC_GIF_END_KEPT,    /* the frames in front of where the file breaks, if there are any */
    UC_GIF_END_ZEROS,   /* zeros behind the end: a file that lacks only its last blocks opens */
} uc_gif_end;

/* At most `frames` of them, whose pixels live in the arena. */
uncork_status uc_gif_read(uc_bytes bytes, size_t frames, uc_gif_end end, uc_arena *arena,
                          uc_gif *gif, uncork_error *error);

#endif
