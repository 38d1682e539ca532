/* CSV as RFC 4180 and spreadsheets write it: quotes, "" inside them, CRLF or LF, a byte order mark;
 * separated by commas, or by semicolons or tabs when the first line has no comma, or by the spaces
 * that numpy.savetxt puts between numbers. UTF-8 only: a name in another encoding would silently be
 * another category. */
#include "cli/rows.h"

#include "base/text.h"

typedef struct csv {
    uc_bytes in;
    size_t at;
    char separator;
    uc_arena *arena;
    cli_cell *cells;
    size_t count, capacity;
} csv;

static bool at_end(const csv *c) { return c->at >= c->in.size; }

static bool ends_cell(const csv *c)
{
    return at_end(c) || c->in.data[c->at] == c->separator || c->in.data[c->at] == '\n' ||
           c->in.data[c->at] == '\r';
}

/* A quoted cell; `at` is on the quote. */
static uncork_status quoted(csv *c, uc_str *text, uncork_error *error)
{
    size_t begin = ++c->at, n = 0;
    char *to = uc_arena_copy(c->arena, "", 0);
    for (; !at_end(c); c->at++) { /* first the length, then the copy */
        if (c->in.data[c->at] != '"') {
            n++;
        } else if (c->at + 1 < c->in.size && c->in.data[c->at + 1] == '"') {
            n++;
            c->at++;
        } else {
            break;
        }
    }
    if (at_end(c)) return uc_fail(error, UNCORK_INPUT, begin - 1, "a quote is never closed");
    to = uc_arena_alloc(c->arena, n + 1, 1);
    if (!to) return uc_fail_memory(error);
    size_t k = 0;
    for (size_t i = begin; i < c->at; i++) {
        to[k++] = (char)c->in.data[i];
        if (c->in.data[i] == '"') i++;
    }
    c->at++;
    if (!ends_cell(c)) return uc_fail(error, UNCORK_INPUT, c->at, "text follows a closing quote");
    *text = (uc_str){to, n};
    return UNCORK_OK;
}

static bool is_one_of(uc_str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (uc_str_is(text, words[i])) return true;
    }
    return false;
}

/* What pandas.read_csv takes for a missing value without being told (pandas/_libs/parsers.pyx,
 * STR_NA_VALUES). */
static bool is_missing(uc_str text)
{
    static const char *const words[] = {
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A",      "NA",  "NULL",    "NaN",      "None", "n/a",  "nan",    "null"};
    return text.size == 0 || is_one_of(text, words, sizeof words / sizeof words[0]);
}

/* Quoted or not is the same, as in pandas. */
static void classify(cli_cell *cell)
{
    static const char *const yes[] = {"True", "true", "TRUE"};
    static const char *const no[] = {"False", "false", "FALSE"};
    uc_str trimmed = uc_text_trim(cell->text);
    if (is_missing(trimmed)) {
        cell->kind = CELL_EMPTY;
    } else if (uc_text_f64(trimmed, &cell->number)) {
        cell->kind = CELL_NUMBER;
    } else if (is_one_of(trimmed, yes, sizeof yes / sizeof yes[0])) {
        cell->kind = CELL_BOOL;
        cell->number = 1;
    } else if (is_one_of(trimmed, no, sizeof no / sizeof no[0])) {
        cell->kind = CELL_BOOL;
    }
}

static uncork_status read_cell(csv *c, uncork_error *error)
{
    cli_cell cell = {.kind = CELL_TEXT};
    if (!at_end(c) && c->in.data[c->at] == '"') {
        UC_TRY(quoted(c, &cell.text, error));
    } else {
        size_t begin = c->at;
        while (!ends_cell(c)) {
            c->at++;
        }
        cell.text = (uc_str){(const char *)c->in.data + begin, c->at - begin};
    }
    classify(&cell);
    c->cells = uc_arena_grow(c->arena, c->cells, &c->capacity, c->count + 1, sizeof *c->cells);
    if (!c->cells) return uc_fail_memory(error);
    c->cells[c->count++] = cell;
    return UNCORK_OK;
}

/* Past the end of a line, and past empty lines. */
static void skip_line_ends(csv *c)
{
    while (!at_end(c) && (c->in.data[c->at] == '\n' || c->in.data[c->at] == '\r')) {
        c->at++;
    }
}

/* Two numbers or more with one space between them, and nothing else. */
static bool are_spaced_numbers(uc_str line)
{
    size_t begin = 0, count = 0;
    for (size_t i = 0; i <= line.size; i++) {
        double number;
        if (i < line.size && line.data[i] != ' ') continue;
        if (!uc_text_f64((uc_str){line.data + begin, i - begin}, &number)) return false;
        begin = i + 1;
        count++;
    }
    return count > 1;
}

static char find_separator(uc_bytes in)
{
    char best = ',';
    size_t end = 0;
    for (; end < in.size && in.data[end] != '\n' && in.data[end] != '\r'; end++) {
        if (in.data[end] == ',') return ',';
        if (in.data[end] == ';' || in.data[end] == '\t') best = (char)in.data[end];
    }
    if (best == ',' && are_spaced_numbers((uc_str){(const char *)in.data, end})) return ' ';
    return best;
}

static uncork_status check_encoding(uc_bytes in, uncork_error *error)
{
    bool wide = in.size >= 2 && ((in.data[0] == 0xff && in.data[1] == 0xfe) ||
                                 (in.data[0] == 0xfe && in.data[1] == 0xff));
    if (!wide && uc_utf8_valid((uc_str){(const char *)in.data, in.size}, false)) return UNCORK_OK;
    size_t line = 1, begin = 0;
    for (size_t end = 0; !wide && end < in.size; end++) {
        if (in.data[end] != '\n') continue;
        if (!uc_utf8_valid((uc_str){(const char *)in.data + begin, end - begin}, false)) break;
        begin = end + 1;
        line++;
    }
    uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "line %zu is not UTF-8%s", line,
            wide ? " (the file is UTF-16)" : "");
    return uc_fix(error, "save it as UTF-8, or turn it with 'iconv -f %s -t UTF-8'",
                  wide ? "UTF-16" : "LATIN1");
}

/* The first line is a header when a known name stands in it, or when a column has a text on top of
 * numbers only. */
static bool has_header(const cli_rows *rows, const uc_tensor *known)
{
    for (size_t i = 0; i < rows->column_count; i++) {
        for (int64_t k = 0; known && k < uc_tensor_count(known); k++) {
            if (uc_str_equal(rows->cells[i].text, uc_tensor_string(known, k))) return true;
        }
    }
    for (size_t i = 0; i < rows->column_count; i++) {
        bool numbers = rows->row_count > 1 && rows->cells[i].kind == CELL_TEXT;
        for (size_t r = 1; numbers && r < rows->row_count; r++) {
            cli_cell_kind kind = rows->cells[r * rows->column_count + i].kind;
            numbers = kind == CELL_NUMBER || kind == CELL_EMPTY;
        }
        if (numbers) return true;
    }
    return false;
}

static uncork_status split_header(cli_rows *rows, uc_arena *arena, uncork_error *error)
{
    rows->names = UC_NEW(arena, uc_str, rows->column_count);
    if (!rows->names) return uc_fail_memory(error);
    for (size_t i = 0; i < rows->column_count; i++) {
        rows->names[i] = uc_text_trim(rows->cells[i].text);
    }
    rows->cells += rows->column_count;
    rows->row_count--;
    return UNCORK_OK;
}

uncork_status cli_rows_csv(uc_bytes bytes, const uc_tensor *known, uc_arena *arena, cli_rows *rows,
                           uncork_error *error)
{
    if (bytes.size >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0) {
        bytes.data += 3;
        bytes.size -= 3;
    }
    UC_TRY(check_encoding(bytes, error));
    csv c = {.in = bytes, .separator = find_separator(bytes), .arena = arena};
    *rows = (cli_rows){0};
    for (skip_line_ends(&c); !at_end(&c); skip_line_ends(&c)) {
        size_t begin = c.count;
        UC_TRY(read_cell(&c, error));
        while (!at_end(&c) && c.in.data[c.at] == c.separator) {
            c.at++;
            UC_TRY(read_cell(&c, error));
        }
        if (rows->row_count == 0) rows->column_count = c.count;
        rows->row_count++;
        if (c.count - begin != rows->column_count) {
            return uc_fail(error, UNCORK_INPUT, c.at, "line %zu has %zu cells, the first one %zu",
                           rows->row_count, c.count - begin, rows->column_count);
        }
    }
    rows->cells = c.cells;
    if (rows->row_count == 0) return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "there is no row");
    if (has_header(rows, known)) UC_TRY(split_header(rows, arena, error));
    return UNCORK_OK;
}
