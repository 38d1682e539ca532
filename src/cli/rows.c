/* Cells to tensors: columns matched by name, empty cells as NaN. */
#include "cli/rows.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>

/* The row numbers that DataFrame.to_csv writes without being asked: a first column without a name. */
static bool is_index_in_front(const cli_rows *rows, size_t wanted_count)
{
    return rows->names && rows->column_count == wanted_count + 1 &&
           (rows->names[0].size == 0 || uc_str_is(rows->names[0], "Unnamed: 0"));
}

/* Places of the wanted columns in the whole table, which the rows are. */
static bool place_all(const cli_rows *rows, const uc_str *wanted, size_t wanted_count,
                      const uc_tensor *known, size_t *at)
{
    if (!known || !wanted || uc_tensor_count(known) != (int64_t)rows->column_count) return false;
    for (size_t i = 0; i < wanted_count; i++) {
        int64_t k = 0;
        while (k < uc_tensor_count(known) && !uc_str_equal(uc_tensor_string(known, k), wanted[i])) {
            k++;
        }
        if (k == uc_tensor_count(known)) return false;
        at[i] = (size_t)k;
    }
    return true;
}

uncork_status cli_rows_match(const cli_rows *rows, const uc_str *wanted, size_t wanted_count,
                             const uc_tensor *known, uc_arena *arena, size_t **order, size_t *extra,
                             uncork_error *error)
{
    size_t *at = UC_NEW(arena, size_t, wanted_count), found = 0, missing = 0, first = 0;
    if (!at) return uc_fail_memory(error);
    for (size_t i = 0; i < wanted_count; i++) {
        at[i] = SIZE_MAX;
        for (size_t c = 0; wanted && rows->names && c < rows->column_count; c++) {
            if (uc_str_equal(rows->names[c], wanted[i])) at[i] = c;
        }
        if (at[i] == SIZE_MAX) {
            missing = i;
        } else {
            found++;
        }
    }
    if (found < wanted_count) {
        bool placed = found == 0 && place_all(rows, wanted, wanted_count, known, at);
        bool positional = placed || (found == 0 && rows->column_count == wanted_count);
        if (found == 0 && is_index_in_front(rows, wanted_count)) {
            positional = true;
            first = 1;
        }
        if (!positional && wanted && rows->names && found) {
            return uc_fail(
                error, UNCORK_INPUT, UC_NO_OFFSET,
                "column '%.*s' is missing: the model takes %zu columns, %zu of them are here",
                (int)wanted[missing].size, wanted[missing].data, wanted_count, found);
        }
        if (!positional) {
            return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                           "the model takes %zu columns, a row has %zu", wanted_count,
                           rows->column_count);
        }
        for (size_t i = 0; !placed && i < wanted_count; i++) {
            at[i] = first + i;
        }
    }
    *order = at;
    *extra = rows->column_count - wanted_count;
    return UNCORK_OK;
}

static const char *column_name(const cli_rows *rows, size_t c, char text[64])
{
    if (rows->names) {
        snprintf(text, 64, "'%.*s'", (int)(rows->names[c].size > 48 ? 48 : rows->names[c].size),
                 rows->names[c].data);
    } else {
        snprintf(text, 64, "%zu", c + 1);
    }
    return text;
}

static bool cell_number(const cli_cell *cell, double *v)
{
    switch (cell->kind) {
    case CELL_EMPTY: *v = (double)NAN; return true;
    case CELL_NUMBER:
    case CELL_BOOL: *v = cell->number; return true;
    case CELL_TEXT: return uc_text_f64(uc_text_trim(cell->text), v);
    }
    return false;
}

static uncork_status text_tensor(const cli_rows *rows, const size_t *order, size_t count, int rank,
                                 const int64_t *shape, uc_arena *arena, const uc_tensor **tensor,
                                 uncork_error *error)
{
    uc_str *items = UC_NEW(arena, uc_str, rows->row_count * count);
    for (size_t i = 0; items && i < rows->row_count * count; i++) {
        const cli_cell *cell = &rows->cells[i / count * rows->column_count + order[i % count]];
        if (cell->kind != CELL_EMPTY) items[i] = cell->text;
        if (cell->kind == CELL_EMPTY) items[i] = (uc_str){"nan", 3}; /* what pandas reads there */
    }
    *tensor = items ? uc_tensor_strings(arena, items, rank, shape) : NULL;
    return *tensor ? UNCORK_OK : uc_fail_memory(error);
}

uncork_status cli_rows_tensor(const cli_rows *rows, const size_t *order, size_t count, int rank,
                              uncork_dtype dtype, uc_arena *arena, const uc_tensor **tensor,
                              uncork_error *error)
{
    const int64_t shape[2] = {(int64_t)rows->row_count, (int64_t)count};
    if (dtype == UNCORK_STRING) {
        return text_tensor(rows, order, count, rank, shape, arena, tensor, error);
    }
    uc_tensor *t = uc_tensor_new(arena, UNCORK_FLOAT64, rank, shape);
    if (!t) return uc_fail_memory(error);
    double *to = t->data;
    for (size_t r = 0; r < rows->row_count; r++) {
        for (size_t i = 0; i < count; i++) {
            const cli_cell *cell = &rows->cells[r * rows->column_count + order[i]];
            if (!cell_number(cell, &to[r * count + i])) {
                char name[64];
                return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                               "row %zu, column %s: '%.*s' is no number", r + 1,
                               column_name(rows, order[i], name),
                               (int)(cell->text.size > 40 ? 40 : cell->text.size), cell->text.data);
            }
        }
    }
    *tensor = t;
    if (dtype != UNCORK_FLOAT64 && dtype != UNCORK_DTYPE_NONE) {
        *tensor = uc_tensor_cast(arena, t, dtype);
        if (!*tensor) return uc_fail_memory(error);
    }
    return UNCORK_OK;
}
