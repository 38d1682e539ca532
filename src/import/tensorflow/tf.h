/* The importer "tensorflow": what its emitters share. The wanted outputs are followed backwards through the
 * graph and the functions it calls (tf_build.c); a node is emitted when all that it takes is there, by the
 * emitter of its op's row. A function call is a scope of values, never a node.
 *
 * An emitter reads its inputs by position (uc_tf_in), its attributes with the registered op's defaults
 * (uc_tf_int, ...), and says its outputs (uc_tf_out). After a failure everything gives 0 and goes on: an
 * emitter needs no checks in between. */
#ifndef UC_IMPORT_TENSORFLOW_TF_H
#define UC_IMPORT_TENSORFLOW_TF_H

#include "graph/graph_look.h"
#include "import/tensorflow/tf_file.h"

/* ---- values ---------------------------------------------------------------------------------- */

typedef enum uc_tf_kind {
    UC_TF_UNSET,    /* not made yet */
    UC_TF_NOTHING,  /* made, but nothing to compute with: a NoOp's, a flow's */
    UC_TF_TENSOR,   /* ref */
    UC_TF_VARIABLE, /* payload: uc_tf_variable */
    UC_TF_TABLE,    /* payload: uc_tf_table */
    UC_TF_LIST,     /* payload: of tf_op_list.c */
} uc_tf_kind;

/* nchw says that the axes lie as [N, C, spatial...] though the op means [N, spatial..., C], so that
 * convolutions in a row need no transposes. */
typedef struct uc_tf_value {
    uc_tf_kind kind;
    bool nchw;
    uc_ref ref;
    void *payload;
} uc_tf_value;

typedef struct uc_tf_scope uc_tf_scope;
typedef struct uc_tf_session uc_tf_session;

/* One graph being built: the model's, or a body's of If and Loop. */
typedef struct uc_tf_build {
    uc_tf_session *session; /* of the whole import */
    uc_graph *graph;
    uc_findings *findings;
    uc_look look; /* what is known of the values so far */
    int depth;    /* bodies within bodies */
} uc_tf_build;

struct uc_tf_call {
    uc_tf_build *build;
    uc_graph *graph;
    uc_tf_scope *scope;
    const uc_tf_node *node;
};

/* ---- inputs ---------------------------------------------------------------------------------- */

size_t uc_tf_in_count(const uc_tf_call *c);
/* The value as it is, of any kind; never NULL. */
const uc_tf_value *uc_tf_value_in(uc_tf_call *c, size_t i);
uc_ref uc_tf_in(uc_tf_call *c, size_t i);     /* a tensor, axes in order */
uc_ref uc_tf_first(uc_tf_call *c, size_t i);  /* as [N, C, spatial...] */
bool uc_tf_is_first(uc_tf_call *c, size_t i); /* lies so already */
/* The tensor of a constant input (a weight), NULL: it isn't one. */
const uc_tensor *uc_tf_constant(uc_tf_call *c, size_t i);
/* A weight with permuted axes: a strided view of a constant, else a Transpose. */
uc_ref uc_tf_weight(uc_tf_call *c, size_t i, const int64_t *perm, size_t n);
/* Both inputs in one layout: true: as [N, C, spatial...]. */
bool uc_tf_pair(uc_tf_call *c, size_t i, size_t j, uc_ref *a, uc_ref *b);
/* The elements of an input of axes or shapes, when they are known: how many; SIZE_MAX: they aren't. */
size_t uc_tf_known(uc_tf_call *c, size_t i, int64_t *out, size_t most);
bool uc_tf_known_one(uc_tf_call *c, size_t i, int64_t *out);
uc_ref uc_tf_i64(uc_tf_call *c, size_t i); /* axes, shapes: as int64 */

/* What is known of a value. */
int uc_tf_rank(uc_tf_call *c, uc_ref ref); /* -1: not known */
int64_t uc_tf_dim(uc_tf_call *c, uc_ref ref,
                  int axis); /* -1: not known; axis may count from the end */
uncork_dtype uc_tf_dtype_of(uc_tf_call *c, uc_ref ref);
/* An axis in [0, rank); false (and a failure) when it is outside. An unknown rank leaves it. */
bool uc_tf_axis(uc_tf_call *c, int64_t axis, int rank, int64_t *out);

/* ---- attributes: the node's, else the registered default, else what says nothing -------------- */

bool uc_tf_has(const uc_tf_call *c, const char *name); /* on the node itself */
int64_t uc_tf_int(uc_tf_call *c, const char *name);
double uc_tf_float(uc_tf_call *c, const char *name);
bool uc_tf_bool(uc_tf_call *c, const char *name);
uc_str uc_tf_str(uc_tf_call *c, const char *name);
bool uc_tf_str_is(uc_tf_call *c, const char *name, const char *text);
int64_t uc_tf_type_number(uc_tf_call *c, const char *name); /* DataType */
uncork_dtype uc_tf_type(uc_tf_call *c, const char *name);
size_t uc_tf_ints(uc_tf_call *c, const char *name, int64_t *out, size_t most); /* at most `most` */
size_t uc_tf_floats(uc_tf_call *c, const char *name, double *out, size_t most);
size_t uc_tf_strs(uc_tf_call *c, const char *name, uc_str *out, size_t most);
size_t uc_tf_types(uc_tf_call *c, const char *name, int64_t *out, size_t most); /* DataTypes */
/* Shapes one behind the other, each its rank (-1: unknown) and then its dimensions. */
size_t uc_tf_shapes(uc_tf_call *c, const char *name, int64_t *out, size_t most);
/* A shape: its rank, -1: unknown; dims (room for UNCORK_MAX_RANK) -1: free. */
int uc_tf_shape(uc_tf_call *c, const char *name, int64_t *dims);
const uc_tensor *uc_tf_tensor(uc_tf_call *c, const char *name);
uc_str uc_tf_func(uc_tf_call *c, const char *name); /* a function's name; empty: none */
size_t uc_tf_funcs(uc_tf_call *c, const char *name, uc_str *out, size_t most);

/* ---- outputs --------------------------------------------------------------------------------- */

void uc_tf_out(uc_tf_call *c, size_t i, uc_ref ref);
void uc_tf_out_first(uc_tf_call *c, size_t i, uc_ref ref); /* lies as [N, C, spatial...] */
void uc_tf_out_value(uc_tf_call *c, size_t i, uc_tf_value value);
/* Fails the graph, naming the op and the node; returns 0. */
uc_ref uc_tf_fail(uc_tf_call *c, const char *format, ...) UC_PRINTF(2, 3);

/* ---- nodes of the graph that many emitters make ---------------------------------------------- */

uc_ref uc_tf_transpose(uc_graph *g, uc_ref a, const int64_t *perm, size_t n);
uc_ref uc_tf_to_first(uc_tf_call *c, uc_ref a); /* [N, spatial..., C] to [N, C, spatial...] */
uc_ref uc_tf_to_last(uc_tf_call *c, uc_ref a);
/* A number of the type of `like`, rank 0. */
uc_ref uc_tf_scalar(uc_tf_call *c, double v, uc_ref like);

/* ---- functions as bodies --------------------------------------------------------------------- */

/* A build for a body of c's graph: a new graph, with the session of c's. False after a failure. */
bool uc_tf_build_body(uc_tf_call *c, uc_tf_build *body);
void uc_tf_build_close(uc_tf_build *b);
/* Emits function `name` (with the attributes of call c's node) into b's graph on given arguments; its
 * outputs by position. False after a failure; a failure of b's graph is one of c's. */
bool uc_tf_emit_function(uc_tf_call *c, uc_tf_build *b, uc_str name, const uc_tf_value *args,
                         size_t arg_count, uc_tf_value *outs, size_t out_count);
/* A value's tensor in b's graph, axes in order. */
uc_ref uc_tf_plain(uc_tf_build *b, const uc_tf_value *v);

/* ---- the entry (tf_build.c) ------------------------------------------------------------------ */

uc_tf_session *uc_tf_session_open(const uc_tf_file *file, uc_graph *g);
void uc_tf_session_close(uc_tf_session *session);
bool uc_tf_build_open(uc_tf_build *b, uc_tf_session *session, uc_graph *g, uc_findings *findings,
                      int depth);
/* Emits an entry of the main graph: declares its inputs and outputs. */
void uc_tf_emit_entry(uc_tf_build *b, const uc_tf_entry *entry);
/* Another body of the same file, read once; NULL (and a failure): there is no such function. */
const uc_tf_body *uc_tf_session_body(uc_tf_build *b, uc_str name);
/* The function that a node calls as if its nodes stood there; empty: it doesn't. */
uc_str uc_tf_called(const uc_tf_session *session, const uc_tf_node *node);

/* ---- resources ------------------------------------------------------------------------------- */

typedef struct uc_tf_variable {
    const uc_tf_node *node;
    uc_str name;
    bool is_ref;             /* of TensorFlow 1: its output is taken as a tensor */
    const uc_tensor *tensor; /* its stored value, once it was read */
    const uc_graph *graph;   /* and as a constant of this graph */
    uc_ref ref;
} uc_tf_variable;

/* A variable's value; 0 (and a failure): the file has none. */
uc_ref uc_tf_variable_read(uc_tf_build *b, uc_tf_variable *variable);
/* The same as the node of c sees it, after what was assigned before (tf_state.c). */
uc_ref uc_tf_variable_at(uc_tf_call *c, uc_tf_variable *variable);
/* The variable's value of an input that is a resource handle. */
uc_ref uc_tf_variable_in(uc_tf_call *c, size_t i);

typedef struct uc_tf_table {
    uc_str name;
    uncork_dtype key_type, value_type;
    const uc_tensor *keys, *values; /* in the order of insertion; NULL: nothing filled it */
} uc_tf_table;

/* The table or variable of an input; NULL (and a failure): it is none. */
const uc_tf_table *uc_tf_table_in(uc_tf_call *c, size_t i);

#endif
