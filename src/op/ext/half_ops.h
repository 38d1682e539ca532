/* What the operators of --precision fast share: tensors [N, H, W, C] of bfloat16. */
#ifndef UC_OP_EXT_HALF_OPS_H
#define UC_OP_EXT_HALF_OPS_H

#include "kernel/half.h"
#include "op/ext/block_window.h"

/* The kernels; fails where this machine has none: such operators are made by passes on machines that
 * have them. */
uncork_status uc_half_require(uc_call *call, const uc_half **kernels);
/* Input i as bfloat16 of rank 4 with `channels` last (-1: any number). */
uncork_status uc_half_expect(uc_call *call, size_t i, int64_t channels);

/* uc_dot_conv.finish over a uc_half_finishing: the tile's epilogue. */
typedef struct uc_half_finishing {
    const uc_half *kernels;
    uc_half_tile tile;
} uc_half_finishing;
void uc_half_finish(const void *finishing, const void *sums, const int64_t *at, int64_t first,
                    int channels);

#endif
