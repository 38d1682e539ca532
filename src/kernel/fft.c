/* See fft.h. Sources: Cooley and Tukey, "An algorithm for the machine calculation of complex Fourier
 * series" (1965); Bluestein, "A linear filtering approach to the computation of discrete Fourier
 * transform" (1970). */
#include "kernel/fft.h"

#include <math.h>
#include <string.h>

#define HALF_PI 1.57079632679489661923
#define DIRECT  64 /* up to here the definition is as fast, and exact to the last digits */

static int is_power(int64_t n) { return (n & (n - 1)) == 0; }

static int64_t padded(int64_t n)
{
    int64_t m = 1;
    while (m < 2 * n - 1)
        m *= 2;
    return m;
}

static int by_chirp(int64_t n) { return !is_power(n) && n > DIRECT; }

size_t uc_fft_table(int64_t n)
{
    return by_chirp(n) ? (size_t)(4 * padded(n) + 2 * n) : (size_t)(2 * n);
}

size_t uc_fft_work(int64_t n) { return by_chirp(n) ? (size_t)(2 * padded(n)) : (size_t)(2 * n); }

/* exp(-2 pi i k / n), 0 <= k < n: from the first quarter, so that the axes are exact. */
static void root(int64_t k, int64_t n, double *at)
{
    int64_t quarter = 4 * k / n, rest = 4 * k - quarter * n;
    double angle = (double)rest / (double)n * HALF_PI;
    double c = cos(angle), s = sin(angle);
    at[0] = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
    at[1] = quarter == 0 ? -s : quarter == 1 ? -c : quarter == 2 ? s : c;
}

static void reverse_bits(double *x, int64_t n)
{
    for (int64_t i = 1, j = 0; i < n; i++) {
        int64_t bit = n / 2;
        for (; j & bit; bit /= 2)
            j ^= bit;
        j ^= bit;
        if (i >= j) continue;
        for (int part = 0; part < 2; part++) {
            double t = x[2 * i + part];
            x[2 * i + part] = x[2 * j + part];
            x[2 * j + part] = t;
        }
    }
}

/* n a power of two, in place. */
static void transform_power(const double *roots, int64_t n, double *x)
{
    reverse_bits(x, n);
    for (int64_t half = 1; half < n; half *= 2) {
        int64_t stride = n / (2 * half);
        for (int64_t begin = 0; begin < n; begin += 2 * half) {
            for (int64_t k = 0; k < half; k++) {
                const double *w = roots + 2 * k * stride;
                double *a = x + 2 * (begin + k), *b = a + 2 * half;
                double re = b[0] * w[0] - b[1] * w[1], im = b[0] * w[1] + b[1] * w[0];
                b[0] = a[0] - re;
                b[1] = a[1] - im;
                a[0] += re;
                a[1] += im;
            }
        }
    }
}

static void transform_directly(const uc_fft *f, double *x, double *work)
{
    for (int64_t k = 0; k < f->n; k++) {
        double re = 0, im = 0;
        for (int64_t j = 0; j < f->n; j++) {
            const double *w = f->roots + 2 * (j * k % f->n);
            re += x[2 * j] * w[0] - x[2 * j + 1] * w[1];
            im += x[2 * j] * w[1] + x[2 * j + 1] * w[0];
        }
        work[2 * k] = re;
        work[2 * k + 1] = im;
    }
    memcpy(x, work, (size_t)f->n * 2 * sizeof *x);
}

/* a = a * b, or a * conjugate(b) */
static void multiply(double *a, const double *b, double sign)
{
    double re = a[0] * b[0] - sign * a[1] * b[1];
    a[1] = sign * a[0] * b[1] + a[1] * b[0];
    a[0] = re;
}

static void conjugate(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        x[2 * i + 1] = -x[2 * i + 1];
    }
}

/* j k = (j^2 + k^2 - (k - j)^2) / 2 makes the transform a convolution with the chirp. */
static void transform_by_chirp(const uc_fft *f, double *x, double *work)
{
    memset(work, 0, (size_t)f->m * 2 * sizeof *work);
    memcpy(work, x, (size_t)f->n * 2 * sizeof *work);
    for (int64_t i = 0; i < f->n; i++) {
        multiply(work + 2 * i, f->chirp + 2 * i, 1);
    }
    transform_power(f->roots, f->m, work);
    for (int64_t i = 0; i < f->m; i++) {
        multiply(work + 2 * i, f->filter + 2 * i, 1);
    }
    conjugate(work, f->m); /* back: conjugate, forward, conjugate, divide */
    transform_power(f->roots, f->m, work);
    for (int64_t i = 0; i < f->n; i++) {
        x[2 * i] = work[2 * i] / (double)f->m;
        x[2 * i + 1] = -work[2 * i + 1] / (double)f->m;
        multiply(x + 2 * i, f->chirp + 2 * i, 1);
    }
}

void uc_fft_init(uc_fft *f, int64_t n, double *table)
{
    *f = (uc_fft){.n = n, .m = by_chirp(n) ? padded(n) : 0, .roots = table};
    int64_t length = f->m ? f->m : n;
    for (int64_t k = 0; k < length; k++) {
        root(k, length, table + 2 * k);
    }
    if (!f->m) return;
    double *chirp = table + 2 * f->m, *filter = chirp + 2 * n;
    memset(filter, 0, (size_t)f->m * 2 * sizeof *filter);
    for (int64_t k = 0; k < n; k++) {
        root(k * k % (2 * n), 2 * n, chirp + 2 * k);
        for (int mirrored = 0; mirrored < 2; mirrored++) {
            int64_t at = mirrored && k ? f->m - k : k;
            filter[2 * at] = chirp[2 * k];
            filter[2 * at + 1] = -chirp[2 * k + 1];
        }
    }
    transform_power(f->roots, f->m, filter);
    f->chirp = chirp;
    f->filter = filter;
}

void uc_fft_run(const uc_fft *f, int inverse, double *x, double *work)
{
    if (inverse) conjugate(x, f->n);
    if (f->m) {
        transform_by_chirp(f, x, work);
    } else if (is_power(f->n)) {
        transform_power(f->roots, f->n, x);
    } else {
        transform_directly(f, x, work);
    }
    if (!inverse) return;
    for (int64_t i = 0; i < f->n; i++) {
        x[2 * i] /= (double)f->n;
        x[2 * i + 1] = -x[2 * i + 1] / (double)f->n;
    }
}
