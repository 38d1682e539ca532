/* What an answer looks like on its picture. */
#include "base/text.h"
#include "cli/drawer.h"

#include <math.h>

#define LINES       3    /* classes on a picture */
#define LEAST       0.01 /* of those behind the first */
#define POINT_LEAST 0.3  /* keypoints below it aren't drawn where the reading has no threshold */

static uc_str keep(cli_drawing *d, uc_str s)
{
    const char *copy = uc_arena_copy(d->arena, s.size ? s.data : "", s.size);
    return copy ? (uc_str){copy, s.size} : (uc_str){"", 0};
}

static uc_caption_line *add_line(cli_drawing *d, uc_str name, double score)
{
    d->answered = true;
    if (!d->lines) d->lines = UC_NEW(d->arena, uc_caption_line, 16);
    if (!d->lines || d->line_count == 16) return NULL;
    uc_caption_line *line = &d->lines[d->line_count++];
    *line = (uc_caption_line){.name = keep(d, name), .score = score};
    if (d->item.answer.size == 0) {
        d->item.answer = line->name;
        d->item.score = score;
    }
    return line;
}

static void add_classes(cli_drawing *d, const cli_answers *a, const uc_reading *reading,
                        const cli_classes *classes)
{
    char own[32];
    d->answered = true;
    for (size_t i = 0; i < classes->count && i < LINES; i++) {
        const double score = classes->items[i].score;
        uc_str name = cli_class_of(a, reading, classes, classes->items[i].index, own);
        if (!reading->raw) {
            if (i && score < LEAST) break;
            add_line(d, name, score);
            continue;
        }
        const char *text = /* no probabilities: the number as it is */
            uc_arena_printf(d->arena, "%.*s %.4g", (int)name.size, name.data, score);
        if (text) add_line(d, uc_str_of(text), (double)NAN);
    }
    if (!classes->count) d->item.answer = uc_str_of("(none)");
}

/* scikit-learn and its kin: the label, with its probability where there is one. */
static void add_table(cli_drawing *d, const cli_answers *a, const cli_table *table)
{
    char own[32];
    if (!table->count || !table->probabilities) {
        if (table->label.size) add_line(d, table->label, (double)NAN);
        return;
    }
    for (size_t i = 0; i < table->count && i < LINES; i++) {
        if (i && table->items[i].score < LEAST) break;
        add_line(d, cli_table_class(a, table->items[i].index, own), table->items[i].score);
    }
}

static bool is_background(uc_str name)
{
    static const char *const words[] = {"background", "__background__", "_background_",
                                        "unlabeled",  "unlabelled",     "void"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (uc_str_is(name, words[i])) return true;
    }
    return false;
}

static void add_mask(cli_drawing *d, const cli_answers *a, const uc_reading *reading,
                     const cli_segments *segments)
{
    const uc_mask *from = &segments->mask;
    const size_t pixels = (size_t)from->width * (size_t)from->height;
    d->answered = true;
    d->mask = UC_NEW(d->arena, uc_mask, 1);
    d->mask_names = UC_NEW(d->arena, uc_str, (size_t)from->classes);
    uint16_t *index = uc_arena_alloc_raw(d->arena, pixels * sizeof *index);
    if (!d->mask || !d->mask_names || !index) {
        d->mask = NULL;
        return;
    }
    memcpy(index, from->index, pixels * sizeof *index);
    *d->mask = *from;
    d->mask->index = index;
    d->mask->pixels = NULL;
    d->mask_hidden = -1;
    for (int64_t c = 0; c < from->classes; c++) {
        char own[32];
        d->mask_names[c] = keep(d, cli_class_name(a, reading, c, own));
        if (d->mask_hidden < 0 && is_background(d->mask_names[c])) d->mask_hidden = c;
    }
    if (d->mask_hidden < 0 && reading->binary) d->mask_hidden = 0; /* one channel: what isn't it */
    for (size_t i = 0; i < segments->count && d->item.answer.size == 0; i++) {
        if (segments->items[i].index == d->mask_hidden) continue;
        d->item.answer = d->mask_names[segments->items[i].index];
        d->item.score = segments->items[i].score;
    }
}

static void add_points(cli_drawing *d, const uc_reading *reading, const cli_points *points)
{
    const size_t count = points->count > 0 ? (size_t)points->count : 0;
    d->answered = true;
    d->points = (double(*)[3])uc_arena_alloc(d->arena, count, sizeof *d->points);
    if (!d->points) return;
    d->point_count = d->points_each = count;
    d->point_threshold = isnan(reading->threshold) ? POINT_LEAST : reading->threshold;
    size_t sure = 0;
    for (size_t i = 0; i < count; i++) {
        const uc_point *p = &points->items[i];
        d->points[i][0] = p->x;
        d->points[i][1] = p->y;
        d->points[i][2] = p->score;
        sure += !(p->score < d->point_threshold);
    }
    const char *text = uc_arena_printf(d->arena, "%zu of %zu points", sure, count);
    if (text && d->item.answer.size == 0) d->item.answer = uc_str_of(text);
}

static uc_detect_mask *keep_masks(cli_drawing *d, const uc_detections *found)
{
    uc_detect_mask *masks = UC_NEW(d->arena, uc_detect_mask, found->count);
    for (size_t i = 0; masks && i < found->count; i++) {
        const uc_detect_mask *m = found->items[i].mask;
        if (!m || m->width < 1 || m->height < 1) continue;
        const size_t bytes = (size_t)m->width * (size_t)m->height;
        uint8_t *data = uc_arena_alloc_raw(d->arena, bytes);
        if (!data) return NULL;
        memcpy(data, m->data, bytes);
        masks[i] = *m;
        masks[i].data = data;
    }
    return masks;
}

/* The keypoints of all boxes, one behind the other. */
static void keep_keypoints(cli_drawing *d, const uc_detections *found)
{
    const size_t each = (size_t)found->keypoint_count;
    if (found->keypoint_count < 1) return;
    d->points = (double(*)[3])uc_arena_alloc(d->arena, found->count * each, sizeof *d->points);
    for (size_t i = 0; d->points && i < found->count; i++) {
        const float *from = found->items[i].keypoints;
        for (size_t k = 0; from && k < each * 3; k++) {
            d->points[d->point_count + k / 3][k % 3] = (double)from[k];
        }
        d->point_count += from ? each : 0;
    }
    d->points_each = each;
    d->point_threshold = POINT_LEAST;
}

static void add_boxes(cli_drawing *d, const cli_answers *a, const cli_boxes *boxes)
{
    const uc_detections *found = &boxes->found;
    char own[32];
    d->answered = true;
    d->boxes = UC_NEW(d->arena, uc_draw_box, found->count);
    d->masks = keep_masks(d, found);
    if (!d->boxes || !d->masks) return;
    d->box_count = found->count;
    for (size_t i = 0; i < found->count; i++) {
        const uc_detection *from = &found->items[i];
        uc_draw_box *to = &d->boxes[i];
        for (int k = 0; k < 4; k++) {
            to->box[k] = (double)from->box[k];
        }
        to->id = from->id;
        to->score = (double)from->score;
        to->name = keep(d, cli_box_name(a, from->id, own));
    }
    keep_keypoints(d, found);
    const char *rest = found->count > 1 ? uc_arena_printf(d->arena, "%.*s and %zu more",
                                                          (int)d->boxes[0].name.size,
                                                          d->boxes[0].name.data, found->count - 1)
                                        : NULL;
    d->item.answer = rest           ? uc_str_of(rest)
                     : found->count ? d->boxes[0].name
                                    : uc_str_of("nothing");
    d->item.score = found->count == 1 ? d->boxes[0].score : (double)NAN;
}

/* A number, a class by itself: the words of the answer's line. */
static void add_text(cli_drawing *d, const cli_answers *a, const uc_reading *reading,
                     const void *made)
{
    const cli_answer_kind *kind = cli_answer_kind_of(reading);
    uc_writer w;
    uc_writer_init(&w, 1u << 16);
    cli_answers quiet = *a;
    quiet.out = &w;
    if (kind) kind->text(&quiet, reading, made);
    const uc_str text = {uc_writer_string(&w), w.size > 200 ? 200 : w.size};
    if (text.size) add_line(d, text, (double)NAN);
    uc_writer_done(&w);
}

uncork_status cli_drawing_of(cli_drawing *d, const cli_answers *a, const cli_input *input,
                             void *const *made)
{
    if (!a->readings) {
        cli_table table;
        UC_TRY(cli_table_of(a, input, d->arena, &table, &d->error));
        add_table(d, a, &table);
        return uc_arena_status(d->arena, &d->error);
    }
    for (int i = 0; i < a->count; i++) {
        const uc_reading *r = &a->readings[i];
        if (!made[i]) continue;
        switch (r->kind) {
        case UC_POST_CLASSIFY:
        case UC_POST_MULTILABEL: add_classes(d, a, r, made[i]); break;
        case UC_POST_SEGMENT: add_mask(d, a, r, made[i]); break;
        case UC_POST_KEYPOINTS: add_points(d, r, made[i]); break;
        case UC_POST_LABEL:
        case UC_POST_REGRESS: add_text(d, a, r, made[i]); break;
        case UC_POST_DETECT: add_boxes(d, a, made[i]); break;
        case UC_POST_TENSOR:
        case UC_POST_EMBED:
        case UC_POST_IMAGE:
        case UC_POST_PART: break;
        }
    }
    return uc_arena_status(d->arena, &d->error);
}
