/* Pad: elements added (or, with negative numbers, removed) at the ends of axes.
 *
 * Source: ONNX operator Pad, opset 25: constant, reflect (without the edge itself), edge, wrap.
 * x  any type; pads int64 [2 * axes], all begins, then all ends; value scalar; axes int64 [axes]
 * y  the type of x */
#include "op/move.h"
#include "op/shape.h"

#include <inttypes.h>

typedef struct pads {
    int64_t begin[UNCORK_MAX_RANK], end[UNCORK_MAX_RANK];
} pads;

static uncork_status read_pads(uc_call *call, int rank, pads *p)
{
    const uc_tensor *t = uc_call_arg(call, 1);
    int64_t axes[UNCORK_MAX_RANK];
    size_t count = (size_t)rank;
    *p = (pads){0};
    for (int d = 0; d < rank; d++) {
        axes[d] = d;
    }
    if (uc_call_in(call, 3)) UC_TRY(uc_call_small_ints(call, 3, axes, &count));
    if (t->rank != 1 || uc_tensor_count(t) != 2 * (int64_t)count) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " pads for %zu axes",
                            uc_tensor_count(t), count);
    }
    for (size_t i = 0; i < count; i++) {
        int d = 0;
        UC_TRY(uc_axis(call, axes[i], rank, &d));
        p->begin[d] = uc_dtype_load_i64(t->data, (int64_t)i, t->dtype);
        p->end[d] = uc_dtype_load_i64(t->data, (int64_t)(i + count), t->dtype);
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    pads p = {0};
    bool known = uc_call_known(call, 1) && (!uc_call_in(call, 3) || uc_call_known(call, 3));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    UC_TRY(uc_call_expect(call, 3, UC_TYPES_INDEX));
    if (uc_call_in(call, 2)) UC_TRY(uc_call_same_dtype(call, 0, 2));
    if (x->rank >= 0 && known) UC_TRY(read_pads(call, x->rank, &p));
    bool constant = uc_str_is(uc_call_str(call, "mode", "constant"), "constant");
    for (int d = 0; d < x->rank; d++) {
        shape[d] = UC_DIM_UNKNOWN;
        if (known && !p.begin[d] && !p.end[d]) shape[d] = x->shape[d];
        if (!known || x->shape[d] < 0) continue;
        bool fits = !__builtin_add_overflow(x->shape[d], p.begin[d], &shape[d]) &&
                    !__builtin_add_overflow(shape[d], p.end[d], &shape[d]) && shape[d] >= 0;
        bool filled = fits && (constant || x->shape[d] > 0 || shape[d] == 0);
        if (!filled) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "axis %d of %" PRId64 " elements can't be padded by "
                                "%" PRId64 " and %" PRId64,
                                d, x->shape[d], p.begin[d], p.end[d]);
        }
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

/* Element of n that position i (may be outside) shows; -1: the constant. */
static int64_t source_of(uc_str mode, int64_t i, int64_t n)
{
    if (i >= 0 && i < n) return i;
    if (uc_str_is(mode, "edge")) return i < 0 ? 0 : n - 1;
    if (uc_str_is(mode, "wrap")) return (i % n + n) % n;
    if (!uc_str_is(mode, "reflect")) return -1;
    if (n == 1) return 0;
    int64_t period = 2 * (n - 1), at = (i % period + period) % period;
    return at < n ? at : period - at;
}

typedef struct context {
    const uc_tensor *x;
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    const int64_t *source[UNCORK_MAX_RANK]; /* a dimension's element for each position */
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    int64_t count = 1, index[UNCORK_MAX_RANK] = {0};
    for (int d = 0; d < c->rank; d++) {
        count *= c->shape[d];
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t at = 0;
        bool outside = false;
        for (int d = 0; d < c->rank; d++) {
            int64_t s = c->source[d][index[d]];
            outside = outside || s < 0;
            at += s * c->x->stride[d];
        }
        const char *element = outside ? from[1] : (const char *)from[0] + (size_t)at * size;
        memcpy((char *)to + (size_t)i * size, element, size);
        for (int d = c->rank - 1; d >= 0 && ++index[d] == c->shape[d]; d--) {
            index[d] = 0;
        }
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *value = uc_call_in(call, 2);
    const uc_tensor *y = &call->out[0]->tensor;
    uint64_t zero[2] = {0}, no_text[2] = {0};
    const uc_tensor nothing = {
        .dtype = x->dtype, .data = zero, .strings = {.offsets = no_text, .bytes = ""}};
    uc_str mode = uc_call_str(call, "mode", "constant");
    pads p;
    UC_TRY(read_pads(call, x->rank, &p));
    context c = {.x = x, .rank = x->rank};
    for (int d = 0; d < x->rank; d++) {
        c.shape[d] = y->shape[d];
        int64_t *source = uc_call_scratch(call, (size_t)y->shape[d], sizeof *source);
        if (!source) return uc_fail_memory(call->error);
        for (int64_t i = 0; i < y->shape[d]; i++) {
            source[i] = source_of(mode, i - p.begin[d], x->shape[d]);
        }
        c.source[d] = source;
    }
    const uc_tensor *from[] = {x, value ? value : &nothing};
    return uc_move(call, 0, from, 2, move, &c);
}

const uc_op uc_op_pad = {.name = "Pad", .in = {2, 4}, .out = {1, 1}, .infer = infer, .run = run};
