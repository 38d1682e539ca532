/* JSON, RFC 8259 plus what Python and xgboost write: bare NaN, Infinity and -Infinity. An array of
 * numbers alone is told by a scan and kept flat: nearly all of a tree model is that. */
#include "base/json.h"

#include "base/limits.h"
#include "base/text.h"

#include <math.h>

/* ---- reading ------------------------------------------------------------------------------ */

typedef struct parser {
    const char *begin, *at, *end;
    uint64_t base;
    uc_arena *arena;
    uncork_error *error;
} parser;

static uc_json *read_value(parser *p, int depth);

/* What stands at the position, for messages: one printable character or a word for it. */
static const char *found(const parser *p, char text[8])
{
    if (p->at >= p->end) return "the end";
    const unsigned char c = (unsigned char)*p->at;
    if (c < 0x20 || c >= 0x7F) return "an unprintable byte";
    text[0] = text[2] = '\'';
    text[1] = (char)c;
    text[3] = '\0';
    return text;
}

/* "expected ..., found 'x' (line 3, column 7)". */
static uc_json *fail(parser *p, const char *expected)
{
    size_t line = 1;
    const char *start = p->begin;
    for (const char *c = p->begin; c < p->at; c++) {
        if (*c == '\n') {
            line++;
            start = c + 1;
        }
    }
    char text[8];
    (void)uc_fail(p->error, UNCORK_MALFORMED, p->base + (uint64_t)(p->at - p->begin),
                  "JSON: expected %s, found %s (line %zu, column %zu)", expected, found(p, text),
                  line, (size_t)(p->at - start) + 1);
    return NULL;
}

static uc_json *fail_memory(parser *p)
{
    (void)uc_arena_status(p->arena, p->error);
    return NULL;
}

static void skip_space(parser *p)
{
    while (p->at < p->end &&
           (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t')) {
        p->at++;
    }
}

static uc_json *new_json(parser *p, uc_json_kind kind, const char *start)
{
    uc_json *json = UC_NEW(p->arena, uc_json, 1);
    if (!json) return fail_memory(p);
    json->kind = kind;
    json->offset = p->base + (uint64_t)(start - p->begin);
    return json;
}

static bool take_word(parser *p, const char *word)
{
    const size_t n = strlen(word);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0) return false;
    p->at += n;
    return true;
}

/* The next character, a zero at the end. */
static char peek(const parser *p)
{
    if (p->at >= p->end) return '\0';
    return *p->at;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A number while it is read: the digits so far as an integer (which wraps beyond 19 digits). */
typedef struct digits {
    const char *at;
    uint64_t value;
    int64_t count;
} digits;

static void take_digits(const parser *p, digits *d)
{
    const char *c = d->at;
    uint64_t value = d->value;
    for (; c < p->end && is_digit(*c); c++) {
        value = value * 10 + (uint64_t)(*c - '0');
    }
    d->count += c - d->at;
    d->value = value;
    d->at = c;
}

static bool fail_number(parser *p, const char *at, const char *expected)
{
    p->at = at;
    return fail(p, expected);
}

/* Bare NaN and infinities, behind the sign. */
static bool read_special(parser *p, const char *at, bool minus, double *number)
{
    p->at = at;
    *number = minus ? -HUGE_VAL : HUGE_VAL;
    if (take_word(p, "Infinity")) return true;
    *number = (double)NAN;
    if (!minus && take_word(p, "NaN")) return true;
    return fail(p, "a number");
}

/* One number of RFC 8259 or a bare NaN or infinity: an int64 where it fits and was written without
 * point and exponent (*is_int), always a double too. */
static bool read_number(parser *p, bool *is_int, int64_t *integer, double *number)
{
    const char *start = p->at;
    digits d = {.at = start};
    digits e = {0};
    const bool minus = start < p->end && *start == '-';
    *is_int = false;
    *integer = 0;
    d.at += minus;
    const char *first = d.at;
    if (first < p->end && (*first == 'I' || *first == 'N')) {
        return read_special(p, first, minus, number);
    }
    take_digits(p, &d);
    if (d.count == 0) return fail_number(p, first, "a digit");
    if (*first == '0' && d.count > 1)
        return fail_number(p, first + 1, "no digit after a leading 0");
    const char *whole_end = d.at;
    if (d.at < p->end && *d.at == '.') {
        d.at++;
        take_digits(p, &d);
        if (d.at == whole_end + 1) return fail_number(p, d.at, "a digit");
    }
    int64_t exponent = d.at == whole_end ? 0 : -(d.at - whole_end - 1);
    e.at = d.at;
    if (e.at < p->end && (*e.at == 'e' || *e.at == 'E')) {
        e.at++;
        const bool down = e.at < p->end && *e.at == '-';
        e.at += e.at < p->end && (*e.at == '-' || *e.at == '+');
        take_digits(p, &e);
        if (e.count == 0) return fail_number(p, e.at, "a digit");
        if (e.count < 10) exponent += down ? -(int64_t)e.value : (int64_t)e.value;
    }
    p->at = e.at;
    const uc_str text = {start, (size_t)(e.at - start)};
    if (e.at == whole_end && uc_text_i64(text, integer)) {
        *is_int = true;
        *number = (double)*integer;
        return true;
    }
    if (d.count <= 19 && e.count < 10 && uc_decimal_f64(d.value, exponent, number)) {
        if (minus) *number = -*number;
        return true;
    }
    return uc_text_f64(text, number);
}

static uc_json *read_number_value(parser *p)
{
    uc_json *json = new_json(p, UC_JSON_FLOAT, p->at);
    bool is_int;
    if (!json || !read_number(p, &is_int, &json->integer, &json->number)) return NULL;
    if (is_int) json->kind = UC_JSON_INT;
    return json;
}

static int hex_digit(char c)
{
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The four digits of \uXXXX. */
static bool read_hex(parser *p, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        const int digit = p->at < p->end ? hex_digit(*p->at) : -1;
        if (digit < 0) return fail(p, "four hexadecimal digits");
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return true;
}

/* One escape, behind its backslash. A pair of surrogates is one character; a lone one stays, as in
 * Python. */
static bool read_escape(parser *p, char **out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char c = peek(p);
    if (c != 'u') {
        const char *known = c ? strchr(from, c) : NULL;
        if (!known) return fail(p, "an escape: one of \" \\ / b f n r t u");
        *(*out)++ = to[known - from];
        p->at++;
        return true;
    }
    p->at++;
    uint32_t unit;
    if (!read_hex(p, &unit)) return false;
    const bool high = unit >= 0xD800 && unit < 0xDC00;
    if (high && p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u') {
        const char *before = p->at;
        uint32_t low;
        p->at += 2;
        if (!read_hex(p, &low)) return false;
        if (low >= 0xDC00 && low < 0xE000) {
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        } else {
            p->at = before;
        }
    }
    *out += uc_utf8_put(unit, *out);
    return true;
}

/* A string, from its opening quote on: a view when it has no escape, else a copy. Bytes that aren't
 * UTF-8 are kept: xgboost writes feature names as it got them. */
static bool read_string(parser *p, uc_str *string)
{
    const char *start = ++p->at;
    while (p->at < p->end && *p->at != '"' && *p->at != '\\' && (unsigned char)*p->at >= 0x20) {
        p->at++;
    }
    if (p->at < p->end && *p->at == '"') {
        *string = (uc_str){start, (size_t)(p->at++ - start)};
        return true;
    }
    const char *close = p->at;
    while (close < p->end && *close != '"') {
        close += *close == '\\' && p->end - close > 1 ? 2 : 1;
    }
    /* An escape is never shorter than what it stands for. */
    char *copy = uc_arena_alloc_raw(p->arena, (size_t)(close - start) + 1);
    if (!copy) return fail_memory(p);
    char *out = copy;
    memcpy(out, start, (size_t)(p->at - start));
    out += p->at - start;
    while (p->at < p->end && *p->at != '"') {
        if ((unsigned char)*p->at < 0x20) return fail(p, "no control character in a string");
        if (*p->at != '\\') {
            *out++ = *p->at++;
            continue;
        }
        p->at++;
        if (!read_escape(p, &out)) return false;
    }
    if (p->at >= p->end) return fail(p, "'\"' at the end of a string");
    p->at++;
    *string = (uc_str){copy, (size_t)(out - copy)};
    return true;
}

/* Whether the array behind p->at holds numbers alone; then their number. The scan stops at the first
 * byte no such array has, so nested arrays are never scanned twice. */
static bool is_flat(const parser *p, size_t *count)
{
    enum { OTHER, NUMBER, COMMA };
    static const uint8_t class_of[256] = {
        ['0'] = NUMBER, ['1'] = NUMBER,  ['2'] = NUMBER,  ['3'] = NUMBER, ['4'] = NUMBER,
        ['5'] = NUMBER, ['6'] = NUMBER,  ['7'] = NUMBER,  ['8'] = NUMBER, ['9'] = NUMBER,
        ['+'] = NUMBER, ['-'] = NUMBER,  ['.'] = NUMBER,  ['e'] = NUMBER, ['E'] = NUMBER,
        ['N'] = NUMBER, ['a'] = NUMBER,  ['I'] = NUMBER,  ['n'] = NUMBER, ['f'] = NUMBER,
        ['i'] = NUMBER, ['t'] = NUMBER,  ['y'] = NUMBER,  [' '] = NUMBER, ['\n'] = NUMBER,
        [','] = COMMA,  ['\r'] = NUMBER, ['\t'] = NUMBER,
    };
    size_t commas = 0;
    const char *c = p->at;
    while (c < p->end && class_of[(unsigned char)*c] != OTHER) {
        commas += class_of[(unsigned char)*c++] == COMMA;
    }
    *count = commas + 1;
    return c < p->end && *c == ']';
}

/* Skips a comma or the closing bracket. */
static bool take_separator(parser *p, char close, bool *ended)
{
    skip_space(p);
    const char c = peek(p);
    *ended = c == close;
    if (c != ',' && c != close) return fail(p, close == ']' ? "',' or ']'" : "',' or '}'");
    p->at++;
    return true;
}

/* All in one array of int64 until the first float, from then on in one of doubles. */
static uc_json *read_numbers(parser *p, const char *start, size_t count)
{
    const int64_t shape[1] = {(int64_t)count};
    uc_json *json = new_json(p, UC_JSON_NUMBERS, start);
    uc_tensor *t = json ? uc_tensor_new(p->arena, UNCORK_INT64, 1, shape) : NULL;
    if (!t) return fail_memory(p);
    int64_t *integers = t->data;
    double *doubles = t->data; /* as large, and each slot is written once more at most */
    bool floats = false;
    bool ended = false;
    for (size_t i = 0; !ended; i++) {
        bool is_int;
        int64_t integer;
        double number = 0;
        skip_space(p);
        if (i == count) return fail(p, "fewer numbers"); /* can't be: is_flat counted commas */
        if (!read_number(p, &is_int, &integer, &number)) return NULL;
        if (!is_int && !floats) {
            for (size_t k = 0; k < i; k++) {
                doubles[k] = (double)integers[k];
            }
            floats = true;
        }
        if (floats) {
            doubles[i] = number;
        } else {
            integers[i] = integer;
        }
        if (!take_separator(p, ']', &ended)) return NULL;
    }
    if (floats) t->dtype = UNCORK_FLOAT64;
    json->numbers = t;
    json->count = count;
    return json;
}

static bool add_item(parser *p, uc_json *json, size_t *capacity, uc_json *item)
{
    uc_json **items =
        uc_arena_grow(p->arena, json->items, capacity, json->count + 1, sizeof(void *));
    if (!items) return fail_memory(p);
    json->items = items;
    json->items[json->count++] = item;
    return true;
}

static uc_json *read_array(parser *p, int depth)
{
    const char *start = p->at++;
    skip_space(p);
    size_t count;
    const bool empty = p->at < p->end && *p->at == ']';
    if (!empty && is_flat(p, &count)) return read_numbers(p, start, count);
    uc_json *json = new_json(p, UC_JSON_ARRAY, start);
    if (!json) return NULL;
    if (empty) p->at++;
    size_t capacity = 0;
    for (bool ended = empty; !ended;) {
        uc_json *item = read_value(p, depth);
        if (!item || !add_item(p, json, &capacity, item) || !take_separator(p, ']', &ended)) {
            return NULL;
        }
    }
    return json;
}

static bool read_member(parser *p, uc_json *json, size_t *key_capacity, size_t *capacity, int depth)
{
    skip_space(p);
    if (p->at >= p->end || *p->at != '"') return fail(p, "'\"' at the start of a key");
    uc_str key;
    if (!read_string(p, &key)) return false;
    skip_space(p);
    if (p->at >= p->end || *p->at != ':') return fail(p, "':' after a key");
    p->at++;
    uc_json *item = read_value(p, depth);
    if (!item) return false;
    uc_str *keys = uc_arena_grow(p->arena, json->keys, key_capacity, json->count + 1, sizeof *keys);
    if (!keys) return fail_memory(p);
    json->keys = keys;
    json->keys[json->count] = key;
    return add_item(p, json, capacity, item);
}

static uc_json *read_object(parser *p, int depth)
{
    uc_json *json = new_json(p, UC_JSON_OBJECT, p->at++);
    if (!json) return NULL;
    skip_space(p);
    bool ended = p->at < p->end && *p->at == '}';
    if (ended) p->at++;
    size_t key_capacity = 0;
    size_t capacity = 0;
    while (!ended) {
        if (!read_member(p, json, &key_capacity, &capacity, depth)) return NULL;
        if (!take_separator(p, '}', &ended)) return NULL;
    }
    return json;
}

static uc_json *read_string_value(parser *p)
{
    uc_json *json = new_json(p, UC_JSON_STRING, p->at);
    return json && read_string(p, &json->string) ? json : NULL;
}

static uc_json *read_word(parser *p)
{
    uc_json *json = new_json(p, UC_JSON_NULL, p->at);
    if (!json || take_word(p, "null")) return json;
    json->kind = UC_JSON_BOOL;
    json->boolean = take_word(p, "true");
    if (json->boolean || take_word(p, "false")) return json;
    return fail(p, "a value");
}

static uc_json *read_value(parser *p, int depth)
{
    skip_space(p);
    const char c = peek(p);
    if (c == '"') return read_string_value(p);
    if (c == '-' || is_digit(c) || c == 'I' || c == 'N') return read_number_value(p);
    if (c != '[' && c != '{') return read_word(p);
    if (depth >= UC_LIMIT_JSON_DEPTH) {
        (void)uc_fail(p->error, UNCORK_LIMIT, p->base + (uint64_t)(p->at - p->begin),
                      "JSON is nested deeper than %d", UC_LIMIT_JSON_DEPTH);
        return NULL;
    }
    return c == '[' ? read_array(p, depth + 1) : read_object(p, depth + 1);
}

uc_json *uc_json_read(uc_bytes bytes, uint64_t base, uc_arena *arena, uncork_error *error)
{
    const char *begin = bytes.size ? (const char *)bytes.data : "";
    parser p = {begin, begin, begin + bytes.size, base, arena, error};
    (void)(bytes.size >= 3 && take_word(&p, "\xEF\xBB\xBF")); /* a byte order mark, by editors */
    uc_json *json = read_value(&p, 0);
    if (!json) return NULL;
    skip_space(&p);
    return p.at == p.end ? json : fail(&p, "nothing after the value");
}

/* ---- looking ------------------------------------------------------------------------------ */

static const uc_json *find(const uc_json *json, uc_str key)
{
    if (!json || json->kind != UC_JSON_OBJECT) return NULL;
    for (size_t i = json->count; i-- > 0;) {
        if (uc_str_equal(json->keys[i], key)) return json->items[i];
    }
    return NULL;
}

const uc_json *uc_json_get(const uc_json *json, const char *key)
{
    return find(json, uc_str_of(key));
}

const uc_json *uc_json_path(const uc_json *json, const char *path)
{
    while (json && path) {
        const char *dot = strchr(path, '.');
        const uc_str key = {path, dot ? (size_t)(dot - path) : strlen(path)};
        json = find(json, key);
        path = dot ? dot + 1 : NULL;
    }
    return json;
}

const uc_json *uc_json_at(const uc_json *json, size_t i)
{
    if (!json || (json->kind != UC_JSON_ARRAY && json->kind != UC_JSON_OBJECT)) return NULL;
    return i < json->count ? json->items[i] : NULL;
}

size_t uc_json_count(const uc_json *json)
{
    if (!json || (json->kind != UC_JSON_ARRAY && json->kind != UC_JSON_NUMBERS)) return 0;
    return json->count;
}

static bool to_f64(const uc_json *json, double *value)
{
    if (!json) return false;
    if (json->kind == UC_JSON_STRING) return uc_text_f64(json->string, value);
    *value = json->number;
    return json->kind == UC_JSON_INT || json->kind == UC_JSON_FLOAT;
}

/* The integer a double is exactly. */
static bool exact_i64(double number, int64_t *value)
{
    if (!(number >= -0x1p63 && number < 0x1p63) || number != floor(number)) return false;
    *value = (int64_t)number;
    return true;
}

static bool to_i64(const uc_json *json, int64_t *value)
{
    double number;
    if (json && json->kind == UC_JSON_STRING && uc_text_i64(json->string, value)) return true;
    if (json && json->kind == UC_JSON_INT) {
        *value = json->integer;
        return true;
    }
    return to_f64(json, &number) && exact_i64(number, value);
}

double uc_json_f64(const uc_json *json, double otherwise)
{
    double value;
    return to_f64(json, &value) ? value : otherwise;
}

int64_t uc_json_i64(const uc_json *json, int64_t otherwise)
{
    int64_t value;
    return to_i64(json, &value) ? value : otherwise;
}

uc_str uc_json_str(const uc_json *json, const char *otherwise)
{
    return json && json->kind == UC_JSON_STRING ? json->string : uc_str_of(otherwise);
}

bool uc_json_bool(const uc_json *json, bool otherwise)
{
    if (!json) return otherwise;
    if (json->kind == UC_JSON_BOOL) return json->boolean;
    if (json->kind == UC_JSON_INT) return json->integer != 0;
    if (json->kind != UC_JSON_STRING) return otherwise;
    if (uc_str_is(json->string, "1") || uc_str_is(json->string, "true")) return true;
    if (uc_str_is(json->string, "0") || uc_str_is(json->string, "false")) return false;
    return otherwise;
}

static bool is_array(const uc_json *json)
{
    return json && (json->kind == UC_JSON_ARRAY || json->kind == UC_JSON_NUMBERS);
}

double *uc_json_f64s(const uc_json *json, uc_arena *arena, size_t *count)
{
    *count = 0;
    double *values = is_array(json) ? UC_NEW(arena, double, json->count) : NULL;
    if (!values) return NULL;
    for (size_t i = 0; i < json->count; i++) {
        if (json->kind == UC_JSON_NUMBERS) {
            values[i] = uc_dtype_load_f64(json->numbers->data, (int64_t)i, json->numbers->dtype);
        } else if (!to_f64(json->items[i], &values[i])) {
            return NULL;
        }
    }
    *count = json->count;
    return values;
}

int64_t *uc_json_i64s(const uc_json *json, uc_arena *arena, size_t *count)
{
    *count = 0;
    int64_t *values = is_array(json) ? UC_NEW(arena, int64_t, json->count) : NULL;
    if (!values) return NULL;
    for (size_t i = 0; i < json->count; i++) {
        if (json->kind == UC_JSON_ARRAY) {
            if (!to_i64(json->items[i], &values[i])) return NULL;
        } else if (uc_dtype_is_float(json->numbers->dtype)) {
            const double v =
                uc_dtype_load_f64(json->numbers->data, (int64_t)i, json->numbers->dtype);
            if (!exact_i64(v, &values[i])) return NULL;
        } else {
            values[i] = uc_dtype_load_i64(json->numbers->data, (int64_t)i, json->numbers->dtype);
        }
    }
    *count = json->count;
    return values;
}
