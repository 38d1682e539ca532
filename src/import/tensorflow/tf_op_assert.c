/* Assert: nothing takes its result, but what has it among its control inputs comes after it. Control inputs
 * are followed through NoOps to the Asserts, and to the conditions that hold one (AssertGuard). */
#include "import/tensorflow/tf_region.h"
#include "import/tensorflow/tf_scope.h"

enum { MAX_TOKENS = 64, MAX_VISITED = 256 };

void uc_tf_op_assert(uc_tf_call *c)
{
    int64_t known;
    uc_graph *g = c->graph;
    const size_t n = uc_tf_in_count(c);
    uc_ref *in = UC_NEW(g->arena, uc_ref, n + 1);
    if (!in || n == 0) return;
    for (size_t i = 0; i < n && !g->status; i++) {
        in[i] = uc_tf_in(c, i);
    }
    if (uc_tf_known_ref(c->build, in[0], &known) && known) {
        uc_tf_out(c, 0, in[0]);
        return;
    }
    uc_node *node = uc_graph_node(g, "uncork.Assert", in, n, 1);
    uc_node_int(g, node, "summarize", uc_tf_int(c, "summarize"));
    uc_tf_out(c, 0, uc_node_out(node, 0));
}

static bool guards(const uc_tf_node *node)
{
    static const char *const ops[] = {"If", "StatelessIf", "Merge"};
    for (size_t i = 0; i + 6 <= node->name.size; i++) {
        if (memcmp(node->name.data + i, "Assert", 6) != 0) continue;
        for (size_t k = 0; k < sizeof ops / sizeof ops[0]; k++) {
            if (uc_str_is(node->op, ops[k])) return true;
        }
    }
    return false;
}

typedef struct tokens {
    uc_tf_call *call;
    const uc_tf_node *seen[MAX_VISITED];
    size_t seen_count, next;
    uc_ref refs[MAX_TOKENS + 1];
    size_t count;
} tokens;

static void see(tokens *t, const uc_tf_node *node)
{
    for (size_t i = 0; i < t->seen_count; i++) {
        if (t->seen[i] == node) return;
    }
    if (t->seen_count < MAX_VISITED) t->seen[t->seen_count++] = node;
}

/* The node of control input i when it leads to what must hold; NULL: it doesn't. */
static const uc_tf_node *control(uc_tf_scope *s, const uc_tf_node *node, size_t i)
{
    uc_str name = node->inputs[node->input_count + i];
    if (name.size && name.data[0] == '^') name = (uc_str){name.data + 1, name.size - 1};
    const uc_tf_node *from = uc_tf_body_find(s->body, name);
    if (!from) return NULL;
    const bool leads = uc_str_is(from->op, "NoOp") ? from->control_count > 0
                                                   : uc_str_is(from->op, "Assert") || guards(from);
    return leads ? from : NULL;
}

static void see_controls(tokens *t, const uc_tf_node *node)
{
    for (size_t i = 0; i < node->control_count; i++) {
        const uc_tf_node *from = control(t->call->scope, node, i);
        if (from) see(t, from);
    }
}

/* What must hold before `node` is used, as bools. */
static void collect(tokens *t)
{
    uc_tf_scope *s = t->call->scope;
    int64_t known;
    see_controls(t, t->call->node);
    for (; t->next < t->seen_count && !t->call->graph->status; t->next++) {
        const uc_tf_node *node = t->seen[t->next];
        if (uc_str_is(node->op, "NoOp")) {
            see_controls(t, node);
            continue;
        }
        const uc_tf_value *v = uc_tf_demand(s, (uc_tf_edge){(int32_t)(node - s->body->nodes), 0});
        if (v->kind != UC_TF_TENSOR || t->count == MAX_TOKENS) continue;
        if (!uc_tf_known_ref(t->call->build, v->ref, &known)) t->refs[1 + t->count++] = v->ref;
    }
}

void uc_tf_assert_before(uc_tf_call *c)
{
    bool leads = false;
    for (size_t i = 0; i < c->node->control_count && !leads; i++) {
        leads = control(c->scope, c->node, i) != NULL;
    }
    if (!leads || c->graph->status) return;
    tokens *t = UC_NEW(c->graph->arena, tokens, 1);
    if (!t) return;
    t->call = c;
    collect(t);
    if (t->count == 0) return;
    const uc_tf_value *made =
        uc_tf_have(c->scope, (uc_tf_edge){(int32_t)(c->node - c->scope->body->nodes), 0});
    if (!made || made->kind != UC_TF_TENSOR || c->graph->status) return;
    uc_tf_value value = *made;
    t->refs[0] = value.ref;
    value.ref = uc_node_out(uc_graph_node(c->graph, "uncork.After", t->refs, t->count + 1, 1), 0);
    uc_tf_out_value(c, 0, value);
}
