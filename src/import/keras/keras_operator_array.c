/* Operators that shape, join and pick, norms, and those of pictures. Sources: keras/src/ops, keras's legacy
 * backend, tensorflow/python/ops (array_ops, nn_impl, image_ops_impl). */
#include "import/keras/keras_operator.h"

#include <inttypes.h>
#include <math.h>

typedef uc_k_operator_row row_t;

static void stack(uc_k_call *c, const row_t *row)
{
    (void)row;
    const int64_t axis = uc_k_arg_int(c, 1, "axis", 0);
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
    const size_t n = uc_k_arg_ints(c, 1, "repeats", "multiples", times, UNCORK_MAX_RANK);
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
    const int64_t times = uc_k_arg_int(c, 1, "repeats", 0);
    const uc_ref x = uc_k_first_operand(c);
    const int rank = uc_k_rank(c, x), axis = uc_k_axis(uc_k_arg_int(c, 2, "axis", INT64_MIN), rank);
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
    const size_t n = uc_k_arg_ints(c, 1, "axis", "axes", axes, UNCORK_MAX_RANK);
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
    const int64_t axis = uc_k_arg_int(c, 2, "axis", 0);
    const size_t n = uc_k_arg_ints(c, 1, "indices", NULL, at, 256);
    uc_k_value v;
    const int64_t batch = uc_k_arg_int(c, SIZE_MAX, "batch_dims", 0);
    if (batch > 0 && uc_k_argument(c, 1, "indices", &v)) {
        const uc_ref in[] = {
            x, uc_g_unsqueeze(c->graph, uc_g_cast(c->graph, uc_k_plain(c, v), UNCORK_INT64), -1)};
        uc_node *node = uc_graph_node(c->graph, "GatherND", in, 2, 1);
        uc_node_int(c->graph, node, "batch_dims", batch);
        if (axis != batch)
            uc_k_fail(c, "it gathers along axis %" PRId64 " in batches of %" PRId64, axis, batch);
        else
            uc_k_set(c, uc_node_out(node, 0));
        return;
    }
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

/* tf.math.l2_normalize: x * rsqrt(max(sum(x^2), epsilon)). */
static void l2_normalize(uc_k_call *c, const row_t *row)
{
    (void)row;
    uc_graph *g = c->graph;
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_k_first_operand(c);
    const size_t n = uc_k_arg_axes(c, 1, x, INT64_MIN, axes);
    const uc_ref sum = uc_k_axes(c, "ReduceSum", uc_g2(g, "Mul", x, x), axes, n, true),
                 least = uc_k_scalar(c, uc_k_arg_number(c, 2, "epsilon", 1e-12)),
                 root = uc_g1(g, "Sqrt", uc_g2(g, "Max", sum, least));
    uc_k_set(c, uc_g2(g, "Mul", x, uc_g1(g, "Reciprocal", root)));
}

/* The mean of squares less the mean; its root where op says so. */
static void variance(uc_k_call *c, const row_t *row)
{
    uc_graph *g = c->graph;
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_k_first_operand(c);
    const size_t n = uc_k_arg_axes(c, 1, x, INT64_MIN, axes);
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
    int64_t depth = uc_k_arg_int(c, 1, "num_classes", 0);
    if (!depth) depth = uc_k_arg_int(c, SIZE_MAX, "depth", 0);
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
    const size_t n = uc_k_arg_ints(c, 1, places ? "indices_or_sections" : "num_or_size_splits",
                                   NULL, sizes, UC_K_OUTPUTS);
    const int axis = uc_k_axis(uc_k_arg_int(c, 2, "axis", 0), uc_k_rank(c, x));
    const int64_t whole = axis < 0 ? -1 : uc_k_dim(c, x, axis);
    const uc_json *json =
        uc_k_argument_json(c, 1, places ? "indices_or_sections" : "num_or_size_splits");
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
    const int axis = uc_k_axis(uc_k_arg_int(c, SIZE_MAX, "axis", 0), uc_k_rank(c, x));
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

/* The picture mirrored at its sides, which come twice. */
static void pad_symmetric(uc_k_call *c, uc_ref x, const uc_json *json, int rank)
{
    for (int axis = 0; axis < rank; axis++) {
        int64_t two[2] = {0, 0}, n = uc_k_dim(c, x, axis);
        if (!uc_k_ints(uc_json_at(json, (size_t)axis), two, 2) || (!two[0] && !two[1])) continue;
        if (n < 1 || two[0] < 0 || two[1] < 0 || two[0] > n || two[1] > n) {
            uc_k_fail(c, "it pads %" PRId64 " by %" PRId64 " and %" PRId64, n, two[0], two[1]);
            return;
        }
        const int64_t all = two[0] + n + two[1];
        int64_t *at = UC_NEW(c->graph->arena, int64_t, (size_t)all);
        for (int64_t i = 0; at && i < all; i++) {
            const int64_t k = i - two[0];
            at[i] = k < 0 ? -k - 1 : k < n ? k : 2 * n - 1 - k;
        }
        if (at) x = uc_g_gather(c->graph, x, uc_graph_i64s(c->graph, at, all), axis);
    }
    uc_k_set(c, x);
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
    static const char *const modes[][2] = {{"constant", "constant"}, {"CONSTANT", "constant"},
                                           {"REFLECT", "reflect"},   {"reflect", "reflect"},
                                           {"symmetric", NULL},      {"SYMMETRIC", NULL}};
    const char *mode = NULL;
    for (size_t i = 0; i < 6; i++) {
        if (uc_str_is(how, modes[i][0])) mode = modes[i][1];
    }
    if (row->op[0]) mode = "constant";
    if (uc_str_is(how, "symmetric") || uc_str_is(how, "SYMMETRIC")) {
        pad_symmetric(c, x, json, rank);
        return;
    }
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
                         uc_k_scalar(c, uc_k_arg_number(c, SIZE_MAX, "constant_values", 0))};
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
    double slope = uc_k_arg_number(c, 1, "alpha", 0.2);
    (void)row;
    slope = uc_k_arg_number(c, SIZE_MAX, "negative_slope", slope);
    const uc_ref x = uc_k_first_operand(c);
    uc_node *n = uc_graph_node(c->graph, "LeakyRelu", &x, 1, 1);
    uc_node_float(c->graph, n, "alpha", slope);
    uc_k_set(c, uc_node_out(n, 0));
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
    const uc_str name = uc_str_of(how);
    const bool smooth = uc_k_arg_bool(c, SIZE_MAX, "antialias", false);
    uc_k_set_as(c,
                smooth ? uc_k_resize_smooth(c, x, name, height, width)
                       : uc_k_resize(c, x, name, height, width),
                true);
}

static const char *method_of(uc_k_call *c, size_t position)
{
    static const char *const names[] = {"bilinear", "nearest",  "bicubic",  "area",
                                        "lanczos3", "lanczos5", "gaussian", "mitchellcubic"};
    const uc_json *json = uc_k_argument_json(c, position, "method");
    if (!json) json = uc_k_argument_json(c, SIZE_MAX, "interpolation");
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
    if (uc_k_arg_ints(c, 1, "size", NULL, size, 2) != 2) {
        uc_k_fail(c, "its size isn't known");
        return;
    }
    resized(c, first_of(c), method_of(c, 2), size[0], size[1]);
}

/* K.resize_images(x, height_factor, width_factor, data_format, interpolation="nearest") */
static void resize_images(uc_k_call *c, const row_t *row)
{
    (void)row;
    const int64_t by_height = uc_k_arg_int(c, 1, "height_factor", 0),
                  by_width = uc_k_arg_int(c, 2, "width_factor", 0);
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
    if (!x || uc_k_arg_ints(c, 1, "size", NULL, size, 2) != 2) {
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
    int64_t by = uc_k_arg_int(c, 1, "block_size", 0);
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
const uc_k_operator_row uc_k_array_rows[] = {
    {"Stack", "", stack}, {"stack", "", stack},
    {"Tile", "", tile}, {"tile", "", tile}, {"Repeat", "", repeat}, {"repeat", "", repeat},
    {"Flip", "", flip}, {"reverse", "", flip}, {"Take", "", take}, {"gather", "", take},
    {"math.l2_normalize", "", l2_normalize}, {"linalg.l2_normalize", "", l2_normalize}, {"nn.l2_normalize", "", l2_normalize},
    {"Var", "", variance}, {"math.reduce_variance", "", variance},
    {"Std", "Sqrt", variance}, {"math.reduce_std", "Sqrt", variance},
    {"ZerosLike", "0", like}, {"zeros_like", "0", like}, {"OnesLike", "1", like}, {"ones_like", "1", like},
    {"Where", "", where}, {"where", "", where}, {"OneHot", "", one_hot}, {"one_hot", "", one_hot},
    {"Split", "at", split}, {"split", "", split}, {"unstack", "", unstack}, {"Unstack", "", unstack},
    {"Pad", "", pad}, {"pad", "", pad}, {"spatial_2d_padding", "2", pad},
    {"flatten", "", flatten}, {"batch_flatten", "", flatten},
    {"identity", "", same}, {"stop_gradient", "", same}, {"StopGradient", "", same},
    {"math.add_n", "", sum_all}, {"nn.leaky_relu", "", leaky}, {"LeakyRelu", "", leaky},
    {"image.resize", "", resize}, {"Resize", "", resize}, {"resize_images", "", resize_images},
    {"image.resize_bilinear", "linear", resize_v1}, {"image.resize_nearest_neighbor", "nearest", resize_v1},
    {"nn.depth_to_space", "D", blocks}, {"nn.space_to_depth", "S", blocks}, {"DepthToSpace", "D", blocks}, {"SpaceToDepth", "S", blocks},
    {"image.rgb_to_grayscale", "", grayscale}, {"RGBToGrayscale", "", grayscale}, {"image.per_image_standardization", "", standardization},
    {NULL, NULL, NULL},
};
/* clang-format on */
