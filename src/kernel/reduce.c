/* Reductions: see reduce.h. */
#include "kernel/reduce.h"

#include "kernel/vmath.h"

#include <math.h>

#define PAIRWISE_BLOCK 128
#define COLUMNS        256 /* accumulators of one pass over inner columns */
#define PARALLEL_FROM  65536

/* ---- a row ([red], inner 1) --------------------------------------------------------------- */

/* Source: NumPy, loops_utils.h.src, pairwise_sum: error grows with log n, and the bits are NumPy's. */
#define PAIRWISE(NAME, T, MAP)                                                        \
    static double NAME(const T *x, int64_t n, double shift)                           \
    {                                                                                 \
        (void)shift;                                                                  \
        if (n < 8) {                                                                  \
            double s = 0;                                                             \
            for (int64_t i = 0; i < n; i++) {                                         \
                const double v = (double)x[i];                                        \
                s = i ? s + (MAP) : (MAP);                                            \
            }                                                                         \
            return s;                                                                 \
        }                                                                             \
        if (n > PAIRWISE_BLOCK) {                                                     \
            int64_t half = n / 2;                                                     \
            half -= half % 8;                                                         \
            return NAME(x, half, shift) + NAME(x + half, n - half, shift);            \
        }                                                                             \
        double r[8];                                                                  \
        int64_t i = 8;                                                                \
        for (int k = 0; k < 8; k++) {                                                 \
            const double v = (double)x[k];                                            \
            r[k] = MAP;                                                               \
        }                                                                             \
        for (; i < n - n % 8; i += 8) {                                               \
            for (int k = 0; k < 8; k++) {                                             \
                const double v = (double)x[i + k];                                    \
                r[k] += MAP;                                                          \
            }                                                                         \
        }                                                                             \
        double s = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7])); \
        for (; i < n; i++) {                                                          \
            const double v = (double)x[i];                                            \
            s += MAP;                                                                 \
        }                                                                             \
        return s;                                                                     \
    }

/* exp(x - shift) summed: leaves by arrays, joined as above. */
#define EXP_SUM(NAME, T)                                                   \
    static double NAME(const T *x, int64_t n, double shift)                \
    {                                                                      \
        double e[PAIRWISE_BLOCK];                                          \
        if (n > PAIRWISE_BLOCK) {                                          \
            int64_t half = n / 2;                                          \
            half -= half % 8;                                              \
            return NAME(x, half, shift) + NAME(x + half, n - half, shift); \
        }                                                                  \
        for (int64_t i = 0; i < n; i++) {                                  \
            e[i] = (double)x[i] - shift;                                   \
        }                                                                  \
        uc_exp_f64(e, e, (size_t)n);                                       \
        return sum_f64(e, n, 0);                                           \
    }

#define EXTREME(NAME, T, WORSE, START)                      \
    static double NAME(const T *x, int64_t n, double shift) \
    {                                                       \
        double m = START;                                   \
        (void)shift;                                        \
        for (int64_t i = 0; i < n; i++) {                   \
            const double v = (double)x[i];                  \
            m = m WORSE v || v != v ? v : m;                \
            if (m != m) break;                              \
        }                                                   \
        return m;                                           \
    }

#define PRODUCT(NAME, T)                                    \
    static double NAME(const T *x, int64_t n, double shift) \
    {                                                       \
        double m = 1;                                       \
        (void)shift;                                        \
        for (int64_t i = 0; i < n; i++) {                   \
            m *= (double)x[i];                              \
        }                                                   \
        return m;                                           \
    }

/* ---- columns ([red, inner], `n` <= COLUMNS of them at once) -------------------------------- */

#define COLUMN(NAME, T, START, STEP)                                                           \
    static void NAME(const T *x, int64_t red, int64_t stride, int64_t n, double *restrict acc, \
                     const double *shift)                                                      \
    {                                                                                          \
        (void)shift;                                                                           \
        for (int64_t j = 0; j < n; j++) {                                                      \
            acc[j] = START;                                                                    \
        }                                                                                      \
        for (int64_t r = 0; r < red; r++) {                                                    \
            const T *row = x + r * stride;                                                     \
            for (int64_t j = 0; j < n; j++) {                                                  \
                const double v = (double)row[j], a = acc[j];                                   \
                acc[j] = STEP;                                                                 \
            }                                                                                  \
        }                                                                                      \
    }

#define EXP_COLUMN(NAME, T)                                                                    \
    static void NAME(const T *x, int64_t red, int64_t stride, int64_t n, double *restrict acc, \
                     const double *shift)                                                      \
    {                                                                                          \
        double e[COLUMNS];                                                                     \
        memset(acc, 0, (size_t)n * sizeof *acc);                                               \
        for (int64_t r = 0; r < red; r++) {                                                    \
            for (int64_t j = 0; j < n; j++) {                                                  \
                e[j] = (double)x[r * stride + j] - shift[j];                                   \
            }                                                                                  \
            uc_exp_f64(e, e, (size_t)n);                                                       \
            for (int64_t j = 0; j < n; j++) {                                                  \
                acc[j] += e[j];                                                                \
            }                                                                                  \
        }                                                                                      \
    }

/* ---- the ends ----------------------------------------------------------------------------- */

static double finish(uc_reduce op, double v, double shift, int64_t red)
{
    switch (op) {
    case UC_REDUCE_MEAN: return v / (double)red;
    case UC_REDUCE_L2: return sqrt(v);
    case UC_REDUCE_LOG_SUM: return log(v);
    case UC_REDUCE_LOG_SUM_EXP: return log(v) + shift;
    case UC_REDUCE_SUM:
    case UC_REDUCE_PROD:
    case UC_REDUCE_MAX:
    case UC_REDUCE_MIN:
    case UC_REDUCE_L1:
    case UC_REDUCE_SUM_SQUARE: break;
    }
    return v;
}

/* The maximum is taken out so that exp can't overflow; an infinite one would give inf - inf. */
static double shift_of(double max) { return isinf(max) ? 0 : max; }

/* ---- both types --------------------------------------------------------------------------- */

#define REDUCE(S, T)                                                                               \
    PAIRWISE(sum_##S, T, v)                                                                        \
    PAIRWISE(l1_##S, T, fabs(v))                                                                   \
    PAIRWISE(square_##S, T, v *v)                                                                  \
    EXP_SUM(exp_##S, T)                                                                            \
    EXTREME(max_##S, T, <, -HUGE_VAL)                                                              \
    EXTREME(min_##S, T, >, HUGE_VAL)                                                               \
    PRODUCT(prod_##S, T)                                                                           \
    COLUMN(sum_columns_##S, T, 0, a + v)                                                           \
    COLUMN(l1_columns_##S, T, 0, a + fabs(v))                                                      \
    COLUMN(square_columns_##S, T, 0, a + v * v)                                                    \
    EXP_COLUMN(exp_columns_##S, T)                                                                 \
    COLUMN(max_columns_##S, T, -HUGE_VAL, a < v || v != v ? v : a)                                 \
    COLUMN(min_columns_##S, T, HUGE_VAL, a > v || v != v ? v : a)                                  \
    COLUMN(prod_columns_##S, T, 1, a *v)                                                           \
                                                                                                   \
    typedef double (*row_fn_##S)(const T *, int64_t, double);                                      \
    typedef void (*column_fn_##S)(const T *, int64_t, int64_t, int64_t, double *, const double *); \
    typedef struct job_##S {                                                                       \
        uc_reduce op;                                                                              \
        const T *x;                                                                                \
        T *y;                                                                                      \
        int64_t red, inner;                                                                        \
        row_fn_##S row;                                                                            \
        column_fn_##S column;                                                                      \
    } job_##S;                                                                                     \
                                                                                                   \
    static void rows_##S(void *context, int64_t begin, int64_t end, int thread)                    \
    {                                                                                              \
        const job_##S *j = context;                                                                \
        (void)thread;                                                                              \
        for (int64_t i = begin; i < end; i++) {                                                    \
            const T *x = j->x + i * j->red;                                                        \
            bool exps = j->op == UC_REDUCE_LOG_SUM_EXP;                                            \
            double shift = exps ? shift_of(max_##S(x, j->red, 0)) : 0;                             \
            j->y[i] = (T)finish(j->op, j->row(x, j->red, shift), shift, j->red);                   \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void columns_##S(void *context, int64_t begin, int64_t end, int thread)                 \
    {                                                                                              \
        const job_##S *j = context;                                                                \
        double acc[COLUMNS], shift[COLUMNS] = {0};                                                 \
        int64_t blocks = (j->inner + COLUMNS - 1) / COLUMNS;                                       \
        (void)thread;                                                                              \
        for (int64_t i = begin; i < end; i++) {                                                    \
            int64_t at = i % blocks * COLUMNS, left = j->inner - at;                               \
            int64_t n = left < COLUMNS ? left : COLUMNS;                                           \
            const T *x = j->x + i / blocks * j->red * j->inner + at;                               \
            T *y = j->y + i / blocks * j->inner + at;                                              \
            if (j->op == UC_REDUCE_LOG_SUM_EXP) {                                                  \
                max_columns_##S(x, j->red, j->inner, n, shift, NULL);                              \
                for (int64_t c = 0; c < n; c++) {                                                  \
                    shift[c] = shift_of(shift[c]);                                                 \
                }                                                                                  \
            }                                                                                      \
            j->column(x, j->red, j->inner, n, acc, shift);                                         \
            for (int64_t c = 0; c < n; c++) {                                                      \
                y[c] = (T)finish(j->op, acc[c], shift[c], j->red);                                 \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    void uc_reduce_##S(uc_reduce op, const T *x, T *y, int64_t outer, int64_t red, int64_t inner,  \
                       uncork_pool *pool)                                                          \
    {                                                                                              \
        static const struct {                                                                      \
            row_fn_##S row;                                                                        \
            column_fn_##S column;                                                                  \
        } table[] = {                                                                              \
            [UC_REDUCE_SUM] = {sum_##S, sum_columns_##S},                                          \
            [UC_REDUCE_MEAN] = {sum_##S, sum_columns_##S},                                         \
            [UC_REDUCE_PROD] = {prod_##S, prod_columns_##S},                                       \
            [UC_REDUCE_MAX] = {max_##S, max_columns_##S},                                          \
            [UC_REDUCE_MIN] = {min_##S, min_columns_##S},                                          \
            [UC_REDUCE_L1] = {l1_##S, l1_columns_##S},                                             \
            [UC_REDUCE_L2] = {square_##S, square_columns_##S},                                     \
            [UC_REDUCE_SUM_SQUARE] = {square_##S, square_columns_##S},                             \
            [UC_REDUCE_LOG_SUM] = {sum_##S, sum_columns_##S},                                      \
            [UC_REDUCE_LOG_SUM_EXP] = {exp_##S, exp_columns_##S},                                  \
        };                                                                                         \
        job_##S j = {op, x, y, red, inner, table[op].row, table[op].column};                       \
        int64_t blocks = inner == 1 ? 1 : (inner + COLUMNS - 1) / COLUMNS;                         \
        bool small = outer * red * inner < PARALLEL_FROM;                                          \
        int64_t piece = 8192 / (red * (inner < COLUMNS ? inner : COLUMNS) + 1) + 1;                \
        uc_parallel(small ? NULL : pool, outer *blocks, piece,                                     \
                    inner == 1 ? rows_##S : columns_##S, &j);                                      \
    }

REDUCE(f64, double)
REDUCE(f32, float)

/* ---- integers ----------------------------------------------------------------------------- */

#define REDUCE_INT(S, T, LOWEST, HIGHEST, ABS)                                                    \
    static T step_##S(uc_reduce op, T a, T v)                                                     \
    {                                                                                             \
        switch (op) {                                                                             \
        case UC_REDUCE_PROD: return (T)((uint64_t)a * (uint64_t)v);                               \
        case UC_REDUCE_MAX: return v > a ? v : a;                                                 \
        case UC_REDUCE_MIN: return v < a ? v : a;                                                 \
        case UC_REDUCE_L1: return (T)((uint64_t)a + ABS);                                         \
        case UC_REDUCE_SUM_SQUARE: return (T)((uint64_t)a + (uint64_t)v * (uint64_t)v);           \
        case UC_REDUCE_SUM:                                                                       \
        case UC_REDUCE_MEAN:                                                                      \
        case UC_REDUCE_L2:                                                                        \
        case UC_REDUCE_LOG_SUM:                                                                   \
        case UC_REDUCE_LOG_SUM_EXP: break;                                                        \
        }                                                                                         \
        return (T)((uint64_t)a + (uint64_t)v);                                                    \
    }                                                                                             \
    void uc_reduce_##S(uc_reduce op, const T *x, T *y, int64_t outer, int64_t red, int64_t inner) \
    {                                                                                             \
        T start = 0;                                                                              \
        if (op == UC_REDUCE_PROD) start = 1;                                                      \
        if (op == UC_REDUCE_MAX) start = LOWEST;                                                  \
        if (op == UC_REDUCE_MIN) start = HIGHEST;                                                 \
        for (int64_t o = 0; o < outer; o++, x += red * inner, y += inner) {                       \
            for (int64_t j = 0; j < inner; j++) {                                                 \
                y[j] = start;                                                                     \
            }                                                                                     \
            for (int64_t r = 0; r < red; r++) {                                                   \
                for (int64_t j = 0; j < inner; j++) {                                             \
                    y[j] = step_##S(op, y[j], x[r * inner + j]);                                  \
                }                                                                                 \
            }                                                                                     \
            for (int64_t j = 0; op == UC_REDUCE_MEAN && red > 0 && j < inner; j++) {              \
                y[j] = (T)(y[j] / (T)red);                                                        \
            }                                                                                     \
        }                                                                                         \
    }

REDUCE_INT(i64, int64_t, INT64_MIN, INT64_MAX, (v < 0 ? 0 - (uint64_t)v : (uint64_t)v))
REDUCE_INT(u64, uint64_t, 0, UINT64_MAX, v)

/* ---- index of the largest or smallest ----------------------------------------------------- */

/* Whether v takes the place of the best so far: NaN beats numbers, the first NaN stays. */
#define ARG(S, T, IS_NAN)                                                                  \
    static int64_t arg_##S(const T *x, int64_t red, int64_t inner, bool max, bool last)    \
    {                                                                                      \
        int64_t at = 0;                                                                    \
        T best = x[0];                                                                     \
        for (int64_t r = 1; r < red; r++) {                                                \
            if (IS_NAN(best)) break;                                                       \
            const T v = x[r * inner];                                                      \
            bool better = IS_NAN(v) || (max ? v > best : v < best) || (last && v == best); \
            at = better ? r : at;                                                          \
            best = better ? v : best;                                                      \
        }                                                                                  \
        return at;                                                                         \
    }

#define NEVER(v)  false
#define UNLIKE(v) ((v) != (v))
ARG(f64, double, UNLIKE)
ARG(f32, float, UNLIKE)
ARG(i64, int64_t, NEVER)
ARG(i32, int32_t, NEVER)
ARG(i16, int16_t, NEVER)
ARG(i8, int8_t, NEVER)
ARG(u64, uint64_t, NEVER)
ARG(u32, uint32_t, NEVER)
ARG(u16, uint16_t, NEVER)
ARG(u8, uint8_t, NEVER)

#define ARG_CASE(D, S, T)                                                               \
    case D:                                                                             \
        for (int64_t o = 0; o < a->outer; o++) {                                        \
            for (int64_t j = 0; j < a->inner; j++) {                                    \
                const T *x = (const T *)a->x + o * a->red * a->inner + j;               \
                a->y[o * a->inner + j] = arg_##S(x, a->red, a->inner, a->max, a->last); \
            }                                                                           \
        }                                                                               \
        return true;

bool uc_arg_reduce_run(const uc_arg_reduce *a)
{
    switch ((int)a->dtype) {
        ARG_CASE(UNCORK_FLOAT64, f64, double)
        ARG_CASE(UNCORK_FLOAT32, f32, float)
        ARG_CASE(UNCORK_INT64, i64, int64_t)
        ARG_CASE(UNCORK_INT32, i32, int32_t)
        ARG_CASE(UNCORK_INT16, i16, int16_t)
        ARG_CASE(UNCORK_INT8, i8, int8_t)
        ARG_CASE(UNCORK_UINT64, u64, uint64_t)
        ARG_CASE(UNCORK_UINT32, u32, uint32_t)
        ARG_CASE(UNCORK_UINT16, u16, uint16_t)
        ARG_CASE(UNCORK_UINT8, u8, uint8_t)
        ARG_CASE(UNCORK_BOOL, u8, uint8_t)
    default: return false;
    }
}
