/* Preprocessing text and label files: what they mean, and what is said when they are wrong. */
#include "check.h"

#include "contract/contract.h"
#include "contract/labels.h"

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

/* The canonical form of a text. */
static const char *canonical(const char *spec)
{
    uc_contract *contract;
    CHECK_OK(uc_contract_parse(spec, arena, &contract, &error), &error);
    uc_writer w;
    uc_writer_init(&w, 1000);
    uc_contract_text(contract, &w);
    const char *text = uc_arena_str(arena, uc_writer_string(&w));
    uc_writer_done(&w);
    return text;
}

static void a_pipeline_prints_in_a_form_that_reads_back_the_same(void **state)
{
    (void)state;
    const char *once = canonical(
        "  grayscale|resize = 28x28 , linear|float32 | scale=1/255 | mean=0.5 | std=0.25 |flatten");
    CHECK_STR(
        once,
        "gray | resize=28x28,bilinear,pillow | float32 | scale=1/255 | mean=0.5 | std=0.25 | flatten");
    CHECK_STR(canonical(once), once);
    const char *all =
        "exif | rgb | resize=256,bicubic,pillow6 | center_crop=224x224 | crop=1,2,30,40 | invert | scale=16/255 | add=-1 | bgr | nchw";
    CHECK_STR(canonical(all), all);
}

static void a_wrong_word_is_pointed_at(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *what;
    } cases[] = {
        {"gray | resise=8x8", "'resise' (character 8)"},
        {"resize=8by8", "'8by8' (character 8)"},
        {"resize=0x4", "is no size"},
        {"resize=8x8,cubical", "'cubical' (character 12)"},
        {"scale=1/0", "is no number"},
        {"std=0.2,0,0.2", "divides by zero"},
        {"mean=1,2", "one number, or one a channel"},
        {"gray || rgb", "stands empty"},
        {"crop=1,2,3", "is no rectangle"},
        {"torchvision:resnet5", "is no preset"},
        {"resize=8x8,area,pillow", "'area' (character 12) is a filter of another library"},
        {"resize=8x8,align_corners,opencv", "isn't known to this library's resize"},
        {"gray | decode=opencv", "must be the first step"},
        {"decode=pillow,grayscale", "isn't known to this decoder"},
        {"resize=8,crop_to_aspect,keras", "must be WIDTHxHEIGHT"},
        {"mean=1e999", "is no number"},
        {"float32=3", "takes nothing"},
        {"", "holds no step"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uc_contract *contract;
        uc_error_init(&error);
        CHECK_INT(uc_contract_parse(cases[i].spec, arena, &contract, &error), UNCORK_USAGE);
        if (!strstr(error.what, cases[i].what)) fail_msg("'%s': %s", cases[i].spec, error.what);
    }
}

static void a_near_name_is_offered(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *fix;
    } cases[] = {
        {"gray | resise=8x8", "did you mean resize?"},
        {"resize=8x8,bilinaer", "did you mean bilinear?"},
        {"decode=opencvs", "did you mean opencv?"},
        {"keras:mobilnet_v2", "did you mean keras:mobilenet_v2?"},
        {"torchvision:resnet5", "did you mean torchvision:resnet50?"},
        {"nchv", "did you mean nchw?"},
        {"quux", "--preprocess list prints the presets"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uc_contract *contract;
        uc_error_init(&error);
        CHECK_INT(uc_contract_parse(cases[i].spec, arena, &contract, &error), UNCORK_USAGE);
        if (!strstr(error.fix, cases[i].fix)) fail_msg("'%s': %s", cases[i].spec, error.fix);
    }
}

static void a_preset_stands_for_its_steps(void **state)
{
    (void)state;
    /* weights.transforms() of torchvision 0.29.2; preprocess_input of Keras 3.15.1 */
    const char *v2 = "rgb | resize=232,bilinear,pillow | center_crop=224x224 | float32 | "
                     "scale=1/255 | mean=0.485,0.456,0.406 | std=0.229,0.224,0.225 | nchw";
    CHECK_STR(canonical("torchvision:resnet50"), v2);
    CHECK_STR(canonical("torchvision:resnet50:IMAGENET1K_V2"), v2);
    CHECK_STR(canonical("Torchvision:ResNet-50:imagenet1k-v2"), v2);
    CHECK(strcmp(canonical("torchvision:resnet50:IMAGENET1K_V1"), v2) != 0);
    const char *mobilenet = "rgb | resize=224x224,nearest,pillow | float32 | scale=1/127.5 | "
                            "add=-1 | nhwc";
    CHECK_STR(canonical("keras:mobilenet_v2"), mobilenet);
    CHECK_STR(canonical("keras:MobileNetV2"), mobilenet);
    CHECK(strstr(canonical("exif | keras:mobilenet_v2"), "exif | rgb | resize=224x224"));
}

static void every_preset_and_every_step_reads_back(void **state)
{
    (void)state;
    const char *name, *steps;
    size_t count = 0;
    for (; uc_contract_preset_at(count, &name, &steps); count++) {
        if (strcmp(canonical(steps), steps) != 0) fail_msg("%s: %s", name, steps);
        if (count % 16 == 0) CHECK_STR(canonical(name), steps);
    }
    CHECK(count > 3000);
}

/* Parts of pipelines that people write, put together at random. */
static const char *const parts[] = {"exif",
                                    "rgb",
                                    "rgba",
                                    "float",
                                    "gray",
                                    "gray=opencv",
                                    "gray=tensorflow",
                                    "gray=torchvision",
                                    "gray=skimage",
                                    "bgr",
                                    "resize=224",
                                    "resize=224x200",
                                    "resize=32x32,nearest,pillow",
                                    "resize=256,bicubic,pillow9",
                                    "resize=800,bilinear,torchvision,longest_edge=1333",
                                    "resize=256,max_size=400,bilinear,torchvision,noantialias,v1",
                                    "resize=8x8,area,opencv",
                                    "resize=64x64,lanczos4,cv2",
                                    "resize=64x64,tensorflow",
                                    "resize=64x64,bicubic,tf,antialias",
                                    "resize=64x48,bilinear,tensorflow,v1,align_corners",
                                    "resize=64x48,keras,crop_to_aspect",
                                    "resize=64x48,tensorflow,pad_to_aspect",
                                    "resize=28x28,skimage",
                                    "resize=28x28,bicubic,skimage,noantialias,preserve_range",
                                    "resize=64x64,bicubic,pillow,fit",
                                    "resize=64x64,bicubic,pillow,cover",
                                    "center_crop=224",
                                    "center_crop=224x200,keras",
                                    "center_crop=224,hf",
                                    "center_crop=64,opencv",
                                    "center_crop=384x384,124,116,104",
                                    "central_crop=0.875",
                                    "crop=-1,2,30,40",
                                    "pad=1,2,3,4",
                                    "pad=1,2,3,4,114",
                                    "pad_to_multiple=32",
                                    "pad_to_multiple=32,0.5",
                                    "crop_or_pad=64x32",
                                    "letterbox=640",
                                    "letterbox=640x480,0",
                                    "uint8",
                                    "int8",
                                    "int32",
                                    "float16",
                                    "float32",
                                    "float64",
                                    "scale=1/255",
                                    "scale=16/255",
                                    "scale=0.00392156862745098",
                                    "scale=1,2,3",
                                    "add=-1",
                                    "mean=0.5",
                                    "mean=0.485,0.456,0.406",
                                    "std=0.229,0.224,0.225",
                                    "normalize=imagenet",
                                    "normalize=0.5/0.25",
                                    "invert",
                                    "standardize",
                                    "nchw",
                                    "nhwc",
                                    "flatten",
                                    "batch",
                                    "hwc",
                                    "grayscale",
                                    "keras:vgg16",
                                    "hf:CLIPImageProcessor"};
static const char *const firsts[] = {"",
                                     "decode=pillow |",
                                     "decode=pillow6 |",
                                     "decode=opencv |",
                                     "decode=opencv,grayscale,ignore_orientation,reduced2 |",
                                     "decode=opencv,unchanged |",
                                     "decode=tensorflow |",
                                     "decode=tensorflow,jpeg,accurate,plain,ratio4,recover |",
                                     "decode=tensorflow,png,gray,uint16 |",
                                     "decode=torchvision,unchanged |",
                                     "decode=keras,grayscale |",
                                     "decode=skimage |",
                                     "decode=matplotlib |"};

static void random_pipelines_read_back_from_text_and_json(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int i = 0; i < 2000; i++) {
        uc_writer w, json;
        uc_writer_init(&w, 10000);
        uc_writer_init(&json, 100000);
        seed = seed * 1664525u + 1013904223u;
        uc_writer_text(&w, firsts[(seed >> 16) % (sizeof firsts / sizeof firsts[0])]);
        int n = 1 + (int)(seed >> 28);
        for (int k = 0; k < n; k++) {
            seed = seed * 1664525u + 1013904223u;
            uc_writer_printf(&w, "%s%s", k ? "|" : "",
                             parts[(seed >> 16) % (sizeof parts / sizeof parts[0])]);
        }
        const char *once = canonical(uc_writer_string(&w));
        CHECK_STR(canonical(once), once);
        uc_contract *contract, *back;
        CHECK_OK(uc_contract_parse(once, arena, &contract, &error), &error);
        uc_json_writer out = {.out = &json};
        uc_contract_json(contract, &out);
        const uc_json *tree = uc_json_read((uc_bytes){json.data, json.size}, 0, arena, &error);
        CHECK(tree);
        CHECK_OK(uc_contract_of_json(tree, "contract.json", arena, &back, &error), &error);
        w.size = 0;
        uc_contract_text(back, &w);
        CHECK_STR(uc_writer_string(&w), once);
        uc_writer_done(&json);
        uc_writer_done(&w);
    }
}

/* What is assumed for a number of features and a range. */
static const char *inferred(int64_t features, double low, double high)
{
    uc_facts facts = {.arena = arena};
    uc_findings findings = {.arena = arena};
    if (low <= high) {
        uc_fact_number(&facts, "seen_min", low);
        uc_fact_number(&facts, "seen_max", high);
    }
    const uc_contract_want want = {.dtype = UNCORK_FLOAT64, .rank = 1, .shape = {features}};
    uc_contract *contract;
    uc_error_init(&error);
    if (uc_contract_infer(&facts, NULL, 0, &want, arena, &findings, &contract, &error))
        return error.what;
    CHECK(findings.count >= 3); /* size, scale and the steps are said */
    uc_writer w;
    uc_writer_init(&w, 1000);
    uc_contract_text(contract, &w);
    const char *text = uc_arena_str(arena, uc_writer_string(&w));
    uc_writer_done(&w);
    return text;
}

static void size_and_scale_follow_the_documented_rules(void **state)
{
    (void)state;
    CHECK_STR(inferred(64, 0, 16), "gray | resize=8x8,bicubic,pillow | scale=16/255 | flatten");
    CHECK_STR(inferred(784, 0, 1), "gray | resize=28x28,bicubic,pillow | scale=1/255 | flatten");
    CHECK_STR(inferred(784, 0, 255), "gray | resize=28x28,bicubic,pillow | flatten");
    CHECK_STR(inferred(784, 1, 0), "gray | resize=28x28,bicubic,pillow | scale=1/255 | flatten");
    CHECK_STR(inferred(3072, -1, 1),
              "rgb | resize=32x32,bicubic,pillow | scale=1/127.5 | add=-1 | flatten");
    CHECK_STR(inferred(1850, 0, 255), "gray | resize=37x50,bicubic,pillow | flatten");
    CHECK(strstr(inferred(13, 0, 1), "no square picture"));
}

static void labels_are_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        size_t count;
        size_t index;
        const char *label;
    } cases[] = {
        {"l.txt", "cat\ndog\n", 2, 1, "dog"},
        {"l.txt",
         "\xef\xbb\xbf"
         "cat\r\ndog\r\n",
         2, 0, "cat"},
        {"l.txt", "0 cat\n1 big dog\n", 2, 1, "big dog"},
        {"l.csv", "index,label\n0,cat\n2,dog\n", 3, 2, "dog"},
        {"l.json", "[\"cat\", \"dog\"]", 2, 1, "dog"},
        {"l.json", "{\"0\": \"cat\", \"1\": \"dog\"}", 2, 1, "dog"},
        {"l.json", "{\"cat\": 0, \"dog\": 1}", 2, 1, "dog"},
        {"config.json", "{\"id2label\": {\"0\": \"cat\", \"1\": \"dog\"}}", 2, 0, "cat"},
        {"l.pbtxt",
         "item {\n id: 1\n name: 'n01'\n display_name: \"dog\"\n}\nitem { id: 5 name: \"cow\" }", 6,
         1, "dog"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uc_labels labels;
        uc_error_init(&error);
        const uc_bytes bytes = {(const uint8_t *)cases[i].text, strlen(cases[i].text)};
        CHECK_OK(uc_labels_read(bytes, cases[i].name, arena, &labels, &error), &error);
        CHECK_INT(labels.count, cases[i].count);
        if (!uc_str_is(labels.items[cases[i].index], cases[i].label)) fail_msg("case %zu", i);
    }
    uc_labels labels;
    CHECK_INT(uc_labels_read((uc_bytes){(const uint8_t *)"{\"x\": 99999999}", 15}, "l.json", arena,
                             &labels, &error),
              UNCORK_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pipeline_prints_in_a_form_that_reads_back_the_same,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_word_is_pointed_at, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_near_name_is_offered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_preset_stands_for_its_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_preset_and_every_step_reads_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_pipelines_read_back_from_text_and_json, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(size_and_scale_follow_the_documented_rules, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(labels_are_read_in_every_form, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
