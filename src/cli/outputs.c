/* Outputs of uncork run as .npy files: NAME.npy for a tensor or what an optional holds, NAME_0.npy,
 * NAME_1.npy, ... for a sequence, one array [rows, keys] for a map or a sequence of maps. */
#include "cli/cli.h"

#include "base/file.h"
#include "container/npy.h"

#include <unistd.h>

typedef struct outputs {
    const char *folder;
    uc_arena *arena;
    uncork_error *error;
    const char **paths; /* written so far */
    size_t count, capacity;
} outputs;

/* FOLDER/NAME.npy with '/' and ':' as '_'; a name can't leave the folder. */
static const char *output_path(const char *folder, const char *name, uc_arena *arena)
{
    char *path = uc_arena_printf(arena, "%s/%s.npy", folder, name);
    if (!path) return NULL;
    for (char *p = path + strlen(folder) + 1; *p; p++) {
        if (*p == '/' || *p == ':' || (unsigned char)*p < 0x20) *p = '_';
    }
    return path;
}

static uncork_status write_tensor(outputs *o, const char *name, const uc_tensor *tensor)
{
    const char *path = output_path(o->folder, name, o->arena);
    const char **paths =
        uc_arena_grow(o->arena, o->paths, &o->capacity, o->count + 1, sizeof *paths);
    if (!path || !paths) return uc_fail_memory(o->error);
    o->paths = paths;
    uc_writer w;
    uc_writer_init(&w, SIZE_MAX / 2);
    uc_npy_write(&w, tensor);
    uncork_status status = UNCORK_OK;
    if (w.status) {
        status = uc_fail(o->error, w.status, UC_NO_OFFSET,
                         "output '%.60s' can't be written as .npy", name);
    }
    if (status == UNCORK_OK) status = uc_file_replace(path, (uc_bytes){w.data, w.size}, o->error);
    uc_writer_done(&w);
    if (status == UNCORK_OK) o->paths[o->count++] = path;
    return status;
}

/* ---- maps --------------------------------------------------------------------------------- */

static bool is_map(const uc_value *v)
{
    return v->kind == UC_MAP && v->item_count == 2 && v->items[1]->kind == UC_TENSOR;
}

uncork_status cli_maps_table(const uc_value *const *maps, size_t rows, const char *name,
                             uc_arena *arena, const uc_tensor **table, const uc_tensor **keys,
                             uncork_error *error)
{
    static const char refused[] = "output '%.60s' holds maps that don't make one array";
    if (rows == 0 || !is_map(maps[0]))
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, refused, name);
    const uc_tensor *first = &maps[0]->items[1]->tensor;
    const int64_t shape[2] = {(int64_t)rows, uc_tensor_count(first)};
    size_t width = uc_dtype_size(first->dtype), row = (size_t)shape[1] * width;
    bool strings = first->dtype == UNCORK_STRING;
    uc_tensor *all = strings ? NULL : uc_tensor_new(arena, first->dtype, 2, shape);
    uc_str *texts = UC_NEW(arena, uc_str, strings ? rows * (size_t)shape[1] : 1);
    if ((!all && !strings) || !texts) return uc_fail_memory(error);
    for (size_t i = 0; i < rows; i++) {
        const uc_tensor *t = is_map(maps[i]) ? &maps[i]->items[1]->tensor : NULL;
        if (!t || t->dtype != first->dtype || uc_tensor_count(t) != shape[1] ||
            !(width || strings)) {
            return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, refused, name);
        }
        if (!strings && row) memcpy((char *)all->data + i * row, t->data, row);
        for (int64_t k = 0; strings && k < shape[1]; k++) {
            texts[i * (size_t)shape[1] + (size_t)k] = uc_tensor_string(t, k);
        }
    }
    if (strings) all = uc_tensor_strings(arena, texts, 2, shape);
    *table = all;
    if (keys) *keys = maps[0]->items[0]->kind == UC_TENSOR ? &maps[0]->items[0]->tensor : NULL;
    return all ? UNCORK_OK : uc_fail_memory(error);
}

/* The values of `rows` maps with as many keys each, one map a row. */
static uncork_status write_maps(outputs *o, const char *name, const uc_value *const *maps,
                                size_t rows)
{
    const uc_tensor *all;
    UC_TRY(cli_maps_table(maps, rows, name, o->arena, &all, NULL, o->error));
    return write_tensor(o, name, all);
}

/* ---- values ------------------------------------------------------------------------------- */

static uncork_status write_value(outputs *o, const char *name, const uc_value *v)
{
    if (v->kind == UC_TENSOR) return write_tensor(o, name, &v->tensor);
    if (v->kind == UC_MAP) return write_maps(o, name, &v, 1);
    if (v->kind == UC_SEQUENCE && v->item_count && v->items[0]->kind == UC_MAP) {
        return write_maps(o, name, (const uc_value *const *)v->items, v->item_count);
    }
    for (size_t i = 0; i < v->item_count; i++) {
        const char *item =
            v->kind == UC_OPTIONAL ? name : uc_arena_printf(o->arena, "%s_%zu", name, i);
        if (!item) return uc_fail_memory(o->error);
        UC_TRY(write_value(o, item, v->items[i])); /* as deep as the model's type */
    }
    return UNCORK_OK;
}

uncork_status cli_write_outputs(const char *folder, const uncork_model *model,
                                const uncork_session *session, uc_arena *arena, uncork_error *error)
{
    outputs o = {.folder = folder, .arena = arena, .error = error};
    uncork_status status = uc_file_make_folder(folder, error);
    for (int i = 0; status == UNCORK_OK && i < uncork_model_output_count(model); i++) {
        const uc_value *v = uc_value_inside(uncork_session_output(session, i));
        status = write_value(&o, uncork_model_output_name(model, i), v);
    }
    for (size_t i = 0; status != UNCORK_OK && i < o.count; i++) {
        unlink(o.paths[i]); /* outputs appear only when all of them exist */
    }
    return status;
}
