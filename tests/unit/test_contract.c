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
        {"mean=1,2", "one number, or one a channel"},
        {"gray || rgb", "stands empty"},
        {"crop=1,2,3", "is no rectangle"},
        {"torchvision:resnet50", "presets aren't in this build"},
        {"", "holds no step"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uc_contract *contract;
        uc_error_init(&error);
        CHECK_INT(uc_contract_parse(cases[i].spec, arena, &contract, &error), UNCORK_USAGE);
        if (!strstr(error.what, cases[i].what)) fail_msg("'%s': %s", cases[i].spec, error.what);
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
    if (uc_contract_infer(&facts, &want, arena, &findings, &contract, &error)) return error.what;
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
        cmocka_unit_test_setup_teardown(size_and_scale_follow_the_documented_rules, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(labels_are_read_in_every_form, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
