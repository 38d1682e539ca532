/* NumPy's dtypes and arrays as they stand in pickles, joblib files and old joblib's side files. */
#ifndef UC_CONTAINER_PICKLE_NUMPY_H
#define UC_CONTAINER_PICKLE_NUMPY_H

#include "container/pickle_machine.h"

/* A dtype, immutable: it refers only to dtypes made before it, so there are no cycles. */
struct uc_pickle_dtype {
    char kind;    /* 'b', 'i', 'u', 'f', 'c', 'M', 'm', 'O', 'S', 'U', 'V' */
    bool swapped; /* bytes of an element are big-endian */
    bool has_objects;
    size_t item_size;
    uncork_dtype dtype; /* what its elements become; NONE: nothing (V, O, complex256) */
    /* A sub-array: `base` repeated. */
    const uc_pickle_dtype *base;
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    /* A structure: */
    size_t field_count;
    uc_str *names;
    size_t *offsets;
    const uc_pickle_dtype **fields;
};

/* "f8", "<i4", "S10", "U3", "V56", "O8", "M8[D]" -> *dtype; false when it is none of these. */
bool uc_pickle_parse_dtype(uc_str code, uc_pickle_dtype *dtype);
/* Shape of a TUPLE of integers (or one integer). False with a failure in m->error. */
uncork_status uc_pickle_shape(uc_pickle_machine *m, const uc_pickle *value, int *rank,
                              int64_t *shape);
/* Bytes that an array takes in the stream; fails when they don't fit the address space. */
uncork_status uc_pickle_array_bytes(uc_pickle_machine *m, const uc_pickle_dtype *dtype, int rank,
                                    const int64_t *shape, size_t *bytes);
/* Turns `node` into an ARRAY or RECORDS of these bytes (exactly as many as the shape needs), in
 * Fortran order when said; leaves it as it is when the dtype becomes nothing. */
uncork_status uc_pickle_set_array(uc_pickle_machine *m, uc_pickle *node,
                                  const uc_pickle_dtype *dtype, int rank, const int64_t *shape,
                                  uc_bytes raw, bool fortran);
/* Turns `node` into OBJECTS of a list's items. */
uncork_status uc_pickle_set_objects(uc_pickle_machine *m, uc_pickle *node, const uc_pickle *list,
                                    int rank, const int64_t *shape);
/* Turns `node` into what a .npy file holds, records and objects included. */
uncork_status uc_pickle_read_npy(uc_pickle_machine *m, uc_bytes file, uc_pickle *node);

#endif
