/* What the loop_*.c files share: the three ways arrays are usually walked, written once. */
#ifndef UC_KERNEL_LOOP_H
#define UC_KERNEL_LOOP_H

#include "kernel/elementwise.h"

/* o[i] = (TO)(EXPR) with `a` the i-th element. Contiguous, or by steps. */
#define UC_LOOP1(NAME, TO, TI, EXPR)                                            \
    static void NAME(char *const *p, const int64_t *step, int64_t n)            \
    {                                                                           \
        if (step[0] == (int64_t)sizeof(TO) && step[1] == (int64_t)sizeof(TI)) { \
            TO *o = (TO *)(void *)p[0];                                         \
            const TI *x = (const TI *)(const void *)p[1];                       \
            for (int64_t i = 0; i < n; i++) {                                   \
                const TI a = x[i];                                              \
                o[i] = (TO)(EXPR);                                              \
            }                                                                   \
            return;                                                             \
        }                                                                       \
        for (int64_t i = 0; i < n; i++) {                                       \
            const TI a = *(const TI *)(const void *)(p[1] + i * step[1]);       \
            *(TO *)(void *)(p[0] + i * step[0]) = (TO)(EXPR);                   \
        }                                                                       \
    }

#define UC_LOOP2_BODY(TO, TI, X, Y, EXPR) \
    for (int64_t i = 0; i < n; i++) {     \
        const TI a = X, b = Y;            \
        o[i] = (TO)(EXPR);                \
    }

/* The same with a and b: both contiguous, one of them a single number, or by steps. */
#define UC_LOOP2(NAME, TO, TI, EXPR)                                          \
    static void NAME(char *const *p, const int64_t *step, int64_t n)          \
    {                                                                         \
        const int64_t one = (int64_t)sizeof(TI);                              \
        TO *o = (TO *)(void *)p[0];                                           \
        const TI *x = (const TI *)(const void *)p[1];                         \
        const TI *y = (const TI *)(const void *)p[2];                         \
        bool dense = step[0] == (int64_t)sizeof(TO);                          \
        if (dense && step[1] == one && step[2] == one) {                      \
            UC_LOOP2_BODY(TO, TI, x[i], y[i], EXPR)                           \
        } else if (dense && step[1] == one && step[2] == 0) {                 \
            const TI k = y[0];                                                \
            UC_LOOP2_BODY(TO, TI, x[i], k, EXPR)                              \
        } else if (dense && step[1] == 0 && step[2] == one) {                 \
            const TI k = x[0];                                                \
            UC_LOOP2_BODY(TO, TI, k, y[i], EXPR)                              \
        } else {                                                              \
            for (int64_t i = 0; i < n; i++) {                                 \
                const TI a = *(const TI *)(const void *)(p[1] + i * step[1]); \
                const TI b = *(const TI *)(const void *)(p[2] + i * step[2]); \
                *(TO *)(void *)(p[0] + i * step[0]) = (TO)(EXPR);             \
            }                                                                 \
        }                                                                     \
    }

/* By steps only: types too rare to be worth the code. */
#define UC_LOOP2_SMALL(NAME, TO, TI, EXPR)                                \
    static void NAME(char *const *p, const int64_t *step, int64_t n)      \
    {                                                                     \
        for (int64_t i = 0; i < n; i++) {                                 \
            const TI a = *(const TI *)(const void *)(p[1] + i * step[1]); \
            const TI b = *(const TI *)(const void *)(p[2] + i * step[2]); \
            *(TO *)(void *)(p[0] + i * step[0]) = (TO)(EXPR);             \
        }                                                                 \
    }

#endif
