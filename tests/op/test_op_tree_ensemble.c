/* uncork.TreeEnsemble against a plain walk over the same table: every kind of node, value and sum, and
 * the same bits for any batch and number of threads. */
#include "base/thread.h"
#include "check.h"
#include "graph/graph_trees.h"
#include "plan/plan.h"

#include <math.h>

enum { FEATURES = 7, TREES = 23, NODES = 61, ROWS = 321, COLUMNS = 3 };

typedef struct world {
    uc_arena *arena;
    uc_graph *graph;
    uncork_error error;
    uc_tree_table table;
    uc_ref x;
} world;

static uint32_t state = 99;

static uint32_t next_random(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static double number(void) { return (double)(next_random() % 2000) / 128 - 7; }

static void start(world *w, uncork_dtype x, uncork_dtype value, int64_t width)
{
    *w = (world){.error = {.size = sizeof(uncork_error)}};
    uc_error_init(&w->error);
    w->arena = uc_arena_new(NULL);
    w->graph = uc_graph_new(w->arena, NULL, &w->error);
    w->x = uc_graph_input(w->graph, "x", x, 2, (int64_t[]){-1, FEATURES});
    w->table = (uc_tree_table){.trees = TREES,
                               .nodes = TREES * NODES,
                               .value_dtype = value,
                               .width = width,
                               .columns = width ? width : COLUMNS,
                               .features = FEATURES};
    CHECK(uc_tree_table_init(w->graph, &w->table) && uc_tree_table_flags(w->graph, &w->table));
}

/* Random trees, children after their parents. */
static void grow(world *w)
{
    uc_tree_table *t = &w->table;
    int64_t values = t->width ? t->width : 1;
    for (int64_t k = 0; k < TREES; k++) {
        int64_t first = t->first[k] = k * NODES, placed = 1;
        for (int64_t i = 0; i < NODES; i++) {
            int64_t at = first + i;
            if (i < placed && placed + 2 <= NODES && (i < 3 || next_random() % 4)) {
                t->left[at] = (int32_t)placed;
                t->right[at] = (int32_t)placed + 1;
                placed += 2;
            }
            t->feature[at] = (int32_t)(next_random() % FEATURES);
            t->threshold[at] = number();
            t->flags[at] = (uint8_t)(UC_NODE_NAN | (next_random() % 2 ? UC_NODE_MISSING_LEFT : 0));
            for (int64_t v = 0; v < values; v++) {
                if (t->value32) {
                    t->value32[at * values + v] = (float)number() / 3;
                } else {
                    t->value64[at * values + v] = number() / 3;
                }
            }
        }
    }
    t->first[TREES] = TREES * NODES;
}

static void add_groups(world *w)
{
    w->table.group = UC_NEW(w->arena, int32_t, TREES);
    for (int32_t k = 0; k < TREES; k++) {
        w->table.group[k] = k % COLUMNS;
    }
}

/* Half of the splits become sets of categories. */
static void add_categories(world *w)
{
    uc_tree_table *t = &w->table;
    CHECK(uc_tree_table_sets(w->graph, t, t->nodes, t->nodes));
    for (int64_t i = 0; i < t->nodes; i++) {
        t->set[i] = (int32_t)i;
        t->sets[4 * i] = i;
        t->sets[4 * i + 1] = 8 + next_random() % 24;
        t->words[i] = next_random();
        if (next_random() % 2) {
            t->flags[i] |= UC_NODE_CATEGORY | (next_random() % 2 ? UC_NODE_IN_LEFT : 0) |
                           (next_random() % 2 ? UC_NODE_INVALID_LEFT : 0);
        }
    }
}

/* Every third node is a linear function. */
static void add_linear(world *w)
{
    uc_tree_table *t = &w->table;
    t->linear_first = UC_NEW(w->arena, int64_t, (size_t)t->nodes + 1);
    t->linear_const = UC_NEW(w->arena, double, (size_t)t->nodes);
    t->linear_feature = UC_NEW(w->arena, int32_t, (size_t)t->nodes);
    t->linear_coef = UC_NEW(w->arena, double, (size_t)t->nodes);
    for (int64_t i = 0; i < t->nodes; i++) {
        t->linear_first[i] = t->linear_count;
        t->linear_const[i] = t->value64[i];
        if (i % 3 == 0) {
            t->linear_feature[t->linear_count] = (int32_t)(next_random() % FEATURES);
            t->linear_coef[t->linear_count++] = number();
        }
    }
    t->linear_first[t->nodes] = t->linear_count;
}

/* ---- the plain walk --------------------------------------------------------------------------- */

static int goes_left(const uc_tree_table *t, int64_t at, double v)
{
    int missing_left = (t->flags[at] & UC_NODE_MISSING_LEFT) != 0;
    if (v != v) {
        return missing_left;
    }
    if (!(t->flags[at] & UC_NODE_CATEGORY)) {
        return t->strict ? v < t->threshold[at] : v <= t->threshold[at];
    }
    if (v < 0) {
        return (t->flags[at] & UC_NODE_INVALID_LEFT) != 0;
    }
    int64_t c = (int64_t)v;
    int in = c < t->sets[4 * at + 1] && (t->words[t->sets[4 * at]] >> c & 1);
    return in == ((t->flags[at] & UC_NODE_IN_LEFT) != 0);
}

static int64_t leaf_of(const uc_tree_table *t, int64_t tree, const double *x)
{
    int64_t at = t->first[tree];
    while (t->left[at] >= 0) {
        int left = goes_left(t, at, x[t->feature[at]]);
        at = t->first[tree] + (left ? t->left[at] : t->right[at]);
    }
    return at;
}

static double plain_value(const uc_tree_table *t, int64_t at, const double *x)
{
    if (!t->linear_first || t->linear_first[at] == t->linear_first[at + 1]) {
        return t->linear_first ? t->linear_const[at] : t->value64[at];
    }
    int64_t i = t->linear_first[at];
    double v = x[t->linear_feature[i]];
    return v != v ? t->value64[at] : t->linear_const[at] + v * t->linear_coef[i];
}

/* One row's sums, in float64 or float32 as the table's values are. */
static void plain_row(const uc_tree_table *t, const double *x, void *out)
{
    int64_t columns = t->width ? t->width : t->columns;
    double sum[COLUMNS] = {0};
    float sum32[COLUMNS] = {0};
    for (int64_t k = 0; k < columns && t->base && !t->base_last; k++) {
        sum[k] = t->base[k];
        sum32[k] = (float)t->base[k];
    }
    for (int64_t tree = 0; tree < t->trees; tree++) {
        int64_t at = leaf_of(t, tree, x), g = t->group ? t->group[tree] : 0;
        for (int64_t k = 0; k < (t->width ? t->width : 1); k++) {
            int64_t to = t->width ? k : g, from = t->width ? at * t->width + k : at;
            if (t->value32) {
                float v = t->value32[from];
                sum32[to] += t->weight ? (float)t->weight[tree] * v : v;
            } else {
                double v = t->width ? t->value64[from] : plain_value(t, at, x);
                sum[to] += t->weight ? t->weight[tree] * v : v;
            }
        }
    }
    for (int64_t k = 0; k < columns; k++) {
        bool last = t->base && t->base_last;
        double divisor = t->divisor != 0 ? t->divisor : 1; /* NOLINT: exactly 0 is none */
        sum[k] = (sum[k] + (last ? t->base[k] : 0)) / divisor;
        sum32[k] = (sum32[k] + (last ? (float)t->base[k] : 0)) / (float)divisor;
    }
    memcpy(out, t->value32 ? (void *)sum32 : (void *)sum,
           (size_t)columns * (t->value32 ? sizeof(float) : sizeof(double)));
}

/* ---- running ---------------------------------------------------------------------------------- */

static double rows64[ROWS * FEATURES];
static float rows32[ROWS * FEATURES];

static int make_rows(void **unused)
{
    (void)unused;
    for (int i = 0; i < ROWS * FEATURES; i++) {
        uint32_t kind = next_random() % 12;
        rows32[i] = kind == 0 ? NAN : kind < 5 ? (float)(next_random() % 40) - 3 : (float)number();
        rows64[i] = (double)rows32[i];
    }
    return 0;
}

static size_t row_bytes(const uc_tree_table *t)
{
    size_t columns = (size_t)(t->width ? t->width : t->columns);
    return columns * (t->value32 ? sizeof(float) : sizeof(double));
}

/* Runs all rows in batches of this many; out [ROWS, row_bytes]. */
static void run_batches(world *w, const uc_program *program, uncork_dtype x, int64_t batch,
                        uncork_pool *pool, uint8_t *out)
{
    uc_runner *runner;
    CHECK_OK(uc_runner_new(program, pool, &runner), &w->error);
    for (int64_t row = 0; row < ROWS; row += batch) {
        int64_t n = ROWS - row < batch ? ROWS - row : batch;
        uc_value in = {.kind = UC_TENSOR};
        uc_tensor_set(&in.tensor, x, 2, (int64_t[]){n, FEATURES});
        in.tensor.data = x == UNCORK_FLOAT32 ? (void *)(rows32 + row * FEATURES)
                                             : (void *)(rows64 + row * FEATURES);
        const uc_value *inputs = &in;
        CHECK_OK(uc_runner_run(runner, &inputs, 1, NULL, &w->error), &w->error);
        const uc_tensor *y = &uc_runner_output(runner, 0)->tensor;
        memcpy(out + (size_t)row * row_bytes(&w->table), y->data, (size_t)n * row_bytes(&w->table));
    }
    uc_runner_free(runner);
}

/* Finishes the graph and compares every batch size and thread count with the plain walk. */
static void check_all(world *w, uncork_dtype x)
{
    static uint8_t want[ROWS * COLUMNS * 8], got[ROWS * COLUMNS * 8];
    uc_program *program;
    uncork_pool *pool;
    uc_graph_output(w->graph, "y", uc_tree_table_node(w->graph, &w->table, w->x, 0));
    CHECK_OK(uc_graph_finish(w->graph), &w->error);
    CHECK_OK(uc_program_new(w->graph, w->arena, NULL, &program, &w->error), &w->error);
    CHECK_INT(uc_pool_new(3, &pool), UNCORK_OK);
    for (int64_t i = 0; i < ROWS; i++) {
        plain_row(&w->table, rows64 + i * FEATURES, want + (size_t)i * row_bytes(&w->table));
    }
    static const int64_t batches[] = {ROWS, 1, 5, 17, 100};
    for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
        for (int threads = 0; threads < 2; threads++) {
            memset(got, 0, sizeof got);
            run_batches(w, program, x, batches[b], threads ? pool : NULL, got);
            CHECK_BYTES(got, want, ROWS * row_bytes(&w->table));
        }
    }
    uc_pool_free(pool);
    uc_arena_free(w->arena);
}

static void sums_of_float64_values_are_exact(void **unused)
{
    (void)unused;
    for (int strict = 0; strict < 2; strict++) {
        for (int narrow = 0; narrow < 2; narrow++) {
            world w;
            uncork_dtype x = narrow ? UNCORK_FLOAT32 : UNCORK_FLOAT64;
            start(&w, x, UNCORK_FLOAT64, 0);
            grow(&w);
            add_groups(&w);
            w.table.strict = strict;
            w.table.base = (double[]){0.1, -2.5, 1e3};
            w.table.divisor = narrow ? 7 : 0;
            check_all(&w, x);
        }
    }
}

static void sums_of_float32_values_are_exact(void **unused)
{
    (void)unused;
    for (int last = 0; last < 2; last++) {
        world w;
        start(&w, UNCORK_FLOAT32, UNCORK_FLOAT32, 0);
        grow(&w);
        add_groups(&w);
        w.table.strict = true;
        w.table.base = (double[]){0.5, -2.25, 100};
        w.table.base_last = last;
        w.table.weight = UC_NEW(w.arena, double, TREES);
        for (int k = 0; k < TREES; k++) {
            w.table.weight[k] = (double)(float)(1.0 / (k + 1));
        }
        check_all(&w, UNCORK_FLOAT32);
    }
}

static void rows_of_values_are_added_whole(void **unused)
{
    (void)unused;
    for (int narrow = 0; narrow < 2; narrow++) {
        world w;
        start(&w, UNCORK_FLOAT64, narrow ? UNCORK_FLOAT32 : UNCORK_FLOAT64, COLUMNS);
        grow(&w);
        check_all(&w, UNCORK_FLOAT64);
    }
}

static void categories_and_linear_leaves_are_followed(void **unused)
{
    (void)unused;
    for (int narrow = 0; narrow < 2; narrow++) {
        world w;
        uncork_dtype x = narrow ? UNCORK_FLOAT32 : UNCORK_FLOAT64;
        start(&w, x, UNCORK_FLOAT64, 0);
        grow(&w);
        add_groups(&w);
        add_categories(&w);
        add_linear(&w);
        check_all(&w, x);
    }
}

static void linear_leaves_work_with_packed_trees(void **unused)
{
    (void)unused;
    world w;
    start(&w, UNCORK_FLOAT32, UNCORK_FLOAT64, 0);
    grow(&w);
    add_linear(&w);
    w.table.columns = 1;
    check_all(&w, UNCORK_FLOAT32);
}

static void leaves_and_single_values_can_be_asked_for(void **unused)
{
    (void)unused;
    for (int leaf = 0; leaf < 2; leaf++) {
        world w;
        uc_program *program;
        uc_runner *runner;
        start(&w, UNCORK_FLOAT64, UNCORK_FLOAT64, 0);
        grow(&w);
        w.table.output = leaf ? "leaf" : "each";
        uc_graph_output(w.graph, "y", uc_tree_table_node(w.graph, &w.table, w.x, 0));
        CHECK_OK(uc_graph_finish(w.graph), &w.error);
        CHECK_OK(uc_program_new(w.graph, w.arena, NULL, &program, &w.error), &w.error);
        CHECK_OK(uc_runner_new(program, NULL, &runner), &w.error);
        uc_value in = {.kind = UC_TENSOR};
        uc_tensor_set(&in.tensor, UNCORK_FLOAT64, 2, (int64_t[]){ROWS, FEATURES});
        in.tensor.data = rows64;
        const uc_value *inputs = &in;
        CHECK_OK(uc_runner_run(runner, &inputs, 1, NULL, &w.error), &w.error);
        const uc_tensor *y = &uc_runner_output(runner, 0)->tensor;
        CHECK_INT(y->dtype, leaf ? UNCORK_INT64 : UNCORK_FLOAT64);
        for (int64_t i = 0; i < ROWS * TREES; i++) {
            int64_t tree = i % TREES, at = leaf_of(&w.table, tree, rows64 + i / TREES * FEATURES);
            if (leaf) {
                CHECK_INT(((int64_t *)y->data)[i], at - w.table.first[tree]);
            } else {
                CHECK(((double *)y->data)[i] == w.table.value64[at]);
            }
        }
        uc_runner_free(runner);
        uc_arena_free(w.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_float64_values_are_exact),
        cmocka_unit_test(sums_of_float32_values_are_exact),
        cmocka_unit_test(rows_of_values_are_added_whole),
        cmocka_unit_test(categories_and_linear_leaves_are_followed),
        cmocka_unit_test(linear_leaves_work_with_packed_trees),
        cmocka_unit_test(leaves_and_single_values_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, make_rows, NULL);
}
