#include "base/file.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct place {
    char folder[64];
    uc_arena *arena;
} place;

static char *at(place *p, const char *name)
{
    return uc_arena_printf(p->arena, "%s/%s", p->folder, name);
}

static void put(place *p, const char *name, const char *text)
{
    uncork_error err = {0};
    const uc_bytes bytes = {(const uint8_t *)text, strlen(text)};
    CHECK_OK(uc_file_write(at(p, name), bytes, &err), &err);
}

static int setup(void **state)
{
    place *p = calloc(1, sizeof *p);
    if (!p) return -1;
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/uncork-test-XXXXXX");
    if (!mkdtemp(p->folder)) return -1;
    p->arena = uc_arena_new(NULL);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    place *p = *state;
    char command[128];
    uc_arena_free(p->arena);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
    const int failed = system(command);
    free(p);
    return failed;
}

static bool says(const uncork_error *err, const char *words) { return strstr(err->what, words); }

static void a_file_is_mapped_or_copied(void **state)
{
    place *p = *state;
    uncork_error err = {0};
    uc_bytes bytes;
    put(p, "a.bin", "hello");
    for (int copy = 0; copy < 2; copy++) {
        CHECK_OK(uc_file_read(at(p, "a.bin"), copy, p->arena, &bytes, &err), &err);
        CHECK_INT(bytes.size, 5);
        CHECK_BYTES(bytes.data, "hello", 5);
    }
    put(p, "empty", "");
    CHECK_OK(uc_file_read(at(p, "empty"), false, p->arena, &bytes, &err), &err);
    CHECK(bytes.size == 0 && bytes.data != NULL);
    CHECK_INT(uc_file_size(at(p, "a.bin")), 5);
}

static void missing_folder_forbidden_and_special_are_told_apart(void **state)
{
    place *p = *state;
    uc_bytes bytes;
    uncork_error err = {0};
    CHECK_INT(uc_file_read(at(p, "none"), false, p->arena, &bytes, &err), UNCORK_IO);
    CHECK(says(&err, "there is no such file"));
    uc_error_init(&err);
    CHECK_INT(uc_file_read(p->folder, false, p->arena, &bytes, &err), UNCORK_IO);
    CHECK(says(&err, "it is a folder"));
    put(p, "plain", "x");
    uc_error_init(&err);
    CHECK_INT(uc_file_read(at(p, "plain/x"), false, p->arena, &bytes, &err), UNCORK_IO);
    CHECK(says(&err, "is a file, not a folder"));
    CHECK_INT(mkfifo(at(p, "fifo"), 0600), 0);
    uc_error_init(&err);
    CHECK_INT(uc_file_read(at(p, "fifo"), false, p->arena, &bytes, &err), UNCORK_IO);
    CHECK(says(&err, "FIFO"));
    uc_error_init(&err);
    CHECK_INT(uc_file_read("/dev/null", false, p->arena, &bytes, &err), UNCORK_IO);
    CHECK(says(&err, "device"));
    if (geteuid() != 0) {
        CHECK_INT(chmod(at(p, "plain"), 0), 0);
        uc_error_init(&err);
        CHECK_INT(uc_file_read(at(p, "plain"), false, p->arena, &bytes, &err), UNCORK_IO);
        CHECK(says(&err, "no permission"));
    }
}

static void names_that_leave_a_folder_are_flawed(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "/a",  "../a", "a/../b", "a//b", "a/",  "./a",
                                      "a\\b", "C:a", "..",   ".",      "/",    "a/.."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (!uc_file_name_flaw(uc_str_of(bad[i]))) fail_msg("'%s' was taken", bad[i]);
    }
    CHECK(uc_file_name_flaw((uc_str){"a\0b", 3}) != NULL);
    CHECK(uc_file_name_flaw(uc_str_of("a/b.c/..d")) == NULL);
}

static void beneath_a_folder_only_what_stays_inside_is_read(void **state)
{
    place *p = *state;
    uc_bytes bytes;
    uncork_error err = {0};
    CHECK_OK(uc_file_make_folder(at(p, "model/sub/deep"), &err), &err);
    put(p, "secret", "secret");
    put(p, "model/sub/deep/a", "inside");
    CHECK_INT(symlink("../secret", at(p, "model/out")), 0);
    CHECK_INT(symlink("/etc", at(p, "model/etc")), 0);
    CHECK_INT(symlink("..", at(p, "model/sub/up")), 0);
    const char *model = at(p, "model");
    CHECK_OK(uc_file_read_beneath(model, "sub/deep/a", false, p->arena, &bytes, &err), &err);
    CHECK_BYTES(bytes.data, "inside", 6);
    static const char *const bad[] = {"out", "etc/passwd", "../secret", "sub/up/../../secret",
                                      "/etc/passwd"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uc_error_init(&err);
        CHECK(uc_file_read_beneath(model, bad[i], true, p->arena, &bytes, &err) != UNCORK_OK);
        CHECK(bytes.data == NULL);
    }
    uc_error_init(&err);
    CHECK_INT(uc_file_read_beneath(model, "sub/none", true, p->arena, &bytes, &err), UNCORK_IO);
    CHECK(says(&err, "no such file") && says(&err, "sub/none"));
    CHECK_INT(mkfifo(at(p, "model/fifo"), 0600), 0);
    uc_error_init(&err);
    CHECK_INT(uc_file_read_beneath(model, "fifo", true, p->arena, &bytes, &err), UNCORK_IO);
}

static void a_folder_lists_its_files_sorted_without_following_folder_links(void **state)
{
    place *p = *state;
    char **names;
    size_t count;
    uncork_error err = {0};
    CHECK_OK(uc_file_make_folder(at(p, "sub/x"), &err), &err);
    put(p, "b", "");
    put(p, "a", "");
    put(p, "sub/x/c", "");
    CHECK_INT(symlink("..", at(p, "sub/loop")), 0);
    CHECK_INT(symlink("../a", at(p, "sub/link")), 0);
    CHECK_OK(uc_file_list(p->folder, true, p->arena, &names, &count, &err), &err);
    CHECK_INT(count, 4);
    CHECK_STR(names[0], "a");
    CHECK_STR(names[1], "b");
    CHECK_STR(names[2], "sub/link");
    CHECK_STR(names[3], "sub/x/c");
    CHECK_OK(uc_file_list(p->folder, false, p->arena, &names, &count, &err), &err);
    CHECK_INT(count, 2);
    CHECK_INT(uc_file_list(at(p, "a"), true, p->arena, &names, &count, &err), UNCORK_IO);
    CHECK(says(&err, "it is a file, not a folder"));
}

static void a_file_is_written_whole_or_not_at_all(void **state)
{
    place *p = *state;
    uncork_error err = {0};
    uc_bytes bytes;
    char **names;
    size_t count;
    put(p, "a", "old");
    put(p, "a", "newer");
    CHECK_OK(uc_file_read(at(p, "a"), true, p->arena, &bytes, &err), &err);
    CHECK_BYTES(bytes.data, "newer", 5);
    CHECK_INT(symlink("a", at(p, "link")), 0);
    put(p, "link", "through the link");
    CHECK_OK(uc_file_read(at(p, "a"), true, p->arena, &bytes, &err), &err);
    CHECK_INT(bytes.size, 16);
    CHECK_OK(uc_file_replace(at(p, "link"), (uc_bytes){(const uint8_t *)"new", 3}, &err), &err);
    CHECK_OK(uc_file_read(at(p, "a"), true, p->arena, &bytes, &err), &err);
    CHECK_INT(bytes.size, 16); /* the link was replaced, not followed */
    CHECK_INT(uc_file_write(at(p, "none/a"), bytes, &err), UNCORK_IO);
    uc_error_init(&err);
    CHECK_INT(uc_file_write(p->folder, bytes, &err), UNCORK_IO);
    uc_error_init(&err);
    CHECK_OK(uc_file_write("/dev/null", bytes, &err), &err);
    CHECK_INT(uc_file_kind_of("/dev/null"), UC_FILE_OTHER);
    CHECK_OK(uc_file_list(p->folder, true, p->arena, &names, &count, &err), &err);
    CHECK_INT(count, 2); /* nothing temporary is left */
}

static void folders_are_made_with_their_parents(void **state)
{
    place *p = *state;
    uncork_error err = {0};
    CHECK_OK(uc_file_make_folder(at(p, "x/y/z"), &err), &err);
    CHECK_OK(uc_file_make_folder(at(p, "x/y/z/"), &err), &err);
    CHECK_INT(uc_file_kind_of(at(p, "x/y/z")), UC_FILE_FOLDER);
    put(p, "file", "");
    CHECK_INT(uc_file_make_folder(at(p, "file"), &err), UNCORK_IO);
    uc_error_init(&err);
    CHECK_INT(uc_file_make_folder(at(p, "file/sub"), &err), UNCORK_IO);
    uc_error_init(&err);
    CHECK_INT(uc_file_make_folder("", &err), UNCORK_IO);
}

static void standard_input_is_read_up_to_a_ceiling(void **state)
{
    place *p = *state;
    uncork_error err = {0};
    uc_bytes bytes;
    put(p, "in", "0123456789");
    CHECK(freopen(at(p, "in"), "r", stdin) != NULL);
    CHECK_OK(uc_file_read_stdin(10, p->arena, &bytes, &err), &err);
    CHECK_INT(bytes.size, 10);
    CHECK(freopen(at(p, "in"), "r", stdin) != NULL);
    CHECK_INT(uc_file_read_stdin(9, p->arena, &bytes, &err), UNCORK_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_mapped_or_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_folder_forbidden_and_special_are_told_apart, setup,
                                        teardown),
        cmocka_unit_test(names_that_leave_a_folder_are_flawed),
        cmocka_unit_test_setup_teardown(beneath_a_folder_only_what_stays_inside_is_read, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_folder_lists_its_files_sorted_without_following_folder_links, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_is_written_whole_or_not_at_all, setup, teardown),
        cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents, setup, teardown),
        cmocka_unit_test_setup_teardown(standard_input_is_read_up_to_a_ceiling, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
