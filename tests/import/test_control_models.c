/* Small genuine models with bodies, sequences and data-decided shapes (tests/fixtures/gen/control_models.py)
 * give what ONNX Runtime gives, whatever was run before. Sums are added in another order
 * there: 2e-6 of the value and of the largest in float32. */
#include "base/file.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "model/model.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/control"

enum { MAX_ENDS = 8 };

typedef struct arrays {
    uc_arena *arena;
    uc_bundle *bundle;
} arrays;

static arrays open_arrays(const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    arrays a = {.arena = uc_arena_new(NULL)};
    const char *path = uc_arena_printf(a.arena, FOLDER "/%s.npz", name);
    CHECK_OK(uc_bundle_open(path, true, a.arena, NULL, &a.bundle, &error), &error);
    return a;
}

/* "0.in.x" or "1.out.y"; NULL when there is none of that name. */
static const uc_tensor *array(const arrays *a, int call, const char *kind, const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_bytes bytes;
    uc_npy npy;
    const char *entry = uc_arena_printf(a->arena, "%d.%s.%s.npy", call, kind, name);
    const size_t i = uc_bundle_find(a->bundle, entry);
    if (i == SIZE_MAX) return NULL;
    CHECK_OK(uc_bundle_read(a->bundle, i, &bytes, &error), &error);
    CHECK_OK(uc_npy_read(bytes, 0, a->arena, &npy, &error), &error);
    return npy.tensor;
}

static double largest(const uc_tensor *t)
{
    double most = 0;
    for (int64_t i = 0; i < uc_tensor_count(t); i++) {
        most = fmax(most, fabs(uc_dtype_load_f64(t->data, i, t->dtype)));
    }
    return most;
}

static void same(const char *name, const uc_tensor *got, const uc_tensor *want)
{
    CHECK(want != NULL);
    CHECK_INT(got->dtype, want->dtype);
    CHECK_INT(got->rank, want->rank);
    for (int d = 0; d < got->rank; d++)
        CHECK_INT(got->shape[d], want->shape[d]);
    const bool strings = got->dtype == UNCORK_STRING;
    const double most = strings ? 0 : largest(want);
    for (int64_t i = 0; i < uc_tensor_count(got); i++) {
        if (strings) {
            CHECK(uc_str_equal(uc_tensor_string(got, i), uc_tensor_string(want, i)));
            continue;
        }
        const double a = uc_dtype_load_f64(got->data, i, got->dtype);
        const double b = uc_dtype_load_f64(want->data, i, want->dtype);
        const double bound = got->dtype == UNCORK_FLOAT32 ? 2e-6 * (fabs(b) + most) : 0;
        if (!(fabs(a - b) <= bound)) {
            fail_msg("%s: element %d is %.9g, expected %.9g", name, (int)i, a, b);
        }
    }
}

static uncork_model *open_model(const char *name)
{
    char path[256];
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    uncork_model *model;
    (void)snprintf(path, sizeof path, FOLDER "/%s.onnx", name);
    CHECK_OK(uncork_open(path, NULL, &file, &error), &error);
    CHECK_OK(uncork_prepare(file, NULL, NULL, &model, &error), &error);
    uncork_file_close(file);
    return model;
}

/* Runs call k in the session; false when the file has no such call. */
static bool run_call(const uncork_model *model, uncork_session *session, const arrays *a, int k)
{
    uncork_error error = {.size = sizeof error};
    uncork_value *in[MAX_ENDS] = {0};
    const int inputs = uncork_model_input_count(model);
    CHECK(inputs <= MAX_ENDS);
    if (!array(a, k, "in", uncork_model_input_name(model, 0))) return false;
    for (int i = 0; i < inputs; i++) {
        const uc_tensor *t = array(a, k, "in", uncork_model_input_name(model, i));
        if (t) CHECK_INT(uc_value_over(t, &in[i]), UNCORK_OK);
    }
    CHECK_OK(uncork_session_run(session, (const uncork_value *const *)in, inputs, NULL, &error),
             &error);
    for (int i = 0; i < inputs; i++)
        uncork_value_free(in[i]);
    return true;
}

/* Every call in one session, twice: plans and bodies' runners are used again. */
static void answers(const char *name)
{
    uncork_model *model = open_model(name);
    arrays a = open_arrays(name);
    uncork_session *session;
    CHECK_INT(uncork_session_new(model, NULL, &session), UNCORK_OK);
    int calls = 0;
    for (int round = 0; round < 2; round++) {
        for (int k = 0; run_call(model, session, &a, k); k++, calls++) {
            for (int i = 0; i < uncork_model_output_count(model); i++) {
                const uc_tensor *got = uc_value_tensor(uncork_session_output(session, i));
                same(name, got, array(&a, k, "out", uncork_model_output_name(model, i)));
            }
        }
    }
    CHECK(calls > 0);
    uncork_session_free(session);
    uncork_model_free(model);
    uc_arena_free(a.arena);
}

static void loops_carry_what_grows_and_may_run_no_time(void **state)
{
    (void)state;
    answers("loop_grows");
}

static void loops_end_when_the_data_says_so(void **state)
{
    (void)state;
    answers("loop_until");
}

static void loops_carry_sequences(void **state)
{
    (void)state;
    answers("loop_sequence");
}

static void loops_stack_strings(void **state)
{
    (void)state;
    answers("loop_strings");
}

static void scans_go_along_any_axis_in_both_directions(void **state)
{
    (void)state;
    answers("scan_both_ways");
}

static void bodies_hold_bodies(void **state)
{
    (void)state;
    answers("nested");
}

static void a_branch_that_does_not_fit_is_only_refused_when_taken(void **state)
{
    (void)state;
    answers("if_known");
}

static void shapes_that_data_decides_flow_on(void **state)
{
    (void)state;
    answers("nonzero_conv");
}

static void inputs_may_be_shapes(void **state)
{
    (void)state;
    answers("shape_inputs");
}

static void branches_loops_and_sequences_go_together(void **state)
{
    (void)state;
    answers("mixed");
}

/* ---- threads ------------------------------------------------------------------------------ */

enum { THREADS = 100, RUNS = 12, CALLS = 4 };

typedef struct worker {
    const uncork_model *model;
    uncork_pool *pool;
    uncork_value *in[CALLS][MAX_ENDS];
    const uc_tensor *want[CALLS][MAX_ENDS];
    int first;
    const char *problem;
} worker;

static bool same_bits(const uc_tensor *a, const uc_tensor *b)
{
    size_t bytes = 0;
    bool same = a->dtype == b->dtype && a->rank == b->rank;
    for (int d = 0; same && d < a->rank; d++)
        same = a->shape[d] == b->shape[d];
    return same && uc_shape_bytes(a->dtype, a->shape, a->rank, &bytes) &&
           memcmp(a->data, b->data, bytes) == 0;
}

static void *work(void *context)
{
    worker *w = context;
    uncork_session *session;
    if (uncork_session_new(w->model, w->pool, &session)) {
        w->problem = "no session";
        return NULL;
    }
    const int inputs = uncork_model_input_count(w->model);
    for (int n = 0; n < RUNS && !w->problem; n++) {
        const int k = (w->first + n) % CALLS;
        if (uncork_session_run(session, (const uncork_value *const *)w->in[k], inputs, NULL, NULL))
            w->problem = "a run failed";
        for (int i = 0; !w->problem && i < uncork_model_output_count(w->model); i++) {
            const uc_tensor *got = uc_value_tensor(uncork_session_output(session, i));
            if (!same_bits(got, w->want[k][i])) w->problem = "other bits than alone";
        }
    }
    uncork_session_free(session);
    return NULL;
}

static void *take(void *context, size_t bytes) { return uc_arena_alloc_raw(context, bytes); }

/* Inputs of every call, and what one thread alone makes of them. */
static void prepare_worker(worker *w, const arrays *a, const char *name)
{
    uncork_session *session;
    CHECK_INT(uncork_session_new(w->model, NULL, &session), UNCORK_OK);
    for (int k = 0; k < CALLS; k++) {
        for (int i = 0; i < uncork_model_input_count(w->model); i++) {
            const uc_tensor *t = array(a, k, "in", uncork_model_input_name(w->model, i));
            CHECK_INT(uc_value_over(t, &w->in[k][i]), UNCORK_OK);
        }
        CHECK(run_call(w->model, session, a, k));
        for (int i = 0; i < uncork_model_output_count(w->model); i++) {
            const uc_tensor *got = uc_value_tensor(uncork_session_output(session, i));
            uc_tensor *kept = UC_NEW(a->arena, uc_tensor, 1);
            CHECK(kept && uc_tensor_copy_into(kept, got, take, a->arena));
            same(name, kept, array(a, k, "out", uncork_model_output_name(w->model, i)));
            w->want[k][i] = kept;
        }
    }
    uncork_session_free(session);
}

static void run_threads(const char *name, uncork_pool *pool)
{
    static worker workers[THREADS];
    pthread_t threads[THREADS];
    arrays a = open_arrays(name);
    worker one = {.model = open_model(name), .pool = pool};
    prepare_worker(&one, &a, name);
    for (int t = 0; t < THREADS; t++) {
        workers[t] = one;
        workers[t].first = t;
        CHECK_INT(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (int t = 0; t < THREADS; t++) {
        if (workers[t].problem) fail_msg("%s, thread %d: %s", name, t, workers[t].problem);
    }
    for (int k = 0; k < CALLS; k++) {
        for (int i = 0; i < MAX_ENDS; i++)
            uncork_value_free(one.in[k][i]);
    }
    uncork_model_free((uncork_model *)(uintptr_t)one.model);
    uc_arena_free(a.arena);
}

static void a_hundred_threads_give_the_bits_of_one(void **state)
{
    (void)state;
    uncork_pool *pool;
    run_threads("mixed", NULL);
    CHECK_INT(uncork_pool_new(4, &pool), UNCORK_OK);
    run_threads("mixed", pool);
    run_threads("nonzero_conv", pool);
    uncork_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_carry_what_grows_and_may_run_no_time),
        cmocka_unit_test(loops_end_when_the_data_says_so),
        cmocka_unit_test(loops_carry_sequences),
        cmocka_unit_test(loops_stack_strings),
        cmocka_unit_test(scans_go_along_any_axis_in_both_directions),
        cmocka_unit_test(bodies_hold_bodies),
        cmocka_unit_test(a_branch_that_does_not_fit_is_only_refused_when_taken),
        cmocka_unit_test(shapes_that_data_decides_flow_on),
        cmocka_unit_test(inputs_may_be_shapes),
        cmocka_unit_test(branches_loops_and_sequences_go_together),
        cmocka_unit_test(a_hundred_threads_give_the_bits_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
