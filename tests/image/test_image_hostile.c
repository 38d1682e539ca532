/* Pictures that are broken: cut anywhere or with bytes changed, each of the committed ones ends in a
 * picture or in one clear line, within its memory, and no library prints anything. */
#include "check.h"

#include "base/file.h"
#include "image/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "tests/fixtures/image"
#define MEMORY ((uint64_t)64 << 20)

/* Whether the bytes decode; checks what an error has to say. */
static bool decodes(const uint8_t *data, size_t size)
{
    uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = MEMORY};
    uc_budget budget;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_image image;
    uncork_status status = uc_image_decode((uc_bytes){data, size}, arena, &image, &error);
    if (status != UNCORK_OK) {
        CHECK(error.what[0] != '\0');
        CHECK(strchr(error.what, '\n') == NULL);
    }
    uc_arena_free(arena);
    return status == UNCORK_OK;
}

static void mutate(const char *name, uc_arena *arena)
{
    uc_bytes bytes;
    uncork_error error = {.size = sizeof error};
    char path[512];
    uint32_t state = 12345;
    uc_error_init(&error);
    snprintf(path, sizeof path, FOLDER "/%s", name);
    CHECK_OK(uc_file_read(path, false, arena, &bytes, &error), &error);
    uint8_t *copy = uc_arena_alloc_raw(arena, bytes.size);
    for (int i = 0; i < 24; i++) { /* a copy of its own, so that a sanitizer sees its end */
        size_t cut = bytes.size * (size_t)i / 24;
        memcpy(copy, bytes.data, bytes.size);
        (void)decodes(copy, cut);
        for (int k = 0; k < 3; k++) {
            state = state * 1664525u + 1013904223u;
            copy[(state >> 8) % bytes.size] = (uint8_t)(state >> 3);
        }
        (void)decodes(copy, bytes.size);
    }
}

static void broken_pictures_end_in_one_line_each_and_print_nothing(void **state)
{
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    char **names;
    size_t count;
    char path[] = "/tmp/uncork_stderr_XXXXXX";
    uc_error_init(&error);
    CHECK_OK(uc_file_list(FOLDER, false, arena, &names, &count, &error), &error);
    int out = mkstemp(path), kept = dup(2);
    CHECK(out >= 0 && kept >= 0);
    fflush(stderr);
    dup2(out, 2);
    for (size_t i = 0; i < count; i++) {
        if (!strstr(names[i], ".json")) mutate(names[i], arena);
    }
    fflush(stderr);
    dup2(kept, 2);
    CHECK_INT(lseek(out, 0, SEEK_END), 0);
    close(out);
    close(kept);
    unlink(path);
    CHECK(count > 100);
    uc_arena_free(arena);
}

static void a_header_that_promises_too_much_is_refused(void **state)
{
    (void)state;
    static const char pnm[] = "P6 100000 100000 255\nx",
                      pam[] = "P7\nWIDTH 4294967295\nHEIGHT "
                              "4294967295\nDEPTH 4\nMAXVAL "
                              "255\nENDHDR\n",
                      gif[] = "GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x08\0;";
    CHECK(!decodes((const uint8_t *)pnm, sizeof pnm - 1));
    CHECK(!decodes((const uint8_t *)pam, sizeof pam - 1));
    CHECK(!decodes((const uint8_t *)gif, sizeof gif - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_pictures_end_in_one_line_each_and_print_nothing),
        cmocka_unit_test(a_header_that_promises_too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
