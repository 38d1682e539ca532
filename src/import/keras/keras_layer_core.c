/* Core layers: Dense, shapes, Embedding, Masking. Source: keras/src/layers/core, layers/reshaping. */
#include "import/keras/keras.h"

#include <inttypes.h>

/* An operator and a bias of the last axis, then the layer's activation. */
static void finish(uc_k_call *c, uc_ref y)
{
    if (uc_k_has(c->layer, "bias")) y = uc_g2(c->graph, "Add", y, uc_k_weight(c, "bias"));
    uc_k_set(c, uc_k_activate_key(c, "activation", "linear", y, uc_k_rank(c, y) - 1));
}

/* Rows rounded to int8 by their largest value; sums of int8 products are exact in float32 as far as
 * 1000 of them. Source: keras/src/layers/core/dense.py (_int8_call), quantizers.py. */
static uc_ref int8_product(uc_k_call *c, uc_ref x, const uc_tensor *kernel)
{
    uc_graph *g = c->graph;
    const uc_ref most = uc_g_reduce(g, "ReduceMax", uc_g1(g, "Abs", x), -1, true);
    const uc_ref scale =
        uc_g2(g, "Div", uc_k_scalar(c, 127), uc_g2(g, "Add", most, uc_k_scalar(c, 1e-7)));
    const uc_ref rounded = uc_g1(g, "Round", uc_g2(g, "Mul", x, scale));
    const uc_ref q = uc_g3(g, "Clip", rounded, uc_k_scalar(c, -127), uc_k_scalar(c, 127));
    const uc_tensor *wide = uc_tensor_cast(g->arena, kernel, c->dtype);
    if (!wide) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for a kernel");
    const uc_ref sum = uc_g2(g, "MatMul", q, uc_graph_const(g, wide));
    return uc_g2(g, "Div", sum, uc_g2(g, "Mul", scale, uc_k_weight(c, "kernel_scale")));
}

void uc_k_dense(uc_k_call *c)
{
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const uc_tensor *kernel = uc_k_tensor(c, "kernel");
    const int64_t units = uc_k_int(c->layer, "units", 0);
    if (kernel && (kernel->rank != 2 || kernel->shape[1] != units)) {
        uc_k_fail(c, "its kernel isn't one of %" PRId64 " units", units);
        return;
    }
    if (kernel && kernel->dtype == UNCORK_INT8 && uc_k_has(c->layer, "kernel_scale")) {
        finish(c, int8_product(c, x, kernel));
        return;
    }
    finish(c, uc_g2(c->graph, "MatMul", x, uc_k_const(c, kernel)));
}

/* "abc,cd->abd": ONNX's einsum reads it as it is; "..." too. */
void uc_k_einsum_dense(uc_k_call *c)
{
    const uc_str equation = uc_k_text(c->layer, "equation", "");
    const uc_ref in[] = {uc_k_plain(c, c->in[0]), uc_k_weight(c, "kernel")};
    const char *text = uc_arena_copy(c->graph->arena, equation.data, equation.size);
    uc_node *n = uc_graph_node(c->graph, "Einsum", in, 2, 1);
    uc_node_str(c->graph, n, "equation", text ? text : "");
    finish(c, uc_node_out(n, 0));
}

void uc_k_flatten(uc_k_call *c)
{
    uc_k_value v = c->in[0];
    uc_ref x;
    if (uc_k_channels_first(c->layer)) { /* flattened with the channels last */
        v.nchw = true;
    }
    x = uc_k_plain(c, v);
    const int rank = uc_k_rank(c, x);
    if (rank == 1) x = uc_g_unsqueeze(c->graph, x, 1);
    uc_node *n = uc_graph_node(c->graph, "Flatten", &x, 1, 1);
    uc_node_int(c->graph, n, "axis", 1);
    uc_k_set(c, rank == 2 ? x : uc_node_out(n, 0));
}

void uc_k_reshape(uc_k_call *c)
{
    int64_t shape[UNCORK_MAX_RANK] = {0};
    const uc_json *target = uc_k_get(c->layer, "target_shape");
    if (!target) target = uc_k_get(c->layer, "dims");
    const size_t n = uc_k_list(target, shape + 1, UNCORK_MAX_RANK - 1);
    const uc_ref x = uc_k_plain(c, c->in[0]);
    uc_k_set(c, uc_g_reshape(c->graph, x, shape, (int)n + 1));
}

void uc_k_permute(uc_k_call *c)
{
    int64_t perm[UNCORK_MAX_RANK] = {0};
    const size_t n = uc_k_list(uc_k_get(c->layer, "dims"), perm + 1, UNCORK_MAX_RANK - 1);
    uc_k_set(c, uc_k_transpose(c->graph, uc_k_plain(c, c->in[0]), perm, n + 1));
}

void uc_k_repeat_vector(uc_k_call *c)
{
    const int64_t tiles[] = {1, uc_k_int(c->layer, "n", 1), 1};
    const uc_ref x = uc_g_unsqueeze(c->graph, uc_k_plain(c, c->in[0]), 1);
    uc_k_set(c, uc_g2(c->graph, "Tile", x, uc_graph_i64s(c->graph, tiles, 3)));
}

void uc_k_embedding(uc_k_call *c)
{
    uc_graph *g = c->graph;
    uc_ref x = uc_k_plain(c, c->in[0]);
    const uncork_dtype dtype = uc_k_dtype(c, x);
    if (dtype != UNCORK_INT32 && dtype != UNCORK_INT64) x = uc_g_cast(g, x, UNCORK_INT32);
    uc_k_set(c, uc_g_gather(g, uc_k_weight(c, "embeddings"), x, 0));
    if (uc_k_bool(c->layer, "mask_zero", false)) {
        const uc_ref zero =
            uc_g_cast(g, uc_graph_i64(g, 0), dtype == UNCORK_INT64 ? dtype : UNCORK_INT32);
        c->out[0].mask = uc_g1(g, "Not", uc_g2(g, "Equal", x, zero));
    }
}

/* An embedding, or its way back: reverse=True in the call. Source: keras/src/layers/core/reversible_embedding.py. */
void uc_k_reversible_embedding(uc_k_call *c)
{
    uc_graph *g = c->graph;
    if (!uc_json_bool(uc_json_get(c->kwargs, "reverse"), false)) {
        uc_k_embedding(c);
        return;
    }
    const bool own = uc_k_has(c->layer, "reverse_embeddings");
    const double cap = uc_k_number(c->layer, "logit_soft_cap", 0);
    uc_ref kernel = uc_k_weight(c, own ? "reverse_embeddings" : "embeddings");
    if (!own) kernel = uc_g_transpose(g, kernel);
    uc_ref y = uc_g2(g, "MatMul", uc_k_plain(c, c->in[0]), kernel);
    if (cap > 0) {
        const uc_ref by = uc_k_scalar(c, cap);
        y = uc_g2(g, "Mul", uc_g1(g, "Tanh", uc_g2(g, "Div", y, by)), by);
    }
    uc_k_set(c, y);
}

/* Layers one behind the other. */
void uc_k_pipeline(uc_k_call *c)
{
    uc_k_value v = c->in[0];
    for (size_t i = 0; i < c->layer->child_count && !c->graph->status; i++) {
        uc_k_call inner;
        uc_k_emit(c->build, c->layer->children[i].layer, NULL, NULL, NULL, &v, 1, &inner);
        if (inner.out_count) v = inner.out[0];
    }
    c->out[0] = v;
    c->out_count = 1;
}

/* Steps that hold mask_value everywhere are masked, and zeroed. */
void uc_k_masking(uc_k_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const uc_ref value = uc_k_scalar(c, uc_k_number(c->layer, "mask_value", 0));
    const uc_ref differs = uc_g_cast(g, uc_g1(g, "Not", uc_g2(g, "Equal", x, value)), c->dtype);
    const uc_ref any = uc_g_reduce(g, "ReduceMax", differs, -1, true);
    uc_k_set(c, uc_g2(g, "Mul", x, any));
    c->out[0].mask = uc_g_cast(g, uc_g_squeeze(g, any, -1), UNCORK_BOOL);
}

void uc_k_identity(uc_k_call *c)
{
    c->out[0] = c->in[0];
    c->out_count = 1;
}

/* A wrapper that computes nothing of its own at inference. */
void uc_k_wrapper(uc_k_call *c)
{
    const uc_k_layer *l = uc_k_child_of(c->layer, "layer");
    uc_k_call inner;
    if (!l) {
        uc_k_fail(c, "it wraps no layer");
        return;
    }
    uc_k_emit(c->build, l, NULL, NULL, NULL, c->in, c->in_count, &inner);
    c->out[0] = inner.out[0];
    c->out_count = inner.out_count ? 1 : 0;
}

/* The layer on every step: steps join the batch. */
void uc_k_time_distributed(uc_k_call *c)
{
    uc_graph *g = c->graph;
    const uc_k_layer *l = uc_k_child_of(c->layer, "layer");
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const int rank = uc_k_rank(c, x);
    if (!l || rank < 3) {
        uc_k_fail(c, "it wraps no layer, or its input has no steps");
        return;
    }
    uc_node *shape = uc_graph_node(g, "Shape", &x, 1, 1);
    const uc_ref dims = uc_node_out(shape, 0);
    int64_t flat[UNCORK_MAX_RANK] = {-1};
    for (int i = 2; i < rank; i++) {
        flat[i - 1] = uc_k_dim(c, x, i);
    }
    for (int i = 1; i < rank - 1; i++) {
        if (flat[i] < 0) {
            uc_k_fail(c, "it needs the size of every step");
            return;
        }
    }
    uc_k_value step = {.ref = uc_g_reshape(g, x, flat, rank - 1)};
    uc_k_call inner;
    uc_k_emit(c->build, l, NULL, NULL, NULL, &step, 1, &inner);
    if (g->status) return;
    const uc_ref y = uc_k_plain(c, inner.out[0]);
    const int out_rank = uc_k_rank(c, y);
    const int64_t steps = uc_k_dim(c, x, 1);
    int64_t back[UNCORK_MAX_RANK];
    back[0] = -1;
    back[1] = steps;
    bool known = steps > 0 && out_rank > 0 && out_rank < UNCORK_MAX_RANK;
    for (int i = 1; i < out_rank && known; i++) {
        back[i + 1] = uc_k_dim(c, y, i);
        known = back[i + 1] >= 0;
    }
    if (known) {
        uc_k_set(c, uc_g_reshape(g, y, back, out_rank + 1));
        return;
    }
    const uc_ref tail = uc_g_slice(g, uc_g1(g, "Shape", y), 0, 1, INT64_MAX);
    const uc_ref parts[] = {uc_g_slice(g, dims, 0, 0, 2), tail};
    uc_k_set(c, uc_g2(g, "Reshape", y, uc_g_concat(g, parts, 2, 0)));
}
