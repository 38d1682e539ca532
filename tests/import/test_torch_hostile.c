/* PyTorch files changed at random, within their zips too, and files made to run code: refused with a
 * message or sound, never a crash, a hang or unbounded memory. UC_MUTATIONS sets how many. */
#include "container/bundle.h"
#include "container/zip.h"
#include "damage.h"

#include <stdio.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/pytorch"

/* ---- damage ------------------------------------------------------------------------------------- */

static void damage_bytes(uint8_t *bytes, size_t size)
{
    for (size_t n = damage_below(4) + 1; size && n > 0; n--) {
        bytes[damage_below(size)] = (uint8_t)damage_below(256);
    }
}

/* A copy exactly as large, so that a sanitizer sees a read past the end. */
static void try_copy(const uint8_t *data, size_t size)
{
    uint8_t *exact = test_malloc(size ? size : 1);
    memcpy(exact, data, size);
    (void)damage_try(exact, size);
    test_free(exact);
}

/* The archive again, sound as a zip, with one entry changed. */
static void damage_within(uc_bundle *zip, uc_arena *arena)
{
    uncork_error error = {.size = sizeof error};
    uc_writer w;
    uc_zip_writer out;
    const size_t count = uc_bundle_count(zip), chosen = damage_below(count);
    uc_writer_init(&w, (size_t)1 << 24);
    uc_zip_writer_init(&out, &w);
    for (size_t i = 0; i < count; i++) {
        uc_bytes bytes;
        const char *name = uc_bundle_name(zip, i), *end = strrchr(name, '.');
        CHECK_OK(uc_bundle_read(zip, i, &bytes, &error), &error);
        const bool text = end && (strcmp(end, ".pkl") == 0 || strcmp(end, ".json") == 0);
        if (i == chosen || (text && damage_below(2) == 0)) {
            uint8_t *copy = UC_NEW(arena, uint8_t, bytes.size + 1);
            if (bytes.size) memcpy(copy, bytes.data, bytes.size);
            damage_bytes(copy, bytes.size);
            bytes.data = copy;
            if (damage_below(8) == 0) bytes.size = damage_below(bytes.size + 1);
        }
        uc_zip_put(&out, name, bytes);
    }
    uc_zip_finish(&out);
    try_copy((const uint8_t *)w.data, w.size);
    uc_writer_done(&w);
}

/* `times` changed copies of one file within a fixture. */
static void damage_entry(const char *fixture, const char *entry, long times)
{
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    uc_bundle *pack, *inner = NULL;
    uc_bytes sound;
    const char *path = uc_arena_printf(arena, FOLDER "/%s", fixture);
    CHECK_OK(uc_bundle_open(path, true, arena, NULL, &pack, &error), &error);
    CHECK_OK(uc_bundle_read(pack, uc_bundle_find(pack, entry), &sound, &error), &error);
    if (uc_zip_probe(sound))
        CHECK_OK(uc_bundle_over(sound, entry, arena, NULL, &inner, &error), &error);
    for (long i = 0; i < times; i++) {
        uc_arena *scratch = uc_arena_new(NULL);
        if (inner && damage_below(4)) {
            damage_within(inner, scratch);
        } else {
            uint8_t *copy = UC_NEW(scratch, uint8_t, sound.size);
            memcpy(copy, sound.data, sound.size);
            damage_bytes(copy, sound.size);
            try_copy(copy, damage_below(4) ? sound.size : damage_below(sound.size));
        }
        uc_arena_free(scratch);
    }
    uc_arena_free(arena);
}

static void damaged_files_are_refused_or_sound(void **state)
{
    (void)state;
    static const char *const entries[][2] = {
        {"containers.zip", "zip/model.pt"},       {"containers.zip", "extra/model.pt"},
        {"containers.zip", "legacy/model.pt"},    {"containers.zip", "tar/model.pt"},
        {"containers.zip", "lightning/model.pt"}, {"containers.zip", "deflated/model.pt"},
        {"export.zip", "cond/model.pt2"},         {"export.zip", "fcn_dyn/model.pt2"},
        {"export.zip", "mlp_flat/model.pt2"},     {"shards.zip", "lone/model.safetensors"},
        {"modules_0.zip", "conv1/model.pt"},      {"modules_1.zip", "nested/model.pt"},
        {"modules_2.zip", "shared/model.pt"},
    };
    const size_t count = sizeof entries / sizeof entries[0];
    for (size_t i = 0; i < count; i++) {
        uc_arena *arena = uc_arena_new(NULL);
        uncork_error error = {.size = sizeof error};
        uc_bundle *pack;
        const char *path = uc_arena_printf(arena, FOLDER "/%s", entries[i][0]);
        CHECK_OK(uc_bundle_open(path, true, arena, NULL, &pack, &error), &error);
        const bool there = uc_bundle_find(pack, entries[i][1]) != SIZE_MAX;
        uc_arena_free(arena);
        if (there) damage_entry(entries[i][0], entries[i][1], 1 + test_mutations() / (long)count);
    }
}

/* ---- code --------------------------------------------------------------------------------------- */

typedef struct gadget {
    const char *pickle;
    const char *named; /* what the message must name */
} gadget;

static const gadget gadgets[] = {
    {"cposix\nsystem\n(S'id'\ntR.", "posix.system"},
    {"c__builtin__\neval\n(S'1'\ntR.", "__builtin__.eval"},
    {"(dS'state_dict'\n(dsS'x'\ncsubprocess\nPopen\n(S'id'\ntRs.", "subprocess.Popen"},
    {"ctorch.hub\nload\n(S'a'\nS'b'\ntR.", "torch.hub.load"},
    {"ctorch.serialization\nos.system\n(S'id'\ntR.", "torch.serialization.os.system"},
    {"(S'id'\nios\nsystem\n.", "os.system"},
    {"(lcrunpy\n_run_code\np0\na.", "runpy._run_code"},
    {"c__main__\nrun\n(tR.", "__main__.run"},
};

static void expect_refusal(const uint8_t *bytes, size_t size, const gadget *g, const char *form)
{
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    uncork_model *model;
    uncork_status status = uncork_open_memory(bytes, size, "m.pt", NULL, &file, &error);
    if (status == UNCORK_OK) {
        status = uncork_prepare(file, NULL, NULL, &model, &error);
        if (status == UNCORK_OK) fail_msg("%s: %s runs", form, g->named);
        uncork_file_close(file);
    }
    if (!strstr(error.what, g->named))
        fail_msg("%s: '%s' isn't named in: %s", form, g->named, error.what);
}

static void in_zip(const gadget *g, uc_writer *w)
{
    uc_zip_writer out;
    uc_zip_writer_init(&out, w);
    uc_zip_put(&out, "archive/data.pkl", (uc_bytes){(const uint8_t *)g->pickle, strlen(g->pickle)});
    uc_zip_put(&out, "archive/version", (uc_bytes){(const uint8_t *)"3\n", 2});
    uc_zip_finish(&out);
}

static void in_legacy(const gadget *g, uc_writer *w)
{
    static const uint8_t head[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
                                  "\x80\x02M\xe9\x03.\x80\x02}.";
    uc_writer_put(w, head, sizeof head - 1);
    uc_writer_put(w, g->pickle, strlen(g->pickle));
    uc_writer_put(w, "\x80\x02].", 4);
}

static void files_that_run_code_are_refused_and_say_what(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gadgets / sizeof gadgets[0]; i++) {
        uc_writer w;
        uc_writer_init(&w, 1 << 16);
        in_zip(&gadgets[i], &w);
        expect_refusal((const uint8_t *)w.data, w.size, &gadgets[i], "zip");
        uc_writer_done(&w);
        uc_writer_init(&w, 1 << 16);
        in_legacy(&gadgets[i], &w);
        expect_refusal((const uint8_t *)w.data, w.size, &gadgets[i], "legacy");
        uc_writer_done(&w);
    }
}

/* ---- files of others ---------------------------------------------------------------------------- */

static void broken_files_of_others_are_refused_or_sound(void **state)
{
    (void)state;
    static const char *const folders[] = {"torch", "safetensors"};
    for (size_t k = 0; k < 2; k++) {
        uc_arena *arena = uc_arena_new(NULL);
        uncork_error error = {.size = sizeof error};
        uc_bundle *pack;
        const char *path = uc_arena_printf(
            arena, UC_SOURCE_DIR "/../shared/malformed/%s/files.tar.xz", folders[k]);
        if (uc_bundle_open(path, true, arena, NULL, &pack, &error)) {
            printf("skipped: %s isn't there\n", path);
            uc_arena_free(arena);
            continue;
        }
        for (size_t i = 0; i < uc_bundle_count(pack); i++) {
            uc_bytes bytes;
            CHECK_OK(uc_bundle_read(pack, i, &bytes, &error), &error);
            try_copy(bytes.data, bytes.size);
        }
        uc_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_are_refused_or_sound),
        cmocka_unit_test(files_that_run_code_are_refused_and_say_what),
        cmocka_unit_test(broken_files_of_others_are_refused_or_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
