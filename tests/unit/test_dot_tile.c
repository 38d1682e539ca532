/* kernel/dot_tile.h: every row gives the sums of the definition, integers exactly, for one panel and
 * two, any number of kernel rows and any run, and reads no further than it may. Expected values: the
 * sum itself, computed here. */
#include "base/cpu.h"
#include "base/dtype.h"
#include "check.h"
#include "kernel/dot_tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;
static uint32_t next_random(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

typedef struct layer {
    uc_dot_kind kind;
    int64_t taps, run, stride, tap_stride;
    uint8_t *a, *w, *packed; /* w: [UC_DOT_CHANNELS][taps][run] */
} layer;

static void *filled(size_t bytes, uc_dot_kind kind)
{
    uint8_t *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
    assert_non_null(p);
    memset(p, 0, (bytes + 127) / 64 * 64);
    for (size_t i = 0; kind == UC_DOT_U8S8 && i < bytes; i++)
        p[i] = (uint8_t)next_random();
    for (size_t i = 0; kind == UC_DOT_BF16 && i + 1 < bytes; i += 2) {
        const uint16_t h = uc_f32_to_bf16((float)(next_random() % 2001) / 1000 - 1);
        memcpy(p + i, &h, 2);
    }
    return p;
}

static layer make(uc_dot_kind kind, int64_t taps, int64_t run)
{
    layer l = {.kind = kind, .taps = taps, .run = run, .stride = run + 8};
    l.tap_stride = l.stride * 40;
    const size_t bytes = (size_t)(l.tap_stride * taps + l.stride * UC_DOT_PIXELS + UC_DOT_SLACK);
    l.a = filled(bytes, kind);
    l.w = filled((size_t)(UC_DOT_CHANNELS * taps * run), kind);
    l.packed = aligned_alloc(64, (size_t)uc_dot_packed_bytes(UC_DOT_CHANNELS, taps, run));
    assert_non_null(l.packed);
    memset(l.packed, 0, (size_t)uc_dot_packed_bytes(UC_DOT_CHANNELS, taps, run));
    for (int64_t c = 0; c < UC_DOT_CHANNELS; c++)
        uc_dot_pack(l.w + c * taps * run, c, taps, run, l.packed);
    return l;
}

static void drop(layer *l)
{
    free(l->a);
    free(l->w);
    free(l->packed);
}

static double expected(const layer *l, int64_t pixel, int64_t channel, double *magnitude)
{
    double sum = 0;
    *magnitude = 0;
    for (int64_t t = 0; t < l->taps; t++) {
        const uint8_t *a = l->a + pixel * l->stride + t * l->tap_stride;
        const uint8_t *w = l->w + (channel * l->taps + t) * l->run;
        for (int64_t k = 0; k < l->run; k += l->kind == UC_DOT_BF16 ? 2 : 1) {
            uint16_t x = 0, y = 0;
            double product = (double)a[k] * (int8_t)w[k];
            if (l->kind == UC_DOT_BF16) {
                memcpy(&x, a + k, 2);
                memcpy(&y, w + k, 2);
                product = (double)uc_bf16_to_f32(x) * (double)uc_bf16_to_f32(y);
            }
            sum += product;
            *magnitude += fabs(product);
        }
    }
    return sum;
}

static void check_row(const layer *l, const uc_dot_row *row, int panels)
{
    static _Alignas(64) uint32_t sums[UC_DOT_PIXELS * UC_DOT_CHANNELS];
    memset(sums, 0x55, sizeof sums);
    const uc_dot_tile tile = {.a = l->a,
                              .a_stride = l->stride,
                              .taps = l->taps,
                              .tap_stride = l->tap_stride,
                              .run = l->run,
                              .b = l->packed,
                              .panels = panels,
                              .cold = panels > 1,
                              .sums = sums};
    row->begin();
    row->tile(&tile);
    row->end();
    for (int64_t i = 0; i < UC_DOT_PIXELS * UC_DOT_CHANNELS; i++) {
        const int64_t pixel = i / UC_DOT_CHANNELS, channel = i % UC_DOT_CHANNELS;
        if (channel >= panels * UC_DOT_PANEL) continue;
        double magnitude, want = expected(l, pixel, channel, &magnitude), got = (int32_t)sums[i];
        float f;
        memcpy(&f, &sums[i], sizeof f);
        if (l->kind == UC_DOT_BF16) got = (double)f;
        /* float32 sums in any order: a rounding of the running sum a term */
        const double bound = l->kind == UC_DOT_BF16 ? magnitude * 1e-5 : 0;
        if (!(fabs(got - want) <= bound)) {
            fail_msg("%s, taps %d, run %d: sum %d is %.9g, expected %.9g", row->name, (int)l->taps,
                     (int)l->run, (int)i, got, want);
        }
    }
}

static void check_kind(uc_dot_kind kind)
{
    static const int64_t shapes[][2] = {{1, 4},  {1, 64},   {3, 192}, {7, 24},
                                        {2, 68}, {1, 1024}, {3, 12}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        layer l = make(kind, shapes[s][0], shapes[s][1]);
        const uc_dot_row *row;
        for (int i = 0; (row = uc_dot_row_at(kind, i)) != NULL; i++) {
            check_row(&l, row, 2);
            check_row(&l, row, 1);
        }
        drop(&l);
    }
}

static void integer_sums_are_exact_in_every_row(void **unused)
{
    (void)unused;
    check_kind(UC_DOT_U8S8);
}

static void bfloat16_sums_are_those_of_float32(void **unused)
{
    (void)unused;
    if (!uc_dot_row_of(UC_DOT_BF16)) {
        print_message("skipped: this machine has no bfloat16 products\n");
        skip();
    }
    check_kind(UC_DOT_BF16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integer_sums_are_exact_in_every_row),
        cmocka_unit_test(bfloat16_sums_are_those_of_float32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
