/* Detectors: which family a model's outputs belong to, and its boxes in pixels of the picture, each
 * family in the arithmetic of the library that runs it (docs/detection.md). */
#ifndef UC_CONTRACT_DETECT_H
#define UC_CONTRACT_DETECT_H

#include "contract/geometry.h"
#include "contract/labels.h"
#include "graph/facts.h"

/* What an output is good for; a family uses a few of them. */
typedef enum uc_detect_role {
    UC_ROLE_BOXES,
    UC_ROLE_SCORES, /* a score a box, or one a box and class */
    UC_ROLE_CLASSES,
    UC_ROLE_COUNT,
    UC_ROLE_MASKS,
    UC_ROLE_KEYPOINTS,
    UC_ROLE_KEYPOINT_SCORES,
    UC_ROLES,
} uc_detect_role;

/* Outputs that are alike but for their grid. */
#define UC_DETECT_LEVELS 12

/* What the outputs look like. Shapes are those of a run where there was one, else as declared (-1:
 * free). */
typedef struct uc_detect_model {
    const char *const *names;
    const uc_tensor *const *outputs; /* their data isn't looked at */
    int count;
    int64_t input_width, input_height; /* of the pictures it takes; -1: free */
    size_t labels;                     /* how many there are; 0: not known */
    const uc_facts *facts;             /* may be NULL */
} uc_detect_model;

typedef struct uc_detector {
    const struct uc_detect_family *family; /* NULL: no detector */
    const char *name;                      /* "yolov8" */
    int role[UC_ROLES];                    /* index of the output, -1: none */
    int levels[UC_DETECT_LEVELS], level_count;
    int variant;     /* the family's own */
    int64_t classes; /* scores a box; 0: it says the class itself */
    int first_id;    /* the first label's id: 0, or 1 where 0 is the background */
    int keypoints;   /* of a box; 0: none */
    int keypoint_values;
    int mask_coefficients;
    bool transposed;       /* boxes are columns */
    bool objectness;       /* a score of its own before those of the classes */
    bool softmax;          /* over the classes, the last of which is none */
    double threshold, iou; /* the library's; iou 0: the model has left out what overlaps */
    int64_t most;
    char why[240]; /* the evidence */
} uc_detector;

/* The family, its parameters and why; false when the outputs are no detector's. */
bool uc_detect_recognise(const uc_detect_model *model, uc_detector *detector);

/* Whose arithmetic it follows. */
const char *uc_detect_library(const uc_detector *detector);

typedef struct uc_detect_options {
    double threshold;  /* negative: the family's */
    double iou;        /* negative: the family's */
    int64_t max_boxes; /* 0: the family's, at most 200 */
    bool agnostic;     /* a box suppresses those of other classes too */
} uc_detect_options;

/* The pixels inside, one byte each: 1 or 0. It lies at left, top in the picture. */
typedef struct uc_detect_mask {
    int left, top, width, height;
    const uint8_t *data; /* [height, width] */
} uc_detect_mask;

typedef struct uc_detection {
    int64_t id; /* of the class, as the model numbers them */
    float score;
    float box[4];           /* x1, y1, x2, y2 */
    const float *keypoints; /* [count, 3]: x, y, score (1 where the model gives none); or NULL */
    const uc_detect_mask *mask; /* or NULL */
} uc_detection;

typedef struct uc_detections {
    uc_detection *items; /* best first */
    size_t count;
    int keypoint_count;
} uc_detections;

/* The boxes of picture `sample` of the batch. What is no number is left out, and noted. INPUT when the
 * outputs aren't what was recognised. */
uncork_status uc_detect_boxes(const uc_detector *detector, const uc_tensor *const *outputs,
                              int64_t sample, const uc_detect_options *options,
                              const uc_geometry *geometry, uc_arena *arena, uc_findings *findings,
                              uc_detections *detections, uncork_error *error);

/* The name of class `id`, empty when there is none. Ids from 1 count from the first label, unless that
 * stands for nothing (a label map leaves it empty, a list says "???" or "background"); ids from 0 step
 * over such a one. */
uc_str uc_detect_label(const uc_detector *detector, int64_t id, const uc_labels *labels);

#endif
