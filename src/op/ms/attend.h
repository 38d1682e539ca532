/* Attention over heads: what com.microsoft's Attention, QAttention, MultiHeadAttention and
 * GroupQueryAttention share. y = softmax(scale * q k' + mask + bias) v, head by head. */
#ifndef UC_OP_MS_ATTEND_H
#define UC_OP_MS_ATTEND_H

#include "op/op.h"

/* A tensor of rows: element (batch, head, row, i) is at data + batch * .batch + head * .head +
 * row * .row + i. */
typedef struct uc_heads {
    float *data;
    int64_t batch, head, row;
} uc_heads;

typedef struct uc_attend {
    int64_t batch, heads, kv_heads; /* heads of q a head of k: heads / kv_heads */
    int64_t rows, keys;             /* of q; of k and v */
    int64_t size, v_size;           /* of a head */
    uc_heads q, k, v, y;
    float scale, softcap;
    const float *mask; /* added: [batch, rows or 1, keys], NULL: none */
    int64_t mask_batch, mask_row;
    const float *bias; /* added: (batch, head, row) by these strides, NULL: none */
    int64_t bias_batch, bias_head, bias_row;
    bool causal;           /* row r of a batch sees keys up to past + r */
    const int64_t *past;   /* [batch], for causal and window */
    const int64_t *length; /* [batch]: keys that are there at all; NULL: all */
    int64_t window;        /* keys that a row sees, its own the last; below 1: all */
} uc_attend;

uncork_status uc_attend_run(uc_call *call, const uc_attend *a);

#endif
