/* Shape arithmetic that many operators share. */
#include "op/shape.h"

#include <inttypes.h>

bool uc_shape_is_sane(uncork_dtype dtype, int rank, const int64_t *shape)
{
    int64_t whole[UNCORK_MAX_RANK];
    size_t count = 0, bytes = 0;
    bool empty = false;
    if (rank < 0 || rank > UNCORK_MAX_RANK) return false;
    for (int d = 0; d < rank; d++) {
        empty = empty || shape[d] == 0;
        whole[d] = shape[d] == 0 ? 1 : shape[d];
    }
    if (!uc_shape_count(whole, rank, &count) || count > INT64_MAX) return false;
    if (empty) return count <= UC_EMPTY_ELEMENTS;
    return uc_shape_bytes(dtype, shape, rank, &bytes) && bytes <= INT64_MAX;
}

uncork_status uc_axis(uc_call *call, int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "axis %" PRId64 " is outside the %d dimensions of the input", axis,
                            rank);
    }
    *out = (int)(axis < 0 ? axis + rank : axis);
    return UNCORK_OK;
}

/* One dimension of two: 1 gives way; a number rules an unknown, which must be equal or 1 when run. */
static bool broadcast_dim(int64_t *to, int64_t d)
{
    if (*to == d || d == 1) return true;
    if (*to == 1) {
        *to = d;
        return true;
    }
    if (*to >= 0 && d >= 0) return false;
    if (*to < 0 && d < 0) {
        *to = UC_DIM_UNKNOWN; /* two symbols */
    } else if (*to < 0) {
        *to = d;
    }
    return true;
}

uncork_status uc_broadcast_inputs(uc_call *call, size_t first, size_t last, int *rank,
                                  int64_t shape[UNCORK_MAX_RANK])
{
    int out = 0;
    for (size_t i = first; i < last; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        if (!t) continue;
        if (t->rank < 0) {
            *rank = -1;
            return UNCORK_OK;
        }
        if (t->rank > out) out = t->rank;
    }
    *rank = out;
    for (int d = 0; d < out; d++) {
        shape[d] = 1;
    }
    for (size_t i = first; i < last; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        for (int d = 0; t && d < t->rank; d++) {
            if (broadcast_dim(&shape[out - t->rank + d], t->shape[d])) continue;
            char a[128], b[128];
            return uc_call_fail(call, UNCORK_INPUT, "shapes %.90s and %.90s don't broadcast",
                                uc_shape_text(shape, out, a, sizeof a),
                                uc_shape_text(t->shape, t->rank, b, sizeof b));
        }
    }
    return UNCORK_OK;
}

bool uc_call_known(const uc_call *call, size_t i)
{
    const uc_tensor *t = uc_call_in(call, i);
    return t && t->rank >= 0 && (t->data || t->strings.offsets);
}

uncork_status uc_call_small_ints(uc_call *call, size_t i, int64_t out[UNCORK_MAX_RANK],
                                 size_t *count)
{
    const uc_tensor *t = uc_call_in(call, i);
    *count = 0;
    UC_TRY(uc_call_expect(call, i, UC_TYPES_INDEX));
    if (t->rank > 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "input %zu has %d dimensions, 1 is wanted", i,
                            t->rank);
    }
    int64_t n = uc_tensor_count(t);
    if (n > UNCORK_MAX_RANK) {
        return uc_call_fail(call, UNCORK_LIMIT,
                            "input %zu lists %" PRId64 " dimensions, at most %d can be", i, n,
                            UNCORK_MAX_RANK);
    }
    for (int64_t k = 0; k < n; k++) {
        out[k] = uc_dtype_load_i64(t->data, k, t->dtype);
    }
    *count = (size_t)n;
    return UNCORK_OK;
}

uncork_status uc_call_one_int(uc_call *call, size_t i, int64_t *out)
{
    const uc_tensor *t = uc_call_in(call, i);
    UC_TRY(uc_call_expect(call, i, UC_TYPES_INDEX));
    if (uc_tensor_count(t) != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "input %zu has %" PRId64 " elements, 1 is wanted", i,
                            uc_tensor_count(t));
    }
    *out = uc_dtype_load_i64(t->data, 0, t->dtype);
    return UNCORK_OK;
}

/* ---- types -------------------------------------------------------------------------------- */

/* Numbers below a byte are stored and cast, never computed with, in ONNX as here. */
static bool is_in(uncork_dtype dtype, uc_types types)
{
    bool whole = uc_dtype_size(dtype) > 0;
    bool is_float = whole && uc_dtype_is_float(dtype), is_int = whole && uc_dtype_is_integer(dtype);
    switch (types) {
    case UC_TYPES_ALL: return true;
    case UC_TYPES_NUMERIC: return is_float || is_int;
    case UC_TYPES_FLOAT: return is_float;
    case UC_TYPES_INT: return is_int;
    case UC_TYPES_BOOL: return dtype == UNCORK_BOOL;
    case UC_TYPES_INDEX: return dtype == UNCORK_INT32 || dtype == UNCORK_INT64;
    case UC_TYPES_FIXED: return dtype != UNCORK_STRING;
    }
    return false;
}

uncork_dtype uc_call_dtype(const uc_call *call, size_t i)
{
    const uc_tensor *t = uc_call_in(call, i);
    return t ? t->dtype : UNCORK_DTYPE_NONE;
}

uncork_status uc_call_expect(uc_call *call, size_t i, uc_types types)
{
    static const char *const names[] = {"any type", "a number",       "a float",  "an integer",
                                        "bool",     "int32 or int64", "no string"};
    const uc_tensor *t = uc_call_in(call, i);
    if (!t || t->dtype == UNCORK_DTYPE_NONE || is_in(t->dtype, types)) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, %s is wanted", i,
                        uc_dtype_name(t->dtype), names[types]);
}

uncork_status uc_call_same_dtype(uc_call *call, size_t a, size_t b)
{
    uncork_dtype x = uc_call_dtype(call, a), y = uc_call_dtype(call, b);
    if (x == y || x == UNCORK_DTYPE_NONE || y == UNCORK_DTYPE_NONE) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "inputs %zu and %zu are %s and %s, one type is wanted",
                        a, b, uc_dtype_name(x), uc_dtype_name(y));
}

uncork_status uc_call_shape_like(uc_call *call, size_t out, size_t in, uncork_dtype dtype)
{
    const uc_tensor *t = uc_call_in(call, in);
    if (!t) return uc_call_shape(call, out, dtype, -1, NULL);
    return uc_call_shape(call, out, dtype, t->rank, t->shape);
}
