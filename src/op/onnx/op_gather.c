/* Gather, GatherElements and GatherND: elements picked by index. Negative indices count from the end;
 * one outside is refused, since only the data shows it.
 *
 * Source: ONNX operators Gather 13, GatherElements 13, GatherND 13.
 * x        any type;  indices  int32 or int64;  y  the type of x */
#include "op/axis.h"
#include "op/move.h"

#include <inttypes.h>

/* Indices as int64 counted from the front: NULL (error set) when one is outside [-n, n). For tuples of
 * `k` (GatherND) index i is along dimension i % k, whose size is n[i % k]. */
static const int64_t *front_indices(uc_call *call, const uc_tensor *t, const int64_t *n, int64_t k)
{
    int64_t count = uc_tensor_count(t);
    int64_t *out = uc_call_scratch(call, (size_t)count, sizeof *out);
    for (int64_t i = 0; out && i < count; i++) {
        int64_t v = uc_dtype_load_i64(t->data, i, t->dtype), size = n[i % k];
        if (v < -size || v >= size) {
            uc_call_fail(call, UNCORK_INPUT,
                         "index %" PRId64 " is outside the %" PRId64 " elements", v, size);
            return NULL;
        }
        out[i] = v < 0 ? v + size : v;
    }
    return out;
}

static uncork_status failed(const uc_call *call)
{
    return call->error && call->error->status ? call->error->status : UNCORK_NO_MEMORY;
}

/* ---- Gather: y[outer, i..., inner] = x[outer, indices[i...], inner] ------------------------ */

static uncork_status infer_gather(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *indices = uc_call_arg(call, 1);
    int64_t shape[2 * UNCORK_MAX_RANK];
    int axis = 0, rank = 0;
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (x->rank < 0 || indices->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &axis));
    for (int d = 0; d < x->rank; d++) {
        if (d != axis) {
            shape[rank++] = x->shape[d];
            continue;
        }
        for (int i = 0; i < indices->rank; i++) {
            shape[rank++] = indices->shape[i];
        }
    }
    return uc_call_shape(call, 0, x->dtype, rank, shape);
}

typedef struct gather {
    uc_along x;
    const int64_t *indices;
    int64_t count;
} gather;

static void move_gather(const void *ctx, void *to, const void *const *from, size_t size)
{
    const gather *g = ctx;
    size_t piece = (size_t)g->x.inner * size;
    char *y = to;
    for (int64_t o = 0; o < g->x.outer; o++) {
        const char *x = (const char *)from[0] + (size_t)(o * g->x.n) * piece;
        for (int64_t i = 0; i < g->count; i++, y += piece) {
            memcpy(y, x + (size_t)g->indices[i] * piece, piece);
        }
    }
}

static uncork_status run_gather(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *indices = uc_call_arg(call, 1);
    gather g = {.count = uc_tensor_count(indices)};
    UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", 0), &g.x));
    g.indices = front_indices(call, indices, &g.x.n, 1);
    if (!g.indices) return failed(call);
    return uc_move(call, 0, &x, 1, move_gather, &g);
}

/* One slice along the axis, by a known index. A small piece would keep all of x alive: it is copied. */
static bool view_of_gather(const uc_call *call, uc_tensor *y, int64_t *first)
{
    enum { SMALLEST_SHARE = 8 };
    const uc_tensor *x = uc_call_arg(call, 0), *indices = uc_call_arg(call, 1);
    int64_t axis = uc_call_int(call, "axis", 0);
    if (!uc_call_known(call, 1) || indices->rank != 0) return false;
    if (axis < 0) axis += x->rank;
    const int64_t n = x->shape[axis], v = uc_dtype_load_i64(indices->data, 0, indices->dtype);
    if (v < -n || v >= n || n > SMALLEST_SHARE) return false;
    *first = (v < 0 ? v + n : v) * x->stride[axis];
    for (int d = 0; d < y->rank; d++) {
        y->stride[d] = x->stride[d < axis ? d : d + 1];
    }
    return true;
}

const uc_op uc_op_gather = {.name = "Gather",
                            .in = {2, 2},
                            .out = {1, 1},
                            .view_of = view_of_gather,
                            .infer = infer_gather,
                            .run = run_gather};

/* ---- GatherElements: y[i, j, k] = x[indices[i, j, k], j, k] for axis 0 ---------------------- */

static uncork_status infer_elements(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *indices = uc_call_arg(call, 1);
    int axis = 0;
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (x->rank < 0 || indices->rank < 0) {
        return uc_call_shape(call, 0, x->dtype, indices->rank, indices->shape);
    }
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &axis));
    bool fits = indices->rank == x->rank;
    for (int d = 0; fits && d < x->rank; d++) {
        bool known = x->shape[d] >= 0 && indices->shape[d] >= 0;
        fits = d == axis || !known || indices->shape[d] <= x->shape[d];
    }
    if (!fits) return uc_call_fail(call, UNCORK_INPUT, "the indices reach outside the input");
    return uc_call_shape(call, 0, x->dtype, indices->rank, indices->shape);
}

typedef struct elements {
    const uc_tensor *x, *indices;
    const int64_t *places; /* front indices */
    int axis;
} elements;

/* Element of x that output element i reads. */
static int64_t place_of(const elements *e, int64_t i)
{
    int64_t at = e->places[i] * e->x->stride[e->axis], rest = i;
    for (int d = e->x->rank - 1; d >= 0; d--) {
        int64_t index = rest % e->indices->shape[d];
        rest /= e->indices->shape[d];
        if (d != e->axis) at += index * e->x->stride[d];
    }
    return at;
}

static void move_elements(const void *ctx, void *to, const void *const *from, size_t size)
{
    const elements *e = ctx;
    for (int64_t i = 0; i < uc_tensor_count(e->indices); i++) {
        memcpy((char *)to + (size_t)i * size, (const char *)from[0] + (size_t)place_of(e, i) * size,
               size);
    }
}

static uncork_status run_elements(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    elements e = {.x = x, .indices = uc_call_arg(call, 1)};
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &e.axis));
    e.places = front_indices(call, e.indices, &x->shape[e.axis], 1);
    if (!e.places) return failed(call);
    return uc_move(call, 0, &x, 1, move_elements, &e);
}

const uc_op uc_op_gather_elements = {.name = "GatherElements",
                                     .in = {2, 2},
                                     .out = {1, 1},
                                     .infer = infer_elements,
                                     .run = run_elements};

/* ---- GatherND: tuples of k indices, after `batch_dims` dimensions shared with x ------------- */

static uncork_status check_nd(uc_call *call, const uc_tensor *x, const uc_tensor *indices,
                              int64_t batch)
{
    int64_t k = indices->shape[indices->rank - 1];
    bool fits =
        batch >= 0 && batch < indices->rank && batch < x->rank && k >= 1 && k <= x->rank - batch;
    for (int d = 0; fits && d < (int)batch; d++) {
        bool known = x->shape[d] >= 0 && indices->shape[d] >= 0;
        fits = !known || x->shape[d] == indices->shape[d];
    }
    if (fits) return UNCORK_OK;
    char a[128], b[128];
    return uc_call_fail(call, UNCORK_INPUT, "indices %.80s don't fit the input %.80s",
                        uc_shape_text(indices->shape, indices->rank, a, sizeof a),
                        uc_shape_text(x->shape, x->rank, b, sizeof b));
}

static uncork_status infer_nd(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *indices = uc_call_arg(call, 1);
    int64_t shape[2 * UNCORK_MAX_RANK], batch = uc_call_int(call, "batch_dims", 0);
    int rank = 0;
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    bool unclear = x->rank < 0 || indices->rank < 0 ||
                   (indices->rank > 0 && indices->shape[indices->rank - 1] < 0);
    if (unclear) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    if (indices->rank == 0) return uc_call_fail(call, UNCORK_MALFORMED, "the indices are a scalar");
    UC_TRY(check_nd(call, x, indices, batch));
    for (int d = 0; d < indices->rank - 1; d++) {
        shape[rank++] = indices->shape[d];
    }
    for (int d = (int)(batch + indices->shape[indices->rank - 1]); d < x->rank; d++) {
        shape[rank++] = x->shape[d];
    }
    return uc_call_shape(call, 0, x->dtype, rank, shape);
}

typedef struct tuples {
    const int64_t *places; /* element of x where each piece begins */
    int64_t count, piece;
} tuples;

static void move_tuples(const void *ctx, void *to, const void *const *from, size_t size)
{
    const tuples *t = ctx;
    size_t bytes = (size_t)t->piece * size;
    for (int64_t i = 0; i < t->count; i++) {
        memcpy((char *)to + (size_t)i * bytes, (const char *)from[0] + (size_t)t->places[i] * size,
               bytes);
    }
}

static uncork_status run_nd(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *indices = uc_call_arg(call, 1);
    int batch = (int)uc_call_int(call, "batch_dims", 0);
    int64_t k = indices->shape[indices->rank - 1], batches = 1, piece = 1;
    const int64_t *at = front_indices(call, indices, x->shape + batch, k);
    int64_t count = uc_tensor_count(indices) / k;
    int64_t *places = uc_call_scratch(call, (size_t)count, sizeof *places);
    if (!at || !places) return failed(call);
    for (int d = 0; d < x->rank; d++) {
        if (d < batch) batches *= x->shape[d];
        if (d >= batch + k) piece *= x->shape[d];
    }
    int64_t each = batches ? count / batches : 0;
    int64_t batch_size = batch ? x->stride[batch - 1] : 0;
    for (int64_t i = 0; i < count; i++) {
        places[i] = each ? i / each * batch_size : 0;
        for (int64_t j = 0; j < k; j++) {
            places[i] += at[i * k + j] * x->stride[batch + j];
        }
    }
    tuples t = {.places = places, .count = count, .piece = piece};
    return uc_move(call, 0, &x, 1, move_tuples, &t);
}

const uc_op uc_op_gather_nd = {
    .name = "GatherND", .in = {2, 2}, .out = {1, 1}, .infer = infer_nd, .run = run_nd};
