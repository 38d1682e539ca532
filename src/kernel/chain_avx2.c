/* See chain.h. */
#include "kernel/chain_rows.h"

#include <math.h>

#if defined(__x86_64__)
#    define NAME uc_chain_avx2
#    include "kernel/chain.inc"
#endif
