/* Sliding windows: what Conv and the pools share of their geometry (kernel, strides, dilations, pads,
 * auto_pad, ceil_mode), over any number of spatial dimensions. */
#ifndef UC_OP_SLIDE_H
#define UC_OP_SLIDE_H

#include "op/shape.h"

#define UC_SLIDE_RANK (UNCORK_MAX_RANK - 2)

typedef struct uc_slide {
    int rank; /* spatial dimensions; at least 1 */
    int64_t in[UC_SLIDE_RANK], out[UC_SLIDE_RANK];
    int64_t kernel[UC_SLIDE_RANK], stride[UC_SLIDE_RANK], dilation[UC_SLIDE_RANK];
    int64_t before[UC_SLIDE_RANK], after[UC_SLIDE_RANK]; /* padding */
} uc_slide;

/* From x [N, C, in...], the kernel's dimensions (NULL: attribute kernel_shape) and the attributes.
 * Dimensions of x or the kernel that infer doesn't know leave the output's unknown. Fails, naming
 * numbers, for what gives no output. */
uncork_status uc_slide_read(uc_call *call, const uc_tensor *x, const int64_t *kernel, bool ceil,
                            uc_slide *w);
/* The attributes alone, with their defaults, checked: strides, dilations, pads (not auto_pad). */
uncork_status uc_slide_attributes(uc_call *call, const int64_t *kernel, uc_slide *w);

/* Outputs o of dimension d whose tap k lies within the input: [*begin, *end). */
void uc_slide_range(const uc_slide *w, int d, int64_t k, int64_t *begin, int64_t *end);

/* Elements of a plane of the input, of the output, taps of the kernel. */
int64_t uc_slide_in(const uc_slide *w);
int64_t uc_slide_out(const uc_slide *w);
int64_t uc_slide_taps(const uc_slide *w);

#endif
