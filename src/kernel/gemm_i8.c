/* Packing for gemm_i8.h, and which row this machine uses. */
#include "base/bytes.h"
#include "base/cpu.h"
#include "kernel/gemm_i8_rows.h"

static const struct {
    unsigned needs;
    uc_gemm_i8_fn run;
} rows[] = {
#if defined(__x86_64__)
    {UC_CPU_AVX512 | UC_CPU_VNNI, uc_gemm_i8_vnni},
    {UC_CPU_AVX2, uc_gemm_i8_avx2},
#endif
    {UC_CPU_ANY, uc_gemm_i8_scalar},
};

uc_gemm_i8_fn uc_gemm_i8_row(int i)
{
    unsigned have = uc_cpu_features();
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if ((rows[k].needs & ~have) == 0 && i-- == 0) return rows[k].run;
    }
    return NULL;
}

void uc_gemm_i8(const uc_gemm_i8_args *args)
{
    if (args->m > 0 && args->n > 0) uc_gemm_i8_row(0)(args);
}

bool uc_gemm_i8_packed_bytes(int64_t k, int64_t n, size_t *bytes)
{
    if (k < 0 || n < 0 || k > INT64_MAX / 64 || n > INT64_MAX / 128) return false;
    size_t columns = (size_t)uc_i8_panels(n) * UC_I8_PANEL, each = 0;
    return uc_add_size((size_t)uc_i8_fours(k) * 4, sizeof(int32_t), &each) &&
           uc_mul_size(columns, each, bytes);
}

/* One panel, from column j on. */
static void pack_panel(int8_t *to, int32_t *sums, const uint8_t *b, int64_t row, int64_t column,
                       int64_t k, int64_t columns, uint8_t flip)
{
    memset(to, 0, (size_t)uc_i8_fours(k) * UC_I8_PANEL * 4);
    for (int64_t j = 0; j < columns; j++) {
        uint32_t sum = 0;
        for (int64_t i = 0; i < k; i++) {
            int8_t v = (int8_t)(b[i * row + j * column] ^ flip);
            to[(i / 4 * UC_I8_PANEL + j) * 4 + i % 4] = v;
            sum += (uint32_t)v;
        }
        sums[j] = (int32_t)sum;
    }
}

void uc_gemm_i8_pack(void *packed, const void *b, int64_t row, int64_t column, int64_t k, int64_t n,
                     uint8_t flip)
{
    int32_t *sums = packed;
    int64_t panels = uc_i8_panels(n), size = uc_i8_fours(k) * UC_I8_PANEL * 4;
    int8_t *to = (int8_t *)(sums + panels * UC_I8_PANEL);
    memset(sums, 0, (size_t)panels * UC_I8_PANEL * sizeof *sums);
    for (int64_t p = 0; p < panels; p++) {
        int64_t j = p * UC_I8_PANEL, columns = n - j < UC_I8_PANEL ? n - j : UC_I8_PANEL;
        pack_panel(to + p * size, sums + j, (const uint8_t *)b + j * column, row, column, k,
                   columns, flip);
    }
}

void uc_gemm_i8_sums(const uint8_t *a, int64_t lda, int64_t m, int64_t k, int32_t *sums)
{
    for (int64_t i = 0; i < m; i++) {
        uint32_t sum = 0;
        for (int64_t p = 0; p < k; p++) {
            sum += a[i * lda + p];
        }
        sums[i] = (int32_t)sum;
    }
}
