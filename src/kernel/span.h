/* Loops over one row of numbers, in float32 and float64: what pooling, depthwise convolution and the
 * normalisations do along their innermost dimension. Sums run in float64, in an order that depends on
 * n alone. Nothing need be aligned; y may be x, but must not overlap it otherwise. */
#ifndef UC_KERNEL_SPAN_H
#define UC_KERNEL_SPAN_H

#include <stdint.h>

#define UC_SPAN_ROW(T, NAME)                                                               \
    typedef struct NAME {                                                                  \
        /* y[i] += a * x[i * step] */                                                      \
        void (*axpy)(T * y, const T *x, int64_t step, T a, int64_t n);                     \
        /* y[i] += x[i * step] */                                                          \
        void (*add)(T * y, const T *x, int64_t step, int64_t n);                           \
        /* y[i] = max(y[i], x[i * step]); NaN where one is */                              \
        void (*max)(T * y, const T *x, int64_t step, int64_t n);                           \
        /* y[i] = (x[i] - shift) * scale + offset */                                       \
        void (*scale)(T * y, const T *x, T shift, T scale, T offset, int64_t n);           \
        /* The same times gamma[i] plus beta[i]; beta may be NULL */                       \
        void (*affine)(T * y, const T *x, T shift, T scale, const T *gamma, const T *beta, \
                       int64_t n);                                                         \
        /* Sum of x, of (x - mean)^2, of a * b */                                          \
        double (*sum)(const T *x, int64_t n);                                              \
        double (*squares)(const T *x, double mean, int64_t n);                             \
        T (*dot)(const T *a, const T *b, int64_t n);                                       \
    } NAME;

UC_SPAN_ROW(float, uc_span_f32)
UC_SPAN_ROW(double, uc_span_f64)

/* The best this machine has. */
const uc_span_f32 *uc_spans_f32(void);
const uc_span_f64 *uc_spans_f64(void);

extern const uc_span_f32 uc_span_f32_scalar, uc_span_f32_avx2, uc_span_f32_avx512;
extern const uc_span_f64 uc_span_f64_scalar, uc_span_f64_avx2, uc_span_f64_avx512;

#endif
