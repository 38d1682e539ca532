/* The first batch normalisation as a witness. */
#include "doctor/probe.h"

#include <math.h>

/* A channel whose scale is nothing tells nothing. */
#define LEAST_SCALE 1e-3

struct uc_probe {
    uc_arena *arena;
    uncork_model *model;
    uncork_session *session;
    const uc_layer *layer;
    int64_t channels;
    double *sums, *squares; /* of normalised numbers, [channels] */
    double seen;            /* numbers a channel */
};

static const uc_layer *find_layer(const uncork_model *model)
{
    for (size_t i = 0; i < uc_model_layer_count(model); i++) {
        const uc_layer *layer = uc_model_layer(model, i);
        if (layer->scale && layer->bias && layer->scale->rank == 1 &&
            layer->scale->dtype == UNCORK_FLOAT32 && layer->bias->dtype == UNCORK_FLOAT32)
            return layer;
    }
    return NULL;
}

static uncork_status make(uc_probe *p, const uncork_file *file, const char *entry,
                          const uncork_limits *limits, uncork_error *error)
{
    const uncork_prepare_options options = {.size = sizeof options, .limits = *limits};
    UC_TRY(uc_prepare_layers(file, entry, &options, &p->model, error));
    p->layer = find_layer(p->model);
    if (!p->layer || uncork_model_input_count(p->model) != 1) {
        p->layer = NULL;
        return UNCORK_OK;
    }
    p->channels = p->layer->scale->shape[0];
    p->sums = UC_NEW(p->arena, double, (size_t)p->channels + 1);
    p->squares = UC_NEW(p->arena, double, (size_t)p->channels + 1);
    if (!p->sums || !p->squares || uncork_session_new(p->model, NULL, &p->session))
        return uc_fail_memory(error);
    return UNCORK_OK;
}

uncork_status uc_probe_open(const uncork_file *file, const char *entry, const uncork_limits *limits,
                            uc_probe **probe, uncork_error *error)
{
    *probe = NULL;
    uc_arena *arena = uc_arena_new(NULL);
    uc_probe *p = arena ? UC_NEW(arena, uc_probe, 1) : NULL;
    if (!p) {
        uc_arena_free(arena);
        return uc_fail_memory(error);
    }
    p->arena = arena;
    const uncork_status status = make(p, file, entry, limits, error);
    if (status || !p->layer) {
        uc_probe_close(p);
        return status;
    }
    *probe = p;
    return UNCORK_OK;
}

void uc_probe_close(uc_probe *probe)
{
    if (!probe) return;
    uncork_session_free(probe->session);
    uncork_model_free(probe->model);
    uc_arena_free(probe->arena);
}

void uc_probe_reset(uc_probe *probe)
{
    probe->seen = 0;
    memset(probe->sums, 0, (size_t)probe->channels * sizeof *probe->sums);
    memset(probe->squares, 0, (size_t)probe->channels * sizeof *probe->squares);
}

/* Channels are the second axis: ONNX's batch normalisation. */
static void add(uc_probe *p, const uc_tensor *y)
{
    const float *scale = p->layer->scale->data, *bias = p->layer->bias->data, *at = y->data;
    const int64_t inner = uc_tensor_count(y) / (y->shape[0] * p->channels);
    for (int64_t i = 0; i < y->shape[0] * p->channels; i++, at += inner) {
        const int64_t c = i % p->channels;
        for (int64_t k = 0; fabsf(scale[c]) >= (float)LEAST_SCALE && k < inner; k++) {
            const double z = ((double)at[k] - (double)bias[c]) / (double)scale[c];
            p->sums[c] += z;
            p->squares[c] += z * z;
        }
    }
    p->seen += (double)(y->shape[0] * inner);
}

uncork_status uc_probe_see(uc_probe *probe, const uc_tensor *picture, const uncork_limits *limits,
                           uncork_error *error)
{
    int64_t shape[UNCORK_MAX_RANK] = {1};
    uncork_value *value = NULL;
    memcpy(shape + 1, picture->shape, (size_t)picture->rank * sizeof *shape);
    if (picture->rank + 1 > UNCORK_MAX_RANK ||
        uncork_value_wrap(picture->dtype, picture->rank + 1, shape, picture->data, &value))
        return uc_fail_memory(error);
    const uncork_value *input = value;
    const uncork_status status = uncork_session_run(probe->session, &input, 1, limits, error);
    uncork_value_free(value);
    UC_TRY(status);
    const uncork_value *out = uncork_session_output(probe->session, probe->layer->output);
    const uc_tensor *y = uc_value_tensor(out);
    const bool fits = uncork_value_kind(out) == UNCORK_TENSOR && y->dtype == UNCORK_FLOAT32 &&
                      y->rank >= 2 && y->shape[1] == probe->channels && uc_tensor_count(y) > 0;
    uc_arena *scratch = fits ? uc_arena_new(NULL) : NULL;
    y = scratch ? uc_tensor_dense(scratch, y) : NULL;
    if (y) add(probe, y);
    uc_arena_free(scratch);
    return UNCORK_OK;
}

double uc_probe_distance(const uc_probe *probe)
{
    double sum = 0, counted = 0;
    const float *scale = probe->layer->scale->data;
    for (int64_t c = 0; probe->seen > 0 && c < probe->channels; c++) {
        if (fabsf(scale[c]) < (float)LEAST_SCALE) continue;
        const double mean = probe->sums[c] / probe->seen;
        const double variance = probe->squares[c] / probe->seen - mean * mean;
        sum += fabs(mean) + fabs(0.5 * log(fmax(variance, 1e-12)));
        counted++;
    }
    return counted > 0 ? sum / counted : (double)NAN;
}

const char *uc_probe_layer(const uc_probe *probe) { return probe->layer->name; }
