/* Passes that move layouts out of the way of convolutions: what channels-last models become. */
#include "fuse_world.h"

static uc_ref transpose(world *w, uc_ref x, int64_t a, int64_t b, int64_t c, int64_t d)
{
    uc_node *node = uc_graph_node(w->g, "Transpose", &x, 1, 1);
    uc_node_ints(w->g, node, "perm", (int64_t[]){a, b, c, d}, 4);
    return uc_node_out(node, 0);
}

/* Weights [height, width, in, out] as a convolution reads them, through strides. */
static uc_ref weights_last(world *w, int64_t k, int64_t in, int64_t out)
{
    static const int from[] = {3, 2, 0, 1};
    const int64_t shape[] = {k, k, in, out};
    const uc_tensor *t = w->g->values[constant(w, 4, shape, -0.3, 0.3)].constant;
    uc_tensor *view = UC_NEW(w->arena, uc_tensor, 1);
    *view = *t;
    for (int d = 0; d < 4; d++) {
        view->shape[d] = t->shape[from[d]];
        view->stride[d] = t->stride[from[d]];
    }
    return uc_graph_const(w->g, view);
}

static void weights_seen_through_strides_take_part_in_every_pass(void **state)
{
    (void)state;
    world w;
    make(&w);
    const uc_ref in[] = {picture(&w, 6, 7, 7), weights_last(&w, 3, 6, 10)};
    uc_ref y = uc_node_out(uc_graph_node(w.g, "Conv", in, 2, 1), 0);
    const int64_t each[] = {1, 10, 1, 1};
    y = uc_g1(w.g, "Relu", uc_g2(w.g, "Add", y, constant(&w, 4, each, -1, 1)));
    const uc_graph *g = same(&w, y, "", 1e-6);
    CHECK_INT(count(g, "BlockConv"), 1);
    CHECK_INT(count(g, "Elementwise"), 0);
    done(&w);
}

static void a_residual_joins_where_the_batch_is_free(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 4, (int64_t[]){-1, 6, 5, 5});
    const uc_graph *g = same(&w, uc_g2(w.g, "Add", x, conv(&w, x, 6, 6, 3, true)), "layout", 1e-6);
    CHECK_INT(g->node_count, 1);
    CHECK_STR(g->nodes[0].op->name, "FusedConv");
    done(&w);
}

/* [Shape(x)[0], 1, 1, count] by way of int32, as TensorFlow writes it. */
static uc_ref shape_beside(world *w, uc_ref x, int64_t count)
{
    uc_node *cast = uc_graph_node(w->g, "Cast", (uc_ref[]){uc_g1(w->g, "Shape", x)}, 1, 1);
    uc_node_int(w->g, cast, "to", UNCORK_INT32);
    const uc_ref sliced[] = {uc_node_out(cast, 0), uc_graph_i64s(w->g, (int64_t[]){0}, 1),
                             uc_graph_i64s(w->g, (int64_t[]){1}, 1)};
    uc_node *wide = uc_graph_node(
        w->g, "Cast", (uc_ref[]){uc_node_out(uc_graph_node(w->g, "Slice", sliced, 3, 1), 0)}, 1, 1);
    uc_node_int(w->g, wide, "to", UNCORK_INT64);
    const uc_ref parts[] = {uc_node_out(wide, 0), uc_graph_i64s(w->g, (int64_t[]){1, 1, count}, 3)};
    uc_node *all = uc_graph_node(w->g, "Concat", parts, 2, 1);
    uc_node_int(w->g, all, "axis", 0);
    return uc_node_out(all, 0);
}

static void squeeze_and_excite_of_a_channels_last_model_is_one_region(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref x = picture(&w, 3, 8, 8), y = uc_g1(w.g, "Relu", conv(&w, x, 16, 3, 3, true));
    const uc_ref in[] = {y, uc_graph_i64s(w.g, (int64_t[]){2, 3}, 2)};
    uc_node *mean = uc_graph_node(w.g, "ReduceMean", in, 2, 1);
    uc_node_int(w.g, mean, "keepdims", 0);
    const uc_ref flat = uc_node_out(mean, 0);
    uc_node *reshape =
        uc_graph_node(w.g, "Reshape", (uc_ref[]){flat, shape_beside(&w, flat, 16)}, 2, 1);
    uc_node_int(w.g, reshape, "allowzero", 1);
    uc_ref gate = transpose(&w, uc_node_out(reshape, 0), 0, 3, 1, 2);
    gate = uc_g1(w.g, "Sigmoid", conv(&w, gate, 16, 16, 1, true));
    y = conv(&w, uc_g2(w.g, "Mul", y, gate), 8, 16, 1, true);
    const uc_graph *g = same(&w, y, "", 1e-5);
    CHECK_INT(count(g, "BlockMean"), 1);
    CHECK_INT(count(g, "BlockConv"), 3);
    CHECK_INT(count(g, "ToBlocked"), 0);
    CHECK_INT(count(g, "FromBlocked"), 1);
    CHECK_INT(count(g, "Reshape") + count(g, "Shape") + count(g, "Transpose"), 0);
    done(&w);
}

static void a_free_dimension_that_is_not_what_remains_stays(void **state)
{
    (void)state;
    world w;
    /* [n, 6] to [n, 3, 2]: n stays in its place. To [3, n, 2]: it is what remains. */
    for (int moved = 0; moved < 2; moved++) {
        make(&w);
        uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 2, (int64_t[]){-1, 6});
        const uc_ref cut[] = {uc_g1(w.g, "Shape", x), uc_graph_i64s(w.g, (int64_t[]){0}, 1),
                              uc_graph_i64s(w.g, (int64_t[]){1}, 1)};
        const uc_ref n = uc_node_out(uc_graph_node(w.g, "Slice", cut, 3, 1), 0);
        const uc_ref three = uc_graph_i64s(w.g, (int64_t[]){3}, 1);
        const uc_ref parts[] = {moved ? three : n, moved ? n : three,
                                uc_graph_i64s(w.g, (int64_t[]){2}, 1)};
        uc_node *all = uc_graph_node(w.g, "Concat", parts, 3, 1);
        uc_node_int(w.g, all, "axis", 0);
        const uc_ref y = uc_g2(w.g, "Reshape", x, uc_node_out(all, 0));
        const uc_graph *g = same(&w, y, all_but("fold_shapes"), 0);
        CHECK_INT(g->node_count, 1);
        done(&w);
    }
    /* [n, n] as [1, 1, n]: n isn't what remains. */
    make(&w);
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 2, (int64_t[]){-2, -2});
    const uc_ref cut[] = {uc_g1(w.g, "Shape", x), uc_graph_i64s(w.g, (int64_t[]){0}, 1),
                          uc_graph_i64s(w.g, (int64_t[]){1}, 1)};
    const uc_ref n = uc_node_out(uc_graph_node(w.g, "Slice", cut, 3, 1), 0);
    const uc_ref parts[] = {uc_graph_i64s(w.g, (int64_t[]){1, 1}, 2), n};
    uc_node *all = uc_graph_node(w.g, "Concat", parts, 2, 1);
    uc_node_int(w.g, all, "axis", 0);
    uc_graph *better = NULL;
    uc_graph_output(w.g, "y", uc_g2(w.g, "Reshape", x, uc_node_out(all, 0)));
    CHECK_OK(uc_graph_finish(w.g), &w.error);
    CHECK_OK(uc_pass_run_all(w.g, all_but("fold_shapes"), false, &w.error, &better), &w.error);
    CHECK(better->node_count > 1);
    done(&w);
}

static void a_pad_of_a_channels_last_picture_joins_the_convolution(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 4, (int64_t[]){-1, 6, 7, 3});
    const int64_t pads[] = {0, 0, 1, 0, 0, 2, 3, 0};
    x = uc_g2(w.g, "Pad", x, uc_graph_i64s(w.g, pads, 8));
    const uc_graph *g =
        same(&w, conv(&w, transpose(&w, x, 0, 3, 1, 2), 4, 3, 3, true), "layout", 0);
    CHECK_INT(count(g, "Pad"), 0);
    const uc_attr *a = attr(g, "Conv", "pads");
    CHECK_INT(a->ints[0], 1);
    CHECK_INT(a->ints[1], 2);
    CHECK_INT(a->ints[2], 3);
    CHECK_INT(a->ints[3], 4);
    done(&w);
}

static uc_ref padded_maximum(world *w, uc_ref x, int64_t pad)
{
    const int64_t pads[] = {0, 0, pad, pad, 0, 0, pad, pad};
    uc_node *pool = uc_graph_node(
        w->g, "MaxPool", (uc_ref[]){uc_g2(w->g, "Pad", x, uc_graph_i64s(w->g, pads, 8))}, 1, 1);
    uc_node_ints(w->g, pool, "kernel_shape", (int64_t[]){3, 3}, 2);
    uc_node_ints(w->g, pool, "strides", (int64_t[]){2, 2}, 2);
    return uc_node_out(pool, 0);
}

static void a_maximum_takes_zeros_only_beside_what_is_never_negative(void **state)
{
    (void)state;
    world w;
    make(&w);
    const uc_graph *g = same(&w, padded_maximum(&w, uc_g1(w.g, "Relu", picture(&w, 3, 7, 7)), 1),
                             all_but("fuse_pad"), 0);
    CHECK_INT(count(g, "Pad"), 0);
    done(&w);
    make(&w);
    g = same(&w, padded_maximum(&w, picture(&w, 3, 7, 7), 1), all_but("fuse_pad"), 0);
    CHECK_INT(count(g, "Pad"), 1);
    done(&w);
    make(&w); /* a window of zeros alone */
    g = same(&w, padded_maximum(&w, uc_g1(w.g, "Relu", picture(&w, 3, 7, 7)), 3),
             all_but("fuse_pad"), 0);
    CHECK_INT(count(g, "Pad"), 1);
    done(&w);
}

static void a_product_with_one_goes(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 2, (int64_t[]){-1, 4});
    uc_ref y = uc_g1(w.g, "Sigmoid", uc_g2(w.g, "Mul", f32(&w, 1), x));
    const uc_graph *g = same(&w, uc_g2(w.g, "Div", y, f32(&w, 1)), all_but("drop_identities"), 0);
    CHECK_INT(g->node_count, 1);
    done(&w);
    make(&w); /* a 1 that makes the value larger stays */
    x = uc_graph_input(w.g, "x", UNCORK_FLOAT32, 1, (int64_t[]){-1});
    const int64_t one[] = {1, 1};
    uc_tensor *t = uc_tensor_new(w.arena, UNCORK_FLOAT32, 2, one);
    ((float *)t->data)[0] = 1;
    g = same(&w, uc_g2(w.g, "Mul", x, uc_graph_const(w.g, t)), all_but("drop_identities"), 0);
    CHECK_INT(g->node_count, 1);
    done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_seen_through_strides_take_part_in_every_pass),
        cmocka_unit_test(a_residual_joins_where_the_batch_is_free),
        cmocka_unit_test(squeeze_and_excite_of_a_channels_last_model_is_one_region),
        cmocka_unit_test(a_free_dimension_that_is_not_what_remains_stays),
        cmocka_unit_test(a_pad_of_a_channels_last_picture_joins_the_convolution),
        cmocka_unit_test(a_maximum_takes_zeros_only_beside_what_is_never_negative),
        cmocka_unit_test(a_product_with_one_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
