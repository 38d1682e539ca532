/* Drawing on pictures: boxes, masks, keypoints, captions, all anti-aliased and clipped. A canvas is
 * UINT8 RGB pixels. The same drawing gives the same pixels on every machine with the same FreeType,
 * whatever the number of threads: each picture is drawn by one. */
#ifndef UC_IMAGE_DRAW_H
#define UC_IMAGE_DRAW_H

#include "image/font.h"
#include "image/pixels.h"

typedef struct uc_color {
    uint8_t red, green, blue;
} uc_color;

/* ---- draw_shape.c: coordinates are pixels, (0, 0) the outer corner of the first one. What isn't
 * finite is not drawn; `alpha` is 0 (nothing) to 255 (opaque). ---- */

/* The picture as a new canvas: colours as Image.convert('RGB') gives them, I;16 by its high byte
 * (12-bit values by theirs), I and F stretched from their least to their largest value. Pictures whose shorter side is below 64
 * are enlarged by a whole factor, so that letters find room on them; *scale says by which. */
uncork_status uc_canvas_of(const uc_image *image, uc_arena *arena, uc_pixels *canvas, int *scale,
                           uncork_error *error);
/* A canvas of one colour. */
uncork_status uc_canvas_new(int width, int height, uc_color color, uc_arena *arena,
                            uc_pixels *canvas, uncork_error *error);
void uc_draw_pixel(const uc_pixels *canvas, int x, int y, uc_color color, unsigned alpha);
void uc_draw_fill(const uc_pixels *canvas, const double box[4], uc_color color, unsigned alpha);
/* Lines of `width`, centred on the box's edges but never cut by the picture's. */
void uc_draw_outline(const uc_pixels *canvas, const double box[4], double width, uc_color color);
void uc_draw_line(const uc_pixels *canvas, double x0, double y0, double x1, double y1, double width,
                  uc_color color);
void uc_draw_disc(const uc_pixels *canvas, double x, double y, double radius, uc_color color);
/* `from` (a canvas) at left, top; what lies outside is cut. */
void uc_draw_paste(const uc_pixels *canvas, const uc_pixels *from, int left, int top);

/* ---- draw_color.c ---- */

typedef enum uc_draw_look {
    UC_LOOK_DEFAULT,
    UC_LOOK_OD, /* the Object Detection API's visualization_utils: its colours, lines of 4 */
} uc_draw_look;

/* The colour of class `id`, always the same. OD: STANDARD_COLORS[id % 126]. */
uc_color uc_draw_color(uc_draw_look look, int64_t id);
#define UC_DRAW_AGNOSTIC ((uc_color){255, 140, 0}) /* DarkOrange, as there */
/* Black or white, whichever stands out more. */
uc_color uc_draw_ink(uc_color ground);

/* ---- draw_caption.c ---- */

typedef struct uc_caption {
    double place[4]; /* left, top, right, bottom */
    uc_str text;
    uc_color ground;
} uc_caption;

/* The captions of one picture: places are chosen as they come, uc_captions_end draws them all, the
 * first on top. */
typedef struct uc_captions {
    const uc_pixels *canvas;
    uc_font *font;
    int size; /* of letters, in pixels: grows with the picture */
    uc_caption *items;
    size_t count, capacity;
    double (*small)[4]; /* boxes that a caption would hide; may be NULL */
    size_t small_count;
    uc_arena *arena;
} uc_captions;

uc_captions uc_captions_begin(const uc_pixels *canvas, uc_font *font, uc_arena *arena);
/* The width of lines that goes with the letters. */
double uc_draw_line_width(const uc_pixels *canvas);
/* "name: 87%", "name", "87%" or "": score NaN when there is none. A name too long for `width` pixels
 * ends with an ellipsis, its percentage stays. */
uc_str uc_caption_text(const uc_captions *captions, uc_str name, double score, double width);
/* A caption for a box: above it, below, inside or beside it, wherever it covers no other and stays in
 * the picture; where nothing is free, where it covers the least. */
void uc_caption_box(uc_captions *captions, const double box[4], uc_str name, double score,
                    uc_color ground);
void uc_captions_end(uc_captions *captions);
/* Lines in a corner on a dark ground, first line larger: the answer of a classifier. */
typedef struct uc_caption_line {
    uc_str name;
    double score;    /* NaN: none */
    bool has_swatch; /* a square of `swatch` before the name: a legend */
    uc_color swatch;
} uc_caption_line;
void uc_caption_block(uc_captions *captions, const uc_caption_line *lines, size_t count,
                      bool bottom);

/* ---- draw_boxes.c ---- */

typedef struct uc_draw_box {
    double box[4]; /* left, top, right, bottom */
    int64_t id;    /* of the class: decides the colour */
    double score;  /* NaN: none */
    uc_str name;   /* may be empty */
} uc_draw_box;

typedef struct uc_draw_style {
    uc_draw_look look;
    bool agnostic; /* one colour for all, captions without a name */
} uc_draw_style;

/* Boxes and captions, the first of `boxes` (the best) on top. */
void uc_draw_boxes(uc_captions *captions, const uc_draw_box *boxes, size_t count,
                   const uc_draw_style *style);

/* ---- draw_mask.c ---- */

/* Class of each pixel, translucent, with its outline, stretched to the canvas. `hidden` (a background)
 * isn't drawn; negative: none is hidden.
 *
 * area  [classes] how many pixels of the map each has; ids from there on aren't drawn. */
void uc_draw_classes(const uc_pixels *canvas, const uint16_t *map, int width, int height,
                     int64_t hidden, uc_draw_look look, int64_t *area, int64_t classes);
/* The map's classes by area, largest first, with their share of the picture. */
void uc_draw_legend(uc_captions *captions, const int64_t *area, int64_t classes, int64_t hidden,
                    const uc_str *names, size_t name_count, uc_draw_look look);
/* One object: bytes that aren't 0, [height, width], at left, top of a picture `scale` times smaller
 * than the canvas. */
void uc_draw_object(const uc_pixels *canvas, const uint8_t *mask, int left, int top, int width,
                    int height, int scale, uc_color color);

/* ---- draw_keypoints.c ---- */

/* points [count, 3]: x, y, score. Those below `threshold` aren't drawn; 17 of them are joined as COCO's
 * person. */
void uc_draw_keypoints(const uc_pixels *canvas, const double (*points)[3], size_t count,
                       double threshold);

/* ---- draw_sheet.c: contact sheets, a page at a time ---- */

#define UC_SHEET_SIDE   160 /* pixels of a thumbnail's longer side */
#define UC_SHEET_PLACES 200 /* thumbnails of a page: 22 MB of pixels at most */

typedef struct uc_sheet_item {
    uc_pixels thumbnail; /* a canvas, from uc_sheet_thumbnail */
    uc_str name;         /* of the file: its end is kept where it is too long */
    uc_str answer;
    double score; /* NaN: none */
    bool failed;  /* the answer is what went wrong */
} uc_sheet_item;

/* The canvas made small, its proportions kept; small ones are enlarged by a whole factor. */
uncork_status uc_sheet_thumbnail(const uc_pixels *canvas, uc_arena *arena, uc_pixels *thumbnail,
                                 uncork_error *error);
/* A page with as many columns as make it about as wide as high, 10 at most. count is 1 to
 * UC_SHEET_PLACES. */
uncork_status uc_sheet_page(const uc_sheet_item *items, size_t count, uc_font *font,
                            uc_arena *arena, uc_pixels *page, uncork_error *error);

/* ---- draw_matrix.c ---- */

/* A confusion matrix as a picture: rows are what is true, darker means a larger share of the row.
 * Numbers and names stand in it where there is room for them.
 *
 * counts  [classes, classes], row by row. */
uncork_status uc_draw_matrix(const int64_t *counts, size_t classes, const uc_str *names,
                             uc_str title, uc_font *font, uc_arena *arena, uc_pixels *canvas,
                             uncork_error *error);

#endif
