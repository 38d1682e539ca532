/* TensorArray ops of every version: a flow is the list as it then is, a handle the list as it began.
 *
 * Facts: TensorFlow 2.21, core/kernels/tensor_array_ops.cc, core/ops/data_flow_ops.cc. The older versions
 * have no flow of their own: an unwritten array's flow is a constant. */
#include "import/tensorflow/tf_list_ops.h"

/* The list as the flow at input i says it, else as it began. */
static const uc_tf_list *array_in(uc_tf_call *c, size_t flow)
{
    const uc_tf_value *v = flow < uc_tf_in_count(c) ? uc_tf_value_in(c, flow) : NULL;
    if (!v || v->kind != UC_TF_LIST) v = uc_tf_value_in(c, 0);
    if (v->kind == UC_TF_LIST) return v->payload;
    if (!c->graph->status) uc_tf_fail(c, "its handle is no TensorArray's");
    return NULL;
}

void uc_tf_op_array_new(uc_tf_call *c)
{
    int64_t dims[UNCORK_MAX_RANK];
    uc_tf_list *list = uc_tf_list_new(c, "dtype", UC_TF_LIST_EMPTY, uc_tf_list_number(c, 0));
    if (!list) return;
    list->grows = uc_tf_bool(c, "dynamic_size");
    const int rank = uc_tf_has(c, "element_shape") ? uc_tf_shape(c, "element_shape", dims) : -1;
    if (rank >= 0 && !uc_tf_list_set_dims(c, list, dims, rank)) return;
    uc_tf_list_out(c, 0, list);
    uc_tf_list_out(c, 1, list);
}

void uc_tf_op_array_write(uc_tf_call *c)
{
    const uc_tf_list *list = array_in(c, 3);
    if (list) uc_tf_list_out(c, 0, uc_tf_list_write(c, list, uc_tf_in(c, 1), uc_tf_in(c, 2)));
}

void uc_tf_op_array_read(uc_tf_call *c)
{
    const uc_tf_list *list = array_in(c, 2);
    if (list) uc_tf_out(c, 0, uc_tf_list_read(c, list, uc_tf_in(c, 1), 0));
}

void uc_tf_op_array_gather(uc_tf_call *c)
{
    const uc_tf_list *list = array_in(c, 2);
    if (list) uc_tf_out(c, 0, uc_tf_list_gather(c, list, 1, 0));
}

void uc_tf_op_array_scatter(uc_tf_call *c)
{
    const uc_tf_list *list = array_in(c, 3);
    if (list) uc_tf_list_out(c, 0, uc_tf_list_scatter(c, list, 1, uc_tf_in(c, 2)));
}

void uc_tf_op_array_pack(uc_tf_call *c)
{
    const uc_tf_list *list = array_in(c, 1);
    if (list) uc_tf_out(c, 0, uc_tf_list_stack(c->build, list, 0));
}

void uc_tf_op_array_unpack(uc_tf_call *c)
{
    const uc_tf_list *list = array_in(c, 2);
    if (!list) return;
    uc_tf_list_out(c, 0, uc_tf_list_like(c->graph, list, UC_TF_LIST_STACK, uc_tf_in(c, 1)));
}

void uc_tf_op_array_size(uc_tf_call *c)
{
    const uc_tf_list *list = array_in(c, 1);
    if (!list) return;
    const uc_ref n = uc_tf_list_length(c->build, list);
    uc_tf_out(c, 0, uc_g_cast(c->graph, n, UNCORK_INT32));
}

void uc_tf_op_array_concat(uc_tf_call *c)
{
    const uc_tf_list *list = array_in(c, 1);
    if (list) uc_tf_list_concat(c, list);
}

void uc_tf_op_array_split(uc_tf_call *c)
{
    const uc_tf_list *list = array_in(c, 3);
    if (list) uc_tf_list_out(c, 0, uc_tf_list_split(c, list, uc_tf_in(c, 1), uc_tf_in(c, 2)));
}
