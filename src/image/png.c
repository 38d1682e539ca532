/* libpng's reader over bytes in memory: nothing is printed, and what it refuses is one line. Which
 * settings equal which library: decode_*.c of its name, and uc_png_decode for Pillow, whose modes are:
 * 1-bit grey is mode 1, 16-bit grey is I;16, other 16-bit samples keep their high byte, grey with
 * alpha at 16 bits becomes RGBA; gamma is ignored. */
#include "image/png.h"
#include "image/exif.h"
#include "image/png_text.h"

#include "base/reader.h"

#include <setjmp.h>
#include <stdio.h>

#include <png.h>

/* Of one ancillary chunk after it is inflated: what libpng's own default allows (8 MB) and some. */
#define CHUNK_BYTES ((png_alloc_size_t)16 << 20)

struct uc_png {
    png_structp png;
    png_infop info;
    uc_bytes bytes;
    size_t at;
    uc_arena *arena;
    png_bytep *rows;
    bool truncated, profiles;
    char message[160];
};

static void on_error(png_structp png, png_const_charp text)
{
    uc_png *d = png_get_error_ptr(png);
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
    uc_png *d = png_get_io_ptr(png);
    if (n > d->bytes.size - d->at) {
        d->truncated = true;
        png_error(png, "the file ends");
    }
    memcpy(to, d->bytes.data + d->at, n);
    d->at += n;
}

static void on_row(png_structp png, png_uint_32 row, int pass)
{
    const uc_png *d = png_get_io_ptr(png);
    (void)row;
    (void)pass;
    if (uc_arena_is_over(d->arena)) png_error(png, "no time left");
}

static int find_orientation(const uc_png *d)
{
#ifdef PNG_eXIf_SUPPORTED
    png_uint_32 size = 0;
    png_bytep exif = NULL;
    if (png_get_eXIf_1(d->png, d->info, &size, &exif) && exif)
        return uc_exif_orientation(exif, size);
#endif
    return 1;
}

static uncork_status failure(const uc_png *d, uncork_error *error)
{
    UC_TRY(uc_arena_check(d->arena, error));
    if (d->truncated) {
        uc_fail(error, UNCORK_MALFORMED, d->bytes.size,
                "the PNG is cut short: its %zu bytes end inside the picture", d->bytes.size);
        return uc_fix(error, "copy or download it again");
    }
    return uc_fail(error, UNCORK_MALFORMED, d->at, "broken PNG: %s", d->message);
}

/* The frames that an acTL chunk in front of the pixels promises. */
static unsigned find_frames(uc_bytes bytes)
{
    for (size_t at = 8; bytes.size - at >= 20 && at < bytes.size;) {
        uint32_t size = uc_load_u32be(bytes.data + at);
        const uint8_t *kind = bytes.data + at + 4;
        if (memcmp(kind, "acTL", 4) == 0) return uc_load_u32be(bytes.data + at + 8);
        if (memcmp(kind, "IDAT", 4) == 0 || size > bytes.size - at - 12) break;
        at += (size_t)size + 12;
    }
    return 0;
}

static uncork_status open_header(uc_png *d, uc_png_header *h, uncork_error *error)
{
    if (setjmp(png_jmpbuf(d->png))) return failure(d, error);
    png_set_user_limits(d->png, 0x7fffffff,
                        0x7fffffff); /* uc_pixels_new has the limit that counts */
    png_set_chunk_malloc_max(d->png, CHUNK_BYTES);
    png_set_crc_action(d->png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    png_set_check_for_invalid_index(d->png, 0);
    /* texts and profiles aren't inflated where nothing asks for them */
    static const png_byte texts[] = "tEXt\0zTXt\0iTXt";
    png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, texts, 3);
    if (!d->profiles)
        png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep) "iCCP", 1);
    png_set_read_fn(d->png, d, on_read);
    png_read_info(d->png, d->info);
    int color = png_get_color_type(d->png, d->info);
    *h = (uc_png_header){.width = (int)png_get_image_width(d->png, d->info),
                         .height = (int)png_get_image_height(d->png, d->info),
                         .depth = png_get_bit_depth(d->png, d->info),
                         .palette = (color & PNG_COLOR_MASK_PALETTE) != 0,
                         .color = (color & PNG_COLOR_MASK_COLOR) != 0,
                         .alpha = (color & PNG_COLOR_MASK_ALPHA) != 0,
                         .transparent = png_get_valid(d->png, d->info, PNG_INFO_tRNS) != 0,
                         .channels = png_get_channels(d->png, d->info),
                         .orientation = find_orientation(d),
                         .frames = find_frames(d->bytes)};
    return UNCORK_OK;
}

uncork_status uc_png_open(uc_bytes bytes, bool profiles, uc_arena *arena, uc_png **png,
                          uc_png_header *header, uncork_error *error)
{
    uc_png *d = *png = UC_NEW(arena, uc_png, 1);
    if (!d) return uc_arena_status(arena, error);
    d->bytes = bytes;
    d->profiles = profiles;
    d->arena = arena;
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, on_error, on_warning);
    if (d->png) d->info = png_create_info_struct(d->png);
    uncork_status status = d->info ? open_header(d, header, error) : uc_fail_memory(error);
    if (status) {
        uc_png_close(d);
        *png = NULL;
    }
    return status;
}

void uc_png_close(uc_png *png)
{
    if (png) png_destroy_read_struct(&png->png, &png->info, NULL);
}

static void ask_for(const uc_png *d, const uc_png_settings *s)
{
    int depth = png_get_bit_depth(d->png, d->info);
    if (s->expand_trns) png_set_tRNS_to_alpha(d->png);
    if (s->add_alpha) png_set_add_alpha(d->png, (1u << depth) - 1, PNG_FILLER_AFTER);
    if (s->strip_alpha) png_set_strip_alpha(d->png);
    if (depth == 16) {
        if (s->strip_16)
            png_set_strip_16(d->png);
        else
            png_set_swap(d->png); /* to little-endian */
    }
    if (depth < 8) png_set_packing(d->png);
    if (s->palette_to_rgb) png_set_palette_to_rgb(d->png);
    if (s->grey_to_8 && depth < 8) png_set_expand_gray_1_2_4_to_8(d->png);
    if (s->red != 0) png_set_rgb_to_gray(d->png, PNG_ERROR_ACTION_NONE, s->red, s->green);
    if (s->to_color) png_set_gray_to_rgb(d->png);
    if (s->bgr) png_set_bgr(d->png);
    png_set_interlace_handling(d->png);
}

uncork_status uc_png_read(uc_png *png, const uc_png_settings *settings, uc_arena *arena,
                          uc_pixels *pixels, uncork_error *error)
{
    uc_png *d = png;
    if (setjmp(png_jmpbuf(d->png))) return failure(d, error);
    /* first: libpng takes memory for two rows of any width the header claims */
    UC_TRY(uc_image_check_size(png_get_image_width(d->png, d->info),
                               png_get_image_height(d->png, d->info), arena, error));
    if (settings->keep_crc) png_set_crc_action(d->png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    ask_for(d, settings);
    png_set_read_status_fn(d->png, on_row);
    png_read_update_info(d->png, d->info);
    bool wide = png_get_bit_depth(d->png, d->info) == 16;
    UC_TRY(uc_pixels_new(wide ? UNCORK_UINT16 : UNCORK_UINT8, png_get_image_height(d->png, d->info),
                         png_get_image_width(d->png, d->info), png_get_channels(d->png, d->info),
                         arena, pixels, error));
    size_t row_bytes = uc_pixels_bytes(pixels) / (size_t)pixels->height;
    if (png_get_rowbytes(d->png, d->info) != row_bytes) {
        return uc_fail(error, UNCORK_MALFORMED, d->at,
                       "broken PNG: a row has %zu bytes, expected %zu",
                       png_get_rowbytes(d->png, d->info), row_bytes);
    }
    d->rows = UC_NEW(d->arena, png_bytep, (size_t)pixels->height);
    if (!d->rows) return uc_arena_status(d->arena, error);
    for (int y = 0; y < pixels->height; y++) {
        d->rows[y] = (png_bytep)pixels->data + (size_t)y * row_bytes;
    }
    png_read_image(d->png, d->rows);
    if (!settings->skip_end) png_read_end(d->png, NULL);
    return UNCORK_OK;
}

int uc_png_palette(const uc_png *d, uint8_t palette[256][4])
{
    png_colorp colors;
    int count = 0, alphas = 0;
    png_bytep alpha = NULL;
    memset(palette, 0, 256 * sizeof *palette);
    if (!png_get_PLTE(d->png, d->info, &colors, &count)) return 0;
    png_get_tRNS(d->png, d->info, &alpha, &alphas, NULL);
    if (count > 256) count = 256;
    for (int i = 0; i < count; i++) {
        palette[i][0] = colors[i].red;
        palette[i][1] = colors[i].green;
        palette[i][2] = colors[i].blue;
        palette[i][3] = alpha && i < alphas ? alpha[i] : 255;
    }
    return count;
}

bool uc_png_key(const uc_png *d, uint16_t key[3])
{
    png_bytep alpha;
    int alphas;
    png_color_16p k = NULL;
    if (!png_get_tRNS(d->png, d->info, &alpha, &alphas, &k) || !k) return false;
    bool grey = (png_get_color_type(d->png, d->info) & PNG_COLOR_MASK_COLOR) == 0;
    key[0] = grey ? k->gray : k->red;
    key[1] = grey ? k->gray : k->green;
    key[2] = grey ? k->gray : k->blue;
    return true;
}

static uc_image_mode mode_of(const uc_png_header *h)
{
    if (h->palette) return UC_IMAGE_P;
    if (h->alpha) return h->color || h->depth == 16 ? UC_IMAGE_RGBA : UC_IMAGE_LA;
    if (h->color) return UC_IMAGE_RGB;
    return h->depth == 1 ? UC_IMAGE_1 : h->depth == 16 ? UC_IMAGE_I16 : UC_IMAGE_L;
}

static uncork_status read_for_pillow(uc_png *png, const uc_png_header *h, uc_arena *arena,
                                     uc_image *image, uncork_error *error)
{
    uc_image_mode mode = mode_of(h);
    uc_png_settings s = {.strip_16 = mode != UC_IMAGE_I16,
                         .grey_to_8 = !h->color && !h->palette,
                         .to_color = mode == UC_IMAGE_RGBA && !h->color,
                         .skip_end = true};
    uc_pixels pixels;
    UC_TRY(uc_png_read(png, &s, arena, &pixels, error));
    *image = (uc_image){.mode = mode,
                        .width = pixels.width,
                        .height = pixels.height,
                        .data = pixels.data,
                        .orientation = h->orientation,
                        .format = "PNG"};
    if (mode == UC_IMAGE_P) image->palette_count = uc_png_palette(png, image->palette);
    if (mode == UC_IMAGE_1 || mode == UC_IMAGE_L || mode == UC_IMAGE_RGB)
        image->has_key = uc_png_key(png, image->key);
    if (mode == UC_IMAGE_1 && image->key[0]) /* the file says 1, the picture holds 255 */
        image->key[0] = image->key[1] = image->key[2] = 255;
    return UNCORK_OK;
}

uncork_status uc_png_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    uc_png *png;
    uc_png_header header;
    UC_TRY(uc_png_open(bytes, false, arena, &png, &header, error));
    uncork_status status = read_for_pillow(png, &header, arena, image, error);
    if (!status) status = uc_png_check_texts(bytes, png->at, arena, &image->orientation, error);
    uc_png_close(png);
    return status;
}
