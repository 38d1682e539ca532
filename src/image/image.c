/* Pictures by their signature; the pixel container. */
#include "image/image.h"

#include "base/limits.h"

#include <inttypes.h>

int uc_image_channels(uc_image_mode mode)
{
    switch (mode) {
    case UC_IMAGE_LA: return 2;
    case UC_IMAGE_RGB: return 3;
    case UC_IMAGE_RGBA:
    case UC_IMAGE_CMYK: return 4;
    case UC_IMAGE_1:
    case UC_IMAGE_L:
    case UC_IMAGE_P:
    case UC_IMAGE_I16:
    case UC_IMAGE_I:
    case UC_IMAGE_F: break;
    }
    return 1;
}

size_t uc_image_channel_bytes(uc_image_mode mode)
{
    if (mode == UC_IMAGE_I16) return 2;
    return mode == UC_IMAGE_I || mode == UC_IMAGE_F ? 4 : 1;
}

const char *uc_image_mode_name(uc_image_mode mode)
{
    static const char *const names[] = {"1",    "L",    "LA",   "P", "RGB",
                                        "RGBA", "CMYK", "I;16", "I", "F"};
    return (unsigned)mode < sizeof names / sizeof names[0] ? names[mode] : "?";
}

/* Whatever is asked for: times 16 channels of 8 bytes it stays far from the end of size_t. */
#define MOST_PIXELS ((uint64_t)1 << 40)

uncork_status uc_image_check_size(int64_t width, int64_t height, const uc_arena *arena,
                                  uncork_error *error)
{
    uint64_t limit = uc_arena_asked(arena) / 4;
    if (limit < UC_LIMIT_IMAGE_PIXELS) limit = UC_LIMIT_IMAGE_PIXELS;
    if (limit > MOST_PIXELS) limit = MOST_PIXELS;
    if (width <= INT32_MAX && height <= INT32_MAX && (uint64_t)width <= limit / (uint64_t)height)
        return UNCORK_OK;
    uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET,
            "the picture of %" PRId64 " x %" PRId64 " pixels is over the limit of %" PRIu64
            " pixels",
            width, height, limit);
    return uc_fix(error, "scale it down first, or give more memory by name (--max-memory)");
}

uncork_status uc_image_new(uc_image_mode mode, int64_t width, int64_t height, uc_arena *arena,
                           uc_image *image, uncork_error *error)
{
    if (width < 1 || height < 1) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "the picture is empty: %" PRId64 " x %" PRId64, width, height);
    }
    UC_TRY(uc_image_check_size(width, height, arena, error));
    *image = (uc_image){.mode = mode, .width = (int)width, .height = (int)height, .orientation = 1};
    image->data = uc_arena_alloc(arena, (size_t)width * (size_t)height,
                                 (size_t)uc_image_channels(mode) * uc_image_channel_bytes(mode));
    return image->data ? UNCORK_OK : uc_arena_status(arena, error);
}

typedef struct picture_format {
    size_t at;
    const char *signature;
    size_t size;
    uncork_status (*decode)(uc_bytes, uc_arena *, uc_image *, uncork_error *);
    const char *what, *fix;
} picture_format;

#define CONVERT "save it as PNG or JPEG first"
#define KNOWN(at, text, decode)                        \
    {                                                  \
        at, text, sizeof(text) - 1, decode, NULL, NULL \
    }
#define NAMED(at, text, what, fix)                  \
    {                                               \
        at, text, sizeof(text) - 1, NULL, what, fix \
    }
/* Formats of libraries that a build may be configured without: cmake/pictures.cmake sets these. */
#ifdef UC_WITH_GIF
#    define GIF(at, text) KNOWN(at, text, uc_gif_decode)
#    define HAS_GIF       true
#else
#    define GIF(at, text) NAMED(at, text, "a GIF picture", CONVERT)
#    define HAS_GIF       false
#endif
#ifdef UC_WITH_WEBP
#    define WEBP(at, text) KNOWN(at, text, uc_webp_decode)
#    define HAS_WEBP       true
#else
#    define WEBP(at, text) NAMED(at, text, "a WebP picture", CONVERT)
#    define HAS_WEBP       false
#endif
#ifdef UC_WITH_TIFF
#    define TIFF(at, text) KNOWN(at, text, uc_tiff_decode)
#    define HAS_TIFF       true
#else
#    define TIFF(at, text) NAMED(at, text, "a TIFF picture", CONVERT)
#    define HAS_TIFF       false
#endif
#ifdef UC_WITH_JPEG2000
#    define JPEG2000(at, text) KNOWN(at, text, uc_jpeg2000_decode)
#    define HAS_JPEG2000       true
#else
#    define JPEG2000(at, text) NAMED(at, text, "a JPEG 2000 picture", CONVERT)
#    define HAS_JPEG2000       false
#endif

static const picture_format formats[] = {
    KNOWN(0, "\xff\xd8\xff", uc_jpeg_decode),
    KNOWN(0, "\x89PNG\r\n\x1a\n", uc_png_decode),
    KNOWN(0, "BM", uc_bmp_decode),
    GIF(0, "GIF87a"),
    GIF(0, "GIF89a"),
    WEBP(8, "WEBP"),
    TIFF(0, "II*\0"),
    TIFF(0, "MM\0*"),
    TIFF(0, "II+\0"),
    TIFF(0, "MM\0+"),
    JPEG2000(0, "\x00\x00\x00\x0cjP  \r\n\x87\n"),
    JPEG2000(0, "\xff\x4f\xff\x51"),
    NAMED(4, "ftypheic", "a HEIC photograph",
          "phones convert it to JPEG when it is shared; heif-convert does it here"),
    NAMED(4, "ftypheix", "a HEIC photograph",
          "phones convert it to JPEG when it is shared; heif-convert does it here"),
    NAMED(4, "ftypmif1", "a HEIF photograph", "heif-convert makes a JPEG of it"),
    NAMED(4, "ftypavif", "an AVIF picture", "avifdec makes a PNG of it"),
    NAMED(0, "\x00\x00\x01\x00", "an icon (ICO)", CONVERT),
    NAMED(0, "qoif", "a QOI picture", CONVERT),
    NAMED(0, "DDS ", "a DDS texture", CONVERT),
    NAMED(0, "%PDF", "a PDF document", "export the page as a picture"),
    NAMED(0, "<svg", "an SVG drawing", "render it to PNG first"),
    NAMED(0, "8BPS", "a Photoshop document", CONVERT),
    NAMED(0, "version https://git-lfs", "a Git LFS pointer in place of the picture",
          "fetch the picture itself: git lfs pull"),
    NAMED(0, "<!DOCTYPE", "a web page saved as a picture", "download the picture itself"),
    NAMED(0, "<html", "a web page saved as a picture", "download the picture itself"),
    KNOWN(0, "P1", uc_pnm_decode),
    KNOWN(0, "P2", uc_pnm_decode),
    KNOWN(0, "P3", uc_pnm_decode),
    KNOWN(0, "P4", uc_pnm_decode),
    KNOWN(0, "P5", uc_pnm_decode),
    KNOWN(0, "P6", uc_pnm_decode),
    KNOWN(0, "P7", uc_pnm_decode),
};

uncork_status uc_image_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    if (bytes.size == 0)
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "the picture's file is empty");
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const picture_format *f = &formats[i];
        if (bytes.size < f->at + f->size || memcmp(bytes.data + f->at, f->signature, f->size) != 0)
            continue;
        if (f->decode) return f->decode(bytes, arena, image, error);
        uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                "this is %s, which this build doesn't read", f->what);
        return uc_fix(error, "%s", f->fix);
    }
    uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "this is no picture of a known format");
    return uc_fix(error, "uncork formats lists those that are read");
}

const char *uc_image_format_at(size_t i, bool *there)
{
    static const struct {
        const char *name;
        bool there;
    } all[] = {
        {"JPEG", true},   {"PNG", true},      {"BMP", true},      {"PNM", true},
        {"GIF", HAS_GIF}, {"WebP", HAS_WEBP}, {"TIFF", HAS_TIFF}, {"JPEG 2000", HAS_JPEG2000}};
    if (i >= sizeof all / sizeof all[0]) return NULL;
    *there = all[i].there;
    return all[i].name;
}
