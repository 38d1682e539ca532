/* A function of the evaluator as a graph: parameters become inputs, what it returns outputs. */
#include "import/pytorch/script_archive.h"

/* ---- inputs ---------------------------------------------------------------------------------- */

typedef struct entry {
    uc_py_eval *ev;
    const uc_script_guess *guess;
    size_t made; /* inputs so far */
} entry;

static const uncork_fed *given(const entry *e, const char *name)
{
    return uc_import_fed(e->guess->options, name, e->made);
}

static uc_pv tensor_input(entry *e, const char *name)
{
    uc_py_eval *ev = e->ev;
    int64_t shape[UC_PY_RANK];
    int rank = e->guess->rank;
    uncork_dtype dtype = e->guess->dtype;
    const uncork_fed *known = given(e, name);
    for (int i = 0; i < UC_PY_RANK; i++)
        shape[i] = -1;
    if (e->guess->pictures && rank == 4) {
        shape[1] = 3;
        shape[2] = shape[3] = 224;
    }
    if (known && known->rank >= 0 && known->rank <= UC_PY_RANK) {
        dtype = known->dtype;
        rank = known->rank;
        memcpy(shape, known->shape, (size_t)rank * sizeof *shape);
    }
    e->made++;
    return uc_py_tensor(ev, uc_graph_input(ev->level->graph, name, dtype, rank, shape));
}

static const char *type_name(const uc_py_node *t)
{
    if (t && t->kind == UC_PY_INDEX) t = t->a;
    if (!t) return "Tensor";
    if (t->kind == UC_PY_TEXT) return uc_str_is(t->text, "Tensor") ? "Tensor" : "?";
    return t->kind == UC_PY_NAME || t->kind == UC_PY_ATTR ? t->name : "?";
}

static bool is(const uc_py_node *t, const char *name) { return strcmp(type_name(t), name) == 0; }

static uc_pv input_of(entry *e, const char *name, const uc_py_node *t);

/* A list of tensors is one input: its first axis, where it has one more than a picture, is the list's. */
static uc_pv list_input(entry *e, const char *name)
{
    uc_py_eval *ev = e->ev;
    uc_pv x = tensor_input(e, name);
    if (ev->failed) return x;
    uc_t_build *b = uc_py_build(ev);
    const uc_ref ref = uc_py_ref(ev, x.tensor);
    if (uc_t_rank(b, ref) == 4 && uc_t_dim(b, ref, 0) >= 0) {
        uc_pv args[] = {x, uc_pv_int(0)};
        return uc_aten_run(ev, "aten", "unbind", &(uc_py_args){.items = args, .count = 2});
    }
    if (uc_t_rank(b, ref) == 4) {
        uc_pv args[] = {x, uc_pv_int(0), uc_pv_int(0)};
        x = uc_aten_run(ev, "aten", "select", &(uc_py_args){.items = args, .count = 3});
    }
    return uc_pv_list(ev, UC_PV_LIST, &x, 1);
}

static uc_pv tuple_input(entry *e, const char *name, const uc_py_node *t)
{
    uc_py_node *inner = t->b;
    uc_pv items[16];
    size_t n = 0;
    const uc_py_block one = {.items = &inner, .count = 1};
    const uc_py_block *parts = inner->kind == UC_PY_TUPLE ? &inner->list : &one;
    for (; n < parts->count && n < 16; n++)
        items[n] = input_of(e, uc_arena_printf(e->ev->level->graph->arena, "%s_%zu", name, n),
                            parts->items[n]);
    return uc_pv_list(e->ev, UC_PV_TUPLE, items, n);
}

static uc_pv input_of(entry *e, const char *name, const uc_py_node *t)
{
    static const struct {
        const char *type;
        uc_pv_kind kind;
        uncork_dtype dtype;
    } numbers[] = {{"int", UC_PV_INT, UNCORK_INT64},
                   {"float", UC_PV_FLOAT, UNCORK_FLOAT64},
                   {"bool", UC_PV_BOOL, UNCORK_BOOL}};
    uc_py_eval *ev = e->ev;
    if (is(t, "Optional") && t->kind == UC_PY_INDEX) t = t->b;
    for (size_t i = 0; i < 3; i++) {
        if (!is(t, numbers[i].type) || (t && t->kind == UC_PY_INDEX)) continue;
        e->made++;
        return uc_py_symbol(ev, numbers[i].kind,
                            uc_graph_input(ev->level->graph, name, numbers[i].dtype, 0, NULL));
    }
    if (t && t->kind == UC_PY_INDEX && is(t, "Tuple")) return tuple_input(e, name, t);
    if (t && t->kind == UC_PY_INDEX && (is(t, "List") || is(t, "list"))) {
        if (is(t->b, "Tensor")) return list_input(e, name);
        return uc_py_fail(ev, "the input '%.60s' is a list of something else than tensors", name);
    }
    if (t && t->kind == UC_PY_INDEX && is(t, "Dict"))
        return uc_py_fail(ev, "the input '%.60s' is a dict, whose keys the file doesn't say", name);
    if (is(t, "str")) return uc_py_fail(ev, "the input '%.60s' is a text", name);
    return tensor_input(e, name);
}

/* ---- outputs --------------------------------------------------------------------------------- */

typedef struct outputs {
    uc_py_eval *ev;
    uc_ref refs[1024];
    const char *names[1024]; /* NULL: numbered */
    size_t count;
} outputs;

static void collect(outputs *o, uc_pv v, const char *name, int depth)
{
    uc_py_eval *ev = o->ev;
    if (ev->failed || v.kind == UC_PV_NONE || v.kind == UC_PV_UNSET) return;
    if (depth > 20 || o->count >= 1024) {
        uc_py_fail(ev, "the result nests too deep or has too many tensors");
        return;
    }
    if (uc_pv_is_list(v)) {
        for (size_t i = 0; i < v.list->count; i++)
            collect(o, v.list->items[i],
                    name && v.list->count > 1 ? uc_arena_printf(ev->arena, "%s_%zu", name, i)
                                              : name,
                    depth + 1);
        return;
    }
    if (v.kind == UC_PV_DICT) {
        for (size_t i = 0; i < v.dict->count; i++) {
            const uc_pv key = uc_py_str(ev, v.dict->keys[i], 0);
            const char *text = key.kind == UC_PV_TEXT ? uc_py_text(ev, key) : NULL;
            collect(o, v.dict->values[i], text, depth + 1);
        }
        return;
    }
    if (v.kind == UC_PV_OBJECT) {
        if (v.object->items.kind != UC_PV_NONE) {
            collect(o, v.object->items, name, depth + 1);
            return;
        }
        for (size_t i = 0; i < v.object->attrs.count; i++) {
            if (v.object->attrs.keys[i])
                collect(o, v.object->attrs.values[i], v.object->attrs.keys[i], depth + 1);
        }
        return;
    }
    if (v.kind == UC_PV_TENSOR && v.tensor->quant) {
        v = uc_aten_run(ev, "aten", "int_repr", &(uc_py_args){.items = &v, .count = 1});
        if (ev->failed) return;
    }
    if (v.kind == UC_PV_TEXT) return; /* names of things, not values */
    o->refs[o->count] = uc_py_ref_of(ev, v, UNCORK_DTYPE_NONE);
    o->names[o->count++] = name;
}

/* A name that no output before has. */
static const char *unlike(outputs *o, size_t i, const char *name)
{
    for (size_t k = 0; k < i; k++) {
        if (o->names[k] && strcmp(o->names[k], name) == 0)
            return uc_arena_printf(o->ev->arena, "%s_%zu", name, i);
    }
    return name;
}

static void put_outputs(uc_py_eval *ev, uc_pv result)
{
    outputs *o = UC_NEW(ev->arena, outputs, 1);
    uc_graph *g = ev->level->graph;
    if (!o) return;
    o->ev = ev;
    collect(o, result, NULL, 0);
    if (ev->failed) return;
    if (o->count == 0) {
        uc_py_fail(ev, "it returns no tensor");
        return;
    }
    size_t numbered = 0;
    for (size_t i = 0; i < o->count; i++) {
        const char *name = o->names[i];
        if (!name && o->count == 1) name = "output";
        if (!name) name = uc_arena_printf(ev->arena, "output_%zu", numbered++);
        if (!name) return;
        o->names[i] = unlike(o, i, name);
        uc_graph_output(g, uc_arena_str(g->arena, o->names[i]), uc_g1(g, "Identity", o->refs[i]));
    }
}

/* ---- the call -------------------------------------------------------------------------------- */

void uc_script_run_entry(uc_py_eval *ev, uc_pv callee, const uc_py_function *f,
                         const uc_script_guess *guess)
{
    entry e = {.ev = ev, .guess = guess};
    const uc_py_node *def = f->node;
    uc_pv *items = UC_NEW(ev->arena, uc_pv, def->param_count + 1);
    const char **names = UC_NEW(ev->arena, const char *, def->param_count + 1);
    uc_py_args args = {.items = items, .names = names, .values = items};
    size_t n = 0;
    if (!items || !names) return;
    const size_t skip = callee.kind == UC_PV_FUNCTION ? 0 : 1;
    for (size_t i = skip; i < def->param_count && !ev->failed; i++) {
        const uc_py_param *p = &def->params[i];
        if (p->stars) continue;
        const bool optional = p->fallback || (ev->script && is(p->annotation, "Optional"));
        if (optional && n > 0 && !given(&e, p->name)) {
            if (!p->fallback) { /* Optional without a default: None */
                names[n] = p->name;
                items[n++] = uc_pv_none();
            }
            continue;
        }
        names[n] = p->name;
        items[n++] = input_of(&e, uc_arena_str(ev->level->graph->arena, p->name), p->annotation);
    }
    args.named = n;
    args.items = NULL;
    if (ev->failed) return;
    const uc_pv result = uc_py_call(ev, callee, &args);
    if (!ev->failed) put_outputs(ev, result);
}

/* ---- guesses --------------------------------------------------------------------------------- */

/* Whether the guess builds and its shapes fit, on a graph that is thrown away. */
static bool builds(void *context, uc_script_build *build, uc_graph *real,
                   const uc_script_guess *guess, uncork_error *why)
{
    uc_arena *arena = uc_arena_new(real->budget);
    uc_error_init(why);
    uc_graph *g = arena ? uc_graph_new(arena, real->budget, why) : NULL;
    uc_findings unused = {.arena = arena};
    bool good = false;
    if (g) {
        build(context, g, &unused, guess);
        good = !g->status && !why->status && g->output_count > 0 && uc_graph_finish(g) == UNCORK_OK;
    }
    uc_arena_free(arena);
    return good;
}

void uc_script_try(void *context, uc_script_build *build, uc_graph *graph, uc_findings *findings,
                   const uc_import_options *options)
{
    static const struct {
        int rank;
        bool pictures;
        uncork_dtype dtype;
    } guesses[] = {
        {4, false, UNCORK_FLOAT32}, {-1, false, UNCORK_FLOAT32}, {2, false, UNCORK_FLOAT32},
        {3, false, UNCORK_FLOAT32}, {2, false, UNCORK_INT64},    {5, false, UNCORK_FLOAT32},
        {1, false, UNCORK_FLOAT32}, {4, true, UNCORK_FLOAT32},   {4, false, UNCORK_UINT8},
        {3, false, UNCORK_UINT8},   {1, false, UNCORK_INT64}};
    uc_script_guess guess = {.options = options, .rank = -1, .dtype = UNCORK_FLOAT32};
    if (!options || options->fed_count == 0) {
        uncork_error why = {.size = sizeof why};
        size_t i = 0;
        for (; i < sizeof guesses / sizeof *guesses; i++) {
            guess.rank = guesses[i].rank;
            guess.pictures = guesses[i].pictures;
            guess.dtype = guesses[i].dtype;
            if (builds(context, build, graph, &guess, &why)) break;
            if (why.status == UNCORK_LIMIT || why.status == UNCORK_DEADLINE ||
                why.status == UNCORK_CANCELLED || why.status == UNCORK_NO_MEMORY ||
                why.status == UNCORK_MALFORMED)
                break;
        }
        if (i == sizeof guesses / sizeof *guesses) {
            guess.rank = 4;
            guess.pictures = false;
            guess.dtype = UNCORK_FLOAT32;
        }
    }
    build(context, graph, findings, &guess);
}
