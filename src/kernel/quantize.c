/* Which row of quantize.h this machine uses. */
#include "base/cpu.h"
#include "kernel/quantize_rows.h"

static const struct {
    unsigned needs;
    const uc_quant_fns *fns;
} rows[] = {
#if defined(__x86_64__)
    {UC_CPU_AVX512, &uc_quant_avx512},
    {UC_CPU_AVX2, &uc_quant_avx2},
#endif
    {UC_CPU_ANY, &uc_quant_scalar},
};

const uc_quant_fns *uc_quant_fns_row(int i)
{
    unsigned have = uc_cpu_features();
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if ((rows[k].needs & ~have) == 0 && i-- == 0) return rows[k].fns;
    }
    return NULL;
}

void uc_quantize(const uc_quant_row *q, const float *x, void *y, int bytes, int64_t n)
{
    uc_quant_fns_row(0)->quantize(q, x, y, bytes, n);
}

void uc_dequantize(const uc_quant_row *q, const float *x, float *y, int64_t n)
{
    uc_quant_fns_row(0)->dequantize(q, x, y, n);
}

void uc_quant_range(const float *x, int64_t n, float *low, float *high)
{
    uc_quant_fns_row(0)->range(x, n, low, high);
}
