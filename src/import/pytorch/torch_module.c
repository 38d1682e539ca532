/* Modules as data: classes, attributes, submodules, and their calls. */
#include "import/pytorch/torch_module.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { MAX_DEPTH = 64, MAX_CALLS = 200000 };

/* ---- classes ------------------------------------------------------------------------------------- */

static const uc_t_module_row rows[] = {
#define M(package, name, emitter, arg, word, shape, inputs) \
    {package, name, uc_t_m_##emitter, arg, word, UC_T_##shape, inputs},
#include "import/pytorch/torch_module_table.def"
#undef M
};

static bool is_within(uc_str module, const char *package)
{
    const size_t n = strlen(package);
    return module.size >= n && memcmp(module.data, package, n) == 0 &&
           (module.size == n || module.data[n] == '.');
}

const uc_t_module_row *uc_t_module_row_find(uc_str module, uc_str name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (uc_str_is(name, rows[i].name) && is_within(module, rows[i].package)) return &rows[i];
    }
    return NULL;
}

static const uc_t_module_row *row_of(const uc_pickle *object)
{
    uc_str module, name;
    return uc_t_class_of(object, &module, &name) ? uc_t_module_row_find(module, name) : NULL;
}

/* ---- attributes ---------------------------------------------------------------------------------- */

/* A value of the instance's dict, or of one of the dicts that Module keeps its members in. */
static const uc_pickle *member(const uc_pickle *object, const char *dict, const char *name)
{
    const uc_pickle *v =
        dict ? uc_pickle_get(uc_pickle_attr(object, dict), name) : uc_pickle_attr(object, name);
    return v && v->kind != UC_PICKLE_NONE ? v : NULL;
}

const uc_pickle *uc_t_attr(const uc_t_call *c, const char *name)
{
    return member(c->object, NULL, name);
}

int64_t uc_t_attr_int(const uc_t_call *c, const char *name, int64_t otherwise)
{
    int64_t v;
    const uc_pickle *p = uc_t_attr(c, name);
    return p && uc_pickle_i64(p, &v) ? v : otherwise;
}

double uc_t_attr_float(const uc_t_call *c, const char *name, double otherwise)
{
    double v;
    const uc_pickle *p = uc_t_attr(c, name);
    return p && uc_pickle_f64(p, &v) ? v : otherwise;
}

bool uc_t_attr_bool(const uc_t_call *c, const char *name, bool otherwise)
{
    int64_t v;
    const uc_pickle *p = uc_t_attr(c, name);
    return p && uc_pickle_i64(p, &v) ? v != 0 : otherwise;
}

uc_str uc_t_attr_text(const uc_t_call *c, const char *name, const char *otherwise)
{
    const uc_pickle *p = uc_t_attr(c, name);
    const bool is = p && (p->kind == UC_PICKLE_TEXT || p->kind == UC_PICKLE_BYTES);
    return is ? p->text : uc_str_of(otherwise);
}

bool uc_t_attr_ints(const uc_t_call *c, const char *name, int64_t *out, size_t n)
{
    const uc_pickle *p = uc_t_attr(c, name);
    int64_t one;
    if (!p) return false;
    if (uc_pickle_i64(p, &one)) {
        for (size_t i = 0; i < n; i++) {
            out[i] = one;
        }
        return true;
    }
    if (p->kind == UC_PICKLE_OBJECT) return uc_t_ints(p, out, n) == n;
    if ((p->kind != UC_PICKLE_TUPLE && p->kind != UC_PICKLE_LIST) || p->count != n) return false;
    for (size_t i = 0; i < n; i++) {
        const uc_pickle *item = p->items[i];
        if (item->kind == UC_PICKLE_NONE)
            out[i] = -1;
        else if (!uc_pickle_i64(item, &out[i]))
            return false;
    }
    return true;
}

/* ---- parameters ---------------------------------------------------------------------------------- */

static const uc_pickle *tensor_value(const uc_pickle *object, const char *name)
{
    const uc_pickle *v = member(object, "_parameters", name);
    if (!v) v = member(object, "_buffers", name);
    return v ? v : member(object, NULL, name);
}

/* One constant for one value, however many modules hold it. */
static uc_ref constant(uc_t_call *c, const uc_pickle *value)
{
    uc_graph *g = c->build->graph;
    const uc_str key = {(const char *)&value, sizeof value};
    const uc_tensor *t = NULL;
    if (g->status) return 0;
    uc_ref ref = (uc_ref)(uintptr_t)uc_table_find(c->tree->constants, key);
    if (ref) return ref;
    if (value->kind == UC_PICKLE_ARRAY) {
        t = value->tensor;
    } else if (!uc_t_is_tensor(value)) {
        return 0;
    } else if (uc_t_tensor_of(c->tree->store, value, g->arena, &t, g->error)) {
        g->status = g->error->status;
        return 0;
    }
    ref = uc_t_const(c->build, t);
    const uc_pickle **kept = UC_NEW(g->arena, const uc_pickle *, 1);
    if (!kept) return uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    *kept = value;
    (void)uc_table_put(c->tree->constants, (uc_str){(const char *)kept, sizeof *kept},
                       (void *)(uintptr_t)ref);
    return ref;
}

static uc_ref named(uc_t_call *c, const char *name, const char *suffix)
{
    char text[100];
    (void)snprintf(text, sizeof text, "%.60s%s", name, suffix);
    const uc_pickle *v = tensor_value(c->object, text);
    return v ? constant(c, v) : 0;
}

/* All axes of x but `dim`, -1 keeps none. */
static uc_ref norm_except(uc_t_call *c, uc_ref x, int64_t dim)
{
    uc_t_build *b = c->build;
    int64_t axes[UNCORK_MAX_RANK];
    size_t n = 0;
    const int rank = uc_t_rank(b, x);
    for (int i = 0; i < rank; i++) {
        if (i != dim) axes[n++] = i;
    }
    return uc_t_reduce(b, "ReduceL2", x, axes, n, true);
}

/* The dim that a hook of torch.nn.utils keeps for `name`. */
static int64_t hook_dim(const uc_t_call *c, const char *name)
{
    const uc_pickle *hooks = uc_pickle_attr(c->object, "_forward_pre_hooks");
    int64_t dim = 0;
    for (size_t i = 0; hooks && hooks->kind == UC_PICKLE_DICT && i < hooks->count; i++) {
        const uc_pickle *hook = hooks->items[2 * i + 1];
        const uc_pickle *d = uc_pickle_attr(hook, "dim");
        if (!uc_pickle_is_text(uc_pickle_attr(hook, "name"), name) || !d) continue;
        return uc_pickle_i64(d, &dim) ? dim : -1; /* None: over everything */
    }
    return 0;
}

/* torch.nn.utils.spectral_norm in eval(): divided by u' W v of the last step. */
static uc_ref spectral(uc_t_call *c, const char *name, uc_ref weight, uc_ref u, uc_ref v)
{
    uc_t_build *b = c->build;
    const int64_t dim = hook_dim(c, name), flat[] = {0, -1};
    int64_t perm[UNCORK_MAX_RANK], n = 0;
    const int rank = uc_t_rank(b, weight);
    perm[n++] = dim;
    for (int i = 0; i < rank; i++) {
        if (i != dim) perm[n++] = i;
    }
    const uc_ref matrix = uc_g_reshape(b->graph, uc_t_permute(b, weight, perm, rank), flat, 2);
    return uc_t_div(b, weight, uc_t_matmul(b, u, uc_t_matmul(b, matrix, v)));
}

uc_ref uc_t_tensor(uc_t_call *c, const char *name)
{
    uc_t_build *b = c->build;
    const uc_pickle *own = member(c->object, "_parameters", name);
    if (!own) own = member(c->object, "_buffers", name);
    if (own) return constant(c, own);
    const uc_ref g = named(c, name, "_g"), v = named(c, name, "_v"), orig = named(c, name, "_orig");
    if (g && v) return uc_t_mul(b, v, uc_t_div(b, g, norm_except(c, v, hook_dim(c, name))));
    const uc_ref mask = orig ? named(c, name, "_mask") : 0, u = orig ? named(c, name, "_u") : 0;
    if (mask) return uc_t_mul(b, orig, uc_t_cast(b, mask, uc_t_dtype(b, orig)));
    if (u && v) return spectral(c, name, orig, u, v);
    own = member(c->object, NULL, name);
    return own ? constant(c, own) : 0;
}

/* ---- submodules ---------------------------------------------------------------------------------- */

const uc_pickle *uc_t_child(const uc_t_call *c, const char *name)
{
    return member(c->object, "_modules", name);
}

const uc_pickle *uc_t_child_at(const uc_pickle *object, size_t i, uc_str *name)
{
    const uc_pickle *dict = uc_pickle_attr(object, "_modules");
    if (!dict || dict->kind != UC_PICKLE_DICT || i >= dict->count) return NULL;
    const uc_pickle *key = dict->items[2 * i];
    const bool is = key->kind == UC_PICKLE_TEXT || key->kind == UC_PICKLE_BYTES;
    *name = is ? key->text : (uc_str){"", 0};
    return dict->items[2 * i + 1];
}

void uc_t_set(uc_t_call *c, uc_ref out)
{
    c->out[0] = out;
    c->out_count = 1;
}

uc_ref uc_t_refuse(uc_t_call *c, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return uc_t_fail(c->build, "%s", text);
}

/* Hooks of torch.nn.utils are carried out with the parameter that they make; others may do anything. */
static bool hooks_are_known(const uc_pickle *object)
{
    static const char *const dicts[] = {"_forward_hooks", "_forward_pre_hooks"};
    for (size_t d = 0; d < 2; d++) {
        const uc_pickle *hooks = uc_pickle_attr(object, dicts[d]);
        for (size_t i = 0; hooks && hooks->kind == UC_PICKLE_DICT && i < hooks->count; i++) {
            uc_str module, name;
            const uc_pickle *hook = hooks->items[2 * i + 1];
            if (!uc_t_class_of(hook, &module, &name) || !is_within(module, "torch.nn.utils"))
                return false;
        }
    }
    return true;
}

static const char *class_path(const uc_pickle *object, uc_arena *arena)
{
    uc_str module = {"", 0}, name = {"", 0};
    if (!uc_t_class_of(object, &module, &name)) return uc_pickle_type_name(object, arena);
    return uc_arena_printf(arena, "%.*s.%.*s", (int)(module.size < 100 ? module.size : 100),
                           module.data, (int)(name.size < 100 ? name.size : 100), name.data);
}

static size_t inputs_wanted(const uc_t_module_row *row)
{
    size_t n = 1;
    for (const char *p = row->inputs; *p; p++) {
        n += *p == ',';
    }
    return n;
}

bool uc_t_call_module(uc_t_tree *tree, const uc_pickle *object, const char *path, const uc_ref *in,
                      size_t in_count, uc_t_call *done)
{
    uc_t_build *b = tree->build;
    uc_graph *g = b->graph;
    const uc_t_module_row *row = row_of(object);
    const char *type = class_path(object, g->arena), *before = g->where;
    *done = (uc_t_call){.tree = tree,
                        .build = b,
                        .row = row,
                        .object = object,
                        .path = path,
                        .in = in,
                        .in_count = in_count};
    if (g->status) return false;
    g->where = uc_arena_printf(g->arena, "%s (%s)", *path ? path : "model", type ? type : "?");
    if (!row)
        uc_t_fail(b, "the class %s isn't known", type ? type : "?");
    else if (!hooks_are_known(object))
        uc_t_fail(b, "the module has hooks, which run code");
    else if (in_count < inputs_wanted(row))
        uc_t_fail(b, "it is called on %zu values, it takes %s", in_count, row->inputs);
    else if (tree->calls++ >= MAX_CALLS)
        uc_t_fail(b, "more than %d modules are called", MAX_CALLS);
    else if (tree->depth >= MAX_DEPTH)
        uc_t_fail(b, "modules nest more than %d deep", MAX_DEPTH);
    if (!g->status) {
        tree->depth++;
        row->emit(done);
        tree->depth--;
    }
    if (!g->status && (!done->out_count || !done->out[0])) uc_t_fail(b, "it gives nothing");
    if (!g->status) g->where = before;
    return !g->status;
}

uc_ref uc_t_run_object(uc_t_call *c, const uc_pickle *object, const char *name, uc_ref x)
{
    uc_t_call done;
    const char *path =
        uc_arena_printf(c->build->graph->arena, "%s%s%s", c->path, *c->path ? "." : "", name);
    if (!uc_t_call_module(c->tree, object, path ? path : name, &x, 1, &done)) return 0;
    return done.out_count == 1 ? done.out[0]
                               : uc_t_refuse(c, "'%s' gives %zu values", name, done.out_count);
}

uc_ref uc_t_run(uc_t_call *c, const char *name, uc_ref x)
{
    const uc_pickle *sub = uc_t_child(c, name);
    return sub ? uc_t_run_object(c, sub, name, x) : uc_t_refuse(c, "it has no '%s'", name);
}

uc_ref uc_t_run_maybe(uc_t_call *c, const char *name, uc_ref x)
{
    const uc_pickle *sub = uc_t_child(c, name);
    return sub ? uc_t_run_object(c, sub, name, x) : x;
}

uc_ref uc_t_run_all(uc_t_call *c, uc_ref x)
{
    uc_str name;
    const uc_pickle *sub;
    for (size_t i = 0; (sub = uc_t_child_at(c->object, i, &name)) != NULL; i++) {
        char text[100];
        (void)snprintf(text, sizeof text, "%.*s", (int)(name.size < 90 ? name.size : 90),
                       name.data);
        x = uc_t_run_object(c, sub, text, x);
        if (!x) return 0;
    }
    return x;
}

uc_ref uc_t_function(uc_t_call *c, const uc_pickle *function, uc_ref x)
{
    if (function->kind == UC_PICKLE_OBJECT) return uc_t_run_object(c, function, "activation", x);
    if (function->kind != UC_PICKLE_SYMBOL) return uc_t_refuse(c, "its activation is no function");
    char name[60];
    (void)snprintf(name, sizeof name, "%.*s",
                   (int)(function->text.size < 50 ? function->text.size : 50), function->text.data);
    if (!is_within(function->module, "torch"))
        return uc_t_refuse(c, "its activation %s isn't one of PyTorch's", name);
    return uc_t_act(c->build, name, x);
}

/* ---- containers ---------------------------------------------------------------------------------- */

/* Not run_all: the last may give several values (an LSTM). */
void uc_t_m_sequential(uc_t_call *c)
{
    uc_ref x = c->in[0];
    uc_str name;
    const uc_pickle *sub;
    uc_t_call done = {.out = {x}, .out_count = 1};
    for (size_t i = 0; (sub = uc_t_child_at(c->object, i, &name)) != NULL; i++) {
        const char *path =
            uc_arena_printf(c->build->graph->arena, "%s%s%.*s", c->path, *c->path ? "." : "",
                            (int)(name.size < 90 ? name.size : 90), name.data);
        if (done.out_count != 1) {
            uc_t_refuse(c, "'%s' is given %zu values", path ? path : "", done.out_count);
            return;
        }
        x = done.out[0];
        if (!uc_t_call_module(c->tree, sub, path ? path : "", &x, 1, &done)) return;
    }
    memcpy(c->out, done.out, sizeof c->out);
    c->out_count = done.out_count;
}

void uc_t_m_data_parallel(uc_t_call *c)
{
    uc_t_call done;
    const uc_pickle *sub = uc_t_child(c, c->row->word);
    if (!sub) {
        uc_t_refuse(c, "it holds no module");
        return;
    }
    if (!uc_t_call_module(c->tree, sub, c->path, c->in, c->in_count, &done)) return;
    memcpy(c->out, done.out, sizeof c->out);
    memcpy(c->keys, done.keys, sizeof c->keys);
    c->out_count = done.out_count;
}
