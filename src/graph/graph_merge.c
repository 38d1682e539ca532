/* Equal nodes become one: a method that is asked for twice (labels and probabilities, a pair's vote
 * and its confidence) is computed once. Exact: the same operator on the same inputs with the same
 * attributes gives the same result; what is impure or holds graphs stays.
 *
 * Constants are compared by content. A node that lost its use is dropped by the shape pass. */
#include "graph/graph_infer.h"

#include "base/table.h"

typedef struct merge {
    uc_graph *g;
    uc_ref *to;      /* [value_count]: what a value became */
    uint32_t *slots; /* hashed, open addressing: index + 1 */
    size_t capacity;
} merge;

static uint64_t mix(uint64_t h, uint64_t v)
{
    uint64_t pair[2] = {h, v};
    return uc_hash(pair, sizeof pair);
}

/* Of large tensors only the ends are hashed; equality looks at all of them. */
static uint64_t hash_tensor(const uc_tensor *t)
{
    enum { END = 256 }; /* as little as tells constants apart: pages not read stay on disk */
    uint64_t h = mix((uint64_t)t->dtype, (uint64_t)t->rank);
    size_t size = 0;
    for (int i = 0; i < t->rank; i++)
        h = mix(h, (uint64_t)t->shape[i]);
    if (!t->data || !uc_tensor_is_dense(t) || !uc_shape_bytes(t->dtype, t->shape, t->rank, &size)) {
        return h;
    }
    const uint8_t *p = t->data;
    h = mix(h, uc_hash(p, size < END ? size : END));
    return size > END ? mix(h, uc_hash(p + size - END, END)) : h;
}

static bool same_tensor(const uc_tensor *a, const uc_tensor *b)
{
    size_t size;
    if (a == b) return true;
    if (!a || !b || a->dtype != b->dtype || a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++) {
        if (a->shape[i] != b->shape[i]) return false;
    }
    if (a->dtype == UNCORK_STRING) {
        return a->strings.offsets == b->strings.offsets && a->strings.bytes == b->strings.bytes;
    }
    bool dense = uc_tensor_is_dense(a) && uc_tensor_is_dense(b);
    if (!dense || !uc_shape_bytes(a->dtype, a->shape, a->rank, &size)) return false;
    return a->data == b->data || size == 0 || memcmp(a->data, b->data, size) == 0;
}

/* ---- nodes --------------------------------------------------------------------------------- */

static uint64_t hash_attr(uint64_t h, const uc_attr *a)
{
    h = mix(h, uc_hash(a->name, strlen(a->name)));
    uint64_t f;
    memcpy(&f, &a->f, sizeof f);
    h = mix(mix(mix(h, (uint64_t)a->kind), (uint64_t)a->i), f);
    return a->tensor ? mix(h, hash_tensor(a->tensor)) : mix(h, a->count);
}

static bool same_attr(const uc_attr *a, const uc_attr *b)
{
    if (strcmp(a->name, b->name) != 0 || a->kind != b->kind || a->count != b->count) return false;
    switch (a->kind) {
    case UC_ATTR_INT: return a->i == b->i;
    case UC_ATTR_FLOAT: return memcmp(&a->f, &b->f, sizeof a->f) == 0;
    case UC_ATTR_STRING: return uc_str_equal(a->s, b->s);
    case UC_ATTR_TENSOR: return same_tensor(a->tensor, b->tensor);
    case UC_ATTR_INTS:
        return a->count == 0 || memcmp(a->ints, b->ints, a->count * sizeof *a->ints) == 0;
    case UC_ATTR_FLOATS:
        return a->count == 0 || memcmp(a->floats, b->floats, a->count * sizeof *a->floats) == 0;
    case UC_ATTR_STRINGS:
        for (size_t i = 0; i < a->count; i++) {
            if (!uc_str_equal(a->strings[i], b->strings[i])) return false;
        }
        return true;
    case UC_ATTR_GRAPH: return false;
    }
    return false;
}

static uint64_t hash_node(const uc_node *n)
{
    uint64_t h = mix((uint64_t)(uintptr_t)n->op, n->in_count * 16 + n->out_count);
    for (size_t i = 0; i < n->in_count; i++)
        h = mix(h, (uint64_t)n->in[i]);
    for (size_t i = 0; i < n->attr_count; i++)
        h = hash_attr(h, &n->attrs[i]);
    return h;
}

static bool same_node(const uc_node *a, const uc_node *b)
{
    if (a->op != b->op || a->in_count != b->in_count || a->out_count != b->out_count ||
        a->attr_count != b->attr_count || a->layout != b->layout) {
        return false;
    }
    for (size_t i = 0; i < a->in_count; i++) {
        if (a->in[i] != b->in[i]) return false;
    }
    for (size_t i = 0; i < a->attr_count; i++) {
        if (!same_attr(&a->attrs[i], &b->attrs[i])) return false;
    }
    return true;
}

static bool is_mergeable(const uc_node *n)
{
    for (size_t i = 0; i < n->attr_count; i++) {
        if (n->attrs[i].kind == UC_ATTR_GRAPH) return false;
    }
    for (size_t i = 0; i < n->out_count; i++) {
        if (n->out[i] == 0) return false;
    }
    return !n->op->impure;
}

/* ---- the two rounds ------------------------------------------------------------------------ */

/* Those that something reads: what an earlier merge left behind isn't compared again. */
static void mark_read(const uc_graph *g, bool *read)
{
    for (size_t n = 0; n < g->node_count; n++) {
        for (size_t i = 0; i < g->nodes[n].in_count; i++)
            read[g->nodes[n].in[i]] = true;
    }
    for (size_t i = 0; i < g->output_count; i++)
        read[g->outputs[i]] = true;
}

static void merge_constants(merge *m, const bool *read)
{
    const uc_graph *g = m->g;
    memset(m->slots, 0, m->capacity * sizeof *m->slots);
    for (size_t v = 1; v < g->value_count; v++) {
        const uc_tensor *t = g->values[v].constant;
        if (!t || !read[v]) continue;
        size_t at = hash_tensor(t) & (m->capacity - 1);
        while (m->slots[at] && !same_tensor(g->values[m->slots[at] - 1].constant, t)) {
            at = (at + 1) & (m->capacity - 1);
        }
        if (m->slots[at]) {
            m->to[v] = (uc_ref)(m->slots[at] - 1);
        } else {
            m->slots[at] = (uint32_t)v + 1;
        }
    }
}

static void merge_nodes(merge *m)
{
    uc_graph *g = m->g;
    memset(m->slots, 0, m->capacity * sizeof *m->slots);
    for (size_t i = 0; i < g->node_count; i++) {
        uc_node *n = &g->nodes[i];
        for (size_t k = 0; k < n->in_count; k++)
            n->in[k] = m->to[n->in[k]];
        if (!is_mergeable(n)) continue;
        size_t at = hash_node(n) & (m->capacity - 1);
        while (m->slots[at] && !same_node(&g->nodes[m->slots[at] - 1], n))
            at = (at + 1) & (m->capacity - 1);
        if (!m->slots[at]) {
            m->slots[at] = (uint32_t)i + 1;
            continue;
        }
        const uc_node *first = &g->nodes[m->slots[at] - 1];
        for (size_t k = 0; k < n->out_count; k++)
            m->to[n->out[k]] = first->out[k];
    }
}

uncork_status uc_graph_merge(uc_graph *g, uc_arena *scratch)
{
    size_t most = g->value_count > g->node_count ? g->value_count : g->node_count;
    merge m = {.g = g, .capacity = 16};
    while (m.capacity < 2 * most)
        m.capacity *= 2;
    m.to = UC_NEW(scratch, uc_ref, g->value_count);
    m.slots = UC_NEW(scratch, uint32_t, m.capacity);
    bool *read = UC_NEW(scratch, bool, g->value_count);
    if (!m.to || !m.slots || !read) return uc_arena_status(scratch, g->error);
    for (size_t v = 0; v < g->value_count; v++)
        m.to[v] = (uc_ref)v;
    mark_read(g, read);
    merge_constants(&m, read);
    merge_nodes(&m);
    for (size_t i = 0; i < g->output_count; i++)
        g->outputs[i] = m.to[g->outputs[i]];
    return UNCORK_OK;
}
