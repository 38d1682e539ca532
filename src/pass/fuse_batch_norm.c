/* Affine maps of channels join the weights of what they follow:
 *
 *   BatchNormalization, Mul, Div, Add, Sub by constants of one number a channel, after
 *   Conv, ConvTranspose or Gemm with constant weights, which nobody else reads
 *
 * A batch normalisation that follows nothing of the kind becomes x * a + b, which later passes can fuse
 * further. Computed in float64, rounded once; not exact: (w x) a becomes (w a) x.
 *
 * Source: y = (x - mean) / sqrt(var + epsilon) * scale + bias, ONNX operator BatchNormalization 15. */
#include "pass/rewrite.h"

#include <math.h>

typedef struct affine {
    int64_t channels;
    double *a, *b; /* y = a x + b, one a channel */
} affine;

static const float *floats_of(const uc_rewrite *r, uc_ref ref, int64_t count)
{
    const uc_tensor *t = ref ? uc_rewrite_const(r, ref) : NULL;
    return t && t->dtype == UNCORK_FLOAT32 && uc_tensor_count(t) == count ? t->data : NULL;
}

static bool new_affine(uc_graph *g, int64_t channels, affine *map)
{
    map->channels = channels;
    map->a = UC_NEW(g->arena, double, (size_t)channels);
    map->b = UC_NEW(g->arena, double, (size_t)channels);
    for (int64_t c = 0; map->a && c < channels; c++) {
        map->a[c] = 1;
    }
    return map->a && map->b;
}

static bool read_batch_norm(const uc_rewrite *r, const uc_node *node, int64_t channels, affine *map)
{
    const float *in[4];
    if (uc_node_get_int(node, "training_mode", 0) || node->in_count != 5) return false;
    for (int i = 0; i < 4; i++) {
        in[i] = floats_of(r, node->in[i + 1], channels);
        if (!in[i]) return false;
    }
    double epsilon = uc_node_get_float(node, "epsilon", 1e-5);
    if (!new_affine(r->g, channels, map)) return false;
    for (int64_t c = 0; c < channels; c++) {
        map->a[c] = (double)in[0][c] / sqrt((double)in[3][c] + epsilon);
        map->b[c] = (double)in[1][c] - (double)in[2][c] * map->a[c];
    }
    return true;
}

/* A float32 constant that gives each channel (dimension 1 of `rank`) one number, broadcast or not. */
static const float *channel_constant(const uc_rewrite *r, uc_ref ref, int rank, int64_t channels,
                                     int64_t *step)
{
    const uc_tensor *t = uc_rewrite_const(r, ref);
    if (!t || t->dtype != UNCORK_FLOAT32 || t->rank > rank) return NULL;
    for (int d = 0; d < t->rank; d++) {
        bool channel = d + (rank - t->rank) == 1;
        if (t->shape[d] != 1 && !(channel && t->shape[d] == channels)) return NULL;
    }
    int64_t count = uc_tensor_count(t);
    *step = count == 1 ? 0 : 1;
    return count == 1 || count == channels ? t->data : NULL;
}

/* x * c, x / c, x + c, x - c, c + x, c * x. */
static bool read_arithmetic(const uc_rewrite *r, const uc_node *node, int rank, int64_t channels,
                            int *side, affine *map)
{
    static const char *const names[] = {"Mul", "Add", "Div", "Sub"};
    int which = 0;
    while (which < 4 && !uc_is_op(node, names[which])) {
        which++;
    }
    if (which == 4) return false;
    int64_t step = 0;
    const float *c = channel_constant(r, node->in[1], rank, channels, &step);
    *side = 0;
    if (!c && which < 2) {
        c = channel_constant(r, node->in[0], rank, channels, &step);
        *side = 1;
    }
    if (!c || !new_affine(r->g, channels, map)) return false;
    for (int64_t i = 0; i < channels; i++) {
        double v = (double)c[i * step];
        if (which == 0) map->a[i] = v;
        if (which == 1) map->b[i] = v;
        if (which == 2) map->a[i] = 1 / v;
        if (!isfinite(map->a[i])) return false;
        if (which == 3) map->b[i] = -v;
    }
    return true;
}

/* ---- joining ------------------------------------------------------------------------------ */

typedef struct linear {
    const uc_node *node;
    const uc_tensor *w;
    const float *bias; /* [channels] or NULL */
    int64_t channels;
} linear;

/* Weights that lie side by side and feed one channel. */
static int64_t run_of(const linear *l)
{
    const int64_t *shape = l->w->shape;
    int64_t inner = 1;
    if (uc_is_op(l->node, "Conv")) return uc_tensor_count(l->w) / l->channels;
    if (uc_is_op(l->node, "Gemm")) return uc_node_get_int(l->node, "transB", 0) ? shape[1] : 1;
    for (int d = 2; d < l->w->rank; d++) {
        inner *= shape[d];
    }
    return inner;
}

/* Which channel the i-th run feeds. */
static int64_t channel_of(const linear *l, int64_t group, int64_t i)
{
    if (!group) return i % l->channels;
    /* ConvTranspose: [channels in, channels out / group, ...] */
    const int64_t *shape = l->w->shape;
    return i / shape[1] / (shape[0] / group) * shape[1] + i % shape[1];
}

static int64_t channels_of(const uc_node *node, const uc_tensor *w)
{
    if (uc_is_op(node, "Conv")) return w->rank >= 3 ? w->shape[0] : 0;
    if (uc_is_op(node, "Gemm")) {
        return w->rank == 2 ? w->shape[uc_node_get_int(node, "transB", 0) ? 0 : 1] : 0;
    }
    int64_t group = uc_node_get_int(node, "group", 1);
    return w->rank >= 3 && group > 0 && w->shape[0] % group == 0 ? w->shape[1] * group : 0;
}

/* The convolution or product that alone makes `ref`, over constant float32 weights. */
static bool read_linear(const uc_rewrite *r, uc_ref ref, linear *l)
{
    const uc_node *node = ref ? uc_rewrite_producer(r, ref) : NULL;
    if (!node || !uc_rewrite_is_single(r, ref)) return false;
    bool gemm = uc_is_op(node, "Gemm");
    if (!gemm && !uc_is_op(node, "Conv") && !uc_is_op(node, "ConvTranspose")) return false;
    if (gemm &&
        (uc_node_get_float(node, "alpha", 1) != 1 || uc_node_get_float(node, "beta", 1) != 1)) {
        return false;
    }
    *l = (linear){.node = node, .w = uc_rewrite_const(r, node->in[1])};
    if (!l->w || l->w->dtype != UNCORK_FLOAT32) return false;
    l->channels = channels_of(node, l->w);
    if (l->channels <= 0 || uc_tensor_count(l->w) % l->channels != 0) return false;
    bool has_bias = node->in_count > 2 && node->in[2];
    if (has_bias) l->bias = floats_of(r, node->in[2], l->channels);
    const uc_tensor *bias = has_bias ? uc_rewrite_const(r, node->in[2]) : NULL;
    return !has_bias || (l->bias && bias->shape[bias->rank - 1] == l->channels);
}

/* The node becomes the linear operator with the map in its weights. */
static uncork_status join(uc_rewrite *r, uc_node *node, const linear *l, const affine *map)
{
    uc_graph *g = r->g;
    uc_tensor *w = uc_tensor_new_raw(g->arena, UNCORK_FLOAT32, l->w->rank, l->w->shape);
    uc_tensor *b = uc_tensor_new(g->arena, UNCORK_FLOAT32, 1, &l->channels);
    if (!w || !b) return uc_arena_status(g->arena, g->error);
    int64_t count = uc_tensor_count(w), run = run_of(l);
    int64_t group = uc_is_op(l->node, "ConvTranspose") ? uc_node_get_int(l->node, "group", 1) : 0;
    const float *from = l->w->data;
    float *to = w->data, *bias = b->data;
    for (int64_t i = 0; i < count; i += run) {
        double a = map->a[channel_of(l, group, i / run)];
        for (int64_t k = i; k < i + run; k++) {
            to[k] = (float)((double)from[k] * a);
        }
    }
    for (int64_t c = 0; c < l->channels; c++) {
        bias[c] = (float)((l->bias ? (double)l->bias[c] : 0) * map->a[c] + map->b[c]);
    }
    const uc_ref in[] = {l->node->in[0], uc_graph_const(g, w), uc_graph_const(g, b)};
    const uc_node *from_node = l->node;
    const char *where = from_node->where;
    UC_TRY(uc_rewrite_become(r, node, from_node->op->name, in, 3));
    uc_rewrite_add_attrs(r, node, from_node);
    node->where = where;
    return g->status;
}

/* ---- alone -------------------------------------------------------------------------------- */

/* [channels, 1, 1, ...] so that it meets dimension 1 of a value of this rank. */
static uc_ref channel_values(uc_graph *g, const double *v, int64_t channels, int rank)
{
    int64_t shape[UNCORK_MAX_RANK] = {channels};
    for (int d = 1; d < rank - 1; d++) {
        shape[d] = 1;
    }
    uc_tensor *t = uc_tensor_new(g->arena, UNCORK_FLOAT32, rank - 1, shape);
    for (int64_t c = 0; t && c < channels; c++) {
        ((float *)t->data)[c] = (float)v[c];
    }
    return uc_graph_const(g, t);
}

static uncork_status lower(uc_rewrite *r, size_t index, const affine *map, int rank)
{
    uc_graph *g = r->g;
    uc_ref a = channel_values(g, map->a, map->channels, rank);
    uc_ref b = channel_values(g, map->b, map->channels, rank);
    g->where = g->nodes[index].where;
    const uc_ref scaled = uc_g2(g, "Mul", g->nodes[index].in[0], a);
    if (g->status != UNCORK_OK) return g->status;
    UC_TRY(uc_rewrite_become(r, &g->nodes[index], "Add", (uc_ref[]){scaled, b}, 2));
    return UNCORK_OK;
}

static uncork_status visit(uc_rewrite *r, size_t index)
{
    uc_node *node = &r->g->nodes[index];
    affine map;
    linear l;
    if (uc_is_op(node, "BatchNormalization")) {
        const uc_graph_value *x = &r->g->values[node->in[0]];
        if (node->out_count > 1 || x->dtype != UNCORK_FLOAT32 || x->rank < 2) return UNCORK_OK;
        if (x->shape[1] < 1 || !read_batch_norm(r, node, x->shape[1], &map)) return UNCORK_OK;
        if (read_linear(r, node->in[0], &l) && l.channels == map.channels) {
            return join(r, node, &l, &map);
        }
        return lower(r, index, &map, x->rank);
    }
    if (node->in_count != 2) return UNCORK_OK;
    for (int side = 0; side < 2; side++) {
        int rank = r->g->values[node->in[side]].rank, found = 0;
        if (rank < 2 || rank != r->g->values[node->out[0]].rank) continue;
        if (!read_linear(r, node->in[side], &l)) continue;
        if (!read_arithmetic(r, node, rank, l.channels, &found, &map) || found != side) continue;
        return join(r, node, &l, &map);
    }
    return UNCORK_OK;
}

static uncork_status run(uc_graph *g, bool *changed) { return uc_rewrite_each(g, visit, changed); }

const uc_pass uc_pass_fuse_batch_norm = {.name = "fuse_batch_norm", .run = run};
