/* What the families of detectors share: candidates, views of outputs, what is known of a model. */
#ifndef UC_CONTRACT_DETECT_INTERNAL_H
#define UC_CONTRACT_DETECT_INTERNAL_H

#include "contract/detect.h"
#include "kernel/nms.h"

/* Where the numbers of a family's boxes lie. */
typedef enum uc_detect_frame {
    UC_FRAME_INPUT, /* pixels of the model's input */
    UC_FRAME_UNIT,  /* 0 to 1 over the model's input */
} uc_detect_frame;

/* Which boxes suppress each other. */
typedef enum uc_detect_apart {
    UC_APART_CLASSES, /* those of one class */
    UC_APART_BATCHED, /* torchvision.ops.batched_nms: so, or by boxes moved apart, by their number */
    UC_APART_OFFSET,  /* Ultralytics: boxes moved apart by 7680 pixels a class */
    UC_APART_NONE,    /* all of them */
} uc_detect_apart;

typedef struct uc_candidate {
    float box[4];
    float score;
    int32_t id;
    int64_t row; /* of the outputs: for keypoints, masks and order among equals */
} uc_candidate;

typedef struct uc_detect_job {
    const uc_detector *d;
    const uc_tensor *const *outputs;
    int64_t sample;
    float threshold;
    double iou;
    size_t most;
    bool agnostic;
    const uc_geometry *geometry;
    uc_arena *arena;
    uc_findings *findings;
    uncork_error *error;
    uc_detect_frame frame; /* the family's, unless the numbers say otherwise */
    uc_candidate *found;
    size_t count, capacity, lost; /* lost: what was no number */
    size_t group;                 /* where the candidates begin that aren't cut to the best yet */
    size_t mask_bytes;
} uc_detect_job;

typedef struct uc_detect_family {
    const char *name, *library; /* whose arithmetic */
    bool (*recognise)(const uc_detect_model *model, uc_detector *d);
    /* Adds candidates with a score above the threshold. */
    uncork_status (*decode)(uc_detect_job *job);
    /* Leaves out what overlaps, best first; NULL: by the rule. */
    uncork_status (*suppress)(uc_detect_job *job);
    /* Keypoints and masks of those that are left; may be NULL. */
    uncork_status (*finish)(uc_detect_job *job, uc_detections *found);
    uc_detect_frame frame;
    uc_nms_rule rule;
    uc_detect_apart apart;
    size_t before; /* candidates that go into the suppression; 0: all */
    bool clip;     /* to the picture */
    double threshold, iou;
    int64_t most;
} uc_detect_family;

/* ---- detect_view.c ---- */

/* A matrix of float32 over an output: element r, c is data[r * row + c * column]. */
typedef struct uc_detect_view {
    const float *data;
    int64_t rows, columns, row, column;
} uc_detect_view;

static inline float uc_view_at(const uc_detect_view *v, int64_t r, int64_t c)
{
    return v->data[r * v->row + c * v->column];
}

/* The sample's part of output `index` as dense float32 without the batch axis: rank and shape of what is
 * left. `whole`: the output has no batch axis. INPUT where there is no such sample. */
typedef struct uc_detect_array {
    const float *data;
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    int64_t count;
} uc_detect_array;
uncork_status uc_detect_array_of(uc_detect_job *job, int index, bool whole, uc_detect_array *array);
/* The same with `rank` axes after those of length 1 are left out in front; as a matrix of
 * [rows, columns], transposed where the detector says so. */
uncork_status uc_detect_matrix(uc_detect_job *job, int index, bool whole, bool transposed,
                               uc_detect_view *view);
/* Candidates that are compared at most, as in ultralytics/utils/nms.py (max_nms): keeps what a hostile
 * model asks for bounded. */
#define UC_DETECT_CANDIDATES 30000

/* Adds a candidate. One that holds no number is counted instead. */
uncork_status uc_detect_add(uc_detect_job *job, const float box[4], float score, int64_t id,
                            int64_t row);
/* The outputs aren't what was recognised. */
uncork_status uc_detect_unfit(uc_detect_job *job, const char *what);
/* x, y, w, h of a centre to corners. */
void uc_detect_corners(const float xywh[4], float box[4]);
float uc_detect_sigmoid(float x);
/* From the frame of the job to pixels of the picture. */
void uc_detect_to_picture(const uc_detect_job *job, float *x, float *y);
/* A mask of zeros over these corners as far as the picture goes; NULL in *mask where that is nothing. */
uncork_status uc_detect_new_mask(uc_detect_job *job, const float corners[4], uc_detect_mask **mask,
                                 uint8_t **data);
/* Best first; equal scores in the order of rows, then ids. */
void uc_detect_sort(uc_candidate *items, size_t count);
/* Of the candidates from `begin` on the best `most`, in order. */
void uc_detect_best(uc_detect_job *job, size_t begin, size_t most);

/* ---- detect_model.c: questions about a model's outputs ---- */

/* Dimension `axis` of output i from the end (-1: the last); -1 when free or absent. */
int64_t uc_model_dim(const uc_detect_model *m, int i, int axis);
int uc_model_rank(const uc_detect_model *m, int i);
bool uc_model_is_float(const uc_detect_model *m, int i);
/* The output whose name is `name`, holds it between non-letters, or has it before ":0"; -1: none. */
int uc_model_named(const uc_detect_model *m, const char *name);
/* Whether its name says so: box, bbox, regression, locations. For models of four classes. */
bool uc_model_says_boxes(const uc_detect_model *m, int i);
/* The text of a fact, "" when absent. */
const char *uc_model_fact(const uc_detect_model *m, const char *key);
/* Cells of grids of these strides over the input, 0 when its size is free. */
int64_t uc_model_cells(const uc_detect_model *m, const int *strides, int count);
void uc_detect_why(uc_detector *d, const char *format, ...) UC_PRINTF(2, 3);

/* ---- detect_yolo.c ---- */

/* The head's matrix, checked, and of each row the best class above the threshold. */
uncork_status uc_detect_head(uc_detect_job *job, uc_detect_view *v);
int64_t uc_detect_best_class(const uc_detect_view *v, int64_t r, int64_t first, int64_t classes);
/* Whether its output 0 is [1, columns, cells]. */
bool uc_model_has_columns(const uc_detect_model *m, int i);

/* ---- detect_yolo_parts.c: keypoints and masks behind the scores ---- */

uncork_status uc_detect_finish_yolo(uc_detect_job *job, uc_detections *found);

#define FAMILY(symbol) extern const uc_detect_family uc_detect_##symbol;
#include "contract/detect_table.def"
#undef FAMILY

#endif
