/* LocallyConnected1D and 2D of Keras 1 and 2: a convolution with a kernel of its own at every place.
 * Source: tf_keras/src/layers/locally_connected, backend.local_conv (implementation 1). */
#include "import/keras/keras.h"

#include <inttypes.h>

typedef struct grid {
    int64_t in[2], out[2], size[2], strides[2], channels;
} grid;

/* For each output place, the input places under its window: [places, window]. */
static uc_ref places_of(uc_k_call *c, const grid *n)
{
    const int64_t places = n->out[0] * n->out[1], window = n->size[0] * n->size[1];
    const int64_t shape[] = {places, window};
    size_t count;
    if (!uc_shape_count(shape, 2, &count) || count > (size_t)1 << 26) {
        return uc_k_fail(c, "%" PRId64 " places of %" PRId64, places, window);
    }
    int64_t *at = UC_NEW(c->graph->arena, int64_t, count), *to = at;
    if (!at) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for a layer");
    for (int64_t p = 0; p < places; p++) {
        const int64_t top = p / n->out[1] * n->strides[0], left = p % n->out[1] * n->strides[1];
        for (int64_t k = 0; k < window; k++) {
            *to++ = (top + k / n->size[1]) * n->in[1] + left + k % n->size[1];
        }
    }
    return uc_graph_i64s(c->graph, at, (int64_t)count);
}

static bool read_grid(uc_k_call *c, uc_ref x, int rank, grid *n)
{
    *n = (grid){.in = {1, 1}, .size = {1, 1}, .strides = {1, 1}};
    const uc_json *size = uc_k_get(c->layer, "kernel_size"),
                  *strides = uc_k_get(c->layer, "strides");
    const int first = 2 - rank;
    n->channels = uc_k_dim(c, x, rank + 1);
    bool ok = n->channels > 0 && uc_k_ints(size, n->size + first, (size_t)rank) &&
              (!strides || uc_k_ints(strides, n->strides + first, (size_t)rank));
    for (int i = 0; i < 2; i++) {
        if (i >= first) n->in[i] = uc_k_dim(c, x, i - first + 1);
        ok = ok && n->size[i] > 0 && n->strides[i] > 0 && n->in[i] >= n->size[i] &&
             n->in[i] < INT32_MAX;
        n->out[i] = ok ? (n->in[i] - n->size[i]) / n->strides[i] + 1 : 0;
    }
    if (!ok) uc_k_fail(c, "its windows don't fit its input");
    return ok;
}

/* The bias, which has the output's shape; with channels first it is read in that order, not turned. */
static uc_ref add_bias(uc_k_call *c, uc_ref y, int rank, bool first)
{
    const uc_tensor *bias = uc_k_tensor(c, "bias");
    int64_t shape[UNCORK_MAX_RANK];
    if (!bias || bias->rank != rank + 1) return bias ? uc_k_fail(c, "its bias's shape") : y;
    memcpy(shape, bias->shape, sizeof shape);
    if (first) {
        shape[0] = bias->shape[rank];
        for (int i = 0; i < rank; i++) {
            shape[i + 1] = bias->shape[i];
        }
    }
    return uc_g2(c->graph, "Add", y, uc_g_reshape(c->graph, uc_k_const(c, bias), shape, rank + 1));
}

void uc_k_locally_connected(uc_k_call *c)
{
    uc_graph *g = c->graph;
    grid n;
    const bool first = uc_k_channels_first(c->layer);
    uc_k_value in = c->in[0];
    if (first) in = (uc_k_value){.ref = uc_k_plain(c, in), .nchw = true};
    const uc_ref x = uc_k_plain(c, in);
    const int rank = uc_k_rank(c, x) - 2;
    const uc_tensor *kernel = uc_k_tensor(c, "kernel");
    if (rank < 1 || rank > 2 || !kernel || kernel->rank != 3 ||
        uc_k_int(c->layer, "implementation", 1) != 1) {
        if (!g->status) uc_k_fail(c, "its kernel isn't one of implementation 1");
        return;
    }
    if (!read_grid(c, x, rank, &n)) return;
    const int64_t places = n.out[0] * n.out[1], window = n.size[0] * n.size[1];
    const int64_t filters = kernel->shape[2], flat[] = {-1, n.in[0] * n.in[1], n.channels};
    uc_ref p = uc_g_gather(g, uc_g_reshape(g, x, flat, 3), places_of(c, &n), 1);
    const int64_t windows[] = {-1, places, window, n.channels};
    p = uc_g_reshape(g, p, windows, 4);
    const int64_t turned[] = {1, 0, first ? 3 : 2, first ? 2 : 3};
    const int64_t rows[] = {places, -1, window * n.channels};
    p = uc_g_reshape(g, uc_k_transpose(g, p, turned, 4), rows, 3);
    uc_ref y = uc_g2(g, "MatMul", p, uc_k_const(c, kernel)); /* [places, N, filters] */
    const int64_t last[] = {1, 0, 2}, front[] = {1, 2, 0};
    y = uc_k_transpose(g, y, first ? front : last, 3);
    int64_t shape[4] = {-1};
    int at = 1;
    if (first) shape[at++] = filters;
    for (int i = 2 - rank; i < 2; i++) {
        shape[at++] = n.out[i];
    }
    if (!first) shape[at++] = filters;
    y = uc_g_reshape(g, y, shape, rank + 2);
    if (uc_k_has(c->layer, "bias")) y = add_bias(c, y, rank, first);
    uc_k_set(c, uc_k_activate_key(c, "activation", "linear", y, first ? 1 : rank + 1));
}
