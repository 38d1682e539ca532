/* Which row of the blocked convolutions a block gets on this machine: best first, the scalar one last. */
#include "base/cpu.h"
#include "kernel/conv_blocked_rows.h"

static const uc_conv_row *const rows[] = {
#if defined(__x86_64__)
    &uc_conv_avx512,
    &uc_conv_avx2,
#elif defined(__aarch64__)
    &uc_conv_neon,
#endif
    &uc_conv_scalar,
    NULL,
};

const uc_conv_row *uc_conv_row_at(int i)
{
    const unsigned have = uc_cpu_features();
    for (const uc_conv_row *const *row = rows; *row; row++) {
        if (((*row)->needs & ~have) == 0 && i-- == 0) return *row;
    }
    return NULL;
}

const uc_conv_row *uc_conv_row_for(int64_t block)
{
    const uc_conv_row *row = &uc_conv_scalar;
    for (int i = 0; (row = uc_conv_row_at(i)); i++) {
        if (row->block == block || row->block == 0) return row;
    }
    return &uc_conv_scalar;
}

int64_t uc_conv_best_block(void)
{
    const uc_conv_row *row = uc_conv_row_at(0);
    return row && row->block ? row->block : 8;
}
