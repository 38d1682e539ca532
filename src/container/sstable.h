/* A LevelDB table: sorted keys with their values, as TensorFlow's checkpoints keep them. Read whole when it is
 * opened: every block's checksum is compared, keys must ascend.
 *
 * Source: google/leveldb, doc/table_format.md; tensorflow/core/lib/io/{format,block}.cc. */
#ifndef UC_CONTAINER_SSTABLE_H
#define UC_CONTAINER_SSTABLE_H

#include "base/arena.h"

typedef struct uc_sstable_entry {
    uc_str key;
    uc_bytes value;  /* a view of the file, unless its block is compressed */
    uint64_t offset; /* in the file; of a compressed block's values: the block's */
} uc_sstable_entry;

typedef struct uc_sstable {
    uc_sstable_entry *entries; /* by key */
    size_t count, capacity;
} uc_sstable;

/* Whether the bytes end as a table does. */
bool uc_sstable_probe(uc_bytes bytes);
uncork_status uc_sstable_read(uc_bytes bytes, uc_arena *arena, uc_sstable *table,
                              uncork_error *error);
/* NULL: there is no such key. */
const uc_sstable_entry *uc_sstable_find(const uc_sstable *table, uc_str key);

#endif
