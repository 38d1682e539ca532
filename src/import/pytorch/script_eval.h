/* Partial evaluation: statements run on Python's values at import; only tensors reach the graph. An `if`
 * or a loop that a tensor's elements decide becomes If or Loop (script_control.c). Nothing of the host is
 * reachable from the code: every name is one of these tables or is refused with its line.
 *
 * Whatever fails sets ev->failed and says what and where once; values are then NONE, and callers may go
 * on until they look. */
#ifndef UC_IMPORT_PYTORCH_SCRIPT_EVAL_H
#define UC_IMPORT_PYTORCH_SCRIPT_EVAL_H

#include "import/pytorch/script_value.h"

/* Calls within calls: nested modules stay below 60. */
#define UC_PY_CALLS     150
/* Elements of a list, characters of a text: real ones stay below 100,000. */
#define UC_PY_LIST_MOST ((size_t)1 << 20)
#define UC_PY_RANK      UNCORK_MAX_RANK

typedef struct uc_py_eval uc_py_eval;

/* A graph that is being built: the model's, or a body of If or Loop within another. */
typedef struct uc_py_level {
    struct uc_py_level *outer;
    int depth;
    int id; /* its own among all bodies */
    uc_t_build build;
    uc_ref *outside, *inside; /* captures: a value of the outer graph and its input here */
    size_t capture_count, capture_capacity, inside_capacity;
    uc_graph *graph;
} uc_py_level;

/* What a statement leaves behind. */
typedef enum uc_py_flow {
    UC_PY_GO,
    UC_PY_BROKEN,
    UC_PY_CONTINUED,
    UC_PY_RETURNED,
    UC_PY_FAILED,
} uc_py_flow;

struct uc_py_frame {
    uc_py_map *names; /* own, or the module's */
    uc_py_map own;
    uc_py_frame *closure;
    uc_py_module *module;
    uc_py_function *function;
    uc_pv self;
    uc_py_class *owner;
    uc_pv result;         /* of return */
    const char **globals; /* names declared global */
    size_t global_count, global_capacity;
};

typedef enum uc_py_saved_kind {
    UC_PY_SAVED_NAME,
    UC_PY_SAVED_LIST,
    UC_PY_SAVED_DICT,
    UC_PY_SAVED_TENSOR,
    UC_PY_SAVED_VALUE,
} uc_py_saved_kind;

/* What was there before a write, so that a branch can be undone. */
typedef struct uc_py_saved {
    uc_py_saved_kind kind;
    void *place;
    const char *key;
    bool had;
    uc_pv old;
    void *copy;
} uc_py_saved;

typedef struct uc_py_journal {
    struct uc_py_journal *outer;
    uint64_t epoch;
    uc_py_saved *items;
    size_t count, capacity;
} uc_py_journal;

/* Where code that isn't in the file at hand comes from. Each may be NULL. */
typedef struct uc_py_host {
    void *context;
    /* A class, function or constant by its full name ("__torch__.a.B", "helpers.block"); UNSET: none. */
    uc_pv (*resolve)(uc_py_eval *ev, void *context, const char *path);
    /* A module that `import` names; `dots` as written before it. NULL: none. */
    uc_py_module *(*import)(uc_py_eval *ev, void *context, const char *name, int dots,
                            const uc_py_module *from);
} uc_py_host;

struct uc_py_eval {
    uc_arena *arena;
    uc_budget *budget;
    uncork_error *error;
    uc_findings *findings;
    uc_py_names names;
    uc_py_host host;
    bool failed;
    bool raised; /* by the code itself: a side of a condition that does is never taken */
    bool script; /* TorchScript: integers divide as its file version says, no methods of Python */
    int file_version;
    uint64_t steps, step_limit;
    uint64_t nodes_spent;
    int calls;
    int depth; /* of expressions */
    const char *path;
    uint32_t line;
    uc_py_frame *frame;
    uc_py_level *level;
    uc_py_journal *journal;
    uint64_t epoch;
    int level_count;
    bool constructing;         /* __init__ runs: random numbers are placeholders */
    uc_py_module **prelude;    /* torch.nn in terms of torch; NULL: not read yet */
    uc_py_class *module_class; /* the prelude's nn.Module */
    uc_py_block rest;          /* behind the statement that runs */
    bool rest_is_tail;         /* and then the function ends */
    const uc_t_state *state;
    uc_table *schemas; /* parsed so far */
};

/* ---- context (script_eval.c) ----------------------------------------------------------------- */

bool uc_py_eval_open(uc_py_eval *ev, uc_graph *graph, uc_findings *findings, uc_arena *arena,
                     uint64_t source_bytes);
void uc_py_eval_close(uc_py_eval *ev);
/* Says what is wrong with the line in front; returns NONE. */
uc_pv uc_py_fail(uc_py_eval *ev, const char *format, ...) UC_PRINTF(2, 3);
uc_pv uc_py_fail_as(uc_py_eval *ev, uncork_status status, const char *format, ...) UC_PRINTF(3, 4);
/* One step of the bounded number; false when there is none left. */
bool uc_py_step(uc_py_eval *ev);
const char *uc_py_id(uc_py_eval *ev, const char *text); /* interned */
uc_py_flow uc_py_run(uc_py_eval *ev, const uc_py_block *block);
/* Runs a file's statements once. */
bool uc_py_run_module(uc_py_eval *ev, uc_py_module *module);
uc_py_module *uc_py_module_new(uc_py_eval *ev, const char *name, const uc_py_source *source);
void uc_py_assign(uc_py_eval *ev, const uc_py_node *target, uc_pv value);
uc_pv *uc_py_lookup(uc_py_eval *ev, const char *name);
/* A name of a module, evaluated when it is first asked for; NULL: none. */
uc_pv *uc_py_module_get(uc_py_eval *ev, uc_py_module *module, const char *name);

/* Writes, which the journal sees. */
void uc_py_set(uc_py_eval *ev, uc_py_map *map, const char *key, uc_pv value);
bool uc_py_touch_list(uc_py_eval *ev, uc_py_list *list);
bool uc_py_touch_dict(uc_py_eval *ev, uc_py_dict *dict);
void uc_py_touch_tensor(uc_py_eval *ev, uc_pt *tensor);
void uc_py_touch_value(uc_py_eval *ev, uc_pv *place);

/* ---- values (script_express.c, script_iterate.c) --------------------------------------------- */

uc_pv uc_py_value(uc_py_eval *ev, const uc_py_node *node);
/* 1, 0; -1: *symbol (a BOOL) decides when the graph runs; -2 after a failure. */
int uc_py_truth(uc_py_eval *ev, uc_pv v, uc_pv *symbol);
bool uc_py_known_truth(uc_py_eval *ev, uc_pv v); /* fails where it isn't known */
/* The elements of anything that can be walked, as a list of its own. NULL after a failure. */
uc_py_list *uc_py_elements(uc_py_eval *ev, uc_pv v);
bool uc_py_is_dynamic_range(uc_pv v);
/* An integer that is known; fails otherwise. */
bool uc_py_int(uc_py_eval *ev, uc_pv v, int64_t *out);
bool uc_py_float(uc_py_eval *ev, uc_pv v, double *out);
/* A copy with a zero behind; NULL and a failure when it is no text. */
const char *uc_py_text(uc_py_eval *ev, uc_pv v);
uc_pv uc_py_str(uc_py_eval *ev, uc_pv v, int depth); /* str(v) */

/* ---- operators (script_arith.c) -------------------------------------------------------------- */

uc_pv uc_py_binary(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b);
uc_pv uc_py_unary(uc_py_eval *ev, uc_py_op op, uc_pv a);
uc_pv uc_py_compare(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b);
/* Operations on integers and floats of which some are symbols. op: an ONNX operator. */
uc_pv uc_py_symbolic(uc_py_eval *ev, const char *op, uc_pv a, uc_pv b, uc_pv_kind kind);

/* ---- calls and attributes -------------------------------------------------------------------- */

typedef struct uc_py_args {
    uc_pv *items;
    size_t count;
    const char **names; /* of keywords, interned */
    uc_pv *values;
    size_t named;
} uc_py_args;

uc_pv uc_py_call(uc_py_eval *ev, uc_pv callee, const uc_py_args *args);
uc_pv uc_py_call_function(uc_py_eval *ev, uc_py_function *f, const uc_pv *self,
                          const uc_py_args *args);
uc_pv uc_py_new(uc_py_eval *ev, uc_py_class *class, const uc_py_args *args);
uc_py_object *uc_py_object_new(uc_py_eval *ev, uc_py_class *class);
/* A method of any value by its name with given values. */
uc_pv uc_py_call_method(uc_py_eval *ev, uc_pv self, const char *name, const uc_pv *items,
                        size_t count);
/* The keyword's value, UNSET when it isn't given. */
/* script_text.c: text % values and text.format(...); the text itself where they aren't understood. */
uc_pv uc_py_percent(uc_py_eval *ev, uc_pv text, uc_pv values);
uc_pv uc_py_format(uc_py_eval *ev, uc_pv text, const uc_py_args *args);
uc_pv uc_py_keyword(const uc_py_args *args, const char *name);
uc_pv uc_py_arg(const uc_py_args *args, size_t i, const char *name);
uc_pv uc_py_function_of(uc_py_eval *ev, const uc_py_node *def, uc_py_class *owner);
uc_pv uc_py_class_of(uc_py_eval *ev, const uc_py_node *node);

/* UNSET, without a failure, when there is none. */
uc_pv uc_py_find_attr(uc_py_eval *ev, uc_pv v, const char *name);
uc_pv uc_py_attr(uc_py_eval *ev, uc_pv v, const char *name);
void uc_py_set_attr(uc_py_eval *ev, uc_pv v, const char *name, uc_pv value);
uc_pv uc_py_index(uc_py_eval *ev, uc_pv v, uc_pv index);
void uc_py_set_index(uc_py_eval *ev, uc_pv v, uc_pv index, uc_pv value);
/* What a library's name stands for: a constant, a class of the prelude; else a PATH. */
uc_pv uc_py_library(uc_py_eval *ev, const char *path);
uc_pv uc_py_call_path(uc_py_eval *ev, const char *path, const uc_py_args *args);
/* TorchScript's operators on values of the host, and those outside of aten; UNSET: none. */
uc_pv uc_py_script_op(uc_py_eval *ev, const char *name, const uc_py_args *args);
uc_pv uc_py_script_space(uc_py_eval *ev, const char *path, const uc_py_args *args);
/* Python's own functions; UNSET: there is none of that name. */
uc_pv uc_py_builtin(uc_py_eval *ev, const char *name, const uc_py_args *args);
bool uc_py_is_builtin(const char *name);
/* Methods of lists, dicts, text and sets; UNSET: none. */
uc_pv uc_py_value_method(uc_py_eval *ev, uc_pv self, const char *name, const uc_py_args *args);

/* ---- tensors (script_tensor.c) --------------------------------------------------------------- */

/* How a view's elements stand in its base. */
typedef enum uc_pt_view {
    UC_PT_OWN,
    UC_PT_ALIAS,
    UC_PT_SELECT,
    UC_PT_SLICE,
    UC_PT_SPAN, /* a slice whose ends only the graph knows */
    UC_PT_PERMUTE,
    UC_PT_RESHAPE,
    UC_PT_EXPAND,
} uc_pt_view;

typedef struct uc_pt_quant {
    double scale;
    int64_t zero;
    uc_ref scales, zeros; /* per channel (constants), or 0 */
    int axis;
    uncork_dtype dtype;
} uc_pt_quant;

struct uc_pt {
    uc_ref ref;
    int level;                 /* id of the graph that ref is of */
    const uc_tensor *constant; /* one that needs no capture: made anew in every graph */
    uc_pt *base;
    uc_pt_view view;
    int64_t dim, start, end, step;
    const uc_pv *span; /* begin and end of a SPAN */
    int64_t perm[UC_PY_RANK];
    int perm_rank;
    uint64_t writes, seen; /* of this one; of the base's when ref was computed */
    uint64_t epoch, born;
    const uc_pt_quant *quant; /* ref holds the quantised integers */
    bool parameter;
    bool scattered; /* not contiguous: contiguous() copies */
};

uc_pv uc_py_tensor(uc_py_eval *ev, uc_ref ref);
uc_pv uc_py_constant(uc_py_eval *ev, const uc_tensor *t);
/* The value in the graph at hand. */
uc_ref uc_py_ref(uc_py_eval *ev, uc_pt *t);
/* A value of a graph around, or of this one, in the graph at hand. */
uc_ref uc_py_capture(uc_py_eval *ev, uc_py_level *level, uc_ref ref, int from);
/* The same of a tensor, a number (a constant of `dtype`, NONE: int64, float32 or bool) or a symbol. */
uc_ref uc_py_ref_of(uc_py_eval *ev, uc_pv v, uncork_dtype dtype);
/* A symbol over a rank 0 value; a plain number when that is known. */
uc_pv uc_py_symbol(uc_py_eval *ev, uc_pv_kind kind, uc_ref ref);
uc_pv uc_py_view(uc_py_eval *ev, uc_pt *base, uc_pt_view view, uc_ref ref);
/* Writes into a tensor, and into what it is a view of. */
void uc_py_write(uc_py_eval *ev, uc_pt *t, uc_ref value);
static inline uc_t_build *uc_py_build(uc_py_eval *ev) { return &ev->level->build; }
bool uc_py_level_open(uc_py_eval *ev, uc_py_level *level, uc_graph *graph);
void uc_py_level_close(uc_py_eval *ev, uc_py_level *level);

/* ---- control flow that stays (script_control.c) ---------------------------------------------- */

uc_py_flow uc_py_branch(uc_py_eval *ev, uc_pv condition, const uc_py_node *node);
uc_pv uc_py_choose(uc_py_eval *ev, uc_pv condition, const uc_py_node *yes, const uc_py_node *no);
uc_py_flow uc_py_loop(uc_py_eval *ev, const uc_py_node *node, uc_pv over);
/* A list of tensors as a value of the graph. */
uc_ref uc_py_sequence(uc_py_eval *ev, uc_pv v);
/* Makes bodies take the same captures behind their `formal` inputs; the values around, in order. */
uc_ref *uc_py_same_captures(uc_py_eval *ev, uc_py_level **levels, size_t level_count, size_t formal,
                            size_t *count);

/* ---- operators of torch (aten_call.c) -------------------------------------------------------- */

/* namespace "aten", "prim", "quantized", "torchvision"; UNSET, without a failure: no such operator. */
uc_pv uc_aten_run(uc_py_eval *ev, const char *space, const char *name, const uc_py_args *args);
bool uc_aten_is(const char *space, const char *name);

#endif
