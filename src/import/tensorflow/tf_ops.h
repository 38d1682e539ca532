/* The emitters of tf_op_table.def, and what they share. */
#ifndef UC_IMPORT_TENSORFLOW_TF_OPS_H
#define UC_IMPORT_TENSORFLOW_TF_OPS_H

#include "import/tensorflow/tf.h"

/* tf_op_math.c: input i as it lies (first: as [N, C, spatial...]); output 0 so. */
uc_ref uc_tf_take(uc_tf_call *c, size_t i, bool *first);
void uc_tf_give(uc_tf_call *c, uc_ref ref, bool first);
bool uc_tf_is_complex(uncork_dtype dtype);
/* tf_op_more.c: x [N, C, H, W] resized, in float32. */
uc_ref uc_tf_resize_linear(uc_tf_call *c, uc_ref x, uc_ref size, bool align, bool half);
/* A bias of channels for a value [N, C, spatial...] of that rank. */
uc_ref uc_tf_channel_bias(uc_tf_call *c, uc_ref bias, int rank);
/* tf_op_direct.c: a node with all attributes of the op; NULL: named uncork.Tf and the op. */
uc_node *uc_tf_direct_node(uc_tf_call *c, const char *op, const uc_ref *in, size_t in_count,
                           size_t out_count);
/* How many outputs the op has, lists counted out. */
size_t uc_tf_out_count(uc_tf_call *c);

/* clang-format off */
#define UC_TF_OP_EMITTERS(X) \
    X(add_n) X(approximate_equal) X(arg) X(batch_blocks) X(batch_norm) X(batch_norm_global) \
    X(bias_add) X(binary) X(blocks) X(broadcast_to) X(cast) X(clip_by_value) X(concat) \
    X(concat_v2) X(conv) X(conv_back) X(cross_entropy) X(cumulative) X(depthwise) \
    X(depthwise_back) X(direct) X(direct_each) X(direct_pair) X(divide) X(einsum) X(empty) \
    X(ensure_shape) X(equal) X(expand_dims) X(fill) X(fused_conv) X(fused_matmul) X(gather) \
    X(gather_nd) X(inplace) X(is_finite) X(l2_loss) X(leaky_relu) X(like) X(lrn) X(matmul) \
    X(mirror_pad) X(one_hot) X(pack) X(pad) X(pad_conv) X(parallel_concat) X(parse_example) \
    X(pass) X(pool) X(range) X(rank) X(reduce) X(reduce_bool) X(regex_match) X(regex_replace) \
    X(relu6) X(reshape) X(resize) X(reverse_v2) X(rng_read) X(round) X(rsqrt) X(scatter_nd) \
    X(select) X(select_v2) X(shape) X(size) X(slice) X(softmax) X(split) X(split_v) X(square) \
    X(squared_difference) X(squeeze) X(strided_slice) X(table_export) X(table_find) \
    X(table_size) X(tensor_scatter) X(tile) X(top_k) X(top_k_v2) X(transpose) X(unary) \
    X(unpack) X(where)
#define UC_TF_OP_EMITTER(name) void uc_tf_op_##name(uc_tf_call *call);
UC_TF_OP_EMITTERS(UC_TF_OP_EMITTER)
/* clang-format on */

#endif
