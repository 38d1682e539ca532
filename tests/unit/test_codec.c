/* Streams by Python's zlib, gzip, bz2, lzma and by lz4: tests/fixtures/gen/containers.py. */
#include "container/codec.h"

#include "fixture.h"

#include <time.h>

static const struct {
    const char *file;
    uc_codec codec;
    const char *name;
} packed_files[] = {
    {"text.zlib", UC_CODEC_ZLIB, "zlib"}, {"text.gz", UC_CODEC_GZIP, "gzip"},
    {"text.bz2", UC_CODEC_BZ2, "bz2"},    {"text.xz", UC_CODEC_XZ, "xz"},
    {"text.lzma", UC_CODEC_LZMA, "lzma"}, {"text.lz4", UC_CODEC_LZ4, "lz4"},
    {"text.zf", UC_CODEC_ZF, "zlib"},
};
enum { PACKED_FILES = sizeof packed_files / sizeof packed_files[0] };

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

static void every_codec_is_told_and_unpacked(void **state)
{
    const uc_bytes text = fixture(*state, "text.txt");
    for (int i = 0; i < PACKED_FILES; i++) {
        uncork_error err = {0};
        uc_bytes out;
        const uc_bytes packed = fixture(*state, packed_files[i].file);
        CHECK_INT(uc_codec_of(packed), packed_files[i].codec);
        CHECK_STR(uc_codec_name(packed_files[i].codec), packed_files[i].name);
        CHECK_OK(uc_codec_unpack(packed_files[i].codec, packed, 0, *state, NULL, &out, NULL, &err),
                 &err);
        CHECK_INT(out.size, text.size);
        CHECK_BYTES(out.data, text.data, text.size);
        uint8_t head[100];
        CHECK_INT(uc_codec_peek(packed_files[i].codec, packed, head, sizeof head), sizeof head);
        CHECK_BYTES(head, text.data, sizeof head);
    }
    CHECK_INT(uc_codec_of(text), UC_CODEC_NONE);
    CHECK_INT(uc_codec_of((uc_bytes){NULL, 0}), UC_CODEC_NONE);
}

static void a_stream_cut_anywhere_is_refused(void **state)
{
    for (int i = 0; i < PACKED_FILES; i++) {
        const uc_bytes packed = fixture(*state, packed_files[i].file);
        /* The gzip file ends with five zeros of padding, and after its first member it is whole. */
        const size_t end = packed.size - (packed_files[i].codec == UC_CODEC_GZIP ? 5 : 0);
        int taken = 0;
        for (size_t n = 0; n < end; n++) {
            uncork_error err = {0};
            uc_bytes out;
            uc_arena *arena = uc_arena_new(NULL);
            uint8_t *cut = fixture_copy((uc_bytes){packed.data, n});
            taken += uc_codec_unpack(packed_files[i].codec, (uc_bytes){cut, n}, 0, arena, NULL,
                                     &out, NULL, &err) == UNCORK_OK;
            uc_arena_free(arena);
            test_free(cut);
        }
        CHECK_INT(taken, packed_files[i].codec == UC_CODEC_GZIP);
    }
}

static void bytes_after_the_end_are_counted_or_refused(void **state)
{
    static const uc_codec codecs[] = {UC_CODEC_ZLIB, UC_CODEC_GZIP, UC_CODEC_BZ2, UC_CODEC_LZMA,
                                      UC_CODEC_LZ4};
    static const char *const files[] = {"text.zlib", "text.gz", "text.bz2", "text.lzma",
                                        "text.lz4"};
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        uncork_error err = {0};
        uc_bytes out;
        size_t used;
        const uc_bytes packed = fixture(*state, files[i]);
        const size_t whole = packed.size - (codecs[i] == UC_CODEC_GZIP ? 5 : 0);
        uint8_t *more = uc_arena_alloc(*state, packed.size + 9, 1);
        memcpy(more, packed.data, packed.size);
        put_bytes(more + packed.size, "trailing!", 9);
        const uc_bytes longer = {more, packed.size + 9};
        CHECK_OK(uc_codec_unpack(codecs[i], longer, 0, *state, NULL, &out, &used, &err), &err);
        CHECK_INT(used, whole);
        CHECK_INT(uc_codec_unpack(codecs[i], longer, 0, *state, NULL, &out, NULL, &err),
                  UNCORK_MALFORMED);
        CHECK(strstr(err.what, "follow the end") != NULL);
    }
}

static uc_bytes unpacked(uc_arena *arena, const char *file)
{
    uncork_error err = {0};
    uc_bytes out;
    const uc_bytes packed = fixture(arena, file);
    CHECK_OK(uc_codec_unpack(uc_codec_of(packed), packed, 0, arena, NULL, &out, NULL, &err), &err);
    return out;
}

static void bombs_are_refused_fast(void **state)
{
    const uc_bytes bombs[] = {unpacked(*state, "bomb.xz.xz"), fixture(*state, "bomb.bz2"),
                              unpacked(*state, "bomb.gz.xz")};
    for (int i = 0; i < 3; i++) {
        uncork_error err = {0};
        uc_bytes out;
        const clock_t start = clock();
        CHECK_INT(
            uc_codec_unpack(uc_codec_of(bombs[i]), bombs[i], 0, *state, NULL, &out, NULL, &err),
            UNCORK_LIMIT);
        CHECK(strstr(err.what, "unpack to") && strstr(err.what, "67108864"));
        CHECK(clock() - start < 5 * CLOCKS_PER_SEC);
        CHECK(out.data == NULL);
    }
}

static void an_xz_that_admits_to_be_a_bomb_is_not_even_begun(void **state)
{
    uncork_error err = {0};
    uc_bytes out;
    const uc_bytes bomb = unpacked(*state, "bomb.xz.xz");
    CHECK_INT(uc_codec_unpack(UC_CODEC_XZ, bomb, 0, *state, NULL, &out, NULL, &err), UNCORK_LIMIT);
    CHECK(strstr(err.what, "unpack to 268435456 bytes") != NULL);
}

static void the_budget_bounds_unpacking_and_gets_its_bytes_back(void **state)
{
    uc_budget budget;
    uncork_error err = {0};
    uc_bytes out;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 1 << 20};
    uc_budget_init(&budget, &limits, 0);
    uc_arena *arena = uc_arena_new(NULL);
    const uc_bytes packed = fixture(*state, "text.xz");
    CHECK_OK(uc_codec_unpack(UC_CODEC_XZ, packed, 0, arena, &budget, &out, NULL, &err), &err);
    CHECK_INT((1 << 20) - budget.bytes_left, out.size);
    CHECK_INT(uc_codec_unpack(UC_CODEC_BZ2, fixture(*state, "bomb.bz2"), 0, arena, &budget, &out,
                              NULL, &err),
              UNCORK_LIMIT);
    uc_arena_free(arena);
    CHECK_INT(budget.bytes_left, 1 << 20);
    const volatile int cancel = 1;
    budget.cancel = &cancel;
    uc_error_init(&err);
    CHECK_INT(uc_codec_unpack(UC_CODEC_XZ, packed, 0, *state, &budget, &out, NULL, &err),
              UNCORK_CANCELLED);
}

static void a_declared_size_must_come_out_exactly(void **state)
{
    const uc_bytes text = fixture(*state, "text.txt");
    const uc_bytes packed = fixture(*state, "text.zlib");
    const uc_bytes raw = {packed.data + 2, packed.size - 6}; /* without header and checksum */
    uint8_t *out = test_malloc(text.size + 1);
    uncork_error err = {0};
    CHECK_OK(uc_codec_unpack_to(UC_CODEC_DEFLATE, raw, 0, NULL, out, text.size, &err), &err);
    CHECK_BYTES(out, text.data, text.size);
    CHECK_INT(uc_codec_unpack_to(UC_CODEC_DEFLATE, raw, 0, NULL, out, text.size + 1, &err),
              UNCORK_MALFORMED);
    uc_error_init(&err);
    CHECK_INT(uc_codec_unpack_to(UC_CODEC_DEFLATE, raw, 0, NULL, out, text.size - 1, &err),
              UNCORK_MALFORMED);
    CHECK(strstr(err.what, "more than the") != NULL);
    test_free(out);
}

static void a_zf_header_that_lies_is_refused(void **state)
{
    static const char *const headers[] = {"ZF0xffffffffffffffffff ", "ZF0x1                 ",
                                          "ZF0x                  ", "ZF0xzz                "};
    const uc_bytes good = fixture(*state, "text.zf");
    uint8_t *bad = fixture_copy(good);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        uncork_error err = {0};
        uc_bytes out;
        memcpy(bad, headers[i], 21);
        CHECK(uc_codec_unpack(UC_CODEC_ZF, (uc_bytes){bad, good.size}, 0, *state, NULL, &out, NULL,
                              &err) != UNCORK_OK);
    }
    test_free(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_codec_is_told_and_unpacked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stream_cut_anywhere_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_after_the_end_are_counted_or_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(bombs_are_refused_fast, setup, teardown),
        cmocka_unit_test_setup_teardown(an_xz_that_admits_to_be_a_bomb_is_not_even_begun, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_budget_bounds_unpacking_and_gets_its_bytes_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_declared_size_must_come_out_exactly, setup, teardown),
        cmocka_unit_test_setup_teardown(a_zf_header_that_lies_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
