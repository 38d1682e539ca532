/* Archives by Python's zipfile: tests/fixtures/gen/containers.py. Hostile ones are changed here, byte
 * by byte. */
#include "container/zip.h"

#include "fixture.h"

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

static uncork_status open_zip(uc_arena *arena, uc_bytes bytes, uc_zip **zip, uncork_error *err)
{
    uc_error_init(err);
    return uc_zip_open(bytes, 0, arena, NULL, zip, err);
}

static void python_s_archives_are_read(void **state)
{
    uc_zip *zip;
    uncork_error err;
    uc_bytes bytes;
    const uc_bytes text = fixture(*state, "text.txt");
    const uc_bytes plain = fixture(*state, "plain.zip");
    CHECK(uc_zip_probe(plain) && !uc_zip_probe(text));
    CHECK_OK(open_zip(*state, plain, &zip, &err), &err);
    CHECK_INT(zip->count, 3); /* the folder "a/" is none */
    CHECK_STR(zip->entries[0].name, "a/one.bin");
    CHECK_STR(zip->entries[1].name, "b.txt");
    CHECK_STR(zip->entries[2].name, "empty");
    CHECK_OK(uc_zip_read(zip, 0, &bytes, &err), &err);
    CHECK_INT(bytes.size, 3);
    CHECK_BYTES(bytes.data, "\x01\x02\x03", 3);
    CHECK_OK(uc_zip_read(zip, 1, &bytes, &err), &err);
    CHECK_INT(bytes.size, text.size);
    CHECK_BYTES(bytes.data, text.data, text.size);
    CHECK_OK(uc_zip_read(zip, 2, &bytes, &err), &err);
    CHECK_INT(bytes.size, 0);

    CHECK_OK(open_zip(*state, fixture(*state, "streamed.zip"), &zip, &err), &err);
    CHECK_OK(uc_zip_read(zip, 0, &bytes, &err), &err);
    CHECK_BYTES(bytes.data, text.data, text.size);
    CHECK_OK(open_zip(*state, fixture(*state, "wide.zip"), &zip, &err), &err);
    CHECK_OK(uc_zip_read(zip, 0, &bytes, &err), &err);
    CHECK_BYTES(bytes.data, "zip64 in the local header", bytes.size);
}

static void a_method_we_lack_is_named(void **state)
{
    uc_zip *zip;
    uncork_error err;
    CHECK_INT(open_zip(*state, fixture(*state, "bzip2.zip"), &zip, &err), UNCORK_UNSUPPORTED);
    CHECK(strstr(err.what, "method 12") && strstr(err.what, "b.txt"));
}

/* The archive with `size` bytes at `at` replaced. */
static uc_bytes patched(uc_arena *arena, uc_bytes bytes, size_t at, const char *data, size_t size)
{
    uint8_t *copy = (uint8_t *)uc_arena_copy(arena, bytes.data, bytes.size);
    CHECK(at + size <= bytes.size);
    memcpy(copy + at, data, size);
    return (uc_bytes){copy, bytes.size};
}

static size_t position(uc_bytes bytes, const char *what, size_t size, int nth)
{
    for (size_t i = 0; i + size <= bytes.size; i++) {
        if (memcmp(bytes.data + i, what, size) == 0 && nth-- == 0) return i;
    }
    fail_msg("the fixture changed");
    return 0;
}

static void expect(void **state, uc_bytes bytes, uncork_status status, const char *words)
{
    uc_zip *zip;
    uncork_error err;
    CHECK_INT(open_zip(*state, bytes, &zip, &err), status);
    if (!strstr(err.what, words)) fail_msg("'%s' isn't in '%s'", words, err.what);
}

static void what_two_readers_could_take_differently_is_refused(void **state)
{
    const uc_bytes zip = fixture(*state, "plain.zip");
    const size_t local = position(zip, "PK\x03\x04", 4, 0);
    const size_t second = position(zip, "PK\x03\x04", 4, 1);
    const size_t record = position(zip, "PK\x01\x02", 4, 0);
    const size_t next = position(zip, "PK\x01\x02", 4, 1);
    const size_t end = position(zip, "PK\x05\x06", 4, 0);
    expect(state, patched(*state, zip, local + 30, "c", 1), UNCORK_MALFORMED, "differently");
    expect(state, patched(*state, zip, local + 8, "\0", 1), UNCORK_MALFORMED, "differently");
    expect(state, patched(*state, zip, local + 22, "\x01", 1), UNCORK_MALFORMED, "differently");
    expect(state, patched(*state, zip, local + 14, "\x01", 1), UNCORK_MALFORMED, "differently");
    expect(state, patched(*state, zip, local, "XX", 2), UNCORK_MALFORMED, "no local header");
    expect(state, patched(*state, zip, record + 8, "\x01", 1), UNCORK_UNSUPPORTED, "encrypted");
    expect(state, patched(*state, zip, local + 6, "\x01", 1), UNCORK_MALFORMED, "differently");
    expect(state, patched(*state, zip, record + 42, "\xFF\xFF\x00\x00", 4), UNCORK_MALFORMED,
           "outside");
    expect(state, patched(*state, zip, record + 20, "\xFF\xFF\x00\x00", 4), UNCORK_MALFORMED,
           "beyond");
    expect(state, patched(*state, zip, record + 24, "\xFF\xFF\xFF\x7F", 4), UNCORK_MALFORMED,
           "more than deflate");
    /* The second entry is said to be the first one's bytes as well. */
    uc_bytes twice = patched(*state, zip, next + 42, "\0\0\0\0", 4);
    expect(state, twice, UNCORK_MALFORMED, "differently");
    CHECK(second > local);
    expect(state, patched(*state, zip, end + 8, "\x03\0\x03\0", 4), UNCORK_MALFORMED, "follow");
    expect(state, patched(*state, zip, end + 8, "\x05\0\x05\0", 4), UNCORK_MALFORMED, "fit");
    expect(state, patched(*state, zip, end + 8, "\xFF\xFF\xFF\xFF", 4), UNCORK_MALFORMED, "fit");
    expect(state, patched(*state, zip, end + 4, "\x01", 1), UNCORK_MALFORMED, "disks");
    expect(state, patched(*state, zip, end + 12, "\0", 1), UNCORK_MALFORMED, "doesn't end");
    expect(state, patched(*state, zip, end + 20, "\x01", 1), UNCORK_MALFORMED, "no end record");
}

static void names_that_leave_the_archive_are_refused(void **state)
{
    static const char *const names[] = {"../xx.bin", "/etc/pass", "a/../b.b",  "a\\one.bi",
                                        "C:one.bin", "a//ne.bin", "a/./x.bin", "a\x00one.b"};
    const uc_bytes zip = fixture(*state, "plain.zip");
    const size_t local = position(zip, "a/one.bin", 9, 0);
    const size_t record = position(zip, "a/one.bin", 9, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[9] = "xxxxxxxxx";
        memcpy(name, names[i], 8);
        uc_bytes bad = patched(*state, zip, local, name, 9);
        bad = patched(*state, bad, record, name, 9);
        expect(state, bad, UNCORK_MALFORMED, "zip: the name");
    }
}

static void duplicates_overlaps_and_damage_are_refused(void **state)
{
    uc_zip *zip;
    uncork_error err;
    uc_bytes bytes;
    uc_writer out;
    uc_zip_writer w;
    uc_writer_init(&out, 10000);
    uc_zip_writer_init(&w, &out);
    uc_zip_put(&w, "aa", (uc_bytes){(const uint8_t *)"first", 5});
    uc_zip_put(&w, "ab", (uc_bytes){(const uint8_t *)"first", 5});
    uc_zip_finish(&w);
    const uc_bytes made = {out.data, out.size};
    CHECK_OK(open_zip(*state, made, &zip, &err), &err);
    CHECK_OK(uc_zip_read(zip, 1, &bytes, &err), &err);
    CHECK_BYTES(bytes.data, "first", 5);

    uc_bytes bad = patched(*state, made, position(made, "ab", 2, 0) + 1, "a", 1);
    bad = patched(*state, bad, position(bad, "ab", 2, 0) + 1, "a", 1);
    expect(state, bad, UNCORK_MALFORMED, "twice");

    /* Both records point at the first entry, both under its name but the name check comes later. */
    bad = patched(*state, bad, position(bad, "PK\x01\x02", 4, 1) + 42, "\0\0\0\0", 4);
    expect(state, bad, UNCORK_MALFORMED, "overlaps");

    bad = patched(*state, made, position(made, "first", 5, 0), "F", 1);
    CHECK_OK(open_zip(*state, bad, &zip, &err), &err);
    CHECK_INT(uc_zip_read(zip, 0, &bytes, &err), UNCORK_MALFORMED);
    CHECK(strstr(err.what, "CRC") != NULL);
    uc_writer_done(&out);
}

static void an_archive_cut_anywhere_is_refused(void **state)
{
    static const char *const files[] = {"plain.zip", "streamed.zip", "wide.zip"};
    for (int i = 0; i < 3; i++) {
        const uc_bytes bytes = fixture(*state, files[i]);
        for (size_t n = 0; n < bytes.size; n++) {
            uc_zip *zip;
            uncork_error err;
            uint8_t *cut = fixture_copy((uc_bytes){bytes.data, n});
            CHECK_INT(open_zip(*state, (uc_bytes){cut, n}, &zip, &err), UNCORK_MALFORMED);
            test_free(cut);
        }
    }
}

static void what_is_appended_or_put_in_front_is_refused(void **state)
{
    const uc_bytes zip = fixture(*state, "plain.zip");
    uint8_t *longer = uc_arena_alloc(*state, zip.size + 1, 1);
    memcpy(longer, zip.data, zip.size);
    expect(state, (uc_bytes){longer, zip.size + 1}, UNCORK_MALFORMED, "no end record");
    memcpy(longer + 1, zip.data, zip.size);
    expect(state, (uc_bytes){longer, zip.size + 1}, UNCORK_MALFORMED, "doesn't end");
}

static void an_archive_of_many_entries_has_a_zip64_end(void **state)
{
    uc_zip *zip;
    uncork_error err;
    uc_writer out;
    uc_zip_writer w;
    uc_writer_init(&out, 100 << 20);
    uc_zip_writer_init(&w, &out);
    enum { MANY = 70000 };
    for (int i = 0; i < MANY; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        uc_zip_put(&w, name, (uc_bytes){(const uint8_t *)"", 0});
    }
    uc_zip_finish(&w);
    CHECK_INT(out.status, UNCORK_OK);
    CHECK_OK(open_zip(*state, (uc_bytes){out.data, out.size}, &zip, &err), &err);
    CHECK_INT(zip->count, MANY);
    uc_writer_done(&out);
}

static void together_entries_are_bounded_as_one_would_be(void **state)
{
    /* 60 entries of 64 MiB zeros each would be within deflate's ratio. */
    uc_zip *zip;
    uncork_error err;
    uc_bytes one = fixture(*state, "plain.zip");
    const size_t record = position(one, "PK\x01\x02", 4, 0);
    const size_t local = position(one, "PK\x03\x04", 4, 0);
    CHECK(record > local);
    /* 139 bytes may hold 143448 at most; the archive as a whole stays below the floor. */
    one = patched(*state, one, record + 24, "\0\0\2\0", 4);
    one = patched(*state, one, local + 22, "\0\0\2\0", 4);
    CHECK_OK(open_zip(*state, one, &zip, &err), &err);
    uc_bytes bytes;
    CHECK_INT(uc_zip_read(zip, 1, &bytes, &err), UNCORK_MALFORMED);
    CHECK(strstr(err.what, "131072 are declared") != NULL);
    CHECK_STR(err.where, "zip entry b.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(python_s_archives_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_method_we_lack_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(what_two_readers_could_take_differently_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(names_that_leave_the_archive_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(duplicates_overlaps_and_damage_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_archive_cut_anywhere_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_appended_or_put_in_front_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_archive_of_many_entries_has_a_zip64_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(together_entries_are_bounded_as_one_would_be, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
