/* WebP through libwebp: lossy and lossless, with and without alpha, the first frame of animations.
 * Pillow composes animations on a canvas of transparent black, so a first frame that doesn't cover it
 * leaves that around it; RGB pictures drop the alpha. */
#include "image/webp.h"
#include "image/exif.h"

#include <webp/decode.h>
#include <webp/demux.h>

static uncork_status broken(uc_bytes bytes, const char *what, uncork_error *error)
{
    uint64_t whole = bytes.size >= 8 ? (uint64_t)uc_load_u32le(bytes.data + 4) + 8 : 8;
    if (whole > bytes.size) {
        uc_fail(error, UNCORK_MALFORMED, bytes.size,
                "the WebP is cut short: its %zu bytes end inside the picture", bytes.size);
        return uc_fix(error, "copy or download it again");
    }
    return uc_fail(error, UNCORK_MALFORMED, 0, "broken WebP: %s", what);
}

static int find_orientation(const WebPDemuxer *file)
{
    WebPChunkIterator chunk;
    int orientation = 1;
    if (WebPDemuxGetChunk(file, "EXIF", 1, &chunk)) {
        orientation = uc_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    return orientation;
}

/* Bytes that libwebp is given at a time, between which the time given is looked at. */
#define PART_BYTES ((size_t)256 << 10)

/* `config.output` has the place of the pixels. */
static uncork_status decode_parts(uc_bytes file, WebPDecoderConfig *config, uc_arena *arena,
                                  uncork_error *error)
{
    WebPIDecoder *decoder = WebPIDecode(NULL, 0, config);
    if (!decoder) return uc_fail_memory(error);
    VP8StatusCode code = VP8_STATUS_SUSPENDED;
    uncork_status status = UNCORK_OK;
    for (size_t at = 0; status == UNCORK_OK && code == VP8_STATUS_SUSPENDED && at < file.size;) {
        at = file.size - at > PART_BYTES ? at + PART_BYTES : file.size;
        code = WebPIUpdate(decoder, file.data, at);
        status = uc_arena_check(arena, error);
    }
    WebPIDelete(decoder);
    if (status) return status;
    if (code == VP8_STATUS_OUT_OF_MEMORY) return uc_fail_memory(error);
    return code == VP8_STATUS_OK ? UNCORK_OK : broken(file, "its pixels don't decode", error);
}

/* The frame's pixels straight into their place on the canvas. */
static uncork_status decode_frame(const WebPIterator *frame, uc_bytes bytes, uc_arena *arena,
                                  const uc_image *image, uncork_error *error)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "libwebp has another ABI");
    size_t channels = (size_t)uc_image_channels(image->mode),
           stride = (size_t)image->width * channels;
    if (frame->x_offset < 0 || frame->y_offset < 0 ||
        frame->width > image->width - frame->x_offset ||
        frame->height > image->height - frame->y_offset || stride > INT32_MAX)
        return broken(bytes, "a frame outside of its canvas", error);
    size_t skipped = (size_t)frame->y_offset * stride + (size_t)frame->x_offset * channels;
    config.output.colorspace = image->mode == UC_IMAGE_RGBA ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = (uint8_t *)image->data + skipped;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = (size_t)image->height * stride - skipped;
    /* lossless needs 4 bytes a pixel beside the output, a lossy alpha plane 1 more */
    uint64_t lent = (uint64_t)frame->width * (uint64_t)frame->height * 5 + (1u << 20);
    UC_TRY(uc_arena_lend(arena, lent, "decoding a WebP picture", error));
    uncork_status status = decode_parts((uc_bytes){frame->fragment.bytes, frame->fragment.size},
                                        &config, arena, error);
    WebPFreeDecBuffer(&config.output);
    uc_arena_unlend(arena, lent);
    return status;
}

static uncork_status decode(const WebPDemuxer *file, uc_bytes bytes, uc_arena *arena,
                            uc_image *image, uncork_error *error)
{
    WebPIterator frame;
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(bytes.data, bytes.size, &features) != VP8_STATUS_OK)
        return broken(bytes, "its header doesn't hold", error);
    UC_TRY(uc_image_new(features.has_alpha ? UC_IMAGE_RGBA : UC_IMAGE_RGB,
                        WebPDemuxGetI(file, WEBP_FF_CANVAS_WIDTH),
                        WebPDemuxGetI(file, WEBP_FF_CANVAS_HEIGHT), arena, image, error));
    image->format = "WebP";
    image->orientation = find_orientation(file);
    if (!WebPDemuxGetFrame(file, 1, &frame)) return broken(bytes, "it has no frame", error);
    uncork_status status = decode_frame(&frame, bytes, arena, image, error);
    WebPDemuxReleaseIterator(&frame);
    return status;
}

uncork_status uc_webp_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    WebPDemuxer *file = WebPDemux(&(WebPData){bytes.data, bytes.size});
    if (!file) return broken(bytes, "its chunks don't hold", error);
    uncork_status status = decode(file, bytes, arena, image, error);
    WebPDemuxDelete(file);
    return status;
}

uncork_status uc_webp_header_read(uc_bytes bytes, uc_webp_header *header, uncork_error *error)
{
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(bytes.data, bytes.size, &features) != VP8_STATUS_OK)
        return broken(bytes, "its header doesn't hold", error);
    *header = (uc_webp_header){.width = features.width,
                               .height = features.height,
                               .frames = 1,
                               .alpha = features.has_alpha,
                               .animated = features.has_animation};
    if (!header->animated) return UNCORK_OK;
    WebPDemuxer *file = WebPDemux(&(WebPData){bytes.data, bytes.size});
    if (!file) return broken(bytes, "its chunks don't hold", error);
    header->width = (int)WebPDemuxGetI(file, WEBP_FF_CANVAS_WIDTH);
    header->height = (int)WebPDemuxGetI(file, WEBP_FF_CANVAS_HEIGHT);
    header->frames = (int)WebPDemuxGetI(file, WEBP_FF_FRAME_COUNT);
    WebPDemuxDelete(file);
    return UNCORK_OK;
}

static uncork_status read_animation(uc_bytes bytes, int frames, uc_arena *arena,
                                    const uc_pixels *pixels, uncork_error *error)
{
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&(WebPData){bytes.data, bytes.size}, NULL);
    size_t size = uc_pixels_bytes(pixels);
    uncork_status status = decoder ? UNCORK_OK : broken(bytes, "its animation doesn't open", error);
    for (int i = 0; !status && i < frames; i++) {
        uint8_t *frame;
        int time;
        status = uc_arena_check(arena, error);
        if (status) break;
        if (WebPAnimDecoderGetNext(decoder, &frame, &time))
            memcpy((uint8_t *)pixels->data + (size_t)i * size, frame, size);
        else
            status = broken(bytes, "a frame doesn't decode", error);
    }
    WebPAnimDecoderDelete(decoder);
    return status;
}

uncork_status uc_webp_read(uc_bytes bytes, const uc_webp_header *header, int frames,
                           uc_arena *arena, const uc_pixels *pixels, uncork_error *error)
{
    size_t stride = (size_t)pixels->width * (size_t)pixels->channels,
           size = stride * (size_t)pixels->height;
    /* as above, and an animation's two canvases */
    uint64_t pixel = header->animated ? 16 : 5,
             lent = (uint64_t)pixels->width * (uint64_t)pixels->height * pixel + (1u << 20);
    if (stride > INT32_MAX)
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET, "a WebP of %d pixels a row",
                       pixels->width);
    UC_TRY(uc_arena_lend(arena, lent, "decoding a WebP picture", error));
    uncork_status status = UNCORK_OK;
    if (header->animated) {
        status = read_animation(bytes, frames, arena, pixels, error);
    } else {
        WebPDecoderConfig config;
        if (!WebPInitDecoderConfig(&config)) {
            uc_arena_unlend(arena, lent);
            return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "libwebp has another ABI");
        }
        config.output.colorspace = pixels->channels == 4 ? MODE_RGBA : MODE_RGB;
        config.output.is_external_memory = 1;
        config.output.u.RGBA.rgba = pixels->data;
        config.output.u.RGBA.stride = (int)stride;
        config.output.u.RGBA.size = size;
        status = decode_parts(bytes, &config, arena, error);
        WebPFreeDecBuffer(&config.output);
    }
    uc_arena_unlend(arena, lent);
    return status;
}
