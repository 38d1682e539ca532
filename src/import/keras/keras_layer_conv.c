/* Convolutions. Kernels lie [spatial..., in, out]; ONNX wants [out, in, spatial...].
 * Source: keras/src/layers/convolutional, keras/src/backend/tensorflow/nn.py,
 * keras/src/backend/common/backend_utils.py (transposed), keras 1 keras/layers/convolutional.py. */
#include "import/keras/keras.h"

#include <inttypes.h>

bool uc_k_window_pads(uc_k_call *c, uc_window *w, uc_str padding, uc_ref x)
{
    const bool causal = uc_str_is(padding, "causal");
    const bool same = uc_str_is(padding, "same") || uc_str_is(padding, "SAME");
    for (int i = 0; i < w->rank; i++) {
        const int64_t n = uc_k_dim(c, x, i + 2);
        if (w->size[i] < 1 || w->strides[i] < 1 || w->dilations[i] < 1 || w->size[i] > INT32_MAX ||
            w->strides[i] > INT32_MAX || w->dilations[i] > INT32_MAX) {
            uc_k_fail(c, "a window of %" PRId64 ", strides %" PRId64 ", dilation %" PRId64,
                      w->size[i], w->strides[i], w->dilations[i]);
            return false;
        }
        if (causal) w->pads[i] = (w->size[i] - 1) * w->dilations[i];
        if (same) uc_window_same(w, i, n);
    }
    return true;
}

/* Strides and dilations of the config, the kernel's own size. */
static bool read_window(uc_k_call *c, const uc_tensor *kernel, int rank, uc_window *w)
{
    *w = (uc_window){.rank = rank};
    if (!kernel || kernel->rank != rank + 2) {
        if (kernel) uc_k_fail(c, "its kernel has %d dimensions", kernel->rank);
        return false;
    }
    for (int i = 0; i < rank; i++) {
        w->size[i] = kernel->shape[i];
        w->strides[i] = w->dilations[i] = 1;
    }
    const uc_json *size = uc_json_get(c->layer->config, "kernel_size");
    int64_t said[3];
    if (size && (!uc_k_ints(size, said, (size_t)rank) ||
                 memcmp(said, w->size, (size_t)rank * sizeof said[0]) != 0)) {
        uc_k_fail(c, "its kernel isn't of its kernel_size");
        return false;
    }
    const uc_json *strides = uc_k_get(c->layer, "strides");
    const uc_json *dilations = uc_k_get(c->layer, "dilation_rate");
    if ((strides && !uc_k_ints(strides, w->strides, (size_t)rank)) ||
        (dilations && !uc_k_ints(dilations, w->dilations, (size_t)rank))) {
        uc_k_fail(c, "its strides or dilations aren't %d numbers", rank);
        return false;
    }
    return true;
}

/* The input as [N, C, spatial...]; how its output lies is remembered in *nchw. */
static uc_ref input(uc_k_call *c, bool *nchw)
{
    *nchw = !uc_k_channels_first(c->layer);
    return *nchw ? uc_k_first(c, c->in[0]) : uc_k_plain(c, c->in[0]);
}

static uc_ref conv(uc_k_call *c, uc_ref x, const uc_tensor *w, bool bias, const uc_window *window,
                   int64_t groups)
{
    const uc_ref in[] = {x, uc_k_const(c, w), bias ? uc_k_weight(c, "bias") : 0};
    uc_node *n = uc_graph_node(c->graph, "Conv", in, bias ? 3 : 2, 1);
    uc_window_put(c->graph, n, window, true);
    uc_node_int(c->graph, n, "group", groups);
    return uc_node_out(n, 0);
}

static void finish(uc_k_call *c, uc_ref y, bool nchw)
{
    y = uc_k_activate_key(c, "activation", "linear", y, nchw ? 1 : uc_k_rank(c, y) - 1);
    uc_k_set_as(c, y, nchw);
}

/* Keras 1 with dim_ordering "th" kept kernels as [out, in, rows, columns]; Theano flips them. */
static const uc_tensor *modern_kernel(uc_k_call *c, const uc_tensor *k, int rank)
{
    if (!k || c->layer->major > 1) return k;
    if (k->rank == rank + 2 && rank == 1) return k;
    static const int64_t last[] = {2, 3, 1, 0}, last3[] = {2, 3, 4, 1, 0};
    if (uc_k_channels_first(c->layer) && (rank == 2 || rank == 3)) {
        return uc_k_permuted(c, k, rank == 2 ? last : last3);
    }
    return k;
}

/* A kernel turned around in its spatial axes: Theano convolves, TensorFlow correlates. */
static const uc_tensor *flipped(uc_k_call *c, const uc_tensor *k, int rank)
{
    if (!k || !c->build->file->theano || !c->build->file->legacy) return k;
    int64_t window = 1, rest = 1;
    for (int i = 0; i < rank; i++) {
        window *= k->shape[i];
    }
    for (int i = rank; i < k->rank; i++) {
        rest *= k->shape[i];
    }
    uc_tensor *out = uc_tensor_new(c->graph->arena, k->dtype, k->rank, k->shape);
    if (!out) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for a kernel");
        return NULL;
    }
    const size_t row = (size_t)rest * uc_dtype_size(k->dtype);
    for (int64_t i = 0; i < window; i++) {
        memcpy((char *)out->data + (size_t)i * row,
               (const char *)k->data + (size_t)(window - 1 - i) * row, row);
    }
    return out;
}

static const uc_tensor *kernel_of(uc_k_call *c, const char *slot, int rank)
{
    const uc_tensor *k = modern_kernel(c, uc_k_tensor(c, slot), rank);
    if (k && k->rank == 4 && rank == 1) { /* Keras 1: [length, 1, in, out] */
        uc_tensor *flat = UC_NEW(c->graph->arena, uc_tensor, 1);
        const int64_t shape[] = {k->shape[0] * k->shape[1], k->shape[2], k->shape[3]};
        if (!flat) return NULL;
        *flat = uc_tensor_reshaped(k, 3, shape);
        k = flat;
    }
    return flipped(c, k, rank);
}

/* [spatial..., in, out] to [out, in, spatial...]. */
static const uc_tensor *onnx_kernel(uc_k_call *c, const uc_tensor *k)
{
    int64_t perm[5];
    const int rank = k ? k->rank - 2 : 0;
    if (!k) return NULL;
    perm[0] = rank + 1;
    perm[1] = rank;
    for (int i = 0; i < rank; i++) {
        perm[i + 2] = i;
    }
    return uc_k_permuted(c, k, perm);
}

void uc_k_conv(uc_k_call *c)
{
    bool nchw;
    uc_window w;
    const uc_ref x = input(c, &nchw);
    const int rank = uc_k_rank(c, x) - 2;
    if (rank < 1 || rank > 3) {
        uc_k_fail(c, "its input has %d dimensions", rank + 2);
        return;
    }
    const uc_tensor *k = kernel_of(c, "kernel", rank);
    if (!read_window(c, k, rank, &w) ||
        !uc_k_window_pads(c, &w, uc_k_text(c->layer, "padding", "valid"), x)) {
        return;
    }
    const int64_t groups = uc_k_int(c->layer, "groups", 1);
    finish(c, conv(c, x, onnx_kernel(c, k), uc_k_has(c->layer, "bias"), &w, groups), nchw);
}

/* [spatial..., channels, multiplier] to [channels * multiplier, 1, spatial...]. */
static const uc_tensor *depthwise_kernel(uc_k_call *c, const uc_tensor *k)
{
    int64_t perm[5], shape[5];
    if (!k) return NULL;
    const int rank = k->rank - 2;
    perm[0] = rank;
    perm[1] = rank + 1;
    for (int i = 0; i < rank; i++) {
        perm[i + 2] = i;
        shape[i + 2] = k->shape[i];
    }
    const uc_tensor *p = uc_k_permuted(c, k, perm);
    uc_tensor *flat = p ? UC_NEW(c->graph->arena, uc_tensor, 1) : NULL;
    if (!flat) return NULL;
    shape[0] = k->shape[rank] * k->shape[rank + 1];
    shape[1] = 1;
    *flat = uc_tensor_reshaped(p, rank + 2, shape);
    return flat;
}

/* Bias too when it is the whole layer. */
static uc_ref depthwise(uc_k_call *c, const char *slot, bool bias, bool *nchw)
{
    uc_window w;
    const uc_ref x = input(c, nchw);
    const int rank = uc_k_rank(c, x) - 2;
    if (rank < 1 || rank > 2) return uc_k_fail(c, "its input has %d dimensions", rank + 2);
    const uc_tensor *k = kernel_of(c, slot, rank);
    if (!read_window(c, k, rank, &w) ||
        !uc_k_window_pads(c, &w, uc_k_text(c->layer, "padding", "valid"), x)) {
        return 0;
    }
    return conv(c, x, depthwise_kernel(c, k), bias, &w, k->shape[rank]);
}

void uc_k_depthwise_conv(uc_k_call *c)
{
    bool nchw;
    /* Keras 2 before 2.3 calls its kernel depthwise_kernel: a slot name of ours alone. */
    const uc_ref y = depthwise(c, "kernel", uc_k_has(c->layer, "bias"), &nchw);
    if (y) finish(c, y, nchw);
}

void uc_k_separable_conv(uc_k_call *c)
{
    bool nchw;
    const uc_ref y = depthwise(c, "depthwise_kernel", false, &nchw);
    const uc_tensor *k = y ? kernel_of(c, "pointwise_kernel", uc_k_rank(c, y) - 2) : NULL;
    uc_window w = {.rank = k ? k->rank - 2 : 0};
    if (!k) return;
    for (int i = 0; i < w.rank && i < 3; i++) {
        w.size[i] = w.strides[i] = w.dilations[i] = 1;
    }
    finish(c, conv(c, y, onnx_kernel(c, k), uc_k_has(c->layer, "bias"), &w, 1), nchw);
}

/* How much the output is cut at both ends, and what it gets more at its end. */
static bool transposed_pads(uc_k_call *c, uc_window *w, int64_t extra[3])
{
    const uc_str padding = uc_k_text(c->layer, "padding", "valid");
    const bool same = uc_str_is(padding, "same");
    int64_t given[3] = {0};
    const uc_json *json = uc_k_get(c->layer, "output_padding");
    if (json && !uc_k_ints(json, given, (size_t)w->rank)) json = NULL;
    for (int i = 0; i < w->rank; i++) {
        const int64_t size = (w->size[i] - 1) * w->dilations[i] + 1, s = w->strides[i];
        if (size < 1 || s < 1 || size > INT32_MAX || s > INT32_MAX) {
            uc_k_fail(c, "a window of %" PRId64 " with strides %" PRId64, size, s);
            return false;
        }
        /* Output less (n - 1) * s: what a window gives in all (deconv_output_length). */
        int64_t length = same ? s : s + (size > s ? size - s : 0);
        if (json) length = size - (same ? size / 2 * 2 : 0) + given[i];
        const int64_t cut = size > length ? size - length : 0;
        w->pads[i] = same ? cut / 2 : 0;
        w->pads[w->rank + i] = cut - w->pads[i];
        extra[i] = length > size ? length - size : 0;
    }
    return true;
}

void uc_k_conv_transpose(uc_k_call *c)
{
    bool nchw;
    uc_window w;
    int64_t extra[3];
    const uc_ref x = input(c, &nchw);
    const int rank = uc_k_rank(c, x) - 2;
    if (rank < 1 || rank > 3) {
        uc_k_fail(c, "its input has %d dimensions", rank + 2);
        return;
    }
    const uc_tensor *k = kernel_of(c, "kernel", rank);
    if (!read_window(c, k, rank, &w) || !transposed_pads(c, &w, extra)) return;
    const bool bias = uc_k_has(c->layer, "bias");
    const uc_ref in[] = {x, uc_k_const(c, onnx_kernel(c, k)), bias ? uc_k_weight(c, "bias") : 0};
    uc_node *n = uc_graph_node(c->graph, "ConvTranspose", in, bias ? 3 : 2, 1);
    uc_window_put(c->graph, n, &w, true);
    uc_node_ints(c->graph, n, "output_padding", extra, (size_t)rank);
    finish(c, uc_node_out(n, 0), nchw);
}

uc_ref uc_k_convolve(uc_k_call *c, uc_ref x, const char *slot, bool bias, uc_str padding,
                     bool own_strides)
{
    uc_window w;
    const int rank = uc_k_rank(c, x) - 2;
    if (rank < 1 || rank > 3) return uc_k_fail(c, "its input has %d dimensions", rank + 2);
    const uc_tensor *k = kernel_of(c, slot, rank);
    if (!read_window(c, k, rank, &w)) return 0;
    for (int i = 0; i < rank && !own_strides; i++) {
        w.strides[i] = w.dilations[i] = 1;
    }
    if (!uc_k_window_pads(c, &w, padding, x)) return 0;
    return conv(c, x, onnx_kernel(c, k), bias, &w, 1);
}

/* ---- ConvLSTM -------------------------------------------------------------------------------- */

static uc_ref gate(uc_k_call *c, uc_ref all, int64_t i, int64_t filters)
{
    return uc_g_slice(c->graph, all, 1, i * filters, (i + 1) * filters);
}

static uc_ref inner(uc_k_call *c, uc_ref x)
{
    return uc_k_activate_key(c, "recurrent_activation", "hard_sigmoid", x, 1);
}

/* One step, all as [N, C, spatial...]; *h and *state are 0 before the first. */
static void conv_lstm_step(uc_k_call *c, uc_ref x, int64_t filters, uc_ref *h, uc_ref *state)
{
    uc_graph *g = c->graph;
    uc_ref z = uc_k_convolve(c, x, "kernel", uc_k_has(c->layer, "bias"),
                             uc_k_text(c->layer, "padding", "valid"), true);
    if (*h) {
        z = uc_g2(g, "Add", z,
                  uc_k_convolve(c, *h, "recurrent_kernel", false, uc_str_of("same"), false));
    }
    const uc_ref i = inner(c, gate(c, z, 0, filters)), f = inner(c, gate(c, z, 1, filters));
    const uc_ref o = inner(c, gate(c, z, 3, filters));
    const uc_ref new =
        uc_g2(g, "Mul", i, uc_k_activate_key(c, "activation", "tanh", gate(c, z, 2, filters), 1));
    *state = *state ? uc_g2(g, "Add", uc_g2(g, "Mul", f, *state), new) : new;
    *h = uc_g2(g, "Mul", o, uc_k_activate_key(c, "activation", "tanh", *state, 1));
}

/* Unrolled: clips are short. */
void uc_k_conv_lstm(uc_k_call *c)
{
    enum { MOST = 1024 };
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const int64_t steps = uc_k_dim(c, x, 1), filters = uc_k_int(c->layer, "filters", 0);
    const bool first = uc_k_channels_first(c->layer);
    const bool sequences = uc_k_bool(c->layer, "return_sequences", false);
    if (steps < 1 || steps > MOST || filters < 1 || filters > INT32_MAX / 4) {
        uc_k_fail(c, "%" PRId64 " steps of %" PRId64 " filters", steps, filters);
        return;
    }
    if (c->in[0].mask || c->in_count > 1) {
        uc_k_fail(c, "it is masked or given states");
        return;
    }
    uc_ref h = 0, state = 0, *all = UC_NEW(g->arena, uc_ref, (size_t)steps);
    const bool backwards = uc_k_bool(c->layer, "go_backwards", false);
    for (int64_t t = 0; all && t < steps && !g->status; t++) {
        const uc_ref index = uc_graph_i64(g, backwards ? steps - 1 - t : t);
        uc_k_value step = {.ref = uc_g_gather(g, x, index, 1)};
        conv_lstm_step(c, first ? step.ref : uc_k_first(c, step), filters, &h, &state);
        const uc_k_value y = {.ref = h, .nchw = !first};
        if (sequences) all[t] = uc_g_unsqueeze(g, uc_k_plain(c, y), 1);
    }
    if (g->status || !all) return;
    if (sequences)
        uc_k_set(c, uc_g_concat(g, all, (size_t)steps, 1));
    else
        uc_k_set_as(c, h, !first);
    if (!uc_k_bool(c->layer, "return_state", false)) return;
    c->out[1] = (uc_k_value){.ref = h, .nchw = !first};
    c->out[2] = (uc_k_value){.ref = state, .nchw = !first};
    c->out_count = 3;
}
