/* Slices and moves that ONNX has no operator for: StridedSlice with limits that are computed,
 * TensorStridedSliceUpdate, Reverse, ReverseV2, ReverseSequence, Roll, MirrorPad, Transpose by a computed
 * order, SpaceToBatchND, BatchToSpaceND, DiagPart, Diag.
 *
 * Source: tensorflow/core/util/strided_slice_op.cc; core/kernels/{reverse,reverse_sequence,roll,mirror_pad,
 * spacetobatch,batchtospace,diag}_op.cc.
 * Each makes a list of places in x, -1 for zero, and moves the elements once. */
#include "op/ext/tf_call.h"
#include "op/move.h"

#include <inttypes.h>

/* ---- moving by places ------------------------------------------------------------------------ */

typedef struct places {
    const int64_t
        *from; /* by element of the output: a place in input 0, below zero: ~ a place in input 1 */
    int64_t count;
} places;

static void move_places(const void *context, void *to, const void *const *from, size_t size)
{
    const places *p = context;
    for (int64_t i = 0; i < p->count; i++) {
        const int64_t at = p->from[i];
        const char *source = at >= 0 ? from[0] : from[1];
        memcpy((char *)to + (size_t)i * size, source + (size_t)(at >= 0 ? at : ~at) * size, size);
    }
}

static uncork_status give_places(uc_call *call, const int64_t *from, int rank, const int64_t *shape,
                                 const uc_tensor *other)
{
    uc_tensor *y = NULL;
    const uc_tensor *x = uc_call_arg(call, 0), *in[] = {x, other ? other : x};
    places p = {.from = from};
    if (x->dtype == UNCORK_STRING) {
        uc_tf_texts t = {.call = call};
        const int64_t n = uc_tf_product(shape, 0, rank);
        for (int64_t i = 0; i < n; i++) {
            const bool own = from[i] >= 0;
            uc_tf_texts_borrow(&t, uc_tensor_string(in[!own], own ? from[i] : ~from[i]));
        }
        return uc_tf_texts_give(&t, 0, rank, shape);
    }
    UC_TRY(uc_call_output(call, 0, x->dtype, rank, shape, &y));
    p.count = uc_tensor_count(y);
    return uc_move(call, 0, in, other ? 2 : 1, move_places, &p);
}

static int64_t *room_for(uc_call *call, int rank, const int64_t *shape)
{
    size_t n = 0;
    if (!uc_shape_count(shape, rank, &n)) {
        uc_call_fail(call, UNCORK_LIMIT, "too many elements");
        return NULL;
    }
    int64_t *p = uc_call_scratch(call, n + 1, sizeof *p);
    if (!p) uc_fail_memory(call->error);
    return p;
}

/* Takes element i of `shape` apart. */
static void indices_of(int64_t i, int rank, const int64_t *shape, int64_t *at)
{
    for (int d = rank - 1; d >= 0; d--) {
        at[d] = i % shape[d];
        i /= shape[d];
    }
}

static int64_t place_of(const int64_t *at, int rank, const int64_t *shape)
{
    int64_t p = 0;
    for (int d = 0; d < rank; d++) {
        p = p * shape[d] + at[d];
    }
    return p;
}

/* ---- StridedSlice ---------------------------------------------------------------------------- */

typedef struct spec {
    int rank; /* of x */
    int64_t begin[UNCORK_MAX_RANK], step[UNCORK_MAX_RANK],
        count[UNCORK_MAX_RANK]; /* by axis of x */
    int out_rank;
    int64_t shape[UNCORK_MAX_RANK]; /* of the result */
} spec;

static bool bit(const uc_call *call, const char *name, int64_t i)
{
    return i < 31 && (uc_call_int(call, name, 0) >> i & 1);
}

static uncork_status slice_axis(uc_call *call, spec *s, int d, int64_t n, const int64_t *v,
                                int64_t i)
{
    const bool shrink = bit(call, "shrink_axis_mask", i);
    const int64_t step = shrink ? 1 : v[2];
    if (step == 0) return uc_call_fail(call, UNCORK_INPUT, "strides[%" PRId64 "] is 0", i);
    int64_t b = v[0] < 0 ? v[0] + n : v[0], e = v[1] < 0 ? v[1] + n : v[1];
    if (shrink) {
        if (b < 0 || b >= n)
            return uc_call_fail(call, UNCORK_INPUT, "index %" PRId64 " of dimension %d of %" PRId64,
                                v[0], d, n);
        e = b + 1;
    } else {
        const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
        b = bit(call, "begin_mask", i) ? (step > 0 ? 0 : n - 1)
            : b < low                  ? low
            : b > high                 ? high
                                       : b;
        e = bit(call, "end_mask", i) ? (step > 0 ? n : -1) : e < low ? low : e > high ? high : e;
    }
    const int64_t span = step > 0 ? e - b : b - e, by = step > 0 ? step : -(step + 1);
    s->begin[d] = b;
    s->step[d] = step;
    s->count[d] = span <= 0 ? 0 : step > 0 ? (span - 1) / by + 1 : (span - 1) / (by + 1) + 1;
    if (!shrink) s->shape[s->out_rank++] = s->count[d];
    return UNCORK_OK;
}

static uncork_status read_spec(uc_call *call, spec *s)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t *v[3], n = -1, given = 0, d = 0;
    for (size_t k = 0; k < 3; k++) {
        UC_TRY(uc_tf_want(call, k + 1, UNCORK_DTYPE_NONE, 1));
        const int64_t own = uc_call_arg(call, k + 1)->shape[0];
        if (k && own != n) return uc_call_fail(call, UNCORK_INPUT, "its limits differ in number");
        n = own;
        v[k] = uc_tf_ints_of(call, uc_call_arg(call, k + 1));
        if (!v[k]) return uc_fail_memory(call->error);
    }
    *s = (spec){.rank = x->rank};
    bool seen = false;
    for (int64_t i = 0; i < n; i++) {
        given += !bit(call, "ellipsis_mask", i) && !bit(call, "new_axis_mask", i);
    }
    for (int64_t i = 0; i <= n; i++) {
        const bool dots = i < n && bit(call, "ellipsis_mask", i) && !seen;
        const int64_t skip = i == n ? x->rank - d : dots ? x->rank - given : 0;
        for (int64_t k = 0; k < skip && d < x->rank; k++, d++) {
            const int64_t whole[] = {0, x->shape[d], 1};
            UC_TRY(slice_axis(call, s, (int)d, x->shape[d], whole, 63));
        }
        seen = seen || dots;
        if (i == n || dots) continue;
        if (s->out_rank >= UNCORK_MAX_RANK)
            return uc_call_fail(call, UNCORK_LIMIT, "too many dimensions");
        if (bit(call, "new_axis_mask", i)) {
            s->shape[s->out_rank++] = 1;
            continue;
        }
        if (d >= x->rank)
            return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " limits of %d dimensions", n,
                                x->rank);
        const int64_t three[] = {v[0][i], v[1][i], v[2][i]};
        UC_TRY(slice_axis(call, s, (int)d, x->shape[d], three, i));
        d++;
    }
    return UNCORK_OK;
}

/* The place in x of element i of the slice. */
static int64_t slice_place(const spec *s, const int64_t *shape, int64_t i)
{
    int64_t at[UNCORK_MAX_RANK];
    indices_of(i, s->rank, s->count, at);
    for (int d = 0; d < s->rank; d++) {
        at[d] = s->begin[d] + at[d] * s->step[d];
    }
    return place_of(at, s->rank, shape);
}

static uncork_status infer_slice(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    if (x->rank < 0 || b->rank != 1 || b->shape[0] < 0 || b->shape[0] > UNCORK_MAX_RANK)
        return uc_tf_infer_open(call, 0, x->dtype, -1);
    int rank = x->rank;
    bool seen = false;
    for (int64_t i = 0; i < b->shape[0]; i++) {
        const bool dots = bit(call, "ellipsis_mask", i) && !seen;
        seen = seen || dots;
        if (dots) continue;
        if (bit(call, "new_axis_mask", i))
            rank++;
        else
            rank -= bit(call, "shrink_axis_mask", i);
    }
    return uc_tf_infer_open(call, 0, x->dtype, rank < 0 ? -1 : rank);
}

static uncork_status run_slice(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    spec s;
    UC_TRY(read_spec(call, &s));
    int64_t *from = room_for(call, s.out_rank, s.shape);
    if (!from) return call->error->status;
    const int64_t n = uc_tf_product(s.shape, 0, s.out_rank);
    for (int64_t i = 0; i < n; i++) {
        from[i] = slice_place(&s, x->shape, i);
    }
    return give_places(call, from, s.out_rank, s.shape, NULL);
}
UC_TF_ROW(tf_strided_slice, "TfStridedSlice", 4, 4, 1, infer_slice, run_slice)

/* Inputs: x, begin, end, strides, value. */
static uncork_status run_update(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *value = uc_call_arg(call, 4);
    spec s;
    UC_TRY(read_spec(call, &s));
    int64_t *from = room_for(call, x->rank, x->shape);
    if (!from) return call->error->status;
    if (value->dtype != x->dtype || value->rank > s.out_rank)
        return uc_call_fail(call, UNCORK_INPUT, "the value doesn't fit its slice");
    for (int d = 0; d < value->rank; d++) {
        const int64_t n = value->shape[d];
        if (n != 1 && n != s.shape[s.out_rank - value->rank + d])
            return uc_call_fail(call, UNCORK_INPUT, "the value doesn't fit its slice");
    }
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        from[i] = i;
    }
    const int64_t n = uc_tf_product(s.shape, 0, s.out_rank);
    for (int64_t i = 0; i < n; i++) {
        from[slice_place(&s, x->shape, i)] = ~uc_tf_source(value, s.out_rank, s.shape, i);
    }
    return give_places(call, from, x->rank, x->shape, value);
}
UC_TF_ROW(tf_strided_slice_update, "TfTensorStridedSliceUpdate", 5, 5, 1, uc_tf_infer_same,
          run_update)

/* ---- the other way round --------------------------------------------------------------------- */

static uncork_status run_flips(uc_call *call, const bool *flipped)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t *from = room_for(call, x->rank, x->shape), at[UNCORK_MAX_RANK];
    if (!from) return call->error->status;
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        indices_of(i, x->rank, x->shape, at);
        for (int d = 0; d < x->rank; d++) {
            if (flipped[d]) at[d] = x->shape[d] - 1 - at[d];
        }
        from[i] = place_of(at, x->rank, x->shape);
    }
    return give_places(call, from, x->rank, x->shape, NULL);
}

static uncork_status run_reverse_v2(uc_call *call)
{
    bool flipped[UNCORK_MAX_RANK] = {false};
    int64_t axes[UNCORK_MAX_RANK];
    size_t n = 0;
    UC_TRY(uc_call_small_ints(call, 1, axes, &n));
    for (size_t i = 0; i < n; i++) {
        int axis = 0;
        UC_TRY(uc_axis(call, axes[i], uc_call_arg(call, 0)->rank, &axis));
        flipped[axis] = true;
    }
    return run_flips(call, flipped);
}
UC_TF_ROW(tf_reverse_v2, "TfReverseV2", 2, 2, 1, uc_tf_infer_same, run_reverse_v2)

static uncork_status run_reverse(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *dims = uc_call_arg(call, 1);
    bool flipped[UNCORK_MAX_RANK] = {false};
    UC_TRY(uc_tf_want(call, 1, UNCORK_BOOL, 1));
    if (dims->shape[0] != x->rank) return uc_call_fail(call, UNCORK_INPUT, "its dims don't fit");
    for (int d = 0; d < x->rank; d++) {
        flipped[d] = ((const uint8_t *)dims->data)[d] != 0;
    }
    return run_flips(call, flipped);
}
UC_TF_ROW(tf_reverse, "TfReverse", 2, 2, 1, uc_tf_infer_same, run_reverse)

static uncork_status run_reverse_sequence(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *lengths = uc_call_arg(call, 1);
    int seq = 0, batch = 0;
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, 1));
    UC_TRY(uc_axis(call, uc_call_int(call, "seq_dim", 0), x->rank, &seq));
    UC_TRY(uc_axis(call, uc_call_int(call, "batch_dim", 0), x->rank, &batch));
    if (seq == batch || lengths->shape[0] != x->shape[batch])
        return uc_call_fail(call, UNCORK_INPUT, "its lengths don't fit");
    int64_t *from = room_for(call, x->rank, x->shape), at[UNCORK_MAX_RANK];
    if (!from) return call->error->status;
    for (int64_t i = 0; i < lengths->shape[0]; i++) {
        const int64_t n = uc_tf_int_at(lengths, i);
        if (n < 0 || n > x->shape[seq])
            return uc_call_fail(call, UNCORK_INPUT, "a length of %" PRId64, n);
    }
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        indices_of(i, x->rank, x->shape, at);
        const int64_t n = uc_tf_int_at(lengths, at[batch]);
        if (at[seq] < n) at[seq] = n - 1 - at[seq];
        from[i] = place_of(at, x->rank, x->shape);
    }
    return give_places(call, from, x->rank, x->shape, NULL);
}
UC_TF_ROW(tf_reverse_sequence, "TfReverseSequence", 2, 2, 1, uc_tf_infer_same, run_reverse_sequence)

static uncork_status run_roll(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shift[UNCORK_MAX_RANK], axes[UNCORK_MAX_RANK], by[UNCORK_MAX_RANK] = {0},
                                                           at[UNCORK_MAX_RANK];
    size_t n = 0, m = 0;
    UC_TRY(uc_call_small_ints(call, 1, shift, &n));
    UC_TRY(uc_call_small_ints(call, 2, axes, &m));
    if (n != m) return uc_call_fail(call, UNCORK_INPUT, "%zu shifts of %zu axes", n, m);
    for (size_t i = 0; i < n; i++) {
        int axis = 0;
        UC_TRY(uc_axis(call, axes[i], x->rank, &axis));
        if (x->shape[axis] > 0) by[axis] = (by[axis] + shift[i] % x->shape[axis]) % x->shape[axis];
    }
    int64_t *from = room_for(call, x->rank, x->shape);
    if (!from) return call->error->status;
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        indices_of(i, x->rank, x->shape, at);
        for (int d = 0; d < x->rank; d++) {
            at[d] = (at[d] - by[d] + x->shape[d]) % x->shape[d];
        }
        from[i] = place_of(at, x->rank, x->shape);
    }
    return give_places(call, from, x->rank, x->shape, NULL);
}
UC_TF_ROW(tf_roll, "TfRoll", 3, 3, 1, uc_tf_infer_same, run_roll)

static uncork_status infer_rank_of(uc_call *call)
{
    return uc_tf_infer_open(call, 0, uc_call_dtype(call, 0), uc_call_arg(call, 0)->rank);
}

static uncork_status run_transpose(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t perm[UNCORK_MAX_RANK], shape[UNCORK_MAX_RANK], at[UNCORK_MAX_RANK],
        own[UNCORK_MAX_RANK];
    bool seen[UNCORK_MAX_RANK] = {false};
    size_t n = 0;
    UC_TRY(uc_call_small_ints(call, 1, perm, &n));
    if (n != (size_t)x->rank)
        return uc_call_fail(call, UNCORK_INPUT, "%zu axes of %d dimensions", n, x->rank);
    for (int d = 0; d < x->rank; d++) {
        int axis = 0;
        UC_TRY(uc_axis(call, perm[d], x->rank, &axis));
        if (seen[axis]) return uc_call_fail(call, UNCORK_INPUT, "axis %d is named twice", axis);
        seen[axis] = true;
        perm[d] = axis;
        shape[d] = x->shape[axis];
    }
    int64_t *from = room_for(call, x->rank, shape);
    if (!from) return call->error->status;
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        indices_of(i, x->rank, shape, at);
        for (int d = 0; d < x->rank; d++) {
            own[perm[d]] = at[d];
        }
        from[i] = place_of(own, x->rank, x->shape);
    }
    return give_places(call, from, x->rank, shape, NULL);
}
UC_TF_ROW(tf_transpose, "TfTranspose", 2, 2, 1, infer_rank_of, run_transpose)

/* ---- MirrorPad ------------------------------------------------------------------------------- */

static uncork_status run_mirror_pad(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *pads = uc_call_arg(call, 1);
    const int64_t border = uc_tf_attr_is(call, "mode", "SYMMETRIC") ? 0 : 1;
    int64_t shape[UNCORK_MAX_RANK], at[UNCORK_MAX_RANK];
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, 2));
    if (pads->shape[0] != x->rank || pads->shape[1] != 2)
        return uc_call_fail(call, UNCORK_INPUT, "its paddings don't fit");
    for (int d = 0; d < x->rank; d++) {
        const int64_t a = uc_tf_int_at(pads, 2 * d), b = uc_tf_int_at(pads, 2 * d + 1);
        if (a < 0 || b < 0 || a > x->shape[d] - border || b > x->shape[d] - border)
            return uc_call_fail(call, UNCORK_INPUT,
                                "paddings %" PRId64 " and %" PRId64 " of %" PRId64, a, b,
                                x->shape[d]);
        shape[d] = a + x->shape[d] + b;
    }
    int64_t *from = room_for(call, x->rank, shape);
    if (!from) return call->error->status;
    const int64_t n = uc_tf_product(shape, 0, x->rank);
    for (int64_t i = 0; i < n; i++) {
        indices_of(i, x->rank, shape, at);
        for (int d = 0; d < x->rank; d++) {
            const int64_t k = at[d] - uc_tf_int_at(pads, 2 * d), m = x->shape[d];
            at[d] = k < 0 ? border - 1 - k : k >= m ? 2 * m - 1 - border - k : k;
        }
        from[i] = place_of(at, x->rank, x->shape);
    }
    return give_places(call, from, x->rank, shape, NULL);
}
UC_TF_ROW(tf_mirror_pad, "TfMirrorPad", 2, 2, 1, infer_rank_of, run_mirror_pad)

/* ---- blocks of batches ------------------------------------------------------------------------ */

static uncork_status read_blocks(uc_call *call, int64_t *block, const uc_tensor **pairs, int *m)
{
    size_t n = 0;
    UC_TRY(uc_call_small_ints(call, 1, block, &n));
    UC_TRY(uc_tf_want(call, 2, UNCORK_DTYPE_NONE, 2));
    *pairs = uc_call_arg(call, 2);
    *m = (int)n;
    bool fits = (int)n < uc_call_arg(call, 0)->rank && (*pairs)->shape[0] == (int64_t)n &&
                (*pairs)->shape[1] == 2;
    for (size_t i = 0; fits && i < n; i++) {
        fits = block[i] >= 1 && block[i] <= INT32_MAX;
        for (int64_t k = 0; fits && k < 2; k++) {
            const int64_t v = uc_tf_int_at(*pairs, 2 * (int64_t)i + k);
            fits = v >= 0 && v <= INT32_MAX;
        }
    }
    return fits ? UNCORK_OK : uc_call_fail(call, UNCORK_INPUT, "its blocks don't fit");
}

static uncork_status blocked_shape(uc_call *call, bool to_batch, int64_t *shape, int64_t *block,
                                   const uc_tensor **pairs, int *m)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(read_blocks(call, block, pairs, m));
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    for (int i = 0; i < *m; i++) {
        const int64_t a = uc_tf_int_at(*pairs, 2 * i), b = uc_tf_int_at(*pairs, 2 * i + 1);
        const int64_t n = x->shape[i + 1];
        if (shape[0] >= 0) {
            if (!to_batch && shape[0] % block[i])
                return uc_call_fail(call, UNCORK_INPUT, "a batch of %" PRId64 " by blocks",
                                    x->shape[0]);
            if (to_batch && __builtin_mul_overflow(shape[0], block[i], &shape[0]))
                return uc_call_fail(call, UNCORK_LIMIT, "a batch too large");
            if (!to_batch) shape[0] /= block[i];
        }
        if (n < 0) {
            shape[i + 1] = UC_DIM_UNKNOWN;
            continue;
        }
        if (n > INT32_MAX) return uc_call_fail(call, UNCORK_LIMIT, "a dimension of %" PRId64, n);
        if (to_batch && (n + a + b) % block[i])
            return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " by blocks of %" PRId64, n + a + b,
                                block[i]);
        shape[i + 1] = to_batch ? (n + a + b) / block[i] : n * block[i] - a - b;
        if (shape[i + 1] < 0)
            return uc_call_fail(call, UNCORK_INPUT, "crops of %" PRId64 " and %" PRId64, a, b);
    }
    return UNCORK_OK;
}

static uncork_status infer_blocks(uc_call *call, bool to_batch)
{
    int64_t shape[UNCORK_MAX_RANK], block[UNCORK_MAX_RANK];
    const uc_tensor *pairs, *x = uc_call_arg(call, 0);
    int m = 0;
    if (x->rank < 0 || !uc_call_known(call, 1) || !uc_call_known(call, 2))
        return infer_rank_of(call);
    UC_TRY(blocked_shape(call, to_batch, shape, block, &pairs, &m));
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

static uncork_status run_blocks(uc_call *call, bool to_batch)
{
    const uc_tensor *x = uc_call_arg(call, 0), *pairs;
    int64_t shape[UNCORK_MAX_RANK], block[UNCORK_MAX_RANK], at[UNCORK_MAX_RANK];
    int m = 0;
    UC_TRY(blocked_shape(call, to_batch, shape, block, &pairs, &m));
    int64_t *from = room_for(call, x->rank, shape);
    if (!from) return call->error->status;
    static const uint64_t zeros[2] = {0, 0};
    uc_tensor zero = {.dtype = x->dtype, .data = (void *)(uintptr_t)zeros};
    if (x->dtype == UNCORK_STRING)
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "of strings isn't supported");
    const int64_t n = uc_tf_product(shape, 0, x->rank);
    for (int64_t i = 0; i < n; i++) {
        indices_of(i, x->rank, shape, at);
        /* The block's place, last axis fastest, is above the batch's. */
        int64_t outer = to_batch ? at[0] / x->shape[0] : 0,
                inner = to_batch ? at[0] % x->shape[0] : at[0];
        bool outside = false;
        for (int d = m - 1; d >= 0 && to_batch; d--) {
            at[d + 1] = at[d + 1] * block[d] + outer % block[d] - uc_tf_int_at(pairs, 2 * d);
            outer /= block[d];
            outside = outside || at[d + 1] < 0 || at[d + 1] >= x->shape[d + 1];
        }
        for (int d = 0; d < m && !to_batch; d++) {
            const int64_t k = at[d + 1] + uc_tf_int_at(pairs, 2 * d);
            outer = outer * block[d] + k % block[d];
            at[d + 1] = k / block[d];
        }
        at[0] = to_batch ? inner : outer * shape[0] + inner;
        from[i] = outside ? ~(int64_t)0 : place_of(at, x->rank, x->shape);
    }
    return give_places(call, from, x->rank, shape, &zero);
}

static uncork_status infer_to_batch(uc_call *call) { return infer_blocks(call, true); }
static uncork_status infer_to_space(uc_call *call) { return infer_blocks(call, false); }
static uncork_status run_to_batch(uc_call *call) { return run_blocks(call, true); }
static uncork_status run_to_space(uc_call *call) { return run_blocks(call, false); }
UC_TF_ROW(tf_space_to_batch, "TfSpaceToBatchND", 3, 3, 1, infer_to_batch, run_to_batch)
UC_TF_ROW(tf_batch_to_space, "TfBatchToSpaceND", 3, 3, 1, infer_to_space, run_to_space)
