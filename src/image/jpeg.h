/* JPEG through libjpeg-turbo, with what each library asks of it as settings. Open, choose, read,
 * close: the header is known before the settings are chosen. */
#ifndef UC_IMAGE_JPEG_H
#define UC_IMAGE_JPEG_H

#include "image/pixels.h"

typedef struct uc_jpeg uc_jpeg;

typedef struct uc_jpeg_header {
    int width, height, components;
    bool grey, rgb;     /* stored as grey; as RGB, without a conversion */
    bool four;          /* CMYK or YCCK */
    bool adobe;         /* an Adobe marker was there: its CMYK is inverted */
    int orientation;    /* EXIF */
    bool many_pictures; /* MPO */
} uc_jpeg_header;

typedef enum uc_jpeg_color {
    UC_JPEG_GREY, /* the Y plane, or libjpeg's grey of RGB; refused of four components */
    UC_JPEG_RGB,
    UC_JPEG_BGR,
    UC_JPEG_CMYK,   /* four samples as they are stored */
    UC_JPEG_STORED, /* the components as they are stored, unconverted */
} uc_jpeg_color;

/* What becomes of a picture whose bytes end too early. */
typedef enum uc_jpeg_end {
    UC_JPEG_END_REFUSED,
    UC_JPEG_END_LENIENT, /* refused inside of the picture, not behind its last row */
    UC_JPEG_END_FILLED,  /* an end-of-image marker is put there: grey for what is missing */
} uc_jpeg_end;

typedef struct uc_jpeg_settings {
    uc_jpeg_color color;
    bool fast_dct;         /* JDCT_IFAST; JDCT_ISLOW otherwise */
    bool plain_upsampling; /* do_fancy_upsampling = FALSE */
    int ratio;             /* 1, 2, 4 or 8: decoded at that part of its size */
    uc_jpeg_end end;
    bool default_tables; /* Motion JPEG leaves its Huffman tables out: take the standard's */
} uc_jpeg_settings;

uncork_status uc_jpeg_open(uc_bytes bytes, uc_jpeg_end end, uc_arena *arena, uc_jpeg **jpeg,
                           uc_jpeg_header *header, uncork_error *error);
/* Once a file. */
uncork_status uc_jpeg_read(uc_jpeg *jpeg, const uc_jpeg_settings *settings, uc_arena *arena,
                           uc_pixels *pixels, uncork_error *error);
void uc_jpeg_close(uc_jpeg *jpeg);

#endif
