/* NumPy in pickles: dtype, ndarray, scalar, _frombuffer, masked arrays.
 * Sources: numpy/_core/src/multiarray/descriptor.c (arraydescr_setstate), methods.c
 * (array_setstate), scalartypes.c (gentype_reduce), numpy/ma/core.py (MaskedArray.__setstate__). */
#include "container/pickle_numpy.h"

#include <inttypes.h>

#include "base/limits.h"

/* ---- dtype ---------------------------------------------------------------------------------- */

/* What elements of a kind and size become. */
static uncork_dtype element_of(char kind, size_t size)
{
    static const struct {
        char kind;
        size_t size;
        uncork_dtype dtype;
    } rows[] = {
        {'b', 1, UNCORK_BOOL},      {'i', 1, UNCORK_INT8},        {'i', 2, UNCORK_INT16},
        {'i', 4, UNCORK_INT32},     {'i', 8, UNCORK_INT64},       {'u', 1, UNCORK_UINT8},
        {'u', 2, UNCORK_UINT16},    {'u', 4, UNCORK_UINT32},      {'u', 8, UNCORK_UINT64},
        {'f', 2, UNCORK_FLOAT16},   {'f', 4, UNCORK_FLOAT32},     {'f', 8, UNCORK_FLOAT64},
        {'f', 12, UNCORK_FLOAT64},  {'f', 16, UNCORK_FLOAT64}, /* x87 long double */
        {'c', 8, UNCORK_COMPLEX64}, {'c', 16, UNCORK_COMPLEX128}, {'M', 8, UNCORK_INT64},
        {'m', 8, UNCORK_INT64},
    };
    if (kind == 'S' || kind == 'U') {
        return UNCORK_STRING;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].kind == kind && rows[i].size == size) {
            return rows[i].dtype;
        }
    }
    return UNCORK_DTYPE_NONE;
}

bool uc_pickle_parse_dtype(uc_str code, uc_pickle_dtype *dtype)
{
    static const char kinds[] = "biufcMmOSaUV";
    memset(dtype, 0, sizeof *dtype);
    if (code.size && memchr("<>=|", code.data[0], 4)) {
        dtype->swapped = code.data[0] == '>';
        code.data++;
        code.size--;
    }
    if (!code.size || !memchr(kinds, code.data[0], sizeof kinds - 1)) {
        return false;
    }
    dtype->kind = code.data[0] == 'a' ? 'S' : code.data[0];
    size_t at = 1, size = 0;
    for (; at < code.size && code.data[at] >= '0' && code.data[at] <= '9'; at++) {
        if (size > INT32_MAX) {
            return false;
        }
        size = size * 10 + (size_t)(code.data[at] - '0');
    }
    if (at < code.size && dtype->kind != 'M' && dtype->kind != 'm') {
        return false;
    }
    dtype->item_size = dtype->kind == 'U' ? 4 * size : size;
    dtype->has_objects = dtype->kind == 'O';
    if (dtype->kind == 'O') {
        dtype->item_size = 8; /* "O4" from a 32-bit host: they aren't in the stream anyway */
    }
    dtype->dtype = element_of(dtype->kind, dtype->item_size);
    return dtype->dtype != UNCORK_DTYPE_NONE || memchr("OVc", dtype->kind, 3);
}

static uncork_status set_dtype(uc_pickle_machine *m, uc_pickle *node, const uc_pickle_dtype *from)
{
    uc_pickle_dtype *dtype = UC_NEW(m->arena, uc_pickle_dtype, 1);
    if (!dtype) {
        return uc_pickle_out_of_memory(m);
    }
    *dtype = *from;
    node->dtype = dtype;
    return UNCORK_OK;
}

/* numpy.dtype(code, align, copy); the code is a class for numpy.record. */
uncork_status uc_pickle_call_dtype(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    uc_pickle_dtype dtype;
    const uc_pickle *code = uc_pickle_item(args, 0);
    if (uc_pickle_is_symbol(code, "numpy", "record") ||
        uc_pickle_is_symbol(code, "numpy.rec", "record")) {
        uc_pickle_parse_dtype(uc_str_of("V0"), &dtype);
    } else if (!code || (code->kind != UC_PICKLE_TEXT && code->kind != UC_PICKLE_BYTES) ||
               !uc_pickle_parse_dtype(code->text, &dtype)) {
        return UNCORK_OK;
    }
    uc_pickle *node = uc_pickle_node(m, UC_PICKLE_DTYPE);
    if (!node) {
        return uc_pickle_out_of_memory(m);
    }
    if (code->kind != UC_PICKLE_SYMBOL) {
        node->text = code->text;
    }
    node->integer =
        uc_pickle_builder_id(uc_pickle_builder_find(uc_str_of("numpy"), uc_str_of("dtype")));
    UC_TRY(set_dtype(m, node, &dtype));
    *out = node;
    return UNCORK_OK;
}

uncork_status uc_pickle_shape(uc_pickle_machine *m, const uc_pickle *value, int *rank,
                              int64_t *shape)
{
    const bool is_tuple =
        value && (value->kind == UC_PICKLE_TUPLE || value->kind == UC_PICKLE_LIST);
    if (is_tuple && value->count > UNCORK_MAX_RANK) {
        return uc_fail(m->error, UNCORK_LIMIT, m->op_offset,
                       "an array of %zu dimensions, %d are allowed", value->count, UNCORK_MAX_RANK);
    }
    *rank = is_tuple ? (int)value->count : 1;
    for (int i = 0; i < *rank; i++) {
        const uc_pickle *size = is_tuple ? value->items[i] : value;
        if (!size || size->kind != UC_PICKLE_INT) {
            return UC_PICKLE_FAIL(m, "a %s in an array's shape",
                                  uc_pickle_type_name(size, m->scratch));
        }
        if (size->integer < 0) {
            return UC_PICKLE_FAIL(m, "an array's shape has %" PRId64, size->integer);
        }
        shape[i] = size->integer;
    }
    return UNCORK_OK;
}

/* (base, shape) */
static uncork_status set_sub_array(uc_pickle_machine *m, uc_pickle_dtype *dtype,
                                   const uc_pickle *pair)
{
    const uc_pickle *base = uc_pickle_item(pair, 0);
    if (!base || base->kind != UC_PICKLE_DTYPE || pair->count != 2) {
        return UC_PICKLE_FAIL(m, "a dtype's sub-array is no (dtype, shape)");
    }
    size_t bytes;
    UC_TRY(uc_pickle_shape(m, pair->items[1], &dtype->rank, dtype->shape));
    UC_TRY(uc_pickle_array_bytes(m, base->dtype, dtype->rank, dtype->shape, &bytes));
    dtype->base = base->dtype;
    dtype->item_size = bytes;
    dtype->has_objects = base->dtype->has_objects;
    return UNCORK_OK;
}

/* The value of a key that is a text or bytes; *field stays NULL when there is none. */
static uncork_status find_field(uc_pickle_machine *m, const uc_pickle *fields,
                                const uc_pickle *name, const uc_pickle **field)
{
    if ((name->kind != UC_PICKLE_TEXT && name->kind != UC_PICKLE_BYTES) ||
        name->text.size > UC_LIMIT_PICKLE_NAME) {
        return UNCORK_OK;
    }
    size_t i = fields->count;
    while (!*field && i-- > 0) {
        const uc_pickle *key = fields->items[2 * i];
        if ((key->kind == UC_PICKLE_TEXT || key->kind == UC_PICKLE_BYTES) &&
            uc_str_equal(key->text, name->text)) {
            *field = fields->items[2 * i + 1];
        }
    }
    return uc_pickle_charge(m, fields->count - i);
}

/* names ('a', 'b'), fields {'a': (dtype, offset[, title])}, all inside item_size. */
static uncork_status set_fields(uc_pickle_machine *m, uc_pickle_dtype *dtype,
                                const uc_pickle *names, const uc_pickle *fields)
{
    const size_t count = names->count;
    if (fields->kind != UC_PICKLE_DICT || count > UC_LIMIT_PICKLE_FIELDS || count > fields->count) {
        return UC_PICKLE_FAIL(m, "a dtype names %zu fields and describes %zu", count,
                              fields->kind == UC_PICKLE_DICT ? fields->count : 0);
    }
    dtype->names = UC_NEW(m->arena, uc_str, count);
    dtype->offsets = UC_NEW(m->arena, size_t, count);
    dtype->fields = UC_NEW(m->arena, const uc_pickle_dtype *, count);
    if (!dtype->names || !dtype->offsets || !dtype->fields) {
        return uc_pickle_out_of_memory(m);
    }
    for (size_t i = 0; i < count; i++) {
        const uc_pickle *name = names->items[i], *field = NULL;
        UC_TRY(find_field(m, fields, name, &field));
        const uc_pickle *type = uc_pickle_item(field, 0), *offset = uc_pickle_item(field, 1);
        if (!type || type->kind != UC_PICKLE_DTYPE || !offset || offset->kind != UC_PICKLE_INT) {
            return UC_PICKLE_FAIL(m, "a dtype's field %zu is no (dtype, offset)", i);
        }
        if (offset->integer < 0 || type->dtype->item_size > dtype->item_size ||
            (uint64_t)offset->integer > dtype->item_size - type->dtype->item_size) {
            return UC_PICKLE_FAIL(
                m, "a dtype's field '%.*s' of %zu bytes at %" PRId64 " leaves its record of %zu",
                (int)(name->text.size < 40 ? name->text.size : 40), name->text.data,
                type->dtype->item_size, offset->integer, dtype->item_size);
        }
        dtype->names[i] = name->text;
        dtype->offsets[i] = (size_t)offset->integer;
        dtype->fields[i] = type->dtype;
        dtype->has_objects |= type->dtype->has_objects;
    }
    dtype->field_count = count;
    return UNCORK_OK;
}

/* (version, endian, subdtype, names, fields, itemsize, alignment, flags[, metadata]) */
uncork_status uc_pickle_build_dtype(uc_pickle_machine *m, uc_pickle *object)
{
    const uc_pickle *state = object->state;
    if (object->kind != UC_PICKLE_DTYPE) {
        return UNCORK_OK; /* a dtype of another kind (StringDType): opaque */
    }
    if (state->kind != UC_PICKLE_TUPLE || state->count < 8) {
        return UC_PICKLE_FAIL(m, "a dtype's state is a %s of %zu, not a tuple of 8 or 9",
                              uc_pickle_type_name(state, m->scratch), state->count);
    }
    uc_pickle_dtype dtype = *object->dtype;
    const uc_pickle *endian = state->items[1], *size = state->items[5];
    if (uc_pickle_is_text(endian, ">") && memchr("iufcMmU", dtype.kind, 7)) {
        dtype.swapped = dtype.item_size > 1 || dtype.kind == 'U';
    }
    if (size->kind == UC_PICKLE_INT && size->integer >= 0 && memchr("SUV", dtype.kind, 3)) {
        if (size->integer > INT32_MAX || (dtype.kind == 'U' && size->integer % 4)) {
            return UC_PICKLE_FAIL(m, "a dtype '%c' of %" PRId64 " bytes", dtype.kind,
                                  size->integer);
        }
        dtype.item_size = (size_t)size->integer;
    }
    if (state->items[2]->kind == UC_PICKLE_TUPLE) {
        UC_TRY(set_sub_array(m, &dtype, state->items[2]));
    }
    if (state->items[3]->kind == UC_PICKLE_TUPLE) {
        UC_TRY(set_fields(m, &dtype, state->items[3], state->items[4]));
    }
    return set_dtype(m, object, &dtype);
}

/* ---- arrays --------------------------------------------------------------------------------- */

static const uc_pickle_dtype *dtype_of(const uc_pickle *value)
{
    return value && value->kind == UC_PICKLE_DTYPE ? value->dtype : NULL;
}

static bool is_true(const uc_pickle *value)
{
    return value && (value->kind == UC_PICKLE_BOOL  ? value->boolean
                     : value->kind == UC_PICKLE_INT ? value->integer != 0
                                                    : false);
}

/* Which subclass of ndarray an array was: matrix, MaskedArray, recarray. */
static void name_subclass(uc_pickle *node, const uc_pickle *cls)
{
    if (cls && cls->kind == UC_PICKLE_SYMBOL && !uc_str_is(cls->text, "ndarray") &&
        !node->text.size) {
        node->module = cls->module;
        node->text = cls->text;
    }
}

/* The state of an ndarray, (version, shape, dtype, is_fortran, raw), at `base` of the tuple; of a
 * masked array the mask and the fill value follow. Other states (a subclass's own) stay as they are. */
uncork_status uc_pickle_build_ndarray(uc_pickle_machine *m, uc_pickle *object)
{
    const uc_pickle *state = object->state, *subclass = uc_pickle_item(object->args, 0);
    /* NumPy before 1.0 wrote no version; nobody has such files. */
    const uc_pickle *dtype = uc_pickle_item(state, 2), *raw = uc_pickle_item(state, 4);
    if (!dtype_of(dtype) || !raw || state->kind != UC_PICKLE_TUPLE) {
        return UNCORK_OK;
    }
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    UC_TRY(uc_pickle_shape(m, state->items[1], &rank, shape));
    if (raw->kind == UC_PICKLE_LIST) {
        if (dtype->dtype->kind != 'O') {
            return UNCORK_OK; /* records that hold objects */
        }
        UC_TRY(uc_pickle_set_objects(m, object, raw, rank, shape));
    } else if (raw->kind == UC_PICKLE_BYTES) {
        const uc_bytes bytes = {(const uint8_t *)raw->text.data, raw->text.size};
        UC_TRY(uc_pickle_set_array(m, object, dtype->dtype, rank, shape, bytes,
                                   is_true(state->items[3])));
    } else {
        return UC_PICKLE_FAIL(m, "an array's data is a %s", uc_pickle_type_name(raw, m->scratch));
    }
    name_subclass(object, subclass);
    return UNCORK_OK;
}

/* _frombuffer(buffer, dtype, shape, order) */
uncork_status uc_pickle_call_frombuffer(uc_pickle_machine *m, const uc_pickle *args,
                                        uc_pickle **out)
{
    const uc_pickle *buffer = uc_pickle_item(args, 0), *dtype = uc_pickle_item(args, 1);
    if (args->count < 4 || buffer->kind != UC_PICKLE_BYTES || !dtype_of(dtype)) {
        return UNCORK_OK;
    }
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    UC_TRY(uc_pickle_shape(m, args->items[2], &rank, shape));
    uc_pickle *node = uc_pickle_node(m, UC_PICKLE_OBJECT);
    if (!node) {
        return uc_pickle_out_of_memory(m);
    }
    const uc_bytes bytes = {(const uint8_t *)buffer->text.data, buffer->text.size};
    UC_TRY(uc_pickle_set_array(m, node, dtype->dtype, rank, shape, bytes,
                               uc_pickle_is_text(args->items[3], "F")));
    if (node->kind != UC_PICKLE_OBJECT) {
        *out = node;
    }
    return UNCORK_OK;
}

/* ---- scalars -------------------------------------------------------------------------------- */

static uncork_status number_of(uc_pickle_machine *m, const uc_tensor *t, uc_pickle **out)
{
    if (t->dtype == UNCORK_BOOL) {
        const int value = *(const uint8_t *)t->data;
        if (!m->booleans[value]) {
            m->booleans[value] = uc_pickle_node(m, UC_PICKLE_BOOL);
            if (m->booleans[value]) {
                m->booleans[value]->boolean = value != 0;
                m->booleans[value]->integer = value;
            }
        }
        *out = m->booleans[value];
        return *out ? UNCORK_OK : uc_pickle_out_of_memory(m);
    }
    if (t->dtype == UNCORK_UINT64 && *(const uint64_t *)t->data > INT64_MAX) {
        uint8_t *bytes = UC_NEW(m->arena, uint8_t, 9); /* the ninth is the sign */
        if (!bytes) {
            return uc_pickle_out_of_memory(m);
        }
        for (int i = 0; i < 8; i++) {
            bytes[i] = (uint8_t)(*(const uint64_t *)t->data >> (8 * i));
        }
        return uc_pickle_integer(m, bytes, 9, out);
    }
    if (uc_dtype_is_integer(t->dtype)) {
        *out = uc_pickle_int(m, uc_dtype_load_i64(t->data, 0, t->dtype));
        return *out ? UNCORK_OK : uc_pickle_out_of_memory(m);
    }
    const bool is_complex = t->dtype == UNCORK_COMPLEX64 || t->dtype == UNCORK_COMPLEX128;
    *out = uc_pickle_node(m, is_complex ? UC_PICKLE_COMPLEX : UC_PICKLE_FLOAT);
    if (!*out) {
        return uc_pickle_out_of_memory(m);
    }
    if (t->dtype == UNCORK_COMPLEX64) {
        (*out)->number = (double)((const float *)t->data)[0];
        (*out)->imaginary = (double)((const float *)t->data)[1];
    } else if (is_complex) {
        (*out)->number = ((const double *)t->data)[0];
        (*out)->imaginary = ((const double *)t->data)[1];
    } else {
        (*out)->number = uc_dtype_load_f64(t->data, 0, t->dtype);
    }
    return UNCORK_OK;
}

/* scalar(dtype, raw); scalar(object dtype, the object). */
uncork_status uc_pickle_call_scalar(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    const uc_pickle_dtype *dtype = dtype_of(uc_pickle_item(args, 0));
    uc_pickle *raw = uc_pickle_item(args, 1);
    if (!dtype || !raw) {
        return UNCORK_OK;
    }
    if (dtype->kind == 'O') {
        *out = raw;
        return UNCORK_OK;
    }
    if (raw->kind != UC_PICKLE_BYTES || dtype->dtype == UNCORK_DTYPE_NONE || dtype->base ||
        dtype->field_count) {
        return UNCORK_OK;
    }
    /* An array of rank 0 on the side. */
    uc_pickle node = {0};
    const uc_bytes bytes = {(const uint8_t *)raw->text.data, raw->text.size};
    UC_TRY(uc_pickle_set_array(m, &node, dtype, 0, NULL, bytes, false));
    if (node.kind != UC_PICKLE_ARRAY) {
        return UNCORK_OK;
    }
    if (node.tensor->dtype != UNCORK_STRING) {
        return number_of(m, node.tensor, out);
    }
    uc_pickle *text = uc_pickle_node(m, dtype->kind == 'S' ? UC_PICKLE_BYTES : UC_PICKLE_TEXT);
    if (!text) {
        return uc_pickle_out_of_memory(m);
    }
    text->text = uc_tensor_string(node.tensor, 0);
    *out = text;
    return UNCORK_OK;
}
