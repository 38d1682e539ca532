/* The end of most contracts over 8-bit pixels (cast, scale, mean, std, layout) in one pass: what becomes
 * of a byte depends on its channel alone, so the steps themselves are run once on all 256 bytes and
 * every pixel is looked up. Bits are equal to the long way by construction. */
#include "contract/contract_internal.h"

#define CHANNELS_MAX 4
#define BYTES        256

/* Whether every step left is of values, order or layout, and there is more than one. */
static bool is_tail(const uc_step *steps, size_t count)
{
    size_t values = 0;
    for (size_t i = 0; i < count; i++) {
        if (steps[i].row->kind == UC_KIND_PICTURE) return false;
        values += steps[i].row->kind == UC_KIND_VALUES;
    }
    return values > 0;
}

/* All bytes in every channel, as a picture of 256 x 1. */
static uncork_status ramp(const uc_state *s, int channels, uc_state *r)
{
    *r = (uc_state){.arena = s->arena, .error = s->error, .is_array = true, .bgr = s->bgr};
    UC_TRY(uc_pixels_new(UNCORK_UINT8, 1, BYTES, channels, s->arena, &r->pixels, s->error));
    uint8_t *to = r->pixels.data;
    for (int i = 0; i < BYTES * channels; i++) {
        to[i] = (uint8_t)(i / channels);
    }
    return UNCORK_OK;
}

/* Which channel of the picture each of the result's channels comes from. */
static void sources(const uc_state *s, const uc_step *steps, size_t count, int *source)
{
    bool bgr = s->bgr;
    for (int c = 0; c < CHANNELS_MAX; c++) {
        source[c] = c;
    }
    for (size_t i = 0; i < count; i++) {
        if (steps[i].row->kind != UC_KIND_ORDER || bgr) continue;
        int red = source[0];
        source[0] = source[2];
        source[2] = red;
        bgr = true;
    }
}

/* n pixels of `channels` bytes to elements of one size; table is [channels, 256]. */
#define LOOK_UP(type, name)                                                                      \
    static void name(const uint8_t *from, size_t n, int channels, const int *source, bool first, \
                     const void *table, void *out)                                               \
    {                                                                                            \
        const type *t = table;                                                                   \
        type *to = out;                                                                          \
        if (channels == 3 && first) { /* the usual one, planes at once */                        \
            const uint8_t *a = from + source[0], *b = from + source[1], *c = from + source[2];   \
            for (size_t i = 0; i < n; i++) {                                                     \
                to[i] = t[a[3 * i]];                                                             \
                to[n + i] = t[BYTES + b[3 * i]];                                                 \
                to[2 * n + i] = t[2 * BYTES + c[3 * i]];                                         \
            }                                                                                    \
            return;                                                                              \
        }                                                                                        \
        for (int c = 0; c < channels; c++) {                                                     \
            const type *row = t + (size_t)c * BYTES;                                             \
            const uint8_t *in = from + source[c];                                                \
            type *base = first ? to + (size_t)c * n : to + c;                                    \
            const size_t step = first ? 1 : (size_t)channels;                                    \
            for (size_t i = 0; i < n; i++) {                                                     \
                base[i * step] = row[in[i * (size_t)channels]];                                  \
            }                                                                                    \
        }                                                                                        \
    }
LOOK_UP(uint8_t, look_up_1)
LOOK_UP(uint16_t, look_up_2)
LOOK_UP(uint32_t, look_up_4)
LOOK_UP(uint64_t, look_up_8)
#undef LOOK_UP

/* Every row of the table from the ramp's result, converted to `dtype`. */
static uncork_status make_table(const uc_state *r, uncork_dtype dtype, void **table)
{
    size_t n = uc_pixels_count(&r->pixels);
    *table = uc_arena_alloc_raw(r->arena, n * uc_dtype_size(dtype));
    if (!*table) return uc_arena_status(r->arena, r->error);
    if (!uc_dtype_convert(*table, dtype, r->pixels.data, r->pixels.dtype, (int64_t)n))
        return uc_fail(r->error, UNCORK_INPUT, UC_NO_OFFSET, "the model takes %s, not numbers",
                       uc_dtype_name(dtype));
    return UNCORK_OK;
}

static uncork_status look_up(uc_state *s, const uc_state *r, const int *source, uncork_dtype dtype)
{
    const uc_pixels from = s->pixels;
    const size_t size = uc_dtype_size(dtype), n = (size_t)from.width * (size_t)from.height;
    void *table, *out = uc_arena_alloc_raw(s->arena, uc_pixels_count(&from) * size);
    if (!out) return uc_arena_status(s->arena, s->error);
    UC_TRY(make_table(r, dtype, &table));
    (size == 1   ? look_up_1
     : size == 2 ? look_up_2
     : size == 4 ? look_up_4
                 : look_up_8)(from.data, n, from.channels, source, r->first, table, out);
    s->pixels.data = out;
    s->pixels.dtype = dtype;
    s->first = r->first;
    s->bgr = r->bgr;
    s->axis = s->axis || r->axis;
    s->flat = r->flat;
    s->batch = r->batch;
    return UNCORK_OK;
}

uncork_status uc_bytes_tail(uc_state *s, const uc_step *steps, size_t count, uncork_dtype dtype,
                            bool *done)
{
    const int channels = uc_state_channels(s);
    *done = false;
    if (channels > CHANNELS_MAX || s->first || !is_tail(steps, count)) return UNCORK_OK;
    if (!s->is_array && uc_image_channel_bytes(s->image.mode) > 1) return UNCORK_OK;
    UC_TRY(uc_state_array(s));
    if (s->pixels.dtype != UNCORK_UINT8) return UNCORK_OK;
    int source[CHANNELS_MAX];
    uc_state r;
    UC_TRY(ramp(s, channels, &r));
    for (size_t i = 0; i < count; i++) {
        UC_TRY(steps[i].row->run(&r, &steps[i]));
    }
    /* The ramp comes out as the layout has it: channels first is what the table is. */
    const bool first = r.first;
    UC_TRY(uc_state_first(&r));
    r.first = first;
    sources(s, steps, count, source);
    UC_TRY(look_up(s, &r, source, dtype == UNCORK_DTYPE_NONE ? r.pixels.dtype : dtype));
    *done = true;
    return UNCORK_OK;
}
