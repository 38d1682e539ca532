/* TensorFlow's bilinear resize over planes, as networks of channels-first engines hold pictures: the bits of
 * resize_tensorflow.c, with the two places of an axis found once for all planes. */
#include "base/thread.h"
#include "image/resize_tensorflow_parts.h"

#include <math.h>
#include <string.h>

uc_places uc_tensorflow_places(int in, int out, const uc_tensorflow_resize *options)
{
    const bool corners = options->legacy && options->align_corners && in > 1 && out > 1;
    return (uc_places){in, out,
                       corners ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out,
                       !options->legacy};
}

uc_between *uc_tensorflow_between(const uc_places *p, int step, uc_arena *arena)
{
    uc_between *b = UC_NEW(arena, uc_between, (size_t)p->out);
    for (int i = 0; b && i < p->out; i++) {
        const float f = place_at(p, i), low = floorf(f), high = ceilf(f);
        b[i].lower = step * (low > 0 ? (int)low : 0);
        b[i].upper = step * (high < (float)(p->in - 1) ? (int)high : p->in - 1);
        b[i].fraction = f - low;
    }
    return b;
}

typedef struct planes {
    const float *from;
    float *to, *room; /* room: two rows a thread */
    uc_places x, y;
    const uc_between *bx, *by;
} planes;

static void across(const float *in, const uc_between *x, int count, float *out)
{
    for (int j = 0; j < count; j++) {
        const float l = in[x[j].lower], r = in[x[j].upper];
        out[j] = l + (r - l) * x[j].fraction;
    }
}

static void one_plane(const planes *p, const float *from, float *to, float *const rows[2])
{
    int held[2] = {-1, -1};
    for (int i = 0; i < p->y.out; i++, to += p->x.out) {
        const int both[2] = {p->by[i].lower, p->by[i].upper}; /* the same or neighbours */
        for (int k = 0; k < 2; k++) {
            const int slot = both[k] & 1;
            if (held[slot] == both[k]) continue;
            across(from + (size_t)both[k] * (size_t)p->x.in, p->bx, p->x.out, rows[slot]);
            held[slot] = both[k];
        }
        const float *a = rows[both[0] & 1], *b = rows[both[1] & 1], t = p->by[i].fraction;
        for (int j = 0; j < p->x.out; j++) {
            to[j] = a[j] + (b[j] - a[j]) * t;
        }
    }
}

static void some_planes(void *context, int64_t begin, int64_t end, int thread)
{
    const planes *p = context;
    const size_t in = (size_t)p->x.in * (size_t)p->y.in, out = (size_t)p->x.out * (size_t)p->y.out;
    float *room = p->room + 2 * (size_t)thread * (size_t)p->x.out;
    float *const rows[2] = {room, room + p->x.out};
    for (int64_t i = begin; i < end; i++) {
        one_plane(p, p->from + (size_t)i * in, p->to + (size_t)i * out, rows);
    }
}

uncork_status uc_resize_tensorflow_planes(const float *from, int64_t count, const int from_size[2],
                                          const int size[2], const uc_tensorflow_resize *options,
                                          uncork_pool *pool, uc_arena *arena, float *to,
                                          uncork_error *error)
{
    planes p = {.from = from,
                .to = to,
                .x = uc_tensorflow_places(from_size[1], size[1], options),
                .y = uc_tensorflow_places(from_size[0], size[0], options)};
    p.bx = uc_tensorflow_between(&p.x, 1, arena);
    p.by = uc_tensorflow_between(&p.y, 1, arena);
    p.room = UC_NEW(arena, float, 2 * (size_t)uc_pool_threads(pool) * (size_t)size[1]);
    if (!p.bx || !p.by || !p.room) return uc_arena_status(arena, error);
    uc_parallel(pool, count, 1, some_planes, &p);
    return UNCORK_OK;
}
