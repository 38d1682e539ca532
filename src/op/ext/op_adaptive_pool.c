/* uncork.AdaptivePool: windows cut so that an output of a given size comes out, averaged or their maxima.
 *
 * Source: torch 2.15, aten/src/ATen/native/AdaptivePooling.h: output o of n covers [o * in / n rounded
 * down, (o + 1) * in / n rounded up).
 * attributes  output_size ints, one a spatial dimension, -1 keeps it;  mode "avg" or "max"
 * x  float [N, C, D1, ...], one to three spatial dimensions;  y  [N, C, output_size...]
 * indices (max)  int64 as y: where the maximum stands in its plane
 * Numerics: sums run in float64, rounded once. The first maximum counts, NaN above all. */
#include "base/thread.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

enum { SPACE = 3 };

static bool is_max(const uc_call *call)
{
    return uc_str_is(uc_call_str(call, "mode", "avg"), "max");
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    size_t count;
    const int64_t *size = uc_call_ints(call, "output_size", &count);
    int64_t shape[UNCORK_MAX_RANK];
    UC_TRY(uc_call_expect_wide(call, 0));
    if (count < 1 || count > SPACE)
        return uc_call_fail(call, UNCORK_MALFORMED, "output_size has %zu numbers", count);
    const int rank = (int)count + 2;
    if (x->rank >= 0 && x->rank != rank) {
        return uc_call_fail(call, UNCORK_INPUT, "the input has %d dimensions, not %d", x->rank,
                            rank);
    }
    for (int i = 0; i < rank; i++) {
        const int64_t in = x->rank < 0 ? UC_DIM_UNKNOWN : x->shape[i];
        shape[i] = i < 2 || size[i - 2] < 0 ? in : size[i - 2];
        if (i >= 2 && (in == 0 || shape[i] == 0 || shape[i] > INT32_MAX))
            return uc_call_fail(call, UNCORK_INPUT,
                                "dimension %d of %" PRId64 " can't become %" PRId64, i, in,
                                shape[i]);
    }
    UC_TRY(uc_call_shape(call, 0, x->dtype, rank, shape));
    return uc_call_shape(call, 1, UNCORK_INT64, rank, shape);
}

typedef struct job {
    int64_t in[SPACE], out[SPACE]; /* missing dimensions are 1 */
    int64_t *begin[SPACE], *end[SPACE];
    const void *x;
    void *y;
    int64_t *places;
    bool max, is_double;
} job;

static double element(const job *j, int64_t at)
{
    return j->is_double ? ((const double *)j->x)[at] : (double)((const float *)j->x)[at];
}

static void put(const job *j, int64_t at, double v)
{
    if (j->is_double)
        ((double *)j->y)[at] = v;
    else if (j->y)
        ((float *)j->y)[at] = (float)v;
}

/* The window [begin, end) of one output, in the plane that begins at `plane`. */
static void window(const job *j, int64_t plane, const int64_t *o, int64_t at)
{
    int64_t place = -1, count = 0;
    double sum = 0, best = -(double)INFINITY;
    for (int64_t a = j->begin[0][o[0]]; a < j->end[0][o[0]]; a++) {
        for (int64_t r = j->begin[1][o[1]]; r < j->end[1][o[1]]; r++) {
            for (int64_t c = j->begin[2][o[2]]; c < j->end[2][o[2]]; c++, count++) {
                const int64_t i = (a * j->in[1] + r) * j->in[2] + c;
                const double v = element(j, plane + i);
                sum += v;
                if (place < 0 || v > best || (isnan(v) && !isnan(best))) {
                    best = v;
                    place = i;
                }
            }
        }
    }
    if (j->y) put(j, at, j->max ? best : sum / (double)count);
    if (j->places) j->places[at] = place;
}

static void planes(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const int64_t in = j->in[0] * j->in[1] * j->in[2], out = j->out[0] * j->out[1] * j->out[2];
    (void)thread;
    for (int64_t p = begin; p < end; p++) {
        int64_t at = p * out, o[SPACE];
        for (o[0] = 0; o[0] < j->out[0]; o[0]++) {
            for (o[1] = 0; o[1] < j->out[1]; o[1]++) {
                for (o[2] = 0; o[2] < j->out[2]; o[2]++) {
                    window(j, p * in, o, at++);
                }
            }
        }
    }
}

static bool cut(uc_call *call, job *j, int d)
{
    j->begin[d] = uc_call_scratch(call, (size_t)j->out[d], sizeof(int64_t));
    j->end[d] = uc_call_scratch(call, (size_t)j->out[d], sizeof(int64_t));
    for (int64_t o = 0; j->begin[d] && j->end[d] && o < j->out[d]; o++) {
        /* without products that could overflow: in = whole * out + rest */
        const int64_t whole = j->in[d] / j->out[d], rest = j->in[d] % j->out[d];
        j->begin[d][o] = o * whole + o * rest / j->out[d];
        j->end[d][o] = (o + 1) * whole + ((o + 1) * rest + j->out[d] - 1) / j->out[d];
    }
    return j->begin[d] && j->end[d];
}

static uncork_status wide(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const int space = x->rank - 2;
    job j = {.x = x->data, .max = is_max(call), .is_double = x->dtype == UNCORK_FLOAT64};
    for (size_t i = 0; i < 2; i++) {
        if (!uc_call_wants(call, i)) continue;
        uc_tensor *out = uc_call_out(call, i);
        if (!out) return uc_fail_memory(call->error);
        if (i) j.places = out->data;
        if (!i) j.y = out->data;
    }
    size_t count;
    const int64_t *size = uc_call_ints(call, "output_size", &count);
    for (int d = 0; d < SPACE; d++) {
        const int at = d - (SPACE - space); /* leading dimensions are 1 */
        j.in[d] = at < 0 ? 1 : x->shape[2 + at];
        j.out[d] = at < 0 || size[at] < 0 ? j.in[d] : size[at];
        if (!cut(call, &j, d)) return uc_fail_memory(call->error);
    }
    uc_parallel(call->pool, x->shape[0] * x->shape[1], 1 + 4096 / (j.in[0] * j.in[1] * j.in[2] + 1),
                planes, &j);
    return UNCORK_OK;
}

static uncork_status run(uc_call *call) { return uc_widened(call, wide); }

const uc_op uc_op_adaptive_pool = {.domain = "uncork",
                                   .name = "AdaptivePool",
                                   .in = {1, 1},
                                   .out = {1, 2},
                                   .infer = infer,
                                   .run = run};
