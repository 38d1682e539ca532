/* The only code that opens files: map, read, list a folder, write a result under its name. */
#ifndef UC_BASE_FILE_H
#define UC_BASE_FILE_H

#include "base/arena.h"

/* Maps (copy: reads) a regular file; the bytes live until the arena goes. FIFOs, devices and
 * folders are refused. A missing file and one that can't be read are told apart in the message. */
uncork_status uc_file_read(const char *path, bool copy, uc_arena *arena, uc_bytes *bytes,
                           uncork_error *error);
/* Says of bytes that uc_file_read mapped (never of copied ones) that they have been seen: whole pages
 * of them leave this process and come back when read again. */
void uc_file_seen(uc_bytes bytes);
/* The same beneath a folder: `name` is relative, no "..", no absolute part, no link that leaves the
 * folder; regular files only. */
uncork_status uc_file_read_beneath(const char *folder, const char *name, bool copy, uc_arena *arena,
                                   uc_bytes *bytes, uncork_error *error);
/* The same for a name that a file gives: hard links are refused too, since one could be a file of
 * elsewhere under an innocent name. */
uncork_status uc_file_read_own(const char *folder, const char *name, bool copy, uc_arena *arena,
                               uc_bytes *bytes, uncork_error *error);
/* What keeps a name from being one inside a folder ("is absolute", "has a part '.' or '..'"), NULL when
 * nothing does. Names from archives are checked with it too. */
const char *uc_file_name_flaw(uc_str name);
/* All of standard input, at most `ceiling` bytes. */
uncork_status uc_file_read_stdin(size_t ceiling, uc_arena *arena, uc_bytes *bytes,
                                 uncork_error *error);

typedef enum uc_file_kind {
    UC_FILE_MISSING,
    UC_FILE_REGULAR,
    UC_FILE_FOLDER,
    UC_FILE_OTHER
} uc_file_kind;
uc_file_kind uc_file_kind_of(const char *path);
/* Bytes of a regular file, 0 for anything else. */
uint64_t uc_file_size(const char *path);

/* Names of the regular files below a folder, sorted, relative with '/'; at most
 * UC_LIMIT_BUNDLE_ENTRIES; links to folders aren't followed. */
uncork_status uc_file_list(const char *folder, bool recurse, uc_arena *arena, char ***names,
                           size_t *count, uncork_error *error);

/* Makes the folder and its parents when absent. */
uncork_status uc_file_make_folder(const char *path, uncork_error *error);
/* Writes a file whole or not at all: beside it first, then renamed. */
uncork_status uc_file_write(const char *path, uc_bytes bytes, uncork_error *error);
/* The same under a name that was made up, in a folder that anybody may have put something into: a link
 * or a device of that name is replaced, never written through. */
uncork_status uc_file_replace(const char *path, uc_bytes bytes, uncork_error *error);

#endif
