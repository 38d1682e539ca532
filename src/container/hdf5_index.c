/* HDF5 chunk indexes of fixed and of growing size (layout version 4). */
#include "container/hdf5_internal.h"

#include <inttypes.h>

typedef struct array {
    uc_h5_chunks *c;
    unsigned entry; /* bytes of an element */
    unsigned page_bits;
    bool filtered;
    uint64_t done; /* elements read, in the order of chunks */
    uint64_t count;
    /* of extensible arrays */
    unsigned offset_bytes, index_elements, min_pointers, min_elements, max_bits;
} array;

/* One element: a chunk's address, and when filtered its stored size and filter mask. */
static uncork_status read_element(array *a, uc_reader *r)
{
    uc_h5_chunks *c = a->c;
    uc_h5_call *call = c->call;
    uint64_t stored = c->chunk_bytes;
    uint32_t mask = 0;
    const uint64_t address = uc_h5_offset(call->h5, r, "chunk address");
    if (a->filtered) {
        stored = uc_h5_number(r, a->entry - call->h5->offset_size - 4u, "chunk size");
        mask = uc_reader_u32le(r, "chunk filters");
    }
    if (!uc_reader_ok(r)) return call->error->status;
    const uint64_t index = a->done++;
    return index < c->grid_count ? uc_h5_put_chunk_at(c, index, address, stored, mask) : UNCORK_OK;
}

static uncork_status read_elements(array *a, uc_reader *r, uint64_t count)
{
    for (uint64_t i = 0; i < count && a->done < a->count; i++) {
        UC_TRY(read_element(a, r));
    }
    return UNCORK_OK;
}

/* Pages hold 2^page_bits elements and a checksum each; a clear bit: the page was never written. */
static uncork_status read_pages(array *a, uc_reader *r, uc_bytes bits, uint64_t first_page,
                                uint64_t count)
{
    const uint64_t page = UINT64_C(1) << a->page_bits;
    for (uint64_t p = 0, left = count; left > 0; p++) {
        const uint64_t n = left < page ? left : page, bit = first_page + p;
        left -= n;
        if (bit / 8 >= bits.size || !(bits.data[bit / 8] & 0x80 >> bit % 8)) {
            a->done += n;
            uc_reader_skip(r,
                           page * a->entry + 4 < uc_reader_left(r) ? page * a->entry + 4
                                                                   : uc_reader_left(r),
                           "chunk index page");
            continue;
        }
        UC_TRY(read_elements(a, r, n));
        uc_reader_skip(r, uc_reader_left(r) < 4 ? uc_reader_left(r) : 4, "chunk index page");
    }
    return UNCORK_OK;
}

static bool start(array *a, uc_reader *r, const char *signature, const char *what)
{
    const unsigned offset_size = a->c->call->h5->offset_size;
    if (!uc_h5_signature(r, signature, what)) return false;
    uc_reader_skip(r, 1, what);
    a->filtered = uc_reader_u8(r, what) == 1;
    a->entry = uc_reader_u8(r, what);
    const unsigned least = offset_size + (a->filtered ? 5u : 0);
    if (uc_reader_ok(r) && (a->entry < least || a->entry > least + (a->filtered ? 7u : 0))) {
        uc_reader_fail(r, "%s: entries of %u bytes", what, a->entry);
    }
    return uc_reader_ok(r);
}

uncork_status uc_h5_fixed_array(uc_h5_chunks *c, uint64_t address)
{
    const char *what = "fixed array";
    uc_h5_call *call = c->call;
    array a = {.c = c};
    uc_reader r = uc_h5_at_address(call->h5, address, what, call->error);
    if (!start(&a, &r, "FAHD", what)) return call->error->status;
    a.page_bits = uc_reader_u8(&r, what);
    a.count = uc_h5_length(call->h5, &r, what);
    const uint64_t block = uc_h5_offset(call->h5, &r, what);
    if (!uc_reader_ok(&r)) return call->error->status;
    if (a.page_bits > 30) return uc_reader_fail(&r, "fixed array: pages of 2^%u", a.page_bits);
    if (block == UC_H5_UNDEFINED) return UNCORK_OK;
    if (a.count > c->grid_count) a.count = c->grid_count;
    r = uc_h5_at_address(call->h5, block, what, call->error);
    if (!uc_h5_signature(&r, "FADB", what)) return call->error->status;
    uc_reader_skip(&r, 2u + call->h5->offset_size, what);
    const uint64_t page = UINT64_C(1) << a.page_bits;
    if (a.count <= page) return read_elements(&a, &r, a.count);
    const uint64_t pages = a.count / page + (a.count % page != 0);
    const uc_bytes bits = uc_reader_take(&r, (pages + 7) / 8, what);
    uc_reader_skip(&r, 4, what);
    if (!uc_reader_ok(&r)) return call->error->status;
    return read_pages(&a, &r, bits, 0, a.count);
}

/* ---- extensible arrays ----------------------------------------------------------------------- */

static uncork_status read_data_block(array *a, uint64_t address, uint64_t count, uc_bytes bits,
                                     uint64_t first_page)
{
    uc_h5_call *call = a->c->call;
    if (address == UC_H5_UNDEFINED) {
        a->done += count;
        return UNCORK_OK;
    }
    UC_TRY(uc_h5_step(call->h5, 1, call->error));
    uc_reader r = uc_h5_at_address(call->h5, address, "chunk index block", call->error);
    if (!uc_h5_signature(&r, "EADB", "chunk index block")) return call->error->status;
    uc_reader_skip(&r, 2u + call->h5->offset_size + a->offset_bytes, "chunk index block");
    if (!uc_reader_ok(&r)) return call->error->status;
    if (count <= UINT64_C(1) << a->page_bits) return read_elements(a, &r, count);
    uc_reader_skip(&r, 4, "chunk index block");
    return read_pages(a, &r, bits, first_page, count);
}

/* Super block u has 2^(u/2) data blocks of 2^((u+1)/2) times min_elements (H5EAhdr.c). */
static uncork_status read_super_block(array *a, uint64_t address, unsigned u)
{
    uc_h5_call *call = a->c->call;
    const uint64_t blocks = UINT64_C(1) << u / 2;
    const uint64_t count = (UINT64_C(1) << (u + 1) / 2) * a->min_elements;
    if (address == UC_H5_UNDEFINED) {
        a->done += blocks * count;
        return UNCORK_OK;
    }
    uc_reader r = uc_h5_at_address(call->h5, address, "chunk index block", call->error);
    if (!uc_h5_signature(&r, "EASB", "chunk index block")) return call->error->status;
    uc_reader_skip(&r, 2u + call->h5->offset_size + a->offset_bytes, "chunk index block");
    const uint64_t page = UINT64_C(1) << a->page_bits;
    uc_bytes bits = {0};
    const uint64_t pages = count > page ? count / page : 0, stride = (pages + 7) / 8;
    if (pages) bits = uc_reader_take(&r, blocks * stride, "chunk index block");
    for (uint64_t i = 0; i < blocks && a->done < a->count && uc_reader_ok(&r); i++) {
        const uint64_t block = uc_h5_offset(call->h5, &r, "chunk index block");
        if (uc_reader_ok(&r)) UC_TRY(read_data_block(a, block, count, bits, i * stride * 8));
    }
    return uc_reader_ok(&r) ? UNCORK_OK : call->error->status;
}

static uncork_status read_index_block(array *a, uint64_t address)
{
    uc_h5_call *call = a->c->call;
    uc_reader r = uc_h5_at_address(call->h5, address, "chunk index block", call->error);
    if (!uc_h5_signature(&r, "EAIB", "chunk index block")) return call->error->status;
    uc_reader_skip(&r, 2u + call->h5->offset_size, "chunk index block");
    UC_TRY(read_elements(a, &r, a->index_elements));
    /* The first super blocks have their data blocks' addresses here. */
    unsigned direct = 0;
    for (unsigned n = a->min_pointers; n > 1; n >>= 1) {
        direct += 2;
    }
    for (unsigned u = 0; u < 64 && a->done < a->count && uc_reader_ok(&r); u++) {
        const uint64_t count = (UINT64_C(1) << (u + 1) / 2) * a->min_elements;
        const uint64_t blocks = u < direct ? UINT64_C(1) << u / 2 : 1;
        for (uint64_t i = 0; i < blocks && a->done < a->count; i++) {
            const uint64_t at = uc_h5_offset(call->h5, &r, "chunk index block");
            if (!uc_reader_ok(&r)) break;
            UC_TRY(u < direct ? read_data_block(a, at, count, (uc_bytes){0}, 0)
                              : read_super_block(a, at, u));
        }
    }
    return uc_reader_ok(&r) ? UNCORK_OK : call->error->status;
}

uncork_status uc_h5_extensible_array(uc_h5_chunks *c, uint64_t address)
{
    const char *what = "extensible array";
    uc_h5_call *call = c->call;
    array a = {.c = c};
    uc_reader r = uc_h5_at_address(call->h5, address, what, call->error);
    if (!start(&a, &r, "EAHD", what)) return call->error->status;
    a.max_bits = uc_reader_u8(&r, what);
    a.index_elements = uc_reader_u8(&r, what);
    a.min_elements = uc_reader_u8(&r, what);
    a.min_pointers = uc_reader_u8(&r, what);
    a.page_bits = uc_reader_u8(&r, what);
    uc_reader_skip(&r, 4u * call->h5->length_size, what); /* blocks and their bytes */
    a.count = uc_h5_length(call->h5, &r, what);           /* highest index set, plus one */
    uc_reader_skip(&r, call->h5->length_size, what);
    const uint64_t block = uc_h5_offset(call->h5, &r, what);
    if (!uc_reader_ok(&r)) return call->error->status;
    if (a.page_bits > 30 || a.max_bits > 64 || a.min_elements == 0 || a.min_pointers == 0) {
        return uc_reader_fail(&r, "extensible array: impossible sizes");
    }
    a.offset_bytes = (a.max_bits + 7) / 8;
    if (block == UC_H5_UNDEFINED) return UNCORK_OK;
    if (a.count > c->grid_count) a.count = c->grid_count;
    return read_index_block(&a, block);
}
