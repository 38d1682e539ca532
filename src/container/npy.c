/* .npy: a magic, a Python dictionary as text, the bytes of the array. */
#include "container/npy.h"

#include "base/reader.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

static const char magic_text[] = "\x93NUMPY";
enum { MAGIC_SIZE = 6 };

/* ---- types -------------------------------------------------------------------------------- */

bool uc_npy_type_read(uc_str text, uc_npy_type *type)
{
    static const struct {
        char kind;
        uint8_t size;
        uint8_t dtype;
    } known[] = {{'b', 1, UNCORK_BOOL},      {'i', 1, UNCORK_INT8},       {'i', 2, UNCORK_INT16},
                 {'i', 4, UNCORK_INT32},     {'i', 8, UNCORK_INT64},      {'u', 1, UNCORK_UINT8},
                 {'u', 2, UNCORK_UINT16},    {'u', 4, UNCORK_UINT32},     {'u', 8, UNCORK_UINT64},
                 {'f', 2, UNCORK_FLOAT16},   {'f', 4, UNCORK_FLOAT32},    {'f', 8, UNCORK_FLOAT64},
                 {'c', 8, UNCORK_COMPLEX64}, {'c', 16, UNCORK_COMPLEX128}};
    if (text.size < 2 || !text.data[0] || !strchr("<>|=", text.data[0])) return false;
    const char kind = text.data[1];
    const uc_str digits = {text.data + 2, text.size - 2};
    int64_t number = 0;
    *type = (uc_npy_type){.kind = kind, .swapped = text.data[0] == '>'};
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') return false;
    }
    if (kind == 'O') return true; /* "|O", "|O8" of old versions */
    if (!uc_text_i64(digits, &number) || number > INT32_MAX) return false;
    if (kind == 'S' || kind == 'U') {
        type->dtype = UNCORK_STRING;
        type->item_size = kind == 'U' ? (size_t)number * 4 : (size_t)number;
        return true;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].kind == kind && known[i].size == number) {
            type->dtype = (uncork_dtype)known[i].dtype;
            type->item_size = (size_t)number;
            return true;
        }
    }
    return false;
}

/* ---- the header --------------------------------------------------------------------------- */

/* A cursor over the header's text. */
typedef struct literal {
    const char *at, *end;
} literal;

static void skip_space(literal *l)
{
    while (l->at < l->end && (*l->at == ' ' || *l->at == '\n' || *l->at == '\t')) {
        l->at++;
    }
}

static bool take_char(literal *l, char c)
{
    skip_space(l);
    if (l->at == l->end || *l->at != c) return false;
    l->at++;
    return true;
}

/* A quoted string without escapes. */
static bool take_string(literal *l, uc_str *string)
{
    skip_space(l);
    if (l->at == l->end || (*l->at != '\'' && *l->at != '"')) return false;
    const char quote = *l->at++;
    const char *close = memchr(l->at, quote, (size_t)(l->end - l->at));
    if (!close) return false;
    *string = (uc_str){l->at, (size_t)(close - l->at)};
    l->at = close + 1;
    return true;
}

static bool take_word(literal *l, const char *word)
{
    const size_t n = strlen(word);
    skip_space(l);
    if ((size_t)(l->end - l->at) < n || memcmp(l->at, word, n) != 0) return false;
    l->at += n;
    return true;
}

static bool take_dimension(literal *l, int64_t *value)
{
    skip_space(l);
    const char *begin = l->at;
    while (l->at < l->end && *l->at >= '0' && *l->at <= '9') {
        l->at++;
    }
    if (!uc_text_i64((uc_str){begin, (size_t)(l->at - begin)}, value)) return false;
    if (l->at < l->end && *l->at == 'L') l->at++; /* Python 2's long */
    return true;
}

/* "(2, 3)"; a rank beyond ours is counted and refused by the caller. */
static bool take_shape(literal *l, uc_npy *npy)
{
    npy->rank = 0;
    if (!take_char(l, '(')) return false;
    while (!take_char(l, ')')) {
        int64_t dimension;
        if (!take_dimension(l, &dimension)) return false;
        if (npy->rank < UNCORK_MAX_RANK) npy->shape[npy->rank] = dimension;
        npy->rank++;
        if (!take_char(l, ',') && (l->at == l->end || *l->at != ')')) return false;
    }
    return true;
}

/* The dictionary: these three keys and no other, in any order. *type: the descr's own text. */
static bool take_header(literal *l, uc_npy *npy, uc_str *type)
{
    enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
    int seen = 0;
    if (!take_char(l, '{')) return false;
    while (!take_char(l, '}')) {
        uc_str key;
        int bit;
        bool ok;
        if (!take_string(l, &key) || !take_char(l, ':')) return false;
        if (uc_str_is(key, "descr")) {
            bit = DESCR;
            skip_space(l);
            if (l->at < l->end && (*l->at == '[' || *l->at == '(')) {
                *type = (uc_str){l->at, (size_t)(l->end - l->at)}; /* structured: not read on */
                return true;
            }
            ok = take_string(l, type);
        } else if (uc_str_is(key, "fortran_order")) {
            bit = ORDER;
            npy->fortran = take_word(l, "True");
            ok = npy->fortran || take_word(l, "False");
        } else {
            bit = SHAPE;
            ok = uc_str_is(key, "shape") && take_shape(l, npy);
        }
        if (!ok || (seen & bit)) return false;
        seen |= bit;
        skip_space(l);
        if (!take_char(l, ',') && (l->at == l->end || *l->at != '}')) return false;
    }
    skip_space(l);
    return l->at == l->end && seen == (DESCR | ORDER | SHAPE);
}

static uncork_status read_header(uc_reader *in, uc_npy *npy)
{
    const uc_bytes magic = uc_reader_take(in, MAGIC_SIZE + 2, "npy magic");
    if (!magic.data) return in->error ? in->error->status : UNCORK_MALFORMED;
    if (memcmp(magic.data, magic_text, MAGIC_SIZE) != 0) return uc_reader_fail(in, "no npy file");
    const int version = magic.data[MAGIC_SIZE];
    if (version < 1 || version > 3 || magic.data[MAGIC_SIZE + 1] != 0) {
        return uc_fail(in->error, UNCORK_UNSUPPORTED, uc_reader_offset(in) - 2,
                       "npy format %d.%d; 1.0 to 3.0 are read", version,
                       magic.data[MAGIC_SIZE + 1]);
    }
    const uint32_t size = version == 1 ? uc_reader_u16le(in, "npy header length")
                                       : uc_reader_u32le(in, "npy header length");
    const uint64_t at = uc_reader_offset(in);
    const uc_bytes header = uc_reader_take(in, size, "npy header");
    if (!uc_reader_ok(in)) return in->error ? in->error->status : UNCORK_MALFORMED;
    uc_str type = {NULL, 0};
    literal l = {(const char *)header.data, (const char *)header.data + header.size};
    if (!take_header(&l, npy, &type)) {
        return uc_fail(in->error, UNCORK_MALFORMED,
                       at + (uint64_t)(l.at - (const char *)header.data),
                       "npy header isn't a dictionary of descr, fortran_order and shape");
    }
    if (!uc_npy_type_read(type, &npy->type)) {
        return uc_fail(
            in->error, UNCORK_UNSUPPORTED, at,
            "npy element type %.*s; bool, integers, floats to 64 bits, complex, S and U are read",
            (int)(type.size < 60 ? type.size : 60), type.data);
    }
    if (npy->rank > UNCORK_MAX_RANK) {
        return uc_fail(in->error, UNCORK_UNSUPPORTED, at, "npy array of %d dimensions, at most %d",
                       npy->rank, UNCORK_MAX_RANK);
    }
    return UNCORK_OK;
}

/* ---- the elements ------------------------------------------------------------------------- */

/* Fortran order to C order, elements as bytes. */
static void gather(uint8_t *to, const uint8_t *from, const uc_npy *npy, size_t count)
{
    const size_t size = npy->type.item_size;
    const int last = npy->rank - 1;
    int64_t index[UNCORK_MAX_RANK] = {0};
    size_t stride[UNCORK_MAX_RANK]; /* of the file, in bytes */
    size_t step = size;
    for (int i = 0; i <= last; i++) {
        stride[i] = step;
        step *= (size_t)npy->shape[i];
    }
    size_t at = 0;
    for (size_t done = 0; done < count; done += (size_t)npy->shape[last]) {
        for (int64_t j = 0; j < npy->shape[last]; j++, to += size) {
            memcpy(to, from + at + (size_t)j * stride[last], size);
        }
        for (int i = last - 1; i >= 0; i--) {
            at += stride[i];
            if (++index[i] < npy->shape[i]) break;
            at -= stride[i] * (size_t)npy->shape[i];
            index[i] = 0;
        }
    }
}

static void swap_bytes(uint8_t *data, size_t bytes, size_t part)
{
    for (size_t i = 0; i + part <= bytes; i += part) {
        for (size_t j = 0; j < part / 2; j++) {
            const uint8_t kept = data[i + j];
            data[i + j] = data[i + part - 1 - j];
            data[i + part - 1 - j] = kept;
        }
    }
}

/* The bytes of one number: a complex one is two. */
static size_t part_size(const uc_npy_type *type)
{
    const size_t size = type->kind == 'c' ? type->item_size / 2 : type->item_size;
    return size ? size : 1;
}

static bool has_odd_bool(const uc_npy_type *type, const uint8_t *data, size_t bytes)
{
    if (type->dtype != UNCORK_BOOL) return false;
    uint8_t all = 0;
    for (size_t i = 0; i < bytes; i++) {
        all |= data[i];
    }
    return all > 1;
}

/* Elements of C order and the file's byte order: a view, or a copy when something must change. */
static void *make_numbers(uc_arena *arena, const uc_npy_type *type, const uint8_t *raw,
                          size_t bytes, bool is_copy)
{
    const size_t part = part_size(type);
    const bool swap = type->swapped && part > 1;
    const bool odd = has_odd_bool(type, raw, bytes);
    union {
        const uint8_t *from;
        uint8_t *to;
    } data = {.from = raw}; /* a tensor's data isn't const; those of a file are never written */
    if (!is_copy && (swap || odd || (uintptr_t)raw % part != 0)) {
        data.to = uc_arena_alloc_raw(arena, bytes);
        if (!data.to) return NULL;
        if (bytes) memcpy(data.to, raw, bytes);
    }
    if (swap) swap_bytes(data.to, bytes, part);
    for (size_t i = 0; i < bytes && odd; i++) {
        data.to[i] = data.to[i] != 0;
    }
    return data.to;
}

/* Characters of an element up to its trailing zeros. */
static size_t used_length(const uc_npy_type *type, const uint8_t *item)
{
    const size_t unit = type->kind == 'U' ? 4 : 1;
    size_t n = type->item_size / unit;
    while (n > 0) {
        const uint8_t *c = item + (n - 1) * unit;
        if (unit == 1 ? c[0] : (c[0] | c[1] | c[2] | c[3])) break;
        n--;
    }
    return n;
}

static uint32_t load_character(const uc_npy_type *type, const uint8_t *p)
{
    return type->swapped ? uc_load_u32be(p) : uc_load_u32le(p);
}

/* Bytes of an element as UTF-8 (U) or as it is (S), into `out` unless NULL; SIZE_MAX when a character
 * is none. */
static size_t put_string(const uc_npy_type *type, const uint8_t *item, char *out)
{
    const size_t n = used_length(type, item);
    if (type->kind == 'S') {
        if (out && n) memcpy(out, item, n);
        return n;
    }
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        char text[4];
        const uint32_t c = load_character(type, item + i * 4);
        if (c > 0x10FFFF) return SIZE_MAX;
        const size_t length = uc_utf8_put(c, text);
        if (out) memcpy(out + size, text, length);
        size += length;
    }
    return size;
}

static uncork_status make_strings(uc_arena *arena, const uc_npy_type *type, const uint8_t *raw,
                                  size_t count, uint64_t base, uc_strings *strings,
                                  uncork_error *error)
{
    uint64_t *offsets = UC_NEW(arena, uint64_t, count + 1);
    if (!offsets) return uc_arena_status(arena, error);
    for (size_t i = 0; i < count; i++) {
        const size_t size = put_string(type, raw + i * type->item_size, NULL);
        if (size == SIZE_MAX) {
            return uc_fail(error, UNCORK_MALFORMED, base + i * type->item_size,
                           "npy string %zu holds a character beyond U+10FFFF", i);
        }
        offsets[i + 1] = offsets[i] + size;
    }
    char *bytes = uc_arena_alloc_raw(arena, (size_t)offsets[count] + 1);
    if (!bytes) return uc_arena_status(arena, error);
    for (size_t i = 0; i < count; i++) {
        (void)put_string(type, raw + i * type->item_size, bytes + offsets[i]);
    }
    *strings = (uc_strings){offsets, bytes, type->kind == 'S'};
    return UNCORK_OK;
}

static uncork_status make_tensor(uc_arena *arena, uc_npy *npy, const uint8_t *raw, size_t count,
                                 uint64_t base, uncork_error *error)
{
    const size_t bytes = count * npy->type.item_size;
    const bool reorder = npy->fortran && npy->rank > 1 && count > 1;
    uc_tensor *t = UC_NEW(arena, uc_tensor, 1);
    if (!t) return uc_arena_status(arena, error);
    if (reorder) {
        uint8_t *copy = uc_arena_alloc_raw(arena, bytes);
        if (!copy) return uc_arena_status(arena, error);
        gather(copy, raw, npy, count);
        raw = copy;
    }
    uc_tensor_set(t, npy->type.dtype, npy->rank, npy->shape);
    if (npy->type.dtype == UNCORK_STRING) {
        UC_TRY(make_strings(arena, &npy->type, raw, count, base, &t->strings, error));
    } else {
        t->data = make_numbers(arena, &npy->type, raw, bytes, reorder);
        if (!t->data) return uc_arena_status(arena, error);
    }
    npy->tensor = t;
    return UNCORK_OK;
}

bool uc_npy_probe(uc_bytes b)
{
    return b.size >= 10 && memcmp(b.data, magic_text, MAGIC_SIZE) == 0;
}

uncork_status uc_npy_read(uc_bytes bytes, uint64_t base, uc_arena *arena, uc_npy *npy,
                          uncork_error *error)
{
    *npy = (uc_npy){0};
    uc_reader in = uc_reader_over(bytes.data, bytes.size, base, error);
    UC_TRY(read_header(&in, npy));
    size_t count;
    size_t size;
    if (!uc_shape_count(npy->shape, npy->rank, &count) ||
        !uc_mul_size(count, npy->type.item_size, &size)) {
        return uc_reader_fail(&in, "npy shape is too large");
    }
    if (npy->type.kind == 'O') {
        npy->pickle = (uc_bytes){in.at, uc_reader_left(&in)};
        npy->size = bytes.size;
        return UNCORK_OK;
    }
    const uint64_t at = uc_reader_offset(&in);
    /* U0 and S0 take no bytes: their number is bounded by the file all the same. */
    if (npy->type.item_size == 0 && count > bytes.size) {
        return uc_reader_fail(&in, "npy array of %zu empty strings in a file of %zu bytes", count,
                              bytes.size);
    }
    const uc_bytes raw = uc_reader_take(&in, size, "npy array");
    if (!uc_reader_ok(&in)) {
        return uc_fix(error, "the file was cut short: get it again");
    }
    npy->size = bytes.size - uc_reader_left(&in);
    return make_tensor(arena, npy, raw.data, count, at, error);
}

/* ---- writing ------------------------------------------------------------------------------ */

/* The type NumPy has for it. */
static uncork_dtype widened(uncork_dtype dtype)
{
    switch (dtype) {
    case UNCORK_BFLOAT16:
    case UNCORK_FLOAT8E4M3FN:
    case UNCORK_FLOAT8E4M3FNUZ:
    case UNCORK_FLOAT8E5M2:
    case UNCORK_FLOAT8E5M2FNUZ:
    case UNCORK_FLOAT8E8M0:
    case UNCORK_FLOAT4E2M1:
    case UNCORK_FLOAT6E2M3:
    case UNCORK_FLOAT6E3M2: return UNCORK_FLOAT32;
    case UNCORK_UINT4:
    case UNCORK_UINT2: return UNCORK_UINT8;
    case UNCORK_INT4:
    case UNCORK_INT2: return UNCORK_INT8;
    case UNCORK_DTYPE_NONE:
    case UNCORK_FLOAT32:
    case UNCORK_UINT8:
    case UNCORK_INT8:
    case UNCORK_UINT16:
    case UNCORK_INT16:
    case UNCORK_INT32:
    case UNCORK_INT64:
    case UNCORK_STRING:
    case UNCORK_BOOL:
    case UNCORK_FLOAT16:
    case UNCORK_FLOAT64:
    case UNCORK_UINT32:
    case UNCORK_UINT64:
    case UNCORK_COMPLEX64:
    case UNCORK_COMPLEX128: break;
    }
    return dtype;
}

static char kind_of(uncork_dtype dtype)
{
    if (dtype == UNCORK_BOOL) return 'b';
    if (dtype == UNCORK_COMPLEX64 || dtype == UNCORK_COMPLEX128) return 'c';
    if (uc_dtype_is_float(dtype)) return 'f';
    return uc_dtype_is_signed(dtype) ? 'i' : 'u';
}

/* Characters (U) or bytes (S) of the longest string, at least 1 as in NumPy. */
static size_t longest(const uc_tensor *t, int64_t count)
{
    size_t most = 1;
    for (int64_t i = 0; i < count; i++) {
        const uc_str s = uc_tensor_string(t, i);
        size_t n = s.size;
        if (!t->strings.is_bytes) {
            n = 0;
            for (size_t at = 0; at < s.size; n++) {
                (void)uc_utf8_next(s, &at);
            }
        }
        if (n > most) most = n;
    }
    return most;
}

/* The header as NumPy 2 pads it: room for the first dimension to grow to 21 digits, then to 64. */
static void put_header(uc_writer *out, const uc_tensor *t, const char *descr)
{
    enum { GROWTH_DIGITS = 21, PREAMBLE = 10, ALIGN = 64 };
    char text[UNCORK_MAX_RANK * 22 + 160];
    size_t n = (size_t)snprintf(text, sizeof text,
                                "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < t->rank; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%" PRId64, i ? ", " : "", t->shape[i]);
    }
    n += (size_t)snprintf(text + n, sizeof text - n, "%s), }", t->rank == 1 ? "," : "");
    if (t->rank > 0) {
        char digits[24];
        const int used = snprintf(digits, sizeof digits, "%" PRId64, t->shape[0]);
        n += (size_t)snprintf(text + n, sizeof text - n, "%*s", GROWTH_DIGITS - used, "");
    }
    const size_t pad = ALIGN - (PREAMBLE + n + 1) % ALIGN;
    uc_writer_put(out, magic_text, MAGIC_SIZE);
    uc_writer_u8(out, 1);
    uc_writer_u8(out, 0);
    uc_writer_u16le(out, (uint16_t)(n + pad + 1));
    uc_writer_put(out, text, n);
    uc_writer_printf(out, "%*s\n", (int)pad, "");
}

/* Strings padded with zeros to the longest. */
static void put_strings(uc_writer *out, const uc_tensor *t, int64_t count, size_t most)
{
    const size_t width = t->strings.is_bytes ? most : most * 4;
    for (int64_t i = 0; i < count; i++) {
        const uc_str s = uc_tensor_string(t, i);
        uint8_t *room = uc_writer_room(out, width);
        if (!room) return;
        memset(room, 0, width);
        if (t->strings.is_bytes) {
            if (s.size) memcpy(room, s.data, s.size);
            continue;
        }
        for (size_t at = 0; at < s.size; room += 4) {
            const uint32_t c = uc_utf8_next(s, &at);
            room[0] = (uint8_t)c;
            room[1] = (uint8_t)(c >> 8);
            room[2] = (uint8_t)(c >> 16);
        }
    }
}

void uc_npy_write(uc_writer *out, const uc_tensor *t)
{
    char descr[32];
    const int64_t count = uc_tensor_count(t);
    if (t->dtype == UNCORK_STRING) {
        const size_t most = longest(t, count);
        (void)snprintf(descr, sizeof descr, t->strings.is_bytes ? "|S%zu" : "<U%zu", most);
        put_header(out, t, descr);
        put_strings(out, t, count, most);
        return;
    }
    const uncork_dtype dtype = widened(t->dtype);
    const size_t size = uc_dtype_size(dtype);
    (void)snprintf(descr, sizeof descr, "%c%c%zu", size == 1 ? '|' : '<', kind_of(dtype), size);
    put_header(out, t, descr);
    if (dtype == t->dtype) {
        uc_writer_put(out, t->data, (size_t)count * size);
        return;
    }
    /* NumPy pads its header to 64 bytes, but `out` may begin anywhere: converted through a buffer that
     * is aligned for every type. */
    enum { AT_ONCE = 512 };
    union {
        float f32[AT_ONCE];
        uint8_t bytes[AT_ONCE];
    } part;
    const size_t bits = (size_t)uc_dtype_bits(t->dtype);
    for (int64_t done = 0; done < count; done += AT_ONCE) {
        const int64_t n = count - done < AT_ONCE ? count - done : AT_ONCE;
        const uint8_t *from = (const uint8_t *)t->data + (size_t)done * bits / 8;
        if (!uc_dtype_convert(&part, dtype, from, t->dtype, n)) return;
        uc_writer_put(out, &part, (size_t)n * size);
    }
}

void uc_npz_put(uc_zip_writer *zip, const char *name, const uc_tensor *t)
{
    uc_writer array;
    uc_writer file;
    uc_writer_init(&array, zip->out->ceiling);
    uc_writer_init(&file, 1 << 16);
    uc_npy_write(&array, t);
    uc_writer_printf(&file, "%s.npy", name);
    uncork_status status = array.status ? array.status : file.status;
    if (status == UNCORK_OK) {
        uc_zip_put(zip, uc_writer_string(&file), (uc_bytes){array.data, array.size});
    } else if (zip->out->status == UNCORK_OK) {
        zip->out->status = status;
    }
    uc_writer_done(&array);
    uc_writer_done(&file);
}
