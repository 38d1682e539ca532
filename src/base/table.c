/* An open-addressing table keyed by strings, hashed by SipHash-1-3 (Aumasson, Bernstein: SipHash, a
 * fast short-input PRF, 2012) with a seed of the process. */
#define _GNU_SOURCE
#include "base/table.h"

#include <pthread.h>
#include <sys/random.h>

static uint64_t seed[2];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    if (getrandom(seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        seed[0] = uc_now_ns() * UINT64_C(0x9e3779b97f4a7c15);
        seed[1] = (uint64_t)(uintptr_t)&seed ^ (seed[0] >> 7);
    }
}

static inline uint64_t rotate(uint64_t x, int n) { return x << n | x >> (64 - n); }

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t uc_hash(const void *data, size_t size)
{
    pthread_once(&seeded, make_seed);
    uint64_t v[4] = {seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
                     seed[0] ^ UINT64_C(0x6c7967656e657261),
                     seed[1] ^ UINT64_C(0x7465646279746573)};
    const uint8_t *p = data;
    size_t left = size;
    for (; left >= 8; p += 8, left -= 8) {
        uint64_t m = uc_load_u64le(p);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = (uint64_t)size << 56;
    for (size_t i = 0; i < left; i++) {
        last |= (uint64_t)p[i] << (8 * i);
    }
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

typedef struct slot {
    uc_str key;
    uint64_t hash;
    void *item;
    bool used;
} slot;

struct uc_table {
    uc_arena *arena;
    slot *slots;
    size_t room, count; /* room is a power of two */
};

uc_table *uc_table_new(uc_arena *arena)
{
    uc_table *t = UC_NEW(arena, uc_table, 1);
    if (!t) return NULL;
    t->arena = arena;
    t->room = 16;
    t->slots = UC_NEW(arena, slot, t->room);
    return t->slots ? t : NULL;
}

static slot *place(slot *slots, size_t room, uc_str key, uint64_t hash)
{
    for (size_t i = hash & (room - 1);; i = (i + 1) & (room - 1)) {
        slot *s = &slots[i];
        if (!s->used || (s->hash == hash && uc_str_equal(s->key, key))) return s;
    }
}

static bool grow(uc_table *t)
{
    size_t room = t->room * 2;
    slot *slots = UC_NEW(t->arena, slot, room);
    if (!slots) return false;
    for (size_t i = 0; i < t->room; i++) {
        if (t->slots[i].used) {
            *place(slots, room, t->slots[i].key, t->slots[i].hash) = t->slots[i];
        }
    }
    t->slots = slots;
    t->room = room;
    return true;
}

bool uc_table_put(uc_table *table, uc_str key, void *item)
{
    if (table->count * 4 >= table->room * 3 && !grow(table)) return false;
    uint64_t hash = uc_hash(key.data, key.size);
    slot *s = place(table->slots, table->room, key, hash);
    if (!s->used) table->count++;
    *s = (slot){.key = key, .hash = hash, .item = item, .used = true};
    return true;
}

void *uc_table_find(const uc_table *table, uc_str key)
{
    if (!table) return NULL;
    slot *s = place(table->slots, table->room, key, uc_hash(key.data, key.size));
    return s->used ? s->item : NULL;
}

size_t uc_table_count(const uc_table *table) { return table->count; }
