/* TensorProto to tensors: raw bytes as views of the file where they are aligned, typed fields decoded,
 * sparse ones made dense. Every count is compared with the shape before memory is taken. */
#include "import/onnx/onnx_build.h"
#include "op/shape.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* A dense form may be this much larger than the sparse one (and small ones always). */
#define SPARSE_ELEMENTS ((size_t)1 << 26)

typedef struct maker {
    uc_graph *g;
    const uc_onnx_tensor *t;
    uc_str name;
    uncork_dtype dtype;
    size_t count, bytes;
} maker;

static const uc_tensor *fail(maker *m, uncork_status status, const char *format, ...)
    UC_PRINTF(3, 4);

static const uc_tensor *fail(maker *m, uncork_status status, const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uc_graph_fail(m->g, status, "tensor '%.*s': %s", m->name.size < 60 ? (int)m->name.size : 60,
                  m->name.data ? m->name.data : "", text);
    return NULL;
}

static bool read_shape(maker *m, int64_t *shape, int *rank)
{
    const uc_onnx_tensor *t = m->t;
    if (t->data_type < UNCORK_FLOAT32 || t->data_type > UNCORK_INT2) {
        fail(m, UNCORK_UNSUPPORTED, "its data_type %" PRId64 " isn't known", t->data_type);
        return false;
    }
    m->dtype = (uncork_dtype)t->data_type;
    if (t->dim_count > UNCORK_MAX_RANK) {
        fail(m, UNCORK_LIMIT, "it has %zu dimensions, at most %d can be", t->dim_count,
             UNCORK_MAX_RANK);
        return false;
    }
    *rank = (int)t->dim_count;
    for (int d = 0; d < *rank; d++) {
        shape[d] = t->dims[d];
        if (shape[d] < 0) {
            fail(m, UNCORK_MALFORMED, "dimension %d is %" PRId64, d, shape[d]);
            return false;
        }
    }
    if (!uc_shape_is_sane(m->dtype, *rank, shape) || !uc_shape_count(shape, *rank, &m->count) ||
        (m->dtype != UNCORK_STRING && !uc_shape_bytes(m->dtype, shape, *rank, &m->bytes))) {
        char text[192];
        fail(m, UNCORK_LIMIT, "its shape %s is more than memory can hold",
             uc_shape_text(shape, *rank, text, sizeof text));
        return false;
    }
    return true;
}

/* ---- raw bytes ---------------------------------------------------------------------------- */

/* Alignment that kernels may count on. */
static size_t alignment_of(uncork_dtype dtype)
{
    if (dtype == UNCORK_COMPLEX64) return 4;
    if (dtype == UNCORK_COMPLEX128) return 8;
    const size_t size = uc_dtype_size(dtype);
    return size ? size : 1;
}

static const uc_tensor *from_raw(maker *m, int rank, const int64_t *shape)
{
    const uc_bytes raw = m->t->raw;
    if (m->dtype == UNCORK_STRING) {
        return fail(m, UNCORK_MALFORMED, "strings can't be stored as raw bytes");
    }
    if (raw.size != m->bytes) {
        char text[128];
        return fail(m, UNCORK_MALFORMED, "%zu bytes are stored, %s%s needs %zu", raw.size,
                    uc_dtype_name(m->dtype), uc_shape_text(shape, rank, text, sizeof text),
                    m->bytes);
    }
    uc_tensor *t = UC_NEW(m->g->arena, uc_tensor, 1);
    if (!t) return NULL;
    uc_tensor_set(t, m->dtype, rank, shape);
    if ((uintptr_t)raw.data % alignment_of(m->dtype) == 0 && raw.size) {
        t->data = (void *)(uintptr_t)raw.data; /* a constant: nobody writes to it */
        return t;
    }
    t->data = uc_arena_alloc_raw(m->g->arena, raw.size);
    if (t->data && raw.size) memcpy(t->data, raw.data, raw.size);
    return t->data ? t : NULL;
}

/* ---- typed fields ------------------------------------------------------------------------- */

/* The field that holds elements of a type, and how many numbers stand for the whole tensor. */
static uint32_t typed_field(const maker *m, uc_pb_wire *wire, size_t *numbers)
{
    const int bits = uc_dtype_bits(m->dtype);
    *numbers = m->count;
    *wire = UC_PB_VARINT;
    switch ((int)m->dtype) {
    case UNCORK_FLOAT32: *wire = UC_PB_FIXED32; return 4;
    case UNCORK_COMPLEX64:
        *wire = UC_PB_FIXED32;
        *numbers = 2 * m->count;
        return 4;
    case UNCORK_FLOAT64: *wire = UC_PB_FIXED64; return 10;
    case UNCORK_COMPLEX128:
        *wire = UC_PB_FIXED64;
        *numbers = 2 * m->count;
        return 10;
    case UNCORK_STRING: *wire = UC_PB_BYTES; return 6;
    case UNCORK_INT64: return 7;
    case UNCORK_UINT32:
    case UNCORK_UINT64: return 11;
    default:
        if (bits < 8) *numbers = m->bytes; /* one number a byte of several elements */
        return 5;
    }
}

static void store(const maker *m, void *data, size_t i, uint64_t v)
{
    const size_t size = uc_dtype_bits(m->dtype) < 8 ? 1 : uc_dtype_size(m->dtype);
    switch (size) {
    case 1: ((uint8_t *)data)[i] = m->dtype == UNCORK_BOOL ? v != 0 : (uint8_t)v; break;
    case 2: ((uint16_t *)data)[i] = (uint16_t)v; break;
    case 4: ((uint32_t *)data)[i] = (uint32_t)v; break;
    default: ((uint64_t *)data)[i] = v; break;
    }
}

static void decode_field(const maker *m, const uc_pb_field *f, uc_pb_wire wire, void *data,
                         size_t *at)
{
    const bool fixed = wire != UC_PB_VARINT;
    if (f->wire != UC_PB_BYTES) {
        if (!fixed) {
            store(m, data, (*at)++, f->value);
        } else if (wire == UC_PB_FIXED32) {
            ((uint32_t *)data)[(*at)++] = (uint32_t)f->value;
        } else {
            ((uint64_t *)data)[(*at)++] = f->value;
        }
        return;
    }
    if (fixed) {
        const size_t size = wire == UC_PB_FIXED32 ? 4 : 8;
        if (f->bytes.size) memcpy((char *)data + *at * size, f->bytes.data, f->bytes.size);
        *at += f->bytes.size / size;
        return;
    }
    uc_reader in = uc_reader_over(f->bytes.data, f->bytes.size, f->offset, m->g->error);
    while (uc_reader_ok(&in) && uc_reader_left(&in) > 0) {
        const uint64_t v = uc_pb_varint(&in, "an element");
        if (uc_reader_ok(&in)) store(m, data, (*at)++, v);
    }
    if (!uc_reader_ok(&in)) m->g->status = UNCORK_MALFORMED;
}

/* Number of elements in the fields `number` of the message. */
static size_t count_typed(maker *m, uint32_t number, uc_pb_wire wire)
{
    uc_reader r = uc_reader_over(m->t->message.data, m->t->message.size, m->t->offset, m->g->error);
    uc_pb_field f;
    size_t count = 0;
    while (uc_pb_next(&r, &f)) {
        if (f.number != number) continue;
        count += wire == UC_PB_BYTES ? uc_pb_is(&r, &f, UC_PB_BYTES, "string_data")
                                     : uc_pb_count(&r, &f, wire, "a tensor's data");
    }
    if (!uc_reader_ok(&r)) m->g->status = UNCORK_MALFORMED;
    return count;
}

static const uc_tensor *from_strings(maker *m, int rank, const int64_t *shape)
{
    uc_str *items = UC_NEW(m->g->arena, uc_str, m->count);
    uc_reader r = uc_reader_over(m->t->message.data, m->t->message.size, m->t->offset, m->g->error);
    uc_pb_field f;
    size_t at = 0;
    while (items && uc_pb_next(&r, &f)) {
        if (f.number == 6) items[at++] = uc_pb_str(&r, &f, "string_data");
    }
    return items ? uc_tensor_strings(m->g->arena, items, rank, shape) : NULL;
}

static const uc_tensor *from_typed(maker *m, int rank, const int64_t *shape)
{
    uc_pb_wire wire;
    size_t numbers;
    const uint32_t number = typed_field(m, &wire, &numbers);
    if (m->t->typed & ~(1u << number)) {
        return fail(m, UNCORK_MALFORMED, "%s elements stand in a field of another type",
                    uc_dtype_name(m->dtype));
    }
    const size_t have = count_typed(m, number, wire);
    if (m->g->status != UNCORK_OK) return NULL;
    if (have != numbers) {
        char text[128];
        return fail(m, UNCORK_MALFORMED, "%zu elements are stored, %s%s needs %zu", have,
                    uc_dtype_name(m->dtype), uc_shape_text(shape, rank, text, sizeof text),
                    numbers);
    }
    if (wire == UC_PB_BYTES) return from_strings(m, rank, shape);
    uc_tensor *t = uc_tensor_new(m->g->arena, m->dtype, rank, shape);
    uc_reader r = uc_reader_over(m->t->message.data, m->t->message.size, m->t->offset, m->g->error);
    uc_pb_field f;
    size_t at = 0;
    while (t && uc_pb_next(&r, &f)) {
        if (f.number == number) decode_field(m, &f, wire, t->data, &at);
    }
    return m->g->status == UNCORK_OK ? t : NULL;
}

const uc_tensor *uc_onnx_tensor_make(uc_graph *g, const uc_onnx_tensor *t, uc_str name)
{
    maker m = {.g = g, .t = t, .name = name.size ? name : t->name};
    int64_t shape[UNCORK_MAX_RANK];
    int rank;
    if (g->status != UNCORK_OK || !read_shape(&m, shape, &rank)) return NULL;
    if (t->is_segment) return fail(&m, UNCORK_UNSUPPORTED, "it is one segment of a larger tensor");
    if (t->has_raw && t->typed)
        return fail(&m, UNCORK_MALFORMED, "it has both raw_data and typed data");
    if (t->is_external && (t->typed || t->message.data == NULL))
        return fail(&m, UNCORK_MALFORMED, "it is external and has data of its own");
    const bool raw = t->has_raw || t->is_external;
    const uc_tensor *made = raw ? from_raw(&m, rank, shape) : from_typed(&m, rank, shape);
    if (!made && g->status == UNCORK_OK) uc_graph_const(g, NULL); /* says that memory is out */
    return made;
}

/* ---- sparse tensors ----------------------------------------------------------------------- */

/* Where the k-th stored element goes; false when an index is outside. Linear indices have rank 1,
 * others one row of coordinates an element. */
static bool place_of(const uc_tensor *indices, const int64_t *shape, int rank, int64_t k,
                     int64_t count, int64_t *place)
{
    const int64_t *at = indices->data;
    if (indices->rank == 1) {
        *place = at[k];
        return *place >= 0 && *place < count;
    }
    *place = 0;
    for (int d = 0; d < rank; d++) {
        const int64_t c = at[k * rank + d];
        if (c < 0 || c >= shape[d]) return false;
        *place = *place * shape[d] + c;
    }
    return true;
}

static bool sparse_fits(maker *m, const uc_tensor *values, const uc_tensor *indices, int rank,
                        const int64_t *shape)
{
    const bool linear = indices->rank == 1 && indices->shape[0] == values->shape[0];
    const bool rows =
        indices->rank == 2 && indices->shape[0] == values->shape[0] && indices->shape[1] == rank;
    if (values->rank != 1 || indices->dtype != UNCORK_INT64 || (!linear && !rows)) {
        fail(m, UNCORK_MALFORMED, "values and indices of the sparse tensor don't belong together");
        return false;
    }
    if (uc_dtype_bits(values->dtype) < 8) {
        fail(m, UNCORK_UNSUPPORTED, "a sparse tensor of %s", uc_dtype_name(values->dtype));
        return false;
    }
    if (!uc_shape_is_sane(values->dtype, rank, shape) || !uc_shape_count(shape, rank, &m->count) ||
        m->count > SPARSE_ELEMENTS) {
        char text[192];
        fail(m, UNCORK_LIMIT, "a sparse tensor of shape %s is too large to be made dense",
             uc_shape_text(shape, rank, text, sizeof text));
        return false;
    }
    return true;
}

const uc_tensor *uc_onnx_sparse_make(uc_graph *g, const uc_onnx_sparse *s, uc_str name)
{
    maker m = {.g = g, .name = name.size ? name : s->values.name};
    const uc_tensor *values = uc_onnx_tensor_make(g, &s->values, m.name);
    const uc_tensor *indices = uc_onnx_tensor_make(g, &s->indices, m.name);
    if (!values || !indices) return NULL;
    if (s->dim_count == 0 || s->dim_count > UNCORK_MAX_RANK)
        return fail(&m, UNCORK_MALFORMED, "a sparse tensor of %zu dimensions", s->dim_count);
    const int rank = (int)s->dim_count;
    for (int d = 0; d < rank; d++) {
        if (s->dims[d] < 0)
            return fail(&m, UNCORK_MALFORMED, "dimension %d is %" PRId64, d, s->dims[d]);
    }
    if (!sparse_fits(&m, values, indices, rank, s->dims)) return NULL;
    uc_tensor *dense = uc_tensor_new(g->arena, values->dtype, rank, s->dims);
    if (!dense) return NULL;
    const size_t size = uc_dtype_size(values->dtype);
    for (int64_t k = 0; k < values->shape[0]; k++) {
        int64_t place;
        if (!place_of(indices, s->dims, rank, k, (int64_t)m.count, &place))
            return fail(&m, UNCORK_MALFORMED, "index %" PRId64 " is outside the sparse tensor", k);
        memcpy((char *)dense->data + (size_t)place * size,
               (const char *)values->data + (size_t)k * size, size);
    }
    return dense;
}
