/* Nothing that is read may be written over. */
#include "cli/cli.h"

#include "base/text.h"

#include <sys/stat.h>

bool cli_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

const char *cli_folder_of(const char *path, uc_arena *arena)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return ".";
    return slash == path ? "/" : uc_arena_copy(arena, path, (size_t)(slash - path));
}

int cli_check_output(const char *folder, char *const *paths, size_t count)
{
    const char *last = NULL;
    uc_arena *arena = uc_arena_new(NULL);
    int status = arena ? EXIT_OK : cli_usage("memory is out");
    for (size_t i = 0; status == EXIT_OK && i < count; i++) {
        if (!uc_text_ends(paths[i], ".png") && !uc_text_ends(paths[i], ".npy")) continue;
        const char *its = cli_folder_of(paths[i], arena);
        if (its && !(last && strcmp(its, last) == 0) && cli_same_file(its, folder)) {
            status = cli_usage("-o %s: the folder holds %s, which is read and may be written over: "
                               "give another",
                               folder, paths[i]);
        }
        last = its;
    }
    uc_arena_free(arena);
    return status;
}
