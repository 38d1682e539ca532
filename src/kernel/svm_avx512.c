/* svm.h for AVX-512. */
#include "kernel/svm.h"

#include <immintrin.h>

#define SVM_RUN      uc_svm_avx512
#define SVM_BYTES    64
#define SVM_ROWS     4
#define SVM_SUMS     4
#define SVM_ALONE    8
#define SVM_DOTS     8
#define SVM_INTEGERS uc_svm_integer_sums_avx512
#define SVM_FMA      _mm512_fmadd_pd
#include "kernel/svm_body.inc"
