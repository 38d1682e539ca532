/* What an operator's functions ask of their call: attributes, outputs, scratch, failures. Memory
 * comes from the host (the planner, the constant folder); nothing is allocated here. */
#include "op/shape.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- outputs ------------------------------------------------------------------------------ */

static bool is_wanted(const uc_call *call, size_t i) { return i < call->out_count && call->out[i]; }

/* The one place where a declared shape is checked: every operator's infer ends here. */
static uncork_status check_shape(uc_call *call, uncork_dtype dtype, int rank, const int64_t *shape)
{
    if (rank > UNCORK_MAX_RANK) {
        return uc_call_fail(call, UNCORK_LIMIT, "an output has %d dimensions, at most %d can be",
                            rank, UNCORK_MAX_RANK);
    }
    for (int d = 0; d < rank; d++) {
        if (shape[d] < 0) return UNCORK_OK;
    }
    if (rank < 0 || uc_shape_is_sane(dtype, rank, shape)) return UNCORK_OK;
    char text[192];
    return uc_call_fail(call, UNCORK_LIMIT, "an output of shape %s is more than memory can hold",
                        uc_shape_text(shape, rank, text, sizeof text));
}

uncork_status uc_call_shape(uc_call *call, size_t i, uncork_dtype dtype, int rank,
                            const int64_t *shape)
{
    UC_TRY(check_shape(call, dtype, rank, shape));
    if (!is_wanted(call, i)) return UNCORK_OK;
    uc_value *value = call->out[i];
    uc_tensor *t = &value->tensor;
    value->kind = UC_TENSOR;
    t->dtype = dtype;
    t->rank = rank;
    int64_t stride = 1;
    for (int d = rank - 1; d >= 0; d--) {
        t->shape[d] = shape[d];
        t->stride[d] = stride;
        /* Unknown dimensions make no stride: it is set again when numbers are known. */
        if (shape[d] > 0 && __builtin_mul_overflow(stride, shape[d], &stride)) stride = 1;
    }
    return UNCORK_OK;
}

uncork_status uc_call_output(uc_call *call, size_t i, uncork_dtype dtype, int rank,
                             const int64_t *shape, uc_tensor **tensor)
{
    *tensor = NULL;
    UC_TRY(check_shape(call, dtype, rank, shape));
    return call->host->output(call, i, dtype, rank, shape, tensor);
}

uc_tensor *uc_call_out(uc_call *call, size_t i)
{
    uc_tensor *t = NULL;
    if (!is_wanted(call, i)) return NULL;
    uc_tensor *declared = &call->out[i]->tensor;
    if (declared->data) return declared; /* planned */
    uncork_status status =
        uc_call_output(call, i, declared->dtype, declared->rank, declared->shape, &t);
    return status == UNCORK_OK ? t : NULL;
}

uncork_status uc_call_strings(uc_call *call, size_t i, const uc_str *items, int rank,
                              const int64_t *shape)
{
    size_t count = 0, bytes = 0;
    if (!uc_shape_count(shape, rank, &count) || count > SIZE_MAX / 16) {
        return uc_call_fail(call, UNCORK_LIMIT, "too many strings");
    }
    for (size_t k = 0; k < count; k++) {
        if (!uc_add_size(bytes, items[k].size, &bytes)) {
            return uc_call_fail(call, UNCORK_LIMIT, "strings of more bytes than memory can hold");
        }
    }
    uc_tensor *t = NULL;
    UC_TRY(uc_call_output(call, i, UNCORK_STRING, rank, shape, &t));
    uint64_t *offsets = call->host->memory(call, i, (count + 1) * sizeof *offsets);
    char *text = call->host->memory(call, i, bytes);
    if (!offsets || !text) return uc_fail_memory(call->error);
    size_t at = 0;
    for (size_t k = 0; k < count; k++) {
        offsets[k] = at;
        if (items[k].size) memcpy(text + at, items[k].data, items[k].size);
        at += items[k].size;
    }
    offsets[count] = at;
    t->data = NULL;
    t->strings = (uc_strings){.offsets = offsets, .bytes = text};
    return UNCORK_OK;
}

/* ---- other kinds -------------------------------------------------------------------------- */

uncork_status uc_call_kind(uc_call *call, size_t i, uc_kind kind, uc_kind item_kind,
                           uncork_dtype dtype, int rank, const int64_t *shape)
{
    UC_TRY(uc_call_shape(call, i, dtype, rank, shape));
    if (!is_wanted(call, i)) return UNCORK_OK;
    call->out[i]->kind = kind;
    call->out[i]->item_kind = item_kind;
    return UNCORK_OK;
}

uncork_status uc_call_like(uc_call *call, size_t out, size_t in)
{
    const uc_value *x = call->in[in];
    return uc_call_kind(call, out, x->kind, x->item_kind, x->tensor.dtype, x->tensor.rank,
                        x->tensor.shape);
}

static void *memory(uc_call *call, size_t i, size_t bytes)
{
    void *p = call->host->memory(call, i, bytes);
    if (!p) uc_fail_memory(call->error);
    return p;
}

uncork_status uc_call_items(uc_call *call, size_t i, uc_kind kind, size_t count, uc_value ***items)
{
    size_t bytes = 0;
    *items = NULL;
    if (!uc_mul_size(count, sizeof **items, &bytes)) return uc_fail_memory(call->error);
    uc_value **list = memory(call, i, bytes);
    if (!list) return uc_fail_memory(call->error);
    if (bytes) memset(list, 0, bytes);
    *items = list;
    if (!is_wanted(call, i)) return UNCORK_OK;
    call->out[i]->kind = kind;
    call->out[i]->items = list;
    call->out[i]->item_count = count;
    return UNCORK_OK;
}

uncork_status uc_call_item(uc_call *call, size_t i, uncork_dtype dtype, int rank,
                           const int64_t *shape, uc_value **item)
{
    size_t bytes = 0;
    *item = NULL;
    UC_TRY(check_shape(call, dtype, rank, shape));
    if (!uc_shape_bytes(dtype, shape, rank, &bytes)) return uc_fail_memory(call->error);
    uc_value *v = memory(call, i, sizeof *v);
    if (!v) return uc_fail_memory(call->error);
    *v = (uc_value){.kind = UC_TENSOR, .home = call->host_data};
    uc_tensor_set(&v->tensor, dtype, rank, shape);
    v->tensor.data = memory(call, i, bytes);
    if (!v->tensor.data) return uc_fail_memory(call->error);
    *item = v;
    return UNCORK_OK;
}

typedef struct item_memory {
    uc_call *call;
    size_t i;
} item_memory;

static void *take_item_memory(void *context, size_t bytes)
{
    const item_memory *m = context;
    return m->call->host->memory(m->call, m->i, bytes);
}

uncork_status uc_call_item_copy(uc_call *call, size_t i, const uc_value *from, uc_value **item)
{
    item_memory m = {.call = call, .i = i};
    *item = uc_value_copy(from, take_item_memory, &m, call->host_data);
    return *item ? UNCORK_OK : uc_fail_memory(call->error);
}

static uncork_status share_tensor(uc_call *call, size_t i, const uc_tensor *from)
{
    size_t bytes = 0;
    uc_tensor *to = &call->out[i]->tensor;
    if (!to->data) { /* a value of this run alone: it may lie anywhere */
        call->out[i]->kind = UC_TENSOR;
        *to = *from;
        return UNCORK_OK;
    }
    UC_TRY(uc_call_output(call, i, from->dtype, from->rank, from->shape, &to));
    if (!uc_shape_bytes(from->dtype, from->shape, from->rank, &bytes)) {
        return uc_fail_memory(call->error);
    }
    if (bytes) memcpy(to->data, from->data, bytes);
    return UNCORK_OK;
}

uncork_status uc_call_share(uc_call *call, size_t i, const uc_value *from)
{
    if (!is_wanted(call, i)) return UNCORK_OK;
    if (from->kind == UC_TENSOR) return share_tensor(call, i, &from->tensor);
    uc_value *to = call->out[i];
    to->kind = from->kind;
    to->item_kind = from->item_kind;
    to->tensor = from->tensor;
    to->items = from->items;
    to->item_count = from->item_count;
    return UNCORK_OK;
}

void *uc_call_scratch(uc_call *call, size_t count, size_t size)
{
    size_t bytes = 0;
    void *p = NULL;
    if (!uc_mul_size(count, size, &bytes)) {
        uc_call_fail(call, UNCORK_LIMIT, "scratch of %zu times %zu bytes is too much", count, size);
        return NULL;
    }
    bool hosted = call->host && call->host->scratch;
    p = hosted ? call->host->scratch(call, bytes) : uc_arena_alloc_raw(call->arena, bytes);
    if (!p && uc_arena_status(call->arena, call->error) == UNCORK_OK) uc_fail_memory(call->error);
    return p;
}

/* ---- attributes --------------------------------------------------------------------------- */

const uc_attr *uc_attr_find(const uc_attr *attrs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(attrs[i].name, name) == 0) return &attrs[i];
    }
    return NULL;
}

int64_t uc_attr_int(const uc_attr *attr, int64_t otherwise)
{
    return attr && attr->kind == UC_ATTR_INT ? attr->i : otherwise;
}

double uc_attr_float(const uc_attr *attr, double otherwise)
{
    return attr && attr->kind == UC_ATTR_FLOAT ? attr->f : otherwise;
}

uc_str uc_attr_str(const uc_attr *attr, const char *otherwise)
{
    return attr && attr->kind == UC_ATTR_STRING ? attr->s : uc_str_of(otherwise);
}

const int64_t *uc_attr_ints(const uc_attr *attr, size_t *count)
{
    bool found = attr && attr->kind == UC_ATTR_INTS;
    *count = found ? attr->count : 0;
    return found ? attr->ints : NULL;
}

const uc_attr *uc_call_attr(const uc_call *call, const char *name)
{
    return uc_attr_find(call->attrs, call->attr_count, name);
}

int64_t uc_call_int(const uc_call *call, const char *name, int64_t otherwise)
{
    return uc_attr_int(uc_call_attr(call, name), otherwise);
}

double uc_call_float(const uc_call *call, const char *name, double otherwise)
{
    return uc_attr_float(uc_call_attr(call, name), otherwise);
}

uc_str uc_call_str(const uc_call *call, const char *name, const char *otherwise)
{
    return uc_attr_str(uc_call_attr(call, name), otherwise);
}

const int64_t *uc_call_ints(const uc_call *call, const char *name, size_t *count)
{
    return uc_attr_ints(uc_call_attr(call, name), count);
}

/* ---- failures ----------------------------------------------------------------------------- */

uncork_status uc_call_fail(uc_call *call, uncork_status status, const char *format, ...)
{
    char message[224];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    status = uc_fail(call->error, status, UC_NO_OFFSET, "%s: %s", call->op->name, message);
    return call->where ? uc_where(call->error, "%s", call->where) : status;
}
