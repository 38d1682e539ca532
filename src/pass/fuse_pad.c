/* A Pad with zeros in front of a convolution, of an average that counts its padding, or of a maximum of
 * what is never negative becomes part of it: no copy of the picture. Exact: the same zeros meet the same
 * weights, and beside a number that isn't negative a zero and nothing give the same maximum. */
#include "pass/rewrite.h"

/* Reads a Pad of spatial dimensions with constant zeros; before[], after[] by spatial dimension. */
static bool read_pad(const uc_rewrite *r, const uc_node *pad, int rank, int64_t *before,
                     int64_t *after)
{
    const uc_attr *mode = uc_node_attr(pad, "mode");
    double v = 0;
    if (mode && mode->kind == UC_ATTR_STRING && !uc_str_is(mode->s, "constant")) return false;
    if (pad->in_count > 2 && pad->in[2] && (!uc_rewrite_scalar(r, pad->in[2], &v) || v != 0)) {
        return false;
    }
    if (pad->in_count > 3 && pad->in[3]) return false; /* axes: exporters of pictures write none */
    const uc_tensor *pads = uc_rewrite_const(r, pad->in[1]);
    if (!pads || pads->dtype != UNCORK_INT64 || uc_tensor_count(pads) != 2 * rank) return false;
    const int64_t *p = pads->data;
    if (p[0] || p[1] || p[rank] || p[rank + 1]) return false;
    for (int d = 2; d < rank; d++) {
        before[d - 2] = p[d];
        after[d - 2] = p[rank + d];
        if (before[d - 2] < 0 || after[d - 2] < 0) return false;
        if (before[d - 2] > INT32_MAX || after[d - 2] > INT32_MAX) return false;
    }
    return true;
}

/* Explicit pads, or none: what SAME means depends on the shape. */
static bool has_plain_pads(const uc_node *node)
{
    const uc_attr *mode = uc_node_attr(node, "auto_pad");
    return !mode || uc_str_is(mode->s, "NOTSET") || uc_str_is(mode->s, "VALID");
}

/* Relu, or Clip from 0 on. */
static bool never_negative(const uc_rewrite *r, uc_ref ref)
{
    const uc_node *clip = uc_rewrite_made_by(r, ref, "Clip");
    return uc_rewrite_made_by(r, ref, "Relu") ||
           (clip && clip->in_count > 1 && clip->in[1] && uc_rewrite_is_near(r, clip->in[1], 0));
}

/* Every window of a maximum must still hold a pixel: its pads stay below its size. */
static bool windows_hold(const uc_node *node, const int64_t *pads, int spatial)
{
    const uc_attr *kernel = uc_node_attr(node, "kernel_shape");
    if (!uc_is_op(node, "MaxPool")) return true;
    if (!kernel || kernel->count != (size_t)spatial) return false;
    for (int d = 0; d < spatial; d++) {
        if (pads[d] >= kernel->ints[d] || pads[spatial + d] >= kernel->ints[d]) return false;
    }
    return true;
}

static bool is_dilated(const uc_node *node)
{
    const uc_attr *dilations = uc_node_attr(node, "dilations");
    for (size_t d = 0; dilations && d < dilations->count; d++) {
        if (dilations->ints[d] != 1) return true;
    }
    return false;
}

/* Whether the node can take a pad of zeros around `padded`. */
static bool takes_pads(const uc_rewrite *r, const uc_node *node, uc_ref padded)
{
    if (!has_plain_pads(node)) return false;
    if (uc_is_op(node, "Conv")) return true;
    if (uc_node_get_int(node, "ceil_mode", 0)) return false;
    if (uc_is_op(node, "AveragePool")) return uc_node_get_int(node, "count_include_pad", 0) != 0;
    return uc_is_op(node, "MaxPool") && node->out_count == 1 && !is_dilated(node) &&
           never_negative(r, padded);
}

static uncork_status join(uc_rewrite *r, uc_node *node, const uc_node *pad, int rank)
{
    int64_t before[UNCORK_MAX_RANK], after[UNCORK_MAX_RANK], pads[2 * UNCORK_MAX_RANK];
    if (!read_pad(r, pad, rank, before, after)) return UNCORK_OK;
    int spatial = rank - 2;
    const uc_attr *own = uc_node_attr(node, "pads"), *mode = uc_node_attr(node, "auto_pad");
    if (own && own->count != 2 * (size_t)spatial) return UNCORK_OK;
    bool valid = mode && uc_str_is(mode->s, "VALID");
    for (int d = 0; d < spatial; d++) {
        pads[d] = before[d] + (own && !valid ? own->ints[d] : 0);
        pads[spatial + d] = after[d] + (own && !valid ? own->ints[spatial + d] : 0);
    }
    if (!windows_hold(node, pads, spatial)) return UNCORK_OK;
    uc_node old = *node;
    uc_ref *in = UC_NEW(r->g->arena, uc_ref, node->in_count);
    if (!in) return uc_arena_status(r->g->arena, r->g->error);
    memcpy(in, node->in, node->in_count * sizeof *in);
    in[0] = pad->in[0];
    UC_TRY(uc_rewrite_become(r, node, old.op->name, in, old.in_count));
    for (size_t i = 0; i < old.attr_count; i++) {
        const char *name = old.attrs[i].name;
        if (strcmp(name, "pads") == 0 || strcmp(name, "auto_pad") == 0) continue;
        uc_node one = {.attrs = &old.attrs[i], .attr_count = 1};
        uc_rewrite_add_attrs(r, node, &one);
    }
    uc_node_ints(r->g, node, "pads", pads, 2 * (size_t)spatial);
    return r->g->status;
}

static uncork_status run(uc_graph *g, bool *changed)
{
    uc_rewrite r;
    UC_TRY(uc_rewrite_init(&r, g));
    for (size_t n = 0; n < g->node_count; n++) {
        uc_node *node = &g->nodes[n];
        const uc_node *pad = node->in_count ? uc_rewrite_made_by(&r, node->in[0], "Pad") : NULL;
        if (!pad || !takes_pads(&r, node, pad->in[0])) continue;
        int rank = g->values[node->in[0]].rank;
        if (rank < 3) continue;
        UC_TRY(join(&r, node, pad, rank));
    }
    return uc_rewrite_done(&r, changed);
}

const uc_pass uc_pass_fuse_pad = {.name = "fuse_pad", .exact = true, .run = run};
