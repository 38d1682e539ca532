/* What the outputs of an entry reach, through data and control inputs and into the functions that are named on
 * the way: which operators aren't supported, and whether anything would touch files or run foreign code. */
#include "import/tensorflow/tf_file.h"

#include <inttypes.h>

enum { BY_CONTROL = 1, BY_DATA = 2, FED = 4, FUNCTIONS = 64, KINDS = 24 };

/* Ops that act on the world whenever they run. */
static const char *const harmful[] = {"WriteFile",
                                      "SaveV2",
                                      "Save",
                                      "SaveSlices",
                                      "MergeV2Checkpoints",
                                      "PyFunc",
                                      "PyFuncStateless",
                                      "EagerPyFunc",
                                      "WriteSummary",
                                      "WriteScalarSummary",
                                      "DebugNumericSummaryV2",
                                      "Send",
                                      "_Send",
                                      "RpcCall",
                                      "RemoteCall",
                                      "WriteAudioSummary",
                                      "WriteImageSummary",
                                      "CreateSummaryFileWriter",
                                      "CreateSummaryDbWriter",
                                      "TryRpc",
                                      "WriteRawProtoSummary",
                                      "WriteGraphSummary",
                                      "WriteHistogramSummary",
                                      "SaveDataset",
                                      "SaveDatasetV2",
                                      "RegisterDataset",
                                      "DumpToFile",
                                      "XlaHostCompute",
                                      "CopyToMesh"};

/* PrintV2 {output_stream}: to a file. */
static bool prints_to_file(const uc_tf_node *n)
{
    if (!uc_str_is(n->op, "PrintV2")) return false;
    for (size_t i = 0; i < n->attr_count; i++) {
        const uc_bytes v = n->attrs[i].value;
        if (uc_str_is(n->attrs[i].name, "output_stream"))
            return v.size > 9 && memcmp(v.data + 2, "file://", 7) == 0;
    }
    return false;
}

static bool is_harmful(const uc_tf_node *n)
{
    for (size_t i = 0; i < sizeof harmful / sizeof harmful[0]; i++) {
        if (uc_str_is(n->op, harmful[i])) return true;
    }
    return prints_to_file(n);
}

typedef struct place {
    const uc_tf_body *body;
    uint8_t *seen; /* by node: how it was reached */
} place;

typedef struct step {
    uint32_t place, node;
} step;

typedef struct walker {
    const uc_tf_graph *graph;
    uc_table *bodies, *places; /* function -> index + 1 of its place, as a pointer */
    uc_arena *arena;
    uncork_error *error;
    place *list;
    size_t count, capacity;
    step *steps;
    size_t step_count, step_capacity;
    bool failed;
} walker;

static size_t add_place(walker *w, const uc_tf_body *body)
{
    place *list = uc_arena_grow(w->arena, w->list, &w->capacity, w->count + 1, sizeof *list);
    uint8_t *seen = UC_NEW(w->arena, uint8_t, body->node_count);
    if (!list || !seen) {
        w->failed = true;
        return 0;
    }
    w->list = list;
    list[w->count] = (place){body, seen};
    return w->count++;
}

static void reach(walker *w, size_t at, const uc_tf_node *node, uint8_t how)
{
    place *p = &w->list[at];
    const size_t i = (size_t)(node - p->body->nodes);
    if ((p->seen[i] | how) == p->seen[i]) return;
    p->seen[i] |= how;
    step *steps =
        uc_arena_grow(w->arena, w->steps, &w->step_capacity, w->step_count + 1, sizeof *steps);
    if (!steps) {
        w->failed = true;
        return;
    }
    w->steps = steps;
    steps[w->step_count++] = (step){(uint32_t)at, (uint32_t)i};
}

/* "node:0", "node:output:0", "^node": the node; names of arguments aren't nodes. */
static const uc_tf_node *node_of(const uc_tf_body *body, uc_str name)
{
    if (name.size && name.data[0] == '^') name = (uc_str){name.data + 1, name.size - 1};
    const char *colon = name.size ? memchr(name.data, ':', name.size) : NULL;
    if (colon) name.size = (size_t)(colon - name.data);
    return uc_tf_body_find(body, name);
}

static void reach_function(walker *w, uc_str name, uint8_t how)
{
    uc_tf_body *body = uc_table_find(w->bodies, name);
    const uc_tf_function *f = uc_tf_function_find(w->graph, name);
    if (!f) return; /* said when it is called */
    if (!body && (uc_tf_body_read(f, w->arena, &body, w->error) ||
                  !uc_table_put(w->bodies, f->name, body))) {
        w->failed = true;
        return;
    }
    const uintptr_t known = (uintptr_t)uc_table_find(w->places, name);
    const size_t at = known ? (size_t)known - 1 : add_place(w, body);
    if (w->failed) return;
    if (!known && !uc_table_put(w->places, f->name, (void *)(at + 1))) w->failed = true;
    for (size_t i = 0; i < body->ret_count; i++) {
        const uc_tf_node *n = node_of(body, body->rets[i].from);
        if (n) reach(w, at, n, how);
    }
    for (size_t i = 0; i < body->control_ret_count; i++) {
        const uc_tf_node *n = node_of(body, body->control_rets[i]);
        if (n) reach(w, at, n, BY_CONTROL);
    }
    /* A function runs its nodes with effects even where nothing waits for them. */
    for (size_t i = 0; !known && i < body->node_count; i++) {
        if (is_harmful(&body->nodes[i])) reach(w, at, &body->nodes[i], BY_CONTROL);
    }
}

static void walk(walker *w, const uc_tf_entry *entry)
{
    uc_str functions[FUNCTIONS];
    w->places = uc_table_new(w->arena);
    if (!w->places) w->failed = true;
    if (!w->failed) (void)add_place(w, w->graph->main);
    for (size_t i = 0; !w->failed && i < entry->input_count; i++) { /* what is fed ends the way */
        const uc_tf_node *n = node_of(w->graph->main, entry->inputs[i].tensor);
        if (n) w->list[0].seen[n - w->graph->main->nodes] = BY_CONTROL | BY_DATA | FED;
    }
    for (size_t i = 0; !w->failed && i < entry->output_count; i++) {
        const uc_tf_node *n = node_of(w->graph->main, entry->outputs[i].tensor);
        if (n) reach(w, 0, n, BY_DATA);
    }
    if (entry->function.size) reach_function(w, entry->function, BY_DATA);
    while (!w->failed && w->step_count) {
        const step s = w->steps[--w->step_count];
        const uc_tf_body *body = w->list[s.place].body;
        const uc_tf_node *n = &body->nodes[s.node];
        const uint8_t how = w->list[s.place].seen[s.node];
        for (size_t i = 0; i < n->input_count + n->control_count; i++) {
            const uc_tf_node *source = node_of(body, n->inputs[i]);
            if (source) reach(w, s.place, source, i < n->input_count ? how : BY_CONTROL);
        }
        const size_t count = uc_tf_node_functions(n, functions, FUNCTIONS);
        for (size_t i = 0; i < count && !w->failed; i++) {
            reach_function(w, functions[i], how);
        }
        if (!n->def && !n->row) reach_function(w, n->op, how);
    }
}

uncork_status uc_tf_reach_check(const uc_tf_graph *graph, const uc_tf_entry *entry,
                                uc_table *bodies, uc_arena *arena, uncork_error *error)
{
    walker w = {.graph = graph, .bodies = bodies, .arena = arena, .error = error};
    walk(&w, entry);
    if (w.failed) {
        UC_TRY(uc_arena_status(arena, error));
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "a function is broken");
    }
    for (size_t p = 0; p < w.count; p++) {
        for (size_t i = 0; i < w.list[p].body->node_count; i++) {
            const uc_tf_node *n = &w.list[p].body->nodes[i];
            if (!w.list[p].seen[i] || w.list[p].seen[i] & FED || !is_harmful(n)) continue;
            uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                    "%.*s writes files or runs foreign code, which uncork never does",
                    n->op.size < 60 ? (int)n->op.size : 60, n->op.data);
            return uc_where(error, "node '%.*s'", n->name.size < 120 ? (int)n->name.size : 120,
                            n->name.data);
        }
    }
    return UNCORK_OK;
}

typedef struct kind {
    uc_str op;
    size_t count;
} kind;

const char *uc_tf_reach_lacking(const uc_tf_graph *graph, const uc_tf_entry *entry,
                                uc_table *bodies, uc_arena *arena)
{
    uncork_error ignored;
    kind kinds[KINDS];
    size_t count = 0, more = 0;
    const char *text = NULL;
    uc_error_init(&ignored);
    walker w = {.graph = graph, .bodies = bodies, .arena = arena, .error = &ignored};
    if (entry) walk(&w, entry);
    for (size_t p = 0; p < w.count; p++) {
        for (size_t i = 0; i < w.list[p].body->node_count; i++) {
            const uc_tf_node *n = &w.list[p].body->nodes[i];
            if (!(w.list[p].seen[i] & BY_DATA) || w.list[p].seen[i] & FED) continue;
            if (n->row && n->row->emit) continue;
            if (!n->def && uc_tf_function_find(graph, n->op)) continue;
            if (uc_tf_is_call(n)) continue;
            size_t k = 0;
            while (k < count && !uc_str_equal(kinds[k].op, n->op)) {
                k++;
            }
            if (k == KINDS) {
                more++;
                continue;
            }
            if (k == count) kinds[count++] = (kind){n->op, 0};
            kinds[k].count++;
        }
    }
    for (size_t k = 0; k < count; k++) {
        text = uc_arena_printf(arena, "%s%s%zu %.*s", text ? text : "", text ? ", " : "",
                               kinds[k].count, kinds[k].op.size < 60 ? (int)kinds[k].op.size : 60,
                               kinds[k].op.data);
    }
    return more && text ? uc_arena_printf(arena, "%s, %zu more", text, more) : text;
}
