/* A length, a JSON object of names, then the data end to end. */
#include "container/safetensors.h"

#include "base/table.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_HEADER = 100000000, LENGTH = 8 };

bool uc_safetensors_probe(uc_bytes b)
{
    size_t at = LENGTH;
    if (b.size < LENGTH + 2) return false;
    const uint64_t n = uc_load_u64le(b.data);
    if (n < 2 || n > MAX_HEADER) return false;
    while (at < b.size && at < LENGTH + 64 && (b.data[at] == ' ' || b.data[at] == '\n')) {
        at++;
    }
    if (at + 1 >= b.size || b.data[at] != '{') return false;
    return b.data[at + 1] == '"' || b.data[at + 1] == '}' || b.data[at + 1] == ' ' ||
           b.data[at + 1] == '\n';
}

/* ---- one entry ----------------------------------------------------------------------------------- */

typedef struct row {
    uc_safetensors_entry *entry;
    uint64_t begin, end;
} row;

static uncork_dtype dtype_of(uc_str name)
{
    static const struct {
        const char *name;
        uncork_dtype dtype;
    } rows[] = {
        {"F32", UNCORK_FLOAT32},
        {"F16", UNCORK_FLOAT16},
        {"BF16", UNCORK_BFLOAT16},
        {"F64", UNCORK_FLOAT64},
        {"I64", UNCORK_INT64},
        {"I32", UNCORK_INT32},
        {"I16", UNCORK_INT16},
        {"I8", UNCORK_INT8},
        {"U64", UNCORK_UINT64},
        {"U32", UNCORK_UINT32},
        {"U16", UNCORK_UINT16},
        {"U8", UNCORK_UINT8},
        {"BOOL", UNCORK_BOOL},
        {"C64", UNCORK_COMPLEX64},
        {"F8_E4M3", UNCORK_FLOAT8E4M3FN},
        {"F8_E4M3FNUZ", UNCORK_FLOAT8E4M3FNUZ},
        {"F8_E5M2", UNCORK_FLOAT8E5M2},
        {"F8_E5M2FNUZ", UNCORK_FLOAT8E5M2FNUZ},
        {"F8_E8M0", UNCORK_FLOAT8E8M0},
        {"F4", UNCORK_FLOAT4E2M1},
        {"F6_E2M3", UNCORK_FLOAT6E2M3},
        {"F6_E3M2", UNCORK_FLOAT6E3M2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (uc_str_is(name, rows[i].name)) return rows[i].dtype;
    }
    return UNCORK_DTYPE_NONE;
}

static uncork_status fail_entry(const char *name, const uc_json *json, uncork_status status,
                                const char *what, uncork_error *error)
{
    return uc_fail(error, status, json ? json->offset : UC_NO_OFFSET, "tensor '%.120s' %s", name,
                   what);
}

/* A list of at most `most` numbers that aren't negative: how many; SIZE_MAX when it is none. */
static size_t counts(const uc_json *json, uc_arena *arena, int64_t *out, size_t most)
{
    size_t n = 0;
    if (!json || (json->kind != UC_JSON_ARRAY && json->kind != UC_JSON_NUMBERS)) return SIZE_MAX;
    if (json->kind == UC_JSON_NUMBERS && json->numbers->dtype != UNCORK_INT64) return SIZE_MAX;
    if (uc_json_count(json) > most) return SIZE_MAX;
    const int64_t *values = uc_json_i64s(json, arena, &n);
    if (!values && uc_json_count(json)) return SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        if (values[i] < 0) return SIZE_MAX;
        out[i] = values[i];
    }
    return n;
}

static uncork_status read_entry(const uc_json *json, uc_arena *arena, row *r, uncork_error *error)
{
    const char *name = r->entry->name;
    const uc_str type = uc_json_str(uc_json_get(json, "dtype"), "");
    const uncork_dtype dtype = dtype_of(type);
    int64_t shape[UNCORK_MAX_RANK], range[2];
    if (json->kind != UC_JSON_OBJECT)
        return fail_entry(name, json, UNCORK_MALFORMED, "isn't described by an object", error);
    if (!dtype) {
        return uc_fail(error, UNCORK_UNSUPPORTED, json->offset, "tensor '%.120s' is of type '%.*s'",
                       name, (int)(type.size < 40 ? type.size : 40), type.data);
    }
    const uc_json *sizes = uc_json_get(json, "shape");
    if (uc_json_count(sizes) > UNCORK_MAX_RANK)
        return fail_entry(name, json, UNCORK_UNSUPPORTED, "has more than 8 dimensions", error);
    const size_t rank = counts(sizes, arena, shape, UNCORK_MAX_RANK);
    if (rank == SIZE_MAX || counts(uc_json_get(json, "data_offsets"), arena, range, 2) != 2 ||
        range[0] > range[1])
        return fail_entry(name, json, UNCORK_MALFORMED, "has no shape or no data_offsets", error);
    size_t count, bits;
    if (!uc_shape_count(shape, (int)rank, &count) ||
        !uc_mul_size(count, (size_t)uc_dtype_bits(dtype), &bits) || bits % 8 ||
        bits / 8 != (uint64_t)(range[1] - range[0]))
        return fail_entry(name, json, UNCORK_MALFORMED, "has data of another size than its shape",
                          error);
    uc_tensor_set(&r->entry->tensor, dtype, (int)rank, shape);
    r->begin = (uint64_t)range[0];
    r->end = (uint64_t)range[1];
    return UNCORK_OK;
}

/* ---- all of them --------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* The data lie end to end; each tensor learns where. */
static uncork_status place(uc_bytes data, row *rows, size_t count, uc_arena *arena,
                           uncork_error *error)
{
    uint64_t at = 0;
    if (count) qsort(rows, count, sizeof *rows, by_place);
    for (size_t i = 0; i < count; i++) {
        uc_safetensors_entry *e = rows[i].entry;
        const size_t size = uc_dtype_size(e->tensor.dtype), align = size > 8 ? 8 : size;
        if (rows[i].begin != at || rows[i].end > data.size) {
            return fail_entry(e->name, NULL, UNCORK_MALFORMED,
                              rows[i].end > data.size ? "reaches beyond the file"
                                                      : "doesn't lie behind the one before it",
                              error);
        }
        const uint8_t *from = data.data + at;
        const size_t bytes = (size_t)(rows[i].end - at);
        at = rows[i].end;
        e->tensor.data = (void *)(uintptr_t)from;
        if (bytes && (align < 2 || (uintptr_t)from % align == 0)) continue;
        e->tensor.data = uc_arena_alloc_raw(arena, bytes ? bytes : 1);
        if (!e->tensor.data) return uc_arena_status(arena, error);
        if (bytes) memcpy(e->tensor.data, from, bytes);
    }
    if (at != data.size) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "%" PRIu64 " bytes at the end belong to no tensor", data.size - at);
    }
    return UNCORK_OK;
}

static uncork_status read_metadata(const uc_json *json, uc_safetensors *file, uncork_error *error)
{
    if (json->kind != UC_JSON_OBJECT)
        return uc_fail(error, UNCORK_MALFORMED, json->offset, "__metadata__ is no object");
    for (size_t i = 0; i < json->count; i++) {
        if (json->items[i]->kind != UC_JSON_STRING)
            return uc_fail(error, UNCORK_MALFORMED, json->items[i]->offset,
                           "__metadata__ holds a value that is no text");
    }
    file->metadata = json;
    return UNCORK_OK;
}

static uncork_status read_header(const uc_json *root, uc_bytes data, uc_arena *arena,
                                 uc_safetensors *file, uncork_error *error)
{
    uc_table *names = uc_table_new(arena);
    row *rows = UC_NEW(arena, row, root->count + 1);
    file->entries = UC_NEW(arena, uc_safetensors_entry, root->count + 1);
    if (!names || !rows || !file->entries) return uc_arena_status(arena, error);
    for (size_t i = 0; i < root->count; i++) {
        const uc_str key = root->keys[i];
        if (uc_table_find(names, key))
            return uc_fail(error, UNCORK_MALFORMED, root->items[i]->offset,
                           "tensor '%.*s' is there twice", (int)(key.size < 120 ? key.size : 120),
                           key.data);
        if (!uc_table_put(names, key, root->items[i])) return uc_arena_status(arena, error);
        if (uc_str_is(key, "__metadata__")) {
            UC_TRY(read_metadata(root->items[i], file, error));
            continue;
        }
        row *r = &rows[file->count];
        r->entry = &file->entries[file->count++];
        r->entry->name = uc_arena_copy(arena, key.data, key.size);
        if (!r->entry->name) return uc_arena_status(arena, error);
        if (memchr(key.data, 0, key.size))
            return fail_entry(r->entry->name, root->items[i], UNCORK_MALFORMED,
                              "has a zero in its name", error);
        UC_TRY(read_entry(root->items[i], arena, r, error));
    }
    return place(data, rows, file->count, arena, error);
}

uncork_status uc_safetensors_read(uc_bytes bytes, uc_arena *arena, uc_safetensors **file,
                                  uncork_error *error)
{
    if (bytes.size < LENGTH)
        return uc_fail(error, UNCORK_MALFORMED, 0,
                       "the header's length needs 8 bytes, %zu are there", bytes.size);
    const uint64_t n = uc_load_u64le(bytes.data);
    if (n > MAX_HEADER || n > bytes.size - LENGTH)
        return uc_fail(error, UNCORK_MALFORMED, 0,
                       "the header needs %" PRIu64 " bytes, %zu remain, at most %d are taken", n,
                       bytes.size - LENGTH, MAX_HEADER);
    const uc_json *root =
        uc_json_read((uc_bytes){bytes.data + LENGTH, (size_t)n}, LENGTH, arena, error);
    if (!root) return error ? error->status : UNCORK_MALFORMED;
    if (root->kind != UC_JSON_OBJECT)
        return uc_fail(error, UNCORK_MALFORMED, LENGTH, "the header is no JSON object");
    const uc_bytes data = {bytes.data + LENGTH + n, bytes.size - LENGTH - (size_t)n};
    *file = UC_NEW(arena, uc_safetensors, 1);
    if (!*file) return uc_arena_status(arena, error);
    return read_header(root, data, arena, *file, error);
}
