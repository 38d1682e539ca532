/* Columns of numbers: Scaler, Normalizer, Binarizer, Imputer, FeatureVectorizer, ArrayFeatureExtractor.
 *
 * Source: ONNX operators of ai.onnx.ml 1; ONNX Runtime, core/providers/cpu/ml/ (scaler.cc,
 * normalizer.cc: MAX is of the numbers, not of their sizes; a row whose norm is 0 stays).
 * x  numeric [rows, columns] or [columns];  y  float32 (Binarizer, Imputer: x's type) */
#include "op/ml/ml_score.h"
#include "op/move.h"

#include <inttypes.h>
#include <math.h>

#define ML_OP(SYMBOL, NAME, MIN, MAX, INFER, RUN)         \
    const uc_op uc_op_##SYMBOL = {.domain = "ai.onnx.ml", \
                                  .name = NAME,           \
                                  .in = {MIN, MAX},       \
                                  .out = {1, 1},          \
                                  .infer = INFER,         \
                                  .run = RUN};

/* Columns of x: the last dimension, unknown -1. */
static int64_t columns_of(const uc_tensor *x)
{
    return x->rank > 0 ? x->shape[x->rank - 1] : x->rank == 0 ? 1 : UC_DIM_UNKNOWN;
}

/* ---- Scaler: (x - offset) * scale ----------------------------------------------------------- */

static uncork_status scales_of(uc_call *call, const char *name, const double **v, int64_t *count)
{
    bool wide = false;
    int64_t columns = columns_of(uc_call_arg(call, 0));
    UC_TRY(uc_ml_floats(call, name, v, count, &wide));
    if (*count <= 1 || columns < 0 || *count == columns) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " of %s for %" PRId64 " columns", *count,
                        name, columns);
}

static uncork_status infer_scaler(uc_call *call)
{
    const double *v = NULL;
    int64_t count = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(scales_of(call, "offset", &v, &count));
    UC_TRY(scales_of(call, "scale", &v, &count));
    return uc_call_shape_like(call, 0, 0, UNCORK_FLOAT32);
}

static uncork_status run_scaler(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const double *offset = NULL, *scale = NULL;
    int64_t offsets = 0, scales = 0, columns = columns_of(x), n = uc_tensor_count(x);
    UC_TRY(scales_of(call, "offset", &offset, &offsets));
    UC_TRY(scales_of(call, "scale", &scale, &scales));
    uc_tensor *y = uc_call_out(call, 0);
    const double *v = uc_ml_input(call, true);
    if (!y || !v) return call->error->status;
    for (int64_t i = 0; i < n; i++) {
        int64_t c = i % columns;
        float o = offsets ? (float)offset[offsets > 1 ? c : 0] : 0;
        float s = scales ? (float)scale[scales > 1 ? c : 0] : 1;
        ((float *)y->data)[i] = ((float)v[i] - o) * s;
    }
    return UNCORK_OK;
}

ML_OP(ml_scaler, "Scaler", 1, 1, infer_scaler, run_scaler)

/* ---- Normalizer --------------------------------------------------------------------------- */

static uncork_status infer_normalizer(uc_call *call)
{
    int64_t rows, columns;
    uc_str norm = uc_call_str(call, "norm", "MAX");
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(uc_ml_rows(call, &rows, &columns));
    if (!uc_str_is(norm, "MAX") && !uc_str_is(norm, "L1") && !uc_str_is(norm, "L2")) {
        return uc_call_fail(call, UNCORK_MALFORMED, "norm '%.*s' isn't MAX, L1 or L2",
                            (int)(norm.size < 40 ? norm.size : 40), norm.data);
    }
    return uc_call_shape_like(call, 0, 0, UNCORK_FLOAT32);
}

static double norm_of(const double *x, int64_t n, uc_str norm)
{
    double sum = 0, most = -HUGE_VAL;
    for (int64_t i = 0; i < n; i++) {
        most = x[i] > most ? x[i] : most;
        sum += uc_str_is(norm, "L1") ? fabs(x[i]) : x[i] * x[i];
    }
    return uc_str_is(norm, "MAX") ? most : uc_str_is(norm, "L1") ? sum : sqrt(sum);
}

static uncork_status run_normalizer(uc_call *call)
{
    int64_t rows, columns;
    uc_str norm = uc_call_str(call, "norm", "MAX");
    UC_TRY(uc_ml_rows(call, &rows, &columns));
    const double *x = uc_ml_input(call, true);
    uc_tensor *y = uc_call_out(call, 0);
    if (!x || !y) return call->error->status;
    for (int64_t r = 0; r < rows; r++) {
        double by = norm_of(x + r * columns, columns, norm);
        for (int64_t i = r * columns; i < (r + 1) * columns; i++) {
            ((float *)y->data)[i] = (float)(by != 0 ? x[i] / by : x[i]);
        }
    }
    return UNCORK_OK;
}

ML_OP(ml_normalizer, "Normalizer", 1, 1, infer_normalizer, run_normalizer)

/* ---- Binarizer: x > threshold --------------------------------------------------------------- */

static uncork_status infer_same(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    return uc_call_shape_like(call, 0, 0, uc_call_dtype(call, 0));
}

static uncork_status run_binarizer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    double threshold = uc_call_float(call, "threshold", 0);
    int64_t n = uc_tensor_count(x);
    double *v = uc_call_scratch(call, (size_t)n, sizeof *v);
    if (!v) return call->error->status;
    for (int64_t i = 0; i < n; i++) {
        v[i] = uc_dtype_load_f64(x->data, i, x->dtype) > threshold;
    }
    return uc_ml_output(call, 0, v, x->rank, x->shape);
}

ML_OP(ml_binarizer, "Binarizer", 1, 1, infer_same, run_binarizer)

/* ---- Imputer ------------------------------------------------------------------------------ */

typedef struct imputer {
    const double *floats;
    const int64_t *ints;
    int64_t count;
    double replaced;
    int64_t replaced_int;
} imputer;

static uncork_status read_imputer(uc_call *call, imputer *m)
{
    size_t ints = 0;
    bool wide = false;
    int64_t columns = columns_of(uc_call_arg(call, 0));
    UC_TRY(uc_ml_floats(call, "imputed_value_floats", &m->floats, &m->count, &wide));
    m->ints = m->count ? NULL : uc_call_ints(call, "imputed_value_int64s", &ints);
    if (!m->count) m->count = (int64_t)ints;
    m->replaced = uc_call_float(call, "replaced_value_float", 0);
    m->replaced_int = uc_call_int(call, "replaced_value_int64", 0);
    bool fits = m->count == 1 || (m->count > 0 && (columns < 0 || m->count == columns));
    if (fits) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED,
                        "%" PRId64 " imputed values for %" PRId64 " columns", m->count, columns);
}

static uncork_status infer_imputer(uc_call *call)
{
    imputer m = {0};
    UC_TRY(read_imputer(call, &m));
    return infer_same(call);
}

static uncork_status run_imputer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    imputer m = {0};
    UC_TRY(read_imputer(call, &m));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    int64_t columns = columns_of(x);
    size_t size = uc_dtype_size(x->dtype);
    memmove(y->data, x->data, (size_t)uc_tensor_count(x) * size);
    for (int64_t i = 0, n = uc_tensor_count(x); i < n; i++) {
        int64_t c = m.count > 1 ? i % columns : 0;
        char *to = (char *)y->data + (size_t)i * size;
        if (m.ints) {
            if (uc_dtype_load_i64(x->data, i, x->dtype) != m.replaced_int) continue;
            uc_dtype_convert(to, x->dtype, &m.ints[c], UNCORK_INT64, 1);
        } else {
            double v = uc_dtype_load_f64(x->data, i, x->dtype);
            if (!(isnan(m.replaced) ? isnan(v) : v == m.replaced)) continue;
            uc_dtype_convert(to, x->dtype, &m.floats[c], UNCORK_FLOAT64, 1);
        }
    }
    return UNCORK_OK;
}

ML_OP(ml_imputer, "Imputer", 1, 1, infer_imputer, run_imputer)

/* ---- FeatureVectorizer: inputs side by side, each cut or padded to its width ------------------ */

static uncork_status vector_shape(uc_call *call, int64_t shape[2])
{
    size_t count = 0;
    const int64_t *widths = uc_call_ints(call, "inputdimensions", &count);
    shape[0] = UC_DIM_UNKNOWN;
    shape[1] = 0;
    if (count != call->in_count) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu inputdimensions for %zu inputs", count,
                            call->in_count);
    }
    for (size_t i = 0; i < count; i++) {
        const uc_tensor *x = uc_call_in(call, i);
        UC_TRY(uc_call_expect(call, i, UC_TYPES_NUMERIC));
        if (!x || x->rank == 0 || x->rank > 2 || widths[i] < 0 || widths[i] > INT32_MAX) {
            return uc_call_fail(call, UNCORK_MALFORMED, "input %zu isn't [rows, columns]", i);
        }
        int64_t rows = x->rank > 0 ? x->shape[0] : UC_DIM_UNKNOWN;
        if (rows >= 0 && shape[0] >= 0 && rows != shape[0]) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "input %zu has %" PRId64 " rows, those before %" PRId64, i, rows,
                                shape[0]);
        }
        if (rows >= 0) shape[0] = rows;
        shape[1] += widths[i];
    }
    return UNCORK_OK;
}

static uncork_status infer_vectorizer(uc_call *call)
{
    int64_t shape[2];
    UC_TRY(vector_shape(call, shape));
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 2, shape);
}

static uncork_status run_vectorizer(uc_call *call)
{
    int64_t shape[2], at = 0;
    size_t count = 0;
    const int64_t *widths = uc_call_ints(call, "inputdimensions", &count);
    UC_TRY(vector_shape(call, shape));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    float *out = y->data;
    memset(out, 0, (size_t)uc_tensor_count(y) * sizeof *out);
    for (size_t i = 0; i < count; at += widths[i++]) {
        const uc_tensor *x = uc_call_arg(call, i);
        int64_t have = x->rank == 2 ? x->shape[1] : 1, take = have < widths[i] ? have : widths[i];
        for (int64_t r = 0; r < shape[0]; r++) {
            uc_dtype_convert(out + r * shape[1] + at, UNCORK_FLOAT32,
                             (const char *)x->data + (size_t)(r * have) * uc_dtype_size(x->dtype),
                             x->dtype, take);
        }
    }
    return UNCORK_OK;
}

ML_OP(ml_feature_vectorizer, "FeatureVectorizer", 1, -1, infer_vectorizer, run_vectorizer)

/* ---- ArrayFeatureExtractor: columns by number ------------------------------------------------- */

static uncork_status infer_extractor(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *at = uc_call_arg(call, 1);
    int64_t shape[UNCORK_MAX_RANK + 1];
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    if (x->rank == 0) return uc_call_fail(call, UNCORK_INPUT, "x is a scalar");
    int64_t count = uc_dims_known(at->shape, at->rank) ? uc_tensor_count(at) : UC_DIM_UNKNOWN;
    int rank = x->rank == 1 ? 2 : x->rank;
    shape[0] = 1;
    if (x->rank > 1) memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    shape[rank - 1] = count;
    return uc_call_shape(call, 0, x->dtype, rank, shape);
}

typedef struct extractor {
    const uc_tensor *at;
    int64_t columns, rows;
} extractor;

static void extract(const void *context, void *to, const void *const *from, size_t size)
{
    const extractor *e = context;
    char *y = to;
    int64_t count = uc_tensor_count(e->at);
    for (int64_t r = 0; r < e->rows; r++) {
        for (int64_t i = 0; i < count; i++, y += size) {
            int64_t at = uc_dtype_load_i64(e->at->data, i, e->at->dtype);
            memcpy(y, (const char *)from[0] + (size_t)(r * e->columns + at) * size, size);
        }
    }
}

static uncork_status run_extractor(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    extractor e = {.at = uc_call_arg(call, 1), .columns = columns_of(x)};
    e.rows = e.columns ? uc_tensor_count(x) / e.columns : 0;
    for (int64_t i = 0, n = uc_tensor_count(e.at); i < n; i++) {
        int64_t at = uc_dtype_load_i64(e.at->data, i, e.at->dtype);
        if (at >= 0 && at < e.columns) continue;
        return uc_call_fail(call, UNCORK_INPUT, "column %" PRId64 " of %" PRId64, at, e.columns);
    }
    return uc_move(call, 0, &x, 1, extract, &e);
}

ML_OP(ml_array_feature_extractor, "ArrayFeatureExtractor", 2, 2, infer_extractor, run_extractor)
