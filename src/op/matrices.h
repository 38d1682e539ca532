/* Tensors as stacks of matrices, as numpy.matmul sees them. */
#ifndef UC_OP_MATRICES_H
#define UC_OP_MATRICES_H

#include "op/op.h"

/* t with at least two dimensions: a vector becomes a row or a column. */
uc_tensor uc_matrices_of(const uc_tensor *t, bool row);
/* Broadcasts the batch dimensions of both into shape; *rank of the result. */
uncork_status uc_matrices_broadcast(uc_call *call, const uc_tensor *a, const uc_tensor *b,
                                    int64_t *shape, int *rank);
/* Matrix of `t` that batch `i` of the result uses. */
int64_t uc_matrices_batch(const uc_tensor *t, const int64_t *shape, int rank, int64_t i);
/* infer: output 0 is the product of inputs a and b. */
uncork_status uc_matrices_infer(uc_call *call, size_t a, size_t b, uncork_dtype dtype);
/* Multiply-adds of output 0 as that product. */
uint64_t uc_matrices_macs(const uc_call *call, size_t a);

#endif
