/* A file that is a whole module: its inputs by its first layers, its outputs, its tensors by name. */
#include "import/pytorch/torch_module.h"

#include <inttypes.h>
#include <stdio.h>

/* Modules may be shared: a small file must not look like an endless tree. */
enum { MAX_DEPTH = 64, MAX_VISITS = 200000 };

static const uc_t_module_row *row_of(const uc_pickle *object)
{
    uc_str module, name;
    return uc_t_class_of(object, &module, &name) ? uc_t_module_row_find(module, name) : NULL;
}

static bool is_container(const uc_t_module_row *row)
{
    return row->emit == uc_t_m_sequential || row->emit == uc_t_m_data_parallel;
}

/* ---- unknown classes ----------------------------------------------------------------------------- */

typedef struct scan {
    uc_arena *arena;
    const char *text;
    size_t count, visits;
} scan;

/* Modules inside of one whose class is known are its class's business, and known with it. */
static void collect(scan *s, const uc_pickle *object, int depth)
{
    uc_str module, name;
    const uc_pickle *sub;
    char type[220];
    if (depth > MAX_DEPTH || s->visits++ > MAX_VISITS || !uc_t_class_of(object, &module, &name))
        return;
    const uc_t_module_row *row = uc_t_module_row_find(module, name);
    if (row && !is_container(row)) return;
    if (!row) {
        (void)snprintf(type, sizeof type, "%.*s.%.*s", (int)(module.size < 100 ? module.size : 100),
                       module.data, (int)(name.size < 100 ? name.size : 100), name.data);
        if (s->text && strstr(s->text, type)) return;
        if (++s->count <= 4)
            s->text = uc_arena_printf(s->arena, "%s%s%s", s->text ? s->text : "",
                                      s->text ? ", " : "", type);
        return;
    }
    for (size_t i = 0; (sub = uc_t_child_at(object, i, &name)) != NULL; i++) {
        collect(s, sub, depth + 1);
    }
}

const char *uc_t_unknown_classes(const uc_pickle *module, uc_arena *arena)
{
    scan s = {.arena = arena};
    collect(&s, module, 0);
    return s.text;
}

/* ---- tensors by name ----------------------------------------------------------------------------- */

typedef struct walk {
    const uc_t_store *store;
    uc_arena *arena;
    uc_t_state *state;
    uncork_error *error;
    size_t visits;
} walk;

static uncork_status add_tensors(walk *w, const uc_pickle *dict, const char *prefix)
{
    for (size_t i = 0; dict && dict->kind == UC_PICKLE_DICT && i < dict->count; i++) {
        const uc_pickle *key = dict->items[2 * i], *value = dict->items[2 * i + 1];
        const bool is = key->kind == UC_PICKLE_TEXT || key->kind == UC_PICKLE_BYTES;
        const uc_tensor *t;
        if (!is || !uc_t_is_tensor(value)) continue;
        const char *name =
            uc_arena_printf(w->arena, "%s%.*s", prefix,
                            (int)(key->text.size < 200 ? key->text.size : 200), key->text.data);
        if (!name) return uc_arena_status(w->arena, w->error);
        if (uc_t_tensor_of(w->store, value, w->arena, &t, w->error))
            return uc_where(w->error, "tensor '%.120s'", name);
        if (!uc_t_state_put(w->state, name, t)) return uc_arena_status(w->arena, w->error);
    }
    return UNCORK_OK;
}

static uncork_status add_module(walk *w, const uc_pickle *object, const char *prefix, int depth)
{
    uc_str name;
    const uc_pickle *sub;
    if (depth > MAX_DEPTH)
        return uc_fail(w->error, UNCORK_LIMIT, UC_NO_OFFSET, "modules nest more than %d deep",
                       MAX_DEPTH);
    if (w->visits++ > MAX_VISITS)
        return uc_fail(w->error, UNCORK_LIMIT, UC_NO_OFFSET, "more than %d modules", MAX_VISITS);
    UC_TRY(add_tensors(w, uc_pickle_attr(object, "_parameters"), prefix));
    UC_TRY(add_tensors(w, uc_pickle_attr(object, "_buffers"), prefix));
    for (size_t i = 0; (sub = uc_t_child_at(object, i, &name)) != NULL; i++) {
        const char *path = uc_arena_printf(w->arena, "%s%.*s.", prefix,
                                           (int)(name.size < 100 ? name.size : 100), name.data);
        if (!path) return uc_arena_status(w->arena, w->error);
        UC_TRY(add_module(w, sub, path, depth + 1));
    }
    return UNCORK_OK;
}

uncork_status uc_t_module_state(const uc_t_store *store, const uc_pickle *module, uc_arena *arena,
                                uc_t_state **state, uncork_error *error)
{
    walk w = {.store = store, .arena = arena, .error = error, .state = uc_t_state_new(arena)};
    if (!w.state) return uc_arena_status(arena, error);
    *state = w.state;
    return add_module(&w, module, "", 0);
}

/* ---- inputs -------------------------------------------------------------------------------------- */

typedef struct first_seen {
    const uc_t_module_row *row; /* the first that says something about the input; NULL: none yet */
    const uc_pickle *object;
    bool needs_rank; /* something in the tree asks for the number of dimensions */
    size_t visits;
    bool flat; /* a Flatten came before anything that says something */
} first_seen;

/* Classes that work whatever the rank. */
static bool any_rank(const uc_t_module_row *row, const uc_pickle *object)
{
    if (row->emit == uc_t_m_glu || row->emit == uc_t_m_unflatten) return false;
    if (row->emit == uc_t_m_softmax) {
        const uc_pickle *dim = uc_pickle_attr(object, "dim");
        return row->arg || (dim && dim->kind != UC_PICKLE_NONE);
    }
    if (row->emit == uc_t_m_prelu) {
        const uc_pickle *n = uc_pickle_attr(object, "num_parameters");
        int64_t count;
        return n && uc_pickle_i64(n, &count) && count == 1;
    }
    if (row->emit == uc_t_m_flatten) {
        const uc_pickle *start = uc_pickle_attr(object, "start_dim");
        const uc_pickle *end = uc_pickle_attr(object, "end_dim");
        int64_t a = 1, e = -1;
        if (start) (void)uc_pickle_i64(start, &a);
        if (end) (void)uc_pickle_i64(end, &e);
        return a == 1 && e == -1;
    }
    return row->shape == UC_T_ANY || row->emit == uc_t_m_linear || row->emit == uc_t_m_layer_norm ||
           row->emit == uc_t_m_rms_norm;
}

static void look(first_seen *f, const uc_pickle *object, int depth)
{
    uc_str name;
    const uc_pickle *sub;
    const uc_t_module_row *row = row_of(object);
    if (!row || depth > MAX_DEPTH || f->visits++ > MAX_VISITS) return;
    if (!is_container(row)) {
        if (!f->flat && !any_rank(row, object)) f->needs_rank = true;
        if (row->emit == uc_t_m_flatten && any_rank(row, object)) f->flat = true;
        if (!f->row && row->shape != UC_T_ANY && !f->flat) {
            f->row = row;
            f->object = object;
        }
        return;
    }
    for (size_t i = 0; (sub = uc_t_child_at(object, i, &name)) != NULL; i++) {
        look(f, sub, depth + 1);
    }
}

static int64_t number(const uc_pickle *object, const char *const *names, size_t count)
{
    int64_t v;
    for (size_t i = 0; i < count; i++) {
        const uc_pickle *p = uc_pickle_attr(object, names[i]);
        if (p && uc_pickle_i64(p, &v) && v > 0) return v;
    }
    return -1;
}

/* The type that the module computes in: of its first floating parameter. */
static uncork_dtype float_type(const uc_t_state *s)
{
    for (size_t i = 0; s && i < s->count; i++) {
        if (uc_dtype_is_float(s->items[i].tensor->dtype)) return s->items[i].tensor->dtype;
    }
    return UNCORK_FLOAT32;
}

/* An input looks like what is fed to it; its type is the layers'. */
static uncork_dtype fed_type(const uc_t_file *f, const first_seen *first, size_t place,
                             const uncork_fed *fed)
{
    const bool indices = first->row && first->row->shape == UC_T_INDICES;
    if (indices) return fed->dtype == UNCORK_INT32 ? UNCORK_INT32 : UNCORK_INT64;
    return place && uc_dtype_is_integer(fed->dtype) ? fed->dtype : float_type(f->state);
}

static uc_ref declare(uc_t_build *b, const uc_t_file *f, const char *name, size_t place,
                      const first_seen *first)
{
    const uncork_fed *fed = uc_import_fed(b->options, name, place);
    if (fed && fed->rank >= 0 && fed->rank <= UNCORK_MAX_RANK)
        return uc_graph_input(b->graph, name, fed_type(f, first, place, fed), fed->rank,
                              fed->shape);
    static const char *const widths[] = {"in_features", "in_channels", "num_features",
                                         "input_size",  "embed_dim",   "num_channels",
                                         "d_model",     "in1_features"};
    int64_t shape[UNCORK_MAX_RANK] = {-1, -1, -1, -1, -1};
    const uncork_dtype dtype = float_type(f->state);
    const uc_t_module_row *row = first->row;
    const int64_t width = row ? number(first->object, widths, 8) : -1;
    if (!row) return uc_graph_input(b->graph, name, dtype, first->needs_rank ? 2 : -1, shape);
    switch (row->shape) {
    case UC_T_SPATIAL:
        shape[1] = width;
        return uc_graph_input(b->graph, name, dtype, row->arg + 2, shape);
    case UC_T_SEQUENCE: shape[2] = width; return uc_graph_input(b->graph, name, dtype, 3, shape);
    case UC_T_INDICES: return uc_graph_input(b->graph, name, UNCORK_INT64, 2, shape);
    case UC_T_PICTURE: shape[1] = 3; return uc_graph_input(b->graph, name, dtype, 4, shape);
    case UC_T_FEATURES:
        shape[1] = width;
        return uc_graph_input(b->graph, name, dtype, first->needs_rank ? 2 : -1, shape);
    case UC_T_ANY: break;
    }
    return uc_graph_input(b->graph, name, dtype, -1, shape);
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static void put_outputs(uc_t_build *b, const uc_t_call *done)
{
    for (size_t i = 0; i < done->out_count; i++) {
        const char *name = done->keys[i];
        if (!name && done->out_count == 1) name = "output";
        if (!name) name = uc_arena_printf(b->graph->arena, "output_%zu", i);
        if (name) uc_graph_output(b->graph, name, done->out[i]);
    }
}

void uc_t_emit_module(const uc_t_file *f, uc_t_build *b)
{
    uc_t_tree tree = {.build = b, .store = &f->store, .constants = uc_table_new(b->graph->arena)};
    uc_t_call done;
    uc_ref in[4] = {0};
    size_t count = 0;
    first_seen seen = {0};
    const uc_t_module_row *row = row_of(f->module);
    b->dtype = UNCORK_DTYPE_NONE; /* a module computes in the type that it is stored in */
    if (!tree.constants || !row) {
        uc_t_fail(b, "the module can't be read");
        return;
    }
    look(&seen, f->module, 0);
    for (const char *p = row->inputs; *p && count < 4;) {
        const size_t n = strcspn(p, ",");
        const char *name = uc_arena_copy(b->graph->arena, p, n);
        if (name) in[count] = declare(b, f, name, count, &seen);
        count++;
        p += n + (p[n] == ',');
    }
    if (uc_t_call_module(&tree, f->module, "", in, count, &done)) put_outputs(b, &done);
}
