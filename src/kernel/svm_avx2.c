/* svm.h for AVX2. */
#include "kernel/svm.h"

#include <immintrin.h>

#define SVM_RUN      uc_svm_avx2
#define SVM_BYTES    32
#define SVM_ROWS     2
#define SVM_SUMS     4
#define SVM_ALONE    8
#define SVM_DOTS     4
#define SVM_INTEGERS uc_svm_integer_sums_avx2
#define SVM_FMA      _mm256_fmadd_pd
#include "kernel/svm_body.inc"
