/* Conditions that the data decide: both sides become bodies of an If, and what they leave differently is
 * its outputs. A side that only raises is never taken. */
#include "import/pytorch/script_control.h"

typedef struct side {
    uc_py_level *level;
    uc_py_places written;
    uc_py_flow flow;
    uc_pv result; /* of return, or of the expression */
    bool raised;
} side;

typedef struct outputs {
    uc_ref *refs[2];
    uc_pv *made; /* what each becomes: its kind, filled in later */
    size_t count, capacity[3];
    int empty; /* the side where a counted thing is empty, as the condition says; -1: neither */
} outputs;

/* ---- one side -------------------------------------------------------------------------------- */

static bool run_side(uc_py_eval *ev, side *s, const uc_py_block *body, const uc_py_block *rest,
                     const uc_py_node *value)
{
    uc_graph *outer = ev->level->graph;
    uc_graph *g = uc_graph_new(outer->arena, outer->budget, outer->error);
    uc_py_journal journal;
    *s = (side){.level = UC_NEW(ev->arena, uc_py_level, 1), .result = uc_pv_none()};
    if (!g || !s->level || !uc_py_level_open(ev, s->level, g)) {
        uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    g->where = outer->where;
    uc_py_record(ev, &journal);
    if (value) {
        s->result = uc_py_value(ev, value);
    } else {
        s->flow = uc_py_run(ev, body);
        if (s->flow == UC_PY_GO && rest) s->flow = uc_py_run(ev, rest);
        s->result = ev->frame->result;
    }
    if (ev->failed && ev->raised) {
        ev->failed = ev->raised = false;
        uc_error_init(ev->error);
        s->raised = true;
    }
    uc_py_undo(ev, &journal, &s->written);
    ev->level = s->level->outer; /* its build stays open for the outputs */
    return !ev->failed;
}

/* Closes both builds whatever happened. */
static void close_sides(uc_py_eval *ev, side *s)
{
    for (int i = 0; i < 2; i++) {
        if (s[i].level && s[i].level->graph) uc_t_build_close(&s[i].level->build);
    }
    (void)ev;
}

/* ---- putting together ------------------------------------------------------------------------ */

/* The side that `n > 0` or `n == 0` leaves with nothing; -1: the condition is another. */
static int empty_side(uc_py_eval *ev, uc_pv condition)
{
    const uc_graph *g = ev->level->graph;
    uc_ref ref =
        condition.kind == UC_PV_BOOL && condition.symbolic ? uc_py_ref(ev, condition.tensor) : 0;
    bool turned = false;
    for (int hops = 0; hops < 6 && ref > 0 && g->values[ref].producer >= 0; hops++) {
        const uc_node *n = &g->nodes[g->values[ref].producer];
        const bool above = strcmp(n->op->name, "Greater") == 0;
        if (above || strcmp(n->op->name, "Equal") == 0) {
            int64_t zero = 1;
            if (uc_t_known(&ev->level->build, n->in[1], &zero, 1) != 1 || zero != 0) return -1;
            return above != turned;
        }
        if (strcmp(n->op->name, "Not") == 0)
            turned = !turned;
        else if (n->in_count < 1 || (strcmp(n->op->name, "Cast") && strcmp(n->op->name, "Reshape")))
            return -1;
        ref = n->in[0];
    }
    return -1;
}

/* Nothing may have lost an axis on its way: it gets the axes that something would have. */
static void shape_empty(side *s, const outputs *o, uc_ref refs[2])
{
    int64_t shape[UC_PY_RANK];
    bool empty = false;
    if (o->empty < 0) return;
    uc_t_build *b = &s[o->empty].level->build;
    const uc_value *full = uc_look_at(&s[1 - o->empty].level->build.look, refs[1 - o->empty]);
    const int rank = full->tensor.rank, own = uc_t_rank(b, refs[o->empty]);
    if (rank < 0 || rank > UC_PY_RANK || own < 0 || own == rank) return;
    for (int i = 0; i < rank; i++) {
        shape[i] = full->tensor.shape[i] > 0 ? full->tensor.shape[i] : 0;
        empty = empty || shape[i] == 0;
    }
    if (!empty) return;
    const uc_ref in[] = {refs[o->empty], uc_graph_i64s(b->graph, shape, rank)};
    uc_node *n = uc_graph_node(b->graph, "Reshape", in, 2, 1);
    uc_node_int(b->graph, n, "allowzero", 1);
    refs[o->empty] = uc_node_out(n, 0);
}

static bool add_output(uc_py_eval *ev, side *s, outputs *o, uc_pv a, uc_pv b, uc_pv_kind kind,
                       uc_pv *made)
{
    const uc_pv v[] = {a, b};
    uc_ref refs[2];
    uncork_dtype types[2];
    uc_py_level *outer = ev->level;
    for (int i = 0; i < 2 && !ev->failed; i++) {
        ev->level = s[i].level;
        uncork_dtype t = kind == UC_PV_FLOAT  ? UNCORK_FLOAT64
                         : kind == UC_PV_INT  ? UNCORK_INT64
                         : kind == UC_PV_BOOL ? UNCORK_BOOL
                                              : UNCORK_DTYPE_NONE;
        if (kind == UC_PV_SEQUENCE && v[i].kind != UC_PV_SEQUENCE)
            refs[i] = uc_py_sequence(ev, v[i]);
        else
            refs[i] = uc_py_ref_of(ev, v[i], t);
        types[i] = uc_t_dtype(&s[i].level->build, refs[i]);
    }
    for (int i = 0; i < 2 && !ev->failed && kind == UC_PV_TENSOR; i++) {
        if (types[0] != types[1] && uc_dtype_size(types[i]) < uc_dtype_size(types[1 - i]))
            refs[i] = uc_g_cast(s[i].level->graph, refs[i], types[1 - i]);
    }
    ev->level = outer;
    if (a.kind == UC_PV_TENSOR && b.kind == UC_PV_TENSOR && !ev->failed) shape_empty(s, o, refs);
    for (int i = 0; i < 2; i++) {
        uc_ref *grown =
            uc_arena_grow(ev->arena, o->refs[i], &o->capacity[i], o->count + 1, sizeof *grown);
        if (!grown) return false;
        o->refs[i] = grown;
        grown[o->count] = refs[i];
    }
    uc_pt *t = UC_NEW(ev->arena, uc_pt, 1);
    uc_pv *list = uc_arena_grow(ev->arena, o->made, &o->capacity[2], o->count + 1, sizeof *list);
    if (!t || !list || ev->failed) return false;
    *made = (uc_pv){.kind = (uint8_t)kind,
                    .symbolic = kind != UC_PV_TENSOR && kind != UC_PV_SEQUENCE,
                    .tensor = t};
    if (a.kind == UC_PV_TENSOR && b.kind == UC_PV_TENSOR && a.tensor->quant == b.tensor->quant)
        t->quant = a.tensor->quant;
    o->made = list;
    list[o->count++] = *made;
    return true;
}

static uc_pv merge(uc_py_eval *ev, side *s, outputs *o, uc_pv a, uc_pv b, int depth);

static uc_pv merge_lists(uc_py_eval *ev, side *s, outputs *o, uc_pv a, uc_pv b, int depth)
{
    uc_py_list *l = uc_py_list_new(ev, a.list->count);
    for (size_t i = 0; l && i < a.list->count && !ev->failed; i++)
        uc_py_list_add(ev->arena, l,
                       merge(ev, s, o, a.list->items[i], b.list->items[i], depth + 1));
    if (l) l->class = a.list->class;
    return (uc_pv){.kind = a.kind, .list = l};
}

static bool all_tensors(uc_pv v)
{
    if (v.kind == UC_PV_SEQUENCE) return true;
    if (v.kind != UC_PV_LIST) return false;
    for (size_t i = 0; i < v.list->count; i++) {
        if (v.list->items[i].kind != UC_PV_TENSOR) return false;
    }
    return true;
}

static uc_pv merge(uc_py_eval *ev, side *s, outputs *o, uc_pv a, uc_pv b, int depth)
{
    uc_pv made = UC_PV(UC_PV_UNSET);
    if (ev->failed || depth > 20) return made;
    if (uc_pv_same(a, b) &&
        !(a.kind == UC_PV_TENSOR && a.tensor->level != ev->level->id &&
          (a.tensor->level == s[0].level->id || a.tensor->level == s[1].level->id)))
        return a;
    if (a.kind == UC_PV_UNSET || b.kind == UC_PV_UNSET) {
        /* Uninitialised on one side: only the other's value can be asked for. */
        if (!ev->script) return made;
        const uc_pv v = a.kind == UC_PV_UNSET ? b : a;
        if (v.kind != UC_PV_TENSOR && !uc_py_is_number(v)) return v;
        return merge(
            ev, s, o, v.kind == UC_PV_TENSOR ? (a.kind == UC_PV_UNSET ? uc_pv_float(0) : a) : v,
            v.kind == UC_PV_TENSOR ? (b.kind == UC_PV_UNSET ? uc_pv_float(0) : b) : v, depth + 1);
    }
    if (uc_py_is_number(a) && uc_py_is_number(b)) {
        uc_pv_kind kind = a.kind == UC_PV_FLOAT || b.kind == UC_PV_FLOAT ? UC_PV_FLOAT
                          : a.kind == UC_PV_BOOL && b.kind == UC_PV_BOOL ? UC_PV_BOOL
                                                                         : UC_PV_INT;
        add_output(ev, s, o, a, b, kind, &made);
        return made;
    }
    const bool tensors = a.kind == UC_PV_TENSOR || b.kind == UC_PV_TENSOR;
    if (tensors && (a.kind == UC_PV_TENSOR || uc_py_is_number(a)) &&
        (b.kind == UC_PV_TENSOR || uc_py_is_number(b))) {
        add_output(ev, s, o, a, b, UC_PV_TENSOR, &made);
        return made;
    }
    if (uc_pv_is_list(a) && a.kind == b.kind && a.list->count == b.list->count)
        return merge_lists(ev, s, o, a, b, depth);
    if (all_tensors(a) && all_tensors(b)) {
        add_output(ev, s, o, a, b, UC_PV_SEQUENCE, &made);
        return made;
    }
    if (a.kind == UC_PV_DICT && b.kind == UC_PV_DICT && a.dict->count == b.dict->count) {
        uc_py_dict *d = uc_py_dict_new(ev);
        for (size_t i = 0; d && i < a.dict->count; i++) {
            const uc_pv *other = uc_py_dict_find(b.dict, a.dict->keys[i]);
            if (!other) return made;
            uc_py_dict_put(ev->arena, d, a.dict->keys[i],
                           merge(ev, s, o, a.dict->values[i], *other, depth + 1));
        }
        return d ? (uc_pv){.kind = UC_PV_DICT, .dict = d} : made;
    }
    return made; /* nothing that can be told apart later: using it fails */
}

/* ---- the node -------------------------------------------------------------------------------- */

/* Every body takes the same captures, in one order. */
uc_ref *uc_py_same_captures(uc_py_eval *ev, uc_py_level **levels, size_t level_count, size_t formal,
                            size_t *count)
{
    size_t most = 0;
    for (size_t i = 0; i < level_count; i++)
        most += levels[i]->capture_count;
    uc_ref *all = UC_NEW(ev->arena, uc_ref, most + 1);
    *count = 0;
    for (size_t i = 0; all && i < level_count; i++) {
        for (size_t k = 0; k < levels[i]->capture_count; k++) {
            bool known = false;
            for (size_t n = 0; n < *count; n++)
                known = known || all[n] == levels[i]->outside[k];
            if (!known) all[(*count)++] = levels[i]->outside[k];
        }
    }
    for (size_t i = 0; all && i < level_count; i++) {
        uc_graph *g = levels[i]->graph;
        uc_ref *order = UC_NEW(ev->arena, uc_ref, *count + 1);
        for (size_t n = 0; order && n < *count; n++) {
            for (size_t k = 0; k < levels[i]->capture_count; k++) {
                if (levels[i]->outside[k] == all[n]) order[n] = levels[i]->inside[k];
            }
            if (order[n]) continue;
            const uc_value *v = uc_look_at(&levels[i]->outer->build.look, all[n]);
            order[n] = uc_graph_input(g, uc_arena_printf(g->arena, "unused_%zu", n),
                                      v->tensor.dtype, v->tensor.rank, v->tensor.shape);
            if (v->kind == UC_SEQUENCE) uc_graph_input_kind(g, order[n], UC_SEQUENCE, UC_TENSOR);
        }
        if (!order || g->input_count != formal + *count) {
            uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
            return NULL;
        }
        for (size_t n = 0; n < *count; n++)
            g->inputs[formal + n] = order[n];
    }
    return all;
}

static void emit_if(uc_py_eval *ev, side *s, uc_pv condition, outputs *o)
{
    uc_graph *g = ev->level->graph;
    size_t captures = 0;
    uc_py_level *levels[] = {s[0].level, s[1].level};
    if (o->count == 0 || ev->failed) return;
    for (int i = 0; i < 2; i++) {
        uc_graph *body = s[i].level->graph;
        for (size_t k = 0; k < o->count; k++)
            uc_graph_output(body, uc_arena_printf(body->arena, "out_%zu", k),
                            uc_g1(body, "Identity", o->refs[i][k]));
    }
    uc_ref *caps = uc_py_same_captures(ev, levels, 2, 0, &captures);
    uc_ref *in = UC_NEW(ev->arena, uc_ref, captures + 1);
    if (!caps || !in) return;
    in[0] = uc_py_ref_of(ev, condition, UNCORK_BOOL);
    memcpy(in + 1, caps, captures * sizeof *in);
    uc_node *n = uc_graph_node(g, "If", in, captures + 1, o->count);
    uc_node_graph(g, n, "then_branch", s[0].level->graph);
    uc_node_graph(g, n, "else_branch", s[1].level->graph);
    uc_node_int(g, n, "captures", (int64_t)captures);
    for (size_t k = 0; k < o->count; k++) {
        o->made[k].tensor->ref = uc_node_out(n, k);
        o->made[k].tensor->level = ev->level->id;
    }
}

/* The places that either side wrote get what the condition chooses. */
static void merge_places(uc_py_eval *ev, side *s, outputs *o, uc_py_places *merged)
{
    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < s[i].written.count && !ev->failed; k++) {
            uc_py_place p = s[i].written.items[k];
            if (uc_py_place_find(merged, &p) != SIZE_MAX) continue;
            uc_pv both[2];
            for (int side_index = 0; side_index < 2; side_index++) {
                const size_t at = uc_py_place_find(&s[side_index].written, &p);
                both[side_index] = at == SIZE_MAX ? uc_py_place_get(ev, &p)
                                                  : s[side_index].written.items[at].value;
            }
            p.value = merge(ev, s, o, both[0], both[1], 0);
            uc_py_place_add(ev, merged, p);
        }
    }
}

static uc_py_flow finish_if(uc_py_eval *ev, side *s, uc_pv condition, uc_pv *result)
{
    outputs o = {.empty = empty_side(ev, condition)};
    uc_py_places merged = {0};
    if (s[0].flow != s[1].flow) {
        uc_py_fail(ev, "a condition that only the data decides leaves the code at one side alone");
        return UC_PY_FAILED;
    }
    merge_places(ev, s, &o, &merged);
    if (result) *result = merge(ev, s, &o, s[0].result, s[1].result, 0);
    emit_if(ev, s, condition, &o);
    for (size_t i = 0; i < merged.count && !ev->failed; i++)
        uc_py_place_set(ev, &merged.items[i], merged.items[i].value);
    return ev->failed ? UC_PY_FAILED : s[0].flow;
}

uc_py_flow uc_py_branch(uc_py_eval *ev, uc_pv condition, const uc_py_node *node)
{
    side s[2] = {0};
    const uc_py_block rest = ev->rest;
    const bool tail = ev->rest_is_tail;
    uc_py_flow flow = UC_PY_FAILED;
    ev->rest_is_tail = false;
    bool good = run_side(ev, &s[0], &node->body, NULL, NULL) &&
                run_side(ev, &s[1], &node->other, NULL, NULL);
    if (good && !s[0].raised && !s[1].raised && s[0].flow != s[1].flow && tail) {
        /* One side returns: what follows the condition is the other side's. */
        for (int i = 0; i < 2 && good; i++) {
            if (s[i].flow != UC_PY_GO) continue;
            uc_t_build_close(&s[i].level->build);
            good = run_side(ev, &s[i], i ? &node->other : &node->body, &rest, NULL);
            if (good && s[i].flow == UC_PY_GO) s[i].flow = UC_PY_RETURNED;
        }
    }
    if (good && (s[0].raised || s[1].raised)) {
        close_sides(ev, s);
        if (s[0].raised && s[1].raised) {
            uc_py_fail(ev, "both sides of a condition raise an exception");
            return UC_PY_FAILED;
        }
        return uc_py_run(ev, s[0].raised ? &node->other : &node->body);
    }
    if (good) {
        uc_pv result = uc_pv_none();
        flow = finish_if(ev, s, condition, &result);
        if (flow == UC_PY_RETURNED) ev->frame->result = result;
    }
    close_sides(ev, s);
    return flow;
}

uc_pv uc_py_choose(uc_py_eval *ev, uc_pv condition, const uc_py_node *yes, const uc_py_node *no)
{
    side s[2] = {0};
    uc_pv result = uc_pv_none();
    if (run_side(ev, &s[0], NULL, NULL, yes) && run_side(ev, &s[1], NULL, NULL, no))
        finish_if(ev, s, condition, &result);
    close_sides(ev, s);
    return ev->failed ? uc_pv_none() : result;
}
