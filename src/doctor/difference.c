/* How far two tensors are apart, whichever way their axes lie. */
#include "doctor/match.h"

#include <math.h>

static bool same_shape(const uc_tensor *a, const uc_tensor *b)
{
    bool same = a->rank == b->rank;
    for (int i = 0; same && i < a->rank; i++) {
        same = a->shape[i] == b->shape[i];
    }
    return same;
}

/* The axes of length 1 left out. */
static uc_tensor squeezed(const uc_tensor *t)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < t->rank; i++) {
        if (t->shape[i] != 1) shape[rank++] = t->shape[i];
    }
    return uc_tensor_reshaped(t, rank, shape);
}

/* Axis 1 goes to the end, or the last to axis 1. */
static uc_tensor turned(const uc_tensor *t, bool to_last)
{
    uc_tensor y = *t;
    const int from = to_last ? 1 : t->rank - 1, to = to_last ? t->rank - 1 : 1;
    for (int i = from; i != to; i += to_last ? 1 : -1) {
        const int next = to_last ? i + 1 : i - 1;
        y.shape[i] = t->shape[next];
        y.stride[i] = t->stride[next];
    }
    y.shape[to] = t->shape[from];
    y.stride[to] = t->stride[from];
    return y;
}

/* a made to lie as b does; NULL where it can't. */
static const uc_tensor *as_other(const uc_tensor *a, const uc_tensor *b, uc_arena *arena,
                                 bool *was_turned)
{
    if (same_shape(a, b)) return a;
    for (int last = 0; a->rank == b->rank && a->rank >= 3 && last < 2; last++) {
        const uc_tensor t = turned(a, last);
        *was_turned = same_shape(&t, b);
        if (*was_turned) return uc_tensor_dense(arena, &t);
    }
    uc_tensor *flat = UC_NEW(arena, uc_tensor, 1);
    if (!flat) return NULL;
    *flat = squeezed(a);
    const uc_tensor other = squeezed(b);
    return same_shape(flat, &other) ? flat : NULL;
}

static bool is_number(uncork_dtype dtype)
{
    return dtype != UNCORK_STRING && dtype != UNCORK_COMPLEX64 && dtype != UNCORK_COMPLEX128;
}

static bool is_float(uncork_dtype dtype)
{
    return dtype == UNCORK_FLOAT32 || dtype == UNCORK_FLOAT64 || dtype == UNCORK_FLOAT16 ||
           dtype == UNCORK_BFLOAT16;
}

static double largest_of(const uc_tensor *t, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        const double v = fabs(uc_dtype_load_f64(t->data, i, t->dtype));
        if (isfinite(v)) most = fmax(most, v);
    }
    return most;
}

static void compare_texts(const uc_tensor *a, const uc_tensor *b, uc_difference *d)
{
    for (int64_t i = 0; i < d->count; i++) {
        const bool same = uc_str_equal(uc_tensor_string(a, i), uc_tensor_string(b, i));
        if (!same && !d->differing) d->at = i;
        d->differing += !same;
    }
    d->beyond = d->differing > 0;
    d->largest = d->share = d->beyond ? (double)INFINITY : 0;
}

/* The distance of one element; infinite when one of the two is no number. */
static double distance(double x, double y)
{
    if (isnan(x) && isnan(y)) return 0;
    if (isnan(x) || isnan(y)) return (double)INFINITY;
    if (isinf(x) || isinf(y)) return x < y || x > y ? (double)INFINITY : 0;
    return fabs(x - y);
}

static void compare_numbers(const uc_tensor *a, const uc_tensor *b, uc_difference *d)
{
    const double most = largest_of(b, d->count);
    const bool floats = is_float(a->dtype) || is_float(b->dtype);
    for (int64_t i = 0; i < d->count; i++) {
        const double x = uc_dtype_load_f64(a->data, i, a->dtype);
        const double y = uc_dtype_load_f64(b->data, i, b->dtype);
        const double away = distance(x, y);
        const double bound = floats && isfinite(y) ? 1e-4 * fabs(y) + 1e-5 * most : 0;
        d->differing += away > bound;
        if (away > d->largest || i == 0) {
            d->largest = away;
            d->at = i;
            d->a = x;
            d->b = y;
        }
    }
    d->beyond = d->differing > 0;
    d->share = most > 0 ? d->largest / most : d->largest;
}

static uncork_status measure(const uc_tensor *a, const uc_tensor *b, uc_arena *scratch,
                             uc_difference *d, uncork_error *error)
{
    a = uc_tensor_dense(scratch, a);
    b = uc_tensor_dense(scratch, b);
    if (!a || !b) return uc_fail_memory(error);
    a = as_other(a, b, scratch, &d->turned);
    UC_TRY(uc_arena_status(scratch, error));
    if (!a) return UNCORK_OK;
    d->comparable = true;
    d->count = uc_tensor_count(b);
    if (b->dtype == UNCORK_STRING) {
        compare_texts(a, b, d);
    } else {
        compare_numbers(a, b, d);
    }
    return UNCORK_OK;
}

uncork_status uc_difference_of(const uc_tensor *a, const uc_tensor *b, uc_difference *difference,
                               uncork_error *error)
{
    *difference = (uc_difference){0};
    const bool texts = a->dtype == UNCORK_STRING && b->dtype == UNCORK_STRING;
    if (!texts && (!is_number(a->dtype) || !is_number(b->dtype))) return UNCORK_OK;
    uc_arena *scratch = uc_arena_new(NULL);
    if (!scratch) return uc_fail_memory(error);
    const uncork_status status = measure(a, b, scratch, difference, error);
    uc_arena_free(scratch);
    return status;
}
