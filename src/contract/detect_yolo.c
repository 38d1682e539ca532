/* YOLO heads that are one matrix of boxes: v5 to v7 and YOLOX with an objectness, v8 and later without,
 * in the arithmetic of Ultralytics (ultralytics/utils/nms.py, non_max_suppression). */
#include "contract/detect_internal.h"

#include <math.h>
#include <stdio.h>

/* ---- recognising ---- */

static const struct {
    int strides[4], count;
} grids[] = {{{8, 16, 32}, 3}, {{8, 16, 32, 64}, 4}, {{4, 8, 16, 32}, 4}, {{16, 32}, 2}};

/* Whether `rows` are `each` boxes a cell of one of the usual grids over the input; where the size is
 * free, any large number may be. */
static bool rows_fit(const uc_detect_model *m, int64_t rows, int each)
{
    if (m->input_width <= 0 || m->input_height <= 0) return rows > 1000 && rows % each == 0;
    for (size_t i = 0; i < sizeof grids / sizeof grids[0]; i++) {
        if (rows > 0 && rows == each * uc_model_cells(m, grids[i].strides, grids[i].count))
            return true;
    }
    return false;
}

/* The matrix and, of a model of masks, their prototypes; everything else is no such head. */
static bool find_head(const uc_detect_model *m, uc_detector *d)
{
    for (int i = 0; i < m->count; i++) {
        const int rank = uc_model_rank(m, i);
        if (!uc_model_is_float(m, i)) return false;
        if (rank == 3 && d->role[UC_ROLE_BOXES] < 0)
            d->role[UC_ROLE_BOXES] = i;
        else if (rank == 4 && d->role[UC_ROLE_MASKS] < 0)
            d->role[UC_ROLE_MASKS] = i;
        else
            return false;
    }
    if (d->role[UC_ROLE_MASKS] >= 0) {
        const int64_t n = uc_model_dim(m, d->role[UC_ROLE_MASKS], 1);
        if (n < 1 || n > 256) return false;
        d->mask_coefficients = (int)n;
    }
    return d->role[UC_ROLE_BOXES] >= 0;
}

/* "[17, 3]" of Ultralytics' metadata; its people have 17 points where nothing is said. */
static void read_keypoints(const uc_detect_model *m, uc_detector *d, int64_t columns)
{
    const char *shape = uc_model_fact(m, "metadata.kpt_shape");
    int count = 0, values = 0;
    const bool said = sscanf(shape, "[%d, %d]", &count, &values) == 2;
    if (!said && strcmp(uc_model_fact(m, "metadata.task"), "pose") != 0 && columns != 56) return;
    if (!said && strcmp(uc_model_fact(m, "metadata.task"), "detect") == 0) return;
    d->keypoints = said ? count : 17;
    d->keypoint_values = said ? values : 3;
    if (d->keypoints < 1 || d->keypoints > 1000 || d->keypoint_values < 2 || d->keypoint_values > 3)
        d->keypoints = 0;
}

bool uc_model_has_columns(const uc_detect_model *m, int i)
{
    const int64_t a = uc_model_dim(m, i, 1), b = uc_model_dim(m, i, 2);
    return uc_model_rank(m, i) == 3 && uc_model_is_float(m, i) && b > a && a >= 5 &&
           rows_fit(m, b, 1);
}

static bool recognise_yolov8(const uc_detect_model *m, uc_detector *d)
{
    if (!find_head(m, d)) return false;
    const int head = d->role[UC_ROLE_BOXES];
    const int64_t a = uc_model_dim(m, head, 1), b = uc_model_dim(m, head, 2);
    if (strcmp(uc_model_fact(m, "metadata.task"), "obb") == 0) return false;
    if (b > a && a >= 5 && rows_fit(m, b, 1))
        d->transposed = true;
    else if (!(a > b && b >= 5 && rows_fit(m, a, 1)))
        return false;
    const int64_t columns = d->transposed ? a : b;
    const bool listed = m->labels && (int64_t)m->labels == columns - 4 - d->mask_coefficients;
    if (!d->transposed && columns != 84 && !listed) return false; /* YOLOX and YOLOv6 */
    if (d->transposed && d->mask_coefficients == 0) read_keypoints(m, d, columns);
    d->classes = columns - 4 - d->mask_coefficients - (int64_t)d->keypoints * d->keypoint_values;
    if (d->classes < 1) return false;
    uc_detect_why(d,
                  "output %s of 4 + %lld numbers for each of %lld cells: a YOLO head without "
                  "objectness (v8 and later)%s",
                  m->names[head], (long long)(columns - 4), (long long)(d->transposed ? b : a),
                  d->mask_coefficients ? ", with masks"
                  : d->keypoints       ? ", with keypoints"
                                       : "");
    return true;
}

static bool recognise_yolov5(const uc_detect_model *m, uc_detector *d)
{
    if (!find_head(m, d)) return false;
    const int head = d->role[UC_ROLE_BOXES];
    const int64_t rows = uc_model_dim(m, head, 1), columns = uc_model_dim(m, head, 2);
    if (columns < 6 || columns > rows || !rows_fit(m, rows, 3)) return false;
    d->objectness = true;
    d->classes = columns - 5 - d->mask_coefficients;
    if (d->classes < 1) return false;
    uc_detect_why(d,
                  "output %s of %lld rows of 5 + %lld numbers, three a cell: a YOLO head with "
                  "objectness (v3 to v7, decoded)",
                  m->names[head], (long long)rows, (long long)(columns - 5));
    return true;
}

static bool recognise_yolox(const uc_detect_model *m, uc_detector *d)
{
    if (m->count != 1 || !find_head(m, d)) return false;
    const int64_t rows = uc_model_dim(m, 0, 1), columns = uc_model_dim(m, 0, 2);
    if (m->input_width <= 0 || columns < 6 || columns > rows || !rows_fit(m, rows, 1)) return false;
    d->objectness = true;
    d->classes = columns - 5;
    uc_detect_why(
        d,
        "output %s of %lld rows of 5 + %lld numbers, one a cell: YOLOX or YOLOv6; a width "
        "below 0 shows that the grid isn't applied yet",
        m->names[0], (long long)rows, (long long)(columns - 5));
    return true;
}

static bool recognise_yolo_rtdetr(const uc_detect_model *m, uc_detector *d)
{
    const int64_t rows = uc_model_dim(m, 0, 1), columns = uc_model_dim(m, 0, 2);
    if (m->count != 1 || uc_model_rank(m, 0) != 3 || !uc_model_is_float(m, 0)) return false;
    if (rows != 300 || columns < 5 || columns > 1004) return false;
    d->role[UC_ROLE_BOXES] = 0;
    d->classes = columns - 4;
    uc_detect_why(d, "300 rows of 4 + %lld numbers: Ultralytics' RT-DETR",
                  (long long)(columns - 4));
    return true;
}

/* ---- decoding ---- */

uncork_status uc_detect_head(uc_detect_job *job, uc_detect_view *v)
{
    const uc_detector *d = job->d;
    UC_TRY(uc_detect_matrix(job, d->role[UC_ROLE_BOXES], false, d->transposed, v));
    const int64_t columns = 4 + (d->objectness ? 1 : 0) + d->classes + d->mask_coefficients +
                            (int64_t)d->keypoints * d->keypoint_values + d->variant;
    if (v->columns != columns) return uc_detect_unfit(job, "rows have another length");
    return UNCORK_OK;
}

/* Exports to TensorFlow divide boxes by the size of the input. */
static bool are_units(const uc_detect_view *v)
{
    for (int64_t r = 0; r < v->rows; r++) {
        for (int64_t c = 0; c < 4; c++) {
            if (uc_view_at(v, r, c) > 2) return false;
        }
    }
    return v->rows > 0;
}

/* The best class of row r from column `first` on, the first among equals; a NaN is best of all, as
 * torch.max has it. */
int64_t uc_detect_best_class(const uc_detect_view *v, int64_t r, int64_t first, int64_t classes)
{
    int64_t best = 0;
    float most = uc_view_at(v, r, first);
    for (int64_t c = 1; c < classes && !isnan(most); c++) {
        const float s = uc_view_at(v, r, first + c);
        if (s > most || isnan(s)) {
            most = s;
            best = c;
        }
    }
    return best;
}

static void row_box(const uc_detect_view *v, int64_t r, float box[4])
{
    const float xywh[4] = {uc_view_at(v, r, 0), uc_view_at(v, r, 1), uc_view_at(v, r, 2),
                           uc_view_at(v, r, 3)};
    uc_detect_corners(xywh, box);
}

static uncork_status decode_classes(uc_detect_job *job)
{
    uc_detect_view v;
    UC_TRY(uc_detect_head(job, &v));
    if (are_units(&v)) job->frame = UC_FRAME_UNIT;
    for (int64_t r = 0; r < v.rows; r++) {
        const int64_t id = uc_detect_best_class(&v, r, 4, job->d->classes);
        const float score = uc_view_at(&v, r, 4 + id);
        if (score <= job->threshold) continue;
        float box[4];
        row_box(&v, r, box);
        UC_TRY(uc_detect_add(job, box, score, id, r));
    }
    return UNCORK_OK;
}

static uncork_status add_objectness(uc_detect_job *job, const uc_detect_view *v, int64_t r,
                                    const float box[4])
{
    const float object = uc_view_at(v, r, 4);
    if (object <= job->threshold) return UNCORK_OK;
    const int64_t id = uc_detect_best_class(v, r, 5, job->d->classes);
    const float score = uc_view_at(v, r, 5 + id) * object;
    return score <= job->threshold ? UNCORK_OK : uc_detect_add(job, box, score, id, r);
}

static uncork_status decode_objectness(uc_detect_job *job)
{
    uc_detect_view v;
    UC_TRY(uc_detect_head(job, &v));
    if (are_units(&v)) job->frame = UC_FRAME_UNIT;
    for (int64_t r = 0; r < v.rows; r++) {
        float box[4];
        row_box(&v, r, box);
        UC_TRY(add_objectness(job, &v, r, box));
    }
    return UNCORK_OK;
}

/* YOLOX leaves the grid to its caller (yolox/utils/demo_utils.py, demo_postprocess): centres are
 * (v + cell) * stride, sides exp(v) * stride. */
static void apply_grid(const uc_detect_view *v, int64_t r, int64_t column, int64_t line, int stride,
                       float box[4])
{
    const float xywh[4] = {(uc_view_at(v, r, 0) + (float)column) * (float)stride,
                           (uc_view_at(v, r, 1) + (float)line) * (float)stride,
                           expf(uc_view_at(v, r, 2)) * (float)stride,
                           expf(uc_view_at(v, r, 3)) * (float)stride};
    uc_detect_corners(xywh, box);
}

static uncork_status decode_grid(uc_detect_job *job, const uc_detect_view *v, const int *strides,
                                 int count)
{
    int64_t r = 0;
    for (int i = 0; i < count; i++) {
        const int64_t wide = job->geometry->input_width / strides[i],
                      high = job->geometry->input_height / strides[i];
        for (int64_t cell = 0; cell < wide * high && r < v->rows; cell++, r++) {
            float box[4];
            apply_grid(v, r, cell % wide, cell / wide, strides[i], box);
            UC_TRY(add_objectness(job, v, r, box));
        }
    }
    return UNCORK_OK;
}

static bool sides_below_zero(const uc_detect_view *v)
{
    for (int64_t r = 0; r < v->rows; r++) {
        if (uc_view_at(v, r, 2) < 0 || uc_view_at(v, r, 3) < 0) return true;
    }
    return false;
}

static uncork_status decode_yolox(uc_detect_job *job)
{
    uc_detect_view v;
    UC_TRY(uc_detect_head(job, &v));
    if (!sides_below_zero(&v)) return decode_objectness(job);
    for (size_t i = 0; i < sizeof grids / sizeof grids[0]; i++) {
        int64_t cells = 0;
        for (int k = 0; k < grids[i].count; k++) {
            cells += (int64_t)(job->geometry->input_width / grids[i].strides[k]) *
                     (job->geometry->input_height / grids[i].strides[k]);
        }
        if (cells == v.rows) return decode_grid(job, &v, grids[i].strides, grids[i].count);
    }
    return uc_detect_unfit(job, "rows don't fit a grid over the input");
}

const uc_detect_family uc_detect_yolov8 = {.name = "yolov8",
                                           .library = "Ultralytics",
                                           .recognise = recognise_yolov8,
                                           .decode = decode_classes,
                                           .finish = uc_detect_finish_yolo,
                                           .frame = UC_FRAME_INPUT,
                                           .rule = UC_NMS_TORCHVISION,
                                           .apart = UC_APART_OFFSET,
                                           .before = 30000,
                                           .clip = true,
                                           .threshold = 0.25,
                                           .iou = 0.7,
                                           .most = 300};

const uc_detect_family uc_detect_yolov5 = {.name = "yolov5",
                                           .library = "YOLOv5",
                                           .recognise = recognise_yolov5,
                                           .decode = decode_objectness,
                                           .finish = uc_detect_finish_yolo,
                                           .frame = UC_FRAME_INPUT,
                                           .rule = UC_NMS_TORCHVISION,
                                           .apart = UC_APART_OFFSET,
                                           .before = 30000,
                                           .clip = true,
                                           .threshold = 0.25,
                                           .iou = 0.45,
                                           .most = 1000};

const uc_detect_family uc_detect_yolox = {.name = "yolox",
                                          .library = "YOLOX",
                                          .recognise = recognise_yolox,
                                          .decode = decode_yolox,
                                          .frame = UC_FRAME_INPUT,
                                          .rule = UC_NMS_TORCHVISION,
                                          .apart = UC_APART_BATCHED,
                                          .threshold = 0.3,
                                          .iou = 0.45,
                                          .most = 300};

const uc_detect_family uc_detect_yolo_rtdetr = {.name = "yolo_rtdetr",
                                                .library = "Ultralytics",
                                                .recognise = recognise_yolo_rtdetr,
                                                .decode = decode_classes,
                                                .frame = UC_FRAME_UNIT,
                                                .rule = UC_NMS_TORCHVISION,
                                                .apart = UC_APART_OFFSET,
                                                .threshold = 0.25,
                                                .most = 300};
