/* Models as graph nodes: Sequential chains, functional graphs of every era, models within models.
 * Source: keras/src/models/functional.py (functional_from_config), tf_keras/src/engine/functional.py
 * (reconstruct_from_config: node indices of nested models begin at 1). */
#include "import/keras/keras.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_DEPTH = 40, MAX_VALUES = 256 };

/* One call of a layer within a call of its model. */
typedef struct node {
    const uc_json *args, *kwargs;
    uc_k_value *out;
    size_t out_count;
    bool done;
} node;

typedef struct state {
    const uc_k_layer *layer;
    node *nodes;
    size_t node_count;
    int64_t first; /* index that others give to the first node */
} state;

struct uc_k_scope {
    uc_k_build *build;
    const uc_k_model *model;
    state *states; /* as model->layers */
};

/* ---- references ------------------------------------------------------------------------------ */

static state *find_state(uc_k_scope *s, uc_str name)
{
    const uc_k_layer *l = uc_table_find(s->model->by_name, name);
    for (size_t i = 0; l && i < s->model->count; i++) {
        if (s->states[i].layer == l) return &s->states[i];
    }
    return NULL;
}

typedef enum found { NOT_A_TENSOR, NOT_YET, FOUND } found;

static found find_output(uc_k_scope *s, uc_str name, int64_t at, int64_t tensor, uc_k_value *value)
{
    state *st = find_state(s, name);
    if (!st) return NOT_A_TENSOR;
    at -= st->first;
    if (at < 0 || (size_t)at >= st->node_count) return NOT_YET;
    const node *n = &st->nodes[at];
    if (!n->done) return NOT_YET;
    if (tensor < 0 || (size_t)tensor >= n->out_count) return NOT_A_TENSOR;
    *value = n->out[tensor];
    return FOUND;
}

/* A tensor is ["layer", node, tensor(, {})], or {"class_name": "__keras_tensor__", ...}. */
static bool reference(const uc_json *json, uc_str *name, int64_t *at, int64_t *tensor)
{
    if (!json) return false;
    if (json->kind == UC_JSON_OBJECT) {
        const uc_str class_name = uc_json_str(uc_json_get(json, "class_name"), "");
        if (!uc_str_is(class_name, "__keras_tensor__")) return false;
        json = uc_json_path(json, "config.keras_history");
    }
    if (!json || json->kind != UC_JSON_ARRAY || json->count < 3 || json->count > 4) return false;
    const uc_json *a = json->items[0], *b = json->items[1], *c = json->items[2];
    if (a->kind != UC_JSON_STRING || b->kind != UC_JSON_INT || c->kind != UC_JSON_INT) return false;
    *name = a->string;
    *at = b->integer;
    *tensor = c->integer;
    return true;
}

static found find_tensor(uc_k_scope *s, const uc_json *json, uc_k_value *value)
{
    uc_str name;
    int64_t at, tensor;
    if (!s || !reference(json, &name, &at, &tensor)) return NOT_A_TENSOR;
    return find_output(s, name, at, tensor, value);
}

bool uc_k_tensor_of(uc_k_call *c, const uc_json *json, uc_k_value *value)
{
    for (size_t i = 0; i < c->held_count; i++) {
        if (c->held[i].json != json) continue;
        *value = c->held[i].value;
        return true;
    }
    return find_tensor(c->scope, json, value) == FOUND;
}

const uc_json *uc_k_argument_json(const uc_k_call *c, size_t position, const char *name)
{
    const uc_json *v = uc_json_get(c->kwargs, name);
    if (!v && c->args && c->args->kind == UC_JSON_ARRAY && c->args->count &&
        c->args->items[0]->kind == UC_JSON_STRING) {
        return position == 0 ? c->args : NULL; /* one tensor of Keras 2: ["x", 0, 0, {}] */
    }
    if (!v && c->args && position < uc_json_count(c->args) && c->args->kind == UC_JSON_ARRAY) {
        v = uc_json_at(c->args, position);
    }
    if (!v && c->layer->is_operator) v = uc_json_get(c->layer->config, name);
    return v && v->kind == UC_JSON_NULL ? NULL : v;
}

bool uc_k_argument(uc_k_call *c, size_t position, const char *name, uc_k_value *value)
{
    return uc_k_tensor_of(c, uc_k_argument_json(c, position, name), value);
}

/* Every tensor in an arguments' tree, in order; false when one isn't computed yet. */
static bool gather(uc_k_scope *s, const uc_json *json, int depth, uc_k_value *out, size_t *count)
{
    uc_k_value v;
    if (!json || depth > 8) return true;
    const found f = find_tensor(s, json, &v);
    if (f == NOT_YET) return false;
    if (f == FOUND) {
        if (*count < MAX_VALUES) out[(*count)++] = v;
        return true;
    }
    if (json->kind != UC_JSON_ARRAY && json->kind != UC_JSON_OBJECT) return true;
    for (size_t i = 0; i < json->count; i++) {
        if (!gather(s, json->items[i], depth + 1, out, count)) return false;
    }
    return true;
}

/* ---- one layer ------------------------------------------------------------------------------- */

/* "float32", "mixed_float16", or a policy object around such a name. */
static uncork_dtype compute_type(const uc_k_layer *l)
{
    const uc_json *d = uc_json_get(l->config, "dtype");
    if (d && d->kind == UC_JSON_OBJECT) {
        const uc_json *name = uc_json_path(d, "config.name");
        if (!name) name = uc_json_path(d, "config.source_name");
        d = name;
    }
    const uc_str s = uc_json_str(d, "float32");
    if (uc_str_is(s, "mixed_float16") || uc_str_is(s, "float16")) return UNCORK_FLOAT16;
    if (uc_str_is(s, "mixed_bfloat16") || uc_str_is(s, "bfloat16")) return UNCORK_BFLOAT16;
    return uc_str_is(s, "float64") ? UNCORK_FLOAT64 : UNCORK_FLOAT32;
}

static void fail_class(uc_k_call *c)
{
    const uc_k_layer *l = c->layer;
    uc_graph_fail(c->graph, UNCORK_UNSUPPORTED, "this build doesn't know the class '%s'",
                  l->class_name);
    uc_fix(c->graph->error, "its code isn't in the file: save the model as ONNX or SavedModel, "
                            "which hold what it computes");
}

/* An .h5 file of Keras 3 doesn't say which module a class is of: a layer that joins is called on a list,
 * the operator of its name on the tensors themselves. */
static bool joins_as_operator(const uc_k_call *c)
{
    static const char *const names[] = {"Add", "Subtract", "Multiply", "Maximum", "Minimum"};
    const uc_json *first = uc_json_at(c->args, 0);
    if (c->layer->major < 3 || !first || first->kind != UC_JSON_OBJECT) return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(c->layer->class_name, names[i]) == 0) return true;
    }
    return false;
}

static void emit_call(uc_k_call *c)
{
    const uc_k_layer *l = c->layer;
    if (joins_as_operator(c)) {
        uc_k_operator(c);
        return;
    }
    if (!l->row && !l->is_operator) {
        fail_class(c);
        return;
    }
    if (!l->is_operator && c->in_count == 0) {
        uc_k_fail(c, "it is called on no tensor");
        return;
    }
    const unsigned flags = l->row ? l->row->flags : UC_K_ANY;
    for (size_t i = 0; i < c->in_count && !(flags & UC_K_ANY); i++) {
        const uncork_dtype dtype = uc_k_dtype(c, c->in[i].ref);
        if (dtype != c->dtype && uc_dtype_is_float(dtype)) {
            c->in[i].ref = uc_g_cast(c->graph, c->in[i].ref, c->dtype);
        }
    }
    if (flags & UC_K_IDENTITY) {
        c->out[0] = c->in[0];
        c->out_count = 1;
    } else if (l->is_operator) {
        uc_k_operator(c);
    } else {
        l->row->emit(c);
    }
}

static bool emit_nested(uc_k_build *b, const uc_k_layer *model, uc_k_value *in, size_t in_count,
                        uc_k_call *done);

void uc_k_emit(uc_k_build *b, const uc_k_layer *layer, uc_k_scope *scope, const uc_json *args,
               const uc_json *kwargs, uc_k_value *in, size_t in_count, uc_k_call *done)
{
    *done = (uc_k_call){.build = b,
                        .graph = b->graph,
                        .layer = layer,
                        .dtype = compute_type(layer),
                        .scope = scope,
                        .args = args,
                        .kwargs = kwargs,
                        .in = in,
                        .in_count = in_count};
    if (b->graph->status) return;
    const char *outer = b->graph->where;
    b->graph->where =
        uc_arena_printf(b->graph->arena, "layer %s (%s)", layer->name, layer->class_name);
    if (layer->model)
        (void)emit_nested(b, layer, in, in_count, done);
    else
        emit_call(done);
    b->graph->where = outer;
}

/* ---- functional models ----------------------------------------------------------------------- */

/* Keras 2 writes a node as a list of tensors ["layer", 0, 0, {kwargs}], or as one such. */
static void read_node(const uc_json *json, node *n)
{
    if (json->kind == UC_JSON_OBJECT && uc_json_get(json, "args")) {
        n->args = uc_json_get(json, "args");
        n->kwargs = uc_json_get(json, "kwargs");
        return;
    }
    n->args = json;
    const uc_json *first = json->kind == UC_JSON_ARRAY && json->count ? json->items[0] : json;
    if (first->kind == UC_JSON_STRING) first = json;
    if (first->kind == UC_JSON_ARRAY && first->count == 4) n->kwargs = first->items[3];
}

/* Whether any node refers to index 0 of the layer. */
static bool refers_to_zero(const uc_json *json, const char *name, int depth)
{
    uc_str n;
    int64_t at, tensor;
    if (!json || depth > 10) return false;
    if (reference(json, &n, &at, &tensor)) return at == 0 && uc_str_is(n, name);
    if (json->kind != UC_JSON_ARRAY && json->kind != UC_JSON_OBJECT) return false;
    for (size_t i = 0; i < json->count; i++) {
        if (refers_to_zero(json->items[i], name, depth + 1)) return true;
    }
    return false;
}

/* The construction of a nested model may count as its node 0, which isn't in the file. */
static int64_t first_index(const uc_k_layer *model, const uc_k_layer *l)
{
    if (!l->model) return 0;
    const uc_k_model *m = model->model;
    for (size_t i = 0; i < m->count; i++) {
        if (refers_to_zero(uc_json_get(m->layers[i]->record, "inbound_nodes"), l->name, 0))
            return 0;
    }
    return refers_to_zero(uc_json_get(model->config, "output_layers"), l->name, 0) ? 0 : 1;
}

static bool read_states(uc_k_scope *s, const uc_k_layer *model)
{
    uc_arena *arena = s->build->graph->arena;
    s->states = UC_NEW(arena, state, s->model->count);
    for (size_t i = 0; s->states && i < s->model->count; i++) {
        state *st = &s->states[i];
        st->layer = s->model->layers[i];
        const uc_json *nodes = uc_json_get(st->layer->record, "inbound_nodes");
        st->node_count = uc_json_count(nodes);
        if (st->node_count == 0) st->node_count = 1; /* an input */
        st->nodes = UC_NEW(arena, node, st->node_count);
        if (!st->nodes) return false;
        for (size_t k = 0; k < uc_json_count(nodes); k++) {
            const uc_json *json = uc_json_at(nodes, k);
            if (json) read_node(json, &st->nodes[k]);
        }
        st->first = first_index(model, st->layer);
    }
    return s->states != NULL;
}

/* Emits a node whose inputs are there; false: not yet. */
static bool try_node(uc_k_scope *s, state *st, node *n)
{
    uc_k_value in[MAX_VALUES];
    size_t count = 0;
    uc_k_call call;
    if (!gather(s, n->args, 0, in, &count)) return false;
    size_t extra = count;
    if (!gather(s, n->kwargs, 0, in, &extra)) return false;
    if (st->layer->model && count == 0) count = extra;
    uc_k_emit(s->build, st->layer, s, n->args, n->kwargs, in, count ? count : extra, &call);
    n->out = UC_NEW(s->build->graph->arena, uc_k_value, call.out_count);
    if (!n->out) {
        uc_graph_fail(s->build->graph, UNCORK_NO_MEMORY, "no memory for layers");
        return true;
    }
    for (size_t i = 0; i < call.out_count; i++) {
        n->out[i] = call.out[i];
    }
    n->out_count = call.out_count;
    n->done = true;
    return true;
}

/* Rounds over the layers until all are there: one is enough for files in order. */
static void emit_all(uc_k_scope *s)
{
    uc_graph *g = s->build->graph;
    bool progress = true, left = true;
    while (progress && left && !g->status) {
        progress = left = false;
        for (size_t i = 0; i < s->model->count && !g->status; i++) {
            for (size_t k = 0; k < s->states[i].node_count && !g->status; k++) {
                node *n = &s->states[i].nodes[k];
                if (n->done || !n->args) continue;
                if (g->budget && uc_budget_nodes(g->budget, 1, "layers", g->error)) {
                    uc_graph_fail(g, UNCORK_LIMIT, "too many layers");
                    return;
                }
                const bool done = try_node(s, &s->states[i], n);
                progress |= done;
                left |= !done;
            }
        }
    }
    if (left && !g->status) {
        uc_graph_fail(g, UNCORK_MALFORMED, "the model's layers wait for each other's outputs");
    }
}

/* The layers of input_layers: [["a", 0, 0], ...], ["a", 0, 0], {"key": ["a", 0, 0]}. */
static size_t list_ends(const uc_json *json, const uc_json **refs, const char **keys,
                        uc_arena *arena, size_t count)
{
    uc_str name;
    int64_t at, tensor;
    if (!json || count >= MAX_VALUES) return count;
    if (reference(json, &name, &at, &tensor)) {
        refs[count] = json;
        return count + 1;
    }
    if (json->kind != UC_JSON_ARRAY && json->kind != UC_JSON_OBJECT) return count;
    for (size_t i = 0; i < json->count && count < MAX_VALUES; i++) {
        if (!reference(json->items[i], &name, &at, &tensor)) continue;
        refs[count] = json->items[i];
        keys[count] = json->kind == UC_JSON_OBJECT && arena
                          ? uc_arena_copy(arena, json->keys[i].data, json->keys[i].size)
                          : NULL;
        count++;
    }
    return count;
}

/* Makes the model's inputs be the given values, in order. */
static bool bind_inputs(uc_k_scope *s, const uc_k_layer *model, const uc_k_value *in, size_t count)
{
    const uc_json *refs[MAX_VALUES];
    const char *keys[MAX_VALUES];
    uc_graph *g = s->build->graph;
    const size_t n = list_ends(uc_json_get(model->config, "input_layers"), refs, keys, NULL, 0);
    if (n != count) {
        uc_graph_fail(g, UNCORK_MALFORMED, "model '%s' has %zu inputs and is called on %zu",
                      model->name, n, count);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        uc_str name;
        int64_t at, tensor;
        state *st = reference(refs[i], &name, &at, &tensor) ? find_state(s, name) : NULL;
        if (!st || st->nodes[0].args) {
            uc_graph_fail(g, UNCORK_MALFORMED, "model '%s': input %zu is no input layer",
                          model->name, i);
            return false;
        }
        st->nodes[0].out = UC_NEW(g->arena, uc_k_value, 1);
        if (!st->nodes[0].out) return false;
        st->nodes[0].out[0] = in[i];
        st->nodes[0].out_count = 1;
        st->nodes[0].done = true;
    }
    return true;
}

static bool emit_functional(uc_k_build *b, const uc_k_layer *model, uc_k_value *in, size_t in_count,
                            uc_k_call *done)
{
    const uc_json *refs[MAX_VALUES];
    const char *keys[MAX_VALUES];
    uc_k_scope s = {.build = b, .model = model->model};
    if (!read_states(&s, model)) {
        uc_graph_fail(b->graph, UNCORK_NO_MEMORY, "no memory for layers");
        return false;
    }
    if (!bind_inputs(&s, model, in, in_count)) return false;
    emit_all(&s);
    const size_t n = list_ends(uc_json_get(model->config, "output_layers"), refs, keys, NULL, 0);
    for (size_t i = 0; i < n && !b->graph->status; i++) {
        uc_k_value v;
        if (find_tensor(&s, refs[i], &v) != FOUND || done->out_count >= UC_K_OUTPUTS) {
            uc_graph_fail(b->graph, UNCORK_MALFORMED, "model '%s': output %zu isn't computed",
                          model->name, i);
            return false;
        }
        done->out[done->out_count++] = v;
    }
    return !b->graph->status;
}

static bool emit_sequential(uc_k_build *b, const uc_k_layer *model, uc_k_value *in, size_t in_count,
                            uc_k_call *done)
{
    uc_k_value v[UC_K_OUTPUTS];
    size_t count = in_count < UC_K_OUTPUTS ? in_count : UC_K_OUTPUTS;
    for (size_t i = 0; i < count; i++) {
        v[i] = in[i];
    }
    for (size_t i = 0; i < model->model->count && !b->graph->status; i++) {
        const uc_k_layer *l = model->model->layers[i];
        uc_k_call call;
        if (strcmp(l->class_name, "InputLayer") == 0) continue;
        uc_k_emit(b, l, NULL, NULL, NULL, v, count, &call);
        count = call.out_count;
        memcpy(v, call.out, sizeof v);
    }
    memcpy(done->out, v, sizeof v);
    done->out_count = count;
    return !b->graph->status;
}

static bool emit_nested(uc_k_build *b, const uc_k_layer *model, uc_k_value *in, size_t in_count,
                        uc_k_call *done)
{
    if (++b->depth > MAX_DEPTH) {
        uc_graph_fail(b->graph, UNCORK_LIMIT, "models nest deeper than %d", MAX_DEPTH);
        return false;
    }
    const bool ok = model->model->sequential ? emit_sequential(b, model, in, in_count, done)
                                             : emit_functional(b, model, in, in_count, done);
    b->depth--;
    return ok;
}

/* ---- the model's own inputs and outputs ------------------------------------------------------ */

static uncork_dtype input_type(const uc_k_layer *l)
{
    static const uncork_dtype types[] = {
        UNCORK_FLOAT32, UNCORK_FLOAT64, UNCORK_FLOAT16, UNCORK_BFLOAT16, UNCORK_INT8,
        UNCORK_INT16,   UNCORK_INT32,   UNCORK_INT64,   UNCORK_UINT8,    UNCORK_UINT16,
        UNCORK_UINT32,  UNCORK_UINT64,  UNCORK_BOOL,    UNCORK_STRING,
    };
    const uc_str s = uc_json_str(uc_json_get(l->config, "dtype"), "float32");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (uc_str_is(s, uc_dtype_name(types[i]))) return types[i];
    }
    if (strcmp(l->class_name, "InputLayer") != 0) return UNCORK_FLOAT32;
    return compute_type(l);
}

/* An input of the shape in a config: [null, 28, 28, 1]. */
static uc_k_value make_input(uc_k_build *b, const char *name, uncork_dtype dtype,
                             const uc_json *shape)
{
    int64_t dims[UNCORK_MAX_RANK];
    const size_t rank = uc_k_list(shape, dims, UNCORK_MAX_RANK);
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] < -1) dims[i] = -1;
    }
    return (uc_k_value){.ref = uc_graph_input(b->graph, name, dtype, (int)rank, dims)};
}

static const uc_json *shape_of(const uc_k_layer *l)
{
    const uc_json *shape = uc_k_get(l, "batch_shape");
    if (shape && shape->kind == UC_JSON_OBJECT) shape = uc_json_path(shape, "config.value");
    return shape;
}

/* The first layer that says its input's shape, of a chain whose first may be chains. */
static const uc_k_layer *first_of(const uc_k_layer *model)
{
    const uc_k_layer *l = model;
    for (int depth = 0; l->model && l->model->count && depth < MAX_DEPTH; depth++) {
        if (!l->model->sequential) {
            const uc_json *refs[MAX_VALUES];
            const char *keys[MAX_VALUES];
            uc_str name;
            int64_t at, tensor;
            const size_t n = list_ends(uc_json_get(l->config, "input_layers"), refs, keys, NULL, 0);
            const uc_k_layer *in = n && reference(refs[0], &name, &at, &tensor)
                                       ? uc_table_find(l->model->by_name, name)
                                       : NULL;
            if (!in) return l;
            l = in;
            continue;
        }
        l = l->model->layers[0];
    }
    return l;
}

/* The shape given to a layer of Keras 1 that has but one number: Dense(input_dim=4). */
static uc_k_value input_of_dim(uc_k_build *b, const char *name, const uc_k_layer *l)
{
    const int64_t dim = uc_k_int(l, "input_dim", -1), length = uc_k_int(l, "input_length", -1);
    const bool embedding = strcmp(l->class_name, "Embedding") == 0;
    const int64_t flat[] = {-1, embedding ? length : dim}, wide[] = {-1, length, dim};
    const bool sequence = !embedding && uc_k_get(l, "input_length");
    return (uc_k_value){.ref = uc_graph_input(b->graph, name, UNCORK_FLOAT32, sequence ? 3 : 2,
                                              sequence ? wide : flat)};
}

static size_t sequential_inputs(uc_k_build *b, const uc_k_layer *model, uc_k_value *in)
{
    const uc_k_layer *l = first_of(model);
    const bool named = strcmp(l->class_name, "InputLayer") == 0;
    const char *name = named ? l->name : uc_arena_printf(b->graph->arena, "%s_input", l->name);
    const uc_json *shape = shape_of(l);
    if (!shape) shape = uc_json_get(model->config, "build_input_shape");
    if (!shape || shape->kind == UC_JSON_NULL) {
        shape = uc_json_path(model->record, "build_config.input_shape");
    }
    if (!uc_json_count(shape) && uc_k_get(l, "input_dim")) {
        in[0] = input_of_dim(b, name, l);
        return 1;
    }
    if (!uc_json_count(shape)) {
        uc_graph_fail(b->graph, UNCORK_UNSUPPORTED,
                      "the file doesn't say the shape of the model's input");
        return 0;
    }
    uncork_dtype dtype = named ? input_type(l) : UNCORK_FLOAT32;
    if (!named && uc_json_get(l->config, "dtype")) dtype = input_type(l);
    in[0] = make_input(b, name, dtype, shape);
    return 1;
}

static size_t functional_inputs(uc_k_build *b, const uc_k_layer *model, uc_k_value *in)
{
    const uc_json *refs[MAX_VALUES];
    const char *keys[MAX_VALUES];
    const size_t n = list_ends(uc_json_get(model->config, "input_layers"), refs, keys, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        uc_str name;
        int64_t at, tensor;
        (void)reference(refs[i], &name, &at, &tensor);
        const uc_k_layer *l = uc_table_find(model->model->by_name, name);
        if (!l || !shape_of(l)) {
            uc_graph_fail(b->graph, UNCORK_MALFORMED, "input %zu of the model has no shape", i);
            return 0;
        }
        in[i] = make_input(b, l->name, input_type(l), shape_of(l));
    }
    return n;
}

/* Keys of a dict, else the output layer's name, numbered where one layer gives several. */
static void name_outputs(uc_k_build *b, const uc_k_layer *model, uc_k_call *done)
{
    const uc_json *refs[MAX_VALUES];
    const char *keys[MAX_VALUES] = {0};
    uc_graph *g = b->graph;
    const uc_k_model *m = model->model;
    const size_t n = m->sequential ? 0
                                   : list_ends(uc_json_get(model->config, "output_layers"), refs,
                                               keys, g->arena, 0);
    for (size_t i = 0; i < done->out_count; i++) {
        const char *name = m->sequential ? m->layers[m->count - 1]->name : keys[i];
        if (!name && i < n) {
            uc_str layer, other;
            int64_t at, tensor, number = 0, same = 0;
            (void)reference(refs[i], &layer, &at, &tensor);
            for (size_t k = 0; k < n; k++) {
                (void)reference(refs[k], &other, &at, &tensor);
                if (!uc_str_equal(layer, other)) continue;
                number += k < i;
                same++;
            }
            name = uc_arena_copy(g->arena, layer.data, layer.size);
            if (name && same > 1) name = uc_arena_printf(g->arena, "%s_%" PRId64, name, number);
        } else if (m->sequential && done->out_count > 1) {
            name = uc_arena_printf(g->arena, "%s_%zu", name, i);
        }
        uc_graph_output(g, name ? name : "output", uc_k_plain(done, done->out[i]));
    }
}

void uc_k_emit_model(uc_k_build *b, const uc_k_layer *model)
{
    uc_k_value in[MAX_VALUES];
    uc_k_call done;
    if (model->model->count == 0) {
        uc_graph_fail(b->graph, UNCORK_MALFORMED, "the model has no layers");
        return;
    }
    const size_t n = model->model->sequential ? sequential_inputs(b, model, in)
                                              : functional_inputs(b, model, in);
    if (b->graph->status) return;
    uc_k_emit(b, model, NULL, NULL, NULL, in, n, &done);
    if (!b->graph->status) name_outputs(b, model, &done);
}
