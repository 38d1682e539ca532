/* A graph as text for people: inputs, one line a node, outputs. */
#include "base/limits.h"
#include "base/text.h"
#include "graph/graph.h"

#include <inttypes.h>

static void dump_type(const uc_graph_value *v, uc_writer *out)
{
    uc_writer_text(out, v->dtype == UNCORK_DTYPE_NONE ? "?" : uc_dtype_name(v->dtype));
    if (v->rank < 0) return;
    char text[256];
    uc_writer_text(out, uc_shape_text(v->shape, v->rank, text, sizeof text));
}

static void dump_ref(const uc_graph *g, uc_ref ref, uc_writer *out)
{
    if (!ref) {
        uc_writer_text(out, "-");
        return;
    }
    uc_writer_printf(out, "%%%d", ref);
    if (!g->values[ref].constant) return;
    uc_writer_text(out, ":");
    dump_type(&g->values[ref], out);
}

/* File text: shortened, nothing a terminal would act on. */
static void dump_text(uc_str s, uc_writer *out)
{
    uc_writer_text(out, "'");
    uc_text_escape(out, (uc_str){s.data, s.size < 200 ? s.size : 200});
    uc_writer_text(out, s.size < 200 ? "'" : "...'");
}

static void dump_attr(const uc_attr *a, uc_writer *out)
{
    uc_writer_printf(out, " %s=", a->name);
    switch (a->kind) {
    case UC_ATTR_INT: uc_writer_printf(out, "%" PRId64, a->i); break;
    case UC_ATTR_FLOAT: uc_writer_printf(out, "%.9g", a->f); break;
    case UC_ATTR_STRING: dump_text(a->s, out); break;
    case UC_ATTR_TENSOR: uc_writer_text(out, "<tensor>"); break;
    case UC_ATTR_GRAPH: uc_writer_text(out, "<graph>"); break;
    case UC_ATTR_INTS:
        uc_writer_text(out, "[");
        for (size_t i = 0; i < a->count && i < 16; i++) {
            uc_writer_printf(out, i ? ",%" PRId64 : "%" PRId64, a->ints[i]);
        }
        uc_writer_text(out, a->count > 16 ? ",...]" : "]");
        break;
    case UC_ATTR_FLOATS:
    case UC_ATTR_STRINGS: uc_writer_printf(out, "<%zu>", a->count); break;
    }
}

static void dump_node(const uc_graph *g, const uc_node *n, uc_writer *out)
{
    for (size_t i = 0; i < n->out_count; i++) {
        if (i) uc_writer_text(out, ", ");
        dump_ref(g, n->out[i], out);
        if (!n->out[i]) continue;
        uc_writer_text(out, " ");
        dump_type(&g->values[n->out[i]], out);
    }
    uc_writer_printf(out, " = %s%s%s(", n->op->domain ? n->op->domain : "",
                     n->op->domain ? "." : "", n->op->name);
    for (size_t i = 0; i < n->in_count; i++) {
        if (i) uc_writer_text(out, ", ");
        dump_ref(g, n->in[i], out);
    }
    uc_writer_text(out, ")");
    for (size_t i = 0; i < n->attr_count; i++) {
        dump_attr(&n->attrs[i], out);
    }
    if (n->layout == UC_LAYOUT_LAST) uc_writer_text(out, " channels-last");
    if (n->where) uc_writer_printf(out, "  # %s", n->where);
    uc_writer_text(out, "\n");
}

static void dump_end(const uc_graph *g, const char *title, uc_ref ref, const char *name,
                     uc_writer *out)
{
    uc_writer_printf(out, "%s %%%d ", title, ref);
    uc_text_escape(out, uc_str_of(name));
    uc_writer_text(out, *name ? " " : "");
    dump_type(&g->values[ref], out);
    uc_writer_text(out, "\n");
}

static void indent(int depth, uc_writer *out)
{
    for (int i = 0; i < depth; i++) {
        uc_writer_text(out, "    ");
    }
}

/* A body stands indented below its node. */
static void dump_graph(const uc_graph *g, int depth, uc_writer *out)
{
    for (size_t i = 0; i < g->input_count; i++) {
        const char *name = g->values[g->inputs[i]].name;
        indent(depth, out);
        dump_end(g, "input", g->inputs[i], name ? name : "", out);
    }
    for (size_t i = 0; i < g->node_count; i++) {
        const uc_node *n = &g->nodes[i];
        indent(depth, out);
        dump_node(g, n, out);
        for (size_t k = 0; k < n->attr_count && depth < UC_LIMIT_GRAPH_DEPTH; k++) {
            if (n->attrs[k].kind != UC_ATTR_GRAPH || !n->attrs[k].graph) continue;
            indent(depth, out);
            uc_writer_printf(out, "  %s:\n", n->attrs[k].name);
            dump_graph(n->attrs[k].graph, depth + 1, out);
        }
    }
    for (size_t i = 0; i < g->output_count; i++) {
        indent(depth, out);
        dump_end(g, "output", g->outputs[i], g->output_names[i], out);
    }
}

void uc_graph_dump(const uc_graph *g, uc_writer *out) { dump_graph(g, 0, out); }
