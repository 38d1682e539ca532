/* kernel/distance.h: every instruction set this machine has against plain C, to the bit for the
 * float64 sums; the screen within its bound; and special.h, linalg.h beside them. */
#include "kernel/distance.h"

#include "base/cpu.h"
#include "check.h"
#include "kernel/linalg.h"
#include "kernel/special.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { WIDTH = 37 };

static const uc_distance_kernels *sets[3];
static int set_count;

static double next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*state >> 20) / (double)(1ll << 43) - 1.0;
}

static int choose_sets(void **state)
{
    (void)state;
    set_count = 0;
#if defined(__x86_64__)
    if (uc_cpu_features() & UC_CPU_AVX2) sets[set_count++] = &uc_distance_avx2;
    if (uc_cpu_features() & UC_CPU_AVX512) sets[set_count++] = &uc_distance_avx512;
#endif
    return 0;
}

static void sums_are_the_same_bits_on_every_instruction_set(void **state)
{
    static double panel[WIDTH * UC_DISTANCE_LANES] __attribute__((aligned(64)));
    double x[WIDTH], w[WIDTH], want[3 * UC_DISTANCE_LANES], got[3 * UC_DISTANCE_LANES];
    uint64_t seed = 1;
    (void)state;
    for (int i = 0; i < WIDTH * UC_DISTANCE_LANES; i++) {
        panel[i] = i % 7 ? next(&seed) : 0.0;
    }
    for (int j = 0; j < WIDTH; j++) {
        x[j] = j % 5 ? next(&seed) : 0.0;
        w[j] = fabs(next(&seed)) + 0.1;
    }
    panel[3] = (double)NAN; /* for the sum over what is present */
    for (int sum = 0; sum < UC_SUM_COUNT; sum++) {
        if (sum != UC_SUM_PRESENT) panel[3] = 0.25;
        uc_distance_scalar.sum[sum](x, panel, w, WIDTH, want);
        for (int s = 0; s < set_count; s++) {
            sets[s]->sum[sum](x, panel, w, WIDTH, got);
            CHECK_BYTES(got, want, sizeof want);
        }
        panel[3] = (double)NAN;
    }
}

static void sums_are_those_of_a_plain_loop(void **state)
{
    static const double x[3] = {1, 0, -2};
    static double panel[3 * UC_DISTANCE_LANES] __attribute__((aligned(64)));
    double s[3 * UC_DISTANCE_LANES];
    (void)state;
    panel[0] = 4;
    panel[2 * UC_DISTANCE_LANES] = 2;
    const uc_distance_kernels *k = &uc_distance_scalar;
    k->sum[UC_SUM_SQUARE](x, panel, NULL, 3, s);
    CHECK(s[0] == 25.0 && s[1] == 5.0);
    k->sum[UC_SUM_ABS](x, panel, NULL, 3, s);
    CHECK(s[0] == 7.0);
    k->sum[UC_SUM_MAX](x, panel, NULL, 3, s);
    CHECK(s[0] == 4.0);
    k->sum[UC_SUM_CANBERRA](x, panel, NULL, 3, s);
    CHECK(s[0] == 3.0 / 5.0 + 1.0);
    k->sum[UC_SUM_BOOL](x, panel, NULL, 3, s);
    CHECK(s[0] == 2.0 && s[UC_DISTANCE_LANES] == 0.0 && s[2 * UC_DISTANCE_LANES] == 0.0);
    CHECK(s[1] == 0.0 && s[UC_DISTANCE_LANES + 1] == 2.0);
    k->sum[UC_SUM_UNEQUAL](x, panel, NULL, 3, s);
    CHECK(s[0] == 2.0);
}

static void screens_and_squares_agree_within_rounding(void **state)
{
    static float panel[WIDTH * UC_SCREEN_LANES] __attribute__((aligned(64)));
    float half[UC_SCREEN_LANES], x[UC_SCREEN_ROWS * WIDTH];
    float want[UC_SCREEN_ROWS * UC_SCREEN_LANES], got[UC_SCREEN_ROWS * UC_SCREEN_LANES];
    double y[8 * WIDTH], q[WIDTH], far[8], near[8];
    static const int64_t index[8] = {7, 0, 3, 3, 5, 1, 2, 6};
    uint64_t seed = 2;
    (void)state;
    for (int i = 0; i < WIDTH * UC_SCREEN_LANES; i++) {
        panel[i] = (float)next(&seed);
    }
    for (int i = 0; i < UC_SCREEN_LANES; i++) {
        half[i] = (float)next(&seed);
    }
    for (int i = 0; i < UC_SCREEN_ROWS * WIDTH; i++) {
        x[i] = (float)next(&seed);
    }
    for (int i = 0; i < 8 * WIDTH; i++) {
        y[i] = next(&seed);
        if (i < WIDTH) q[i] = next(&seed);
    }
    uc_distance_scalar.squares(q, y, index, 8, WIDTH, far);
    for (int s = 0; s < set_count; s++) {
        sets[s]->squares(q, y, index, 8, WIDTH, near);
        for (int i = 0; i < 8; i++) {
            CHECK(fabs(near[i] - far[i]) <= 64 * DBL_EPSILON * far[i]);
        }
        CHECK(near[2] == near[3]); /* the same row, the same bits */
        for (int rows = 1; rows <= UC_SCREEN_ROWS; rows++) {
            uc_distance_scalar.screen(panel, half, x, WIDTH, rows, WIDTH, want);
            sets[s]->screen(panel, half, x, WIDTH, rows, WIDTH, got);
            for (int i = 0; i < rows * UC_SCREEN_LANES; i++) {
                CHECK(fabsf(got[i] - want[i]) <= 1e-4f);
            }
        }
        CHECK(sets[s]->below(got, 0.0f) == uc_distance_scalar.below(got, 0.0f));
    }
}

/* scipy.special 1.17 */
static void gammas_are_scipys(void **state)
{
    static const double x[] = {0.25, 1, 1.5, 7, 33.5};
    static const double log_gamma[] = {1.2880225246980774, 0, -0.12078223763524526,
                                       6.579251212010101, 83.30242550295004};
    static const double digamma[] = {-4.2274535333762655, -0.5772156649015329, 0.03648997397857652,
                                     1.872784335098467, 3.4965458167228256};
    (void)state;
    for (int i = 0; i < 5; i++) {
        CHECK(fabs(uc_log_gamma(x[i]) - log_gamma[i]) <= 2e-14 * fmax(1, fabs(log_gamma[i])));
        CHECK(fabs(uc_digamma(x[i]) - digamma[i]) <= 4e-15 * fmax(1, fabs(digamma[i])));
    }
}

static void factors_solve_and_say_when_they_cannot(void **state)
{
    double spd[4] = {4, 2, 2, 3}, b[2] = {8, 7}, a[4] = {0, 2, 1, 1}, c[2] = {4, 3};
    double bad[4] = {1, 2, 2, 1}, flat[4] = {1, 2, 2, 4};
    int64_t pivot[2];
    (void)state;
    CHECK(uc_cholesky(spd, 2));
    uc_cholesky_solve(spd, 2, b);
    CHECK(fabs(b[0] - 1.25) < 1e-15 && fabs(b[1] - 1.5) < 1e-15);
    CHECK(!uc_cholesky(bad, 2));
    CHECK_INT(uc_lu(a, 2, pivot), -1);
    uc_lu_solve(a, pivot, 2, c);
    CHECK(c[0] == 1.0 && c[1] == 2.0);
    CHECK_INT(uc_lu(flat, 2, pivot), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_the_same_bits_on_every_instruction_set),
        cmocka_unit_test(sums_are_those_of_a_plain_loop),
        cmocka_unit_test(screens_and_squares_agree_within_rounding),
        cmocka_unit_test(gammas_are_scipys),
        cmocka_unit_test(factors_solve_and_say_when_they_cannot),
    };
    return cmocka_run_group_tests(tests, choose_sets, NULL);
}
