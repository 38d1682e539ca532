/* Chains of elementwise operators over float32 become uncork.Elementwise: one pass over memory for all,
 * with everything between two steps in the first cache. A lone operator changes as well, since the fused
 * one walks broadcast operands in tiles. Exact: the same operations in the same order.
 *
 * A value joins the chain of its reader when nobody else reads it and it has the shape of the result;
 * what broadcasts stays an input. */
#include "pass/rewrite.h"

/* As in op/ext/op_elementwise.c; and the operands of many elements that one walk can follow. */
enum { MOST_INPUTS = 12, MOST_STEPS = 24, MOST_ARRAYS = 4, ARGS = 3 };

typedef struct chain {
    uc_ref in[MOST_INPUTS];
    const char *ops[MOST_STEPS];
    int64_t args[MOST_STEPS][ARGS]; /* >= 0: an input; -2 - i: step i; -1: none */
    int inputs, count;
} chain;

/* An operator's name in a chain, its operands, and parameters that become inputs. */
static const struct {
    const char *name;
    int operands;
    const char *parameters[2];
    double defaults[2];
} table[] = {
    {"Add", 2, {0}, {0}},
    {"Sub", 2, {0}, {0}},
    {"Mul", 2, {0}, {0}},
    {"Div", 2, {0}, {0}},
    {"Min", 2, {0}, {0}},
    {"Max", 2, {0}, {0}},
    {"PRelu", 2, {0}, {0}},
    {"Clip", 3, {0}, {0}},
    {"Relu", 1, {0}, {0}},
    {"Neg", 1, {0}, {0}},
    {"Abs", 1, {0}, {0}},
    {"Sqrt", 1, {0}, {0}},
    {"Reciprocal", 1, {0}, {0}},
    {"Exp", 1, {0}, {0}},
    {"Log", 1, {0}, {0}},
    {"Tanh", 1, {0}, {0}},
    {"Sigmoid", 1, {0}, {0}},
    {"Softplus", 1, {0}, {0}},
    {"Softsign", 1, {0}, {0}},
    {"Erf", 1, {0}, {0}},
    {"Floor", 1, {0}, {0}},
    {"Ceil", 1, {0}, {0}},
    {"Round", 1, {0}, {0}},
    {"Sign", 1, {0}, {0}},
    {"HardSwish", 1, {0}, {0}},
    {"Mish", 1, {0}, {0}},
    {"Gelu", 1, {0}, {0}},
    {"LeakyRelu", 1, {"alpha"}, {(double)0.01F}},
    {"Elu", 1, {"alpha"}, {1}},
    {"Swish", 1, {"alpha"}, {1}},
    {"HardSigmoid", 1, {"alpha", "beta"}, {(double)0.2F, 0.5}},
};

static int row_of(const uc_node *node)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (uc_is_op(node, table[i].name)) return (int)i;
    }
    return -1;
}

/* An elementwise node over float32 whose operands are all there. */
static bool takes_part(const uc_rewrite *r, const uc_node *node)
{
    int row = row_of(node);
    if (row < 0 || node->in_count != (size_t)table[row].operands) return false;
    if (r->g->values[node->out[0]].dtype != UNCORK_FLOAT32) return false;
    for (size_t i = 0; i < node->in_count; i++) {
        const uc_graph_value *v = &r->g->values[node->in[i]];
        if (!node->in[i] || v->dtype != UNCORK_FLOAT32 || v->rank < 0) return false;
        /* Bounds are read as single numbers. */
        double bound;
        if (i > 0 && strcmp(table[row].name, "Clip") == 0 &&
            !uc_rewrite_scalar(r, node->in[i], &bound)) {
            return false;
        }
    }
    return true;
}

/* ---- building ----------------------------------------------------------------------------- */

static bool is_number(const uc_graph *g, uc_ref ref)
{
    return g->values[ref].constant && uc_tensor_count(g->values[ref].constant) == 1;
}

/* The register of an input; -1 when there is no room. */
static int64_t add_input(const uc_graph *g, chain *c, uc_ref ref)
{
    int arrays = 0;
    for (int i = 0; i < c->inputs; i++) {
        if (c->in[i] == ref) return i;
        arrays += !is_number(g, c->in[i]);
    }
    if (c->inputs == MOST_INPUTS) return -1;
    if (!is_number(g, ref) && arrays == MOST_ARRAYS) return -1;
    c->in[c->inputs] = ref;
    return c->inputs++;
}

/* Copies another chain's steps in front; the register of its result, -1 when there is no room. */
static int64_t add_chain(const uc_graph *g, chain *c, const chain *other)
{
    int64_t at[MOST_INPUTS];
    if (c->count + other->count + 1 > MOST_STEPS) return -1;
    for (int i = 0; i < other->inputs; i++) {
        at[i] = add_input(g, c, other->in[i]);
        if (at[i] < 0) return -1;
    }
    const int first = c->count;
    for (int i = 0; i < other->count; i++) {
        c->ops[first + i] = other->ops[i];
        for (int k = 0; k < ARGS; k++) {
            int64_t from = other->args[i][k];
            c->args[first + i][k] = from >= 0 ? at[from] : from == -1 ? -1 : from - first;
        }
    }
    c->count += other->count;
    return -2 - (int64_t)(c->count - 1);
}

/* Adds the node's own step; false when there is no room. */
static bool add_node(uc_rewrite *r, chain *c, const uc_node *node, const int64_t *operands)
{
    const int row = row_of(node);
    int64_t *args = c->args[c->count];
    args[0] = args[1] = args[2] = -1;
    int used = table[row].operands;
    for (int k = 0; k < used; k++) {
        args[k] = operands[k];
    }
    for (int k = 0; k < 2 && table[row].parameters[k]; k++) {
        double v = uc_node_get_float(node, table[row].parameters[k], table[row].defaults[k]);
        args[used] = add_input(r->g, c, uc_graph_f32(r->g, (float)v));
        if (args[used++] < 0) return false;
    }
    const uc_attr *kind = uc_node_attr(node, "approximate");
    c->ops[c->count++] = kind && uc_str_is(kind->s, "tanh") ? "GeluTanh" : table[row].name;
    return true;
}

/* The chain of one node, with the chains of its operands where they may join. */
static bool build(uc_rewrite *r, const chain *const *chains, const uc_node *node, bool join,
                  chain *c)
{
    int64_t operands[ARGS] = {-1, -1, -1};
    *c = (chain){0};
    for (size_t i = 0; i < node->in_count; i++) {
        uc_ref ref = node->in[i];
        int32_t producer = r->g->values[ref].producer;
        const chain *other = producer >= 0 ? chains[producer] : NULL;
        bool joins =
            join && other && uc_rewrite_is_single(r, ref) && uc_same_shape(r->g, ref, node->out[0]);
        operands[i] = joins ? add_chain(r->g, c, other) : add_input(r->g, c, ref);
        if (operands[i] == -1) return false;
    }
    return add_node(r, c, node, operands);
}

static uncork_status write(uc_rewrite *r, uc_node *node, const chain *c)
{
    int64_t args[MOST_STEPS * ARGS];
    uc_str ops[MOST_STEPS];
    for (int i = 0; i < c->count; i++) {
        ops[i] = (uc_str){c->ops[i], strlen(c->ops[i])};
        for (int k = 0; k < ARGS; k++) {
            int64_t from = c->args[i][k];
            args[i * ARGS + k] = from < -1 ? c->inputs - 2 - from : from;
        }
    }
    UC_TRY(uc_rewrite_become(r, node, "uncork.Elementwise", c->in, (size_t)c->inputs));
    uc_node_strs(r->g, node, "ops", ops, (size_t)c->count);
    uc_node_ints(r->g, node, "args", args, (size_t)c->count * ARGS);
    return r->g->status;
}

static uncork_status run(uc_graph *g, bool *changed)
{
    uc_rewrite r;
    UC_TRY(uc_rewrite_init(&r, g));
    chain **chains = UC_NEW(g->arena, chain *, g->node_count);
    if (!chains) return uc_arena_status(g->arena, g->error);
    for (size_t n = 0; n < g->node_count; n++) {
        uc_node *node = &g->nodes[n];
        if (!takes_part(&r, node)) continue;
        chain *c = UC_NEW(g->arena, chain, 1);
        if (!c) return uc_arena_status(g->arena, g->error);
        bool fits = build(&r, (const chain *const *)chains, node, true, c) ||
                    build(&r, (const chain *const *)chains, node, false, c);
        if (g->status != UNCORK_OK) return g->status;
        if (!fits) continue;
        chains[n] = c;
        UC_TRY(write(&r, node, c));
    }
    return uc_rewrite_done(&r, changed);
}

const uc_pass uc_pass_fuse_elementwise = {.name = "fuse_elementwise", .exact = true, .run = run};
