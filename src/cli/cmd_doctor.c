/* uncork doctor: why a model doesn't load (doctor_open.c), or why its answers are wrong, and what mends it. */
#include "base/file.h"
#include "base/text.h"
#include "cli/doctor.h"

/* ---- predicts wrongly ---- */

/* Rows far outside of what the model was trained on: a scaler that was forgotten, or applied twice. */
static uncork_status judge_rows(doctor *d, const char *path, uncork_error *error)
{
    const uc_facts *facts = &uc_file_import(d->p.file)->facts;
    const double low = uc_fact_get_number(facts, "seen_min", 0);
    const double high = uc_fact_get_number(facts, "seen_max", 0);
    const char *from = uc_fact_get_text(facts, "seen_from");
    cli_arrays arrays = {0};
    uc_budget budget;
    uc_budget_init(&budget, &d->p.options->limits, 0);
    UC_TRY(cli_read_input(path, NULL, d->arena, &budget, &arrays, error));
    if (!from || !(high > low) || !arrays.count) {
        doctor_note(d,
                    "the file doesn't show the range of its training rows: they can't be compared");
        return UNCORK_OK;
    }
    double least = high, most = low;
    size_t outside = 0, count = 0;
    const cli_array *a = &arrays.items[0];
    const size_t n =
        a->tensor ? (size_t)uc_tensor_count(a->tensor) : a->rows->row_count * a->rows->column_count;
    const uc_tensor *dense = a->tensor ? uc_tensor_dense(d->arena, a->tensor) : NULL;
    for (size_t i = 0; i < n; i++) {
        double v;
        if (dense) {
            v = uc_dtype_load_f64(dense->data, (int64_t)i, dense->dtype);
        } else if (!uc_text_f64(a->rows->cells[i].text, &v)) {
            continue;
        }
        count++;
        least = v < least ? v : least;
        most = v > most ? v : most;
        outside += v < low - (high - low) || v > high + (high - low);
    }
    if (!count) return UNCORK_OK;
    const double span = high - low, own = most - least;
    const char *range =
        uc_arena_printf(d->arena,
                        "the model saw %.4g to %.4g (%s); these rows go from %.4g to %.4g, "
                        "%zu of %zu values are far outside",
                        low, high, from, least, most, outside, count);
    if (outside * 10 > count) {
        doctor_found(
            d,
            "the rows aren't scaled as the training rows were: a scaler is missing in front of the model",
            range,
            "scale them as in training: keep the fitted scaler beside the model in one pickle, "
            "(model, scaler), and uncork applies it");
    } else if (own * 5 < span && n > 8) {
        doctor_found(d, "the rows are scaled already, and the model scales them itself", range,
                     "give the rows as they were measured, or --scaled to leave the scaler out");
    } else {
        doctor_note(d, range);
    }
    return UNCORK_OK;
}

static bool is_table(const char *path)
{
    return predict_is_rows(path) && !uc_text_ends(path, ".txt");
}

/* A folder of folders, or a table of paths and labels; else pictures without labels. */
static uncork_status read_pictures(doctor *d, uncork_error *error)
{
    const cli_options *o = d->p.options;
    uncork_error ignored = {.size = sizeof ignored};
    uc_error_init(&ignored);
    if (o->argument_count == 2 &&
        evaluate_read(o->arguments[1], d->arena, &d->truth, &ignored) == UNCORK_OK &&
        !d->truth.rows) {
        d->labelled = true;
        return UNCORK_OK;
    }
    d->truth = (evaluate_truth){.count = 0};
    return cli_expand(o->arguments + 1, o->argument_count - 1, d->arena, &d->truth.paths,
                      &d->truth.count, &d->p.notes, error);
}

static int look_at_pictures(doctor *d)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uncork_file_close(d->p.file); /* predict opens its own */
    d->p.file = NULL;
    int status = predict_open(&d->p);
    if (status) return status;
    uncork_status done = read_pictures(d, &error);
    if (done == UNCORK_OK) done = doctor_search(d, &error);
    if (done == UNCORK_OK) {
        doctor_judge(d);
    } else {
        cli_print_error(&error);
        status = done == UNCORK_CANCELLED ? EXIT_INTERRUPTED
                 : done == UNCORK_USAGE   ? EXIT_USAGE
                                          : EXIT_INPUT;
    }
    d->p.done = 0; /* its notes are in the report */
    return status;
}

int cmd_doctor(const cli_options *options, uc_arena *arena)
{
    if (options->argument_count < 1) {
        return cli_usage("doctor takes a model, and pictures or rows that it answers wrongly: "
                         "uncork doctor MODEL [IMAGE|LABELLED_DIR|ROWS...]");
    }
    cli_options own = *options;
    doctor *d = UC_NEW(arena, doctor, 1);
    if (!d) return cli_usage("memory is out");
    own.limits.timeout_ms = 0; /* of each picture; the search has its own */
    d->arena = arena;
    d->timeout_ms = options->limits.timeout_ms;
    d->p = (predictor){.options = &own, .arena = arena, .notes = {.arena = arena}};
    int status = EXIT_OK;
    if (doctor_opens(d) && options->argument_count > 1) {
        uncork_error error = {.size = sizeof error};
        uc_error_init(&error);
        if (!is_table(options->arguments[1])) {
            status = look_at_pictures(d);
        } else if (judge_rows(d, options->arguments[1], &error)) {
            cli_print_error(&error);
            status = EXIT_INPUT;
        }
    }
    doctor_elsewhere(d);
    if (status == EXIT_OK) status = doctor_print(d);
    uc_probe_close(d->probe);
    predict_close(&d->p);
    return status;
}
