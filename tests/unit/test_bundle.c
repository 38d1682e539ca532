#include "container/bundle.h"

#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int setup(void **state)
{
    *state = uc_arena_new(NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    uc_arena_free(*state);
    return 0;
}

static const char *path_of(uc_arena *arena, const char *name)
{
    return uc_arena_printf(arena, "%s/tests/fixtures/containers/%s", UC_SOURCE_DIR, name);
}

static uc_bundle *open_bundle(uc_arena *arena, const char *name)
{
    uc_bundle *b;
    uncork_error err = {0};
    CHECK_OK(uc_bundle_open(path_of(arena, name), false, arena, NULL, &b, &err), &err);
    return b;
}

static uc_bytes entry(uc_bundle *b, const char *name)
{
    uncork_error err = {0};
    uc_bytes bytes;
    CHECK_OK(uc_bundle_read(b, uc_bundle_find(b, name), &bytes, &err), &err);
    return bytes;
}

static void a_lone_file_is_a_bundle_of_one_with_files_beside_it(void **state)
{
    uncork_error err = {0};
    uc_bytes bytes;
    uc_bundle *b = open_bundle(*state, "scalar.npy");
    CHECK_INT(uc_bundle_kind_of(b), UC_BUNDLE_FILE);
    CHECK_INT(uc_bundle_count(b), 1);
    CHECK_STR(uc_bundle_name(b, 0), "scalar.npy");
    CHECK(uc_bundle_name(b, 1) == NULL);
    CHECK_BYTES(entry(b, "scalar.npy").data, "\x93NUMPY", 6);
    CHECK_OK(uc_bundle_side(b, "text.txt", &bytes, &err), &err);
    CHECK_BYTES(bytes.data, "line 0", 6);
    static const char *const bad[] = {
        "../gen/containers.py", "/etc/passwd", "..", "", "a/b", "none"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uc_error_init(&err);
        CHECK(uc_bundle_side(b, bad[i], &bytes, &err) != UNCORK_OK);
    }
}

static void archives_are_told_by_content(void **state)
{
    static const struct {
        const char *file;
        uc_bundle_kind kind;
        size_t count;
        const char *entry;
    } cases[] = {
        {"plain.zip", UC_BUNDLE_ZIP, 3, "b.txt"},
        {"two.npz", UC_BUNDLE_ZIP, 2, "a.npy"},
        {"gnu.tar.xz", UC_BUNDLE_TAR, 3, "model/b.txt"},
        {"pax.tar.gz", UC_BUNDLE_TAR, 3, "model/b.txt"},
        {"text.xz", UC_BUNDLE_FILE, 1, "text.xz"}, /* compressed, but no tar: as it is */
        {"bomb.bz2", UC_BUNDLE_FILE, 1, "bomb.bz2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uc_bundle *b = open_bundle(*state, cases[i].file);
        CHECK_INT(uc_bundle_kind_of(b), cases[i].kind);
        CHECK_INT(uc_bundle_count(b), cases[i].count);
        CHECK(entry(b, cases[i].entry).size > 0);
        CHECK_INT(uc_bundle_find(b, "absent"), SIZE_MAX);
    }
    const uc_bytes text = fixture(*state, "text.txt");
    CHECK_BYTES(entry(open_bundle(*state, "plain.zip"), "b.txt").data, text.data, text.size);
    CHECK_BYTES(entry(open_bundle(*state, "pax.tar.gz"), "model/b.txt").data, text.data, 700);
}

static void a_folder_gives_its_files_and_nothing_outside(void **state)
{
    uncork_error err = {0};
    uc_bytes bytes;
    char folder[] = "/tmp/uncork-test-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    const char *sub = uc_arena_printf(*state, "%s/sub", folder);
    const char *in = uc_arena_printf(*state, "%s/sub/in", folder);
    const char *out = uc_arena_printf(*state, "%s/out", folder);
    CHECK_OK(uc_file_make_folder(sub, &err), &err);
    CHECK_OK(uc_file_write(in, (uc_bytes){(const uint8_t *)"abc", 3}, &err), &err);
    CHECK_INT(symlink("/etc/passwd", out), 0);
    uc_bundle *b;
    CHECK_OK(uc_bundle_open(folder, true, *state, NULL, &b, &err), &err);
    CHECK_INT(uc_bundle_kind_of(b), UC_BUNDLE_FOLDER);
    CHECK_INT(uc_bundle_count(b), 2);
    CHECK_BYTES(entry(b, "sub/in").data, "abc", 3);
    CHECK_INT(uc_bundle_read(b, uc_bundle_find(b, "out"), &bytes, &err), UNCORK_IO);
    CHECK(bytes.data == NULL);
    CHECK_INT(unlink(in), 0);
    CHECK_INT(unlink(out), 0);
    CHECK_INT(rmdir(sub), 0);
    CHECK_INT(rmdir(folder), 0);
}

static void bytes_in_memory_are_a_bundle_without_neighbours(void **state)
{
    uncork_error err = {0};
    uc_bundle *b;
    uc_bytes bytes;
    CHECK_OK(uc_bundle_over((uc_bytes){(const uint8_t *)"x", 1}, "m.pkl", *state, NULL, &b, &err),
             &err);
    CHECK_STR(uc_bundle_name(b, 0), "m.pkl");
    CHECK_INT(uc_bundle_side(b, "text.txt", &bytes, &err), UNCORK_IO);
    CHECK_OK(uc_bundle_over(fixture(*state, "plain.zip"), "m", *state, NULL, &b, &err), &err);
    CHECK_INT(uc_bundle_kind_of(b), UC_BUNDLE_ZIP);
    uc_error_init(&err);
    CHECK_INT(uc_bundle_read(b, SIZE_MAX, &bytes, &err), UNCORK_USAGE);
}

static void what_is_not_there_is_said(void **state)
{
    uncork_error err = {0};
    uc_bundle *b;
    CHECK_INT(uc_bundle_open(path_of(*state, "none"), false, *state, NULL, &b, &err), UNCORK_IO);
    CHECK(strstr(err.what, "no such file") && b == NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lone_file_is_a_bundle_of_one_with_files_beside_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(archives_are_told_by_content, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_gives_its_files_and_nothing_outside, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(bytes_in_memory_are_a_bundle_without_neighbours, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
