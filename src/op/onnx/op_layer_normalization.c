/* LayerNormalization and RMSNormalization: the last dimensions of every row brought to mean 0 and
 * variance 1 (RMS: mean square 1), then scaled and shifted.
 *
 * Source: ONNX operators LayerNormalization 17, RMSNormalization 23.
 * x  float [..., axis, ...];  scale, bias  float, broadcast to x;  y  as x (RMS: type of scale)
 * mean, inv_std_dev  the type stash_type names, [..., 1, ...]
 * Numerics: sums run in float64, the two numbers of a row are rounded once; short floats run in
 * float32, which every stash_type allows. */
#include "base/thread.h"
#include "kernel/copy.h"
#include "kernel/span.h"
#include "op/axis.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

/* ---- shapes ------------------------------------------------------------------------------------ */

/* scale or bias must broadcast to x, one way. */
static uncork_status check_broadcast(uc_call *call, const uc_tensor *x, size_t i)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t || t->rank < 0 || x->rank < 0) return UNCORK_OK;
    bool fits = t->rank <= x->rank;
    for (int d = 0; fits && d < t->rank; d++) {
        int64_t have = t->shape[d], want = x->shape[x->rank - t->rank + d];
        fits = have < 0 || want < 0 || have == 1 || have == want;
    }
    if (fits) return UNCORK_OK;
    char a[128], b[128];
    return uc_call_fail(call, UNCORK_INPUT, "%s of shape %s doesn't broadcast to %s",
                        i == 1 ? "a scale" : "a bias",
                        uc_shape_text(t->shape, t->rank, a, sizeof a),
                        uc_shape_text(x->shape, x->rank, b, sizeof b));
}

static uncork_status check(uc_call *call, int *axis)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    for (size_t i = 0; i < call->in_count; i++) {
        UC_TRY(uc_call_expect_wide(call, i));
        UC_TRY(check_broadcast(call, x, i));
    }
    *axis = 0;
    return x->rank < 0 ? UNCORK_OK : uc_axis(call, uc_call_int(call, "axis", -1), x->rank, axis);
}

static uncork_status infer_layer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK], stash = uc_call_int(call, "stash_type", 1);
    int axis = 0;
    UC_TRY(check(call, &axis));
    UC_TRY(uc_call_same_dtype(call, 0, 1));
    if (uc_call_in(call, 2)) UC_TRY(uc_call_same_dtype(call, 0, 2));
    if (stash != UNCORK_FLOAT32 && stash != UNCORK_BFLOAT16) {
        return uc_call_fail(call, UNCORK_MALFORMED, "stash_type is %" PRId64, stash);
    }
    for (int d = 0; d < x->rank; d++) {
        shape[d] = d < axis ? x->shape[d] : 1;
    }
    UC_TRY(uc_call_shape(call, 0, x->dtype, x->rank, x->shape));
    UC_TRY(uc_call_shape(call, 1, (uncork_dtype)stash, x->rank, shape));
    return uc_call_shape(call, 2, (uncork_dtype)stash, x->rank, shape);
}

static uncork_status infer_rms(uc_call *call)
{
    int axis = 0;
    UC_TRY(check(call, &axis));
    return uc_call_shape_like(call, 0, 0, uc_call_dtype(call, 1));
}

/* ---- running ----------------------------------------------------------------------------------- */

/* scale or bias over all of x or over one row of it. */
typedef struct operand {
    const void *data; /* NULL: none */
    int64_t row;      /* elements from row to row: 0 or n */
} operand;

typedef struct job {
    uncork_dtype dtype;
    const void *x;
    void *y;
    int64_t n;
    operand scale, bias;
    double epsilon;
    bool centred;
    double *mean, *factor; /* [rows] */
} job;

/* Broadcasts input i to a row of x, or to all of x where it changes from row to row. */
static uncork_status spread(uc_call *call, size_t i, const uc_tensor *x, const uc_along *a,
                            int64_t n, operand *f)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t) return UNCORK_OK;
    int64_t stride[UNCORK_MAX_RANK], shape[UNCORK_MAX_RANK], count = 1;
    for (int d = 0; d < x->rank; d++) {
        int from = d - (x->rank - t->rank);
        bool is_one = from < 0 || t->shape[from] == 1;
        stride[d] = is_one ? 0 : t->stride[from];
        if (!is_one && d < a->axis && x->shape[d] > 1) f->row = n;
    }
    for (int d = 0; d < x->rank; d++) {
        shape[d] = d < a->axis && !f->row ? 1 : x->shape[d];
        count *= shape[d];
    }
    size_t size = uc_dtype_size(x->dtype);
    f->data = t->data;
    if (uc_tensor_count(t) == count && t->dtype == x->dtype) return UNCORK_OK;
    const void *data = t->data;
    if (t->dtype != x->dtype) { /* RMS: a scale of another type */
        void *cast = uc_call_scratch(call, (size_t)uc_tensor_count(t), size);
        if (!cast) return uc_fail_memory(call->error);
        uc_dtype_convert(cast, x->dtype, t->data, t->dtype, uc_tensor_count(t));
        data = cast;
    }
    void *to = uc_call_scratch(call, (size_t)count, size);
    if (!to) return uc_fail_memory(call->error);
    uc_copy_strided(to, NULL, data, stride, x->rank, shape, size);
    f->data = to;
    return UNCORK_OK;
}

/* One type's row: mean and 1 / deviation, then the row itself. */
#define ROW(NAME, T, SPANS)                                                                 \
    static void NAME(const job *j, int64_t i)                                               \
    {                                                                                       \
        const T *x = (const T *)j->x + i * j->n;                                            \
        const T *scale = (const T *)j->scale.data + i * j->scale.row, *bias = j->bias.data; \
        double mean = j->centred ? SPANS->sum(x, j->n) / (double)j->n : 0;                  \
        double var = SPANS->squares(x, mean, j->n) / (double)j->n;                          \
        double factor = 1 / sqrt(var + j->epsilon);                                         \
        if (bias) bias += i * j->bias.row;                                                  \
        SPANS->affine((T *)j->y + i * j->n, x, (T)mean, (T)factor, scale, bias, j->n);      \
        if (j->mean) j->mean[i] = mean;                                                     \
        if (j->factor) j->factor[i] = factor;                                               \
    }

ROW(row_f32, float, uc_spans_f32())
ROW(row_f64, double, uc_spans_f64())

static void body(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        if (j->dtype == UNCORK_FLOAT64) {
            row_f64(j, i);
        } else {
            row_f32(j, i);
        }
    }
}

static uncork_status put(uc_call *call, size_t i, const double *from)
{
    if (!uc_call_wants(call, i)) return UNCORK_OK;
    uc_tensor *y = uc_call_out(call, i);
    if (!y) return uc_fail_memory(call->error);
    uc_dtype_convert(y->data, y->dtype, from, UNCORK_FLOAT64, uc_tensor_count(y));
    return UNCORK_OK;
}

static uncork_status run_as(uc_call *call, bool centred)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    job j = {.dtype = x->dtype, .x = x->data, .centred = centred};
    uc_along a;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", -1), &a));
    j.n = a.n * a.inner;
    j.epsilon = uc_call_float(call, "epsilon", (double)1e-5F);
    UC_TRY(spread(call, 1, x, &a, j.n, &j.scale));
    if (centred) UC_TRY(spread(call, 2, x, &a, j.n, &j.bias));
    j.y = y->data;
    if (y->dtype != x->dtype) { /* RMS with a scale of another type, which y has */
        j.y = uc_call_scratch(call, (size_t)uc_tensor_count(x), uc_dtype_size(x->dtype));
    }
    j.mean = uc_call_wants(call, 1) ? uc_call_scratch(call, (size_t)a.outer, sizeof(double)) : NULL;
    j.factor =
        uc_call_wants(call, 2) ? uc_call_scratch(call, (size_t)a.outer, sizeof(double)) : NULL;
    bool got = j.y && (j.mean || !uc_call_wants(call, 1)) && (j.factor || !uc_call_wants(call, 2));
    if (!got) return uc_fail_memory(call->error);
    int64_t grain = j.n < 4096 ? 4096 / (j.n ? j.n : 1) : 1;
    if (j.n > 0 || j.mean || j.factor) uc_parallel(call->pool, a.outer, grain, body, &j);
    if (j.y != y->data) {
        uc_dtype_convert(y->data, y->dtype, j.y, x->dtype, uc_tensor_count(x));
    }
    UC_TRY(put(call, 1, j.mean));
    return put(call, 2, j.factor);
}

static uncork_status wide_layer(uc_call *call) { return run_as(call, true); }

static uncork_status wide_rms(uc_call *call) { return run_as(call, false); }

static uncork_status run_layer(uc_call *call) { return uc_widened(call, wide_layer); }

static uncork_status run_rms(uc_call *call) { return uc_widened(call, wide_rms); }

const uc_op uc_op_layer_normalization = {.name = "LayerNormalization",
                                         .in = {2, 3},
                                         .out = {1, 3},
                                         .infer = infer_layer,
                                         .run = run_layer};
const uc_op uc_op_rms_normalization = {
    .name = "RMSNormalization", .in = {2, 2}, .out = {1, 1}, .infer = infer_rms, .run = run_rms};
