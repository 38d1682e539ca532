/* Inputs for when none are given: the same numbers with every run. */
#include "cli/cli.h"

#include "base/text.h"

/* Random numbers in [-1, 1), bytes; integers stay 0, which every table of indices has. */
static void fill(uc_tensor *t)
{
    uint32_t state = 12345; /* an LCG, the high bits */
    int64_t n = uc_tensor_count(t);
    for (int64_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        double v = (double)(state >> 8) / (1 << 23) - 1;
        if (t->dtype == UNCORK_FLOAT32) ((float *)t->data)[i] = (float)v;
        if (t->dtype == UNCORK_FLOAT64) ((double *)t->data)[i] = v;
        if (t->dtype == UNCORK_UINT8) ((uint8_t *)t->data)[i] = (uint8_t)(state >> 24);
    }
}

static uncork_status make_input(const uncork_model *model, int i, int64_t batch, uc_arena *arena,
                                const uc_tensor **tensor, uncork_error *error)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = uncork_model_input_shape(model, i, shape);
    uncork_dtype dtype = uncork_model_input_dtype(model, i);
    if (dtype == UNCORK_DTYPE_NONE) dtype = UNCORK_FLOAT32;
    if (rank < 0 || dtype == UNCORK_STRING) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                       "input '%s' can't be made up: give --input",
                       uncork_model_input_name(model, i));
    }
    for (int d = 0; d < rank; d++) {
        if (shape[d] < 0) shape[d] = d == 0 && batch ? batch : 1;
    }
    uc_tensor *t = uc_tensor_new(arena, dtype, rank, shape);
    if (!t) return uc_fail_memory(error);
    fill(t);
    *tensor = t;
    return UNCORK_OK;
}

uncork_status cli_make_inputs(const uncork_model *model, int64_t batch, uc_arena *arena,
                              cli_arrays *arrays, uncork_error *error)
{
    const size_t count = (size_t)uncork_model_input_count(model);
    arrays->items = UC_NEW(arena, cli_array, count + 1);
    if (!arrays->items) return uc_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        cli_array *item = &arrays->items[arrays->count++];
        *item = (cli_array){.path = "made up"};
        UC_TRY(make_input(model, (int)i, batch, arena, &item->tensor, error));
    }
    return UNCORK_OK;
}
