/* Arrays by numpy.save of NumPy 2: tests/fixtures/gen/containers.py. */
#include "container/npy.h"

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

static uc_npy read_npy(uc_arena *arena, const char *name)
{
    uc_npy npy;
    uncork_error err = {0};
    CHECK_OK(uc_npy_read(fixture(arena, name), 0, arena, &npy, &err), &err);
    return npy;
}

static void every_numeric_type_is_read_in_both_byte_orders(void **state)
{
    static const struct {
        const char *code;
        uncork_dtype dtype;
        bool both;
    } types[] = {
        {"b1", UNCORK_BOOL, false},     {"i1", UNCORK_INT8, false},
        {"i2", UNCORK_INT16, true},     {"i4", UNCORK_INT32, true},
        {"i8", UNCORK_INT64, true},     {"u1", UNCORK_UINT8, false},
        {"u2", UNCORK_UINT16, true},    {"u4", UNCORK_UINT32, true},
        {"u8", UNCORK_UINT64, true},    {"f2", UNCORK_FLOAT16, true},
        {"f4", UNCORK_FLOAT32, true},   {"f8", UNCORK_FLOAT64, true},
        {"c8", UNCORK_COMPLEX64, true}, {"c16", UNCORK_COMPLEX128, true},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        for (int big = 0; big <= types[i].both; big++) {
            char name[32];
            (void)snprintf(name, sizeof name, "m_%s%s.npy", big ? "be_" : "", types[i].code);
            const uc_npy npy = read_npy(*state, name);
            CHECK_INT(npy.tensor->dtype, types[i].dtype);
            CHECK_INT(npy.rank, 2);
            CHECK(npy.tensor->shape[0] == 2 && npy.tensor->shape[1] == 3);
            for (int k = 0; k < 6; k++) {
                const double want = types[i].dtype == UNCORK_BOOL ? k % 2 : k;
                double got;
                if (types[i].dtype == UNCORK_COMPLEX64) {
                    got = (double)((const float *)npy.tensor->data)[2 * k];
                } else if (types[i].dtype == UNCORK_COMPLEX128) {
                    got = ((const double *)npy.tensor->data)[2 * k];
                } else {
                    got = uc_dtype_load_f64(npy.tensor->data, k, types[i].dtype);
                }
                CHECK(got == want);
            }
        }
    }
}

static void orders_ranks_and_versions_come_out_the_same(void **state)
{
    const uc_npy fortran = read_npy(*state, "fortran.npy");
    for (int k = 0; k < 6; k++) {
        CHECK(uc_tensor_doubles(fortran.tensor)[k] == k);
    }
    const uc_npy scalar = read_npy(*state, "scalar.npy");
    CHECK(scalar.rank == 0 && uc_tensor_doubles(scalar.tensor)[0] == 2.5);
    const uc_npy empty = read_npy(*state, "empty.npy");
    CHECK(empty.rank == 2 && uc_tensor_count(empty.tensor) == 0 && empty.tensor->shape[1] == 3);
    CHECK_INT(((const int32_t *)read_npy(*state, "version2.npy").tensor->data)[5], 5);
    CHECK_INT(((const int32_t *)read_npy(*state, "version3.npy").tensor->data)[5], 5);
}

static void numbers_in_the_right_order_are_not_copied(void **state)
{
    const uc_bytes bytes = fixture(*state, "m_f8.npy");
    uc_npy npy;
    uncork_error err = {0};
    CHECK_OK(uc_npy_read(bytes, 0, *state, &npy, &err), &err);
    CHECK(npy.tensor->data == bytes.data + 128);
    CHECK_INT(npy.size, bytes.size);
}

static void strings_lose_their_padding_only(void **state)
{
    const uc_tensor *t = read_npy(*state, "unicode.npy").tensor;
    CHECK(t->dtype == UNCORK_STRING && !t->strings.is_bytes);
    CHECK(uc_str_is(uc_tensor_string(t, 0), "a"));
    CHECK(uc_str_is(uc_tensor_string(t, 1), "\xC3\xA4\xC3\xB6"));
    CHECK(uc_str_is(uc_tensor_string(t, 2), "\xF0\x9F\x98\x80"));
    CHECK(uc_str_is(uc_tensor_string(t, 3), ""));
    t = read_npy(*state, "unicode_be.npy").tensor;
    CHECK(uc_str_is(uc_tensor_string(t, 1), "\xC3\xA4\xC3\xB6"));
    t = read_npy(*state, "bytes.npy").tensor;
    CHECK(t->strings.is_bytes);
    CHECK(uc_str_equal(uc_tensor_string(t, 1), (uc_str){"\xFF\0z", 3}));
}

static void object_arrays_hand_out_their_pickle_and_others_are_named(void **state)
{
    uc_npy npy = read_npy(*state, "object.npy");
    CHECK(npy.tensor == NULL && npy.type.kind == 'O');
    CHECK(npy.rank == 1 && npy.shape[0] == 3);
    CHECK_BYTES(npy.pickle.data, "\x80\x04", 2); /* np.save writes protocol 4 */
    CHECK_INT(npy.pickle.data[npy.pickle.size - 1], '.');
    static const struct {
        const char *file, *words;
    } bad[] = {{"record.npy", "element type [('x', '<f8')"}, {"time.npy", "element type <M8[s]"}};
    for (int i = 0; i < 2; i++) {
        uncork_error err = {0};
        CHECK_INT(uc_npy_read(fixture(*state, bad[i].file), 0, *state, &npy, &err),
                  UNCORK_UNSUPPORTED);
        CHECK(strstr(err.what, bad[i].words) != NULL);
    }
}

/* A version 1.0 file of this header and `data` zero bytes. */
static uncork_status read_header(uc_arena *arena, const char *header, size_t data,
                                 uncork_error *err)
{
    uc_npy npy;
    const size_t n = strlen(header);
    uint8_t *file = test_malloc(10 + n + data);
    put_bytes(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (uint8_t)n;
    file[9] = (uint8_t)(n >> 8);
    put_bytes(file + 10, header, n);
    memset(file + 10 + n, 0, data);
    uc_error_init(err);
    const uncork_status status = uc_npy_read((uc_bytes){file, 10 + n + data}, 0, arena, &npy, err);
    test_free(file);
    return status;
}

static void headers_that_lie_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (9,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1 2), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': 8, }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (8, }",
        "{'descr': '<f8', 'fortran_order': 1, 'shape': (8,), }",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} trailing",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693952,), }",
        "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,), }",
        "{'descr':'<f8','fortran_order':False,'shape':(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)}",
        "{'descr': '<f16', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f+8', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': 'f8', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f8",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uncork_error err;
        if (read_header(*state, bad[i], 64, &err) == UNCORK_OK) fail_msg("%s was taken", bad[i]);
        CHECK(err.what[0] != 0);
    }
    uncork_error err;
    CHECK_OK(read_header(*state, "{'descr':'>f8','fortran_order':True,'shape':(2L,4L)}", 64, &err),
             &err);
    CHECK_OK(read_header(*state, "{\"shape\": (), \"fortran_order\": False, \"descr\": \"=i8\"}\n",
                         64, &err),
             &err);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    static const char *const files[] = {"m_f8.npy", "version2.npy", "unicode.npy", "m_be_c8.npy"};
    for (int i = 0; i < 4; i++) {
        const uc_bytes bytes = fixture(*state, files[i]);
        for (size_t n = 0; n < bytes.size; n++) {
            uc_npy npy;
            uncork_error err = {0};
            uint8_t *cut = fixture_copy((uc_bytes){bytes.data, n});
            CHECK(uc_npy_read((uc_bytes){cut, n}, 0, *state, &npy, &err) != UNCORK_OK);
            CHECK(err.status != UNCORK_OK);
            test_free(cut);
        }
    }
}

static void odd_bools_and_characters_are_put_right_or_refused(void **state)
{
    uc_npy npy;
    uncork_error err = {0};
    const uc_bytes bools = fixture(*state, "m_b1.npy");
    uint8_t *copy = fixture_copy(bools);
    copy[128] = 7;
    CHECK_OK(uc_npy_read((uc_bytes){copy, bools.size}, 0, *state, &npy, &err), &err);
    CHECK_INT(((const uint8_t *)npy.tensor->data)[0], 1);
    test_free(copy);
    const uc_bytes text = fixture(*state, "unicode.npy");
    copy = fixture_copy(text);
    copy[128 + 3] = 1;
    CHECK_INT(uc_npy_read((uc_bytes){copy, text.size}, 0, *state, &npy, &err), UNCORK_MALFORMED);
    test_free(copy);
}

static void what_is_written_is_what_numpy_writes(void **state)
{
    static const char *const files[] = {
        "m_b1.npy", "m_i1.npy",  "m_i2.npy",  "m_i4.npy",  "m_i8.npy",   "m_u1.npy",
        "m_u2.npy", "m_u4.npy",  "m_u8.npy",  "m_f2.npy",  "m_f4.npy",   "m_f8.npy",
        "m_c8.npy", "m_c16.npy", "bytes.npy", "empty.npy", "scalar.npy", "unicode.npy"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        uc_writer out;
        const uc_bytes want = fixture(*state, files[i]);
        uc_writer_init(&out, 10000);
        uc_npy_write(&out, read_npy(*state, files[i]).tensor);
        CHECK_INT(out.size, want.size);
        CHECK_BYTES(out.data, want.data, want.size);
        uc_writer_done(&out);
    }
}

static void types_numpy_lacks_are_widened(void **state)
{
    static const struct {
        uncork_dtype from, to;
        uint8_t data[4];
        double first, second;
    } cases[] = {
        {UNCORK_BFLOAT16, UNCORK_FLOAT32, {0x80, 0x3F, 0x00, 0xC0}, 1, -2},
        {UNCORK_FLOAT8E4M3FN, UNCORK_FLOAT32, {0x38, 0xC0}, 1, -2},
        {UNCORK_FLOAT8E5M2, UNCORK_FLOAT32, {0x3C, 0xC0}, 1, -2},
        {UNCORK_FLOAT4E2M1, UNCORK_FLOAT32, {0xC2}, 1, -2},
        {UNCORK_INT4, UNCORK_INT8, {0xE1}, 1, -2},
        {UNCORK_UINT4, UNCORK_UINT8, {0xE1}, 1, 14},
        {UNCORK_INT2, UNCORK_INT8, {0x09}, 1, -2},
        {UNCORK_UINT2, UNCORK_UINT8, {0x09}, 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uc_writer out;
        uc_npy npy;
        uncork_error err = {0};
        uc_tensor *t = uc_tensor_new(*state, cases[i].from, 1, (const int64_t[]){2});
        const size_t bytes = ((size_t)uc_dtype_bits(cases[i].from) * 2 + 7) / 8;
        memcpy(t->data, cases[i].data, bytes);
        uc_writer_init(&out, 10000);
        uc_npy_write(&out, t);
        CHECK_OK(uc_npy_read((uc_bytes){out.data, out.size}, 0, *state, &npy, &err), &err);
        CHECK_INT(npy.tensor->dtype, cases[i].to);
        CHECK(uc_dtype_load_f64(npy.tensor->data, 0, cases[i].to) == cases[i].first);
        CHECK(uc_dtype_load_f64(npy.tensor->data, 1, cases[i].to) == cases[i].second);
        uc_writer_done(&out);
    }
}

static void an_npz_is_read_and_written(void **state)
{
    uc_zip *zip;
    uc_npy npy;
    uncork_error err = {0};
    uc_bytes bytes;
    CHECK_OK(uc_zip_open(fixture(*state, "packed.npz"), 0, *state, NULL, &zip, &err), &err);
    CHECK_OK(uc_zip_read(zip, 0, &bytes, &err), &err);
    CHECK_OK(uc_npy_read(bytes, 0, *state, &npy, &err), &err);
    CHECK(((const float *)npy.tensor->data)[5] == 5.0f);

    uc_writer out;
    uc_zip_writer w;
    uc_writer_init(&out, 10000);
    uc_zip_writer_init(&w, &out);
    uc_npz_put(&w, "m", npy.tensor);
    uc_zip_finish(&w);
    CHECK_OK(uc_zip_open((uc_bytes){out.data, out.size}, 0, *state, NULL, &zip, &err), &err);
    CHECK_STR(zip->entries[0].name, "m.npy");
    CHECK_OK(uc_zip_read(zip, 0, &bytes, &err), &err);
    const uc_bytes want = fixture(*state, "m_f4.npy");
    CHECK_BYTES(bytes.data, want.data, want.size);
    uc_writer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_numeric_type_is_read_in_both_byte_orders, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(orders_ranks_and_versions_come_out_the_same, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(numbers_in_the_right_order_are_not_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(strings_lose_their_padding_only, setup, teardown),
        cmocka_unit_test_setup_teardown(object_arrays_hand_out_their_pickle_and_others_are_named,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(headers_that_lie_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_cut_anywhere_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_bools_and_characters_are_put_right_or_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_written_is_what_numpy_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(types_numpy_lacks_are_widened, setup, teardown),
        cmocka_unit_test_setup_teardown(an_npz_is_read_and_written, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
