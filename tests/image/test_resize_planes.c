/* TensorFlow's bilinear resize over planes has the bits of the one over pictures, which genuine vectors
 * hold to TensorFlow's. */
#include "base/thread.h"
#include "check.h"
#include "image/resize.h"

static void planes_have_the_bits_of_pictures(void **state)
{
    (void)state;
    static const int sizes[][4] = {{5, 7, 11, 3}, {1, 1, 4, 4},  {8, 8, 8, 8},
                                   {9, 4, 3, 9},  {2, 30, 7, 1}, {33, 33, 129, 129}};
    uint32_t seed = 1;
    uncork_pool *pool = NULL;
    uncork_error error;
    uc_error_init(&error);
    CHECK_OK(uc_pool_new(2, &pool), &error);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int way = 0; way < 3; way++) {
            const int *s = sizes[i];
            const size_t in = (size_t)s[0] * (size_t)s[1], out = (size_t)s[2] * (size_t)s[3];
            uc_arena *arena = uc_arena_new(NULL);
            float *x = UC_NEW(arena, float, 3 * in), *y = UC_NEW(arena, float, 3 * out);
            for (size_t k = 0; k < 3 * in; k++) {
                seed = seed * 1664525u + 1013904223u;
                x[k] = (float)(seed >> 8) / 65536 - 128;
            }
            const uc_tensorflow_resize o = {
                .filter = UC_TF_BILINEAR, .legacy = way > 0, .align_corners = way > 1};
            CHECK_OK(uc_resize_tensorflow_planes(x, 3, s, s + 2, &o, pool, arena, y, &error),
                     &error);
            for (size_t p = 0; p < 3; p++) {
                const uc_pixels one = {UNCORK_FLOAT32, s[0], s[1], 1, x + p * in};
                uc_pixels want;
                CHECK_OK(uc_resize_tensorflow(&one, s[3], s[2], &o, arena, &want, &error), &error);
                CHECK(memcmp(want.data, y + p * out, out * sizeof *y) == 0);
            }
            uc_arena_free(arena);
        }
    }
    uc_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(planes_have_the_bits_of_pictures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
