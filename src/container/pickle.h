/* Pickle protocols 0-5 and joblib as data: opcodes build a tree of values, a global is a name,
 * REDUCE/BUILD/NEWOBJ build symbolic objects, nothing is called. Source: Python's pickletools.
 *
 * What NumPy wrote becomes ARRAY (numbers, bools, strings), RECORDS (structured) or OBJECTS (object
 * dtype); NumPy scalars become plain BOOL/INT/FLOAT/TEXT/BYTES. Python 2 and 3, NumPy 1 and 2, any
 * byte order, Fortran order: native C-order tensors come out. Values may be shared and may form
 * cycles: whoever walks them keeps a depth and spends uc_budget_nodes. */
#ifndef UC_CONTAINER_PICKLE_H
#define UC_CONTAINER_PICKLE_H

#include "base/tensor.h"

typedef enum uc_pickle_kind {
    UC_PICKLE_NONE,
    UC_PICKLE_BOOL,
    UC_PICKLE_INT,  /* fits int64 */
    UC_PICKLE_LONG, /* doesn't: text holds its little-endian two's complement bytes */
    UC_PICKLE_FLOAT,
    UC_PICKLE_COMPLEX,
    UC_PICKLE_TEXT,  /* str; UTF-8, lone surrogates possible */
    UC_PICKLE_BYTES, /* bytes, bytearray, Python 2 str */
    UC_PICKLE_LIST,
    UC_PICKLE_TUPLE,
    UC_PICKLE_SET,
    UC_PICKLE_DICT,       /* also OrderedDict, defaultdict, Counter: items[2i], items[2i+1] */
    UC_PICKLE_SYMBOL,     /* a global: module and name, nothing more */
    UC_PICKLE_OBJECT,     /* an instance or the result of a call that was not made */
    UC_PICKLE_ARRAY,      /* tensor */
    UC_PICKLE_RECORDS,    /* structured array: field_names, field_tensors, count rows */
    UC_PICKLE_OBJECTS,    /* object array: items in C order, shape in tensor->shape (data NULL) */
    UC_PICKLE_SLICE,      /* items[0..2] */
    UC_PICKLE_RANGE,      /* items[0..2] */
    UC_PICKLE_DTYPE,      /* numpy.dtype */
    UC_PICKLE_PERSISTENT, /* persistent id in items[0] */
} uc_pickle_kind;

typedef struct uc_pickle uc_pickle;
typedef struct uc_pickle_dtype uc_pickle_dtype; /* container/pickle_numpy.h */
struct uc_pickle {
    uc_pickle_kind kind;
    bool boolean;    /* BOOL; SYMBOL: whether it is called somewhere (REDUCE, INST, OBJ) */
    bool is_call;    /* OBJECT of REDUCE (a call that was not made), not of NEWOBJ */
    uint64_t offset; /* of the opcode in the (decompressed) stream; the first one's for None, True,
                        False, () and the integers 0 to 255, which are shared */
    int64_t integer;
    double number, imaginary;
    uc_str text;   /* TEXT, BYTES, LONG; SYMBOL and OBJECT: the class's qualified name; ARRAY and
                          OBJECTS: "datetime64", "timedelta64" (then int64) or a subclass's name */
    uc_str module; /* SYMBOL and OBJECT */
    uc_pickle **items; /* LIST, TUPLE, SET, DICT (pairs), OBJECTS, SLICE, RANGE */
    size_t count;      /* of items; DICT: of pairs */
    size_t capacity;
    /* OBJECT: */
    uc_pickle *args;       /* TUPLE of the call or of NEWOBJ; NULL when none */
    uc_pickle *kwargs;     /* DICT or NULL */
    uc_pickle *state;      /* what BUILD gave, last one; NULL when none */
    uc_pickle *list_items; /* LIST appended to the object, or NULL */
    uc_pickle *dict_items; /* DICT set on the object, or NULL */
    uc_pickle *callee;     /* the called thing when it is no plain symbol (then text is empty) */
    /* ARRAY, RECORDS, OBJECTS: */
    uc_tensor *tensor;
    uc_str *field_names;
    uc_tensor **field_tensors; /* each [rows, ...], native */
    size_t field_count;
    const uc_pickle_dtype *dtype; /* DTYPE */
};

/* What a stream holds besides its root: read by inspect. */
typedef struct uc_pickle_info {
    int protocol;
    bool is_joblib;
    bool python2;            /* written by Python 2 (module names, str type) */
    int numpy_major;         /* 1 or 2; 0: no NumPy in it, or no trace of which */
    const char *compression; /* "zlib", "gzip", "bz2", "xz", "lzma", "lz4", or NULL */
    uint64_t stream_bytes;   /* decompressed */
    uint64_t end_offset;     /* just after STOP: what follows is another pickle or padding */
    uc_pickle **symbols;     /* every distinct global, in order of first use */
    size_t symbol_count;
    uc_pickle **persistents; /* every persistent id, in order */
    size_t persistent_count;
    const uc_pickle *dropped; /* the first unmade call whose result the stream throws away, or NULL:
                                 only a hostile file or a __reduce__ with a state setter has one */
} uc_pickle_info;

/* Opens side files of old joblib by base name; NULL when there are none. */
typedef struct uc_pickle_side {
    uncork_status (*read)(void *context, uc_str name, uc_bytes *bytes, uncork_error *error);
    void *context;
} uc_pickle_side;

/* Reads the first pickle or joblib stream of the bytes, decompressing it when it is compressed
 * (nesting up to UC_LIMIT_NESTING). Array data are views of `bytes` where they can be.
 *
 * bytes  must live as long as the arena.
 * root   receives the value.
 * info   may be NULL.
 * Returns OK, MALFORMED (with the offset), UNSUPPORTED, LIMIT, NO_MEMORY, or IO for a side file. */
uncork_status uc_pickle_read(uc_bytes bytes, const uc_pickle_side *side, uc_arena *arena,
                             uc_budget *budget, uc_pickle **root, uc_pickle_info *info,
                             uncork_error *error);

/* Whether the bytes begin like a pickle, joblib file or a compressed one (a cheap sniff). */
bool uc_pickle_probe(uc_bytes bytes);

/* Lookups, all safe on NULL and on other kinds (then NULL / otherwise). */

/* The value of a str key (or Python 2 bytes key) of a DICT. */
uc_pickle *uc_pickle_get(const uc_pickle *dict, const char *key);
/* An attribute of an OBJECT: its state's dict, or the dict and slots of a (dict, slots) state. */
uc_pickle *uc_pickle_attr(const uc_pickle *object, const char *name);
uc_pickle *uc_pickle_item(const uc_pickle *sequence, size_t i);
/* True for TEXT or BYTES equal to `text`. */
bool uc_pickle_is_text(const uc_pickle *value, const char *text);
bool uc_pickle_is_symbol(const uc_pickle *value, const char *module, const char *name);
/* Numbers from BOOL, INT, FLOAT, or an ARRAY of one element. */
bool uc_pickle_f64(const uc_pickle *value, double *out);
bool uc_pickle_i64(const uc_pickle *value, int64_t *out);
/* "sklearn.svm._classes.SVC", "list", "ndarray": for messages. In the arena. */
const char *uc_pickle_type_name(const uc_pickle *value, uc_arena *arena);

/* Dense tensor of: ARRAY; OBJECTS, LIST or TUPLE of numbers or of strings (nested lists too);
 * a number; a scipy.sparse matrix or array (csr, csc, coo, bsr, dia, lil: container/sparse.h).
 * NULL when it is none of these or is inconsistent. */
const uc_tensor *uc_pickle_tensor(const uc_pickle *value, uc_arena *arena, uncork_error *error);

#endif
