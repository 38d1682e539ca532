/* Any bytes as an ONNX model, opened, prepared and run once on zeros: no crash, no leak, no read past the
 * end, no unbounded time or memory. */
#include "uncork.h"

#include <stdlib.h>

#define LIMITS                                                                 \
    {                                                                          \
        .size = sizeof(uncork_limits), .max_memory_bytes = (uint64_t)64 << 20, \
        .max_macs = 10000000, .timeout_ms = 2000                               \
    }

static uncork_value *zeros(const uncork_model *model, int i)
{
    int64_t shape[UNCORK_MAX_RANK] = {0};
    uncork_value *value = NULL;
    int rank = uncork_model_input_shape(model, i, shape);
    const uncork_dtype dtype = uncork_model_input_dtype(model, i);
    int64_t count = 1;
    for (int d = 0; d < rank; d++) {
        if (shape[d] < 0) shape[d] = 2;
        if (shape[d] > 1000 || (count *= shape[d]) > 10000) return NULL;
    }
    if (rank < 0) rank = 0;
    if (dtype == UNCORK_STRING) return NULL;
    if (uncork_value_new(dtype ? dtype : UNCORK_FLOAT32, rank, shape, &value)) return NULL;
    return value;
}

static void run(const uncork_model *model, uncork_error *error)
{
    const uncork_limits limits = LIMITS;
    enum { MOST = 16 };
    uncork_value *in[MOST] = {NULL};
    const int inputs = uncork_model_input_count(model);
    uncork_session *session = NULL;
    if (inputs > MOST || uncork_session_new(model, NULL, &session)) return;
    for (int i = 0; i < inputs; i++)
        in[i] = zeros(model, i);
    (void)!uncork_session_run(session, (const uncork_value *const *)in, inputs, &limits, error);
    uncork_session_free(session);
    for (int i = 0; i < inputs; i++)
        uncork_value_free(in[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uncork_open_options open = {.size = sizeof open, .limits = LIMITS};
    const uncork_prepare_options prepare = {.size = sizeof prepare, .limits = LIMITS};
    uncork_error error = {.size = sizeof error};
    uncork_file *file = NULL;
    uncork_model *model = NULL;
    if (uncork_open_memory(data, size, "model", &open, &file, &error) == UNCORK_OK &&
        uncork_prepare(file, NULL, &prepare, &model, &error) == UNCORK_OK) {
        run(model, &error);
    }
    uncork_model_free(model);
    uncork_file_close(file);
    return 0;
}
