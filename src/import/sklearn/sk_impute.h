/* Missing cells: what imputers and their indicators share. */
#ifndef UC_IMPORT_SKLEARN_SK_IMPUTE_H
#define UC_IMPORT_SKLEARN_SK_IMPUTE_H

#include "import/sklearn/sk_prep.h"

/* The value that stands for "missing" (missing_values). */
typedef struct sk_missing {
    bool is_nan;  /* NaN, None or pandas.NA; among texts these are fed as "nan" */
    bool is_text; /* `text`, which no number is */
    double number;
    uc_str text;
} sk_missing;

bool sk_read_missing(sk_ctx *ctx, const sk_est *est, sk_missing *out);
/* Where `x` (of dtype, any rank) is missing: bool, its shape. */
uc_ref sk_missing_mask(sk_ctx *ctx, const sk_missing *missing, uc_ref x, uncork_dtype dtype);
/* Appends what indicator_ says of the mask (bool [rows, width]) to imputed rows when add_indicator. */
uncork_status sk_add_indicator(sk_ctx *ctx, const sk_est *est, uc_ref mask, int64_t width,
                               sk_result *imputed);

#endif
