/* uncork_value: a tensor or a holder of values and, when it is its own, the arena it lives in. */
#include "model/model_internal.h"

#include <assert.h>

static_assert((int)UNCORK_TENSOR == UC_TENSOR && (int)UNCORK_SEQUENCE == UC_SEQUENCE &&
                  (int)UNCORK_MAP == UC_MAP && (int)UNCORK_OPTIONAL == UC_OPTIONAL,
              "uncork_kind and uc_kind share their numbers");

const char *uncork_status_text(uncork_status status)
{
    switch (status) {
#define TEXT(name, number, text) \
    case UNCORK_##name: return text;
        UNCORK_STATUS_MAP(TEXT)
#undef TEXT
    }
    return "unknown status";
}

const char *uncork_version(void) { return "0.1.0"; }

int uncork_abi_version(void) { return UNCORK_ABI_VERSION; }

/* An empty value with an arena of its own. */
static uncork_value *value_new(void)
{
    uc_arena *arena = uc_arena_new(NULL);
    if (!arena) return NULL;
    uncork_value *v = UC_NEW(arena, uncork_value, 1);
    if (!v) {
        uc_arena_free(arena);
        return NULL;
    }
    v->arena = arena;
    v->value.kind = UC_TENSOR;
    return v;
}

static bool shape_is_good(int rank, const int64_t *shape)
{
    size_t count;
    return rank >= 0 && rank <= UNCORK_MAX_RANK && (rank == 0 || shape) &&
           uc_shape_count(shape, rank, &count);
}

/* Takes over `tensor` (NULL: memory was out). */
static uncork_status finish(uncork_value *v, const uc_tensor *tensor, uncork_value **value)
{
    if (!tensor) {
        uncork_value_free(v);
        return UNCORK_NO_MEMORY;
    }
    v->value.tensor = *tensor;
    *value = v;
    return UNCORK_OK;
}

uncork_status uncork_value_new(uncork_dtype dtype, int rank, const int64_t *shape,
                               uncork_value **value)
{
    *value = NULL;
    if (!uc_dtype_bits(dtype) || !shape_is_good(rank, shape)) return UNCORK_USAGE;
    uncork_value *v = value_new();
    if (!v) return UNCORK_NO_MEMORY;
    return finish(v, uc_tensor_new(v->arena, dtype, rank, shape), value);
}

uncork_status uncork_value_wrap(uncork_dtype dtype, int rank, const int64_t *shape, void *data,
                                uncork_value **value)
{
    *value = NULL;
    if (!uc_dtype_bits(dtype) || !shape_is_good(rank, shape)) return UNCORK_USAGE;
    uc_tensor t = {.data = data};
    uc_tensor_set(&t, dtype, rank, shape);
    return uc_value_over(&t, value);
}

uncork_status uncork_value_new_strings(int rank, const int64_t *shape, const char *const *bytes,
                                       const size_t *lengths, uncork_value **value)
{
    *value = NULL;
    size_t count;
    if (!shape_is_good(rank, shape) || !uc_shape_count(shape, rank, &count)) return UNCORK_USAGE;
    uncork_value *v = value_new();
    if (!v) return UNCORK_NO_MEMORY;
    uc_str *items = UC_NEW(v->arena, uc_str, count);
    for (size_t i = 0; items && i < count; i++) {
        items[i] = (uc_str){bytes[i], lengths[i]};
    }
    return finish(v, items ? uc_tensor_strings(v->arena, items, rank, shape) : NULL, value);
}

uncork_status uc_value_over(const uc_tensor *tensor, uncork_value **value)
{
    *value = NULL;
    uncork_value *v = value_new();
    return v ? finish(v, tensor, value) : UNCORK_NO_MEMORY;
}

/* Whether these items make a value of the kind. */
static bool items_fit(uncork_kind kind, const uncork_value *const *items, int64_t count)
{
    if (count < 0 || (uint64_t)count > SIZE_MAX / sizeof *items || (count && !items)) return false;
    for (int64_t i = 0; i < count; i++) {
        if (!items[i]) return false;
    }
    switch (kind) {
    case UNCORK_SEQUENCE: return true;
    case UNCORK_OPTIONAL: return count <= 1;
    case UNCORK_MAP: {
        if (count != 2) return false;
        const uc_value *k = &items[0]->value, *v = &items[1]->value;
        return k->kind == UC_TENSOR && v->kind == UC_TENSOR && k->tensor.rank == 1 &&
               v->tensor.rank == 1 && k->tensor.shape[0] == v->tensor.shape[0];
    }
    case UNCORK_TENSOR: break;
    }
    return false;
}

uncork_status uncork_value_wrap_items(uncork_kind kind, const uncork_value *const *items,
                                      int64_t count, uncork_value **value)
{
    *value = NULL;
    if (!items_fit(kind, items, count)) return UNCORK_USAGE;
    uncork_value *v = value_new();
    if (!v) return UNCORK_NO_MEMORY;
    v->value.kind = (uc_kind)kind;
    v->value.item_count = (size_t)count;
    if (count) v->value.items = UC_NEW(v->arena, uc_value *, (size_t)count);
    uc_value *shallow = count ? UC_NEW(v->arena, uc_value, (size_t)count) : NULL;
    if (count && (!v->value.items || !shallow)) {
        uncork_value_free(v);
        return UNCORK_NO_MEMORY;
    }
    for (int64_t i = 0; i < count; i++) {
        shallow[i] = items[i]->value;
        v->value.items[i] = &shallow[i];
    }
    if (count && items[0]->value.kind == UC_TENSOR)
        v->value.tensor.dtype = uncork_value_dtype(items[0]);
    *value = v;
    return UNCORK_OK;
}

void uncork_value_free(uncork_value *value)
{
    if (value && value->arena) uc_arena_free(value->arena);
}

const uc_value *uc_value_inside(const uncork_value *value) { return &value->value; }

const uc_tensor *uc_value_tensor(const uncork_value *value) { return &value->value.tensor; }

uncork_kind uncork_value_kind(const uncork_value *value) { return (uncork_kind)value->value.kind; }

int64_t uncork_value_item_count(const uncork_value *value)
{
    return (int64_t)value->value.item_count;
}

const uncork_value *uncork_value_item(const uncork_value *value, int64_t i)
{
    if (i < 0 || (uint64_t)i >= value->value.item_count) return NULL;
    return (const uncork_value *)value->value.items[i]; /* its first member; no other is read */
}

uncork_dtype uncork_value_dtype(const uncork_value *value) { return value->value.tensor.dtype; }

int uncork_value_rank(const uncork_value *value) { return value->value.tensor.rank; }

const int64_t *uncork_value_shape(const uncork_value *value) { return value->value.tensor.shape; }

int64_t uncork_value_count(const uncork_value *value)
{
    return uc_tensor_count(&value->value.tensor);
}

void *uncork_value_data(const uncork_value *value) { return value->value.tensor.data; }

const char *uncork_value_string(const uncork_value *value, int64_t i, size_t *length)
{
    const uc_tensor *t = &value->value.tensor;
    if (t->dtype != UNCORK_STRING || i < 0 || i >= uc_tensor_count(t)) {
        *length = 0;
        return "";
    }
    uc_str s = uc_tensor_string(t, i);
    *length = s.size;
    return s.data;
}
