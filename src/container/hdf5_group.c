/* HDF5 groups: the old ones (B-tree version 1, local heap, symbol tables), links in the header, and
 * links in a fractal heap. Soft and external links are passed over: Keras writes none. */
#include "container/hdf5_internal.h"

#include <inttypes.h>

/* Levels of a version 1 B-tree: 32 children a node, 2^64 entries. */
enum { MAX_LEVEL = 16, SYMBOL_SOFT = 2 };

typedef struct group {
    const uc_h5 *h5;
    uc_h5_found_fn *found;
    void *context;
    uncork_error *error;
    uc_bytes names; /* the local heap's data */
    uc_h5_fractal heap;
} group;

static uncork_status read_symbols(group *g, uint64_t address)
{
    uc_reader r = uc_h5_at_address(g->h5, address, "symbol table", g->error);
    if (!uc_h5_signature(&r, "SNOD", "symbol table")) return g->error->status;
    uc_reader_skip(&r, 2, "symbol table");
    const unsigned count = uc_reader_u16le(&r, "symbol table");
    for (unsigned i = 0; i < count && uc_reader_ok(&r); i++) {
        const uint64_t name = uc_h5_offset(g->h5, &r, "symbol");
        const uint64_t object = uc_h5_offset(g->h5, &r, "symbol");
        const uint32_t kind = uc_reader_u32le(&r, "symbol");
        uc_reader_skip(&r, 20, "symbol");
        if (!uc_reader_ok(&r)) break;
        const void *zero = name < g->names.size
                               ? memchr(g->names.data + name, 0, g->names.size - (size_t)name)
                               : NULL;
        if (!zero) return uc_reader_fail(&r, "a member's name lies outside of the group's heap");
        const char *text = (const char *)g->names.data + name;
        if (kind == SYMBOL_SOFT) continue;
        UC_TRY(g->found(g->context, (uc_str){text, (size_t)((const char *)zero - text)}, object));
    }
    return uc_reader_ok(&r) ? UNCORK_OK : g->error->status;
}

/* Children have a lower level each, so the depth is bounded; the budget bounds the breadth. */
static uncork_status read_tree(group *g, uint64_t address, int level)
{
    UC_TRY(uc_h5_step(g->h5, 1, g->error));
    if (level == 0) return read_symbols(g, address);
    uc_reader r = uc_h5_at_address(g->h5, address, "group B-tree", g->error);
    if (!uc_h5_signature(&r, "TREE", "group B-tree")) return g->error->status;
    const uint8_t type = uc_reader_u8(&r, "group B-tree");
    const uint8_t mine = uc_reader_u8(&r, "group B-tree");
    const unsigned count = uc_reader_u16le(&r, "group B-tree");
    if (uc_reader_ok(&r) && (type != 0 || mine + 1 > level)) {
        return uc_reader_fail(&r, "group B-tree: node of type %u, level %u", type, mine);
    }
    uc_reader_skip(&r, 2u * g->h5->offset_size + g->h5->length_size, "group B-tree");
    for (unsigned i = 0; i < count && uc_reader_ok(&r); i++) {
        const uint64_t child = uc_h5_offset(g->h5, &r, "group B-tree");
        uc_reader_skip(&r, g->h5->length_size, "group B-tree");
        if (uc_reader_ok(&r)) UC_TRY(read_tree(g, child, mine));
    }
    return uc_reader_ok(&r) ? UNCORK_OK : g->error->status;
}

static uncork_status read_old(group *g, const uc_h5_message *m)
{
    uc_reader r = uc_h5_message_reader(m, g->error);
    const uint64_t tree = uc_h5_offset(g->h5, &r, "symbol table message");
    const uint64_t heap = uc_h5_offset(g->h5, &r, "symbol table message");
    if (!uc_reader_ok(&r)) return g->error->status;
    uc_reader h = uc_h5_at_address(g->h5, heap, "local heap", g->error);
    if (!uc_h5_signature(&h, "HEAP", "local heap")) return g->error->status;
    uc_reader_skip(&h, 4, "local heap");
    const uint64_t size = uc_h5_length(g->h5, &h, "local heap");
    (void)uc_h5_length(g->h5, &h, "local heap");
    const uint64_t data = uc_h5_offset(g->h5, &h, "local heap");
    if (!uc_reader_ok(&h)) return g->error->status;
    uc_reader names = uc_h5_block(g->h5, data, size, "local heap", g->error);
    if (!uc_reader_ok(&names)) return g->error->status;
    g->names = (uc_bytes){names.at, uc_reader_left(&names)};
    return read_tree(g, tree, MAX_LEVEL);
}

static uncork_status read_link(group *g, uc_reader *r)
{
    const uint8_t version = uc_reader_u8(r, "link");
    const uint8_t flags = uc_reader_u8(r, "link");
    if (uc_reader_ok(r) && version != 1) return uc_reader_fail(r, "link of version %u", version);
    const uint8_t type = flags & 8 ? uc_reader_u8(r, "link") : 0;
    uc_reader_skip(r, (flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0), "link");
    const uint64_t length = uc_h5_number(r, 1u << (flags & 3), "link");
    const uc_bytes name = uc_reader_take(r, length, "link name");
    const uint64_t address = type == 0 ? uc_h5_offset(g->h5, r, "link") : 0;
    if (!uc_reader_ok(r)) return g->error->status;
    if (type != 0) return UNCORK_OK;
    return g->found(g->context, (uc_str){(const char *)name.data, name.size}, address);
}

/* A record of the name index: the name's hash, then the heap ID. */
static uncork_status read_record(void *context, uc_bytes record, uint64_t offset)
{
    group *g = context;
    if (record.size < 4 + (size_t)g->heap.id_size) {
        return uc_fail(g->error, UNCORK_MALFORMED, offset, "link record of %zu bytes", record.size);
    }
    uc_reader link;
    UC_TRY(uc_h5_fractal_find(g->h5, &g->heap, (uc_bytes){record.data + 4, g->heap.id_size}, &link,
                              g->error));
    return read_link(g, &link);
}

static uncork_status read_dense(group *g, const uc_h5_message *m)
{
    uc_reader r = uc_h5_message_reader(m, g->error);
    uc_reader_skip(&r, 1, "link info");
    const uint8_t flags = uc_reader_u8(&r, "link info");
    uc_reader_skip(&r, flags & 1 ? 8 : 0, "link info");
    const uint64_t heap = uc_h5_offset(g->h5, &r, "link info");
    const uint64_t names = uc_h5_offset(g->h5, &r, "link info");
    if (!uc_reader_ok(&r)) return g->error->status;
    if (heap == UC_H5_UNDEFINED || names == UC_H5_UNDEFINED) return UNCORK_OK;
    UC_TRY(uc_h5_fractal_open(g->h5, heap, &g->heap, g->error));
    return uc_h5_tree2(g->h5, names, 5, read_record, g, g->error);
}

uncork_status uc_h5_links(const uc_h5 *h5, const uc_h5_object *object, uc_h5_found_fn *found,
                          void *context, uncork_error *error)
{
    uncork_error mine = {0};
    group g = {.h5 = h5, .found = found, .context = context, .error = error ? error : &mine};
    for (size_t i = 0; i < object->message_count; i++) {
        const uc_h5_message *m = &object->messages[i];
        if (m->type == H5_SYMBOLS) UC_TRY(read_old(&g, m));
        if (m->type == H5_LINK_INFO) UC_TRY(read_dense(&g, m));
        if (m->type == H5_LINK) {
            uc_reader r = uc_h5_message_reader(m, g.error);
            UC_TRY(read_link(&g, &r));
        }
    }
    return UNCORK_OK;
}
