/* The operators that import/sklearn asks for beside ONNX's, against NumPy, SciPy and scikit-learn:
 * expected values were computed by scikit-learn 1.5.2 (0.18.2 for kriging) on Python 3.12. */
#include "check.h"
#include "plan/plan.h"

#include <math.h>

typedef struct world {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_graph *g;
    uc_runner *runner;
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

static uc_ref matrix(world *w, const double *data, int64_t rows, int64_t columns)
{
    const int64_t shape[] = {rows, columns};
    uc_tensor *t = uc_tensor_new(w->arena, UNCORK_FLOAT64, 2, shape);
    assert_non_null(t);
    memcpy(t->data, data, (size_t)(rows * columns) * sizeof *data);
    return uc_graph_const(w->g, t);
}

static uc_ref vector(world *w, const double *data, int64_t n)
{
    return uc_graph_f64s(w->g, data, n);
}

/* The graph's input x [any, columns]. */
static uc_ref fed(world *w, int64_t columns)
{
    const int64_t shape[] = {-1, columns};
    return uc_graph_input(w->g, "x", UNCORK_FLOAT64, 2, shape);
}

static uncork_status run(world *w, uc_ref y, const double *x, int64_t rows, int64_t columns,
                         const uc_tensor **out)
{
    uc_program *program = NULL;
    uc_value in = {.kind = UC_TENSOR};
    const int64_t shape[] = {rows, columns};
    const uc_value *inputs[] = {&in};
    double data[4096];
    assert_true(rows * columns <= 4096);
    memcpy(data, x, (size_t)(rows * columns) * sizeof *x);
    uc_tensor_set(&in.tensor, UNCORK_FLOAT64, 2, shape);
    in.tensor.data = data;
    uc_graph_output(w->g, "y", y);
    CHECK_OK(uc_graph_finish(w->g), &w->error);
    CHECK_OK(uc_program_new(w->g, w->arena, &w->budget, &program, &w->error), &w->error);
    CHECK_OK(uc_runner_new(program, NULL, &w->runner), &w->error);
    uncork_status status = uc_runner_run(w->runner, inputs, 1, &w->budget, &w->error);
    *out = status == UNCORK_OK ? &uc_runner_output(w->runner, 0)->tensor : NULL;
    return status;
}

/* Runs and compares: |got - want| <= tolerance |want|. */
static void check_run(world *w, uc_ref y, const double *x, int64_t rows, int64_t columns,
                      const double *want, int64_t count, double tolerance)
{
    const uc_tensor *t;
    CHECK_OK(run(w, y, x, rows, columns, &t), &w->error);
    CHECK_INT(uc_tensor_count(t), count);
    for (int64_t i = 0; i < count; i++) {
        double got = uc_tensor_doubles(t)[i];
        if (!(fabs(got - want[i]) <= tolerance * fabs(want[i]))) {
            fail_msg("value %d: %.17g, expected %.17g", (int)i, got, want[i]);
        }
    }
}

/* ---- Matern -------------------------------------------------------------------------------- */

static const double distances[] = {0.0, 1e-09, 0.01, 0.3, 1.0, 1.7, 2.5, 6.0, 20.0, 60.0, 500.0};

static const struct {
    double nu, want[11];
} materns[] = {
    {0.5,
     {1.0, 0.999999999, 0.9900498337491681, 0.7408182206817179, 0.3678794411714424,
      0.18268352405273466, 0.0820849986238988, 0.0024787521766663585, 2.061153622438558e-09,
      8.75651076269652e-27, 7.124576406741286e-218}},
    {1.5,
     {1.0, 1.0, 0.9998517208525823, 0.9037901598990385, 0.4833577245965077, 0.20759470702582228,
      0.07017578643093345, 0.0003493742951567827, 3.217717522545934e-14, 7.72083753556995e-44,
      0.0}},
    {2.5,
     {1.0, 1.0, 0.9999166769599711, 0.930965342775005, 0.5239941088318203, 0.21487881377310675,
      0.06351021454894375, 0.00011091666419354629, 2.6944922293882023e-17, 3.319763568743687e-55,
      0.0}},
    {HUGE_VAL,
     {1.0, 1.0, 0.9999500012499792, 0.9559974818331, 0.6065306597126334, 0.23574607655586358,
      0.04393693362340741, 1.522997974471263e-08, 1.3838965267367376e-87, 0.0, 0.0}},
    {0.8,
     {1.000000000000001, 0.9999999999999919, 0.9987057594528054, 0.8307810107496945,
      0.42081906490146587, 0.195367215356735, 0.07803827412718645, 0.0011768680370165016,
      3.385010903524682e-11, 4.9746841267406076e-33, 1.8227304236607876e-274}},
    {3,
     {1.0, 1.0, 0.9999250056223328, 0.9364788421289101, 0.5359254662105771, 0.21709564992399408,
      0.061303765415610244, 7.162014180568202e-05, 1.5227258147739732e-18, 6.279548572603576e-60,
      0.0}},
    {3.5,
     {0.9999999999999998, 0.9999999999999999, 0.9999300040828629, 0.9400627691331234,
      0.5449424471128748, 0.21884188109354272, 0.05954656958951078, 4.903814867992598e-05,
      1.1553481506680286e-19, 3.1641759796092356e-64, 0.0}},
    {0.05,
     {0.9760308440489308, 0.8890802917664176, 0.4440858907283581, 0.2195694775787358,
      0.12431235880126146, 0.08332691596562149, 0.056305746485036307, 0.013250791607915858,
      9.540518592923055e-05, 1.8905248346144984e-10, 2.7340618595110983e-71}},
    {7.3,
     {0.9999999999999996, 1.0, 0.9999420654869907, 0.9494329254501884, 0.5757217130204044,
      0.2257100742489817, 0.05277376061623319, 7.5704212465054e-06, 7.31100376197196e-26,
      4.279768386073865e-89, 0.0}},
    {0.50000001,
     {0.999999999999999, 0.9999999990000005, 0.9900498345181399, 0.7408182250845737,
      0.3678794434953044, 0.1826835246691743, 0.08208499850657945, 0.002478752105760377,
      2.0611532986416407e-09, 8.756505979276342e-27, 7.124541317289403e-218}},
};

static void matern_of_any_order_is_scipys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof materns / sizeof materns[0]; i++) {
        world w;
        begin(&w);
        uc_ref x = fed(&w, 11);
        uc_node *node = uc_graph_node(w.g, "uncork.Matern", &x, 1, 1);
        uc_node_float(w.g, node, "nu", materns[i].nu);
        check_run(&w, uc_node_out(node, 0), distances, 1, 11, materns[i].want, 11, 1e-13);
        end(&w);
    }
}

/* ---- support vector machines --------------------------------------------------------------- */

/* Four classes, three rows; SVC negates nothing for more than two classes. */
static const double decisions[] = {
    0.2834927616872622,   -0.35468957269207513, -0.7998392798370267, -0.8136835526461141,
    -0.8728784283212804,  -0.8812710351437056,  -0.6118752394562452, 0.09705851071810165,
    -0.2712001355666154,  0.4986385228072596,   0.6298204154138103,  -0.19051733151766392,
    -0.7743745596323932,  -0.33755163643682307, -0.8968132644444762, -0.14362123993881848,
    -0.06111531104594617, -0.39613665498348877};
static const double pa[] = {-1.7665503559626479, -1.6795144528922838, -1.703748640549088,
                            -0.9849011512035238, -0.5163540396761144, -0.8266463402383548};
static const double pb[] = {0.02415117990252113, 0.032786478457818055, -0.2280313541420038,
                            -0.2143234875170953, -0.12985853098370267, -0.14970807153003118};
static const double proba[] = {0.16029413108846022, 0.18024317295484416, 0.2671675126176126,
                               0.39229518333908325, 0.16729298878033802, 0.40739097345185554,
                               0.19464944590856648, 0.23066659185923977, 0.09891361722063143,
                               0.323170153288983,   0.2659578190298188,  0.31195841046056666};
static const double row_scores[] = {
    0.844821077992509,    -0.22110195640073257, 2.074353617681589,    3.239542002687859,
    0.8533017091432055,   3.211693667613489,    -0.14671892699061856, 1.9520296424300816,
    -0.22254496574353136, 1.1209701441795952,   2.026123927083604,    3.1917343117691654};
static const double batch_scores[] = {
    0.8294753465288006, -0.38568195490705304, 2.0562066083782526,   3.5,
    0.846119747714994,  3.3407090540710964,   -0.15391891743942074, 1.9670901156533303,
    -0.39325534730365,  1.1115192872602782,   2.0166477283063924,   3.2650883317369797};

static void pairwise_coupling_is_libsvms(void **state)
{
    (void)state;
    world w;
    begin(&w);
    const uc_ref in[] = {fed(&w, 6), vector(&w, pa, 6), vector(&w, pb, 6)};
    uc_node *node = uc_graph_node(w.g, "uncork.PairwiseCoupling", in, 3, 1);
    uc_node_int(w.g, node, "classes", 4);
    check_run(&w, uc_node_out(node, 0), decisions, 3, 6, proba, 12, 1e-13);
    end(&w);
}

static void check_ovr(int batch, const double *want)
{
    world w;
    begin(&w);
    uc_ref d = fed(&w, 6);
    uc_ref negative = uc_g2(w.g, "Less", d, uc_graph_f64(w.g, 0));
    const uc_ref in[] = {uc_g_cast(w.g, negative, UNCORK_FLOAT64), uc_g1(w.g, "Neg", d)};
    uc_node *node = uc_graph_node(w.g, "uncork.OvrDecision", in, 2, 1);
    uc_node_int(w.g, node, "classes", 4);
    uc_node_int(w.g, node, "batch", batch);
    check_run(&w, uc_node_out(node, 0), decisions, 3, 6, want, 12, 1e-14);
    end(&w);
}

static void ovr_decision_squeezes_row_by_row_or_by_the_batch(void **state)
{
    (void)state;
    check_ovr(0, row_scores);
    check_ovr(1, batch_scores);
}

/* ---- Gaussian processes -------------------------------------------------------------------- */

static const double laplace[] = {0.05822040051327804, 0.45874811159880835, 0.49999999500016656,
                                 0.6911219585191475, 0.999492723505};
static const double lower[] = {4.543014595406736,
                               0.0,
                               0.0,
                               0.0,
                               0.0,
                               0.0,
                               -0.1715463312222481,
                               3.7717905512136674,
                               0.0,
                               0.0,
                               0.0,
                               0.0,
                               -0.2393791775759264,
                               1.0996595958871132,
                               3.6552637307225977,
                               0.0,
                               0.0,
                               0.0,
                               -0.7380309092056887,
                               0.27992459904323824,
                               -0.09815038964295794,
                               3.910178908092592,
                               0.0,
                               0.0,
                               -0.46641909673594306,
                               -0.9444462559182504,
                               -0.41004969320254847,
                               -0.017020413861440594,
                               3.379151735555082,
                               0.0,
                               -0.04225715166064269,
                               -0.955945000492777,
                               -0.34598177569938643,
                               -0.4635959746460942,
                               0.4814814737734622,
                               1.4592029855553752};
static const double right[] = {0.06326199420033171,  0.1565065379653756,  0.23218103620027578,
                               -0.5973160689653627,  -0.237921729736007,  -1.4240609089825316,
                               -0.49331988336219407, -0.5428614760167177, 0.4160500462614255,
                               -1.1561824318219127,  0.7811981017099934,  1.4944845444913688};
static const double solved[] = {0.013925113572008648, 0.04212729682441626,   0.05175788839609677,
                                -0.15184760811464576, -0.051196584083537805, -0.9669933213691678,
                                -0.10858866354093832, -0.14886549378486025,  0.1514959222700057,
                                -0.30172116217074746, 0.19145048968806194,   0.800400583003247};

static void logistic_gaussian_is_the_laplace_classifiers_integral(void **state)
{
    (void)state;
    static const double mean[] = {-3, -0.2, 0, 1.1, 8}, variance[] = {0.5, 1, 0.1, 2, 0.9};
    static const int64_t flat = -1;
    world w;
    begin(&w);
    uc_ref m = uc_g_reshape(w.g, fed(&w, 5), &flat, 1);
    uc_ref y = uc_g2(w.g, "uncork.LogisticGaussian", m, vector(&w, variance, 5));
    check_run(&w, y, mean, 1, 5, laplace, 5, 1e-11);
    end(&w);
}

static void solve_lower_solves_every_row(void **state)
{
    (void)state;
    world w;
    begin(&w);
    uc_ref y = uc_g2(w.g, "uncork.SolveLower", matrix(&w, lower, 6, 6), fed(&w, 6));
    check_run(&w, y, right, 2, 6, solved, 12, 1e-13);
    end(&w);
}

static void kriging_correlations_are_those_of_0_18(void **state)
{
    static const struct {
        const char *kind;
        int64_t thetas;
        double theta[3], want[4];
    } cases[] = {
        {"absolute_exponential",
         1,
         {0.7},
         {0.8105842459701871, 0.37531109885139957, 1.0, 0.19988761407514452}},
        {"squared_exponential",
         2,
         {0.7, 1.3},
         {0.9427067691570997, 0.2928777478112948, 1.0, 0.054095731306733674}},
        {"generalized_exponential",
         3,
         {0.7, 0.4, 1.2},
         {0.9028946606813106, 0.5183077466644787, 1.0, 0.18222773785031562}},
        {"linear", 1, {0.7}, {0.7998000000000001, 0.2405, 1.0, 0.0}},
        {"cubic", 2, {0.7, 0.4}, {0.9680647184640001, 0.506015744, 1.0, 0.0}},
        {"pure_nugget", 1, {0}, {0.0, 0.0, 1.0, 0.0}},
    };
    static const double d[] = {0.1, 0.2, 0.5, 0.9, 0, 0, 2, 0.3}, zero[] = {0, 0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world w;
        begin(&w);
        const uc_ref in[] = {fed(&w, 2), matrix(&w, zero, 1, 2),
                             vector(&w, cases[i].theta, cases[i].thetas)};
        uc_node *node = uc_graph_node(w.g, "uncork.KrigingCorrelation", in, 3, 1);
        uc_node_str(w.g, node, "kind", cases[i].kind);
        check_run(&w, uc_node_out(node, 0), d, 4, 2, cases[i].want, 4, 1e-15);
        end(&w);
    }
}

/* ---- naive Bayes --------------------------------------------------------------------------- */

/* The linear congruential generator of the program that made the expected values. */
static void fill(double *to, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        to[i] = (double)(seed >> 11) / 9007199254740992.0;
    }
}

static void gaussian_log_density_has_numpys_bits(void **state)
{
    static const struct {
        int64_t n;
        double want[4];
    } cases[] = {
        {1, {-525.4283473185682, -378.499842914217, -295.5626042206213, -258.87001668799707}},
        {5, {-1062.4493769249302, -297.66705695949844, -1112.306076478928, -1577.3000993168796}},
        {8, {-1860.7092107689627, -454.8842677077857, -1196.4971376547628, -1150.1043805791512}},
        {23, {-6099.669039532768, -16060.437616102712, -3603.3872864246073, -8191.039107740126}},
        {128, {-32065.299988972067, -100930.72767835684, -51713.14833505666, -54833.19121167918}},
        {129, {-32106.650991674258, -87247.10380643723, -42321.33384043003, -55236.17277736159}},
        {300, {-114238.10619969304, -256891.43201919127, -216135.7562625364, -173578.68190624897}},
        {1000, {-454130.57958518015, -817965.1334811312, -611535.6619279812, -527261.8963164509}},
    };
    static const double norm[] = {0.25, -3}, prior[] = {0, 0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double x[2000], mean[2000], variance[2000];
        int64_t n = cases[i].n;
        fill(x, 2 * n, 1);
        fill(mean, 2 * n, 2);
        fill(variance, 2 * n, 3);
        for (int64_t k = 0; k < 2 * n; k++)
            variance[k] = variance[k] * 1e-3 + 1e-9;
        world w;
        begin(&w);
        const uc_ref in[] = {fed(&w, n), matrix(&w, mean, 2, n), matrix(&w, variance, 2, n),
                             vector(&w, norm, 2), vector(&w, prior, 2)};
        uc_ref y = uc_node_out(uc_graph_node(w.g, "uncork.GaussianLogDensity", in, 5, 1), 0);
        check_run(&w, y, x, 2, n, cases[i].want, 4, 0);
        end(&w);
    }
}

static uc_ref category_sum(world *w)
{
    static const double table[] = {-1, -2, -3, -4, -5, -6, -7, -8, -9, -10}, bias[] = {0.5, 0.25};
    static const int64_t starts[] = {0, 2, 5};
    const uc_ref in[] = {fed(w, 2), matrix(w, table, 5, 2), uc_graph_i64s(w->g, starts, 3),
                         vector(w, bias, 2)};
    return uc_node_out(uc_graph_node(w->g, "uncork.CategorySum", in, 4, 1), 0);
}

static void category_sum_adds_the_named_rows(void **state)
{
    static const double x[] = {0, 2, 1.9, 0}, want[] = {-9.5, -11.75, -7.5, -9.75};
    (void)state;
    world w;
    begin(&w);
    check_run(&w, category_sum(&w), x, 2, 2, want, 4, 0);
    end(&w);
}

static void category_sum_refuses_a_category_it_lacks(void **state)
{
    static const double bad[][2] = {{0, 3}, {2, 0}, {-1, 0}, {(double)NAN, 0}};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const uc_tensor *t;
        world w;
        begin(&w);
        CHECK_INT(run(&w, category_sum(&w), bad[i], 1, 2, &t), UNCORK_INPUT);
        end(&w);
    }
}

static void additive_chi2_leaves_out_empty_terms_and_refuses_negatives(void **state)
{
    static const double x[] = {0, 1, 2, 3, 0, 0.5}, y[] = {0, 2, 2, 1, 1, 1}, bad[] = {0, -1, 0};
    static const double want[] = {-0.3333333333333333, -1.3333333333333333, -5.9,
                                  -2.1666666666666665};
    const uc_tensor *t;
    (void)state;
    world w;
    begin(&w);
    check_run(&w, uc_g2(w.g, "uncork.AdditiveChi2", fed(&w, 3), matrix(&w, y, 2, 3)), x, 2, 3, want,
              4, 1e-15);
    end(&w);
    begin(&w);
    uc_ref k = uc_g2(w.g, "uncork.AdditiveChi2", fed(&w, 3), matrix(&w, y, 2, 3));
    CHECK_INT(run(&w, k, bad, 1, 3, &t), UNCORK_INPUT);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matern_of_any_order_is_scipys),
        cmocka_unit_test(pairwise_coupling_is_libsvms),
        cmocka_unit_test(ovr_decision_squeezes_row_by_row_or_by_the_batch),
        cmocka_unit_test(logistic_gaussian_is_the_laplace_classifiers_integral),
        cmocka_unit_test(solve_lower_solves_every_row),
        cmocka_unit_test(kriging_correlations_are_those_of_0_18),
        cmocka_unit_test(gaussian_log_density_has_numpys_bits),
        cmocka_unit_test(category_sum_adds_the_named_rows),
        cmocka_unit_test(category_sum_refuses_a_category_it_lacks),
        cmocka_unit_test(additive_chi2_leaves_out_empty_terms_and_refuses_negatives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
