/* Archives by Python's tarfile: tests/fixtures/gen/containers.py. */
#include "container/tar.h"

#include "container/codec.h"
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

static uc_bytes unpacked(uc_arena *arena, const char *file)
{
    uncork_error err = {0};
    uc_bytes out;
    const uc_bytes packed = fixture(arena, file);
    if (uc_codec_of(packed) == UC_CODEC_NONE) return packed;
    CHECK_OK(uc_codec_unpack(uc_codec_of(packed), packed, 0, arena, NULL, &out, NULL, &err), &err);
    return out;
}

static uncork_status open_tar(uc_arena *arena, uc_bytes bytes, uc_tar **tar, uncork_error *err)
{
    uc_error_init(err);
    return uc_tar_open(bytes, 0, arena, tar, err);
}

static void long_name(char *name)
{
    put_bytes(name, "folder/", 7);
    memset(name + 7, 'n', 120);
    name[127] = '/';
    memset(name + 128, 'm', 30);
    memcpy(name + 158, ".txt", 5);
}

static void gnu_long_names_and_dot_slash_are_read(void **state)
{
    uc_tar *tar;
    uncork_error err;
    char name[200];
    long_name(name);
    const uc_bytes bytes = unpacked(*state, "gnu.tar.xz");
    CHECK(uc_tar_probe(bytes));
    CHECK_OK(open_tar(*state, bytes, &tar, &err), &err);
    CHECK_INT(tar->count, 3);
    CHECK_STR(tar->entries[0].name, "a.bin");
    CHECK_INT(tar->entries[0].bytes.size, 0);
    CHECK_STR(tar->entries[1].name, name);
    CHECK_BYTES(tar->entries[1].bytes.data, "long", 4);
    CHECK_STR(tar->entries[2].name, "model/b.txt");
    CHECK_INT(tar->entries[2].bytes.size, 700);
    CHECK_BYTES(tar->entries[2].bytes.data, fixture(*state, "text.txt").data, 700);
}

static void pax_paths_and_ustar_prefixes_are_read(void **state)
{
    uc_tar *tar;
    uncork_error err;
    char name[200];
    long_name(name);
    CHECK_OK(open_tar(*state, unpacked(*state, "pax.tar.gz"), &tar, &err), &err);
    CHECK_INT(tar->count, 3);
    CHECK_STR(tar->entries[0].name, name);
    CHECK_STR(tar->entries[2].name, "\xC3\xA4.bin");
    CHECK_BYTES(tar->entries[2].bytes.data, "pax", 3);
    CHECK_OK(open_tar(*state, unpacked(*state, "ustar.tar"), &tar, &err), &err);
    CHECK_INT(strlen(tar->entries[0].name), 7 + 90 + 1 + 30);
    CHECK_BYTES(tar->entries[0].bytes.data, "ustar", 5);
}

/* One header; the checksum is right. */
static void put_header(uint8_t *block, const char *name, char type, unsigned size)
{
    memset(block, 0, 512);
    put_bytes(block, name, strlen(name));
    (void)snprintf((char *)block + 124, 12, "%011o", size);
    block[156] = (uint8_t)type;
    put_bytes(block + 257,
              "ustar\0"
              "00",
              8);
    unsigned sum = 8 * ' ';
    for (int i = 0; i < 512; i++) {
        sum += block[i];
    }
    (void)snprintf((char *)block + 148, 8, "%06o", sum);
}

static void expect(void **state, const uint8_t *blocks, size_t size, uncork_status status,
                   const char *words)
{
    uc_tar *tar;
    uncork_error err;
    CHECK_INT(open_tar(*state, (uc_bytes){blocks, size}, &tar, &err), status);
    if (!strstr(err.what, words)) fail_msg("'%s' isn't in '%s'", words, err.what);
}

static void hostile_entries_are_refused_and_links_left_out(void **state)
{
    static uint8_t b[512 * 5];
    uc_tar *tar;
    uncork_error err;
    static const char *const names[] = {"../x", "/x", "a/../../x", "a\\b", "a/"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        memset(b, 0, sizeof b);
        put_header(b, names[i], '0', 0);
        expect(state, b, sizeof b, UNCORK_MALFORMED, "tar: the name");
    }
    put_header(b, "x", '0', 100000);
    expect(state, b, sizeof b, UNCORK_MALFORMED, "100000 bytes, 2048 remain");
    memset(b, 0, sizeof b);
    put_header(b, "x", '0', 1);
    put_header(b + 1024, "./x", '0', 0);
    expect(state, b, sizeof b, UNCORK_MALFORMED, "twice");
    put_header(b, "x", 'S', 1);
    expect(state, b, sizeof b, UNCORK_UNSUPPORTED, "sparse");
    put_header(b, "x", '2', 0); /* a link: its name may be anything, nobody follows it */
    memset(b + 512, 0, 1024);
    CHECK_OK(open_tar(*state, (uc_bytes){b, sizeof b}, &tar, &err), &err);
    CHECK_INT(tar->count, 0);
    put_header(b, "x", '0', 0);
    b[0] = 'y';
    expect(state, b, sizeof b, UNCORK_MALFORMED, "checksum");
}

static void pax_records_that_lie_are_refused(void **state)
{
    static const char *const records[] = {
        "99 path=x\n",   "3 path=x\n", "10 path=x",  "x path=y\n",
        "0 \n",          "-5 p=x\n",   "7 path\n",   "11 size=-1\n",
        "12 size=1x2\n", "9 size=\n",  "10path=x\n", "999999999999999999999 a=b\n"};
    static uint8_t b[512 * 5];
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        memset(b, 0, sizeof b);
        put_header(b, "pax", 'x', (unsigned)strlen(records[i]));
        memcpy(b + 512, records[i], strlen(records[i]));
        put_header(b + 1024, "f", '0', 0);
        expect(state, b, sizeof b, UNCORK_MALFORMED, "pax");
    }
    memset(b, 0, sizeof b);
    put_header(b, "pax", 'x', 12);
    put_bytes(b + 512, "12 path=../x", 12);
    b[512 + 11] = '\n';
    put_header(b + 1024, "f", '0', 0);
    expect(state, b, sizeof b, UNCORK_MALFORMED, "the name '../'");
    memset(b, 0, sizeof b);
    put_header(b, "pax", 'x', 10);
    put_bytes(b + 512, "10 path=x\n", 10);
    expect(state, b, sizeof b, UNCORK_MALFORMED, "extended header");
    memset(b, 0, sizeof b);
    put_header(b, "pax", 'x', 24);
    put_bytes(b + 512, "24 GNU.sparse.major=1.0\n", 24);
    expect(state, b, sizeof b, UNCORK_UNSUPPORTED, "sparse");
}

static void an_archive_cut_in_its_entries_is_refused(void **state)
{
    static const char *const files[] = {"gnu.tar.xz", "pax.tar.gz", "ustar.tar"};
    for (int i = 0; i < 3; i++) {
        uc_tar *tar;
        uncork_error err;
        const uc_bytes bytes = unpacked(*state, files[i]);
        CHECK_OK(open_tar(*state, bytes, &tar, &err), &err);
        for (size_t n = 0; n < bytes.size; n++) {
            uint8_t *cut = fixture_copy((uc_bytes){bytes.data, n});
            /* Cut between two entries a tar is whole, only shorter: the end mark is optional. */
            if (open_tar(*state, (uc_bytes){cut, n}, &tar, &err) == UNCORK_OK) {
                CHECK(n % 512 == 0);
            }
            test_free(cut);
        }
    }
}

static void what_is_no_tar_is_not_taken_for_one(void **state)
{
    static const uint8_t zeros[1024];
    CHECK(!uc_tar_probe((uc_bytes){zeros, sizeof zeros}));
    CHECK(!uc_tar_probe(fixture(*state, "text.txt")));
    CHECK(!uc_tar_probe((uc_bytes){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gnu_long_names_and_dot_slash_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(pax_paths_and_ustar_prefixes_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_entries_are_refused_and_links_left_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(pax_records_that_lie_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_archive_cut_in_its_entries_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_tar_is_not_taken_for_one, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
