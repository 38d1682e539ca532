/* See ml_score.h. */
#include "op/ml/ml_score.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* ---- scores ------------------------------------------------------------------------------- */

uncork_status uc_post_of(uc_call *call, uc_post *post)
{
    static const char *const names[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
    uc_str name = uc_call_str(call, "post_transform", "NONE");
    for (int i = 0; i < 5; i++) {
        if (!uc_str_is(name, names[i])) continue;
        *post = (uc_post)i;
        return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_MALFORMED, "post_transform '%.*s' isn't known",
                        (int)(name.size < 40 ? name.size : 40), name.data);
}

static double logistic(double x)
{
    double v = 1 / (1 + exp(-fabs(x)));
    return x < 0 ? 1 - v : v;
}

/* sqrt(2) erfinv(2 p - 1) by Winitzki's approximation, constants as ONNX Runtime has them. */
static double probit(double p)
{
    double x = 2 * p - 1, sign = x < 0 ? -1 : 1;
    double l = log((1 - x) * (1 + x));
    double v = 2 / (3.14159 * 0.147) + 0.5 * l;
    return 1.41421356 * sign * sqrt(-v + sqrt(v * v - l / 0.147));
}

static void softmax(double *s, int64_t n, bool keep_zero)
{
    double most = s[0], sum = 0;
    for (int64_t i = 1; i < n; i++) {
        if (s[i] > most) most = s[i];
    }
    for (int64_t i = 0; i < n; i++) {
        bool zero = keep_zero && fabs(s[i]) <= 0.0000001;
        s[i] = zero ? s[i] * exp(-most) : exp(s[i] - most);
        sum += s[i];
    }
    for (int64_t i = 0; i < n; i++) {
        s[i] /= sum;
    }
}

void uc_post_row(uc_post post, double *s, int64_t n)
{
    if (n > 0 && (post == UC_POST_SOFTMAX || post == UC_POST_SOFTMAX_ZERO)) {
        softmax(s, n, post == UC_POST_SOFTMAX_ZERO);
    }
    for (int64_t i = 0; i < n; i++) {
        if (post == UC_POST_LOGISTIC) s[i] = logistic(s[i]);
        if (post == UC_POST_PROBIT) s[i] = probit(s[i]);
    }
}

void uc_post_pair(uc_post post, bool positive, double score, double out[2])
{
    out[0] = positive ? 1 - score : -score;
    out[1] = score;
    if (post == UC_POST_LOGISTIC) {
        out[0] = logistic(-score);
        out[1] = logistic(score);
    } else if (post == UC_POST_PROBIT) {
        out[0] = probit(score);
        out[1] = 0;
    }
}

/* ---- labels ------------------------------------------------------------------------------- */

uc_labels uc_labels_of(const uc_call *call, const char *ints)
{
    const uc_attr *i = uc_call_attr(call, ints), *s = uc_call_attr(call, "classlabels_strings");
    uc_labels labels = {0};
    if (s && s->kind == UC_ATTR_STRINGS && s->count) labels.texts = s;
    if (!labels.texts && i && i->kind == UC_ATTR_INTS && i->count) labels.ints = i;
    const uc_attr *have = labels.texts ? labels.texts : labels.ints;
    labels.count = have ? (int64_t)have->count : 0;
    return labels;
}

uncork_dtype uc_labels_dtype(const uc_labels *labels)
{
    return labels->texts ? UNCORK_STRING : UNCORK_INT64;
}

uncork_status uc_labels_write(uc_call *call, size_t i, const uc_labels *labels,
                              const int64_t *classes, int64_t rows)
{
    if (i >= call->out_count || !call->out[i]) return UNCORK_OK;
    if (!labels->texts) {
        uc_tensor *y = NULL;
        UC_TRY(uc_call_output(call, i, UNCORK_INT64, 1, &rows, &y));
        for (int64_t r = 0; r < rows; r++) {
            int64_t c = classes[r];
            ((int64_t *)y->data)[r] =
                c < 0 ? c == UC_LABEL_ONE : (c < labels->count ? labels->ints->ints[c] : c);
        }
        return UNCORK_OK;
    }
    uc_str *items = uc_call_scratch(call, (size_t)rows, sizeof *items);
    if (!items) return call->error->status;
    for (int64_t r = 0; r < rows; r++) {
        int64_t c = classes[r];
        items[r] = c >= 0 && c < labels->count ? labels->texts->strings[c]
                                               : uc_str_of(c == UC_LABEL_ONE ? "1" : "0");
    }
    return uc_call_strings(call, i, items, 1, &rows);
}

/* ---- numbers ------------------------------------------------------------------------------ */

uncork_status uc_ml_floats(uc_call *call, const char *name, const double **values, int64_t *count,
                           bool *is_double)
{
    char tensor_name[64];
    snprintf(tensor_name, sizeof tensor_name, "%s_as_tensor", name);
    const uc_attr *list = uc_call_attr(call, name), *t = uc_call_attr(call, tensor_name);
    *values = NULL;
    *count = 0;
    if (t && t->kind == UC_ATTR_TENSOR && uc_tensor_count(t->tensor) > 0) {
        const uc_tensor *wide = uc_tensor_cast(call->arena, t->tensor, UNCORK_FLOAT64);
        if (!wide) {
            UC_TRY(uc_arena_status(call->arena, call->error));
            return uc_call_fail(call, UNCORK_MALFORMED, "attribute %s holds no numbers",
                                tensor_name);
        }
        *values = wide->data;
        *count = uc_tensor_count(wide);
        *is_double = t->tensor->dtype == UNCORK_FLOAT64;
    } else if (list && list->kind == UC_ATTR_FLOATS) {
        *values = list->floats;
        *count = (int64_t)list->count;
    }
    return UNCORK_OK;
}

uncork_status uc_ml_rows(uc_call *call, int64_t *rows, int64_t *features)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    *rows = *features = UC_DIM_UNKNOWN;
    if (x->rank < 0) return UNCORK_OK;
    if (x->rank != 1 && x->rank != 2) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %d dimensions, expected [rows, columns]",
                            x->rank);
    }
    *rows = x->rank == 2 ? x->shape[0] : 1;
    *features = x->shape[x->rank - 1];
    return UNCORK_OK;
}

const double *uc_ml_input(uc_call *call, bool as_float)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t n = uc_tensor_count(x);
    double *v = uc_call_scratch(call, (size_t)n, sizeof *v);
    if (!v) return NULL;
    uc_dtype_convert(v, UNCORK_FLOAT64, x->data, x->dtype, n);
    bool exact = x->dtype == UNCORK_FLOAT32 || !as_float;
    for (int64_t i = 0; !exact && i < n; i++) {
        v[i] = (double)(float)v[i];
    }
    return v;
}

uncork_status uc_ml_output(uc_call *call, size_t i, const double *values, int rank,
                           const int64_t *shape)
{
    uc_tensor *y = NULL;
    if (i >= call->out_count || !call->out[i]) return UNCORK_OK;
    UC_TRY(uc_call_output(call, i, call->out[i]->tensor.dtype, rank, shape, &y));
    uc_dtype_convert(y->data, y->dtype, values, UNCORK_FLOAT64, uc_tensor_count(y));
    return UNCORK_OK;
}
