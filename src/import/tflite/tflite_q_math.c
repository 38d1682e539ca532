/* Quantised arithmetic: uncork.QBinary, QUnary, QQuantize, QReduce, QSoftmax, QResize.
 * Which operators XNNPACK takes: tensorflow/lite/delegates/xnnpack/xnnpack_delegate.cc (Visit...Node). */
#include "import/tflite/tflite_layout.h"

#include <math.h>

/* ---- two inputs --------------------------------------------------------------------------------- */

typedef struct named {
    int code;
    const char *function;
} named;

static const char *name_in(const named *table, size_t count, int code)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].code == code) return table[i].function;
    }
    return NULL;
}

#define NAME_IN(table, code) name_in(table, sizeof(table) / sizeof(table)[0], code)

/* XNNPACK's sums and products want their scales within these. */
static bool binary_delegates(const uc_tfl_call *c, int code, const uc_tfl_tensor *a,
                             const uc_tfl_tensor *b, const uc_tfl_tensor *y)
{
    if (!uc_tfl_q_delegates(c, a, b) || !uc_tfl_q_delegates(c, a, y)) return false;
    const float ra = a->scale[0] / y->scale[0], rb = b->scale[0] / y->scale[0];
    const float product = a->scale[0] * b->scale[0] / y->scale[0];
    if (code == 18) return product >= 1.0f / 65536.0f && product < 256.0f;
    return (code == 0 || code == 41) && ra >= 1.0f / 1024.0f && ra < 256.0f &&
           rb >= 1.0f / 1024.0f && rb < 256.0f;
}

bool uc_tfl_q_binary(uc_tfl_call *c)
{
    static const named names[] = {{0, "add"},
                                  {41, "sub"},
                                  {18, "mul"},
                                  {42, "div"},
                                  {99, "squared_difference"},
                                  {54, "prelu"},
                                  {58, "less"},
                                  {63, "less_equal"},
                                  {61, "greater"},
                                  {62, "greater_equal"},
                                  {71, "equal"},
                                  {72, "not_equal"}};
    const int code = c->op->row->code;
    const uc_tfl_tensor *a = uc_tfl_tensor_in(c, 0), *b = uc_tfl_tensor_in(c, 1);
    const uc_tfl_tensor *y = uc_tfl_tensor_out(c, 0);
    const char *function = NAME_IN(names, code);
    const bool compares = y->dtype == UNCORK_BOOL;
    if (!uc_tfl_q_is(c, a) || !uc_tfl_q_is(c, b) || a->dtype != b->dtype) return false;
    if (!compares && (!uc_tfl_q_is(c, y) || y->dtype != a->dtype)) return false;
    const uc_ref in[] = {uc_tfl_raw(c, 0), uc_tfl_raw(c, 1)};
    if (code == 55 || code == 57) { /* MAXIMUM, MINIMUM: of the integers as they are */
        uc_tfl_out_raw(c, 0, uc_g2(c->graph, c->op->row->op, in[0], in[1]));
        return true;
    }
    if (!function) return false;
    uc_node *n = uc_graph_node(c->graph, "uncork.QBinary", in, 2, 1);
    uc_node_str(c->graph, n, "function", function);
    uc_tfl_q_put(c, n, "a", a);
    uc_tfl_q_put(c, n, "b", b);
    uc_tfl_q_put_rule(c, n, !compares && binary_delegates(c, code, a, b, y));
    if (!compares) uc_tfl_q_put(c, n, "y", y);
    const bool fused = code == 0 || code == 18 || code == 41 || code == 42;
    if (fused && !uc_tfl_q_put_limits(c, n, y, uc_tfl_i8(c, 0, 0)))
        uc_tfl_fail(c, "its activation isn't known");
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
    return true;
}

/* ---- one input ------------------------------------------------------------------------------------ */

static bool within(float v, float low, float high) { return v >= low && v <= high; }

static bool unary_delegates(const uc_tfl_call *c, int code, const uc_tfl_tensor *x,
                            const uc_tfl_tensor *y, float alpha)
{
    if (!uc_tfl_q_delegates(c, x, y)) return false;
    const float ratio = x->scale[0] / y->scale[0], negative = ratio * alpha;
    switch (code) {
    case 14:
    case 28: return true;
    case 111: return x->dtype == UNCORK_INT8;
    case 98:
        return isnormal(alpha) && within(ratio, 1.0f / 256.0f, 128.0f) &&
               within(negative, -127.99609375f, 128.0f) && fabsf(negative) >= 1.0f / 256.0f;
    case 114: return within(ratio, 1.0f / 256.0f, 128.0f);
    default: return false;
    }
}

/* RELU 19, RELU_N1_TO_1 20, RELU6 21, RELU_0_TO_1 152 within the output's type. */
static void put_relu(uc_tfl_call *c, uc_node *n, const uc_tfl_tensor *y, int code)
{
    const bool wide = y->dtype == UNCORK_INT16;
    const float least = code == 20 ? -1.0f : 0.0f, most = code == 21 ? 6.0f : 1.0f;
    double low = wide ? -32768 : 0, high = wide ? 32767 : 255;
    const double zero = (double)uc_tfl_q_zero(c, y);
    const double from = zero + (double)roundf(least / y->scale[0]);
    const double to = zero + (double)roundf(most / y->scale[0]);
    if (from > low) low = from;
    if (code != 19 && to < high) high = to;
    uc_node_int(c->graph, n, "low", (int64_t)(low < high ? low : high));
    uc_node_int(c->graph, n, "high", (int64_t)high);
}

static const char *unary_function(const uc_tfl_call *c)
{
    static const named names[] = {{14, "logistic"},  {28, "tanh"},        {98, "leaky_relu"},
                                  {111, "elu"},      {117, "hard_swish"}, {47, "exp"},
                                  {73, "log"},       {76, "rsqrt"},       {101, "abs"},
                                  {114, "identity"}, {19, "identity"},    {20, "identity"},
                                  {21, "identity"},  {152, "identity"}};
    const int code = c->op->row->code;
    if (code == 150) return uc_fb_bool(c->options, 0, false) ? "gelu_tanh" : "gelu";
    return NAME_IN(names, code);
}

bool uc_tfl_q_unary(uc_tfl_call *c)
{
    const int code = c->op->row->code;
    const uc_tfl_tensor *x = uc_tfl_tensor_in(c, 0), *y = uc_tfl_tensor_out(c, 0);
    const char *function = unary_function(c);
    const bool to32 = code == 114 && y->dtype == UNCORK_INT32 && y->scales == 1 &&
                      y->scale[0] > 0 && y->zero[0] == 0;
    const bool relu = code == 19 || code == 20 || code == 21 || code == 152;
    const float alpha = code == 98 ? uc_fb_float(c->options, 0, 0) : relu ? 1.0f : 0.0f;
    if (!function || !uc_tfl_q_is(c, x) || !(to32 || uc_tfl_q_is(c, y))) return false;
    if (code != 114 && x->dtype != y->dtype) return false;
    const uc_ref in = uc_tfl_raw(c, 0);
    uc_node *n = uc_graph_node(c->graph, "uncork.QUnary", &in, 1, 1);
    uc_node_str(c->graph, n, "function", function);
    uc_node_int(c->graph, n, "to", to32 ? UNCORK_INT32 : uc_tfl_q_dtype(c, y));
    uc_tfl_q_put(c, n, "x", x);
    if (to32)
        uc_node_float(c->graph, n, "y_scale", (double)y->scale[0]);
    else
        uc_tfl_q_put(c, n, "y", y);
    if (alpha != 0) uc_node_float(c->graph, n, "alpha", (double)alpha);
    uc_tfl_q_put_rule(c, n, !to32 && unary_delegates(c, code, x, y, alpha));
    if (relu) put_relu(c, n, y, code);
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
    return true;
}

bool uc_tfl_q_quantize(uc_tfl_call *c)
{
    const uc_tfl_tensor *x = uc_tfl_tensor_in(c, 0), *y = uc_tfl_tensor_out(c, 0);
    if (x->dtype != UNCORK_FLOAT32 || x->scales) return uc_tfl_q_unary(c);
    if (!uc_tfl_q_is(c, y)) return false;
    const uc_ref in = uc_tfl_raw(c, 0);
    uc_node *n = uc_graph_node(c->graph, "uncork.QQuantize", &in, 1, 1);
    uc_node_int(c->graph, n, "to", uc_tfl_q_dtype(c, y));
    uc_tfl_q_put(c, n, "y", y);
    uc_tfl_q_put_rule(c, n, uc_tfl_q_delegates(c, y, y));
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
    return true;
}

bool uc_tfl_q_softmax(uc_tfl_call *c)
{
    const uc_tfl_tensor *x = uc_tfl_tensor_in(c, 0), *y = uc_tfl_tensor_out(c, 0);
    const bool log = c->op->row->code == 50;
    if (!uc_tfl_q_is(c, x) || !uc_tfl_q_is(c, y)) return false;
    if (x->dtype == UNCORK_INT16 && (y->dtype != UNCORK_INT16 || log)) return false;
    const uc_ref in = uc_tfl_raw(c, 0);
    uc_node *n = uc_graph_node(c->graph, "uncork.QSoftmax", &in, 1, 1);
    uc_node_int(c->graph, n, "to", uc_tfl_q_dtype(c, y));
    uc_tfl_q_put(c, n, "x", x);
    uc_tfl_q_put(c, n, "y", y);
    uc_tfl_q_put_rule(c, n, false);
    uc_tfl_q_put_offset(c, n, x);
    if (log) uc_node_int(c->graph, n, "log", 1);
    if (!log) uc_node_float(c->graph, n, "beta", (double)uc_fb_float(c->options, 0, 1));
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
    return true;
}

/* ---- reductions, resizing ------------------------------------------------------------------------------ */

bool uc_tfl_q_reduce(uc_tfl_call *c)
{
    static const named names[] = {{40, "mean"}, {74, "sum"}, {81, "prod"}};
    const int code = c->op->row->code;
    const uc_tfl_tensor *x = uc_tfl_tensor_in(c, 0), *y = uc_tfl_tensor_out(c, 0);
    const char *function = NAME_IN(names, code);
    int64_t axes[UNCORK_MAX_RANK];
    if (!uc_tfl_q_is(c, x) || !uc_tfl_q_is(c, y) || x->dtype != y->dtype) return false;
    const size_t count = uc_tfl_known(c, 1, axes, UNCORK_MAX_RANK);
    if (!function && count != SIZE_MAX) { /* the largest and least, of the integers as they are */
        const uc_ref in[] = {uc_tfl_raw(c, 0), uc_graph_i64s(c->graph, axes, (int64_t)count)};
        uc_node *n = uc_graph_node(c->graph, c->op->row->op, in, 2, 1);
        uc_node_int(c->graph, n, "keepdims", uc_fb_bool(c->options, 0, false));
        uc_node_int(c->graph, n, "noop_with_empty_axes", 1);
        uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
        return true;
    }
    if (!function || count == SIZE_MAX) return false;
    const uc_ref in = uc_tfl_raw(c, 0);
    uc_node *n = uc_graph_node(c->graph, "uncork.QReduce", &in, 1, 1);
    uc_node_str(c->graph, n, "function", function);
    uc_node_ints(c->graph, n, "axes", axes, count);
    uc_node_int(c->graph, n, "keepdims", uc_fb_bool(c->options, 0, false));
    uc_tfl_q_put(c, n, "x", x);
    uc_tfl_q_put(c, n, "y", y);
    uc_tfl_q_put_offset(c, n, x);
    uc_tfl_q_put_rule(c, n, code != 81 && uc_tfl_q_delegates(c, x, y));
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
    return true;
}

bool uc_tfl_q_resize(uc_tfl_call *c)
{
    const uc_tfl_tensor *x = uc_tfl_tensor_in(c, 0), *y = uc_tfl_tensor_out(c, 0);
    int64_t size[2];
    if (c->op->row->code != 23 || !uc_tfl_q_is(c, x) || !uc_tfl_q_is(c, y) ||
        x->dtype != y->dtype || uc_tfl_known(c, 1, size, 2) != 2) {
        return false;
    }
    const uc_ref in = uc_tfl_raw(c, 0);
    uc_node *n = uc_graph_node(c->graph, "uncork.QResize", &in, 1, 1);
    uc_node_ints(c->graph, n, "size", size, 2);
    uc_node_int(c->graph, n, "align_corners", uc_fb_bool(c->options, 2, false));
    uc_node_int(c->graph, n, "half_pixel_centers", uc_fb_bool(c->options, 3, false));
    uc_tfl_q_put_offset(c, n, x);
    uc_tfl_q_put_rule(c, n, uc_tfl_q_delegates(c, x, y));
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
    return true;
}
