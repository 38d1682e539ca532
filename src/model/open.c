/* uncork_open: bytes or a folder, the importer that takes them, its facts. */
#include "model/model_internal.h"

#include "base/file.h"
#include "contract/beside.h"

/* What a probe may look at. */
#define HEAD_BYTES 65536

/* The file of an archive that holds one, as a lone file; NULL: there are several, or none. What macOS adds
 * to archives isn't counted. */
static uc_bundle *lone_member(uc_bundle *bundle, uc_import *import, uncork_error *error)
{
    size_t lone = SIZE_MAX, count = 0;
    uc_bytes bytes;
    uc_bundle *inner = NULL;
    const uc_bundle_kind kind = uc_bundle_kind_of(bundle);
    if (kind != UC_BUNDLE_ZIP && kind != UC_BUNDLE_TAR) return NULL;
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        if (strncmp(name, "__MACOSX/", 9) == 0) continue;
        lone = i;
        count++;
    }
    if (count != 1 || uc_bundle_read(bundle, lone, &bytes, error)) return NULL;
    return uc_bundle_over(bytes, uc_bundle_name(bundle, lone), import->arena, import->budget,
                          &inner, error)
               ? NULL
               : inner;
}

static uncork_status open_bundle(uncork_file *file, uc_bundle *bundle, int depth,
                                 uncork_error *error)
{
    uc_import *import = &file->import;
    import->bundle = bundle;
    if (uc_bundle_kind_of(bundle) == UC_BUNDLE_FILE && uc_bundle_count(bundle) == 1) {
        UC_TRY(uc_bundle_read(bundle, 0, &import->bytes, error));
    }
    uc_bytes head = import->bytes;
    if (head.size > HEAD_BYTES) head.size = HEAD_BYTES;
    if (uc_importer_choose(head, bundle, &import->importer, error)) {
        uncork_error local = {.size = sizeof local};
        uc_error_init(&local);
        uc_bundle *inner = depth < 2 ? lone_member(bundle, import, &local) : NULL;
        if (!inner) return error->status;
        uc_error_init(error);
        import->bytes = (uc_bytes){NULL, 0};
        return open_bundle(file, inner, depth + 1, error);
    }
    UC_TRY(import->importer->open(import, error));
    uc_cork_packs(bundle, &file->packs);
    UC_TRY(uc_cork_facts(bundle, file->import.arena, &import->facts, error));
    if (!uc_fact_find(&import->facts, "task")) /* a network: rows have no pictures beside them */
        uc_beside_read(bundle, import->path, import->arena, &import->facts, &import->findings);
    return uc_arena_status(file->arena, error);
}

static uncork_file *file_new(const char *path, const uncork_open_options *options, uint64_t size)
{
    uc_arena *arena = uc_arena_new(NULL);
    uncork_file *file = arena ? UC_NEW(arena, uncork_file, 1) : NULL;
    if (!file) {
        uc_arena_free(arena);
        return NULL;
    }
    /* The handle lives in an arena of its own; what the file holds is charged to the budget. */
    atomic_init(&file->owners, 1);
    uc_budget_init(&file->budget, options ? &options->limits : NULL, size);
    file->arena = arena;
    uc_arena *held = uc_arena_new(&file->budget);
    if (!held) {
        uc_arena_free(arena);
        return NULL;
    }
    const bool coded = options && options->size > offsetof(uncork_open_options, code);
    const char *code = coded && options->code ? uc_arena_str(held, options->code) : NULL;
    const bool says = options && options->size > offsetof(uncork_open_options, arch);
    const char *arch = says && options->arch ? uc_arena_str(held, options->arch) : NULL;
    file->import = (uc_import){.path = uc_arena_str(arena, path),
                               .code = code,
                               .arch = arch,
                               .arena = held,
                               .budget = &file->budget,
                               .findings = {.arena = held},
                               .facts = {.arena = held}};
    return file;
}

static void file_free(uncork_file *file)
{
    uc_arena_free(file->import.arena);
    uc_arena_free(file->arena);
}

static uncork_status finish(uncork_file *file, uncork_status status, uncork_file **out,
                            uncork_error *error)
{
    if (status == UNCORK_OK) {
        file->json = uc_describe(&file->import, file->arena);
        status = uc_arena_status(file->import.arena, error);
    }
    if (status != UNCORK_OK) {
        if (status != UNCORK_IO) uc_where(error, "%s", file->import.path);
        file_free(file);
        return status;
    }
    *out = file;
    return UNCORK_OK;
}

uncork_status uncork_open(const char *path, const uncork_open_options *options, uncork_file **file,
                          uncork_error *error)
{
    uncork_error local;
    if (!error) error = &local;
    uc_error_init(error);
    *file = NULL;
    if (!path || !*path) return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "no path given");
    uncork_file *f = file_new(path, options, uc_file_size(path));
    if (!f) return uc_fail_memory(error);
    uc_bundle *bundle;
    uncork_status status =
        uc_bundle_open(path, options && options->copy, f->import.arena, &f->budget, &bundle, error);
    if (status == UNCORK_OK) status = open_bundle(f, bundle, 0, error);
    return finish(f, status, file, error);
}

uncork_status uncork_open_memory(const void *data, size_t size_bytes, const char *name,
                                 const uncork_open_options *options, uncork_file **file,
                                 uncork_error *error)
{
    uncork_error local;
    if (!error) error = &local;
    uc_error_init(error);
    *file = NULL;
    const char *called = name ? name : "memory";
    uncork_file *f = file_new(called, options, size_bytes);
    if (!f) return uc_fail_memory(error);
    uc_bundle *bundle;
    uncork_status status = uc_bundle_over((uc_bytes){data, size_bytes}, called, f->import.arena,
                                          &f->budget, &bundle, error);
    if (status == UNCORK_OK) status = open_bundle(f, bundle, 0, error);
    return finish(f, status, file, error);
}

/* Owners are counted inside an otherwise immutable file: the one cast away of its const. */
void uc_file_retain(const uncork_file *file)
{
    uncork_file *f = (uncork_file *)(uintptr_t)file;
    atomic_fetch_add(&f->owners, 1);
}

void uc_file_release(const uncork_file *file)
{
    uncork_file *f = (uncork_file *)(uintptr_t)file;
    if (atomic_fetch_sub(&f->owners, 1) == 1) file_free(f);
}

void uncork_file_close(uncork_file *file)
{
    if (file) uc_file_release(file);
}

const char *uncork_file_format(const uncork_file *file) { return file->import.importer->name; }

const char *uncork_file_json(const uncork_file *file) { return file->json; }

int uncork_file_entry_count(const uncork_file *file) { return (int)file->import.entry_count; }

const char *uncork_file_entry_name(const uncork_file *file, int i)
{
    return i >= 0 && (size_t)i < file->import.entry_count ? file->import.entries[i] : NULL;
}

const uc_import *uc_file_import(const uncork_file *file) { return &file->import; }
