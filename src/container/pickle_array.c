/* Bytes of a NumPy array -> native tensors in C order: views where alignment and byte order allow,
 * one copy otherwise. */
#include <inttypes.h>
#include <math.h>

#include "base/text.h"
#include "container/pickle_numpy.h"

/* Items without bytes ("S0") cost nothing in a file: more of them than this is no array. */
#define EMPTY_ITEMS 65536

uncork_status uc_pickle_array_bytes(uc_pickle_machine *m, const uc_pickle_dtype *dtype, int rank,
                                    const int64_t *shape, size_t *bytes)
{
    size_t count;
    char text[128];
    if (!uc_shape_count(shape, rank, &count) || !uc_mul_size(count, dtype->item_size, bytes) ||
        (!dtype->item_size && count > EMPTY_ITEMS)) {
        return UC_PICKLE_FAIL(m, "an array of shape %s and %zu bytes an item",
                              uc_shape_text(shape, rank, text, sizeof text), dtype->item_size);
    }
    return UNCORK_OK;
}

/* ---- Fortran order -------------------------------------------------------------------------- */

/* items of `size` bytes: to[i] = from[i * stride], i < n. */
static void gather(uint8_t *to, const uint8_t *from, size_t n, size_t stride, size_t size)
{
    switch (size) {
    case 8:
        for (size_t i = 0; i < n; i++) {
            memcpy(to + i * 8, from + i * stride, 8);
        }
        return;
    case 4:
        for (size_t i = 0; i < n; i++) {
            memcpy(to + i * 4, from + i * stride, 4);
        }
        return;
    case 1:
        for (size_t i = 0; i < n; i++) {
            to[i] = from[i * stride];
        }
        return;
    default:
        for (size_t i = 0; i < n; i++) {
            memcpy(to + i * size, from + i * stride, size);
        }
    }
}

/* Blocks of rows keep the columns they share in the cache. */
static void transpose_matrix(uint8_t *to, const uint8_t *from, size_t rows, size_t columns,
                             size_t size)
{
    enum { BLOCK = 32 };
    for (size_t j = 0; j < columns; j += BLOCK) {
        const size_t n = columns - j < BLOCK ? columns - j : BLOCK;
        for (size_t i = 0; i < rows; i++) {
            gather(to + (i * columns + j) * size, from + (j * rows + i) * size, n, rows * size,
                   size);
        }
    }
}

/* Fortran-ordered items -> C order, in the arena. */
static uncork_status to_c_order(uc_pickle_machine *m, int rank, const int64_t *shape, size_t size,
                                uc_bytes *raw)
{
    uint8_t *to = (uint8_t *)uc_arena_alloc_raw(m->arena, raw->size);
    if (!to) {
        return uc_pickle_out_of_memory(m);
    }
    if (rank == 2) {
        transpose_matrix(to, raw->data, (size_t)shape[0], (size_t)shape[1], size);
        *raw = (uc_bytes){to, raw->size};
        return UNCORK_OK;
    }
    size_t stride[UNCORK_MAX_RANK], index[UNCORK_MAX_RANK] = {0}, step = size;
    for (int d = 0; d < rank; d++) {
        stride[d] = step;
        step *= (size_t)shape[d];
    }
    const size_t row = (size_t)shape[rank - 1];
    size_t from = 0;
    for (size_t at = 0; at < raw->size; at += row * size) {
        gather(to + at, raw->data + from, row, stride[rank - 1], size);
        for (int d = rank - 2; d >= 0; d--) {
            from += stride[d];
            if (++index[d] < (size_t)shape[d]) {
                break;
            }
            from -= stride[d] * (size_t)shape[d];
            index[d] = 0;
        }
    }
    *raw = (uc_bytes){to, raw->size};
    return UNCORK_OK;
}

/* ---- columns -------------------------------------------------------------------------------- */

/* Where the elements of one column are: rows `step` bytes apart, `width` elements in each. */
typedef struct column {
    const uint8_t *from;
    size_t rows, step, width;
    const uc_pickle_dtype *dtype; /* of one element */
    uc_tensor *tensor;            /* shape is set */
} column;

static size_t text_end(const uint8_t *p, size_t size, size_t unit)
{
    static const uint8_t zeros[4];
    while (size && !memcmp(p + size - unit, zeros, unit)) {
        size -= unit;
    }
    return size;
}

static uint32_t code_point(const uint8_t *p, bool swapped)
{
    return swapped ? uc_load_u32be(p) : uc_load_u32le(p);
}

/* Fixed-width strings without the NULs at their end: 'S' as they are, 'U' from UTF-32 to UTF-8. */
static uncork_status fill_strings(uc_pickle_machine *m, const column *c)
{
    const size_t size = c->dtype->item_size, count = c->rows * c->width;
    size_t room;
    if (!uc_mul_size(count, size, &room)) { /* UTF-8 takes at most what UTF-32 does */
        return uc_pickle_out_of_memory(m);
    }
    uint64_t *offsets = UC_NEW(m->arena, uint64_t, count + 1);
    char *bytes = (char *)uc_arena_alloc_raw(m->arena, room);
    if (!offsets || !bytes) {
        return uc_pickle_out_of_memory(m);
    }
    const bool is_bytes = c->dtype->kind == 'S';
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = c->from + i / c->width * c->step + i % c->width * size;
        const size_t n = text_end(p, size, is_bytes ? 1 : 4);
        if (is_bytes) {
            memcpy(bytes + at, p, n);
            at += n;
        }
        for (size_t j = 0; !is_bytes && j < n; j += 4) {
            const uint32_t character = code_point(p + j, c->dtype->swapped);
            if (character > 0x10FFFF) {
                return UC_PICKLE_FAIL(m, "a string array has 0x%" PRIX32 " for a character",
                                      character);
            }
            at += uc_utf8_put(character, bytes + at);
        }
        offsets[i + 1] = at;
    }
    c->tensor->strings = (uc_strings){.offsets = offsets, .bytes = bytes, .is_bytes = is_bytes};
    return UNCORK_OK;
}

/* Reverses each `unit` bytes. */
static void swap_bytes(uint8_t *p, size_t bytes, size_t unit)
{
    for (size_t at = 0; at < bytes; at += unit) {
        for (size_t i = 0; i < unit / 2; i++) {
            const uint8_t b = p[at + i];
            p[at + i] = p[at + unit - 1 - i];
            p[at + unit - 1 - i] = b;
        }
    }
}

/* x87's 80 bits (64 of them explicit mantissa) as a double, rounded once but for subnormals. */
static double from_x87(const uint8_t *p)
{
    const uint64_t mantissa = uc_load_u64le(p);
    const int exponent = uc_load_u16le(p + 8) & 0x7FFF;
    const double sign = p[9] & 0x80 ? -1.0 : 1.0;
    if (exponent == 0x7FFF) {
        return mantissa << 1 ? (double)NAN : sign * (double)INFINITY;
    }
    return sign * ldexp((double)mantissa, exponent - 16383 - 63);
}

/* NumPy keeps whatever byte a bool was made from; kernels count on 0 and 1. */
static bool is_clean_bool(const uint8_t *p, size_t n)
{
    uint8_t all = 0;
    for (size_t i = 0; i < n; i++) {
        all |= p[i];
    }
    return all <= 1;
}

static size_t alignment_of(const uc_pickle_dtype *dtype)
{
    return dtype->kind == 'c' ? dtype->item_size / 2 : dtype->item_size;
}

static uncork_status fill_long_doubles(uc_pickle_machine *m, const column *c)
{
    const size_t size = c->dtype->item_size, count = c->rows * c->width;
    double *to = UC_NEW(m->arena, double, count);
    if (!to) {
        return uc_pickle_out_of_memory(m);
    }
    for (size_t i = 0; i < count; i++) {
        to[i] = from_x87(c->from + i / c->width * c->step + i % c->width * size);
    }
    c->tensor->data = to;
    return UNCORK_OK;
}

static uncork_status fill_numbers(uc_pickle_machine *m, const column *c)
{
    const size_t size = c->dtype->item_size, row = size * c->width, bytes = c->rows * row;
    const bool is_bool = c->dtype->kind == 'b';
    if (c->step == row && !c->dtype->swapped && bytes &&
        (uintptr_t)c->from % alignment_of(c->dtype) == 0 &&
        (!is_bool || is_clean_bool(c->from, bytes))) {
        c->tensor->data = (void *)(uintptr_t)c->from; /* a view, never written to */
        return UNCORK_OK;
    }
    uint8_t *to = (uint8_t *)uc_arena_alloc_raw(m->arena, bytes);
    if (!to) {
        return uc_pickle_out_of_memory(m);
    }
    if (c->step == row) {
        if (bytes) {
            memcpy(to, c->from, bytes);
        }
    } else {
        gather(to, c->from, c->rows, c->step, row);
    }
    if (c->dtype->swapped) {
        swap_bytes(to, bytes, alignment_of(c->dtype));
    }
    for (size_t i = 0; is_bool && i < bytes; i++) {
        to[i] = to[i] != 0;
    }
    c->tensor->data = to;
    return UNCORK_OK;
}

/* A column of `dtype` (a sub-array adds its dimensions) over rows of `step` bytes; *out stays NULL
 * when the dtype becomes nothing. */
static uncork_status read_column(uc_pickle_machine *m, const uc_pickle_dtype *dtype,
                                 const uint8_t *from, size_t step, int rank, const int64_t *shape,
                                 uc_tensor **out)
{
    const uc_pickle_dtype *element = dtype->base ? dtype->base : dtype;
    if (element->base || element->field_count || element->dtype == UNCORK_DTYPE_NONE ||
        rank + dtype->rank > UNCORK_MAX_RANK) {
        return UNCORK_OK;
    }
    int64_t full[UNCORK_MAX_RANK];
    column c = {.from = from, .step = step, .dtype = element};
    for (int i = 0; i < rank; i++) {
        full[i] = shape[i];
    }
    for (int i = 0; i < dtype->rank; i++) {
        full[rank + i] = dtype->shape[i];
    }
    c.tensor = UC_NEW(m->arena, uc_tensor, 1);
    if (!c.tensor) {
        return uc_pickle_out_of_memory(m);
    }
    uc_tensor_set(c.tensor, element->dtype, rank + dtype->rank, full);
    /* Both products were checked when the array's and the sub-array's bytes were counted. */
    (void)uc_shape_count(shape, rank, &c.rows);
    (void)uc_shape_count(dtype->shape, dtype->rank, &c.width);
    if (element->dtype == UNCORK_STRING) {
        UC_TRY(fill_strings(m, &c));
    } else if (element->kind == 'f' && element->item_size > 8) {
        UC_TRY(fill_long_doubles(m, &c));
    } else {
        UC_TRY(fill_numbers(m, &c));
    }
    *out = c.tensor;
    return UNCORK_OK;
}

/* ---- whole arrays --------------------------------------------------------------------------- */

static uncork_status set_records(uc_pickle_machine *m, uc_pickle *node,
                                 const uc_pickle_dtype *dtype, int rank, const int64_t *shape,
                                 uc_bytes raw)
{
    UC_TRY(uc_pickle_charge(m, 64 * (uint64_t)dtype->field_count));
    uc_tensor **columns = UC_NEW(m->arena, uc_tensor *, dtype->field_count);
    uc_tensor *whole = UC_NEW(m->arena, uc_tensor, 1);
    if (!columns || !whole) {
        return uc_pickle_out_of_memory(m);
    }
    for (size_t i = 0; i < dtype->field_count; i++) {
        /* An array without records may have no bytes to point into. */
        const uint8_t *from = raw.size ? raw.data + dtype->offsets[i] : raw.data;
        UC_TRY(read_column(m, dtype->fields[i], from, dtype->item_size, rank, shape, &columns[i]));
        if (!columns[i]) {
            return UNCORK_OK;
        }
    }
    uc_tensor_set(whole, UNCORK_DTYPE_NONE, rank, shape);
    node->kind = UC_PICKLE_RECORDS;
    node->tensor = whole;
    node->field_names = dtype->names;
    node->field_tensors = columns;
    node->field_count = dtype->field_count;
    (void)uc_shape_count(shape, rank, &node->count);
    return UNCORK_OK;
}

uncork_status uc_pickle_set_array(uc_pickle_machine *m, uc_pickle *node,
                                  const uc_pickle_dtype *dtype, int rank, const int64_t *shape,
                                  uc_bytes raw, bool fortran)
{
    size_t bytes;
    char text[128];
    UC_TRY(uc_pickle_array_bytes(m, dtype, rank, shape, &bytes));
    if (bytes != raw.size) {
        return UC_PICKLE_FAIL(m, "an array of shape %s needs %zu bytes, it has %zu",
                              uc_shape_text(shape, rank, text, sizeof text), bytes, raw.size);
    }
    if (dtype->has_objects) {
        return UNCORK_OK;
    }
    UC_TRY(uc_pickle_charge(m, bytes / 4));
    if (fortran && rank > 1 && bytes) {
        UC_TRY(to_c_order(m, rank, shape, dtype->item_size, &raw));
    }
    if (dtype->field_count) {
        return set_records(m, node, dtype, rank, shape, raw);
    }
    uc_tensor *tensor = NULL;
    UC_TRY(read_column(m, dtype, raw.data, dtype->item_size, rank, shape, &tensor));
    if (!tensor) {
        return UNCORK_OK;
    }
    node->kind = UC_PICKLE_ARRAY;
    node->tensor = tensor;
    node->module = (uc_str){NULL, 0};
    node->text = uc_str_of(dtype->kind == 'M'   ? "datetime64"
                           : dtype->kind == 'm' ? "timedelta64"
                                                : "");
    return UNCORK_OK;
}

uncork_status uc_pickle_set_objects(uc_pickle_machine *m, uc_pickle *node, const uc_pickle *list,
                                    int rank, const int64_t *shape)
{
    size_t count;
    char text[128];
    if (!uc_shape_count(shape, rank, &count) || count != list->count) {
        return UC_PICKLE_FAIL(m, "an object array of shape %s has %zu items",
                              uc_shape_text(shape, rank, text, sizeof text), list->count);
    }
    uc_tensor *tensor = UC_NEW(m->arena, uc_tensor, 1);
    if (!tensor) {
        return uc_pickle_out_of_memory(m);
    }
    /* In C order whatever the Fortran flag says: NumPy flattens with PyArray_FLAT iteration
     * (methods.c, _getlist_pkl) and reads it back the same way. */
    uc_tensor_set(tensor, UNCORK_DTYPE_NONE, rank, shape);
    node->kind = UC_PICKLE_OBJECTS;
    node->tensor = tensor;
    node->items = list->items;
    node->count = node->capacity = list->count;
    node->module = node->text = (uc_str){NULL, 0};
    return UNCORK_OK;
}
