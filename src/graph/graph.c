/* Building a graph. The first failure sticks to the graph; after it every call gives something
 * harmless, so importers check once, in uc_graph_finish. */
#include "graph/graph.h"
#include "op/shape.h"

#include <stdarg.h>
#include <stdio.h>

uc_graph *uc_graph_new(uc_arena *arena, uc_budget *budget, uncork_error *error)
{
    uc_graph *g = UC_NEW(arena, uc_graph, 1);
    if (!g) return NULL;
    g->arena = arena;
    g->budget = budget;
    g->error = error;
    g->values = uc_arena_grow(arena, NULL, &g->value_capacity, 1, sizeof *g->values);
    g->nodes = uc_arena_grow(arena, NULL, &g->node_capacity, 1, sizeof *g->nodes);
    if (!g->values || !g->nodes) return NULL;
    g->values[0] = (uc_graph_value){.rank = -1, .producer = -1};
    g->value_count = 1;
    return g;
}

uc_ref uc_graph_fail(uc_graph *g, uncork_status status, const char *format, ...)
{
    if (g->status != UNCORK_OK) return 0;
    char message[224];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    uc_fail(g->error, status, UC_NO_OFFSET, "%s", message);
    if (g->where) uc_where(g->error, "%s", g->where);
    g->status = status;
    return 0;
}

static uc_ref fail_memory(uc_graph *g)
{
    if (g->status == UNCORK_OK) {
        g->status = uc_arena_status(g->arena, g->error);
        if (g->status == UNCORK_OK) g->status = uc_fail_memory(g->error);
    }
    return 0;
}

/* ---- values ------------------------------------------------------------------------------- */

static uc_ref add_value(uc_graph *g, uncork_dtype dtype, int rank, const int64_t *shape)
{
    if (g->status != UNCORK_OK) return 0;
    if (rank > UNCORK_MAX_RANK) {
        return uc_graph_fail(g, UNCORK_LIMIT, "a value has %d dimensions, at most %d can be", rank,
                             UNCORK_MAX_RANK);
    }
    if (g->value_count >= INT32_MAX) {
        return uc_graph_fail(g, UNCORK_LIMIT, "the graph has more than %d values", INT32_MAX);
    }
    uc_graph_value *values =
        uc_arena_grow(g->arena, g->values, &g->value_capacity, g->value_count + 1, sizeof *values);
    if (!values) return fail_memory(g);
    g->values = values;
    uc_graph_value v = {.dtype = dtype, .rank = rank, .producer = -1, .kind = UC_TENSOR};
    if (rank > 0) {
        v.shape = UC_NEW(g->arena, int64_t, (size_t)rank);
        if (!v.shape) return fail_memory(g);
        memcpy(v.shape, shape, (size_t)rank * sizeof *shape);
    }
    values[g->value_count] = v;
    return (uc_ref)g->value_count++;
}

static uc_ref name_value(uc_graph *g, uc_ref ref, const char *name)
{
    if (!ref || !name) return ref;
    g->values[ref].name = uc_arena_str(g->arena, name);
    return g->values[ref].name ? ref : fail_memory(g);
}

/* Adds to a list of refs that grows. */
static void push_ref(uc_graph *g, uc_ref **list, size_t *count, size_t *capacity, uc_ref ref)
{
    uc_ref *items = uc_arena_grow(g->arena, *list, capacity, *count + 1, sizeof *items);
    if (!items) {
        fail_memory(g);
        return;
    }
    items[(*count)++] = ref;
    *list = items;
}

uc_ref uc_graph_input(uc_graph *g, const char *name, uncork_dtype dtype, int rank,
                      const int64_t *shape)
{
    uc_ref ref = name_value(g, add_value(g, dtype, rank, shape), name);
    if (ref) push_ref(g, &g->inputs, &g->input_count, &g->input_capacity, ref);
    return g->status == UNCORK_OK ? ref : 0;
}

void uc_graph_input_kind(uc_graph *g, uc_ref input, uc_kind kind, uc_kind item_kind)
{
    if (g->status != UNCORK_OK || !input) return;
    g->values[input].kind = kind;
    g->values[input].item_kind = item_kind;
}

void uc_graph_input_optional(uc_graph *g, uc_ref input, const uc_tensor *fallback)
{
    if (g->status != UNCORK_OK || !input) return;
    g->values[input].optional = true;
    g->values[input].fallback = fallback;
}

void uc_graph_output(uc_graph *g, const char *name, uc_ref value)
{
    if (g->status != UNCORK_OK) return;
    if (value <= 0 || (size_t)value >= g->value_count) {
        uc_graph_fail(g, UNCORK_MALFORMED, "output '%s' is no value of the graph",
                      name ? name : "");
        return;
    }
    /* An input handed back is copied, so outputs never point at the caller's memory. */
    bool fed = g->values[value].producer < 0 && !g->values[value].constant;
    if (fed) value = uc_g1(g, "Identity", value);
    if (!value) return;
    size_t capacity = g->output_capacity, at = g->output_count;
    const char **names = uc_arena_grow(g->arena, g->output_names, &capacity, at + 1, sizeof *names);
    const char *own = uc_arena_str(g->arena, name ? name : "");
    if (!names || !own) {
        fail_memory(g);
        return;
    }
    g->output_names = names;
    names[at] = own;
    push_ref(g, &g->outputs, &g->output_count, &g->output_capacity, value);
}

const char *uc_graph_output_name(const uc_graph *g, int i)
{
    return i >= 0 && (size_t)i < g->output_count ? g->output_names[i] : NULL;
}

uc_ref uc_graph_const(uc_graph *g, const uc_tensor *tensor)
{
    if (g->status != UNCORK_OK) return 0;
    if (!tensor) return fail_memory(g); /* what its maker says by NULL */
    if (!uc_shape_is_sane(tensor->dtype, tensor->rank, tensor->shape)) {
        char text[128];
        return uc_graph_fail(g, UNCORK_LIMIT, "a constant of shape %s is more than memory can hold",
                             uc_shape_text(tensor->shape, tensor->rank, text, sizeof text));
    }
    /* An empty tensor without memory is a known value all the same. */
    bool empty = !tensor->data && tensor->dtype != UNCORK_STRING && uc_tensor_count(tensor) == 0;
    if (empty) tensor = uc_tensor_new(g->arena, tensor->dtype, tensor->rank, tensor->shape);
    if (!tensor) return fail_memory(g);
    uc_ref ref = add_value(g, tensor->dtype, tensor->rank, tensor->shape);
    if (ref) g->values[ref].constant = tensor;
    return ref;
}

static uc_ref scalar(uc_graph *g, uncork_dtype dtype, const void *v, size_t size)
{
    if (g->status != UNCORK_OK) return 0;
    uc_tensor *t = uc_tensor_new(g->arena, dtype, 0, NULL);
    if (t) memcpy(t->data, v, size);
    return uc_graph_const(g, t);
}

uc_ref uc_graph_f64(uc_graph *g, double v) { return scalar(g, UNCORK_FLOAT64, &v, sizeof v); }

uc_ref uc_graph_f32(uc_graph *g, float v) { return scalar(g, UNCORK_FLOAT32, &v, sizeof v); }

uc_ref uc_graph_i64(uc_graph *g, int64_t v) { return scalar(g, UNCORK_INT64, &v, sizeof v); }

uc_ref uc_graph_f64s(uc_graph *g, const double *v, int64_t n)
{
    return g->status == UNCORK_OK ? uc_graph_const(g, uc_tensor_f64(g->arena, v, n)) : 0;
}

uc_ref uc_graph_i64s(uc_graph *g, const int64_t *v, int64_t n)
{
    return g->status == UNCORK_OK ? uc_graph_const(g, uc_tensor_i64(g->arena, v, n)) : 0;
}

/* ---- nodes -------------------------------------------------------------------------------- */

/* "ai.onnx.ml.Scaler" is Scaler of ai.onnx.ml. */
static const uc_op *find_op(const char *name)
{
    char domain[64];
    const char *dot = strrchr(name, '.');
    if (!dot) return uc_op_find(NULL, name);
    size_t n = (size_t)(dot - name);
    if (n >= sizeof domain) return NULL;
    memcpy(domain, name, n);
    domain[n] = 0;
    return uc_op_find(domain, dot + 1);
}

static bool arity_ok(uc_graph *g, const uc_op *op, size_t in_count, size_t out_count)
{
    bool in_ok =
        in_count >= (size_t)op->in.min && (op->in.max < 0 || in_count <= (size_t)op->in.max);
    bool out_ok = out_count <= INT32_MAX && out_count >= (size_t)op->out.min &&
                  (op->out.max < 0 || out_count <= (size_t)op->out.max);
    if (in_ok && out_ok) return true;
    uc_graph_fail(g, UNCORK_MALFORMED,
                  "%s with %zu inputs and %zu outputs: it takes %d to %d and gives %d to %d",
                  op->name, in_count, out_count, op->in.min, op->in.max, op->out.min, op->out.max);
    return false;
}

/* Where writes go after a failure. */
static uc_node *nowhere(uc_graph *g)
{
    g->dummy = (uc_node){0};
    return &g->dummy;
}

uc_node *uc_graph_node(uc_graph *g, const char *op, const uc_ref *in, size_t in_count,
                       size_t out_count)
{
    if (g->status != UNCORK_OK) return nowhere(g);
    const uc_op *row = find_op(op);
    if (!row) {
        uc_graph_fail(g, UNCORK_UNSUPPORTED, "operator '%s' isn't known", op);
        return nowhere(g);
    }
    if (!arity_ok(g, row, in_count, out_count)) return nowhere(g);
    for (size_t i = 0; i < in_count; i++) {
        if (in[i] < 0 || (size_t)in[i] >= g->value_count) {
            uc_graph_fail(g, UNCORK_MALFORMED, "input %zu of %s is no value of the graph", i, op);
            return nowhere(g);
        }
        if (in[i] == 0 && i < (size_t)row->in.min) { /* looks infer before the graph is checked */
            uc_graph_fail(g, UNCORK_MALFORMED, "%s: nothing is fed to required input %zu", op, i);
            return nowhere(g);
        }
    }
    uncork_status status = uc_budget_nodes(g->budget, 1, "the graph", g->error);
    if (status != UNCORK_OK) {
        g->status = status;
        return nowhere(g);
    }
    uc_node *nodes =
        uc_arena_grow(g->arena, g->nodes, &g->node_capacity, g->node_count + 1, sizeof *nodes);
    if (nodes) g->nodes = nodes;
    uc_node n = {.op = row, .where = g->where, .in_count = in_count, .out_count = out_count};
    n.in = UC_NEW(g->arena, uc_ref, in_count);
    n.out = UC_NEW(g->arena, uc_ref, out_count);
    if (!nodes || !n.in || !n.out) {
        fail_memory(g);
        return nowhere(g);
    }
    if (in_count) memcpy(n.in, in, in_count * sizeof *in);
    for (size_t i = 0; i < out_count; i++) {
        n.out[i] = add_value(g, UNCORK_DTYPE_NONE, -1, NULL);
        if (!n.out[i]) return nowhere(g);
        g->values[n.out[i]].producer = (int32_t)g->node_count;
    }
    nodes[g->node_count] = n;
    return &nodes[g->node_count++];
}

uc_ref uc_node_out(const uc_node *node, size_t i) { return i < node->out_count ? node->out[i] : 0; }

/* ---- attributes --------------------------------------------------------------------------- */

static void add_attr(uc_graph *g, uc_node *n, const char *name, uc_attr attr)
{
    if (g->status != UNCORK_OK) return;
    uc_attr *attrs =
        uc_arena_grow(g->arena, n->attrs, &n->attr_capacity, n->attr_count + 1, sizeof *attrs);
    attr.name = uc_arena_str(g->arena, name);
    if (!attrs || !attr.name) {
        fail_memory(g);
        return;
    }
    n->attrs = attrs;
    attrs[n->attr_count++] = attr;
}

static void *copy_array(uc_graph *g, const void *v, size_t count, size_t size)
{
    if (g->status != UNCORK_OK) return NULL;
    void *own = uc_arena_alloc(g->arena, count, size);
    if (!own) fail_memory(g);
    if (own && count) memcpy(own, v, count * size);
    return own;
}

void uc_node_int(uc_graph *g, uc_node *n, const char *name, int64_t v)
{
    add_attr(g, n, name, (uc_attr){.kind = UC_ATTR_INT, .i = v});
}

void uc_node_float(uc_graph *g, uc_node *n, const char *name, double v)
{
    add_attr(g, n, name, (uc_attr){.kind = UC_ATTR_FLOAT, .f = v});
}

void uc_node_str(uc_graph *g, uc_node *n, const char *name, const char *v)
{
    size_t size = strlen(v);
    uc_str own = {copy_array(g, v, size + 1, 1), size};
    add_attr(g, n, name, (uc_attr){.kind = UC_ATTR_STRING, .s = own});
}

void uc_node_ints(uc_graph *g, uc_node *n, const char *name, const int64_t *v, size_t count)
{
    const int64_t *own = copy_array(g, v, count, sizeof *v);
    add_attr(g, n, name, (uc_attr){.kind = UC_ATTR_INTS, .ints = own, .count = count});
}

void uc_node_floats(uc_graph *g, uc_node *n, const char *name, const double *v, size_t count)
{
    const double *own = copy_array(g, v, count, sizeof *v);
    add_attr(g, n, name, (uc_attr){.kind = UC_ATTR_FLOATS, .floats = own, .count = count});
}

void uc_node_strs(uc_graph *g, uc_node *n, const char *name, const uc_str *v, size_t count)
{
    uc_str *own = copy_array(g, v, count, sizeof *v);
    for (size_t i = 0; own && i < count; i++) {
        own[i].data = copy_array(g, v[i].data, v[i].size, 1);
    }
    add_attr(g, n, name, (uc_attr){.kind = UC_ATTR_STRINGS, .strings = own, .count = count});
}

void uc_node_tensor(uc_graph *g, uc_node *n, const char *name, const uc_tensor *v)
{
    if (!v && g->status == UNCORK_OK) fail_memory(g);
    add_attr(g, n, name, (uc_attr){.kind = UC_ATTR_TENSOR, .tensor = v});
}

void uc_node_graph(uc_graph *g, uc_node *n, const char *name, uc_graph *body)
{
    if (body && body->status != UNCORK_OK) g->status = body->status;
    add_attr(g, n, name, (uc_attr){.kind = UC_ATTR_GRAPH, .graph = body});
}
