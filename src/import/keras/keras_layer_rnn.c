/* Recurrent layers: ONNX's own operators where nothing is masked and the functions are its, else a
 * Scan of cell steps. Source: keras/src/layers/rnn/rnn.py, bidirectional.py,
 * keras/src/backend/tensorflow/rnn.py (masks: states and outputs stay as before). */
#include "import/keras/keras_rnn.h"

#include <inttypes.h>

static uc_ref reverse_time(uc_graph *g, uc_ref x)
{
    const int64_t axis = 1;
    return uc_g_reverse(g, x, &axis, 1);
}

uc_ref uc_k_zeros(uc_k_call *c, uc_ref x, int64_t width)
{
    uc_graph *g = c->graph;
    const uc_ref batch = uc_g_slice(g, uc_g1(g, "Shape", x), 0, 0, 1);
    const uc_ref parts[] = {batch, uc_graph_i64s(g, &width, 1)};
    return uc_g2(g, "Expand", uc_k_scalar(c, 0), uc_g_concat(g, parts, 2, 0));
}

/* ---- ONNX's operators ------------------------------------------------------------------------ */

/* [in, gates * units] to [1, gates * units, in], the gates in ONNX's order. */
static const uc_tensor *packed(uc_k_call *c, const uc_tensor *t, const int *order, int64_t gates)
{
    const int64_t in = t->shape[0], units = t->shape[1] / gates;
    const int64_t shape[] = {1, gates * units, in};
    uc_tensor *out = uc_tensor_new(c->graph->arena, UNCORK_FLOAT32, 3, shape);
    if (!out || t->dtype != UNCORK_FLOAT32) return NULL;
    for (int64_t k = 0; k < gates; k++) {
        for (int64_t u = 0; u < units; u++) {
            for (int64_t i = 0; i < in; i++) {
                ((float *)out->data)[(k * units + u) * in + i] =
                    ((const float *)t->data)[i * gates * units + order[k] * units + u];
            }
        }
    }
    return out;
}

/* Input biases, then recurrent ones: [1, 2 * gates * units]. */
static const uc_tensor *packed_bias(uc_k_call *c, const uc_tensor *t, const int *order,
                                    int64_t gates, int64_t units)
{
    const int64_t n = gates * units, shape[] = {1, 2 * n};
    uc_tensor *out = uc_tensor_new(c->graph->arena, UNCORK_FLOAT32, 2, shape);
    const int64_t rows = t && t->rank == 2 ? 2 : 1;
    if (!out || !t) return out;
    if (t->dtype != UNCORK_FLOAT32 || uc_tensor_count(t) != rows * n) return NULL;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t k = 0; k < gates; k++) {
            memcpy((float *)out->data + row * n + k * units,
                   (const float *)t->data + row * n + order[k] * units,
                   (size_t)units * sizeof(float));
        }
    }
    return out;
}

static const char *onnx_function(const uc_k_layer *cell, const char *key, const char *otherwise)
{
    static const char *const names[][2] = {
        {"sigmoid", "Sigmoid"},
        {"tanh", "Tanh"},
        {"relu", "Relu"},
        {"hard_sigmoid", "HardSigmoid"},
    };
    const uc_json *json = uc_k_get(cell, key);
    const uc_str f = json ? uc_k_object_name(json) : uc_str_of(otherwise);
    if (uc_str_is(f, "hard_sigmoid") && cell->major >= 3) return NULL; /* another slope */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (uc_str_is(f, names[i][0])) return names[i][1];
    }
    return NULL;
}

static uc_ref front(uc_graph *g, uc_ref state) { return uc_g_unsqueeze(g, state, 0); }

/* Whether ONNX has the cell's functions, in `functions`; how many, 0 when not. */
static size_t functions_of(const uc_k_layer *cell, uc_k_cell_kind kind, uc_str *functions)
{
    const char *outer = onnx_function(cell, "activation", "tanh");
    const char *inner = onnx_function(cell, "recurrent_activation", "sigmoid");
    if (!outer || (!inner && kind != UC_K_SIMPLE)) return 0;
    size_t n = 0;
    if (kind != UC_K_SIMPLE) functions[n++] = uc_str_of(inner);
    functions[n++] = uc_str_of(outer);
    if (kind == UC_K_LSTM) functions[n++] = uc_str_of(outer);
    return n;
}

/* False: it can't be one operator. */
static bool as_operator(uc_k_call *c, const uc_k_layer *cell, uc_ref x, const uc_ref *states,
                        size_t state_count, uc_k_unrolled *out)
{
    static const int lstm[] = {0, 3, 1, 2}, plain[] = {0, 1, 2, 3};
    static const char *const names[] = {"RNN", "LSTM", "GRU"};
    uc_graph *g = c->graph;
    const uc_k_cell_kind kind = uc_k_cell_kind_of(cell);
    uc_str functions[3];
    uc_k_gates w;
    if (kind > UC_K_GRU || c->dtype != UNCORK_FLOAT32) return false;
    const size_t n = functions_of(cell, kind, functions);
    if (n == 0 || !uc_k_read_gates(c, cell, &w)) return false;
    const int *order = kind == UC_K_LSTM ? lstm : plain;
    const int64_t gates = kind == UC_K_LSTM ? 4 : kind == UC_K_GRU ? 3 : 1;
    const int64_t units = w.recurrent->shape[0];
    const uc_tensor *k = packed(c, w.kernel, order, gates);
    const uc_tensor *r = packed(c, w.recurrent, order, gates);
    const uc_tensor *b = packed_bias(c, w.bias, order, gates, units);
    if (!k || !r || !b) return false;
    const uc_ref in[] = {uc_k_transpose2(g, x, 1, 0, 2),
                         uc_graph_const(g, k),
                         uc_graph_const(g, r),
                         uc_graph_const(g, b),
                         0,
                         state_count ? front(g, states[0]) : 0,
                         state_count > 1 ? front(g, states[1]) : 0};
    uc_node *node =
        uc_graph_node(g, names[kind], in, kind == UC_K_LSTM ? 7 : 6, kind == UC_K_LSTM ? 3 : 2);
    uc_node_int(g, node, "hidden_size", units);
    uc_node_strs(g, node, "activations", functions, n);
    if (kind == UC_K_GRU) {
        const bool after =
            uc_k_bool(cell, "reset_after", strncmp(cell->class_name, "CuDNN", 5) == 0);
        uc_node_int(g, node, "linear_before_reset", after);
    }
    const uc_ref y = uc_node_out(node, 0), h = uc_node_out(node, 1);
    const uc_ref cell_state = kind == UC_K_LSTM ? uc_node_out(node, 2) : 0;
    out->sequence = uc_k_transpose2(g, uc_g_squeeze(g, y, 1), 1, 0, 2);
    out->last = out->states[0] = uc_g_squeeze(g, h, 0);
    out->state_count = 1;
    if (cell_state) out->states[out->state_count++] = uc_g_squeeze(g, cell_state, 0);
    return true;
}

/* ---- Scan ------------------------------------------------------------------------------------ */

typedef struct scan {
    const uc_k_layer *cell;
    int64_t widths[UC_K_STATES + 1]; /* of the states, then of the output before */
    size_t states;
    bool masked, zeroed;
} scan;

static int64_t output_width(const uc_k_layer *cell)
{
    if (uc_k_cell_kind_of(cell) == UC_K_STACKED && cell->child_count) {
        cell = cell->children[cell->child_count - 1].layer;
    }
    return uc_k_int(cell, "units", 0);
}

/* One step as a graph: states (and the output before), x, mask to the same and the output. */
static uc_graph *make_body(uc_k_call *c, const scan *s, int64_t inputs)
{
    uc_graph *outer = c->graph;
    uc_graph *g = uc_graph_new(outer->arena, outer->budget, outer->error);
    if (!g) return NULL;
    uc_k_call step = *c;
    uc_ref before[UC_K_STATES + 1], states[UC_K_STATES];
    const size_t carried = s->states + s->masked;
    step.graph = g;
    g->where = outer->where;
    for (size_t i = 0; i < carried; i++) {
        const int64_t shape[] = {-1, s->widths[i]};
        before[i] =
            uc_graph_input(g, uc_arena_printf(g->arena, "state_%zu", i), c->dtype, 2, shape);
        if (i < s->states) states[i] = before[i];
    }
    const int64_t x_shape[] = {-1, inputs}, mask_shape[] = {-1, 1};
    const uc_ref x = uc_graph_input(g, "x", c->dtype, 2, x_shape);
    const uc_ref mask = s->masked ? uc_graph_input(g, "mask", UNCORK_BOOL, 2, mask_shape) : 0;
    uc_ref y = uc_k_cell_step(&step, s->cell, x, states);
    uc_ref kept = y;
    if (mask && y) {
        for (size_t i = 0; i < s->states; i++) {
            states[i] = uc_g_where(g, mask, states[i], before[i]);
        }
        kept = uc_g_where(g, mask, y, before[s->states]);
        y = s->zeroed ? uc_g_where(g, mask, y, uc_k_scalar(&step, 0)) : kept;
    }
    for (size_t i = 0; i < s->states; i++) {
        uc_graph_output(g, uc_arena_printf(g->arena, "next_%zu", i),
                        uc_g1(g, "Identity", states[i]));
    }
    if (mask) uc_graph_output(g, "kept", uc_g1(g, "Identity", kept));
    uc_graph_output(g, "y", uc_g1(g, "Identity", y));
    return g;
}

static bool as_scan(uc_k_call *c, const uc_k_layer *cell, uc_ref x, uc_ref mask,
                    const uc_ref *states, size_t state_count, uc_k_unrolled *out)
{
    uc_graph *g = c->graph;
    scan s = {.cell = cell, .masked = mask != 0};
    s.states = uc_k_cell_states(c, cell, s.widths);
    s.widths[s.states] = output_width(cell);
    s.zeroed = uc_k_bool(c->layer, "zero_output_for_mask", false);
    if (g->status || s.states == 0) return false;
    uc_ref in[UC_K_STATES + 4];
    size_t n = 0;
    for (size_t i = 0; i < s.states + s.masked; i++) {
        const bool given = i < s.states && i < state_count;
        in[n++] = given ? states[i] : uc_k_zeros(c, x, s.widths[i]);
    }
    in[n++] = uc_k_transpose2(g, x, 1, 0, 2);
    if (mask) in[n++] = uc_k_transpose2(g, uc_g_unsqueeze(g, mask, 2), 1, 0, 2);
    uc_graph *body = make_body(c, &s, uc_k_dim(c, x, 2));
    if (!body || body->status) {
        uc_graph_fail(g, body ? body->status : UNCORK_NO_MEMORY, "the step of layer '%s'",
                      c->layer->name);
        return false;
    }
    uc_node *node = uc_graph_node(g, "Scan", in, n, s.states + s.masked + 1);
    uc_node_graph(g, node, "body", body);
    uc_node_int(g, node, "num_scan_inputs", mask ? 2 : 1);
    uc_node_int(g, node, "captures", 0);
    for (size_t i = 0; i < s.states; i++) {
        out->states[i] = uc_node_out(node, i);
    }
    out->state_count = s.states;
    const uc_ref steps = uc_node_out(node, s.states + s.masked);
    /* Said again, since the look ahead doesn't see through bodies. */
    const int64_t all[] = {0, uc_k_dim(c, x, 1), s.widths[s.states]};
    const int64_t one[] = {-1, s.widths[s.states]};
    out->sequence = uc_g_reshape(g, uc_k_transpose2(g, steps, 1, 0, 2), all, 3);
    out->last = uc_g_reshape(g, uc_g_slice(g, steps, 0, -1, INT64_MAX), one, 2);
    return !g->status;
}

bool uc_k_run_cell(uc_k_call *c, const uc_k_layer *cell, uc_ref x, uc_ref mask, bool backwards,
                   const uc_ref *states, size_t state_count, uc_k_unrolled *out)
{
    *out = (uc_k_unrolled){0};
    if (backwards) {
        x = reverse_time(c->graph, x);
        if (mask) mask = reverse_time(c->graph, mask);
    }
    if (!mask && as_operator(c, cell, x, states, state_count, out)) return !c->graph->status;
    return !c->graph->status && as_scan(c, cell, x, mask, states, state_count, out);
}

/* ---- layers ---------------------------------------------------------------------------------- */

static const uc_k_layer *cell_of(const uc_k_layer *l)
{
    const uc_k_layer *cell = uc_k_child_of(l, "cell");
    return cell ? cell : l;
}

/* States that the call gives: behind x among the inputs, or as initial_state. */
static size_t initial_states(uc_k_call *c, uc_ref *states)
{
    size_t n = 0;
    uc_k_value v;
    for (size_t i = 1; i < c->in_count && n < UC_K_STATES; i++) {
        states[n++] = uc_k_plain(c, c->in[i]);
    }
    const uc_json *given = n ? NULL : uc_json_get(c->kwargs, "initial_state");
    if (given && uc_k_tensor_of(c, given, &v)) {
        states[n++] = v.ref;
        return n;
    }
    for (size_t i = 0; given && given->kind == UC_JSON_ARRAY && i < given->count; i++) {
        if (n < UC_K_STATES && uc_k_tensor_of(c, given->items[i], &v)) states[n++] = v.ref;
    }
    return n;
}

static void put(uc_k_call *c, uc_ref ref, uc_ref mask)
{
    if (c->out_count < UC_K_OUTPUTS)
        c->out[c->out_count++] = (uc_k_value){.ref = ref, .mask = mask};
}

/* x as [N, T, in]; 0 (failed) when it isn't. */
static uc_ref steps_of(uc_k_call *c)
{
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const int rank = uc_k_rank(c, x);
    if (rank != 3) return uc_k_fail(c, "its input has %d dimensions, 3 are wanted", rank);
    return x;
}

void uc_k_rnn(uc_k_call *c)
{
    uc_ref states[UC_K_STATES];
    uc_k_unrolled y;
    const uc_ref x = steps_of(c);
    uc_ref mask = c->in[0].mask;
    uc_k_value given;
    if (uc_k_argument(c, SIZE_MAX, "mask", &given)) mask = given.ref;
    const size_t n = initial_states(c, states);
    if (!x || !uc_k_run_cell(c, cell_of(c->layer), x, mask,
                             uc_k_bool(c->layer, "go_backwards", false), states, n, &y)) {
        return;
    }
    const bool sequences = uc_k_bool(c->layer, "return_sequences", false);
    put(c, sequences ? y.sequence : y.last, sequences ? c->in[0].mask : 0);
    for (size_t i = 0; i < y.state_count && uc_k_bool(c->layer, "return_state", false); i++) {
        put(c, y.states[i], 0);
    }
}

static uc_ref merged(uc_k_call *c, uc_str mode, uc_ref a, uc_ref b)
{
    uc_graph *g = c->graph;
    const uc_ref both[] = {a, b};
    if (uc_str_is(mode, "concat")) return uc_g_concat(g, both, 2, -1);
    if (uc_str_is(mode, "sum")) return uc_g2(g, "Add", a, b);
    if (uc_str_is(mode, "mul")) return uc_g2(g, "Mul", a, b);
    if (uc_str_is(mode, "ave")) {
        return uc_g2(g, "Div", uc_g2(g, "Add", a, b), uc_k_scalar(c, 2));
    }
    return uc_k_fail(c, "merge_mode '%.*s'", (int)(mode.size < 40 ? mode.size : 40), mode.data);
}

/* Layers that are no loop over a cell: each emitted as it is, the second the other way round. */
static void both_ways(uc_k_call *c, const uc_k_layer *const *layers)
{
    uc_k_call y[2];
    const bool sequences = uc_k_bool(layers[0], "return_sequences", false);
    for (int i = 0; i < 2; i++) {
        const bool again = i == 1 && layers[0]->record == layers[1]->record;
        uc_k_value x = c->in[0];
        if (again) x = (uc_k_value){.ref = reverse_time(c->graph, uc_k_plain(c, x))};
        uc_k_emit(c->build, layers[i], NULL, NULL, NULL, &x, 1, &y[i]);
        if (c->graph->status || !y[i].out_count) return;
    }
    const uc_ref a = uc_k_plain(c, y[0].out[0]);
    uc_ref b = uc_k_plain(c, y[1].out[0]);
    if (sequences) b = reverse_time(c->graph, b);
    const uc_json *mode = uc_json_get(c->layer->config, "merge_mode");
    if (mode && mode->kind == UC_JSON_NULL) {
        put(c, a, 0);
        put(c, b, 0);
    } else {
        put(c, merged(c, uc_json_str(mode, "concat"), a, b), 0);
    }
}

void uc_k_bidirectional(uc_k_call *c)
{
    uc_ref states[UC_K_STATES];
    uc_k_unrolled y[2];
    const uc_k_layer *layers[] = {uc_k_child_of(c->layer, "forward_layer"),
                                  uc_k_child_of(c->layer, "backward_layer")};
    if (layers[0] && layers[1] && strncmp(layers[0]->class_name, "Conv", 4) == 0) {
        both_ways(c, layers);
        return;
    }
    const uc_ref x = steps_of(c);
    if (!x || !layers[0] || !layers[1]) return;
    const size_t n = initial_states(c, states);
    for (int i = 0; i < 2; i++) {
        uc_k_call own = *c;
        own.layer = layers[i];
        bool backwards = uc_k_bool(layers[i], "go_backwards", false);
        if (i == 1 && layers[0]->record == layers[1]->record) backwards = !backwards;
        if (!uc_k_run_cell(&own, cell_of(layers[i]), x, c->in[0].mask, backwards,
                           states + (size_t)i * (n / 2), n / 2, &y[i])) {
            return;
        }
    }
    const bool sequences = uc_k_bool(layers[0], "return_sequences", false);
    const uc_ref a = sequences ? y[0].sequence : y[0].last;
    const uc_ref b = sequences ? reverse_time(c->graph, y[1].sequence) : y[1].last;
    const uc_ref mask = sequences ? c->in[0].mask : 0;
    const uc_json *mode = uc_json_get(c->layer->config, "merge_mode");
    if (mode && mode->kind == UC_JSON_NULL) {
        put(c, a, mask);
        put(c, b, mask);
    } else {
        put(c, merged(c, uc_json_str(mode, "concat"), a, b), mask);
    }
    for (int i = 0; i < 2 && uc_k_bool(layers[0], "return_state", false); i++) {
        for (size_t k = 0; k < y[i].state_count; k++) {
            put(c, y[i].states[k], 0);
        }
    }
}
