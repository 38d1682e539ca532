/* What follows a convolution is done before its outputs are stored:
 *
 *   fuse_residual    Add(Conv(x), r)      -> uncork.FusedConv(x, w, b, r)
 *   fuse_activation  Relu(Conv(x)), ...   -> uncork.FusedConv with the attribute `activation`
 *
 * Only of float32, and only where nobody else reads the convolution. Not exact where the fused kernel
 * approximates an activation; the residual is the same sum. */
#include "pass/fusable.h"

/* The convolution that alone makes `ref` and has no activation yet; or NULL. */
static const uc_node *open_conv(const uc_rewrite *r, uc_ref ref)
{
    const uc_node *node = ref ? uc_rewrite_producer(r, ref) : NULL;
    if (!node || !uc_rewrite_is_single(r, ref)) return NULL;
    if (r->g->values[ref].dtype != UNCORK_FLOAT32) return NULL;
    const uc_attr *act = uc_node_attr(node, "activation");
    if (uc_is_ext(node, "FusedConv")) return act && act->s.size ? NULL : node;
    if (!uc_is_op(node, "Conv")) return NULL;
    /* The fused operator takes constant weights alone. */
    return uc_rewrite_const(r, node->in[1]) &&
                   (node->in_count < 3 || !node->in[2] || uc_rewrite_const(r, node->in[2]))
               ? node
               : NULL;
}

/* `node` becomes the convolution; its attributes with it. */
static uncork_status become(uc_rewrite *r, uc_node *node, const uc_node *conv, uc_ref residual)
{
    uc_ref in[4] = {0};
    for (size_t i = 0; i < conv->in_count && i < 4; i++) {
        in[i] = conv->in[i];
    }
    if (residual) in[3] = residual;
    UC_TRY(uc_rewrite_become(r, node, "uncork.FusedConv", in, in[3] ? 4 : in[2] ? 3 : 2));
    uc_rewrite_add_attrs(r, node, conv);
    node->where = conv->where;
    return r->g->status;
}

/* ---- residual ----------------------------------------------------------------------------- */

static uncork_status run_residual(uc_graph *g, bool *changed)
{
    uc_rewrite r;
    UC_TRY(uc_rewrite_init(&r, g));
    for (size_t n = 0; n < g->node_count; n++) {
        uc_node *add = &g->nodes[n];
        if (!uc_is_op(add, "Add") || !uc_same_shape(g, add->in[0], add->in[1])) continue;
        if (add->in[0] == add->in[1]) continue;
        for (int side = 0; side < 2; side++) {
            const uc_node *conv = open_conv(&r, add->in[side]);
            if (!conv || (conv->in_count > 3 && conv->in[3])) continue;
            UC_TRY(become(&r, add, conv, add->in[1 - side]));
            break;
        }
    }
    return uc_rewrite_done(&r, changed);
}

const uc_pass uc_pass_fuse_residual = {.name = "fuse_residual", .run = run_residual};

/* ---- activation --------------------------------------------------------------------------- */

static uncork_status run_activation(uc_graph *g, bool *changed)
{
    uc_rewrite r;
    UC_TRY(uc_rewrite_init(&r, g));
    for (size_t n = 0; n < g->node_count; n++) {
        uc_node *node = &g->nodes[n];
        uc_fusable act;
        if (!uc_fusable_of(&r, node, &act)) continue;
        const uc_node *conv = open_conv(&r, node->in[0]);
        if (!conv) continue;
        UC_TRY(become(&r, node, conv, 0));
        uc_fusable_set(g, node, &act);
    }
    return uc_rewrite_done(&r, changed);
}

const uc_pass uc_pass_fuse_activation = {.name = "fuse_activation", .run = run_activation};
