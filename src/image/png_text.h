/* What Pillow looks at in a PNG beside its pixels. */
#ifndef UC_IMAGE_PNG_TEXT_H
#define UC_IMAGE_PNG_TEXT_H

#include "base/arena.h"

/* Walks the chunks as Pillow's PngImagePlugin does: LIMIT for texts and profiles that inflate beyond
 * UC_LIMIT_PNG_TEXT, MALFORMED for a chunk cut short behind `pixels`, where
 * the picture was whole. *orientation becomes that of an
 * ImageMagick EXIF text, if there is one. */
uncork_status uc_png_check_texts(uc_bytes bytes, size_t pixels, uc_arena *arena, int *orientation,
                                 uncork_error *error);

#endif
