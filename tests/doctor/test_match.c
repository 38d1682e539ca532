/* Layers of two networks matched, and how far they are apart. */
#include "check.h"

#include "doctor/match.h"

#include <math.h>

static uc_tensor *floats(uc_arena *arena, int rank, const int64_t *shape)
{
    uc_tensor *t = uc_tensor_new(arena, UNCORK_FLOAT32, rank, shape);
    for (int64_t i = 0; i < uc_tensor_count(t); i++) {
        ((float *)t->data)[i] = (float)i;
    }
    return t;
}

static uc_difference difference(const uc_tensor *a, const uc_tensor *b)
{
    uc_difference d;
    uncork_error error = {.size = sizeof error};
    assert_int_equal(uc_difference_of(a, b, &d, &error), UNCORK_OK);
    return d;
}

static void names_lose_what_importers_add(void **state)
{
    (void)state;
    const char *given[] = {"layer conv1 (Conv2D)", "node 'n9'", "conv1", "", "layer "};
    const char *want[] = {"conv1", "n9", "conv1", "", ""};
    for (size_t i = 0; i < 5; i++) {
        assert_true(uc_str_equal(uc_layer_short_name(given[i]), uc_str_of(want[i])));
    }
}

static void rounding_is_no_difference_and_more_is(void **state)
{
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    uc_tensor *a = floats(arena, 1, (int64_t[]){5}), *b = floats(arena, 1, (int64_t[]){5});
    ((float *)a->data)[4] = 4.0001f;
    uc_difference d = difference(a, b);
    assert_false(d.beyond);
    assert_int_equal(d.at, 4);
    ((float *)a->data)[1] = 1.01f;
    d = difference(a, b);
    assert_true(d.beyond);
    assert_int_equal(d.differing, 1);
    ((float *)a->data)[2] = NAN;
    d = difference(a, b);
    assert_true(isinf(d.largest));
    assert_int_equal(d.at, 2);
    uc_arena_free(arena);
}

static void axes_that_lie_otherwise_are_seen_through(void **state)
{
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    const uc_tensor *last = floats(arena, 4, (int64_t[]){1, 2, 5, 3});
    uc_tensor first = *last; /* the same numbers as [1, 3, 2, 5] */
    first.shape[1] = 3;
    first.shape[2] = 2;
    first.shape[3] = 5;
    first.stride[1] = 1;
    first.stride[2] = 15;
    first.stride[3] = 3;
    uc_difference d = difference(&first, last);
    assert_true(d.comparable && d.turned);
    assert_false(d.beyond);
    d = difference(last, &first);
    assert_true(d.comparable && !d.beyond);
    const uc_tensor *flat = floats(arena, 1, (int64_t[]){6});
    d = difference(flat, floats(arena, 3, (int64_t[]){1, 6, 1}));
    assert_true(d.comparable && !d.beyond);
    d = difference(flat, floats(arena, 1, (int64_t[]){7}));
    assert_false(d.comparable);
    uc_arena_free(arena);
}

/* Layers of these operators and sizes. */
static uc_layer_seen *layers(uc_arena *arena, size_t count, const char *const *names,
                             const char *const *ops, const int64_t *sizes)
{
    uc_layer_seen *seen = UC_NEW(arena, uc_layer_seen, count);
    uc_layer *own = UC_NEW(arena, uc_layer, count);
    for (size_t i = 0; i < count; i++) {
        own[i] = (uc_layer){.name = names[i], .op = ops[i]};
        seen[i] = (uc_layer_seen){&own[i], floats(arena, 1, &sizes[i])};
    }
    return seen;
}

static void names_pair_layers_in_any_order(void **state)
{
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    const char *ops[] = {"Conv", "Relu", "Add"};
    const int64_t sizes[] = {4, 4, 6};
    uc_layer_match m;
    const uc_layer_seen *a = layers(arena, 3, (const char *[]){"x", "y", "x"}, ops, sizes);
    const uc_layer_seen *b = layers(arena, 3, (const char *[]){"node 'y'", "x", "x"}, ops, sizes);
    assert_int_equal(uc_layers_match(a, 3, b, 3, arena, &m, &error), UNCORK_OK);
    assert_true(m.by_name);
    assert_int_equal(m.count, 3);
    assert_int_equal(m.pairs[0].b, 1);
    assert_int_equal(m.pairs[1].b, 0);
    assert_int_equal(m.pairs[2].b, 2);
    uc_arena_free(arena);
}

static void without_names_the_sequence_pairs_them(void **state)
{
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    const char *none[] = {"", "", "", ""};
    uc_layer_match m;
    const uc_layer_seen *a = layers(arena, 3, none, (const char *[]){"Conv", "Relu", "Gemm"},
                                    (const int64_t[]){8, 8, 3});
    const uc_layer_seen *b =
        layers(arena, 4, none, (const char *[]){"Conv", "BatchNormalization", "Relu", "Gemm"},
               (const int64_t[]){8, 8, 8, 3});
    assert_int_equal(uc_layers_match(a, 3, b, 4, arena, &m, &error), UNCORK_OK);
    assert_false(m.by_name);
    assert_int_equal(m.count, 3);
    assert_int_equal(m.pairs[0].b, 0);
    assert_int_equal(m.pairs[1].b, 2);
    assert_int_equal(m.pairs[2].b, 3);
    uc_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lose_what_importers_add),
        cmocka_unit_test(rounding_is_no_difference_and_more_is),
        cmocka_unit_test(axes_that_lie_otherwise_are_seen_through),
        cmocka_unit_test(names_pair_layers_in_any_order),
        cmocka_unit_test(without_names_the_sequence_pairs_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
