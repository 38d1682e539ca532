/* Emission for everything that PyTorch's importers read: one function for each of torch.nn.functional's
 * and aten's, named after it, with plain arguments, exact as torch 2.15 computes it in eval(). State
 * dicts, modules, TorchScript and torch.export all emit through these.
 *
 * A reference of 0 is None. Windows are arrays of `rank` numbers, the rank of the spatial part. Inputs
 * without a batch axis are taken where PyTorch takes them. A failure sticks to the graph. */
#ifndef UC_IMPORT_PYTORCH_TORCH_BUILD_H
#define UC_IMPORT_PYTORCH_TORCH_BUILD_H

#include "base/table.h"
#include "graph/graph_look.h"

/* ---- named tensors --------------------------------------------------------------------------- */

/* A tensor of a state dict, of any strides, over the file's bytes where they can be used in place. */
typedef struct uc_t_item {
    const char *name; /* prefixes undone: "layer1.0.conv1.weight" */
    const uc_tensor *tensor;
} uc_t_item;

typedef struct uc_t_state {
    uc_arena *arena;
    uc_t_item *items; /* in file order */
    size_t count, capacity;
    uc_table *by_name;
    const struct uc_pickle *module; /* the pickled tree that it was read from, or NULL */
} uc_t_state;

uc_t_state *uc_t_state_new(uc_arena *arena);
/* False when the arena is out. A name that is there already is replaced. */
bool uc_t_state_put(uc_t_state *s, const char *name, const uc_tensor *tensor);
/* NULL when absent. */
const uc_tensor *uc_t_state_find(const uc_t_state *s, const char *name);

/* ---- the build ------------------------------------------------------------------------------- */

typedef struct uc_t_build {
    uc_graph *graph;
    uc_findings *findings; /* may be NULL */
    const uc_t_state *state;
    uncork_dtype dtype; /* floating parameters come as this; NONE: as they are stored */
    const struct uc_import_options *options; /* what will be fed; may be NULL */
    uc_look look;                            /* what is known of the values so far */
} uc_t_build;

/* The build must not move afterwards. False (the graph has failed) when memory is out. */
bool uc_t_build_open(uc_t_build *b, uc_graph *g, uc_findings *findings, const uc_t_state *state);
void uc_t_build_close(uc_t_build *b);

/* Fails the graph UNSUPPORTED; returns 0. */
uc_ref uc_t_fail(uc_t_build *b, const char *format, ...) UC_PRINTF(2, 3);
/* What is known: rank -1, dimension -1 (a symbol too), dtype NONE where it isn't. Axes count from the end
 * when negative. */
int uc_t_rank(uc_t_build *b, uc_ref x);
int64_t uc_t_dim(uc_t_build *b, uc_ref x, int axis);
uncork_dtype uc_t_dtype(uc_t_build *b, uc_ref x);
/* The elements of a small integer value when they are known: how many; SIZE_MAX: they aren't. */
size_t uc_t_known(uc_t_build *b, uc_ref x, int64_t *out, size_t most);
/* An axis of x, counted from the start; fails and gives -1 when x hasn't it or its rank isn't known. */
int uc_t_axis(uc_t_build *b, uc_ref x, int64_t axis);

/* A tensor of the state by its name, NULL when absent; as a constant (0 when absent); the same, whose
 * absence fails. */
const uc_tensor *uc_t_find(uc_t_build *b, const char *format, ...) UC_PRINTF(2, 3);
uc_ref uc_t_param(uc_t_build *b, const char *format, ...) UC_PRINTF(2, 3);
uc_ref uc_t_need(uc_t_build *b, const char *format, ...) UC_PRINTF(2, 3);
/* A tensor as a constant, converted to b->dtype when it is floating. */
uc_ref uc_t_const(uc_t_build *b, const uc_tensor *t);
/* Numbers as constants: of rank 0 and of x's type (float32 where that isn't known); of any type. */
uc_ref uc_t_scalar(uc_t_build *b, uc_ref like, double v);
uc_ref uc_t_number(uc_t_build *b, uncork_dtype dtype, double v);
uc_ref uc_t_values(uc_t_build *b, uncork_dtype dtype, const double *v, int rank,
                   const int64_t *shape);

/* ---- layers with weights --------------------------------------------------------------------- */

uc_ref uc_t_linear(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias);
uc_ref uc_t_bilinear(uc_t_build *b, uc_ref x1, uc_ref x2, uc_ref weight, uc_ref bias);
/* padding: zeros on both sides. */
uc_ref uc_t_conv(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, int rank,
                 const int64_t *stride, const int64_t *padding, const int64_t *dilation,
                 int64_t groups);
/* The same with one number for both spatial axes. */
uc_ref uc_t_conv2d(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, int64_t stride,
                   int64_t padding, int64_t dilation, int64_t groups);
/* padding="same": the odd zero goes behind. Strides are 1. */
uc_ref uc_t_conv_same(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, int rank,
                      const int64_t *dilation, int64_t groups);
uc_ref uc_t_conv_transpose(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, int rank,
                           const int64_t *stride, const int64_t *padding,
                           const int64_t *output_padding, const int64_t *dilation, int64_t groups);
uc_ref uc_t_embedding(uc_t_build *b, uc_ref weight, uc_ref indices);
/* mode: "sum", "mean", "max"; offsets 0: indices are [bags, n]. */
uc_ref uc_t_embedding_bag(uc_t_build *b, uc_ref weight, uc_ref indices, uc_ref offsets,
                          const char *mode, uc_ref per_sample_weights, bool include_last_offset,
                          int64_t padding_idx);

/* mean 0: the batch's own statistics, as a layer without running ones. */
uc_ref uc_t_batch_norm(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, uc_ref mean, uc_ref var,
                       double eps);
/* Over the last `axes` axes. */
uc_ref uc_t_layer_norm(uc_t_build *b, uc_ref x, int axes, uc_ref weight, uc_ref bias, double eps);
/* eps < 0: the machine epsilon of x's type. */
uc_ref uc_t_rms_norm(uc_t_build *b, uc_ref x, int axes, uc_ref weight, double eps);
uc_ref uc_t_group_norm(uc_t_build *b, uc_ref x, int64_t groups, uc_ref weight, uc_ref bias,
                       double eps);
/* mean and var: statistics kept while training, or 0. */
uc_ref uc_t_instance_norm(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, uc_ref mean,
                          uc_ref var, double eps);
uc_ref uc_t_local_response_norm(uc_t_build *b, uc_ref x, int64_t size, double alpha, double beta,
                                double k);

/* ---- activations ----------------------------------------------------------------------------- */

/* By name: relu relu6 sigmoid tanh silu gelu gelu_tanh elu selu celu mish hardswish hardsigmoid hardtanh
 * softplus softsign logsigmoid tanhshrink hardshrink softshrink leaky_relu identity, with PyTorch's
 * default parameters. */
uc_ref uc_t_act(uc_t_build *b, const char *name, uc_ref x);
uc_ref uc_t_leaky_relu(uc_t_build *b, uc_ref x, double slope);
uc_ref uc_t_elu(uc_t_build *b, uc_ref x, double alpha, double scale, double input_scale);
uc_ref uc_t_celu(uc_t_build *b, uc_ref x, double alpha);
uc_ref uc_t_softplus(uc_t_build *b, uc_ref x, double beta, double threshold);
uc_ref uc_t_hardshrink(uc_t_build *b, uc_ref x, double lambda);
uc_ref uc_t_softshrink(uc_t_build *b, uc_ref x, double lambda);
uc_ref uc_t_threshold(uc_t_build *b, uc_ref x, double threshold, double value);
uc_ref uc_t_prelu(uc_t_build *b, uc_ref x, uc_ref weight);
uc_ref uc_t_glu(uc_t_build *b, uc_ref x, int64_t dim);
/* NaN for a bound that isn't there; NaN in x stays NaN. */
uc_ref uc_t_clamp(uc_t_build *b, uc_ref x, double min, double max);
uc_ref uc_t_softmax(uc_t_build *b, uc_ref x, int64_t dim);
uc_ref uc_t_log_softmax(uc_t_build *b, uc_ref x, int64_t dim);
uc_ref uc_t_softmin(uc_t_build *b, uc_ref x, int64_t dim);

/* ---- pooling --------------------------------------------------------------------------------- */

/* stride NULL: the kernel's. indices: receives where the maxima stand in the input's plane; may be
 * NULL. */
uc_ref uc_t_max_pool(uc_t_build *b, uc_ref x, int rank, const int64_t *kernel,
                     const int64_t *stride, const int64_t *padding, const int64_t *dilation,
                     bool ceil_mode, uc_ref *indices);
uc_ref uc_t_max_pool2d(uc_t_build *b, uc_ref x, int64_t kernel, int64_t stride, int64_t padding,
                       bool ceil_mode);
/* divisor 0: none given. */
uc_ref uc_t_avg_pool(uc_t_build *b, uc_ref x, int rank, const int64_t *kernel,
                     const int64_t *stride, const int64_t *padding, bool ceil_mode,
                     bool count_include_pad, int64_t divisor);
uc_ref uc_t_avg_pool2d(uc_t_build *b, uc_ref x, int64_t kernel, int64_t stride, int64_t padding);
/* A size of -1 keeps the input's. */
uc_ref uc_t_adaptive_avg_pool(uc_t_build *b, uc_ref x, int rank, const int64_t *size);
uc_ref uc_t_adaptive_max_pool(uc_t_build *b, uc_ref x, int rank, const int64_t *size,
                              uc_ref *indices);
/* The mean over height and width, which stay as 1: adaptive_avg_pool2d(x, 1). */
uc_ref uc_t_global_avg_pool(uc_t_build *b, uc_ref x);
uc_ref uc_t_lp_pool(uc_t_build *b, uc_ref x, int rank, double p, const int64_t *kernel,
                    const int64_t *stride, bool ceil_mode);
/* size: of the output's spatial axes. */
uc_ref uc_t_max_unpool(uc_t_build *b, uc_ref x, uc_ref indices, int rank, const int64_t *kernel,
                       const int64_t *stride, const int64_t *padding, const int64_t *size);

/* ---- other sizes ----------------------------------------------------------------------------- */

/* mode: "nearest", "nearest-exact", "linear" (of any rank: bilinear, trilinear), "bicubic", "area". Either
 * `size` or `scale`, [rank]. */
uc_ref uc_t_interpolate(uc_t_build *b, uc_ref x, int rank, const int64_t *size, const double *scale,
                        const char *mode, bool align_corners, bool antialias);
/* The same to the spatial size of `like`, which may be known only when it runs. */
uc_ref uc_t_interpolate_like(uc_t_build *b, uc_ref x, int rank, uc_ref like, const char *mode,
                             bool align_corners);
/* pads in PyTorch's order: last axis first, before and after; negative ones cut. mode: "constant",
 * "reflect", "replicate", "circular". */
uc_ref uc_t_pad(uc_t_build *b, uc_ref x, const int64_t *pads, size_t count, const char *mode,
                double value);
uc_ref uc_t_pixel_shuffle(uc_t_build *b, uc_ref x, int64_t factor);
uc_ref uc_t_pixel_unshuffle(uc_t_build *b, uc_ref x, int64_t factor);
uc_ref uc_t_channel_shuffle(uc_t_build *b, uc_ref x, int64_t groups);
uc_ref uc_t_unfold(uc_t_build *b, uc_ref x, const int64_t kernel[2], const int64_t dilation[2],
                   const int64_t padding[2], const int64_t stride[2]);
uc_ref uc_t_fold(uc_t_build *b, uc_ref x, const int64_t size[2], const int64_t kernel[2],
                 const int64_t dilation[2], const int64_t padding[2], const int64_t stride[2]);

/* ---- shapes ---------------------------------------------------------------------------------- */

uc_ref uc_t_flatten(uc_t_build *b, uc_ref x, int64_t start, int64_t end);
uc_ref uc_t_unflatten(uc_t_build *b, uc_ref x, int64_t dim, const int64_t *sizes, size_t count);
/* -1 is inferred; a 0 means no elements, as in PyTorch. */
uc_ref uc_t_reshape(uc_t_build *b, uc_ref x, const int64_t *shape, int rank);
/* As ONNX's Reshape: 0 keeps the axis of that place. */
uc_ref uc_t_reshape0(uc_t_build *b, uc_ref x, const int64_t *shape, int rank);
uc_ref uc_t_permute(uc_t_build *b, uc_ref x, const int64_t *perm, int rank);
uc_ref uc_t_transpose(uc_t_build *b, uc_ref x, int64_t dim0, int64_t dim1);
uc_ref uc_t_squeeze(uc_t_build *b, uc_ref x, int64_t dim); /* where it is 1 */
uc_ref uc_t_unsqueeze(uc_t_build *b, uc_ref x, int64_t dim);
uc_ref uc_t_cat(uc_t_build *b, const uc_ref *x, size_t count, int64_t dim);
uc_ref uc_t_stack(uc_t_build *b, const uc_ref *x, size_t count, int64_t dim);
/* end INT64_MAX: to the end. */
uc_ref uc_t_slice(uc_t_build *b, uc_ref x, int64_t dim, int64_t start, int64_t end, int64_t step);
uc_ref uc_t_select(uc_t_build *b, uc_ref x, int64_t dim, int64_t index);
uc_ref uc_t_expand(uc_t_build *b, uc_ref x, const int64_t *shape, int rank); /* -1 keeps */
/* Parts of given sizes into out[count]. */
bool uc_t_split(uc_t_build *b, uc_ref x, const int64_t *sizes, size_t count, int64_t dim,
                uc_ref *out);
/* torch.chunk: the axis' length must be known. How many parts there are. */
size_t uc_t_chunk(uc_t_build *b, uc_ref x, int64_t chunks, int64_t dim, uc_ref *out);
uc_ref uc_t_roll(uc_t_build *b, uc_ref x, const int64_t *shifts, const int64_t *dims, size_t count);
uc_ref uc_t_flip(uc_t_build *b, uc_ref x, const int64_t *dims, size_t count);
uc_ref uc_t_size(uc_t_build *b, uc_ref x, int64_t dim); /* int64, rank 0 */

/* ---- mathematics ----------------------------------------------------------------------------- */

uc_ref uc_t_cast(uc_t_build *b, uc_ref x, uncork_dtype dtype);
uc_ref uc_t_add(uc_t_build *b, uc_ref x, uc_ref y);
uc_ref uc_t_sub(uc_t_build *b, uc_ref x, uc_ref y);
uc_ref uc_t_mul(uc_t_build *b, uc_ref x, uc_ref y);
uc_ref uc_t_div(uc_t_build *b, uc_ref x, uc_ref y);
uc_ref uc_t_add_number(uc_t_build *b, uc_ref x, double v);
uc_ref uc_t_mul_number(uc_t_build *b, uc_ref x, double v);
uc_ref uc_t_matmul(uc_t_build *b, uc_ref x, uc_ref y);
/* op: "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"; count 0: over all axes. */
uc_ref uc_t_reduce(uc_t_build *b, const char *op, uc_ref x, const int64_t *dims, size_t count,
                   bool keepdim);
uc_ref uc_t_mean(uc_t_build *b, uc_ref x, const int64_t *dims, size_t count, bool keepdim);
uc_ref uc_t_sum(uc_t_build *b, uc_ref x, const int64_t *dims, size_t count, bool keepdim);
uc_ref uc_t_norm(uc_t_build *b, uc_ref x, double p, int64_t dim, bool keepdim);
/* torch.nn.functional.normalize: x / max(norm, eps). */
uc_ref uc_t_normalize(uc_t_build *b, uc_ref x, double p, int64_t dim, double eps);
uc_ref uc_t_cosine_similarity(uc_t_build *b, uc_ref x1, uc_ref x2, int64_t dim, double eps);
uc_ref uc_t_pairwise_distance(uc_t_build *b, uc_ref x1, uc_ref x2, double p, double eps,
                              bool keepdim);

/* ---- attention and recurrence ---------------------------------------------------------------- */

/* q, k, v [..., heads, length, size]; mask bool (true: look) or added; scale 0: 1 / sqrt(size). */
uc_ref uc_t_sdpa(uc_t_build *b, uc_ref q, uc_ref k, uc_ref v, uc_ref mask, bool is_causal,
                 double scale);

typedef struct uc_t_mha {
    int64_t heads;
    uc_ref in_weight, in_bias; /* [3 E, E], [3 E], or 0 and */
    uc_ref q_weight, k_weight, v_weight;
    uc_ref out_weight, out_bias;
    uc_ref bias_k, bias_v; /* [1, 1, E], or 0 */
    bool add_zero_attn, batch_first;
    uc_ref key_padding_mask, attn_mask; /* bool (true: don't look) or added */
    bool is_causal;
    bool average; /* of the weights given back, over heads */
} uc_t_mha;
/* torch.nn.MultiheadAttention; *weights (NULL: not wanted) are those of need_weights. */
uc_ref uc_t_multi_head_attention(uc_t_build *b, const uc_t_mha *a, uc_ref query, uc_ref key,
                                 uc_ref value, uc_ref *weights);

/* Weights by layer and direction, in PyTorch's order: w_ih, w_hh, b_ih, b_hh, w_hr (each 0 when absent). */
typedef struct uc_t_rnn {
    const char *kind; /* "RNN" (tanh), "RELU", "LSTM", "GRU" */
    int64_t hidden, layers, projection;
    bool bidirectional, batch_first;
    uc_ref (*weights)[5]; /* [layers * directions] */
} uc_t_rnn;
/* out[0]: the output, out[1]: h_n, out[2]: c_n (LSTM). h0, c0: 0 for zeros. False after a failure. */
bool uc_t_run_rnn(uc_t_build *b, const uc_t_rnn *r, uc_ref x, uc_ref h0, uc_ref c0, uc_ref out[3]);

#endif
