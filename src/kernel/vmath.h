/* exp, log, tanh and the logistic function over arrays. The arithmetic is the same on every
 * instruction set and in every place of an array (no fused multiply-add, tails go through the same
 * vectors), so results don't depend on the machine, the batch or the alignment.
 *
 * Errors, measured over the whole range in units of the last place: exp 1, log 1, tanh 1.5, expit 2.5;
 * float32: correctly rounded but for about one in a million. NaN and infinities as in C's math.h;
 * subnormals are kept. */
#ifndef UC_KERNEL_VMATH_H
#define UC_KERNEL_VMATH_H

#include <stddef.h>

/* y may be x. */
void uc_exp_f64(const double *x, double *y, size_t n);
void uc_log_f64(const double *x, double *y, size_t n);
void uc_tanh_f64(const double *x, double *y, size_t n);
void uc_expit_f64(const double *x, double *y, size_t n); /* 1 / (1 + exp(-x)) */
void uc_exp_f32(const float *x, float *y, size_t n);
void uc_log_f32(const float *x, float *y, size_t n);
void uc_tanh_f32(const float *x, float *y, size_t n);
void uc_expit_f32(const float *x, float *y, size_t n);

/* One instruction set's functions, in the order above. */
typedef void (*uc_vmath_f64)(const double *x, double *y, size_t n);
typedef void (*uc_vmath_f32)(const float *x, float *y, size_t n);
enum { UC_VMATH_EXP, UC_VMATH_LOG, UC_VMATH_TANH, UC_VMATH_EXPIT, UC_VMATH_COUNT };
typedef struct uc_vmath {
    unsigned needs;
    const char *name;
    uc_vmath_f64 f64[UC_VMATH_COUNT];
    uc_vmath_f32 f32[UC_VMATH_COUNT];
} uc_vmath;

/* The i-th row this machine has, best first; NULL beyond the last. */
const uc_vmath *uc_vmath_row(int i);

#endif
