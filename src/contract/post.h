/* What a model's outputs mean: read from what the graph ends in, the outputs' names, shapes and types,
 * and the user's options. A reading that isn't certain notes what it took and how to say otherwise.
 * Applied to one input's row of an output, a reading gives scores, a mask, points or numbers, or says
 * why there is no answer (S1-17: not a number, a wrong count, nothing at all). */
#ifndef UC_CONTRACT_POST_H
#define UC_CONTRACT_POST_H

#include "contract/labels.h"
#include "graph/facts.h"
#include "graph/graph.h"

typedef enum uc_post_kind {
    UC_POST_TENSOR,     /* numbers as they are */
    UC_POST_LABEL,      /* the class itself, an integer or a text */
    UC_POST_CLASSIFY,   /* one class of several */
    UC_POST_MULTILABEL, /* any number of classes */
    UC_POST_REGRESS,
    UC_POST_DETECT, /* boxes: contract/detect.h decodes them */
    UC_POST_SEGMENT,
    UC_POST_KEYPOINTS,
    UC_POST_EMBED,
    UC_POST_IMAGE, /* a picture: super-resolution, style, depth */
    UC_POST_PART,  /* belongs to another output's reading */
} uc_post_kind;
enum { UC_POST_KINDS = UC_POST_PART + 1 };

/* "classify", "multilabel", ...: the words of --task and of "task" in JSON. */
const char *uc_post_kind_name(uc_post_kind kind);
/* False when it is no task of --task. */
bool uc_post_kind_of(const char *name, uc_post_kind *kind);

/* What turns the output's numbers into probabilities. */
typedef enum uc_activation {
    UC_ACTIVATION_AUTO, /* in options: as the graph says */
    UC_ACTIVATION_NONE,
    UC_ACTIVATION_SOFTMAX,
    UC_ACTIVATION_SIGMOID,
    UC_ACTIVATION_EXP, /* of log-probabilities */
} uc_activation;

/* What the graph computes last on the way to an output, looking through operators that only move or
 * retype numbers. */
typedef enum uc_post_end {
    UC_END_OTHER,
    UC_END_LINEAR, /* Gemm, MatMul, Conv, their bias: any number */
    UC_END_SOFTMAX,
    UC_END_LOG_SOFTMAX,
    UC_END_SIGMOID,
    UC_END_TANH,
    UC_END_UNIT,       /* Clip to 0..1 */
    UC_END_BYTE,       /* Clip to 0..255 */
    UC_END_ARGMAX,     /* an index */
    UC_END_UNIT_NORM,  /* divided by its length */
    UC_END_POOL,       /* a mean over pixels: features */
    UC_END_CLASSIFIER, /* probabilities of ai.onnx.ml */
    UC_END_CLASS,      /* its label */
} uc_post_end;

typedef struct uc_post_output {
    const char *name;
    uncork_dtype dtype;
    int rank;                       /* -1: not known */
    int64_t shape[UNCORK_MAX_RANK]; /* batch first; < 0: not known */
    uc_post_end end;
    double scale, zero;       /* of a quantised output: (q - zero) * scale; scale 0: none */
    const uc_tensor *classes; /* what the graph says its columns mean; NULL: nothing */
} uc_post_output;

/* Every output of the graph, [graph->output_count]. NULL when memory is out. */
uc_post_output *uc_post_describe(const uc_graph *graph, uc_arena *arena);

typedef struct uc_post_options {
    int task;                          /* of uc_post_kind; -1: as the outputs say */
    uc_activation activation;          /* AUTO: as the graph says */
    double threshold;                  /* NaN: the task's own */
    size_t label_count;                /* 0: no labels */
    int64_t batch;                     /* rows of the run that gave the shapes; 0: not run */
    bool picture;                      /* the input is one */
    int64_t input_height, input_width; /* of the tensor the model takes; <= 0: free */
    const uc_facts *facts;             /* what else the file says; NULL: nothing */
    struct uc_detector *detector; /* receives the family of a detector; NULL: none is looked for */
} uc_post_options;

typedef struct uc_reading {
    uc_post_kind kind;
    int output; /* its number in the model */
    const char *name;
    uc_post_end end;
    uc_activation activation;
    int64_t classes;                 /* columns or channels with a meaning; 0: none */
    bool presumed;                   /* softmax, unless the numbers are a distribution already */
    bool raw;                        /* scores that aren't probabilities */
    bool binary;                     /* one number is class 1's probability, and 1 - p class 0's */
    bool channels_last;              /* of maps */
    bool whole;                      /* the output has no batch axis: all of it is one input's */
    bool indices;                    /* the map holds class numbers, not scores */
    bool heat;                       /* keypoints come as one map each */
    bool rows_first;                 /* keypoints are y, x, score (MoveNet) */
    double scale, zero;              /* as in uc_post_output */
    double threshold;                /* NaN: none */
    const uc_tensor *column_classes; /* as in uc_post_output */
    int named_by; /* 1 + the output of texts that names each score of a row; 0: none */
} uc_reading;

/* Reads `count` outputs (shapes as the graph knows them or, better, as the first run gave them) into
 * readings[count]. Notes what was assumed and how to say otherwise. USAGE when --task or --activation
 * fits no output. */
uncork_status uc_post_read(const uc_post_output *outputs, int count, const uc_post_options *options,
                           uc_findings *findings, uc_reading *readings, uncork_error *error);

/* The same for the outputs of a detector, all at once; false when they are none's. */
bool uc_post_detect(const uc_post_output *outputs, int count, const uc_post_options *options,
                    uc_findings *findings, uc_reading *readings);

/* Row `r` of `batch` of an output, without its batch axis, dequantised to double when `numbers`.
 * INPUT when it has no such row, no element or holds NaN. */
uncork_status uc_post_take(const uc_reading *reading, const uc_tensor *output, int64_t batch,
                           int64_t r, uc_arena *arena, uc_tensor *row, uncork_error *error);
/* Its numbers as doubles, dequantised; INPUT on NaN. */
uncork_status uc_post_numbers(const uc_reading *reading, const uc_tensor *row, uc_arena *arena,
                              double **numbers, int64_t *count, uncork_error *error);

/* Probabilities of a CLASSIFY or MULTILABEL row: reading->classes of them. */
uncork_status uc_post_scores(const uc_reading *reading, const uc_tensor *row, uc_arena *arena,
                             double **scores, uncork_error *error);
/* Softmax as it is: exp(x - max) / sum, in double. */
void uc_post_softmax(double *x, int64_t n);

/* Where the model's picture lies in the one that was given, both in pixels:
 * given = (model - offset) * scale. */
typedef struct uc_post_place {
    double scale_x, scale_y, offset_x, offset_y;
    int width, height; /* of the picture that was given */
} uc_post_place;

/* A map of class numbers, at the picture's size. */
typedef struct uc_mask {
    int width, height;
    uint16_t *index; /* [height, width] */
    int64_t *pixels; /* [classes]: how many of each */
    int64_t classes;
} uc_mask;
/* place  NULL: the mask keeps the size the model gives it. */
uncork_status uc_post_mask(const uc_reading *reading, const uc_tensor *row,
                           const uc_post_options *options, const uc_post_place *place,
                           uc_arena *arena, uc_mask *mask, uncork_error *error);

typedef struct uc_point {
    double x, y;  /* pixels of the picture that was given */
    double score; /* NaN: none */
} uc_point;
uncork_status uc_post_points(const uc_reading *reading, const uc_tensor *row,
                             const uc_post_options *options, const uc_post_place *place,
                             uc_arena *arena, uc_point **points, int64_t *count,
                             uncork_error *error);

/* An IMAGE row as bytes: channels 1 or 3, [height, width, channels]; values are taken as 0..1, -1..1 or
 * 0..255 by what the graph ends in, else by their range. */
typedef struct uc_post_picture {
    int width, height, channels;
    uint8_t *pixels;
    const char *range; /* which of the three */
} uc_post_picture;
uncork_status uc_post_picture_of(const uc_reading *reading, const uc_tensor *row, uc_arena *arena,
                                 uc_post_picture *picture, uncork_error *error);

#endif
