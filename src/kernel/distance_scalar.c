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

static uint64_t below(const float *v, float limit)
{
    uint64_t mask = 0;
    for (int i = 0; i < UC_SCREEN_LANES; i++) {
        mask |= (uint64_t)(v[i] <= limit) << i;
    }
    return mask;
}

static void squares(const double *x, const double *y, const int64_t *index, int64_t count,
                    int64_t width, double *out)
{
    for (int64_t i = 0; i < count; i++) {
        const double *row = y + index[i] * width;
        double sum = 0.0;
        for (int64_t j = 0; j < width; j++) {
            sum += (x[j] - row[j]) * (x[j] - row[j]);
        }
        out[i] = sum;
    }
}

#define NAME(x) x##_scalar
#define VECTOR  16
#include "kernel/distance.inc"
