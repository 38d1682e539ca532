/* The emitters of the core: nodes, constants, variables. tf_ops.h and tf_control.h have the others. */
#ifndef UC_IMPORT_TENSORFLOW_TF_EMIT_H
#define UC_IMPORT_TENSORFLOW_TF_EMIT_H

#include "import/tensorflow/tf.h"

/* clang-format off */
#define UC_TF_CORE_EMITTERS(X)                                                                   \
    X(placeholder) X(constant) X(identity) X(identity_n) X(nothing) X(placeholder_default) X(var_handle) X(variable) X(read_variable) X(restore) X(hash_table) X(assign) X(assign_by) X(is_initialized)
#define UC_TF_EMITTER(name) void uc_tf_op_##name(uc_tf_call *call);
UC_TF_CORE_EMITTERS(UC_TF_EMITTER)
/* clang-format on */

#endif
