/* bytes.h for any machine. */
#define ROW uc_bytes_scalar
#include "kernel/bytes.inc"
