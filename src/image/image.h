/* Pictures: file bytes to pixels as each library decodes them (Pillow's rules today), and the
 * conversions and resizes in front of a model. Pixels are rows x columns x channels, top row first. */
#ifndef UC_IMAGE_IMAGE_H
#define UC_IMAGE_IMAGE_H

#include "base/arena.h"

/* Pillow's modes, which decide what convert and resize do. */
typedef enum uc_image_mode {
    UC_IMAGE_1,  /* 8 bits a pixel: 0 or 255 */
    UC_IMAGE_L,  /* grey, 8 bits */
    UC_IMAGE_LA, /* grey and alpha */
    UC_IMAGE_P,  /* index into palette */
    UC_IMAGE_RGB,
    UC_IMAGE_RGBA,
    UC_IMAGE_CMYK, /* 255 is full ink, as Pillow keeps it */
    UC_IMAGE_I16,  /* grey, 16 bits */
    UC_IMAGE_I,    /* int32 */
    UC_IMAGE_F,    /* float32 */
} uc_image_mode;

typedef struct uc_image {
    uc_image_mode mode;
    int width, height;
    void *data;              /* [height, width, channels], dense */
    uint8_t palette[256][4]; /* P: red, green, blue, alpha */
    int palette_count;
    bool has_key; /* 1, L and RGB of a PNG: pixels equal to key are transparent in RGBA */
    uint16_t key[3];
    int orientation;    /* EXIF, 1 to 8; 1 when absent. Nothing is rotated by it unless asked */
    const char *format; /* "JPEG", "PNG", "BMP", "GIF", "WebP", "TIFF", "PNM", "JPEG 2000" */
} uc_image;

/* Channels of a mode and bytes a channel. */
int uc_image_channels(uc_image_mode mode);
size_t uc_image_channel_bytes(uc_image_mode mode);
const char *uc_image_mode_name(uc_image_mode mode);

/* LIMIT for a size beyond UC_LIMIT_IMAGE_PIXELS; width and height are at least 1. */
uncork_status uc_image_check_size(int64_t width, int64_t height, const uc_arena *arena,
                                  uncork_error *error);
/* An image of zeros; LIMIT beyond UC_LIMIT_IMAGE_PIXELS, INPUT for an empty one. */
uncork_status uc_image_new(uc_image_mode mode, int64_t width, int64_t height, uc_arena *arena,
                           uc_image *image, uncork_error *error);

/* Decodes by signature, as Pillow's Image.open and load do. UNSUPPORTED names a picture format that
 * this build doesn't read and what to do, MALFORMED says what is broken and where. */
uncork_status uc_image_decode(uc_bytes bytes, uc_arena *arena, uc_image *image,
                              uncork_error *error);
uncork_status uc_jpeg_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error);
uncork_status uc_png_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error);
uncork_status uc_bmp_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error);
uncork_status uc_pnm_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error);
/* These have a file only where the build was configured with their library. */
uncork_status uc_gif_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error);
uncork_status uc_webp_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error);
uncork_status uc_tiff_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error);
uncork_status uc_jpeg2000_decode(uc_bytes bytes, uc_arena *arena, uc_image *image,
                                 uncork_error *error);

/* The picture formats uncork can be built to read, by index, and whether this build reads them; NULL
 * behind the last. */
const char *uc_image_format_at(size_t i, bool *there);

/* Image.convert to L, RGB, RGBA, LA or F; the source is left alone. */
uncork_status uc_image_convert(const uc_image *from, uc_image_mode mode, uc_arena *arena,
                               uc_image *image, uncork_error *error);
/* ImageOps.exif_transpose. */
uncork_status uc_image_upright(const uc_image *from, uc_arena *arena, uc_image *image,
                               uncork_error *error);

typedef enum uc_pillow_filter {
    UC_PILLOW_NEAREST,
    UC_PILLOW_LANCZOS,
    UC_PILLOW_BILINEAR,
    UC_PILLOW_BICUBIC,
    UC_PILLOW_BOX,
    UC_PILLOW_HAMMING,
    UC_PILLOW_MKS2013,
    UC_PILLOW_MKS2021,
    UC_PILLOW_DEFAULT, /* BICUBIC, NEAREST for modes 1 and P; before Pillow 7 NEAREST for all */
} uc_pillow_filter;

/* Image.resize(size, filter, box, reducing_gap) of Pillow.
 *
 * box           left, top, right, bottom; NULL: the whole picture.
 * reducing_gap  0: none.
 * version       Pillow's major version: below 13 the horizontal pass always comes first, below 7 the
 *               default filter is NEAREST. */
uncork_status uc_resize_pillow(const uc_image *from, int width, int height, uc_pillow_filter filter,
                               const double *box, double reducing_gap, int version, uc_arena *arena,
                               uc_image *image, uncork_error *error);

#endif
