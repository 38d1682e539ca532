/* Operators of networks: windows, norms, attention. Sources: keras/src/ops/nn.py,
 * keras/src/backend/tensorflow/nn.py; tensorflow/python/ops/nn_ops.py, nn_impl.py. */
#include "import/keras/keras_operator.h"

#include <inttypes.h>
#include <math.h>

/* ---- windows --------------------------------------------------------------------------------- */

static bool is_first(uc_k_call *c)
{
    const uc_str f = uc_k_arg_text(c, SIZE_MAX, "data_format", "");
    return uc_str_is(f, "channels_first") || uc_str_is(f, "NCHW") || uc_str_is(f, "NCW");
}

static uc_ref input(uc_k_call *c)
{
    const uc_k_value v = {.ref = uc_k_first_operand(c)};
    return is_first(c) ? v.ref : uc_k_first(c, v);
}

static void give(uc_k_call *c, uc_ref y) { uc_k_set_as(c, y, !is_first(c)); }

/* One number, one a spatial axis, or one an axis with those of batch and channels. */
static bool numbers(uc_k_call *c, const char *a, const char *b, int rank, int64_t *out)
{
    int64_t v[8];
    const size_t n = uc_k_arg_ints(c, SIZE_MAX, a, b, v, 8);
    if (n == 0) return false;
    for (int i = 0; i < rank; i++) {
        const size_t skip = n == (size_t)rank + 2 ? (is_first(c) ? 2 : 1) : 0;
        out[i] = n == 1 ? v[0] : v[(size_t)i + skip < n ? (size_t)i + skip : n - 1];
    }
    return true;
}

static bool read_window(uc_k_call *c, uc_ref x, uc_window *w)
{
    const uc_str padding = uc_k_arg_text(c, SIZE_MAX, "padding", "valid");
    for (int i = 0; i < w->rank; i++) {
        w->dilations[i] = 1;
    }
    if (!numbers(c, "strides", NULL, w->rank, w->strides))
        memcpy(w->strides, w->size, sizeof w->size);
    if (!numbers(c, "dilation_rate", "dilations", w->rank, w->dilations))
        (void)numbers(c, "rate", NULL, w->rank, w->dilations);
    return uc_k_window_pads(c, w, padding, x);
}

static void pool(uc_k_call *c, const uc_k_operator_row *row)
{
    const uc_ref x = input(c);
    uc_window w = {.rank = uc_k_rank(c, x) - 2};
    if (w.rank < 1 || w.rank > 3 || !numbers(c, "pool_size", "ksize", w.rank, w.size)) {
        uc_k_fail(c, "its window can't be read");
        return;
    }
    if (!read_window(c, x, &w)) return;
    uc_node *n = uc_graph_node(c->graph, row->op, &x, 1, 1);
    uc_window_put(c->graph, n, &w, false);
    give(c, uc_node_out(n, 0));
}

static void adaptive(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t size[3];
    const uc_ref x = input(c);
    const int rank = uc_k_rank(c, x) - 2;
    if (rank < 1 || rank > 3 || !numbers(c, "output_size", NULL, rank, size)) {
        uc_k_fail(c, "its size can't be read");
        return;
    }
    give(c, uc_k_adaptive_pool(c, x, row->op, size, (size_t)rank));
}

/* Kernels [window..., in, out] as they lie in ONNX; deep ones [window..., in, times]: op "d". */
static void conv(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_graph *g = c->graph;
    const bool deep = row->op[0] == 'd';
    const uc_ref x = input(c);
    uc_ref k = uc_k_arg_tensor(c, 1, "kernel");
    if (!k) k = uc_k_arg_tensor(c, 1, "filter");
    if (!k) k = uc_k_arg_tensor(c, 1, "filters");
    uc_window w = {.rank = uc_k_rank(c, x) - 2};
    bool known = k && w.rank > 0 && w.rank < 4 && uc_k_rank(c, k) == w.rank + 2;
    for (int i = 0; i < w.rank && known; i++) {
        w.size[i] = uc_k_dim(c, k, i);
        known = w.size[i] > 0;
        w.strides[i] = 1;
    }
    const int64_t in = uc_k_dim(c, x, 1), each = known ? uc_k_dim(c, k, w.rank) : -1,
                  times = known ? uc_k_dim(c, k, w.rank + 1) : -1;
    if (!known || in < 1 || each < 1 || times < 1 || (!deep && in % each)) {
        uc_k_fail(c, "its kernel isn't known");
        return;
    }
    if (!uc_k_argument_json(c, SIZE_MAX, "strides")) {
        uc_k_fail(c, "it has no strides");
        return;
    }
    if (!read_window(c, x, &w)) return;
    int64_t perm[5] = {w.rank + 1, w.rank}, shape[5] = {in * times, 1};
    for (int i = 0; i < w.rank; i++) {
        perm[i + 2] = i;
        shape[i + 2] = w.size[i];
    }
    if (deep) {
        perm[0] = w.rank;
        perm[1] = w.rank + 1;
    }
    k = uc_k_transpose(g, k, perm, (size_t)w.rank + 2);
    if (deep) k = uc_g_reshape(g, k, shape, w.rank + 2);
    const uc_ref both[] = {x, k};
    uc_node *n = uc_graph_node(g, "Conv", both, 2, 1);
    uc_window_put(g, n, &w, true);
    uc_node_int(g, n, "group", deep ? in : in / each);
    give(c, uc_node_out(n, 0));
}

static void bias(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_ref b = uc_k_arg_tensor(c, 1, "bias");
    if (!b)
        uc_k_fail(c, "it has no bias");
    else
        uc_k_set(c, uc_g2(c->graph, "Add", uc_k_first_operand(c), b));
}

static void response(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref x = input(c);
    const int64_t size = 2 * uc_k_arg_int(c, 1, "depth_radius", 5) + 1;
    uc_node *n = uc_graph_node(c->graph, "LRN", &x, 1, 1);
    uc_node_int(c->graph, n, "size", size);
    uc_node_float(c->graph, n, "bias", uc_k_arg_number(c, 2, "bias", 1));
    uc_node_float(c->graph, n, "alpha", uc_k_arg_number(c, 3, "alpha", 1) * (double)size);
    uc_node_float(c->graph, n, "beta", uc_k_arg_number(c, 4, "beta", 0.5));
    give(c, uc_node_out(n, 0));
}

/* ---- norms ----------------------------------------------------------------------------------- */

/* A vector over one axis of x. */
static uc_ref over_axis(uc_k_call *c, uc_ref v, uc_ref x, int axis)
{
    int64_t shape[UNCORK_MAX_RANK];
    const int rank = uc_k_rank(c, x);
    if (!v || uc_k_rank(c, v) != 1 || axis == rank - 1) return v;
    for (int i = 0; i < rank; i++) {
        shape[i] = i == axis ? -1 : 1;
    }
    return uc_g_reshape(c->graph, v, shape, rank);
}

static void batch_norm(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_first_operand(c);
    const int axis = uc_k_arg_axis(c, 3, x, -1);
    const bool old = !c->layer->is_operator;
    const uc_ref mean = over_axis(c, uc_k_arg_tensor(c, 1, "mean"), x, axis),
                 variance = over_axis(c, uc_k_arg_tensor(c, 2, "variance"), x, axis);
    uc_ref beta = uc_k_arg_tensor(c, 3, "offset"), gamma = uc_k_arg_tensor(c, 4, "scale");
    if (!mean || !variance) {
        uc_k_fail(c, "it needs a mean and a variance");
        return;
    }
    const double least = uc_k_arg_number(c, SIZE_MAX, old ? "variance_epsilon" : "epsilon", 1e-3);
    uc_ref f =
        uc_g1(g, "Reciprocal", uc_g1(g, "Sqrt", uc_g2(g, "Add", variance, uc_k_scalar(c, least))));
    gamma = over_axis(c, gamma, x, axis);
    beta = over_axis(c, beta, x, axis);
    if (gamma) f = uc_g2(g, "Mul", f, gamma);
    uc_ref offset = uc_g1(g, "Neg", uc_g2(g, "Mul", mean, f));
    if (beta) offset = uc_g2(g, "Add", beta, offset);
    uc_k_set(c, uc_g2(g, "Add", uc_g2(g, "Mul", x, f), offset));
}

/* Around the mean, or (op "r") around zero. */
static void layer_norm(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes[UNCORK_MAX_RANK];
    uc_graph *g = c->graph;
    uc_ref x = uc_k_first_operand(c);
    const uc_json *json = uc_k_argument_json(c, SIZE_MAX, "axis");
    size_t n = uc_k_list(json, axes, UNCORK_MAX_RANK);
    if (n == 0) {
        axes[0] = -1;
        n = 1;
    }
    const bool plain = row->op[0] == 'r' || uc_k_arg_bool(c, SIZE_MAX, "rms_scaling", false);
    const double least = uc_k_arg_number(c, SIZE_MAX, "epsilon", 1e-7);
    if (!plain) x = uc_g2(g, "Sub", x, uc_k_axes(c, "ReduceMean", x, axes, n, true));
    const uc_ref v = uc_k_axes(c, "ReduceMean", uc_g2(g, "Mul", x, x), axes, n, true);
    x = uc_g2(g, "Div", x, uc_g1(g, "Sqrt", uc_g2(g, "Add", v, uc_k_scalar(c, least))));
    const uc_ref gamma = uc_k_arg_tensor(c, 1, row->op[0] == 'r' ? "scale" : "gamma"),
                 beta = uc_k_arg_tensor(c, 2, "beta");
    if (gamma) x = uc_g2(g, "Mul", x, gamma);
    if (beta) x = uc_g2(g, "Add", x, beta);
    uc_k_set(c, x);
}

/* ---- attention ------------------------------------------------------------------------------- */

/* query, key, value [N, T, heads, size]; Keras masks with the least number of the type. */
static void attention(uc_k_call *c, const uc_k_operator_row *row)
{
    static const int64_t turn[] = {0, 2, 1, 3}, keys[] = {0, 2, 3, 1};
    (void)row;
    uc_graph *g = c->graph;
    const uc_ref q = uc_k_operand(c, 0, "query", NULL), k = uc_k_arg_tensor(c, 1, "key"),
                 v = uc_k_arg_tensor(c, 2, "value"), add = uc_k_arg_tensor(c, 3, "bias"),
                 mask = uc_k_arg_tensor(c, 4, "mask");
    const int64_t size = q ? uc_k_dim(c, q, -1) : -1;
    if (!k || !v || size < 1 || uc_k_rank(c, q) != 4 ||
        uc_k_argument_json(c, SIZE_MAX, "attn_logits_soft_cap")) {
        uc_k_fail(c, "it needs a query, a key and a value of 4 dimensions, and no soft cap");
        return;
    }
    const double scale = uc_k_arg_number(c, 5, "scale", 1 / sqrt((double)size));
    uc_ref s = uc_g2(g, "MatMul", uc_k_transpose(g, q, turn, 4), uc_k_transpose(g, k, keys, 4));
    s = uc_g2(g, "Mul", s, uc_k_scalar(c, scale));
    if (add) s = uc_g2(g, "Add", s, add);
    const uc_ref far = uc_k_scalar(c, -3.4028234663852886e38 * 0.7);
    if (mask) s = uc_g_where(g, uc_g_cast(g, mask, UNCORK_BOOL), s, far);
    if (uc_k_arg_bool(c, 6, "is_causal", false)) {
        const uc_ref shape = uc_g_slice(g, uc_g1(g, "Shape", s), 0, 2, INT64_MAX);
        const uc_ref ones = uc_g2(g, "Expand", uc_graph_i64(g, 1), shape);
        uc_node *n = uc_graph_node(g, "Trilu", &ones, 1, 1);
        uc_node_int(g, n, "upper", 0);
        s = uc_g_where(g, uc_g_cast(g, uc_node_out(n, 0), UNCORK_BOOL), s, far);
    }
    const uc_ref y = uc_g2(g, "MatMul", uc_g_softmax(g, s, -1), uc_k_transpose(g, v, turn, 4));
    uc_k_set(c, uc_k_transpose(g, y, turn, 4));
}

/* ---- activations with settings --------------------------------------------------------------- */

static void gelu(uc_k_call *c, const uc_k_operator_row *row)
{
    const uc_ref x = uc_k_first_operand(c);
    uc_node *n = uc_graph_node(c->graph, "Gelu", &x, 1, 1);
    const bool near = uc_k_arg_bool(c, 1, "approximate", row->op[0] == 't');
    uc_node_str(c->graph, n, "approximate", near ? "tanh" : "none");
    uc_k_set(c, uc_node_out(n, 0));
}

static void glu(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref x = uc_k_first_operand(c);
    uc_node *n = uc_graph_node(c->graph, "Split", &x, 1, 2);
    uc_node_int(c->graph, n, "axis", uc_k_arg_axis(c, 1, x, -1));
    uc_node_int(c->graph, n, "num_outputs", 2);
    const uc_ref a = uc_node_out(n, 0), b = uc_node_out(n, 1);
    uc_k_set(c, uc_g2(c->graph, "Mul", a, uc_g1(c->graph, "Sigmoid", b)));
}

static void named(uc_k_call *c, const uc_k_operator_row *row)
{
    const uc_json f = {.kind = UC_JSON_STRING, .string = uc_str_of(row->op)};
    const uc_ref x = uc_k_first_operand(c);
    uc_k_set(c, uc_k_activate(c, &f, x, uc_k_arg_axis(c, 1, x, -1)));
}

static void crelu(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref x = uc_k_first_operand(c), both[] = {x, uc_g1(c->graph, "Neg", x)};
    uc_k_set(c, uc_g1(c->graph, "Relu", uc_g_concat(c->graph, both, 2, -1)));
}

/* clang-format off */
const uc_k_operator_row uc_k_nn_rows[] = {
    {"MaxPool", "MaxPool", pool}, {"AveragePool", "AveragePool", pool}, {"nn.max_pool", "MaxPool", pool}, {"nn.max_pool1d", "MaxPool", pool}, {"nn.max_pool2d", "MaxPool", pool}, {"nn.max_pool3d", "MaxPool", pool},
    {"nn.avg_pool", "AveragePool", pool}, {"nn.avg_pool1d", "AveragePool", pool}, {"nn.avg_pool2d", "AveragePool", pool}, {"nn.avg_pool3d", "AveragePool", pool},
    {"AdaptiveAveragePool", "avg", adaptive}, {"AdaptiveMaxPool", "max", adaptive},
    {"Conv", "", conv}, {"DepthwiseConv", "d", conv}, {"nn.conv1d", "", conv}, {"nn.conv2d", "", conv}, {"nn.conv3d", "", conv}, {"nn.depthwise_conv2d", "d", conv}, {"nn.bias_add", "", bias}, {"nn.local_response_normalization", "", response}, {"nn.lrn", "", response},
    {"BatchNorm", "", batch_norm}, {"nn.batch_normalization", "", batch_norm}, {"LayerNorm", "", layer_norm}, {"RMSNorm", "r", layer_norm}, {"DotProductAttention", "", attention},
    {"Gelu", "t", gelu}, {"nn.gelu", "", gelu}, {"Glu", "", glu}, {"Sparsemax", "sparsemax", named}, {"nn.log_softmax", "log_softmax", named}, {"nn.crelu", "", crelu},
    {NULL, NULL, NULL},
};
/* clang-format on */
