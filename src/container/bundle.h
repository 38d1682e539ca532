/* Name -> bytes, the same for a folder, a zip, a tar (plain or compressed) and a lone file. */
#ifndef UC_CONTAINER_BUNDLE_H
#define UC_CONTAINER_BUNDLE_H

#include "base/arena.h"

typedef enum uc_bundle_kind {
    UC_BUNDLE_FILE,
    UC_BUNDLE_FOLDER,
    UC_BUNDLE_ZIP,
    UC_BUNDLE_TAR
} uc_bundle_kind;
typedef struct uc_bundle uc_bundle;

/* Opens `path`: a folder, an archive (told by content) or a lone file, which becomes a bundle of one
 * name; side files of a lone file are reached with uc_bundle_side. Lives in the arena. */
uncork_status uc_bundle_open(const char *path, bool copy, uc_arena *arena, uc_budget *budget,
                             uc_bundle **bundle, uncork_error *error);
/* The same over memory: an archive or one entry called `name`. */
uncork_status uc_bundle_over(uc_bytes bytes, const char *name, uc_arena *arena, uc_budget *budget,
                             uc_bundle **bundle, uncork_error *error);

/* Says that what was needed of a mapped file has been copied out of it (weights are packed): its pages
 * leave this process, and come back when something is read after all. Safe while others read. */
void uc_bundle_seen(const uc_bundle *bundle);

uc_bundle_kind uc_bundle_kind_of(const uc_bundle *bundle);
size_t uc_bundle_count(const uc_bundle *bundle);
/* Name of the i-th entry, sorted, relative with '/'. */
const char *uc_bundle_name(const uc_bundle *bundle, size_t i);
/* Index of a name, SIZE_MAX when absent. */
size_t uc_bundle_find(const uc_bundle *bundle, const char *name);
/* The entry's bytes, decompressed on first call; they live as long as the bundle's arena.
 * Not thread-safe: importers read what they need in open. */
uncork_status uc_bundle_read(uc_bundle *bundle, size_t i, uc_bytes *bytes, uncork_error *error);
/* Entry `name` of a zip where it lies in the archive, its CRC not checked: only for bytes whose content
 * may be anything, such as weights. False when it isn't there or isn't stored. Thread-safe. */
bool uc_bundle_view(const uc_bundle *bundle, const char *name, uc_bytes *bytes);
/* Whether this is an artifact of `uncork pack`: its weights/ are viewed, not read (see above). */
bool uc_bundle_is_cork(const uc_bundle *bundle);
/* Every entry of a zip against its CRC; MALFORMED names the first that differs. */
uncork_status uc_bundle_check(const uc_bundle *bundle, uc_arena *arena, uncork_error *error);
/* A file beside a lone file, by base name only (no '/', no ".."); IO when absent. */
uncork_status uc_bundle_side(uc_bundle *bundle, const char *name, uc_bytes *bytes,
                             uncork_error *error);
/* A file that the member (NULL: the lone file) names: inside the member's folder or below, no "..", no
 * link that leaves it, no hard link. IO when absent. */
uncork_status uc_bundle_named(uc_bundle *bundle, const char *member, const char *name,
                              uc_bytes *bytes, uncork_error *error);

#endif
