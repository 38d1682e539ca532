/* One drawing: the picture as it was given, at its own size, with the answer on it. */
#include "base/file.h"
#include "base/text.h"
#include "cli/drawer.h"
#include "image/write.h"

/* A file that is drawn: 16 bytes a pixel of the largest picture. */
#define FILE_BYTES ((size_t)1 << 32)

/* Pixels of classes and of objects: what lies below everything else. */
static void draw_masks(const cli_drawing *d, const uc_pixels *canvas, int scale, int64_t *area)
{
    const uc_mask *m = d->mask;
    if (m) {
        uc_draw_classes(canvas, m->index, m->width, m->height, d->mask_hidden, d->style.look, area,
                        m->classes);
    }
    for (size_t i = d->box_count; i-- > 0;) {
        const uc_detect_mask *o = &d->masks[i];
        if (!o->data) continue;
        uc_draw_object(canvas, o->data, o->left, o->top, o->width, o->height, scale,
                       d->style.agnostic ? UC_DRAW_AGNOSTIC
                                         : uc_draw_color(d->style.look, d->boxes[i].id));
    }
}

/* Keypoints of every object, `scale` times as large. */
static uncork_status draw_points(cli_drawing *d, const uc_pixels *canvas, double scale,
                                 uc_arena *work)
{
    if (!d->point_count) return UNCORK_OK;
    double(*points)[3] = (double(*)[3])uc_arena_alloc(work, d->point_count, sizeof *points);
    if (!points) return uc_arena_status(work, &d->error);
    for (size_t i = 0; i < d->point_count; i++) {
        points[i][0] = d->points[i][0] * scale;
        points[i][1] = d->points[i][1] * scale;
        points[i][2] = d->points[i][2];
    }
    for (size_t i = 0; i < d->point_count; i += d->points_each) {
        uc_draw_keypoints(canvas, (const double(*)[3])points + i, d->points_each,
                          d->point_threshold);
    }
    return UNCORK_OK;
}

static uncork_status draw_boxes(cli_drawing *d, uc_captions *captions, int scale)
{
    for (size_t i = 0; i < d->box_count; i++) {
        for (int k = 0; k < 4; k++) {
            d->boxes[i].box[k] *= scale;
        }
    }
    if (d->box_count) uc_draw_boxes(captions, d->boxes, d->box_count, &d->style);
    return uc_arena_status(captions->arena, &d->error);
}

/* Everything that is drawn over the masks. */
static uncork_status draw_over(cli_drawing *d, const uc_pixels *canvas, int scale,
                               const int64_t *area, uc_arena *work)
{
    uc_font *font;
    UC_TRY(uc_font_new(work, &font, &d->error));
    uc_captions captions = uc_captions_begin(canvas, font, work);
    UC_TRY(draw_boxes(d, &captions, scale));
    UC_TRY(draw_points(d, canvas, scale, work));
    if (d->mask) {
        uc_draw_legend(&captions, area, d->mask->classes, d->mask_hidden, d->mask_names,
                       (size_t)d->mask->classes, d->style.look);
    }
    if (d->line_count) uc_caption_block(&captions, d->lines, d->line_count, false);
    return uc_arena_status(work, &d->error);
}

/* JPEG where the file's name says so, else PNG. */
static bool is_jpeg_name(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".jpe", ".JPG", ".JPEG", ".JPE"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (uc_text_ends(name, endings[i])) return true;
    }
    return false;
}

uncork_status cli_write_picture(const uc_pixels *canvas, const char *path, bool asked,
                                uncork_error *error)
{
    uc_writer w;
    uc_writer_init(&w, FILE_BYTES);
    uncork_status status = is_jpeg_name(path) ? uc_jpeg_write(canvas, UC_JPEG_QUALITY, &w, error)
                                              : uc_png_write(canvas, NULL, &w, error);
    const uc_bytes bytes = {w.data, w.size};
    if (status == UNCORK_OK)
        status = asked ? uc_file_write(path, bytes, error) : uc_file_replace(path, bytes, error);
    uc_writer_done(&w);
    if (status) uc_where(error, "%s", path);
    return status;
}

/* Small letters can't be read and thin lines vanish when a picture is made small: boxes and points are
 * drawn on the thumbnail itself, words stand below it. */
static uncork_status make_thumbnail(cli_drawing *d, const uc_pixels *canvas, int scale,
                                    uc_arena *work, uc_arena *kept)
{
    uc_pixels small;
    UC_TRY(uc_sheet_thumbnail(canvas, work, &small, &d->error));
    const double factor = (double)small.width / canvas->width * scale;
    for (size_t i = d->box_count; i-- > 0;) {
        const uc_draw_box *b = &d->boxes[i];
        const double box[4] = {b->box[0] * factor, b->box[1] * factor, b->box[2] * factor,
                               b->box[3] * factor};
        uc_draw_outline(&small, box, uc_draw_line_width(&small),
                        d->style.agnostic ? UC_DRAW_AGNOSTIC : uc_draw_color(d->style.look, b->id));
    }
    UC_TRY(draw_points(d, &small, factor, work));
    const size_t bytes = uc_pixels_bytes(&small);
    d->item.thumbnail = small;
    d->item.thumbnail.data = uc_arena_alloc_raw(kept, bytes);
    if (!d->item.thumbnail.data) return uc_arena_status(kept, &d->error);
    memcpy(d->item.thumbnail.data, small.data, bytes);
    return UNCORK_OK;
}

static uncork_status draw(cli_drawing *d, uc_arena *work, uc_arena *kept)
{
    uc_image image;
    uc_pixels canvas;
    int scale;
    if (d->path) UC_TRY(uc_file_read(d->path, false, work, &d->bytes, &d->error));
    UC_TRY(uc_image_decode(d->bytes, work, &image, &d->error));
    if (d->turned) UC_TRY(uc_image_upright(&image, work, &image, &d->error));
    UC_TRY(uc_canvas_of(&image, work, &canvas, &scale, &d->error));
    int64_t *area = UC_NEW(work, int64_t, d->mask ? (size_t)d->mask->classes : 1);
    if (!area) return uc_arena_status(work, &d->error);
    draw_masks(d, &canvas, scale, area);
    if (d->wants_item) UC_TRY(make_thumbnail(d, &canvas, scale, work, kept));
    if (!d->output) return UNCORK_OK;
    UC_TRY(draw_over(d, &canvas, scale, area, work));
    return cli_write_picture(&canvas, d->output, false, &d->error);
}

uncork_status cli_drawing_draw(cli_drawing *drawing, uc_budget *budget, uc_arena *kept)
{
    uc_arena *work = uc_arena_new(budget);
    const uncork_status status = work ? draw(drawing, work, kept) : uc_fail_memory(&drawing->error);
    uc_arena_free(work);
    if (status && !drawing->error.where[0]) uc_where(&drawing->error, "%s", drawing->name);
    return status;
}
