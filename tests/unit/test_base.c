/* The core of base/: what every other room stands on. */
#include "check.h"

#include "base/arena.h"
#include "base/reader.h"
#include "base/table.h"
#include "base/tensor.h"
#include "base/writer.h"

#include <math.h>

static void reader_stops_at_the_end_and_says_what_was_missing(void **state)
{
    (void)state;
    uncork_error err;
    uc_error_init(&err);
    uc_reader r = uc_reader_over("\x01\x02\x03", 3, 100, &err);
    CHECK_INT(uc_reader_u16le(&r, "header length"), 0x0201);
    CHECK_INT(uc_reader_u32le(&r, "tensor count"), 0);
    CHECK_INT(err.offset, 102);
    CHECK_STR(err.what, "tensor count needs 4 bytes, 1 remain");
    CHECK_INT(uc_reader_u8(&r, "anything"), 0);
}

static void the_first_failure_wins_and_control_bytes_are_escaped(void **state)
{
    (void)state;
    uncork_error err;
    uc_error_init(&err);
    uc_fail(&err, UNCORK_MALFORMED, 7, "name '%s' is odd", "a\x1b[31m");
    uc_fail(&err, UNCORK_IO, 8, "second");
    CHECK_INT(err.status, UNCORK_MALFORMED);
    CHECK_STR(err.what, "name 'a\\x1b[31m' is odd");
}

static void an_arena_refuses_more_than_its_budget_and_gives_it_back(void **state)
{
    (void)state;
    uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 100000};
    uc_budget budget;
    uc_budget_init(&budget, &limits, 0);
    uc_arena *arena = uc_arena_new(&budget);
    CHECK(uc_arena_alloc(arena, 50000, 1) != NULL);
    CHECK(uc_arena_alloc(arena, 60000, 1) == NULL);
    CHECK(uc_arena_alloc(arena, 1, 1) == NULL); /* it remembers */
    uncork_error err;
    uc_error_init(&err);
    CHECK_INT(uc_arena_status(arena, &err), UNCORK_LIMIT);
    uc_arena_free(arena);
    CHECK_INT(atomic_load(&budget.bytes_left), 100000);
}

static void arena_blocks_keep_their_alignment_and_refuse_overflow(void **state)
{
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    for (size_t i = 1; i < 3000; i += 37) {
        void *p = uc_arena_alloc(arena, i, 1);
        CHECK_INT((uintptr_t)p % (i >= 256 ? 64 : 16), 0);
    }
    size_t capacity = 0;
    int *items = NULL;
    for (int i = 0; i < 1000; i++) {
        items = uc_arena_grow(arena, items, &capacity, (size_t)i + 1, sizeof *items);
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++) {
        CHECK_INT(items[i], i);
    }
    CHECK(uc_arena_alloc(arena, SIZE_MAX / 2, 4) == NULL);
    uc_arena_free(arena);
}

static void a_table_finds_what_was_put(void **state)
{
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    uc_table *table = uc_table_new(arena);
    for (int i = 0; i < 500; i++) {
        char *key = uc_arena_printf(arena, "key%d", i);
        CHECK(uc_table_put(table, uc_str_of(key), key));
    }
    CHECK_INT(uc_table_count(table), 500);
    CHECK_STR(uc_table_find(table, uc_str_of("key321")), "key321");
    CHECK(uc_table_find(table, uc_str_of("key500")) == NULL);
    uc_arena_free(arena);
}

static void a_writer_stops_at_its_ceiling(void **state)
{
    (void)state;
    uc_writer w;
    uc_writer_init(&w, 10);
    uc_writer_text(&w, "12345678");
    uc_writer_printf(&w, "%d", 123);
    CHECK_INT(w.status, UNCORK_LIMIT);
    CHECK_INT(w.size, 8);
    uc_writer_done(&w);
}

/* IEEE 754-2019: values of binary16 by their definition. */
static void half_floats_round_to_even_both_ways(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 0x10000; h++) {
        float f = uc_f16_to_f32((uint16_t)h);
        if (!isnan(f)) CHECK_INT(uc_f32_to_f16(f), h);
    }
    CHECK_INT(uc_f64_to_f16(2049.0), 0x6800); /* a tie: to 2048 */
    CHECK_INT(uc_f64_to_f16(2051.0), 0x6802); /* a tie: to 2052 */
    CHECK_INT(uc_f64_to_f16(65520.0), 0x7c00);
}

static void a_transposed_view_becomes_dense_and_lying_shapes_are_refused(void **state)
{
    (void)state;
    uc_arena *arena = uc_arena_new(NULL);
    const int64_t shape[2] = {2, 3}, huge[3] = {INT64_C(1) << 31, INT64_C(1) << 31, 8};
    uc_tensor *t = uc_tensor_new(arena, UNCORK_FLOAT64, 2, shape);
    for (int i = 0; i < 6; i++) {
        ((double *)t->data)[i] = i;
    }
    uc_tensor view = uc_tensor_transposed(t);
    const uc_tensor *dense = uc_tensor_dense(arena, &view);
    const double want[6] = {0, 3, 1, 4, 2, 5};
    CHECK_BYTES(dense->data, want, sizeof want);
    CHECK(uc_tensor_new(arena, UNCORK_FLOAT64, 3, huge) == NULL);
    uc_arena_free(arena);
}

static void lossless_casts_are_told_from_lossy_ones(void **state)
{
    (void)state;
    CHECK(uc_dtype_is_lossless(UNCORK_INT32, UNCORK_FLOAT64));
    CHECK(!uc_dtype_is_lossless(UNCORK_INT64, UNCORK_FLOAT64));
    CHECK(!uc_dtype_is_lossless(UNCORK_INT32, UNCORK_FLOAT32));
    CHECK(uc_dtype_is_lossless(UNCORK_UINT8, UNCORK_FLOAT16));
    CHECK(!uc_dtype_is_lossless(UNCORK_INT8, UNCORK_UINT64));
    CHECK(uc_dtype_is_lossless(UNCORK_BOOL, UNCORK_INT8));
    CHECK(!uc_dtype_is_lossless(UNCORK_FLOAT32, UNCORK_FLOAT16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_stops_at_the_end_and_says_what_was_missing),
        cmocka_unit_test(the_first_failure_wins_and_control_bytes_are_escaped),
        cmocka_unit_test(an_arena_refuses_more_than_its_budget_and_gives_it_back),
        cmocka_unit_test(arena_blocks_keep_their_alignment_and_refuse_overflow),
        cmocka_unit_test(a_table_finds_what_was_put),
        cmocka_unit_test(a_writer_stops_at_its_ceiling),
        cmocka_unit_test(half_floats_round_to_even_both_ways),
        cmocka_unit_test(a_transposed_view_becomes_dense_and_lying_shapes_are_refused),
        cmocka_unit_test(lossless_casts_are_told_from_lossy_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
