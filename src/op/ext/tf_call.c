/* What the operators uncork.Tf... share. */
#include "op/ext/tf_call.h"

#include <inttypes.h>

/* ---- infer ----------------------------------------------------------------------------------- */

uncork_status uc_tf_infer_open(uc_call *call, size_t i, uncork_dtype dtype, int rank)
{
    int64_t shape[UNCORK_MAX_RANK];
    if (rank > UNCORK_MAX_RANK) rank = -1;
    for (int d = 0; d < rank; d++) {
        shape[d] = UC_DIM_UNKNOWN;
    }
    return uc_call_shape(call, i, dtype, rank, shape);
}

uncork_status uc_tf_infer_same(uc_call *call)
{
    return uc_call_shape_like(call, 0, 0, uc_call_dtype(call, 0));
}

uncork_status uc_tf_infer_shape_of(uc_call *call, uncork_dtype dtype)
{
    return uc_call_shape_like(call, 0, 0, dtype);
}

uncork_status uc_tf_infer_broadcast(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    for (size_t i = 0; i < call->in_count; i++) {
        UC_TRY(uc_call_expect(call, i, UC_TYPES_NUMERIC));
        UC_TRY(uc_call_same_dtype(call, 0, i));
    }
    UC_TRY(uc_broadcast_inputs(call, 0, call->in_count, &rank, shape));
    return uc_call_shape(call, 0, uc_call_dtype(call, 0), rank, shape);
}

/* ---- attributes and inputs ------------------------------------------------------------------- */

uncork_dtype uc_tf_type_of(const uc_call *call, const char *name, uncork_dtype otherwise)
{
    const int64_t v = uc_call_int(call, name, 0);
    return v > 0 && v <= UNCORK_FLOAT6E3M2 ? (uncork_dtype)v : otherwise;
}

bool uc_tf_attr_is(const uc_call *call, const char *name, const char *value)
{
    return uc_str_is(uc_call_str(call, name, ""), value);
}

uncork_status uc_tf_picture_size(uc_call *call, size_t i, int64_t size[2], bool *known)
{
    int64_t v[UNCORK_MAX_RANK];
    size_t n = 0;
    size[0] = size[1] = UC_DIM_UNKNOWN;
    *known = uc_call_known(call, i);
    if (!*known) return UNCORK_OK;
    UC_TRY(uc_call_small_ints(call, i, v, &n));
    if (n != 2 || v[0] < 1 || v[1] < 1 || v[0] > INT32_MAX || v[1] > INT32_MAX)
        return uc_call_fail(call, UNCORK_INPUT, "its size isn't two numbers above 0");
    size[0] = v[0];
    size[1] = v[1];
    return UNCORK_OK;
}

uncork_status uc_tf_want(uc_call *call, size_t i, uncork_dtype dtype, int rank)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t) return uc_call_fail(call, UNCORK_INPUT, "input %zu is missing", i);
    if (rank >= 0 && t->rank != rank) {
        return uc_call_fail(call, UNCORK_INPUT, "input %zu has %d dimensions, not %d", i, t->rank,
                            rank);
    }
    if (dtype && t->dtype != dtype) {
        return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, not %s", i,
                            uc_dtype_name(t->dtype), uc_dtype_name(dtype));
    }
    if (!dtype && t->dtype == UNCORK_STRING) {
        return uc_call_fail(call, UNCORK_INPUT, "input %zu is text, not numbers", i);
    }
    return UNCORK_OK;
}

int64_t *uc_tf_ints_of(uc_call *call, const uc_tensor *t)
{
    const int64_t n = uc_tensor_count(t);
    int64_t *v = uc_call_scratch(call, (size_t)n + 1, sizeof *v);
    for (int64_t i = 0; v && i < n; i++) {
        v[i] = uc_tf_int_at(t, i);
    }
    return v;
}

uncork_status uc_tf_one_int(uc_call *call, size_t i, int64_t *v)
{
    UC_TRY(uc_tf_want(call, i, UNCORK_DTYPE_NONE, -1));
    const uc_tensor *t = uc_call_arg(call, i);
    if (uc_tensor_count(t) != 1)
        return uc_call_fail(call, UNCORK_INPUT, "input %zu isn't one number", i);
    *v = uc_tf_int_at(t, 0);
    return UNCORK_OK;
}

uncork_status uc_tf_one_float(uc_call *call, size_t i, double *v)
{
    UC_TRY(uc_tf_want(call, i, UNCORK_DTYPE_NONE, -1));
    const uc_tensor *t = uc_call_arg(call, i);
    if (uc_tensor_count(t) != 1)
        return uc_call_fail(call, UNCORK_INPUT, "input %zu isn't one number", i);
    *v = uc_tf_at(t, 0);
    return UNCORK_OK;
}

/* ---- elements -------------------------------------------------------------------------------- */

void uc_tf_put(void *data, int64_t i, uncork_dtype dtype, double v)
{
    const size_t size = uc_dtype_size(dtype);
    switch ((int)dtype) {
    case UNCORK_FLOAT64: ((double *)data)[i] = v; return;
    case UNCORK_FLOAT32: ((float *)data)[i] = (float)v; return;
    default: (void)uc_dtype_convert((char *)data + (size_t)i * size, dtype, &v, UNCORK_FLOAT64, 1);
    }
}

void uc_tf_put_int(void *data, int64_t i, uncork_dtype dtype, int64_t v)
{
    switch (uc_dtype_is_float(dtype) ? 0 : uc_dtype_size(dtype)) {
    case 1: ((uint8_t *)data)[i] = dtype == UNCORK_BOOL ? v != 0 : (uint8_t)v; return;
    case 2: ((uint16_t *)data)[i] = (uint16_t)v; return;
    case 4: ((uint32_t *)data)[i] = (uint32_t)v; return;
    case 8: ((uint64_t *)data)[i] = (uint64_t)v; return;
    default: uc_tf_put(data, i, dtype, (double)v);
    }
}

int64_t uc_tf_source(const uc_tensor *t, int rank, const int64_t *shape, int64_t i)
{
    int64_t at = 0, stride = 1;
    for (int d = rank - 1; d >= 0; d--) {
        const int own = d - (rank - t->rank);
        const int64_t index = i % shape[d];
        i /= shape[d];
        if (own < 0) break;
        if (t->shape[own] != 1) at += index * stride;
        stride *= t->shape[own];
    }
    return at;
}

int64_t uc_tf_product(const int64_t *shape, int begin, int end)
{
    int64_t n = 1;
    for (int d = begin; d < end; d++) {
        n *= shape[d];
    }
    return n;
}

/* ---- growing lists --------------------------------------------------------------------------- */

static void *grow(uc_call *call, void *items, size_t *capacity, size_t need, size_t size,
                  bool *failed)
{
    if (*failed || need <= *capacity) return items;
    void *more = uc_arena_grow(call->arena, items, capacity, need, size);
    *failed = !more;
    return more ? more : items;
}

void uc_tf_texts_borrow(uc_tf_texts *t, uc_str s)
{
    t->items = grow(t->call, t->items, &t->capacity, t->count + 1, sizeof *t->items, &t->failed);
    if (!t->failed) t->items[t->count++] = s;
}

void uc_tf_texts_add(uc_tf_texts *t, const char *data, size_t size)
{
    const char *copy = uc_arena_copy(t->call->arena, data, size);
    t->failed = t->failed || !copy;
    uc_tf_texts_borrow(t, (uc_str){copy, size});
}

uncork_status uc_tf_texts_give(uc_tf_texts *t, size_t output, int rank, const int64_t *shape)
{
    if (t->failed) return uc_arena_status(t->call->arena, t->call->error);
    if (!uc_call_wants(t->call, output)) return UNCORK_OK;
    return uc_call_strings(t->call, output, t->items, rank, shape);
}

void uc_tf_numbers_add(uc_tf_numbers *t, int64_t v)
{
    t->items = grow(t->call, t->items, &t->capacity, t->count + 1, sizeof *t->items, &t->failed);
    if (!t->failed) t->items[t->count++] = v;
}

uncork_status uc_tf_numbers_give(uc_tf_numbers *t, size_t output, uncork_dtype dtype, int rank,
                                 const int64_t *shape)
{
    uc_tensor *y = NULL;
    if (t->failed) return uc_arena_status(t->call->arena, t->call->error);
    if (!uc_call_wants(t->call, output)) return UNCORK_OK;
    UC_TRY(uc_call_output(t->call, output, dtype, rank, shape, &y));
    const int64_t room = uc_tensor_count(y);
    for (int64_t i = 0; i < room && (size_t)i < t->count; i++) {
        uc_tf_put_int(y->data, i, dtype, t->items[i]);
    }
    return UNCORK_OK;
}
