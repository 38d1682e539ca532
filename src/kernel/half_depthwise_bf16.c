/* A depthwise convolution over channels-last bfloat16: 32 channels times 7 pixels in registers, every
 * input pixel widened once for all the outputs it reaches. */
#include "kernel/half_vectors.inc"

enum { TILE = 7, MOST_TAPS = 5 }; /* the widths of usual networks are multiples of 7 */

static const uint16_t zeros[UC_HALF_CHANNELS] __attribute__((aligned(64)));

typedef struct block {
    const uc_half_depthwise *d;
    const float *packed; /* of these channels */
    const uint16_t *x;
    uint16_t *y;
    int64_t oy;
    __mmask32 lanes;
    epilogue e;
} block;

static void put(const block *b, pair *sums, int64_t ox, int count)
{
    float room[TILE * UC_HALF_CHANNELS] __attribute__((aligned(64)));
    const V low = SET1(b->e.low), high = SET1(b->e.high);
    uint16_t *y = b->y + ox * b->d->c;
    if (b->e.later) {
        for (int i = 0; i < count; i++) {
            STORE(room + i * 32, sums[i].a);
            STORE(room + i * 32 + VN, sums[i].b);
        }
        act_half(&b->d->act, room, count * 2);
    }
    for (int i = 0; i < count; i++) {
        const pair v = b->e.later ? (pair){LOAD(room + i * 32), LOAD(room + i * 32 + VN)}
                                  : bounded(sums[i], low, high);
        _mm512_mask_storeu_epi16(y + i * b->d->c, b->lanes, join(v));
    }
}

/* Outputs ox to ox + 6 with a kernel KW wide. */
INLINE void tile_of(const block *b, int64_t ox, const int KW, const int S, const int edge)
{
    const uc_half_depthwise *d = b->d;
    const int64_t x0 = ox * S - d->pad_left;
    pair sums[TILE];
#pragma GCC unroll 8
    for (int i = 0; i < TILE; i++)
        sums[i] = (pair){LOAD(b->packed), LOAD(b->packed + VN)};
    for (int64_t ky = 0; ky < d->kh; ky++) {
        const int64_t iy = b->oy * d->stride_h - d->pad_top + ky * d->dilation_h;
        if (iy < 0 || iy >= d->ih) continue;
        const float *w = b->packed + (1 + ky * KW) * UC_HALF_CHANNELS;
        const uint16_t *row = b->x + (iy * d->iw + x0) * d->c;
        pair weights[MOST_TAPS];
#pragma GCC unroll 8
        for (int k = 0; k < KW; k++)
            weights[k] = (pair){LOAD(w + k * 32), LOAD(w + k * 32 + VN)};
#pragma GCC unroll 32
        for (int j = 0; j < (TILE - 1) * S + KW; j++) {
            const uint16_t *at = row + j * d->c;
            if (edge && (x0 + j < 0 || x0 + j >= d->iw)) at = zeros;
            const pair v = split(load_half(at, b->lanes));
#pragma GCC unroll 8
            for (int k = 0; k < KW; k++) {
                const int reach = j - k; /* of output reach / S */
                if (reach < 0 || reach % S || reach / S >= TILE) continue;
                sums[reach / S].a = FMA(v.a, weights[k].a, sums[reach / S].a);
                sums[reach / S].b = FMA(v.b, weights[k].b, sums[reach / S].b);
            }
        }
    }
    put(b, sums, ox, TILE);
}

/* One output of any kernel; the sums are added in the order of tile_of. */
static void pixel_of(const block *b, int64_t ox)
{
    const uc_half_depthwise *d = b->d;
    pair sum = {LOAD(b->packed), LOAD(b->packed + VN)};
    for (int64_t ky = 0; ky < d->kh; ky++) {
        const int64_t iy = b->oy * d->stride_h - d->pad_top + ky * d->dilation_h;
        if (iy < 0 || iy >= d->ih) continue;
        for (int64_t kx = 0; kx < d->kw; kx++) {
            const int64_t ix = ox * d->stride_w - d->pad_left + kx * d->dilation_w;
            if (ix < 0 || ix >= d->iw) continue;
            const float *w = b->packed + (1 + ky * d->kw + kx) * UC_HALF_CHANNELS;
            const pair v = split(load_half(b->x + (iy * d->iw + ix) * d->c, b->lanes));
            sum.a = FMA(v.a, LOAD(w), sum.a);
            sum.b = FMA(v.b, LOAD(w + VN), sum.b);
        }
    }
    put(b, &sum, ox, 1);
}

#define DEFINE_ROW(NAME, KW, S)                                                       \
    static void NAME(const block *b)                                                  \
    {                                                                                 \
        const uc_half_depthwise *d = b->d;                                            \
        for (int64_t i = 0; i < d->ow; i += TILE) {                                   \
            const int64_t ox = i + TILE > d->ow ? d->ow - TILE : i;                   \
            const int64_t x0 = ox * (S)-d->pad_left, reach = (TILE - 1) * (S) + (KW); \
            if (x0 >= 0 && x0 + reach <= d->iw) {                                     \
                tile_of(b, ox, KW, S, 0);                                             \
            } else {                                                                  \
                tile_of(b, ox, KW, S, 1);                                             \
            }                                                                         \
        }                                                                             \
    }

DEFINE_ROW(row_3_1, 3, 1)
DEFINE_ROW(row_3_2, 3, 2)
DEFINE_ROW(row_5_1, 5, 1)
DEFINE_ROW(row_5_2, 5, 2)

static void row_any(const block *b)
{
    for (int64_t ox = 0; ox < b->d->ow; ox++)
        pixel_of(b, ox);
}

void uc_half_depthwise_bf16(const uc_half_depthwise *d, int64_t oy, uint16_t *y)
{
    const bool usual = d->ow >= TILE && d->dilation_w == 1 && d->stride_w <= 2;
    void (*row)(const block *) = row_any;
    if (usual && d->kw == 3) row = d->stride_w == 1 ? row_3_1 : row_3_2;
    if (usual && d->kw == 5) row = d->stride_w == 1 ? row_5_1 : row_5_2;
    block b = {.d = d, .oy = oy, .e = epilogue_of(&d->act)};
    for (int64_t c = 0; c < d->c; c += UC_HALF_CHANNELS) {
        b.packed = d->packed + c * (d->kh * d->kw + 1);
        b.x = d->x + c;
        b.y = y + c;
        b.lanes = lanes_of(d->c - c);
        row(&b);
    }
}
