/* The budget: counters that only go down, a deadline and a flag. */
#include "base/budget.h"

#include <inttypes.h>
#include <time.h>

/* Room for a small file's legitimate growth (a compressed forest, a sparse matrix made dense). */
#define FLOOR_BYTES         (UINT64_C(2) << 30)
#define BYTES_PER_FILE_BYTE 64
/* Values walked: 64 a byte of the file, and a floor for tiny files. */
#define FLOOR_NODES         (UINT64_C(1) << 22)
#define NODES_PER_FILE_BYTE 64

uint64_t uc_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static uint64_t at_least(uint64_t floor, uint64_t per_byte, uint64_t bytes)
{
    uint64_t v;
    if (__builtin_mul_overflow(per_byte, bytes, &v)) return UINT64_MAX;
    return v > floor ? v : floor;
}

void uc_budget_init(uc_budget *budget, const uncork_limits *limits, uint64_t file_bytes)
{
    static const uncork_limits none = {0};
    const uncork_limits *l = limits ? limits : &none;
    atomic_init(&budget->bytes_left, l->max_memory_bytes
                                         ? l->max_memory_bytes
                                         : at_least(FLOOR_BYTES, BYTES_PER_FILE_BYTE, file_bytes));
    budget->asked_bytes = l->max_memory_bytes;
    atomic_init(&budget->macs_left, l->max_macs ? l->max_macs : UINT64_MAX);
    atomic_init(&budget->nodes_left, at_least(FLOOR_NODES, NODES_PER_FILE_BYTE, file_bytes));
    budget->deadline_ns = l->timeout_ms ? uc_now_ns() + l->timeout_ms * UINT64_C(1000000) : 0;
    budget->cancel = l->cancel;
}

static uncork_status take(_Atomic uint64_t *left, uint64_t n, const char *unit, const char *what,
                          uncork_error *error)
{
    uint64_t now = atomic_load_explicit(left, memory_order_relaxed);
    do {
        if (n > now) {
            return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET,
                           "%s needs %" PRIu64 " %s, the limit leaves %" PRIu64, what, n, unit,
                           now);
        }
    } while (!atomic_compare_exchange_weak_explicit(left, &now, now - n, memory_order_relaxed,
                                                    memory_order_relaxed));
    return UNCORK_OK;
}

uncork_status uc_budget_bytes(uc_budget *budget, uint64_t bytes, const char *what,
                              uncork_error *error)
{
    if (!budget) return UNCORK_OK;
    uncork_status status = take(&budget->bytes_left, bytes, "bytes", what, error);
    if (status) uc_fix(error, "raise --max-memory if the file is trusted");
    return status;
}

uncork_status uc_budget_macs(uc_budget *budget, uint64_t macs, const char *what,
                             uncork_error *error)
{
    if (!budget) return UNCORK_OK;
    return take(&budget->macs_left, macs, "multiply-adds", what, error);
}

uncork_status uc_budget_nodes(uc_budget *budget, uint64_t nodes, const char *what,
                              uncork_error *error)
{
    if (!budget) return UNCORK_OK;
    return take(&budget->nodes_left, nodes, "steps", what, error);
}

void uc_budget_return(uc_budget *budget, uint64_t bytes)
{
    if (budget) atomic_fetch_add_explicit(&budget->bytes_left, bytes, memory_order_relaxed);
}

bool uc_budget_is_over(const uc_budget *budget)
{
    return budget && ((budget->cancel && *budget->cancel) ||
                      (budget->deadline_ns && uc_now_ns() > budget->deadline_ns));
}

uncork_status uc_budget_check(const uc_budget *budget, uncork_error *error)
{
    if (!budget) return UNCORK_OK;
    if (budget->cancel && *budget->cancel) {
        return uc_fail(error, UNCORK_CANCELLED, UC_NO_OFFSET, "cancelled");
    }
    if (budget->deadline_ns && uc_now_ns() > budget->deadline_ns) {
        return uc_fail(error, UNCORK_DEADLINE, UC_NO_OFFSET, "the time given is over");
    }
    return UNCORK_OK;
}
