/* Modules as data: an object of a class of torch.nn (or another known one) with its attributes,
 * parameters and submodules, emitted by what its class's forward does in eval(). The object is a value of
 * a pickle; whoever reads modules elsewhere can make such values (parameters then are ARRAYs). */
#ifndef UC_IMPORT_PYTORCH_TORCH_MODULE_H
#define UC_IMPORT_PYTORCH_TORCH_MODULE_H

#include "import/pytorch/torch.h"

typedef struct uc_t_call uc_t_call;

/* What the input of a module looks like, for the model's own inputs. */
typedef enum uc_t_shape {
    UC_T_ANY,      /* says nothing: the module behind it may */
    UC_T_FEATURES, /* [..., n]: any rank works */
    UC_T_SPATIAL,  /* [N, C, spatial...] of row->arg spatial dimensions */
    UC_T_SEQUENCE, /* [L, N, n] or [N, L, n] */
    UC_T_INDICES,  /* int64 [N, L] */
    UC_T_PICTURE,  /* [N, 3, H, W] */
} uc_t_shape;

typedef struct uc_t_module_row {
    const char *package; /* "torch.nn": modules at or below it */
    const char *name;    /* "Conv2d" */
    void (*emit)(uc_t_call *c);
    int arg;          /* spatial dimensions, ... */
    const char *word; /* an activation's name, ... */
    uc_t_shape shape;
    const char *inputs; /* "input": names of forward's arguments that must be given, ',' between */
} uc_t_module_row;

/* NULL when the class isn't known. */
const uc_t_module_row *uc_t_module_row_find(uc_str module, uc_str name);

#define UC_T_OUTPUTS 8

typedef struct uc_t_tree {
    uc_t_build *build;
    const uc_t_store *store;
    uc_table *constants; /* tensors by their value in the pickle: a shared weight is one constant */
    int depth;
    size_t calls;
} uc_t_tree;

struct uc_t_call {
    uc_t_tree *tree;
    uc_t_build *build;
    const uc_t_module_row *row;
    const uc_pickle *object;
    const char *path; /* "layer1.0" */
    const uc_ref *in;
    size_t in_count;
    uc_ref out[UC_T_OUTPUTS];
    const char *keys[UC_T_OUTPUTS]; /* of a dict; NULL: none */
    size_t out_count;
};

/* Declares the inputs, emits the module in file f, names the outputs. */
void uc_t_emit_module(const uc_t_file *f, uc_t_build *b);
/* Calls a module on values: false after a failure. */
bool uc_t_call_module(uc_t_tree *tree, const uc_pickle *object, const char *path, const uc_ref *in,
                      size_t in_count, uc_t_call *done);
/* The class of every module in the tree that isn't known, one after another; NULL when all are. */
const char *uc_t_unknown_classes(const uc_pickle *module, uc_arena *arena);
/* All parameters and buffers below a module, by their dotted names. */
uncork_status uc_t_module_state(const uc_t_store *store, const uc_pickle *module, uc_arena *arena,
                                uc_t_state **state, uncork_error *error);

/* Attributes, with the default of a version that hadn't them. None reads as absent. */
const uc_pickle *uc_t_attr(const uc_t_call *c, const char *name);
int64_t uc_t_attr_int(const uc_t_call *c, const char *name, int64_t otherwise);
double uc_t_attr_float(const uc_t_call *c, const char *name, double otherwise);
bool uc_t_attr_bool(const uc_t_call *c, const char *name, bool otherwise);
uc_str uc_t_attr_text(const uc_t_call *c, const char *name, const char *otherwise);
/* n integers, or one n times; None among them is -1. False when the attribute isn't there. */
bool uc_t_attr_ints(const uc_t_call *c, const char *name, int64_t *out, size_t n);
/* A parameter, buffer or tensor attribute as a constant; 0 when it is None or absent. weight_norm,
 * spectral_norm and pruning are carried out. */
uc_ref uc_t_tensor(uc_t_call *c, const char *name);
/* A submodule; NULL when None or absent. */
const uc_pickle *uc_t_child(const uc_t_call *c, const char *name);
/* Calls submodule `name` on one value: its one output. It must be there; _maybe passes x through where it
 * isn't. */
uc_ref uc_t_run(uc_t_call *c, const char *name, uc_ref x);
uc_ref uc_t_run_maybe(uc_t_call *c, const char *name, uc_ref x);
uc_ref uc_t_run_object(uc_t_call *c, const uc_pickle *object, const char *name, uc_ref x);
/* All submodules in order, each on the output of the one before. */
uc_ref uc_t_run_all(uc_t_call *c, uc_ref x);
/* The i-th submodule and its name; NULL beyond the last. */
const uc_pickle *uc_t_child_at(const uc_pickle *object, size_t i, uc_str *name);
/* An activation kept as a function ("torch.nn.functional.relu") or module. */
uc_ref uc_t_function(uc_t_call *c, const uc_pickle *function, uc_ref x);
void uc_t_set(uc_t_call *c, uc_ref out);
uc_ref uc_t_refuse(uc_t_call *c, const char *format, ...) UC_PRINTF(2, 3);

/* clang-format off */
#define UC_T_EMITTERS(X)                                                                          \
    X(sequential) X(data_parallel) X(identity)                                                    \
    X(linear) X(bilinear) X(conv) X(conv_transpose) X(embedding) X(embedding_bag)                 \
    X(batch_norm) X(frozen_batch_norm) X(instance_norm) X(layer_norm) X(rms_norm) X(group_norm)   \
    X(response_norm)                                                                              \
    X(act) X(leaky_relu) X(elu) X(celu) X(hardtanh) X(hardshrink) X(softshrink) X(threshold)      \
    X(softplus) X(gelu) X(prelu) X(rrelu) X(glu) X(softmax)                                       \
    X(max_pool) X(avg_pool) X(adaptive_avg_pool) X(adaptive_max_pool) X(lp_pool) X(max_unpool)    \
    X(flatten) X(unflatten) X(fold) X(unfold) X(pad) X(upsample) X(pixel_shuffle)                 \
    X(pixel_unshuffle) X(channel_shuffle) X(permute) X(cosine) X(distance)                        \
    X(rnn) X(rnn_cell)                                                                            \
    X(resnet) X(resnet_block) X(features) X(squeezenet) X(fire) X(densenet) X(dense_layer)         \
    X(dense_block) X(basic_conv) X(googlenet) X(inception) X(inception3) X(inception_a)            \
    X(inception_b) X(inception_c) X(inception_d) X(inception_e) X(inverted_residual)              \
    X(squeeze_excitation) X(mnasnet) X(shufflenet) X(shuffle_block) X(regnet) X(regnet_block)      \
    X(layer_norm_2d) X(convnext_block) X(vit) X(vit_encoder) X(vit_block) X(segmenter) X(aspp)     \
    X(aspp_pooling)                                                                               \
    X(attention) X(encoder_layer) X(encoder) X(decoder_layer) X(decoder) X(transformer)
#define UC_T_EMITTER(name) void uc_t_m_##name(uc_t_call *call);
UC_T_EMITTERS(UC_T_EMITTER)
/* clang-format on */

#endif
