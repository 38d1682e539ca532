/* Moving elements between strided arrays: a walk whose loop copies. Where reading and writing are
 * adjacent along different dimensions both are taken at once, in tiles that stay in the first cache. */
#include "kernel/copy.h"

#include "kernel/walk.h"

#if defined(__SSE2__)
#    include <emmintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

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

/* ---- turning a matrix ---------------------------------------------------------------------- */

enum { TO, FROM, TILE = 16, FEW = 4 };

/* rows x columns elements: written adjacent along columns, read adjacent along rows. */
typedef struct turn {
    int64_t rows, columns;
    int64_t to_row, from_column; /* bytes */
} turn;

/* Pixels of few channels: `few` elements a step of the long dimension, all read before any is written. */
INLINE void turn_few(char *to, int64_t to_long, int64_t to_few, const char *from, int64_t from_long,
                     int64_t from_few, int64_t n, int few, size_t size)
{
    for (int64_t i = 0; i < n; i++) {
        char room[FEW][8];
#pragma GCC unroll 4
        for (int c = 0; c < few; c++) {
            memcpy(room[c], from + i * from_long + c * from_few, size);
        }
#pragma GCC unroll 4
        for (int c = 0; c < few; c++) {
            memcpy(to + i * to_long + c * to_few, room[c], size);
        }
    }
}

INLINE void turn_any_few(char *to, int64_t to_long, int64_t to_few, const char *from,
                         int64_t from_long, int64_t from_few, int64_t n, int64_t few, size_t size)
{
    switch (few) {
    case 2: turn_few(to, to_long, to_few, from, from_long, from_few, n, 2, size); return;
    case 3: turn_few(to, to_long, to_few, from, from_long, from_few, n, 3, size); return;
    default: turn_few(to, to_long, to_few, from, from_long, from_few, n, FEW, size); return;
    }
}

INLINE void turn_edge(char *to, const char *from, const turn *t, int64_t rows, int64_t columns,
                      size_t size)
{
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            memcpy(to + i * t->to_row + j * (int64_t)size,
                   from + j * t->from_column + i * (int64_t)size, size);
        }
    }
}

#if defined(__SSE2__)
/* 16 x 16 bytes: four times, row k is interleaved with row k + 8. */
static void turn_bytes(char *to, const char *from, const turn *t)
{
    __m128i a[TILE], b[TILE];
    for (int j = 0; j < TILE; j++) {
        a[j] = _mm_loadu_si128((const __m128i *)(const void *)(from + j * t->from_column));
    }
    for (int round = 0; round < 4; round++) {
#    pragma GCC unroll 8
        for (int k = 0; k < TILE / 2; k++) {
            b[2 * k] = _mm_unpacklo_epi8(a[k], a[k + TILE / 2]);
            b[2 * k + 1] = _mm_unpackhi_epi8(a[k], a[k + TILE / 2]);
        }
        memcpy(a, b, sizeof a);
    }
    for (int i = 0; i < TILE; i++) {
        _mm_storeu_si128((__m128i *)(void *)(to + i * t->to_row), a[i]);
    }
}

/* 16 x 16 numbers of 4 bytes, four by four. */
static void turn_words(char *to, const char *from, const turn *t)
{
    for (int i = 0; i < TILE; i += 4) {
        for (int j = 0; j < TILE; j += 4) {
            __m128i a[4];
            char *y = to + i * t->to_row + j * 4;
            for (int k = 0; k < 4; k++) {
                const char *x = from + (j + k) * t->from_column + i * 4;
                a[k] = _mm_loadu_si128((const __m128i *)(const void *)x);
            }
            const __m128i b0 = _mm_unpacklo_epi32(a[0], a[1]), b1 = _mm_unpacklo_epi32(a[2], a[3]);
            const __m128i b2 = _mm_unpackhi_epi32(a[0], a[1]), b3 = _mm_unpackhi_epi32(a[2], a[3]);
            _mm_storeu_si128((__m128i *)(void *)y, _mm_unpacklo_epi64(b0, b1));
            _mm_storeu_si128((__m128i *)(void *)(y + t->to_row), _mm_unpackhi_epi64(b0, b1));
            _mm_storeu_si128((__m128i *)(void *)(y + 2 * t->to_row), _mm_unpacklo_epi64(b2, b3));
            _mm_storeu_si128((__m128i *)(void *)(y + 3 * t->to_row), _mm_unpackhi_epi64(b2, b3));
        }
    }
}
#endif

INLINE void turn_tile(char *to, const char *from, const turn *t, size_t size)
{
#if defined(__SSE2__)
    if (size == 1) {
        turn_bytes(to, from, t);
        return;
    }
    if (size == 4) {
        turn_words(to, from, t);
        return;
    }
#endif
    turn_edge(to, from, t, TILE, TILE, size);
}

INLINE void turn_matrix(char *to, const char *from, const turn *t, size_t size)
{
    const int64_t bytes = (int64_t)size;
    if (t->columns <= FEW) {
        turn_any_few(to, t->to_row, bytes, from, bytes, t->from_column, t->rows, t->columns, size);
        return;
    }
    if (t->rows <= FEW) {
        turn_any_few(to, bytes, t->to_row, from, t->from_column, bytes, t->columns, t->rows, size);
        return;
    }
    for (int64_t i = 0; i < t->rows; i += TILE) {
        const int64_t rows = t->rows - i < TILE ? t->rows - i : TILE;
        for (int64_t j = 0; j < t->columns; j += TILE) {
            const int64_t columns = t->columns - j < TILE ? t->columns - j : TILE;
            char *y = to + i * t->to_row + j * bytes;
            const char *x = from + j * t->from_column + i * bytes;
            if (rows == TILE && columns == TILE) {
                turn_tile(y, x, t, size);
            } else {
                turn_edge(y, x, t, rows, columns, size);
            }
        }
    }
}

static void turn_one(char *to, const char *from, const turn *t, size_t size)
{
    switch (size) {
    case 1: turn_matrix(to, from, t, 1); return;
    case 2: turn_matrix(to, from, t, 2); return;
    case 4: turn_matrix(to, from, t, 4); return;
    default: turn_matrix(to, from, t, 8); return;
    }
}

/* The dimension along which reading is adjacent while writing is along the last; -1: there is none. */
static int find_rows(const uc_walk *w, size_t size)
{
    const int last = w->rank - 1;
    if (size > 8 || last < 1 || w->step[last][TO] != (int64_t)size) return -1;
    if (w->step[last][FROM] == (int64_t)size) return -1;
    for (int d = 0; d < last; d++) {
        if (w->step[d][FROM] == (int64_t)size) return d;
    }
    return -1;
}

/* Every matrix of dimension d and the last one; the others are counted through. */
static void turn_all(const uc_walk *w, int d, size_t size)
{
    const int last = w->rank - 1;
    const turn t = {w->shape[d], w->shape[last], w->step[d][TO], w->step[last][FROM]};
    int64_t index[UNCORK_MAX_RANK] = {0};
    char *to = w->base[TO];
    const char *from = w->base[FROM];
    for (;;) {
        int e = last - 1;
        turn_one(to, from, &t, size);
        for (; e >= 0; e--) {
            if (e == d) continue;
            to += w->step[e][TO];
            from += w->step[e][FROM];
            if (++index[e] < w->shape[e]) break;
            to -= w->step[e][TO] * w->shape[e];
            from -= w->step[e][FROM] * w->shape[e];
            index[e] = 0;
        }
        if (e < 0) return;
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
    const int rows = find_rows(&w, size);
    for (int d = 0; d < w.rank; d++) {
        if (w.shape[d] == 0) return;
    }
    if (rows >= 0) {
        turn_all(&w, rows, size);
    } else {
        uc_walk_run(&w, loop_of(size), NULL);
    }
}

void uc_fill(void *to, const void *from, int64_t n, size_t size)
{
    char *p[UC_WALK_ARRAYS] = {to, (char *)(uintptr_t)from};
    const int64_t step[UC_WALK_ARRAYS] = {(int64_t)size, 0};
    loop_of(size)(p, step, n);
}
