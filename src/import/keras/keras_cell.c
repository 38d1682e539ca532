/* One step of a recurrent cell. Source: keras/src/layers/rnn/lstm.py, gru.py, simple_rnn.py (call of
 * the cells); keras 1.2.2 keras/layers/recurrent.py for a variable a gate. */
#include "import/keras/keras_rnn.h"

#include <inttypes.h>

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

uc_k_cell_kind uc_k_cell_kind_of(const uc_k_layer *cell)
{
    const char *name = cell->class_name;
    if (begins(name, "LSTM") || begins(name, "CuDNNLSTM")) return UC_K_LSTM;
    if (begins(name, "GRU") || begins(name, "CuDNNGRU")) return UC_K_GRU;
    if (begins(name, "SimpleRNN")) return UC_K_SIMPLE;
    return begins(name, "StackedRNNCells") ? UC_K_STACKED : UC_K_OTHER;
}

size_t uc_k_cell_states(uc_k_call *c, const uc_k_layer *cell, int64_t *widths)
{
    const uc_k_cell_kind kind = uc_k_cell_kind_of(cell);
    size_t n = 0;
    if (kind == UC_K_STACKED) {
        for (size_t i = 0; i < cell->child_count; i++) {
            int64_t inner[UC_K_STATES];
            if (uc_k_cell_kind_of(cell->children[i].layer) == UC_K_STACKED) break;
            const size_t count = uc_k_cell_states(c, cell->children[i].layer, inner);
            for (size_t k = 0; k < count && n < UC_K_STATES; k++) {
                widths[n++] = inner[k];
            }
        }
        return n;
    }
    const int64_t units = uc_k_int(cell, "units", 0);
    if (units < 1 || units > INT32_MAX || kind == UC_K_OTHER) {
        uc_k_fail(c, "a cell of the class '%s' with %" PRId64 " units", cell->class_name, units);
        return 0;
    }
    widths[n++] = units;
    if (kind == UC_K_LSTM) widths[n++] = units;
    return n;
}

/* ---- variables ------------------------------------------------------------------------------- */

/* Variables of one gate each, side by side: "W_i", "W_f", ... */
static const uc_tensor *beside(uc_k_call *c, char letter, const char *order)
{
    const uc_tensor *parts[4] = {0};
    size_t n = strlen(order);
    int64_t shape[2] = {1, 0};
    int rank = 0;
    for (size_t i = 0; i < n && i < 4; i++) {
        const char name[] = {letter, '_', order[i], 0};
        parts[i] = uc_k_tensor(c, name);
        if (!parts[i] || parts[i]->dtype != UNCORK_FLOAT32 || parts[i]->rank < 1 ||
            parts[i]->rank > 2 ||
            (i && (parts[i]->rank != rank || parts[i]->shape[0] != parts[0]->shape[0]))) {
            return NULL;
        }
        rank = parts[i]->rank;
    }
    const int64_t rows = rank == 2 ? parts[0]->shape[0] : 1;
    const int64_t width = parts[0]->shape[rank - 1];
    for (size_t i = 0; i < n; i++) {
        if (parts[i]->shape[rank - 1] != width) return NULL;
    }
    shape[0] = rank == 2 ? rows : width * (int64_t)n;
    shape[1] = width * (int64_t)n;
    uc_tensor *t = uc_tensor_new(c->graph->arena, UNCORK_FLOAT32, rank, shape);
    if (!t) return NULL;
    for (int64_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < n; i++) {
            memcpy((float *)t->data + (r * (int64_t)n + (int64_t)i) * width,
                   (const float *)parts[i]->data + r * width, (size_t)width * sizeof(float));
        }
    }
    return t;
}

/* cuDNN's two biases of an LSTM count as their sum. */
static const uc_tensor *sum_halves(uc_k_call *c, const uc_tensor *t)
{
    const int64_t n = t->shape[0] / 2;
    uc_tensor *sum = uc_tensor_new(c->graph->arena, UNCORK_FLOAT32, 1, &n);
    if (!sum || t->dtype != UNCORK_FLOAT32 || t->rank != 1) return NULL;
    for (int64_t i = 0; i < n; i++) {
        ((float *)sum->data)[i] = ((const float *)t->data)[i] + ((const float *)t->data)[n + i];
    }
    return sum;
}

bool uc_k_read_gates(uc_k_call *c, const uc_k_layer *cell, uc_k_gates *out)
{
    uc_k_call own = *c;
    own.layer = cell;
    const uc_k_cell_kind kind = uc_k_cell_kind_of(cell);
    const bool cudnn = begins(cell->class_name, "CuDNN");
    *out = (uc_k_gates){0};
    if (cell->major == 1 && kind != UC_K_SIMPLE) {
        const char *order = kind == UC_K_LSTM ? "ifco" : "zrh";
        out->kernel = beside(&own, 'W', order);
        out->recurrent = beside(&own, 'U', order);
        out->bias = beside(&own, 'b', order);
        if (!out->bias && !c->graph->status) uc_k_fail(c, "its gates' weights don't fit together");
    } else {
        out->kernel = uc_k_tensor(&own, "kernel");
        out->recurrent = uc_k_tensor(&own, "recurrent_kernel");
        out->bias = uc_k_tensor(&own, "bias");
        if (cudnn && out->bias && out->bias->rank == 1 && kind == UC_K_LSTM) {
            out->bias = sum_halves(&own, out->bias);
        } else if (cudnn && out->bias && out->bias->rank == 1) {
            const int64_t shape[] = {2, out->bias->shape[0] / 2};
            uc_tensor *two = UC_NEW(c->graph->arena, uc_tensor, 1);
            if (two) *two = uc_tensor_reshaped(out->bias, 2, shape);
            out->bias = two;
        }
    }
    if (c->graph->status) return false;
    const int64_t gates = kind == UC_K_LSTM ? 4 : kind == UC_K_GRU ? 3 : 1;
    const int64_t units = uc_k_int(cell, "units", 0);
    if (!out->kernel || !out->recurrent || out->kernel->rank != 2 || out->recurrent->rank != 2 ||
        out->kernel->shape[1] != gates * units || out->recurrent->shape[0] != units ||
        out->recurrent->shape[1] != gates * units) {
        uc_k_fail(c, "its weights don't have the shapes of %" PRId64 " units", units);
        return false;
    }
    return true;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static uc_ref gate(uc_graph *g, uc_ref all, int64_t i, int64_t units)
{
    return uc_g_slice(g, all, 1, i * units, (i + 1) * units);
}

static uc_ref with_bias(uc_k_call *c, uc_ref x, const uc_tensor *bias)
{
    return bias ? uc_g2(c->graph, "Add", x, uc_k_const(c, bias)) : x;
}

/* Keras 1 calls it inner_activation; cuDNN's cells have none in their config. */
static uc_ref inner_activation(uc_k_call *c, uc_ref x)
{
    const uc_json *f = uc_k_get(c->layer, "recurrent_activation");
    return f ? uc_k_activate(c, f, x, 1) : uc_g1(c->graph, "Sigmoid", x);
}

static uc_ref outer_activation(uc_k_call *c, uc_ref x)
{
    return uc_k_activate_key(c, "activation", "tanh", x, 1);
}

static uc_ref lstm_step(uc_k_call *c, const uc_k_gates *w, int64_t units, uc_ref x, uc_ref *states)
{
    uc_graph *g = c->graph;
    const uc_ref from_x = uc_g2(g, "MatMul", x, uc_k_const(c, w->kernel));
    const uc_ref from_h = uc_g2(g, "MatMul", states[0], uc_k_const(c, w->recurrent));
    const uc_ref z = with_bias(c, uc_g2(g, "Add", from_x, from_h), w->bias);
    const uc_ref i = inner_activation(c, gate(g, z, 0, units));
    const uc_ref f = inner_activation(c, gate(g, z, 1, units));
    const uc_ref candidate = outer_activation(c, gate(g, z, 2, units));
    const uc_ref o = inner_activation(c, gate(g, z, 3, units));
    states[1] = uc_g2(g, "Add", uc_g2(g, "Mul", f, states[1]), uc_g2(g, "Mul", i, candidate));
    states[0] = uc_g2(g, "Mul", o, outer_activation(c, states[1]));
    return states[0];
}

/* A row of GRU's two biases, or its one. */
static const uc_tensor *bias_row(uc_k_call *c, const uc_tensor *bias, int64_t row)
{
    if (!bias || (bias->rank == 1 && row == 1)) return NULL;
    if (bias->rank == 1) return bias;
    uc_tensor *t = UC_NEW(c->graph->arena, uc_tensor, 1);
    if (!t || row >= bias->shape[0]) return NULL;
    const int64_t n = bias->shape[1];
    uc_tensor_set(t, bias->dtype, 1, &n);
    t->data = (char *)bias->data + (size_t)(row * n) * uc_dtype_size(bias->dtype);
    return t;
}

static uc_ref gru_step(uc_k_call *c, const uc_k_gates *w, int64_t units, uc_ref x, uc_ref *states)
{
    uc_graph *g = c->graph;
    const bool after = uc_k_bool(c->layer, "reset_after", begins(c->layer->class_name, "CuDNN"));
    const uc_ref h = states[0];
    const uc_ref from_x =
        with_bias(c, uc_g2(g, "MatMul", x, uc_k_const(c, w->kernel)), bias_row(c, w->bias, 0));
    const uc_ref recurrent = uc_k_const(c, w->recurrent);
    uc_ref from_h, z, r, candidate;
    if (after) {
        from_h = with_bias(c, uc_g2(g, "MatMul", h, recurrent), bias_row(c, w->bias, 1));
    } else {
        from_h = uc_g2(g, "MatMul", h, uc_g_slice(g, recurrent, 1, 0, 2 * units));
    }
    z = inner_activation(c, uc_g2(g, "Add", gate(g, from_x, 0, units), gate(g, from_h, 0, units)));
    r = inner_activation(c, uc_g2(g, "Add", gate(g, from_x, 1, units), gate(g, from_h, 1, units)));
    if (after) {
        candidate = uc_g2(g, "Mul", r, gate(g, from_h, 2, units));
    } else {
        candidate = uc_g2(g, "MatMul", uc_g2(g, "Mul", r, h),
                          uc_g_slice(g, recurrent, 1, 2 * units, 3 * units));
    }
    candidate = outer_activation(c, uc_g2(g, "Add", gate(g, from_x, 2, units), candidate));
    const uc_ref keep = uc_g2(g, "Mul", z, h);
    const uc_ref take = uc_g2(g, "Mul", uc_g2(g, "Sub", uc_k_scalar(c, 1), z), candidate);
    states[0] = uc_g2(g, "Add", keep, take);
    return states[0];
}

static uc_ref simple_step(uc_k_call *c, const uc_k_gates *w, uc_ref x, uc_ref *states)
{
    uc_graph *g = c->graph;
    const uc_ref from_x = with_bias(c, uc_g2(g, "MatMul", x, uc_k_const(c, w->kernel)), w->bias);
    const uc_ref from_h = uc_g2(g, "MatMul", states[0], uc_k_const(c, w->recurrent));
    states[0] = outer_activation(c, uc_g2(g, "Add", from_x, from_h));
    return states[0];
}

uc_ref uc_k_cell_step(uc_k_call *c, const uc_k_layer *cell, uc_ref x, uc_ref *states)
{
    const uc_k_cell_kind kind = uc_k_cell_kind_of(cell);
    uc_k_call own = *c;
    uc_k_gates w;
    if (kind == UC_K_STACKED) {
        size_t at = 0;
        for (size_t i = 0; i < cell->child_count; i++) {
            int64_t widths[UC_K_STATES];
            const uc_k_layer *one = cell->children[i].layer;
            if (uc_k_cell_kind_of(one) == UC_K_STACKED) {
                return uc_k_fail(c, "stacked cells within stacked cells");
            }
            x = uc_k_cell_step(c, one, x, states + at);
            at += uc_k_cell_states(c, one, widths);
            if (c->graph->status) return 0;
        }
        return x;
    }
    own.layer = cell;
    if (!uc_k_read_gates(c, cell, &w)) return 0;
    const int64_t units = uc_k_int(cell, "units", 0);
    if (kind == UC_K_LSTM) return lstm_step(&own, &w, units, x, states);
    if (kind == UC_K_GRU) return gru_step(&own, &w, units, x, states);
    return simple_step(&own, &w, x, states);
}
