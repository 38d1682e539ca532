/* depthwise_u8.h in 512-bit registers: 64 channels times a few output columns. The bytes of up to four
 * kernel rows of an input column are interleaved once, [channel][row], and meet every output column
 * that sees them. */
#include "kernel/depthwise_u8.h"

#include <immintrin.h>
#include <string.h>

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

/* The sums of a quad times a tap's weights, those of `second` too. */
INLINE void add_tap(const uc_depthwise_u8 *d, const quad *q, int64_t at, const int twice,
                    __m512i *sum)
{
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        const __m512i by = _mm512_loadu_si512(d->packed + at + i * CHANNELS);
        sum[i] = _mm512_dpbusd_epi32(sum[i], q->v[i], by);
        if (!twice) continue;
        const __m512i more = _mm512_loadu_si512(d->second + at + i * CHANNELS);
        sum[i] = _mm512_dpbusd_epi32(sum[i], q->v[i], more);
    }
}

INLINE void columns_of(const uc_depthwise_u8 *d, const row_pointers rows, int64_t ox,
                       int64_t channel, __mmask64 lanes, const int count, const int twice,
                       uint8_t *y)
{
    const int64_t groups = (d->kh + TAPS - 1) / TAPS;
    const int64_t w = channel * d->kw * groups * TAPS;
    __m512i sum[COLUMNS][4];
    for (int o = 0; o < count; o++) {
        for (int i = 0; i < 4; i++)
            sum[o][i] = _mm512_loadu_si512(d->bias + channel + i * 16);
    }
    for (int64_t group = 0; group < groups; group++) {
        for (int64_t kx = 0; kx < d->kw; kx++) {
            const int64_t weights = w + (kx * groups + group) * CHANNELS * TAPS;
            for (int o = 0; o < count; o++) {
                const int64_t ix = (ox + o) * d->stride_w + kx * d->dilation_w - d->pad_left;
                const quad q = column(d, rows, group, ix, channel, lanes);
                add_tap(d, &q, weights, twice, sum[o]);
            }
        }
    }
    for (int o = 0; o < count; o++)
        _mm512_mask_storeu_epi8(y + (ox + o) * d->c + channel, lanes, finish(d, sum[o], channel));
}

/* The common 3 x 3 of stride 1 without dilation: an input column serves three output columns. */
INLINE void columns_of_3x3(const uc_depthwise_u8 *d, const row_pointers rows, int64_t ox,
                           int64_t channel, __mmask64 lanes, const int twice, uint8_t *y)
{
    const int64_t w = channel * 3 * TAPS;
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
            add_tap(d, &q, w + kx * 4 * CHANNELS, twice, sum[o]);
        }
    }
    for (int o = 0; o < COLUMNS; o++)
        _mm512_mask_storeu_epi8(y + (ox + o) * d->c + channel, lanes, finish(d, sum[o], channel));
}

INLINE void wide_row(const uc_depthwise_u8 *d, const row_pointers rows, const int twice, uint8_t *y)
{
    const int common = d->kh == 3 && d->kw == 3 && d->stride_w == 1 && d->dilation_w == 1;
    for (int64_t channel = 0; channel < d->c; channel += CHANNELS) {
        const int64_t left = d->c - channel;
        const __mmask64 lanes = left < 64 ? ((__mmask64)1 << left) - 1 : ~(__mmask64)0;
        int64_t ox = 0;
        for (; ox + COLUMNS <= d->ow; ox += COLUMNS) {
            if (common) {
                columns_of_3x3(d, rows, ox, channel, lanes, twice, y);
            } else {
                columns_of(d, rows, ox, channel, lanes, COLUMNS, twice, y);
            }
        }
        for (; ox < d->ow; ox++)
            columns_of(d, rows, ox, channel, lanes, 1, twice, y);
    }
}

/* ---- few channels: a register is a run of pixels ------------------------------------------------ */

INLINE void copy_pixel(uint8_t *to, const uint8_t *from, int64_t c)
{
    switch (c) {
    case 32: memcpy(to, from, 32); break;
    case 16: memcpy(to, from, 16); break;
    case 8: memcpy(to, from, 8); break;
    case 4: memcpy(to, from, 4); break;
    case 2: memcpy(to, from, 2); break;
    default: *to = *from;
    }
}

/* [stride][pitch] pixels of a row: those that leave the same remainder by the stride lie side by side. */
static void stage_row(const uc_depthwise_u8 *d, const uint8_t *row, int64_t pitch, uint8_t *to)
{
    const int64_t c = d->c, s = d->stride_w;
    memset(to, d->fill[0], (size_t)(s * pitch * c));
    if (!row) return;
    for (int64_t phase = 0; phase < s; phase++, to += pitch * c) {
        const int64_t before = d->pad_left - phase; /* pixel i of the phase is x's i * s - before */
        const int64_t first = before > 0 ? (before + s - 1) / s : 0;
        int64_t end = d->iw + before > 0 ? (d->iw + before + s - 1) / s : 0;
        if (end > pitch) end = pitch;
        if (end <= first) continue;
        if (s == 1) {
            memcpy(to + first * c, row + (first - before) * c, (size_t)((end - first) * c));
            continue;
        }
        for (int64_t i = first; i < end; i++)
            copy_pixel(to + i * c, row + (i * s - before) * c, c);
    }
}

INLINE quad staged(const uc_depthwise_u8 *d, int64_t row_bytes, int64_t group, int64_t at)
{
    __m512i r[TAPS];
    for (int64_t t = 0; t < TAPS; t++) {
        const int64_t ky = group * TAPS + t;
        r[t] = ky < d->kh ? _mm512_loadu_si512(d->stage + ky * row_bytes + at)
                          : _mm512_setzero_si512();
    }
    return interleave(r[0], r[1], r[2], r[3]);
}

INLINE void narrow_row(const uc_depthwise_u8 *d, const row_pointers rows, const int twice,
                       uint8_t *y)
{
    const int64_t groups = (d->kh + TAPS - 1) / TAPS, pitch = uc_depthwise_u8_pitch(d);
    const int64_t phase_bytes = pitch * d->c, row_bytes = phase_bytes * d->stride_w;
    const int64_t bytes = d->ow * d->c;
    for (int64_t ky = 0; ky < d->kh; ky++)
        stage_row(d, rows[ky], pitch, d->stage + ky * row_bytes);
    for (int64_t at = 0; at < bytes; at += CHANNELS) {
        const int64_t left = bytes - at;
        const __mmask64 lanes = left < 64 ? ((__mmask64)1 << left) - 1 : ~(__mmask64)0;
        __m512i sum[4];
        for (int i = 0; i < 4; i++)
            sum[i] = _mm512_loadu_si512(d->bias + i * 16);
        for (int64_t kx = 0; kx < d->kw; kx++) {
            const int64_t x = kx * d->dilation_w;
            const int64_t from = x % d->stride_w * phase_bytes + x / d->stride_w * d->c + at;
            for (int64_t group = 0; group < groups; group++) {
                const quad q = staged(d, row_bytes, group, from);
                add_tap(d, &q, (kx * groups + group) * CHANNELS * TAPS, twice, sum);
            }
        }
        _mm512_mask_storeu_epi8(y + at, lanes, finish(d, sum, 0));
    }
}

void uc_depthwise_u8_vnni(const uc_depthwise_u8 *d, int64_t oy, uint8_t *y)
{
    row_pointers rows;
    for (int64_t ky = 0; ky < d->kh; ky++) {
        const int64_t iy = oy * d->stride_h + ky * d->dilation_h - d->pad_top;
        rows[ky] = iy >= 0 && iy < d->ih ? d->x + iy * d->iw * d->c : 0;
    }
    if (d->narrow && d->second) {
        narrow_row(d, rows, 1, y);
    } else if (d->narrow) {
        narrow_row(d, rows, 0, y);
    } else if (d->second) {
        wide_row(d, rows, 1, y);
    } else {
        wide_row(d, rows, 0, y);
    }
}
