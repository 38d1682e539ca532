/* Normalisation. Source: keras/src/layers/normalization, layers/preprocessing/normalization.py. */
#include "import/keras/keras.h"

#include <inttypes.h>
#include <math.h>

/* Ones or zeros where a layer has no gamma or beta. */
static uc_ref weight_or(uc_k_call *c, const char *slot, double v, int64_t n)
{
    if (uc_k_has(c->layer, slot)) return uc_k_weight(c, slot);
    double *all = UC_NEW(c->graph->arena, double, (size_t)n);
    if (!all) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for weights");
    for (int64_t i = 0; i < n; i++) {
        all[i] = v;
    }
    return uc_k_constant(c, all, 1, &n);
}

/* A variable of one axis, shaped to meet x there. */
static uc_ref at_axis(uc_k_call *c, uc_ref v, int axis, int rank)
{
    int64_t shape[UNCORK_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        shape[i] = i == axis ? -1 : 1;
    }
    return axis == rank - 1 ? v : uc_g_reshape(c->graph, v, shape, rank);
}

void uc_k_batch_norm(uc_k_call *c)
{
    uc_graph *g = c->graph;
    int64_t where = -1;
    const int rank = uc_k_rank(c, c->in[0].ref);
    const uc_json *json = uc_k_get(c->layer, "axis");
    if (json) (void)uc_k_ints(json, &where, 1);
    const int axis = uc_k_axis(where, rank);
    const uc_tensor *mean = uc_k_tensor(c, "moving_mean");
    if (axis < 1 || !mean || mean->rank != 1) {
        if (!g->status) uc_k_fail(c, "axis %" PRId64 " of %d", where, rank);
        return;
    }
    const bool nchw = axis == rank - 1 && rank > 2;
    const uc_ref x = nchw ? uc_k_first(c, c->in[0]) : uc_k_plain(c, c->in[0]);
    const uc_ref gamma = weight_or(c, "gamma", 1, mean->shape[0]);
    const uc_ref beta = weight_or(c, "beta", 0, mean->shape[0]);
    const uc_ref variance = uc_k_weight(c, "moving_variance");
    const double epsilon = uc_k_number(c->layer, "epsilon", c->layer->major == 1 ? 1e-5 : 1e-3);
    if (nchw || axis == 1) {
        const uc_ref in[] = {x, gamma, beta, uc_k_const(c, mean), variance};
        uc_node *n = uc_graph_node(g, "BatchNormalization", in, 5, 1);
        uc_node_float(g, n, "epsilon", epsilon);
        uc_k_set_as(c, uc_node_out(n, 0), nchw);
        return;
    }
    const uc_ref root = uc_g1(g, "Sqrt", uc_g2(g, "Add", variance, uc_k_scalar(c, epsilon)));
    const uc_ref scale = uc_g2(g, "Div", gamma, root);
    const uc_ref shift = uc_g2(g, "Sub", beta, uc_g2(g, "Mul", uc_k_const(c, mean), scale));
    const uc_ref scaled = uc_g2(g, "Mul", x, at_axis(c, scale, axis, rank));
    uc_k_set(c, uc_g2(g, "Add", scaled, at_axis(c, shift, axis, rank)));
}

/* The layer's axes, counted from 0, in order; how many, 0 after saying that one lies outside. */
static size_t read_axes(uc_k_call *c, int rank, int64_t *axes)
{
    int64_t list[UNCORK_MAX_RANK] = {-1};
    size_t n = uc_k_list(uc_k_get(c->layer, "axis"), list, UNCORK_MAX_RANK);
    if (n == 0) n = 1;
    bool inside = rank > 0;
    for (size_t i = 0; inside && i < n; i++) {
        axes[i] = uc_k_axis(list[i], rank);
        inside = axes[i] >= 0;
    }
    if (inside) return n;
    uc_k_fail(c, "its axes lie outside of %d dimensions", rank);
    return 0;
}

static bool are_last(const int64_t *axes, size_t n, int rank)
{
    for (size_t i = 0; i < n; i++) {
        if (axes[i] != rank - (int)(n - i)) return false;
    }
    return true;
}

/* A variable over the layer's axes, ones elsewhere. */
static uc_ref over_axes(uc_k_call *c, const char *slot, const int64_t *axes, size_t n, int rank)
{
    int64_t shape[UNCORK_MAX_RANK];
    const uc_tensor *t = uc_k_tensor(c, slot);
    if (!t || t->rank != (int)n) return 0;
    for (int i = 0; i < rank; i++) {
        shape[i] = 1;
    }
    for (size_t i = 0; i < n; i++) {
        shape[axes[i]] = t->shape[i];
    }
    return uc_g_reshape(c->graph, uc_k_const(c, t), shape, rank);
}

void uc_k_layer_norm(uc_k_call *c)
{
    uc_graph *g = c->graph;
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const int rank = uc_k_rank(c, x);
    const size_t n = read_axes(c, rank, axes);
    const double epsilon = uc_k_number(c->layer, "epsilon", 1e-3);
    if (n == 0) return;
    const bool rms = uc_k_bool(c->layer, "rms_scaling", false);
    if (are_last(axes, n, rank) && uc_k_has(c->layer, "gamma") && !rms) {
        const bool beta = uc_k_has(c->layer, "beta");
        const uc_ref in[] = {x, uc_k_weight(c, "gamma"), beta ? uc_k_weight(c, "beta") : 0};
        uc_node *node = uc_graph_node(g, "LayerNormalization", in, beta ? 3 : 2, 1);
        uc_node_int(g, node, "axis", axes[0]);
        uc_node_float(g, node, "epsilon", epsilon);
        uc_k_set(c, uc_node_out(node, 0));
        return;
    }
    const uc_ref mean = uc_k_axes(c, "ReduceMean", x, axes, n, true);
    const uc_ref centred = uc_g2(g, "Sub", x, mean);
    const uc_ref square =
        uc_k_axes(c, "ReduceMean", uc_g2(g, "Mul", centred, centred), axes, n, true);
    const uc_ref root = uc_g1(g, "Sqrt", uc_g2(g, "Add", square, uc_k_scalar(c, epsilon)));
    uc_ref y = uc_g2(g, "Div", rms ? x : centred, root);
    if (uc_k_has(c->layer, "gamma")) y = uc_g2(g, "Mul", y, over_axes(c, "gamma", axes, n, rank));
    if (uc_k_has(c->layer, "beta") && !rms) {
        y = uc_g2(g, "Add", y, over_axes(c, "beta", axes, n, rank));
    }
    uc_k_set(c, y);
}

void uc_k_rms_norm(uc_k_call *c)
{
    uc_graph *g = c->graph;
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const int rank = uc_k_rank(c, x);
    const size_t n = read_axes(c, rank, axes);
    if (n == 0) return;
    const uc_ref square = uc_k_axes(c, "ReduceMean", uc_g2(g, "Mul", x, x), axes, n, true);
    const uc_ref eps = uc_k_scalar(c, uc_k_number(c->layer, "epsilon", 1e-6));
    const uc_ref y = uc_g2(g, "Div", x, uc_g1(g, "Sqrt", uc_g2(g, "Add", square, eps)));
    uc_k_set(c, uc_g2(g, "Mul", y, over_axes(c, "scale", axes, n, rank)));
}

void uc_k_group_norm(uc_k_call *c)
{
    uc_graph *g = c->graph;
    const int rank = uc_k_rank(c, c->in[0].ref);
    const int axis = uc_k_axis(uc_k_int(c->layer, "axis", -1), rank);
    if (rank < 2 || (axis != rank - 1 && axis != 1)) {
        uc_k_fail(c, "axis %d of %d", axis, rank);
        return;
    }
    const bool nchw = axis == rank - 1 && rank > 2;
    const uc_ref x = nchw ? uc_k_first(c, c->in[0]) : uc_k_plain(c, c->in[0]);
    const int64_t channels = uc_k_dim(c, x, 1);
    int64_t groups = uc_k_int(c->layer, "groups", 32);
    if (groups == -1) groups = channels;
    if (channels < 1 || groups < 1 || channels % groups) {
        uc_k_fail(c, "%" PRId64 " groups of %" PRId64 " channels", groups, channels);
        return;
    }
    const uc_ref in[] = {x, weight_or(c, "gamma", 1, channels), weight_or(c, "beta", 0, channels)};
    uc_node *n = uc_graph_node(g, "GroupNormalization", in, 3, 1);
    uc_node_int(g, n, "num_groups", groups);
    uc_node_float(g, n, "epsilon", uc_k_number(c->layer, "epsilon", 1e-3));
    uc_k_set_as(c, uc_node_out(n, 0), nchw);
}

void uc_k_unit_norm(uc_k_call *c)
{
    uc_graph *g = c->graph;
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const int rank = uc_k_rank(c, x);
    const size_t n = read_axes(c, rank, axes);
    if (n == 0) return;
    const uc_ref sum = uc_k_axes(c, "ReduceSum", uc_g2(g, "Mul", x, x), axes, n, true);
    const uc_ref least = uc_g2(g, "Max", sum, uc_k_scalar(c, 1e-12));
    uc_k_set(c, uc_g2(g, "Div", x, uc_g1(g, "Sqrt", least)));
}

/* ConvNeXt's own: keras/src/applications/convnext.py. */
void uc_k_layer_scale(uc_k_call *c)
{
    uc_k_set(c, uc_g2(c->graph, "Mul", uc_k_plain(c, c->in[0]), uc_k_weight(c, "gamma")));
}

/* ---- the preprocessing layer ----------------------------------------------------------------- */

/* Numbers of a config however deep they are nested; how many. */
static size_t flat_numbers(const uc_json *json, double *out, size_t most, int depth)
{
    size_t n = 0;
    if (!json || depth > 8) return 0;
    if (json->kind == UC_JSON_INT || json->kind == UC_JSON_FLOAT) {
        if (most) out[0] = json->number;
        return most ? 1 : 0;
    }
    if (json->kind == UC_JSON_NUMBERS) {
        const int64_t count = uc_tensor_count(json->numbers);
        for (int64_t i = 0; i < count && n < most; i++) {
            out[n++] = uc_dtype_load_f64(json->numbers->data, i, json->numbers->dtype);
        }
        return n;
    }
    if (json->kind == UC_JSON_OBJECT) { /* __numpy__ */
        return flat_numbers(uc_json_path(json, "config.value"), out, most, depth + 1);
    }
    for (size_t i = 0; json->kind == UC_JSON_ARRAY && i < json->count; i++) {
        n += flat_numbers(json->items[i], out + n, most - n, depth + 1);
    }
    return n;
}

/* mean or variance, from the file's weights or the config, as a constant that meets x. */
static uc_ref statistic(uc_k_call *c, const char *name, const int64_t *axes, size_t n, uc_ref x)
{
    enum { MOST = 4096 };
    const int rank = uc_k_rank(c, x);
    int64_t shape[UNCORK_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        shape[i] = 1;
    }
    if (uc_k_has(c->layer, name)) {
        const uc_tensor *t = uc_k_tensor(c, name);
        if (!t) return 0;
        const int64_t count = uc_tensor_count(t);
        if (n == 1) shape[axes[0]] = count;
        for (size_t i = 0; n > 1 && i < n && (int)i < t->rank; i++) {
            shape[axes[i]] = t->shape[i];
        }
        return uc_g_reshape(c->graph, uc_k_const(c, t), shape, rank);
    }
    double *values = UC_NEW(c->graph->arena, double, MOST);
    const size_t count = values ? flat_numbers(uc_k_get(c->layer, name), values, MOST, 0) : 0;
    if (count == 0) return uc_k_fail(c, "it has no %s", name);
    if (count > 1) {
        int64_t total = 1;
        for (size_t i = 0; i < n; i++) {
            shape[axes[i]] = uc_k_dim(c, x, (int)axes[i]);
            total *= shape[axes[i]] > 0 && total < INT32_MAX ? shape[axes[i]] : 1;
        }
        if (n == 1) shape[axes[0]] = total = (int64_t)count;
        if (total != (int64_t)count) return uc_k_fail(c, "its %s has %zu values", name, count);
    }
    return uc_k_constant(c, values, rank, shape);
}

/* (x - mean) / max(sqrt(variance), 1e-7), or the inverse. */
void uc_k_normalization(uc_k_call *c)
{
    uc_graph *g = c->graph;
    int64_t axes[UNCORK_MAX_RANK] = {0};
    uc_ref x = uc_k_plain(c, c->in[0]);
    const int rank = uc_k_rank(c, x);
    const uc_json *axis = uc_json_get(c->layer->config, "axis");
    const bool none =
        axis && (axis->kind == UC_JSON_NULL || (axis->kind == UC_JSON_ARRAY && axis->count == 0));
    const size_t n = none || rank < 1 ? 0 : read_axes(c, rank, axes);
    if (uc_k_dtype(c, x) != c->dtype) x = uc_g_cast(g, x, c->dtype);
    const uc_ref mean = statistic(c, "mean", axes, n, x);
    const uc_ref root = uc_g1(g, "Sqrt", statistic(c, "variance", axes, n, x));
    const uc_ref deviation = uc_g2(g, "Max", root, uc_k_scalar(c, 1e-7));
    if (g->status) return;
    if (uc_k_bool(c->layer, "invert", false)) {
        uc_k_set(c, uc_g2(g, "Add", mean, uc_g2(g, "Mul", x, deviation)));
    } else {
        uc_k_set(c, uc_g2(g, "Div", uc_g2(g, "Sub", x, mean), deviation));
    }
}

void uc_k_rescaling(uc_k_call *c)
{
    uc_graph *g = c->graph;
    double values[64];
    uc_ref x = uc_k_plain(c, c->in[0]);
    static const char *const keys[] = {"scale", "offset"};
    if (uc_k_dtype(c, x) != c->dtype) x = uc_g_cast(g, x, c->dtype);
    for (int i = 0; i < 2; i++) {
        const size_t n = flat_numbers(uc_k_get(c->layer, keys[i]), values, 64, 0);
        const int64_t count = (int64_t)n;
        if (n == 0) continue;
        x = uc_g2(g, i ? "Add" : "Mul", x,
                  n > 1 ? uc_k_constant(c, values, 1, &count) : uc_k_scalar(c, values[0]));
    }
    uc_k_set(c, x);
}
