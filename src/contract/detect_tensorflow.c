/* Outputs of TensorFlow's Object Detection API and of TFLite_Detection_PostProcess: what overlaps is
 * left out already; boxes are ymin, xmin, ymax, xmax from 0 to 1. */
#include "contract/detect_internal.h"

#include <math.h>

/* ---- Object Detection API (models/research/object_detection/exporter_lib_v2.py) ---- */

static bool recognise_od_api(const uc_detect_model *m, uc_detector *d)
{
    d->role[UC_ROLE_BOXES] = uc_model_named(m, "detection_boxes");
    d->role[UC_ROLE_SCORES] = uc_model_named(m, "detection_scores");
    d->role[UC_ROLE_CLASSES] = uc_model_named(m, "detection_classes");
    d->role[UC_ROLE_COUNT] = uc_model_named(m, "num_detections");
    d->role[UC_ROLE_MASKS] = uc_model_named(m, "detection_masks");
    if (d->role[UC_ROLE_BOXES] < 0 || d->role[UC_ROLE_SCORES] < 0 || d->role[UC_ROLE_CLASSES] < 0)
        return false;
    d->first_id = 1;
    uc_detect_why(d, "the outputs detection_boxes, detection_scores and detection_classes are "
                     "those of the Object Detection API: ids from 1, boxes ymin, xmin, ymax, xmax");
    return true;
}

/* Rows that count: all, or as many as num_detections says. */
static uncork_status row_count(uc_detect_job *job, int64_t rows, int64_t *count)
{
    *count = rows;
    if (job->d->role[UC_ROLE_COUNT] < 0) return UNCORK_OK;
    uc_detect_array a;
    UC_TRY(uc_detect_array_of(job, job->d->role[UC_ROLE_COUNT], false, &a));
    if (a.count != 1) return uc_detect_unfit(job, "the number of boxes isn't one number");
    const float n = a.data[0];
    *count = !(n > 0) ? 0 : n < (float)rows ? (int64_t)n : rows;
    return UNCORK_OK;
}

static uncork_status decode_rows(uc_detect_job *job, int scores, int classes)
{
    uc_detect_view boxes;
    uc_detect_array score, class;
    int64_t count;
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_BOXES], false, false, &boxes));
    UC_TRY(uc_detect_array_of(job, scores, false, &score));
    UC_TRY(uc_detect_array_of(job, classes, false, &class));
    if (boxes.columns != 4 || score.count != boxes.rows || class.count != boxes.rows)
        return uc_detect_unfit(job, "boxes, scores and classes don't go together");
    UC_TRY(row_count(job, boxes.rows, &count));
    for (int64_t r = 0; r < count; r++) {
        if (isfinite(score.data[r]) && !(score.data[r] > job->threshold)) continue;
        const float box[4] = {uc_view_at(&boxes, r, 1), uc_view_at(&boxes, r, 0),
                              uc_view_at(&boxes, r, 3), uc_view_at(&boxes, r, 2)};
        const float id = class.data[r];
        if (!(fabsf(id) < 1e9F)) {
            job->lost++;
            continue;
        }
        UC_TRY(uc_detect_add(job, box, score.data[r], lrintf(id), r));
    }
    return UNCORK_OK;
}

static uncork_status decode_od_api(uc_detect_job *job)
{
    return decode_rows(job, job->d->role[UC_ROLE_SCORES], job->d->role[UC_ROLE_CLASSES]);
}

/* One row or column of a mask over its box, as tf.image.crop_and_resize reads it: bilinear between the
 * corners, 0 outside. */
static float mask_at(const float *mask, int64_t mh, int64_t mw, float y, float x)
{
    const bool in = y >= 0 && x >= 0 && y <= (float)(mh - 1) && x <= (float)(mw - 1);
    if (!in) return 0;
    const int64_t y0 = (int64_t)floorf(y), x0 = (int64_t)floorf(x);
    const int64_t y1 = (int64_t)ceilf(y), x1 = (int64_t)ceilf(x);
    const float dy = y - (float)y0, dx = x - (float)x0;
    const float top = mask[y0 * mw + x0] + (mask[y0 * mw + x1] - mask[y0 * mw + x0]) * dx;
    const float low = mask[y1 * mw + x0] + (mask[y1 * mw + x1] - mask[y1 * mw + x0]) * dx;
    return top + (low - top) * dy;
}

static uncork_status paste_mask(uc_detect_job *job, const float *mask, int64_t mh, int64_t mw,
                                uc_detection *d)
{
    const int w = job->geometry->picture_width, h = job->geometry->picture_height;
    const float *box = d->box, bw = box[2] - box[0], bh = box[3] - box[1];
    const float corners[4] = {floorf(box[0]), floorf(box[1]), ceilf(box[2]), ceilf(box[3])};
    uc_detect_mask *m;
    uint8_t *data = NULL;
    if (!(bw > 0) || !(bh > 0) || w < 2 || h < 2) return UNCORK_OK;
    UC_TRY(uc_detect_new_mask(job, corners, &m, &data));
    if (!m) return UNCORK_OK;
    /* reframe_box_masks_to_image_masks (object_detection/utils/ops.py): pixel i of the picture stands
     * at i / (size - 1) of its extent, and so in the box. */
    for (int y = 0; y < m->height; y++) {
        const float fy = (float)(m->top + y) / (float)(h - 1);
        const float my = (fy * (float)h - box[1]) / bh * (float)(mh - 1);
        for (int x = 0; x < m->width; x++) {
            const float fx = (float)(m->left + x) / (float)(w - 1);
            const float mx = (fx * (float)w - box[0]) / bw * (float)(mw - 1);
            *data++ = mask_at(mask, mh, mw, my, mx) > 0.5F;
        }
    }
    d->mask = m;
    return UNCORK_OK;
}

static uncork_status finish_od_api(uc_detect_job *job, uc_detections *found)
{
    if (job->d->role[UC_ROLE_MASKS] < 0) return UNCORK_OK;
    uc_detect_array a;
    UC_TRY(uc_detect_array_of(job, job->d->role[UC_ROLE_MASKS], false, &a));
    if (a.rank != 3 || a.shape[1] < 1 || a.shape[2] < 1)
        return uc_detect_unfit(job, "the masks aren't one picture a box");
    for (size_t i = 0; i < found->count; i++) {
        if (job->found[i].row >= a.shape[0]) continue;
        UC_TRY(paste_mask(job, a.data + job->found[i].row * a.shape[1] * a.shape[2], a.shape[1],
                          a.shape[2], &found->items[i]));
    }
    return UNCORK_OK;
}

const uc_detect_family uc_detect_od_api = {.name = "od_api",
                                           .library = "TensorFlow Object Detection API",
                                           .recognise = recognise_od_api,
                                           .decode = decode_od_api,
                                           .finish = finish_od_api,
                                           .frame = UC_FRAME_UNIT,
                                           .rule = UC_NMS_TENSORFLOW,
                                           .apart = UC_APART_CLASSES,
                                           .threshold = 0.5,
                                           .most = 200};

/* ---- TFLite_Detection_PostProcess ---- */

static bool is_post_process(const char *name)
{
    return strstr(name, "TFLite_Detection_PostProcess") || strstr(name, "StatefulPartitionedCall");
}

/* Four outputs: [1, N, 4], two of [1, N], one number. Which of the two holds classes their values say
 * where the names don't. */
static bool recognise_tflite(const uc_detect_model *m, uc_detector *d)
{
    int rows = 0, first = -1, second = -1;
    if (m->count != 4) return false;
    for (int i = 0; i < 4; i++) {
        const int rank = uc_model_rank(m, i);
        if (!uc_model_is_float(m, i)) return false;
        if (rank == 3 && uc_model_dim(m, i, -1) == 4)
            d->role[UC_ROLE_BOXES] = i;
        else if (rank == 1)
            d->role[UC_ROLE_COUNT] = i;
        else if (rank == 2 && rows++ == 0)
            first = i;
        else if (rank == 2)
            second = i;
        if (!is_post_process(m->names[i]) && uc_model_named(m, "detection_boxes") < 0) rows += 4;
    }
    if (d->role[UC_ROLE_BOXES] < 0 || d->role[UC_ROLE_COUNT] < 0 || rows != 2) return false;
    d->role[UC_ROLE_CLASSES] = first;
    d->role[UC_ROLE_SCORES] = second;
    uc_detect_why(d, "four outputs named and shaped as TFLite_Detection_PostProcess writes them: "
                     "ids from 0, boxes ymin, xmin, ymax, xmax");
    return true;
}

static bool are_whole(const uc_detect_array *a)
{
    bool fraction = false, above = false;
    for (int64_t i = 0; i < a->count; i++) {
        fraction = fraction || a->data[i] != floorf(a->data[i]);
        above = above || a->data[i] > 1;
    }
    return above || !fraction;
}

static uncork_status decode_tflite(uc_detect_job *job)
{
    int classes = job->d->role[UC_ROLE_CLASSES], scores = job->d->role[UC_ROLE_SCORES];
    uc_detect_array a, b;
    UC_TRY(uc_detect_array_of(job, classes, false, &a));
    UC_TRY(uc_detect_array_of(job, scores, false, &b));
    if (!are_whole(&a) && are_whole(&b)) {
        const int swap = classes;
        classes = scores;
        scores = swap;
    }
    return decode_rows(job, scores, classes);
}

const uc_detect_family uc_detect_tflite = {.name = "tflite",
                                           .library = "TFLite_Detection_PostProcess",
                                           .recognise = recognise_tflite,
                                           .decode = decode_tflite,
                                           .frame = UC_FRAME_UNIT,
                                           .rule = UC_NMS_TENSORFLOW,
                                           .apart = UC_APART_CLASSES,
                                           .threshold = 0.5,
                                           .most = 200};
