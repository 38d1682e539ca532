/* HDF5 datasets: type, shape, layout. */
#include "container/hdf5_internal.h"

#include <inttypes.h>

enum { COMPACT = 0, CONTIGUOUS = 1, CHUNKED = 2 };
/* What was never written reads as a fill value: a small file must not become a large array. */
#define UNWRITTEN_LIMIT ((size_t)64 << 20)

typedef struct dataset {
    uc_h5_call *call;
    const uc_h5_object *object;
    uc_h5_type type;
    uc_h5_space space;
    size_t count, bytes; /* elements, and their bytes in the file's form */
    uc_tensor **value;
} dataset;

static uncork_status fail_missing(dataset *d, const char *what)
{
    return uc_fail(d->call->error, UNCORK_MALFORMED, d->call->h5->base + d->object->address,
                   "an HDF5 dataset has no %s", what);
}

/* Keras writes bfloat16 and float8 as opaque bytes and names them in an attribute "dtype"
 * (keras/src/saving/saving_lib.py, H5Entry). */
static uncork_status name_opaque(dataset *d)
{
    static const struct {
        const char *name;
        uncork_dtype dtype;
    } names[] = {
        {"bfloat16", UNCORK_BFLOAT16},
        {"float8_e4m3fn", UNCORK_FLOAT8E4M3FN},
        {"float8_e5m2", UNCORK_FLOAT8E5M2},
    };
    uc_tensor *attribute;
    UC_TRY(uc_h5_attribute(d->call->h5, d->object, "dtype", d->call->arena, &attribute,
                           d->call->error));
    if (!attribute || attribute->dtype != UNCORK_STRING || uc_tensor_count(attribute) != 1) {
        return UNCORK_OK;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (uc_str_is(uc_tensor_string(attribute, 0), names[i].name))
            d->type.dtype = names[i].dtype;
    }
    return UNCORK_OK;
}

static uncork_status read_description(dataset *d)
{
    uc_h5_call *c = d->call;
    const uc_h5_message *type = uc_h5_message_of(d->object, H5_TYPE);
    const uc_h5_message *space = uc_h5_message_of(d->object, H5_SPACE);
    if (!type) return fail_missing(d, "datatype");
    if (!space) return fail_missing(d, "dataspace");
    if ((type->flags | space->flags) & 2) {
        return uc_fail(c->error, UNCORK_UNSUPPORTED, type->offset,
                       "an HDF5 dataset shares its datatype with another object");
    }
    uc_reader r = uc_h5_message_reader(type, c->error);
    if (!uc_h5_read_type(&r, &d->type)) return c->error->status;
    r = uc_h5_message_reader(space, c->error);
    if (!uc_h5_read_space(c->h5, &r, &d->space)) return c->error->status;
    if (d->space.null) {
        d->space.rank = 1;
        d->space.shape[0] = 0;
    }
    if (!uc_shape_count(d->space.shape, d->space.rank, &d->count) ||
        !uc_mul_size(d->count, d->type.size, &d->bytes)) {
        return uc_fail(c->error, UNCORK_MALFORMED, space->offset, "an HDF5 dataset is too large");
    }
    return d->type.dtype == UNCORK_DTYPE_NONE ? name_opaque(d) : UNCORK_OK;
}

/* Bytes of the dataset that were never written: its fill value. */
static uncork_status fill(dataset *d, uint8_t *out)
{
    const uc_h5_message *m = uc_h5_message_of(d->object, H5_FILL);
    const uc_h5_message *old = uc_h5_message_of(d->object, H5_FILL_OLD);
    if (!m) m = old;
    if (!m) return UNCORK_OK;
    uc_reader r = uc_h5_message_reader(m, d->call->error);
    bool is_there = true;
    if (m->type == H5_FILL) {
        const uint8_t version = uc_reader_u8(&r, "fill value");
        const uint8_t flags = uc_reader_u8(&r, "fill value");
        if (version < 3) {
            uc_reader_skip(&r, 1, "fill value");
            is_there = uc_reader_u8(&r, "fill value") != 0 || version == 1;
        } else {
            is_there = flags & 0x20;
        }
    }
    if (!is_there || !uc_reader_ok(&r)) return r.failed ? d->call->error->status : UNCORK_OK;
    const uint32_t size = uc_reader_u32le(&r, "fill value");
    const uc_bytes value = uc_reader_take(&r, size, "fill value");
    if (!uc_reader_ok(&r)) return d->call->error->status;
    for (size_t i = 0; size == d->type.size && i < d->count; i++) {
        memcpy(out + i * size, value.data, size);
    }
    return UNCORK_OK;
}

static uncork_status make_whole(dataset *d, uint8_t **out)
{
    uc_h5_call *c = d->call;
    if (d->bytes > UNWRITTEN_LIMIT && d->bytes / 100 > c->h5->bytes.size) {
        return uc_fail(c->error, UNCORK_LIMIT, c->h5->base + d->object->address,
                       "an HDF5 dataset of %zu bytes in a file of %zu", d->bytes,
                       c->h5->bytes.size);
    }
    *out = uc_arena_alloc(c->arena, d->count, d->type.size);
    if (!*out) return uc_arena_status(c->arena, c->error);
    return fill(d, *out);
}

static uncork_status finish(dataset *d, uc_bytes bytes, uint64_t offset, bool in_file)
{
    return uc_h5_elements(d->call, &d->type, &d->space, bytes, offset, in_file, d->value);
}

static uncork_status finish_unwritten(dataset *d)
{
    uint8_t *out;
    UC_TRY(make_whole(d, &out));
    return finish(d, (uc_bytes){out, d->bytes}, UC_NO_OFFSET, true);
}

static uncork_status read_contiguous(dataset *d, uint64_t address)
{
    if (address == UC_H5_UNDEFINED || d->bytes == 0) return finish_unwritten(d);
    uc_reader r = uc_h5_block(d->call->h5, address, d->bytes, "dataset", d->call->error);
    if (!uc_reader_ok(&r)) return d->call->error->status;
    return finish(d, (uc_bytes){r.at, d->bytes}, uc_reader_offset(&r), true);
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static uncork_status start_chunks(dataset *d, uc_h5_chunks *c, uc_reader *r)
{
    size_t bytes = d->type.size;
    c->grid_count = 1;
    for (int i = 0; i < c->rank; i++) {
        size_t side;
        if (c->chunk[i] == 0 || c->chunk[i] > SIZE_MAX ||
            !uc_mul_size(bytes, (size_t)c->chunk[i], &side)) {
            return uc_reader_fail(r, "chunks of %" PRIu64 " elements", c->chunk[i]);
        }
        bytes = side;
        const uint64_t n = (uint64_t)d->space.shape[i];
        c->grid[i] = n / c->chunk[i] + (n % c->chunk[i] != 0);
        if (c->grid[i] && c->grid_count > UINT64_MAX / c->grid[i]) {
            return uc_reader_fail(r, "too many chunks");
        }
        c->grid_count *= c->grid[i];
    }
    c->chunk_bytes = bytes;
    return UNCORK_OK;
}

static uncork_status read_chunked(dataset *d, uc_reader *r, int version)
{
    uc_h5_filters filters = {0};
    uc_h5_chunks c = {.call = d->call,
                      .filters = &filters,
                      .rank = d->space.rank,
                      .shape = d->space.shape,
                      .element = d->type.size};
    uint64_t tree = UC_H5_UNDEFINED;
    const uint8_t flags = version == 4 ? uc_reader_u8(r, "layout") : 0;
    const int rank = uc_reader_u8(r, "layout");
    if (version < 3) uc_reader_skip(r, 6, "layout");
    if (version < 4) tree = uc_h5_offset(d->call->h5, r, "layout");
    const unsigned width = version == 4 ? uc_reader_u8(r, "layout") : 4;
    if (uc_reader_ok(r) && (rank != c.rank + 1 - (version < 3) || width == 0 || width > 8)) {
        if (!(version < 3 && rank == c.rank + 1)) {
            return uc_reader_fail(r, "chunks of %d dimensions for data of %d", rank - 1, c.rank);
        }
    }
    for (int i = 0; i < c.rank; i++) {
        c.chunk[i] = uc_h5_number(r, width, "layout");
    }
    uc_reader_skip(r, width, "layout"); /* an element's bytes */
    if (!uc_reader_ok(r)) return d->call->error->status;
    const uc_h5_message *m = uc_h5_message_of(d->object, H5_FILTERS);
    if (m) {
        uc_reader f = uc_h5_message_reader(m, d->call->error);
        if (!uc_h5_read_filters(&f, &filters)) return d->call->error->status;
    }
    UC_TRY(start_chunks(d, &c, r));
    UC_TRY(make_whole(d, &c.out));
    if (c.grid_count) {
        UC_TRY(version == 4 ? uc_h5_chunks_v4(&c, r, flags) : uc_h5_chunks_v3(&c, tree));
    }
    return finish(d, (uc_bytes){c.out, d->bytes}, UC_NO_OFFSET, true);
}

static uncork_status read_layout(dataset *d, const uc_h5_message *m)
{
    uc_h5_call *c = d->call;
    uc_reader r = uc_h5_message_reader(m, c->error);
    const int version = uc_reader_u8(&r, "layout");
    if (version < 1 || version > 4) return uc_reader_fail(&r, "layout of version %d", version);
    uc_reader old = r; /* versions 1 and 2: rank, class, then reserved bytes */
    const uint8_t first = uc_reader_u8(&r, "layout");
    const int class = version < 3 ? uc_reader_u8(&r, "layout") : first;
    if (uc_h5_message_of(d->object, H5_EXTERNAL)) {
        return uc_fail(c->error, UNCORK_UNSUPPORTED, m->offset,
                       "an HDF5 dataset keeps its data in another file");
    }
    if (class == CHUNKED) return read_chunked(d, version < 3 ? &old : &r, version);
    if (version < 3) uc_reader_skip(&r, 5, "layout");
    if (class == CONTIGUOUS) {
        const uint64_t address = uc_h5_offset(c->h5, &r, "layout");
        return uc_reader_ok(&r) ? read_contiguous(d, address) : c->error->status;
    }
    if (class != COMPACT) {
        return uc_fail(c->error, UNCORK_UNSUPPORTED, m->offset,
                       "an HDF5 dataset is virtual: made of others");
    }
    if (version < 3) uc_reader_skip(&r, 4u * first, "layout");
    const uint64_t size =
        version < 3 ? uc_reader_u32le(&r, "layout") : uc_reader_u16le(&r, "layout");
    const uint64_t offset = uc_reader_offset(&r);
    const uc_bytes bytes = uc_reader_take(&r, size, "compact dataset");
    return uc_reader_ok(&r) ? finish(d, bytes, offset, true) : c->error->status;
}

uncork_status uc_h5_read(const uc_h5 *h5, const uc_h5_object *object, uc_arena *arena,
                         uc_tensor **value, uncork_error *error)
{
    uc_h5_call call = {.h5 = h5, .arena = arena, .error = error};
    dataset d = {.call = &call, .object = object, .value = value};
    *value = NULL;
    uncork_status status = read_description(&d);
    const uc_h5_message *layout = uc_h5_message_of(object, H5_LAYOUT);
    if (!status) status = layout ? read_layout(&d, layout) : fail_missing(&d, "layout");
    uc_h5_call_end(&call);
    return status;
}

uncork_status uc_h5_shape(const uc_h5 *h5, const uc_h5_object *object, uncork_dtype *dtype,
                          int *rank, int64_t shape[UNCORK_MAX_RANK], uncork_error *error)
{
    uc_h5_call call = {.h5 = h5, .arena = h5->arena, .error = error};
    dataset d = {.call = &call, .object = object};
    UC_TRY(read_description(&d));
    *dtype = d.type.dtype;
    *rank = d.space.rank;
    memcpy(shape, d.space.shape, sizeof d.space.shape);
    return UNCORK_OK;
}
