/* Least angle regression and its lasso variant on a Gram matrix: the end of the path that
 * sklearn/linear_model/_least_angle.py, _lars_path_solver (Gram given, return_path=False) walks. */
#ifndef UC_OP_EXT_LARS_PATH_H
#define UC_OP_EXT_LARS_PATH_H

#include <stdbool.h>
#include <stdint.h>

enum { UC_LARS_VECTORS = 5, UC_LARS_LISTS = 1 };

typedef struct uc_lars {
    int64_t k;                              /* regressors */
    int64_t samples;                        /* what alpha is divided by */
    bool lasso, positive, round_directions; /* rounding to 15 decimals: 1.0+ */
    double alpha_min;
    int64_t max_iter;
    double *gram, *factor; /* scratch, each [k, k] */
    double *vectors;       /* scratch [5, k] */
    int64_t *lists;        /* scratch [k] */
} uc_lars;

/* gram: [k, k]; covariance: [k] of the regressors with the target; coefficients: [k]. */
void uc_lars_path(const uc_lars *lars, const double *gram, const double *covariance,
                  double *coefficients);

#endif
