/* PNG through libpng, with what each library asks of it as settings. Open, choose, read, close: the
 * header is known before the settings are chosen. */
#ifndef UC_IMAGE_PNG_H
#define UC_IMAGE_PNG_H

#include "image/pixels.h"

typedef struct uc_png uc_png;

typedef struct uc_png_header {
    int width, height, depth;
    bool palette, color, alpha; /* the bits of the colour type */
    bool transparent;           /* a tRNS chunk */
    int channels;               /* in the file: 1 for a palette */
    int orientation;            /* EXIF */
    unsigned frames;            /* an APNG's; 0 without its chunk */
} uc_png_header;

typedef struct uc_png_settings {
    bool strip_16;    /* the high byte of 16 bits */
    bool strip_alpha; /* alpha and tRNS are dropped */
    bool expand_trns; /* tRNS becomes alpha */
    bool add_alpha;   /* filled with the largest value of the file's depth, as TensorFlow does */
    bool palette_to_rgb;
    bool grey_to_8; /* 1, 2 and 4 bits of grey are scaled */
    bool bgr;
    bool to_color;     /* grey is repeated */
    double red, green; /* colour to grey with these weights (and a gAMA chunk); 0: not */
    bool keep_crc;     /* broken checksums don't matter, as OpenCV's progressive reader has it */
    bool skip_end;     /* chunks behind the pixels aren't looked at */
} uc_png_settings;

/* profiles  an ICC profile that libpng knows for sRGB sets the gamma that colour to grey goes through:
 *           the libpng of TensorFlow does that, newer ones don't. */
uncork_status uc_png_open(uc_bytes bytes, bool profiles, uc_arena *arena, uc_png **png,
                          uc_png_header *header, uncork_error *error);
/* UINT8, or UINT16 where 16 bits are kept. Once a file. */
uncork_status uc_png_read(uc_png *png, const uc_png_settings *settings, uc_arena *arena,
                          uc_pixels *pixels, uncork_error *error);
/* The palette, entries past its end 0, with alpha from tRNS; and the transparent colour of others. */
int uc_png_palette(const uc_png *png, uint8_t palette[256][4]);
bool uc_png_key(const uc_png *png, uint16_t key[3]);
void uc_png_close(uc_png *png);

#endif
