/* TIFF as OpenCV reads it: 8 bits through libtiff's RGBA interface (which premultiplies alpha), deeper
 * samples as they lie in strips or tiles.
 * Source: OpenCV 5.0.0, modules/imgcodecs/src/grfmt_tiff.cpp. */
#include "image/decode_opencv.h"
#include "image/tiff_file.h"

#include "base/dtype.h"

typedef struct layout {
    uint32_t width, height, tile_width, tile_height;
    uint16_t bits, samples, photometric, format, orientation, planar;
    bool tiled;
    uncork_dtype dtype; /* of the file */
    int channels;
} layout;

static uncork_status refuse(const layout *l, uncork_error *error)
{
    return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                   "OpenCV refuses this TIFF: photometric %u with %u samples of %u bits, sample "
                   "format %u, orientation %u",
                   l->photometric, l->samples, l->bits, l->format, l->orientation);
}

static bool is_grey(const layout *l)
{
    return l->photometric == PHOTOMETRIC_MINISWHITE || l->photometric == PHOTOMETRIC_MINISBLACK;
}

/* The wheels' libtiff is built without these. */
static bool has_codec(uint16_t compression)
{
    return compression != COMPRESSION_LZMA && compression != COMPRESSION_ZSTD &&
           compression != COMPRESSION_WEBP && compression != COMPRESSION_LERC &&
           compression != COMPRESSION_JBIG && compression != COMPRESSION_JP2000;
}

static bool choose_type(layout *l)
{
    bool integer = l->format == SAMPLEFORMAT_UINT || l->format == SAMPLEFORMAT_INT,
         sign = l->format == SAMPLEFORMAT_INT, real = l->format == SAMPLEFORMAT_IEEEFP;
    unsigned bits = l->bits;
    if (bits > 8 && (l->photometric > 2 || (l->samples != 1 && l->samples != 3 && l->samples != 4)))
        bits = 8;
    if (l->samples < 1 || l->samples > 4) return false;
    l->channels = is_grey(l) ? 1 : l->samples;
    switch (bits) {
    case 4:
        if (l->photometric != PHOTOMETRIC_PALETTE) return false;
        l->channels = 3;
        l->dtype = sign ? UNCORK_INT8 : UNCORK_UINT8;
        return integer;
    case 1:
    case 8:
        if (bits == 8 && l->photometric == PHOTOMETRIC_PALETTE) l->channels = 3;
        l->dtype = sign ? UNCORK_INT8 : UNCORK_UINT8;
        return integer;
    case 10:
    case 12:
    case 14:
    case 16: l->dtype = sign ? UNCORK_INT16 : UNCORK_UINT16; return integer;
    case 32:
        l->channels = l->samples;
        l->dtype = real ? UNCORK_FLOAT32 : sign ? UNCORK_INT32 : UNCORK_UINT32;
        return real || integer;
    case 64:
        l->channels = l->samples;
        l->dtype = real ? UNCORK_FLOAT64 : sign ? UNCORK_INT64 : UNCORK_UINT64;
        return real || integer;
    default: return false;
    }
}

static uncork_status read_layout(TIFF *tiff, layout *l, const uc_tiff_file *file,
                                 uncork_error *error)
{
    uint16_t compression = COMPRESSION_NONE;
    l->bits = 1;
    l->format = SAMPLEFORMAT_UINT;
    l->orientation = ORIENTATION_TOPLEFT;
    if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &l->width) ||
        !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &l->height) ||
        !TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &l->photometric))
        return uc_tiff_file_broken(file, "it has no size or photometric interpretation", error);
    l->samples = is_grey(l) ? 1 : 3;
    TIFFGetField(tiff, TIFFTAG_BITSPERSAMPLE, &l->bits);
    TIFFGetField(tiff, TIFFTAG_SAMPLESPERPIXEL, &l->samples);
    TIFFGetField(tiff, TIFFTAG_SAMPLEFORMAT, &l->format);
    TIFFGetField(tiff, TIFFTAG_ORIENTATION, &l->orientation);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &l->planar);
    l->tiled = TIFFIsTiled(tiff);
    l->tile_width = l->width;
    if (l->tiled) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &l->tile_width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &l->tile_height);
    } else {
        TIFFGetField(tiff, TIFFTAG_ROWSPERSTRIP, &l->tile_height);
    }
    if (l->tile_width == 0) l->tile_width = l->width;
    if (l->tile_height == 0 || (!l->tiled && l->tile_height > l->height))
        l->tile_height = l->height;
    /* libtiff's colour of LogLuv is a step of its own there, and isn't read */
    if (!has_codec(compression) || l->photometric == PHOTOMETRIC_LOGLUV || !choose_type(l))
        return refuse(l, error);
    return UNCORK_OK;
}

static void put_rgba(const uint8_t *from, uint8_t *to, size_t n, int channels)
{
    for (size_t i = 0; i < n; i++, from += 4, to += channels) {
        if (channels == 1) {
            to[0] = (uint8_t)uc_opencv_grey14(from[2], from[1], from[0]);
            continue;
        }
        to[0] = from[2];
        to[1] = from[1];
        to[2] = from[0];
        if (channels == 4) to[3] = from[3];
    }
}

/* libtiff fills its RGBA blocks from the bottom up. */
static uncork_status read_rgba(TIFF *tiff, const layout *l, const uc_tiff_file *file,
                               uc_arena *arena, const uc_pixels *pixels, uncork_error *error)
{
    char why[1024] = "";
    size_t size = 0;
    uint16_t o = l->orientation;
    bool flip = o == ORIENTATION_BOTRIGHT || o == ORIENTATION_RIGHTBOT ||
                o == ORIENTATION_BOTLEFT || o == ORIENTATION_LEFTBOT;
    if (!TIFFRGBAImageOK(tiff, why)) return uc_tiff_file_broken(file, why, error);
    if (!uc_mul_size(l->tile_width, l->tile_height, &size)) return refuse(l, error);
    uint32_t *block = uc_arena_alloc(arena, size, sizeof *block);
    if (!block) return uc_arena_status(arena, error);
    for (uint32_t y = 0; y < l->height; y += l->tile_height) {
        UC_TRY(uc_arena_check(arena, error));
        uint32_t rows = l->height - y < l->tile_height ? l->height - y : l->tile_height;
        uint32_t first = flip ? l->height - y - rows : y;
        for (uint32_t x = 0; x < l->width; x += l->tile_width) {
            uint32_t columns = l->width - x < l->tile_width ? l->width - x : l->tile_width;
            int ok =
                l->tiled ? TIFFReadRGBATile(tiff, x, y, block) : TIFFReadRGBAStrip(tiff, y, block);
            if (!ok) return uc_tiff_file_broken(file, "a block doesn't decode", error);
            const uint32_t *from =
                block + (l->tiled ? (size_t)(l->tile_height - rows) * l->tile_width : 0);
            for (uint32_t i = 0; i < rows; i++) {
                uint8_t *to =
                    (uint8_t *)pixels->data +
                    ((size_t)(first + rows - i - 1) * l->width + x) * (size_t)pixels->channels;
                put_rgba((const uint8_t *)(from + (size_t)i * l->tile_width), to, columns,
                         pixels->channels);
            }
            if (x + (uint64_t)l->tile_width > UINT32_MAX) break;
        }
        if (y + (uint64_t)l->tile_height > UINT32_MAX) break;
    }
    return UNCORK_OK;
}

/* Packed samples of 10, 12 or 14 bits, high bits first, moved to the top of 16. */
static void unpack(const uint8_t *from, uint16_t *to, size_t n, unsigned bits)
{
    for (size_t i = 0; i < n; i++) {
        unsigned v = 0;
        for (size_t bit = i * bits; bit < (i + 1) * bits; bit++) {
            v = v << 1 | (from[bit / 8] >> (7 - bit % 8) & 1u);
        }
        to[i] = (uint16_t)(v << (16 - bits));
    }
}

/* Samples of 16 bits to what is asked. */
static void put_16(const uint16_t *from, unsigned samples, uint16_t *to, size_t n, int channels)
{
    for (size_t i = 0; i < n; i++, from += samples, to += channels) {
        if (samples == 1) {
            for (int c = 0; c < channels; c++) {
                to[c] = from[0];
            }
        } else if (channels == 1) {
            to[0] = (uint16_t)uc_opencv_grey14(from[2], from[1], from[0]);
        } else {
            uint16_t r = from[0], b = from[2];
            to[0] = b;
            to[1] = from[1];
            to[2] = r;
            if (channels == 4) to[3] = from[3];
        }
    }
}

static void put_wide(const uint8_t *from, uint8_t *to, size_t n, int channels, size_t size)
{
    for (size_t i = 0; i < n; i++, from += (size_t)channels * size, to += (size_t)channels * size) {
        if (channels < 3) {
            memcpy(to, from, (size_t)channels * size);
            continue;
        }
        memcpy(to, from + 2 * size, size);
        memcpy(to + size, from + size, size);
        memcpy(to + 2 * size, from, size);
        if (channels == 4) memcpy(to + 3 * size, from + 3 * size, size);
    }
}

static uncork_status put_block(const layout *l, const uint8_t *block, size_t row, uint32_t x,
                               uint32_t y, uint16_t *unpacked, const uc_pixels *pixels)
{
    uint32_t rows = l->height - y < l->tile_height ? l->height - y : l->tile_height,
             columns = l->width - x < l->tile_width ? l->width - x : l->tile_width;
    size_t size = uc_dtype_size(pixels->dtype), pixel = (size_t)pixels->channels * size;
    for (uint32_t i = 0; i < rows; i++) {
        const uint8_t *from = block + (size_t)i * row;
        uint8_t *to = (uint8_t *)pixels->data + ((size_t)(y + i) * l->width + x) * pixel;
        if (size > 2) {
            put_wide(from, to, columns, pixels->channels, size);
            continue;
        }
        const uint16_t *samples = (const uint16_t *)(const void *)from;
        if (l->bits < 16) {
            unpack(from, unpacked, (size_t)columns * l->samples, l->bits);
            samples = unpacked;
        }
        put_16(samples, l->samples, (uint16_t *)(void *)to, columns, pixels->channels);
    }
    return UNCORK_OK;
}

static uncork_status read_samples(TIFF *tiff, const layout *l, const uc_tiff_file *file,
                                  uc_arena *arena, const uc_pixels *pixels, uncork_error *error)
{
    size_t row = ((size_t)l->tile_width * l->samples * l->bits + 7) / 8, size = 0;
    size_t want = (size_t)(l->tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff));
    if (row != want || !uc_mul_size(row, l->tile_height, &size) || size >= (size_t)1 << 30)
        return refuse(l, error);
    uint8_t *block = uc_arena_alloc(arena, size + 2, 1); /* unpack may look one byte ahead */
    uint16_t *unpacked = uc_arena_alloc(arena, (size_t)l->tile_width * l->samples, 2);
    if (!block || !unpacked) return uc_arena_status(arena, error);
    uint32_t index = 0;
    for (uint64_t y = 0; y < l->height; y += l->tile_height) {
        UC_TRY(uc_arena_check(arena, error));
        for (uint64_t x = 0; x < l->width; x += l->tile_width, index++) {
            tmsize_t got = l->tiled ? TIFFReadEncodedTile(tiff, index, block, (tmsize_t)size)
                                    : TIFFReadEncodedStrip(tiff, index, block, (tmsize_t)size);
            if (got < 0) return uc_tiff_file_broken(file, "a block doesn't decode", error);
            UC_TRY(put_block(l, block, row, (uint32_t)x, (uint32_t)y, unpacked, pixels));
        }
    }
    return UNCORK_OK;
}

/* fixOrientation: what the RGBA interface leaves of it, or all. A turn by a quarter makes imread fail
 * unless the picture is square. */
static uncork_status turn(const layout *l, bool all, uc_arena *arena, uc_pixels *pixels,
                          uncork_error *error)
{
    int o = l->orientation;
    if (o >= 5 && o <= 8 && l->width != l->height) return refuse(l, error);
    if (all) return uc_pixels_upright(pixels, o, arena, pixels, error);
    if (o == ORIENTATION_LEFTTOP || o == ORIENTATION_RIGHTBOT)
        return uc_pixels_upright(pixels, 5, arena, pixels, error);
    if (o == ORIENTATION_RIGHTTOP || o == ORIENTATION_LEFTBOT)
        return uc_pixels_upright(pixels, 7, arena, pixels, error);
    return UNCORK_OK;
}

static uncork_status read(TIFF *tiff, const uc_tiff_file *file, uc_opencv_read flags,
                          uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    layout l = {0};
    UC_TRY(read_layout(tiff, &l, file, error));
    uc_opencv_type t = uc_opencv_asked(flags, l.dtype, l.channels);
    size_t size = uc_dtype_size(t.dtype);
    bool short_of = size > 1 && (l.planar == PLANARCONFIG_SEPARATE && l.samples > 1);
    /* what cv2 makes of planes in 16 bits hangs on memory that nobody wrote; wide ones don't change
     * their channels */
    if (short_of || t.channels == 2 || (size > 2 && t.channels != l.samples) ||
        (size == 2 && t.channels > 1 && l.samples != 1 && l.samples < 3) ||
        (size == 2 && t.channels == 4 && l.samples != 4))
        return refuse(&l, error);
    UC_TRY(uc_pixels_new(t.dtype, l.height, l.width, t.channels, arena, pixels, error));
    if (size == 1) {
        UC_TRY(read_rgba(tiff, &l, file, arena, pixels, error));
    } else {
        UC_TRY(read_samples(tiff, &l, file, arena, pixels, error));
    }
    return turn(&l, size > 1, arena, pixels, error);
}

uncork_status uc_opencv_tiff(uc_bytes bytes, uc_opencv_read flags, uc_arena *arena,
                             uc_pixels *pixels, uncork_error *error)
{
    uc_tiff_file file;
    TIFF *tiff = uc_tiff_file_open(&file, bytes);
    if (!tiff) return uc_tiff_file_broken(&file, "its directory doesn't hold", error);
    uncork_status status = read(tiff, &file, flags, arena, pixels, error);
    TIFFClose(tiff);
    return status;
}
