/* NonMaxSuppression: the best boxes of each class that don't overlap a better one too much.
 *
 * Source: ONNX operator NonMaxSuppression, opset 11.
 * boxes  float32 [N, boxes, 4];  scores  float32 [N, classes, boxes]
 * max_output_boxes_per_class int64, iou_threshold, score_threshold float32: one value each, optional
 * y  int64 [selected, 3]: sample, class, box. Equal scores keep the order of boxes. */
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static bool differ(int64_t a, int64_t b) { return a >= 0 && b >= 0 && a != b; }

static uncork_status infer(uc_call *call)
{
    const uc_tensor *b = uc_call_arg(call, 0), *s = uc_call_arg(call, 1);
    const int64_t shape[] = {UC_DIM_UNKNOWN, 3};
    UC_TRY(uc_call_expect_wide(call, 0));
    UC_TRY(uc_call_expect_wide(call, 1));
    UC_TRY(uc_call_expect(call, 2, UC_TYPES_INDEX));
    UC_TRY(uc_call_expect_wide(call, 3));
    UC_TRY(uc_call_expect_wide(call, 4));
    bool fits =
        (b->rank < 0 || (b->rank == 3 && !differ(b->shape[2], 4))) && (s->rank < 0 || s->rank == 3);
    if (fits && b->rank == 3 && s->rank == 3) {
        fits = !differ(b->shape[0], s->shape[0]) && !differ(b->shape[1], s->shape[2]);
    }
    if (fits) return uc_call_shape(call, 0, UNCORK_INT64, 2, shape);
    char t[128], u[128];
    return uc_call_fail(call, UNCORK_INPUT, "boxes %.90s and scores %.90s don't fit",
                        uc_shape_text(b->shape, b->rank, t, sizeof t),
                        uc_shape_text(s->shape, s->rank, u, sizeof u));
}

/* A box by its corners. */
typedef struct box {
    float y1, x1, y2, x2;
} box;

static box box_of(const float *v, bool centre)
{
    if (centre) {
        float w = v[2] / 2, h = v[3] / 2;
        return (box){v[1] - h, v[0] - w, v[1] + h, v[0] + w};
    }
    return (box){fminf(v[0], v[2]), fminf(v[1], v[3]), fmaxf(v[0], v[2]), fmaxf(v[1], v[3])};
}

static bool overlaps(const box *a, const box *b, float threshold)
{
    float w = fminf(a->x2, b->x2) - fmaxf(a->x1, b->x1);
    float h = fminf(a->y2, b->y2) - fmaxf(a->y1, b->y1);
    if (!(w > 0) || !(h > 0)) return false;
    float both = w * h, area_a = (a->x2 - a->x1) * (a->y2 - a->y1);
    float area_b = (b->x2 - b->x1) * (b->y2 - b->y1), all = area_a + area_b - both;
    if (area_a <= 0 || area_b <= 0 || all <= 0) return false;
    return both / all > threshold;
}

typedef struct candidate {
    float score;
    int64_t index;
} candidate;

static int by_score(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

typedef struct job {
    const float *boxes, *scores;
    int64_t count, most;
    float overlap, least;
    bool has_least, centre;
    candidate *candidates;
    box *chosen;
} job;

/* Selected boxes of one sample and class, appended as rows. */
static int64_t select_boxes(const job *j, int64_t sample, int64_t class, int64_t of_class,
                            int64_t *to)
{
    int64_t found = 0, chosen = 0;
    const float *scores = j->scores + of_class * j->count;
    for (int64_t i = 0; i < j->count; i++) {
        if (isnan(scores[i]) || (j->has_least && !(scores[i] > j->least))) continue;
        j->candidates[found++] = (candidate){scores[i], i};
    }
    qsort(j->candidates, (size_t)found, sizeof *j->candidates, by_score);
    for (int64_t i = 0; i < found && chosen < j->most; i++) {
        int64_t index = j->candidates[i].index;
        box b = box_of(j->boxes + (sample * j->count + index) * 4, j->centre);
        bool free = true;
        for (int64_t k = 0; k < chosen && free; k++) {
            free = !overlaps(&b, &j->chosen[k], j->overlap);
        }
        if (!free) continue;
        j->chosen[chosen] = b;
        to[3 * chosen] = sample;
        to[3 * chosen + 1] = class;
        to[3 * chosen + 2] = index;
        chosen++;
    }
    return chosen;
}

static uncork_status one_value(uc_call *call, size_t i, double *value)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t) return UNCORK_OK;
    if (uc_tensor_count(t) != 1)
        return uc_call_fail(call, UNCORK_INPUT, "input %zu isn't one value", i);
    *value = uc_dtype_load_f64(t->data, 0, t->dtype);
    return UNCORK_OK;
}

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *b = uc_call_arg(call, 0), *s = uc_call_arg(call, 1);
    if (b->dtype != UNCORK_FLOAT32 || s->dtype != UNCORK_FLOAT32) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "float32 boxes and scores are wanted");
    }
    double most = 0, overlap = 0, least = 0;
    UC_TRY(one_value(call, 2, &most));
    UC_TRY(one_value(call, 3, &overlap));
    UC_TRY(one_value(call, 4, &least));
    job j = {.boxes = b->data, .scores = s->data, .count = b->shape[1]};
    j.most = most > (double)j.count ? j.count : (most > 0 ? (int64_t)most : 0);
    j.overlap = (float)overlap;
    j.least = (float)least;
    j.has_least = uc_call_in(call, 4) != NULL;
    j.centre = uc_call_int(call, "center_point_box", 0) != 0;
    int64_t classes = s->shape[1], total = 0;
    size_t rows = 0;
    bool fits =
        uc_mul_size((size_t)(b->shape[0] * classes), (size_t)j.most, &rows) && rows < SIZE_MAX / 32;
    if (!fits) return uc_call_fail(call, UNCORK_LIMIT, "too many boxes");
    j.candidates = uc_call_scratch(call, (size_t)j.count, sizeof *j.candidates);
    j.chosen = uc_call_scratch(call, (size_t)j.most, sizeof *j.chosen);
    int64_t *found = uc_call_scratch(call, 3 * rows, sizeof *found);
    if (!j.candidates || !j.chosen || !found) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < b->shape[0] * classes; i++) {
        total += select_boxes(&j, i / classes, i % classes, i, found + 3 * total);
    }
    const int64_t shape[] = {total, 3};
    uc_tensor *y = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_INT64, 2, shape, &y));
    if (total) memcpy(y->data, found, (size_t)(3 * total) * sizeof *found);
    return UNCORK_OK;
}

const uc_op uc_op_non_max_suppression = {
    .name = "NonMaxSuppression", .in = {2, 5}, .out = {1, 1}, .infer = infer, .run = run_wide};
