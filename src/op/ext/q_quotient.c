/* Reciprocals and exponentials in fixed point. */
#include "op/ext/q_quotient.h"

static int32_t saturated_left(int32_t x, int shift)
{
    const int64_t v = (int64_t)x * (INT64_C(1) << shift);
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

/* Newton's three steps; x has 2 integer bits. */
int32_t uc_q_reciprocal_1(int32_t a)
{
    const int64_t sum = (int64_t)a + INT32_MAX;
    const int32_t half = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
    int32_t x = 1515870810 + uc_fixed_high(half, -1010580540); /* 48/17 - 32/17 half */
    for (int i = 0; i < 3; i++) {
        const int32_t rest = (1 << 29) - uc_fixed_high(half, x);
        x += saturated_left(uc_fixed_high(x, rest), 2);
    }
    return saturated_left(x, 1);
}

int32_t uc_q_reciprocal(int32_t x, int integer_bits, int *over)
{
    const int headroom = x ? __builtin_clz((uint32_t)x) : 32;
    *over = integer_bits - headroom;
    const uint32_t shifted = headroom < 32 ? (uint32_t)x << headroom : 0;
    return uc_q_reciprocal_1((int32_t)(shifted - (UINT32_C(1) << 31)));
}

int32_t uc_q_quotient(int32_t a, int32_t b, uc_fixed scale)
{
    if (b < 0) {
        a = -a;
        b = -b;
    }
    if (b == 0) return 0;
    int over;
    const int32_t inverse = uc_q_reciprocal(b, 31, &over);
    const int32_t size = a < 0 ? ~a : a;
    const int headroom = size ? __builtin_clz((uint32_t)size) - 1 : 31;
    const int32_t q = uc_fixed_high(uc_fixed_left(a, headroom), inverse);
    const int total = scale.shift - over - headroom;
    const int down = total < 0 ? -total : 0;
    return uc_fixed_down(uc_fixed_high(q, scale.m), down > 31 ? 31 : down);
}

/* e^a on [-1/4, 0): a Taylor polynomial around -1/8, in Q0.31. */
static int32_t exp_quarter(int32_t a)
{
    const int32_t x = a + (1 << 28), x2 = uc_fixed_high(x, x), x3 = uc_fixed_high(x2, x);
    const int32_t x4 = uc_fixed_high(x2, x2), x4_4 = uc_fixed_down(x4, 2);
    const int32_t sum = uc_fixed_high(x4_4 + x3, 715827883) + x2;
    const int32_t half = uc_fixed_down(sum, 1);
    return 1895147668 + uc_fixed_high(1895147668, x + half);
}

int32_t uc_q_exp_negative(int32_t a)
{
    static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308,
                                      39332535,   720401,     242};
    const int32_t quarter = 1 << 24, mask = quarter - 1; /* of 5 integer bits */
    const int32_t rest = (a & mask) - quarter;
    int32_t y = exp_quarter(saturated_left(rest, 5));
    const int32_t steps = rest - a;
    for (int i = 0; i < 7; i++) {
        if (steps & (quarter << i)) y = uc_fixed_high(y, factors[i]);
    }
    return a == 0 ? INT32_MAX : y;
}
