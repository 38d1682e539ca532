/* depthwise_wide.h for any machine. */
#define ROW uc_depthwise_wide_scalar
#include "kernel/depthwise_wide.inc"
