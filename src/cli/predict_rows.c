/* Rows of numbers or texts: tables cut into runs. */
#include "base/file.h"
#include "base/text.h"
#include "cli/predict.h"

#define ROWS_AT_A_TIME 1024

bool predict_is_rows(const char *path)
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
    bool fixed;
    int64_t step = predict_batch_size(p, ROWS_AT_A_TIME, &fixed);
    for (int64_t begin = 0, next; begin < rows && !p->stopped; begin = next) {
        int64_t count = rows - begin < step ? rows - begin : step;
        const char **names = UC_NEW(arena, const char *, (size_t)count);
        for (int64_t r = 0; names && r < count; r++) {
            names[r] = uc_arena_printf(arena, "%s:%lld", path, (long long)(begin + r + 1));
            if (!names[r]) names = NULL;
        }
        uncork_status status =
            names ? slice_rows(values, inputs, begin, count, part) : UNCORK_NO_MEMORY;
        const predict_run run = {.values = part, .names = names, .count = count, .batch = count};
        next = begin + step;
        if (status == UNCORK_OK && predict_run_all(p, &run)) { /* the graph wants one at a time */
            p->one_a_run = true;
            step = 1;
            next = begin;
        }
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

void predict_rows(predictor *p, const char *path)
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
        predict_fail(p, path, &error);
    }
    for (int i = 0; values && i < inputs; i++) {
        uncork_value_free(values[i]);
    }
    uc_arena_free(arena);
}
