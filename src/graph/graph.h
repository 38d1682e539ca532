/* The model as nodes and values: ONNX operators at the canonical opset plus ai.onnx.ml and uncork.
 * Building never needs a check in between: the first failure sticks to the graph and is returned by
 * uc_graph_finish. Immutable once finished; lives in its arena. */
#ifndef UC_GRAPH_GRAPH_H
#define UC_GRAPH_GRAPH_H

#include "base/finding.h"
#include "base/writer.h"
#include "op/op.h"

/* A value of the graph; 0 is "nothing" (a missing optional input). */
typedef int32_t uc_ref;

typedef struct uc_graph_value {
    const char *name;          /* may be NULL */
    uncork_dtype dtype;        /* NONE: not known yet */
    int rank;                  /* -1: not known yet */
    int64_t *shape;            /* as in infer */
    const uc_tensor *constant; /* NULL: computed or fed */
    int32_t producer;          /* node index, -1: input or constant */
    uc_kind kind;
    uc_kind item_kind;         /* of sequences and optionals */
    bool optional;             /* an input that may be left out: NOTHING, or an empty optional */
    const uc_tensor *fallback; /* an input that may be left out: what it then is; NULL: none */
} uc_graph_value;

typedef struct uc_node {
    const uc_op *op;
    const char *where; /* where it came from: "model.steps[1] (SVC)"; may be NULL */
    uc_ref *in;
    size_t in_count;
    uc_ref *out;
    size_t out_count;
    uc_attr *attrs;
    size_t attr_count, attr_capacity;
    uc_layout layout;
} uc_node;

typedef struct uc_graph {
    uc_arena *arena;
    uc_budget *budget;
    uncork_error *error;
    uncork_status status;   /* the first failure */
    bool finished;          /* uc_graph_finish is done */
    const char *where;      /* given to new nodes; importers set it as they go */
    uc_graph_value *values; /* [0] is nothing */
    size_t value_count, value_capacity;
    uc_node *nodes; /* in an order where producers come first */
    size_t node_count, node_capacity;
    uc_ref *inputs, *outputs;
    size_t input_count, input_capacity, output_count, output_capacity;
    const char **output_names; /* [output_capacity]; a value may be an output under several names */
    const struct uc_packs *packs; /* packed constants of the file (op/packs.h), or NULL */
    uc_node dummy;                /* what uc_graph_node returns after a failure */
} uc_graph;

uc_graph *uc_graph_new(uc_arena *arena, uc_budget *budget, uncork_error *error);

/* An input of the graph. shape may hold -1 and symbols; rank -1: any. */
uc_ref uc_graph_input(uc_graph *g, const char *name, uncork_dtype dtype, int rank,
                      const int64_t *shape);
/* Makes an input a sequence, optional or map; its type and shape are then those of what is inside. */
void uc_graph_input_kind(uc_graph *g, uc_ref input, uc_kind kind, uc_kind item_kind);
/* An input that may be left out; it then is `fallback` (NULL: empty, for optionals only). */
void uc_graph_input_optional(uc_graph *g, uc_ref input, const uc_tensor *fallback);
void uc_graph_output(uc_graph *g, const char *name, uc_ref value);

/* Name of the i-th output, NULL beyond the last. */
const char *uc_graph_output_name(const uc_graph *g, int i);

/* Constants; the tensor is borrowed and must outlive the graph (same arena). */
uc_ref uc_graph_const(uc_graph *g, const uc_tensor *tensor);
uc_ref uc_graph_f64(uc_graph *g, double v); /* rank 0 */
uc_ref uc_graph_f32(uc_graph *g, float v);
uc_ref uc_graph_i64(uc_graph *g, int64_t v);
uc_ref uc_graph_f64s(uc_graph *g, const double *v, int64_t n); /* rank 1 */
uc_ref uc_graph_i64s(uc_graph *g, const int64_t *v, int64_t n);

/* A node of an operator by name: "MatMul" (ai.onnx), "ai.onnx.ml.Scaler", "uncork.TreeEnsemble".
 * Outputs are made with it. An unknown operator fails the graph. Never NULL (a dummy after failure).
 * The pointer holds until the next node is made; uc_node_out works on it even later. */
uc_node *uc_graph_node(uc_graph *g, const char *op, const uc_ref *in, size_t in_count,
                       size_t out_count);
/* The i-th output of a node, 0 after a failure. */
uc_ref uc_node_out(const uc_node *node, size_t i);
/* Attributes; arrays are copied. */
void uc_node_int(uc_graph *g, uc_node *n, const char *name, int64_t v);
void uc_node_float(uc_graph *g, uc_node *n, const char *name, double v);
void uc_node_str(uc_graph *g, uc_node *n, const char *name, const char *v);
void uc_node_ints(uc_graph *g, uc_node *n, const char *name, const int64_t *v, size_t count);
void uc_node_floats(uc_graph *g, uc_node *n, const char *name, const double *v, size_t count);
void uc_node_strs(uc_graph *g, uc_node *n, const char *name, const uc_str *v, size_t count);
void uc_node_tensor(uc_graph *g, uc_node *n, const char *name, const uc_tensor *v);
void uc_node_graph(uc_graph *g, uc_node *n, const char *name, uc_graph *body);

/* Nodes with one output, no attribute. */
uc_ref uc_g1(uc_graph *g, const char *op, uc_ref a);
uc_ref uc_g2(uc_graph *g, const char *op, uc_ref a, uc_ref b);
uc_ref uc_g3(uc_graph *g, const char *op, uc_ref a, uc_ref b, uc_ref c);
/* Common shapes of nodes. axis as ONNX counts it. */
uc_ref uc_g_cast(uc_graph *g, uc_ref a, uncork_dtype to);
uc_ref uc_g_reduce(uc_graph *g, const char *op, uc_ref a, int64_t axis,
                   bool keep);                                      /* ReduceSum... */
uc_ref uc_g_argmax(uc_graph *g, uc_ref a, int64_t axis, bool keep); /* first maximum */
uc_ref uc_g_argmin(uc_graph *g, uc_ref a, int64_t axis, bool keep);
uc_ref uc_g_gather(uc_graph *g, uc_ref data, uc_ref indices, int64_t axis);
uc_ref uc_g_slice(uc_graph *g, uc_ref a, int64_t axis, int64_t begin, int64_t end);
/* a[begin:end:step] on n axes at once; a step below 0 walks backwards. */
uc_ref uc_g_slices(uc_graph *g, uc_ref a, const int64_t *begin, const int64_t *end,
                   const int64_t *axes, const int64_t *steps, size_t n);
/* The elements of n axes in the opposite order. */
uc_ref uc_g_reverse(uc_graph *g, uc_ref a, const int64_t *axes, size_t n);
uc_ref uc_g_concat(uc_graph *g, const uc_ref *parts, size_t count, int64_t axis);
uc_ref uc_g_reshape(uc_graph *g, uc_ref a, const int64_t *shape, int rank); /* 0 keeps, -1 infers */
uc_ref uc_g_unsqueeze(uc_graph *g, uc_ref a, int64_t axis);
uc_ref uc_g_squeeze(uc_graph *g, uc_ref a, int64_t axis);
uc_ref uc_g_transpose(uc_graph *g, uc_ref a); /* reverses the axes */
uc_ref uc_g_softmax(uc_graph *g, uc_ref a, int64_t axis);
uc_ref uc_g_where(uc_graph *g, uc_ref condition, uc_ref a, uc_ref b);

/* Fails the graph; returns 0 so that importers can `return uc_graph_fail(...)` as a ref. */
uc_ref uc_graph_fail(uc_graph *g, uncork_status status, const char *format, ...) UC_PRINTF(3, 4);

/* Checks every invariant, runs infer along the nodes, removes what no output needs. */
uncork_status uc_graph_finish(uc_graph *g);

/* Text for people (--dump-graph): one line a node. */
void uc_graph_dump(const uc_graph *g, uc_writer *out);

/* What an output says of itself when an input has its name: this and the name. */
#define UC_GRAPH_CALLED "called "

/* What a graph that was written as ONNX says of itself (doc_string) when its free dimensions become those
 * of what is fed. */
#define UC_GRAPH_AS_FED "free dimensions are those of what is fed"

#endif
