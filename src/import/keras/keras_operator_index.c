/* Operators that index, shape and lay out. Sources: keras/src/ops/numpy.py, core.py;
 * tensorflow/python/ops/array_ops.py. */
#include "import/keras/keras_operator.h"

#include <inttypes.h>

/* ---- x[...] ---------------------------------------------------------------------------------- */

static bool class_is(const uc_json *item, const char *name)
{
    return item && item->kind == UC_JSON_OBJECT &&
           uc_str_is(uc_json_str(uc_json_get(item, "class_name"), ""), name);
}

/* A slice: {"start", "stop", "step"}, within "config" in Keras 3, or slice's three arguments. */
static bool read_slice(const uc_json *item, int64_t *begin, int64_t *end, int64_t *step)
{
    const uc_json *config = uc_json_get(item, "config"), *args = uc_json_path(item, "config.args");
    const uc_json *three[3];
    int64_t v[3] = {0, INT64_MAX, 1};
    if (args && args->kind == UC_JSON_NUMBERS) {
        if (!uc_k_ints(args, v, 3)) return false;
        *begin = v[0];
        *end = v[1];
        *step = v[2];
        return true;
    }
    static const char *const names[] = {"start", "stop", "step"};
    for (int i = 0; i < 3; i++) {
        three[i] = uc_json_count(args) == 3 ? uc_json_at(args, (size_t)i)
                                            : uc_json_get(config ? config : item, names[i]);
        if (three[i] && three[i]->kind == UC_JSON_NULL) three[i] = NULL;
        if (three[i] && three[i]->kind != UC_JSON_INT) return false;
    }
    *step = uc_json_i64(three[2], 1);
    if (*step == 0) return false;
    *begin = three[0] ? three[0]->integer : *step < 0 ? -1 : 0;
    *end = three[1] ? three[1]->integer : *step < 0 ? INT64_MIN : INT64_MAX;
    return true;
}

/* One entry at `axis`; the axis of the next. */
static bool index_axis(uc_k_call *c, const uc_json *item, int64_t *axis, uc_ref *x)
{
    uc_graph *g = c->graph;
    int64_t begin, end, step;
    uc_k_value v;
    if (!item || item->kind == UC_JSON_NULL || class_is(item, "__newaxis__")) {
        *x = uc_g_unsqueeze(g, *x, (*axis)++);
        return true;
    }
    if (item->kind == UC_JSON_INT) {
        *x = uc_g_gather(g, *x, uc_graph_i64(g, item->integer), *axis);
        return true;
    }
    if (uc_k_tensor_of(c, item, &v)) {
        *x = uc_g_gather(g, *x, uc_g_cast(g, uc_k_plain(c, v), UNCORK_INT64), *axis);
        return true;
    }
    if (item->kind != UC_JSON_OBJECT || !read_slice(item, &begin, &end, &step)) return false;
    if (begin != 0 || end != INT64_MAX || step != 1)
        *x = uc_g_slices(g, *x, &begin, &end, axis, &step, 1);
    (*axis)++;
    return true;
}

static bool takes_axis(const uc_json *item)
{
    return item && item->kind != UC_JSON_NULL && !class_is(item, "__ellipsis__") &&
           !class_is(item, "__newaxis__");
}

static void get_item(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_ref x = uc_k_first_operand(c);
    const uc_json *key = uc_k_argument_json(c, 1, "key");
    if (!key) key = uc_k_argument_json(c, SIZE_MAX, "slice_spec");
    if (!key) key = uc_k_argument_json(c, SIZE_MAX, "mask");
    if (key && uc_json_path(key, "config.items")) key = uc_json_path(key, "config.items");
    if (key && key->kind == UC_JSON_NUMBERS) {
        const int64_t n = uc_tensor_count(key->numbers);
        for (int64_t i = 0; i < n; i++) {
            const int64_t at = uc_dtype_load_i64(key->numbers->data, i, key->numbers->dtype);
            x = uc_g_gather(c->graph, x, uc_graph_i64(c->graph, at), 0);
        }
        uc_k_set(c, x);
        return;
    }
    const bool list = key && key->kind == UC_JSON_ARRAY;
    const size_t n = list ? key->count : key ? 1 : 0;
    int64_t axis = 0;
    bool ok = n > 0;
    for (size_t i = 0; i < n && ok && !c->graph->status; i++) {
        const uc_json *item = list ? key->items[i] : key;
        if (class_is(item, "__ellipsis__")) {
            int64_t left = 0; /* axes that the entries behind take */
            for (size_t k = i + 1; k < n; k++) {
                left += takes_axis(key->items[k]);
            }
            axis = uc_k_rank(c, x) - left;
            continue;
        }
        ok = index_axis(c, item, &axis, &x);
    }
    if (ok)
        uc_k_set(c, x);
    else
        uc_k_fail(c, "its index can't be read");
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* From `begin` on, so many of each axis; -1: what is left. */
static void slice(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t begin[UNCORK_MAX_RANK], size[UNCORK_MAX_RANK];
    (void)row;
    uc_ref x = uc_k_first_operand(c);
    size_t n = uc_k_arg_ints(c, 1, "start_indices", "begin", begin, UNCORK_MAX_RANK);
    const size_t m = uc_k_arg_ints(c, 2, "shape", "size", size, UNCORK_MAX_RANK);
    if (n == 0 || n != m) {
        uc_k_fail(c, "its place isn't in the file");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const int64_t end = size[i] < 0 ? INT64_MAX : begin[i] + size[i];
        if (begin[i] == 0 && uc_k_dim(c, x, (int)i) == size[i]) continue;
        if (i == 0 && begin[0] == 0 && c->layer->is_operator && c->layer->major >= 3 &&
            uc_k_dim(c, x, 0) < 0) {
            x = uc_g_slice(c->graph, x, 0, 0, size[0]);
            continue;
        }
        x = uc_g_slice(c->graph, x, (int64_t)i, begin[i], end);
    }
    uc_k_set(c, x);
}

static bool bit(int64_t mask, size_t i) { return mask >> i & 1; }

/* tf.strided_slice without ellipses and new axes. */
static void strided(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t begin[UNCORK_MAX_RANK], end[UNCORK_MAX_RANK], step[UNCORK_MAX_RANK];
    (void)row;
    uc_ref x = uc_k_first_operand(c);
    const size_t n = uc_k_arg_ints(c, 1, "begin", NULL, begin, UNCORK_MAX_RANK);
    const size_t m = uc_k_arg_ints(c, 2, "end", NULL, end, UNCORK_MAX_RANK);
    const size_t k = uc_k_arg_ints(c, 3, "strides", NULL, step, UNCORK_MAX_RANK);
    const int64_t from = uc_k_arg_int(c, SIZE_MAX, "begin_mask", 0),
                  to = uc_k_arg_int(c, SIZE_MAX, "end_mask", 0),
                  shrink = uc_k_arg_int(c, SIZE_MAX, "shrink_axis_mask", 0);
    if (n == 0 || n != m || (k && k != n) || uc_k_arg_int(c, SIZE_MAX, "ellipsis_mask", 0) ||
        uc_k_arg_int(c, SIZE_MAX, "new_axis_mask", 0)) {
        uc_k_fail(c, "its places can't be read");
        return;
    }
    int64_t axis = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t by = k ? step[i] : 1;
        if (bit(shrink, i)) {
            x = uc_g_gather(c->graph, x, uc_graph_i64(c->graph, begin[i]), axis);
            continue;
        }
        const int64_t a = bit(from, i) ? (by < 0 ? -1 : 0) : begin[i],
                      b = bit(to, i) ? (by < 0 ? INT64_MIN : INT64_MAX) : end[i];
        x = uc_g_slices(c->graph, x, &a, &b, &axis, &by, 1);
        axis++;
    }
    uc_k_set(c, x);
}

/* Indices [n, rank] and what goes there; op: "add", or "" to replace. */
static void scatter(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_graph *g = c->graph;
    const bool fresh = row->op[0] == 'a';
    int64_t shape[UNCORK_MAX_RANK];
    uc_ref at = uc_k_arg_tensor(c, fresh ? 0 : 1, "indices"),
           v = uc_k_arg_tensor(c, fresh ? 1 : 2, fresh ? "values" : "updates"), x;
    if (fresh) {
        const size_t n = uc_k_arg_ints(c, 2, "shape", NULL, shape, UNCORK_MAX_RANK);
        x = uc_g2(g, "Expand", uc_k_scalar(c, 0), uc_graph_i64s(g, shape, (int64_t)n));
    } else {
        x = uc_k_first_operand(c);
    }
    if (!at || !v) {
        uc_k_fail(c, "it needs indices and values");
        return;
    }
    const uc_ref in[] = {x, uc_g_cast(g, at, UNCORK_INT64), v};
    uc_node *n = uc_graph_node(g, "ScatterND", in, 3, 1);
    if (fresh) uc_node_str(g, n, "reduction", "add");
    uc_k_set(c, uc_node_out(n, 0));
}

/* x with a block put at a place. */
static void slice_update(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t begin[UNCORK_MAX_RANK];
    (void)row;
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_first_operand(c), v = uc_k_arg_tensor(c, 2, "updates");
    const int64_t n = (int64_t)uc_k_arg_ints(c, 1, "start_indices", NULL, begin, UNCORK_MAX_RANK);
    if (!v || n != uc_k_rank(c, x)) {
        uc_k_fail(c, "its place isn't in the file");
        return;
    }
    const uc_ref from = uc_graph_i64s(g, begin, n), size = uc_g1(g, "Shape", v);
    for (int64_t i = 0; i < n; i++) {
        begin[i] = 1;
    }
    const uc_ref in[] = {x, from, uc_g2(g, "Add", from, size), uc_graph_i64s(g, begin, n), v};
    uc_k_set(c, uc_k_node(c, "uncork.TfTensorStridedSliceUpdate", in, 5));
}

static void gather_nd(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref at = uc_k_arg_tensor(c, 1, "indices");
    const uc_ref in[] = {uc_k_first_operand(c), at ? uc_g_cast(c->graph, at, UNCORK_INT64) : 0};
    if (!at) {
        uc_k_fail(c, "it needs indices");
        return;
    }
    uc_node *n = uc_graph_node(c->graph, "GatherND", in, 2, 1);
    uc_node_int(c->graph, n, "batch_dims", uc_k_arg_int(c, 2, "batch_dims", 0));
    uc_k_set(c, uc_node_out(n, 0));
}

static void take_along(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref x = uc_k_first_operand(c), at = uc_k_arg_tensor(c, 1, "indices");
    const int axis = uc_k_arg_axis(c, 2, x, -1);
    if (!at || axis < 0) {
        uc_k_fail(c, "it needs indices and an axis");
        return;
    }
    const uc_ref in[] = {x, uc_g_cast(c->graph, at, UNCORK_INT64)};
    uc_node *n = uc_graph_node(c->graph, "GatherElements", in, 2, 1);
    uc_node_int(c->graph, n, "axis", axis);
    uc_k_set(c, uc_node_out(n, 0));
}

static void boolean_mask(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref m = uc_k_arg_tensor(c, 1, "mask");
    const int64_t axis = uc_k_arg_int(c, 2, "axis", 0);
    if (!m || uc_k_rank(c, m) != 1) {
        uc_k_fail(c, "a mask of another rank than 1");
        return;
    }
    const uc_ref in[] = {uc_k_first_operand(c), uc_g_cast(c->graph, m, UNCORK_BOOL)};
    uc_node *n = uc_graph_node(c->graph, "Compress", in, 2, 1);
    uc_node_int(c->graph, n, "axis", axis);
    uc_k_set(c, uc_node_out(n, 0));
}

/* ---- layouts --------------------------------------------------------------------------------- */

static void ravel(uc_k_call *c, const uc_k_operator_row *row)
{
    const int64_t flat = -1;
    (void)row;
    uc_k_set(c, uc_g_reshape(c->graph, uc_k_first_operand(c), &flat, 1));
}

/* Axis a to place b, the others stay in order; op "s": both change places. */
static void move_axis(uc_k_call *c, const uc_k_operator_row *row)
{
    const bool swaps = row->op[0] == 's';
    int64_t from[UNCORK_MAX_RANK], to[UNCORK_MAX_RANK], perm[UNCORK_MAX_RANK];
    bool used[UNCORK_MAX_RANK] = {false};
    const uc_ref x = uc_k_first_operand(c);
    const int rank = uc_k_rank(c, x);
    const size_t n = uc_k_arg_ints(c, 1, swaps ? "axis1" : "source", NULL, from, UNCORK_MAX_RANK),
                 m = uc_k_arg_ints(c, 2, swaps ? "axis2" : "destination", NULL, to,
                                   UNCORK_MAX_RANK);
    bool ok = n > 0 && n == m && rank > 0;
    for (size_t i = 0; i < n && ok; i++) {
        from[i] = uc_k_axis(from[i], rank);
        to[i] = uc_k_axis(to[i], rank);
        ok = from[i] >= 0 && to[i] >= 0;
    }
    if (!ok) {
        uc_k_fail(c, "its axes can't be read");
        return;
    }
    for (int i = 0; i < rank; i++) {
        perm[i] = swaps ? i : -1;
    }
    for (size_t i = 0; i < n; i++) {
        perm[to[i]] = from[i];
        if (swaps) perm[from[i]] = to[i];
        used[from[i]] = true;
    }
    for (int i = 0, next = 0; i < rank && !swaps; i++) {
        if (perm[i] >= 0) continue;
        while (next < rank && used[next]) {
            next++;
        }
        perm[i] = next < rank ? next++ : 0;
    }
    uc_k_set(c, uc_k_transpose(c->graph, x, perm, (size_t)rank));
}

static void roll(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t by[UNCORK_MAX_RANK], axes[UNCORK_MAX_RANK], flat = -1;
    (void)row;
    uc_graph *g = c->graph;
    uc_ref x = uc_k_first_operand(c);
    const size_t n = uc_k_arg_ints(c, 1, "shift", NULL, by, UNCORK_MAX_RANK);
    size_t m = uc_k_arg_ints(c, 2, "axis", NULL, axes, UNCORK_MAX_RANK);
    const bool whole = m == 0;
    const uc_ref shape = uc_g1(g, "Shape", x);
    if (whole) {
        x = uc_g_reshape(g, x, &flat, 1);
        axes[0] = 0;
        m = 1;
    }
    if (n == 0 || n != m) {
        uc_k_fail(c, "its shifts aren't in the file");
        return;
    }
    const uc_ref in[] = {x, uc_graph_i64s(g, by, (int64_t)n), uc_graph_i64s(g, axes, (int64_t)n)};
    x = uc_k_node(c, "uncork.TfRoll", in, 3);
    uc_k_set(c, whole ? uc_g2(g, "Reshape", x, shape) : x);
}

/* A quarter turn k times in the plane of two axes. */
static void rot90(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes[2] = {0, 1}, perm[UNCORK_MAX_RANK];
    uc_ref x = uc_k_first_operand(c);
    const int rank = uc_k_rank(c, x);
    const int64_t k = ((uc_k_arg_int(c, SIZE_MAX, "k", 1) % 4) + 4) % 4;
    if (row->op[0] == 'p') { /* of pictures */
        axes[0] = rank - 3;
        axes[1] = rank - 2;
    } else if (uc_k_argument_json(c, SIZE_MAX, "axes")) {
        (void)uc_k_ints(uc_k_argument_json(c, SIZE_MAX, "axes"), axes, 2);
    }
    axes[0] = uc_k_axis(axes[0], rank);
    axes[1] = uc_k_axis(axes[1], rank);
    if (axes[0] < 0 || axes[1] < 0) {
        uc_k_fail(c, "its axes can't be read");
        return;
    }
    for (int i = 0; i < rank; i++) {
        perm[i] = i;
    }
    perm[axes[0]] = axes[1];
    perm[axes[1]] = axes[0];
    if (k == 1) x = uc_g_reverse(c->graph, x, &axes[1], 1);
    if (k == 2) x = uc_g_reverse(c->graph, x, axes, 2);
    if (k % 2) x = uc_k_transpose(c->graph, x, perm, (size_t)rank);
    if (k == 3) x = uc_g_reverse(c->graph, x, &axes[1], 1);
    uc_k_set(c, x);
}

static void join(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref *parts = UC_NEW(c->graph->arena, uc_ref, c->in_count);
    for (size_t i = 0; parts && i < c->in_count; i++) {
        parts[i] = uc_k_plain(c, c->in[i]);
    }
    if (parts) uc_k_set(c, uc_g_concat(c->graph, parts, c->in_count, row->op[0] - '0'));
}

static void broadcast(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t shape[UNCORK_MAX_RANK];
    (void)row;
    const size_t n = uc_k_arg_ints(c, 1, "shape", NULL, shape, UNCORK_MAX_RANK);
    uc_k_value v;
    uc_ref to = 0;
    if (uc_k_argument(c, 1, "shape", &v))
        to = uc_g_cast(c->graph, uc_k_plain(c, v), UNCORK_INT64);
    else if (n)
        to = uc_graph_i64s(c->graph, shape, (int64_t)n);
    if (to)
        uc_k_set(c, uc_g2(c->graph, "Expand", uc_k_first_operand(c), to));
    else
        uc_k_fail(c, "it has no shape");
}

static void full_like(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref x = uc_k_first_operand(c), v = uc_k_operand(c, 1, "fill_value", NULL);
    uc_k_set(c, uc_g2(c->graph, "Expand", v ? v : uc_k_scalar(c, 0), uc_g1(c->graph, "Shape", x)));
}

/* tf.fill(dims, value) */
static void fill(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref dims = uc_k_arg_tensor(c, 0, "dims");
    const uc_json *json = uc_k_argument_json(c, 1, "value");
    uc_k_value v;
    if (json && json->kind == UC_JSON_FLOAT) c->dtype = UNCORK_FLOAT32;
    const uc_ref value =
        uc_k_tensor_of(c, json, &v) ? uc_k_plain(c, v) : uc_k_json_constant(c, json);
    if (!dims || !value)
        uc_k_fail(c, "it needs a shape and a value");
    else
        uc_k_set(c, uc_g2(c->graph, "Expand", value, uc_g_cast(c->graph, dims, UNCORK_INT64)));
}

static void shape_of(uc_k_call *c, const uc_k_operator_row *row)
{
    const uc_ref y = uc_g1(c->graph, row->op, uc_k_first_operand(c));
    const bool wide = uc_str_is(uc_k_arg_text(c, SIZE_MAX, "out_type", "int32"), "int64");
    uc_k_set(c, wide ? y : uc_g_cast(c->graph, y, UNCORK_INT32));
}

static void range(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_graph *g = c->graph;
    uc_ref from = uc_k_arg_tensor(c, 0, "start"), to = uc_k_arg_tensor(c, 1, "limit"),
           by = uc_k_arg_tensor(c, 2, "delta");
    if (!to) {
        to = from;
        from = uc_k_scalar(c, 0);
    }
    if (!by) by = uc_k_scalar(c, 1);
    if (!to)
        uc_k_fail(c, "it has no limit");
    else
        uc_k_set(c, uc_g3(g, "Range", from, to, by));
}

/* Differences of neighbours, n times. */
static void diff(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_ref x = uc_k_first_operand(c);
    const int axis = uc_k_arg_axis(c, 2, x, -1);
    const int64_t n = uc_k_arg_int(c, 1, "n", 1);
    if (axis < 0 || n < 0 || n > 64) {
        uc_k_fail(c, "its axis can't be read");
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        x = uc_g2(c->graph, "Sub", uc_g_slice(c->graph, x, axis, 1, INT64_MAX),
                  uc_g_slice(c->graph, x, axis, 0, -1));
    }
    uc_k_set(c, x);
}

static void triangle(uc_k_call *c, const uc_k_operator_row *row)
{
    const uc_ref in[] = {uc_k_first_operand(c), uc_graph_i64(c->graph, uc_k_arg_int(c, 1, "k", 0))};
    uc_node *n = uc_graph_node(c->graph, "Trilu", in, 2, 1);
    uc_node_int(c->graph, n, "upper", row->op[0] == 'u');
    uc_k_set(c, uc_node_out(n, 0));
}

/* The two axes last, then their diagonal; op "+": its sum. */
static void diagonal(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t perm[UNCORK_MAX_RANK];
    uc_graph *g = c->graph;
    uc_ref x = uc_k_first_operand(c);
    const int rank = uc_k_rank(c, x);
    const bool old = row->op[0] == 't';
    const int a = uc_k_axis(uc_k_arg_int(c, 2, "axis1", old ? -2 : 0), rank),
              b = uc_k_axis(uc_k_arg_int(c, 3, "axis2", old ? -1 : 1), rank);
    const int64_t k = uc_k_arg_int(c, 1, old ? "k" : "offset", 0);
    if (a < 0 || b < 0 || a == b) {
        uc_k_fail(c, "its axes can't be read");
        return;
    }
    int at = 0;
    for (int i = 0; i < rank; i++) {
        if (i != a && i != b) perm[at++] = i;
    }
    perm[at++] = a;
    perm[at] = b;
    x = uc_k_transpose(g, x, perm, (size_t)rank);
    if (k > 0) x = uc_g_slice(g, x, rank - 1, k, INT64_MAX);
    if (k < 0) x = uc_g_slice(g, x, rank - 2, -k, INT64_MAX);
    x = uc_g1(g, "uncork.TfMatrixDiagPart", x);
    uc_k_set(c, strchr(row->op, '+') ? uc_g_reduce(g, "ReduceSum", x, -1, false) : x);
}

static void meshgrid(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_graph *g = c->graph;
    const size_t n = c->in_count;
    const bool xy = uc_str_is(uc_k_arg_text(c, SIZE_MAX, "indexing", "xy"), "xy");
    uc_ref sizes[UNCORK_MAX_RANK];
    if (n < 1 || n > UNCORK_MAX_RANK) {
        uc_k_fail(c, "a grid of %zu axes", n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t at = xy && n > 1 && i < 2 ? 1 - i : i;
        sizes[at] = uc_g1(g, "Shape", uc_k_plain(c, c->in[i]));
    }
    const uc_ref shape = uc_g_concat(g, sizes, n, 0);
    for (size_t i = 0; i < n; i++) {
        int64_t own[UNCORK_MAX_RANK];
        const size_t at = xy && n > 1 && i < 2 ? 1 - i : i;
        for (size_t k = 0; k < n; k++) {
            own[k] = k == at ? -1 : 1;
        }
        const uc_ref row_i = uc_g_reshape(g, uc_k_plain(c, c->in[i]), own, (int)n);
        uc_k_give(c, uc_g2(g, "Expand", row_i, shape));
    }
}

/* The first choice whose condition holds. */
static void select(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_graph *g = c->graph;
    const size_t n = c->in_count / 2;
    uc_ref y = uc_k_arg_tensor(c, 2, "default");
    if (c->in_count % 2 || n == 0) {
        uc_k_fail(c, "it needs as many conditions as choices");
        return;
    }
    if (n) c->dtype = uc_k_dtype(c, c->in[n].ref);
    y = uc_k_operand(c, 2, "default", NULL);
    if (!y || !uc_k_argument_json(c, 2, "default")) y = uc_k_scalar(c, 0);
    for (size_t i = n; i-- > 0;) {
        const uc_ref when = uc_g_cast(g, uc_k_plain(c, c->in[i]), UNCORK_BOOL);
        y = uc_g_where(g, when, uc_k_plain(c, c->in[n + i]), y);
    }
    uc_k_set(c, y);
}

static void multi_hot(uc_k_call *c, const uc_k_operator_row *row)
{
    static const int64_t two = 2;
    const double values[] = {0, 1};
    (void)row;
    uc_graph *g = c->graph;
    uc_ref x = uc_g_cast(g, uc_k_first_operand(c), UNCORK_INT64);
    int64_t depth = uc_k_arg_int(c, 1, "num_classes", 0);
    if (!depth) depth = uc_k_arg_int(c, SIZE_MAX, "num_tokens", 0);
    if (depth < 1) {
        uc_k_fail(c, "it has no number of classes");
        return;
    }
    c->dtype = uc_k_dtype_named(uc_k_arg_text(c, SIZE_MAX, "dtype", "float32"), UNCORK_FLOAT32);
    const uc_ref in[] = {x, uc_graph_i64(g, depth), uc_k_constant(c, values, 1, &two)};
    uc_node *n = uc_graph_node(g, "OneHot", in, 3, 1);
    uc_node_int(g, n, "axis", -1);
    const int rank = uc_k_rank(c, x);
    uc_k_set(c, uc_g_reduce(g, "ReduceMax", uc_node_out(n, 0), rank > 1 ? rank - 1 : 0, false));
}

static void sequence_mask(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_graph *g = c->graph;
    const int64_t most = uc_k_arg_int(c, 1, "maxlen", 0);
    const uc_ref x = uc_g_cast(g, uc_k_first_operand(c), UNCORK_INT64);
    if (most < 1 || most > 65536) {
        uc_k_fail(c, "it has no maxlen");
        return;
    }
    int64_t *count = UC_NEW(g->arena, int64_t, (size_t)most);
    for (int64_t i = 0; count && i < most; i++) {
        count[i] = i;
    }
    if (count)
        uc_k_set(c, uc_g2(g, "Less", uc_graph_i64s(g, count, most), uc_g_unsqueeze(g, x, -1)));
}

/* Windows of a length every few steps of the last axis: [..., windows, length]. */
static void frames(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_first_operand(c);
    const bool old = row->op[0] == 't';
    const int64_t length = uc_k_arg_int(c, 1, old ? "frame_length" : "sequence_length", 0),
                  step = uc_k_arg_int(c, 2, old ? "frame_step" : "sequence_stride", 0),
                  n = uc_k_dim(c, x, -1);
    const int axis = uc_k_rank(c, x) - 1;
    if (length < 1 || step < 1 || n < length || axis < 0 ||
        uc_k_arg_bool(c, SIZE_MAX, "pad_end", false)) {
        uc_k_fail(c, "it needs a last axis of a known size");
        return;
    }
    const int64_t count = (n - length) / step + 1, shape[] = {count, length};
    int64_t *at =
        count < (1 << 20) / length + 1 ? UC_NEW(g->arena, int64_t, (size_t)(count * length)) : NULL;
    for (int64_t i = 0; at && i < count * length; i++) {
        at[i] = i / length * step + i % length;
    }
    if (!at) {
        uc_k_fail(c, "%" PRId64 " windows", count);
        return;
    }
    const uc_ref places = uc_g_reshape(g, uc_graph_i64s(g, at, count * length), shape, 2);
    uc_k_set(c, uc_g_gather(g, x, places, axis));
}

/* clang-format off */
const uc_k_operator_row uc_k_index_rows[] = {
    {"GetItem", "", get_item}, {"__operators__.getitem", "", get_item}, {"Slice", "", slice}, {"slice", "", slice}, {"strided_slice", "", strided},
    {"ScatterUpdate", "", scatter}, {"Scatter", "add", scatter}, {"SliceUpdate", "", slice_update}, {"gather_nd", "", gather_nd}, {"TakeAlongAxis", "", take_along}, {"boolean_mask", "", boolean_mask},
    {"Ravel", "", ravel}, {"Moveaxis", "", move_axis}, {"Swapaxes", "s", move_axis}, {"Roll", "", roll}, {"roll", "", roll}, {"Rot90", "", rot90}, {"image.rot90", "p", rot90},
    {"Hstack", "1", join}, {"Vstack", "0", join}, {"Dstack", "2", join}, {"BroadcastTo", "", broadcast}, {"broadcast_to", "", broadcast}, {"FullLike", "", full_like}, {"fill", "", fill},
    {"shape", "Shape", shape_of}, {"shape_v2", "Shape", shape_of}, {"size", "Size", shape_of}, {"rank", "Rank", shape_of}, {"range", "", range}, {"Diff", "", diff}, {"Tril", "l", triangle}, {"Triu", "u", triangle},
    {"Diagonal", "", diagonal}, {"Trace", "+", diagonal}, {"linalg.diag_part", "t", diagonal}, {"linalg.trace", "t+", diagonal}, {"Meshgrid", "", meshgrid}, {"meshgrid", "", meshgrid}, {"Select", "", select},
    {"MultiHot", "", multi_hot}, {"sequence_mask", "", sequence_mask}, {"ExtractSequences", "", frames}, {"signal.frame", "t", frames},
    {NULL, NULL, NULL},
};
/* clang-format on */
