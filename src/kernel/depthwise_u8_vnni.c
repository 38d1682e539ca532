/* depthwise_u8.h in 512-bit registers: 64 channels times a few output columns. The bytes of up to four
 * kernel rows of an input column are interleaved once, [channel][row], and meet every output column
 * that sees them. */
#include "kernel/depthwise_u8.h"

#include <immintrin.h>

enum {
    CHANNELS = UC_DEPTHWISE_CHANNELS,
    TAPS = UC_DEPTHWISE_TAPS,
    COLUMNS = 4, /* of output at once: with four registers of sums each */
};

#define INLINE static inline __attribute__((always_inline))

typedef struct quad {
    __m512i v[4];
} quad;

/* [row][64 channels] to [64 channels in order][row]. */
INLINE quad interleave(__m512i r0, __m512i r1, __m512i r2, __m512i r3)
{
    const __m512i low01 = _mm512_unpacklo_epi8(r0, r1), high01 = _mm512_unpackhi_epi8(r0, r1);
    const __m512i low23 = _mm512_unpacklo_epi8(r2, r3), high23 = _mm512_unpackhi_epi8(r2, r3);
    return (quad){{_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
                   _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)}};
}

/* One picture row the kernel sees, or NULL for one outside. */
typedef const uint8_t *row_pointers[UC_DEPTHWISE_MOST_ROWS];

INLINE __m512i pixels(const uc_depthwise_u8 *d, const uint8_t *row, int64_t ix, int64_t channel,
                      __mmask64 lanes)
{
    const int outside = !row || ix < 0 || ix >= d->iw;
    return _mm512_maskz_loadu_epi8(lanes, outside ? d->fill + channel : row + ix * d->c + channel);
}

/* Rows behind the kernel's last meet weights of 0. */
INLINE quad column(const uc_depthwise_u8 *d, const row_pointers rows, int64_t group, int64_t ix,
                   int64_t channel, __mmask64 lanes)
{
    __m512i r[TAPS];
    for (int64_t t = 0; t < TAPS; t++) {
        const int64_t ky = group * TAPS + t;
        r[t] = ky < d->kh ? pixels(d, rows[ky], ix, channel, lanes) : _mm512_setzero_si512();
    }
    return interleave(r[0], r[1], r[2], r[3]);
}

/* Small scales: rounded first, saturated as the numbers are packed. */
INLINE __m512i finish_small(const uc_depthwise_u8 *d, const __m512i *sum, int64_t channel)
{
    const __m512i zero = _mm512_set1_epi16((short)d->zero);
    __m512i v[4];
    for (int i = 0; i < 4; i++) {
        const __m512 scale = _mm512_loadu_ps(d->scale + channel + i * 16);
        v[i] = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sum[i]), scale));
    }
    const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(v[0], v[1]), zero);
    const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(v[2], v[3]), zero);
    const __m512i bytes =
        _mm512_max_epu8(_mm512_packus_epi16(low, high), _mm512_set1_epi8((char)d->low));
    return _mm512_min_epu8(bytes, _mm512_set1_epi8((char)d->high));
}

/* Rounds, saturates, and brings 64 channels back into their order. */
INLINE __m512i finish(const uc_depthwise_u8 *d, const __m512i *sum, int64_t channel)
{
    if (d->small) return finish_small(d, sum, channel);
    __m512i v[4];
    const __m512 least = _mm512_set1_ps((float)(d->low - d->zero));
    const __m512 most = _mm512_set1_ps((float)(d->high - d->zero));
    for (int i = 0; i < 4; i++) {
        const __m512 scale = _mm512_loadu_ps(d->scale + channel + i * 16);
        const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(sum[i]), scale);
        const __m512 kept = _mm512_min_ps(_mm512_max_ps(product, least), most);
        v[i] = _mm512_add_epi32(_mm512_cvtps_epi32(kept), _mm512_set1_epi32(d->zero));
    }
    return _mm512_packus_epi16(_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3]));
}

INLINE void columns_of(const uc_depthwise_u8 *d, const row_pointers rows, int64_t ox,
                       int64_t channel, __mmask64 lanes, const int count, uint8_t *y)
{
    const int64_t groups = (d->kh + TAPS - 1) / TAPS;
    const int8_t *w = d->packed + channel * d->kw * groups * TAPS;
    __m512i sum[COLUMNS][4];
    for (int o = 0; o < count; o++) {
        for (int i = 0; i < 4; i++)
            sum[o][i] = _mm512_loadu_si512(d->bias + channel + i * 16);
    }
    for (int64_t group = 0; group < groups; group++) {
        for (int64_t kx = 0; kx < d->kw; kx++) {
            const int8_t *weights = w + (kx * groups + group) * CHANNELS * TAPS;
            for (int o = 0; o < count; o++) {
                const int64_t ix = (ox + o) * d->stride_w + kx * d->dilation_w - d->pad_left;
                const quad q = column(d, rows, group, ix, channel, lanes);
                for (int i = 0; i < 4; i++) {
                    const __m512i by = _mm512_loadu_si512(weights + i * CHANNELS);
                    sum[o][i] = _mm512_dpbusd_epi32(sum[o][i], q.v[i], by);
                }
            }
        }
    }
    for (int o = 0; o < count; o++)
        _mm512_mask_storeu_epi8(y + (ox + o) * d->c + channel, lanes, finish(d, sum[o], channel));
}

/* The common 3 x 3 of stride 1 without dilation: an input column serves three output columns. */
INLINE void columns_of_3x3(const uc_depthwise_u8 *d, const row_pointers rows, int64_t ox,
                           int64_t channel, __mmask64 lanes, uint8_t *y)
{
    const int8_t *w = d->packed + channel * 3 * TAPS;
    __m512i sum[COLUMNS][4];
    for (int o = 0; o < COLUMNS; o++) {
        for (int i = 0; i < 4; i++)
            sum[o][i] = _mm512_loadu_si512(d->bias + channel + i * 16);
    }
#pragma GCC unroll 6
    for (int x = 0; x < COLUMNS + 2; x++) {
        const quad q = column(d, rows, 0, ox + x - d->pad_left, channel, lanes);
#pragma GCC unroll 3
        for (int kx = 0; kx < 3; kx++) {
            const int o = x - kx;
            if (o < 0 || o >= COLUMNS) continue;
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++) {
                const __m512i by = _mm512_loadu_si512(w + (kx * 4 + i) * CHANNELS);
                sum[o][i] = _mm512_dpbusd_epi32(sum[o][i], q.v[i], by);
            }
        }
    }
    for (int o = 0; o < COLUMNS; o++)
        _mm512_mask_storeu_epi8(y + (ox + o) * d->c + channel, lanes, finish(d, sum[o], channel));
}

void uc_depthwise_u8_vnni(const uc_depthwise_u8 *d, int64_t oy, uint8_t *y)
{
    row_pointers rows;
    const int common = d->kh == 3 && d->kw == 3 && d->stride_w == 1 && d->dilation_w == 1;
    for (int64_t ky = 0; ky < d->kh; ky++) {
        const int64_t iy = oy * d->stride_h + ky * d->dilation_h - d->pad_top;
        rows[ky] = iy >= 0 && iy < d->ih ? d->x + iy * d->iw * d->c : 0;
    }
    for (int64_t channel = 0; channel < d->c; channel += CHANNELS) {
        const int64_t left = d->c - channel;
        const __mmask64 lanes = left < 64 ? ((__mmask64)1 << left) - 1 : ~(__mmask64)0;
        int64_t ox = 0;
        for (; ox + COLUMNS <= d->ow; ox += COLUMNS) {
            if (common) {
                columns_of_3x3(d, rows, ox, channel, lanes, y);
            } else {
                columns_of(d, rows, ox, channel, lanes, COLUMNS, y);
            }
        }
        for (; ox < d->ow; ox++)
            columns_of(d, rows, ox, channel, lanes, 1, y);
    }
}
