/* Small convolutional networks as a whole (tests/fixtures/gen/networks.py): the same answers from every
 * instruction set, within the bound of ONNX Runtime's without optimisations; the same bits from one
 * thread and several, and for a picture alone as for one among others. The program runs itself once for
 * each instruction set.
 *
 * Bound: |got - want| <= 1e-4 |want| + 1e-5 max|want| for float32. Quantised twins: two of 256 steps
 * of the output's range, as rounding of float32 may move a value to the next step. */
#include "base/file.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "isa.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/networks"

enum { PICTURES = 3 };

typedef struct network {
    const char *name, *x; /* files: NAME.onnx, NAME.npz holds y, X.npz holds x */
    bool quantised;
} network;

static const network networks[] = {
    {"mobile", "mobile", false},       {"efficient", "efficient", false},
    {"residual", "residual", false},   {"dense", "dense", false},
    {"mobile_u8", "mobile", true},     {"mobile_s8", "mobile", true},
    {"residual_u8", "residual", true}, {"residual_s8", "residual", true},
};

static const uc_tensor *array(uc_arena *arena, const char *file, const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_bundle *bundle;
    uc_bytes bytes;
    uc_npy npy;
    const char *path = uc_arena_printf(arena, FOLDER "/%s.npz", file);
    CHECK_OK(uc_bundle_open(path, true, arena, NULL, &bundle, &error), &error);
    const size_t i = uc_bundle_find(bundle, uc_arena_printf(arena, "%s.npy", name));
    CHECK(i != SIZE_MAX);
    CHECK_OK(uc_bundle_read(bundle, i, &bytes, &error), &error);
    CHECK_OK(uc_npy_read(bytes, 0, arena, &npy, &error), &error);
    return npy.tensor;
}

static uncork_model *open_model(const char *name, const char *disable_pass)
{
    char path[512];
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    uncork_model *model;
    (void)snprintf(path, sizeof path, FOLDER "/%s.onnx", name);
    CHECK_OK(uncork_open(path, NULL, &file, &error), &error);
    const uncork_prepare_options options = {.size = sizeof options, .disable_pass = disable_pass};
    CHECK_OK(uncork_prepare(file, NULL, &options, &model, &error), &error);
    uncork_file_close(file);
    return model;
}

/* `count` pictures of x from `first` on; y gets [count, classes]. */
static void run(const uncork_model *model, uncork_pool *pool, const uc_tensor *x, int64_t first,
                int64_t count, float *y, int64_t classes)
{
    uncork_error error = {.size = sizeof error};
    uncork_session *session;
    uncork_value *in;
    int64_t shape[4] = {count, x->shape[1], x->shape[2], x->shape[3]};
    const int64_t picture = shape[1] * shape[2] * shape[3];
    float *from = (float *)x->data + first * picture;
    CHECK_OK(uncork_value_wrap(UNCORK_FLOAT32, 4, shape, from, &in), &error);
    CHECK_OK(uncork_session_new(model, pool, &session), &error);
    const uncork_value *inputs[1] = {in};
    CHECK_OK(uncork_session_run(session, inputs, 1, NULL, &error), &error);
    const uncork_value *out = uncork_session_output(session, 0);
    CHECK_INT(uncork_value_count(out), count * classes);
    memcpy(y, uncork_value_data(out), (size_t)(count * classes) * sizeof *y);
    uncork_session_free(session);
    uncork_value_free(in);
}

static void check_bound(const network *n, const float *got, const uc_tensor *want, const char *how)
{
    const float *w = want->data;
    double largest = 0;
    const int64_t count = uc_tensor_count(want);
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)w[i]));
    for (int64_t i = 0; i < count; i++) {
        const double exact = 1e-4 * fabs((double)w[i]) + 1e-5 * largest;
        const double bound = n->quantised ? 2 * 2 * largest / 255 : exact;
        if (!(fabs((double)got[i] - (double)w[i]) <= bound)) {
            fail_msg("%s, %s: output %d is %.9g, expected %.9g", n->name, how, (int)i,
                     (double)got[i], (double)w[i]);
        }
    }
}

static void check_network(const network *n)
{
    uc_arena *arena = uc_arena_new(NULL);
    const uc_tensor *x = array(arena, n->x, "x"), *want = array(arena, n->name, "y");
    const int64_t classes = want->shape[1];
    float *one = UC_NEW(arena, float, (size_t)(PICTURES * classes));
    float *other = UC_NEW(arena, float, (size_t)(PICTURES * classes));
    uncork_model *model = open_model(n->name, NULL);
    run(model, NULL, x, 0, PICTURES, one, classes);
    check_bound(n, one, want, "all passes");
    for (int threads = 2; threads < 4; threads++) {
        uncork_pool *pool;
        CHECK_INT(uncork_pool_new(threads, &pool), UNCORK_OK);
        run(model, pool, x, 0, PICTURES, other, classes);
        CHECK_BYTES(other, one, (size_t)(PICTURES * classes) * sizeof *one);
        uncork_pool_free(pool);
    }
    for (int64_t i = 0; i < PICTURES; i++)
        run(model, NULL, x, i, 1, other + i * classes, classes);
    CHECK_BYTES(other, one, (size_t)(PICTURES * classes) * sizeof *one);
    uncork_model_free(model);
    uc_arena_free(arena);
}

static void answers_are_onnx_runtimes_and_their_bits_depend_on_the_picture_alone(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        check_network(&networks[i]);
}

static void each_pass_may_be_left_out(void **unused)
{
    static const char *const passes[] = {
#define PASS(symbol) #symbol,
#include "pass/pass_table.def"
#undef PASS
    };
    (void)unused;
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        const network *n = &networks[i];
        uc_arena *arena = uc_arena_new(NULL);
        const uc_tensor *x = array(arena, n->x, "x"), *want = array(arena, n->name, "y");
        float *y = UC_NEW(arena, float, (size_t)uc_tensor_count(want));
        for (size_t k = 0; k < sizeof passes / sizeof passes[0]; k++) {
            uncork_model *model = open_model(n->name, passes[k]);
            run(model, NULL, x, 0, PICTURES, y, want->shape[1]);
            check_bound(n, y, want, passes[k]);
            uncork_model_free(model);
        }
        uc_arena_free(arena);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest same[] = {
        cmocka_unit_test(answers_are_onnx_runtimes_and_their_bits_depend_on_the_picture_alone)};
    const struct CMUnitTest passes[] = {cmocka_unit_test(each_pass_may_be_left_out)};
    if (argc > 1) return cmocka_run_group_tests_name(argv[1], same, NULL, NULL);
    const int failed = cmocka_run_group_tests(passes, NULL, NULL);
    return failed + isa_run_each(argv[0]);
}
