/* PNG through libpng, giving Pillow's modes: 1-bit grey is mode 1, 16-bit grey is I;16, other 16-bit
 * samples keep their high byte, grey with alpha at 16 bits becomes RGBA; gamma is ignored. */
#include "image/exif.h"
#include "image/image.h"

#include <setjmp.h>
#include <stdio.h>

#include <png.h>

typedef struct decoder {
    png_structp png;
    png_infop info;
    uc_bytes bytes;
    size_t at;
    bool truncated;
    char message[160];
} decoder;

static void on_error(png_structp png, png_const_charp text)
{
    decoder *d = png_get_error_ptr(png);
    snprintf(d->message, sizeof d->message, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    decoder *d = png_get_io_ptr(png);
    if (n > d->bytes.size - d->at) {
        d->truncated = true;
        png_error(png, "the file ends");
    }
    memcpy(to, d->bytes.data + d->at, n);
    d->at += n;
}

static uc_image_mode mode_of(int depth, int color)
{
    switch (color) {
    case PNG_COLOR_TYPE_GRAY:
        return depth == 1 ? UC_IMAGE_1 : depth == 16 ? UC_IMAGE_I16 : UC_IMAGE_L;
    case PNG_COLOR_TYPE_PALETTE: return UC_IMAGE_P;
    case PNG_COLOR_TYPE_GRAY_ALPHA: return depth == 16 ? UC_IMAGE_RGBA : UC_IMAGE_LA;
    case PNG_COLOR_TYPE_RGB_ALPHA: return UC_IMAGE_RGBA;
    default: return UC_IMAGE_RGB;
    }
}

static void ask_for(const decoder *d, uc_image_mode mode, int depth, int color)
{
    if (color == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(d->png);
    if (mode == UC_IMAGE_P) png_set_packing(d->png);
    if (mode == UC_IMAGE_I16) {
        png_set_swap(d->png); /* to little-endian; Pillow's value is the sample */
    } else if (depth == 16) {
        png_set_strip_16(d->png);
    }
    if (mode == UC_IMAGE_RGBA && color == PNG_COLOR_TYPE_GRAY_ALPHA) png_set_gray_to_rgb(d->png);
    png_set_interlace_handling(d->png);
}

static void read_palette(const decoder *d, uc_image *image)
{
    png_colorp colors;
    int count = 0, alphas = 0;
    png_bytep alpha = NULL;
    if (!png_get_PLTE(d->png, d->info, &colors, &count)) return;
    png_get_tRNS(d->png, d->info, &alpha, &alphas, NULL);
    image->palette_count = count > 256 ? 256 : count;
    for (int i = 0; i < image->palette_count; i++) {
        image->palette[i][0] = colors[i].red;
        image->palette[i][1] = colors[i].green;
        image->palette[i][2] = colors[i].blue;
        image->palette[i][3] = alpha && i < alphas ? alpha[i] : 255;
    }
}

/* The transparent colour of grey and RGB pictures. */
static void read_key(const decoder *d, uc_image *image)
{
    png_bytep alpha;
    int alphas;
    png_color_16p key = NULL;
    if (!png_get_tRNS(d->png, d->info, &alpha, &alphas, &key) || !key) return;
    image->has_key = true;
    bool grey = image->mode == UC_IMAGE_L;
    image->key[0] = grey ? key->gray : key->red;
    image->key[1] = grey ? key->gray : key->green;
    image->key[2] = grey ? key->gray : key->blue;
}

static int find_orientation(const decoder *d)
{
#ifdef PNG_eXIf_SUPPORTED
    png_uint_32 size = 0;
    png_bytep exif = NULL;
    if (png_get_eXIf_1(d->png, d->info, &size, &exif) && exif)
        return uc_exif_orientation(exif, size);
#endif
    return 1;
}

static uncork_status failure(const decoder *d, uncork_error *error)
{
    if (d->truncated) {
        uc_fail(error, UNCORK_MALFORMED, d->bytes.size,
                "the PNG is cut short: its %zu bytes end inside the picture", d->bytes.size);
        return uc_fix(error, "copy or download it again");
    }
    return uc_fail(error, UNCORK_MALFORMED, d->at, "broken PNG: %s", d->message);
}

static uncork_status decode(decoder *d, uc_arena *arena, uc_image *image, png_bytep **rows,
                            uncork_error *error)
{
    if (setjmp(png_jmpbuf(d->png))) return failure(d, error);
    png_set_user_limits(d->png, 0x7fffffff,
                        0x7fffffff); /* uc_image_new has the limit that counts */
    png_set_chunk_malloc_max(d->png, (png_alloc_size_t)16 << 20);
    png_set_crc_action(d->png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    png_set_check_for_invalid_index(d->png, 0);
    png_set_read_fn(d->png, d, on_read);
    png_read_info(d->png, d->info);
    int depth = png_get_bit_depth(d->png, d->info), color = png_get_color_type(d->png, d->info);
    uc_image_mode mode = mode_of(depth, color);
    UC_TRY(uc_image_new(mode, png_get_image_width(d->png, d->info),
                        png_get_image_height(d->png, d->info), arena, image, error));
    image->format = "PNG";
    image->orientation = find_orientation(d);
    if (mode == UC_IMAGE_P) read_palette(d, image);
    if (mode == UC_IMAGE_L || mode == UC_IMAGE_RGB) read_key(d, image);
    ask_for(d, mode, depth, color);
    png_read_update_info(d->png, d->info);
    size_t row_bytes =
        (size_t)image->width * (size_t)uc_image_channels(mode) * uc_image_channel_bytes(mode);
    if (png_get_rowbytes(d->png, d->info) != row_bytes) {
        return uc_fail(error, UNCORK_MALFORMED, d->at,
                       "broken PNG: a row has %zu bytes, expected %zu",
                       png_get_rowbytes(d->png, d->info), row_bytes);
    }
    *rows = UC_NEW(arena, png_bytep, (size_t)image->height);
    if (!*rows) return uc_arena_status(arena, error);
    for (int y = 0; y < image->height; y++) {
        (*rows)[y] = (png_bytep)image->data + (size_t)y * row_bytes;
    }
    png_read_image(d->png, *rows);
    return UNCORK_OK;
}

uncork_status uc_png_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    decoder *d = UC_NEW(arena, decoder, 1);
    png_bytep **rows = UC_NEW(arena, png_bytep *, 1); /* outlives a longjmp */
    if (!d || !rows) return uc_arena_status(arena, error);
    d->bytes = bytes;
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, on_error, on_warning);
    if (d->png) d->info = png_create_info_struct(d->png);
    if (!d->info) {
        png_destroy_read_struct(&d->png, NULL, NULL);
        return uc_fail_memory(error);
    }
    uncork_status status = decode(d, arena, image, rows, error);
    png_destroy_read_struct(&d->png, &d->info, NULL);
    return status;
}
