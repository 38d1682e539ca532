/* Weights of a channel-blocked layer, packed or as the file brings them. */
#ifndef UC_OP_EXT_BLOCK_PACK_H
#define UC_OP_EXT_BLOCK_PACK_H

#include "kernel/conv_blocked.h"
#include "op/ext/block_window.h"

/* prepare: the packed form of weights w and bias (NULL: none) of a layer whose method is chosen. */
uncork_status uc_block_pack(uc_call *call, const uc_conv_row *row, const uc_conv *c,
                            const uc_tensor *w, const uc_tensor *bias, const float **packed);

#endif
