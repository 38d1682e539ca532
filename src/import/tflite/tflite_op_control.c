/* If and While: subgraphs as bodies. Source: tensorflow/lite/kernels/{if,while}.cc. */
#include "import/tflite/tflite_layout.h"

/* A subgraph as a body; its inputs are those of the operator from `skip` on, with `before` ones first. */
static uc_graph *open_body(uc_tfl_call *c, uc_tfl_build *b)
{
    uc_graph *outer = c->graph;
    uc_graph *g = uc_graph_new(outer->arena, outer->budget, outer->error);
    if (!g) {
        uc_graph_fail(outer, UNCORK_NO_MEMORY, "memory is out");
        return NULL;
    }
    g->where = outer->where;
    if (c->build->depth >= 30) {
        uc_graph_fail(outer, UNCORK_LIMIT, "subgraphs are nested too deep");
        return NULL;
    }
    return uc_tfl_build_open(b, c->build->file, g, c->build->findings, c->build->kernels,
                             c->build->depth + 1)
               ? g
               : NULL;
}

static const uc_tfl_subgraph *subgraph(uc_tfl_call *c, unsigned member, size_t in, size_t out,
                                       size_t *index)
{
    const int64_t i = uc_tfl_i32(c, member, 0);
    if (i < 0 || (uint64_t)i >= c->build->file->subgraph_count) {
        uc_graph_fail(c->graph, UNCORK_MALFORMED, "%s: subgraph %d isn't there", c->op->name,
                      (int)i);
        return NULL;
    }
    const uc_tfl_subgraph *s = &c->build->file->subgraphs[i];
    *index = (size_t)i;
    if (s->in_count == in && s->out_count == out) return s;
    uc_graph_fail(c->graph, UNCORK_MALFORMED, "%s: subgraph %d has %zu inputs and %zu outputs",
                  c->op->name, (int)i, s->in_count, s->out_count);
    return NULL;
}

static bool closed(uc_tfl_call *c, uc_tfl_build *b)
{
    const uncork_status status = b->graph->status;
    uc_tfl_build_close(b);
    if (status) uc_graph_fail(c->graph, status, "the body of %s", c->op->name);
    return !status;
}

static uc_graph *make_branch(uc_tfl_call *c, unsigned member, size_t in_count)
{
    uc_tfl_build b;
    size_t index = 0;
    const uc_tfl_subgraph *s = subgraph(c, member, in_count, c->op->out_count, &index);
    uc_graph *g = s ? open_body(c, &b) : NULL;
    if (!g) return NULL;
    uc_ref *in = UC_NEW(g->arena, uc_ref, in_count + 1);
    uc_ref *out = UC_NEW(g->arena, uc_ref, s->out_count + 1);
    for (size_t i = 0; in && i < in_count && !g->status; i++) {
        const uc_tensor *t = &uc_look_at(&c->build->look, uc_tfl_filed(c, i + 1))->tensor;
        in[i] =
            uc_graph_input(g, uc_arena_printf(g->arena, "in_%zu", i), t->dtype, t->rank, t->shape);
    }
    if (in && out && !g->status && uc_tfl_emit_subgraph(&b, index, in, out)) {
        for (size_t i = 0; i < s->out_count; i++) {
            uc_graph_output(g, uc_arena_printf(g->arena, "out_%zu", i),
                            uc_g1(g, "Identity", out[i]));
        }
    }
    return closed(c, &b) ? g : NULL;
}

/* Inputs: the condition, then what both branches take. */
void uc_tfl_if(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const int64_t scalar[] = {0};
    const size_t count = c->op->in_count;
    uc_ref *in = UC_NEW(g->arena, uc_ref, count + 1);
    if (!in || count == 0) {
        uc_tfl_fail(c, "no condition");
        return;
    }
    in[0] = uc_g_reshape(g, uc_tfl_filed(c, 0), scalar, 0);
    for (size_t i = 1; i < count && !g->status; i++) {
        in[i] = uc_tfl_filed(c, i);
    }
    uc_graph *yes = g->status ? NULL : make_branch(c, 0, count - 1);
    uc_graph *no = yes ? make_branch(c, 1, count - 1) : NULL;
    if (!no) return;
    uc_node *n = uc_graph_node(g, "If", in, count, c->op->out_count);
    uc_node_graph(g, n, "then_branch", yes);
    uc_node_graph(g, n, "else_branch", no);
    uc_node_int(g, n, "captures", (int64_t)count - 1);
    for (size_t i = 0; i < c->op->out_count; i++) {
        uc_tfl_out_filed(c, i, uc_node_out(n, i));
    }
}

/* ---- While ----------------------------------------------------------------------------------- */

static uc_ref condition(uc_tfl_build *b, size_t index, const uc_ref *in)
{
    const int64_t scalar[] = {0};
    uc_ref out = 0;
    if (!uc_tfl_emit_subgraph(b, index, in, &out)) return 0;
    return uc_g_reshape(b->graph, out, scalar, 0);
}

/* Loop's body: iteration and condition, the variables; to the next condition and variables. */
static uc_graph *make_loop(uc_tfl_call *c, size_t cond, size_t body, const uc_ref *given, size_t n)
{
    uc_tfl_build b;
    uc_graph *g = open_body(c, &b);
    if (!g) return NULL;
    const uc_tfl_subgraph *s = &c->build->file->subgraphs[body];
    uc_ref *in = UC_NEW(g->arena, uc_ref, n + 1), *out = UC_NEW(g->arena, uc_ref, n + 1);
    (void)uc_graph_input(g, "iteration", UNCORK_INT64, 0, NULL);
    (void)uc_graph_input(g, "goes_on", UNCORK_BOOL, 0, NULL);
    for (size_t i = 0; in && i < n && !g->status; i++) {
        /* A dimension that the body declares free, or otherwise, may change on the way. */
        const uc_tensor *t = &uc_look_at(&c->build->look, given[i])->tensor;
        const uc_tfl_tensor *declared = &s->tensors[s->in[i]];
        int64_t shape[UNCORK_MAX_RANK] = {0};
        const int rank = t->rank == declared->rank ? t->rank : -1;
        for (int d = 0; d < rank; d++) {
            shape[d] = t->shape[d] == declared->shape[d] ? t->shape[d] : -1;
        }
        in[i] = uc_graph_input(g, uc_arena_printf(g->arena, "in_%zu", i), t->dtype, rank, shape);
    }
    if (in && out && !g->status && uc_tfl_emit_subgraph(&b, body, in, out)) {
        uc_graph_output(g, "next", uc_g1(g, "Identity", condition(&b, cond, out)));
        for (size_t i = 0; i < n; i++) {
            uc_graph_output(g, uc_arena_printf(g->arena, "out_%zu", i),
                            uc_g1(g, "Identity", out[i]));
        }
    }
    return closed(c, &b) ? g : NULL;
}

void uc_tfl_while(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const size_t n = c->op->in_count;
    size_t cond = 0, body = 0;
    uc_ref *in = UC_NEW(g->arena, uc_ref, n + 3);
    if (!in || !subgraph(c, 0, n, 1, &cond) || !subgraph(c, 1, n, n, &body)) return;
    for (size_t i = 0; i < n && !g->status; i++) {
        in[i + 2] = uc_tfl_filed(c, i);
    }
    if (g->status) return;
    uc_graph *loop = make_loop(c, cond, body, in + 2, n);
    in[1] = loop ? condition(c->build, cond, in + 2) : 0;
    if (!in[1]) return;
    uc_node *node = uc_graph_node(g, "Loop", in, n + 2, n);
    uc_node_graph(g, node, "body", loop);
    uc_node_int(g, node, "captures", 0);
    for (size_t i = 0; i < c->op->out_count && i < n; i++) {
        uc_ref y = uc_node_out(node, i);
        const uc_tfl_tensor *t = uc_tfl_tensor_out(c, i);
        const uc_tensor *known = &uc_look_at(&c->build->look, y)->tensor;
        bool fixed = t->rank >= 0;
        for (int d = 0; d < t->rank; d++) {
            fixed = fixed && t->shape[d] >= 0;
        }
        /* The look ahead may not see through bodies; the file says the shape. */
        if (fixed && known->rank < 0) y = uc_g_reshape(g, y, t->shape, t->rank);
        uc_tfl_out_filed(c, i, y);
    }
}
