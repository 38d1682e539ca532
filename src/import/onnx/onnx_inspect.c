/* Facts of an ONNX file: who made it, versions, inputs and outputs, operators counted, parameters. */
#include "import/onnx/onnx_inspect.h"

#include "import/onnx/onnx_build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- counting operators ------------------------------------------------------------------- */

typedef struct op_count {
    uc_str domain, op;
    int64_t nodes;
    bool known;
} op_count;

typedef struct census {
    uc_arena *arena;
    const uc_onnx_model *model;
    uc_table *table; /* "domain\0op" -> op_count */
    UC_ONNX_LIST(op_count *) ops;
    int64_t nodes, parameters, bodies;
    bool failed;
} census;

static bool has_function(const uc_onnx_model *m, const uc_onnx_node *node)
{
    for (size_t i = 0; i < m->functions.count; i++) {
        const uc_onnx_function *f = &m->functions.items[i];
        if (uc_str_equal(f->name, node->op) && uc_str_equal(f->domain, node->domain)) return true;
    }
    return false;
}

static bool is_known(census *c, const uc_onnx_node *node)
{
    const char *domain = uc_arena_copy(c->arena, node->domain.data, node->domain.size);
    const char *op = uc_arena_copy(c->arena, node->op.data, node->op.size);
    c->failed = c->failed || !domain || !op;
    return domain && op &&
           (uc_onnx_knows(domain, op) || has_function(c->model, node) ||
            uc_onnx_is_gradient(node) || uc_onnx_is_flex_attention(node));
}

static void count_node(census *c, const uc_onnx_node *node)
{
    const size_t size = node->domain.size + 1 + node->op.size;
    char *key = uc_arena_alloc_raw(c->arena, size);
    if (!key) {
        c->failed = true;
        return;
    }
    if (node->domain.size) memcpy(key, node->domain.data, node->domain.size);
    key[node->domain.size] = 0;
    if (node->op.size) memcpy(key + node->domain.size + 1, node->op.data, node->op.size);
    c->nodes++;
    op_count *known = uc_table_find(c->table, (uc_str){key, size});
    if (!known) {
        known = UC_NEW(c->arena, op_count, 1);
        op_count **place = UC_ONNX_PUSH(c->arena, &c->ops);
        if (!known || !place || !uc_table_put(c->table, (uc_str){key, size}, known)) {
            c->failed = true;
            return;
        }
        *place = known;
        *known = (op_count){node->domain, node->op, 0, is_known(c, node)};
    }
    known->nodes++;
}

static int64_t elements(const uc_onnx_tensor *t)
{
    int64_t n = 1;
    for (size_t d = 0; d < t->dim_count; d++) {
        if (t->dims[d] < 0 || __builtin_mul_overflow(n, t->dims[d], &n)) return 0;
    }
    return n;
}

static void count_graph(census *c, const uc_onnx_graph *graph);

static void count_nodes(census *c, const uc_onnx_nodes *nodes)
{
    for (size_t i = 0; i < nodes->count && !c->failed; i++) {
        const uc_onnx_node *node = &nodes->items[i];
        count_node(c, node);
        for (size_t k = 0; k < node->attrs.count; k++) {
            if (!node->attrs.items[k].graph) continue;
            c->bodies++;
            count_graph(c, node->attrs.items[k].graph);
        }
    }
}

static void count_graph(census *c, const uc_onnx_graph *graph)
{
    int64_t sum = c->parameters;
    for (size_t i = 0; i < graph->initializers.count; i++) {
        if (__builtin_add_overflow(sum, elements(&graph->initializers.items[i]), &sum))
            sum = INT64_MAX;
    }
    c->parameters = sum;
    count_nodes(c, &graph->nodes);
}

/* Most frequent first, then by name. */
static int by_count(const void *a, const void *b)
{
    const op_count *x = *(op_count *const *)a, *y = *(op_count *const *)b;
    if (x->nodes != y->nodes) return x->nodes < y->nodes ? 1 : -1;
    const size_t n = x->op.size < y->op.size ? x->op.size : y->op.size;
    const int order = n ? memcmp(x->op.data, y->op.data, n) : 0;
    return order ? order : (x->op.size > y->op.size) - (x->op.size < y->op.size);
}

static bool take_census(census *c, const uc_onnx_model *model, uc_arena *arena)
{
    *c = (census){.arena = arena, .model = model, .table = uc_table_new(arena)};
    if (!c->table) return false;
    if (model->graph) count_graph(c, model->graph);
    for (size_t i = 0; i < model->functions.count && !c->failed; i++)
        count_nodes(c, &model->functions.items[i].nodes);
    if (c->failed) return false;
    if (c->ops.count) qsort(c->ops.items, c->ops.count, sizeof *c->ops.items, by_count);
    return true;
}

static void op_name(const op_count *op, uc_writer *out)
{
    uc_writer_put(out, op->domain.data, op->domain.size);
    uc_writer_text(out, op->domain.size ? "." : "");
    uc_writer_put(out, op->op.data, op->op.size);
}

static uncork_status check_census(const census *c, uncork_error *error)
{
    uc_writer list;
    size_t unknown = 0;
    uc_writer_init(&list, 512);
    for (size_t i = 0; i < c->ops.count; i++) {
        const op_count *op = c->ops.items[i];
        if (op->known || ++unknown > 3) continue;
        uc_writer_text(&list, unknown > 1 ? ", " : "");
        op_name(op, &list);
    }
    uncork_status status = UNCORK_OK;
    if (unknown) {
        const char *names = uc_writer_string(&list);
        status =
            uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                    "%zu operator%s of this model %s known: %s%s", unknown, unknown > 1 ? "s" : "",
                    unknown > 1 ? "aren't" : "isn't", names, unknown > 3 ? ", ..." : "");
        uc_fix(error, unknown > 3 ? "uncork inspect lists them all"
                                  : "export the model with standard operators alone");
    }
    uc_writer_done(&list);
    return status;
}

uncork_status uc_onnx_check_operators(const uc_onnx_model *model, uncork_error *error)
{
    census c;
    uc_arena *arena = uc_arena_new(NULL);
    const uncork_status status =
        arena && take_census(&c, model, arena) ? check_census(&c, error) : uc_fail_memory(error);
    uc_arena_free(arena);
    return status;
}

/* ---- facts -------------------------------------------------------------------------------- */

/* Pairs of metadata that become facts: exporters write a dozen. */
#define METADATA_FACTS 64

static void text_fact(uc_facts *facts, const char *key, uc_str text)
{
    if (text.size == 0) return;
    const int size = text.size < 65536 ? (int)text.size : 65536;
    uc_fact_text(facts, key, "%.*s", size, text.data);
}

void uc_onnx_facts(const uc_onnx_model *m, uc_facts *facts)
{
    uc_fact_text(facts, "format", "onnx");
    text_fact(facts, "producer", m->producer);
    text_fact(facts, "producer_version", m->producer_version);
    uc_fact_number(facts, "ir_version", (double)m->ir_version);
    if (m->model_version) uc_fact_number(facts, "model_version", (double)m->model_version);
    text_fact(facts, "domain", m->domain);
    text_fact(facts, "doc", m->doc);
    if (m->graph) text_fact(facts, "graph", m->graph->name);
    for (size_t i = 0; i < m->metadata.count && i < METADATA_FACTS; i++) {
        char key[64];
        const uc_str name = m->metadata.items[i].key;
        const int n = snprintf(key, sizeof key, "metadata.%.*s",
                               name.size < sizeof key ? (int)name.size : 0, name.data);
        if (n > 9 && (size_t)n < sizeof key) text_fact(facts, key, m->metadata.items[i].value);
    }
}

/* ---- inspect ------------------------------------------------------------------------------ */

static void put_values(const uc_onnx_values *values, const uc_onnx_graph *graph, bool all,
                       uc_json_writer *json)
{
    uc_arena *arena = uc_arena_new(NULL);
    uc_table *initial = arena ? uc_table_new(arena) : NULL;
    for (size_t i = 0; initial && i < graph->initializers.count; i++)
        (void)uc_table_put(initial, graph->initializers.items[i].name, initial);
    uc_json_begin_array(json);
    for (size_t i = 0; i < values->count; i++) {
        const uc_onnx_value *v = &values->items[i];
        const bool has_default = uc_table_find(initial, v->name) != NULL;
        if (has_default && !all) continue;
        uc_writer text;
        uc_writer_init(&text, 4096);
        uc_onnx_type_text(&v->type, &text);
        uc_json_begin_object(json);
        uc_json_key(json, "name");
        uc_json_put_str(json, v->name);
        uc_json_key(json, "type");
        uc_json_put_text(json, uc_writer_string(&text));
        if (has_default) {
            uc_json_key(json, "default");
            uc_json_put_bool(json, true);
        }
        if (v->doc.size) {
            uc_json_key(json, "doc");
            uc_json_put_str(json, v->doc);
        }
        uc_json_end_object(json);
        uc_writer_done(&text);
    }
    uc_json_end_array(json);
    uc_arena_free(arena);
}

static void put_operators(const census *c, bool known, uc_json_writer *json)
{
    uc_json_begin_object(json);
    for (size_t i = 0; i < c->ops.count; i++) {
        const op_count *op = c->ops.items[i];
        if (!known && op->known) continue;
        uc_writer name;
        uc_writer_init(&name, 4096);
        op_name(op, &name);
        uc_json_key(json, uc_writer_string(&name));
        uc_json_put_i64(json, op->nodes);
        uc_writer_done(&name);
    }
    uc_json_end_object(json);
}

/* Keys end with a zero; what a file calls things may be longer than anyone reads. */
static void put_key(uc_json_writer *json, uc_str name, const char *otherwise)
{
    char key[256];
    const size_t n = name.size < sizeof key - 1 ? name.size : sizeof key - 1;
    if (n) memcpy(key, name.data, n);
    key[n] = 0;
    uc_json_key(json, n ? key : otherwise);
}

static void put_pairs(const uc_onnx_pairs *pairs, uc_json_writer *json)
{
    uc_json_begin_object(json);
    for (size_t i = 0; i < pairs->count; i++) {
        put_key(json, pairs->items[i].key, "");
        uc_json_put_str(json, pairs->items[i].value);
    }
    uc_json_end_object(json);
}

static void put_opsets(const uc_onnx_opsets *opsets, uc_json_writer *json)
{
    uc_json_begin_object(json);
    for (size_t i = 0; i < opsets->count; i++) {
        put_key(json, opsets->items[i].domain, "ai.onnx");
        uc_json_put_i64(json, opsets->items[i].version);
    }
    uc_json_end_object(json);
}

static void put_annotations(const uc_onnx_graph *graph, uc_json_writer *json)
{
    if (graph->annotations.count == 0) return;
    uc_json_key(json, "quantization");
    uc_json_begin_array(json);
    for (size_t i = 0; i < graph->annotations.count; i++) {
        uc_json_begin_object(json);
        uc_json_key(json, "tensor");
        uc_json_put_str(json, graph->annotations.items[i].tensor);
        uc_json_key(json, "parameters");
        put_pairs(&graph->annotations.items[i].parameters, json);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
}

static void put_graph(const uc_onnx_model *m, uc_json_writer *json)
{
    if (!m->graph) return;
    uc_json_key(json, "inputs");
    put_values(&m->graph->inputs, m->graph, m->ir_version >= 4, json);
    uc_json_key(json, "outputs");
    put_values(&m->graph->outputs, m->graph, true, json);
    if (m->graph->doc.size) {
        uc_json_key(json, "graph_doc");
        uc_json_put_str(json, m->graph->doc);
    }
    put_annotations(m->graph, json);
}

static void put_census(const uc_onnx_model *m, uc_json_writer *json)
{
    census c;
    uc_arena *arena = uc_arena_new(NULL);
    if (arena && take_census(&c, m, arena)) {
        size_t unknown = 0;
        for (size_t i = 0; i < c.ops.count; i++)
            unknown += !c.ops.items[i]->known;
        uc_json_key(json, "nodes");
        uc_json_put_i64(json, c.nodes);
        uc_json_key(json, "parameters");
        uc_json_put_i64(json, c.parameters);
        uc_json_key(json, "operators");
        put_operators(&c, true, json);
        if (unknown) {
            uc_json_key(json, "unknown_operators");
            put_operators(&c, false, json);
        }
    }
    uc_arena_free(arena);
}

void uc_onnx_inspect(const uc_onnx_model *m, uc_json_writer *json)
{
    uc_json_key(json, "opsets");
    put_opsets(&m->opsets, json);
    put_graph(m, json);
    put_census(m, json);
    if (m->functions.count) {
        uc_json_key(json, "functions");
        uc_json_put_i64(json, (int64_t)m->functions.count);
    }
    if (m->metadata.count) {
        uc_json_key(json, "metadata");
        put_pairs(&m->metadata, json);
    }
    if (m->training_infos) {
        uc_json_key(json, "training_infos");
        uc_json_put_i64(json, (int64_t)m->training_infos);
    }
}
