/* CSV as RFC 4180 and spreadsheets write it: quotes, "" inside them, CRLF or LF, a byte order mark;
 * separated by commas, or by semicolons or tabs when the first line has no comma. */
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
        uc_str trimmed = uc_text_trim(cell.text);
        if (trimmed.size == 0) {
            cell.kind = CELL_EMPTY;
        } else if (uc_text_f64(trimmed, &cell.number)) {
            cell.kind = CELL_NUMBER;
        } else if (uc_str_is(trimmed, "True") || uc_str_is(trimmed, "true")) {
            cell.kind = CELL_BOOL;
            cell.number = 1;
        } else if (uc_str_is(trimmed, "False") || uc_str_is(trimmed, "false")) {
            cell.kind = CELL_BOOL;
        }
    }
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

static char find_separator(uc_bytes in)
{
    char best = ',';
    for (size_t i = 0; i < in.size && in.data[i] != '\n'; i++) {
        if (in.data[i] == ',') return ',';
        if (in.data[i] == ';' || in.data[i] == '\t') best = (char)in.data[i];
    }
    return best;
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
