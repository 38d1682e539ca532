/* Support vector sums over small whole numbers (pixels, counts): 16-bit products, 32-bit sums. They
 * are the same doubles that the float64 rows of svm.h make, since sums of whole numbers below 2^31
 * are exact in both; so a row may take either way. */
#ifndef UC_KERNEL_SVM_INTEGER_H
#define UC_KERNEL_SVM_INTEGER_H

#include <stdbool.h>
#include <stdint.h>

enum { UC_SVM_INTEGER_LANES = 16 }; /* vectors side by side */

typedef struct uc_svm_integers {
    int64_t features;
    int64_t blocks; /* of UC_SVM_INTEGER_LANES vectors */
    const int16_t
        *panels; /* [blocks][ceil(features / 2)][UC_SVM_INTEGER_LANES][2], 64-byte aligned */
    const int32_t *norms; /* [blocks * lanes]: sums of squares; NULL: products are wanted */
    int32_t most;         /* the largest magnitude a row may hold */
} uc_svm_integers;

/* The largest magnitude of a row for which every sum stays exact; 0: the vectors [vectors, features]
 * aren't whole numbers, or too large. squared: sums of squared differences, else of products. */
int32_t uc_svm_integer_most(const double *vectors, int64_t count, int64_t features, bool squared);
/* int16 values of the panels. */
int64_t uc_svm_integer_packed(int64_t count, int64_t features);
/* panels and (unless NULL) norms from vectors [count, features]. */
void uc_svm_integer_pack(const double *vectors, int64_t count, int64_t features, int16_t *panels,
                         int32_t *norms);
/* int16 values of a packed row. */
static inline int64_t uc_svm_integer_row_size(int64_t features) { return (features + 1) / 2 * 2; }
/* x [features] to `to`; false when a value is no whole number or too large. */
bool uc_svm_integer_row(const uc_svm_integers *svm, const double *x, int16_t *to);

/* row  from uc_svm_integer_row
 * out  [blocks * UC_SVM_INTEGER_LANES] */
void uc_svm_integer_sums_scalar(const uc_svm_integers *svm, const int16_t *row, double *out);
void uc_svm_integer_sums_avx2(const uc_svm_integers *svm, const int16_t *row, double *out);
void uc_svm_integer_sums_avx512(const uc_svm_integers *svm, const int16_t *row, double *out);

#endif
