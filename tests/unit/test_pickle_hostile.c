/* Hostile pickles: crafted ones (tests/hostile/gen_pickles.py), genuine ones cut at every byte, and
 * genuine ones with random bytes changed. Nothing crashes, hangs, runs or takes unbounded memory. */
#include "check.h"

#include <stdlib.h>

#include "base/file.h"
#include "container/pickle.h"

#define HOSTILE "tests/hostile/pickle/"
#define GENUINE "tests/fixtures/pickle/"
/* What reading any of these small files may hold. */
#define MEMORY  ((uint64_t)64 << 20)

static uc_bytes read_file(uc_arena *arena, const char *folder, const char *name)
{
    uncork_error error = {0};
    uc_bytes bytes = {0};
    const char *path = uc_arena_printf(arena, "%s%s", folder, name);
    CHECK_OK(uc_file_read(path, true, arena, &bytes, &error), &error);
    return bytes;
}

static uncork_status read_side(void *context, uc_str name, uc_bytes *bytes, uncork_error *error)
{
    uc_arena *arena = (uc_arena *)context;
    const char *path = uc_arena_printf(arena, GENUINE "%.*s", (int)name.size, name.data);
    return path ? uc_file_read(path, true, arena, bytes, error) : UNCORK_NO_MEMORY;
}

/* Looks at everything as an importer would: a broken value must not get this far unnoticed. */
static void walk(const uc_pickle *v, uc_arena *arena, int depth, int *left)
{
    double number;
    int64_t integer;
    if (!v || depth > 40 || (*left)-- <= 0) {
        return;
    }
    uncork_error error = {0};
    (void)uc_pickle_f64(v, &number);
    (void)uc_pickle_i64(v, &integer);
    (void)uc_pickle_attr(v, "data");
    (void)uc_pickle_type_name(v, arena);
    const uc_tensor *t = uc_pickle_tensor(v, arena, &error);
    if (t && t->dtype == UNCORK_STRING && uc_tensor_count(t)) {
        (void)uc_tensor_string(t, uc_tensor_count(t) - 1);
    } else if (t && uc_tensor_count(t) && t->dtype != UNCORK_DTYPE_NONE) {
        (void)uc_dtype_load_f64(t->data, uc_tensor_count(t) - 1, t->dtype);
    }
    const size_t items = v->kind == UC_PICKLE_DICT      ? 2 * v->count
                         : v->kind == UC_PICKLE_RECORDS ? 0
                                                        : v->count;
    for (size_t i = 0; i < items && v->items; i++) {
        walk(v->items[i], arena, depth + 1, left);
    }
    const uc_pickle *const parts[] = {v->args,       v->kwargs,     v->state,
                                      v->list_items, v->dict_items, v->callee};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        walk(parts[i], arena, depth + 1, left);
    }
}

typedef struct outcome {
    uncork_status status;
    uncork_error error;
    bool symbol, dropped;
} outcome;

static outcome read_hostile(uc_bytes bytes, const char *symbol)
{
    outcome o = {0};
    uc_budget budget;
    uc_budget_init(&budget,
                   &(uncork_limits){.size = sizeof(uncork_limits), .max_memory_bytes = MEMORY},
                   bytes.size);
    uc_arena *arena = uc_arena_new(&budget);
    const uc_pickle_side side = {read_side, arena};
    uc_pickle *root;
    uc_pickle_info info;
    int left = 3000;
    o.status = uc_pickle_read(bytes, &side, arena, &budget, &root, &info, &o.error);
    if (o.status == UNCORK_OK) {
        walk(root, arena, 0, &left);
        o.dropped = info.dropped != NULL;
    }
    for (size_t i = 0; i < info.symbol_count; i++) {
        const char *name = uc_pickle_type_name(info.symbols[i], arena);
        o.symbol |= name && !strcmp(name + strlen("global "), symbol);
    }
    uc_arena_free(arena);
    return o;
}

static void check_message(const char *file, const outcome *o, size_t size)
{
    if (o->status != UNCORK_OK && (o->error.what[0] == '\0' || strchr(o->error.what, '\n'))) {
        fail_msg("%s: no message of one line", file);
    }
    if (o->status == UNCORK_MALFORMED && o->error.offset > size) {
        fail_msg("%s: '%s' has no offset", file, o->error.what);
    }
}

static const char *expected_of(const outcome *o)
{
    switch ((int)o->status) {
    case UNCORK_OK: return o->dropped ? "dropped" : "data";
    case UNCORK_MALFORMED: return "malformed";
    case UNCORK_UNSUPPORTED: return "unsupported";
    case UNCORK_LIMIT: return "limit";
    case UNCORK_IO: return "io";
    default: return "?";
    }
}

static void crafted_pickles_are_read_as_data_or_refused(void **state)
{
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    uc_bytes manifest = read_file(arena, HOSTILE, "manifest.txt");
    char *at = uc_arena_copy(arena, manifest.data, manifest.size);
    int count = 0;
    for (; *at; count++) {
        char *fields[4] = {at, NULL, NULL, NULL};
        char *end = at + strcspn(at, "\n");
        const bool last = *end == '\0';
        *end = '\0';
        for (int i = 1; i < 4; i++) {
            char *tab = strchr(fields[i - 1], '\t');
            CHECK(tab != NULL);
            *tab = '\0';
            fields[i] = tab + 1;
        }
        const uc_bytes bytes = read_file(arena, HOSTILE, fields[0]);
        const outcome o = read_hostile(bytes, fields[2]);
        if (strcmp(expected_of(&o), fields[1]) != 0) {
            fail_msg("%s: %s instead of %s: %s", fields[0], expected_of(&o), fields[1],
                     o.error.what);
        }
        if (strcmp(fields[2], "-") != 0 && !o.symbol) {
            fail_msg("%s: %s isn't reported", fields[0], fields[2]);
        }
        check_message(fields[0], &o, bytes.size);
        at = last ? end : end + 1;
    }
    CHECK(count >= 150);
    uc_arena_free(arena);
}

static void a_file_cut_anywhere_is_refused_with_the_place(void **state)
{
    (void)state;
    static const char *const files[] = {
        "py27-sparse-p2.pkl",          "py36-sparse-p3.pkl",       "py311-sparse-p4.pkl",
        "py313-sparse-p5.pkl",         "py27-sklearn020-0.joblib", "py36-joblib0103-0.joblib",
        "py311-joblib120-0.joblib",    "py313-joblib152-0.joblib", "py27-joblib084-0.joblib",
        "py37-joblib0141-gzip.joblib", "py313-np24-p5.pkl"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        uc_arena *arena = uc_arena_new(NULL);
        const uc_bytes bytes = read_file(arena, GENUINE, files[f]);
        for (size_t size = 0; size < bytes.size; size++) {
            /* A copy of its own: a sanitizer sees a byte read too far. */
            uint8_t *cut = (uint8_t *)malloc(size ? size : 1);
            CHECK(cut != NULL);
            memcpy(cut, bytes.data, size);
            const outcome o = read_hostile((uc_bytes){cut, size}, "-");
            free(cut);
            if (o.status != UNCORK_MALFORMED) {
                fail_msg("%s cut at %zu: %s", files[f], size, expected_of(&o));
            }
            check_message(files[f], &o, bytes.size);
            /* Less than its magic isn't known as gzip's. */
            const bool is_known = !strstr(files[f], "gzip") || size >= 4;
            if (is_known && !strstr(o.error.fix, "cut short")) {
                fail_msg("%s cut at %zu: '%s' doesn't say so", files[f], size, o.error.what);
            }
        }
        uc_arena_free(arena);
    }
}

static uint64_t next_random(uint64_t *seed) /* xorshift64 */
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Changes up to four places: another byte, a bit, an opcode, a byte from elsewhere, a hole. */
static size_t mutate(uint8_t *data, size_t size, uint64_t *seed)
{
    static const uint8_t opcodes[] =
        "().abdegioprstu]}NRQh\x81\x82\x85\x86\x87\x88\x8C\x90\x91\x92\x93\x94";
    const int changes = 1 + (int)(next_random(seed) % 4);
    for (int i = 0; i < changes && size > 1; i++) {
        const size_t at = next_random(seed) % size, other = next_random(seed) % size;
        switch (next_random(seed) % 5) {
        case 0: data[at] = (uint8_t)next_random(seed); break;
        case 1: data[at] ^= (uint8_t)(1u << next_random(seed) % 8); break;
        case 2: data[at] = opcodes[next_random(seed) % (sizeof opcodes - 1)]; break;
        case 3: data[at] = data[other]; break;
        default: memmove(data + at, data + at + 1, size - at - 1); size--;
        }
    }
    return size;
}

static void changed_bytes_crash_nothing(void **state)
{
    (void)state;
    static const char *const files[] = {
        "py27-np116-p0.pkl",        "py27-np116-p1.pkl",         "py27-np116-p2.pkl",
        "py36-np113-p3.pkl",        "py38-np118-p4.pkl",         "py311-np126-p5.pkl",
        "py313-np24-p0.pkl",        "py313-np24-p2.pkl",         "py313-np24-p4.pkl",
        "py27-sparse-p2.pkl",       "py313-sparse-p5.pkl",       "py27-joblib084-0.joblib",
        "py36-joblib0103-0.joblib", "py311-joblib120-0.joblib",  "py313-joblib152-0.joblib",
        "py36-joblib094-3.joblib",  "py37-joblib0141-lz4.joblib"};
    const long rounds = test_mutations();
    uint64_t seed = 0x9E3779B97F4A7C15u;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        uc_arena *arena = uc_arena_new(NULL);
        const uc_bytes bytes = read_file(arena, GENUINE, files[f]);
        for (long round = 0; round < rounds; round++) {
            uint8_t *data = (uint8_t *)malloc(bytes.size);
            CHECK(data != NULL);
            memcpy(data, bytes.data, bytes.size);
            const size_t size = mutate(data, bytes.size, &seed);
            const outcome o = read_hostile((uc_bytes){data, size}, "-");
            free(data);
            if (o.status != UNCORK_OK && o.error.what[0] == '\0') {
                fail_msg("%s, round %ld: no message", files[f], round);
            }
        }
        uc_arena_free(arena);
    }
}

/* Every allocation of a read fails once: no crash, no leak, NO_MEMORY. */
static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    static const char *const files[] = {"py313-np24-p2.pkl", "py27-sparse-p2.pkl",
                                        "py27-joblib084-0.joblib", "py311-joblib120-0.joblib"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        uc_arena *arena = uc_arena_new(NULL);
        const uc_bytes bytes = read_file(arena, GENUINE, files[f]);
        for (long n = 1;; n++) {
            CHECK(n < 100000);
            uc_arena *values = uc_arena_new(NULL);
            const uc_pickle_side side = {read_side, values};
            uc_pickle *root;
            uncork_error error = {0};
            uc_arena_fail_after(n);
            const uncork_status status =
                uc_pickle_read(bytes, &side, values, NULL, &root, NULL, &error);
            uc_arena_fail_after(0);
            uc_arena_free(values);
            if (status == UNCORK_OK) {
                break;
            }
            if (status != UNCORK_NO_MEMORY && status != UNCORK_IO) {
                fail_msg("%s, allocation %ld: %s", files[f], n, error.what);
            }
        }
        uc_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crafted_pickles_are_read_as_data_or_refused),
        cmocka_unit_test(a_file_cut_anywhere_is_refused_with_the_place),
        cmocka_unit_test(changed_bytes_crash_nothing),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
