/* Pooling, padding, cropping, upsampling. Source: keras/src/layers/pooling, layers/reshaping. */
#include "import/keras/keras.h"

#include <inttypes.h>

static uc_ref input(uc_k_call *c, bool *nchw)
{
    *nchw = !uc_k_channels_first(c->layer);
    return *nchw ? uc_k_first(c, c->in[0]) : uc_k_plain(c, c->in[0]);
}

static void pool(uc_k_call *c, const char *op)
{
    bool nchw;
    const uc_ref x = input(c, &nchw);
    uc_window w = {.rank = uc_k_rank(c, x) - 2};
    if (w.rank < 1 || w.rank > 3) {
        uc_k_fail(c, "its input has %d dimensions", w.rank + 2);
        return;
    }
    const size_t rank = (size_t)w.rank;
    for (size_t i = 0; i < rank; i++) {
        w.size[i] = 2;
        w.dilations[i] = 1;
    }
    const uc_json *size = uc_k_get(c->layer, "pool_size"), *strides = uc_k_get(c->layer, "strides");
    if (size && !uc_k_ints(size, w.size, rank)) {
        uc_k_fail(c, "its pool_size isn't %zu numbers", rank);
        return;
    }
    memcpy(w.strides, w.size, sizeof w.strides);
    if (strides && !uc_k_ints(strides, w.strides, rank)) {
        uc_k_fail(c, "its strides aren't %zu numbers", rank);
        return;
    }
    if (!uc_k_window_pads(c, &w, uc_k_text(c->layer, "padding", "valid"), x)) return;
    uc_node *n = uc_graph_node(c->graph, op, &x, 1, 1);
    uc_window_put(c->graph, n, &w, false);
    uc_k_set_as(c, uc_node_out(n, 0), nchw);
}

void uc_k_max_pool(uc_k_call *c) { pool(c, "MaxPool"); }
void uc_k_average_pool(uc_k_call *c) { pool(c, "AveragePool"); }

uc_ref uc_k_adaptive_pool(uc_k_call *c, uc_ref x, const char *how, const int64_t *size, size_t n)
{
    uc_node *node = uc_graph_node(c->graph, "uncork.AdaptivePool", &x, 1, 1);
    uc_node_ints(c->graph, node, "output_size", size, n);
    uc_node_str(c->graph, node, "mode", how);
    return uc_node_out(node, 0);
}

static void adaptive_pool(uc_k_call *c, const char *how)
{
    bool nchw;
    int64_t size[3];
    const uc_ref x = input(c, &nchw);
    const int rank = uc_k_rank(c, x) - 2;
    if (rank < 1 || rank > 3 || !uc_k_ints(uc_k_get(c->layer, "output_size"), size, (size_t)rank)) {
        uc_k_fail(c, "its output_size can't be read");
        return;
    }
    uc_k_set_as(c, uc_k_adaptive_pool(c, x, how, size, (size_t)rank), nchw);
}

void uc_k_adaptive_average_pool(uc_k_call *c) { adaptive_pool(c, "avg"); }
void uc_k_adaptive_max_pool(uc_k_call *c) { adaptive_pool(c, "max"); }

static void global_pool(uc_k_call *c, const char *op)
{
    bool nchw;
    const uc_ref x = input(c, &nchw), y = uc_g1(c->graph, op, x);
    if (uc_k_bool(c->layer, "keepdims", false)) {
        uc_k_set_as(c, y, nchw);
        return;
    }
    uc_node *n = uc_graph_node(c->graph, "Flatten", &y, 1, 1);
    uc_node_int(c->graph, n, "axis", 1);
    uc_k_set(c, uc_node_out(n, 0));
}

void uc_k_global_max_pool(uc_k_call *c) { global_pool(c, "GlobalMaxPool"); }

void uc_k_global_average_pool(uc_k_call *c)
{
    uc_graph *g = c->graph;
    if (!c->in[0].mask || uc_k_rank(c, c->in[0].ref) != 3) {
        global_pool(c, "GlobalAveragePool");
        return;
    }
    /* The mean of the steps that aren't masked. */
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const uc_ref mask = uc_g_unsqueeze(g, uc_g_cast(g, c->in[0].mask, c->dtype), 2);
    const bool keep = uc_k_bool(c->layer, "keepdims", false);
    const uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", x, mask), 1, keep);
    uc_k_set(c, uc_g2(g, "Div", sum, uc_g_reduce(g, "ReduceSum", mask, 1, keep)));
}

/* ---- padding and cropping -------------------------------------------------------------------- */

/* 1, [1, 2] or [[1, 2], [3, 4]]: what is added or cut before and after each axis. */
static bool read_sides(uc_k_call *c, const uc_json *json, int rank, int64_t *before, int64_t *after)
{
    if (!json) json = NULL;
    for (int i = 0; i < rank; i++) {
        int64_t pair[2];
        const uc_json *item =
            json && json->kind == UC_JSON_ARRAY ? uc_json_at(json, (size_t)i) : NULL;
        if (item && uc_json_count(item) == 2 && uc_k_ints(item, pair, 2)) {
            before[i] = pair[0];
            after[i] = pair[1];
            continue;
        }
        int64_t all[3];
        if (rank == 1 && json && uc_k_ints(json, pair, 2)) {
            before[0] = pair[0];
            after[0] = pair[1];
            continue;
        }
        if (!json || !uc_k_ints(json, all, (size_t)rank)) {
            uc_k_fail(c, "its sides can't be read");
            return false;
        }
        before[i] = after[i] = all[i];
    }
    return true;
}

void uc_k_zero_padding(uc_k_call *c)
{
    bool nchw;
    int64_t before[3], after[3], pads[2 * UNCORK_MAX_RANK] = {0};
    const uc_ref x = input(c, &nchw);
    const int rank = uc_k_rank(c, x);
    if (rank < 3 || rank > 5) {
        uc_k_fail(c, "its input has %d dimensions", rank);
        return;
    }
    if (!read_sides(c, uc_k_get(c->layer, "padding"), rank - 2, before, after)) return;
    for (int i = 0; i < rank - 2; i++) {
        pads[i + 2] = before[i];
        pads[rank + i + 2] = after[i];
    }
    const uc_ref in[] = {x, uc_graph_i64s(c->graph, pads, 2 * (int64_t)rank)};
    uc_node *n = uc_graph_node(c->graph, "Pad", in, 2, 1);
    uc_node_str(c->graph, n, "mode", "constant");
    uc_k_set_as(c, uc_node_out(n, 0), nchw);
}

void uc_k_cropping(uc_k_call *c)
{
    bool nchw;
    int64_t before[3], after[3];
    uc_ref x = input(c, &nchw);
    const int rank = uc_k_rank(c, x);
    if (rank < 3 || rank > 5) {
        uc_k_fail(c, "its input has %d dimensions", rank);
        return;
    }
    if (!read_sides(c, uc_k_get(c->layer, "cropping"), rank - 2, before, after)) return;
    for (int i = 0; i < rank - 2; i++) {
        if (before[i] < 0 || after[i] < 0) {
            uc_k_fail(c, "it cuts less than nothing");
            return;
        }
        if (before[i] == 0 && after[i] == 0) continue;
        x = uc_g_slice(c->graph, x, i + 2, before[i], after[i] ? -after[i] : INT64_MAX);
    }
    uc_k_set_as(c, x, nchw);
}

/* ---- upsampling ------------------------------------------------------------------------------ */

/* Keras before 2.4 on TensorFlow 1 sampled from the corner; later ones from pixels' centres. */
static const char *centres(const uc_k_call *c)
{
    const uc_k_file *f = c->build->file;
    const bool corner =
        f->major < 2 || (f->major == 2 && f->minor < 4 && !strstr(f->version, "tf"));
    return corner ? "asymmetric" : "half_pixel";
}

void uc_k_upsampling(uc_k_call *c)
{
    bool nchw;
    int64_t size[3] = {2, 2, 2};
    float scales[5] = {1, 1, 1, 1, 1};
    const uc_ref x = input(c, &nchw);
    const int rank = uc_k_rank(c, x);
    if (rank < 3 || rank > 5) {
        uc_k_fail(c, "its input has %d dimensions", rank);
        return;
    }
    const uc_json *json = uc_k_get(c->layer, "size");
    if (json && !uc_k_ints(json, size, (size_t)rank - 2)) {
        uc_k_fail(c, "its size isn't %d numbers", rank - 2);
        return;
    }
    for (int i = 0; i < rank - 2; i++) {
        scales[i + 2] = (float)size[i];
    }
    const uc_str how = uc_k_text(c->layer, "interpolation", "nearest");
    const bool nearest = uc_str_is(how, "nearest"), cubic = uc_str_is(how, "bicubic");
    if (!nearest && !cubic && !uc_str_is(how, "bilinear")) {
        uc_k_fail(c, "interpolation '%.*s'", (int)(how.size < 40 ? how.size : 40), how.data);
        return;
    }
    const int64_t n = rank;
    uc_tensor *t = uc_tensor_new(c->graph->arena, UNCORK_FLOAT32, 1, &n);
    if (!t) return;
    memcpy(t->data, scales, (size_t)rank * sizeof(float));
    const uc_ref in[] = {x, 0, uc_graph_const(c->graph, t)};
    uc_node *node = uc_graph_node(c->graph, "Resize", in, 3, 1);
    uc_node_str(c->graph, node, "mode", nearest ? "nearest" : cubic ? "cubic" : "linear");
    uc_node_str(c->graph, node, "coordinate_transformation_mode",
                nearest ? "asymmetric" : centres(c));
    if (nearest) uc_node_str(c->graph, node, "nearest_mode", "floor");
    if (cubic) { /* tf.image.resize: Keys' kernel of -0.5, weights outside left out */
        uc_node_float(c->graph, node, "cubic_coeff_a", -0.5);
        uc_node_int(c->graph, node, "exclude_outside", 1);
    }
    uc_k_set_as(c, uc_node_out(node, 0), nchw);
}
