/* See chain.h. */
#include "kernel/chain_rows.h"

#include <math.h>

#define NAME uc_chain_scalar
#include "kernel/chain.inc"
