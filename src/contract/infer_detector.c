/* What the detectors of a family are fed by the code that everyone runs them with. The family is told by
 * the outputs (detect.h); sizes and layout by the input. */
#include "contract/infer_detector.h"
#include "contract/contract_internal.h"
#include "contract/detect.h"

#define OUTPUTS_MAX 16

/* Steps with the input's width and height in place of %lld; channels come first. */
static const struct {
    const char *family, *steps, *who;
} families[] = {
    {"yolov8", "decode=opencv | rgb | letterbox=%lldx%lld,114 | float32 | scale=1/255 | nchw",
     "Ultralytics"},
    {"yolov5", "decode=opencv | rgb | letterbox=%lldx%lld,114 | float32 | scale=1/255 | nchw",
     "Ultralytics"},
    {"end2end", "decode=opencv | rgb | letterbox=%lldx%lld,114 | float32 | scale=1/255 | nchw",
     "Ultralytics"},
    {"yunet", "decode=opencv | resize=%lldx%lld,linear,opencv | float32 | nchw", "OpenCV's zoo"},
    {"ultraface",
     "decode=opencv | rgb | resize=%lldx%lld,linear,opencv | float32 | mean=127 | scale=1/128 | nchw",
     "its authors"},
    {"fastestdet", "decode=opencv | resize=%lldx%lld,linear,opencv | float32 | scale=1/255 | nchw",
     "its authors"},
    {"rtdetr", "rgb | resize=%lldx%lld,bilinear,torchvision | float32 | scale=1/255 | nchw",
     "transformers"},
    {"torchvision", "rgb | resize=%lldx%lld,bilinear,pillow | float32 | scale=1/255 | nchw",
     "torchvision"},
};

static bool recognise(const uc_graph *g, const uc_facts *facts, int64_t width, int64_t height,
                      uc_arena *arena, uc_detector *detector)
{
    const int count = g->output_count < OUTPUTS_MAX ? (int)g->output_count : OUTPUTS_MAX;
    const char *names[OUTPUTS_MAX];
    const uc_tensor *outputs[OUTPUTS_MAX];
    uc_tensor *all = UC_NEW(arena, uc_tensor, OUTPUTS_MAX);
    for (int i = 0; all && i < count; i++) {
        const uc_graph_value *v = &g->values[g->outputs[i]];
        if (v->rank < 0 || v->rank > UNCORK_MAX_RANK || v->dtype == UNCORK_STRING) return false;
        all[i] = (uc_tensor){.dtype = v->dtype, .rank = v->rank};
        for (int d = 0; d < v->rank; d++) {
            all[i].shape[d] = v->shape[d] < 0 ? -1 : v->shape[d];
        }
        names[i] = uc_graph_output_name(g, i);
        outputs[i] = &all[i];
    }
    const uc_detect_model model = {.names = names,
                                   .outputs = outputs,
                                   .count = count,
                                   .input_width = width,
                                   .input_height = height,
                                   .facts = facts};
    return all && count && uc_detect_recognise(&model, detector) && detector->name;
}

const char *uc_infer_detector(const uc_graph *g, const uc_facts *facts, int64_t width,
                              int64_t height, uc_arena *arena, const char **who)
{
    uc_detector detector = {0};
    if (!recognise(g, facts, width, height, arena, &detector)) return NULL;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (strncmp(detector.name, families[i].family, strlen(families[i].family)) != 0) continue;
        const char *at = strstr(families[i].steps, "%lldx%lld");
        *who = uc_arena_printf(arena, "outputs of %s, steps of %s", detector.name, families[i].who);
        return uc_arena_printf(arena, "%.*s%lldx%lld%s", (int)(at - families[i].steps),
                               families[i].steps, (long long)width, (long long)height,
                               at + strlen("%lldx%lld"));
    }
    return NULL;
}
