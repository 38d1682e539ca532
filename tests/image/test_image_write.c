/* The writers, read back by our own decoders. */
#include "check.h"
#include "image/write.h"

typedef struct bench {
    uc_arena *arena;
    uc_pixels pixels;
    uc_writer w;
    uncork_error error;
} bench;

/* Pixels that follow a formula: smooth enough for JPEG, different in every channel. */
static bench begin(uncork_dtype dtype, int height, int width, int channels)
{
    bench b = {.arena = uc_arena_new(NULL), .error = {.size = sizeof(uncork_error)}};
    uc_error_init(&b.error);
    uc_writer_init(&b.w, (size_t)64 << 20);
    CHECK_OK(uc_pixels_new(dtype, height, width, channels, b.arena, &b.pixels, &b.error), &b.error);
    const size_t n = uc_pixels_count(&b.pixels), c = (size_t)channels;
    for (size_t i = 0; i < n; i++) {
        const size_t x = i / c % (size_t)width, y = i / c / (size_t)width;
        const size_t v = x * (3 + i % c) + y * 2 + i % c * 40;
        if (dtype == UNCORK_UINT8) ((uint8_t *)b.pixels.data)[i] = (uint8_t)(v % 256);
        if (dtype == UNCORK_UINT16) ((uint16_t *)b.pixels.data)[i] = (uint16_t)(v * 257 + 1);
    }
    return b;
}

static void end(bench *b)
{
    uc_writer_done(&b->w);
    uc_arena_free(b->arena);
}

static uc_image decoded(bench *b)
{
    uc_image image;
    CHECK_OK(uc_image_decode((uc_bytes){b->w.data, b->w.size}, b->arena, &image, &b->error),
             &b->error);
    CHECK_INT(image.width, b->pixels.width);
    CHECK_INT(image.height, b->pixels.height);
    return image;
}

static void png_gives_back_every_byte_of_one_to_four_channels(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {7, 13}, {100, 64}};
    for (int channels = 1; channels <= 4; channels++) {
        for (size_t i = 0; i < 3; i++) {
            bench b = begin(UNCORK_UINT8, sizes[i][0], sizes[i][1], channels);
            CHECK_OK(uc_png_write(&b.pixels, NULL, &b.w, &b.error), &b.error);
            const uc_image image = decoded(&b);
            CHECK_INT(uc_image_channels(image.mode), channels);
            CHECK_BYTES(image.data, b.pixels.data, uc_pixels_bytes(&b.pixels));
            end(&b);
        }
    }
}

static void png_of_sixteen_bits_keeps_them(void **state)
{
    (void)state;
    bench b = begin(UNCORK_UINT16, 9, 31, 1);
    CHECK_OK(uc_png_write(&b.pixels, NULL, &b.w, &b.error), &b.error);
    const uc_image image = decoded(&b);
    CHECK_INT(image.mode, UC_IMAGE_I16);
    CHECK_BYTES(image.data, b.pixels.data, uc_pixels_bytes(&b.pixels));
    end(&b);
    for (int channels = 2; channels <= 4; channels++) { /* read back by their high bytes */
        bench c = begin(UNCORK_UINT16, 9, 31, channels);
        CHECK_OK(uc_png_write(&c.pixels, NULL, &c.w, &c.error), &c.error);
        const uc_image high = decoded(&c);
        const uint16_t *from = c.pixels.data;
        const uint8_t *to = high.data;
        const int got = uc_image_channels(high.mode); /* grey and alpha come back as RGBA */
        for (size_t i = 0; i < 9 * 31; i++) {
            CHECK_INT(to[i * (size_t)got], from[i * (size_t)channels] >> 8);
        }
        end(&c);
    }
}

static void a_mask_keeps_its_indices_and_colours(void **state)
{
    (void)state;
    bench b = begin(UNCORK_UINT8, 20, 20, 1);
    uint8_t *at = b.pixels.data;
    for (int i = 0; i < 400; i++) {
        at[i] = (uint8_t)(at[i] % 21);
    }
    uc_palette palette = {.count = 21};
    for (int i = 0; i < 21; i++) {
        palette.colors[i][0] = (uint8_t)(i * 12);
        palette.colors[i][2] = (uint8_t)(255 - i);
    }
    CHECK_OK(uc_png_write(&b.pixels, &palette, &b.w, &b.error), &b.error);
    const uc_image image = decoded(&b);
    CHECK_INT(image.mode, UC_IMAGE_P);
    CHECK_INT(image.palette_count, 21);
    CHECK_BYTES(image.data, at, 400);
    for (int i = 0; i < 21; i++) {
        CHECK_BYTES(image.palette[i], palette.colors[i], 3);
    }
    at[17] = 21;
    CHECK_INT(uc_png_write(&b.pixels, &palette, &b.w, &b.error), UNCORK_INPUT);
    CHECK_STR(b.error.what, "index 21 of a palette of 21 colours");
    end(&b);
}

static void jpeg_is_near_what_went_in(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        bench b = begin(UNCORK_UINT8, 48, 40, channels);
        uint8_t *at = b.pixels.data;
        for (size_t i = 0; i < uc_pixels_count(&b.pixels); i++) { /* no jump from 255 to 0 */
            at[i] = (uint8_t)(at[i] < 128 ? at[i] * 2 : (255 - at[i]) * 2);
        }
        CHECK_OK(uc_jpeg_write(&b.pixels, UC_JPEG_QUALITY, &b.w, &b.error), &b.error);
        const uc_image image = decoded(&b);
        CHECK_INT(uc_image_channels(image.mode), channels);
        const uint8_t *got = image.data;
        int worst = 0;
        for (size_t i = 0; i < uc_pixels_count(&b.pixels); i++) {
            const int d = got[i] > at[i] ? got[i] - at[i] : at[i] - got[i];
            worst = d > worst ? d : worst;
        }
        CHECK(worst <= 24); /* quality 92 at the folds of the saw; libjpeg promises no figure */
        end(&b);
    }
}

static void the_same_pixels_give_the_same_bytes(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        bench a = begin(UNCORK_UINT8, 33, 65, 3), b = begin(UNCORK_UINT8, 33, 65, 3);
        bench *both[2] = {&a, &b};
        for (int i = 0; i < 2; i++) {
            bench *t = both[i];
            CHECK_OK(kind ? uc_jpeg_write(&t->pixels, 90, &t->w, &t->error)
                          : uc_png_write(&t->pixels, NULL, &t->w, &t->error),
                     &t->error);
        }
        CHECK_INT(a.w.size, b.w.size);
        CHECK_BYTES(a.w.data, b.w.data, a.w.size);
        end(&a);
        end(&b);
    }
}

static void what_has_no_place_in_the_file_is_refused(void **state)
{
    (void)state;
    bench b = begin(UNCORK_FLOAT32, 4, 4, 1);
    CHECK_INT(uc_png_write(&b.pixels, NULL, &b.w, &b.error), UNCORK_INPUT);
    CHECK_STR(b.error.what,
              "float32[4, 4, 1] can't be a PNG: 1 to 4 channels of uint8 or uint16 can");
    CHECK_INT(b.w.size, 0);
    end(&b);
    b = begin(UNCORK_UINT8, 4, 4, 4);
    CHECK_INT(uc_jpeg_write(&b.pixels, 90, &b.w, &b.error), UNCORK_INPUT);
    CHECK_INT(b.w.size, 0);
    end(&b);
    b = begin(UNCORK_UINT8, 64, 64, 3);
    b.w.ceiling = 100;
    CHECK_INT(uc_png_write(&b.pixels, NULL, &b.w, &b.error), UNCORK_LIMIT);
    end(&b);
    b = begin(UNCORK_UINT8, 64, 64, 3);
    b.w.ceiling = 100;
    CHECK_INT(uc_jpeg_write(&b.pixels, 90, &b.w, &b.error), UNCORK_LIMIT);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_gives_back_every_byte_of_one_to_four_channels),
        cmocka_unit_test(png_of_sixteen_bits_keeps_them),
        cmocka_unit_test(a_mask_keeps_its_indices_and_colours),
        cmocka_unit_test(jpeg_is_near_what_went_in),
        cmocka_unit_test(the_same_pixels_give_the_same_bytes),
        cmocka_unit_test(what_has_no_place_in_the_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
