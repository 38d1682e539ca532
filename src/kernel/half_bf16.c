/* half.h with AVX-512 and its conversions to bfloat16: all but the depthwise convolution. */
#include "kernel/half_vectors.inc"

#include "kernel/dot_tile.h"

/* ---- tiles -------------------------------------------------------------------------------- */

INLINE pair biased(const uc_half_tile *t, const float *sums, int64_t at, int64_t first,
                   __mmask32 lanes, pair bias)
{
    const pair v = plus((pair){_mm512_load_ps(sums), _mm512_load_ps(sums + 16)}, bias);
    const int64_t to = at * t->oc + first;
    if (t->r) return plus(v, widen(load_half(t->r + to, lanes)));
    if (!t->float_r) return v;
    const pair r = {_mm512_maskz_loadu_ps((__mmask16)lanes, t->float_r + to),
                    _mm512_maskz_loadu_ps((__mmask16)(lanes >> 16), t->float_r + to + 16)};
    return plus(v, r);
}

INLINE void put(const uc_half_tile *t, pair v, int64_t at, int64_t first, __mmask32 lanes)
{
    const int64_t to = at * t->oc + first;
    if (t->y) {
        _mm512_mask_storeu_epi16(t->y + to, lanes, narrow(v));
    } else {
        _mm512_mask_storeu_ps(t->float_y + to, (__mmask16)lanes, v.a);
        if (lanes >> 16) {
            _mm512_mask_storeu_ps(t->float_y + to + 16, (__mmask16)(lanes >> 16), v.b);
        }
    }
}

void uc_half_finish_bf16(const uc_half_tile *t, const float *sums, const int64_t *at, int64_t first,
                         int channels)
{
    float biased_sums[UC_DOT_PIXELS * UC_DOT_CHANNELS] __attribute__((aligned(64)));
    const __mmask32 lanes = lanes_of(channels);
    const epilogue e = epilogue_of(&t->act);
    const V low = SET1(e.low), high = SET1(e.high);
    const pair bias = {LOAD(t->bias + first), LOAD(t->bias + first + 16)};
    int used = 0;
    for (int p = 0; p < UC_DOT_PIXELS; p++, sums += UC_DOT_CHANNELS) {
        if (at[p] < 0) continue;
        const pair v = biased(t, sums, at[p], first, lanes, bias);
        if (!e.later) {
            put(t, bounded(v, low, high), at[p], first, lanes);
            continue;
        }
        STORE(biased_sums + used, v.a);
        STORE(biased_sums + used + 16, v.b);
        used += UC_DOT_CHANNELS;
    }
    if (!used) return;
    act_half(&t->act, biased_sums, used / VN);
    const float *from = biased_sums;
    for (int p = 0; p < UC_DOT_PIXELS; p++) {
        if (at[p] < 0) continue;
        put(t, (pair){_mm512_load_ps(from), _mm512_load_ps(from + 16)}, at[p], first, lanes);
        from += UC_DOT_CHANNELS;
    }
}

/* ---- pools -------------------------------------------------------------------------------- */

/* The part of a window that lies in the picture. */
typedef struct span {
    int64_t begin, end; /* taps */
} span;

static span inside(int64_t first, int64_t taps, int64_t dilation, int64_t size)
{
    span s = {0, taps};
    while (s.begin < taps && first + s.begin * dilation < 0)
        s.begin++;
    while (s.end > s.begin && first + (s.end - 1) * dilation >= size)
        s.end--;
    return s;
}

INLINE pair pooled(const uc_half_pool *p, int64_t y, int64_t x, span rows, span columns, int64_t c,
                   __mmask32 lanes)
{
    const V start = SET1(p->average ? 0 : -__builtin_inff());
    pair v = {start, start};
    for (int64_t ky = rows.begin; ky < rows.end; ky++) {
        const uint16_t *row = p->x + (y + ky * p->dilation_h) * p->iw * p->c + c;
        for (int64_t kx = columns.begin; kx < columns.end; kx++) {
            const pair u = split(load_half(row + (x + kx * p->dilation_w) * p->c, lanes));
            v = p->average ? plus(v, u) : (pair){MAX(v.a, u.a), MAX(v.b, u.b)};
        }
    }
    return v;
}

void uc_half_pool_bf16(const uc_half_pool *p, int64_t oy, uint16_t *to)
{
    const int64_t y = oy * p->stride_h - p->pad_top;
    const span rows = inside(y, p->kh, p->dilation_h, p->ih);
    const span counted_rows =
        inside(y + p->pad_top, p->kh, p->dilation_h, p->ih + p->pad_top + p->pad_bottom);
    for (int64_t ox = 0; ox < p->ow; ox++, to += p->c) {
        const int64_t x = ox * p->stride_w - p->pad_left;
        const span columns = inside(x, p->kw, p->dilation_w, p->iw);
        const span counted =
            inside(x + p->pad_left, p->kw, p->dilation_w, p->iw + p->pad_left + p->pad_right);
        const int64_t count =
            p->count_pads ? (counted_rows.end - counted_rows.begin) * (counted.end - counted.begin)
                          : (rows.end - rows.begin) * (columns.end - columns.begin);
        const V share = SET1(p->average ? 1 / (float)count : 1);
        for (int64_t c = 0; c < p->c; c += UC_HALF_CHANNELS) {
            const __mmask32 lanes = lanes_of(p->c - c);
            const pair v = pooled(p, y, x, rows, columns, c, lanes);
            _mm512_mask_storeu_epi16(to + c, lanes, join((pair){v.a * share, v.b * share}));
        }
    }
}

void uc_half_mean_bf16(const uint16_t *x, int64_t pixels, int64_t c, int channels, uint16_t *y)
{
    const __mmask32 lanes = lanes_of(channels);
    const V share = SET1(1 / (float)pixels);
    pair v = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    for (int64_t p = 0; p < pixels; p++)
        v = plus(v, split(load_half(x + p * c, lanes)));
    _mm512_mask_storeu_epi16(y, lanes, join((pair){v.a * share, v.b * share}));
}

/* ---- element by element ------------------------------------------------------------------- */

INLINE pair combined(uc_half_binary op, const uint16_t *a, const uint16_t *b, __mmask32 lanes)
{
    const pair v = split(load_half(a, lanes));
    if (op == UC_HALF_NONE) return v;
    const pair u = split(load_half(b, lanes));
    return op == UC_HALF_ADD ? plus(v, u) : (pair){v.a * u.a, v.b * u.b};
}

void uc_half_combine_bf16(uc_half_binary op, uc_act act, const uint16_t *a, const uint16_t *b,
                          uint16_t *y, int64_t n)
{
    float room[UC_HALF_CHANNELS] __attribute__((aligned(64)));
    const epilogue e = epilogue_of(&act);
    const V low = SET1(e.low), high = SET1(e.high);
    for (int64_t i = 0; i < n; i += UC_HALF_CHANNELS) {
        const __mmask32 lanes = lanes_of(n - i);
        pair v = bounded(combined(op, a + i, b ? b + i : NULL, lanes), low, high);
        if (e.later) {
            STORE(room, v.a);
            STORE(room + VN, v.b);
            act_half(&act, room, 2);
            v = (pair){LOAD(room), LOAD(room + VN)};
        }
        _mm512_mask_storeu_epi16(y + i, lanes, join(v));
    }
}

void uc_half_round_bf16(const float *x, uint16_t *y, int64_t n)
{
    for (int64_t i = 0; i < n; i += UC_HALF_CHANNELS) {
        const __mmask32 lanes = lanes_of(n - i);
        const pair v = {_mm512_maskz_loadu_ps((__mmask16)lanes, x + i),
                        _mm512_maskz_loadu_ps((__mmask16)(lanes >> 16), x + i + VN)};
        _mm512_mask_storeu_epi16(y + i, lanes, narrow(v));
    }
}

void uc_half_widen_bf16(const uint16_t *x, float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i += UC_HALF_CHANNELS) {
        const __mmask32 lanes = lanes_of(n - i);
        const pair v = widen(load_half(x + i, lanes));
        _mm512_mask_storeu_ps(y + i, (__mmask16)lanes, v.a);
        _mm512_mask_storeu_ps(y + i + VN, (__mmask16)(lanes >> 16), v.b);
    }
}

/* 16 pixels: bfloat16 of two planes make a word of 32 bits each, words of 2 pairs a pixel. */
void uc_half_pixels_bf16(const float *x, int64_t plane, int c, uint16_t *y, int64_t n)
{
    const __m512i first = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
    for (int64_t i = 0; i < n; i += 16) {
        const int64_t left = n - i;
        const __mmask16 some = (__mmask16)(left < 16 ? (1 << left) - 1 : 0xffff);
        V v[UC_HALF_PIXEL];
        for (int k = 0; k < UC_HALF_PIXEL; k++)
            v[k] = k < c ? _mm512_maskz_loadu_ps(some, x + k * plane + i) : _mm512_setzero_ps();
        const __m512i a = join((pair){v[0], v[1]}), b = join((pair){v[2], v[3]});
        const int64_t words = (left < 16 ? left : 16) * UC_HALF_PIXEL;
        _mm512_mask_storeu_epi16(y + i * UC_HALF_PIXEL, lanes_of(words),
                                 _mm512_permutex2var_epi32(a, first, b));
        if (words <= 32) continue;
        _mm512_mask_storeu_epi16(y + i * UC_HALF_PIXEL + 32, lanes_of(words - 32),
                                 _mm512_permutex2var_epi32(a, second, b));
    }
}
