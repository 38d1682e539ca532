/* Which row of each kernel this machine uses: best first, the scalar one last. */
#include "base/cpu.h"
#include "kernel/gemm_rows.h"

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

const uc_gemm *uc_gemm_f32(void) { return row_of(gemm_f32, 0); }

const uc_gemm *uc_gemm_f64(void) { return row_of(gemm_f64, 0); }

const uc_gemm *uc_gemm_f32_row(int i) { return row_of(gemm_f32, i); }

const uc_gemm *uc_gemm_f64_row(int i) { return row_of(gemm_f64, i); }
