/* The importer "keras": what its files share. A file becomes a tree of layers with their weights
 * (keras_config.c, keras_h5.c, keras_v3.c), which is emitted as graph nodes layer by layer. */
#ifndef UC_IMPORT_KERAS_KERAS_H
#define UC_IMPORT_KERAS_KERAS_H

#include "base/table.h"
#include "container/hdf5.h"
#include "graph/graph_look.h"
#include "graph/graph_window.h"
#include "import/importer.h"

typedef struct uc_k_layer uc_k_layer;
typedef struct uc_k_model uc_k_model;
typedef struct uc_k_call uc_k_call;

/* Variables of one layer; Keras 1 kept an LSTM's in 12. */
#define UC_K_SLOTS 12

typedef struct uc_k_slot {
    const char *name; /* "kernel" */
    bool frozen;      /* among non_trainable_weights */
    const uc_h5_object *data;
} uc_k_slot;

/* Row flags. */
enum {
    UC_K_MASK = 1,     /* a mask passes through */
    UC_K_ANY = 2,      /* inputs keep their type */
    UC_K_IDENTITY = 4, /* does nothing at inference */
};

typedef struct uc_k_row {
    const char *class_name;
    /* Variables in their order: "kernel bias?use_bias ~moving_mean"; '~': not trainable; '?': only
     * where the config says so, as it does by default; '!': where the member is there, '^': where
     * not; '+': where it is true, or "concat"; '-': where it isn't. "a|b": b are those of Keras 1. */
    const char *slots;
    const char *path; /* sub-object of a .keras file that owns the variables: "cell" */
    void (*emit)(uc_k_call *call);
    unsigned flags;
} uc_k_row;

const uc_k_row *uc_k_row_find(uc_str class_name);

typedef struct uc_k_child {
    const char *attribute; /* path in a .keras file: "forward_layer" */
    uc_k_layer *layer;
} uc_k_child;

struct uc_k_layer {
    const uc_k_row *row; /* NULL: unknown class, or a model */
    const char *class_name, *name;
    const uc_json *record; /* {"class_name": ..., "config": ...} */
    const uc_json *config;
    const char *path; /* in a .keras file: "layers/dense"; NULL elsewhere */
    bool frozen;      /* "trainable": false */
    bool is_operator; /* of keras.ops, not a layer: Add(x, 1) */
    int major;        /* of the Keras that wrote it: 1, 2, 3 */
    uc_k_slot slots[UC_K_SLOTS];
    size_t slot_count;
    uc_k_child *children;
    size_t child_count, child_capacity;
    uc_k_model *model;
};

struct uc_k_model {
    bool sequential;
    uc_k_layer **layers;
    size_t count, capacity;
    uc_table *by_name;
};

typedef struct uc_k_file {
    uc_arena *arena;
    uc_k_layer *root; /* a model */
    uc_h5 *h5;        /* NULL: no weights */
    const char *version;
    int major, minor;
    bool theano; /* kernels are flipped */
    bool legacy; /* weights by lists of names, not by paths */
    uc_bundle *bundle;
    uncork_error flaw; /* why it can't run; OK when it can */
} uc_k_file;

/* ---- configuration (keras_config.c) ---- */

/* Builds the tree of layers. */
uncork_status uc_k_read_config(uc_k_file *file, const uc_json *root, uc_budget *budget,
                               uncork_error *error);
/* A member of the config; where it is absent, under its name in Keras 1. */
const uc_json *uc_k_get(const uc_k_layer *layer, const char *key);
int64_t uc_k_int(const uc_k_layer *layer, const char *key, int64_t otherwise);
double uc_k_number(const uc_k_layer *layer, const char *key, double otherwise);
bool uc_k_bool(const uc_k_layer *layer, const char *key, bool otherwise);
uc_str uc_k_text(const uc_k_layer *layer, const char *key, const char *otherwise);
/* `n` integers of a list, or one number n times; false when there is neither. */
bool uc_k_ints(const uc_json *json, int64_t *out, size_t n);
/* A list's integers, at most `most`, null as -1: how many. */
size_t uc_k_list(const uc_json *json, int64_t *out, size_t most);
/* The name of a class or function: "relu", {"class_name": "relu"}, {"config": "relu"}. */
uc_str uc_k_object_name(const uc_json *json);
/* Variables and settings of a cell or wrapped layer count as the layer's own. */
uc_k_layer *uc_k_child_of(const uc_k_layer *layer, const char *attribute);

/* ---- weights ---- */

uncork_status uc_k_assign_h5(uc_k_file *file, const uc_h5_object *group, uncork_error *error);
uncork_status uc_k_assign_v3(uc_k_file *file, const uc_h5_object *group, uncork_error *error);

/* ---- emission ---- */

/* A value on its way: nchw says that the axes lie as [N, C, spatial...] though the layer means
 * [N, spatial..., C], so that a chain of convolutions needs no transposes. */
typedef struct uc_k_value {
    uc_ref ref, mask;
    bool nchw;
} uc_k_value;

#define UC_K_OUTPUTS 64

typedef struct uc_k_build {
    const uc_k_file *file;
    uc_graph *graph;
    uc_findings *findings;
    uc_look look; /* what is known of the values so far */
    int depth;    /* models within models */
} uc_k_build;

typedef struct uc_k_scope uc_k_scope; /* one call of a model: its layers' outputs */

/* A tensor that an argument of a call stands for, beside those that layers give (Lambda's). */
typedef struct uc_k_held {
    const uc_json *json;
    uc_k_value value;
} uc_k_held;

struct uc_k_call {
    uc_k_build *build;
    uc_graph *graph;
    const uc_k_layer *layer;
    uncork_dtype dtype; /* the layer's compute type */
    uc_k_scope *scope;  /* NULL inside of wrappers */
    const uc_json *args, *kwargs;
    const uc_k_held *held;
    size_t held_count;
    uc_k_value *in;
    size_t in_count;
    uc_k_value out[UC_K_OUTPUTS];
    size_t out_count;
};

/* keras_graph.c */
void uc_k_emit_model(uc_k_build *b, const uc_k_layer *model);
/* Calls a layer on values: of wrappers and cells too. */
void uc_k_emit(uc_k_build *b, const uc_k_layer *layer, uc_k_scope *scope, const uc_json *args,
               const uc_json *kwargs, uc_k_value *in, size_t in_count, uc_k_call *done);
/* The tensor of an argument, by position or name; false when it isn't given or no tensor. */
bool uc_k_argument(uc_k_call *c, size_t position, const char *name, uc_k_value *value);
const uc_json *uc_k_argument_json(const uc_k_call *c, size_t position, const char *name);
/* Whether JSON names a tensor of the model; it then is in *value. */
bool uc_k_tensor_of(uc_k_call *c, const uc_json *json, uc_k_value *value);

/* keras_operator.c */
bool uc_k_is_operator(const char *class_name);

/* keras_layer_image.c: tf.image.resize of x [N, C, H, W]. */
uc_ref uc_k_resize(uc_k_call *c, uc_ref x, uc_str how, int64_t height, int64_t width);
uc_ref uc_k_resize_smooth(uc_k_call *c, uc_ref x, uc_str how, int64_t height,
                          int64_t width); /* antialias=True */

/* keras_value.c */
int uc_k_rank(uc_k_call *c, uc_ref ref);
int64_t uc_k_dim(uc_k_call *c, uc_ref ref, int axis); /* -1: not known */
uncork_dtype uc_k_dtype(uc_k_call *c, uc_ref ref);
uc_ref uc_k_plain(uc_k_call *c, uc_k_value v);
uc_ref uc_k_first(uc_k_call *c, uc_k_value v); /* as [N, C, spatial...] */
void uc_k_set(uc_k_call *c, uc_ref ref);       /* the one output, axes in order */
void uc_k_set_as(uc_k_call *c, uc_ref ref, bool nchw);
uc_ref uc_k_fail(uc_k_call *c, const char *format, ...) UC_PRINTF(2, 3);
uc_ref uc_k_transpose(uc_graph *g, uc_ref a, const int64_t *perm, size_t n);
uc_ref uc_k_transpose2(uc_graph *g, uc_ref a, int64_t p0, int64_t p1, int64_t p2);
/* Constants of the call's type. */
uc_ref uc_k_scalar(uc_k_call *c, double v);
uc_ref uc_k_constant(uc_k_call *c, const double *v, int rank, const int64_t *shape);
uc_ref uc_k_axes(uc_k_call *c, const char *op, uc_ref a, const int64_t *axes, size_t n, bool keep);
/* A variable: its tensor (NULL when the layer has none), as a constant of the call's type, and
 * with permuted axes. */
const uc_tensor *uc_k_tensor(uc_k_call *c, const char *slot);
uc_ref uc_k_weight(uc_k_call *c, const char *slot);
uc_ref uc_k_const(uc_k_call *c, const uc_tensor *t);
const uc_tensor *uc_k_permuted(uc_k_call *c, const uc_tensor *t, const int64_t *perm);
bool uc_k_has(const uc_k_layer *layer, const char *slot);
int uc_k_axis(int64_t axis, int rank); /* from the end when negative; -1: outside */
bool uc_k_channels_first(const uc_k_layer *layer);

/* keras_activation.c */
/* The function of config member `key` applied. `axis`: of channels, for softmax. */
uc_ref uc_k_activate(uc_k_call *c, const uc_json *function, uc_ref x, int axis);
uc_ref uc_k_activate_key(uc_k_call *c, const char *key, const char *otherwise, uc_ref x, int axis);

/* keras_layer_text.c: ids to what output_mode asks for; those at or beyond depth count for nothing. */
void uc_k_give_ids(uc_k_call *c, uc_ref id, int64_t depth);

/* keras_layer_pool.c: pooling of x [N, C, spatial...] to a given size; how: "avg" or "max". */
uc_ref uc_k_adaptive_pool(uc_k_call *c, uc_ref x, const char *how, const int64_t *size, size_t n);

/* keras_layer_conv.c */
/* Pads of "same", "valid" or "causal" for x as [N, C, spatial...]. */
bool uc_k_window_pads(uc_k_call *c, uc_window *w, uc_str padding, uc_ref x);
/* A convolution of x as [N, C, spatial...] by one of the layer's kernels. */
uc_ref uc_k_convolve(uc_k_call *c, uc_ref x, const char *slot, bool bias, uc_str padding,
                     bool own_strides);

/* clang-format off */
/* The emitters of keras_layer_table.def, by file. */
#define UC_K_EMITTERS(X)                                                                         \
    X(dense) X(einsum_dense) X(activation) X(flatten) X(reshape) X(permute) X(repeat_vector)     \
    X(embedding) X(masking) X(lambda) X(identity) X(time_distributed) X(wrapper)                 \
    X(conv) X(conv_transpose) X(depthwise_conv) X(separable_conv)                                \
    X(max_pool) X(average_pool) X(global_max_pool) X(global_average_pool) X(zero_padding)        \
    X(cropping) X(upsampling)                                                                    \
    X(add) X(subtract) X(multiply) X(average) X(maximum) X(minimum) X(concatenate) X(dot)        \
    X(merge) X(scaled_sum)                                                                       \
    X(softmax) X(relu) X(leaky_relu) X(elu) X(prelu) X(thresholded_relu)                         \
    X(batch_norm) X(layer_norm) X(rms_norm) X(group_norm) X(unit_norm) X(normalization)          \
    X(rescaling)                                                                                 \
    X(adaptive_average_pool) X(adaptive_max_pool) X(hashing) X(hashed_crossing)                      \
    X(reversible_embedding) X(stft_spectrogram) X(mel_spectrogram) X(auto_contrast) X(pipeline)  \
    X(rnn) X(bidirectional) X(conv_lstm)                                                         \
    X(attention) X(additive_attention) X(multi_head_attention)                                   \
    X(locally_connected) X(resizing) X(center_crop) X(category_encoding)                                              \
    X(layer_scale) X(discretization) X(operator) X(tf_operator)                                  \
    X(scale) X(instance_norm) X(l2_norm) X(reflection_padding) X(patches) X(named_activation)      \
    X(random_crop) X(text_vectorization) X(string_lookup) X(integer_lookup)
#define UC_K_EMITTER(name) void uc_k_##name(uc_k_call *call);
UC_K_EMITTERS(UC_K_EMITTER)
/* clang-format on */

#endif
