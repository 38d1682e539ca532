/* Operators of functional graphs, of TensorFlow's functions and of what Lambdas call: tables of rows, a file a
 * family (keras_operator*.c). */
#ifndef UC_IMPORT_KERAS_KERAS_OPERATOR_H
#define UC_IMPORT_KERAS_KERAS_OPERATOR_H

#include "import/keras/keras.h"

typedef struct uc_k_operator_row {
    const char *name; /* class of keras.ops, or function of TensorFlow */
    const char *op;   /* what the emitter makes of it: an operator of ONNX, a formula */
    void (*emit)(uc_k_call *c, const struct uc_k_operator_row *row);
} uc_k_operator_row;

/* The tables; each ends with a row without a name. */
extern const uc_k_operator_row uc_k_array_rows[], uc_k_formula_rows[], uc_k_order_rows[],
    uc_k_index_rows[], uc_k_product_rows[], uc_k_nn_rows[], uc_k_picture_rows[];

/* An argument that is a tensor, a number or lists of them; 0: it isn't given. */
uc_ref uc_k_operand(uc_k_call *c, size_t position, const char *a, const char *b);
/* The first operand: the node itself in Keras 2, ["x", 0, 0, {}]. */
uc_ref uc_k_first_operand(uc_k_call *c);
/* Calls the operator of that name; false: there is none. */
bool uc_k_call_operator(uc_k_call *c, uc_str name);

/* keras_argument.c: settings of a call, by position (SIZE_MAX: by name only) or name. */
uc_ref uc_k_json_constant(uc_k_call *c, const uc_json *json); /* 0: it is none */
int64_t uc_k_arg_int(uc_k_call *c, size_t position, const char *name, int64_t otherwise);
size_t uc_k_arg_ints(uc_k_call *c, size_t position, const char *a, const char *b, int64_t *out,
                     size_t most);
double uc_k_arg_number(uc_k_call *c, size_t position, const char *name, double otherwise);
bool uc_k_arg_bool(uc_k_call *c, size_t position, const char *name, bool otherwise);
uc_str uc_k_arg_text(uc_k_call *c, size_t position, const char *name, const char *otherwise);
uc_ref uc_k_arg_tensor(uc_k_call *c, size_t position, const char *name); /* 0: it isn't given */
/* Axes of a reduction: `otherwise`, or all (INT64_MIN), where none are given; how many. */
size_t uc_k_arg_axes(uc_k_call *c, size_t position, uc_ref x, int64_t otherwise, int64_t *axes);
/* One axis in [0, rank), -1: outside. */
int uc_k_arg_axis(uc_k_call *c, size_t position, uc_ref x, int64_t otherwise);
uncork_dtype uc_k_dtype_named(uc_str name, uncork_dtype otherwise);
/* Casts two operands to one type, as NumPy's rules for weak numbers have it; quotients of whole ones are
 * float32. */
void uc_k_meet(uc_k_call *c, uc_ref *a, uc_ref *b, bool divides);
/* One output of a node of one input and its attributes: "uncork.TfRoll"... */
uc_ref uc_k_node(uc_k_call *c, const char *op, const uc_ref *in, size_t n);
/* Adds an output. */
void uc_k_give(uc_k_call *c, uc_ref ref);
/* keras_operator_order.c: the k largest (or smallest) along an axis, and where they stood. */
void uc_k_top(uc_k_call *c, uc_ref x, uc_ref k, int axis, bool largest, uc_ref *values, uc_ref *at);

#endif
