/* Non-maximum suppression as each library does it. Boxes come best first; the arithmetic of the overlap
 * decides ties in the last bit, so it is each library's own. */
#ifndef UC_KERNEL_NMS_H
#define UC_KERNEL_NMS_H

#include <stddef.h>
#include <stdint.h>

typedef enum uc_nms_rule {
    UC_NMS_TORCHVISION, /* torchvision/csrc/ops/cpu/nms_kernel.cpp */
    UC_NMS_TENSORFLOW,  /* tensorflow/core/kernels/image/non_max_suppression_op.cc */
    UC_NMS_OPENCV,      /* modules/dnn/src/nms.inl.hpp over Rect2d */
    UC_NMS_OPENCV_INT,  /* the same over Rect2i: whole pixels, as FaceDetectorYN has it */
    UC_NMS_EPSILON,     /* Ultra-Light-Fast-Generic-Face-Detector, box_utils.hard_nms */
    UC_NMS_PIXELS,      /* FastestDet's example: ends are pixels that belong to the box */
} uc_nms_rule;

/* Walks boxes from the first; one that overlaps a kept one by more than `iou` is dropped, the rest are
 * kept, until there are `most`. Never compares dropped boxes: n * most comparisons at worst.
 *
 * boxes    [n, 4] x1, y1, x2, y2
 * classes  [n]: only boxes of one class suppress each other; NULL: all do
 * keep     [min(n, most)]: receives indices, rising. Returns how many. */
size_t uc_nms(uc_nms_rule rule, const float *boxes, const int32_t *classes, size_t n, double iou,
              size_t most, size_t *keep);

/* tf.raw_ops.NonMaxSuppressionV5: scores decay by the overlap with what is chosen; sigma 0: dropped
 * above `iou` instead. Boxes in any order; equal scores: the lower index first.
 *
 * scores   [n]; those not above `least` are left out
 * heap     [n] scratch: indices;  decayed [n] scratch;  begin [n] scratch
 * keep     [most] receives indices in order of choice;  kept_scores [most]: as decayed */
size_t uc_nms_soft(const float *boxes, const float *scores, size_t n, float iou, float least,
                   float sigma, size_t most, size_t *heap, float *decayed, size_t *begin,
                   size_t *keep, float *kept_scores);

#endif
