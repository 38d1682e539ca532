/* If, Case and While over functions.
 *
 * Facts: TensorFlow 2.21, core/kernels/functional_ops.cc: a number is a condition when it isn't 0, a string
 * when it isn't empty, another tensor when it has elements; a branch outside of a Case is its last. */
#include "import/tensorflow/tf_loop.h"
#include "import/tensorflow/tf_scope.h"

static bool no_memory(uc_graph *g)
{
    uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    return false;
}

static void give(uc_tf_call *c, const uc_tf_value *results, size_t count)
{
    for (size_t i = 0; i < count && !c->graph->status; i++) {
        uc_tf_out_value(c, i, results[i]);
    }
}

enum { MAX_OUTPUTS = 4096 };

/* ---- If, Case -------------------------------------------------------------------------------- */

static uc_ref truth(uc_tf_call *c, const uc_tf_value *v)
{
    uc_graph *g = c->graph;
    const uc_ref x = uc_tf_plain(c->build, v);
    const uc_tensor *t = &uc_look_at(&c->build->look, x)->tensor;
    const uncork_dtype dtype = t->dtype;
    if (t->rank > 0) return uc_g2(g, "Greater", uc_g1(g, "Size", x), uc_graph_i64(g, 0));
    if (dtype == UNCORK_STRING) return uc_tf_fail(c, "a string as a condition isn't done");
    const uc_ref one = uc_tf_scalar_of(c->build, v);
    return dtype == UNCORK_BOOL ? one : uc_g_cast(g, one, UNCORK_BOOL);
}

/* The functions that may be called, in the graph of `call`. */
typedef struct functions {
    uc_tf_call call;
    const uc_str *names; /* of If: else, then */
    size_t first, count; /* of Case: those still possible */
    uc_ref index;        /* which of them all, int64 */
    const uc_tf_value *args;
    size_t arg_count, out_count;
} functions;

/* The same within a branch. */
static bool enter(const functions *f, uc_tf_region *r, functions *inside)
{
    uc_tf_value *args = UC_NEW(f->call.graph->arena, uc_tf_value, f->arg_count);
    if (!args) return no_memory(f->call.graph);
    for (size_t i = 0; i < f->arg_count; i++) {
        args[i] = uc_tf_region_take(r, &f->args[i]);
    }
    *inside = *f;
    inside->args = args;
    inside->call.build = r->inner;
    inside->call.graph = r->inner->graph;
    if (f->index) inside->index = uc_tf_region_take_ref(r, f->index);
    return !inside->call.graph->status;
}

static bool call_one(functions *f, uc_str name, uc_tf_value *out)
{
    return uc_tf_emit_function(&f->call, f->call.build, name, f->args, f->arg_count, out,
                               f->out_count);
}

static bool emit_branch(void *context, uc_tf_region *r, bool which, uc_tf_value *out)
{
    const functions *f = context;
    functions inside;
    return enter(f, r, &inside) && call_one(&inside, f->names[which], out);
}

static bool open_functions(uc_tf_call *c, functions *f, uc_tf_value **results)
{
    uc_arena *arena = c->graph->arena;
    *f = (functions){.call = *c, .arg_count = uc_tf_in_count(c)};
    if (f->arg_count == 0) {
        uc_tf_fail(c, "no condition");
        return false;
    }
    f->arg_count--;
    int64_t *types = UC_NEW(arena, int64_t, MAX_OUTPUTS);
    if (!types) return no_memory(c->graph);
    f->out_count = uc_tf_types(c, "Tout", types, MAX_OUTPUTS);
    uc_tf_value *args = UC_NEW(arena, uc_tf_value, f->arg_count);
    *results = UC_NEW(arena, uc_tf_value, f->out_count);
    if (!args || !*results) return no_memory(c->graph);
    for (size_t i = 0; i < f->arg_count; i++) {
        args[i] = *uc_tf_value_in(c, i + 1);
    }
    f->args = args;
    return !c->graph->status;
}

void uc_tf_op_if(uc_tf_call *c)
{
    functions f;
    uc_tf_value *results;
    if (!open_functions(c, &f, &results)) return;
    const uc_str names[] = {uc_tf_func(c, "else_branch"), uc_tf_func(c, "then_branch")};
    f.names = names;
    const uc_tf_branches branches = {.context = &f, .count = f.out_count, .emit = emit_branch};
    const uc_ref condition = truth(c, uc_tf_value_in(c, 0));
    if (uc_tf_if_emit(c, condition, &branches, results)) give(c, results, f.out_count);
}

enum { MAX_BRANCHES = 1024 };

static bool choose(functions *f, uc_tf_value *out);

/* The half of the branches that the index is in. */
static bool emit_half(void *context, uc_tf_region *r, bool which, uc_tf_value *out)
{
    const functions *f = context;
    const size_t half = f->count / 2;
    functions inside;
    if (!enter(f, r, &inside)) return false;
    if (!which) inside.first += half;
    inside.count = which ? half : f->count - half;
    return choose(&inside, out);
}

static bool choose(functions *f, uc_tf_value *out)
{
    uc_graph *g = f->call.graph;
    if (f->count == 1) return call_one(f, f->names[f->first], out);
    const uc_ref middle = uc_graph_i64(g, (int64_t)(f->first + f->count / 2));
    const uc_tf_branches halves = {.context = f, .count = f->out_count, .emit = emit_half};
    return uc_tf_if_emit(&f->call, uc_g2(g, "Less", f->index, middle), &halves, out);
}

void uc_tf_op_case(uc_tf_call *c)
{
    functions f;
    uc_tf_value *results;
    uc_graph *g = c->graph;
    if (!open_functions(c, &f, &results)) return;
    uc_str *names = UC_NEW(g->arena, uc_str, MAX_BRANCHES);
    f.count = names ? uc_tf_funcs(c, "branches", names, MAX_BRANCHES) : 0;
    if (f.count == 0 || f.count > MAX_BRANCHES) {
        uc_tf_fail(c, "%zu branches", f.count);
        return;
    }
    f.names = names;
    uc_ref index = uc_g_cast(g, uc_tf_scalar_of(c->build, uc_tf_value_in(c, 0)), UNCORK_INT64);
    int64_t known;
    const int64_t last = (int64_t)f.count - 1;
    if (uc_tf_known_ref(c->build, index, &known)) {
        f.first = (size_t)(known < 0 || known > last ? last : known);
        f.count = 1;
    }
    const uc_ref below = uc_g2(g, "Less", index, uc_graph_i64(g, 0));
    f.index = uc_g_where(g, below, uc_graph_i64(g, last), index);
    if (choose(&f, results)) give(c, results, f.out_count);
}

/* ---- While ----------------------------------------------------------------------------------- */

typedef struct whiled {
    uc_tf_call *call;
    uc_str condition, body;
    size_t count;
} whiled;

static bool emit_body(void *context, uc_tf_region *r, const uc_tf_value *in, uc_tf_value *out)
{
    const whiled *w = context;
    return uc_tf_emit_function(w->call, r->inner, w->body, in, w->count, out, w->count);
}

static uc_ref emit_condition(void *context, uc_tf_region *r, const uc_tf_value *in)
{
    const whiled *w = context;
    uc_tf_value out = {.kind = UC_TF_NOTHING};
    if (!uc_tf_emit_function(w->call, r->inner, w->condition, in, w->count, &out, 1)) return 0;
    uc_tf_call c = *w->call;
    c.build = r->inner;
    c.graph = r->inner->graph;
    return truth(&c, &out);
}

/* Whether output i of a function is its argument i. */
static bool passes(const uc_tf_body *body, size_t i)
{
    uc_str from = body->rets[i].from;
    for (int hops = 0; hops < 64; hops++) {
        const char *colon = from.size ? memchr(from.data, ':', from.size) : NULL;
        const uc_str name = {from.data, colon ? (size_t)(colon - from.data) : from.size};
        if (uc_str_equal(name, body->args[i].name)) return true;
        const uc_tf_node *node = uc_tf_body_find(body, name);
        if (!node || !uc_str_is(node->op, "Identity") || node->input_count == 0) return false;
        from = node->inputs[0];
    }
    return false;
}

void uc_tf_op_while(uc_tf_call *c)
{
    uc_arena *arena = c->graph->arena;
    const size_t n = uc_tf_in_count(c);
    whiled w = {.call = c, .condition = uc_tf_func(c, "cond"), .body = uc_tf_func(c, "body")};
    w.count = n;
    const uc_tf_body *body = uc_tf_session_body(c->build, w.body);
    if (!body) return;
    if (body->arg_count != n || body->ret_count != n) {
        uc_tf_fail(c, "its body takes %zu and gives %zu values, not %zu", body->arg_count,
                   body->ret_count, n);
        return;
    }
    uc_tf_value *init = UC_NEW(arena, uc_tf_value, n), *results = UC_NEW(arena, uc_tf_value, n);
    bool *fixed = UC_NEW(arena, bool, n);
    if (!init || !results || !fixed) {
        no_memory(c->graph);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        init[i] = *uc_tf_value_in(c, i);
        fixed[i] = passes(body, i);
    }
    const uc_tf_loop_source source = {.context = &w,
                                      .count = n,
                                      .init = init,
                                      .fixed = fixed,
                                      .body = emit_body,
                                      .condition = emit_condition};
    if (uc_tf_loop_emit(c, &source, results)) give(c, results, n);
}
