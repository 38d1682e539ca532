/* Loops that count: a variable goes from a known start by 1 while it is less than what no iteration changes.
 * Then the number of iterations is known before the first, and what they give has a known length. */
#include "import/tensorflow/tf_loop.h"

static const uc_node *maker(const uc_graph *g, uc_ref ref)
{
    const int32_t producer = ref ? g->values[ref].producer : -1;
    return producer < 0 ? NULL : &g->nodes[producer];
}

static bool is(const uc_node *n, const char *op)
{
    return n && !n->op->domain && strcmp(n->op->name, op) == 0;
}

static uc_ref plain_number(const uc_graph *g, uc_ref ref)
{
    for (int i = 0; i < 16; i++) {
        const uc_node *n = maker(g, ref);
        if (!is(n, "Cast") && !is(n, "Identity") && !is(n, "Reshape")) break;
        ref = n->in[0];
    }
    return ref;
}

bool uc_tf_same_number(const uc_graph *g, uc_ref a, uc_ref b)
{
    return !g->status && plain_number(g, a) == plain_number(g, b);
}

/* Variable i grows by 1 with each iteration. */
static bool grows_by_one(uc_tf_loop *l, size_t i)
{
    uc_tf_build *b = l->region.inner;
    int64_t by = 0;
    if (l->fixed[i] || l->source->init[i].kind != UC_TF_TENSOR || !l->formal[i]) return false;
    const uc_ref next = l->next[i] ? l->next[i] : uc_tf_plain(b, &l->out[i]);
    const uc_node *n = maker(b->graph, next);
    if (!is(n, "Add") || n->in_count != 2) return false;
    const int place = n->in[0] == l->formal[i] ? 0 : 1;
    const uc_ref other = n->in[1 - place];
    if (n->in[place] != l->formal[i]) return false;
    if (b->graph->values[l->formal[i]].rank != 0) return false;
    return uc_tf_known_ref(b, other, &by) && by == 1;
}

bool uc_tf_loop_counts(uc_tf_loop *l, size_t i)
{
    int64_t start = -1;
    return grows_by_one(l, i) && uc_tf_known_ref(l->region.outer, l->begin[i], &start) &&
           start == 0;
}

/* A limit of counter `from` as a number of iterations, in the graph around; 0: it is none. */
static uc_ref iterations(uc_tf_loop *l, uc_ref counter, uc_ref limit)
{
    uc_graph *g = l->region.outer->graph;
    uc_tf_build *inner = l->region.inner;
    int64_t start, end;
    size_t i = 0;
    while (i < l->count && (!l->next[i] || l->next[i] != counter || !grows_by_one(l, i))) {
        i++;
    }
    if (i == l->count || !uc_tf_known_ref(l->region.outer, l->begin[i], &start)) return 0;
    if (uc_tf_known_ref(inner, limit, &end)) {
        return uc_graph_i64(g, end > start ? end - start : 0);
    }
    const uc_ref given = uc_tf_region_given(&l->region, limit);
    const uc_value *known = given ? uc_look_at(&l->region.outer->look, given) : NULL;
    if (!known || known->kind != UC_TENSOR || known->tensor.rank != 0) return 0;
    uc_ref n = given;
    if (known->tensor.dtype != UNCORK_INT64) n = uc_g_cast(g, given, UNCORK_INT64);
    return start ? uc_g2(g, "Sub", n, uc_graph_i64(g, start)) : n;
}

enum { MAX_LIMITS = 4 };

/* The limits that a condition is the conjunction of; false: it is something else. */
static bool limits_of(uc_tf_loop *l, uc_ref condition, uc_ref *limits, size_t *count, int depth)
{
    const uc_graph *g = l->region.inner->graph;
    const uc_node *n = maker(g, condition);
    int64_t truth;
    if (uc_tf_known_ref(l->region.inner, condition, &truth) && truth) return true;
    if (depth > 8 || !n) return false;
    if (is(n, "Identity")) return limits_of(l, n->in[0], limits, count, depth + 1);
    if (is(n, "And")) {
        const uc_ref a = n->in[0], b = n->in[1];
        return limits_of(l, a, limits, count, depth + 1) &&
               limits_of(l, b, limits, count, depth + 1);
    }
    const bool less = is(n, "Less"), greater = is(n, "Greater");
    if ((!less && !greater) || *count == MAX_LIMITS) return false;
    const uc_ref limit = iterations(l, n->in[greater], n->in[less]);
    if (limit) limits[(*count)++] = limit;
    return limit != 0;
}

void uc_tf_loop_trips(uc_tf_loop *l, uc_ref condition)
{
    uc_graph *g = l->region.outer->graph;
    uc_ref limits[MAX_LIMITS];
    size_t count = 0, kept = 0;
    l->trips = 0;
    if (!limits_of(l, condition, limits, &count, 0) || !count || g->status) return;
    int64_t least = -1, v;
    for (size_t i = 0; i < count; i++) {
        if (uc_tf_known_ref(l->region.outer, limits[i], &v))
            least = least < 0 || v < least ? v : least;
        else
            limits[kept++] = limits[i];
    }
    /* As many as an int counts: no limit that anybody means. */
    if (least >= 0 && (kept == 0 || least < INT32_MAX)) limits[kept++] = uc_graph_i64(g, least);
    l->trips = limits[0];
    for (size_t i = 1; i < kept; i++) {
        const uc_ref pair[] = {l->trips, limits[i]};
        if (limits[i] == l->trips) continue;
        l->trips = uc_node_out(uc_graph_node(g, "Min", pair, 2, 1), 0);
    }
}
