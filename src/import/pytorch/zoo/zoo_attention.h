/* Attention as vision transformers share it. */
#ifndef UC_IMPORT_PYTORCH_ZOO_ZOO_ATTENTION_H
#define UC_IMPORT_PYTORCH_ZOO_ZOO_ATTENTION_H

#include "import/pytorch/zoo/zoo_build.h"

/* [N, L, c] to [N, heads, L, c / heads], and back. */
uc_ref uc_z_heads(uc_zoo *z, uc_zv x, int64_t heads);
uc_zv uc_z_unheads(uc_zoo *z, uc_ref x, int64_t channels);
/* Attention of q to k and v, [N, L, c] each; mask is added, 0: none. */
uc_zv uc_z_attend(uc_zoo *z, uc_zv q, uc_zv k, uc_zv v, int64_t heads, uc_ref mask);
/* Self-attention whose three matrices are one: name.weight [3 c, c], and the bias where the file has one. */
uc_zv uc_z_attend_fused(uc_zoo *z, const char *name, uc_zv x, int64_t heads, uc_ref mask);
/* The bias of three matrices in one where keys have none: <start>q_bias and v_bias, zeros between; or the
 * outer thirds of <start>qkv.bias. */
uc_ref uc_z_qkv_bias(uc_zoo *z, const char *start, int64_t c);
/* Parts of equal size along the last axis. */
void uc_z_thirds(uc_zoo *z, uc_zv x, uc_zv out[3]);
/* fc1, act, fc2: names of the two dense layers. */
uc_zv uc_z_mlp(uc_zoo *z, const char *first, const char *second, const char *act, uc_zv x);
/* A picture's patches as tokens: [N, c, rows, columns] to [N, rows * columns, c]. */
uc_zv uc_z_tokens(uc_zoo *z, uc_zv x);
/* And back, as many rows and columns as `like` has. */
uc_zv uc_z_untokens(uc_zoo *z, uc_zv x, uc_ref like);
/* A constant [1, 1, c] for every picture of the batch. */
uc_ref uc_z_token_of_each(uc_zoo *z, uc_ref token, uc_ref batch_of);

/* Attention within shifted windows over x [N, H, W, c], H and W as they come.
 * Source: torchvision/models/swin_transformer.py, shifted_window_attention. */
typedef struct uc_z_windows {
    int64_t window, shift, heads;
    uc_ref bias;        /* [1, heads, window^2, window^2] */
    uc_ref logit_scale; /* of cosine attention (version 2), already exponentiated; or 0 */
    uc_ref qkv_weight, qkv_bias;
    const char *out; /* the dense layer behind */
} uc_z_windows;
uc_zv uc_z_window_attention(uc_zoo *z, uc_zv x, const uc_z_windows *w);
/* Which row of a table of (2 rows - 1) * (2 columns - 1) biases each pair of cells of a window takes:
 * [rows * columns * rows * columns]. */
uc_ref uc_z_relative_index(uc_zoo *z, int64_t rows, int64_t columns);
/* table[index] as [1, heads, n, n]. */
uc_ref uc_z_relative_bias(uc_zoo *z, uc_ref table, uc_ref index, int64_t cells);

/* Scalars known when it runs, int64 of rank 0. */
uc_ref uc_z_i64(uc_zoo *z, int64_t v);
uc_ref uc_z_reshape_to(uc_zoo *z, uc_ref x, const uc_ref *dims, size_t count);

#endif
