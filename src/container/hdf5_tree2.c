/* HDF5 B-trees of version 2: the index of dense links, dense attributes and huge heap objects. */
#include "container/hdf5_internal.h"

#include <inttypes.h>

enum { MAX_DEPTH = 16, NODE_OVERHEAD = 10 }; /* signature, version, type, checksum */

typedef struct tree {
    const uc_h5 *h5;
    uc_h5_record_fn *each;
    void *context;
    uncork_error *error;
    uint32_t node_size;
    unsigned record_size, type;
    /* bytes of a child's record count, and of the count below it, by level */
    unsigned count_bytes, total_bytes[MAX_DEPTH + 1];
} tree;

static unsigned bytes_for(uint64_t n)
{
    unsigned bits = 0;
    while (n >>= 1) {
        bits++;
    }
    return bits / 8 + 1;
}

/* How wide the counts in inner nodes are follows from the largest that can be (H5B2hdr.c). */
static bool read_widths(tree *t, unsigned depth)
{
    uint64_t most = (t->node_size - NODE_OVERHEAD) / t->record_size, total = most;
    t->count_bytes = bytes_for(most);
    for (unsigned level = 1; level <= depth; level++) {
        const unsigned pointer =
            t->h5->offset_size + t->count_bytes + (level > 1 ? t->total_bytes[level - 1] : 0);
        if (t->node_size < NODE_OVERHEAD + pointer) return false;
        most = (t->node_size - NODE_OVERHEAD - pointer) / (t->record_size + pointer);
        if (most == 0 || total > UINT64_MAX / (most + 1) - most) return false;
        total = (most + 1) * total + most;
        t->total_bytes[level] = bytes_for(total);
    }
    return true;
}

static uncork_status read_node(tree *t, uint64_t address, uint64_t count, unsigned level)
{
    UC_TRY(uc_h5_step(t->h5, 1 + count, t->error));
    uc_reader r = uc_h5_block(t->h5, address, t->node_size, "B-tree node", t->error);
    if (!uc_h5_signature(&r, level ? "BTIN" : "BTLF", "B-tree node")) return t->error->status;
    uc_reader_skip(&r, 2, "B-tree node");
    if (count > t->node_size / t->record_size) {
        return uc_reader_fail(&r, "B-tree node of %" PRIu64 " records", count);
    }
    const uint64_t offset = uc_reader_offset(&r);
    const uc_bytes records = uc_reader_take(&r, count * t->record_size, "B-tree records");
    for (uint64_t i = 0; uc_reader_ok(&r) && i <= count; i++) {
        if (level) {
            const uint64_t child = uc_h5_offset(t->h5, &r, "B-tree child");
            const uint64_t below = uc_h5_number(&r, t->count_bytes, "B-tree child");
            uc_reader_skip(&r, level > 1 ? t->total_bytes[level - 1] : 0, "B-tree child");
            if (!uc_reader_ok(&r)) break;
            UC_TRY(read_node(t, child, below, level - 1));
        }
        if (i == count) break;
        UC_TRY(t->each(t->context, (uc_bytes){records.data + i * t->record_size, t->record_size},
                       offset + i * t->record_size));
    }
    return uc_reader_ok(&r) ? UNCORK_OK : t->error->status;
}

uncork_status uc_h5_tree2(const uc_h5 *h5, uint64_t address, int type, uc_h5_record_fn *each,
                          void *context, uncork_error *error)
{
    uncork_error mine = {0};
    tree t = {.h5 = h5, .each = each, .context = context, .error = error ? error : &mine};
    uc_reader r = uc_h5_at_address(h5, address, "B-tree", t.error);
    if (!uc_h5_signature(&r, "BTHD", "B-tree")) return t.error->status;
    uc_reader_skip(&r, 1, "B-tree");
    t.type = uc_reader_u8(&r, "B-tree");
    t.node_size = uc_reader_u32le(&r, "B-tree");
    t.record_size = uc_reader_u16le(&r, "B-tree");
    const unsigned depth = uc_reader_u16le(&r, "B-tree");
    uc_reader_skip(&r, 2, "B-tree");
    const uint64_t root = uc_h5_offset(h5, &r, "B-tree");
    const unsigned count = uc_reader_u16le(&r, "B-tree");
    if (!uc_reader_ok(&r)) return t.error->status;
    if (root == UC_H5_UNDEFINED || count == 0) return UNCORK_OK;
    if (t.type != (unsigned)type || depth > MAX_DEPTH || t.record_size == 0 ||
        t.node_size < NODE_OVERHEAD + t.record_size || !read_widths(&t, depth)) {
        return uc_reader_fail(&r, "B-tree of type %u, depth %u, records of %u bytes", t.type, depth,
                              t.record_size);
    }
    return read_node(&t, root, count, depth);
}
