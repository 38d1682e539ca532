/* Boxes of a detector: one line a picture, an array in JSON, a record a box in CSV. Corners are pixels
 * of the picture that was given. */
#include "base/text.h"
#include "cli/answer.h"

#include <math.h>

uc_str cli_box_name(const cli_answers *a, int64_t id, char text[32])
{
    const uc_str name = uc_detect_label(&a->detector, id, &a->labels);
    if (name.size) return name;
    const int n = snprintf(text, 32, "%lld", (long long)id);
    return (uc_str){text, n > 0 ? (size_t)n : 0};
}

static void take_set(cli_answers *a, const char *set, const char *why)
{
    uc_labels labels;
    if (!uc_labels_set(set, a->arena, &labels)) return;
    a->labels = labels;
    uc_note(a->notes, UC_NOTE_ASSUMED, "detector-labels",
            "names of %s: %s (--labels FILE for others)", set, why);
}

void cli_box_labels(cli_answers *a)
{
    static const uc_str face = {"face", 4};
    const uc_detector *d = &a->detector;
    const char *given = a->options->labels;
    if (given && strcmp(given, "coco") == 0 && (d->classes == 0 || d->classes >= 90)) {
        take_set(a, "coco91", "the detector's ids are COCO's own, with gaps");
    } else if (a->labels.count) {
        return;
    } else if (strcmp(d->name, "yunet") == 0 ||
               (strcmp(d->name, "ultraface") == 0 && d->classes == 2)) {
        a->labels.items = UC_NEW(a->arena, uc_str, 1);
        if (!a->labels.items) return;
        a->labels.items[0] = face;
        a->labels.count = 1;
    } else if (d->classes == 80) {
        take_set(a, "coco", "80 classes without names are COCO's as a rule");
    }
}

/* ---- making ----------------------------------------------------------------------------------- */

static int clamp_size(int64_t n) { return n > 0 && n <= 1 << 24 ? (int)n : 1; }

static uc_geometry geometry_of(const cli_input *input)
{
    const int w = clamp_size(input->width), h = clamp_size(input->height);
    const uc_post_place *p = input->place;
    if (!p) return uc_geometry_squash(w, h, w, h);
    return (uc_geometry){.picture_width = p->width,
                         .picture_height = p->height,
                         .input_width = w,
                         .input_height = h,
                         .scale_x = 1 / p->scale_x,
                         .scale_y = 1 / p->scale_y,
                         .shift_x = p->offset_x,
                         .shift_y = p->offset_y};
}

/* Quantised outputs as the numbers they stand for. */
static uncork_status real_numbers(const cli_answers *a, const cli_input *input, uc_arena *arena,
                                  const uc_tensor ***outputs, uncork_error *error)
{
    *outputs = UC_NEW(arena, const uc_tensor *, (size_t)a->count);
    if (!*outputs) return uc_arena_status(arena, error);
    for (int i = 0; i < a->count; i++) {
        const uc_reading *r = &a->readings[i];
        (*outputs)[i] = input->outputs[i];
        if (r->scale == 0) continue;
        const uc_tensor *q = uc_tensor_dense(arena, input->outputs[i]);
        uc_tensor *t = q ? uc_tensor_new(arena, UNCORK_FLOAT32, q->rank, q->shape) : NULL;
        if (!t) return uc_arena_status(arena, error);
        float *v = t->data;
        for (int64_t k = 0; k < uc_tensor_count(t); k++) {
            v[k] = (float)((uc_dtype_load_f64(q->data, k, q->dtype) - r->zero) * r->scale);
        }
        (*outputs)[i] = t;
    }
    return UNCORK_OK;
}

static uncork_status make(const cli_answers *a, const uc_reading *reading, const cli_input *input,
                          uc_arena *arena, void **made, uncork_error *error)
{
    (void)reading;
    const cli_options *o = a->options;
    cli_boxes *b = UC_NEW(arena, cli_boxes, 1);
    const uc_tensor **outputs;
    if (!b) return uc_arena_status(arena, error);
    b->input = input->name;
    const uc_geometry g = geometry_of(input);
    const uc_detect_options options = {.threshold = isnan(o->threshold) ? -1 : o->threshold,
                                       .iou = isnan(o->nms) ? -1 : o->nms,
                                       .max_boxes = o->max_boxes,
                                       .agnostic = o->agnostic};
    UC_TRY(real_numbers(a, input, arena, &outputs, error));
    UC_TRY(uc_detect_boxes(&a->detector, outputs, input->row, &options, &g, arena, a->notes,
                           &b->found, error));
    *made = b;
    return UNCORK_OK;
}

/* ---- text ------------------------------------------------------------------------------------- */

static void put_box(uc_writer *out, const uc_detection *d)
{
    uc_writer_printf(out, "[%.1f %.1f %.1f %.1f]", (double)d->box[0], (double)d->box[1],
                     (double)d->box[2], (double)d->box[3]);
}

static void text(const cli_answers *a, const uc_reading *reading, const void *made)
{
    (void)reading;
    const cli_boxes *b = made;
    char own[32];
    if (!b->found.count) uc_writer_text(a->out, "nothing");
    for (size_t i = 0; i < b->found.count; i++) {
        const uc_detection *d = &b->found.items[i];
        if (i) uc_writer_text(a->out, ", ");
        uc_text_escape(a->out, cli_box_name(a, d->id, own));
        uc_writer_printf(a->out, " %.4f ", (double)d->score);
        put_box(a->out, d);
    }
}

/* On a terminal a line a box: name, per cent, corners. */
static void screen(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_boxes *b = made;
    char own[32];
    size_t widest = 0;
    if (a->one_line || !b->found.count) {
        uc_writer_text(a->out, a->one_line ? "" : "  ");
        text(a, reading, made);
        return;
    }
    for (size_t i = 0; i < b->found.count; i++) {
        const size_t w = cli_text_width(cli_box_name(a, b->found.items[i].id, own));
        if (w > widest) widest = w;
    }
    if (widest > 32) widest = 32;
    for (size_t i = 0; i < b->found.count; i++) {
        const uc_detection *d = &b->found.items[i];
        const uc_str name = cli_box_name(a, d->id, own);
        const size_t w = cli_text_width(name);
        uc_writer_text(a->out, i ? "\n  " : "  ");
        uc_text_escape(a->out, name);
        uc_writer_printf(a->out, "%*s %5.1f %%", (int)(w < widest ? widest - w : 0), "",
                         100 * (double)d->score);
        uc_writer_printf(a->out, "  %7.1f %7.1f %7.1f %7.1f", (double)d->box[0], (double)d->box[1],
                         (double)d->box[2], (double)d->box[3]);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static void json_points(const uc_detections *found, const uc_detection *d, uc_json_writer *json)
{
    if (!d->keypoints) return;
    uc_json_key(json, "points");
    uc_json_begin_array(json);
    for (int k = 0; k < found->keypoint_count; k++) {
        uc_json_begin_array(json);
        for (int i = 0; i < 3; i++) {
            uc_json_put_f32(json, d->keypoints[3 * k + i]);
        }
        uc_json_end_array(json);
    }
    uc_json_end_array(json);
}

/* Runs of pixels outside and inside in turn, row by row through the mask's own rectangle, outside
 * first. */
static void json_mask(const uc_detection *d, uc_json_writer *json)
{
    const uc_detect_mask *m = d->mask;
    if (!m) return;
    uc_json_key(json, "mask");
    uc_json_begin_object(json);
    uc_json_key(json, "box");
    uc_json_begin_array(json);
    uc_json_put_i64(json, m->left);
    uc_json_put_i64(json, m->top);
    uc_json_put_i64(json, m->left + m->width);
    uc_json_put_i64(json, m->top + m->height);
    uc_json_end_array(json);
    uc_json_key(json, "runs");
    uc_json_begin_array(json);
    int64_t run = 0;
    uint8_t now = 0;
    for (int64_t i = 0; i < (int64_t)m->width * m->height; i++, run++) {
        if (m->data[i] == now) continue;
        uc_json_put_i64(json, run);
        run = 0;
        now = m->data[i];
    }
    uc_json_put_i64(json, run);
    uc_json_end_array(json);
    uc_json_end_object(json);
}

static void json(const cli_answers *a, const uc_reading *reading, const void *made,
                 uc_json_writer *json)
{
    (void)reading;
    const cli_boxes *b = made;
    char own[32];
    uc_json_key(json, "detector");
    uc_json_put_text(json, a->detector.name);
    uc_json_key(json, "boxes");
    uc_json_begin_array(json);
    for (size_t i = 0; i < b->found.count; i++) {
        const uc_detection *d = &b->found.items[i];
        uc_json_begin_object(json);
        uc_json_key(json, "label");
        uc_json_put_str(json, cli_box_name(a, d->id, own));
        uc_json_key(json, "index");
        uc_json_put_i64(json, d->id);
        uc_json_key(json, "score");
        uc_json_put_f32(json, d->score);
        uc_json_key(json, "box");
        uc_json_begin_array(json);
        for (int k = 0; k < 4; k++) {
            uc_json_put_f32(json, d->box[k]);
        }
        uc_json_end_array(json);
        json_points(&b->found, d, json);
        json_mask(d, json);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
}

/* ---- CSV -------------------------------------------------------------------------------------- */

#define CSV_COLUMNS 7

static size_t csv_head(const cli_answers *a, const uc_reading *reading, const void *made)
{
    (void)reading;
    (void)made;
    uc_writer_text(a->out, ",label,index,score,x1,y1,x2,y2");
    return CSV_COLUMNS;
}

static void put_number(uc_writer *out, float v)
{
    char number[32];
    uc_writer_text(out, ",");
    uc_writer_put(out, number, uc_f32_text(v, number));
}

/* A record a box; a picture without any has one with empty cells. */
static void csv(const cli_answers *a, const uc_reading *reading, const void *made)
{
    (void)reading;
    const cli_boxes *b = made;
    char own[32];
    if (!b->found.count) uc_writer_text(a->out, ",,,,,,,");
    for (size_t i = 0; i < b->found.count; i++) {
        const uc_detection *d = &b->found.items[i];
        if (i) {
            uc_writer_text(a->out, ",\n");
            cli_csv_cell(a->out, uc_str_of(b->input));
        }
        uc_writer_text(a->out, ",");
        cli_csv_cell(a->out, cli_box_name(a, d->id, own));
        uc_writer_printf(a->out, ",%lld", (long long)d->id);
        put_number(a->out, d->score);
        for (int k = 0; k < 4; k++) {
            put_number(a->out, d->box[k]);
        }
    }
}

const cli_answer_kind cli_answer_detect = {.kind = UC_POST_DETECT,
                                           .make = make,
                                           .text = text,
                                           .screen = screen,
                                           .json = json,
                                           .csv_head = csv_head,
                                           .csv = csv};
