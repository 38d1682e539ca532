/* Python's str and re over UTF-8; expected values by CPython 3.13 (Unicode 15.1). */
#include "check.h"
#include "op/ext/text_pattern.h"
#include "op/ext/text_python.h"

#include <string.h>

static uc_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = uc_arena_new(NULL);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    uc_arena_free(arena);
    return 0;
}

static const char *text_of(const uc_text_buffer *b)
{
    return uc_arena_copy(arena, b->data, b->size);
}

static const char *lower(const char *text, bool python2)
{
    uc_text_buffer b = {0};
    CHECK(uc_text_lower(arena, uc_str_of(text), python2, &b));
    return text_of(&b);
}

static void lower_is_pythons_with_final_sigma_and_dotted_i(void **state)
{
    (void)state;
    CHECK_STR(lower("", false), "");
    CHECK_STR(lower("The QUICK_9 \xc3\x89", false), "the quick_9 \xc3\xa9");
    /* 'ΌΣΟΣ İSTANBUL ΑΣ. Σ' */
    CHECK_STR(
        lower("\xce\x8c\xce\xa3\xce\x9f\xce\xa3 \xc4\xb0STANBUL \xce\x91\xce\xa3. \xce\xa3", false),
        "\xcf\x8c\xcf\x83\xce\xbf\xcf\x82 i\xcc\x87stanbul \xce\xb1\xcf\x82. \xcf\x83");
    /* "A\u0345Σ' Σa": ignorable characters stand between the sigma and its letters */
    CHECK_STR(lower("A\xcd\x85\xce\xa3' \xce\xa3"
                    "a",
                    false),
              "a\xcd\x85\xcf\x82' \xcf\x83"
              "a");
    /* Python 2 mapped character by character */
    CHECK_STR(lower("\xc4\xb0\xce\xa3\xce\x91\xce\xa3", true), "i\xcf\x83\xce\xb1\xcf\x83");
}

static const char *stripped(const char *text, uc_accents how)
{
    uc_text_buffer b = {0};
    CHECK(uc_text_strip_accents(arena, uc_str_of(text), how, &b));
    return text_of(&b);
}

static void accents_go_as_scikit_learn_strips_them(void **state)
{
    (void)state;
    const char *text = "\xc3\x9cn\xc3\xaf\xcc\x81"
                       "code \xef\xac\x81 \xc2\xbd \xe2\x91\xa0"; /* 'Ünï\u0301code ﬁ ½ ①' */
    CHECK_STR(stripped(text, UC_ACCENTS_UNICODE), "Unicode fi 1\xe2\x81\x84"
                                                  "2 1");
    CHECK_STR(stripped(text, UC_ACCENTS_ASCII), "Unicode fi 12 1");
    CHECK_STR(stripped("e\xcc\x81", UC_ACCENTS_UNICODE), "e");
    CHECK_STR(stripped("e\xcc\x81", UC_ACCENTS_UNICODE_OLD), "e\xcc\x81");
    CHECK_STR(stripped("plain", UC_ACCENTS_ASCII), "plain");
}

static void word_characters_are_those_of_isalnum(void **state)
{
    (void)state;
    static const uint32_t words[] = {'a',    'Z',   '_',     '0',     0xaa,  0xb2,   0xbd, 0x2160,
                                     0x3007, 0x66e, 0x1d7ce, 0x20000, 0x2b0, 0x4e00, 0x3c2};
    static const uint32_t others[] = {' ',   '-',    '\'',    0xb7,   0x300,  0x203f,
                                      0x93e, 0x200d, 0x1f600, 0x2028, 0xe000, 0x378};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        CHECK(uc_text_is_word(words[i]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK(!uc_text_is_word(others[i]));
    static const uint32_t spaces[] = {' ',    '\t',   0x1c,   0x1f,   0x85,  0xa0,
                                      0x1680, 0x2003, 0x2028, 0x202f, 0x3000};
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
        CHECK(uc_text_is_space(spaces[i]));
    CHECK(!uc_text_is_space(0x200b) && !uc_text_is_space(0x180e) && !uc_text_is_space('a'));
}

/* re.findall(pattern, text), joined by '|'; "refused" when the pattern is. */
static const char *found(const char *pattern, const char *text)
{
    const char *why = NULL;
    uc_text_search search = {0};
    uc_text_buffer all = {0};
    uc_str item;
    const uc_text_pattern *p = uc_text_pattern_new(arena, uc_str_of(pattern), &why);
    if (!p) return why ? "refused" : "no memory";
    CHECK(uc_text_append(arena, &all, uc_str_of("")));
    CHECK(uc_text_search_begin(arena, &search, p, uc_str_of(text)));
    for (int result; (result = uc_text_search_next(&search, &item)) != 0;) {
        if (result < 0) return "too many steps";
        CHECK(uc_text_append(arena, &all, item) && uc_text_append(arena, &all, uc_str_of("|")));
    }
    return text_of(&all);
}

static void patterns_find_what_python_finds(void **state)
{
    (void)state;
    CHECK_STR(found("(?u)\\b\\w\\w+\\b", "I am 2 caf\xc3\xa9s a_b"), "am|caf\xc3\xa9s|a_b|");
    CHECK_STR(found("[a-z]+", "aB c-d"), "a|c|d|");
    CHECK_STR(found("([a-z]{2,})_?", "ab_ c de"), "ab|de|");
    CHECK_STR(found("\\w*", "ab c"), "ab||c||");
    CHECK_STR(found("x*|b", "abx"), "||b|x||");
    CHECK_STR(found("\\S+", "x\x1cy z"), "x|y|z|");
    CHECK_STR(found("[\\s]", "x\x1cy"), "\x1c|");
    CHECK_STR(found("a{,2}b", "aaab b"), "aab|b|");
    CHECK_STR(found("[[a]+", "[a]"), "[a|");
    CHECK_STR(found("\\u00e9+\\x41", "\xc3\xa9\xc3\xa9"
                                     "A"),
              "\xc3\xa9\xc3\xa9"
              "A|");
    CHECK_STR(found("(?a)\\w+", "\xc3\xa9ta"), "ta|");
    CHECK_STR(found("\\w+\\Z", "a\n"), "");
    CHECK_STR(found("a$", "a\n"), "a|");
    CHECK_STR(found("(?i:A)b", "ab Ab AB"), "ab|Ab|");
    CHECK_STR(found("(?P<x>\\w)(?P=x)", "aab bb"), "a|b|");
    CHECK_STR(found("\\v", "\x0b\n"), "\x0b|");
}

static void patterns_python_has_not_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"(",       "[a",      "*a",  "\\p{L}", "\\Qa\\E", "(*UCP)a",
                                      "(?L)a",   "(a)(b)",  "\\K", "[z-a]",  "a\\",     "\\x4",
                                      "(?<x>a)", "(?P>x)a", "\\R", "(?|a)",  "(?R)"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (strcmp(found(bad[i], "a"), "refused") != 0) fail_msg("%s was taken", bad[i]);
    }
}

static void patterns_that_explode_stop(void **state)
{
    (void)state;
    char text[64];
    memset(text, 'a', sizeof text - 2);
    text[sizeof text - 2] = '!';
    text[sizeof text - 1] = '\0';
    CHECK_STR(found("(?:a|aa)+$", text), "too many steps");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lower_is_pythons_with_final_sigma_and_dotted_i),
        cmocka_unit_test(accents_go_as_scikit_learn_strips_them),
        cmocka_unit_test(word_characters_are_those_of_isalnum),
        cmocka_unit_test(patterns_find_what_python_finds),
        cmocka_unit_test(patterns_python_has_not_are_refused),
        cmocka_unit_test(patterns_that_explode_stop),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
