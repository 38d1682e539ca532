/* Names of the classes, in this order: --labels, those the file or its folder says, those of the preset
 * that --preprocess names; and whether there are as many as classes. */
#include "base/file.h"
#include "base/text.h"
#include "cli/predict.h"

/* Bytes of a label file: ImageNet-21k's is 2 MB. */
#define LABEL_BYTES ((uint64_t)64 << 20)

/* Names that stood beside the model in its file (importers, contract/): the fact "labels". */
static bool take_fact(predictor *p)
{
    const uc_fact *fact = uc_fact_find(&uc_file_import(p->file)->facts, "labels");
    if (!fact || !fact->tensor || fact->tensor->dtype != UNCORK_STRING) return false;
    size_t count = (size_t)uc_tensor_count(fact->tensor);
    p->answers.labels.items = UC_NEW(p->arena, uc_str, count);
    if (!p->answers.labels.items) return false;
    p->answers.labels.count = count;
    for (size_t i = 0; i < count; i++) {
        p->answers.labels.items[i] = uc_tensor_string(fact->tensor, (int64_t)i);
    }
    const char *from = uc_fact_get_text(&uc_file_import(p->file)->facts, "labels_from");
    p->labels_from = from ? from : "the file";
    return true;
}

/* Names in the model's metadata: Ultralytics writes "names", others the rest. */
static bool take_metadata(predictor *p)
{
    static const char *const keys[] = {
        "metadata.names",        "metadata.classes",  "metadata.labels",    "metadata.class_names",
        "metadata.class_labels", "metadata.id2label", "metadata.categories"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *text = uc_fact_get_text(&uc_file_import(p->file)->facts, keys[i]);
        uncork_error error = {.size = sizeof error};
        uc_error_init(&error);
        if (!text) continue;
        if (uc_labels_text(uc_str_of(text), p->arena, &p->answers.labels, &error)) {
            uc_note(&p->notes, UC_NOTE_IGNORED, "labels-unread", "'%s' in the model: %s",
                    keys[i] + 9, error.what);
            continue;
        }
        p->labels_from = uc_arena_printf(p->arena, "'%s' in the model's metadata", keys[i] + 9);
        uc_note(&p->notes, UC_NOTE_CHOSEN, "labels", "%zu labels from %s", p->answers.labels.count,
                p->labels_from ? p->labels_from : keys[i]);
        return true;
    }
    return false;
}

static uncork_status read_labels(predictor *p, uncork_error *error)
{
    uc_bytes bytes;
    const char *name = p->options->labels;
    uc_labels *labels = &p->answers.labels;
    p->labels_from = name;
    p->answers.labels_given = true;
    if (!uc_labels_set(name, p->arena, labels)) {
        if (uc_file_kind_of(name) == UC_FILE_MISSING) {
            uc_fail(error, UNCORK_IO, UC_NO_OFFSET, "no such label file, and no set of that name");
            return uc_fix(error, "sets are %s", uc_labels_set_names());
        }
        if (uc_file_size(name) > LABEL_BYTES)
            return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET, "too large for a label file");
        UC_TRY(uc_file_read(name, false, p->arena, &bytes, error));
        UC_TRY(uc_labels_read(bytes, name, p->arena, labels, error));
    }
    if (p->answers.classes && (int64_t)labels->count < uc_tensor_count(p->answers.classes)) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "%zu labels for %lld classes",
                       labels->count, (long long)uc_tensor_count(p->answers.classes));
    }
    return UNCORK_OK;
}

/* Whether its one input is pictures by its shape, and how large they are. */
static bool takes_picture(const predictor *p, uc_post_options *post)
{
    int64_t shape[UNCORK_MAX_RANK];
    const int input = cli_only_input(p->model);
    if (input < 0 || uncork_model_input_shape(p->model, input, shape) != 4) return false;
    const bool last = shape[3] > 0 && shape[3] <= 4;
    post->input_height = shape[last ? 1 : 2];
    post->input_width = shape[last ? 2 : 3];
    return true;
}

/* Classes of the model as far as the graph says: of its one output that has classes; 0: not known. */
static int64_t classes_known(predictor *p)
{
    cli_answers *a = &p->answers;
    uc_reading *readings = UC_NEW(p->arena, uc_reading, (size_t)a->count);
    uc_post_options post = a->post;
    uncork_error error = {.size = sizeof error};
    uc_detector detector;
    post.label_count = 0;
    post.detector = &detector;
    if (takes_picture(p, &post) && readings &&
        uc_post_detect(p->described, a->count, &post, NULL, readings)) {
        return 0; /* names of boxes: as many as the user likes */
    }
    post.detector = NULL;
    if (!readings || uc_post_read(p->described, a->count, &post, NULL, readings, &error)) return 0;
    int64_t classes = 0;
    for (int i = 0; i < a->count; i++) {
        bool scores =
            readings[i].kind == UC_POST_CLASSIFY || readings[i].kind == UC_POST_MULTILABEL;
        if (scores && p->described[i].rank >= 2 && readings[i].classes > classes)
            classes = readings[i].classes;
    }
    return classes;
}

int predict_labels(predictor *p)
{
    if (!p->options->labels) {
        if (!take_fact(p) && p->network) (void)take_metadata(p);
        return EXIT_OK;
    }
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uncork_status status = read_labels(p, &error);
    int64_t classes = status == UNCORK_OK && p->network ? classes_known(p) : 0;
    if (classes > 0 && (int64_t)p->answers.labels.count < classes - 1) {
        status = uc_fail(&error, UNCORK_USAGE, UC_NO_OFFSET, "%zu labels for %lld classes",
                         p->answers.labels.count, (long long)classes);
    }
    if (status == UNCORK_OK) return EXIT_OK;
    if (!error.where[0]) uc_where(&error, "%s", p->options->labels);
    cli_print_error(&error);
    return EXIT_USAGE;
}

/* ImageNet's names where the preset is one trained on it; offered where the number alone says so. */
static void think_of_imagenet(predictor *p, int64_t classes)
{
    static const char *const presets[] = {"torchvision:", "keras:", "timm:"};
    const char *preset = p->options->preprocess;
    if (!preset) preset = uc_fact_get_text(&uc_file_import(p->file)->facts, "architecture_preset");
    if (classes != 1000 && classes != 1001) return;
    for (size_t i = 0; preset && i < sizeof presets / sizeof presets[0]; i++) {
        if (strncmp(preset, presets[i], strlen(presets[i])) != 0) continue;
        if (!uc_labels_set("imagenet", p->arena, &p->answers.labels)) return;
        uc_note(&p->notes, UC_NOTE_ASSUMED, "labels-preset",
                "names of ImageNet-1k: %lld classes and the preset %s (--labels FILE for others)",
                (long long)classes, preset);
        return;
    }
    uc_note(&p->notes, UC_NOTE_ASSUMED, "labels-offer",
            "%lld classes without names: --labels imagenet if it was trained on ImageNet-1k",
            (long long)classes);
}

uncork_status predict_check_labels(predictor *p, uncork_error *error)
{
    cli_answers *a = &p->answers;
    uc_labels *labels = &a->labels;
    const uc_reading *scores = NULL;
    for (int i = 0; i < a->count; i++) {
        if (a->readings[i].kind != UC_POST_DETECT) continue;
        cli_box_labels(a);
        return UNCORK_OK;
    }
    for (int i = 0; i < a->count; i++) {
        const uc_reading *r = &a->readings[i];
        bool has_classes = (r->kind == UC_POST_CLASSIFY || r->kind == UC_POST_MULTILABEL ||
                            (r->kind == UC_POST_SEGMENT && !r->indices)) &&
                           !r->column_classes && !r->named_by;
        /* of several outputs, the one the labels are for */
        if (has_classes && (!scores || r->classes == (int64_t)labels->count)) scores = r;
    }
    if (!scores) return UNCORK_OK;
    if (!labels->count) think_of_imagenet(p, scores->classes);
    if (!labels->count) return UNCORK_OK;
    char text[256];
    uc_labels_fit fit = uc_labels_fit_to(labels, scores->classes, p->arena, text, sizeof text);
    if (fit == UC_LABELS_EXACT) return UNCORK_OK;
    if (fit == UC_LABELS_FEW && a->labels_given && a->shown == 1) {
        uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "%s", text);
        uc_where(error, "%s", p->labels_from);
        return uc_fix(error, "a label file has one name a class, in the model's order");
    }
    if (fit == UC_LABELS_FEW) { /* not asked for: rather no name than a wrong one */
        *labels = (uc_labels){0};
        uc_note(&p->notes, UC_NOTE_ODD, "label-count", "%s (%s): not used", text,
                p->labels_from ? p->labels_from : "the file");
        return UNCORK_OK;
    }
    uc_note(&p->notes, fit == UC_LABELS_ODD ? UC_NOTE_ODD : UC_NOTE_CHOSEN, "label-count", "%s",
            text);
    return UNCORK_OK;
}
