/* Distance loops in plain C: the oracle the others are tested against. */
#include "kernel/distance.h"

static void screen(const float *panel, const float *half, const float *x, int64_t ldx, int rows,
                   int64_t width, float *out)
{
    for (int r = 0; r < rows; r++) {
        float *o = out + r * UC_SCREEN_LANES;
        for (int l = 0; l < UC_SCREEN_LANES; l++) {
            o[l] = half[l];
        }
        for (int64_t j = 0; j < width; j++) {
            const float *p = panel + j * UC_SCREEN_LANES;
            float v = x[r * ldx + j];
            for (int l = 0; l < UC_SCREEN_LANES; l++) {
                o[l] -= v * p[l];
            }
        }
    }
}

static int below(const float *v, float limit, uint8_t *hits)
{
    int count = 0;
    for (int i = 0; i < UC_SCREEN_LANES; i++) {
        hits[count] = (uint8_t)i;
        count += v[i] <= limit;
    }
    return count;
}

#define NAME(x) x##_scalar
#include "kernel/distance.inc"
