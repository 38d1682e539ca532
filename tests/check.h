/* Short names over cmocka's asserts that print both values. */
#ifndef UC_TESTS_CHECK_H
#define UC_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define CHECK(condition)             assert_true(condition)
#define CHECK_INT(got, want)         assert_int_equal((got), (want))
#define CHECK_STR(got, want)         assert_string_equal((got), (want))
#define CHECK_OK(status, error)      check_ok((int)(status), (error)->what)
#define CHECK_BYTES(got, want, size) assert_memory_equal((got), (want), (size))

static inline void check_ok(int status, const char *what)
{
    if (status) {
        fail_msg("status %d: %s", status, what);
    }
}

/* How many damaged copies a test makes of each sound file: 500, more in `make fuzz`. */
static inline long test_mutations(void)
{
    const char *wanted = getenv("UC_MUTATIONS");
    return wanted ? strtol(wanted, NULL, 10) : 500;
}

#endif
