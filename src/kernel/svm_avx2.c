/* svm.h for AVX2. */
#include "kernel/svm.h"

#define SVM_RUN   uc_svm_avx2
#define SVM_BYTES 32
#define SVM_ROWS  2
#define SVM_SUMS  4
#include "kernel/svm_body.inc"
