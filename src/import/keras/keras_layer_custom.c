/* Layers of other people's code that everyone uses, whose name, settings and weights say what they do. Sources:
 * tensorflow_addons 0.23 layers/normalizations.py; keras-contrib 2.0.8 layers/normalization; the examples of
 * keras.io (reflection padding, patches); flyyufelix's cnn_finetune (Scale), titu1994's and ssd_keras'
 * L2Normalization. */
#include "import/keras/keras.h"

#include <inttypes.h>

/* gamma * x + beta along an axis. */
void uc_k_scale(uc_k_call *c)
{
    int64_t shape[UNCORK_MAX_RANK];
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const int rank = uc_k_rank(c, x), axis = uc_k_axis(uc_k_int(c->layer, "axis", -1), rank);
    if (axis < 0) {
        uc_k_fail(c, "its axis isn't one of its input's");
        return;
    }
    for (int i = 0; i < rank; i++) {
        shape[i] = i == axis ? -1 : 1;
    }
    const uc_ref gamma = uc_g_reshape(g, uc_k_weight(c, "gamma"), shape, rank);
    const uc_ref beta = uc_g_reshape(g, uc_k_weight(c, "beta"), shape, rank);
    uc_k_set(c, uc_g2(g, "Add", uc_g2(g, "Mul", x, gamma), beta));
}

/* Each picture's channels by themselves. keras-contrib divides by the deviation plus epsilon, and without an
 * axis takes all of a picture at once; tensorflow_addons adds epsilon to the variance. */
void uc_k_instance_norm(uc_k_call *c)
{
    int64_t axes[UNCORK_MAX_RANK], shape[UNCORK_MAX_RANK];
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const int rank = uc_k_rank(c, x);
    const uc_json *json = uc_json_get(c->layer->config, "axis");
    const bool whole = json && json->kind == UC_JSON_NULL,
               addons = uc_json_get(c->layer->config, "groups") != NULL;
    const int axis = whole ? -1 : uc_k_axis(uc_k_int(c->layer, "axis", -1), rank);
    size_t n = 0;
    if (rank < 3 || (!whole && axis < 1)) {
        uc_k_fail(c, "its axis isn't one of its input's");
        return;
    }
    for (int i = 0; i < rank; i++) {
        shape[i] = i == axis ? -1 : 1;
        if (i && i != axis) axes[n++] = i;
    }
    const uc_ref off = uc_g2(g, "Sub", x, uc_k_axes(c, "ReduceMean", x, axes, n, true));
    const uc_ref v = uc_k_axes(c, "ReduceMean", uc_g2(g, "Mul", off, off), axes, n, true);
    const uc_ref least = uc_k_scalar(c, uc_k_number(c->layer, "epsilon", 1e-3));
    const uc_ref by = addons ? uc_g1(g, "Sqrt", uc_g2(g, "Add", v, least))
                             : uc_g2(g, "Add", uc_g1(g, "Sqrt", v), least);
    uc_ref y = uc_g2(g, "Div", off, by);
    if (uc_k_has(c->layer, "gamma"))
        y = uc_g2(g, "Mul", y, uc_g_reshape(g, uc_k_weight(c, "gamma"), shape, rank));
    if (uc_k_has(c->layer, "beta"))
        y = uc_g2(g, "Add", y, uc_g_reshape(g, uc_k_weight(c, "beta"), shape, rank));
    uc_k_set(c, y);
}

/* gamma * l2_normalize(x) over the channels. */
void uc_k_l2_norm(uc_k_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", x, x), -1, true);
    const uc_ref root = uc_g1(g, "Sqrt", uc_g2(g, "Max", sum, uc_k_scalar(c, 1e-12)));
    uc_k_set(c, uc_g2(g, "Mul", uc_g2(g, "Div", x, root), uc_k_weight(c, "gamma")));
}

/* padding (width, height), mirrored. */
void uc_k_reflection_padding(uc_k_call *c)
{
    int64_t by[2] = {1, 1};
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const uc_json *padding = uc_k_get(c->layer, "padding");
    if (!padding || !uc_k_ints(padding, by, 2) || by[0] < 0 || by[1] < 0 || uc_k_rank(c, x) != 4) {
        uc_k_fail(c, "its padding isn't in its configuration: add get_config() and save it again");
        return;
    }
    const int64_t pads[] = {0, by[1], by[0], 0, 0, by[1], by[0], 0};
    const uc_ref in[] = {x, uc_graph_i64s(c->graph, pads, 8)};
    uc_node *n = uc_graph_node(c->graph, "Pad", in, 2, 1);
    uc_node_str(c->graph, n, "mode", "reflect");
    uc_k_set(c, uc_node_out(n, 0));
}

/* A picture as the row of its patches: [N, patches, patch * patch * channels]. */
void uc_k_patches(uc_k_call *c)
{
    const int64_t size = uc_k_int(c->layer, "patch_size", 0);
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const int64_t channels = uc_k_dim(c, x, -1);
    if (size < 1 || size > 65536 || channels < 1 || uc_k_rank(c, x) != 4) {
        uc_k_fail(c,
                  "its patch_size isn't in its configuration: add get_config() and save it again");
        return;
    }
    const int64_t window[] = {1, size, size, 1}, one[] = {1, 1, 1, 1};
    uc_node *n = uc_graph_node(c->graph, "uncork.TfExtractImagePatches", &x, 1, 1);
    uc_node_ints(c->graph, n, "ksizes", window, 4);
    uc_node_ints(c->graph, n, "strides", window, 4);
    uc_node_ints(c->graph, n, "rates", one, 4);
    uc_node_str(c->graph, n, "padding", "VALID");
    const int64_t rows[] = {0, -1, size * size * channels};
    uc_k_set(c, uc_g_reshape(c->graph, uc_node_out(n, 0), rows, 3));
}

/* A layer that is an activation by its class's name. */
void uc_k_named_activation(uc_k_call *c)
{
    static const char *const names[][2] = {{"Swish", "swish"},          {"Mish", "mish"},
                                           {"HardSwish", "hard_swish"}, {"Hswish", "hard_swish"},
                                           {"HSwish", "hard_swish"},    {"GELU", "gelu"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(c->layer->class_name, names[i][0]) != 0) continue;
        const uc_json f = {.kind = UC_JSON_STRING, .string = uc_str_of(names[i][1])};
        uc_k_set_as(c, uc_k_activate(c, &f, c->in[0].ref, -1), c->in[0].nchw);
        return;
    }
    uc_k_fail(c, "no activation of that name");
}
