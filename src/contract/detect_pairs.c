/* Detectors of two outputs, decoded boxes and scores for every place: Ultra-Light face detectors and
 * pytorch-ssd (softmax with a background), YOLO-NAS and the like (a sigmoid a class). */
#include "contract/detect_internal.h"

#include <math.h>

/* boxes [1, N, 4] and scores [1, N, C]; PyTorch's YOLOv4 has boxes [1, N, 1, 4]. */
static bool find_pair(const uc_detect_model *m, uc_detector *d)
{
    if (m->count != 2) return false;
    for (int i = 0; i < 2; i++) {
        const int rank = uc_model_rank(m, i);
        if (!uc_model_is_float(m, i) || rank < 3 || rank > 4) return false;
        if (rank == 4 && uc_model_dim(m, i, 2) != 1) return false;
        if (uc_model_dim(m, i, -1) == 4 &&
            (d->role[UC_ROLE_BOXES] < 0 || uc_model_says_boxes(m, i))) {
            d->role[UC_ROLE_BOXES] = i;
        }
    }
    if (d->role[UC_ROLE_BOXES] < 0) return false;
    const int scores = 1 - d->role[UC_ROLE_BOXES];
    const int64_t a = uc_model_dim(m, d->role[UC_ROLE_BOXES], 1), b = uc_model_dim(m, scores, 1);
    d->role[UC_ROLE_SCORES] = scores;
    d->classes = uc_model_dim(m, scores, -1);
    return uc_model_rank(m, scores) == 3 && a > 4 && a == b && d->classes > 0;
}

static bool recognise_ultraface(const uc_detect_model *m, uc_detector *d)
{
    const int boxes = uc_model_named(m, "boxes"), scores = uc_model_named(m, "scores");
    if (!find_pair(m, d) || boxes < 0 || scores < 0 || d->classes < 2) return false;
    /* The same names with a count per class are YOLO-NAS's: a column for the background is known by
     * its width alone where labels are given. */
    if (m->labels ? (int64_t)m->labels != d->classes - 1 && (int64_t)m->labels != d->classes
                  : d->classes == 80 || d->classes == 90) {
        return false;
    }
    if (m->labels && (int64_t)m->labels == d->classes && d->classes > 21) return false;
    d->first_id = 1;
    uc_detect_why(d,
                  "the outputs boxes [1, N, 4] and scores [1, N, %lld]: decoded boxes with corners "
                  "from 0 to 1, class 0 is the background (pytorch-ssd, UltraFace)",
                  (long long)d->classes);
    return true;
}

/* hard_nms of vision/utils/box_utils_numpy.py looks at the 200 best of each class. */
#define ULTRAFACE_CANDIDATES 200

static uncork_status decode_ultraface(uc_detect_job *job)
{
    uc_detect_view boxes, scores;
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_BOXES], false, false, &boxes));
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_SCORES], false, false, &scores));
    if (boxes.columns != 4 || boxes.rows != scores.rows || scores.columns != job->d->classes)
        return uc_detect_unfit(job, "boxes and scores don't go together");
    for (int64_t c = 1; c < scores.columns; c++) {
        const size_t begin = job->count;
        for (int64_t r = 0; r < scores.rows; r++) {
            const float score = uc_view_at(&scores, r, c);
            if (score <= job->threshold) continue;
            UC_TRY(uc_detect_add(job, boxes.data + r * boxes.row, score, c, r));
        }
        uc_detect_best(job, begin, ULTRAFACE_CANDIDATES);
    }
    return UNCORK_OK;
}

static bool recognise_yolo_nas(const uc_detect_model *m, uc_detector *d)
{
    if (!find_pair(m, d)) return false;
    uc_detect_why(
        d,
        "two outputs, boxes [1, N, 4] and scores [1, N, %lld]: decoded boxes and a score a "
        "class (YOLO-NAS)",
        (long long)d->classes);
    return true;
}

/* super_gradients, PPYoloEPostPredictionCallback: the best 1,000, several classes a box. */
#define YOLO_NAS_CANDIDATES 1000

static uncork_status decode_yolo_nas(uc_detect_job *job)
{
    uc_detect_view boxes, scores;
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_BOXES], false, false, &boxes));
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_SCORES], false, false, &scores));
    if (boxes.columns != 4 || boxes.rows != scores.rows || scores.columns != job->d->classes)
        return uc_detect_unfit(job, "boxes and scores don't go together");
    bool unit = true;
    for (int64_t i = 0; i < 4 * boxes.rows && unit; i++) {
        unit = !(boxes.data[i] > 2);
    }
    if (unit) job->frame = UC_FRAME_UNIT;
    for (int64_t r = 0; r < scores.rows; r++) {
        for (int64_t c = 0; c < scores.columns; c++) {
            const float score = uc_view_at(&scores, r, c);
            if (score <= job->threshold) continue;
            UC_TRY(uc_detect_add(job, boxes.data + r * boxes.row, score, c, r));
        }
    }
    uc_detect_best(job, 0, YOLO_NAS_CANDIDATES);
    return UNCORK_OK;
}

const uc_detect_family uc_detect_ultraface = {.name = "ultraface",
                                              .library =
                                                  "Ultra-Light-Fast-Generic-Face-Detector-1MB",
                                              .recognise = recognise_ultraface,
                                              .decode = decode_ultraface,
                                              .frame = UC_FRAME_UNIT,
                                              .rule = UC_NMS_EPSILON,
                                              .apart = UC_APART_CLASSES,
                                              .threshold = 0.7,
                                              .iou = 0.5,
                                              .most = 200};

const uc_detect_family uc_detect_yolo_nas = {.name = "yolo_nas",
                                             .library = "super_gradients",
                                             .recognise = recognise_yolo_nas,
                                             .decode = decode_yolo_nas,
                                             .frame = UC_FRAME_INPUT,
                                             .rule = UC_NMS_TORCHVISION,
                                             .apart = UC_APART_BATCHED,
                                             .threshold = 0.25,
                                             .iou = 0.7,
                                             .most = 300};
