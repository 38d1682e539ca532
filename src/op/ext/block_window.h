/* What the channel-blocked operators share: shapes [N, ceil(C/b), H, W, b] and sliding windows. */
#ifndef UC_OP_EXT_BLOCK_WINDOW_H
#define UC_OP_EXT_BLOCK_WINDOW_H

#include "kernel/conv_act.h"
#include "op/shape.h"

/* A window over H and W; [0] is H, [1] is W. */
typedef struct uc_window {
    int64_t kernel[2], stride[2], dilation[2], pad[4]; /* pad: top, left, bottom, right */
} uc_window;

/* Reads strides, dilations and pads with their defaults (1, 1, 0) around a known kernel; refuses wrong
 * lengths and values. */
uncork_status uc_window_read(uc_call *call, uc_window *w);
/* The same with the kernel from attribute `kernel_shape`. */
uncork_status uc_window_read_kernel(uc_call *call, uc_window *w);
/* The same, and attribute `kind`: "max" or "average". */
uncork_status uc_window_read_pool(uc_call *call, uc_window *w, bool *average);
/* Multiply-adds of a convolution of weights [oc, ic / group, kh, kw], input 1, by its output's shape;
 * 0 while that isn't known. */
uint64_t uc_window_macs(const uc_call *call);
/* Positions of the window along axis `d` (0: H, 1: W) over `size` pixels, unknown for an unknown size;
 * fails when the window is larger than the padded image. */
uncork_status uc_window_count(uc_call *call, const uc_window *w, int d, int64_t size,
                              bool ceil_mode, int64_t *count);
/* The block this machine's kernels want: what a pass should choose. */
int64_t uc_block_best(void);
/* Attribute `block`, 1 to 64. */
uncork_status uc_block_read(uc_call *call, int64_t *block);
/* Input i as [N, Cb, H, W, b] of float32: checks what is known. */
uncork_status uc_block_expect(uc_call *call, size_t i, int64_t block);

/* The activation that attribute `name` calls ("" is none), with its two numbers from `alpha` and `beta`. */
uncork_status uc_block_act(uc_call *call, const char *name, const char *alpha, const char *beta,
                           uc_act *act);

static inline int64_t uc_block_count(int64_t channels, int64_t block)
{
    return channels < 0 ? UC_DIM_UNKNOWN : channels / block + (channels % block != 0);
}

#endif
