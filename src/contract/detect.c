/* From outputs to boxes: the family decodes candidates, then they are sorted, suppressed, brought to
 * the picture and cut to the number asked for. */
#include "contract/detect_internal.h"

#include <math.h>

static const uc_detect_family *const families[] = {
#define FAMILY(symbol) &uc_detect_##symbol,
#include "contract/detect_table.def"
#undef FAMILY
};

#define MOST_SHOWN 200

bool uc_detect_recognise(const uc_detect_model *model, uc_detector *detector)
{
    for (int i = 0; i < model->count; i++) {
        const uc_tensor *t = model->outputs[i];
        if (t->rank < 0 || t->dtype == UNCORK_STRING || t->dtype == UNCORK_DTYPE_NONE) return false;
    }
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        const uc_detect_family *f = families[i];
        *detector = (uc_detector){.family = f,
                                  .name = f->name,
                                  .threshold = f->threshold,
                                  .iou = f->iou,
                                  .most = f->most};
        for (int r = 0; r < UC_ROLES; r++) {
            detector->role[r] = -1;
        }
        if (f->recognise(model, detector)) return true;
    }
    *detector = (uc_detector){0};
    return false;
}

const char *uc_detect_library(const uc_detector *detector) { return detector->family->library; }

/* The boxes as the suppression sees them, and whether classes are compared. */
static const float *boxes_apart(const uc_detect_job *job, const uc_detect_family *f,
                                const int32_t **classes)
{
    float *boxes = UC_NEW(job->arena, float, 4 * job->count);
    int32_t *ids = UC_NEW(job->arena, int32_t, job->count);
    if (!boxes || !ids) return NULL;
    float largest = -INFINITY;
    for (size_t i = 0; i < job->count; i++) {
        memcpy(boxes + 4 * i, job->found[i].box, sizeof job->found[i].box);
        ids[i] = job->found[i].id;
        for (int k = 0; k < 4; k++) {
            largest = fmaxf(largest, boxes[4 * i + (size_t)k]);
        }
    }
    *classes = NULL;
    if (job->agnostic || f->apart == UC_APART_NONE) return boxes;
    /* torchvision/ops/boxes.py, batched_nms: above 4,000 numbers each class by itself. */
    const bool alone =
        f->apart == UC_APART_CLASSES || (f->apart == UC_APART_BATCHED && job->count > 1000);
    if (alone) {
        *classes = ids;
        return boxes;
    }
    const float step = f->apart == UC_APART_OFFSET ? 7680 : largest + 1;
    for (size_t i = 0; i < 4 * job->count; i++) {
        boxes[i] += (float)ids[i / 4] * step;
    }
    return boxes;
}

static uncork_status suppress(uc_detect_job *job)
{
    const uc_detect_family *f = job->d->family;
    if (f->suppress) return f->suppress(job);
    const size_t limit = f->before ? f->before : UC_DETECT_CANDIDATES;
    uc_detect_sort(job->found, job->count);
    if (job->count > limit && !f->before) {
        uc_note(job->findings, UC_NOTE_IGNORED, "detection-candidates",
                "%zu boxes were above the threshold: the best %zu were looked at", job->count,
                limit);
    }
    if (job->count > limit) job->count = limit;
    const size_t most = job->most < job->count ? job->most : job->count;
    if (!(job->iou > 0)) {
        job->count = most;
        return UNCORK_OK;
    }
    const int32_t *classes;
    const float *boxes = boxes_apart(job, f, &classes);
    size_t *keep = UC_NEW(job->arena, size_t, most);
    if (!boxes || !keep) return uc_arena_status(job->arena, job->error);
    const size_t kept = uc_nms(f->rule, boxes, classes, job->count, job->iou, most, keep);
    for (size_t i = 0; i < kept; i++) {
        job->found[i] = job->found[keep[i]];
    }
    job->count = kept;
    return UNCORK_OK;
}

static float clamp(float v, float most) { return v < 0 ? 0 : v > most ? most : v; }

static uncork_status place(uc_detect_job *job, uc_detections *found)
{
    const float w = (float)job->geometry->picture_width, h = (float)job->geometry->picture_height;
    found->items = UC_NEW(job->arena, uc_detection, job->count);
    if (!found->items) return uc_arena_status(job->arena, job->error);
    size_t count = 0;
    for (size_t i = 0; i < job->count; i++) {
        const uc_candidate *c = &job->found[i];
        uc_detection *d = &found->items[count];
        *d = (uc_detection){.id = c->id, .score = c->score};
        memcpy(d->box, c->box, sizeof d->box);
        uc_detect_to_picture(job, &d->box[0], &d->box[1]);
        uc_detect_to_picture(job, &d->box[2], &d->box[3]);
        for (int k = 0; k < 4 && job->d->family->clip; k++) {
            d->box[k] = clamp(d->box[k], k % 2 ? h : w);
        }
        if (isfinite(d->box[0] + d->box[1] + d->box[2] + d->box[3])) {
            job->found[count++] = *c;
        } else { /* too far out for a number of the picture */
            job->lost++;
        }
    }
    found->count = job->count = count;
    return UNCORK_OK;
}

static uc_detect_job new_job(const uc_detector *d, const uc_detect_options *o)
{
    const int64_t most = o->max_boxes > 0                      ? o->max_boxes
                         : d->most > 0 && d->most < MOST_SHOWN ? d->most
                                                               : MOST_SHOWN;
    return (uc_detect_job){.d = d,
                           .threshold = (float)(o->threshold >= 0 ? o->threshold : d->threshold),
                           .iou = o->iou >= 0 ? o->iou : d->iou,
                           .most = (size_t)most,
                           .agnostic = o->agnostic,
                           .frame = d->family->frame};
}

uncork_status uc_detect_boxes(const uc_detector *detector, const uc_tensor *const *outputs,
                              int64_t sample, const uc_detect_options *options,
                              const uc_geometry *geometry, uc_arena *arena, uc_findings *findings,
                              uc_detections *detections, uncork_error *error)
{
    uc_detect_job job = new_job(detector, options);
    job.outputs = outputs;
    job.sample = sample;
    job.geometry = geometry;
    job.arena = arena;
    job.findings = findings;
    job.error = error;
    *detections = (uc_detections){0};
    UC_TRY(detector->family->decode(&job));
    UC_TRY(suppress(&job));
    UC_TRY(place(&job, detections));
    if (job.lost) {
        uc_note(findings, UC_NOTE_IGNORED, "detection-not-a-number",
                "%zu boxes or scores are no number and were left out", job.lost);
    }
    if (job.lost && !detections->count) { /* "nothing found" would be another answer than none */
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "the model's answer is no box: %zu boxes or scores are no number", job.lost);
    }
    if (detector->family->finish) return detector->family->finish(&job, detections);
    return UNCORK_OK;
}

static bool is_nothing(uc_str label)
{
    static const char *const words[] = {"???", "background", "__background__", "BACKGROUND"};
    if (label.size == 0) return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (uc_str_is(label, words[i])) return true;
    }
    return false;
}

uc_str uc_detect_label(const uc_detector *detector, int64_t id, const uc_labels *labels)
{
    if (!labels->count) return (uc_str){0};
    /* As many names as classes: each stands at its own number, named or not. */
    const bool own = detector->first_id == 0 && (int64_t)labels->count == detector->classes;
    const bool shifted = !own && is_nothing(labels->items[0]);
    if (__builtin_sub_overflow(id, (int64_t)detector->first_id - (shifted ? 1 : 0), &id))
        return (uc_str){0};
    return id >= 0 && (uint64_t)id < labels->count ? labels->items[id] : (uc_str){0};
}
