/* A detector's outputs among the readings: one of them stands for all, the rest are its parts. */
#include "contract/detect.h"
#include "contract/post.h"

#define MOST_OUTPUTS 64

/* The outputs as tensors without data. */
static bool look(const uc_post_output *outputs, int count, uc_tensor *tensors,
                 const uc_tensor **list, const char **names)
{
    if (count < 1 || count > MOST_OUTPUTS) return false;
    for (int i = 0; i < count; i++) {
        if (outputs[i].rank < 0 || outputs[i].rank > UNCORK_MAX_RANK) return false;
        /* Quantised numbers are made real before they are looked at. */
        const uncork_dtype dtype = outputs[i].scale != 0 ? UNCORK_FLOAT32 : outputs[i].dtype;
        tensors[i] = (uc_tensor){.dtype = dtype, .rank = outputs[i].rank};
        memcpy(tensors[i].shape, outputs[i].shape, sizeof tensors[i].shape);
        list[i] = &tensors[i];
        names[i] = outputs[i].name;
    }
    return true;
}

static void say(const uc_detector *d, const uc_post_options *options, uc_findings *findings)
{
    const double threshold = options->threshold >= 0 ? options->threshold : d->threshold;
    uc_note(findings, UC_NOTE_CHOSEN, "detector", "a detector (%s): %s", d->name, d->why);
    if (d->iou > 0) {
        uc_note(
            findings, UC_NOTE_CHOSEN, "detector-defaults",
            "boxes with a score above %g; of those that overlap by more than %g the best, as %s "
            "does (--threshold, --nms)",
            threshold, d->iou, uc_detect_library(d));
    } else {
        uc_note(findings, UC_NOTE_CHOSEN, "detector-defaults",
                "boxes with a score above %g (--threshold)", threshold);
    }
}

bool uc_post_detect(const uc_post_output *outputs, int count, const uc_post_options *options,
                    uc_findings *findings, uc_reading *readings)
{
    uc_tensor tensors[MOST_OUTPUTS];
    const uc_tensor *list[MOST_OUTPUTS];
    const char *names[MOST_OUTPUTS];
    uc_detector *d = options->detector;
    if (!d || !look(outputs, count, tensors, list, names)) return false;
    const uc_detect_model model = {.names = names,
                                   .outputs = list,
                                   .count = count,
                                   .input_width = options->input_width,
                                   .input_height = options->input_height,
                                   .labels = options->label_count,
                                   .facts = options->facts};
    if (!uc_detect_recognise(&model, d)) return false;
    const int main = d->role[UC_ROLE_BOXES] >= 0 ? d->role[UC_ROLE_BOXES] : d->levels[0];
    for (int i = 0; i < count; i++) {
        readings[i] = (uc_reading){.kind = i == main ? UC_POST_DETECT : UC_POST_PART,
                                   .output = i,
                                   .name = outputs[i].name,
                                   .end = outputs[i].end,
                                   .activation = UC_ACTIVATION_NONE,
                                   .scale = outputs[i].scale,
                                   .zero = outputs[i].zero,
                                   .classes = d->classes,
                                   .threshold = options->threshold};
    }
    say(d, options, findings);
    return true;
}
