/* Opening and preparing as every command does it. */
#include "cli/cli.h"

#include "base/file.h"

int cli_open(const cli_options *options, uncork_file **file)
{
    uncork_open_options open = {.size = sizeof open,
                                .limits = options->limits,
                                .code = options->code,
                                .arch = options->arch};
    uncork_error error = {.size = sizeof error};
    *file = NULL;
    if (uncork_open(options->arguments[0], &open, file, &error)) return cli_fail_model(&error);
    if (!options->arch || strcmp(uncork_file_format(*file), "pytorch") == 0) return EXIT_OK;
    const int status = cli_usage("--arch is for PyTorch weights; this file's format is %s",
                                 uncork_file_format(*file));
    uncork_file_close(*file);
    *file = NULL;
    return status;
}

/* --method is checked before any work: the model's methods are known once it is open. */
static int check_method(const cli_options *options, const uncork_file *file)
{
    const char *asked = options->signature ? options->signature : options->method;
    int count = uncork_file_entry_count(file);
    if (!asked || count == 0) return EXIT_OK; /* none: the model itself can't be used */
    uc_writer w;
    uc_writer_init(&w, 1000);
    for (int i = 0; i < count; i++) {
        const char *name = uncork_file_entry_name(file, i);
        if (strcmp(name, asked) == 0) {
            uc_writer_done(&w);
            return EXIT_OK;
        }
        uc_writer_printf(&w, "%s%s", i ? ", " : "", name);
    }
    int status =
        cli_usage("%s has no %s %s; it has %s", options->arguments[0],
                  options->signature ? "signature" : "method", asked, uc_writer_string(&w));
    uc_writer_done(&w);
    return status;
}

/* What is written for other runtimes says integer models in standard operators. */
static uncork_kernels kernels_of(const cli_options *options)
{
    return strcmp(options->command, "convert") == 0 ? UNCORK_KERNELS_REAL : options->kernels;
}

static uncork_status dump_graph(const char *path, const uncork_model *model, uncork_error *error)
{
    uc_writer w;
    uc_writer_init(&w, (size_t)256 << 20);
    uc_graph_dump(uc_model_final_graph(model), &w);
    uncork_status status =
        w.status ? uc_fail(error, w.status, UC_NO_OFFSET, "the graph's text is too large")
                 : uc_file_write(path, (uc_bytes){w.data, w.size}, error);
    uc_writer_done(&w);
    return status;
}

/* The arrays as what will be fed; NULL when a table of rows is among them: its columns may be inputs. */
static const uncork_fed *fed_of(const cli_arrays *arrays, uc_arena *arena)
{
    uncork_fed *fed = arrays ? UC_NEW(arena, uncork_fed, arrays->count + 1) : NULL;
    for (size_t i = 0; fed && i < arrays->count; i++) {
        const uc_tensor *t = arrays->items[i].tensor;
        if (!t) return NULL;
        fed[i] = (uncork_fed){arrays->items[i].name, t->dtype, t->rank, t->shape};
    }
    return fed;
}

int cli_prepare(const cli_options *options, const uncork_file *file, const cli_arrays *arrays,
                uc_arena *arena, uncork_model **model)
{
    *model = NULL;
    int status = check_method(options, file);
    if (status) return status;
    uncork_prepare_options prepare = {.size = sizeof prepare,
                                      .limits = options->limits,
                                      .input_dtype =
                                          arrays ? cli_input_dtype(arrays) : UNCORK_DTYPE_NONE,
                                      .raw = options->raw || options->scaled,
                                      .disable_pass = options->disable_pass,
                                      .precision = options->fast ? UNCORK_FAST : UNCORK_EXACT,
                                      .kernels = kernels_of(options)};
    prepare.fed = fed_of(arrays, arena);
    if (prepare.fed) prepare.fed_count = (int)arrays->count;
    uncork_error error = {.size = sizeof error};
    if (uncork_prepare(file, options->signature ? options->signature : options->method, &prepare,
                       model, &error)) {
        if (error.status == UNCORK_INPUT || error.status == UNCORK_IO)
            error.status = UNCORK_UNSUPPORTED;
        return cli_fail_model(&error);
    }
    cli_fast_note(options, *model);
    if (options->dump_graph && dump_graph(options->dump_graph, *model, &error)) {
        cli_print_error(&error);
        uncork_model_free(*model);
        *model = NULL;
        return EXIT_INPUT;
    }
    return EXIT_OK;
}
