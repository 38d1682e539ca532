/* Config files beside a model become the steps that their library runs, and names tell architectures. */
#include "check.h"

#include "contract/beside_internal.h"
#include "contract/contract.h"

static uc_arena *arena;
static uncork_error error;

static int set_up(void **state)
{
    (void)state;
    arena = uc_arena_new(NULL);
    uc_error_init(&error);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    uc_arena_free(arena);
    return 0;
}

static const uc_json *json_of(const char *text)
{
    const uc_json *json =
        uc_json_read((uc_bytes){(const uint8_t *)text, strlen(text)}, 0, arena, &error);
    CHECK(json);
    return json;
}

/* The steps in canonical form, "" when there are none. */
static const char *canonical(const char *spec)
{
    uc_contract *contract;
    if (!*spec) return "";
    CHECK_OK(uc_contract_parse(spec, arena, &contract, &error), &error);
    uc_writer w;
    uc_writer_init(&w, 10000);
    uc_contract_text(contract, &w);
    const char *text = uc_arena_str(arena, uc_writer_string(&w));
    uc_writer_done(&w);
    return text;
}

/* The presets' steps come from the genuine processors' own defaults; a checkpoint that ships those
 * defaults must mean the same. Saved by save_pretrained of transformers 5.24. */
static void a_processor_config_is_the_steps_of_its_class(void **state)
{
    (void)state;
    static const struct {
        const char *json, *preset,
            *other; /* other: of the second backend, NULL where the file tells */
    } cases[] = {
        {"{\"do_normalize\": true, \"do_rescale\": true, \"do_resize\": true, \"image_mean\": [0.5, 0.5, "
         "0.5], \"image_processor_type\": \"ViTImageProcessor\", \"image_std\": [0.5, 0.5, 0.5], "
         "\"resample\": 2, \"rescale_factor\": 0.00392156862745098, \"size\": {\"height\": 224, "
         "\"width\": 224}}",
         "hf:ViTImageProcessor", "hf:ViTImageProcessorPil"},
        {"{\"do_center_crop\": true, \"crop_size\": {\"height\": 224, \"width\": 224}, "
         "\"do_convert_rgb\": true, \"do_normalize\": true, \"do_rescale\": true, \"do_resize\": true, "
         "\"image_mean\": [0.48145466, 0.4578275, 0.40821073], \"image_processor_type\": "
         "\"CLIPImageProcessorFast\", \"image_std\": [0.26862954, 0.26130258, 0.27577711], "
         "\"resample\": 3, \"rescale_factor\": 0.00392156862745098, \"size\": {\"shortest_edge\": 224}}",
         "hf:CLIPImageProcessor", NULL},
        {"{\"crop_pct\": 0.875, \"do_normalize\": true, \"do_rescale\": true, \"do_resize\": true, "
         "\"image_mean\": [0.5, 0.5, 0.5], \"image_processor_type\": \"ConvNextImageProcessorPil\", "
         "\"image_std\": [0.5, 0.5, 0.5], \"resample\": 3, \"rescale_factor\": 0.00392156862745098, "
         "\"size\": {\"shortest_edge\": 384}}",
         "hf:ConvNextImageProcessorPil", NULL},
        {"{\"do_pad\": true, \"do_normalize\": true, \"do_rescale\": true, \"do_resize\": true, "
         "\"image_mean\": [0.485, 0.456, 0.406], \"image_processor_type\": \"DetrImageProcessorFast\", "
         "\"image_std\": [0.229, 0.224, 0.225], \"resample\": 2, \"rescale_factor\": "
         "0.00392156862745098, \"size\": {\"shortest_edge\": 800, \"longest_edge\": 1333}}",
         "hf:DetrImageProcessor", NULL},
        /* of transformers 4.5, when one number was a size and the factor wasn't told */
        {"{\"do_normalize\": true, \"do_resize\": true, \"feature_extractor_type\": "
         "\"ViTFeatureExtractor\", \"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5], "
         "\"resample\": 2, \"size\": 224}",
         "hf:ViTImageProcessorPil", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uc_writer spec, other;
        uc_writer_init(&spec, 10000);
        uc_writer_init(&other, 10000);
        CHECK(uc_beside_hf(json_of(cases[i].json), &spec, &other));
        CHECK_STR(canonical(uc_writer_string(&spec)), canonical(cases[i].preset));
        CHECK_STR(canonical(uc_writer_string(&other)),
                  cases[i].other ? canonical(cases[i].other) : "");
        uc_writer_done(&spec);
        uc_writer_done(&other);
    }
}

static void a_processor_of_sound_is_no_picture_processor(void **state)
{
    (void)state;
    uc_writer spec, other;
    uc_writer_init(&spec, 10000);
    uc_writer_init(&other, 10000);
    CHECK(!uc_beside_hf(json_of("{\"feature_extractor_type\": \"Wav2Vec2FeatureExtractor\", "
                                "\"sampling_rate\": 16000, \"do_normalize\": true}"),
                        &spec, &other));
    uc_writer_done(&spec);
    uc_writer_done(&other);
}

static void a_timm_config_is_the_steps_of_its_weights(void **state)
{
    (void)state;
    uc_writer spec;
    uc_writer_init(&spec, 10000);
    CHECK(uc_beside_timm(
        json_of(
            "{\"architecture\": \"resnet50\", \"num_classes\": 1000, \"pretrained_cfg\": {\"tag\": "
            "\"a1_in1k\", \"input_size\": [3, 224, 224], \"interpolation\": \"bicubic\", "
            "\"crop_pct\": 0.95, \"crop_mode\": \"center\", \"mean\": [0.485, 0.456, 0.406], "
            "\"std\": [0.229, 0.224, 0.225]}}"),
        &spec));
    CHECK_STR(canonical(uc_writer_string(&spec)), canonical("timm:resnet50.a1_in1k"));
    spec.size = 0;
    CHECK(!uc_beside_timm(json_of("{\"model_type\": \"vit\"}"), &spec));
    uc_writer_done(&spec);
}

static void teachable_machine_crops_the_middle(void **state)
{
    (void)state;
    uc_writer spec;
    uc_writer_init(&spec, 10000);
    CHECK(uc_beside_teachable(
        json_of("{\"packageName\": \"@teachablemachine/image\", \"imageSize\": 224, "
                "\"labels\": [\"a\", \"b\"]}"),
        &spec));
    CHECK_STR(
        canonical(uc_writer_string(&spec)),
        "rgb | resize=224x224,lanczos,pillow,imageops_fit | float32 | scale=1/127.5 | add=-1 | "
        "nhwc");
    uc_writer_done(&spec);
}

static void names_tell_architectures_as_whole_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool last;
        const char *preset;
    } cases[] = {
        {"resnet50-v1-7.onnx", false, "torchvision:resnet50"},
        {"resnet50.onnx", true, "keras:resnet50"},
        {"MobileNetV2_1.0_224", false, "torchvision:mobilenet_v2"},
        {"my_efficientnet_b0_final.onnx", false, "torchvision:efficientnet_b0"},
        {"resnet50_v2", true, "keras:resnet50_v2"},
        {"vit_base_patch16_224", false, "timm:vit_base_patch16_224"},
        {"model.onnx", false, NULL},
        {"torch_jit", false, NULL},
        {"presnet500", false, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *preset = NULL, *other = NULL;
        bool found =
            uc_beside_architecture(uc_str_of(cases[i].text), cases[i].last, &preset, &other, arena);
        if (found != (cases[i].preset != NULL) || (found && strcmp(preset, cases[i].preset) != 0))
            fail_msg("%s: %s", cases[i].text, found ? preset : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_processor_config_is_the_steps_of_its_class, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_processor_of_sound_is_no_picture_processor, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_timm_config_is_the_steps_of_its_weights, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(teachable_machine_crops_the_middle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_tell_architectures_as_whole_words, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
