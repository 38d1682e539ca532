/* Kernels against this machine's own peak, measured in the same run: one line a case with name, shape,
 * type, threads, median, p90 and the share of the peak. Best of interleaved rounds, so that the clock's
 * moods hit all alike. */
#include "base/budget.h"
#include "base/cpu.h"
#include "base/thread.h"
#include "kernel/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 41 };

typedef struct times {
    double us[ROUNDS];
    int count;
} times;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(times *t, double q)
{
    qsort(t->us, (size_t)t->count, sizeof t->us[0], compare);
    return t->us[(int)(q * (t->count - 1))];
}

/* Nanoseconds of this thread alone (one thread) or of the wall: a shared machine must not count. */
static double now_ns(bool alone)
{
    struct timespec t;
    clock_gettime(alone ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- the peak: fused multiply-adds on registers alone --------------------------------------- */

#if defined(__x86_64__)
#    define CHAINS 12 /* two units, four cycles deep, and some */

typedef float v16f __attribute__((vector_size(64)));
typedef double v8d __attribute__((vector_size(64)));

#    define STEP(SUFFIX, n) "vfmadd231" SUFFIX " %12, %12, %" #    n "\n\t"

/* Variables, not an array, so that they stay in registers. */
#    define PEAK(NAME, T, V, ISA, SUFFIX)                                                         \
        __attribute__((target(ISA), noinline)) static double NAME(long steps)                     \
        {                                                                                         \
            V z = {0}, a = z, b = z, c = z, d = z, e = z, f = z, g = z, h = z, i = z, j = z,      \
              k = z, l = z;                                                                       \
            double begin = now_ns(true);                                                          \
            for (long s = 0; s < steps; s++) {                                                    \
                __asm__ volatile(STEP(SUFFIX, 0) STEP(SUFFIX, 1) STEP(SUFFIX, 2) STEP(SUFFIX, 3)  \
                                     STEP(SUFFIX, 4) STEP(SUFFIX, 5) STEP(SUFFIX, 6)              \
                                         STEP(SUFFIX, 7) STEP(SUFFIX, 8) STEP(SUFFIX, 9)          \
                                             STEP(SUFFIX, 10) STEP(SUFFIX, 11)                    \
                                 : "+v"(a), "+v"(b), "+v"(c), "+v"(d), "+v"(e), "+v"(f), "+v"(g), \
                                   "+v"(h), "+v"(i), "+v"(j), "+v"(k), "+v"(l)                    \
                                 : "v"(z));                                                       \
            }                                                                                     \
            double ns = now_ns(true) - begin;                                                     \
            return 2.0 * CHAINS * (double)(sizeof(V) / sizeof(T)) * (double)steps / ns;           \
        }

typedef float v8f __attribute__((vector_size(32)));
typedef double v4d __attribute__((vector_size(32)));
PEAK(peak_f32_avx512, float, v16f, "avx512f", "ps")
PEAK(peak_f64_avx512, double, v8d, "avx512f", "pd")
PEAK(peak_f32_avx2, float, v8f, "avx2,fma", "ps")
PEAK(peak_f64_avx2, double, v4d, "avx2,fma", "pd")

/* GFLOP/s of one core now; 0: not measured. */
static double peak(size_t size)
{
    const long steps = 30000;
    if (uc_cpu_features() & UC_CPU_AVX512) {
        return size == 4 ? peak_f32_avx512(steps) : peak_f64_avx512(steps);
    }
    if (uc_cpu_features() & UC_CPU_AVX2) {
        return size == 4 ? peak_f32_avx2(steps) : peak_f64_avx2(steps);
    }
    return 0;
}
#else
static double peak(size_t size) { return (double)(size - size); }
#endif

/* ---- matrix products ---------------------------------------------------------------------- */

static void fill(void *to, size_t count, size_t size)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        double v = (double)(seed >> 8) / (1 << 24) - 0.5;
        if (size == 4) ((float *)to)[i] = (float)v;
        if (size == 8) ((double *)to)[i] = v;
    }
}

static void bench_gemm(const uc_gemm *gemm, size_t size, int64_t m, int64_t n, int64_t k,
                       uncork_pool *pool)
{
    size_t count = 0;
    if (!gemm->packed_count(k, n, &count)) return;
    void *a = aligned_alloc(64, ((size_t)(m * k) * size + 127) & ~(size_t)63);
    void *b = aligned_alloc(64, ((size_t)(k * n) * size + 127) & ~(size_t)63);
    void *c = aligned_alloc(64, ((size_t)(m * n) * size + 127) & ~(size_t)63);
    void *packed = aligned_alloc(64, (count * size + 127) & ~(size_t)63);
    if (!a || !b || !c || !packed) abort();
    fill(a, (size_t)(m * k), size);
    fill(b, (size_t)(k * n), size);
    gemm->pack(packed, b, n, 1, k, n);
    uc_gemm_args args = {
        .m = m, .n = n, .k = k, .a = a, .lda = k, .packed = packed, .c = c, .ldc = n, .pool = pool};
    double flops = 2.0 * (double)m * (double)n * (double)k;
    int inner = flops > 1e7 ? 1 : (int)(1e7 / flops) + 1, threads = uc_pool_threads(pool);
    times t = {.count = 0}, share = {.count = 0};
    for (int r = 0; r < ROUNDS; r++) {
        double top = peak(size), begin = now_ns(!pool);
        for (int i = 0; i < inner; i++) {
            gemm->run(&args);
        }
        double us = (now_ns(!pool) - begin) / 1e3 / inner, again = peak(size);
        t.us[t.count++] = us;
        /* Against the peak just before and after: both share the core with the same neighbours. */
        share.us[share.count++] = 100 * flops / us / 1e3 / ((top > again ? top : again) * threads);
    }
    double median = quantile(&t, 0.5), p90 = quantile(&t, 0.9);
    printf("gemm %-7s %5lldx%5lldx%5lld %s threads %d  median %9.2f us  p90 %9.2f  best %9.2f  "
           "%6.1f GFLOP/s, %5.1f %% of the peak (p90 %.1f)\n",
           gemm->name, (long long)m, (long long)n, (long long)k, size == 4 ? "f32" : "f64", threads,
           median, p90, t.us[0], flops / t.us[0] / 1e3, quantile(&share, 0.5),
           quantile(&share, 0.9));
    free(a);
    free(b);
    free(c);
    free(packed);
}

int main(void)
{
    static const int64_t shapes[][3] = {{512, 512, 512}, {1024, 1024, 1024}, {1000, 10, 64},
                                        {2000, 10, 784}, {10000, 1, 64},     {1, 10, 64},
                                        {1, 1000, 2048}, {1, 100, 100},      {64, 64, 64},
                                        {100, 1797, 64}, {3, 512, 512}};
    uncork_pool *pool = NULL;
    if (uc_pool_new(0, &pool)) return 1;
    printf("cpu: %s, %d cores\n", uc_cpu_text(), uc_cpu_cores());
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int threads = 1; threads <= (i < 2 ? 2 : 1); threads++) {
            uncork_pool *use = threads > 1 ? pool : NULL;
            bench_gemm(uc_gemm_f32(), 4, shapes[i][0], shapes[i][1], shapes[i][2], use);
            bench_gemm(uc_gemm_f64(), 8, shapes[i][0], shapes[i][1], shapes[i][2], use);
        }
    }
    uc_pool_free(pool);
    return 0;
}
