/* Names of the files that answers are written to: the input's own, "_2", "_3", ... behind it where an
 * input before it had the same. */
#include "cli/file_names.h"

#include "base/table.h"

const char *cli_file_name(uc_table **taken, const char *input, const char *ending, uc_arena *arena)
{
    const char *slash = strrchr(input, '/'), *name = slash ? slash + 1 : input;
    if (strcmp(name, "-") == 0) name = "stdin";
    const char *dot = strrchr(name, '.');
    const int stem = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
    if (!*taken) *taken = uc_table_new(arena);
    const char *whole = *taken ? uc_arena_printf(arena, "%.*s%s", stem, name, ending) : NULL;
    size_t *times = whole ? uc_table_find(*taken, uc_str_of(whole)) : NULL;
    while (whole && times) { /* the count of a name says where to go on */
        ++*times;
        const char *next = uc_arena_printf(arena, "%.*s_%zu%s", stem, name, *times, ending);
        if (!next || !uc_table_find(*taken, uc_str_of(next))) {
            whole = next;
            break;
        }
    }
    times = UC_NEW(arena, size_t, 1);
    if (!whole || !times) return NULL;
    *times = 1;
    return uc_table_put(*taken, uc_str_of(whole), times) ? whole : NULL;
}
