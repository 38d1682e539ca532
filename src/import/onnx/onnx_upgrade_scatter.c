/* Scatter (9) was renamed to ScatterElements (11). Source: onnx Changelog. */
#include "import/onnx/onnx_upgrade.h"

void uc_onnx_upgrade_scatter_11(uc_onnx_draft *d)
{
    d->op = "ScatterElements";
    d->version = 11;
}
