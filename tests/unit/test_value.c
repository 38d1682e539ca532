/* Values that hold values, through the public interface alone. */
#include "check.h"
#include "uncork.h"

static uncork_value *vector(int64_t count)
{
    uncork_value *v = NULL;
    CHECK_INT(uncork_value_new(UNCORK_INT64, 1, &count, &v), UNCORK_OK);
    return v;
}

static void a_sequence_hands_out_its_items_and_nothing_beyond(void **state)
{
    (void)state;
    uncork_value *a = vector(3), *b = vector(5), *s = NULL;
    const uncork_value *items[] = {a, b};
    CHECK_INT(uncork_value_wrap_items(UNCORK_SEQUENCE, items, 2, &s), UNCORK_OK);
    CHECK_INT(uncork_value_kind(a), UNCORK_TENSOR);
    CHECK_INT(uncork_value_kind(s), UNCORK_SEQUENCE);
    CHECK_INT(uncork_value_item_count(a), 0);
    CHECK_INT(uncork_value_item_count(s), 2);
    CHECK_INT(uncork_value_count(uncork_value_item(s, 1)), 5);
    CHECK(uncork_value_data(uncork_value_item(s, 0)) == uncork_value_data(a));
    CHECK(!uncork_value_item(s, 2) && !uncork_value_item(s, -1));
    uncork_value_free(s);
    uncork_value_free(a);
    uncork_value_free(b);
}

static void an_optional_holds_at_most_one(void **state)
{
    (void)state;
    uncork_value *a = vector(1), *v = NULL;
    const uncork_value *items[] = {a, a};
    CHECK_INT(uncork_value_wrap_items(UNCORK_OPTIONAL, NULL, 0, &v), UNCORK_OK);
    CHECK_INT(uncork_value_item_count(v), 0);
    uncork_value_free(v);
    CHECK_INT(uncork_value_wrap_items(UNCORK_OPTIONAL, items, 1, &v), UNCORK_OK);
    uncork_value_free(v);
    CHECK_INT(uncork_value_wrap_items(UNCORK_OPTIONAL, items, 2, &v), UNCORK_USAGE);
    CHECK_INT(uncork_value_wrap_items(UNCORK_TENSOR, items, 1, &v), UNCORK_USAGE);
    uncork_value_free(a);
}

static void a_map_wants_as_many_keys_as_values(void **state)
{
    (void)state;
    uncork_value *a = vector(2), *b = vector(2), *c = vector(3), *v = NULL;
    const uncork_value *good[] = {a, b}, *bad[] = {a, c};
    CHECK_INT(uncork_value_wrap_items(UNCORK_MAP, good, 2, &v), UNCORK_OK);
    uncork_value_free(v);
    CHECK_INT(uncork_value_wrap_items(UNCORK_MAP, bad, 2, &v), UNCORK_USAGE);
    CHECK_INT(uncork_value_wrap_items(UNCORK_MAP, good, 1, &v), UNCORK_USAGE);
    uncork_value_free(a);
    uncork_value_free(b);
    uncork_value_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sequence_hands_out_its_items_and_nothing_beyond),
        cmocka_unit_test(an_optional_holds_at_most_one),
        cmocka_unit_test(a_map_wants_as_many_keys_as_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
