/* Det: determinants of square matrices.
 *
 * Source: ONNX operator Det, opset 22.
 * x  float [..., n, n];  y  [...]
 * Numerics: elimination in float64 with partial pivoting, as LAPACK's getrf does it for NumPy. */
#include "op/shape.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    int64_t rows = x->rank < 2 ? 0 : x->shape[x->rank - 2];
    int64_t columns = x->rank < 2 ? 1 : x->shape[x->rank - 1];
    if (rows != columns && rows >= 0 && columns >= 0) {
        return uc_call_fail(call, UNCORK_INPUT, "the matrices aren't square");
    }
    return uc_call_shape(call, 0, x->dtype, x->rank - 2, x->shape);
}

static double determinant(double *a, int64_t n)
{
    double det = 1;
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; i++) {
            if (fabs(a[i * n + k]) > fabs(a[pivot * n + k])) pivot = i;
        }
        if (a[pivot * n + k] == 0) return 0;
        for (int64_t j = 0; pivot != k && j < n; j++) {
            double swap = a[k * n + j];
            a[k * n + j] = a[pivot * n + j];
            a[pivot * n + j] = swap;
        }
        if (pivot != k) det = -det;
        det *= a[k * n + k];
        for (int64_t i = k + 1; i < n; i++) {
            double factor = a[i * n + k] / a[k * n + k];
            for (int64_t j = k; j < n; j++) {
                a[i * n + j] -= factor * a[k * n + j];
            }
        }
    }
    return det;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    int64_t n = x->shape[x->rank - 1];
    size_t square = 0;
    bool fits = uc_mul_size((size_t)n, (size_t)n, &square);
    double *a = fits ? uc_call_scratch(call, square, sizeof *a) : NULL;
    if (!a) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        const char *from = (const char *)x->data + (size_t)i * square * uc_dtype_size(x->dtype);
        uc_dtype_convert(a, UNCORK_FLOAT64, from, x->dtype, (int64_t)square);
        double det = determinant(a, n);
        uc_dtype_convert((char *)y->data + (size_t)i * uc_dtype_size(y->dtype), y->dtype, &det,
                         UNCORK_FLOAT64, 1);
    }
    return UNCORK_OK;
}

const uc_op uc_op_det = {.name = "Det", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run};
