/* TIFF through libtiff, giving Pillow's modes: the first picture of the file, strips or tiles, one
 * plane or several, every compression libtiff was built with. Samples of 16 bits keep their high byte
 * unless the picture is grey, premultiplied alpha is divided out, CMYK is kept, and the picture is
 * turned by its orientation, as Pillow's load does.
 * Source: TIFF 6.0; the table of Pillow's TiffImagePlugin for its choices; tests/image compares. */
#include "image/tiff_file.h"

typedef struct layout {
    uint32_t width, height;
    unsigned bits, samples, channels; /* of a sample; in the file; kept */
    unsigned photometric, format, compression;
    bool separate, inverted, premultiplied;
    bool ycbcr; /* compressed, but not as JPEG: libtiff makes RGB of it */
    uc_image_mode mode;
} layout;

/* The extra samples' first kind, -1 without any. */
static int alpha_kind(TIFF *tiff, unsigned *extras)
{
    uint16_t count = 0, *kinds = NULL;
    *extras = 0;
    if (!TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) || !count || !kinds) return -1;
    *extras = count;
    return kinds[0];
}

static uncork_status other_kind(const layout *l, uncork_error *error)
{
    uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
            "a TIFF of photometric %u with %u samples of %u bits, sample format %u, compression %u "
            "isn't read",
            l->photometric, l->samples, l->bits, l->format, l->compression);
    return uc_fix(error, "save it as PNG first");
}

/* Grey and palette pictures. */
static bool choose_single(layout *l, int alpha, unsigned extras)
{
    bool plain = l->format == SAMPLEFORMAT_UINT;
    l->channels = 1;
    l->inverted = l->photometric == PHOTOMETRIC_MINISWHITE && l->bits <= 8;
    if (l->samples != 1 + extras || extras > 1) return false;
    if (extras == 1 && (l->bits != 8 || alpha == EXTRASAMPLE_ASSOCALPHA)) return false;
    if (l->photometric == PHOTOMETRIC_PALETTE) {
        l->mode = UC_IMAGE_P;
        return plain && alpha <= 0 &&
               (l->bits == 1 || l->bits == 2 || l->bits == 4 || l->bits == 8);
    }
    switch (l->bits) {
    case 1: l->mode = UC_IMAGE_1; return plain;
    case 2:
    case 4: l->mode = UC_IMAGE_L; return plain;
    case 8:
        l->mode = alpha > 0 ? UC_IMAGE_LA : UC_IMAGE_L;
        l->channels = alpha > 0 ? 2 : 1;
        return plain || l->format == SAMPLEFORMAT_INT;
    case 12: l->mode = UC_IMAGE_I16; return plain;
    case 16:
        l->mode = plain ? UC_IMAGE_I16 : UC_IMAGE_I;
        return plain || l->format == SAMPLEFORMAT_INT;
    case 32:
        l->mode = l->format == SAMPLEFORMAT_IEEEFP ? UC_IMAGE_F : UC_IMAGE_I;
        return l->format <= SAMPLEFORMAT_IEEEFP;
    default: return false;
    }
}

static bool choose_color(layout *l, int alpha, unsigned extras)
{
    if (l->format != SAMPLEFORMAT_UINT || (l->bits != 8 && l->bits != 16) || l->samples > 6)
        return false;
    if (l->photometric == PHOTOMETRIC_SEPARATED) {
        l->mode = UC_IMAGE_CMYK;
        l->channels = 4;
        return l->samples == 4 + extras && alpha <= 0;
    }
    if (l->photometric == PHOTOMETRIC_YCBCR) {
        l->ycbcr = l->compression != COMPRESSION_JPEG;
        if (l->samples != 3 || l->bits != 8 || l->compression == COMPRESSION_NONE) return false;
    }
    bool missing = l->samples == 4 && extras == 0; /* Pillow takes the fourth for alpha */
    l->mode = alpha > 0 || missing ? UC_IMAGE_RGBA : UC_IMAGE_RGB;
    l->channels = l->mode == UC_IMAGE_RGBA ? 4 : 3;
    l->premultiplied = alpha == EXTRASAMPLE_ASSOCALPHA;
    return l->samples == 3 + extras || missing;
}

static uncork_status read_layout(TIFF *tiff, layout *l, const uc_tiff_file *d, uncork_error *error)
{
    uint16_t bits = 1, samples = 1, format = 1, planar = 1, photometric = 0, compression = 1;
    unsigned extras;
    if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &l->width) ||
        !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &l->height))
        return uc_tiff_file_broken(d, "it has no size", error);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric); /* 0 without it, as Pillow */
    l->bits = bits;
    l->samples = samples;
    l->format = format;
    l->separate = planar == PLANARCONFIG_SEPARATE && samples > 1;
    l->photometric = photometric;
    l->compression = compression;
    int alpha = alpha_kind(tiff, &extras);
    bool known;
    switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE: known = choose_single(l, alpha, extras); break;
    case PHOTOMETRIC_RGB:
    case PHOTOMETRIC_SEPARATED:
    case PHOTOMETRIC_YCBCR: known = choose_color(l, alpha, extras); break;
    default: known = false; break;
    }
    if (!known || compression == COMPRESSION_OJPEG) return other_kind(l, error);
    if (photometric == PHOTOMETRIC_YCBCR) {
        if (l->separate) return other_kind(l, error);
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    return UNCORK_OK;
}

static uncork_status read_palette(TIFF *tiff, const layout *l, const uc_tiff_file *d,
                                  uc_image *image, uncork_error *error)
{
    uint16_t *red, *green, *blue;
    if (!TIFFGetField(tiff, TIFFTAG_COLORMAP, &red, &green, &blue))
        return uc_tiff_file_broken(d, "its palette is missing", error);
    image->palette_count = 1 << l->bits;
    for (int i = 0; i < image->palette_count; i++) {
        image->palette[i][0] = (uint8_t)(red[i] >> 8);
        image->palette[i][1] = (uint8_t)(green[i] >> 8);
        image->palette[i][2] = (uint8_t)(blue[i] >> 8);
        image->palette[i][3] = 255;
    }
    return UNCORK_OK;
}

/* Samples of fewer than 8 bits, high bits first. */
static void put_small(const layout *l, const uint8_t *from, uint8_t *to, size_t n)
{
    unsigned top = (1u << l->bits) - 1, scale = l->mode == UC_IMAGE_P ? 1 : 255 / top;
    for (size_t x = 0; x < n; x++) {
        size_t bit = x * l->bits;
        unsigned v = (unsigned)from[bit / 8] >> (8 - l->bits - bit % 8) & top;
        to[x] = (uint8_t)((l->inverted ? top - v : v) * scale);
    }
}

static void put_12(const uint8_t *from, uint16_t *to, size_t n)
{
    for (size_t x = 0; x < n; x++) {
        const uint8_t *p = from + x / 2 * 3;
        to[x] = (uint16_t)(x % 2 ? (p[1] & 15) << 8 | p[2] : p[0] << 4 | p[1] >> 4);
    }
}

/* n pixels of a row of decoded samples into the picture: all channels of a pixel, or of separate
 * planes the one named. libtiff gives wide samples in this machine's byte order. */
static void put_row(const layout *l, const uint8_t *from, const uc_image *image, size_t pixel,
                    size_t n, unsigned plane)
{
    size_t step = l->separate ? 1 : l->samples, channels = (size_t)uc_image_channels(image->mode);
    unsigned first = l->separate ? plane : 0, last = l->separate ? plane + 1 : l->channels;
    uint8_t *to = image->data;
    if (l->bits < 8) {
        put_small(l, from, to + pixel, n);
    } else if (l->bits == 12) {
        put_12(from, (uint16_t *)image->data + pixel, n);
    } else if (l->mode == UC_IMAGE_I16) {
        memcpy((uint16_t *)image->data + pixel, from, n * 2);
    } else if (l->bits == 32) {
        memcpy((uint32_t *)image->data + pixel, from, n * 4);
    } else if (l->mode == UC_IMAGE_I) {
        for (size_t x = 0; x < n; x++) {
            int16_t v;
            memcpy(&v, from + 2 * x, 2);
            ((int32_t *)image->data)[pixel + x] = v;
        }
    } else {
        for (unsigned c = first; c < last; c++) {
            for (size_t x = 0; x < n; x++) {
                size_t at = x * step + (c - first);
                uint16_t wide = 0;
                if (l->bits == 16) memcpy(&wide, from + 2 * at, 2);
                unsigned v = l->bits == 16 ? wide >> 8u : from[at];
                to[(pixel + x) * channels + c] = (uint8_t)(l->inverted ? 255 - v : v);
            }
        }
    }
}

static uncork_status read_strips(TIFF *tiff, const layout *l, const uc_tiff_file *d,
                                 uc_arena *arena, const uc_image *image, uncork_error *error)
{
    uint32_t rows = l->height;
    size_t row = (size_t)TIFFScanlineSize(tiff), size = 0;
    size_t want = ((size_t)l->width * l->bits * (l->separate ? 1 : l->samples) + 7) / 8;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows);
    if (rows < 1 || rows > l->height) rows = l->height;
    if (row != want || !uc_mul_size(row, rows, &size) || size > INT64_MAX / 2)
        return uc_tiff_file_broken(d, "its rows don't have the size of their samples", error);
    uint8_t *buffer = uc_arena_alloc(arena, size, 1);
    if (!buffer) return uc_arena_status(arena, error);
    for (unsigned plane = 0; plane < (l->separate ? l->channels : 1); plane++) {
        for (uint32_t y = 0; y < l->height; y += rows) {
            UC_TRY(uc_arena_check(arena, error));
            uint32_t here = l->height - y < rows ? l->height - y : rows;
            tmsize_t need = (tmsize_t)(row * here);
            uint32_t strip = TIFFComputeStrip(tiff, y, (uint16_t)plane);
            if (TIFFReadEncodedStrip(tiff, strip, buffer, need) != need)
                return uc_tiff_file_broken(d, "a strip is cut short", error);
            for (uint32_t i = 0; i < here; i++) {
                put_row(l, buffer + (size_t)i * row, image, (size_t)(y + i) * l->width, l->width,
                        plane);
            }
        }
    }
    return UNCORK_OK;
}

/* As Pillow's _decodeAsRGBA: strips or rows of tiles at a time. */
static uncork_status read_ycbcr(TIFF *tiff, const layout *l, const uc_tiff_file *d, uc_arena *arena,
                                const uc_image *image, uncork_error *error)
{
    TIFFRGBAImage rgba;
    char why[1024] = "";
    uint32_t rows = l->height;
    size_t size;
    TIFFGetFieldDefaulted(tiff, TIFFIsTiled(tiff) ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP,
                          &rows);
    if (rows < 1 || rows > l->height) rows = l->height;
    if (!uc_mul_size(l->width, rows, &size) || size > INT32_MAX / 4)
        return uc_tiff_file_broken(d, "its strips are too large", error);
    uint32_t *block = uc_arena_alloc(arena, size, sizeof *block);
    if (!block) return uc_arena_status(arena, error);
    if (!TIFFRGBAImageOK(tiff, why) || !TIFFRGBAImageBegin(&rgba, tiff, 0, why))
        return uc_tiff_file_broken(d, why, error);
    rgba.req_orientation = ORIENTATION_TOPLEFT;
    uncork_status status = UNCORK_OK;
    for (uint32_t y = 0; status == UNCORK_OK && y < l->height; y += rows) {
        const uint32_t here = l->height - y < rows ? l->height - y : rows;
        rgba.row_offset = (int)y;
        status = uc_arena_check(arena, error);
        if (status == UNCORK_OK && !TIFFRGBAImageGet(&rgba, block, l->width, here))
            status = uc_tiff_file_broken(d, "a strip doesn't decode", error);
        uint8_t *to = (uint8_t *)image->data + (size_t)y * l->width * 3;
        for (size_t i = 0; status == UNCORK_OK && i < (size_t)here * l->width; i++, to += 3) {
            to[0] = (uint8_t)TIFFGetR(block[i]);
            to[1] = (uint8_t)TIFFGetG(block[i]);
            to[2] = (uint8_t)TIFFGetB(block[i]);
        }
    }
    TIFFRGBAImageEnd(&rgba);
    return status;
}

static uncork_status read_tiles(TIFF *tiff, const layout *l, const uc_tiff_file *d, uc_arena *arena,
                                const uc_image *image, uncork_error *error)
{
    uint32_t width = 0, height = 0;
    size_t row = (size_t)TIFFTileRowSize(tiff), size = 0;
    TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_TILELENGTH, &height);
    size_t want = ((size_t)width * l->bits * (l->separate ? 1 : l->samples) + 7) / 8;
    if (!width || !height || row != want || !uc_mul_size(row, height, &size) ||
        size > INT64_MAX / 2)
        return uc_tiff_file_broken(d, "its tiles don't have the size of their samples", error);
    uint8_t *buffer = uc_arena_alloc(arena, size, 1);
    if (!buffer) return uc_arena_status(arena, error);
    for (unsigned plane = 0; plane < (l->separate ? l->channels : 1); plane++) {
        for (uint64_t y = 0; y < l->height; y += height) {
            UC_TRY(uc_arena_check(arena, error));
            for (uint64_t x = 0; x < l->width; x += width) {
                uint32_t tile = TIFFComputeTile(tiff, (uint32_t)x, (uint32_t)y, 0, (uint16_t)plane);
                if (TIFFReadEncodedTile(tiff, tile, buffer, (tmsize_t)size) != (tmsize_t)size)
                    return uc_tiff_file_broken(d, "a tile is cut short", error);
                size_t n = l->width - x < width ? (size_t)(l->width - x) : width;
                for (uint64_t i = 0; i < height && y + i < l->height; i++) {
                    put_row(l, buffer + (size_t)i * row, image,
                            (size_t)(y + i) * l->width + (size_t)x, n, plane);
                }
            }
        }
    }
    return UNCORK_OK;
}

/* Premultiplied colours divided by their alpha, rounded down, as Pillow's RGBa unpacker does. */
static void divide_alpha(const uc_image *image)
{
    uint8_t *p = image->data;
    size_t n = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < n; i++, p += 4) {
        for (int c = 0; c < 3; c++) {
            unsigned v = p[3] ? p[c] * 255u / p[3] : 0;
            p[c] = (uint8_t)(v > 255 ? 255 : v);
        }
    }
}

static uncork_status decode(TIFF *tiff, const uc_tiff_file *d, uc_arena *arena, uc_image *image,
                            uncork_error *error)
{
    layout l = {0};
    uint16_t orientation = 1;
    uc_image file;
    UC_TRY(read_layout(tiff, &l, d, error));
    UC_TRY(uc_image_new(l.mode, l.width, l.height, arena, &file, error));
    file.format = "TIFF";
    if (l.mode == UC_IMAGE_P) UC_TRY(read_palette(tiff, &l, d, &file, error));
    if (l.ycbcr) {
        UC_TRY(read_ycbcr(tiff, &l, d, arena, &file, error));
    } else if (TIFFIsTiled(tiff)) {
        UC_TRY(read_tiles(tiff, &l, d, arena, &file, error));
    } else {
        UC_TRY(read_strips(tiff, &l, d, arena, &file, error));
    }
    if (l.premultiplied) divide_alpha(&file);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    file.orientation = orientation;
    UC_TRY(uc_image_upright(&file, arena, image, error));
    image->orientation = 1;
    return UNCORK_OK;
}

uncork_status uc_tiff_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    uc_tiff_file file;
    TIFF *tiff = uc_tiff_file_open(&file, bytes);
    if (!tiff) return uc_tiff_file_broken(&file, "its directory doesn't hold", error);
    uncork_status status = decode(tiff, &file, arena, image, error);
    TIFFClose(tiff);
    return status;
}
