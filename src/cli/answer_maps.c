/* What lies over the picture: masks with their legend, pictures, points. */
#include "base/text.h"
#include "cli/answer.h"
#include "image/draw.h"
#include "image/write.h"

#include <math.h>
#include <stdlib.h>

/* ---- segmentation ----------------------------------------------------------------------------- */

static int by_share(const void *x, const void *y)
{
    const cli_class *a = x, *b = y;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

/* A file of any size a picture may have. */
#define FILE_BYTES ((size_t)1 << 31)

static uncork_status write_png(const cli_answers *a, const uc_reading *reading,
                               const cli_input *input, const uc_pixels *pixels,
                               const uc_palette *palette, uc_arena *arena, const char **path,
                               uncork_error *error)
{
    uc_writer w;
    uc_writer_init(&w, FILE_BYTES);
    uncork_status status = uc_png_write(pixels, palette, &w, error);
    if (status == UNCORK_OK)
        status = cli_write_beside(a, reading, input, ".png", &w, arena, path, error);
    uc_writer_done(&w);
    return status;
}

/* The colour of a class in masks and legends: a background is black. */
static uc_color color_of(const cli_answers *a, const uc_reading *reading, int64_t index)
{
    char own[32];
    uc_str name = cli_class_name(a, reading, index, own);
    if (index == 0 && (uc_str_is(name, "background") || uc_str_is(name, "__background__")))
        return (uc_color){0, 0, 0};
    return uc_draw_color(UC_LOOK_DEFAULT, index);
}

/* Class numbers as a palette picture; pixels without a class get the number behind the last and black.
 * More than 255 classes are 16 bits of grey. */
static uncork_status write_mask(const cli_answers *a, const uc_reading *reading,
                                const cli_input *input, cli_segments *s, uc_arena *arena,
                                uncork_error *error)
{
    const uc_mask *m = &s->mask;
    size_t count = (size_t)m->width * (size_t)m->height;
    uc_pixels pixels = {UNCORK_UINT16, m->height, m->width, 1, m->index};
    if (m->classes > 255)
        return write_png(a, reading, input, &pixels, NULL, arena, &s->path, error);
    uc_palette palette = {.count = (int)m->classes + 1};
    for (int64_t c = 0; c < m->classes; c++) {
        const uc_color color = color_of(a, reading, c);
        palette.colors[c][0] = color.red;
        palette.colors[c][1] = color.green;
        palette.colors[c][2] = color.blue;
    }
    uint8_t *bytes = UC_NEW(arena, uint8_t, count);
    if (!bytes) return uc_arena_status(arena, error);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (uint8_t)(m->index[i] < m->classes ? m->index[i] : m->classes);
    }
    pixels = (uc_pixels){UNCORK_UINT8, m->height, m->width, 1, bytes};
    return write_png(a, reading, input, &pixels, &palette, arena, &s->path, error);
}

/* The size of this input's picture in the model, where it may differ from the first one's. */
static uc_post_options options_of(const cli_answers *a, const cli_input *input)
{
    uc_post_options options = a->post;
    if (input->height > 0 && input->width > 0) {
        options.input_height = input->height;
        options.input_width = input->width;
    }
    return options;
}

static uncork_status make_segments(const cli_answers *a, const uc_reading *reading,
                                   const cli_input *input, uc_arena *arena, void **made,
                                   uncork_error *error)
{
    uc_tensor row;
    cli_segments *s = UC_NEW(arena, cli_segments, 1);
    if (!s) return uc_arena_status(arena, error);
    UC_TRY(uc_post_take(reading, input->outputs[reading->output], input->batch, input->row, arena,
                        &row, error));
    const uc_post_options options = options_of(a, input);
    UC_TRY(uc_post_mask(reading, &row, &options, input->place, arena, &s->mask, error));
    s->items = UC_NEW(arena, cli_class, (size_t)s->mask.classes);
    if (!s->items) return uc_arena_status(arena, error);
    double all = (double)s->mask.width * (double)s->mask.height;
    for (int64_t c = 0; c < s->mask.classes; c++) {
        if (!s->mask.pixels[c]) continue;
        s->items[s->count++] = (cli_class){c, (double)s->mask.pixels[c] / all};
    }
    qsort(s->items, s->count, sizeof *s->items, by_share);
    *made = s;
    return a->options->output ? write_mask(a, reading, input, s, arena, error) : UNCORK_OK;
}

static size_t shown(const cli_answers *a, const cli_segments *s)
{
    return a->options->top && (size_t)a->options->top < s->count ? (size_t)a->options->top
                                                                 : s->count;
}

static void text_segments(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_segments *s = made;
    char own[32];
    for (size_t i = 0; i < shown(a, s); i++) {
        uc_writer_text(a->out, i ? ", " : "");
        uc_text_escape(a->out, cli_class_name(a, reading, s->items[i].index, own));
        uc_writer_printf(a->out, " %.2f%%", s->items[i].score * 100);
    }
    if (shown(a, s) < s->count) uc_writer_printf(a->out, " and %zu more", s->count - shown(a, s));
}

static void screen_segments(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_segments *s = made;
    char own[32];
    size_t width = 0;
    if (a->one_line) {
        text_segments(a, reading, made);
        return;
    }
    for (size_t i = 0; i < shown(a, s); i++) {
        size_t n = cli_text_width(cli_class_name(a, reading, s->items[i].index, own));
        if (n > width) width = n;
    }
    for (size_t i = 0; i < shown(a, s); i++) {
        cli_screen_line(a, i);
        cli_screen_bar(a, cli_class_name(a, reading, s->items[i].index, own), width,
                       s->items[i].score, false);
    }
    if (shown(a, s) < s->count)
        uc_writer_printf(a->out, "\n%s  and %zu more", a->shown > 1 ? "  " : "",
                         s->count - shown(a, s));
}

static void put_color(uc_json_writer *json, uc_color color)
{
    char text[8];
    snprintf(text, sizeof text, "#%02x%02x%02x", color.red, color.green, color.blue);
    uc_json_key(json, "color");
    uc_json_put_text(json, text);
}

static void json_segments(const cli_answers *a, const uc_reading *reading, const void *made,
                          uc_json_writer *json)
{
    const cli_segments *s = made;
    char own[32];
    uc_json_key(json, "width");
    uc_json_put_i64(json, s->mask.width);
    uc_json_key(json, "height");
    uc_json_put_i64(json, s->mask.height);
    uc_json_key(json, "classes");
    uc_json_begin_array(json);
    for (size_t i = 0; i < s->count; i++) {
        uc_json_begin_object(json);
        uc_json_key(json, "label");
        uc_json_put_str(json, cli_class_name(a, reading, s->items[i].index, own));
        uc_json_key(json, "index");
        uc_json_put_i64(json, s->items[i].index);
        uc_json_key(json, "pixels");
        uc_json_put_i64(json, s->mask.pixels[s->items[i].index]);
        uc_json_key(json, "share");
        uc_json_put_f64(json, s->items[i].score);
        if (s->path) put_color(json, color_of(a, reading, s->items[i].index));
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
    if (s->path) {
        uc_json_key(json, "file");
        uc_json_put_text(json, s->path);
    }
}

/* The largest class and the number of classes: a column a class would differ from picture to picture. */
static size_t csv_head_segments(const cli_answers *a, const uc_reading *reading, const void *made)
{
    static const char *const names[] = {"label", "share", "classes", NULL};
    (void)made;
    return cli_csv_headings(a, reading, names);
}

static void csv_segments(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_segments *s = made;
    char own[32];
    uc_writer_text(a->out, ",");
    if (s->count) cli_csv_cell(a->out, cli_class_name(a, reading, s->items[0].index, own));
    uc_writer_printf(a->out, ",%.6f,%zu", s->count ? s->items[0].score : 0.0, s->count);
}

const cli_answer_kind cli_answer_segment = {.kind = UC_POST_SEGMENT,
                                            .make = make_segments,
                                            .text = text_segments,
                                            .screen = screen_segments,
                                            .json = json_segments,
                                            .csv_head = csv_head_segments,
                                            .csv = csv_segments};

/* ---- pictures --------------------------------------------------------------------------------- */

typedef struct made_picture {
    uc_post_picture picture;
    const char *path; /* written; NULL: not */
} made_picture;

static uncork_status make_picture(const cli_answers *a, const uc_reading *reading,
                                  const cli_input *input, uc_arena *arena, void **made,
                                  uncork_error *error)
{
    uc_tensor row;
    made_picture *p = UC_NEW(arena, made_picture, 1);
    if (!p) return uc_arena_status(arena, error);
    UC_TRY(uc_post_take(reading, input->outputs[reading->output], input->batch, input->row, arena,
                        &row, error));
    UC_TRY(uc_post_picture_of(reading, &row, arena, &p->picture, error));
    *made = p;
    if (!a->options->output) return UNCORK_OK;
    const uc_pixels pixels = {UNCORK_UINT8, p->picture.height, p->picture.width,
                              p->picture.channels, p->picture.pixels};
    return write_png(a, reading, input, &pixels, NULL, arena, &p->path, error);
}

static void text_picture(const cli_answers *a, const uc_reading *reading, const void *made)
{
    (void)reading;
    const made_picture *p = made;
    uc_writer_printf(a->out, "a picture of %d x %d, %s, values of %s", p->picture.width,
                     p->picture.height, p->picture.channels == 1 ? "grey" : "colour",
                     p->picture.range);
    if (p->path) {
        uc_writer_text(a->out, ", written to ");
        uc_text_escape(a->out, uc_str_of(p->path));
    }
}

static void json_picture(const cli_answers *a, const uc_reading *reading, const void *made,
                         uc_json_writer *json)
{
    (void)a;
    (void)reading;
    const made_picture *p = made;
    uc_json_key(json, "width");
    uc_json_put_i64(json, p->picture.width);
    uc_json_key(json, "height");
    uc_json_put_i64(json, p->picture.height);
    uc_json_key(json, "channels");
    uc_json_put_i64(json, p->picture.channels);
    if (p->path) {
        uc_json_key(json, "file");
        uc_json_put_text(json, p->path);
    }
}

static size_t csv_head_picture(const cli_answers *a, const uc_reading *reading, const void *made)
{
    static const char *const names[] = {"width", "height", "file", NULL};
    (void)made;
    return cli_csv_headings(a, reading, names);
}

static void csv_picture(const cli_answers *a, const uc_reading *reading, const void *made)
{
    (void)reading;
    const made_picture *p = made;
    uc_writer_printf(a->out, ",%d,%d,", p->picture.width, p->picture.height);
    if (p->path) cli_csv_cell(a->out, uc_str_of(p->path));
}

const cli_answer_kind cli_answer_image = {.kind = UC_POST_IMAGE,
                                          .make = make_picture,
                                          .text = text_picture,
                                          .json = json_picture,
                                          .csv_head = csv_head_picture,
                                          .csv = csv_picture,
                                          .named = true};

/* ---- keypoints -------------------------------------------------------------------------------- */

static uncork_status make_points(const cli_answers *a, const uc_reading *reading,
                                 const cli_input *input, uc_arena *arena, void **made,
                                 uncork_error *error)
{
    uc_tensor row;
    cli_points *p = UC_NEW(arena, cli_points, 1);
    if (!p) return uc_arena_status(arena, error);
    UC_TRY(uc_post_take(reading, input->outputs[reading->output], input->batch, input->row, arena,
                        &row, error));
    const uc_post_options options = options_of(a, input);
    UC_TRY(
        uc_post_points(reading, &row, &options, input->place, arena, &p->items, &p->count, error));
    *made = p;
    return UNCORK_OK;
}

static void text_points(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_points *p = made;
    const char *between = "";
    char own[32];
    for (int64_t i = 0; i < p->count; i++) {
        const uc_point *at = &p->items[i];
        if (!isnan(reading->threshold) && at->score < reading->threshold) continue;
        uc_writer_text(a->out, between);
        between = ", ";
        uc_text_escape(a->out, cli_class_name(a, reading, i, own));
        uc_writer_printf(a->out, " %.1f %.1f", at->x, at->y);
        if (!isnan(at->score)) uc_writer_printf(a->out, " %.4f", at->score);
    }
}

static void screen_points(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_points *p = made;
    char own[32];
    if (a->one_line) {
        text_points(a, reading, made);
        return;
    }
    for (int64_t i = 0; i < p->count; i++) {
        const uc_point *at = &p->items[i];
        uc_str name = cli_class_name(a, reading, i, own);
        size_t width = cli_text_width(name);
        cli_screen_line(a, (size_t)i);
        uc_text_escape(a->out, name);
        uc_writer_printf(a->out, "%*s %8.1f %8.1f", (int)(width < 16 ? 16 - width : 0), "", at->x,
                         at->y);
        if (!isnan(at->score)) uc_writer_printf(a->out, " %8.4f", at->score);
    }
}

static void json_points(const cli_answers *a, const uc_reading *reading, const void *made,
                        uc_json_writer *json)
{
    const cli_points *p = made;
    char own[32];
    uc_json_key(json, "points");
    uc_json_begin_array(json);
    for (int64_t i = 0; i < p->count; i++) {
        uc_json_begin_object(json);
        uc_json_key(json, "label");
        uc_json_put_str(json, cli_class_name(a, reading, i, own));
        uc_json_key(json, "x");
        uc_json_put_f64(json, p->items[i].x);
        uc_json_key(json, "y");
        uc_json_put_f64(json, p->items[i].y);
        if (!isnan(p->items[i].score)) {
            uc_json_key(json, "score");
            uc_json_put_f32(json, (float)p->items[i].score);
        }
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
}

static size_t csv_head_points(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_points *p = made;
    char own[32];
    for (int64_t i = 0; i < p->count; i++) {
        uc_writer cell;
        uc_writer_init(&cell, 1u << 16);
        uc_str label = cli_class_name(a, reading, i, own);
        static const char *const parts[] = {"x", "y", "score"};
        for (size_t k = 0; k < 3; k++) {
            cell.size = 0;
            uc_writer_printf(&cell, "%.*s_%s", (int)label.size, label.data, parts[k]);
            uc_writer_text(a->out, ",");
            cli_csv_cell(a->out, (uc_str){uc_writer_string(&cell), cell.size});
        }
        uc_writer_done(&cell);
    }
    return 3 * (size_t)p->count;
}

static void csv_points(const cli_answers *a, const uc_reading *reading, const void *made)
{
    (void)reading;
    const cli_points *p = made;
    for (int64_t i = 0; i < p->count; i++) {
        uc_writer_printf(a->out, ",%.3f,%.3f,", p->items[i].x, p->items[i].y);
        if (!isnan(p->items[i].score)) uc_writer_printf(a->out, "%.6f", p->items[i].score);
    }
}

const cli_answer_kind cli_answer_keypoints = {.kind = UC_POST_KEYPOINTS,
                                              .make = make_points,
                                              .text = text_points,
                                              .screen = screen_points,
                                              .json = json_points,
                                              .csv_head = csv_head_points,
                                              .csv = csv_points};
