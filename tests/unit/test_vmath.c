/* Elementary functions against the C library in long double: the errors the header states, the same
 * bits on every instruction set, at every place, in every length. */
#include "check.h"
#include "kernel/vmath.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { COUNT = 40000 };

typedef struct function {
    const char *name;
    int index;
    long double (*truth)(long double);
    double low, high; /* of the arguments tried */
    double units;     /* the error the header states */
} function;

static long double expit_l(long double x)
{
    return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

static const function functions[] = {
    {"exp", UC_VMATH_EXP, expl, -750, 711, 1},
    {"exp near 0", UC_VMATH_EXP, expl, -1, 1, 1},
    {"log", UC_VMATH_LOG, logl, 0, 1e6, 1},
    {"log near 1", UC_VMATH_LOG, logl, 0.5, 2, 1},
    {"tanh", UC_VMATH_TANH, tanhl, -25, 25, 1.5},
    {"tanh near 0", UC_VMATH_TANH, tanhl, -1, 1, 1.5},
    {"expit", UC_VMATH_EXPIT, expit_l, -750, 50, 2.5},
    {"expit near 0", UC_VMATH_EXPIT, expit_l, -8, 8, 2.5},
};

static uint64_t state;

static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void fill(double *x, const function *f)
{
    state = 1;
    for (int i = 0; i < COUNT; i++) {
        x[i] = f->low + (f->high - f->low) * uniform();
        if (i % 4 == 0) x[i] = ldexp(x[i], -(int)(60 * uniform())); /* every magnitude */
    }
}

static double error_in_units(double got, long double want)
{
    double near = (double)want, next = nextafter(fabs(near), HUGE_VAL);
    double unit = isinf(next) ? 0x1p970 : next - fabs(near);
    if (isinf(near) || near == got) return 0;
    return (double)fabsl((long double)got - want) / unit;
}

static void errors_stay_below_what_the_header_says(void **unused)
{
    (void)unused;
    static double x[COUNT], y[COUNT];
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
        double worst = 0, at = 0;
        fill(x, &functions[f]);
        uc_vmath_row(0)->f64[functions[f].index](x, y, COUNT);
        for (int i = 0; i < COUNT; i++) {
            double e = error_in_units(y[i], functions[f].truth((long double)x[i]));
            if (e > worst) {
                worst = e;
                at = x[i];
            }
        }
        print_message("%-14s worst error %.3f units at %.17g\n", functions[f].name, worst, at);
        CHECK(worst <= functions[f].units);
    }
}

static void every_instruction_set_gives_the_same_bits(void **unused)
{
    (void)unused;
    static double x[COUNT], y[COUNT], z[COUNT];
    static float xf[COUNT], yf[COUNT], zf[COUNT];
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
        fill(x, &functions[f]);
        for (int i = 0; i < COUNT; i++) {
            xf[i] = (float)x[i];
        }
        uc_vmath_row(0)->f64[functions[f].index](x, y, COUNT);
        uc_vmath_row(0)->f32[functions[f].index](xf, yf, COUNT);
        for (int row = 1; uc_vmath_row(row); row++) {
            uc_vmath_row(row)->f64[functions[f].index](x, z, COUNT);
            uc_vmath_row(row)->f32[functions[f].index](xf, zf, COUNT);
            CHECK_BYTES(z, y, sizeof y);
            CHECK_BYTES(zf, yf, sizeof yf);
        }
    }
}

static void a_place_in_the_array_changes_nothing(void **unused)
{
    (void)unused;
    static double x[64], y[64], z[64];
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
        for (int i = 0; i < 64; i++) {
            x[i] = functions[f].low + (functions[f].high - functions[f].low) * i / 64;
        }
        uc_vmath_f64 run = uc_vmath_row(0)->f64[functions[f].index];
        run(x, y, 64);
        for (size_t n = 1, at = 0; at < 64; at += n, n = n % 11 + 1) {
            run(x + at, z + at, 64 - at < n ? 64 - at : n);
        }
        CHECK_BYTES(z, y, sizeof y);
    }
}

static void special_values_are_those_of_the_c_library(void **unused)
{
    (void)unused;
    const double x[] = {0.0,
                        -0.0,
                        1.0,
                        -1.0,
                        HUGE_VAL,
                        -HUGE_VAL,
                        (double)NAN,
                        5e-324,
                        -5e-324,
                        1e308,
                        -1e308,
                        709.782712893384,
                        709.782712893385,
                        -745.1332191019411,
                        -745.2,
                        -708.5,
                        2.2250738585072014e-308,
                        1e-310};
    enum { N = sizeof x / sizeof x[0] };
    double y[N], truth[N];
    double (*const library[])(double) = {exp, log, tanh};
    for (int f = 0; f < 3; f++) {
        uc_vmath_row(0)->f64[f](x, y, N);
        for (int i = 0; i < N; i++) {
            truth[i] = library[f](x[i]);
            bool same = (isnan(y[i]) && isnan(truth[i])) ||
                        (fabs(y[i] - truth[i]) <= 2.3e-16 * fabs(truth[i]) + 5e-324) ||
                        (isinf(y[i]) && y[i] == truth[i]);
            if (!same || (!isnan(y[i]) && signbit(y[i]) != signbit(truth[i]))) {
                fail_msg("function %d of %.17g is %.17g instead of %.17g", f, x[i], y[i], truth[i]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_stay_below_what_the_header_says),
        cmocka_unit_test(every_instruction_set_gives_the_same_bits),
        cmocka_unit_test(a_place_in_the_array_changes_nothing),
        cmocka_unit_test(special_values_are_those_of_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
