/* Lifetimes to offsets in one block: the largest first, each at the lowest place that is free while
 * it lives. Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference"
 * (2020), greedy by size; within a few percent of the optimum on real networks. */
#include "plan/plan_parts.h"

#include <stdlib.h>

enum { MOST_BY_SIZE = 4096 };

static int larger_first(const void *a, const void *b)
{
    const uc_life *x = *(const uc_life *const *)a, *y = *(const uc_life *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : x > y; /* the same plan every time */
}

static int earlier_first(const void *a, const void *b)
{
    const uc_life *x = *(const uc_life *const *)a, *y = *(const uc_life *const *)b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return larger_first(a, b);
}

static bool overlap(const uc_life *a, const uc_life *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* `placed` is sorted by offset; finds the lowest gap and keeps it sorted. */
static bool place(uc_life *life, uc_life **placed, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const uc_life *other = placed[i];
        if (!overlap(life, other)) continue;
        if (other->offset >= at && other->offset - at >= life->bytes) break;
        size_t end = other->offset + other->bytes;
        if (end > at) at = end;
    }
    if (life->bytes > SIZE_MAX / 2 - at) return false;
    life->offset = at;
    size_t i = count;
    for (; i > 0 && placed[i - 1]->offset > at; i--) {
        placed[i] = placed[i - 1];
    }
    placed[i] = life;
    return true;
}

/* Leaves those that still live at `now`; in the order of time the others meet nobody any more. */
static size_t drop_dead(uc_life **placed, size_t count, size_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (placed[i]->last >= now) placed[kept++] = placed[i];
    }
    return kept;
}

bool uc_plan_memory(uc_life *lives, size_t count, uc_arena *scratch, size_t *total)
{
    uc_life **order = UC_NEW(scratch, uc_life *, count),
            **placed = UC_NEW(scratch, uc_life *, count);
    *total = 0;
    if (!order || !placed) return false;
    for (size_t i = 0; i < count; i++) {
        if (lives[i].bytes > SIZE_MAX / 2) return false;
        lives[i].bytes = (lives[i].bytes + 63) & ~(size_t)63;
        order[i] = &lives[i];
    }
    /* By size every pair is compared, which a hostile pipeline of 100,000 steps makes minutes. */
    bool by_time = count > MOST_BY_SIZE;
    qsort(order, count, sizeof *order, by_time ? earlier_first : larger_first);
    size_t held = 0;
    for (size_t i = 0; i < count; i++) {
        if (by_time) held = drop_dead(placed, held, order[i]->first);
        if (!place(order[i], placed, held++)) return false;
        size_t end = order[i]->offset + order[i]->bytes;
        if (end > *total) *total = end;
    }
    return true;
}
