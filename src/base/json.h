/* JSON and the value tree it reads into; UBJSON (container/ubjson.h) reads into the same tree.
 * Accepts what xgboost and Python write: bare NaN, Infinity, -Infinity; 64-bit integers exact. */
#ifndef UC_BASE_JSON_H
#define UC_BASE_JSON_H

#include "base/arena.h"
#include "base/tensor.h"
#include "base/writer.h"

typedef enum uc_json_kind {
    UC_JSON_NULL,
    UC_JSON_BOOL,
    UC_JSON_INT, /* fits int64 */
    UC_JSON_FLOAT,
    UC_JSON_STRING,
    UC_JSON_ARRAY, /* items */
    UC_JSON_NUMBERS, /* an array of numbers only, kept flat: tensor, rank 1, f64 or i64 (UBJSON: its own type) */
    UC_JSON_OBJECT, /* keys and items */
} uc_json_kind;

typedef struct uc_json uc_json;
struct uc_json {
    uc_json_kind kind;
    bool boolean;
    int64_t integer;
    double number; /* also set for INT */
    uc_str string;
    uc_str *keys;    /* OBJECT; in file order, a duplicate's last value wins in find */
    uc_json **items; /* ARRAY, OBJECT */
    size_t count;
    uc_tensor *numbers;
    uint64_t offset; /* in the file */
};

/* Reads one JSON value that fills the bytes (white space around it). NULL on failure. */
uc_json *uc_json_read(uc_bytes bytes, uint64_t base, uc_arena *arena, uncork_error *error);
/* Lookups; NULL when absent or `json` is NULL or of another kind. */
const uc_json *uc_json_get(const uc_json *json, const char *key);
/* Dotted path: "learner.objective.name". */
const uc_json *uc_json_path(const uc_json *json, const char *path);
/* An item of an ARRAY or OBJECT; NUMBERS have none: take uc_json_f64s or _i64s. */
const uc_json *uc_json_at(const uc_json *json, size_t i);
/* Number of elements of either kind of array, 0 otherwise. */
size_t uc_json_count(const uc_json *json);
/* Values with a default; a string that holds a number reads as one (xgboost writes those). */
double uc_json_f64(const uc_json *json, double otherwise);
int64_t uc_json_i64(const uc_json *json, int64_t otherwise);
uc_str uc_json_str(const uc_json *json, const char *otherwise);
bool uc_json_bool(const uc_json *json, bool otherwise);
/* All numbers of an array (either kind) as f64/i64 into the arena; NULL when it isn't one. */
double *uc_json_f64s(const uc_json *json, uc_arena *arena, size_t *count);
int64_t *uc_json_i64s(const uc_json *json, uc_arena *arena, size_t *count);

/* Writing: commas and quotes are put by the writer itself. */
typedef struct uc_json_writer {
    uc_writer *out;
    int depth;
    bool comma;
} uc_json_writer;

void uc_json_begin_object(uc_json_writer *w);
void uc_json_end_object(uc_json_writer *w);
void uc_json_begin_array(uc_json_writer *w);
void uc_json_end_array(uc_json_writer *w);
void uc_json_key(uc_json_writer *w, const char *key);
void uc_json_put_str(uc_json_writer *w, uc_str s); /* invalid UTF-8 becomes U+FFFD */
void uc_json_put_text(uc_json_writer *w, const char *text);
void uc_json_put_i64(uc_json_writer *w, int64_t v);
void uc_json_put_f64(uc_json_writer *w, double v); /* shortest; NaN and infinities as null */
void uc_json_put_f32(uc_json_writer *w, float v);
void uc_json_put_bool(uc_json_writer *w, bool v);
void uc_json_put_null(uc_json_writer *w);

#endif
