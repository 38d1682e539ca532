/* Memory with one lifetime: everything taken from an arena is freed with it, so no error path leaks.
 * One of the two files that call malloc (writer.c is the other). Not thread-safe. */
#ifndef UC_BASE_ARENA_H
#define UC_BASE_ARENA_H

#include "base/budget.h"
#include "base/bytes.h"

typedef struct uc_arena uc_arena;

/* budget  charged for every block, given back by uc_arena_free; NULL: unlimited.
 * NULL when memory is out. */
uc_arena *uc_arena_new(uc_budget *budget);
void uc_arena_free(uc_arena *arena);

/* count * size zeroed bytes, aligned to 16, to 64 from 256 bytes on; never NULL for zero bytes.
 * NULL on overflow, budget or no memory: the arena remembers, see uc_arena_status. */
void *uc_arena_alloc(uc_arena *arena, size_t count, size_t size);
#define UC_NEW(arena, type, count) ((type *)uc_arena_alloc((arena), (count), sizeof(type)))

/* As uc_arena_alloc but not zeroed, aligned to 64. */
void *uc_arena_alloc_raw(uc_arena *arena, size_t bytes);

/* Copies, terminated by zero. NULL as above. */
char *uc_arena_copy(uc_arena *arena, const void *data, size_t size);
char *uc_arena_str(uc_arena *arena, const char *text);
char *uc_arena_printf(uc_arena *arena, const char *format, ...) UC_PRINTF(2, 3);

/* Grows an array in the arena: makes room for `need` elements of `size`, doubling; the old block
 * stays until the arena goes. Returns the (possibly moved) array, NULL as above. */
void *uc_arena_grow(uc_arena *arena, void *items, size_t *capacity, size_t need, size_t size);

/* OK, or why an allocation failed (LIMIT or NO_MEMORY), also put into `error`. */
uncork_status uc_arena_status(const uc_arena *arena, uncork_error *error);

/* Charges the arena's budget for memory that a library takes outside of it, before it does; the call
 * that charged gives it back when the library has freed it. */
uncork_status uc_arena_lend(uc_arena *arena, uint64_t bytes, const char *what, uncork_error *error);
void uc_arena_unlend(uc_arena *arena, uint64_t bytes);

/* The memory that the caller asked the budget for by name, 0 where it has the default: what raises the
 * limits of a picture (base/limits.h). */
uint64_t uc_arena_asked(const uc_arena *arena);

/* Whether the budget's time is over or it was cancelled: for loops over rows, which take nothing. */
uncork_status uc_arena_check(const uc_arena *arena, uncork_error *error);
bool uc_arena_is_over(const uc_arena *arena); /* the same without saying why */

/* Bytes held now. */
size_t uc_arena_bytes(const uc_arena *arena);
/* Forgets everything but keeps the largest block for reuse (run arenas, between calls). */
void uc_arena_reset(uc_arena *arena);

/* Calls `release(object)` when the arena is freed or reset, latest first. False: no memory. */
bool uc_arena_defer(uc_arena *arena, void (*release)(void *), void *object);

/* Whether AddressSanitizer sees every allocation of an arena: then nothing should be cut from one by
 * hand. */
bool uc_arena_watched(void);

/* Tests only: the n-th allocation from now on in this thread fails (0: none does). */
void uc_arena_fail_after(long n);

#endif
