/* Random numbers that are TensorFlow's own, bit for bit: StatelessRandom*, StatelessTruncatedNormal*,
 * StatelessMultinomial, StatelessShuffle's kin with a seed: RandomUniform, RandomStandardNormal,
 * TruncatedNormal, RandomUniformInt (their first call; a graph without a seed draws as seed 0 here).
 *
 * Source: tensorflow/core/lib/random/{philox_random,random_distributions}.h, core/kernels/stateless_random_ops*,
 * util/guarded_philox_random.cc. Philox 4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
 * (2011). Every output group begins at a block of its own: the CPU fills groups of 4 numbers (2 of 64 bits) in
 * order, each from the next counter. */
#include "op/ext/tf_call.h"

#include <inttypes.h>
#include <math.h>

/* ---- Philox ---------------------------------------------------------------------------------- */

typedef struct philox {
    uint32_t key[2], counter[4];
} philox;

static void next_block(philox *p, uint32_t out[4])
{
    uint32_t k0 = p->key[0], k1 = p->key[1], c[4];
    memcpy(c, p->counter, sizeof c);
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)c[0] * 0xD2511F53U, b = (uint64_t)c[2] * 0xCD9E8D57U;
        const uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b,
                                  (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a};
        memcpy(c, next, sizeof c);
        k0 += 0x9E3779B9U;
        k1 += 0xBB67AE85U;
    }
    memcpy(out, c, sizeof c);
    for (int i = 0; i < 4 && ++p->counter[i] == 0; i++) {}
}

static void skip(philox *p, uint64_t n)
{
    uint64_t low = (uint64_t)p->counter[1] << 32 | p->counter[0],
             high = (uint64_t)p->counter[3] << 32 | p->counter[2];
    high += low + n < low;
    low += n;
    const uint32_t c[4] = {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high,
                           (uint32_t)(high >> 32)};
    memcpy(p->counter, c, sizeof c);
}

/* PhiloxRandom(seed_lo, seed_hi). */
static philox seeded(uint64_t low, uint64_t high)
{
    return (philox){{(uint32_t)low, (uint32_t)(low >> 32)},
                    {0, 0, (uint32_t)high, (uint32_t)(high >> 32)}};
}

/* GenerateKey: the seeds are scrambled by one block of another generator. */
static philox scrambled(uint64_t a, uint64_t b)
{
    philox mix = {{0x3ec8f720U, 0x02461e29U},
                  {(uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32)}};
    uint32_t m[4];
    next_block(&mix, m);
    return (philox){{m[0], m[1]}, {0, 0, m[2], m[3]}};
}

/* ---- distributions --------------------------------------------------------------------------- */

static float unit_float(uint32_t x)
{
    const uint32_t bits = 127U << 23 | (x & 0x7fffffU);
    float f;
    memcpy(&f, &bits, sizeof f);
    return f - 1.0F;
}

static double unit_double(uint32_t a, uint32_t b)
{
    const uint64_t bits = (uint64_t)1023 << 52 | (uint64_t)(a & 0xfffffU) << 32 | b;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d - 1.0;
}

static double unit_short(uint32_t x, uncork_dtype d)
{
    const bool half = d == UNCORK_FLOAT16;
    const uint16_t bits = (uint16_t)(half ? 15U << 10 | (x & 0x3ffU) : 127U << 7 | (x & 0x7fU));
    return (double)(half ? uc_f16_to_f32(bits) : uc_bf16_to_f32(bits)) - 1.0;
}

static void box_muller(uint32_t a, uint32_t b, double out[2])
{
    float u1 = unit_float(a);
    if (u1 < 1.0e-7F) u1 = 1.0e-7F;
    const float v1 = (float)(2.0 * 3.14159265358979323846 * (double)unit_float(b)),
                u2 = sqrtf(-2.0F * logf(u1));
    out[0] = (double)(sinf(v1) * u2);
    out[1] = (double)(cosf(v1) * u2);
}

static void box_muller_double(const uint32_t x[4], double out[2])
{
    double u1 = unit_double(x[0], x[1]);
    if (u1 < 1.0e-7) u1 = 1.0e-7;
    const double v1 = 2 * 3.14159265358979323846 * unit_double(x[2], x[3]),
                 u2 = sqrt(-2.0 * log(u1));
    out[0] = sin(v1) * u2;
    out[1] = cos(v1) * u2;
}

typedef enum kind { UNIFORM, NORMAL, TRUNCATED, WHOLE, FULL } kind;

/* One group; how many numbers it has. */
static int group(philox *p, kind k, uncork_dtype d, double out[4])
{
    uint32_t x[4];
    const bool wide = d == UNCORK_FLOAT64;
    next_block(p, x);
    if (k == UNIFORM) {
        for (int i = 0; i < (wide ? 2 : 4); i++) {
            out[i] = wide                  ? unit_double(x[2 * i], x[2 * i + 1])
                     : d == UNCORK_FLOAT32 ? (double)unit_float(x[i])
                                           : unit_short(x[i], d);
        }
    } else if (wide) {
        box_muller_double(x, out);
    } else {
        box_muller(x[0], x[1], out);
        box_muller(x[2], x[3], out + 2);
    }
    return wide ? 2 : 4;
}

/* Numbers within two deviations, from as many blocks as it takes; it keeps what is over in a group. */
typedef struct singles {
    philox p;
    uint32_t x[4];
    int used;
} singles;

static uint32_t single(singles *s)
{
    if (s->used == 4) {
        next_block(&s->p, s->x);
        s->used = 0;
    }
    return s->x[s->used++];
}

static int truncated(philox *p, uncork_dtype d, double out[4])
{
    singles s = {.p = *p, .used = 4};
    const bool wide = d == UNCORK_FLOAT64;
    const int want = wide ? 2 : 4;
    int n = 0;
    while (n < want) {
        double pair[2];
        uint32_t x[4];
        for (int i = 0; i < (wide ? 4 : 2); i++) {
            x[i] = single(&s);
        }
        if (wide)
            box_muller_double(x, pair);
        else
            box_muller(x[0], x[1], pair);
        for (int i = 0; i < 2 && n < want; i++) {
            if (fabs(pair[i]) < 2) out[n++] = pair[i];
        }
    }
    return want;
}

static void fill(philox p, kind k, uc_tensor *y)
{
    const int64_t n = uc_tensor_count(y);
    double v[4];
    int64_t groups = 0;
    for (int64_t i = 0; i < n; groups++) {
        int have;
        if (k == TRUNCATED) { /* each number may use 64 blocks */
            philox own = p;
            skip(&own, (uint64_t)groups * (y->dtype == UNCORK_FLOAT64 ? 128 : 256));
            have = truncated(&own, y->dtype, v);
        } else {
            have = group(&p, k, y->dtype, v);
        }
        for (int j = 0; j < have && i < n; j++, i++) {
            uc_tf_put(y->data, i, y->dtype, v[j]);
        }
    }
}

/* Whole numbers from low on: below `span` of them, 0: all there are. */
static void fill_whole(philox p, uc_tensor *y, int64_t low, uint64_t span)
{
    const int64_t n = uc_tensor_count(y);
    const bool wide = uc_dtype_size(y->dtype) == 8;
    uint32_t x[4];
    for (int64_t i = 0; i < n;) {
        next_block(&p, x);
        for (int j = 0; j < (wide ? 2 : 4) && i < n; j++, i++) {
            const uint64_t v = wide ? (uint64_t)x[2 * j + 1] << 32 | x[2 * j] : x[j];
            uc_tf_put_int(y->data, i, y->dtype, (int64_t)((uint64_t)low + (span ? v % span : v)));
        }
    }
}

/* ---- inputs ---------------------------------------------------------------------------------- */

static kind kind_of(const uc_call *call)
{
    const char *n = call->op->name;
    if (strstr(n, "Truncated")) return TRUNCATED;
    if (strstr(n, "Normal")) return NORMAL;
    if (strstr(n, "FullInt")) return FULL;
    return strstr(n, "Int") ? WHOLE : UNIFORM;
}

static bool is_second(const uc_call *call) { return strstr(call->op->name, "V2") != NULL; }
static bool is_stateless(const uc_call *call)
{
    return strstr(call->op->name, "Stateless") != NULL;
}

/* Where minval stands: shape, seed | shape, key, counter, alg | shape. */
static size_t low_input(const uc_call *call)
{
    return is_second(call) ? 4 : is_stateless(call) ? 2 : 1;
}

static uncork_dtype type_of(const uc_call *call)
{
    const kind k = kind_of(call);
    if (k == WHOLE) return uc_call_dtype(call, low_input(call));
    return uc_tf_type_of(call, "dtype", k == FULL ? UNCORK_UINT64 : UNCORK_FLOAT32);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *s = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    size_t n = 0;
    if (uc_call_known(call, 0) && s->rank == 1) {
        UC_TRY(uc_call_small_ints(call, 0, shape, &n));
        return uc_call_shape(call, 0, type_of(call), (int)n, shape);
    }
    const int rank =
        s->rank == 1 && s->shape[0] >= 0 && s->shape[0] <= UNCORK_MAX_RANK ? (int)s->shape[0] : -1;
    return uc_tf_infer_open(call, 0, type_of(call), rank);
}

static uncork_status read_generator(uc_call *call, philox *p)
{
    if (!is_stateless(call)) {
        const uint64_t a = (uint64_t)uc_call_int(call, "seed", 0),
                       b = (uint64_t)uc_call_int(call, "seed2", 0);
        *p = seeded(a, b);
        return UNCORK_OK;
    }
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, 1));
    const uc_tensor *s = uc_call_arg(call, 1);
    if (!is_second(call)) {
        if (s->shape[0] != 2) return uc_call_fail(call, UNCORK_INPUT, "seed must have shape [2]");
        *p = scrambled((uint64_t)uc_tf_int_at(s, 0), (uint64_t)uc_tf_int_at(s, 1));
        return UNCORK_OK;
    }
    int64_t alg;
    const uc_tensor *c = uc_call_arg(call, 2);
    UC_TRY(uc_tf_want(call, 2, UNCORK_DTYPE_NONE, 1));
    UC_TRY(uc_tf_one_int(call, 3, &alg));
    if (alg == 2)
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "ThreeFry is a generator of other machines");
    if (s->shape[0] < 1 || c->shape[0] < 2)
        return uc_call_fail(call, UNCORK_INPUT, "its key or counter is too short");
    const uint64_t key = (uint64_t)uc_tf_int_at(s, 0), low = (uint64_t)uc_tf_int_at(c, 0),
                   high = (uint64_t)uc_tf_int_at(c, 1);
    *p = (philox){{(uint32_t)key, (uint32_t)(key >> 32)},
                  {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32)}};
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    size_t n = 0;
    philox p;
    uc_tensor *y = NULL;
    const kind k = kind_of(call);
    UC_TRY(uc_call_small_ints(call, 0, shape, &n));
    UC_TRY(read_generator(call, &p));
    UC_TRY(uc_call_output(call, 0, type_of(call), (int)n, shape, &y));
    if (k < WHOLE) {
        fill(p, k, y);
        return UNCORK_OK;
    }
    int64_t low = 0, high = 0;
    if (k == WHOLE) {
        UC_TRY(uc_tf_one_int(call, low_input(call), &low));
        UC_TRY(uc_tf_one_int(call, low_input(call) + 1, &high));
        if (low >= high)
            return uc_call_fail(call, UNCORK_INPUT,
                                "Need minval < maxval, got %" PRId64 " >= %" PRId64, low, high);
    }
    fill_whole(p, y, low, (uint64_t)high - (uint64_t)low);
    return UNCORK_OK;
}

#define RANDOM(SYMBOL, NAME, INPUTS, IMPURE)              \
    const uc_op uc_op_##SYMBOL = {.domain = "uncork",     \
                                  .name = NAME,           \
                                  .in = {INPUTS, INPUTS}, \
                                  .out = {0, 1},          \
                                  .impure = IMPURE,       \
                                  .infer = infer,         \
                                  .run = run};
RANDOM(tf_random_normal, "TfRandomStandardNormal", 1, true)
RANDOM(tf_random_uniform, "TfRandomUniform", 1, true)
RANDOM(tf_random_uniform_int, "TfRandomUniformInt", 3, true)
RANDOM(tf_stateless_full_int, "TfStatelessRandomUniformFullInt", 2, false)
RANDOM(tf_stateless_full_int_v2, "TfStatelessRandomUniformFullIntV2", 4, false)
RANDOM(tf_stateless_normal, "TfStatelessRandomNormal", 2, false)
RANDOM(tf_stateless_normal_v2, "TfStatelessRandomNormalV2", 4, false)
RANDOM(tf_stateless_truncated, "TfStatelessTruncatedNormal", 2, false)
RANDOM(tf_stateless_truncated_v2, "TfStatelessTruncatedNormalV2", 4, false)
RANDOM(tf_stateless_uniform, "TfStatelessRandomUniform", 2, false)
RANDOM(tf_stateless_uniform_int, "TfStatelessRandomUniformInt", 4, false)
RANDOM(tf_stateless_uniform_int_v2, "TfStatelessRandomUniformIntV2", 6, false)
RANDOM(tf_stateless_uniform_v2, "TfStatelessRandomUniformV2", 4, false)
RANDOM(tf_truncated_normal, "TfTruncatedNormal", 1, true)

/* ---- keys and counters ------------------------------------------------------------------------ */

static uncork_status infer_key(uc_call *call)
{
    const int64_t one[] = {1}, two[] = {2};
    UC_TRY(uc_call_shape(call, 0, UNCORK_UINT64, 1, one));
    UC_TRY(uc_call_shape(call, 1, UNCORK_UINT64, 1, two));
    return uc_call_shape(call, 2, UNCORK_INT32, 0, NULL);
}

static uncork_status run_key(uc_call *call)
{
    const uc_tensor *s = uc_call_arg(call, 0);
    if (uc_tensor_count(s) != 2 || s->dtype == UNCORK_STRING)
        return uc_call_fail(call, UNCORK_INPUT, "seed must have shape [2]");
    const philox p = scrambled((uint64_t)uc_tf_int_at(s, 0), (uint64_t)uc_tf_int_at(s, 1));
    const uint64_t counter[] = {0, (uint64_t)p.counter[3] << 32 | p.counter[2]};
    uc_tensor *y = uc_call_out(call, 0);
    if (y) *(uint64_t *)y->data = (uint64_t)p.key[1] << 32 | p.key[0];
    y = uc_call_out(call, 1);
    if (y) memcpy(y->data, counter, sizeof counter);
    y = uc_call_out(call, 2);
    if (y) *(int32_t *)y->data = 1;
    return UNCORK_OK;
}
UC_TF_ROW(tf_key_counter, "TfStatelessRandomGetKeyCounter", 1, 1, 2, infer_key, run_key)
UC_TF_ROW(tf_key_counter_alg, "TfStatelessRandomGetKeyCounterAlg", 1, 1, 3, infer_key, run_key)

static uncork_status infer_alg(uc_call *call)
{
    return uc_call_shape(call, 0, UNCORK_INT32, 0, NULL);
}
static uncork_status run_alg(uc_call *call)
{
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    *(int32_t *)y->data = 1;
    return UNCORK_OK;
}
UC_TF_ROW(tf_stateless_alg, "TfStatelessRandomGetAlg", 0, 0, 1, infer_alg, run_alg)
