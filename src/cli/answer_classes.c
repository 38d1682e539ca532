/* Classes: names, the best of them, those above a threshold. */
#include "base/text.h"
#include "cli/answer.h"

#include <math.h>

uc_str cli_class_name(const cli_answers *a, const uc_reading *reading, int64_t index, char text[32])
{
    const uc_tensor *own = reading ? reading->column_classes : NULL;
    int64_t at = index;
    if (own && index >= 0 && index < uc_tensor_count(own)) {
        if (own->dtype == UNCORK_STRING) return uc_tensor_string(own, index);
        at = uc_dtype_load_i64(own->data, index, own->dtype);
    }
    if (at >= 0 && (size_t)at < a->labels.count && a->labels.items[at].size)
        return a->labels.items[at];
    int n = snprintf(text, 32, "%lld", (long long)at);
    return (uc_str){text, n > 0 ? (size_t)n : 0};
}

uc_str cli_class_of(const cli_answers *a, const uc_reading *reading, const cli_classes *classes,
                    int64_t index, char text[32])
{
    const uc_tensor *names = a->labels_given ? NULL : classes->names;
    if (names && index >= 0 && index < uc_tensor_count(names)) {
        return uc_tensor_string(names, index);
    }
    return cli_class_name(a, reading, index, text);
}

/* Names that the graph gives beside the scores. */
static uncork_status take_names(const cli_answers *a, const uc_reading *reading,
                                const cli_input *input, uc_arena *arena, cli_classes *c,
                                uncork_error *error)
{
    if (!reading->named_by) return UNCORK_OK;
    const uc_reading *names = &a->readings[reading->named_by - 1];
    uc_tensor *row = UC_NEW(arena, uc_tensor, 1);
    if (!row) return uc_arena_status(arena, error);
    UC_TRY(uc_post_take(names, input->outputs[names->output], input->batch, input->row, arena, row,
                        error));
    if (row->dtype == UNCORK_STRING) c->names = row;
    return UNCORK_OK;
}

static bool is_better(cli_class x, cli_class y)
{
    return x.score > y.score || (x.score == y.score && x.index < y.index);
}

/* Moves items[i] down until both below are worse: a heap with the worst of the best at the top. */
static void sift(cli_class *items, size_t count, size_t i)
{
    for (size_t below = 2 * i + 1; below < count; below = 2 * i + 1) {
        if (below + 1 < count && is_better(items[below], items[below + 1])) below++;
        if (!is_better(items[i], items[below])) return;
        cli_class t = items[i];
        items[i] = items[below];
        items[below] = t;
        i = below;
    }
}

/* The best `top` of `all`, best first, lower index first among equals. */
static void rank(const double *scores, int64_t all, cli_class *items, size_t top)
{
    for (size_t i = 0; i < top; i++) {
        items[i] = (cli_class){(int64_t)i, scores[i]};
    }
    for (size_t i = top / 2; i-- > 0;) {
        sift(items, top, i);
    }
    for (int64_t i = (int64_t)top; i < all; i++) {
        cli_class c = {i, scores[i]};
        if (!is_better(c, items[0])) continue;
        items[0] = c;
        sift(items, top, 0);
    }
    for (size_t n = top; n > 1;) {
        n--;
        cli_class t = items[0];
        items[0] = items[n];
        items[n] = t;
        sift(items, n, 0);
    }
}

static uncork_status make(const cli_answers *a, const uc_reading *reading, const cli_input *input,
                          uc_arena *arena, void **made, uncork_error *error)
{
    cli_classes *c = UC_NEW(arena, cli_classes, 1);
    uc_tensor row;
    if (!c) return uc_arena_status(arena, error);
    UC_TRY(uc_post_take(reading, input->outputs[reading->output], input->batch, input->row, arena,
                        &row, error));
    UC_TRY(uc_post_scores(reading, &row, arena, &c->scores, error));
    UC_TRY(take_names(a, reading, input, arena, c, error));
    c->all = reading->classes;
    int64_t top = a->options->top ? a->options->top : c->all;
    if (top > c->all) top = c->all;
    c->items = UC_NEW(arena, cli_class, (size_t)top);
    if (!c->items) return uc_arena_status(arena, error);
    rank(c->scores, c->all, c->items, (size_t)top);
    c->count = (size_t)top;
    if (reading->binary && top) { /* the threshold decides between two */
        int64_t best = c->scores[1] >= reading->threshold;
        if (c->items[0].index != best) {
            c->items[0] = (cli_class){best, c->scores[best]};
            if (top > 1) c->items[1] = (cli_class){1 - best, c->scores[1 - best]};
        }
    } else if (!isnan(reading->threshold)) {
        while (c->count && c->items[c->count - 1].score < reading->threshold) {
            c->count--;
        }
    }
    *made = c;
    return UNCORK_OK;
}

static void text(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_classes *c = made;
    char own[32];
    for (size_t i = 0; i < c->count; i++) {
        uc_writer_text(a->out, i ? ", " : "");
        uc_text_escape(a->out, cli_class_of(a, reading, c, c->items[i].index, own));
        uc_writer_printf(a->out, " %.4f", c->items[i].score);
    }
    if (!c->count) uc_writer_printf(a->out, "(none above %g)", reading->threshold);
}

static void screen(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_classes *c = made;
    size_t width = 0, count = a->one_line && c->count > 1 ? 1 : c->count;
    char own[32];
    for (size_t i = 0; i < count; i++) {
        size_t n = cli_text_width(cli_class_of(a, reading, c, c->items[i].index, own));
        if (n > width) width = n;
    }
    if (a->one_line) width = 24;
    for (size_t i = 0; i < count; i++) {
        if (!a->one_line) cli_screen_line(a, i);
        cli_screen_bar(a, cli_class_of(a, reading, c, c->items[i].index, own), width,
                       c->items[i].score, reading->raw);
    }
    if (!c->count)
        uc_writer_printf(a->out, "%s(none above %g)", a->one_line ? "" : "  ", reading->threshold);
}

static void put_score(uc_json_writer *json, double score) { uc_json_put_f32(json, (float)score); }

static void json(const cli_answers *a, const uc_reading *reading, const void *made,
                 uc_json_writer *json)
{
    const cli_classes *c = made;
    char own[32];
    if (reading->kind == UC_POST_CLASSIFY && c->count) {
        uc_json_key(json, "label");
        uc_json_put_str(json, cli_class_of(a, reading, c, c->items[0].index, own));
        uc_json_key(json, "index");
        uc_json_put_i64(json, c->items[0].index);
        uc_json_key(json, "score");
        put_score(json, c->items[0].score);
    }
    uc_json_key(json, "top");
    uc_json_begin_array(json);
    for (size_t i = 0; i < c->count; i++) {
        uc_json_begin_object(json);
        uc_json_key(json, "label");
        uc_json_put_str(json, cli_class_of(a, reading, c, c->items[i].index, own));
        uc_json_key(json, "index");
        uc_json_put_i64(json, c->items[i].index);
        uc_json_key(json, "score");
        put_score(json, c->items[i].score);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
}

/* "label,index,score,label_2,index_2,score_2,..."; a column a class for any number of classes. */
static size_t csv_head(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_classes *c = made;
    char own[32];
    const char *name = a->shown > 1 ? reading->name : "", *between = a->shown > 1 ? "_" : "";
    if (reading->kind == UC_POST_MULTILABEL) {
        for (int64_t i = 0; i < c->all; i++) {
            uc_writer_text(a->out, ",");
            uc_writer cell;
            uc_writer_init(&cell, 1u << 20);
            uc_str label = cli_class_of(a, reading, c, i, own);
            uc_writer_printf(&cell, "%s%s%.*s", name, between, (int)label.size, label.data);
            cli_csv_cell(a->out, (uc_str){uc_writer_string(&cell), cell.size});
            uc_writer_done(&cell);
        }
        return (size_t)c->all;
    }
    int64_t top = a->options->top && a->options->top < c->all ? a->options->top : c->all;
    for (int64_t i = 0; i < top; i++) {
        char number[24] = "";
        if (i) snprintf(number, sizeof number, "_%lld", (long long)i + 1);
        static const char *const columns[] = {"label", "index", "score"};
        for (size_t k = 0; k < 3; k++) {
            uc_writer cell;
            uc_writer_init(&cell, 1u << 20);
            uc_writer_printf(&cell, "%s%s%s%s", name, between, columns[k], number);
            uc_writer_text(a->out, ",");
            cli_csv_cell(a->out, (uc_str){uc_writer_string(&cell), cell.size});
            uc_writer_done(&cell);
        }
    }
    return 3 * (size_t)top;
}

static void csv_score(uc_writer *out, double score)
{
    char own[32];
    uc_writer_text(out, ",");
    uc_writer_put(out, own, uc_f32_text((float)score, own));
}

static void csv(const cli_answers *a, const uc_reading *reading, const void *made)
{
    const cli_classes *c = made;
    char own[32];
    if (reading->kind == UC_POST_MULTILABEL) {
        for (int64_t i = 0; i < c->all; i++) {
            csv_score(a->out, c->scores[i]);
        }
        return;
    }
    int64_t top = a->options->top && a->options->top < c->all ? a->options->top : c->all;
    for (int64_t i = 0; i < top; i++) {
        if ((size_t)i >= c->count) { /* below the threshold */
            uc_writer_text(a->out, ",,,");
            continue;
        }
        uc_writer_text(a->out, ",");
        cli_csv_cell(a->out, cli_class_of(a, reading, c, c->items[i].index, own));
        uc_writer_printf(a->out, ",%lld", (long long)c->items[i].index);
        csv_score(a->out, c->items[i].score);
    }
}

const cli_answer_kind cli_answer_classify = {.kind = UC_POST_CLASSIFY,
                                             .make = make,
                                             .text = text,
                                             .screen = screen,
                                             .json = json,
                                             .csv_head = csv_head,
                                             .csv = csv};
const cli_answer_kind cli_answer_multilabel = {.kind = UC_POST_MULTILABEL,
                                               .make = make,
                                               .text = text,
                                               .screen = screen,
                                               .json = json,
                                               .csv_head = csv_head,
                                               .csv = csv};
