/* HalfGemm: a product with constant weights in bfloat16, its bias, a residual and an activation; passes
 * emit it under --precision fast.
 *
 * y = activation(x w + b + r)
 * x  f32 or bf16 [..., k];  w  f32 [k, n] ([n, k] with transB), constant
 * b  f32 [n], constant, optional;  r  f32, as y, optional;  y  f32 [..., n], bf16 with half_out
 * attributes: transB, half_out, activation, alpha, beta
 * Numerics: x and w are rounded to bfloat16, everything else is float32. */
#include "base/thread.h"
#include "op/ext/dot_conv.h"
#include "op/ext/half_ops.h"

#include <inttypes.h>

enum { X, W, B, R };

typedef struct prepared {
    const uc_half *kernels;
    uc_act act;
    int64_t k, padded, n; /* padded: k rounded up to a chunk of the tiles */
    const float *bias;
    const uint8_t *packed;
} prepared;

static const uc_window single = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};

static uncork_status read_layer(uc_call *call, prepared *p)
{
    const uc_tensor *w = uc_call_arg(call, W), *b = uc_call_in(call, B);
    const bool turned = uc_call_int(call, "transB", 0) != 0;
    if (w->dtype != UNCORK_FLOAT32 || w->rank != 2 || !uc_call_known(call, W) || w->shape[0] < 1 ||
        w->shape[1] < 1) {
        return uc_call_fail(call, UNCORK_INPUT, "w isn't a float32 constant of two dimensions");
    }
    p->k = w->shape[turned];
    p->n = w->shape[!turned];
    p->padded = (p->k + 31) / 32 * 32;
    if (b && (b->dtype != UNCORK_FLOAT32 || b->rank != 1 || b->shape[0] != p->n ||
              !uc_call_known(call, B))) {
        return uc_call_fail(call, UNCORK_INPUT, "b isn't a float32 constant [%" PRId64 "]", p->n);
    }
    return uc_block_act(call, "activation", "alpha", "beta", &p->act);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X), *r = uc_call_in(call, R);
    const bool half_out = uc_call_int(call, "half_out", 0) != 0;
    int64_t shape[UNCORK_MAX_RANK];
    prepared p = {0};
    UC_TRY(read_layer(call, &p));
    if (x->dtype != UNCORK_FLOAT32 && x->dtype != UNCORK_BFLOAT16 &&
        x->dtype != UNCORK_DTYPE_NONE) {
        return uc_call_fail(call, UNCORK_INPUT, "x is %s, not float32 or bfloat16",
                            uc_dtype_name(x->dtype));
    }
    if (x->rank == 0 ||
        (x->rank > 0 && x->shape[x->rank - 1] >= 0 && x->shape[x->rank - 1] != p.k)) {
        return uc_call_fail(call, UNCORK_INPUT, "x hasn't %" PRId64 " columns", p.k);
    }
    for (int d = 0; d < x->rank; d++)
        shape[d] = d + 1 < x->rank ? x->shape[d] : p.n;
    if (r && r->rank >= 0 && x->rank >= 0) {
        bool fits = r->rank == x->rank && r->dtype == UNCORK_FLOAT32 && !half_out;
        for (int d = 0; d < x->rank && fits; d++)
            fits = r->shape[d] < 0 || shape[d] < 0 || r->shape[d] == shape[d];
        if (!fits) return uc_call_fail(call, UNCORK_INPUT, "r hasn't the shape of the product");
    }
    return uc_call_shape(call, 0, half_out ? UNCORK_BFLOAT16 : UNCORK_FLOAT32, x->rank, shape);
}

/* [n, k]: a row of w is the run of an output channel. */
static uncork_status pack_turned(uc_call *call, const prepared *p, uint8_t *to)
{
    const float *w = uc_call_arg(call, W)->data;
    uint16_t *half = UC_NEW(call->arena, uint16_t, (size_t)p->padded);
    if (!half) return uc_arena_status(call->arena, call->error);
    for (int64_t c = 0; c < p->n; c++) {
        p->kernels->round(w + c * p->k, half, p->k);
        uc_dot_pack((const uint8_t *)half, c, 1, p->padded * (int64_t)sizeof *half, to);
    }
    return UNCORK_OK;
}

/* [k, n]: two rows of w at a time, a panel's columns of each. */
static void pack_rows(const prepared *p, const float *w, uint16_t *to)
{
    for (int64_t first = 0; first < p->n; first += UC_DOT_PANEL) {
        const int64_t left = p->n - first, n = left < UC_DOT_PANEL ? left : UC_DOT_PANEL;
        for (int64_t k = 0; k < p->padded; k++) {
            uint16_t row[UC_DOT_PANEL] = {0};
            if (k < p->k) p->kernels->round(w + k * p->n + first, row, n);
            for (int c = 0; c < UC_DOT_PANEL; c++)
                to[k / 2 * 2 * UC_DOT_PANEL + c * 2 + k % 2] = row[c];
        }
        to += p->padded * UC_DOT_PANEL;
    }
}

static uncork_status pack(uc_call *call, prepared *p)
{
    const int64_t bytes = uc_dot_packed_bytes(p->n, 1, p->padded * (int64_t)sizeof(uint16_t));
    uint8_t *to = UC_NEW(call->arena, uint8_t, (size_t)bytes + 64);
    if (!to) return uc_arena_status(call->arena, call->error);
    to += (64 - (uintptr_t)to % 64) % 64;
    p->packed = to;
    if (uc_call_int(call, "transB", 0)) return pack_turned(call, p, to);
    pack_rows(p, uc_call_arg(call, W)->data, (uint16_t *)(void *)to);
    return UNCORK_OK;
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *b = uc_call_in(call, B);
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    UC_TRY(uc_half_require(call, &p->kernels));
    UC_TRY(read_layer(call, p));
    float *bias = UC_NEW(call->arena, float, (size_t)p->n + UC_DOT_CHANNELS);
    if (!bias) return uc_arena_status(call->arena, call->error);
    if (b) memcpy(bias, b->data, (size_t)p->n * sizeof *bias);
    p->bias = bias;
    call->prepared = p;
    return pack(call, p);
}

/* ---- run ---------------------------------------------------------------------------------- */

typedef struct rows_job {
    const prepared *p;
    const uc_tensor *x;
    uint16_t *to;
} rows_job;

static void round_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const rows_job *job = context;
    const prepared *p = job->p;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        uint16_t *to = job->to + i * p->padded;
        if (job->x->dtype == UNCORK_FLOAT32) {
            p->kernels->round((const float *)job->x->data + i * p->k, to, p->k);
        } else {
            memcpy(to, (const uint16_t *)job->x->data + i * p->k, (size_t)p->k * sizeof *to);
        }
        memset(to + p->k, 0, (size_t)(p->padded - p->k) * sizeof *to);
    }
}

/* x as rows of bfloat16 that fill their chunks. */
static const uint16_t *rows_of(uc_call *call, const prepared *p, const uc_tensor *x, int64_t m)
{
    if (x->dtype == UNCORK_BFLOAT16 && p->padded == p->k) return x->data;
    uint16_t *to = uc_call_scratch(call, (size_t)m, (size_t)p->padded * sizeof *to);
    if (!to) return NULL;
    rows_job job = {p, x, to};
    uc_parallel(call->pool, m, 1 + 16384 / p->padded, round_rows, &job);
    return to;
}

static uncork_status run(uc_call *call)
{
    if (!call->prepared) UC_TRY(prepare(call)); /* folding constants: into the scratch arena */
    const prepared *p = call->prepared;
    const uc_tensor *x = uc_call_arg(call, X), *r = uc_call_in(call, R);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    const int64_t m = uc_tensor_count(y) / p->n;
    const uint16_t *rows = rows_of(call, p, x, m);
    if (!rows) return uc_fail_memory(call->error);
    uc_half_finishing f = {
        p->kernels, {.bias = p->bias, .act = p->act, .float_r = r ? r->data : NULL, .oc = p->n}};
    if (y->dtype == UNCORK_BFLOAT16) {
        f.tile.y = y->data;
    } else {
        f.tile.float_y = y->data;
    }
    const uc_dot_conv conv = {.kind = UC_DOT_BF16,
                              .size = sizeof(uint16_t),
                              .n = 1,
                              .ih = m,
                              .iw = 1,
                              .ic = p->padded,
                              .oh = m,
                              .ow = 1,
                              .oc = p->n,
                              .window = single,
                              .x = (const uint8_t *)rows,
                              .packed = p->packed,
                              .finish = uc_half_finish,
                              .context = &f};
    return uc_dot_conv_run(call, &conv);
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X), *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t n = 0;
    if (!y || x->rank < 1 || !uc_dims_known(y->shape, y->rank)) return 0;
    const uint64_t k = (uint64_t)x->shape[x->rank - 1];
    return __builtin_mul_overflow((uint64_t)uc_tensor_count(y), k, &n) ? UINT64_MAX : n;
}

const uc_op uc_op_half_gemm = {.domain = "uncork",
                               .name = "HalfGemm",
                               .in = {2, 4},
                               .out = {1, 1},
                               .in_place = 1u << R,
                               .infer = infer,
                               .prepare = prepare,
                               .run = run,
                               .macs = macs,
                               .stoppable = true};
