/* Which row of each kernel this machine uses: best first, the scalar one last. */
#include "base/cpu.h"
#include "kernel/gemm_rows.h"
#include "kernel/vmath_rows.h"

static const uc_gemm *const gemm_f32[] = {
#if defined(__x86_64__)
    &uc_gemm_f32_avx512,
    &uc_gemm_f32_avx2,
#endif
    &uc_gemm_f32_scalar,
    NULL,
};

static const uc_gemm *const gemm_f64[] = {
#if defined(__x86_64__)
    &uc_gemm_f64_avx512,
    &uc_gemm_f64_avx2,
#endif
    &uc_gemm_f64_scalar,
    NULL,
};

static const uc_gemm *row_of(const uc_gemm *const *rows, int i)
{
    unsigned have = uc_cpu_features();
    for (; *rows; rows++) {
        if (((*rows)->needs & ~have) != 0) continue;
        if (i-- == 0) return *rows;
    }
    return NULL;
}

/* The last row needs nothing, so this ends. */
static const uc_gemm *best_of(const uc_gemm *const *rows)
{
    for (unsigned have = uc_cpu_features(); ((*rows)->needs & ~have) != 0;) {
        rows++;
    }
    return *rows;
}

const uc_gemm *uc_gemm_f32(void) { return best_of(gemm_f32); }

const uc_gemm *uc_gemm_f64(void) { return best_of(gemm_f64); }

const uc_gemm *uc_gemm_f32_row(int i) { return row_of(gemm_f32, i); }

const uc_gemm *uc_gemm_f64_row(int i) { return row_of(gemm_f64, i); }

/* ---- elementary functions ----------------------------------------------------------------- */

static const uc_vmath *const vmath[] = {
#if defined(__x86_64__)
    &uc_vmath_avx512,
    &uc_vmath_avx2,
#endif
    &uc_vmath_scalar,
    NULL,
};

const uc_vmath *uc_vmath_row(int i)
{
    unsigned have = uc_cpu_features();
    for (const uc_vmath *const *row = vmath; *row; row++) {
        if (((*row)->needs & ~have) == 0 && i-- == 0) return *row;
    }
    return NULL;
}

/* The last row needs nothing, so this ends. */
static const uc_vmath *best_vmath(void)
{
    const uc_vmath *const *row = vmath;
    for (unsigned have = uc_cpu_features(); ((*row)->needs & ~have) != 0;) {
        row++;
    }
    return *row;
}

#define FUNCTION(NAME, INDEX)                                  \
    void uc_##NAME##_f64(const double *x, double *y, size_t n) \
    {                                                          \
        best_vmath()->f64[INDEX](x, y, n);                     \
    }                                                          \
    void uc_##NAME##_f32(const float *x, float *y, size_t n) { best_vmath()->f32[INDEX](x, y, n); }

FUNCTION(exp, UC_VMATH_EXP)
FUNCTION(log, UC_VMATH_LOG)
FUNCTION(tanh, UC_VMATH_TANH)
FUNCTION(expit, UC_VMATH_EXPIT)
