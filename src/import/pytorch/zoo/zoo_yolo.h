/* What the parts of YOLO's descriptions share. */
#ifndef UC_IMPORT_PYTORCH_ZOO_ZOO_YOLO_H
#define UC_IMPORT_PYTORCH_ZOO_ZOO_YOLO_H

#include "import/pytorch/torch.h"
#include "import/pytorch/zoo/zoo_detect.h"

/* Convolution without a bias, batch norm, SiLU or nothing. */
uc_zv uc_z_yolo_conv(uc_zoo *z, const char *name, uc_zv x, uc_z_window w, const char *act);
/* Of the pickled module, if the weights come from one: an object below it, "model.9.cv1.act". */
const uc_pickle *uc_z_yolo_object(const uc_zoo *z, const char *path);
/* The head, layer `at`, on three levels. (zoo_yolo_head.c) */
void uc_z_yolo_head(uc_zoo *z, int at, const uc_zv levels[3]);
/* YOLOv5's own head, with anchors. */
void uc_z_yolo_anchors(uc_zoo *z, int at, const uc_zv levels[3]);

#endif
