/* The trunk of ResNets, which segmentation and detection stand on as well. */
#ifndef UC_IMPORT_PYTORCH_ZOO_ZOO_RESNET_H
#define UC_IMPORT_PYTORCH_ZOO_ZOO_RESNET_H

#include "import/pytorch/zoo/zoo_build.h"

typedef struct uc_z_resnet {
    const char *name;
    bool bottleneck;
    int depth[4];
    int64_t groups, width; /* of a group, per 64 channels */
    int stages;            /* 4, 3 for those of CIFAR */
    int64_t dilate[4];     /* last stages keep their size and look further: 1, 1, 2, 4; 0: 1 */
} uc_z_resnet;

/* Depths, groups and widths from the shapes, or those of the name that is wanted. */
uc_z_resnet uc_z_resnet_read(uc_zoo *z);
/* conv1 to layer4: out[i] is what layer i + 1 gives. */
void uc_z_resnet_trunk(uc_zoo *z, const uc_z_resnet *net, uc_zv x, uc_zv out[4]);

#endif
