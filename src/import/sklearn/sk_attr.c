/* Checked access to an estimator's attributes. Every accessor fails once, naming the class, the
 * attribute and the place in the pickle, and returns something harmless afterwards. */
#include "import/sklearn/sk.h"

#include "base/limits.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { NAME_MAX_BYTES = 128 };

uncork_status sk_status(const sk_ctx *ctx)
{
    if (ctx->status != UNCORK_OK) return ctx->status;
    if (ctx->graph && ctx->graph->status != UNCORK_OK) return ctx->graph->status;
    return uc_arena_status(ctx->arena, ctx->error);
}

static uint64_t offset_of(const sk_est *est)
{
    return est && est->object ? est->object->offset : UC_NO_OFFSET;
}

static void record(sk_ctx *ctx, const sk_est *est, uncork_status status, const char *text)
{
    uncork_status told = uc_fail(ctx->error, status, offset_of(est), "%s", text);
    if (ctx->status == UNCORK_OK) ctx->status = told;
}

/* The i-th of "a|b|c" into `name`; false when there are no more. */
static bool alternative(const char **names, char name[NAME_MAX_BYTES])
{
    const char *at = *names;
    if (!at) return false;
    size_t n = strcspn(at, "|");
    *names = at[n] ? at + n + 1 : NULL;
    if (n >= NAME_MAX_BYTES) n = NAME_MAX_BYTES - 1;
    memcpy(name, at, n);
    name[n] = '\0';
    return true;
}

/* The value and the name it was found under; the first alternative when there is none. */
static const uc_pickle *find(const sk_est *est, const char *names, char found[NAME_MAX_BYTES])
{
    char name[NAME_MAX_BYTES];
    bool first = true;
    while (alternative(&names, name)) {
        const uc_pickle *value = uc_pickle_attr(est->object, name);
        if (first || value) memcpy(found, name, NAME_MAX_BYTES);
        if (value) return value;
        first = false;
    }
    return NULL;
}

uncork_status sk_fail(sk_ctx *ctx, const sk_est *est, const char *attribute, const char *format,
                      ...)
{
    char message[200], text[400], name[NAME_MAX_BYTES] = "";
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (attribute) (void)find(est, attribute, name);
    (void)snprintf(text, sizeof text, "%.*s%s%s (%s): %s", (int)est->class_name.size,
                   est->class_name.data, name[0] ? "." : "", name, est->path, message);
    record(ctx, est, UNCORK_MALFORMED, text);
    return sk_status(ctx);
}

uncork_status sk_unsupported(sk_ctx *ctx, const sk_est *est, const char *format, ...)
{
    char message[200], text[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    (void)snprintf(text, sizeof text, "%.*s (%s): %s", (int)est->class_name.size,
                   est->class_name.data, est->path, message);
    record(ctx, est, UNCORK_UNSUPPORTED, text);
    return sk_status(ctx);
}

const uc_pickle *sk_attr(const sk_est *est, const char *names)
{
    char name[NAME_MAX_BYTES];
    return find(est, names, name);
}

bool sk_has(const sk_est *est, const char *names)
{
    const uc_pickle *value = sk_attr(est, names);
    return value && value->kind != UC_PICKLE_NONE;
}

static bool absent(const uc_pickle *value) { return !value || value->kind == UC_PICKLE_NONE; }

/* ---- tensors ------------------------------------------------------------------------------- */

static const char *type_name(sk_ctx *ctx, const uc_pickle *value)
{
    const char *name = uc_pickle_type_name(value, ctx->arena);
    return name ? name : "?";
}

static const uc_tensor *read_tensor(sk_ctx *ctx, const sk_est *est, const char *names, int rank,
                                    const uc_pickle *value)
{
    uncork_error why = {.size = sizeof why};
    uc_error_init(&why);
    const uc_tensor *t = uc_pickle_tensor(value, ctx->arena, &why);
    if (t) t = uc_tensor_dense(ctx->arena, t);
    if (!t && sk_status(ctx) != UNCORK_OK) return NULL;
    if (!t) {
        if (why.status != UNCORK_OK) {
            sk_fail(ctx, est, names, "%s", why.what);
        } else {
            sk_fail(ctx, est, names, "is %s, not an array", type_name(ctx, value));
        }
        return NULL;
    }
    if (rank >= 0 && t->rank != rank) {
        char shape[128];
        sk_fail(ctx, est, names, "has shape %s, expected %d dimension%s",
                uc_shape_text(t->shape, t->rank, shape, sizeof shape), rank, rank == 1 ? "" : "s");
        return NULL;
    }
    return t;
}

const uc_tensor *sk_tensor(sk_ctx *ctx, const sk_est *est, const char *names, int rank)
{
    if (sk_status(ctx) != UNCORK_OK) return NULL;
    const uc_pickle *value = sk_attr(est, names);
    if (absent(value)) {
        sk_fail(ctx, est, names, value ? "is None, expected an array" : "is missing: not fitted?");
        return NULL;
    }
    return read_tensor(ctx, est, names, rank, value);
}

static const uc_tensor *as_f64(sk_ctx *ctx, const sk_est *est, const char *names,
                               const uc_tensor *t)
{
    if (!t || t->dtype == UNCORK_FLOAT64) return t;
    if (t->dtype == UNCORK_STRING || t->dtype == UNCORK_COMPLEX64 ||
        t->dtype == UNCORK_COMPLEX128) {
        sk_fail(ctx, est, names, "holds %s, expected real numbers", uc_dtype_name(t->dtype));
        return NULL;
    }
    return uc_tensor_cast(ctx->arena, t, UNCORK_FLOAT64);
}

const uc_tensor *sk_f64(sk_ctx *ctx, const sk_est *est, const char *names, int rank)
{
    return as_f64(ctx, est, names, sk_tensor(ctx, est, names, rank));
}

const uc_tensor *sk_f64_or_null(sk_ctx *ctx, const sk_est *est, const char *names, int rank)
{
    if (sk_status(ctx) != UNCORK_OK || !sk_has(est, names)) return NULL;
    return sk_f64(ctx, est, names, rank);
}

/* Floats pass only when they are whole numbers that int64 holds. */
static bool whole(const uc_tensor *t)
{
    if (!uc_dtype_is_float(t->dtype)) return true;
    int64_t n = uc_tensor_count(t);
    for (int64_t i = 0; i < n; i++) {
        double v = uc_dtype_load_f64(t->data, i, t->dtype);
        if (!(v >= -9007199254740992.0 && v <= 9007199254740992.0) || v != floor(v)) return false;
    }
    return true;
}

const uc_tensor *sk_i64(sk_ctx *ctx, const sk_est *est, const char *names, int rank)
{
    const uc_tensor *t = sk_tensor(ctx, est, names, rank);
    if (!t || t->dtype == UNCORK_INT64) return t;
    if (t->dtype != UNCORK_BOOL && !uc_dtype_is_integer(t->dtype) && !uc_dtype_is_float(t->dtype)) {
        sk_fail(ctx, est, names, "holds %s, expected integers", uc_dtype_name(t->dtype));
        return NULL;
    }
    if (!whole(t)) {
        sk_fail(ctx, est, names, "holds fractions, expected integers");
        return NULL;
    }
    return uc_tensor_cast(ctx->arena, t, UNCORK_INT64);
}

bool sk_shape_is(sk_ctx *ctx, const sk_est *est, const char *attribute, const uc_tensor *t,
                 int rank, const int64_t *shape)
{
    if (!t || sk_status(ctx) != UNCORK_OK) return false;
    bool same = t->rank == rank;
    for (int i = 0; same && i < rank; i++) {
        same = shape[i] < 0 || t->shape[i] == shape[i];
    }
    if (same) return true;
    char got[128], want[128];
    sk_fail(ctx, est, attribute, "has shape %s, expected %s (-1: any)",
            uc_shape_text(t->shape, t->rank, got, sizeof got),
            uc_shape_text(shape, rank, want, sizeof want));
    return false;
}

bool sk_shape2(sk_ctx *ctx, const sk_est *est, const char *attribute, const uc_tensor *t,
               int64_t d0, int64_t d1)
{
    int64_t shape[2] = {d0, d1};
    return sk_shape_is(ctx, est, attribute, t, 2, shape);
}

bool sk_shape1(sk_ctx *ctx, const sk_est *est, const char *attribute, const uc_tensor *t,
               int64_t d0)
{
    return sk_shape_is(ctx, est, attribute, t, 1, &d0);
}

/* ---- scalars ------------------------------------------------------------------------------- */

/* Between two releases a parameter's default was the word "deprecated" or "warn": no value yet. */
static bool unset(const uc_pickle *value)
{
    return absent(value) || uc_pickle_is_text(value, "deprecated") ||
           uc_pickle_is_text(value, "warn");
}

double sk_number(sk_ctx *ctx, const sk_est *est, const char *names, double otherwise)
{
    const uc_pickle *value = sk_attr(est, names);
    double out = otherwise;
    if (sk_status(ctx) != UNCORK_OK || unset(value)) return otherwise;
    if (!uc_pickle_f64(value, &out)) {
        sk_fail(ctx, est, names, "is %s, expected a number", type_name(ctx, value));
        return otherwise;
    }
    return out;
}

int64_t sk_int(sk_ctx *ctx, const sk_est *est, const char *names, int64_t otherwise)
{
    const uc_pickle *value = sk_attr(est, names);
    int64_t out = otherwise;
    double number = 0;
    if (sk_status(ctx) != UNCORK_OK || unset(value)) return otherwise;
    if (uc_pickle_i64(value, &out)) return out;
    if (uc_pickle_f64(value, &number) && fabs(number) <= 9007199254740992.0 &&
        number == floor(number)) {
        return (int64_t)number;
    }
    sk_fail(ctx, est, names, "is %s, expected an integer", type_name(ctx, value));
    return otherwise;
}

bool sk_bool(sk_ctx *ctx, const sk_est *est, const char *names, bool otherwise)
{
    const uc_pickle *value = sk_attr(est, names);
    double number = 0;
    if (sk_status(ctx) != UNCORK_OK || unset(value)) return otherwise;
    if (value->kind == UC_PICKLE_BOOL) return value->boolean;
    if (uc_pickle_f64(value, &number)) return number != 0;
    sk_fail(ctx, est, names, "is %s, expected True or False", type_name(ctx, value));
    return otherwise;
}

uc_str sk_str(sk_ctx *ctx, const sk_est *est, const char *names, const char *otherwise)
{
    const uc_pickle *value = sk_attr(est, names);
    if (sk_status(ctx) != UNCORK_OK || absent(value)) return uc_str_of(otherwise);
    if (value->kind == UC_PICKLE_TEXT || value->kind == UC_PICKLE_BYTES) return value->text;
    sk_fail(ctx, est, names, "is %s, expected a string", type_name(ctx, value));
    return uc_str_of(otherwise);
}

bool sk_str_is(const sk_est *est, const char *names, const char *text)
{
    return uc_pickle_is_text(sk_attr(est, names), text);
}

/* ---- children ------------------------------------------------------------------------------ */

static const char *child_path(sk_ctx *ctx, const sk_est *est, const char *names, int64_t index)
{
    char name[NAME_MAX_BYTES] = "";
    (void)find(est, names, name);
    const char *path =
        index < 0 ? uc_arena_printf(ctx->arena, "%s.%s", est->path, name)
                  : uc_arena_printf(ctx->arena, "%s.%s[%" PRId64 "]", est->path, name, index);
    return path ? path : est->path;
}

bool sk_child(sk_ctx *ctx, const sk_est *est, const char *names, sk_est *child)
{
    *child = *est;
    if (sk_status(ctx) != UNCORK_OK) return false;
    const uc_pickle *value = sk_attr(est, names);
    if (absent(value)) {
        sk_fail(ctx, est, names, "is %s", value ? "None, expected an estimator" : "missing");
        return false;
    }
    return sk_estimator(ctx, value, est, child_path(ctx, est, names, -1), child);
}

static bool is_sequence(const uc_pickle *value)
{
    return value && (value->kind == UC_PICKLE_LIST || value->kind == UC_PICKLE_TUPLE ||
                     value->kind == UC_PICKLE_OBJECTS);
}

size_t sk_list_count(const sk_est *est, const char *names)
{
    const uc_pickle *value = sk_attr(est, names);
    return is_sequence(value) ? value->count : 0;
}

/* (name, estimator) and (name, estimator, columns) stand for their estimator. */
static const uc_pickle *unpaired(const uc_pickle *item)
{
    bool pair = item && (item->kind == UC_PICKLE_TUPLE || item->kind == UC_PICKLE_LIST) &&
                item->count >= 2 && item->items[0] &&
                (item->items[0]->kind == UC_PICKLE_TEXT || item->items[0]->kind == UC_PICKLE_BYTES);
    return pair ? item->items[1] : item;
}

bool sk_list_child(sk_ctx *ctx, const sk_est *est, const char *names, size_t i, sk_est *child)
{
    *child = *est;
    if (sk_status(ctx) != UNCORK_OK) return false;
    const uc_pickle *value = sk_attr(est, names);
    if (!is_sequence(value) || i >= value->count) {
        sk_fail(ctx, est, names, "holds no estimator %zu", i);
        return false;
    }
    return sk_estimator(ctx, unpaired(value->items[i]), est,
                        child_path(ctx, est, names, (int64_t)i), child);
}

bool sk_object(sk_ctx *ctx, const sk_est *est, const char *names, sk_est *object)
{
    *object = *est;
    if (sk_status(ctx) != UNCORK_OK) return false;
    const uc_pickle *value = sk_attr(est, names);
    if (!value || value->kind != UC_PICKLE_OBJECT) {
        sk_fail(ctx, est, names, "is %s, expected an object",
                value ? type_name(ctx, value) : "missing");
        return false;
    }
    if (est->depth >= UC_LIMIT_ESTIMATOR_DEPTH) {
        sk_fail(ctx, est, names, "stands inside more than %d objects", UC_LIMIT_ESTIMATOR_DEPTH);
        return false;
    }
    object->object = value;
    object->class_name = value->text;
    object->module = value->module;
    object->path = child_path(ctx, est, names, -1);
    object->depth = est->depth + 1;
    return true;
}
