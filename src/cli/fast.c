/* What --precision fast changed: how many operators compute in bfloat16, and how far outputs moved. */
#include "cli/cli.h"

#include "base/cpu.h"
#include "graph/graph.h"

#include <math.h>

static bool is_short(const uc_op *op)
{
    return op->domain && strcmp(op->domain, "uncork") == 0 && strncmp(op->name, "Half", 4) == 0;
}

cli_fast cli_fast_of(const uncork_model *model)
{
    const uc_graph *g = uc_model_final_graph(model);
    cli_fast fast = {.moved = -1, .nodes = g->node_count};
    for (size_t i = 0; i < g->node_count; i++)
        fast.shorter += is_short(g->nodes[i].op);
    return fast;
}

void cli_fast_note(const cli_options *options, const uncork_model *model)
{
    const unsigned needs = UC_CPU_BF16 | UC_CPU_AVX512;
    if (!options->fast || cli_fast_of(model).shorter) return;
    if ((uc_cpu_features() & needs) == needs) {
        cli_note(options,
                 "--precision fast changes nothing: no float32 convolution or product with "
                 "constant weights that it takes");
    } else {
        cli_note(options, "--precision fast changes nothing: this machine has no instructions for "
                          "bfloat16");
    }
}

/* ---- how far outputs moved ---------------------------------------------------------------- */

/* Of float32: the largest difference as a share of the largest number. */
static double distance(const uc_tensor *a, const uc_tensor *b)
{
    double most = 0, worst = 0;
    if (a->dtype != UNCORK_FLOAT32 || b->dtype != UNCORK_FLOAT32) return 0;
    if (uc_tensor_count(a) != uc_tensor_count(b)) return 0;
    for (int64_t i = 0; i < uc_tensor_count(a); i++) {
        const double x = uc_dtype_load_f64(a->data, i, a->dtype);
        const double y = uc_dtype_load_f64(b->data, i, b->dtype);
        if (isfinite(y)) most = fmax(most, fabs(y));
        if (isfinite(x - y)) worst = fmax(worst, fabs(x - y));
    }
    return most > 0 ? worst / most : 0;
}

static double furthest(const uncork_model *model, const uncork_session *a, const uncork_session *b)
{
    double moved = 0;
    for (int i = 0; i < uncork_model_output_count(model); i++) {
        const uncork_value *x = uncork_session_output(a, i), *y = uncork_session_output(b, i);
        if (!x || !y || uncork_value_kind(x) != UNCORK_TENSOR) continue;
        moved = fmax(moved, distance(uc_value_tensor(x), uc_value_tensor(y)));
    }
    return moved;
}

int cli_fast_compare(const cli_options *options, const uncork_file *file, uc_arena *arena,
                     const uncork_session *session, const uncork_value *const *inputs, int count,
                     double *moved)
{
    cli_options exact = *options;
    uncork_model *model = NULL;
    uncork_session *other = NULL;
    uncork_error error = {.size = sizeof error};
    exact.fast = false;
    exact.dump_graph = NULL;
    *moved = 0;
    int status = cli_prepare(&exact, file, NULL, arena, &model);
    if (status) return status;
    uncork_status ran = uncork_session_new(model, NULL, &other);
    if (ran == UNCORK_OK) {
        ran = uncork_session_run(other, inputs, count, &options->limits, &error);
        if (ran == UNCORK_OK) *moved = furthest(model, session, other);
        if (ran != UNCORK_OK) cli_print_error(&error);
    }
    uncork_session_free(other);
    uncork_model_free(model);
    return ran == UNCORK_OK ? EXIT_OK : EXIT_MODEL;
}
