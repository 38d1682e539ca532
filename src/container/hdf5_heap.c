/* HDF5 heaps: the fractal heap of dense links and attributes, the global heap of strings. */
#include "container/hdf5_internal.h"

#include <inttypes.h>

/* Indirect blocks within indirect blocks: each holds at least twice as much as its children. */
enum { MAX_INDIRECT = 64, MANAGED = 0, HUGE_OBJECT = 1, TINY = 2 };

static unsigned log2_of(uint64_t n)
{
    unsigned bits = 0;
    while (n >>= 1) {
        bits++;
    }
    return bits;
}

static bool is_power(uint64_t n) { return n && (n & (n - 1)) == 0; }

static bool is_sound(const uc_h5_fractal *f)
{
    return f->width && is_power(f->start_size) && is_power(f->max_direct) &&
           f->start_size <= f->max_direct && f->max_direct <= UINT64_C(1) << 40 && f->max_bits &&
           f->max_bits <= 64 && f->id_size && f->row_count <= 64;
}

uncork_status uc_h5_fractal_open(const uc_h5 *h5, uint64_t address, uc_h5_fractal *f,
                                 uncork_error *error)
{
    const char *what = "fractal heap";
    uc_reader r = uc_h5_at_address(h5, address, what, error);
    *f = (uc_h5_fractal){0};
    if (!uc_h5_signature(&r, "FRHP", what)) return error->status;
    uc_reader_skip(&r, 1, what);
    f->id_size = uc_reader_u16le(&r, what);
    f->filtered = uc_reader_u16le(&r, what) != 0;
    uc_reader_skip(&r, 1, what);
    const uint32_t max_object = uc_reader_u32le(&r, what);
    (void)uc_h5_length(h5, &r, what);
    f->huge_tree = uc_h5_offset(h5, &r, what);
    uc_reader_skip(&r, 9u * h5->length_size + h5->offset_size, what);
    f->width = uc_reader_u16le(&r, what);
    f->start_size = uc_h5_length(h5, &r, what);
    f->max_direct = uc_h5_length(h5, &r, what);
    f->max_bits = uc_reader_u16le(&r, what);
    uc_reader_skip(&r, 2, what);
    f->root = uc_h5_offset(h5, &r, what);
    f->row_count = uc_reader_u16le(&r, what);
    if (!uc_reader_ok(&r)) return error->status;
    if (!is_sound(f)) return uc_reader_fail(&r, "fractal heap: impossible block sizes");
    f->offset_bytes = (f->max_bits + 7) / 8;
    f->length_bytes = log2_of(max_object < f->max_direct ? max_object : f->max_direct) / 8 + 1;
    return UNCORK_OK;
}

static uint64_t row_size(const uc_h5_fractal *f, unsigned row)
{
    return row < 2 ? f->start_size : f->start_size << (row - 1);
}

static uncork_status fail_managed(const uc_h5 *h5, uint64_t at, uncork_error *error)
{
    return uc_fail(error, UNCORK_MALFORMED, h5->base + at,
                   "a heap object lies outside of its heap");
}

/* Descends to the direct block that holds `offset`; *block_size and *inside describe it. */
static uncork_status find_block(const uc_h5 *h5, const uc_h5_fractal *f, uint64_t offset,
                                uint64_t *address, uint64_t *block_size, uint64_t *inside,
                                uncork_error *error)
{
    uint64_t at = f->root;
    unsigned rows = f->row_count;
    *block_size = f->start_size;
    for (int depth = 0; rows; depth++) {
        if (depth > MAX_INDIRECT) return fail_managed(h5, at, error);
        unsigned row = 0;
        uint64_t begin = 0;
        while (row < rows && row < 40 && offset - begin >= row_size(f, row) * f->width) {
            begin += row_size(f, row++) * f->width;
        }
        if (row >= rows || row >= 40) return fail_managed(h5, at, error);
        const uint64_t size = row_size(f, row), column = (offset - begin) / size;
        const unsigned direct_rows = log2_of(f->max_direct / f->start_size) + 2;
        uc_reader r = uc_h5_at_address(h5, at, "fractal heap block", error);
        if (!uc_h5_signature(&r, "FHIB", "fractal heap block")) return error->status;
        uc_reader_skip(&r, 1u + h5->offset_size + f->offset_bytes, "fractal heap block");
        uc_reader_skip(&r, ((uint64_t)row * f->width + column) * h5->offset_size,
                       "fractal heap block");
        at = uc_h5_offset(h5, &r, "fractal heap block");
        if (!uc_reader_ok(&r)) return error->status;
        offset -= begin + column * size;
        *block_size = size;
        rows = row < direct_rows ? 0 : log2_of(size / f->start_size / f->width) + 1;
    }
    *address = at;
    *inside = offset;
    return UNCORK_OK;
}

static uncork_status find_managed(const uc_h5 *h5, const uc_h5_fractal *f, uc_reader *id,
                                  uc_reader *object, uncork_error *error)
{
    const uint64_t offset = uc_h5_number(id, f->offset_bytes, "heap ID");
    const uint64_t length = uc_h5_number(id, f->length_bytes, "heap ID");
    uint64_t block = 0, size = 0, inside = 0;
    if (!uc_reader_ok(id)) return error->status;
    UC_TRY(find_block(h5, f, offset, &block, &size, &inside, error));
    if (inside > size || length > size - inside) return fail_managed(h5, block, error);
    uc_reader r = uc_h5_block(h5, block, size, "fractal heap block", error);
    if (!uc_h5_signature(&r, "FHDB", "fractal heap block")) return error->status;
    r.at = r.begin + inside;
    *object = uc_reader_sub(&r, length, "heap object");
    return uc_reader_ok(&r) ? UNCORK_OK : error->status;
}

typedef struct huge {
    const uc_h5 *h5;
    uint64_t wanted, address, length;
    uncork_error *error;
} huge;

static uncork_status match_huge(void *context, uc_bytes record, uint64_t offset)
{
    huge *h = context;
    uc_reader r = uc_reader_over(record.data, record.size, offset, h->error);
    const uint64_t address = uc_h5_offset(h->h5, &r, "huge object");
    const uint64_t length = uc_h5_length(h->h5, &r, "huge object");
    const uint64_t id = uc_h5_length(h->h5, &r, "huge object");
    if (!uc_reader_ok(&r)) return h->error->status;
    if (id == h->wanted) {
        h->address = address;
        h->length = length;
    }
    return UNCORK_OK;
}

static uncork_status find_huge(const uc_h5 *h5, const uc_h5_fractal *f, uc_reader *id,
                               uc_reader *object, uncork_error *error)
{
    huge h = {.h5 = h5, .address = UC_H5_UNDEFINED, .error = error};
    if (f->id_size > (unsigned)h5->offset_size + h5->length_size) { /* the ID says where */
        h.address = uc_h5_offset(h5, id, "heap ID");
        h.length = uc_h5_length(h5, id, "heap ID");
    } else {
        h.wanted = uc_h5_number(id, f->id_size - 1, "heap ID");
        UC_TRY(uc_h5_tree2(h5, f->huge_tree, 1, match_huge, &h, error));
    }
    if (!uc_reader_ok(id)) return error->status;
    *object = uc_h5_block(h5, h.address, h.length, "huge heap object", error);
    return uc_reader_ok(object) ? UNCORK_OK : error->status;
}

uncork_status uc_h5_fractal_find(const uc_h5 *h5, const uc_h5_fractal *f, uc_bytes bytes,
                                 uc_reader *object, uncork_error *error)
{
    const uint64_t offset = bytes.data >= h5->bytes.data
                                ? h5->base + (uint64_t)(bytes.data - h5->bytes.data)
                                : UC_NO_OFFSET;
    uc_reader id = uc_reader_over(bytes.data, bytes.size, offset, error);
    const uint8_t first = uc_reader_u8(&id, "heap ID");
    const int kind = first >> 4 & 3;
    if (!uc_reader_ok(&id)) return error->status;
    if (f->filtered) {
        return uc_fail(error, UNCORK_UNSUPPORTED, offset,
                       "HDF5 links or attributes are compressed");
    }
    if (kind == MANAGED) return find_managed(h5, f, &id, object, error);
    if (kind == HUGE_OBJECT) return find_huge(h5, f, &id, object, error);
    if (kind != TINY) return uc_reader_fail(&id, "heap ID of kind %d", kind);
    *object = uc_reader_sub(&id, (first & 15u) + 1, "tiny heap object");
    return uc_reader_ok(&id) ? UNCORK_OK : error->status;
}

/* ---- the global heap ------------------------------------------------------------------------- */

static uncork_status read_collection(uc_h5_call *c, uint64_t address)
{
    const char *what = "global heap";
    uc_reader r = uc_h5_at_address(c->h5, address, what, c->error);
    if (!uc_h5_signature(&r, "GCOL", what)) return c->error->status;
    uc_reader_skip(&r, 4, what);
    const uint64_t size = uc_h5_length(c->h5, &r, what);
    const uint64_t head = 8u + c->h5->length_size;
    if (!uc_reader_ok(&r)) return c->error->status;
    if (size < head) return uc_reader_fail(&r, "global heap of %" PRIu64 " bytes", size);
    uc_reader in = uc_reader_sub(&r, size - head, what);
    if (!c->heap) c->heap = uc_h5_scratch(c, (size_t)UINT16_MAX + 1, sizeof *c->heap);
    if (!c->heap) return c->error->status;
    memset(c->heap, 0, ((size_t)UINT16_MAX + 1) * sizeof *c->heap);
    c->heap_address = UC_H5_UNDEFINED;
    UC_TRY(uc_h5_step(c->h5, 1 + size / 16, c->error));
    while (uc_reader_ok(&in) && uc_reader_left(&in) >= 8u + c->h5->length_size) {
        const unsigned index = uc_reader_u16le(&in, what);
        uc_reader_skip(&in, 6, what);
        const uint64_t length = uc_h5_length(c->h5, &in, what);
        if (index == 0) break; /* the rest is free */
        c->heap[index] = uc_reader_take(&in, length, "global heap object");
        const size_t gap = (size_t)(-length & 7);
        uc_reader_skip(&in, gap < uc_reader_left(&in) ? gap : uc_reader_left(&in), what);
    }
    if (!uc_reader_ok(&in) || !uc_reader_ok(&r)) return c->error->status;
    c->heap_address = address;
    return UNCORK_OK;
}

uncork_status uc_h5_global(uc_h5_call *c, uint64_t address, uint32_t index, uc_bytes *found)
{
    if (!c->heap || c->heap_address != address) UC_TRY(read_collection(c, address));
    *found = index <= UINT16_MAX ? c->heap[index] : (uc_bytes){0};
    if (!found->data) {
        return uc_fail(c->error, UNCORK_MALFORMED, c->h5->base + address,
                       "the global heap has no object %" PRIu32, index);
    }
    return UNCORK_OK;
}
