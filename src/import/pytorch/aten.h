/* PyTorch's operators by name: arguments are put in order by torch's own schemas (aten_schema.def, which
 * tools/gen_aten.py writes), then an emitter makes nodes. TorchScript, sources given as code and
 * torch.export call them through uc_aten_run. */
#ifndef UC_IMPORT_PYTORCH_ATEN_H
#define UC_IMPORT_PYTORCH_ATEN_H

#include "import/pytorch/script_eval.h"

#define UC_ATEN_ARGS 32

typedef enum uc_aten_type {
    UC_ATEN_TENSOR,
    UC_ATEN_TENSORS,
    UC_ATEN_INT,
    UC_ATEN_INTS,
    UC_ATEN_FLOAT,
    UC_ATEN_FLOATS,
    UC_ATEN_BOOL,
    UC_ATEN_BOOLS,
    UC_ATEN_TEXT,
    UC_ATEN_SCALAR,
    UC_ATEN_DTYPE,
    UC_ATEN_ANY, /* devices, layouts, memory formats, objects */
} uc_aten_type;

typedef struct uc_aten_param {
    const char *name;
    uc_aten_type type;
    int size; /* of a list: how many a single number stands for; 0: any */
    bool optional, keyword;
    bool list_of_any; /* t[] */
    uc_pv fallback;   /* UNSET: none */
} uc_aten_param;

typedef struct uc_aten_schema {
    struct uc_aten_schema *next; /* the next overload of the name */
    uc_aten_param params[UC_ATEN_ARGS];
    int count;
} uc_aten_schema;

typedef struct uc_aten_call uc_aten_call;

typedef struct uc_aten_row {
    const char *name;
    void (*emit)(uc_aten_call *c);
    const char *with; /* what one emitter serves many with: an ONNX operator */
} uc_aten_row;

struct uc_aten_call {
    uc_py_eval *ev;
    uc_t_build *b;
    uc_graph *g;
    const char *name; /* without the _ of writing in place */
    const char *with;
    const uc_aten_schema *schema;
    uc_pv args[UC_ATEN_ARGS];
    uc_pv result;
    bool in_place; /* the result is written into self by the caller */
};

/* Fails with the operator's name in front; returns 0. */
uc_ref uc_aten_fail(uc_aten_call *c, const char *format, ...) UC_PRINTF(2, 3);

/* Arguments by name. UNSET when the overload hasn't it. */
uc_pv uc_aten_arg(uc_aten_call *c, const char *name);
bool uc_aten_has(uc_aten_call *c, const char *name);  /* there, and not None */
uc_ref uc_aten_in(uc_aten_call *c, const char *name); /* a tensor; 0: None */
/* A tensor, or a number as a constant of the type of `like` (0: of its own). */
uc_ref uc_aten_operand(uc_aten_call *c, uc_pv v, uncork_dtype dtype);
int64_t uc_aten_int(uc_aten_call *c, const char *name, int64_t otherwise);
double uc_aten_float(uc_aten_call *c, const char *name, double otherwise);
bool uc_aten_bool(uc_aten_call *c, const char *name, bool otherwise);
const char *uc_aten_text(uc_aten_call *c, const char *name, const char *otherwise);
/* Numbers of a list, or one repeated `fill` times (0: once). How many; 0 for none. All must be known. */
int uc_aten_ints(uc_aten_call *c, const char *name, int64_t *out, int most, int fill);
int uc_aten_floats(uc_aten_call *c, const char *name, double *out, int most);
/* A list of sizes as a rank 1 int64 value, whatever is known of it. */
uc_ref uc_aten_sizes(uc_aten_call *c, const char *name);
/* Whether every size is known. */
bool uc_aten_sizes_known(uc_aten_call *c, const char *name);
/* References of a list of tensors; NULL after a failure. */
uc_ref *uc_aten_tensors(uc_aten_call *c, const char *name, size_t *count);
/* The argument as an element type; `otherwise` for None. */
uncork_dtype uc_aten_dtype(uc_aten_call *c, const char *name, uncork_dtype otherwise);
uncork_dtype uc_aten_dtype_of(int64_t code);
int64_t uc_aten_code_of(uncork_dtype dtype);
/* An axis counted from the start; -1 after a failure. */
int uc_aten_axis(uc_aten_call *c, uc_ref x, const char *name, int64_t otherwise);

/* Results. */
void uc_aten_out(uc_aten_call *c, uc_ref ref);
void uc_aten_outs(uc_aten_call *c, const uc_ref *refs, size_t count);
void uc_aten_list(uc_aten_call *c, const uc_pv *items, size_t count); /* Tensor[] */

/* The type that an operation on both computes in, as torch promotes; a number counts for its kind only. */
uncork_dtype uc_aten_promote(uc_aten_call *c, uc_pv a, uc_pv b);
/* Integers and booleans as float32 (what float functions take). */
uc_ref uc_aten_floating(uc_aten_call *c, uc_ref x);
bool uc_aten_is_known_ints(uc_pv v);
uc_pv uc_aten_again(uc_aten_call *c, const char *name, uc_pv *items, size_t count);

/* Quantised values (aten_quant.c). */
void uc_aten_requantise(uc_aten_call *c, uc_ref y, const uc_pt_quant *q);
void uc_aten_quant_scalar(uc_aten_call *c);

#define EMIT(emitter) void uc_aten_##emitter(uc_aten_call *c);
#include "import/pytorch/aten_emit.def"
#undef EMIT

size_t uc_aten_count(void);
const uc_aten_row *uc_aten_at(size_t i, const char **space);
/* The overloads of a name, in torch's order; NULL: none. */
uc_aten_schema *uc_aten_schemas(uc_py_eval *ev, const char *name);
bool uc_aten_bind(uc_aten_call *c, const uc_aten_schema *s, const uc_py_args *args, bool lenient);

#endif
