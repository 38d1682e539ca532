/* A confusion matrix as a picture. */
#include "image/draw.h"

#include <math.h>
#include <stdio.h>

#define MARGIN  16
#define LARGEST 4000 /* pixels of the matrix itself */

typedef struct chart {
    const int64_t *counts;
    size_t classes;
    const uc_str *names;
    uc_font *font;
    uc_arena *arena;
    uc_pixels canvas;
    int cell, letters, label; /* pixels: of a square, of letters, of the names' strip (0: none) */
    int left, top;
} chart;

static const uint8_t ink[3] = {30, 30, 30}, pale[3] = {110, 110, 110};

/* White to a dark blue. */
static uc_color shade(double share)
{
    return (uc_color){(uint8_t)(255 - share * 235 + 0.5), (uint8_t)(255 - share * 180 + 0.5),
                      (uint8_t)(255 - share * 115 + 0.5)};
}

static double number_width(const chart *c, int64_t count, char text[24])
{
    snprintf(text, 24, "%lld", (long long)count);
    return uc_font_width(c->font, uc_str_of(text), c->letters);
}

static void put_cell(const chart *c, size_t row, size_t column, double share)
{
    const int x = c->left + (int)column * c->cell, y = c->top + (int)row * c->cell;
    const int gap = c->cell >= 12 ? 1 : 0;
    const double box[4] = {x, y, x + c->cell - gap, y + c->cell - gap};
    const uc_color ground = shade(share);
    const int64_t count = c->counts[row * c->classes + column];
    uc_draw_fill(&c->canvas, box, ground, 255);
    char text[24];
    const double width = number_width(c, count, text);
    if (!count || width > c->cell - 2 || c->cell < c->letters + 2) return;
    const uc_color on = uc_draw_ink(ground);
    const uint8_t color[3] = {on.red, on.green, on.blue};
    uc_font_draw(c->font, &c->canvas, x + floor((c->cell - gap - width) / 2),
                 y + (c->cell - gap) / 2 + c->letters * 36 / 100, uc_str_of(text), c->letters,
                 color);
}

static void put_rows(const chart *c)
{
    for (size_t r = 0; r < c->classes; r++) {
        int64_t sum = 0;
        for (size_t k = 0; k < c->classes; k++) {
            sum += c->counts[r * c->classes + k];
        }
        for (size_t k = 0; k < c->classes; k++) {
            put_cell(c, r, k, sum ? (double)c->counts[r * c->classes + k] / (double)sum : 0);
        }
    }
}

/* Text that reads upwards, its end at (x, y): drawn flat, then turned. */
static uncork_status put_upwards(const chart *c, double x, double y, uc_str text, int size,
                                 const uint8_t color[3], bool from_end, uncork_error *error)
{
    const int length = (int)ceil(uc_font_width(c->font, text, size)), high = size * 13 / 10;
    if (length < 1) return UNCORK_OK;
    uc_pixels flat;
    UC_TRY(uc_canvas_new(length, high, (uc_color){255, 255, 255}, c->arena, &flat, error));
    uc_font_draw(c->font, &flat, 0, size, text, size, color);
    const uint8_t *from = flat.data;
    for (int i = 0; i < length; i++) {
        for (int k = 0; k < high; k++) {
            const uint8_t *p = from + ((size_t)k * (size_t)length + (size_t)i) * 3;
            const int to = from_end ? (int)y + length - 1 - i : (int)y - i;
            uc_draw_pixel(&c->canvas, (int)x + k, to, (uc_color){p[0], p[1], p[2]}, 255);
        }
    }
    return UNCORK_OK;
}

static uncork_status put_names(const chart *c, uncork_error *error)
{
    const uc_captions captions = {.font = c->font, .size = c->letters, .arena = c->arena};
    for (size_t i = 0; i < c->classes && c->label; i++) {
        const uc_str text = uc_caption_text(&captions, c->names[i], (double)NAN, c->label - 6);
        const double width = uc_font_width(c->font, text, c->letters);
        const int middle = (int)i * c->cell + c->cell / 2;
        uc_font_draw(c->font, &c->canvas, c->left - 6 - width,
                     c->top + middle + c->letters * 36 / 100, text, c->letters, ink);
        UC_TRY(put_upwards(c, c->left + middle - c->letters * 64 / 100,
                           c->top + (int)c->classes * c->cell + 5, text, c->letters, ink, true,
                           error));
    }
    return UNCORK_OK;
}

/* Squares as large as the numbers need, smaller for many classes. */
static void measure(chart *c)
{
    double widest = 0, longest = 0;
    char text[24];
    c->letters = c->classes <= 60 ? 13 : 10;
    for (size_t i = 0; i < c->classes * c->classes; i++) {
        const double width = number_width(c, c->counts[i], text);
        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < c->classes; i++) {
        const double width = uc_font_width(c->font, c->names[i], c->letters);
        longest = width > longest ? width : longest;
    }
    const int roomy = (int)widest + 8 > 30 ? (int)widest + 8 : 30;
    c->cell = c->classes <= 60 ? roomy : c->classes <= 300 ? 12 : LARGEST / (int)c->classes;
    if (c->classes <= 10 && c->cell < 44) c->cell = 44;
    if (c->cell < 1) c->cell = 1;
    c->label = c->cell >= c->letters - 1 ? (longest < 180 ? (int)longest + 8 : 188) : 0;
}

uncork_status uc_draw_matrix(const int64_t *counts, size_t classes, const uc_str *names,
                             uc_str title, uc_font *font, uc_arena *arena, uc_pixels *canvas,
                             uncork_error *error)
{
    if (classes < 1 || classes > LARGEST) {
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET,
                       "a confusion matrix of %zu classes can't be drawn, %d can", classes,
                       LARGEST);
    }
    chart c = {.counts = counts, .classes = classes, .names = names, .font = font, .arena = arena};
    measure(&c);
    const int size = 15, side = (int)classes * c.cell;
    const int title_width = (int)ceil(uc_font_width(font, title, size));
    c.left = MARGIN + size + 10 + c.label;
    c.top = MARGIN + size + 14;
    int width = c.left + side + MARGIN;
    width = width < title_width + 2 * MARGIN ? title_width + 2 * MARGIN : width;
    const int height = c.top + side + c.label + size + 12 + MARGIN;
    UC_TRY(uc_canvas_new(width, height, (uc_color){255, 255, 255}, arena, &c.canvas, error));
    uc_font_draw(font, &c.canvas, MARGIN, MARGIN + size, title, size, ink);
    put_rows(&c);
    const double frame[4] = {c.left - 1, c.top - 1, c.left + side, c.top + side};
    uc_draw_outline(&c.canvas, frame, 1, (uc_color){170, 170, 170});
    UC_TRY(put_names(&c, error));
    const uc_str across = uc_str_of("predicted"), up = uc_str_of("true");
    uc_font_draw(font, &c.canvas, c.left + floor((side - uc_font_width(font, across, 13)) / 2),
                 height - MARGIN, across, 13, pale);
    UC_TRY(put_upwards(&c, MARGIN, c.top + (side + uc_font_width(font, up, 13)) / 2, up, 13, pale,
                       false, error));
    *canvas = c.canvas;
    return UNCORK_OK;
}
