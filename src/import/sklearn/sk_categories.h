/* Categories of encoders: lists of texts or numbers, missing values among them, and the graph piece
 * that turns cells into slots: one slot a category, the one in front of each column's for the rest.
 *
 * Missing values among texts are fed as "nan" (what pandas and the command read in an empty cell), so
 * a category NaN, or None where there is no NaN, answers to that text. */
#ifndef UC_IMPORT_SKLEARN_SK_CATEGORIES_H
#define UC_IMPORT_SKLEARN_SK_CATEGORIES_H

#include "import/sklearn/sk_prep.h"

/* The categories of one column. */
typedef struct sk_categories {
    bool is_text;
    bool is_whole; /* numbers: all are integers or bools, none is missing */
    int64_t count;
    uc_str *texts;   /* is_text */
    double *numbers; /* else; None is NaN */
    int64_t *wholes; /* is_whole */
    int64_t nan;     /* which one is NaN, -1: none */
    int64_t none;    /* which one is None */
} sk_categories;

/* One array or list of categories; `attribute` for messages. */
bool sk_read_categories(sk_ctx *ctx, const sk_est *est, const char *attribute,
                        const uc_pickle *value, sk_categories *out);
/* A list of them, one a column; NULL after a failure. */
sk_categories *sk_read_category_lists(sk_ctx *ctx, const sk_est *est, const char *names,
                                      size_t *count);
/* Whole numbers 0 to n-1. */
bool sk_whole_categories(sk_ctx *ctx, int64_t n, sk_categories *out);
/* Number of slots of all columns. */
int64_t sk_slot_count(const sk_categories *lists, size_t count);

/* Slots of what was fed, i64 [rows, count], or [rows] for a vector.
 *
 * strict  a cell that is no category is an INPUT error naming row, column and value
 * limits  as uncork.CategoryIndex takes them, or NULL: then numbers are cut to whole ones first */
uc_ref sk_category_slots(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                         const sk_categories *lists, size_t count, bool strict,
                         const int64_t *limits);
/* [rows, width] from slots: `targets` [slots] are columns or -1. */
uc_ref sk_category_one_hot(sk_ctx *ctx, uc_ref slots, const int64_t *targets, int64_t slot_count,
                           int64_t width, uncork_dtype dtype, double on, double off);

#endif
