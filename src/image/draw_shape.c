/* Canvases, and shapes on them. Edges are anti-aliased: boxes by the area they cover of a pixel, lines
 * and discs by the distance of its centre. */
#include "image/draw.h"

#include <math.h>

#define SMALL 64 /* pixels of a picture's shorter side below which it is enlarged */
#define ROOMY 96 /* to at least this */

/* ---- canvases ---- */

/* I;16 by its high byte; where no value needs 16 bits, by those of 12 or 8 that cameras store. */
static void shorten(const uc_image *image, uint8_t *grey)
{
    const size_t n = (size_t)image->width * (size_t)image->height;
    const uint16_t *words = image->data;
    unsigned most = 0;
    for (size_t i = 0; i < n; i++) {
        most = words[i] > most ? words[i] : most;
    }
    const unsigned shift = most > 0xfff ? 8 : most > 0xff ? 4 : 0;
    for (size_t i = 0; i < n; i++) {
        grey[i] = (uint8_t)(words[i] >> shift);
    }
}

/* I and F: least to largest value becomes 0 to 255. */
static void stretch(const uc_image *image, uint8_t *grey)
{
    const size_t n = (size_t)image->width * (size_t)image->height;
    const int32_t *ints = image->data;
    const float *floats = image->data;
    double least = HUGE_VAL, most = -HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        const double v = image->mode == UC_IMAGE_I ? (double)ints[i] : (double)floats[i];
        if (isfinite(v) && v < least) least = v;
        if (isfinite(v) && v > most) most = v;
    }
    const double factor = most > least ? 255 / (most - least) : 0;
    for (size_t i = 0; i < n; i++) {
        const double v = image->mode == UC_IMAGE_I ? (double)ints[i] : (double)floats[i];
        const double x = isfinite(v) ? (v - least) * factor + 0.5 : v > 0 ? 255 : 0;
        grey[i] = (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
    }
}

static uncork_status make_rgb(const uc_image *image, uc_arena *arena, uc_image *rgb,
                              uncork_error *error)
{
    if (image->mode != UC_IMAGE_I16 && image->mode != UC_IMAGE_I && image->mode != UC_IMAGE_F) {
        return uc_image_convert(image, UC_IMAGE_RGB, arena, rgb, error);
    }
    uc_image grey;
    UC_TRY(uc_image_new(UC_IMAGE_L, image->width, image->height, arena, &grey, error));
    if (image->mode == UC_IMAGE_I16) {
        shorten(image, grey.data);
    } else {
        stretch(image, grey.data);
    }
    return uc_image_convert(&grey, UC_IMAGE_RGB, arena, rgb, error);
}

uncork_status uc_canvas_of(const uc_image *image, uc_arena *arena, uc_pixels *canvas, int *scale,
                           uncork_error *error)
{
    uc_image rgb;
    UC_TRY(make_rgb(image, arena, &rgb, error));
    const int side = rgb.width < rgb.height ? rgb.width : rgb.height;
    *scale = side >= SMALL ? 1 : (ROOMY + side - 1) / side;
    if ((int64_t)(rgb.width > rgb.height ? rgb.width : rgb.height) * *scale > 4096) {
        *scale = 1; /* a strip stays one */
    }
    UC_TRY(uc_pixels_new(UNCORK_UINT8, (int64_t)rgb.height * *scale, (int64_t)rgb.width * *scale, 3,
                         arena, canvas, error));
    const uint8_t *from = rgb.data;
    uint8_t *to = canvas->data;
    for (int y = 0; y < canvas->height; y++) {
        const uint8_t *row = from + (size_t)(y / *scale) * (size_t)rgb.width * 3;
        for (int x = 0; x < canvas->width; x++, to += 3) {
            memcpy(to, row + (size_t)(x / *scale) * 3, 3);
        }
    }
    return UNCORK_OK;
}

uncork_status uc_canvas_new(int width, int height, uc_color color, uc_arena *arena,
                            uc_pixels *canvas, uncork_error *error)
{
    UC_TRY(uc_pixels_new(UNCORK_UINT8, height, width, 3, arena, canvas, error));
    uint8_t *to = canvas->data;
    for (size_t i = 0, n = (size_t)width * (size_t)height; i < n; i++, to += 3) {
        to[0] = color.red;
        to[1] = color.green;
        to[2] = color.blue;
    }
    return UNCORK_OK;
}

void uc_draw_paste(const uc_pixels *canvas, const uc_pixels *from, int left, int top)
{
    for (int y = 0; y < from->height; y++) {
        for (int x = 0; x < from->width; x++) {
            const uint8_t *p =
                (const uint8_t *)from->data + ((size_t)y * (size_t)from->width + (size_t)x) * 3;
            uc_draw_pixel(canvas, left + x, top + y, (uc_color){p[0], p[1], p[2]}, 255);
        }
    }
}

/* ---- shapes ---- */

void uc_draw_pixel(const uc_pixels *canvas, int x, int y, uc_color color, unsigned alpha)
{
    if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height || !alpha) return;
    const uint8_t ink[3] = {color.red, color.green, color.blue};
    uint8_t *p = (uint8_t *)canvas->data + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
    for (int c = 0; c < 3; c++) {
        p[c] = (uint8_t)((p[c] * (255 - alpha) + ink[c] * alpha + 127) / 255);
    }
}

static double clamp(double v, double least, double most)
{
    return v < least ? least : v > most ? most : v;
}

/* How much of [at, at + 1] lies in [begin, end]. */
static double cover(int at, double begin, double end)
{
    const double low = begin > at ? begin : at, high = end < at + 1 ? end : at + 1;
    return high > low ? high - low : 0;
}

static bool finite4(double a, double b, double c, double d)
{
    return isfinite(a) && isfinite(b) && isfinite(c) && isfinite(d);
}

void uc_draw_fill(const uc_pixels *canvas, const double box[4], uc_color color, unsigned alpha)
{
    if (!finite4(box[0], box[1], box[2], box[3])) return;
    const double left = clamp(box[0], 0, canvas->width), top = clamp(box[1], 0, canvas->height);
    const double right = clamp(box[2], 0, canvas->width), low = clamp(box[3], 0, canvas->height);
    for (int y = (int)top; y < low; y++) {
        const double part = cover(y, top, low) * alpha;
        for (int x = (int)left; x < right; x++) {
            uc_draw_pixel(canvas, x, y, color, (unsigned)(part * cover(x, left, right) + 0.5));
        }
    }
}

void uc_draw_outline(const uc_pixels *canvas, const double box[4], double width, uc_color color)
{
    if (!finite4(box[0], box[1], box[2], box[3])) return;
    const double half = width / 2;
    /* a line along the picture's edge moves inside rather than lose half of it */
    const double left = clamp(box[0], half, canvas->width - half);
    const double top = clamp(box[1], half, canvas->height - half);
    const double right = clamp(box[2], half, canvas->width - half);
    const double low = clamp(box[3], half, canvas->height - half);
    if (right - left <= width || low - top <= width) { /* no inside is left */
        const double whole[4] = {left - half, top - half, right + half, low + half};
        uc_draw_fill(canvas, whole, color, 255);
        return;
    }
    /* on whole pixels: a thin line between two of them would be pale */
    const double x0 = floor(left - half + 0.5), y0 = floor(top - half + 0.5);
    const double x1 = floor(right - half + 0.5), y1 = floor(low - half + 0.5);
    const double sides[4][4] = {{x0, y0, x1 + width, y0 + width},
                                {x0, y1, x1 + width, y1 + width},
                                {x0, y0 + width, x0 + width, y1},
                                {x1, y0 + width, x1 + width, y1}};
    for (int i = 0; i < 4; i++) {
        uc_draw_fill(canvas, sides[i], color, 255);
    }
}

/* Every pixel whose centre is less than `radius` from the stretch, half a pixel softened. */
static void draw_round(const uc_pixels *canvas, double x0, double y0, double x1, double y1,
                       double radius, uc_color color)
{
    const double dx = x1 - x0, dy = y1 - y0, length2 = dx * dx + dy * dy, reach = radius + 1;
    const double low_x = clamp((x0 < x1 ? x0 : x1) - reach, 0, canvas->width);
    const double high_x = clamp((x0 > x1 ? x0 : x1) + reach, 0, canvas->width);
    const double low_y = clamp((y0 < y1 ? y0 : y1) - reach, 0, canvas->height);
    const double high_y = clamp((y0 > y1 ? y0 : y1) + reach, 0, canvas->height);
    for (int y = (int)low_y; y < high_y; y++) {
        for (int x = (int)low_x; x < high_x; x++) {
            const double px = x + 0.5 - x0, py = y + 0.5 - y0;
            const double t = length2 > 0 ? clamp((px * dx + py * dy) / length2, 0, 1) : 0;
            const double ex = px - t * dx, ey = py - t * dy;
            const double inside = radius + 0.5 - sqrt(ex * ex + ey * ey);
            if (inside <= 0) continue;
            uc_draw_pixel(canvas, x, y, color, (unsigned)(clamp(inside, 0, 1) * 255 + 0.5));
        }
    }
}

void uc_draw_line(const uc_pixels *canvas, double x0, double y0, double x1, double y1, double width,
                  uc_color color)
{
    if (finite4(x0, y0, x1, y1)) draw_round(canvas, x0, y0, x1, y1, width / 2, color);
}

void uc_draw_disc(const uc_pixels *canvas, double x, double y, double radius, uc_color color)
{
    if (finite4(x, y, x, y)) draw_round(canvas, x, y, x, y, radius, color);
}
