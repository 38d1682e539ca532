/* The form "torchscript": an archive of torch.jit.save. */
#include "import/pytorch/script_archive.h"

#include <stdlib.h>

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static bool is_script(uc_bytes head, const uc_bundle *bundle)
{
    bool code = false, data = false;
    (void)head;
    if (!bundle || uc_bundle_kind_of(bundle) != UC_BUNDLE_ZIP) return false;
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        const char *slash = strchr(name, '/');
        if (!slash) continue;
        code = code || (strncmp(slash + 1, "code/", 5) == 0 && ends_with(name, ".py"));
        data = data || strcmp(slash + 1, "data.pkl") == 0;
    }
    return code && data;
}

static uncork_status read_entry(uc_t_file *f, const char *name, uc_bytes *bytes, bool *there,
                                uncork_error *error)
{
    uc_bundle *bundle = f->import->bundle;
    const char *path = uc_arena_printf(f->import->arena, "%s%s", f->folder, name);
    if (!path) return uc_arena_status(f->import->arena, error);
    const size_t at = uc_bundle_find(bundle, path);
    *there = at != SIZE_MAX;
    return *there ? uc_bundle_read(bundle, at, bytes, error) : UNCORK_OK;
}

/* Operators' meaning goes by the number in `version`. */
static uncork_status read_version(uc_t_file *f, int *version, uncork_error *error)
{
    static const char *const names[] = {".data/version", "version"};
    *version = 3;
    for (size_t i = 0; i < 2; i++) {
        uc_bytes text;
        bool there = false;
        UC_TRY(read_entry(f, names[i], &text, &there, error));
        if (!there) continue;
        int v = 0;
        for (size_t k = 0; k < text.size && k < 6 && text.data[k] >= '0' && text.data[k] <= '9';
             k++)
            v = v * 10 + (text.data[k] - '0');
        *version = v;
        if (v < 10) { /* old numbers are written still; these entries came with 2.1 */
            static const char *const newer[] = {"byteorder", ".data/serialization_id",
                                                ".format_version"};
            for (size_t k = 0; k < 3 && *version < 10; k++) {
                UC_TRY(read_entry(f, newer[k], &text, &there, error));
                if (there) *version = 10;
            }
        }
        return UNCORK_OK;
    }
    return UNCORK_OK;
}

static uncork_status open_store(uc_t_file *f, uc_t_store *store, const char *name,
                                uncork_error *error)
{
    *store = (uc_t_store){.bundle = f->import->bundle,
                          .folder = uc_arena_printf(f->import->arena, "%s%s", f->folder, name),
                          .by_key = uc_table_new(f->import->arena)};
    if (!store->folder || !store->by_key) return uc_arena_status(f->import->arena, error);
    const size_t n = strlen(store->folder);
    uc_bytes view;
    for (size_t i = 0; i < uc_bundle_count(f->import->bundle); i++) {
        const char *entry = uc_bundle_name(f->import->bundle, i);
        if (strncmp(entry, store->folder, n) != 0 ||
            uc_bundle_view(f->import->bundle, entry, &view))
            continue;
        uc_bytes *bytes = UC_NEW(f->import->arena, uc_bytes, 1);
        if (!bytes) return uc_arena_status(f->import->arena, error);
        UC_TRY(uc_bundle_read(f->import->bundle, i, bytes, error));
        if (!uc_table_put(store->by_key, uc_str_of(entry + n), bytes))
            return uc_arena_status(f->import->arena, error);
    }
    return UNCORK_OK;
}

/* The root's methods that can be called with tensors: forward, then the others as they stand. */
static void find_methods(uc_t_file *f, const uc_script_file *s)
{
    uc_import *file = f->import;
    uc_bundle *bundle = file->bundle;
    uncork_error quiet = {.size = sizeof quiet};
    uc_py_names names;
    uc_py_source source;
    uc_bytes text;
    uc_error_init(&quiet);
    const size_t at = uc_bundle_find(bundle, s->root_source);
    if (at == SIZE_MAX || !uc_py_names_init(&names, file->arena)) return;
    if (uc_bundle_read(bundle, at, &text, &quiet) ||
        uc_py_parse(text, s->root_source, &names, file->budget, &source, &quiet))
        return;
    const char *name = strrchr(s->root_class, '.');
    const uc_py_node *class = NULL;
    for (size_t i = 0; i < source.body.count; i++) {
        if (source.body.items[i]->kind == UC_PY_CLASS && name &&
            strcmp(source.body.items[i]->name, name + 1) == 0)
            class = source.body.items[i];
    }
    if (!class) return;
    file->entries = UC_NEW(file->arena, const char *, class->body.count + 2);
    file->entry_count = 0;
    if (!file->entries) return;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < class->body.count; i++) {
            const uc_py_node *n = class->body.items[i];
            if (n->kind != UC_PY_DEF || (strncmp(n->name, "__", 2) == 0)) continue;
            if ((strcmp(n->name, "forward") == 0) == (pass == 0))
                file->entries[file->entry_count++] = n->name;
        }
    }
}

static uncork_status open_script(uc_t_file *f, uncork_error *error)
{
    uc_import *file = f->import;
    uc_script_file *s = UC_NEW(file->arena, uc_script_file, 1);
    uc_bytes bytes;
    bool there = false;
    uc_pickle *constants = NULL;
    if (!s) return uc_arena_status(file->arena, error);
    const char *first = uc_bundle_name(file->bundle, 0), *slash = strchr(first, '/');
    if (!slash)
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "an entry outside of the archive's folder");
    f->folder = uc_arena_copy(file->arena, first, (size_t)(slash - first) + 1);
    if (!f->folder) return uc_arena_status(file->arena, error);
    s->file = f;
    UC_TRY(read_version(f, &s->version, error));
    UC_TRY(open_store(f, &f->store, "data/", error));
    UC_TRY(open_store(f, &s->constants_store, "constants/", error));
    UC_TRY(read_entry(f, "byteorder", &bytes, &there, error));
    if (there && bytes.size >= 3 && memcmp(bytes.data, "big", 3) == 0)
        f->store.big_endian = s->constants_store.big_endian = true;
    UC_TRY(read_entry(f, "data.pkl", &bytes, &there, error));
    if (!there)
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "'%sdata.pkl' isn't in it",
                       f->folder);
    if (uc_pickle_read(bytes, NULL, file->arena, file->budget, &f->root, &f->info, error))
        return uc_where(error, "data.pkl");
    UC_TRY(read_entry(f, "constants.pkl", &bytes, &there, error));
    if (there && uc_pickle_read(bytes, NULL, file->arena, file->budget, &constants, NULL, error))
        return uc_where(error, "constants.pkl");
    s->constants = constants;
    f->own = s;
    const uc_pickle *root = f->root;
    if (root->kind != UC_PICKLE_OBJECT || root->module.size < 9 ||
        memcmp(root->module.data, "__torch__", 9) != 0) {
        uc_t_flaw(f, UNCORK_UNSUPPORTED, "data.pkl holds no module of TorchScript");
        return UNCORK_OK;
    }
    s->root_class = uc_arena_printf(file->arena, "%.*s.%.*s", (int)root->module.size,
                                    root->module.data, (int)root->text.size, root->text.data);
    char *path = uc_arena_printf(file->arena, "%scode/%.*s.py", f->folder, (int)root->module.size,
                                 root->module.data);
    if (!path || !s->root_class) return uc_arena_status(file->arena, error);
    for (char *p = path + strlen(f->folder); *p && strcmp(p, ".py") != 0; p++) {
        if (*p == '.') *p = '/';
    }
    s->root_source = path;
    find_methods(f, s);
    return uc_arena_status(file->arena, error);
}

typedef struct building {
    const uc_t_file *f;
    const char *entry;
} building;

static void build_script(void *context, uc_graph *g, uc_findings *findings,
                         const uc_script_guess *guess)
{
    const building *job = context;
    const uc_script_file *s = job->f->own;
    uc_py_eval ev;
    uc_script_run run;
    if (!uc_py_eval_open(&ev, g, findings, g->arena, job->f->import->bytes.size)) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    uc_script_host(&run, &ev, s);
    const uc_pv root = uc_script_value(&run, &job->f->store, job->f->root, 0);
    const char *name = uc_py_id(&ev, job->entry ? job->entry : "forward");
    const uc_pv method =
        ev.failed || root.kind != UC_PV_OBJECT ? uc_pv_none() : uc_py_attr(&ev, root, name);
    if (!ev.failed && method.kind == UC_PV_METHOD && method.method->function.kind == UC_PV_FUNCTION)
        uc_script_run_entry(&ev, method, method.method->function.function, guess);
    else
        uc_py_fail(&ev, "there is no method '%.100s'", name);
    if (ev.failed && !g->status) {
        g->status = g->error->status ? g->error->status : UNCORK_UNSUPPORTED;
    }
    uc_py_eval_close(&ev);
}

static void emit_script(const uc_t_file *f, const char *entry, uc_t_build *b)
{
    building job = {.f = f, .entry = entry};
    uc_script_try(&job, build_script, b->graph, b->findings, b->options);
}

const uc_t_form uc_t_form_torchscript = {
    .name = "torchscript",
    .is = is_script,
    .open = open_script,
    .emit = emit_script,
};
