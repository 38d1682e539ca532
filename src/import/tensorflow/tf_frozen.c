/* The entry of a graph without signatures: inputs are its placeholders, outputs are what nobody takes. What
 * training leaves behind (assignments, savers, summaries, gradients) counts for nothing. */
#include "import/tensorflow/tf_file.h"

/* Sinks of these are no answers. */
static const char *const leftovers[] = {"NoOp",
                                        "Assert",
                                        "Const",
                                        "Placeholder",
                                        "PlaceholderV2",
                                        "PlaceholderWithDefault",
                                        "Save",
                                        "SaveSlices",
                                        "SaveV2",
                                        "Restore",
                                        "RestoreSlice",
                                        "RestoreV2",
                                        "MergeV2Checkpoints",
                                        "ShardedFilename",
                                        "ShardedFilespec",
                                        "Print",
                                        "PrintV2",
                                        "Variable",
                                        "VariableV2",
                                        "VarHandleOp",
                                        "VarIsInitializedOp",
                                        "IsVariableInitialized",
                                        "MutableHashTableV2",
                                        "HashTable",
                                        "HashTableV2",
                                        "InitializeTable",
                                        "InitializeTableV2",
                                        "InitializeTableFromTextFile",
                                        "InitializeTableFromTextFileV2",
                                        "LookupTableImport",
                                        "LookupTableImportV2",
                                        "Count"};
static const char *const beginnings[] = {
    "Assign", "Apply", "ResourceApply", "SparseApply", "ResourceScatter", "Scatter", "TensorBoard"};

static bool begins(uc_str s, const char *with)
{
    const size_t n = strlen(with);
    return s.size >= n && memcmp(s.data, with, n) == 0;
}

static bool ends(uc_str s, const char *with)
{
    const size_t n = strlen(with);
    return s.size >= n && memcmp(s.data + s.size - n, with, n) == 0;
}

static bool is_leftover(const uc_tf_node *n)
{
    for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++) {
        if (uc_str_is(n->op, leftovers[i])) return true;
    }
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (begins(n->op, beginnings[i]) && !begins(n->op, "ScatterNd")) return true;
    }
    return ends(n->op, "Summary") || ends(n->op, "SummaryV2");
}

static bool is_input(const uc_tf_node *n)
{
    return uc_str_is(n->op, "Placeholder") || uc_str_is(n->op, "PlaceholderV2");
}

typedef struct finder {
    const uc_tf_body *body;
    uc_arena *arena;
    uncork_error *error;
    uint8_t *taken;  /* by node: somebody takes one of its outputs */
    uint8_t *needed; /* by node: an output depends on it */
    uint32_t *list;  /* nodes to visit */
} finder;

static const uc_tf_node *source_of(const finder *f, uc_str input)
{
    const char *colon = input.size ? memchr(input.data, ':', input.size) : NULL;
    if (colon) input.size = (size_t)(colon - input.data);
    return uc_tf_body_find(f->body, input);
}

/* Marks what `from` reaches backwards; visited ones are passed by. */
static void mark_needed(finder *f, size_t from)
{
    size_t count = 0;
    if (f->needed[from]) return;
    f->needed[from] = 1;
    f->list[count++] = (uint32_t)from;
    while (count) {
        const uc_tf_node *n = &f->body->nodes[f->list[--count]];
        for (size_t i = 0; i < n->input_count; i++) {
            const uc_tf_node *source = source_of(f, n->inputs[i]);
            if (!source || f->needed[source - f->body->nodes]) continue;
            f->needed[source - f->body->nodes] = 1;
            f->list[count++] = (uint32_t)(source - f->body->nodes);
        }
    }
}

/* Whether a placeholder is behind `from`; leaves `needed` as it was. */
static bool depends_on_input(finder *f, size_t from, uint8_t *before)
{
    bool found = false;
    memcpy(before, f->needed, f->body->node_count);
    memset(f->needed, 0, f->body->node_count);
    mark_needed(f, from);
    for (size_t i = 0; i < f->body->node_count && !found; i++) {
        found = f->needed[i] && is_input(&f->body->nodes[i]);
    }
    memcpy(f->needed, before, f->body->node_count);
    return found;
}

static const char *name_of(uc_arena *arena, uc_str s)
{
    return uc_arena_copy(arena, s.data, s.size);
}

static size_t output_count(const uc_tf_node *n)
{
    size_t count = 1;
    if (!n->def) return 1;
    for (const char *at = uc_tf_def_outputs(n->def); *at; at++) {
        count += *at == '|';
        if (*at == '*') return 1; /* a list: its length is the node's own affair */
    }
    return count;
}

static bool add_output(finder *f, uc_tf_entry *e, const uc_tf_node *n)
{
    const size_t count =
        uc_str_is(n->op, "TopKV2") || uc_str_is(n->op, "TopK") ? output_count(n) : 1;
    for (size_t k = 0; k < count; k++) {
        const char *name = name_of(f->arena, n->name);
        const char *tensor = name && k ? uc_arena_printf(f->arena, "%s:%zu", name, k) : name;
        if (!tensor) return false;
        e->outputs[e->output_count++] =
            (uc_tf_port){.name = tensor, .tensor = uc_str_of(tensor), .rank = -1};
    }
    return true;
}

/* Sinks that depend on an input; when none does, all sinks. */
static bool find_outputs(finder *f, uc_tf_entry *e)
{
    const uc_tf_body *b = f->body;
    uint8_t *before = UC_NEW(f->arena, uint8_t, b->node_count);
    size_t sinks = 0;
    if (!before) return false;
    for (size_t i = 0; i < b->node_count; i++) {
        if (is_leftover(&b->nodes[i])) continue;
        for (size_t k = 0; k < b->nodes[i].input_count; k++) {
            const uc_tf_node *source = source_of(f, b->nodes[i].inputs[k]);
            if (source) f->taken[source - b->nodes] = 1;
        }
    }
    for (size_t i = 0; i < b->node_count; i++) {
        sinks += !f->taken[i] && !is_leftover(&b->nodes[i]);
    }
    e->outputs = UC_NEW(f->arena, uc_tf_port, 6 * sinks);
    if (!e->outputs) return false;
    for (int fed = 1; fed >= 0 && e->output_count == 0; fed--) {
        for (size_t i = 0; i < b->node_count; i++) {
            if (f->taken[i] || is_leftover(&b->nodes[i])) continue;
            if (fed && !depends_on_input(f, i, before)) continue;
            mark_needed(f, i);
            if (!add_output(f, e, &b->nodes[i])) return false;
        }
    }
    return true;
}

static bool add_input(finder *f, const uc_tf_graph *graph, uc_tf_entry *e, const uc_tf_node *n)
{
    uc_tf_port *p = &e->inputs[e->input_count++];
    int64_t *dims;
    p->name = name_of(f->arena, n->name);
    p->tensor = n->name;
    p->type = uc_tf_node_type(n, "dtype");
    if (!uc_tf_node_shape(n, "shape", f->arena, &p->rank, &dims, f->error)) return false;
    /* Before producer 24 an empty shape meant any. core/framework/versions in public/version.h. */
    if (p->rank == 0 && graph->producer < 24) p->rank = -1;
    p->dims = dims;
    return p->name != NULL;
}

static bool find_inputs(finder *f, const uc_tf_graph *graph, uc_tf_entry *e)
{
    size_t count = 0;
    for (size_t i = 0; i < f->body->node_count; i++) {
        count += f->needed[i] && is_input(&f->body->nodes[i]);
    }
    e->inputs = UC_NEW(f->arena, uc_tf_port, count);
    if (!e->inputs) return false;
    for (size_t i = 0; i < f->body->node_count; i++) {
        if (f->needed[i] && is_input(&f->body->nodes[i]) &&
            !add_input(f, graph, e, &f->body->nodes[i])) {
            return false;
        }
    }
    return true;
}

uncork_status uc_tf_frozen_entry(const uc_tf_graph *graph, uc_arena *arena, uc_tf_entry *entry,
                                 uncork_error *error)
{
    const uc_tf_body *body = graph->main;
    finder f = {.body = body, .arena = arena, .error = error};
    *entry = (uc_tf_entry){.name = "predict"};
    f.taken = UC_NEW(arena, uint8_t, body->node_count);
    f.needed = UC_NEW(arena, uint8_t, body->node_count);
    f.list = UC_NEW(arena, uint32_t, body->node_count);
    if (f.taken && f.needed && f.list && find_outputs(&f, entry) && find_inputs(&f, graph, entry))
        return UNCORK_OK;
    UC_TRY(uc_arena_status(arena, error));
    return uc_fail(error, UNCORK_MALFORMED, graph->offset, "the graph is broken");
}
