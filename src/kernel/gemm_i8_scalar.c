/* gemm_i8.h for any machine: the oracle. */
#include "kernel/gemm_i8_rows.h"

#include <string.h>

enum { MR = 4 };

static void tile(const uint8_t *const a[MR], int rows, int64_t k, const int8_t *panel, int64_t next,
                 int panels, int32_t out[MR][2 * UC_I8_PANEL])
{
    memset(out, 0, sizeof(int32_t) * MR * 2 * UC_I8_PANEL);
    for (int r = 0; r < rows; r++) {
        for (int p = 0; p < panels; p++) {
            uint32_t sum[UC_I8_PANEL] = {0};
            const int8_t *b = panel + p * next;
            for (int64_t i = 0; i < k; i++) {
                const int8_t *at = b + i / 4 * UC_I8_PANEL * 4 + i % 4;
                int32_t v = a[r][i];
                for (int c = 0; c < UC_I8_PANEL; c++) {
                    sum[c] += (uint32_t)(v * at[4 * c]);
                }
            }
            memcpy(out[r] + p * UC_I8_PANEL, sum, sizeof sum);
        }
    }
}

#define TILE tile
#define RUN  uc_gemm_i8_scalar
#include "kernel/gemm_i8.inc"
