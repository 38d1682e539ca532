/* Snappy's raw format: blocks of LevelDB tables.
 * Source: google/snappy, format_description.txt. */
#ifndef UC_CONTAINER_SNAPPY_H
#define UC_CONTAINER_SNAPPY_H

#include "base/arena.h"

/* Unpacks all of `packed` into the arena; MALFORMED for anything that isn't exactly a stream. The size it
 * claims is refused before memory is taken when `packed` can't hold so much. */
uncork_status uc_snappy_unpack(uc_bytes packed, uint64_t base, uc_arena *arena, uc_bytes *unpacked,
                               uncork_error *error);

#endif
