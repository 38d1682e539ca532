/* Tar archives: ustar, GNU long names, pax path and size. Regular files only: links and devices are
 * left out, sparse files and duplicate names refused. Source: POSIX.1-2017, pax, "ustar Interchange
 * Format"; GNU tar manual, "Basic Tar Format". */
#ifndef UC_CONTAINER_TAR_H
#define UC_CONTAINER_TAR_H

#include "base/arena.h"

typedef struct uc_tar_entry {
    const char *name; /* safe: uc_file_name_flaw found none; "./" in front is taken off */
    uc_bytes bytes;
} uc_tar_entry;

typedef struct uc_tar {
    uc_tar_entry *entries; /* by name */
    size_t count;
} uc_tar;

/* Whether the bytes begin with a tar header whose checksum is right. */
bool uc_tar_probe(uc_bytes bytes);
/* Views of `bytes`, which must be unpacked already and live as long as the arena. */
uncork_status uc_tar_open(uc_bytes bytes, uint64_t base, uc_arena *arena, uc_tar **tar,
                          uncork_error *error);

#endif
