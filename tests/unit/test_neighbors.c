/* kernel/neighbors.h against scikit-learn 0.24.2, 1.3.2, 1.9.1 (KDTree, ArgKmin on one thread) and
 * NumPy 1.19.5 (argpartition, argsort, sum): all that decides between equal distances. */
#include "kernel/neighbors.h"

#include "check.h"

#include <math.h>
#include <string.h>

/* 20 rows of 2 features, all small integers: distances tie. */
static const double rows[20][2] = {{3, 3}, {3, 2}, {3, 1}, {1, 1}, {1, 3}, {0, 2}, {2, 2},
                                   {3, 1}, {2, 3}, {0, 1}, {2, 1}, {3, 0}, {1, 2}, {3, 0},
                                   {3, 0}, {0, 0}, {1, 2}, {3, 2}, {2, 0}, {3, 3}};
static double reduced[20]; /* to (1, 2) */

static void measure(void)
{
    for (int i = 0; i < 20; i++) {
        double a = 1.0 - rows[i][0], b = 2.0 - rows[i][1];
        reduced[i] = a * a + b * b;
    }
}

static void check_indices(const int64_t *got, const int64_t *want, int n)
{
    for (int i = 0; i < n; i++) {
        CHECK_INT(got[i], want[i]);
    }
}

/* As op_neighbors.c does for ArgKmin: a heap, emptied into another. */
static void argkmin(int64_t k, double *values, int64_t *indices)
{
    double first[20];
    int64_t places[20];
    measure();
    uc_heap_clear(first, places, k);
    uc_heap_clear(values, indices, k);
    for (int64_t i = 0; i < 20; i++) {
        uc_heap_push(first, places, k, reduced[i], i);
    }
    for (int64_t i = 0; i < k; i++) {
        uc_heap_push(values, indices, k, first[i], places[i]);
    }
}

static void ties_come_out_of_the_heap_as_from_argkmin_1_3(void **state)
{
    static const int64_t six[] = {12, 16, 3, 5, 6, 4};
    static const int64_t many[] = {12, 16, 4, 5, 6, 3, 10, 8, 9, 17, 1, 0, 19, 15, 2, 18, 7, 14};
    double values[20];
    int64_t indices[20];
    (void)state;
    argkmin(6, values, indices);
    uc_sort_pairs_quick(values, indices, 6);
    check_indices(indices, six, 6);
    argkmin(18, values, indices);
    uc_sort_pairs_quick(values, indices, 18);
    check_indices(indices, many, 18);
}

static void ties_come_out_of_the_heap_as_from_argkmin_1_9(void **state)
{
    static const int64_t six[] = {16, 12, 3, 4, 5, 6};
    static const int64_t many[] = {16, 12, 4, 6, 3, 5, 9, 8, 10, 17, 1, 0, 7, 18, 2, 15, 19, 14};
    double values[20];
    int64_t indices[20];
    (void)state;
    argkmin(6, values, indices);
    uc_sort_pairs_intro(values, indices, 6);
    check_indices(indices, six, 6);
    argkmin(18, values, indices);
    uc_sort_pairs_intro(values, indices, 18);
    check_indices(indices, many, 18);
}

static void ties_come_out_of_a_kd_tree_in_the_order_it_is_visited(void **state)
{
    static const int64_t order[20] = {3,  9,  15, 18, 6, 12, 16, 4, 8,  5,
                                      11, 13, 14, 10, 2, 7,  17, 1, 19, 0};
    static const uc_tree_node nodes[7] = {{0, 20, false}, {0, 10, false}, {10, 20, false},
                                          {0, 5, true},   {5, 10, true},  {10, 15, true},
                                          {15, 20, true}};
    /* squared distances of (1, 2) to the nodes' boxes */
    static const double bounds[7] = {0, 0, 1, 0, 0, 2, 4};
    static const int64_t want[] = {16, 12, 5, 3, 4, 6};
    double values[6];
    int64_t indices[6];
    (void)state;
    measure();
    uc_heap_clear(values, indices, 6);
    uc_tree_query(nodes, bounds, order, reduced, 0, values, indices, 6);
    uc_sort_pairs_quick(values, indices, 6);
    check_indices(indices, want, 6);
}

static void partition_picks_and_orders_ties_as_numpy(void **state)
{
    static const double v[40] = {3, 6, 6, 0, 8, 4, 7, 0, 0, 7, 1, 5, 7, 0, 1, 4, 6, 2, 1, 2,
                                 7, 0, 5, 0, 0, 4, 4, 3, 2, 4, 6, 3, 3, 2, 1, 5, 7, 4, 3, 1};
    static const int64_t four[] = {21, 8, 24, 23};
    static const int64_t eleven[] = {23, 7, 13, 3, 21, 24, 8, 18, 10, 14, 34};
    static const int64_t thirty[] = {3,  13, 24, 7,  8,  23, 21, 14, 39, 34, 10, 18, 19, 17, 33,
                                     28, 31, 27, 38, 32, 0,  15, 25, 37, 29, 5,  26, 35, 22, 11};
    int64_t order[40];
    (void)state;
    uc_partition_smallest(v, 40, 1, order);
    CHECK_INT(order[0], 3);
    uc_partition_smallest(v, 40, 4, order);
    check_indices(order, four, 4);
    uc_partition_smallest(v, 40, 11, order);
    check_indices(order, eleven, 11);
    uc_partition_smallest(v, 40, 30, order);
    check_indices(order, thirty, 30);
}

static void partition_ends_with_all_equal_and_all_nan(void **state)
{
    double v[100];
    int64_t order[100];
    (void)state;
    for (int nan = 0; nan < 2; nan++) {
        for (int i = 0; i < 100; i++) {
            v[i] = nan ? (double)NAN : 1.0;
        }
        for (int64_t k = 1; k <= 100; k += 11) {
            bool seen[100] = {false};
            uc_partition_smallest(v, 100, k, order);
            for (int64_t i = 0; i < 100; i++) {
                CHECK(order[i] >= 0 && order[i] < 100 && !seen[order[i]]);
                seen[order[i]] = true;
            }
        }
    }
}

static void sum_is_numpys_pairwise_sum_to_the_bit(void **state)
{
    double v[300];
    (void)state;
    for (int i = 0; i < 300; i++) {
        v[i] = fmod(i * 0.37, 1.0);
    }
    CHECK(uc_pairwise_sum(v, 300) == 148.4999999999998);
    CHECK(uc_pairwise_sum(v, 7) == 2.7699999999999996);
    CHECK(uc_pairwise_sum(v, 100) == 49.49999999999998);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_come_out_of_the_heap_as_from_argkmin_1_3),
        cmocka_unit_test(ties_come_out_of_the_heap_as_from_argkmin_1_9),
        cmocka_unit_test(ties_come_out_of_a_kd_tree_in_the_order_it_is_visited),
        cmocka_unit_test(partition_picks_and_orders_ties_as_numpy),
        cmocka_unit_test(partition_ends_with_all_equal_and_all_nan),
        cmocka_unit_test(sum_is_numpys_pairwise_sum_to_the_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
