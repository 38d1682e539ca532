#include "base/json.h"

#include "base/limits.h"
#include "fixture.h"

#include <math.h>

static int setup(void **state)
{
    *state = uc_arena_new(NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    uc_arena_free(*state);
    return 0;
}

static uc_json *read(uc_arena *arena, const char *text, uncork_error *err)
{
    uc_error_init(err);
    return uc_json_read((uc_bytes){(const uint8_t *)text, strlen(text)}, 0, arena, err);
}

static void every_kind_of_value_is_read(void **state)
{
    uncork_error err;
    const uc_json *j = read(*state,
                            " {\"n\": null, \"t\": true, \"f\": false, \"i\": -12, \"x\": 1.5e3,"
                            " \"s\": \"a\", \"a\": [\"p\", {}], \"nums\": [1, 2, 3], \"e\": []} ",
                            &err);
    CHECK_OK(err.status, &err);
    CHECK(j && j->kind == UC_JSON_OBJECT && j->count == 9);
    CHECK_INT(uc_json_get(j, "n")->kind, UC_JSON_NULL);
    CHECK(uc_json_bool(uc_json_get(j, "t"), false) && !uc_json_bool(uc_json_get(j, "f"), true));
    CHECK_INT(uc_json_i64(uc_json_get(j, "i"), 0), -12);
    CHECK(uc_json_f64(uc_json_get(j, "x"), 0) == 1500.0);
    CHECK(uc_str_is(uc_json_str(uc_json_get(j, "s"), ""), "a"));
    CHECK_INT(uc_json_count(uc_json_get(j, "a")), 2);
    CHECK_INT(uc_json_at(uc_json_get(j, "a"), 1)->kind, UC_JSON_OBJECT);
    CHECK_INT(uc_json_get(j, "nums")->kind, UC_JSON_NUMBERS);
    CHECK_INT(uc_json_get(j, "nums")->numbers->dtype, UNCORK_INT64);
    CHECK_INT(uc_json_count(uc_json_get(j, "e")), 0);
    CHECK(uc_json_get(j, "absent") == NULL && uc_json_at(uc_json_get(j, "a"), 2) == NULL);
    CHECK_INT(uc_json_get(j, "x")->offset, 51);
}

static void bare_nan_and_infinities_are_numbers(void **state)
{
    uncork_error err;
    const uc_json *j = read(*state, "[NaN, Infinity, -Infinity, 1]", &err);
    CHECK(j && j->kind == UC_JSON_NUMBERS && j->count == 4);
    const double *v = uc_tensor_doubles(j->numbers);
    CHECK(isnan(v[0]) && v[1] == HUGE_VAL && v[2] == -HUGE_VAL && v[3] == 1.0);
    CHECK(isnan(read(*state, "NaN", &err)->number));
    CHECK(read(*state, "-NaN", &err) == NULL);
    CHECK(read(*state, "Infinit", &err) == NULL);
}

static void integers_are_exact_to_64_bits_and_doubles_beyond(void **state)
{
    uncork_error err;
    const uc_json *j = read(*state, "[9223372036854775807, -9223372036854775808]", &err);
    const int64_t *v = j->numbers->data;
    CHECK(v[0] == INT64_MAX && v[1] == INT64_MIN);
    j = read(*state, "9223372036854775808", &err);
    CHECK(j->kind == UC_JSON_FLOAT && j->number == 0x1p63);
    j = read(*state, "9007199254740993", &err);
    CHECK(j->kind == UC_JSON_INT && j->integer == 9007199254740993);
}

static void one_float_makes_an_array_of_floats(void **state)
{
    uncork_error err;
    const uc_json *j = read(*state, "[1, 2, 0.5, -3,\n 1E2]", &err);
    static const double want[] = {1, 2, 0.5, -3, 100};
    CHECK_INT(j->numbers->dtype, UNCORK_FLOAT64);
    CHECK_BYTES(j->numbers->data, want, sizeof want);
    size_t n;
    CHECK(uc_json_i64s(j, *state, &n) == NULL);
    CHECK(uc_json_f64s(j, *state, &n) != NULL && n == 5);
}

static void strings_lose_their_escapes(void **state)
{
    uncork_error err;
    const uc_json *j = read(*state, "\"a\\n\\\"\\\\\\/\\u00e4\\ud83d\\ude00\\ud800x\"", &err);
    CHECK(uc_str_is(j->string, "a\n\"\\/\xC3\xA4\xF0\x9F\x98\x80\xED\xA0\x80x"));
    CHECK(uc_str_is(read(*state, "\"\xC3\xA4\"", &err)->string, "\xC3\xA4"));
    CHECK(uc_str_is(read(*state, "\"\\ud800\\u0041\"", &err)->string, "\xED\xA0\x80"
                                                                      "A"));
}

static void numbers_written_as_strings_read_as_numbers(void **state)
{
    uncork_error err;
    const uc_json *j =
        read(*state,
             "{\"base_score\": \"5E-1\", \"n\": \"12\", \"on\": \"1\", \"v\": [\"1\", 2.5]}", &err);
    CHECK(uc_json_f64(uc_json_get(j, "base_score"), 0) == 0.5);
    CHECK_INT(uc_json_i64(uc_json_get(j, "n"), 0), 12);
    CHECK(uc_json_bool(uc_json_get(j, "on"), false));
    size_t n;
    const double *v = uc_json_f64s(uc_json_get(j, "v"), *state, &n);
    CHECK(n == 2 && v[0] == 1.0 && v[1] == 2.5);
    CHECK(uc_json_f64(uc_json_get(j, "v"), 7) == 7.0);
}

static void paths_go_down_and_the_last_of_equal_keys_wins(void **state)
{
    uncork_error err;
    const uc_json *j = read(*state, "{\"a\": {\"b\": {\"c\": 1}, \"b\": {\"c\": 2}}}", &err);
    CHECK_INT(uc_json_i64(uc_json_path(j, "a.b.c"), 0), 2);
    CHECK(uc_json_path(j, "a.x.c") == NULL && uc_json_path(NULL, "a") == NULL);
}

static void what_is_wrong_is_said_with_line_and_column(void **state)
{
    uncork_error err;
    CHECK(read(*state, "{\"a\": 1,\n \"b\": [1, 2,]}", &err) == NULL);
    CHECK_INT(err.status, UNCORK_MALFORMED);
    CHECK_INT(err.offset, 21);
    CHECK_STR(err.what, "JSON: expected a digit, found ']' (line 2, column 13)");
    CHECK(uc_json_read((uc_bytes){(const uint8_t *)"[1", 2}, 100, *state, NULL) == NULL);
    uc_error_init(&err);
    CHECK(uc_json_read((uc_bytes){(const uint8_t *)"[1", 2}, 100, *state, &err) == NULL);
    CHECK_INT(err.offset, 102);
}

static void malformed_json_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[",
        "[1",
        "\"a",
        "{\"a\"}",
        "{\"a\":}",
        "{a: 1}",
        "[1 2]",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "1e+",
        "tru",
        "nul",
        "[1,]",
        "{\"a\":1,}",
        "1 2",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\\",
        "[\"a\"",
        "'a'",
        "[1,,2]",
        "{,}",
        "[-]",
        "[1-2]",
        "[1.5.5]",
        "[NaNa]",
        "[e]",
        "[Infinity1]",
        "\"\\u12\"",
        "\"\\ud800\\u\"",
        "\x01",
        "]",
        "}",
        "[}",
        "{\"a\":1]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uncork_error err;
        if (read(*state, bad[i], &err)) fail_msg("%s was taken", bad[i]);
        CHECK(err.status == UNCORK_MALFORMED);
    }
}

static void nesting_is_bounded(void **state)
{
    char text[4 * UC_LIMIT_JSON_DEPTH];
    uncork_error err;
    for (int i = 0; i < UC_LIMIT_JSON_DEPTH; i++) {
        text[i] = '[';
        text[UC_LIMIT_JSON_DEPTH + i] = ']';
    }
    text[2 * UC_LIMIT_JSON_DEPTH] = '\0';
    CHECK(read(*state, text, &err) != NULL);
    memset(text, '[', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    CHECK(read(*state, text, &err) == NULL);
    CHECK_INT(err.status, UNCORK_LIMIT);
}

static void a_genuine_model_is_read_to_its_end_and_cut_anywhere_refused(void **state)
{
    uncork_error err = {0};
    const uc_bytes bytes = fixture(*state, "booster.json");
    const uc_json *j = uc_json_read(bytes, 0, *state, &err);
    CHECK_OK(err.status, &err);
    CHECK(
        uc_str_is(uc_json_str(uc_json_path(j, "learner.objective.name"), ""), "reg:squarederror"));
    const uc_json *tree = uc_json_at(uc_json_path(j, "learner.gradient_booster.model.trees"), 0);
    const uc_json *weights = uc_json_get(tree, "base_weights");
    CHECK(weights && weights->kind == UC_JSON_NUMBERS && weights->count > 2);
    for (size_t n = 0; n < bytes.size; n++) {
        uint8_t *cut = fixture_copy((uc_bytes){bytes.data, n});
        uc_error_init(&err);
        CHECK(uc_json_read((uc_bytes){cut, n}, 0, *state, &err) == NULL);
        test_free(cut);
    }
}

static void the_budget_bounds_what_small_text_becomes(void **state)
{
    (void)state;
    uc_budget budget;
    uncork_error err = {0};
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 100000};
    uc_budget_init(&budget, &limits, 0);
    uc_arena *arena = uc_arena_new(&budget);
    static char text[20001];
    for (int i = 0; i < 5000; i++) {
        put_bytes(text + (ptrdiff_t)i * 4, "[], ", 4);
    }
    put_bytes(text, "[{},", 4);
    CHECK(uc_json_read((uc_bytes){(const uint8_t *)text, 20000}, 0, arena, &err) == NULL);
    CHECK_INT(err.status, UNCORK_LIMIT);
    uc_arena_free(arena);
}

static void the_writer_puts_commas_quotes_and_escapes(void **state)
{
    (void)state;
    uc_writer out;
    uc_writer_init(&out, 10000);
    uc_json_writer w = {.out = &out};
    uc_json_begin_object(&w);
    uc_json_key(&w, "a\"b");
    uc_json_begin_array(&w);
    uc_json_put_i64(&w, INT64_MIN);
    uc_json_put_f64(&w, 0.1);
    uc_json_put_f32(&w, 0.1f);
    uc_json_put_f64(&w, (double)NAN);
    uc_json_put_bool(&w, true);
    uc_json_put_null(&w);
    uc_json_begin_object(&w);
    uc_json_end_object(&w);
    uc_json_end_array(&w);
    uc_json_key(&w, "s");
    uc_json_put_str(&w, (uc_str){"\x1B\xFF\xC3\xA4\n\\", 6});
    uc_json_end_object(&w);
    CHECK_STR(uc_writer_string(&out),
              "{\"a\\\"b\":[-9223372036854775808,0.1,0.1,null,true,null,{}],"
              "\"s\":\"\\u001b\xEF\xBF\xBD\xC3\xA4\\n\\\\\"}");
    uc_writer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_kind_of_value_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(bare_nan_and_infinities_are_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(integers_are_exact_to_64_bits_and_doubles_beyond, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_float_makes_an_array_of_floats, setup, teardown),
        cmocka_unit_test_setup_teardown(strings_lose_their_escapes, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_written_as_strings_read_as_numbers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(paths_go_down_and_the_last_of_equal_keys_wins, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said_with_line_and_column, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(malformed_json_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nesting_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_genuine_model_is_read_to_its_end_and_cut_anywhere_refused,
                                        setup, teardown),
        cmocka_unit_test(the_budget_bounds_what_small_text_becomes),
        cmocka_unit_test(the_writer_puts_commas_quotes_and_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
