/* OpenCV's INTER_AREA where both axes shrink: block means by whole factors, covered parts otherwise.
 * Whose results are matched: OpenCV 5.0.0, resize.cpp, resizeAreaFast_ and ResizeArea_Invoker. */
#include "image/resize_opencv_parts.h"

/* Output i of an axis is the weighted sum of sources first[i] to first[i+1] of the list. */
typedef struct shares {
    int *first; /* [out + 1] */
    int32_t *source;
    float *weight;
} shares;

#define T          uint8_t
#define W          float
#define WHOLE      int32_t
#define N(x)       x##_u8
#define STORE(v)   uc_saturate_u8(v)
#define QUARTER(s) ((uint8_t)(((s) + 2) >> 2))
#include "image/resize_opencv_area.inc"

#define T          uint16_t
#define W          float
#define WHOLE      float
#define N(x)       x##_u16
#define STORE(v)   uc_saturate_u16(v)
#define QUARTER(s) ((uint16_t)(((s) + 2) >> 2))
#include "image/resize_opencv_area.inc"

#define T        float
#define W        float
#define WHOLE    float
#define N(x)     x##_f32
#define STORE(v) (v)
#include "image/resize_opencv_area.inc"

#define T        double
#define W        double
#define WHOLE    double
#define N(x)     x##_f64
#define STORE(v) (v)
#include "image/resize_opencv_area.inc"

static uncork_status make_shares(uc_opencv_axis axis, shares *s, uc_arena *arena,
                                 uncork_error *error)
{
    const size_t room = (size_t)axis.in * 2 + 2 * (size_t)axis.out; /* both ends may be shared */
    s->first = UC_NEW(arena, int, (size_t)axis.out + 1);
    s->source = UC_NEW(arena, int32_t, room);
    s->weight = UC_NEW(arena, float, room);
    if (!s->first || !s->source || !s->weight) return uc_arena_status(arena, error);
    int k = 0;
    for (int i = 0; i < axis.out; i++) {
        const double f1 = i * axis.scale, f2 = f1 + axis.scale,
                     cell = fmin(axis.scale, axis.in - f1);
        int s1 = (int)ceil(f1), s2 = (int)floor(f2);
        if (s2 > axis.in - 1) s2 = axis.in - 1;
        if (s1 > s2) s1 = s2;
        s->first[i] = k;
        if (s1 - f1 > 1e-3) {
            s->source[k] = s1 - 1;
            s->weight[k++] = (float)((s1 - f1) / cell);
        }
        for (int j = s1; j < s2; j++) {
            s->source[k] = j;
            s->weight[k++] = (float)(1.0 / cell);
        }
        if (f2 - s2 > 1e-3) {
            s->source[k] = s2;
            s->weight[k++] = (float)(fmin(fmin(f2 - s2, 1.), cell) / cell);
        }
    }
    s->first[axis.out] = k;
    return UNCORK_OK;
}

static uncork_status parts(const uc_pixels *from, uc_opencv_axis x, uc_opencv_axis y,
                           uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    shares sx, sy;
    UC_TRY(make_shares(x, &sx, arena, error));
    UC_TRY(make_shares(y, &sy, arena, error));
    const size_t row = (size_t)x.out * (size_t)from->channels;
    void *buffer = uc_arena_alloc(arena, row, 8), *sums = uc_arena_alloc(arena, row, 8);
    if (!buffer || !sums) return uc_arena_status(arena, error);
    switch ((int)from->dtype) {
    case UNCORK_UINT8: parts_u8(from, &sx, &sy, buffer, sums, to); break;
    case UNCORK_UINT16: parts_u16(from, &sx, &sy, buffer, sums, to); break;
    case UNCORK_FLOAT32: parts_f32(from, &sx, &sy, buffer, sums, to); break;
    default: parts_f64(from, &sx, &sy, buffer, sums, to); break;
    }
    return UNCORK_OK;
}

/* OpenCV's vector loops over 2 x 2 blocks add the columns in another order. */
static int paired(const uc_pixels *from, int fx, int fy, int width)
{
    const int values = width * from->channels;
    return fx == 2 && fy == 2 && (from->channels == 1 || from->channels == 4) ? values / 4 * 4 : 0;
}

static void blocks(const uc_pixels *from, int fx, int fy, uc_pixels *to)
{
    switch ((int)from->dtype) {
    case UNCORK_UINT8: blocks_u8(from, fx, fy, 0, to); break;
    case UNCORK_UINT16: blocks_u16(from, fx, fy, 0, to); break;
    case UNCORK_FLOAT32:
        blocks_f32(from, fx, fy, (size_t)paired(from, fx, fy, from->width / fx), to);
        break;
    default: blocks_f64(from, fx, fy, 0, to); break;
    }
}

uncork_status uc_opencv_area(const uc_pixels *from, uc_opencv_axis x, uc_opencv_axis y,
                             uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    UC_TRY(uc_pixels_new(from->dtype, y.out, x.out, from->channels, arena, to, error));
    if (!uc_opencv_whole(x.scale) || !uc_opencv_whole(y.scale))
        return parts(from, x, y, arena, to, error);
    blocks(from, (int)rint(x.scale), (int)rint(y.scale), to);
    return UNCORK_OK;
}
