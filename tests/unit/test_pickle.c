/* The pickle machine: opcodes, memo, errors. */
#include "check.h"
#include "container/pickle.h"

typedef struct reading {
    uc_arena *arena;
    uc_pickle *root;
    uc_pickle_info info;
    uncork_error error;
    uncork_status status;
} reading;

static reading read_bytes(const char *bytes, size_t size)
{
    reading r = {.arena = uc_arena_new(NULL)};
    r.status = uc_pickle_read((uc_bytes){(const uint8_t *)bytes, size}, NULL, r.arena, NULL,
                              &r.root, &r.info, &r.error);
    return r;
}

#define READ(literal) read_bytes((literal), sizeof(literal) - 1)

static void a_tuple_of_scalars_is_read(void **state)
{
    (void)state;
    reading r =
        READ("\x80\x04(K\x05J\xFF\xFF\xFF\xFF\x8A\x09\0\0\0\0\0\0\0\x80\0G\x3F\xF8\0\0\0\0\0\0"
             "\x8C\x02hi\x88Nt.");
    CHECK_OK(r.status, &r.error);
    CHECK_INT(r.root->kind, UC_PICKLE_TUPLE);
    CHECK_INT(r.root->count, 6 + 1);
    CHECK_INT(r.root->items[0]->integer, 5);
    CHECK_INT(r.root->items[1]->integer, -1);
    CHECK_INT(r.root->items[2]->kind, UC_PICKLE_LONG);
    CHECK_INT(r.root->items[2]->text.size, 9);
    CHECK(r.root->items[3]->number == 1.5);
    CHECK(uc_pickle_is_text(r.root->items[4], "hi"));
    CHECK(r.root->items[5]->boolean);
    CHECK_INT(r.root->items[6]->kind, UC_PICKLE_NONE);
    CHECK_INT(r.info.protocol, 4);
    CHECK_INT(r.info.end_offset, r.info.stream_bytes);
    uc_arena_free(r.arena);
}

static void a_call_is_kept_and_not_made(void **state)
{
    (void)state;
    reading r = READ("cos\nsystem\n(S'true'\ntR.");
    CHECK_OK(r.status, &r.error);
    CHECK_INT(r.root->kind, UC_PICKLE_OBJECT);
    CHECK(r.root->is_call);
    CHECK_STR(uc_pickle_type_name(r.root, r.arena), "os.system");
    CHECK(uc_pickle_is_text(uc_pickle_item(r.root->args, 0), "true"));
    CHECK_INT(r.info.symbol_count, 1);
    CHECK_INT(r.info.protocol, 0);
    CHECK(r.info.python2);
    CHECK(r.info.dropped == NULL);
    uc_arena_free(r.arena);
}

static void a_call_whose_result_is_dropped_is_told(void **state)
{
    (void)state;
    reading r = READ("cos\nsystem\n(S'true'\ntR0N.");
    CHECK_OK(r.status, &r.error);
    CHECK_INT(r.root->kind, UC_PICKLE_NONE);
    CHECK_STR(uc_pickle_type_name(r.info.dropped, r.arena), "os.system");
    uc_arena_free(r.arena);
}

static void a_huge_memo_index_allocates_nothing(void **state)
{
    (void)state;
    reading r = READ("\x80\x02Nr\xFF\xFF\xFF\xFF"
                     "0]j\xFF\xFF\xFF\xFF"
                     "a.");
    CHECK_OK(r.status, &r.error);
    CHECK_INT(r.root->count, 1);
    CHECK(uc_arena_bytes(r.arena) < (1u << 20));
    uc_arena_free(r.arena);
}

static void build_changes_the_memoized_object(void **state)
{
    (void)state;
    reading r = READ("\x80\x02"
                     "cm\nC\n)\x81q\1}U\1aK\x07sb0h\1.");
    CHECK_OK(r.status, &r.error);
    int64_t a = 0;
    CHECK(uc_pickle_i64(uc_pickle_attr(r.root, "a"), &a));
    CHECK_INT(a, 7);
    uc_arena_free(r.arena);
}

static void a_cut_file_says_where_it_ends(void **state)
{
    (void)state;
    reading r = READ("\x80\x04X\x10\0\0\0abc");
    CHECK_INT(r.status, UNCORK_MALFORMED);
    CHECK_STR(r.error.what, "BINUNICODE needs 16 bytes, 3 remain");
    CHECK_INT(r.error.offset, 7);
    CHECK_STR(r.error.fix, "the file ends inside a pickle's BINUNICODE at byte 10: the download or "
                           "copy was cut short");
    uc_arena_free(r.arena);
}

static void opcodes_on_the_wrong_target_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *what;
    } rows[] = {
        {"]NNs.", "SETITEM on a list"},
        {"}Na.", "APPEND to a dict"},
        {"]}b.", "BUILD on a list"},
        {"S'x'\n(tR.", "REDUCE of a bytes, which is no class and no function"},
        {"cos\nsystem\n]R.", "REDUCE has a list for arguments, not a tuple"},
        {"cos\nsystem\n}b.", "BUILD on a global os.system"},
        {"a.", "APPEND finds the stack empty"},
        {"t.", "TUPLE finds no MARK"},
        {"(0.", "STOP finds the stack empty"},
        {"g7\n.", "GET of memo entry 7, which was never put"},
        {"Iabc\n.", "INT is no number: 'abc'"},
        {"\xFF", "0xFF is no pickle opcode"},
        {"(Nd.", "DICT of 1 keys and values: one is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reading r = read_bytes(rows[i].bytes, strlen(rows[i].bytes));
        CHECK_INT(r.status, UNCORK_MALFORMED);
        CHECK_STR(r.error.what, rows[i].what);
        CHECK(r.root == NULL);
        uc_arena_free(r.arena);
    }
}

static void a_probe_tells_pickles_from_other_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        bool is_pickle;
    } rows[] = {
        {"\x80\x04\x95\0", 4, true},
        {"\x80\x06\x95\0", 4, false},
        {"ccopy_reg\n_reconstructor\np0\n", 28, true},
        {"ccopy_reg\n_reconstructor\nq\0", 27, true},
        {"(dp0\nS'a'\n", 10, true},
        {"]q\0(", 4, true},
        {"(isklearn.svm\nSVC\np0\n", 21, true},
        {"I1\n.", 4, true},
        {"N.", 2, true},
        {"\x78\x9C\x01", 3, true},
        {"\x1F\x8B\x08\0", 4, true},
        {"BZh91AY&SY\0", 11, true},
        {"\xFD"
         "7zXZ\0",
         6, true},
        {"", 0, false},
        {"\0\0\0\0\0\0", 6, false},
        {"version https://git-lfs.github.com/spec/v1\n", 43, false},
        {"<!DOCTYPE html>", 15, false},
        {"PK\x03\x04", 4, false},
        {"\x89HDF\r\n\x1A\n", 8, false},
        {"tree\nversion=v3\n", 16, false},
        {"{\"learner\": {}}", 15, false},
        {"x,y,z\n1,2,3\n", 12, false},
        {"cat\ndog\npig\n", 12, false},
        {"Id,name\n1,2\n", 12, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uc_bytes b = {(const uint8_t *)rows[i].bytes, rows[i].size};
        if (uc_pickle_probe(b) != rows[i].is_pickle) {
            fail_msg("row %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tuple_of_scalars_is_read),
        cmocka_unit_test(a_call_is_kept_and_not_made),
        cmocka_unit_test(a_call_whose_result_is_dropped_is_told),
        cmocka_unit_test(a_huge_memo_index_allocates_nothing),
        cmocka_unit_test(build_changes_the_memoized_object),
        cmocka_unit_test(a_cut_file_says_where_it_ends),
        cmocka_unit_test(opcodes_on_the_wrong_target_are_refused),
        cmocka_unit_test(a_probe_tells_pickles_from_other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
