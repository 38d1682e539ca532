/* Products of 8-bit integers: every row of the kernel table against plain sums, bit for bit. */
#include "check.h"
#include "kernel/gemm_i8.h"
#include "kernel/quantize_rows.h"
#include "kernel/requantize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t shapes[][3] = {
    {1, 1, 1},   {1, 1, 300}, {5, 1, 67},   {1, 3, 5},     {3, 8, 9},     {2, 10, 64},
    {17, 10, 3}, {1, 33, 40}, {12, 16, 16}, {13, 17, 130}, {97, 65, 255}, {7, 16, 0},
};

static uint32_t seed = 1;

static uint8_t byte(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 29 ? (uint8_t)(seed >> 20) : 255; /* many extremes: they would saturate */
}

typedef struct problem {
    uint8_t *a, *b, *packed;
    int32_t *a_zero, *b_zero, *sums, *bias, *want, *got;
    float *scale;
    uint8_t *bytes;
} problem;

static void *room(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    assert_non_null(p);
    return p;
}

static problem make(int64_t m, int64_t n, int64_t k)
{
    size_t bytes = 0, mn = (size_t)(m * n);
    CHECK(uc_gemm_i8_packed_bytes(k, n, &bytes));
    problem p = {.a = room((size_t)(m * k), 1)};
    p.b = room((size_t)(k * n), 1);
    p.packed = room(bytes, 1);
    p.a_zero = room((size_t)m, 4);
    p.b_zero = room((size_t)n, 4);
    p.sums = room((size_t)m, 4);
    p.bias = room((size_t)n, 4);
    p.want = room(mn, 4);
    p.got = room(mn, 4);
    p.scale = room((size_t)n, 4);
    p.bytes = room(mn, 1);
    for (int64_t i = 0; i < m * k; i++) {
        p.a[i] = byte();
    }
    for (int64_t i = 0; i < k * n; i++) {
        p.b[i] = byte();
    }
    for (int64_t i = 0; i < m; i++) {
        p.a_zero[i] = byte();
    }
    for (int64_t j = 0; j < n; j++) {
        p.b_zero[j] = (int8_t)byte();
        p.bias[j] = byte() * 1000 - 100000;
        p.scale[j] = (float)byte() * 1e-5f;
    }
    uc_gemm_i8_pack(p.packed, p.b, n, 1, k, n, 0);
    uc_gemm_i8_sums(p.a, k, m, k, p.sums);
    for (int64_t i = 0; i < m * n; i++) {
        int64_t sum = p.bias[i % n];
        for (int64_t q = 0; q < k; q++) {
            sum += (p.a[i / n * k + q] - p.a_zero[i / n]) *
                   ((int8_t)p.b[q * n + i % n] - p.b_zero[i % n]);
        }
        p.want[i] = (int32_t)sum;
    }
    return p;
}

static void done(problem *p)
{
    void *all[] = {p->a,    p->b,    p->packed, p->a_zero, p->b_zero, p->sums,
                   p->bias, p->want, p->got,    p->scale,  p->bytes};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]);
    }
}

static void every_row_sums_exactly_and_requantises_alike(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        int64_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
        problem p = make(m, n, k);
        uc_gemm_i8_args args = {.m = m,
                                .n = n,
                                .k = k,
                                .a = p.a,
                                .lda = k,
                                .packed = p.packed,
                                .a_zero = p.a_zero,
                                .a_zero_step = 1,
                                .b_zero = p.b_zero,
                                .b_zero_step = 1,
                                .a_sums = p.sums,
                                .bias = p.bias,
                                .sums = p.got,
                                .c_row = n,
                                .c_column = 1};
        uc_gemm_i8_args turned = args;
        turned.sums = NULL;
        turned.bytes = p.bytes;
        turned.c_row = 1;
        turned.c_column = m;
        turned.scale = p.scale;
        turned.scale_step = 1;
        turned.zero = 3;
        turned.low = -128;
        turned.high = 127;
        for (int i = 0; uc_gemm_i8_row(i); i++) {
            memset(p.got, 0, (size_t)(m * n) * 4);
            uc_gemm_i8_row(i)(&args);
            CHECK(memcmp(p.got, p.want, (size_t)(m * n) * 4) == 0);
            uc_gemm_i8_row(i)(&turned);
            for (int64_t e = 0; e < m * n; e++) {
                uint8_t want = uc_requantize(p.want[e], p.scale[e % n], 3, -128, 127);
                CHECK_INT(p.bytes[e % n * m + e / n], want);
            }
        }
        done(&p);
    }
}

static void halves_round_to_even_and_nan_is_the_least(void **state)
{
    (void)state;
    CHECK_INT(uc_requantize(5, 0.5f, 0, 0, 255), 2);
    CHECK_INT(uc_requantize(7, 0.5f, 0, 0, 255), 4);
    CHECK_INT(uc_requantize(1000, 1, 10, 0, 255), 255);
    CHECK_INT(uc_requantize(1, NAN, 10, 0, 255), 0);
}

static void every_quantising_row_gives_the_same_bits(void **state)
{
    (void)state;
    enum { N = 77 };
    float x[N], scale[N], back[2][N], low[2], high[2];
    int32_t zero[N];
    uint8_t got[2][2][2 * N];
    for (int i = 0; i < N; i++) {
        x[i] = ((float)byte() - 100) * 0.37f;
        scale[i] = (float)(byte() % 7) * 0.11f; /* 0 as well */
        zero[i] = byte();
    }
    x[5] = NAN;
    x[6] = INFINITY;
    x[7] = -INFINITY;
    for (int step = 0; step < 2; step++) {
        uc_quant_row q = {scale + 1, zero, step, 0, 255};
        if (step == 0) scale[1] = 0.25f;
        for (int i = 0; uc_quant_fns_row(i); i++) {
            const uc_quant_fns *row = uc_quant_fns_row(i);
            for (int bytes = 1; bytes <= 2; bytes++) {
                row->quantize(&q, x, got[bytes - 1][i > 0], bytes, N - 1);
                CHECK(memcmp(got[bytes - 1][i > 0], got[bytes - 1][0], (size_t)bytes * (N - 1)) ==
                      0);
            }
            row->dequantize(&q, x, back[i > 0], N - 1);
            row->range(x, N, &low[i > 0], &high[i > 0]);
            CHECK(memcmp(back[i > 0], back[0], sizeof(float) * (N - 1)) == 0);
            CHECK(low[i > 0] == low[0] && high[i > 0] == high[0]);
        }
    }
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    size_t bytes = 0;
    CHECK(!uc_gemm_i8_packed_bytes(INT64_MAX, 3, &bytes));
    CHECK(!uc_gemm_i8_packed_bytes(INT64_MAX / 128, INT64_MAX / 256, &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_sums_exactly_and_requantises_alike),
        cmocka_unit_test(halves_round_to_even_and_nan_is_the_least),
        cmocka_unit_test(every_quantising_row_gives_the_same_bits),
        cmocka_unit_test(sizes_that_overflow_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
