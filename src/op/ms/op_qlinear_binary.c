/* QLinearAdd, QLinearMul and QLinearWhere: two quantised tensors that broadcast.
 *
 * Source: onnxruntime/core/graph/contrib_ops/quantization_defs.cc; rounding as in its x86-64 kernels
 * (mlas/lib/intrinsics/avx2/qladd_avx2.cpp, mlas/lib/qlmul.cpp, contrib_ops/cpu/quantization/qlinear_where.cc).
 * A, B  int8 or uint8, one type, each with its scale and zero point (one; missing: 0);  C  that type */
#include "kernel/quantize.h"
#include "op/inner.h"
#include "op/quant.h"
#include "op/shape.h"
#include "op/spread.h"

#include <math.h>

/* What a loop needs to know: walks as an array of one element. */
typedef struct terms {
    float a_ratio, b_ratio; /* scales over the result's */
    float fixed;            /* what the zero points come to */
    float ratio;            /* QLinearMul: a_scale * b_scale / c_scale */
    int32_t a_zero, b_zero, c_zero, low, high;
} terms;

static inline int32_t rounded(float v, int32_t low, int32_t high)
{
    float least = (float)low, most = (float)high;
    v = v > least ? v : least;
    v = v < most ? v : most;
    return (int32_t)((v + 12582912.0f) - 12582912.0f);
}

/* a * b + c rounded once, but for double rounding: a has 8 bits, so the product is exact. */
static inline float fused(int32_t a, float b, float c)
{
    return (float)((double)a * (double)b + (double)c);
}

#define ADD(NAME, T)                                                                \
    static void NAME(char *const *p, const int64_t *step, int64_t n)                \
    {                                                                               \
        const terms *q = (const terms *)(const void *)p[3];                         \
        float fixed = q->fixed;                                                     \
        bool one_a = step[1] == 0, one_b = step[2] == 0 && !one_a;                  \
        if (one_a) fixed = fused(*(const T *)p[1], q->a_ratio, fixed);              \
        if (one_b) fixed = fused(*(const T *)p[2], q->b_ratio, fixed);              \
        for (int64_t i = 0; i < n; i++) {                                           \
            float v = fixed;                                                        \
            if (!one_b) v = fused(*(const T *)(p[2] + i * step[2]), q->b_ratio, v); \
            if (!one_a) v = fused(*(const T *)(p[1] + i * step[1]), q->a_ratio, v); \
            *(T *)(p[0] + i * step[0]) = (T)rounded(v, q->low, q->high);            \
        }                                                                           \
    }

#define MUL(NAME, T)                                                     \
    static void NAME(char *const *p, const int64_t *step, int64_t n)     \
    {                                                                    \
        const terms *q = (const terms *)(const void *)p[3];              \
        for (int64_t i = 0; i < n; i++) {                                \
            int32_t a = *(const T *)(p[1] + i * step[1]) - q->a_zero;    \
            int32_t b = *(const T *)(p[2] + i * step[2]) - q->b_zero;    \
            float v = (float)(a * b) * q->ratio + (float)q->c_zero;      \
            *(T *)(p[0] + i * step[0]) = (T)rounded(v, q->low, q->high); \
        }                                                                \
    }

ADD(add_u8, uint8_t)
ADD(add_i8, int8_t)
MUL(mul_u8, uint8_t)
MUL(mul_i8, int8_t)

static uncork_status infer(uc_call *call)
{
    uncork_dtype dtype = uc_call_dtype(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    uc_inner both;
    if (dtype && dtype != UNCORK_INT8 && dtype != UNCORK_UINT8) {
        return uc_call_fail(call, UNCORK_INPUT, "A is %s, int8 or uint8 is wanted",
                            uc_dtype_name(dtype));
    }
    UC_TRY(uc_quant_need(call, 3));
    UC_TRY(uc_quant_need(call, 4));
    UC_TRY(uc_quant_need(call, 6));
    UC_TRY(uc_call_same_dtype(call, 0, 3));
    UC_TRY(uc_quant_check_one(call, 1, 2, dtype));
    UC_TRY(uc_quant_check_one(call, 4, 5, dtype));
    UC_TRY(uc_quant_check_one(call, 6, 7, dtype));
    uc_inner_begin(&both, call);
    uc_inner_add(&both, uc_call_arg(call, 0));
    uc_inner_add(&both, uc_call_arg(call, 3));
    UC_TRY(uc_broadcast_inputs(&both.call, 0, 2, &rank, shape));
    return uc_call_shape(call, 0, dtype, rank, shape);
}

static uncork_status run_as(uc_call *call, uc_loop_fn loop_u8, uc_loop_fn loop_i8)
{
    float a = uc_quant_scale(call, 1), b = uc_quant_scale(call, 4), c = uc_quant_scale(call, 6);
    terms q = {.a_ratio = a / c, .b_ratio = b / c, .ratio = a * b / c};
    q.a_zero = uc_quant_zero(call, 2);
    q.b_zero = uc_quant_zero(call, 5);
    q.c_zero = uc_quant_zero(call, 7);
    float moved = fused(q.a_zero, q.a_ratio, q.b_ratio * (float)q.b_zero);
    q.fixed = (float)q.c_zero - moved;
    const uc_tensor *x = uc_call_arg(call, 0);
    (void)uc_quant_bounds(x->dtype, &q.low, &q.high);
    uc_tensor one = {.dtype = UNCORK_UINT8, .data = &q};
    const uc_tensor *in[] = {x, uc_call_arg(call, 3), &one};
    return uc_spread(call, x->dtype == UNCORK_UINT8 ? loop_u8 : loop_i8, in, 3);
}

static uncork_status run_add(uc_call *call) { return run_as(call, add_u8, add_i8); }
static uncork_status run_mul(uc_call *call) { return run_as(call, mul_u8, mul_i8); }

const uc_op uc_op_ms_qlinear_add = {.domain = "com.microsoft",
                                    .name = "QLinearAdd",
                                    .in = {2, 8},
                                    .out = {1, 1},
                                    .infer = infer,
                                    .run = run_add};
const uc_op uc_op_ms_qlinear_mul = {.domain = "com.microsoft",
                                    .name = "QLinearMul",
                                    .in = {2, 8},
                                    .out = {1, 1},
                                    .infer = infer,
                                    .run = run_mul};

/* ---- QLinearWhere: condition, X, its scale and zero point, Y, its, the result's -------------- */

static uncork_status infer_where(uc_call *call)
{
    uncork_dtype dtype = uc_call_dtype(call, 1);
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    uc_inner three;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_BOOL));
    UC_TRY(uc_call_same_dtype(call, 1, 4));
    UC_TRY(uc_quant_check_one(call, 2, 3, dtype));
    UC_TRY(uc_quant_check_one(call, 5, 6, dtype));
    UC_TRY(uc_quant_check_one(call, 7, 8, dtype));
    if (dtype && dtype != UNCORK_INT8 && dtype != UNCORK_UINT8) {
        return uc_call_fail(call, UNCORK_INPUT, "X is %s, int8 or uint8 is wanted",
                            uc_dtype_name(dtype));
    }
    uc_inner_begin(&three, call);
    uc_inner_add(&three, uc_call_arg(call, 0));
    uc_inner_add(&three, uc_call_arg(call, 1));
    uc_inner_add(&three, uc_call_arg(call, 4));
    UC_TRY(uc_broadcast_inputs(&three.call, 0, 3, &rank, shape));
    return uc_call_shape(call, 0, dtype, rank, shape);
}

static uncork_status run_where(uc_call *call)
{
    uc_tensor side[2];
    for (size_t i = 0; i < 2; i++) {
        const uc_tensor *t = uc_call_arg(call, 1 + 3 * i);
        uc_quant_table table = {.x_scale = uc_quant_scale(call, 2 + 3 * i),
                                .x_zero = uc_quant_zero(call, 3 + 3 * i),
                                .y_scale = uc_quant_scale(call, 7),
                                .y_zero = uc_quant_zero(call, 8),
                                .dtype = t->dtype};
        side[i] = *t;
        side[i].data = uc_call_scratch(call, (size_t)uc_tensor_count(t), 1);
        if (!side[i].data) return uc_fail_memory(call->error);
        uc_quant_table_fill(&table, NULL, NULL);
        uc_quant_table_apply(&table, t->data, side[i].data, uc_tensor_count(t), NULL);
    }
    const uc_tensor *in[] = {uc_call_arg(call, 0), &side[0], &side[1]};
    return uc_spread(call, uc_loop_where(1), in, 3);
}

const uc_op uc_op_ms_qlinear_where = {.domain = "com.microsoft",
                                      .name = "QLinearWhere",
                                      .in = {9, 9},
                                      .out = {1, 1},
                                      .infer = infer_where,
                                      .run = run_where};
