/* giflib's reader over bytes in memory, and Pillow's first frame on its canvas: a palette that only
 * counts up makes a grey picture; around a frame that doesn't cover the canvas lies the transparent
 * index, 0 without one.
 * Source: GIF89a; Pillow's GifImagePlugin for its choices; tests/image compares. */
#include "image/gif.h"

#include "base/limits.h"

#include <inttypes.h>

#include <gif_lib.h>

typedef struct decoder {
    uc_bytes bytes;
    size_t at;
    uc_gif_end end;
    bool past_end;
    int transparent; /* of the frame to come; -1: none */
    int disposal;
    uc_arena *arena;
    size_t capacity;
} decoder;

static int on_read(GifFileType *gif, GifByteType *to, int n)
{
    decoder *d = gif->UserData;
    size_t want = n > 0 ? (size_t)n : 0, left = d->bytes.size - d->at;
    size_t got = want < left ? want : left;
    memcpy(to, d->bytes.data + d->at, got);
    d->at += got;
    if (got == want) return n;
    d->past_end = true;
    if (d->end != UC_GIF_END_ZEROS) return (int)got;
    memset(to + got, 0, want - got);
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

/* Up to the next frame's descriptor (*there: there is one); the graphic control extension on the way
 * says what is transparent. */
static uncork_status find_frame(GifFileType *gif, decoder *d, bool *there, uncork_error *error)
{
    d->transparent = -1;
    d->disposal = 0;
    for (;;) {
        GifRecordType record;
        GifByteType *block;
        int code;
        *there = false;
        if (DGifGetRecordType(gif, &record) != GIF_OK) return broken(d, gif->Error, error);
        if (record == TERMINATE_RECORD_TYPE) return UNCORK_OK;
        if (record == IMAGE_DESC_RECORD_TYPE) {
            *there = true;
            return DGifGetImageDesc(gif) == GIF_OK ? UNCORK_OK : broken(d, gif->Error, error);
        }
        if (DGifGetExtension(gif, &code, &block) != GIF_OK) return broken(d, gif->Error, error);
        /* DGifSlurp takes an extension's first block for one even when it is empty */
        bool slurp = d->end == UC_GIF_END_SLURPED || d->end == UC_GIF_END_KEPT;
        while (block || slurp) {
            slurp = false;
            if (block && code == GRAPHICS_EXT_FUNC_CODE && block[0] >= 4) {
                d->transparent = block[1] & 1 ? block[4] : -1;
                d->disposal = block[1] >> 2 & 7;
            }
            if (DGifGetExtensionNext(gif, &block) != GIF_OK) return broken(d, gif->Error, error);
        }
    }
}

static uncork_status read_rows(GifFileType *gif, const decoder *d, uint8_t *indices,
                               uncork_error *error)
{
    static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    const GifImageDesc *frame = &gif->Image;
    for (int pass = 0; pass < (frame->Interlace ? 4 : 1); pass++) {
        int step = frame->Interlace ? steps[pass] : 1;
        for (int y = frame->Interlace ? starts[pass] : 0; y < frame->Height; y += step) {
            uint8_t *row = indices + (size_t)y * (size_t)frame->Width;
            UC_TRY(uc_arena_check(d->arena, error));
            if (DGifGetLine(gif, row, frame->Width) != GIF_OK) return broken(d, gif->Error, error);
        }
    }
    return UNCORK_OK;
}

static uncork_status copy_palette(const ColorMapObject *map, uc_arena *arena,
                                  const uint8_t **palette, int *count, uncork_error *error)
{
    if (!map || map->ColorCount < 1) return UNCORK_OK;
    uint8_t *to = uc_arena_alloc(arena, 256, 3);
    if (!to) return uc_arena_status(arena, error);
    *count = map->ColorCount < 256 ? map->ColorCount : 256;
    for (int i = 0; i < *count; i++) {
        to[3 * i] = map->Colors[i].Red;
        to[3 * i + 1] = map->Colors[i].Green;
        to[3 * i + 2] = map->Colors[i].Blue;
    }
    *palette = to;
    return UNCORK_OK;
}

static uncork_status read_frame(GifFileType *gif, decoder *d, uc_gif *to, uncork_error *error)
{
    const GifImageDesc *from = &gif->Image;
    if (from->Left < 0 || from->Top < 0 || from->Width < 1 || from->Height < 1)
        return uc_fail(error, UNCORK_MALFORMED, d->at, "broken GIF: a frame of %d x %d",
                       from->Width, from->Height);
    uc_gif_frame frame = {.left = from->Left,
                          .top = from->Top,
                          .width = from->Width,
                          .height = from->Height,
                          .palette = to->palette,
                          .palette_count = to->palette_count,
                          .own_palette = from->ColorMap != NULL,
                          .transparent = d->transparent,
                          .disposal = d->disposal};
    uc_pixels pixels;
    UC_TRY(copy_palette(from->ColorMap, d->arena, &frame.palette, &frame.palette_count, error));
    UC_TRY(uc_pixels_new(UNCORK_UINT8, from->Height, from->Width, 1, d->arena, &pixels, error));
    frame.indices = pixels.data;
    UC_TRY(read_rows(gif, d, pixels.data, error));
    uc_gif_frame *frames =
        uc_arena_grow(d->arena, to->frames, &d->capacity, to->count + 1, sizeof *frames);
    if (!frames) return uc_arena_status(d->arena, error);
    to->frames = frames;
    frames[to->count++] = frame;
    return UNCORK_OK;
}

static uncork_status read_frames(GifFileType *gif, decoder *d, size_t limit, uc_gif *to,
                                 uncork_error *error)
{
    uint64_t most = uc_arena_asked(d->arena) >> 16;
    if (most < UC_LIMIT_GIF_FRAMES) most = UC_LIMIT_GIF_FRAMES;
    *to =
        (uc_gif){.width = gif->SWidth, .height = gif->SHeight, .background = gif->SBackGroundColor};
    UC_TRY(copy_palette(gif->SColorMap, d->arena, &to->palette, &to->palette_count, error));
    while (to->count < limit) {
        bool there;
        uncork_status status = find_frame(gif, d, &there, error);
        if (!status && !there) break;
        if (!status && to->count == most) {
            uc_fail(error, UNCORK_LIMIT, d->at, "the GIF has more than %" PRIu64 " frames", most);
            return uc_fix(error, "give more memory by name (--max-memory)");
        }
        if (!status) status = read_frame(gif, d, to, error);
        to->cut = status == UNCORK_MALFORMED && d->end == UC_GIF_END_KEPT && to->count > 0;
        if (to->cut) break;
        UC_TRY(status);
    }
    if (to->count == 0)
        return uc_fail(error, UNCORK_MALFORMED, d->at, "broken GIF: it has no frame");
    return UNCORK_OK;
}

uncork_status uc_gif_read(uc_bytes bytes, size_t frames, uc_gif_end end, uc_arena *arena,
                          uc_gif *gif, uncork_error *error)
{
    decoder d = {.bytes = bytes, .end = end, .arena = arena};
    int code = 0;
    GifFileType *file = DGifOpen(&d, on_read, &code);
    if (!file) return broken(&d, code, error);
    uncork_status status = read_frames(file, &d, frames, gif, error);
    DGifCloseFile(file, &code);
    return status;
}

static bool counts_up(const uc_gif_frame *frame)
{
    for (int i = 0; i < frame->palette_count; i++) {
        const uint8_t *c = frame->palette + 3 * i;
        if (c[0] != i || c[1] != i || c[2] != i) return false;
    }
    return true;
}

static void set_palette(const uc_gif_frame *frame, uc_image *image)
{
    image->palette_count = frame->palette_count;
    for (int i = 0; i < 256; i++) { /* indices past the palette are grey, as in Pillow */
        bool there = i < frame->palette_count;
        for (int c = 0; c < 3; c++) {
            image->palette[i][c] = there ? frame->palette[3 * i + c] : (uint8_t)i;
        }
        image->palette[i][3] = i == frame->transparent ? 0 : 255;
    }
}

uncork_status uc_gif_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    uc_gif gif;
    UC_TRY(uc_gif_read(bytes, 1, UC_GIF_END_ZEROS, arena, &gif, error));
    const uc_gif_frame *frame = &gif.frames[0];
    int right = frame->left + frame->width, bottom = frame->top + frame->height;
    bool grey = !frame->palette || counts_up(frame),
         whole = right <= frame->width && bottom <= frame->height && gif.width <= right &&
                 gif.height <= bottom;
    UC_TRY(uc_image_new(grey ? UC_IMAGE_L : UC_IMAGE_P, right > gif.width ? right : gif.width,
                        bottom > gif.height ? bottom : gif.height, arena, image, error));
    image->format = "GIF";
    if (!grey) {
        set_palette(frame, image);
    } else if (frame->transparent >= 0) {
        image->has_key = true;
        image->key[0] = image->key[1] = image->key[2] = (uint16_t)frame->transparent;
    }
    if (!whole && frame->transparent >= 0)
        memset(image->data, frame->transparent, (size_t)image->width * (size_t)image->height);
    for (int y = 0; y < frame->height; y++) {
        memcpy((uint8_t *)image->data + (size_t)(frame->top + y) * (size_t)image->width +
                   frame->left,
               frame->indices + (size_t)y * (size_t)frame->width, (size_t)frame->width);
    }
    return UNCORK_OK;
}
