/* Matrix products: every row of the kernel table against plain float64 sums, and the promise that an
 * element's bits depend on n and k alone. */
#include "check.h"
#include "kernel/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shapes around the edges of tiles, panels and blocks. */
static const int64_t shapes[][3] = {
    {1, 1, 1},       {1, 1, 300},  {5, 1, 67},     {1, 3, 5},     {3, 8, 9},
    {2, 10, 64},     {17, 10, 3},  {1, 33, 40},    {1, 100, 100}, {2, 70, 31},
    {3, 97, 130},    {4, 40, 300}, {14, 32, 70},   {15, 64, 257}, {29, 65, 513},
    {130, 300, 270}, {7, 16, 0},   {197, 768, 70}, {460, 70, 33}, {5, 257, 129},
};

typedef struct problem {
    int64_t m, n, k;
    size_t size;
    void *a, *b, *c, *bias;
} problem;

static double number(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (double)(*seed >> 8) / (1 << 24) - 0.5;
}

static void *numbers(size_t count, size_t size, uint32_t seed)
{
    char *p = malloc(count * size + 1);
    assert_non_null(p);
    for (size_t i = 0; i < count; i++) {
        double v = number(&seed);
        if (size == 4) ((float *)(void *)p)[i] = (float)v;
        if (size == 8) ((double *)(void *)p)[i] = v;
    }
    return p;
}

static problem make(const int64_t *shape, size_t size)
{
    problem p = {.m = shape[0], .n = shape[1], .k = shape[2], .size = size};
    p.a = numbers((size_t)(p.m * p.k), size, 1);
    p.b = numbers((size_t)(p.k * p.n), size, 2);
    p.c = numbers((size_t)(p.m * p.n), size, 3);
    p.bias = numbers((size_t)p.n, size, 4);
    return p;
}

static void done(problem *p)
{
    free(p->a);
    free(p->b);
    free(p->c);
    free(p->bias);
}

static double at(const problem *p, const void *x, int64_t i)
{
    return p->size == 4 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

typedef void (*then)(void *context, int64_t row, int64_t rows, int64_t column, int64_t columns);

static void run_then(const uc_gemm *gemm, problem *p, int64_t first, int64_t rows,
                     uncork_pool *pool, then finish, void *context)
{
    size_t count = 0;
    CHECK(gemm->packed_count(p->k, p->n, &count));
    void *packed = malloc(count * p->size + 1);
    assert_non_null(packed);
    gemm->pack(packed, p->b, p->n, 1, p->k, p->n);
    uc_gemm_args args = {.m = rows,
                         .n = p->n,
                         .k = p->k,
                         .lda = p->k,
                         .packed = packed,
                         .ldc = p->n,
                         .bias = p->bias,
                         .pool = pool,
                         .finish = finish,
                         .finish_context = context};
    args.a = (const char *)p->a + (size_t)(first * p->k) * p->size;
    args.c = (char *)p->c + (size_t)(first * p->n) * p->size;
    gemm->run(&args);
    free(packed);
}

static void run(const uc_gemm *gemm, problem *p, int64_t first, int64_t rows, uncork_pool *pool)
{
    run_then(gemm, p, first, rows, pool, NULL, NULL);
}

/* The error of a sum of k products is at most about k units of the sum of their sizes. */
static void check_sums(const uc_gemm *gemm, const problem *p)
{
    double unit = p->size == 4 ? 6e-8 : 1.2e-16;
    for (int64_t i = 0; i < p->m * p->n; i++) {
        double sum = at(p, p->bias, i % p->n), sizes = fabs(sum);
        for (int64_t k = 0; k < p->k; k++) {
            double v = at(p, p->a, i / p->n * p->k + k) * at(p, p->b, k * p->n + i % p->n);
            sum += v;
            sizes += fabs(v);
        }
        if (fabs(at(p, p->c, i) - sum) <= unit * (double)(p->k + 2) * sizes) continue;
        fail_msg("%s %dx%dx%d: element %d is %.17g instead of %.17g", gemm->name, (int)p->m,
                 (int)p->n, (int)p->k, (int)i, at(p, p->c, i), sum);
    }
}

static const uc_gemm *row_of(size_t size, int i)
{
    return size == 4 ? uc_gemm_f32_row(i) : uc_gemm_f64_row(i);
}

/* ---- what follows a product ---------------------------------------------------------------- */

typedef struct seen {
    int *times;
    int64_t n;
} seen;

static void note(void *context, int64_t row, int64_t rows, int64_t column, int64_t columns)
{
    seen *s = context;
    for (int64_t i = row; i < row + rows; i++) {
        for (int64_t j = column; j < column + columns; j++) {
            s->times[i * s->n + j]++;
        }
    }
}

static void what_follows_sees_every_element_once(void **state)
{
    (void)state;
    uncork_pool *pool = NULL;
    assert_int_equal(uc_pool_new(2, &pool), UNCORK_OK);
    for (int i = 0; uc_gemm_f32_row(i); i++) {
        for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
            problem p = make(shapes[s], 4);
            seen count = {calloc((size_t)(p.m * p.n), sizeof(int)), p.n};
            assert_non_null(count.times);
            run_then(uc_gemm_f32_row(i), &p, 0, p.m, pool, note, &count);
            for (int64_t e = 0; e < p.m * p.n; e++) {
                assert_int_equal(count.times[e], 1);
            }
            check_sums(uc_gemm_f32_row(i), &p);
            free(count.times);
            done(&p);
        }
    }
    uc_pool_free(pool);
}

static void every_row_sums_what_plain_loops_sum(void **state)
{
    (void)state;
    for (size_t size = 4; size <= 8; size += 4) {
        for (int i = 0; row_of(size, i); i++) {
            for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
                problem p = make(shapes[s], size);
                run(row_of(size, i), &p, 0, p.m, NULL);
                check_sums(row_of(size, i), &p);
                done(&p);
            }
        }
    }
}

static void a_row_has_the_same_bits_alone_and_in_any_batch(void **state)
{
    (void)state;
    for (size_t size = 4; size <= 8; size += 4) {
        for (int i = 0; row_of(size, i); i++) {
            for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
                problem p = make(shapes[s], size), alone = make(shapes[s], size);
                run(row_of(size, i), &p, 0, p.m, NULL);
                for (int64_t row = 0, step = 1; row < p.m; row += step, step = step % 5 + 1) {
                    int64_t rows = p.m - row < step ? p.m - row : step;
                    run(row_of(size, i), &alone, row, rows, NULL);
                }
                CHECK_BYTES(alone.c, p.c, (size_t)(p.m * p.n) * size);
                done(&p);
                done(&alone);
            }
        }
    }
}

static void threads_dont_change_a_bit(void **state)
{
    (void)state;
    static const int64_t shape[] = {150, 600, 300};
    uncork_pool *pool = NULL;
    assert_int_equal(uc_pool_new(3, &pool), UNCORK_OK);
    for (size_t size = 4; size <= 8; size += 4) {
        problem one = make(shape, size), three = make(shape, size);
        run(row_of(size, 0), &one, 0, one.m, NULL);
        run(row_of(size, 0), &three, 0, three.m, pool);
        CHECK_BYTES(one.c, three.c, (size_t)(one.m * one.n) * size);
        done(&one);
        done(&three);
    }
    uc_pool_free(pool);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    size_t count = 0;
    for (int i = 0; uc_gemm_f32_row(i); i++) {
        CHECK(!uc_gemm_f32_row(i)->packed_count(INT64_MAX, 3, &count));
        CHECK(!uc_gemm_f32_row(i)->packed_count(3, INT64_MAX, &count));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_sums_what_plain_loops_sum),
        cmocka_unit_test(what_follows_sees_every_element_once),
        cmocka_unit_test(a_row_has_the_same_bits_alone_and_in_any_batch),
        cmocka_unit_test(threads_dont_change_a_bit),
        cmocka_unit_test(sizes_that_overflow_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
