/* JPEG through libjpeg-turbo with the settings that equal Pillow's Image.open (accurate integer DCT,
 * fancy upsampling, block smoothing; tests/image compares). CMYK and YCCK come out as Pillow keeps
 * them: all four samples inverted. */
#include "image/exif.h"
#include "image/image.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

/* Scans of a progressive file: real ones have 10, each costs a pass over the whole picture. */
#define MAX_SCANS 500

typedef struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    uc_bytes bytes;
    bool truncated, too_many_scans;
    char message[JMSG_LENGTH_MAX];
} decoder;

static void on_error(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    if (!d->message[0]) jpeg->err->format_message(jpeg, d->message);
    longjmp(d->jump, 1);
}

static void on_message(j_common_ptr jpeg, int level)
{
    (void)jpeg;
    (void)level; /* warnings don't stop Pillow, and libraries print nothing here */
}

static void source_nothing(j_decompress_ptr jpeg) { (void)jpeg; }

static boolean source_fill(j_decompress_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    d->truncated = true;
    longjmp(d->jump, 1);
}

static void source_skip(j_decompress_ptr jpeg, long n)
{
    if (n <= 0) return;
    if ((size_t)n > jpeg->src->bytes_in_buffer) source_fill(jpeg);
    jpeg->src->next_input_byte += n;
    jpeg->src->bytes_in_buffer -= (size_t)n;
}

static void on_progress(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    if (jpeg->is_decompressor && ((j_decompress_ptr)jpeg)->input_scan_number > MAX_SCANS) {
        d->too_many_scans = true;
        longjmp(d->jump, 1);
    }
}

static int find_orientation(const struct jpeg_decompress_struct *jpeg)
{
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next) {
        /* XMP is an APP1 too */
        bool exif = m->data_length >= 6 && memcmp(m->data, "Exif\0\0", 6) == 0;
        int v = exif ? uc_exif_orientation(m->data, m->data_length) : 1;
        if (v != 1) return v;
    }
    return 1;
}

static void choose_mode(struct jpeg_decompress_struct *jpeg, uc_image_mode *mode)
{
    switch (jpeg->num_components) {
    case 1:
        jpeg->out_color_space = JCS_GRAYSCALE;
        *mode = UC_IMAGE_L;
        break;
    case 4:
        jpeg->out_color_space = JCS_CMYK;
        *mode = UC_IMAGE_CMYK;
        break;
    default:
        jpeg->out_color_space = JCS_RGB;
        *mode = UC_IMAGE_RGB;
        break;
    }
    jpeg->dct_method = JDCT_ISLOW;
    jpeg->do_fancy_upsampling = TRUE;
}

static void read_rows(decoder *d, uc_image *image, size_t row_bytes)
{
    jpeg_start_decompress(&d->jpeg);
    while (d->jpeg.output_scanline < d->jpeg.output_height) {
        JSAMPROW row = (JSAMPROW)image->data + (size_t)d->jpeg.output_scanline * row_bytes;
        jpeg_read_scanlines(&d->jpeg, &row, 1);
    }
    jpeg_finish_decompress(&d->jpeg);
}

static void set_up(decoder *d)
{
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = on_error;
    d->errors.emit_message = on_message;
    d->jpeg.client_data = d;
}

static void attach(decoder *d)
{
    d->source = (struct jpeg_source_mgr){.next_input_byte = d->bytes.data,
                                         .bytes_in_buffer = d->bytes.size,
                                         .init_source = source_nothing,
                                         .fill_input_buffer = source_fill,
                                         .skip_input_data = source_skip,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = source_nothing};
    d->jpeg.src = &d->source;
    d->progress.progress_monitor = on_progress;
    d->jpeg.progress = &d->progress;
    jpeg_save_markers(&d->jpeg, JPEG_APP0 + 1, 0xffff);
}

static uncork_status failure(const decoder *d, uncork_error *error)
{
    uint64_t at = (uint64_t)(d->source.next_input_byte - d->bytes.data);
    if (d->too_many_scans) {
        return uc_fail(error, UNCORK_LIMIT, at, "the JPEG has more than %d scans", MAX_SCANS);
    }
    if (d->truncated) {
        uc_fail(error, UNCORK_MALFORMED, d->bytes.size,
                "the JPEG is cut short: its %zu bytes end inside the picture", d->bytes.size);
        return uc_fix(error, "copy or download it again");
    }
    return uc_fail(error, UNCORK_MALFORMED, at, "broken JPEG: %s", d->message);
}

/* Everything that longjmp may leave is in `d` and `image`, which live outside. */
static uncork_status decode(decoder *d, uc_arena *arena, uc_image *image, uncork_error *error)
{
    uc_image_mode mode;
    set_up(d);
    if (setjmp(d->jump)) return failure(d, error);
    jpeg_create_decompress(&d->jpeg);
    attach(d);
    jpeg_read_header(&d->jpeg, TRUE);
    choose_mode(&d->jpeg, &mode);
    UC_TRY(uc_image_new(mode, d->jpeg.image_width, d->jpeg.image_height, arena, image, error));
    image->orientation = find_orientation(&d->jpeg);
    image->format = "JPEG";
    size_t row_bytes = (size_t)image->width * (size_t)uc_image_channels(mode);
    read_rows(d, image, row_bytes);
    if (mode == UC_IMAGE_CMYK) {
        uint8_t *p = image->data;
        for (size_t i = 0; i < row_bytes * (size_t)image->height; i++) {
            p[i] = (uint8_t)(255 - p[i]);
        }
    }
    return UNCORK_OK;
}

uncork_status uc_jpeg_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    decoder *d = UC_NEW(arena, decoder, 1);
    if (!d) return uc_arena_status(arena, error);
    d->bytes = bytes;
    uncork_status status = decode(d, arena, image, error);
    jpeg_destroy_decompress(&d->jpeg);
    return status;
}
