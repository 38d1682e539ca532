/* One input's row of an output, its numbers and its probabilities; and what is no answer. */
#include "contract/post.h"

#include <math.h>

uncork_status uc_post_take(const uc_reading *reading, const uc_tensor *output, int64_t batch,
                           int64_t r, uc_arena *arena, uc_tensor *row, uncork_error *error)
{
    char text[128];
    const uc_tensor *dense = uc_tensor_dense(arena, output);
    if (!dense) return uc_arena_status(arena, error);
    *row = *dense;
    uc_shape_text(output->shape, output->rank, text, sizeof text);
    if (uc_tensor_count(output) == 0) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "the model gave nothing: '%.60s' is %s",
                       reading->name, text);
    }
    if (reading->whole || (batch == 1 && output->rank && output->shape[0] != 1)) {
        if (batch == 1) return UNCORK_OK;
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "'%.60s' is %s: it has no row for each of %lld inputs", reading->name, text,
                       (long long)batch);
    }
    if (output->rank < 1 || output->shape[0] != batch) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "the model gave %s as '%.60s' for %lld inputs", text, reading->name,
                       (long long)batch);
    }
    int64_t width = uc_tensor_count(dense) / batch;
    uc_tensor_set(row, output->dtype, output->rank - 1, output->shape + 1);
    if (output->dtype == UNCORK_STRING) {
        row->strings = dense->strings;
        row->strings.offsets += r * width;
    } else {
        row->data = (char *)dense->data + (size_t)(r * width) * uc_dtype_size(output->dtype);
    }
    return UNCORK_OK;
}

uncork_status uc_post_numbers(const uc_reading *reading, const uc_tensor *row, uc_arena *arena,
                              double **numbers, int64_t *count, uncork_error *error)
{
    int64_t n = uc_tensor_count(row);
    if (row->dtype == UNCORK_STRING || row->dtype == UNCORK_COMPLEX64 ||
        row->dtype == UNCORK_COMPLEX128) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "'%.60s' holds %s, not numbers",
                       reading->name, row->dtype == UNCORK_STRING ? "texts" : "complex numbers");
    }
    double *to = UC_NEW(arena, double, (size_t)n);
    if (!to) return uc_arena_status(arena, error);
    int64_t bad = -1;
    for (int64_t i = 0; i < n; i++) {
        double v = uc_dtype_load_f64(row->data, i, row->dtype);
        if (reading->scale > 0) v = (v - reading->zero) * reading->scale;
        if (bad < 0 && isnan(v)) bad = i;
        to[i] = v;
    }
    if (bad >= 0) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "the model's answer isn't a number: '%.60s' holds NaN at %lld of %lld",
                       reading->name, (long long)bad, (long long)n);
    }
    *numbers = to;
    *count = n;
    return UNCORK_OK;
}

void uc_post_softmax(double *x, int64_t n)
{
    double max = -(double)INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        if (x[i] > max) max = x[i];
    }
    for (int64_t i = 0; i < n; i++) {
        x[i] = exp(x[i] - max);
        sum += x[i];
    }
    for (int64_t i = 0; i < n; i++) {
        x[i] /= sum;
    }
}

static void activate(uc_activation activation, double *x, int64_t n)
{
    switch (activation) {
    case UC_ACTIVATION_SOFTMAX: uc_post_softmax(x, n); break;
    case UC_ACTIVATION_SIGMOID:
        for (int64_t i = 0; i < n; i++) {
            x[i] = x[i] >= 0 ? 1 / (1 + exp(-x[i])) : exp(x[i]) / (1 + exp(x[i]));
        }
        break;
    case UC_ACTIVATION_EXP:
        for (int64_t i = 0; i < n; i++) {
            x[i] = exp(x[i]);
        }
        break;
    case UC_ACTIVATION_AUTO:
    case UC_ACTIVATION_NONE: break;
    }
}

/* Shares of one: what a graph that spells its softmax in a way of its own gives. */
static bool is_distribution(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        if (x[i] < 0 || x[i] > 1) return false;
        sum += x[i];
    }
    return n > 1 && fabs(sum - 1) <= 1e-4;
}

uncork_status uc_post_scores(const uc_reading *reading, const uc_tensor *row, uc_arena *arena,
                             double **scores, uncork_error *error)
{
    double *x;
    int64_t n;
    UC_TRY(uc_post_numbers(reading, row, arena, &x, &n, error));
    int64_t expected = reading->binary ? 1 : reading->classes;
    if (n != expected) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "'%.60s' has %lld scores for this input, %lld before", reading->name,
                       (long long)n, (long long)expected);
    }
    if (!reading->presumed || !is_distribution(x, n)) activate(reading->activation, x, n);
    for (int64_t i = 0; i < n; i++) { /* of infinite logits */
        if (isnan(x[i])) {
            return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                           "the model's answer is no distribution: '%.60s' holds infinity",
                           reading->name);
        }
    }
    if (reading->binary) {
        double *both = UC_NEW(arena, double, 2);
        if (!both) return uc_arena_status(arena, error);
        both[0] = reading->raw ? -x[0] : 1 - x[0];
        both[1] = x[0];
        x = both;
    }
    *scores = x;
    return UNCORK_OK;
}
