/* What TensorList and TensorArray ops share. */
#ifndef UC_IMPORT_TENSORFLOW_TF_LIST_OPS_H
#define UC_IMPORT_TENSORFLOW_TF_LIST_OPS_H

#include "import/tensorflow/tf_list.h"

/* A list of the element type that attribute `dtype` names, items of unknown shape; NULL: memory is out. */
uc_tf_list *uc_tf_list_new(uc_tf_call *c, const char *dtype, uc_tf_list_form form, uc_ref ref);
bool uc_tf_list_set_dims(uc_tf_call *c, uc_tf_list *list, const int64_t *dims, int rank);
uc_ref uc_tf_list_number(uc_tf_call *c, size_t i); /* input i as one int64 */
void uc_tf_list_out(uc_tf_call *c, size_t i, uc_tf_list *list);

uc_tf_list *uc_tf_list_write(uc_tf_call *c, const uc_tf_list *list, uc_ref at, uc_ref item);
uc_ref uc_tf_list_read(uc_tf_call *c, const uc_tf_list *list, uc_ref at, uc_ref shape);
uc_ref uc_tf_list_gather(uc_tf_call *c, const uc_tf_list *list, size_t indices, uc_ref shape);
uc_tf_list *uc_tf_list_scatter(uc_tf_call *c, const uc_tf_list *list, size_t indices,
                               uc_ref tensor);
uc_tf_list *uc_tf_list_split(uc_tf_call *c, const uc_tf_list *list, uc_ref tensor, uc_ref lengths);
/* Outputs 0 and 1: the items end to end, and how long each is. */
void uc_tf_list_concat(uc_tf_call *c, const uc_tf_list *list);

#endif
