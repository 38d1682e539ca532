/* Unique: the distinct elements, or the distinct slices along an axis.
 *
 * Source: ONNX operator Unique, opset 28; order and NaN (all one) as numpy.unique.
 * x  any type;  y  the type of x;  first indices, inverse, counts  int64 [n] */
#include "kernel/order.h"
#include "op/axis.h"
#include "op/move.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK], unknown = UC_DIM_UNKNOWN, n = UC_DIM_UNKNOWN;
    bool flat = !uc_call_attr(call, "axis");
    int axis = 0;
    if (x->rank >= 0 && !flat) {
        UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &axis));
        n = x->shape[axis];
    } else if (uc_dims_known(x->shape, x->rank)) {
        n = uc_tensor_count(x);
    }
    for (int d = 0; d < x->rank; d++) {
        shape[d] = d == axis ? UC_DIM_UNKNOWN : x->shape[d];
    }
    UC_TRY(flat ? uc_call_shape(call, 0, x->dtype, 1, &unknown)
                : uc_call_shape(call, 0, x->dtype, x->rank, shape));
    UC_TRY(uc_call_shape(call, 1, UNCORK_INT64, 1, &unknown));
    UC_TRY(uc_call_shape(call, 2, UNCORK_INT64, 1, &n));
    return uc_call_shape(call, 3, UNCORK_INT64, 1, &unknown);
}

/* Slices [outer, i, inner] compared element by element. */
typedef struct slices {
    const uc_tensor *x;
    uc_along a;
} slices;

static int compare_elements(const uc_tensor *x, int64_t i, int64_t j)
{
    if (x->dtype == UNCORK_STRING) {
        uc_str a = uc_tensor_string(x, i), b = uc_tensor_string(x, j);
        size_t n = a.size < b.size ? a.size : b.size;
        int c = n ? memcmp(a.data, b.data, n) : 0;
        return c ? c : (a.size > b.size) - (a.size < b.size);
    }
    uint64_t a = uc_order_key(x->data, i, x->dtype), b = uc_order_key(x->data, j, x->dtype);
    return (a > b) - (a < b);
}

static int compare(const void *context, int64_t i, int64_t j)
{
    const slices *s = context;
    for (int64_t o = 0; o < s->a.outer; o++) {
        for (int64_t k = 0; k < s->a.inner; k++) {
            int64_t base = o * s->a.n * s->a.inner + k;
            int c = compare_elements(s->x, base + i * s->a.inner, base + j * s->a.inner);
            if (c) return c;
        }
    }
    return 0;
}

/* What was found: for each distinct slice its first place and how often; for each slice which. */
typedef struct found {
    int64_t count, *first, *counts, *inverse;
} found;

static int by_first(const void *context, int64_t i, int64_t j)
{
    const int64_t *first = context;
    return (first[i] > first[j]) - (first[i] < first[j]);
}

/* Renumbers the groups by their first appearance. */
static void unsort(found *f, int64_t n, int64_t *order, int64_t *room, int64_t *place)
{
    for (int64_t i = 0; i < f->count; i++) {
        order[i] = i;
    }
    uc_order_indices(order, room, f->count, by_first, f->first);
    for (int64_t i = 0; i < f->count; i++) {
        place[order[i]] = i;
        room[i] = f->counts[order[i]];
    }
    memcpy(f->counts, room, (size_t)f->count * sizeof *room);
    for (int64_t i = 0; i < f->count; i++) {
        room[i] = f->first[order[i]];
    }
    memcpy(f->first, room, (size_t)f->count * sizeof *room);
    for (int64_t i = 0; i < n; i++) {
        f->inverse[i] = place[f->inverse[i]];
    }
}

static uncork_status find(uc_call *call, const slices *s, found *f)
{
    size_t n = (size_t)s->a.n;
    int64_t *order = uc_call_scratch(call, n, sizeof *order);
    int64_t *room = uc_call_scratch(call, n, sizeof *room);
    int64_t *place = uc_call_scratch(call, n, sizeof *place);
    f->first = uc_call_scratch(call, n, sizeof *f->first);
    f->counts = uc_call_scratch(call, n, sizeof *f->counts);
    f->inverse = uc_call_scratch(call, n, sizeof *f->inverse);
    if (!order || !room || !place || !f->first || !f->counts || !f->inverse) {
        return uc_fail_memory(call->error);
    }
    for (int64_t i = 0; i < s->a.n; i++) {
        order[i] = i;
    }
    uc_order_indices(order, room, s->a.n, compare, s);
    f->count = 0;
    for (int64_t i = 0; i < s->a.n; i++) {
        bool same = i > 0 && compare(s, order[i - 1], order[i]) == 0;
        if (!same) {
            f->first[f->count] = order[i]; /* the sort is stable: the first of its kind */
            f->counts[f->count++] = 0;
        }
        f->counts[f->count - 1]++;
        f->inverse[order[i]] = f->count - 1;
    }
    if (!uc_call_int(call, "sorted", 1)) unsort(f, s->a.n, order, room, place);
    return UNCORK_OK;
}

typedef struct context {
    const slices *s;
    const found *f;
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    const uc_along *a = &c->s->a;
    size_t piece = (size_t)a->inner * size;
    char *y = to;
    for (int64_t o = 0; o < a->outer; o++) {
        for (int64_t i = 0; i < c->f->count; i++, y += piece) {
            int64_t at = o * a->n + c->f->first[i];
            memcpy(y, (const char *)from[0] + (size_t)at * piece, piece);
        }
    }
}

static uncork_status put(uc_call *call, size_t i, const int64_t *v, int64_t n)
{
    uc_tensor *y = NULL;
    if (i >= call->out_count || !call->out[i]) return UNCORK_OK;
    UC_TRY(uc_call_output(call, i, UNCORK_INT64, 1, &n, &y));
    if (n) memcpy(y->data, v, (size_t)n * sizeof *v);
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool flat = !uc_call_attr(call, "axis");
    int64_t shape[UNCORK_MAX_RANK];
    slices s = {.x = x, .a = {.outer = 1, .n = uc_tensor_count(x), .inner = 1}};
    found f;
    if (!flat) UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", 0), &s.a));
    UC_TRY(find(call, &s, &f));
    for (int d = 0; d < x->rank; d++) {
        shape[d] = d == s.a.axis ? f.count : x->shape[d];
    }
    if (flat) shape[0] = f.count;
    UC_TRY(uc_call_shape(call, 0, x->dtype, flat ? 1 : x->rank, shape));
    context c = {&s, &f};
    UC_TRY(uc_move(call, 0, &x, 1, move, &c));
    UC_TRY(put(call, 1, f.first, f.count));
    UC_TRY(put(call, 2, f.inverse, s.a.n));
    return put(call, 3, f.counts, f.count);
}

const uc_op uc_op_unique = {
    .name = "Unique", .in = {1, 1}, .out = {1, 4}, .infer = infer, .run = run};
