/* NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: minus the (log-)probability of each target.
 *
 * Source: ONNX operators NegativeLogLikelihoodLoss 22, SoftmaxCrossEntropyLoss 13.
 * x       floats [N, C, d1, ...]: log-probabilities, or scores of the second operator
 * target  int32 or int64 [N, d1, ...]: classes; ignore_index counts nowhere
 * weight  type of x [C], optional
 * loss    reduction none: [N, d1, ...]; sum, mean: a scalar (mean: over the weights)
 * log_prob  of the second operator, optional: log-softmax of x along axis 1
 * Numerics: float64 inside, added in order, rounded once. */
#include "op/shape.h"

#include <inttypes.h>
#include <math.h>

typedef enum reduction { NONE, SUM, MEAN } reduction;

static uncork_status read_reduction(uc_call *call, reduction *how)
{
    uc_str name = uc_call_str(call, "reduction", "mean");
    *how = uc_str_is(name, "none") ? NONE : uc_str_is(name, "sum") ? SUM : MEAN;
    if (*how != MEAN || uc_str_is(name, "mean")) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "reduction '%.*s' isn't none, sum or mean",
                        (int)(name.size < 40 ? name.size : 40), name.data);
}

/* Whether the target's shape is x's without axis 1, as far as both are known. */
static uncork_status check_target(uc_call *call, const uc_tensor *x, const uc_tensor *target)
{
    char a[128], b[128];
    bool fits = target->rank < 0 || target->rank == x->rank - 1;
    for (int d = 0; fits && d < target->rank; d++) {
        int64_t have = target->shape[d], want = x->shape[d ? d + 1 : 0];
        fits = have < 0 || want < 0 || have == want;
    }
    if (fits) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "targets %s don't fit x %s",
                        uc_shape_text(target->shape, target->rank, a, sizeof a),
                        uc_shape_text(x->shape, x->rank, b, sizeof b));
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *target = uc_call_arg(call, 1);
    const uc_tensor *weight = uc_call_in(call, 2);
    uncork_dtype dtype = uc_call_dtype(call, 0);
    reduction how;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    UC_TRY(uc_call_same_dtype(call, 0, 2));
    UC_TRY(read_reduction(call, &how));
    if (x->rank >= 0 && x->rank < 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "x has %d dimensions, expected 2 or more",
                            x->rank);
    }
    if (x->rank >= 0) UC_TRY(check_target(call, x, target));
    bool sized = weight && weight->rank == 1 && x->rank > 0;
    if (weight && weight->rank >= 0 &&
        (weight->rank != 1 ||
         (sized && x->shape[1] >= 0 && weight->shape[0] >= 0 && weight->shape[0] != x->shape[1]))) {
        return uc_call_fail(call, UNCORK_MALFORMED, "weights don't fit %" PRId64 " classes",
                            x->rank > 1 ? x->shape[1] : -1);
    }
    if (call->out_count > 1) UC_TRY(uc_call_shape_like(call, 1, 0, dtype));
    if (how != NONE) return uc_call_shape(call, 0, dtype, 0, NULL);
    return uc_call_shape_like(call, 0, 1, dtype);
}

/* x as [n, c, d]. */
typedef struct sizes {
    int64_t n, c, d;
} sizes;

static sizes sizes_of(const uc_tensor *x)
{
    sizes s = {x->shape[0], x->shape[1], 1};
    for (int d = 2; d < x->rank; d++) {
        s.d *= x->shape[d];
    }
    return s;
}

/* The loss from log-probabilities as float64 [n, c, d]. */
static uncork_status sum_up(uc_call *call, const double *p, sizes s)
{
    const uc_tensor *target = uc_call_arg(call, 1), *weight = uc_call_in(call, 2);
    const uc_attr *ignore = uc_call_attr(call, "ignore_index");
    bool ignores = ignore && ignore->kind == UC_ATTR_INT;
    reduction how;
    UC_TRY(read_reduction(call, &how));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    double *each = how == NONE ? uc_call_scratch(call, (size_t)(s.n * s.d), sizeof *each) : NULL;
    if (how == NONE && !each) return call->error->status;
    double loss = 0, weights = 0;
    for (int64_t i = 0; i < s.n * s.d; i++) {
        int64_t at = uc_dtype_load_i64(target->data, i, target->dtype);
        double one = 0;
        if (!ignores || at != ignore->i) {
            if (at < 0 || at >= s.c) {
                return uc_call_fail(call, UNCORK_INPUT,
                                    "target %" PRId64 " is outside the %" PRId64 " classes", at,
                                    s.c);
            }
            double w = weight ? uc_dtype_load_f64(weight->data, at, weight->dtype) : 1;
            one = -p[(i / s.d * s.c + at) * s.d + i % s.d] * w;
            weights += w;
        }
        loss += one;
        if (each) each[i] = one;
    }
    if (how == MEAN) loss /= weights;
    uc_dtype_convert(y->data, y->dtype, each ? each : &loss, UNCORK_FLOAT64, each ? s.n * s.d : 1);
    return UNCORK_OK;
}

static double *wide_copy(uc_call *call, const uc_tensor *x)
{
    int64_t n = uc_tensor_count(x);
    double *p = uc_call_scratch(call, (size_t)n, sizeof *p);
    if (p) uc_dtype_convert(p, UNCORK_FLOAT64, x->data, x->dtype, n);
    return p;
}

static uncork_status run_nll(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const double *p = wide_copy(call, x);
    return p ? sum_up(call, p, sizes_of(x)) : call->error->status;
}

static void log_softmax(double *p, sizes s)
{
    for (int64_t i = 0; i < s.n * s.d; i++) {
        double *at = p + i / s.d * s.c * s.d + i % s.d, most = -HUGE_VAL, sum = 0;
        for (int64_t k = 0; k < s.c; k++) {
            if (at[k * s.d] > most) most = at[k * s.d];
        }
        for (int64_t k = 0; k < s.c; k++) {
            sum += exp(at[k * s.d] - most);
        }
        for (int64_t k = 0; k < s.c; k++) {
            at[k * s.d] -= most + log(sum);
        }
    }
}

static uncork_status run_softmax(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    double *p = wide_copy(call, x);
    if (!p) return call->error->status;
    log_softmax(p, sizes_of(x));
    if (call->out_count > 1 && call->out[1]) {
        uc_tensor *log_prob = uc_call_out(call, 1);
        if (!log_prob) return call->error->status;
        uc_dtype_convert(log_prob->data, log_prob->dtype, p, UNCORK_FLOAT64, uc_tensor_count(x));
    }
    return sum_up(call, p, sizes_of(x));
}

const uc_op uc_op_negative_log_likelihood_loss = {.name = "NegativeLogLikelihoodLoss",
                                                  .in = {2, 3},
                                                  .out = {1, 1},
                                                  .infer = infer,
                                                  .run = run_nll};

const uc_op uc_op_softmax_cross_entropy_loss = {.name = "SoftmaxCrossEntropyLoss",
                                                .in = {2, 3},
                                                .out = {1, 2},
                                                .infer = infer,
                                                .run = run_softmax};
