/* Pictures to tensors, as predict makes them: files read, decoded, resized, scaled.
 *
 *   bench_decode SPEC THREADS FILE...      then one line on standard input a round: a number of pictures
 *
 * A round takes that many files, going on where the last stopped, and prints its seconds and the mean of
 * all values. bench/peers/compare_decode.py runs it beside other libraries. */
#include "base/file.h"
#include "base/thread.h"
#include "contract/contract.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct bench {
    const uc_contract *contract;
    char **files;
    int64_t file_count, at;
    uc_arena *arena[64]; /* one a thread */
    double sum[64];
    bool failed;
} bench;

static void one(bench *b, const char *path, int thread)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    const uc_contract_want want = {.dtype = UNCORK_DTYPE_NONE, .rank = -1};
    uc_bytes bytes;
    uc_tensor *t;
    uc_arena *arena = b->arena[thread];
    if (uc_file_read(path, false, arena, &bytes, &error) ||
        uc_contract_apply(b->contract, bytes, &want, arena, &t, &error)) {
        fprintf(stderr, "%s: %s\n", path, error.what);
        b->failed = true;
    } else if (t->dtype == UNCORK_FLOAT32) {
        b->sum[thread] += (double)((const float *)t->data)[uc_tensor_count(t) / 2];
    }
    uc_arena_reset(arena);
}

static void some(void *context, int64_t begin, int64_t end, int thread)
{
    bench *b = context;
    for (int64_t i = begin; i < end; i++) {
        one(b, b->files[(b->at + i) % b->file_count], thread);
    }
}

static int rounds(bench *b, uncork_pool *pool)
{
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        const long n = strtol(line, NULL, 10);
        if (n < 1) break;
        const uint64_t begin = uc_now_ns();
        uc_parallel(pool, n, 1, some, b);
        const double seconds = (double)(uc_now_ns() - begin) / 1e9;
        b->at += n;
        double sum = 0;
        for (int i = 0; i < 64; i++) {
            sum += b->sum[i];
        }
        printf("%.6f %.6g\n", seconds, sum / (double)b->at);
        fflush(stdout);
    }
    return b->failed;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: bench_decode SPEC THREADS FILE... <ROUNDS\n");
        return 2;
    }
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    uc_contract *contract;
    if (!arena || uc_contract_parse(argv[1], arena, &contract, &error)) {
        fprintf(stderr, "%s\n", error.what);
        return 2;
    }
    long threads = strtol(argv[2], NULL, 10);
    threads = threads < 1 ? 1 : threads > 64 ? 64 : threads;
    bench b = {.contract = contract, .files = argv + 3, .file_count = argc - 3};
    for (long i = 0; i < threads; i++) {
        b.arena[i] = uc_arena_new(NULL);
        if (!b.arena[i]) return 1;
    }
    uncork_pool *pool;
    if (uncork_pool_new((int)threads, &pool)) return 1;
    int status = rounds(&b, pool);
    uncork_pool_free(pool);
    for (long i = 0; i < threads; i++) {
        uc_arena_free(b.arena[i]);
    }
    uc_arena_free(arena);
    return status;
}
