/* Quantised operators by somebody's rounding: each returns false, having emitted nothing, where the operator
 * isn't one over 8 or 16 bits of one scale a tensor, or where real numbers are wanted. */
#ifndef UC_IMPORT_TFLITE_TFLITE_QUANT_H
#define UC_IMPORT_TFLITE_TFLITE_QUANT_H

#include "import/tflite/tflite.h"

bool uc_tfl_q_conv(uc_tfl_call *c);
bool uc_tfl_q_depthwise_conv(uc_tfl_call *c);
bool uc_tfl_q_transpose_conv(uc_tfl_call *c);
bool uc_tfl_q_fully_connected(uc_tfl_call *c);
bool uc_tfl_hybrid_conv(uc_tfl_call *c);
bool uc_tfl_hybrid_fully_connected(uc_tfl_call *c);
bool uc_tfl_q_pool(uc_tfl_call *c);
bool uc_tfl_q_unary(uc_tfl_call *c);
bool uc_tfl_q_binary(uc_tfl_call *c);
bool uc_tfl_q_softmax(uc_tfl_call *c);
bool uc_tfl_q_reduce(uc_tfl_call *c);
bool uc_tfl_q_resize(uc_tfl_call *c);
bool uc_tfl_q_quantize(uc_tfl_call *c);

/* ---- what they share: tflite_quant.c ---- */

/* Whether a tensor is int8, uint8 or int16 by one scale, and rounding matters. */
bool uc_tfl_q_is(const uc_tfl_call *c, const uc_tfl_tensor *t);
/* The zero point as values are kept, and the type they are kept in. */
int64_t uc_tfl_q_zero(const uc_tfl_call *c, const uc_tfl_tensor *t);
uncork_dtype uc_tfl_q_dtype(const uc_tfl_call *c, const uc_tfl_tensor *t);
/* Whether XNNPACK, as the default, takes tensors like these: int8 or uint8 all. */
bool uc_tfl_q_delegates(const uc_tfl_call *c, const uc_tfl_tensor *a, const uc_tfl_tensor *b);
/* Attributes PREFIX_scale and PREFIX_zero; `rounding`; `low` and `high` by an activation of the fused kind. */
void uc_tfl_q_put(uc_tfl_call *c, uc_node *n, const char *prefix, const uc_tfl_tensor *t);
void uc_tfl_q_put_rule(uc_tfl_call *c, uc_node *n, bool delegated);
bool uc_tfl_q_put_limits(uc_tfl_call *c, uc_node *n, const uc_tfl_tensor *t, int64_t activation);
/* 128 where bytes stand for signed ones. */
void uc_tfl_q_put_offset(uc_tfl_call *c, uc_node *n, const uc_tfl_tensor *t);

#endif
