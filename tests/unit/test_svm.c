/* kernel/svm.h: every row is libsvm's formula, and those of AVX2 and AVX-512 have the same bits, for
 * one row as for many. Expected values: the formula in long double, computed here. */
#include "base/cpu.h"
#include "check.h"
#include "kernel/svm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 37, MOST_VECTORS = 101, MOST_FEATURES = 67, MOST_CLASSES = 21 };

typedef struct made {
    uc_svm svm;
    double *vectors, *x;
    _Alignas(64) double panels[(MOST_VECTORS + 7) * MOST_FEATURES];
    double weights[MOST_CLASSES * MOST_VECTORS];
    double packed[MOST_CLASSES * (MOST_VECTORS + 8 * MOST_CLASSES)];
    double intercept[MOST_CLASSES * MOST_CLASSES];
    int64_t starts[MOST_CLASSES + 1];
} made;

static uint64_t state;
static double next_random(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(state >> 11) / 9007199254740992.0 * 2 - 1;
}

static made *make(uc_svm_kind kind, int64_t vectors, int64_t features, int64_t classes)
{
    made *m = aligned_alloc(64, (sizeof *m + 63) / 64 * 64);
    assert_non_null(m);
    memset(m, 0, sizeof *m);
    m->vectors = calloc((size_t)(vectors * features), sizeof(double));
    m->x = calloc((size_t)(ROWS * features), sizeof(double));
    assert_non_null(m->vectors);
    assert_non_null(m->x);
    for (int64_t i = 0; i < vectors * features; i++)
        m->vectors[i] = next_random();
    for (int64_t i = 0; i < ROWS * features; i++)
        m->x[i] = next_random();
    uc_svm *s = &m->svm;
    *s = (uc_svm){.kind = kind, .degree = 3, .gamma = 0.3, .coef0 = 0.2, .vectors = vectors};
    s->padded = (vectors + 7) / 8 * 8;
    s->features = features;
    s->classes = classes;
    s->sums = classes > 2 ? classes - 1 : 1;
    if (kind != UC_SVM_PRECOMPUTED) uc_svm_pack(m->vectors, vectors, features, m->panels);
    for (int64_t i = 0; i < vectors * s->sums; i++)
        m->weights[i] = next_random();
    for (int64_t i = 0; i < classes * (classes - 1) / 2 + 1; i++)
        m->intercept[i] = next_random();
    for (int64_t i = 0; i <= classes; i++)
        m->starts[i] = i * vectors / classes;
    s->panels = m->panels;
    s->intercept = m->intercept;
    s->starts = m->starts;
    CHECK(uc_svm_weights(s) <= (int64_t)(sizeof m->packed / sizeof *m->packed));
    uc_svm_pack_weights(s, m->weights, m->packed);
    s->weights = m->packed;
    return m;
}

static void drop(made *m)
{
    free(m->vectors);
    free(m->x);
    free(m);
}

static int64_t pairs_of(const made *m)
{
    return m->svm.sums == 1 ? 1 : m->svm.classes * (m->svm.classes - 1) / 2;
}

static double *run(const made *m, uc_svm_fn fn)
{
    int64_t pairs = pairs_of(m);
    double *out = calloc((size_t)(ROWS * pairs), sizeof(double));
    double *scratch = aligned_alloc(64, (size_t)(uc_svm_scratch(&m->svm) + 8) / 8 * 64);
    assert_non_null(out);
    assert_non_null(scratch);
    for (int64_t r = 0; r < ROWS; r += UC_SVM_BLOCK) {
        int64_t n = ROWS - r < UC_SVM_BLOCK ? ROWS - r : UC_SVM_BLOCK;
        fn(&m->svm, m->x + r * m->svm.features, n, scratch, out + r * pairs);
    }
    free(scratch);
    return out;
}

static long double kernel_value(const made *m, const double *x, int64_t i)
{
    const uc_svm *s = &m->svm;
    long double dot = 0, square = 0, gamma = (long double)s->gamma, coef0 = (long double)s->coef0;
    if (s->kind == UC_SVM_PRECOMPUTED) return (long double)x[i];
    for (int64_t f = 0; f < s->features; f++) {
        long double v = (long double)m->vectors[i * s->features + f], at = (long double)x[f];
        dot += v * at;
        square += (v - at) * (v - at);
    }
    if (s->kind == UC_SVM_LINEAR) return dot;
    if (s->kind == UC_SVM_RBF) return expl(-gamma * square);
    if (s->kind == UC_SVM_POLY) return powl(gamma * dot + coef0, (long double)s->degree);
    return tanhl(gamma * dot + coef0);
}

static long double expected(const made *m, int64_t row, int64_t a, int64_t b, int64_t pair)
{
    const uc_svm *s = &m->svm;
    const double *x = m->x + row * s->features;
    long double sum = (long double)s->intercept[pair];
    if (s->sums == 1) {
        for (int64_t i = 0; i < s->vectors; i++)
            sum += (long double)m->weights[i] * kernel_value(m, x, i);
        return sum;
    }
    for (int64_t i = s->starts[a]; i < s->starts[a + 1]; i++) {
        sum += (long double)m->weights[(b - 1) * s->vectors + i] * kernel_value(m, x, i);
    }
    for (int64_t i = s->starts[b]; i < s->starts[b + 1]; i++) {
        sum += (long double)m->weights[a * s->vectors + i] * kernel_value(m, x, i);
    }
    return sum;
}

/* NULL where the machine or the build lacks it. */
static uc_svm_fn fast_row(int i)
{
#if defined(__x86_64__)
    static const struct {
        unsigned needs;
        uc_svm_fn fn;
    } rows[] = {{UC_CPU_AVX2, uc_svm_avx2}, {UC_CPU_AVX512, uc_svm_avx512}};
    return uc_cpu_features() & rows[i].needs ? rows[i].fn : NULL;
#else
    (void)i;
    return NULL;
#endif
}

static void check_formula(const made *m, const double *got)
{
    int64_t pairs = pairs_of(m), classes = m->svm.classes > 1 ? m->svm.classes : 2;
    for (int64_t r = 0; r < ROWS; r++) {
        int64_t pair = 0;
        for (int64_t a = 0; a < classes; a++) {
            for (int64_t b = a + 1; b < classes && pair < pairs; b++, pair++) {
                double want = (double)expected(m, r, a, b, pair), value = got[r * pairs + pair];
                if (!(fabs(value - want) <= 1e-13 * (1 + fabs(want)))) {
                    fail_msg("kind %d, row %d, pair %d: %.17g, expected %.17g", (int)m->svm.kind,
                             (int)r, (int)pair, value, want);
                }
            }
        }
    }
}

/* Rows one by one give the bits of rows in blocks. */
static void check_single_rows(const made *m, uc_svm_fn fn, const double *blocks)
{
    int64_t pairs = pairs_of(m);
    double *scratch = aligned_alloc(64, (size_t)(uc_svm_scratch(&m->svm) + 8) / 8 * 64);
    double one[MOST_CLASSES * MOST_CLASSES];
    assert_non_null(scratch);
    for (int64_t r = 0; r < ROWS; r++) {
        fn(&m->svm, m->x + r * m->svm.features, 1, scratch, one);
        CHECK_BYTES(one, blocks + r * pairs, (size_t)pairs * sizeof(double));
    }
    free(scratch);
}

static void check_one(uc_svm_kind kind, int64_t vectors, int64_t features, int64_t classes)
{
    if (kind == UC_SVM_PRECOMPUTED) features = vectors;
    made *m = make(kind, vectors, features, classes);
    double *first = NULL;
    for (int i = 0; i < 3; i++) {
        uc_svm_fn fn = i < 2 ? fast_row(i) : uc_svm_scalar;
        if (!fn) continue;
        double *got = run(m, fn);
        check_formula(m, got);
        check_single_rows(m, fn, got);
        if (first && i < 2) CHECK_BYTES(got, first, (size_t)(ROWS * pairs_of(m)) * sizeof *got);
        if (first) {
            free(got);
        } else {
            first = got;
        }
    }
    free(first);
    drop(m);
}

static void every_kernel_is_libsvms_formula_and_fast_rows_have_the_same_bits(void **unused)
{
    static const int64_t shapes[][3] = {/* vectors, features, classes */
                                        {1, 1, 2},    {7, 3, 1},     {8, 5, 3},   {33, 64, 2},
                                        {40, 17, 10}, {101, 67, 21}, {100, 8, 9}, {64, 4, 1}};
    (void)unused;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int kind = UC_SVM_LINEAR; kind <= UC_SVM_PRECOMPUTED; kind++) {
            if (kind == UC_SVM_PRECOMPUTED && shapes[i][0] > MOST_FEATURES) continue;
            check_one((uc_svm_kind)kind, shapes[i][0], shapes[i][1], shapes[i][2]);
        }
    }
}

/* Vectors of whole numbers; some rows are too, some hold a fraction, a large value or NaN. */
static void fill_with_whole_numbers(made *m, int32_t most)
{
    for (int64_t i = 0; i < m->svm.vectors * m->svm.features; i++)
        m->vectors[i] = floor(next_random() * 255);
    for (int64_t i = 0; i < ROWS * m->svm.features; i++)
        m->x[i] = floor(next_random() * 255);
    m->x[2 * m->svm.features] = 0.5;
    m->x[5 * m->svm.features] = (double)most + 1;
    m->x[7 * m->svm.features] = (double)NAN;
    m->x[9 * m->svm.features] = most;
    uc_svm_pack(m->vectors, m->svm.vectors, m->svm.features, m->panels);
}

static void check_whole_numbers(uc_svm_kind kind, int64_t vectors, int64_t features)
{
    made *m = make(kind, vectors, features, 3);
    bool squared = kind == UC_SVM_RBF;
    fill_with_whole_numbers(m, 1000);
    int32_t most = uc_svm_integer_most(m->vectors, vectors, features, squared);
    CHECK(most >= 255);
    int64_t packed = uc_svm_integer_packed(vectors, features);
    int16_t *panels = calloc((size_t)packed, sizeof *panels);
    int32_t *norms = calloc((size_t)vectors + UC_SVM_INTEGER_LANES, sizeof *norms);
    assert_non_null(panels);
    assert_non_null(norms);
    uc_svm_integer_pack(m->vectors, vectors, features, panels, squared ? norms : NULL);
    const uc_svm_integers integers = {.features = features,
                                      .blocks = (vectors + 15) / 16,
                                      .panels = panels,
                                      .norms = squared ? norms : NULL,
                                      .most = most};
    for (int i = 0; i < 3; i++) {
        uc_svm_fn fn = i < 2 ? fast_row(i) : uc_svm_scalar;
        if (!fn) continue;
        m->svm.integers = NULL;
        double *want = run(m, fn);
        m->svm.integers = &integers;
        double *got = run(m, fn);
        CHECK_BYTES(got, want, (size_t)(ROWS * pairs_of(m)) * sizeof *got);
        check_single_rows(m, fn, got);
        free(want);
        free(got);
    }
    free(panels);
    free(norms);
    drop(m);
}

static void whole_numbers_give_the_bits_of_float64(void **unused)
{
    static const int64_t shapes[][2] = {{3, 1}, {16, 2}, {17, 7}, {101, 64}, {70, 67}};
    (void)unused;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int kind = UC_SVM_LINEAR; kind <= UC_SVM_SIGMOID; kind++)
            check_whole_numbers((uc_svm_kind)kind, shapes[i][0], shapes[i][1]);
    }
}

static void what_is_no_small_whole_number_stays_float64(void **unused)
{
    (void)unused;
    const double fraction[] = {1, 2.5}, large[] = {32768, 0}, nan[] = {(double)NAN, 1},
                 pixels[] = {255, 0};
    CHECK_INT(uc_svm_integer_most(fraction, 1, 2, true), 0);
    CHECK_INT(uc_svm_integer_most(large, 1, 2, true), 0);
    CHECK_INT(uc_svm_integer_most(nan, 1, 2, true), 0);
    /* (255 + m)^2 * 2 < 2^31 and 255 * m * 2 < 2^31 */
    CHECK_INT(uc_svm_integer_most(pixels, 1, 2, true), 32767 - 255);
    CHECK_INT(uc_svm_integer_most(pixels, 1, 2, false), 32767);
}

/* One vector at 0, one feature: the decision is exp(-gamma x^2). */
static double rbf_at(uc_svm_fn fn, double x)
{
    _Alignas(64) double panel[8] = {0}, scratch[UC_SVM_BLOCK * 16];
    const double weight[8] = {1}, intercept = 0;
    const int64_t starts[2] = {0, 1};
    uc_svm s = {.kind = UC_SVM_RBF, .gamma = 1, .vectors = 1, .padded = 8, .features = 1};
    s.classes = s.sums = 1;
    s.panels = panel;
    s.weights = weight;
    s.intercept = &intercept;
    s.starts = starts;
    double y = 0;
    fn(&s, &x, 1, scratch, &y);
    return y;
}

static void exp_is_within_one_unit_in_the_last_place(void **unused)
{
    (void)unused;
    for (int row = 0; row < 3; row++) {
        uc_svm_fn fn = row < 2 ? fast_row(row) : uc_svm_scalar;
        for (int i = 0; fn && i < 200000; i++) {
            double x = i * 0.000133, a = -(x * x);
            double got = rbf_at(fn, x), want = (double)expl((long double)a);
            double unit = nextafter(want, HUGE_VAL) - want;
            if (fabs(got - want) > unit) {
                fail_msg("exp(%.17g) = %.17g, expected %.17g", a, got, want);
            }
        }
    }
}

static void exp_ends_at_zero_and_keeps_nan(void **unused)
{
    (void)unused;
    for (int row = 0; row < 3; row++) {
        uc_svm_fn fn = row < 2 ? fast_row(row) : uc_svm_scalar;
        if (!fn) continue;
        assert_true(rbf_at(fn, 1e200) == 0);
        assert_true(rbf_at(fn, HUGE_VAL) == 0);
        assert_true(isnan(rbf_at(fn, (double)NAN)));
        assert_true(rbf_at(fn, 0) == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_is_libsvms_formula_and_fast_rows_have_the_same_bits),
        cmocka_unit_test(whole_numbers_give_the_bits_of_float64),
        cmocka_unit_test(what_is_no_small_whole_number_stays_float64),
        cmocka_unit_test(exp_is_within_one_unit_in_the_last_place),
        cmocka_unit_test(exp_ends_at_zero_and_keeps_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
