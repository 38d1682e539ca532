/* The walk of dot_conv.h. A tile is 32 output positions, counted along rows of `pitch` positions; those
 * behind the last column are computed and dropped. Weights of a group of panels stay in the cache while
 * a band of tiles passes. */
#include "op/ext/dot_conv.h"

#include "base/thread.h"

enum {
    BAND = 4, /* tiles that share a group of panels; so many copied ones stay in the first cache */
    GROUP_BYTES = 256 << 10,
    SHORT_BYTES = 32, /* a run that one copy of fixed size moves */
};

uc_dot_method uc_dot_conv_method(const uc_window *w, int64_t pixel)
{
    const bool padded = w->pad[0] || w->pad[1] || w->pad[2] || w->pad[3];
    const bool strided = w->stride[0] > 1 || w->stride[1] > 1;
    if (w->kernel[0] == 1 && w->kernel[1] == 1) {
        return padded || strided ? UC_DOT_GATHER : UC_DOT_DIRECT;
    }
    if (w->dilation[1] > 1) return UC_DOT_GATHER;
    return w->kernel[1] * pixel <= SHORT_BYTES ? UC_DOT_SHORT : UC_DOT_ROWS;
}

void uc_dot_conv_runs(const uc_window *w, int64_t ic, int64_t size, int64_t *taps, int64_t *run)
{
    const bool rows = uc_dot_conv_method(w, ic * size) == UC_DOT_ROWS;
    *taps = rows ? w->kernel[0] : 1;
    *run = (rows ? 1 : w->kernel[0]) * w->kernel[1] * ic * size;
}

/* One output channel [ic, taps] as [taps][ic]. */
static void channel_last(const uint8_t *from, int64_t ic, int64_t taps, int64_t size, uint8_t *to)
{
    for (int64_t t = 0; t < taps; t++) {
        if (size == 1) { /* a call a byte would take longer than the rest of loading */
            for (int64_t c = 0; c < ic; c++)
                *to++ = from[c * taps + t];
            continue;
        }
        for (int64_t c = 0; c < ic; c++, to += size)
            memcpy(to, from + (c * taps + t) * size, (size_t)size);
    }
}

uncork_status uc_dot_conv_pack(uc_call *call, const void *w, int64_t oc, int64_t ic,
                               const uc_window *window, int64_t size, const uint8_t **packed)
{
    int64_t taps, run;
    uc_dot_conv_runs(window, ic, size, &taps, &run);
    /* No overflow: w is in memory, and padding makes of a run at most 64 times as much. */
    uint8_t *to = UC_NEW(call->arena, uint8_t, (size_t)uc_dot_packed_bytes(oc, taps, run) + 64);
    uint8_t *channel = UC_NEW(call->arena, uint8_t, (size_t)(taps * run));
    if (!to || !channel) return uc_arena_status(call->arena, call->error);
    to += (64 - (uintptr_t)to % 64) % 64;
    for (int64_t c = 0; c < oc; c++) {
        channel_last((const uint8_t *)w + c * taps * run, ic, window->kernel[0] * window->kernel[1],
                     size, channel);
        uc_dot_pack(channel, c, taps, run, to);
    }
    *packed = to;
    return UNCORK_OK;
}

/* ---- the walk ------------------------------------------------------------------------------- */

static bool is_padded(uc_dot_method method)
{
    return method == UC_DOT_ROWS || method == UC_DOT_SHORT;
}

typedef struct walk {
    const uc_dot_conv *c;
    const uc_dot_row *row;
    uc_dot_method method;
    int64_t taps, run;
    int64_t image;            /* the picture, and all of them at once when direct */
    const uint8_t *picture;   /* ROWS: padded; else x */
    int64_t width;            /* pixels of a row of it */
    int64_t positions, pitch; /* see above */
    int64_t tiles, pairs, group, groups;
    ptrdiff_t a_stride;
    uint8_t *gathered; /* a thread's tile of pixels side by side */
    int64_t gathered_bytes;
    char *sums;
} walk;

static int64_t chunked(int64_t bytes)
{
    return (bytes + UC_DOT_CHUNK - 1) / UC_DOT_CHUNK * UC_DOT_CHUNK;
}

/* Where position j's window begins in the padded picture. */
static int64_t offset_of(const walk *w, int64_t j)
{
    const uc_dot_conv *c = w->c;
    const int64_t y = j / w->pitch, x = j % w->pitch;
    return (y * c->window.stride[0] * w->width + x * c->window.stride[1]) * c->ic * c->size;
}

/* The bytes under the kernel at output position j, side by side. */
static void gather_pixel(const walk *w, int64_t j, uint8_t *to)
{
    const uc_dot_conv *c = w->c;
    const uc_window *win = &c->window;
    const int64_t plane = c->oh * c->ow, bytes = c->ic * c->size;
    const int64_t image = j / plane, y = j % plane / c->ow, x = j % c->ow;
    for (int64_t ky = 0; ky < win->kernel[0]; ky++) {
        const int64_t iy = y * win->stride[0] + ky * win->dilation[0] - win->pad[0];
        for (int64_t kx = 0; kx < win->kernel[1]; kx++, to += bytes) {
            const int64_t ix = x * win->stride[1] + kx * win->dilation[1] - win->pad[1];
            if (iy < 0 || iy >= c->ih || ix < 0 || ix >= c->iw) {
                memset(to, c->fill, (size_t)bytes);
            } else {
                memcpy(to, c->x + ((image * c->ih + iy) * c->iw + ix) * bytes, (size_t)bytes);
            }
        }
    }
}

/* Zeros behind a pixel's bytes, as far as a tile reads them. */
static void end_pixel(const walk *w, uint8_t *pixel)
{
    memset(pixel + w->run, 0, (size_t)(chunked(w->run) - w->run));
}

/* The same where the picture is padded and runs are short. Each copy writes over what the one before
 * wrote too much. */
static void gather_runs(const walk *w, int64_t first, uint8_t *to)
{
    const uc_dot_conv *c = w->c;
    const int64_t run = c->window.kernel[1] * c->ic * c->size, step = chunked(w->run) + SHORT_BYTES;
    const int64_t row = c->window.dilation[0] * w->width * c->ic * c->size;
    for (int64_t p = 0; p < UC_DOT_PIXELS; p++, to += step) {
        const uint8_t *from = w->picture + offset_of(w, first) + p * w->a_stride;
        for (int64_t y = 0; y < c->window.kernel[0]; y++)
            memcpy(to + y * run, from + y * row, SHORT_BYTES);
        end_pixel(w, to);
    }
}

static void gather(const walk *w, int64_t first, uint8_t *to)
{
    for (int64_t p = 0; p < UC_DOT_PIXELS; p++) {
        uint8_t *pixel = to + p * (chunked(w->run) + SHORT_BYTES);
        if (first + p < w->positions) {
            gather_pixel(w, first + p, pixel);
            end_pixel(w, pixel);
        } else {
            memset(pixel, 0, (size_t)chunked(w->run));
        }
    }
}

static void place(const walk *w, int64_t first, int64_t *at)
{
    const uc_dot_conv *c = w->c;
    if (!is_padded(w->method)) {
        for (int64_t p = 0; p < UC_DOT_PIXELS; p++)
            at[p] = first + p < w->positions ? first + p : -1;
        return;
    }
    int64_t y = first / w->pitch, x = first % w->pitch;
    for (int64_t p = 0; p < UC_DOT_PIXELS; p++) {
        at[p] = y < c->oh && x < c->ow ? (w->image * c->oh + y) * c->ow + x : -1;
        if (++x == w->pitch) {
            x = 0;
            y++;
        }
    }
}

/* Whether a tile of x can be read where it lies. */
static bool lies_whole(const walk *w, int64_t first)
{
    const int64_t end = (first + UC_DOT_PIXELS - 1) * w->a_stride + chunked(w->run);
    return w->method == UC_DOT_DIRECT && end <= w->positions * w->a_stride;
}

/* A band of tiles: where their pixels are read, and where their outputs go. */
typedef struct band {
    const uint8_t *a[BAND];
    ptrdiff_t a_stride[BAND];
    int64_t at[BAND][UC_DOT_PIXELS];
} band;

/* What is copied is copied for the whole band, long before it is read: a tile's load waits for stores
 * that aren't in the cache yet. */
static void find_pixels(const walk *w, int64_t tile, uint8_t *gathered, int i, band *to)
{
    const int64_t first = tile * UC_DOT_PIXELS;
    place(w, first, to->at[i]);
    to->a_stride[i] = w->a_stride;
    if (w->method == UC_DOT_ROWS) {
        to->a[i] = w->picture + offset_of(w, first);
    } else if (lies_whole(w, first)) {
        to->a[i] = w->c->x + first * w->a_stride;
    } else {
        to->a[i] = gathered;
        to->a_stride[i] = chunked(w->run) + SHORT_BYTES;
        if (w->method == UC_DOT_SHORT) {
            gather_runs(w, first, gathered);
        } else {
            gather(w, first, gathered);
        }
    }
}

static void run_pair(const walk *w, const band *in, int count, int64_t pair, char *sums)
{
    const uc_dot_conv *c = w->c;
    const int64_t channel = pair * UC_DOT_CHANNELS, left = c->oc - channel;
    uc_dot_tile t = {.taps = w->taps,
                     .run = w->run,
                     .tap_stride = c->window.dilation[0] * w->width * c->ic * c->size,
                     .b = c->packed + pair * 2 * uc_dot_panel_bytes(w->taps, w->run),
                     .panels = left > UC_DOT_PANEL ? 2 : 1,
                     .sums = sums};
    for (int i = 0; i < count; i++) {
        t.a = in->a[i];
        t.a_stride = in->a_stride[i];
        t.cold = i == 0;
        w->row->tile(&t);
        c->finish(c->context, sums, in->at[i], channel,
                  (int)(left < UC_DOT_CHANNELS ? left : UC_DOT_CHANNELS));
    }
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* A piece is a band of tiles times a group of panels. */
static void run_pieces(void *context, int64_t begin, int64_t end, int thread)
{
    const walk *w = context;
    uint8_t none = 0; /* where nothing is gathered: gathered_bytes is 0 */
    uint8_t *gathered = w->gathered ? w->gathered + thread * BAND * w->gathered_bytes : &none;
    char *sums = w->sums + thread * UC_DOT_PIXELS * UC_DOT_CHANNELS * 4;
    band pixels;
    int64_t known = -1;
    w->row->begin();
    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t first = piece / w->groups, tile = first * BAND;
        const int count = (int)least(BAND, w->tiles - tile);
        const int64_t pair = piece % w->groups * w->group;
        for (int i = 0; i < count && known != first; i++)
            find_pixels(w, tile + i, gathered + i * w->gathered_bytes, i, &pixels);
        known = first;
        for (int64_t p = pair; p < least(pair + w->group, w->pairs); p++)
            run_pair(w, &pixels, count, p, sums);
    }
    w->row->end();
}

static void run_walk(uc_call *call, walk *w)
{
    const int64_t pair_bytes = 2 * uc_dot_panel_bytes(w->taps, w->run);
    w->tiles = (w->positions + UC_DOT_PIXELS - 1) / UC_DOT_PIXELS;
    w->pairs = (w->c->oc + UC_DOT_CHANNELS - 1) / UC_DOT_CHANNELS;
    w->group = pair_bytes < GROUP_BYTES ? GROUP_BYTES / pair_bytes : 1;
    w->groups = (w->pairs + w->group - 1) / w->group;
    const int64_t bands = (w->tiles + BAND - 1) / BAND;
    if (bands == 1 && w->groups == 1 && w->pairs > 1) { /* two threads get a half each */
        w->group = (w->pairs + 1) / 2;
        w->groups = 2;
    }
    uc_parallel(call->pool, bands * w->groups, 1, run_pieces, w);
}

/* ---- the padded picture --------------------------------------------------------------------- */

typedef struct pad_job {
    const uc_dot_conv *c;
    const uint8_t *from;
    uint8_t *to;
    int64_t width;
} pad_job;

static void pad_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const pad_job *job = context;
    const uc_dot_conv *c = job->c;
    const int64_t pixel = c->ic * c->size, row = job->width * pixel;
    const int64_t left = c->window.pad[1] * pixel, inside = c->iw * pixel;
    (void)thread;
    for (int64_t y = begin; y < end; y++) {
        uint8_t *to = job->to + y * row;
        const int64_t from = y - c->window.pad[0];
        if (from < 0 || from >= c->ih) {
            memset(to, c->fill, (size_t)row);
            continue;
        }
        memset(to, c->fill, (size_t)left);
        memcpy(to + left, job->from + from * inside, (size_t)inside);
        memset(to + left + inside, c->fill, (size_t)(row - left - inside));
    }
}

/* Bytes the last tile may reach. */
static int64_t reach_of(const walk *w)
{
    const uc_dot_conv *c = w->c;
    const int64_t last = (w->positions - 1) / UC_DOT_PIXELS * UC_DOT_PIXELS;
    const int64_t rows = (c->window.kernel[0] - 1) * c->window.dilation[0];
    return offset_of(w, last) + (UC_DOT_PIXELS - 1) * w->a_stride +
           rows * w->width * c->ic * c->size +
           (w->method == UC_DOT_SHORT ? SHORT_BYTES : chunked(w->run));
}

/* Positions of a row that are walked. Equal strides let them run on from row to row; worth it while rows
 * are short. */
static int64_t pitch_of(const uc_dot_conv *c)
{
    const uc_window *win = &c->window;
    const bool runs_on =
        win->stride[0] == win->stride[1] && (win->stride[0] == 1 || c->ow * 2 < UC_DOT_PIXELS + 8);
    if (runs_on) return c->iw + win->pad[1] + win->pad[3];
    return (c->ow + UC_DOT_PIXELS - 1) / UC_DOT_PIXELS * UC_DOT_PIXELS;
}

static uncork_status run_rows(uc_call *call, walk *w)
{
    const uc_dot_conv *c = w->c;
    const uc_window *win = &c->window;
    const int64_t height = c->ih + win->pad[0] + win->pad[2];
    w->width = c->iw + win->pad[1] + win->pad[3];
    w->pitch = pitch_of(c);
    w->positions = (c->oh - 1) * w->pitch + c->ow;
    w->a_stride = win->stride[1] * c->ic * c->size;
    const int64_t bytes = height * w->width * c->ic * c->size, reach = reach_of(w);
    const int64_t all = bytes > reach ? bytes : reach;
    uint8_t *padded = uc_call_scratch(call, (size_t)all, 1);
    if (!padded) return call->error->status;
    memset(padded + bytes, 0, (size_t)(all - bytes));
    w->picture = padded;
    for (w->image = 0; w->image < c->n; w->image++) {
        pad_job job = {c, c->x + w->image * c->ih * c->iw * c->ic * c->size, padded, w->width};
        uc_parallel(call->pool, height, 1 + (16 << 10) / (w->width * c->ic * c->size), pad_rows,
                    &job);
        run_walk(call, w);
    }
    return UNCORK_OK;
}

/* Whether walking the padded rows computes a third more tiles than there are pixels for, as strides and
 * short rows make it: copying those pixels costs less where many channels are made of them. */
static bool gathers_better(const walk *w)
{
    const uc_dot_conv *c = w->c;
    if (w->method != UC_DOT_ROWS || w->run % UC_DOT_CHUNK || c->oc < 4 * UC_DOT_CHANNELS)
        return false;
    const int64_t pitch = pitch_of(c), rows = (c->oh - 1) * pitch + c->ow;
    const int64_t walked = c->n * ((rows + UC_DOT_PIXELS - 1) / UC_DOT_PIXELS);
    const int64_t least_tiles = (c->n * c->oh * c->ow + UC_DOT_PIXELS - 1) / UC_DOT_PIXELS;
    return walked * 3 > least_tiles * 4;
}

uncork_status uc_dot_conv_run(uc_call *call, const uc_dot_conv *c)
{
    walk w = {.c = c,
              .row = uc_dot_row_of(c->kind),
              .method = uc_dot_conv_method(&c->window, c->ic * c->size)};
    const size_t threads = (size_t)uc_pool_threads(call->pool);
    uc_dot_conv_runs(&c->window, c->ic, c->size, &w.taps, &w.run);
    if (!c->n || !c->oh || !c->ow) return UNCORK_OK;
    if (gathers_better(&w)) { /* runs that fill their chunks are packed alike in both ways */
        w.method = UC_DOT_GATHER;
        w.run *= w.taps;
        w.taps = 1;
    }
    w.sums = uc_call_scratch(call, threads, UC_DOT_PIXELS * UC_DOT_CHANNELS * 4);
    if (!w.sums) return call->error->status;
    if (w.method == UC_DOT_ROWS) return run_rows(call, &w);
    w.gathered_bytes = UC_DOT_PIXELS * (chunked(w.run) + SHORT_BYTES);
    w.gathered = uc_call_scratch(call, threads * BAND, (size_t)w.gathered_bytes);
    if (!w.gathered) return call->error->status;
    if (w.method == UC_DOT_SHORT) return run_rows(call, &w);
    w.positions = c->n * c->oh * c->ow;
    w.a_stride = w.run;
    run_walk(call, &w);
    return UNCORK_OK;
}
