/* The emitters of tf_op_table.def, by file. */
#ifndef UC_IMPORT_TENSORFLOW_TF_OPS_H
#define UC_IMPORT_TENSORFLOW_TF_OPS_H

#include "import/tensorflow/tf.h"

/* clang-format off */
#define UC_TF_OP_EMITTERS(X)                                                                     \
    X(binary) X(unary) X(matmul) X(bias_add) X(softmax)
#define UC_TF_OP_EMITTER(name) void uc_tf_op_##name(uc_tf_call *call);
UC_TF_OP_EMITTERS(UC_TF_OP_EMITTER)
/* clang-format on */

#endif
