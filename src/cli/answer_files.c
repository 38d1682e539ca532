/* Files that belong to an answer (vectors, masks, pictures), in the folder of --output. */
#include "base/file.h"
#include "cli/answer.h"

uncork_status cli_write_beside(const cli_answers *a, const uc_reading *reading,
                               const cli_input *input, const char *ending, const uc_writer *bytes,
                               uc_arena *arena, const char **path, uncork_error *error)
{
    const char *folder = a->options->output;
    UC_TRY(uc_file_make_folder(folder, error));
    char *name = a->shown > 1
                     ? uc_arena_printf(arena, "%s_%s%s", input->stem, reading->name, ending)
                     : uc_arena_printf(arena, "%s%s", input->stem, ending);
    for (char *p = name; p && *p; p++) { /* an output's name can't leave the folder */
        if (*p == '/' || *p == ':' || (unsigned char)*p < 0x20) *p = '_';
    }
    char *whole = name ? uc_arena_printf(arena, "%s/%s", folder, name) : NULL;
    if (!whole) return uc_arena_status(arena, error);
    if (bytes->status) return uc_fail(error, bytes->status, UC_NO_OFFSET, "%s is too large", name);
    *path = whole;
    return uc_file_replace(whole, (uc_bytes){bytes->data, bytes->size}, error);
}
