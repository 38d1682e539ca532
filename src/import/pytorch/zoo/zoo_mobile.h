/* Trunks of mobile networks, which segmentation and detection stand on as well. */
#ifndef UC_IMPORT_PYTORCH_ZOO_ZOO_MOBILE_H
#define UC_IMPORT_PYTORCH_ZOO_ZOO_MOBILE_H

#include "import/pytorch/zoo/zoo_build.h"

/* Conv2dNormActivation of torchvision/ops/misc.py: name.0 is the convolution, name.1 the norm. act NULL:
 * none. */
uc_zv uc_z_conv_norm(uc_zoo *z, const char *name, uc_zv x, uc_z_window w, double eps,
                     const char *act);
/* SqueezeExcitation of torchvision/ops/misc.py: fc1, act, fc2, gate. */
uc_zv uc_z_excite(uc_zoo *z, const char *name, uc_zv x, const char *act, const char *gate);

#define UC_Z_MOBILE_BLOCKS 32

typedef struct uc_z_mobile_v3 {
    bool large;
    bool dilated; /* the last strided block looks further instead */
    int blocks;
    double eps;
} uc_z_mobile_v3;

uc_z_mobile_v3 uc_z_mobile_v3_read(uc_zoo *z, const char *features);
/* One layer of features: 0 the stem, 1 to blocks the blocks, blocks + 1 the last convolution. expanded (NULL:
 * not wanted) receives what the block's expansion gives. */
uc_zv uc_z_mobile_v3_layer(uc_zoo *z, const uc_z_mobile_v3 *net, int i, uc_zv x, uc_zv *expanded);
uc_zv uc_z_mobile_v2_layer(uc_zoo *z, int i, int last, uc_zv x);

#endif
