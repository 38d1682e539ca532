/* uncork run: raw tensors in, raw tensors out. */
#include "cli/cli.h"

static uncork_status run(const cli_options *options, const uncork_model *model,
                         const cli_arrays *arrays, uc_arena *arena, uncork_error *error)
{
    int inputs = uncork_model_input_count(model);
    uncork_value **values = UC_NEW(arena, uncork_value *, (size_t)inputs + 1);
    if (!values) return uc_fail_memory(error);
    uncork_pool *pool = NULL;
    uncork_session *session = NULL;
    uncork_status status = cli_bind(options, model, arrays, arena, values, error);
    if (status == UNCORK_INPUT && options->input_count == 0) {
        error->status = UNCORK_USAGE; /* a model whose inputs have defaults runs without any */
        status = uc_fix(error, "run takes --input [NAME=]X");
    }
    if (status == UNCORK_OK) status = uncork_pool_new((int)options->threads, &pool);
    if (status == UNCORK_OK) status = uncork_session_new(model, pool, &session);
    if (status != UNCORK_OK && error->status == UNCORK_OK) uc_fail_memory(error);
    if (status == UNCORK_OK) {
        status = uncork_session_run(session, (const uncork_value *const *)values, inputs,
                                    &options->limits, error);
    }
    if (status == UNCORK_OK)
        status = cli_write_outputs(options->output, model, session, arena, error);
    uncork_session_free(session);
    uncork_pool_free(pool);
    for (int i = 0; i < inputs; i++) {
        uncork_value_free(values[i]);
    }
    return status;
}

/* An input or output file that fails is the input's failure, a model's limit the model's. */
static int run_exit(const uncork_error *error)
{
    cli_print_error(error);
    if (error->status == UNCORK_IO || error->status == UNCORK_MALFORMED) return EXIT_INPUT;
    return cli_model_exit(error);
}

/* A file that can't be read as an array is the input's failure, whatever is wrong with it. */
static int input_exit(const uncork_error *error)
{
    cli_print_error(error);
    int status = cli_model_exit(error);
    return status == EXIT_MODEL || status == EXIT_FILE ? EXIT_INPUT : status;
}

int cmd_run(const cli_options *options, uc_arena *arena)
{
    if (options->argument_count != 1) {
        return cli_usage("run takes one model: uncork run MODEL --input [NAME=]X --output DIR");
    }
    if (!options->output) return cli_usage("run needs --output DIR");
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    int status = cli_open(options, &file);
    if (status) return status;
    uc_budget budget;
    uc_budget_init(&budget, &options->limits, 0);
    const uc_fact *known = uc_fact_find(&uc_file_import(file)->facts, "feature_names");
    cli_arrays arrays = {0};
    uc_error_init(&error);
    for (size_t i = 0; i < options->input_count && status == EXIT_OK; i++) {
        if (cli_read_input(options->inputs[i], known ? known->tensor : NULL, arena, &budget,
                           &arrays, &error)) {
            status = input_exit(&error);
        }
    }
    uncork_model *model = NULL;
    if (status == EXIT_OK) status = cli_prepare(options, file, &arrays, arena, &model);
    if (status == EXIT_OK) {
        uc_error_init(&error);
        if (run(options, model, &arrays, arena, &error)) {
            status = run_exit(&error);
        } else {
            cli_print_findings(options, &uc_file_import(file)->findings);
            cli_print_findings(options, uc_model_findings(model));
        }
    }
    uncork_model_free(model);
    uncork_file_close(file);
    return status;
}
