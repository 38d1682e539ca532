/* The figures: as text, JSON, CSV and a picture. */
#include "cli/evaluate.h"

#include "base/file.h"
#include "base/text.h"
#include "cli/drawer.h"

#include <math.h>

#define NAME_COLUMNS   28
#define LISTED_CLASSES 100 /* beyond, the worst are listed */
#define WORST          20
#define MATRIX_CLASSES 20 /* beyond, and on narrow terminals, the commonest mistakes are listed */
#define MISTAKES       15

static uc_str name_of(const evaluation *e, size_t row)
{
    return e->classes[e->report.classes[row].id];
}

/* ---- text ---- */

static void put_scores(const uc_class_score *c, uc_writer *out)
{
    uc_writer_printf(out, "  %9.4f  %6.4f  %6.4f  %8lld\n", c->precision, c->recall, c->f1,
                     (long long)c->support);
}

static size_t name_columns(const evaluation *e, size_t least)
{
    size_t widest = least;
    for (size_t i = 0; i < e->report.class_count; i++) {
        const size_t n = cli_text_width(name_of(e, i));
        widest = n > widest ? n : widest;
    }
    return widest < NAME_COLUMNS ? widest : NAME_COLUMNS;
}

/* The class that is next worse by F1 than the last one, earlier ones first among equals. */
static size_t next_worst(const uc_report *r, size_t last)
{
    size_t best = r->class_count;
    for (size_t i = 0; i < r->class_count; i++) {
        const double f1 = r->classes[i].f1;
        if (last < r->class_count) {
            const double before = r->classes[last].f1;
            if (f1 < before || (!(f1 > before) && i <= last)) continue;
        }
        if (best == r->class_count || f1 < r->classes[best].f1) best = i;
    }
    return best;
}

static void print_classes(const evaluation *e, uc_writer *out)
{
    const uc_report *r = &e->report;
    const size_t columns = name_columns(e, 16);
    const bool all = r->class_count <= LISTED_CLASSES;
    uc_writer_text(out, "\n");
    cli_put_name(out, uc_str_of(all ? "class" : "worst classes"), columns);
    uc_writer_printf(out, "  precision  recall      f1  %8s\n",
                     e->truth.rows ? "rows" : "pictures");
    size_t at = r->class_count;
    for (size_t i = 0; i < (all ? r->class_count : WORST); i++) {
        at = all ? i : next_worst(r, at);
        cli_put_name(out, name_of(e, at), columns);
        put_scores(&r->classes[at], out);
    }
    if (!all) {
        uc_writer_printf(out, "... %zu more in --json and --csv\n", r->class_count - WORST);
    }
    cli_put_name(out, uc_str_of("macro average"), columns);
    put_scores(&r->macro, out);
    cli_put_name(out, uc_str_of("weighted average"), columns);
    put_scores(&r->weighted, out);
}

static size_t digits_of(int64_t n)
{
    size_t digits = 1;
    for (; n > 9; n /= 10) {
        digits++;
    }
    return digits;
}

/* Columns of a cell: the largest count, and enough of a name to know it. */
static size_t cell_columns(const evaluation *e)
{
    size_t cell = 0, longest = 0;
    const uc_report *r = &e->report;
    for (size_t i = 0; i < r->class_count * r->class_count; i++) {
        const size_t n = digits_of(r->matrix[i]);
        cell = n > cell ? n : cell;
    }
    for (size_t i = 0; i < r->class_count; i++) {
        const size_t n = cli_text_width(name_of(e, i));
        longest = n > longest ? n : longest;
    }
    longest = longest > 8 ? 8 : longest;
    return cell > longest ? cell : longest;
}

static void print_matrix(const evaluation *e, size_t cell, uc_writer *out)
{
    const uc_report *r = &e->report;
    const size_t columns = name_columns(e, 16);
    uc_writer_text(out, "\n");
    cli_put_name(out, uc_str_of("true \\ predicted"), columns);
    for (size_t k = 0; k < r->class_count; k++) {
        const size_t n = cli_text_width(name_of(e, k));
        uc_writer_printf(out, "  %*s", (int)(n < cell ? cell - n : 0), "");
        cli_put_name(out, name_of(e, k), n < cell ? n : cell);
    }
    uc_writer_text(out, "\n");
    for (size_t i = 0; i < r->class_count; i++) {
        cli_put_name(out, name_of(e, i), columns);
        for (size_t k = 0; k < r->class_count; k++) {
            const int64_t n = r->matrix[i * r->class_count + k];
            if (n) {
                uc_writer_printf(out, "  %*lld", (int)cell, (long long)n);
            } else {
                uc_writer_printf(out, "  %*s", (int)cell, ".");
            }
        }
        uc_writer_text(out, "\n");
    }
}

static void print_mistakes(const evaluation *e, uc_writer *out)
{
    uc_confusion found[MISTAKES];
    const size_t count = uc_score_confusions(&e->report, found, MISTAKES);
    const size_t columns = name_columns(e, 16);
    if (!count) return;
    uc_writer_text(out, "\n");
    cli_put_name(out, uc_str_of("often mistaken"), columns);
    uc_writer_printf(out, "  %8s  for\n", e->truth.rows ? "rows" : "pictures");
    for (size_t i = 0; i < count; i++) {
        cli_put_name(out, name_of(e, found[i].truth), columns);
        uc_writer_printf(out, "  %8lld  ", (long long)found[i].count);
        uc_text_escape(out, name_of(e, found[i].answer));
        uc_writer_text(out, "\n");
    }
}

static void print_csv(const evaluation *e, uc_writer *out)
{
    uc_writer_text(out, "label,precision,recall,f1,support\n");
    for (size_t i = 0; i < e->report.class_count; i++) {
        const uc_class_score *c = &e->report.classes[i];
        const double numbers[3] = {c->precision, c->recall, c->f1};
        cli_csv_cell(out, name_of(e, i));
        for (int k = 0; k < 3; k++) {
            char text[32];
            uc_writer_text(out, ",");
            uc_writer_put(out, text, uc_f64_text(numbers[k], text));
        }
        uc_writer_printf(out, ",%lld\n", (long long)c->support);
    }
}

static bool has_top(const evaluation *e) { return e->class_count > e->best && e->best > 1; }

void evaluate_print(const evaluation *e, uc_writer *out)
{
    const uc_report *r = &e->report;
    if (e->p.options->csv) {
        print_csv(e, out);
        return;
    }
    uc_writer_printf(out, "%lld %s of %zu classes", (long long)r->total,
                     e->truth.rows ? "rows" : "pictures", r->class_count);
    if (e->p.failed) uc_writer_printf(out, ", %zu more failed", e->p.failed);
    uc_writer_printf(out, "\naccuracy %.2f %% (%lld of %lld)", r->accuracy * 100,
                     (long long)r->right, (long long)r->total);
    if (has_top(e)) uc_writer_printf(out, ", top-%zu %.2f %%", e->best, r->top * 100);
    uc_writer_text(out, "\n");
    print_classes(e, out);
    const size_t cell = r->class_count <= MATRIX_CLASSES ? cell_columns(e) : 0;
    const size_t wide = name_columns(e, 16) + r->class_count * (cell + 2);
    const size_t room = e->p.answers.screen ? (size_t)e->p.answers.columns : 120;
    if (cell && wide <= room) {
        print_matrix(e, cell, out);
    } else {
        print_mistakes(e, out);
    }
}

/* ---- JSON ---- */

static void put_figures(uc_json_writer *json, const uc_class_score *c)
{
    uc_json_key(json, "precision");
    uc_json_put_f64(json, c->precision);
    uc_json_key(json, "recall");
    uc_json_put_f64(json, c->recall);
    uc_json_key(json, "f1");
    uc_json_put_f64(json, c->f1);
    uc_json_key(json, "support");
    uc_json_put_i64(json, c->support);
    uc_json_end_object(json);
}

void evaluate_put_json(const evaluation *e, uc_writer *out)
{
    const uc_report *r = &e->report;
    uc_json_writer json = {.out = out};
    uc_json_begin_object(&json);
    uc_json_key(&json, "inputs");
    uc_json_put_i64(&json, r->total);
    uc_json_key(&json, "failed");
    uc_json_put_i64(&json, (int64_t)e->p.failed);
    uc_json_key(&json, "accuracy");
    uc_json_put_f64(&json, r->accuracy);
    if (has_top(e)) {
        char key[40];
        snprintf(key, sizeof key, "top_%zu", e->best);
        uc_json_key(&json, key);
        uc_json_put_f64(&json, r->top);
    }
    uc_json_key(&json, "classes");
    uc_json_begin_array(&json);
    for (size_t i = 0; i < r->class_count; i++) {
        uc_json_begin_object(&json);
        uc_json_key(&json, "label");
        uc_json_put_str(&json, name_of(e, i));
        uc_json_key(&json, "index");
        uc_json_put_i64(&json, r->classes[i].id);
        put_figures(&json, &r->classes[i]);
    }
    uc_json_end_array(&json);
    uc_json_key(&json, "macro");
    uc_json_begin_object(&json);
    put_figures(&json, &r->macro);
    uc_json_key(&json, "weighted");
    uc_json_begin_object(&json);
    put_figures(&json, &r->weighted);
    uc_json_key(&json, "confusion_matrix");
    uc_json_begin_array(&json);
    for (size_t i = 0; r->matrix && i < r->class_count; i++) {
        uc_json_begin_array(&json);
        for (size_t k = 0; k < r->class_count; k++) {
            uc_json_put_i64(&json, r->matrix[i * r->class_count + k]);
        }
        uc_json_end_array(&json);
    }
    uc_json_end_array(&json);
    uc_json_end_object(&json);
    uc_writer_text(out, "\n");
}

/* ---- files ---- */

static void put_predictions(const evaluation *e, uc_writer *out)
{
    uc_writer_text(out, "path,label,predicted,score,correct\n");
    for (size_t i = 0; i < e->truth.count; i++) {
        const evaluate_item *item = &e->truth.items[i];
        const uint32_t truth = e->truth.ids[item->label];
        cli_csv_cell(out, uc_str_of(e->truth.paths[i]));
        uc_writer_text(out, ",");
        cli_csv_cell(out,
                     truth == EVALUATE_NONE ? e->truth.labels[item->label] : e->classes[truth]);
        if (item->answer == EVALUATE_NONE) {
            uc_writer_text(out, ",,,\n"); /* it failed */
            continue;
        }
        uc_writer_text(out, ",");
        cli_csv_cell(out, e->classes[item->answer]);
        char text[32];
        uc_writer_text(out, ",");
        if (!isnan(item->score)) uc_writer_put(out, text, uc_f32_text((float)item->score, text));
        uc_writer_printf(out, ",%s\n", item->answer == truth ? "true" : "false");
    }
}

static uncork_status write_text(const char *folder, const char *name, const uc_writer *w,
                                uc_arena *arena, uncork_error *error)
{
    const char *path = uc_arena_printf(arena, "%s/%s", folder, name);
    if (!path || w->status) return uc_fail_memory(error);
    return uc_file_replace(path, (uc_bytes){w->data, w->size}, error);
}

static uncork_status write_matrix(const evaluation *e, const char *folder, uc_arena *arena,
                                  uncork_error *error)
{
    const uc_report *r = &e->report;
    if (!r->matrix) {
        cli_note(e->p.options, "no confusion.png: %zu classes are too many for a picture",
                 r->class_count);
        return UNCORK_OK;
    }
    uc_font *font;
    uc_pixels canvas;
    uc_str *names = UC_NEW(arena, uc_str, r->class_count);
    const char *path = uc_arena_printf(arena, "%s/confusion.png", folder);
    const char *title = uc_arena_printf(arena, "accuracy %.2f%% of %lld %s", r->accuracy * 100,
                                        (long long)r->total, e->truth.rows ? "rows" : "pictures");
    if (!names || !path || !title) return uc_fail_memory(error);
    for (size_t i = 0; i < r->class_count; i++) {
        names[i] = name_of(e, i);
    }
    UC_TRY(uc_font_new(arena, &font, error));
    UC_TRY(uc_draw_matrix(r->matrix, r->class_count, names, uc_str_of(title), font, arena, &canvas,
                          error));
    return cli_write_picture(&canvas, path, false, error);
}

uncork_status evaluate_write(const evaluation *e, const char *folder, uncork_error *error)
{
    UC_TRY(uc_file_make_folder(folder, error));
    uc_arena *arena = uc_arena_new(NULL);
    if (!arena) return uc_fail_memory(error);
    uc_writer w;
    uc_writer_init(&w, (size_t)1 << 30);
    put_predictions(e, &w);
    uncork_status status = write_text(folder, "predictions.csv", &w, arena, error);
    w.size = 0;
    evaluate_put_json(e, &w);
    if (status == UNCORK_OK) status = write_text(folder, "report.json", &w, arena, error);
    uc_writer_done(&w);
    if (status == UNCORK_OK) status = write_matrix(e, folder, arena, error);
    uc_arena_free(arena);
    return status;
}
