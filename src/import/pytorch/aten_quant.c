/* Quantised tensors: integers with a scale and a zero point, and the layers that compute with them as
 * FBGEMM does (exact sums of products, one rounding at the end).
 * Source: torch 2.15, aten/src/ATen/native/quantized/cpu/{qconv,qlinear,qlinear_dynamic,qadd,qmul}.cpp. */
#include "import/pytorch/aten.h"

static const uc_pt_quant *quant_of(uc_aten_call *c, uc_pv v)
{
    if (v.kind == UC_PV_TENSOR && v.tensor->quant) return v.tensor->quant;
    uc_aten_fail(c, "a quantised tensor is needed");
    return NULL;
}

static uc_ref zero_of(uc_aten_call *c, const uc_pt_quant *q)
{
    if (q->zeros) return q->zeros;
    return uc_t_number(c->b, q->dtype, (double)q->zero);
}

static uc_ref scale_of(uc_aten_call *c, const uc_pt_quant *q)
{
    return q->scales ? q->scales : uc_graph_f32(c->g, (float)q->scale);
}

static const uc_pt_quant *new_quant(uc_aten_call *c, double scale, int64_t zero, uncork_dtype dtype)
{
    uc_pt_quant *q = UC_NEW(c->ev->arena, uc_pt_quant, 1);
    if (q) *q = (uc_pt_quant){.scale = scale, .zero = zero, .dtype = dtype};
    return q;
}

/* The result is these integers. */
static void out_quant(uc_aten_call *c, uc_ref ref, const uc_pt_quant *q)
{
    uc_aten_out(c, ref);
    if (c->result.kind == UC_PV_TENSOR) c->result.tensor->quant = q;
}

void uc_aten_requantise(uc_aten_call *c, uc_ref y, const uc_pt_quant *q)
{
    if (q->scales) {
        uc_aten_fail(c, "a result quantised per channel");
        return;
    }
    out_quant(c, uc_g3(c->g, "QuantizeLinear", y, scale_of(c, q), zero_of(c, q)), q);
}

static uc_ref dequantised(uc_aten_call *c, uc_pv v)
{
    if (v.kind != UC_PV_TENSOR || !v.tensor->quant) return uc_aten_operand(c, v, UNCORK_DTYPE_NONE);
    const uc_pt_quant *q = v.tensor->quant;
    const uc_ref in[] = {uc_py_ref(c->ev, v.tensor), scale_of(c, q), zero_of(c, q)};
    uc_node *n = uc_graph_node(c->g, "DequantizeLinear", in, 3, 1);
    uc_node_int(c->g, n, "axis", q->axis);
    return uc_node_out(n, 0);
}

void uc_aten_dequantize(uc_aten_call *c) { uc_aten_out(c, dequantised(c, c->args[0])); }

void uc_aten_quantize(uc_aten_call *c)
{
    const uncork_dtype t = uc_aten_dtype(c, "dtype", UNCORK_UINT8);
    const double scale = uc_aten_float(c, "scale", 1);
    const uc_pt_quant *q = new_quant(c, scale, uc_aten_int(c, "zero_point", 0), t);
    const uc_ref x = uc_aten_in(c, "self");
    if (q && !c->ev->failed) uc_aten_requantise(c, x, q);
}

void uc_aten_quant_relu(uc_aten_call *c)
{
    const uc_pt_quant *q = quant_of(c, c->args[0]);
    if (!q) return;
    uc_ref y = uc_g2(c->g, "Max", uc_py_ref(c->ev, c->args[0].tensor), zero_of(c, q));
    if (strcmp(c->name, "relu6") == 0) {
        const uc_ref six =
            uc_g3(c->g, "QuantizeLinear", uc_graph_f32(c->g, 6), scale_of(c, q), zero_of(c, q));
        y = uc_g2(c->g, "Min", y, six);
    }
    out_quant(c, y, q);
}

void uc_aten_quant_fact(uc_aten_call *c)
{
    const uc_pt_quant *q = quant_of(c, c->args[0]);
    if (!q) return;
    if (strcmp(c->name, "int_repr") == 0)
        uc_aten_out(c, uc_py_ref(c->ev, c->args[0].tensor));
    else if (strcmp(c->name, "q_scale") == 0)
        c->result = uc_pv_float(q->scale);
    else if (strcmp(c->name, "q_zero_point") == 0)
        c->result = uc_pv_int(q->zero);
    else if (strcmp(c->name, "qscheme") == 0)
        c->result = uc_pv_int(q->scales ? 1 : 0);
    else if (strcmp(c->name, "q_per_channel_axis") == 0)
        c->result = uc_pv_int(q->axis);
    else
        uc_aten_out(c, strcmp(c->name, "q_per_channel_scales") == 0 ? q->scales : q->zeros);
}

/* A number added or multiplied keeps the scale's meaning: computed on real values, stored as before. */
void uc_aten_quant_scalar(uc_aten_call *c)
{
    const uc_pt_quant *q = quant_of(c, c->args[0]);
    if (!q) return;
    const uc_ref y = uc_g2(c->g, c->with, dequantised(c, c->args[0]),
                           uc_aten_operand(c, c->args[1], UNCORK_FLOAT32));
    uc_aten_requantise(c, y, q);
}

/* ---- packed layers --------------------------------------------------------------------------- */

static uc_pv packed_new(uc_aten_call *c)
{
    uc_py_class *class = UC_NEW(c->ev->arena, uc_py_class, 1);
    uc_py_object *o = class ? uc_py_object_new(c->ev, class) : NULL;
    if (!o) return uc_pv_none();
    class->name = class->path = "packed parameters";
    return (uc_pv){.kind = UC_PV_OBJECT, .object = o};
}

static void packed_put(uc_aten_call *c, uc_pv packed, const char *name)
{
    if (packed.kind != UC_PV_OBJECT) return;
    const uc_pv v = uc_aten_arg(c, name);
    if (v.kind != UC_PV_UNSET)
        uc_py_map_put(c->ev->arena, &packed.object->attrs, uc_py_id(c->ev, name), v);
}

void uc_aten_prepack(uc_aten_call *c)
{
    static const char *const names[] = {"weight",         "bias",     "stride", "padding",
                                        "output_padding", "dilation", "groups"};
    const uc_pv packed = packed_new(c);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        packed_put(c, packed, names[i]);
    if (strcmp(c->schema->params[0].name, "W") == 0) { /* linear_prepack(W, B) */
        uc_py_map_put(c->ev->arena, &packed.object->attrs, uc_py_id(c->ev, "weight"), c->args[0]);
        uc_py_map_put(c->ev->arena, &packed.object->attrs, uc_py_id(c->ev, "bias"), c->args[1]);
    }
    c->result = packed;
}

static uc_pv packed_part(uc_aten_call *c, const char *name)
{
    uc_pv packed = UC_PV(UC_PV_NONE);
    for (int i = 0; i < c->schema->count; i++) {
        if (c->args[i].kind == UC_PV_OBJECT) packed = c->args[i];
    }
    if (packed.kind != UC_PV_OBJECT) {
        uc_aten_fail(c, "packed parameters are needed");
        return uc_pv_none();
    }
    const uc_pv *v = uc_py_map_find(&packed.object->attrs, uc_py_id(c->ev, name));
    return v ? *v : uc_pv_none();
}

void uc_aten_unpack(uc_aten_call *c)
{
    const uc_pv parts[] = {packed_part(c, "weight"), packed_part(c, "bias")};
    c->result = uc_pv_list(c->ev, UC_PV_TUPLE, parts, 2);
}

static int numbers(uc_aten_call *c, const char *name, int64_t *out, int rank, int64_t otherwise)
{
    const uc_pv v = packed_part(c, name);
    for (int i = 0; i < rank; i++) {
        out[i] = otherwise;
        if (uc_pv_is_list(v) && v.list->count > 0)
            uc_py_int(c->ev, v.list->items[i < (int)v.list->count ? i : 0], &out[i]);
        else if (v.kind == UC_PV_INT)
            out[i] = v.i;
    }
    return rank;
}

/* An archive doesn't say which engine it is for. FBGEMM and oneDNN, which torch takes on x86, add
 * bias / (scale of x * scale of w) to the sums as a real number; their weights have a scale a channel.
 * QNNPACK rounds it first; its weights have one scale. Source: fbgemm/QuantUtils, ReQuantizeOutput; ATen,
 * native/quantized/cpu/qnnpack_utils.h. */
static bool adds_real_bias(const uc_pt_quant *w) { return w->scales != 0; }

/* Sums int32 to stored integers, channels along `axis`. */
static uc_ref requantised_sums(uc_aten_call *c, uc_ref sums, uc_pv bias,
                               const uc_pt_quant *quants[3], int rank, int axis)
{
    int64_t shape[UC_PY_RANK];
    uc_graph *g = c->g;
    for (int i = 0; i < rank; i++)
        shape[i] = i == axis ? -1 : 1;
    uc_ref product =
        uc_g2(g, "Mul", uc_graph_f32(g, (float)quants[0]->scale), scale_of(c, quants[1]));
    product = uc_t_reshape(c->b, product, shape, rank);
    uc_ref y = uc_g_cast(g, sums, UNCORK_FLOAT32);
    if (bias.kind == UC_PV_TENSOR) {
        const uc_ref b = uc_aten_operand(c, bias, UNCORK_FLOAT32);
        y = uc_g2(g, "Add", y, uc_g2(g, "Div", uc_t_reshape(c->b, b, shape, rank), product));
    }
    y = uc_g2(g, "Mul", y, uc_g2(g, "Div", product, scale_of(c, quants[2])));
    return uc_g3(g, "QuantizeLinear", y, uc_graph_f32(g, 1), zero_of(c, quants[2]));
}

/* bias / (scale of x * scale of w), rounded. */
static uc_ref bias32(uc_aten_call *c, uc_pv bias, const uc_pt_quant *x, const uc_pt_quant *w)
{
    const uc_ref product = uc_g2(c->g, "Mul", uc_graph_f32(c->g, (float)x->scale), scale_of(c, w));
    const uc_ref q = uc_g2(c->g, "Div", uc_aten_operand(c, bias, UNCORK_FLOAT32), product);
    return uc_g_cast(c->g, uc_g1(c->g, "Round", q), UNCORK_INT32);
}

static const uc_pt_quant *weights(uc_aten_call *c, uc_pv w)
{
    const uc_pt_quant *q = quant_of(c, w);
    if (!q || !q->scales) return q;
    uc_pt_quant *flat = UC_NEW(c->ev->arena, uc_pt_quant, 1);
    if (!flat) return q;
    *flat = *q;
    flat->scales = uc_g_cast(c->g, q->scales, UNCORK_FLOAT32);
    flat->zeros = uc_g_cast(c->g, q->zeros, q->dtype);
    return flat;
}

/* conv1d, conv2d, conv3d; with: the rank and "r" for a ReLU behind. */
void uc_aten_quant_conv(uc_aten_call *c)
{
    const int rank = c->with[0] - '0';
    const uc_pv w = packed_part(c, "weight"), bias = packed_part(c, "bias");
    const uc_pt_quant *qx = quant_of(c, c->args[0]), *qw = c->ev->failed ? NULL : weights(c, w);
    if (!qx || !qw) return;
    int64_t stride[3], pad[3], dilation[3], both[6], groups = 1;
    numbers(c, "stride", stride, rank, 1);
    numbers(c, "padding", pad, rank, 0);
    numbers(c, "dilation", dilation, rank, 1);
    numbers(c, "groups", &groups, 1, 1);
    for (int i = 0; i < rank; i++)
        both[i] = both[rank + i] = pad[i];
    const uc_pt_quant *qy = new_quant(c, uc_aten_float(c, "output_scale", 1),
                                      uc_aten_int(c, "output_zero_point", 0), UNCORK_UINT8);
    if (!qy || c->ev->failed) return;
    uc_ref weight = uc_py_ref(c->ev, w.tensor);
    if (rank == 1 && uc_t_rank(c->b, weight) == 4) { /* conv1d is packed as conv2d with one row */
        weight = uc_t_squeeze(c->b, weight, 2);
        numbers(c, "stride", both, 2, 1);
        stride[0] = both[1];
        numbers(c, "dilation", both, 2, 1);
        dilation[0] = both[1];
        numbers(c, "padding", both, 2, 0);
        both[0] = both[1];
    }
    const bool real = adds_real_bias(qw) && bias.kind == UC_PV_TENSOR;
    const uc_ref x = uc_py_ref(c->ev, c->args[0].tensor);
    const uc_ref plain[] = {x, weight, zero_of(c, qx), zero_of(c, qw)};
    const uc_ref in[] = {x,
                         scale_of(c, qx),
                         zero_of(c, qx),
                         weight,
                         scale_of(c, qw),
                         zero_of(c, qw),
                         scale_of(c, qy),
                         zero_of(c, qy),
                         bias.kind == UC_PV_TENSOR && !real ? bias32(c, bias, qx, qw) : 0};
    uc_node *n = real ? uc_graph_node(c->g, "ConvInteger", plain, 4, 1)
                      : uc_graph_node(c->g, "QLinearConv", in, in[8] ? 9 : 8, 1);
    uc_node_ints(c->g, n, "strides", stride, (size_t)rank);
    uc_node_ints(c->g, n, "pads", both, (size_t)rank * 2);
    uc_node_ints(c->g, n, "dilations", dilation, (size_t)rank);
    uc_node_int(c->g, n, "group", groups);
    uc_ref y = uc_node_out(n, 0);
    const uc_pt_quant *quants[] = {qx, qw, qy};
    if (real) y = requantised_sums(c, y, bias, quants, rank + 2, 1);
    if (c->with[1] == 'r') y = uc_g2(c->g, "Max", y, zero_of(c, qy));
    out_quant(c, y, qy);
}

/* int32 sums of (x - zero) w^T */
static uc_ref sums(uc_aten_call *c, uc_ref x, uc_ref x_zero, uc_pv w, const uc_pt_quant *qw)
{
    const uc_ref turned = uc_t_transpose(c->b, uc_py_ref(c->ev, w.tensor), 0, 1);
    const uc_ref in[] = {x, turned, x_zero, zero_of(c, qw)};
    return uc_node_out(uc_graph_node(c->g, "MatMulInteger", in, 4, 1), 0);
}

void uc_aten_quant_linear(uc_aten_call *c)
{
    const uc_pv w = packed_part(c, "weight"), bias = packed_part(c, "bias");
    const uc_pt_quant *qx = quant_of(c, c->args[0]), *qw = c->ev->failed ? NULL : weights(c, w);
    if (!qx || !qw) return;
    const uc_pt_quant *qy = new_quant(c, uc_aten_float(c, "Y_scale_i", 1),
                                      uc_aten_int(c, "Y_zero_point_i", 0), UNCORK_UINT8);
    if (!qy || c->ev->failed) return;
    uc_ref y = sums(c, uc_py_ref(c->ev, c->args[0].tensor), zero_of(c, qx), w, qw);
    uc_pv rest = bias;
    if (bias.kind == UC_PV_TENSOR && !adds_real_bias(qw)) {
        y = uc_g2(c->g, "Add", y, bias32(c, bias, qx, qw));
        rest = uc_pv_none();
    }
    const uc_pt_quant *quants[] = {qx, qw, qy};
    y = requantised_sums(c, y, rest, quants, 1, 0);
    if (c->with[0] == 'r') y = uc_g2(c->g, "Max", y, zero_of(c, qy));
    out_quant(c, y, qy);
}

/* The input is quantised by its own range, in 7 bits where the caller says so. */
void uc_aten_quant_dynamic(uc_aten_call *c)
{
    const uc_pv w = packed_part(c, "weight"), bias = packed_part(c, "bias");
    const uc_pt_quant *qw = c->ev->failed ? NULL : weights(c, w);
    if (!qw) return;
    uc_graph *g = c->g;
    const uc_ref x = uc_aten_operand(c, c->args[0], UNCORK_FLOAT32), zero = uc_graph_f32(g, 0);
    const double most = uc_aten_bool(c, "reduce_range", false) ? 127 : 255;
    const uc_ref low = uc_g2(g, "Min", uc_t_reduce(c->b, "ReduceMin", x, NULL, 0, false), zero);
    const uc_ref high = uc_g2(g, "Max", uc_t_reduce(c->b, "ReduceMax", x, NULL, 0, false), zero);
    uc_ref scale = uc_g2(g, "Div", uc_g2(g, "Sub", high, low), uc_graph_f32(g, (float)most));
    scale = uc_g_where(g, uc_g2(g, "Equal", scale, zero), uc_graph_f32(g, 0.1f), scale);
    const uc_ref at = uc_g1(g, "Neg", uc_g2(g, "Div", low, scale));
    const uc_ref point = uc_t_clamp(c->b, uc_g1(g, "Round", at), 0, most);
    const uc_ref zp = uc_g_cast(g, point, UNCORK_UINT8);
    uc_ref q = uc_g2(g, "Add", uc_g1(g, "Round", uc_g2(g, "Div", x, scale)), point);
    q = uc_g_cast(g, uc_t_clamp(c->b, q, 0, most), UNCORK_UINT8);
    uc_ref y = uc_g_cast(g, sums(c, q, zp, w, qw), UNCORK_FLOAT32);
    y = uc_g2(g, "Mul", y, uc_g2(g, "Mul", scale, scale_of(c, qw)));
    if (bias.kind == UC_PV_TENSOR) y = uc_g2(g, "Add", y, uc_aten_operand(c, bias, UNCORK_FLOAT32));
    uc_aten_out(c, c->with[0] == 'r' ? uc_g1(g, "Relu", y) : y);
}

/* ---- elementwise ----------------------------------------------------------------------------- */

static const uc_pt_quant *given_quant(uc_aten_call *c, const uc_pt_quant *like)
{
    static const char *const scales[] = {"scale", "output_scale"};
    static const char *const zeros[] = {"zero_point", "output_zero_point"};
    for (int i = 0; i < 2; i++) {
        if (uc_aten_has(c, scales[i]))
            return new_quant(c, uc_aten_float(c, scales[i], 1), uc_aten_int(c, zeros[i], 0),
                             like->dtype);
    }
    return like;
}

/* add, mul and their relu forms; with: the operator, "r" behind it for a ReLU. */
void uc_aten_quant_binary(uc_aten_call *c)
{
    const uc_pt_quant *qx = quant_of(c, c->args[0]);
    if (!qx) return;
    const bool relu = strchr(c->with, 'r') != NULL;
    char op[4] = {c->with[0], c->with[1], c->with[2], 0};
    uc_ref y = uc_g2(c->g, op, dequantised(c, c->args[0]), dequantised(c, c->args[1]));
    if (relu) y = uc_g1(c->g, "Relu", y);
    const uc_pt_quant *q = given_quant(c, qx);
    if (q && !c->ev->failed) uc_aten_requantise(c, y, q);
}

void uc_aten_quant_act(uc_aten_call *c)
{
    const uc_pt_quant *qx = quant_of(c, c->args[0]);
    if (!qx) return;
    const uc_ref x = dequantised(c, c->args[0]);
    uc_ref y;
    if (strcmp(c->with, "leaky_relu") == 0)
        y = uc_t_leaky_relu(c->b, x, uc_aten_float(c, "negative_slope", 0.01));
    else if (strcmp(c->with, "elu") == 0)
        y = uc_t_elu(c->b, x, uc_aten_float(c, "alpha", 1), 1, 1);
    else
        y = uc_t_act(c->b, c->with, x);
    const uc_pt_quant *q = given_quant(c, qx);
    if (q && !c->ev->failed) uc_aten_requantise(c, y, q);
}

void uc_aten_quant_cat(uc_aten_call *c)
{
    const uc_pv list = c->args[0];
    if (!uc_pv_is_list(list) || list.list->count == 0 || !quant_of(c, list.list->items[0])) return;
    uc_ref *x = UC_NEW(c->ev->arena, uc_ref, list.list->count);
    for (size_t i = 0; x && i < list.list->count; i++)
        x[i] = dequantised(c, list.list->items[i]);
    if (!x || c->ev->failed) return;
    uc_ref y = uc_t_cat(c->b, x, list.list->count, uc_aten_int(c, "dim", 0));
    if (strcmp(c->with, "r") == 0) y = uc_g1(c->g, "Relu", y);
    const uc_pt_quant *q = given_quant(c, list.list->items[0].tensor->quant);
    if (q) uc_aten_requantise(c, y, q);
}

void uc_aten_quant_batch_norm(uc_aten_call *c)
{
    const uc_pt_quant *qx = quant_of(c, c->args[0]);
    if (!qx) return;
    uc_ref y = uc_t_batch_norm(c->b, dequantised(c, c->args[0]), uc_aten_in(c, "weight"),
                               uc_aten_in(c, "bias"), uc_aten_in(c, "mean"), uc_aten_in(c, "var"),
                               uc_aten_float(c, "eps", 1e-5));
    if (strcmp(c->with, "r") == 0) y = uc_g1(c->g, "Relu", y);
    const uc_pt_quant *q = given_quant(c, qx);
    if (q && !c->ev->failed) uc_aten_requantise(c, y, q);
}
