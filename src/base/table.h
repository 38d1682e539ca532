/* A string-keyed table, hashed with a seed of the process so that no file can choose collisions. */
#ifndef UC_BASE_TABLE_H
#define UC_BASE_TABLE_H

#include "base/arena.h"

typedef struct uc_table uc_table;

/* Lives in the arena; NULL when it is out. */
uc_table *uc_table_new(uc_arena *arena);
/* Adds or replaces; the key's bytes are borrowed. False when the arena is out. */
bool uc_table_put(uc_table *table, uc_str key, void *item);
/* The item, NULL when absent. */
void *uc_table_find(const uc_table *table, uc_str key);
size_t uc_table_count(const uc_table *table);
/* The seeded hash itself (SipHash-1-3), for other tables. */
uint64_t uc_hash(const void *data, size_t size);

#endif
