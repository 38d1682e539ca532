/* GIF through giflib: the first frame on its canvas, as Pillow opens it. A palette that only counts up
 * makes a grey picture; around a frame that doesn't cover the canvas lies the transparent index, 0
 * without one.
 * Source: GIF89a; Pillow's GifImagePlugin for its choices; tests/image compares. */
#include "image/image.h"

#include <gif_lib.h>

typedef struct decoder {
    uc_bytes bytes;
    size_t at;
    bool past_end;
    int transparent; /* index, -1: none */
} decoder;

/* Zeros behind the end: a file that lacks only its last blocks still opens, as in Pillow. */
static int on_read(GifFileType *gif, GifByteType *to, int n)
{
    decoder *d = gif->UserData;
    size_t want = n > 0 ? (size_t)n : 0, left = d->bytes.size - d->at;
    size_t got = want < left ? want : left;
    memcpy(to, d->bytes.data + d->at, got);
    memset(to + got, 0, want - got);
    d->at += got;
    if (got < want) d->past_end = true;
    return n;
}

static uncork_status broken(const decoder *d, int code, uncork_error *error)
{
    if (d->past_end) {
        uc_fail(error, UNCORK_MALFORMED, d->bytes.size,
                "the GIF is cut short: its %zu bytes end inside the picture", d->bytes.size);
        return uc_fix(error, "copy or download it again");
    }
    const char *text = GifErrorString(code);
    return uc_fail(error, UNCORK_MALFORMED, d->at, "broken GIF: %s",
                   text ? text : "its blocks don't hold");
}

static bool counts_up(const ColorMapObject *map)
{
    for (int i = 0; i < map->ColorCount; i++) {
        const GifColorType *c = &map->Colors[i];
        if (c->Red != i || c->Green != i || c->Blue != i) return false;
    }
    return true;
}

static void set_palette(const ColorMapObject *map, int transparent, uc_image *image)
{
    image->palette_count = map->ColorCount < 256 ? map->ColorCount : 256;
    for (int i = 0; i < 256; i++) { /* indices past the palette are grey, as in Pillow */
        bool there = i < image->palette_count;
        image->palette[i][0] = there ? map->Colors[i].Red : (uint8_t)i;
        image->palette[i][1] = there ? map->Colors[i].Green : (uint8_t)i;
        image->palette[i][2] = there ? map->Colors[i].Blue : (uint8_t)i;
        image->palette[i][3] = i == transparent ? 0 : 255;
    }
}

/* Up to the first frame's descriptor; the graphic control extension on the way says what is
 * transparent. */
static uncork_status find_frame(GifFileType *gif, decoder *d, uncork_error *error)
{
    for (;;) {
        GifRecordType record;
        GifByteType *block;
        int code;
        if (DGifGetRecordType(gif, &record) != GIF_OK) return broken(d, gif->Error, error);
        if (record == TERMINATE_RECORD_TYPE) {
            return uc_fail(error, UNCORK_MALFORMED, d->at, "broken GIF: it has no frame");
        }
        if (record == IMAGE_DESC_RECORD_TYPE) {
            return DGifGetImageDesc(gif) == GIF_OK ? UNCORK_OK : broken(d, gif->Error, error);
        }
        if (DGifGetExtension(gif, &code, &block) != GIF_OK) return broken(d, gif->Error, error);
        while (block) {
            if (code == GRAPHICS_EXT_FUNC_CODE && block[0] >= 4 && (block[1] & 1))
                d->transparent = block[4];
            if (DGifGetExtensionNext(gif, &block) != GIF_OK) return broken(d, gif->Error, error);
        }
    }
}

static uncork_status read_rows(GifFileType *gif, const decoder *d, const uc_image *image,
                               uncork_error *error)
{
    static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    const GifImageDesc *frame = &gif->Image;
    for (int pass = 0; pass < (frame->Interlace ? 4 : 1); pass++) {
        int step = frame->Interlace ? steps[pass] : 1;
        for (int y = frame->Interlace ? starts[pass] : 0; y < frame->Height; y += step) {
            uint8_t *row = (uint8_t *)image->data +
                           (size_t)(frame->Top + y) * (size_t)image->width + frame->Left;
            if (DGifGetLine(gif, row, frame->Width) != GIF_OK) return broken(d, gif->Error, error);
        }
    }
    return UNCORK_OK;
}

static uncork_status decode(GifFileType *gif, decoder *d, uc_arena *arena, uc_image *image,
                            uncork_error *error)
{
    UC_TRY(find_frame(gif, d, error));
    const GifImageDesc *frame = &gif->Image;
    if (frame->Left < 0 || frame->Top < 0 || frame->Width < 1 || frame->Height < 1)
        return uc_fail(error, UNCORK_MALFORMED, d->at, "broken GIF: a frame of %d x %d",
                       frame->Width, frame->Height);
    int right = frame->Left + frame->Width, bottom = frame->Top + frame->Height;
    const ColorMapObject *map = frame->ColorMap ? frame->ColorMap : gif->SColorMap;
    if (map && counts_up(map)) map = NULL;
    UC_TRY(uc_image_new(map ? UC_IMAGE_P : UC_IMAGE_L, right > gif->SWidth ? right : gif->SWidth,
                        bottom > gif->SHeight ? bottom : gif->SHeight, arena, image, error));
    image->format = "GIF";
    if (map) {
        set_palette(map, d->transparent, image);
    } else if (d->transparent >= 0) {
        image->has_key = true;
        image->key[0] = image->key[1] = image->key[2] = (uint16_t)d->transparent;
    }
    if (d->transparent >= 0)
        memset(image->data, d->transparent, (size_t)image->width * (size_t)image->height);
    return read_rows(gif, d, image, error);
}

uncork_status uc_gif_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    decoder d = {.bytes = bytes, .transparent = -1};
    int code = 0;
    GifFileType *gif = DGifOpen(&d, on_read, &code);
    if (!gif) return broken(&d, code, error);
    uncork_status status = decode(gif, &d, arena, image, error);
    DGifCloseFile(gif, &code);
    return status;
}
