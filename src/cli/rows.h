/* Rows of a table from CSV or JSON: cells by column, and the tensors a model takes made of them. */
#ifndef UC_CLI_ROWS_H
#define UC_CLI_ROWS_H

#include "base/json.h"
#include "model/model.h"

typedef enum cli_cell_kind { CELL_EMPTY, CELL_NUMBER, CELL_BOOL, CELL_TEXT } cli_cell_kind;

typedef struct cli_cell {
    cli_cell_kind kind;
    double number;
    uc_str
        text; /* as written; NUMBER from CSV too, so that "007" stays a text where one is wanted */
} cli_cell;

typedef struct cli_rows {
    uc_str *names;   /* [columns], NULL without a header */
    cli_cell *cells; /* [rows, columns] */
    size_t row_count, column_count;
} cli_rows;

/* known: names of the model's columns (a header is sure when one stands in the first line), may be
 * NULL. */
uncork_status cli_rows_csv(uc_bytes bytes, const uc_tensor *known, uc_arena *arena, cli_rows *rows,
                           uncork_error *error);
/* A list of rows, of objects, of numbers; an object of columns; pandas' split, records, index and
 * columns forms; {"instances": ...}. */
uncork_status cli_rows_json(uc_bytes bytes, uc_arena *arena, cli_rows *rows, uncork_error *error);

/* Order of the rows' columns that the model wants: by name when both have names, else as they stand
 * in `known`, all the columns it was trained on (may be NULL), or in the model itself. order[i] is the
 * column for the model's i-th. `extra` counts columns left out. */
uncork_status cli_rows_match(const cli_rows *rows, const uc_str *wanted, size_t wanted_count,
                             const uc_tensor *known, uc_arena *arena, size_t **order, size_t *extra,
                             uncork_error *error);
/* Columns order[0..count) as a tensor of `dtype` (FLOAT64, FLOAT32, INT64, BOOL or STRING):
 * [rows, count], or [rows] when rank is 1. */
uncork_status cli_rows_tensor(const cli_rows *rows, const size_t *order, size_t count, int rank,
                              uncork_dtype dtype, uc_arena *arena, const uc_tensor **tensor,
                              uncork_error *error);

#endif
