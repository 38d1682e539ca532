/* quantize.h for any machine: the oracle. */
#define ROW uc_quant_scalar
#include "kernel/quantize.inc"
