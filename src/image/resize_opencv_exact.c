/* OpenCV's INTER_LINEAR_EXACT: the same bits on every machine, by integer weights of 8 bits for UINT8
 * and 16 for UINT16.
 * Whose results are matched: OpenCV 5.0.0, resize.cpp, resize_bitExact and fixedpoint.inl.hpp. */
#include "image/resize_opencv_parts.h"

typedef struct pair {
    int32_t at, next; /* inside */
    uint32_t w0, w1;  /* w0 + w1 == 1 << bits */
} pair;

static pair *make_pairs(uc_opencv_axis axis, int bits, uc_arena *arena)
{
    pair *p = UC_NEW(arena, pair, (size_t)axis.out);
    if (!p) return NULL;
    const uint32_t one = 1u << bits;
    for (int i = 0; i < axis.out; i++) {
        const double f = axis.scale * (i + 0.5) - 0.5;
        const int at = (int)floor(f);
        p[i] = (pair){0, 0, one, 0};
        if (at >= axis.in - 1) {
            p[i].at = p[i].next = axis.in - 1;
        } else if (at >= 0) {
            const uint32_t w1 = (uint32_t)lrint((f - at) * one);
            p[i] = (pair){at, at + 1, one - w1, w1};
        }
    }
    return p;
}

static uint32_t value(const uc_pixels *from, size_t i)
{
    return from->dtype == UNCORK_UINT8 ? ((const uint8_t *)from->data)[i]
                                       : ((const uint16_t *)from->data)[i];
}

uncork_status uc_opencv_linear_exact(const uc_pixels *from, uc_opencv_axis x, uc_opencv_axis y,
                                     uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    const int bits = from->dtype == UNCORK_UINT8 ? 8 : 16;
    const pair *px = make_pairs(x, bits, arena), *py = make_pairs(y, bits, arena);
    if (!px || !py) return uc_arena_status(arena, error);
    UC_TRY(uc_pixels_new(from->dtype, y.out, x.out, from->channels, arena, to, error));
    const size_t channels = (size_t)from->channels, stride = (size_t)from->width * channels;
    size_t out = 0;
    for (int i = 0; i < y.out; i++) {
        UC_TRY(uc_arena_check(arena, error));
        const size_t r0 = (size_t)py[i].at * stride, r1 = (size_t)py[i].next * stride;
        for (int j = 0; j < x.out; j++) {
            const pair *p = px + j;
            const size_t a = (size_t)p->at * channels, b = (size_t)p->next * channels;
            for (size_t c = 0; c < channels; c++, out++) {
                const uint64_t top = (uint64_t)value(from, r0 + a + c) * p->w0 +
                                     (uint64_t)value(from, r0 + b + c) * p->w1,
                               low = (uint64_t)value(from, r1 + a + c) * p->w0 +
                                     (uint64_t)value(from, r1 + b + c) * p->w1;
                const uint64_t v =
                    (top * py[i].w0 + low * py[i].w1 + (1ull << (2 * bits - 1))) >> (2 * bits);
                if (bits == 8) {
                    ((uint8_t *)to->data)[out] = (uint8_t)v;
                } else {
                    ((uint16_t *)to->data)[out] = (uint16_t)v;
                }
            }
        }
    }
    return UNCORK_OK;
}
