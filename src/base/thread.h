/* A pool of threads and the parallel loop. Workers spin briefly, then block. */
#ifndef UC_BASE_THREAD_H
#define UC_BASE_THREAD_H

#include "base/error.h"

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

#endif
