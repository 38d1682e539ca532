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
    const uc_ref constant = json ? uc_k_json_constant(c, json) : 0;
    if (constant) return constant;
    if (position == 0 && c->in_count) return uc_k_plain(c, c->in[0]);
    return 0;
}

uc_ref uc_k_first_operand(uc_k_call *c) { return uc_k_operand(c, 0, "x", "x1"); }

uc_ref uc_k_node(uc_k_call *c, const char *op, const uc_ref *in, size_t n)
{
    return uc_node_out(uc_graph_node(c->graph, op, in, n, 1), 0);
}

void uc_k_give(uc_k_call *c, uc_ref ref)
{
    if (c->out_count >= UC_K_OUTPUTS)
        uc_k_fail(c, "it has more than %d outputs", UC_K_OUTPUTS);
    else
        c->out[c->out_count++] = (uc_k_value){.ref = ref};
}

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
    uc_k_meet(c, &a, &b, strcmp(row->op, "Div") == 0);
    uc_k_set(c, uc_g2(c->graph, row->op, a, b));
}

static void not_equal(uc_k_call *c, const operator_row *row)
{
    binary(c, row);
    if (c->out_count) c->out[0].ref = uc_g1(c->graph, "Not", c->out[0].ref);
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

static bool has_tensor(uc_k_call *c, const uc_json *list)
{
    uc_k_value v;
    for (size_t i = 0; i < list->count; i++) {
        if (uc_k_tensor_of(c, list->items[i], &v)) return true;
    }
    return false;
}

/* A shape some of whose sizes are computed. */
static void reshape_to(uc_k_call *c, uc_ref x, const uc_json *list)
{
    uc_graph *g = c->graph;
    uc_ref parts[UNCORK_MAX_RANK];
    uc_k_value v;
    const int64_t one = 1;
    if (list->count > UNCORK_MAX_RANK) {
        uc_k_fail(c, "a shape of %zu axes", list->count);
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        const int64_t known = uc_json_i64(list->items[i], -1);
        parts[i] = uc_k_tensor_of(c, list->items[i], &v)
                       ? uc_g_reshape(g, uc_g_cast(g, v.ref, UNCORK_INT64), &one, 1)
                       : uc_graph_i64s(g, &known, 1);
    }
    uc_k_set(c, uc_g2(g, "Reshape", x, uc_g_concat(g, parts, list->count, 0)));
}

static void reshape(uc_k_call *c, const operator_row *row)
{
    (void)row;
    int64_t shape[UNCORK_MAX_RANK];
    uc_k_value given;
    const char *name = uc_k_argument_json(c, 1, "shape") ? "shape" : "newshape";
    const uc_ref x = uc_k_first_operand(c);
    if (uc_k_argument(c, 1, name, &given)) {
        uc_k_set(c, uc_g2(c->graph, "Reshape", x, uc_g_cast(c->graph, given.ref, UNCORK_INT64)));
        return;
    }
    const uc_json *parts = uc_k_argument_json(c, 1, name);
    if (parts && parts->kind == UC_JSON_ARRAY && has_tensor(c, parts)) {
        reshape_to(c, x, parts);
        return;
    }
    const size_t n = uc_k_arg_ints(c, 1, "shape", "newshape", shape, UNCORK_MAX_RANK);
    if (n == 0) {
        uc_k_fail(c, "it has no shape");
        return;
    }
    uc_k_set(c, uc_g_reshape(c->graph, x, shape, (int)n));
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
    const uncork_dtype to =
        uc_k_dtype_named(uc_k_arg_text(c, 1, "dtype", "float32"), UNCORK_FLOAT32);
    uc_k_set_as(c, uc_g_cast(c->graph, c->in[0].ref, to), c->in[0].nchw);
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
    {"Sign", "Sign", unary},
    {"Erf", "Erf", unary},
    {"Relu", "relu", activation},
    {"Relu6", "relu6", activation},
    {"Sigmoid", "sigmoid", activation},
    {"Softplus", "softplus", activation},
    {"Softsign", "softsign", activation},
    {"Silu", "silu", activation},
    {"Selu", "selu", activation},
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
    {"Equal", "Equal", binary},
    {"NotEqual", "Equal", not_equal},
    {"Greater", "Greater", binary},
    {"GreaterEqual", "GreaterOrEqual", binary},
    {"Less", "Less", binary},
    {"LessEqual", "LessOrEqual", binary},
    {"LogicalAnd", "And", binary},
    {"LogicalOr", "Or", binary},
    {"LogicalNot", "Not", unary},
    {"Reshape", "", reshape},
    {"Transpose", "", transpose},
    {"ExpandDims", "", expand_dims},
    {"Squeeze", "", squeeze},
    {"Concatenate", "", concatenate},
    {"Clip", "", clip},
    {"Square", "", square},
    {"Rsqrt", "", rsqrt},
    {"Cast", "", cast},
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
    {"reshape", "", reshape},
    {"transpose", "", transpose},
    {"expand_dims", "", expand_dims},
    {"squeeze", "", squeeze},
    {"concat", "", concatenate},
    {"clip_by_value", "", clip},
    {"math.square", "", square},
    {"math.rsqrt", "", rsqrt},
    {"cast", "", cast},
    {NULL, NULL, NULL},
};

static const operator_row *find_in(const operator_row *table, uc_str name)
{
    for (; table->name; table++) {
        if (uc_str_is(name, table->name)) return table;
    }
    return NULL;
}

static const operator_row *find(uc_str name)
{
    static const operator_row *const tables[] = {
        rows,
        uc_k_array_rows,
        uc_k_formula_rows,
        uc_k_order_rows,
        uc_k_index_rows,
        uc_k_product_rows,
        uc_k_nn_rows,
        uc_k_picture_rows,
    };
    static const char old[] = "compat.v1.";
    const size_t n = sizeof old - 1;
    if (name.size > n && memcmp(name.data, old, n) == 0) {
        name = (uc_str){name.data + n, name.size - n};
    }
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const operator_row *row = find_in(tables[i], name);
        if (row) return row;
    }
    return NULL;
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
