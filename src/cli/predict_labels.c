/* Names of the classes: those the user gives, else those the file says; and whether there are as many
 * as classes. */
#include "base/file.h"
#include "base/text.h"
#include "cli/predict.h"

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

static uncork_status read_labels(predictor *p, uncork_error *error)
{
    uc_bytes bytes;
    const char *name = p->options->labels;
    UC_TRY(uc_file_read(name, false, p->arena, &bytes, error));
    UC_TRY(uc_labels_read(bytes, name, p->arena, &p->answers.labels, error));
    if (p->answers.classes &&
        (int64_t)p->answers.labels.count < uc_tensor_count(p->answers.classes)) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "%zu labels for %lld classes",
                       p->answers.labels.count, (long long)uc_tensor_count(p->answers.classes));
    }
    p->answers.labels_given = true;
    return UNCORK_OK;
}

int predict_labels(predictor *p)
{
    if (!p->options->labels) return take_labels(p);
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    if (read_labels(p, &error) == UNCORK_OK) return EXIT_OK;
    if (!error.where[0]) uc_where(&error, "%s", p->options->labels);
    cli_print_error(&error);
    return EXIT_USAGE;
}

uncork_status predict_check_labels(predictor *p, uncork_error *error)
{
    (void)p;
    (void)error;
    return UNCORK_OK;
}
