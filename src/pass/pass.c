/* Runs the passes over a copy: the checked graph stays what the importer made. */
#include "pass/pass.h"

#include "graph/graph_infer.h"

static const uc_pass *const passes[] = {
#define PASS(symbol) &uc_pass_##symbol,
#include "pass/pass_table.def"
#undef PASS
};

enum { COUNT = sizeof passes / sizeof passes[0] };

/* ---- names -------------------------------------------------------------------------------- */

/* Marks the passes that a comma-separated list names. */
static uncork_status read_disabled(const char *list, bool disabled[COUNT], uncork_error *error)
{
    while (list && *list) {
        size_t n = strcspn(list, ","), i = 0;
        uc_str name = {list, n};
        while (i < COUNT && !uc_str_is(name, passes[i]->name)) {
            i++;
        }
        if (i == COUNT && n) {
            return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "there is no pass '%.*s'",
                           n < 60 ? (int)n : 60, list);
        }
        if (i < COUNT) disabled[i] = true;
        list += n + (list[n] == ',');
    }
    return UNCORK_OK;
}

/* ---- the copy ----------------------------------------------------------------------------- */

/* Nodes, their inputs and the values are the copy's own; attributes and constants are shared. */
static uc_graph *copy_graph(const uc_graph *from, uncork_error *error)
{
    uc_graph *g = UC_NEW(from->arena, uc_graph, 1);
    if (!g) return NULL;
    *g = *from;
    g->error = error;
    g->values = UC_NEW(from->arena, uc_graph_value, from->value_count);
    g->nodes = UC_NEW(from->arena, uc_node, from->node_count + 1);
    if (!g->values || !g->nodes) return NULL;
    g->value_capacity = from->value_count;
    g->node_capacity = from->node_count + 1;
    memcpy(g->values, from->values, from->value_count * sizeof *g->values);
    for (size_t n = 0; n < from->node_count; n++) {
        uc_node *node = &g->nodes[n];
        *node = from->nodes[n];
        node->in = UC_NEW(from->arena, uc_ref, node->in_count);
        if (!node->in) return NULL;
        memcpy(node->in, from->nodes[n].in, node->in_count * sizeof *node->in);
    }
    g->outputs = UC_NEW(from->arena, uc_ref, from->output_count);
    if (!g->outputs) return NULL;
    memcpy(g->outputs, from->outputs, from->output_count * sizeof *g->outputs);
    g->output_capacity = from->output_count;
    return g;
}

/* Whether float32 or shorter floats are computed: only there may a pass round differently. A graph of
 * float64 and integers gives the same bits with every pass as with none. */
static bool computes_short_floats(const uc_graph *g)
{
    for (size_t i = 1; i < g->value_count; i++) {
        uncork_dtype dtype = g->values[i].dtype;
        if (g->values[i].producer < 0) continue;
        if (dtype == UNCORK_FLOAT32 || dtype == UNCORK_FLOAT16 || dtype == UNCORK_BFLOAT16) {
            return true;
        }
    }
    return false;
}

/* ---- running them ------------------------------------------------------------------------- */

static uncork_status run_bodies(uc_graph *g, const bool disabled[COUNT], int depth);

/* A copy of `from` made better, its bodies first: what they take from around them stays the same. */
static uncork_status run_passes(const uc_graph *from, const bool disabled[COUNT], int depth,
                                uncork_error *error, uc_graph **to)
{
    uc_graph *g = copy_graph(from, error);
    if (!g) return uc_arena_status(from->arena, error);
    UC_TRY(run_bodies(g, disabled, depth));
    bool any = computes_short_floats(g);
    for (size_t i = 0; i < COUNT; i++) {
        bool changed = false;
        if (disabled[i] || (!passes[i]->exact && !any)) continue;
        UC_TRY(passes[i]->run(g, &changed));
        /* The next pass finds shapes, and no node that nobody reads. */
        if (changed) UC_TRY(uc_graph_finish_at(g, depth));
    }
    *to = g;
    return UNCORK_OK;
}

static uncork_status run_bodies(uc_graph *g, const bool disabled[COUNT], int depth)
{
    for (size_t n = 0; n < g->node_count; n++) {
        uc_node *node = &g->nodes[n];
        if (!node->op->control) continue;
        uc_attr *attrs = UC_NEW(g->arena, uc_attr, node->attr_count);
        if (!attrs) return uc_arena_status(g->arena, g->error);
        memcpy(attrs, node->attrs, node->attr_count * sizeof *attrs);
        node->attrs = attrs;
        node->attr_capacity = node->attr_count;
        for (size_t i = 0; i < node->attr_count; i++) {
            const uc_graph *body = attrs[i].kind == UC_ATTR_GRAPH ? attrs[i].graph : NULL;
            if (!body || !body->finished) continue; /* a branch that is never taken */
            UC_TRY(run_passes(body, disabled, depth + 1, g->error, &attrs[i].graph));
        }
    }
    return UNCORK_OK;
}

uncork_status uc_pass_run_all(const uc_graph *from, const char *disable, bool fast,
                              uncork_error *error, uc_graph **to)
{
    bool disabled[COUNT] = {0};
    *to = NULL;
    UC_TRY(read_disabled(disable, disabled, error));
    for (size_t i = 0; i < COUNT; i++) {
        disabled[i] = disabled[i] || (passes[i]->fast && !fast);
    }
    return run_passes(from, disabled, 0, error, to);
}
