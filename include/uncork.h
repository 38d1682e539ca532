/* uncork.h - open a saved model and predict with it. The whole public interface.
 *
 * Ownership: a handle made by uncork_*_open(), uncork_prepare() or uncork_*_new() is yours until you
 * pass it to the matching _close() or _free() (NULL is fine). Every pointer reached from a handle
 * belongs to that handle and dies with it. Nothing else is ever yours to free.
 * Threads: a file and a model are immutable and may be shared by any number of threads; a session
 * and a value are used by one thread at a time; there is no global state.
 * Sizes are bytes unless a name says otherwise. Nothing from a model file is ever executed. */
#ifndef UNCORK_H
#define UNCORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#    define UNCORK_API        __attribute__((visibility("default")))
#    define UNCORK_MUST_CHECK __attribute__((warn_unused_result))
#else
#    define UNCORK_API
#    define UNCORK_MUST_CHECK
#endif

/* Raised when a declared function or struct changes in a way old callers would notice. */
#define UNCORK_ABI_VERSION   1

#define UNCORK_STATUS_MAP(X) /* X(NAME, number, text). Numbers are ABI: append, never renumber. */ \
    X(OK, 0, "ok")                                                                                 \
    X(USAGE, 1, "the call itself is wrong")                                                        \
    X(IO, 2, "a file can't be found or read")                                                      \
    X(MALFORMED, 3, "the file breaks its own format")                                              \
    X(UNSUPPORTED, 4, "the file is sound but uses something uncork doesn't do")                    \
    X(LIMIT, 5, "a limit was reached")                                                             \
    X(NO_MEMORY, 6, "memory is out")                                                               \
    X(INPUT, 7, "an input doesn't fit the model")                                                  \
    X(CANCELLED, 8, "the caller cancelled the work")                                               \
    X(DEADLINE, 9, "the time given is over")

typedef enum uncork_status {
#define UNCORK_STATUS_ENUM(name, number, text) UNCORK_##name = (number),
    UNCORK_STATUS_MAP(UNCORK_STATUS_ENUM)
#undef UNCORK_STATUS_ENUM
} uncork_status;

/* What went wrong, where, and what helps. The caller's storage, filled even when memory is out. */
typedef struct uncork_error {
    size_t size; /* sizeof(uncork_error), set by the caller: the struct may grow */
    uncork_status status;
    uint64_t offset; /* byte in the file, UINT64_MAX where it makes no sense */
    char what[256];  /* "tensor 'conv1/kernel' needs 9437184 bytes, 8388608 remain" */
    char where[256]; /* "digits.pkl: SVC._dual_coef_" */
    char fix[256];   /* "the download was cut short: expected 102967424 bytes"; may be empty */
} uncork_error;

/* Element types; the numbers are those of ONNX TensorProto.DataType. */
typedef enum uncork_dtype {
    UNCORK_DTYPE_NONE = 0,
    UNCORK_FLOAT32 = 1,
    UNCORK_UINT8 = 2,
    UNCORK_INT8 = 3,
    UNCORK_UINT16 = 4,
    UNCORK_INT16 = 5,
    UNCORK_INT32 = 6,
    UNCORK_INT64 = 7,
    UNCORK_STRING = 8, /* UTF-8 or raw bytes: offsets plus one byte block */
    UNCORK_BOOL = 9,   /* one byte, 0 or 1 */
    UNCORK_FLOAT16 = 10,
    UNCORK_FLOAT64 = 11,
    UNCORK_UINT32 = 12,
    UNCORK_UINT64 = 13,
    UNCORK_COMPLEX64 = 14,
    UNCORK_COMPLEX128 = 15,
    UNCORK_BFLOAT16 = 16,
    UNCORK_FLOAT8E4M3FN = 17,
    UNCORK_FLOAT8E4M3FNUZ = 18,
    UNCORK_FLOAT8E5M2 = 19,
    UNCORK_FLOAT8E5M2FNUZ = 20,
    UNCORK_UINT4 = 21, /* types below 8 bits are dense, low bits first */
    UNCORK_INT4 = 22,
    UNCORK_FLOAT4E2M1 = 23,
    UNCORK_FLOAT8E8M0 = 24,
    UNCORK_UINT2 = 25,
    UNCORK_INT2 = 26,
    UNCORK_FLOAT6E2M3 = 27,
    UNCORK_FLOAT6E3M2 = 28,
} uncork_dtype;

#define UNCORK_MAX_RANK 16

typedef struct uncork_file uncork_file;       /* an opened file: facts, findings, entries */
typedef struct uncork_model uncork_model;     /* one entry ready to run; immutable */
typedef struct uncork_session uncork_session; /* scratch memory and plans of one thread at a time */
typedef struct uncork_pool uncork_pool;       /* worker threads */
typedef struct uncork_value uncork_value; /* a tensor, or a sequence, map or optional of values */

/* What a value is. Most models know tensors only. */
typedef enum uncork_kind {
    UNCORK_TENSOR = 1,
    UNCORK_SEQUENCE = 2, /* any number of items */
    UNCORK_MAP = 3, /* item 0: the keys, item 1: the values, tensors of rank 1 and equal length */
    UNCORK_OPTIONAL = 4, /* no item or one */
} uncork_kind;

/* Limits and control shared by every call that takes it. Zeroed means the defaults. */
typedef struct uncork_limits {
    size_t size;                /* sizeof(uncork_limits) */
    uint64_t max_memory_bytes;  /* 0: 64 times the file's size, at least 2 GiB */
    uint64_t max_macs;          /* multiply-adds of one run; 0: no limit */
    uint64_t timeout_ms;        /* from the call on; 0: none */
    const volatile int *cancel; /* non-zero stops the work with CANCELLED; may be NULL */
} uncork_limits;

/* ---- errors ------------------------------------------------------------------------------- */

/* The fixed English text of a status. Never NULL. */
UNCORK_API const char *uncork_status_text(uncork_status status);

/* The library's version, "0.1.0". */
UNCORK_API const char *uncork_version(void);

/* UNCORK_ABI_VERSION of the library that runs, to be compared with the header's. */
UNCORK_API int uncork_abi_version(void);

/* ---- values ------------------------------------------------------------------------------- */

/* Makes a tensor of zeros (strings: empty ones are set by uncork_value_new_strings instead).
 *
 * dtype  any but STRING.
 * rank   0 to UNCORK_MAX_RANK; shape has rank entries, each >= 0.
 * value  receives the tensor, NULL on failure; free it with uncork_value_free.
 * Returns OK, USAGE, or NO_MEMORY. */
UNCORK_API UNCORK_MUST_CHECK uncork_status uncork_value_new(uncork_dtype dtype, int rank,
                                                            const int64_t *shape,
                                                            uncork_value **value);

/* Wraps caller's memory without a copy; `data` must outlive the value and stays the caller's.
 *
 * data  dense, C order, aligned to its element size.
 * Otherwise as uncork_value_new. */
UNCORK_API UNCORK_MUST_CHECK uncork_status uncork_value_wrap(uncork_dtype dtype, int rank,
                                                             const int64_t *shape, void *data,
                                                             uncork_value **value);

/* Makes a tensor of strings, copied.
 *
 * bytes, lengths  as many entries as the shape's product.
 * Otherwise as uncork_value_new. */
UNCORK_API UNCORK_MUST_CHECK uncork_status uncork_value_new_strings(int rank, const int64_t *shape,
                                                                    const char *const *bytes,
                                                                    const size_t *lengths,
                                                                    uncork_value **value);

/* Makes a sequence, map or optional of values, which aren't copied: they stay the caller's and must
 * outlive it.
 *
 * kind   any but TENSOR; see uncork_kind for how many items and which.
 * items  `count` of them; may be NULL when there are none.
 * value  receives the value, NULL on failure; free it with uncork_value_free.
 * Returns OK, USAGE, or NO_MEMORY. */
UNCORK_API UNCORK_MUST_CHECK uncork_status uncork_value_wrap_items(uncork_kind kind,
                                                                   const uncork_value *const *items,
                                                                   int64_t count,
                                                                   uncork_value **value);

/* Frees a value made by uncork_value_new, _new_strings, _wrap or _wrap_items; NULL is fine. */
UNCORK_API void uncork_value_free(uncork_value *value);

/* Whether it is a tensor or holds other values. */
UNCORK_API uncork_kind uncork_value_kind(const uncork_value *value);

/* Number of values inside a sequence, map or optional; 0 for a tensor. */
UNCORK_API int64_t uncork_value_item_count(const uncork_value *value);

/* The i-th of them, NULL beyond the last; lives as long as the value. */
UNCORK_API const uncork_value *uncork_value_item(const uncork_value *value, int64_t i);

/* The functions below are about tensors; of another kind they tell nothing of use.
 * Element type. */
UNCORK_API uncork_dtype uncork_value_dtype(const uncork_value *value);

/* Number of dimensions. */
UNCORK_API int uncork_value_rank(const uncork_value *value);

/* The dimensions, uncork_value_rank() of them. */
UNCORK_API const int64_t *uncork_value_shape(const uncork_value *value);

/* Number of elements. */
UNCORK_API int64_t uncork_value_count(const uncork_value *value);

/* The elements, dense in C order; NULL for strings. Writable for values the caller made. */
UNCORK_API void *uncork_value_data(const uncork_value *value);

/* The i-th string; not terminated by zero. `length` receives its bytes. */
UNCORK_API const char *uncork_value_string(const uncork_value *value, int64_t i, size_t *length);

/* ---- files -------------------------------------------------------------------------------- */

/* Options of uncork_open; zeroed means the defaults. */
typedef struct uncork_open_options {
    size_t size; /* sizeof(uncork_open_options) */
    uncork_limits limits;
    bool copy; /* read into memory instead of mapping: the file may change while it is used */
    const char
        *code; /* "FILE.py:CLASS(args)": the source of the network that a PyTorch state dict belongs
                       * to, read, never run by Python; not kept. NULL: none. */
    const char *arch; /* which network a bare state dict belongs to: its name, or its layers as text
                       * (docs/architectures.md); not kept. NULL: found out. */
} uncork_open_options;

/* Opens the file or directory at `path`, whatever its format; the content decides, not the name.
 * Succeeds for a file that is recognised but can't run, so that it can be inspected; see
 * uncork_prepare(). Weights are mapped, not copied.
 *
 * path     UTF-8, not kept.
 * options  may be NULL.
 * file     receives the handle on OK (close it with uncork_file_close), NULL otherwise.
 * error    filled on failure; may be NULL.
 * Returns OK, IO, MALFORMED, UNSUPPORTED, LIMIT, NO_MEMORY, CANCELLED or DEADLINE. */
UNCORK_API UNCORK_MUST_CHECK uncork_status uncork_open(const char *path,
                                                       const uncork_open_options *options,
                                                       uncork_file **file, uncork_error *error);

/* As uncork_open, over `size_bytes` bytes at `data`, which must outlive the file. `name` is used in
 * messages only and copied; NULL: "memory". */
UNCORK_API UNCORK_MUST_CHECK uncork_status uncork_open_memory(const void *data, size_t size_bytes,
                                                              const char *name,
                                                              const uncork_open_options *options,
                                                              uncork_file **file,
                                                              uncork_error *error);

/* Closes a file; models made from it stay valid. NULL is fine. */
UNCORK_API void uncork_file_close(uncork_file *file);

/* The format's short name: "sklearn", "xgboost", "lightgbm", ... Never NULL. */
UNCORK_API const char *uncork_file_format(const uncork_file *file);

/* Everything known about the file without running it, as one JSON object (see docs/inspect.md);
 * terminated by zero. */
UNCORK_API const char *uncork_file_json(const uncork_file *file);

/* Number of entries (signatures, methods) that can be prepared. */
UNCORK_API int uncork_file_entry_count(const uncork_file *file);

/* Name of the i-th entry ("predict", "predict_proba", ...), NULL beyond the last. */
UNCORK_API const char *uncork_file_entry_name(const uncork_file *file, int i);

/* ---- models ------------------------------------------------------------------------------- */

/* Options of uncork_prepare; zeroed means the defaults. */
/* How numbers may be rounded. */
typedef enum uncork_precision {
    UNCORK_EXACT, /* arithmetic at least as accurate as the framework's */
    UNCORK_FAST,  /* float32 networks may compute in bfloat16 with sums in float32; like EXACT on
                   * machines without instructions for it */
} uncork_precision;

/* What will be fed to an input, for formats that don't say it themselves (PyTorch's modules and
 * TorchScript): its type, rank and shape, -1 where a dimension shall stay free. */
typedef struct uncork_fed {
    const char *name; /* NULL: by place */
    uncork_dtype dtype;
    int rank;
    const int64_t *shape;
} uncork_fed;

/* Whose rounding integer TensorFlow Lite models follow, bit by bit. */
typedef enum uncork_kernels {
    UNCORK_KERNELS_XNNPACK,   /* the interpreter's default: XNNPACK where it takes the operator */
    UNCORK_KERNELS_BUILTIN,   /* its own kernels, without a delegate */
    UNCORK_KERNELS_REFERENCE, /* its reference kernels */
    UNCORK_KERNELS_REAL,      /* nobody's: the real numbers that the integers stand for, in float32,
                               * rounded to the output's steps (what standard ONNX can say) */
} uncork_kernels;

typedef struct uncork_prepare_options {
    size_t size; /* sizeof(uncork_prepare_options) */
    uncork_limits limits;
    uncork_dtype input_dtype; /* type of the rows that will be fed; NONE: float64 for classic
                                  models. scikit-learn computes float32 rows in float32 at places */
    bool raw;                 /* skip a scaler found beside the model */
    const char *disable_pass; /* comma-separated names of graph passes to leave out; may be NULL */
    uncork_precision precision;
    const uncork_fed
        *fed; /* the inputs in order, or NULL; a format that knows its own ignores it */
    int fed_count;
    uncork_kernels kernels;
} uncork_prepare_options;

/* Makes one entry ready to run. Only what that entry needs is imported: predict never fails because
 * transform can't be built.
 *
 * entry  a name of uncork_file_entry_name, or NULL for the default outputs.
 * model  receives the handle on OK (free it with uncork_model_free).
 * Returns OK, USAGE, MALFORMED, UNSUPPORTED, LIMIT, NO_MEMORY, CANCELLED or DEADLINE. */
UNCORK_API UNCORK_MUST_CHECK uncork_status uncork_prepare(const uncork_file *file,
                                                          const char *entry,
                                                          const uncork_prepare_options *options,
                                                          uncork_model **model,
                                                          uncork_error *error);

/* Frees a model; its sessions must be freed first. NULL is fine. */
UNCORK_API void uncork_model_free(uncork_model *model);

/* Number of inputs. */
UNCORK_API int uncork_model_input_count(const uncork_model *model);
/* Name of the i-th input, NULL beyond the last. */
UNCORK_API const char *uncork_model_input_name(const uncork_model *model, int i);
/* Element type the i-th input is taken as; NONE beyond the last. */
UNCORK_API uncork_dtype uncork_model_input_dtype(const uncork_model *model, int i);
/* Rank of the i-th input, -1 for any or beyond the last; its dimensions go into `shape`, which has
 * UNCORK_MAX_RANK entries. A dimension of -1 is free. */
UNCORK_API int uncork_model_input_shape(const uncork_model *model, int i, int64_t *shape);
/* What the i-th input takes; the type and shape of one that holds values are those of the tensors
 * inside. TENSOR beyond the last. */
UNCORK_API uncork_kind uncork_model_input_kind(const uncork_model *model, int i);
/* What the i-th output is, in the same words. TENSOR beyond the last. */
UNCORK_API uncork_kind uncork_model_output_kind(const uncork_model *model, int i);

/* Whether the i-th input may be left out (NULL for uncork_session_run). */
UNCORK_API bool uncork_model_input_optional(const uncork_model *model, int i);

/* Number of outputs. */
UNCORK_API int uncork_model_output_count(const uncork_model *model);
/* Name of the i-th output, NULL beyond the last. */
UNCORK_API const char *uncork_model_output_name(const uncork_model *model, int i);

/* ---- running ------------------------------------------------------------------------------ */

/* Makes a pool of `threads` threads in all, the caller's included; 0: one a core.
 *
 * pool  receives the handle on OK (free it with uncork_pool_free).
 * Returns OK, USAGE or NO_MEMORY. */
UNCORK_API UNCORK_MUST_CHECK uncork_status uncork_pool_new(int threads, uncork_pool **pool);
/* Ends the threads. No session may still use the pool. NULL is fine. */
UNCORK_API void uncork_pool_free(uncork_pool *pool);

/* Makes a session: cheap; memory comes with the first run of a shape.
 *
 * model    must outlive the session.
 * pool     may be NULL: the calling thread alone. Must outlive the session.
 * session  receives the handle on OK, NULL otherwise (free it with uncork_session_free).
 * Returns OK or NO_MEMORY. */
UNCORK_API UNCORK_MUST_CHECK uncork_status uncork_session_new(const uncork_model *model,
                                                              uncork_pool *pool,
                                                              uncork_session **session);
/* Frees a session and the outputs of its last run. NULL is fine. */
UNCORK_API void uncork_session_free(uncork_session *session);

/* Runs the model.
 *
 * inputs   one per model input, in order; NULL where an input has a default. Not kept.
 * limits   may be NULL.
 * Returns OK, INPUT, LIMIT, NO_MEMORY, CANCELLED or DEADLINE. Outputs are read with
 * uncork_session_output until the next run. */
UNCORK_API UNCORK_MUST_CHECK uncork_status uncork_session_run(uncork_session *session,
                                                              const uncork_value *const *inputs,
                                                              int input_count,
                                                              const uncork_limits *limits,
                                                              uncork_error *error);

/* The i-th output of the last run, NULL beyond the last; the session's, valid until its next run or
 * its end. */
UNCORK_API const uncork_value *uncork_session_output(const uncork_session *session, int i);

#ifdef __cplusplus
}
#endif
#endif
