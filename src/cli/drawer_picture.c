/* One drawing: the picture as it was given, at its own size, with the answer on it. */
#include "base/file.h"
#include "base/text.h"
#include "cli/drawer.h"
#include "image/write.h"

/* A file that is drawn: 16 bytes a pixel of the largest picture. */
#define FILE_BYTES ((size_t)1 << 32)

static void draw_mask(const cli_drawing *d, uc_captions *captions, uc_arena *work)
{
    const uc_mask *m = d->mask;
    int64_t *area = UC_NEW(work, int64_t, (size_t)m->classes);
    if (!area) return;
    uc_draw_classes(captions->canvas, m->index, m->width, m->height, d->mask_hidden, d->style.look,
                    area, m->classes);
    uc_draw_legend(captions, area, m->classes, d->mask_hidden, d->mask_names, (size_t)m->classes,
                   d->style.look);
}

static void draw_points(const cli_drawing *d, const uc_pixels *canvas, int scale)
{
    for (size_t i = 0; i < d->point_count; i++) {
        d->points[i][0] *= scale;
        d->points[i][1] *= scale;
    }
    for (size_t i = 0; i < d->point_count; i += d->points_each) {
        uc_draw_keypoints(canvas, (const double(*)[3])d->points + i, d->points_each,
                          d->point_threshold);
    }
}

static uncork_status draw_on(cli_drawing *d, const uc_pixels *canvas, int scale, uc_arena *work)
{
    uc_font *font;
    UC_TRY(uc_font_new(work, &font, &d->error));
    uc_captions captions = uc_captions_begin(canvas, font, work);
    if (d->mask) draw_mask(d, &captions, work);
    for (size_t i = 0; i < d->box_count; i++) {
        for (int k = 0; k < 4; k++) {
            d->boxes[i].box[k] *= scale;
        }
    }
    for (size_t i = d->box_count; i-- > 0;) {
        const uc_detect_mask *m = &d->masks[i];
        if (!m->data) continue;
        uc_draw_object(canvas, m->data, m->left, m->top, m->width, m->height, scale,
                       d->style.agnostic ? UC_DRAW_AGNOSTIC
                                         : uc_draw_color(d->style.look, d->boxes[i].id));
    }
    if (d->box_count) uc_draw_boxes(&captions, d->boxes, d->box_count, &d->style);
    if (d->point_count) draw_points(d, canvas, scale);
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

uncork_status cli_write_picture(const uc_pixels *canvas, const char *path, uncork_error *error)
{
    uc_writer w;
    uc_writer_init(&w, FILE_BYTES);
    uncork_status status = is_jpeg_name(path) ? uc_jpeg_write(canvas, UC_JPEG_QUALITY, &w, error)
                                              : uc_png_write(canvas, NULL, &w, error);
    if (status == UNCORK_OK) status = uc_file_write(path, (uc_bytes){w.data, w.size}, error);
    uc_writer_done(&w);
    if (status) uc_where(error, "%s", path);
    return status;
}

static uncork_status make_thumbnail(cli_drawing *d, const uc_pixels *canvas, uc_arena *work,
                                    uc_arena *kept)
{
    uc_pixels small;
    UC_TRY(uc_sheet_thumbnail(canvas, work, &small, &d->error));
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
    /* a caption on a thumbnail can't be read: the words stand below it */
    const bool plain = !d->box_count && !d->mask && !d->point_count;
    if (d->wants_item && plain) UC_TRY(make_thumbnail(d, &canvas, work, kept));
    if (plain && !d->output) return UNCORK_OK;
    UC_TRY(draw_on(d, &canvas, scale, work));
    if (d->wants_item && !plain) UC_TRY(make_thumbnail(d, &canvas, work, kept));
    return d->output ? cli_write_picture(&canvas, d->output, &d->error) : UNCORK_OK;
}

uncork_status cli_drawing_draw(cli_drawing *drawing, uc_budget *budget, uc_arena *kept)
{
    uc_arena *work = uc_arena_new(budget);
    const uncork_status status = work ? draw(drawing, work, kept) : uc_fail_memory(&drawing->error);
    uc_arena_free(work);
    if (status && !drawing->error.where[0]) uc_where(&drawing->error, "%s", drawing->name);
    return status;
}
