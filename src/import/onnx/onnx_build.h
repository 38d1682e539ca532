/* What the files share that turn records into a graph. */
#ifndef UC_IMPORT_ONNX_BUILD_H
#define UC_IMPORT_ONNX_BUILD_H

#include "base/table.h"
#include "graph/graph_look.h"
#include "import/importer.h"
#include "import/onnx/onnx_proto.h"
#include "import/onnx/onnx_upgrade.h"

/* Who calls a function, and with which attributes; the model itself has no function. */
typedef struct uc_onnx_env {
    const uc_onnx_function *function;
    const uc_onnx_node *call;
    struct uc_onnx_scope *caller; /* where the call's names and bodies belong */
    const uc_onnx_opsets *opsets;
    int depth;
} uc_onnx_env;

/* Names of one graph, body or function call. */
typedef struct uc_onnx_scope {
    uc_graph *graph;
    const uc_onnx_env *env;
    uc_table *names;             /* -> uc_onnx_name */
    struct uc_onnx_scope *outer; /* of a body: where its free names are */
} uc_onnx_scope;

typedef struct uc_onnx_name {
    uc_ref ref;                   /* 0 with no tensor: left out on purpose */
    const uc_onnx_tensor *tensor; /* an initializer not yet used */
    const uc_onnx_sparse *sparse;
} uc_onnx_name;

/* Inference as far as a graph is built, for upgrades that ask for ranks. */
typedef struct uc_onnx_peek {
    uc_graph *graph;
    uc_look look;
    struct uc_onnx_peek *next;
} uc_onnx_peek;

typedef struct uc_onnx_build {
    const uc_onnx_model *model;
    uc_arena *arena; /* the model's: everything built lives there */
    uc_budget *budget;
    uc_findings *findings;
    uncork_error *error;
    const uc_import_options *fed; /* of an artifact: what will be fed; else NULL */
    uc_table *symbols;            /* dim_param -> its number, boxed */
    uc_table *functions;          /* "domain\0name\0overload" -> uc_onnx_function */
    int64_t symbol_count;
    size_t expanded; /* nodes that came out of functions */
    uc_arena *peek_arena, *peek_scratch;
    uc_onnx_peek *peeks;
} uc_onnx_build;

/* ---- onnx_order.c ---- */
/* Indices of the nodes with producers first; fails naming two producers or a cycle. */
uncork_status uc_onnx_order(const uc_onnx_nodes *nodes, uc_arena *arena, uint32_t **order,
                            uncork_error *error);

/* ---- onnx_tensor.c ---- */
/* The tensor with its elements: a view of the file where alignment and layout allow. NULL after a
 * failure, which sticks to the graph. `name` is for messages. */
const uc_tensor *uc_onnx_tensor_make(uc_graph *g, const uc_onnx_tensor *t, uc_str name);
const uc_tensor *uc_onnx_sparse_make(uc_graph *g, const uc_onnx_sparse *s, uc_str name);

/* ---- onnx_type.c ---- */
typedef struct uc_onnx_declared {
    uc_kind kind, item_kind;
    uncork_dtype dtype;
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
} uc_onnx_declared;
/* The kind, element type and shape of a declared type; false after a failure. Symbols get their
 * number from the build (NULL: they are unknown). */
bool uc_onnx_declare(uc_onnx_build *b, uc_graph *g, const uc_onnx_value *value,
                     uc_onnx_declared *out);
/* "seq(tensor(float))", as ONNX writes types. */
void uc_onnx_type_text(const uc_onnx_type *type, uc_writer *out);

/* ---- onnx_node.c ---- */
/* Adds one node of the file; the names of its outputs enter the scope. */
void uc_onnx_add_node(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node);
/* The value of a name, made of its initializer when that is due; 0 (and a failure) when unknown. */
uc_ref uc_onnx_lookup(uc_onnx_build *b, uc_onnx_scope *scope, uc_str name);
bool uc_onnx_bind(uc_onnx_build *b, uc_onnx_scope *scope, uc_str name, uc_ref ref);
/* The attribute that a node's attribute is: itself, or what the function's caller gave. NULL: the
 * caller gave none. *scope becomes the one its body belongs to. */
const uc_onnx_attr *uc_onnx_resolve(const uc_onnx_attr *attr, uc_onnx_scope **scope);

/* ---- onnx_gradient.c ---- */
static inline bool uc_onnx_is_gradient(const uc_onnx_node *node)
{
    return uc_str_is(node->domain, "ai.onnx.preview.training") && uc_str_is(node->op, "Gradient");
}
/* Adds the nodes of a Gradient's derivatives, in place of it. */
void uc_onnx_add_gradient(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node);

/* ---- onnx_flex_attention.c ---- */
static inline bool uc_onnx_is_flex_attention(const uc_onnx_node *node)
{
    return uc_str_is(node->domain, "ai.onnx.preview") && uc_str_is(node->op, "FlexAttention");
}
/* Adds the nodes of a FlexAttention, modifiers included. */
void uc_onnx_add_flex_attention(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node);

/* ---- onnx_function.c ---- */
const uc_onnx_function *uc_onnx_find_function(const uc_onnx_build *b, const uc_onnx_node *node);
void uc_onnx_call_function(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node,
                           const uc_onnx_function *function);

/* ---- onnx_graph.c ---- */
/* Fills the scope's graph from a record: inputs (formal ones and captures), nodes, outputs. */
void uc_onnx_fill_graph(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_graph *record);
/* A body as a graph of its own; its inputs are the record's and then `captures`, names of `outer`. */
uc_graph *uc_onnx_body(uc_onnx_build *b, uc_onnx_scope *outer, const uc_onnx_graph *record,
                       const uc_str *captures, size_t capture_count);

/* ---- onnx_opset.c ---- */
/* The version of a domain here; 0 (and a failure) when the model imports none. */
int64_t uc_onnx_version(uc_onnx_build *b, const uc_onnx_scope *scope, uc_str domain);
/* IR version and opsets are ones that are known. */
uncork_status uc_onnx_check_versions(const uc_onnx_model *model, uncork_error *error);

/* A name for messages and for C: a copy without control characters. */
const char *uc_onnx_text(uc_arena *arena, uc_str s);

#endif
