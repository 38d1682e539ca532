/* What the linear families share: X . coef^T + intercept in the type NumPy computes it in. */
#ifndef UC_IMPORT_SKLEARN_SK_LINEAR_H
#define UC_IMPORT_SKLEARN_SK_LINEAR_H

#include "import/sklearn/sk.h"

/* Scores of rows. */
typedef struct sk_scores {
    uc_ref ref;
    uncork_dtype dtype; /* FLOAT64, or FLOAT32 where rows and weights are float32 */
    int64_t width;      /* 0: a vector [rows]; else [rows, width] */
} sk_scores;

/* x . w + b as one node.
 *
 * w  [width, features], or [features, width] when `transposed` is false; FLOAT64 or FLOAT32.
 * b  [width] or one value; NULL: none.
 * Float32 only when the rows fed, w and b all are; widened to float64 exactly otherwise. */
sk_scores sk_affine(sk_ctx *ctx, const sk_est *est, const sk_data *in, const uc_tensor *w,
                    bool transposed, const uc_tensor *b);
/* As sk_affine for a value that is computed already. */
sk_scores sk_affine_on(sk_ctx *ctx, sk_scores x, const uc_tensor *w, bool transposed,
                       const uc_tensor *b);
/* Entry i of a list of arrays, dense, FLOAT32 or FLOAT64 as stored (other numbers as FLOAT64), of this
 * rank and not empty. NULL after a failure, which names the attribute. */
const uc_tensor *sk_entry(sk_ctx *ctx, const sk_est *est, const char *attribute, size_t i,
                          int rank);
/* coef_ and intercept_ of the estimator, dense or sparse. A coef_ of rank 1 gives a vector. */
sk_scores sk_linear_scores(sk_ctx *ctx, const sk_est *est, const sk_data *in);
/* The same with a single column made a vector: LinearClassifierMixin.decision_function. */
sk_scores sk_linear_decision(sk_ctx *ctx, const sk_est *est, const sk_data *in);
/* Widens to float64. */
uc_ref sk_scores_f64(sk_ctx *ctx, sk_scores s);
/* Fails unless there is one class a column, or two for a vector of scores. */
bool sk_check_classes(sk_ctx *ctx, const sk_est *est, const uc_tensor *classes, int64_t width);
/* [rows] of p -> [rows, 2] of 1-p, p. */
uc_ref sk_two_columns(sk_ctx *ctx, uc_ref p);
/* Answers predict_proba and predict_log_proba with float64 probabilities, in `dtype`. */
uncork_status sk_return_probabilities(sk_ctx *ctx, sk_method method, uc_ref proba,
                                      uncork_dtype dtype, int64_t width, sk_result *out);
/* Answers predict of a decision function: classes[decision > 0] or classes[argmax]. */
uncork_status sk_return_decided(sk_ctx *ctx, const sk_est *est, sk_scores decision, sk_result *out);
/* expit of every class, rows divided by their sum; uniform_zeros: rows of zeros become uniform. */
uc_ref sk_ovr_proba(sk_ctx *ctx, sk_scores decision, bool uniform_zeros);

/* transform of a linear model of 0.18: the columns with weight. */
uncork_status sk_linear_select(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_result *out);

#endif
