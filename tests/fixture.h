/* Test files made by genuine writers: tests/fixtures/gen/containers.py. */
#ifndef UC_TESTS_FIXTURE_H
#define UC_TESTS_FIXTURE_H

#include "base/arena.h"
#include "base/file.h"
#include "check.h"

#include <stdio.h>

static inline uc_bytes fixture(uc_arena *arena, const char *name)
{
    char path[256];
    uncork_error err = {0};
    uc_bytes bytes = {NULL, 0};
    (void)snprintf(path, sizeof path, "%s/tests/fixtures/containers/%s", UC_SOURCE_DIR, name);
    CHECK_OK(uc_file_read(path, true, arena, &bytes, &err), &err);
    return bytes;
}

/* memcpy of bytes that happen to be written as text: no terminating zero is meant. */
static inline void put_bytes(void *to, const void *from, size_t size) { memcpy(to, from, size); }

/* A copy that may be changed, exactly as large, so that a sanitizer sees a read past its end. */
static inline uint8_t *fixture_copy(uc_bytes bytes)
{
    uint8_t *copy = test_malloc(bytes.size ? bytes.size : 1);
    if (bytes.size) memcpy(copy, bytes.data, bytes.size);
    return copy;
}

#endif
