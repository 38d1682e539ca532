/* value.ubj and counted.ubj: py-ubjson; booster.ubj and .json: the same model by xgboost. */
#include "container/ubjson.h"

#include "base/limits.h"
#include "fixture.h"

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

static uc_json *read(uc_arena *arena, uc_bytes bytes, uncork_error *err)
{
    uc_error_init(err);
    return uc_ubjson_read(bytes, 0, arena, err);
}

static void what_python_wrote_is_read(void **state)
{
    static const char *const files[] = {"value.ubj", "counted.ubj"};
    static const int64_t want[] = {1, -1, 200, 70000, 5000000000};
    for (int f = 0; f < 2; f++) {
        uncork_error err;
        const uc_bytes bytes = fixture(*state, files[f]);
        CHECK(uc_ubjson_probe(bytes));
        const uc_json *j = read(*state, bytes, &err);
        CHECK_OK(err.status, &err);
        CHECK_INT(j->count, 6);
        for (size_t i = 0; i < 5; i++) {
            CHECK(uc_json_i64(uc_json_at(uc_json_get(j, "i"), i), 0) == want[i]);
        }
        CHECK(uc_json_f64(uc_json_at(uc_json_get(j, "f"), 0), 0) == 0.5);
        CHECK(uc_json_f64(uc_json_at(uc_json_get(j, "f"), 1), 0) == 1e300);
        CHECK(uc_str_is(uc_json_str(uc_json_get(j, "s"), ""), "t\xC3\xA4xt"));
        CHECK_INT(uc_json_get(j, "n")->kind, UC_JSON_NULL);
        CHECK(uc_json_bool(uc_json_get(j, "t"), false));
        const uc_json *nested = uc_json_get(j, "nested");
        CHECK_INT(uc_json_count(nested), 3);
        CHECK_INT(uc_json_i64(uc_json_at(uc_json_at(uc_json_at(nested, 2), 0), 0), 0), 1);
    }
}

/* Both trees say the same: numbers by value, text by bytes. */
static void check_same(const uc_json *a, const uc_json *b)
{
    size_t na;
    size_t nb;
    uc_arena *arena = uc_arena_new(NULL);
    if (!a || !b) {
        fail_msg("one of both is missing");
        return;
    }
    const double *x = uc_json_f64s(a, arena, &na);
    const double *y = uc_json_f64s(b, arena, &nb);
    CHECK(!x == !y);
    if (x && y) {
        CHECK_INT(na, nb);
        for (size_t i = 0; i < na; i++) {
            CHECK(x[i] == y[i] || (float)x[i] == (float)y[i]); /* JSON has nine digits of a float */
        }
    } else if (a->kind == UC_JSON_OBJECT) {
        CHECK_INT(a->count, b->count);
        for (size_t i = 0; i < a->count; i++) {
            CHECK(uc_str_equal(a->keys[i], b->keys[i]));
            check_same(a->items[i], b->items[i]);
        }
    } else if (a->kind == UC_JSON_ARRAY) {
        CHECK_INT(a->count, b->count);
        for (size_t i = 0; i < a->count; i++) {
            check_same(a->items[i], b->items[i]);
        }
    } else {
        CHECK_INT(a->kind, b->kind);
        CHECK(a->integer == b->integer && uc_str_equal(a->string, b->string));
    }
    uc_arena_free(arena);
}

static void a_model_of_xgboost_is_the_same_in_both_forms(void **state)
{
    uncork_error err;
    const uc_json *binary = read(*state, fixture(*state, "booster.ubj"), &err);
    CHECK_OK(err.status, &err);
    const uc_json *text = uc_json_read(fixture(*state, "booster.json"), 0, *state, &err);
    CHECK_OK(err.status, &err);
    check_same(uc_json_path(binary, "learner.gradient_booster"),
               uc_json_path(text, "learner.gradient_booster"));
    check_same(uc_json_path(binary, "learner.learner_model_param"),
               uc_json_path(text, "learner.learner_model_param"));
    const uc_json *tree =
        uc_json_at(uc_json_path(binary, "learner.gradient_booster.model.trees"), 0);
    CHECK_INT(uc_json_get(tree, "left_children")->kind, UC_JSON_NUMBERS);
    CHECK_INT(uc_json_get(tree, "left_children")->numbers->dtype, UNCORK_INT32);
    CHECK_INT(uc_json_get(tree, "split_conditions")->numbers->dtype, UNCORK_FLOAT32);
    CHECK_INT(uc_json_get(tree, "default_left")->numbers->dtype, UNCORK_UINT8);
}

static void a_model_cut_anywhere_is_refused(void **state)
{
    static const char *const files[] = {"value.ubj", "counted.ubj", "booster.ubj"};
    for (int i = 0; i < 3; i++) {
        const uc_bytes bytes = fixture(*state, files[i]);
        for (size_t n = 0; n < bytes.size; n++) {
            uncork_error err;
            uint8_t *cut = fixture_copy((uc_bytes){bytes.data, n});
            CHECK(read(*state, (uc_bytes){cut, n}, &err) == NULL);
            CHECK(err.status != UNCORK_OK);
            test_free(cut);
        }
    }
}

#define B(text) ((uc_bytes){(const uint8_t *)(text), sizeof(text) - 1})

static void lengths_that_lie_and_unknown_markers_are_refused(void **state)
{
    const uc_bytes bad[] = {
        B(""),
        B("x"),
        B("]"),
        B("[$d#L\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
        B("[$d#L\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
        B("[$d#U\x03"
          "1234567"),
        B("[$Z#l\x7F\xFF\xFF\xFF"),
        B("[$T#U\x01"),
        B("[#l\x7F\xFF\xFF\xFF"),
        B("[$d]"),
        B("[$"),
        B("SU\x05"
          "abc"),
        B("Si\xFF"),
        B("Sd\x00\x00\x00\x00"),
        B("{i\x01"
          "aU\x01"),
        B("{U\x01"),
        B("{Si\x01"
          "a}"),
        B("HU\x03"
          "1x2"),
        B("i\x01i\x01"),
        B("[i\x01"),
        B("NNN"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uncork_error err;
        if (read(*state, bad[i], &err)) fail_msg("case %zu was taken", i);
        CHECK_INT(err.status, UNCORK_MALFORMED);
    }
}

static void the_rarer_forms_are_read(void **state)
{
    uncork_error err;
    CHECK(read(*state,
               B("HU\x04"
                 "0.25"),
               &err)
              ->number == 0.25);
    CHECK(read(*state, B("D\x3F\xF8\0\0\0\0\0\0"), &err)->number == 1.5);
    CHECK(read(*state, B("d\xC0\0\0\0"), &err)->number == -2.0);
    CHECK(uc_str_is(read(*state, B("Ca"), &err)->string, "a"));
    const uc_json *j = read(*state,
                            B("[$S#i\x02i\x01"
                              "xi\x02yz"),
                            &err);
    CHECK(uc_str_is(uc_json_str(uc_json_at(j, 1), ""), "yz"));
    j = read(*state,
             B("{$i#i\x02i\x01"
               "a\x05i\x01"
               "b\xFFN"),
             &err);
    CHECK_INT(uc_json_i64(uc_json_get(j, "a"), 0), 5);
    CHECK_INT(uc_json_i64(uc_json_get(j, "b"), 0), -1);
    j = read(*state, B("[$I#i\x02\x01\x02\xFF\xFE"), &err);
    CHECK_INT(((const int16_t *)j->numbers->data)[0], 0x0102);
    CHECK_INT(((const int16_t *)j->numbers->data)[1], -2);
    CHECK_INT(uc_json_count(read(*state, B("[NNi\x01N]N"), &err)), 1);
}

static void nesting_is_bounded(void **state)
{
    uint8_t text[4 * UC_LIMIT_JSON_DEPTH];
    uncork_error err;
    memset(text, '[', sizeof text);
    memset(text + UC_LIMIT_JSON_DEPTH, ']', UC_LIMIT_JSON_DEPTH);
    CHECK(read(*state, (uc_bytes){text, 2 * UC_LIMIT_JSON_DEPTH}, &err) != NULL);
    memset(text, '[', sizeof text);
    CHECK(read(*state, (uc_bytes){text, sizeof text}, &err) == NULL);
    CHECK_INT(err.status, UNCORK_LIMIT);
}

static void json_is_not_taken_for_ubjson(void **state)
{
    CHECK(!uc_ubjson_probe(fixture(*state, "booster.json")));
    CHECK(!uc_ubjson_probe(B("{ \"a\": 1}")) && !uc_ubjson_probe(B("{}")) &&
          !uc_ubjson_probe(B("{")));
    CHECK(uc_ubjson_probe(fixture(*state, "booster.ubj")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_python_wrote_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_model_of_xgboost_is_the_same_in_both_forms, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_model_cut_anywhere_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(lengths_that_lie_and_unknown_markers_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_rarer_forms_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(nesting_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(json_is_not_taken_for_ubjson, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
