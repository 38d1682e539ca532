/* Passes over networks: what a pattern becomes, and that it still computes the same. Every pass runs
 * alone, over graphs as exporters write them; outputs are those of the graph without passes, within a
 * bound that is stated. */
#include "fuse_world.h"

/* ---- folding ------------------------------------------------------------------------------ */

static void what_depends_on_constants_alone_becomes_one(void **state)
{
    (void)state;
    world w;
    make(&w);
    const int64_t shape[] = {4, 3};
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 2, (int64_t[]){-2, 4});
    uc_ref weights = uc_g2(w.g, "Mul", constant(&w, 2, shape, -1, 1), f32(&w, 2));
    const uc_graph *g = same(&w, uc_g2(w.g, "MatMul", x, weights), all_but("fold_constants"), 0);
    CHECK_INT(g->node_count, 1);
    CHECK(g->values[g->nodes[0].in[1]].constant != NULL);
    done(&w);
}

static void nodes_that_change_nothing_go(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref x = picture(&w, 3, 4, 5), y = uc_g1(w.g, "Identity", x);
    y = uc_g_cast(w.g, y, UNCORK_FLOAT32);
    uc_node *t = uc_graph_node(w.g, "Transpose", &y, 1, 1);
    uc_node_ints(w.g, t, "perm", (int64_t[]){0, 2, 3, 1}, 4);
    y = uc_node_out(t, 0);
    t = uc_graph_node(w.g, "Transpose", &y, 1, 1);
    uc_node_ints(w.g, t, "perm", (int64_t[]){0, 3, 1, 2}, 4);
    y = uc_g1(w.g, "Relu", uc_node_out(t, 0));
    const uc_graph *g = same(&w, uc_g1(w.g, "Sum", y), all_but("drop_identities"), 0);
    CHECK_INT(g->node_count, 1);
    CHECK_STR(g->nodes[0].op->name, "Relu");
    done(&w);
}

static void an_input_handed_back_stays_a_copy(void **state)
{
    (void)state;
    world w;
    make(&w);
    const uc_graph *g = same(&w, uc_g1(w.g, "Identity", picture(&w, 1, 2, 2)), NULL, 0);
    CHECK_INT(g->node_count, 1);
    CHECK(g->outputs[0] != g->inputs[0]);
    done(&w);
}

/* ---- idioms ------------------------------------------------------------------------------- */

static void check_idiom(world *w, uc_ref y, const char *name)
{
    /* A few units in the last place: the parts round, the whole rounds once. */
    const uc_graph *g = same(w, y, all_but("fuse_idioms"), 1e-6);
    CHECK_INT(g->node_count, 1);
    CHECK_STR(g->nodes[0].op->name, name);
    done(w);
}

static void activations_that_exporters_wrote_out_get_their_name(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref x = picture(&w, 2, 3, 4);
    check_idiom(&w, uc_g2(w.g, "Mul", x, uc_g1(w.g, "Sigmoid", x)), "Swish");
    make(&w);
    x = picture(&w, 2, 3, 4);
    uc_ref clip = uc_g3(w.g, "Clip", uc_g2(w.g, "Add", x, f32(&w, 3)), f32(&w, 0), f32(&w, 6));
    check_idiom(&w, uc_g2(w.g, "Div", uc_g2(w.g, "Mul", x, clip), f32(&w, 6)), "HardSwish");
    make(&w);
    x = picture(&w, 2, 3, 4);
    clip = uc_g3(w.g, "Clip", uc_g2(w.g, "Add", f32(&w, 3), x), f32(&w, 0), f32(&w, 6));
    check_idiom(&w, uc_g2(w.g, "Mul", x, uc_g2(w.g, "Div", clip, f32(&w, 6))), "HardSwish");
    make(&w);
    x = picture(&w, 2, 3, 4);
    check_idiom(&w, uc_g2(w.g, "Mul", x, uc_g1(w.g, "Tanh", uc_g1(w.g, "Softplus", x))), "Mish");
}

static void all_three_orders_of_gelu_are_gelu(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        world w;
        make(&w);
        uc_ref x = picture(&w, 2, 3, 4);
        uc_ref erf = uc_g1(w.g, "Erf", uc_g2(w.g, "Div", x, f32(&w, sqrt(2))));
        uc_ref gate = uc_g2(w.g, "Add", erf, f32(&w, 1)), half = f32(&w, 0.5);
        uc_ref y = order == 0   ? uc_g2(w.g, "Mul", uc_g2(w.g, "Mul", x, gate), half)
                   : order == 1 ? uc_g2(w.g, "Mul", uc_g2(w.g, "Mul", x, half), gate)
                                : uc_g2(w.g, "Mul", x, uc_g2(w.g, "Mul", half, gate));
        check_idiom(&w, y, "Gelu");
    }
}

/* ---- what joins a convolution ------------------------------------------------------------- */

static uc_ref batch_norm(world *w, uc_ref x, int64_t c)
{
    const uc_ref in[] = {x, channels(w, c, 0.5, 2), channels(w, c, -1, 1), channels(w, c, -1, 1),
                         channels(w, c, 0.2, 3)};
    return uc_node_out(uc_graph_node(w->g, "BatchNormalization", in, 5, 1), 0);
}

static void a_batch_norm_joins_the_weights_before_it(void **state)
{
    (void)state;
    for (int bias = 0; bias < 2; bias++) {
        world w;
        make(&w);
        uc_ref y = batch_norm(&w, conv(&w, picture(&w, 5, 7, 6), 9, 5, 3, bias), 9);
        const uc_graph *g = same(&w, y, all_but("fuse_batch_norm"), 2e-6);
        CHECK_INT(g->node_count, 1);
        CHECK_STR(g->nodes[0].op->name, "Conv");
        done(&w);
    }
}

static void a_batch_norm_alone_becomes_a_product_and_a_sum(void **state)
{
    (void)state;
    world w;
    make(&w);
    const uc_graph *g =
        same(&w, batch_norm(&w, picture(&w, 5, 7, 6), 5), all_but("fuse_batch_norm"), 1e-6);
    CHECK_INT(g->node_count, 2);
    CHECK_STR(g->nodes[0].op->name, "Mul");
    CHECK_STR(g->nodes[1].op->name, "Add");
    done(&w);
}

static void a_convolution_that_is_read_twice_keeps_its_weights(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref c = conv(&w, picture(&w, 2, 4, 4), 2, 2, 1, true);
    const uc_graph *g =
        same(&w, uc_g2(w.g, "Add", batch_norm(&w, c, 2), c), all_but("fuse_batch_norm"), 1e-6);
    CHECK_INT(count(g, "Conv"), 1);
    CHECK_INT(count(g, "Mul"), 1);
    done(&w);
}

static void sums_and_products_of_channels_join_too(void **state)
{
    (void)state;
    world w;
    make(&w);
    const int64_t shape[] = {9, 1, 1};
    uc_ref y = conv(&w, picture(&w, 5, 7, 6), 9, 5, 3, false);
    y = uc_g2(w.g, "Add", y, constant(&w, 3, shape, -1, 1));
    y = uc_g2(w.g, "Mul", constant(&w, 3, shape, 0.5, 2), y);
    y = uc_g2(w.g, "Div", uc_g2(w.g, "Sub", y, f32(&w, 0.25)), f32(&w, 3));
    const uc_graph *g = same(&w, y, all_but("fuse_batch_norm"), 2e-6);
    CHECK_INT(g->node_count, 1);
    done(&w);
}

static void zeros_around_a_picture_become_pads(void **state)
{
    (void)state;
    world w;
    make(&w);
    const int64_t pads[] = {0, 0, 1, 2, 0, 0, 3, 0};
    uc_ref x = picture(&w, 3, 7, 6);
    x = uc_g2(w.g, "Pad", x, uc_graph_i64s(w.g, pads, 8));
    const uc_graph *g = same(&w, conv(&w, x, 4, 3, 3, true), all_but("fuse_pad"), 0);
    CHECK_INT(g->node_count, 1);
    const uc_attr *a = attr(g, "Conv", "pads");
    CHECK_INT(a->ints[0], 2);
    CHECK_INT(a->ints[1], 3);
    CHECK_INT(a->ints[2], 4);
    CHECK_INT(a->ints[3], 1);
    done(&w);
}

static void residuals_and_activations_join_their_convolution(void **state)
{
    (void)state;
    char disable[1024];
    world w;
    make(&w);
    uc_ref x = picture(&w, 6, 5, 5);
    uc_ref y = uc_g2(w.g, "Add", x, conv(&w, x, 6, 6, 3, true));
    snprintf(disable, sizeof disable, "layout");
    const uc_graph *g = same(&w, uc_g1(w.g, "Relu", y), disable, 1e-6);
    CHECK_INT(g->node_count, 1);
    CHECK_STR(g->nodes[0].op->name, "FusedConv");
    CHECK_INT(g->nodes[0].in_count, 4);
    CHECK_INT(attr(g, "FusedConv", "activation")->s.size, 4);
    done(&w);
}

/* ---- products ----------------------------------------------------------------------------- */

static void a_product_takes_its_bias_residual_and_activation(void **state)
{
    (void)state;
    for (int gelu = 0; gelu < 2; gelu++) {
        world w;
        make(&w);
        uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 3, (int64_t[]){-2, 7, 33});
        uc_ref y = uc_g2(w.g, "MatMul", x, constant(&w, 2, (int64_t[]){33, 33}, -0.3, 0.3));
        y = uc_g2(w.g, "Add", channels(&w, 33, -1, 1), y);
        if (!gelu) y = uc_g2(w.g, "Add", x, y);
        y = uc_g1(w.g, gelu ? "Gelu" : "Relu", y);
        const uc_graph *g = same(&w, y, NULL, 1e-6);
        CHECK_INT(g->node_count, 1);
        CHECK_STR(g->nodes[0].op->name, "FusedGemm");
        CHECK_INT(g->nodes[0].in_count, gelu ? 3 : 4);
        done(&w);
    }
}

/* softmax(x * s @ turned(x) * s / 3 + mask) @ x as torch writes it; keys beyond one panel. */
static uc_ref attention(world *w, uc_ref x, int rank, uc_ref mask)
{
    static const int64_t turn[][4] = {{0, 2, 1}, {0, 1, 3, 2}};
    const int64_t one = 1;
    uc_ref s = constant(w, 1, &one, 0.2, 0.3), turned[] = {x};
    uc_node *transpose = uc_graph_node(w->g, "Transpose", turned, 1, 1);
    uc_node_ints(w->g, transpose, "perm", turn[rank - 3], (size_t)rank);
    uc_ref k = uc_g2(w->g, "Mul", uc_node_out(transpose, 0), s);
    uc_ref y = uc_g2(w->g, "MatMul", uc_g2(w->g, "Mul", x, s), k);
    y = uc_g2(w->g, "Div", y, f32(w, 3));
    if (mask) y = uc_g2(w->g, "Add", y, mask);
    return uc_g2(w->g, "MatMul", uc_g1(w->g, "Softmax", y), x);
}

static void attention_keeps_no_scores(void **state)
{
    (void)state;
    static const int64_t masks[][4] = {{1, 1, 1, 70}, {2, 70, 70}, {1, 2, 70, 1}, {70, 70}};
    static const int ranks[] = {4, 3, 4, 2};
    for (int i = 0; i < 5; i++) {
        world w;
        make(&w);
        const int rank = i == 4 ? 3 : 4;
        const int64_t shape[] = {-2, rank == 4 ? 2 : 70, rank == 4 ? 70 : 24, 24};
        uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, rank, shape), mask = 0;
        if (i < 4) mask = constant(&w, ranks[i], masks[i], -9, 1);
        const uc_graph *g = same(&w, attention(&w, x, rank, mask), NULL, 1e-6);
        CHECK_INT(g->node_count, 1);
        CHECK_STR(g->nodes[0].op->name, "Attention");
        CHECK_INT(g->nodes[0].in_count, 6);
        done(&w);
    }
}

/* The operator of opset 23: with heads like these it is the same; with fewer keys' heads or an order in
 * time it stays what it is. */
static void the_operator_attention_in_its_plain_form_keeps_no_scores(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        world w;
        make(&w);
        uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 4, (int64_t[]){-1, 2, 70, 24});
        const uc_ref one = uc_g_slice(w.g, x, 1, 0, 1);
        const uc_ref in[] = {x, way == 1 ? one : x, way == 1 ? one : x};
        uc_node *node = uc_graph_node(w.g, "Attention", in, 3, 1);
        if (way == 2) uc_node_int(w.g, node, "is_causal", 1);
        const uc_graph *g = same(&w, uc_node_out(node, 0), all_but("fuse_attention"), 2e-6);
        const uc_node *last = &g->nodes[g->node_count - 1];
        CHECK_STR(last->op->name, "Attention");
        CHECK((last->op->domain && strcmp(last->op->domain, "uncork") == 0) == (way == 0));
        done(&w);
    }
}

static uc_ref turned(world *w, uc_ref x, const int64_t *perm, size_t rank)
{
    uc_node *node = uc_graph_node(w->g, "Transpose", &x, 1, 1);
    uc_node_ints(w->g, node, "perm", perm, rank);
    return uc_node_out(node, 0);
}

/* Slice i of the first axis. */
static uc_ref slice(world *w, uc_ref x, int64_t i)
{
    return uc_g_gather(w->g, x, uc_graph_i64(w->g, i), 0);
}

/* x [n, 70, 3 * 2 * 24] dealt to q, k and v of 2 heads as exporters write it: views of views. With `late`
 * the columns of q lie apart; with `also` the values are read by an operator that takes dense rows. */
static void queries_keys_and_values_are_read_where_they_lie(void **state)
{
    (void)state;
    static const int64_t by_part[] = {2, 0, 1, 3, 4}, heads[] = {0, 2, 1, 3}, keys[] = {0, 1, 3, 2};
    for (int way = 0; way < 4; way++) {
        const bool late = way & 1, also = way & 2;
        world w;
        make(&w);
        uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 3, (int64_t[]){-2, 70, 144});
        uc_ref parts = uc_g_reshape(w.g, x, (int64_t[]){-1, 70, 3, 2, 24}, 5);
        parts = turned(&w, parts, by_part, 5);
        uc_ref q = turned(&w, slice(&w, parts, 0), heads, 4), k = slice(&w, parts, 1);
        uc_ref v = turned(&w, slice(&w, parts, -1), heads, 4);
        if (late) {
            q = turned(&w, uc_g_reshape(w.g, q, (int64_t[]){-1, 2, 24, 70}, 4), keys, 4);
        }
        k = turned(&w, turned(&w, k, heads, 4), keys, 4);
        uc_ref y = uc_g2(w.g, "Mul", uc_g2(w.g, "MatMul", q, k), f32(&w, 0.2));
        y = uc_g2(w.g, "MatMul", uc_g1(w.g, "Softmax", y), v);
        y = uc_g_reshape(w.g, turned(&w, y, heads, 4), (int64_t[]){-1, 70, 48}, 3);
        if (also) y = uc_g2(w.g, "Add", y, uc_g_reshape(w.g, v, (int64_t[]){-1, 70, 48}, 3));
        CHECK_INT(count(same(&w, y, NULL, 1e-6), "Attention"), 1);
        done(&w);
    }
}

/* The same from three slices of the features, which leave rows apart; `k` of every second number. */
static void slices_are_read_where_they_lie(void **state)
{
    (void)state;
    static const int64_t heads[] = {0, 2, 1, 3};
    world w;
    make(&w);
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 3, (int64_t[]){-2, 70, 192}), part[3];
    for (int i = 0; i < 3; i++) {
        part[i] = uc_g_slice(w.g, x, 2, i == 2 ? 96 : 48 * i, i == 2 ? 192 : 48 * (i + 1));
    }
    const uc_ref steps[] = {part[2], uc_graph_i64s(w.g, (int64_t[]){1}, 1),
                            uc_graph_i64s(w.g, (int64_t[]){INT32_MAX}, 1),
                            uc_graph_i64s(w.g, (int64_t[]){-1}, 1),
                            uc_graph_i64s(w.g, (int64_t[]){2}, 1)};
    part[2] = uc_node_out(uc_graph_node(w.g, "Slice", steps, 5, 1), 0);
    for (int i = 0; i < 3; i++) {
        part[i] = turned(&w, uc_g_reshape(w.g, part[i], (int64_t[]){-1, 70, 2, 24}, 4), heads, 4);
    }
    const uc_ref y = uc_node_out(uc_graph_node(w.g, "Attention", part, 3, 1), 0);
    const uc_graph *g = same(&w, uc_g2(w.g, "Add", y, part[1]), NULL, 2e-6);
    CHECK_INT(count(g, "Attention"), 1);
    done(&w);
}

static void masked_keys_weigh_nothing(void **state)
{
    (void)state;
    world w;
    make(&w);
    const int64_t shape[] = {-2, 1, 19, 8}, cut[] = {19, 19};
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 4, shape);
    uc_tensor *mask = uc_tensor_new(w.arena, UNCORK_FLOAT32, 2, cut);
    for (int i = 0; i < 19 * 19; i++) {
        ((float *)mask->data)[i] = i % 19 > i / 19 ? -INFINITY : 0;
    }
    const uc_graph *g = same(&w, attention(&w, x, 4, uc_graph_const(w.g, mask)), NULL, 1e-6);
    CHECK_INT(count(g, "Attention"), 1);
    done(&w);
}

static void a_row_of_masked_keys_stays_nan(void **state)
{
    (void)state;
    world w;
    make(&w);
    const int64_t shape[] = {-2, 1, 19, 8}, row = 19;
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 4, shape);
    uc_ref mask = constant(&w, 1, &row, 0, 1);
    for (int i = 0; i < 19; i++) {
        ((float *)w.g->values[mask].constant->data)[i] = -INFINITY;
    }
    const uc_graph *g = same(&w, attention(&w, x, 4, mask), NULL, 1e-6);
    CHECK_INT(count(g, "Attention"), 1);
    done(&w);
}

static void shared_scores_keep_their_operators(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 4, (int64_t[]){-2, 2, 9, 9});
    uc_ref p = uc_g1(w.g, "Softmax", uc_g2(w.g, "MatMul", x, x));
    uc_ref y = uc_g2(w.g, "Add", uc_g2(w.g, "MatMul", p, x), p);
    CHECK_INT(count(same(&w, y, all_but("fuse_attention"), 0), "Attention"), 0);
    done(&w);
}

/* ---- heads split over threads ------------------------------------------------------------- */

static void attention_has_the_same_bits_on_two_threads(void **state)
{
    (void)state;
    world w;
    make(&w);
    uncork_pool *pool = NULL;
    uc_graph *better = NULL;
    const int64_t shape[] = {3, 2, 130, 24};
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 4, shape);
    uc_graph_output(w.g, "y", attention(&w, x, 4, 0));
    CHECK_OK(uc_graph_finish(w.g), &w.error);
    CHECK_OK(uc_pass_run_all(w.g, NULL, false, &w.error, &better), &w.error);
    uc_tensor *in = uc_tensor_new(w.arena, UNCORK_FLOAT32, 4, shape);
    fill(&w, in, -4, 4);
    assert_int_equal(uc_pool_new(2, &pool), UNCORK_OK);
    const uc_tensor *one = run(&w, better, in, NULL), *two = run(&w, better, in, pool);
    assert_memory_equal(one->data, two->data, (size_t)uc_tensor_count(one) * sizeof(float));
    uc_pool_free(pool);
    done(&w);
}

static void a_turned_gemm_before_an_activation_joins_it(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 2, (int64_t[]){-2, 20});
    const uc_ref in[] = {x, constant(&w, 2, (int64_t[]){9, 20}, -0.3, 0.3), channels(&w, 9, -1, 1)};
    uc_node *node = uc_graph_node(w.g, "Gemm", in, 3, 1);
    uc_node_int(w.g, node, "transB", 1);
    const uc_graph *g = same(&w, uc_g1(w.g, "Relu", uc_node_out(node, 0)), NULL, 0);
    CHECK_INT(g->node_count, 1);
    done(&w);
}

/* ---- layout ------------------------------------------------------------------------------- */

static uc_ref pool(world *w, uc_ref x, const char *name, int64_t k, int64_t stride, int64_t pad)
{
    const int64_t kernel[] = {k, k}, strides[] = {stride, stride}, pads[] = {pad, pad, pad, pad};
    uc_node *node = uc_graph_node(w->g, name, &x, 1, 1);
    uc_node_ints(w->g, node, "kernel_shape", kernel, 2);
    uc_node_ints(w->g, node, "strides", strides, 2);
    uc_node_ints(w->g, node, "pads", pads, 4);
    return uc_node_out(node, 0);
}

/* First layer, pool, residual, squeeze and excite, concatenation: one region, in and out once. */
static void a_network_becomes_one_blocked_region(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref x = uc_g1(w.g, "Relu", conv(&w, picture(&w, 3, 20, 19), 32, 3, 3, true));
    x = pool(&w, x, "MaxPool", 3, 2, 1);
    uc_ref y = uc_g2(w.g, "Add", conv(&w, uc_g1(w.g, "Sigmoid", x), 32, 32, 1, true), x);
    uc_ref gate = uc_g1(w.g, "GlobalAveragePool", y);
    gate = uc_g1(w.g, "Sigmoid", conv(&w, gate, 32, 32, 1, true));
    y = uc_g2(w.g, "Mul", y, gate);
    uc_node *cat =
        uc_graph_node(w.g, "Concat", (uc_ref[]){y, pool(&w, x, "AveragePool", 3, 1, 1)}, 2, 1);
    uc_node_int(w.g, cat, "axis", 1);
    y = conv(&w, uc_node_out(cat, 0), 20, 64, 3, false);
    const uc_graph *g = same(&w, y, NULL, 1e-5);
    CHECK_INT(count(g, "ToBlocked"), 0);
    CHECK_INT(count(g, "FromBlocked"), 1);
    CHECK_INT(count(g, "BlockConv"), 4);
    CHECK_INT(count(g, "BlockPool"), 2);
    CHECK_INT(count(g, "Conv") + count(g, "FusedConv"), 0);
    done(&w);
}

static void what_has_no_blocked_form_gets_the_plain_value(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref x = conv(&w, picture(&w, 24, 6, 6), 24, 24, 3, true);
    uc_ref y = uc_g_softmax(w.g, x, 1);
    const uc_graph *g = same(&w, uc_g2(w.g, "Add", conv(&w, y, 24, 24, 1, true), x), NULL, 1e-5);
    CHECK_INT(count(g, "ToBlocked"), 2);
    CHECK_INT(count(g, "FromBlocked"), 2);
    done(&w);
}

static void depthwise_and_same_padding_are_blocked_and_groups_are_not(void **state)
{
    (void)state;
    for (int64_t group = 4; group <= 12; group += 8) {
        world w;
        make(&w);
        const int64_t shape[] = {12, 12 / group, 3, 3}, strides[] = {2, 1};
        const uc_ref in[] = {picture(&w, 12, 9, 8), constant(&w, 4, shape, -1, 1)};
        uc_node *node = uc_graph_node(w.g, "Conv", in, 2, 1);
        uc_node_int(w.g, node, "group", group);
        uc_node_ints(w.g, node, "strides", strides, 2);
        uc_node_str(w.g, node, "auto_pad", "SAME_UPPER");
        const uc_graph *g = same(&w, uc_node_out(node, 0), NULL, 1e-5);
        CHECK_INT(count(g, "BlockConv"), group == 12);
        done(&w);
    }
}

static uc_ref depthwise(world *w, uc_ref x, int64_t c, int64_t stride)
{
    const int64_t shape[] = {c, 1, 3, 3}, strides[] = {stride, stride}, pads[] = {1, 1, 1, 1};
    const uc_ref in[] = {x, constant(w, 4, shape, -0.3, 0.3), channels(w, c, -1, 1)};
    uc_node *node = uc_graph_node(w->g, "Conv", in, 3, 1);
    uc_node_int(w->g, node, "group", c);
    uc_node_ints(w->g, node, "strides", strides, 2);
    uc_node_ints(w->g, node, "pads", pads, 4);
    return uc_node_out(node, 0);
}

static void an_inverted_residual_is_one_operator(void **state)
{
    (void)state;
    for (int gated = 0; gated < 2; gated++) {
        world w;
        make(&w);
        uc_ref x = uc_g1(w.g, "Relu", conv(&w, picture(&w, 3, 30, 30), 16, 3, 3, true));
        uc_ref y = uc_g1(w.g, "Relu", conv(&w, x, 48, 16, 1, true));
        y = uc_g1(w.g, "HardSwish", depthwise(&w, y, 48, 1));
        if (gated) y = uc_g2(w.g, "Mul", y, uc_g1(w.g, "GlobalAveragePool", y));
        y = uc_g2(w.g, "Add", conv(&w, y, 16, 48, 1, true), x);
        const uc_graph *g = same(&w, y, NULL, 1e-5);
        CHECK_INT(count(g, "BlockInvertedResidual"), 1);
        CHECK_INT(count(g, "BlockConv"), gated ? 2 : 1);
        done(&w);
    }
}

/* ---- chains ------------------------------------------------------------------------------- */

static void chains_are_one_pass_with_the_same_bits(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{1, 1, 1},    {3, 5, 7},    {2, 40, 16},
                                       {16, 33, 16}, {1, 1, 3000}, {7, 2, 600}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const int64_t *d = sizes[i];
        const int64_t full[] = {-2, d[0], d[1], d[2]}, last[] = {d[2]}, middle[] = {d[0], 1, d[2]},
                      first[] = {d[0], 1, 1};
        world w;
        make(&w);
        uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 4, full);
        uc_ref y = uc_g2(w.g, "Mul", constant(&w, 3, middle, -1, 1), x);
        y = uc_g2(w.g, "Sub", y, constant(&w, 1, last, -1, 1));
        y = uc_g2(w.g, "Add", uc_g1(w.g, "Relu", y), uc_g1(w.g, "Sigmoid", y));
        y = uc_g2(w.g, "Div", y, constant(&w, 3, first, 1, 2));
        y = uc_g3(w.g, "Clip", y, f32(&w, -0.5), f32(&w, 1.5));
        y = uc_g1(w.g, "LeakyRelu", uc_g2(w.g, "Max", y, uc_g1(w.g, "Neg", x)));
        const uc_graph *g = same(&w, y, NULL, 0);
        CHECK_INT(g->node_count, 2); /* what is read twice is made first */
        CHECK_INT(count(g, "Elementwise"), 2);
        done(&w);
    }
}

static void a_chain_writes_over_an_input_that_nobody_needs(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_graph *better = NULL;
    uc_program *program = NULL;
    uc_runner *runner = NULL;
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 2, (int64_t[]){100, 100});
    uc_ref y = uc_g_softmax(w.g, uc_g_softmax(w.g, x, 1), 1);
    uc_graph_output(w.g, "y", uc_g2(w.g, "Mul", uc_g2(w.g, "Add", y, f32(&w, 1)), x));
    CHECK_OK(uc_graph_finish(w.g), &w.error);
    CHECK_OK(uc_pass_run_all(w.g, NULL, false, &w.error, &better), &w.error);
    CHECK_OK(uc_program_new(better, w.arena, NULL, &program, &w.error), &w.error);
    CHECK_OK(uc_runner_new(program, NULL, &runner), &w.error);
    uc_value in = {.kind = UC_TENSOR,
                   .tensor = *uc_tensor_new(w.arena, UNCORK_FLOAT32, 2, (int64_t[]){100, 100})};
    const uc_value *inputs[] = {&in};
    CHECK_OK(uc_runner_run(runner, inputs, 1, NULL, &w.error), &w.error);
    CHECK(uc_runner_block_bytes(runner) < 3 * 40000); /* two softmaxes, the chain in place */
    CHECK(fabsf(((float *)in.tensor.data)[5]) == 0);  /* what the caller fed stays */
    uc_runner_free(runner);
    done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_depends_on_constants_alone_becomes_one),
        cmocka_unit_test(nodes_that_change_nothing_go),
        cmocka_unit_test(an_input_handed_back_stays_a_copy),
        cmocka_unit_test(activations_that_exporters_wrote_out_get_their_name),
        cmocka_unit_test(all_three_orders_of_gelu_are_gelu),
        cmocka_unit_test(a_batch_norm_joins_the_weights_before_it),
        cmocka_unit_test(a_batch_norm_alone_becomes_a_product_and_a_sum),
        cmocka_unit_test(a_convolution_that_is_read_twice_keeps_its_weights),
        cmocka_unit_test(sums_and_products_of_channels_join_too),
        cmocka_unit_test(zeros_around_a_picture_become_pads),
        cmocka_unit_test(residuals_and_activations_join_their_convolution),
        cmocka_unit_test(a_network_becomes_one_blocked_region),
        cmocka_unit_test(what_has_no_blocked_form_gets_the_plain_value),
        cmocka_unit_test(chains_are_one_pass_with_the_same_bits),
        cmocka_unit_test(a_chain_writes_over_an_input_that_nobody_needs),
        cmocka_unit_test(a_product_takes_its_bias_residual_and_activation),
        cmocka_unit_test(attention_keeps_no_scores),
        cmocka_unit_test(the_operator_attention_in_its_plain_form_keeps_no_scores),
        cmocka_unit_test(queries_keys_and_values_are_read_where_they_lie),
        cmocka_unit_test(slices_are_read_where_they_lie),
        cmocka_unit_test(masked_keys_weigh_nothing),
        cmocka_unit_test(a_row_of_masked_keys_stays_nan),
        cmocka_unit_test(shared_scores_keep_their_operators),
        cmocka_unit_test(attention_has_the_same_bits_on_two_threads),
        cmocka_unit_test(a_turned_gemm_before_an_activation_joins_it),
        cmocka_unit_test(an_inverted_residual_is_one_operator),
        cmocka_unit_test(depthwise_and_same_padding_are_blocked_and_groups_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
