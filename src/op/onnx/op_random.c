/* Random numbers: RandomNormal, RandomNormalLike, RandomUniform, RandomUniformLike, Bernoulli,
 * Multinomial.
 *
 * Source: ONNX operators of these names, opset 22. The generator is Philox 4x32-10 of Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3" (2011): number i is a function of the key and i alone,
 * so the same for any number of threads. The key is attribute seed, or the node's place when there is
 * none: every run gives the same numbers, which no framework promises and none forbids.
 * y  the given shape, or x's; type by attribute dtype (default float32, or x's type). */
#include "op/shape.h"

#include <inttypes.h>
#include <math.h>

/* ---- numbers ------------------------------------------------------------------------------ */

static void philox(uint64_t key, uint64_t counter, uint32_t out[4])
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0};
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)c[0] * 0xD2511F53U, b = (uint64_t)c[2] * 0xCD9E8D57U;
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b,
                            (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a};
        memcpy(c, next, sizeof c);
        k0 += 0x9E3779B9U;
        k1 += 0xBB67AE85U;
    }
    memcpy(out, c, sizeof c);
}

/* In [0, 1), 53 bits. */
static double unit(uint32_t high, uint32_t low)
{
    return (double)(((uint64_t)high << 32 | low) >> 11) * 0x1p-53;
}

static double uniform(uint64_t key, uint64_t i)
{
    uint32_t r[4];
    philox(key, i, r);
    return unit(r[0], r[1]);
}

/* Box and Muller, "A note on the generation of random normal deviates" (1958). */
static double normal(uint64_t key, uint64_t i)
{
    uint32_t r[4];
    philox(key, i, r);
    double u = 1 - unit(r[0], r[1]), v = unit(r[2], r[3]);
    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

static uint64_t key_of(const uc_call *call)
{
    const uc_attr *seed = uc_call_attr(call, "seed");
    uint64_t key = 0xcbf29ce484222325U; /* FNV-1a of what tells this node from others */
    if (seed && seed->kind == UC_ATTR_FLOAT) {
        float f = (float)seed->f;
        uint32_t bits;
        memcpy(&bits, &f, sizeof bits);
        return bits;
    }
    for (const char *s = call->where ? call->where : call->op->name; *s; s++) {
        key = (key ^ (uint8_t)*s) * 0x100000001b3U;
    }
    return key;
}

/* ---- shapes ------------------------------------------------------------------------------- */

static uncork_status output_type(uc_call *call, uncork_dtype otherwise, uncork_dtype *dtype)
{
    *dtype = (uncork_dtype)uc_call_int(call, "dtype", otherwise);
    return UNCORK_OK;
}

static uncork_status infer_shaped(uc_call *call)
{
    size_t count = 0;
    uncork_dtype dtype;
    const int64_t *shape = uc_call_ints(call, "shape", &count);
    UC_TRY(output_type(call, UNCORK_FLOAT32, &dtype));
    if (!uc_dtype_is_float(dtype) || !uc_dtype_size(dtype)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "dtype %d is no float type", (int)dtype);
    }
    if (count > UNCORK_MAX_RANK) {
        return uc_call_fail(call, UNCORK_LIMIT, "shape has %zu dimensions, at most %d can be",
                            count, UNCORK_MAX_RANK);
    }
    for (size_t d = 0; d < count; d++) {
        if (shape[d] < 0) {
            return uc_call_fail(call, UNCORK_MALFORMED, "dimension %zu is %" PRId64, d, shape[d]);
        }
    }
    return uc_call_shape(call, 0, dtype, (int)count, shape);
}

static uncork_status infer_like(uc_call *call)
{
    uncork_dtype dtype;
    UC_TRY(output_type(call, uc_call_dtype(call, 0), &dtype));
    if (dtype != UNCORK_DTYPE_NONE && (!uc_dtype_is_float(dtype) || !uc_dtype_size(dtype))) {
        return uc_call_fail(call, UNCORK_MALFORMED, "dtype %d is no float type", (int)dtype);
    }
    return uc_call_shape_like(call, 0, 0, dtype);
}

/* ---- runs --------------------------------------------------------------------------------- */

typedef double (*draw_fn)(uint64_t key, uint64_t i);

/* y = a + b * draw */
static uncork_status fill(uc_call *call, draw_fn draw, double a, double b)
{
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    uint64_t key = key_of(call);
    size_t size = uc_dtype_size(y->dtype);
    int64_t n = uc_tensor_count(y);
    for (int64_t i = 0; i < n; i++) {
        double v = a + b * draw(key, (uint64_t)i);
        uc_dtype_convert((char *)y->data + (size_t)i * size, y->dtype, &v, UNCORK_FLOAT64, 1);
    }
    return UNCORK_OK;
}

static uncork_status run_normal(uc_call *call)
{
    return fill(call, normal, uc_call_float(call, "mean", 0), uc_call_float(call, "scale", 1));
}

static uncork_status run_uniform(uc_call *call)
{
    double low = uc_call_float(call, "low", 0), high = uc_call_float(call, "high", 1);
    return fill(call, uniform, low, high - low);
}

#define RANDOM(SYMBOL, NAME, INPUTS, INFER, RUN)          \
    const uc_op uc_op_##SYMBOL = {.name = NAME,           \
                                  .in = {INPUTS, INPUTS}, \
                                  .out = {1, 1},          \
                                  .impure = true,         \
                                  .infer = INFER,         \
                                  .run = RUN};

RANDOM(random_normal, "RandomNormal", 0, infer_shaped, run_normal)
RANDOM(random_normal_like, "RandomNormalLike", 1, infer_like, run_normal)
RANDOM(random_uniform, "RandomUniform", 0, infer_shaped, run_uniform)
RANDOM(random_uniform_like, "RandomUniformLike", 1, infer_like, run_uniform)

/* ---- Bernoulli: 1 with the given probability ----------------------------------------------- */

static uncork_status infer_bernoulli(uc_call *call)
{
    uncork_dtype dtype;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    UC_TRY(output_type(call, uc_call_dtype(call, 0), &dtype));
    if (dtype != UNCORK_DTYPE_NONE && !uc_dtype_size(dtype)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "dtype %d holds no 0 and 1", (int)dtype);
    }
    return uc_call_shape_like(call, 0, 0, dtype);
}

static uncork_status run_bernoulli(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    uint64_t key = key_of(call);
    size_t size = uc_dtype_size(y->dtype);
    for (int64_t i = 0, n = uc_tensor_count(x); i < n; i++) {
        double v = uniform(key, (uint64_t)i) < uc_dtype_load_f64(x->data, i, x->dtype);
        if (!uc_dtype_convert((char *)y->data + (size_t)i * size, y->dtype, &v, UNCORK_FLOAT64,
                              1)) {
            return uc_call_fail(call, UNCORK_UNSUPPORTED, "not defined for %s",
                                uc_dtype_name(y->dtype));
        }
    }
    return UNCORK_OK;
}

RANDOM(bernoulli, "Bernoulli", 1, infer_bernoulli, run_bernoulli)

/* ---- Multinomial: classes drawn by unnormalised log-probabilities --------------------------- */

static uncork_status infer_multinomial(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uncork_dtype dtype;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    UC_TRY(output_type(call, UNCORK_INT32, &dtype));
    if (dtype != UNCORK_INT32 && dtype != UNCORK_INT64) {
        return uc_call_fail(call, UNCORK_MALFORMED, "dtype %d isn't int32 or int64", (int)dtype);
    }
    if (x->rank >= 0 && (x->rank != 2 || x->shape[1] == 0)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "x isn't [batch, classes]");
    }
    int64_t shape[2] = {x->rank == 2 ? x->shape[0] : UC_DIM_UNKNOWN,
                        uc_call_int(call, "sample_size", 1)};
    if (shape[1] < 0) {
        return uc_call_fail(call, UNCORK_MALFORMED, "sample_size is %" PRId64, shape[1]);
    }
    return uc_call_shape(call, 0, dtype, 2, shape);
}

static int64_t class_of(const double *cumulative, int64_t classes, double at)
{
    int64_t low = 0, high = classes - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (cumulative[middle] > at) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static uncork_status run_multinomial(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    int64_t classes = x->shape[1];
    double *sums = uc_call_scratch(call, (size_t)classes, sizeof *sums);
    if (!y || !sums) return call->error->status;
    uint64_t key = key_of(call);
    for (int64_t row = 0; row < y->shape[0]; row++) {
        double most = -HUGE_VAL, sum = 0;
        for (int64_t k = 0; k < classes; k++) {
            sums[k] = uc_dtype_load_f64(x->data, row * classes + k, x->dtype);
            if (sums[k] > most) most = sums[k];
        }
        for (int64_t k = 0; k < classes; k++) {
            sum += exp(sums[k] - most);
            sums[k] = sum;
        }
        for (int64_t i = row * y->shape[1]; i < (row + 1) * y->shape[1]; i++) {
            int64_t drawn = class_of(sums, classes, uniform(key, (uint64_t)i) * sum);
            size_t size = uc_dtype_size(y->dtype);
            uc_dtype_convert((char *)y->data + (size_t)i * size, y->dtype, &drawn, UNCORK_INT64, 1);
        }
    }
    return UNCORK_OK;
}

RANDOM(multinomial, "Multinomial", 1, infer_multinomial, run_multinomial)
