/* HDF5 files by h5py, old and new structures: tests/fixtures/gen/hdf5.py. Every numeric dataset there
 * holds 0, 1, 2, ... modulo 100. */
#include "container/hdf5.h"

#include "container/codec.h"
#include "fixture.h"

static uc_arena *arena;

static uc_h5 *open_file(const char *name)
{
    uncork_error err = {0};
    uc_bytes bytes = fixture(arena, name);
    uc_h5 *h5 = NULL;
    if (uc_codec_of(bytes) == UC_CODEC_GZIP) {
        CHECK_OK(uc_codec_unpack(UC_CODEC_GZIP, bytes, 0, arena, NULL, &bytes, NULL, &err), &err);
    }
    CHECK_OK(uc_h5_open(bytes, 0, arena, NULL, &h5, &err), &err);
    return h5;
}

static uc_tensor *read_path(const uc_h5 *h5, const char *path)
{
    uncork_error err = {0};
    uc_tensor *t = NULL;
    const uc_h5_object *o = uc_h5_find(uc_h5_root(h5), uc_str_of(path));
    if (!o) print_message("%s is missing\n", path);
    CHECK(o != NULL);
    CHECK_OK(uc_h5_read(h5, o, arena, &t, &err), &err);
    return t;
}

static void check_counts(const uc_h5 *h5, const char *path, uncork_dtype dtype, int64_t count)
{
    const uc_tensor *t = read_path(h5, path);
    CHECK_INT(t->dtype, dtype);
    CHECK_INT(uc_tensor_count(t), count);
    for (int64_t i = 0; i < count; i++) {
        if (uc_dtype_load_f64(t->data, i, dtype) != (double)(i % 100)) {
            print_message("%s[%lld]\n", path, (long long)i);
        }
        CHECK(uc_dtype_load_f64(t->data, i, dtype) == (double)(i % 100));
    }
}

static const char *const files[] = {"old.h5.gz", "new.h5.gz"};

static void every_number_type_reads_in_both_byte_orders(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uncork_dtype dtype;
    } types[] = {
        {"types/u1", UNCORK_UINT8},      {"types/i1", UNCORK_INT8},
        {"types/le_u2", UNCORK_UINT16},  {"types/be_u2", UNCORK_UINT16},
        {"types/le_i2", UNCORK_INT16},   {"types/be_i2", UNCORK_INT16},
        {"types/le_u4", UNCORK_UINT32},  {"types/be_u4", UNCORK_UINT32},
        {"types/le_i4", UNCORK_INT32},   {"types/be_i4", UNCORK_INT32},
        {"types/le_u8", UNCORK_UINT64},  {"types/be_u8", UNCORK_UINT64},
        {"types/le_i8", UNCORK_INT64},   {"types/be_i8", UNCORK_INT64},
        {"types/le_f2", UNCORK_FLOAT16}, {"types/be_f2", UNCORK_FLOAT16},
        {"types/le_f4", UNCORK_FLOAT32}, {"types/be_f4", UNCORK_FLOAT32},
        {"types/le_f8", UNCORK_FLOAT64}, {"types/be_f8", UNCORK_FLOAT64},
    };
    for (int f = 0; f < 2; f++) {
        const uc_h5 *h5 = open_file(files[f]);
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
            check_counts(h5, types[i].path, types[i].dtype, 15);
        }
        check_counts(h5, "types/bfloat16", UNCORK_BFLOAT16, 4);
        check_counts(h5, "types/empty", UNCORK_FLOAT32, 0);
        check_counts(h5, "types/none", UNCORK_FLOAT32, 0);
        const uc_tensor *b = read_path(h5, "types/bool");
        CHECK_INT(b->dtype, UNCORK_BOOL);
        CHECK_INT(((const uint8_t *)b->data)[1], 1);
        const uc_tensor *s = read_path(h5, "types/scalar");
        CHECK_INT(s->rank, 0);
        CHECK(*(const float *)s->data == 7.0f);
    }
}

static void strings_read_fixed_and_of_variable_length(void **state)
{
    (void)state;
    for (int f = 0; f < 2; f++) {
        const uc_h5 *h5 = open_file(files[f]);
        const uc_tensor *t = read_path(h5, "types/fixed");
        CHECK(uc_str_is(uc_tensor_string(t, 1), "three"));
        CHECK(uc_str_is(uc_tensor_string(t, 2), ""));
        t = read_path(h5, "types/utf8");
        CHECK(uc_str_is(uc_tensor_string(t, 1), "zw\xc3\xb6lf"));
        CHECK_INT(uc_tensor_string(t, 2).size, 0);
    }
}

static void chunks_read_by_every_index_and_filter(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uncork_dtype dtype;
        int64_t count;
    } sets[] = {
        {"chunks/plain", UNCORK_FLOAT32, 70},       {"chunks/gzip", UNCORK_FLOAT32, 70},
        {"chunks/shuffled", UNCORK_FLOAT64, 70},    {"chunks/summed", UNCORK_INT32, 45},
        {"chunks/lzf", UNCORK_INT32, 600},          {"chunks/single", UNCORK_FLOAT32, 16},
        {"chunks/single_gzip", UNCORK_FLOAT32, 16}, {"chunks/many", UNCORK_UINT16, 1500},
        {"chunks/growing", UNCORK_FLOAT32, 700},    {"chunks/growing_gzip", UNCORK_FLOAT32, 70},
        {"chunks/both", UNCORK_FLOAT32, 400},       {"chunks/both_gzip", UNCORK_FLOAT32, 400},
        {"chunks/implicit", UNCORK_FLOAT32, 30},    {"chunks/compact", UNCORK_FLOAT32, 6},
    };
    for (int f = 0; f < 2; f++) {
        const uc_h5 *h5 = open_file(files[f]);
        for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
            check_counts(h5, sets[i].path, sets[i].dtype, sets[i].count);
        }
        CHECK(((const float *)read_path(h5, "chunks/unwritten")->data)[4] == 3.0f);
        CHECK(((const float *)read_path(h5, "chunks/unwritten_chunks")->data)[9] == 3.0f);
    }
}

static void groups_read_wide_deep_and_shared(void **state)
{
    (void)state;
    for (int f = 0; f < 2; f++) {
        const uc_h5 *h5 = open_file(files[f]);
        const uc_h5_object *root = uc_h5_root(h5);
        const uc_h5_object *wide = uc_h5_find(root, uc_str_of("wide"));
        CHECK_INT(uc_h5_count(wide), 100);
        CHECK(*(const float *)read_path(h5, "wide/d077")->data == 77.0f);
        check_counts(h5, "a/b/c/d/deep", UNCORK_FLOAT32, 2);
        CHECK(uc_h5_find(root, uc_str_of("again")) == uc_h5_find(root, uc_str_of("a/b")));
        CHECK(uc_h5_find(root, uc_str_of("a/nothing")) == NULL);
        CHECK(uc_h5_find(root, uc_str_of("soft")) == NULL);
    }
}

static void attributes_read_few_many_and_large(void **state)
{
    (void)state;
    for (int f = 0; f < 2; f++) {
        const uc_h5 *h5 = open_file(files[f]);
        const uc_h5_object *root = uc_h5_root(h5);
        const uc_h5_object *g = uc_h5_find(root, uc_str_of("attributes"));
        uncork_error err = {0};
        uc_tensor *t;
        CHECK_OK(uc_h5_attribute(h5, root, "text", arena, &t, &err), &err);
        CHECK(uc_str_is(uc_tensor_string(t, 0), "a string"));
        CHECK_OK(uc_h5_attribute(h5, root, "names", arena, &t, &err), &err);
        CHECK(uc_str_is(uc_tensor_string(t, 1), "second"));
        CHECK_OK(uc_h5_attribute(h5, root, "list", arena, &t, &err), &err);
        CHECK(uc_str_is(uc_tensor_string(t, 1), "yy"));
        CHECK_OK(uc_h5_attribute(h5, root, "nothing", arena, &t, &err), &err);
        CHECK(t == NULL);
        for (int i = 0; i < 30; i++) {
            char name[8];
            (void)snprintf(name, sizeof name, "a%d", i);
            CHECK_OK(uc_h5_attribute(h5, g, name, arena, &t, &err), &err);
            CHECK(t != NULL);
            CHECK_INT(*(const int64_t *)t->data, i);
        }
        CHECK_OK(uc_h5_attribute(h5, g, "large", arena, &t, &err), &err);
        CHECK((t != NULL) == (f == 1));
        if (t) CHECK(((const float *)t->data)[19999] == 99.0f);
    }
}

static void a_user_block_comes_first(void **state)
{
    (void)state;
    check_counts(open_file("block.h5"), "x", UNCORK_FLOAT32, 3);
}

static void contiguous_data_are_views_of_the_file(void **state)
{
    (void)state;
    uncork_error err = {0};
    const uc_bytes bytes = fixture(arena, "block.h5");
    uc_h5 *h5;
    CHECK_OK(uc_h5_open(bytes, 0, arena, NULL, &h5, &err), &err);
    const uint8_t *data = read_path(h5, "x")->data;
    CHECK(data > bytes.data && data < bytes.data + bytes.size);
}

static void a_cut_file_says_so(void **state)
{
    (void)state;
    uncork_error err = {0};
    const uc_bytes bytes = fixture(arena, "old.h5");
    uc_h5 *h5;
    const uc_bytes cut = {bytes.data, bytes.size - 100};
    CHECK_INT(uc_h5_open(cut, 0, arena, NULL, &h5, &err), UNCORK_MALFORMED);
    CHECK(strstr(err.what, "the file is cut") != NULL);
}

static int set_up(void **state)
{
    (void)state;
    arena = uc_arena_new(NULL);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    uc_arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_type_reads_in_both_byte_orders),
        cmocka_unit_test(strings_read_fixed_and_of_variable_length),
        cmocka_unit_test(chunks_read_by_every_index_and_filter),
        cmocka_unit_test(groups_read_wide_deep_and_shared),
        cmocka_unit_test(attributes_read_few_many_and_large),
        cmocka_unit_test(a_user_block_comes_first),
        cmocka_unit_test(contiguous_data_are_views_of_the_file),
        cmocka_unit_test(a_cut_file_says_so),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
