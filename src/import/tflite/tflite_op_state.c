/* Variables, tables, subgraphs that are run in place, SVDF.
 * Source: tensorflow/lite/kernels/{var_handle,read_variable,assign_variable,hashtable_ops,call_once,
 * stablehlo_composite,svdf}.cc. A model starts with what its initialiser assigns; what a run assigns is seen
 * by what it reads later, and forgotten after it. */
#include "import/tflite/tflite_layout.h"

#include <inttypes.h>

static uc_tfl_resource *resource_named(uc_tfl_call *c, const char *name, bool is_table)
{
    uc_tfl_build *b = c->build;
    uc_graph *g = c->graph;
    if (!b->resources) {
        b->resources = UC_NEW(g->arena, uc_tfl_resource, UC_TFL_MOST_RESOURCES);
        if (!b->resources) return NULL;
    }
    int i = 0;
    while (i < b->resource_count &&
           (b->resources[i].is_table != is_table || strcmp(b->resources[i].name, name) != 0)) {
        i++;
    }
    if (i == UC_TFL_MOST_RESOURCES) return NULL;
    if (i == b->resource_count) {
        b->resources[i] = (uc_tfl_resource){.name = name, .is_table = is_table};
        b->resource_count++;
    }
    return &b->resources[i];
}

static void give_handle(uc_tfl_call *c, const char *name, bool is_table)
{
    const uc_tfl_resource *r = name ? resource_named(c, name, is_table) : NULL;
    if (!r || c->op->out_count != 1) {
        uc_tfl_fail(c, "more than %d variables and tables", UC_TFL_MOST_RESOURCES);
        return;
    }
    c->scope->values[c->op->out[0]] =
        (uc_tfl_value){.resource = (int)(r - c->build->resources) + 1};
}

static uc_tfl_resource *resource_in(uc_tfl_call *c, bool is_table)
{
    const int at = uc_tfl_has(c, 0) ? c->scope->values[c->op->in[0]].resource : 0;
    uc_tfl_resource *r = at > 0 ? &c->build->resources[at - 1] : NULL;
    if (r && r->is_table == is_table) return r;
    uc_tfl_fail(c, "its first input isn't a %s", is_table ? "table" : "variable");
    return NULL;
}

void uc_tfl_var_handle(uc_tfl_call *c)
{
    const uc_str name = uc_fb_str(c->options, 1);
    give_handle(c, uc_arena_copy(c->graph->arena, name.data, name.size), false);
}

void uc_tfl_assign_variable(uc_tfl_call *c)
{
    uc_tfl_resource *r = resource_in(c, false);
    if (!r) return;
    if (r->value && c->build->depth == 1)
        uc_note(c->build->findings, UC_NOTE_IGNORED, "tflite-variable",
                "variable '%.60s' is assigned: its value isn't kept for the next run", r->name);
    r->value = uc_tfl_filed(c, 1);
}

void uc_tfl_read_variable(uc_tfl_call *c)
{
    const uc_tfl_resource *r = resource_in(c, false);
    if (!r) return;
    if (!r->value) {
        uc_tfl_fail(c, "nothing has been assigned to '%.60s'", r->name);
        return;
    }
    uc_tfl_out_filed(c, 0, uc_g1(c->graph, "Identity", r->value));
}

/* ---- tables ------------------------------------------------------------------------------------ */

void uc_tfl_hashtable(uc_tfl_call *c)
{
    give_handle(c, uc_arena_printf(c->graph->arena, "%" PRId64, uc_tfl_i32(c, 0, 0)), true);
}

void uc_tfl_hashtable_import(uc_tfl_call *c)
{
    uc_tfl_resource *r = resource_in(c, true);
    if (!r || r->keys) return; /* what is filled stays */
    r->keys = uc_tfl_filed(c, 1);
    r->values = uc_tfl_filed(c, 2);
}

void uc_tfl_hashtable_find(uc_tfl_call *c)
{
    const uc_tfl_resource *r = resource_in(c, true);
    if (!r) return;
    if (!r->keys) {
        uc_tfl_fail(c, "the table has not been filled");
        return;
    }
    const uc_ref in[] = {uc_tfl_filed(c, 1), uc_tfl_filed(c, 2), r->keys, r->values};
    uc_tfl_out_filed(c, 0, uc_node_out(uc_graph_node(c->graph, "uncork.TfLookup", in, 4, 1), 0));
}

void uc_tfl_hashtable_size(uc_tfl_call *c)
{
    const uc_tfl_resource *r = resource_in(c, true);
    if (!r) return;
    const uc_ref size = r->keys ? uc_g1(c->graph, "Size", r->keys) : uc_graph_i64(c->graph, 0);
    uc_tfl_out_filed(c, 0, uc_g_reshape(c->graph, size, (const int64_t[]){1}, 1));
}

/* ---- subgraphs in place ----------------------------------------------------------------------- */

static void emit_in_place(uc_tfl_call *c, int64_t index)
{
    uc_tfl_build *b = c->build;
    uc_graph *g = c->graph;
    const char *where = g->where;
    if (index < 0 || (uint64_t)index >= b->file->subgraph_count ||
        b->file->subgraphs[index].in_count != c->op->in_count ||
        b->file->subgraphs[index].out_count != c->op->out_count) {
        uc_graph_fail(g, UNCORK_MALFORMED, "%s: subgraph %" PRId64 " doesn't fit", c->op->name,
                      index);
        return;
    }
    uc_ref *in = UC_NEW(g->arena, uc_ref, c->op->in_count + 1);
    uc_ref *out = UC_NEW(g->arena, uc_ref, c->op->out_count + 1);
    for (size_t i = 0; in && i < c->op->in_count && !g->status; i++) {
        in[i] = uc_tfl_filed(c, i);
    }
    if (!in || !out || g->status || !uc_tfl_emit_subgraph(b, (size_t)index, in, out)) return;
    g->where = where;
    for (size_t i = 0; i < c->op->out_count; i++) {
        uc_tfl_out_filed(c, i, uc_g1(g, "Identity", out[i]));
    }
}

void uc_tfl_call_once(uc_tfl_call *c) { emit_in_place(c, uc_tfl_i32(c, 0, -1)); }
/* Named by what a delegate could do; its subgraph says the same. */
void uc_tfl_composite(uc_tfl_call *c) { emit_in_place(c, uc_tfl_i32(c, 1, -1)); }

void uc_tfl_hlo_reshape(uc_tfl_call *c)
{
    const uc_tfl_tensor *y = uc_tfl_tensor_out(c, 0);
    if (y->rank < 0) {
        uc_tfl_fail(c, "its shape isn't known");
        return;
    }
    uc_tfl_out_filed(c, 0, uc_g_reshape(c->graph, uc_tfl_filed(c, 0), y->shape, y->rank));
}

/* ---- SVDF --------------------------------------------------------------------------------------- */

/* Inputs: x [n, in], filters of features [f, in] and of time [f, memory], a bias or none, a state, which is
 * zeros at the start: of the memory only the newest column counts then. */
void uc_tfl_svdf(uc_tfl_call *c)
{
    static const int64_t same[] = {0, 1};
    uc_graph *g = c->graph;
    const int64_t rank = uc_tfl_i32(c, 0, 1);
    const uc_ref w = uc_tfl_weight(c, 1, same, 2), time = uc_tfl_weight(c, 2, same, 2);
    const int64_t filters = uc_tfl_dim(c, w, 0), memory = uc_tfl_dim(c, time, 1);
    if (g->status || rank < 1 || filters < 1 || filters % rank || memory < 1) {
        uc_tfl_fail(c, "%" PRId64 " filters of rank %" PRId64, filters, rank);
        return;
    }
    uc_note(c->build->findings, UC_NOTE_IGNORED, "tflite-variable",
            "%s: each run starts from a state of zeros", c->op->name);
    const uc_ref in[] = {uc_tfl_in(c, 0), w};
    uc_node *n = uc_graph_node(g, "Gemm", in, 2, 1);
    uc_node_int(g, n, "transB", 1);
    const uc_ref newest = uc_g_gather(g, time, uc_graph_i64(g, memory - 1), 1);
    const int64_t shape[] = {-1, filters / rank, rank};
    const uc_ref each = uc_g_reshape(g, uc_g2(g, "Mul", uc_node_out(n, 0), newest), shape, 3);
    uc_ref y = uc_g_reduce(g, "ReduceSum", each, -1, false);
    if (uc_tfl_has(c, 3)) y = uc_g2(g, "Add", y, uc_tfl_bias(c, 3));
    uc_tfl_out(c, 0, uc_tfl_fused(c, 1, y));
}
