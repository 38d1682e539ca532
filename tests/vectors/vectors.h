/* What a vector is, and the rows that carry one out: one file a library, each ending in a table. A row
 * computes what the genuine library's call with these parameters gives, through libuncork's functions;
 * vectors.c compares. */
#ifndef UC_TESTS_VECTORS_H
#define UC_TESTS_VECTORS_H

#include "base/json.h"
#include "base/tensor.h"
#include "image/decode.h"
#include "image/pixels.h"

typedef struct vector {
    uc_str library, op, version;
    uc_str image;          /* its name in the folder */
    uc_bytes file;         /* its bytes */
    const uc_json *params; /* as index.json has them */
    uc_arena *arena;       /* of this vector */
    uncork_error *error;
    uc_tensor *result; /* set by the row; dimensions of 1 don't count in the comparison */
} vector;

/* Gives v->result, or the status with which libuncork refuses: a vector with compare "error" holds when it
 * does. */
typedef uncork_status (*vector_fn)(vector *v);

typedef struct vector_row {
    const char *library, *op;
    vector_fn run;
} vector_row;

/* Each ends with a row of NULLs; vectors.c lists them. */
extern const vector_row vectors_pillow[];
extern const vector_row vectors_opencv[];
extern const vector_row vectors_tensorflow[];
extern const vector_row vectors_readers[];
extern const vector_row vectors_resize_opencv[];
extern const vector_row vectors_resize_tensorflow[];
extern const vector_row vectors_resize_torchvision[];
extern const vector_row vectors_resize_keras[];
extern const vector_row vectors_resize_skimage[];

/* Parameters. */
uc_str vector_text(const vector *v, const char *name, const char *otherwise);
double vector_number(const vector *v, const char *name, double otherwise);
bool vector_flag(const vector *v, const char *name, bool otherwise);
bool vector_has(const vector *v, const char *name); /* there, and not null */
/* Exactly n numbers of an array; INPUT when they aren't there. */
uncork_status vector_ints(const vector *v, const char *name, int *to, size_t n);
uncork_status vector_doubles(const vector *v, const char *name, double *to, size_t n);
/* The number in front of the first dot of the version. */
int vector_major(const vector *v);
/* INPUT: a parameter whose value this runner doesn't know. */
uncork_status vector_unknown(const vector *v, const char *name);

/* Pillow's Image.open, and the RGB array of it on which the operations behind decoding start. */
uncork_status vector_open(const vector *v, uc_image *image);
uncork_status vector_rgb(const vector *v, uc_pixels *pixels);

/* The result. */
uncork_status vector_give(vector *v, uncork_dtype dtype, int rank, const int64_t *shape,
                          void *data);
uncork_status vector_give_pixels(vector *v, const uc_pixels *pixels); /* [h, w, c] */
uncork_status vector_give_image(vector *v, const uc_image *image);    /* numpy.asarray(image) */

#endif
