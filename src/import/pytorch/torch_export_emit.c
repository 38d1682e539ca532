/* A program of torch.export as graph nodes: its values by name, every node a call of aten's table. What
 * takes the place of a symbol is computed where the sizes are only known when the model runs. */
#include "import/pytorch/script_eval.h"
#include "import/pytorch/torch_export.h"
#include "import/pytorch/torch_export_core.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { MOST_ARGS = 64, MAX_DEPTH = 20, SYMBOLS = 64 };

typedef struct program {
    const uc_export *x;
    uc_py_eval ev;
    uc_arena *arena;
    const struct uc_import_options *options;
    const char *symbols[SYMBOLS]; /* names of dimensions; symbol i is -2 - i */
    int symbol_count;
    int depth;
} program;

/* The values of one graph. */
typedef struct scope {
    program *p;
    const uc_json *graph;
    uc_py_map values;
} scope;

static uc_pv unset(void) { return UC_PV(UC_PV_UNSET); }

static const char *name_of(program *p, uc_str s)
{
    char *text = s.size && s.size < 300 ? uc_arena_copy(p->arena, s.data, s.size) : NULL;
    return text ? uc_py_id(&p->ev, text) : "";
}

static void put(scope *s, const char *name, uc_pv value)
{
    if (!uc_py_map_put(s->p->arena, &s->values, name, value))
        uc_py_fail_as(&s->p->ev, UNCORK_NO_MEMORY, "memory is out");
}

static uc_pv find(scope *s, uc_str text)
{
    const char *name = name_of(s->p, text);
    const uc_pv *v = uc_py_map_find(&s->values, name);
    return v ? *v : uc_py_fail(&s->p->ev, "the value '%.80s' isn't made before it is used", name);
}

/* ---- arguments ----------------------------------------------------------------------------------- */

/* The one member of a union: {"as_tensor": ...}; NULL and an empty key where there is none. */
static const uc_json *member(const uc_json *json, uc_str *key)
{
    *key = (uc_str){"", 0};
    if (!json || json->kind != UC_JSON_OBJECT || json->count == 0) return NULL;
    *key = json->keys[0];
    return json->items[0];
}

static uc_pv list_of(scope *s, const uc_json *json, uc_pv (*item)(scope *, const uc_json *))
{
    const size_t n = uc_json_count(json);
    uc_py_list *list = uc_py_list_new(&s->p->ev, n);
    if (!list) return uc_py_fail_as(&s->p->ev, UNCORK_NO_MEMORY, "memory is out");
    if (json->kind == UC_JSON_NUMBERS) {
        for (size_t i = 0; i < n; i++) {
            const uc_tensor *t = json->numbers;
            const uc_pv v = t->dtype == UNCORK_INT64 ? uc_pv_int(((const int64_t *)t->data)[i])
                                                     : uc_pv_float(((const double *)t->data)[i]);
            (void)uc_py_list_add(s->p->arena, list, v);
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            (void)uc_py_list_add(s->p->arena, list, item(s, uc_json_at(json, i)));
        }
    }
    uc_pv v = UC_PV(UC_PV_LIST);
    v.list = list;
    return v;
}

static uc_pv tensor_item(scope *s, const uc_json *json)
{
    return find(s, uc_json_str(uc_json_get(json, "name"), ""));
}

static uc_pv argument(scope *s, const uc_json *json);

/* {"as_int": 3} or {"as_name": "s"} (with the kinds of floats and booleans), a member of a list too. */
static uc_pv symbolic(scope *s, const uc_json *json)
{
    uc_str key;
    const uc_json *v = member(json, &key);
    if (!v) return uc_py_fail(&s->p->ev, "a size that can't be read");
    if (uc_str_is(key, "as_name")) return find(s, uc_json_str(v, ""));
    return argument(s, json);
}

static uc_pv plain(scope *s, const uc_json *json)
{
    const uc_json_kind kind = json ? json->kind : UC_JSON_NULL;
    if (kind == UC_JSON_BOOL) return uc_pv_bool(json->boolean);
    if (kind == UC_JSON_INT) return uc_pv_int(json->integer);
    if (kind == UC_JSON_FLOAT) return uc_pv_float(json->number);
    if (kind != UC_JSON_STRING) return uc_pv_none();
    if (uc_str_is(json->string, "Infinity")) return uc_pv_float((double)INFINITY);
    if (uc_str_is(json->string, "-Infinity")) return uc_pv_float((double)-INFINITY);
    if (uc_str_is(json->string, "NaN")) return uc_pv_float((double)NAN);
    return uc_pv_text(s->p->arena, json->string);
}

/* {"as_tensor": {"name"}} or {"as_none": true}. */
static uc_pv optional_item(scope *s, const uc_json *json)
{
    uc_str key;
    const uc_json *v = member(json, &key);
    if (v && uc_str_is(key, "as_tensor")) return tensor_item(s, v);
    return uc_pv_none();
}

/* A torch.dtype: of the schema's own numbering. */
static uc_pv dtype_of(scope *s, const uc_json *json)
{
    static const int8_t aten[] = {
        [0] = -1, [1] = 0, [2] = 1, [3] = 2,  [4] = 3,   [5] = 4,   [6] = 5,
        [7] = 6,  [8] = 7, [9] = 8, [10] = 9, [11] = 10, [12] = 11, [13] = 15};
    const int64_t code = uc_json_i64(json, -1);
    if (code < 1 || code >= (int64_t)sizeof aten)
        return uc_py_fail(&s->p->ev, "an element type of number %" PRId64, code);
    return (uc_pv){.kind = UC_PV_DTYPE, .i = aten[code]};
}

static uc_pv argument(scope *s, const uc_json *json)
{
    uc_str key;
    const uc_json *v = member(json, &key);
    if (!v) return uc_py_fail(&s->p->ev, "an argument that can't be read");
    if (uc_str_is(key, "as_tensor")) return tensor_item(s, v);
    if (uc_str_is(key, "as_tensors")) return list_of(s, v, tensor_item);
    if (uc_str_is(key, "as_optional_tensor")) return optional_item(s, v);
    if (uc_str_is(key, "as_optional_tensors")) return list_of(s, v, optional_item);
    if (uc_str_is(key, "as_sym_int") || uc_str_is(key, "as_sym_bool") ||
        uc_str_is(key, "as_sym_float"))
        return symbolic(s, v);
    if (uc_str_is(key, "as_sym_ints") || uc_str_is(key, "as_sym_bools") ||
        uc_str_is(key, "as_sym_floats"))
        return list_of(s, v, symbolic);
    if (uc_str_is(key, "as_ints") || uc_str_is(key, "as_floats") || uc_str_is(key, "as_bools") ||
        uc_str_is(key, "as_strings"))
        return list_of(s, v, plain);
    if (uc_str_is(key, "as_int") || uc_str_is(key, "as_float") || uc_str_is(key, "as_bool") ||
        uc_str_is(key, "as_string"))
        return plain(s, v);
    if (uc_str_is(key, "as_scalar_type")) return dtype_of(s, v);
    if (uc_str_is(key, "as_none") || uc_str_is(key, "as_device") || uc_str_is(key, "as_layout") ||
        uc_str_is(key, "as_memory_format"))
        return uc_pv_none();
    if (uc_str_is(key, "as_nested_tensors") || uc_str_is(key, "as_int_lists"))
        return list_of(s, v, plain);
    return uc_py_fail(&s->p->ev, "an argument of kind '%.*s'", (int)(key.size < 40 ? key.size : 40),
                      key.data);
}

/* ---- results ------------------------------------------------------------------------------------- */

static void bind_one(scope *s, const uc_json *out, uc_pv value)
{
    uc_str key;
    const uc_json *v = member(out, &key);
    if (!v || uc_str_is(key, "as_none")) return;
    uc_str name = uc_json_str(uc_json_get(v, "name"), "");
    if (!name.size) name = uc_json_str(uc_json_get(v, "as_name"), "");
    if (name.size) put(s, name_of(s->p, name), value);
}

/* A call's results under the names of its outputs. */
static void bind(scope *s, const uc_json *outs, uc_pv value)
{
    uc_str key = {NULL, 0};
    const size_t n = uc_json_count(outs);
    const uc_json *first = uc_json_at(outs, 0), *v = n == 1 ? member(first, &key) : NULL;
    if (n == 0 || s->p->ev.failed) return;
    const bool list = v && (uc_str_is(key, "as_tensors") || uc_str_is(key, "as_optional_tensors"));
    if (list && uc_pv_is_list(value)) {
        for (size_t i = 0; i < uc_json_count(v) && i < value.list->count; i++) {
            const uc_json *item = uc_json_at(v, i), *inner = uc_json_get(item, "as_tensor");
            const uc_str name = uc_json_str(uc_json_get(inner ? inner : item, "name"), "");
            if (name.size) put(s, name_of(s->p, name), value.list->items[i]);
        }
        return;
    }
    if (n == 1 && !(uc_pv_is_list(value) && value.kind == UC_PV_TUPLE)) {
        bind_one(s, first, value);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!uc_pv_is_list(value) || i >= value.list->count) {
            uc_py_fail(&s->p->ev, "it gives fewer values than the program takes");
            return;
        }
        bind_one(s, uc_json_at(outs, i), value.list->items[i]);
    }
}

/* ---- nodes --------------------------------------------------------------------------------------- */

static bool run_graph(scope *s);

static bool begins(uc_str s, const char *prefix)
{
    const size_t n = strlen(prefix);
    return s.size > n && memcmp(s.data, prefix, n) == 0;
}

/* "conv2d" of "conv2d.default". */
static const char *operator_of(program *p, uc_str target, size_t skip)
{
    const char *from = target.data + skip;
    const size_t left = target.size - skip;
    const char *dot = memchr(from, '.', left);
    return name_of(p, (uc_str){from, dot ? (size_t)(dot - from) : left});
}

/* Positional ones in order, the others by name. */
static bool read_args(scope *s, const uc_json *inputs, uc_py_args *args)
{
    program *p = s->p;
    const size_t n = uc_json_count(inputs);
    if (n > MOST_ARGS) {
        uc_py_fail(&p->ev, "it takes %zu arguments", n);
        return false;
    }
    *args = (uc_py_args){.items = UC_NEW(p->arena, uc_pv, n + 1),
                         .names = UC_NEW(p->arena, const char *, n + 1),
                         .values = UC_NEW(p->arena, uc_pv, n + 1)};
    if (!args->items || !args->names || !args->values) return false;
    for (size_t i = 0; i < n && !p->ev.failed; i++) {
        const uc_json *in = uc_json_at(inputs, i);
        const uc_json *arg = uc_json_get(in, "arg");
        const uc_str name = uc_json_str(uc_json_get(in, "name"), "");
        const bool keyword = uc_json_i64(uc_json_get(in, "kind"), 1) == 2;
        const uc_pv v = argument(s, arg);
        if (!keyword && args->named == 0) {
            args->items[args->count++] = v;
        } else {
            args->names[args->named] = name_of(p, name);
            args->values[args->named++] = v;
        }
    }
    return !p->ev.failed;
}

/* _operator.add, torch.sym_max, math.ceil: on sizes. */
static uc_pv call_python(scope *s, uc_str target, const uc_py_args *args)
{
    static const struct {
        const char *name;
        uc_py_op op;
    } binary[] = {{"add", UC_PY_ADD},     {"sub", UC_PY_SUB},
                  {"mul", UC_PY_MUL},     {"floordiv", UC_PY_FLOORDIV},
                  {"mod", UC_PY_MOD},     {"pow", UC_PY_POW},
                  {"truediv", UC_PY_DIV}, {"eq", UC_PY_EQ},
                  {"ne", UC_PY_NE},       {"lt", UC_PY_LT},
                  {"le", UC_PY_LE},       {"gt", UC_PY_GT},
                  {"ge", UC_PY_GE},       {"and_", UC_PY_AND},
                  {"or_", UC_PY_OR}};
    uc_py_eval *ev = &s->p->ev;
    const char *dot = NULL;
    for (size_t i = 0; i < target.size; i++) {
        if (target.data[i] == '.') dot = target.data + i;
    }
    const uc_str name =
        dot ? (uc_str){dot + 1, target.size - (size_t)(dot + 1 - target.data)} : target;
    for (size_t i = 0; args->count == 2 && i < sizeof binary / sizeof binary[0]; i++) {
        if (!uc_str_is(name, binary[i].name)) continue;
        return binary[i].op >= UC_PY_EQ
                   ? uc_py_compare(ev, binary[i].op, args->items[0], args->items[1])
                   : uc_py_binary(ev, binary[i].op, args->items[0], args->items[1]);
    }
    if (uc_str_is(name, "neg") && args->count == 1)
        return uc_py_unary(ev, UC_PY_NEG, args->items[0]);
    if (uc_str_is(name, "getitem") && args->count == 2)
        return uc_py_index(ev, args->items[0], args->items[1]);
    if (uc_str_is(name, "sym_max")) return uc_py_builtin(ev, "max", args);
    if (uc_str_is(name, "sym_min")) return uc_py_builtin(ev, "min", args);
    if (uc_str_is(name, "sym_float")) return uc_py_builtin(ev, "float", args);
    if (uc_str_is(name, "sym_int") || uc_str_is(name, "trunc"))
        return uc_py_builtin(ev, "int", args);
    if (uc_str_is(name, "sym_not")) return uc_py_unary(ev, UC_PY_NOT, args->items[0]);
    return unset();
}

/* What checks sizes and values while PyTorch runs, and makes nothing. */
static bool only_checks(const char *name)
{
    static const char *const names[] = {"_assert_scalar",
                                        "_assert_async",
                                        "_assert_tensor_metadata",
                                        "sym_constrain_range",
                                        "sym_constrain_range_for_size",
                                        "_check_is_size",
                                        "_functional_assert_async"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) return true;
    }
    return false;
}

static uc_pv call_operator(scope *s, uc_str target, const uc_json *node)
{
    program *p = s->p;
    uc_py_args args;
    uc_pv v = unset();
    char space[40] = "aten";
    if (begins(target, "torch.ops.")) {
        const char *from = target.data + 10;
        const char *dot = memchr(from, '.', target.size - 10);
        const size_t n = dot ? (size_t)(dot - from) : 0;
        if (!n || n >= sizeof space) return uc_py_fail(&p->ev, "an operator without a name");
        memcpy(space, from, n);
        space[n] = 0;
        const char *name = operator_of(p, target, 10 + n + 1);
        if (strcmp(space, "aten") == 0 && only_checks(name)) return uc_pv_none();
        if (!read_args(s, uc_json_get(node, "inputs"), &args)) return uc_pv_none();
        if (strcmp(name, "sym_size") == 0) name = "size";
        if (strcmp(name, "sym_numel") == 0) name = "numel";
        v = uc_aten_run(&p->ev, space, name, &args);
        if (v.kind == UC_PV_UNSET && !p->ev.failed && strcmp(space, "aten") == 0)
            v = uc_export_core(&p->ev, name, &args);
    } else if (read_args(s, uc_json_get(node, "inputs"), &args)) {
        v = call_python(s, target, &args);
    }
    if (v.kind == UC_PV_UNSET && !p->ev.failed)
        return uc_py_fail(&p->ev, "the operator %.*s isn't known",
                          (int)(target.size < 120 ? target.size : 120), target.data);
    return v;
}

/* ---- graphs within ------------------------------------------------------------------------------- */

/* Values that a graph's inputs are bound to. */
static bool bind_inputs(scope *inner, const uc_pv *values, size_t count)
{
    const uc_json *inputs = uc_json_get(inner->graph, "inputs");
    if (uc_json_count(inputs) != count) {
        uc_py_fail(&inner->p->ev, "a graph of %zu inputs is given %zu", uc_json_count(inputs),
                   count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bind_one(inner, uc_json_at(inputs, i), values[i]);
    }
    return !inner->p->ev.failed;
}

/* The outputs of a graph whose inputs are bound, as a tuple. */
static uc_pv outputs_of(scope *inner)
{
    const uc_json *outs = uc_json_get(inner->graph, "outputs");
    const size_t n = uc_json_count(outs);
    uc_pv *items = UC_NEW(inner->p->arena, uc_pv, n + 1);
    for (size_t i = 0; items && i < n; i++) {
        items[i] = argument(inner, uc_json_at(outs, i));
    }
    return items ? uc_pv_list(&inner->p->ev, UC_PV_TUPLE, items, n) : uc_pv_none();
}

static const uc_json *graph_argument(const uc_json *inputs, size_t i)
{
    return uc_json_path(uc_json_at(inputs, i), "arg.as_graph.graph");
}

static bool enter(program *p)
{
    if (++p->depth <= MAX_DEPTH) return true;
    uc_py_fail(&p->ev, "graphs nest more than %d deep", MAX_DEPTH);
    return false;
}

/* The graph's nodes in the graph at hand. */
static uc_pv inline_graph(scope *s, const uc_json *graph, const uc_pv *values, size_t count)
{
    program *p = s->p;
    scope inner = {.p = p, .graph = graph};
    uc_pv out = uc_pv_none();
    if (!graph || !enter(p)) return graph ? out : uc_py_fail(&p->ev, "a graph is missing");
    if (bind_inputs(&inner, values, count) && run_graph(&inner)) out = outputs_of(&inner);
    p->depth--;
    return out;
}

/* A body whose inputs are the operands: fills *made, and the types of outputs are what they are. */
static uc_graph *make_body(scope *s, const uc_json *graph, const uc_ref *refs, const uc_pv *given,
                           size_t count, size_t *out_count, bool loop, const uc_json *condition)
{
    program *p = s->p;
    uc_py_eval *ev = &p->ev;
    uc_graph *outer = ev->level->graph;
    uc_graph *g = uc_graph_new(outer->arena, outer->budget, outer->error);
    uc_py_level *level = UC_NEW(p->arena, uc_py_level, 1);
    uc_pv *values = UC_NEW(p->arena, uc_pv, count + 1);
    uc_look *look = &ev->level->build.look;
    if (!g || !level || !values) {
        uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
        return NULL;
    }
    uc_tensor *types = UC_NEW(p->arena, uc_tensor, count + 1);
    for (size_t i = 0; types && i < count; i++) {
        types[i] = uc_look_at(look, refs[i])->tensor;
    }
    if (!types || !uc_py_level_open(ev, level, g)) return NULL;
    if (loop) {
        (void)uc_graph_input(g, "iteration", UNCORK_INT64, 0, NULL);
        (void)uc_graph_input(g, "goes_on", UNCORK_BOOL, 0, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        const uc_ref in = uc_graph_input(g, uc_arena_printf(g->arena, "in_%zu", i), types[i].dtype,
                                         types[i].rank, types[i].shape);
        const bool number = given[i].kind == UC_PV_INT || given[i].kind == UC_PV_FLOAT ||
                            given[i].kind == UC_PV_BOOL;
        values[i] = number ? uc_py_symbol(ev, (uc_pv_kind)given[i].kind, in) : uc_py_tensor(ev, in);
    }
    const uc_pv outs = inline_graph(s, graph, values, count);
    const size_t n = uc_pv_is_list(outs) ? outs.list->count : 0;
    if (!ev->failed && loop) {
        uc_pv *next = UC_NEW(p->arena, uc_pv, count + 1);
        for (size_t i = 0; next && i < count; i++) {
            next[i] = i < n ? outs.list->items[i] : values[i];
        }
        const uc_pv goes = next ? inline_graph(s, condition, next, count) : uc_pv_none();
        if (!ev->failed && uc_pv_is_list(goes) && goes.list->count == 1) {
            const int64_t scalar[] = {0};
            uc_graph_output(
                g, "next",
                uc_g_reshape(g, uc_py_ref_of(ev, goes.list->items[0], UNCORK_BOOL), scalar, 0));
        } else {
            uc_py_fail(ev, "a loop's condition gives no single value");
        }
    }
    for (size_t i = 0; !ev->failed && i < n; i++) {
        const uc_ref ref = uc_py_ref_of(ev, outs.list->items[i], UNCORK_DTYPE_NONE);
        uc_graph_output(g, uc_arena_printf(g->arena, "out_%zu", i), uc_g1(g, "Identity", ref));
    }
    *out_count = n;
    uc_py_level_close(ev, level);
    if (g->status && !ev->failed) uc_py_fail_as(ev, g->status, "a graph within");
    return ev->failed ? NULL : g;
}

/* The list of an argument, from position i on. */
static bool operands(scope *s, const uc_json *inputs, size_t i, uc_pv *values, size_t *count)
{
    const uc_pv v = i < uc_json_count(inputs)
                        ? argument(s, uc_json_get(uc_json_at(inputs, i), "arg"))
                        : uc_pv_none();
    if (v.kind == UC_PV_NONE) return !s->p->ev.failed;
    if (!uc_pv_is_list(v) || *count + v.list->count > MOST_ARGS) {
        uc_py_fail(&s->p->ev, "its operands aren't a list");
        return false;
    }
    for (size_t k = 0; k < v.list->count; k++) {
        values[(*count)++] = v.list->items[k];
    }
    return !s->p->ev.failed;
}

static uc_pv node_outputs(scope *s, const uc_node *n, size_t count, const uc_pv *like)
{
    uc_pv items[MOST_ARGS];
    for (size_t i = 0; i < count && i < MOST_ARGS; i++) {
        const uc_ref y = uc_node_out(n, i);
        const bool number = like && like[i].kind == UC_PV_INT;
        items[i] = number ? uc_py_symbol(&s->p->ev, UC_PV_INT, y) : uc_py_tensor(&s->p->ev, y);
    }
    return uc_pv_list(&s->p->ev, UC_PV_TUPLE, items, count);
}

/* cond(predicate, true graph, false graph, operands) */
static uc_pv run_cond(scope *s, const uc_json *inputs)
{
    program *p = s->p;
    uc_py_eval *ev = &p->ev;
    uc_pv values[MOST_ARGS], symbol;
    uc_ref refs[MOST_ARGS + 1];
    size_t count = 0, yes_count = 0, no_count = 0;
    const uc_json *graphs[2] = {graph_argument(inputs, 1), graph_argument(inputs, 2)};
    const uc_pv condition = argument(s, uc_json_get(uc_json_at(inputs, 0), "arg"));
    if (!graphs[0] || !graphs[1]) return uc_py_fail(ev, "cond without its graphs");
    if (!operands(s, inputs, 3, values, &count)) return uc_pv_none();
    const int known = uc_py_truth(ev, condition, &symbol);
    if (known == -2) return uc_pv_none();
    if (known >= 0) return inline_graph(s, graphs[known ? 0 : 1], values, count);
    const int64_t scalar[] = {0};
    refs[0] = uc_g_reshape(ev->level->graph, uc_py_ref_of(ev, symbol, UNCORK_BOOL), scalar, 0);
    for (size_t i = 0; i < count; i++) {
        refs[i + 1] = uc_py_ref_of(ev, values[i], UNCORK_DTYPE_NONE);
    }
    uc_graph *yes = ev->failed
                        ? NULL
                        : make_body(s, graphs[0], refs + 1, values, count, &yes_count, false, NULL);
    uc_graph *no =
        yes ? make_body(s, graphs[1], refs + 1, values, count, &no_count, false, NULL) : NULL;
    if (!no) return uc_pv_none();
    if (yes_count != no_count || yes_count == 0 || yes_count > MOST_ARGS)
        return uc_py_fail(ev, "cond's graphs give %zu and %zu values", yes_count, no_count);
    uc_graph *g = ev->level->graph;
    uc_node *n = uc_graph_node(g, "If", refs, count + 1, yes_count);
    uc_node_graph(g, n, "then_branch", yes);
    uc_node_graph(g, n, "else_branch", no);
    uc_node_int(g, n, "captures", (int64_t)count);
    return node_outputs(s, n, yes_count, NULL);
}

/* while_loop(condition graph, body graph, carried, additional): additional ones stay as they are. */
static uc_pv run_while(scope *s, const uc_json *inputs)
{
    program *p = s->p;
    uc_py_eval *ev = &p->ev;
    uc_pv values[MOST_ARGS];
    uc_ref refs[MOST_ARGS + 2];
    size_t count = 0, carried, outs = 0;
    const uc_json *condition = graph_argument(inputs, 0), *body = graph_argument(inputs, 1);
    if (!condition || !body) return uc_py_fail(ev, "while_loop without its graphs");
    if (!operands(s, inputs, 2, values, &count)) return uc_pv_none();
    carried = count;
    if (!operands(s, inputs, 3, values, &count)) return uc_pv_none();
    for (size_t i = 0; i < count; i++) {
        refs[i + 2] = uc_py_ref_of(ev, values[i], UNCORK_DTYPE_NONE);
    }
    if (ev->failed) return uc_pv_none();
    uc_graph *loop = make_body(s, body, refs + 2, values, count, &outs, true, condition);
    if (!loop) return uc_pv_none();
    if (outs != carried)
        return uc_py_fail(ev, "a loop's body gives %zu values for %zu", outs, carried);
    const uc_pv goes = inline_graph(s, condition, values, count);
    if (ev->failed || !uc_pv_is_list(goes) || goes.list->count != 1)
        return uc_py_fail(ev, "a loop's condition gives no single value");
    const int64_t scalar[] = {0};
    uc_graph *g = ev->level->graph;
    refs[0] = 0;
    refs[1] = uc_g_reshape(g, uc_py_ref_of(ev, goes.list->items[0], UNCORK_BOOL), scalar, 0);
    uc_node *n = uc_graph_node(g, "Loop", refs, count + 2, carried);
    uc_node_graph(g, n, "body", loop);
    uc_node_int(g, n, "captures", (int64_t)(count - carried));
    return node_outputs(s, n, carried, values);
}

/* wrap_with_set_grad_enabled(flag, graph, ...), wrap_with_autocast(device, dtype, on, cache, graph, ...):
 * the graph as it stands. */
static uc_pv run_wrapped(scope *s, const uc_json *inputs)
{
    uc_pv values[MOST_ARGS];
    const size_t n = uc_json_count(inputs);
    size_t count = 0;
    const uc_json *graph = NULL;
    for (size_t i = 0; i < n && n <= MOST_ARGS; i++) {
        if (!graph) {
            graph = graph_argument(inputs, i);
            continue;
        }
        values[count++] = argument(s, uc_json_get(uc_json_at(inputs, i), "arg"));
    }
    return inline_graph(s, graph, values, count);
}

static uc_pv run_higher(scope *s, uc_str target, const uc_json *node)
{
    const uc_json *inputs = uc_json_get(node, "inputs");
    const char *name = operator_of(s->p, target, 23);
    if (strcmp(name, "cond") == 0) return run_cond(s, inputs);
    if (strcmp(name, "while_loop") == 0) return run_while(s, inputs);
    if (strncmp(name, "wrap", 4) == 0 && strcmp(name, "wrap_with_autocast") != 0)
        return run_wrapped(s, inputs);
    return uc_py_fail(&s->p->ev, "the higher-order operator '%.60s' isn't known", name);
}

/* ---- the graph ----------------------------------------------------------------------------------- */

static bool run_graph(scope *s)
{
    program *p = s->p;
    const uc_json *nodes = uc_json_get(s->graph, "nodes");
    for (size_t i = 0; i < uc_json_count(nodes) && !p->ev.failed; i++) {
        const uc_json *node = uc_json_at(nodes, i);
        const uc_str target = uc_json_str(uc_json_get(node, "target"), "");
        p->ev.line = (uint32_t)(i + 1);
        const bool higher = begins(target, "torch.ops.higher_order.");
        const uc_pv v = higher ? run_higher(s, target, node) : call_operator(s, target, node);
        bind(s, uc_json_get(node, "outputs"), v);
    }
    return !p->ev.failed;
}

/* ---- inputs -------------------------------------------------------------------------------------- */

/* "Symbol('s77', ...)" or "s77": a dimension of its own; else it is only unknown. */
static int64_t symbol_dim(program *p, uc_str expression)
{
    static const char head[] = "Symbol('";
    uc_str name = expression;
    if (begins(expression, head)) {
        const char *end = memchr(expression.data + 8, '\'', expression.size - 8);
        if (!end) return -1;
        name = (uc_str){expression.data + 8, (size_t)(end - expression.data - 8)};
        if (memchr(end, '(', expression.size - (size_t)(end - expression.data))) return -1;
    }
    for (size_t i = 0; i < name.size; i++) {
        const char c = name.data[i];
        if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z')))
            return -1;
    }
    const char *text = name_of(p, name);
    int at = 0;
    while (at < p->symbol_count && strcmp(p->symbols[at], text) != 0) {
        at++;
    }
    if (at == SYMBOLS || !*text) return -1;
    if (at == p->symbol_count) p->symbols[p->symbol_count++] = text;
    return -2 - at;
}

/* The input, refused where a symbol's size is outside of its range. From 0 or 1 on isn't asked for: PyTorch
 * takes these sizes too (torch/_export/utils.py, _check_input_constraints_for_graph). */
static uc_ref in_range(program *p, const char *name, uc_ref x, const int64_t *shape, size_t rank)
{
    uc_graph *g = p->ev.level->graph;
    const uc_json *ranges = uc_json_get(p->x->program, "range_constraints");
    int64_t axes[UNCORK_MAX_RANK], least[UNCORK_MAX_RANK], most[UNCORK_MAX_RANK];
    size_t n = 0;
    for (size_t i = 0; i < rank; i++) {
        if (shape[i] > -2) continue;
        const uc_json *range = uc_json_get(ranges, p->symbols[-2 - shape[i]]);
        const uc_json *low = uc_json_get(range, "min_val"), *high = uc_json_get(range, "max_val");
        least[n] = low && low->kind == UC_JSON_INT && low->integer > 2 ? low->integer : 0;
        most[n] = high && high->kind == UC_JSON_INT ? high->integer : INT64_MAX;
        axes[n] = (int64_t)i;
        if (least[n] > 0 || most[n] < INT32_MAX) n++;
    }
    if (!n) return x;
    uc_node *node = uc_graph_node(g, "uncork.ShapeRange", &x, 1, 1);
    uc_node_ints(g, node, "axes", axes, n);
    uc_node_ints(g, node, "least", least, n);
    uc_node_ints(g, node, "most", most, n);
    uc_node_str(g, node, "name", name);
    return uc_node_out(node, 0);
}

static uc_pv declare(program *p, const char *name)
{
    uc_graph *g = p->ev.level->graph;
    const uc_json *values = uc_json_get(p->x->graph, "tensor_values");
    const uc_json *meta = uc_json_get(values, name), *sizes = uc_json_get(meta, "sizes");
    const uncork_dtype dtype = uc_export_dtype(uc_json_i64(uc_json_get(meta, "dtype"), 0));
    int64_t shape[UNCORK_MAX_RANK];
    const size_t rank = uc_json_count(sizes);
    if (!meta || !dtype || rank > UNCORK_MAX_RANK)
        return uc_py_fail(&p->ev, "the input '%.80s' has no known type", name);
    for (size_t i = 0; i < rank; i++) {
        const uc_json *dim = uc_json_at(sizes, i), *number = uc_json_get(dim, "as_int");
        const uc_str expression = uc_json_str(uc_json_path(dim, "as_expr.expr_str"), "");
        shape[i] = number ? uc_json_i64(number, -1) : symbol_dim(p, expression);
    }
    const uc_ref in = uc_graph_input(g, name, dtype, (int)rank, shape);
    return uc_py_tensor(&p->ev, in_range(p, name, in, shape, rank));
}

static uc_pv stored(program *p, const uc_t_state *from, uc_str name)
{
    const char *text = name_of(p, name);
    const uc_tensor *t = from ? uc_t_state_find(from, text) : NULL;
    if (!t && p->x->constants) t = uc_t_state_find(p->x->constants, text);
    if (!t) return uc_py_fail(&p->ev, "the tensor '%.100s' isn't in the archive", text);
    return uc_py_constant(&p->ev, t);
}

static void bind_user_input(scope *s, const uc_json *spec)
{
    program *p = s->p;
    uc_str key;
    const uc_json *v = member(uc_json_get(spec, "arg"), &key);
    if (!v) return; /* None */
    const char *name = name_of(p, uc_json_str(uc_json_get(v, "name"), ""));
    if (uc_str_is(key, "as_tensor")) {
        put(s, name, declare(p, name));
    } else if (uc_str_is(key, "as_sym_int")) {
        name = name_of(p, uc_json_str(uc_json_get(v, "as_name"), ""));
        const uc_ref in = uc_graph_input(p->ev.level->graph, name, UNCORK_INT64, 0, NULL);
        put(s, name, uc_py_symbol(&p->ev, UC_PV_INT, in));
    }
}

static void bind_signature(scope *s)
{
    program *p = s->p;
    const uc_json *specs = uc_json_get(p->x->signature, "input_specs");
    for (size_t i = 0; i < uc_json_count(specs) && !p->ev.failed; i++) {
        uc_str key;
        const uc_json *spec = member(uc_json_at(specs, i), &key);
        const char *name = name_of(p, uc_json_str(uc_json_path(spec, "arg.name"), ""));
        if (uc_str_is(key, "user_input")) {
            bind_user_input(s, spec);
        } else if (uc_str_is(key, "parameter")) {
            put(s, name,
                stored(p, p->x->weights, uc_json_str(uc_json_get(spec, "parameter_name"), "")));
        } else if (uc_str_is(key, "buffer")) {
            put(s, name,
                stored(p, p->x->weights, uc_json_str(uc_json_get(spec, "buffer_name"), "")));
        } else if (uc_str_is(key, "tensor_constant")) {
            put(s, name,
                stored(p, p->x->constants,
                       uc_json_str(uc_json_get(spec, "tensor_constant_name"), "")));
        } else if (!uc_str_is(key, "constant_input") && !uc_str_is(key, "token")) {
            uc_py_fail(&p->ev, "an input of kind '%.*s'", (int)(key.size < 40 ? key.size : 40),
                       key.data);
        }
    }
}

/* ---- outputs ------------------------------------------------------------------------------------- */

/* The keys of a dict that forward() returned, by the tree beside the graph; NULL: it was no dict of tensors. */
static const uc_json *keys_of(program *p, size_t count)
{
    uncork_error quiet = {.size = sizeof quiet};
    uc_error_init(&quiet);
    const uc_json *calls = uc_json_path(p->x->program, "graph_module.module_call_graph");
    const uc_str text = uc_json_str(uc_json_path(uc_json_at(calls, 0), "signature.out_spec"), "");
    if (!text.size) return NULL;
    const uc_json *spec =
        uc_json_read((uc_bytes){(const uint8_t *)text.data, text.size}, 0, p->arena, &quiet);
    const uc_json *root = uc_json_at(spec, 1);
    const uc_str type = uc_json_str(uc_json_get(root, "type"), ""),
                 context = uc_json_str(uc_json_get(root, "context"), "");
    const uc_json *children = uc_json_get(root, "children_spec");
    if (!uc_str_is(type, "builtins.dict") && !uc_str_is(type, "collections.OrderedDict") &&
        !uc_str_is(type, "dict"))
        return NULL;
    for (size_t i = 0; i < uc_json_count(children); i++) {
        if (uc_json_count(uc_json_get(uc_json_at(children, i), "children_spec"))) return NULL;
    }
    const uc_json *keys =
        uc_json_read((uc_bytes){(const uint8_t *)context.data, context.size}, 0, p->arena, &quiet);
    return uc_json_count(keys) == count ? keys : NULL;
}

static void put_outputs(scope *s)
{
    program *p = s->p;
    uc_graph *g = p->ev.level->graph;
    const uc_json *specs = uc_json_get(p->x->signature, "output_specs");
    uc_pv all[256];
    size_t count = 0;
    for (size_t i = 0; i < uc_json_count(specs) && count < 256 && !p->ev.failed; i++) {
        const uc_json *spec = uc_json_get(uc_json_at(specs, i), "user_output");
        const uc_pv v = spec ? argument(s, uc_json_get(spec, "arg")) : uc_pv_none();
        if (spec) all[count++] = v;
    }
    const uc_json *keys = keys_of(p, count);
    size_t made = 0;
    for (size_t i = 0; i < count && !p->ev.failed; i++) {
        const uc_str key = keys ? uc_json_str(uc_json_at(keys, i), "") : (uc_str){NULL, 0};
        if (all[i].kind == UC_PV_NONE) continue;
        const char *name = key.size              ? name_of(p, key)
                           : count == 1 && !keys ? "output"
                                                 : uc_arena_printf(p->arena, "output_%zu", made);
        const uc_ref ref = uc_py_ref_of(&p->ev, all[i], UNCORK_DTYPE_NONE);
        if (name && !p->ev.failed) uc_graph_output(g, name, uc_g1(g, "Identity", ref));
        made++;
    }
}

void uc_export_emit(const uc_t_file *f, const char *entry, uc_t_build *b)
{
    program *p = UC_NEW(b->graph->arena, program, 1);
    (void)entry;
    if (!p) {
        uc_graph_fail(b->graph, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    *p = (program){.x = f->own, .arena = b->graph->arena, .options = b->options};
    if (!uc_py_eval_open(&p->ev, b->graph, b->findings, p->arena, (uint64_t)1 << 20)) return;
    p->ev.path = "program";
    p->ev.level->build.dtype = UNCORK_DTYPE_NONE;
    scope s = {.p = p, .graph = p->x->graph};
    bind_signature(&s);
    if (!p->ev.failed && run_graph(&s)) put_outputs(&s);
    if (p->ev.failed && !b->graph->status)
        b->graph->status = b->graph->error->status ? b->graph->error->status : UNCORK_UNSUPPORTED;
    uc_py_eval_close(&p->ev);
}
