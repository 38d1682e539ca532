/* Products: each output column is a product of some columns of x, 1 where it is of none.
 *
 * Source: scikit-learn, preprocessing/_polynomial.py, PolynomialFeatures.transform.
 * x        f32 or f64 [rows, columns]
 * starts   i64 [outputs + 1], constant: where each output's factors begin
 * factors  i64 [total], constant: columns of x
 * y        as x, [rows, outputs]
 * reverse  1: multiplied from the last factor to the first (0.22 and later), else from the first */
#include "op/op.h"

#include <inttypes.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *starts = uc_call_in(call, 1);
    const uc_tensor *factors = uc_call_in(call, 2);
    if ((x->dtype != UNCORK_FLOAT64 && x->dtype != UNCORK_FLOAT32) || x->rank != 2 ||
        starts->dtype != UNCORK_INT64 || starts->rank != 1 || starts->shape[0] < 1 ||
        factors->dtype != UNCORK_INT64 || factors->rank != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    const int64_t shape[2] = {x->shape[0], starts->shape[0] - 1};
    return uc_call_shape(call, 0, x->dtype, 2, shape);
}

typedef struct prepared {
    const int64_t *starts, *factors;
    int64_t highest; /* of the factors */
} prepared;

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *starts = uc_call_in(call, 1), *factors = uc_call_in(call, 2);
    if (!starts->data || (!factors->data && factors->shape[0] != 0)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "the factors aren't constant");
    }
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    *p = (prepared){starts->data, factors->data, -1};
    for (int64_t i = 0; i < starts->shape[0]; i++) {
        if (p->starts[i] < (i ? p->starts[i - 1] : 0) || p->starts[i] > factors->shape[0]) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "output %" PRId64 " begins at factor %" PRId64 " of %" PRId64, i,
                                p->starts[i], factors->shape[0]);
        }
    }
    for (int64_t i = 0; i < factors->shape[0]; i++) {
        if (p->factors[i] < 0) return uc_call_fail(call, UNCORK_MALFORMED, "a column is negative");
        if (p->factors[i] > p->highest) p->highest = p->factors[i];
    }
    call->prepared = p;
    return UNCORK_OK;
}

static double product_f64(const double *x, const int64_t *factors, int64_t n, bool reverse)
{
    double y = n ? x[factors[reverse ? n - 1 : 0]] : 1;
    for (int64_t i = 1; i < n; i++)
        y *= x[factors[reverse ? n - 1 - i : i]];
    return y;
}

static float product_f32(const float *x, const int64_t *factors, int64_t n, bool reverse)
{
    float y = n ? x[factors[reverse ? n - 1 : 0]] : 1;
    for (int64_t i = 1; i < n; i++)
        y *= x[factors[reverse ? n - 1 - i : i]];
    return y;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    const prepared *p = call->prepared;
    int64_t width = x->shape[1];
    bool reverse = uc_call_int(call, "reverse", 0) != 0, f32 = x->dtype == UNCORK_FLOAT32;
    if (p->highest >= width) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "x has %" PRId64 " columns, column %" PRId64 " is needed", width,
                            p->highest);
    }
    uc_tensor *out = uc_call_out(call, 0);
    if (!out) return call->error->status;
    int64_t outputs = out->shape[1];
    for (int64_t r = 0; r < x->shape[0]; r++) {
        for (int64_t i = 0; i < outputs; i++) {
            const int64_t *factors = p->factors + p->starts[i];
            int64_t n = p->starts[i + 1] - p->starts[i];
            if (f32) {
                ((float *)out->data)[r * outputs + i] =
                    product_f32((const float *)x->data + r * width, factors, n, reverse);
            } else {
                ((double *)out->data)[r * outputs + i] =
                    product_f64(uc_tensor_doubles(x) + r * width, factors, n, reverse);
            }
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_products = {
    .domain = "uncork",
    .name = "Products",
    .in = {3, 3},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
