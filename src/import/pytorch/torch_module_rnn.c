/* Recurrent layers. Source: torch 2.15, torch/nn/modules/rnn.py. */
#include "import/pytorch/torch_module.h"

#include <inttypes.h>
#include <stdio.h>

static uc_ref weight(uc_t_call *c, const char *what, int64_t layer, bool reverse)
{
    char name[60];
    (void)snprintf(name, sizeof name, "%s_l%" PRId64 "%s", what, layer, reverse ? "_reverse" : "");
    return uc_t_tensor(c, name);
}

static const char *kind_of(uc_t_call *c, const char *otherwise)
{
    const uc_str mode = uc_t_attr_text(c, "mode", otherwise);
    if (uc_str_is(mode, "RNN_RELU")) return "RELU";
    if (uc_str_is(mode, "RNN_TANH")) return "RNN";
    return uc_str_is(uc_t_attr_text(c, "nonlinearity", "tanh"), "relu") ? "RELU" : otherwise;
}

void uc_t_m_rnn(uc_t_call *c)
{
    static const char *const names[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh",
                                        "weight_hr"};
    uc_t_rnn r = {.kind = kind_of(c, c->row->word),
                  .hidden = uc_t_attr_int(c, "hidden_size", 0),
                  .layers = uc_t_attr_int(c, "num_layers", 1),
                  .projection = uc_t_attr_int(c, "proj_size", 0),
                  .bidirectional = uc_t_attr_bool(c, "bidirectional", false),
                  .batch_first = uc_t_attr_bool(c, "batch_first", false)};
    const int64_t directions = r.bidirectional ? 2 : 1;
    uc_ref out[3] = {0};
    if (r.layers < 1 || r.layers > 1000) {
        uc_t_refuse(c, "it has %" PRId64 " layers", r.layers);
        return;
    }
    r.weights = (uc_ref(*)[5])uc_arena_alloc(c->build->graph->arena,
                                             (size_t)(r.layers * directions), sizeof(uc_ref[5]));
    for (int64_t i = 0; r.weights && i < r.layers * directions; i++) {
        for (int k = 0; k < 5; k++) {
            r.weights[i][k] = weight(c, names[k], i / directions, i % directions == 1);
        }
    }
    if (!r.weights) {
        uc_graph_fail(c->build->graph, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    if (!uc_t_run_rnn(c->build, &r, c->in[0], c->in_count > 1 ? c->in[1] : 0,
                      c->in_count > 2 ? c->in[2] : 0, out))
        return;
    uc_t_set(c, out[0]);
    c->out[c->out_count++] = out[1];
    if (out[2]) c->out[c->out_count++] = out[2];
}

/* One step: the same layer over a sequence of one. */
void uc_t_m_rnn_cell(uc_t_call *c)
{
    uc_t_build *b = c->build;
    uc_graph *g = b->graph;
    uc_ref weights[1][5] = {{uc_t_tensor(c, "weight_ih"), uc_t_tensor(c, "weight_hh"),
                             uc_t_tensor(c, "bias_ih"), uc_t_tensor(c, "bias_hh"), 0}};
    const uc_t_rnn r = {.kind = kind_of(c, c->row->word),
                        .hidden = uc_t_attr_int(c, "hidden_size", 0),
                        .layers = 1,
                        .weights = weights};
    uc_ref out[3] = {0};
    const bool single = uc_t_rank(b, c->in[0]) == 1;
    uc_ref x = uc_g_unsqueeze(g, c->in[0], 0), h = 0, state = 0;
    if (single) x = uc_g_unsqueeze(g, x, 0);
    if (c->in_count > 1) h = uc_g_unsqueeze(g, c->in[1], 0);
    if (c->in_count > 2) state = uc_g_unsqueeze(g, c->in[2], 0);
    if (h && single) h = uc_g_unsqueeze(g, h, 0);
    if (state && single) state = uc_g_unsqueeze(g, state, 0);
    if (!uc_t_run_rnn(b, &r, x, h, state, out)) return;
    for (int i = 1; i < 3 && out[i]; i++) {
        uc_ref y = uc_g_squeeze(g, out[i], 0);
        c->out[c->out_count++] = single ? uc_g_squeeze(g, y, 0) : y;
    }
}
