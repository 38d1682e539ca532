/* Functions that a Lambda calls, by what people call them: of TensorFlow, the Keras backend, keras.ops and
 * NumPy (of numbers). They become the operators of keras_operator.c. */
#include "import/keras/keras_bytecode.h"
#include "import/keras/keras_operator.h"

#include <math.h>
#include <stdio.h>

#define ARGUMENTS_MAX 16

/* Calls under another name; "=" what is the same everywhere. */
/* clang-format off */
static const char *const functions[][2] = {
    {"relu", "nn.relu"}, {"relu6", "nn.relu6"}, {"sigmoid", "nn.sigmoid"}, {"tanh", "nn.tanh"}, {"softmax", "nn.softmax"},
    {"elu", "nn.elu"}, {"selu", "nn.selu"}, {"gelu", "nn.gelu"}, {"silu", "nn.silu"}, {"swish", "nn.silu"},
    {"softplus", "math.softplus"}, {"softsign", "Softsign"}, {"leaky_relu", "nn.leaky_relu"}, {"log_softmax", "LogSoftmax"},
    {"exp", "math.exp"}, {"log", "math.log"}, {"sqrt", "math.sqrt"}, {"rsqrt", "math.rsqrt"}, {"square", "math.square"},
    {"sin", "math.sin"}, {"cos", "math.cos"}, {"abs", "math.abs"}, {"negative", "math.negative"}, {"neg", "math.negative"},
    {"floor", "math.floor"}, {"ceil", "Ceil"}, {"round", "math.round"}, {"sign", "math.sign"}, {"erf", "math.erf"},
    {"log1p", "math.log1p"}, {"expm1", "math.expm1"}, {"reciprocal", "Reciprocal"}, {"logical_not", "LogicalNot"},
    {"mean", "math.reduce_mean"}, {"reduce_mean", "math.reduce_mean"}, {"sum", "math.reduce_sum"},
    {"reduce_sum", "math.reduce_sum"}, {"max", "math.reduce_max"}, {"reduce_max", "math.reduce_max"},
    {"min", "math.reduce_min"}, {"reduce_min", "math.reduce_min"}, {"prod", "math.reduce_prod"},
    {"reduce_prod", "math.reduce_prod"}, {"argmax", "math.argmax"}, {"argmin", "math.argmin"},
    {"std", "math.reduce_std"}, {"reduce_std", "math.reduce_std"}, {"var", "math.reduce_variance"},
    {"variance", "math.reduce_variance"}, {"reduce_variance", "math.reduce_variance"},
    {"logsumexp", "math.reduce_logsumexp"}, {"reduce_logsumexp", "math.reduce_logsumexp"},
    {"add", "math.add"}, {"subtract", "math.subtract"}, {"multiply", "math.multiply"}, {"mul", "math.multiply"},
    {"divide", "math.divide"}, {"div", "math.divide"}, {"truediv", "math.divide"}, {"true_divide", "math.divide"}, {"pow", "math.pow"},
    {"power", "math.pow"}, {"maximum", "math.maximum"}, {"minimum", "math.minimum"}, {"matmul", "linalg.matmul"},
    {"dot", "linalg.matmul"}, {"equal", "Equal"}, {"not_equal", "NotEqual"}, {"greater", "Greater"},
    {"greater_equal", "GreaterEqual"}, {"less", "Less"}, {"less_equal", "LessEqual"}, {"logical_and", "LogicalAnd"},
    {"logical_or", "LogicalOr"}, {"squared_difference", "math.squared_difference"}, {"floordiv", "math.floordiv"}, {"add_n", "math.add_n"},
    {"reshape", "reshape"}, {"transpose", "transpose"}, {"permute_dimensions", "transpose"},
    {"expand_dims", "expand_dims"}, {"squeeze", "squeeze"}, {"concatenate", "concat"}, {"concat", "concat"}, {"stack", "stack"},
    {"clip", "clip_by_value"}, {"clip_by_value", "clip_by_value"}, {"cast", "cast"}, {"batch_flatten", "batch_flatten"},
    {"tile", "tile"}, {"repeat_elements", "repeat"}, {"repeat", "repeat"}, {"reverse", "reverse"}, {"flip", "reverse"},
    {"gather", "gather"}, {"take", "gather"}, {"l2_normalize", "math.l2_normalize"}, {"norm", "norm"},
    {"normalize", "Normalize"}, {"zeros_like", "zeros_like"}, {"ones_like", "ones_like"}, {"where", "where"}, {"switch", "where"},
    {"one_hot", "one_hot"}, {"split", "split"}, {"unstack", "unstack"}, {"pad", "pad"},
    {"spatial_2d_padding", "spatial_2d_padding"}, {"identity", "identity"}, {"stop_gradient", "identity"},
    {"resize", "image.resize"}, {"resize_images", "resize_images"}, {"resize_bilinear", "image.resize_bilinear"},
    {"resize_nearest_neighbor", "image.resize_nearest_neighbor"}, {"depth_to_space", "nn.depth_to_space"},
    {"space_to_depth", "nn.space_to_depth"}, {"rgb_to_grayscale", "image.rgb_to_grayscale"},
    {"per_image_standardization", "image.per_image_standardization"}, {"convert_to_tensor", "identity"},
};
/* clang-format on */

/* Keywords of other versions. */
static const char *const keywords[][2] = {
    {"keep_dims", "keepdims"}, {"reduction_indices", "axis"}, {"dim", "axis"},
    {"new_shape", "shape"},    {"newshape", "shape"},         {"pattern", "axes"},
    {"perm", "axes"},          {"min_value", "x_min"},        {"max_value", "x_max"},
    {"rep", "repeats"},        {"multiples", "repeats"}};

typedef struct jsons {
    uc_py_machine *m;
    uc_k_held *held;
    size_t held_count, held_capacity;
    uc_k_value in[ARGUMENTS_MAX];
    size_t in_count;
} jsons;

static uc_json *new_json(jsons *j, uc_json_kind kind)
{
    uc_json *v = UC_NEW(j->m->call->graph->arena, uc_json, 1);
    if (v) v->kind = kind;
    return v;
}

static uc_json *hold(jsons *j, uc_k_value value)
{
    uc_json *v = new_json(j, UC_JSON_OBJECT);
    uc_k_held *held = uc_arena_grow(j->m->call->graph->arena, j->held, &j->held_capacity,
                                    j->held_count + 1, sizeof *held);
    if (!v || !held || j->in_count >= ARGUMENTS_MAX) return NULL;
    j->held = held;
    held[j->held_count++] = (uc_k_held){v, value};
    j->in[j->in_count++] = value;
    return v;
}

static uc_json *json_of(jsons *j, const uc_pv *v, int depth)
{
    uc_json *out;
    switch (v->kind) {
    case UC_PV_TENSOR: return hold(j, v->tensor);
    case UC_PV_INT:
    case UC_PV_FLOAT:
    case UC_PV_BOOL:
        out = new_json(j, v->kind == UC_PV_INT     ? UC_JSON_INT
                          : v->kind == UC_PV_FLOAT ? UC_JSON_FLOAT
                                                   : UC_JSON_BOOL);
        if (!out) return NULL;
        out->integer = v->integer;
        out->number = v->number;
        out->boolean = v->integer != 0;
        return out;
    case UC_PV_TEXT:
        out = new_json(j, UC_JSON_STRING);
        if (out) out->string = v->text;
        return out;
    case UC_PV_NAME: { /* tf.float32 */
        const char *dot = NULL;
        out = new_json(j, UC_JSON_STRING);
        for (size_t i = 0; i < v->text.size; i++) {
            if (v->text.data[i] == '.') dot = v->text.data + i + 1;
        }
        if (out)
            out->string =
                dot ? (uc_str){dot, (size_t)(v->text.data + v->text.size - dot)} : v->text;
        return out;
    }
    case UC_PV_NONE: return new_json(j, UC_JSON_NULL);
    case UC_PV_LIST:
        out = new_json(j, UC_JSON_ARRAY);
        if (!out || depth > 4) return NULL;
        out->items = UC_NEW(j->m->call->graph->arena, uc_json *, v->count);
        for (; out->items && out->count < v->count; out->count++) {
            out->items[out->count] = json_of(j, &v->items[out->count], depth + 1);
            if (!out->items[out->count]) return NULL;
        }
        return out->items ? out : NULL;
    case UC_PV_NULL:
    case UC_PV_SLICE:
    case UC_PV_ELLIPSIS:
    case UC_PV_METHOD:
    case UC_PV_ANY: break;
    }
    return NULL;
}

static uc_str keyword(uc_str name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (uc_str_is(name, keywords[i][0])) return uc_str_of(keywords[i][1]);
    }
    return name;
}

/* A shape with a tensor's own length in it: tf.shape(x)[0], or None. */
static bool reshape_free(uc_py_machine *m, const uc_pv_arguments *a, uc_pv *out)
{
    int64_t shape[UNCORK_MAX_RANK];
    const uc_pv *list = &a->items[1];
    size_t infer = 0;
    for (size_t i = 0; i < list->count && i < UNCORK_MAX_RANK; i++) {
        const uc_pv *v = &list->items[i];
        shape[i] = v->kind == UC_PV_INT ? v->integer : i == 0 ? 0 : -1;
        infer += shape[i] == -1;
    }
    if (infer > 1 || list->count > UNCORK_MAX_RANK)
        return uc_py_lost(m, "a shape that is computed");
    uc_k_call *c = m->call;
    *out = uc_pv_tensor(
        c, uc_g_reshape(c->graph, uc_k_plain(c, a->items[0].tensor), shape, (int)list->count));
    return true;
}

static bool call_operator(uc_py_machine *m, const char *name, const uc_pv_arguments *a, uc_pv *out)
{
    uc_k_call *c = m->call, inner = *c;
    jsons j = {.m = m};
    uc_json *args = new_json(&j, UC_JSON_ARRAY), *kwargs = new_json(&j, UC_JSON_OBJECT);
    const size_t plain = a->count - a->named;
    if (!args || !kwargs) return uc_py_lost(m, "no memory");
    args->items = UC_NEW(c->graph->arena, uc_json *, a->count + 1);
    kwargs->items = UC_NEW(c->graph->arena, uc_json *, a->count + 1);
    kwargs->keys = UC_NEW(c->graph->arena, uc_str, a->count + 1);
    if (!args->items || !kwargs->items || !kwargs->keys) return uc_py_lost(m, "no memory");
    for (size_t i = 0; i < a->count; i++) {
        uc_json *v = json_of(&j, &a->items[i], 0);
        if (!v) return uc_py_lost(m, "an argument of %s that isn't known", name);
        const bool first = i >= plain && args->count == 0 &&
                           (a->items[i].kind == UC_PV_TENSOR || a->items[i].kind == UC_PV_LIST) &&
                           j.in_count;
        if (i < plain || first) {
            args->items[args->count++] = v;
        } else {
            kwargs->keys[kwargs->count] = keyword(a->names[i - plain]);
            kwargs->items[kwargs->count++] = v;
        }
    }
    inner.args = args;
    inner.kwargs = kwargs;
    inner.held = j.held;
    inner.held_count = j.held_count;
    inner.in = j.in;
    inner.in_count = j.in_count;
    inner.out_count = 0;
    if (j.in_count == 0) return uc_py_lost(m, "%s of no tensor", name);
    const uncork_dtype dtype = uc_k_dtype(c, j.in[0].ref);
    if (uc_dtype_is_float(dtype) || uc_dtype_is_integer(dtype)) inner.dtype = dtype;
    if (!uc_k_call_operator(&inner, uc_str_of(name))) return uc_py_lost(m, "the function %s", name);
    if (c->graph->status || inner.out_count == 0) return false;
    if (inner.out_count == 1) {
        *out = (uc_pv){.kind = UC_PV_TENSOR, .tensor = inner.out[0]};
        return true;
    }
    uc_pv *items = UC_NEW(c->graph->arena, uc_pv, inner.out_count);
    if (!items) return uc_py_lost(m, "no memory");
    for (size_t i = 0; i < inner.out_count; i++) {
        items[i] = (uc_pv){.kind = UC_PV_TENSOR, .tensor = inner.out[i]};
    }
    *out = (uc_pv){.kind = UC_PV_LIST, .items = items, .count = inner.out_count};
    return true;
}

/* ---- what takes no tensor, or not as an operator ---- */

static bool of_numbers(uc_py_machine *m, uc_str name, const uc_pv_arguments *a, uc_pv *out)
{
    static const struct {
        const char *name;
        double (*of)(double);
    } rows[] = {{"sqrt", sqrt}, {"exp", exp},  {"log", log},    {"floor", floor},
                {"ceil", ceil}, {"abs", fabs}, {"float", NULL}, {"float32", NULL}};
    if (a->count != 1 || (a->items[0].kind != UC_PV_INT && a->items[0].kind != UC_PV_FLOAT))
        return false;
    const double v = a->items[0].number;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!uc_str_is(name, rows[i].name)) continue;
        *out = uc_pv_float(rows[i].of ? rows[i].of(v) : v);
        return true;
    }
    if (!uc_str_is(name, "int")) return false;
    (void)m;
    *out = uc_pv_int((int64_t)v);
    return true;
}

/* Shapes, constants, lists. */
static bool of_python(uc_py_machine *m, uc_str name, const uc_pv_arguments *a, uc_pv *out,
                      bool *known)
{
    const uc_pv *x = a->count ? &a->items[0] : NULL;
    *known = true;
    if (x && x->kind == UC_PV_TENSOR && (uc_str_is(name, "int_shape") || uc_str_is(name, "shape")))
        return uc_pv_attribute(m, x, uc_str_of("shape"), out);
    if (x && x->kind == UC_PV_TENSOR && uc_str_is(name, "ndim")) {
        *out = uc_pv_int(uc_k_rank(m->call, x->tensor.ref));
        return true;
    }
    const bool constant = uc_str_is(name, "constant") || uc_str_is(name, "array") ||
                          uc_str_is(name, "variable") || uc_str_is(name, "convert_to_tensor") ||
                          uc_str_is(name, "list") || uc_str_is(name, "tuple") ||
                          uc_str_is(name, "asarray") || uc_str_is(name, "cast_to_floatx");
    if (x && x->kind != UC_PV_TENSOR && constant) {
        *out = *x;
        return true;
    }
    if (x && x->kind == UC_PV_LIST && uc_str_is(name, "len")) {
        *out = uc_pv_int((int64_t)x->count);
        return true;
    }
    if (a->count == 0 && uc_str_is(name, "epsilon")) {
        *out = uc_pv_float(1e-7);
        return true;
    }
    if (a->count == 0 && (uc_str_is(name, "floatx") || uc_str_is(name, "image_data_format"))) {
        *out = (uc_pv){.kind = UC_PV_TEXT,
                       .text = uc_str_of(uc_str_is(name, "floatx") ? "float32" : "channels_last")};
        return true;
    }
    if (uc_str_is(name, "slice") && a->count >= 1 && a->count <= 3 && x->kind != UC_PV_TENSOR) {
        *out = (uc_pv){.kind = UC_PV_SLICE, .items = a->items, .count = a->count};
        return a->count > 1 || uc_py_lost(m, "a slice of one bound");
    }
    *known = false;
    return false;
}

static bool call_method(uc_py_machine *m, const uc_pv *method, uc_pv *out)
{
    const uc_pv *self = &method->items[0];
    if (self->kind == UC_PV_TENSOR && uc_str_is(method->text, "get_shape"))
        return uc_pv_attribute(m, self, uc_str_of("shape"), out);
    if (self->kind == UC_PV_LIST && uc_str_is(method->text, "as_list")) {
        *out = *self;
        return true;
    }
    return uc_py_lost(m, "the method %.60s", method->text.data);
}

bool uc_pv_call(uc_py_machine *m, const uc_pv *function, const uc_pv_arguments *a, uc_pv *out)
{
    if (function->kind == UC_PV_METHOD) return call_method(m, function, out);
    if (function->kind != UC_PV_NAME || a->count > ARGUMENTS_MAX)
        return uc_py_lost(m, "a call of what is no function");
    const uc_str path = function->text;
    uc_str name = path;
    for (size_t i = 0; i < path.size; i++) {
        if (path.data[i] == '.') name = (uc_str){path.data + i + 1, path.size - i - 1};
    }
    bool known;
    if (of_numbers(m, name, a, out)) return true;
    if (of_python(m, name, a, out, &known) || known) return !m->why[0];
    if (uc_str_is(name, "reshape") && a->count == 2 && a->items[0].kind == UC_PV_TENSOR &&
        a->items[1].kind == UC_PV_LIST)
        return reshape_free(m, a, out);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (uc_str_is(name, functions[i][0])) return call_operator(m, functions[i][1], a, out);
    }
    return uc_py_lost(m, "the function %.*s", (int)(path.size < 100 ? path.size : 100), path.data);
}
