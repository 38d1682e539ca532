/* A convolution over channels-last pixels of 8 bits or bfloat16 as tiles of dot products
 * (kernel/dot_tile.h): where a tile's pixels lie, what is padded, who computes which tile. */
#ifndef UC_OP_EXT_DOT_CONV_H
#define UC_OP_EXT_DOT_CONV_H

#include "kernel/dot_tile.h"
#include "op/ext/block_window.h"

typedef enum uc_dot_method {
    UC_DOT_ROWS,   /* a kernel's row is one run of the padded picture */
    UC_DOT_SHORT,  /* such runs are short: those under the kernel are copied side by side */
    UC_DOT_DIRECT, /* 1 x 1: a pixel is a run */
    UC_DOT_GATHER, /* the pixels under the kernel are copied side by side */
} uc_dot_method;

typedef struct uc_dot_conv {
    uc_dot_kind kind;
    int64_t size; /* bytes of an element */
    int64_t n, ih, iw, ic, oh, ow, oc;
    uc_window window;
    const uint8_t *x;      /* [n, ih, iw, ic] */
    const uint8_t *packed; /* by uc_dot_conv_pack */
    uint8_t fill;          /* every byte of padding */
    /* Takes the sums [UC_DOT_PIXELS][UC_DOT_CHANNELS] of a tile. at: the output pixel each row belongs
     * to, counted over all pictures, -1 for none. */
    void (*finish)(const void *context, const void *sums, const int64_t *at, int64_t first_channel,
                   int channels);
    const void *context;
} uc_dot_conv;

/* How this window is walked over pixels of so many bytes; the packed form depends on it. */
uc_dot_method uc_dot_conv_method(const uc_window *window, int64_t pixel);
/* Rows of a packed kernel and bytes of each. */
void uc_dot_conv_runs(const uc_window *window, int64_t ic, int64_t size, int64_t *taps,
                      int64_t *run);
/* Packs w [oc, ic, kh, kw], elements of `size` bytes, in the model's arena. */
uncork_status uc_dot_conv_pack(uc_call *call, const void *w, int64_t oc, int64_t ic,
                               const uc_window *window, int64_t size, const uint8_t **packed);
/* Runs it, over the call's pool; fails when scratch memory is out. */
uncork_status uc_dot_conv_run(uc_call *call, const uc_dot_conv *conv);

#endif
