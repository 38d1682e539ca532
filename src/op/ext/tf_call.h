/* What the operators uncork.Tf... share. They have TensorFlow's inputs, attributes (types as this engine
 * numbers them, truths as 0 and 1) and outputs under TensorFlow's names.
 *
 * Source, where a file doesn't say another: TensorFlow 2.21, tensorflow/core/kernels. */
#ifndef UC_OP_EXT_TF_CALL_H
#define UC_OP_EXT_TF_CALL_H

#include "op/shape.h"
#include "op/widen.h"

/* A row of the operator table. in and out: least and most, -1: any number. */
#define UC_TF_ROW(SYMBOL, NAME, IN_LEAST, IN_MOST, OUT, INFER, RUN) \
    const uc_op uc_op_##SYMBOL = {.domain = "uncork",               \
                                  .name = NAME,                     \
                                  .in = {IN_LEAST, IN_MOST},        \
                                  .out = {0, OUT},                  \
                                  .infer = INFER,                   \
                                  .run = RUN};

/* infer: output i has that rank (-1: unknown) and no known dimension. */
uncork_status uc_tf_infer_open(uc_call *call, size_t i, uncork_dtype dtype, int rank);
/* infer: output 0 is as input 0. */
uncork_status uc_tf_infer_same(uc_call *call);
/* infer: output 0 has the shape of input 0 and a type. */
uncork_status uc_tf_infer_shape_of(uc_call *call, uncork_dtype dtype);
/* infer: output 0 is the broadcast of all inputs in the type of the first. */
uncork_status uc_tf_infer_broadcast(uc_call *call);

/* A type attribute. */
uncork_dtype uc_tf_type_of(const uc_call *call, const char *name, uncork_dtype otherwise);
/* Whether a string attribute has that value. */
bool uc_tf_attr_is(const uc_call *call, const char *name, const char *value);

/* A picture's {height, width} as input i says; unknown ones stay so, *known tells. */
uncork_status uc_tf_picture_size(uc_call *call, size_t i, int64_t size[2], bool *known);

/* run: fails unless input i has `rank` dimensions (-1: any) and, in it, `dtype` (NONE: any). */
uncork_status uc_tf_want(uc_call *call, size_t i, uncork_dtype dtype, int rank);
/* run: a tensor of numbers as float64 or int64 in scratch; NULL when memory is out. */
int64_t *uc_tf_ints_of(uc_call *call, const uc_tensor *t);
/* run: the one number of input i. */
uncork_status uc_tf_one_int(uc_call *call, size_t i, int64_t *v);
uncork_status uc_tf_one_float(uc_call *call, size_t i, double *v);

/* Stores into element i of a dense array; integers keep their low bits. */
void uc_tf_put(void *data, int64_t i, uncork_dtype dtype, double v);
void uc_tf_put_int(void *data, int64_t i, uncork_dtype dtype, int64_t v);
static inline double uc_tf_at(const uc_tensor *t, int64_t i)
{
    return uc_dtype_load_f64(t->data, i, t->dtype);
}
static inline int64_t uc_tf_int_at(const uc_tensor *t, int64_t i)
{
    return uc_dtype_load_i64(t->data, i, t->dtype);
}
/* Which element of t stands at element i of a shape that it broadcasts to. */
int64_t uc_tf_source(const uc_tensor *t, int rank, const int64_t *shape, int64_t i);
/* Product of dimensions [begin, end). */
int64_t uc_tf_product(const int64_t *shape, int begin, int end);

/* Strings that grow one by one; memory is the call's. */
typedef struct uc_tf_texts {
    uc_call *call;
    uc_str *items;
    size_t count, capacity;
    bool failed; /* memory is out */
} uc_tf_texts;
void uc_tf_texts_add(uc_tf_texts *t, const char *data, size_t size);
void uc_tf_texts_borrow(uc_tf_texts *t, uc_str s); /* its bytes outlive the call */
uncork_status uc_tf_texts_give(uc_tf_texts *t, size_t output, int rank, const int64_t *shape);
/* Whole numbers that grow one by one. */
typedef struct uc_tf_numbers {
    uc_call *call;
    int64_t *items;
    size_t count, capacity;
    bool failed;
} uc_tf_numbers;
void uc_tf_numbers_add(uc_tf_numbers *t, int64_t v);
uncork_status uc_tf_numbers_give(uc_tf_numbers *t, size_t output, uncork_dtype dtype, int rank,
                                 const int64_t *shape);

#endif
