/* The pool. One job at a time; its owner works too. `state` says what workers may do:
 *
 *     bits 32..63  number of the job, so that a worker takes part in each job once at most
 *     bit  31      open: workers may join
 *     bits 0..30   workers inside the job
 *
 * A worker joins by a compare-and-swap on the whole word, so it can't enter a job that was closed
 * or replaced meanwhile. The owner closes the job when no piece is left and waits for those inside;
 * a worker that wakes too late is not waited for.
 * Invariant: body, context, until, count, grain and shares are written only while state has no worker inside and
 * isn't open. */
#define _GNU_SOURCE /* sched_yield and signal masks whatever the strict mode */
#include "base/thread.h"

#include "base/budget.h"
#include "base/cpu.h"
#include "base/limits.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define OPEN   ((uint64_t)1 << 31)
#define INSIDE (OPEN - 1)

/* How long a thread looks before it sleeps: a wake-up costs about as much. */
enum { SPIN_NS = 30000 };

typedef struct worker {
    uncork_pool *pool;
    pthread_t id;
    int index;
} worker;

/* A thread's own pieces, neighbours of each other: job after job it comes back to the same part of the
 * data, which its caches still hold. Who has finished helps the others. Each on a line of its own. */
typedef struct share {
    _Alignas(64) _Atomic int64_t next; /* piece to be taken */
    int64_t end;
} share;

struct uncork_pool {
    uc_arena *arena;
    worker *workers;
    int worker_count;
    pid_t process; /* after a fork the child has the pool but not its threads */
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job was opened, or stop */
    pthread_cond_t done; /* the last worker left a closed job */
    atomic_flag busy;
    _Atomic bool stop;
    _Atomic int sleeping; /* workers in `work` */
    _Atomic bool waiting; /* the owner in `done` */
    _Atomic uint64_t state;
    share *shares; /* one a thread */
    /* The job: */
    uc_parallel_fn body;
    void *context;
    const uc_budget *until; /* pieces are left out once it is over; NULL: never */
    int64_t count, grain, pieces;
    int share_count;
};

/* Of the loops this thread starts. */
static _Thread_local const uc_budget *loops_until;

void uc_parallel_until(const uc_budget *budget) { loops_until = budget; }

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void work_on(uncork_pool *pool, int thread)
{
    for (int i = 0; i < pool->share_count; i++) {
        share *s = &pool->shares[(thread + i) % pool->share_count];
        while (atomic_load_explicit(&s->next, memory_order_relaxed) < s->end) {
            const int64_t piece = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
            if (piece >= s->end || uc_budget_is_over(pool->until)) break;
            const int64_t begin = piece * pool->grain, left = pool->count - begin;
            const int64_t end = begin + (left < pool->grain ? left : pool->grain);
            pool->body(pool->context, begin, end, thread);
        }
    }
}

/* Cuts the job's pieces into shares that differ by one piece at most. */
static void share_out(uncork_pool *pool)
{
    const int64_t threads = pool->worker_count + 1;
    const int64_t shares = pool->pieces < threads ? pool->pieces : threads;
    const int64_t size = pool->pieces / shares, larger = pool->pieces % shares;
    pool->share_count = (int)shares;
    for (int64_t i = 0, at = 0; i < shares; i++) {
        atomic_store_explicit(&pool->shares[i].next, at, memory_order_relaxed);
        at += size + (i < larger ? 1 : 0);
        pool->shares[i].end = at;
    }
}

static bool is_new(uint64_t state, uint64_t seen) { return (state & OPEN) && state >> 32 != seen; }

/* Until a job that wasn't seen is open, or stop. */
static void await_work(uncork_pool *pool, uint64_t seen)
{
    const uint64_t until = uc_now_ns() + SPIN_NS;
    do {
        for (int i = 0; i < 16; i++) {
            if (is_new(atomic_load(&pool->state), seen) || atomic_load(&pool->stop)) return;
            pause_briefly();
        }
    } while (uc_now_ns() < until);
    pthread_mutex_lock(&pool->lock);
    /* Counted before the last look; the owner opens before it counts: one of both sees the other. */
    atomic_fetch_add(&pool->sleeping, 1);
    while (!is_new(atomic_load(&pool->state), seen) && !atomic_load(&pool->stop)) {
        pthread_cond_wait(&pool->work, &pool->lock);
    }
    atomic_fetch_sub(&pool->sleeping, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void *worker_main(void *argument)
{
    worker *self = argument;
    uncork_pool *pool = self->pool;
    uint64_t seen = 0;
    while (!atomic_load(&pool->stop)) {
        uint64_t state = atomic_load(&pool->state);
        if (!is_new(state, seen)) {
            await_work(pool, seen);
            continue;
        }
        if (!atomic_compare_exchange_strong(&pool->state, &state, state + 1)) continue;
        seen = state >> 32;
        work_on(pool, self->index);
        if (((atomic_fetch_sub(&pool->state, 1) - 1) & INSIDE) == 0 &&
            atomic_load(&pool->waiting)) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->done);
            pthread_mutex_unlock(&pool->lock);
        }
    }
    return NULL;
}

uncork_status uc_pool_new(int threads, uncork_pool **pool)
{
    *pool = NULL;
    if (threads < 0 || threads > UC_LIMIT_THREADS) return UNCORK_USAGE;
    if (threads == 0) threads = uc_cpu_cores();
    if (threads > UC_LIMIT_THREADS) threads = UC_LIMIT_THREADS;
    uc_arena *arena = uc_arena_new(NULL);
    if (!arena) return UNCORK_NO_MEMORY;
    uncork_pool *made = UC_NEW(arena, uncork_pool, 1);
    worker *workers = UC_NEW(arena, worker, (size_t)threads);
    share *shares = uc_arena_alloc_raw(arena, (size_t)threads * sizeof *shares);
    if (!made || !workers || !shares) {
        uc_arena_free(arena);
        return UNCORK_NO_MEMORY;
    }
    made->arena = arena;
    made->workers = workers;
    made->shares = shares;
    made->process = getpid();
    atomic_flag_clear(&made->busy);
    if (pthread_mutex_init(&made->lock, NULL) || pthread_cond_init(&made->work, NULL) ||
        pthread_cond_init(&made->done, NULL)) {
        uc_arena_free(arena);
        return UNCORK_NO_MEMORY;
    }
    /* Signals belong to the program's own threads. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 1; i < threads; i++) {
        worker *w = &workers[made->worker_count];
        w->pool = made;
        w->index = i;
        /* A system that gives fewer threads gets slower, not wrong. */
        if (pthread_create(&w->id, NULL, worker_main, w)) break;
        made->worker_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *pool = made;
    return UNCORK_OK;
}

void uc_pool_free(uncork_pool *pool)
{
    if (!pool) return;
    if (pool->process == getpid()) {
        pthread_mutex_lock(&pool->lock);
        atomic_store(&pool->stop, true);
        pthread_cond_broadcast(&pool->work);
        pthread_mutex_unlock(&pool->lock);
        for (int i = 0; i < pool->worker_count; i++) {
            pthread_join(pool->workers[i].id, NULL);
        }
        pthread_cond_destroy(&pool->work);
        pthread_cond_destroy(&pool->done);
        pthread_mutex_destroy(&pool->lock);
    }
    uc_arena_free(pool->arena);
}

int uc_pool_threads(const uncork_pool *pool) { return pool ? pool->worker_count + 1 : 1; }

static void run_alone(int64_t count, int64_t grain, uc_parallel_fn body, void *context)
{
    for (int64_t begin = 0; begin < count && !uc_budget_is_over(loops_until);) {
        const int64_t end = count - begin < grain ? count : begin + grain;
        body(context, begin, end, 0);
        begin = end;
    }
}

/* Lets workers in, and wakes as many sleepers as there are pieces for. */
static void open_job(uncork_pool *pool)
{
    const uint64_t number = (atomic_load(&pool->state) >> 32) + 1;
    /* Number 0 is what a worker has "seen" at first; after 2^32 jobs it is left out. */
    const uint64_t job = (number & UINT32_MAX) ? number & UINT32_MAX : 1;
    atomic_store(&pool->state, job << 32 | OPEN);
    int64_t wanted = atomic_load(&pool->sleeping);
    if (wanted == 0) return;
    if (wanted > pool->pieces - 1) wanted = pool->pieces - 1;
    pthread_mutex_lock(&pool->lock);
    for (; wanted > 0; wanted--) {
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* Lets nobody in any more and waits for those inside. */
static void close_job(uncork_pool *pool)
{
    atomic_fetch_and(&pool->state, ~OPEN);
    const uint64_t until = uc_now_ns() + SPIN_NS;
    do {
        for (int i = 0; i < 16; i++) {
            if ((atomic_load(&pool->state) & INSIDE) == 0) return;
            pause_briefly();
        }
    } while (uc_now_ns() < until);
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->waiting, true);
    while (atomic_load(&pool->state) & INSIDE) {
        pthread_cond_wait(&pool->done, &pool->lock);
    }
    atomic_store(&pool->waiting, false);
    pthread_mutex_unlock(&pool->lock);
}

void uc_parallel(uncork_pool *pool, int64_t count, int64_t grain, uc_parallel_fn body,
                 void *context)
{
    if (count <= 0) return;
    if (grain < 1) grain = 1;
    if (!pool || pool->worker_count == 0 || count <= grain || pool->process != getpid() ||
        atomic_flag_test_and_set(&pool->busy)) {
        run_alone(count, grain, body, context);
        return;
    }
    pool->body = body;
    pool->context = context;
    pool->until = loops_until;
    pool->count = count;
    pool->grain = grain;
    pool->pieces = count / grain + (count % grain != 0);
    share_out(pool);
    open_job(pool);
    work_on(pool, 0);
    close_job(pool);
    atomic_flag_clear(&pool->busy);
}

struct uc_aside {
    pthread_t id;
    void (*body)(void *);
    void *context;
};

static void *aside_main(void *argument)
{
    uc_aside *aside = argument;
    aside->body(aside->context);
    return NULL;
}

uc_aside *uc_aside_start(void (*body)(void *), void *context, uc_arena *arena)
{
    uc_aside *aside = UC_NEW(arena, uc_aside, 1);
    if (!aside) return NULL;
    aside->body = body;
    aside->context = context;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&aside->id, NULL, aside_main, aside);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? NULL : aside;
}

void uc_aside_wait(uc_aside *aside)
{
    if (aside) pthread_join(aside->id, NULL);
}
