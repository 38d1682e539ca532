/* Activation functions by name, as the Keras that wrote the file computes them.
 * Source: keras/src/activations/activations.py, tf_keras/src/activations.py, keras 1 and 2
 * keras/activations.py. */
#include "import/keras/keras.h"

static uc_ref with_float(uc_graph *g, const char *op, uc_ref x, const char *name, double v)
{
    uc_node *n = uc_graph_node(g, op, &x, 1, 1);
    uc_node_float(g, n, name, v);
    return uc_node_out(n, 0);
}

static uc_ref clip(uc_k_call *c, uc_ref x, double low, double high)
{
    return uc_g3(c->graph, "Clip", x, uc_k_scalar(c, low), uc_k_scalar(c, high));
}

static uc_ref add(uc_k_call *c, uc_ref x, double v)
{
    return uc_g2(c->graph, "Add", x, uc_k_scalar(c, v));
}

static uc_ref mul(uc_k_call *c, uc_ref x, double v)
{
    return uc_g2(c->graph, "Mul", x, uc_k_scalar(c, v));
}

/* Keras 2: 0.2 x + 0.5 between 0 and 1; Keras 3: relu6(x + 3) / 6. */
static uc_ref hard_sigmoid(uc_k_call *c, uc_ref x)
{
    uc_node *n = uc_graph_node(c->graph, "HardSigmoid", &x, 1, 1);
    uc_node_float(c->graph, n, "alpha", c->layer->major >= 3 ? 1.0 / 6 : 0.2);
    uc_node_float(c->graph, n, "beta", 0.5);
    return uc_node_out(n, 0);
}

static uc_ref gelu(uc_k_call *c, uc_ref x, bool approximate)
{
    uc_node *n = uc_graph_node(c->graph, "Gelu", &x, 1, 1);
    uc_node_str(c->graph, n, "approximate", approximate ? "tanh" : "none");
    return uc_node_out(n, 0);
}

static uc_ref hard_shrink(uc_k_call *c, uc_ref x)
{
    const uc_ref outside =
        uc_g2(c->graph, "Greater", uc_g1(c->graph, "Abs", x), uc_k_scalar(c, 0.5));
    return uc_g_where(c->graph, outside, x, uc_k_scalar(c, 0));
}

/* x less its part between -0.5 and 0.5. */
static uc_ref soft_shrink(uc_k_call *c, uc_ref x)
{
    return uc_g2(c->graph, "Sub", x, clip(c, x, -0.5, 0.5));
}

static uc_ref sparse_plus(uc_k_call *c, uc_ref x)
{
    uc_graph *g = c->graph;
    const uc_ref y = add(c, x, 1), square = mul(c, uc_g2(g, "Mul", y, y), 0.25);
    const uc_ref upper = uc_g_where(g, uc_g2(g, "Less", x, uc_k_scalar(c, 1)), square, x);
    return uc_g_where(g, uc_g2(g, "LessOrEqual", x, uc_k_scalar(c, -1)), uc_k_scalar(c, 0), upper);
}

static uc_ref squareplus(uc_k_call *c, uc_ref x)
{
    uc_graph *g = c->graph;
    const uc_ref root = uc_g1(g, "Sqrt", add(c, uc_g2(g, "Mul", x, x), 4));
    return mul(c, uc_g2(g, "Add", x, root), 0.5);
}

static uc_ref glu(uc_k_call *c, uc_ref x, int axis)
{
    uc_node *n = uc_graph_node(c->graph, "Split", &x, 1, 2);
    uc_node_int(c->graph, n, "axis", axis);
    uc_node_int(c->graph, n, "num_outputs", 2);
    const uc_ref a = uc_node_out(n, 0), b = uc_node_out(n, 1);
    return uc_g2(c->graph, "Mul", a, uc_g1(c->graph, "Sigmoid", b));
}

/* Martins and Astudillo 2016, as keras/src/backend/tensorflow/nn.py (3.15) has it: the threshold is taken from
 * the sum of the running sums, not from that of the values. */
static uc_ref sparsemax(uc_k_call *c, uc_ref x, int axis)
{
    uc_graph *g = c->graph;
    const int64_t n = uc_k_dim(c, x, axis);
    if (n < 1 || axis != uc_k_rank(c, x) - 1) return uc_k_fail(c, "sparsemax over such an axis");
    const uc_ref top_in[] = {x, uc_graph_i64s(g, &n, 1)};
    uc_node *top = uc_graph_node(g, "TopK", top_in, 2, 2);
    uc_node_int(g, top, "axis", axis);
    const uc_ref sorted = uc_node_out(top, 0);
    const uc_ref sums = uc_g2(g, "CumSum", sorted, uc_graph_i64(g, axis));
    double *count = UC_NEW(g->arena, double, (size_t)n);
    for (int64_t i = 0; count && i < n; i++) {
        count[i] = (double)(i + 1);
    }
    if (!count) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for sparsemax");
    const uc_ref k = uc_k_constant(c, count, 1, &n);
    const uc_ref bound = add(c, uc_g2(g, "Mul", k, sorted), 1);
    const uc_ref inside = uc_g_cast(g, uc_g2(g, "Greater", bound, sums), c->dtype);
    const uc_ref size = uc_g_reduce(g, "ReduceSum", inside, axis, true);
    const uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", sums, inside), axis, true);
    const uc_ref tau = uc_g2(g, "Div", add(c, sum, -1), size);
    return uc_g1(g, "Relu", uc_g2(g, "Sub", x, tau));
}

static uc_ref along(uc_graph *g, const char *op, uc_ref x, int axis)
{
    uc_node *n = uc_graph_node(g, op, &x, 1, 1);
    uc_node_int(g, n, "axis", axis);
    return uc_node_out(n, 0);
}

/* Functions that are one operator. */
static const char *const operators[][2] = {
    {"relu", "Relu"},         {"sigmoid", "Sigmoid"},   {"tanh", "Tanh"},
    {"softplus", "Softplus"}, {"softsign", "Softsign"}, {"elu", "Elu"},
    {"exponential", "Exp"},   {"mish", "Mish"},         {"celu", "Celu"},
    {"silu", "Swish"},        {"swish", "Swish"},
};

static uc_ref composed(uc_k_call *c, uc_str f, uc_ref x, int axis)
{
    uc_graph *g = c->graph;
    if (uc_str_is(f, "softmax")) return along(g, "Softmax", x, axis);
    if (uc_str_is(f, "log_softmax")) return along(g, "LogSoftmax", x, axis);
    if (uc_str_is(f, "relu6")) return clip(c, x, 0, 6);
    if (uc_str_is(f, "leaky_relu")) return with_float(g, "LeakyRelu", x, "alpha", 0.2);
    if (uc_str_is(f, "selu")) {
        uc_node *n = uc_graph_node(g, "Selu", &x, 1, 1);
        uc_node_float(g, n, "alpha", 1.6732632423543772848170429916717);
        uc_node_float(g, n, "gamma", 1.0507009873554804934193349852946);
        return uc_node_out(n, 0);
    }
    if (uc_str_is(f, "gelu")) return gelu(c, x, false);
    if (uc_str_is(f, "gelu_new") || uc_str_is(f, "gelu_approximate")) return gelu(c, x, true);
    if (uc_str_is(f, "hard_sigmoid")) return hard_sigmoid(c, x);
    if (uc_str_is(f, "hard_swish") || uc_str_is(f, "hard_silu") || uc_str_is(f, "h_swish")) {
        return uc_g1(g, "HardSwish", x);
    }
    if (uc_str_is(f, "log_sigmoid")) {
        return uc_g1(g, "Neg", uc_g1(g, "Softplus", uc_g1(g, "Neg", x)));
    }
    if (uc_str_is(f, "hard_tanh")) return clip(c, x, -1, 1);
    if (uc_str_is(f, "hard_shrink")) return hard_shrink(c, x);
    if (uc_str_is(f, "soft_shrink")) return soft_shrink(c, x);
    if (uc_str_is(f, "tanh_shrink")) return uc_g2(g, "Sub", x, uc_g1(g, "Tanh", x));
    if (uc_str_is(f, "sparse_plus")) return sparse_plus(c, x);
    if (uc_str_is(f, "sparse_sigmoid")) return clip(c, mul(c, add(c, x, 1), 0.5), 0, 1);
    if (uc_str_is(f, "squareplus")) return squareplus(c, x);
    if (uc_str_is(f, "glu")) return glu(c, x, axis);
    if (uc_str_is(f, "sparsemax")) return sparsemax(c, x, axis);
    if (uc_str_is(f, "rms_normalization")) return 0;
    return 0;
}

/* An advanced activation given as a function: {"class_name": "LeakyReLU", "config": {...}}. */
static uc_ref as_layer(uc_k_call *c, const uc_json *function, uc_ref x)
{
    const uc_json *config = uc_json_get(function, "config");
    const uc_str name = uc_json_str(uc_json_get(function, "class_name"), "");
    if (!config || config->kind != UC_JSON_OBJECT) return 0;
    uc_k_layer layer = {.row = uc_k_row_find(name),
                        .class_name = c->layer->class_name,
                        .name = c->layer->name,
                        .record = function,
                        .config = config,
                        .major = c->layer->major};
    uc_k_value in = {.ref = x};
    uc_k_call call;
    if (!layer.row || *layer.row->slots) return 0;
    uc_k_emit(c->build, &layer, NULL, NULL, NULL, &in, 1, &call);
    return call.out_count ? call.out[0].ref : 0;
}

uc_ref uc_k_activate(uc_k_call *c, const uc_json *function, uc_ref x, int axis)
{
    if (!function || function->kind == UC_JSON_NULL) return x;
    const uc_str f = uc_k_object_name(function);
    if (!f.size || uc_str_is(f, "linear")) return x;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (uc_str_is(f, operators[i][0])) return uc_g1(c->graph, operators[i][1], x);
    }
    uc_ref y = composed(c, f, x, axis);
    if (!y && !c->graph->status) y = as_layer(c, function, x);
    if (y || c->graph->status) return y;
    uc_k_fail(c, "the activation '%.*s' isn't known", (int)(f.size < 80 ? f.size : 80), f.data);
    uc_fix(c->graph->error, "its code isn't in the file: save the model as ONNX or SavedModel");
    return 0;
}

uc_ref uc_k_activate_key(uc_k_call *c, const char *key, const char *otherwise, uc_ref x, int axis)
{
    const uc_json *f = uc_json_get(c->layer->config, key);
    const uc_json missing = {.kind = UC_JSON_STRING, .string = uc_str_of(otherwise)};
    return uc_k_activate(c, f ? f : &missing, x, axis);
}

/* The channel axis where x lies now. */
static int channel_axis(uc_k_call *c) { return c->in[0].nchw ? 1 : uc_k_rank(c, c->in[0].ref) - 1; }

void uc_k_activation(uc_k_call *c)
{
    const uc_json *f = uc_json_get(c->layer->config, "activation");
    uc_k_set_as(c, uc_k_activate(c, f, c->in[0].ref, channel_axis(c)), c->in[0].nchw);
}

void uc_k_softmax(uc_k_call *c)
{
    int64_t axis = -1;
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const uc_json *json = uc_k_get(c->layer, "axis");
    int64_t axes[UNCORK_MAX_RANK];
    const size_t n = uc_k_list(json, axes, UNCORK_MAX_RANK);
    if (n > 1) { /* exp(x - log(sum(exp(x)))), keras/src/layers/activations/softmax.py */
        const uc_ref sum = uc_k_axes(c, "ReduceLogSumExp", x, axes, n, true);
        uc_k_set(c, uc_g1(c->graph, "Exp", uc_g2(c->graph, "Sub", x, sum)));
        return;
    }
    if (json) (void)uc_k_ints(json, &axis, 1);
    uc_k_set(c, uc_g_softmax(c->graph, x, axis));
}

/* x from threshold on, negative_slope times what is below it, at most max_value. */
void uc_k_relu(uc_k_call *c)
{
    uc_graph *g = c->graph;
    const double slope = uc_k_number(c->layer, "negative_slope", 0);
    const double threshold = uc_k_number(c->layer, "threshold", 0);
    const bool bounded = uc_k_get(c->layer, "max_value") != NULL;
    const double most = uc_k_number(c->layer, "max_value", 0);
    uc_ref x = c->in[0].ref, y;
    if (slope == 0 && threshold == 0) {
        y = bounded ? clip(c, x, 0, most) : uc_g1(g, "Relu", x);
        uc_k_set_as(c, y, c->in[0].nchw);
        return;
    }
    const uc_ref below = slope == 0 ? uc_k_scalar(c, 0) : mul(c, add(c, x, -threshold), slope);
    y = uc_g_where(g, uc_g2(g, "Less", x, uc_k_scalar(c, threshold)), below, x);
    if (bounded) y = uc_g2(g, "Min", y, uc_k_scalar(c, most));
    uc_k_set_as(c, y, c->in[0].nchw);
}

void uc_k_leaky_relu(uc_k_call *c)
{
    const double slope = uc_k_number(c->layer, "negative_slope", 0.3);
    uc_k_set_as(c, with_float(c->graph, "LeakyRelu", c->in[0].ref, "alpha", slope), c->in[0].nchw);
}

void uc_k_elu(uc_k_call *c)
{
    const double alpha = uc_k_number(c->layer, "alpha", 1);
    uc_k_set_as(c, with_float(c->graph, "Elu", c->in[0].ref, "alpha", alpha), c->in[0].nchw);
}

void uc_k_thresholded_relu(uc_k_call *c)
{
    const double theta = uc_k_number(c->layer, "theta", 1);
    uc_k_set_as(c, with_float(c->graph, "ThresholdedRelu", c->in[0].ref, "alpha", theta),
                c->in[0].nchw);
}

void uc_k_prelu(uc_k_call *c)
{
    const uc_ref x = uc_k_plain(c, c->in[0]);
    uc_k_set(c, uc_g2(c->graph, "PRelu", x, uc_k_weight(c, "alpha")));
}
