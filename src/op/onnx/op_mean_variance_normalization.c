/* MeanVarianceNormalization: (x - mean) / (deviation + 1e-9) over the given axes.
 *
 * Source: ONNX operator MeanVarianceNormalization, opset 13; axes 0, 2 and 3 unless told.
 * x  float, any shape;  y  as x.
 * Numerics: all in float64, rounded once. */
#include "kernel/copy.h"
#include "kernel/span.h"
#include "op/shape.h"
#include "op/widen.h"

#include <math.h>

/* Which axes are reduced. */
static uncork_status read_axes(uc_call *call, int rank, bool *reduced)
{
    static const int64_t usual[] = {0, 2, 3};
    size_t count = 0;
    const int64_t *axes = uc_call_ints(call, "axes", &count);
    if (!uc_call_attr(call, "axes")) {
        axes = usual;
        count = 3;
    }
    memset(reduced, 0, UNCORK_MAX_RANK * sizeof *reduced);
    for (size_t i = 0; i < count; i++) {
        int axis = 0;
        UC_TRY(uc_axis(call, axes[i], rank, &axis));
        reduced[axis] = true;
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool reduced[UNCORK_MAX_RANK];
    UC_TRY(uc_call_expect_wide(call, 0));
    if (x->rank >= 0) UC_TRY(read_axes(call, x->rank, reduced));
    return uc_call_shape(call, 0, x->dtype, x->rank, x->shape);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool reduced[UNCORK_MAX_RANK];
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(read_axes(call, x->rank, reduced));
    int64_t shape[UNCORK_MAX_RANK], stride[UNCORK_MAX_RANK], rows = 1, n = 1, count;
    int at = 0;
    for (int pass = 0; pass < 2; pass++) { /* the axes that stay, then the others */
        for (int d = 0; d < x->rank; d++) {
            if (reduced[d] != (pass == 1)) continue;
            shape[at] = x->shape[d];
            stride[at++] = y->stride[d];
            *(pass ? &n : &rows) *= x->shape[d];
        }
    }
    count = uc_tensor_count(x);
    const double *wide = uc_call_doubles(call, x);
    double *row = uc_call_scratch(call, (size_t)count, sizeof *row);
    double *out = uc_call_scratch(call, (size_t)count, sizeof *out);
    if (!wide || !row || !out) return uc_fail_memory(call->error);
    uc_copy_strided(row, NULL, wide, stride, x->rank, shape, sizeof *row);
    for (int64_t i = 0; count && i < rows; i++) {
        double *v = row + i * n, mean = uc_spans_f64()->sum(v, n) / (double)n;
        double deviation = sqrt(uc_spans_f64()->squares(v, mean, n) / (double)n) + 1e-9;
        for (int64_t k = 0; k < n; k++) {
            v[k] = (v[k] - mean) / deviation;
        }
    }
    uc_copy_strided(out, stride, row, NULL, x->rank, shape, sizeof *row);
    uc_dtype_convert(y->data, y->dtype, out, UNCORK_FLOAT64, count);
    return UNCORK_OK;
}

const uc_op uc_op_mean_variance_normalization = {
    .name = "MeanVarianceNormalization", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run};
