/* The form "export": a .pt2 archive (since 2.8), or the flat zip before it. */
#include "import/pytorch/torch_export.h"

#include <inttypes.h>

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0 && (n == m || name[n - m - 1] == '/');
}

static size_t member(const uc_bundle *bundle, const char *end)
{
    for (size_t i = 0; bundle && i < uc_bundle_count(bundle); i++) {
        if (ends_with(uc_bundle_name(bundle, i), end)) return i;
    }
    return SIZE_MAX;
}

static const char flat_program[] = "serialized_exported_program.json";

static bool is_export(uc_bytes head, const uc_bundle *bundle)
{
    (void)head;
    if (!bundle || uc_bundle_kind_of(bundle) != UC_BUNDLE_ZIP) return false;
    return member(bundle, "archive_format") != SIZE_MAX || member(bundle, flat_program) != SIZE_MAX;
}

uncork_dtype uc_export_dtype(int64_t code)
{
    static const uncork_dtype rows[] = {
        [1] = UNCORK_UINT8,           [2] = UNCORK_INT8,
        [3] = UNCORK_INT16,           [4] = UNCORK_INT32,
        [5] = UNCORK_INT64,           [6] = UNCORK_FLOAT16,
        [7] = UNCORK_FLOAT32,         [8] = UNCORK_FLOAT64,
        [10] = UNCORK_COMPLEX64,      [11] = UNCORK_COMPLEX128,
        [12] = UNCORK_BOOL,           [13] = UNCORK_BFLOAT16,
        [28] = UNCORK_UINT16,         [29] = UNCORK_FLOAT8E4M3FN,
        [30] = UNCORK_FLOAT8E5M2,     [31] = UNCORK_FLOAT8E4M3FNUZ,
        [32] = UNCORK_FLOAT8E5M2FNUZ, [33] = UNCORK_FLOAT8E8M0,
        [34] = UNCORK_UINT32,         [35] = UNCORK_UINT64,
    };
    return code > 0 && code < (int64_t)(sizeof rows / sizeof rows[0]) ? rows[code]
                                                                      : UNCORK_DTYPE_NONE;
}

/* ---- weights ------------------------------------------------------------------------------------- */

/* [{"as_int": 3}, ...]; how many, SIZE_MAX when one isn't known or there are too many. */
static size_t known_ints(const uc_json *list, int64_t *out)
{
    const size_t n = uc_json_count(list);
    if (!list || list->kind != UC_JSON_ARRAY) return n ? SIZE_MAX : 0;
    if (n > UNCORK_MAX_RANK) return SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const uc_json *v = uc_json_get(uc_json_at(list, i), "as_int");
        if (!v || v->kind != UC_JSON_INT) return SIZE_MAX;
        out[i] = v->integer;
    }
    return n;
}

static const char *text_of(uc_arena *arena, uc_str s)
{
    return s.size && s.size < 500 && !memchr(s.data, 0, s.size)
               ? uc_arena_copy(arena, s.data, s.size)
               : NULL;
}

/* A payload of {"path_name", "use_pickle", "tensor_meta"}, raw bytes of the archive. */
static uncork_status read_payload(uc_t_file *f, const char *folder, const uc_json *entry,
                                  const char *name, uc_t_state *s, uncork_error *error)
{
    uc_arena *arena = f->import->arena;
    const uc_json *meta = uc_json_get(entry, "tensor_meta");
    const uncork_dtype dtype = uc_export_dtype(uc_json_i64(uc_json_get(meta, "dtype"), 0));
    int64_t size[UNCORK_MAX_RANK], stride[UNCORK_MAX_RANK];
    const size_t rank = known_ints(uc_json_get(meta, "sizes"), size);
    const size_t strides = known_ints(uc_json_get(meta, "strides"), stride);
    const uc_str file = uc_json_str(uc_json_get(entry, "path_name"), "");
    const int64_t offset =
        uc_json_i64(uc_json_get(uc_json_get(meta, "storage_offset"), "as_int"), 0);
    uc_bytes bytes;
    const uc_tensor *t;
    const char *path = uc_arena_printf(arena, "%s%.*s", folder,
                                       (int)(file.size < 200 ? file.size : 200), file.data);
    if (!path) return uc_arena_status(arena, error);
    if (uc_json_bool(uc_json_get(entry, "use_pickle"), false))
        return uc_fail(error, UNCORK_UNSUPPORTED, entry->offset,
                       "tensor '%.120s' is a subclass, stored as a pickle of its own", name);
    if (!dtype || rank == SIZE_MAX || strides != rank)
        return uc_fail(error, UNCORK_MALFORMED, entry->offset,
                       "tensor '%.120s' has no type, size or strides", name);
    if (!uc_bundle_view(f->import->bundle, path, &bytes)) {
        const size_t at = uc_bundle_find(f->import->bundle, path);
        if (at == SIZE_MAX)
            return uc_fail(error, UNCORK_MALFORMED, entry->offset, "'%.200s' isn't in the archive",
                           path);
        UC_TRY(uc_bundle_read(f->import->bundle, at, &bytes, error));
    }
    if (uc_t_strided(&f->store, bytes, dtype, (int)rank, size, stride, offset, arena, &t, error))
        return uc_where(error, "tensor '%.120s'", name);
    return uc_t_state_put(s, name, t) ? UNCORK_OK : uc_arena_status(arena, error);
}

/* data/weights/<model>_weights_config.json: names to payloads. */
static uncork_status read_payloads(uc_t_file *f, const char *folder, const char *model,
                                   const char *what, const uc_t_state **out, uncork_error *error)
{
    uc_arena *arena = f->import->arena;
    uc_t_state *s = uc_t_state_new(arena);
    const char *data = uc_arena_printf(arena, "%sdata/%s/", folder, what);
    const char *path =
        data ? uc_arena_printf(arena, "%s%s_%s_config.json", data, model, what) : NULL;
    uc_bytes bytes;
    if (!s || !path) return uc_arena_status(arena, error);
    *out = s;
    const size_t at = uc_bundle_find(f->import->bundle, path);
    if (at == SIZE_MAX) return UNCORK_OK;
    UC_TRY(uc_bundle_read(f->import->bundle, at, &bytes, error));
    const uc_json *root = uc_json_read(bytes, 0, arena, error);
    if (!root) return uc_where(error, "%s", path);
    const uc_json *config = uc_json_get(root, "config");
    for (size_t i = 0; config && config->kind == UC_JSON_OBJECT && i < config->count; i++) {
        const char *name = text_of(arena, config->keys[i]);
        const uc_json *entry = config->items[i];
        const uc_str file = uc_json_str(uc_json_get(entry, "path_name"), "");
        if (!name)
            return uc_fail(error, UNCORK_MALFORMED, entry->offset, "a weight without a name");
        if (file.size > 10 && memcmp(file.data, "custom_obj", 10) == 0) continue;
        UC_TRY(read_payload(f, data, entry, name, s, error));
    }
    return UNCORK_OK;
}

/* ---- the flat layout ----------------------------------------------------------------------------- */

/* A torch.save file within the archive: its dict's tensors. */
static uncork_status read_saved(uc_t_file *f, const char *stem, const uc_t_state **out,
                                uncork_error *error)
{
    uc_arena *arena = f->import->arena;
    uc_t_state *s = uc_t_state_new(arena);
    uc_bytes bytes;
    if (!s) return uc_arena_status(arena, error);
    *out = s;
    size_t at = member(f->import->bundle, uc_arena_printf(arena, "%s.pt", stem));
    if (at == SIZE_MAX) at = member(f->import->bundle, uc_arena_printf(arena, "%s.json", stem));
    if (at == SIZE_MAX) return UNCORK_OK;
    UC_TRY(uc_bundle_read(f->import->bundle, at, &bytes, error));
    if (!bytes.size) return UNCORK_OK;
    uc_t_saved saved;
    if (uc_t_saved_open(bytes, f->import, &saved, error)) return uc_where(error, "%s", stem);
    uc_t_check_globals(f, &saved.info);
    const uc_pickle *root = saved.root;
    for (size_t i = 0; root && root->kind == UC_PICKLE_DICT && i < root->count; i++) {
        const uc_pickle *key = root->items[2 * i], *value = root->items[2 * i + 1];
        const uc_tensor *t;
        const char *name = key->kind == UC_PICKLE_TEXT ? text_of(arena, key->text) : NULL;
        if (!name || !uc_t_is_tensor(value)) continue;
        UC_TRY(uc_t_tensor_of(&saved.store, value, arena, &t, error));
        if (!uc_t_state_put(s, name, t)) return uc_arena_status(arena, error);
    }
    return UNCORK_OK;
}

/* ---- the archive --------------------------------------------------------------------------------- */

static uncork_status read_program(uc_t_file *f, size_t at, uc_export *x, uncork_error *error)
{
    uc_bytes bytes;
    UC_TRY(uc_bundle_read(f->import->bundle, at, &bytes, error));
    x->program = uc_json_read(bytes, 0, f->import->arena, error);
    if (!x->program) return uc_where(error, "%s", uc_bundle_name(f->import->bundle, at));
    x->graph = uc_json_path(x->program, "graph_module.graph");
    x->signature = uc_json_path(x->program, "graph_module.signature");
    const uc_str version = uc_json_str(uc_json_get(x->program, "torch_version"), "");
    if (version.size)
        uc_fact_text(&f->import->facts, "framework_version", "%.*s",
                     (int)(version.size < 60 ? version.size : 60), version.data);
    if (!x->graph || !x->signature) {
        uc_t_flaw(f, UNCORK_UNSUPPORTED, "its program isn't of a schema that is read");
        return UNCORK_OK;
    }
    const uc_json *major = uc_json_path(x->program, "schema_version.major");
    if (major && uc_json_i64(major, 0) > 9)
        uc_t_flaw(f, UNCORK_UNSUPPORTED, "its schema has version %" PRId64 ", 8 is read",
                  uc_json_i64(major, 0));
    return UNCORK_OK;
}

/* models/NAME.json: the first, "model" before others. */
static size_t program_of(uc_t_file *f, const char *folder, const char **name)
{
    uc_bundle *bundle = f->import->bundle;
    uc_arena *arena = f->import->arena;
    const char *models = uc_arena_printf(arena, "%smodels/", folder);
    size_t found = SIZE_MAX, count = 0;
    for (size_t i = 0; models && i < uc_bundle_count(bundle); i++) {
        const char *entry = uc_bundle_name(bundle, i);
        const size_t n = strlen(entry), skip = strlen(models);
        if (n < skip + 6 || strncmp(entry, models, skip) != 0 ||
            strcmp(entry + n - 5, ".json") != 0)
            continue;
        count++;
        if (found != SIZE_MAX && strcmp(entry + skip, "model.json") != 0) continue;
        found = i;
        *name = uc_arena_copy(arena, entry + skip, n - skip - 5);
    }
    if (count > 1 && *name)
        uc_note(&f->import->findings, UC_NOTE_CHOSEN, "program-chosen",
                "the program '%s' is taken, %zu others not", *name, count - 1);
    return *name ? found : SIZE_MAX;
}

static uncork_status open_archive(uc_t_file *f, uc_export *x, size_t format, uncork_error *error)
{
    const char *entry = uc_bundle_name(f->import->bundle, format), *name = NULL;
    const char *folder = uc_arena_copy(f->import->arena, entry, strlen(entry) - 14);
    if (!folder) return uc_arena_status(f->import->arena, error);
    f->folder = folder;
    const size_t at = program_of(f, folder, &name);
    if (at == SIZE_MAX)
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "the archive holds no exported program (compiled ones aren't read)");
    UC_TRY(read_program(f, at, x, error));
    UC_TRY(read_payloads(f, folder, name, "weights", &x->weights, error));
    return read_payloads(f, folder, name, "constants", &x->constants, error);
}

static uncork_status open_export(uc_t_file *f, uncork_error *error)
{
    uc_export *x = UC_NEW(f->import->arena, uc_export, 1);
    const size_t format = member(f->import->bundle, "archive_format");
    if (!x) return uc_arena_status(f->import->arena, error);
    f->own = x;
    f->store = (uc_t_store){.bundle = f->import->bundle};
    if (format != SIZE_MAX) {
        UC_TRY(open_archive(f, x, format, error));
    } else {
        UC_TRY(read_program(f, member(f->import->bundle, flat_program), x, error));
        UC_TRY(read_saved(f, "serialized_state_dict", &x->weights, error));
        UC_TRY(read_saved(f, "serialized_constants", &x->constants, error));
    }
    f->state = x->weights;
    return UNCORK_OK;
}

const uc_t_form uc_t_form_export = {
    .name = "export",
    .is = is_export,
    .open = open_export,
    .emit = uc_export_emit,
};
