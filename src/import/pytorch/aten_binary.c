/* Elementwise operators of two tensors or numbers, with torch's promotion of types. */
#include "import/pytorch/aten.h"

typedef struct pair {
    uc_ref x, y;
    uncork_dtype dtype;
} pair;

static pair operands(uc_aten_call *c, uncork_dtype at_least)
{
    uncork_dtype t = uc_aten_promote(c, c->args[0], c->args[1]);
    if (at_least == UNCORK_FLOAT32 && !uc_dtype_is_float(t)) t = UNCORK_FLOAT32;
    if (at_least == UNCORK_INT64 && t == UNCORK_BOOL) t = UNCORK_INT64;
    pair p = {.dtype = t};
    p.x = uc_aten_operand(c, c->args[0], t);
    p.y = uc_aten_operand(c, c->args[1], t);
    return p;
}

static bool quantised(uc_aten_call *c)
{
    return (c->args[0].kind == UC_PV_TENSOR && c->args[0].tensor->quant) ||
           (c->args[1].kind == UC_PV_TENSOR && c->args[1].tensor->quant);
}

void uc_aten_arithmetic(uc_aten_call *c)
{
    const uc_pv a = c->args[0], b = c->args[1];
    if (quantised(c) && a.kind == UC_PV_TENSOR && b.kind != UC_PV_TENSOR) {
        uc_aten_quant_scalar(c);
        return;
    }
    const bool logic = strcmp(c->with, "Mul") == 0 || strcmp(c->with, "Add") == 0;
    pair p = operands(c, UNCORK_DTYPE_NONE);
    if (p.dtype == UNCORK_BOOL && logic) {
        uc_aten_out(c, uc_g2(c->g, c->with[0] == 'M' ? "And" : "Or", p.x, p.y));
        return;
    }
    const uc_pv alpha = uc_aten_arg(c, "alpha");
    const bool one = alpha.kind == UC_PV_UNSET || alpha.kind == UC_PV_NONE ||
                     (uc_pv_is(alpha, UC_PV_INT) && alpha.i == 1) ||
                     (uc_pv_is(alpha, UC_PV_FLOAT) && alpha.f == 1);
    if (!one) {
        const uc_ref by = uc_aten_operand(c, alpha, p.dtype);
        if (strcmp(c->name, "rsub") == 0)
            p.x = uc_g2(c->g, "Mul", p.x, by);
        else
            p.y = uc_g2(c->g, "Mul", p.y, by);
    }
    if (strcmp(c->name, "rsub") == 0)
        uc_aten_out(c, uc_g2(c->g, "Sub", p.y, p.x));
    else
        uc_aten_out(c, uc_g2(c->g, c->with, p.x, p.y));
}

static uc_ref truncated(uc_aten_call *c, uc_ref q)
{
    return uc_g2(c->g, "Mul", uc_g1(c->g, "Sign", q), uc_g1(c->g, "Floor", uc_g1(c->g, "Abs", q)));
}

/* Integers: floor(x / y). */
static uc_ref floor_int(uc_aten_call *c, pair p)
{
    const uc_ref rest = uc_g2(c->g, "Mod", p.x, p.y);
    return uc_g2(c->g, "Div", uc_g2(c->g, "Sub", p.x, rest), p.y);
}

void uc_aten_div(uc_aten_call *c)
{
    const char *mode = uc_aten_text(c, "rounding_mode", "");
    /* Files before version 4 divide integers as floor_divide's successor didn't: toward zero. */
    const bool old =
        c->ev->script && c->ev->file_version < 4 && !mode[0] && strcmp(c->name, "true_divide") != 0;
    if (mode[0] || old) {
        pair p = operands(c, UNCORK_INT64);
        const bool whole = !uc_dtype_is_float(p.dtype);
        if (old && !whole) {
            uc_aten_out(c, uc_g2(c->g, "Div", p.x, p.y));
        } else if (strcmp(mode, "floor") == 0) {
            uc_aten_out(c, whole ? floor_int(c, p)
                                 : uc_g1(c->g, "Floor", uc_g2(c->g, "Div", p.x, p.y)));
        } else {
            const uc_ref q = uc_g2(c->g, "Div", p.x, p.y);
            uc_aten_out(c, whole ? q : truncated(c, q));
        }
        return;
    }
    const pair p = operands(c, UNCORK_FLOAT32);
    uc_aten_out(c, uc_g2(c->g, "Div", p.x, p.y));
}

void uc_aten_floor_divide(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_INT64);
    if (c->ev->script && c->ev->file_version < 10) { /* it rounded toward zero before 1.13 */
        const uc_ref q = uc_g2(c->g, "Div", p.x, p.y);
        uc_aten_out(c, uc_dtype_is_float(p.dtype) ? truncated(c, q) : q);
        return;
    }
    if (!uc_dtype_is_float(p.dtype))
        uc_aten_out(c, floor_int(c, p));
    else
        uc_aten_out(c, uc_g1(c->g, "Floor", uc_g2(c->g, "Div", p.x, p.y)));
}

/* remainder has the divisor's sign, fmod the dividend's. */
void uc_aten_remainder(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_INT64);
    const uc_ref in[] = {p.x, p.y};
    const bool real = uc_dtype_is_float(p.dtype), fmod = strcmp(c->name, "fmod") == 0;
    uc_node *n = uc_graph_node(c->g, "Mod", in, 2, 1);
    uc_node_int(c->g, n, "fmod", fmod || real);
    uc_ref r = uc_node_out(n, 0);
    if (!real || fmod) {
        uc_aten_out(c, r);
        return;
    }
    const uc_ref zero = uc_t_scalar(c->b, r, 0);
    const uc_ref differ =
        uc_g2(c->g, "Xor", uc_g2(c->g, "Less", r, zero), uc_g2(c->g, "Less", p.y, zero));
    const uc_ref some = uc_g1(c->g, "Not", uc_g2(c->g, "Equal", r, zero));
    r = uc_g_where(c->g, uc_g2(c->g, "And", differ, some), uc_g2(c->g, "Add", r, p.y), r);
    uc_aten_out(c, r);
}

void uc_aten_pow(uc_aten_call *c)
{
    const uc_pv e = c->args[1];
    const bool real = strcmp(c->name, "float_power") == 0;
    if (!real && c->args[0].kind == UC_PV_TENSOR && e.kind != UC_PV_TENSOR && !e.symbolic) {
        const double v = e.kind == UC_PV_FLOAT ? e.f
                         : e.kind == UC_PV_INT ? (double)e.i
                                               : (double)e.b;
        uc_ref x = uc_aten_operand(c, c->args[0], UNCORK_DTYPE_NONE);
        if (v == 2 && e.kind == UC_PV_INT && uc_t_dtype(c->b, x) != UNCORK_BOOL) {
            uc_aten_out(c, uc_g2(c->g, "Mul", x, x));
            return;
        }
        if (v == 0.5) {
            uc_aten_out(c, uc_g1(c->g, "Sqrt", uc_aten_floating(c, x)));
            return;
        }
    }
    pair p = operands(c, UNCORK_INT64);
    if (real) {
        p.x = uc_t_cast(c->b, p.x, UNCORK_FLOAT64);
        p.y = uc_t_cast(c->b, p.y, UNCORK_FLOAT64);
    }
    uc_aten_out(c, uc_g2(c->g, "Pow", p.x, p.y));
}

void uc_aten_compare(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_DTYPE_NONE);
    const bool negate = strcmp(c->with, "!") == 0;
    uc_ref x = p.x, y = p.y;
    if (p.dtype == UNCORK_BOOL && !negate && strcmp(c->with, "Equal") != 0) {
        x = uc_t_cast(c->b, x, UNCORK_INT32);
        y = uc_t_cast(c->b, y, UNCORK_INT32);
    }
    const uc_ref r = uc_g2(c->g, negate ? "Equal" : c->with, x, y);
    uc_aten_out(c, negate ? uc_g1(c->g, "Not", r) : r);
}

/* Max and Min with NaN on either side give NaN, as torch's do; fmax and fmin leave it out. */
void uc_aten_maximum(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_DTYPE_NONE);
    if (p.dtype == UNCORK_BOOL) {
        uc_aten_out(c, uc_g2(c->g, strcmp(c->with, "Max") == 0 ? "Or" : "And", p.x, p.y));
        return;
    }
    uc_ref r = uc_g2(c->g, c->with, p.x, p.y);
    if (c->name[0] == 'f' && uc_dtype_is_float(p.dtype)) {
        r = uc_g_where(c->g, uc_g1(c->g, "IsNaN", p.x), p.y, r);
        r = uc_g_where(c->g, uc_g1(c->g, "IsNaN", p.y), p.x, r);
    }
    uc_aten_out(c, r);
}

static uc_ref bools(uc_aten_call *c, uc_pv v)
{
    const uc_ref r =
        uc_aten_operand(c, v, v.kind == UC_PV_TENSOR ? UNCORK_DTYPE_NONE : UNCORK_BOOL);
    return uc_t_dtype(c->b, r) == UNCORK_BOOL ? r : uc_t_cast(c->b, r, UNCORK_BOOL);
}

void uc_aten_logical(uc_aten_call *c)
{
    uc_aten_out(c, uc_g2(c->g, c->with, bools(c, c->args[0]), bools(c, c->args[1])));
}

void uc_aten_bitwise(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_DTYPE_NONE);
    const char *logic = c->with;
    if (p.dtype != UNCORK_BOOL) logic = uc_arena_printf(c->ev->arena, "Bitwise%s", c->with);
    if (logic) uc_aten_out(c, uc_g2(c->g, logic, p.x, p.y));
}

/* Shifts of signed integers: times and floor-divided by a power of two. */
void uc_aten_shift(uc_aten_call *c)
{
    pair p = operands(c, UNCORK_INT64);
    const uc_ref power = uc_g2(c->g, "Pow", uc_t_scalar(c->b, p.x, 2), p.y);
    p.y = power;
    uc_aten_out(c, strcmp(c->with, "left") == 0 ? uc_g2(c->g, "Mul", p.x, power) : floor_int(c, p));
}

void uc_aten_atan2(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_FLOAT32);
    uc_graph *g = c->g;
    const uc_ref y = p.x, x = p.y, zero = uc_t_scalar(c->b, x, 0);
    const uc_ref pi = uc_t_scalar(c->b, x, 3.14159265358979323846);
    const uc_ref half = uc_t_scalar(c->b, x, 1.57079632679489661923);
    const uc_ref plain = uc_g1(g, "Atan", uc_g2(g, "Div", y, x));
    const uc_ref below = uc_g2(g, "Less", y, zero);
    const uc_ref turned =
        uc_g_where(g, below, uc_g2(g, "Sub", plain, pi), uc_g2(g, "Add", plain, pi));
    uc_ref r = uc_g_where(g, uc_g2(g, "Less", x, zero), turned, plain);
    const uc_ref upright = uc_g_where(g, below, uc_g1(g, "Neg", half),
                                      uc_g_where(g, uc_g2(g, "Greater", y, zero), half, zero));
    r = uc_g_where(g, uc_g2(g, "Equal", x, zero), upright, r);
    uc_aten_out(c, r);
}

void uc_aten_hypot(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_FLOAT32);
    const uc_ref s = uc_g2(c->g, "Add", uc_g2(c->g, "Mul", p.x, p.x), uc_g2(c->g, "Mul", p.y, p.y));
    uc_aten_out(c, uc_g1(c->g, "Sqrt", s));
}

void uc_aten_copysign(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_FLOAT32);
    const uc_ref size = uc_g1(c->g, "Abs", p.x);
    const uc_ref minus = uc_g2(c->g, "Less", p.y, uc_t_scalar(c->b, p.y, 0));
    uc_aten_out(c, uc_g_where(c->g, minus, uc_g1(c->g, "Neg", size), size));
}

void uc_aten_logaddexp(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_FLOAT32);
    const uc_ref most = uc_g2(c->g, "Max", p.x, p.y);
    const uc_ref gap = uc_g1(c->g, "Neg", uc_g1(c->g, "Abs", uc_g2(c->g, "Sub", p.x, p.y)));
    uc_aten_out(c, uc_g2(c->g, "Add", most, uc_g1(c->g, "uncork.Log1p", uc_g1(c->g, "Exp", gap))));
}

void uc_aten_xlogy(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_FLOAT32);
    const uc_ref zero = uc_t_scalar(c->b, p.x, 0);
    const uc_ref y = uc_g2(c->g, "Mul", p.x, uc_g1(c->g, "Log", p.y));
    uc_aten_out(c, uc_g_where(c->g, uc_g2(c->g, "Equal", p.x, zero), zero, y));
}

void uc_aten_heaviside(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_DTYPE_NONE);
    const uc_ref zero = uc_t_scalar(c->b, p.x, 0), one = uc_t_scalar(c->b, p.x, 1);
    const uc_ref up = uc_g_where(c->g, uc_g2(c->g, "Greater", p.x, zero), one, zero);
    uc_aten_out(c, uc_g_where(c->g, uc_g2(c->g, "Equal", p.x, zero), p.y, up));
}

/* ---- of three -------------------------------------------------------------------------------- */

void uc_aten_lerp(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_FLOAT32);
    const uc_ref w = uc_aten_operand(c, c->args[2], p.dtype);
    const uc_ref step = uc_g2(c->g, "Sub", p.y, p.x);
    uc_aten_out(c, uc_g2(c->g, "Add", p.x, uc_g2(c->g, "Mul", w, step)));
}

void uc_aten_addcmul(uc_aten_call *c)
{
    const uc_ref x = uc_aten_in(c, "self"), a = uc_aten_in(c, "tensor1"),
                 b = uc_aten_in(c, "tensor2");
    uc_ref y = uc_g2(c->g, c->with, a, b);
    y = uc_g2(c->g, "Mul", y, uc_t_scalar(c->b, y, uc_aten_float(c, "value", 1)));
    uc_aten_out(c, uc_g2(c->g, "Add", x, y));
}

void uc_aten_where(uc_aten_call *c)
{
    if (c->schema->count == 1) { /* where(condition): where it is true */
        c->result = uc_aten_again(c, "nonzero_numpy", c->args, 1);
        return;
    }
    const uncork_dtype t = uc_aten_promote(c, c->args[1], c->args[2]);
    const uc_ref condition = bools(c, c->args[0]);
    const uc_ref x = uc_aten_operand(c, c->args[1], t), y = uc_aten_operand(c, c->args[2], t);
    uc_aten_out(c, uc_g_where(c->g, condition, x, y));
}

void uc_aten_masked_fill(uc_aten_call *c)
{
    const uc_ref x = uc_aten_in(c, "self"), mask = uc_aten_in(c, "mask");
    const uc_ref v = uc_aten_operand(c, uc_aten_arg(c, "value"), uc_t_dtype(c->b, x));
    uc_aten_out(c, uc_g_where(c->g, mask, v, x));
}

void uc_aten_isclose(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_DTYPE_NONE);
    const uc_ref x = uc_t_cast(c->b, p.x, UNCORK_FLOAT64), y = uc_t_cast(c->b, p.y, UNCORK_FLOAT64);
    const uc_ref gap = uc_g1(c->g, "Abs", uc_g2(c->g, "Sub", x, y));
    const uc_ref room = uc_g2(c->g, "Mul", uc_g1(c->g, "Abs", y),
                              uc_t_scalar(c->b, y, uc_aten_float(c, "rtol", 1e-5)));
    const uc_ref most =
        uc_g2(c->g, "Add", room, uc_t_scalar(c->b, y, uc_aten_float(c, "atol", 1e-8)));
    uc_ref near = uc_g2(c->g, "LessOrEqual", gap, most);
    near = uc_g2(c->g, "Or", near, uc_g2(c->g, "Equal", x, y));
    if (strcmp(c->name, "isclose") == 0) {
        uc_aten_out(c, near);
        return;
    }
    const uc_ref bad = uc_g_cast(c->g, uc_g1(c->g, "Not", near), UNCORK_INT64);
    const uc_ref sum = uc_t_sum(c->b, bad, NULL, 0, false);
    c->result = uc_py_symbol(c->ev, UC_PV_BOOL, uc_g2(c->g, "Equal", sum, uc_graph_i64(c->g, 0)));
}

void uc_aten_equal(uc_aten_call *c)
{
    const pair p = operands(c, UNCORK_DTYPE_NONE);
    const uc_ref same = uc_g2(c->g, "Equal", p.x, p.y);
    const uc_ref bad = uc_g_cast(c->g, uc_g1(c->g, "Not", same), UNCORK_INT64);
    const uc_ref sum = uc_t_sum(c->b, bad, NULL, 0, false);
    c->result = uc_py_symbol(c->ev, UC_PV_BOOL, uc_g2(c->g, "Equal", sum, uc_graph_i64(c->g, 0)));
}
