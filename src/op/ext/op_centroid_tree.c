/* uncork.CentroidTree: the leaf a row reaches in a binary tree, going to the child whose centre is
 * nearer, the left one when both are as near.
 * Source: sklearn/cluster/_bisect_k_means.py, _predict_recursive.
 *
 * x        f64 [n, d]
 * centres  f64 [nodes, d]; children i64 [nodes, 2], -1 -1 for a leaf; labels i64 [nodes]; constant
 * out      i64 [n]
 * Children stand behind their parent, so every path ends. */
#include "op/op.h"

static bool is_matrix(const uc_tensor *t, uncork_dtype dtype)
{
    return t && t->dtype == dtype && t->rank == 2;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *labels = uc_call_in(call, 3);
    if (!is_matrix(x, UNCORK_FLOAT64) || !is_matrix(uc_call_in(call, 1), UNCORK_FLOAT64) ||
        !is_matrix(uc_call_in(call, 2), UNCORK_INT64) || !labels || labels->rank != 1 ||
        labels->dtype != UNCORK_INT64) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs rows, centres, children and labels");
    }
    return uc_call_shape(call, 0, UNCORK_INT64, 1, x->shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *centres = uc_call_in(call, 1), *children = uc_call_in(call, 2);
    const uc_tensor *labels = uc_call_in(call, 3);
    if (!centres->data || !children->data || !labels->data) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "the tree must be constant");
    }
    int64_t nodes = centres->shape[0];
    if (nodes < 1 || children->shape[0] != nodes || children->shape[1] != 2 ||
        labels->shape[0] != nodes) {
        return uc_call_fail(call, UNCORK_MALFORMED, "the tree's arrays differ in length");
    }
    const int64_t *c = children->data;
    for (int64_t i = 0; i < nodes; i++, c += 2) {
        bool leaf = c[0] == -1 && c[1] == -1;
        bool inside = c[0] > i && c[0] < nodes && c[1] > i && c[1] < nodes;
        if (leaf || inside) continue;
        return uc_call_fail(call, UNCORK_MALFORMED, "node %lld of %lld has children %lld and %lld",
                            (long long)i, (long long)nodes, (long long)c[0], (long long)c[1]);
    }
    return UNCORK_OK;
}

static double square_distance(const double *x, const double *y, int64_t width)
{
    double sum = 0.0;
    for (int64_t j = 0; j < width; j++) {
        double t = x[j] - y[j];
        sum += t * t;
    }
    return sum;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *centres = uc_call_in(call, 1);
    const int64_t *children = uc_call_in(call, 2)->data, *labels = uc_call_in(call, 3)->data;
    int64_t width = centres->shape[1];
    const double *c = uc_tensor_doubles(centres);
    if (x->shape[1] != width) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld features are fed, %lld are needed",
                            (long long)x->shape[1], (long long)width);
    }
    uc_tensor *out;
    UC_TRY(uc_call_output(call, 0, UNCORK_INT64, 1, x->shape, &out));
    for (int64_t r = 0; r < x->shape[0]; r++) {
        const double *row = uc_tensor_doubles(x) + r * width;
        int64_t node = 0;
        while (children[2 * node] >= 0) {
            int64_t left = children[2 * node], right = children[2 * node + 1];
            double to_left = square_distance(row, c + left * width, width);
            node = square_distance(row, c + right * width, width) < to_left ? right : left;
        }
        ((int64_t *)out->data)[r] = labels[node];
    }
    return UNCORK_OK;
}

const uc_op uc_op_centroid_tree = {
    .domain = "uncork",
    .name = "CentroidTree",
    .in = {4, 4},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
