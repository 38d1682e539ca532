/* Opcodes that push numbers, texts and bytes. Texts and bytes are views of the input where they
 * stand there as they are. */
#include <inttypes.h>

#include "base/limits.h"
#include "base/text.h"
#include "container/pickle_machine.h"

uncork_status uc_pickle_line(uc_pickle_machine *m, uc_str *line)
{
    const size_t left = uc_pickle_left(m);
    const uint8_t *newline = left ? memchr(m->at, '\n', left) : NULL;
    if (!newline) {
        return uc_pickle_cut(m, (uint64_t)left + 1);
    }
    line->data = (const char *)m->at;
    line->size = (size_t)(newline - m->at);
    m->at = newline + 1;
    return UNCORK_OK;
}

/* ---- integers ------------------------------------------------------------------------------- */

uc_pickle *uc_pickle_int(uc_pickle_machine *m, int64_t value)
{
    const bool is_small = value >= 0 && value < 256;
    if (is_small && m->small[value]) {
        return m->small[value];
    }
    uc_pickle *node = uc_pickle_node(m, UC_PICKLE_INT);
    if (node) {
        node->integer = value;
        node->number = (double)value;
        if (is_small) {
            m->small[value] = node;
        }
    }
    return node;
}

uncork_status uc_pickle_integer(uc_pickle_machine *m, const uint8_t *bytes, size_t size,
                                uc_pickle **out)
{
    /* Drop bytes that only repeat the sign. */
    while (size > 1 && (bytes[size - 1] == (bytes[size - 2] & 0x80 ? 0xFF : 0))) {
        size--;
    }
    if (size > 8) {
        *out = uc_pickle_node(m, UC_PICKLE_LONG);
        if (*out) {
            (*out)->text = (uc_str){(const char *)bytes, size};
        }
        return *out ? UNCORK_OK : uc_pickle_out_of_memory(m);
    }
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    if (size && size < 8 && (bytes[size - 1] & 0x80)) {
        value |= UINT64_MAX << (8 * size);
    }
    *out = uc_pickle_int(m, (int64_t)value);
    return *out ? UNCORK_OK : uc_pickle_out_of_memory(m);
}

uncork_status uc_pickle_op_int(uc_pickle_machine *m, int width)
{
    const uint8_t *p;
    UC_TRY(uc_pickle_take(m, (uint64_t)width, &p));
    const int64_t value = width == 1   ? p[0]
                          : width == 2 ? uc_load_u16le(p)
                                       : (int64_t)(int32_t)uc_load_u32le(p);
    return uc_pickle_push(m, uc_pickle_int(m, value));
}

uncork_status uc_pickle_op_long(uc_pickle_machine *m, int width)
{
    const uint8_t *p;
    UC_TRY(uc_pickle_take(m, (uint64_t)width, &p));
    const int64_t size = width == 1 ? p[0] : (int64_t)(int32_t)uc_load_u32le(p);
    if (size < 0) {
        return UC_PICKLE_FAIL(m, "%s of %" PRId64 " bytes", m->op_name, size);
    }
    UC_TRY(uc_pickle_take(m, (uint64_t)size, &p));
    uc_pickle *node = NULL;
    UC_TRY(uc_pickle_integer(m, p, (size_t)size, &node));
    return uc_pickle_push(m, node);
}

/* Decimal digits beyond int64 -> little-endian two's complement, nine digits at a time. */
static uncork_status big_decimal(uc_pickle_machine *m, uc_str digits, bool negative,
                                 uc_pickle **out)
{
    uint32_t limbs[UC_LIMIT_PICKLE_DIGITS / 9 + 2] = {0};
    size_t count = 0;
    for (size_t i = 0; i < digits.size;) {
        uint32_t chunk = 0, scale = 1;
        do {
            chunk = chunk * 10 + (uint32_t)(digits.data[i++] - '0');
            scale *= 10;
        } while (i < digits.size && scale < 1000000000);
        uint64_t carry = chunk;
        for (size_t j = 0; j < count; j++) {
            carry += (uint64_t)limbs[j] * scale;
            limbs[j] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry) {
            limbs[count++] = (uint32_t)carry;
        }
    }
    count++; /* room for the sign */
    uint8_t *bytes = UC_NEW(m->arena, uint8_t, 4 * count);
    if (!bytes) {
        return uc_pickle_out_of_memory(m);
    }
    uint64_t carry = negative;
    for (size_t j = 0; j < count; j++) {
        carry += negative ? ~limbs[j] : limbs[j];
        for (size_t k = 0; k < 4; k++) {
            bytes[4 * j + k] = (uint8_t)(carry >> (8 * k));
        }
        carry >>= 32;
    }
    return uc_pickle_integer(m, bytes, 4 * count, out);
}

uncork_status uc_pickle_op_int_line(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_str line;
    UC_TRY(uc_pickle_line(m, &line));
    line = uc_text_trim(line);
    if (m->op_name[0] == 'I' && (uc_str_is(line, "00") || uc_str_is(line, "01"))) {
        return uc_pickle_ops[line.data[1] == '1' ? 0x88 : 0x89].run(m, line.data[1] == '1');
    }
    if (line.size && line.data[line.size - 1] == 'L') {
        line.size--;
    }
    int64_t value;
    if (uc_text_i64(line, &value)) {
        return uc_pickle_push(m, uc_pickle_int(m, value));
    }
    const bool is_signed = line.size && (line.data[0] == '-' || line.data[0] == '+');
    uc_str digits = {line.data + is_signed, line.size - is_signed};
    bool good = digits.size > 0;
    for (size_t i = 0; good && i < digits.size; i++) {
        good = digits.data[i] >= '0' && digits.data[i] <= '9';
    }
    if (!good) {
        return UC_PICKLE_FAIL(m, "%s is no number: '%.*s'", m->op_name,
                              (int)(line.size < 40 ? line.size : 40), line.data);
    }
    if (digits.size > UC_LIMIT_PICKLE_DIGITS) {
        return uc_fail(m->error, UNCORK_LIMIT, m->op_offset, "%s of %zu digits, %d are allowed",
                       m->op_name, digits.size, UC_LIMIT_PICKLE_DIGITS);
    }
    uc_pickle *node = NULL;
    UC_TRY(big_decimal(m, digits, line.data[0] == '-', &node));
    return uc_pickle_push(m, node);
}

/* ---- floats --------------------------------------------------------------------------------- */

static uncork_status push_float(uc_pickle_machine *m, double value)
{
    uc_pickle *node = uc_pickle_node(m, UC_PICKLE_FLOAT);
    if (node) {
        node->number = value;
    }
    return uc_pickle_push(m, node);
}

uncork_status uc_pickle_op_float(uc_pickle_machine *m, int arg)
{
    (void)arg;
    const uint8_t *p;
    UC_TRY(uc_pickle_take(m, 8, &p));
    const uint64_t bits = uc_load_u64be(p);
    double value;
    memcpy(&value, &bits, sizeof value);
    return push_float(m, value);
}

uncork_status uc_pickle_op_float_line(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_str line;
    double value;
    UC_TRY(uc_pickle_line(m, &line));
    if (!uc_text_f64(uc_text_trim(line), &value)) {
        return UC_PICKLE_FAIL(m, "FLOAT is no number: '%.*s'",
                              (int)(line.size < 40 ? line.size : 40), line.data);
    }
    return push_float(m, value);
}

/* ---- texts and bytes ------------------------------------------------------------------------ */

static uncork_status push_str(uc_pickle_machine *m, uc_pickle_kind kind, uc_str text)
{
    uc_pickle *node = uc_pickle_node(m, kind);
    if (node) {
        node->text = text;
    }
    return uc_pickle_push(m, node);
}

/* A length of `width` bytes and that many bytes. */
static uncork_status take_sized(uc_pickle_machine *m, int width, uc_str *out)
{
    const uint8_t *p;
    UC_TRY(uc_pickle_take(m, (uint64_t)width, &p));
    const uint64_t size = width == 1 ? p[0] : width == 4 ? uc_load_u32le(p) : uc_load_u64le(p);
    UC_TRY(uc_pickle_take(m, size, &p));
    *out = (uc_str){(const char *)p, (size_t)size};
    return UNCORK_OK;
}

uncork_status uc_pickle_op_text(uc_pickle_machine *m, int width)
{
    uc_str text;
    UC_TRY(take_sized(m, width, &text));
    if (!uc_utf8_valid(text, true)) { /* Python's surrogatepass */
        return UC_PICKLE_FAIL(m, "%s of %zu bytes isn't UTF-8", m->op_name, text.size);
    }
    return push_str(m, UC_PICKLE_TEXT, text);
}

uncork_status uc_pickle_op_bytes(uc_pickle_machine *m, int width)
{
    uc_str bytes;
    UC_TRY(take_sized(m, width, &bytes));
    return push_str(m, UC_PICKLE_BYTES, bytes);
}

/* Python 2's str. */
uncork_status uc_pickle_op_string(uc_pickle_machine *m, int width)
{
    if (width == 4 && uc_pickle_left(m) >= 4 && (uc_load_u32le(m->at) >> 31)) {
        return UC_PICKLE_FAIL(m, "BINSTRING of %" PRId32 " bytes", (int32_t)uc_load_u32le(m->at));
    }
    m->python2 = true;
    return uc_pickle_op_bytes(m, width);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One escape of a Python 2 string literal after its backslash; false when it is broken.
 * Source: CPython Objects/stringobject.c, PyString_DecodeEscape. */
static bool unescape(uc_str s, size_t *at, char *out, size_t *size)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    const char c = s.data[(*at)++];
    const char *known = memchr(from, c, sizeof from - 1);
    if (known) {
        out[(*size)++] = to[known - from];
        return true;
    }
    if (c >= '0' && c <= '7') {
        int value = c - '0';
        for (int i = 0; i < 2 && *at < s.size && s.data[*at] >= '0' && s.data[*at] <= '7'; i++) {
            value = value * 8 + (s.data[(*at)++] - '0');
        }
        out[(*size)++] = (char)value;
        return true;
    }
    if (c == 'x') {
        const int high = *at < s.size ? hex_digit(s.data[*at]) : -1;
        const int low = *at + 1 < s.size ? hex_digit(s.data[*at + 1]) : -1;
        if (high < 0 || low < 0) {
            return false;
        }
        *at += 2;
        out[(*size)++] = (char)(high * 16 + low);
        return true;
    }
    out[(*size)++] = '\\'; /* an unknown escape stays as it is */
    out[(*size)++] = c;
    return true;
}

uncork_status uc_pickle_op_string_line(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_str line;
    UC_TRY(uc_pickle_line(m, &line));
    line = uc_text_trim(line);
    if (line.size < 2 || (line.data[0] != '\'' && line.data[0] != '"') ||
        line.data[line.size - 1] != line.data[0]) {
        return UC_PICKLE_FAIL(m, "STRING without quotes");
    }
    uc_str s = {line.data + 1, line.size - 2};
    m->python2 = true;
    if (!memchr(s.data, '\\', s.size)) {
        return push_str(m, UC_PICKLE_BYTES, s);
    }
    char *out = (char *)uc_arena_alloc_raw(m->arena, s.size);
    if (!out) {
        return uc_pickle_out_of_memory(m);
    }
    size_t size = 0;
    for (size_t at = 0; at < s.size;) {
        const char c = s.data[at++];
        if (c != '\\') {
            out[size++] = c;
        } else if (at == s.size || !unescape(s, &at, out, &size)) {
            return UC_PICKLE_FAIL(m, "STRING has a broken escape at its byte %zu", at);
        }
    }
    return push_str(m, UC_PICKLE_BYTES, (uc_str){out, size});
}

/* The character of \uXXXX or \UXXXXXXXX whose digits begin at `at`; false when it is broken. */
static bool hex_character(uc_str s, size_t at, size_t digits, uint32_t *character)
{
    if (s.size - at < digits) {
        return false;
    }
    *character = 0;
    for (size_t i = 0; i < digits; i++) {
        const int digit = hex_digit(s.data[at + i]);
        if (digit < 0) {
            return false;
        }
        *character = *character << 4 | (uint32_t)digit;
    }
    return *character <= 0x10FFFF;
}

/* raw-unicode-escape: Latin-1 but for \u and \U; a backslash takes the character after it along.
 * Source: CPython Objects/unicodeobject.c, PyUnicode_DecodeRawUnicodeEscape. */
uncork_status uc_pickle_op_text_line(uc_pickle_machine *m, int arg)
{
    (void)arg;
    uc_str s;
    UC_TRY(uc_pickle_line(m, &s));
    char *out = (char *)uc_arena_alloc_raw(m->arena, 2 * s.size);
    if (!out) {
        return uc_pickle_out_of_memory(m);
    }
    size_t size = 0;
    for (size_t at = 0; at < s.size;) {
        const char c = s.data[at++];
        const char next = c == '\\' && at < s.size ? s.data[at] : '\0';
        if (next == 'u' || next == 'U') {
            const size_t digits = next == 'u' ? 4 : 8;
            uint32_t character;
            if (!hex_character(s, at + 1, digits, &character)) {
                return UC_PICKLE_FAIL(m, "UNICODE has a broken escape at its byte %zu", at - 1);
            }
            at += 1 + digits;
            size += uc_utf8_put(character, out + size);
            continue;
        }
        size += uc_utf8_put((uint8_t)c, out + size);
        if (next) {
            size += uc_utf8_put((uint8_t)next, out + size);
            at++;
        }
    }
    return push_str(m, UC_PICKLE_TEXT, (uc_str){out, size});
}
