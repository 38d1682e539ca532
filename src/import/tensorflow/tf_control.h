/* The emitters of tf_op_control.def, by file. */
#ifndef UC_IMPORT_TENSORFLOW_TF_CONTROL_H
#define UC_IMPORT_TENSORFLOW_TF_CONTROL_H

#include "import/tensorflow/tf.h"

/* clang-format off */
#define UC_TF_CONTROL_EMITTERS(X) \
    X(assert) X(array_concat) X(array_gather) X(array_new) X(array_pack) X(array_read) \
    X(array_scatter) X(array_size) X(array_split) X(array_unpack) X(array_write) \
    X(case) X(exit) X(if) X(list_concat) X(list_concat_lists) X(list_element_shape) \
    X(list_empty) X(list_from_tensor) X(list_gather) X(list_get) X(list_length) \
    X(list_pop) X(list_push) X(list_reserve) X(list_resize) X(list_scatter) \
    X(list_scatter_into) X(list_set) X(list_split) X(list_stack) X(merge) X(switch) \
    X(while)
#define UC_TF_CONTROL_EMITTER(name) void uc_tf_op_##name(uc_tf_call *call);
UC_TF_CONTROL_EMITTERS(UC_TF_CONTROL_EMITTER)
/* clang-format on */

#endif
