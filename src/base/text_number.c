/* Numbers as text, both ways, exact and without locale: a decimal is read to the nearest double (ties
 * to even), a double is written as the shortest decimal that reads back, in the form of Python's
 * repr().
 *
 * Integers only: 128 bits while powers of ten stay below 10^28, beyond it `big`. Shortest digits: the
 * interval idea of Steele and White, "How to print floating-point numbers accurately" (1990): of the
 * decimals that round to the double take those with fewest digits, and of them the closest. */
#include "base/text.h"

#include <math.h>
#include <stdio.h>

/* ---- exact integers ----------------------------------------------------------------------- */

__extension__ typedef unsigned __int128 u128;

/* 5^27 is the largest power below 2^64. */
enum { MAX_SMALL_POWER = 27 };

/* clang-format off */
static const uint64_t fives[MAX_SMALL_POWER + 1] = {
    1u, 5u, 25u, 125u, 625u, 3125u, 15625u, 78125u, 390625u, 1953125u, 9765625u, 48828125u,
    244140625u, 1220703125u, 6103515625u, 30517578125u, 152587890625u, 762939453125u,
    3814697265625u, 19073486328125u, 95367431640625u, 476837158203125u, 2384185791015625u,
    11920928955078125u, 59604644775390625u, 298023223876953125u, 1490116119384765625u,
    7450580596923828125u,
};
/* clang-format on */

/* The digits of a decimal kept exactly; what follows only breaks ties. A halfway case of doubles has
 * at most 767 significant digits. */
enum { MAX_DIGITS = 800 };

/* An unsigned integer, words from the lowest, no zero word on top. The longest: MAX_DIGITS digits
 * (2,658 bits), or what is divided by 5^1130 (2,624 bits) to leave 66 bits. */
enum { BIG_WORDS = 96 };
typedef struct big {
    uint32_t word[BIG_WORDS];
    int count;
} big;

static void big_set(big *b, uint64_t v)
{
    b->word[0] = (uint32_t)v;
    b->word[1] = (uint32_t)(v >> 32);
    b->count = v >> 32 ? 2 : v ? 1 : 0;
}

static void big_push(big *b, uint32_t word)
{
    if (word && b->count < BIG_WORDS) b->word[b->count++] = word;
}

/* b = b * factor + add. */
static void big_mul_add(big *b, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    for (int i = 0; i < b->count; i++) {
        carry += (uint64_t)b->word[i] * factor;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    big_push(b, (uint32_t)carry);
}

/* b = floor(b / divisor); true when something remained. */
static bool big_div(big *b, uint32_t divisor)
{
    uint64_t rest = 0;
    for (int i = b->count - 1; i >= 0; i--) {
        rest = rest << 32 | b->word[i];
        b->word[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    while (b->count > 0 && b->word[b->count - 1] == 0) {
        b->count--;
    }
    return rest != 0;
}

static int big_bits(const big *b)
{
    return b->count ? b->count * 32 - __builtin_clz(b->word[b->count - 1]) : 0;
}

static void big_shift_left(big *b, int bits)
{
    const int words = bits / 32;
    if (b->count == 0 || b->count + words >= BIG_WORDS) return;
    memmove(b->word + words, b->word, (size_t)b->count * sizeof b->word[0]);
    memset(b->word, 0, (size_t)words * sizeof b->word[0]);
    b->count += words;
    if (bits % 32) big_mul_add(b, (uint32_t)1 << (bits % 32), 0);
}

/* floor(b / 2^bits), which must be below 2^64; *inexact is set when a one was lost. */
static uint64_t big_shift_right(const big *b, int bits, bool *inexact)
{
    uint64_t value = 0;
    for (int i = b->count - 1; i >= 0; i--) {
        const int low = i * 32 - bits; /* where the word's lowest bit goes */
        const uint64_t word = b->word[i];
        if (low >= 0) {
            value |= low < 64 ? word << low : 0;
        } else if (low > -32) {
            value |= word >> -low;
            if (word & (((uint64_t)1 << -low) - 1)) *inexact = true;
        } else if (word) {
            *inexact = true;
        }
    }
    return value;
}

/* b = b * 5^power, or floor(b / 5^-power) with *inexact set when something remained. */
static void big_scale(big *b, int power, bool *inexact)
{
    enum { STEP = 13 }; /* 5^13 is the largest power below 2^32 */
    for (int left = power; left > 0; left -= STEP) {
        big_mul_add(b, (uint32_t)fives[left < STEP ? left : STEP], 0);
    }
    for (int left = -power; left > 0; left -= STEP) {
        if (big_div(b, (uint32_t)fives[left < STEP ? left : STEP])) *inexact = true;
    }
}

/* ---- reading ------------------------------------------------------------------------------ */

/* The double nearest to m * 2^e (m > 0; `inexact`: and a little more), ties to even. */
static double round_to_f64(uint64_t m, int e, bool inexact)
{
    const int lead = __builtin_clzll(m);
    m <<= lead;
    e -= lead;
    /* 64 bits are there; a normal double keeps 53, a subnormal fewer. */
    const int exponent = e + 63;
    int drop = exponent >= -1022 ? 11 : 11 + (-1022 - exponent);
    if (drop > 64) return 0.0;
    uint64_t kept = drop == 64 ? 0 : m >> drop;
    const uint64_t lost = drop == 64 ? m : m & (((uint64_t)1 << drop) - 1);
    const uint64_t half = (uint64_t)1 << (drop - 1);
    if (lost > half || (lost == half && (inexact || (kept & 1)))) kept++;
    /* A carry out of the mantissa goes into the exponent, which is what rounding up means. */
    uint64_t bits = exponent >= -1022 ? ((uint64_t)(exponent + 1022) << 52) + kept : kept;
    if (exponent > 1023 || bits > 0x7FF0000000000000u) bits = 0x7FF0000000000000u;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* w * 10^q for |q| <= 27, exact in 128 bits. */
static double small_decimal(uint64_t w, int q)
{
    if (q == 0) return (double)w;
    if (w <= (uint64_t)1 << 53 && q >= -22 && q <= 22) {
        /* Both are exact doubles, so one operation rounds right (Clinger 1990, section 3). */
        static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
        return q < 0 ? (double)w / tens[-q] : (double)w * tens[q];
    }
    if (q > 0) {
        const u128 product = (u128)w * fives[q];
        const uint64_t high = (uint64_t)(product >> 64);
        if (high == 0) return round_to_f64((uint64_t)product, q, false);
        const int shift = 64 - __builtin_clzll(high);
        const bool inexact = (product & (((u128)1 << shift) - 1)) != 0;
        return round_to_f64((uint64_t)(product >> shift), q + shift, inexact);
    }
    /* Both shifted to 64 bits, w' * 2^63 / five': a quotient of 63 or 64 bits. */
    const uint64_t five = fives[-q];
    const int five_lead = __builtin_clzll(five);
    const int w_lead = __builtin_clzll(w);
    const u128 top = (u128)(w << w_lead) << 63;
    const uint64_t divisor = five << five_lead;
    const uint64_t quotient = (uint64_t)(top / divisor);
    const bool inexact = top != (u128)quotient * divisor;
    return round_to_f64(quotient, q - w_lead - 63 + five_lead, inexact);
}

bool uc_decimal_f64(uint64_t w, int64_t exponent, double *value)
{
    if (exponent < -MAX_SMALL_POWER || exponent > MAX_SMALL_POWER) return false;
    *value = w ? small_decimal(w, (int)exponent) : 0.0;
    return true;
}

/* The digits of a decimal: w or digits[0..count), times 10^exponent. */
typedef struct decimal {
    uint64_t w;       /* the first 19 significant digits */
    int digit_count;  /* significant ones seen, at most MAX_DIGITS counted */
    bool more;        /* a digit beyond MAX_DIGITS was not zero */
    int64_t exponent; /* of the last digit kept */
    uint8_t digits[MAX_DIGITS];
} decimal;

static double big_decimal(const decimal *d)
{
    const int64_t size = d->exponent + d->digit_count; /* value < 10^size */
    if (size > 310) return HUGE_VAL;
    if (size < -330) return 0.0;
    big b;
    big_set(&b, 0);
    for (int i = 0; i < d->digit_count; i++) {
        big_mul_add(&b, 10, d->digits[i]);
    }
    const int power = (int)d->exponent;
    bool inexact = d->more;
    int shift = 0;
    if (power < 0) {
        /* 5^n < 2^(n * 2.3220): room for 64 bits of quotient after the division. */
        shift = (int)((int64_t)-power * 2322 / 1000) + 66 - big_bits(&b);
        if (shift < 0) shift = 0;
        big_shift_left(&b, shift);
    }
    big_scale(&b, power, &inexact);
    const int drop = big_bits(&b) > 64 ? big_bits(&b) - 64 : 0;
    const uint64_t m = big_shift_right(&b, drop, &inexact);
    return round_to_f64(m, drop + power - shift, inexact);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static void add_digit(decimal *d, char c)
{
    const uint8_t digit = (uint8_t)(c - '0');
    if (d->digit_count == 0 && digit == 0) return;
    if (d->digit_count == MAX_DIGITS) {
        d->exponent++;
        if (digit) d->more = true;
        return;
    }
    if (d->digit_count < 19) d->w = d->w * 10 + digit;
    d->digits[d->digit_count++] = digit;
}

/* Digits, a point and an exponent from s.data[*at] on; *at moves behind them. */
static bool read_decimal(uc_str s, size_t *at, decimal *d)
{
    size_t i = *at;
    bool any = false;
    for (; i < s.size && is_digit(s.data[i]); i++) {
        add_digit(d, s.data[i]);
        any = true;
    }
    if (i < s.size && s.data[i] == '.') {
        for (i++; i < s.size && is_digit(s.data[i]); i++) {
            add_digit(d, s.data[i]);
            d->exponent--;
            any = true;
        }
    }
    if (!any) return false;
    if (i < s.size && (s.data[i] == 'e' || s.data[i] == 'E')) {
        size_t j = i + 1;
        const bool minus = j < s.size && s.data[j] == '-';
        if (j < s.size && (s.data[j] == '-' || s.data[j] == '+')) j++;
        if (j == s.size || !is_digit(s.data[j])) return false;
        int64_t exponent = 0;
        for (; j < s.size && is_digit(s.data[j]); j++) {
            /* 10^15 is beyond what digits in memory could bring back. */
            if (exponent < 1000000000000000) exponent = exponent * 10 + (s.data[j] - '0');
        }
        d->exponent += minus ? -exponent : exponent;
        i = j;
    }
    *at = i;
    return true;
}

static bool same_word(uc_str s, const char *lower)
{
    if (s.size != strlen(lower)) return false;
    for (size_t i = 0; i < s.size; i++) {
        const char c = s.data[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != lower[i]) return false;
    }
    return true;
}

/* A plain decimal of at most 19 digits and without exponent, the whole of `s`: most numbers are. */
static bool read_plain(uc_str s, double *value)
{
    enum { FEW = 19 };
    uint64_t w = 0;
    size_t digits = 0;
    size_t point = SIZE_MAX;
    size_t i = s.size > 0 && s.data[0] == '-';
    const bool minus = i > 0;
    for (; i < s.size; i++) {
        if (is_digit(s.data[i])) {
            w = w * 10 + (uint64_t)(s.data[i] - '0'); /* unsigned: may wrap, then it isn't used */
            digits++;
        } else if (s.data[i] == '.' && point == SIZE_MAX) {
            point = i;
        } else {
            return false;
        }
    }
    if (digits == 0 || digits > FEW) return false;
    const int64_t exponent = point == SIZE_MAX ? 0 : -(int64_t)(s.size - point - 1);
    if (!uc_decimal_f64(w, exponent, value)) return false;
    if (minus) *value = -*value;
    return true;
}

bool uc_text_f64(uc_str s, double *value)
{
    if (read_plain(s, value)) return true;
    s = uc_text_trim(s);
    size_t at = 0;
    const bool minus = s.size > 0 && s.data[0] == '-';
    if (s.size > 0 && (s.data[0] == '-' || s.data[0] == '+')) at = 1;
    const uc_str rest = {s.data ? s.data + at : NULL, s.size - at};
    double v;
    if (same_word(rest, "inf") || same_word(rest, "infinity")) {
        v = HUGE_VAL;
    } else if (same_word(rest, "nan")) {
        v = (double)NAN;
    } else {
        decimal d;
        d.w = 0;
        d.digit_count = 0;
        d.more = false;
        d.exponent = 0;
        if (!read_decimal(s, &at, &d) || at != s.size) return false;
        if (d.w == 0) {
            v = 0.0;
        } else if (d.digit_count > 19 || !uc_decimal_f64(d.w, d.exponent, &v)) {
            v = big_decimal(&d);
        }
    }
    *value = minus ? -v : v;
    return true;
}

bool uc_text_i64(uc_str s, int64_t *value)
{
    s = uc_text_trim(s);
    size_t i = 0;
    const bool minus = s.size > 0 && s.data[0] == '-';
    if (s.size > 0 && (s.data[0] == '-' || s.data[0] == '+')) i = 1;
    if (i == s.size) return false;
    int64_t v = 0;
    for (; i < s.size; i++) {
        if (!is_digit(s.data[i])) return false;
        const int digit = s.data[i] - '0';
        /* Counted downwards: INT64_MIN has no positive twin. */
        if (__builtin_mul_overflow(v, (int64_t)10, &v) ||
            __builtin_sub_overflow(v, (int64_t)digit, &v)) {
            return false;
        }
    }
    if (!minus && v == INT64_MIN) return false;
    *value = minus ? v : -v;
    return true;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* floor(m * 2^e * 10^k), below 2^64; *inexact is set when it is more than that. */
static uint64_t scaled(uint64_t m, int e, int k, bool *inexact)
{
    const int shift = -(e + k);
    if (k >= 0 && k <= MAX_SMALL_POWER && shift >= 0 && shift < 128) {
        const u128 product = (u128)m * fives[k];
        if (product & (((u128)1 << shift) - 1)) *inexact = true;
        return (uint64_t)(product >> shift);
    }
    big b;
    big_set(&b, m);
    if (k < 0) {
        /* Divided last; shifted far enough left that floor() still sees every bit. */
        if (shift < 0) big_shift_left(&b, -shift);
        big_scale(&b, k, inexact);
        return big_shift_right(&b, shift > 0 ? shift : 0, inexact);
    }
    big_scale(&b, k, inexact);
    if (shift < 0) big_shift_left(&b, -shift);
    return big_shift_right(&b, shift > 0 ? shift : 0, inexact);
}

/* The shortest digits of m * 2^e that no other float of this precision is nearer to: value ~=
 * result * 10^*exponent. `narrow`: the float below is only half as far away (m is a power of two).
 * digits: enough for every float of this precision (17 or 9). */
static uint64_t shortest(uint64_t m, int e, bool narrow, int digits, int *exponent)
{
    /* Four times as fine, so that both ends of the interval are integers. */
    const uint64_t low = 4 * m - (narrow ? 1 : 2);
    const uint64_t high = 4 * m + 2;
    const int log2 = 63 - __builtin_clzll(m) + e;
    /* floor(log2 * log10(2)): at most one less than floor(log10(value)). */
    const int log10 = (int)(((int64_t)log2 * 1292913986) >> 32);
    const int k = digits - 1 - log10;
    const bool open = m & 1; /* ties go to the even neighbour: ends belong to an even m only */
    bool low_more = false;
    bool high_more = false;
    bool more = false;
    uint64_t first = scaled(low, e - 2, k, &low_more);
    uint64_t last = scaled(high, e - 2, k, &high_more);
    const uint64_t twice = scaled(4 * m, e - 1, k, &more); /* of the value: halves are seen */
    if (low_more || open) first++;
    if (!high_more && open) last--;
    uint64_t power = 1;
    int dropped = 0;
    while (first != 0 && (first + 9) / 10 <= last / 10) {
        first = (first + 9) / 10;
        last /= 10;
        power *= 10;
        dropped++;
    }
    uint64_t nearest = twice / (2 * power);
    const uint64_t rest = twice % (2 * power);
    const bool tie = rest == power && !more;
    if (tie ? nearest & 1 : rest >= power) nearest++;
    if (nearest < first) nearest = first;
    if (nearest > last) nearest = last;
    *exponent = dropped - k;
    return nearest;
}

/* digits * 10^exponent in the form of Python's repr(): an exponent below 1e-4 and from 1e16 on. */
static size_t lay_out(bool minus, uint64_t digits, int exponent, char out[32])
{
    while (digits % 10 == 0 && digits != 0) {
        digits /= 10;
        exponent++;
    }
    char text[24];
    const int n = snprintf(text, sizeof text, "%llu", (unsigned long long)digits);
    const int point = n + exponent; /* digits before the point */
    char *p = out;
    if (minus) *p++ = '-';
    if (point > 16 || point <= -4) {
        *p++ = text[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, text + 1, (size_t)n - 1);
            p += n - 1;
        }
        p += snprintf(p, 8, "e%c%02d", point <= 0 ? '-' : '+', point <= 0 ? 1 - point : point - 1);
        return (size_t)(p - out);
    }
    if (point <= 0) {
        *p++ = '0';
        *p++ = '.';
        memset(p, '0', (size_t)-point);
        p += -point;
        memcpy(p, text, (size_t)n);
        p += n;
    } else if (point >= n) {
        memcpy(p, text, (size_t)n);
        memset(p + n, '0', (size_t)(point - n));
        p += point;
        *p++ = '.';
        *p++ = '0';
    } else {
        memcpy(p, text, (size_t)point);
        p[point] = '.';
        memcpy(p + point + 1, text + point, (size_t)(n - point));
        p += n + 1;
    }
    *p = '\0';
    return (size_t)(p - out);
}

static size_t special_text(const char *text, char out[32])
{
    const size_t n = strlen(text);
    memcpy(out, text, n + 1);
    return n;
}

size_t uc_f64_text(double value, char out[32])
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const bool minus = bits >> 63;
    const int biased = (int)(bits >> 52 & 0x7FF);
    const uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    if (biased == 0x7FF) return special_text(fraction ? "nan" : minus ? "-inf" : "inf", out);
    if (biased == 0 && fraction == 0) return special_text(minus ? "-0.0" : "0.0", out);
    const uint64_t m = biased ? fraction | (uint64_t)1 << 52 : fraction;
    int exponent;
    const uint64_t digits =
        shortest(m, (biased ? biased : 1) - 1075, fraction == 0 && biased > 1, 17, &exponent);
    return lay_out(minus, digits, exponent, out);
}

size_t uc_f32_text(float value, char out[32])
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const bool minus = bits >> 31;
    const int biased = (int)(bits >> 23 & 0xFF);
    const uint32_t fraction = bits & (((uint32_t)1 << 23) - 1);
    if (biased == 0xFF) return special_text(fraction ? "nan" : minus ? "-inf" : "inf", out);
    if (biased == 0 && fraction == 0) return special_text(minus ? "-0.0" : "0.0", out);
    const uint64_t m = biased ? fraction | (uint32_t)1 << 23 : fraction;
    int exponent;
    const uint64_t digits =
        shortest(m, (biased ? biased : 1) - 150, fraction == 0 && biased > 1, 9, &exponent);
    return lay_out(minus, digits, exponent, out);
}

size_t uc_f64_plain_text(double value, char out[32])
{
    size_t n = uc_f64_text(value, out);
    return n > 2 && memcmp(out + n - 2, ".0", 2) == 0 ? n - 2 : n;
}
