/* QGemm: alpha * A' * B' of quantised matrices plus a quantised bias, requantised or as float32.
 *
 * Source: onnxruntime/core/graph/contrib_ops/quantization_defs.cc, contrib_ops/cpu/quantization/
 * quant_gemm.cc.
 * A, a_scale, a_zero_point, B, b_scale, b_zero_point, C int32, y_scale, y_zero_point; A and B may come
 * transposed; b's scale and zero point: one, or one a column; C broadcasts to the product.
 * Without y_scale the result is float32. */
#include "kernel/copy.h"
#include "kernel/requantize.h"
#include "op/product_i8.h"
#include "op/quant.h"
#include "op/shape.h"

#include <inttypes.h>

enum { A, A_SCALE, A_ZERO, B, B_SCALE, B_ZERO, C, Y_SCALE, Y_ZERO };

static bool is_turned(const uc_call *call, const char *name)
{
    return uc_call_int(call, name, 0) != 0;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, A), *b = uc_call_arg(call, B), *c = uc_call_in(call, C);
    bool ta = is_turned(call, "transA"), tb = is_turned(call, "transB");
    int64_t shape[2] = {UC_DIM_UNKNOWN, UC_DIM_UNKNOWN}, ka = UC_DIM_UNKNOWN, kb = ka;
    UC_TRY(uc_product_i8_check(call, A, B, A_ZERO, B_ZERO));
    UC_TRY(uc_quant_check_one(call, A_SCALE, A_ZERO, a->dtype));
    UC_TRY(uc_call_expect(call, B_SCALE, UC_TYPES_FLOAT));
    if ((a->rank >= 0 && a->rank != 2) || (b->rank >= 0 && b->rank != 2)) {
        return uc_call_fail(call, UNCORK_INPUT, "A and B must be matrices");
    }
    if (a->rank == 2) {
        shape[0] = a->shape[ta];
        ka = a->shape[!ta];
    }
    if (b->rank == 2) {
        shape[1] = b->shape[!tb];
        kb = b->shape[tb];
    }
    if (ka >= 0 && kb >= 0 && ka != kb) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " columns meet %" PRId64 " rows", ka,
                            kb);
    }
    if (c && c->dtype && c->dtype != UNCORK_INT32) {
        return uc_call_fail(call, UNCORK_INPUT, "C is %s, int32 is wanted",
                            uc_dtype_name(c->dtype));
    }
    for (int d = 0; c && d < c->rank; d++) {
        int at = 2 - c->rank + d;
        bool fits = at >= 0 && (c->shape[d] < 0 || c->shape[d] == 1 || shape[at] < 0 ||
                                c->shape[d] == shape[at]);
        if (!fits) return uc_call_fail(call, UNCORK_INPUT, "C doesn't broadcast to the product");
    }
    const uc_tensor *scale = uc_call_arg(call, B_SCALE);
    if (uc_dims_known(scale->shape, scale->rank) && shape[1] >= 0) {
        int64_t n = uc_tensor_count(scale);
        if (n != 1 && n != shape[1]) {
            return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " scales for %" PRId64 " columns", n,
                                shape[1]);
        }
    }
    if (!uc_call_in(call, Y_SCALE)) return uc_call_shape(call, 0, UNCORK_FLOAT32, 2, shape);
    uncork_dtype y = uc_call_in(call, Y_ZERO) ? uc_call_dtype(call, Y_ZERO) : a->dtype;
    UC_TRY(uc_quant_check_one(call, Y_SCALE, Y_ZERO, y));
    if (y && y != UNCORK_INT8 && y != UNCORK_UINT8) {
        return uc_call_fail(call, UNCORK_INPUT, "y_zero_point is %s", uc_dtype_name(y));
    }
    return uc_call_shape(call, 0, y, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    return uc_product_i8_prepare(call, B, is_turned(call, "transB"));
}

/* A dense transposed copy. */
static uncork_status turn(uc_call *call, const uc_tensor *t, bool turned, uc_tensor *to)
{
    *to = *t;
    if (!turned) return UNCORK_OK;
    uc_tensor view = uc_tensor_transposed(t);
    to->data = uc_call_scratch(call, (size_t)uc_tensor_count(t), 1);
    if (!to->data) return uc_fail_memory(call->error);
    uc_copy_strided(to->data, NULL, view.data, view.stride, 2, view.shape, 1);
    uc_tensor_set(to, t->dtype, 2, view.shape);
    return UNCORK_OK;
}

static int32_t c_at(const uc_tensor *c, int64_t i, int64_t j)
{
    int64_t row = c->rank == 2 && c->shape[0] != 1 ? i : 0;
    int64_t width = c->rank > 0 ? c->shape[c->rank - 1] : 1, column = width != 1 ? j : 0;
    return ((const int32_t *)c->data)[row * width + column];
}

/* A C of several rows: added to the sums before they are scaled. */
static uncork_status add_each(uc_call *call, uc_product_i8 *p, const uc_tensor *c, uc_tensor *y)
{
    int64_t m = y->shape[0], n = y->shape[1];
    p->sums = uc_call_scratch(call, (size_t)(m * n), sizeof *p->sums);
    if (!p->sums) return uc_fail_memory(call->error);
    p->floats = NULL;
    p->bytes = NULL;
    UC_TRY(uc_product_i8_run(call, p));
    for (int64_t i = 0; i < m * n; i++) {
        int32_t sum = (int32_t)((uint32_t)p->sums[i] + (uint32_t)c_at(c, i / n, i % n));
        float scale = p->scale[i % n * p->scale_step];
        if (y->dtype == UNCORK_FLOAT32) {
            ((float *)y->data)[i] = (float)sum * scale;
        } else {
            ((uint8_t *)y->data)[i] = uc_requantize(sum, scale, p->zero, p->low, p->high);
        }
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *c = uc_call_in(call, C);
    uc_tensor *y = uc_call_out(call, 0), a, b = *uc_call_arg(call, B);
    bool tb = is_turned(call, "transB"), as_float = y && y->dtype == UNCORK_FLOAT32;
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(turn(call, uc_call_arg(call, A), is_turned(call, "transA"), &a));
    if (!call->prepared) {
        UC_TRY(turn(call, uc_call_arg(call, B), tb, &b));
    } else if (tb) { /* packed as it is multiplied: its shape is all that is read */
        b.shape[0] = y->shape[1] ? a.shape[1] : 0;
        b.shape[1] = y->shape[1];
    }
    uc_product_i8 p = {.a = &a, .b = &b, .zero = uc_quant_zero(call, Y_ZERO)};
    p.a_zero = uc_call_arg(call, A_ZERO);
    p.b_zero = uc_call_arg(call, B_ZERO);
    if (as_float) p.floats = y->data;
    if (!as_float) {
        p.bytes = y->data;
        (void)uc_quant_bounds(y->dtype, &p.low, &p.high);
    }
    p.scale = uc_product_i8_scales(call, uc_call_arg(call, A_SCALE), uc_call_arg(call, B_SCALE),
                                   uc_call_in(call, Y_SCALE),
                                   (float)uc_call_float(call, "alpha", 1), &p.scale_step);
    if (!p.scale) return uc_fail_memory(call->error);
    bool row = c && uc_tensor_count(c) == y->shape[1] && (c->rank < 2 || c->shape[0] == 1);
    if (c && !row) return add_each(call, &p, c, y);
    p.bias = c ? c->data : NULL;
    return uc_product_i8_run(call, &p);
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, A), *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t n = 0;
    if (!y || a->rank != 2 || !uc_dims_known(y->shape, y->rank)) return 0;
    int64_t k = a->shape[is_turned(call, "transA") ? 0 : 1];
    return k < 0 || __builtin_mul_overflow((uint64_t)uc_tensor_count(y), (uint64_t)k, &n) ? 0 : n;
}

const uc_op uc_op_ms_qgemm = {.domain = "com.microsoft",
                              .name = "QGemm",
                              .in = {6, 9},
                              .out = {1, 1},
                              .infer = infer,
                              .prepare = prepare,
                              .run = run,
                              .macs = macs,
                              .stoppable = true};
