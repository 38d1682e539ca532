/* Tfidf: term counts weighed and rows brought to length 1; what is 0 stays 0.
 *
 * Source: scikit-learn, feature_extraction/text.py (TfidfTransformer.transform),
 * utils/sparsefuncs_fast.pyx (inplace_csr_row_normalize_l1, _l2).
 * x          f32 or f64 [rows, terms]
 * idf        the same type [terms], optional
 * y          as x
 * sublinear  1: 1 + ln x for x that isn't 0
 * norm       "l2", "l1", "max" or "" for none; rows of norm 0 stay
 * Numerics: sums in f64 in column order. */
#include "op/op.h"

#include <inttypes.h>
#include <math.h>

typedef enum norm { NONE, L1, L2, MAX } norm;

static bool norm_of(const uc_call *call, norm *out)
{
    uc_str name = uc_call_str(call, "norm", "");
    *out = uc_str_is(name, "l2")    ? L2
           : uc_str_is(name, "l1")  ? L1
           : uc_str_is(name, "max") ? MAX
                                    : NONE;
    return *out != NONE || name.size == 0;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *idf = uc_call_in(call, 1);
    norm n;
    if ((x->dtype != UNCORK_FLOAT64 && x->dtype != UNCORK_FLOAT32) || x->rank != 2 ||
        (idf && (idf->dtype != x->dtype || idf->rank != 1))) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    if (!norm_of(call, &n)) return uc_call_fail(call, UNCORK_MALFORMED, "norm is unknown");
    return uc_call_shape(call, 0, x->dtype, 2, x->shape);
}

static double element(const void *row, int64_t i, uncork_dtype dtype)
{
    return dtype == UNCORK_FLOAT32 ? (double)((const float *)row)[i] : ((const double *)row)[i];
}

static double length_of(norm n, const void *row, int64_t width, uncork_dtype dtype)
{
    double length = 0;
    if (n == MAX) {
        for (int64_t i = 0; i < width; i++) {
            const double v = fabs(element(row, i, dtype));
            if (v > length) length = v;
        }
        return length;
    }
    for (int64_t i = 0; i < width; i++) {
        const double v = element(row, i, dtype);
        length += n == L2 ? v * v : fabs(v);
    }
    return n == L2 ? sqrt(length) : length;
}

static void weigh_f64(double *y, const double *x, const double *idf, int64_t n, bool sublinear)
{
    for (int64_t i = 0; i < n; i++) {
        double v = x[i];
        if (v == 0) {
            y[i] = 0;
            continue;
        }
        if (sublinear) v = log(v) + 1;
        y[i] = idf ? v * idf[i] : v;
    }
}

static void weigh_f32(float *y, const float *x, const float *idf, int64_t n, bool sublinear)
{
    for (int64_t i = 0; i < n; i++) {
        float v = x[i];
        if (v == 0) {
            y[i] = 0;
            continue;
        }
        if (sublinear) v = logf(v) + 1;
        y[i] = idf ? v * idf[i] : v;
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *idf = uc_call_in(call, 1);
    bool sublinear = uc_call_int(call, "sublinear", 0) != 0, f32 = x->dtype == UNCORK_FLOAT32;
    int64_t rows = x->shape[0], width = x->shape[1];
    norm n = NONE;
    (void)norm_of(call, &n);
    if (idf && idf->shape[0] != width) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64,
                            width, idf->shape[0]);
    }
    uc_tensor *out = NULL;
    UC_TRY(uc_call_output(call, 0, x->dtype, 2, x->shape, &out));
    size_t row_bytes = (size_t)width * uc_dtype_size(x->dtype);
    for (int64_t r = 0; r < rows; r++) {
        const void *from = (const uint8_t *)x->data + (size_t)r * row_bytes;
        void *to = (uint8_t *)out->data + (size_t)r * row_bytes;
        if (f32) {
            weigh_f32(to, from, idf ? idf->data : NULL, width, sublinear);
        } else {
            weigh_f64(to, from, idf ? idf->data : NULL, width, sublinear);
        }
        double length = n == NONE ? 0 : length_of(n, to, width, x->dtype);
        for (int64_t i = 0; length != 0 && i < width; i++) {
            if (f32) {
                ((float *)to)[i] = (float)((double)((float *)to)[i] / length);
            } else {
                ((double *)to)[i] /= length;
            }
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_tfidf = {
    .domain = "uncork",
    .name = "Tfidf",
    .in = {1, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
