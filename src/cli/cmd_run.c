/* uncork run: raw tensors in, raw tensors out. */
#include "cli/cli.h"

#include "base/file.h"
#include "container/npy.h"

#include <unistd.h>

/* OUT/NAME.npy with '/' and ':' as '_'; a name can't leave the folder. */
static const char *output_path(const char *folder, const char *name, uc_arena *arena)
{
    char *path = uc_arena_printf(arena, "%s/%s.npy", folder, name);
    if (!path) return NULL;
    for (char *p = path + strlen(folder) + 1; *p; p++) {
        if (*p == '/' || *p == ':' || (unsigned char)*p < 0x20) *p = '_';
    }
    return path;
}

static uncork_status write_outputs(const cli_options *options, const uncork_model *model,
                                   const uncork_session *session, uc_arena *arena,
                                   uncork_error *error)
{
    int count = uncork_model_output_count(model), written = 0;
    const char **paths = UC_NEW(arena, const char *, (size_t)count);
    if (!paths) return uc_fail_memory(error);
    UC_TRY(uc_file_make_folder(options->output, error));
    uncork_status status = UNCORK_OK;
    for (; written < count && status == UNCORK_OK; written++) {
        const uc_tensor *tensor = uc_value_tensor(uncork_session_output(session, written));
        uc_writer w;
        uc_writer_init(&w, SIZE_MAX / 2);
        uc_npy_write(&w, tensor);
        if (w.status)
            status = uc_fail(error, w.status, UC_NO_OFFSET, "output %d can't be written as .npy",
                             written + 1);
        paths[written] =
            output_path(options->output, uncork_model_output_name(model, written), arena);
        if (status == UNCORK_OK && !paths[written]) status = uc_fail_memory(error);
        if (status == UNCORK_OK)
            status = uc_file_write(paths[written], (uc_bytes){w.data, w.size}, error);
        uc_writer_done(&w);
    }
    for (int i = 0; status != UNCORK_OK && i + 1 < written; i++) {
        unlink(paths[i]); /* outputs appear only when all of them exist */
    }
    return status;
}

static uncork_status run(const cli_options *options, const uncork_model *model,
                         const cli_arrays *arrays, uc_arena *arena, uncork_error *error)
{
    int inputs = uncork_model_input_count(model);
    uncork_value **values = UC_NEW(arena, uncork_value *, (size_t)inputs);
    if (!values) return uc_fail_memory(error);
    uncork_pool *pool = NULL;
    uncork_session *session = NULL;
    uncork_status status = cli_bind(options, model, arrays, arena, values, error);
    if (status == UNCORK_OK) status = uncork_pool_new((int)options->threads, &pool);
    if (status == UNCORK_OK) status = uncork_session_new(model, pool, &session);
    if (status != UNCORK_OK && error->status == UNCORK_OK) uc_fail_memory(error);
    if (status == UNCORK_OK) {
        status = uncork_session_run(session, (const uncork_value *const *)values, inputs,
                                    &options->limits, error);
    }
    if (status == UNCORK_OK) status = write_outputs(options, model, session, arena, error);
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
    if (options->input_count == 0) return cli_usage("run needs --input [NAME=]X");
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
    if (status == EXIT_OK)
        status = cli_prepare(options, file, cli_input_dtype(&arrays), arena, &model);
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
