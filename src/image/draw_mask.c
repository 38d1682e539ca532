/* Masks: a class a pixel, or one object's pixels, translucent and outlined, with a legend. */
#include "image/draw.h"

#include <math.h>

#define VEIL 128 /* of 255: how much of the picture a mask hides */

/* A map stretched to the canvas: the nearest of its classes is a pixel's. */
typedef struct stretched {
    const uint16_t *map;
    const uc_pixels *canvas;
    int width, height;
    int64_t hidden, classes;
} stretched;

/* The row of the map that a row of the canvas shows; NULL outside. */
static const uint16_t *row_at(const stretched *s, int y)
{
    if (y < 0 || y >= s->canvas->height) return NULL;
    const int64_t from = (int64_t)y * s->height / s->canvas->height;
    return s->map + from * s->width;
}

/* The class at column x, -1 for one that isn't drawn, -2 outside. */
static int64_t class_at(const stretched *s, const uint16_t *row, int x)
{
    if (!row || x < 0 || x >= s->canvas->width) return -2;
    const int64_t id =
        row[s->width == s->canvas->width ? x : (int64_t)x * s->width / s->canvas->width];
    return id == s->hidden || id >= s->classes ? -1 : id;
}

static bool is_edge(int64_t id, int64_t near) { return near != id && near != -2; }

void uc_draw_classes(const uc_pixels *canvas, const uint16_t *map, int width, int height,
                     int64_t hidden, uc_draw_look look, int64_t *area, int64_t classes)
{
    memset(area, 0, (size_t)classes * sizeof *area);
    for (int64_t i = 0, n = (int64_t)width * height; i < n; i++) {
        if (map[i] < classes) area[map[i]]++;
    }
    const stretched s = {map, canvas, width, height, hidden, classes};
    const int reach = (int)(uc_draw_line_width(canvas) + 1) / 2;
    for (int y = 0; y < canvas->height; y++) {
        const uint16_t *row = row_at(&s, y), *up = row_at(&s, y - reach);
        const uint16_t *down = row_at(&s, y + reach);
        for (int x = 0; x < canvas->width; x++) {
            const int64_t id = class_at(&s, row, x);
            if (id < 0) continue;
            /* another class, not the picture's edge, lies near */
            const bool edge = is_edge(id, class_at(&s, row, x - reach)) ||
                              is_edge(id, class_at(&s, row, x + reach)) ||
                              is_edge(id, class_at(&s, up, x)) ||
                              is_edge(id, class_at(&s, down, x));
            uc_draw_pixel(canvas, x, y, uc_draw_color(look, id), edge ? 255 : VEIL);
        }
    }
}

/* The largest class not larger than `last` in the order (area, then id). */
static int64_t next_largest(const int64_t *area, int64_t classes, int64_t hidden, int64_t last)
{
    int64_t best = -1;
    for (int64_t i = 0; i < classes; i++) {
        if (i == hidden || area[i] == 0) continue;
        if (last >= 0 && (area[i] > area[last] || (area[i] == area[last] && i <= last))) continue;
        if (best < 0 || area[i] > area[best]) best = i;
    }
    return best;
}

void uc_draw_legend(uc_captions *captions, const int64_t *area, int64_t classes, int64_t hidden,
                    const uc_str *names, size_t name_count, uc_draw_look look)
{
    enum { MOST = 12 };
    uc_caption_line lines[MOST];
    size_t count = 0;
    int64_t all = 0;
    for (int64_t i = 0; i < classes; i++) {
        all += area[i];
    }
    for (int64_t id = -1; count < MOST;) {
        id = next_largest(area, classes, hidden, id);
        if (id < 0) break;
        uc_str name = (size_t)id < name_count ? names[id] : (uc_str){"", 0};
        if (name.size == 0) {
            const char *number = uc_arena_printf(captions->arena, "%lld", (long long)id);
            name = uc_str_of(number ? number : "");
        }
        lines[count++] = (uc_caption_line){.name = name,
                                           .score = (double)area[id] / (double)all,
                                           .has_swatch = true,
                                           .swatch = uc_draw_color(look, id)};
    }
    uc_caption_block(captions, lines, count, true);
}

void uc_draw_object(const uc_pixels *canvas, const uint8_t *mask, int left, int top, int width,
                    int height, int scale, uc_color color)
{
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            if (!mask[(size_t)y * (size_t)width + (size_t)x]) continue;
            if (scale == 1) {
                uc_draw_pixel(canvas, left + x, top + y, color, VEIL);
                continue;
            }
            const double at[4] = {((double)left + x) * scale, ((double)top + y) * scale,
                                  ((double)left + x + 1) * scale, ((double)top + y + 1) * scale};
            uc_draw_fill(canvas, at, color, VEIL);
        }
    }
}
