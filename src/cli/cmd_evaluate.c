/* uncork evaluate: how often the model is right on labelled pictures. They go the way predict's go;
 * instead of being printed each answer is counted. */
#include "cli/evaluate.h"

#include "base/text.h"

#include <math.h>

/* ---- answers ---- */

/* One line a label that means no class: its pictures have no truth. */
static void say_unmatched(evaluation *e)
{
    const evaluate_truth *t = &e->truth;
    for (size_t i = 0; i < t->label_count; i++) {
        size_t pictures = 0;
        for (size_t k = 0; k < t->count; k++) {
            pictures += t->items[k].label == i;
        }
        if (t->ids[i] != EVALUATE_NONE) continue;
        uncork_error error = {.size = sizeof error};
        uc_error_init(&error);
        uc_fail(&error, UNCORK_INPUT, UC_NO_OFFSET,
                "%s '%.60s' is none of the model's %zu classes: its %zu pictures don't count",
                t->folders ? "folder" : "label", t->labels[i].data, e->class_count, pictures);
        predict_progress_end(&e->p);
        cli_print_error(&error);
    }
}

static uncork_status take_names(evaluation *e, const cli_answers *a, size_t count, int reading,
                                uncork_error *error)
{
    bool named;
    UC_TRY(evaluate_names(a, reading, count, e->arena, &e->classes, &named, error));
    e->class_count = count;
    UC_TRY(evaluate_match(&e->truth, e->classes, count, named, e->arena, &e->p.notes, error));
    e->matched = true;
    say_unmatched(e);
    return UNCORK_OK;
}

/* The item of an answer: paths are the truth's own, rows count from 1 behind the name's colon. */
static size_t find_item(const evaluation *e, const cli_input *input)
{
    const evaluate_truth *t = &e->truth;
    if (t->rows) {
        const char *colon = strrchr(input->name, ':');
        int64_t row;
        if (!colon || !uc_text_i64(uc_str_of(colon + 1), &row) || row < 1) return t->count;
        return (size_t)row <= t->count ? (size_t)row - 1 : t->count;
    }
    size_t i = e->next; /* those between failed */
    while (i < t->count && t->paths[i] != input->path) {
        i++;
    }
    return i;
}

/* Counts the answer for one input. */
static uncork_status count_answer(evaluation *e, const cli_input *input, uint32_t answer,
                                  double score, size_t rank, uncork_error *error)
{
    evaluate_truth *t = &e->truth;
    const size_t at = find_item(e, input);
    if (at == t->count) return UNCORK_OK;
    e->next = at + 1;
    evaluate_item *item = &t->items[at];
    const uint32_t truth = t->ids[item->label];
    item->answer = answer;
    item->score = score;
    if (truth == EVALUATE_NONE) {
        e->p.failed++; /* its label has its line */
        return UNCORK_OK;
    }
    return uc_score_add(&e->score, truth, answer, rank < e->best) ? uc_fail_memory(error)
                                                                  : UNCORK_OK;
}

static uint32_t truth_of(const evaluation *e, const cli_input *input)
{
    const size_t i = find_item(e, input);
    return i < e->truth.count ? e->truth.ids[e->truth.items[i].label] : EVALUATE_NONE;
}

/* The order of scikit-learn's top_k_accuracy_score: by score, the later class first among equals. */
static bool is_before(double score, int64_t index, double own, int64_t own_index)
{
    return score > own || (!(score < own) && index > own_index);
}

static size_t rank_of(const cli_table *table, size_t own)
{
    size_t rank = 0;
    for (size_t i = 0; i < table->count; i++) {
        rank += is_before(table->items[i].score, table->items[i].index, table->items[own].score,
                          table->items[own].index);
    }
    return rank;
}

static uncork_status take_network(evaluation *e, const cli_answers *a, const cli_input *input,
                                  void *const *made, uncork_error *error)
{
    const int reading = evaluate_classifier(a);
    if (reading < 0) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "evaluate takes classifiers; this model's '%.60s' is: %s",
                       a->readings[0].name, uc_post_kind_name(a->readings[0].kind));
    }
    const cli_classes *c = made[reading];
    if (!e->classes) UC_TRY(take_names(e, a, (size_t)c->all, reading, error));
    const uint32_t truth = truth_of(e, input);
    int64_t answer = c->count ? c->items[0].index : 0;
    for (int64_t i = 0; !c->count && i < c->all; i++) { /* none above --threshold: still the best */
        if (c->scores[i] > c->scores[answer]) answer = i;
    }
    size_t rank = 0;
    for (int64_t i = 0; truth != EVALUATE_NONE && i < c->all; i++) {
        rank += is_before(c->scores[i], i, c->scores[truth], truth);
    }
    return count_answer(e, input, (uint32_t)answer, c->scores[answer], rank, error);
}

/* scikit-learn and its kin. */
static uncork_status take_table(evaluation *e, const cli_answers *a, const cli_input *input,
                                uc_arena *arena, uncork_error *error)
{
    cli_table table;
    UC_TRY(cli_table_of(a, input, arena, &table, error));
    const size_t known = a->classes ? (size_t)uc_tensor_count(a->classes) : table.count;
    if (known < 1) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "evaluate takes classifiers; this model gives numbers");
    }
    if (!e->classes) UC_TRY(take_names(e, a, known, -1, error));
    const uint32_t truth = truth_of(e, input);
    uint32_t answer = EVALUATE_NONE;
    size_t rank = SIZE_MAX;
    for (size_t i = 0; i < known && answer == EVALUATE_NONE; i++) {
        if (uc_str_equal(e->classes[i], table.label)) answer = (uint32_t)i;
    }
    if (answer == EVALUATE_NONE && table.count) answer = (uint32_t)table.items[0].index;
    if (answer == EVALUATE_NONE) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "the answer '%.*s' is no class",
                       (int)table.label.size, table.label.data);
    }
    for (size_t i = 0; i < table.count && truth != EVALUATE_NONE; i++) {
        if (table.items[i].index == (int64_t)truth) rank = rank_of(&table, i);
    }
    if (!table.count && answer == truth) rank = 0;
    return count_answer(e, input, answer, table.probabilities ? table.items[0].score : (double)NAN,
                        rank, error);
}

static uncork_status take(void *context, const cli_answers *a, const cli_input *input,
                          void *const *made, uc_arena *arena, uncork_error *error)
{
    evaluation *e = context;
    if (e->error.status) return UNCORK_OK;
    const uncork_status status =
        made ? take_network(e, a, input, made, error) : take_table(e, a, input, arena, error);
    if (status && !e->matched) { /* so with every picture: said once */
        e->error = *error;
        e->p.stopped = true;
        return UNCORK_OK;
    }
    return status;
}

/* ---- the command ---- */

static int print_report(evaluation *e)
{
    const cli_options *o = e->p.options;
    uc_writer out;
    uc_writer_init(&out, (size_t)1 << 30);
    if (o->json) {
        evaluate_put_json(e, &out);
    } else {
        evaluate_print(e, &out);
    }
    const bool written = cli_flush(&out);
    uc_writer_done(&out);
    return written && !e->p.failed ? EXIT_OK : EXIT_INPUT;
}

static int fail(const uncork_error *error)
{
    cli_print_error(error);
    return EXIT_INPUT;
}

static int run(evaluation *e, const char *output)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    predictor *p = &e->p;
    p->answers.silent = true;
    p->answers.answered = take;
    p->answers.answered_context = e;
    p->inputs = e->truth.count;
    if (e->truth.rows) {
        predict_rows(p, p->options->arguments[1]);
    } else if (predict_pictures(p, e->truth.paths, e->truth.count, &error)) {
        return fail(&error);
    }
    predict_progress_end(p);
    if (e->error.status) {
        if (!e->error.where[0]) uc_where(&e->error, "%s", p->options->arguments[1]);
        cli_print_error(&e->error);
        p->done = 0; /* no notes */
        return EXIT_USAGE;
    }
    if (p->stopped || cli_cancelled) return EXIT_INPUT;
    if (e->truth.loose) {
        uc_note(&p->notes, UC_NOTE_IGNORED, "no-label",
                "%zu pictures lie beside the folders of classes and have no label", e->truth.loose);
    }
    if (!e->score.count && p->failed) return EXIT_INPUT; /* each has its line */
    if (uc_score_report(&e->score, e->arena, &e->report, &error)) return fail(&error);
    int status = print_report(e);
    if (output && evaluate_write(e, output, &error)) status = fail(&error);
    return status;
}

int cmd_evaluate(const cli_options *options, uc_arena *arena)
{
    const bool boxes = options->argument_count > 1 && uc_text_ends(options->arguments[1], ".json");
    if (options->argument_count < 2 || options->argument_count > (boxes ? 3u : 2u)) {
        return cli_usage("evaluate takes a model and labelled pictures: uncork evaluate MODEL "
                         "LABELLED_DIR|TABLE.csv|COCO.json [PICTURES]");
    }
    if (boxes) return evaluate_boxes(options, arena);
    cli_options own = *options;
    own.output = NULL; /* the report's, not the answers' */
    own.draw = own.sheet = own.draw_style = NULL;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    evaluation *e = UC_NEW(arena, evaluation, 1);
    if (!e) return cli_usage("memory is out");
    *e = (evaluation){.arena = arena, .score = {.arena = arena}};
    e->p = (predictor){.options = &own, .arena = arena, .notes = {.arena = arena}};
    e->best = options->top_given ? (options->top ? (size_t)options->top : SIZE_MAX) : 5;
    int status = predict_open(&e->p);
    if (status == EXIT_OK && evaluate_read(options->arguments[1], arena, &e->truth, &error)) {
        cli_print_error(&error);
        status = EXIT_USAGE;
    }
    if (status == EXIT_OK) status = run(e, options->output);
    predict_close(&e->p);
    return status;
}
