/* Contact sheets: thumbnails in a grid, under each the file's name and the answer. */
#include "image/draw.h"

#include <math.h>
#include <stdio.h>

#define MARGIN     8
#define NAME_SIZE  11
#define LABEL_SIZE 13
#define LINE       17
#define COLUMNS    10
#define CELL       (UC_SHEET_SIDE + 2 * MARGIN)
#define CELL_HIGH  (UC_SHEET_SIDE + 2 * MARGIN + 2 * LINE)

uncork_status uc_sheet_thumbnail(const uc_pixels *canvas, uc_arena *arena, uc_pixels *thumbnail,
                                 uncork_error *error)
{
    const int longer = canvas->width > canvas->height ? canvas->width : canvas->height;
    double scale = (double)UC_SHEET_SIDE / longer;
    if (scale > 1) scale = floor(scale);
    const int width = (int)(canvas->width * scale + 0.5),
              height = (int)(canvas->height * scale + 0.5);
    const uc_image from = {.mode = UC_IMAGE_RGB,
                           .width = canvas->width,
                           .height = canvas->height,
                           .data = canvas->data,
                           .orientation = 1};
    uc_image small;
    UC_TRY(uc_resize_pillow(&from, width < 1 ? 1 : width, height < 1 ? 1 : height,
                            scale > 1 ? UC_PILLOW_NEAREST : UC_PILLOW_BOX, NULL, 0, 13, arena,
                            &small, error));
    return uc_pixels_of_image(&small, arena, thumbnail, error);
}

/* The end of a name, "…" before it, where all of it doesn't fit. */
static uc_str fit_end(uc_font *font, uc_str text, int size, double width, uc_arena *arena)
{
    if (uc_font_width(font, text, size) <= width) return text;
    while (text.size && uc_font_width(font, text, size) > width - size) {
        size_t step = 1;
        while (step < text.size && ((unsigned char)text.data[step] & 0xc0) == 0x80) {
            step++;
        }
        text.data += step;
        text.size -= step;
    }
    const char *cut = uc_arena_printf(arena, "\xe2\x80\xa6%.*s", (int)text.size, text.data);
    return cut ? uc_str_of(cut) : text;
}

static void put_centred(uc_font *font, const uc_pixels *page, int left, int baseline, uc_str text,
                        int size, const uint8_t color[3])
{
    const double width = uc_font_width(font, text, size);
    uc_font_draw(font, page, left + floor((CELL - width) / 2), baseline, text, size, color);
}

static void put_item(const uc_sheet_item *item, int left, int top, uc_font *font, uc_arena *arena,
                     const uc_pixels *page)
{
    static const uint8_t grey[3] = {110, 110, 110}, black[3] = {20, 20, 20}, red[3] = {190, 20, 20};
    const uc_pixels *t = &item->thumbnail;
    if (t->data) {
        uc_draw_paste(page, t, left + (CELL - t->width) / 2,
                      top + MARGIN + (UC_SHEET_SIDE - t->height) / 2);
    } else { /* a picture that couldn't be read */
        const double box[4] = {left + MARGIN, top + MARGIN, left + CELL - MARGIN,
                               top + MARGIN + UC_SHEET_SIDE};
        uc_draw_fill(page, box, (uc_color){228, 228, 228}, 255);
    }
    const uc_str name = item->name.size > 1000
                            ? (uc_str){item->name.data + item->name.size - 200, 200}
                            : item->name;
    put_centred(font, page, left, top + CELL_HIGH - MARGIN - LINE - 3,
                fit_end(font, name, NAME_SIZE, CELL - 6, arena), NAME_SIZE, grey);
    const uc_captions captions = {.font = font, .size = LABEL_SIZE, .arena = arena};
    put_centred(font, page, left, top + CELL_HIGH - MARGIN - 2,
                uc_caption_text(&captions, item->answer, item->score, CELL - 6), LABEL_SIZE,
                item->failed ? red : black);
}

uncork_status uc_sheet_page(const uc_sheet_item *items, size_t count, uc_font *font,
                            uc_arena *arena, uc_pixels *page, uncork_error *error)
{
    int columns = 1;
    while (columns < COLUMNS && (size_t)columns * (size_t)columns < count) {
        columns++;
    }
    const int rows = (int)((count + (size_t)columns - 1) / (size_t)columns);
    UC_TRY(uc_canvas_new(columns * CELL, rows * CELL_HIGH, (uc_color){250, 250, 250}, arena, page,
                         error));
    for (size_t i = 0; i < count; i++) {
        const int column = (int)(i % (size_t)columns), row = (int)(i / (size_t)columns);
        put_item(&items[i], column * CELL, row * CELL_HIGH, font, arena, page);
    }
    return UNCORK_OK;
}
