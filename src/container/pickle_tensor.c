/* Values of a pickle -> one dense tensor, as numpy.asarray() would make it of them. */

#include "base/limits.h"
#include "container/pickle.h"
#include "container/sparse.h"

/* What the elements of nested lists have in common. */
typedef struct survey {
    uncork_dtype dtype; /* NONE until the first element */
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    size_t text_bytes;
    bool is_bytes; /* all texts are bytes */
    uncork_error *error;
} survey;

static bool is_list(const uc_pickle *v)
{
    return v->kind == UC_PICKLE_LIST || v->kind == UC_PICKLE_TUPLE || v->kind == UC_PICKLE_OBJECTS;
}

static uncork_dtype scalar_dtype(const uc_pickle *v)
{
    switch ((int)v->kind) {
    case UC_PICKLE_BOOL: return UNCORK_BOOL;
    case UC_PICKLE_INT: return UNCORK_INT64;
    case UC_PICKLE_FLOAT: return UNCORK_FLOAT64;
    case UC_PICKLE_TEXT:
    case UC_PICKLE_BYTES: return UNCORK_STRING;
    case UC_PICKLE_ARRAY: return v->tensor->dtype;
    default: return UNCORK_DTYPE_NONE;
    }
}

/* The dtype that holds both, as NumPy promotes; NONE when texts meet numbers. */
static uncork_dtype promote(uncork_dtype a, uncork_dtype b)
{
    if (a == b || a == UNCORK_DTYPE_NONE) {
        return b;
    }
    if (a == UNCORK_STRING || b == UNCORK_STRING) {
        return UNCORK_DTYPE_NONE;
    }
    if (uc_dtype_is_lossless(b, a)) {
        return a;
    }
    if (uc_dtype_is_lossless(a, b)) {
        return b;
    }
    return uc_dtype_is_float(a) || uc_dtype_is_float(b) ? UNCORK_FLOAT64 : UNCORK_INT64;
}

static bool fail(survey *s, const uc_pickle *v, const char *why)
{
    uc_fail(s->error, UNCORK_MALFORMED, v->offset, "a list %s", why);
    return false;
}

/* The shape, following first elements: the others are held to it when they are visited. */
static bool survey_shape(survey *s, const uc_pickle *v)
{
    while (is_list(v) || v->kind == UC_PICKLE_ARRAY) {
        const bool has_shape = !is_list(v) || v->kind == UC_PICKLE_OBJECTS;
        const int rank = has_shape ? v->tensor->rank : 1;
        if (s->rank + rank > UNCORK_MAX_RANK) {
            return fail(s, v, "is nested too deep");
        }
        for (int i = 0; i < rank; i++) {
            s->shape[s->rank++] = has_shape ? v->tensor->shape[i] : (int64_t)v->count;
        }
        if (!is_list(v) || !v->count) {
            return true;
        }
        v = v->items[0];
    }
    return true;
}

/* Visits every element: dtype, sizes, agreement with the shape. `axis` bounds the recursion. */
static bool survey_elements(survey *s, const uc_pickle *v, int axis)
{
    const bool has_shape = v->kind == UC_PICKLE_ARRAY || v->kind == UC_PICKLE_OBJECTS;
    const int rank = has_shape ? v->tensor->rank : is_list(v) ? 1 : 0;
    if (axis + rank > s->rank || (!is_list(v) && axis + rank != s->rank)) {
        return fail(s, v, "is ragged");
    }
    for (int i = 0; i < rank; i++) {
        const int64_t size = has_shape ? v->tensor->shape[i] : (int64_t)v->count;
        if (size != s->shape[axis + i]) {
            return fail(s, v, "is ragged");
        }
    }
    if (is_list(v)) {
        for (size_t i = 0; i < v->count; i++) {
            if (!survey_elements(s, v->items[i], axis + rank)) {
                return false;
            }
        }
        return true;
    }
    const uncork_dtype dtype = scalar_dtype(v), both = promote(s->dtype, dtype);
    if (dtype == UNCORK_DTYPE_NONE || both == UNCORK_DTYPE_NONE) {
        return fail(s, v, "holds something other than numbers, or texts among numbers");
    }
    s->dtype = both;
    if (dtype == UNCORK_STRING) {
        s->is_bytes &=
            v->kind == UC_PICKLE_ARRAY ? v->tensor->strings.is_bytes : v->kind == UC_PICKLE_BYTES;
    }
    return true;
}

/* Where the elements go. */
typedef struct filler {
    uc_tensor *to; /* numbers */
    uc_str *texts; /* or texts */
    int64_t at;
} filler;

static bool fill(filler *f, const uc_pickle *v)
{
    if (is_list(v)) {
        for (size_t i = 0; i < v->count; i++) {
            if (!fill(f, v->items[i])) {
                return false;
            }
        }
        return true;
    }
    const int64_t n = v->kind == UC_PICKLE_ARRAY ? uc_tensor_count(v->tensor) : 1;
    if (f->texts) {
        for (int64_t i = 0; i < n; i++) {
            f->texts[f->at++] =
                v->kind == UC_PICKLE_ARRAY ? uc_tensor_string(v->tensor, i) : v->text;
        }
        return true;
    }
    const size_t size = uc_dtype_size(f->to->dtype);
    const void *from = &v->number;
    uncork_dtype dtype = scalar_dtype(v);
    if (v->kind == UC_PICKLE_ARRAY) {
        from = v->tensor->data;
    } else if (v->kind == UC_PICKLE_BOOL) {
        from = &v->boolean;
    } else if (v->kind == UC_PICKLE_INT) {
        from = &v->integer;
    }
    const bool good = n == 0 || uc_dtype_convert((char *)f->to->data + (size_t)f->at * size,
                                                 f->to->dtype, from, dtype, n);
    f->at += n;
    return good;
}

static const uc_tensor *from_list(const uc_pickle *v, uc_arena *arena, uncork_error *error)
{
    survey s = {.is_bytes = true, .error = error};
    size_t count = 0, visits = 1;
    if (!survey_shape(&s, v)) {
        return NULL;
    }
    bool fits = uc_shape_count(s.shape, s.rank, &count);
    for (int i = 0; fits && i < s.rank; i++) { /* an empty last axis is visited all the same */
        fits = uc_mul_size(visits, s.shape[i] ? (size_t)s.shape[i] : 1, &visits) &&
               visits <= UC_LIMIT_PICKLE_LIST;
    }
    if (!fits) {
        uc_fail(error, UNCORK_LIMIT, v->offset, "a list of more than %zu elements",
                UC_LIMIT_PICKLE_LIST);
        return NULL;
    }
    if (!survey_elements(&s, v, 0)) {
        return NULL;
    }
    if (s.dtype == UNCORK_DTYPE_NONE) {
        s.dtype = UNCORK_FLOAT64; /* numpy.asarray([]) */
    }
    filler f = {0};
    if (s.dtype == UNCORK_STRING) {
        f.texts = UC_NEW(arena, uc_str, count);
    } else {
        f.to = uc_tensor_new(arena, s.dtype, s.rank, s.shape);
    }
    if (!f.texts && !f.to) {
        uc_arena_status(arena, error);
        return NULL;
    }
    if (!fill(&f, v)) {
        fail(&s, v, "of complex numbers among others");
        return NULL;
    }
    if (f.texts) {
        f.to = uc_tensor_strings(arena, f.texts, s.rank, s.shape);
        if (f.to) {
            f.to->strings.is_bytes = s.is_bytes;
        } else {
            uc_arena_status(arena, error);
        }
    }
    return f.to;
}

const uc_tensor *uc_pickle_tensor(const uc_pickle *value, uc_arena *arena, uncork_error *error)
{
    if (value && value->kind == UC_PICKLE_ARRAY) {
        return value->tensor;
    }
    if (value && (is_list(value) || scalar_dtype(value) != UNCORK_DTYPE_NONE)) {
        return from_list(value, arena, error);
    }
    if (uc_sparse_is(value)) {
        return uc_sparse_dense(value, arena, error);
    }
    uc_fail(error, UNCORK_MALFORMED, value ? value->offset : UC_NO_OFFSET,
            "a %s is no array of numbers or texts", uc_pickle_type_name(value, arena));
    return NULL;
}
