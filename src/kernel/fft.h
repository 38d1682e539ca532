/* Discrete Fourier transforms of any length, float64, over tables that the caller keeps. Powers of two
 * by Cooley and Tukey, other lengths up to 64 by the definition, longer ones by Bluestein's chirp.
 * Errors stay below 2e-15 log2(n) of the largest output. */
#ifndef UC_KERNEL_FFT_H
#define UC_KERNEL_FFT_H

#include <stddef.h>
#include <stdint.h>

/* Lengths from 1 to this. */
#define UC_FFT_MAX (INT64_C(1) << 26)

typedef struct uc_fft {
    int64_t n;
    int64_t m;            /* Bluestein: the power of two behind it; 0: none */
    const double *roots;  /* n, or m: [length, 2], root k is exp(-2 pi i k / length) */
    const double *chirp;  /* Bluestein: [n, 2], exp(-pi i k^2 / n) */
    const double *filter; /* Bluestein: [m, 2], transform of the conjugate chirp */
} uc_fft;

/* Doubles of the tables, and of the work space of one transform. */
size_t uc_fft_table(int64_t n);
size_t uc_fft_work(int64_t n);
/* Fills `table` (uc_fft_table doubles) and what `fft` says about it. */
void uc_fft_init(uc_fft *fft, int64_t n, double *table);
/* x [n, 2] in place: y[k] = sum x[j] exp(-2 pi i j k / n); inverse: exp(+...), divided by n. */
void uc_fft_run(const uc_fft *fft, int inverse, double *x, double *work);

#endif
