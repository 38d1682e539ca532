/* Pictures that are broken: with bytes changed, moved or cut off, each format ends in a picture or in
 * one clear line whichever library's reader is asked, within its memory, and no library prints
 * anything. UC_MUTATIONS sets how many of each format (300). And bombs: refused, until more is asked
 * for by name. */
#include "check.h"

#include "base/file.h"
#include "image/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <zlib.h>

#define FOLDER "tests/fixtures/image"
#define MEMORY ((uint64_t)64 << 20)

typedef enum reader { PILLOW, OPENCV, TENSORFLOW, TORCHVISION, MATPLOTLIB, READERS } reader;

static uint32_t random_state = 12345;

static uint32_t below(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return n ? (random_state >> 8) % n : 0;
}

static uncork_status decode(uc_bytes bytes, reader which, unsigned way, uc_arena *arena,
                            uncork_error *error)
{
    static const int reduces[] = {1, 2, 4, 8};
    uc_pixels pixels;
    uc_image image;
    int frames;
    switch (which) {
    case OPENCV:
        return uc_decode_opencv(bytes, (uc_opencv_read)(way % 8), false, reduces[way / 8 % 4],
                                arena, &pixels, error);
    case TENSORFLOW: {
        uc_tensorflow_decode o = {.op = (uc_tensorflow_op)(way % 2 ? 0 : way / 2 % 5),
                                  .channels = (int[]){0, 1, 3, 4}[way / 10 % 4],
                                  .try_recover = way / 3 % 2 != 0,
                                  .ratio = 1,
                                  .dtype = way % 7 == 0 ? UNCORK_UINT16 : UNCORK_UINT8};
        return uc_decode_tensorflow(bytes, &o, arena, &pixels, &frames, error);
    }
    case TORCHVISION:
        return uc_decode_torchvision(bytes, (int)(way % 5), arena, &pixels, &frames, error);
    case MATPLOTLIB: return uc_decode_matplotlib(bytes, arena, &pixels, error);
    case PILLOW:
    case READERS: break;
    }
    return way % 3 ? uc_image_decode(bytes, arena, &image, error)
                   : uc_decode_pillow_draft(bytes, way % 2 != 0, 8, 8, arena, &image, error);
}

/* Whether the bytes decode; checks what an error has to say, and that memory is given back. */
static bool decodes(const uint8_t *data, size_t size, reader which, unsigned way, uint64_t memory)
{
    uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = memory};
    uc_budget budget;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_budget_init(&budget, &limits, size);
    uint64_t before = budget.bytes_left;
    uc_arena *arena = uc_arena_new(&budget);
    uncork_status status = decode((uc_bytes){data, size}, which, way, arena, &error);
    if (status != UNCORK_OK) {
        CHECK(error.what[0] != '\0');
        CHECK(strchr(error.what, '\n') == NULL);
    }
    uc_arena_free(arena);
    CHECK(budget.bytes_left == before);
    return status == UNCORK_OK;
}

/* Cut, with single bytes changed, a run overwritten, or a part moved. */
static size_t damage(uint8_t *bytes, size_t size)
{
    for (unsigned n = 1 + below(4); n > 0; n--) {
        size_t at = below((uint32_t)size), from = below((uint32_t)size), length = 1 + below(16);
        size_t room = size - (at > from ? at : from);
        switch (below(6)) {
        case 0: bytes[at] = (uint8_t)(1u << below(8) ^ bytes[at]); break;
        case 1: bytes[at] = (uint8_t)below(256); break;
        case 2: bytes[at] = below(2) ? 0xff : 0; break;
        case 3: memset(bytes + at, (int)below(256), length < size - at ? length : size - at); break;
        case 4: memmove(bytes + at, bytes + from, length < room ? length : room); break;
        default:
            if (at > 0) size = at;
            break;
        }
    }
    return size;
}

static long mutations(void)
{
    const char *wanted = getenv("UC_MUTATIONS");
    return wanted ? strtol(wanted, NULL, 10) : 300;
}

static void mutate(const char *const *endings, char **names, size_t count, uc_arena *arena)
{
    char *mine[200];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const char *dot = strrchr(names[i], '.');
        for (const char *const *e = endings; dot && *e && n < 200; e++) {
            if (strcmp(dot, *e) == 0) mine[n++] = names[i];
        }
    }
    CHECK(n > 0);
    for (long i = 0; i < mutations(); i++) {
        uc_bytes bytes;
        uncork_error error = {.size = sizeof error};
        char path[512];
        uc_error_init(&error);
        snprintf(path, sizeof path, FOLDER "/%s", mine[below((uint32_t)n)]);
        uc_arena_reset(arena);
        CHECK_OK(uc_file_read(path, true, arena, &bytes, &error), &error);
        uint8_t *copy = malloc(bytes.size);
        memcpy(copy, bytes.data, bytes.size);
        size_t size = damage(copy, bytes.size);
        uint8_t *exact = malloc(size); /* so that a sanitizer sees its end */
        memcpy(exact, copy, size);
        for (int r = 0; r < READERS; r++) {
            (void)decodes(exact, size, (reader)r, below(1000), MEMORY);
        }
        free(copy);
        free(exact);
    }
}

static void broken_pictures_end_in_one_line_each_and_print_nothing(void **state)
{
    (void)state;
    static const char *const jpeg[] = {".jpg", NULL}, *const png[] = {".png", NULL},
                             *const bmp[] = {".bmp", NULL},
                             *const pnm[] = {".pbm", ".pgm", ".ppm", ".pam", NULL};
    static const char *const *const formats[] = {jpeg, png, bmp, pnm};
    uc_arena *arena = uc_arena_new(NULL), *files = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    char **names;
    size_t count;
    char path[] = "/tmp/uncork_stderr_XXXXXX";
    uc_error_init(&error);
    CHECK_OK(uc_file_list(FOLDER, false, arena, &names, &count, &error), &error);
    int out = mkstemp(path), kept = dup(2);
    CHECK(out >= 0 && kept >= 0);
    fflush(stderr);
    dup2(out, 2);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        mutate(formats[i], names, count, files);
    }
    for (size_t i = 0;; i++) { /* those a build may go without */
        static const char *const optional[][4] = {
            {"GIF", ".gif"}, {"WebP", ".webp"}, {"TIFF", ".tif"}, {"JPEG 2000", ".jp2", ".j2k"}};
        bool there;
        const char *format = uc_image_format_at(i, &there);
        if (!format) break;
        for (size_t k = 0; there && k < sizeof optional / sizeof optional[0]; k++) {
            if (strcmp(optional[k][0], format) == 0) mutate(&optional[k][1], names, count, files);
        }
    }
    fflush(stderr);
    dup2(kept, 2);
    CHECK_INT(lseek(out, 0, SEEK_END), 0);
    close(out);
    close(kept);
    unlink(path);
    CHECK(count > 100);
    uc_arena_free(arena);
    uc_arena_free(files);
}

static void check_refused(const char *data, size_t size)
{
    for (int r = 0; r < READERS; r++) {
        CHECK(!decodes((const uint8_t *)data, size, (reader)r, 1, MEMORY));
        CHECK(!decodes((const uint8_t *)data, size, (reader)r, 1, 0));
    }
}

static void a_header_that_promises_too_much_is_refused(void **state)
{
    (void)state;
    static const char pnm[] = "P6 100000 100000 255\nx",
                      pam[] = "P7\nWIDTH 4294967295\nHEIGHT "
                              "4294967295\nDEPTH 4\nMAXVAL "
                              "255\nENDHDR\n",
                      gif[] = "GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x08\0;",
                      bmp[] =
                          "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\xff\xff\0\0\xff\xff\0\0\1\0\x18"
                          "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                      png[] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xff\0\0\xff\xff\x08\2\0\0\0"
                              "\x2e\x52\x1a\xa8\0\0\0\x0aIDAT\x78\x9c\x63\0\1\0\0\5\0\1",
                      tiff[] = "II*\0\x08\0\0\0\2\0\0\1\4\0\1\0\0\0\xff\xff\0\0\1\1\4\0\1\0\0\0"
                               "\xff\xff\0\0\0\0\0\0";
    check_refused(pnm, sizeof pnm - 1);
    check_refused(pam, sizeof pam - 1);
    check_refused(gif, sizeof gif - 1);
    check_refused(bmp, sizeof bmp - 1);
    check_refused(png, sizeof png - 1);
    check_refused(tiff, sizeof tiff - 1);
}

/* 65535 x 65535 pixels, baseline, without any. */
static void a_jpeg_of_four_thousand_megapixels_is_refused(void **state)
{
    (void)state;
    uint8_t jpeg[700] = {0xff, 0xd8, 0xff, 0xdb, 0, 67, 0};
    size_t n = 7;
    memset(jpeg + n, 1, 64);
    n += 64;
    static const uint8_t frame[] = {0xff, 0xc0, 0,    17, 8, 0xff, 0xff, 0xff, 0xff, 3, 1,  0x22,
                                    0,    2,    0x11, 0,  3, 0x11, 0,    0xff, 0xda, 0, 12, 3,
                                    1,    0,    2,    0,  3, 0,    0,    63,   0,    1, 2,  3};
    memcpy(jpeg + n, frame, sizeof frame);
    check_refused((const char *)jpeg, n + sizeof frame);
}

static void put_chunk(uint8_t *to, size_t *at, const char *kind, const uint8_t *data, size_t size)
{
    uint8_t *p = to + *at;
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(size >> (24 - 8 * i));
    }
    memcpy(p + 4, kind, 4);
    if (size) memcpy(p + 8, data, size);
    uint32_t crc = (uint32_t)crc32(0, p + 4, (uInt)size + 4);
    for (int i = 0; i < 4; i++) {
        p[8 + size + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
    }
    *at += size + 12;
}

/* A picture of one pixel with a text that inflates to `text` bytes. */
static size_t png_with_text(uint8_t *to, size_t room, size_t text)
{
    static const uint8_t ihdr[] = {0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0}, row[] = {0, 77};
    size_t at = 8;
    uint8_t *packed = malloc(room), *zeros = calloc(text, 1), idat[64];
    uLongf size = (uLongf)room - 10, pixels = sizeof idat;
    memcpy(to, "\x89PNG\r\n\x1a\n", 8);
    memcpy(packed, "Comment\0\0", 9);
    compress(packed + 9, &size, zeros, text);
    compress(idat, &pixels, row, sizeof row);
    put_chunk(to, &at, "IHDR", ihdr, sizeof ihdr);
    put_chunk(to, &at, "zTXt", packed, size + 9);
    put_chunk(to, &at, "IDAT", idat, pixels);
    put_chunk(to, &at, "IEND", NULL, 0);
    free(packed);
    free(zeros);
    return at;
}

/* Two rows of such a picture take 12 GB, which libpng would set to zero before it reads any. */
static void a_png_of_huge_rows_is_refused_before_memory_is_taken(void **state)
{
    (void)state;
    static const uint8_t ihdr[] = {0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 8, 2, 0, 0, 0},
                         idat[] = {0x78, 0xda, 0x63, 0x60};
    uint8_t png[100] = "\x89PNG\r\n\x1a\n";
    size_t size = 8;
    put_chunk(png, &size, "IHDR", ihdr, sizeof ihdr);
    put_chunk(png, &size, "IDAT", idat, sizeof idat);
    check_refused((const char *)png, size);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    CHECK(used.ru_maxrss < (2 << 20)); /* kilobytes */
}

static void a_text_bomb_in_a_png_is_refused_until_memory_is_asked_for(void **state)
{
    (void)state;
    uint8_t *png = malloc(1 << 20);
    size_t size = png_with_text(png, 1 << 19, 1000);
    CHECK(decodes(png, size, PILLOW, 1, 0));
    size = png_with_text(png, 1 << 19, (size_t)4 << 20);
    CHECK(!decodes(png, size, PILLOW, 1, 0));
    CHECK(!decodes(png, size, PILLOW, 1, (uint64_t)16 << 20));
    CHECK(decodes(png, size, PILLOW, 1, (uint64_t)64 << 20));
    CHECK(decodes(png, size, TENSORFLOW, 1, 0)); /* nobody inflates it there */
    free(png);
}

static void a_gif_of_ten_thousand_frames_is_refused_until_memory_is_asked_for(void **state)
{
    (void)state;
    static const uint8_t head[] = "GIF89a\1\0\1\0\x81\0\0\0\0\0\xff\0\0\0\xff\0\0\0\xff",
                         frame[] = ",\0\0\0\0\1\0\1\0\0\2\2\x44\1";
    bool there = false;
    for (size_t i = 0; uc_image_format_at(i, &there); i++) {
        if (strcmp(uc_image_format_at(i, &there), "GIF") == 0) break;
    }
    if (!there) skip();
    size_t frames = 10000, size = sizeof head - 1;
    uint8_t *gif = malloc(size + frames * sizeof frame + 1);
    memcpy(gif, head, size);
    for (size_t i = 0; i < frames; i++, size += sizeof frame) {
        memcpy(gif + size, frame, sizeof frame);
    }
    gif[size++] = ';';
    CHECK(decodes(gif, size, PILLOW, 1, 0)); /* its first frame */
    CHECK(!decodes(gif, size, TENSORFLOW, 1, 0));
    CHECK(!decodes(gif, size, TORCHVISION, 1, 0));
    CHECK(decodes(gif, size, TENSORFLOW, 1, (uint64_t)1 << 30));
    free(gif);
}

static void more_pixels_than_the_limit_are_read_when_memory_is_asked_for(void **state)
{
    (void)state;
    size_t width = 20000, height = 10000, row = (width + 7) / 8;
    char head[32];
    int n = snprintf(head, sizeof head, "P4 %zu %zu\n", width, height);
    uint8_t *pbm = calloc((size_t)n + row * height, 1);
    memcpy(pbm, head, (size_t)n);
    CHECK(!decodes(pbm, (size_t)n + row * height, PILLOW, 1, (uint64_t)512 << 20));
    CHECK(decodes(pbm, (size_t)n + row * height, PILLOW, 1, (uint64_t)1 << 30));
    free(pbm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_pictures_end_in_one_line_each_and_print_nothing),
        cmocka_unit_test(a_header_that_promises_too_much_is_refused),
        cmocka_unit_test(a_jpeg_of_four_thousand_megapixels_is_refused),
        cmocka_unit_test(a_png_of_huge_rows_is_refused_before_memory_is_taken),
        cmocka_unit_test(a_text_bomb_in_a_png_is_refused_until_memory_is_asked_for),
        cmocka_unit_test(a_gif_of_ten_thousand_frames_is_refused_until_memory_is_asked_for),
        cmocka_unit_test(more_pixels_than_the_limit_are_read_when_memory_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
