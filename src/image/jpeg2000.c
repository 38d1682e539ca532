/* JPEG 2000 through OpenJPEG, codestreams and JP2 files, giving Pillow's modes: L (I;16 above 8 bits), LA,
 * RGB, RGBA; deeper colour is rounded to 8 bits. Source: ITU-T T.800; Pillow 13.0.0,
 * libImaging/Jpeg2KDecode.c for its choices. */
#include "image/image.h"

#include <stdio.h>

#include <openjpeg.h>

typedef struct decoder {
    uc_bytes bytes;
    size_t at;
    char message[200]; /* OpenJPEG's first */
} decoder;

static void on_error(const char *text, void *user)
{
    decoder *d = user;
    if (d->message[0]) return;
    snprintf(d->message, sizeof d->message, "%s", text);
    d->message[strcspn(d->message, "\r\n")] = '\0';
}

static void on_message(const char *text, void *user)
{
    (void)text;
    (void)user;
}

static OPJ_SIZE_T on_read(void *to, OPJ_SIZE_T n, void *user)
{
    decoder *d = user;
    size_t left = d->bytes.size - d->at;
    if (left == 0) return (OPJ_SIZE_T)-1;
    if (n > left) n = left;
    memcpy(to, d->bytes.data + d->at, n);
    d->at += n;
    return n;
}

static OPJ_OFF_T on_skip(OPJ_OFF_T n, void *user)
{
    decoder *d = user;
    size_t left = d->bytes.size - d->at;
    if (n < 0) return -1;
    if ((uint64_t)n > left) n = (OPJ_OFF_T)left;
    d->at += (size_t)n;
    return n;
}

static OPJ_BOOL on_seek(OPJ_OFF_T to, void *user)
{
    decoder *d = user;
    if (to < 0 || (uint64_t)to > d->bytes.size) return OPJ_FALSE;
    d->at = (size_t)to;
    return OPJ_TRUE;
}

static uncork_status broken(const decoder *d, const char *what, uncork_error *error)
{
    return uc_fail(error, UNCORK_MALFORMED, d->at, "broken JPEG 2000: %s",
                   d->message[0] ? d->message : what);
}

static uncork_status check(const opj_image_t *from, uc_image_mode *mode, uncork_error *error)
{
    static const uc_image_mode modes[] = {UC_IMAGE_L, UC_IMAGE_LA, UC_IMAGE_RGB, UC_IMAGE_RGBA};
    unsigned n = from->numcomps;
    bool known = n >= 1 && n <= 4 && from->color_space != OPJ_CLRSPC_SYCC &&
                 from->color_space != OPJ_CLRSPC_EYCC && from->color_space != OPJ_CLRSPC_CMYK;
    for (unsigned c = 0; known && c < n; c++) {
        const opj_image_comp_t *p = &from->comps[c];
        known = p->dx == 1 && p->dy == 1 && p->w == from->comps[0].w && p->h == from->comps[0].h &&
                p->prec >= 1 && p->prec <= 16;
    }
    if (!known) {
        uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                "a JPEG 2000 of %u components in colour space %d isn't read", n,
                (int)from->color_space);
        return uc_fix(error, "save it as PNG first");
    }
    *mode = n == 1 && from->comps[0].prec > 8 ? UC_IMAGE_I16 : modes[n - 1];
    return UNCORK_OK;
}

static void put_component(const opj_image_comp_t *from, const uc_image *image, unsigned c)
{
    size_t n = (size_t)image->width * (size_t)image->height,
           step = (size_t)uc_image_channels(image->mode);
    bool wide = image->mode == UC_IMAGE_I16;
    int prec = (int)from->prec, shift = (wide ? 16 : 8) - prec,
        offset = from->sgnd ? 1 << (prec - 1) : 0;
    if (shift < 0) offset += 1 << (-shift - 1);
    for (size_t i = 0; i < n; i++) {
        int64_t v = (int64_t)from->data[i] + offset;
        unsigned w = (unsigned)(shift < 0 ? v >> -shift : v * (1 << shift));
        if (wide)
            ((uint16_t *)image->data)[i] = (uint16_t)w;
        else
            ((uint8_t *)image->data)[i * step + c] = (uint8_t)w;
    }
}

static uncork_status read(opj_codec_t *codec, opj_stream_t *stream, decoder *d, opj_image_t **from,
                          uc_arena *arena, uc_image *image, uncork_error *error)
{
    opj_dparameters_t parameters;
    uc_image_mode mode;
    opj_set_default_decoder_parameters(&parameters);
    opj_set_error_handler(codec, on_error, d);
    opj_set_warning_handler(codec, on_message, d);
    opj_set_info_handler(codec, on_message, d);
    if (!opj_setup_decoder(codec, &parameters) || !opj_read_header(stream, codec, from))
        return broken(d, "its header doesn't hold", error);
    UC_TRY(check(*from, &mode, error));
    UC_TRY(uc_image_new(mode, (*from)->comps[0].w, (*from)->comps[0].h, arena, image, error));
    image->format = "JPEG 2000";
    /* int32 a sample, once in the picture and once in its tile */
    uint64_t lent =
        (uint64_t)image->width * (uint64_t)image->height * (*from)->numcomps * 8 + (1u << 20);
    UC_TRY(uc_arena_lend(arena, lent, "decoding a JPEG 2000 picture", error));
    bool ok = opj_decode(codec, stream, *from) && opj_end_decompress(codec, stream);
    uc_arena_unlend(arena, lent);
    if (!ok) return broken(d, "its pixels don't decode", error);
    /* a palette has become colours, and components may be missing */
    uc_image_mode now;
    UC_TRY(check(*from, &now, error));
    if ((int)(*from)->comps[0].w != image->width || (int)(*from)->comps[0].h != image->height)
        return broken(d, "its size changes", error);
    if (now != mode) {
        UC_TRY(uc_image_new(now, image->width, image->height, arena, image, error));
        image->format = "JPEG 2000";
    }
    for (unsigned c = 0; c < (*from)->numcomps; c++) {
        if (!(*from)->comps[c].data) return broken(d, "a component is missing", error);
        put_component(&(*from)->comps[c], image, c);
    }
    return UNCORK_OK;
}

uncork_status uc_jpeg2000_decode(uc_bytes bytes, uc_arena *arena, uc_image *image,
                                 uncork_error *error)
{
    decoder d = {.bytes = bytes};
    bool stream_only = bytes.size > 1 && bytes.data[0] == 0xff;
    opj_image_t *from = NULL;
    opj_codec_t *codec = opj_create_decompress(stream_only ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
    opj_stream_t *stream = opj_stream_create(bytes.size < 65536 ? 65536 : 1 << 20, OPJ_TRUE);
    uncork_status status = UNCORK_OK;
    if (codec && stream) {
        opj_stream_set_user_data(stream, &d, NULL);
        opj_stream_set_user_data_length(stream, bytes.size);
        opj_stream_set_read_function(stream, on_read);
        opj_stream_set_skip_function(stream, on_skip);
        opj_stream_set_seek_function(stream, on_seek);
        status = read(codec, stream, &d, &from, arena, image, error);
    } else {
        status = uc_fail_memory(error);
    }
    if (from) opj_image_destroy(from);
    if (stream) opj_stream_destroy(stream);
    if (codec) opj_destroy_codec(codec);
    return status;
}
