/* What an operator is: a row with its arity and its two or three functions, and the call they are
 * given. A row of the table is one operator at the canonical opset (28); older ones are upgraded by
 * the importer. Domains: "" (ai.onnx), "ai.onnx.ml", "uncork". */
#ifndef UC_OP_OP_H
#define UC_OP_OP_H

#include "base/budget.h"
#include "base/tensor.h"

typedef struct uc_op uc_op;
typedef struct uc_call uc_call;
struct uc_graph;

typedef enum uc_attr_kind {
    UC_ATTR_INT,
    UC_ATTR_FLOAT, /* kept as double: uncork.* parameters need it */
    UC_ATTR_STRING,
    UC_ATTR_TENSOR,
    UC_ATTR_GRAPH,
    UC_ATTR_INTS,
    UC_ATTR_FLOATS,
    UC_ATTR_STRINGS,
} uc_attr_kind;

typedef struct uc_attr {
    const char *name;
    uc_attr_kind kind;
    int64_t i;
    double f;
    uc_str s;
    const int64_t *ints;
    const double *floats;
    const uc_str *strings;
    size_t count; /* of ints, floats, strings */
    const uc_tensor *tensor;
    struct uc_graph *graph;
} uc_attr;

/* The attribute of that name, NULL when there is none; what it holds, when it is of that kind. */
const uc_attr *uc_attr_find(const uc_attr *attrs, size_t count, const char *name);
int64_t uc_attr_int(const uc_attr *attr, int64_t otherwise);
double uc_attr_float(const uc_attr *attr, double otherwise);
uc_str uc_attr_str(const uc_attr *attr, const char *otherwise);
const int64_t *uc_attr_ints(const uc_attr *attr, size_t *count);

/* Channels first or last; a member of the node, not an attribute a file could set. */
typedef enum uc_layout { UC_LAYOUT_FIRST, UC_LAYOUT_LAST } uc_layout;

/* Dimensions in infer: >= 0 a number, -1 unknown until run, <= -2 a named symbol (equal numbers are
 * equal symbols). In run every dimension is a number. */
#define UC_DIM_UNKNOWN (-1)

/* Operators with bodies. They have neither infer nor run: graph_control.c infers, plan_control.c runs. */
typedef enum uc_control {
    UC_CONTROL_NONE,
    UC_CONTROL_IF,
    UC_CONTROL_LOOP,
    UC_CONTROL_SCAN,
    UC_CONTROL_MAP, /* SequenceMap */
} uc_control;

struct uc_op {
    const char *domain; /* NULL means "" */
    const char *name;
    struct {
        int min, max; /* max -1: any number */
    } in, out;
    bool spatial; /* node->layout is allowed */
    bool impure;  /* random, state: never folded or merged */
    /* Whether output 0 is the inputs' memory end to end, for these shapes: the plan may then place an
     * input where it will lie in the output, and run copies the others only. NULL: never. */
    bool (*end_to_end)(const uc_call *call);
    bool
        stoppable; /* its parallel loops only fill numbers, so they may end early when time is over */
    bool view;     /* output 0 is input 0's elements under another shape: may be its memory */
    /* Bit i: run takes input i with any strides; every other input is dense. */
    uint32_t any_stride;
    /* Optional, types and shapes known: whether output 0 is elements of input 0, of any strides, where
     * they lie; then the strides of y and the element that it begins with. */
    bool (*view_of)(const uc_call *call, uc_tensor *y, int64_t *first);
    /* Bit i: output 0 may be the memory of input i, of its shape and type, that nobody reads any
     * more. */
    uint32_t in_place;
    bool streams;       /* costs what reading and writing its values costs */
    bool any_kind;      /* takes sequences, maps, ...; others are refused before infer sees them */
    bool shapely;       /* reads nothing but the shapes of its inputs (Shape, Size) */
    uc_control control; /* If, Loop, Scan, SequenceMap: the planner runs their bodies */
    bool strided;       /* reads constant inputs by their strides; the others get them dense */
    /* Sets type and shape of every output with uc_call_shape. Inputs that are known values have
     * tensor data, others only types and shapes. Every check that types and shapes allow. */
    uncork_status (*infer)(uc_call *call);
    /* Optional, once a model: turns constant inputs and attributes into call->prepared (in
     * call->arena, the model's). Inputs that aren't constant have no data. Validates them too. */
    uncork_status (*prepare)(uc_call *call);
    /* Computes. Fails only on what data alone can show. Thread-safe: all it writes are outputs and
     * scratch. */
    uncork_status (*run)(uc_call *call);
    /* Optional: multiply-adds of this call, for the budget; 0 is fine for cheap operators. */
    uint64_t (*macs)(const uc_call *call);
};

struct uc_call {
    const uc_op *op;
    const char *where; /* node's name or source path, for messages; may be NULL */
    const uc_attr *attrs;
    size_t attr_count;
    uc_layout layout;
    const uc_value *const *in; /* NULL entry: a missing optional input */
    size_t in_count;
    uc_value *const *out; /* NULL entry: an output nobody wants */
    size_t out_count;
    const void *prepared;
    uc_arena *arena;   /* prepare: the model's; run: this call's scratch, forgotten after it */
    uncork_pool *pool; /* NULL: the calling thread alone */
    uc_budget *budget;
    uncork_error *error;
    const struct uc_call_host *host; /* who allocates outputs */
    void *host_data;
    const struct uc_packs *packs; /* prepare: packed constants of the file (op/packs.h), or NULL */
};

/* What the planner (or the constant folder) provides. */
typedef struct uc_call_host {
    uncork_status (*output)(uc_call *call, size_t i, uncork_dtype dtype, int rank,
                            const int64_t *shape, uc_tensor **tensor);
    /* Bytes that live as long as output i (characters of strings, items of a sequence). */
    void *(*memory)(uc_call *call, size_t i, size_t bytes);
    /* Uninitialised bytes that live until this call ends, aligned to 64. NULL: from call->arena. */
    void *(*scratch)(uc_call *call, size_t bytes);
} uc_call_host;

/* infer: declares an output. Does nothing for an unwanted one. */
uncork_status uc_call_shape(uc_call *call, size_t i, uncork_dtype dtype, int rank,
                            const int64_t *shape);
/* run: the memory of output i, dense, not zeroed; the only allocation of a run. For STRING outputs
 * use uc_call_strings. Unwanted outputs get scratch. */
uncork_status uc_call_output(uc_call *call, size_t i, uncork_dtype dtype, int rank,
                             const int64_t *shape, uc_tensor **tensor);
/* run: output i with the type and shape that infer declared; NULL after a failure. */
uc_tensor *uc_call_out(uc_call *call, size_t i);
/* run: a string output with the given elements, copied. */
uncork_status uc_call_strings(uc_call *call, size_t i, const uc_str *items, int rank,
                              const int64_t *shape);
/* infer: output i is no tensor but `kind` of items; dtype, rank (-1: unknown) and shape are those of a
 * tensor inside. item_kind: TENSOR, or what an optional or a sequence holds. */
uncork_status uc_call_kind(uc_call *call, size_t i, uc_kind kind, uc_kind item_kind,
                           uncork_dtype dtype, int rank, const int64_t *shape);
/* infer: output `out` has the kind, type and shape of input `in`. */
uncork_status uc_call_like(uc_call *call, size_t out, size_t in);
/* run: makes output i a value of `kind` with `count` items, NULL until the caller sets them: to values
 * from uc_call_item or uc_call_item_copy, or to items of an input, which are shared, never changed. */
uncork_status uc_call_items(uc_call *call, size_t i, uc_kind kind, size_t count, uc_value ***items);
/* run: a tensor for output i's items: dense, not zeroed. Strings: use uc_call_item_copy. */
uncork_status uc_call_item(uc_call *call, size_t i, uncork_dtype dtype, int rank,
                           const int64_t *shape, uc_value **item);
/* run: a deep copy for output i's items: a tensor among the inputs may lose its memory to others. */
uncork_status uc_call_item_copy(uc_call *call, size_t i, const uc_value *from, uc_value **item);
/* run: output i becomes what `from`, an item of an input, is. Nothing is copied unless the output has
 * its place already. */
uncork_status uc_call_share(uc_call *call, size_t i, const uc_value *from);
/* The kind of input i; NOTHING when missing. */
static inline uc_kind uc_call_kind_of(const uc_call *call, size_t i)
{
    return i < call->in_count && call->in[i] ? call->in[i]->kind : UC_NOTHING;
}
/* run: uninitialised scratch, 64-byte aligned; NULL (error set) when memory is out. */
void *uc_call_scratch(uc_call *call, size_t count, size_t size);

/* Inputs: the tensor, NULL when missing. */
static inline const uc_tensor *uc_call_in(const uc_call *call, size_t i)
{
    return i < call->in_count && call->in[i] && call->in[i]->kind == UC_TENSOR
               ? &call->in[i]->tensor
               : NULL;
}

/* A required input: always a tensor, since the graph is checked and infer refuses other kinds. */
static inline const uc_tensor *uc_call_arg(const uc_call *call, size_t i)
{
    return &call->in[i]->tensor;
}

/* Attributes with their defaults. */
const uc_attr *uc_call_attr(const uc_call *call, const char *name);
int64_t uc_call_int(const uc_call *call, const char *name, int64_t otherwise);
double uc_call_float(const uc_call *call, const char *name, double otherwise);
uc_str uc_call_str(const uc_call *call, const char *name, const char *otherwise);
const int64_t *uc_call_ints(const uc_call *call, const char *name, size_t *count);

/* Fails with the operator's name and where it stands in front. */
uncork_status uc_call_fail(uc_call *call, uncork_status status, const char *format, ...)
    UC_PRINTF(3, 4);

/* The row, NULL when unknown. */
const uc_op *uc_op_find(const char *domain, const char *name);
size_t uc_op_count(void);
const uc_op *uc_op_at(size_t i);

#define OP(symbol) extern const uc_op uc_op_##symbol;
#include "op/op_table.def"
#undef OP

#endif
