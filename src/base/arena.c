/* A chain of blocks, bump-allocated. Large requests get a block of their own. */
#define _GNU_SOURCE /* madvise */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Under AddressSanitizer what isn't handed out is poisoned, and allocations keep apart: an arena then
 * shows a write past an end as malloc does. */
#if defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define WATCHED 1
#    endif
#elif defined(__SANITIZE_ADDRESS__)
#    define WATCHED 1
#endif
#ifdef WATCHED
#    include <sanitizer/asan_interface.h>
#    define APART          64u
#    define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#    define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#    define APART          0u
#    define POISON(p, n)   ((void)(p), (void)(n))
#    define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define BLOCK_MIN 4096u
#define BLOCK_MAX (1u << 20)
#define HUGE      ((size_t)2 << 20)
#define WIDE_FROM 256u /* from here on an allocation starts on a cache line */

typedef struct block {
    struct block *next;
    size_t size, used; /* of data */
    uint8_t *data;     /* 64-byte aligned, after the header */
} block;

typedef struct deferred {
    struct deferred *next;
    void (*release)(void *);
    void *object;
} deferred;

struct uc_arena {
    uc_budget *budget;
    block *blocks; /* the first is being filled */
    deferred *defers;
    size_t bytes, next_size;
    uncork_status status;
    char why[256];
};

bool uc_arena_watched(void) { return APART > 0; }

static _Thread_local long fail_after;

void uc_arena_fail_after(long n) { fail_after = n; }

static bool must_fail(void) { return fail_after > 0 && --fail_after == 0; }

uc_arena *uc_arena_new(uc_budget *budget)
{
    if (must_fail()) return NULL;
    uc_arena *arena = calloc(1, sizeof *arena);
    if (!arena) return NULL;
    arena->budget = budget;
    arena->next_size = BLOCK_MIN;
    return arena;
}

static void run_defers(uc_arena *arena)
{
    while (arena->defers) {
        deferred *d = arena->defers;
        arena->defers = d->next;
        d->release(d->object);
    }
}

static void free_blocks(block *b)
{
    while (b) {
        block *next = b->next;
        UNPOISON(b->data, b->size);
        free(b);
        b = next;
    }
}

void uc_arena_free(uc_arena *arena)
{
    if (!arena) return;
    run_defers(arena);
    free_blocks(arena->blocks);
    uc_budget_return(arena->budget, arena->bytes);
    free(arena);
}

uncork_status uc_arena_lend(uc_arena *arena, uint64_t bytes, const char *what, uncork_error *error)
{
    return uc_budget_bytes(arena->budget, bytes, what, error);
}

uint64_t uc_arena_asked(const uc_arena *arena)
{
    return arena->budget ? arena->budget->asked_bytes : 0;
}

uncork_status uc_arena_check(const uc_arena *arena, uncork_error *error)
{
    return arena->budget ? uc_budget_check(arena->budget, error) : UNCORK_OK;
}

bool uc_arena_is_over(const uc_arena *arena) { return uc_budget_is_over(arena->budget); }

void uc_arena_unlend(uc_arena *arena, uint64_t bytes) { uc_budget_return(arena->budget, bytes); }

static void *out_of(uc_arena *arena, uncork_status status, const char *why)
{
    if (arena->status == UNCORK_OK) {
        arena->status = status;
        snprintf(arena->why, sizeof arena->why, "%s", why);
    }
    return NULL;
}

/* Memory of whole huge pages where it is large: weights of megabytes are read once a run, and fetching
 * them ahead stops at every page whose address isn't known yet. */
static void *allocate(size_t bytes)
{
    void *p = NULL;
    if (bytes < HUGE) return malloc(bytes);
    if (posix_memalign(&p, HUGE, bytes)) return NULL;
#ifdef MADV_HUGEPAGE
    madvise(p, bytes / HUGE * HUGE, MADV_HUGEPAGE); /* advice: a failure costs time only */
#endif
    return p;
}

/* A new block with room for `bytes`; it becomes the one being filled unless it is made to measure. */
static block *add_block(uc_arena *arena, size_t bytes)
{
    bool own = bytes > arena->next_size / 2;
    size_t size = own ? bytes : arena->next_size, total;
    if (!uc_add_size(size, sizeof(block) + 64, &total)) {
        out_of(arena, UNCORK_LIMIT, "a size doesn't fit the address space");
        return NULL;
    }
    uncork_error error;
    uc_error_init(&error);
    if (uc_budget_bytes(arena->budget, total, "memory", &error)) {
        out_of(arena, UNCORK_LIMIT, error.what);
        return NULL;
    }
    block *b = must_fail() ? NULL : allocate(total);
    if (!b) {
        uc_budget_return(arena->budget, total);
        out_of(arena, UNCORK_NO_MEMORY, "memory is out");
        return NULL;
    }
    uintptr_t first = ((uintptr_t)(b + 1) + 63) & ~(uintptr_t)63;
    *b = (block){.size = size, .data = (uint8_t *)b + (first - (uintptr_t)b)};
    POISON(b->data, b->size);
    arena->bytes += total;
    if (own && arena->blocks) {
        b->next = arena->blocks->next;
        arena->blocks->next = b;
    } else {
        b->next = arena->blocks;
        arena->blocks = b;
        if (arena->next_size < BLOCK_MAX) arena->next_size *= 2;
    }
    return b;
}

static void *take(uc_arena *arena, size_t bytes, size_t align)
{
    if (arena->status != UNCORK_OK) return NULL;
    if (bytes == 0) bytes = 1;
    block *b = arena->blocks;
    size_t at = b ? (b->used + (b->used > 0) * APART + align - 1) & ~(align - 1) : 0;
    if (!b || at > b->size || bytes > b->size - at) {
        b = add_block(arena, bytes);
        if (!b) return NULL;
        at = 0;
    }
    b->used = at + bytes;
    UNPOISON(b->data + at, bytes);
    return b->data + at;
}

void *uc_arena_alloc(uc_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (!uc_mul_size(count, size, &bytes)) {
        return out_of(arena, UNCORK_LIMIT, "a size doesn't fit the address space");
    }
    void *p = take(arena, bytes, bytes >= WIDE_FROM ? 64 : 16);
    if (p) memset(p, 0, bytes);
    return p;
}

void *uc_arena_alloc_raw(uc_arena *arena, size_t bytes) { return take(arena, bytes, 64); }

char *uc_arena_copy(uc_arena *arena, const void *data, size_t size)
{
    size_t total;
    if (!uc_add_size(size, 1, &total)) {
        return out_of(arena, UNCORK_LIMIT, "a size doesn't fit the address space");
    }
    char *p = take(arena, total, 1);
    if (!p) return NULL;
    if (size) memcpy(p, data, size);
    p[size] = 0;
    return p;
}

char *uc_arena_str(uc_arena *arena, const char *text)
{
    return uc_arena_copy(arena, text, strlen(text));
}

char *uc_arena_printf(uc_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *p = n < 0 ? NULL : take(arena, (size_t)n + 1, 1);
    if (p) vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}

void *uc_arena_grow(uc_arena *arena, void *items, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity && items) return items;
    size_t room = *capacity < 4 ? 4 : *capacity, bytes;
    while (room < need) {
        if (!uc_mul_size(room, 2, &room)) {
            return out_of(arena, UNCORK_LIMIT, "a size doesn't fit the address space");
        }
    }
    if (!uc_mul_size(room, size, &bytes)) {
        return out_of(arena, UNCORK_LIMIT, "a size doesn't fit the address space");
    }
    void *p = uc_arena_alloc(arena, room, size);
    if (!p) return NULL;
    if (items) memcpy(p, items, *capacity * size);
    *capacity = room;
    return p;
}

uncork_status uc_arena_status(const uc_arena *arena, uncork_error *error)
{
    if (!arena) return uc_fail_memory(error);
    if (arena->status == UNCORK_OK) return UNCORK_OK;
    uncork_status status = uc_fail(error, arena->status, UC_NO_OFFSET, "%s", arena->why);
    if (arena->status == UNCORK_LIMIT) {
        uc_fix(error, "raise --max-memory if the file is trusted");
    }
    return status;
}

size_t uc_arena_bytes(const uc_arena *arena) { return arena->bytes; }

void uc_arena_reset(uc_arena *arena)
{
    run_defers(arena);
    block *keep = NULL;
    for (block *b = arena->blocks; b; b = b->next) {
        if (!keep || b->size > keep->size) keep = b;
    }
    block *b = arena->blocks;
    while (b) {
        block *next = b->next;
        if (b != keep) {
            size_t total = b->size + sizeof(block) + 64;
            arena->bytes -= total;
            uc_budget_return(arena->budget, total);
            UNPOISON(b->data, b->size);
            free(b);
        }
        b = next;
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
        POISON(keep->data, keep->size);
    }
    arena->blocks = keep;
    arena->status = UNCORK_OK;
}

bool uc_arena_defer(uc_arena *arena, void (*release)(void *), void *object)
{
    deferred *d = UC_NEW(arena, deferred, 1);
    if (!d) return false;
    *d = (deferred){.next = arena->defers, .release = release, .object = object};
    arena->defers = d;
    return true;
}
