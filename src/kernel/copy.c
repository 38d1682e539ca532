/* Moving elements between strided arrays: a walk whose loop copies. */
#include "kernel/copy.h"

#include "kernel/walk.h"

#define COPY(NAME, BYTES)                                            \
    static void NAME(char *const *p, const int64_t *step, int64_t n) \
    {                                                                \
        if (step[0] == BYTES && step[1] == BYTES) {                  \
            memcpy(p[0], p[1], (size_t)n *BYTES);                    \
            return;                                                  \
        }                                                            \
        for (int64_t i = 0; i < n; i++) {                            \
            memcpy(p[0] + i * step[0], p[1] + i * step[1], BYTES);   \
        }                                                            \
    }

COPY(copy_1, 1)
COPY(copy_2, 2)
COPY(copy_4, 4)
COPY(copy_8, 8)
COPY(copy_16, 16)

static uc_loop_fn loop_of(size_t size)
{
    switch (size) {
    case 1: return copy_1;
    case 2: return copy_2;
    case 4: return copy_4;
    case 8: return copy_8;
    default: return copy_16;
    }
}

void uc_copy_strided(void *to, const int64_t *to_stride, const void *from,
                     const int64_t *from_stride, int rank, const int64_t *shape, size_t size)
{
    uc_walk w;
    uc_walk_begin(&w, rank, shape);
    uc_walk_add(&w, to, size, rank, shape, to_stride);
    uc_walk_add(&w, from, size, rank, shape, from_stride);
    uc_walk_fold(&w);
    uc_walk_run(&w, loop_of(size), NULL);
}

void uc_fill(void *to, const void *from, int64_t n, size_t size)
{
    char *p[UC_WALK_ARRAYS] = {to, (char *)(uintptr_t)from};
    const int64_t step[UC_WALK_ARRAYS] = {(int64_t)size, 0};
    loop_of(size)(p, step, n);
}
