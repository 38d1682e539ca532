/* Array pictures to files: PNG and JPEG. No time, no name of a program, no chance: the same pixels
 * give the same bytes, with the same libpng, zlib and libjpeg. */
#ifndef UC_IMAGE_WRITE_H
#define UC_IMAGE_WRITE_H

#include "base/writer.h"
#include "image/pixels.h"

/* Colours of the indices of a one-channel UINT8 picture: red, green, blue. Indices beyond `count` are
 * refused. */
typedef struct uc_palette {
    int count; /* 1 to 256 */
    uint8_t colors[256][3];
} uc_palette;

/* UINT8 or UINT16 of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels. Appends to `w`, whose
 * ceiling bounds the file.
 *
 * palette  for masks: UINT8 of one channel becomes a palette picture; NULL: none. */
uncork_status uc_png_write(const uc_pixels *pixels, const uc_palette *palette, uc_writer *w,
                           uncork_error *error);

#define UC_JPEG_QUALITY 92 /* text and thin lines stay clean; used where nobody asks for another */

/* UINT8 of 1 (grey) or 3 (RGB) channels: JPEG has no alpha and no 16 bits. Colour is not subsampled,
 * for the sake of lines and letters.
 *
 * quality  1 to 100, libjpeg's scale. */
uncork_status uc_jpeg_write(const uc_pixels *pixels, int quality, uc_writer *w,
                            uncork_error *error);

#endif
