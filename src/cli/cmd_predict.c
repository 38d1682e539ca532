/* uncork predict: pictures or rows in, labels and scores out, one line each. One bad input never
 * stops the others. */
#include "cli/answer.h"

#include "base/file.h"
#include "base/text.h"
#include "base/thread.h"
#include "contract/contract.h"

#include <math.h>

#define PICTURES_AT_A_TIME 32
#define ROWS_AT_A_TIME     1024

typedef struct predictor {
    const cli_options *options;
    uc_arena *arena; /* of the whole command */
    uncork_file *file;
    uncork_model *model;
    uncork_session *session;
    uncork_pool *pool;
    const uc_contract *contract; /* made when the first picture comes */
    uc_contract_want want;
    uc_findings notes;
    cli_answers answers;
    uc_writer out;
    size_t done, failed;
    bool stopped; /* standard output is gone, or the work was cancelled */
} predictor;

static void fail_input(predictor *p, const char *input, const uncork_error *error)
{
    uncork_error copy = *error;
    if (!copy.where[0]) uc_where(&copy, "%s", input);
    if (!cli_cancelled) cli_print_error(&copy);
    cli_answer_error(&p->answers, input, error);
    p->failed++;
}

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

static void answer_rows(predictor *p, uncork_value **values, const char *const *names,
                        int64_t count)
{
    const uc_tensor *outputs[64];
    for (int i = 0; i < p->answers.count; i++) {
        outputs[i] = uc_value_tensor(uncork_session_output(p->session, i));
    }
    for (int64_t r = 0; r < count; r++) {
        uncork_error error = {.size = sizeof error};
        uc_error_init(&error);
        if (check_answer(p, values, r, outputs, &error)) {
            fail_input(p, names[r], &error);
            continue;
        }
        cli_answer(&p->answers, names[r], outputs, r);
        p->done++;
    }
    if (!cli_flush(&p->out)) p->stopped = true;
}

/* Runs `count` rows; false after a failure, which is printed for every one of them. */
static void run_rows(predictor *p, uncork_value **values, const char *const *names, int64_t count)
{
    uncork_error error = {.size = sizeof error};
    uncork_status status =
        uncork_session_run(p->session, (const uncork_value *const *)values,
                           uncork_model_input_count(p->model), &p->options->limits, &error);
    if (status == UNCORK_OK) {
        answer_rows(p, values, names, count);
        return;
    }
    if (status == UNCORK_CANCELLED) p->stopped = true;
    for (int64_t r = 0; r < count; r++) {
        fail_input(p, names[r], &error);
    }
}

/* ---- pictures ---- */

typedef struct picture {
    const char *path;
    uncork_error error;
    bool good;
} picture;

typedef struct batch {
    predictor *p;
    picture *pictures;
    uint8_t *rows; /* [count, row_bytes] */
    size_t row_bytes;
} batch;

static uncork_status load_picture(const batch *b, picture *item, int64_t i, uc_arena *arena)
{
    uc_bytes bytes;
    uc_tensor *tensor;
    if (strcmp(item->path, "-") == 0) {
        UC_TRY(uc_file_read_stdin((size_t)1 << 30, arena, &bytes, &item->error));
    } else {
        UC_TRY(uc_file_read(item->path, false, arena, &bytes, &item->error));
    }
    UC_TRY(uc_contract_apply(b->p->contract, bytes, &b->p->want, arena, &tensor, &item->error));
    memcpy(b->rows + (size_t)i * b->row_bytes, tensor->data, b->row_bytes);
    return UNCORK_OK;
}

static void load_pictures(void *context, int64_t begin, int64_t end, int thread)
{
    (void)thread;
    const batch *b = context;
    for (int64_t i = begin; i < end; i++) {
        picture *item = &b->pictures[i];
        uc_error_init(&item->error);
        uc_budget budget;
        uc_budget_init(&budget, &b->p->options->limits, 0);
        uc_arena *arena = uc_arena_new(&budget);
        uncork_status status =
            arena ? load_picture(b, item, i, arena) : uc_fail_memory(&item->error);
        item->good = status == UNCORK_OK;
        uc_arena_free(arena);
    }
}

/* The contract and the row's shape, once the first picture is met. */
static uncork_status need_contract(predictor *p, uncork_error *error)
{
    if (p->contract) return UNCORK_OK;
    const uc_import *import = uc_file_import(p->file);
    int64_t shape[UNCORK_MAX_RANK];
    const int input = cli_only_input(p->model);
    const int rank = input < 0 ? 0 : uncork_model_input_shape(p->model, input, shape);
    const uncork_dtype dtype = uncork_model_input_dtype(p->model, input);
    if (input < 0 || rank < 2 || dtype == UNCORK_STRING) {
        uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "the model takes %s, not pictures",
                input < 0  ? "a table of columns"
                : rank < 2 ? "texts or labels"
                           : "texts");
        return uc_fix(error,
                      "rows are files that end in .csv, .tsv, .json, .jsonl, .npy, .npz, .txt");
    }
    p->want = (uc_contract_want){.dtype = dtype, .rank = rank - 1};
    memcpy(p->want.shape, shape + 1, (size_t)(rank - 1) * sizeof *shape);
    if (p->want.rank == 1 && p->want.shape[0] < 0) {
        p->want.shape[0] = (int64_t)uc_fact_get_number(&import->facts, "n_features", -1);
    }
    uc_contract *contract;
    if (p->options->preprocess) {
        UC_TRY(uc_contract_parse(p->options->preprocess, p->arena, &contract, error));
        UC_TRY(uc_contract_check(contract, &p->want, error));
    } else {
        UC_TRY(uc_contract_infer(&import->facts, &p->want, p->arena, &p->notes, &contract, error));
    }
    p->contract = contract;
    return UNCORK_OK;
}

static void predict_batch(predictor *p, char **paths, size_t count)
{
    uc_arena *arena = uc_arena_new(NULL);
    size_t width = 0;
    batch b = {.p = p};
    if (arena && uc_shape_count(p->want.shape, p->want.rank, &width) &&
        uc_mul_size(width, uc_dtype_size(p->want.dtype), &b.row_bytes)) {
        b.pictures = UC_NEW(arena, picture, count);
        b.rows = uc_arena_alloc(arena, count, b.row_bytes);
    }
    const char **names = arena ? UC_NEW(arena, const char *, count) : NULL;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    if (!b.pictures || !b.rows || !names) {
        uc_fail_memory(&error);
        fail_input(p, paths[0], &error);
        p->stopped = true;
        uc_arena_free(arena);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        b.pictures[i].path = paths[i];
    }
    uc_parallel(p->pool, (int64_t)count, 1, load_pictures, &b);
    int64_t good = 0;
    for (size_t i = 0; i < count; i++) { /* bad ones drop out, the rest move up */
        if (!b.pictures[i].good) {
            fail_input(p, paths[i], &b.pictures[i].error);
            continue;
        }
        memmove(b.rows + (size_t)good * b.row_bytes, b.rows + i * b.row_bytes, b.row_bytes);
        names[good++] = paths[i];
    }
    int64_t shape[UNCORK_MAX_RANK] = {good};
    memcpy(shape + 1, p->want.shape, (size_t)p->want.rank * sizeof *shape);
    uncork_value *value = NULL;
    uncork_value **values =
        UC_NEW(arena, uncork_value *, (size_t)uncork_model_input_count(p->model));
    if (good &&
        (!values || uncork_value_wrap(p->want.dtype, p->want.rank + 1, shape, b.rows, &value))) {
        uc_fail_memory(&error);
        for (int64_t i = 0; i < good; i++) {
            fail_input(p, names[i], &error);
        }
    } else if (good) {
        values[cli_only_input(p->model)] = value;
        run_rows(p, values, names, good);
    }
    uncork_value_free(value);
    if (!cli_flush(&p->out)) p->stopped = true;
    uc_arena_free(arena);
}

/* ---- rows ---- */

static bool is_rows(const char *path)
{
    return uc_text_ends(path, ".csv") || uc_text_ends(path, ".tsv") ||
           uc_text_ends(path, ".json") || uc_text_ends(path, ".jsonl") ||
           uc_text_ends(path, ".ndjson") || uc_text_ends(path, ".npy") ||
           uc_text_ends(path, ".npz") || uc_text_ends(path, ".txt");
}

/* Each line of a text file is a row of a model of texts. */
static uncork_status read_lines(const char *path, uc_arena *arena, cli_arrays *arrays,
                                uncork_error *error)
{
    uc_bytes bytes;
    UC_TRY(uc_file_read(path, false, arena, &bytes, error));
    uc_str *lines = NULL;
    size_t count = 0, capacity = 0, at = 0;
    while (at < bytes.size) {
        const uint8_t *end = memchr(bytes.data + at, '\n', bytes.size - at);
        size_t n = end ? (size_t)(end - bytes.data) - at : bytes.size - at;
        lines = uc_arena_grow(arena, lines, &capacity, count + 1, sizeof *lines);
        if (!lines) return uc_fail_memory(error);
        size_t cut = n && bytes.data[at + n - 1] == '\r' ? n - 1 : n;
        lines[count++] = (uc_str){(const char *)bytes.data + at, cut};
        at += n + 1;
    }
    const int64_t shape[1] = {(int64_t)count};
    arrays->items = UC_NEW(arena, cli_array, 1);
    uc_tensor *tensor = uc_tensor_strings(arena, lines, 1, shape);
    if (!arrays->items || !tensor) return uc_fail_memory(error);
    arrays->items[0] = (cli_array){.path = path, .tensor = tensor};
    arrays->count = 1;
    return UNCORK_OK;
}

/* Rows of one run: what the model was made for, else what was asked. */
static int64_t rows_at_a_time(const predictor *p, int64_t otherwise)
{
    int64_t shape[UNCORK_MAX_RANK];
    const int input = cli_required_input(p->model, 0);
    const int rank = input < 0 ? 0 : uncork_model_input_shape(p->model, input, shape);
    if (rank > 0 && shape[0] > 0) return shape[0];
    return p->options->batch ? p->options->batch : otherwise;
}

/* A slice of every value's rows, without a copy; nothing of an input that was left out. */
static uncork_status slice_rows(uncork_value *const *whole, int inputs, int64_t begin,
                                int64_t count, uncork_value **part)
{
    for (int i = 0; i < inputs; i++) {
        if (!whole[i]) continue;
        uc_tensor t = *uc_value_tensor(whole[i]);
        int64_t stride = t.rank > 0 ? t.stride[0] : 0;
        t.shape[0] = count;
        if (t.dtype == UNCORK_STRING) {
            t.strings.offsets += begin * stride;
        } else {
            t.data = (char *)t.data + (size_t)(begin * stride) * uc_dtype_size(t.dtype);
        }
        UC_TRY(uc_value_over(&t, &part[i]));
    }
    return UNCORK_OK;
}

static uncork_status run_slices(predictor *p, uncork_value **values, uncork_value **part,
                                const char *path, uc_arena *arena)
{
    int inputs = uncork_model_input_count(p->model);
    const int input = cli_required_input(p->model, 0);
    const uncork_value *first = input < 0 ? NULL : values[input];
    int64_t rows = first && uncork_value_rank(first) ? uncork_value_shape(first)[0] : 1;
    int64_t step = rows_at_a_time(p, ROWS_AT_A_TIME);
    for (int64_t begin = 0; begin < rows && !p->stopped; begin += step) {
        int64_t count = rows - begin < step ? rows - begin : step;
        const char **names = UC_NEW(arena, const char *, (size_t)count);
        for (int64_t r = 0; names && r < count; r++) {
            names[r] = uc_arena_printf(arena, "%s:%lld", path, (long long)(begin + r + 1));
            if (!names[r]) names = NULL;
        }
        uncork_status status =
            names ? slice_rows(values, inputs, begin, count, part) : UNCORK_NO_MEMORY;
        if (status == UNCORK_OK) run_rows(p, part, names, count);
        for (int i = 0; i < inputs; i++) {
            uncork_value_free(part[i]);
            part[i] = NULL;
        }
        if (status != UNCORK_OK) return status;
    }
    return UNCORK_OK;
}

static uncork_status read_rows(predictor *p, const char *path, uc_arena *arena, cli_arrays *arrays,
                               uncork_error *error)
{
    uc_budget budget;
    uc_budget_init(&budget, &p->options->limits, 0);
    const uc_fact *known = uc_fact_find(&uc_file_import(p->file)->facts, "feature_names");
    bool texts = uncork_model_input_dtype(p->model, 0) == UNCORK_STRING;
    if (uc_text_ends(path, ".txt") && texts) return read_lines(path, arena, arrays, error);
    return cli_read_input(path, known ? known->tensor : NULL, arena, &budget, arrays, error);
}

static void predict_rows(predictor *p, const char *path)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    int inputs = uncork_model_input_count(p->model);
    cli_arrays arrays = {0};
    uncork_value **values = arena ? UC_NEW(arena, uncork_value *, (size_t)inputs) : NULL;
    uncork_value **part = arena ? UC_NEW(arena, uncork_value *, (size_t)inputs) : NULL;
    uncork_status status = values && part ? UNCORK_OK : uc_fail_memory(&error);
    if (status == UNCORK_OK) status = read_rows(p, path, arena, &arrays, &error);
    if (status == UNCORK_OK)
        status = cli_bind(p->options, p->model, &arrays, arena, values, &error);
    if (status == UNCORK_OK) status = run_slices(p, values, part, path, arena);
    if (status != UNCORK_OK) {
        if (error.status == UNCORK_OK) uc_fail_memory(&error);
        fail_input(p, path, &error);
    }
    for (int i = 0; values && i < inputs; i++) {
        uncork_value_free(values[i]);
    }
    if (!cli_flush(&p->out)) p->stopped = true;
    uc_arena_free(arena);
}

/* ---- the command ---- */

/* A failure that is the caller's: nothing was worked on. */
static int refuse(const uncork_error *error)
{
    cli_print_error(error);
    return error->status == UNCORK_INPUT || error->status == UNCORK_IO ? EXIT_INPUT : EXIT_USAGE;
}

static int predict_all(predictor *p)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    char **paths;
    size_t count;
    if (cli_expand(p->options->arguments + 1, p->options->argument_count - 1, p->arena, &paths,
                   &count, &error)) {
        return refuse(&error);
    }
    size_t step = (size_t)rows_at_a_time(p, PICTURES_AT_A_TIME);
    for (size_t i = 0; i < count && !p->stopped && !cli_cancelled;) {
        if (is_rows(paths[i])) {
            predict_rows(p, paths[i++]);
            continue;
        }
        if (need_contract(p, &error)) return refuse(&error);
        size_t n = 0;
        while (i + n < count && n < step && !is_rows(paths[i + n])) {
            n++;
        }
        predict_batch(p, paths + i, n);
        i += n;
    }
    cli_answer_end(&p->answers);
    if (!cli_flush(&p->out)) p->stopped = true;
    return p->failed || p->stopped ? EXIT_INPUT : EXIT_OK;
}

/* The names that stood beside the model in its file. */
static int take_labels(predictor *p)
{
    const uc_fact *fact = uc_fact_find(&uc_file_import(p->file)->facts, "labels");
    if (!fact || !fact->tensor || fact->tensor->dtype != UNCORK_STRING) return EXIT_OK;
    size_t count = (size_t)uc_tensor_count(fact->tensor);
    p->answers.labels.items = UC_NEW(p->arena, uc_str, count);
    if (!p->answers.labels.items) return EXIT_MODEL;
    p->answers.labels.count = count;
    for (size_t i = 0; i < count; i++) {
        p->answers.labels.items[i] = uc_tensor_string(fact->tensor, (int64_t)i);
    }
    return EXIT_OK;
}

static int read_labels(predictor *p)
{
    if (!p->options->labels) return take_labels(p);
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_bytes bytes;
    uncork_status status = uc_file_read(p->options->labels, false, p->arena, &bytes, &error);
    if (status == UNCORK_OK) {
        status = uc_labels_read(bytes, p->options->labels, p->arena, &p->answers.labels, &error);
    }
    if (status == UNCORK_OK && p->answers.classes &&
        (int64_t)p->answers.labels.count < uc_tensor_count(p->answers.classes)) {
        status = uc_fail(&error, UNCORK_USAGE, UC_NO_OFFSET, "%zu labels for %lld classes",
                         p->answers.labels.count, (long long)uc_tensor_count(p->answers.classes));
    }
    p->answers.labels_given = true;
    if (status == UNCORK_OK) return EXIT_OK;
    if (!error.where[0]) uc_where(&error, "%s", p->options->labels);
    cli_print_error(&error);
    return EXIT_USAGE;
}

static void print_timing(const predictor *p, uint64_t begin, uint64_t opened, uint64_t ready)
{
    if (!p->options->timing) return;
    uint64_t end = uc_now_ns();
    fprintf(stderr, "timing: open %.3f ms, prepare %.3f ms, predict %.3f ms for %zu inputs\n",
            (double)(opened - begin) / 1e6, (double)(ready - opened) / 1e6,
            (double)(end - ready) / 1e6, p->done + p->failed);
}

static int set_up(predictor *p)
{
    const uc_fact *classes = uc_fact_find(&uc_file_import(p->file)->facts, "classes");
    int count = uncork_model_output_count(p->model);
    p->answers =
        (cli_answers){.options = p->options, .out = &p->out, .count = count > 64 ? 64 : count};
    p->answers.classes = classes ? classes->tensor : NULL;
    p->answers.arena = p->arena;
    p->answers.names = UC_NEW(p->arena, const char *, (size_t)count);
    for (int i = 0; p->answers.names && i < count; i++) {
        p->answers.names[i] = uncork_model_output_name(p->model, i);
    }
    if (!p->answers.names || uncork_pool_new((int)p->options->threads, &p->pool) ||
        uncork_session_new(p->model, p->pool, &p->session)) {
        cli_usage("memory is out");
        return EXIT_MODEL;
    }
    return read_labels(p);
}

int cmd_predict(const cli_options *options, uc_arena *arena)
{
    if (options->argument_count < 2)
        return cli_usage("predict takes a model and inputs: uncork predict MODEL IMAGE|ROWS...");
    predictor p = {.options = options, .arena = arena, .notes = {.arena = arena}};
    uc_writer_init(&p.out, (size_t)1 << 30);
    uint64_t begin = uc_now_ns();
    int status = cli_open(options, &p.file);
    uint64_t opened = uc_now_ns();
    if (status == EXIT_OK)
        status = cli_prepare(options, p.file, UNCORK_DTYPE_NONE, arena, &p.model);
    if (status == EXIT_OK) status = set_up(&p);
    uint64_t ready = uc_now_ns();
    if (status == EXIT_OK) status = predict_all(&p);
    if (p.done) { /* notes are for success only */
        cli_print_findings(options, &uc_file_import(p.file)->findings);
        cli_print_findings(options, uc_model_findings(p.model));
        cli_print_findings(options, &p.notes);
        print_timing(&p, begin, opened, ready);
    }
    uncork_session_free(p.session);
    uncork_pool_free(p.pool);
    uncork_model_free(p.model);
    uncork_file_close(p.file);
    uc_writer_done(&p.out);
    return status;
}
