/* A loop as ONNX Loop. The body is emitted for the types that its variables begin with; where an iteration
 * gives another type, again for what both are. Variables that no iteration changes are captured; a list of
 * which iteration i writes item i alone is a stack of the iterations' items, so that nothing is copied. */
#include "import/tensorflow/tf_loop.h"

#include "import/tensorflow/tf_scope.h"

enum { MAX_ATTEMPTS = 8 };

/* ---- variables ------------------------------------------------------------------------------- */

static bool no_memory(uc_graph *g)
{
    uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    return false;
}

static bool open_loop(uc_tf_loop *l, uc_tf_call *c, const uc_tf_loop_source *source)
{
    uc_arena *arena = c->graph->arena;
    const size_t n = source->count;
    *l = (uc_tf_loop){.source = source, .count = n};
    l->fixed = UC_NEW(arena, bool, n);
    l->types = UC_NEW(arena, uc_value, n);
    l->begin = UC_NEW(arena, uc_ref, n);
    l->in = UC_NEW(arena, uc_tf_value, n);
    l->out = UC_NEW(arena, uc_tf_value, n);
    if (!l->fixed || !l->types || !l->begin || !l->in || !l->out) return no_memory(c->graph);
    for (size_t i = 0; i < n && !c->graph->status; i++) {
        const uc_tf_value *v = &source->init[i];
        l->fixed[i] = source->fixed[i] || (v->kind != UC_TF_TENSOR && v->kind != UC_TF_LIST);
        if (l->fixed[i] || v->kind == UC_TF_LIST) continue;
        l->begin[i] = uc_tf_plain(c->build, v);
        l->types[i] = *uc_look_at(&c->build->look, l->begin[i]);
    }
    return !c->graph->status;
}

static const char *name_of(uc_graph *g, const char *what, size_t i)
{
    const char *name = uc_arena_printf(g->arena, "%s_%zu", what, i);
    return name ? name : what;
}

/* A list that goes on as a sequence. */
static void begin_items(uc_tf_loop *l, size_t i)
{
    uc_tf_build *outer = l->region.outer;
    if (l->begin[i]) return;
    l->begin[i] = uc_tf_list_items(outer, l->source->init[i].payload);
    if (l->begin[i]) l->types[i] = *uc_look_at(&outer->look, l->begin[i]);
}

uc_ref uc_tf_loop_items(uc_tf_loop *l, size_t i)
{
    begin_items(l, i);
    if (l->region.outer->graph->status) {
        return uc_graph_fail(l->region.inner->graph, l->region.outer->graph->status, "a list");
    }
    if (!l->formal[i]) {
        l->formal[i] =
            uc_tf_region_input(&l->region, name_of(l->region.inner->graph, "in", i), &l->types[i]);
    }
    return l->formal[i];
}

static bool set_inputs(uc_tf_loop *l)
{
    uc_graph *g = l->region.inner->graph;
    (void)uc_graph_input(g, "iteration", UNCORK_INT64, 0, NULL);
    (void)uc_graph_input(g, "goes_on", UNCORK_BOOL, 0, NULL);
    for (size_t i = 0; i < l->count && !g->status; i++) {
        const uc_tf_value *init = &l->source->init[i];
        l->in[i] = (uc_tf_value){.kind = UC_TF_TENSOR};
        if (l->fixed[i]) {
            l->in[i] = uc_tf_region_take(&l->region, init);
        } else if (init->kind == UC_TF_LIST) {
            uc_tf_list *list = uc_tf_list_like(g, init->payload, UC_TF_LIST_CARRIED, 0);
            if (list) {
                list->loop = l;
                list->variable = i;
            }
            l->in[i] = uc_tf_list_value(list);
        } else {
            l->formal[i] = l->in[i].ref =
                uc_tf_region_input(&l->region, name_of(g, "in", i), &l->types[i]);
        }
    }
    return !g->status;
}

/* ---- what an iteration gives ----------------------------------------------------------------- */

/* Makes *a what both are. */
static bool widen(uc_tensor *a, const uc_tensor *b)
{
    bool changed = false;
    if (a->rank >= 0 && a->rank != b->rank) {
        a->rank = -1;
        changed = true;
    }
    for (int d = 0; d < a->rank; d++) {
        if (a->shape[d] == UC_DIM_UNKNOWN || a->shape[d] == b->shape[d]) continue;
        a->shape[d] = UC_DIM_UNKNOWN;
        changed = true;
    }
    return changed;
}

static void fail(uc_tf_loop *l, const char *what)
{
    uc_graph_fail(l->region.inner->graph, UNCORK_UNSUPPORTED, "%s: %s", "a loop", what);
}

/* Whether iterations write the items of a list in order, one each, of one shape. */
static bool writes_in_order(uc_tf_loop *l, size_t i)
{
    const uc_tf_list *out = l->out[i].payload, *init = l->source->init[i].payload;
    if (l->formal[i] || out->form != UC_TF_LIST_WRITTEN || init->form != UC_TF_LIST_EMPTY) {
        return false;
    }
    size_t k = 0;
    while (k < l->count && (l->fixed[k] || l->formal[k] != out->at)) {
        k++;
    }
    if (k == l->count || !uc_tf_loop_counts(l, k)) return false;
    const uc_tensor *t = &uc_look_at(&l->region.inner->look, out->item)->tensor;
    if (t->rank < 0 || t->rank >= UNCORK_MAX_RANK || !t->dtype || t->dtype == UNCORK_STRING) {
        return false;
    }
    for (int d = 0; d < t->rank; d++) {
        if (t->shape[d] >= 0) continue;
        return uc_tf_list_of_one_shape(l->region.call);
    }
    return true;
}

static void check_list(uc_tf_loop *l, size_t i)
{
    uc_tf_build *b = l->region.inner;
    if (l->out[i].kind != UC_TF_LIST) {
        fail(l, "a list becomes something else");
        return;
    }
    const uc_tf_list *out = l->out[i].payload;
    if (out->form == UC_TF_LIST_CARRIED && out->loop == l && out->variable == i && !l->formal[i]) {
        l->fixed[i] = l->widened = true; /* no iteration changes it after all */
        return;
    }
    if (out->form == UC_TF_LIST_WRITTEN && out->variable != i) out = uc_tf_list_settle(b, out);
    l->written[i] = out && writes_in_order(l, i);
    if (l->written[i] || !out) return;
    (void)uc_tf_loop_items(l, i);
    l->next[i] = uc_tf_list_items(b, out);
    if (b->graph->status) return;
    if (widen(&l->types[i].tensor, &uc_look_at(&b->look, l->next[i])->tensor)) l->widened = true;
}

static void check_tensor(uc_tf_loop *l, size_t i)
{
    uc_tf_build *b = l->region.inner;
    if (l->out[i].kind != UC_TF_TENSOR) {
        fail(l, "a tensor becomes something else");
        return;
    }
    l->next[i] = uc_tf_plain(b, &l->out[i]);
    if (l->next[i] == l->formal[i]) {
        l->fixed[i] = l->widened = true;
        return;
    }
    const uc_value *next = uc_look_at(&b->look, l->next[i]);
    if (widen(&l->types[i].tensor, &next->tensor)) l->widened = true;
}

static void check_fixed(uc_tf_loop *l, size_t i)
{
    const uc_tf_value *in = &l->in[i], *out = &l->out[i];
    bool same = in->kind == out->kind && in->ref == out->ref && in->payload == out->payload;
    if (in->kind == UC_TF_TENSOR || in->kind == UC_TF_LIST || in->kind == UC_TF_NOTHING) return;
    if (!same) fail(l, "a variable or table becomes another one");
}

/* Emits the body once; the loop's types are wider afterwards when they weren't right. */
static bool attempt(uc_tf_loop *l, uc_tf_call *c, uc_ref *condition)
{
    uc_arena *arena = c->graph->arena;
    l->widened = false;
    l->formal = UC_NEW(arena, uc_ref, l->count);
    l->next = UC_NEW(arena, uc_ref, l->count);
    l->written = UC_NEW(arena, bool, l->count);
    if (!l->formal || !l->next || !l->written) return no_memory(c->graph);
    if (!uc_tf_region_open(&l->region, c)) return false;
    uc_graph *g = l->region.inner->graph;
    if (!set_inputs(l) || !l->source->body(l->source->context, &l->region, l->in, l->out)) {
        return false;
    }
    for (size_t i = 0; i < l->count; i++) {
        if (l->fixed[i]) {
            check_fixed(l, i);
            l->out[i] = l->in[i];
        }
    }
    if (g->status) return false;
    *condition = l->source->condition(l->source->context, &l->region, l->out);
    for (size_t i = 0; i < l->count && !g->status; i++) {
        if (l->fixed[i]) continue;
        if (l->source->init[i].kind == UC_TF_LIST)
            check_list(l, i);
        else
            check_tensor(l, i);
    }
    return !g->status;
}

/* ---- the operator ---------------------------------------------------------------------------- */

/* Rows that the iterations wrote, and zeros up to the size that the list was made with. */
static uc_ref full_size(uc_tf_loop *l, size_t i, uc_ref rows)
{
    uc_graph *g = l->region.outer->graph;
    const uc_tf_list *init = l->source->init[i].payload;
    const uc_tf_list *out = l->out[i].payload;
    int64_t size, trips;
    if (l->trips && uc_tf_same_number(g, l->trips, init->ref)) return rows;
    if (uc_tf_known_ref(l->region.outer, init->ref, &size) &&
        uc_tf_known_ref(l->region.outer, l->trips, &trips) && size <= trips) {
        return rows;
    }
    const int64_t zero = 0, one = 1, end = INT64_MAX;
    uc_ref shape = uc_g1(g, "Shape", rows);
    uc_ref written = uc_g_slice(g, shape, 0, 0, 1), rest = uc_g_slice(g, shape, 0, one, end);
    uc_ref missing = uc_g2(g, "Sub", init->ref, written);
    const uc_ref at_least[] = {missing, uc_graph_i64s(g, &zero, 1)};
    missing = uc_node_out(uc_graph_node(g, "Max", at_least, 2, 1), 0);
    const uc_ref parts[] = {missing, rest};
    const uc_ref blank = uc_g_concat(g, parts, 2, 0);
    uc_node *n = uc_graph_node(g, "ConstantOfShape", &blank, 1, 1);
    uc_tensor *value = uc_tensor_new(g->arena, out->dtype, 1, &one);
    if (!value) return uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    uc_node_tensor(g, n, "value", value);
    const uc_ref both[] = {rows, uc_node_out(n, 0)};
    return uc_g_concat(g, both, 2, 0);
}

static void give_outputs(uc_tf_loop *l, uc_ref condition)
{
    uc_graph *g = l->region.inner->graph;
    uc_graph_output(g, "next", uc_g1(g, "Identity", l->trips ? uc_tf_true(g) : condition));
    for (size_t i = 0; i < l->count; i++) {
        if (l->next[i]) {
            uc_graph_output(g, name_of(g, "out", i), uc_g1(g, "Identity", l->next[i]));
        }
    }
    for (size_t i = 0; i < l->count; i++) {
        const uc_tf_list *list = l->written[i] ? l->out[i].payload : NULL;
        if (list) uc_graph_output(g, name_of(g, "item", i), uc_g1(g, "Identity", list->item));
    }
}

static bool make_node(uc_tf_loop *l, uc_tf_value *results)
{
    uc_graph *g = l->region.outer->graph;
    uc_ref *in = UC_NEW(g->arena, uc_ref, l->count + 2);
    uc_ref *formal = UC_NEW(g->arena, uc_ref, l->count + 2);
    size_t count = 2, at = 0;
    if (!in || !formal) return no_memory(g);
    in[0] = l->trips;
    in[1] = l->trips ? 0
                     : l->source->condition(l->source->context,
                                            &(uc_tf_region){.call = l->region.call,
                                                            .outer = l->region.outer,
                                                            .inner = l->region.outer},
                                            l->source->init);
    formal[0] = l->region.inner->graph->inputs[0];
    formal[1] = l->region.inner->graph->inputs[1];
    size_t outputs = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (l->next[i]) {
            in[count] = l->begin[i];
            formal[count++] = l->formal[i];
        }
        outputs += l->next[i] || l->written[i];
    }
    uc_tf_region_order(&l->region, formal, count);
    uc_node *n = uc_tf_region_node(&l->region, "Loop", in, count, outputs);
    uc_node_graph(g, n, "body", l->region.inner->graph);
    for (size_t i = 0; i < l->count; i++) {
        results[i] = l->source->init[i];
        if (!l->next[i]) continue;
        const uc_ref y = uc_node_out(n, at++);
        results[i] = (uc_tf_value){.kind = UC_TF_TENSOR, .ref = y};
        if (l->source->init[i].kind == UC_TF_LIST) {
            results[i] =
                uc_tf_list_value(uc_tf_list_like(g, l->out[i].payload, UC_TF_LIST_ITEMS, y));
        }
    }
    uc_ref *rows = UC_NEW(g->arena, uc_ref, l->count);
    if (!rows) return no_memory(g);
    for (size_t i = 0; i < l->count; i++) {
        if (l->written[i]) rows[i] = uc_node_out(n, at++);
    }
    for (size_t i = 0; i < l->count && !g->status; i++) {
        if (!l->written[i]) continue;
        const uc_ref y = full_size(l, i, rows[i]);
        results[i] =
            uc_tf_list_value(uc_tf_list_like(g, l->source->init[i].payload, UC_TF_LIST_STACK, y));
    }
    return !g->status;
}

bool uc_tf_loop_emit(uc_tf_call *c, const uc_tf_loop_source *source, uc_tf_value *results)
{
    uc_tf_loop *l = UC_NEW(c->graph->arena, uc_tf_loop, 1);
    uc_ref condition = 0;
    if (!l) return no_memory(c->graph);
    if (!open_loop(l, c, source)) return false;
    for (int i = 0;; i++) {
        const bool emitted = attempt(l, c, &condition);
        if (emitted && !l->widened) break;
        if (l->region.inner) uc_tf_region_close(&l->region);
        if (!emitted || c->graph->status) return false;
        if (i == MAX_ATTEMPTS) {
            uc_tf_fail(c, "the types that its iterations give don't settle");
            return false;
        }
    }
    uc_tf_loop_trips(l, condition);
    give_outputs(l, condition);
    const bool made = make_node(l, results);
    uc_tf_region_close(&l->region);
    return made && !c->graph->status;
}
