/* What uncork.QConv's files share: a layer as constants and attributes say, and the way any layer can be
 * computed, whatever its groups, types and rounding. */
#ifndef UC_OP_EXT_Q_CONV_H
#define UC_OP_EXT_Q_CONV_H

#include "kernel/fixed_point.h"
#include "kernel/requantize_tile.h"
#include "op/ext/dot_conv.h"

typedef enum uc_q_rounding {
    UC_Q_FLOAT,
    UC_Q_ONCE,
    UC_Q_TWICE,
    UC_Q_UP,
    UC_Q_BLOCKS
} uc_q_rounding;

typedef struct uc_q_layer {
    uc_window window;
    bool transposed;  /* x's pixels spread over y by strides; oh, ow say its size */
    int64_t oh, ow;   /* of transposed ones */
    bool wide;        /* x and y are s16 */
    bool differences; /* x is s16 less its zero point already, sums are of 32 bits */
    bool long_bias;   /* sums of 64 bits */
    int64_t group, ic, oc;
    int32_t x_zero, w_zero;
    int32_t zero, low, high; /* of y */
    uc_q_rounding rounding;
    const float *scale;    /* [oc rounded up to UC_DOT_CHANNELS]; from here on after prepare */
    const uc_fixed *fixed; /* the same; NULL with rounding "float" */
    const int16_t *
        w; /* less w_zero: [kh kw][oc] of one input channel a group, else [oc][kh kw][ic / group] */
    const int64_t *bias; /* [oc] */
} uc_q_layer;

/* Attribute `rounding`. */
uncork_status uc_q_rounding_read(uc_call *call, uc_q_rounding *rounding);

/* A sum of 32 bits in fixed point; ONCE, TWICE or UP. */
static inline int32_t uc_q_rounded(uc_q_rounding rounding, int32_t sum, uc_fixed f)
{
    if (rounding == UC_Q_ONCE) return uc_fixed_once(sum, f);
    return rounding == UC_Q_UP ? uc_fixed_up(sum, f) : uc_fixed_twice(sum, f);
}

/* One sum as y's integer. */
static inline int32_t uc_q_scaled(const uc_q_layer *l, int64_t sum, int64_t channel)
{
    if (l->rounding == UC_Q_FLOAT) {
        const float v = (float)sum * l->scale[channel];
        const float least = (float)(l->low - l->zero), most = (float)(l->high - l->zero);
        const float within = v > least ? v < most ? v : most : least;
        return (int32_t)rintf(within) + l->zero;
    }
    const uc_fixed f = l->fixed[channel];
    uc_q_rounding rounding = l->rounding;
    int32_t v;
    /* Vectors of eight channels are rounded up, what is left one by one. */
    if (rounding == UC_Q_BLOCKS) rounding = channel < l->oc - l->oc % 8 ? UC_Q_UP : UC_Q_TWICE;
    if (l->long_bias)
        v = rounding == UC_Q_ONCE ? uc_fixed_once_wide(sum, f) : uc_fixed_wide(sum, f);
    else
        v = uc_q_rounded(rounding, (int32_t)sum, f);
    return uc_fixed_clamp((int32_t)((uint32_t)v + (uint32_t)l->zero), l->low, l->high);
}

/* prepare: scales, weights and bias into the layer, in the model's arena. */
uncork_status uc_q_layer_scales(uc_call *call, uc_q_layer *l, const uc_tensor *scale);
uncork_status uc_q_layer_weights(uc_call *call, uc_q_layer *l, const uc_tensor *w,
                                 const uc_tensor *bias);
/* run: any layer. */
uncork_status uc_q_layer_run(uc_call *call, const uc_q_layer *l, const uc_tensor *x, uc_tensor *y);
/* run: w_zero times the sum of x - x_zero under the window, for every pixel of y, in scratch. */
int32_t *uc_q_layer_shifts(uc_call *call, const uc_q_layer *l, const uc_tensor *x,
                           const uc_tensor *y);

#endif
