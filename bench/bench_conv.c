/* The convolutions of known networks, in their order, each with its own weights, activations passed on
 * through rotating buffers as a plan does: one line a distinct layer with its time (best and median of
 * the rounds), GFLOP/s and share of this machine's peak measured in the same run, then totals a class.
 *
 *     bench_conv [resnet50|mobilenetv2|efficientnet|digit|chains|all] [threads] [rounds] [block] */
#include "base/arena.h"
#include "base/cpu.h"
#include "kernel/conv_blocked.h"
#include "kernel/peak_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 128, ROUNDS = 200 };

typedef struct bench_layer {
    const char *kind; /* first, 1x1, KxK, dw, se */
    uc_conv c;
    bool residual;
    const uc_conv_row *row;
    float *packed, *scratch;
    double macs, times[ROUNDS];
} bench_layer;

typedef struct network {
    const char *name;
    bench_layer layer[MOST];
    int count;
    int64_t block;
    int64_t most; /* floats of the largest activation */
} network;

static double now_us(void) { return (double)uc_now_ns() / 1e3; }

/* ---- the peak ------------------------------------------------------------------------------ */

/* GFLOP/s of one core with vectors of `block` floats; 0: not measured. */
static double peak(int64_t block)
{
    enum { STEPS = 20000 };
    float sink = 0;
    uint64_t macs = 0;
    const double begin = now_us();
#if defined(__x86_64__)
    if (block == 16 && (uc_cpu_features() & UC_CPU_AVX512)) {
        macs = uc_peak_avx512(STEPS, &sink);
    } else if (uc_cpu_features() & UC_CPU_AVX2) {
        macs = uc_peak_avx2(STEPS, &sink);
    }
#endif
    (void)block;
    static volatile float kept; /* what the compiler can't drop */
    kept = sink;
    (void)kept;
    return 2 * (double)macs / (now_us() - begin) / 1e3;
}

/* ---- networks ------------------------------------------------------------------------------- */

/* From an arena, as a model's weights are. */
static uc_arena *arena;

static float *memory(size_t floats)
{
    float *f = uc_arena_alloc_raw(arena, (floats + 1) * sizeof *f);
    if (!f) abort();
    for (size_t i = 0; i < floats; i++) {
        f[i] = (float)(i % 97) * 0.01f - 0.48f;
    }
    return f;
}

/* Adds a layer over a square image of `size`; returns the size of its output. */
static int64_t add(network *n, const char *kind, int64_t ic, int64_t oc, int64_t k, int64_t s,
                   int64_t size, uc_act_kind act, bool residual)
{
    bench_layer *l = &n->layer[n->count++];
    const bool depthwise = strcmp(kind, "dw") == 0, plain = strcmp(kind, "first") == 0;
    const int64_t pad = n->name[0] == 'd' ? 0 : k / 2, out = (size + 2 * pad - k) / s + 1;
    *l = (bench_layer){.kind = kind, .residual = residual};
    l->c = (uc_conv){.batch = 1,
                     .ic = ic,
                     .oc = oc,
                     .ih = size,
                     .iw = size,
                     .oh = out,
                     .ow = out,
                     .kh = k,
                     .kw = k,
                     .stride_h = s,
                     .stride_w = s,
                     .dilation_h = 1,
                     .dilation_w = 1,
                     .pad_top = pad,
                     .pad_left = pad,
                     .block = n->block,
                     .depthwise = depthwise,
                     .plain = plain,
                     .act = {act, act == UC_ACT_SWISH ? 1.0f : 0, act == UC_ACT_CLIP ? 6.0f : 0}};
    l->macs = (double)(out * out * oc * k * k) * (double)(depthwise ? 1 : ic);
    const int64_t floats = (out * out * (oc + 64)) > (size * size * (ic + 64))
                               ? out * out * (oc + 64)
                               : size * size * (ic + 64);
    if (floats > n->most) n->most = floats;
    return out;
}

static void resnet50(network *n)
{
    static const int depth[] = {3, 4, 6, 3};
    int64_t size = add(n, "first", 3, 64, 7, 2, 224, UC_ACT_RELU, false) / 2, in = 64;
    for (int stage = 0; stage < 4; stage++) {
        const int64_t mid = 64 << stage, out = mid * 4;
        for (int i = 0; i < depth[stage]; i++) {
            const int64_t s = i == 0 && stage > 0 ? 2 : 1;
            add(n, "1x1", in, mid, 1, 1, size, UC_ACT_RELU, false);
            if (i == 0) add(n, s == 2 ? "1x1s2" : "1x1", in, out, 1, s, size, UC_ACT_NONE, false);
            size = add(n, s == 2 ? "3x3s2" : "3x3", mid, mid, 3, s, size, UC_ACT_RELU, false);
            add(n, "1x1", mid, out, 1, 1, size, UC_ACT_RELU, true);
            in = out;
        }
    }
}

static void mobilenetv2(network *n)
{
    static const int rows[][4] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    int64_t size = add(n, "first", 3, 32, 3, 2, 224, UC_ACT_CLIP, false), in = 32;
    for (int r = 0; r < 7; r++) {
        for (int i = 0; i < rows[r][2]; i++) {
            const int64_t mid = in * rows[r][0], out = rows[r][1], s = i ? 1 : rows[r][3];
            if (rows[r][0] > 1) add(n, "1x1", in, mid, 1, 1, size, UC_ACT_CLIP, false);
            size = add(n, "dw", mid, mid, 3, s, size, UC_ACT_CLIP, false);
            add(n, "1x1", mid, out, 1, 1, size, UC_ACT_NONE, s == 1 && in == out);
            in = out;
        }
    }
    add(n, "1x1", in, 1280, 1, 1, size, UC_ACT_CLIP, false);
}

static void efficientnet(network *n)
{
    static const int rows[][5] = {{1, 16, 1, 1, 3}, {6, 24, 2, 2, 3},  {6, 40, 2, 2, 5},
                                  {6, 80, 3, 2, 3}, {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5},
                                  {6, 320, 1, 1, 3}};
    int64_t size = add(n, "first", 3, 32, 3, 2, 224, UC_ACT_SWISH, false), in = 32;
    for (int r = 0; r < 7; r++) {
        for (int i = 0; i < rows[r][2]; i++) {
            const int64_t mid = in * rows[r][0], out = rows[r][1], s = i ? 1 : rows[r][3];
            if (rows[r][0] > 1) add(n, "1x1", in, mid, 1, 1, size, UC_ACT_SWISH, false);
            size = add(n, "dw", mid, mid, rows[r][4], s, size, UC_ACT_SWISH, false);
            add(n, "se", mid, in / 4, 1, 1, 1, UC_ACT_SWISH, false);
            add(n, "se", in / 4, mid, 1, 1, 1, UC_ACT_SIGMOID, false);
            add(n, "1x1", mid, out, 1, 1, size, UC_ACT_NONE, s == 1 && in == out);
            in = out;
        }
    }
    add(n, "1x1", in, 1280, 1, 1, size, UC_ACT_SWISH, false);
}

static void digit(network *n)
{
    add(n, "first", 1, 32, 3, 1, 28, UC_ACT_RELU, false);
    add(n, "3x3", 32, 64, 3, 1, 26, UC_ACT_RELU, false);
}

/* ---- runs ----------------------------------------------------------------------------------- */

static void ready(bench_layer *l, int threads)
{
    size_t count = 0, scratch = 0;
    const uc_conv *c = &l->c;
    l->row = uc_conv_row_for(c->block);
    l->c.method = l->row->method(c);
    if (!l->row->packed_count(c, &count) || !l->row->scratch_count(c, threads, &scratch)) abort();
    const size_t depth = c->depthwise ? 1 : (size_t)c->ic;
    float *w = memory((size_t)(c->oc * c->kh * c->kw) * depth);
    l->packed = memory(count);
    l->scratch = memory(scratch);
    l->row->pack(c, w, NULL, l->packed);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool is_same(const bench_layer *a, const bench_layer *b)
{
    return strcmp(a->kind, b->kind) == 0 && memcmp(&a->c, &b->c, sizeof a->c) == 0 &&
           a->residual == b->residual;
}

static void print_layers(network *n, int rounds, int threads, double top)
{
    static const char *const methods[] = {"direct", "F(2,3)", "F(4,3)"};
    for (int i = 0; i < n->count; i++) {
        bench_layer *l = &n->layer[i];
        int same = 0;
        double best = 0, median = 0;
        bool seen = false;
        for (int k = 0; k < n->count; k++) {
            if (!is_same(l, &n->layer[k])) continue;
            if (k < i) seen = true;
            best += n->layer[k].times[0];
            median += n->layer[k].times[rounds / 2];
            same++;
        }
        if (seen) continue;
        const double gflops = 2 * l->macs * same / best / 1e3;
        printf(
            "%-13s %-5s %4lldx%-3lld %4lld -> %4lld k%lld s%lld x%d %-6s best %8.1f us  median %8.1f  "
            "%6.1f GFLOP/s %5.1f %% of the peak\n",
            n->name, l->kind, (long long)l->c.ih, (long long)l->c.iw, (long long)l->c.ic,
            (long long)l->c.oc, (long long)l->c.kh, (long long)l->c.stride_h, same,
            methods[l->c.method], best / same, median / same, gflops, 100 * gflops / top / threads);
    }
}

static void print_classes(network *n, int rounds, int threads, double top)
{
    double all = 0, all_median = 0, macs_of_all = 0;
    for (int i = 0; i < n->count; i++) {
        double best = 0, macs = 0;
        bool seen = false;
        for (int k = 0; k < n->count; k++) {
            if (strcmp(n->layer[k].kind, n->layer[i].kind) != 0) continue;
            if (k < i) seen = true;
            best += n->layer[k].times[0];
            macs += n->layer[k].macs;
        }
        all += n->layer[i].times[0];
        all_median += n->layer[i].times[rounds / 2];
        macs_of_all += n->layer[i].macs;
        if (seen) continue;
        printf("%-13s class %-6s %9.1f us  %5.1f %% of the peak\n", n->name, n->layer[i].kind, best,
               100 * 2 * macs / best / 1e3 / top / threads);
    }
    printf("%-13s threads %d: sum of best %.1f us, of medians %.1f us, %.1f %% of the peak of %.1f "
           "GFLOP/s a core\n",
           n->name, threads, all, all_median, 100 * 2 * macs_of_all / all / 1e3 / top / threads,
           top);
}

static void bench(const char *name, void (*build)(network *n), int64_t block, int threads,
                  int rounds)
{
    network *n = calloc(1, sizeof *n);
    uncork_pool *pool = NULL;
    float *slot[3];
    double top = 0;
    arena = uc_arena_new(NULL);
    if (!n || !arena || uc_pool_new(threads, &pool)) abort();
    n->name = name;
    n->block = block;
    build(n);
    for (int i = 0; i < n->count; i++) {
        ready(&n->layer[i], threads);
    }
    for (int i = 0; i < 3; i++) {
        slot[i] = memory((size_t)n->most);
    }
    for (int r = -2; r < rounds; r++) {
        if (r % 8 == 0) {
            const double p = peak(block);
            if (p > top) top = p;
        }
        for (int i = 0; i < n->count; i++) {
            bench_layer *l = &n->layer[i];
            const uc_conv_args args = {.x = slot[i % 3],
                                       .packed = l->packed,
                                       .residual = l->residual ? slot[(i + 2) % 3] : NULL,
                                       .y = slot[(i + 1) % 3],
                                       .scratch = l->scratch,
                                       .pool = pool};
            const double begin = now_us();
            l->row->run(&l->c, &args);
            if (r >= 0) l->times[r] = now_us() - begin;
        }
    }
    for (int i = 0; i < n->count; i++) {
        qsort(n->layer[i].times, (size_t)rounds, sizeof n->layer[i].times[0], compare);
    }
    if (top <= 0) top = 1;
    print_layers(n, rounds, threads, top);
    print_classes(n, rounds, threads, top);
    uc_pool_free(pool);
    uc_arena_free(arena);
    free(n);
}

/* ---- inverted residuals: by bands of rows against layer after layer ---------------------------- */

static uc_conv layer_of(int64_t ic, int64_t oc, int64_t k, int64_t s, int64_t size, int64_t block,
                        uc_act act)
{
    return (uc_conv){.batch = 1,
                     .ic = ic,
                     .oc = oc,
                     .ih = size,
                     .iw = size,
                     .oh = (size + k / 2 * 2 - k) / s + 1,
                     .ow = (size + k / 2 * 2 - k) / s + 1,
                     .kh = k,
                     .kw = k,
                     .stride_h = s,
                     .stride_w = s,
                     .dilation_h = 1,
                     .dilation_w = 1,
                     .pad_top = k / 2,
                     .pad_left = k / 2,
                     .block = block,
                     .depthwise = k > 1,
                     .act = act};
}

static const float *packed_of(const uc_conv_row *row, const uc_conv *c)
{
    size_t count = 0;
    if (!row->packed_count(c, &count)) abort();
    float *w = memory((size_t)(c->oc * c->kh * c->kw * (c->depthwise ? 1 : c->ic)));
    float *packed = memory(count);
    row->pack(c, w, NULL, packed);
    return packed;
}

static void bench_chain(int64_t ic, int64_t middle, int64_t oc, int64_t k, int64_t s, int64_t size,
                        bool project, uc_act act, int64_t block, int threads)
{
    const uc_conv_row *row = uc_conv_row_for(block);
    const uc_act none = {UC_ACT_NONE, 0, 0};
    uc_chain c = {.has_expand = ic != middle, .has_project = project};
    size_t fused = 0, apart = 0;
    double best[2] = {1e9, 1e9};
    uncork_pool *pool = NULL;
    c.expand = layer_of(ic, middle, 1, 1, size, block, act);
    c.spatial = layer_of(middle, middle, k, s, size, block, act);
    c.project = layer_of(middle, oc, 1, 1, c.spatial.oh, block, none);
    if (uc_pool_new(threads, &pool) || !row->chain_scratch(&c, threads, &fused) ||
        !uc_chain_apart_scratch(row, &c, threads, &apart)) {
        abort();
    }
    uc_chain_args args = {.x = memory((size_t)(size * size * (ic + 64))),
                          .expand = packed_of(row, &c.expand),
                          .spatial = packed_of(row, &c.spatial),
                          .project = packed_of(row, &c.project),
                          .y = memory((size_t)(size * size * (middle + 64))),
                          .scratch = memory(fused > apart ? fused : apart),
                          .pool = pool};
    for (int r = 0; r < 40; r++) {
        const double begin = now_us();
        row->chain_run(&c, &args);
        const double between = now_us();
        uc_chain_apart_run(row, &c, &args);
        const double end = now_us();
        if (between - begin < best[0]) best[0] = between - begin;
        if (end - between < best[1]) best[1] = end - between;
    }
    printf(
        "inverted residual %3lldx%-3lld %4lld -> %4lld -> %4lld k%lld s%lld threads %d: by bands %8.1f us, "
        "apart %8.1f, %.2f\n",
        (long long)size, (long long)size, (long long)ic, (long long)middle,
        (long long)(project ? oc : middle), (long long)k, (long long)s, threads, best[0], best[1],
        best[0] / best[1]);
    uc_pool_free(pool);
}

static void bench_chains(int64_t block, int threads)
{
    const uc_act clip = {UC_ACT_CLIP, 0, 6}, swish = {UC_ACT_SWISH, 1, 0};
    static const int rows[][6] = {{32, 32, 16, 3, 1, 112}, {16, 96, 24, 3, 2, 112},
                                  {24, 144, 24, 3, 1, 56}, {24, 144, 32, 3, 2, 56},
                                  {32, 192, 32, 3, 1, 28}, {32, 192, 64, 3, 2, 28},
                                  {64, 384, 64, 3, 1, 14}, {24, 144, 40, 5, 2, 56},
                                  {40, 240, 40, 5, 1, 28}, {40, 240, 80, 3, 2, 28}};
    arena = uc_arena_new(NULL);
    if (!arena) abort();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int *r = rows[i];
        bench_chain(r[0], r[1], r[2], r[3], r[4], r[5], true, clip, block, threads);
        if (r[0] != r[1])
            bench_chain(r[0], r[1], r[2], r[3], r[4], r[5], false, swish, block, threads);
    }
    uc_arena_free(arena);
}

static void nothing(void *context, int64_t begin, int64_t end, int thread)
{
    (void)context;
    (void)begin;
    (void)end;
    (void)thread;
}

/* What a parallel loop costs by itself, one right after the other. */
static void print_overhead(int threads)
{
    uncork_pool *pool = NULL;
    double best = 1e9, median[101];
    if (threads < 2 || uc_pool_new(threads, &pool)) return;
    for (int i = 0; i < 101; i++) {
        const double begin = now_us();
        for (int k = 0; k < 100; k++) {
            uc_parallel(pool, threads, 1, nothing, NULL);
        }
        median[i] = (now_us() - begin) / 100;
        if (median[i] < best) best = median[i];
    }
    qsort(median, 101, sizeof median[0], compare);
    printf("a parallel loop over nothing: best %.2f us, median %.2f\n", best, median[50]);
    uc_pool_free(pool);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*build)(network *n);
    } networks[] = {{"resnet50", resnet50},
                    {"mobilenetv2", mobilenetv2},
                    {"efficientnet", efficientnet},
                    {"digit", digit}};
    const char *which = argc > 1 ? argv[1] : "all";
    const int threads = argc > 2 ? atoi(argv[2]) : 1;
    int rounds = argc > 3 ? atoi(argv[3]) : 20;
    const int64_t block = argc > 4 ? atoi(argv[4]) : uc_conv_best_block();
    if (rounds < 1 || rounds > ROUNDS) rounds = ROUNDS;
    printf("cpu: %s, %d cores, block %lld\n", uc_cpu_text(), uc_cpu_cores(), (long long)block);
    print_overhead(threads);
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        if (strcmp(which, "all") != 0 && strcmp(which, networks[i].name) != 0) continue;
        bench(networks[i].name, networks[i].build, block, threads, rounds);
    }
    if (strcmp(which, "all") == 0 || strcmp(which, "chains") == 0) bench_chains(block, threads);
    return 0;
}
