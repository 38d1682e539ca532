/* What values of every kind share: their names, the type inside, deep copies. */
#include "base/tensor.h"

const char *uc_kind_name(uc_kind kind)
{
    switch (kind) {
    case UC_NOTHING: return "nothing";
    case UC_TENSOR: return "a tensor";
    case UC_SEQUENCE: return "a sequence";
    case UC_MAP: return "a map";
    case UC_OPTIONAL: return "an optional";
    case UC_LIST: return "a list";
    case UC_TABLE: return "a table";
    case UC_TOKEN: return "a token";
    }
    return "unknown";
}

uncork_dtype uc_value_dtype(const uc_value *v)
{
    while (v->kind != UC_TENSOR && v->item_count) {
        v = v->items[v->kind == UC_MAP && v->item_count > 1 ? 1 : 0];
    }
    return v->tensor.dtype;
}

/* Offsets count from 0 again: a tensor may be a part of another's strings. */
static bool copy_strings(uc_tensor *to, const uc_tensor *from, uc_take_fn take, void *context)
{
    size_t count = (size_t)uc_tensor_count(from);
    uint64_t *offsets = take(context, (count + 1) * sizeof *offsets);
    if (!offsets) return false;
    uint64_t first = from->strings.offsets[0];
    for (size_t i = 0; i <= count; i++) {
        offsets[i] = from->strings.offsets[i] - first;
    }
    char *bytes = take(context, (size_t)offsets[count]);
    if (!bytes) return false;
    if (offsets[count]) memcpy(bytes, from->strings.bytes + first, (size_t)offsets[count]);
    to->strings =
        (uc_strings){.offsets = offsets, .bytes = bytes, .is_bytes = from->strings.is_bytes};
    return true;
}

bool uc_tensor_copy_into(uc_tensor *to, const uc_tensor *from, uc_take_fn take, void *context)
{
    size_t bytes = 0;
    *to = *from;
    if (from->dtype == UNCORK_STRING) return copy_strings(to, from, take, context);
    if (!uc_shape_bytes(from->dtype, from->shape, from->rank, &bytes)) return false;
    to->data = take(context, bytes);
    if (to->data && bytes) memcpy(to->data, from->data, bytes);
    return to->data != NULL;
}

uc_value *uc_value_copy(const uc_value *from, uc_take_fn take, void *context, const void *home)
{
    uc_value *to = take(context, sizeof *to);
    if (!to) return NULL;
    *to = *from;
    to->home = home;
    if (from->kind == UC_TENSOR) {
        return uc_tensor_copy_into(&to->tensor, &from->tensor, take, context) ? to : NULL;
    }
    to->items = take(context, from->item_count * sizeof *to->items);
    if (!to->items) return NULL;
    for (size_t i = 0; i < from->item_count; i++) {
        to->items[i] = uc_value_copy(from->items[i], take, context, home);
        if (!to->items[i]) return NULL;
    }
    return to;
}
