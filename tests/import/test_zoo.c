/* State dicts of known architectures (tests/fixtures/gen/zoo.py): recognised without help whatever stands in
 * front of their keys, and answered as torch does. Bound of networks: |got - want| <= 1e-4 |want| +
 * 1e-5 max|want|. */
#include "base/file.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "zoo_case.h"

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/pytorch"

static const char hand_made[] =
    "Sequential(Conv2d(1, 4, 3), ReLU(), Conv2d(4, 8, 3), ReLU(), "
    "MaxPool2d(2), Flatten(), Linear(1152, 16), ReLU(), Linear(16, 10))";

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

static uncork_file *open_model(uc_arena *arena, const char *name, const char *arch)
{
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    const uc_tensor *t = array(arena, name, "model");
    const uncork_open_options options = {.size = sizeof options, .arch = arch};
    CHECK_OK(uncork_open_memory(t->data, (size_t)uc_tensor_count(t), name, &options, &file, &error),
             &error);
    return file;
}

static void check_network(const char *name, const char *arch)
{
    uc_arena *arena = uc_arena_new(NULL);
    const uc_tensor *model = array(arena, name, "model");
    const uc_bytes bytes = {model->data, (size_t)uc_tensor_count(model)};
    check_case(name, bytes, arch, array(arena, name, "x"), array(arena, name, "y"));
    uc_arena_free(arena);
}

static void known_architectures_answer_as_torch(void **unused)
{
    static const char *const names[] = {"resnet_cifar", "shufflenet", "squeezenet", "densenet",
                                        "vit",          "swin",       "convnext"};
    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        check_network(names[i], NULL);
    }
}

static void a_network_given_as_text_answers_as_torch(void **unused)
{
    (void)unused;
    check_network("hand_made", hand_made);
}

/* What prepare says of a file that can't run. */
static void refused(const char *name, const char *arch, uncork_error *error)
{
    uc_arena *arena = uc_arena_new(NULL);
    uncork_model *model;
    uncork_file *file = open_model(arena, name, arch);
    const uncork_prepare_options options = {.size = sizeof options};
    CHECK_INT(uncork_prepare(file, NULL, &options, &model, error), UNCORK_UNSUPPORTED);
    uncork_file_close(file);
    uc_arena_free(arena);
}

static void hand_made_layers_are_proposed_not_run(void **unused)
{
    (void)unused;
    uncork_error error = {.size = sizeof error};
    refused("hand_made", NULL, &error);
    CHECK(strstr(error.fix, hand_made) != NULL);
    CHECK(strstr(error.fix, "pictures of 28x28") != NULL);
}

static void another_network_than_the_files_is_refused_with_counts(void **unused)
{
    (void)unused;
    uncork_error error = {.size = sizeof error};
    refused("shufflenet", "resnet50", &error);
    CHECK(strstr(error.what, "resnet50 has ") != NULL);
    CHECK(strstr(error.what, " keys missing, ") != NULL);
    refused("shufflenet", "nonsense", &error);
    CHECK(strstr(error.what, "'nonsense' is no architecture") != NULL);
    refused("hand_made", "Sequential(Conv2d(1, 4, 5), Linear(3, 4))", &error);
    CHECK(strstr(error.what, " of another shape") != NULL);
    refused("hand_made", "Sequential(Conv2d(1, 4, 5)", &error);
    CHECK(strstr(error.what, "--arch: ") != NULL);
    refused("hand_made", "Sequential(Telescope(1, 4, 5))", &error);
    CHECK(strstr(error.what, "Telescope") != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_architectures_answer_as_torch),
        cmocka_unit_test(a_network_given_as_text_answers_as_torch),
        cmocka_unit_test(hand_made_layers_are_proposed_not_run),
        cmocka_unit_test(another_network_than_the_files_is_refused_with_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
