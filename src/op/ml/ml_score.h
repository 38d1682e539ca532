/* What the operators of ai.onnx.ml share: scores after the model (post_transform), class labels, rows of
 * any numeric type. Source: ONNX Runtime, core/providers/cpu/ml/ml_common.h. */
#ifndef UC_OP_ML_ML_SCORE_H
#define UC_OP_ML_ML_SCORE_H

#include "op/shape.h"

typedef enum uc_post { /* numbered as attribute post_transform of TreeEnsemble 5 */
                       UC_POST_NONE,
                       UC_POST_SOFTMAX,
                       UC_POST_LOGISTIC,
                       UC_POST_SOFTMAX_ZERO,
                       UC_POST_PROBIT,
} uc_post;

/* Attribute post_transform as text. */
uncork_status uc_post_of(uc_call *call, uc_post *post);
/* One row's scores in place. Of a single score ONNX Runtime takes PROBIT alone: so do callers. */
void uc_post_row(uc_post post, double *scores, int64_t n);
/* A single score of two classes, to out[2]: LOGISTIC of both signs; else `positive`: [1 - s, s], or
 * [-s, s]. PROBIT is of the one score, and 0 stands behind it (ONNX Runtime leaves that unset). */
void uc_post_pair(uc_post post, bool positive, double score, double out[2]);

typedef struct uc_labels {
    const uc_attr *texts, *ints; /* one of the two, or neither */
    int64_t count;
} uc_labels;

/* The labels: attribute `ints` (its name differs) or classlabels_strings. */
uc_labels uc_labels_of(const uc_call *call, const char *ints);
uncork_dtype uc_labels_dtype(const uc_labels *labels);
/* Labels without a list: 1 and 0, as integers or texts. */
enum { UC_LABEL_ONE = -1, UC_LABEL_ZERO = -2 };
/* Output i [rows]: the labels of these classes (or UC_LABEL_*). */
uncork_status uc_labels_write(uc_call *call, size_t i, const uc_labels *labels,
                              const int64_t *classes, int64_t rows);

/* Floats of an attribute given as FLOATS `name` or a TENSOR `name`_as_tensor; *values is float64 in
 * call->arena. *is_double tells a float64 tensor. */
uncork_status uc_ml_floats(uc_call *call, const char *name, const double **values, int64_t *count,
                           bool *is_double);

/* Rows of x: [n, features], or [features] as one row. Fails for other ranks. Unknown stays -1. */
uncork_status uc_ml_rows(uc_call *call, int64_t *rows, int64_t *features);
/* The elements of input 0 in scratch, float64; NULL after a failure. as_float: rounded to float32 once,
 * as ONNX Runtime does with every type but double. */
const double *uc_ml_input(uc_call *call, bool as_float);
/* float64 numbers to output i of the declared type. */
uncork_status uc_ml_output(uc_call *call, size_t i, const double *values, int rank,
                           const int64_t *shape);

#endif
