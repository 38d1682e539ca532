/* Elementwise operators of one tensor. */
#include "import/pytorch/aten.h"

#include <math.h>

static uc_ref self(uc_aten_call *c) { return uc_aten_operand(c, c->args[0], UNCORK_DTYPE_NONE); }

/* Float functions take integers as float32. */
static uc_ref real(uc_aten_call *c) { return uc_aten_floating(c, self(c)); }

static uc_ref number(uc_aten_call *c, uc_ref like, double v) { return uc_t_scalar(c->b, like, v); }

void uc_aten_unary_float(uc_aten_call *c) { uc_aten_out(c, uc_g1(c->g, c->with, real(c))); }

/* Keeps integers as they are. */
void uc_aten_unary_same(uc_aten_call *c) { uc_aten_out(c, uc_g1(c->g, c->with, self(c))); }

/* Nothing to do for integers. */
void uc_aten_unary_round(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const uncork_dtype t = uc_t_dtype(c->b, x);
    int64_t digits = uc_aten_int(c, "decimals", 0);
    if (!uc_dtype_is_float(t)) {
        uc_aten_out(c, x);
        return;
    }
    if (digits == 0) {
        uc_aten_out(c, uc_g1(c->g, c->with, x));
        return;
    }
    const uc_ref scale = number(c, x, pow(10, (double)(digits < 0 ? -digits : digits)));
    const char *up = digits < 0 ? "Div" : "Mul", *down = digits < 0 ? "Mul" : "Div";
    uc_aten_out(c, uc_g2(c->g, down, uc_g1(c->g, c->with, uc_g2(c->g, up, x, scale)), scale));
}

void uc_aten_act(uc_aten_call *c) { uc_aten_out(c, uc_t_act(c->b, c->with, real(c))); }

void uc_aten_relu(uc_aten_call *c)
{
    const uc_pv v = c->args[0];
    if (v.kind == UC_PV_TENSOR && v.tensor->quant) {
        uc_aten_quant_relu(c);
        return;
    }
    const uc_ref x = self(c);
    if (strcmp(c->with, "relu6") == 0)
        uc_aten_out(c, uc_t_act(c->b, "relu6", x));
    else
        uc_aten_out(c, uc_g1(c->g, "Relu", x));
}

/* Quantised values are one through their real ones. */
static void with_quant(uc_aten_call *c, uc_ref y)
{
    const uc_pv v = c->args[0];
    if (v.kind == UC_PV_TENSOR && v.tensor->quant)
        uc_aten_requantise(c, y, v.tensor->quant);
    else
        uc_aten_out(c, y);
}

void uc_aten_act_quant(uc_aten_call *c) { with_quant(c, uc_t_act(c->b, c->with, real(c))); }

void uc_aten_gelu(uc_aten_call *c)
{
    const bool near = strcmp(uc_aten_text(c, "approximate", "none"), "tanh") == 0;
    uc_aten_out(c, uc_t_act(c->b, near ? "gelu_tanh" : "gelu", real(c)));
}

void uc_aten_leaky_relu(uc_aten_call *c)
{
    const double slope = uc_aten_float(c, "negative_slope", 0.01);
    with_quant(c, uc_t_leaky_relu(c->b, real(c), slope));
}

/* In eval() the slope is the middle of its range. */
void uc_aten_rrelu(uc_aten_call *c)
{
    const double low = uc_aten_float(c, "lower", 0.125), high = uc_aten_float(c, "upper", 1.0 / 3);
    uc_aten_out(c, uc_t_leaky_relu(c->b, real(c), (low + high) / 2));
}

void uc_aten_elu(uc_aten_call *c)
{
    const double alpha = uc_aten_float(c, "alpha", 1), scale = uc_aten_float(c, "scale", 1);
    with_quant(c, uc_t_elu(c->b, real(c), alpha, scale, uc_aten_float(c, "input_scale", 1)));
}

void uc_aten_celu(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_celu(c->b, real(c), uc_aten_float(c, "alpha", 1)));
}

void uc_aten_softplus(uc_aten_call *c)
{
    const double beta = uc_aten_float(c, "beta", 1);
    uc_aten_out(c, uc_t_softplus(c->b, real(c), beta, uc_aten_float(c, "threshold", 20)));
}

void uc_aten_hardshrink(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_hardshrink(c->b, real(c), uc_aten_float(c, "lambd", 0.5)));
}

void uc_aten_softshrink(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_softshrink(c->b, real(c), uc_aten_float(c, "lambd", 0.5)));
}

void uc_aten_threshold(uc_aten_call *c)
{
    const double at = uc_aten_float(c, "threshold", 0);
    uc_aten_out(c, uc_t_threshold(c->b, self(c), at, uc_aten_float(c, "value", 0)));
}

void uc_aten_prelu(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_prelu(c->b, self(c), uc_aten_in(c, "weight")));
}

void uc_aten_glu(uc_aten_call *c)
{
    uc_aten_out(c, uc_t_glu(c->b, self(c), uc_aten_int(c, "dim", -1)));
}

void uc_aten_hardtanh(uc_aten_call *c)
{
    const double low = uc_aten_float(c, "min_val", -1), high = uc_aten_float(c, "max_val", 1);
    with_quant(c, uc_t_clamp(c->b, self(c), low, high));
}

/* ---- combinations ---------------------------------------------------------------------------- */

void uc_aten_square(uc_aten_call *c)
{
    const uc_ref x = self(c);
    uc_aten_out(c, uc_g2(c->g, "Mul", x, x));
}

void uc_aten_rsqrt(uc_aten_call *c)
{
    uc_aten_out(c, uc_g1(c->g, "Reciprocal", uc_g1(c->g, "Sqrt", real(c))));
}

void uc_aten_log_base(uc_aten_call *c)
{
    const uc_ref y = uc_g1(c->g, "Log", real(c));
    const double base = strcmp(c->with, "2") == 0 ? 2 : 10;
    uc_aten_out(c, uc_g2(c->g, "Div", y, number(c, y, log(base))));
}

void uc_aten_exp2(uc_aten_call *c)
{
    const uc_ref x = real(c);
    uc_aten_out(c, uc_g2(c->g, "Pow", number(c, x, 2), x));
}

void uc_aten_erfc(uc_aten_call *c)
{
    const uc_ref x = real(c);
    uc_aten_out(c, uc_g2(c->g, "Sub", number(c, x, 1), uc_g1(c->g, "Erf", x)));
}

static uc_ref trunc_of(uc_aten_call *c, uc_ref x)
{
    const uc_ref whole = uc_g1(c->g, "Floor", uc_g1(c->g, "Abs", x));
    return uc_g2(c->g, "Mul", uc_g1(c->g, "Sign", x), whole);
}

void uc_aten_trunc(uc_aten_call *c)
{
    const uc_ref x = self(c);
    uc_aten_out(c, uc_dtype_is_float(uc_t_dtype(c->b, x)) ? trunc_of(c, x) : x);
}

void uc_aten_frac(uc_aten_call *c)
{
    const uc_ref x = self(c);
    uc_aten_out(c, uc_g2(c->g, "Sub", x, trunc_of(c, x)));
}

void uc_aten_scaled(uc_aten_call *c)
{
    const uc_ref x = real(c);
    const double pi = 3.14159265358979323846;
    const double by = strcmp(c->with, "deg2rad") == 0 ? pi / 180 : 180 / pi;
    uc_aten_out(c, uc_g2(c->g, "Mul", x, number(c, x, by)));
}

void uc_aten_logit(uc_aten_call *c)
{
    uc_ref x = real(c);
    if (uc_aten_has(c, "eps")) {
        const double eps = uc_aten_float(c, "eps", 0);
        x = uc_t_clamp(c->b, x, eps, 1 - eps);
    }
    const uc_ref other = uc_g2(c->g, "Sub", number(c, x, 1), x);
    uc_aten_out(c, uc_g1(c->g, "Log", uc_g2(c->g, "Div", x, other)));
}

void uc_aten_sinc(uc_aten_call *c)
{
    const uc_ref x = real(c);
    const uc_ref zero = uc_g2(c->g, "Equal", x, number(c, x, 0));
    const uc_ref pix = uc_g2(c->g, "Mul", x, number(c, x, 3.14159265358979323846));
    const uc_ref y = uc_g2(c->g, "Div", uc_g1(c->g, "Sin", pix), pix);
    uc_aten_out(c, uc_g_where(c->g, zero, number(c, x, 1), y));
}

/* ---- tests ----------------------------------------------------------------------------------- */

static uc_ref bools(uc_aten_call *c, uc_ref x)
{
    return uc_t_dtype(c->b, x) == UNCORK_BOOL ? x : uc_t_cast(c->b, x, UNCORK_BOOL);
}

void uc_aten_logical_not(uc_aten_call *c) { uc_aten_out(c, uc_g1(c->g, "Not", bools(c, self(c)))); }

void uc_aten_bitwise_not(uc_aten_call *c)
{
    const uc_ref x = self(c);
    uc_aten_out(c, uc_g1(c->g, uc_t_dtype(c->b, x) == UNCORK_BOOL ? "Not" : "BitwiseNot", x));
}

void uc_aten_isnan(uc_aten_call *c)
{
    const uc_ref x = real(c);
    if (strcmp(c->with, "nan") == 0) {
        uc_aten_out(c, uc_g1(c->g, "IsNaN", x));
    } else if (strcmp(c->with, "finite") == 0) {
        const uc_ref bad = uc_g2(c->g, "Or", uc_g1(c->g, "IsNaN", x), uc_g1(c->g, "IsInf", x));
        uc_aten_out(c, uc_g1(c->g, "Not", bad));
    } else {
        uc_node *n = uc_graph_node(c->g, "IsInf", &x, 1, 1);
        if (strcmp(c->with, "+") == 0) uc_node_int(c->g, n, "detect_negative", 0);
        if (strcmp(c->with, "-") == 0) uc_node_int(c->g, n, "detect_positive", 0);
        uc_aten_out(c, uc_node_out(n, 0));
    }
}

void uc_aten_signbit(uc_aten_call *c)
{
    const uc_ref x = self(c);
    uc_aten_out(c, uc_g2(c->g, "Less", x, number(c, x, 0)));
}

void uc_aten_nan_to_num(uc_aten_call *c)
{
    const uc_ref x = self(c);
    if (!uc_dtype_is_float(uc_t_dtype(c->b, x))) {
        uc_aten_out(c, x);
        return;
    }
    const bool wide = uc_t_dtype(c->b, x) == UNCORK_FLOAT64;
    const double most = wide ? 1.7976931348623157e308 : 3.4028234663852886e38;
    const double nan = uc_aten_float(c, "nan", 0), high = uc_aten_float(c, "posinf", most);
    const double low = uc_aten_float(c, "neginf", -most);
    const uc_ref inf = number(c, x, (double)INFINITY), minf = number(c, x, -(double)INFINITY);
    uc_ref y = uc_g_where(c->g, uc_g1(c->g, "IsNaN", x), number(c, x, nan), x);
    y = uc_g_where(c->g, uc_g2(c->g, "Equal", x, inf), number(c, x, high), y);
    uc_aten_out(c, uc_g_where(c->g, uc_g2(c->g, "Equal", x, minf), number(c, x, low), y));
}

/* ---- clamping -------------------------------------------------------------------------------- */

static uc_ref bound_of(uc_aten_call *c, const char *name, uncork_dtype dtype)
{
    return uc_aten_has(c, name) ? uc_aten_operand(c, uc_aten_arg(c, name), dtype) : 0;
}

static bool is_plain(uc_pv v)
{
    return v.kind == UC_PV_NONE || v.kind == UC_PV_UNSET || uc_pv_is(v, UC_PV_INT) ||
           uc_pv_is(v, UC_PV_FLOAT);
}

void uc_aten_clamp(uc_aten_call *c)
{
    const uc_pv low = uc_aten_arg(c, "min"), high = uc_aten_arg(c, "max");
    uncork_dtype t = UNCORK_DTYPE_NONE;
    uc_ref x = self(c);
    if (is_plain(low) && is_plain(high) && uc_dtype_is_float(uc_t_dtype(c->b, x))) {
        const double nan = (double)NAN;
        const double a = uc_aten_float(c, "min", nan), b = uc_aten_float(c, "max", nan);
        with_quant(c, uc_t_clamp(c->b, x, a, b));
        return;
    }
    t = uc_t_dtype(c->b, x);
    if (low.kind != UC_PV_UNSET && low.kind != UC_PV_NONE) t = uc_aten_promote(c, c->args[0], low);
    if (high.kind == UC_PV_FLOAT || high.kind == UC_PV_TENSOR)
        t = uc_dtype_is_float(t) ? t : uc_aten_promote(c, c->args[0], high);
    if (uc_t_dtype(c->b, x) != t) x = uc_t_cast(c->b, x, t);
    const uc_ref a = bound_of(c, "min", t), b = bound_of(c, "max", t);
    if (a) x = uc_g2(c->g, "Max", x, a);
    uc_aten_out(c, b ? uc_g2(c->g, "Min", x, b) : x);
}

/* ---- kept as they are ------------------------------------------------------------------------ */

/* Dropout and what else does nothing to values in eval(). */
void uc_aten_same(uc_aten_call *c) { c->result = c->args[0]; }

void uc_aten_dropout(uc_aten_call *c)
{
    const char *names[] = {"train", "training"};
    for (int i = 0; i < 2; i++) {
        if (uc_aten_bool(c, names[i], false) && !c->ev->constructing) {
            const double p = uc_aten_float(c, "p", 0.5);
            if (p > 0) {
                uc_aten_fail(c,
                             "it drops at random while training, which a prediction can't repeat");
                return;
            }
        }
    }
    c->result = c->args[0];
}

void uc_aten_digamma(uc_aten_call *c)
{
    const uc_ref x = real(c);
    const uc_ref wide = uc_t_cast(c->b, x, UNCORK_FLOAT64);
    uc_aten_out(c, uc_t_cast(c->b, uc_g1(c->g, "uncork.Digamma", wide), uc_t_dtype(c->b, x)));
}
