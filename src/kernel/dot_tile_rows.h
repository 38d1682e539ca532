/* The rows of dot_tile.h, one a file. */
#ifndef UC_KERNEL_DOT_TILE_ROWS_H
#define UC_KERNEL_DOT_TILE_ROWS_H

#include "kernel/dot_tile.h"

void uc_dot_nothing(void);
void uc_dot_u8s8_scalar(const uc_dot_tile *tile);
void uc_dot_u8s8_avx2(const uc_dot_tile *tile);
void uc_dot_u8s8_vnni(const uc_dot_tile *tile);
void uc_dot_u8s8_amx(const uc_dot_tile *tile);
void uc_dot_bf16_bf16(const uc_dot_tile *tile);
void uc_dot_bf16_amx(const uc_dot_tile *tile);
void uc_dot_amx_begin(void);
void uc_dot_amx_end(void);

#endif
