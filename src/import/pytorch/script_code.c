/* --code: the class is made by its own __init__, evaluated; its parameters and buffers are then those of
 * the state dict, by key, and its forward() is emitted. */
#include "import/pytorch/script_code.h"

#include "base/file.h"
#include "import/pytorch/script_archive.h"

/* ---- FILE.py:CLASS(args) --------------------------------------------------------------------- */

uncork_status uc_code_open(const char *spec, uc_arena *arena, uc_code_file *code,
                           uncork_error *error)
{
    const char *end = strchr(spec, '(');
    const size_t n = strlen(spec);
    size_t colon = end ? (size_t)(end - spec) : n;
    while (colon > 0 && spec[colon - 1] != ':')
        colon--;
    if (colon < 2 || colon == n || (end && spec[n - 1] != ')'))
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                       "--code takes FILE.py:CLASS or FILE.py:CLASS(args), not '%.100s'", spec);
    const char *path = uc_arena_copy(arena, spec, colon - 1);
    const char *class = spec + colon;
    *code = (uc_code_file){
        .class = uc_arena_copy(arena, class, end ? (size_t)(end - class) : strlen(class))};
    if (end)
        code->args = (uc_str){uc_arena_copy(arena, end + 1, n - (size_t)(end - spec) - 2),
                              n - (size_t)(end - spec) - 2};
    if (!path || !code->class) return uc_arena_status(arena, error);
    const char *slash = strrchr(path, '/');
    code->name = slash ? slash + 1 : path;
    code->folder = slash == path ? "/"
                   : slash       ? uc_arena_copy(arena, path, (size_t)(slash - path))
                                 : ".";
    if (uc_file_size(path) > (4u << 20))
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET, "%s is larger than any source", path);
    return uc_file_read(path, true, arena, &code->text, error);
}

/* ---- modules beside the file ----------------------------------------------------------------- */

typedef struct project {
    const uc_code_file *code;
    uc_py_eval *ev;
    uc_table *modules; /* "a/b" -> uc_py_module or the marker of one that isn't there */
} project;

static uc_py_module absent;

static uc_py_module *module_at(project *p, const char *stem)
{
    uc_py_eval *ev = p->ev;
    uc_py_module *known = uc_table_find(p->modules, uc_str_of(stem));
    if (known) return known == &absent ? NULL : known;
    static const char *const ends[] = {".py", "/__init__.py"};
    const char *key = uc_py_id(ev, stem);
    for (size_t i = 0; i < 2; i++) {
        uncork_error quiet = {.size = sizeof quiet};
        uc_bytes text;
        const char *name = uc_arena_printf(ev->arena, "%s%s", stem, ends[i]);
        uc_error_init(&quiet);
        if (!name || uc_file_name_flaw(uc_str_of(name))) continue;
        if (uc_file_read_beneath(p->code->folder, name, true, ev->arena, &text, &quiet)) continue;
        uc_py_source *source = UC_NEW(ev->arena, uc_py_source, 1);
        if (!source || text.size > (4u << 20) ||
            uc_py_parse(text, name, &ev->names, ev->budget, source, ev->error)) {
            ev->failed = true;
            return NULL;
        }
        uc_py_module *m = uc_py_module_new(ev, key, source);
        if (!m) return NULL;
        /* What `.` means inside: the folder of the file. */
        const char *slash = strrchr(stem, '/');
        m->package = i == 1  ? key
                     : slash ? uc_py_id(ev, uc_arena_copy(ev->arena, stem, (size_t)(slash - stem)))
                             : "";
        uc_table_put(p->modules, uc_str_of(key), m);
        return m;
    }
    uc_table_put(p->modules, uc_str_of(key), &absent);
    return NULL;
}

static uc_py_module *import_module(uc_py_eval *ev, void *context, const char *name, int dots,
                                   const uc_py_module *from)
{
    project *p = context;
    const char *base = dots > 0 && from && from->package ? from->package : "";
    char *package = uc_arena_str(ev->arena, base);
    for (int up = 1; package && up < dots; up++) {
        char *slash = strrchr(package, '/');
        if (slash)
            *slash = '\0';
        else
            package[0] = '\0';
    }
    char *stem = uc_arena_printf(ev->arena, "%s%s%s", package ? package : "",
                                 package && package[0] && name[0] ? "/" : "", name);
    if (!stem || !stem[0]) return NULL;
    for (char *c = stem; *c; c++) {
        if (*c == '.') *c = '/';
    }
    uc_py_module *m = module_at(p, stem);
    if (m || ev->failed || dots > 0) return m;
    /* `from models.net import X` beside net.py itself: the folder's own name in front. */
    const char *rest = strchr(stem, '/');
    return rest ? module_at(p, rest + 1) : NULL;
}

/* ---- weights --------------------------------------------------------------------------------- */

typedef struct loading {
    uc_py_eval *ev;
    const uc_t_state *state;
    const char *prefix; /* in front of the file's names */
    size_t wanted, missing, misshaped;
    const char *first_missing, *first_misshaped;
    bool *used;
    bool dry; /* only counts what is there */
} loading;

static size_t find(const loading *l, const char *name)
{
    const char *full = uc_arena_printf(l->ev->arena, "%s%s", l->prefix, name);
    const uc_tensor *t = full ? uc_t_state_find(l->state, full) : NULL;
    for (size_t i = 0; t && i < l->state->count; i++) {
        if (l->state->items[i].tensor == t && strcmp(l->state->items[i].name, full) == 0) return i;
    }
    return SIZE_MAX;
}

static const char *shape_of(uc_py_eval *ev, const uc_tensor *t)
{
    char text[256];
    return uc_arena_str(ev->arena, uc_shape_text(t->shape, t->rank, text, sizeof text));
}

static void load_one(loading *l, const char *name, uc_pt *t)
{
    uc_py_eval *ev = l->ev;
    l->wanted++;
    const size_t i = find(l, name);
    if (i == SIZE_MAX) {
        if (strlen(name) > 19 && strcmp(name + strlen(name) - 19, "num_batches_tracked") == 0) {
            l->wanted--;
            return;
        }
        if (l->missing++ == 0) l->first_missing = name;
        return;
    }
    if (l->dry) return;
    const uc_tensor *have = l->state->items[i].tensor;
    const uc_value *want = uc_look_at(&ev->level->build.look, uc_py_ref(ev, t));
    l->used[i] = true;
    bool same = want->tensor.rank < 0 || want->tensor.rank == have->rank;
    for (int d = 0; same && d < want->tensor.rank; d++)
        same = want->tensor.shape[d] < 0 || want->tensor.shape[d] == have->shape[d];
    if (!same && l->misshaped++ == 0)
        l->first_misshaped = uc_arena_printf(ev->arena, "%s is %s in the file and %s in the code",
                                             name, shape_of(ev, have), shape_of(ev, &want->tensor));
    t->constant = have;
    t->ref = 0;
    t->base = NULL;
    t->writes++;
}

static bool is_module(uc_py_eval *ev, uc_pv v)
{
    return v.kind == UC_PV_OBJECT && ev->module_class &&
           uc_py_class_is(v.object->class, ev->module_class);
}

static bool is_buffer(uc_py_eval *ev, const uc_py_object *o, const char *name)
{
    const uc_pv *names = uc_py_map_find(&o->attrs, uc_py_id(ev, "_kept_buffers"));
    for (size_t i = 0; names && names->kind == UC_PV_LIST && i < names->list->count; i++) {
        const uc_pv v = names->list->items[i];
        if (v.kind == UC_PV_TEXT && uc_str_is(*v.text, name)) return true;
    }
    return false;
}

static void load_all(loading *l, const uc_py_object *o, const char *path, int depth)
{
    uc_py_eval *ev = l->ev;
    if (depth > 60) {
        uc_py_fail_as(ev, UNCORK_LIMIT, "modules nest too deep");
        return;
    }
    for (size_t i = 0; i < o->attrs.count && !ev->failed; i++) {
        const char *name = o->attrs.keys[i];
        const uc_pv v = o->attrs.values[i];
        if (!name || !uc_py_step(ev)) continue;
        const char *full = uc_arena_printf(ev->arena, "%s%s%s", path, path[0] ? "." : "", name);
        if (!full) return;
        if (v.kind == UC_PV_TENSOR && (v.tensor->parameter || is_buffer(ev, o, name)))
            load_one(l, full, v.tensor);
        else if (is_module(ev, v))
            load_all(l, v.object, full, depth + 1);
    }
}

/* The longest prefix that files have in front of every name, if the code's names aren't there without. */
static void find_prefix(loading *l, const uc_py_object *root)
{
    static const char *const prefixes[] = {"",
                                           "module.",
                                           "model.",
                                           "net.",
                                           "_orig_mod.",
                                           "network.",
                                           "module.model.",
                                           "model.module.",
                                           "model._orig_mod.",
                                           "backbone.",
                                           "encoder."};
    size_t best = SIZE_MAX;
    const char *chosen = "";
    l->dry = true;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && best != 0; i++) {
        l->prefix = prefixes[i];
        l->missing = l->wanted = 0;
        load_all(l, root, "", 0);
        if (l->missing < best) {
            best = l->missing;
            chosen = prefixes[i];
        }
    }
    l->dry = false;
    l->prefix = chosen;
    l->missing = l->wanted = 0;
    l->first_missing = NULL;
}

/* Says which keys don't fit, with counts and the first of each. */
static void check(loading *l, const uc_code_file *code)
{
    size_t unexpected = 0;
    const char *first = NULL;
    for (size_t i = 0; i < l->state->count; i++) {
        const char *name = l->state->items[i].name;
        if (l->used[i]) continue;
        if (strlen(name) > 19 && strcmp(name + strlen(name) - 19, "num_batches_tracked") == 0)
            continue;
        if (unexpected++ == 0) first = name;
    }
    if (l->missing == 0 && l->misshaped == 0 && unexpected == 0) return;
    l->ev->path = code->name;
    if (l->misshaped > 0)
        uc_py_fail(l->ev, "%zu of %zu weights have another shape: %s", l->misshaped, l->wanted,
                   l->first_misshaped);
    else if (l->missing > 0)
        uc_py_fail(
            l->ev,
            "%zu of the %zu weights of %s aren't in the file ('%s' first), %zu of the file's aren't in the code%s%s%s",
            l->missing, l->wanted, code->class, l->first_missing, unexpected, first ? " ('" : "",
            first ? first : "", first ? "' first)" : "");
    else
        uc_py_fail(l->ev, "%zu weights of the file aren't in %s ('%s' first)", unexpected,
                   code->class, first);
}

/* ---- the network ----------------------------------------------------------------------------- */

typedef struct job {
    const uc_t_file *f;
    const uc_code_file *code;
    const char *entry;
} job;

static uc_pv construct(uc_py_eval *ev, project *p, const uc_code_file *code)
{
    uc_py_source *source = UC_NEW(ev->arena, uc_py_source, 1);
    if (!source || uc_py_parse(code->text, code->name, &ev->names, ev->budget, source, ev->error)) {
        ev->failed = true;
        return uc_pv_none();
    }
    const char *dot = strrchr(code->name, '.');
    const char *stem = uc_py_id(
        ev, dot ? uc_arena_copy(ev->arena, code->name, (size_t)(dot - code->name)) : code->name);
    uc_py_module *m = uc_py_module_new(ev, stem, source);
    if (!m) return uc_pv_none();
    uc_table_put(p->modules, uc_str_of(stem), m);
    ev->path = code->name;
    if (!uc_py_run_module(ev, m)) return uc_pv_none();
    const uc_pv base = uc_py_library(ev, "torch.nn.Module");
    if (base.kind == UC_PV_CLASS) ev->module_class = base.class;
    uc_py_frame *frame = UC_NEW(ev->arena, uc_py_frame, 1);
    const uc_pv *class = uc_py_module_get(ev, m, uc_py_id(ev, code->class));
    if (!frame || ev->failed) return uc_pv_none();
    if (!class) return uc_py_fail(ev, "there is no '%.100s' in it", code->class);
    *frame = (uc_py_frame){.module = m, .names = &frame->own, .own = {0}};
    ev->frame = frame;
    /* The arguments are evaluated as a call in the file itself. */
    const char *call = uc_arena_printf(ev->arena, "%s(%.*s)", code->class, (int)code->args.size,
                                       code->args.size ? code->args.data : "");
    const uc_py_node *n =
        call ? uc_py_parse_expression(uc_str_of(call), code->name, 1, &ev->names, 0, ev->error)
             : NULL;
    if (!n) {
        ev->failed = true;
        return uc_pv_none();
    }
    if (class->kind == UC_PV_OBJECT && code->args.size == 0) return *class; /* model = Net() */
    return uc_py_value(ev, n);
}

static void build_code(void *context, uc_graph *g, uc_findings *findings,
                       const uc_script_guess *guess)
{
    const job *j = context;
    uc_py_eval ev;
    if (!uc_py_eval_open(&ev, g, findings, g->arena, j->code->text.size + (1u << 18))) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    ev.level->build.dtype =
        UNCORK_FLOAT32; /* weights of half precision compute as the code's own types */
    project p = {.code = j->code, .ev = &ev, .modules = uc_table_new(ev.arena)};
    ev.host = (uc_py_host){.context = &p, .import = import_module};
    ev.constructing = true;
    const uc_pv root = construct(&ev, &p, j->code);
    ev.constructing = false;
    if (!ev.failed && !is_module(&ev, root))
        uc_py_fail(&ev, "%.100s is no nn.Module", j->code->class);
    if (!ev.failed) {
        loading l = {.ev = &ev,
                     .state = j->f->state,
                     .used = UC_NEW(ev.arena, bool, j->f->state->count + 1)};
        if (l.used) find_prefix(&l, root.object);
        if (l.used) load_all(&l, root.object, "", 0);
        if (!ev.failed && l.used) check(&l, j->code);
    }
    if (!ev.failed) {
        const char *name =
            uc_py_id(&ev, j->entry && strcmp(j->entry, "predict") != 0 ? j->entry : "forward");
        const uc_pv method = uc_py_attr(&ev, root, name);
        if (!ev.failed && method.kind == UC_PV_METHOD &&
            method.method->function.kind == UC_PV_FUNCTION)
            uc_script_run_entry(&ev, method, method.method->function.function, guess);
        else
            uc_py_fail(&ev, "%.100s has no %s()", j->code->class, name);
    }
    if (ev.failed && !g->status)
        g->status = g->error->status ? g->error->status : UNCORK_UNSUPPORTED;
    uc_py_eval_close(&ev);
}

void uc_code_emit(const uc_t_file *f, const uc_code_file *code, const char *entry, uc_t_build *b)
{
    job j = {.f = f, .code = code, .entry = entry};
    uc_script_try(&j, build_code, b->graph, b->findings, b->options);
}
