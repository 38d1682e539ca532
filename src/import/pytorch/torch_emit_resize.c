/* Interpolation and padding. Source: torch 2.15, torch/nn/functional.py (interpolate, pad),
 * aten/src/ATen/native/UpSample.h. */
#include "import/pytorch/torch_build.h"

#include <inttypes.h>
#include <math.h>

/* A Resize of the last `rank` axes, by scales or sizes (one of them 0). */
static uc_ref resize(uc_t_build *b, uc_ref x, int rank, uc_ref scales, uc_ref sizes,
                     const char *mode, bool align_corners, bool antialias)
{
    uc_graph *g = b->graph;
    int64_t axes[3];
    const bool nearest = strncmp(mode, "nearest", 7) == 0, cubic = strcmp(mode, "bicubic") == 0;
    const bool exact = strcmp(mode, "nearest-exact") == 0;
    if (!nearest && !cubic && strcmp(mode, "linear") != 0)
        return uc_t_fail(b, "interpolate with mode '%.60s'", mode);
    for (int i = 0; i < rank; i++) {
        axes[i] = i + 2;
    }
    const uc_ref in[] = {x, 0, scales, sizes};
    uc_node *n = uc_graph_node(g, "Resize", in, sizes ? 4 : 3, 1);
    uc_node_ints(g, n, "axes", axes, (size_t)rank);
    uc_node_str(g, n, "mode", nearest ? "nearest" : cubic ? "cubic" : "linear");
    uc_node_str(g, n, "coordinate_transformation_mode",
                nearest && !exact ? "asymmetric"
                : align_corners   ? "align_corners"
                                  : "half_pixel");
    if (nearest) uc_node_str(g, n, "nearest_mode", exact ? "round_prefer_ceil" : "floor");
    if (cubic) uc_node_float(g, n, "cubic_coeff_a", antialias ? -0.5 : -0.75);
    if (antialias) {
        uc_node_int(g, n, "antialias", 1);
        uc_node_int(g, n, "exclude_outside", 1);
    }
    return uc_node_out(n, 0);
}

/* The size by scales, where the input's is known; whether the result is exactly that many times it. */
static bool scaled_size(uc_t_build *b, uc_ref x, int rank, const double *scale, int64_t *size,
                        bool *whole)
{
    *whole = true;
    for (int i = 0; i < rank; i++) {
        const int64_t in = uc_t_dim(b, x, i + 2);
        const double to = (double)in * scale[i];
        if (in < 0 || !(to >= 1 && to < INT32_MAX)) return false;
        size[i] = (int64_t)floor(to);
        *whole = *whole && (double)size[i] == to;
    }
    return true;
}

uc_ref uc_t_interpolate(uc_t_build *b, uc_ref x, int rank, const int64_t *size, const double *scale,
                        const char *mode, bool align_corners, bool antialias)
{
    uc_graph *g = b->graph;
    int64_t made[3];
    bool whole;
    if (g->status) return 0;
    if (rank < 1 || rank > 3) return uc_t_fail(b, "interpolate of %d dimensions", rank + 2);
    if (!size && !scale) return uc_t_fail(b, "interpolate without a size");
    const bool area = strcmp(mode, "area") == 0;
    if (!size && scaled_size(b, x, rank, scale, made, &whole) && (whole || area || align_corners))
        size = made;
    if (area) {
        return size ? uc_t_adaptive_avg_pool(b, x, rank, size)
                    : uc_t_fail(b, "interpolate by area of an input of unknown size");
    }
    if (size)
        return resize(b, x, rank, 0, uc_graph_i64s(g, size, rank), mode, align_corners, antialias);
    const int64_t n = rank;
    const uc_ref scales = uc_t_values(b, UNCORK_FLOAT32, scale, 1, &n);
    return resize(b, x, rank, scales, 0, mode, align_corners, antialias);
}

uc_ref uc_t_interpolate_like(uc_t_build *b, uc_ref x, int rank, uc_ref like, const char *mode,
                             bool align_corners)
{
    uc_graph *g = b->graph;
    int64_t size[3];
    bool known = true;
    if (rank < 1 || rank > 3) return uc_t_fail(b, "interpolate of %d dimensions", rank + 2);
    for (int i = 0; i < rank; i++) {
        size[i] = uc_t_dim(b, like, i - rank);
        known = known && size[i] > 0;
    }
    if (known) return uc_t_interpolate(b, x, rank, size, NULL, mode, align_corners, false);
    uc_node *n = uc_graph_node(g, "Shape", &like, 1, 1);
    uc_node_int(g, n, "start", -rank);
    return resize(b, x, rank, 0, uc_node_out(n, 0), mode, align_corners, false);
}

uc_ref uc_t_pad(uc_t_build *b, uc_ref x, const int64_t *pads, size_t count, const char *mode,
                double value)
{
    static const char *const names[][2] = {{"constant", "constant"},
                                           {"reflect", "reflect"},
                                           {"replicate", "edge"},
                                           {"circular", "wrap"}};
    uc_graph *g = b->graph;
    int64_t all[2 * UNCORK_MAX_RANK] = {0}, axes[UNCORK_MAX_RANK];
    const size_t n = count / 2;
    const char *onnx = NULL;
    bool any = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i][0], mode) == 0) onnx = names[i][1];
    }
    if (!onnx || count % 2 || n > UNCORK_MAX_RANK)
        return uc_t_fail(b, "padding of %zu numbers with mode '%.60s'", count, mode);
    for (size_t i = 0; i < n; i++) { /* PyTorch: the last axis first */
        axes[i] = (int64_t)i - (int64_t)n;
        all[i] = pads[2 * (n - 1 - i)];
        all[n + i] = pads[2 * (n - 1 - i) + 1];
        any = any || all[i] || all[n + i];
    }
    if (!any) return x;
    const bool constant = strcmp(onnx, "constant") == 0;
    const uc_ref in[] = {x, uc_graph_i64s(g, all, 2 * (int64_t)n),
                         constant && value != 0 ? uc_t_scalar(b, x, value) : 0,
                         uc_graph_i64s(g, axes, (int64_t)n)};
    uc_node *node = uc_graph_node(g, "Pad", in, 4, 1);
    uc_node_str(g, node, "mode", onnx);
    return uc_node_out(node, 0);
}
