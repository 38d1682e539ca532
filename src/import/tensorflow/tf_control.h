/* The emitters of tf_op_control.def, by file. */
#ifndef UC_IMPORT_TENSORFLOW_TF_CONTROL_H
#define UC_IMPORT_TENSORFLOW_TF_CONTROL_H

#include "import/tensorflow/tf.h"

/* clang-format off */
#define UC_TF_CONTROL_EMITTERS(X)
#define UC_TF_CONTROL_EMITTER(name) void uc_tf_op_##name(uc_tf_call *call);
UC_TF_CONTROL_EMITTERS(UC_TF_CONTROL_EMITTER)
/* clang-format on */

#endif
