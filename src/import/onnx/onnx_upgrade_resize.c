/* Upsample and older Resize, and two operators whose sampling modes changed their names.
 *
 * Source: onnx/docs/Changelog.md; onnxruntime/core/providers/cpu/tensor/upsamplebase.h for what
 * nearest meant before opset 11 (NearestMode::SIMPLE). */
#include "import/onnx/onnx_upgrade_steps.h"

/* Upsample 7: two factors become one for each axis of [N, C, H, W]. */
void uc_onnx_upgrade_upsample_scales(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    const float scales[] = {1, 1, (float)uc_draft_float(d, "height_scale", 1),
                            (float)uc_draft_float(d, "width_scale", 1)};
    const int64_t count = 4;
    uc_tensor *t = uc_tensor_new(g->arena, UNCORK_FLOAT32, 1, &count);
    if (t) memcpy(t->data, scales, sizeof scales);
    if (t) uc_draft_set_in(d, 1, uc_graph_const(g, t));
    uc_draft_drop(d, "height_scale");
    uc_draft_drop(d, "width_scale");
    if (uc_str_is(uc_draft_str(d, "mode", "nearest"), "bilinear")) {
        uc_draft_put_str(d, "mode", "linear");
    }
}

/* Upsample 9. */
void uc_onnx_upgrade_upsample_input(uc_onnx_draft *d)
{
    uc_draft_to_input(d, "scales", 1, UNCORK_FLOAT32);
}

/* Upsample 9 is Resize 10. */
void uc_onnx_upgrade_upsample(uc_onnx_draft *d)
{
    d->op = "Resize";
    d->version = 10;
}

/* The factors where they are known, one a dimension; NULL otherwise. */
static const float *known_scales(uc_onnx_draft *d, int64_t *count)
{
    const uc_tensor *scales = uc_draft_known(d, 1);
    if (!scales || scales->dtype != UNCORK_FLOAT32 || scales->rank != 1) return NULL;
    *count = scales->shape[0];
    return scales->data;
}

/* What Resize 10 computes, as one of 11: coordinates are x / scale, roi is left out. */
static void place_scales(uc_onnx_draft *d, uc_ref scales, const char *nearest_mode)
{
    uc_draft_put_str(d, "coordinate_transformation_mode", "asymmetric");
    uc_draft_put_str(d, "nearest_mode", nearest_mode);
    uc_draft_set_in(d, 2, scales);
    uc_draft_set_in(d, 1, 0);
    d->version = 11;
}

/* Nearest that enlarges some axes and shrinks others: one after the other. */
static void resize_twice(uc_onnx_draft *d, const float *scales, int64_t count)
{
    uc_arena *arena = d->graph->arena;
    uc_tensor *larger = uc_tensor_new(arena, UNCORK_FLOAT32, 1, &count);
    uc_tensor *smaller = uc_tensor_new(arena, UNCORK_FLOAT32, 1, &count);
    if (!larger || !smaller) return; /* the arena remembers */
    for (int64_t i = 0; i < count; i++) {
        ((float *)larger->data)[i] = scales[i] > 1 ? scales[i] : 1;
        ((float *)smaller->data)[i] = scales[i] < 1 ? scales[i] : 1;
    }
    uc_onnx_draft first = uc_draft_copy(d);
    place_scales(&first, uc_graph_const(d->graph, larger), "floor");
    uc_draft_add(&first);
    uc_draft_set_in(d, 0, uc_draft_out(&first, 0));
    place_scales(d, uc_graph_const(d->graph, smaller), "ceil");
}

/* Resize 11. Nearest rounded down where it enlarged and up where it shrank. */
void uc_onnx_upgrade_resize(uc_onnx_draft *d)
{
    int64_t count = 0;
    const float *scales = known_scales(d, &count);
    bool up = false, down = false;
    for (int64_t i = 0; scales && i < count; i++) {
        up = up || scales[i] > 1;
        down = down || scales[i] < 1;
    }
    if (up && down && uc_str_is(uc_draft_str(d, "mode", "nearest"), "nearest")) {
        resize_twice(d, scales, count);
    } else {
        place_scales(d, uc_draft_in(d, 1), down ? "ceil" : "floor");
    }
}

/* Resize 13: tf_half_pixel_for_nn, (x + 0.5) / scale, is gone. Rounded down it is the half-pixel
 * coordinate rounded with halves up. Empty inputs are left out. */
void uc_onnx_upgrade_resize_half_pixel(uc_onnx_draft *d)
{
    for (size_t i = 1; i <= 2; i++) {
        const uc_tensor *t = uc_draft_in(d, i) ? uc_draft_known(d, i) : NULL;
        if (t && uc_tensor_count(t) == 0) uc_draft_set_in(d, i, 0);
    }
    if (!uc_str_is(uc_draft_str(d, "coordinate_transformation_mode", "half_pixel"),
                   "tf_half_pixel_for_nn")) {
        return;
    }
    if (!uc_str_is(uc_draft_str(d, "mode", "nearest"), "nearest") ||
        !uc_str_is(uc_draft_str(d, "nearest_mode", "round_prefer_floor"), "floor")) {
        uc_draft_fail(d, UNCORK_UNSUPPORTED,
                      "tf_half_pixel_for_nn with anything but nearest and floor");
        return;
    }
    uc_draft_put_str(d, "coordinate_transformation_mode", "half_pixel");
    uc_draft_put_str(d, "nearest_mode", "round_prefer_ceil");
}

/* RoiAlign 16: the default became half_pixel, with half a pixel taken off. */
void uc_onnx_upgrade_roi_align(uc_onnx_draft *d)
{
    uc_draft_put_str(d, "coordinate_transformation_mode", "output_half_pixel");
}

/* GridSample 20 says linear and cubic. */
void uc_onnx_upgrade_grid_sample(uc_onnx_draft *d)
{
    uc_str mode = uc_draft_str(d, "mode", "bilinear");
    if (uc_str_is(mode, "bilinear")) uc_draft_put_str(d, "mode", "linear");
    if (uc_str_is(mode, "bicubic")) uc_draft_put_str(d, "mode", "cubic");
}
