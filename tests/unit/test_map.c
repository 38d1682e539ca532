/* Average precision is what pycocotools says, to 1e-12 (tests/fixtures/gen/map_cases.py). */
#include "base/file.h"
#include "base/json.h"
#include "check.h"
#include "contract/map.h"

#include <math.h>
#include <stdio.h>

static uc_bytes read_file(uc_arena *arena, const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_bytes bytes;
    const char *path = uc_arena_printf(arena, UC_SOURCE_DIR "/tests/fixtures/map/%s", name);
    CHECK_OK(uc_file_read(path, false, arena, &bytes, &error), &error);
    return bytes;
}

static void same(const char *what, double got, const uc_json *want)
{
    if (!want || want->kind == UC_JSON_NULL) {
        CHECK(isnan(got));
    } else if (!(fabs(got - want->number) <= 1e-12)) {
        fail_msg("%s is %.15g, expected %.15g", what, got, want->number);
    }
}

static void figures_are_those_of_cocoeval(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    uc_map *map;
    CHECK_OK(uc_map_read(read_file(arena, "truth.json"), arena, &map, &error), &error);
    const uc_json *found = uc_json_read(read_file(arena, "found.json"), 0, arena, &error);
    const uc_json *boxes = uc_json_get(found, "boxes");
    for (size_t i = 0; i < uc_map_image_count(map); i++) {
        uc_map_see(map, i);
    }
    for (size_t i = 0; i < uc_json_count(boxes); i++) {
        size_t n;
        const double *r = uc_json_f64s(uc_json_at(boxes, i), arena, &n);
        CHECK_INT(n, 7);
        char path[64];
        snprintf(path, sizeof path, "/any/where/%03d.jpg", ((int)r[0] - 100) / 7);
        const size_t image = uc_map_find_image(map, path);
        const size_t class = uc_map_find_class(map, (uc_str){0}, (int64_t)r[1]);
        CHECK(image != SIZE_MAX && class != SIZE_MAX);
        const double box[4] = {r[3], r[4], r[3] + r[5], r[4] + r[6]};
        CHECK_OK(uc_map_add(map, image, class, r[2], box, &error), &error);
    }
    uc_map_figures f;
    CHECK_OK(uc_map_evaluate(map, arena, &f, &error), &error);
    const uc_json *want = uc_json_get(found, "figures");
    same("AP", f.ap, uc_json_get(want, "ap"));
    same("AP50", f.ap50, uc_json_get(want, "ap50"));
    same("AP75", f.ap75, uc_json_get(want, "ap75"));
    same("recall", f.recall, uc_json_get(want, "recall"));
    for (size_t c = 0; c < f.count; c++) {
        const uc_json *one = uc_json_at(uc_json_get(want, "classes"), c);
        same("AP of a class", f.classes[c].ap, uc_json_get(one, "ap"));
        same("AP50 of a class", f.classes[c].ap50, uc_json_get(one, "ap50"));
        same("AP75 of a class", f.classes[c].ap75, uc_json_get(one, "ap75"));
        same("recall of a class", f.classes[c].recall, uc_json_get(one, "recall"));
    }
    uc_arena_free(arena);
}

static void classes_are_found_by_name_before_id(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    uc_map *map;
    int64_t id;
    CHECK_OK(uc_map_read(read_file(arena, "truth.json"), arena, &map, &error), &error);
    const size_t cat = uc_map_find_class(map, uc_str_of("cat"), 1);
    (void)uc_map_class(map, cat, &id);
    CHECK_INT(id, 17);
    CHECK(uc_map_find_class(map, uc_str_of("zebra"), 24) == SIZE_MAX);
    uc_arena_free(arena);
}

static void broken_truth_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{", "[]", "{\"images\":[{\"id\":1}],\"categories\":[{\"id\":1}],\"annotations\":3}",
        "{\"images\":[{\"id\":1}],\"categories\":[{\"id\":1}],\"annotations\":[{\"image_id\":2,"
        "\"category_id\":1,\"bbox\":[0,0,1,1]}]}",
        "{\"images\":[{\"id\":1}],\"categories\":[{\"id\":1}],\"annotations\":[{\"image_id\":1,"
        "\"category_id\":1,\"bbox\":[0,0,1]}]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uncork_error error = {.size = sizeof error};
        uc_error_init(&error);
        uc_arena *arena = uc_arena_new(NULL);
        uc_map *map;
        const uc_bytes bytes = {(const uint8_t *)texts[i], strlen(texts[i])};
        CHECK(uc_map_read(bytes, arena, &map, &error) != UNCORK_OK);
        CHECK(error.what[0] != 0);
        uc_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_cocoeval),
        cmocka_unit_test(classes_are_found_by_name_before_id),
        cmocka_unit_test(broken_truth_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
