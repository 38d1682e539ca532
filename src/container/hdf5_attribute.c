/* HDF5 attributes: in the object header, or many of them in a fractal heap. */
#include "container/hdf5_internal.h"

#include <inttypes.h>

typedef struct search {
    uc_h5_call *call;
    const char *name;
    uc_tensor **value;
    uc_h5_fractal heap;
} search;

/* The parts of a version 1 message begin at multiples of 8. */
static uc_reader part(uc_reader *r, unsigned size, int version)
{
    uc_reader p = uc_reader_sub(r, size, "attribute");
    if (version == 1) uc_reader_skip(r, -size & 7u, "attribute");
    return p;
}

static uncork_status read_value(search *s, uc_reader *type_bytes, uc_reader *space_bytes,
                                uc_reader *r)
{
    uc_h5_call *c = s->call;
    uc_h5_type type;
    uc_h5_space space;
    if (!uc_h5_read_type(type_bytes, &type) || !uc_h5_read_space(c->h5, space_bytes, &space)) {
        return c->error->status;
    }
    if (space.null) { /* h5py.Empty: no elements */
        space.rank = 1;
        space.shape[0] = 0;
    }
    return uc_h5_elements(c, &type, &space, (uc_bytes){r->at, uc_reader_left(r)},
                          uc_reader_offset(r), false, s->value);
}

static uncork_status read_message(search *s, uc_reader *r)
{
    uc_h5_call *c = s->call;
    const int version = uc_reader_u8(r, "attribute");
    const uint8_t flags = uc_reader_u8(r, "attribute");
    const unsigned name_size = uc_reader_u16le(r, "attribute");
    const unsigned type_size = uc_reader_u16le(r, "attribute");
    const unsigned space_size = uc_reader_u16le(r, "attribute");
    if (uc_reader_ok(r) && (version < 1 || version > 3)) {
        return uc_reader_fail(r, "attribute of version %d", version);
    }
    if (version == 3) uc_reader_skip(r, 1, "attribute");
    uc_reader name = part(r, name_size, version);
    uc_reader type = part(r, type_size, version);
    uc_reader space = part(r, space_size, version);
    if (!uc_reader_ok(r)) return c->error->status;
    const size_t n = strlen(s->name);
    if (uc_reader_left(&name) < n || memcmp(name.at, s->name, n) != 0 ||
        (uc_reader_left(&name) > n && name.at[n] != 0)) {
        return UNCORK_OK;
    }
    if (version > 1 && (flags & 3)) {
        return uc_fail(c->error, UNCORK_UNSUPPORTED, uc_reader_offset(r),
                       "HDF5 attribute '%s' shares its datatype with another object", s->name);
    }
    return read_value(s, &type, &space, r);
}

static uncork_status read_record(void *context, uc_bytes record, uint64_t offset)
{
    search *s = context;
    uc_h5_call *c = s->call;
    if (*s->value) return UNCORK_OK;
    if (record.size < s->heap.id_size) {
        return uc_fail(c->error, UNCORK_MALFORMED, offset, "attribute record of %zu bytes",
                       record.size);
    }
    uc_reader r;
    UC_TRY(uc_h5_fractal_find(c->h5, &s->heap, (uc_bytes){record.data, s->heap.id_size}, &r,
                              c->error));
    return read_message(s, &r);
}

static uncork_status read_dense(search *s, const uc_h5_message *m)
{
    uc_h5_call *c = s->call;
    uc_reader r = uc_h5_message_reader(m, c->error);
    uc_reader_skip(&r, 1, "attribute info");
    const uint8_t flags = uc_reader_u8(&r, "attribute info");
    uc_reader_skip(&r, flags & 1 ? 2 : 0, "attribute info");
    const uint64_t heap = uc_h5_offset(c->h5, &r, "attribute info");
    const uint64_t names = uc_h5_offset(c->h5, &r, "attribute info");
    if (!uc_reader_ok(&r)) return c->error->status;
    if (heap == UC_H5_UNDEFINED || names == UC_H5_UNDEFINED) return UNCORK_OK;
    UC_TRY(uc_h5_fractal_open(c->h5, heap, &s->heap, c->error));
    return uc_h5_tree2(c->h5, names, 8, read_record, s, c->error);
}

static uncork_status find(search *s, const uc_h5_object *object)
{
    for (size_t i = 0; i < object->message_count && !*s->value; i++) {
        const uc_h5_message *m = &object->messages[i];
        if (m->type == H5_ATTRIBUTE && !(m->flags & 2)) {
            uc_reader r = uc_h5_message_reader(m, s->call->error);
            UC_TRY(read_message(s, &r));
        }
        if (m->type == H5_ATTRIBUTE_INFO) UC_TRY(read_dense(s, m));
    }
    return UNCORK_OK;
}

uncork_status uc_h5_attribute(const uc_h5 *h5, const uc_h5_object *object, const char *name,
                              uc_arena *arena, uc_tensor **value, uncork_error *error)
{
    uc_h5_call call = {.h5 = h5, .arena = arena, .error = error};
    search s = {.call = &call, .name = name, .value = value};
    *value = NULL;
    const uncork_status status = find(&s, object);
    uc_h5_call_end(&call);
    return status;
}
