/* A condition as ONNX If, or the branch that it takes when that is known. */
#include "import/tensorflow/tf_loop.h"

typedef struct choice {
    uc_tf_region region[2]; /* else, then */
    uc_tf_value *out[2];
    uc_ref *refs[2]; /* of the outputs that are computed */
    size_t count;
} choice;

/* Both bodies take the same things in the same order. */
static void unify(choice *c)
{
    uc_tf_region *a = &c->region[0], *b = &c->region[1];
    for (size_t i = 0; i < a->count; i++) {
        (void)uc_tf_region_take_ref(b, a->captures[i].from);
    }
    for (size_t i = 0; i < b->count; i++) {
        (void)uc_tf_region_take_ref(a, b->captures[i].from);
    }
    for (size_t i = 0; i < a->count && a->count == b->count; i++) {
        size_t k = i;
        while (k < b->count && b->captures[k].from != a->captures[i].from) {
            k++;
        }
        if (k == b->count) break;
        const uc_tf_capture moved = b->captures[i];
        b->captures[i] = b->captures[k];
        b->captures[k] = moved;
    }
    uc_tf_region_order(a, NULL, 0);
    uc_tf_region_order(b, NULL, 0);
}

/* Output i of both branches as refs; what it is then. */
static uc_tf_value join(uc_tf_call *call, choice *c, size_t i)
{
    const uc_tf_value *a = &c->out[0][i], *b = &c->out[1][i];
    if (a->kind == UC_TF_TENSOR && b->kind == UC_TF_TENSOR) {
        for (int k = 0; k < 2; k++) {
            c->refs[k][c->count] = uc_tf_plain(c->region[k].inner, &c->out[k][i]);
        }
        c->count++;
        return (uc_tf_value){.kind = UC_TF_TENSOR};
    }
    if (a->kind == UC_TF_LIST && b->kind == UC_TF_LIST) {
        const uc_tf_list *x = a->payload, *y = b->payload;
        const bool stacks = x->form == UC_TF_LIST_STACK && y->form == UC_TF_LIST_STACK;
        for (int k = 0; k < 2; k++) {
            const uc_tf_list *list = c->out[k][i].payload;
            c->refs[k][c->count] = stacks ? list->ref : uc_tf_list_items(c->region[k].inner, list);
        }
        c->count++;
        return uc_tf_list_value(
            uc_tf_list_like(call->graph, x, stacks ? UC_TF_LIST_STACK : UC_TF_LIST_ITEMS, 0));
    }
    if (a->kind == b->kind && a->payload == b->payload) return *a;
    uc_tf_fail(call, "its branches give different kinds of values for output %zu", i);
    return (uc_tf_value){.kind = UC_TF_NOTHING};
}

static bool make(uc_tf_call *call, choice *c, uc_ref condition, size_t count, uc_tf_value *results)
{
    uc_graph *g = call->graph;
    for (size_t i = 0; i < count && !g->status; i++) {
        results[i] = join(call, c, i);
    }
    for (int k = 0; k < 2; k++) {
        uc_graph *body = c->region[k].inner->graph;
        for (size_t i = 0; i < c->count; i++) {
            const char *name = uc_arena_printf(g->arena, "out_%zu", i);
            uc_graph_output(body, name ? name : "out", uc_g1(body, "Identity", c->refs[k][i]));
        }
    }
    unify(c);
    if (g->status || c->count == 0) return !g->status;
    uc_node *n = uc_tf_region_node(&c->region[0], "If", &condition, 1, c->count);
    uc_node_graph(g, n, "else_branch", c->region[0].inner->graph);
    uc_node_graph(g, n, "then_branch", c->region[1].inner->graph);
    for (size_t i = 0, at = 0; i < count; i++) {
        uc_tf_list *list = results[i].payload;
        if (results[i].kind == UC_TF_TENSOR) results[i].ref = uc_node_out(n, at++);
        if (results[i].kind == UC_TF_LIST && list) list->ref = uc_node_out(n, at++);
    }
    return true;
}

bool uc_tf_if_emit(uc_tf_call *c, uc_ref condition, const uc_tf_branches *branches,
                   uc_tf_value *results)
{
    uc_graph *g = c->graph;
    int64_t known;
    if (g->status) return false;
    if (uc_tf_known_ref(c->build, condition, &known)) {
        uc_tf_region here;
        uc_tf_region_here(&here, c);
        return branches->emit(branches->context, &here, known != 0, results);
    }
    choice two = {.count = 0};
    bool fine = true;
    for (int k = 0; k < 2; k++) {
        two.out[k] = UC_NEW(g->arena, uc_tf_value, branches->count);
        two.refs[k] = UC_NEW(g->arena, uc_ref, branches->count);
        if (!two.out[k] || !two.refs[k]) uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        fine = fine && !g->status && uc_tf_region_open(&two.region[k], c) &&
               branches->emit(branches->context, &two.region[k], k != 0, two.out[k]);
    }
    fine = fine && make(c, &two, condition, branches->count, results);
    for (int k = 0; k < 2; k++) {
        if (two.region[k].inner) uc_tf_region_close(&two.region[k]);
    }
    return fine && !g->status;
}
