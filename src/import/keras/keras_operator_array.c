/* Operators that shape, join and pick, norms, and those of pictures. Sources: keras/src/ops, keras's legacy
 * backend, tensorflow/python/ops (array_ops, nn_impl, image_ops_impl). */
#include "import/keras/keras_operator.h"

#include <inttypes.h>
#include <math.h>

typedef uc_k_operator_row row_t;

static int64_t integer(uc_k_call *c, size_t position, const char *name, int64_t otherwise)
{
    const uc_json *json = uc_k_argument_json(c, position, name);
    int64_t v = otherwise;
    if (!json) json = uc_json_get(c->layer->config, name);
    if (json) (void)uc_k_ints(json, &v, 1);
    return v;
}

static size_t integers(uc_k_call *c, size_t position, const char *a, const char *b, int64_t *out,
                       size_t most)
{
    const uc_json *json = uc_k_argument_json(c, position, a);
    if (!json && b) json = uc_k_argument_json(c, SIZE_MAX, b);
    if (!json) json = uc_json_get(c->layer->config, a);
    return uc_k_list(json, out, most);
}

static void stack(uc_k_call *c, const row_t *row)
{
    (void)row;
    const int64_t axis = integer(c, 1, "axis", 0);
    uc_ref *parts = UC_NEW(c->graph->arena, uc_ref, c->in_count);
    for (size_t i = 0; parts && i < c->in_count; i++) {
        parts[i] = uc_g_unsqueeze(c->graph, uc_k_plain(c, c->in[i]), axis);
    }
    if (parts) uc_k_set(c, uc_g_concat(c->graph, parts, c->in_count, axis));
}

static void tile(uc_k_call *c, const row_t *row)
{
    (void)row;
    int64_t times[UNCORK_MAX_RANK];
    const size_t n = integers(c, 1, "repeats", "multiples", times, UNCORK_MAX_RANK);
    const uc_ref x = uc_k_first_operand(c);
    if (n == 0 || uc_k_rank(c, x) != (int)n) {
        uc_k_fail(c, "it repeats %zu of %d axes", n, uc_k_rank(c, x));
        return;
    }
    uc_k_set(c, uc_g2(c->graph, "Tile", x, uc_graph_i64s(c->graph, times, (int64_t)n)));
}

/* Each element `times` times behind itself. */
static void repeat(uc_k_call *c, const row_t *row)
{
    (void)row;
    const int64_t times = integer(c, 1, "repeats", 0);
    const uc_ref x = uc_k_first_operand(c);
    const int rank = uc_k_rank(c, x), axis = uc_k_axis(integer(c, 2, "axis", INT64_MIN), rank);
    const int64_t n = axis < 0 ? -1 : uc_k_dim(c, x, axis);
    if (times < 1 || n < 1 || n > 65536 || times > 65536 / n) {
        uc_k_fail(c, "it repeats an axis that isn't known %" PRId64 " times", times);
        return;
    }
    int64_t *at = UC_NEW(c->graph->arena, int64_t, (size_t)(n * times));
    if (!at) return;
    for (int64_t i = 0; i < n * times; i++) {
        at[i] = i / times;
    }
    uc_k_set(c, uc_g_gather(c->graph, x, uc_graph_i64s(c->graph, at, n * times), axis));
}

static void flip(uc_k_call *c, const row_t *row)
{
    (void)row;
    int64_t axes[UNCORK_MAX_RANK];
    uc_ref x = uc_k_first_operand(c);
    const size_t n = integers(c, 1, "axis", "axes", axes, UNCORK_MAX_RANK);
    if (n) x = uc_g_reverse(c->graph, x, axes, n);
    if (n == 0)
        uc_k_fail(c, "it has no axis");
    else
        uc_k_set(c, x);
}

static void take(uc_k_call *c, const row_t *row)
{
    (void)row;
    int64_t at[256];
    const uc_ref x = uc_k_first_operand(c);
    const int64_t axis = integer(c, 2, "axis", 0);
    const size_t n = integers(c, 1, "indices", NULL, at, 256);
    uc_k_value v;
    if (uc_k_argument(c, 1, "indices", &v)) {
        const uc_ref i = uc_g_cast(c->graph, uc_k_plain(c, v), UNCORK_INT64);
        uc_k_set(c, uc_g_gather(c->graph, x, i, axis));
        return;
    }
    const uc_json *json = uc_k_argument_json(c, 1, "indices");
    if (n == 0 || !json)
        uc_k_fail(c, "its indices aren't known");
    else
        uc_k_set(c, uc_g_gather(c->graph, x,
                                json->kind == UC_JSON_INT ? uc_graph_i64(c->graph, at[0])
                                                          : uc_graph_i64s(c->graph, at, (int64_t)n),
                                axis));
}

/* ---- norms ---- */

/* The axes of argument `position`; all where there are none. */
static size_t axes_of(uc_k_call *c, size_t position, uc_ref x, int64_t otherwise, int64_t *axes)
{
    size_t n = integers(c, position, "axis", "axes", axes, UNCORK_MAX_RANK);
    const int rank = uc_k_rank(c, x);
    if (n || rank < 1) return n;
    if (otherwise != INT64_MIN) {
        axes[0] = otherwise;
        return 1;
    }
    for (int i = 0; i < rank; i++) {
        axes[i] = i;
    }
    return (size_t)rank;
}

static double number(uc_k_call *c, size_t position, const char *name, double otherwise)
{
    const uc_json *json = uc_k_argument_json(c, position, name);
    return json && (json->kind == UC_JSON_INT || json->kind == UC_JSON_FLOAT) ? json->number
                                                                              : otherwise;
}

/* tf.math.l2_normalize: x * rsqrt(max(sum(x^2), epsilon)). */
static void l2_normalize(uc_k_call *c, const row_t *row)
{
    (void)row;
    uc_graph *g = c->graph;
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_k_first_operand(c);
    const size_t n = axes_of(c, 1, x, INT64_MIN, axes);
    const uc_ref sum = uc_k_axes(c, "ReduceSum", uc_g2(g, "Mul", x, x), axes, n, true),
                 least = uc_k_scalar(c, number(c, 2, "epsilon", 1e-12)),
                 root = uc_g1(g, "Sqrt", uc_g2(g, "Max", sum, least));
    uc_k_set(c, uc_g2(g, "Mul", x, uc_g1(g, "Reciprocal", root)));
}

/* keras.ops.normalize of order 2: x / max(norm, epsilon). */
static void normalize(uc_k_call *c, const row_t *row)
{
    (void)row;
    uc_graph *g = c->graph;
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_k_first_operand(c);
    const size_t n = axes_of(c, 1, x, -1, axes);
    if (integer(c, 2, "order", 2) != 2) {
        uc_k_fail(c, "a norm of another order than 2");
        return;
    }
    const uc_ref norm = uc_k_axes(c, "ReduceL2", x, axes, n, true);
    uc_k_set(c, uc_g2(g, "Div", x,
                      uc_g2(g, "Max", norm, uc_k_scalar(c, number(c, 3, "epsilon", 1e-7)))));
}

static void norm(uc_k_call *c, const row_t *row)
{
    (void)row;
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_k_first_operand(c);
    const uc_str order = uc_json_str(uc_k_argument_json(c, 1, "ord"), "euclidean");
    const size_t n = axes_of(c, 2, x, INT64_MIN, axes);
    const bool keep = uc_json_bool(uc_k_argument_json(c, 3, "keepdims"), false);
    if (!uc_str_is(order, "euclidean"))
        uc_k_fail(c, "another norm than the Euclidean");
    else
        uc_k_set(c, uc_k_axes(c, "ReduceL2", x, axes, n, keep));
}

/* The mean of squares less the mean; its root where op says so. */
static void variance(uc_k_call *c, const row_t *row)
{
    uc_graph *g = c->graph;
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_k_first_operand(c);
    const size_t n = axes_of(c, 1, x, INT64_MIN, axes);
    const bool keep = uc_json_bool(uc_k_argument_json(c, 2, "keepdims"), false);
    const uc_ref off = uc_g2(g, "Sub", x, uc_k_axes(c, "ReduceMean", x, axes, n, true)),
                 v = uc_k_axes(c, "ReduceMean", uc_g2(g, "Mul", off, off), axes, n, keep);
    uc_k_set(c, row->op[0] ? uc_g1(g, row->op, v) : v);
}

/* ---- filling, choosing ---- */

static void like(uc_k_call *c, const row_t *row)
{
    const uc_ref x = uc_k_first_operand(c), shape = uc_g1(c->graph, "Shape", x);
    uc_k_set(c, uc_g2(c->graph, "Expand", uc_k_scalar(c, row->op[0] == '1'), shape));
}

static void where(uc_k_call *c, const row_t *row)
{
    (void)row;
    uc_k_value v;
    const uc_ref a = uc_k_operand(c, 1, "x1", "x"), b = uc_k_operand(c, 2, "x2", "y");
    if (!uc_k_argument(c, 0, "condition", &v) || !a || !b)
        uc_k_fail(c, "it needs a condition and two values");
    else
        uc_k_set(c, uc_g_where(c->graph, uc_g_cast(c->graph, uc_k_plain(c, v), UNCORK_BOOL), a, b));
}

static void one_hot(uc_k_call *c, const row_t *row)
{
    (void)row;
    const double values[] = {0, 1};
    const int64_t two = 2;
    int64_t depth = integer(c, 1, "num_classes", 0);
    if (!depth) depth = integer(c, SIZE_MAX, "depth", 0);
    if (depth < 1) {
        uc_k_fail(c, "it has no number of classes");
        return;
    }
    c->dtype = UNCORK_FLOAT32;
    const uc_ref in[] = {uc_g_cast(c->graph, uc_k_first_operand(c), UNCORK_INT64),
                         uc_graph_i64(c->graph, depth), uc_k_constant(c, values, 1, &two)};
    uc_node *n = uc_graph_node(c->graph, "OneHot", in, 3, 1);
    uc_node_int(c->graph, n, "axis", -1);
    uc_k_set(c, uc_node_out(n, 0));
}

static void part(uc_k_call *c, uc_ref x, int64_t axis, int64_t begin, int64_t end)
{
    if (c->out_count >= UC_K_OUTPUTS) {
        uc_k_fail(c, "it has more than %d outputs", UC_K_OUTPUTS);
        return;
    }
    c->out[c->out_count++] = (uc_k_value){.ref = uc_g_slice(c->graph, x, axis, begin, end)};
}

/* Into as many parts, or parts of these sizes (op "at": from these places on, as NumPy counts). */
static void split(uc_k_call *c, const row_t *row)
{
    int64_t sizes[UC_K_OUTPUTS], at = 0;
    const bool places = row->op[0] == 'a';
    const uc_ref x = uc_k_first_operand(c);
    const size_t n = integers(c, 1, places ? "indices_or_sections" : "num_or_size_splits", NULL,
                              sizes, UC_K_OUTPUTS);
    const int axis = uc_k_axis(integer(c, 2, "axis", 0), uc_k_rank(c, x));
    const int64_t whole = axis < 0 ? -1 : uc_k_dim(c, x, axis);
    const uc_json *json =
        uc_k_argument_json(c, 1, places ? "indices_or_sections" : "num_or_size_splits");
    if (!json) json = uc_json_get(c->layer->config, "indices_or_sections");
    if (n == 0 || whole < 1 || !json) {
        uc_k_fail(c, "it splits an axis that isn't known");
        return;
    }
    if (json->kind == UC_JSON_INT) {
        if (sizes[0] < 1 || whole % sizes[0] || sizes[0] > UC_K_OUTPUTS) {
            uc_k_fail(c, "%" PRId64 " don't split into %" PRId64, whole, sizes[0]);
            return;
        }
        const int64_t each = whole / sizes[0];
        for (; at < whole; at += each) {
            part(c, x, axis, at, at + each);
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const int64_t end = places ? sizes[i] : at + sizes[i];
        part(c, x, axis, at, end);
        at = end;
    }
    if (places) part(c, x, axis, at, INT64_MAX);
}

static void unstack(uc_k_call *c, const row_t *row)
{
    (void)row;
    const uc_ref x = uc_k_first_operand(c);
    const int axis = uc_k_axis(integer(c, SIZE_MAX, "axis", 0), uc_k_rank(c, x));
    const int64_t n = axis < 0 ? -1 : uc_k_dim(c, x, axis);
    if (n < 1 || n > UC_K_OUTPUTS) {
        uc_k_fail(c, "it takes apart an axis of %" PRId64, n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        c->out[c->out_count++] =
            (uc_k_value){.ref = uc_g_gather(c->graph, x, uc_graph_i64(c->graph, i), axis)};
    }
}

static void pad(uc_k_call *c, const row_t *row)
{
    int64_t pads[2 * UNCORK_MAX_RANK] = {0};
    const uc_ref x = uc_k_first_operand(c);
    const uc_json *json = uc_k_argument_json(c, 1, row->op[0] ? "padding" : "paddings");
    if (!json) json = uc_k_argument_json(c, SIZE_MAX, "pad_width");
    const int rank = uc_k_rank(c, x), skip = row->op[0] ? 1 : 0;
    const size_t n = uc_json_count(json);
    const uc_str how = uc_json_str(uc_k_argument_json(c, 2, "mode"), "constant");
    static const char *const modes[][2] = {{"constant", "constant"},
                                           {"CONSTANT", "constant"},
                                           {"REFLECT", "reflect"},
                                           {"reflect", "reflect"},
                                           {"symmetric", NULL}};
    const char *mode = NULL;
    for (size_t i = 0; i < 4; i++) {
        if (uc_str_is(how, modes[i][0])) mode = modes[i][1];
    }
    if (row->op[0]) mode = "constant";
    bool ok = rank > 0 && mode && n && (int)n + 2 * skip == rank;
    for (size_t i = 0; i < n && ok; i++) {
        int64_t two[2];
        ok = uc_k_ints(uc_json_at(json, i), two, 2);
        pads[i + (size_t)skip] = two[0];
        pads[(size_t)rank + i + (size_t)skip] = two[1];
    }
    if (!ok) {
        uc_k_fail(c, "its padding can't be read");
        return;
    }
    const uc_ref in[] = {x, uc_graph_i64s(c->graph, pads, 2 * rank),
                         uc_k_scalar(c, number(c, SIZE_MAX, "constant_values", 0))};
    uc_node *node = uc_graph_node(c->graph, "Pad", in, 3, 1);
    uc_node_str(c->graph, node, "mode", mode);
    uc_k_set(c, uc_node_out(node, 0));
}

static void flatten(uc_k_call *c, const row_t *row)
{
    static const int64_t shape[] = {0, -1};
    (void)row;
    uc_k_set(c, uc_g_reshape(c->graph, uc_k_first_operand(c), shape, 2));
}

static void same(uc_k_call *c, const row_t *row)
{
    (void)row;
    c->out[0] = c->in[0];
    c->out_count = 1;
}

static void sum_all(uc_k_call *c, const row_t *row)
{
    (void)row;
    uc_ref x = uc_k_plain(c, c->in[0]);
    for (size_t i = 1; i < c->in_count; i++) {
        x = uc_g2(c->graph, "Add", x, uc_k_plain(c, c->in[i]));
    }
    uc_k_set(c, x);
}

static void leaky(uc_k_call *c, const row_t *row)
{
    double slope = number(c, 1, "alpha", 0.2);
    (void)row;
    slope = number(c, SIZE_MAX, "negative_slope", slope);
    const uc_json *own = uc_json_get(c->layer->config, "negative_slope");
    if (own) slope = uc_json_f64(own, slope);
    const uc_ref x = uc_k_first_operand(c);
    uc_node *n = uc_graph_node(c->graph, "LeakyRelu", &x, 1, 1);
    uc_node_float(c->graph, n, "alpha", slope);
    uc_k_set(c, uc_node_out(n, 0));
}

/* Two operators over one or two operands: op is "outer inner". */
static void nested(uc_k_call *c, const row_t *row)
{
    const char *space = strchr(row->op, ' ');
    char outer[32] = {0};
    memcpy(outer, row->op, (size_t)(space - row->op));
    uc_ref x = uc_k_first_operand(c);
    const uc_ref y = uc_k_operand(c, 1, "y", "x2");
    uc_graph *g = c->graph;
    if (strcmp(row->op, "Log 1+") == 0) {
        x = uc_g2(g, "Add", x, uc_k_scalar(c, 1));
    } else if (strcmp(row->op, "-1 Exp") == 0) {
        uc_k_set(c, uc_g2(g, "Sub", uc_g1(g, "Exp", x), uc_k_scalar(c, 1)));
        return;
    } else if (!y) {
        uc_k_fail(c, "it needs two operands");
        return;
    } else {
        x = uc_g2(g, space + 1, x, y);
    }
    uc_k_set(c, strcmp(outer, "Square") == 0 ? uc_g2(g, "Mul", x, x) : uc_g1(g, outer, x));
}

/* ---- pictures ---- */

static uc_ref first_of(uc_k_call *c)
{
    static const int64_t perm[] = {0, 3, 1, 2};
    const uc_ref x = uc_k_first_operand(c);
    if (uc_k_rank(c, x) != 4) return uc_k_fail(c, "its input is no batch of pictures");
    return uc_k_transpose(c->graph, x, perm, 4);
}

static void resized(uc_k_call *c, uc_ref x, const char *how, int64_t height, int64_t width)
{
    c->dtype = UNCORK_FLOAT32;
    if (!x) return;
    if (uc_k_dtype(c, x) != UNCORK_FLOAT32 && strcmp(how, "nearest") != 0)
        x = uc_g_cast(c->graph, x, UNCORK_FLOAT32);
    uc_k_set_as(c, uc_k_resize(c, x, uc_str_of(how), height, width), true);
}

static const char *method_of(uc_k_call *c, size_t position)
{
    static const char *const names[] = {"bilinear", "nearest",  "bicubic",  "area",
                                        "lanczos3", "lanczos5", "gaussian", "mitchellcubic"};
    const uc_json *json = uc_k_argument_json(c, position, "method");
    if (!json) json = uc_k_argument_json(c, SIZE_MAX, "interpolation");
    if (!json) json = uc_json_get(c->layer->config, "interpolation");
    if (json && json->kind == UC_JSON_INT && json->integer >= 0 && json->integer < 3)
        return names[json->integer];
    const uc_str s = uc_json_str(json, "bilinear");
    for (size_t i = 0; i < 8; i++) {
        if (uc_str_is(s, names[i])) return names[i];
    }
    return "?";
}

static void resize(uc_k_call *c, const row_t *row)
{
    int64_t size[2];
    (void)row;
    if (integers(c, 1, "size", NULL, size, 2) != 2) {
        uc_k_fail(c, "its size isn't known");
        return;
    }
    if (uc_json_bool(uc_k_argument_json(c, SIZE_MAX, "antialias"), false)) {
        uc_k_fail(c, "antialias");
        return;
    }
    resized(c, first_of(c), method_of(c, 2), size[0], size[1]);
}

/* K.resize_images(x, height_factor, width_factor, data_format, interpolation="nearest") */
static void resize_images(uc_k_call *c, const row_t *row)
{
    (void)row;
    const int64_t by_height = integer(c, 1, "height_factor", 0),
                  by_width = integer(c, 2, "width_factor", 0);
    const uc_ref x = first_of(c);
    if (!x) return;
    const int64_t h = uc_k_dim(c, x, 2), w = uc_k_dim(c, x, 3);
    const uc_str how = uc_json_str(uc_k_argument_json(c, 4, "interpolation"), "nearest");
    if (by_height < 1 || by_width < 1 || h < 1 || w < 1) {
        uc_k_fail(c, "it needs pictures of a known size and whole factors");
        return;
    }
    resized(c, x, uc_str_is(how, "nearest") ? "nearest" : "bilinear", h * by_height, w * by_width);
}

/* TensorFlow 1: sampled from the corner, or corner to corner. */
static void resize_v1(uc_k_call *c, const row_t *row)
{
    int64_t size[2];
    const uc_ref x = first_of(c);
    const bool corners = uc_json_bool(uc_k_argument_json(c, 2, "align_corners"), false);
    if (!x || integers(c, 1, "size", NULL, size, 2) != 2) {
        uc_k_fail(c, "its size isn't known");
        return;
    }
    uc_graph *g = c->graph;
    const uc_ref parts[] = {uc_g_slice(g, uc_g1(g, "Shape", x), 0, 0, 2),
                            uc_graph_i64s(g, size, 2)};
    const uc_ref in[] = {x, 0, 0, uc_g_concat(g, parts, 2, 0)};
    uc_node *n = uc_graph_node(g, "Resize", in, 4, 1);
    uc_node_str(g, n, "mode", row->op);
    uc_node_str(g, n, "coordinate_transformation_mode", corners ? "align_corners" : "asymmetric");
    if (strcmp(row->op, "nearest") == 0)
        uc_node_str(g, n, "nearest_mode", corners ? "round_prefer_ceil" : "floor");
    uc_k_set_as(c, uc_node_out(n, 0), true);
}

static void blocks(uc_k_call *c, const row_t *row)
{
    const uc_ref x = first_of(c);
    int64_t by = integer(c, 1, "block_size", 0);
    if (!x) return;
    if (by < 1) {
        uc_k_fail(c, "it has no block size");
        return;
    }
    if (row->op[0] == 'D') {
        uc_node *n = uc_graph_node(c->graph, "DepthToSpace", &x, 1, 1);
        uc_node_int(c->graph, n, "blocksize", by);
        uc_node_str(c->graph, n, "mode", "DCR");
        uc_k_set_as(c, uc_node_out(n, 0), true);
        return;
    }
    uc_node *n = uc_graph_node(c->graph, "SpaceToDepth", &x, 1, 1);
    uc_node_int(c->graph, n, "blocksize", by);
    uc_k_set_as(c, uc_node_out(n, 0), true);
}

static void grayscale(uc_k_call *c, const row_t *row)
{
    static const double weights[] = {0.2989, 0.5870, 0.1140};
    static const int64_t shape[] = {3, 1};
    (void)row;
    c->dtype = UNCORK_FLOAT32;
    uc_k_set(c,
             uc_g2(c->graph, "MatMul", uc_k_first_operand(c), uc_k_constant(c, weights, 2, shape)));
}

static void standardization(uc_k_call *c, const row_t *row)
{
    static const int64_t axes[] = {-1, -2, -3};
    uc_graph *g = c->graph;
    (void)row;
    const uc_ref x = uc_g_cast(g, uc_k_first_operand(c), UNCORK_FLOAT32);
    const int64_t n = uc_k_dim(c, x, -1) * uc_k_dim(c, x, -2) * uc_k_dim(c, x, -3);
    c->dtype = UNCORK_FLOAT32;
    if (n < 1) {
        uc_k_fail(c, "it needs pictures of a known size");
        return;
    }
    const uc_ref off = uc_g2(g, "Sub", x, uc_k_axes(c, "ReduceMean", x, axes, 3, true)),
                 v = uc_k_axes(c, "ReduceMean", uc_g2(g, "Mul", off, off), axes, 3, true);
    const uc_ref least = uc_k_scalar(c, 1 / sqrt((double)n));
    uc_k_set(c, uc_g2(g, "Div", off, uc_g2(g, "Max", uc_g1(g, "Sqrt", v), least)));
}

/* clang-format off */
static const row_t rows[] = {
    {"Stack", "", stack}, {"stack", "", stack},
    {"Tile", "", tile}, {"tile", "", tile}, {"Repeat", "", repeat}, {"repeat", "", repeat},
    {"Flip", "", flip}, {"reverse", "", flip}, {"Take", "", take}, {"gather", "", take},
    {"math.l2_normalize", "", l2_normalize}, {"linalg.l2_normalize", "", l2_normalize}, {"nn.l2_normalize", "", l2_normalize},
    {"Normalize", "", normalize}, {"norm", "", norm}, {"linalg.norm", "", norm},
    {"Var", "", variance}, {"math.reduce_variance", "", variance},
    {"Std", "Sqrt", variance}, {"math.reduce_std", "Sqrt", variance},
    {"ZerosLike", "0", like}, {"zeros_like", "0", like}, {"OnesLike", "1", like}, {"ones_like", "1", like},
    {"Where", "", where}, {"where", "", where}, {"OneHot", "", one_hot}, {"one_hot", "", one_hot},
    {"Split", "at", split}, {"split", "", split}, {"unstack", "", unstack}, {"Unstack", "", unstack},
    {"Pad", "", pad}, {"pad", "", pad}, {"spatial_2d_padding", "2", pad},
    {"flatten", "", flatten}, {"batch_flatten", "", flatten},
    {"identity", "", same}, {"stop_gradient", "", same}, {"StopGradient", "", same},
    {"math.add_n", "", sum_all}, {"nn.leaky_relu", "", leaky}, {"LeakyRelu", "", leaky},
    {"math.log1p", "Log 1+", nested}, {"Log1p", "Log 1+", nested}, {"math.expm1", "-1 Exp", nested}, {"Expm1", "-1 Exp", nested},
    {"math.squared_difference", "Square Sub", nested}, {"FloorDivide", "Floor Div", nested},
    {"math.floordiv", "Floor Div", nested}, {"__operators__.floordiv", "Floor Div", nested},
    {"image.resize", "", resize}, {"Resize", "", resize}, {"resize_images", "", resize_images},
    {"image.resize_bilinear", "linear", resize_v1}, {"image.resize_nearest_neighbor", "nearest", resize_v1},
    {"nn.depth_to_space", "D", blocks}, {"nn.space_to_depth", "S", blocks},
    {"image.rgb_to_grayscale", "", grayscale}, {"image.per_image_standardization", "", standardization},
};
/* clang-format on */

const uc_k_operator_row *uc_k_array_operator(uc_str name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (uc_str_is(name, rows[i].name)) return &rows[i];
    }
    return NULL;
}
