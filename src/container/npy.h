/* NumPy's .npy files, formats 1.0 to 3.0, both ways; .npz is a zip of them. Source: NumPy,
 * numpy/lib/format.py ("Format specification"). */
#ifndef UC_CONTAINER_NPY_H
#define UC_CONTAINER_NPY_H

#include "base/tensor.h"
#include "base/writer.h"
#include "container/zip.h"

/* An element type as NumPy writes it: "<f8", "|S3", ">U2", "|O". */
typedef struct uc_npy_type {
    uncork_dtype dtype; /* STRING for S and U; NONE for O */
    char kind;          /* numpy.dtype.kind: b i u f c S U O */
    size_t item_size;   /* bytes of an element in the file; U: 4 a character */
    bool swapped;       /* big-endian */
} uc_npy_type;

typedef struct uc_npy {
    uc_npy_type type;
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    bool fortran;
    uc_tensor *tensor; /* native, C order; NULL for objects */
    uc_bytes pickle;   /* objects: a pickle of a list of them, in the file's order */
    size_t size;       /* bytes of the file that the array takes */
} uc_npy;

/* Reads a type; false for structured, void, date and extended ones. */
bool uc_npy_type_read(uc_str text, uc_npy_type *type);

bool uc_npy_probe(uc_bytes bytes);
/* Reads the array at the beginning of the bytes. Numbers are a view where type, order and alignment
 * allow it: `bytes` must live as long as the arena. */
uncork_status uc_npy_read(uc_bytes bytes, uint64_t base, uc_arena *arena, uc_npy *npy,
                          uncork_error *error);

/* Writes a dense tensor, byte for byte as NumPy 2 does. What NumPy doesn't have is widened: the
 * short floats to float32, int4 and int2 to int8, uint4 and uint2 to uint8. Failures are the
 * writer's. */
void uc_npy_write(uc_writer *out, const uc_tensor *t);
/* The same as an entry `name`.npy of an .npz. */
void uc_npz_put(uc_zip_writer *zip, const char *name, const uc_tensor *t);

#endif
