/* The channel-blocked operators against plain float64 loops written here, over random geometries, on
 * every row of this machine (the block chooses the row: 16 AVX-512, 8 AVX2, 4 and others scalar).
 *
 * Tolerance: a float32 sum of n products errs by at most about n u sum|x w| (Higham, "Accuracy and
 * Stability of Numerical Algorithms", 3.1); in practice by sqrt(n) u. Held to 1e-5 times the sum of
 * magnitudes of the output's own products, bias and residual, plus 2e-6 times the activation's own
 * error where it has one. */
#include "check.h"
#include "kernel/conv_blocked.h"
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

static float real(void) { return (float)between(-1000000, 1000000) * 1e-6f; }

static float *reals(int64_t count, float scale)
{
    float *v = malloc((size_t)(count + 1) * sizeof *v);
    for (int64_t i = 0; i < count; i++) {
        v[i] = real() * scale;
    }
    return v;
}

typedef struct layer {
    int64_t n, ic, oc, ih, iw, kh, kw, sh, sw, dh, dw, pad[4], block;
    bool depthwise, plain, bias, residual;
    const char *activation;
    int threads;
} layer;

static int64_t out_size(int64_t in, int64_t k, int64_t s, int64_t d, int64_t before, int64_t after)
{
    return (in + before + after - (k - 1) * d - 1) / s + 1;
}

static int64_t oh_of(const layer *l)
{
    return out_size(l->ih, l->kh, l->sh, l->dh, l->pad[0], l->pad[2]);
}

static int64_t ow_of(const layer *l)
{
    return out_size(l->iw, l->kw, l->sw, l->dw, l->pad[1], l->pad[3]);
}

/* ---- the reference ------------------------------------------------------------------------- */

static double activated(const char *name, double x)
{
    if (strcmp(name, "Relu") == 0) return x < 0 ? 0 : x;
    if (strcmp(name, "Clip") == 0) return fmin(fmax(x, 0), 6);
    if (strcmp(name, "LeakyRelu") == 0) return x < 0 ? 0.01 * x : x;
    if (strcmp(name, "HardSigmoid") == 0) return fmin(fmax(0.2 * x + 0.5, 0), 1);
    if (strcmp(name, "HardSwish") == 0) return x * fmin(fmax(x / 6 + 0.5, 0), 1);
    if (strcmp(name, "Sigmoid") == 0) return 1 / (1 + exp(-x));
    if (strcmp(name, "Swish") == 0) return x / (1 + exp(-x));
    if (strcmp(name, "Tanh") == 0) return tanh(x);
    if (strcmp(name, "Elu") == 0) return x < 0 ? expm1(x) : x;
    if (strcmp(name, "Gelu") == 0) return 0.5 * x * (1 + erf(x / sqrt(2)));
    if (strcmp(name, "GeluTanh") == 0) {
        return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    }
    if (strcmp(name, "Mish") == 0) return x * tanh(log1p(exp(x)));
    return x;
}

typedef struct sums {
    double value, magnitude;
} sums;

static sums convolved(const layer *l, const float *x, const float *w, const float *b,
                      const float *r, int64_t n, int64_t o, int64_t oh, int64_t ow)
{
    const int64_t depth = l->depthwise ? 1 : l->ic;
    sums s = {l->bias ? (double)b[o] : 0, l->bias ? fabs((double)b[o]) : 0};
    for (int64_t i = 0; i < depth; i++) {
        const int64_t channel = l->depthwise ? o : i;
        for (int64_t t = 0; t < l->kh * l->kw; t++) {
            const int64_t h = oh * l->sh + t / l->kw * l->dh - l->pad[0];
            const int64_t v = ow * l->sw + t % l->kw * l->dw - l->pad[1];
            if (h < 0 || h >= l->ih || v < 0 || v >= l->iw) continue;
            const double p = (double)x[((n * l->ic + channel) * l->ih + h) * l->iw + v] *
                             (double)w[(o * depth + i) * l->kh * l->kw + t];
            s.value += p;
            s.magnitude += fabs(p);
        }
    }
    if (l->residual) {
        const double add = (double)r[((n * l->oc + o) * oh_of(l) + oh) * ow_of(l) + ow];
        s.value += add;
        s.magnitude += fabs(add);
    }
    return s;
}

/* ---- the graph ----------------------------------------------------------------------------- */

typedef struct world {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_graph *g;
} world;

static void begin(world *w)
{
    const uncork_limits limits = {.size = sizeof limits};
    *w = (world){0};
    uc_budget_init(&w->budget, &limits, 0);
    uc_error_init(&w->error);
    w->arena = uc_arena_new(NULL);
    w->g = uc_graph_new(w->arena, &w->budget, &w->error);
}

static uc_ref constant(world *w, const float *data, int rank, const int64_t *shape)
{
    uc_tensor *t = uc_tensor_new(w->arena, UNCORK_FLOAT32, rank, shape);
    assert_non_null(t);
    memcpy(t->data, data, (size_t)uc_tensor_count(t) * sizeof *data);
    return uc_graph_const(w->g, t);
}

static uc_ref blocked(world *w, uc_ref x, int64_t block)
{
    uc_node *n = uc_graph_node(w->g, "uncork.ToBlocked", &x, 1, 1);
    uc_node_int(w->g, n, "block", block);
    return uc_node_out(n, 0);
}

static uc_ref unblocked(world *w, uc_ref x, int64_t channels, int64_t block)
{
    uc_node *n = uc_graph_node(w->g, "uncork.FromBlocked", &x, 1, 1);
    uc_node_int(w->g, n, "block", block);
    uc_node_int(w->g, n, "channels", channels);
    return uc_node_out(n, 0);
}

static uc_ref conv_node(world *w, const layer *l, const uc_ref *in)
{
    const int64_t strides[] = {l->sh, l->sw}, dilations[] = {l->dh, l->dw};
    uc_node *n = uc_graph_node(w->g, "uncork.BlockConv", in, 4, 1);
    uc_node_int(w->g, n, "block", l->block);
    uc_node_int(w->g, n, "channels", l->ic);
    uc_node_int(w->g, n, "group", l->depthwise ? l->ic : 1);
    uc_node_int(w->g, n, "plain_input", l->plain);
    uc_node_ints(w->g, n, "strides", strides, 2);
    uc_node_ints(w->g, n, "dilations", dilations, 2);
    uc_node_ints(w->g, n, "pads", l->pad, 4);
    uc_node_str(w->g, n, "activation", l->activation);
    if (strcmp(l->activation, "Clip") == 0) {
        uc_node_float(w->g, n, "alpha", 0);
        uc_node_float(w->g, n, "beta", 6);
    }
    return uc_node_out(n, 0);
}

static void run(world *w, uc_ref y, const float *x, const int64_t *x_shape, const float *r,
                const int64_t *r_shape, int threads, float *out, int64_t count)
{
    uc_program *program = NULL;
    uc_runner *runner = NULL;
    uncork_pool *pool = NULL;
    uc_value values[2] = {{.kind = UC_TENSOR}, {.kind = UC_TENSOR}};
    const uc_value *inputs[] = {&values[0], &values[1]};
    uc_tensor_set(&values[0].tensor, UNCORK_FLOAT32, 4, x_shape);
    values[0].tensor.data = (void *)(uintptr_t)x;
    if (r) {
        uc_tensor_set(&values[1].tensor, UNCORK_FLOAT32, 4, r_shape);
        values[1].tensor.data = (void *)(uintptr_t)r;
    }
    uc_graph_output(w->g, "y", y);
    CHECK_OK(uc_graph_finish(w->g), &w->error);
    CHECK_OK(uc_program_new(w->g, w->arena, &w->budget, &program, &w->error), &w->error);
    CHECK_INT(uc_pool_new(threads, &pool), UNCORK_OK);
    CHECK_OK(uc_runner_new(program, pool, &runner), &w->error);
    CHECK_OK(uc_runner_run(runner, inputs, r ? 2 : 1, &w->budget, &w->error), &w->error);
    const uc_tensor *t = &uc_runner_output(runner, 0)->tensor;
    CHECK_INT(uc_tensor_count(t), count);
    memcpy(out, t->data, (size_t)count * sizeof *out);
    uc_runner_free(runner);
    uc_pool_free(pool);
}

/* y [n, oc, oh, ow] of the layer by the engine. */
static void by_engine(const layer *l, const float *x, const float *w, const float *b,
                      const float *r, int threads, float *y)
{
    world s;
    begin(&s);
    const int64_t x_shape[] = {l->n, l->ic, l->ih, l->iw};
    const int64_t w_shape[] = {l->oc, l->depthwise ? 1 : l->ic, l->kh, l->kw};
    const int64_t r_shape[] = {l->n, l->oc, oh_of(l), ow_of(l)};
    uc_ref in[4] = {0, 0, 0, 0};
    in[0] = uc_graph_input(s.g, "x", UNCORK_FLOAT32, 4, x_shape);
    if (!l->plain) in[0] = blocked(&s, in[0], l->block);
    in[1] = constant(&s, w, 4, w_shape);
    if (l->bias) in[2] = constant(&s, b, 1, w_shape);
    if (l->residual) {
        in[3] = blocked(&s, uc_graph_input(s.g, "r", UNCORK_FLOAT32, 4, r_shape), l->block);
    }
    uc_ref out = unblocked(&s, conv_node(&s, l, in), l->oc, l->block);
    run(&s, out, x, x_shape, l->residual ? r : NULL, r_shape, threads, y,
        l->n * l->oc * oh_of(l) * ow_of(l));
    uc_arena_free(s.arena);
}

static void check_layer(const layer *l)
{
    const int64_t oh = oh_of(l), ow = ow_of(l), count = l->n * l->oc * oh * ow;
    float *x = reals(l->n * l->ic * l->ih * l->iw, 2);
    float *w = reals(l->oc * (l->depthwise ? 1 : l->ic) * l->kh * l->kw, 1);
    float *b = reals(l->oc, 1), *r = reals(count, 1), *y = reals(count, 0),
          *again = reals(count, 0);
    by_engine(l, x, w, b, r, 1, y);
    for (int64_t i = 0; i < count; i++) {
        const sums s =
            convolved(l, x, w, b, r, i / ow / oh / l->oc, i / ow / oh % l->oc, i / ow % oh, i % ow);
        const double want = activated(l->activation, s.value);
        const double bound = 1e-5 * s.magnitude + 2e-6 * fmax(1, fabs(want));
        if (fabs((double)y[i] - want) <= bound) continue;
        fail_msg(
            "%g, not %g at %lld of %lldx%lldx%lldx%lld: ic %lld oc %lld kernel %lldx%lld stride "
            "%lldx%lld dilation %lldx%lld pads %lld %lld %lld %lld block %lld%s%s %s",
            (double)y[i], want, (long long)i, (long long)l->n, (long long)l->oc, (long long)oh,
            (long long)ow, (long long)l->ic, (long long)l->oc, (long long)l->kh, (long long)l->kw,
            (long long)l->sh, (long long)l->sw, (long long)l->dh, (long long)l->dw,
            (long long)l->pad[0], (long long)l->pad[1], (long long)l->pad[2], (long long)l->pad[3],
            (long long)l->block, l->depthwise ? " depthwise" : "", l->plain ? " plain" : "",
            l->activation);
    }
    by_engine(l, x, w, b, r, 3, again);
    CHECK_BYTES(again, y, (size_t)count * sizeof *y);
    free(x);
    free(w);
    free(b);
    free(r);
    free(y);
    free(again);
}

static const int64_t blocks[] = {16, 8, 4, 5};

static layer random_layer(int64_t block)
{
    static const char *const acts[] = {"",          "Relu",     "Clip",  "LeakyRelu", "HardSigmoid",
                                       "HardSwish", "Sigmoid",  "Swish", "Tanh",      "Elu",
                                       "Gelu",      "GeluTanh", "Mish"};
    layer l = {.n = between(1, 3), .block = block, .activation = acts[between(0, 12)]};
    for (;;) {
        l.depthwise = between(0, 3) == 0;
        l.plain = !l.depthwise && between(0, 5) == 0;
        l.ic = l.plain ? between(1, 4) : between(1, 70);
        l.oc = l.depthwise ? l.ic : between(1, 70);
        l.kh = between(1, 5);
        l.kw = between(0, 2) ? l.kh : between(1, 7);
        l.sh = between(1, 3);
        l.sw = between(0, 3) ? l.sh : between(1, 3);
        l.dh = between(0, 2) ? 1 : between(1, 3);
        l.dw = between(0, 3) ? l.dh : between(1, 3);
        l.ih = between(1, 30);
        l.iw = between(1, 33);
        for (int i = 0; i < 4; i++) {
            l.pad[i] = between(0, 1) ? l.kh / 2 : between(0, 3);
        }
        l.bias = between(0, 3) > 0;
        l.residual = between(0, 2) == 0;
        const bool fits = l.ih + l.pad[0] + l.pad[2] >= (l.kh - 1) * l.dh + 1 &&
                          l.iw + l.pad[1] + l.pad[3] >= (l.kw - 1) * l.dw + 1;
        if (fits) return l;
    }
}

static void convolution_of_any_geometry_is_right_on_every_row(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        const int rounds = uc_conv_row_for(blocks[i])->block ? 160 : 30;
        for (int k = 0; k < rounds; k++) {
            const layer l = random_layer(blocks[i]);
            check_layer(&l);
        }
    }
}

/* The shapes that networks have, narrowed in channels where only their remainder matters. */
static void layers_of_known_networks_are_right(void **unused)
{
    (void)unused;
    static const layer layers[] = {
        {1, 3, 64, 64, 62, 7, 7, 2, 2, 1, 1, {3, 3, 3, 3}, 0, .plain = true, .activation = "Relu"},
        {1, 3, 32, 64, 64, 3, 3, 2, 2, 1, 1, {0, 0, 1, 1}, 0, .plain = true, .activation = "Clip"},
        {1, 1, 32, 28, 28, 3, 3, 1, 1, 1, 1, {0}, 0, .plain = true, .activation = "Relu"},
        {1, 64, 64, 56, 56, 3, 3, 1, 1, 1, 1, {1, 1, 1, 1}, 0, .activation = "Relu"},
        {1, 128, 48, 14, 14, 3, 3, 1, 1, 1, 1, {1, 1, 1, 1}, 0, .activation = "Relu"},
        {2, 64, 96, 7, 7, 3, 3, 1, 1, 1, 1, {1, 1, 1, 1}, 0, .activation = "Relu"},
        {1, 128, 64, 28, 28, 3, 3, 2, 2, 1, 1, {1, 1, 1, 1}, 0, .activation = "Relu"},
        {1, 256, 128, 28, 28, 1, 1, 2, 2, 1, 1, {0}, 0, .activation = ""},
        {2,
         96,
         24,
         56,
         56,
         1,
         1,
         1,
         1,
         1,
         1,
         {0},
         0,
         .bias = true,
         .residual = true,
         .activation = ""},
        {1, 24, 144, 28, 28, 1, 1, 1, 1, 1, 1, {0}, 0, .bias = true, .activation = "Swish"},
        {2, 48, 1152, 1, 1, 1, 1, 1, 1, 1, 1, {0}, 0, .bias = true, .activation = "Sigmoid"},
        {2, 1152, 48, 1, 1, 1, 1, 1, 1, 1, 1, {0}, 0, .bias = true, .activation = "Swish"},
        {1,
         144,
         144,
         56,
         56,
         3,
         3,
         2,
         2,
         1,
         1,
         {0, 0, 1, 1},
         0,
         .depthwise = true,
         .bias = true,
         .activation = "Clip"},
        {1,
         240,
         240,
         14,
         14,
         5,
         5,
         1,
         1,
         1,
         1,
         {2, 2, 2, 2},
         0,
         .depthwise = true,
         .bias = true,
         .activation = "Swish"},
        {1,
         96,
         96,
         7,
         7,
         5,
         5,
         1,
         1,
         1,
         1,
         {2, 2, 2, 2},
         0,
         .depthwise = true,
         .activation = "Swish"},
        {1, 40, 40, 28, 28, 5, 5, 2, 2, 1, 1, {1, 1, 2, 2}, 0, .depthwise = true, .activation = ""},
        {1, 64, 21, 33, 33, 3, 3, 1, 1, 6, 6, {6, 6, 6, 6}, 0, .activation = "Relu"},
        {1, 48, 48, 17, 17, 1, 7, 1, 1, 1, 1, {0, 3, 0, 3}, 0, .activation = "Relu"},
    };
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        for (size_t k = 0; k < 2; k++) {
            layer l = layers[i];
            l.block = blocks[k];
            check_layer(&l);
        }
    }
}

static void an_image_gives_the_same_bits_anywhere_in_a_batch(void **unused)
{
    (void)unused;
    for (int k = 0; k < 60; k++) {
        layer l = random_layer(blocks[k % 2]), one = l;
        l.n = 3;
        l.residual = one.residual = false;
        one.n = 1;
        const int64_t size = l.ic * l.ih * l.iw, out = l.oc * oh_of(&l) * ow_of(&l);
        float *x = reals(3 * size, 1), *b = reals(l.oc, 1), *y = reals(3 * out, 0);
        float *w = reals(l.oc * l.ic * l.kh * l.kw, 1), *single = reals(out, 0);
        by_engine(&l, x, w, b, NULL, 2, y);
        for (int i = 0; i < 3; i++) {
            by_engine(&one, x + i * size, w, b, NULL, 1, single);
            CHECK_BYTES(single, y + i * out, (size_t)out * sizeof *y);
        }
        free(x);
        free(b);
        free(y);
        free(w);
        free(single);
    }
}

/* ---- pooling -------------------------------------------------------------------------------- */

static double pooled(const layer *l, const float *x, bool average, bool count_pads, int64_t oh,
                     int64_t ow)
{
    double sum = 0, most = -INFINITY;
    int64_t count = 0;
    for (int64_t t = 0; t < l->kh * l->kw; t++) {
        const int64_t h = oh * l->sh + t / l->kw * l->dh - l->pad[0];
        const int64_t w = ow * l->sw + t % l->kw * l->dw - l->pad[1];
        const bool inside = h >= 0 && h < l->ih && w >= 0 && w < l->iw;
        if (inside || (count_pads && h < l->ih + l->pad[2] && w < l->iw + l->pad[3])) count++;
        if (!inside) continue;
        sum += (double)x[h * l->iw + w];
        most = fmax(most, (double)x[h * l->iw + w]);
    }
    return average ? (count ? sum / (double)count : 0) : most;
}

static void check_pool(const layer *l, bool average, bool count_pads)
{
    world s;
    begin(&s);
    const int64_t x_shape[] = {l->n, l->ic, l->ih, l->iw}, oh = oh_of(l), ow = ow_of(l);
    const int64_t kernel[] = {l->kh, l->kw}, strides[] = {l->sh, l->sw},
                  dilations[] = {l->dh, l->dw};
    const int64_t count = l->n * l->ic * oh * ow;
    float *x = reals(l->n * l->ic * l->ih * l->iw, 3), *y = reals(count, 0);
    uc_ref in = blocked(&s, uc_graph_input(s.g, "x", UNCORK_FLOAT32, 4, x_shape), l->block);
    uc_node *n = uc_graph_node(s.g, "uncork.BlockPool", &in, 1, 1);
    uc_node_int(s.g, n, "block", l->block);
    uc_node_str(s.g, n, "kind", average ? "average" : "max");
    uc_node_ints(s.g, n, "kernel_shape", kernel, 2);
    uc_node_ints(s.g, n, "strides", strides, 2);
    uc_node_ints(s.g, n, "dilations", dilations, 2);
    uc_node_ints(s.g, n, "pads", l->pad, 4);
    uc_node_int(s.g, n, "count_include_pad", count_pads);
    uc_ref out = unblocked(&s, uc_node_out(n, 0), l->ic, l->block);
    run(&s, out, x, x_shape, NULL, NULL, 2, y, count);
    for (int64_t i = 0; i < count; i++) {
        const float *image = x + i / (oh * ow) * l->ih * l->iw;
        const double want = pooled(l, image, average, count_pads, i / ow % oh, i % ow);
        if ((double)y[i] == want || fabs((double)y[i] - want) <= 1e-6 * 3 * 4) continue;
        fail_msg("%g, not %g at %lld", (double)y[i], want, (long long)i);
    }
    free(x);
    free(y);
    uc_arena_free(s.arena);
}

static void pooling_of_any_geometry_is_right(void **unused)
{
    (void)unused;
    for (int k = 0; k < 120; k++) {
        layer l = random_layer(blocks[k % 4]);
        check_pool(&l, k % 3 != 0, k % 2);
    }
}

/* ---- inverted residuals --------------------------------------------------------------------- */

/* Against the same three layers one by one, which were held to float64 above: the very same bits. */
static void check_chain(int64_t ic, int64_t middle, int64_t oc, int64_t size, int64_t k,
                        int64_t stride, int64_t block, bool expand, bool project, int64_t batch)
{
    world s[2];
    const int64_t out = out_size(size, k, stride, 1, k / 2, k / 2), last = project ? oc : middle;
    const int64_t x_shape[] = {batch, ic, size, size + 3},
                  count = batch * last * out * out_size(size + 3, k, stride, 1, k / 2, k / 2);
    const int64_t w1_shape[] = {middle, ic, 1, 1}, wd_shape[] = {middle, 1, k, k},
                  w2_shape[] = {oc, middle, 1, 1};
    const int64_t strides[] = {stride, stride}, pads[] = {k / 2, k / 2, k / 2, k / 2};
    float *x = reals(batch * ic * size * (size + 3), 1), *w1 = reals(middle * ic, 1),
          *wd = reals(middle * k * k, 1);
    float *w2 = reals(oc * middle, 1), *b = reals(middle + oc, 1), *y[2];
    for (int way = 0; way < 3; way++) {
        world *w = &s[way > 0];
        begin(w);
        uc_ref in[8] = {0};
        uc_ref one[4] = {0};
        in[0] = blocked(w, uc_graph_input(w->g, "x", UNCORK_FLOAT32, 4, x_shape), block);
        in[1] = constant(w, wd, 4, wd_shape);
        in[2] = constant(w, b, 1, wd_shape);
        if (expand) in[3] = constant(w, w1, 4, w1_shape);
        if (expand) in[4] = constant(w, b, 1, wd_shape);
        if (project) in[5] = constant(w, w2, 4, w2_shape);
        if (project) in[6] = constant(w, b, 1, w2_shape);
        if (project && ic == oc && stride == 1) in[7] = in[0];
        layer l = {.ic = ic,
                   .oc = middle,
                   .kh = 1,
                   .kw = 1,
                   .sh = 1,
                   .sw = 1,
                   .dh = 1,
                   .dw = 1,
                   .block = block,
                   .activation = "Clip"};
        uc_ref v = in[0];
        if (way == 0) {
            one[0] = v;
            one[1] = in[3];
            one[2] = in[4];
            if (expand) v = conv_node(w, &l, one);
            l.ic = l.oc = middle;
            l.kh = l.kw = k;
            l.sh = l.sw = stride;
            memcpy(l.pad, pads, sizeof pads);
            l.depthwise = true;
            l.activation = "Swish";
            one[0] = v;
            one[1] = in[1];
            one[2] = in[2];
            v = conv_node(w, &l, one);
            l = (layer){.ic = middle,
                        .oc = oc,
                        .kh = 1,
                        .kw = 1,
                        .sh = 1,
                        .sw = 1,
                        .dh = 1,
                        .dw = 1,
                        .block = block,
                        .activation = ""};
            one[0] = v;
            one[1] = in[5];
            one[2] = in[6];
            one[3] = in[7];
            if (project) v = conv_node(w, &l, one);
        } else {
            uc_node *n = uc_graph_node(w->g, "uncork.BlockInvertedResidual", in, 8, 1);
            uc_node_int(w->g, n, "block", block);
            uc_node_int(w->g, n, "channels", ic);
            uc_node_ints(w->g, n, "strides", strides, 2);
            uc_node_ints(w->g, n, "pads", pads, 4);
            uc_node_str(w->g, n, "expand_activation", "Clip");
            uc_node_float(w->g, n, "expand_alpha", 0);
            uc_node_float(w->g, n, "expand_beta", 6);
            uc_node_str(w->g, n, "spatial_activation", "Swish");
            v = uc_node_out(n, 0);
        }
        y[way > 0] = reals(count, 0);
        run(w, unblocked(w, v, last, block), x, x_shape, NULL, NULL, way == 2 ? 3 : 1, y[way > 0],
            count);
        if (way > 0) {
            CHECK_BYTES(y[1], y[0], (size_t)count * sizeof **y);
            free(y[1]);
        }
        uc_arena_free(w->arena);
    }
    free(y[0]);
    free(x);
    free(w1);
    free(wd);
    free(w2);
    free(b);
}

static void an_inverted_residual_has_the_bits_of_its_layers(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < 3; i++) {
        const int64_t b = blocks[i], size = i < 2 ? 112 : 20;
        check_chain(16, 96, 24, size, 3, 2, b, true, true, 1);
        check_chain(24, 144, 24, size / 2, 3, 1, b, true, true, 2);
        check_chain(24, 150, 40, size / 2, 5, 2, b, true, false, 1);
        check_chain(40, 200, 40, size / 2 - 7, 5, 1, b, true, true, 1);
        check_chain(96, 96, 16, size, 3, 1, b, false, true, 1);
        check_chain(8, 33, 8, 9, 3, 1, b, true, true, 1);
    }
}

/* ---- refusals ------------------------------------------------------------------------------- */

static void refuse(layer l, int64_t group, const char *what)
{
    world s;
    begin(&s);
    const int64_t x_shape[] = {1, l.ic, l.ih, l.iw}, w_shape[] = {l.oc, l.ic / group, l.kh, l.kw};
    float *w = reals(l.oc * l.ic * l.kh * l.kw, 1);
    uc_ref in[4] = {0, 0, 0, 0};
    in[0] = blocked(&s, uc_graph_input(s.g, "x", UNCORK_FLOAT32, 4, x_shape), 8);
    in[1] = constant(&s, w, 4, w_shape);
    uc_node *n = uc_graph_node(s.g, "uncork.BlockConv", in, 2, 1);
    uc_node_int(s.g, n, "block", l.block);
    uc_node_int(s.g, n, "channels", l.ic);
    uc_node_int(s.g, n, "group", group);
    uc_node_str(s.g, n, "activation", l.activation);
    uc_graph_output(s.g, "y", uc_node_out(n, 0));
    assert_int_not_equal(uc_graph_finish(s.g), UNCORK_OK);
    if (!strstr(s.error.what, what)) fail_msg("%s", s.error.what);
    uc_arena_free(s.arena);
    free(w);
}

static void a_layer_that_cannot_be_is_refused_in_one_line(void **unused)
{
    const layer good = {1, 16, 16, 4, 4, 3, 3, 1, 1, 1, 1, {0}, 8, .activation = ""};
    layer bad = good;
    (void)unused;
    bad.block = 16;
    refuse(bad, 1, "not [n, c, h, w, 16]");
    bad.block = 0;
    refuse(bad, 1, "block is 0, it can be 1 to 64");
    bad = good;
    bad.kh = 9;
    refuse(bad, 1, "a window of 9 pixels over 4 with 0 of padding");
    refuse(good, 4, "4 groups of 16 to 16 channels");
    bad = good;
    bad.activation = "Sinus";
    refuse(bad, 1, "no activation is called Sinus");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_of_any_geometry_is_right_on_every_row),
        cmocka_unit_test(layers_of_known_networks_are_right),
        cmocka_unit_test(an_image_gives_the_same_bits_anywhere_in_a_batch),
        cmocka_unit_test(pooling_of_any_geometry_is_right),
        cmocka_unit_test(an_inverted_residual_has_the_bits_of_its_layers),
        cmocka_unit_test(a_layer_that_cannot_be_is_refused_in_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
