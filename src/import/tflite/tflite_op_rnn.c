/* Recurrent operators. Source: tensorflow/lite/kernels/{unidirectional_sequence_lstm,
 * unidirectional_sequence_rnn,lstm_eval}.cc: gates are input, forget, cell, output in their inputs' order. */
#include "import/tflite/tflite_layout.h"

static uc_ref join(uc_tfl_call *c, const size_t *inputs, bool matrices)
{
    static const int64_t same[] = {0, 1};
    uc_ref parts[4];
    for (size_t i = 0; i < 4; i++) {
        parts[i] = matrices ? uc_tfl_weight(c, inputs[i], same, 2) : uc_tfl_bias(c, inputs[i]);
    }
    if (c->graph->status) return 0;
    return uc_g_concat(c->graph, parts, 4, 0);
}

/* [T, N, in] of either order. */
static uc_ref steps_of(uc_tfl_call *c, bool time_major)
{
    static const int64_t swap[] = {1, 0, 2};
    const uc_ref x = uc_tfl_in(c, 0);
    return time_major ? x : uc_tfl_transpose(c->graph, x, swap, 3);
}

static void finish(uc_tfl_call *c, uc_ref steps, bool time_major)
{
    static const int64_t swap[] = {1, 0, 2};
    const uc_ref y = uc_g_squeeze(c->graph, steps, 1);
    uc_tfl_out(c, 0, time_major ? y : uc_tfl_transpose(c->graph, y, swap, 3));
}

static const char *function_name(uc_tfl_call *c, int64_t function)
{
    if (function == 4) return "Tanh";
    if (function == 1) return "Relu";
    uc_tfl_fail(c, "its activation %d isn't supported", (int)function);
    return NULL;
}

/* Inputs: x, 4 kernels, 4 recurrent kernels, 3 peepholes, 4 biases, projection and its bias, two states,
 * 4 normalisations. */
void uc_tfl_sequence_lstm(uc_tfl_call *c)
{
    static const size_t kernels[] = {1, 4, 2, 3}, recurrent[] = {5, 8, 6, 7};
    static const size_t biases[] = {12, 15, 13, 14};
    uc_graph *g = c->graph;
    const bool time_major = uc_fb_bool(c->options, 3, false);
    const float clip = uc_fb_float(c->options, 1, 0);
    for (size_t i = 0; i < 24; i++) {
        const bool extra = (i >= 9 && i <= 11) || i == 16 || i == 17 || i >= 20;
        if (extra ? uc_tfl_has(c, i) : !uc_tfl_has(c, i)) {
            uc_tfl_fail(c, "it has coupled gates, peepholes, a projection or normalisation");
            return;
        }
    }
    if (uc_fb_float(c->options, 2, 0) != 0) {
        uc_tfl_fail(c, "it clips a projection");
        return;
    }
    if (clip != 0) {
        uc_note(c->build->findings, UC_NOTE_IGNORED, "lstm-cell-clip",
                "%s clips its cells to %g, which isn't done: cells of trained models stay below",
                c->op->name, (double)clip);
    }
    const uc_ref w = join(c, kernels, true), r = join(c, recurrent, true);
    const uc_ref b = join(c, biases, false);
    if (g->status) return;
    const int64_t units = uc_tfl_dim(c, r, 1);
    const int64_t count[] = {4 * units};
    uc_tensor *none = units > 0 ? uc_tensor_new(g->arena, UNCORK_FLOAT32, 1, count) : NULL;
    const char *outer = function_name(c, uc_tfl_i8(c, 0, 0));
    if (!none || !outer) {
        uc_tfl_fail(c, "the size of its gates isn't known");
        return;
    }
    const uc_ref both[] = {b, uc_graph_const(g, none)};
    const uc_ref in[] = {steps_of(c, time_major), uc_g_unsqueeze(g, w, 0), uc_g_unsqueeze(g, r, 0),
                         uc_g_unsqueeze(g, uc_g_concat(g, both, 2, 0), 0)};
    const uc_str functions[] = {uc_str_of("Sigmoid"), uc_str_of(outer), uc_str_of(outer)};
    uc_node *n = uc_graph_node(g, "LSTM", in, 4, 1);
    uc_node_int(g, n, "hidden_size", units);
    uc_node_strs(g, n, "activations", functions, 3);
    finish(c, uc_node_out(n, 0), time_major);
}

/* Inputs: x, kernel, recurrent kernel, bias, state. */
void uc_tfl_sequence_rnn(uc_tfl_call *c)
{
    static const int64_t same[] = {0, 1};
    uc_graph *g = c->graph;
    const bool time_major = uc_fb_bool(c->options, 0, false);
    const uc_ref w = uc_tfl_weight(c, 1, same, 2), r = uc_tfl_weight(c, 2, same, 2);
    const uc_ref b = uc_tfl_bias(c, 3);
    const int64_t units = uc_tfl_dim(c, r, 1), count[] = {units};
    const char *name = function_name(c, uc_tfl_i8(c, 1, 0));
    uc_tensor *none = units > 0 ? uc_tensor_new(g->arena, UNCORK_FLOAT32, 1, count) : NULL;
    if (g->status || !none || !name) {
        uc_tfl_fail(c, "the size of its state isn't known");
        return;
    }
    const uc_ref both[] = {b, uc_graph_const(g, none)};
    const uc_ref in[] = {steps_of(c, time_major), uc_g_unsqueeze(g, w, 0), uc_g_unsqueeze(g, r, 0),
                         uc_g_unsqueeze(g, uc_g_concat(g, both, 2, 0), 0)};
    const uc_str functions[] = {uc_str_of(name)};
    uc_node *n = uc_graph_node(g, "RNN", in, 4, 1);
    uc_node_int(g, n, "hidden_size", units);
    uc_node_strs(g, n, "activations", functions, 1);
    finish(c, uc_node_out(n, 0), time_major);
}
