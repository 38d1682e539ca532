/* Networks' operators with sizes, pads, strides and groups that a hostile file could hold: each gives an
 * answer or one line, never a crash. */
#include "check.h"
#include "plan/plan.h"

#include <stdlib.h>

enum { ROUNDS = 1500 };

static uint64_t state;

static uint32_t roll(uint32_t sides)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % sides;
}

static int64_t odd(int64_t usual)
{
    static const int64_t odds[] = {0, -1, 1 << 30, INT32_MAX, INT64_MAX, INT64_MIN, 7};
    return roll(14) == 0 ? odds[roll(7)] : usual;
}

/* An operator and the ranks of its inputs; 0: often left out. */
typedef struct subject {
    const char *name;
    int ranks[8];
    size_t inputs;
    size_t outputs;
} subject;

static const subject subjects[] = {
    {"Conv", {4, 4, 1}, 3, 1},
    {"uncork.FusedConv", {4, 4, 1, 4}, 4, 1},
    {"ConvTranspose", {4, 4, 1}, 3, 1},
    {"DeformConv", {4, 4, 4, 1, 4}, 5, 1},
    {"CausalConvWithState", {3, 3, 1, 3}, 4, 2},
    {"MaxPool", {4}, 1, 2},
    {"AveragePool", {4}, 1, 1},
    {"LpPool", {3}, 1, 1},
    {"MaxUnpool", {4, 4, 1}, 3, 1},
    {"GlobalLpPool", {4}, 1, 1},
    {"BatchNormalization", {4, 1, 1, 1, 1}, 5, 1},
    {"GroupNormalization", {4, 1, 1}, 3, 1},
    {"LayerNormalization", {3, 1, 1}, 3, 3},
    {"LRN", {4}, 1, 1},
    {"Resize", {4, 1, 1, 1}, 4, 1},
    {"GridSample", {4, 4}, 2, 1},
    {"Col2Im", {3, 1, 1}, 3, 1},
    {"LSTM", {3, 3, 3, 2, 1, 3, 3, 2}, 8, 3},
    {"GRU", {3, 3, 3, 2, 1, 3}, 6, 2},
    {"Attention", {4, 4, 4, 2, 4, 4, 1}, 7, 4},
    {"RoiAlign", {4, 2, 1}, 3, 1},
    {"MaxRoiPool", {4, 2}, 2, 1},
    {"Einsum", {2, 2}, 2, 1},
    {"NonMaxSuppression", {3, 3, 1}, 3, 1},
    {"RotaryEmbedding", {4, 3, 3, 2}, 4, 1},
    {"TensorScatter", {3, 3, 1}, 3, 1},
    {"LinearAttention", {3, 3, 3, 4, 3, 3}, 6, 2},
};

static void ints(uc_graph *g, uc_node *n, const char *name, size_t count, uint32_t low,
                 uint32_t span)
{
    int64_t values[8];
    if (roll(3) == 0) return;
    count += roll(20) == 0;
    for (size_t i = 0; i < count; i++) {
        values[i] = odd((int64_t)(low + roll(span)));
    }
    uc_node_ints(g, n, name, values, count);
}

static void attributes(uc_graph *g, uc_node *n)
{
    static const char *const words[] = {"SAME_UPPER",    "VALID",    "linear",    "cubic",
                                        "nearest",       "circular", "ij,jk->ik", "ij->i",
                                        "bidirectional", "reverse",  "x"};
    static const char *const keys[] = {"auto_pad", "mode", "equation", "direction", "update_rule"};
    static const char *const numbers[] = {
        "group",        "num_groups", "size",   "hidden_size",   "q_num_heads", "kv_num_heads",
        "offset_group", "ceil_mode",  "layout", "storage_order", "axis",        "p"};
    ints(g, n, "kernel_shape", 2, 1, 3);
    ints(g, n, "strides", 2, 1, 3);
    ints(g, n, "dilations", 2, 1, 2);
    ints(g, n, "pads", 4, 0, 3);
    ints(g, n, "output_padding", 2, 0, 2);
    ints(g, n, "pooled_shape", 2, 1, 3);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (roll(3) == 0) uc_node_int(g, n, numbers[i], odd(1 + (int64_t)roll(3)));
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (roll(3) == 0) uc_node_str(g, n, keys[i], words[roll(11)]);
    }
}

static uc_tensor *tensor(uc_arena *arena, uncork_dtype dtype, int rank)
{
    int64_t shape[UNCORK_MAX_RANK];
    rank += roll(30) == 0;
    for (int d = 0; d < rank; d++) {
        shape[d] = roll(40) ? (roll(6) ? 2 : 1 + (int64_t)roll(4)) : 0;
    }
    uc_tensor *t = uc_tensor_new(arena, dtype, rank, shape);
    for (int64_t i = 0; t && i < uc_tensor_count(t); i++) {
        int64_t v = odd(1 + (int64_t)roll(4));
        uc_dtype_convert((char *)t->data + (size_t)i * uc_dtype_size(dtype), dtype, &v,
                         UNCORK_INT64, 1);
    }
    return t;
}

/* Whether it was an answer. */
static bool run_once(const subject *s)
{
    uc_ref refs[8];
    uc_value values[8];
    const uc_value *fed[8];
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
    uncork_dtype dtype = roll(4) ? UNCORK_FLOAT32 : (roll(2) ? UNCORK_FLOAT64 : UNCORK_FLOAT16);
    for (size_t i = 0; i < s->inputs; i++) {
        bool whole = s->ranks[i] == 1 && i > 0 && roll(2);
        const uc_tensor *t = tensor(arena, whole ? UNCORK_INT64 : dtype, s->ranks[i]);
        refs[i] = 0;
        if (!t || (i > 1 && roll(3) == 0)) continue;
        int64_t unknown[UNCORK_MAX_RANK];
        for (int d = 0; d < t->rank; d++) {
            unknown[d] = roll(2) ? t->shape[d] : UC_DIM_UNKNOWN;
        }
        if (roll(2)) {
            refs[i] = uc_graph_const(g, t);
            continue;
        }
        refs[i] = uc_graph_input(g, "x", t->dtype, roll(5) ? t->rank : -1, unknown);
        values[fed_count] = (uc_value){.kind = UC_TENSOR, .tensor = *t};
        fed[fed_count] = &values[fed_count];
        fed_count++;
    }
    uc_node *n = uc_graph_node(g, s->name, refs, s->inputs, s->outputs);
    attributes(g, n);
    for (size_t i = 0; i < s->outputs; i++) {
        uc_graph_output(g, "y", uc_node_out(n, i));
    }
    uncork_status status = uc_graph_finish(g);
    if (!status) status = uc_program_new(g, arena, &budget, &program, &error);
    if (!status) status = uc_runner_new(program, NULL, &runner);
    if (!status) status = uc_runner_run(runner, fed, fed_count, &budget, &error);
    if (status != UNCORK_OK) CHECK(error.status != UNCORK_OK && error.what[0]);
    uc_runner_free(runner);
    uc_arena_free(arena);
    return status == UNCORK_OK;
}

static void odd_geometry_gives_an_answer_or_one_line(void **unused)
{
    (void)unused;
    const char *only = getenv("UNCORK_OPERATOR");
    size_t answers = 0;
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        size_t own = 0;
        if (only && strcmp(only, subjects[i].name) != 0) continue;
        for (uint32_t r = 0; r < ROUNDS; r++) {
            state = i * 1000003u + r;
            own += run_once(&subjects[i]);
        }
        print_message("%s: %zu of %d answered\n", subjects[i].name, own, ROUNDS);
        answers += own;
    }
    CHECK(answers > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(odd_geometry_gives_an_answer_or_one_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
