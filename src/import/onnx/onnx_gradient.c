/* ai.onnx.preview.training.Gradient: derivatives of one value of the graph by others, as nodes of the
 * graph itself.
 *
 * Source: onnx/defs/training/defs.cc (Gradient 1); reverse mode as in Griewank and Walther, "Evaluating
 * derivatives" (2008), chapter 3. The inputs must be the values that xs and zs name: derivatives at
 * other points would need the nodes between a second time. */
#include "base/limits.h"
#include "import/onnx/onnx_build.h"

typedef struct reverse {
    uc_graph *g;
    uc_ref *slope; /* [values]: derivative of y by each, 0: none yet */
    size_t count;
} reverse;

static uc_ref constant_like(uc_graph *g, uc_ref like, float v)
{
    const int64_t one = 1;
    uc_tensor *t = uc_tensor_new(g->arena, UNCORK_FLOAT32, 1, &one);
    if (!t) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for a gradient");
    *(float *)t->data = v;
    uc_ref shape = uc_g1(g, "Shape", like);
    uc_node *n = uc_graph_node(g, "ConstantOfShape", &shape, 1, 1);
    uc_node_tensor(g, n, "value", t);
    return uc_g2(g, "CastLike", uc_node_out(n, 0), like);
}

/* Adds a derivative by `ref`, summed to its shape. */
static void give(reverse *r, uc_ref ref, uc_ref slope)
{
    if (ref <= 0 || (size_t)ref >= r->count) return;
    slope = uc_g2(r->g, "uncork.SumTo", slope, ref);
    uc_ref *have = &r->slope[ref];
    *have = *have ? uc_g2(r->g, "Add", *have, slope) : slope;
}

static void by_binary(reverse *r, const char *op, uc_ref a, uc_ref b, uc_ref out, uc_ref s)
{
    uc_graph *g = r->g;
    if (strcmp(op, "Add") == 0 || strcmp(op, "Sub") == 0) {
        give(r, a, s);
        give(r, b, op[0] == 'A' ? s : uc_g1(g, "Neg", s));
    } else if (strcmp(op, "Mul") == 0) {
        give(r, a, uc_g2(g, "Mul", s, b));
        give(r, b, uc_g2(g, "Mul", s, a));
    } else { /* Div */
        uc_ref by = uc_g2(g, "Div", s, b);
        give(r, a, by);
        give(r, b, uc_g1(g, "Neg", uc_g2(g, "Mul", by, out)));
    }
}

/* The derivative of one function of x by x, times s; 0: unknown. */
static uc_ref by_unary(uc_graph *g, const char *op, uc_ref x, uc_ref y, uc_ref s)
{
    if (strcmp(op, "Identity") == 0) return s;
    if (strcmp(op, "Neg") == 0) return uc_g1(g, "Neg", s);
    if (strcmp(op, "Exp") == 0) return uc_g2(g, "Mul", s, y);
    if (strcmp(op, "Log") == 0) return uc_g2(g, "Div", s, x);
    if (strcmp(op, "Sqrt") == 0) return uc_g2(g, "Div", s, uc_g2(g, "Add", y, y));
    if (strcmp(op, "Relu") == 0) return uc_g2(g, "Mul", s, uc_g1(g, "Sign", y));
    if (strcmp(op, "Sin") == 0) return uc_g2(g, "Mul", s, uc_g1(g, "Cos", x));
    if (strcmp(op, "Cos") == 0) return uc_g1(g, "Neg", uc_g2(g, "Mul", s, uc_g1(g, "Sin", x)));
    uc_ref square = 0;
    bool is_tanh = strcmp(op, "Tanh") == 0;
    if (!is_tanh && strcmp(op, "Sigmoid") != 0) return 0;
    square = uc_g2(g, "Mul", y, y);
    if (is_tanh) return uc_g2(g, "Sub", s, uc_g2(g, "Mul", s, square)); /* 1 - y^2 */
    return uc_g2(g, "Mul", s, uc_g2(g, "Sub", y, square));              /* y (1 - y) */
}

/* One node's part: from its output's derivative to its inputs'. */
static void step_back(reverse *r, size_t at)
{
    static const char *const binary[] = {"Add", "Sub", "Mul", "Div"};
    uc_graph *g = r->g;
    uc_node node = g->nodes[at]; /* a copy: nodes move as others are made */
    const char *op = node.op->domain && node.op->domain[0] ? "" : node.op->name;
    uc_ref out = node.out_count == 1 ? node.out[0] : 0;
    uc_ref s = out > 0 && (size_t)out < r->count ? r->slope[out] : 0;
    if (node.out_count != 1) {
        for (size_t i = 0; i < node.out_count; i++) {
            bool used = node.out[i] > 0 && (size_t)node.out[i] < r->count && r->slope[node.out[i]];
            if (used) uc_graph_fail(g, UNCORK_UNSUPPORTED, "no gradient of %s", node.op->name);
        }
        return;
    }
    if (!s) return;
    if (strcmp(op, "Sum") == 0) {
        for (size_t i = 0; i < node.in_count; i++) {
            give(r, node.in[i], s);
        }
        return;
    }
    for (size_t i = 0; i < sizeof binary / sizeof binary[0]; i++) {
        if (strcmp(op, binary[i]) != 0) continue;
        by_binary(r, op, node.in[0], node.in[1], out, s);
        return;
    }
    uc_ref slope = node.in_count == 1 ? by_unary(g, op, node.in[0], out, s) : 0;
    if (slope) {
        give(r, node.in[0], slope);
    } else if (g->status == UNCORK_OK) {
        uc_graph_fail(g, UNCORK_UNSUPPORTED, "no gradient of %s", node.op->name);
    }
}

static const uc_onnx_attr *attr_of(const uc_onnx_node *node, const char *name)
{
    for (size_t i = 0; i < node->attrs.count; i++) {
        if (uc_str_is(node->attrs.items[i].name, name)) return &node->attrs.items[i];
    }
    return NULL;
}

/* Whether the inputs are the values that xs and then zs name. */
static bool check_inputs(uc_graph *g, const uc_onnx_node *node, const uc_onnx_attr *xs,
                         const uc_onnx_attr *zs)
{
    size_t x_count = xs ? xs->strings.count : 0, z_count = zs ? zs->strings.count : 0;
    if (x_count == 0 || node->inputs.count != x_count + z_count || node->outputs.count > x_count) {
        uc_graph_fail(g, UNCORK_MALFORMED, "%zu inputs and %zu outputs for %zu names",
                      node->inputs.count, node->outputs.count, x_count + z_count);
        return false;
    }
    for (size_t i = 0; i < node->inputs.count; i++) {
        uc_str name = i < x_count ? xs->strings.items[i] : zs->strings.items[i - x_count];
        if (uc_str_equal(node->inputs.items[i], name)) continue;
        uc_graph_fail(g, UNCORK_UNSUPPORTED,
                      "input %zu isn't the value '%.*s' itself: derivatives elsewhere aren't made",
                      i, (int)(name.size < 60 ? name.size : 60), name.data);
        return false;
    }
    return true;
}

void uc_onnx_add_gradient(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node)
{
    uc_graph *g = scope->graph;
    const uc_onnx_attr *xs = attr_of(node, "xs"), *zs = attr_of(node, "zs");
    const uc_onnx_attr *y = attr_of(node, "y");
    if (!check_inputs(g, node, xs, zs)) return;
    uc_ref of = uc_onnx_lookup(b, scope, y ? y->s : (uc_str){"", 0});
    if (!of || g->status != UNCORK_OK) return;
    size_t nodes = g->node_count, x_count = xs->strings.count;
    uc_ref *x = UC_NEW(g->arena, uc_ref, x_count);
    for (size_t k = 0; x && k < x_count; k++) {
        x[k] = uc_onnx_lookup(b, scope, xs->strings.items[k]);
    }
    reverse r = {.g = g, .count = g->value_count};
    r.slope = UC_NEW(g->arena, uc_ref, r.count);
    uint8_t *is_x = uc_arena_alloc(g->arena, r.count, 1);
    if (!x || !r.slope || !is_x || g->status != UNCORK_OK) return;
    for (size_t k = 0; k < x_count; k++) {
        is_x[x[k]] = 1; /* what is asked for is where the chain ends */
    }
    r.slope[of] = constant_like(g, of, 1);
    for (size_t i = nodes; i > 0 && g->status == UNCORK_OK; i--) {
        const uc_node *n = &g->nodes[i - 1];
        if (n->out_count == 1 && n->out[0] > 0 && is_x[n->out[0]]) continue;
        step_back(&r, i - 1);
    }
    /* Gradients of gradients multiply: they count as what functions expand to. */
    b->expanded += g->node_count - nodes;
    if (b->expanded > UC_LIMIT_ONNX_EXPANDED) {
        uc_graph_fail(g, UNCORK_LIMIT, "the model's gradients make more than %zu nodes",
                      UC_LIMIT_ONNX_EXPANDED);
    }
    for (size_t k = 0; k < node->outputs.count && g->status == UNCORK_OK; k++) {
        uc_ref slope = r.slope[x[k]] ? r.slope[x[k]] : constant_like(g, x[k], 0);
        if (node->outputs.items[k].size) uc_onnx_bind(b, scope, node->outputs.items[k], slope);
    }
}
