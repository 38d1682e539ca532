/* The operators of preprocessing, imputation and text. Expected values by scikit-learn 1.9.1, SciPy
 * 1.17 and CPython 3.13. */
#include "check.h"
#include "plan/plan.h"

#include <math.h>
#include <string.h>

#define NOT_A_NUMBER ((double)NAN)

/* ---- a graph of one operator ------------------------------------------------------------------ */

typedef struct world {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_graph *g;
    uc_runner *runner;
    uc_tensor fed[4];
    uc_ref in[4];
    size_t fed_count;
    uncork_status status;
} world;

static void begin(world *w)
{
    const uncork_limits limits = {.size = sizeof limits};
    *w = (world){0};
    uc_budget_init(&w->budget, &limits, 0);
    uc_error_init(&w->error);
    w->arena = uc_arena_new(NULL);
    w->g = uc_graph_new(w->arena, &w->budget, &w->error);
}

static void end(world *w)
{
    uc_runner_free(w->runner);
    uc_arena_free(w->arena);
}

/* A fed input; its rows are open. */
static uc_ref feed(world *w, const uc_tensor *t)
{
    static const char *const names[] = {"x0", "x1", "x2", "x3"};
    int64_t shape[2] = {-1, t->rank == 2 ? t->shape[1] : 0};
    assert_non_null(t);
    w->fed[w->fed_count] = *t;
    return uc_graph_input(w->g, names[w->fed_count++], t->dtype, t->rank, shape);
}

static uc_tensor *numbers(world *w, const double *data, int64_t rows, int64_t columns)
{
    const int64_t shape[] = {rows, columns};
    uc_tensor *t = uc_tensor_new(w->arena, UNCORK_FLOAT64, columns ? 2 : 1, shape);
    if (t) memcpy(t->data, data, (size_t)(rows * (columns ? columns : 1)) * sizeof *data);
    return t;
}

static uc_tensor *wholes(world *w, const int64_t *data, int64_t rows, int64_t columns)
{
    const int64_t shape[] = {rows, columns};
    uc_tensor *t = uc_tensor_new(w->arena, UNCORK_INT64, columns ? 2 : 1, shape);
    if (t) memcpy(t->data, data, (size_t)(rows * (columns ? columns : 1)) * sizeof *data);
    return t;
}

static uc_tensor *masks(world *w, const char *bits, int64_t rows, int64_t columns)
{
    const int64_t shape[] = {rows, columns};
    uc_tensor *t = uc_tensor_new(w->arena, UNCORK_BOOL, 2, shape);
    for (int64_t i = 0; t && i < rows * columns; i++)
        ((uint8_t *)t->data)[i] = bits[i] == '1';
    return t;
}

static uc_tensor *texts(world *w, const char *const *data, int64_t rows, int64_t columns)
{
    const int64_t shape[] = {rows, columns};
    uc_str items[32];
    for (int64_t i = 0; i < rows * (columns ? columns : 1); i++)
        items[i] = uc_str_of(data[i]);
    return uc_tensor_strings(w->arena, items, columns ? 2 : 1, shape);
}

static uc_ref held(world *w, const uc_tensor *t)
{
    assert_non_null(t);
    return uc_graph_const(w->g, t);
}

/* Runs the graph for one output; NULL when it fails, with w->status. */
static const uc_tensor *run(world *w, uc_ref y)
{
    uc_program *program = NULL;
    uc_value values[4];
    const uc_value *inputs[4];
    for (size_t i = 0; i < w->fed_count; i++) {
        values[i] = (uc_value){.kind = UC_TENSOR, .tensor = w->fed[i]};
        inputs[i] = &values[i];
    }
    uc_graph_output(w->g, "y", y);
    w->status = uc_graph_finish(w->g);
    if (w->status == UNCORK_OK) {
        w->status = uc_program_new(w->g, w->arena, &w->budget, &program, &w->error);
    }
    if (w->status == UNCORK_OK) w->status = uc_runner_new(program, NULL, &w->runner);
    if (w->status == UNCORK_OK) {
        w->status = uc_runner_run(w->runner, inputs, w->fed_count, &w->budget, &w->error);
    }
    return w->status == UNCORK_OK ? &uc_runner_output(w->runner, 0)->tensor : NULL;
}

static void check(world *w, uc_ref y, const double *want, int64_t count, double rtol)
{
    const uc_tensor *t = run(w, y);
    CHECK_OK(w->status, &w->error);
    CHECK_INT(uc_tensor_count(t), count);
    for (int64_t i = 0; i < count; i++) {
        double got = uc_dtype_load_f64(t->data, i, t->dtype);
        bool same = got == want[i] || (isnan(got) && isnan(want[i]));
        if (!same && !(fabs(got - want[i]) <= rtol * fabs(want[i]))) {
            fail_msg("value %d: %.17g, expected %.17g", (int)i, got, want[i]);
        }
    }
}

static void check_refused(world *w, uc_ref y, uncork_status status, const char *message)
{
    (void)run(w, y);
    CHECK_INT(w->status, status);
    CHECK_STR(w->error.what, message);
}

/* ---- categories --------------------------------------------------------------------------------- */

static uc_node *category_index(world *w, const uc_tensor *x, const uc_tensor *categories,
                               const int64_t *starts, int64_t columns)
{
    const uc_ref in[] = {feed(w, x), held(w, categories),
                         held(w, wholes(w, starts, columns + 1, 0))};
    return uc_graph_node(w->g, "uncork.CategoryIndex", in, 3, 1);
}

static void cells_find_the_slots_of_their_categories(void **state)
{
    (void)state;
    static const char *const cells[] = {"b", "x", "zzz", "y", "a", "y"};
    static const char *const categories[] = {"b", "a", "x", "y"};
    static const int64_t starts[] = {0, 2, 4};
    static const double want[] = {11, 14, 10, 15, 12, 15};
    world w;
    begin(&w);
    uc_node *n = category_index(&w, texts(&w, cells, 3, 2), texts(&w, categories, 4, 0), starts, 2);
    uc_node_str(w.g, n, "unknown", "slot");
    uc_node_int(w.g, n, "offset", 10);
    check(&w, uc_node_out(n, 0), want, 6, 0);
    end(&w);
}

static void numbers_are_found_by_value_and_nan_equals_nan(void **state)
{
    (void)state;
    static const double cells[] = {3, NOT_A_NUMBER, -0.0, 7, 1.5},
                        categories[] = {3, 0, NOT_A_NUMBER, 1.5};
    static const int64_t starts[] = {0, 4};
    static const double want[] = {1, 3, 2, 0, 4};
    world w;
    begin(&w);
    uc_node *n =
        category_index(&w, numbers(&w, cells, 5, 0), numbers(&w, categories, 4, 0), starts, 1);
    uc_node_str(w.g, n, "unknown", "slot");
    check(&w, uc_node_out(n, 0), want, 5, 0);
    end(&w);
}

static void an_unknown_category_is_named_with_its_row_and_column(void **state)
{
    (void)state;
    static const char *const cells[] = {"a", "x", "a", "w"}, *const categories[] = {"a", "x"};
    static const int64_t starts[] = {0, 1, 2};
    static const uc_str names[] = {{"size", 4}, {"colour", 6}};
    world w;
    begin(&w);
    uc_node *n = category_index(&w, texts(&w, cells, 2, 2), texts(&w, categories, 2, 0), starts, 2);
    uc_node_strs(w.g, n, "names", names, 2);
    check_refused(&w, uc_node_out(n, 0), UNCORK_INPUT,
                  "CategoryIndex: row 1, column 'colour': 'w' is no category the model knows");
    end(&w);
}

static void old_encoders_take_unseen_numbers_below_their_limit(void **state)
{
    (void)state;
    static const int64_t cells[] = {0, 1, 2}, categories[] = {0, 2}, starts[] = {0, 2}, limit = 3;
    static const int64_t beyond[] = {3}, negative[] = {-1};
    static const double want[] = {1, 0, 2};
    for (int i = 0; i < 3; i++) {
        world w;
        begin(&w);
        const uc_ref in[] = {feed(&w, i == 0   ? wholes(&w, cells, 3, 0)
                                      : i == 1 ? wholes(&w, beyond, 1, 0)
                                               : wholes(&w, negative, 1, 0)),
                             held(&w, wholes(&w, categories, 2, 0)),
                             held(&w, wholes(&w, starts, 2, 0)),
                             held(&w, wholes(&w, &limit, 1, 0))};
        uc_node *n = uc_graph_node(w.g, "uncork.CategoryIndex", in, 4, 1);
        uc_node_str(w.g, n, "unknown", i == 2 ? "slot" : "error");
        if (i == 0) {
            check(&w, uc_node_out(n, 0), want, 3, 0);
        } else {
            check_refused(&w, uc_node_out(n, 0), UNCORK_INPUT,
                          i == 1
                              ? "CategoryIndex: row 0, column 0: '3' is no category the model knows"
                              : "CategoryIndex: row 0, column 0: '-1' is no category the model "
                                "knows");
        }
        end(&w);
    }
}

static void slots_become_ones_where_they_point(void **state)
{
    (void)state;
    static const int64_t slots[] = {0, 3, 2, 4, 1, 3}, targets[] = {-1, 0, 1, 2, -1};
    static const double want[] = {-1, -1, 3, -1, 3, -1, 3, -1, 3};
    world w;
    begin(&w);
    const uc_ref in[] = {feed(&w, wholes(&w, slots, 3, 2)), held(&w, wholes(&w, targets, 5, 0))};
    uc_node *n = uc_graph_node(w.g, "uncork.CategoryOneHot", in, 2, 1);
    uc_node_int(w.g, n, "width", 3);
    uc_node_int(w.g, n, "dtype", UNCORK_INT64);
    uc_node_float(w.g, n, "on", 3);
    uc_node_float(w.g, n, "off", -1);
    check(&w, uc_node_out(n, 0), want, 9, 0);
    end(&w);
}

/* ---- transforms of numbers ---------------------------------------------------------------------- */

static void normal_quantiles_are_scipys_ndtri(void **state)
{
    (void)state;
    static const double p[] = {1e-300,
                               1e-20,
                               1e-10,
                               1.1102230246251565e-16,
                               9.999999977795539e-08,
                               0.001,
                               0.02425,
                               0.075,
                               0.0750001,
                               0.3,
                               0.5,
                               0.500001,
                               0.7,
                               0.925,
                               0.99,
                               0.9999999,
                               0.999999999999999,
                               0,
                               1,
                               -0.1,
                               1.1,
                               NOT_A_NUMBER};
    static const double want[] = {-37.0470962993612,
                                  -9.262340089798409,
                                  -6.361340902404056,
                                  -8.209536151601387,
                                  -5.199337582605575,
                                  -3.090232306167813,
                                  -1.972961051311885,
                                  -1.4395314709384563,
                                  -1.4395307645017301,
                                  -0.5244005127080409,
                                  0.0,
                                  2.5066282747057052e-06,
                                  0.5244005127080407,
                                  1.4395314709384563,
                                  2.3263478740408408,
                                  5.199337582290661,
                                  7.941444487415979,
                                  -HUGE_VAL,
                                  HUGE_VAL,
                                  NOT_A_NUMBER,
                                  NOT_A_NUMBER,
                                  NOT_A_NUMBER};
    world w;
    begin(&w);
    uc_ref x = feed(&w, numbers(&w, p, 22, 0));
    check(&w, uc_g1(w.g, "uncork.NormalQuantile", x), want, 22, 1e-12);
    end(&w);
}

static uc_ref power(world *w, const double *x, int64_t rows, const double *lambdas, int64_t columns,
                    const char *method)
{
    const uc_ref in[] = {feed(w, numbers(w, x, rows, columns)),
                         held(w, numbers(w, lambdas, columns, 0))};
    uc_node *n = uc_graph_node(w->g, "uncork.PowerTransform", in, 2, 1);
    uc_node_str(w->g, n, "method", method);
    return uc_node_out(n, 0);
}

static void powers_are_scipys(void **state)
{
    (void)state;
    static const double positive[] = {.1, .1, .1, 1, 1, 1, 7.5, 7.5, 7.5};
    static const double lambdas[] = {0, .5, -1.3};
    static const double box_cox[] = {
        -2.3025850929940455, -1.367544467966324, -14.578940884375998, 0, 0, 0,
        2.0149030205422647,  3.477225575051661,  0.7131934945947527};
    static const double any[] = {-2, -2, -2, -2, -.1, -.1, -.1, -.1, 0,   0,
                                 0,  0,  1,  1,  1,   1,   7.5, 7.5, 7.5, 7.5};
    static const double four[] = {0, .5, 2, -1.3};
    static const double yeo_johnson[] = {-4.000000000000001,
                                         -2.797434948471088,
                                         -1.0986122886681098,
                                         -11.0728810904635,
                                         -0.10500000000000001,
                                         -0.10245982199144447,
                                         -0.09531017980432487,
                                         -0.11200201993620532,
                                         0,
                                         0,
                                         0,
                                         0,
                                         0.6931471805599453,
                                         0.8284271247461901,
                                         1.5,
                                         0.45682600140144786,
                                         2.1400661634962708,
                                         3.8309518948453003,
                                         35.625,
                                         0.7216082852634156};
    static const char *const names[] = {"box-cox", "yeo-johnson", "yeo-johnson-log"};
    for (int i = 0; i < 3; i++) {
        world w;
        begin(&w);
        uc_ref y =
            i ? power(&w, any, 5, four, 4, names[i]) : power(&w, positive, 3, lambdas, 3, names[i]);
        check(&w, y, i ? yeo_johnson : box_cox, i ? 20 : 9, 1e-13);
        end(&w);
    }
}

static void box_cox_of_zero_is_refused(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 3, 0}, lambdas[] = {1, 1};
    world w;
    begin(&w);
    check_refused(&w, power(&w, x, 2, lambdas, 2, "box-cox"), UNCORK_INPUT,
                  "PowerTransform: row 1, column 1 is 0, Box-Cox takes positive numbers");
    end(&w);
}

static uc_ref splines(world *w, const double *x, int64_t rows, const double *knots,
                      const double *coefs, int64_t count, const char *extrapolation)
{
    const uc_ref in[] = {feed(w, numbers(w, x, rows, 1)), held(w, numbers(w, knots, 1, 10)),
                         held(w, numbers(w, coefs, 6, count))};
    uc_node *n = uc_graph_node(w->g, "uncork.SplineBasis", in, 3, 1);
    uc_node_int(w->g, n, "degree", 3);
    uc_node_str(w->g, n, "extrapolation", extrapolation);
    return uc_node_out(n, 0);
}

static const double uniform_knots[] = {
    -5.0, -3.3333333333333335, -1.6666666666666667, 0.0, 1.6666666666666667, 3.3333333333333335,
    5.0,  6.666666666666666,   8.333333333333332,   10.0};
static const double six[36] = {[0] = 1, [7] = 1, [14] = 1, [21] = 1, [28] = 1, [35] = 1};

static void splines_go_on_outside_as_asked(void **state)
{
    (void)state;
    static const double x[] = {-1, 0, 2.3, 5, 6.5};
    static const struct {
        const char *extrapolation;
        double first[6], last[6];
    } cases[] = {
        {"constant",
         {0.16666666666666669, 0.6666666666666667, 0.16666666666666669, 0, 0, 0},
         {0, 0, 0, 0.1666666666666666, 0.6666666666666665, 0.1666666666666667}},
        {"linear",
         {0.4666666666666667, 0.6666666666666667, -0.1333333333333333, 0, 0, 0},
         {0, 0, 0, -0.2833333333333333, 0.6666666666666663, 0.6166666666666669}},
        {"continue",
         {0.6826666666666668, 0.19866666666666666, 0.15466666666666662, -0.036, 0, 0},
         {0, 0, -0.12150000000000005, 0.48616666666666697, -0.507833333333334, 1.1431666666666673}},
    };
    static const double middle[18] = {0.16666666666666669,
                                      0.6666666666666667,
                                      0.16666666666666669,
                                      0,
                                      0,
                                      0,
                                      0,
                                      0.03972133333333337,
                                      0.5497026666666668,
                                      0.4014306666666666,
                                      0.009145333333333325,
                                      0,
                                      0,
                                      0,
                                      0,
                                      0.1666666666666666,
                                      0.6666666666666665,
                                      0.1666666666666667};
    for (size_t i = 0; i < 3; i++) {
        double want[30];
        memcpy(want, cases[i].first, sizeof cases[i].first);
        memcpy(want + 6, middle, sizeof middle);
        memcpy(want + 24, cases[i].last, sizeof cases[i].last);
        world w;
        begin(&w);
        check(&w, splines(&w, x, 5, uniform_knots, six, 6, cases[i].extrapolation), want, 30,
              1e-12);
        end(&w);
    }
}

static void periodic_splines_wrap_around(void **state)
{
    (void)state;
    static const double x[] = {-1, 2.3, 6.5};
    static const double coefs[18] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1};
    static const double want[] = {0.5386666666666667,  0.4146666666666666, 0.04666666666666667,
                                  0.4014306666666666,  0.0488666666666667, 0.5497026666666668,
                                  0.12166666666666665, 0.2211666666666667, 0.6571666666666667};
    world w;
    begin(&w);
    check(&w, splines(&w, x, 3, uniform_knots, coefs, 3, "periodic"), want, 9, 1e-12);
    end(&w);
}

static void values_beyond_the_knots_are_refused_when_asked(void **state)
{
    (void)state;
    static const double x[] = {1, 5.5};
    world w;
    begin(&w);
    check_refused(&w, splines(&w, x, 2, uniform_knots, six, 6, "error"), UNCORK_INPUT,
                  "SplineBasis: row 1, column 0 is 5.5, the knots reach 0 to 5");
    end(&w);
}

static void bins_are_counted_by_edges_not_above(void **state)
{
    (void)state;
    static const double x[] = {0.999999995, -5, 1, 3, 2.5, 99}, edges[] = {1, 2, 3};
    static const int64_t starts[] = {0, 2, 3};
    static const double plain[] = {0, 0, 1, 1, 2, 1}, nudged[] = {1, 0, 1, 1, 2, 1};
    for (int i = 0; i < 2; i++) {
        world w;
        begin(&w);
        const uc_ref in[] = {feed(&w, numbers(&w, x, 3, 2)), held(&w, numbers(&w, edges, 3, 0)),
                             held(&w, wholes(&w, starts, 3, 0))};
        uc_node *n = uc_graph_node(w.g, "uncork.Digitize", in, 3, 1);
        uc_node_int(w.g, n, "nudged", i);
        check(&w, uc_node_out(n, 0), i ? nudged : plain, 6, 0);
        end(&w);
    }
}

static void products_of_no_factor_are_one(void **state)
{
    (void)state;
    static const double x[] = {2, 3, 5, -1, 0.5, 4}, want[] = {1, 2, 9, 30, 1, -1, 0.25, -2};
    static const int64_t starts[] = {0, 0, 1, 3, 6}, factors[] = {0, 1, 1, 0, 1, 2};
    world w;
    begin(&w);
    const uc_ref in[] = {feed(&w, numbers(&w, x, 2, 3)), held(&w, wholes(&w, starts, 5, 0)),
                         held(&w, wholes(&w, factors, 6, 0))};
    check(&w, uc_node_out(uc_graph_node(w.g, "uncork.Products", in, 3, 1), 0), want, 8, 0);
    end(&w);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    static const double x[] = {1, NOT_A_NUMBER, 2.5};
    world w;
    begin(&w);
    uc_ref in = feed(&w, numbers(&w, x, 3, 0));
    uc_node *n = uc_graph_node(w.g, "uncork.InRange", &in, 1, 1);
    uc_node_float(w.g, n, "low", 0);
    uc_node_float(w.g, n, "high", 2);
    check_refused(&w, uc_node_out(n, 0), UNCORK_INPUT,
                  "InRange: value 2 is 2.5, the model knows 0 to 2");
    end(&w);
}

/* ---- missing cells and columns -------------------------------------------------------------------- */

static void missing_cells_come_from_the_nearest_donors(void **state)
{
    (void)state;
    static const double fit[] = {1, 2, 0, 3, 4, 3, 0, 6, 5, 8, 8, 7, 0, 0, 9};
    static const double x[] = {0, 3, 4, 1, 0, 0, 0, 0, 9};
    static const char *const fit_mask = "001000100000110", *const mask = "100011110";
    static const struct {
        const char *weights;
        double want[9];
    } cases[] = {
        {"uniform", {2, 3, 4, 1, 3, 5, 5.5, 7, 9}},
        {"distance", {2, 3, 4, 1, 2, 3.8888888888888893, 6.75, 7.333333333333333, 9}},
    };
    for (int i = 0; i < 2; i++) {
        world w;
        begin(&w);
        const uc_ref in[] = {feed(&w, numbers(&w, x, 3, 3)), feed(&w, masks(&w, mask, 3, 3)),
                             held(&w, numbers(&w, fit, 5, 3)), held(&w, masks(&w, fit_mask, 5, 3))};
        uc_node *n = uc_graph_node(w.g, "uncork.KnnImpute", in, 4, 1);
        uc_node_int(w.g, n, "n_neighbors", 2);
        uc_node_str(w.g, n, "weights", cases[i].weights);
        uc_node_int(w.g, n, "skip_far", 1);
        check(&w, uc_node_out(n, 0), cases[i].want, 9, 1e-13);
        end(&w);
    }
}

static void rows_have_their_own_statistic(void **state)
{
    (void)state;
    static const double x[] = {1, 9, 5, 5, 4, 4, 2, 9};
    static const struct {
        const char *kind;
        double want[2];
    } cases[] = {{"mean", {11.0 / 3, 10.0 / 3}}, {"median", {5, 4}}, {"most_frequent", {5, 4}}};
    for (int i = 0; i < 3; i++) {
        world w;
        begin(&w);
        const uc_ref in[] = {feed(&w, numbers(&w, x, 2, 4)), feed(&w, masks(&w, "01000001", 2, 4))};
        uc_node *n = uc_graph_node(w.g, "uncork.RowStatistic", in, 2, 1);
        uc_node_str(w.g, n, "kind", cases[i].kind);
        check(&w, uc_node_out(n, 0), cases[i].want, 2, 1e-15);
        end(&w);
    }
}

static void columns_that_were_never_missing_are_refused(void **state)
{
    (void)state;
    static const int64_t columns[] = {2, 0};
    static const double want[] = {1, 0, 0, 1};
    for (int i = 0; i < 2; i++) {
        world w;
        begin(&w);
        const uc_ref in[] = {feed(&w, masks(&w, i ? "001110" : "001100", 2, 3)),
                             held(&w, wholes(&w, columns, 2, 0))};
        uc_node *n = uc_graph_node(w.g, "uncork.IndicatorColumns", in, 2, 1);
        uc_node_int(w.g, n, "strict", 1);
        if (i == 0) {
            check(&w, uc_node_out(n, 0), want, 4, 0);
        } else {
            check_refused(&w, uc_node_out(n, 0), UNCORK_INPUT,
                          "IndicatorColumns: row 1, column 1 is missing; it never was where the "
                          "model was trained");
        }
        end(&w);
    }
}

static void other_columns_pass(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 3, 4, 5, 6, 7, 8}, want[] = {1, 3, 5, 7};
    static const int64_t columns[] = {3, 1, 1};
    world w;
    begin(&w);
    const uc_ref in[] = {feed(&w, numbers(&w, x, 2, 4)), held(&w, wholes(&w, columns, 3, 0))};
    check(&w, uc_node_out(uc_graph_node(w.g, "uncork.OtherColumns", in, 2, 1), 0), want, 4, 0);
    end(&w);
}

/* ---- text ------------------------------------------------------------------------------------------ */

static uc_node *count_terms(world *w, const char *const *documents, int64_t count,
                            const char *const *vocabulary, int64_t terms)
{
    const uc_ref in[] = {feed(w, texts(w, documents, count, 0)),
                         held(w, texts(w, vocabulary, terms, 0))};
    return uc_graph_node(w->g, "uncork.TextCounts", in, 2, 1);
}

static void terms_are_counted_as_countvectorizer_does(void **state)
{
    (void)state;
    static const char *const documents[] = {"The cat, the CAT's hat", "", "a b the   hat"};
    static const char *const words[] = {"cat", "the cat", "hat", "cat hat"};
    static const double counts[] = {2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0};
    static const char *const grams[] = {" t", "at", "he", "t ", "hat"};
    static const double bounded[] = {2, 3, 2, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
    world w;
    begin(&w);
    uc_node *n = count_terms(&w, documents, 3, words, 4);
    uc_node_int(w.g, n, "lowercase", 1);
    uc_node_int(w.g, n, "ngram_max", 2);
    uc_node_int(w.g, n, "dtype", UNCORK_INT64);
    check(&w, uc_node_out(n, 0), counts, 12, 0);
    end(&w);
    begin(&w);
    n = count_terms(&w, documents, 3, grams, 5);
    uc_node_str(w.g, n, "analyzer", "char_wb");
    uc_node_int(w.g, n, "lowercase", 1);
    uc_node_int(w.g, n, "ngram_min", 2);
    uc_node_int(w.g, n, "ngram_max", 3);
    check(&w, uc_node_out(n, 0), bounded, 15, 0);
    end(&w);
}

static void a_pattern_that_cannot_be_used_fails_before_any_run(void **state)
{
    (void)state;
    static const char *const documents[] = {"a"}, *const words[] = {"a"};
    world w;
    begin(&w);
    uc_node *n = count_terms(&w, documents, 1, words, 1);
    uc_node_str(w.g, n, "token_pattern", "(a)(b)");
    uc_graph_output(w.g, "y", uc_node_out(n, 0));
    CHECK_INT(uc_graph_finish(w.g), UNCORK_UNSUPPORTED);
    CHECK_STR(w.error.what, "TextCounts: token_pattern '(a)(b)' has more than one group");
    end(&w);
}

static void terms_hash_into_columns_with_signs(void **state)
{
    (void)state;
    static const char *const documents[] = {"alpha beta beta", "gamma"};
    static const double want[] = {0.0, 2.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0,
                                  0.0, 0.0, 0.0, 0.0,  0.0, 0.0, 1.0, 0.0};
    world w;
    begin(&w);
    uc_ref in = feed(&w, texts(&w, documents, 2, 0));
    uc_node *n = uc_graph_node(w.g, "uncork.TextHash", &in, 1, 1);
    uc_node_int(w.g, n, "n_features", 8);
    check(&w, uc_node_out(n, 0), want, 16, 0);
    end(&w);
}

static void counts_are_weighed_and_rows_normalised(void **state)
{
    (void)state;
    static const double x[] = {3, 0, 4, 0, 0, 0}, idf[] = {1, 2, 1.5};
    static const double plain[] = {0.6, 0, 0.8, 0, 0, 0};
    static const double weighed[] = {0.36960063278222016, 0.0, 0.6303993672177798, 0, 0, 0};
    world w;
    begin(&w);
    uc_ref in[2] = {feed(&w, numbers(&w, x, 2, 3))};
    uc_node *n = uc_graph_node(w.g, "uncork.Tfidf", in, 1, 1);
    uc_node_str(w.g, n, "norm", "l2");
    check(&w, uc_node_out(n, 0), plain, 6, 1e-15);
    end(&w);
    begin(&w);
    in[0] = feed(&w, numbers(&w, x, 2, 3));
    in[1] = held(&w, numbers(&w, idf, 3, 0));
    n = uc_graph_node(w.g, "uncork.Tfidf", in, 2, 1);
    uc_node_str(w.g, n, "norm", "l1");
    uc_node_int(w.g, n, "sublinear", 1);
    check(&w, uc_node_out(n, 0), weighed, 6, 1e-15);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_find_the_slots_of_their_categories),
        cmocka_unit_test(numbers_are_found_by_value_and_nan_equals_nan),
        cmocka_unit_test(an_unknown_category_is_named_with_its_row_and_column),
        cmocka_unit_test(old_encoders_take_unseen_numbers_below_their_limit),
        cmocka_unit_test(slots_become_ones_where_they_point),
        cmocka_unit_test(normal_quantiles_are_scipys_ndtri),
        cmocka_unit_test(powers_are_scipys),
        cmocka_unit_test(box_cox_of_zero_is_refused),
        cmocka_unit_test(splines_go_on_outside_as_asked),
        cmocka_unit_test(periodic_splines_wrap_around),
        cmocka_unit_test(values_beyond_the_knots_are_refused_when_asked),
        cmocka_unit_test(bins_are_counted_by_edges_not_above),
        cmocka_unit_test(products_of_no_factor_are_one),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(missing_cells_come_from_the_nearest_donors),
        cmocka_unit_test(rows_have_their_own_statistic),
        cmocka_unit_test(columns_that_were_never_missing_are_refused),
        cmocka_unit_test(other_columns_pass),
        cmocka_unit_test(terms_are_counted_as_countvectorizer_does),
        cmocka_unit_test(a_pattern_that_cannot_be_used_fails_before_any_run),
        cmocka_unit_test(terms_hash_into_columns_with_signs),
        cmocka_unit_test(counts_are_weighed_and_rows_normalised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
