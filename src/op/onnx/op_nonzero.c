/* NonZero and Compress: elements that the data picks; how many is known only by looking.
 *
 * Source: ONNX operators NonZero 13, Compress 28.
 * NonZero   x any type but string;  y int64 [rank, found], in C order
 * Compress  x any type; condition bool [n], along an axis or over the flattened input */
#include "op/axis.h"
#include "op/move.h"

/* ---- NonZero ------------------------------------------------------------------------------ */

static bool is_zero(const uc_tensor *x, int64_t i)
{
    return uc_dtype_load_f64(x->data, i, x->dtype) == 0;
}

static uncork_status infer_nonzero(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[2] = {x->rank < 0 ? UC_DIM_UNKNOWN : x->rank, UC_DIM_UNKNOWN};
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FIXED));
    if (uc_call_known(call, 0)) {
        shape[1] = 0;
        for (int64_t i = 0; i < uc_tensor_count(x); i++) {
            shape[1] += !is_zero(x, i);
        }
    }
    return uc_call_shape(call, 0, UNCORK_INT64, 2, shape);
}

static uncork_status run_nonzero(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    int64_t *to = y->data, found = y->shape[1], at = 0;
    for (int64_t i = 0; i < uc_tensor_count(x) && at < found; i++) {
        if (is_zero(x, i)) continue;
        int64_t rest = i;
        for (int d = x->rank - 1; d >= 0; d--) {
            to[d * found + at] = rest % x->shape[d];
            rest /= x->shape[d];
        }
        at++;
    }
    return UNCORK_OK;
}

const uc_op uc_op_non_zero = {
    .name = "NonZero", .in = {1, 1}, .out = {1, 1}, .infer = infer_nonzero, .run = run_nonzero};

/* ---- Compress ----------------------------------------------------------------------------- */

static int64_t count_picked(const uc_tensor *condition, int64_t n)
{
    const uint8_t *c = condition->data;
    int64_t count = uc_tensor_count(condition), picked = 0;
    for (int64_t i = 0; i < count && i < n; i++) {
        picked += c[i] != 0;
    }
    return picked;
}

static uncork_status infer_compress(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *condition = uc_call_arg(call, 1);
    bool flat = !uc_call_attr(call, "axis"), known = uc_call_known(call, 1);
    int64_t shape[UNCORK_MAX_RANK], n = UC_DIM_UNKNOWN;
    int axis = 0;
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_BOOL));
    if (flat) {
        bool sized = known && uc_dims_known(x->shape, x->rank);
        if (sized) n = count_picked(condition, uc_tensor_count(x));
        return uc_call_shape(call, 0, x->dtype, 1, &n);
    }
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &axis));
    for (int d = 0; d < x->rank; d++) {
        shape[d] = x->shape[d];
    }
    shape[axis] =
        known && x->shape[axis] >= 0 ? count_picked(condition, x->shape[axis]) : UC_DIM_UNKNOWN;
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

typedef struct context {
    const uc_tensor *condition;
    uc_along x;
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    const uint8_t *picked = c->condition->data;
    int64_t count = uc_tensor_count(c->condition);
    size_t piece = (size_t)c->x.inner * size;
    char *y = to;
    for (int64_t i = 0; i < c->x.outer * c->x.n; i++) {
        int64_t at = i % c->x.n;
        if (at >= count || !picked[at]) continue;
        memcpy(y, (const char *)from[0] + (size_t)i * piece, piece);
        y += piece;
    }
}

static uncork_status run_compress(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    context c = {.condition = uc_call_arg(call, 1)};
    if (uc_call_attr(call, "axis")) {
        UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", 0), &c.x));
    } else {
        c.x = (uc_along){.outer = 1, .n = uc_tensor_count(x), .inner = 1};
    }
    return uc_move(call, 0, &x, 1, move, &c);
}

const uc_op uc_op_compress = {
    .name = "Compress", .in = {2, 2}, .out = {1, 1}, .infer = infer_compress, .run = run_compress};
