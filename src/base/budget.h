/* The budget: bytes, multiply-adds, graph nodes, time and a cancel flag, one object reached from
 * every reader, arena and call, so nested containers share it. Thread-safe. */
#ifndef UC_BASE_BUDGET_H
#define UC_BASE_BUDGET_H

#include "base/error.h"

#include <stdatomic.h>

typedef struct uc_budget {
    _Atomic uint64_t bytes_left;
    _Atomic uint64_t macs_left;
    _Atomic uint64_t nodes_left; /* values walked or nodes made: what a small file may blow up to */
    uint64_t asked_bytes;        /* max_memory_bytes as the caller gave it; 0: the default */
    uint64_t deadline_ns;        /* on the monotonic clock; 0: none */
    const volatile int *cancel;
} uc_budget;

/* From the caller's limits (NULL: defaults) for a file of `file_bytes`. */
void uc_budget_init(uc_budget *budget, const uncork_limits *limits, uint64_t file_bytes);

/* Takes from the budget; LIMIT (with a message that names `what`) when it isn't there. */
uncork_status uc_budget_bytes(uc_budget *budget, uint64_t bytes, const char *what,
                              uncork_error *error);
uncork_status uc_budget_macs(uc_budget *budget, uint64_t macs, const char *what,
                             uncork_error *error);
uncork_status uc_budget_nodes(uc_budget *budget, uint64_t nodes, const char *what,
                              uncork_error *error);
/* Gives bytes back, when memory charged is freed. */
void uc_budget_return(uc_budget *budget, uint64_t bytes);

/* OK, CANCELLED or DEADLINE. Cheap enough for every few thousand steps of a loop. */
uncork_status uc_budget_check(const uc_budget *budget, uncork_error *error);

/* Whether that wouldn't be OK. */
bool uc_budget_is_over(const uc_budget *budget);

/* The monotonic clock in nanoseconds. */
uint64_t uc_now_ns(void);

#endif
