/* JSON rows in the forms people have them: lists, records, columns, pandas' orients, one record a
 * line, TF Serving's envelope. */
#include "cli/rows.h"

#include "base/text.h"

static cli_cell cell_of(const uc_json *v)
{
    cli_cell cell = {.kind = CELL_EMPTY};
    if (!v) return cell;
    switch (v->kind) {
    case UC_JSON_BOOL:
        cell = (cli_cell){CELL_BOOL, v->boolean, uc_str_of(v->boolean ? "True" : "False")};
        break;
    case UC_JSON_INT:
    case UC_JSON_FLOAT: cell = (cli_cell){CELL_NUMBER, v->number, {0}}; break;
    case UC_JSON_STRING: cell = (cli_cell){CELL_TEXT, 0, v->string}; break;
    case UC_JSON_NULL:
    case UC_JSON_ARRAY:
    case UC_JSON_NUMBERS:
    case UC_JSON_OBJECT: break;
    }
    return cell;
}

static bool is_list(const uc_json *v)
{
    return v && (v->kind == UC_JSON_ARRAY || v->kind == UC_JSON_NUMBERS);
}

static cli_cell element(const uc_json *list, size_t i)
{
    if (list->kind == UC_JSON_NUMBERS) {
        double d = uc_dtype_load_f64(list->numbers->data, (int64_t)i, list->numbers->dtype);
        return (cli_cell){CELL_NUMBER, d, {0}};
    }
    return cell_of(list->items[i]);
}

/* Texts of numbers, for columns that want strings. */
static uncork_status finish(cli_rows *rows, uc_arena *arena, uncork_error *error)
{
    for (size_t i = 0; i < rows->row_count * rows->column_count; i++) {
        cli_cell *cell = &rows->cells[i];
        if (cell->kind != CELL_NUMBER) continue;
        char text[32];
        size_t n = uc_f64_plain_text(cell->number, text);
        cell->text = (uc_str){uc_arena_copy(arena, text, n), n};
        if (!cell->text.data) return uc_fail_memory(error);
    }
    return UNCORK_OK;
}

static bool make(cli_rows *rows, size_t row_count, size_t column_count, uc_arena *arena)
{
    size_t cells;
    if (!uc_mul_size(row_count, column_count, &cells)) return false;
    rows->row_count = row_count;
    rows->column_count = column_count;
    rows->cells = UC_NEW(arena, cli_cell, cells);
    return rows->cells != NULL;
}

static uncork_status from_lists(const uc_json *list, uc_arena *arena, cli_rows *rows,
                                uncork_error *error)
{
    size_t n = uc_json_count(list), width = uc_json_count(list->items[0]);
    if (!make(rows, n, width, arena)) return uc_fail_memory(error);
    for (size_t r = 0; r < n; r++) {
        const uc_json *row = list->items[r];
        if (!is_list(row) || uc_json_count(row) != width) {
            return uc_fail(error, UNCORK_INPUT, row->offset,
                           "row %zu has %zu values, the first one %zu", r + 1, uc_json_count(row),
                           width);
        }
        for (size_t c = 0; c < width; c++) {
            rows->cells[r * width + c] = element(row, c);
        }
    }
    return UNCORK_OK;
}

static bool has_name(const uc_str *names, size_t count, uc_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (uc_str_equal(names[i], name)) return true;
    }
    return false;
}

/* The keys of all the records: one may leave out what it has no value for. */
static uncork_status record_names(const uc_json *const *items, size_t n, uc_arena *arena,
                                  uc_str **names, size_t *width, uncork_error *error)
{
    size_t capacity = 0, count = 0;
    *names = NULL;
    for (size_t r = 0; r < n; r++) {
        if (items[r]->kind != UC_JSON_OBJECT) {
            return uc_fail(error, UNCORK_INPUT, items[r]->offset,
                           "row %zu is no object like the first one", r + 1);
        }
        for (size_t k = 0; k < items[r]->count; k++) {
            if (has_name(*names, count, items[r]->keys[k])) continue;
            *names = uc_arena_grow(arena, *names, &capacity, count + 1, sizeof **names);
            if (!*names) return uc_fail_memory(error);
            (*names)[count++] = items[r]->keys[k];
        }
    }
    *width = count;
    return UNCORK_OK;
}

static uncork_status from_records(const uc_json *const *items, size_t n, uc_arena *arena,
                                  cli_rows *rows, uncork_error *error)
{
    size_t width = 0;
    uc_str *names;
    UC_TRY(record_names(items, n, arena, &names, &width, error));
    if (!make(rows, n, width, arena)) return uc_fail_memory(error);
    rows->names = names;
    for (size_t r = 0; r < n; r++) {
        for (size_t c = 0; c < width; c++) {
            for (size_t k = 0; k < items[r]->count; k++) {
                if (uc_str_equal(items[r]->keys[k], rows->names[c])) {
                    rows->cells[r * width + c] = cell_of(items[r]->items[k]);
                }
            }
        }
    }
    return UNCORK_OK;
}

/* {"a": [1, 2], "b": [3, 4]} and pandas' {"a": {"0": 1, "1": 2}, ...} */
static uncork_status from_columns(const uc_json *object, uc_arena *arena, cli_rows *rows,
                                  uncork_error *error)
{
    const uc_json *first = object->items[0];
    size_t n = is_list(first) ? uc_json_count(first) : first->count;
    if (!make(rows, n, object->count, arena)) return uc_fail_memory(error);
    rows->names = object->keys;
    for (size_t c = 0; c < object->count; c++) {
        const uc_json *column = object->items[c];
        size_t here = is_list(column) ? uc_json_count(column) : column->count;
        if (here != n || column->kind != first->kind) {
            if (!(is_list(column) && is_list(first) && here == n)) {
                return uc_fail(error, UNCORK_INPUT, column->offset,
                               "column %zu has %zu values, the first one %zu", c + 1, here, n);
            }
        }
        for (size_t r = 0; r < n; r++) {
            rows->cells[r * object->count + c] =
                is_list(column) ? element(column, r) : cell_of(column->items[r]);
        }
    }
    return UNCORK_OK;
}

static uncork_status from_list(const uc_json *list, uc_arena *arena, cli_rows *rows,
                               uncork_error *error)
{
    size_t n = uc_json_count(list);
    if (n == 0) return uc_fail(error, UNCORK_INPUT, list->offset, "there is no row");
    if (list->kind == UC_JSON_ARRAY && is_list(list->items[0]))
        return from_lists(list, arena, rows, error);
    if (list->kind == UC_JSON_ARRAY && list->items[0]->kind == UC_JSON_OBJECT) {
        return from_records((const uc_json *const *)list->items, n, arena, rows, error);
    }
    bool texts = list->kind == UC_JSON_ARRAY && list->items[0]->kind == UC_JSON_STRING;
    /* a flat list: of texts it is one a row, of numbers it is one row */
    if (!make(rows, texts ? n : 1, texts ? 1 : n, arena)) return uc_fail_memory(error);
    for (size_t i = 0; i < n; i++) {
        rows->cells[i] = element(list, i);
    }
    return UNCORK_OK;
}

static uncork_status from_object(const uc_json *object, uc_arena *arena, cli_rows *rows,
                                 uncork_error *error)
{
    const uc_json *data = uc_json_get(object, "data"), *columns = uc_json_get(object, "columns");
    if (is_list(data) && uc_json_get(object, "schema")) { /* pandas orient="table" */
        return from_list(data, arena, rows, error);
    }
    if (is_list(data) && is_list(columns)) { /* pandas orient="split" */
        UC_TRY(from_list(data, arena, rows, error));
        if (columns->kind == UC_JSON_ARRAY && columns->count == rows->column_count) {
            rows->names = UC_NEW(arena, uc_str, columns->count);
            for (size_t i = 0; rows->names && i < columns->count; i++) {
                rows->names[i] = columns->items[i]->string;
            }
        }
        return UNCORK_OK;
    }
    static const char *const envelopes[] = {"instances", "inputs", "rows", "dataframe_records"};
    for (size_t i = 0; i < sizeof envelopes / sizeof envelopes[0]; i++) {
        const uc_json *inner = uc_json_get(object, envelopes[i]);
        if (object->count == 1 && is_list(inner)) return from_list(inner, arena, rows, error);
    }
    if (object->count == 0) return uc_fail(error, UNCORK_INPUT, object->offset, "there is no row");
    const uc_json *first = object->items[0];
    if (object->count == 1 && first->kind == UC_JSON_ARRAY && first->count &&
        is_list(first->items[0])) { /* {"X": [[1, 2], [3, 4]]} */
        return from_list(first, arena, rows, error);
    }
    if (is_list(first)) return from_columns(object, arena, rows, error);
    if (first->kind == UC_JSON_OBJECT) {
        /* pandas: orient="index" has the rows outside, "columns" (its default) the columns; the keys
         * inside the latter are row numbers */
        bool by_column = first->count > 0 && first->keys[0].size > 0 &&
                         first->keys[0].data[0] >= '0' && first->keys[0].data[0] <= '9';
        if (by_column) return from_columns(object, arena, rows, error);
        return from_records((const uc_json *const *)object->items, object->count, arena, rows,
                            error);
    }
    return from_records(&object, 1, arena, rows, error);
}

/* The next line that isn't blank; false at the end. */
static bool next_line(uc_bytes bytes, size_t *at, uc_str *line)
{
    while (*at < bytes.size) {
        const uint8_t *end = memchr(bytes.data + *at, '\n', bytes.size - *at);
        size_t n = end ? (size_t)(end - bytes.data) - *at : bytes.size - *at;
        *line = uc_text_trim((uc_str){(const char *)bytes.data + *at, n});
        *at += n + 1;
        if (line->size) return true;
    }
    return false;
}

/* A value closes on the first line and another one begins on the second: one row a line. */
static bool is_lines(uc_bytes bytes)
{
    size_t at = 0;
    uc_str first, second;
    if (!next_line(bytes, &at, &first) || !next_line(bytes, &at, &second)) return false;
    char open = first.data[0], close = first.data[first.size - 1];
    return ((open == '{' && close == '}') || (open == '[' && close == ']')) &&
           second.data[0] == open;
}

static uncork_status from_lines(uc_bytes bytes, uc_arena *arena, cli_rows *rows,
                                uncork_error *error)
{
    uc_json list = {.kind = UC_JSON_ARRAY};
    size_t capacity = 0, at = 0;
    uc_str line;
    while (next_line(bytes, &at, &line)) {
        list.items =
            uc_arena_grow(arena, list.items, &capacity, list.count + 1, sizeof *list.items);
        if (!list.items) return uc_fail_memory(error);
        uc_bytes inner = {(const uint8_t *)line.data, line.size};
        uint64_t base = (uint64_t)(inner.data - bytes.data);
        list.items[list.count] = uc_json_read(inner, base, arena, error);
        if (!list.items[list.count++]) return error->status;
    }
    UC_TRY(from_list(&list, arena, rows, error));
    return finish(rows, arena, error);
}

uncork_status cli_rows_json(uc_bytes bytes, uc_arena *arena, cli_rows *rows, uncork_error *error)
{
    *rows = (cli_rows){0};
    if (is_lines(bytes)) return from_lines(bytes, arena, rows, error);
    const uc_json *json = uc_json_read(bytes, 0, arena, error);
    if (!json) return error->status;
    if (is_list(json)) {
        UC_TRY(from_list(json, arena, rows, error));
    } else if (json->kind == UC_JSON_OBJECT) {
        UC_TRY(from_object(json, arena, rows, error));
    } else {
        return uc_fail(error, UNCORK_INPUT, json->offset, "rows are a list or an object");
    }
    return finish(rows, arena, error);
}
