/* Letters on a canvas, through FreeType, out of a font that is part of the library (captions.ttf: Latin,
 * Greek, Cyrillic, Armenian, Georgian). No shaping: one glyph a character, left to right. */
#ifndef UC_IMAGE_FONT_H
#define UC_IMAGE_FONT_H

#include "base/bytes.h"
#include "image/pixels.h"

/* A font at work, for one thread at a time. */
typedef struct uc_font uc_font;

/* Goes with the arena. Where the build has no FreeType every text is empty: no width, no pixels. */
uncork_status uc_font_new(uc_arena *arena, uc_font **font, uncork_error *error);
/* "FreeType 2.12.1", or NULL where the build goes without (-DUNCORK_TEXT=OFF). */
const char *uc_font_library(void);

/* Pixels that the text takes in letters of `size` pixels; control characters take none, a character
 * that the font lacks takes a box. At most UC_FONT_CHARACTERS are looked at. */
#define UC_FONT_CHARACTERS 512
double uc_font_width(uc_font *font, uc_str text, int size);
/* Draws with the baseline at `y`, red, green, blue in that order. Clipped. */
void uc_font_draw(uc_font *font, const uc_pixels *canvas, double x, int y, uc_str text, int size,
                  const uint8_t color[3]);
/* As many leading bytes of the text as fit `width`, whole characters. */
size_t uc_font_fit(uc_font *font, uc_str text, int size, double width);

#endif
