/* What torchvision's detectors share: the picture made ready, pyramids of features, anchors, boxes from
 * offsets, suppression. One picture at a time. */
#ifndef UC_IMPORT_PYTORCH_ZOO_ZOO_DETECT_H
#define UC_IMPORT_PYTORCH_ZOO_ZOO_DETECT_H

#include "import/pytorch/zoo/zoo_attention.h"

/* ---- plain nodes (zoo_detect.c) ---- */
uc_ref uc_z_op1(uc_zoo *z, const char *op, uc_ref a);
uc_ref uc_z_op2(uc_zoo *z, const char *op, uc_ref a, uc_ref b);
uc_ref uc_z_f32(uc_zoo *z, double v);
uc_ref uc_z_to_f32(uc_zoo *z, uc_ref a);
/* Column `i` of [n, m], kept as [n, 1] or as [n]. */
uc_ref uc_z_column(uc_zoo *z, uc_ref a, int64_t i, bool keep);
uc_ref uc_z_columns(uc_zoo *z, const uc_ref *columns, size_t count); /* [n, 1] each, side by side */
/* How many rows; a vector of one int64. */
uc_ref uc_z_rows(uc_zoo *z, uc_ref a);
/* The `most` largest of scores [n], or all: values and where they stood. */
void uc_z_top(uc_zoo *z, uc_ref scores, int64_t most, uc_ref *values, uc_ref *indices);
/* Where a condition [n] holds: [k]. */
uc_ref uc_z_where(uc_zoo *z, uc_ref condition);
uc_ref uc_z_pick(uc_zoo *z, uc_ref a, uc_ref indices);

/* ---- the picture ---- */
typedef struct uc_z_frame {
    uc_zv x;                        /* [1, 3, H, W] as the trunk takes it */
    uc_ref rows, columns;           /* of the resized picture, int64 scalars */
    uc_ref all_rows, all_columns;   /* with the zeros behind */
    uc_ref full_rows, full_columns; /* of the picture as it came */
} uc_z_frame;

typedef struct uc_z_transform {
    double mean[3], std[3];
    int64_t min_size, max_size; /* shorter and longer side */
    int64_t fixed;              /* rows and columns, whatever came; 0: none */
    int64_t multiple;           /* zeros up to a multiple of; 0: none */
} uc_z_transform;

extern const uc_z_transform uc_z_imagenet; /* 800 to 1333, multiples of 32 */
uc_z_frame uc_z_frame_of(uc_zoo *z, const uc_z_transform *t);

/* ---- pyramids ---- */
#define UC_Z_LEVELS 8
/* FeaturePyramidNetwork over c[0..count): out gets count levels, and a pooled one or p6 and p7. */
size_t uc_z_pyramid(uc_zoo *z, const uc_zv *c, size_t count, uc_zv *out);
/* backbone.body and backbone.fpn of a ResNet: levels from layer `first` (1 to 4) on. */
size_t uc_z_resnet_pyramid(uc_zoo *z, uc_zv x, int first, uc_zv *out, const char **name);

/* ---- boxes ---- */
/* [1, A * k, H, W] to [H * W * A, k]. */
uc_ref uc_z_cells(uc_zoo *z, uc_zv x, int64_t k);
/* Cell anchors of AnchorGenerator: for each ratio each size. */
typedef struct uc_z_anchors {
    double sizes[5];
    int size_count;
    double ratios[3];
    int ratio_count;
} uc_z_anchors;
uc_ref uc_z_grid(uc_zoo *z, uc_zv feature, const uc_z_frame *frame, const uc_z_anchors *a);
/* BoxCoder.decode_single; codes and boxes [n, 4]. */
uc_ref uc_z_decode(uc_zoo *z, uc_ref codes, uc_ref boxes, const double weights[4]);
uc_ref uc_z_clip(uc_zoo *z, uc_ref boxes, const uc_z_frame *frame);
/* The kept of boxes [n, 4] by scores [n], class by class (labels [n] below `classes`), best first, at
 * most `top`. */
uc_ref uc_z_nms(uc_zoo *z, uc_ref boxes, uc_ref scores, uc_ref labels, int64_t classes,
                double threshold, int64_t top);
/* Boxes as they lie in the picture that came. */
uc_ref uc_z_unresize(uc_zoo *z, uc_ref boxes, const uc_z_frame *frame);
/* The three outputs of every detector. */
void uc_z_detections(uc_zoo *z, uc_ref boxes, uc_ref scores, uc_ref labels,
                     const uc_z_frame *frame);

#endif
