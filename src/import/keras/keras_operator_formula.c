/* Operators element by element that are a formula of others, and reductions.
 *
 * A formula is written behind its operands: "x Sign x Abs 2 Pow Mul". x and y are the operands, words of small
 * letters settings of the call ("atol=1e-5": that many where it isn't given), numbers constants, the rest
 * operators of ONNX;
 * Sources: keras/src/backend/tensorflow/numpy.py, math.py; tensorflow/python/ops/math_ops.py. */
#include "import/keras/keras_operator.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STACK = 12, WORD = 48 };

typedef struct machine {
    uc_k_call *c;
    uc_ref stack[STACK];
    int depth;
    uc_ref x, y;
} machine;

static void push(machine *m, uc_ref ref)
{
    if (m->depth < STACK) m->stack[m->depth++] = ref;
}

static uc_ref pop(machine *m) { return m->depth ? m->stack[--m->depth] : 0; }

static bool is_pair(const char *op)
{
    static const char *const pairs[] = {"Add",
                                        "Sub",
                                        "Mul",
                                        "Div",
                                        "Pow",
                                        "Max",
                                        "Min",
                                        "And",
                                        "Or",
                                        "Xor",
                                        "Less",
                                        "Greater",
                                        "Equal",
                                        "LessOrEqual",
                                        "GreaterOrEqual",
                                        "BitwiseAnd",
                                        "BitwiseOr",
                                        "BitwiseXor",
                                        "uncork.TfAtan2",
                                        "uncork.TfFloorMod",
                                        "uncork.TfFloorDiv",
                                        "uncork.TfTruncateMod",
                                        "uncork.TfDivNoNan",
                                        "uncork.TfLeftShift",
                                        "uncork.TfRightShift",
                                        "uncork.TfNextAfter",
                                        "uncork.TfXlogy",
                                        "uncork.TfXdivy",
                                        "uncork.TfMulNoNan",
                                        "uncork.TfTruncateDiv"};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (strcmp(op, pairs[i]) == 0) return true;
    }
    return false;
}

static void apply(machine *m, const char *op)
{
    uc_k_call *c = m->c;
    uc_graph *g = c->graph;
    if (strcmp(op, "Where") == 0) {
        const uc_ref b = pop(m), a = pop(m), when = pop(m);
        push(m, uc_g_where(g, when, a, b));
    } else if (strcmp(op, "Copy") == 0) {
        const uc_ref a = pop(m);
        push(m, a);
        push(m, a);
    } else if (strcmp(op, "Float") == 0) {
        const uc_ref a = pop(m);
        push(m, uc_dtype_is_float(uc_k_dtype(c, a)) ? a : uc_g_cast(g, a, UNCORK_FLOAT32));
    } else if (strcmp(op, "Cast") == 0) {
        push(m, uc_g_cast(g, pop(m), c->dtype));
    } else if (strcmp(op, "Bool") == 0) {
        push(m, uc_g_cast(g, pop(m), UNCORK_BOOL));
    } else if (strcmp(op, "Int") == 0) {
        push(m, uc_g_cast(g, pop(m), UNCORK_INT32));
    } else if (is_pair(op)) {
        uc_ref b = pop(m), a = pop(m);
        if (strcmp(op, "Pow") != 0) uc_k_meet(c, &a, &b, strcmp(op, "Div") == 0);
        push(m, uc_g2(g, op, a, b));
    } else {
        push(m, uc_g1(g, op, pop(m)));
    }
}

static void word(machine *m, const char *w)
{
    uc_k_call *c = m->c;
    char name[WORD];
    if (strcmp(w, "x") == 0) {
        push(m, m->x);
    } else if (strcmp(w, "y") == 0) {
        push(m, m->y);
    } else if (w[0] >= 'a' && w[0] <= 'z' && strchr(w, '=')) {
        const size_t n = strcspn(w, "=");
        memcpy(name, w, n);
        name[n] = 0;
        const uc_ref given = uc_k_arg_tensor(c, SIZE_MAX, name);
        push(m, given ? given : uc_k_scalar(c, strtod(w + n + 1, NULL)));
    } else if ((w[0] >= '0' && w[0] <= '9') || w[0] == '-') {
        push(m, uc_k_scalar(c, strtod(w, NULL)));
    } else {
        apply(m, w);
    }
}

static void formula(uc_k_call *c, const uc_k_operator_row *row)
{
    machine m = {.c = c, .x = uc_k_first_operand(c)};
    const char *at = row->op;
    if (strstr(at, " y") || at[0] == 'y') {
        m.y = uc_k_operand(c, 1, "y", "x2");
        if (!m.y && c->in_count > 1) m.y = uc_k_plain(c, c->in[1]);
        if (!m.y) {
            uc_k_fail(c, "it needs two operands");
            return;
        }
        uc_k_meet(c, &m.x, &m.y, false);
    }
    while (*at && !c->graph->status) {
        char w[WORD];
        const size_t n = strcspn(at, " ");
        (void)snprintf(w, sizeof w, "%.*s", (int)n, at);
        word(&m, w);
        at += n + (at[n] == ' ');
    }
    uc_k_set(c, pop(&m));
}

/* tf.math.atan2(y, x): its second operand is called x. */
static void atan2_of(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref x = uc_k_arg_tensor(c, 1, "x");
    if (x)
        uc_k_set(c, uc_g2(c->graph, "uncork.TfAtan2", uc_k_plain(c, c->in[0]), x));
    else
        uc_k_fail(c, "it needs two operands");
}

/* |x - y| <= atol + rtol |y| */
static void close_to(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_first_operand(c), y = uc_k_operand(c, 1, "x2", "y");
    if (!y) {
        uc_k_fail(c, "it needs two operands");
        return;
    }
    const uc_ref rtol = uc_k_scalar(c, uc_k_arg_number(c, 2, "rtol", 1e-5)),
                 atol = uc_k_scalar(c, uc_k_arg_number(c, 3, "atol", 1e-8));
    const uc_ref far = uc_g2(g, "Add", atol, uc_g2(g, "Mul", rtol, uc_g1(g, "Abs", y)));
    uc_k_set(c, uc_g2(g, "LessOrEqual", uc_g1(g, "Abs", uc_g2(g, "Sub", x, y)), far));
}

/* ---- reductions ------------------------------------------------------------------------------ */

/* A reduction: what is done before, ReduceX, what is done after: "Abs ReduceSum". */
static void reduce(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes[UNCORK_MAX_RANK];
    uc_ref x = uc_k_first_operand(c);
    const size_t n = uc_k_arg_axes(c, 1, x, INT64_MIN, axes);
    const bool keep = uc_k_arg_bool(c, 2, "keepdims", false);
    const uncork_dtype dtype = uc_k_dtype(c, x);
    const bool mean = strcmp(row->op, "ReduceMean") == 0;
    if (mean && !uc_dtype_is_float(dtype)) x = uc_g_cast(c->graph, x, UNCORK_FLOAT32);
    if (!mean && dtype == UNCORK_BOOL) x = uc_g_cast(c->graph, x, UNCORK_INT32);
    uc_k_set(c, n ? uc_k_axes(c, row->op, x, axes, n, keep) : x);
}

static void truth(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_g_cast(c->graph, uc_k_first_operand(c), UNCORK_BOOL),
                 whole = uc_g_cast(c->graph, x, UNCORK_INT32);
    const size_t n = uc_k_arg_axes(c, 1, x, INT64_MIN, axes);
    const bool keep = uc_k_arg_bool(c, 2, "keepdims", false),
               count = strcmp(row->op, "ReduceSum") == 0;
    const uc_ref y = uc_k_axes(c, row->op, whole, axes, n, keep);
    const bool wide = c->layer->major < 3 || !c->layer->is_operator;
    uc_k_set(c, !count ? uc_g_cast(c->graph, y, UNCORK_BOOL)
                : wide ? uc_g_cast(c->graph, y, UNCORK_INT64)
                       : y);
}

/* Without those that aren't numbers, which count as `op`'s neutral element; op "0 ReduceSum". */
static void nan_reduce(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes[UNCORK_MAX_RANK];
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_first_operand(c), nan = uc_g1(g, "IsNaN", x);
    const size_t n = uc_k_arg_axes(c, 1, x, INT64_MIN, axes);
    const bool keep = uc_k_arg_bool(c, 2, "keepdims", false);
    const char *op = strchr(row->op, ' ') + 1;
    const bool mean = strcmp(op, "Mean") == 0;
    const uc_ref kept = uc_g_where(g, nan, uc_k_scalar(c, strtod(row->op, NULL)), x);
    uc_ref y = uc_k_axes(c, mean ? "ReduceSum" : op, kept, axes, n, keep);
    if (mean) {
        const uc_ref there = uc_g_cast(g, uc_g1(g, "Not", nan), c->dtype);
        y = uc_g2(g, "Div", y, uc_k_axes(c, "ReduceSum", there, axes, n, keep));
    }
    uc_k_set(c, y);
}

static void spread(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes[UNCORK_MAX_RANK];
    (void)row;
    const uc_ref x = uc_k_first_operand(c);
    const size_t n = uc_k_arg_axes(c, 1, x, INT64_MIN, axes);
    const bool keep = uc_k_arg_bool(c, 2, "keepdims", false);
    uc_k_set(c, uc_g2(c->graph, "Sub", uc_k_axes(c, "ReduceMax", x, axes, n, keep),
                      uc_k_axes(c, "ReduceMin", x, axes, n, keep)));
}

static void average(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes[UNCORK_MAX_RANK], shape[UNCORK_MAX_RANK];
    (void)row;
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_first_operand(c);
    uc_ref w = uc_k_arg_tensor(c, 2, "weights");
    const int rank = uc_k_rank(c, x);
    const size_t n = uc_k_arg_axes(c, 1, x, INT64_MIN, axes);
    if (!w) {
        uc_k_set(c, uc_k_axes(c, "ReduceMean", x, axes, n, false));
        return;
    }
    if (n == 1 && uc_k_rank(c, w) == 1 && uc_k_axis(axes[0], rank) >= 0) {
        for (int i = 0; i < rank; i++) {
            shape[i] = 1;
        }
        shape[uc_k_axis(axes[0], rank)] = -1;
        w = uc_g_reshape(g, w, shape, rank);
    }
    const uc_ref ones = uc_g2(g, "Expand", w, uc_g1(g, "Shape", x));
    uc_k_set(c, uc_g2(g, "Div", uc_k_axes(c, "ReduceSum", uc_g2(g, "Mul", x, w), axes, n, false),
                      uc_k_axes(c, "ReduceSum", ones, axes, n, false)));
}

static void moments(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes[UNCORK_MAX_RANK];
    (void)row;
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_first_operand(c);
    const size_t n = uc_k_arg_axes(c, 1, x, INT64_MIN, axes);
    const bool keep = uc_k_arg_bool(c, 2, "keepdims", false);
    const uc_ref off = uc_g2(g, "Sub", x, uc_k_axes(c, "ReduceMean", x, axes, n, true));
    uc_k_give(c, uc_k_axes(c, "ReduceMean", x, axes, n, keep));
    uc_k_give(c, uc_k_axes(c, "ReduceMean", uc_g2(g, "Mul", off, off), axes, n, keep));
}

/* Of order 1, 2, infinity or any number. */
static uc_ref norm_of(uc_k_call *c, uc_ref x, const uc_json *order, const int64_t *axes, size_t n,
                      bool keep)
{
    uc_graph *g = c->graph;
    const uc_str name = uc_json_str(order, "euclidean");
    const double p =
        order && (order->kind == UC_JSON_INT || order->kind == UC_JSON_FLOAT) ? order->number : 2;
    if (uc_str_is(name, "inf")) return uc_k_axes(c, "ReduceMax", uc_g1(g, "Abs", x), axes, n, keep);
    if (uc_str_is(name, "-inf"))
        return uc_k_axes(c, "ReduceMin", uc_g1(g, "Abs", x), axes, n, keep);
    if (!uc_str_is(name, "euclidean") && !uc_str_is(name, "fro"))
        return uc_k_fail(c, "such a norm");
    if (n == 2 && p != 2) return uc_k_fail(c, "such a norm of a matrix");
    if (p == 1) return uc_k_axes(c, "ReduceL1", x, axes, n, keep);
    if (p == 2) return uc_k_axes(c, "ReduceL2", x, axes, n, keep);
    const uc_ref sum = uc_k_axes(
        c, "ReduceSum", uc_g2(g, "Pow", uc_g1(g, "Abs", x), uc_k_scalar(c, p)), axes, n, keep);
    return uc_g2(g, "Pow", sum, uc_k_scalar(c, 1 / p));
}

static void norm(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes[UNCORK_MAX_RANK];
    (void)row;
    const uc_ref x = uc_k_first_operand(c);
    const size_t n = uc_k_arg_axes(c, 2, x, INT64_MIN, axes);
    uc_k_set(c, norm_of(c, x, uc_k_argument_json(c, 1, "ord"), axes, n,
                        uc_k_arg_bool(c, 3, "keepdims", false)));
}

/* keras.ops.normalize: x / max(norm, epsilon). */
static void normalize(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes[UNCORK_MAX_RANK];
    (void)row;
    const uc_ref x = uc_k_first_operand(c);
    const size_t n = uc_k_arg_axes(c, 1, x, -1, axes);
    const uc_ref y = norm_of(c, x, uc_k_argument_json(c, 2, "order"), axes, n, true);
    const uc_ref least = uc_k_scalar(c, uc_k_arg_number(c, 3, "epsilon", 1e-7));
    uc_k_set(c, uc_g2(c->graph, "Div", x, uc_g2(c->graph, "Max", y, least)));
}

static void add_up(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axis = uc_k_arg_int(c, 1, "axis", INT64_MIN);
    uc_ref x = uc_k_first_operand(c);
    if (axis == INT64_MIN && c->layer->is_operator && c->layer->major >= 3) {
        const int64_t flat = -1;
        x = uc_g_reshape(c->graph, x, &flat, 1);
    }
    if (axis == INT64_MIN) axis = 0;
    const uc_ref in[] = {x, uc_graph_i64(c->graph, axis)};
    uc_node *n = uc_graph_node(c->graph, row->op, in, 2, 1);
    uc_node_int(c->graph, n, "exclusive", uc_k_arg_bool(c, SIZE_MAX, "exclusive", false));
    uc_node_int(c->graph, n, "reverse", uc_k_arg_bool(c, SIZE_MAX, "reverse", false));
    uc_k_set(c, uc_node_out(n, 0));
}

static void clip_cast(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_graph *g = c->graph;
    const uncork_dtype to =
        uc_k_dtype_named(uc_k_arg_text(c, 1, "dtype", "float32"), UNCORK_FLOAT32);
    uc_ref x = uc_k_first_operand(c);
    const int bits = 8 * (int)uc_dtype_size(to);
    if (uc_dtype_is_integer(to) && bits < 32) {
        const bool sign = to == UNCORK_INT8 || to == UNCORK_INT16;
        const double most = (double)((int64_t)1 << (bits - sign)) - 1;
        x = uc_g3(g, "Clip", x, uc_k_scalar(c, sign ? -most - 1 : 0), uc_k_scalar(c, most));
    }
    uc_k_set(c, uc_g_cast(g, x, to));
}

/* round(x, decimals) */
static void round_to(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_graph *g = c->graph;
    const int64_t digits = uc_k_arg_int(c, 1, "decimals", 0);
    double by = 1;
    for (int64_t i = 0; i < (digits < 0 ? -digits : digits) && i < 30; i++) {
        by *= 10;
    }
    const uc_ref x = uc_k_first_operand(c), f = uc_k_scalar(c, by);
    if (!digits) {
        uc_k_set(c, uc_g1(g, "Round", x));
        return;
    }
    const uc_ref scaled = uc_g1(g, "Round", uc_g2(g, digits < 0 ? "Div" : "Mul", x, f));
    uc_k_set(c, uc_g2(g, digits < 0 ? "Mul" : "Div", scaled, f));
}

/* clang-format off */
const uc_k_operator_row uc_k_formula_rows[] = {
    {"Fabs", "x Abs", formula}, {"Arccos", "x Acos", formula}, {"Arcsin", "x Asin", formula}, {"Arctan", "x Atan", formula},
    {"Arccosh", "x Acosh", formula}, {"Arcsinh", "x Asinh", formula}, {"Arctanh", "x Atanh", formula},
    {"Cosh", "x Cosh", formula}, {"Sinh", "x Sinh", formula}, {"Tan", "x Tan", formula}, {"Reciprocal", "x Float Reciprocal", formula},
    {"Cbrt", "x Sign x Abs 0.3333333333333333 Pow Mul", formula}, {"Trunc", "x Sign x Abs Floor Mul", formula},
    {"Deg2rad", "x 0.017453292519943295 Mul", formula}, {"Rad2deg", "x 57.29577951308232 Mul", formula},
    {"Exp2", "2 x Pow", formula}, {"Log2", "x Log 0.6931471805599453 Div", formula}, {"Log10", "x Log 2.302585092994046 Div", formula},
    {"Log1p", "x uncork.TfLog1p", formula}, {"math.log1p", "x uncork.TfLog1p", formula}, {"Expm1", "x uncork.TfExpm1", formula}, {"math.expm1", "x uncork.TfExpm1", formula},
    {"Erfc", "x uncork.TfErfc", formula}, {"math.erfc", "x uncork.TfErfc", formula}, {"Erfinv", "x uncork.TfErfinv", formula}, {"math.erfinv", "x uncork.TfErfinv", formula},
    {"math.lgamma", "x uncork.TfLgamma", formula}, {"math.digamma", "x uncork.TfDigamma", formula}, {"I0", "x uncork.TfBesselI0", formula},
    {"Logaddexp", "x y Max x y Sub Abs Neg Exp uncork.TfLog1p Add", formula},
    {"Logaddexp2", "x y Max 2 x y Sub Abs Neg Pow uncork.TfLog1p 0.6931471805599453 Div Add", formula},
    {"Hypot", "x x Mul y y Mul Add Sqrt", formula}, {"Arctan2", "x y uncork.TfAtan2", formula}, {"math.atan2", "", atan2_of},
    {"Mod", "x y uncork.TfFloorMod", formula}, {"math.floormod", "x y uncork.TfFloorMod", formula}, {"math.mod", "x y uncork.TfFloorMod", formula}, {"__operators__.mod", "x y uncork.TfFloorMod", formula},
    {"Fmod", "x y uncork.TfTruncateMod", formula}, {"DivideNoNan", "x y uncork.TfDivNoNan", formula}, {"math.divide_no_nan", "x y uncork.TfDivNoNan", formula},
    {"FloorDivide", "x y uncork.TfFloorDiv", formula}, {"math.floordiv", "x y uncork.TfFloorDiv", formula}, {"floor_div", "x y uncork.TfFloorDiv", formula},
    {"math.floor_div", "x y uncork.TfFloorDiv", formula}, {"__operators__.floordiv", "x y uncork.TfFloorDiv", formula}, {"math.multiply_no_nan", "x y uncork.TfMulNoNan", formula},
    {"math.xlogy", "x y uncork.TfXlogy", formula}, {"math.xdivy", "x y uncork.TfXdivy", formula}, {"Nextafter", "x y uncork.TfNextAfter", formula},
    {"BitwiseAnd", "x y BitwiseAnd", formula}, {"BitwiseOr", "x y BitwiseOr", formula}, {"BitwiseXor", "x y BitwiseXor", formula}, {"BitwiseNot", "x BitwiseNot", formula}, {"BitwiseInvert", "x BitwiseNot", formula},
    {"LeftShift", "x y uncork.TfLeftShift", formula}, {"BitwiseLeftShift", "x y uncork.TfLeftShift", formula}, {"RightShift", "x y uncork.TfRightShift", formula}, {"BitwiseRightShift", "x y uncork.TfRightShift", formula},
    {"LogicalXor", "x Bool y Bool Xor", formula}, {"math.logical_xor", "x y Xor", formula}, {"math.logical_and", "x y And", formula}, {"math.logical_or", "x y Or", formula}, {"math.logical_not", "x Not", formula},
    {"__operators__.and", "x y And", formula}, {"__operators__.or", "x y Or", formula}, {"__operators__.invert", "x Not", formula},
    {"math.greater", "x y Greater", formula}, {"math.greater_equal", "x y GreaterOrEqual", formula}, {"math.less", "x y Less", formula}, {"math.less_equal", "x y LessOrEqual", formula},
    {"math.equal", "x y Equal", formula}, {"equal", "x y Equal", formula}, {"__operators__.eq", "x y Equal", formula}, {"math.not_equal", "x y Equal Not", formula}, {"__operators__.ne", "x y Equal Not", formula},
    {"Heaviside", "x 0 Equal y x 0 Greater Cast Where", formula}, {"Signbit", "x 0 Less 1 x Div 0 Less Or", formula}, {"Sinc", "x 0 Equal 1 x 3.141592653589793 Mul Sin x 3.141592653589793 Mul Div Where", formula},
    {"Fmax", "x IsNaN y y IsNaN x x y Max Where Where", formula}, {"Fmin", "x IsNaN y y IsNaN x x y Min Where Where", formula},
    {"NanToNum", "x IsNaN nan=0 x 3.4028234663852886e38 Min -3.4028234663852886e38 Max Where", formula},
    {"Isnan", "x IsNaN", formula}, {"math.is_nan", "x IsNaN", formula}, {"Isinf", "x IsInf", formula}, {"math.is_inf", "x IsInf", formula}, {"Isfinite", "x IsInf x IsNaN Or Not", formula}, {"math.is_finite", "x IsInf x IsNaN Or Not", formula},
    {"Isneginf", "x IsInf x 0 Less And", formula}, {"Isposinf", "x IsInf x 0 Greater And", formula}, {"Isreal", "x x Equal x IsNaN Or", formula},
    {"Isclose", "", close_to}, {"Ldexp", "x 2 y Float Pow Mul", formula},
    {"Real", "x", formula}, {"Conjugate", "x", formula}, {"Conj", "x", formula}, {"Copy", "x", formula}, {"View", "x", formula}, {"Imag", "x x Sub", formula}, {"Angle", "x 0 Less 3.141592653589793 0 Where", formula},
    {"ConvertToTensor", "x", formula}, {"convert_to_tensor", "x", formula}, {"Positive", "x", formula}, {"Array", "x", formula},
    {"math.atan", "x Atan", formula}, {"math.asin", "x Asin", formula}, {"math.acos", "x Acos", formula}, {"math.tan", "x Tan", formula}, {"math.sinh", "x Sinh", formula}, {"math.cosh", "x Cosh", formula},
    {"math.asinh", "x Asinh", formula}, {"math.acosh", "x Acosh", formula}, {"math.atanh", "x Atanh", formula}, {"math.ceil", "x Ceil", formula}, {"math.rint", "x Round", formula}, {"round", "x Round", formula},
    {"math.reciprocal", "x Reciprocal", formula}, {"math.reciprocal_no_nan", "1 x uncork.TfDivNoNan", formula}, {"math.xlog1py", "x y uncork.TfLog1p Mul", formula},
    {"math.squared_difference", "x y Sub Copy Mul", formula}, {"math.log_sigmoid", "x Neg Softplus Neg", formula}, {"math.scalar_mul", "x y Mul", formula},
    {"SoftShrink", "x x threshold=0.5 Neg Max threshold=0.5 Min Sub", formula}, {"HardShrink", "x Abs threshold=0.5 Greater x 0 Where", formula},
    {"Threshold", "x threshold=0 Greater x default_value=0 Where", formula}, {"SparsePlus", "x -1 LessOrEqual 0 x 1 Less x 1 Add Copy Mul 0.25 Mul x Where Where", formula},
    {"Squareplus", "x x x Mul b=4 Add Sqrt Add 2 Div", formula}, {"TanhShrink", "x x Tanh Sub", formula}, {"LogSigmoid", "x Neg Softplus Neg", formula}, {"HardTanh", "x -1 Max 1 Min", formula},
    {"SparseSigmoid", "x 1 Add 0.5 Mul 0 Max 1 Min", formula}, {"nn.softsign", "x Softsign", formula}, {"nn.softplus", "x Softplus", formula}, {"nn.swish", "x Swish", formula},
    {"Celu", "x 0 Max x 0 Min alpha=1 Div uncork.TfExpm1 alpha=1 Mul Add", formula}, {"Elu", "x 0 Greater x x 0 Min uncork.TfExpm1 alpha=1 Mul Where", formula},
    {"image.adjust_brightness", "x delta=0 Add", formula}, {"image.adjust_gamma", "x gamma=1 Pow gain=1 Mul", formula}, {"image.convert_image_dtype", "x", formula},
    {"Mean", "ReduceMean", reduce}, {"Sum", "ReduceSum", reduce}, {"Max", "ReduceMax", reduce}, {"Min", "ReduceMin", reduce}, {"Prod", "ReduceProd", reduce}, {"Amax", "ReduceMax", reduce}, {"Amin", "ReduceMin", reduce},
    {"Logsumexp", "ReduceLogSumExp", reduce}, {"math.reduce_mean", "ReduceMean", reduce}, {"math.reduce_sum", "ReduceSum", reduce}, {"math.reduce_max", "ReduceMax", reduce}, {"math.reduce_min", "ReduceMin", reduce},
    {"math.reduce_prod", "ReduceProd", reduce}, {"math.reduce_logsumexp", "ReduceLogSumExp", reduce}, {"math.reduce_euclidean_norm", "ReduceL2", reduce},
    {"Any", "ReduceMax", truth}, {"All", "ReduceMin", truth}, {"math.reduce_any", "ReduceMax", truth}, {"math.reduce_all", "ReduceMin", truth}, {"CountNonzero", "ReduceSum", truth}, {"math.count_nonzero", "ReduceSum", truth},
    {"Nansum", "0 ReduceSum", nan_reduce}, {"Nanprod", "1 ReduceProd", nan_reduce}, {"Nanmax", "-inf ReduceMax", nan_reduce}, {"Nanmin", "inf ReduceMin", nan_reduce}, {"Nanmean", "0 Mean", nan_reduce},
    {"Ptp", "", spread}, {"Average", "", average}, {"Moments", "", moments}, {"nn.moments", "", moments}, {"Norm", "", norm}, {"norm", "", norm}, {"linalg.norm", "", norm}, {"Normalize", "", normalize},
    {"Cumsum", "CumSum", add_up}, {"math.cumsum", "CumSum", add_up}, {"Cumprod", "CumProd", add_up}, {"math.cumprod", "CumProd", add_up},
    {"SaturateCast", "", clip_cast}, {"saturate_cast", "", clip_cast}, {"dtypes.saturate_cast", "", clip_cast}, {"Round", "", round_to}, {"math.round", "", round_to},
    {NULL, NULL, NULL},
};
/* clang-format on */
