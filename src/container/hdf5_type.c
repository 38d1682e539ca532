/* HDF5 datatypes and dataspaces, and elements into tensors. */
#include "container/hdf5_internal.h"

#include <inttypes.h>

enum {
    CLASS_INTEGER = 0,
    CLASS_FLOAT = 1,
    CLASS_STRING = 3,
    CLASS_OPAQUE = 5,
    CLASS_ENUM = 8,
    CLASS_VARIABLE = 9,
};

static uncork_dtype integer_of(size_t size, bool is_signed)
{
    switch (size) {
    case 1: return is_signed ? UNCORK_INT8 : UNCORK_UINT8;
    case 2: return is_signed ? UNCORK_INT16 : UNCORK_UINT16;
    case 4: return is_signed ? UNCORK_INT32 : UNCORK_UINT32;
    case 8: return is_signed ? UNCORK_INT64 : UNCORK_UINT64;
    default: return UNCORK_DTYPE_NONE;
    }
}

static bool refuse(uc_reader *r, const char *what)
{
    if (!r->failed) {
        r->failed = true;
        uc_fail(r->error, UNCORK_UNSUPPORTED, uc_reader_offset(r), "HDF5 datatype: %s", what);
    }
    return false;
}

static bool read_integer(uc_reader *r, uint32_t bits, uc_h5_type *t)
{
    const unsigned offset = uc_reader_u16le(r, "datatype");
    const unsigned precision = uc_reader_u16le(r, "datatype");
    t->dtype = integer_of(t->size, bits & 8);
    t->swapped = bits & 1;
    if (!uc_reader_ok(r)) return false;
    if (t->dtype == UNCORK_DTYPE_NONE || offset != 0 || precision != 8 * t->size)
        return refuse(r, "an integer that doesn't fill its bytes");
    return true;
}

static bool read_float(uc_reader *r, uint32_t bits, uc_h5_type *t)
{
    uc_reader_skip(r, 5, "datatype"); /* bit offset, precision, place of the exponent */
    const unsigned exponent = uc_reader_u8(r, "datatype");
    uc_reader_skip(r, 1, "datatype");
    const unsigned mantissa = uc_reader_u8(r, "datatype");
    uc_reader_skip(r, 4, "datatype");
    if (!uc_reader_ok(r)) return false;
    t->swapped = bits & 1;
    if (t->size == 2 && exponent == 5 && mantissa == 10) t->dtype = UNCORK_FLOAT16;
    if (t->size == 2 && exponent == 8 && mantissa == 7) t->dtype = UNCORK_BFLOAT16;
    if (t->size == 4 && exponent == 8 && mantissa == 23) t->dtype = UNCORK_FLOAT32;
    if (t->size == 8 && exponent == 11 && mantissa == 52) t->dtype = UNCORK_FLOAT64;
    if (t->dtype == UNCORK_DTYPE_NONE || (bits & 0x40)) return refuse(r, "an unusual float");
    return true;
}

/* h5py writes numpy.bool as an enumeration FALSE, TRUE over int8. */
static bool read_enum(uc_reader *r, uint32_t bits, uc_h5_type *t)
{
    const uint8_t head = uc_reader_u8(r, "datatype");
    const uint8_t low = uc_reader_u8(r, "datatype");
    uc_reader_skip(r, 2, "datatype");
    const uint32_t size = uc_reader_u32le(r, "datatype");
    if (!uc_reader_ok(r)) return false;
    if ((head & 15) != CLASS_INTEGER || size != t->size) return refuse(r, "an enumeration");
    t->dtype = size == 1 && (bits & 0xFFFF) == 2 ? UNCORK_BOOL : integer_of(size, low & 8);
    t->swapped = low & 1;
    return t->dtype != UNCORK_DTYPE_NONE || refuse(r, "an enumeration");
}

static bool read_variable(uc_reader *r, uint32_t bits, uc_h5_type *t)
{
    if ((bits & 15) != 1) return refuse(r, "a list of variable length");
    t->dtype = UNCORK_STRING;
    t->variable = true;
    return true;
}

bool uc_h5_read_type(uc_reader *r, uc_h5_type *t)
{
    *t = (uc_h5_type){0};
    const uint8_t head = uc_reader_u8(r, "datatype");
    const uint32_t bits = (uint32_t)uc_h5_number(r, 3, "datatype");
    t->size = uc_reader_u32le(r, "datatype");
    if (!uc_reader_ok(r)) return false;
    if (t->size == 0) return refuse(r, "elements of no bytes");
    switch (head & 15) {
    case CLASS_INTEGER: return read_integer(r, bits, t);
    case CLASS_FLOAT: return read_float(r, bits, t);
    case CLASS_STRING:
        t->dtype = UNCORK_STRING;
        t->padding = bits & 15;
        return true;
    case CLASS_OPAQUE: return true;
    case CLASS_ENUM: return read_enum(r, bits, t);
    case CLASS_VARIABLE: return read_variable(r, bits, t);
    case 6: return refuse(r, "a compound");
    case 7: return refuse(r, "a reference");
    case 10: return refuse(r, "an array type");
    default: return refuse(r, "a class that isn't read");
    }
}

bool uc_h5_read_space(const uc_h5 *h5, uc_reader *r, uc_h5_space *s)
{
    *s = (uc_h5_space){0};
    const uint8_t version = uc_reader_u8(r, "dataspace");
    s->rank = uc_reader_u8(r, "dataspace");
    uc_reader_skip(r, 1, "dataspace");
    if (version == 2)
        s->null = uc_reader_u8(r, "dataspace") == 2;
    else
        uc_reader_skip(r, 5, "dataspace");
    if (!uc_reader_ok(r)) return false;
    if (version < 1 || version > 2 || s->rank > UNCORK_MAX_RANK) {
        uc_reader_fail(r, "dataspace of version %u and %d dimensions", version, s->rank);
        return false;
    }
    for (int i = 0; i < s->rank; i++) {
        const uint64_t n = uc_h5_length(h5, r, "dataspace");
        if (uc_reader_ok(r) && n > INT64_MAX) uc_reader_fail(r, "a dimension of %" PRIu64, n);
        s->shape[i] = (int64_t)n;
    }
    return uc_reader_ok(r);
}

/* ---- elements -------------------------------------------------------------------------------- */

void *uc_h5_scratch(uc_h5_call *call, size_t count, size_t size)
{
    if (!call->scratch) call->scratch = uc_arena_new(call->h5->budget);
    void *p = call->scratch ? uc_arena_alloc(call->scratch, count, size) : NULL;
    if (!p && call->scratch) uc_arena_status(call->scratch, call->error);
    if (!p && !call->scratch) uc_fail_memory(call->error);
    return p;
}

void uc_h5_call_end(uc_h5_call *call)
{
    if (call->scratch) uc_arena_free(call->scratch);
    call->scratch = NULL;
    call->heap = NULL;
}

static uc_str fixed_string(const uint8_t *at, const uc_h5_type *t)
{
    size_t n = t->size;
    if (t->padding == 2) {
        while (n && at[n - 1] == ' ') {
            n--;
        }
    } else {
        const uint8_t *zero = memchr(at, 0, n);
        n = zero ? (size_t)(zero - at) : n;
    }
    return (uc_str){(const char *)at, n};
}

static uncork_status variable_string(uc_h5_call *c, const uint8_t *at, const uc_h5_type *t,
                                     uint64_t offset, uc_str *s)
{
    uc_reader r = uc_reader_over(at, t->size, offset, c->error);
    const uint32_t length = uc_reader_u32le(&r, "string reference");
    const uint64_t address = uc_h5_offset(c->h5, &r, "string reference");
    const uint32_t index = uc_reader_u32le(&r, "string reference");
    uc_bytes bytes;
    *s = (uc_str){"", 0};
    if (!uc_reader_ok(&r)) return c->error->status;
    if (length == 0 || address == 0 || address == UC_H5_UNDEFINED) return UNCORK_OK;
    UC_TRY(uc_h5_global(c, address, index, &bytes));
    if (length > bytes.size) return uc_reader_fail(&r, "a string of %" PRIu32 " bytes", length);
    const uint8_t *zero = memchr(bytes.data, 0, length);
    *s = (uc_str){(const char *)bytes.data, zero ? (size_t)(zero - bytes.data) : length};
    return UNCORK_OK;
}

static uncork_status strings(uc_h5_call *c, const uc_h5_type *t, const uc_h5_space *space,
                             size_t count, uc_bytes bytes, uint64_t offset, uc_tensor **value)
{
    UC_TRY(uc_h5_step(c->h5, count, c->error));
    uc_str *items = uc_h5_scratch(c, count, sizeof *items);
    if (!items) return c->error->status;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = bytes.data + i * t->size;
        items[i] = fixed_string(at, t);
        if (t->variable) UC_TRY(variable_string(c, at, t, offset + i * t->size, &items[i]));
    }
    *value = uc_tensor_strings(c->arena, items, space->rank, space->shape);
    return *value ? UNCORK_OK : uc_arena_status(c->arena, c->error);
}

static void swap(uint8_t *to, const uint8_t *from, size_t size, size_t count)
{
    for (size_t i = 0; i < count; i++, to += size, from += size) {
        for (size_t k = 0; k < size; k++) {
            to[k] = from[size - 1 - k];
        }
    }
}

uncork_status uc_h5_elements(uc_h5_call *c, const uc_h5_type *t, const uc_h5_space *space,
                             uc_bytes bytes, uint64_t offset, bool in_file, uc_tensor **value)
{
    size_t count, need;
    if (!uc_shape_count(space->shape, space->rank, &count) || !uc_mul_size(count, t->size, &need) ||
        need > bytes.size) {
        return uc_fail(c->error, UNCORK_MALFORMED, offset,
                       "HDF5 data of %zu bytes are too few for their shape", bytes.size);
    }
    if (t->dtype == UNCORK_STRING) return strings(c, t, space, count, bytes, offset, value);
    if (t->dtype == UNCORK_DTYPE_NONE || uc_dtype_size(t->dtype) != t->size) {
        return uc_fail(c->error, UNCORK_UNSUPPORTED, offset, "HDF5 opaque data of %zu bytes each",
                       t->size);
    }
    uc_tensor *v = *value = UC_NEW(c->arena, uc_tensor, 1);
    if (!v) return uc_arena_status(c->arena, c->error);
    uc_tensor_set(v, t->dtype, space->rank, space->shape);
    if (in_file && !t->swapped && t->dtype != UNCORK_BOOL && need &&
        (uintptr_t)bytes.data % t->size == 0) {
        v->data = (void *)(uintptr_t)bytes.data; /* tensors of files are never written to */
        return UNCORK_OK;
    }
    v->data = uc_arena_alloc(c->arena, count, t->size);
    if (!v->data) return uc_arena_status(c->arena, c->error);
    if (need && t->swapped)
        swap(v->data, bytes.data, t->size, count);
    else if (need)
        memcpy(v->data, bytes.data, need);
    for (size_t i = 0; t->dtype == UNCORK_BOOL && i < count; i++) {
        ((uint8_t *)v->data)[i] = ((uint8_t *)v->data)[i] != 0;
    }
    return UNCORK_OK;
}
