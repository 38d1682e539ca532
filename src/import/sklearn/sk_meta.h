/* What the meta-estimators (sk_meta_*.c) share: values as columns, averages, features by number. */
#ifndef UC_IMPORT_SKLEARN_SK_META_H
#define UC_IMPORT_SKLEARN_SK_META_H

#include "import/sklearn/sk.h"

/* A result that is one value, in `dtype`; a vector becomes [rows, 1] when `as_column`. */
uc_ref sk_value(sk_ctx *ctx, const sk_result *result, uncork_dtype dtype, bool as_column);
/* One method of a child as such a value, float64. */
uc_ref sk_apply_f64(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                    bool as_column);
/* a + b, or b alone while `a` is 0. */
uc_ref sk_plus(sk_ctx *ctx, uc_ref a, uc_ref b);
/* The columns of `in` an estimator was trained on. */
bool sk_features(sk_ctx *ctx, const sk_data *in, const int64_t *indices, size_t count,
                 sk_data *out);
/* NumPy's common type of two. */
uncork_dtype sk_common_dtype(uncork_dtype a, uncork_dtype b);
/* Columns [rows, k] put where `at` says among `width`, others filled. */
uc_ref sk_spread(sk_ctx *ctx, uc_ref a, const uc_tensor *at, int64_t width, double fill);
/* [rows] of indices -> [rows, n] of 0 and 1. */
uc_ref sk_index_flags(sk_ctx *ctx, uc_ref index, int64_t n);
/* The attribute is a list or array of tensors, one an output: the i-th as classes (sk_classes). */
const uc_tensor *sk_classes_at(sk_ctx *ctx, const sk_est *est, const char *names, size_t i);
/* decision_function of a classifier, else predict_proba's second column; a regressor's predict.
 * [rows] or [rows, 1]; false: it was probabilities, so that the threshold is 1/2. */
uc_ref sk_binary_scores(sk_ctx *ctx, const sk_est *est, const sk_data *in, bool *is_decision);
/* The columns where mask is true, of a matrix or table [rows, n], in the type they have. */
uncork_status sk_take_columns(sk_ctx *ctx, const sk_est *est, const char *attribute,
                              const bool *mask, int64_t n, const sk_data *in, sk_result *out);
/* A function attribute (func, inverse_func) over the input; its keyword arguments must be none. */
uncork_status sk_call_function(sk_ctx *ctx, const sk_est *est, const char *attribute,
                               const char *arguments, const sk_data *in, sk_result *out);
/* transformer.inverse_transform of a float64 matrix [rows, width]; 0 after a failure. */
uc_ref sk_inverse(sk_ctx *ctx, const sk_est *transformer, uc_ref y, int64_t width);

/* The columns whose importance, as `inner` was fitted, reaches the threshold of `est`; also 0.18's
 * transform of trees and their ensembles (_LearntSelectorMixin), where both are one. */
uncork_status sk_select_by_importance(sk_ctx *ctx, const sk_est *est, const sk_est *inner,
                                      const sk_data *in, sk_result *out);

#endif
