/* A blocked 1x1 convolution, a depthwise one and a 1x1 one, each read by the next alone, become
 * uncork.BlockInvertedResidual, which computes them by bands of rows: the many channels between never
 * pass through memory. The last may be missing. After layout. */
#include "pass/rewrite.h"

/* Narrower pictures fit the second cache whole: nothing to win, and the split over threads is worse. */
enum { LEAST_WIDTH = 28 };

static bool all_are(const uc_node *node, const char *name, int64_t v)
{
    const uc_attr *a = uc_node_attr(node, name);
    for (size_t i = 0; a && i < a->count; i++) {
        if (a->ints[i] != v) return false;
    }
    return true;
}

static bool has_residual(const uc_node *node) { return node->in_count > 3 && node->in[3]; }

static bool is_depthwise(const uc_node *node)
{
    return node && uc_is_ext(node, "BlockConv") && uc_node_get_int(node, "group", 1) > 1 &&
           !has_residual(node);
}

static bool is_pointwise(const uc_rewrite *r, const uc_node *node)
{
    if (!node || !uc_is_ext(node, "BlockConv") || uc_node_get_int(node, "group", 1) != 1)
        return false;
    const uc_tensor *w = uc_rewrite_const(r, node->in[1]);
    return w && w->rank == 4 && w->shape[2] == 1 && w->shape[3] == 1 &&
           all_are(node, "strides", 1) && all_are(node, "pads", 0) &&
           !uc_node_get_int(node, "plain_input", 0);
}

static bool is_wide(const uc_rewrite *r, uc_ref x)
{
    const uc_graph_value *v = &r->g->values[x];
    return v->rank == 5 && v->shape[2] >= LEAST_WIDTH && v->shape[3] >= LEAST_WIDTH;
}

static void copy_activation(uc_graph *g, uc_node *to, const uc_node *from,
                            const char *const names[3])
{
    const uc_attr *act = uc_node_attr(from, "activation"), *alpha = uc_node_attr(from, "alpha"),
                  *beta = uc_node_attr(from, "beta");
    if (act) uc_node_str(g, to, names[0], act->s.data);
    if (alpha) uc_node_float(g, to, names[1], alpha->f);
    if (beta) uc_node_float(g, to, names[2], beta->f);
}

static void copy_ints(uc_graph *g, uc_node *to, const uc_node *from, const char *name)
{
    const uc_attr *a = uc_node_attr(from, name);
    if (a && a->count) uc_node_ints(g, to, name, a->ints, a->count);
}

/* `last` becomes the whole; project may be NULL. The others are copies: `last` is one of them. */
static uncork_status fuse(uc_rewrite *r, uc_node *last, const uc_node *expand,
                          const uc_node *spatial, const uc_node *project)
{
    static const char *const expand_names[] = {"expand_activation", "expand_alpha", "expand_beta"};
    static const char *const spatial_names[] = {"spatial_activation", "spatial_alpha",
                                                "spatial_beta"};
    static const char *const project_names[] = {"project_activation", "project_alpha",
                                                "project_beta"};
    uc_ref in[8] = {expand->in[0], spatial->in[1], spatial->in_count > 2 ? spatial->in[2] : 0,
                    expand->in[1]};
    if (expand->in_count > 2) in[4] = expand->in[2];
    if (project) in[5] = project->in[1];
    if (project && project->in_count > 2) in[6] = project->in[2];
    if (project && has_residual(project)) in[7] = project->in[3];
    size_t count = 8;
    while (count > 2 && !in[count - 1]) {
        count--;
    }
    UC_TRY(uc_rewrite_become(r, last, "uncork.BlockInvertedResidual", in, count));
    uc_node_int(r->g, last, "block", uc_node_get_int(expand, "block", 0));
    uc_node_int(r->g, last, "channels", uc_node_get_int(expand, "channels", 0));
    copy_ints(r->g, last, spatial, "strides");
    copy_ints(r->g, last, spatial, "pads");
    copy_ints(r->g, last, spatial, "dilations");
    copy_activation(r->g, last, expand, expand_names);
    copy_activation(r->g, last, spatial, spatial_names);
    if (project) copy_activation(r->g, last, project, project_names);
    r->changed = true;
    return r->g->status;
}

/* The node that makes `ref` for this reader alone. */
static uc_node *only_for(const uc_rewrite *r, uc_ref ref)
{
    return uc_rewrite_is_single(r, ref) ? uc_rewrite_producer(r, ref) : NULL;
}

static uncork_status change(uc_rewrite *r, bool *taken, size_t index)
{
    uc_node *node = &r->g->nodes[index];
    if (taken[index]) return UNCORK_OK;
    const uc_node last = *node;
    uc_node *spatial = node;
    const bool projects = is_pointwise(r, node);
    if (projects) spatial = only_for(r, node->in[0]);
    if (!is_depthwise(spatial) || !is_wide(r, spatial->in[0])) return UNCORK_OK;
    uc_node *expand = only_for(r, spatial->in[0]);
    if (!is_pointwise(r, expand) || has_residual(expand)) return UNCORK_OK;
    const uc_node middle = *spatial, first = *expand;
    taken[spatial - r->g->nodes] = true;
    taken[expand - r->g->nodes] = true;
    return fuse(r, node, &first, &middle, projects ? &last : NULL);
}

static uncork_status run(uc_graph *g, bool *changed)
{
    uc_rewrite r;
    UC_TRY(uc_rewrite_init(&r, g));
    bool *taken = UC_NEW(g->arena, bool, g->node_count + 1);
    if (!taken) return uc_arena_status(g->arena, g->error);
    /* From the end: a projection takes its depthwise layer before that is looked at by itself. */
    for (size_t n = g->node_count; n-- > 0;) {
        UC_TRY(change(&r, taken, n));
    }
    return uc_rewrite_done(&r, changed);
}

const uc_pass uc_pass_fuse_inverted_residual = {.name = "fuse_inverted_residual", .run = run};
