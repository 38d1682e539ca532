/* Sums of pairs in the instructions every machine has: see mirror_sum.h. */
#define VECTOR 16
#define NAME   uc_mirror_sum_scalar
#include "kernel/mirror_sum.inc"
