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

static bool contains(uc_str s, const char *part)
{
    const size_t n = strlen(part);
    for (size_t i = 0; i + n <= s.size; i++) {
        if (memcmp(s.data + i, part, n) == 0) return true;
    }
    return false;
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

/* What tf.cond leaves for its branches to hang on, what an Assert does. */
static bool is_pivot(const uc_tf_node *n)
{
    return ends(n->name, "/switch_t") || ends(n->name, "/switch_f") ||
           ends(n->name, "/AssertGuard/Merge") || uc_str_is(n->op, "Switch");
}

static bool is_input(const uc_tf_node *n)
{
    return uc_str_is(n->op, "Placeholder") || uc_str_is(n->op, "PlaceholderV2");
}

/* Losses and what is computed of them: no answers, as long as there are others. */
static bool is_loss(const uc_tf_node *n)
{
    return ends(n->op, "CrossEntropyWithLogits") || begins(n->op, "InTopK") ||
           uc_str_is(n->op, "L2Loss") || uc_str_is(n->op, "BroadcastGradientArgs") ||
           uc_str_is(n->op, "Assert") || begins(n->name, "gradients") ||
           ends(n->name, "accuracy") || begins(n->name, "loss") || contains(n->name, "/loss") ||
           contains(n->name, "cross_entropy");
}

/* What learns: a node that depends on none of these is no model's answer. */
static bool is_learned(const uc_tf_node *n)
{
    return uc_str_is(n->op, "VarHandleOp") || begins(n->op, "Variable") || ends(n->op, "MatMul") ||
           begins(n->op, "Conv") || begins(n->op, "DepthwiseConv");
}

/* Sizes that nobody took. */
static bool is_size(const uc_tf_node *n)
{
    return uc_str_is(n->op, "Shape") || uc_str_is(n->op, "Rank") || uc_str_is(n->op, "Size");
}

typedef struct finder {
    const uc_tf_body *body;
    uc_arena *arena;
    uncork_error *error;
    uint8_t *needed;  /* by node: an output depends on it */
    uint8_t *fed;     /* by node: depends on a placeholder */
    uint8_t *trains;  /* by node: depends on a loss */
    uint8_t *learned; /* by node: depends on weights */
    uint8_t *inside;  /* by node: of a loop or a branch */
    size_t *first;    /* by node: its consumers, in `consumers` */
    uint32_t *consumers;
    uint32_t *list; /* nodes to visit */
} finder;

static const uc_tf_node *source_of(const finder *f, uc_str input)
{
    const char *colon = input.size ? memchr(input.data, ':', input.size) : NULL;
    if (colon) input.size = (size_t)(colon - input.data);
    return uc_tf_body_find(f->body, input);
}

/* Who takes each node's outputs, leftovers not counted. */
static bool find_consumers(finder *f)
{
    const uc_tf_body *b = f->body;
    size_t count = 0;
    f->first = UC_NEW(f->arena, size_t, b->node_count + 2);
    for (size_t i = 0; i < b->node_count; i++) {
        count += b->nodes[i].input_count;
    }
    f->consumers = UC_NEW(f->arena, uint32_t, count);
    uint32_t *sources = UC_NEW(f->arena, uint32_t, count);
    if (!f->first || !f->consumers || !sources) return false;
    size_t at = 0;
    for (size_t i = 0; i < b->node_count; i++) {
        for (size_t k = 0; k < b->nodes[i].input_count; k++, at++) {
            const uc_tf_node *source = source_of(f, b->nodes[i].inputs[k]);
            sources[at] = UINT32_MAX;
            const bool asserts = uc_str_is(b->nodes[i].op, "Assert");
            if (!source || (is_leftover(&b->nodes[i]) && !asserts)) continue;
            sources[at] = (uint32_t)(source - b->nodes);
            f->first[sources[at] + 2]++;
        }
    }
    for (size_t i = 2; i < b->node_count + 2; i++) {
        f->first[i] += f->first[i - 1];
    }
    at = 0;
    for (size_t i = 0; i < b->node_count; i++) {
        for (size_t k = 0; k < b->nodes[i].input_count; k++, at++) {
            if (sources[at] != UINT32_MAX) f->consumers[f->first[sources[at] + 1]++] = (uint32_t)i;
        }
    }
    return true;
}

/* Marks everything that comes of the nodes that `is` holds for. */
static void mark_forward(finder *f, bool (*is)(const uc_tf_node *), uint8_t *marks)
{
    size_t count = 0;
    for (size_t i = 0; i < f->body->node_count; i++) {
        if (!is(&f->body->nodes[i])) continue;
        marks[i] = 1;
        f->list[count++] = (uint32_t)i;
    }
    while (count) {
        const uint32_t i = f->list[--count];
        for (size_t k = f->first[i]; k < f->first[i + 1]; k++) {
            if (marks[f->consumers[k]]) continue;
            marks[f->consumers[k]] = 1;
            f->list[count++] = f->consumers[k];
        }
    }
}

static bool begins_inside(const uc_tf_node *n)
{
    return uc_str_is(n->op, "Enter") || uc_str_is(n->op, "Switch");
}

/* Marks what lies within a loop or a branch: it may not be there, so it is no answer. */
static void mark_inside(finder *f)
{
    size_t count = 0;
    for (size_t i = 0; i < f->body->node_count; i++) {
        if (begins_inside(&f->body->nodes[i])) f->list[count++] = (uint32_t)i;
    }
    while (count) {
        const uint32_t i = f->list[--count];
        for (size_t k = f->first[i]; k < f->first[i + 1]; k++) {
            const uint32_t to = f->consumers[k];
            const uc_tf_node *n = &f->body->nodes[to];
            const bool leaves = uc_str_is(n->op, "Exit") || uc_str_is(n->op, "Merge");
            if (f->inside[to] || leaves || begins_inside(n)) continue;
            f->inside[to] = 1;
            f->list[count++] = to;
        }
    }
}

/* Marks what `from` reaches backwards. */
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

static const char *name_of(uc_arena *arena, uc_str s)
{
    return uc_arena_copy(arena, s.data, s.size);
}

static bool add_output(finder *f, uc_tf_entry *e, const uc_tf_node *n)
{
    const bool top = uc_str_is(n->op, "TopKV2") || uc_str_is(n->op, "TopK");
    for (size_t k = 0; k < (top ? 2u : 1u); k++) {
        const char *name = name_of(f->arena, n->name);
        const char *tensor = name && k ? uc_arena_printf(f->arena, "%s:%zu", name, k) : name;
        if (!tensor) return false;
        e->outputs[e->output_count++] =
            (uc_tf_port){.name = tensor, .tensor = uc_str_of(tensor), .rank = -1};
    }
    return true;
}

/* What the largest is taken of is an answer too. */
static bool add_scores(finder *f, uc_tf_entry *e, const uc_tf_node *n)
{
    if (!uc_str_is(n->op, "ArgMax") || !n->input_count) return true;
    const uc_tf_node *source = source_of(f, n->inputs[0]);
    if (!source || is_input(source) || uc_str_is(source->op, "Const")) return true;
    for (size_t i = 0; i < e->output_count; i++) {
        if (uc_str_equal(e->outputs[i].tensor, source->name)) return true;
    }
    return add_output(f, e, source);
}

/* Whether nobody takes the node's outputs; a loss that takes what was learned counts for nobody. */
static bool is_sink(const finder *f, size_t i)
{
    if (is_leftover(&f->body->nodes[i])) return false;
    if (f->first[i] != f->first[i + 1] && (!f->learned[i] || f->trains[i])) return false;
    for (size_t k = f->first[i]; k < f->first[i + 1]; k++) {
        if (!f->trains[f->consumers[k]]) return false;
    }
    return true;
}

/* Sinks that depend on an input and on no loss; when there is none, with less asked of them. */
static bool find_outputs(finder *f, uc_tf_entry *e)
{
    const uc_tf_body *b = f->body;
    size_t sinks = 0;
    if (!find_consumers(f)) return false;
    mark_forward(f, is_input, f->fed);
    mark_forward(f, is_loss, f->trains);
    mark_forward(f, is_learned, f->learned);
    mark_inside(f);
    for (size_t i = 0; i < b->node_count; i++) {
        sinks += is_sink(f, i);
    }
    e->outputs = UC_NEW(f->arena, uc_tf_port, 4 * sinks);
    if (!e->outputs) return false;
    for (int wish = 3; wish >= 0 && e->output_count == 0; wish--) {
        for (size_t i = 0; i < b->node_count; i++) {
            if (!is_sink(f, i)) continue;
            if (is_pivot(&b->nodes[i]) || f->inside[i]) continue;
            if ((wish >= 3 && is_size(&b->nodes[i])) || (wish >= 2 && f->trains[i]) ||
                (wish >= 1 && !f->fed[i]))
                continue;
            mark_needed(f, i);
            if (!add_output(f, e, &b->nodes[i]) || !add_scores(f, e, &b->nodes[i])) return false;
        }
    }
    return true;
}

/* A placeholder that has a constant to fall back on, unless it is a switch between training and not. */
static const uc_tf_node *default_of(const finder *f, const uc_tf_node *n)
{
    if (!uc_str_is(n->op, "PlaceholderWithDefault") || !n->input_count) return NULL;
    const int64_t type = uc_tf_node_type(n, "dtype");
    const uc_tf_node *source = source_of(f, n->inputs[0]);
    return type != 10 && type != 3 && source && uc_str_is(source->op, "Const") ? source : NULL;
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
    const uc_tf_node *source = default_of(f, n);
    if (source) (void)uc_tf_node_tensor(source, &p->fallback, &p->fallback_at);
    return p->name != NULL;
}

static bool find_inputs(finder *f, const uc_tf_graph *graph, uc_tf_entry *e)
{
    size_t count = 0;
    for (size_t i = 0; i < f->body->node_count; i++) {
        count += f->needed[i];
    }
    e->inputs = UC_NEW(f->arena, uc_tf_port, count);
    if (!e->inputs) return false;
    for (size_t i = 0; i < f->body->node_count; i++) {
        const uc_tf_node *n = &f->body->nodes[i];
        if (f->needed[i] && (is_input(n) || default_of(f, n)) && !add_input(f, graph, e, n)) {
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
    f.fed = UC_NEW(arena, uint8_t, body->node_count);
    f.trains = UC_NEW(arena, uint8_t, body->node_count);
    f.learned = UC_NEW(arena, uint8_t, body->node_count);
    f.inside = UC_NEW(arena, uint8_t, body->node_count);
    f.needed = UC_NEW(arena, uint8_t, body->node_count);
    f.list = UC_NEW(arena, uint32_t, body->node_count);
    if (f.fed && f.trains && f.learned && f.inside && f.needed && f.list &&
        find_outputs(&f, entry) && find_inputs(&f, graph, entry))
        return UNCORK_OK;
    UC_TRY(uc_arena_status(arena, error));
    return uc_fail(error, UNCORK_MALFORMED, graph->offset, "the graph is broken");
}
