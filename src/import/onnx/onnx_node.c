/* One node of the file becomes a node of the graph: names to values, attributes to attributes,
 * bodies to graphs with their captures, then the upgrades. */
#include "base/limits.h"
#include "import/onnx/onnx_build.h"

static int shown(uc_str s) { return s.size < 60 ? (int)s.size : 60; }

/* ---- names -------------------------------------------------------------------------------- */

bool uc_onnx_bind(uc_onnx_build *b, uc_onnx_scope *scope, uc_str name, uc_ref ref)
{
    uc_onnx_name *entry = UC_NEW(b->arena, uc_onnx_name, 1);
    if (!entry || !uc_table_put(scope->names, name, entry)) {
        uc_graph_fail(scope->graph, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    entry->ref = ref;
    return true;
}

uc_ref uc_onnx_lookup(uc_onnx_build *b, uc_onnx_scope *scope, uc_str name)
{
    uc_graph *g = scope->graph;
    uc_onnx_name *entry = uc_table_find(scope->names, name);
    (void)b;
    if (g->status != UNCORK_OK) return 0;
    if (!entry) {
        return uc_graph_fail(g, UNCORK_MALFORMED, "nothing in the graph is called '%.*s'",
                             shown(name), name.data);
    }
    if (entry->tensor || entry->sparse) {
        const uc_tensor *t = entry->tensor ? uc_onnx_tensor_make(g, entry->tensor, name)
                                           : uc_onnx_sparse_make(g, entry->sparse, name);
        entry->tensor = NULL;
        entry->sparse = NULL;
        if (t) entry->ref = uc_graph_const(g, t);
        if (entry->ref) g->values[entry->ref].name = uc_onnx_text(g->arena, name);
    }
    return entry->ref;
}

const uc_onnx_attr *uc_onnx_resolve(const uc_onnx_attr *attr, uc_onnx_scope **scope)
{
    while (attr && attr->reference.size) {
        const uc_onnx_env *env = (*scope)->env;
        const uc_onnx_attr *found = NULL;
        if (!env->function) return NULL;
        for (size_t i = 0; i < env->call->attrs.count && !found; i++) {
            if (uc_str_equal(env->call->attrs.items[i].name, attr->reference)) {
                found = &env->call->attrs.items[i];
                *scope = env->caller;
            }
        }
        for (size_t i = 0; i < env->function->defaults.count && !found; i++) {
            if (uc_str_equal(env->function->defaults.items[i].name, attr->reference))
                return &env->function->defaults.items[i];
        }
        attr = found;
    }
    return attr;
}

/* ---- attributes --------------------------------------------------------------------------- */

static uc_str *copy_strings(uc_graph *g, const uc_onnx_strs *from)
{
    uc_str *to = UC_NEW(g->arena, uc_str, from->count);
    for (size_t i = 0; to && i < from->count; i++) {
        to[i].size = from->items[i].size;
        to[i].data = uc_arena_copy(g->arena, from->items[i].data, from->items[i].size);
    }
    return to;
}

static void type_attr(uc_graph *g, const uc_onnx_type *type, uc_attr *to)
{
    uc_writer text;
    uc_writer_init(&text, 4096);
    if (type) uc_onnx_type_text(type, &text);
    to->kind = UC_ATTR_STRING;
    to->s.data = uc_arena_str(g->arena, uc_writer_string(&text));
    to->s.size = to->s.data ? strlen(to->s.data) : 0;
    uc_writer_done(&text);
}

/* All but bodies; false (and a failure) for what no operator takes. */
static bool convert_attr(uc_graph *g, const uc_onnx_attr *from, uc_attr *to)
{
    switch ((int)from->type) {
    case UC_ONNX_FLOAT:
        to->kind = UC_ATTR_FLOAT;
        to->f = from->f;
        return true;
    case UC_ONNX_INT:
        to->kind = UC_ATTR_INT;
        to->i = from->i;
        return true;
    case UC_ONNX_STRING:
        to->kind = UC_ATTR_STRING;
        to->s.data = uc_arena_copy(g->arena, from->s.data, from->s.size);
        to->s.size = from->s.size;
        return to->s.data != NULL;
    case UC_ONNX_TENSOR:
        to->kind = UC_ATTR_TENSOR;
        to->tensor = from->tensor ? uc_onnx_tensor_make(g, from->tensor, from->name) : NULL;
        break;
    case UC_ONNX_SPARSE_TENSOR:
        to->kind = UC_ATTR_TENSOR;
        to->tensor = from->sparse ? uc_onnx_sparse_make(g, from->sparse, from->name) : NULL;
        break;
    case UC_ONNX_FLOATS:
        to->kind = UC_ATTR_FLOATS;
        to->floats = from->floats;
        to->count = from->float_count;
        return true;
    case UC_ONNX_INTS:
        to->kind = UC_ATTR_INTS;
        to->ints = from->ints;
        to->count = from->int_count;
        return true;
    case UC_ONNX_STRINGS:
        to->kind = UC_ATTR_STRINGS;
        to->strings = copy_strings(g, &from->strings);
        to->count = from->strings.count;
        return to->strings != NULL;
    case UC_ONNX_TYPE_PROTO: type_attr(g, from->type_proto, to); return to->s.data != NULL;
    default: break;
    }
    if (to->tensor) return true;
    uc_graph_fail(g, UNCORK_UNSUPPORTED, "attribute '%.*s' is of type %d, which isn't taken",
                  shown(from->name), from->name.data ? from->name.data : "", (int)from->type);
    return false;
}

/* ---- bodies ------------------------------------------------------------------------------- */

typedef struct captures {
    uc_table *known;
    uc_str *names;
    size_t count, capacity;
} captures;

/* Names that the bodies of the node use from here, those of constants left out: a body gets
 * constants itself, so that its operators can prepare them. */
static void collect_captures(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_graph *body,
                             captures *list)
{
    for (size_t i = 0; i < body->free.count; i++) {
        const uc_str name = body->free.items[i];
        const uc_ref ref = uc_onnx_lookup(b, scope, name);
        if (scope->graph->status != UNCORK_OK) return;
        if (!ref || scope->graph->values[ref].constant || uc_table_find(list->known, name))
            continue;
        uc_str *names =
            uc_arena_grow(b->arena, list->names, &list->capacity, list->count + 1, sizeof *names);
        if (!names || !uc_table_put(list->known, name, names)) return;
        list->names = names;
        names[list->count++] = name;
    }
}

/* The attributes that are graphs; one list of captures for all of them. */
static void add_bodies(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node,
                       uc_onnx_draft *d)
{
    captures list = {.known = uc_table_new(b->arena)};
    bool any = false;
    for (size_t i = 0; i < node->attrs.count; i++) {
        uc_onnx_scope *from = scope;
        const uc_onnx_attr *a = uc_onnx_resolve(&node->attrs.items[i], &from);
        if (!a || a->type != UC_ONNX_GRAPH) continue;
        if (!list.known) return;
        if (!a->graph || from != scope) {
            uc_graph_fail(d->graph, UNCORK_UNSUPPORTED,
                          "a body handed to a function as an attribute isn't taken");
            return;
        }
        any = true;
        collect_captures(b, scope, a->graph, &list);
    }
    if (!any || d->graph->status != UNCORK_OK) return;
    for (size_t i = 0; i < d->attr_count; i++) {
        uc_attr *to = &d->attrs[i];
        if (to->kind != UC_ATTR_GRAPH) continue;
        for (size_t k = 0; k < node->attrs.count && !to->graph; k++) {
            const uc_onnx_attr *a = &node->attrs.items[k];
            if (a->graph && uc_str_is(a->name, to->name))
                to->graph = uc_onnx_body(b, scope, a->graph, list.names, list.count);
        }
        if (!to->graph) return;
    }
    for (size_t i = 0; i < list.count; i++)
        uc_draft_set_in(d, d->in_count, uc_onnx_lookup(b, scope, list.names[i]));
    uc_draft_put_int(d, "captures", (int64_t)list.count);
}

/* ---- the draft ---------------------------------------------------------------------------- */

/* A number of an uncork operator is float64: a tensor called "float64" stands for it. */
static void widen_attr(const uc_onnx_attr *from, uc_attr *to)
{
    const uc_tensor *t = to->kind == UC_ATTR_TENSOR ? to->tensor : NULL;
    if (!t || t->dtype != UNCORK_FLOAT64 || t->rank > 1 || !from->tensor ||
        !uc_str_is(from->tensor->name, "float64")) {
        return;
    }
    to->kind = t->rank ? UC_ATTR_FLOATS : UC_ATTR_FLOAT;
    to->floats = t->data;
    to->count = (size_t)uc_tensor_count(t);
    to->f = t->rank ? 0 : *(const double *)t->data;
    to->tensor = NULL;
}

/* Sixteen hexadecimal digits: the bits of a double. */
static bool read_bits(uc_str text, double *v)
{
    uint64_t bits = 0;
    if (text.size != 16) return false;
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return false;
        bits = bits << 4 | (uint64_t)digit;
    }
    memcpy(v, &bits, sizeof bits);
    return true;
}

/* A number of an ONNX operator that float32 doesn't hold stands in an artifact's node as metadata too, as
 * "uncork.NAME". What doesn't round to the attribute is no notice. */
static void exact_attr(const uc_onnx_node *node, uc_attr *to)
{
    for (size_t i = 0; to->kind == UC_ATTR_FLOAT && i < node->metadata.count; i++) {
        const uc_str key = node->metadata.items[i].key;
        double exact;
        if (key.size < 8 || memcmp(key.data, "uncork.", 7) != 0 ||
            !uc_str_is((uc_str){key.data + 7, key.size - 7}, to->name)) {
            continue;
        }
        if (read_bits(node->metadata.items[i].value, &exact) && (double)(float)exact == to->f)
            to->f = exact;
    }
}

static bool fill_attrs(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node,
                       uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    (void)b;
    d->attrs = UC_NEW(g->arena, uc_attr, node->attrs.count);
    for (size_t i = 0; d->attrs && i < node->attrs.count; i++) {
        uc_onnx_scope *from = scope;
        const uc_onnx_attr *a = uc_onnx_resolve(&node->attrs.items[i], &from);
        if (!a) continue; /* the caller left it out: the operator's default */
        uc_attr *to = &d->attrs[d->attr_count];
        to->name =
            uc_arena_copy(g->arena, node->attrs.items[i].name.data, node->attrs.items[i].name.size);
        if (!to->name) return false;
        if (a->type == UC_ONNX_GRAPH) {
            to->kind = UC_ATTR_GRAPH;
        } else if (!convert_attr(g, a, to)) {
            return false;
        }
        if (strcmp(d->domain, "uncork") == 0) widen_attr(a, to);
        exact_attr(node, to);
        d->attr_count++;
    }
    return d->attrs != NULL;
}

static bool fill_ends(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node,
                      uc_onnx_draft *d)
{
    size_t ins = node->inputs.count, outs = node->outputs.count;
    while (ins > 0 && node->inputs.items[ins - 1].size == 0)
        ins--;
    while (outs > 1 && node->outputs.items[outs - 1].size == 0)
        outs--;
    bool *wanted = UC_NEW(d->graph->arena, bool, outs);
    d->in = UC_NEW(d->graph->arena, uc_ref, ins);
    if (!wanted || !d->in) return false;
    for (size_t i = 0; i < ins; i++) {
        const uc_str name = node->inputs.items[i];
        d->in[i] = name.size ? uc_onnx_lookup(b, scope, name) : 0;
    }
    for (size_t i = 0; i < outs; i++)
        wanted[i] = node->outputs.items[i].size > 0;
    d->in_count = ins;
    d->out_count = outs;
    d->wanted = wanted;
    return d->graph->status == UNCORK_OK;
}

static void bind_outputs(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node,
                         const uc_onnx_draft *d)
{
    uc_graph *g = scope->graph;
    for (size_t i = 0; i < d->out_count && g->status == UNCORK_OK; i++) {
        const uc_str name = node->outputs.items[i];
        if (!name.size) continue;
        const uc_ref ref = uc_draft_out(d, i);
        if (!ref) {
            uc_graph_fail(g, UNCORK_UNSUPPORTED, "output %zu isn't given by this operator", i);
            return;
        }
        if (!g->values[ref].name) g->values[ref].name = uc_onnx_text(g->arena, name);
        uc_onnx_bind(b, scope, name, ref);
    }
}

/* ---- Constant ----------------------------------------------------------------------------- */

static const uc_tensor *constant_tensor(uc_graph *g, const uc_onnx_attr *a)
{
    const int64_t one = 1, ints = (int64_t)a->int_count, floats = (int64_t)a->float_count,
                  strings = (int64_t)a->strings.count;
    uc_tensor *t;
    switch ((int)a->type) {
    case UC_ONNX_TENSOR: return a->tensor ? uc_onnx_tensor_make(g, a->tensor, a->name) : NULL;
    case UC_ONNX_SPARSE_TENSOR:
        return a->sparse ? uc_onnx_sparse_make(g, a->sparse, a->name) : NULL;
    case UC_ONNX_INT: t = uc_tensor_i64(g->arena, &a->i, one); break;
    case UC_ONNX_INTS: return uc_tensor_i64(g->arena, a->ints, ints);
    case UC_ONNX_STRING: t = uc_tensor_strings(g->arena, &a->s, 0, NULL); break;
    case UC_ONNX_STRINGS: return uc_tensor_strings(g->arena, a->strings.items, 1, &strings);
    case UC_ONNX_FLOAT:
        t = uc_tensor_new(g->arena, UNCORK_FLOAT32, 0, NULL);
        if (t) *(float *)t->data = (float)a->f;
        break;
    case UC_ONNX_FLOATS:
        t = uc_tensor_new(g->arena, UNCORK_FLOAT32, 1, &floats);
        for (int64_t i = 0; t && i < floats; i++)
            ((float *)t->data)[i] = (float)a->floats[i];
        return t;
    default: return NULL;
    }
    if (t) uc_tensor_set(t, t->dtype, 0, NULL);
    return t;
}

static void add_constant(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node)
{
    uc_graph *g = scope->graph;
    const uc_onnx_attr *value = NULL;
    size_t count = 0;
    for (size_t i = 0; i < node->attrs.count; i++) {
        uc_onnx_scope *from = scope;
        const uc_onnx_attr *a = uc_onnx_resolve(&node->attrs.items[i], &from);
        const uc_str name = node->attrs.items[i].name;
        if (!a || name.size < 5) continue;
        const bool sparse = uc_str_is(name, "sparse_value");
        if (!sparse && memcmp(name.data, "value", 5) != 0) continue;
        value = a;
        count++;
    }
    if (count != 1 || node->outputs.count != 1 || node->inputs.count != 0) {
        uc_graph_fail(g, UNCORK_MALFORMED,
                      "Constant with %zu values, %zu inputs and %zu outputs: it has one value and "
                      "one output",
                      count, node->inputs.count, node->outputs.count);
        return;
    }
    const uc_tensor *t = constant_tensor(g, value);
    if (!t && g->status == UNCORK_OK) {
        uc_graph_fail(g, UNCORK_MALFORMED,
                      "the value of Constant is missing or of attribute type %d, which isn't taken",
                      (int)value->type);
        return;
    }
    const uc_ref ref = t ? uc_graph_const(g, t) : 0;
    if (!ref) return;
    g->values[ref].name = uc_onnx_text(g->arena, node->outputs.items[0]);
    if (node->outputs.items[0].size) uc_onnx_bind(b, scope, node->outputs.items[0], ref);
}

/* ---- nodes -------------------------------------------------------------------------------- */

/* "node 'conv1'", and through which functions it came. */
static const char *where_of(uc_onnx_build *b, const uc_onnx_scope *scope, const uc_onnx_node *node)
{
    const uc_onnx_env *env = scope->env;
    const uc_str name = node->name.size           ? node->name
                        : node->outputs.count > 0 ? node->outputs.items[0]
                                                  : node->op;
    const char *text = uc_onnx_text(b->arena, (uc_str){name.data, (size_t)shown(name)});
    const char *inside = env->function
                             ? uc_onnx_text(b->arena, (uc_str){env->function->name.data,
                                                               (size_t)shown(env->function->name)})
                             : NULL;
    if (inside) return uc_arena_printf(b->arena, "node '%s' of function %s", text, inside);
    return uc_arena_printf(b->arena, "node '%s'", text);
}

static bool domain_is_main(uc_str domain) { return domain.size == 0; }

void uc_onnx_add_node(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node)
{
    uc_graph *g = scope->graph;
    const char *outside = g->where;
    if (g->status != UNCORK_OK) return;
    if (scope->env->function && ++b->expanded > UC_LIMIT_ONNX_EXPANDED) {
        uc_graph_fail(g, UNCORK_LIMIT, "the model's functions expand to more than %zu nodes",
                      UC_LIMIT_ONNX_EXPANDED);
        return;
    }
    g->where = where_of(b, scope, node);
    const uc_onnx_function *function = uc_onnx_find_function(b, node);
    if (function) {
        uc_onnx_call_function(b, scope, node, function);
    } else if (domain_is_main(node->domain) && uc_str_is(node->op, "Constant")) {
        add_constant(b, scope, node);
    } else if (uc_onnx_is_gradient(node)) {
        uc_onnx_add_gradient(b, scope, node);
    } else if (uc_onnx_is_flex_attention(node)) {
        uc_onnx_add_flex_attention(b, scope, node);
    } else {
        uc_onnx_draft d = {.graph = g, .build = b};
        d.domain = uc_arena_copy(g->arena, node->domain.data, node->domain.size);
        d.op = uc_arena_copy(g->arena, node->op.data, node->op.size);
        d.version = uc_onnx_version(b, scope, node->domain);
        if (d.version && d.domain && d.op && fill_ends(b, scope, node, &d) &&
            fill_attrs(b, scope, node, &d)) {
            add_bodies(b, scope, node, &d);
            uc_draft_add(&d);
            bind_outputs(b, scope, node, &d);
        }
    }
    if (g->status == UNCORK_OK) g->status = uc_arena_status(g->arena, g->error);
    if (g->status == UNCORK_OK) g->where = outside;
}
