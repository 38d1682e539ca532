/* Dropout: nothing in inference; with training_mode elements are zeroed at random.
 *
 * Source: ONNX operator Dropout, opset 22. Random numbers are those of numpy.random.RandomState(seed),
 * as in ONNX's reference; without a seed it is 0, so that answers repeat.
 * data  float;  ratio  float scalar, 0.5;  training_mode  bool scalar, false
 * output  as data;  mask  bool: what stayed. */
#include "op/move.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *ratio = uc_call_in(call, 1), *mode = uc_call_in(call, 2);
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_FLOAT));
    UC_TRY(uc_call_expect(call, 2, UC_TYPES_BOOL));
    for (size_t i = 1; i < 3; i++) {
        const uc_tensor *t = i == 1 ? ratio : mode;
        if (!t || t->rank < 0 || !uc_dims_known(t->shape, t->rank)) continue;
        if (uc_tensor_count(t) == 1) continue;
        return uc_call_fail(call, UNCORK_INPUT, "input %zu isn't one value", i);
    }
    UC_TRY(uc_call_shape_like(call, 0, 0, uc_call_dtype(call, 0)));
    return uc_call_shape_like(call, 1, 0, UNCORK_BOOL);
}

/* MT19937. Source: Matsumoto and Nishimura, "Mersenne Twister" (1998). */
typedef struct twister {
    uint32_t state[624];
    int at;
} twister;

static void seed_twister(twister *t, uint32_t seed)
{
    for (uint32_t i = 0; i < 624; i++) {
        t->state[i] = seed;
        seed = 1812433253U * (seed ^ seed >> 30) + i + 1;
    }
    t->at = 624;
}

static uint32_t next_word(twister *t)
{
    if (t->at == 624) {
        for (int i = 0; i < 624; i++) {
            uint32_t y = (t->state[i] & 0x80000000U) | (t->state[(i + 1) % 624] & 0x7fffffffU);
            t->state[i] = t->state[(i + 397) % 624] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfU : 0);
        }
        t->at = 0;
    }
    uint32_t y = t->state[t->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680U;
    y ^= y << 15 & 0xefc60000U;
    return y ^ y >> 18;
}

/* [0, 1) with 53 bits, as RandomState.uniform. */
static double next_number(twister *t)
{
    uint32_t high = next_word(t) >> 5, low = next_word(t) >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0;
}

static uncork_status drop(uc_call *call, double ratio, uint8_t *mask)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y && uc_call_wants(call, 0)) return uc_fail_memory(call->error);
    twister t;
    seed_twister(&t, (uint32_t)uc_call_int(call, "seed", 0));
    size_t size = uc_dtype_size(x->dtype);
    double scale = 1 / (1 - ratio);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        bool stays = next_number(&t) >= ratio;
        double v = stays ? uc_dtype_load_f64(x->data, i, x->dtype) * scale : 0;
        if (mask) mask[i] = stays;
        if (y)
            uc_dtype_convert((char *)y->data + (size_t)i * size, y->dtype, &v, UNCORK_FLOAT64, 1);
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *r = uc_call_in(call, 1), *m = uc_call_in(call, 2);
    uc_tensor *mask = uc_call_wants(call, 1) ? uc_call_out(call, 1) : NULL;
    bool is_one = (!r || uc_tensor_count(r) == 1) && (!m || uc_tensor_count(m) == 1);
    if (!is_one) return uc_call_fail(call, UNCORK_INPUT, "ratio and training_mode are one value");
    double ratio = r ? uc_dtype_load_f64(r->data, 0, r->dtype) : 0.5;
    bool training = m && uc_dtype_load_i64(m->data, 0, m->dtype) != 0;
    if (uc_call_wants(call, 1) && !mask) return uc_fail_memory(call->error);
    if (training && ratio != 0) {
        if (ratio > 0 && ratio < 1) return drop(call, ratio, mask ? mask->data : NULL);
        return uc_call_fail(call, UNCORK_INPUT, "ratio is %g, not in [0, 1)", ratio);
    }
    if (mask) memset(mask->data, 1, (size_t)uc_tensor_count(x));
    return uc_call_wants(call, 0) ? uc_move_same(call, 0, x) : UNCORK_OK;
}

const uc_op uc_op_dropout = {
    .name = "Dropout", .in = {1, 3}, .out = {1, 2}, .impure = true, .infer = infer, .run = run};
