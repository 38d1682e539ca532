/* Text through FreeType: light hinting (heights snap to pixels, widths don't), letters at fractions of
 * a pixel, 256 greys. The font's own hints aren't used, so that its outlines alone decide. */
#include "image/font.h"

#include "base/text.h"
#include "image/font_data.h"

#include <math.h>
#include <stdio.h>

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_OUTLINE_H

#define LARGEST 2000 /* pixels: beyond, FreeType's 26.6 arithmetic gets tight */

struct uc_font {
    FT_Library library;
    FT_Face face;
    int size; /* set now; 0: none */
};

static void release(void *object)
{
    uc_font *font = object;
    if (font->face) FT_Done_Face(font->face);
    if (font->library) FT_Done_FreeType(font->library);
}

uncork_status uc_font_new(uc_arena *arena, uc_font **out, uncork_error *error)
{
    uc_font *font = UC_NEW(arena, uc_font, 1);
    if (!font || !uc_arena_defer(arena, release, font)) return uc_fail_memory(error);
    if (FT_Init_FreeType(&font->library) ||
        FT_New_Memory_Face(font->library, uc_font_data, (FT_Long)uc_font_data_size, 0,
                           &font->face)) {
        return uc_fail_memory(error); /* the font is ours and sound */
    }
    *out = font;
    return UNCORK_OK;
}

const char *uc_font_library(void)
{
#define TEXT_OF(x)       #x
#define VERSION(a, b, c) "FreeType " TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)
    return VERSION(FREETYPE_MAJOR, FREETYPE_MINOR, FREETYPE_PATCH);
#undef VERSION
#undef TEXT_OF
}

static bool set_size(uc_font *font, int size)
{
    if (size < 1 || size > LARGEST) return false;
    if (font->size == size) return true;
    font->size = FT_Set_Pixel_Sizes(font->face, 0, (FT_UInt)size) ? 0 : size;
    return font->size == size;
}

/* Characters that say how others look or where lines break: nothing to see. */
static bool is_silent(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
           (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
}

/* The next character that shows, loaded into the glyph slot; false at the end. Index 0 is the font's
 * box for what it lacks. */
static bool next_glyph(uc_font *font, uc_str text, size_t *at, int *left)
{
    while (*at < text.size && (*left)-- > 0) {
        const uint32_t c = uc_utf8_next(text, at);
        if (is_silent(c)) continue;
        const FT_UInt index = FT_Get_Char_Index(font->face, c);
        if (FT_Load_Glyph(font->face, index, FT_LOAD_TARGET_LIGHT | FT_LOAD_NO_BITMAP) == 0) {
            return true;
        }
    }
    return false;
}

static double advance(const uc_font *font)
{
    return (double)font->face->glyph->linearHoriAdvance / 65536;
}

double uc_font_width(uc_font *font, uc_str text, int size)
{
    double width = 0;
    size_t at = 0;
    int left = UC_FONT_CHARACTERS;
    if (!set_size(font, size)) return 0;
    while (next_glyph(font, text, &at, &left)) {
        width += advance(font);
    }
    return width;
}

size_t uc_font_fit(uc_font *font, uc_str text, int size, double width)
{
    size_t at = 0, good = 0;
    int left = UC_FONT_CHARACTERS;
    double x = 0;
    if (!set_size(font, size)) return 0;
    while (next_glyph(font, text, &at, &left)) {
        x += advance(font);
        if (x > width) return good;
        good = at;
    }
    return at;
}

static void blend(const uc_pixels *canvas, int x, int y, unsigned alpha, const uint8_t color[3])
{
    if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height || !alpha) return;
    uint8_t *p = (uint8_t *)canvas->data + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
    for (int c = 0; c < 3; c++) {
        p[c] = (uint8_t)((p[c] * (255 - alpha) + color[c] * alpha + 127) / 255);
    }
}

static void draw_slot(const FT_GlyphSlot slot, const uc_pixels *canvas, int x, int y,
                      const uint8_t color[3])
{
    const FT_Bitmap *bitmap = &slot->bitmap;
    if (bitmap->pixel_mode != FT_PIXEL_MODE_GRAY) return;
    for (unsigned r = 0; r < bitmap->rows; r++) {
        const unsigned char *row = bitmap->buffer + (ptrdiff_t)r * bitmap->pitch;
        for (unsigned c = 0; c < bitmap->width; c++) {
            blend(canvas, x + slot->bitmap_left + (int)c, y - slot->bitmap_top + (int)r, row[c],
                  color);
        }
    }
}

void uc_font_draw(uc_font *font, const uc_pixels *canvas, double x, int y, uc_str text, int size,
                  const uint8_t color[3])
{
    size_t at = 0;
    int left = UC_FONT_CHARACTERS;
    if (!set_size(font, size) || !(fabs(x) < 1e6)) return;
    while (next_glyph(font, text, &at, &left)) {
        FT_GlyphSlot slot = font->face->glyph;
        const double whole = floor(x);
        if (whole > canvas->width) return;
        const double next = x + advance(font);
        FT_Outline_Translate(&slot->outline, (FT_Pos)((x - whole) * 64), 0);
        if (FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) == 0) {
            draw_slot(slot, canvas, (int)whole, y, color);
        }
        x = next;
    }
}
