/* Python's values as the evaluator knows them: everything is a value of the host but tensors, and what is
 * computed from a tensor's elements, which are nodes of the graph. */
#ifndef UC_IMPORT_PYTORCH_SCRIPT_VALUE_H
#define UC_IMPORT_PYTORCH_SCRIPT_VALUE_H

#include "import/pytorch/script_syntax.h"
#include "import/pytorch/torch_build.h"

typedef enum uc_pv_kind {
    UC_PV_NONE,
    UC_PV_BOOL,
    UC_PV_INT,
    UC_PV_FLOAT,
    UC_PV_COMPLEX, /* f: imaginary part; only carried */
    UC_PV_TEXT,
    UC_PV_TENSOR,
    UC_PV_LIST,
    UC_PV_TUPLE, /* list; named ones have its class */
    UC_PV_DICT,
    UC_PV_SET, /* dict whose values are unused */
    UC_PV_OBJECT,
    UC_PV_CLASS,
    UC_PV_FUNCTION,
    UC_PV_METHOD, /* bound */
    UC_PV_PATH,   /* a name of a library: "torch.nn.functional.relu" */
    UC_PV_MODULE, /* a source file's names */
    UC_PV_RANGE,
    UC_PV_SLICE,
    UC_PV_DOTS,
    UC_PV_DTYPE, /* i: ATen's number */
    UC_PV_DEVICE,
    UC_PV_SEQUENCE, /* a list of tensors whose length only the data decides: a value of the graph */
    UC_PV_SUPER,
    UC_PV_LAZY,  /* a module's statement that hasn't run yet: node */
    UC_PV_UNSET, /* a name without a value on one side of an if */
} uc_pv_kind;

typedef struct uc_pt uc_pt;
typedef struct uc_py_list uc_py_list;
typedef struct uc_py_dict uc_py_dict;
typedef struct uc_py_object uc_py_object;
typedef struct uc_py_class uc_py_class;
typedef struct uc_py_function uc_py_function;
typedef struct uc_py_method uc_py_method;
typedef struct uc_py_module uc_py_module;

/* symbolic: a BOOL, INT or FLOAT that is the rank 0 tensor `tensor`. */
typedef struct uc_pv {
    uint8_t kind;
    bool symbolic;
    union {
        bool b;
        int64_t i;
        double f;
        const uc_str *text;
        uc_pt *tensor;
        uc_py_list *list;
        uc_py_dict *dict;
        uc_py_object *object;
        uc_py_class *class;
        uc_py_function *function;
        uc_py_method *method;
        const char *path; /* interned */
        uc_py_module *module;
        int64_t *range;      /* begin, end, step */
        struct uc_pv *slice; /* 3 */
        const uc_py_node *node;
    };
} uc_pv;

/* Names to values in order of insertion; keys are interned. */
typedef struct uc_py_map {
    const char **keys; /* NULL: deleted */
    uc_pv *values;
    uint32_t *index; /* slot + 1; NULL while there are few */
    size_t count, capacity, index_size;
    uint64_t born; /* in which journal it was made */
} uc_py_map;

struct uc_py_list {
    uc_pv *items;
    size_t count, capacity;
    uc_py_class *class; /* of a named tuple, or NULL */
    uint64_t epoch;     /* journal in which it was saved last */
    uint64_t born;      /* and in which it was made */
};

struct uc_py_dict {
    uc_pv *keys, *values;
    size_t count, capacity;
    uc_table *index; /* of text keys, once there are many */
    uc_pv fallback;  /* defaultdict's factory, or NONE */
    uint64_t epoch, born;
};

struct uc_py_object {
    uc_py_class *class;
    uc_py_map attrs;
    uc_pv items; /* the list or dict that it is as well (ModuleList, a subclass of dict), or NONE */
};

typedef enum uc_py_class_kind {
    UC_PY_PLAIN,
    UC_PY_NAMEDTUPLE,
    UC_PY_ENUM,
    UC_PY_INTERFACE,
} uc_py_class_kind;

struct uc_py_class {
    const char *name, *path;
    uc_py_class_kind kind;
    uc_py_class **bases;
    size_t base_count;
    uc_py_map attrs;
    const char **fields; /* of named tuples and data classes */
    size_t field_count;
    bool data; /* @dataclass: __init__ takes the fields */
};

typedef struct uc_py_frame uc_py_frame;

struct uc_py_function {
    const uc_py_node *node; /* DEF or LAMBDA */
    uc_py_module *module;
    uc_py_frame *closure; /* NULL at module level */
    uc_py_class *owner;   /* in whose body it stands, or NULL */
    uc_pv *fallbacks;     /* a parameter's default, UNSET where there is none */
    uint8_t binding;      /* 0 plain, 1 static, 2 class, 3 property */
};

/* What is called with `self` first: a function, or a library's method by its name. */
struct uc_py_method {
    uc_pv self;
    uc_pv function; /* FUNCTION, or NONE */
    const char *name;
    uc_py_class *after; /* super(): look behind this class */
};

struct uc_py_module {
    const char *name, *path;
    const uc_py_source *source;
    uc_py_map names;
    uint8_t state; /* 0 to be run, 1 running, 2 done */
    bool library;  /* the prelude */
    const char *package;
};

#define UC_PV(kind_) ((uc_pv){.kind = (kind_)})
static inline uc_pv uc_pv_none(void) { return UC_PV(UC_PV_NONE); }
static inline uc_pv uc_pv_bool(bool b) { return (uc_pv){.kind = UC_PV_BOOL, .b = b}; }
static inline uc_pv uc_pv_int(int64_t i) { return (uc_pv){.kind = UC_PV_INT, .i = i}; }
static inline uc_pv uc_pv_float(double f) { return (uc_pv){.kind = UC_PV_FLOAT, .f = f}; }
static inline uc_pv uc_pv_tensor(uc_pt *t) { return (uc_pv){.kind = UC_PV_TENSOR, .tensor = t}; }
static inline bool uc_pv_is(uc_pv v, uc_pv_kind kind) { return v.kind == kind && !v.symbolic; }
static inline bool uc_pv_is_list(uc_pv v) { return v.kind == UC_PV_LIST || v.kind == UC_PV_TUPLE; }

/* False when the arena is out; the value's place or NULL. */
bool uc_py_map_put(uc_arena *arena, uc_py_map *map, const char *key, uc_pv value);
uc_pv *uc_py_map_find(const uc_py_map *map, const char *key);
bool uc_py_map_remove(uc_py_map *map, const char *key);

struct uc_py_eval;

uc_py_list *uc_py_list_new(struct uc_py_eval *ev, size_t capacity);
bool uc_py_list_add(uc_arena *arena, uc_py_list *list, uc_pv value);
uc_pv uc_pv_list(struct uc_py_eval *ev, uc_pv_kind kind, const uc_pv *items, size_t count);
uc_pv uc_pv_text(uc_arena *arena, uc_str text); /* copied */
uc_py_dict *uc_py_dict_new(struct uc_py_eval *ev);
bool uc_py_dict_put(uc_arena *arena, uc_py_dict *dict, uc_pv key, uc_pv value);
uc_pv *uc_py_dict_find(const uc_py_dict *dict, uc_pv key);
bool uc_py_dict_remove(uc_py_dict *dict, uc_pv key);

/* Equality of what is known: 1, 0; -1 when tensors or symbols decide. */
int uc_pv_equal(uc_pv a, uc_pv b, int depth);
/* The same thing: what `is` says, and what needs no node to choose between. */
bool uc_pv_same(uc_pv a, uc_pv b);
/* "int", "Tensor", "list", a class's name. */
const char *uc_pv_type_name(uc_pv v);
/* The attribute in the class or what it derives from; *owner (may be NULL) is where. */
uc_pv *uc_py_class_find(uc_py_class *class, const char *name, uc_py_class **owner);
bool uc_py_class_is(const uc_py_class *class, const uc_py_class *base);

#endif
