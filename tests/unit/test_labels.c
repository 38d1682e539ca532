/* Label files in the forms people have them, sets by name, and how labels are counted. */
#include "check.h"
#include "contract/labels.h"

#include <stdio.h>
#include <stdlib.h>

static uc_arena *arena;

static uc_labels read_as(const char *name, const char *text)
{
    uncork_error error = {.size = sizeof error};
    uc_labels labels;
    uc_bytes bytes = {(const uint8_t *)text, strlen(text)};
    CHECK_OK(uc_labels_read(bytes, name, arena, &labels, &error), &error);
    return labels;
}

static uc_labels read_text(const char *text)
{
    uncork_error error = {.size = sizeof error};
    uc_labels labels;
    CHECK_OK(uc_labels_text(uc_str_of(text), arena, &labels, &error), &error);
    return labels;
}

static void is(const uc_labels *labels, size_t i, const char *want)
{
    char got[256];
    CHECK(i < labels->count);
    snprintf(got, sizeof got, "%.*s", (int)labels->items[i].size,
             labels->items[i].size ? labels->items[i].data : "");
    CHECK_STR(got, want);
}

#define IS(labels, i, want) is(&(labels), (i), (want))

static void a_label_stands_on_each_line(void **state)
{
    (void)state;
    uc_labels l = read_as("labels.txt", "cat\r\ndog\nred fox\n");
    CHECK_INT(l.count, 3);
    IS(l, 0, "cat");
    IS(l, 2, "red fox");
    l = read_as("labels.txt", "\xef\xbb\xbf"
                              "cat\ndog");
    CHECK_INT(l.count, 2);
    IS(l, 0, "cat");
}

static void lines_may_begin_with_their_index(void **state)
{
    (void)state;
    uc_labels l = read_as("labels.txt", "2 dog\n0 cat\n1 red fox\n"); /* Teachable Machine's form */
    CHECK_INT(l.count, 3);
    IS(l, 0, "cat");
    IS(l, 1, "red fox");
    l = read_as("x", "1: person\n3: car\n");
    CHECK_INT(l.count, 4);
    IS(l, 1, "person");
    IS(l, 2, "");
    IS(l, 3, "car");
}

static void synset_numbers_are_no_part_of_a_name(void **state)
{
    (void)state;
    uc_labels l = read_as("synset.txt",
                          "n01440764 tench, Tinca tinca\nn01443537 goldfish, Carassius auratus\n");
    CHECK_INT(l.count, 2);
    IS(l, 0, "tench, Tinca tinca");
    IS(l, 1, "goldfish, Carassius auratus");
    l = read_as("synset.txt", "n01440764\nn01443537\n"); /* nothing else to show */
    IS(l, 0, "n01440764");
}

static void json_is_a_list_or_a_map_either_way_round(void **state)
{
    (void)state;
    uc_labels l = read_as("l.json", "[\"cat\", \"dog\"]");
    IS(l, 1, "dog");
    l = read_as("class_indices.json", "{\"dog\": 1, \"cat\": 0}");
    IS(l, 0, "cat");
    l = read_as("l.json", "{\"0\": \"cat\", \"2\": \"dog\"}");
    CHECK_INT(l.count, 3);
    IS(l, 2, "dog");
    l = read_as("imagenet_class_index.json", "{\"0\": [\"n01440764\", \"tench\"]}");
    IS(l, 0, "tench");
    l = read_as("config.json", "{\"id2label\": {\"0\": \"LABEL\", \"1\": \"dog\"}, \"x\": 3}");
    IS(l, 1, "dog");
    l = read_as("l.json", "[{\"id\": 1, \"name\": \"person\"}, {\"id\": 3, \"name\": \"car\"}]");
    CHECK_INT(l.count, 4);
    IS(l, 3, "car");
}

static void csv_columns_are_found_by_their_names_or_their_numbers(void **state)
{
    (void)state;
    uc_labels l = read_as("l.csv", "index,label\n1,\"fox, red\"\n0,cat\n");
    IS(l, 0, "cat");
    IS(l, 1, "fox, red");
    l = read_as("l.csv", "name,class_id\ndog,1\ncat,0\n");
    IS(l, 1, "dog");
    l = read_as("l.csv", "cat,0\ndog,1\n");
    IS(l, 1, "dog");
    l = read_as("l.csv", "0;cat\n1;dog\n");
    IS(l, 1, "dog");
    l = read_as("l.csv", "label\ncat\ndog\n");
    CHECK_INT(l.count, 2);
    IS(l, 0, "cat");
    l = read_as("class_map.csv", "index,mid,display_name\n0,/m/09x0r,Speech\n1,/m/0ytgt,Child\n");
    IS(l, 1, "Child");
}

static void label_maps_have_ids_with_gaps_and_display_names(void **state)
{
    (void)state;
    uc_labels l =
        read_as("m.pbtxt", "item {\n  name: \"/m/01g317\"\n  id: 1\n  display_name: \"person\"\n}\n"
                           "item { name: '/m/0k4j' id: 3 display_name: 'car' } # a comment\n"
                           "item{id:4 name:'dog'}\n");
    CHECK_INT(l.count, 5);
    IS(l, 0, "");
    IS(l, 1, "person");
    IS(l, 2, "");
    IS(l, 3, "car");
    IS(l, 4, "dog");
}

static void metadata_holds_python_or_json(void **state)
{
    (void)state;
    uc_labels l = read_text("{0: 'person', 1: \"bird's eye\", 3: 'car'}"); /* Ultralytics */
    CHECK_INT(l.count, 4);
    IS(l, 1, "bird's eye");
    IS(l, 3, "car");
    l = read_text("['a', 'it\\'s', \"b\"]");
    IS(l, 1, "it's");
    l = read_text("{\"cat\": 0, \"dog\": 1}");
    IS(l, 1, "dog");
    l = read_text("cat, dog ,fox");
    CHECK_INT(l.count, 3);
    IS(l, 1, "dog");
    l = read_text("cat\ndog, wild\n");
    IS(l, 1, "dog, wild");
}

static void broken_texts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "{",
                                      "{0: 'a'",
                                      "{0 'a'}",
                                      "[",
                                      "['a",
                                      "['a' 'b'",
                                      "{'a': 'b'}",
                                      "{0: }",
                                      "{-1: 'a'}",
                                      "{99999999: 'a'}",
                                      "[[[[[[",
                                      "{0: 'a' 1: 'b'}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uncork_error error = {.size = sizeof error};
        uc_labels labels;
        CHECK(uc_labels_text(uc_str_of(bad[i]), arena, &labels, &error) != UNCORK_OK);
        CHECK(error.what[0]);
    }
}

/* Every beginning of a file is read or refused, never read past its end. */
static void cut_files_are_read_or_refused(void **state)
{
    (void)state;
    static const char text[] = "item { name: '\\'x' id: 3 display_name: \"c\" }";
    static const char *const names[] = {"m.pbtxt", "l.json", "l.csv", "l.txt"};
    for (size_t n = 0; n < sizeof text; n++) {
        for (size_t k = 0; k < 4; k++) {
            uncork_error error = {.size = sizeof error};
            uc_labels labels;
            uint8_t *copy = malloc(n ? n : 1); /* so that a sanitizer sees the end */
            memcpy(copy, text, n);
            uncork_status status =
                uc_labels_read((uc_bytes){copy, n}, names[k], arena, &labels, &error);
            CHECK(status == UNCORK_OK || error.what[0]);
            free(copy);
        }
    }
}

static void sets_are_known_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t count, index;
        const char *label;
    } sets[] = {{"imagenet", 1000, 281, "tabby"},
                {"imagenet", 1000, 999, "toilet tissue"},
                {"coco", 80, 79, "toothbrush"},
                {"coco91", 91, 90, "toothbrush"},
                {"coco91", 91, 1, "person"},
                {"voc", 21, 20, "tvmonitor"},
                {"mnist", 10, 7, "7"},
                {"fashion_mnist", 10, 9, "Ankle boot"},
                {"cifar10", 10, 3, "cat"},
                {"cifar100", 100, 99, "worm"},
                {"coco_keypoints", 17, 16, "right_ankle"}};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        uc_labels l;
        CHECK(uc_labels_set(sets[i].name, arena, &l));
        CHECK_INT(l.count, sets[i].count);
        IS(l, sets[i].index, sets[i].label);
        CHECK(strstr(uc_labels_set_names(), sets[i].name) != NULL);
    }
    uc_labels none;
    CHECK(!uc_labels_set("imagenet21k", arena, &none));
}

static void labels_are_counted_against_classes(void **state)
{
    (void)state;
    char text[256];
    uc_labels l = read_text("a,b,c");
    CHECK_INT(uc_labels_fit_to(&l, 3, arena, text, sizeof text), UC_LABELS_EXACT);
    l = read_text("background,b,c");
    CHECK_INT(uc_labels_fit_to(&l, 2, arena, text, sizeof text), UC_LABELS_SHIFTED);
    IS(l, 0, "b");
    l = read_as("m.pbtxt", "item { id: 1 name: 'a' } item { id: 2 name: 'b' }");
    CHECK_INT(uc_labels_fit_to(&l, 2, arena, text, sizeof text), UC_LABELS_SHIFTED);
    IS(l, 0, "a");
    CHECK(uc_labels_set("imagenet", arena, &l));
    CHECK_INT(uc_labels_fit_to(&l, 1001, arena, text, sizeof text), UC_LABELS_SHIFTED);
    IS(l, 0, "background");
    IS(l, 1, "tench");
    IS(l, 1000, "toilet tissue");
    l = read_text("a,b,c");
    CHECK_INT(uc_labels_fit_to(&l, 4, arena, text, sizeof text), UC_LABELS_ODD);
    CHECK(strstr(text, "3 labels for 4 classes") != NULL);
    IS(l, 0, "a");
    CHECK_INT(uc_labels_fit_to(&l, 2, arena, text, sizeof text), UC_LABELS_ODD);
    CHECK_INT(uc_labels_fit_to(&l, 9, arena, text, sizeof text), UC_LABELS_FEW);
}

static int set_up(void **state)
{
    (void)state;
    arena = uc_arena_new(NULL);
    return arena ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    uc_arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_label_stands_on_each_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_may_begin_with_their_index, set_up, tear_down),
        cmocka_unit_test_setup_teardown(synset_numbers_are_no_part_of_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_is_a_list_or_a_map_either_way_round, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(csv_columns_are_found_by_their_names_or_their_numbers,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(label_maps_have_ids_with_gaps_and_display_names, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(metadata_holds_python_or_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_texts_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_files_are_read_or_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sets_are_known_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(labels_are_counted_against_classes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
