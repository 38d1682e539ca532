/* The messages of onnx.proto that matter, as records in the file's arena: names and weights are
 * views of the file. Read once by onnx_read.c, never changed afterwards.
 *
 * Source: onnx/onnx.proto (IR version 14); the field numbers stand in onnx_read.c. */
#ifndef UC_IMPORT_ONNX_PROTO_H
#define UC_IMPORT_ONNX_PROTO_H

#include "base/budget.h"
#include "container/bundle.h"
#include "container/protobuf.h"

typedef struct uc_onnx_graph uc_onnx_graph;

/* A list of records that grows while a message is read. */
#define UC_ONNX_LIST(type)      \
    struct {                    \
        type *items;            \
        size_t count, capacity; \
    }

typedef struct uc_onnx_pair {
    uc_str key, value;
} uc_onnx_pair;
typedef UC_ONNX_LIST(uc_onnx_pair) uc_onnx_pairs;
typedef UC_ONNX_LIST(uc_str) uc_onnx_strs;

typedef struct uc_onnx_tensor {
    uc_str name;
    int64_t data_type; /* TensorProto.DataType */
    int64_t *dims;
    size_t dim_count, dim_capacity;
    bool has_raw, is_external, is_segment;
    uint32_t typed;         /* which of the typed fields are there: bit = field number */
    uc_bytes raw;           /* raw_data, or the external bytes once open has found them */
    uc_onnx_pairs external; /* location, offset, length, checksum */
    uc_bytes message;       /* the whole message: typed data is decoded from it */
    uint64_t offset;        /* of the message in the file */
} uc_onnx_tensor;

typedef struct uc_onnx_sparse {
    uc_onnx_tensor values, indices;
    int64_t *dims;
    size_t dim_count, dim_capacity;
} uc_onnx_sparse;

typedef enum uc_onnx_type_kind {
    UC_ONNX_NO_TYPE,
    UC_ONNX_TENSOR_TYPE,
    UC_ONNX_SPARSE_TYPE,
    UC_ONNX_SEQUENCE_TYPE,
    UC_ONNX_OPTIONAL_TYPE,
    UC_ONNX_MAP_TYPE,
    UC_ONNX_OPAQUE_TYPE,
} uc_onnx_type_kind;

typedef struct uc_onnx_dim {
    int64_t value; /* -1: not given */
    uc_str param;
} uc_onnx_dim;

typedef struct uc_onnx_type {
    uc_onnx_type_kind kind;
    int64_t elem;   /* of a tensor, or a map's key type */
    bool has_shape; /* of a tensor */
    UC_ONNX_LIST(uc_onnx_dim) dims;
    struct uc_onnx_type *inside; /* of a sequence, optional, map */
} uc_onnx_type;

/* ValueInfoProto */
typedef struct uc_onnx_value {
    uc_str name, doc;
    uc_onnx_type type;
} uc_onnx_value;
typedef UC_ONNX_LIST(uc_onnx_value) uc_onnx_values;

/* AttributeProto.AttributeType */
typedef enum uc_onnx_attr_type {
    UC_ONNX_UNDEFINED = 0,
    UC_ONNX_FLOAT = 1,
    UC_ONNX_INT = 2,
    UC_ONNX_STRING = 3,
    UC_ONNX_TENSOR = 4,
    UC_ONNX_GRAPH = 5,
    UC_ONNX_FLOATS = 6,
    UC_ONNX_INTS = 7,
    UC_ONNX_STRINGS = 8,
    UC_ONNX_TENSORS = 9,
    UC_ONNX_GRAPHS = 10,
    UC_ONNX_SPARSE_TENSOR = 11,
    UC_ONNX_SPARSE_TENSORS = 12,
    UC_ONNX_TYPE_PROTO = 13,
    UC_ONNX_TYPE_PROTOS = 14,
} uc_onnx_attr_type;

typedef struct uc_onnx_attr {
    uc_str name;
    uc_str reference; /* ref_attr_name: the function's attribute that it stands for */
    uc_onnx_attr_type type;
    double f;
    int64_t i;
    uc_str s;
    double *floats;
    int64_t *ints;
    size_t float_count, float_capacity, int_count, int_capacity;
    uc_onnx_strs strings;
    uc_onnx_tensor *tensor;
    uc_onnx_sparse *sparse;
    uc_onnx_graph *graph;
    uc_onnx_type *type_proto;
} uc_onnx_attr;

typedef struct uc_onnx_node {
    uc_str name, op, domain, overload;
    uc_onnx_strs inputs, outputs;
    UC_ONNX_LIST(uc_onnx_attr) attrs;
    uc_onnx_pairs metadata;
    uint64_t offset;
} uc_onnx_node;
typedef UC_ONNX_LIST(uc_onnx_node) uc_onnx_nodes;

/* TensorAnnotation: which tensors hold a tensor's scale and zero point. */
typedef struct uc_onnx_annotation {
    uc_str tensor;
    uc_onnx_pairs parameters;
} uc_onnx_annotation;

struct uc_onnx_graph {
    uc_str name, doc;
    uc_onnx_nodes nodes;
    UC_ONNX_LIST(uc_onnx_tensor) initializers;
    UC_ONNX_LIST(uc_onnx_sparse) sparse_initializers;
    uc_onnx_values inputs, outputs, value_info;
    UC_ONNX_LIST(uc_onnx_annotation) annotations;
    uc_onnx_pairs metadata;
    uc_onnx_strs free; /* names of outer graphs that it uses, in order of their first use */
};

typedef struct uc_onnx_opset {
    uc_str domain;
    int64_t version;
} uc_onnx_opset;
typedef UC_ONNX_LIST(uc_onnx_opset) uc_onnx_opsets;

typedef struct uc_onnx_function {
    uc_str name, domain, overload, doc;
    uc_onnx_strs inputs, outputs, attributes; /* attributes that have no default */
    UC_ONNX_LIST(uc_onnx_attr) defaults;
    uc_onnx_nodes nodes;
    uc_onnx_opsets opsets;
} uc_onnx_function;

typedef struct uc_onnx_model {
    int64_t ir_version, model_version;
    uc_str producer, producer_version, domain, doc;
    uc_onnx_opsets opsets;
    uc_onnx_graph *graph; /* NULL: the file has none */
    uc_onnx_pairs metadata;
    UC_ONNX_LIST(uc_onnx_function) functions;
    size_t training_infos; /* not used for prediction */
    bool has_external;
} uc_onnx_model;

/* Reads a ModelProto; its records live in the arena. */
uncork_status uc_onnx_read(uc_bytes bytes, uc_arena *arena, uc_budget *budget,
                           uc_onnx_model **model, uncork_error *error);
/* Finds the bytes of every external tensor: files inside the folder of `member` only. */
uncork_status uc_onnx_read_external(uc_onnx_model *model, uc_bundle *bundle, const char *member,
                                    uc_arena *arena, uncork_error *error);
/* Fills graph->free from the nodes and their bodies. */
uncork_status uc_onnx_find_free(uc_onnx_graph *graph, uc_arena *arena, uncork_error *error);

/* Room for one more record at the end of a list, zeroed; NULL (and the list lost) when the arena is
 * out. */
#define UC_ONNX_PUSH(arena, list)                                                                \
    ((list)->items = uc_arena_grow((arena), (list)->items, &(list)->capacity, (list)->count + 1, \
                                   sizeof *(list)->items),                                       \
     (list)->items ? &(list)->items[(list)->count++] : NULL)

#endif
