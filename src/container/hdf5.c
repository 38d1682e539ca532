/* HDF5: the superblock, the walk over groups, look-ups. */
#include "container/hdf5_internal.h"

#include "base/limits.h"

#include <inttypes.h>

static const uint8_t signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

/* A superblock lies at 0, 512, 1024, 2048, ...: files may begin with a user block. */
static size_t find_superblock(uc_bytes bytes)
{
    for (size_t at = 0; at <= bytes.size && bytes.size - at >= sizeof signature;
         at = at ? 2 * at : 512) {
        if (memcmp(bytes.data + at, signature, sizeof signature) == 0) return at;
        if (at > SIZE_MAX / 2) break;
    }
    return SIZE_MAX;
}

bool uc_h5_probe(uc_bytes bytes) { return find_superblock(bytes) != SIZE_MAX; }

uc_reader uc_h5_at_address(const uc_h5 *h5, uint64_t address, const char *what, uncork_error *error)
{
    uc_reader r = uc_reader_over(h5->bytes.data, h5->bytes.size, h5->base, error);
    if (address > h5->bytes.size) {
        uc_reader_fail(&r, "%s lies at %" PRIu64 ", the file ends at %zu", what, address,
                       h5->bytes.size);
        return r;
    }
    return uc_reader_over(h5->bytes.data + address, h5->bytes.size - (size_t)address,
                          h5->base + address, error);
}

uc_reader uc_h5_block(const uc_h5 *h5, uint64_t address, uint64_t size, const char *what,
                      uncork_error *error)
{
    uc_reader r = uc_h5_at_address(h5, address, what, error);
    return uc_reader_sub(&r, size, what);
}

uint64_t uc_h5_number(uc_reader *r, unsigned size, const char *what)
{
    const uc_bytes b = uc_reader_take(r, size, what);
    uint64_t value = 0;
    for (size_t i = b.size > 8 ? 8 : b.size; i-- > 0;) {
        value = value << 8 | b.data[i];
    }
    return value;
}

uint64_t uc_h5_offset(const uc_h5 *h5, uc_reader *r, const char *what)
{
    const uint64_t value = uc_h5_number(r, h5->offset_size, what);
    const uint64_t ones =
        h5->offset_size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * h5->offset_size) - 1;
    return uc_reader_ok(r) && value == ones ? UC_H5_UNDEFINED : value;
}

uint64_t uc_h5_length(const uc_h5 *h5, uc_reader *r, const char *what)
{
    return uc_h5_number(r, h5->length_size, what);
}

bool uc_h5_signature(uc_reader *r, const char *text, const char *what)
{
    const uc_bytes b = uc_reader_take(r, 4, what);
    if (!b.data) return false;
    if (memcmp(b.data, text, 4) != 0) {
        r->at -= 4;
        uc_reader_fail(r, "%s doesn't begin with %s", what, text);
        return false;
    }
    return true;
}

uncork_status uc_h5_step(const uc_h5 *h5, uint64_t steps, uncork_error *error)
{
    if (!h5->budget) return UNCORK_OK;
    UC_TRY(uc_budget_check(h5->budget, error));
    return uc_budget_nodes(h5->budget, steps, "HDF5 structures", error);
}

/* ---- the superblock -------------------------------------------------------------------------- */

static bool read_sizes(uc_h5 *h5, uc_reader *r)
{
    h5->offset_size = uc_reader_u8(r, "superblock");
    h5->length_size = uc_reader_u8(r, "superblock");
    for (int i = 0; i < 2 && uc_reader_ok(r); i++) {
        const unsigned n = i ? h5->length_size : h5->offset_size;
        if (n != 2 && n != 4 && n != 8) {
            uc_reader_fail(r, "superblock: addresses of %u bytes", n);
        }
    }
    return uc_reader_ok(r);
}

/* Version 0 and 1: sizes, parameters of old groups, four addresses, the root's symbol table entry. */
static uint64_t read_old(uc_h5 *h5, uc_reader *r, int version, uint64_t *end, uint64_t *base)
{
    uc_reader_skip(r, 4, "superblock");
    if (!read_sizes(h5, r)) return 0;
    uc_reader_skip(r, version ? 13 : 9, "superblock");
    *base = uc_h5_offset(h5, r, "superblock");
    (void)uc_h5_offset(h5, r, "superblock");
    *end = uc_h5_offset(h5, r, "superblock");
    (void)uc_h5_offset(h5, r, "superblock");
    (void)uc_h5_offset(h5, r, "superblock");
    return uc_h5_offset(h5, r, "superblock");
}

static uint64_t read_new(uc_h5 *h5, uc_reader *r, uint64_t *end, uint64_t *base)
{
    if (!read_sizes(h5, r)) return 0;
    uc_reader_skip(r, 1, "superblock");
    *base = uc_h5_offset(h5, r, "superblock");
    (void)uc_h5_offset(h5, r, "superblock");
    *end = uc_h5_offset(h5, r, "superblock");
    return uc_h5_offset(h5, r, "superblock");
}

static uncork_status read_superblock(uc_h5 *h5, uint64_t *root, uncork_error *error)
{
    const size_t at = find_superblock(h5->bytes);
    if (at == SIZE_MAX) {
        return uc_fail(error, UNCORK_MALFORMED, h5->base, "no HDF5 superblock");
    }
    uc_reader r = uc_reader_over(h5->bytes.data + at, h5->bytes.size - at, h5->base + at, error);
    uc_reader_skip(&r, sizeof signature, "superblock");
    const int version = uc_reader_u8(&r, "superblock");
    uint64_t end = 0, base = 0;
    if (version > 3) return uc_reader_fail(&r, "superblock of version %d", version);
    *root = version < 2 ? read_old(h5, &r, version, &end, &base) : read_new(h5, &r, &end, &base);
    if (!uc_reader_ok(&r)) return error ? error->status : UNCORK_MALFORMED;
    /* The base address counts from the file's begin; writers of user blocks leave it at zero, or
     * where the superblock is. */
    if (base > h5->bytes.size) return uc_reader_fail(&r, "base address %" PRIu64, base);
    if (base == 0) base = at;
    h5->bytes.data += base;
    h5->bytes.size -= (size_t)base;
    h5->base += base;
    if (end != UC_H5_UNDEFINED && end > base + (uint64_t)h5->bytes.size) {
        uc_reader_fail(&r, "the file is cut: it says %" PRIu64 " bytes, %" PRIu64 " are there", end,
                       base + (uint64_t)h5->bytes.size);
        return uc_fix(error, "copy or download it again");
    }
    return UNCORK_OK;
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* Groups within groups: Keras nests models, a level or two a model. */
enum { MAX_DEPTH = 100 };

typedef struct walk {
    uc_h5 *h5;
    uc_h5_object *group;
    int depth;
    uncork_error *error;
} walk;

static uncork_status visit(uc_h5 *h5, uint64_t address, int depth, uc_h5_object **found,
                           uncork_error *error);

static uncork_status found_link(void *context, uc_str name, uint64_t address)
{
    walk *w = context;
    uc_h5_object *object;
    UC_TRY(visit(w->h5, address, w->depth + 1, &object, w->error));
    uc_h5_object *g = w->group;
    g->children = uc_arena_grow(w->h5->arena, g->children, &g->child_capacity, g->child_count + 1,
                                sizeof *g->children);
    if (!g->children) return uc_arena_status(w->h5->arena, w->error);
    const char *copy = uc_arena_copy(w->h5->arena, name.data, name.size);
    if (!copy) return uc_arena_status(w->h5->arena, w->error);
    g->children[g->child_count++] = (uc_h5_child){copy, object};
    return UNCORK_OK;
}

static uncork_status visit(uc_h5 *h5, uint64_t address, int depth, uc_h5_object **found,
                           uncork_error *error)
{
    const uc_str key = {(const char *)&address, sizeof address};
    UC_TRY(uc_h5_step(h5, 1, error));
    if (depth > MAX_DEPTH) {
        return uc_fail(error, UNCORK_LIMIT, h5->base + address, "groups nest deeper than %d",
                       MAX_DEPTH);
    }
    *found = uc_table_find(h5->objects, key);
    if (*found && (*found)->open) {
        return uc_fail(error, UNCORK_MALFORMED, h5->base + address, "a group contains itself");
    }
    if (*found) return UNCORK_OK;
    uc_h5_object *object = *found = UC_NEW(h5->arena, uc_h5_object, 1);
    if (!object) return uc_arena_status(h5->arena, error);
    object->address = address;
    if (!uc_table_put(h5->objects, (uc_str){(const char *)&object->address, sizeof address},
                      object)) {
        return uc_arena_status(h5->arena, error);
    }
    object->open = true;
    UC_TRY(uc_h5_read_header(h5, object, error));
    walk w = {h5, object, depth, error};
    UC_TRY(uc_h5_links(h5, object, found_link, &w, error));
    object->open = false;
    return UNCORK_OK;
}

uncork_status uc_h5_open(uc_bytes bytes, uint64_t base, uc_arena *arena, uc_budget *budget,
                         uc_h5 **result, uncork_error *error)
{
    uc_h5 *h5 = *result = UC_NEW(arena, uc_h5, 1);
    if (!h5) return uc_arena_status(arena, error);
    uint64_t root = 0;
    *h5 = (uc_h5){.bytes = bytes, .base = base, .arena = arena, .budget = budget};
    h5->objects = uc_table_new(arena);
    if (!h5->objects) return uc_arena_status(arena, error);
    UC_TRY(read_superblock(h5, &root, error));
    return visit(h5, root, 0, &h5->root, error);
}

/* ---- look-ups -------------------------------------------------------------------------------- */

const uc_h5_object *uc_h5_root(const uc_h5 *h5) { return h5->root; }

size_t uc_h5_count(const uc_h5_object *group) { return group ? group->child_count : 0; }

const uc_h5_object *uc_h5_at(const uc_h5_object *group, size_t i)
{
    return group->children[i].object;
}

static const uc_h5_object *member(const uc_h5_object *group, uc_str name)
{
    for (size_t i = 0; i < group->child_count; i++) {
        if (uc_str_is(name, group->children[i].name)) return group->children[i].object;
    }
    return NULL;
}

const uc_h5_object *uc_h5_find(const uc_h5_object *group, uc_str path)
{
    while (group && path.size) {
        size_t n = 0;
        while (n < path.size && path.data[n] != '/') {
            n++;
        }
        if (n) group = member(group, (uc_str){path.data, n});
        n += n < path.size;
        path = (uc_str){path.data + n, path.size - n};
    }
    return group;
}

bool uc_h5_is_dataset(const uc_h5_object *object)
{
    return object && uc_h5_message_of(object, H5_LAYOUT);
}
