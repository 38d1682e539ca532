/* Packing for depthwise_u8.h, the row that needs no instruction set, and the choice of a row. */
#include "kernel/depthwise_u8.h"

#include "base/cpu.h"
#include "kernel/requantize.h"

enum { CHANNELS = UC_DEPTHWISE_CHANNELS, TAPS = UC_DEPTHWISE_TAPS };

static int64_t packed_at(int64_t kh, int64_t kw, int64_t channel, int64_t ky, int64_t kx)
{
    const int64_t groups = (kh + TAPS - 1) / TAPS,
                  order = uc_depthwise_u8_order(channel) % CHANNELS;
    return (((channel / CHANNELS * kw + kx) * groups + ky / TAPS) * CHANNELS + order) * TAPS +
           ky % TAPS;
}

void uc_depthwise_u8_pack(const int8_t *w, int64_t c, int64_t kh, int64_t kw, int8_t *to)
{
    for (int64_t channel = 0; channel < c; channel++) {
        for (int64_t ky = 0; ky < kh; ky++) {
            for (int64_t kx = 0; kx < kw; kx++)
                to[packed_at(kh, kw, channel, ky, kx)] = *w++;
        }
    }
}

static int32_t sum_of(const uc_depthwise_u8 *d, int64_t oy, int64_t ox, int64_t channel)
{
    uint32_t sum = (uint32_t)d->bias[uc_depthwise_u8_order(channel)];
    for (int64_t ky = 0; ky < d->kh; ky++) {
        const int64_t iy = oy * d->stride_h + ky * d->dilation_h - d->pad_top;
        for (int64_t kx = 0; kx < d->kw; kx++) {
            const int64_t ix = ox * d->stride_w + kx * d->dilation_w - d->pad_left;
            const int inside = iy >= 0 && iy < d->ih && ix >= 0 && ix < d->iw;
            const int32_t x = inside ? d->x[(iy * d->iw + ix) * d->c + channel] : d->fill[channel];
            const int64_t w = packed_at(d->kh, d->kw, channel, ky, kx);
            sum += (uint32_t)(x * (d->packed[w] + (d->second ? d->second[w] : 0)));
        }
    }
    return (int32_t)sum;
}

void uc_depthwise_u8_scalar(const uc_depthwise_u8 *d, int64_t oy, uint8_t *y)
{
    for (int64_t ox = 0; ox < d->ow; ox++) {
        for (int64_t c = 0; c < d->c; c++) {
            *y++ = uc_requantize(sum_of(d, oy, ox, c), d->scale[uc_depthwise_u8_order(c)], d->zero,
                                 d->low, d->high);
        }
    }
}

uc_depthwise_u8_fn uc_depthwise_u8_row(void)
{
#if defined(__x86_64__)
    if (uc_cpu_features() & UC_CPU_VNNI) return uc_depthwise_u8_vnni;
#endif
    return uc_depthwise_u8_scalar;
}
