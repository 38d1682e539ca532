/* HDF5 chunked storage: chunks into place; the B-tree of version 3, the indexes of version 4. */
#include "container/hdf5_internal.h"

#include <inttypes.h>

enum { MAX_LEVEL = 16 };

/* Copies the part of a chunk that lies inside of the dataset, one run of the last axis at a time. */
static void copy_chunk(const uc_h5_chunks *c, const uint64_t *place, const uint8_t *chunk)
{
    uint64_t first[UNCORK_MAX_RANK], extent[UNCORK_MAX_RANK], at[UNCORK_MAX_RANK] = {0};
    for (int i = 0; i < c->rank; i++) {
        first[i] = place[i] * c->chunk[i];
        const uint64_t left = (uint64_t)c->shape[i] - first[i];
        extent[i] = left < c->chunk[i] ? left : c->chunk[i];
    }
    const int last = c->rank - 1;
    for (;;) {
        uint64_t to = 0, from = 0;
        for (int i = 0; i < c->rank; i++) {
            to = to * (uint64_t)c->shape[i] + first[i] + at[i];
            from = from * c->chunk[i] + at[i];
        }
        memcpy(c->out + to * c->element, chunk + from * c->element,
               (last < 0 ? 1 : extent[last]) * c->element);
        int axis = last - 1;
        while (axis >= 0 && ++at[axis] == extent[axis]) {
            at[axis--] = 0;
        }
        if (axis < 0) return;
    }
}

uncork_status uc_h5_put_chunk(uc_h5_chunks *c, const uint64_t *place, uint64_t address,
                              uint64_t stored, uint32_t mask)
{
    uc_h5_call *call = c->call;
    UC_TRY(uc_h5_step(call->h5, 1, call->error));
    if (address == UC_H5_UNDEFINED) return UNCORK_OK;
    if (++c->seen > c->grid_count) {
        return uc_fail(call->error, UNCORK_MALFORMED, call->h5->base + address,
                       "more HDF5 chunks than their dataset has");
    }
    for (int i = 0; i < c->rank; i++) {
        if (place[i] >= c->grid[i]) return UNCORK_OK; /* left from before the dataset shrank */
    }
    uc_reader r = uc_h5_block(call->h5, address, stored, "chunk", call->error);
    if (!uc_reader_ok(&r)) return call->error->status;
    uc_bytes chunk;
    UC_TRY(uc_h5_unfilter(call, c->filters, mask, (uc_bytes){r.at, uc_reader_left(&r)},
                          uc_reader_offset(&r), c->chunk_bytes, c->element, &chunk));
    copy_chunk(c, place, chunk.data);
    return UNCORK_OK;
}

uncork_status uc_h5_put_chunk_at(uc_h5_chunks *c, uint64_t index, uint64_t address, uint64_t stored,
                                 uint32_t mask)
{
    uint64_t place[UNCORK_MAX_RANK] = {0};
    for (int i = c->rank; i-- > 0;) {
        place[i] = index % c->grid[i];
        index /= c->grid[i];
    }
    return uc_h5_put_chunk(c, place, address, stored, mask);
}

/* ---- the B-tree of version 3 ----------------------------------------------------------------- */

static uncork_status read_tree(uc_h5_chunks *c, uint64_t address, int level)
{
    uc_h5_call *call = c->call;
    UC_TRY(uc_h5_step(call->h5, 1, call->error));
    uc_reader r = uc_h5_at_address(call->h5, address, "chunk B-tree", call->error);
    if (!uc_h5_signature(&r, "TREE", "chunk B-tree")) return call->error->status;
    const uint8_t type = uc_reader_u8(&r, "chunk B-tree");
    const uint8_t mine = uc_reader_u8(&r, "chunk B-tree");
    const unsigned count = uc_reader_u16le(&r, "chunk B-tree");
    if (uc_reader_ok(&r) && (type != 1 || mine >= level)) {
        return uc_reader_fail(&r, "chunk B-tree: node of type %u, level %u", type, mine);
    }
    uc_reader_skip(&r, 2u * call->h5->offset_size, "chunk B-tree");
    for (unsigned i = 0; i < count && uc_reader_ok(&r); i++) {
        uint64_t place[UNCORK_MAX_RANK] = {0};
        const uint32_t stored = uc_reader_u32le(&r, "chunk B-tree");
        const uint32_t mask = uc_reader_u32le(&r, "chunk B-tree");
        for (int k = 0; k < c->rank; k++) {
            place[k] = uc_reader_u64le(&r, "chunk B-tree") / c->chunk[k];
        }
        uc_reader_skip(&r, 8, "chunk B-tree");
        const uint64_t child = uc_h5_offset(call->h5, &r, "chunk B-tree");
        if (!uc_reader_ok(&r)) break;
        UC_TRY(mine ? read_tree(c, child, mine) : uc_h5_put_chunk(c, place, child, stored, mask));
    }
    return uc_reader_ok(&r) ? UNCORK_OK : call->error->status;
}

uncork_status uc_h5_chunks_v3(uc_h5_chunks *c, uint64_t tree)
{
    return tree == UC_H5_UNDEFINED ? UNCORK_OK : read_tree(c, tree, MAX_LEVEL);
}

/* ---- version 4 ------------------------------------------------------------------------------- */

typedef struct records {
    uc_h5_chunks *c;
    bool filtered;
} records;

/* A B-tree of version 2: address, (stored size, mask,) place counted in chunks. */
static uncork_status read_record(void *context, uc_bytes record, uint64_t offset)
{
    const records *x = context;
    uc_h5_chunks *c = x->c;
    uc_h5_call *call = c->call;
    uc_reader r = uc_reader_over(record.data, record.size, offset, call->error);
    const uint64_t address = uc_h5_offset(call->h5, &r, "chunk record");
    uint64_t place[UNCORK_MAX_RANK] = {0}, stored = c->chunk_bytes;
    uint32_t mask = 0;
    if (x->filtered) {
        const size_t fixed = (size_t)call->h5->offset_size + 4 + 8u * (size_t)c->rank;
        const size_t width = record.size > fixed ? record.size - fixed : 0;
        stored = uc_h5_number(&r, width > 8 ? 8 : (unsigned)width, "chunk record");
        mask = uc_reader_u32le(&r, "chunk record");
    }
    for (int i = 0; i < c->rank; i++) {
        place[i] = uc_reader_u64le(&r, "chunk record");
    }
    if (!uc_reader_ok(&r)) return call->error->status;
    return uc_h5_put_chunk(c, place, address, stored, mask);
}

static uncork_status read_implicit(uc_h5_chunks *c, uint64_t address)
{
    for (uint64_t i = 0; i < c->grid_count; i++) {
        const uint64_t at = i * c->chunk_bytes;
        if (c->chunk_bytes && at / c->chunk_bytes != i) break;
        UC_TRY(uc_h5_put_chunk_at(c, i, address + at, c->chunk_bytes, 0));
    }
    return UNCORK_OK;
}

uncork_status uc_h5_chunks_v4(uc_h5_chunks *c, uc_reader *r, uint8_t flags)
{
    enum { SINGLE = 1, IMPLICIT, FIXED_ARRAY, EXTENSIBLE_ARRAY, TREE };
    uc_h5_call *call = c->call;
    /* Bytes of an index's own parameters, which the index repeats. */
    static const uint8_t parameters[] = {0, 0, 0, 1, 5, 6};
    const uint8_t kind = uc_reader_u8(r, "layout");
    uint64_t stored = c->chunk_bytes;
    uint32_t mask = 0;
    if (uc_reader_ok(r) && (kind < SINGLE || kind > TREE)) {
        return uc_reader_fail(r, "chunk index of kind %u", kind);
    }
    if (kind == SINGLE && (flags & 2)) {
        stored = uc_h5_length(call->h5, r, "layout");
        mask = uc_reader_u32le(r, "layout");
    }
    uc_reader_skip(r, kind <= TREE ? parameters[kind] : 0, "layout");
    const uint64_t address = uc_h5_offset(call->h5, r, "layout");
    if (!uc_reader_ok(r)) return call->error->status;
    if (address == UC_H5_UNDEFINED) return UNCORK_OK;
    switch (kind) {
    case SINGLE: return uc_h5_put_chunk_at(c, 0, address, stored, mask);
    case IMPLICIT: return read_implicit(c, address);
    case FIXED_ARRAY: return uc_h5_fixed_array(c, address);
    case EXTENSIBLE_ARRAY: return uc_h5_extensible_array(c, address);
    default: {
        records x = {c, c->filters->count != 0};
        return uc_h5_tree2(call->h5, address, x.filtered ? 11 : 10, read_record, &x, call->error);
    }
    }
}
