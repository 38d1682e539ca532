/* Decisions of a support vector machine: kernel values of rows against packed vectors, then one
 * weighted sum a pair of classes. Float64. Sums are in a fixed order of lanes, so AVX2 and AVX-512 give
 * the same bits, for any number of rows and any row's place; the scalar row, which rounds products
 * too, differs by a few units in the last place of the largest term. */
#ifndef UC_KERNEL_SVM_H
#define UC_KERNEL_SVM_H

#include "kernel/svm_integer.h"

typedef enum uc_svm_kind {
    UC_SVM_LINEAR,      /* x . s */
    UC_SVM_POLY,        /* (gamma x . s + coef0)^degree */
    UC_SVM_RBF,         /* exp(-gamma sum (x - s)^2); 0 below e^-708 */
    UC_SVM_SIGMOID,     /* tanh(gamma x . s + coef0) */
    UC_SVM_PRECOMPUTED, /* x is the kernel's values already, one a vector */
} uc_svm_kind;

enum {
    UC_SVM_LANES = 8,
    UC_SVM_PANEL = 64, /* vectors packed side by side */
    UC_SVM_BLOCK = 16, /* most rows of one call */
};

typedef struct uc_svm {
    uc_svm_kind kind;
    int degree;              /* >= 0 */
    double gamma, coef0;     /* gamma >= 0 */
    int64_t vectors, padded; /* padded: up to a multiple of UC_SVM_LANES */
    int64_t features;        /* of x: `vectors` when precomputed */
    const double *panels;    /* see uc_svm_pack; 64-byte aligned */
    int64_t classes;         /* 1: one sum over all vectors (regression) */
    const int64_t *starts;   /* [classes + 1]: the vectors of each class */
    int64_t sums;            /* weights a vector: classes - 1; 1 for one or two classes */
    const double
        *weights; /* [sums][vectors of it, padded with zeros] a class, one behind the other;
                                [padded] when sums is 1 */
    const double *intercept;         /* [pairs] */
    const uc_svm_integers *integers; /* the vectors once more, as whole numbers; or NULL */
} uc_svm;

/* Up to a multiple of UC_SVM_LANES. */
static inline int64_t uc_svm_padded(int64_t n)
{
    return (n + UC_SVM_LANES - 1) / UC_SVM_LANES * UC_SVM_LANES;
}
/* Doubles of a row's kernel values: eight zeros stand behind them. */
static inline int64_t uc_svm_stride(const uc_svm *svm) { return svm->padded + UC_SVM_LANES; }
/* Doubles that uc_svm_pack writes. */
int64_t uc_svm_packed(int64_t vectors, int64_t features);
/* Panels of up to UC_SVM_PANEL vectors, each [features][vectors of it, padded to 8]. */
void uc_svm_pack(const double *from, int64_t vectors, int64_t features, double *to);
/* Doubles of uc_svm.weights, and from weights [sums, vectors] to them. */
int64_t uc_svm_weights(const uc_svm *svm);
void uc_svm_pack_weights(const uc_svm *svm, const double *from, double *to);
/* Doubles of a block's kernel values and class sums; a row of whole numbers stands behind them. */
static inline int64_t uc_svm_values(const uc_svm *svm)
{
    return UC_SVM_BLOCK * uc_svm_stride(svm) + (svm->sums == 1 ? 0 : svm->classes * svm->sums);
}
/* Doubles of scratch a call needs. */
int64_t uc_svm_scratch(const uc_svm *svm);

/* x  [rows, features], rows <= UC_SVM_BLOCK
 * scratch  uc_svm_scratch doubles, 64-byte aligned
 * decisions  [rows, pairs]: pair (i, j), i < j, in order; positive speaks for i */
typedef void (*uc_svm_fn)(const uc_svm *svm, const double *x, int64_t rows, double *scratch,
                          double *decisions);

/* The best row for these CPU features (uc_cpu_features). */
uc_svm_fn uc_svm_row(unsigned features);

void uc_svm_scalar(const uc_svm *svm, const double *x, int64_t rows, double *scratch,
                   double *decisions);
void uc_svm_avx2(const uc_svm *svm, const double *x, int64_t rows, double *scratch,
                 double *decisions);
void uc_svm_avx512(const uc_svm *svm, const double *x, int64_t rows, double *scratch,
                   double *decisions);

#endif
