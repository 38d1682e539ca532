/* The build without FreeType (-DUNCORK_TEXT=OFF): pictures are drawn without letters. */
#include "image/font.h"

struct uc_font {
    char none;
};

uncork_status uc_font_new(uc_arena *arena, uc_font **font, uncork_error *error)
{
    *font = UC_NEW(arena, uc_font, 1);
    return *font ? UNCORK_OK : uc_fail_memory(error);
}

const char *uc_font_library(void) { return NULL; }

double uc_font_width(uc_font *font, uc_str text, int size)
{
    (void)font;
    (void)text;
    (void)size;
    return 0;
}

void uc_font_draw(uc_font *font, const uc_pixels *canvas, double x, int y, uc_str text, int size,
                  const uint8_t color[3])
{
    (void)font;
    (void)canvas;
    (void)x;
    (void)y;
    (void)text;
    (void)size;
    (void)color;
}

size_t uc_font_fit(uc_font *font, uc_str text, int size, double width)
{
    (void)font;
    (void)size;
    (void)width;
    return text.size;
}
