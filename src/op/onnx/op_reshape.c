/* Operators that give the same elements another shape: Reshape, Flatten, Squeeze, Unsqueeze,
 * Identity. The planner runs none of them where the output may be its input's memory.
 *
 * Source: ONNX operators Reshape 25, Flatten 25, Squeeze 25, Unsqueeze 25, Identity 25.
 * x  any type, any shape;  y  the same elements in the same order. */
#include "kernel/copy.h"
#include "op/move.h"
#include "op/shape.h"

#include <inttypes.h>

static void move_strided(const void *context, void *to, const void *const *from, size_t size)
{
    const uc_tensor *x = context;
    uc_copy_strided(to, NULL, from[0], x->stride, x->rank, x->shape, size);
}

static uncork_status run_copy(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    if (uc_tensor_is_dense(x)) return uc_move_same(call, 0, x);
    return uc_move(call, 0, &x, 1, move_strided, x);
}

/* ---- Reshape: shape int64 [n]; 0 keeps a dimension (unless allowzero), one -1 is what remains -- */

/* Takes symbols that both sides have out of both: how often N stands there doesn't matter. */
static void cancel(int64_t *a, int rank_a, int64_t *b, int rank_b)
{
    for (int i = 0; i < rank_a; i++) {
        for (int k = 0; k < rank_b && a[i] < UC_DIM_UNKNOWN; k++) {
            if (a[i] == b[k]) a[i] = b[k] = 1;
        }
    }
}

/* The one symbol that is left of x when everything else of it is in `shape`; unknown otherwise. */
static int64_t symbol_left(const uc_tensor *x, const int64_t *shape, int rank, int at)
{
    int64_t have[UNCORK_MAX_RANK], rest[UNCORK_MAX_RANK], left = UC_DIM_UNKNOWN;
    size_t a = 0, b = 0;
    memcpy(have, x->shape, (size_t)x->rank * sizeof *have);
    memcpy(rest, shape, (size_t)rank * sizeof *rest);
    rest[at] = 1;
    cancel(have, x->rank, rest, rank);
    for (int d = 0; d < x->rank && left == UC_DIM_UNKNOWN; d++) {
        if (have[d] >= UC_DIM_UNKNOWN) continue;
        left = have[d];
        have[d] = 1;
    }
    if (!uc_dims_known(have, x->rank) || !uc_dims_known(rest, rank)) return UC_DIM_UNKNOWN;
    bool fits = uc_shape_count(have, x->rank, &a) && uc_shape_count(rest, rank, &b);
    return fits && a == b && a > 0 ? left : UC_DIM_UNKNOWN;
}

/* The dimension that -1 stands for; unknown when the input's size is. */
static uncork_status infer_rest(uc_call *call, const uc_tensor *x, int64_t *shape, int rank, int at)
{
    size_t have = 1, rest = 1;
    shape[at] = 1;
    bool known = uc_dims_known(x->shape, x->rank) && uc_dims_known(shape, rank);
    shape[at] = known ? UC_DIM_UNKNOWN : symbol_left(x, shape, rank, at);
    if (!known) return UNCORK_OK;
    shape[at] = 1;
    bool fits = uc_shape_count(x->shape, x->rank, &have) && uc_shape_count(shape, rank, &rest);
    if (!fits || rest == 0 || have % rest) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "%zu elements can't be laid out with %zu in the given dimensions", have,
                            rest);
    }
    shape[at] = (int64_t)(have / rest);
    return UNCORK_OK;
}

static uncork_status check_count(uc_call *call, const uc_tensor *x, const int64_t *shape, int rank)
{
    size_t have = 0, want = 0;
    if (!uc_dims_known(x->shape, x->rank) || !uc_dims_known(shape, rank)) return UNCORK_OK;
    bool fits = uc_shape_count(x->shape, x->rank, &have) && uc_shape_count(shape, rank, &want);
    if (fits && have == want) return UNCORK_OK;
    char from[128], to[128];
    return uc_call_fail(call, UNCORK_INPUT, "%.90s can't become %.90s: another number of elements",
                        uc_shape_text(x->shape, x->rank, from, sizeof from),
                        uc_shape_text(shape, rank, to, sizeof to));
}

/* The shape input holds what the caller knows of it, -1 and 0 included. */
static uncork_status resolve(uc_call *call, const uc_tensor *x, int64_t *shape, int rank)
{
    bool zero_is_zero = uc_call_int(call, "allowzero", 0) != 0;
    int rest = -1;
    for (int d = 0; d < rank; d++) {
        if (shape[d] < -1) {
            return uc_call_fail(call, UNCORK_MALFORMED, "dimension %d is %" PRId64, d, shape[d]);
        }
        if (shape[d] == 0 && !zero_is_zero) {
            if (x->rank >= 0 && d >= x->rank) {
                return uc_call_fail(call, UNCORK_MALFORMED,
                                    "dimension %d is kept, the input has %d dimensions", d,
                                    x->rank);
            }
            shape[d] = x->rank < 0 ? UC_DIM_UNKNOWN : x->shape[d];
        } else if (shape[d] == -1) {
            if (rest >= 0) return uc_call_fail(call, UNCORK_MALFORMED, "two dimensions are -1");
            rest = d;
        }
    }
    if (x->rank < 0) return UNCORK_OK;
    if (rest >= 0) return infer_rest(call, x, shape, rank, rest);
    return check_count(call, x, shape, rank);
}

static uncork_status infer_reshape(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *s = uc_call_in(call, 1);
    int64_t shape[UNCORK_MAX_RANK];
    size_t count = 0;
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (!uc_call_known(call, 1)) {
        bool ranked = s->rank == 1 && s->shape[0] >= 0 && s->shape[0] <= UNCORK_MAX_RANK;
        int rank = ranked ? (int)s->shape[0] : -1;
        for (int d = 0; d < rank; d++) {
            shape[d] = UC_DIM_UNKNOWN;
        }
        /* An empty list of dimensions says all: one element. */
        if (rank == 0) UC_TRY(check_count(call, x, shape, rank));
        return uc_call_shape(call, 0, x->dtype, rank, shape);
    }
    UC_TRY(uc_call_small_ints(call, 1, shape, &count));
    UC_TRY(resolve(call, x, shape, (int)count));
    return uc_call_shape(call, 0, x->dtype, (int)count, shape);
}

const uc_op uc_op_reshape = {.name = "Reshape",
                             .in = {2, 2},
                             .out = {1, 1},
                             .view = true,
                             .any_stride = 1,
                             .infer = infer_reshape,
                             .run = run_copy};

/* ---- Flatten: [a, b, c, d] with axis 2 is [a*b, c*d] --------------------------------------- */

static int64_t product(const int64_t *shape, int begin, int end)
{
    size_t n = 0;
    while (begin < end - 1 && shape[begin] == 1) {
        begin++;
    }
    while (end > begin + 1 && shape[end - 1] == 1) {
        end--;
    }
    if (end == begin + 1) return shape[begin]; /* a symbol stays one */
    if (!uc_dims_known(shape + begin, end - begin)) return UC_DIM_UNKNOWN;
    return uc_shape_count(shape + begin, end - begin, &n) ? (int64_t)n : UC_DIM_UNKNOWN;
}

static uncork_status infer_flatten(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t axis = uc_call_int(call, "axis", 1), shape[2] = {UC_DIM_UNKNOWN, UC_DIM_UNKNOWN};
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, 2, shape);
    if (axis < -x->rank || axis > x->rank) {
        return uc_call_fail(call, UNCORK_MALFORMED, "axis %" PRId64 " is outside %d dimensions",
                            axis, x->rank);
    }
    int at = (int)(axis < 0 ? axis + x->rank : axis);
    shape[0] = product(x->shape, 0, at);
    shape[1] = product(x->shape, at, x->rank);
    return uc_call_shape(call, 0, x->dtype, 2, shape);
}

const uc_op uc_op_flatten = {.name = "Flatten",
                             .in = {1, 1},
                             .out = {1, 1},
                             .view = true,
                             .any_stride = 1,
                             .infer = infer_flatten,
                             .run = run_copy};

/* ---- Squeeze and Unsqueeze: axes int64 [n] ------------------------------------------------- */

/* Marks the axes of input 1 among `rank` dimensions; twice the same fails. */
static uncork_status mark_axes(uc_call *call, int rank, bool marked[UNCORK_MAX_RANK])
{
    int64_t axes[UNCORK_MAX_RANK];
    size_t count = 0;
    UC_TRY(uc_call_small_ints(call, 1, axes, &count));
    for (size_t i = 0; i < count; i++) {
        int d = 0;
        UC_TRY(uc_axis(call, axes[i], rank, &d));
        if (marked[d]) return uc_call_fail(call, UNCORK_MALFORMED, "axis %d is listed twice", d);
        marked[d] = true;
    }
    return UNCORK_OK;
}

static uncork_status infer_squeeze(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool gone[UNCORK_MAX_RANK] = {0}, listed = uc_call_in(call, 1) != NULL;
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    bool unclear = x->rank < 0 || (listed && !uc_call_known(call, 1)) ||
                   (!listed && !uc_dims_known(x->shape, x->rank));
    if (unclear) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    if (listed) UC_TRY(mark_axes(call, x->rank, gone));
    for (int d = 0; d < x->rank; d++) {
        if (!listed) gone[d] = x->shape[d] == 1;
        if (gone[d] && x->shape[d] >= 0 && x->shape[d] != 1) {
            return uc_call_fail(call, UNCORK_INPUT, "axis %d has %" PRId64 " elements, not 1", d,
                                x->shape[d]);
        }
        if (!gone[d]) shape[rank++] = x->shape[d];
    }
    return uc_call_shape(call, 0, x->dtype, rank, shape);
}

const uc_op uc_op_squeeze = {.name = "Squeeze",
                             .in = {1, 2},
                             .out = {1, 1},
                             .view = true,
                             .any_stride = 1,
                             .infer = infer_squeeze,
                             .run = run_copy};

static uncork_status infer_unsqueeze(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool added[UNCORK_MAX_RANK] = {0};
    int64_t shape[UNCORK_MAX_RANK];
    if (x->rank < 0 || !uc_call_known(call, 1)) {
        return uc_call_shape(call, 0, x->dtype, -1, NULL);
    }
    int64_t total = x->rank + uc_tensor_count(uc_call_in(call, 1));
    if (total > UNCORK_MAX_RANK) {
        return uc_call_fail(call, UNCORK_LIMIT, "%" PRId64 " dimensions, at most %d can be", total,
                            UNCORK_MAX_RANK);
    }
    UC_TRY(mark_axes(call, (int)total, added));
    for (int d = 0, from = 0; d < (int)total; d++) {
        shape[d] = added[d] ? 1 : x->shape[from++];
    }
    return uc_call_shape(call, 0, x->dtype, (int)total, shape);
}

const uc_op uc_op_unsqueeze = {.name = "Unsqueeze",
                               .in = {2, 2},
                               .out = {1, 1},
                               .view = true,
                               .any_stride = 1,
                               .infer = infer_unsqueeze,
                               .run = run_copy};

/* ---- Identity ----------------------------------------------------------------------------- */

static uncork_status infer_identity(uc_call *call) { return uc_call_like(call, 0, 0); }

static uncork_status run_identity(uc_call *call)
{
    if (uc_call_kind_of(call, 0) == UC_TENSOR) return run_copy(call);
    return uc_call_share(call, 0, call->in[0]);
}

const uc_op uc_op_identity = {.name = "Identity",
                              .in = {1, 1},
                              .out = {1, 1},
                              .view = true,
                              .any_stride = 1,
                              .any_kind = true,
                              .infer = infer_identity,
                              .run = run_identity};
