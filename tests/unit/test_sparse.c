/* Sparse matrices whose parts don't agree are refused; what genuine SciPy wrote is compared in
 * test_pickle_fixtures.c. */
#include "check.h"

#include "container/sparse.h"

static uc_pickle *node(uc_arena *arena, uc_pickle_kind kind, size_t count)
{
    uc_pickle *n = UC_NEW(arena, uc_pickle, 1);
    n->kind = kind;
    n->items = UC_NEW(arena, uc_pickle *, 2 * count);
    n->count = count;
    return n;
}

static uc_pickle *array(uc_arena *arena, const int64_t *values, int rank, const int64_t *shape)
{
    uc_pickle *n = node(arena, UC_PICKLE_ARRAY, 0);
    n->tensor = uc_tensor_new(arena, UNCORK_INT64, rank, shape);
    memcpy(n->tensor->data, values, (size_t)uc_tensor_count(n->tensor) * sizeof *values);
    return n;
}

/* A class, its shape, and up to three named int64 vectors. */
typedef struct matrix {
    const char *name, *error;
    int64_t shape[2];
    struct {
        const char *name;
        int64_t count, values[6];
    } parts[3];
} matrix;

static const matrix broken[] = {
    {"csr_matrix",
     "a sparse csr_matrix: indptr falls",
     {2, 3},
     {{"indptr", 3, {0, 2, 1}}, {"indices", 2, {0, 1}}, {"data", 2, {1, 2}}}},
    {"csr_matrix",
     "a sparse csr_matrix: indptr doesn't fit the shape and the number of indices",
     {2, 3},
     {{"indptr", 3, {0, 1, 3}}, {"indices", 2, {0, 1}}, {"data", 2, {1, 2}}}},
    {"csr_matrix",
     "a sparse csr_matrix: indptr doesn't fit the shape and the number of indices",
     {3, 3},
     {{"indptr", 3, {0, 1, 2}}, {"indices", 2, {0, 1}}, {"data", 2, {1, 2}}}},
    {"csr_matrix",
     "a sparse csr_matrix: indptr doesn't fit the shape and the number of indices",
     {2, 3},
     {{"indptr", 3, {-1, 1, 2}}, {"indices", 2, {0, 1}}, {"data", 2, {1, 2}}}},
    {"csr_array",
     "a sparse csr_array: an index beyond the shape",
     {2, 3},
     {{"indptr", 3, {0, 1, 2}}, {"indices", 2, {0, 3}}, {"data", 2, {1, 2}}}},
    {"csc_matrix",
     "a sparse csc_matrix: an index beyond the shape",
     {2, 3},
     {{"indptr", 4, {0, 1, 2, 2}}, {"indices", 2, {0, -1}}, {"data", 2, {1, 2}}}},
    {"csr_matrix",
     "a sparse csr_matrix: fewer data than indices",
     {2, 3},
     {{"indptr", 3, {0, 1, 2}}, {"indices", 2, {0, 1}}, {"data", 1, {1}}}},
    {"csr_matrix",
     "a sparse csr_matrix: data, indices or indptr is missing or holds no numbers",
     {2, 3},
     {{"indptr", 3, {0, 1, 2}}, {"indices", 2, {0, 1}}}},
    {"csr_matrix", "a sparse csr_matrix: no shape (rows, columns)", {-2, 3}, {{NULL, 0, {0}}}},
    {"coo_matrix",
     "a sparse coo_matrix: an index beyond the shape",
     {2, 3},
     {{"row", 1, {2}}, {"col", 1, {0}}, {"data", 1, {1}}}},
    {"coo_matrix",
     "a sparse coo_matrix: data and coordinates of different lengths",
     {2, 3},
     {{"row", 1, {0}}, {"col", 2, {0, 1}}, {"data", 1, {1}}}},
    {"bsr_matrix",
     "a sparse bsr_matrix: blocks that don't divide the shape",
     {2, 3},
     {{"indptr", 3, {0, 1, 2}}, {"indices", 2, {0, 1}}, {"data", 2, {1, 2}}}},
    {"dia_matrix",
     "a sparse dia_matrix: data and offsets of different lengths",
     {2, 3},
     {{"offsets", 1, {0}}, {"data", 2, {1, 2}}}},
    {"lil_matrix",
     "a sparse lil_matrix: rows and data that don't fit the shape",
     {2, 3},
     {{"rows", 2, {0, 1}}, {"data", 2, {1, 2}}}},
    {"xyz_matrix",
     "a sparse format not known: scipy.sparse._x.xyz_matrix",
     {2, 3},
     {{NULL, 0, {0}}}},
};

static const uc_pickle *build(uc_arena *arena, const matrix *m)
{
    uc_pickle *object = node(arena, UC_PICKLE_OBJECT, 0), *shape = node(arena, UC_PICKLE_TUPLE, 2);
    object->module = uc_str_of("scipy.sparse._x");
    object->text = uc_str_of(m->name);
    object->state = node(arena, UC_PICKLE_DICT, 4);
    object->state->count = 1;
    for (size_t i = 0; i < 2; i++) {
        shape->items[i] = node(arena, UC_PICKLE_INT, 0);
        shape->items[i]->integer = m->shape[i];
    }
    object->state->items[0] = node(arena, UC_PICKLE_TEXT, 0);
    object->state->items[0]->text = uc_str_of("_shape");
    object->state->items[1] = shape;
    for (size_t i = 0; i < 3 && m->parts[i].name; i++) {
        const size_t at = 2 * object->state->count++;
        object->state->items[at] = node(arena, UC_PICKLE_TEXT, 0);
        object->state->items[at]->text = uc_str_of(m->parts[i].name);
        object->state->items[at + 1] = array(arena, m->parts[i].values, 1, &m->parts[i].count);
    }
    return object;
}

static void parts_that_do_not_agree_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        uc_arena *arena = uc_arena_new(NULL);
        uncork_error error = {0};
        CHECK(uc_sparse_dense(build(arena, &broken[i]), arena, &error) == NULL);
        CHECK_STR(error.what, broken[i].error);
        uc_arena_free(arena);
    }
}

static void duplicates_add_up_and_slack_is_ignored(void **state)
{
    (void)state;
    static const matrix m = {
        "csr_matrix",
        NULL,
        {2, 3},
        {{"indptr", 3, {0, 2, 3}}, {"indices", 4, {1, 1, 0, 9}}, {"data", 5, {1, 2, 4, 8, 16}}}};
    static const double want[6] = {0, 3, 0, 4, 0, 0};
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {0};
    const uc_tensor *t = uc_sparse_dense(build(arena, &m), arena, &error);
    CHECK_OK(t == NULL, &error);
    CHECK_BYTES(t->data, want, sizeof want);
    uc_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_that_do_not_agree_are_refused),
        cmocka_unit_test(duplicates_add_up_and_slack_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
