/* Names of packed forms and where they come from. */
#include "op/packs.h"

#include <inttypes.h>
#include <stdio.h>

/* Two lanes of multiply and xor-shift: quick over megabytes, and no two constants of one file meet by
 * chance. It isn't a defence: whoever writes a file chooses its weights anyway. */
typedef struct digest {
    uint64_t a, b;
} digest;

static void mix(digest *d, uint64_t v)
{
    d->a = (d->a ^ v) * UINT64_C(0x9E3779B97F4A7C15);
    d->a ^= d->a >> 29;
    d->b = (d->b + v) * UINT64_C(0xC2B2AE3D27D4EB4F);
    d->b ^= d->b >> 31;
}

static void mix_bytes(digest *d, const void *data, size_t size)
{
    const uint8_t *p = data;
    mix(d, size);
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        mix(d, v);
    }
    uint64_t last = 0;
    if (size) memcpy(&last, p, size);
    mix(d, last);
}

/* Whether the tensor's first byte is one of the file's weights. */
static bool lies_inside(const uc_tensor *t, uc_bytes weights)
{
    const uintptr_t at = (uintptr_t)t->data, begin = (uintptr_t)weights.data;
    return weights.size && at >= begin && at - begin < weights.size;
}

/* Bytes from the first element to behind the last, for strides that aren't negative; 0: not so. */
static size_t span_of(const uc_tensor *t)
{
    size_t last = 0;
    for (int d = 0; d < t->rank; d++) {
        if (t->stride[d] < 0 || t->shape[d] < 1) return 0;
        last += (size_t)(t->shape[d] - 1) * (size_t)t->stride[d];
    }
    return (last + 1) * uc_dtype_size(t->dtype);
}

static void mix_tensor(digest *d, const uc_tensor *t, uc_bytes weights)
{
    mix(d, (uint64_t)t->dtype << 8 | (uint64_t)t->rank);
    for (int i = 0; i < t->rank; i++) {
        mix(d, (uint64_t)t->shape[i]);
        mix(d, (uint64_t)t->stride[i]);
    }
    if (lies_inside(t, weights)) {
        mix(d, 1);
        mix(d, (uint64_t)((const uint8_t *)t->data - weights.data));
    } else {
        mix(d, 2);
        mix_bytes(d, t->data, span_of(t));
    }
}

static const char *name_of(uc_call *call, const uc_pack_key *key, size_t bytes)
{
    digest d = {UINT64_C(0x243F6A8885A308D3), UINT64_C(0x13198A2E03707344)};
    mix(&d, bytes);
    for (size_t i = 0; i < key->param_count; i++)
        mix(&d, (uint64_t)key->params[i]);
    for (size_t i = 0; i < key->source_count; i++) {
        mix(&d, key->sources[i] != NULL);
        if (key->sources[i]) mix_tensor(&d, key->sources[i], call->packs->weights);
    }
    return uc_arena_printf(call->arena, "%s.%d.%s/%016" PRIx64 "%016" PRIx64, key->kernel,
                           key->version, key->isa, d.a, d.b);
}

/* Small forms are packed sooner than found. */
#define SMALLEST_FORM 1024

uncork_status uc_call_pack(uc_call *call, const uc_pack_key *key, size_t bytes, void **room,
                           const void **form)
{
    const struct uc_packs *packs = bytes >= SMALLEST_FORM ? call->packs : NULL;
    const char *name = packs ? name_of(call, key, bytes) : NULL;
    uc_bytes found;
    *room = NULL;
    if (packs && !name) return uc_arena_status(call->arena, call->error);
    if (name && packs->find && packs->find(packs->data, name, &found) && found.size == bytes &&
        (uintptr_t)found.data % 64 == 0) {
        *form = found.data;
        return UNCORK_OK;
    }
    *form = *room = uc_arena_alloc_raw(call->arena, bytes);
    if (!*room) return uc_arena_status(call->arena, call->error);
    /* Gaps of a form that is written to a file are zeros, whatever memory held. */
    if (name && packs->keep) memset(*room, 0, bytes);
    if (name && packs->keep) packs->keep(packs->data, name, (uc_bytes){*form, bytes});
    return UNCORK_OK;
}
