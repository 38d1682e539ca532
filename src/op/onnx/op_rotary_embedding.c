/* RotaryEmbedding: pairs of features turned by an angle of their position.
 *
 * Source: ONNX operator RotaryEmbedding, opset 23.
 * x  float [b, heads, seq, size] or [b, seq, heads * size];  cos, sin  [positions, dim / 2] with
 * position_ids int64 [b, seq], else [b, seq, dim / 2];  y  as x. Features beyond dim stay. */
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>

typedef struct rotary {
    int64_t batch, heads, seq, size, dim;
    bool rows_first; /* 3 dimensions */
} rotary;

static uncork_status read_sizes(uc_call *call, rotary *r)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    *r = (rotary){.rows_first = x->rank == 3, .batch = x->shape[0]};
    r->heads = r->rows_first ? uc_call_int(call, "num_heads", 0) : x->shape[1];
    r->seq = x->shape[r->rows_first ? 1 : 2];
    if (r->rows_first && r->heads < 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "num_heads is %" PRId64, r->heads);
    }
    int64_t last = x->shape[x->rank - 1];
    bool divides = last < 0 || !r->rows_first || last % r->heads == 0;
    r->size = last < 0 || !r->rows_first ? last : last / r->heads;
    r->dim = uc_call_int(call, "rotary_embedding_dim", 0);
    if (r->dim == 0) r->dim = r->size;
    bool fits = divides && (r->size < 0 || (r->dim >= 0 && r->dim <= r->size && r->dim % 2 == 0));
    if (fits) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT,
                        "%" PRId64 " heads of %" PRId64 " features, %" PRId64 " turned", r->heads,
                        r->size, r->dim);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    rotary r;
    for (size_t i = 0; i < 3; i++) {
        UC_TRY(uc_call_expect_wide(call, i));
        UC_TRY(uc_call_same_dtype(call, 0, i));
    }
    UC_TRY(uc_call_expect(call, 3, UC_TYPES_INDEX));
    if (x->rank >= 0 && x->rank != 3 && x->rank != 4) {
        return uc_call_fail(call, UNCORK_INPUT, "the input has %d dimensions, not 3 or 4", x->rank);
    }
    if (x->rank >= 0) UC_TRY(read_sizes(call, &r));
    return uc_call_shape(call, 0, x->dtype, x->rank, x->shape);
}

/* Row of the caches for one position; -1 (failed) when it isn't there. */
static uncork_status row_of(uc_call *call, const rotary *r, int64_t b, int64_t s, int64_t *row)
{
    const uc_tensor *c = uc_call_arg(call, 1), *ids = uc_call_in(call, 3);
    *row = b * r->seq + s;
    if (!ids) return UNCORK_OK;
    int64_t at = uc_dtype_load_i64(ids->data, *row, ids->dtype), most = c->shape[0];
    *row = at < 0 ? at + most : at;
    if (*row >= 0 && *row < most) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "position %" PRId64 " of %" PRId64, at, most);
}

static uncork_status check_caches(uc_call *call, const rotary *r)
{
    const uc_tensor *ids = uc_call_in(call, 3);
    int64_t rows = r->batch * r->seq;
    for (size_t i = 1; i < 3; i++) {
        const uc_tensor *t = uc_call_arg(call, i);
        bool fits = t->rank == (ids ? 2 : 3) && t->shape[t->rank - 1] == r->dim / 2;
        fits = fits && (ids ? t->shape[0] == uc_call_arg(call, 1)->shape[0]
                            : t->shape[0] * t->shape[1] == rows);
        if (fits) continue;
        char text[128];
        return uc_call_fail(call, UNCORK_INPUT, "a cache of shape %s for %" PRId64 " features",
                            uc_shape_text(t->shape, t->rank, text, sizeof text), r->dim);
    }
    if (!ids || uc_tensor_count(ids) == rows) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " positions for %" PRId64 " rows",
                        uc_tensor_count(ids), rows);
}

#define TURN(NAME, T)                                                                          \
    static void NAME(const rotary *r, bool interleaved, const T *x, const T *cosine,           \
                     const T *sine, T *y)                                                      \
    {                                                                                          \
        int64_t half = r->dim / 2, step = interleaved ? 2 : 1, apart = interleaved ? 1 : half; \
        for (int64_t i = 0; i < half; i++) {                                                   \
            T a = x[i * step], b = x[i * step + apart];                                        \
            y[i * step] = cosine[i] * a - sine[i] * b;                                         \
            y[i * step + apart] = sine[i] * a + cosine[i] * b;                                 \
        }                                                                                      \
        for (int64_t i = r->dim; i < r->size; i++) {                                           \
            y[i] = x[i];                                                                       \
        }                                                                                      \
    }

TURN(turn_f32, float)
TURN(turn_f64, double)

static uncork_status run_wide(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const void *c = uc_call_arg(call, 1)->data, *s = uc_call_arg(call, 2)->data;
    bool interleaved = uc_call_int(call, "interleaved", 0) != 0;
    rotary r;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(read_sizes(call, &r));
    UC_TRY(check_caches(call, &r));
    for (int64_t i = 0; i < r.batch * r.seq; i++) {
        int64_t b = i / r.seq, t = i % r.seq, row = 0;
        UC_TRY(row_of(call, &r, b, t, &row));
        row *= r.dim / 2;
        for (int64_t h = 0; h < r.heads; h++) {
            int64_t at = (r.rows_first ? i * r.heads + h : (b * r.heads + h) * r.seq + t) * r.size;
            if (x->dtype == UNCORK_FLOAT64) {
                turn_f64(&r, interleaved, (const double *)x->data + at, (const double *)c + row,
                         (const double *)s + row, (double *)y->data + at);
            } else {
                turn_f32(&r, interleaved, (const float *)x->data + at, (const float *)c + row,
                         (const float *)s + row, (float *)y->data + at);
            }
        }
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_rotary_embedding = {
    .name = "RotaryEmbedding", .in = {3, 4}, .out = {1, 1}, .infer = infer, .run = run};
