/* ONNX models that lie (tests/hostile/gen_onnx.py), are cut at every byte, or have bytes changed: refused
 * with a message, or answered; nothing crashes, leaves the model's folder, or takes unbounded time or
 * memory. */
#include "base/budget.h"
#include "base/file.h"
#include "check.h"
#include "op/op.h"
#include "uncork.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What reading and running any of these small files may hold. */
#define MEMORY   ((uint64_t)256 << 20)
#define SECONDS  10
#define FOLDER   UC_SOURCE_DIR "/tests/hostile/onnx"
#define FIXTURES UC_SOURCE_DIR "/tests/fixtures/onnx"
#define NETWORKS UC_SOURCE_DIR "/tests/fixtures/networks"

static uint64_t seed = 20260412;

static uint64_t next_random(void) /* splitmix64 */
{
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A tensor of zeros that fits the input as far as it is declared; NULL when it can't be one. */
static uncork_value *zeros(const uncork_model *model, int i)
{
    int64_t shape[UNCORK_MAX_RANK];
    uncork_value *value = NULL;
    const int rank = uncork_model_input_shape(model, i, shape);
    const uncork_dtype dtype = uncork_model_input_dtype(model, i);
    int64_t count = 1;
    for (int d = 0; d < rank; d++) {
        if (shape[d] < 0) shape[d] = 2;
        if (shape[d] > 1000 || (count *= shape[d]) > 100000) return NULL;
    }
    const char *texts[16] = {"", "a", "b", "c", "d", "e", "f", "g"};
    const size_t sizes[16] = {0, 1, 1, 1, 1, 1, 1, 1};
    uncork_status status = UNCORK_OK;
    if (dtype == UNCORK_STRING) {
        if (count <= 8)
            status = uncork_value_new_strings(rank < 0 ? 0 : rank, shape, texts, sizes, &value);
    } else {
        status = uncork_value_new(dtype ? dtype : UNCORK_FLOAT32, rank < 0 ? 1 : rank,
                                  rank < 0 ? (int64_t[]){2} : shape, &value);
    }
    return status == UNCORK_OK ? value : NULL;
}

static uncork_status run_model(const uncork_model *model, uncork_error *error)
{
    const uncork_limits limits = {
        .size = sizeof limits, .max_memory_bytes = MEMORY, .timeout_ms = 5000};
    const int inputs = uncork_model_input_count(model);
    uncork_value **in = calloc((size_t)inputs + 1, sizeof *in);
    uncork_session *session = NULL;
    for (int i = 0; i < inputs; i++)
        in[i] = zeros(model, i);
    uncork_status status = uncork_session_new(model, NULL, &session);
    if (status == UNCORK_OK) {
        status =
            uncork_session_run(session, (const uncork_value *const *)in, inputs, &limits, error);
    }
    uncork_session_free(session);
    for (int i = 0; i < inputs; i++)
        uncork_value_free(in[i]);
    free(in);
    return status;
}

static uncork_status use_file(uncork_file *file, uncork_error *error)
{
    const uncork_prepare_options options = {
        .size = sizeof options,
        .limits = {.size = sizeof options.limits, .max_memory_bytes = MEMORY, .timeout_ms = 5000}};
    uncork_model *model = NULL;
    CHECK(uncork_file_json(file) != NULL);
    uncork_status status = uncork_prepare(file, NULL, &options, &model, error);
    if (status == UNCORK_OK) status = run_model(model, error);
    uncork_model_free(model);
    return status;
}

/* Opens and runs. A failure has a message of one line, and comes in time. */
static uncork_status use(const char *path, uc_bytes bytes, uncork_error *error)
{
    const uncork_open_options options = {
        .size = sizeof options,
        .limits = {.size = sizeof options.limits, .max_memory_bytes = MEMORY}};
    uncork_file *file = NULL;
    *error = (uncork_error){.size = sizeof *error};
    const uint64_t begin = uc_now_ns();
    uncork_status status =
        path ? uncork_open(path, &options, &file, error)
             : uncork_open_memory(bytes.data, bytes.size, "memory", &options, &file, error);
    if (status == UNCORK_OK) status = use_file(file, error);
    uncork_file_close(file);
    CHECK((uc_now_ns() - begin) / 1000000000u < SECONDS);
    CHECK((status == UNCORK_OK) == (error->what[0] == '\0'));
    CHECK(strchr(error->what, '\n') == NULL);
    return status;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void models_that_lie_are_refused(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    char **names;
    size_t count;
    CHECK_OK(uc_file_list(FOLDER, false, arena, &names, &count, &error), &error);
    CHECK(count > 100);
    for (size_t i = 0; i < count; i++) {
        if (!strstr(names[i], ".onnx")) continue;
        const uncork_status status =
            use(uc_arena_printf(arena, FOLDER "/%s", names[i]), (uc_bytes){NULL, 0}, &error);
        if (getenv("SHOW")) print_message("%-32s %d %s\n", names[i], (int)status, error.what);
        if (begins(names[i], "survive")) continue;
        if (begins(names[i], "good_if") && !uc_op_find("", "If")) continue;
        const bool good = begins(names[i], "good");
        if ((status == UNCORK_OK) != good)
            fail_msg("%s is %s: %s", names[i], good ? "refused" : "accepted", error.what);
    }
    uc_arena_free(arena);
}

/* ---- cut and changed files ---------------------------------------------------------------- */

static const char *const genuine[] = {
    FOLDER "/good_small.onnx",    FOLDER "/good_sparse.onnx",  FOLDER "/good_function_chain.onnx",
    FOLDER "/good_if_29.onnx",    FIXTURES "/constants.onnx",  FIXTURES "/functions.onnx",
    FIXTURES "/types_typed.onnx", FIXTURES "/strings.onnx",    FIXTURES "/if_11.onnx",
    FIXTURES "/loop.onnx",        FIXTURES "/packed_odd.onnx", FIXTURES "/defaults.onnx",
    FIXTURES "/metadata.onnx",    FIXTURES "/layers_ir3.onnx",
};
/* Too large to be cut at every byte: convolutions in their fused and in their 8-bit forms. */
static const char *const networks[] = {NETWORKS "/efficient.onnx", NETWORKS "/mobile_u8.onnx"};

typedef void (*with_bytes)(const char *path, uc_bytes bytes);

static void with_each(const char *const *paths, size_t count, with_bytes with)
{
    for (size_t i = 0; i < count; i++) {
        uncork_error error = {.size = sizeof error};
        uc_error_init(&error);
        uc_arena *arena = uc_arena_new(NULL);
        uc_bytes bytes;
        CHECK_OK(uc_file_read(paths[i], true, arena, &bytes, &error), &error);
        with(paths[i], bytes);
        uc_arena_free(arena);
    }
}

/* Copies end where the cut is, so that a sanitizer sees a read past it. A cut between two fields leaves
 * a whole protobuf message: then something else is missing, or nothing is (trailing metadata). */
static void cut_everywhere(const char *path, uc_bytes bytes)
{
    uncork_error error;
    (void)path;
    for (size_t n = 0; n < bytes.size; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, bytes.data, n);
        (void)use(NULL, (uc_bytes){copy, n}, &error);
        free(copy);
    }
}

static void models_cut_at_every_byte_do_no_harm(void **state)
{
    (void)state;
    with_each(genuine, sizeof genuine / sizeof genuine[0], cut_everywhere);
}

/* One to four bytes take another value: any, a bit flipped, or one that counts are made of; half of them
 * in the first 8 KiB, where a large model's nodes stand before its weights. */
static void mutate(const char *path, uc_bytes bytes)
{
    static const uint8_t special[] = {0, 1, 0x7f, 0x80, 0xff, 8, 16, 0x0a, 0x12};
    uncork_error error;
    (void)path;
    for (long round = test_mutations(); round > 0; round--) {
        uint8_t *copy = malloc(bytes.size);
        memcpy(copy, bytes.data, bytes.size);
        for (uint64_t k = next_random() % 4 + 1; k > 0; k--) {
            const size_t reach = bytes.size > 8192 && next_random() % 2 ? 8192 : bytes.size;
            uint8_t *at = &copy[next_random() % reach];
            switch (next_random() % 3) {
            case 0: *at = (uint8_t)next_random(); break;
            case 1: *at ^= (uint8_t)(1u << next_random() % 8); break;
            default: *at = special[next_random() % sizeof special]; break;
            }
        }
        (void)use(NULL, (uc_bytes){copy, bytes.size}, &error);
        free(copy);
    }
}

static void models_with_changed_bytes_do_no_harm(void **state)
{
    (void)state;
    with_each(genuine, sizeof genuine / sizeof genuine[0], mutate);
    with_each(networks, sizeof networks / sizeof networks[0], mutate);
}

/* ---- external data ------------------------------------------------------------------------ */

/* The model of good_external.onnx in a folder of its own, with whatever stands for its data. */
static uncork_status with_data(int (*place)(const char *from, const char *to), uncork_error *error)
{
    char folder[] = "/tmp/uncork-onnx-XXXXXX", model[64], data[64], outside[64];
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(outside, sizeof outside, "%s.bin", folder);
    (void)snprintf(model, sizeof model, "%s/model.onnx", folder);
    (void)snprintf(data, sizeof data, "%s/good_data.bin", folder);
    uc_arena *arena = uc_arena_new(NULL);
    uc_bytes bytes;
    uc_error_init(error);
    CHECK_OK(uc_file_read(FOLDER "/good_external.onnx", true, arena, &bytes, error), error);
    CHECK_OK(uc_file_write(model, bytes, error), error);
    CHECK_OK(uc_file_read(FOLDER "/good_data.bin", true, arena, &bytes, error), error);
    CHECK_OK(uc_file_write(outside, bytes, error), error);
    CHECK_INT(place(outside, data), 0);
    const uncork_status status = use(model, (uc_bytes){NULL, 0}, error);
    CHECK_INT(unlink(data), 0);
    CHECK_INT(unlink(model), 0);
    (void)unlink(outside);
    CHECK_INT(rmdir(folder), 0);
    uc_arena_free(arena);
    return status;
}

static void external_data_outside_the_folder_is_refused(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    CHECK_OK(with_data(rename, &error), &error);
    CHECK(with_data(symlink, &error) != UNCORK_OK);
    CHECK(strstr(error.what, "link"));
    CHECK(with_data(link, &error) != UNCORK_OK);
    CHECK(strstr(error.what, "hard link"));
}

static void external_data_of_a_model_in_memory_is_refused(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    uc_bytes bytes;
    CHECK_OK(uc_file_read(FOLDER "/good_external.onnx", true, arena, &bytes, &error), &error);
    CHECK_INT(use(NULL, bytes, &error), UNCORK_IO);
    uc_arena_free(arena);
}

static void unknown_operators_are_counted_and_the_first_named(void **state)
{
    (void)state;
    uncork_error error;
    CHECK_INT(use(FOLDER "/operators_unknown.onnx", (uc_bytes){NULL, 0}, &error),
              UNCORK_UNSUPPORTED);
    CHECK_STR(error.what, "5 operators of this model aren't known: Odd0, Odd1, Odd2, ...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_that_lie_are_refused),
        cmocka_unit_test(models_cut_at_every_byte_do_no_harm),
        cmocka_unit_test(models_with_changed_bytes_do_no_harm),
        cmocka_unit_test(external_data_outside_the_folder_is_refused),
        cmocka_unit_test(external_data_of_a_model_in_memory_is_refused),
        cmocka_unit_test(unknown_operators_are_counted_and_the_first_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
