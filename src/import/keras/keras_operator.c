/* Operators of functional graphs: keras.ops of Keras 3, TFOpLambda and SlicingOpLambda of Keras 2.
 * Source: keras/src/ops/numpy.py, nn.py, core.py; tf_keras/src/layers/core/tf_op_layer.py. */
#include "import/keras/keras_operator.h"

#include <inttypes.h>

typedef uc_k_operator_row operator_row;

uc_ref uc_k_operand(uc_k_call *c, size_t position, const char *a, const char *b)
{
    uc_k_value v;
    if (uc_k_argument(c, position, a, &v) || (b && uc_k_argument(c, SIZE_MAX, b, &v))) {
        return uc_k_plain(c, v);
    }
    const uc_json *json = uc_k_argument_json(c, position, a);
    if (!json && b) json = uc_k_argument_json(c, SIZE_MAX, b);
    if (json && json->kind == UC_JSON_ARRAY && json->count == 4 &&
        uc_str_is(uc_json_str(json->items[0], ""), "_CONSTANT_VALUE")) {
        json = json->items[2]; /* a constant before the tensor: 1 - x */
    }
    if (json && (json->kind == UC_JSON_INT || json->kind == UC_JSON_FLOAT)) {
        return uc_k_scalar(c, json->number);
    }
    if (position == 0 && c->in_count) return uc_k_plain(c, c->in[0]);
    return 0;
}

uc_ref uc_k_first_operand(uc_k_call *c) { return uc_k_operand(c, 0, "x", "x1"); }

static void unary(uc_k_call *c, const operator_row *row)
{
    uc_k_set_as(c, uc_g1(c->graph, row->op, c->in[0].ref), c->in[0].nchw);
}

static void binary(uc_k_call *c, const operator_row *row)
{
    uc_ref b = uc_k_operand(c, 1, "y", "x2");
    uc_ref a = uc_k_first_operand(c);
    /* Keras 2: ["_CONSTANT_VALUE", -1, 1.0, {"y": [...]}] puts the number first. */
    const uc_json *args = c->args;
    if (args && args->kind == UC_JSON_ARRAY && args->count == 4 &&
        uc_str_is(uc_json_str(args->items[0], ""), "_CONSTANT_VALUE")) {
        a = uc_k_scalar(c, uc_json_f64(args->items[2], 0));
        uc_k_value v;
        const uc_json *y = uc_json_get(args->items[3], "y");
        b = uc_k_tensor_of(c, y, &v) ? uc_k_plain(c, v) : uc_k_scalar(c, uc_json_f64(y, 0));
    }
    if (!b && c->in_count > 1) b = uc_k_plain(c, c->in[1]);
    if (!a || !b) {
        uc_k_fail(c, "it needs two operands");
        return;
    }
    uc_k_set(c, uc_g2(c->graph, row->op, a, b));
}

static void not_equal(uc_k_call *c, const operator_row *row)
{
    binary(c, row);
    if (c->out_count) c->out[0].ref = uc_g1(c->graph, "Not", c->out[0].ref);
}

/* Axes of a reduction: none are all. */
static void reduce(uc_k_call *c, const operator_row *row)
{
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_k_first_operand(c);
    const uc_json *json = uc_k_argument_json(c, 1, "axis");
    size_t n = uc_k_list(json, axes, UNCORK_MAX_RANK);
    const bool keep = uc_json_bool(uc_k_argument_json(c, 2, "keepdims"), false);
    const int rank = uc_k_rank(c, x);
    for (int i = 0; n == 0 && i < rank; i++) {
        axes[i] = i;
    }
    if (n == 0) n = rank > 0 ? (size_t)rank : 0;
    uc_k_set(c, uc_k_axes(c, row->op, x, axes, n, keep));
}

static void arg(uc_k_call *c, const operator_row *row)
{
    int64_t axis = -1;
    const uc_json *json = uc_k_argument_json(c, 1, "axis");
    if (json) (void)uc_k_ints(json, &axis, 1);
    const uc_ref x = uc_k_first_operand(c);
    uc_k_set(c, row->op[3] == 'M' && row->op[4] == 'a' ? uc_g_argmax(c->graph, x, axis, false)
                                                       : uc_g_argmin(c->graph, x, axis, false));
}

static void softmax(uc_k_call *c, const operator_row *row)
{
    (void)row;
    int64_t axis = -1;
    const uc_json *json = uc_k_argument_json(c, 1, "axis");
    if (json) (void)uc_k_ints(json, &axis, 1);
    uc_k_set(c, uc_g_softmax(c->graph, uc_k_first_operand(c), axis));
}

static void activation(uc_k_call *c, const operator_row *row)
{
    const uc_json f = {.kind = UC_JSON_STRING, .string = uc_str_of(row->op)};
    const uc_ref x = uc_k_first_operand(c);
    uc_k_set(c, uc_k_activate(c, &f, x, uc_k_rank(c, x) - 1));
}

static void reshape(uc_k_call *c, const operator_row *row)
{
    (void)row;
    int64_t shape[UNCORK_MAX_RANK];
    const uc_json *json = uc_k_argument_json(c, 1, "shape");
    if (!json) json = uc_k_argument_json(c, SIZE_MAX, "newshape");
    if (!json) json = uc_json_get(c->layer->config, "newshape");
    if (!json) json = uc_json_get(c->layer->config, "shape");
    const size_t n = uc_k_list(json, shape, UNCORK_MAX_RANK);
    if (n == 0) {
        uc_k_fail(c, "it has no shape");
        return;
    }
    uc_k_set(c, uc_g_reshape(c->graph, uc_k_first_operand(c), shape, (int)n));
}

static void transpose(uc_k_call *c, const operator_row *row)
{
    (void)row;
    int64_t perm[UNCORK_MAX_RANK];
    const uc_json *json = uc_k_argument_json(c, 1, "axes");
    if (!json) json = uc_k_argument_json(c, SIZE_MAX, "perm");
    const size_t n = uc_k_list(json, perm, UNCORK_MAX_RANK);
    uc_k_set(c, n ? uc_k_transpose(c->graph, uc_k_first_operand(c), perm, n)
                  : uc_g_transpose(c->graph, uc_k_first_operand(c)));
}

static void expand_dims(uc_k_call *c, const operator_row *row)
{
    (void)row;
    int64_t axis = -1;
    const uc_json *json = uc_k_argument_json(c, 1, "axis");
    if (json) (void)uc_k_ints(json, &axis, 1);
    uc_k_set(c, uc_g_unsqueeze(c->graph, uc_k_first_operand(c), axis));
}

static void squeeze(uc_k_call *c, const operator_row *row)
{
    (void)row;
    int64_t axis;
    const uc_json *json = uc_k_argument_json(c, 1, "axis");
    if (json && uc_k_ints(json, &axis, 1))
        uc_k_set(c, uc_g_squeeze(c->graph, uc_k_first_operand(c), axis));
    else
        uc_k_set(c, uc_g1(c->graph, "Squeeze", uc_k_first_operand(c)));
}

static void concatenate(uc_k_call *c, const operator_row *row)
{
    (void)row;
    int64_t axis = -1;
    const uc_json *json = uc_k_argument_json(c, 1, "axis");
    uc_ref *parts = UC_NEW(c->graph->arena, uc_ref, c->in_count);
    if (json) (void)uc_k_ints(json, &axis, 1);
    for (size_t i = 0; parts && i < c->in_count; i++) {
        parts[i] = uc_k_plain(c, c->in[i]);
    }
    if (parts) uc_k_set(c, uc_g_concat(c->graph, parts, c->in_count, axis));
}

static void clip(uc_k_call *c, const operator_row *row)
{
    (void)row;
    const uc_ref x = uc_k_first_operand(c);
    const uc_ref low = uc_k_operand(c, 1, "x_min", "clip_value_min");
    const uc_ref high = uc_k_operand(c, 2, "x_max", "clip_value_max");
    uc_k_set(c, uc_g3(c->graph, "Clip", x, low, high));
}

static void square(uc_k_call *c, const operator_row *row)
{
    (void)row;
    const uc_ref x = c->in[0].ref;
    uc_k_set_as(c, uc_g2(c->graph, "Mul", x, x), c->in[0].nchw);
}

static void rsqrt(uc_k_call *c, const operator_row *row)
{
    (void)row;
    const uc_ref x = uc_g1(c->graph, "Sqrt", c->in[0].ref);
    uc_k_set_as(c, uc_g1(c->graph, "Reciprocal", x), c->in[0].nchw);
}

static void cast(uc_k_call *c, const operator_row *row)
{
    (void)row;
    uc_str name = uc_json_str(uc_k_argument_json(c, 1, "dtype"), "float32");
    uncork_dtype to = UNCORK_FLOAT32;
    for (int d = 1; d < UNCORK_FLOAT8E4M3FN; d++) {
        if (uc_str_is(name, uc_dtype_name((uncork_dtype)d))) to = (uncork_dtype)d;
    }
    uc_k_set_as(c, uc_g_cast(c->graph, c->in[0].ref, to), c->in[0].nchw);
}

/* One entry of x[...]: a slice {"start", "stop", "step"} or slice's three arguments, or an index. */
static bool slice_axis(uc_k_call *c, const uc_json *item, int64_t axis, uc_ref *x, bool *dropped)
{
    const uc_json *start = NULL, *stop = NULL, *step = NULL;
    *dropped = false;
    if (item->kind == UC_JSON_INT) {
        *x = uc_g_gather(c->graph, *x, uc_graph_i64(c->graph, item->integer), axis);
        *dropped = true;
        return true;
    }
    if (item->kind != UC_JSON_OBJECT) return false;
    const uc_json *args = uc_json_path(item, "config.args"), *config = uc_json_get(item, "config");
    if (uc_json_count(args) == 3) {
        start = uc_json_at(args, 0);
        stop = uc_json_at(args, 1);
        step = uc_json_at(args, 2);
        int64_t v[3] = {0, INT64_MAX, 1};
        if (args->kind == UC_JSON_NUMBERS && uc_k_ints(args, v, 3)) {
            *x = uc_g_slice(c->graph, *x, axis, v[0], v[1]);
            return v[2] == 1;
        }
    } else {
        if (!config) config = item;
        start = uc_json_get(config, "start");
        stop = uc_json_get(config, "stop");
        step = uc_json_get(config, "step");
    }
    const int64_t begin = uc_json_i64(start, 0), end = uc_json_i64(stop, INT64_MAX);
    const int64_t stride = uc_json_i64(step, 1);
    if (stride == 1) {
        if (begin != 0 || end != INT64_MAX) *x = uc_g_slice(c->graph, *x, axis, begin, end);
        return true;
    }
    if (stride < 1 && !(stride == -1 && (!start || start->kind == UC_JSON_NULL))) return false;
    const int64_t from = stride < 0 ? -1 : begin, to = stride < 0 ? INT64_MIN : end;
    *x = uc_g_slices(c->graph, *x, &from, &to, &axis, &stride, 1);
    return true;
}

static void get_item(uc_k_call *c, const operator_row *row)
{
    (void)row;
    uc_ref x = uc_k_first_operand(c);
    const uc_json *key = uc_k_argument_json(c, 1, "key");
    if (!key) key = uc_k_argument_json(c, SIZE_MAX, "slice_spec");
    if (key && key->kind == UC_JSON_OBJECT && uc_json_get(key, "class_name") &&
        uc_json_path(key, "config.items")) {
        key = uc_json_path(key, "config.items");
    }
    int64_t axis = 0;
    const size_t n = key && key->kind == UC_JSON_ARRAY ? key->count : key ? 1 : 0;
    bool ok = n > 0;
    for (size_t i = 0; i < n && ok; i++) {
        bool dropped;
        const uc_json *item = key->kind == UC_JSON_ARRAY ? key->items[i] : key;
        ok = slice_axis(c, item, axis, &x, &dropped);
        axis += !dropped;
    }
    if (ok)
        uc_k_set(c, x);
    else
        uc_k_fail(c, "its index can't be read");
}

static const operator_row rows[] = {
    {"Absolute", "Abs", unary},
    {"Abs", "Abs", unary},
    {"Negative", "Neg", unary},
    {"Exp", "Exp", unary},
    {"Log", "Log", unary},
    {"Sqrt", "Sqrt", unary},
    {"Sin", "Sin", unary},
    {"Cos", "Cos", unary},
    {"Tanh", "Tanh", unary},
    {"Floor", "Floor", unary},
    {"Ceil", "Ceil", unary},
    {"Round", "Round", unary},
    {"Sign", "Sign", unary},
    {"Erf", "Erf", unary},
    {"Relu", "relu", activation},
    {"Relu6", "relu6", activation},
    {"Sigmoid", "sigmoid", activation},
    {"Softplus", "softplus", activation},
    {"Softsign", "softsign", activation},
    {"Silu", "silu", activation},
    {"Elu", "elu", activation},
    {"Selu", "selu", activation},
    {"Gelu", "gelu", activation},
    {"HardSigmoid", "hard_sigmoid", activation},
    {"HardSilu", "hard_silu", activation},
    {"LogSoftmax", "log_softmax", activation},
    {"Softmax", "Softmax", softmax},
    {"Add", "Add", binary},
    {"Subtract", "Sub", binary},
    {"Multiply", "Mul", binary},
    {"Divide", "Div", binary},
    {"TrueDivide", "Div", binary},
    {"Power", "Pow", binary},
    {"Maximum", "Max", binary},
    {"Minimum", "Min", binary},
    {"Matmul", "MatMul", binary},
    {"Equal", "Equal", binary},
    {"NotEqual", "Equal", not_equal},
    {"Greater", "Greater", binary},
    {"GreaterEqual", "GreaterOrEqual", binary},
    {"Less", "Less", binary},
    {"LessEqual", "LessOrEqual", binary},
    {"LogicalAnd", "And", binary},
    {"LogicalOr", "Or", binary},
    {"LogicalNot", "Not", unary},
    {"Mean", "ReduceMean", reduce},
    {"Sum", "ReduceSum", reduce},
    {"Max", "ReduceMax", reduce},
    {"Min", "ReduceMin", reduce},
    {"Prod", "ReduceProd", reduce},
    {"Argmax", "ArgMax", arg},
    {"Argmin", "ArgMin", arg},
    {"Reshape", "", reshape},
    {"Transpose", "", transpose},
    {"ExpandDims", "", expand_dims},
    {"Squeeze", "", squeeze},
    {"Concatenate", "", concatenate},
    {"Clip", "", clip},
    {"Square", "", square},
    {"Rsqrt", "", rsqrt},
    {"Cast", "", cast},
    {"GetItem", "", get_item},
    /* TensorFlow's functions */
    {"math.abs", "Abs", unary},
    {"math.negative", "Neg", unary},
    {"__operators__.neg", "Neg", unary},
    {"math.exp", "Exp", unary},
    {"math.log", "Log", unary},
    {"math.sqrt", "Sqrt", unary},
    {"math.sin", "Sin", unary},
    {"math.cos", "Cos", unary},
    {"math.tanh", "Tanh", unary},
    {"math.floor", "Floor", unary},
    {"math.round", "Round", unary},
    {"math.sign", "Sign", unary},
    {"math.erf", "Erf", unary},
    {"nn.relu", "relu", activation},
    {"nn.relu6", "relu6", activation},
    {"nn.sigmoid", "sigmoid", activation},
    {"math.sigmoid", "sigmoid", activation},
    {"math.softplus", "softplus", activation},
    {"nn.elu", "elu", activation},
    {"nn.selu", "selu", activation},
    {"nn.gelu", "gelu", activation},
    {"nn.silu", "silu", activation},
    {"nn.tanh", "tanh", activation},
    {"nn.softmax", "Softmax", softmax},
    {"math.add", "Add", binary},
    {"__operators__.add", "Add", binary},
    {"math.subtract", "Sub", binary},
    {"__operators__.sub", "Sub", binary},
    {"math.multiply", "Mul", binary},
    {"__operators__.mul", "Mul", binary},
    {"math.divide", "Div", binary},
    {"math.truediv", "Div", binary},
    {"__operators__.truediv", "Div", binary},
    {"math.pow", "Pow", binary},
    {"math.maximum", "Max", binary},
    {"math.minimum", "Min", binary},
    {"linalg.matmul", "MatMul", binary},
    {"math.reduce_mean", "ReduceMean", reduce},
    {"math.reduce_sum", "ReduceSum", reduce},
    {"math.reduce_max", "ReduceMax", reduce},
    {"math.reduce_min", "ReduceMin", reduce},
    {"math.reduce_prod", "ReduceProd", reduce},
    {"math.argmax", "ArgMax", arg},
    {"math.argmin", "ArgMin", arg},
    {"reshape", "", reshape},
    {"transpose", "", transpose},
    {"expand_dims", "", expand_dims},
    {"squeeze", "", squeeze},
    {"concat", "", concatenate},
    {"clip_by_value", "", clip},
    {"math.square", "", square},
    {"math.rsqrt", "", rsqrt},
    {"cast", "", cast},
    {"__operators__.getitem", "", get_item},
};

static const operator_row *find(uc_str name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (uc_str_is(name, rows[i].name)) return &rows[i];
    }
    return uc_k_array_operator(name);
}

bool uc_k_is_operator(const char *class_name) { return find(uc_str_of(class_name)) != NULL; }

bool uc_k_call_operator(uc_k_call *c, uc_str name)
{
    const operator_row *row = find(name);
    if (!row) return false;
    if (c->in_count == 0)
        uc_k_fail(c, "it is called on no tensor");
    else
        row->emit(c, row);
    return true;
}

static void emit(uc_k_call *c, uc_str name)
{
    /* Numbers beside a tensor take its type. */
    const uncork_dtype dtype = c->in_count ? uc_k_dtype(c, c->in[0].ref) : UNCORK_DTYPE_NONE;
    if (uc_dtype_is_float(dtype) || uc_dtype_is_integer(dtype)) c->dtype = dtype;
    if (uc_k_call_operator(c, name)) return;
    uc_k_fail(c, "the operator '%.*s' isn't known", (int)(name.size < 80 ? name.size : 80),
              name.data);
    uc_fix(c->graph->error, "save the model as ONNX or SavedModel");
}

void uc_k_operator(uc_k_call *c) { emit(c, uc_str_of(c->layer->class_name)); }

/* TFOpLambda, SlicingOpLambda: the function's name is in the config. */
void uc_k_tf_operator(uc_k_call *c) { emit(c, uc_k_text(c->layer, "function", "")); }
