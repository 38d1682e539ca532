/* Tensors: shapes, strides, dense copies. */
#include "base/tensor.h"

#include <inttypes.h>
#include <stdio.h>

int64_t uc_tensor_count(const uc_tensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++) {
        n *= t->shape[i];
    }
    return n;
}

bool uc_shape_count(const int64_t *shape, int rank, size_t *count)
{
    size_t n = 1;
    bool zero = false;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0) return false;
        if (shape[i] == 0) {
            zero = true; /* the others are multiplied all the same: strides must fit */
        } else if (!uc_mul_size(n, (size_t)shape[i], &n) || n > INT64_MAX) {
            return false;
        }
    }
    *count = zero ? 0 : n;
    return true;
}

bool uc_shape_bytes(uncork_dtype dtype, const int64_t *shape, int rank, size_t *bytes)
{
    size_t n;
    if (!uc_shape_count(shape, rank, &n)) return false;
    if (!uc_mul_size(n, (size_t)uc_dtype_bits(dtype), &n) || !uc_add_size(n, 7, &n)) return false;
    *bytes = n / 8;
    return true;
}

void uc_tensor_set(uc_tensor *t, uncork_dtype dtype, int rank, const int64_t *shape)
{
    t->dtype = dtype;
    t->rank = rank;
    int64_t stride = 1;
    for (int i = rank - 1; i >= 0; i--) {
        t->shape[i] = shape[i];
        t->stride[i] = stride;
        stride *= shape[i] > 0 ? shape[i] : 1;
    }
}

uc_tensor *uc_tensor_new(uc_arena *arena, uncork_dtype dtype, int rank, const int64_t *shape)
{
    size_t count, bytes;
    if (rank < 0 || rank > UNCORK_MAX_RANK || !uc_shape_count(shape, rank, &count)) return NULL;
    if (!uc_shape_bytes(dtype, shape, rank, &bytes)) return NULL;
    uc_tensor *t = UC_NEW(arena, uc_tensor, 1);
    if (!t) return NULL;
    uc_tensor_set(t, dtype, rank, shape);
    if (dtype == UNCORK_STRING) {
        size_t offsets;
        if (!uc_add_size(count, 1, &offsets)) return NULL;
        t->strings = (uc_strings){.offsets = UC_NEW(arena, uint64_t, offsets), .bytes = ""};
        return t->strings.offsets ? t : NULL;
    }
    t->data = uc_arena_alloc(arena, bytes, 1);
    return t->data ? t : NULL;
}

uc_tensor *uc_tensor_new_raw(uc_arena *arena, uncork_dtype dtype, int rank, const int64_t *shape)
{
    size_t bytes;
    if (dtype == UNCORK_STRING || rank < 0 || rank > UNCORK_MAX_RANK) return NULL;
    if (!uc_shape_bytes(dtype, shape, rank, &bytes)) return NULL;
    uc_tensor *t = UC_NEW(arena, uc_tensor, 1);
    if (!t) return NULL;
    uc_tensor_set(t, dtype, rank, shape);
    t->data = uc_arena_alloc_raw(arena, bytes ? bytes : 1);
    return t->data ? t : NULL;
}

uc_tensor *uc_tensor_f64(uc_arena *arena, const double *data, int64_t n)
{
    uc_tensor *t = uc_tensor_new(arena, UNCORK_FLOAT64, 1, &n);
    if (t && n) memcpy(t->data, data, (size_t)n * sizeof *data);
    return t;
}

uc_tensor *uc_tensor_i64(uc_arena *arena, const int64_t *data, int64_t n)
{
    uc_tensor *t = uc_tensor_new(arena, UNCORK_INT64, 1, &n);
    if (t && n) memcpy(t->data, data, (size_t)n * sizeof *data);
    return t;
}

uc_tensor *uc_tensor_strings(uc_arena *arena, const uc_str *items, int rank, const int64_t *shape)
{
    size_t count, total = 0, offsets_count;
    if (rank < 0 || rank > UNCORK_MAX_RANK || !uc_shape_count(shape, rank, &count)) return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!uc_add_size(total, items[i].size, &total)) return NULL;
    }
    uc_tensor *t = UC_NEW(arena, uc_tensor, 1);
    if (!t || !uc_add_size(count, 1, &offsets_count)) return NULL;
    uint64_t *offsets = UC_NEW(arena, uint64_t, offsets_count);
    char *bytes = uc_arena_alloc(arena, total, 1);
    if (!offsets || !bytes) return NULL;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].size) memcpy(bytes + at, items[i].data, items[i].size);
        at += items[i].size;
        offsets[i + 1] = at;
    }
    uc_tensor_set(t, UNCORK_STRING, rank, shape);
    t->strings = (uc_strings){.offsets = offsets, .bytes = bytes};
    return t;
}

/* Axes of one element say nothing; runs of axes of x that make up runs of y's must follow each other. */
bool uc_tensor_reshape_strided(const uc_tensor *x, uc_tensor *y)
{
    int64_t shape[UNCORK_MAX_RANK], stride[UNCORK_MAX_RANK];
    int n = 0, at = 0;
    for (int d = 0; d < x->rank; d++) {
        if (x->shape[d] == 1) continue;
        shape[n] = x->shape[d];
        stride[n++] = x->stride[d];
    }
    for (int d = 0; d < y->rank;) {
        if (y->shape[d] == 1) {
            y->stride[d++] = 1;
            continue;
        }
        if (at >= n) return false;
        const int first = d;
        int64_t have = shape[at++], want = y->shape[d++];
        while (have != want) {
            if (have < want) {
                if (at >= n || stride[at - 1] != shape[at] * stride[at]) return false;
                have *= shape[at++];
            } else {
                if (d >= y->rank) return false;
                want *= y->shape[d++];
            }
        }
        int64_t step = stride[at - 1];
        for (int e = d - 1; e >= first; e--) {
            y->stride[e] = step;
            step *= y->shape[e];
        }
    }
    return at == n;
}

bool uc_tensor_is_dense(const uc_tensor *t)
{
    int64_t stride = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        if (t->shape[i] != 1 && t->stride[i] != stride) return false;
        stride *= t->shape[i] > 0 ? t->shape[i] : 1;
    }
    return true;
}

/* Without dimensions of 1. */
static uc_tensor squeezed(const uc_tensor *t)
{
    uc_tensor out = {.dtype = t->dtype};
    for (int d = 0; d < t->rank; d++) {
        if (t->shape[d] == 1) continue;
        out.shape[out.rank] = t->shape[d];
        out.stride[out.rank++] = t->stride[d];
    }
    return out;
}

/* Elements of 4 bytes whose last two dimensions [a, b] lie as [b, a]: tiles, so that lines that are read
 * in one column are still there for the next. */
static void copy_turned(uint8_t *to, const uint8_t *from, int64_t a, int64_t b, int64_t to_step,
                        int64_t from_step)
{
    enum { TILE = 16 };
    for (int64_t at = 0; at < a; at += TILE) {
        int64_t end = at + TILE < a ? at + TILE : a;
        for (int64_t j = 0; j < b; j++) {
            for (int64_t i = at; i < end; i++) {
                memcpy(to + 4 * (i * to_step + j), from + 4 * (j * from_step + i), 4);
            }
        }
    }
}

/* One row of elements of `size` bytes, `stride` elements apart. */
static void copy_row(uint8_t *to, const uint8_t *from, int64_t n, int64_t stride, size_t size)
{
    if (stride == 1) {
        memcpy(to, from, (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        memcpy(to + i * (int64_t)size, from + i * stride * (int64_t)size, size);
    }
}

/* Gathers strided elements of `size` bytes in C order. */
static void copy_strided(uint8_t *to, const uint8_t *from, const uc_tensor *strided, size_t size)
{
    const uc_tensor t = squeezed(strided);
    int64_t index[UNCORK_MAX_RANK] = {0}, n = uc_tensor_count(strided), at = 0;
    const int last = t.rank - 1; /* one element alone is dense */
    const bool turned = last > 0 && size == 4 && t.stride[last - 1] == 1;
    const int64_t row = t.shape[last], rows = turned ? t.shape[last - 1] : 1;
    for (int64_t i = 0; i < n; i += rows * row) {
        const uint8_t *source = from + at * (int64_t)size;
        if (turned) {
            copy_turned(to + 4 * i, source, rows, row, row, t.stride[last]);
        } else {
            copy_row(to + (size_t)i * size, source, row, t.stride[last], size);
        }
        for (int d = turned ? last - 2 : last - 1; d >= 0; d--) {
            at += t.stride[d];
            if (++index[d] < t.shape[d]) break;
            at -= t.stride[d] * t.shape[d];
            index[d] = 0;
        }
    }
}

const uc_tensor *uc_tensor_dense(uc_arena *arena, const uc_tensor *t)
{
    if (uc_tensor_is_dense(t)) return t;
    size_t size = uc_dtype_size(t->dtype);
    if (t->dtype == UNCORK_STRING) {
        int64_t n = uc_tensor_count(t), index[UNCORK_MAX_RANK] = {0}, at = 0;
        uc_str *items = UC_NEW(arena, uc_str, (size_t)n);
        if (!items) return NULL;
        for (int64_t i = 0; i < n; i++) {
            items[i] = uc_tensor_string(t, at);
            for (int d = t->rank - 1; d >= 0; d--) {
                at += t->stride[d];
                if (++index[d] < t->shape[d]) break;
                at -= t->stride[d] * t->shape[d];
                index[d] = 0;
            }
        }
        return uc_tensor_strings(arena, items, t->rank, t->shape);
    }
    if (!size) return NULL;
    uc_tensor *copy = uc_tensor_new_raw(arena, t->dtype, t->rank, t->shape);
    if (copy) copy_strided(copy->data, t->data, t, size);
    return copy;
}

uc_tensor *uc_tensor_cast(uc_arena *arena, const uc_tensor *t, uncork_dtype dtype)
{
    const uc_tensor *dense = uc_tensor_dense(arena, t);
    if (!dense || dense->dtype == UNCORK_STRING || dtype == UNCORK_STRING) return NULL;
    uc_tensor *copy = uc_tensor_new(arena, dtype, t->rank, t->shape);
    if (!copy) return NULL;
    bool ok =
        uc_dtype_convert(copy->data, dtype, dense->data, dense->dtype, uc_tensor_count(dense));
    return ok ? copy : NULL;
}

uc_tensor uc_tensor_reshaped(const uc_tensor *t, int rank, const int64_t *shape)
{
    uc_tensor view = *t;
    uc_tensor_set(&view, t->dtype, rank, shape);
    return view;
}

uc_tensor uc_tensor_transposed(const uc_tensor *t)
{
    uc_tensor view = *t;
    for (int i = 0; i < t->rank; i++) {
        view.shape[i] = t->shape[t->rank - 1 - i];
        view.stride[i] = t->stride[t->rank - 1 - i];
    }
    return view;
}

uc_str uc_tensor_string(const uc_tensor *t, int64_t i)
{
    uint64_t begin = t->strings.offsets[i], end = t->strings.offsets[i + 1];
    return (uc_str){.data = t->strings.bytes + begin, .size = (size_t)(end - begin)};
}

const char *uc_shape_text(const int64_t *shape, int rank, char *text, size_t size)
{
    size_t at = 0;
    int n = snprintf(text, size, "[");
    for (int i = 0; i < rank && n >= 0 && at + (size_t)n < size; i++) {
        at += (size_t)n;
        const char *comma = i ? ", " : "";
        n = shape[i] < 0 ? snprintf(text + at, size - at, "%s?", comma)
                         : snprintf(text + at, size - at, "%s%" PRId64, comma, shape[i]);
    }
    if (n >= 0 && at + (size_t)n < size)
        snprintf(text + at + (size_t)n, size - at - (size_t)n, "]");
    return text;
}
