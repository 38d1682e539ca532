/* See linalg.h. Golub & Van Loan, Matrix Computations, 4th ed., 4.2.9 and 3.4.1. */
#include "kernel/linalg.h"

#include <math.h>

bool uc_cholesky(double *a, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = j; i < n; i++) {
            double sum = a[i * n + j];
            for (int64_t k = 0; k < j; k++) {
                sum -= a[i * n + k] * a[j * n + k];
            }
            if (i > j) {
                a[i * n + j] = sum / a[j * n + j];
            } else if (sum > 0.0 && !isinf(sum)) {
                a[j * n + j] = sqrt(sum);
            } else {
                return false;
            }
        }
    }
    return true;
}

void uc_cholesky_solve(const double *l, int64_t n, double *b)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < i; k++) {
            b[i] -= l[i * n + k] * b[k];
        }
        b[i] /= l[i * n + i];
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t k = i + 1; k < n; k++) {
            b[i] -= l[k * n + i] * b[k];
        }
        b[i] /= l[i * n + i];
    }
}

static void swap_rows(double *a, int64_t n, int64_t r, int64_t s)
{
    for (int64_t j = 0; j < n; j++) {
        double t = a[r * n + j];
        a[r * n + j] = a[s * n + j];
        a[s * n + j] = t;
    }
}

int uc_lu(double *a, int64_t n, int64_t *pivot)
{
    int sign = 1;
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t i = k + 1; i < n; i++) {
            if (fabs(a[i * n + k]) > fabs(a[best * n + k])) best = i;
        }
        pivot[k] = best;
        if (!(fabs(a[best * n + k]) > 0.0)) return 0;
        if (best != k) {
            swap_rows(a, n, best, k);
            sign = -sign;
        }
        for (int64_t i = k + 1; i < n; i++) {
            double f = a[i * n + k] /= a[k * n + k];
            for (int64_t j = k + 1; j < n; j++) {
                a[i * n + j] -= f * a[k * n + j];
            }
        }
    }
    return sign;
}

void uc_lu_solve(const double *lu, const int64_t *pivot, int64_t n, double *b)
{
    for (int64_t k = 0; k < n; k++) {
        double t = b[pivot[k]];
        b[pivot[k]] = b[k];
        b[k] = t;
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < i; k++) {
            b[i] -= lu[i * n + k] * b[k];
        }
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t k = i + 1; k < n; k++) {
            b[i] -= lu[i * n + k] * b[k];
        }
        b[i] /= lu[i * n + i];
    }
}
