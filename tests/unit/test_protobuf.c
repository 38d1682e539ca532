/* The protobuf reader: examples of the format's own documentation ("Encoding"), and what it refuses. */
#include "check.h"
#include "container/protobuf.h"

static uncork_error error;

static uc_reader over(const char *bytes, size_t size)
{
    error = (uncork_error){.size = sizeof error};
    uc_error_init(&error);
    return uc_reader_over(bytes, size, 0, &error);
}
#define OVER(text) over((text), sizeof(text) - 1)

static void a_varint_a_text_and_packed_numbers_are_read(void **state)
{
    (void)state;
    uc_pb_field f;
    uc_reader r = OVER("\x08\x96\x01\x12\x07testing\x32\x06\x03\x8e\x02\x9e\xa7\x05");
    uc_arena *arena = uc_arena_new(NULL);
    int64_t *items = NULL;
    size_t count = 0, capacity = 0;
    CHECK(uc_pb_next(&r, &f));
    CHECK_INT(f.number, 1);
    CHECK_INT(f.value, 150);
    CHECK(uc_pb_next(&r, &f));
    CHECK(uc_str_is(uc_pb_str(&r, &f, "text"), "testing"));
    CHECK(uc_pb_next(&r, &f));
    CHECK_INT(f.number, 6);
    CHECK(uc_pb_i64s(&r, &f, arena, &items, &count, &capacity, "numbers"));
    CHECK_INT(count, 3);
    CHECK_INT(items[0], 3);
    CHECK_INT(items[1], 270);
    CHECK_INT(items[2], 86942);
    CHECK(!uc_pb_next(&r, &f));
    CHECK(uc_reader_ok(&r));
    uc_arena_free(arena);
}

static void a_negative_number_takes_ten_bytes(void **state)
{
    (void)state;
    uc_pb_field f;
    uc_reader r = OVER("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    CHECK(uc_pb_next(&r, &f));
    CHECK_INT((int64_t)f.value, -2);
}

static void floats_are_read_packed_and_one_by_one(void **state)
{
    (void)state;
    uc_pb_field f;
    uc_reader r = OVER("\x3a\x08\x00\x00\x80\x3f\x00\x00\x00\xc0\x3d\x00\x00\x40\x40");
    uc_arena *arena = uc_arena_new(NULL);
    double *items = NULL;
    size_t count = 0, capacity = 0;
    while (uc_pb_next(&r, &f))
        CHECK(uc_pb_f32s(&r, &f, arena, &items, &count, &capacity, "floats"));
    CHECK_INT(count, 3);
    CHECK(items[0] == 1 && items[1] == -2 && items[2] == 3);
    uc_arena_free(arena);
}

static void groups_are_skipped(void **state)
{
    (void)state;
    uc_pb_field f;
    uc_reader r = OVER("\x1b\x08\x01\x13\x14\x1c\x08\x05");
    CHECK(uc_pb_next(&r, &f));
    CHECK_INT(f.value, 5);
    CHECK(!uc_pb_next(&r, &f));
    CHECK(uc_reader_ok(&r));
}

static void refuses(uc_reader r, const char *what)
{
    uc_pb_field f;
    while (uc_pb_next(&r, &f)) {}
    CHECK(!uc_reader_ok(&r));
    CHECK_STR(error.what, what);
}

static void broken_bytes_are_refused_with_what_and_where(void **state)
{
    (void)state;
    refuses(OVER("\x08\x01\x12\x09text"), "a field needs 9 bytes, 4 remain");
    CHECK_INT(error.offset, 4);
    refuses(OVER("\x00\x01"), "0 is no tag of a protobuf field");
    refuses(OVER("\x0e\x01"), "14 is no tag of a protobuf field");
    refuses(OVER("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            "a number is a varint of more than 10 bytes");
    refuses(OVER("\x08\xff"), "a number needs 1 bytes, 0 remain");
    refuses(OVER("\x1c"), "a protobuf group ends that never began");
    refuses(OVER("\x1b\x08\x01"), "a field's tag needs 1 bytes, 0 remain");
}

static void numbers_of_another_wire_type_are_refused(void **state)
{
    (void)state;
    uc_pb_field f;
    uc_reader r = OVER("\x3a\x03\x00\x00\x80");
    CHECK(uc_pb_next(&r, &f));
    CHECK_INT(uc_pb_count(&r, &f, UC_PB_FIXED32, "floats"), 0);
    CHECK_STR(error.what, "floats: 3 bytes are no whole number of 4-byte elements");
    r = OVER("\x08\x01");
    CHECK(uc_pb_next(&r, &f));
    CHECK(!uc_pb_is(&r, &f, UC_PB_BYTES, "a name"));
    CHECK_STR(error.what, "a name (field 1) has wire type 0, not 2");
}

static void messages_nest_a_hundred_deep_and_no_more(void **state)
{
    (void)state;
    uc_pb_field f;
    uc_reader r = OVER("\x0a\x00");
    CHECK(uc_pb_next(&r, &f));
    uc_reader inside = uc_pb_message(&r, &f, UC_PB_DEPTH, "a node");
    CHECK(uc_reader_ok(&inside));
    inside = uc_pb_message(&r, &f, UC_PB_DEPTH + 1, "a node");
    CHECK(!uc_reader_ok(&inside));
    CHECK(!uc_reader_ok(&r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_varint_a_text_and_packed_numbers_are_read),
        cmocka_unit_test(a_negative_number_takes_ten_bytes),
        cmocka_unit_test(floats_are_read_packed_and_one_by_one),
        cmocka_unit_test(groups_are_skipped),
        cmocka_unit_test(broken_bytes_are_refused_with_what_and_where),
        cmocka_unit_test(numbers_of_another_wire_type_are_refused),
        cmocka_unit_test(messages_nest_a_hundred_deep_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
