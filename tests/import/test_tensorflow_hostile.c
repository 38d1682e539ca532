/* TensorFlow's files with bytes changed at random, and such as are made to harm: each is refused with a
 * message or sound. */
#include "damage.h"

#include "base/crc32c.h"
#include "container/bundle.h"
#include "container/snappy.h"
#include "container/sstable.h"

#include <stdio.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/tensorflow/"

/* ---- archives without checksums, so that damage reaches what is inside ------------------------ */

static void put_octal(char *at, size_t digits, size_t v)
{
    for (size_t i = digits; i-- > 0; v >>= 3) {
        at[i] = (char)('0' + (v & 7));
    }
}

static size_t put_member(uint8_t *at, const char *name, uc_bytes bytes)
{
    char head[512] = {0};
    unsigned sum = 0;
    (void)snprintf(head, 100, "%s", name);
    put_octal(head + 100, 7, 0644);
    put_octal(head + 124, 11, bytes.size);
    memcpy(head + 257,
           "ustar\0"
           "00",
           8);
    memset(head + 148, ' ', 8);
    head[156] = '0';
    for (size_t i = 0; i < sizeof head; i++) {
        sum += (unsigned char)head[i];
    }
    put_octal(head + 148, 6, sum);
    head[154] = '\0';
    memcpy(at, head, sizeof head);
    if (bytes.size) memcpy(at + 512, bytes.data, bytes.size);
    return 512 + (bytes.size + 511) / 512 * 512;
}

/* The members of an archive as a tar. */
static uc_bytes as_tar(uc_arena *arena, const char *path)
{
    uncork_error error = {.size = sizeof error};
    uc_bundle *bundle;
    uc_bytes bytes;
    size_t size = 1024;
    CHECK_OK(uc_bundle_open(path, true, arena, NULL, &bundle, &error), &error);
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        CHECK_OK(uc_bundle_read(bundle, i, &bytes, &error), &error);
        size += 512 + (bytes.size + 511) / 512 * 512;
    }
    uint8_t *tar = uc_arena_alloc(arena, size, 1);
    size_t at = 0;
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        CHECK_OK(uc_bundle_read(bundle, i, &bytes, &error), &error);
        at += put_member(tar + at, uc_bundle_name(bundle, i), bytes);
    }
    return (uc_bytes){tar, size};
}

static void damage_archive(const char *name)
{
    uc_arena *arena = uc_arena_new(NULL);
    const uc_bytes sound = as_tar(arena, uc_arena_printf(arena, FOLDER "%s.zip", name));
    CHECK_INT(damage_try(sound.data, sound.size), UNCORK_OK);
    for (long i = 0; i < test_mutations() / 5; i++) {
        uint8_t *bytes = test_malloc(sound.size);
        memcpy(bytes, sound.data, sound.size);
        for (size_t n = damage_below(6) + 1; n > 0; n--) {
            bytes[damage_below(sound.size)] = (uint8_t)damage_below(256);
        }
        (void)damage_try(bytes, sound.size);
        test_free(bytes);
    }
    uc_arena_free(arena);
}

static void damaged_saved_models_are_refused_or_sound(void **state)
{
    (void)state;
    damage_archive("module");
    damage_archive("tables");
    damage_archive("v1_saved");
}

static void damaged_checkpoints_are_refused_or_sound(void **state)
{
    (void)state;
    damage_archive("ckpt_v1");
    damage_archive("ckpt_v2");
    damage_archive("swapped");
}

static void damaged_graphs_are_refused_or_sound(void **state)
{
    (void)state;
    damage_file(FOLDER "frozen.pb");
    damage_file(FOLDER "frozen.pbtxt");
    damage_file(FOLDER "constants.pb");
    damage_file(FOLDER "constants_typed.pb");
}

/* ---- made to harm ---------------------------------------------------------------------------- */

static uncork_status open_text(const char *text, uncork_error *error)
{
    uncork_file *file;
    uncork_model *model;
    *error = (uncork_error){.size = sizeof *error};
    uncork_status status =
        uncork_open_memory(text, strlen(text), "graph.pbtxt", NULL, &file, error);
    if (status) return status;
    status = uncork_prepare(file, NULL, NULL, &model, error);
    if (status == UNCORK_OK) uncork_model_free(model);
    uncork_file_close(file);
    return status;
}

#define NODE(name, op, rest) "node { name: '" name "' op: '" op "' " rest " }\n"
#define INPUT                NODE("x", "Placeholder", "attr { key: 'dtype' value { type: DT_FLOAT } }")

static void a_cycle_is_named(void **state)
{
    (void)state;
    uncork_error error;
    CHECK_INT(open_text(INPUT NODE("a", "AddV2", "input: 'x' input: 'b'")
                            NODE("b", "Relu", "input: 'a'") NODE("y", "Identity", "input: 'b'"),
                        &error),
              UNCORK_MALFORMED);
    CHECK(strstr(error.what, "cycle") != NULL);
}

static void functions_that_call_themselves_end(void **state)
{
    (void)state;
    uncork_error error;
    const char *text = INPUT NODE(
        "y", "f",
        "input: 'x'") "library { function { signature { name: 'f' "
                      "input_arg { name: 'a' type: DT_FLOAT } output_arg { name: 'r' type: DT_FLOAT } } "
                      "node_def { name: 'again' op: 'f' input: 'a' } ret { key: 'r' value: 'again:r:0' } } }";
    CHECK_INT(open_text(text, &error), UNCORK_LIMIT);
}

static void a_constant_that_claims_too_much_is_refused(void **state)
{
    (void)state;
    uncork_error error;
    const char *text = INPUT NODE(
        "k", "Const",
        "attr { key: 'value' value { tensor { dtype: DT_FLOAT tensor_shape { dim { size: 1000000000 } "
        "dim { size: 1000000 } } float_val: 1 } } }") NODE("y", "AddV2", "input: 'x' input: 'k'");
    CHECK_INT(open_text(text, &error), UNCORK_LIMIT);
}

static void two_nodes_of_one_name_are_refused(void **state)
{
    (void)state;
    uncork_error error;
    CHECK_INT(
        open_text(INPUT NODE("y", "Relu", "input: 'x'") NODE("y", "Tanh", "input: 'x'"), &error),
        UNCORK_MALFORMED);
    CHECK(strstr(error.what, "two nodes") != NULL);
}

static void unknown_operators_are_all_named(void **state)
{
    (void)state;
    uncork_error error;
    CHECK_INT(open_text(INPUT NODE("a", "NoSuchOp", "input: 'x'")
                            NODE("b", "NoSuchOp", "input: 'a'") NODE("y", "Other", "input: 'b'"),
                        &error),
              UNCORK_UNSUPPORTED);
    CHECK(strstr(error.what, "2 NoSuchOp") != NULL);
    CHECK(strstr(error.what, "1 Other") != NULL);
}

static void what_writes_files_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    uncork_error error;
    CHECK_INT(open_text(INPUT NODE("w", "WriteFile", "input: 'x' input: 'x'")
                            NODE("y", "Relu", "input: 'x' input: '^w'"),
                        &error),
              UNCORK_UNSUPPORTED);
    CHECK(strstr(error.what, "WriteFile") != NULL);
}

/* Deeper than any stack of calls would take. */
static void a_long_chain_is_followed(void **state)
{
    (void)state;
    enum { LENGTH = 20000 };
    uncork_error error;
    char *text = test_malloc(LENGTH * 64 + 1000);
    size_t at = (size_t)sprintf(text, "%s%s", INPUT, NODE("n0", "Relu", "input: 'x'"));
    for (int i = 1; i < LENGTH; i++) {
        at += (size_t)sprintf(text + at, "node { name: 'n%d' op: 'Identity' input: 'n%d' }\n", i,
                              i - 1);
    }
    CHECK_INT(open_text(text, &error), UNCORK_OK);
    test_free(text);
}

/* ---- containers ------------------------------------------------------------------------------ */

static void snappy_blocks_claim_no_more_than_they_hold(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uc_arena *arena = uc_arena_new(NULL);
    uc_bytes out;
    /* "abcabcabcx": a literal of three, a copy of six from three before, a literal. */
    static const uint8_t sound[] = {10, 2 << 2, 'a', 'b', 'c', 5 << 2 | 2, 3, 0, 0, 'x'};
    CHECK_OK(uc_snappy_unpack((uc_bytes){sound, sizeof sound}, 0, arena, &out, &error), &error);
    CHECK_INT(out.size, 10);
    CHECK_BYTES(out.data, "abcabcabcx", 10);
    static const uint8_t far[] = {10, 2 << 2, 'a', 'b', 'c', 5 << 2 | 2, 4, 0};
    CHECK_INT(uc_snappy_unpack((uc_bytes){far, sizeof far}, 0, arena, &out, &error),
              UNCORK_MALFORMED);
    static const uint8_t large[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 0, 'a'};
    error = (uncork_error){.size = sizeof error};
    CHECK_INT(uc_snappy_unpack((uc_bytes){large, sizeof large}, 0, arena, &out, &error),
              UNCORK_MALFORMED);
    uc_arena_free(arena);
}

/* Check values of RFC 3720, appendix B.4. */
static void checksums_are_those_of_the_rfc(void **state)
{
    (void)state;
    uint8_t bytes[32];
    memset(bytes, 0, sizeof bytes);
    CHECK_INT(uc_crc32c(0, bytes, sizeof bytes), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    CHECK_INT(uc_crc32c(0, bytes, sizeof bytes), 0x62a8ab43u);
    for (int i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)i;
    }
    CHECK_INT(uc_crc32c(0, bytes, sizeof bytes), 0x46dd794eu);
    CHECK_INT(uc_crc32c(uc_crc32c(0, bytes, 11), bytes + 11, 21), 0x46dd794eu);
    /* Long enough for three runs at once: the same as piece by piece. */
    enum { LONG = 1 << 20 };
    uint8_t *data = test_malloc(LONG);
    for (size_t i = 0; i < LONG; i++) {
        data[i] = (uint8_t)damage_below(256);
    }
    uint32_t pieces = 0;
    for (size_t i = 0; i < LONG; i += 1024) {
        pieces = uc_crc32c(pieces, data + i, 1024);
    }
    CHECK_INT(uc_crc32c(0, data, LONG), pieces);
    test_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_saved_models_are_refused_or_sound),
        cmocka_unit_test(damaged_checkpoints_are_refused_or_sound),
        cmocka_unit_test(damaged_graphs_are_refused_or_sound),
        cmocka_unit_test(a_cycle_is_named),
        cmocka_unit_test(functions_that_call_themselves_end),
        cmocka_unit_test(a_constant_that_claims_too_much_is_refused),
        cmocka_unit_test(two_nodes_of_one_name_are_refused),
        cmocka_unit_test(unknown_operators_are_all_named),
        cmocka_unit_test(what_writes_files_is_refused_wherever_it_stands),
        cmocka_unit_test(a_long_chain_is_followed),
        cmocka_unit_test(snappy_blocks_claim_no_more_than_they_hold),
        cmocka_unit_test(checksums_are_those_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
