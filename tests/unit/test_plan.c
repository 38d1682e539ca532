/* Programs and plans: what is folded, viewed, reused; what a run allocates; hostile shapes. */
#include "check.h"
#include "pass/pass.h"
#include "plan/plan_parts.h"

typedef struct world {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_graph *g;
    const uc_program *program;
    uc_runner *runner;
} world;

static world make(void)
{
    world w = {0};
    uncork_limits limits = {.size = sizeof limits};
    uc_budget_init(&w.budget, &limits, 0);
    uc_error_init(&w.error);
    w.arena = uc_arena_new(NULL);
    return w;
}

static void start(world *w) { w->g = uc_graph_new(w->arena, &w->budget, &w->error); }

static void finish(world *w)
{
    uc_program *program = NULL;
    CHECK_OK(uc_graph_finish(w->g), &w->error);
    CHECK_OK(uc_program_new(w->g, w->arena, &w->budget, &program, &w->error), &w->error);
    w->program = program;
    CHECK_OK(uc_runner_new(program, NULL, &w->runner), &w->error);
}

static void end(world *w)
{
    uc_runner_free(w->runner);
    uc_arena_free(w->arena);
}

static uc_value matrix(double *data, int64_t rows, int64_t columns)
{
    uc_value v = {.kind = UC_TENSOR};
    const int64_t shape[] = {rows, columns};
    uc_tensor_set(&v.tensor, UNCORK_FLOAT64, 2, shape);
    v.tensor.data = data;
    return v;
}

static void an_output_that_is_an_input_is_a_copy(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {-1, 2};
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape);
    uc_graph_output(w.g, "same", x);
    const int64_t flat[] = {-1};
    uc_graph_output(w.g, "flat", uc_g_reshape(w.g, uc_g1(w.g, "Identity", x), flat, 1));
    finish(&w);
    double data[] = {1, 2, 3, 4};
    uc_value in = matrix(data, 2, 2);
    const uc_value *inputs[] = {&in};
    CHECK_OK(uc_runner_run(w.runner, inputs, 1, &w.budget, &w.error), &w.error);
    const uc_tensor *same = &uc_runner_output(w.runner, 0)->tensor;
    const uc_tensor *flat_out = &uc_runner_output(w.runner, 1)->tensor;
    CHECK(same->data != data && flat_out->data != data);
    CHECK_BYTES(same->data, data, sizeof data);
    CHECK_BYTES(flat_out->data, data, sizeof data);
    CHECK_INT(flat_out->rank, 1);
    CHECK_INT(flat_out->shape[0], 4);
    end(&w);
}

/* Slices of the caller's input, one read in place of another's result, and one that is an output. */
static void a_slice_lies_in_the_memory_of_the_whole(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, (int64_t[]){-1, 2});
    uc_ref one = uc_graph_i64(w.g, 1), last = uc_graph_i64(w.g, -1);
    uc_ref difference =
        uc_g2(w.g, "Sub", uc_g_gather(w.g, x, last, 0), uc_g_gather(w.g, x, one, 0));
    uc_graph_output(w.g, "difference", difference);
    uc_graph_output(w.g, "given", uc_g_gather(w.g, x, one, 0));
    uc_ref minus = uc_g1(w.g, "Neg", x);
    uc_graph_output(w.g, "minus", uc_g1(w.g, "Neg", uc_g_gather(w.g, minus, last, 0)));
    uc_graph_output(w.g, "column", uc_g1(w.g, "Neg", uc_g_gather(w.g, x, one, 1)));
    finish(&w);
    double data[] = {1, 2, 3, 4, 50, 60}, others[] = {7, 8, 9, 10, 11, 15};
    for (int i = 0; i < 2; i++) { /* the second time elsewhere */
        const double *d = i ? others : data;
        uc_value in = matrix(i ? others : data, 3, 2);
        const uc_value *inputs[] = {&in};
        CHECK_OK(uc_runner_run(w.runner, inputs, 1, &w.budget, &w.error), &w.error);
        const uc_tensor *out[4];
        for (size_t k = 0; k < 4; k++) {
            out[k] = &uc_runner_output(w.runner, k)->tensor;
        }
        CHECK_BYTES(out[0]->data, ((double[]){d[4] - d[2], d[5] - d[3]}), 2 * sizeof(double));
        CHECK(out[1]->data != d + 2);
        CHECK_BYTES(out[1]->data, d + 2, 2 * sizeof(double));
        CHECK_BYTES(out[2]->data, d + 4, 2 * sizeof(double));
        CHECK_BYTES(out[3]->data, ((double[]){-d[1], -d[3], -d[5]}), 3 * sizeof(double));
    }
    end(&w);
}

/* A part far into a value, written over in place, and read through another view of what was written. */
static void a_view_of_what_is_written_in_place_moves_along(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 2, (int64_t[]){-1, 2});
    uc_ref part = uc_g_gather(w.g, uc_g1(w.g, "Neg", x), uc_graph_i64(w.g, -1), 0);
    uc_node *n = uc_graph_node(w.g, "uncork.Elementwise", &part, 1, 1);
    uc_node_strs(w.g, n, "ops", &(uc_str){"Neg", 3}, 1);
    uc_node_ints(w.g, n, "args", (int64_t[]){0, -1, -1}, 3);
    uc_ref tall = uc_g_reshape(w.g, uc_node_out(n, 0), (int64_t[]){2, 1}, 2);
    uc_graph_output(w.g, "twice", uc_g2(w.g, "Add", tall, tall));
    finish(&w);
    float data[] = {1, 2, 3, 4, 50, 60};
    uc_value in = {.kind = UC_TENSOR};
    uc_tensor_set(&in.tensor, UNCORK_FLOAT32, 2, (int64_t[]){3, 2});
    in.tensor.data = data;
    const uc_value *inputs[] = {&in};
    CHECK_OK(uc_runner_run(w.runner, inputs, 1, &w.budget, &w.error), &w.error);
    const float *out = uc_runner_output(w.runner, 0)->tensor.data;
    CHECK_BYTES(out, ((float[]){100, 120}), 2 * sizeof(float));
    end(&w);
}

static void an_input_of_another_shape_is_refused_naming_both(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {-1, 3};
    uc_graph_output(w.g, "y",
                    uc_g1(w.g, "Identity", uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape)));
    finish(&w);
    double data[] = {1, 2, 3, 4};
    uc_value in = matrix(data, 2, 2);
    const uc_value *inputs[] = {&in};
    CHECK_INT(uc_runner_run(w.runner, inputs, 1, &w.budget, &w.error), UNCORK_INPUT);
    CHECK_STR(w.error.what,
              "input 'x' is float64[2, 2], the model takes float64[?, 3]: another size");
    end(&w);
}

static const uc_tensor *output(const world *w, size_t i)
{
    return &uc_runner_output(w->runner, i)->tensor;
}

static uncork_status run1(world *w, const uc_value *in)
{
    uc_error_init(&w->error);
    return uc_runner_run(w->runner, &in, 1, &w->budget, &w->error);
}

/* x [?, 4] -> softmax(x W + b), the label of the largest as text, and the mean of each row. */
static void build_classifier(world *w)
{
    const int64_t shape[] = {-1, 4};
    const double weights[] = {1, 2, 3, -1, 0.5, 2, 0, 1, -2, 3, 1, 1};
    uc_ref x = uc_graph_input(w->g, "x", UNCORK_FLOAT64, 2, shape);
    const int64_t square[] = {4, 3}, three = 3;
    uc_ref wide = uc_g_reshape(w->g, uc_graph_f64s(w->g, weights, 12), square, 2);
    uc_ref scores =
        uc_g2(w->g, "Add", uc_g2(w->g, "MatMul", x, wide), uc_graph_f64s(w->g, weights, 3));
    const uc_str names[] = {{"cat", 3}, {"dog", 3}, {"horse", 5}};
    uc_ref labels = uc_graph_const(w->g, uc_tensor_strings(w->arena, names, 1, &three));
    uc_graph_output(w->g, "probability", uc_g_softmax(w->g, scores, 1));
    uc_graph_output(w->g, "label",
                    uc_g_gather(w->g, labels, uc_g_argmax(w->g, scores, 1, false), 0));
    uc_graph_output(w->g, "mean", uc_g_reduce(w->g, "ReduceMean", x, 1, false));
}

static void running_a_known_shape_again_allocates_nothing(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    build_classifier(&w);
    finish(&w);
    double data[8] = {1, 2, 3, 4, -1, 2, -3, 4};
    uc_value in = matrix(data, 2, 4);
    for (int i = 0; i < 3; i++) { /* scratch settles */
        CHECK_OK(run1(&w, &in), &w.error);
    }
    uc_arena_fail_after(1);
    uncork_status status = run1(&w, &in);
    uc_arena_fail_after(0);
    CHECK_OK(status, &w.error);
    CHECK(uc_str_is(uc_tensor_string(output(&w, 1), 0), "cat"));
    end(&w);
}

static void a_row_has_the_same_bits_in_any_batch(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    build_classifier(&w);
    finish(&w);
    double data[40 * 4], one[40 * 3];
    for (int i = 0; i < 160; i++) {
        data[i] = 0.37 * (i % 11) - 0.11 * (i % 7);
    }
    for (int r = 0; r < 40; r++) {
        uc_value in = matrix(data + 4 * r, 1, 4);
        CHECK_OK(run1(&w, &in), &w.error);
        memcpy(one + 3 * r, output(&w, 0)->data, 3 * sizeof *one);
    }
    uc_value in = matrix(data, 40, 4);
    CHECK_OK(run1(&w, &in), &w.error);
    CHECK_BYTES(output(&w, 0)->data, one, sizeof one);
    end(&w);
}

static void more_shapes_than_plans_are_kept_still_run(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    build_classifier(&w);
    finish(&w);
    double data[50 * 4] = {0};
    for (int round = 0; round < 2; round++) {
        for (int rows = 0; rows < 50; rows++) {
            uc_value in = matrix(data, rows, 4);
            CHECK_OK(run1(&w, &in), &w.error);
            CHECK_INT(output(&w, 0)->shape[0], rows);
            CHECK_INT(output(&w, 1)->shape[0], rows);
        }
    }
    end(&w);
}

static void shapes_that_the_data_decides_run(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {-1, 2}, flat[] = {-1};
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape);
    uc_ref places = uc_g1(w.g, "NonZero", uc_g_reshape(w.g, x, flat, 1));
    uc_ref found = uc_g_reshape(w.g, uc_g_slice(w.g, places, 0, 0, 1), flat, 1);
    uc_ref picked = uc_g_gather(w.g, uc_g_reshape(w.g, x, flat, 1), found, 0);
    uc_graph_output(w.g, "picked", uc_g2(w.g, "Mul", picked, uc_graph_f64(w.g, 2)));
    uc_graph_output(w.g, "sum", uc_g_reduce(w.g, "ReduceSum", picked, 0, false));
    finish(&w);
    double data[] = {0, 3, 0, 5, 7, 0}, other[] = {1, 0, 0, 0, 0, 0};
    uc_value in = matrix(data, 3, 2), again = matrix(other, 3, 2);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(run1(&w, &in), &w.error);
        const double want[] = {6, 10, 14};
        CHECK_INT(output(&w, 0)->shape[0], 3);
        CHECK_BYTES(output(&w, 0)->data, want, sizeof want);
        CHECK(*(double *)output(&w, 1)->data == 15);
        CHECK_OK(run1(&w, &again), &w.error);
        CHECK_INT(output(&w, 0)->shape[0], 1);
        CHECK(*(double *)output(&w, 1)->data == 1);
    }
    end(&w);
}

static void a_chain_needs_the_memory_of_two_values(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {-1, 4};
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape);
    for (int i = 0; i < 50; i++) {
        x = uc_g1(w.g, "Neg", x);
    }
    uc_graph_output(w.g, "y", x);
    finish(&w);
    double data[400] = {1};
    uc_value in = matrix(data, 100, 4);
    const uc_value *inputs[] = {&in};
    uc_plan plan = {.arena = uc_arena_new(NULL)};
    CHECK_OK(uc_plan_make(w.program, inputs, NULL, NULL, &plan, &w.error), &w.error);
    CHECK_INT(plan.block_bytes, 2 * sizeof data);
    CHECK_INT(plan.step_count, 50);
    uc_arena_free(plan.arena);
    end(&w);
}

static uc_ref join2(uc_graph *g, uc_ref a, uc_ref b)
{
    uc_node *node = uc_graph_node(g, "Concat", (uc_ref[]){a, b}, 2, 1);
    uc_node_int(g, node, "axis", 0);
    return node->out[0];
}

/* y = [[-x, |x|], -(-x)] of 4 x 8: all three parts are made in y, though -x is read once more. */
static void parts_of_a_concatenation_are_made_where_they_lie(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {4, 8};
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape);
    uc_ref minus = uc_g1(w.g, "Neg", x), size = uc_g1(w.g, "Abs", x);
    uc_ref inner = join2(w.g, minus, size), y = join2(w.g, inner, uc_g1(w.g, "Neg", minus));
    uc_graph_output(w.g, "y", y);
    finish(&w);
    double data[32];
    for (int i = 0; i < 32; i++)
        data[i] = i - 16;
    uc_value in = matrix(data, 4, 8);
    const uc_value *inputs[] = {&in};
    uc_plan plan = {.arena = uc_arena_new(NULL)};
    CHECK_OK(uc_plan_make(w.program, inputs, NULL, NULL, &plan, &w.error), &w.error);
    const char *begin = plan.values[y].tensor.data;
    CHECK(plan.values[minus].tensor.data == begin);
    CHECK(plan.values[inner].tensor.data == begin);
    CHECK(plan.values[size].tensor.data == begin + sizeof data);
    uc_arena_free(plan.arena);
    CHECK_OK(uc_runner_run(w.runner, inputs, 1, &w.budget, &w.error), &w.error);
    const double *got = uc_runner_output(w.runner, 0)->tensor.data;
    for (int i = 0; i < 32; i++) {
        CHECK(got[i] == -data[i] && got[32 + i] == (data[i] < 0 ? -data[i] : data[i]) &&
              got[64 + i] == data[i]);
    }
    end(&w);
}

/* Random graphs of what may share memory: each value against one that was computed by hand. */
static void graphs_that_share_memory_give_what_they_would_without(void **state)
{
    (void)state;
    enum { NODES = 24, MOST = 4096, START = 16 };
    static float want[NODES + 1][MOST];
    uint32_t seed = 11;
    for (int round = 0; round < 400; round++) {
        world w = make();
        start(&w);
        const int64_t shape[] = {START};
        uc_ref refs[NODES + 1];
        int64_t count[NODES + 1] = {START};
        float data[START];
        refs[0] = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 1, shape);
        for (int i = 0; i < START; i++)
            want[0][i] = data[i] = (float)(i - 3);
        for (int n = 1; n <= NODES; n++) {
            seed = seed * 1664525u + 1013904223u;
            const uint32_t near = n < 4 ? (uint32_t)n : 4;
            const int a = n - 1 - (int)((seed >> 8) % near), b = n - 1 - (int)((seed >> 14) % near);
            const int64_t flat[] = {-1};
            count[n] = count[a];
            if ((seed >> 28) < 6 && count[a] + count[b] <= MOST) {
                refs[n] = join2(w.g, refs[a], refs[b]);
                memcpy(want[n], want[a], (size_t)count[a] * sizeof(float));
                memcpy(want[n] + count[a], want[b], (size_t)count[b] * sizeof(float));
                count[n] = count[a] + count[b];
            } else if ((seed >> 28) < 12) {
                refs[n] = uc_g1(w.g, "Neg", uc_g2(w.g, "Add", refs[a], uc_graph_f32(w.g, 1)));
                for (int64_t i = 0; i < count[a]; i++)
                    want[n][i] = -(want[a][i] + 1);
            } else if ((seed >> 28) < 14 && count[a] > 4) { /* the end alone */
                refs[n] = uc_g_slice(w.g, refs[a], 0, count[a] / 2, INT64_MAX);
                count[n] -= count[a] / 2;
                memcpy(want[n], want[a] + count[a] / 2, (size_t)count[n] * sizeof(float));
            } else {
                refs[n] = uc_g_reshape(w.g, refs[a], flat, 1);
                memcpy(want[n], want[a], (size_t)count[a] * sizeof(float));
            }
        }
        const int outputs[] = {NODES, NODES - 1, (int)((seed >> 11) % NODES)};
        const char *const names[] = {"y", "z", "t"};
        for (int o = 0; o < 3; o++)
            uc_graph_output(w.g, names[o], refs[outputs[o]]);
        CHECK_OK(uc_graph_finish(w.g), &w.error);
        uc_graph *better = NULL; /* its elementwise steps write in place */
        CHECK_OK(uc_pass_run_all(w.g, NULL, false, &w.error, &better), &w.error);
        uc_program *program = NULL;
        CHECK_OK(uc_program_new(better, w.arena, &w.budget, &program, &w.error), &w.error);
        CHECK_OK(uc_runner_new(program, NULL, &w.runner), &w.error);
        uc_value in = {.kind = UC_TENSOR};
        uc_tensor_set(&in.tensor, UNCORK_FLOAT32, 1, shape);
        in.tensor.data = data;
        const uc_value *inputs[] = {&in};
        CHECK_OK(uc_runner_run(w.runner, inputs, 1, &w.budget, &w.error), &w.error);
        for (int o = 0; o < 3; o++) {
            const uc_tensor *t = &uc_runner_output(w.runner, (size_t)o)->tensor;
            CHECK_INT(uc_tensor_count(t), count[outputs[o]]);
            for (int64_t i = 0; i < count[outputs[o]]; i++)
                CHECK(((const float *)t->data)[i] == want[outputs[o]][i]);
        }
        end(&w);
    }
}

static void values_alive_at_once_never_overlap(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    uc_life lives[COUNT];
    uint32_t seed = 7;
    size_t total = 0, sum = 0;
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525u + 1013904223u;
        lives[i] = (uc_life){.bytes = seed >> 20, .first = (seed >> 3) % 200};
        lives[i].last = lives[i].first + (seed >> 11) % 9;
        sum += lives[i].bytes;
    }
    uc_arena *arena = uc_arena_new(NULL);
    CHECK(uc_plan_memory(lives, COUNT, arena, &total));
    for (int i = 0; i < COUNT; i++) {
        CHECK(lives[i].offset % 64 == 0 && lives[i].offset + lives[i].bytes <= total);
        for (int k = 0; k < i; k++) {
            const uc_life *a = &lives[i], *b = &lives[k];
            bool together = a->first <= b->last && b->first <= a->last;
            bool apart = a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
            CHECK(!together || apart);
        }
    }
    CHECK(total < sum / 4);
    uc_arena_free(arena);
}

/* So many values (a hostile pipeline's) are placed in the order of time, not every pair compared. */
static void many_values_are_placed_apart_in_little_time(void **state)
{
    enum { COUNT = 200000, SPAN = 8 };
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    uc_life *lives = UC_NEW(arena, uc_life, COUNT);
    size_t total = 0;
    assert_non_null(lives);
    for (size_t i = 0; i < COUNT; i++) {
        size_t first = COUNT - 1 - i;
        lives[i] =
            (uc_life){.bytes = 1 + i * 37 % 999, .first = first, .last = first + i * 7 % SPAN};
    }
    CHECK(uc_plan_memory(lives, COUNT, arena, &total));
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = i + 1; k < COUNT && k < i + SPAN; k++) {
            const uc_life *a = &lives[i], *b = &lives[k];
            bool together = a->first <= b->last && b->first <= a->last;
            bool apart = a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
            CHECK(!together || apart);
        }
    }
    CHECK(total < (size_t)64 * 1024);
    uc_arena_free(arena);
}

static void constants_are_folded_and_small_shape_arithmetic_too(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {-1, 4}, flat[] = {-1}, zero = 0;
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape);
    uc_ref two = uc_g2(w.g, "Add", uc_graph_f64(w.g, 1), uc_graph_f64(w.g, 1));
    uc_ref rows = uc_g_gather(w.g, uc_g1(w.g, "Shape", x), uc_graph_i64s(w.g, &zero, 1), 0);
    uc_ref filled = uc_g2(w.g, "Expand", two, uc_g_reshape(w.g, rows, flat, 1));
    uc_graph_output(w.g, "y", filled);
    finish(&w);
    double data[12] = {0};
    uc_value in = matrix(data, 3, 4);
    CHECK_OK(run1(&w, &in), &w.error);
    const double want[] = {2, 2, 2};
    CHECK_BYTES(output(&w, 0)->data, want, sizeof want);
    const uc_value *inputs[] = {&in};
    uc_plan plan = {.arena = uc_arena_new(NULL)};
    CHECK_OK(uc_plan_make(w.program, inputs, NULL, NULL, &plan, &w.error), &w.error);
    CHECK_INT(plan.step_count, 0); /* all of it is known once the shape is */
    uc_arena_free(plan.arena);
    end(&w);
}

/* x -> Expand(x, [2^31, 2^31]) and the like: refused before anything is allocated. */
static void shapes_beyond_memory_are_limits(void **state)
{
    (void)state;
    static const int64_t huge[][2] = {
        {INT64_C(1) << 31, INT64_C(1) << 31}, {INT64_C(1) << 62, 4}, {INT64_C(1) << 40, 1}};
    for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++) {
        world w = make();
        start(&w);
        const int64_t shape[] = {1, 1};
        uc_program *program = NULL;
        uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape);
        uc_graph_output(w.g, "y", uc_g2(w.g, "Expand", x, uc_graph_i64s(w.g, huge[i], 2)));
        uncork_status status = uc_graph_finish(w.g);
        double one = 1;
        uc_value in = matrix(&one, 1, 1);
        if (!status) status = uc_program_new(w.g, w.arena, &w.budget, &program, &w.error);
        if (!status) status = uc_runner_new(program, NULL, &w.runner);
        if (!status) status = run1(&w, &in);
        CHECK_INT(status, UNCORK_LIMIT);
        end(&w);
    }
}

/* Found by test_op_hostile: [32] -> [] was planned as one element and written as 32. */
static void an_empty_list_of_dimensions_is_one_element(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {4, 8}, none[] = {0};
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape);
    uc_ref to = uc_graph_input(w.g, "shape", UNCORK_INT64, 1, none);
    uc_graph_output(w.g, "y", uc_g2(w.g, "Reshape", x, to));
    CHECK_INT(uc_graph_finish(w.g), UNCORK_INPUT);
    CHECK_STR(w.error.what, "Reshape: [4, 8] can't become []: another number of elements");
    end(&w);
}

/* Nothing to compute, but 2^40 rows to walk. */
static void an_empty_tensor_with_endless_rows_is_a_limit(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {-1, -1};
    uc_graph_output(w.g, "y",
                    uc_g_softmax(w.g, uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape), 1));
    finish(&w);
    double data[1] = {0};
    uc_value in = matrix(data, INT64_C(1) << 40, 0);
    CHECK_INT(run1(&w, &in), UNCORK_INPUT);
    in = matrix(data, 0, 5);
    CHECK_OK(run1(&w, &in), &w.error);
    end(&w);
}

static void a_run_within_its_multiply_adds_only(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    build_classifier(&w);
    finish(&w);
    double data[400] = {0};
    uc_value in = matrix(data, 100, 4);
    const uc_value *inputs[] = {&in};
    uncork_limits limits = {.size = sizeof limits, .max_macs = 100 * 4 * 3};
    uc_budget budget;
    uc_budget_init(&budget, &limits, 0);
    CHECK_OK(uc_runner_run(w.runner, inputs, 1, &budget, &w.error), &w.error);
    CHECK_INT(uc_runner_run(w.runner, inputs, 1, &budget, &w.error), UNCORK_LIMIT);
    end(&w);
}

static void an_index_outside_is_an_input_error_that_names_it(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {-1};
    w.g->where = "model.steps[1]";
    uc_ref i = uc_graph_input(w.g, "i", UNCORK_INT64, 1, shape);
    const double table[] = {1, 2, 3};
    uc_graph_output(w.g, "y", uc_g_gather(w.g, uc_graph_f64s(w.g, table, 3), i, 0));
    finish(&w);
    int64_t at[] = {0, -3, 3}, n = 3;
    uc_value in = {.kind = UC_TENSOR};
    uc_tensor_set(&in.tensor, UNCORK_INT64, 1, &n);
    in.tensor.data = at;
    CHECK_INT(run1(&w, &in), UNCORK_INPUT);
    CHECK_STR(w.error.what, "Gather: index 3 is outside the 3 elements");
    CHECK_STR(w.error.where, "model.steps[1]");
    at[2] = 2;
    CHECK_OK(run1(&w, &in), &w.error);
    end(&w);
}

static void inputs_that_share_a_symbol_share_a_size(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {-2, 2};
    uc_ref a = uc_graph_input(w.g, "a", UNCORK_FLOAT64, 2, shape);
    uc_ref b = uc_graph_input(w.g, "b", UNCORK_FLOAT64, 2, shape);
    uc_graph_output(w.g, "y", uc_g2(w.g, "Add", a, b));
    finish(&w);
    double data[6] = {1, 2, 3, 4, 5, 6};
    uc_value x = matrix(data, 3, 2), y = matrix(data, 1, 2);
    const uc_value *same[] = {&x, &x}, *differ[] = {&x, &y};
    CHECK_OK(uc_runner_run(w.runner, same, 2, &w.budget, &w.error), &w.error);
    CHECK_INT(uc_runner_run(w.runner, differ, 2, &w.budget, &w.error), UNCORK_INPUT);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_output_that_is_an_input_is_a_copy),
        cmocka_unit_test(a_slice_lies_in_the_memory_of_the_whole),
        cmocka_unit_test(a_view_of_what_is_written_in_place_moves_along),
        cmocka_unit_test(an_input_of_another_shape_is_refused_naming_both),
        cmocka_unit_test(running_a_known_shape_again_allocates_nothing),
        cmocka_unit_test(a_row_has_the_same_bits_in_any_batch),
        cmocka_unit_test(more_shapes_than_plans_are_kept_still_run),
        cmocka_unit_test(shapes_that_the_data_decides_run),
        cmocka_unit_test(a_chain_needs_the_memory_of_two_values),
        cmocka_unit_test(parts_of_a_concatenation_are_made_where_they_lie),
        cmocka_unit_test(graphs_that_share_memory_give_what_they_would_without),
        cmocka_unit_test(values_alive_at_once_never_overlap),
        cmocka_unit_test(many_values_are_placed_apart_in_little_time),
        cmocka_unit_test(constants_are_folded_and_small_shape_arithmetic_too),
        cmocka_unit_test(shapes_beyond_memory_are_limits),
        cmocka_unit_test(an_empty_list_of_dimensions_is_one_element),
        cmocka_unit_test(an_empty_tensor_with_endless_rows_is_a_limit),
        cmocka_unit_test(a_run_within_its_multiply_adds_only),
        cmocka_unit_test(an_index_outside_is_an_input_error_that_names_it),
        cmocka_unit_test(inputs_that_share_a_symbol_share_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
