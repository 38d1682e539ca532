/* FlatBuffers made by hand: what is read, and that broken offsets fail with one line. */
#include "container/flatbuffer.h"

#include "check.h"

/* Root table {0: int32 7, 1: text "hi", 2: [uint16 3, 4], 3: a table {0: int8 -2}}. */
static const uint8_t sample[] = {
    24,  0,   0,   0,   'T', 'E', 'S', 'T',               /* root at 24 */
    12,  0,   20,  0,   4,   0,   8,   0,   12, 0, 16, 0, /* vtable at 8: sizes, members */
    0,   0,   0,   0,                                     /* */
    16,  0,   0,   0,   7,   0,   0,   0, /* table at 24: back to 8; member 0 at 28 */
    12,  0,   0,   0,   16,  0,   0,   0, /* 32: text at 44; 36: list at 52 */
    20,  0,   0,   0,                     /* 40: table at 60 */
    2,   0,   0,   0,   'h', 'i', 0,   0, /* 44 */
    2,   0,   0,   0,   3,   0,   4,   0, /* 52 */
    248, 255, 255, 255, 254, 0,   0,   0,   6,  0, 5,  0, 4, 0, /* 60: vtable at 68 */
};

typedef struct seen {
    int64_t number, small;
    uc_str text;
    size_t count;
    int64_t last;
} seen;

static bool read_all(const uint8_t *data, size_t size, seen *s, uncork_error *error)
{
    uc_fb fb;
    uc_fb_table root;
    uc_error_init(error);
    *s = (seen){0};
    if (!uc_fb_open(&fb, (uc_bytes){data, size}, 0, error, &root)) return false;
    s->number = uc_fb_int(root, 0, 4, -1);
    s->text = uc_fb_str(root, 1);
    const uc_fb_vector v = uc_fb_vec(root, 2, 2);
    s->count = v.count;
    for (size_t i = 0; i < v.count; i++) {
        s->last = uc_fb_vec_int(v, i);
    }
    s->small = uc_fb_int(uc_fb_child(root, 3), 0, 1, 0);
    return uc_fb_ok(&fb);
}

static void members_read_as_the_schema_says(void **state)
{
    (void)state;
    uncork_error err;
    seen s;
    CHECK(uc_fb_probe((uc_bytes){sample, sizeof sample}, "TEST"));
    CHECK(read_all(sample, sizeof sample, &s, &err));
    CHECK_INT(s.number, 7);
    CHECK(uc_str_is(s.text, "hi"));
    CHECK_INT(s.count, 2);
    CHECK_INT(s.last, 4);
    CHECK_INT(s.small, -2);
}

static void absent_members_have_their_default(void **state)
{
    (void)state;
    uncork_error err;
    uc_fb fb;
    uc_fb_table root;
    uc_error_init(&err);
    CHECK(uc_fb_open(&fb, (uc_bytes){sample, sizeof sample}, 0, &err, &root));
    CHECK_INT(uc_fb_int(root, 9, 4, 5), 5);
    CHECK_INT(uc_fb_str(root, 40).size, 0);
    CHECK_INT(uc_fb_vec(root, 9, 4).count, 0);
    CHECK(uc_fb_child(root, 9).fb == NULL);
    CHECK(uc_fb_ok(&fb));
}

static void every_truncation_fails_with_one_line(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof sample; n++) {
        uint8_t copy[sizeof sample];
        uncork_error err;
        seen s;
        memcpy(copy, sample, n);
        if (read_all(copy, n, &s, &err)) print_message("%zu bytes\n", n);
        CHECK(!read_all(copy, n, &s, &err));
        CHECK_INT(err.status, UNCORK_MALFORMED);
    }
}

/* Any byte changed to any value: an answer or a failure, nothing read outside (sanitizers see it). */
static void any_byte_may_have_any_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sample; i++) {
        for (unsigned v = 0; v < 256; v++) {
            uint8_t copy[sizeof sample];
            uncork_error err;
            seen s;
            memcpy(copy, sample, sizeof sample);
            copy[i] = (uint8_t)v;
            const bool done = read_all(copy, sizeof copy, &s, &err);
            CHECK_INT(done, err.status == UNCORK_OK);
        }
    }
}

static void a_list_longer_than_the_file_fails(void **state)
{
    (void)state;
    uint8_t copy[sizeof sample];
    uncork_error err;
    seen s;
    memcpy(copy, sample, sizeof sample);
    memset(copy + 52, 0xff, 4);
    CHECK(!read_all(copy, sizeof copy, &s, &err));
    CHECK(strstr(err.what, "list") != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_read_as_the_schema_says),
        cmocka_unit_test(absent_members_have_their_default),
        cmocka_unit_test(every_truncation_fails_with_one_line),
        cmocka_unit_test(any_byte_may_have_any_value),
        cmocka_unit_test(a_list_longer_than_the_file_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
