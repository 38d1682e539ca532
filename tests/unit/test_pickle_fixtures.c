/* Genuine pickles and joblib files (tests/fixtures/gen/pickles.py) hold what the Python that wrote
 * them says they hold. Everything is compared bit by bit. */
#include "check.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "container/pickle.h"
#include "container/sparse.h"

#define FOLDER "tests/fixtures/pickle/"

static const struct {
    const char *file, *expect, *compression;
    int protocol, numpy;
    bool joblib, python2;
} files[] = {
    {"py27-np116-p0.pkl", "kinds-py2.json", NULL, 0, 1, false, true},
    {"py27-np116-p1.pkl", "kinds-py2.json", NULL, 1, 1, false, true},
    {"py27-np116-p2.pkl", "kinds-py2.json", NULL, 2, 1, false, true},
    {"py36-np113-p3.pkl", "kinds-py3.json", NULL, 3, 1, false, false},
    {"py38-np118-p4.pkl", "kinds-py3.json", NULL, 4, 1, false, false},
    {"py311-np126-p5.pkl", "kinds-py3.json", NULL, 5, 1, false, false},
    {"py313-np24-p0.pkl", "kinds-py3.json", NULL, 0, 2, false, false},
    {"py313-np24-p1.pkl", "kinds-py3.json", NULL, 1, 2, false, false},
    {"py313-np24-p2.pkl", "kinds-py3.json", NULL, 2, 2, false, false},
    {"py313-np24-p3.pkl", "kinds-py3.json", NULL, 3, 2, false, false},
    {"py313-np24-p4.pkl", "kinds-py3.json", NULL, 4, 2, false, false},
    {"py313-np24-p5.pkl", "kinds-py3.json", NULL, 5, 2, false, false},
    {"py27-sparse-p2.pkl", "sparse-old.json", NULL, 2, 1, false, true},
    {"py36-sparse-p3.pkl", "sparse-old.json", NULL, 3, 1, false, false},
    {"py311-sparse-p4.pkl", "sparse-new.json", NULL, 4, 1, false, false},
    {"py313-sparse-p5.pkl", "sparse-new.json", NULL, 5, 2, false, false},
    {"py27-joblib084-0.joblib", "joblib.json", NULL, 2, 1, true, true},
    {"py27-joblib084-3.joblib", "joblib.json", "zlib", 2, 1, false, true},
    {"py27-joblib084-zeros.joblib", "joblib-zeros.json", "zlib", 2, 1, true, true},
    {"py36-joblib094-0.joblib", "joblib.json", NULL, 3, 1, true, false},
    {"py36-joblib094-3.joblib", "joblib.json", "zlib", 3, 1, false, false},
    {"py36-joblib0103-0.joblib", "joblib.json", NULL, 3, 1, true, false},
    {"py27-sklearn020-0.joblib", "joblib.json", NULL, 2, 1, true, true},
    {"py27-sklearn020-3.joblib", "joblib.json", "zlib", 2, 1, true, true},
    {"py37-joblib0141-gzip.joblib", "joblib.json", "gzip", 3, 1, true, false},
    {"py37-joblib0141-lz4.joblib", "joblib.json", "lz4", 3, 1, true, false},
    {"py39-joblib111-0.joblib", "joblib.json", NULL, 4, 1, true, false},
    {"py39-joblib111-bz2.joblib", "joblib.json", "bz2", 4, 1, true, false},
    {"py311-joblib120-0.joblib", "joblib.json", NULL, 4, 1, true, false},
    {"py311-joblib120-xz.joblib", "joblib.json", "xz", 4, 1, true, false},
    {"py313-joblib152-0.joblib", "joblib.json", NULL, 4, 2, true, false},
    {"py313-joblib152-zlib.joblib", "joblib.json", "zlib", 4, 2, true, false},
    {"py313-joblib152-lzma.joblib", "joblib.json", "lzma", 4, 2, true, false},
};

static uc_bytes read_file(uc_arena *arena, const char *name)
{
    uncork_error error = {0};
    uc_bytes bytes = {0};
    const char *path = uc_arena_printf(arena, FOLDER "%s", name);
    CHECK_OK(uc_file_read(path, true, arena, &bytes, &error), &error);
    return bytes;
}

/* Where a comparison is, for messages. */
typedef struct place {
    uc_arena *arena;
    const char *file, *name;
} place;

static void differ(const place *p, const char *what)
{
    fail_msg("%s, '%s': %s", p->file, p->name, what);
}

static void must(const place *p, bool condition, const char *what)
{
    if (!condition) {
        differ(p, what);
    }
}

static bool is_hex(uc_str hex, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = (const uint8_t *)data;
    bool same = hex.size == 2 * size;
    for (size_t i = 0; same && i < size; i++) {
        same = hex.data[2 * i] == digits[bytes[i] >> 4] &&
               hex.data[2 * i + 1] == digits[bytes[i] & 15];
    }
    return same;
}

static uc_str word(const uc_json *want, size_t i) { return uc_json_str(uc_json_at(want, i), ""); }

static bool is_float(uc_str hex, double value)
{
    char text[64] = {0}, *end;
    memcpy(text, hex.data, hex.size < 63 ? hex.size : 63);
    const double want = strtod(text, &end);
    return *end == '\0' && !memcmp(&want, &value, sizeof want);
}

static void check_shape(const place *p, const uc_tensor *t, uc_str shape)
{
    char text[128];
    must(p, uc_str_is(shape, uc_shape_text(t->shape, t->rank, text, sizeof text)), "shape");
}

static void check_tensor(const place *p, const uc_tensor *t, const uc_json *want)
{
    must(p, t != NULL, "no tensor");
    if (uc_str_is(word(want, 0), "strings")) {
        const uc_json *items = uc_json_at(want, 3);
        must(p, t->dtype == UNCORK_STRING, "no strings");
        must(p, t->strings.is_bytes == uc_str_is(word(want, 1), "bytes"), "bytes or text");
        check_shape(p, t, word(want, 2));
        for (size_t i = 0; i < uc_json_count(items); i++) {
            const uc_str s = uc_tensor_string(t, (int64_t)i);
            must(p, is_hex(word(items, i), s.data, s.size), "a string of an array");
        }
        return;
    }
    size_t bytes = 0;
    must(p, uc_str_is(word(want, 1), uc_dtype_name(t->dtype)), "dtype");
    check_shape(p, t, word(want, 2));
    must(p, uc_shape_bytes(t->dtype, t->shape, t->rank, &bytes), "size");
    const size_t size = uc_dtype_size(t->dtype);
    const bool is_complex = t->dtype == UNCORK_COMPLEX64 || t->dtype == UNCORK_COMPLEX128;
    must(p, (uintptr_t)t->data % (is_complex ? size / 2 : size) == 0 || !bytes, "alignment");
    must(p, is_hex(word(want, 3), t->data, bytes), "data");
}

static void check_records(const place *p, const uc_pickle *got, const uc_json *want)
{
    const uc_json *fields = uc_json_at(want, 2);
    must(p, got->kind == UC_PICKLE_RECORDS, "no records");
    check_shape(p, got->tensor, word(want, 1));
    must(p, got->field_count == uc_json_count(fields), "number of fields");
    for (size_t i = 0; i < got->field_count; i++) {
        const uc_json *field = uc_json_at(fields, i);
        must(p, is_hex(word(field, 0), got->field_names[i].data, got->field_names[i].size), "name");
        check_tensor(p, got->field_tensors[i], uc_json_at(field, 1));
    }
}

/* "123", "-5": also beyond int64, by adding up the decimal digits of a LONG's bytes. */
static bool is_integer(uc_arena *arena, uc_str digits, const uc_pickle *got)
{
    if (got->kind == UC_PICKLE_INT) {
        return uc_str_is(digits, uc_arena_printf(arena, "%lld", (long long)got->integer));
    }
    const bool negative = got->text.data[got->text.size - 1] & 0x80;
    char decimal[2000] = {0};
    size_t size = 1;
    for (size_t i = got->text.size; i-- > 0;) {
        unsigned carry = (uint8_t)(negative ? ~got->text.data[i] : got->text.data[i]);
        carry += negative && i == 0;
        for (size_t j = 0; j < size || carry; j++) {
            size = j + 1 > size ? j + 1 : size;
            carry += (unsigned)decimal[j] * 256;
            decimal[j] = (char)(carry % 10);
            carry /= 10;
        }
    }
    bool same = digits.size == size + negative && (digits.data[0] == '-') == negative;
    for (size_t i = 0; same && i < size; i++) {
        same = digits.data[digits.size - 1 - i] == '0' + decimal[i];
    }
    return same;
}

static void check_value(const place *p, const uc_pickle *got, const uc_json *want);

static void check_items(const place *p, const uc_pickle *got, uc_pickle_kind kind,
                        const uc_json *items)
{
    must(p, got->kind == kind, "kind of container");
    must(p, got->count == uc_json_count(items), "number of items");
    for (size_t i = 0; i < got->count; i++) {
        check_value(p, uc_pickle_item(got, i), uc_json_at(items, i));
    }
}

static void check_dict(const place *p, const uc_pickle *got, const uc_json *pairs)
{
    must(p, got->kind == UC_PICKLE_DICT, "no dict");
    must(p, got->count == uc_json_count(pairs), "number of pairs");
    for (size_t i = 0; i < got->count; i++) {
        check_value(p, got->items[2 * i], uc_json_at(uc_json_at(pairs, i), 0));
        check_value(p, got->items[2 * i + 1], uc_json_at(uc_json_at(pairs, i), 1));
    }
}

/* Python 2's builtins are named otherwise in the file than Python 2 says: nothing else. */
static void check_named(const place *p, const uc_pickle *got, uc_pickle_kind kind,
                        const uc_json *want)
{
    must(p, got->kind == kind, "kind of a named value");
    must(p, uc_str_equal(got->module, word(want, 1)), "module");
    must(p, uc_str_equal(got->text, word(want, 2)), "name");
}

static void check_value(const place *p, const uc_pickle *got, const uc_json *want)
{
    static const struct {
        const char *name;
        uc_pickle_kind kind;
    } containers[] = {{"list", UC_PICKLE_LIST},
                      {"tuple", UC_PICKLE_TUPLE},
                      {"set", UC_PICKLE_SET},
                      {"slice", UC_PICKLE_SLICE},
                      {"range", UC_PICKLE_RANGE}};
    const uc_str kind = word(want, 0);
    must(p, got != NULL, "missing");
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++) {
        if (uc_str_is(kind, containers[i].name)) {
            check_items(p, got, containers[i].kind, uc_json_at(want, 1));
            return;
        }
    }
    if (uc_str_is(kind, "none")) {
        must(p, got->kind == UC_PICKLE_NONE, "not None");
    } else if (uc_str_is(kind, "bool")) {
        must(p, got->kind == UC_PICKLE_BOOL && got->boolean == uc_json_bool(uc_json_at(want, 1), 0),
             "bool");
    } else if (uc_str_is(kind, "int")) {
        must(p, got->kind == UC_PICKLE_INT || got->kind == UC_PICKLE_LONG, "no int");
        must(p, is_integer(p->arena, word(want, 1), got), "int");
    } else if (uc_str_is(kind, "float")) {
        must(p, got->kind == UC_PICKLE_FLOAT && is_float(word(want, 1), got->number), "float");
    } else if (uc_str_is(kind, "complex")) {
        must(p, got->kind == UC_PICKLE_COMPLEX, "no complex");
        must(p, is_float(word(want, 1), got->number), "real");
        must(p, is_float(word(want, 2), got->imaginary), "imaginary");
    } else if (uc_str_is(kind, "text")) {
        must(p, got->kind == UC_PICKLE_TEXT, "no text");
        must(p, is_hex(word(want, 1), got->text.data, got->text.size), "text");
    } else if (uc_str_is(kind, "bytes")) {
        must(p, got->kind == UC_PICKLE_BYTES, "no bytes");
        must(p, is_hex(word(want, 1), got->text.data, got->text.size), "bytes");
    } else if (uc_str_is(kind, "dict")) {
        check_dict(p, got, uc_json_at(want, 1));
    } else if (uc_str_is(kind, "recursive")) {
        must(p, got->kind == UC_PICKLE_LIST && uc_pickle_item(got, 0) == got, "recursion");
    } else if (uc_str_is(kind, "object")) {
        check_named(p, got, UC_PICKLE_OBJECT, want);
        must(p, !got->is_call, "an instance, not a call");
        check_value(p, got->state, uc_json_at(want, 3));
    } else if (uc_str_is(kind, "call")) {
        check_named(p, got, UC_PICKLE_OBJECT, want);
        must(p, got->is_call, "a call");
    } else if (uc_str_is(kind, "symbol")) {
        check_named(p, got, UC_PICKLE_SYMBOL, want);
    } else if (uc_str_is(kind, "dtype")) {
        must(p, got->kind == UC_PICKLE_DTYPE, "no dtype");
    } else if (uc_str_is(kind, "opaque")) {
        must(p, got->kind == UC_PICKLE_OBJECT, "should stay opaque");
    } else if (uc_str_is(kind, "objects")) {
        check_items(p, got, UC_PICKLE_OBJECTS, uc_json_at(want, 2));
        check_shape(p, got->tensor, word(want, 1));
    } else if (uc_str_is(kind, "records")) {
        check_records(p, got, want);
    } else if (got->kind == UC_PICKLE_ARRAY) {
        check_tensor(p, got->tensor, want);
    } else {
        uncork_error error = {0};
        must(p, uc_sparse_is(got), "no array and no sparse matrix");
        const uc_tensor *t = uc_pickle_tensor(got, p->arena, &error);
        must(p, t != NULL, error.what);
        check_tensor(p, t, want);
    }
}

static uncork_status read_side(void *context, uc_str name, uc_bytes *bytes, uncork_error *error)
{
    uc_arena *arena = (uc_arena *)context;
    const char *path = uc_arena_printf(arena, FOLDER "%.*s", (int)name.size, name.data);
    return uc_file_read(path, true, arena, bytes, error);
}

static void every_file_holds_what_its_writer_held(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        uc_arena *arena = uc_arena_new(NULL);
        uncork_error error = {0};
        uc_pickle *root;
        uc_pickle_info info;
        const uc_bytes bytes = read_file(arena, files[f].file);
        const uc_pickle_side side = {read_side, arena};
        place p = {arena, files[f].file, "whole file"};
        must(&p, uc_pickle_probe(bytes), "probe");
        if (uc_pickle_read(bytes, &side, arena, NULL, &root, &info, &error) != UNCORK_OK) {
            differ(&p, error.what);
        }
        must(&p, info.protocol == files[f].protocol, "protocol");
        must(&p, info.numpy_major == files[f].numpy, "NumPy's version");
        must(&p, info.is_joblib == files[f].joblib, "joblib");
        must(&p, info.python2 == files[f].python2, "Python 2");
        must(&p, info.end_offset == info.stream_bytes, "end");
        must(&p, info.dropped == NULL, "dropped call");
        must(&p,
             files[f].compression
                 ? info.compression && !strcmp(info.compression, files[f].compression)
                 : !info.compression,
             "compression");
        const uc_json *want = uc_json_read(read_file(arena, files[f].expect), 0, arena, &error);
        CHECK_OK(error.status, &error);
        must(&p, root->count == uc_json_count(want), "number of values");
        for (size_t i = 0; i < root->count; i++) {
            const uc_str name = word(uc_json_at(want, i), 0);
            p.name = uc_arena_copy(arena, name.data, name.size);
            must(&p, uc_pickle_is_text(uc_pickle_item(root->items[i], 0), p.name), "name");
            check_value(&p, uc_pickle_item(root->items[i], 1), uc_json_at(uc_json_at(want, i), 1));
        }
        uc_arena_free(arena);
    }
}

static void a_list_becomes_the_tensor_that_numpy_makes_of_it(void **state)
{
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {0};
    uc_pickle *root;
    place p = {arena, "py313-lists-p5.pkl", "whole file"};
    CHECK_OK(uc_pickle_read(read_file(arena, p.file), NULL, arena, NULL, &root, NULL, &error),
             &error);
    const uc_json *want = uc_json_read(read_file(arena, "lists.json"), 0, arena, &error);
    CHECK_INT(root->count, uc_json_count(want));
    for (size_t i = 0; i < root->count; i++) {
        const uc_str name = word(uc_json_at(want, i), 0);
        p.name = uc_arena_copy(arena, name.data, name.size);
        const uc_tensor *t = uc_pickle_tensor(uc_pickle_item(root->items[i], 1), arena, &error);
        must(&p, t != NULL, error.what);
        check_tensor(&p, t, uc_json_at(uc_json_at(want, i), 1));
    }
    uc_arena_free(arena);
}

/* What numpy.asarray refuses, or makes an object array of. */
static void a_list_that_is_no_tensor_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pickle, *what;
    } rows[] = {
        {"](](K\1e](K\1K\2ee.", "a list is ragged"},
        {"](K\1(K\2te.", "a list is ragged"},
        {"](K\1S'x'\ne.", "a list holds something other than numbers, or texts among numbers"},
        {"](NNe.", "a list holds something other than numbers, or texts among numbers"},
        {"N.", "a None is no array of numbers or texts"},
        {"}.", "a dict is no array of numbers or texts"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uc_arena *arena = uc_arena_new(NULL);
        uncork_error error = {0};
        uc_pickle *root;
        CHECK_OK(uc_pickle_read((uc_bytes){(const uint8_t *)rows[i].pickle, strlen(rows[i].pickle)},
                                NULL, arena, NULL, &root, NULL, &error),
                 &error);
        CHECK(uc_pickle_tensor(root, arena, &error) == NULL);
        CHECK_STR(error.what, rows[i].what);
        uc_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_holds_what_its_writer_held),
        cmocka_unit_test(a_list_becomes_the_tensor_that_numpy_makes_of_it),
        cmocka_unit_test(a_list_that_is_no_tensor_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
