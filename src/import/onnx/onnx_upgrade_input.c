/* Attributes that became inputs: axes, starts, pads, bounds, splits, counts.
 *
 * Source: onnx/docs/Changelog.md; the version of each is in onnx_upgrade_table.def. */
#include "import/onnx/onnx_upgrade_steps.h"

#include <float.h>
#include <math.h>

/* Squeeze, Unsqueeze, ReduceSum (13); the other reductions (18). */
void uc_onnx_upgrade_axes(uc_onnx_draft *d) { uc_draft_to_input(d, "axes", 1, UNCORK_INT64); }

void uc_onnx_upgrade_reshape(uc_onnx_draft *d) { uc_draft_to_input(d, "shape", 1, UNCORK_INT64); }

void uc_onnx_upgrade_slice(uc_onnx_draft *d)
{
    uc_draft_to_input(d, "starts", 1, UNCORK_INT64);
    uc_draft_to_input(d, "ends", 2, UNCORK_INT64);
    uc_draft_to_input(d, "axes", 3, UNCORK_INT64);
}

/* 13: the sizes. Split 1 could have them as an input already. */
void uc_onnx_upgrade_split(uc_onnx_draft *d)
{
    if (!uc_draft_in(d, 1)) uc_draft_to_input(d, "split", 1, UNCORK_INT64);
}

/* 18: equal parts must be asked for by their number. */
void uc_onnx_upgrade_split_count(uc_onnx_draft *d)
{
    if (!uc_draft_in(d, 1)) uc_draft_put_int(d, "num_outputs", (int64_t)d->out_count);
}

/* K is a tensor of one dimension, the attribute a number. */
void uc_onnx_upgrade_top_k(uc_onnx_draft *d)
{
    const int64_t k = uc_draft_int(d, "k", 0);
    if (!uc_draft_attr(d, "k")) uc_draft_fail(d, UNCORK_MALFORMED, "attribute k is missing");
    uc_draft_set_in(d, 1, uc_graph_i64s(d->graph, &k, 1));
    uc_draft_drop(d, "k");
}

void uc_onnx_upgrade_pad_name(uc_onnx_draft *d) { uc_draft_rename(d, "paddings", "pads"); }

void uc_onnx_upgrade_pad(uc_onnx_draft *d)
{
    const uncork_dtype dtype = uc_draft_dtype(d, 0);
    uc_draft_to_input(d, "pads", 1, UNCORK_INT64);
    uc_draft_to_input(d, "value", 2, dtype);
}

/* Clip 1 has no bound where none is given ... */
void uc_onnx_upgrade_clip_bounds(uc_onnx_draft *d)
{
    if (!uc_draft_attr(d, "min")) uc_draft_put_float(d, "min", -(double)INFINITY);
    if (!uc_draft_attr(d, "max")) uc_draft_put_float(d, "max", (double)INFINITY);
}

/* ... Clip 6 the ends of float32: an infinity becomes finite. */
void uc_onnx_upgrade_clip(uc_onnx_draft *d)
{
    const uncork_dtype dtype = uc_draft_dtype(d, 0);
    if (!uc_draft_attr(d, "min")) uc_draft_put_float(d, "min", -(double)FLT_MAX);
    if (!uc_draft_attr(d, "max")) uc_draft_put_float(d, "max", (double)FLT_MAX);
    uc_draft_to_input(d, "min", 1, dtype);
    uc_draft_to_input(d, "max", 2, dtype);
}

/* Tile 1 repeats one axis: its inputs are how often, and which. */
void uc_onnx_upgrade_tile(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    const int rank = uc_draft_shape(d, 0, NULL);
    if (rank < 0) {
        uc_draft_fail(d, UNCORK_UNSUPPORTED, "Tile of opset 1 needs an input of known rank");
        return;
    }
    int64_t axes[UNCORK_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        axes[i] = i;
    }
    uc_ref tiles = uc_g_cast(g, uc_draft_in(d, 1), UNCORK_INT64);
    uc_ref axis = uc_g_cast(g, uc_draft_in(d, 2), UNCORK_INT64);
    uc_ref here = uc_g2(g, "Equal", uc_graph_i64s(g, axes, rank), axis);
    uc_draft_set_in(d, 1, uc_g_where(g, here, tiles, uc_graph_i64(g, 1)));
    uc_draft_drop_in(d, 2);
}

/* The axis of DFT 17 counts from the front and is 1 unless said; the input's default is -2. */
void uc_onnx_upgrade_dft(uc_onnx_draft *d)
{
    uc_draft_put_int(d, "axis", uc_draft_int(d, "axis", 1));
    uc_draft_to_input(d, "axis", 2, UNCORK_INT64);
}

/* Dropout passes its input on unless it trains, and a saved model predicts: `is_test` (before 7) is
 * not looked at. The mask says "kept" everywhere; it had the input's type before opset 10. */
void uc_onnx_upgrade_dropout(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    uc_ref x = uc_draft_in(d, 0);
    if (uc_draft_wants(d, 1)) {
        const int64_t one = 1;
        uc_ref shape = uc_g1(g, "Shape", x);
        uc_node *ones = uc_graph_node(g, "ConstantOfShape", &shape, 1, 1);
        uc_node_tensor(g, ones, "value", uc_tensor_i64(g->arena, &one, 1));
        uc_ref mask = uc_node_out(ones, 0);
        mask = d->version < 10 ? uc_g2(g, "CastLike", mask, x) : uc_g_cast(g, mask, UNCORK_BOOL);
        uc_draft_give(d, 1, mask);
    }
    uc_draft_give(d, 0, uc_g1(g, "Identity", x));
}
