/* What --precision fast computes with beside the tiles of dot_tile.h: tensors of bfloat16, channels
 * last, with every sum and every activation in float32. Only machines with instructions for bfloat16
 * have these kernels.
 *
 * Activations are good to 1e-3 of the larger of the result and 1: less than what storing the result in
 * 8 bits of mantissa loses. */
#ifndef UC_KERNEL_HALF_H
#define UC_KERNEL_HALF_H

#include "kernel/conv_act.h"

enum {
    UC_HALF_CHANNELS = 32, /* in a vector */
    UC_HALF_PIXEL = 4,     /* channels of a pixel made of planes */
};

/* What becomes of a tile of float32 sums: y = act(sum + bias + r), as bfloat16 or as float32. */
typedef struct uc_half_tile {
    const float *bias; /* [oc rounded up to 32] */
    uc_act act;
    const uint16_t *r; /* as y; NULL: none, or `float_r` */
    const float *float_r;
    uint16_t *y;    /* [pixels, oc]; NULL: float_y */
    float *float_y; /* the same */
    int64_t oc;
} uc_half_tile;

/* A row of a depthwise convolution. */
typedef struct uc_half_depthwise {
    const uint16_t *x; /* one picture [ih, iw, c] */
    int64_t ih, iw, c, ow;
    int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    const float *packed; /* by uc_half_pack_depthwise */
    uc_act act;
} uc_half_depthwise;

/* A row of a pool. */
typedef struct uc_half_pool {
    const uint16_t *x; /* one picture [ih, iw, c] */
    int64_t ih, iw, c, ow;
    int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w;
    int64_t pad_top, pad_left, pad_bottom, pad_right;
    bool average, count_pads;
} uc_half_pool;

typedef enum uc_half_binary { UC_HALF_NONE, UC_HALF_ADD, UC_HALF_MUL } uc_half_binary;

typedef struct uc_half {
    /* sums, at, first, channels as uc_dot_conv.finish gets them */
    void (*finish)(const uc_half_tile *t, const float *sums, const int64_t *at, int64_t first,
                   int channels);
    /* y  [ow, c]: row oy of the output */
    void (*depthwise)(const uc_half_depthwise *d, int64_t oy, uint16_t *y);
    void (*pool)(const uc_half_pool *p, int64_t oy, uint16_t *y);
    /* The mean of `channels` <= 32 channels over pixels [pixels, c]. */
    void (*mean)(const uint16_t *x, int64_t pixels, int64_t c, int channels, uint16_t *y);
    /* y = act(a op b) of n numbers; y may be a or b. */
    void (*combine)(uc_half_binary op, uc_act act, const uint16_t *a, const uint16_t *b,
                    uint16_t *y, int64_t n);
    void (*round)(const float *x, uint16_t *y, int64_t n);
    void (*widen)(const uint16_t *x, float *y, int64_t n);
    /* n pixels of c <= 4 planes, `plane` apart, as pixels of 4 channels: zeros behind. */
    void (*pixels)(const float *x, int64_t plane, int c, uint16_t *y, int64_t n);
} uc_half;

/* NULL where the machine has no instructions for bfloat16. */
const uc_half *uc_half_kernels(void);

/* Floats of packed depthwise weights: [c / 32][bias, kh * kw][even 16, odd 16]. */
static inline int64_t uc_half_packed_depthwise(int64_t c, int64_t kh, int64_t kw)
{
    return (c + UC_HALF_CHANNELS - 1) / UC_HALF_CHANNELS * UC_HALF_CHANNELS * (kh * kw + 1);
}
/* w [c, kh * kw] and b [c] or NULL, into zeroed memory. */
void uc_half_pack_depthwise(const float *w, const float *b, int64_t c, int64_t taps, float *to);

#endif
