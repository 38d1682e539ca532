/* Tensors of a pickle: calls of torch._utils._rebuild_*, which aren't made, over storages, which are views
 * of the file. Source: torch 2.15, torch/_utils.py, torch/_tensor.py (__reduce_ex__), torch/storage.py. */
#include "import/pytorch/torch.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_WRAPPERS = 8 };

/* ---- types ------------------------------------------------------------------------------------- */

typedef struct dtype_name {
    const char *name;
    uncork_dtype dtype;
} dtype_name;

static uncork_dtype find_dtype(const dtype_name *rows, size_t count, uc_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (uc_str_is(name, rows[i].name)) return rows[i].dtype;
    }
    return UNCORK_DTYPE_NONE;
}

uncork_dtype uc_t_dtype_of(uc_str name)
{
    static const dtype_name rows[] = {
        {"float32", UNCORK_FLOAT32},
        {"float", UNCORK_FLOAT32},
        {"float64", UNCORK_FLOAT64},
        {"double", UNCORK_FLOAT64},
        {"float16", UNCORK_FLOAT16},
        {"half", UNCORK_FLOAT16},
        {"bfloat16", UNCORK_BFLOAT16},
        {"int64", UNCORK_INT64},
        {"long", UNCORK_INT64},
        {"int32", UNCORK_INT32},
        {"int", UNCORK_INT32},
        {"int16", UNCORK_INT16},
        {"short", UNCORK_INT16},
        {"int8", UNCORK_INT8},
        {"uint8", UNCORK_UINT8},
        {"uint16", UNCORK_UINT16},
        {"uint32", UNCORK_UINT32},
        {"uint64", UNCORK_UINT64},
        {"bool", UNCORK_BOOL},
        {"complex64", UNCORK_COMPLEX64},
        {"cfloat", UNCORK_COMPLEX64},
        {"complex128", UNCORK_COMPLEX128},
        {"cdouble", UNCORK_COMPLEX128},
        {"float8_e4m3fn", UNCORK_FLOAT8E4M3FN},
        {"float8_e4m3fnuz", UNCORK_FLOAT8E4M3FNUZ},
        {"float8_e5m2", UNCORK_FLOAT8E5M2},
        {"float8_e5m2fnuz", UNCORK_FLOAT8E5M2FNUZ},
        {"float8_e8m0fnu", UNCORK_FLOAT8E8M0},
        {"qint8", UNCORK_INT8},
        {"quint8", UNCORK_UINT8},
        {"qint32", UNCORK_INT32},
    };
    return find_dtype(rows, sizeof rows / sizeof rows[0], name);
}

uncork_dtype uc_t_storage_dtype(uc_str class_name)
{
    static const dtype_name rows[] = {
        {"FloatStorage", UNCORK_FLOAT32},
        {"DoubleStorage", UNCORK_FLOAT64},
        {"HalfStorage", UNCORK_FLOAT16},
        {"BFloat16Storage", UNCORK_BFLOAT16},
        {"LongStorage", UNCORK_INT64},
        {"IntStorage", UNCORK_INT32},
        {"ShortStorage", UNCORK_INT16},
        {"CharStorage", UNCORK_INT8},
        {"ByteStorage", UNCORK_UINT8},
        {"BoolStorage", UNCORK_BOOL},
        {"ComplexFloatStorage", UNCORK_COMPLEX64},
        {"ComplexDoubleStorage", UNCORK_COMPLEX128},
        {"QInt8Storage", UNCORK_INT8},
        {"QUInt8Storage", UNCORK_UINT8},
        {"QInt32Storage", UNCORK_INT32},
        {"UntypedStorage", UNCORK_UINT8},
        {"_UntypedStorage", UNCORK_UINT8},
    };
    return find_dtype(rows, sizeof rows / sizeof rows[0], class_name);
}

size_t uc_t_ints(const uc_pickle *value, int64_t *out, size_t most)
{
    if (value && value->kind == UC_PICKLE_OBJECT && uc_str_is(value->module, "torch") &&
        uc_str_is(value->text, "Size") && value->args)
        value = uc_pickle_item(value->args, 0);
    if (!value || (value->kind != UC_PICKLE_TUPLE && value->kind != UC_PICKLE_LIST) ||
        value->count > most)
        return SIZE_MAX;
    for (size_t i = 0; i < value->count; i++) {
        if (!uc_pickle_i64(value->items[i], &out[i])) return SIZE_MAX;
    }
    return value->count;
}

/* ---- storages ---------------------------------------------------------------------------------- */

/* A storage as a tensor sees it. */
typedef struct storage {
    uc_bytes bytes;
    uncork_dtype dtype;
    bool untyped; /* counted in bytes: the tensor says its type */
    bool none;    /* on "meta": no bytes at all */
} storage;

typedef struct build {
    const uc_t_store *store;
    uc_arena *arena;
    uncork_error *error;
    const uc_pickle *value; /* for offsets */
    int depth;
} build;

#define FAIL(b, ...) uc_fail((b)->error, UNCORK_MALFORMED, (b)->value->offset, __VA_ARGS__)

static uncork_status refuse(build *b, const char *what)
{
    return uc_fail(b->error, UNCORK_UNSUPPORTED, b->value->offset, "%s", what);
}

static uc_str text_of(const uc_pickle *p)
{
    const bool is = p && (p->kind == UC_PICKLE_TEXT || p->kind == UC_PICKLE_BYTES);
    return is ? p->text : (uc_str){NULL, 0};
}

/* Keys are text, or numbers in the oldest files. */
static uncork_status find_bytes(build *b, const uc_pickle *key, uc_bytes *bytes)
{
    char number[24], name[600];
    uc_str text = text_of(key);
    if (key && key->kind == UC_PICKLE_INT) {
        (void)snprintf(number, sizeof number, "%" PRId64, key->integer);
        text = uc_str_of(number);
    }
    if (!text.size || text.size > 256 || memchr(text.data, 0, text.size))
        return FAIL(b, "a storage without a key");
    const uc_bytes *found = b->store->by_key ? uc_table_find(b->store->by_key, text) : NULL;
    if (found) {
        *bytes = *found;
        return UNCORK_OK;
    }
    (void)snprintf(name, sizeof name, "%s%.*s", b->store->folder ? b->store->folder : "",
                   (int)text.size, text.data);
    if (b->store->bundle && uc_bundle_view(b->store->bundle, name, bytes)) return UNCORK_OK;
    return FAIL(b, "the storage '%.*s' isn't in the file", (int)text.size, text.data);
}

/* The last part of "torch.cuda.FloatStorage" tells the type. */
static uncork_status read_storage(build *b, const uc_pickle *value, storage *s)
{
    *s = (storage){{NULL, 0}, UNCORK_DTYPE_NONE, false, false};
    const uc_pickle *id = value;
    if (id && id->kind == UC_PICKLE_PERSISTENT) id = uc_pickle_item(id, 0);
    const uc_pickle *type = uc_pickle_item(id, 1), *location = uc_pickle_item(id, 3);
    int64_t count = -1, view[2];
    if (!id || id->kind != UC_PICKLE_TUPLE || id->count < 5 ||
        !uc_pickle_is_text(id->items[0], "storage") || type->kind != UC_PICKLE_SYMBOL)
        return FAIL(b, "a tensor over something that is no storage");
    s->dtype = uc_t_storage_dtype(type->text);
    s->untyped =
        uc_str_is(type->text, "UntypedStorage") || uc_str_is(type->text, "_UntypedStorage");
    if (!s->dtype) {
        return uc_fail(b->error, UNCORK_UNSUPPORTED, b->value->offset, "a storage of type %.*s",
                       (int)type->text.size, type->text.data);
    }
    size_t need;
    if (!uc_pickle_i64(id->items[4], &count) || count < 0 ||
        !uc_mul_size((size_t)count, uc_dtype_size(s->dtype), &need))
        return FAIL(b, "a storage of %" PRId64 " elements", count);
    if (uc_pickle_is_text(location, "meta")) {
        s->none = true;
        return UNCORK_OK;
    }
    UC_TRY(find_bytes(b, id->items[2], &s->bytes));
    const uc_pickle *part = id->count > 5 ? id->items[5] : NULL; /* (key, offset, size) */
    if (part && part->kind == UC_PICKLE_TUPLE) {
        const size_t size = uc_dtype_size(s->dtype), all = s->bytes.size / size;
        if (part->count != 3 || !uc_pickle_i64(part->items[1], &view[0]) ||
            !uc_pickle_i64(part->items[2], &view[1]) || view[0] < 0 || view[1] < 0 ||
            (uint64_t)view[0] > all || (uint64_t)view[1] > all - (size_t)view[0])
            return FAIL(b, "a storage's view reaches beyond it");
        s->bytes = (uc_bytes){s->bytes.data + (size_t)view[0] * size, (size_t)view[1] * size};
        return UNCORK_OK;
    }
    if (need != s->bytes.size) {
        const uc_str key = text_of(id->items[2]);
        return FAIL(b, "the storage '%.*s' should have %zu bytes, %zu are there",
                    (int)(key.size < 60 ? key.size : 60), key.data, need, s->bytes.size);
    }
    return UNCORK_OK;
}

/* ---- views ------------------------------------------------------------------------------------- */

typedef struct view {
    int64_t offset, size[UNCORK_MAX_RANK], stride[UNCORK_MAX_RANK];
    int rank;
} view;

static uncork_status read_view(build *b, const uc_pickle *offset, const uc_pickle *size,
                               const uc_pickle *stride, view *v)
{
    const size_t rank = uc_t_ints(size, v->size, UNCORK_MAX_RANK);
    if (!uc_pickle_i64(offset, &v->offset) || v->offset < 0 || rank == SIZE_MAX ||
        uc_t_ints(stride, v->stride, UNCORK_MAX_RANK) != rank) {
        if (rank == SIZE_MAX && size && size->count > UNCORK_MAX_RANK)
            return refuse(b, "a tensor of more than 8 dimensions");
        return FAIL(b, "a tensor whose offset, size and strides don't fit each other");
    }
    v->rank = (int)rank;
    for (int i = 0; i < v->rank; i++) {
        if (v->size[i] < 0 || v->stride[i] < 0)
            return FAIL(b, "a tensor of size %" PRId64 " with stride %" PRId64, v->size[i],
                        v->stride[i]);
    }
    return UNCORK_OK;
}

/* Whether every element lies among `count`. */
static bool view_fits(const view *v, size_t count)
{
    uint64_t last = (uint64_t)v->offset;
    for (int i = 0; i < v->rank; i++) {
        uint64_t reach;
        if (v->size[i] == 0) return true;
        if (__builtin_mul_overflow((uint64_t)(v->size[i] - 1), (uint64_t)v->stride[i], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return false;
    }
    return last < count;
}

static void swap_bytes(uint8_t *to, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        const uint8_t kept = to[i];
        to[i] = to[size - 1 - i];
        to[size - 1 - i] = kept;
    }
}

/* A dense copy of what may be anywhere and in the other byte order. */
static uncork_status copy_view(build *b, const uint8_t *from, const view *v, bool swap,
                               uc_tensor *t)
{
    const size_t size = uc_dtype_size(t->dtype);
    const bool is_complex = t->dtype == UNCORK_COMPLEX64 || t->dtype == UNCORK_COMPLEX128;
    const size_t word = is_complex ? size / 2 : size;
    uc_tensor *made = uc_tensor_new(b->arena, t->dtype, v->rank, v->size);
    if (!made) return uc_arena_status(b->arena, b->error);
    const int64_t n = uc_tensor_count(made);
    uint8_t *to = made->data;
    if (!swap && uc_tensor_is_dense(t)) {
        if (n) memcpy(to, from, (size_t)n * size);
        *t = *made;
        return UNCORK_OK;
    }
    int64_t index[UNCORK_MAX_RANK] = {0}, at = 0;
    for (int64_t i = 0; i < n; i++, to += size) {
        memcpy(to, from + (size_t)at * size, size);
        for (size_t w = 0; swap && w < size; w += word) {
            swap_bytes(to + w, word);
        }
        for (int d = v->rank - 1; d >= 0; d--) {
            at += v->stride[d];
            if (++index[d] < v->size[d]) break;
            at -= v->stride[d] * v->size[d];
            index[d] = 0;
        }
    }
    *t = *made;
    return UNCORK_OK;
}

/* The bits of lazily conjugated and negated tensors, carried out. */
static uncork_status apply_bits(build *b, const uc_pickle *bits, uc_tensor **t)
{
    bool conj = false, neg = false;
    const uc_pickle *c = uc_pickle_get(bits, "conj"), *n = uc_pickle_get(bits, "neg");
    if (c && c->kind == UC_PICKLE_BOOL) conj = c->boolean;
    if (n && n->kind == UC_PICKLE_BOOL) neg = n->boolean;
    if ((!conj && !neg) || !(*t)->data) return UNCORK_OK;
    const bool is_double = (*t)->dtype == UNCORK_COMPLEX128 || (*t)->dtype == UNCORK_FLOAT64;
    const bool is_complex = (*t)->dtype == UNCORK_COMPLEX64 || (*t)->dtype == UNCORK_COMPLEX128;
    if (!is_complex && !is_double && (*t)->dtype != UNCORK_FLOAT32)
        return refuse(b, "a negated tensor that is no float");
    const uc_tensor *dense = uc_tensor_dense(b->arena, *t);
    uc_tensor *made = dense ? uc_tensor_new(b->arena, (*t)->dtype, (*t)->rank, (*t)->shape) : NULL;
    if (!made) return uc_arena_status(b->arena, b->error);
    const int64_t count = uc_tensor_count(made) * (is_complex ? 2 : 1);
    for (int64_t i = 0; i < count; i++) {
        const bool turn = neg != (conj && is_complex && i % 2 == 1);
        if (is_double) {
            const double x = ((const double *)dense->data)[i];
            ((double *)made->data)[i] = turn ? -x : x;
        } else {
            const float x = ((const float *)dense->data)[i];
            ((float *)made->data)[i] = turn ? -x : x;
        }
    }
    *t = made;
    return UNCORK_OK;
}

static uncork_status over_storage(build *b, const storage *s, uncork_dtype dtype, const view *v,
                                  uc_tensor **out)
{
    const size_t size = uc_dtype_size(dtype);
    uc_tensor *t = UC_NEW(b->arena, uc_tensor, 1);
    size_t count;
    if (!t) return uc_arena_status(b->arena, b->error);
    if (!uc_shape_count(v->size, v->rank, &count))
        return FAIL(b, "a tensor of more elements than memory could hold");
    uc_tensor_set(t, dtype, v->rank, v->size);
    *out = t;
    if (s->none) return UNCORK_OK;
    if (!view_fits(v, s->bytes.size / size))
        return FAIL(b, "a tensor of %zu elements at %" PRId64 " reaches beyond its storage of %zu",
                    count, v->offset, s->bytes.size / size);
    if (!count) {
        t->data = UC_NEW(b->arena, char, 1);
        return t->data ? UNCORK_OK : uc_arena_status(b->arena, b->error);
    }
    memcpy(t->stride, v->stride, (size_t)v->rank * sizeof t->stride[0]);
    const uint8_t *from = s->bytes.data + (size_t)v->offset * size;
    const size_t align = size > 8 ? 8 : size;
    const bool swap = b->store->big_endian && size > 1;
    if (swap || (uintptr_t)from % align) return copy_view(b, from, v, swap, t);
    t->data = (void *)(uintptr_t)from;
    return UNCORK_OK;
}

static uncork_dtype symbol_dtype(const uc_pickle *p)
{
    return p && p->kind == UC_PICKLE_SYMBOL && uc_str_is(p->module, "torch")
               ? uc_t_dtype_of(p->text)
               : UNCORK_DTYPE_NONE;
}

/* ---- the functions that Python would call ------------------------------------------------------ */

static uncork_status make(build *b, const uc_pickle *value, uc_tensor **out);

/* _rebuild_tensor(storage, offset, size, stride); _v2 adds requires_grad, hooks, metadata; _v3 a dtype
 * before the metadata. */
static uncork_status rebuild_tensor(build *b, const uc_pickle *args, uc_tensor **out)
{
    storage s;
    view v;
    UC_TRY(read_storage(b, uc_pickle_item(args, 0), &s));
    UC_TRY(read_view(b, uc_pickle_item(args, 1), uc_pickle_item(args, 2), uc_pickle_item(args, 3),
                     &v));
    uncork_dtype dtype = s.dtype;
    const uc_pickle *seventh = uc_pickle_item(args, 6), *bits = seventh;
    if (seventh && seventh->kind == UC_PICKLE_SYMBOL) {
        dtype = symbol_dtype(seventh);
        bits = uc_pickle_item(args, 7);
    }
    if (!dtype) {
        return uc_fail(b->error, UNCORK_UNSUPPORTED, b->value->offset,
                       "a tensor of type torch.%.*s", (int)seventh->text.size, seventh->text.data);
    }
    UC_TRY(over_storage(b, &s, dtype, &v, out));
    return apply_bits(b, bits, out);
}

/* _rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad), and of subclasses without data
 * _rebuild_wrapper_subclass(cls, dtype, size, ...). */
static uncork_status rebuild_meta(build *b, const uc_pickle *args, uc_tensor **out)
{
    const size_t first = symbol_dtype(uc_pickle_item(args, 0)) ? 0 : 1;
    const uncork_dtype dtype = symbol_dtype(uc_pickle_item(args, first));
    const storage s = {.none = true};
    view v = {0};
    const size_t rank = uc_t_ints(uc_pickle_item(args, first + 1), v.size, UNCORK_MAX_RANK);
    if (!dtype || rank == SIZE_MAX) return refuse(b, "a tensor without data of an unknown type");
    v.rank = (int)rank;
    return over_storage(b, &s, dtype, &v, out);
}

static uncork_status rebuild_array(build *b, const uc_pickle *args, uc_tensor **out)
{
    const uncork_dtype dtype = symbol_dtype(uc_pickle_item(args, 1));
    const uc_tensor *t = uc_pickle_tensor(uc_pickle_item(args, 0), b->arena, b->error);
    if (!t || !dtype) return t ? refuse(b, "an array of an unknown type") : FAIL(b, "no array");
    *out = uc_tensor_cast(b->arena, t, dtype);
    return *out ? UNCORK_OK : refuse(b, "an array that isn't one of numbers");
}

static uncork_status rebuild_wrapped(build *b, const uc_pickle *args, uc_tensor **out)
{
    return make(b, uc_pickle_item(args, 0), out);
}

/* _rebuild_from_type_v2(func, type, args, state): a subclass, or a tensor with attributes. */
static uncork_status rebuild_from_type(build *b, const uc_pickle *args, uc_tensor **out)
{
    const uc_pickle *callee = uc_pickle_item(args, 0), *of = uc_pickle_item(args, 2);
    if (!callee || callee->kind != UC_PICKLE_SYMBOL || !of || of->kind != UC_PICKLE_TUPLE)
        return FAIL(b, "a subclass of a tensor over nothing");
    uc_pickle call = {.kind = UC_PICKLE_OBJECT,
                      .is_call = true,
                      .offset = b->value->offset,
                      .module = callee->module,
                      .text = callee->text};
    call.args = (uc_pickle *)(uintptr_t)of;
    return make(b, &call, out);
}

/* ---- sparse ------------------------------------------------------------------------------------ */

static uncork_status new_dense(build *b, const uc_tensor *values, const uc_pickle *size, int first,
                               uc_tensor **out)
{
    int64_t shape[UNCORK_MAX_RANK];
    const size_t rank = uc_t_ints(size, shape, UNCORK_MAX_RANK);
    if (rank == SIZE_MAX || !uc_dtype_size(values->dtype) || values->rank + first - 1 != (int)rank)
        return FAIL(b, "a sparse tensor whose size doesn't fit its values");
    for (int i = 1; i < values->rank; i++) {
        if (values->shape[i] != shape[first + i - 1])
            return FAIL(b, "a sparse tensor whose size doesn't fit its values");
    }
    for (size_t i = 0; i < rank; i++) {
        if (shape[i] < 0) return FAIL(b, "a sparse tensor of size %" PRId64, shape[i]);
    }
    *out = uc_tensor_new(b->arena, values->dtype, (int)rank, shape);
    return *out ? UNCORK_OK : uc_arena_status(b->arena, b->error);
}

static void add_row(uc_tensor *t, int64_t row, const uc_tensor *values, int64_t from, int64_t n)
{
    const size_t size = uc_dtype_size(t->dtype);
    char *to = (char *)t->data + (size_t)(row * n) * size;
    const char *src = (const char *)values->data + (size_t)(from * n) * size;
    if (t->dtype == UNCORK_FLOAT32) { /* entries of one place add up */
        for (int64_t i = 0; i < n; i++) {
            ((float *)(void *)to)[i] += ((const float *)(const void *)src)[i];
        }
        return;
    }
    if (t->dtype == UNCORK_FLOAT64) {
        for (int64_t i = 0; i < n; i++) {
            ((double *)(void *)to)[i] += ((const double *)(const void *)src)[i];
        }
        return;
    }
    memcpy(to, src, (size_t)n * size);
}

static uncork_status two_tensors(build *b, const uc_pickle *a, const uc_pickle *c, uc_tensor **x,
                                 uc_tensor **y)
{
    UC_TRY(make(b, a, x));
    UC_TRY(make(b, c, y));
    *x = (uc_tensor *)(uintptr_t)uc_tensor_dense(b->arena, *x);
    *y = (uc_tensor *)(uintptr_t)uc_tensor_dense(b->arena, *y);
    if (!*x || !*y) return uc_arena_status(b->arena, b->error);
    if (!(*x)->data || !(*y)->data) return FAIL(b, "a sparse tensor without data");
    return UNCORK_OK;
}

/* (indices [dims, n], values [n, ...], size[, is_coalesced]) */
static uncork_status sparse_coo(build *b, const uc_pickle *data, uc_tensor **out)
{
    uc_tensor *indices, *values;
    UC_TRY(two_tensors(b, uc_pickle_item(data, 0), uc_pickle_item(data, 1), &indices, &values));
    if (indices->dtype != UNCORK_INT64 || indices->rank != 2 || values->rank < 1 ||
        values->shape[0] != indices->shape[1] || indices->shape[0] > UNCORK_MAX_RANK)
        return FAIL(b, "a sparse tensor whose indices don't fit its values");
    const int dims = (int)indices->shape[0];
    const int64_t n = indices->shape[1];
    UC_TRY(new_dense(b, values, uc_pickle_item(data, 2), dims, out));
    int64_t each = 1;
    for (int i = 1; i < values->rank; i++) {
        each *= values->shape[i];
    }
    for (int64_t k = 0; k < n; k++) {
        int64_t row = 0;
        for (int d = 0; d < dims; d++) {
            const int64_t at = ((const int64_t *)indices->data)[d * n + k];
            if (at < 0 || at >= (*out)->shape[d])
                return FAIL(b, "a sparse index of %" PRId64 " in %" PRId64, at, (*out)->shape[d]);
            row = row * (*out)->shape[d] + at;
        }
        add_row(*out, row, values, k, each);
    }
    return UNCORK_OK;
}

/* (starts [rows + 1], indices [n], values [n], size): rows, or columns for csc. */
static uncork_status sparse_csr(build *b, const uc_pickle *data, bool by_column, uc_tensor **out)
{
    uc_tensor *starts, *others, *values, *ignored;
    UC_TRY(two_tensors(b, uc_pickle_item(data, 0), uc_pickle_item(data, 1), &starts, &others));
    UC_TRY(two_tensors(b, uc_pickle_item(data, 2), uc_pickle_item(data, 2), &values, &ignored));
    starts = uc_tensor_cast(b->arena, starts, UNCORK_INT64);
    others = uc_tensor_cast(b->arena, others, UNCORK_INT64);
    if (!starts || !others) return FAIL(b, "a sparse tensor with indices that are no numbers");
    if (starts->rank != 1 || others->rank != 1 || values->rank != 1 ||
        others->shape[0] != values->shape[0])
        return refuse(b, "a sparse matrix with batches");
    UC_TRY(new_dense(b, values, uc_pickle_item(data, 3), 2, out));
    const int64_t rows = (*out)->shape[by_column ? 1 : 0],
                  columns = (*out)->shape[by_column ? 0 : 1];
    const int64_t *start = starts->data, *other = others->data;
    if (starts->shape[0] != rows + 1) return FAIL(b, "a sparse matrix whose rows don't fit");
    for (int64_t r = 0; r < rows; r++) {
        if (start[r] < 0 || start[r] > start[r + 1] || start[r + 1] > others->shape[0])
            return FAIL(b, "a sparse matrix whose row %" PRId64 " isn't in it", r);
        for (int64_t k = start[r]; k < start[r + 1]; k++) {
            if (other[k] < 0 || other[k] >= columns)
                return FAIL(b, "a sparse index of %" PRId64 " in %" PRId64, other[k], columns);
            add_row(*out, by_column ? other[k] * rows + r : r * columns + other[k], values, k, 1);
        }
    }
    return UNCORK_OK;
}

/* _rebuild_sparse_tensor(layout, data); layout: torch.sparse_coo or _get_layout('torch.sparse_coo'). */
static uncork_status rebuild_sparse(build *b, const uc_pickle *args, uc_tensor **out)
{
    const uc_pickle *layout = uc_pickle_item(args, 0), *data = uc_pickle_item(args, 1);
    uc_str name = {NULL, 0};
    if (layout && layout->kind == UC_PICKLE_SYMBOL) name = layout->text;
    if (layout && layout->kind == UC_PICKLE_OBJECT) name = text_of(uc_pickle_item(layout->args, 0));
    if (name.size > 6 && memcmp(name.data, "torch.", 6) == 0)
        name = (uc_str){name.data + 6, name.size - 6};
    if (uc_str_is(name, "sparse_coo")) return sparse_coo(b, data, out);
    if (uc_str_is(name, "sparse_csr")) return sparse_csr(b, data, false, out);
    if (uc_str_is(name, "sparse_csc")) return sparse_csr(b, data, true, out);
    return uc_fail(b->error, UNCORK_UNSUPPORTED, b->value->offset, "a sparse tensor of layout %.*s",
                   (int)(name.size < 60 ? name.size : 60), name.data);
}

/* ---- quantised --------------------------------------------------------------------------------- */

/* The numbers meant: (q - zero) * scale, as float32. */
static uncork_status dequantize(build *b, const uc_tensor *q, const double *scales,
                                const double *zeros, int64_t count, int axis, uc_tensor **out)
{
    const uc_tensor *dense = uc_tensor_dense(b->arena, q);
    uc_tensor *t = dense ? uc_tensor_new(b->arena, UNCORK_FLOAT32, q->rank, q->shape) : NULL;
    if (!t) return uc_arena_status(b->arena, b->error);
    int64_t inner = 1;
    for (int i = axis + 1; i < q->rank; i++) {
        inner *= q->shape[i];
    }
    const int64_t n = uc_tensor_count(t);
    for (int64_t i = 0; i < n; i++) {
        const int64_t k = count == 1 ? 0 : i / inner % count;
        const double v = uc_dtype_load_f64(dense->data, i, dense->dtype) - zeros[k];
        ((float *)t->data)[i] = (float)v * (float)scales[k];
    }
    *out = t;
    return UNCORK_OK;
}

/* _rebuild_qtensor(storage, offset, size, stride, (scheme, scale, zero[, axis]), ...) */
static uncork_status rebuild_quantised(build *b, const uc_pickle *args, uc_tensor **out)
{
    uc_tensor *q, *scales, *zeros;
    const uc_pickle *how = uc_pickle_item(args, 4), *scheme = uc_pickle_item(how, 0);
    double scale, zero;
    int64_t axis = 0;
    const uc_pickle plain = {.kind = UC_PICKLE_TUPLE, .items = args->items, .count = 4};
    if (args->count < 5 || !scheme) return FAIL(b, "a quantised tensor without its scale");
    UC_TRY(rebuild_tensor(b, &plain, &q));
    if (!q->data) return refuse(b, "a quantised tensor without data");
    const uc_str name = scheme->kind == UC_PICKLE_SYMBOL ? scheme->text : text_of(scheme);
    if (uc_str_is(name, "per_tensor_affine") || uc_str_is(name, "per_tensor_symmetric")) {
        if (!uc_pickle_f64(uc_pickle_item(how, 1), &scale) ||
            !uc_pickle_f64(uc_pickle_item(how, 2), &zero))
            return FAIL(b, "a quantised tensor without its scale");
        return dequantize(b, q, &scale, &zero, 1, q->rank, out);
    }
    if (!uc_t_is_tensor(uc_pickle_item(how, 1)) || !uc_t_is_tensor(uc_pickle_item(how, 2)) ||
        !uc_pickle_i64(uc_pickle_item(how, 3), &axis))
        return refuse(b, "a tensor quantised in an unknown way");
    UC_TRY(two_tensors(b, uc_pickle_item(how, 1), uc_pickle_item(how, 2), &scales, &zeros));
    scales = uc_tensor_cast(b->arena, scales, UNCORK_FLOAT64);
    zeros = uc_tensor_cast(b->arena, zeros, UNCORK_FLOAT64);
    if (!scales || !zeros || axis < 0 || axis >= q->rank ||
        uc_tensor_count(scales) != q->shape[axis] || uc_tensor_count(zeros) != q->shape[axis])
        return FAIL(b, "a quantised tensor whose scales don't fit it");
    return dequantize(b, q, scales->data, zeros->data, q->shape[axis], (int)axis, out);
}

/* ---- which function ---------------------------------------------------------------------------- */

typedef struct rebuilder {
    const char *module, *name; /* module NULL: torch._utils, torch._tensor, torch.tensor */
    uncork_status (*make)(build *b, const uc_pickle *args, uc_tensor **out);
} rebuilder;

static const rebuilder rebuilders[] = {
    {NULL, "_rebuild_tensor", rebuild_tensor},
    {NULL, "_rebuild_tensor_v2", rebuild_tensor},
    {NULL, "_rebuild_tensor_v3", rebuild_tensor},
    {NULL, "_rebuild_parameter", rebuild_wrapped},
    {NULL, "_rebuild_parameter_v2", rebuild_wrapped},
    {NULL, "_rebuild_parameter_with_state", rebuild_wrapped},
    {NULL, "_rebuild_from_type", rebuild_from_type},
    {NULL, "_rebuild_from_type_v2", rebuild_from_type},
    {NULL, "_rebuild_sparse_tensor", rebuild_sparse},
    {NULL, "_rebuild_qtensor", rebuild_quantised},
    {NULL, "_rebuild_meta_tensor_no_storage", rebuild_meta},
    {NULL, "_rebuild_wrapper_subclass", rebuild_meta},
    {NULL, "_rebuild_device_tensor_from_numpy", rebuild_array},
    {NULL, "_rebuild_device_tensor_from_cpu_tensor", rebuild_wrapped},
    {NULL, "_rebuild_xla_tensor", rebuild_array},
    {"torch.nn.parameter", "Parameter", rebuild_wrapped},
    {"torch.nn.parameter", "Buffer", rebuild_wrapped},
    {"torch.autograd.variable", "Variable", rebuild_wrapped},
};

static bool is_home(uc_str module, const char *wanted)
{
    if (wanted) return uc_str_is(module, wanted);
    return uc_str_is(module, "torch._utils") || uc_str_is(module, "torch._tensor") ||
           uc_str_is(module, "torch.tensor");
}

static const rebuilder *rebuilder_of(const uc_pickle *value)
{
    if (!value || value->kind != UC_PICKLE_OBJECT || value->callee || !value->args) return NULL;
    for (size_t i = 0; i < sizeof rebuilders / sizeof rebuilders[0]; i++) {
        if (uc_str_is(value->text, rebuilders[i].name) &&
            is_home(value->module, rebuilders[i].module))
            return &rebuilders[i];
    }
    return NULL;
}

/* A persistent id that is no tuple: a tensor of the oldest files. */
static bool is_numbered(const uc_pickle *value)
{
    const uc_pickle *id =
        value && value->kind == UC_PICKLE_PERSISTENT ? uc_pickle_item(value, 0) : NULL;
    return id && (id->kind == UC_PICKLE_INT || text_of(id).size);
}

bool uc_t_is_tensor(const uc_pickle *value)
{
    return rebuilder_of(value) != NULL || is_numbered(value);
}

bool uc_t_class_of(const uc_pickle *object, uc_str *module, uc_str *name)
{
    if (!object || object->kind != UC_PICKLE_OBJECT) return false;
    *module = object->module;
    *name = object->text;
    if (name->size) return true;
    const uc_pickle *callee = object->callee; /* ('module', class, file, source) */
    const uc_pickle *id =
        callee && callee->kind == UC_PICKLE_PERSISTENT ? uc_pickle_item(callee, 0) : NULL;
    const uc_pickle *type = uc_pickle_item(id, 1);
    if (!id || id->kind != UC_PICKLE_TUPLE || !uc_pickle_is_text(id->items[0], "module") || !type ||
        type->kind != UC_PICKLE_SYMBOL)
        return false;
    *module = type->module;
    *name = type->text;
    return true;
}

static uncork_status numbered(build *b, const uc_pickle *value, uc_tensor **out)
{
    char number[24];
    const uc_pickle *id = uc_pickle_item(value, 0);
    uc_str key = text_of(id);
    if (id->kind == UC_PICKLE_INT) {
        (void)snprintf(number, sizeof number, "%" PRId64, id->integer);
        key = uc_str_of(number);
    }
    *out = b->store->tensors ? uc_table_find(b->store->tensors, key) : NULL;
    if (*out) return UNCORK_OK;
    return FAIL(b, "the tensor '%.*s' isn't in the file", (int)(key.size < 60 ? key.size : 60),
                key.data);
}

static uncork_status make(build *b, const uc_pickle *value, uc_tensor **out)
{
    const rebuilder *r = rebuilder_of(value);
    if (!r && is_numbered(value)) return numbered(b, value, out);
    if (!r) return FAIL(b, "a value that should be a tensor is none");
    if (b->depth >= MAX_WRAPPERS) return FAIL(b, "a tensor wrapped %d times", b->depth);
    b->depth++;
    const uncork_status status = r->make(b, value->args, out);
    b->depth--;
    return status;
}

uncork_status uc_t_tensor_of(const uc_t_store *store, const uc_pickle *value, uc_arena *arena,
                             const uc_tensor **tensor, uncork_error *error)
{
    build b = {.store = store, .arena = arena, .error = error, .value = value};
    uc_tensor *t = NULL;
    UC_TRY(make(&b, value, &t));
    *tensor = t;
    return UNCORK_OK;
}

uncork_status uc_t_strided(const uc_t_store *store, uc_bytes bytes, uncork_dtype dtype, int rank,
                           const int64_t *size, const int64_t *stride, int64_t offset,
                           uc_arena *arena, const uc_tensor **tensor, uncork_error *error)
{
    static const uc_pickle nowhere = {.offset = UC_NO_OFFSET};
    build b = {.store = store, .arena = arena, .error = error, .value = &nowhere};
    const storage s = {.bytes = bytes, .dtype = dtype};
    view v = {.offset = offset, .rank = rank};
    uc_tensor *t = NULL;
    if (rank < 0 || rank > UNCORK_MAX_RANK || offset < 0)
        return FAIL(&b, "a tensor of %d dimensions at %" PRId64, rank, offset);
    for (int i = 0; i < rank; i++) {
        if (size[i] < 0 || stride[i] < 0)
            return FAIL(&b, "a tensor of size %" PRId64 " with stride %" PRId64, size[i],
                        stride[i]);
        v.size[i] = size[i];
        v.stride[i] = stride[i];
    }
    UC_TRY(over_storage(&b, &s, dtype, &v, &t));
    *tensor = t;
    return UNCORK_OK;
}
