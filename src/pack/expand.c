/* The copy, and the operators that take a node or three. */
#include "pack/expand.h"

/* ---- attributes and constants ------------------------------------------------------------- */

const uc_attr *uc_expand_attr(const uc_expansion *e, const char *name)
{
    for (size_t i = 0; i < e->node->attr_count; i++) {
        if (strcmp(e->node->attrs[i].name, name) == 0) return &e->node->attrs[i];
    }
    return NULL;
}

int64_t uc_expand_int(const uc_expansion *e, const char *name, int64_t otherwise)
{
    const uc_attr *a = uc_expand_attr(e, name);
    return a && a->kind == UC_ATTR_INT ? a->i : otherwise;
}

double uc_expand_float(const uc_expansion *e, const char *name, double otherwise)
{
    const uc_attr *a = uc_expand_attr(e, name);
    return a && a->kind == UC_ATTR_FLOAT ? a->f : otherwise;
}

bool uc_expand_is(const uc_expansion *e, const char *name, const char *value, bool otherwise)
{
    const uc_attr *a = uc_expand_attr(e, name);
    return a && a->kind == UC_ATTR_STRING ? uc_str_is(a->s, value) : otherwise;
}

const uc_tensor *uc_expand_known(const uc_expansion *e, size_t i)
{
    const uc_ref v = i < e->node->in_count ? e->node->in[i] : 0;
    return v ? e->from->values[v].constant : NULL;
}

uncork_dtype uc_expand_dtype(const uc_expansion *e, size_t i)
{
    return i < e->node->in_count ? e->from->values[e->node->in[i]].dtype : UNCORK_DTYPE_NONE;
}

uc_ref uc_expand_scalar(uc_expansion *e, uncork_dtype dtype, double v)
{
    return dtype == UNCORK_FLOAT64 ? uc_graph_f64(e->graph, v) : uc_graph_f32(e->graph, (float)v);
}

double *uc_expand_matrix(uc_expansion *e, int64_t rows, int64_t columns, uc_ref *ref)
{
    const int64_t shape[2] = {rows, columns};
    uc_tensor *t = uc_tensor_new(e->graph->arena, UNCORK_FLOAT64, 2, shape);
    *ref = t ? uc_graph_const(e->graph, t) : 0;
    return t ? t->data : NULL;
}

/* ---- small ones --------------------------------------------------------------------------- */

/* Checks of values: a runtime without them computes on. */
static bool expand_check(uc_expansion *e)
{
    e->out[0] = uc_g1(e->graph, "Identity", e->in[0]);
    return true;
}

static bool expand_log1p(uc_expansion *e)
{
    const uc_ref one = uc_expand_scalar(e, uc_expand_dtype(e, 0), 1);
    e->out[0] = uc_g1(e->graph, "Log", uc_g2(e->graph, "Add", e->in[0], one));
    return true;
}

static bool expand_expm1(uc_expansion *e)
{
    const uc_ref one = uc_expand_scalar(e, uc_expand_dtype(e, 0), 1);
    e->out[0] = uc_g2(e->graph, "Sub", uc_g1(e->graph, "Exp", e->in[0]), one);
    return true;
}

static bool expand_link(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const uncork_dtype dtype = uc_expand_dtype(e, 0);
    const uc_ref x = e->in[0];
    if (uc_expand_is(e, "kind", "logistic", false)) {
        const double scale = uc_expand_float(e, "scale", 1);
        const uc_ref scaled =
            scale == 1 ? x : uc_g2(g, "Mul", x, uc_expand_scalar(e, dtype, scale));
        e->out[0] = uc_g1(g, "Sigmoid", scaled);
    } else if (uc_expand_is(e, "kind", "exp", false)) {
        e->out[0] = uc_g1(g, "Exp", x);
    } else if (uc_expand_is(e, "kind", "log1p_exp", false)) {
        const uc_ref grown = uc_g2(g, "Add", uc_g1(g, "Exp", x), uc_expand_scalar(e, dtype, 1));
        e->out[0] = uc_g1(g, "Log", grown);
    } else if (uc_expand_is(e, "kind", "signed_square", false)) {
        e->out[0] = uc_g2(g, "Mul", x, uc_g1(g, "Abs", x));
    } else if (uc_expand_is(e, "kind", "softmax", false)) {
        e->out[0] = uc_g_softmax(g, x, -1);
    }
    return e->out[0] != 0;
}

/* prior + (norm - 0.5 sum((x - mean)^2 / variance)), classes along the middle axis. */
static bool expand_gaussian(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const uc_ref away = uc_g2(g, "Sub", uc_g_unsqueeze(g, e->in[0], 1), e->in[1]);
    const uc_ref terms = uc_g2(g, "Div", uc_g2(g, "Mul", away, away), e->in[2]);
    const uc_ref half = uc_expand_scalar(e, uc_expand_dtype(e, 0), 0.5);
    const uc_ref sum = uc_g2(g, "Mul", half, uc_g_reduce(g, "ReduceSum", terms, 2, false));
    e->out[0] = uc_g2(g, "Add", uc_g2(g, "Sub", e->in[3], sum), e->in[4]);
    return true;
}

/* The same places; ONNX's Resize may round otherwise in the last bit. */
static bool expand_tf_resize(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const int64_t two = 2;
    const uc_ref planes = uc_g_slice(g, uc_g1(g, "Shape", e->in[0]), 0, 0, 2);
    const uc_ref size = uc_g_reshape(g, uc_g_cast(g, e->in[1], UNCORK_INT64), &two, 1);
    const uc_ref parts[] = {planes, size};
    const uc_ref in[] = {e->in[0], 0, 0, uc_g_concat(g, parts, 2, 0)};
    uc_node *n = uc_graph_node(g, "Resize", in, 4, 1);
    uc_node_str(g, n, "mode", "linear");
    uc_node_str(g, n, "coordinate_transformation_mode",
                uc_expand_int(e, "align_corners", 0)        ? "align_corners"
                : uc_expand_int(e, "half_pixel_centers", 0) ? "half_pixel"
                                                            : "asymmetric");
    e->out[0] = uc_node_out(n, 0);
    return true;
}

/* ---- the table ---------------------------------------------------------------------------- */

static const struct {
    const char *op;
    uc_expand_fn expand;
} rows[] = {
    {"AdaptivePool", uc_expand_adaptive_pool},
    {"After", expand_check},
    {"Assert", uc_expand_assert},
    {"CategoryIndex", uc_expand_categories},
    {"Digitize", uc_expand_digitize},
    {"Expm1", expand_expm1},
    {"GaussianLogDensity", expand_gaussian},
    {"InRange", expand_check},
    {"Link", expand_link},
    {"ListGet", uc_expand_list_get},
    {"ListReserve", uc_expand_list_reserve},
    {"ListSet", uc_expand_list_set},
    {"ListStack", uc_expand_list_stack},
    {"Log1p", expand_log1p},
    {"NeighborMean", uc_expand_neighbor_mean},
    {"NeighborVote", uc_expand_neighbor_vote},
    {"Neighbors", uc_expand_neighbors},
    {"OvrDecision", uc_expand_ovr},
    {"PairwiseCoupling", uc_expand_coupling},
    {"PairwiseDistance", uc_expand_distance},
    {"Products", uc_expand_products},
    {"Require", expand_check},
    {"SVM", uc_expand_svm},
    {"TfBatchGather", uc_expand_batch_gather},
    {"TfCast", uc_expand_cast},
    {"TfErfc", uc_expand_erfc},
    {"TfExpm1", expand_expm1},
    {"TfFloorDiv", uc_expand_floor},
    {"TfFloorMod", uc_expand_floor},
    {"TfLog1p", expand_log1p},
    {"TfMatrixBandPart", uc_expand_band},
    {"TfNonMaxSuppression", uc_expand_nms},
    {"TfNonMaxSuppressionV2", uc_expand_nms},
    {"TfNonMaxSuppressionV3", uc_expand_nms},
    {"TfNonMaxSuppressionV4", uc_expand_nms},
    {"TfNonMaxSuppressionV5", uc_expand_nms},
    {"TfResizeBilinear", expand_tf_resize},
    {"TreeEnsemble", uc_expand_trees},
};

static uc_expand_fn find_row(const char *op)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].op, op) == 0) return rows[i].expand;
    }
    return NULL;
}

/* ---- the copy ----------------------------------------------------------------------------- */

static bool is_uncork(const uc_node *node)
{
    return node->op->domain && strcmp(node->op->domain, "uncork") == 0;
}

static void copy_values(const uc_graph *from, uc_graph *g, uc_ref *map)
{
    for (size_t i = 0; i < from->input_count; i++) {
        const uc_graph_value *v = &from->values[from->inputs[i]];
        const uc_ref input = uc_graph_input(g, v->name, v->dtype, v->rank, v->shape);
        if (v->kind != UC_TENSOR) uc_graph_input_kind(g, input, v->kind, v->item_kind);
        if (v->optional || v->fallback) uc_graph_input_optional(g, input, v->fallback);
        map[from->inputs[i]] = input;
    }
    for (size_t v = 1; v < from->value_count; v++) {
        if (from->values[v].constant && from->values[v].producer < 0 && !map[v])
            map[v] = uc_graph_const(g, from->values[v].constant);
    }
}

static uncork_status refuse(const uc_node *node, uncork_error *error)
{
    return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                   "%s: uncork.%s can't be spelled out in standard ONNX",
                   node->where ? node->where : "a node", node->op->name);
}

static uncork_status expand_node(const uc_graph *from, const uc_node *node, uc_graph *g,
                                 uc_ref *map, uncork_error *error)
{
    uc_expansion e = {.graph = g, .node = node, .from = from};
    const size_t most = sizeof e.in / sizeof e.in[0];
    const uc_expand_fn expand = find_row(node->op->name);
    if (!expand || node->in_count > most || node->out_count > most) return refuse(node, error);
    for (size_t i = 0; i < node->in_count; i++)
        e.in[i] = map[node->in[i]];
    if (!expand(&e)) return g->status != UNCORK_OK ? g->status : refuse(node, error);
    for (size_t i = 0; i < node->out_count; i++) {
        if (node->out[i]) map[node->out[i]] = e.out[i];
    }
    return g->status;
}

/* Bodies are spelled out as the graph around them is. */
static uncork_status copy_bodies(const uc_node *node, uc_graph *g, uc_node *copy)
{
    uc_attr *attrs = UC_NEW(g->arena, uc_attr, node->attr_count + 1);
    if (!attrs) return uc_arena_status(g->arena, g->error);
    memcpy(attrs, node->attrs, node->attr_count * sizeof *attrs);
    copy->attrs = attrs;
    for (size_t i = 0; i < node->attr_count; i++) {
        const uc_graph *body = attrs[i].kind == UC_ATTR_GRAPH ? attrs[i].graph : NULL;
        if (!body || !body->finished) continue; /* a branch that is never taken */
        UC_TRY(uc_expand_graph(body, g->arena, g->error, &attrs[i].graph));
    }
    return UNCORK_OK;
}

static uncork_status copy_node(const uc_node *node, uc_graph *g, uc_ref *map)
{
    const char *domain = node->op->domain ? node->op->domain : "";
    const char *name =
        uc_arena_printf(g->arena, "%s%s%s", domain, *domain ? "." : "", node->op->name);
    uc_ref *in = UC_NEW(g->arena, uc_ref, node->in_count + 1);
    if (!name || !in) return uc_arena_status(g->arena, g->error);
    for (size_t i = 0; i < node->in_count; i++)
        in[i] = map[node->in[i]];
    uc_node *copy = uc_graph_node(g, name, in, node->in_count, node->out_count);
    copy->attrs = node->attrs;
    copy->attr_count = copy->attr_capacity = node->attr_count;
    copy->layout = node->layout;
    if (node->op->control) UC_TRY(copy_bodies(node, g, copy));
    for (size_t i = 0; i < node->out_count; i++) {
        if (node->out[i]) map[node->out[i]] = uc_node_out(copy, i);
    }
    return g->status;
}

uncork_status uc_expand_graph(const uc_graph *from, uc_arena *arena, uncork_error *error,
                              uc_graph **to)
{
    uc_graph *g = uc_graph_new(arena, from->budget, error);
    uc_ref *map = UC_NEW(arena, uc_ref, from->value_count);
    if (!g || !map) return uc_arena_status(arena, error);
    copy_values(from, g, map);
    for (size_t n = 0; n < from->node_count && g->status == UNCORK_OK; n++) {
        const uc_node *node = &from->nodes[n];
        g->where = node->where;
        UC_TRY(is_uncork(node) ? expand_node(from, node, g, map, error) : copy_node(node, g, map));
    }
    for (size_t i = 0; i < from->output_count; i++)
        uc_graph_output(g, from->output_names[i], map[from->outputs[i]]);
    *to = g;
    return uc_graph_finish(g);
}
