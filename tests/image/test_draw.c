/* Drawing: what must hold of every drawing, and a few small ones pixel by pixel (CRC-32). */
#include "check.h"
#include "image/draw.h"

#include <math.h>
#include <stdlib.h>

#include <zlib.h>

typedef struct easel {
    uc_arena *arena;
    uc_pixels canvas;
    uc_font *font;
    uc_captions captions;
    uncork_error error;
} easel;

static easel begin(int width, int height, uc_color color)
{
    easel e = {.arena = uc_arena_new(NULL), .error = {.size = sizeof(uncork_error)}};
    uc_error_init(&e.error);
    CHECK_OK(uc_font_new(e.arena, &e.font, &e.error), &e.error);
    CHECK_OK(uc_canvas_new(width, height, color, e.arena, &e.canvas, &e.error), &e.error);
    return e;
}

static unsigned long crc_of(const uc_pixels *canvas)
{
    return crc32(0, canvas->data, (unsigned)uc_pixels_bytes(canvas));
}

static uc_color at(const uc_pixels *canvas, int x, int y)
{
    const uint8_t *p =
        (const uint8_t *)canvas->data + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
    return (uc_color){p[0], p[1], p[2]};
}

static bool same(uc_color a, uc_color b)
{
    return a.red == b.red && a.green == b.green && a.blue == b.blue;
}

static const uc_color white = {255, 255, 255}, black = {0, 0, 0}, red = {255, 0, 0};

/* ---- shapes ---- */

static void a_box_covers_the_share_of_a_pixel_that_it_covers(void **state)
{
    (void)state;
    easel e = begin(8, 8, white);
    const double box[4] = {1.5, 2, 4, 5.25};
    uc_draw_fill(&e.canvas, box, black, 255);
    CHECK(same(at(&e.canvas, 2, 3), black));
    CHECK(same(at(&e.canvas, 1, 3), (uc_color){127, 127, 127})); /* half */
    CHECK(same(at(&e.canvas, 2, 5), (uc_color){191, 191, 191})); /* a quarter */
    CHECK(same(at(&e.canvas, 4, 3), white));
    CHECK(same(at(&e.canvas, 2, 1), white));
    uc_arena_free(e.arena);
}

static void an_outline_at_the_edge_keeps_its_width(void **state)
{
    (void)state;
    easel e = begin(20, 20, white);
    const double box[4] = {-5, 0, 20, 30};
    uc_draw_outline(&e.canvas, box, 2, red);
    for (int i = 0; i < 20; i++) {
        CHECK(same(at(&e.canvas, 0, i), red) && same(at(&e.canvas, 1, i), red));
        CHECK(same(at(&e.canvas, 19, i), red) && same(at(&e.canvas, i, 18), red));
    }
    CHECK(same(at(&e.canvas, 10, 10), white));
    uc_arena_free(e.arena);
}

static void shapes_are_the_same_pixels_everywhere(void **state)
{
    (void)state;
    easel e = begin(64, 48, (uc_color){40, 80, 120});
    const double box[4] = {4.3, 5.7, 50.2, 40.1};
    uc_draw_outline(&e.canvas, box, 3, red);
    uc_draw_line(&e.canvas, 2, 46, 60.5, 3.25, 4, (uc_color){0, 200, 80});
    uc_draw_disc(&e.canvas, 31.5, 24, 9.5, white);
    CHECK_INT(crc_of(&e.canvas), 0x48164580);
    uint16_t map[6] = {0, 1, 1, 2, 2, 7};
    int64_t area[3];
    uc_draw_classes(&e.canvas, map, 3, 2, 0, UC_LOOK_DEFAULT, area, 3);
    CHECK_INT(area[0], 1);
    CHECK_INT(area[1], 2);
    CHECK_INT(area[2], 2); /* and 7 is no class */
    CHECK_INT(crc_of(&e.canvas), 0xf928a686);
    uc_arena_free(e.arena);
}

static void what_is_not_finite_or_far_outside_draws_nothing(void **state)
{
    (void)state;
    easel e = begin(16, 16, white);
    const unsigned long before = crc_of(&e.canvas);
    const double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    e.captions = uc_captions_begin(&e.canvas, e.font, e.arena);
    for (size_t i = 0; i < 3; i++) {
        const double box[4] = {odd[i], 2, 10, 10};
        uc_draw_outline(&e.canvas, box, 2, red);
        uc_draw_fill(&e.canvas, box, red, 255);
        uc_draw_line(&e.canvas, 1, odd[i], 5, 5, 2, red);
        uc_draw_disc(&e.canvas, odd[i], 1, 3, red);
        uc_caption_box(&e.captions, box, uc_str_of("x"), 0.5, red);
    }
    uc_captions_end(&e.captions);
    uc_draw_line(&e.canvas, 1e30, 1e30, 1e31, 1e30, 2, red);
    uc_draw_disc(&e.canvas, -1e9, 5, 3, red);
    const double far_away[4] = {1e30, 1e30, 2e30, 2e30};
    uc_draw_fill(&e.canvas, far_away, red, 255);
    CHECK_INT(crc_of(&e.canvas), before);
    uc_arena_free(e.arena);
}

static void a_small_picture_is_enlarged_by_a_whole_factor(void **state)
{
    (void)state;
    static const int sizes[][3] = {
        {28, 28, 4}, {1, 1, 96}, {63, 200, 2}, {64, 64, 1}, {8, 2000, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        easel e = begin(1, 1, white);
        uc_image image;
        int scale;
        CHECK_OK(uc_image_new(UC_IMAGE_L, sizes[i][0], sizes[i][1], e.arena, &image, &e.error),
                 &e.error);
        *(uint8_t *)image.data = 200;
        CHECK_OK(uc_canvas_of(&image, e.arena, &e.canvas, &scale, &e.error), &e.error);
        CHECK_INT(scale, sizes[i][2]);
        CHECK_INT(e.canvas.width, sizes[i][0] * scale);
        CHECK_INT(e.canvas.height, sizes[i][1] * scale);
        CHECK(same(at(&e.canvas, scale - 1, scale - 1), (uc_color){200, 200, 200}));
        uc_arena_free(e.arena);
    }
}

static void deep_pictures_keep_their_range(void **state)
{
    (void)state;
    easel e = begin(1, 1, white);
    uc_image image;
    int scale;
    CHECK_OK(uc_image_new(UC_IMAGE_I16, 70, 70, e.arena, &image, &e.error), &e.error);
    ((uint16_t *)image.data)[0] = 0xabcd;
    CHECK_OK(uc_canvas_of(&image, e.arena, &e.canvas, &scale, &e.error), &e.error);
    CHECK(same(at(&e.canvas, 0, 0), (uc_color){0xab, 0xab, 0xab}));
    ((uint16_t *)image.data)[0] = 0xabc; /* of 12 bits */
    CHECK_OK(uc_canvas_of(&image, e.arena, &e.canvas, &scale, &e.error), &e.error);
    CHECK(same(at(&e.canvas, 0, 0), (uc_color){0xab, 0xab, 0xab}));
    CHECK_OK(uc_image_new(UC_IMAGE_F, 70, 70, e.arena, &image, &e.error), &e.error);
    ((float *)image.data)[0] = -1.5f;
    ((float *)image.data)[1] = 2.5f;
    ((float *)image.data)[2] = NAN;
    CHECK_OK(uc_canvas_of(&image, e.arena, &e.canvas, &scale, &e.error), &e.error);
    CHECK(same(at(&e.canvas, 0, 0), black));
    CHECK(same(at(&e.canvas, 1, 0), white));
    CHECK(same(at(&e.canvas, 2, 0), black));
    uc_arena_free(e.arena);
}

/* ---- colours ---- */

static double luminance(uc_color c) /* WCAG 2.1, relative luminance */
{
    const uint8_t v[3] = {c.red, c.green, c.blue};
    static const double weights[3] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        const double s = v[i] / 255.0;
        sum += weights[i] * (s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static void letters_stand_out_from_every_class_colour(void **state)
{
    (void)state;
    for (int i = 0; i < 360; i++) {
        for (int look = UC_LOOK_DEFAULT; look <= UC_LOOK_OD; look++) {
            const uc_color ground = uc_draw_color((uc_draw_look)look, i);
            const double a = luminance(ground), b = luminance(uc_draw_ink(ground));
            const double contrast = ((a > b ? a : b) + 0.05) / ((a > b ? b : a) + 0.05);
            CHECK(contrast >= 4.4); /* WCAG asks for 4.5; the best of black and white has 4.58 */
        }
    }
}

static void classes_differ_and_keep_their_colour(void **state)
{
    (void)state;
    for (int i = 0; i < 91; i++) {
        for (int k = 0; k < i; k++) {
            const uc_color a = uc_draw_color(UC_LOOK_DEFAULT, i);
            const uc_color b = uc_draw_color(UC_LOOK_DEFAULT, k);
            CHECK(abs(a.red - b.red) + abs(a.green - b.green) + abs(a.blue - b.blue) >= 10);
        }
    }
    /* STANDARD_COLORS: AliceBlue first, YellowGreen last, then again */
    CHECK(same(uc_draw_color(UC_LOOK_OD, 0), (uc_color){240, 248, 255}));
    CHECK(same(uc_draw_color(UC_LOOK_OD, 1), (uc_color){127, 255, 0}));
    CHECK(same(uc_draw_color(UC_LOOK_OD, 125), (uc_color){154, 205, 50}));
    CHECK(same(uc_draw_color(UC_LOOK_OD, 127), (uc_color){127, 255, 0}));
    (void)uc_draw_color(UC_LOOK_OD, INT64_MIN);
    (void)uc_draw_color(UC_LOOK_DEFAULT, INT64_MAX);
}

/* ---- captions ---- */

static void a_caption_says_name_and_percent(void **state)
{
    (void)state;
    easel e = begin(640, 480, white);
    const uc_captions c = uc_captions_begin(&e.canvas, e.font, e.arena);
    CHECK_STR(uc_caption_text(&c, uc_str_of("dog"), 0.87, 400).data, "dog: 87%");
    CHECK_STR(uc_caption_text(&c, uc_str_of(""), 0.87, 400).data, "87%");
    CHECK_STR(uc_caption_text(&c, uc_str_of("dog"), (double)NAN, 400).data, "dog");
    CHECK_STR(uc_caption_text(&c, uc_str_of("dog"), 0.125, 400).data,
              "dog: 12%"); /* Python's round */
    CHECK_STR(uc_caption_text(&c, uc_str_of("dog"), 1, 400).data, "dog: 100%");
    CHECK_STR(uc_caption_text(&c, uc_str_of("dog"), -0.001, 400).data, "dog: 0%");
    if (uc_font_library()) {
        CHECK_STR(uc_caption_text(&c, uc_str_of("Staffordshire bullterrier"), 0.87, 120).data,
                  "Stafford\xe2\x80\xa6: 87%");
    }
    uc_arena_free(e.arena);
}

static void captions_stay_in_the_picture_of_any_size(void **state)
{
    (void)state;
    static const int sizes[][2] = {{100, 100}, {6000, 40},   {40, 3000}, {21, 13}, {64, 64},
                                   {640, 480}, {3000, 2000}, {2, 2},     {1, 900}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        easel e = begin(sizes[i][0], sizes[i][1], white);
        uc_captions c = uc_captions_begin(&e.canvas, e.font, e.arena);
        const double w = e.canvas.width, h = e.canvas.height;
        for (int k = 0; k < 60; k++) {
            const double x = w * (k % 7 - 1) / 5, y = h * (k % 11 - 2) / 7;
            const double box[4] = {x, y, x + w / 3, y + h / 4};
            uc_caption_box(&c, box, uc_str_of("a name that is rather long: \xc3\xa9\xd0\xb6"), 0.5,
                           red);
        }
        for (size_t k = 0; k < c.count; k++) {
            const double *p = c.items[k].place;
            CHECK(p[0] >= 0 && p[1] >= 0 && p[2] <= w && p[3] <= h);
        }
        uc_captions_end(&c);
        const uc_caption_line lines[3] = {
            {.name = uc_str_of("first"), .score = 0.9},
            {.name = uc_str_of("second of a long name that is too wide for most"), .score = 0.05},
            {.name = uc_str_of("third"), .score = 0.01, .has_swatch = true, .swatch = red}};
        uc_caption_block(&c, lines, 3, i % 2);
        uc_arena_free(e.arena);
    }
}

static void captions_of_boxes_that_coincide_lie_apart(void **state)
{
    (void)state;
    if (!uc_font_library()) return;
    easel e = begin(640, 480, white);
    uc_captions c = uc_captions_begin(&e.canvas, e.font, e.arena);
    const double box[4] = {200, 100, 300, 200};
    for (int k = 0; k < 40; k++) {
        uc_caption_box(&c, box, uc_str_of("person"), 0.9, red);
    }
    CHECK_INT(c.count, 40);
    for (size_t i = 0; i < c.count; i++) {
        for (size_t k = 0; k < i; k++) {
            const double *a = c.items[i].place, *b = c.items[k].place;
            CHECK(a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1]);
        }
    }
    uc_arena_free(e.arena);
}

static void letters_grow_with_the_picture(void **state)
{
    (void)state;
    static const int sizes[][3] = {
        {100, 100, 10}, {640, 480, 15}, {1920, 1080, 33}, {6000, 4000, 102}};
    for (size_t i = 0; i < 4; i++) {
        const uc_pixels canvas = {.width = sizes[i][0], .height = sizes[i][1], .channels = 3};
        CHECK_INT(uc_captions_begin(&canvas, NULL, NULL).size, sizes[i][2]);
    }
}

static void a_character_without_a_glyph_is_a_box_and_bytes_that_are_none_never_crash(void **state)
{
    (void)state;
    if (!uc_font_library()) return;
    easel e = begin(400, 40, white);
    const double a = uc_font_width(e.font, uc_str_of("a"), 20);
    CHECK(a > 10 && a < 14);
    CHECK(uc_font_width(e.font, uc_str_of("\xe7\x8c\xab"), 20) > 8); /* a cat in Chinese */
    CHECK(uc_font_width(e.font, uc_str_of("a\n\t\x01\xe2\x80\x8b"), 20) <= a); /* nothing to see */
    const uint8_t ink[3] = {0, 0, 0};
    static const char bad[] = "\xff\xc3\xf0\x9f\x90\xed\xa0\x80\xc0\xaf";
    uc_font_draw(e.font, &e.canvas, 2, 30, (uc_str){bad, sizeof bad}, 20, ink);
    for (int size = -1; size < 40; size++) {
        uc_font_draw(e.font, &e.canvas, -50, 50, uc_str_of("\xce\xb1\xce\xb2\xd0\xb6\xc3\xa9"),
                     size, ink);
    }
    uc_font_draw(e.font, &e.canvas, (double)NAN, 20, uc_str_of("x"), 20, ink);
    /* letters of four scripts differ from the box of what is missing */
    static const char *const letters[] = {"\xc3\xa9", "\xc5\x82", "\xce\xb1", "\xd0\xb6",
                                          "\xe1\xba\xa1"};
    for (size_t i = 0; i < 5; i++) {
        easel one = begin(24, 24, white), none = begin(24, 24, white);
        uc_font_draw(one.font, &one.canvas, 2, 18, uc_str_of(letters[i]), 16, ink);
        uc_font_draw(none.font, &none.canvas, 2, 18, uc_str_of("\xe7\x8c\xab"), 16, ink);
        CHECK(crc_of(&one.canvas) != crc_of(&none.canvas));
        uc_arena_free(one.arena);
        uc_arena_free(none.arena);
    }
    uc_arena_free(e.arena);
}

/* ---- whole drawings ---- */

static unsigned long draw_boxes(const uc_draw_style *style)
{
    easel e = begin(200, 150, (uc_color){90, 90, 90});
    e.captions = uc_captions_begin(&e.canvas, e.font, e.arena);
    const uc_draw_box boxes[] = {
        {.box = {10, 20, 90, 140}, .id = 1, .score = 0.98, .name = uc_str_of("dog")},
        {.box = {60.5, 5.5, 199, 100},
         .id = 18,
         .score = 0.51,
         .name = uc_str_of("chat \xc3\xa9veill\xc3\xa9")},
    };
    uc_draw_boxes(&e.captions, boxes, 2, style);
    for (size_t i = 0; i < 2; i++) { /* a side of each box, away from the captions */
        const uc_color want =
            style->agnostic ? UC_DRAW_AGNOSTIC : uc_draw_color(style->look, boxes[i].id);
        CHECK(same(at(&e.canvas, i ? 199 : 10, i ? 90 : 120), want));
    }
    const unsigned long crc = crc_of(&e.canvas);
    uc_arena_free(e.arena);
    return crc;
}

static void boxes_have_their_class_colour_or_dark_orange(void **state)
{
    (void)state;
    const uc_draw_style styles[3] = {
        {.look = UC_LOOK_DEFAULT}, {.look = UC_LOOK_OD}, {.look = UC_LOOK_OD, .agnostic = true}};
    static const unsigned long crcs[3] = {0x92de8214, 0x70099b95,
                                          0xdf79b4eb}; /* with FreeType 2.12.1 */
    for (size_t i = 0; i < 3; i++) {
        const unsigned long crc = draw_boxes(&styles[i]);
        CHECK_INT(crc, draw_boxes(&styles[i]));
        const char *library = uc_font_library();
        if (library && strcmp(library, "FreeType 2.12.1") == 0) CHECK_INT(crc, crcs[i]);
    }
}

static void a_skeleton_joins_the_seventeen_points_that_are_sure(void **state)
{
    (void)state;
    easel e = begin(200, 200, white);
    double points[17][3];
    for (int i = 0; i < 17; i++) {
        points[i][0] = 20 + 10 * i;
        points[i][1] = i % 2 ? 50 : 150;
        points[i][2] = i == 16 ? 0.1 : 0.9;
    }
    uc_draw_keypoints(&e.canvas, (const double(*)[3])points, 17, 0.3);
    CHECK(!same(at(&e.canvas, 20, 150), white));
    CHECK(same(at(&e.canvas, 180, 150), white)); /* the unsure one */
    CHECK(!same(at(&e.canvas, 75, 50), white));  /* from point 5 to 7 */
    uc_arena_free(e.arena);
}

static void a_sheet_shows_every_thumbnail_and_a_broken_picture(void **state)
{
    (void)state;
    easel e = begin(300, 100, red);
    uc_sheet_item items[5] = {{.name = uc_str_of("a/very/long/path/to/a/picture_0001.png"),
                               .answer = uc_str_of("dog"),
                               .score = 0.9}};
    CHECK_OK(uc_sheet_thumbnail(&e.canvas, e.arena, &items[0].thumbnail, &e.error), &e.error);
    CHECK_INT(items[0].thumbnail.width, UC_SHEET_SIDE);
    CHECK_INT(items[0].thumbnail.height, 53);
    for (int i = 1; i < 5; i++) {
        items[i] = items[0];
    }
    items[4] = (uc_sheet_item){.name = uc_str_of("b.png"),
                               .answer = uc_str_of("broken"),
                               .score = (double)NAN,
                               .failed = true};
    uc_pixels page;
    CHECK_OK(uc_sheet_page(items, 5, e.font, e.arena, &page, &e.error), &e.error);
    CHECK_INT(page.width, 3 * 176);
    CHECK_INT(page.height, 2 * 210);
    CHECK(same(at(&page, 88, 88), red));
    CHECK(same(at(&page, 88, 210 + 88), red));
    CHECK(same(at(&page, 176 + 88, 210 + 88), (uc_color){228, 228, 228}));
    uc_arena_free(e.arena);
}

static void a_confusion_matrix_darkens_with_the_share_of_its_row(void **state)
{
    (void)state;
    for (size_t classes = 1; classes <= 400; classes = classes * 3 + 1) {
        easel e = begin(1, 1, white);
        int64_t *counts = calloc(classes * classes, sizeof *counts);
        uc_str *names = calloc(classes, sizeof *names);
        assert_non_null(counts);
        assert_non_null(names);
        for (size_t i = 0; i < classes; i++) {
            counts[i * classes + i] = 10;
            names[i] = uc_str_of("class");
        }
        uc_pixels chart;
        CHECK_OK(uc_draw_matrix(counts, classes, names, uc_str_of("accuracy 100.0%"), e.font,
                                e.arena, &chart, &e.error),
                 &e.error);
        size_t dark = 0;
        for (int y = 0; y < chart.height; y++) {
            for (int x = 0; x < chart.width; x++) {
                dark += same(at(&chart, x, y), (uc_color){20, 75, 140});
            }
        }
        CHECK(dark >= classes * 4); /* the diagonal */
        free(counts);
        free(names);
        uc_arena_free(e.arena);
    }
}

/* ---- memory ---- */

/* Everything that allocates, with the n-th allocation failing. */
static bool draws_all(long n)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    uc_font *font;
    uc_pixels canvas, thumbnail = {0}, page, chart;
    uc_arena_fail_after(n);
    bool good = uc_font_new(arena, &font, &error) == UNCORK_OK &&
                uc_canvas_new(300, 200, white, arena, &canvas, &error) == UNCORK_OK;
    if (good) {
        uc_captions captions = uc_captions_begin(&canvas, font, arena);
        const uc_draw_box boxes[2] = {
            {.box = {10, 10, 20, 20}, .score = 0.9, .name = uc_str_of("one")},
            {.box = {10, 10, 90, 90}, .score = 0.8, .name = uc_str_of("two")}};
        const uc_draw_style style = {.look = UC_LOOK_DEFAULT};
        uc_draw_boxes(&captions, boxes, 2, &style);
        const uc_caption_line line = {.name = uc_str_of("a line"), .score = 0.5};
        uc_caption_block(&captions, &line, 1, true);
        good = uc_sheet_thumbnail(&canvas, arena, &thumbnail, &error) == UNCORK_OK;
    }
    if (good) {
        const uc_sheet_item item = {.thumbnail = thumbnail,
                                    .name = uc_str_of("a name that is much too long for it.png"),
                                    .answer = uc_str_of("an answer that is too long for it, too"),
                                    .score = 0.5};
        const int64_t counts[4] = {3, 1, 0, 2};
        const uc_str names[2] = {uc_str_of("a"), uc_str_of("b")};
        good = uc_sheet_page(&item, 1, font, arena, &page, &error) == UNCORK_OK &&
               uc_draw_matrix(counts, 2, names, uc_str_of("title"), font, arena, &chart, &error) ==
                   UNCORK_OK;
    }
    uc_arena_fail_after(0);
    CHECK(good || error.status == UNCORK_NO_MEMORY);
    good = good && uc_arena_status(arena, &error) == UNCORK_OK;
    uc_arena_free(arena);
    return good;
}

static void memory_that_runs_out_is_an_error_or_a_missing_caption(void **state)
{
    (void)state;
    long n = 1;
    while (!draws_all(n)) {
        n++;
    }
    CHECK(n > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_covers_the_share_of_a_pixel_that_it_covers),
        cmocka_unit_test(an_outline_at_the_edge_keeps_its_width),
        cmocka_unit_test(shapes_are_the_same_pixels_everywhere),
        cmocka_unit_test(what_is_not_finite_or_far_outside_draws_nothing),
        cmocka_unit_test(a_small_picture_is_enlarged_by_a_whole_factor),
        cmocka_unit_test(deep_pictures_keep_their_range),
        cmocka_unit_test(letters_stand_out_from_every_class_colour),
        cmocka_unit_test(classes_differ_and_keep_their_colour),
        cmocka_unit_test(a_caption_says_name_and_percent),
        cmocka_unit_test(captions_stay_in_the_picture_of_any_size),
        cmocka_unit_test(captions_of_boxes_that_coincide_lie_apart),
        cmocka_unit_test(letters_grow_with_the_picture),
        cmocka_unit_test(a_character_without_a_glyph_is_a_box_and_bytes_that_are_none_never_crash),
        cmocka_unit_test(boxes_have_their_class_colour_or_dark_orange),
        cmocka_unit_test(a_skeleton_joins_the_seventeen_points_that_are_sure),
        cmocka_unit_test(a_sheet_shows_every_thumbnail_and_a_broken_picture),
        cmocka_unit_test(a_confusion_matrix_darkens_with_the_share_of_its_row),
        cmocka_unit_test(memory_that_runs_out_is_an_error_or_a_missing_caption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
