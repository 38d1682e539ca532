/* uncork.FusedGemm: a product with constant weights, its bias, a residual and an activation.
 *
 * y = activation(x w + b + r). Made by passes only.
 * x  f32 [..., k];  w  f32 [k, n] ([n, k] with transB), constant;  b  f32 [n], optional
 * r  f32, as y, optional;  y  f32 [..., n]
 * activation, alpha, beta  see kernel/conv_act.h; "" is none
 * Numerics: the sums of kernel/gemm.h over all rows at once; the bias is added to them, then r. */
#include "kernel/conv_blocked.h"
#include "kernel/gemm.h"
#include "op/shape.h"

#include <inttypes.h>

typedef struct fused {
    const uc_gemm *gemm;
    const void *packed;
    int64_t k, n;
    uc_act act;
} fused;

static uncork_status read_act(uc_call *call, uc_act *act)
{
    uc_str name = uc_call_str(call, "activation", "");
    if (!uc_act_find(name.data, name.size, act)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "there is no activation '%.*s'",
                            name.size < 40 ? (int)name.size : 40, name.data);
    }
    act->alpha = (float)uc_call_float(call, "alpha", (double)act->alpha);
    act->beta = (float)uc_call_float(call, "beta", (double)act->beta);
    return UNCORK_OK;
}

static bool is_transposed(const uc_call *call) { return uc_call_int(call, "transB", 0) != 0; }

static uncork_status check(uc_call *call, const uc_tensor *x, const uc_tensor *w, int64_t *n)
{
    for (size_t i = 0; i < call->in_count; i++) {
        uncork_dtype dtype = uc_call_dtype(call, i);
        if (dtype == UNCORK_FLOAT32 || dtype == UNCORK_DTYPE_NONE) continue;
        return uc_call_fail(call, UNCORK_INPUT, "input %zu is %s, not float32", i,
                            uc_dtype_name(dtype));
    }
    if (w->rank != 2 || x->rank == 0) {
        return uc_call_fail(call, UNCORK_INPUT, "%d dimensions meet weights of %d", x->rank,
                            w->rank);
    }
    const int64_t k = w->shape[is_transposed(call) ? 1 : 0];
    *n = w->shape[is_transposed(call) ? 0 : 1];
    if (x->rank > 0 && x->shape[x->rank - 1] >= 0 && x->shape[x->rank - 1] != k) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " columns meet %" PRId64 " rows",
                            x->shape[x->rank - 1], k);
    }
    const uc_tensor *b = uc_call_in(call, 2);
    if (b && (b->rank != 1 || b->shape[0] != *n)) {
        return uc_call_fail(call, UNCORK_INPUT, "the bias isn't one number a column");
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 1), *r = uc_call_in(call, 3);
    int64_t n = 0, shape[UNCORK_MAX_RANK];
    uc_act act;
    UC_TRY(check(call, x, w, &n));
    UC_TRY(read_act(call, &act));
    if (x->rank < 0) return uc_call_shape(call, 0, UNCORK_FLOAT32, -1, NULL);
    for (int d = 0; d < x->rank; d++) {
        shape[d] = d + 1 < x->rank ? x->shape[d] : n;
    }
    for (int d = 0; r && r->rank >= 0 && d < x->rank; d++) {
        bool fits =
            r->rank == x->rank && (r->shape[d] < 0 || shape[d] < 0 || r->shape[d] == shape[d]);
        if (!fits) return uc_call_fail(call, UNCORK_INPUT, "r hasn't the shape of the product");
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT32, x->rank, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *w = uc_call_arg(call, 1);
    size_t count = 0, bytes = 0;
    if (!uc_call_known(call, 1) || (uc_call_in(call, 2) && !uc_call_known(call, 2))) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "weights and bias must be constants");
    }
    fused *f = UC_NEW(call->arena, fused, 1);
    if (!f) return uc_arena_status(call->arena, call->error);
    const bool turned = is_transposed(call);
    *f = (fused){.gemm = uc_gemm_f32(), .k = w->shape[turned], .n = w->shape[!turned]};
    UC_TRY(read_act(call, &f->act));
    if (!f->gemm->packed_count(f->k, f->n, &count) || !uc_mul_size(count, sizeof(float), &bytes)) {
        return uc_call_fail(call, UNCORK_LIMIT, "the weights are more than memory can hold");
    }
    void *to = uc_arena_alloc_raw(call->arena, bytes);
    if (!to) return uc_arena_status(call->arena, call->error);
    const int64_t row = turned ? w->stride[1] : w->stride[0];
    const int64_t column = turned ? w->stride[0] : w->stride[1];
    f->gemm->pack(to, w->data, row, column, f->k, f->n);
    f->packed = to;
    call->prepared = f;
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t n = 0;
    if (!y || x->rank < 1 || !uc_dims_known(y->shape, y->rank)) return 0;
    uint64_t k = (uint64_t)x->shape[x->rank - 1];
    return __builtin_mul_overflow((uint64_t)uc_tensor_count(y), k, &n) ? UINT64_MAX : n;
}

/* ---- what follows the product ------------------------------------------------------------- */

typedef struct tail {
    const uc_conv_row *row;
    uc_act act;
    const float *r;
    float *y;
    int64_t n;
} tail;

/* Over what the product just stored: in the second cache. */
static void finish(void *context, int64_t row, int64_t rows, int64_t column, int64_t columns)
{
    const tail *t = context;
    for (int64_t i = row; i < row + rows; i++) {
        float *y = t->y + i * t->n + column;
        const float *r = t->r ? t->r + i * t->n + column : NULL;
        for (int64_t j = 0; r && j < columns; j++) {
            y[j] += r[j];
        }
        if (t->act.kind != UC_ACT_NONE) t->row->activate(&t->act, y, columns);
    }
}

static uncork_status run(uc_call *call)
{
    const fused *f = call->prepared;
    const uc_tensor *x = uc_call_arg(call, 0), *b = uc_call_in(call, 2), *r = uc_call_in(call, 3);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const int64_t count = uc_tensor_count(y);
    if (count == 0) return UNCORK_OK;
    tail t = {uc_conv_row_at(0), f->act, r ? r->data : NULL, y->data, f->n};
    const uc_gemm_args args = {.m = count / f->n,
                               .n = f->n,
                               .k = f->k,
                               .a = x->data,
                               .lda = f->k,
                               .packed = f->packed,
                               .c = y->data,
                               .ldc = f->n,
                               .bias = b ? b->data : NULL,
                               .pool = call->pool,
                               .finish = r || f->act.kind != UC_ACT_NONE ? finish : NULL,
                               .finish_context = &t};
    f->gemm->run(&args);
    return UNCORK_OK;
}

const uc_op uc_op_fused_gemm = {.domain = "uncork",
                                .name = "FusedGemm",
                                .in = {2, 4},
                                .out = {1, 1},
                                .strided = true,
                                .infer = infer,
                                .prepare = prepare,
                                .run = run,
                                .macs = macs,
                                .stoppable = true};
