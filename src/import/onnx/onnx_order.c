/* Names inside a list of nodes: which come from outside, and an order in which producers come
 * first. ONNX asks for sorted nodes; files that aren't are sorted here, cycles are refused. */
#include "import/onnx/onnx_build.h"

/* ---- free names --------------------------------------------------------------------------- */

typedef struct names {
    uc_arena *arena;
    uc_table *table;
    bool failed;
} names;

static void *const present = (void *)1;

static void define(names *n, uc_str name)
{
    if (name.size && !n->failed) n->failed = !uc_table_put(n->table, name, present);
}

/* A name that is used: free when nothing defines it, listed once. */
static void use(names *n, uc_str name, uc_onnx_strs *list)
{
    if (!name.size || n->failed || uc_table_find(n->table, name)) return;
    uc_str *item = UC_ONNX_PUSH(n->arena, list);
    define(n, name);
    if (item) *item = name;
    n->failed = n->failed || !item;
}

uncork_status uc_onnx_find_free(uc_onnx_graph *graph, uc_arena *arena, uncork_error *error)
{
    names n = {.arena = arena, .table = uc_table_new(arena)};
    if (!n.table) return uc_arena_status(arena, error);
    for (size_t i = 0; i < graph->inputs.count; i++)
        define(&n, graph->inputs.items[i].name);
    for (size_t i = 0; i < graph->initializers.count; i++)
        define(&n, graph->initializers.items[i].name);
    for (size_t i = 0; i < graph->sparse_initializers.count; i++)
        define(&n, graph->sparse_initializers.items[i].values.name);
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const uc_onnx_strs *outs = &graph->nodes.items[i].outputs;
        for (size_t k = 0; k < outs->count; k++)
            define(&n, outs->items[k]);
    }
    graph->free = (uc_onnx_strs){0};
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const uc_onnx_node *node = &graph->nodes.items[i];
        for (size_t k = 0; k < node->inputs.count; k++)
            use(&n, node->inputs.items[k], &graph->free);
        for (size_t k = 0; k < node->attrs.count; k++) {
            const uc_onnx_graph *body = node->attrs.items[k].graph;
            for (size_t f = 0; body && f < body->free.count; f++)
                use(&n, body->free.items[f], &graph->free);
        }
    }
    for (size_t i = 0; i < graph->outputs.count; i++)
        use(&n, graph->outputs.items[i].name, &graph->free);
    if (n.failed) return uc_arena_status(arena, error);
    return UNCORK_OK;
}

/* ---- order -------------------------------------------------------------------------------- */

typedef struct sorter {
    const uc_onnx_nodes *nodes;
    uc_table *producers; /* name -> index of its node + 1 */
    uint32_t *needs;     /* producers of each node's inputs, one node after the other */
    size_t *first;       /* [nodes + 1] */
    uint32_t *order;
    size_t order_count;
} sorter;

static int name_size(uc_str s) { return s.size < 60 ? (int)s.size : 60; }

static uncork_status list_producers(sorter *s, uncork_error *error)
{
    for (size_t i = 0; i < s->nodes->count; i++) {
        const uc_onnx_node *node = &s->nodes->items[i];
        for (size_t k = 0; k < node->outputs.count; k++) {
            const uc_str name = node->outputs.items[k];
            if (!name.size) continue;
            if (uc_table_find(s->producers, name)) {
                return uc_fail(error, UNCORK_MALFORMED, node->offset,
                               "two outputs of nodes are called '%.*s', the second one of %.*s",
                               name_size(name), name.data, name_size(node->op), node->op.data);
            }
            if (!uc_table_put(s->producers, name, (void *)(uintptr_t)(i + 1)))
                return uc_fail_memory(error);
        }
    }
    return UNCORK_OK;
}

static void need(sorter *s, uc_str name, size_t *at)
{
    const uintptr_t producer = name.size ? (uintptr_t)uc_table_find(s->producers, name) : 0;
    if (!producer) return;
    if (s->needs) s->needs[*at] = (uint32_t)(producer - 1);
    ++*at;
}

/* Counts when s->needs isn't there yet, then fills it. */
static size_t list_needs(sorter *s)
{
    size_t at = 0;
    for (size_t i = 0; i < s->nodes->count; i++) {
        const uc_onnx_node *node = &s->nodes->items[i];
        if (s->first) s->first[i] = at;
        for (size_t k = 0; k < node->inputs.count; k++)
            need(s, node->inputs.items[k], &at);
        for (size_t k = 0; k < node->attrs.count; k++) {
            const uc_onnx_graph *body = node->attrs.items[k].graph;
            for (size_t f = 0; body && f < body->free.count; f++)
                need(s, body->free.items[f], &at);
        }
    }
    if (s->first) s->first[s->nodes->count] = at;
    return at;
}

typedef struct frame {
    uint32_t node;
    size_t next;
} frame;

enum { UNSEEN, OPEN, DONE };

/* Depth first with its own stack, in the file's order where that is right already. */
static uncork_status visit(sorter *s, uint32_t root, uint8_t *state, frame *stack,
                           uncork_error *error)
{
    size_t depth = 0;
    stack[depth++] = (frame){root, s->first[root]};
    state[root] = OPEN;
    while (depth > 0) {
        frame *top = &stack[depth - 1];
        if (top->next == s->first[top->node + 1]) {
            state[top->node] = DONE;
            s->order[s->order_count++] = top->node;
            depth--;
            continue;
        }
        const uint32_t before = s->needs[top->next++];
        if (state[before] == DONE) continue;
        if (state[before] == OPEN) {
            const uc_onnx_node *node = &s->nodes->items[before];
            return uc_fail(error, UNCORK_MALFORMED, node->offset,
                           "the graph has a cycle: %.*s '%.*s' needs its own output",
                           name_size(node->op), node->op.data, name_size(node->name),
                           node->name.data);
        }
        state[before] = OPEN;
        stack[depth++] = (frame){before, s->first[before]};
    }
    return UNCORK_OK;
}

uncork_status uc_onnx_order(const uc_onnx_nodes *nodes, uc_arena *arena, uint32_t **order,
                            uncork_error *error)
{
    const size_t count = nodes->count;
    sorter s = {.nodes = nodes, .producers = uc_table_new(arena)};
    if (!s.producers) return uc_arena_status(arena, error);
    if (count >= UINT32_MAX)
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET, "%zu nodes are too many", count);
    UC_TRY(list_producers(&s, error));
    const size_t needs = list_needs(&s);
    s.first = UC_NEW(arena, size_t, count + 1);
    s.needs = UC_NEW(arena, uint32_t, needs);
    s.order = UC_NEW(arena, uint32_t, count);
    uint8_t *state = UC_NEW(arena, uint8_t, count);
    frame *stack = UC_NEW(arena, frame, count);
    if (!s.first || !s.needs || !s.order || !state || !stack) return uc_arena_status(arena, error);
    list_needs(&s);
    for (size_t i = 0; i < count; i++) {
        if (state[i] == UNSEEN) UC_TRY(visit(&s, (uint32_t)i, state, stack, error));
    }
    *order = s.order;
    return UNCORK_OK;
}
