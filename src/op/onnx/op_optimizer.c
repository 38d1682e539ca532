/* One step of training: Adagrad, Adam, Momentum over any number of tensors.
 *
 * Source: ONNX operators of ai.onnx.preview.training 1;
 * onnx/reference/ops/aionnx_preview_training/op_*.py.
 * r  float scalar, learning rate; t  int64 scalar, update count; then the tensors X1 .. Xn, their
 *    gradients, and one (Adagrad, Momentum) or two (Adam) states of each, all one type
 * outputs  new X1 .. Xn, then the new states in the same order
 * Numerics: float64 inside, rounded once. */
#include "op/shape.h"

#include <math.h>

typedef struct step {
    double r, norm, norm_after, alpha, beta, epsilon;
    bool nesterov, first;
} step;

/* One element: x, g and the states in, x and the states out. */
typedef void (*update_fn)(const step *s, const double *in, double *out);

static void adagrad(const step *s, const double *in, double *out)
{
    double g = s->norm * in[0] + in[1], h = in[2] + g * g;
    out[0] = in[0] - s->r * g / (sqrt(h) + s->epsilon);
    out[1] = h;
}

static void adam(const step *s, const double *in, double *out)
{
    double g = s->norm * in[0] + in[1];
    double v = s->alpha * in[2] + (1 - s->alpha) * g;
    double h = s->beta * in[3] + (1 - s->beta) * g * g;
    out[0] = (1 - s->norm_after) * (in[0] - s->r * (v / (sqrt(h) + s->epsilon)));
    out[1] = v;
    out[2] = h;
}

static void momentum(const step *s, const double *in, double *out)
{
    double g = s->norm * in[0] + in[1];
    double v = s->alpha * in[2] + (s->first ? 1 : s->beta) * g;
    out[0] = in[0] - s->r * (s->nesterov ? g + s->alpha * v : v);
    out[1] = v;
}

/* `states` of each tensor; the number of tensors. */
static uncork_status count_tensors(uc_call *call, size_t states, size_t *n)
{
    size_t behind = call->in_count - 2;
    *n = behind / (2 + states);
    if (*n > 0 && behind % (2 + states) == 0 && call->out_count <= *n * (1 + states)) {
        return UNCORK_OK;
    }
    return uc_call_fail(call, UNCORK_MALFORMED,
                        "%zu tensors and %zu outputs, expected n times %zu and n times %zu", behind,
                        call->out_count, 2 + states, 1 + states);
}

static uncork_status infer(uc_call *call, size_t states)
{
    size_t n = 0;
    UC_TRY(count_tensors(call, states, &n));
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INT));
    for (size_t i = 2; i < call->in_count; i++) {
        const uc_tensor *x = uc_call_in(call, 2 + (i - 2) % n), *t = uc_call_in(call, i);
        if (!x || !t) return uc_call_fail(call, UNCORK_MALFORMED, "tensor %zu is missing", i - 2);
        UC_TRY(uc_call_expect(call, i, UC_TYPES_FLOAT));
        bool same = x->rank < 0 || t->rank < 0 || x->rank == t->rank;
        for (int d = 0; same && d < x->rank && d < t->rank; d++) {
            same = x->shape[d] < 0 || t->shape[d] < 0 || x->shape[d] == t->shape[d];
        }
        if (!same) {
            return uc_call_fail(call, UNCORK_MALFORMED, "tensor %zu has another shape than its X",
                                i - 2);
        }
    }
    for (size_t i = 0; i < call->out_count; i++) {
        size_t state = i / n, from = state == 0 ? 2 + i : 2 + n + i;
        UC_TRY(uc_call_shape_like(call, i, from, uc_call_dtype(call, from)));
    }
    return UNCORK_OK;
}

static uncork_status update(uc_call *call, const step *s, size_t states, update_fn one)
{
    size_t n = 0;
    UC_TRY(count_tensors(call, states, &n));
    for (size_t k = 0; k < n; k++) {
        const uc_tensor *from[4];
        uc_tensor *to[3] = {NULL};
        for (size_t j = 0; j < 2 + states; j++) {
            from[j] = uc_call_arg(call, 2 + j * n + k);
        }
        for (size_t j = 0; j < 1 + states; j++) {
            bool wanted = j * n + k < call->out_count && call->out[j * n + k];
            if (wanted && !(to[j] = uc_call_out(call, j * n + k))) return call->error->status;
        }
        for (int64_t i = 0, count = uc_tensor_count(from[0]); i < count; i++) {
            double in[4], out[3];
            for (size_t j = 0; j < 2 + states; j++) {
                in[j] = uc_dtype_load_f64(from[j]->data, i, from[j]->dtype);
            }
            one(s, in, out);
            for (size_t j = 0; j < 1 + states; j++) {
                if (!to[j]) continue;
                char *at = (char *)to[j]->data + (size_t)i * uc_dtype_size(to[j]->dtype);
                uc_dtype_convert(at, to[j]->dtype, &out[j], UNCORK_FLOAT64, 1);
            }
        }
    }
    return UNCORK_OK;
}

/* Learning rate and update count. */
static uncork_status begin(uc_call *call, step *s, int64_t *t)
{
    const uc_tensor *r = uc_call_arg(call, 0);
    UC_TRY(uc_call_one_int(call, 1, t));
    if (uc_tensor_count(r) != 1) return uc_call_fail(call, UNCORK_MALFORMED, "R is no scalar");
    s->r = uc_dtype_load_f64(r->data, 0, r->dtype);
    s->norm = uc_call_float(call, "norm_coefficient", 0);
    s->first = *t <= 0;
    return UNCORK_OK;
}

static uncork_status run_adagrad(uc_call *call)
{
    step s = {.epsilon = uc_call_float(call, "epsilon", (double)1e-6F)};
    int64_t t = 0;
    UC_TRY(begin(call, &s, &t));
    s.r /= 1 + (double)t * uc_call_float(call, "decay_factor", 0);
    return update(call, &s, 1, adagrad);
}

static uncork_status run_adam(uc_call *call)
{
    step s = {.alpha = uc_call_float(call, "alpha", (double)0.9F),
              .beta = uc_call_float(call, "beta", (double)0.999F),
              .norm_after = uc_call_float(call, "norm_coefficient_post", 0),
              .epsilon = uc_call_float(call, "epsilon", (double)1e-6F)};
    int64_t t = 0;
    UC_TRY(begin(call, &s, &t));
    if (t > 0) s.r *= sqrt(1 - pow(s.beta, (double)t)) / (1 - pow(s.alpha, (double)t));
    return update(call, &s, 2, adam);
}

static uncork_status run_momentum(uc_call *call)
{
    step s = {.alpha = uc_call_float(call, "alpha", 0), .beta = uc_call_float(call, "beta", 1)};
    uc_str mode = uc_call_str(call, "mode", "standard");
    int64_t t = 0;
    s.nesterov = uc_str_is(mode, "nesterov");
    if (!s.nesterov && !uc_str_is(mode, "standard")) {
        return uc_call_fail(call, UNCORK_MALFORMED, "mode '%.*s' isn't standard or nesterov",
                            (int)(mode.size < 40 ? mode.size : 40), mode.data);
    }
    UC_TRY(begin(call, &s, &t));
    return update(call, &s, 1, momentum);
}

static uncork_status infer_one(uc_call *call) { return infer(call, 1); }
static uncork_status infer_two(uc_call *call) { return infer(call, 2); }

#define OPTIMIZER(SYMBOL, NAME, INFER, RUN)                             \
    const uc_op uc_op_##SYMBOL = {.domain = "ai.onnx.preview.training", \
                                  .name = NAME,                         \
                                  .in = {3, -1},                        \
                                  .out = {1, -1},                       \
                                  .infer = INFER,                       \
                                  .run = RUN};

OPTIMIZER(adagrad, "Adagrad", infer_one, run_adagrad)
OPTIMIZER(adam, "Adam", infer_two, run_adam)
OPTIMIZER(momentum, "Momentum", infer_one, run_momentum)
