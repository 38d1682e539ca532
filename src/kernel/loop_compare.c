/* Two elements to a bool. A comparison with NaN is false, as in IEEE 754. */
#include "kernel/loop.h"

#define COMPARE_OPS(S, T, LOOP)      \
    LOOP(eq_##S, uint8_t, T, a == b) \
    LOOP(lt_##S, uint8_t, T, a < b)  \
    LOOP(le_##S, uint8_t, T, a <= b) \
    LOOP(gt_##S, uint8_t, T, a > b)  \
    LOOP(ge_##S, uint8_t, T, a >= b)

COMPARE_OPS(f64, double, UC_LOOP2)
COMPARE_OPS(f32, float, UC_LOOP2)
COMPARE_OPS(i64, int64_t, UC_LOOP2)
COMPARE_OPS(i32, int32_t, UC_LOOP2)
COMPARE_OPS(i16, int16_t, UC_LOOP2_SMALL)
COMPARE_OPS(i8, int8_t, UC_LOOP2_SMALL)
COMPARE_OPS(u64, uint64_t, UC_LOOP2_SMALL)
COMPARE_OPS(u32, uint32_t, UC_LOOP2_SMALL)
COMPARE_OPS(u16, uint16_t, UC_LOOP2_SMALL)
COMPARE_OPS(u8, uint8_t, UC_LOOP2_SMALL)
UC_LOOP2(eq_bool, uint8_t, uint8_t, !a == !b)
UC_LOOP2(and_bool, uint8_t, uint8_t, (a && b))
UC_LOOP2(or_bool, uint8_t, uint8_t, (a || b))
UC_LOOP2(xor_bool, uint8_t, uint8_t, !a != !b)

#define ROW(S)                                 \
    {                                          \
        eq_##S, lt_##S, le_##S, gt_##S, ge_##S \
    }

static const uc_loop_fn loops[][UC_XOR + 1] = {
    [UNCORK_FLOAT64] = ROW(f64),
    [UNCORK_FLOAT32] = ROW(f32),
    [UNCORK_INT64] = ROW(i64),
    [UNCORK_INT32] = ROW(i32),
    [UNCORK_INT16] = ROW(i16),
    [UNCORK_INT8] = ROW(i8),
    [UNCORK_UINT64] = ROW(u64),
    [UNCORK_UINT32] = ROW(u32),
    [UNCORK_UINT16] = ROW(u16),
    [UNCORK_UINT8] = ROW(u8),
    [UNCORK_BOOL] =
        {[UC_EQ] = eq_bool, [UC_AND] = and_bool, [UC_OR] = or_bool, [UC_XOR] = xor_bool},
};

uc_loop_fn uc_loop_compare(uc_compare op, uncork_dtype dtype)
{
    return (size_t)dtype < sizeof loops / sizeof loops[0] ? loops[dtype][op] : NULL;
}
