/* Every operator with inputs and attributes that a hostile file could hold: any types, ranks, sizes,
 * extreme numbers. Whatever comes is an answer or a status; the sanitizers watch. */
#include "check.h"
#include "plan/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 60, MAX_IN = 12, MAX_ELEMENTS = 64 };

static uint64_t state;

static uint32_t roll(uint32_t sides)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % sides;
}

/* ---- inputs ------------------------------------------------------------------------------- */

static int64_t odd_integer(void)
{
    static const int64_t odd[] = {INT64_MIN, INT64_MAX, INT32_MIN, INT32_MAX, -1, 1 << 30};
    return roll(12) == 0 ? odd[roll(6)] : (int64_t)roll(8) - 3;
}

static double odd_number(void)
{
    const double odd[] = {(double)NAN, HUGE_VAL, -HUGE_VAL, 1e308, -0.0, 5e-324};
    return roll(12) == 0 ? odd[roll(6)] : (double)roll(1000) / 100 - 3;
}

static uncork_dtype odd_dtype(void)
{
    static const uncork_dtype usual[] = {UNCORK_FLOAT64, UNCORK_FLOAT32, UNCORK_INT64, UNCORK_BOOL};
    return roll(3) ? usual[roll(4)] : (uncork_dtype)(1 + roll(26));
}

static uc_tensor *odd_tensor(uc_arena *arena, uncork_dtype dtype)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = (int)roll(roll(8) ? 4 : UNCORK_MAX_RANK);
    for (int d = 0, count = 1; d < rank; d++) {
        shape[d] = count > MAX_ELEMENTS / 4 ? 1 : roll(20) ? (int64_t)roll(4) + 1 : 0;
        count *= (int)shape[d];
    }
    if (dtype == UNCORK_STRING) {
        static const uc_str words[] = {{"", 0}, {"a", 1}, {"1.5", 3}, {"nan", 3}, {"\xff", 1}};
        uc_str items[MAX_ELEMENTS];
        for (int i = 0; i < MAX_ELEMENTS; i++) {
            items[i] = words[roll(5)];
        }
        return uc_tensor_strings(arena, items, rank, shape);
    }
    uc_tensor *t = uc_tensor_new(arena, dtype, rank, shape);
    size_t bytes = 0, size = uc_dtype_size(dtype);
    uc_shape_bytes(dtype, shape, rank, &bytes);
    for (size_t i = 0; i < bytes; i++) {
        ((uint8_t *)t->data)[i] = (uint8_t)roll(dtype == UNCORK_BOOL ? 2 : 256);
    }
    for (int64_t i = 0; size && dtype != UNCORK_BOOL && i < uc_tensor_count(t); i++) {
        int64_t integer = odd_integer();
        double number = odd_number();
        bool is_float = uc_dtype_is_float(dtype);
        uc_dtype_convert((char *)t->data + (size_t)i * size, dtype,
                         is_float ? (void *)&number : (void *)&integer,
                         is_float ? UNCORK_FLOAT64 : UNCORK_INT64, 1);
    }
    return t;
}

/* ---- attributes --------------------------------------------------------------------------- */

static void odd_attribute(uc_graph *g, uc_node *n, const char *name, uc_arena *arena)
{
    static const char *const words[] = {"none",     "add",   "mul",  "max",  "min",
                                        "constant", "edge",  "wrap", "tanh", "reflect",
                                        "LEFT",     "RIGHT", ""};
    int64_t ints[4];
    for (int i = 0; i < 4; i++) {
        ints[i] = odd_integer();
    }
    switch (roll(8)) {
    case 0: uc_node_float(g, n, name, odd_number()); break;
    case 1: uc_node_str(g, n, name, words[roll(13)]); break;
    case 2: uc_node_ints(g, n, name, ints, roll(5)); break;
    case 3: uc_node_tensor(g, n, name, odd_tensor(arena, odd_dtype())); break;
    default: uc_node_int(g, n, name, roll(4) ? (int64_t)roll(12) - 2 : odd_integer()); break;
    }
}

static void odd_attributes(uc_graph *g, uc_node *n, uc_arena *arena)
{
    static const char *const names[] = {"axis",
                                        "keepdims",
                                        "to",
                                        "k",
                                        "perm",
                                        "value",
                                        "mode",
                                        "reduction",
                                        "axes",
                                        "batch_dims",
                                        "largest",
                                        "sorted",
                                        "upper",
                                        "exclusive",
                                        "reverse",
                                        "fmod",
                                        "direction",
                                        "allowzero",
                                        "transA",
                                        "transB",
                                        "alpha",
                                        "beta",
                                        "start",
                                        "end",
                                        "dtype",
                                        "num_outputs",
                                        "select_last_index",
                                        "noop_with_empty_axes",
                                        "detect_negative",
                                        "approximate",
                                        "value_ints",
                                        "blocksize",
                                        "kernel_shape",
                                        "strides",
                                        "pads",
                                        "dilations",
                                        "group",
                                        "auto_pad",
                                        "ceil_mode",
                                        "count_include_pad",
                                        "storage_order",
                                        "output_padding",
                                        "output_shape",
                                        "hidden_size",
                                        "linear_before_reset",
                                        "layout",
                                        "activations",
                                        "num_heads",
                                        "q_num_heads",
                                        "kv_num_heads",
                                        "scale",
                                        "softcap",
                                        "is_causal",
                                        "softmax_precision",
                                        "qk_matmul_output_mode",
                                        "rotary_embedding_dim",
                                        "interleaved",
                                        "max_gram_length",
                                        "min_gram_length",
                                        "pool_int64s",
                                        "ngram_counts",
                                        "ngram_indexes",
                                        "cats_int64s",
                                        "cats_strings",
                                        "zeros",
                                        "classes_ids",
                                        "n_supports",
                                        "bits",
                                        "K",
                                        "N",
                                        "block_size",
                                        "channels_last",
                                        "p",
                                        "bias",
                                        "lambd",
                                        "gamma",
                                        "size",
                                        "spatial_scale",
                                        "sampling_ratio",
                                        "output_height",
                                        "coordinate_transformation_mode",
                                        "center_point_box",
                                        "onesided",
                                        "inverse",
                                        "captures",
                                        "num_scan_inputs",
                                        "equation",
                                        "nodes_values",
                                        "nodes_featureids",
                                        "offsets",
                                        "scales",
                                        "norm",
                                        "epsilon"};
    enum { COUNT = sizeof names / sizeof names[0] };
    for (size_t first = roll(COUNT), i = roll(5); i > 0; i--) {
        odd_attribute(g, n, names[(first + i * 5) % COUNT], arena);
    }
    if (strcmp(n->op ? n->op->name : "", "Cast") == 0 && n->attr_count == 0) {
        uc_node_int(g, n, "to", roll(28));
    }
}

/* ---- one graph ---------------------------------------------------------------------------- */

/* Whether it was an answer. */
static bool run_once(const uc_op *op)
{
    uc_ref refs[MAX_IN];
    uc_value values[MAX_IN];
    const uc_value *fed[MAX_IN];
    size_t fed_count = 0;
    uncork_limits limits = {
        .size = sizeof limits, .max_memory_bytes = 32 << 20, .max_macs = 1 << 22};
    uc_budget budget;
    uncork_error error;
    uc_program *program = NULL;
    uc_runner *runner = NULL;
    uc_budget_init(&budget, &limits, 0);
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(&budget);
    uc_graph *g = uc_graph_new(arena, &budget, &error);
    int most = op->in.max < 0 || op->in.max > MAX_IN ? MAX_IN : op->in.max;
    size_t in_count = (size_t)op->in.min + roll((uint32_t)(most - op->in.min + 1));
    uncork_dtype dtype = odd_dtype();
    for (size_t i = 0; i < in_count; i++) {
        /* Often one type for all or an index type behind the first: what passes the first checks. */
        uncork_dtype own = i && roll(2) ? (roll(2) ? UNCORK_INT64 : odd_dtype()) : dtype;
        uc_tensor *t = odd_tensor(arena, own);
        int64_t unknown[UNCORK_MAX_RANK];
        for (int d = 0; d < t->rank; d++) {
            unknown[d] = roll(2) ? t->shape[d] : UC_DIM_UNKNOWN;
        }
        if (roll(3) == 0) {
            refs[i] = uc_graph_const(g, t);
            continue;
        }
        refs[i] = uc_graph_input(g, "x", t->dtype, roll(4) ? t->rank : -1, unknown);
        values[fed_count] = (uc_value){.kind = UC_TENSOR, .tensor = *t};
        fed[fed_count] = &values[fed_count];
        fed_count++;
    }
    size_t out_count = (size_t)op->out.min + (op->out.max < 0 ? roll(3) : 0);
    char name[96];
    snprintf(name, sizeof name, "%s%s%s", op->domain ? op->domain : "", op->domain ? "." : "",
             op->name);
    uc_node *n = uc_graph_node(g, name, refs, in_count, out_count);
    odd_attributes(g, n, arena);
    for (size_t i = 0; i < out_count; i++) {
        uc_graph_output(g, "y", uc_node_out(n, i));
    }
    uncork_status status = uc_graph_finish(g);
    if (!status) status = uc_program_new(g, arena, &budget, &program, &error);
    if (!status) status = uc_runner_new(program, NULL, &runner);
    if (!status) status = uc_runner_run(runner, fed, fed_count, &budget, &error);
    if (status == UNCORK_OK) {
        for (size_t i = 0; i < out_count; i++) {
            const uc_value *y = uc_runner_output(runner, i);
            CHECK(y->kind != UC_TENSOR || y->tensor.rank >= 0);
        }
    } else {
        CHECK(error.status != UNCORK_OK && error.what[0]);
    }
    uc_runner_free(runner);
    uc_arena_free(arena);
    return status == UNCORK_OK;
}

static void no_input_brings_an_operator_down(void **unused)
{
    (void)unused;
    const char *only = getenv("UNCORK_OPERATOR"); /* to look at one alone */
    const char *more = getenv("UNCORK_ROUNDS");
    int rounds = more ? atoi(more) : ROUNDS, answers = 0, all = 0;
    for (size_t i = 0; i < uc_op_count(); i++) {
        const uc_op *op = uc_op_at(i);
        bool internal = op->domain && strcmp(op->domain, "uncork") == 0; /* no file can name it */
        if (internal || (only && strcmp(only, op->name) != 0)) continue;
        for (int r = 0; r < rounds; r++) {
            state = i * 1000003u + (uint64_t)r;
            answers += run_once(op);
            all++;
        }
    }
    print_message("%d of %d answered, the others refused\n", answers, all);
    CHECK(only || answers > all / 10); /* or nothing was tried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_input_brings_an_operator_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
