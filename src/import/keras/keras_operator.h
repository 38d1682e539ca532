/* Operators of functional graphs, of TensorFlow's functions and of what Lambdas call: one table for all,
 * in keras_operator.c and keras_operator_array.c. */
#ifndef UC_IMPORT_KERAS_KERAS_OPERATOR_H
#define UC_IMPORT_KERAS_KERAS_OPERATOR_H

#include "import/keras/keras.h"

typedef struct uc_k_operator_row {
    const char *name; /* class of keras.ops, or function of TensorFlow */
    const char *op;   /* of ONNX */
    void (*emit)(uc_k_call *c, const struct uc_k_operator_row *row);
} uc_k_operator_row;

/* An argument that is a tensor or a number; 0: it isn't given. */
uc_ref uc_k_operand(uc_k_call *c, size_t position, const char *a, const char *b);
/* The first operand: the node itself in Keras 2, ["x", 0, 0, {}]. */
uc_ref uc_k_first_operand(uc_k_call *c);
/* Rows of keras_operator_array.c; NULL: none of that name. */
const uc_k_operator_row *uc_k_array_operator(uc_str name);
/* Calls the operator of that name; false: there is none. */
bool uc_k_call_operator(uc_k_call *c, uc_str name);

#endif
