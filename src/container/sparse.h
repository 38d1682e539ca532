/* scipy.sparse in pickles -> CSR: csr, csc, coo, bsr, dia, lil and dok, matrices and arrays, of
 * every SciPy. Indices are checked, duplicates are kept in file order (they add up). */
#ifndef UC_CONTAINER_SPARSE_H
#define UC_CONTAINER_SPARSE_H

#include "container/pickle.h"

/* Row i: values[indptr[i]..indptr[i+1]) at the columns `indices`. */
typedef struct uc_sparse {
    int64_t rows, columns, count;
    const int64_t *indptr;  /* [rows + 1] */
    const int64_t *indices; /* [count], 0 <= index < columns */
    const double *values;   /* [count] */
} uc_sparse;

/* Whether the value is an object of a scipy.sparse class. */
bool uc_sparse_is(const uc_pickle *value);
/* Into the arena. MALFORMED when its parts don't agree, UNSUPPORTED for a format not known. */
uncork_status uc_sparse_read(const uc_pickle *value, uc_arena *arena, uc_sparse *sparse,
                             uncork_error *error);
/* FLOAT64 [rows, columns], duplicates summed; NULL on failure. */
const uc_tensor *uc_sparse_dense(const uc_pickle *value, uc_arena *arena, uncork_error *error);

#endif
