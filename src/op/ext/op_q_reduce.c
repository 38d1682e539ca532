/* QReduce: the mean, sum or product of quantised numbers over some axes.
 *
 * x  u8 or s16
 * y  x's type
 * attributes: function ("mean", "sum", "prod"), axes, keepdims, rounding, x_scale, x_zero, y_scale, y_zero,
 * offset (128 where bytes stand for signed ones)
 * Sources: XNNPACK src/operators/reduce-nd.c, qs8-rsum, qs8-rdsum; tensorflow/lite/kernels/reduce.cc,
 * internal/{optimized,reference}/reduce.h */
#include "base/thread.h"
#include "op/ext/q_number.h"
#include "op/shape.h"

typedef enum function { MEAN, SUM, PROD } function;

typedef struct prepared {
    function function;
    uc_q_rule rule;
    bool wide, keep, four; /* four: over rows and columns of a kept rank 4 */
    bool reduced[UNCORK_MAX_RANK];
    uc_q_number x, y;
    int32_t offset, low, high;
} prepared;

static uncork_status read_axes(uc_call *call, const uc_tensor *x, prepared *p)
{
    size_t n = 0;
    const int64_t *axes = uc_call_ints(call, "axes", &n);
    for (size_t i = 0; i < n; i++) {
        const int64_t axis = axes[i] < 0 ? axes[i] + x->rank : axes[i];
        if (axis < 0 || axis >= x->rank)
            return uc_call_fail(call, UNCORK_INPUT, "axis %d of %d dimensions", (int)axes[i],
                                x->rank);
        p->reduced[axis] = true;
    }
    p->four = p->keep && x->rank == 4 && !p->reduced[0] && p->reduced[1] && p->reduced[2] &&
              !p->reduced[3];
    return UNCORK_OK;
}

static uncork_status read(uc_call *call, prepared *p)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const uc_str name = uc_call_str(call, "function", "mean");
    p->function = uc_str_is(name, "mean") ? MEAN : uc_str_is(name, "sum") ? SUM : PROD;
    p->wide = x->dtype == UNCORK_INT16;
    p->keep = uc_call_int(call, "keepdims", 0) != 0;
    p->offset = (int32_t)(uc_call_int(call, "offset", 0) & 255);
    UC_TRY(uc_q_rule_read(call, &p->rule));
    UC_TRY(uc_q_number_read(call, "x", x->dtype, &p->x));
    UC_TRY(uc_q_number_read(call, "y", x->dtype, &p->y));
    UC_TRY(uc_q_limits_read(call, x->dtype, &p->low, &p->high));
    return read_axes(call, x, p);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    prepared p = {.function = MEAN};
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    UC_TRY(uc_q_expect(call, 0));
    if (!x->dtype || x->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    UC_TRY(read(call, &p));
    for (int d = 0; d < x->rank; d++) {
        if (!p.reduced[d])
            shape[rank++] = x->shape[d];
        else if (p.keep)
            shape[rank++] = 1;
    }
    return uc_call_shape(call, 0, x->dtype, rank, shape);
}

/* ---- one sum as y's integer ---------------------------------------------------------------------- */

static int32_t by_xnnpack(const prepared *p, int64_t sum, int64_t n)
{
    const float ratio = p->x.scale / p->y.scale;
    const float scale = p->function == MEAN ? ratio / (float)n : ratio;
    return uc_q_even((float)(sum - n * p->x.zero) * scale, p->y.zero, p->low, p->high);
}

/* The mean over rows and columns of pictures: the zero point is scaled by itself. */
static int32_t by_picture(const prepared *p, int64_t sum, int64_t n)
{
    const int32_t x_zero = p->x.zero - p->offset, y_zero = p->y.zero - p->offset;
    float v = (float)x_zero * p->x.scale / p->y.scale;
    v = v > 0 ? v + 0.5f : v - 0.5f;
    const int32_t bias = y_zero - (int32_t)v;
    const uc_fixed f = uc_fixed_of((double)(p->x.scale / ((float)n * p->y.scale)));
    const int32_t own = (int32_t)(sum - n * p->offset);
    return uc_fixed_clamp(uc_fixed_twice(own, f) + bias + p->offset, p->low, p->high);
}

static int32_t by_fixed(const prepared *p, int64_t sum, int64_t n)
{
    uc_fixed f = uc_fixed_of((double)p->x.scale / (double)p->y.scale);
    if (p->function == MEAN) {
        int shift = 63 - __builtin_clzll((uint64_t)n);
        shift = shift < 32 ? shift : 32;
        shift = shift < 31 + f.shift ? shift : 31 + f.shift;
        f.m = (int32_t)(((int64_t)f.m << shift) / n);
        f.shift -= shift;
    }
    const int32_t d = (int32_t)(sum - n * p->x.zero);
    return uc_fixed_clamp(uc_fixed_twice(d, f) + p->y.zero, p->low, p->high);
}

/* By way of float32. */
static int32_t by_sum(const prepared *p, int64_t sum, int64_t n)
{
    const int64_t own = sum - n * p->offset;
    if (p->rule == UC_Q_REFERENCE) return by_fixed(p, sum, n);
    const float scale = p->x.scale / p->y.scale;
    const float bias = (float)(p->offset - p->x.zero) * scale * (float)n;
    const float v = roundf((float)own * scale + bias);
    if (!(fabsf(v) < 1e9f)) return v > 0 ? p->high : p->low;
    return uc_fixed_clamp((int32_t)v + p->y.zero, p->low, p->high);
}

static int32_t finished(const prepared *p, int64_t sum, int64_t n)
{
    if (p->rule == UC_Q_XNNPACK) return by_xnnpack(p, sum, n);
    if (p->function == SUM) return by_sum(p, sum, n);
    if (p->rule == UC_Q_BUILTIN && p->four && !p->wide) return by_picture(p, sum, n);
    return by_fixed(p, sum, n);
}

/* ---- walking ---------------------------------------------------------------------------------------- */

typedef struct job {
    prepared p;
    const uc_tensor *x;
    uc_tensor *y;
    int64_t n; /* elements of a sum */
    int kept, inner;
    int64_t kept_size[UNCORK_MAX_RANK], kept_step[UNCORK_MAX_RANK];
    int64_t size[UNCORK_MAX_RANK], step[UNCORK_MAX_RANK];
} job;

static int64_t place_of(const int64_t *size, const int64_t *step, int rank, int64_t i)
{
    int64_t at = 0;
    for (int d = rank - 1; d >= 0; d--) {
        at += i % size[d] * step[d];
        i /= size[d];
    }
    return at;
}

static int32_t product_of(const job *j, int64_t first)
{
    const prepared *p = &j->p;
    const double root = pow((double)p->y.scale, 1.0 / (double)j->n);
    const uc_fixed f = uc_fixed_of((double)p->x.scale / root);
    int32_t v = 0;
    for (int64_t i = 0; i < j->n; i++) {
        const int64_t at = first + place_of(j->size, j->step, j->inner, i);
        const int32_t d = uc_q_load(j->x->data, at, p->wide) - p->x.zero;
        v = i ? uc_fixed_wide((int64_t)v * d, f) : d;
    }
    return uc_fixed_clamp(uc_fixed_wide(v, f) + p->y.zero, p->low, p->high);
}

static void outputs(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    for (int64_t o = begin; o < end; o++) {
        const int64_t first = place_of(j->kept_size, j->kept_step, j->kept, o);
        if (j->p.function == PROD) {
            uc_q_store(j->y->data, o, j->y->dtype, product_of(j, first));
            continue;
        }
        int64_t sum = 0;
        const int64_t run = j->inner ? j->size[j->inner - 1] : 1;
        const int64_t by = j->inner ? j->step[j->inner - 1] : 1;
        for (int64_t i = 0; i < j->n; i += run) {
            const int64_t at = first + place_of(j->size, j->step, j->inner, i);
            for (int64_t k = 0; k < run; k++)
                sum += uc_q_load(j->x->data, at + k * by, j->p.wide);
        }
        uc_q_store(j->y->data, o, j->y->dtype, finished(&j->p, sum, j->n));
    }
}

static uncork_status run(uc_call *call)
{
    job j = {.x = uc_call_arg(call, 0), .y = uc_call_out(call, 0), .n = 1};
    int64_t by = 1, steps[UNCORK_MAX_RANK];
    if (!j.y) return call->error->status;
    UC_TRY(read(call, &j.p));
    for (int d = j.x->rank - 1; d >= 0; d--) {
        steps[d] = by;
        by *= j.x->shape[d];
    }
    for (int d = 0; d < j.x->rank; d++) {
        int64_t *size = j.p.reduced[d] ? &j.size[j.inner] : &j.kept_size[j.kept];
        int64_t *step = j.p.reduced[d] ? &j.step[j.inner++] : &j.kept_step[j.kept++];
        *size = j.x->shape[d];
        *step = steps[d];
        if (j.p.reduced[d]) j.n *= j.x->shape[d];
    }
    const int64_t count = uc_tensor_count(j.y);
    if (count == 0) return UNCORK_OK;
    if (j.n == 0) return uc_call_fail(call, UNCORK_INPUT, "the %s of no numbers", "mean or sum");
    uc_parallel(call->pool, count, 1 + 65536 / j.n, outputs, &j);
    return UNCORK_OK;
}

const uc_op uc_op_q_reduce = {
    .domain = "uncork",
    .name = "QReduce",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
