/* libjpeg-turbo's reader over bytes in memory: nothing is printed, and what it refuses is one line.
 * Which settings equal which library: decode_*.c of its name, and uc_jpeg_decode for Pillow (accurate
 * integer DCT, fancy upsampling, block smoothing; tests/image compares). */
#include "image/jpeg.h"
#include "image/exif.h"

#include <setjmp.h>
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>

/* Scans of a progressive file: real ones have 10, each costs a pass over the whole picture. */
#define MAX_SCANS 500

struct uc_jpeg {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    uc_bytes bytes;
    uc_jpeg_end end;
    bool truncated, too_many_scans, all_rows;
    uc_arena *arena; /* of the pixels; its budget has the time */
    bool over;       /* which is */
    char message[JMSG_LENGTH_MAX];
};

static void on_error(j_common_ptr jpeg)
{
    uc_jpeg *d = jpeg->client_data;
    if (!d->message[0]) jpeg->err->format_message(jpeg, d->message);
    longjmp(d->jump, 1);
}

static void on_message(j_common_ptr jpeg, int level)
{
    (void)jpeg;
    (void)level; /* warnings don't stop the libraries, and nothing is printed here */
}

static void source_nothing(j_decompress_ptr jpeg) { (void)jpeg; }

static boolean source_fill(j_decompress_ptr jpeg)
{
    static const JOCTET end[2] = {0xff, JPEG_EOI};
    uc_jpeg *d = jpeg->client_data;
    if (d->end == UC_JPEG_END_FILLED) {
        jpeg->src->next_input_byte = end;
        jpeg->src->bytes_in_buffer = sizeof end;
        return TRUE;
    }
    d->truncated = true;
    longjmp(d->jump, 1);
}

static void source_skip(j_decompress_ptr jpeg, long n)
{
    if (n <= 0) return;
    while ((size_t)n > jpeg->src->bytes_in_buffer) {
        n -= (long)jpeg->src->bytes_in_buffer;
        source_fill(jpeg);
        if ((size_t)n > jpeg->src->bytes_in_buffer) return; /* the marker put there stays */
    }
    jpeg->src->next_input_byte += n;
    jpeg->src->bytes_in_buffer -= (size_t)n;
}

static void on_progress(j_common_ptr jpeg)
{
    uc_jpeg *d = jpeg->client_data;
    if (jpeg->is_decompressor && ((j_decompress_ptr)jpeg)->input_scan_number > MAX_SCANS) {
        d->too_many_scans = true;
        longjmp(d->jump, 1);
    }
    if (d->arena && uc_arena_is_over(d->arena)) {
        d->over = true;
        longjmp(d->jump, 1);
    }
}

static void set_up(uc_jpeg *d)
{
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = on_error;
    d->errors.emit_message = on_message;
    d->jpeg.client_data = d;
}

static void attach(uc_jpeg *d)
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
    jpeg_save_markers(&d->jpeg, JPEG_APP0 + 2, 4);
}

static uncork_status failure(const uc_jpeg *d, uncork_error *error)
{
    const uint8_t *next = d->source.next_input_byte;
    bool inside = next >= d->bytes.data && next <= d->bytes.data + d->bytes.size;
    uint64_t at = inside ? (uint64_t)(next - d->bytes.data) : d->bytes.size;
    if (d->over) return uc_arena_check(d->arena, error);
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

static void fill_header(const uc_jpeg *d, uc_jpeg_header *header)
{
    const struct jpeg_decompress_struct *jpeg = &d->jpeg;
    *header = (uc_jpeg_header){.width = (int)jpeg->image_width,
                               .height = (int)jpeg->image_height,
                               .components = jpeg->num_components,
                               .grey = jpeg->jpeg_color_space == JCS_GRAYSCALE,
                               .rgb = jpeg->jpeg_color_space == JCS_RGB,
                               .four = jpeg->jpeg_color_space == JCS_CMYK ||
                                       jpeg->jpeg_color_space == JCS_YCCK,
                               .adobe = jpeg->saw_Adobe_marker,
                               .orientation = 1};
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next) {
        /* XMP is an APP1 too */
        bool exif = m->marker == JPEG_APP0 + 1 && m->data_length >= 6 &&
                    memcmp(m->data, "Exif\0\0", 6) == 0;
        if (exif && header->orientation == 1)
            header->orientation = uc_exif_orientation(m->data, m->data_length);
        if (m->marker == JPEG_APP0 + 2 && m->data_length >= 4 && memcmp(m->data, "MPF", 4) == 0)
            header->many_pictures = true;
    }
}

/* Everything that a longjmp may leave is in `d` and behind pointers. */
static uncork_status open_header(uc_jpeg *d, uc_jpeg_header *header, uncork_error *error)
{
    set_up(d);
    if (setjmp(d->jump)) return failure(d, error);
    jpeg_create_decompress(&d->jpeg);
    attach(d);
    jpeg_read_header(&d->jpeg, TRUE);
    fill_header(d, header);
    return UNCORK_OK;
}

uncork_status uc_jpeg_open(uc_bytes bytes, uc_jpeg_end end, uc_arena *arena, uc_jpeg **jpeg,
                           uc_jpeg_header *header, uncork_error *error)
{
    uc_jpeg *d = *jpeg = UC_NEW(arena, uc_jpeg, 1);
    if (!d) return uc_arena_status(arena, error);
    d->bytes = bytes;
    d->end = end;
    uncork_status status = open_header(d, header, error);
    if (status) {
        uc_jpeg_close(d);
        *jpeg = NULL;
    }
    return status;
}

void uc_jpeg_close(uc_jpeg *jpeg)
{
    if (jpeg) jpeg_destroy_decompress(&jpeg->jpeg);
}

static int apply(struct jpeg_decompress_struct *jpeg, const uc_jpeg_settings *s)
{
    jpeg->dct_method = s->fast_dct ? JDCT_IFAST : JDCT_ISLOW;
    jpeg->do_fancy_upsampling = s->plain_upsampling ? FALSE : TRUE;
    jpeg->scale_num = 1;
    jpeg->scale_denom = (unsigned)(s->ratio > 1 ? s->ratio : 1);
    switch (s->color) {
    case UC_JPEG_GREY: jpeg->out_color_space = JCS_GRAYSCALE; return 1;
    case UC_JPEG_RGB: jpeg->out_color_space = JCS_RGB; return 3;
    case UC_JPEG_BGR: jpeg->out_color_space = JCS_EXT_BGR; return 3;
    case UC_JPEG_CMYK: jpeg->out_color_space = JCS_CMYK; return 4;
    case UC_JPEG_STORED: break;
    }
    jpeg->out_color_space = jpeg->jpeg_color_space;
    return jpeg->num_components;
}

/* ITU T.81 annex K.3: jpeg_std_huff_tables is private in libjpeg-turbo 2, so the four tables stand
 * here as counts a length, then symbols. */
static void add_table(j_decompress_ptr jpeg, JHUFF_TBL **to, const uint8_t *counts,
                      const uint8_t *symbols, size_t n)
{
    if (*to) return;
    *to = jpeg_alloc_huff_table((j_common_ptr)jpeg);
    (*to)->bits[0] = 0;
    memcpy((*to)->bits + 1, counts, 16);
    memcpy((*to)->huffval, symbols, n);
}

static void add_default_tables(j_decompress_ptr jpeg)
{
    static const uint8_t dc_counts[2][16] = {{0, 1, 5, 1, 1, 1, 1, 1, 1},
                                             {0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
                         dc_symbols[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
                         ac_counts[2][16] = {{0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d},
                                             {0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77}};
    static const char ac_symbols[2][163] = {
        "\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07\x22\x71\x14\x32\x81\x91\xa1"
        "\x08\x23\x42\xb1\xc1\x15\x52\xd1\xf0\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\x25\x26"
        "\x27\x28\x29\x2a\x34\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55\x56"
        "\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x83\x84\x85"
        "\x86\x87\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa"
        "\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6"
        "\xd7\xd8\xd9\xda\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9"
        "\xfa",
        "\x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71\x13\x22\x32\x81\x08\x14\x42"
        "\x91\xa1\xb1\xc1\x09\x23\x33\x52\xf0\x15\x62\x72\xd1\x0a\x16\x24\x34\xe1\x25\xf1\x17\x18\x19"
        "\x1a\x26\x27\x28\x29\x2a\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55"
        "\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x82\x83"
        "\x84\x85\x86\x87\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7\xa8"
        "\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4"
        "\xd5\xd6\xd7\xd8\xd9\xda\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9"
        "\xfa"};
    for (int i = 0; i < 2; i++) {
        add_table(jpeg, &jpeg->dc_huff_tbl_ptrs[i], dc_counts[i], dc_symbols, sizeof dc_symbols);
        add_table(jpeg, &jpeg->ac_huff_tbl_ptrs[i], ac_counts[i], (const uint8_t *)ac_symbols[i],
                  162);
    }
}

static void read_rows(uc_jpeg *d, const uc_pixels *pixels, size_t row_bytes)
{
    jpeg_start_decompress(&d->jpeg);
    while (d->jpeg.output_scanline < d->jpeg.output_height) {
        JSAMPROW row = (JSAMPROW)pixels->data + (size_t)d->jpeg.output_scanline * row_bytes;
        jpeg_read_scanlines(&d->jpeg, &row, 1);
    }
    d->all_rows = true;
    jpeg_finish_decompress(&d->jpeg);
}

uncork_status uc_jpeg_read(uc_jpeg *jpeg, const uc_jpeg_settings *settings, uc_arena *arena,
                           uc_pixels *pixels, uncork_error *error)
{
    uc_jpeg *d = jpeg;
    if (setjmp(d->jump)) {
        if (d->all_rows && d->truncated && d->end == UC_JPEG_END_LENIENT) return UNCORK_OK;
        return failure(d, error);
    }
    d->end = settings->end;
    d->arena = arena;
    if (settings->default_tables) add_default_tables(&d->jpeg);
    int channels = apply(&d->jpeg, settings);
    jpeg_calc_output_dimensions(&d->jpeg);
    UC_TRY(uc_pixels_new_raw(UNCORK_UINT8, d->jpeg.output_height, d->jpeg.output_width, channels,
                             arena, pixels, error));
    read_rows(d, pixels, (size_t)pixels->width * (size_t)channels);
    return UNCORK_OK;
}
