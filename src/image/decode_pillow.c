/* Pillow's ways to read a JPEG: Image.open and load, and Image.draft in front of load.
 * Source: Pillow 13.0.0, JpegImagePlugin.py (draft) and libImaging/JpegDecode.c. */
#include "image/decode.h"
#include "image/jpeg.h"

typedef struct draft {
    bool to_grey;
    int width, height; /* 0: no draft */
} draft;

/* The largest of 8, 4, 2 and 1 that leaves the picture at least as large as asked. */
static int draft_ratio(const uc_jpeg_header *h, const draft *to)
{
    if (to->width < 1 || to->height < 1) return 1;
    int across = h->width / to->width, down = h->height / to->height;
    int scale = across < down ? across : down;
    return scale >= 8 ? 8 : scale >= 4 ? 4 : scale >= 2 ? 2 : 1;
}

static uncork_status read(uc_jpeg *jpeg, const uc_jpeg_header *h, const draft *to, uc_arena *arena,
                          uc_image *image, uncork_error *error)
{
    uc_jpeg_settings s = {.color = UC_JPEG_RGB, .ratio = draft_ratio(h, to)};
    uc_image_mode mode = UC_IMAGE_RGB;
    uc_pixels pixels;
    if (h->components == 1 || (to->to_grey && h->components == 3)) {
        s.color = UC_JPEG_GREY;
        mode = UC_IMAGE_L;
    } else if (h->components == 4) {
        s.color = UC_JPEG_CMYK;
        mode = UC_IMAGE_CMYK;
    } else if (h->components != 3) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "a JPEG of %d components isn't read", h->components);
    }
    UC_TRY(uc_jpeg_read(jpeg, &s, arena, &pixels, error));
    *image = (uc_image){.mode = mode,
                        .width = pixels.width,
                        .height = pixels.height,
                        .data = pixels.data,
                        .orientation = h->orientation,
                        .format = "JPEG"};
    if (mode != UC_IMAGE_CMYK) return UNCORK_OK;
    uint8_t *p =
        pixels.data; /* kept with 255 for full ink, whether Adobe's marker is there or not */
    for (size_t i = 0; i < uc_pixels_count(&pixels); i++) {
        p[i] = (uint8_t)(255 - p[i]);
    }
    return UNCORK_OK;
}

static uncork_status decode(uc_bytes bytes, const draft *to, uc_arena *arena, uc_image *image,
                            uncork_error *error)
{
    uc_jpeg *jpeg;
    uc_jpeg_header header;
    UC_TRY(uc_jpeg_open(bytes, UC_JPEG_END_REFUSED, arena, &jpeg, &header, error));
    uncork_status status = read(jpeg, &header, to, arena, image, error);
    uc_jpeg_close(jpeg);
    return status;
}

uncork_status uc_jpeg_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    return decode(bytes, &(draft){0}, arena, image, error);
}

uncork_status uc_decode_pillow_draft(uc_bytes bytes, bool to_grey, int width, int height,
                                     uc_arena *arena, uc_image *image, uncork_error *error)
{
    bool is_jpeg = bytes.size > 3 && memcmp(bytes.data, "\xff\xd8\xff", 3) == 0;
    if (!is_jpeg) return uc_image_decode(bytes, arena, image, error);
    return decode(bytes, &(draft){to_grey, width, height}, arena, image, error);
}
