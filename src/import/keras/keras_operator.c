/* Operators of functional graphs: keras.ops of Keras 3, TFOpLambda and SlicingOpLambda of Keras 2. */
#include "import/keras/keras.h"

void uc_k_operator(uc_k_call *c) { uc_k_fail(c, "the operator isn't known"); }
