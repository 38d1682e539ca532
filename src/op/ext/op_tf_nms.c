/* NonMaxSuppression V1 to V5, NonMaxSuppressionWithOverlaps, CombinedNonMaxSuppression.
 *
 * Source: tensorflow/core/kernels/image/non_max_suppression_op.cc. Boxes are [y1, x1, y2, x2], any corner
 * first; equal scores: the lower index first. */
#include "kernel/nms.h"
#include "op/ext/tf_call.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- V1 to V5 -------------------------------------------------------------------------------- */

/* V1 and V2 give indices, V3 too, V4 their number, V5 scores between. */
static int version_of(const uc_call *call)
{
    const char last = call->op->name[strlen(call->op->name) - 1];
    return last >= '2' && last <= '5' ? last - '0' : 1;
}

static uncork_status infer(uc_call *call)
{
    const int v = version_of(call);
    UC_TRY(uc_tf_infer_open(call, 0, UNCORK_INT32, 1));
    if (v == 5) UC_TRY(uc_tf_infer_open(call, 1, uc_call_dtype(call, 1), 1));
    return v >= 4 ? uc_call_shape(call, (size_t)v - 3, UNCORK_INT32, 0, NULL) : UNCORK_OK;
}

typedef struct limits {
    int64_t most;
    double iou, least, sigma;
} limits;

static uncork_status read_limits(uc_call *call, limits *l)
{
    UC_TRY(uc_tf_one_int(call, 2, &l->most));
    *l = (limits){l->most, uc_call_float(call, "iou_threshold", 0.5), -(double)INFINITY, 0};
    if (call->in_count > 3) UC_TRY(uc_tf_one_float(call, 3, &l->iou));
    if (call->in_count > 4) UC_TRY(uc_tf_one_float(call, 4, &l->least));
    if (call->in_count > 5) UC_TRY(uc_tf_one_float(call, 5, &l->sigma));
    if (l->most < 0) l->most = 0;
    return UNCORK_OK;
}

static float *floats_of(uc_call *call, const uc_tensor *t)
{
    const int64_t n = uc_tensor_count(t);
    float *f = uc_call_scratch(call, (size_t)n + 1, sizeof *f);
    if (f && n) uc_dtype_floats(t->data, 0, n, t->dtype, f);
    return f;
}

static uncork_status give(uc_call *call, const size_t *keep, const float *scores, int64_t kept,
                          int64_t most)
{
    const int v = version_of(call);
    const bool pad = v >= 4 && uc_call_int(call, "pad_to_max_output_size", 0);
    const int64_t shape[] = {pad ? most : kept};
    uc_tensor *y = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_INT32, 1, shape, &y));
    for (int64_t i = 0; i < shape[0]; i++) {
        ((int32_t *)y->data)[i] = i < kept ? (int32_t)keep[i] : 0;
    }
    if (v == 5 && uc_call_wants(call, 1)) {
        UC_TRY(uc_call_output(call, 1, uc_call_dtype(call, 1), 1, shape, &y));
        for (int64_t i = 0; i < shape[0]; i++) {
            uc_tf_put(y->data, i, y->dtype, i < kept ? (double)scores[i] : 0);
        }
    }
    if (v < 4 || !uc_call_wants(call, (size_t)v - 3)) return UNCORK_OK;
    UC_TRY(uc_call_output(call, (size_t)v - 3, UNCORK_INT32, 0, NULL, &y));
    *(int32_t *)y->data = (int32_t)kept;
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *boxes = uc_call_arg(call, 0), *scores = uc_call_arg(call, 1);
    limits l = {0};
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 2));
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, 1));
    UC_TRY(read_limits(call, &l));
    const int64_t n = boxes->shape[0];
    if (boxes->shape[1] != 4 || scores->shape[0] != n)
        return uc_call_fail(call, UNCORK_INPUT, "its boxes and scores don't fit");
    const int64_t most = l.most < n ? l.most : n;
    float *b = floats_of(call, boxes), *s = floats_of(call, scores);
    float *decayed = uc_call_scratch(call, (size_t)n + 1, sizeof *decayed);
    float *kept_scores = uc_call_scratch(call, (size_t)most + 1, sizeof *kept_scores);
    size_t *room = uc_call_scratch(call, 2 * (size_t)n + (size_t)most + 1, sizeof *room);
    if (!b || !s || !decayed || !kept_scores || !room) return uc_fail_memory(call->error);
    size_t *keep = room + 2 * n;
    const size_t kept = uc_nms_soft(b, s, (size_t)n, (float)l.iou, (float)l.least, (float)l.sigma,
                                    (size_t)most, room, decayed, room + n, keep, kept_scores);
    return give(call, keep, kept_scores, (int64_t)kept, l.most);
}
UC_TF_ROW(tf_nms, "TfNonMaxSuppression", 3, 3, 1, infer, run)
UC_TF_ROW(tf_nms_v2, "TfNonMaxSuppressionV2", 4, 4, 1, infer, run)
UC_TF_ROW(tf_nms_v3, "TfNonMaxSuppressionV3", 5, 5, 1, infer, run)
UC_TF_ROW(tf_nms_v4, "TfNonMaxSuppressionV4", 5, 5, 2, infer, run)
UC_TF_ROW(tf_nms_v5, "TfNonMaxSuppressionV5", 6, 6, 3, infer, run)

/* ---- candidates in order --------------------------------------------------------------------- */

typedef struct candidate {
    float score;
    int32_t class;
    int64_t box; /* its place among the boxes, or in the order of choice */
} candidate;

static int by_score(const void *a, const void *b)
{
    const candidate *p = a, *q = b;
    if (p->score != q->score) return p->score > q->score ? -1 : 1;
    if (p->class != q->class) return p->class < q->class ? -1 : 1;
    return p->box < q->box ? -1 : p->box > q->box;
}

/* ---- with overlaps --------------------------------------------------------------------------- */

static uncork_status infer_overlaps(uc_call *call)
{
    return uc_tf_infer_open(call, 0, UNCORK_INT32, 1);
}

static uncork_status run_overlaps(uc_call *call)
{
    const uc_tensor *o = uc_call_arg(call, 0), *scores = uc_call_arg(call, 1);
    int64_t most, kept = 0, count = 0;
    double limit, least;
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 2));
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, 1));
    UC_TRY(uc_tf_one_int(call, 2, &most));
    UC_TRY(uc_tf_one_float(call, 3, &limit));
    UC_TRY(uc_tf_one_float(call, 4, &least));
    const int64_t n = scores->shape[0];
    if (o->shape[0] != n || o->shape[1] != n)
        return uc_call_fail(call, UNCORK_INPUT, "its overlaps don't fit");
    candidate *c = uc_call_scratch(call, (size_t)n + 1, sizeof *c);
    size_t *keep = uc_call_scratch(call, (size_t)n + 1, sizeof *keep);
    if (!c || !keep) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < n; i++) {
        const double s = uc_tf_at(scores, i);
        if (s > least) c[count++] = (candidate){(float)s, 0, i};
    }
    qsort(c, (size_t)count, sizeof *c, by_score);
    for (int64_t i = 0; i < count && kept < most; i++) {
        bool good = true;
        for (int64_t k = kept; good && k-- > 0;) {
            good = !(uc_tf_at(o, c[i].box * n + (int64_t)keep[k]) > limit);
        }
        if (good) keep[kept++] = (size_t)c[i].box;
    }
    return give(call, keep, NULL, kept, kept);
}
UC_TF_ROW(tf_nms_overlaps, "TfNonMaxSuppressionWithOverlaps", 5, 5, 1, infer_overlaps, run_overlaps)

/* ---- combined -------------------------------------------------------------------------------- */

static uncork_status infer_combined(uc_call *call)
{
    const uc_tensor *b = uc_call_arg(call, 0), *s = uc_call_arg(call, 1);
    int64_t each, total, n = UC_DIM_UNKNOWN;
    if (uc_call_known(call, 2) && uc_call_known(call, 3)) {
        UC_TRY(uc_tf_one_int(call, 2, &each));
        UC_TRY(uc_tf_one_int(call, 3, &total));
        const int64_t classes = s->rank == 3 ? s->shape[2] : -1;
        if (!uc_call_int(call, "pad_per_class", 0))
            n = total;
        else if (classes > 0 && each > 0 && each < INT32_MAX && classes < INT32_MAX)
            n = each * classes < total ? each * classes : total;
        if (n < 0) n = UC_DIM_UNKNOWN;
    }
    const int64_t batch = b->rank > 0 ? b->shape[0] : UC_DIM_UNKNOWN, shape[] = {batch, n, 4};
    UC_TRY(uc_call_shape(call, 0, UNCORK_FLOAT32, 3, shape));
    UC_TRY(uc_call_shape(call, 1, UNCORK_FLOAT32, 2, shape));
    UC_TRY(uc_call_shape(call, 2, UNCORK_FLOAT32, 2, shape));
    return uc_call_shape(call, 3, UNCORK_INT32, 1, shape);
}

static float overlap(const float *a, const float *b)
{
    const float ay1 = fminf(a[0], a[2]), ay2 = fmaxf(a[0], a[2]), ax1 = fminf(a[1], a[3]),
                ax2 = fmaxf(a[1], a[3]);
    const float by1 = fminf(b[0], b[2]), by2 = fmaxf(b[0], b[2]), bx1 = fminf(b[1], b[3]),
                bx2 = fmaxf(b[1], b[3]);
    const float area_a = (ay2 - ay1) * (ax2 - ax1), area_b = (by2 - by1) * (bx2 - bx1);
    if (area_a <= 0 || area_b <= 0) return 0;
    const float h = fmaxf(fminf(ay2, by2) - fmaxf(ay1, by1), 0),
                w = fmaxf(fminf(ax2, bx2) - fmaxf(ax1, bx1), 0);
    return h * w / (area_a + area_b - h * w);
}

typedef struct job {
    const float *boxes, *scores; /* [n, q, 4], [n, classes] */
    int64_t n, q, classes, each;
    float iou, least;
    candidate *list; /* [n] */
} job;

static const float *box_at(const job *j, int64_t i, int64_t class)
{
    return j->boxes + 4 * (i * j->q + (j->q > 1 ? class : 0));
}

/* The chosen ones of a class are appended to `to`; how many. */
static int64_t choose(const job *j, int64_t class, candidate *to)
{
    int64_t count = 0, kept = 0;
    for (int64_t i = 0; i < j->n; i++) {
        const float s = j->scores[i * j->classes + class];
        if (s > j->least) j->list[count++] = (candidate){s, (int32_t) class, i};
    }
    qsort(j->list, (size_t)count, sizeof *j->list, by_score);
    for (int64_t i = 0; i < count && kept < j->each; i++) {
        bool good = true;
        for (int64_t k = kept; good && k-- > 0;) {
            good =
                !(overlap(box_at(j, j->list[i].box, class), box_at(j, to[k].box, class)) > j->iou);
        }
        if (good) to[kept++] = j->list[i];
    }
    return kept;
}

static float clip(float v, bool clipped) { return clipped ? fmaxf(fminf(v, 1), 0) : v; }

static uncork_status check_combined(uc_call *call, job *j, int64_t *total)
{
    const uc_tensor *b = uc_call_arg(call, 0), *s = uc_call_arg(call, 1);
    double iou, least;
    UC_TRY(uc_tf_want(call, 0, UNCORK_FLOAT32, 4));
    UC_TRY(uc_tf_want(call, 1, UNCORK_FLOAT32, 3));
    UC_TRY(uc_tf_one_int(call, 2, &j->each));
    UC_TRY(uc_tf_one_int(call, 3, total));
    UC_TRY(uc_tf_one_float(call, 4, &iou));
    UC_TRY(uc_tf_one_float(call, 5, &least));
    j->iou = (float)iou;
    j->least = (float)least;
    j->n = b->shape[1];
    j->q = b->shape[2];
    j->classes = s->shape[2];
    if (b->shape[3] != 4 || s->shape[0] != b->shape[0] || s->shape[1] != j->n ||
        (j->q != 1 && j->q != j->classes))
        return uc_call_fail(call, UNCORK_INPUT, "its boxes and scores don't fit");
    if (j->each < 1 || *total < 1 || *total > INT32_MAX || j->each > INT32_MAX)
        return uc_call_fail(call, UNCORK_INPUT,
                            "max_output_size_per_class and max_total_size must be > 0");
    if (uc_call_int(call, "pad_per_class", 0) && j->each * j->classes < *total)
        *total = j->each * j->classes;
    return UNCORK_OK;
}

static uncork_status run_combined(uc_call *call)
{
    const uc_tensor *b = uc_call_arg(call, 0), *s = uc_call_arg(call, 1);
    job j = {0};
    int64_t total;
    uc_tensor *y[4] = {NULL};
    UC_TRY(check_combined(call, &j, &total));
    const int64_t batch = b->shape[0], shape[] = {batch, total, 4};
    const bool clipped = uc_call_int(call, "clip_boxes", 1) != 0;
    const int64_t each = j.each < j.n ? j.each : j.n;
    candidate *all = uc_call_scratch(call, (size_t)(each * j.classes) + 1, sizeof *all);
    j.list = uc_call_scratch(call, (size_t)j.n + 1, sizeof *j.list);
    if (!all || !j.list) return uc_fail_memory(call->error);
    for (size_t i = 0; i < 4; i++) {
        UC_TRY(uc_call_output(call, i, i == 3 ? UNCORK_INT32 : UNCORK_FLOAT32,
                              i == 0   ? 3
                              : i == 3 ? 1
                                       : 2,
                              shape, &y[i]));
    }
    for (int64_t k = 0; k < batch; k++) {
        int64_t count = 0;
        j.boxes = (const float *)b->data + k * j.n * j.q * 4;
        j.scores = (const float *)s->data + k * j.n * j.classes;
        for (int64_t class = 0; class < j.classes; class ++) {
            count += choose(&j, class, all + count);
        }
        qsort(all, (size_t)count, sizeof *all, by_score);
        for (int64_t i = 0; i < total; i++) {
            const bool there = i < count;
            const float *box = there ? box_at(&j, all[i].box, all[i].class) : NULL;
            for (int e = 0; e < 4; e++) {
                ((float *)y[0]->data)[(k * total + i) * 4 + e] = there ? clip(box[e], clipped) : 0;
            }
            ((float *)y[1]->data)[k * total + i] = there ? all[i].score : 0;
            ((float *)y[2]->data)[k * total + i] = there ? (float)all[i].class : 0;
        }
        ((int32_t *)y[3]->data)[k] = (int32_t)(count < total ? count : total);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_combined_nms, "TfCombinedNonMaxSuppression", 6, 6, 4, infer_combined, run_combined)
