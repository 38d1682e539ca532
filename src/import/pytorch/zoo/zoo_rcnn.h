/* The second stage of R-CNNs: regions pooled from a pyramid, and what heads make of them. */
#ifndef UC_IMPORT_PYTORCH_ZOO_ZOO_RCNN_H
#define UC_IMPORT_PYTORCH_ZOO_ZOO_RCNN_H

#include "import/pytorch/zoo/zoo_detect.h"

typedef struct uc_z_regions {
    const uc_zv *levels;
    size_t count;
    int64_t first_power; /* the first level's stride is 2 to this */
    double scale;        /* of the first level */
} uc_z_regions;

typedef struct uc_z_detected {
    uc_ref boxes, scores, labels; /* in the resized picture */
} uc_z_detected;

/* MultiScaleRoIAlign: boxes [n, 4] to [n, c, size, size]. */
uc_zv uc_z_pool_regions(uc_zoo *z, const uc_z_regions *r, uc_ref boxes, int64_t size);
uc_z_detected uc_z_detect_boxes(uc_zoo *z, const uc_z_regions *r, uc_ref boxes,
                                const uc_z_frame *frame);
/* zoo_rcnn_heads.c: outputs "masks" and "keypoints", "keypoints_scores". */
void uc_z_detect_masks(uc_zoo *z, const uc_z_regions *r, const uc_z_detected *d,
                       const uc_z_frame *frame);
void uc_z_detect_keypoints(uc_zoo *z, const uc_z_regions *r, const uc_z_detected *d,
                           const uc_z_frame *frame);

#endif
