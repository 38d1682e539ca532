/* Permuting axes: every element arrives where a plain loop puts it, whatever the sizes. */
#include "check.h"
#include "kernel/copy.h"

#include <stdlib.h>
#include <string.h>

/* [a, b, c] with its axes in the order of `perm`, elements of `size` bytes. */
static void check_perm(const int64_t *shape, const int *perm, size_t size)
{
    const int64_t stride[] = {shape[1] * shape[2], shape[2], 1};
    const size_t count = (size_t)(shape[0] * shape[1] * shape[2]);
    int64_t out[3], step[3], at = 0;
    char *from = malloc(count * size + 1), *to = malloc(count * size + 1);
    assert_non_null(from);
    assert_non_null(to);
    for (size_t i = 0; i < count * size; i++) {
        from[i] = (char)(i * 131 + i / 251);
    }
    for (int d = 0; d < 3; d++) {
        out[d] = shape[perm[d]];
        step[d] = stride[perm[d]];
    }
    to[count * size] = 77;
    uc_copy_strided(to, NULL, from, step, 3, out, size);
    for (int64_t i = 0; i < out[0]; i++) {
        for (int64_t j = 0; j < out[1]; j++) {
            for (int64_t k = 0; k < out[2]; k++, at++) {
                const int64_t x = i * step[0] + j * step[1] + k * step[2];
                assert_memory_equal(to + at * (int64_t)size, from + x * (int64_t)size, size);
            }
        }
    }
    assert_int_equal(to[count * size], 77);
    free(from);
    free(to);
}

static void every_order_of_axes_moves_every_element(void **state)
{
    (void)state;
    static const int64_t shapes[][3] = {{1, 3, 50}, {2, 35, 3},  {3, 16, 16}, {2, 33, 47},
                                        {5, 4, 64}, {17, 2, 19}, {1, 1, 9},   {7, 0, 3},
                                        {2, 5, 5},  {16, 1, 32}, {3, 20, 2},  {48, 17, 16}};
    static const int perms[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                   {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const size_t sizes[] = {1, 2, 4, 8, 16};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        for (size_t p = 0; p < sizeof perms / sizeof perms[0]; p++) {
            for (size_t b = 0; b < sizeof sizes / sizeof sizes[0]; b++) {
                check_perm(shapes[s], perms[p], sizes[b]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_of_axes_moves_every_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
