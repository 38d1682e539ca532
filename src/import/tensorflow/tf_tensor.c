/* TensorProto to tensors: raw bytes as views where they are aligned, typed lists decoded. A list shorter
 * than the shape repeats its last element; none at all is zeros.
 *
 * Source: tensorflow/core/framework/tensor.cc of TensorFlow 2.21, Tensor::FromProto. */
#include "import/tensorflow/tf_file.h"
#include "op/shape.h"

#include <inttypes.h>

/* By DataType. */
static const uncork_dtype types[] = {
    UNCORK_DTYPE_NONE,     UNCORK_FLOAT32,      UNCORK_FLOAT64,        UNCORK_INT32,
    UNCORK_UINT8,          UNCORK_INT16,        UNCORK_INT8,           UNCORK_STRING,
    UNCORK_COMPLEX64,      UNCORK_INT64,        UNCORK_BOOL,           UNCORK_INT8,
    UNCORK_UINT8,          UNCORK_INT32,        UNCORK_BFLOAT16,       UNCORK_INT16,
    UNCORK_UINT16,         UNCORK_UINT16,       UNCORK_COMPLEX128,     UNCORK_FLOAT16,
    UNCORK_DTYPE_NONE,     UNCORK_DTYPE_NONE,   UNCORK_UINT32,         UNCORK_UINT64,
    UNCORK_FLOAT8E5M2,     UNCORK_FLOAT8E4M3FN, UNCORK_FLOAT8E4M3FNUZ, UNCORK_DTYPE_NONE,
    UNCORK_FLOAT8E5M2FNUZ, UNCORK_INT4,         UNCORK_UINT4,          UNCORK_INT2,
    UNCORK_UINT2,          UNCORK_FLOAT4E2M1,
};

uncork_dtype uc_tf_dtype(int64_t type)
{
    if (type > 100) type -= 100; /* a ref */
    return type >= 0 && (size_t)type < sizeof types / sizeof types[0] ? types[type]
                                                                      : UNCORK_DTYPE_NONE;
}

int64_t uc_tf_type_number_of(uncork_dtype dtype)
{
    for (size_t i = 1; i < sizeof types / sizeof types[0]; i++) {
        if (dtype && types[i] == dtype) return (int64_t)i;
    }
    return 0;
}

typedef struct maker {
    uc_bytes message;
    uint64_t offset;
    uc_arena *arena;
    uncork_error *error;
    int64_t type;
    uncork_dtype dtype;
    int rank;
    int64_t *shape;
    size_t count, bytes;
    uc_bytes content;
    bool has_content;
} maker;

static uncork_status broken(maker *m, const char *what)
{
    UC_TRY(uc_arena_status(m->arena, m->error));
    return uc_fail(m->error, UNCORK_MALFORMED, m->offset, "%s", what);
}

static uncork_status read_head(maker *m)
{
    uc_pb_field f;
    uc_reader r = uc_reader_over(m->message.data, m->message.size, m->offset, m->error);
    m->shape = UC_NEW(m->arena, int64_t, 1);
    while (uc_pb_next(&r, &f)) {
        if (f.number == 1) m->type = (int64_t)f.value;
        if (f.number == 2 && uc_pb_is(&r, &f, UC_PB_BYTES, "a tensor's shape") &&
            !uc_tf_shape_read(f.bytes, f.offset, m->arena, &m->rank, &m->shape, m->error)) {
            return broken(m, "a tensor's shape is broken");
        }
        if (f.number == 4 && uc_pb_is(&r, &f, UC_PB_BYTES, "a tensor's content")) {
            m->content = f.bytes;
            m->has_content = f.bytes.size > 0;
        }
    }
    if (!uc_reader_ok(&r) || !m->shape) return broken(m, "a tensor is broken");
    return UNCORK_OK;
}

static uncork_status check_head(maker *m)
{
    m->dtype = uc_tf_dtype(m->type);
    if (!m->dtype) {
        return uc_fail(m->error, UNCORK_UNSUPPORTED, m->offset,
                       "a constant's type (DataType %" PRId64 ") isn't a tensor's", m->type);
    }
    for (int d = 0; d < m->rank; d++) {
        if (m->shape[d] < 0) return broken(m, "a constant has an unknown dimension");
    }
    if (m->rank < 0 || !uc_shape_is_sane(m->dtype, m->rank, m->shape) ||
        !uc_shape_count(m->shape, m->rank, &m->count) ||
        (m->dtype != UNCORK_STRING && !uc_shape_bytes(m->dtype, m->shape, m->rank, &m->bytes))) {
        return uc_fail(m->error, UNCORK_LIMIT, m->offset,
                       "a constant's shape is more than memory can hold");
    }
    return UNCORK_OK;
}

/* ---- raw bytes ------------------------------------------------------------------------------- */

static size_t alignment_of(uncork_dtype dtype)
{
    if (dtype == UNCORK_COMPLEX64) return 4;
    if (dtype == UNCORK_COMPLEX128) return 8;
    return uc_dtype_size(dtype);
}

/* TensorFlow keeps an element of less than a byte in a byte of its own. */
static uncork_status pack_small(maker *m, uc_tensor *t)
{
    const int bits = uc_dtype_bits(m->dtype);
    if (m->content.size != m->count) return broken(m, "a constant's bytes don't fit its shape");
    uint8_t *to = uc_arena_alloc(m->arena, m->bytes, 1);
    if (!to) return uc_arena_status(m->arena, m->error);
    for (size_t i = 0; i < m->count; i++) {
        uc_bits_store(to, (int64_t)i, bits, m->content.data[i] & ((1u << bits) - 1));
    }
    t->data = to;
    return UNCORK_OK;
}

/* Strings as raw bytes: a varint length each, then the bytes (port::EncodeStringList). */
static uncork_status content_strings(maker *m, const uc_tensor **tensor)
{
    uc_reader r = uc_reader_over(m->content.data, m->content.size, m->offset, m->error);
    if (m->count > m->content.size) return broken(m, "a constant's strings are cut short");
    uc_str *items = UC_NEW(m->arena, uc_str, m->count);
    uint64_t *sizes = UC_NEW(m->arena, uint64_t, m->count);
    if (!items || !sizes) return uc_arena_status(m->arena, m->error);
    for (size_t i = 0; i < m->count; i++) {
        sizes[i] = uc_pb_varint(&r, "a string's length");
    }
    for (size_t i = 0; i < m->count; i++) {
        const uc_bytes b = uc_reader_take(&r, sizes[i], "a string");
        items[i] = (uc_str){(const char *)b.data, b.size};
    }
    if (!uc_reader_ok(&r)) return broken(m, "a constant's strings are cut short");
    uc_tensor *t = uc_tensor_strings(m->arena, items, m->rank, m->shape);
    if (!t) return uc_arena_status(m->arena, m->error);
    t->strings.is_bytes = true;
    *tensor = t;
    return UNCORK_OK;
}

static uncork_status from_content(maker *m, const uc_tensor **tensor)
{
    if (m->dtype == UNCORK_STRING) return content_strings(m, tensor);
    uc_tensor *t = UC_NEW(m->arena, uc_tensor, 1);
    if (!t) return uc_arena_status(m->arena, m->error);
    uc_tensor_set(t, m->dtype, m->rank, m->shape);
    *tensor = t;
    if (uc_dtype_bits(m->dtype) < 8) return pack_small(m, t);
    if (m->content.size != m->bytes) return broken(m, "a constant's bytes don't fit its shape");
    const size_t alignment = alignment_of(m->dtype);
    if (m->dtype != UNCORK_BOOL && (uintptr_t)m->content.data % alignment == 0) {
        t->data = (void *)(uintptr_t)m->content.data; /* a constant: nobody writes to it */
        return UNCORK_OK;
    }
    uint8_t *copy = uc_arena_alloc_raw(m->arena, m->bytes);
    if (!copy) return uc_arena_status(m->arena, m->error);
    memcpy(copy, m->content.data, m->bytes);
    for (size_t i = 0; m->dtype == UNCORK_BOOL && i < m->bytes; i++) {
        copy[i] = copy[i] != 0;
    }
    t->data = copy;
    return UNCORK_OK;
}

/* ---- typed lists ----------------------------------------------------------------------------- */

/* The field that holds elements of a type, and how many numbers one element takes. */
static uint32_t typed_field(const maker *m, uc_pb_wire *wire, size_t *each)
{
    *each = 1;
    *wire = UC_PB_VARINT;
    switch ((int)m->dtype) {
    case UNCORK_FLOAT32: *wire = UC_PB_FIXED32; return 5;
    case UNCORK_FLOAT64: *wire = UC_PB_FIXED64; return 6;
    case UNCORK_STRING: *wire = UC_PB_BYTES; return 8;
    case UNCORK_COMPLEX64:
        *wire = UC_PB_FIXED32;
        *each = 2;
        return 9;
    case UNCORK_INT64: return 10;
    case UNCORK_BOOL: return 11;
    case UNCORK_COMPLEX128:
        *wire = UC_PB_FIXED64;
        *each = 2;
        return 12;
    case UNCORK_FLOAT16:
    case UNCORK_BFLOAT16: return 13;
    case UNCORK_UINT32: return 16;
    case UNCORK_UINT64: return 17;
    case UNCORK_FLOAT8E4M3FN:
    case UNCORK_FLOAT8E4M3FNUZ:
    case UNCORK_FLOAT8E5M2:
    case UNCORK_FLOAT8E5M2FNUZ:
    case UNCORK_FLOAT4E2M1: *wire = UC_PB_BYTES; return 18;
    default: return 7;
    }
}

static void store(const maker *m, void *data, size_t i, uint64_t v)
{
    const int bits = uc_dtype_bits(m->dtype);
    if (bits < 8) {
        uc_bits_store(data, (int64_t)i, bits, (unsigned)v & ((1u << bits) - 1));
        return;
    }
    switch (m->dtype == UNCORK_COMPLEX64 ? 4 : m->dtype == UNCORK_COMPLEX128 ? 8 : bits / 8) {
    case 1: ((uint8_t *)data)[i] = m->dtype == UNCORK_BOOL ? v != 0 : (uint8_t)v; break;
    case 2: ((uint16_t *)data)[i] = (uint16_t)v; break;
    case 4: ((uint32_t *)data)[i] = (uint32_t)v; break;
    default: ((uint64_t *)data)[i] = v; break;
    }
}

/* Adds the numbers of one field, as many as there is room for. */
static void decode_field(const maker *m, const uc_pb_field *f, uc_pb_wire wire, void *data,
                         size_t *at, size_t room)
{
    if (f->wire != UC_PB_BYTES) {
        if (*at < room) store(m, data, (*at)++, f->value);
        return;
    }
    uncork_error ignored;
    uc_error_init(&ignored);
    uc_reader in = uc_reader_over(f->bytes.data, f->bytes.size, f->offset, &ignored);
    while (*at < room && uc_reader_left(&in) > 0) {
        uint64_t v = 0;
        if (wire == UC_PB_FIXED32)
            v = uc_reader_u32le(&in, "an element");
        else if (wire == UC_PB_FIXED64)
            v = uc_reader_u64le(&in, "an element");
        else if (wire == UC_PB_BYTES) /* small floats: a byte each */
            v = uc_reader_u8(&in, "an element");
        else
            v = uc_pb_varint(&in, "an element");
        if (!uc_reader_ok(&in)) return;
        store(m, data, (*at)++, v);
    }
}

static uncork_status typed_strings(maker *m, const uc_tensor **tensor)
{
    uc_pb_field f;
    size_t at = 0;
    uc_str *items = UC_NEW(m->arena, uc_str, m->count);
    uc_reader r = uc_reader_over(m->message.data, m->message.size, m->offset, m->error);
    if (!items) return uc_arena_status(m->arena, m->error);
    while (at < m->count && uc_pb_next(&r, &f)) {
        if (f.number == 8) items[at++] = uc_pb_str(&r, &f, "a string");
    }
    if (!uc_reader_ok(&r)) return broken(m, "a constant's strings are broken");
    for (size_t last = at; last && at < m->count; at++) {
        items[at] = items[last - 1];
    }
    uc_tensor *t = uc_tensor_strings(m->arena, items, m->rank, m->shape);
    if (!t) return uc_arena_status(m->arena, m->error);
    t->strings.is_bytes = true;
    *tensor = t;
    return UNCORK_OK;
}

static void repeat_last(const maker *m, void *data, size_t have, size_t each)
{
    const size_t size = uc_dtype_bits(m->dtype) < 8 ? 0 : m->bytes / m->count;
    for (size_t i = have / each; i < m->count; i++) {
        if (size) {
            memcpy((uint8_t *)data + i * size, (uint8_t *)data + (have / each - 1) * size, size);
        } else {
            const int bits = uc_dtype_bits(m->dtype);
            uc_bits_store(data, (int64_t)i, bits,
                          uc_bits_load(data, (int64_t)(have / each) - 1, bits));
        }
    }
}

static uncork_status from_typed(maker *m, const uc_tensor **tensor)
{
    uc_pb_wire wire;
    uc_pb_field f;
    size_t each, at = 0;
    const uint32_t number = typed_field(m, &wire, &each);
    if (m->dtype == UNCORK_STRING) return typed_strings(m, tensor);
    uc_tensor *t = uc_tensor_new(m->arena, m->dtype, m->rank, m->shape);
    if (!t) return uc_arena_status(m->arena, m->error);
    uc_reader r = uc_reader_over(m->message.data, m->message.size, m->offset, m->error);
    while (uc_pb_next(&r, &f)) {
        if (f.number == number) decode_field(m, &f, wire, t->data, &at, m->count * each);
    }
    if (!uc_reader_ok(&r) || at % each) return broken(m, "a constant's elements are broken");
    if (at && m->count) repeat_last(m, t->data, at, each);
    *tensor = t;
    return UNCORK_OK;
}

uncork_status uc_tf_tensor_make(uc_bytes bytes, uint64_t offset, uc_arena *arena,
                                const uc_tensor **tensor, uncork_error *error)
{
    maker m = {.message = bytes, .offset = offset, .arena = arena, .error = error};
    *tensor = NULL;
    UC_TRY(read_head(&m));
    UC_TRY(check_head(&m));
    return m.has_content ? from_content(&m, tensor) : from_typed(&m, tensor);
}

uncork_status uc_tf_tensor_typed(uc_bytes bytes, uint64_t offset, int64_t type, int rank,
                                 const int64_t *shape, uc_arena *arena, const uc_tensor **tensor,
                                 uncork_error *error)
{
    maker m = {.message = bytes, .offset = offset, .arena = arena, .error = error};
    *tensor = NULL;
    UC_TRY(read_head(&m));
    m.type = type;
    m.rank = rank;
    m.shape = UC_NEW(arena, int64_t, (size_t)rank + 1);
    if (!m.shape) return uc_arena_status(arena, error);
    memcpy(m.shape, shape, (size_t)rank * sizeof *shape);
    UC_TRY(check_head(&m));
    return m.has_content ? from_content(&m, tensor) : from_typed(&m, tensor);
}
