/* Moving elements of any type: see move.h. */
#include "op/move.h"

#include "base/dtype.h"

static void unpack(uint8_t *to, const uint8_t *from, int bits, size_t count)
{
    for (size_t e = 0; e < count; e++) {
        to[e] = (uint8_t)uc_bits_load(from, (int64_t)e, bits);
    }
}

static void pack(uint8_t *to, const uint8_t *from, int bits, size_t count)
{
    memset(to, 0, (count * (size_t)bits + 7) / 8);
    for (size_t e = 0; e < count; e++) {
        uc_bits_store(to, (int64_t)e, bits, from[e]);
    }
}

static uncork_status move_strings(uc_call *call, size_t i, const uc_tensor *const *from,
                                  size_t from_count, uc_move_fn move, const void *context)
{
    const uc_tensor *declared = &call->out[i]->tensor;
    size_t total = 0, count = 0;
    for (size_t k = 0; k < from_count; k++) {
        if (!uc_add_size(total, (size_t)uc_tensor_count(from[k]), &total)) return UNCORK_LIMIT;
    }
    if (!uc_shape_count(declared->shape, declared->rank, &count)) return UNCORK_LIMIT;
    const void **places = uc_call_scratch(call, from_count, sizeof *places);
    uint64_t *numbers = uc_call_scratch(call, total, sizeof *numbers);
    uint64_t *moved = uc_call_scratch(call, count, sizeof *moved);
    uc_str *all = uc_call_scratch(call, total, sizeof *all);
    uc_str *items = uc_call_scratch(call, count, sizeof *items);
    if (!places || !numbers || !moved || !all || !items) return uc_fail_memory(call->error);
    size_t n = 0;
    for (size_t k = 0; k < from_count; k++) {
        places[k] = numbers + n;
        for (int64_t e = 0; e < uc_tensor_count(from[k]); e++, n++) {
            numbers[n] = n;
            all[n] = uc_tensor_string(from[k], e);
        }
    }
    move(context, moved, places, sizeof *moved);
    for (size_t e = 0; e < count; e++) {
        items[e] = all[moved[e]];
    }
    return uc_call_strings(call, i, items, declared->rank, declared->shape);
}

static uncork_status move_bits(uc_call *call, uc_tensor *out, const uc_tensor *const *from,
                               size_t from_count, uc_move_fn move, const void *context)
{
    int bits = uc_dtype_bits(out->dtype);
    size_t count = (size_t)uc_tensor_count(out);
    const void **places = uc_call_scratch(call, from_count, sizeof *places);
    uint8_t *moved = uc_call_scratch(call, count, 1);
    if (!places || !moved) return uc_fail_memory(call->error);
    for (size_t k = 0; k < from_count; k++) {
        size_t n = (size_t)uc_tensor_count(from[k]);
        uint8_t *bytes = uc_call_scratch(call, n, 1);
        if (!bytes) return uc_fail_memory(call->error);
        unpack(bytes, from[k]->data, bits, n);
        places[k] = bytes;
    }
    move(context, moved, places, 1);
    pack(out->data, moved, bits, count);
    return UNCORK_OK;
}

uncork_status uc_move(uc_call *call, size_t i, const uc_tensor *const *from, size_t from_count,
                      uc_move_fn move, const void *context)
{
    if (i >= call->out_count || !call->out[i]) return UNCORK_OK;
    if (call->out[i]->tensor.dtype == UNCORK_STRING) {
        return move_strings(call, i, from, from_count, move, context);
    }
    uc_tensor *out = uc_call_out(call, i);
    if (!out) return call->error ? call->error->status : UNCORK_NO_MEMORY;
    size_t size = uc_dtype_size(out->dtype);
    if (!size) return move_bits(call, out, from, from_count, move, context);
    const void *few[4], **places = few;
    if (from_count > 4) places = uc_call_scratch(call, from_count, sizeof *places);
    if (!places) return uc_fail_memory(call->error);
    for (size_t k = 0; k < from_count; k++) {
        places[k] = from[k]->data;
    }
    move(context, out->data, places, size);
    return UNCORK_OK;
}

static void copy(const void *context, void *to, const void *const *from, size_t size)
{
    const size_t *count = context;
    memmove(to, from[0], *count * size);
}

uncork_status uc_move_same(uc_call *call, size_t i, const uc_tensor *from)
{
    size_t count = (size_t)uc_tensor_count(from), room = 0;
    const uc_tensor *to = i < call->out_count && call->out[i] ? &call->out[i]->tensor : from;
    if (!uc_shape_count(to->shape, to->rank, &room) || room != count) {
        return uc_call_fail(call, UNCORK_INPUT, "%zu elements don't fill a place for %zu", count,
                            room);
    }
    return uc_move(call, i, &from, 1, copy, &count);
}
