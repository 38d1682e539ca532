/* The records of a TensorFlow graph: nodes with their attributes as views of the file, bodies (the main
 * graph or a function), and what a file is as a whole. Everything is read lazily: a function becomes a body
 * when something calls it.
 *
 * Facts: TensorFlow 2.21, tensorflow/core/framework/{graph,node_def,function,attr_value,tensor}.proto. */
#ifndef UC_IMPORT_TENSORFLOW_TF_FILE_H
#define UC_IMPORT_TENSORFLOW_TF_FILE_H

#include "base/table.h"
#include "container/protobuf.h"
#include "import/importer.h"
#include "import/tensorflow/tf_checkpoint.h"

typedef struct uc_tf_call uc_tf_call;
typedef struct uc_tf_body uc_tf_body;

/* ---- the op registry ------------------------------------------------------------------------- */

/* An op as TensorFlow registers it (tf_op_defs.def): texts that tf_def.c takes apart. */
typedef struct uc_tf_def {
    const char *name; /* "Conv2D"; inputs, outputs and attributes follow behind its zero */
} uc_tf_def;

const uc_tf_def *uc_tf_def_find(uc_str op); /* NULL: not registered, or of training only */
const char *uc_tf_def_inputs(const uc_tf_def *def);
const char *uc_tf_def_outputs(const uc_tf_def *def); /* "output:T|indices:3" */
const char *uc_tf_def_attrs(const uc_tf_def *def);   /* "T:type|alpha:float=0.2" */
/* The default of an attribute as text; false: there is none. */
bool uc_tf_def_default(const uc_tf_def *def, const char *attr, uc_str *text);

typedef struct uc_tf_row {
    const char *op;
    void (*emit)(uc_tf_call *call); /* NULL: known and refused */
    const char *onnx;               /* the operator, of emitters that serve many */
    const char *why;                /* it is refused */
} uc_tf_row;

const uc_tf_row *uc_tf_row_find(uc_str op);
const uc_tf_row *uc_tf_row_at(size_t i); /* NULL beyond the last */

/* ---- nodes ----------------------------------------------------------------------------------- */

/* DataType of types.proto as a tensor's type; NONE: resource, variant, unknown. Refs are their values. */
uncork_dtype uc_tf_dtype(int64_t type);
int64_t uc_tf_type_number_of(uncork_dtype dtype); /* the other way; 0: there is none */
enum { UC_TF_DT_STRING = 7, UC_TF_DT_RESOURCE = 20, UC_TF_DT_VARIANT = 21 };

typedef struct uc_tf_attr {
    uc_str name;
    uc_bytes value; /* an AttrValue */
    uint64_t offset;
} uc_tf_attr;

/* An output of a node of the same body; node < 0: argument -1 - node of the function. */
typedef struct uc_tf_edge {
    int32_t node, output;
} uc_tf_edge;

typedef struct uc_tf_node {
    uc_str name, op;
    const uc_tf_def *def; /* NULL: not registered (a function's name, a custom op) */
    const uc_tf_row *row; /* NULL: no emitter */
    uc_str *inputs;       /* as the file names them: data first, then the control inputs */
    size_t input_count, control_count;
    uc_tf_attr *attrs;
    size_t attr_count;
} uc_tf_node;

typedef struct uc_tf_arg {
    uc_str name;
    int64_t type; /* DataType; 0: an attribute of the call says it */
    uc_str type_attr;
} uc_tf_arg;

typedef struct uc_tf_ret {
    uc_str name, from; /* the output argument; what it is, as the file names it */
} uc_tf_ret;

struct uc_tf_body {
    uc_str name; /* of a function; empty: the main graph */
    uc_tf_node *nodes;
    size_t node_count;
    uc_table *by_name;
    uc_tf_arg *args;
    uc_tf_ret *rets;
    size_t arg_count, ret_count;
    uc_str *control_rets; /* nodes that run whenever the function does */
    size_t control_ret_count;
};

/* ---- the file -------------------------------------------------------------------------------- */

typedef struct uc_tf_graph {
    uc_bytes bytes; /* of the GraphDef */
    uint64_t offset;
    uc_tf_body *main;
    uc_table *functions; /* name -> uc_tf_function */
    size_t function_count;
    int64_t producer;
} uc_tf_graph;

typedef struct uc_tf_function {
    uc_str name;
    uc_bytes bytes; /* a FunctionDef */
    uint64_t offset;
} uc_tf_function;

/* A named input or output of an entry. */
typedef struct uc_tf_port {
    const char *name;    /* the signature's key, or the node's name */
    uc_str tensor;       /* "node:0" */
    int64_t type;        /* DataType; 0: not said */
    int rank;            /* -1: not said */
    const int64_t *dims; /* -1: free */
    uc_bytes fallback;   /* a TensorProto: what an input is that isn't given; empty: it must be */
    uint64_t fallback_at;
} uc_tf_port;

/* What a function of the object graph takes behind its inputs: a variable, by its key in the checkpoint, or
 * what a node of the main graph makes. */
typedef struct uc_tf_bound {
    uc_str key, node;
} uc_tf_bound;

typedef struct uc_tf_entry {
    const char *name;
    const char *method; /* "tensorflow/serving/predict"; NULL: none */
    uc_tf_port *inputs, *outputs;
    size_t input_count, output_count;
    uc_str function; /* it is a function of the object graph; empty: a signature */
    uc_tf_bound *bound;
    size_t bound_count;
} uc_tf_entry;

/* A file of the model that a constant of the graph names. */
typedef struct uc_tf_asset {
    uc_str node; /* the constant */
    const char *name;
    uc_bytes bytes;
    bool found;
} uc_tf_asset;

typedef struct uc_tf_file {
    uc_tf_graph graph;
    uc_tf_checkpoint checkpoint;
    uncork_error no_checkpoint; /* why there is none; OK: there is one */
    uc_str restore_op;          /* the node that restores; empty: none */
    uc_str *init_ops;           /* nodes that initialise tables */
    size_t init_count;
    uc_tf_asset *assets;
    size_t asset_count;
    uc_tf_entry *entries;
    size_t entry_count;
    const char *version; /* of TensorFlow, as the file says; NULL: it doesn't */
    const char *tags;    /* "serve"; NULL: none */
} uc_tf_file;

/* tf_objects.c: the functions of the root of a SavedObjectGraph as entries. */
void uc_tf_objects_read(uc_bytes graph, uint64_t offset, uc_arena *arena, uc_tf_file *file);

/* tf_probe.c: what a file is, or which member of a folder or archive counts. */
typedef enum uc_tf_kind_of_file {
    UC_TF_IS_NOTHING,
    UC_TF_IS_GRAPH,
    UC_TF_IS_GRAPH_TEXT,
    UC_TF_IS_SAVED_MODEL,
    UC_TF_IS_SAVED_MODEL_TEXT,
    UC_TF_IS_META_GRAPH,
    UC_TF_IS_META_GRAPH_TEXT,
    UC_TF_IS_CHECKPOINT, /* weights without a graph */
} uc_tf_kind_of_file;
typedef struct uc_tf_found {
    uc_tf_kind_of_file kind;
    size_t index; /* in the bundle; SIZE_MAX: the lone file */
} uc_tf_found;
uc_tf_found uc_tf_find(uc_bytes head, const uc_bundle *bundle);

/* tf_graph_def.c */
uncork_status uc_tf_graph_read(uc_bytes bytes, uint64_t offset, uc_arena *arena, uc_tf_graph *graph,
                               uncork_error *error);
uncork_status uc_tf_body_read(const uc_tf_function *function, uc_arena *arena, uc_tf_body **body,
                              uncork_error *error);
const uc_tf_node *uc_tf_body_find(const uc_tf_body *body, uc_str name);
const uc_tf_function *uc_tf_function_find(const uc_tf_graph *graph, uc_str name);
bool uc_tf_shape_read(uc_bytes bytes, uint64_t offset, uc_arena *arena, int *rank, int64_t **dims,
                      uncork_error *error);

/* tf_attr.c: attributes of a node outside of any call. */
int64_t uc_tf_node_type(const uc_tf_node *node, const char *name); /* DataType; 0: not said */
/* The TensorProto of a Const's value; false: it has none. */
bool uc_tf_node_tensor(const uc_tf_node *node, uc_bytes *bytes, uint64_t *offset);
bool uc_tf_node_shape(const uc_tf_node *node, const char *name, uc_arena *arena, int *rank,
                      int64_t **dims, uncork_error *error);

/* Whether the node calls the function of its attribute as if the function's nodes stood there. */
bool uc_tf_is_call(const uc_tf_node *node);
/* The functions that the node's attributes name, at most `most`. */
size_t uc_tf_node_functions(const uc_tf_node *node, uc_str *out, size_t most);

/* tf_reach.c: what an entry's outputs reach. `bodies` (name -> uc_tf_body) is shared and added to. Fails when a
 * node that runs whenever they do writes files or runs foreign code. */
uncork_status uc_tf_reach_check(const uc_tf_graph *graph, const uc_tf_entry *entry,
                                uc_table *bodies, uc_arena *arena, uncork_error *error);
/* "3 Foo, 1 Bar": operators without an emitter; NULL: none. */
const char *uc_tf_reach_lacking(const uc_tf_graph *graph, const uc_tf_entry *entry,
                                uc_table *bodies, uc_arena *arena);

/* tf_tensor.c: a TensorProto. */
uncork_status uc_tf_tensor_make(uc_bytes bytes, uint64_t offset, uc_arena *arena,
                                const uc_tensor **tensor, uncork_error *error);

/* One that leaves its type and shape to others (V1 checkpoints). */
uncork_status uc_tf_tensor_typed(uc_bytes bytes, uint64_t offset, int64_t type, int rank,
                                 const int64_t *shape, uc_arena *arena, const uc_tensor **tensor,
                                 uncork_error *error);

/* tf_text.c: messages as text, turned into their wire form. */
typedef enum uc_tf_text {
    UC_TF_NO_TEXT,
    UC_TF_TEXT_GRAPH,
    UC_TF_TEXT_SAVED_MODEL,
    UC_TF_TEXT_META_GRAPH,
} uc_tf_text;
uc_tf_text uc_tf_text_of(uc_bytes head);
uncork_status uc_tf_text_read(uc_bytes text, uc_tf_text what, uc_arena *arena, uc_bytes *wire,
                              uncork_error *error);

/* tf_saved_model.c */
uncork_status uc_tf_saved_model_read(uc_import *file, const char *member, uc_bytes bytes,
                                     uc_tf_file *f, uncork_error *error);
/* A MetaGraphDef by itself; its checkpoint is `prefix` beside it. */
uncork_status uc_tf_meta_graph_read(uc_import *file, const char *member, const char *prefix,
                                    uc_bytes bytes, uc_tf_file *f, uncork_error *error);

/* tf_frozen.c: the entry of a graph without signatures. */
/* The entry as it is fed: an input under the name of its tensor, any tensor of the graph by its name; inputs
 * that the outputs then don't need are left out. The entry itself where nothing differs; NULL: no memory. */
const uc_tf_entry *uc_tf_entry_as_fed(const uc_tf_graph *graph, const uc_tf_entry *entry,
                                      const uc_import_options *options, uc_arena *arena);
uncork_status uc_tf_frozen_entry(const uc_tf_graph *graph, uc_arena *arena, uc_tf_entry *entry,
                                 uncork_error *error);

#endif
