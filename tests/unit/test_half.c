/* --precision fast: each kernel against the same sums in plain C, the pass against the exact graph.
 * Where the machine has no instructions for bfloat16, the pass must change nothing. */
#include "base/dtype.h"
#include "check.h"
#include "kernel/dot_tile.h"
#include "kernel/half.h"
#include "pass/pass.h"
#include "plan/plan.h"

#include <math.h>

static uint32_t seed = 7;

static float random_in(double low, double high)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(low + (high - low) * (seed >> 8) / (1 << 24));
}

/* Rounded numbers and their values. */
static void fill_half(uint16_t *to, float *same, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        to[i] = uc_f32_to_bf16(random_in(-2, 2));
        same[i] = uc_bf16_to_f32(to[i]);
    }
}

/* Half a unit of bfloat16's last place, and what the activations may be away. */
static void check_near(uint16_t got, double want)
{
    const double bound = fabs(want) * 0x1p-8 + 1e-3;
    CHECK(fabs((double)uc_bf16_to_f32(got) - want) <= bound);
}

/* ---- kernels ------------------------------------------------------------------------------ */

static void tiles_get_bias_residual_and_activation(void **state)
{
    (void)state;
    const uc_half *half = uc_half_kernels();
    static const uc_act acts[] = {{UC_ACT_NONE, 0, 0},    {UC_ACT_RELU, 0, 0},
                                  {UC_ACT_CLIP, 0, 1},    {UC_ACT_SWISH, 1, 0},
                                  {UC_ACT_SIGMOID, 0, 0}, {UC_ACT_GELU, 0, 0},
                                  {UC_ACT_TANH, 0, 0},    {UC_ACT_HARD_SWISH, 0, 0}};
    enum { OC = 45, PIXELS = 40 };
    static float sums[UC_DOT_PIXELS * UC_DOT_CHANNELS] __attribute__((aligned(64)));
    float bias[64], r_value[PIXELS * OC], floats[PIXELS * OC];
    uint16_t r[PIXELS * OC], y[PIXELS * OC];
    int64_t at[UC_DOT_PIXELS];
    if (!half) return;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        sums[i] = random_in(-9, 9);
    for (int i = 0; i < 64; i++)
        bias[i] = random_in(-1, 1);
    fill_half(r, r_value, PIXELS * OC);
    for (int p = 0; p < UC_DOT_PIXELS; p++)
        at[p] = p % 5 == 4 ? -1 : p + 3;
    for (size_t a = 0; a < sizeof acts / sizeof *acts; a++) {
        memset(y, 0, sizeof y);
        uc_half_tile t = {.bias = bias, .act = acts[a], .r = r, .y = y, .oc = OC};
        half->finish(&t, sums, at, 32, OC - 32);
        t = (uc_half_tile){
            .bias = bias, .act = acts[a], .float_r = r_value, .float_y = floats, .oc = OC};
        half->finish(&t, sums, at, 32, OC - 32);
        for (int p = 0; p < UC_DOT_PIXELS; p++) {
            for (int c = 32; c < OC && at[p] >= 0; c++) {
                const int64_t i = at[p] * OC + c;
                const float v = sums[p * UC_DOT_CHANNELS + c - 32] + bias[c] + r_value[i];
                check_near(y[i], (double)uc_act_scalar(acts[a], v));
                CHECK(fabsf(floats[i] - uc_act_scalar(acts[a], v)) <= 2e-3f);
            }
        }
        CHECK_INT(y[0], 0); /* no pixel of the tile */
    }
}

static void check_depthwise(const uc_half *half, uc_half_depthwise d, int64_t oh)
{
    enum { MOST = 40000 };
    static uint16_t x[MOST], y[MOST];
    static float value[MOST], w[64 * 49], b[64], packed[64 * 50];
    const int64_t taps = d.kh * d.kw;
    fill_half(x, value, d.ih * d.iw * d.c);
    for (int64_t i = 0; i < d.c * taps; i++)
        w[i] = random_in(-1, 1);
    for (int64_t i = 0; i < d.c; i++)
        b[i] = random_in(-1, 1);
    memset(packed, 0, sizeof packed);
    uc_half_pack_depthwise(w, b, d.c, taps, packed);
    d.x = x;
    d.packed = packed;
    for (int64_t oy = 0; oy < oh; oy++) {
        half->depthwise(&d, oy, y);
        for (int64_t i = 0; i < d.ow * d.c; i++) {
            const int64_t ox = i / d.c, c = i % d.c;
            float sum = b[c];
            for (int64_t t = 0; t < taps; t++) {
                const int64_t iy = oy * d.stride_h - d.pad_top + t / d.kw * d.dilation_h;
                const int64_t ix = ox * d.stride_w - d.pad_left + t % d.kw * d.dilation_w;
                if (iy < 0 || iy >= d.ih || ix < 0 || ix >= d.iw) continue;
                sum = fmaf(value[(iy * d.iw + ix) * d.c + c], w[c * taps + t], sum);
            }
            check_near(y[i], (double)uc_act_scalar(d.act, sum));
        }
    }
}

static void depthwise_rows_are_those_of_plain_loops(void **state)
{
    (void)state;
    const uc_half *half = uc_half_kernels();
    if (!half) return;
    for (int64_t k = 1; k <= 7; k++) {
        for (int64_t stride = 1; stride <= 3; stride++) {
            for (int64_t dilation = 1; dilation <= 2; dilation++) {
                const int64_t pad = k / 2, reach = (k - 1) * dilation + 1, size = 19;
                const int64_t out = (size + 2 * pad - reach) / stride + 1;
                uc_half_depthwise d = {.ih = size,
                                       .iw = size,
                                       .c = 40,
                                       .ow = out,
                                       .kh = k,
                                       .kw = k,
                                       .stride_h = stride,
                                       .stride_w = stride,
                                       .dilation_h = dilation,
                                       .dilation_w = dilation,
                                       .pad_top = pad,
                                       .pad_left = pad,
                                       .act = {k % 2 ? UC_ACT_SWISH : UC_ACT_RELU, 1, 0}};
                check_depthwise(half, d, out);
            }
        }
    }
}

static void pools_are_those_of_plain_loops(void **state)
{
    (void)state;
    enum { H = 6, W = 7, C = 37, OH = 3, OW = 4 };
    const uc_half *half = uc_half_kernels();
    uint16_t x[H * W * C], y[OW * C];
    float value[H * W * C];
    if (!half) return;
    fill_half(x, value, H * W * C);
    for (int kind = 0; kind < 3; kind++) {
        const uc_half_pool p = {x, H, W, C, OW, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, kind > 0, kind > 1};
        for (int oy = 0; oy < OH; oy++) {
            half->pool(&p, oy, y);
            for (int i = 0; i < OW * C; i++) {
                double most = -INFINITY, sum = 0;
                int count = 0;
                for (int t = 0; t < 9; t++) {
                    const int iy = oy * 2 - 1 + t / 3, ix = i / C * 2 - 1 + t % 3;
                    if (iy < 0 || iy >= H || ix < 0 || ix >= W) continue;
                    const double v = (double)value[(iy * W + ix) * C + i % C];
                    most = fmax(most, v);
                    sum += v;
                    count++;
                }
                check_near(y[i], kind == 0 ? most : sum / (kind == 2 ? 9 : count));
            }
        }
    }
    half->mean(x, H * W, C, 32, y);
    double sum = 0;
    for (int i = 0; i < H * W; i++)
        sum += (double)value[i * C + 31];
    check_near(y[31], sum / (H * W));
}

static void numbers_combine_and_change_their_type(void **state)
{
    (void)state;
    enum { N = 71, PLANE = 23 };
    const uc_half *half = uc_half_kernels();
    uint16_t a[N], b[N], y[N], pixels[PLANE * 4];
    float av[N], bv[N], back[N], planes[3 * PLANE];
    if (!half) return;
    fill_half(a, av, N);
    fill_half(b, bv, N);
    half->combine(UC_HALF_MUL, (uc_act){UC_ACT_SIGMOID, 0, 0}, a, b, y, N);
    for (int i = 0; i < N; i++)
        check_near(y[i], 1 / (1 + exp(-(double)av[i] * (double)bv[i])));
    half->combine(UC_HALF_ADD, (uc_act){UC_ACT_RELU, 0, 0}, a, b, y, N);
    for (int i = 0; i < N; i++)
        check_near(y[i], fmax(0, (double)av[i] + (double)bv[i]));
    half->round(av, y, N);
    half->widen(a, back, N);
    for (int i = 0; i < N; i++) {
        CHECK_INT(y[i], a[i]);
        CHECK(back[i] == av[i]);
    }
    for (int i = 0; i < 3 * PLANE; i++)
        planes[i] = random_in(-1, 1);
    half->pixels(planes, PLANE, 3, pixels, PLANE);
    for (int i = 0; i < 4 * PLANE; i++) {
        const float v = i % 4 < 3 ? planes[i % 4 * PLANE + i / 4] : 0;
        CHECK_INT(pixels[i], uc_f32_to_bf16(v));
    }
}

/* ---- the pass ----------------------------------------------------------------------------- */

typedef struct world {
    uc_arena *arena;
    uncork_error error;
    uc_graph *g;
} world;

static uc_ref constant(world *w, int rank, const int64_t *shape, double size)
{
    uc_tensor *t = uc_tensor_new(w->arena, UNCORK_FLOAT32, rank, shape);
    for (int64_t i = 0; i < uc_tensor_count(t); i++)
        ((float *)t->data)[i] = random_in(-size, size);
    return uc_graph_const(w->g, t);
}

/* Weights of the size that keeps what flows through. */
static uc_ref conv(world *w, uc_ref x, int64_t out, int64_t in, int64_t k, int64_t stride,
                   int64_t group)
{
    const int64_t shape[] = {out, in / group, k, k}, pads[] = {k / 2, k / 2, k / 2, k / 2};
    const double size = sqrt(3.0 / (double)(in / group * k * k));
    const uc_ref refs[] = {x, constant(w, 4, shape, size), constant(w, 1, &out, 0.1)};
    uc_node *node = uc_graph_node(w->g, "Conv", refs, 3, 1);
    uc_node_ints(w->g, node, "pads", pads, 4);
    uc_node_ints(w->g, node, "strides", (int64_t[]){stride, stride}, 2);
    uc_node_int(w->g, node, "group", group);
    return uc_node_out(node, 0);
}

static uc_ref swish(world *w, uc_ref x) { return uc_g2(w->g, "Mul", x, uc_g1(w->g, "Sigmoid", x)); }

/* A picture through what EfficientNet is made of, and two products. */
static void make_network(world *w)
{
    *w = (world){.arena = uc_arena_new(NULL)};
    uc_error_init(&w->error);
    w->g = uc_graph_new(w->arena, NULL, &w->error);
    uc_graph *g = w->g;
    uc_ref y = uc_graph_input(g, "x", UNCORK_FLOAT32, 4, (int64_t[]){-2, 3, 33, 37});
    uc_ref stem = y = swish(w, conv(w, y, 24, 3, 3, 2, 1));
    y = swish(w, conv(w, y, 72, 24, 1, 1, 1));
    y = swish(w, conv(w, y, 72, 72, 5, 1, 72));
    uc_ref gate = uc_g1(g, "Relu", conv(w, uc_g1(g, "GlobalAveragePool", y), 6, 72, 1, 1, 1));
    y = uc_g2(g, "Mul", y, uc_g1(g, "Sigmoid", conv(w, gate, 72, 6, 1, 1, 1)));
    y = uc_g2(g, "Add", conv(w, y, 24, 72, 1, 1, 1), stem);
    const uc_ref both[] = {y, conv(w, y, 40, 24, 3, 1, 1)};
    uc_node *concat = uc_graph_node(g, "Concat", both, 2, 1);
    uc_node_int(g, concat, "axis", 1);
    const uc_ref joined = uc_node_out(concat, 0);
    uc_node *pool = uc_graph_node(g, "MaxPool", &joined, 1, 1);
    uc_node_ints(g, pool, "kernel_shape", (int64_t[]){3, 3}, 2);
    uc_node_ints(g, pool, "strides", (int64_t[]){2, 2}, 2);
    y = uc_g1(g, "Relu", conv(w, uc_node_out(pool, 0), 160, 64, 3, 2, 1));
    y = uc_g1(g, "Flatten", uc_g1(g, "GlobalAveragePool", y));
    y = uc_g2(g, "MatMul", y, constant(w, 2, (int64_t[]){160, 50}, 0.2));
    y = uc_g1(g, "Relu", uc_g2(g, "Add", y, constant(w, 1, (int64_t[]){50}, 0.1)));
    y = uc_g2(g, "MatMul", y, constant(w, 2, (int64_t[]){50, 10}, 0.2));
    uc_graph_output(g, "y", y);
    CHECK_OK(uc_graph_finish(g), &w->error);
}

static const float *run(world *w, const uc_graph *g, const uc_tensor *x, uncork_pool *pool)
{
    uc_program *program = NULL;
    uc_runner *runner = NULL;
    uc_value in = {.kind = UC_TENSOR, .tensor = *x};
    const uc_value *inputs[] = {&in};
    CHECK_OK(uc_program_new(g, w->arena, NULL, &program, &w->error), &w->error);
    CHECK_OK(uc_runner_new(program, pool, &runner), &w->error);
    CHECK_OK(uc_runner_run(runner, inputs, 1, NULL, &w->error), &w->error);
    const uc_tensor *y = &uc_runner_output(runner, 0)->tensor;
    float *own = UC_NEW(w->arena, float, (size_t)uc_tensor_count(y));
    memcpy(own, y->data, (size_t)uc_tensor_count(y) * sizeof *own);
    uc_runner_free(runner);
    return own;
}

static int count(const uc_graph *g, const char *name)
{
    int n = 0;
    for (size_t i = 0; i < g->node_count; i++)
        n += strcmp(g->nodes[i].op->name, name) == 0;
    return n;
}

/* The bound: outputs move by at most 3 % of the largest of them. */
static void fast_moves_outputs_little(void **state)
{
    (void)state;
    enum { BATCH = 3, OUT = 10 };
    world w;
    uc_graph *exact = NULL, *fast = NULL;
    uncork_pool *pool = NULL;
    make_network(&w);
    CHECK_OK(uc_pass_run_all(w.g, NULL, false, &w.error, &exact), &w.error);
    CHECK_OK(uc_pass_run_all(w.g, NULL, true, &w.error, &fast), &w.error);
    CHECK_INT(uncork_pool_new(2, &pool), UNCORK_OK);
    const bool has = uc_half_kernels() != NULL;
    CHECK_INT(count(exact, "HalfConv"), 0);
    CHECK_INT(count(fast, "HalfConv"), has ? 8 : 0);
    CHECK_INT(count(fast, "HalfGemm"), has ? 2 : 0);
    CHECK_INT(count(fast, "FromHalf"), has ? 1 : 0);
    CHECK_INT(count(fast, "ToHalf"), 0);
    uc_tensor *x = uc_tensor_new(w.arena, UNCORK_FLOAT32, 4, (int64_t[]){BATCH, 3, 33, 37});
    for (int64_t i = 0; i < uc_tensor_count(x); i++)
        ((float *)x->data)[i] = random_in(-2, 2);
    const float *before = run(&w, exact, x, NULL), *after = run(&w, fast, x, NULL);
    float most = 0, worst = 0;
    for (int i = 0; i < BATCH * OUT; i++) {
        most = fmaxf(most, fabsf(before[i]));
        worst = fmaxf(worst, fabsf(after[i] - before[i]));
    }
    if (!has) CHECK(worst == 0);
    CHECK(worst <= 0.03f * most);
    const float *threads = run(&w, fast, x, pool);
    CHECK(memcmp(threads, after, BATCH * OUT * sizeof *after) == 0);
    uc_tensor last = *x; /* the last picture alone */
    last.shape[0] = 1;
    last.data = (float *)x->data + 2 * 3 * 33 * 37;
    const float *alone = run(&w, fast, &last, pool);
    CHECK(memcmp(alone, after + 2 * OUT, OUT * sizeof *after) == 0);
    uncork_pool_free(pool);
    uc_arena_free(w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_get_bias_residual_and_activation),
        cmocka_unit_test(depthwise_rows_are_those_of_plain_loops),
        cmocka_unit_test(pools_are_those_of_plain_loops),
        cmocka_unit_test(numbers_combine_and_change_their_type),
        cmocka_unit_test(fast_moves_outputs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
