/* UBJSON: a marker byte, then the value; numbers are big-endian. */
#include "container/ubjson.h"

#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct parser {
    uc_reader in;
    uc_arena *arena;
    uncork_error *error;
} parser;

/* What stands behind '[' or '{': optionally "$type", optionally "#count". */
typedef struct shape {
    uint8_t type; /* 0: each element has its own marker */
    bool counted;
    uint64_t count;
} shape;

static uc_json *read_value(parser *p, uint8_t marker, int depth);

static uc_json *fail_memory(parser *p)
{
    (void)uc_arena_status(p->arena, p->error);
    return NULL;
}

static uc_json *fail_marker(parser *p, const char *expected, uint8_t marker)
{
    char text[8];
    (void)snprintf(text, sizeof text, marker >= 0x20 && marker < 0x7F ? "'%c'" : "0x%02x", marker);
    (void)uc_reader_fail(&p->in, "UBJSON: expected %s, found %s", expected, text);
    return NULL;
}

static uint8_t read_marker(parser *p)
{
    uint8_t marker;
    do {
        marker = uc_reader_u8(&p->in, "UBJSON: a marker");
    } while (marker == 'N' && uc_reader_ok(&p->in));
    return marker;
}

/* Bytes of a number, 0 for other markers. */
static size_t number_size(uint8_t marker)
{
    switch (marker) {
    case 'i':
    case 'U': return 1;
    case 'I': return 2;
    case 'l':
    case 'd': return 4;
    case 'L':
    case 'D': return 8;
    default: return 0;
    }
}

static uncork_dtype number_dtype(uint8_t marker)
{
    switch (marker) {
    case 'i': return UNCORK_INT8;
    case 'U': return UNCORK_UINT8;
    case 'I': return UNCORK_INT16;
    case 'l': return UNCORK_INT32;
    case 'L': return UNCORK_INT64;
    case 'd': return UNCORK_FLOAT32;
    case 'D': return UNCORK_FLOAT64;
    default: return UNCORK_DTYPE_NONE;
    }
}

/* n big-endian numbers of `size` bytes into native ones. */
static void to_native(void *to, const uint8_t *from, size_t n, size_t size)
{
    uint8_t *out = to;
    for (size_t i = 0; i < n; i++, from += size, out += size) {
        if (size == 4) {
            const uint32_t v = uc_load_u32be(from);
            memcpy(out, &v, 4);
        } else if (size == 8) {
            const uint64_t v = uc_load_u64be(from);
            memcpy(out, &v, 8);
        } else if (size == 2) {
            const uint16_t v = uc_load_u16be(from);
            memcpy(out, &v, 2);
        } else {
            *out = *from;
        }
    }
}

static bool read_length(parser *p, uint8_t marker, uint64_t *length)
{
    const size_t size = number_size(marker);
    if (size == 0 || marker == 'd' || marker == 'D') return fail_marker(p, "a length", marker);
    const uc_bytes bytes = uc_reader_take(&p->in, size, "UBJSON: a length");
    if (!bytes.data) return false;
    uint64_t native = 0; /* aligned for every type */
    to_native(&native, bytes.data, 1, size);
    const int64_t value = uc_dtype_load_i64(&native, 0, number_dtype(marker));
    if (value < 0) {
        (void)uc_reader_fail(&p->in, "UBJSON: a length of %" PRId64, value);
        return false;
    }
    *length = (uint64_t)value;
    return true;
}

static bool read_string(parser *p, uint8_t length_marker, uc_str *string)
{
    uint64_t length = 0;
    if (!read_length(p, length_marker, &length)) return false;
    const uc_bytes bytes = uc_reader_take(&p->in, length, "UBJSON: a string");
    *string = (uc_str){(const char *)bytes.data, bytes.size};
    return uc_reader_ok(&p->in);
}

/* Reads what stands behind an opening bracket. *marker: the byte behind it, when it isn't part of
 * type and count. */
static bool read_shape(parser *p, shape *s, uint8_t *marker)
{
    *s = (shape){0};
    *marker = read_marker(p);
    if (*marker == '$') {
        s->type = uc_reader_u8(&p->in, "UBJSON: a type");
        *marker = uc_reader_u8(&p->in, "UBJSON: a count");
        if (*marker != '#') return fail_marker(p, "'#' after a type", *marker);
    }
    if (*marker == '#') {
        s->counted = true;
        if (!read_length(p, uc_reader_u8(&p->in, "UBJSON: a count"), &s->count)) return false;
        *marker = 0;
    }
    if (s->type && strchr("ZTFN", s->type)) {
        return fail_marker(p, "elements that take bytes", s->type);
    }
    /* The smallest element takes a byte (typed ones their size, checked where they are taken). */
    if (s->counted && s->count > uc_reader_left(&p->in)) {
        (void)uc_reader_fail(&p->in, "UBJSON: %" PRIu64 " elements, %zu bytes remain", s->count,
                             uc_reader_left(&p->in));
        return false;
    }
    return uc_reader_ok(&p->in);
}

static uc_json *new_json(parser *p, uc_json_kind kind)
{
    uc_json *json = UC_NEW(p->arena, uc_json, 1);
    if (!json) return fail_memory(p);
    json->kind = kind;
    json->offset = uc_reader_offset(&p->in) - 1;
    return json;
}

static uc_json *read_number(parser *p, uint8_t marker)
{
    const uncork_dtype dtype = number_dtype(marker);
    uc_json *json = new_json(p, uc_dtype_is_float(dtype) ? UC_JSON_FLOAT : UC_JSON_INT);
    const uc_bytes bytes = uc_reader_take(&p->in, number_size(marker), "UBJSON: a number");
    if (!json || !bytes.data) return NULL;
    uint64_t native = 0;
    to_native(&native, bytes.data, 1, bytes.size);
    if (json->kind == UC_JSON_INT) json->integer = uc_dtype_load_i64(&native, 0, dtype);
    json->number = uc_dtype_load_f64(&native, 0, dtype);
    return json;
}

/* 'H': a number as text. */
static uc_json *read_long_number(parser *p)
{
    uc_json *json = new_json(p, UC_JSON_INT);
    uc_str text;
    if (!json || !read_string(p, uc_reader_u8(&p->in, "UBJSON: a length"), &text)) return NULL;
    if (uc_text_i64(text, &json->integer)) {
        json->number = (double)json->integer;
        return json;
    }
    json->kind = UC_JSON_FLOAT;
    if (uc_text_f64(text, &json->number)) return json;
    (void)uc_reader_fail(&p->in, "UBJSON: a number that is none");
    return NULL;
}

static uc_json *read_numbers(parser *p, const shape *s)
{
    const size_t size = number_size(s->type);
    const int64_t dims[1] = {(int64_t)s->count};
    size_t total;
    uc_json *json = new_json(p, UC_JSON_NUMBERS);
    if (!json) return NULL;
    if (!uc_mul_size((size_t)s->count, size, &total)) total = SIZE_MAX;
    const uc_bytes bytes = uc_reader_take(&p->in, total, "UBJSON: an array of numbers");
    if (!uc_reader_ok(&p->in)) return NULL;
    json->numbers = uc_tensor_new(p->arena, number_dtype(s->type), 1, dims);
    if (!json->numbers) return fail_memory(p);
    to_native(json->numbers->data, bytes.data, (size_t)s->count, size);
    json->count = (size_t)s->count;
    return json;
}

static bool add_item(parser *p, uc_json *json, size_t *capacity, uc_json *item)
{
    if (!item) return false;
    uc_json **items =
        uc_arena_grow(p->arena, json->items, capacity, json->count + 1, sizeof(void *));
    if (!items) return fail_memory(p);
    json->items = items;
    json->items[json->count++] = item;
    return true;
}

static uc_json *read_array(parser *p, int depth)
{
    uc_json *json = new_json(p, UC_JSON_ARRAY);
    shape s;
    uint8_t marker;
    if (!json || !read_shape(p, &s, &marker)) return NULL;
    if (number_size(s.type)) return read_numbers(p, &s);
    size_t capacity = 0;
    for (uint64_t i = 0; !s.counted || i < s.count; i++) {
        if (s.counted || i > 0) marker = s.type ? s.type : read_marker(p);
        if (!s.counted && marker == ']') break;
        if (!add_item(p, json, &capacity, read_value(p, marker, depth))) return NULL;
    }
    return json;
}

static uc_json *read_object(parser *p, int depth)
{
    uc_json *json = new_json(p, UC_JSON_OBJECT);
    shape s;
    uint8_t marker;
    if (!json || !read_shape(p, &s, &marker)) return NULL;
    size_t capacity = 0;
    size_t key_capacity = 0;
    for (uint64_t i = 0; !s.counted || i < s.count; i++) {
        if (s.counted || i > 0) marker = read_marker(p);
        if (!s.counted && marker == '}') break;
        uc_str key;
        if (!read_string(p, marker, &key)) return NULL;
        uc_str *keys =
            uc_arena_grow(p->arena, json->keys, &key_capacity, json->count + 1, sizeof *keys);
        if (!keys) return fail_memory(p);
        json->keys = keys;
        json->keys[json->count] = key;
        marker = s.type ? s.type : read_marker(p);
        if (!add_item(p, json, &capacity, read_value(p, marker, depth))) return NULL;
    }
    return json;
}

static uc_json *read_text(parser *p, uint8_t marker)
{
    uc_json *json = new_json(p, UC_JSON_STRING);
    if (!json) return NULL;
    if (marker == 'C') {
        const uc_bytes c = uc_reader_take(&p->in, 1, "UBJSON: a character");
        json->string = (uc_str){(const char *)c.data, c.size};
        return uc_reader_ok(&p->in) ? json : NULL;
    }
    return read_string(p, uc_reader_u8(&p->in, "UBJSON: a length"), &json->string) ? json : NULL;
}

static uc_json *read_value(parser *p, uint8_t marker, int depth)
{
    if (!uc_reader_ok(&p->in)) return NULL;
    if (number_size(marker)) return read_number(p, marker);
    switch (marker) {
    case 'Z': return new_json(p, UC_JSON_NULL);
    case 'T':
    case 'F': {
        uc_json *json = new_json(p, UC_JSON_BOOL);
        if (json) json->boolean = marker == 'T';
        return json;
    }
    case 'S':
    case 'C': return read_text(p, marker);
    case 'H': return read_long_number(p);
    case '[':
    case '{':
        if (depth >= UC_LIMIT_JSON_DEPTH) {
            (void)uc_fail(p->error, UNCORK_LIMIT, uc_reader_offset(&p->in),
                          "UBJSON is nested deeper than %d", UC_LIMIT_JSON_DEPTH);
            return NULL;
        }
        return marker == '[' ? read_array(p, depth + 1) : read_object(p, depth + 1);
    default: return fail_marker(p, "a value", marker);
    }
}

bool uc_ubjson_probe(uc_bytes b)
{
    /* JSON goes on with white space, '"' or '}' after '{'. */
    return b.size >= 2 && b.data[0] == '{' && strchr("iUIlL#$N", b.data[1]) && b.data[1] != 0;
}

uc_json *uc_ubjson_read(uc_bytes bytes, uint64_t base, uc_arena *arena, uncork_error *error)
{
    parser p = {uc_reader_over(bytes.data, bytes.size, base, error), arena, error};
    uc_json *json = read_value(&p, read_marker(&p), 0);
    if (!json) return NULL;
    while (uc_reader_left(&p.in) > 0) {
        const uint8_t marker = uc_reader_u8(&p.in, "UBJSON: a marker");
        if (marker != 'N') return fail_marker(&p, "nothing after the value", marker);
    }
    return json;
}
