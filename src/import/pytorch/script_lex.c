/* Python's tokens: indentation becomes INDENT and DEDENT, lines within brackets are joined. Source: the
 * Python language reference, chapter 2. */
#include "import/pytorch/script_syntax.h"

#include "base/text.h"

#define UC_PY_BRACKETS 200
#define UC_PY_INDENTS  100

typedef struct lexer {
    const char *text;
    size_t size, at;
    uint32_t line;
    const char *path;
    uc_arena *arena;
    uncork_error *error;
    uc_py_token *tokens;
    size_t count, capacity;
    int brackets;
    int indents[UC_PY_INDENTS];
    int indent_count;
    bool failed;
} lexer;

static void fail(lexer *l, const char *what)
{
    if (!l->failed)
        uc_fail(l->error, UNCORK_MALFORMED, UC_NO_OFFSET, "%s:%u: %s", l->path, l->line, what);
    l->failed = true;
}

static uc_py_token *put(lexer *l, uc_py_token_kind kind, const char *text, size_t size)
{
    uc_py_token *grown =
        uc_arena_grow(l->arena, l->tokens, &l->capacity, l->count + 1, sizeof *l->tokens);
    if (!grown) {
        fail(l, "memory is out");
        return NULL;
    }
    l->tokens = grown;
    grown[l->count] = (uc_py_token){.kind = kind, .line = l->line, .text = {text, size}};
    return &grown[l->count++];
}

static char at(const lexer *l, size_t ahead)
{
    return l->at + ahead < l->size ? l->text[l->at + ahead] : '\0';
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c) ||
           (unsigned char)c >= 0x80;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 99;
}

static void lex_radix(lexer *l, int radix)
{
    const size_t begin = l->at;
    uint64_t v = 0;
    bool fits = true;
    l->at += 2;
    for (; digit_of(at(l, 0)) < radix || at(l, 0) == '_'; l->at++) {
        if (at(l, 0) == '_') continue;
        fits = fits && v <= (UINT64_MAX >> 5);
        v = v * (uint64_t)radix + (uint64_t)digit_of(at(l, 0));
    }
    if (!fits || v > INT64_MAX) fail(l, "the integer is too large");
    uc_py_token *t = put(l, UC_PY_INTEGER, l->text + begin, l->at - begin);
    if (t) t->integer = (int64_t)v;
}

static void lex_number(lexer *l)
{
    if (at(l, 0) == '0' && (at(l, 1) == 'x' || at(l, 1) == 'X')) {
        lex_radix(l, 16);
        return;
    }
    if (at(l, 0) == '0' && (at(l, 1) == 'b' || at(l, 1) == 'B')) {
        lex_radix(l, 2);
        return;
    }
    if (at(l, 0) == '0' && (at(l, 1) == 'o' || at(l, 1) == 'O')) {
        lex_radix(l, 8);
        return;
    }
    char digits[128];
    size_t n = 0;
    const size_t begin = l->at;
    bool whole = true;
    for (;; l->at++) {
        const char c = at(l, 0);
        if (c == '_') continue;
        const bool exponent = c == 'e' || c == 'E';
        if (exponent &&
            (is_digit(at(l, 1)) || ((at(l, 1) == '-' || at(l, 1) == '+') && is_digit(at(l, 2))))) {
            if (n + 2 < sizeof digits) digits[n++] = 'e';
            whole = false;
            if (!is_digit(at(l, 1))) {
                l->at++;
                if (n + 1 < sizeof digits) digits[n++] = at(l, 0);
            }
            continue;
        }
        if (!is_digit(c) && c != '.') break;
        if (c == '.') whole = false;
        if (n + 1 < sizeof digits) digits[n++] = c;
    }
    uc_py_token *t = put(l, whole ? UC_PY_INTEGER : UC_PY_NUMBER, l->text + begin, l->at - begin);
    if (!t) return;
    const uc_str s = {digits, n};
    bool good = whole ? uc_text_i64(s, &t->integer) : uc_text_f64(s, &t->number);
    if (whole && !good && uc_text_f64(s, &t->number)) {
        good = true;
        t->kind = UC_PY_NUMBER; /* only compared or divided in practice */
    }
    if (!good) fail(l, "a number isn't one");
    if (at(l, 0) == 'j' || at(l, 0) == 'J') {
        if (t->kind == UC_PY_INTEGER) t->number = (double)t->integer;
        t->kind = UC_PY_IMAGINARY;
        l->at++;
    }
}

/* ---- strings --------------------------------------------------------------------------------- */

static size_t hex(lexer *l, size_t digits, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        const int d = digit_of(at(l, i));
        if (d > 15) {
            fail(l, "a string's escape is cut short");
            return i;
        }
        *out = *out * 16 + (uint32_t)d;
    }
    return digits;
}

/* The escape after a backslash, at l->at; writes what it stands for. */
static size_t lex_escape(lexer *l, char *out)
{
    static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
    const char c = at(l, 0);
    const char *known = c ? strchr(from, c) : NULL;
    l->at++;
    if (known) {
        out[0] = to[known - from];
        return 1;
    }
    if (c == '\n') {
        l->line++;
        return 0;
    }
    uint32_t v = 0;
    if (c == 'x' || c == 'u' || c == 'U') {
        l->at += hex(l, c == 'x' ? 2 : c == 'u' ? 4 : 8, &v);
        return v <= 0x10FFFF ? uc_utf8_put(v, out) : 0;
    }
    if (c >= '0' && c <= '7') {
        l->at--;
        for (int i = 0; i < 3 && at(l, 0) >= '0' && at(l, 0) <= '7'; i++, l->at++)
            v = v * 8 + (uint32_t)(at(l, 0) - '0');
        return uc_utf8_put(v & 0xFF, out);
    }
    out[0] = '\\';
    out[1] = c;
    return c ? 2 : 1;
}

/* Skips a replacement field of an f-string, quotes within it included. */
static void lex_string(lexer *l, bool raw, bool format)
{
    const char quote = at(l, 0);
    const bool triple = at(l, 1) == quote && at(l, 2) == quote;
    const uint32_t line = l->line;
    l->at += triple ? 3 : 1;
    /* What comes out is never longer than what goes in. */
    char *out = uc_arena_alloc_raw(l->arena, 16);
    size_t size = 0, capacity = 16;
    for (;;) {
        if (l->at >= l->size || (!triple && at(l, 0) == '\n')) {
            fail(l, "a string isn't closed");
            return;
        }
        if (at(l, 0) == quote && (!triple || (at(l, 1) == quote && at(l, 2) == quote))) break;
        out = uc_arena_grow(l->arena, out, &capacity, size + 8, 1);
        if (!out) {
            fail(l, "memory is out");
            return;
        }
        const char c = at(l, 0);
        if (c == '\n') l->line++;
        if (c == '\\' && !raw) {
            l->at++;
            size += lex_escape(l, out + size);
        } else if (c == '\\') {
            out[size++] = c;
            l->at++;
            if (l->at < l->size) out[size++] = l->text[l->at++];
        } else {
            out[size++] = c;
            l->at++;
        }
    }
    l->at += triple ? 3 : 1;
    uc_py_token *t = put(l, format ? UC_PY_TEMPLATE : UC_PY_STRING, out, size);
    if (t) t->line = line;
}

/* A string with its prefix at l->at; false when there is none. */
static bool try_string(lexer *l)
{
    size_t n = 0;
    bool raw = false, format = false;
    while (n < 3 && at(l, n) && strchr("rRbBfFuU", at(l, n))) {
        raw = raw || at(l, n) == 'r' || at(l, n) == 'R';
        format = format || at(l, n) == 'f' || at(l, n) == 'F';
        n++;
    }
    if (at(l, n) != '"' && at(l, n) != '\'') return false;
    l->at += n;
    lex_string(l, raw, format);
    return true;
}

/* ---- marks and lines ------------------------------------------------------------------------- */

static void lex_mark(lexer *l)
{
    static const char *const marks[] = {"**=", "//=", "<<=", ">>=", "...", "**", "//", "<<",
                                        ">>",  "<=",  ">=",  "==",  "!=",  "->", "+=", "-=",
                                        "*=",  "/=",  "%=",  "&=",  "|=",  "^=", "@=", ":="};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const size_t n = strlen(marks[i]);
        if (l->size - l->at >= n && memcmp(l->text + l->at, marks[i], n) == 0) {
            put(l, UC_PY_MARK, l->text + l->at, n);
            l->at += n;
            return;
        }
    }
    const char c = at(l, 0);
    if (!c || !strchr("+-*/%@&|^~<>()[]{},:.;=", c)) {
        fail(l, "a character that starts nothing");
        return;
    }
    if (strchr("([{", c) && ++l->brackets > UC_PY_BRACKETS) fail(l, "brackets nest too deep");
    if (strchr(")]}", c) && l->brackets > 0) l->brackets--;
    put(l, UC_PY_MARK, l->text + l->at, 1);
    l->at++;
}

static bool skip_blank(lexer *l)
{
    for (;;) {
        const char c = at(l, 0);
        if (l->at >= l->size) return false;
        if (c == '#') {
            while (l->at < l->size && at(l, 0) != '\n')
                l->at++;
        } else if (c == '\\' && (at(l, 1) == '\n' || (at(l, 1) == '\r' && at(l, 2) == '\n'))) {
            l->at += at(l, 1) == '\r' ? 3 : 2;
            l->line++;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' ||
                   (c == '\n' && l->brackets > 0)) {
            if (c == '\n') l->line++;
            l->at++;
        } else {
            return true;
        }
    }
}

/* At the beginning of a line: its indentation as tokens. Blank lines have none. */
static void begin_line(lexer *l)
{
    int column = 0;
    for (;;) {
        const char c = at(l, 0);
        if (l->at >= l->size) return;
        if (c == ' ') {
            column++;
        } else if (c == '\t') {
            column = column / 8 * 8 + 8;
        } else if (c == '\f' || c == '\r') {
            /* counts for nothing */
        } else if (c == '\n') {
            column = 0;
            l->line++;
        } else if (c == '#') {
            while (l->at < l->size && at(l, 0) != '\n')
                l->at++;
            continue;
        } else {
            break;
        }
        l->at++;
    }
    if (column > l->indents[l->indent_count - 1]) {
        if (l->indent_count >= UC_PY_INDENTS) {
            fail(l, "blocks nest too deep");
            return;
        }
        l->indents[l->indent_count++] = column;
        put(l, UC_PY_INDENT, "", 0);
    }
    while (column < l->indents[l->indent_count - 1]) {
        l->indent_count--;
        put(l, UC_PY_DEDENT, "", 0);
        if (column > l->indents[l->indent_count - 1]) {
            fail(l, "a line's indentation matches no block");
            return;
        }
    }
}

static void lex_one(lexer *l)
{
    const char c = at(l, 0);
    if (c == '\n') {
        put(l, UC_PY_NEWLINE, "", 0);
        l->at++;
        l->line++;
        begin_line(l);
    } else if (try_string(l)) {
        /* it is put by then */
    } else if (is_digit(c) || (c == '.' && is_digit(at(l, 1)))) {
        lex_number(l);
    } else if (is_word(c)) {
        const size_t begin = l->at;
        while (is_word(at(l, 0)))
            l->at++;
        put(l, UC_PY_WORD, l->text + begin, l->at - begin);
    } else {
        lex_mark(l);
    }
}

uc_py_token *uc_py_lex(uc_bytes text, const char *path, uc_arena *arena, size_t *count,
                       uncork_error *error)
{
    lexer l = {.text = (const char *)text.data,
               .size = text.size,
               .line = 1,
               .path = path,
               .arena = arena,
               .error = error,
               .indent_count = 1};
    if (text.size >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0) l.at = 3;
    begin_line(&l);
    while (!l.failed && skip_blank(&l))
        lex_one(&l);
    put(&l, UC_PY_NEWLINE, "", 0);
    while (l.indent_count > 1) {
        l.indent_count--;
        put(&l, UC_PY_DEDENT, "", 0);
    }
    put(&l, UC_PY_END, "", 0);
    *count = l.count;
    return l.failed ? NULL : l.tokens;
}
