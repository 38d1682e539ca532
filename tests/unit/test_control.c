/* Operators with bodies, built by hand: what is wrong is refused by name, what never ends ends. */
#include "check.h"
#include "pass/pass.h"
#include "plan/plan.h"

#include <stdio.h>

typedef struct bench {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_graph *g;
    uc_program *program;
    uc_runner *runner;
} bench;

static uc_graph *new_graph(bench *b) { return uc_graph_new(b->arena, &b->budget, &b->error); }

static void open_bench(bench *b)
{
    *b = (bench){.error = {.size = sizeof b->error}};
    uc_budget_init(&b->budget, NULL, 0);
    uc_error_init(&b->error);
    b->arena = uc_arena_new(&b->budget);
    b->g = new_graph(b);
}

static void close_bench(bench *b)
{
    uc_runner_free(b->runner);
    uc_arena_free(b->arena);
}

/* Finishes, prepares and runs the graph over one input (NULL: it has none). */
static uncork_status run(bench *b, const uc_value *in, const uncork_limits *limits)
{
    uc_graph *better = NULL;
    uc_budget budget;
    UC_TRY(uc_graph_finish(b->g));
    UC_TRY(uc_pass_run_all(b->g, NULL, false, &b->error, &better));
    UC_TRY(uc_program_new(better, b->arena, &b->budget, &b->program, &b->error));
    UC_TRY(uc_runner_new(b->program, NULL, &b->runner));
    uc_budget_init(&budget, limits, 0);
    return uc_runner_run(b->runner, &in, in ? 1 : 0, &budget, &b->error);
}

static uc_value f32_value(bench *b, int64_t n, float first)
{
    uc_tensor *t = uc_tensor_new(b->arena, UNCORK_FLOAT32, 1, &n);
    for (int64_t i = 0; i < n; i++)
        ((float *)t->data)[i] = first + (float)i;
    return (uc_value){.kind = UC_TENSOR, .tensor = *t};
}

static uc_ref f32_input(uc_graph *g)
{
    const int64_t any = UC_DIM_UNKNOWN;
    return uc_graph_input(g, "x", UNCORK_FLOAT32, 1, &any);
}

static uc_ref free_input(uc_graph *g)
{
    return uc_graph_input(g, "c", UNCORK_DTYPE_NONE, -1, NULL);
}

static uc_ref bool_const(bench *b, uc_graph *g, bool v)
{
    uc_tensor *t = uc_tensor_new(b->arena, UNCORK_BOOL, 0, NULL);
    *(uint8_t *)t->data = v;
    return uc_graph_const(g, t);
}

/* A branch over one capture: `op` of it and itself. */
static uc_graph *branch(bench *b, const char *op)
{
    uc_graph *g = new_graph(b);
    uc_ref x = free_input(g);
    uc_graph_output(g, "y", uc_g2(g, op, x, x));
    return g;
}

/* If(x[0] > 0) with these bodies over capture x. */
static uc_ref add_if(uc_graph *g, uc_ref x, uc_graph *yes, uc_graph *no)
{
    uc_ref first = uc_g_gather(g, x, uc_graph_i64(g, 0), 0);
    const uc_ref in[2] = {uc_g2(g, "Greater", first, uc_graph_f32(g, 0)), x};
    uc_node *n = uc_graph_node(g, "If", in, 2, 1);
    uc_node_graph(g, n, "then_branch", yes);
    uc_node_graph(g, n, "else_branch", no);
    uc_node_int(g, n, "captures", 1);
    return uc_node_out(n, 0);
}

/* A body of a loop: iteration, condition, one carried value. */
typedef struct loop_body {
    uc_graph *g;
    uc_ref i, cond, x;
} loop_body;

static loop_body new_body(bench *b)
{
    loop_body l = {.g = new_graph(b)};
    l.i = free_input(l.g);
    l.cond = free_input(l.g);
    l.x = free_input(l.g);
    return l;
}

static uc_node *add_loop(uc_graph *g, uc_ref m, uc_ref cond, uc_ref x, uc_graph *body,
                         size_t outputs)
{
    const uc_ref in[3] = {m, cond, x};
    uc_node *n = uc_graph_node(g, "Loop", in, 3, outputs);
    uc_node_graph(g, n, "body", body);
    return n;
}

static void refuse(bench *b, const uc_value *in, const char *why)
{
    CHECK(run(b, in, NULL) != UNCORK_OK);
    if (!strstr(b->error.what, why)) fail_msg("'%s' doesn't say '%s'", b->error.what, why);
    close_bench(b);
}

/* ---- what is right ------------------------------------------------------------------------ */

static void the_branch_the_condition_names_is_run(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        bench b;
        open_bench(&b);
        uc_ref x = f32_input(b.g);
        uc_graph_output(b.g, "y", add_if(b.g, x, branch(&b, "Add"), branch(&b, "Mul")));
        uc_value in = f32_value(&b, 1, (float)(3 * sign));
        CHECK_OK(run(&b, &in, NULL), &b.error);
        const float *y = uc_runner_output(b.runner, 0)->tensor.data;
        CHECK(y[0] == (sign > 0 ? 6.0f : 9.0f));
        close_bench(&b);
    }
}

/* Each level doubles in its own branch and holds the next. */
static uc_graph *nest(bench *b, int depth)
{
    uc_graph *g = new_graph(b);
    uc_ref x = free_input(g), y = uc_g2(g, "Add", x, x);
    if (depth > 0) y = add_if(g, y, nest(b, depth - 1), branch(b, "Mul"));
    uc_graph_output(g, "y", y);
    return g;
}

static void thirty_nested_branches_are_quick(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    uc_ref x = f32_input(b.g);
    uc_graph_output(b.g, "y", add_if(b.g, x, nest(&b, 28), branch(&b, "Mul")));
    uc_value in = f32_value(&b, 1, 1);
    uint64_t begin = uc_now_ns();
    CHECK_OK(run(&b, &in, NULL), &b.error);
    CHECK(uc_now_ns() - begin < UINT64_C(2000000000));
    CHECK(((float *)uc_runner_output(b.runner, 0)->tensor.data)[0] == (float)(1 << 29));
    close_bench(&b);
}

static void bodies_nested_too_deep_are_refused(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    uc_ref x = f32_input(b.g);
    uc_graph_output(b.g, "y", add_if(b.g, x, nest(&b, 200), branch(&b, "Mul")));
    uc_value in = f32_value(&b, 1, 1);
    refuse(&b, &in, "nested deeper than 64");
}

/* Loops in loops whose carried shape grows: trying types may not double with each level. */
static uc_graph *nest_loops(bench *b, int depth)
{
    loop_body l = new_body(b);
    const uc_ref parts[2] = {l.x, l.x};
    uc_ref y = uc_g_slice(l.g, uc_g_concat(l.g, parts, 2, 0), 0, 0, 4);
    if (depth > 0) {
        uc_ref once = uc_graph_i64(l.g, 1);
        y = uc_node_out(add_loop(l.g, once, 0, y, nest_loops(b, depth - 1), 1), 0);
    }
    uc_graph_output(l.g, "cond", l.cond);
    uc_graph_output(l.g, "y", y);
    return l.g;
}

static void thirty_nested_loops_are_quick(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    uc_ref x = f32_input(b.g);
    uc_node *n = add_loop(b.g, uc_graph_i64(b.g, 1), 0, x, nest_loops(&b, 28), 1);
    uc_graph_output(b.g, "y", uc_node_out(n, 0));
    uc_value in = f32_value(&b, 1, 5);
    uint64_t begin = uc_now_ns();
    CHECK_OK(run(&b, &in, NULL), &b.error);
    CHECK(uc_now_ns() - begin < UINT64_C(4000000000));
    close_bench(&b);
}

/* ---- what never ends ---------------------------------------------------------------------- */

static void build_endless(bench *b, bool counted)
{
    open_bench(b);
    loop_body l = new_body(b);
    uc_graph_output(l.g, "cond", l.cond);
    uc_graph_output(l.g, "y", uc_g1(l.g, "Neg", l.x));
    uc_ref x = f32_input(b->g), m = counted ? uc_graph_i64(b->g, INT64_MAX) : 0;
    uc_graph_output(b->g, "y", uc_node_out(add_loop(b->g, m, 0, x, l.g, 1), 0));
}

static void a_loop_without_end_reaches_a_limit(void **state)
{
    (void)state;
    for (int counted = 0; counted < 2; counted++) {
        bench b;
        build_endless(&b, counted);
        uc_value in = f32_value(&b, 2, 1);
        CHECK_INT(run(&b, &in, NULL), UNCORK_LIMIT);
        CHECK(strstr(b.error.what, "as many iterations as it may"));
        close_bench(&b);
    }
}

static void a_loop_without_end_stops_when_its_time_is_over(void **state)
{
    (void)state;
    bench b;
    build_endless(&b, false);
    uc_value in = f32_value(&b, 2, 1);
    const uncork_limits limits = {.size = sizeof limits, .timeout_ms = 20};
    CHECK_INT(run(&b, &in, &limits), UNCORK_DEADLINE);
    close_bench(&b);
}

static void a_loop_that_doubles_its_value_runs_out_of_memory_by_name(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    loop_body l = new_body(&b);
    const uc_ref parts[2] = {l.x, l.x};
    uc_graph_output(l.g, "cond", l.cond);
    uc_graph_output(l.g, "y", uc_g_concat(l.g, parts, 2, 0));
    uc_ref x = f32_input(b.g);
    uc_graph_output(b.g, "y", uc_node_out(add_loop(b.g, 0, 0, x, l.g, 1), 0));
    uc_value in = f32_value(&b, 2, 1);
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 1u << 20};
    CHECK_INT(run(&b, &in, &limits), UNCORK_LIMIT);
    CHECK(strstr(b.error.what, "bytes"));
    close_bench(&b);
}

/* A stack grows with each iteration; M alone must not allocate it. */
static void a_huge_trip_count_allocates_as_it_goes(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    loop_body l = new_body(&b);
    uc_graph_output(l.g, "cond", uc_g2(l.g, "Less", l.i, uc_graph_i64(l.g, 99)));
    uc_graph_output(l.g, "y", uc_g1(l.g, "Neg", l.x));
    uc_graph_output(l.g, "s", uc_g1(l.g, "Abs", l.x));
    uc_ref x = f32_input(b.g), m = uc_graph_i64(b.g, INT64_MAX);
    uc_graph_output(b.g, "y", uc_node_out(add_loop(b.g, m, 0, x, l.g, 2), 1));
    uc_value in = f32_value(&b, 2, 1);
    CHECK_OK(run(&b, &in, NULL), &b.error);
    CHECK_INT(uc_runner_output(b.runner, 0)->tensor.shape[0], 100);
    close_bench(&b);
}

/* ---- what is wrong ------------------------------------------------------------------------ */

static void branches_must_agree_on_types_and_outputs(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    uc_graph *no = new_graph(&b);
    uc_graph_output(no, "y", uc_g_cast(no, free_input(no), UNCORK_INT32));
    uc_graph_output(b.g, "y", add_if(b.g, f32_input(b.g), branch(&b, "Add"), no));
    uc_value in = f32_value(&b, 1, 1);
    refuse(&b, &in, "output 0 is a tensor of float32 here and a tensor of int32 there");

    open_bench(&b);
    no = branch(&b, "Mul");
    uc_graph_output(no, "z", uc_graph_f32(no, 1));
    uc_graph_output(b.g, "y", add_if(b.g, f32_input(b.g), branch(&b, "Add"), no));
    in = f32_value(&b, 1, 1);
    refuse(&b, &in, "else_branch gives 2 outputs, 1 are expected");
}

static void a_body_takes_what_it_is_fed(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    uc_graph *two = branch(&b, "Add");
    free_input(two);
    uc_graph_output(b.g, "y", add_if(b.g, f32_input(b.g), two, branch(&b, "Mul")));
    uc_value in = f32_value(&b, 1, 1);
    refuse(&b, &in, "then_branch takes 1 inputs, 0 are fed to it");

    open_bench(&b);
    uc_graph *short_body = branch(&b, "Add");
    uc_node *n = add_loop(b.g, uc_graph_i64(b.g, 2), 0, f32_input(b.g), short_body, 1);
    uc_graph_output(b.g, "y", uc_node_out(n, 0));
    in = f32_value(&b, 1, 1);
    refuse(&b, &in, "body takes 1 inputs, 3 are fed to it");
}

static void a_missing_body_is_named(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    const uc_ref in[3] = {uc_graph_i64(b.g, 2), 0, f32_input(b.g)};
    uc_graph_output(b.g, "y", uc_node_out(uc_graph_node(b.g, "Loop", in, 3, 1), 0));
    uc_value v = f32_value(&b, 1, 1);
    refuse(&b, &v, "attribute 'body' is missing");
}

static void captures_are_counted(void **state)
{
    (void)state;
    static const int64_t counts[] = {-1, 4, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        bench b;
        open_bench(&b);
        uc_node *n = add_loop(b.g, uc_graph_i64(b.g, 2), 0, f32_input(b.g), branch(&b, "Add"), 1);
        uc_node_int(b.g, n, "captures", counts[i]);
        uc_graph_output(b.g, "y", uc_node_out(n, 0));
        uc_value v = f32_value(&b, 1, 1);
        refuse(&b, &v, "more captures than inputs");
    }
}

static void a_carried_value_keeps_its_type(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    loop_body l = new_body(&b);
    uc_graph_output(l.g, "cond", l.cond);
    uc_graph_output(l.g, "y", uc_g_cast(l.g, l.x, UNCORK_FLOAT64));
    uc_node *n = add_loop(b.g, uc_graph_i64(b.g, 2), 0, f32_input(b.g), l.g, 1);
    uc_graph_output(b.g, "y", uc_node_out(n, 0));
    uc_value v = f32_value(&b, 1, 1);
    refuse(&b, &v, "carried value 0 is a tensor of float32 here and a tensor of float64 there");
}

static void a_condition_is_one_bool(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    loop_body l = new_body(&b);
    uc_graph_output(l.g, "cond", uc_g2(l.g, "Greater", l.x, l.x));
    uc_graph_output(l.g, "y", uc_g1(l.g, "Neg", l.x));
    uc_node *n = add_loop(b.g, uc_graph_i64(b.g, 2), 0, f32_input(b.g), l.g, 1);
    uc_graph_output(b.g, "y", uc_node_out(n, 0));
    uc_value v = f32_value(&b, 3, 1);
    refuse(&b, &v, "the condition isn't one bool");

    open_bench(&b);
    const uc_ref in[2] = {f32_input(b.g), 0};
    n = uc_graph_node(b.g, "If", in, 1, 1);
    uc_node_graph(b.g, n, "then_branch", branch(&b, "Add"));
    uc_node_graph(b.g, n, "else_branch", branch(&b, "Add"));
    uc_graph_output(b.g, "y", uc_node_out(n, 0));
    v = f32_value(&b, 1, 1);
    refuse(&b, &v, "If: input 0 is float32");
}

static void stacked_values_keep_their_shape(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    loop_body l = new_body(&b);
    const uc_ref parts[2] = {l.x, l.x};
    uc_ref grown = uc_g_concat(l.g, parts, 2, 0);
    uc_graph_output(l.g, "cond", l.cond);
    uc_graph_output(l.g, "y", grown);
    uc_graph_output(l.g, "s", uc_g1(l.g, "Neg", grown));
    uc_node *n = add_loop(b.g, uc_graph_i64(b.g, 3), 0, f32_input(b.g), l.g, 2);
    uc_graph_output(b.g, "y", uc_node_out(n, 1));
    uc_value v = f32_value(&b, 3, 1);
    refuse(&b, &v, "output 1 is float32[6] in one iteration, float32[12] in another");
}

static void scans_count_their_inputs(void **state)
{
    (void)state;
    static const int64_t counts[] = {0, -1, 3, INT64_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        bench b;
        open_bench(&b);
        const uc_ref x = f32_input(b.g);
        uc_node *n = uc_graph_node(b.g, "Scan", &x, 1, 1);
        uc_node_graph(b.g, n, "body", branch(&b, "Add"));
        uc_node_int(b.g, n, "num_scan_inputs", counts[i]);
        uc_graph_output(b.g, "y", uc_node_out(n, 0));
        uc_value v = f32_value(&b, 3, 1);
        refuse(&b, &v, "num_scan_inputs is");
    }
}

static void scan_axes_are_checked(void **state)
{
    (void)state;
    static const char *const names[] = {"scan_input_axes", "scan_output_axes"};
    for (int which = 0; which < 2; which++) {
        bench b;
        open_bench(&b);
        const uc_ref x = f32_input(b.g);
        const int64_t axis = 7;
        uc_node *n = uc_graph_node(b.g, "Scan", &x, 1, 1);
        uc_node_graph(b.g, n, "body", branch(&b, "Add"));
        uc_node_int(b.g, n, "num_scan_inputs", 1);
        uc_node_ints(b.g, n, names[which], &axis, 1);
        uc_graph_output(b.g, "y", uc_node_out(n, 0));
        uc_value v = f32_value(&b, 3, 1);
        refuse(&b, &v, "7");
    }
}

static void sequences_refuse_positions_outside(void **state)
{
    (void)state;
    static const char *const ops[] = {"SequenceAt", "SequenceErase"};
    static const int64_t positions[] = {2, -3, INT64_MIN, INT64_MAX};
    for (int o = 0; o < 2; o++) {
        for (int i = 0; i < 4; i++) {
            bench b;
            open_bench(&b);
            uc_ref x = f32_input(b.g), two[2] = {x, x};
            uc_ref s = uc_node_out(uc_graph_node(b.g, "SequenceConstruct", two, 2, 1), 0);
            uc_graph_output(b.g, "y", uc_g2(b.g, ops[o], s, uc_graph_i64(b.g, positions[i])));
            uc_value v = f32_value(&b, 3, 1);
            refuse(&b, &v, "in a sequence of 2 items");
        }
    }
}

static void kinds_are_checked(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    uc_ref x = f32_input(b.g);
    uc_ref s = uc_node_out(uc_graph_node(b.g, "SequenceConstruct", &x, 1, 1), 0);
    uc_graph_output(b.g, "y", uc_g1(b.g, "Neg", s));
    uc_value v = f32_value(&b, 3, 1);
    refuse(&b, &v, "Neg: input 0 is no tensor");

    open_bench(&b);
    x = f32_input(b.g);
    uc_graph_output(b.g, "y", uc_g1(b.g, "SequenceLength", x));
    v = f32_value(&b, 3, 1);
    refuse(&b, &v, "input 0 is a tensor, it takes a sequence");

    open_bench(&b);
    x = f32_input(b.g);
    uc_graph_output(b.g, "y", uc_g1(b.g, "Neg", x));
    uc_value sequence = {.kind = UC_SEQUENCE};
    refuse(&b, &sequence, "input 'x' is a sequence, the model takes a tensor");
}

static void an_empty_optional_gives_nothing(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    f32_input(b.g);
    uc_ref none = uc_node_out(uc_graph_node(b.g, "Optional", NULL, 0, 1), 0);
    uc_graph_output(b.g, "y", uc_g1(b.g, "OptionalGetElement", none));
    uc_value v = f32_value(&b, 3, 1);
    refuse(&b, &v, "the optional holds nothing");
}

static void a_decided_branch_is_the_only_one_looked_at(void **state)
{
    (void)state;
    bench b;
    open_bench(&b);
    uc_graph *wrong = new_graph(&b); /* more axes than there are */
    uc_graph_output(wrong, "y", uc_g_reduce(wrong, "ReduceSum", free_input(wrong), 5, false));
    uc_ref x = f32_input(b.g);
    const uc_ref in[2] = {bool_const(&b, b.g, true), x};
    uc_node *n = uc_graph_node(b.g, "If", in, 2, 1);
    uc_node_graph(b.g, n, "then_branch", branch(&b, "Add"));
    uc_node_graph(b.g, n, "else_branch", wrong);
    uc_node_int(b.g, n, "captures", 1);
    uc_graph_output(b.g, "y", uc_node_out(n, 0));
    uc_value v = f32_value(&b, 1, 2);
    CHECK_OK(run(&b, &v, NULL), &b.error);
    CHECK(((float *)uc_runner_output(b.runner, 0)->tensor.data)[0] == 4.0f);
    close_bench(&b);
}

static void running_out_of_memory_in_a_body_is_a_status(void **state)
{
    (void)state;
    int ended = 0;
    for (long n = 1; n < 2000 && !ended; n++) {
        bench b;
        open_bench(&b);
        loop_body l = new_body(&b);
        uc_graph_output(l.g, "cond", l.cond);
        uc_graph_output(l.g, "y", add_if(l.g, l.x, branch(&b, "Add"), branch(&b, "Mul")));
        uc_ref x = f32_input(b.g);
        uc_node *loop = add_loop(b.g, uc_graph_i64(b.g, 3), 0, x, l.g, 1);
        uc_graph_output(b.g, "y", uc_node_out(loop, 0));
        uc_value v = f32_value(&b, 2, 1);
        uc_arena_fail_after(n);
        uncork_status status = run(&b, &v, NULL);
        uc_arena_fail_after(0);
        CHECK(status == UNCORK_OK || status == UNCORK_NO_MEMORY);
        ended = status == UNCORK_OK;
        close_bench(&b);
    }
    CHECK(ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_branch_the_condition_names_is_run),
        cmocka_unit_test(thirty_nested_branches_are_quick),
        cmocka_unit_test(bodies_nested_too_deep_are_refused),
        cmocka_unit_test(thirty_nested_loops_are_quick),
        cmocka_unit_test(a_loop_without_end_reaches_a_limit),
        cmocka_unit_test(a_loop_without_end_stops_when_its_time_is_over),
        cmocka_unit_test(a_loop_that_doubles_its_value_runs_out_of_memory_by_name),
        cmocka_unit_test(a_huge_trip_count_allocates_as_it_goes),
        cmocka_unit_test(branches_must_agree_on_types_and_outputs),
        cmocka_unit_test(a_body_takes_what_it_is_fed),
        cmocka_unit_test(a_missing_body_is_named),
        cmocka_unit_test(captures_are_counted),
        cmocka_unit_test(a_carried_value_keeps_its_type),
        cmocka_unit_test(a_condition_is_one_bool),
        cmocka_unit_test(stacked_values_keep_their_shape),
        cmocka_unit_test(scans_count_their_inputs),
        cmocka_unit_test(scan_axes_are_checked),
        cmocka_unit_test(sequences_refuse_positions_outside),
        cmocka_unit_test(kinds_are_checked),
        cmocka_unit_test(an_empty_optional_gives_nothing),
        cmocka_unit_test(a_decided_branch_is_the_only_one_looked_at),
        cmocka_unit_test(running_out_of_memory_in_a_body_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
