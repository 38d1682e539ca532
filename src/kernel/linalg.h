/* Small dense linear algebra in float64, row-major: what models need once when they open, or for a
 * few neighbours a row. Plain loops; failures are told, not raised. */
#ifndef UC_KERNEL_LINALG_H
#define UC_KERNEL_LINALG_H

#include <stdbool.h>
#include <stdint.h>

/* a [n, n], symmetric positive definite, becomes its lower Cholesky factor (the upper triangle is
 * left as it is). False: not positive definite. */
bool uc_cholesky(double *a, int64_t n);
/* Solves L L' x = b in place, L from uc_cholesky. */
void uc_cholesky_solve(const double *l, int64_t n, double *b);
/* a [n, n] becomes P L U (unit L below the diagonal) with partial pivoting; pivot: [n]. Returns the
 * sign of the permutation; 0: singular. */
int uc_lu(double *a, int64_t n, int64_t *pivot);
/* Solves a x = b in place after uc_lu; b: [n]. */
void uc_lu_solve(const double *lu, const int64_t *pivot, int64_t n, double *b);

#endif
