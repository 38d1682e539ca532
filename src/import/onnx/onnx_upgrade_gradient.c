/* ai.onnx.preview.training.Gradient, spelled out: the nodes between xs and y are walked backwards and each
 * adds what it hands on to its inputs (reverse accumulation).
 *
 * Source: onnx/docs/Operators.md, Gradient-1. Inputs are xs and then zs, in the order of the attributes;
 * y is the name of a value made before. An operator without a rule here is refused by name. */
#include "import/onnx/onnx_upgrade_steps.h"

typedef struct gradient {
    uc_onnx_draft *d;
    size_t value_count; /* when it began */
    uc_ref *of;         /* [value_count]: dy / dvalue, 0: none yet */
    bool *depends;      /* [value_count]: on one of xs */
    bool *leaf;         /* [value_count]: one of xs */
} gradient;

/* Type and rank of any value, as uc_draft_shape tells of inputs. */
static int shape_of(const gradient *t, uc_ref v, int64_t *shape)
{
    uc_onnx_draft probe = uc_draft_new(t->d, "Identity", t->d->version, &v, 1, 1);
    return uc_draft_shape(&probe, 0, shape);
}

/* `g`, of the shape of `out`, summed over what broadcasting repeated of `in`. */
static uc_ref summed(gradient *t, uc_ref g, uc_ref out, uc_ref in)
{
    int64_t a[UNCORK_MAX_RANK], b[UNCORK_MAX_RANK], axes[UNCORK_MAX_RANK];
    const int rank = shape_of(t, out, a), rank_in = shape_of(t, in, b);
    int count = 0;
    if (rank < 0 || rank_in < 0 || rank_in > rank) {
        uc_draft_fail(t->d, UNCORK_UNSUPPORTED, "a gradient needs inputs of known rank");
        return g;
    }
    for (int i = 0; i < rank; i++) {
        const int k = i - (rank - rank_in);
        if (k >= 0 && a[i] == b[k] && a[i] != UC_DIM_UNKNOWN) continue;
        if (k >= 0 && b[k] != 1) {
            uc_draft_fail(t->d, UNCORK_UNSUPPORTED, "a gradient needs inputs of known shape");
            return g;
        }
        axes[count++] = i;
    }
    if (!count) return g;
    uc_graph *graph = t->d->graph;
    uc_ref sum = uc_g2(graph, "ReduceSum", g, uc_graph_i64s(graph, axes, count));
    return uc_g2(graph, "Reshape", sum, uc_g1(graph, "Shape", in));
}

/* Adds a contribution to the gradient of a value. */
static void give(gradient *t, uc_ref in, uc_ref out, uc_ref g)
{
    if ((size_t)in >= t->value_count || !t->depends[in]) return;
    g = summed(t, g, out, in);
    t->of[in] = t->of[in] ? uc_g2(t->d->graph, "Add", t->of[in], g) : g;
}

static uc_ref number_like(uc_graph *g, float v, uc_ref like)
{
    return uc_g2(g, "CastLike", uc_graph_f32(g, v), like);
}

/* y = f(x): dy/dx times g; 0 when there is no rule. */
static uc_ref unary(uc_graph *g, const char *op, uc_ref x, uc_ref y, uc_ref in)
{
    if (strcmp(op, "Identity") == 0) return in;
    if (strcmp(op, "Neg") == 0) return uc_g1(g, "Neg", in);
    if (strcmp(op, "Exp") == 0) return uc_g2(g, "Mul", in, y);
    if (strcmp(op, "Log") == 0) return uc_g2(g, "Div", in, x);
    if (strcmp(op, "Sqrt") == 0) return uc_g2(g, "Div", in, uc_g2(g, "Add", y, y));
    if (strcmp(op, "Tanh") == 0) {
        uc_ref slope = uc_g2(g, "Sub", number_like(g, 1, y), uc_g2(g, "Mul", y, y));
        return uc_g2(g, "Mul", in, slope);
    }
    if (strcmp(op, "Sigmoid") == 0) {
        uc_ref slope = uc_g2(g, "Mul", y, uc_g2(g, "Sub", number_like(g, 1, y), y));
        return uc_g2(g, "Mul", in, slope);
    }
    if (strcmp(op, "Relu") == 0) {
        uc_ref on = uc_g2(g, "Greater", x, number_like(g, 0, x));
        return uc_g_where(g, on, in, number_like(g, 0, x));
    }
    return 0;
}

/* y = f(a, b); false when there is no rule. */
static bool binary(gradient *t, const char *op, uc_ref a, uc_ref b, uc_ref y, uc_ref in)
{
    uc_graph *g = t->d->graph;
    if (strcmp(op, "Add") == 0) {
        give(t, a, y, in);
        give(t, b, y, in);
    } else if (strcmp(op, "Sub") == 0) {
        give(t, a, y, in);
        give(t, b, y, uc_g1(g, "Neg", in));
    } else if (strcmp(op, "Mul") == 0) {
        give(t, a, y, uc_g2(g, "Mul", in, b));
        give(t, b, y, uc_g2(g, "Mul", in, a));
    } else if (strcmp(op, "Div") == 0) {
        give(t, a, y, uc_g2(g, "Div", in, b));
        give(t, b, y, uc_g1(g, "Neg", uc_g2(g, "Div", uc_g2(g, "Mul", in, y), b)));
    } else {
        return false;
    }
    return true;
}

/* Hands the gradient of a node's output on to its inputs. */
static void step(gradient *t, const char *op, const uc_ref *in, size_t in_count, uc_ref y)
{
    bool known = false;
    if (in_count == 1) {
        uc_ref g = unary(t->d->graph, op, in[0], y, t->of[y]);
        known = g != 0;
        if (known) give(t, in[0], y, g);
    } else if (in_count == 2) {
        known = binary(t, op, in[0], in[1], y, t->of[y]);
    }
    if (!known) uc_draft_fail(t->d, UNCORK_UNSUPPORTED, "the gradient of %s isn't known", op);
}

/* The value that the attribute y names; 0 when there is none. */
static uc_ref target(const uc_onnx_draft *d)
{
    const uc_str name = uc_draft_str(d, "y", "");
    for (size_t i = 1; i < d->graph->value_count; i++) {
        const char *have = d->graph->values[i].name;
        if (have && uc_str_is(name, have)) return (uc_ref)i;
    }
    return 0;
}

/* Marks xs, and all that is computed from them. */
static void mark(gradient *t, size_t xs)
{
    const uc_graph *g = t->d->graph;
    for (size_t i = 0; i < xs; i++) {
        const uc_ref x = uc_draft_in(t->d, i);
        t->leaf[x] = t->depends[x] = x != 0;
    }
    for (size_t i = 0; i < g->node_count; i++) {
        const uc_node *n = &g->nodes[i];
        bool any = false;
        for (size_t k = 0; k < n->in_count; k++) {
            any = any || t->depends[n->in[k]];
        }
        for (size_t k = 0; k < n->out_count && any; k++) {
            t->depends[n->out[k]] = n->out[k] != 0;
        }
    }
}

void uc_onnx_upgrade_gradient(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    const uc_attr *xs = uc_draft_attr(d, "xs");
    const uc_ref y = target(d);
    if (!xs || xs->kind != UC_ATTR_STRINGS || xs->count > d->in_count || xs->count > d->out_count ||
        !y) {
        uc_draft_fail(d, UNCORK_MALFORMED,
                      "y isn't the name of a value made before, or xs and the "
                      "inputs and outputs disagree");
        return;
    }
    gradient t = {.d = d, .value_count = g->value_count};
    t.of = UC_NEW(g->arena, uc_ref, t.value_count);
    t.depends = UC_NEW(g->arena, bool, t.value_count);
    t.leaf = UC_NEW(g->arena, bool, t.value_count);
    if (!t.of || !t.depends || !t.leaf) return; /* the arena remembers */
    mark(&t, xs->count);
    uc_ref ones = uc_g1(g, "Shape", y);
    ones = uc_g2(g, "Expand", number_like(g, 1, y), ones);
    t.of[y] = ones;
    for (int32_t i = g->values[y].producer; i >= 0 && g->status == UNCORK_OK; i--) {
        const uc_node n = g->nodes[i]; /* the list moves while it grows */
        const uc_ref out = n.out_count ? n.out[0] : 0;
        if (out && (size_t)out < t.value_count && t.of[out] && t.depends[out] && !t.leaf[out]) {
            step(&t, n.op->name, n.in, n.in_count, out);
        }
    }
    for (size_t i = 0; i < xs->count; i++) {
        uc_ref zero = uc_g2(g, "Mul", uc_draft_in(d, i), number_like(g, 0, uc_draft_in(d, i)));
        const uc_ref have = t.of[uc_draft_in(d, i)];
        uc_draft_give(d, i, have ? uc_g1(g, "Identity", have) : zero);
    }
}
