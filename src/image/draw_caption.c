/* Captions: how large, where, in which words. None leaves the picture, and none covers another where
 * there is room elsewhere. */
#include "image/draw.h"

#include <math.h>
#include <stdio.h>

#define MOST_LINES 200 /* tried for one caption: bounds the work for hundreds of boxes */
#define LEAST_SIZE 10  /* pixels: below, letters of this font can't be told apart */

/* 10 on 100x100, 15 on 640x480, 30 on 1920x1080, 100 on 6000x4000. */
static int letter_size(const uc_pixels *canvas)
{
    const double side = sqrt((double)canvas->width * canvas->height);
    const double size = 4 + side * 0.02;
    return size < LEAST_SIZE ? LEAST_SIZE : (int)(size + 0.5);
}

double uc_draw_line_width(const uc_pixels *canvas)
{
    const int width = (letter_size(canvas) + 3) / 6;
    return width < 1 ? 1 : width;
}

uc_captions uc_captions_begin(const uc_pixels *canvas, uc_font *font, uc_arena *arena)
{
    return (uc_captions){
        .canvas = canvas, .font = font, .size = letter_size(canvas), .arena = arena};
}

/* ---- words ---- */

uc_str uc_caption_text(const uc_captions *captions, uc_str name, double score, double width)
{
    char percent[32] = "";
    if (!isnan(score)) {
        const double hundredth =
            rint(score * 100); /* round() of the Object Detection API's Python */
        if (fabs(hundredth) < 1e6) {
            snprintf(percent, sizeof percent, name.size ? ": %.0f%%" : "%.0f%%", hundredth + 0.0);
        }
    }
    const char *dots = "";
    const double rest = uc_font_width(captions->font, uc_str_of(percent), captions->size);
    if (uc_font_width(captions->font, name, captions->size) + rest > width && name.size) {
        dots = "\xe2\x80\xa6";
        const double dot = uc_font_width(captions->font, uc_str_of(dots), captions->size);
        name.size = uc_font_fit(captions->font, name, captions->size, width - rest - dot);
        while (name.size && name.data[name.size - 1] == ' ') {
            name.size--;
        }
    }
    const int shown = name.size > 4096 ? 4096 : (int)name.size;
    const char *text = uc_arena_printf(captions->arena, "%.*s%s%s", shown,
                                       name.size ? name.data : "", dots, percent);
    return text ? uc_str_of(text) : (uc_str){"", 0};
}

/* ---- places ---- */

static double overlap(const double a[4], const double b[4])
{
    const double left = a[0] > b[0] ? a[0] : b[0], top = a[1] > b[1] ? a[1] : b[1];
    const double right = a[2] < b[2] ? a[2] : b[2], low = a[3] < b[3] ? a[3] : b[3];
    return right > left && low > top ? (right - left) * (low - top) : 0;
}

static double covered(const uc_captions *captions, const double place[4])
{
    double sum = 0;
    for (size_t i = 0; i < captions->count; i++) {
        sum += overlap(captions->items[i].place, place);
    }
    return sum;
}

/* Without memory the caption is left out. */
static void add(uc_captions *captions, const double place[4], uc_str text, uc_color ground)
{
    uc_caption *items = uc_arena_grow(captions->arena, captions->items, &captions->capacity,
                                      captions->count + 1, sizeof *items);
    if (!items) return;
    captions->items = items;
    uc_caption *item = &items[captions->count++];
    *item = (uc_caption){.text = text, .ground = ground};
    memcpy(item->place, place, sizeof item->place);
}

/* Moves the rectangle's corner so that all of it is in the picture, on whole pixels. */
static void keep_inside(const uc_pixels *canvas, double x, double y, double width, double height,
                        double place[4])
{
    x = x + width > canvas->width ? canvas->width - width : x;
    y = y + height > canvas->height ? canvas->height - height : y;
    place[0] = x > 0 ? floor(x) : 0;
    place[1] = y > 0 ? floor(y) : 0;
    place[2] = place[0] + width;
    place[3] = place[1] + height;
}

/* Takes the place when it covers less than the best one so far. */
static void try_place(const uc_captions *captions, double x, double y, double width, double height,
                      double best[4], double *least)
{
    double place[4];
    keep_inside(captions->canvas, x, y, width, height, place);
    const double bad = covered(captions, place);
    if (bad >= *least) return;
    *least = bad;
    memcpy(best, place, sizeof place);
}

/* Whether it hides a box that is little larger than itself. */
static bool hides_small(const uc_captions *captions, double x, double y, double width,
                        double height)
{
    double place[4];
    keep_inside(captions->canvas, x, y, width, height, place);
    for (size_t i = 0; i < captions->small_count; i++) {
        if (overlap(captions->small[i], place) > 0) return true;
    }
    return false;
}

/* The first place that covers nothing, else the one that covers least. */
static void choose_place(const uc_captions *captions, const double box[4], double width,
                         double height, double best[4])
{
    const double half = floor(uc_draw_line_width(captions->canvas) / 2);
    const double left = box[0] - half, right = box[2] + half - width;
    const double top = box[1] - half, low = box[3] + half;
    const double corners[][2] = {
        {left, top - height},  {left, top},           {left, low},  {left, low - height},
        {right, top - height}, {right, low - height}, {right, top}, {right, low},
        {box[2] + half, top},  {left - width, top},
    };
    double least = HUGE_VAL;
    const size_t count = sizeof corners / sizeof corners[0];
    const size_t first = top < height ? 1 : 0;   /* above the box is outside: inside is next */
    for (size_t i = first; i < 2 * count; i++) { /* small boxes are spared in the first round */
        const double *at = corners[i % count];
        if (i < count && hides_small(captions, at[0], at[1], width, height)) continue;
        try_place(captions, at[0], at[1], width, height, best, &least);
        if (least <= 0) return;
    }
    /* a line at a time away from the box's top, in three columns */
    const int lines = captions->canvas->height / (int)height;
    for (int i = 1; i <= (lines < MOST_LINES ? lines : MOST_LINES); i++) {
        const double columns[3] = {left, 0, captions->canvas->width - width};
        for (int k = 0; k < 6; k++) {
            const double y = top + (k < 3 ? i : -i - 1) * height;
            try_place(captions, columns[k % 3], y, width, height, best, &least);
            if (least <= 0) return;
        }
    }
}

static int padding(int size) { return size / 5 < 2 ? 2 : size / 5; }

void uc_caption_box(uc_captions *captions, const double box[4], uc_str name, double score,
                    uc_color ground)
{
    const int size = captions->size, pad = padding(size), height = size + 2 * (pad / 2) + 2;
    const uc_pixels *canvas = captions->canvas;
    for (int i = 0; i < 4; i++) {
        if (!isfinite(box[i])) return;
    }
    if (height > canvas->height || canvas->width < 2 * size) return; /* no room for any */
    const uc_str text = uc_caption_text(captions, name, score, canvas->width - 2 * pad);
    const double width = ceil(uc_font_width(captions->font, text, size)) + 2 * pad;
    if (width <= 2 * pad || width > canvas->width) return;
    double place[4];
    choose_place(captions, box, width, height, place);
    add(captions, place, text, ground);
}

void uc_captions_end(uc_captions *captions)
{
    const int size = captions->size, pad = padding(size);
    for (size_t i = captions->count; i-- > 0;) {
        const uc_caption *c = &captions->items[i];
        const uc_color ink = uc_draw_ink(c->ground);
        const uint8_t color[3] = {ink.red, ink.green, ink.blue};
        /* letters of this font reach 0.76 of their size up, 0.24 down */
        const int baseline = (int)c->place[1] + pad / 2 + 1 + (size * 78 + 50) / 100;
        uc_draw_fill(captions->canvas, c->place, c->ground, 255);
        uc_font_draw(captions->font, captions->canvas, c->place[0] + pad, baseline, c->text, size,
                     color);
    }
    captions->count = 0;
}

/* ---- blocks ---- */

static double swatch_room(const uc_caption_line *line, int size)
{
    return line->has_swatch ? size * 1.2 : 0;
}

void uc_caption_block(uc_captions *captions, const uc_caption_line *lines, size_t count,
                      bool bottom)
{
    const uc_pixels *canvas = captions->canvas;
    const int size = captions->size, pad = padding(size), step = size + size / 4 + 1;
    while (count > 1 && (int64_t)count * step + 2 * pad > canvas->height * 4 / 10) {
        count--;
    }
    const double height = (double)count * step + 2 * pad - size / 4;
    if (!count || height > canvas->height) return;
    double width = 0;
    uc_str *texts = UC_NEW(captions->arena, uc_str, count);
    if (!texts) return;
    for (size_t i = 0; i < count; i++) {
        const double indent = swatch_room(&lines[i], size);
        texts[i] = uc_caption_text(captions, lines[i].name, lines[i].score,
                                   canvas->width - 2 * pad - indent);
        const double wide = uc_font_width(captions->font, texts[i], size) + indent;
        width = wide > width ? wide : width;
    }
    if (width <= 0) return;
    double place[4];
    keep_inside(canvas, 0, bottom ? canvas->height : 0, ceil(width) + 2 * pad, height, place);
    uc_draw_fill(canvas, place, (uc_color){0, 0, 0}, 176);
    for (size_t i = 0; i < count; i++) {
        static const uint8_t white[3] = {255, 255, 255}, pale[3] = {205, 205, 205};
        const double indent = swatch_room(&lines[i], size);
        const int top = (int)place[1] + pad + (int)i * step;
        const double square[4] = {place[0] + pad, top + size * 0.1, place[0] + pad + size * 0.85,
                                  top + size * 0.95};
        if (lines[i].has_swatch) uc_draw_fill(canvas, square, lines[i].swatch, 255);
        uc_font_draw(captions->font, canvas, place[0] + pad + indent, top + (size * 80 + 50) / 100,
                     texts[i], size, i == 0 || lines[i].has_swatch ? white : pale);
    }
}
