/* Moving elements between strided arrays. */
#ifndef UC_KERNEL_COPY_H
#define UC_KERNEL_COPY_H

#include "base/tensor.h"

/* Copies `shape` elements of 1, 2, 4, 8 or 16 bytes. Strides in elements, negative ones too; a NULL
 * stride is dense. Must not overlap. */
void uc_copy_strided(void *to, const int64_t *to_stride, const void *from,
                     const int64_t *from_stride, int rank, const int64_t *shape, size_t size);
/* n elements of `size` bytes, all equal to the one at `from`. */
void uc_fill(void *to, const void *from, int64_t n, size_t size);

#endif
