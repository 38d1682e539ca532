/* Concat and Split: tensors laid end to end along an axis, and the reverse.
 *
 * Source: ONNX operators Concat 13, Split 18.
 * Concat  x...  one type, equal but for the axis;  y  their join
 * Split   x any type; sizes int64 [outputs] or equal parts (the last may be smaller);  y...  the parts */
#include "kernel/copy.h"
#include "op/axis.h"
#include "op/move.h"

#include <inttypes.h>

/* ---- Concat ------------------------------------------------------------------------------- */

/* Takes what input i says of the other dimensions; adds its length along the axis. */
static uncork_status join(uc_call *call, size_t i, int axis, int rank, int64_t *shape)
{
    const uc_tensor *x = uc_call_in(call, i);
    if (x->rank >= 0 && x->rank != rank) {
        return uc_call_fail(call, UNCORK_INPUT, "input %zu has %d dimensions, the first %d", i,
                            x->rank, rank);
    }
    for (int d = 0; d < rank; d++) {
        int64_t n = x->rank < 0 ? UC_DIM_UNKNOWN : x->shape[d];
        if (d == axis) {
            bool known = shape[d] >= 0 && n >= 0;
            if (known && __builtin_add_overflow(shape[d], n, &shape[d])) {
                return uc_call_fail(call, UNCORK_LIMIT, "the joined dimension is too large");
            }
            if (!known) shape[d] = UC_DIM_UNKNOWN;
        } else if (shape[d] >= 0 && n >= 0 && shape[d] != n) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "input %zu has %" PRId64
                                " elements in dimension %d, others %" PRId64,
                                i, n, d, shape[d]);
        } else if (shape[d] < 0 && n != UC_DIM_UNKNOWN) {
            shape[d] = n;
        }
    }
    return UNCORK_OK;
}

static uncork_status infer_concat(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int axis = 0, rank = -1;
    uncork_dtype dtype = UNCORK_DTYPE_NONE;
    for (size_t i = 0; i < call->in_count; i++) {
        const uc_tensor *x = uc_call_in(call, i);
        if (!x) return uc_call_fail(call, UNCORK_MALFORMED, "input %zu is missing", i);
        UC_TRY(uc_call_same_dtype(call, 0, i));
        if (rank < 0) rank = x->rank;
        if (!dtype) dtype = x->dtype;
    }
    if (rank < 0) return uc_call_shape(call, 0, dtype, -1, NULL);
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), rank, &axis));
    for (int d = 0; d < rank; d++) {
        shape[d] = d == axis ? 0 : UC_DIM_UNKNOWN;
    }
    for (size_t i = 0; i < call->in_count; i++) {
        UC_TRY(join(call, i, axis, rank, shape));
    }
    return uc_call_shape(call, 0, dtype, rank, shape);
}

typedef struct concat {
    const uc_call *call;
    uc_along out;
} concat;

static void move_concat(const void *ctx, void *to, const void *const *from, size_t size)
{
    const concat *c = ctx;
    size_t at = 0, row = (size_t)(c->out.n * c->out.inner) * size;
    for (size_t i = 0; i < c->call->in_count; i++) {
        const uc_tensor *x = uc_call_arg(c->call, i);
        size_t piece = (size_t)(x->shape[c->out.axis] * c->out.inner) * size;
        for (int64_t o = 0; piece && o < c->out.outer; o++) {
            char *place = (char *)to + (size_t)o * row + at;
            const char *source = (const char *)from[i] + (size_t)o * piece;
            if (place != source) memcpy(place, source, piece); /* it may have been made there */
        }
        at += piece;
    }
}

static uncork_status run_concat(uc_call *call)
{
    concat c = {.call = call};
    UC_TRY(uc_along_axis(call, &call->out[0]->tensor, uc_call_int(call, "axis", 0), &c.out));
    const uc_tensor *few[16], **from = few;
    if (call->in_count > 16) from = uc_call_scratch(call, call->in_count, sizeof *from);
    if (!from) return uc_fail_memory(call->error);
    for (size_t i = 0; i < call->in_count; i++) {
        from[i] = uc_call_in(call, i);
    }
    return uc_move(call, 0, from, call->in_count, move_concat, &c);
}

/* Nothing lies outside of the axis: a batch of one picture joined by channels. */
static bool concat_is_end_to_end(const uc_call *call)
{
    const uc_tensor *y = &call->out[0]->tensor;
    int64_t axis = uc_call_int(call, "axis", 0);
    if (axis < 0) axis += y->rank;
    for (int64_t d = 0; d < axis; d++) {
        if (y->shape[d] != 1) return false;
    }
    return true;
}

const uc_op uc_op_concat = {.name = "Concat",
                            .in = {1, -1},
                            .out = {1, 1},
                            .end_to_end = concat_is_end_to_end,
                            .infer = infer_concat,
                            .run = run_concat};

/* ---- Split -------------------------------------------------------------------------------- */

/* Length of part i of n elements when no sizes are given. */
static int64_t equal_part(int64_t n, int64_t parts, int64_t i)
{
    int64_t each = n / parts + (n % parts != 0), begin = each * i;
    if (begin >= n) return 0;
    return n - begin < each ? n - begin : each;
}

static uncork_status check_sizes(uc_call *call, const uc_tensor *sizes, int64_t n)
{
    int64_t total = 0;
    if (uc_tensor_count(sizes) != (int64_t)call->out_count) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " sizes for %zu parts",
                            uc_tensor_count(sizes), call->out_count);
    }
    for (int64_t i = 0; i < uc_tensor_count(sizes); i++) {
        int64_t size = uc_dtype_load_i64(sizes->data, i, sizes->dtype);
        if (size < 0 || __builtin_add_overflow(total, size, &total)) {
            return uc_call_fail(call, UNCORK_MALFORMED, "part %" PRId64 " has %" PRId64 " elements",
                                i, size);
        }
    }
    if (n < 0 || total == n) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT,
                        "the parts have %" PRId64 " elements, the axis %" PRId64, total, n);
}

static int64_t part(const uc_call *call, int64_t n, size_t i)
{
    const uc_tensor *sizes = uc_call_in(call, 1);
    if (sizes) return uc_dtype_load_i64(sizes->data, (int64_t)i, sizes->dtype);
    return n < 0 ? UC_DIM_UNKNOWN : equal_part(n, (int64_t)call->out_count, (int64_t)i);
}

static uncork_status infer_split(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    int axis = 0;
    bool known = !uc_call_in(call, 1) || uc_call_known(call, 1);
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (x->rank >= 0) UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &axis));
    for (int d = 0; d < x->rank; d++) {
        shape[d] = x->shape[d];
    }
    int64_t n = x->rank < 0 ? UC_DIM_UNKNOWN : x->shape[axis];
    if (uc_call_in(call, 1) && known) UC_TRY(check_sizes(call, uc_call_in(call, 1), n));
    for (size_t i = 0; i < call->out_count; i++) {
        if (x->rank >= 0) shape[axis] = known ? part(call, n, i) : UC_DIM_UNKNOWN;
        UC_TRY(uc_call_shape(call, i, x->dtype, x->rank, shape));
    }
    return UNCORK_OK;
}

typedef struct split {
    uc_along in;
    int64_t begin, size;
} split;

static void move_split(const void *ctx, void *to, const void *const *from, size_t size)
{
    const split *c = ctx;
    size_t row = (size_t)(c->in.n * c->in.inner) * size;
    size_t piece = (size_t)(c->size * c->in.inner) * size;
    size_t at = (size_t)(c->begin * c->in.inner) * size;
    for (int64_t o = 0; piece && o < c->in.outer; o++) {
        memcpy((char *)to + (size_t)o * piece, (const char *)from[0] + (size_t)o * row + at, piece);
    }
}

static uncork_status run_split(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    split c = {.begin = 0};
    UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", 0), &c.in));
    for (size_t i = 0; i < call->out_count; i++) {
        c.size = part(call, c.in.n, i);
        if (c.size > c.in.n - c.begin) c.size = c.in.n - c.begin;
        UC_TRY(uc_move(call, i, &x, 1, move_split, &c));
        c.begin += c.size;
    }
    return UNCORK_OK;
}

const uc_op uc_op_split = {
    .name = "Split", .in = {1, 2}, .out = {1, -1}, .infer = infer_split, .run = run_split};
