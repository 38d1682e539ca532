/* JPEG out through libjpeg: baseline, accurate DCT, optimised Huffman tables, a JFIF header. */
#include "base/dtype.h"
#include "image/write.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

typedef struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf jump;
    const uc_pixels *pixels;
    int quality;
    uc_writer *w;
    char message[JMSG_LENGTH_MAX];
    uint8_t buffer[16384];
} encoder;

static void on_error(j_common_ptr jpeg)
{
    encoder *e = jpeg->client_data;
    if (!e->message[0]) jpeg->err->format_message(jpeg, e->message);
    longjmp(e->jump, 1);
}

static void on_message(j_common_ptr jpeg, int level)
{
    (void)jpeg;
    (void)level;
}

static void begin(j_compress_ptr jpeg)
{
    encoder *e = jpeg->client_data;
    e->destination.next_output_byte = e->buffer;
    e->destination.free_in_buffer = sizeof e->buffer;
}

static void flush(encoder *e, size_t n)
{
    uc_writer_put(e->w, e->buffer, n);
    if (e->w->status == UNCORK_OK) return;
    snprintf(e->message, sizeof e->message, "the file gets too large");
    longjmp(e->jump, 1);
}

static boolean empty(j_compress_ptr jpeg)
{
    encoder *e = jpeg->client_data;
    flush(e, sizeof e->buffer); /* all of it, whatever free_in_buffer says: libjpeg's rule */
    begin(jpeg);
    return TRUE;
}

static void end(j_compress_ptr jpeg)
{
    encoder *e = jpeg->client_data;
    flush(e, sizeof e->buffer - e->destination.free_in_buffer);
}

static void choose(encoder *e)
{
    const uc_pixels *p = e->pixels;
    e->jpeg.image_width = (JDIMENSION)p->width;
    e->jpeg.image_height = (JDIMENSION)p->height;
    e->jpeg.input_components = p->channels;
    e->jpeg.in_color_space = p->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&e->jpeg);
    jpeg_set_quality(&e->jpeg, e->quality, TRUE);
    e->jpeg.dct_method = JDCT_ISLOW;
    e->jpeg.optimize_coding = TRUE;
    e->jpeg.comp_info[0].h_samp_factor = 1; /* no subsampling */
    e->jpeg.comp_info[0].v_samp_factor = 1;
}

static uncork_status encode(encoder *e, uncork_error *error)
{
    e->jpeg.err = jpeg_std_error(&e->errors);
    e->errors.error_exit = on_error;
    e->errors.emit_message = on_message;
    e->jpeg.client_data = e;
    if (setjmp(e->jump)) {
        const uncork_status status = e->w->status != UNCORK_OK ? e->w->status : UNCORK_NO_MEMORY;
        return uc_fail(error, status, UC_NO_OFFSET, "the JPEG can't be written: %s", e->message);
    }
    jpeg_create_compress(&e->jpeg);
    e->jpeg.client_data = e; /* create clears it in older libraries */
    e->destination = (struct jpeg_destination_mgr){
        .init_destination = begin, .empty_output_buffer = empty, .term_destination = end};
    e->jpeg.dest = &e->destination;
    choose(e);
    jpeg_start_compress(&e->jpeg, TRUE);
    const size_t row_bytes = uc_pixels_bytes(e->pixels) / (size_t)e->pixels->height;
    while (e->jpeg.next_scanline < e->jpeg.image_height) {
        JSAMPROW row = (JSAMPROW)e->pixels->data + (size_t)e->jpeg.next_scanline * row_bytes;
        jpeg_write_scanlines(&e->jpeg, &row, 1);
    }
    jpeg_finish_compress(&e->jpeg);
    return UNCORK_OK;
}

uncork_status uc_jpeg_write(const uc_pixels *pixels, int quality, uc_writer *w, uncork_error *error)
{
    const bool kind = pixels->channels == 1 || pixels->channels == 3;
    if (pixels->dtype != UNCORK_UINT8 || !kind || pixels->width < 1 || pixels->height < 1 ||
        pixels->width > JPEG_MAX_DIMENSION || pixels->height > JPEG_MAX_DIMENSION) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "%s[%d, %d, %d] can't be a JPEG: uint8 of 1 or 3 channels can, up to %ld "
                       "pixels a side",
                       uc_dtype_name(pixels->dtype), pixels->height, pixels->width,
                       pixels->channels, JPEG_MAX_DIMENSION);
    }
    if (quality < 1 || quality > 100) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "JPEG quality %d isn't within 1 to 100",
                       quality);
    }
    encoder e = {.pixels = pixels, .quality = quality, .w = w};
    const uncork_status status = encode(&e, error);
    jpeg_destroy_compress(&e.jpeg);
    return status;
}
