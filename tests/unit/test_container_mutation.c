/* Damaged files of every container: no crash, no hang, and a failure always says why. 500 mutations a
 * format; UC_MUTATIONS sets another number. The seed is fixed. */
#include "base/json.h"
#include "container/bundle.h"
#include "container/codec.h"
#include "container/hdf5.h"
#include "container/npy.h"
#include "container/ubjson.h"
#include "fixture.h"

#include <stdlib.h>

static uint64_t random_state = 0x9E3779B97F4A7C15u;

static size_t random_below(size_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return n ? (size_t)(random_state % n) : 0;
}

typedef struct reader {
    const char *format;
    const char *files[4];
    uncork_status (*read)(uc_bytes bytes, uc_arena *arena, uc_budget *budget, uncork_error *err);
} reader;

static uncork_status read_json(uc_bytes bytes, uc_arena *arena, uc_budget *budget,
                               uncork_error *err)
{
    (void)budget;
    return uc_json_read(bytes, 0, arena, err) ? UNCORK_OK : err->status;
}

static uncork_status read_ubjson(uc_bytes bytes, uc_arena *arena, uc_budget *budget,
                                 uncork_error *err)
{
    (void)budget;
    return uc_ubjson_read(bytes, 0, arena, err) ? UNCORK_OK : err->status;
}

static uncork_status read_npy(uc_bytes bytes, uc_arena *arena, uc_budget *budget, uncork_error *err)
{
    uc_npy npy;
    (void)budget;
    return uc_npy_read(bytes, 0, arena, &npy, err);
}

static uncork_status read_codec(uc_bytes bytes, uc_arena *arena, uc_budget *budget,
                                uncork_error *err)
{
    uc_bytes out;
    const uc_codec codec = uc_codec_of(bytes);
    if (codec == UC_CODEC_NONE) return UNCORK_OK;
    return uc_codec_unpack(codec, bytes, 0, arena, budget, &out, NULL, err);
}

static uncork_status read_bundle(uc_bytes bytes, uc_arena *arena, uc_budget *budget,
                                 uncork_error *err)
{
    uc_bundle *bundle;
    UC_TRY(uc_bundle_over(bytes, "m", arena, budget, &bundle, err));
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        uc_bytes entry;
        UC_TRY(uc_bundle_read(bundle, i, &entry, err));
    }
    return UNCORK_OK;
}

/* Every dataset and one attribute of every object. */
static uncork_status read_h5_object(const uc_h5 *h5, const uc_h5_object *o, uc_arena *arena,
                                    int *left, uncork_error *err)
{
    if (--*left < 0) return UNCORK_OK; /* shared groups look like an endless tree */
    uc_tensor *value;
    UC_TRY(uc_h5_attribute(h5, o, "a3", arena, &value, err));
    if (uc_h5_is_dataset(o)) return uc_h5_read(h5, o, arena, &value, err);
    for (size_t i = 0; i < uc_h5_count(o); i++) {
        UC_TRY(read_h5_object(h5, uc_h5_at(o, i), arena, left, err));
    }
    return UNCORK_OK;
}

static uncork_status read_h5(uc_bytes bytes, uc_arena *arena, uc_budget *budget, uncork_error *err)
{
    uc_h5 *h5;
    UC_TRY(uc_h5_open(bytes, 0, arena, budget, &h5, err));
    int left = 10000;
    return read_h5_object(h5, uc_h5_root(h5), arena, &left, err);
}

static const reader readers[] = {
    {"hdf5", {"old.h5", "new.h5", "block.h5"}, read_h5},
    {"json", {"booster.json"}, read_json},
    {"ubjson", {"value.ubj", "counted.ubj", "booster.ubj"}, read_ubjson},
    {"npy", {"m_be_c8.npy", "fortran.npy", "unicode.npy", "bytes.npy"}, read_npy},
    {"codec", {"text.gz", "text.xz", "text.lz4", "text.zf"}, read_codec},
    {"codec", {"text.zlib", "text.bz2", "text.lzma", "text.gz"}, read_codec},
    {"zip", {"plain.zip", "streamed.zip", "wide.zip", "two.npz"}, read_bundle},
    {"tar", {"ustar.tar", "gnu.tar.xz", "pax.tar.gz"}, read_bundle},
};

/* One to eight changes: a byte, a bit, a number that means "many", a cut, a block moved. */
static size_t mutate(uint8_t *bytes, size_t size)
{
    static const uint8_t odd[] = {0, 1, 0x7F, 0x80, 0xFF, '"', '[', '{', '0', '9'};
    for (size_t n = random_below(8) + 1; n > 0 && size > 0; n--) {
        const size_t at = random_below(size);
        const size_t length = random_below(size - at < 16 ? size - at : 16) + 1;
        const size_t from = random_below(size - (length < size ? length : size) + 1);
        switch (random_below(6)) {
        case 0: bytes[at] = (uint8_t)random_below(256); break;
        case 1: bytes[at] ^= (uint8_t)(1u << random_below(8)); break;
        case 2: bytes[at] = odd[random_below(sizeof odd)]; break;
        case 3:
            memset(bytes + at, random_below(2) ? 0xFF : 0, length <= size - at ? length : 1);
            break;
        case 4: memmove(bytes + at, bytes + from, length <= size - at ? length : size - at); break;
        default: size = at; break;
        }
    }
    return size;
}

static void a_damaged_file_fails_cleanly(void **state)
{
    (void)state;
    const long times = test_mutations();
    uc_arena *files = uc_arena_new(NULL);
    for (size_t r = 0; r < sizeof readers / sizeof readers[0]; r++) {
        size_t count = 0;
        uc_bytes sound[4];
        while (count < 4 && readers[r].files[count]) {
            sound[count] = fixture(files, readers[r].files[count]);
            count++;
        }
        for (long i = 0; i < times; i++) {
            const uc_bytes from = sound[random_below(count)];
            uint8_t *bytes = fixture_copy(from);
            const size_t size = mutate(bytes, from.size);
            /* Exactly as large, so that a sanitizer sees a read past the end. */
            uint8_t *exact = fixture_copy((uc_bytes){bytes, size});
            uc_budget budget;
            const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 256u << 20};
            uncork_error err = {0};
            uc_budget_init(&budget, &limits, size);
            uc_arena *arena = uc_arena_new(&budget);
            const uncork_status status =
                readers[r].read((uc_bytes){exact, size}, arena, &budget, &err);
            CHECK_INT(err.status, status);
            CHECK((status == UNCORK_OK) == (err.what[0] == '\0'));
            uc_arena_free(arena);
            CHECK_INT(budget.bytes_left, 256u << 20);
            test_free(exact);
            test_free(bytes);
        }
    }
    uc_arena_free(files);
}

static void running_out_of_memory_anywhere_is_said(void **state)
{
    (void)state;
    uc_arena *files = uc_arena_new(NULL);
    for (size_t r = 0; r < sizeof readers / sizeof readers[0]; r++) {
        for (int f = 0; f < 4 && readers[r].files[f]; f++) {
            const uc_bytes bytes = fixture(files, readers[r].files[f]);
            uncork_status status = UNCORK_NO_MEMORY;
            for (long n = 1; status != UNCORK_OK; n++) {
                uncork_error err = {0};
                uc_arena *arena = uc_arena_new(NULL);
                uc_arena_fail_after(n);
                status = readers[r].read(bytes, arena, NULL, &err);
                uc_arena_fail_after(0);
                CHECK(status == UNCORK_OK || status == UNCORK_NO_MEMORY);
                CHECK_INT(err.status, status);
                uc_arena_free(arena);
                CHECK(n < 100000);
            }
        }
    }
    uc_arena_free(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_file_fails_cleanly),
        cmocka_unit_test(running_out_of_memory_anywhere_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
