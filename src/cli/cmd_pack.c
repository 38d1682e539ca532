/* uncork pack, verify, convert: a model becomes an artifact, the artifact is tested, a model becomes
 * standard ONNX. */
#include "cli/predict.h"

#include "base/file.h"
#include "pack/convert.h"
#include "pack/cork_write.h"
#include "pack/selftest.h"
#include "pack/sign.h"

#include <inttypes.h>

static int check_words(const cli_options *options)
{
    if (options->argument_count != 1) {
        return cli_usage("%s takes one model: uncork %s MODEL%s", options->command,
                         options->command, strcmp(options->command, "verify") ? " -o FILE" : "");
    }
    if (strcmp(options->command, "verify") != 0 && !options->output)
        return cli_usage("%s needs -o FILE", options->command);
    if (options->preprocess && strcmp(options->command, "pack") != 0)
        return cli_usage("%s doesn't keep --preprocess; pack does", options->command);
    if (options->sign && strcmp(options->command, "pack") != 0)
        return cli_usage("%s doesn't sign; pack does", options->command);
    if (options->key && strcmp(options->command, "verify") != 0)
        return cli_usage("%s takes no --key; verify does", options->command);
    return EXIT_OK;
}

static uncork_prepare_options prepare_options(const cli_options *options)
{
    return (uncork_prepare_options){.size = sizeof(uncork_prepare_options),
                                    .limits = options->limits,
                                    .raw = options->raw || options->scaled,
                                    .disable_pass = options->disable_pass,
                                    .kernels = options->kernels};
}

/* The whole file or none. */
static int write_out(const cli_options *options, const uc_writer *out)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    if (uc_file_write(options->output, (uc_bytes){out->data, out->size}, &error) == UNCORK_OK)
        return EXIT_OK;
    cli_print_error(&error);
    return EXIT_INPUT;
}

/* ---- pack --------------------------------------------------------------------------------- */

static uncork_status pack(const cli_options *options, uncork_file *file,
                          const uc_cork_contract *said, uc_writer *out, uc_cork_report *report,
                          uncork_error *error)
{
    const uncork_prepare_options prepare = prepare_options(options);
    const uc_cork_write how = {.path = options->arguments[0],
                               .entry = options->signature ? options->signature : options->method,
                               .prepare = &prepare,
                               .sign = options->sign,
                               .contract = *said};
    return uc_cork_write_file(file, &how, out, report, error);
}

/* What is said of its answers is checked as predict does, which gives the labels too. */
static int check_answers(const cli_options *options, uc_arena *arena, uc_labels *labels)
{
    predictor p = {.options = options, .arena = arena, .notes = {.arena = arena}};
    const int status = predict_open(&p);
    const uc_labels own = p.answers.labels; /* they may lie in the file's memory */
    *labels = (uc_labels){.items = UC_NEW(arena, uc_str, own.count)};
    for (size_t i = 0; labels->items && i < own.count; i++) {
        const char *text = uc_arena_copy(arena, own.items[i].data, own.items[i].size);
        labels->items[i] = (uc_str){text, text ? own.items[i].size : 0};
        labels->count = i + 1;
    }
    predict_close(&p);
    return status;
}

int cmd_pack(const cli_options *options, uc_arena *arena)
{
    uncork_file *file = NULL;
    uc_cork_report report;
    uncork_error error = {.size = sizeof error};
    uc_writer out;
    uc_findings notes = {.arena = arena};
    uc_cork_contract said = {.preprocess = options->preprocess,
                             .task = options->task,
                             .activation = options->activation,
                             .threshold = options->threshold,
                             .nms = options->nms,
                             .max_boxes = options->max_boxes,
                             .notes = &notes};
    int status = check_words(options);
    if (status == EXIT_OK) status = check_answers(options, arena, &said.labels);
    if (status == EXIT_OK) status = cli_open(options, &file);
    if (status) return status;
    uc_error_init(&error);
    uc_writer_init(&out, SIZE_MAX / 2);
    if (pack(options, file, &said, &out, &report, &error)) {
        status = cli_fail_model(&error);
    } else {
        status = write_out(options, &out);
    }
    if (status == EXIT_OK) {
        cli_print_findings(options, &notes);
        cli_note(options, "%s: %" PRIu64 " bytes, %zu packed constants of %" PRIu64 " bytes, %s%s",
                 options->output, report.bytes, report.packed_forms, report.packed_bytes,
                 report.tested ? "self-test passed" : "no self-test: ",
                 report.reason ? report.reason : "");
    }
    uc_writer_done(&out);
    uncork_file_close(file);
    return status;
}

/* ---- verify ------------------------------------------------------------------------------- */

/* Weights aren't checked when an artifact is opened: here every entry is, by its CRC. */
static uncork_status verify_bytes(const uncork_file *file, uc_arena *arena, uncork_error *error)
{
    const uc_bundle *bundle = uc_file_import(file)->bundle;
    return uc_bundle_check(bundle, arena, error);
}

static uncork_status verify(const cli_options *options, const uncork_file *file,
                            const uncork_model *model, uc_arena *arena, uc_selftest_result *result,
                            uncork_error *error)
{
    uc_selftest test;
    if (options->key)
        UC_TRY(uc_sign_check(uc_file_import(file)->bundle, options->key, arena, error));
    UC_TRY(uc_selftest_read(uc_file_import(file)->bundle, model, arena, &test, error));
    UC_TRY(verify_bytes(file, arena, error));
    return uc_selftest_run(&test, model, result, error);
}

static int report_result(const cli_options *options, const uc_selftest_result *r)
{
    const char *name = r->worst_output ? r->worst_output : "";
    if (r->different) {
        fprintf(stderr, "uncork: %s: %zu of %zu outputs differ, '%.60s' by %.3g times the bound\n",
                options->arguments[0], r->different, r->outputs, name, r->worst);
        return EXIT_INPUT;
    }
    if (r->worst == 0) {
        printf("%s: %zu outputs, the same bits\n", options->arguments[0], r->outputs);
    } else {
        printf("%s: %zu outputs within the bound, '%.60s' by %.3g of it\n", options->arguments[0],
               r->outputs, name, r->worst);
    }
    return EXIT_OK;
}

int cmd_verify(const cli_options *options, uc_arena *arena)
{
    uncork_file *file = NULL;
    uncork_model *model = NULL;
    uc_selftest_result result;
    uncork_error error = {.size = sizeof error};
    int status = check_words(options);
    if (status == EXIT_OK) status = cli_open(options, &file);
    if (status) return status;
    status = cli_prepare(options, file, NULL, arena, &model);
    if (status == EXIT_OK) {
        uc_error_init(&error);
        if (verify(options, file, model, arena, &result, &error)) {
            uc_where(&error, "%s", options->arguments[0]);
            status = cli_fail_model(&error);
            /* A signature that isn't right is what verify looks for: something wrong, found. */
            if (error.status == UNCORK_INPUT && options->key) status = EXIT_INPUT;
        } else {
            status = report_result(options, &result);
        }
    }
    uncork_model_free(model);
    uncork_file_close(file);
    return status;
}

/* ---- convert ------------------------------------------------------------------------------ */

int cmd_convert(const cli_options *options, uc_arena *arena)
{
    uncork_file *file = NULL;
    uncork_model *model = NULL;
    uc_writer out;
    uncork_error error = {.size = sizeof error};
    int status = check_words(options);
    if (status == EXIT_OK) status = cli_open(options, &file);
    if (status) return status;
    uc_error_init(&error);
    uc_writer_init(&out, SIZE_MAX / 2);
    status = cli_prepare(options, file, NULL, arena, &model);
    if (status == EXIT_OK) {
        if (uc_convert(uc_model_graph(model), &out, &error)) {
            uc_where(&error, "%s", options->arguments[0]);
            status = cli_fail_model(&error);
        } else {
            status = write_out(options, &out);
        }
    }
    uc_writer_done(&out);
    uncork_model_free(model);
    uncork_file_close(file);
    return status;
}
