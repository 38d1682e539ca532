/* Tensors and the other kinds of value that flow along a graph's edges. */
#ifndef UC_BASE_TENSOR_H
#define UC_BASE_TENSOR_H

#include "base/arena.h"
#include "base/dtype.h"

/* Where a value's memory lives; one place today, a device may come. */
typedef enum uc_memory { UC_MEMORY_HOST } uc_memory;

/* Strings of a tensor: element i is bytes[offsets[i] .. offsets[i+1]). */
typedef struct uc_strings {
    const uint64_t *offsets; /* count + 1 */
    const char *bytes;
    bool is_bytes; /* raw bytes (numpy S), not UTF-8 text */
} uc_strings;

typedef struct uc_tensor {
    uncork_dtype dtype;
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    int64_t stride[UNCORK_MAX_RANK]; /* in elements; C order when dense */
    void *data;                      /* NULL for strings */
    uc_strings strings;
    uc_memory memory;
} uc_tensor;

typedef enum uc_kind {
    UC_NOTHING, /* a missing optional input */
    UC_TENSOR,
    UC_SEQUENCE, /* items */
    UC_MAP,      /* items[0] keys, items[1] values */
    UC_OPTIONAL, /* zero or one item */
    UC_LIST,     /* TensorList, TensorArray */
    UC_TABLE,    /* a look-up table */
    UC_TOKEN,    /* order of state accesses */
} uc_kind;

/* Items are shared between values and never changed once made. Where only types are known, `tensor`
 * of a sequence, optional or map holds an element's type and shape (rank -1: any). */
typedef struct uc_value uc_value;
struct uc_value {
    uc_kind kind;
    uc_kind item_kind; /* of sequences and optionals; NOTHING reads as TENSOR */
    uc_tensor tensor;
    uc_value **items;
    size_t item_count;
    const void *home; /* of an item: whose memory it lies in; NULL: the caller's */
};

/* Product of the dimensions; 1 for rank 0. */
int64_t uc_tensor_count(const uc_tensor *t);
/* Product of the dimensions as a checked size; false when it overflows or one is negative. */
bool uc_shape_count(const int64_t *shape, int rank, size_t *count);
/* Bytes of a dense tensor (packed for types below 8 bits); false on overflow. */
bool uc_shape_bytes(uncork_dtype dtype, const int64_t *shape, int rank, size_t *bytes);
/* Sets type and shape and C-order strides; data stays. */
void uc_tensor_set(uc_tensor *t, uncork_dtype dtype, int rank, const int64_t *shape);
/* A dense tensor of zeros in the arena (strings: all empty); NULL when the arena is out. */
uc_tensor *uc_tensor_new(uc_arena *arena, uncork_dtype dtype, int rank, const int64_t *shape);
/* The same with elements that the caller writes, all of them; no strings. */
uc_tensor *uc_tensor_new_raw(uc_arena *arena, uncork_dtype dtype, int rank, const int64_t *shape);
/* The same with one dimension, over a copy of `data`. */
uc_tensor *uc_tensor_f64(uc_arena *arena, const double *data, int64_t n);
uc_tensor *uc_tensor_i64(uc_arena *arena, const int64_t *data, int64_t n);
/* Strings copied into the arena. */
uc_tensor *uc_tensor_strings(uc_arena *arena, const uc_str *items, int rank, const int64_t *shape);
bool uc_tensor_is_dense(const uc_tensor *t);
/* The same elements dense in C order: `t` itself when it is, else a copy. NULL as above. */
const uc_tensor *uc_tensor_dense(uc_arena *arena, const uc_tensor *t);
/* A dense copy converted to `dtype`; NULL when the arena is out or there is no conversion. */
uc_tensor *uc_tensor_cast(uc_arena *arena, const uc_tensor *t, uncork_dtype dtype);
/* Sets y's strides so that it is x's elements, of any strides, under y's shape (of as many elements, not
 * none); false when no strides do that. */
bool uc_tensor_reshape_strided(const uc_tensor *x, uc_tensor *y);
/* Views: other shape over the same dense data; axes swapped. */
uc_tensor uc_tensor_reshaped(const uc_tensor *t, int rank, const int64_t *shape);
uc_tensor uc_tensor_transposed(const uc_tensor *t);
uc_str uc_tensor_string(const uc_tensor *t, int64_t i);
/* "a tensor", "a sequence", ... */
const char *uc_kind_name(uc_kind kind);
/* Type of the tensors inside (of a map: of its values); NONE when there is none. */
uncork_dtype uc_value_dtype(const uc_value *v);
/* A deep copy, memory from take(context, bytes) (aligned to 64); items get `home`. NULL when take gives
 * NULL. Values nest as deep as types do: bounded by their makers. */
typedef void *(*uc_take_fn)(void *context, size_t bytes);
uc_value *uc_value_copy(const uc_value *from, uc_take_fn take, void *context, const void *home);
/* Copies the elements of a dense tensor into *to; false when take gives NULL. */
bool uc_tensor_copy_into(uc_tensor *to, const uc_tensor *from, uc_take_fn take, void *context);
/* "[3, 4]" into text[at least 128]. */
const char *uc_shape_text(const int64_t *shape, int rank, char *text, size_t size);

static inline const double *uc_tensor_doubles(const uc_tensor *t)
{
    return (const double *)t->data;
}

#endif
