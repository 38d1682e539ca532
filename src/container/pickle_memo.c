/* The memo of a pickle: index -> value. */
#include "container/pickle_machine.h"

/* How far beyond the number of PUTs so far an index may reach and still live in the array. Picklers
 * number from 0 or 1 without gaps; the slack is for PUTs that pickletools.optimize removed. */
static size_t dense_limit(const uc_pickle_memo *memo) { return 4 * memo->used + 1024; }

static bool put_dense(uc_pickle_memo *memo, uc_arena *arena, size_t index, uc_pickle *value)
{
    if (index >= memo->dense_count) {
        uc_pickle **dense = (uc_pickle **)uc_arena_grow(arena, memo->dense, &memo->dense_capacity,
                                                        index + 1, sizeof *dense);
        if (!dense) {
            return false;
        }
        memset(dense + memo->dense_count, 0, (index + 1 - memo->dense_count) * sizeof *dense);
        memo->dense = dense;
        memo->dense_count = index + 1;
    }
    memo->used += memo->dense[index] == NULL;
    memo->dense[index] = value;
    return true;
}

static size_t slot_of(const uc_pickle_memo *memo, uint64_t index)
{
    const size_t mask = memo->slot_capacity - 1;
    size_t i = (size_t)uc_hash(&index, sizeof index) & mask;
    while (memo->slots[i].value && memo->slots[i].index != index) {
        i = (i + 1) & mask;
    }
    return i;
}

static bool grow_slots(uc_pickle_memo *memo, uc_arena *arena)
{
    uc_pickle_memo old = *memo;
    memo->slot_capacity = old.slot_capacity ? old.slot_capacity * 2 : 64;
    memo->slots = uc_arena_alloc(arena, memo->slot_capacity, sizeof *memo->slots);
    if (!memo->slots) {
        *memo = old;
        return false;
    }
    for (size_t i = 0; i < old.slot_capacity; i++) {
        if (old.slots[i].value) {
            memo->slots[slot_of(memo, old.slots[i].index)] = old.slots[i];
        }
    }
    return true;
}

bool uc_pickle_memo_put(uc_pickle_memo *memo, uc_arena *arena, uint64_t index, uc_pickle *value)
{
    if (index < dense_limit(memo)) {
        return put_dense(memo, arena, (size_t)index, value);
    }
    if (memo->slot_count * 2 >= memo->slot_capacity && !grow_slots(memo, arena)) {
        return false;
    }
    const size_t i = slot_of(memo, index);
    if (!memo->slots[i].value) {
        memo->slot_count++;
        memo->used++;
    }
    memo->slots[i].index = index;
    memo->slots[i].value = value;
    return true;
}

uc_pickle *uc_pickle_memo_find(const uc_pickle_memo *memo, uint64_t index)
{
    /* The array first: an index that moved there when it grew is newer there. */
    if (index < memo->dense_count && memo->dense[index]) {
        return memo->dense[index];
    }
    return memo->slot_capacity ? memo->slots[slot_of(memo, index)].value : NULL;
}
