/* The table of upgrades, the loop over it, and what steps do with a draft. */
#include "import/onnx/onnx_build.h"
#include "import/onnx/onnx_upgrade_steps.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct row {
    const char *domain, *op;
    int64_t version;
    uc_onnx_step step;
} row;

static const row rows[] = {
#define UPGRADE(domain, op, version, step) {domain, op, version, uc_onnx_upgrade_##step},
#include "import/onnx/onnx_upgrade_table.def"
#undef UPGRADE
    {NULL, NULL, 0, NULL},
};

/* Steps that one node may take: a table that goes in circles ends. */
#define STEPS 64

static const row *next_row(const uc_onnx_draft *d)
{
    for (const row *r = rows; r->op; r++) {
        if (d->version < r->version && strcmp(r->op, d->op) == 0 &&
            strcmp(r->domain, d->domain) == 0) {
            return r;
        }
    }
    return NULL;
}

bool uc_onnx_knows(const char *domain, const char *op)
{
    if (uc_op_find(domain, op)) return true;
    for (const row *r = rows; r->op; r++) {
        if (strcmp(r->op, op) == 0 && strcmp(r->domain, domain) == 0) return true;
    }
    return false;
}

/* ---- whole nodes -------------------------------------------------------------------------- */

static uc_ref *copy_refs(uc_graph *g, const uc_ref *from, size_t count)
{
    uc_ref *to = UC_NEW(g->arena, uc_ref, count + 1);
    if (to && from && count) memcpy(to, from, count * sizeof *to);
    if (!to) uc_graph_const(g, NULL);
    return to;
}

uc_onnx_draft uc_draft_copy(const uc_onnx_draft *d)
{
    uc_onnx_draft copy = *d;
    copy.in = copy_refs(d->graph, d->in, d->in_count);
    copy.out = NULL;
    copy.done = false;
    copy.attrs = UC_NEW(d->graph->arena, uc_attr, d->attr_count);
    if (!copy.in || !copy.attrs) {
        copy.in_count = copy.attr_count = 0;
        uc_graph_const(d->graph, NULL);
    } else if (d->attr_count) {
        memcpy(copy.attrs, d->attrs, d->attr_count * sizeof *d->attrs);
    }
    return copy;
}

uc_onnx_draft uc_draft_new(const uc_onnx_draft *like, const char *op, int64_t version,
                           const uc_ref *in, size_t in_count, size_t out_count)
{
    uc_onnx_draft d = {.graph = like->graph,
                       .build = like->build,
                       .domain = like->domain,
                       .op = op,
                       .version = version,
                       .in = copy_refs(like->graph, in, in_count),
                       .in_count = in_count};
    bool *wanted = UC_NEW(like->graph->arena, bool, out_count);
    for (size_t i = 0; wanted && i < out_count; i++)
        wanted[i] = true;
    if (!d.in || !wanted) {
        uc_graph_const(like->graph, NULL);
        d.in_count = 0;
        return d;
    }
    d.wanted = wanted;
    d.out_count = out_count;
    return d;
}

static void add_row(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    if (!uc_op_find(d->domain, d->op)) {
        uc_graph_fail(g, UNCORK_UNSUPPORTED, "operator %s%s%s isn't known", d->domain,
                      *d->domain ? "." : "", d->op);
        return;
    }
    const char *name = *d->domain ? uc_arena_printf(g->arena, "%s.%s", d->domain, d->op) : d->op;
    if (!name) return;
    while (d->in_count > 0 && d->in[d->in_count - 1] == 0)
        d->in_count--;
    uc_node *n = uc_graph_node(g, name, d->in, d->in_count, d->out_count);
    if (g->status != UNCORK_OK) return;
    n->attrs = d->attrs;
    n->attr_count = n->attr_capacity = d->attr_count;
    for (size_t i = 0; i < d->out_count; i++)
        uc_draft_give(d, i, uc_node_out(n, i));
}

void uc_draft_add(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    for (int taken = 0; g->status == UNCORK_OK && !d->done; taken++) {
        const row *r = next_row(d);
        if (!r) {
            add_row(d);
            return;
        }
        if (taken > STEPS) {
            uc_draft_fail(d, UNCORK_UNSUPPORTED, "%s of opset %d can't be made a newer one", d->op,
                          (int)d->version);
            return;
        }
        const char *op = d->op, *domain = d->domain;
        r->step(d);
        /* A renamed draft says itself which version it is of. */
        if (!d->done && d->op == op && d->domain == domain && d->version < r->version)
            d->version = r->version;
    }
}

void uc_draft_give(uc_onnx_draft *d, size_t i, uc_ref value)
{
    if (!d->out) d->out = copy_refs(d->graph, NULL, d->out_count);
    if (d->out && i < d->out_count) d->out[i] = value;
    d->done = true;
}

void uc_draft_fail(uc_onnx_draft *d, uncork_status status, const char *format, ...)
{
    char text[224];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uc_graph_fail(d->graph, status, "%s", text);
}

/* ---- inputs and outputs ------------------------------------------------------------------- */

uc_ref uc_draft_in(const uc_onnx_draft *d, size_t i) { return i < d->in_count ? d->in[i] : 0; }

void uc_draft_set_in(uc_onnx_draft *d, size_t i, uc_ref value)
{
    if (i >= d->in_count) {
        uc_ref *in = UC_NEW(d->graph->arena, uc_ref, i + 1);
        if (!in) {
            uc_graph_const(d->graph, NULL);
            return;
        }
        if (d->in_count) memcpy(in, d->in, d->in_count * sizeof *in);
        d->in = in;
        d->in_count = i + 1;
    }
    d->in[i] = value;
}

void uc_draft_drop_in(uc_onnx_draft *d, size_t i)
{
    if (i >= d->in_count) return;
    for (; i + 1 < d->in_count; i++)
        d->in[i] = d->in[i + 1];
    d->in_count--;
}

bool uc_draft_wants(const uc_onnx_draft *d, size_t i)
{
    return i < d->out_count && d->wanted && d->wanted[i];
}

uc_ref uc_draft_out(const uc_onnx_draft *d, size_t i)
{
    return d->out && i < d->out_count ? d->out[i] : 0;
}

void uc_draft_keep_out(uc_onnx_draft *d, size_t count)
{
    if (count < d->out_count) d->out_count = count;
}

/* ---- attributes --------------------------------------------------------------------------- */

const uc_attr *uc_draft_attr(const uc_onnx_draft *d, const char *name)
{
    return uc_attr_find(d->attrs, d->attr_count, name);
}

int64_t uc_draft_int(const uc_onnx_draft *d, const char *name, int64_t otherwise)
{
    return uc_attr_int(uc_draft_attr(d, name), otherwise);
}

double uc_draft_float(const uc_onnx_draft *d, const char *name, double otherwise)
{
    return uc_attr_float(uc_draft_attr(d, name), otherwise);
}

uc_str uc_draft_str(const uc_onnx_draft *d, const char *name, const char *otherwise)
{
    return uc_attr_str(uc_draft_attr(d, name), otherwise);
}

const int64_t *uc_draft_ints(const uc_onnx_draft *d, const char *name, size_t *count)
{
    return uc_attr_ints(uc_draft_attr(d, name), count);
}

/* Where it stands; attr_count when there is none. */
static size_t find_attr(const uc_onnx_draft *d, const char *name)
{
    const uc_attr *a = uc_draft_attr(d, name);
    return a ? (size_t)(a - d->attrs) : d->attr_count;
}

static void put(uc_onnx_draft *d, const char *name, uc_attr attr)
{
    const size_t i = find_attr(d, name);
    if (i == d->attr_count) {
        uc_attr *attrs = UC_NEW(d->graph->arena, uc_attr, d->attr_count + 1);
        if (!attrs) {
            uc_graph_const(d->graph, NULL);
            return;
        }
        if (d->attr_count) memcpy(attrs, d->attrs, d->attr_count * sizeof *attrs);
        d->attrs = attrs;
        d->attr_count++;
    }
    attr.name = uc_arena_str(d->graph->arena, name);
    d->attrs[i] = attr;
    if (!attr.name) {
        d->attrs[i].name = "";
        uc_graph_const(d->graph, NULL);
    }
}

void uc_draft_put_int(uc_onnx_draft *d, const char *name, int64_t v)
{
    put(d, name, (uc_attr){.kind = UC_ATTR_INT, .i = v});
}

void uc_draft_put_float(uc_onnx_draft *d, const char *name, double v)
{
    put(d, name, (uc_attr){.kind = UC_ATTR_FLOAT, .f = v});
}

void uc_draft_put_str(uc_onnx_draft *d, const char *name, const char *v)
{
    const char *own = uc_arena_str(d->graph->arena, v);
    put(d, name, (uc_attr){.kind = UC_ATTR_STRING, .s = uc_str_of(own)});
}

void uc_draft_put_ints(uc_onnx_draft *d, const char *name, const int64_t *v, size_t count)
{
    int64_t *own = UC_NEW(d->graph->arena, int64_t, count);
    if (own && count) memcpy(own, v, count * sizeof *v);
    if (!own) {
        uc_graph_const(d->graph, NULL);
        return;
    }
    put(d, name, (uc_attr){.kind = UC_ATTR_INTS, .ints = own, .count = count});
}

void uc_draft_drop(uc_onnx_draft *d, const char *name)
{
    size_t i = find_attr(d, name);
    if (i == d->attr_count) return;
    for (; i + 1 < d->attr_count; i++)
        d->attrs[i] = d->attrs[i + 1];
    d->attr_count--;
}

void uc_draft_rename(uc_onnx_draft *d, const char *name, const char *to)
{
    const size_t i = find_attr(d, name);
    if (i < d->attr_count) d->attrs[i].name = to;
}

/* A constant of the attribute's numbers, cast to what was asked. */
static uc_ref attr_constant(uc_graph *g, const uc_attr *a, uncork_dtype dtype)
{
    const double *v = a->kind == UC_ATTR_FLOATS ? a->floats : &a->f;
    switch ((int)a->kind) {
    case UC_ATTR_INT: return uc_graph_i64(g, a->i);
    case UC_ATTR_INTS: return uc_graph_i64s(g, a->ints, (int64_t)a->count);
    case UC_ATTR_TENSOR: return uc_graph_const(g, a->tensor);
    case UC_ATTR_FLOAT:
    case UC_ATTR_FLOATS: {
        const int64_t count = a->kind == UC_ATTR_FLOATS ? (int64_t)a->count : 1;
        uc_tensor *t = uc_tensor_f64(g->arena, v, count);
        if (t) t = uc_tensor_cast(g->arena, t, uc_dtype_is_float(dtype) ? dtype : UNCORK_FLOAT32);
        if (t && a->kind == UC_ATTR_FLOAT) uc_tensor_set(t, t->dtype, 0, NULL);
        return uc_graph_const(g, t);
    }
    default: return 0;
    }
}

void uc_draft_to_input(uc_onnx_draft *d, const char *name, size_t i, uncork_dtype dtype)
{
    const uc_attr *a = uc_draft_attr(d, name);
    if (!a) return;
    const uc_ref ref = attr_constant(d->graph, a, dtype);
    if (!ref) {
        uc_draft_fail(d, UNCORK_MALFORMED, "attribute '%s' of %s holds no numbers", name, d->op);
        return;
    }
    uc_draft_set_in(d, i, ref);
    uc_draft_drop(d, name);
}

/* ---- what is known of the inputs ---------------------------------------------------------- */

static uc_onnx_peek *peek_of(uc_onnx_build *b, uc_graph *g)
{
    for (uc_onnx_peek *p = b->peeks; p; p = p->next) {
        if (p->graph == g) return p;
    }
    if (!b->peek_arena) b->peek_arena = uc_arena_new(b->budget);
    if (!b->peek_scratch) b->peek_scratch = uc_arena_new(b->budget);
    uc_onnx_peek *p = b->peek_arena ? UC_NEW(b->peek_arena, uc_onnx_peek, 1) : NULL;
    if (!p || !b->peek_scratch) return NULL;
    p->graph = g;
    uc_look_open(&p->look, g, b->budget, b->peek_arena, b->peek_scratch);
    p->next = b->peeks;
    b->peeks = p;
    return p;
}

/* The value of an input as inference sees it; NULL when memory is out. */
static const uc_value *see(uc_onnx_draft *d, size_t i)
{
    uc_onnx_peek *p = peek_of(d->build, d->graph);
    return p ? uc_look_at(&p->look, uc_draft_in(d, i)) : NULL;
}

uncork_dtype uc_draft_dtype(uc_onnx_draft *d, size_t i)
{
    const uc_value *v = see(d, i);
    return v ? v->tensor.dtype : UNCORK_DTYPE_NONE;
}

int uc_draft_shape(uc_onnx_draft *d, size_t i, int64_t *shape)
{
    const uc_value *v = see(d, i);
    if (!v || v->kind != UC_TENSOR || !v->tensor.dtype) return -1;
    for (int k = 0; shape && k < v->tensor.rank; k++)
        shape[k] = v->tensor.shape[k];
    return v->tensor.rank;
}

const uc_tensor *uc_draft_known(uc_onnx_draft *d, size_t i)
{
    const uc_value *v = see(d, i);
    return v && uc_value_is_known(v) ? &v->tensor : NULL;
}
