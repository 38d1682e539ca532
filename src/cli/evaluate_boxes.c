/* uncork evaluate MODEL TRUTH.json [PICTURES]: mean average precision of a detector against true boxes
 * in COCO's form. */
#include "cli/evaluate.h"

#include "base/file.h"
#include "base/text.h"
#include "contract/map.h"

#include <math.h>

/* Every box counts, the sure ones first: what is seldom right lowers nothing behind it. The values of
 * Ultralytics' validator. */
#define LEAST_SCORE 0.001
#define MOST_BOXES  300

typedef struct box_evaluation {
    predictor p;
    uc_arena *arena;
    uc_map *map;
    char **paths; /* [pictures], as the map has them */
    size_t next;  /* paths before it have been answered or failed */
    bool seen;    /* a first answer */
    bool ordered; /* classes without a name are those of the truth, in its order */
    int64_t first_id;
    size_t unknown; /* boxes of classes that the truth doesn't have */
    uncork_error error;
    uc_map_figures figures;
} box_evaluation;

/* ---- answers ---- */

static int find_detector(const cli_answers *a)
{
    for (int i = 0; a->readings && i < a->count; i++) {
        if (a->readings[i].kind == UC_POST_DETECT) return i;
    }
    return -1;
}

/* How classes are told: by name where the model has them. */
static void begin(box_evaluation *e, const cli_answers *a)
{
    const size_t classes = uc_map_class_count(e->map);
    bool named = false;
    for (size_t i = 0; i < a->labels.count; i++) {
        named = named || a->labels.items[i].size > 0;
    }
    e->seen = true;
    e->first_id = a->detector.first_id;
    e->ordered = !named && a->detector.classes == (int64_t)classes;
    if (named) return;
    uc_note(&e->p.notes, UC_NOTE_ASSUMED, "class-order",
            e->ordered ? "the model's classes have no names: they are taken for the %zu categories "
                         "in the order of their ids"
                       : "the model's classes have no names: their numbers are taken for the ids "
                         "of the %zu categories",
            classes);
}

static uncork_status count_boxes(box_evaluation *e, const cli_answers *a, const cli_boxes *boxes,
                                 size_t picture, uncork_error *error)
{
    uc_map_see(e->map, picture);
    for (size_t i = 0; i < boxes->found.count; i++) {
        const uc_detection *d = &boxes->found.items[i];
        const uc_str name = uc_detect_label(&a->detector, d->id, &a->labels);
        size_t class =
            e->ordered ? (size_t)(d->id - e->first_id) : uc_map_find_class(e->map, name, d->id);
        if (class >= uc_map_class_count(e->map)) {
            e->unknown++;
            continue;
        }
        const double box[4] = {(double)d->box[0], (double)d->box[1], (double)d->box[2],
                               (double)d->box[3]};
        UC_TRY(uc_map_add(e->map, picture, class, (double)d->score, box, error));
    }
    return UNCORK_OK;
}

static uncork_status take(void *context, const cli_answers *a, const cli_input *input,
                          void *const *made, uc_arena *arena, uncork_error *error)
{
    (void)arena;
    box_evaluation *e = context;
    if (e->error.status) return UNCORK_OK;
    const int reading = made ? find_detector(a) : -1;
    if (reading < 0) { /* so with every picture: said once */
        uc_fail(&e->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                "true boxes are there to evaluate a detector; this model is none");
        uc_fix(&e->error, "a classifier is evaluated on a folder with a folder a class");
        e->p.stopped = true;
        return UNCORK_OK;
    }
    if (!e->seen) begin(e, a);
    while (e->next < e->p.inputs && e->paths[e->next] != input->path) {
        e->next++; /* those between failed */
    }
    if (e->next == e->p.inputs) return UNCORK_OK;
    return count_boxes(e, a, made[reading], e->next++, error);
}

/* ---- pictures ---- */

/* PICTURES/NAME; without PICTURES the folder that the truth lies in. */
static uncork_status find_pictures(box_evaluation *e, const char *truth, const char *folder,
                                   uncork_error *error)
{
    const char *slash = strrchr(truth, '/');
    if (!folder) {
        folder = slash ? uc_arena_copy(e->arena, truth, (size_t)(slash - truth) + 1) : ".";
    }
    e->p.inputs = uc_map_image_count(e->map);
    e->paths = UC_NEW(e->arena, char *, e->p.inputs);
    if (!e->paths || !folder) return uc_fail_memory(error);
    for (size_t i = 0; i < e->p.inputs; i++) {
        const uc_str name = uc_map_image(e->map, i);
        const char *flaw = uc_file_name_flaw(name);
        if (flaw) {
            return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "the file name '%.*s' %s",
                           (int)(name.size > 80 ? 80 : name.size), name.data, flaw);
        }
        e->paths[i] = uc_arena_printf(e->arena, "%s/%.*s", folder, (int)name.size, name.data);
        if (!e->paths[i]) return uc_fail_memory(error);
    }
    return e->p.inputs
               ? UNCORK_OK
               : uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "the true boxes have no images");
}

static uncork_status read_truth(box_evaluation *e, const char *path, const char *folder,
                                uncork_error *error)
{
    uc_bytes bytes;
    uncork_status status = uc_file_read(path, false, e->arena, &bytes, error);
    if (status == UNCORK_OK) status = uc_map_read(bytes, e->arena, &e->map, error);
    if (status == UNCORK_OK) status = find_pictures(e, path, folder, error);
    if (status && !error->where[0]) uc_where(error, "%s", path);
    return status;
}

/* ---- the report ---- */

static bool has_truth(const uc_map_class_figures *c) { return c->truths > 0; }

static void print(const box_evaluation *e, uc_writer *out)
{
    const uc_map_figures *f = &e->figures;
    size_t classes = 0, truths = 0, columns = 16;
    for (size_t i = 0; i < f->count; i++) {
        const size_t n = cli_text_width(uc_map_class(e->map, i, NULL));
        classes += has_truth(&f->classes[i]);
        truths += f->classes[i].truths;
        if (has_truth(&f->classes[i]) && n > columns) columns = n > 28 ? 28 : n;
    }
    uc_writer_printf(out, "%zu pictures, %zu objects of %zu classes", e->p.done, truths, classes);
    if (e->p.failed) uc_writer_printf(out, ", %zu more failed", e->p.failed);
    uc_writer_printf(out,
                     "\nmAP %.4f (IoU 0.50 to 0.95), %.4f (0.50), %.4f (0.75), recall %.4f\n\n",
                     f->ap, f->ap50, f->ap75, f->recall);
    cli_put_name(out, uc_str_of("class"), columns);
    uc_writer_text(out, "      AP    AP50    AP75  recall  objects    found\n");
    for (size_t i = 0; i < f->count; i++) {
        const uc_map_class_figures *c = &f->classes[i];
        if (!has_truth(c)) continue;
        cli_put_name(out, uc_map_class(e->map, i, NULL), columns);
        uc_writer_printf(out, "  %6.4f  %6.4f  %6.4f  %6.4f %8zu %8zu\n", c->ap, c->ap50, c->ap75,
                         c->recall, c->truths, c->found);
    }
}

static void put_number(uc_json_writer *json, const char *key, double v)
{
    uc_json_key(json, key);
    uc_json_put_f64(json, v);
}

static void put_json(const box_evaluation *e, uc_writer *out)
{
    const uc_map_figures *f = &e->figures;
    uc_json_writer json = {.out = out};
    uc_json_begin_object(&json);
    uc_json_key(&json, "pictures");
    uc_json_put_i64(&json, (int64_t)e->p.done);
    uc_json_key(&json, "failed");
    uc_json_put_i64(&json, (int64_t)e->p.failed);
    put_number(&json, "map", f->ap);
    put_number(&json, "map_50", f->ap50);
    put_number(&json, "map_75", f->ap75);
    put_number(&json, "recall", f->recall);
    uc_json_key(&json, "classes");
    uc_json_begin_array(&json);
    for (size_t i = 0; i < f->count; i++) {
        const uc_map_class_figures *c = &f->classes[i];
        int64_t id;
        uc_json_begin_object(&json);
        uc_json_key(&json, "label");
        uc_json_put_str(&json, uc_map_class(e->map, i, &id));
        uc_json_key(&json, "id");
        uc_json_put_i64(&json, id);
        put_number(&json, "ap", c->ap);
        put_number(&json, "ap_50", c->ap50);
        put_number(&json, "ap_75", c->ap75);
        put_number(&json, "recall", c->recall);
        uc_json_key(&json, "objects");
        uc_json_put_i64(&json, (int64_t)c->truths);
        uc_json_key(&json, "found");
        uc_json_put_i64(&json, (int64_t)c->found);
        uc_json_end_object(&json);
    }
    uc_json_end_array(&json);
    uc_json_end_object(&json);
    uc_writer_text(out, "\n");
}

static void print_csv(const box_evaluation *e, uc_writer *out)
{
    uc_writer_text(out, "label,ap,ap_50,ap_75,recall,objects,found\n");
    for (size_t i = 0; i < e->figures.count; i++) {
        const uc_map_class_figures *c = &e->figures.classes[i];
        if (!has_truth(c)) continue;
        const double numbers[4] = {c->ap, c->ap50, c->ap75, c->recall};
        cli_csv_cell(out, uc_map_class(e->map, i, NULL));
        for (int k = 0; k < 4; k++) {
            char text[32];
            uc_writer_text(out, ",");
            uc_writer_put(out, text, uc_f64_text(numbers[k], text));
        }
        uc_writer_printf(out, ",%zu,%zu\n", c->truths, c->found);
    }
}

static uncork_status write_report(const box_evaluation *e, const char *folder, uncork_error *error)
{
    UC_TRY(uc_file_make_folder(folder, error));
    const char *path = uc_arena_printf(e->arena, "%s/report.json", folder);
    uc_writer w;
    uc_writer_init(&w, (size_t)1 << 30);
    put_json(e, &w);
    uncork_status status = path && !w.status
                               ? uc_file_replace(path, (uc_bytes){w.data, w.size}, error)
                               : uc_fail_memory(error);
    uc_writer_done(&w);
    return status;
}

/* ---- the command ---- */

static int fail(const uncork_error *error, int status)
{
    cli_print_error(error);
    return status;
}

static int report(box_evaluation *e, const char *output)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    const cli_options *o = e->p.options;
    if (uc_map_evaluate(e->map, e->arena, &e->figures, &error)) return fail(&error, EXIT_INPUT);
    if (e->unknown) {
        uc_note(&e->p.notes, UC_NOTE_IGNORED, "no-category",
                "%zu boxes are of classes that %s doesn't have", e->unknown, o->arguments[1]);
    }
    uc_writer out;
    uc_writer_init(&out, (size_t)1 << 30);
    if (o->json) {
        put_json(e, &out);
    } else if (o->csv) {
        print_csv(e, &out);
    } else {
        print(e, &out);
    }
    const bool written = cli_flush(&out);
    uc_writer_done(&out);
    if (output && write_report(e, output, &error)) return fail(&error, EXIT_INPUT);
    return written && !e->p.failed ? EXIT_OK : EXIT_INPUT;
}

static int run(box_evaluation *e, const char *output)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    predictor *p = &e->p;
    const cli_options *o = p->options;
    if (read_truth(e, o->arguments[1], o->argument_count > 2 ? o->arguments[2] : NULL, &error)) {
        return fail(&error, EXIT_USAGE);
    }
    p->answers.silent = true;
    p->answers.answered = take;
    p->answers.answered_context = e;
    if (predict_pictures(p, e->paths, p->inputs, &error)) return fail(&error, EXIT_INPUT);
    predict_progress_end(p);
    if (e->error.status) {
        p->done = 0; /* no notes */
        uc_where(&e->error, "%s", o->arguments[0]);
        return fail(&e->error, EXIT_USAGE);
    }
    if (p->stopped || cli_cancelled || !p->done) return EXIT_INPUT;
    return report(e, output);
}

int evaluate_boxes(const cli_options *options, uc_arena *arena)
{
    cli_options own = *options;
    own.output = NULL;
    own.draw = own.sheet = own.draw_style = NULL;
    if (isnan(own.threshold)) own.threshold = LEAST_SCORE;
    if (!own.max_boxes) own.max_boxes = MOST_BOXES;
    box_evaluation *e = UC_NEW(arena, box_evaluation, 1);
    if (!e) return cli_usage("memory is out");
    *e = (box_evaluation){.arena = arena};
    e->p = (predictor){.options = &own, .arena = arena, .notes = {.arena = arena}};
    int status = predict_open(&e->p);
    if (status == EXIT_OK) status = run(e, options->output);
    predict_close(&e->p);
    return status;
}
