/* Convolution of channel-blocked tensors in float32: [N, ceil(C/b), H, W, b], so that a vector holds b
 * channels of one pixel. Lanes beyond C hold any finite numbers: they are read by nobody.
 *
 * Every output is summed in an order that depends on the layer alone: the same bits for any number of
 * threads and any place in the batch. Weights are packed once; nothing here allocates. */
#ifndef UC_KERNEL_CONV_BLOCKED_H
#define UC_KERNEL_CONV_BLOCKED_H

#include "base/thread.h"
#include "kernel/conv_act.h"

enum { UC_CONV_MAX_BLOCK = 64 };

/* How a layer is computed; chosen before its weights are packed. */
typedef enum uc_conv_method {
    UC_CONV_DIRECT,
    UC_CONV_WINOGRAD_2, /* F(2x2, 3x3) */
    UC_CONV_WINOGRAD_4, /* F(4x4, 3x3) */
} uc_conv_method;

typedef struct uc_conv {
    int64_t batch, ic, oc, ih, iw, oh, ow;
    int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int64_t block;
    bool
        depthwise; /* ic == oc, each channel by itself; else every input channel meets every output */
    bool plain;    /* x is [N, ic, ih, iw] */
    uc_conv_method method;
    uc_act act;
} uc_conv;

typedef struct uc_conv_args {
    const float *x;        /* [N, ceil(ic/b), ih, iw, b] or, plain, [N, ic, ih, iw] */
    const float *packed;   /* by pack of the same row and the same layer */
    const float *residual; /* shape of y, added before the activation; NULL: none; may be y */
    float *y;              /* [N, ceil(oc/b), oh, ow, b] */
    float *scratch;        /* as many floats as scratch_count says, aligned to 64 */
    uncork_pool *pool;
} uc_conv_args;

/* expand (1x1, stride 1, optional) -> spatial (depthwise) -> project (1x1, stride 1, optional), each with
 * its own activation: as the three layers one after the other, with their bits. */
typedef struct uc_chain {
    uc_conv expand, spatial, project;
    bool has_expand, has_project;
} uc_chain;

typedef struct uc_chain_args {
    const float *x;
    const float *expand, *spatial, *project; /* packed as the layers are */
    const float *residual; /* of project, shape of y; NULL: none; may be y, not x */
    float *y, *scratch;
    uncork_pool *pool;
} uc_chain_args;

/* ---- pooling -------------------------------------------------------------------------------- */

typedef struct uc_pool_blocked {
    int64_t planes, ih, iw, oh, ow; /* planes: N * ceil(C/b) */
    int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int64_t pad_bottom, pad_right; /* counted by an average that counts padding */
    int64_t block;
    bool average, count_pads;
} uc_pool_blocked;

/* One instruction set's way to do it. Counts are floats; false when they overflow. */
typedef struct uc_conv_row {
    unsigned needs;
    const char *name;
    int64_t block; /* the only one it takes; 0: any up to UC_CONV_MAX_BLOCK */
    /* ih and iw may be 0 when unknown. */
    uc_conv_method (*method)(const uc_conv *c);
    bool (*packed_count)(const uc_conv *c, size_t *count);
    /* weights [oc, ic or 1, kh, kw], bias [oc] or NULL */
    void (*pack)(const uc_conv *c, const float *weights, const float *bias, float *packed);
    bool (*scratch_count)(const uc_conv *c, int threads, size_t *count);
    void (*run)(const uc_conv *c, const uc_conv_args *args);
    bool (*chain_scratch)(const uc_chain *c, int threads, size_t *count);
    void (*chain_run)(const uc_chain *c, const uc_chain_args *args);
    /* x[i] = act(x[i]) for n adjacent numbers, anywhere. */
    void (*activate)(const uc_act *act, float *x, int64_t n);
    /* x [planes, ih, iw, b], y [planes, oh, ow, b]; a window outside the image gives -inf (max) or 0. */
    void (*pool)(const uc_pool_blocked *p, const float *x, float *y, uncork_pool *pool);
    /* x = softmax(x * scale + mask) of n numbers; mask may be NULL. */
    void (*softmax)(float *x, const float *mask, float scale, int64_t n);
} uc_conv_row;

/* A chain by whole tensors between its layers, in scratch: the reference, and the way where nothing is
 * won by bands. */
bool uc_chain_apart_scratch(const uc_conv_row *row, const uc_chain *c, int threads, size_t *count);
void uc_chain_apart_run(const uc_conv_row *row, const uc_chain *c, const uc_chain_args *args);

/* The best row of this machine for this block; every block has one. */
const uc_conv_row *uc_conv_row_for(int64_t block);
/* The i-th row of this machine, best first, the scalar one last; NULL beyond it. */
const uc_conv_row *uc_conv_row_at(int i);
/* The block that this machine's best row wants. */
int64_t uc_conv_best_block(void);

/* Its plain loops, for any block. */
void uc_pool_blocked_run(const uc_pool_blocked *p, const float *x, float *y, uncork_pool *pool);

/* ---- layout --------------------------------------------------------------------------------- */

/* x [batch, channels, pixels] to y [batch, ceil(channels/b), pixels, b], lanes beyond zero; and back. */
void uc_to_blocked(const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels,
                   int64_t block, uncork_pool *pool);
void uc_from_blocked(const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels,
                     int64_t block, uncork_pool *pool);

#endif
