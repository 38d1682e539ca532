/* Scopes: the values of one call of a body. Only tf_build.c and the accessors (tf_value.c, tf_attr.c) look
 * inside. */
#ifndef UC_IMPORT_TENSORFLOW_TF_SCOPE_H
#define UC_IMPORT_TENSORFLOW_TF_SCOPE_H

#include "import/tensorflow/tf.h"

/* Functions calling functions: TensorFlow's own exports nest 4. */
enum { UC_TF_DEPTH = 64, UC_TF_BODY_DEPTH = 30 };

/* Something that the file's restore or initialising functions put into a variable or table. */
typedef struct uc_tf_given {
    uc_tf_scope *scope; /* of the initialising build */
    const uc_tf_node *node;
    struct uc_tf_given *next; /* of the same variable or table, in their order */
} uc_tf_given;

struct uc_tf_session {
    const uc_tf_file *file;
    const uc_tf_entry *entry; /* NULL: none is emitted */
    uc_graph *graph;
    uc_arena *arena; /* the graph's */
    uc_table *bodies;
    uc_table *frames; /* of bodies with control flow of TensorFlow 1 (tf_frame.c); NULL: none yet */
    size_t made;      /* nodes emitted so far */
    /* What initialises the file's resources, found when one is first met (tf_init.c). */
    uc_tf_build *init;
    uc_tf_given **given;        /* by node of the main graph */
    void **resources;           /* by node of the main graph: uc_tf_variable or uc_tf_table */
    uc_table *by_shared;        /* resources made in functions, by their shared names */
    uc_table *changes;          /* function -> whether it assigns to variables (tf_state.c) */
    int nested;                 /* reads that wait for assignments */
    const uc_tf_node *names_of; /* the RestoreV2 whose names are kept */
    const uc_tensor *names, *slices;
};

typedef struct uc_tf_node_state {
    uc_tf_value *values;
    size_t count, capacity;
    uc_tf_edge *edges;  /* [input_count] once resolved */
    uc_tf_scope *child; /* of a node that calls a function */
    bool busy;
} uc_tf_node_state;

typedef struct uc_tf_inside uc_tf_inside;

struct uc_tf_scope {
    uc_tf_build *build;
    const uc_tf_body *body;
    uc_tf_node_state *nodes; /* as body->nodes */
    uc_tf_scope *parent;     /* NULL: arguments are given */
    const uc_tf_node *call;  /* the node that instantiates the body: its attributes; NULL: none */
    uc_tf_scope *call_scope; /* where that node stands */
    const uc_tf_value *args;
    const uc_tf_inside
        *inside; /* an iteration or branch within a scope over the same body (tf_frame.h) */
    int depth;
    uint8_t *seen; /* of searches among the body's nodes (tf_state.c) */
    uint32_t *list;
};

/* The value of an edge, NULL: not made yet. */
const uc_tf_value *uc_tf_have(const uc_tf_scope *scope, uc_tf_edge edge);
/* Attribute `name` of a node as an AttrValue, placeholders replaced; false: it has none. */
bool uc_tf_attr_find(const uc_tf_scope *scope, const uc_tf_node *node, const char *name,
                     uc_bytes *value, uint64_t *offset);
/* {1 name, 2 attr} of an AttrValue's func; empty: it has none. */
uc_str uc_tf_attr_func(uc_bytes value);
/* The place of output `name` of a node, NULL names the first; -1: there is none. */
int32_t uc_tf_output_place(uc_tf_scope *scope, const uc_tf_node *node, uc_str name, int64_t index);
/* What an edge is, made now; NOTHING after a failure. */
const uc_tf_value *uc_tf_demand(uc_tf_scope *scope, uc_tf_edge edge);
/* Where input i of a node comes from; false after a failure. */
bool uc_tf_input_edge(uc_tf_scope *scope, const uc_tf_node *node, size_t i, uc_tf_edge *edge);
void uc_tf_scope_set(uc_tf_scope *scope, const uc_tf_node *node, size_t i, uc_tf_value value);

/* tf_op_assert.c: what a node has made is used only when the Asserts before it hold. */
void uc_tf_assert_before(uc_tf_call *c);

/* tf_op_frame.c: control flow of TensorFlow 1. */
uc_tf_scope *uc_tf_scope_inside(uc_tf_build *b, const uc_tf_inside *inside); /* tf_build.c */
/* An edge of an inside scope that the scope around has as `from`. */
bool uc_tf_frame_outside(uc_tf_scope *scope, uc_tf_edge edge, uc_tf_edge *from);
uc_tf_value uc_tf_frame_take(uc_tf_scope *scope, uc_tf_edge from);
/* What such a node takes first, those not made yet; SIZE_MAX: it is no such node. */
size_t uc_tf_frame_needs(uc_tf_scope *scope, const uc_tf_node *node, uc_tf_edge *edges,
                         size_t most);

/* ---- for tf_init.c and tf_variable.c --------------------------------------------------------- */

uc_tf_scope *uc_tf_scope_new(uc_tf_build *b, const uc_tf_body *body, int depth);
/* The scope of a node that calls `function`; NULL after a failure. */
uc_tf_scope *uc_tf_enter(uc_tf_scope *s, const uc_tf_node *node, uc_str function);
bool uc_tf_resolve(uc_tf_scope *s, uc_str text, uc_tf_edge *edge);
bool uc_tf_resolve_inputs(uc_tf_scope *s, const uc_tf_node *node);
/* Input i of a node, followed through arguments and identities to the node that makes it; NULL: it can't
 * be told. */
const uc_tf_node *uc_tf_origin(uc_tf_scope **s, const uc_tf_node *node, size_t i, uc_tf_edge *edge);
static inline bool uc_tf_scope_is_main(const uc_tf_scope *s) { return s->body->name.size == 0; }

/* tf_init.c: what was given to a resource of the main graph; NULL: nothing. */
uc_tf_given *uc_tf_given_to(uc_tf_call *c, const uc_tf_node *node);
/* Input i of what was given, as a tensor; NULL (and a failure of c's graph): it isn't constant. */
const uc_tensor *uc_tf_given_tensor(uc_tf_call *c, const uc_tf_given *given, size_t i);
/* tf_variable.c: a tensor that comes out of the checkpoint, by what restores it; false: it doesn't. */
bool uc_tf_restored(uc_tf_call *c, uc_tf_scope *s, const uc_tf_node *node, size_t i,
                    const uc_tensor **tensor);
/* tf_vocabulary.c: a table's keys and values from the lines of a file. */
bool uc_tf_vocabulary(uc_tf_call *c, const uc_tf_given *given, uc_bytes text, uc_tf_table *table);

#endif
