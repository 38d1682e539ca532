/* The code of a Lambda layer, followed without being run: an abstract machine whose values are numbers,
 * texts, names and tensors of the graph. */
#ifndef UC_IMPORT_KERAS_KERAS_BYTECODE_H
#define UC_IMPORT_KERAS_KERAS_BYTECODE_H

#include "container/marshal.h"
#include "import/keras/keras.h"

typedef enum uc_pv_kind {
    UC_PV_NULL, /* what a call has in place of self */
    UC_PV_NONE,
    UC_PV_BOOL,
    UC_PV_INT,
    UC_PV_FLOAT,
    UC_PV_TEXT,
    UC_PV_LIST,
    UC_PV_SLICE, /* three items */
    UC_PV_ELLIPSIS,
    UC_PV_TENSOR,
    UC_PV_NAME,   /* a module or function: text is its path, "tf.nn.relu" */
    UC_PV_METHOD, /* of items[0]: text is its name */
    UC_PV_ANY,    /* while the code is only checked */
} uc_pv_kind;

typedef struct uc_pv uc_pv;
struct uc_pv {
    uc_pv_kind kind;
    int64_t integer; /* of BOOL too */
    double number;   /* of BOOL and INT too */
    uc_str text;
    uc_pv *items;
    size_t count;
    uc_k_value tensor;
};

/* Arguments of a call: the last `named` have names. */
typedef struct uc_pv_arguments {
    uc_pv *items;
    size_t count, named;
    const uc_str *names;
} uc_pv_arguments;

typedef struct uc_py_machine {
    uc_k_call *call;
    const uc_py_code *code;
    const uc_json *closure;
    bool dry; /* nothing is emitted: does the code hold in this version? */
    uc_pv stack[64];
    int top;
    uc_pv locals[64];
    uc_pv returned;
    char why[200]; /* what isn't understood; empty: nothing */
} uc_py_machine;

/* Notes what isn't understood; false. */
bool uc_py_lost(uc_py_machine *m, const char *format, ...) UC_PRINTF(2, 3);
/* Runs through the code, which was read by `version`: 0 is Python 3.0 to 3.5, 1 is 3.6, ... */
bool uc_py_follow(uc_py_machine *m, int version);
enum { UC_PY_VERSIONS = 9 };
uc_py_layout uc_py_layout_of(int version);

/* keras_lambda_value.c */
uc_pv uc_pv_int(int64_t v);
uc_pv uc_pv_float(double v);
uc_pv uc_pv_tensor(uc_k_call *c, uc_ref ref);
bool uc_pv_binary(uc_py_machine *m, const char *op, const uc_pv *a, const uc_pv *b, uc_pv *out);
bool uc_pv_negate(uc_py_machine *m, const uc_pv *a, uc_pv *out);
bool uc_pv_attribute(uc_py_machine *m, const uc_pv *of, uc_str name, uc_pv *out);
bool uc_pv_subscript(uc_py_machine *m, const uc_pv *of, const uc_pv *key, uc_pv *out);
/* A list of numbers as a constant, a number as one of the layer's type. */
bool uc_pv_to_tensor(uc_py_machine *m, const uc_pv *v, uc_ref *ref);

/* keras_lambda_call.c */
bool uc_pv_call(uc_py_machine *m, const uc_pv *function, const uc_pv_arguments *arguments,
                uc_pv *out);

#endif
