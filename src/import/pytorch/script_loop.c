/* Loops whose length only the data decides: a Loop that carries what its turns write. What that is, and
 * of which types and shapes, is found by running the body until nothing new is written. */
#include "import/pytorch/script_control.h"

typedef struct carried {
    uc_py_place place;
    uc_pv start;     /* before the loop */
    uc_pv_kind kind; /* TENSOR, SEQUENCE, or of a number */
    uncork_dtype dtype;
    int rank;
    int64_t shape[UC_PY_RANK];
    uc_ref initial; /* in the graph around */
    uc_ref last;    /* in the body */
} carried;

typedef struct loop {
    const uc_py_node *node;
    uc_pv over; /* a symbolic range or a sequence; NONE: while */
    carried *items;
    size_t count, capacity;
    uc_py_level *level;
    uc_ref next; /* the condition after a turn */
} loop;

uc_ref uc_py_sequence(uc_py_eval *ev, uc_pv v)
{
    uc_graph *g = ev->level->graph;
    if (v.kind == UC_PV_SEQUENCE) return uc_py_ref(ev, v.tensor);
    if (!uc_pv_is_list(v)) {
        uc_py_fail(ev, "a list of tensors is needed");
        return 0;
    }
    if (v.list->count == 0) return uc_node_out(uc_graph_node(g, "SequenceEmpty", NULL, 0, 1), 0);
    uc_ref *in = UC_NEW(ev->arena, uc_ref, v.list->count);
    for (size_t i = 0; in && i < v.list->count; i++)
        in[i] = uc_py_ref_of(ev, v.list->items[i], UNCORK_DTYPE_NONE);
    if (!in || ev->failed) return 0;
    return uc_node_out(uc_graph_node(g, "SequenceConstruct", in, v.list->count, 1), 0);
}

/* ---- what is carried ------------------------------------------------------------------------- */

static bool describe(uc_py_eval *ev, carried *c)
{
    uc_pv v = c->start;
    if (v.kind == UC_PV_TENSOR || v.kind == UC_PV_SEQUENCE) {
        c->kind = (uc_pv_kind)v.kind;
        c->initial = uc_py_ref(ev, v.tensor);
        const uc_value *known = uc_look_at(&ev->level->build.look, c->initial);
        c->dtype = known->tensor.dtype;
        c->rank = v.kind == UC_PV_SEQUENCE ? -1 : known->tensor.rank;
        for (int i = 0; i < c->rank && i < UC_PY_RANK; i++)
            c->shape[i] = known->tensor.shape[i];
        return !ev->failed;
    }
    if (uc_py_is_number(v)) {
        c->kind = (uc_pv_kind)v.kind;
        c->dtype = v.kind == UC_PV_FLOAT  ? UNCORK_FLOAT64
                   : v.kind == UC_PV_BOOL ? UNCORK_BOOL
                                          : UNCORK_INT64;
        c->initial = uc_py_ref_of(ev, v, c->dtype);
        return !ev->failed;
    }
    if (v.kind == UC_PV_LIST) {
        c->kind = UC_PV_SEQUENCE;
        c->rank = -1;
        if (v.list->count > 0) {
            c->initial = uc_py_sequence(ev, v);
            c->dtype = uc_look_at(&ev->level->build.look, c->initial)->tensor.dtype;
        }
        return !ev->failed;
    }
    uc_py_fail(ev, "a loop whose length only the data decides changes %s", uc_pv_type_name(v));
    return false;
}

/* Lists that grow become values of the graph: the names that hold them hold those instead. */
static void add_lists(uc_py_eval *ev, const uc_py_list *list, uc_py_places *names)
{
    for (uc_py_frame *f = ev->frame; f; f = f->closure) {
        for (size_t i = 0; i < f->names->count; i++) {
            if (f->names->keys[i] && f->names->values[i].kind == UC_PV_LIST &&
                f->names->values[i].list == list)
                uc_py_place_add(ev, names,
                                (uc_py_place){.kind = UC_PY_SAVED_NAME,
                                              .place = f->names,
                                              .key = f->names->keys[i]});
        }
    }
}

/* Adds places that the body wrote and that weren't carried; whether there were any. A place without a
 * value before the loop lives within a turn only. */
static bool more_carried(uc_py_eval *ev, loop *l, const uc_py_places *written)
{
    bool more = false;
    for (size_t i = 0; i < written->count && !ev->failed; i++) {
        uc_py_places names = {0};
        const uc_py_place *w = &written->items[i];
        if (w->kind == UC_PY_SAVED_LIST)
            add_lists(ev, w->place, &names);
        else
            uc_py_place_add(ev, &names, *w);
        for (size_t n = 0; n < names.count && !ev->failed; n++) {
            const uc_py_place p = names.items[n];
            bool known = false;
            for (size_t k = 0; k < l->count; k++)
                known =
                    known || (l->items[k].place.place == p.place && l->items[k].place.key == p.key);
            const uc_pv start = uc_py_place_get(ev, &p);
            if (known || start.kind == UC_PV_UNSET ||
                (p.kind == UC_PY_SAVED_NAME && uc_pv_same(start, w->value)))
                continue;
            carried *grown =
                uc_arena_grow(ev->arena, l->items, &l->capacity, l->count + 1, sizeof *grown);
            if (!grown) return false;
            l->items = grown;
            grown[l->count] = (carried){.place = p, .start = start};
            if (!describe(ev, &grown[l->count])) return false;
            l->count++;
            more = true;
        }
    }
    return more;
}

/* ---- a turn ---------------------------------------------------------------------------------- */

static uc_pv input_of(uc_py_eval *ev, const carried *c, size_t i)
{
    uc_graph *g = ev->level->graph;
    const char *name = uc_arena_printf(g->arena, "carried_%zu", i);
    const uc_ref ref = uc_graph_input(g, name, c->dtype, c->rank, c->shape);
    if (c->kind == UC_PV_SEQUENCE) uc_graph_input_kind(g, ref, UC_SEQUENCE, UC_TENSOR);
    uc_pv v = uc_py_tensor(ev, ref);
    if (v.kind != UC_PV_TENSOR) return v;
    v.kind = (uint8_t)c->kind;
    v.symbolic = c->kind != UC_PV_TENSOR && c->kind != UC_PV_SEQUENCE;
    return v;
}

static void set_target(uc_py_eval *ev, const loop *l, uc_ref turn)
{
    uc_pv item;
    if (l->over.kind == UC_PV_SEQUENCE)
        item = uc_py_tensor(
            ev, uc_g2(ev->level->graph, "SequenceAt", uc_py_ref(ev, l->over.tensor), turn));
    else
        item = uc_py_symbol(ev, UC_PV_INT, turn);
    uc_py_assign(ev, l->node->a, item);
}

/* Whether what a turn leaves fits what it began with; if not, it is made to for the next try. */
static bool fits(uc_py_eval *ev, carried *c, uc_pv end)
{
    uc_t_build *b = &ev->level->build;
    if (c->kind == UC_PV_SEQUENCE) {
        c->last = uc_py_sequence(ev, end);
        const uncork_dtype t = uc_look_at(&b->look, c->last)->tensor.dtype;
        const bool same = c->dtype == t;
        c->dtype = t;
        return same;
    }
    if (uc_py_is_number(end) && c->kind == UC_PV_INT && end.kind == UC_PV_FLOAT) {
        c->kind = UC_PV_FLOAT;
        c->dtype = UNCORK_FLOAT64;
        return false;
    }
    c->last = uc_py_ref_of(ev, end, uc_py_is_number(c->start) ? c->dtype : UNCORK_DTYPE_NONE);
    const uc_value *v = uc_look_at(&b->look, c->last);
    bool same = true;
    if (v->tensor.dtype != c->dtype && v->tensor.dtype != UNCORK_DTYPE_NONE)
        c->last = uc_g_cast(b->graph, c->last, c->dtype);
    if (c->rank >= 0 && v->tensor.rank != c->rank) {
        c->rank = -1;
        return false;
    }
    for (int i = 0; i < c->rank; i++) {
        if (c->shape[i] == v->tensor.shape[i] || c->shape[i] == -1) continue;
        c->shape[i] = -1;
        same = false;
    }
    return same;
}

/* One try. 1: done, 0: again with more, -1: failed. */
static int turn(uc_py_eval *ev, loop *l)
{
    uc_graph *outer = ev->level->graph;
    uc_graph *g = uc_graph_new(outer->arena, outer->budget, outer->error);
    uc_py_journal journal;
    uc_py_places written;
    bool same = true;
    l->level = UC_NEW(ev->arena, uc_py_level, 1);
    if (!g || !l->level || !uc_py_level_open(ev, l->level, g)) return -1;
    const uc_ref i = uc_graph_input(g, "turn", UNCORK_INT64, 0, NULL);
    uc_graph_input(g, "goes_on", UNCORK_BOOL, 0, NULL);
    uc_py_record(ev, &journal);
    for (size_t k = 0; k < l->count; k++)
        uc_py_place_set(ev, &l->items[k].place, input_of(ev, &l->items[k], k));
    if (l->node->kind == UC_PY_FOR) set_target(ev, l, i);
    const uc_py_flow flow = uc_py_run(ev, &l->node->body);
    if (!ev->failed && flow != UC_PY_GO && flow != UC_PY_CONTINUED)
        uc_py_fail(ev, "a loop whose length only the data decides is left in its middle");
    uc_pv symbol = uc_pv_bool(true);
    if (!ev->failed && l->node->kind == UC_PY_WHILE) {
        const int truth = uc_py_truth(ev, uc_py_value(ev, l->node->a), &symbol);
        if (truth >= 0) symbol = uc_pv_bool(truth == 1);
    }
    if (!ev->failed) l->next = uc_py_ref_of(ev, symbol, UNCORK_BOOL);
    for (size_t k = 0; k < l->count && !ev->failed; k++)
        same = fits(ev, &l->items[k], uc_py_place_get(ev, &l->items[k].place)) && same;
    uc_py_undo(ev, &journal, &written);
    ev->level = l->level->outer;
    if (ev->failed) {
        uc_t_build_close(&l->level->build);
        return -1;
    }
    const bool more = more_carried(ev, l, &written);
    if (more || !same || ev->failed) {
        uc_t_build_close(&l->level->build);
        return ev->failed ? -1 : 0;
    }
    return 1;
}

/* ---- the node -------------------------------------------------------------------------------- */

static void emit(uc_py_eval *ev, loop *l, uc_ref length, uc_ref condition)
{
    uc_graph *g = ev->level->graph, *body = l->level->graph;
    size_t captures = 0;
    uc_graph_output(body, "next", uc_g1(body, "Identity", l->next));
    for (size_t k = 0; k < l->count; k++)
        uc_graph_output(body, uc_arena_printf(body->arena, "out_%zu", k),
                        uc_g1(body, "Identity", l->items[k].last));
    uc_ref *caps = uc_py_same_captures(ev, &l->level, 1, 2 + l->count, &captures);
    uc_ref *in = UC_NEW(ev->arena, uc_ref, 2 + l->count + captures);
    if (!caps || !in) return;
    in[0] = length;
    in[1] = condition;
    for (size_t k = 0; k < l->count; k++) {
        carried *c = &l->items[k];
        if (c->kind == UC_PV_SEQUENCE && !c->initial) {
            uc_node *n = uc_graph_node(g, "SequenceEmpty", NULL, 0, 1);
            uc_node_int(g, n, "dtype", (int64_t)c->dtype);
            c->initial = uc_node_out(n, 0);
        }
        if (uc_py_is_number(c->start)) c->initial = uc_py_ref_of(ev, c->start, c->dtype);
        in[2 + k] = c->initial;
    }
    memcpy(in + 2 + l->count, caps, captures * sizeof *in);
    uc_node *n = uc_graph_node(g, "Loop", in, 2 + l->count + captures, l->count);
    uc_node_graph(g, n, "body", body);
    uc_node_int(g, n, "captures", (int64_t)captures);
    for (size_t k = 0; k < l->count && !ev->failed; k++) {
        carried *c = &l->items[k];
        uc_pv v = uc_py_tensor(ev, uc_node_out(n, k));
        if (v.kind != UC_PV_TENSOR) return;
        v.kind = (uint8_t)c->kind;
        v.symbolic = c->kind != UC_PV_TENSOR && c->kind != UC_PV_SEQUENCE;
        uc_py_place_set(ev, &c->place, v);
    }
}

uc_py_flow uc_py_loop(uc_py_eval *ev, const uc_py_node *node, uc_pv over)
{
    loop l = {.node = node, .over = over};
    uc_graph *g = ev->level->graph;
    uc_ref length = 0, condition = 0;
    if (over.kind == UC_PV_RANGE) length = uc_py_ref(ev, over.tensor);
    if (over.kind == UC_PV_SEQUENCE)
        length = uc_g1(g, "SequenceLength", uc_py_ref(ev, over.tensor));
    if (node->kind == UC_PY_WHILE) {
        uc_pv symbol = uc_pv_none();
        const int truth = uc_py_truth(ev, uc_py_value(ev, node->a), &symbol);
        condition = uc_py_ref_of(ev, truth >= 0 ? uc_pv_bool(truth == 1) : symbol, UNCORK_BOOL);
    }
    int done = 0;
    for (int tries = 0; tries < 12 && done == 0 && !ev->failed; tries++)
        done = turn(ev, &l);
    if (done == 0) uc_py_fail(ev, "what a loop carries doesn't settle");
    if (done != 1 || ev->failed) return UC_PY_FAILED;
    if (l.count > 0) emit(ev, &l, length, condition);
    uc_t_build_close(&l.level->build);
    return ev->failed ? UC_PY_FAILED : UC_PY_GO;
}
