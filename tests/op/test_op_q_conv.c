/* uncork.QConv against plain integer loops written here, over random geometries, with one thread and
 * three: the same bytes, whatever the instruction set. The program runs itself once for each.
 * Expected values: the definition in the operator's file, in int64 and float32. */
#include "base/thread.h"
#include "isa.h"
#include "plan/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u;

static int64_t between(int64_t low, int64_t high)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return low + (int64_t)(state % (uint64_t)(high - low + 1));
}

typedef struct layer {
    int64_t n, ic, oc, ih, iw, kh, kw, sh, sw, dh, dw, pad[4], oh, ow;
    bool depthwise, bias, residual, floats;
    int32_t x_zero, w_zero, zero, low, high, r_zero, y_zero;
    float q_scale, r_scale;
    uint8_t *x, *r;
    int8_t *w;
    int32_t *b;
    float *scale;
} layer;

static void *bytes(int64_t count)
{
    uint8_t *v = malloc((size_t)count + 1);
    assert_non_null(v);
    for (int64_t i = 0; i < count; i++)
        v[i] = (uint8_t)between(0, 255);
    return v;
}

static layer random_layer(void)
{
    layer l = {
        .n = between(1, 2), .oc = between(1, 70), .ih = between(1, 20), .iw = between(1, 40)};
    l.depthwise = between(0, 2) == 0;
    l.ic = l.depthwise ? l.oc = between(1, 150) : between(1, 70);
    if (l.depthwise && between(0, 1)) l.ic = l.oc = (int64_t)1 << between(0, 6);
    l.kh = between(1, 5);
    l.kw = between(0, 2) ? l.kh : between(1, 5);
    l.sh = between(1, 3);
    l.sw = between(0, 1) ? l.sh : between(1, 3);
    l.dh = between(0, 3) ? 1 : 2;
    l.dw = between(0, 3) ? 1 : 2;
    for (int i = 0; i < 4; i++)
        l.pad[i] = between(0, 2);
    if (between(0, 1)) memset(l.pad, 0, sizeof l.pad);
    const int64_t room_h = l.ih + l.pad[0] + l.pad[2] - (l.kh - 1) * l.dh - 1;
    const int64_t room_w = l.iw + l.pad[1] + l.pad[3] - (l.kw - 1) * l.dw - 1;
    l.oh = room_h < 0 ? 0 : room_h / l.sh + 1;
    l.ow = room_w < 0 ? 0 : room_w / l.sw + 1;
    l.bias = between(0, 1);
    l.residual = !l.depthwise && between(0, 2) == 0;
    l.floats = !l.depthwise && !l.residual && between(0, 3) == 0;
    l.x_zero = (int32_t)between(0, 255);
    if (!l.residual && between(0, 1)) l.w_zero = (int32_t)between(-128, 127);
    l.zero = (int32_t)between(0, 255);
    l.low = between(0, 1) ? 0 : (int32_t)between(0, l.zero);
    l.high = between(0, 1) ? 255 : (int32_t)between(l.zero, 255);
    l.r_zero = (int32_t)between(0, 255);
    l.y_zero = (int32_t)between(0, 255);
    l.q_scale = (float)between(1, 2000) * 1e-3f;
    l.r_scale = (float)between(1, 2000) * 1e-3f;
    const int64_t depth = l.depthwise ? 1 : l.ic;
    l.x = bytes(l.n * l.ih * l.iw * l.ic);
    l.r = bytes(l.n * l.oh * l.ow * l.oc);
    l.w = bytes(l.oc * depth * l.kh * l.kw);
    l.b = malloc((size_t)l.oc * sizeof *l.b);
    l.scale = malloc((size_t)l.oc * sizeof *l.scale);
    const bool large = between(0, 9) == 0;
    for (int64_t i = 0; i < l.oc; i++) {
        l.b[i] = (int32_t)between(-100000, 100000);
        l.scale[i] = (float)between(1, 1000) * 2e-5f / (float)(depth * l.kh * l.kw);
        if (large) l.scale[i] *= 1e5f; /* nearly all outputs saturate */
    }
    return l;
}

static void drop(layer *l)
{
    free(l->x);
    free(l->r);
    free(l->w);
    free(l->b);
    free(l->scale);
}

static uint8_t saturated(float v) { return v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v; }

static uint8_t within(int32_t v, int32_t low, int32_t high)
{
    return (uint8_t)(v < low ? low : v > high ? high : v);
}

/* The sum at one output, scaled. */
static float scaled(const layer *l, int64_t n, int64_t y, int64_t x, int64_t o)
{
    const int64_t depth = l->depthwise ? 1 : l->ic;
    int64_t sum = l->bias ? l->b[o] : 0;
    for (int64_t t = 0; t < l->kh * l->kw; t++) {
        const int64_t iy = y * l->sh + t / l->kw * l->dh - l->pad[0];
        const int64_t ix = x * l->sw + t % l->kw * l->dw - l->pad[1];
        if (iy < 0 || iy >= l->ih || ix < 0 || ix >= l->iw) continue;
        for (int64_t i = 0; i < depth; i++) {
            const int64_t channel = l->depthwise ? o : i;
            const int64_t v = l->x[((n * l->ih + iy) * l->iw + ix) * l->ic + channel] - l->x_zero;
            sum += v * (l->w[(o * depth + i) * l->kh * l->kw + t] - l->w_zero);
        }
    }
    return (float)sum * l->scale[o];
}

static uint8_t quantised(const layer *l, float v, int64_t at)
{
    const uint8_t q = within(saturated(nearbyintf(v) + (float)l->zero), l->low, l->high);
    if (!l->residual) return q;
    const float own = (float)(q - l->zero) * l->q_scale;
    const float other = (float)(l->r[at] - l->r_zero) * l->r_scale;
    return saturated(nearbyintf(own + other) + (float)l->y_zero);
}

static uc_ref constant(uc_graph *g, uncork_dtype dtype, const void *data, int rank,
                       const int64_t *shape)
{
    uc_tensor *t = uc_tensor_new(g->arena, dtype, rank, shape);
    assert_non_null(t);
    memcpy(t->data, data, (size_t)uc_tensor_count(t) * uc_dtype_size(dtype));
    return uc_graph_const(g, t);
}

static void graph_of(uc_graph *g, const layer *l)
{
    const int64_t xs[4] = {-1, -1, -1, l->ic}, rs[4] = {-1, -1, -1, l->oc}, os[1] = {l->oc};
    const int64_t ws[4] = {l->oc, l->depthwise ? 1 : l->ic, l->kh, l->kw};
    uc_ref in[5] = {uc_graph_input(g, "x", UNCORK_UINT8, 4, xs),
                    constant(g, UNCORK_INT8, l->w, 4, ws),
                    constant(g, UNCORK_FLOAT32, l->scale, 1, os)};
    if (l->bias) in[3] = constant(g, UNCORK_INT32, l->b, 1, os);
    if (l->residual) in[4] = uc_graph_input(g, "r", UNCORK_UINT8, 4, rs);
    uc_node *node = uc_graph_node(g, "uncork.QConv", in, l->residual ? 5 : 4, 1);
    const int64_t strides[2] = {l->sh, l->sw}, dilations[2] = {l->dh, l->dw};
    uc_node_ints(g, node, "strides", strides, 2);
    uc_node_ints(g, node, "dilations", dilations, 2);
    uc_node_ints(g, node, "pads", l->pad, 4);
    uc_node_int(g, node, "group", l->depthwise ? l->ic : 1);
    uc_node_int(g, node, "x_zero", l->x_zero);
    uc_node_int(g, node, "w_zero", l->w_zero);
    uc_node_int(g, node, "zero", l->zero);
    uc_node_int(g, node, "low", l->low);
    uc_node_int(g, node, "high", l->high);
    uc_node_int(g, node, "r_zero", l->r_zero);
    uc_node_int(g, node, "y_zero", l->y_zero);
    uc_node_float(g, node, "q_scale", (double)l->q_scale);
    uc_node_float(g, node, "r_scale", (double)l->r_scale);
    uc_node_int(g, node, "floats", l->floats);
    uc_graph_output(g, "y", uc_node_out(node, 0));
}

static void compare(const layer *l, const uc_tensor *y)
{
    for (int64_t i = 0; i < l->n * l->oh * l->ow * l->oc; i++) {
        const int64_t o = i % l->oc, pixel = i / l->oc, plane = l->oh * l->ow;
        const float v = scaled(l, pixel / plane, pixel % plane / l->ow, pixel % l->ow, o);
        if (l->floats) {
            assert_true(((const float *)y->data)[i] == v);
            continue;
        }
        const int got = ((const uint8_t *)y->data)[i], want = quantised(l, v, i);
        if (got != want) {
            fail_msg("n %d ic %d oc %d i %dx%d k %dx%d s %d,%d d %d,%d: y[%d] is %d, expected %d",
                     (int)l->n, (int)l->ic, (int)l->oc, (int)l->ih, (int)l->iw, (int)l->kh,
                     (int)l->kw, (int)l->sh, (int)l->sw, (int)l->dh, (int)l->dw, (int)i, got, want);
        }
    }
}

static void check_layer(const layer *l, uncork_pool *pool)
{
    const uncork_limits limits = {.size = sizeof limits};
    uc_budget budget;
    uncork_error error;
    uc_budget_init(&budget, &limits, 0);
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    uc_graph *g = uc_graph_new(arena, &budget, &error);
    graph_of(g, l);
    uc_program *program;
    uc_runner *runner;
    if (uc_graph_finish(g) || uc_program_new(g, arena, &budget, &program, &error))
        fail_msg("%s", error.what);
    CHECK_INT(uc_runner_new(program, pool, &runner), UNCORK_OK);
    uc_value x = {.kind = UC_TENSOR}, r = {.kind = UC_TENSOR};
    const int64_t xs[4] = {l->n, l->ih, l->iw, l->ic}, rs[4] = {l->n, l->oh, l->ow, l->oc};
    uc_tensor_set(&x.tensor, UNCORK_UINT8, 4, xs);
    uc_tensor_set(&r.tensor, UNCORK_UINT8, 4, rs);
    x.tensor.data = l->x;
    r.tensor.data = l->r;
    const uc_value *in[2] = {&x, &r};
    if (uc_runner_run(runner, in, l->residual ? 2 : 1, &budget, &error)) fail_msg("%s", error.what);
    compare(l, &uc_runner_output(runner, 0)->tensor);
    uc_runner_free(runner);
    uc_arena_free(arena);
}

static void outputs_are_those_of_the_definition(void **unused)
{
    uncork_pool *pool;
    (void)unused;
    CHECK_INT(uc_pool_new(3, &pool), UNCORK_OK);
    for (int i = 0; i < 150; i++) {
        layer l = random_layer();
        if (l.oh > 0 && l.ow > 0) check_layer(&l, i % 2 ? pool : NULL);
        drop(&l);
    }
    uc_pool_free(pool);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(outputs_are_those_of_the_definition)};
    if (argc > 1) return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
    return isa_run_each(argv[0]);
}
