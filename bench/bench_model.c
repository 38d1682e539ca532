/* One model, one matrix of rows: single-row latency and throughput through the public interface.
 *
 *   bench_model MODEL X.npy [THREADS]     prints one JSON object
 *   bench_model --ready MODEL             opens and prepares, then exits: to be timed as a process */
#include "uncork.h"

#include "base/arena.h"
#include "base/file.h"
#include "container/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 200 /* of one row, each a batch of calls */

static int fail(const uncork_error *error)
{
    fprintf(stderr, "%s: %s\n", error->where, error->what);
    return 1;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double seconds(void) { return (double)uc_now_ns() * 1e-9; }

/* Median and p90 microseconds of one call. */
static int time_row(uncork_session *session, uncork_value *row, double *median, double *p90,
                    uncork_error *error)
{
    static double times[ROUNDS];
    int calls = 1;
    for (int round = -3; round < ROUNDS; round++) {
        double begin = seconds();
        for (int i = 0; i < calls; i++) {
            if (uncork_session_run(session, (const uncork_value *const *)&row, 1, NULL, error))
                return fail(error);
        }
        double took = seconds() - begin;
        if (round < 0) { /* warm up, and find how many calls make about 200 us */
            calls = took < 2e-4 ? (int)(2e-4 / (took / calls + 1e-9)) + 1 : calls;
        } else {
            times[round] = took / calls * 1e6;
        }
    }
    qsort(times, ROUNDS, sizeof *times, by_value);
    *median = times[ROUNDS / 2];
    *p90 = times[ROUNDS * 9 / 10];
    return 0;
}

static int bench(const char *path, const char *rows, int threads)
{
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    uncork_model *model;
    uncork_session *session;
    uncork_pool *pool = NULL;
    uncork_value *all, *one;
    uc_arena *arena = uc_arena_new(NULL);
    uc_bytes bytes;
    uc_npy npy;
    if (uc_file_read(rows, false, arena, &bytes, &error) ||
        uc_npy_read(bytes, 0, arena, &npy, &error))
        return fail(&error);
    const uncork_prepare_options options = {.size = sizeof options,
                                            .input_dtype = npy.tensor->dtype};
    if (uncork_open(path, NULL, &file, &error) ||
        uncork_prepare(file, "predict", &options, &model, &error))
        return fail(&error);
    if (threads > 1 && uncork_pool_new(threads, &pool)) return 1;
    if (uncork_session_new(model, pool, &session)) return 1;
    int64_t shape[2] = {npy.shape[0], npy.shape[1]}, single[2] = {1, npy.shape[1]};
    if (uncork_value_wrap(npy.tensor->dtype, 2, shape, npy.tensor->data, &all)) return 1;
    if (uncork_value_wrap(npy.tensor->dtype, 2, single, npy.tensor->data, &one)) return 1;
    double median = 0, p90 = 0, best = 1e9;
    if (time_row(session, one, &median, &p90, &error)) return 1;
    for (int i = 0; i < 7; i++) {
        double begin = seconds();
        if (uncork_session_run(session, (const uncork_value *const *)&all, 1, NULL, &error))
            return fail(&error);
        double took = seconds() - begin;
        if (took < best) best = took;
    }
    printf("{\"row_us\": %.4f, \"row_p90_us\": %.4f, \"rows\": %lld, \"all_ms\": %.4f}\n", median,
           p90, (long long)shape[0], best * 1e3);
    uncork_value_free(one);
    uncork_value_free(all);
    uncork_session_free(session);
    uncork_pool_free(pool);
    uncork_model_free(model);
    uncork_file_close(file);
    uc_arena_free(arena);
    return 0;
}

static int ready(const char *path)
{
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    uncork_model *model;
    if (uncork_open(path, NULL, &file, &error) ||
        uncork_prepare(file, "predict", NULL, &model, &error))
        return fail(&error);
    uncork_model_free(model);
    uncork_file_close(file);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--ready") == 0) return ready(argv[2]);
    if (argc == 3 || argc == 4) return bench(argv[1], argv[2], argc == 4 ? atoi(argv[3]) : 1);
    fprintf(stderr, "bench_model MODEL X.npy [THREADS] | bench_model --ready MODEL\n");
    return 2;
}
