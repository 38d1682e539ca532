/* Names of the files that answers are written to. */
#ifndef UC_CLI_FILE_NAMES_H
#define UC_CLI_FILE_NAMES_H

#include "base/table.h"

/* The input's name in its folder with `ending` for its own, given to no input before; "stdin" for "-".
 * NULL when memory is out.
 *
 * taken  names given away so far; made at the first call where it is NULL. */
const char *cli_file_name(uc_table **taken, const char *input, const char *ending, uc_arena *arena);

#endif
