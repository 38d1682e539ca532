#include "base/thread.h"

#include "base/budget.h"
#include "base/limits.h"
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ITEMS = 10007 };

typedef struct work {
    _Atomic int seen[ITEMS]; /* how often each item was done */
    _Atomic int begins[ITEMS];
    _Atomic int threads_used; /* a mask */
    uncork_pool *pool;        /* for nesting */
} work;

static void count_items(void *context, int64_t begin, int64_t end, int thread)
{
    work *w = context;
    for (int64_t i = begin; i < end; i++) {
        atomic_fetch_add(&w->seen[i], 1);
    }
    atomic_fetch_add(&w->begins[begin], 1);
    atomic_fetch_or(&w->threads_used, 1 << thread);
}

static void check_all_once(work *w, int times)
{
    for (int i = 0; i < ITEMS; i++) {
        CHECK_INT(w->seen[i], times);
    }
}

static void every_item_is_done_once_in_pieces_that_dont_depend_on_threads(void **state)
{
    (void)state;
    static work w;
    for (int threads = 0; threads <= 8; threads++) {
        uncork_pool *pool;
        memset(&w, 0, sizeof w);
        CHECK_INT(uc_pool_new(threads, &pool), UNCORK_OK);
        uc_parallel(pool, ITEMS, 64, count_items, &w);
        check_all_once(&w, 1);
        for (int i = 0; i < ITEMS; i++) {
            CHECK_INT(w.begins[i], i % 64 == 0);
        }
        CHECK(threads == 0 || uc_pool_threads(pool) == threads);
        CHECK(threads == 0 || w.threads_used >> threads == 0);
        uc_pool_free(pool);
    }
}

static void without_a_pool_the_caller_works_alone(void **state)
{
    (void)state;
    static work w;
    memset(&w, 0, sizeof w);
    uc_parallel(NULL, ITEMS, 100, count_items, &w);
    check_all_once(&w, 1);
    CHECK_INT(w.threads_used, 1);
    CHECK_INT(uc_pool_threads(NULL), 1);
    uc_parallel(NULL, 0, 100, count_items, &w);
    uc_parallel(NULL, -5, 100, count_items, &w);
    uc_parallel(NULL, ITEMS, 0, count_items, &w); /* a grain below 1 is 1 */
    check_all_once(&w, 2);
    uc_pool_free(NULL);
}

static void many_short_jobs_run_one_after_the_other(void **state)
{
    (void)state;
    static work w;
    uncork_pool *pool;
    memset(&w, 0, sizeof w);
    CHECK_INT(uc_pool_new(4, &pool), UNCORK_OK);
    enum { JOBS = 2000 };
    for (int i = 0; i < JOBS; i++) {
        uc_parallel(pool, 16, 1, count_items, &w);
        if (i % 500 == 0) {
            /* Long enough for workers to sleep. */
            const struct timespec pause = {0, 2000000};
            nanosleep(&pause, NULL);
        }
    }
    for (int i = 0; i < 16; i++) {
        CHECK_INT(w.seen[i], JOBS);
    }
    uc_pool_free(pool);
}

static void nested(void *context, int64_t begin, int64_t end, int thread)
{
    work *w = context;
    (void)begin, (void)end, (void)thread;
    uc_parallel(w->pool, ITEMS, 1000, count_items, w);
}

static void a_loop_inside_a_loop_runs_where_it_is(void **state)
{
    (void)state;
    static work w;
    memset(&w, 0, sizeof w);
    CHECK_INT(uc_pool_new(3, &w.pool), UNCORK_OK);
    uc_parallel(w.pool, 5, 1, nested, &w);
    check_all_once(&w, 5);
    uc_pool_free(w.pool);
}

static void *other_session(void *context)
{
    work *w = context;
    for (int i = 0; i < 50; i++) {
        uc_parallel(w->pool, ITEMS, 500, count_items, w);
    }
    return NULL;
}

static void sessions_share_a_pool_without_waiting_for_each_other(void **state)
{
    (void)state;
    static work w;
    pthread_t threads[4];
    memset(&w, 0, sizeof w);
    CHECK_INT(uc_pool_new(3, &w.pool), UNCORK_OK);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, other_session, &w), 0);
    }
    for (int i = 0; i < 4; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    check_all_once(&w, 200);
    uc_pool_free(w.pool);
}

static void after_a_fork_the_child_works_alone(void **state)
{
    (void)state;
    static work w;
    memset(&w, 0, sizeof w);
    CHECK_INT(uc_pool_new(4, &w.pool), UNCORK_OK);
    uc_parallel(w.pool, ITEMS, 10, count_items, &w);
    const pid_t child = fork();
    if (child == 0) {
        uc_parallel(w.pool, ITEMS, 10, count_items, &w);
        bool ok = true;
        for (int i = 0; i < ITEMS; i++) {
            ok = ok && w.seen[i] == 2;
        }
        uc_pool_free(w.pool);
        _exit(ok ? 0 : 1);
    }
    int status;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    uc_pool_free(w.pool);
}

static void too_many_threads_are_refused(void **state)
{
    (void)state;
    uncork_pool *pool;
    CHECK_INT(uc_pool_new(UC_LIMIT_THREADS + 1, &pool), UNCORK_USAGE);
    CHECK(pool == NULL);
    CHECK_INT(uc_pool_new(-1, &pool), UNCORK_USAGE);
}

typedef struct stopping {
    _Atomic int pieces;
    volatile int cancel;
} stopping;

static void cancel_in_the_first_piece(void *context, int64_t begin, int64_t end, int thread)
{
    stopping *s = context;
    (void)begin;
    (void)end;
    (void)thread;
    s->cancel = 1;
    atomic_fetch_add(&s->pieces, 1);
}

static void pieces_are_left_out_when_the_budget_is_over(void **state)
{
    (void)state;
    uncork_pool *pools[2] = {NULL, NULL};
    CHECK_INT(uc_pool_new(4, &pools[1]), UNCORK_OK);
    for (int i = 0; i < 2; i++) {
        stopping s = {0};
        uc_budget budget;
        uc_budget_init(&budget, NULL, 0);
        budget.cancel = &s.cancel;
        uc_parallel_until(&budget);
        uc_parallel(pools[i], 1000, 1, cancel_in_the_first_piece, &s);
        uc_parallel_until(NULL);
        CHECK(s.pieces >= 1 && s.pieces <= 4); /* one a thread may have begun */
        s.pieces = 0;
        uc_parallel(pools[i], 1000, 1, cancel_in_the_first_piece, &s);
        CHECK_INT(s.pieces, 1000);
    }
    uc_pool_free(pools[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_done_once_in_pieces_that_dont_depend_on_threads),
        cmocka_unit_test(without_a_pool_the_caller_works_alone),
        cmocka_unit_test(many_short_jobs_run_one_after_the_other),
        cmocka_unit_test(a_loop_inside_a_loop_runs_where_it_is),
        cmocka_unit_test(sessions_share_a_pool_without_waiting_for_each_other),
        cmocka_unit_test(after_a_fork_the_child_works_alone),
        cmocka_unit_test(pieces_are_left_out_when_the_budget_is_over),
        cmocka_unit_test(too_many_threads_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
