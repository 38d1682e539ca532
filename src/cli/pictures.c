/* Files, folders and @lists to one list of paths. */
#include "cli/cli.h"

#include "base/file.h"
#include "base/text.h"

typedef struct paths {
    char **items;
    size_t count, capacity;
} paths;

static uncork_status add(paths *list, uc_arena *arena, const char *path, uncork_error *error)
{
    char **items =
        uc_arena_grow(arena, list->items, &list->capacity, list->count + 1, sizeof *items);
    char *copy = items ? uc_arena_str(arena, path) : NULL;
    if (!copy) return uc_fail_memory(error);
    list->items = items;
    items[list->count++] = copy;
    return UNCORK_OK;
}

bool cli_is_picture(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".jpe", ".bmp",
                                          ".dib", ".gif", ".webp", ".tif", ".tiff",
                                          ".pbm", ".pgm", ".ppm",  ".pnm", ".pam"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t m = strlen(endings[i]);
        if (n < m) continue;
        bool same = true;
        for (size_t k = 0; k < m; k++) {
            char c = name[n - m + k];
            same = same && (c >= 'A' && c <= 'Z' ? (char)(c + 32) : c) == endings[i][k];
        }
        if (same) return true;
    }
    return false;
}

/* Pictures below a folder, sorted; other files in it aren't inputs, and that is noted. */
static uncork_status add_folder(paths *list, uc_arena *arena, const char *folder,
                                uc_findings *notes, uncork_error *error)
{
    char **names;
    const char *other = NULL;
    size_t count, before = list->count, others = 0;
    UC_TRY(uc_file_list(folder, true, arena, &names, &count, error));
    for (size_t i = 0; i < count; i++) {
        if (!cli_is_picture(names[i])) {
            if (!others++) other = names[i];
            continue;
        }
        const char *path = uc_arena_printf(arena, "%s/%s", folder, names[i]);
        if (!path) return uc_fail_memory(error);
        UC_TRY(add(list, arena, path, error));
    }
    if (list->count == before) {
        uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "no picture in this folder (%zu files)", count);
        return uc_where(error, "%s", folder);
    }
    if (others) {
        uc_note(notes, UC_NOTE_IGNORED, "no-picture",
                "%s: %zu file%s left out, no picture by %s (%s%s)", folder, others,
                others == 1 ? "" : "s", others == 1 ? "its name" : "their names", other,
                others == 1 ? "" : ", ...");
    }
    return UNCORK_OK;
}

/* One path a line; relative ones count from the working folder, as the shell's would. */
static uncork_status add_list(paths *list, uc_arena *arena, const char *path, uncork_error *error)
{
    uc_bytes bytes;
    UC_TRY(uc_file_read(path, false, arena, &bytes, error));
    size_t at = 0;
    while (at < bytes.size) {
        const uint8_t *end = memchr(bytes.data + at, '\n', bytes.size - at);
        size_t n = end ? (size_t)(end - bytes.data) - at : bytes.size - at;
        uc_str line = uc_text_trim((uc_str){(const char *)bytes.data + at, n});
        at += n + 1;
        if (line.size == 0) continue;
        const char *copy = uc_arena_copy(arena, line.data, line.size);
        if (!copy) return uc_fail_memory(error);
        UC_TRY(add(list, arena, copy, error));
    }
    return UNCORK_OK;
}

uncork_status cli_expand(const char *const *arguments, size_t count, uc_arena *arena, char ***out,
                         size_t *out_count, uc_findings *notes, uncork_error *error)
{
    paths list = {0};
    for (size_t i = 0; i < count; i++) {
        if (arguments[i][0] == '@' && arguments[i][1]) {
            UC_TRY(add_list(&list, arena, arguments[i] + 1, error));
        } else if (uc_file_kind_of(arguments[i]) == UC_FILE_FOLDER) {
            UC_TRY(add_folder(&list, arena, arguments[i], notes, error));
        } else {
            UC_TRY(add(&list, arena, arguments[i], error));
        }
    }
    *out = list.items;
    *out_count = list.count;
    size_t standard_inputs = 0;
    for (size_t i = 0; i < list.count; i++) {
        standard_inputs += strcmp(list.items[i], "-") == 0;
    }
    if (standard_inputs < 2) return UNCORK_OK;
    uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "- stands for standard input, which is read once");
    return uc_fix(error, "give the other pictures as files");
}
