/* Small networks of timm's, transformers' and Ultralytics' families (tests/fixtures/gen/zoo_small.py): recognised by keys,
 * shapes and names, answered as torch does. */
#include "base/file.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "zoo_case.h"

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/pytorch"

typedef struct archive {
    uc_arena *arena;
    uc_bundle *bundle;
} archive;

/* False when there is no such archive. */
static bool open_archive(int number, archive *a)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    a->arena = uc_arena_new(NULL);
    const char *path = uc_arena_printf(a->arena, FOLDER "/zoo_small_%d.zip", number);
    FILE *file = fopen(path, "rb");
    if (!file) {
        uc_arena_free(a->arena);
        return false;
    }
    fclose(file);
    CHECK_OK(uc_bundle_open(path, true, a->arena, NULL, &a->bundle, &error), &error);
    return true;
}

static uc_bytes entry(const archive *a, const char *name, const char *what)
{
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    uc_error_init(&error);
    const size_t i = uc_bundle_find(a->bundle, uc_arena_printf(a->arena, "%s/%s", name, what));
    CHECK(i != SIZE_MAX);
    CHECK_OK(uc_bundle_read(a->bundle, i, &bytes, &error), &error);
    return bytes;
}

static const uc_tensor *array(const archive *a, const char *name, const char *what)
{
    uncork_error error = {.size = sizeof error};
    uc_npy npy;
    uc_error_init(&error);
    CHECK_OK(uc_npy_read(entry(a, name, what), 0, a->arena, &npy, &error), &error);
    return npy.tensor;
}

static const char *const names[] = {"beit_base",
                                    "swinv2_tiny_window4_32",
                                    "tf_efficientnet_b0",
                                    "efficientnet_b0",
                                    "mobilenet_edgetpu_100",
                                    "lcnet_035",
                                    "mobilevit_xxs",
                                    "mobilevitv2_050",
                                    "mixer",
                                    "resmlp",
                                    "res2net",
                                    "legacy_seresnet",
                                    "hf_beit",
                                    "hf_deit",
                                    "hf_clip",
                                    "hf_regnet",
                                    "hf_resnet",
                                    "hf_convnextv2",
                                    "hf_swin",
                                    "hf_mobilenet_v1",
                                    "hf_mobilenet_v2",
                                    "hf_efficientnet",
                                    "hf_segformer",
                                    "yolov8",
                                    "yolo11",
                                    "yolov8-pose",
                                    "yolov8-cls"};

static void small_networks_of_known_families_answer_as_torch(void **unused)
{
    (void)unused;
    size_t ran = 0;
    archive a;
    for (int number = 0; open_archive(number, &a); number++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            const char *key = uc_arena_printf(a.arena, "%s/model", names[i]);
            if (uc_bundle_find(a.bundle, key) == SIZE_MAX) continue;
            const uc_bytes bytes = entry(&a, names[i], "model");
            check_case(names[i], bytes, NULL, array(&a, names[i], "x.npy"),
                       array(&a, names[i], "y.npy"));
            ran++;
        }
        uc_arena_free(a.arena);
    }
    CHECK_INT(ran, sizeof names / sizeof names[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_networks_of_known_families_answer_as_torch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
