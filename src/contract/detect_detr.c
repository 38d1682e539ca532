/* DETR and those after it: logits a query and boxes cx, cy, w, h from 0 to 1; nothing is suppressed.
 * Arithmetic: transformers, post_process_object_detection of image_processing_detr and _rt_detr. */
#include "contract/detect_internal.h"

#include <math.h>

static bool find_queries(const uc_detect_model *m, uc_detector *d)
{
    const int boxes = uc_model_named(m, "pred_boxes");
    int logits = uc_model_named(m, "logits");
    if (logits < 0) logits = uc_model_named(m, "pred_logits");
    if (boxes < 0 || logits < 0 || uc_model_rank(m, boxes) != 3 || uc_model_rank(m, logits) != 3)
        return false;
    if (uc_model_dim(m, boxes, -1) != 4 || !uc_model_is_float(m, logits)) return false;
    d->role[UC_ROLE_BOXES] = boxes;
    d->role[UC_ROLE_SCORES] = logits;
    d->classes = uc_model_dim(m, logits, -1);
    return d->classes > 0;
}

/* The first DETR has a class for "none" (92 of 91, or one more than labels) and 100 queries; its
 * followers take a sigmoid of each. */
static bool has_none(const uc_detect_model *m, const uc_detector *d)
{
    const char *kind = uc_model_fact(m, "model_type");
    if (*kind)
        return strcmp(kind, "detr") == 0 || strcmp(kind, "yolos") == 0 ||
               strcmp(kind, "table-transformer") == 0;
    if (m->labels) return (int64_t)m->labels == d->classes - 1;
    return d->classes == 92 || uc_model_dim(m, d->role[UC_ROLE_BOXES], 1) <= 125;
}

static bool recognise_detr(const uc_detect_model *m, uc_detector *d)
{
    if (!find_queries(m, d) || !has_none(m, d) || d->classes < 2) return false;
    d->softmax = true;
    d->classes--;
    uc_detect_why(d,
                  "the outputs %s and %s are DETR's; softmax over %lld classes and none, boxes cx, "
                  "cy, w, h",
                  m->names[d->role[UC_ROLE_SCORES]], m->names[d->role[UC_ROLE_BOXES]],
                  (long long)d->classes);
    return true;
}

static bool recognise_rtdetr(const uc_detect_model *m, uc_detector *d)
{
    if (!find_queries(m, d)) return false;
    uc_detect_why(d,
                  "the outputs %s and %s are those of RT-DETR and other DETRs with a sigmoid a "
                  "class; boxes cx, cy, w, h",
                  m->names[d->role[UC_ROLE_SCORES]], m->names[d->role[UC_ROLE_BOXES]]);
    return true;
}

static uncork_status views(uc_detect_job *job, uc_detect_view *logits, uc_detect_view *boxes)
{
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_SCORES], false, false, logits));
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_BOXES], false, false, boxes));
    if (boxes->columns != 4 || logits->rows != boxes->rows ||
        logits->columns != job->d->classes + (job->d->softmax ? 1 : 0)) {
        return uc_detect_unfit(job, "logits and boxes don't go together");
    }
    return UNCORK_OK;
}

static void query_box(const uc_detect_view *boxes, int64_t r, float box[4])
{
    uc_detect_corners(boxes->data + r * boxes->row, box);
}

static uncork_status decode_detr(uc_detect_job *job)
{
    uc_detect_view logits, boxes;
    UC_TRY(views(job, &logits, &boxes));
    for (int64_t r = 0; r < logits.rows; r++) {
        const float *x = logits.data + r * logits.row;
        float most = x[0], sum = 0;
        int64_t best = 0;
        for (int64_t c = 0; c < logits.columns; c++) {
            if (!(x[c] <= most)) most = x[c];
            if (c < job->d->classes && x[c] > x[best]) best = c;
        }
        for (int64_t c = 0; c < logits.columns; c++) {
            sum += expf(x[c] - most);
        }
        const float score = expf(x[best] - most) / sum;
        if (score <= job->threshold) continue;
        float box[4];
        query_box(&boxes, r, box);
        UC_TRY(uc_detect_add(job, box, score, best, r));
    }
    return UNCORK_OK;
}

/* As many of the best pairs of query and class as there are queries, and of those the ones above the
 * threshold. */
static uncork_status decode_rtdetr(uc_detect_job *job)
{
    uc_detect_view logits, boxes;
    UC_TRY(views(job, &logits, &boxes));
    for (int64_t r = 0; r < logits.rows; r++) {
        for (int64_t c = 0; c < logits.columns; c++) {
            const float score = uc_detect_sigmoid(uc_view_at(&logits, r, c));
            if (score <= job->threshold) continue;
            float box[4];
            query_box(&boxes, r, box);
            UC_TRY(uc_detect_add(job, box, score, c, r));
        }
    }
    uc_detect_best(job, 0, (size_t)logits.rows);
    return UNCORK_OK;
}

const uc_detect_family uc_detect_detr = {.name = "detr",
                                         .library = "transformers",
                                         .recognise = recognise_detr,
                                         .decode = decode_detr,
                                         .frame = UC_FRAME_UNIT,
                                         .rule = UC_NMS_TORCHVISION,
                                         .apart = UC_APART_BATCHED,
                                         .threshold = 0.5,
                                         .most = 300};

const uc_detect_family uc_detect_rtdetr = {.name = "rtdetr",
                                           .library = "transformers",
                                           .recognise = recognise_rtdetr,
                                           .decode = decode_rtdetr,
                                           .frame = UC_FRAME_UNIT,
                                           .rule = UC_NMS_TORCHVISION,
                                           .apart = UC_APART_BATCHED,
                                           .threshold = 0.5,
                                           .most = 300};
