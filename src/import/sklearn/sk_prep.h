/* What the preprocessing families share: rows whose float type is kept through NumPy's in-place
 * arithmetic, and attributes with one entry a column. */
#ifndef UC_IMPORT_SKLEARN_SK_PREP_H
#define UC_IMPORT_SKLEARN_SK_PREP_H

#include "import/sklearn/sk.h"

/* Rows [n, width], FLOAT64 or FLOAT32. */
typedef struct sk_rows_of {
    uc_ref ref;
    uncork_dtype dtype;
    int64_t width; /* -1 unknown */
} sk_rows_of;

/* The rows fed, float32 kept; `width` is what the estimator was trained on (-1: any). */
sk_rows_of sk_float_rows(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t width);
/* An attribute with one number a column, FLOAT32 as stored, else FLOAT64. Sets *width when it is -1,
 * fails when they differ. */
const uc_tensor *sk_per_column(sk_ctx *ctx, const sk_est *est, const char *names, int64_t *width);
/* n_features_in_ and its forerunners, -1 when the estimator doesn't tell. */
int64_t sk_features_in(sk_ctx *ctx, const sk_est *est);
/* x op= c, c [width] or a scalar. Float32 rows meet a float64 c in float64 and are rounded after, as
 * NumPy's in-place operators do; as_x: c is cast to the rows' type first (xp.astype). */
sk_rows_of sk_in_place(sk_ctx *ctx, sk_rows_of x, const char *op, const uc_tensor *c, bool as_x);
/* A scalar in the type of the rows. */
uc_ref sk_scalar_of(sk_ctx *ctx, uncork_dtype dtype, double v);
/* The reference cast when the types differ. */
uc_ref sk_cast(sk_ctx *ctx, uc_ref ref, uncork_dtype from, uncork_dtype to);
/* The rows as a result; names of the columns are kept when none was added or lost. */
uncork_status sk_return_rows(sk_ctx *ctx, const sk_data *in, sk_rows_of x, sk_result *out);
/* Columns of what was fed by index, in the type they were fed as (text too). */
uncork_status sk_return_columns(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t width,
                                const int64_t *columns, int64_t count, sk_result *out);

/* Columns in types of their own: one matrix in their common type, or a table where text and numbers
 * meet. */
uncork_status sk_return_table(sk_ctx *ctx, const sk_est *est, const sk_column *columns,
                              size_t count, sk_result *out);

/* A parameter that is a NumPy type (numpy.float32, dtype('<f4'), float, "int64"); the default when
 * absent or None. Fails when it is no number type. */
uncork_dtype sk_dtype(sk_ctx *ctx, const sk_est *est, const char *names, uncork_dtype otherwise);

#endif
