/* A pool of threads and the parallel loop. Workers spin briefly, then block. */
#ifndef UC_BASE_THREAD_H
#define UC_BASE_THREAD_H

#include "base/arena.h"

/* threads  in all, the calling thread included; 0: one a core. */
uncork_status uc_pool_new(int threads, uncork_pool **pool);
void uc_pool_free(uncork_pool *pool);
/* Threads in all; 1 for NULL. */
int uc_pool_threads(const uncork_pool *pool);

/* body(context, begin, end, thread) over [0, count) in pieces of about `grain`; the pieces do not
 * depend on the number of threads. Returns when all are done. Runs here alone when pool is NULL,
 * busy (another session's loop: no deadlock, no waiting) or the pool was made before a fork. */
typedef void (*uc_parallel_fn)(void *context, int64_t begin, int64_t end, int thread);
void uc_parallel(uncork_pool *pool, int64_t count, int64_t grain, uc_parallel_fn body,
                 void *context);
/* From now on the loops of this thread leave out the pieces not yet begun when the budget's time is over
 * or it is cancelled, so that what they compute is worthless: the caller checks the budget afterwards.
 * NULL: no longer. */
void uc_parallel_until(const struct uc_budget *budget);

/* A function in a thread of its own, beside the caller. NULL when there is no thread to be had: then
 * call it yourself. The handle lives in the arena; wait for it before the arena goes. */
typedef struct uc_aside uc_aside;
uc_aside *uc_aside_start(void (*body)(void *), void *context, uc_arena *arena);
/* Until it has returned; NULL is fine. */
void uc_aside_wait(uc_aside *aside);

#endif
