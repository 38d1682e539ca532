/* Python source that no author would write. */
#include "check.h"

#include "import/pytorch/script_syntax.h"

/* The status of parsing. */
static uncork_status parse(const char *text, size_t size)
{
    uncork_error error = {.size = sizeof error};
    uc_budget budget;
    uc_py_names names;
    uc_py_source source;
    uc_error_init(&error);
    uc_budget_init(&budget, NULL, size);
    uc_arena *arena = uc_arena_new(&budget);
    assert_non_null(arena);
    assert_true(uc_py_names_init(&names, arena));
    const uncork_status status = uc_py_parse((uc_bytes){(const uint8_t *)text, size}, "net.py",
                                             &names, &budget, &source, &error);
    assert_int_equal(status == UNCORK_OK, error.status == UNCORK_OK);
    uc_arena_free(arena);
    return status;
}

static void fields_of_an_f_string_are_read_to_their_last_byte(void **state)
{
    (void)state;
    const char zero[] = "x = f\"{a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0b}\"\n";
    const char cut[] = "x = f\"{a\n";
    assert_int_equal(parse("x = f\"{a} and {c:>8}\"\n", strlen("x = f\"{a} and {c:>8}\"\n")),
                     UNCORK_OK);
    assert_int_not_equal(parse(zero, sizeof zero - 1), UNCORK_OK);
    assert_int_not_equal(parse(cut, sizeof cut - 1), UNCORK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_an_f_string_are_read_to_their_last_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
