/* A quantised depthwise convolution over channels-last pixels, one output row at a time: each channel
 * has its own kernel. Sums are exact, rounding is that of requantize.h, so all rows give the same
 * bytes. */
#ifndef UC_KERNEL_DEPTHWISE_U8_H
#define UC_KERNEL_DEPTHWISE_U8_H

#include <stdbool.h>
#include <stdint.h>

enum {
    UC_DEPTHWISE_CHANNELS = 64, /* side by side */
    UC_DEPTHWISE_TAPS = 4,      /* rows of the kernel summed at once */
    UC_DEPTHWISE_MOST_ROWS = 32 /* of a kernel */
};

typedef struct uc_depthwise_u8 {
    const uint8_t *x; /* one picture [ih, iw, c] */
    int64_t ih, iw, c, ow;
    int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    const uint8_t *fill;  /* [c rounded up to 64] of x's zero point: a pixel outside */
    const int8_t *packed; /* by uc_depthwise_u8_pack */
    const int8_t *
        second; /* the same of what is added to those weights where bytes are too few; NULL: none */
    const int32_t *bias; /* of the sums; these two by uc_depthwise_u8_order, */
    const float *scale;  /* [c rounded up to 64] */
    int32_t zero, low, high;
    bool small; /* every scale is below 1/2: no scaled sum leaves 31 bits */
    /* Of few channels: weights, bias, scale and fill are repeated until they are 64, so that a register
     * holds several pixels. stage has room for the rows under the kernel. */
    bool narrow;
    uint8_t *stage; /* [uc_depthwise_u8_stage] of the thread */
} uc_depthwise_u8;

/* y  [ow, c]: row oy of the output */
typedef void (*uc_depthwise_u8_fn)(const uc_depthwise_u8 *d, int64_t oy, uint8_t *y);

/* The best row of this machine. */
uc_depthwise_u8_fn uc_depthwise_u8_row(void);
void uc_depthwise_u8_scalar(const uc_depthwise_u8 *d, int64_t oy, uint8_t *y);
void uc_depthwise_u8_vnni(const uc_depthwise_u8 *d, int64_t oy, uint8_t *y);

static inline int64_t uc_depthwise_u8_padded(int64_t c)
{
    return (c + UC_DEPTHWISE_CHANNELS - 1) / UC_DEPTHWISE_CHANNELS * UC_DEPTHWISE_CHANNELS;
}
/* Where a channel's numbers stand among its 64: interleaving bytes of 128-bit lanes leaves them so. */
static inline int64_t uc_depthwise_u8_order(int64_t channel)
{
    const int64_t within = channel % UC_DEPTHWISE_CHANNELS;
    return channel - within + within % 16 / 4 * 16 + within / 16 * 4 + within % 4;
}
/* Whether so many channels are narrow: pixels fill a register. */
static inline bool uc_depthwise_u8_is_narrow(int64_t c)
{
    return c < UC_DEPTHWISE_CHANNELS && UC_DEPTHWISE_CHANNELS % c == 0;
}
/* Pixels of a row that is staged, each remainder of x by the stride apart. */
static inline int64_t uc_depthwise_u8_pitch(const uc_depthwise_u8 *d)
{
    const int64_t side = UC_DEPTHWISE_CHANNELS / d->c;
    return (d->ow + side - 1) / side * side + (d->kw - 1) * d->dilation_w / d->stride_w;
}
static inline int64_t uc_depthwise_u8_stage(const uc_depthwise_u8 *d)
{
    return d->kh * d->stride_w * uc_depthwise_u8_pitch(d) * d->c;
}
/* Bytes of the packed weights: [c / 64][kw][ceil(kh / 4)][64 in order][4 rows]. */
static inline int64_t uc_depthwise_u8_packed(int64_t c, int64_t kh, int64_t kw)
{
    return uc_depthwise_u8_padded(c) * kw * ((kh + 3) / 4) * 4;
}
/* w [c, kh, kw] into zeroed memory. */
void uc_depthwise_u8_pack(const int8_t *w, int64_t c, int64_t kh, int64_t kw, int8_t *to);

#endif
