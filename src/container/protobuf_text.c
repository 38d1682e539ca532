/* Fields one after the other: name, then a value, a list or a message. */
#include "container/protobuf_text.h"

#include "base/text.h"
#include "base/writer.h"
#include "container/protobuf.h"

#include <math.h>

typedef struct parser {
    const char *at, *begin, *end;
    uc_writer out;
    uncork_error *error;
    bool failed;
} parser;

static bool fail(parser *p, const char *what)
{
    p->failed = true;
    uc_fail(p->error, UNCORK_MALFORMED, (uint64_t)(p->at - p->begin), "%s", what);
    return false;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static void skip_space(parser *p)
{
    while (p->at < p->end) {
        if (*p->at == '#') {
            while (p->at < p->end && *p->at != '\n') {
                p->at++;
            }
        } else if (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r') {
            p->at++;
        } else {
            return;
        }
    }
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '+' || c == '-';
}

static uc_str word(parser *p)
{
    skip_space(p);
    const char *from = p->at;
    while (p->at < p->end && is_word(*p->at)) {
        p->at++;
    }
    return (uc_str){from, (size_t)(p->at - from)};
}

/* Whether the next character is `c`, which is then taken. */
static bool take(parser *p, char c)
{
    skip_space(p);
    if (p->at == p->end || *p->at != c) return false;
    p->at++;
    return true;
}

static char peek(parser *p)
{
    skip_space(p);
    return p->at < p->end ? *p->at : '\0';
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 99;
}

/* Digits of a base, at most `most`. */
static unsigned digits(parser *p, int base, int most)
{
    unsigned v = 0;
    while (most-- > 0 && p->at < p->end && digit_of(*p->at) < base) {
        v = v * (unsigned)base + (unsigned)digit_of(*p->at++);
    }
    return v;
}

static bool escape(parser *p)
{
    static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
    char utf8[4];
    if (p->at == p->end) return fail(p, "a string ends in a backslash");
    const char c = *p->at;
    const char *plain = c ? strchr(from, c) : NULL;
    if (c >= '0' && c <= '7') {
        uc_writer_u8(&p->out, (uint8_t)digits(p, 8, 3));
        return true;
    }
    p->at++;
    if (c == 'x' || c == 'X') {
        uc_writer_u8(&p->out, (uint8_t)digits(p, 16, 2));
    } else if (c == 'u' || c == 'U') {
        uc_writer_put(&p->out, utf8, uc_utf8_put(digits(p, 16, c == 'u' ? 4 : 8), utf8));
    } else {
        uc_writer_u8(&p->out, (uint8_t)(plain ? to[plain - from] : c));
    }
    return true;
}

/* Strings that follow each other are one; its bytes go out. */
static bool string(parser *p)
{
    char quote = peek(p);
    if (quote != '"' && quote != '\'') return fail(p, "a string is expected here");
    while (quote == '"' || quote == '\'') {
        p->at++;
        for (;;) {
            const char *from = p->at;
            while (p->at < p->end && *p->at != quote && *p->at != '\\') {
                p->at++;
            }
            uc_writer_put(&p->out, from, (size_t)(p->at - from));
            if (p->at == p->end) return fail(p, "a string has no end");
            if (*p->at++ == quote) break;
            if (!escape(p)) return false;
        }
        quote = peek(p);
    }
    return true;
}

/* ---- the wire form --------------------------------------------------------------------------- */

static void put_varint(uc_writer *w, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) {
        uc_writer_u8(w, (uint8_t)(v | 0x80));
    }
    uc_writer_u8(w, (uint8_t)v);
}

/* A length is known only when what it counts is written: five bytes are kept for it. */
static size_t open_length(parser *p, uint32_t number)
{
    put_varint(&p->out, (uint64_t)number << 3 | UC_PB_BYTES);
    (void)uc_writer_room(&p->out, 5);
    return p->out.size;
}

static void close_length(parser *p, size_t from)
{
    if (p->out.status) return;
    size_t n = p->out.size - from;
    for (size_t i = 0; i < 5; i++, n >>= 7) {
        p->out.data[from - 5 + i] = (uint8_t)((n & 0x7f) | (i < 4 ? 0x80 : 0));
    }
}

static bool integer_of(uc_str s, uint64_t *v)
{
    const bool negative = s.size && s.data[0] == '-';
    const size_t first = negative || (s.size && s.data[0] == '+');
    uint64_t n = 0;
    int base = 10;
    size_t i = first;
    if (s.size - first > 2 && s.data[first] == '0' && (s.data[first + 1] | 32) == 'x') {
        base = 16;
        i += 2;
    } else if (s.size - first > 1 && s.data[first] == '0') {
        base = 8;
    }
    if (i == s.size) return false;
    for (; i < s.size; i++) {
        if (digit_of(s.data[i]) >= base || n > (UINT64_MAX - 15) / 16) return false;
        n = n * (uint64_t)base + (uint64_t)digit_of(s.data[i]);
    }
    *v = negative ? 0 - n : n;
    return true;
}

static bool number_of(uc_str s, double *v)
{
    const bool negative = s.size && s.data[0] == '-';
    const uc_str rest = {s.data + negative, s.size - negative};
    if (uc_str_is(rest, "nan")) {
        *v = (double)NAN;
        return true;
    }
    if (uc_str_is(rest, "inf") || uc_str_is(rest, "infinity")) {
        *v = negative ? (double)-INFINITY : (double)INFINITY;
        return true;
    }
    if (s.size > 1 && (s.data[s.size - 1] | 32) == 'f' &&
        uc_text_f64((uc_str){s.data, s.size - 1}, v))
        return true;
    return uc_text_f64(s, v);
}

static bool put_number(parser *p, const uc_pbt_field *f, uc_str s)
{
    uint64_t v = 0;
    double d = 0;
    if (f->kind == UC_PBT_FLOAT || f->kind == UC_PBT_DOUBLE) {
        if (!number_of(s, &d)) return fail(p, "a number is expected here");
        const float narrow = (float)d;
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        memcpy(&v, &d, sizeof v);
        put_varint(&p->out, (uint64_t)f->number << 3 |
                                (f->kind == UC_PBT_FLOAT ? UC_PB_FIXED32 : UC_PB_FIXED64));
        if (f->kind == UC_PBT_FLOAT)
            uc_writer_u32le(&p->out, bits);
        else
            uc_writer_u64le(&p->out, v);
        return true;
    }
    bool known = integer_of(s, &v);
    for (const uc_pbt_name *n = f->names; n && n->name && !known; n++) {
        if (!uc_str_is(s, n->name)) continue;
        v = (uint64_t)n->value;
        known = true;
    }
    if (!known && f->kind == UC_PBT_INT) {
        known =
            uc_str_is(s, "true") || uc_str_is(s, "false") || uc_str_is(s, "t") || uc_str_is(s, "f");
        v = s.size && s.data[0] == 't';
    }
    if (!known) return fail(p, "a number or a known word is expected here");
    if (f->kind == UC_PBT_FIXED32) {
        put_varint(&p->out, (uint64_t)f->number << 3 | UC_PB_FIXED32);
        uc_writer_u32le(&p->out, (uint32_t)v);
        return true;
    }
    put_varint(&p->out, (uint64_t)f->number << 3 | UC_PB_VARINT);
    put_varint(&p->out, v);
    return true;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static bool fields(parser *p, const uc_pbt_field *message, char close, int depth);

static bool message_in(parser *p, const uc_pbt_field *f, int depth)
{
    if (depth >= UC_PB_DEPTH) return fail(p, "messages nest too deep");
    const char open = *p->at++;
    const size_t from = open_length(p, f->number);
    if (!fields(p, f->message, open == '{' ? '}' : '>', depth + 1)) return false;
    close_length(p, from);
    return true;
}

static bool value(parser *p, const uc_pbt_field *f, int depth)
{
    const char c = peek(p);
    if (f->kind == UC_PBT_MESSAGE)
        return c == '{' || c == '<' ? message_in(p, f, depth)
                                    : fail(p, "a message is expected here");
    if (f->kind != UC_PBT_BYTES) return put_number(p, f, word(p));
    const size_t from = open_length(p, f->number);
    if (!string(p)) return false;
    close_length(p, from);
    return true;
}

/* What a field without a row holds goes nowhere: a string, a word, lists and messages of such. */
static bool pass_over(parser *p)
{
    int open = 0;
    do {
        const char c = peek(p);
        const size_t before = p->out.size;
        if (c == '"' || c == '\'') {
            if (!string(p)) return false;
            p->out.size = before;
        } else if (c == '{' || c == '<' || c == '[') {
            p->at++;
            open++;
        } else if (c == '}' || c == '>' || c == ']') {
            if (!open) return fail(p, "a value is expected here");
            p->at++;
            open--;
        } else if (c == ':' || c == ',' || c == ';' || c == '/') {
            p->at++;
        } else if (word(p).size == 0) {
            return fail(p, "a value is expected here");
        }
        if (p->out.status) return false;
    } while (open);
    return true;
}

static bool one_field(parser *p, const uc_pbt_field *message, int depth)
{
    const uc_pbt_field *f = message;
    if (peek(p) == '[') { /* an extension */
        if (!pass_over(p)) return false;
        (void)take(p, ':');
        return pass_over(p);
    }
    const uc_str name = word(p);
    if (!name.size) return fail(p, "a field's name is expected here");
    while (f && f->name && !uc_str_is(name, f->name)) {
        f++;
    }
    (void)take(p, ':');
    if (!f || !f->name) return pass_over(p);
    if (peek(p) != '[') return value(p, f, depth);
    p->at++;
    if (take(p, ']')) return true;
    do {
        if (!value(p, f, depth)) return false;
    } while (take(p, ','));
    return take(p, ']') || fail(p, "a list has no end");
}

static bool fields(parser *p, const uc_pbt_field *message, char close, int depth)
{
    for (;;) {
        const char c = peek(p);
        if (c == close && (close || p->at == p->end)) {
            p->at += close != '\0';
            return true;
        }
        if (p->at == p->end) return fail(p, "a message has no end");
        if (!one_field(p, message, depth) || p->out.status) return false;
        if (!take(p, ',')) (void)take(p, ';');
    }
}

uncork_status uc_pb_text_read(uc_bytes text, const uc_pbt_field *message, uc_arena *arena,
                              uc_bytes *wire, uncork_error *error)
{
    const char *begin = (const char *)text.data;
    parser p = {.at = begin, .begin = begin, .end = begin + text.size, .error = error};
    *wire = (uc_bytes){NULL, 0};
    if (text.size > SIZE_MAX / 8) return uc_fail(error, UNCORK_LIMIT, 0, "the text is too long");
    uc_writer_init(&p.out, text.size * 4 + 64); /* "a{}" becomes seven bytes */
    const bool ok = fields(&p, message, '\0', 0);
    const uncork_status full = p.out.status;
    uint8_t *copy = ok && !full ? uc_arena_alloc_raw(arena, p.out.size) : NULL;
    if (copy && p.out.size) memcpy(copy, p.out.data, p.out.size);
    if (copy) *wire = (uc_bytes){copy, p.out.size};
    uc_writer_done(&p.out);
    if (copy) return UNCORK_OK;
    if (full) return uc_fail(error, full, UC_NO_OFFSET, "the text takes too much memory");
    UC_TRY(uc_arena_status(arena, error));
    return uc_fail(error, UNCORK_MALFORMED, 0, "the text is broken");
}

uc_str uc_pb_text_first(uc_bytes text)
{
    const char *begin = (const char *)text.data;
    parser p = {.at = begin, .begin = begin, .end = begin + text.size};
    const uc_str name = word(&p);
    const char c = peek(&p);
    return c == ':' || c == '{' || c == '<' ? name : (uc_str){"", 0};
}
