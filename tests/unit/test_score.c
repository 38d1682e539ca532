/* Figures of a classifier against scikit-learn's. */
#include "check.h"
#include "contract/score.h"

#include <math.h>

typedef struct score_case {
    const uint32_t *truth, *answer;
    size_t count;
    const uc_class_score *scores; /* [classes], macro, weighted */
    size_t classes;
    const int64_t *matrix;
    double accuracy;
} score_case;

#include "score_cases.inc"

/* A sum of a few quotients: NumPy may add them in another order. */
static void near_to(double got, double want)
{
    CHECK(fabs(got - want) <= 4e-16 * (1 + fabs(want)));
}

static void check_scores(const uc_class_score *got, const uc_class_score *want)
{
    near_to(got->precision, want->precision);
    near_to(got->recall, want->recall);
    near_to(got->f1, want->f1);
    CHECK_INT(got->support, want->support);
}

static void figures_are_scikit_learns(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof score_cases / sizeof score_cases[0]; k++) {
        const score_case *c = &score_cases[k];
        uncork_error error = {.size = sizeof error};
        uc_arena *arena = uc_arena_new(NULL);
        uc_score score = {.arena = arena};
        for (size_t i = 0; i < c->count; i++) {
            CHECK_INT(uc_score_add(&score, c->truth[i], c->answer[i], i % 2), UNCORK_OK);
        }
        uc_report report;
        CHECK_OK(uc_score_report(&score, arena, &report, &error), &error);
        CHECK_INT(report.class_count, c->classes);
        CHECK_INT(report.total, c->count);
        near_to(report.accuracy, c->accuracy);
        near_to(report.top, (double)(c->count / 2) / (double)c->count);
        for (size_t i = 0; i < c->classes; i++) {
            CHECK_INT(report.classes[i].id, c->scores[i].id);
            check_scores(&report.classes[i], &c->scores[i]);
        }
        check_scores(&report.macro, &c->scores[c->classes]);
        check_scores(&report.weighted, &c->scores[c->classes + 1]);
        CHECK_BYTES(report.matrix, c->matrix, c->classes * c->classes * sizeof *c->matrix);
        uc_arena_free(arena);
    }
}

static void confusions_come_largest_first(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uc_arena *arena = uc_arena_new(NULL);
    uc_score score = {.arena = arena};
    static const uint32_t pairs[][2] = {{0, 1}, {2, 1}, {2, 1}, {1, 0}, {1, 1}, {1, 1}, {1, 1}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        CHECK_INT(uc_score_add(&score, pairs[i][0], pairs[i][1], true), UNCORK_OK);
    }
    uc_report report;
    uc_confusion found[2];
    CHECK_OK(uc_score_report(&score, arena, &report, &error), &error);
    CHECK_INT(uc_score_confusions(&report, found, 2), 2);
    CHECK_INT(found[0].truth, 2);
    CHECK_INT(found[0].count, 2);
    CHECK_INT(found[1].truth, 0);
    CHECK_INT(uc_score_confusions(&report, found, 0), 0);
    uc_arena_free(arena);
}

static void no_answer_is_no_figure(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uc_arena *arena = uc_arena_new(NULL);
    const uc_score score = {.arena = arena};
    uc_report report;
    CHECK_INT(uc_score_report(&score, arena, &report, &error), UNCORK_INPUT);
    CHECK_STR(error.what, "no input was answered");
    uc_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_scikit_learns),
        cmocka_unit_test(confusions_come_largest_first),
        cmocka_unit_test(no_answer_is_no_figure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
