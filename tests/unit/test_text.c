/* Expected digits: Python 3.12's repr() and float(), numpy.float32's repr. */
#include "base/text.h"

#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define S(text) ((uc_str){text, sizeof(text) - 1})

static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
    (void)state;
    CHECK(uc_utf8_valid(S(""), false));
    CHECK(uc_utf8_valid(S("plain text, longer than eight bytes"), false));
    CHECK(uc_utf8_valid(S("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), false));
    CHECK(!uc_utf8_valid(S("\x80"), false));
    CHECK(!uc_utf8_valid(S("\xC0\xAF"), false));         /* overlong '/' */
    CHECK(!uc_utf8_valid(S("\xE0\x80\xAF"), false));     /* overlong */
    CHECK(!uc_utf8_valid(S("\xF4\x90\x80\x80"), false)); /* beyond U+10FFFF */
    CHECK(!uc_utf8_valid(S("12345678\xE2\x82"), false)); /* cut */
    CHECK(!uc_utf8_valid(S("\xED\xA0\x80"), false));
    CHECK(uc_utf8_valid(S("\xED\xA0\x80"), true));
}

static void characters_decode_and_encode_to_the_same_bytes(void **state)
{
    (void)state;
    static const uint32_t all[] = {0,      0x7F,   0x80,   0x7FF,   0x800,
                                   0xD800, 0xDFFF, 0xFFFF, 0x10000, 0x10FFFF};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char text[4];
        size_t at = 0;
        const size_t n = uc_utf8_put(all[i], text);
        CHECK_INT(uc_utf8_next((uc_str){text, n}, &at), all[i]);
        CHECK_INT(at, n);
    }
    size_t at = 0;
    CHECK_INT(uc_utf8_next(S("\xFFz"), &at), 0xFFFD);
    CHECK_INT(at, 1);
}

static void nothing_that_acts_on_a_terminal_gets_through(void **state)
{
    (void)state;
    uc_writer w;
    uc_writer_init(&w, 1000);
    uc_text_escape(&w, S("a\x1B[31m\n\t\xC2\x9B\xE2\x80\xAE\xFF\xC3\xA4\x7F"));
    CHECK_STR(uc_writer_string(&w), "a\\x1b[31m\\n\\t\\x9b\\u202e\\xff\xC3\xA4\\x7f");
    uc_writer_done(&w);
}

static double number(const char *text)
{
    double value = -12345;
    CHECK(uc_text_f64(uc_str_of(text), &value));
    return value;
}

static void check_number(const char *text, double want)
{
    const double got = number(text);
    uint64_t got_bits;
    uint64_t want_bits;
    memcpy(&got_bits, &got, sizeof got);
    memcpy(&want_bits, &want, sizeof want);
    CHECK(got_bits == want_bits); /* so that -0.0 isn't 0.0 */
}

static void decimals_read_to_the_nearest_double(void **state)
{
    (void)state;
    check_number("0", 0.0);
    check_number("-0.0", -0.0);
    check_number("1", 1.0);
    check_number("+.5", 0.5);
    check_number("5.", 5.0);
    check_number("0.1", 0x1.999999999999ap-4);
    check_number("123456789012345678", 0x1.b69b4ba630f35p+56);
    check_number("9007199254740993", 0x1p53); /* a tie goes to the even neighbour */
    check_number("9007199254740993.00000000000000000000000000001", 0x1.0000000000001p53);
    check_number("9007199254740995", 0x1.0000000000002p53);
    check_number("1e22", 0x1.0f0cf064dd592p73);
    check_number("1e23", 0x1.52d02c7e14af6p76);
    check_number("8.5e-27", 0x1.50b83da615fd1p-87);
    check_number("1.7976931348623157e308", 0x1.fffffffffffffp1023);
    check_number("1.7976931348623158e308", 0x1.fffffffffffffp1023);
    check_number("1.7976931348623159e308", HUGE_VAL);
    check_number("2.2250738585072011e-308", 0x0.fffffffffffffp-1022);
    check_number("2.2250738585072014e-308", 0x1p-1022);
    check_number("4.9406564584124654e-324", 0x1p-1074);
    check_number("2.4703282292062327e-324", 0.0); /* just below half of the smallest */
    check_number("2.4703282292062328e-324", 0x1p-1074);
    check_number("1e-400", 0.0);
    check_number("1e400", HUGE_VAL);
    check_number("1e999999999999999999999", HUGE_VAL);
    check_number("0e999999999999999999999", 0.0);
    check_number("1e-999999999999999999999", 0.0);
    check_number(" 12 \n", 12.0);
    check_number("-Infinity", -HUGE_VAL);
    check_number("inf", HUGE_VAL);
    CHECK(isnan(number("NaN")));
}

static void a_halfway_case_of_700_digits_is_decided_by_its_last(void **state)
{
    (void)state;
    /* 2^-1074 * 1.5 has 751 significant digits; computed by Python's fractions and decimal: here by
     * long multiplication, 3 * 5^1075 behind the point. */
    enum { ROOM = 1200 };
    static uint8_t digits[ROOM];
    char text[ROOM + 16];
    size_t n = 1;
    digits[0] = 3;
    for (int k = 0; k < 1075; k++) {
        unsigned carry = 0;
        for (size_t i = 0; i < n; i++) {
            carry += digits[i] * 5u;
            digits[i] = (uint8_t)(carry % 10);
            carry /= 10;
        }
        while (carry) {
            digits[n++] = (uint8_t)(carry % 10);
            carry /= 10;
        }
    }
    for (size_t i = 0; i < n; i++) {
        text[i] = (char)('0' + digits[n - 1 - i]);
    }
    memcpy(text + n, "e-1075", 7);
    check_number(text, 0x1p-1073); /* the tie: to even */
    text[n - 1]--;
    check_number(text, 0x1p-1074);
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        " ",    ".",   "e5",  "1e",    "1e+",
                                      "1_000",   "0x10", "1 2", "--1", "1.2.3", "1,5",
                                      "infinit", "na",   "1f",  "+-1"};
    double value;
    int64_t integer;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!uc_text_f64(uc_str_of(bad[i]), &value));
        CHECK(!uc_text_i64(uc_str_of(bad[i]), &integer));
    }
    CHECK(!uc_text_f64(S("1\0"), &value));
    CHECK(!uc_text_f64((uc_str){NULL, 0}, &value));
}

static void integers_reach_both_ends_and_no_further(void **state)
{
    (void)state;
    int64_t v;
    CHECK(uc_text_i64(S("-9223372036854775808"), &v) && v == INT64_MIN);
    CHECK(uc_text_i64(S("9223372036854775807"), &v) && v == INT64_MAX);
    CHECK(!uc_text_i64(S("9223372036854775808"), &v));
    CHECK(!uc_text_i64(S("-9223372036854775809"), &v));
    CHECK(uc_text_i64(S(" +007 "), &v) && v == 7);
    CHECK(!uc_text_i64(S("1.0"), &v));
}

static void check_f64(double value, const char *want)
{
    char text[32];
    CHECK_INT(uc_f64_text(value, text), strlen(want));
    CHECK_STR(text, want);
}

static void doubles_are_written_as_python_writes_them(void **state)
{
    (void)state;
    check_f64(0.0, "0.0");
    check_f64(-0.0, "-0.0");
    check_f64(0.1, "0.1");
    check_f64(1.0, "1.0");
    check_f64(100.0, "100.0");
    check_f64(123456.789, "123456.789");
    check_f64(0.0001, "0.0001");
    check_f64(0.00001, "1e-05");
    check_f64(1e15, "1000000000000000.0");
    check_f64(1e16, "1e+16");
    check_f64(1e22, "1e+22");
    check_f64(1e23, "1e+23");
    check_f64(9007199254740993.0, "9007199254740992.0");
    check_f64(0x1p-44, "5.684341886080802e-14"); /* the neighbour below is nearer */
    check_f64(1.0 / 3, "0.3333333333333333");
    check_f64(-2.0 / 3, "-0.6666666666666666");
    check_f64(5e-324, "5e-324");
    check_f64(0x1.fffffffffffffp1023, "1.7976931348623157e+308");
    check_f64(0x1p-1022, "2.2250738585072014e-308");
    check_f64(HUGE_VAL, "inf");
    check_f64(-HUGE_VAL, "-inf");
    check_f64((double)NAN, "nan");
}

static void floats_are_written_with_their_own_precision(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {{0.1f, "0.1"},
                 {1.0f / 3, "0.33333334"},
                 {16777216.0f, "16777216.0"},
                 {1e-45f, "1e-45"},
                 {0x1p-20f, "9.536743e-07"},
                 {3.4028235e38f, "3.4028235e+38"},
                 {1e16f, "1e+16"},
                 {-0.0f, "-0.0"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        CHECK_INT(uc_f32_text(cases[i].value, text), strlen(cases[i].text));
        CHECK_STR(text, cases[i].text);
    }
}

static uint64_t random64(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* strtod is exact in the C locale, which tests run in. */
static void random_doubles_and_decimals_agree_with_the_c_library(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        char text[64];
        double value;
        double back;
        uint64_t bits = random64(&seed);
        if (i % 4 == 0) bits &= ~(((uint64_t)1 << 52) - 1);
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        const size_t n = uc_f64_text(value, text);
        CHECK(strtod(text, NULL) == value);
        CHECK(uc_text_f64((uc_str){text, n}, &back) && back == value);
        (void)snprintf(text, sizeof text, "%llu.%llue%d",
                       (unsigned long long)(random64(&seed) >> (i % 64)),
                       (unsigned long long)(random64(&seed) >> (i % 61)), i % 700 - 350);
        CHECK(uc_text_f64(uc_str_of(text), &back) && back == strtod(text, NULL));
    }
}

static void trimming_takes_white_space_off_both_ends(void **state)
{
    (void)state;
    CHECK(uc_str_is(uc_text_trim(S(" \t\r\n a b \v\f")), "a b"));
    CHECK_INT(uc_text_trim(S("   ")).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
        cmocka_unit_test(characters_decode_and_encode_to_the_same_bytes),
        cmocka_unit_test(nothing_that_acts_on_a_terminal_gets_through),
        cmocka_unit_test(decimals_read_to_the_nearest_double),
        cmocka_unit_test(a_halfway_case_of_700_digits_is_decided_by_its_last),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(integers_reach_both_ends_and_no_further),
        cmocka_unit_test(doubles_are_written_as_python_writes_them),
        cmocka_unit_test(floats_are_written_with_their_own_precision),
        cmocka_unit_test(random_doubles_and_decimals_agree_with_the_c_library),
        cmocka_unit_test(trimming_takes_white_space_off_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
