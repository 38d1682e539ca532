/* The importer "tflite": what its files share. The file is read into records once (tflite_read.c); an
 * entry is then emitted operator by operator into a graph.
 *
 * Facts: TensorFlow 2.21, tensorflow/compiler/mlir/lite/schema/schema.fbs, tensorflow/lite/kernels. */
#ifndef UC_IMPORT_TFLITE_TFLITE_H
#define UC_IMPORT_TFLITE_TFLITE_H

#include "container/flatbuffer.h"
#include "graph/graph_look.h"
#include "import/importer.h"
#include "import/tensorflow/tf_op.h"

typedef struct uc_tfl_call uc_tfl_call;

typedef struct uc_tfl_row {
    int code;
    const char *name;
    void (*emit)(uc_tfl_call *call);
    const char *op; /* the ONNX operator, of emitters that serve many */
} uc_tfl_row;

const uc_tfl_row *uc_tfl_row_find(int code);
/* The name of a builtin code that has no row; NULL: not known. */
const char *uc_tfl_code_name(int64_t code);

typedef struct uc_tfl_tensor {
    const char *name;
    uncork_dtype dtype; /* NONE: a type that isn't a tensor's */
    int rank;           /* -1: not said */
    int64_t *shape;     /* -1: free */
    uc_bytes data;      /* of a constant */
    size_t scales;      /* 0: not quantised */
    const float *scale;
    const int64_t *zero;
    int64_t axis; /* of the scales, where there are several */
    bool is_variable, is_sparse;
    uc_fb_table sparsity; /* of sparse ones */
} uc_tfl_tensor;

typedef struct uc_tfl_operator {
    const uc_tfl_row *row; /* NULL: not known */
    const char *name;
    const int32_t *in, *out; /* -1: absent */
    size_t in_count, out_count;
    uc_fb_table options;
    uc_bytes custom;
} uc_tfl_operator;

typedef struct uc_tfl_subgraph {
    uc_tfl_tensor *tensors;
    size_t tensor_count;
    const int32_t *in, *out;
    size_t in_count, out_count;
    uc_tfl_operator *operators;
    size_t operator_count;
} uc_tfl_subgraph;

typedef struct uc_tfl_signature {
    const char *key;
    size_t subgraph;
    const char **in, **out; /* names by the subgraph's inputs and outputs; NULL: none */
} uc_tfl_signature;

typedef struct uc_tfl_metadata {
    uc_str name;
    uc_bytes data;
} uc_tfl_metadata;

typedef struct uc_tfl_file {
    uc_fb fb;
    uc_tfl_subgraph *subgraphs;
    size_t subgraph_count;
    uc_tfl_signature *signatures;
    size_t signature_count;
    uc_tfl_metadata *metadata;
    size_t metadata_count;
    const char *description;
    const char *unknown; /* operators that aren't known, counted; NULL: all are */
} uc_tfl_file;

/* tflite_read.c */
uncork_status uc_tfl_read(uc_bytes bytes, uc_arena *arena, uc_tfl_file *file, uncork_error *error);
/* tflite_constant.c: a constant of text; one that leaves zeros out, whole. NULL: broken, or no memory. */
const uc_tensor *uc_tfl_texts(uc_arena *arena, const uc_tfl_tensor *t);
const uc_tensor *uc_tfl_dense(uc_arena *arena, uc_fb fb, const uc_tfl_tensor *t);
/* tflite_metadata.c: labels and preprocessing that the file says, as facts. */
void uc_tfl_metadata_read(const uc_tfl_file *f, uc_import *file);

/* ---- emission ---- */

/* A value on its way: as the file has it (raw; signed bytes with a scale are kept as unsigned ones 128
 * higher, so that kernels know one kind of byte), or as the real numbers of what is quantised. nchw says
 * that the axes lie as [N, C, H, W] though the file means [N, H, W, C], so that convolutions in a row need
 * no transposes. */
typedef struct uc_tfl_value {
    uc_ref raw, real;
    bool nchw;
    int resource; /* of a variable or table, from 1 on; 0: a tensor */
    void *other;  /* of select-TF operators: no tensor; NULL: one */
} uc_tfl_value;

/* A variable or table: what it holds so far. */
typedef struct uc_tfl_resource {
    const char *name;
    bool is_table;
    uc_ref value;        /* of a variable; 0: nothing yet */
    uc_ref keys, values; /* of a table */
} uc_tfl_resource;

enum { UC_TFL_MOST_RESOURCES = 256 };

/* One graph being built: the model's, or a loop's body. */
typedef struct uc_tfl_build {
    const uc_tfl_file *file;
    uc_graph *graph;
    uc_findings *findings;
    uc_look look; /* what is known of the values so far */
    uncork_kernels kernels;
    uc_tfl_resource *resources;
    int resource_count;
    uc_tf_ops *ops; /* of select-TF operators; NULL: none yet */
    int depth;      /* subgraphs within subgraphs */
} uc_tfl_build;

typedef struct uc_tfl_scope {
    uc_tfl_build *build;
    const uc_tfl_subgraph *subgraph;
    uc_tfl_value *values; /* by tensor */
} uc_tfl_scope;

struct uc_tfl_call {
    uc_tfl_build *build;
    uc_graph *graph;
    uc_tfl_scope *scope;
    const uc_tfl_operator *op;
    uc_fb fb; /* of the options' reads */
    uc_fb_table options;
};

/* tflite_graph.c */
bool uc_tfl_build_open(uc_tfl_build *b, const uc_tfl_file *file, uc_graph *g, uc_findings *findings,
                       uncork_kernels kernels, int depth);
void uc_tfl_build_close(uc_tfl_build *b);
/* Emits a subgraph on values: `in` and `out` as many as it has. False after a failure. */
bool uc_tfl_emit_subgraph(uc_tfl_build *b, size_t index, const uc_ref *in, uc_ref *out);
/* An input declared as the tensor says. */
uc_ref uc_tfl_declare(uc_graph *g, const char *name, const uc_tfl_tensor *t);

/* tflite_value.c */
int uc_tfl_rank(uc_tfl_call *c, uc_ref ref);
int64_t uc_tfl_dim(uc_tfl_call *c, uc_ref ref, int axis); /* -1: not known */
uc_ref uc_tfl_fail(uc_tfl_call *c, const char *format, ...) UC_PRINTF(2, 3);
uc_ref uc_tfl_transpose(uc_graph *g, uc_ref a, const int64_t *perm, size_t n);

/* Inputs by position; absent ones are 0. */
bool uc_tfl_has(const uc_tfl_call *c, size_t i);
const uc_tfl_tensor *uc_tfl_tensor_in(const uc_tfl_call *c, size_t i);
const uc_tfl_tensor *uc_tfl_tensor_out(const uc_tfl_call *c, size_t i);
uc_ref uc_tfl_raw(uc_tfl_call *c, size_t i);   /* as it is kept */
uc_ref uc_tfl_filed(uc_tfl_call *c, size_t i); /* as the file has it */
uc_ref uc_tfl_in(uc_tfl_call *c, size_t i);    /* real numbers, axes in order */
uc_ref uc_tfl_first(uc_tfl_call *c, size_t i); /* real, as [N, C, H, W] */
uc_ref uc_tfl_first_raw(uc_tfl_call *c, size_t i);
bool uc_tfl_is_first(uc_tfl_call *c, size_t i);                                /* lies so already */
uc_ref uc_tfl_weight(uc_tfl_call *c, size_t i, const int64_t *perm, size_t n); /* real, permuted */
/* A bias: int32 and int64 ones by their scales. */
uc_ref uc_tfl_bias(uc_tfl_call *c, size_t i);
/* A value made of input i's bytes, as real numbers by its scales. */
uc_ref uc_tfl_real(uc_tfl_call *c, size_t i, uc_ref raw);
uc_ref uc_tfl_i64(uc_tfl_call *c, size_t i); /* axes, shapes: as int64 */
/* The elements of an input of axes or shapes, when they are known: how many; SIZE_MAX: they aren't. */
size_t uc_tfl_known(uc_tfl_call *c, size_t i, int64_t *out, size_t most);
bool uc_tfl_axis(uc_tfl_call *c, int64_t axis, int rank, int64_t *out);

/* Outputs by position. */
void uc_tfl_out(uc_tfl_call *c, size_t i, uc_ref real);
void uc_tfl_out_first(uc_tfl_call *c, size_t i, uc_ref real); /* lies as [N, C, H, W] */
void uc_tfl_out_raw(uc_tfl_call *c, size_t i, uc_ref raw);
void uc_tfl_out_raw_first(uc_tfl_call *c, size_t i, uc_ref raw);
void uc_tfl_out_filed(uc_tfl_call *c, size_t i, uc_ref raw);
/* Whether input i and output 0 mean the same number by the same bytes. */
bool uc_tfl_same_scale(const uc_tfl_call *c, size_t i);
/* Whether the tensor's signed bytes are kept as unsigned ones 128 higher; there and back. */
bool uc_tfl_is_lifted(const uc_tfl_build *b, const uc_tfl_tensor *t);
uc_ref uc_tfl_lift(uc_graph *g, uc_ref a);
uc_ref uc_tfl_lower(uc_graph *g, uc_ref a);
bool uc_tfl_is_quantized(const uc_tfl_tensor *t);
/* Input i as the file has it (int4 as int8), permuted unless perm is NULL; NULL: no plain constant. */
const uc_tensor *uc_tfl_constant(uc_tfl_call *c, size_t i, const int64_t *perm);
/* The tensor's zero point as a number of the type its values are kept in. */
uc_ref uc_tfl_zero(uc_tfl_call *c, const uc_tfl_tensor *t);

/* tflite_op_math.c */
uc_ref uc_tfl_activate(uc_tfl_call *c, int64_t function, uc_ref x);
/* Option `member` (an enum of a byte) applied. */
uc_ref uc_tfl_fused(uc_tfl_call *c, unsigned member, uc_ref x);

/* Options of the operator. */
static inline int64_t uc_tfl_i32(const uc_tfl_call *c, unsigned member, int64_t otherwise)
{
    return uc_fb_int(c->options, member, 4, otherwise);
}
static inline int64_t uc_tfl_i8(const uc_tfl_call *c, unsigned member, int64_t otherwise)
{
    return uc_fb_int(c->options, member, 1, otherwise);
}

/* The emitters of tflite_op_table.def. */
/* clang-format off */
#define UC_TFL_EMITTERS(X) \
    X(nms) X(detection_post_process) X(conv_transpose_bias) X(max_pool_argmax) X(max_unpooling) \
    X(binary) X(pool) X(concatenation) X(conv) X(depthwise_conv) X(depth_to_space)               \
    X(dequantize) X(embedding_lookup) X(unary) X(fully_connected) X(l2_normalization)            \
    X(l2_pool) X(lrn) X(clamp) X(reshape) X(resize) X(softmax) X(space_to_depth) X(pad)          \
    X(sequence_rnn) X(gather) X(batch_to_space) X(space_to_batch) X(transpose_op) X(reduce)      \
    X(squeeze) X(sequence_lstm) X(strided_slice) X(top_k) X(split) X(cast) X(prelu) X(arg)       \
    X(compare) X(select) X(slice) X(transpose_conv) X(tile) X(expand_dims) X(rsqrt) X(shape)     \
    X(fake_quant) X(pack) X(one_hot) X(unpack) X(floor_div) X(reduce_bool) X(square)             \
    X(zeros_like) X(fill) X(floor_mod) X(range) X(leaky_relu) X(squared_difference)              \
    X(split_v) X(reverse) X(add_n) X(gather_nd) X(where) X(rank_of) X(reverse_sequence)          \
    X(quantize) X(if) X(while) X(batch_matmul) X(cumsum) X(broadcast_to) X(conv_3d) X(gelu) \
    X(assign_variable) X(bitcast) X(bucketize) X(call_once) X(composite) X(conv_3d_transpose) X(dynamic_update_slice) X(hashtable) X(hashtable_find) X(hashtable_import) X(hashtable_size) X(hlo_reshape) X(matrix_diag) X(matrix_set_diag) X(read_variable) X(rfft2d) X(same) X(scatter_nd) X(segment_sum) X(select_tf) X(sparse_to_dense) X(svdf) X(unique) X(unsorted_segment) X(var_handle)
/* tflite_flex.c: a number of a custom operator's options; NaN: there is none. */
double uc_tfl_flex(uc_bytes options, const char *name);
#define UC_TFL_EMITTER(name) void uc_tfl_##name(uc_tfl_call *call);
UC_TFL_EMITTERS(UC_TFL_EMITTER)
/* clang-format on */

#endif
