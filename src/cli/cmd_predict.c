/* uncork predict: pictures or rows in, labels and scores out, one line each. One bad input never
 * stops the others. */
#include "base/text.h"
#include "cli/drawer.h"
#include "cli/file_names.h"

#include <math.h>
#include <unistd.h>

/* ---- progress --------------------------------------------------------------------------------- */

void predict_progress_end(predictor *p)
{
    if (!p->progress) return;
    fputs("\r\033[K", stderr);
    p->progress = false;
}

void predict_progress(predictor *p)
{
    uint64_t now = uc_now_ns();
    if (!p->shown_at) p->shown_at = now; /* short work shows none */
    if (p->options->quiet || p->inputs < 2 || now - p->shown_at < 100000000) return;
    if (!isatty(STDERR_FILENO)) return;
    p->shown_at = now;
    p->progress = true;
    fprintf(stderr, "\r\033[K%zu of %zu", p->done + p->failed, p->inputs);
    if (p->failed) fprintf(stderr, ", %zu failed", p->failed);
    fflush(stderr);
}

static bool flush(predictor *p)
{
    if (p->out.size) predict_progress_end(p);
    if (!cli_flush(&p->out)) p->stopped = true;
    return !p->stopped;
}

void predict_fail(predictor *p, const char *input, const uncork_error *error)
{
    uncork_error copy = *error;
    if (!copy.where[0]) uc_where(&copy, "%s", input);
    predict_progress_end(p);
    if (!cli_cancelled && !p->trying) cli_print_error(&copy);
    if (!p->answers.silent) cli_answer_error(&p->answers, input, error);
    cli_drawer_failed(p->drawer, input, error);
    p->failed++;
}

/* ---- classic rows -------------------------------------------------------------------------------- */

/* Whether row r of a tensor of floats holds NaN, or infinity where that counts too. */
static bool row_has_none(const uc_tensor *t, int64_t r, bool infinity)
{
    if (!uc_dtype_is_float(t->dtype) || t->rank < 1 || t->rank > 2) return false;
    int64_t width = t->rank == 2 ? t->shape[1] : 1;
    for (int64_t i = 0; i < width; i++) {
        int64_t at = r * t->stride[0] + (t->rank == 2 ? i * t->stride[1] : 0);
        double v = uc_dtype_load_f64(t->data, at, t->dtype);
        if (isnan(v) || (infinity && isinf(v))) return true;
    }
    return false;
}

/* A missing or infinite value went in and no number came out: scikit-learn refuses such a row. What
 * transformers make of one is theirs. */
static uncork_status check_answer(const predictor *p, uncork_value **values, int64_t r,
                                  const uc_tensor *const *outputs, uncork_error *error)
{
    bool lost = false;
    for (int i = 0; i < p->answers.count; i++) {
        bool transforms = strncmp(p->answers.names[i], "transform", 9) == 0;
        lost = lost || (!transforms && row_has_none(outputs[i], r, false));
    }
    for (int i = 0; lost && i < uncork_model_input_count(p->model); i++) {
        if (!values[i] || !row_has_none(uc_value_tensor(values[i]), r, true)) continue;
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "a value is missing or infinite, and the model has no answer to that");
    }
    return UNCORK_OK;
}

/* ---- a run and its answers -------------------------------------------------------------------- */

/* Every output as a tensor; maps (ZipMap) as rows of their values. */
static uncork_status gather(predictor *p, uc_arena *arena, const uc_tensor **outputs,
                            uncork_error *error)
{
    for (int i = 0; i < p->answers.count; i++) {
        const uc_value *v = uc_value_inside(uncork_session_output(p->session, i));
        const char *name = p->answers.names[i];
        if (v->kind == UC_TENSOR) {
            outputs[i] = &v->tensor;
        } else if (v->kind == UC_SEQUENCE && v->item_count && v->items[0]->kind == UC_MAP) {
            const uc_tensor *keys;
            UC_TRY(cli_maps_table((const uc_value *const *)v->items, v->item_count, name, arena,
                                  &outputs[i], &keys, error));
        } else {
            uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "output '%.60s' is %s, not a tensor",
                    name, uc_kind_name(v->kind));
            return uc_fix(error, "uncork run writes it");
        }
    }
    return UNCORK_OK;
}

/* A classifier of ai.onnx.ml answers as scikit-learn's do: label and probabilities. */
static bool answers_as_table(predictor *p)
{
    bool found = false;
    for (int i = 0; i < p->answers.count; i++) {
        const uc_post_output *o = &p->described[i];
        if (o->end != UC_END_CLASS && o->end != UC_END_CLASSIFIER) continue;
        found = true;
        if (o->end == UC_END_CLASS && p->answers.label_output < 0) p->answers.label_output = i;
        if (o->end == UC_END_CLASSIFIER && p->answers.score_output < 0) p->answers.score_output = i;
        if (o->classes) p->answers.classes = o->classes;
    }
    return found && !p->options->task && !p->options->activation;
}

/* Whether the run's input is pictures, and their size. */
static bool picture_size(const predictor *p, const predict_run *run, int64_t *height,
                         int64_t *width)
{
    if (!run->values || run->height > 0) {
        *height = run->height;
        *width = run->width;
        return run->height > 0;
    }
    const int input = cli_required_input(p->model, 0);
    const uncork_value *value = input < 0 ? NULL : run->values[input];
    if (!value || uncork_value_rank(value) != 4) return false;
    const int64_t *shape = uncork_value_shape(value);
    bool last = shape[3] <= 4 && shape[1] > 4;
    *height = shape[last ? 1 : 2];
    *width = shape[last ? 2 : 3];
    return true;
}

/* What the outputs mean, once the first run has shown their shapes. */
static uncork_status read_outputs(predictor *p, const predict_run *run,
                                  const uc_tensor *const *outputs, uncork_error *error)
{
    cli_answers *a = &p->answers;
    uc_reading *readings = UC_NEW(p->arena, uc_reading, (size_t)a->count);
    if (!readings) return uc_arena_status(p->arena, error);
    for (int i = 0; i < a->count; i++) {
        uc_post_output *o = &p->described[i];
        o->dtype = outputs[i]->dtype;
        o->rank = outputs[i]->rank;
        memcpy(o->shape, outputs[i]->shape, (size_t)o->rank * sizeof *o->shape);
    }
    a->post.picture = picture_size(p, run, &a->post.input_height, &a->post.input_width) ||
                      a->post.picture || run->paths != NULL;
    a->post.batch = run->batch;
    a->post.label_count = a->labels.count;
    UC_TRY(uc_post_read(p->described, a->count, &a->post, &p->notes, readings, error));
    for (int i = 0; i < a->count; i++) {
        a->shown += readings[i].kind != UC_POST_PART;
    }
    a->readings = readings;
    return predict_check_labels(p, error);
}

/* Whether every output has a row for every input of the run. */
static bool has_rows(const predictor *p, const uc_tensor *const *outputs, int64_t batch)
{
    for (int i = 0; i < p->answers.count; i++) {
        if (outputs[i]->rank < 1 || outputs[i]->shape[0] != batch) return false;
    }
    return true;
}

static void answer_one(predictor *p, const predict_run *run, const uc_tensor *const *outputs,
                       int64_t r)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uncork_status status = UNCORK_OK;
    const char *stem = p->options->output
                           ? cli_file_name(&p->answers.stems, run->names[r], "", p->answers.arena)
                           : "";
    if (!stem) status = uc_fail_memory(&error);
    if (!p->network) status = check_answer(p, run->values, r, outputs, &error);
    int64_t height = 0, width = 0;
    if (p->network) (void)picture_size(p, run, &height, &width);
    const cli_input input = {.name = run->names[r],
                             .width = width,
                             .height = height,
                             .stem = stem,
                             .path = run->paths ? run->paths[r] : NULL,
                             .batch = run->batch,
                             .row = r,
                             .outputs = outputs,
                             .place = run->places ? &run->places[r] : NULL};
    if (status == UNCORK_OK) status = cli_answer(&p->answers, &input, &error);
    if (status) {
        predict_fail(p, run->names[r], &error);
    } else {
        p->done++;
    }
}

static void fail_run(predictor *p, const predict_run *run, const uncork_error *error)
{
    for (int64_t r = 0; r < run->count; r++) {
        predict_fail(p, run->names[r], error);
    }
}

void predict_answer(predictor *p, const predict_run *run, const uc_tensor *const *outputs)
{
    for (int64_t r = 0; r < run->count; r++) {
        answer_one(p, run, outputs, r);
    }
    flush(p);
    predict_progress(p);
}

static uncork_status answer_run(predictor *p, const predict_run *run, uc_arena *arena,
                                uncork_error *error)
{
    const uc_tensor *outputs[CLI_OUTPUTS];
    UC_TRY(gather(p, arena, outputs, error));
    if (run->batch > 1 && p->network && !has_rows(p, outputs, run->batch))
        return UNCORK_UNSUPPORTED;
    if (p->network && !p->answers.readings) UC_TRY(read_outputs(p, run, outputs, error));
    for (int64_t r = 0; r < run->count; r++) {
        answer_one(p, run, outputs, r);
    }
    flush(p);
    return UNCORK_OK;
}

uncork_status predict_run_all(predictor *p, const predict_run *run)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(&p->held);
    uncork_status status = arena ? UNCORK_OK : uc_fail_memory(&error);
    bool can_split = run->batch > 1 && p->network && !p->answers.readings;
    if (status == UNCORK_OK)
        status =
            uncork_session_run(p->session, (const uncork_value *const *)run->values,
                               uncork_model_input_count(p->model), &p->options->limits, &error);
    if (status == UNCORK_OK) {
        status = answer_run(p, run, arena, &error);
        can_split = can_split || (status && !error.what[0]);
    } else if (status == UNCORK_CANCELLED) {
        p->stopped = true;
        can_split = false;
    }
    uc_arena_free(arena);
    if (status && can_split) return UNCORK_UNSUPPORTED;
    if (status == UNCORK_USAGE) { /* the same for every input: said once */
        predict_progress_end(p);
        cli_print_error(&error);
        p->refused = p->stopped = true;
    } else if (status) {
        fail_run(p, run, &error);
    }
    predict_progress(p);
    return UNCORK_OK;
}

/* Bytes of a network's inputs in one run: its values take many times as much. */
#define RUN_BYTES (4 << 20)

int64_t predict_batch_size(const predictor *p, int64_t most, bool *fixed)
{
    int64_t shape[UNCORK_MAX_RANK];
    const int input = cli_required_input(p->model, 0);
    const int rank = input < 0 ? 0 : uncork_model_input_shape(p->model, input, shape);
    *fixed = rank > 0 && shape[0] > 0;
    if (*fixed) return shape[0];
    if (p->one_a_run) return 1;
    if (p->options->batch) return p->options->batch;
    if (!p->network || rank < 2) return most;
    size_t bytes = uc_dtype_size(uncork_model_input_dtype(p->model, input));
    for (int d = 1; d < rank; d++) { /* a free side: as large as pictures are */
        if (!uc_mul_size(bytes, shape[d] > 0 ? (size_t)shape[d] : 1024, &bytes)) return 1;
    }
    int64_t fit = bytes ? (int64_t)(RUN_BYTES / bytes) : most;
    return fit < 1 ? 1 : fit > most ? most : fit;
}

/* ---- the command ------------------------------------------------------------------------------ */

/* A failure that is the caller's: nothing was worked on. */
static int refuse(predictor *p, const uncork_error *error)
{
    predict_progress_end(p);
    cli_print_error(error);
    return error->status == UNCORK_INPUT || error->status == UNCORK_IO ? EXIT_INPUT : EXIT_USAGE;
}

static void measure_names(predictor *p, char **paths, size_t count)
{
    p->answers.one_line = !p->options->top_given && count > 8;
    if (p->options->top_given) p->answers.one_line = p->options->top == 1;
    for (size_t i = 0; i < count; i++) {
        size_t n = cli_text_width(uc_str_of(paths[i]));
        if (n > p->answers.name_width) p->answers.name_width = n;
    }
    size_t most = (size_t)p->answers.columns / 2;
    if (p->answers.name_width > most) p->answers.name_width = most;
}

static int predict_all(predictor *p)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    char **paths;
    if (cli_expand(p->options->arguments + 1, p->options->argument_count - 1, p->arena, &paths,
                   &p->inputs, &p->notes, &error)) {
        return refuse(p, &error);
    }
    if (p->options->output) {
        const int unsafe = cli_check_output(p->options->output, paths, p->inputs);
        if (unsafe) return unsafe;
    }
    measure_names(p, paths, p->inputs);
    const int drawing = cli_drawer_new(p, paths, p->inputs, &p->drawer);
    if (drawing) return drawing;
    if (p->drawer) {
        p->answers.answered = cli_drawer_take;
        p->answers.answered_context = p->drawer;
    }
    for (size_t i = 0; i < p->inputs && !p->stopped && !cli_cancelled;) {
        if (predict_is_rows(paths[i])) {
            predict_rows(p, paths[i++]);
            continue;
        }
        size_t n = 0;
        while (i + n < p->inputs && !predict_is_rows(paths[i + n])) {
            n++;
        }
        if (predict_pictures(p, paths + i, n, &error)) return refuse(p, &error);
        i += n;
    }
    cli_answer_end(&p->answers);
    flush(p);
    predict_progress_end(p);
    if (p->refused) return EXIT_USAGE;
    return p->failed || p->stopped ? EXIT_INPUT : EXIT_OK;
}

static void print_timing(const predictor *p)
{
    if (!p->options->timing) return;
    uint64_t end = uc_now_ns();
    fprintf(stderr, "timing: open %.3f ms, prepare %.3f ms, predict %.3f ms for %zu inputs",
            (double)(p->opened_ns - p->begin_ns) / 1e6, (double)(p->ready_ns - p->opened_ns) / 1e6,
            (double)(end - p->ready_ns) / 1e6, p->done + p->failed);
    if (p->loaders) fprintf(stderr, ", loaded by %d threads", p->loaders);
    fputs("\n", stderr);
}

/* --task, --activation and --threshold. */
static int set_post(predictor *p)
{
    static const struct {
        const char *word;
        uc_activation activation;
    } words[] = {{"softmax", UC_ACTIVATION_SOFTMAX},
                 {"sigmoid", UC_ACTIVATION_SIGMOID},
                 {"none", UC_ACTIVATION_NONE},
                 {"exp", UC_ACTIVATION_EXP}};
    const cli_options *o = p->options;
    uc_post_options *post = &p->answers.post;
    *post = (uc_post_options){.task = -1,
                              .threshold = o->threshold,
                              .facts = &uc_file_import(p->file)->facts,
                              .detector = &p->answers.detector};
    p->answers.notes = &p->notes;
    if (!isnan(o->nms) && !(o->nms > 0 && o->nms <= 1))
        return cli_usage("--nms is the overlap above which a box is dropped: from 0 to 1");
    if ((o->task || o->activation) && !p->network)
        return cli_usage("%s says what its outputs are: leave --task and --activation out",
                         o->arguments[0]);
    uc_post_kind kind = UC_POST_TENSOR;
    if (o->task && !uc_post_kind_of(o->task, &kind)) {
        return cli_usage("--task can't be '%s'; it is classify, multilabel, regress, detect, "
                         "segment, keypoints, embed, image or tensor",
                         o->task);
    }
    if (o->task) post->task = (int)kind;
    for (size_t i = 0; o->activation && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(o->activation, words[i].word) == 0) post->activation = words[i].activation;
    }
    if (o->activation && post->activation == UC_ACTIVATION_AUTO)
        return cli_usage("--activation can't be '%s'; it is softmax, sigmoid, exp or none",
                         o->activation);
    return EXIT_OK;
}

/* Whether the outputs allow the task, as far as the graph knows their shapes. */
static int check_task(predictor *p)
{
    cli_answers *a = &p->answers;
    uncork_error error = {.size = sizeof error};
    uc_reading *readings = UC_NEW(p->arena, uc_reading, (size_t)a->count);
    uc_error_init(&error);
    if (!p->network || !p->options->task || a->post.task == UC_POST_DETECT || !readings)
        return EXIT_OK;
    for (int i = 0; i < a->count; i++) {
        if (p->described[i].rank < 0) return EXIT_OK;
    }
    if (uc_post_read(p->described, a->count, &a->post, NULL, readings, &error) == UNCORK_OK)
        return EXIT_OK;
    cli_print_error(&error);
    return EXIT_USAGE;
}

static int set_up(predictor *p)
{
    cli_answers *a = &p->answers;
    const uc_facts *facts = &uc_file_import(p->file)->facts;
    const uc_fact *classes = uc_fact_find(facts, "classes");
    int count = uncork_model_output_count(p->model);
    *a = (cli_answers){.options = p->options,
                       .out = &p->out,
                       .arena = p->arena,
                       .budget = &p->held,
                       .count = count > CLI_OUTPUTS ? CLI_OUTPUTS : count,
                       .label_output = -1,
                       .score_output = -1};
    a->classes = classes ? classes->tensor : NULL;
    a->names = UC_NEW(p->arena, const char *, (size_t)count);
    for (int i = 0; a->names && i < count; i++) {
        a->names[i] = uncork_model_output_name(p->model, i);
    }
    p->described = uc_post_describe(uc_model_graph(p->model), p->arena);
    if (!a->names || !p->described || uncork_pool_new((int)p->options->threads, &p->pool) ||
        uncork_session_new(p->model, p->pool, &p->session)) {
        cli_usage("memory is out");
        return EXIT_MODEL;
    }
    p->network = !uc_fact_find(facts, "task") && !a->classes && !answers_as_table(p);
    if (!p->options->json && !p->options->csv) cli_screen_of(a);
    int status = set_post(p);
    if (status == EXIT_OK) status = check_task(p);
    return status ? status : predict_labels(p);
}

/* What was said of its answers when an artifact was packed stands where nothing is said now. */
static uncork_status take_packed(predictor *p)
{
    const uc_facts *facts = &uc_file_import(p->file)->facts;
    cli_options *own = UC_NEW(p->arena, cli_options, 1);
    if (!own) return UNCORK_NO_MEMORY;
    *own = *p->options;
    if (!own->task) own->task = uc_fact_get_text(facts, "answers.task");
    if (!own->activation) own->activation = uc_fact_get_text(facts, "answers.activation");
    if (isnan(own->threshold))
        own->threshold = uc_fact_get_number(facts, "answers.threshold", (double)NAN);
    if (isnan(own->nms)) own->nms = uc_fact_get_number(facts, "answers.nms", (double)NAN);
    const double boxes = uc_fact_get_number(facts, "answers.max_boxes", 0);
    if (!own->max_boxes && boxes >= 1 && boxes <= 1000000) own->max_boxes = (int64_t)boxes;
    p->options = own;
    return UNCORK_OK;
}

int predict_open(predictor *p)
{
    uc_writer_init(&p->out, (size_t)1 << 30);
    uc_budget_init(&p->held, &p->options->limits, 0);
    p->held.deadline_ns = 0; /* --timeout is each picture's */
    p->begin_ns = uc_now_ns();
    int status = cli_open(p->options, &p->file);
    p->opened_ns = uc_now_ns();
    if (status == EXIT_OK && take_packed(p)) status = cli_usage("memory is out");
    if (status == EXIT_OK) status = cli_prepare(p->options, p->file, NULL, p->arena, &p->model);
    if (status == EXIT_OK) status = set_up(p);
    p->ready_ns = uc_now_ns();
    return status;
}

void predict_close(predictor *p)
{
    if (p->done) { /* notes are for success only */
        cli_print_findings(p->options, &uc_file_import(p->file)->findings);
        cli_print_findings(p->options, uc_model_findings(p->model));
        cli_print_findings(p->options, &p->notes);
        print_timing(p);
    }
    uncork_session_free(p->session);
    uncork_pool_free(p->pool);
    uncork_model_free(p->model);
    uncork_file_close(p->file);
    uc_writer_done(&p->out);
}

int cmd_predict(const cli_options *options, uc_arena *arena)
{
    if (options->argument_count < 2)
        return cli_usage("predict takes a model and inputs: uncork predict MODEL IMAGE|ROWS...");
    predictor p = {.options = options, .arena = arena, .notes = {.arena = arena}};
    int status = predict_open(&p);
    if (status == EXIT_OK) status = predict_all(&p);
    cli_drawer_end(p.drawer);
    if (status == EXIT_OK && p.failed) status = EXIT_INPUT; /* a drawing that couldn't be written */
    predict_close(&p);
    return status;
}
