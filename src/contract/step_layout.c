/* Where channels stand, and between Pillow's pictures and arrays. */
#include "contract/contract_internal.h"

#include "base/dtype.h"

int uc_state_width(const uc_state *s) { return s->is_array ? s->pixels.width : s->image.width; }

int uc_state_height(const uc_state *s) { return s->is_array ? s->pixels.height : s->image.height; }

int uc_state_channels(const uc_state *s)
{
    return s->is_array ? s->pixels.channels : uc_image_channels(s->image.mode);
}

uncork_status uc_state_array(uc_state *s)
{
    if (s->is_array) return UNCORK_OK;
    UC_TRY(uc_pixels_of_image(&s->image, s->arena, &s->pixels, s->error));
    s->is_array = true;
    return UNCORK_OK;
}

uncork_status uc_state_image(uc_state *s, const char *step)
{
    if (!s->is_array) return UNCORK_OK;
    UC_TRY(uc_state_last(s));
    if (s->pixels.dtype == UNCORK_FLOAT64 && s->pixels.channels == 1) { /* fromarray: mode F */
        size_t n = uc_pixels_count(&s->pixels);
        float *to = UC_NEW(s->arena, float, n);
        if (!to) return uc_arena_status(s->arena, s->error);
        uc_dtype_convert(to, UNCORK_FLOAT32, s->pixels.data, UNCORK_FLOAT64, (int64_t)n);
        s->pixels.data = to;
        s->pixels.dtype = UNCORK_FLOAT32;
    }
    if (s->pixels.dtype != UNCORK_UINT8 && s->pixels.channels != 1) {
        uc_fail(s->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                "%s by Pillow after numeric steps works on one channel only", step);
        return uc_fix(s->error, "put it first, or name another library's arithmetic");
    }
    UC_TRY(uc_pixels_to_image(&s->pixels, s->arena, &s->image, s->error));
    s->is_array = false;
    return UNCORK_OK;
}

/* [n, c] to [c, n] or back, elements of any size. */
static void transpose(const uint8_t *from, uint8_t *to, size_t rows, size_t columns, size_t size)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            memcpy(to + (c * rows + r) * size, from + (r * columns + c) * size, size);
        }
    }
}

static uncork_status move_channels(uc_state *s, bool first)
{
    UC_TRY(uc_state_array(s));
    if (s->first == first) return UNCORK_OK;
    size_t channels = (size_t)s->pixels.channels, plane = uc_pixels_count(&s->pixels) / channels,
           size = uc_dtype_size(s->pixels.dtype);
    s->first = first;
    if (channels == 1) return UNCORK_OK;
    void *to = uc_arena_alloc_raw(s->arena, plane * channels * size);
    if (!to) return uc_arena_status(s->arena, s->error);
    transpose(s->pixels.data, to, first ? plane : channels, first ? channels : plane, size);
    s->pixels.data = to;
    return UNCORK_OK;
}

uncork_status uc_state_last(uc_state *s)
{
    return s->is_array ? move_channels(s, false) : UNCORK_OK;
}

uncork_status uc_state_first(uc_state *s) { return move_channels(s, true); }

uncork_status uc_step_layout_run(uc_state *s, const uc_step *step)
{
    UC_TRY(uc_state_array(s));
    switch (step->row->extra) {
    case UC_PLACE_FIRST:
    case UC_PLACE_LAST: s->axis = true; return move_channels(s, step->row->extra == UC_PLACE_FIRST);
    case UC_PLACE_FLAT: s->flat = true; break;
    default: s->batch = true;
    }
    return UNCORK_OK;
}
