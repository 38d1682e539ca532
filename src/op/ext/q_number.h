/* What the quantised operators over TensorFlow Lite's integers share. A value is (q - zero) * scale: q is u8
 * (signed bytes are kept 128 higher) or s16. `rounding` names whose arithmetic is followed to the bit. */
#ifndef UC_OP_EXT_Q_NUMBER_H
#define UC_OP_EXT_Q_NUMBER_H

#include "kernel/fixed_point.h"
#include "op/op.h"

typedef enum uc_q_rule {
    UC_Q_XNNPACK,   /* its operators over 8 bits */
    UC_Q_BUILTIN,   /* TensorFlow Lite's own kernels */
    UC_Q_REFERENCE, /* its reference kernels */
} uc_q_rule;

typedef struct uc_q_number {
    float scale;
    int32_t zero;
} uc_q_number;

/* Attribute `rounding`; attributes PREFIX_scale and PREFIX_zero; `low` and `high` within a type. */
uncork_status uc_q_rule_read(uc_call *call, uc_q_rule *rule);
uncork_status uc_q_number_read(uc_call *call, const char *prefix, uncork_dtype dtype,
                               uc_q_number *number);
uncork_status uc_q_limits_read(uc_call *call, uncork_dtype dtype, int32_t *low, int32_t *high);
/* infer: fails unless input i is u8 or s16 (or not known). */
uncork_status uc_q_expect(uc_call *call, size_t i);

static inline int32_t uc_q_load(const void *data, int64_t i, bool wide)
{
    return wide ? ((const int16_t *)data)[i] : ((const uint8_t *)data)[i];
}

static inline void uc_q_store(void *data, int64_t i, uncork_dtype dtype, int32_t v)
{
    if (dtype == UNCORK_UINT8)
        ((uint8_t *)data)[i] = (uint8_t)v;
    else if (dtype == UNCORK_INT16)
        ((int16_t *)data)[i] = (int16_t)v;
    else
        ((int32_t *)data)[i] = v;
}

/* round(v) + zero within low and high, half to even as XNNPACK has it. */
static inline int32_t uc_q_even(float v, int32_t zero, int32_t low, int32_t high)
{
    const float least = (float)(low - zero), most = (float)(high - zero);
    v = v > least ? v : least;
    v = v < most ? v : most;
    return (int32_t)rintf(v) + zero;
}

#endif
