/* Subgraphs as graph nodes, operator by operator. */
#include "import/tflite/tflite.h"

#include <inttypes.h>

enum { MAX_DEPTH = 40 };

bool uc_tfl_build_open(uc_tfl_build *b, const uc_tfl_file *file, uc_graph *g, uc_findings *findings,
                       uncork_kernels kernels, int depth)
{
    *b = (uc_tfl_build){
        .file = file, .graph = g, .findings = findings, .kernels = kernels, .depth = depth};
    uc_arena *known = uc_arena_new(g->budget), *scratch = uc_arena_new(g->budget);
    uc_look_open(&b->look, g, g->budget, known, scratch);
    if (known && scratch) return true;
    uc_tfl_build_close(b);
    uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    return false;
}

void uc_tfl_build_close(uc_tfl_build *b)
{
    uc_tf_ops_close(b->ops);
    uc_arena_free(b->look.infer.arena);
    uc_arena_free(b->look.infer.scratch);
}

uc_ref uc_tfl_declare(uc_graph *g, const char *name, const uc_tfl_tensor *t)
{
    if (!t->dtype) {
        return uc_graph_fail(g, UNCORK_UNSUPPORTED,
                             "'%.60s' is a variable or resource, which isn't read", t->name);
    }
    return uc_graph_input(g, name, t->dtype, t->rank, t->shape);
}

static void emit_operator(uc_tfl_scope *s, size_t index)
{
    const uc_tfl_operator *op = &s->subgraph->operators[index];
    uc_graph *g = s->build->graph;
    uc_tfl_call c = {.build = s->build, .graph = g, .scope = s, .op = op};
    c.fb = s->build->file->fb;
    c.fb.error = g->error;
    c.options = op->options;
    if (c.options.fb) c.options.fb = &c.fb;
    const char *name = op->out_count ? s->subgraph->tensors[op->out[0]].name : "";
    g->where = uc_arena_printf(g->arena, "operator %zu (%s) '%.80s'", index, op->name, name);
    if (!op->row) {
        uc_graph_fail(g, UNCORK_UNSUPPORTED, "the operator %.60s isn't known", op->name);
        return;
    }
    op->row->emit(&c);
    if (!uc_fb_ok(&c.fb)) uc_graph_fail(g, UNCORK_MALFORMED, "options of %s are broken", op->name);
    for (size_t i = 0; i < op->out_count && !g->status; i++) {
        const uc_tfl_value *v = &s->values[op->out[i]];
        if (!v->raw && !v->resource && !v->other)
            uc_graph_fail(g, UNCORK_UNSUPPORTED, "%s: its output %zu", op->name, i);
    }
}

static bool emit_all(uc_tfl_scope *s, const uc_ref *in, uc_ref *out)
{
    const uc_tfl_subgraph *sub = s->subgraph;
    uc_graph *g = s->build->graph;
    for (size_t i = 0; i < sub->in_count; i++) {
        const uc_tfl_tensor *t = &sub->tensors[sub->in[i]];
        const bool lifted = uc_tfl_is_lifted(s->build, t);
        s->values[sub->in[i]] = (uc_tfl_value){.raw = lifted ? uc_tfl_lift(g, in[i]) : in[i]};
    }
    for (size_t i = 0; i < sub->operator_count && !g->status; i++) {
        emit_operator(s, i);
    }
    /* Outputs are taken as an operator would take them: constants too. */
    const uc_tfl_operator end = {.name = "the output", .in = sub->out, .in_count = sub->out_count};
    uc_tfl_call c = {.build = s->build, .graph = g, .scope = s, .op = &end};
    for (size_t i = 0; i < sub->out_count && !g->status; i++) {
        out[i] = uc_tfl_raw(&c, i);
        if (uc_tfl_is_lifted(s->build, &sub->tensors[sub->out[i]]))
            out[i] = uc_tfl_lower(g, out[i]);
    }
    return !g->status;
}

bool uc_tfl_emit_subgraph(uc_tfl_build *b, size_t index, const uc_ref *in, uc_ref *out)
{
    uc_graph *g = b->graph;
    if (index >= b->file->subgraph_count || b->depth >= MAX_DEPTH) {
        uc_graph_fail(g, UNCORK_MALFORMED, "subgraph %zu %s", index,
                      b->depth >= MAX_DEPTH ? "is nested too deep" : "isn't there");
        return false;
    }
    uc_tfl_scope s = {.build = b, .subgraph = &b->file->subgraphs[index]};
    s.values = UC_NEW(g->arena, uc_tfl_value, s.subgraph->tensor_count + 1);
    if (!s.values) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    b->depth++;
    const bool done = emit_all(&s, in, out);
    b->depth--;
    return done;
}
