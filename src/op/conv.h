/* Convolution over channels first: what Conv, uncork.FusedConv, DeformConv and CausalConvWithState
 * share. Products of the weights with tiles of columns (im2col), or direct sums where every input
 * channel has its own filters; bias, residual and activation are added while a tile is in cache. */
#ifndef UC_OP_CONV_H
#define UC_OP_CONV_H

#include "op/activation.h"
#include "op/slide.h"

typedef struct uc_conv uc_conv;
struct uc_conv {
    uncork_dtype dtype; /* float32 or float64, of all arrays */
    uc_slide w;
    int64_t batch, group;
    int64_t in_channels, out_channels; /* of one group */
    const void *x;                     /* [batch, group * in_channels, in...] */
    const void *weight;                /* [group * out_channels, in_channels, kernel...] */
    const void *bias;                  /* [group * out_channels], or NULL */
    const void *residual;              /* as y, added before the activation, or NULL */
    uc_activation activation;
    void *y; /* [batch, group * out_channels, out...] */
    /* Writes columns [begin, end) of the matrix [in_channels * taps, outputs] of one image and group.
     * NULL: those of a plain convolution. */
    void (*columns)(const uc_conv *c, int64_t image, int64_t group, int64_t begin, int64_t end,
                    void *to);
    const void *context;
};

/* infer: reads the geometry from inputs x (0) and weight (1), checks channels, group and the bias
 * input; *rank -1: x's rank or w's isn't known. shape: of the output. */
uncork_status uc_conv_geometry(uc_call *call, size_t bias, uc_conv *c, int *rank,
                               int64_t shape[UNCORK_MAX_RANK]);
/* run: computes into c->y. */
uncork_status uc_conv_run(uc_call *call, const uc_conv *c);
/* Multiply-adds, from the shapes. */
uint64_t uc_conv_macs(const uc_call *call);

#endif
