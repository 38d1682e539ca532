/* Preprocessing layers of images and categories. Source: keras/src/layers/preprocessing,
 * keras/src/utils/image_utils.py (smart_resize), tensorflow/core/kernels/image
 * scale_and_translate_op.cc and sampling_kernels.h (the kernels of tf.image.resize). */
#include "import/keras/keras.h"

#include <inttypes.h>
#include <math.h>

#define PI 3.14159265358979323846

/* ---- kernels of tf.image.resize that ONNX's Resize hasn't ------------------------------------ */

static double sinc(double x) { return x == 0 ? 1 : sin(PI * x) / (PI * x); }

static double lanczos(double x, double radius)
{
    x = fabs(x);
    return x <= radius ? sinc(x) * sinc(x / radius) : 0;
}

static double mitchell(double x)
{
    x = fabs(x);
    if (x >= 2) return 0;
    if (x >= 1) return ((-7.0 / 18 * x + 2) * x - 10.0 / 3) * x + 16.0 / 9;
    return (7.0 / 6 * x - 2) * x * x + 8.0 / 9;
}

static double gaussian(double x)
{
    x = fabs(x);
    return x < 1.5 ? exp(-x * x / (2 * 0.5 * 0.5)) : 0;
}

typedef struct kernel {
    const char *name;
    double radius;
    int kind;
} kernel;

static double cubic_of(double x)
{
    x = fabs(x);
    if (x >= 2) return 0;
    if (x >= 1) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
    return (1.5 * x - 2.5) * x * x + 1;
}

static const kernel kernels[] = {{"lanczos3", 3, 0},   {"lanczos5", 5, 0}, {"mitchellcubic", 2, 1},
                                 {"gaussian", 1.5, 2}, {"bilinear", 1, 3}, {"bicubic", 2, 4}};
/* Those in front are always done by matrices, the others where they are widened: antialias. */
enum { ALWAYS = 4 };

static double weigh(const kernel *k, double x)
{
    switch (k->kind) {
    case 0: return lanczos(x, k->radius);
    case 1: return mitchell(x);
    case 2: return gaussian(x);
    case 3: return fmax(0, 1 - fabs(x));
    default: return cubic_of(x);
    }
}

/* How each of `to` places is made of `from` ones: [to, from]. */
static uc_ref matrix(uc_k_call *c, const kernel *k, int64_t from, int64_t to, bool smooth)
{
    const int64_t shape[] = {to, from};
    size_t count;
    if (!uc_shape_count(shape, 2, &count) || count > (size_t)1 << 26) {
        return uc_k_fail(c, "resizing %" PRId64 " to %" PRId64, from, to);
    }
    double *w = UC_NEW(c->graph->arena, double, count);
    if (!w) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for a resize");
    const double wide = smooth && from > to ? (double)from / (double)to : 1;
    for (int64_t i = 0; i < to; i++) {
        const double at = ((double)i + 0.5) * (double)from / (double)to;
        int64_t first = (int64_t)ceil(at - k->radius * wide - 0.5),
                last = (int64_t)floor(at + k->radius * wide - 0.5);
        double sum = 0;
        first = first < 0 ? 0 : first;
        last = last > from - 1 ? from - 1 : last;
        for (int64_t j = first; j <= last; j++) {
            sum += w[i * from + j] = weigh(k, ((double)j + 0.5 - at) / wide);
        }
        for (int64_t j = first; j <= last && fabs(sum) > 1e-35; j++) {
            w[i * from + j] /= sum;
        }
    }
    return uc_k_constant(c, w, 2, shape);
}

/* x [N, C, H, W] by its rows and columns. */
static uc_ref by_matrices(uc_k_call *c, uc_ref x, const kernel *k, int64_t height, int64_t width,
                          bool smooth)
{
    uc_graph *g = c->graph;
    const int64_t h = uc_k_dim(c, x, 2), w = uc_k_dim(c, x, 3);
    if (h < 1 || w < 1) return uc_k_fail(c, "it needs a picture of a known size");
    const uc_ref rows = matrix(c, k, h, height, smooth), columns = matrix(c, k, w, width, smooth);
    if (g->status) return 0;
    x = uc_g2(g, "MatMul", rows, x);
    return uc_g2(g, "MatMul", x, uc_g_transpose(g, columns));
}

/* ---- resizing -------------------------------------------------------------------------------- */

/* TensorFlow's ResizeBicubic takes its weights from a table of 1,024 places. */
static uc_ref by_table(uc_k_call *c, uc_ref x, const int64_t *size)
{
    static const int64_t last[] = {0, 2, 3, 1}, first[] = {0, 3, 1, 2};
    const uc_ref in[] = {uc_k_transpose(c->graph, x, last, 4), uc_graph_i64s(c->graph, size, 2)};
    uc_node *n = uc_graph_node(c->graph, "uncork.TfResizeBicubic", in, 2, 1);
    uc_node_int(c->graph, n, "half_pixel_centers", 1);
    return uc_k_transpose(c->graph, uc_node_out(n, 0), first, 4);
}

/* In float32, whatever the type, as TensorFlow's ResizeBilinear. */
static uc_ref linear(uc_k_call *c, uc_ref x, const int64_t *size)
{
    uc_graph *g = c->graph;
    const uncork_dtype dtype = uc_k_dtype(c, x);
    if (dtype != UNCORK_FLOAT32) x = uc_g_cast(g, x, UNCORK_FLOAT32);
    const uc_ref in[] = {x, uc_graph_i64s(g, size, 2)};
    uc_node *n = uc_graph_node(g, "uncork.TfResizeBilinear", in, 2, 1);
    uc_node_int(g, n, "half_pixel_centers", 1);
    const uc_ref y = uc_node_out(n, 0);
    return dtype == UNCORK_FLOAT32 || dtype == UNCORK_DTYPE_NONE ? y : uc_g_cast(g, y, dtype);
}

uc_ref uc_k_resize_smooth(uc_k_call *c, uc_ref x, uc_str how, int64_t height, int64_t width)
{
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        if (uc_str_is(how, kernels[i].name))
            return by_matrices(c, x, &kernels[i], height, width, true);
    }
    return uc_k_resize(c, x, how, height, width);
}

uc_ref uc_k_resize(uc_k_call *c, uc_ref x, uc_str how, int64_t height, int64_t width)
{
    uc_graph *g = c->graph;
    const bool nearest = uc_str_is(how, "nearest"), cubic = uc_str_is(how, "bicubic");
    for (size_t i = 0; i < ALWAYS; i++) {
        if (uc_str_is(how, kernels[i].name))
            return by_matrices(c, x, &kernels[i], height, width, false);
    }
    if (!nearest && !cubic && !uc_str_is(how, "bilinear")) {
        return uc_k_fail(c, "interpolation '%.*s'", (int)(how.size < 40 ? how.size : 40), how.data);
    }
    const int64_t size[] = {height, width};
    if (cubic) return by_table(c, x, size);
    if (!nearest) return linear(c, x, size);
    const uc_ref head = uc_g_slice(g, uc_g1(g, "Shape", x), 0, 0, 2);
    const uc_ref parts[] = {head, uc_graph_i64s(g, size, 2)};
    const uc_ref in[] = {x, 0, 0, uc_g_concat(g, parts, 2, 0)};
    uc_node *n = uc_graph_node(g, "Resize", in, 4, 1);
    uc_node_str(g, n, "mode", "nearest");
    uc_node_str(g, n, "coordinate_transformation_mode", "half_pixel");
    uc_node_str(g, n, "nearest_mode", "round_prefer_ceil");
    return uc_node_out(n, 0);
}

typedef struct frame {
    int64_t height, width; /* of the picture */
    int64_t to_height, to_width;
} frame;

static bool read_frame(uc_k_call *c, uc_ref x, frame *f)
{
    f->height = uc_k_dim(c, x, 2);
    f->width = uc_k_dim(c, x, 3);
    if (f->height > 0 && f->width > 0 && f->height < INT32_MAX && f->width < INT32_MAX) return true;
    uc_k_fail(c, "it needs a picture of a known size");
    return false;
}

/* int(float(a * b) / c) of two sides below 2^31. */
static int64_t scaled(int64_t a, int64_t b, int64_t by)
{
    return (int64_t)((double)(a * b) / (double)by);
}

/* The largest part of the wanted shape, from the middle. */
static uc_ref crop_to_shape(uc_k_call *c, uc_ref x, const frame *f)
{
    int64_t h = scaled(f->width, f->to_height, f->to_width);
    int64_t w = scaled(f->height, f->to_width, f->to_height);
    h = h < f->height ? h : f->height;
    w = w < f->width ? w : f->width;
    const int64_t top = (f->height - h) / 2, left = (f->width - w) / 2;
    x = uc_g_slice(c->graph, x, 2, top, top + h);
    return uc_g_slice(c->graph, x, 3, left, left + w);
}

static uc_ref pad_to_shape(uc_k_call *c, uc_ref x, const frame *f)
{
    int64_t h = scaled(f->width, f->to_height, f->to_width);
    int64_t w = scaled(f->height, f->to_width, f->to_height);
    h = h > f->height ? h : f->height;
    w = w > f->width ? w : f->width;
    const int64_t top = (h - f->height) / 2, left = (w - f->width) / 2;
    const int64_t pads[] = {0, 0, top, left, 0, 0, top, left}; /* an odd one gets lost */
    const uc_ref in[] = {x, uc_graph_i64s(c->graph, pads, 8),
                         uc_k_scalar(c, uc_k_number(c->layer, "fill_value", 0))};
    uc_node *n = uc_graph_node(c->graph, "Pad", in, 3, 1);
    uc_node_str(c->graph, n, "mode", "constant");
    return uc_node_out(n, 0);
}

/* The input as [N, C, H, W] of the compute type. */
static uc_ref picture(uc_k_call *c, bool *nchw)
{
    *nchw = !uc_k_channels_first(c->layer);
    uc_ref x = *nchw ? uc_k_first(c, c->in[0]) : uc_k_plain(c, c->in[0]);
    if (uc_k_rank(c, x) != 4) return uc_k_fail(c, "its input has %d dimensions", uc_k_rank(c, x));
    return uc_k_dtype(c, x) == c->dtype ? x : uc_g_cast(c->graph, x, c->dtype);
}

void uc_k_resizing(uc_k_call *c)
{
    bool nchw;
    frame f = {.to_height = uc_k_int(c->layer, "height", 0),
               .to_width = uc_k_int(c->layer, "width", 0)};
    uc_ref x = picture(c, &nchw);
    if (!x) return;
    if (f.to_height < 1 || f.to_width < 1 || f.to_height > INT32_MAX || f.to_width > INT32_MAX) {
        uc_k_fail(c, "a size of %" PRId64 " x %" PRId64, f.to_height, f.to_width);
        return;
    }
    const bool crop = uc_k_bool(c->layer, "crop_to_aspect_ratio", false);
    const bool pad = uc_k_bool(c->layer, "pad_to_aspect_ratio", false);
    if ((crop || pad) && !read_frame(c, x, &f)) return;
    if (crop) x = crop_to_shape(c, x, &f);
    if (pad) x = pad_to_shape(c, x, &f);
    const uc_str how = uc_k_text(c->layer, "interpolation", "bilinear");
    x = uc_k_bool(c->layer, "antialias", false)
            ? uc_k_resize_smooth(c, x, how, f.to_height, f.to_width)
            : uc_k_resize(c, x, how, f.to_height, f.to_width);
    uc_k_set_as(c, x, nchw);
}

/* The middle; of a smaller picture, smart_resize. */
void uc_k_center_crop(uc_k_call *c)
{
    bool nchw;
    frame f = {.to_height = uc_k_int(c->layer, "height", 0),
               .to_width = uc_k_int(c->layer, "width", 0)};
    uc_ref x = picture(c, &nchw);
    if (!x || !read_frame(c, x, &f)) return;
    if (f.to_height < 1 || f.to_width < 1 || f.to_height > INT32_MAX || f.to_width > INT32_MAX) {
        uc_k_fail(c, "a size of %" PRId64 " x %" PRId64, f.to_height, f.to_width);
        return;
    }
    if (f.height >= f.to_height && f.width >= f.to_width) {
        const int64_t top = (f.height - f.to_height) / 2, left = (f.width - f.to_width) / 2;
        x = uc_g_slice(c->graph, x, 2, top, top + f.to_height);
        x = uc_g_slice(c->graph, x, 3, left, left + f.to_width);
    } else {
        x = uc_k_resize(c, crop_to_shape(c, x, &f), uc_str_of("bilinear"), f.to_height, f.to_width);
    }
    uc_k_set_as(c, x, nchw);
}

/* Keras 2 resizes the largest part of the wanted shape; Keras 3 leaves the picture alone. */
void uc_k_random_crop(uc_k_call *c)
{
    bool nchw;
    frame f = {.to_height = uc_k_int(c->layer, "height", 0),
               .to_width = uc_k_int(c->layer, "width", 0)};
    if (c->layer->major >= 3) {
        c->out[0] = c->in[0];
        c->out_count = 1;
        return;
    }
    const uc_ref x = picture(c, &nchw);
    if (!x || !read_frame(c, x, &f)) return;
    if (f.to_height < 1 || f.to_width < 1 || f.to_height > INT32_MAX || f.to_width > INT32_MAX) {
        uc_k_fail(c, "a size of %" PRId64 " x %" PRId64, f.to_height, f.to_width);
        return;
    }
    uc_k_set_as(
        c, uc_k_resize(c, crop_to_shape(c, x, &f), uc_str_of("bilinear"), f.to_height, f.to_width),
        nchw);
}

/* ---- categories ------------------------------------------------------------------------------ */

void uc_k_category_encoding(uc_k_call *c)
{
    uc_graph *g = c->graph;
    const uc_str mode = uc_k_text(c->layer, "output_mode", "multi_hot");
    const bool one = uc_str_is(mode, "one_hot");
    const int64_t depth = uc_k_int(c->layer, "num_tokens", 0);
    uc_ref x = uc_g_cast(g, uc_k_plain(c, c->in[0]), UNCORK_INT64);
    const int rank = uc_k_rank(c, x);
    uc_k_value given;
    const uc_ref weights = uc_k_argument(c, 1, "count_weights", &given) ? uc_k_plain(c, given) : 0;
    if (depth < 1 || c->in_count > 2 || rank < 1) {
        uc_k_fail(c, "%" PRId64 " tokens, %zu inputs", depth, c->in_count);
        return;
    }
    if (one && rank > 1 && uc_k_dim(c, x, -1) == 1) x = uc_g_squeeze(g, x, rank - 1);
    double values[] = {0, 1};
    const int64_t two = 2;
    const uc_ref in[] = {x, uc_graph_i64(g, depth), uc_k_constant(c, values, 1, &two)};
    uc_node *n = uc_graph_node(g, "OneHot", in, 3, 1);
    uc_node_int(g, n, "axis", -1);
    uc_ref y = uc_node_out(n, 0);
    if (weights) y = uc_g2(g, "Mul", y, uc_g_unsqueeze(g, weights, -1));
    if (one)
        uc_k_set(c, y);
    else if (uc_str_is(mode, "count"))
        uc_k_set(c, uc_g_reduce(g, "ReduceSum", y, rank - 1, false));
    else if (uc_str_is(mode, "multi_hot") || uc_str_is(mode, "binary")) {
        uc_k_set(c, uc_g_reduce(g, "ReduceMax", y, rank - 1, false));
    } else {
        uc_k_fail(c, "output_mode '%.*s'", (int)(mode.size < 40 ? mode.size : 40), mode.data);
    }
}

/* How many of the boundaries x reaches: numpy.digitize of rising ones. */
void uc_k_discretization(uc_k_call *c)
{
    uc_graph *g = c->graph;
    size_t n = 0;
    double *bounds = uc_json_f64s(uc_k_get(c->layer, "bin_boundaries"), g->arena, &n);
    const uc_str mode = uc_k_text(c->layer, "output_mode", "int");
    const int64_t count = (int64_t)n;
    if (!bounds || n == 0) {
        uc_k_fail(c, "its boundaries aren't in the file");
        return;
    }
    uc_ref x = uc_k_plain(c, c->in[0]);
    const bool fresh = c->layer->major >= 3;
    c->dtype = UNCORK_FLOAT32;
    if (uc_k_dtype(c, x) != c->dtype) x = uc_g_cast(g, x, c->dtype);
    const int rank = uc_k_rank(c, x);
    if (rank < 0) {
        uc_k_fail(c, "its input's dimensions aren't known");
        return;
    }
    const uc_ref wide = uc_g_unsqueeze(g, x, rank);
    const uc_ref reached = uc_g2(g, "GreaterOrEqual", wide, uc_k_constant(c, bounds, 1, &count));
    const uc_ref bin =
        uc_g_reduce(g, "ReduceSum", uc_g_cast(g, reached, UNCORK_INT64), rank, false);
    if (uc_str_is(mode, "int"))
        uc_k_set(c, fresh ? uc_g_cast(g, bin, UNCORK_INT32) : bin);
    else
        uc_k_give_ids(c, bin, count + 1);
}

/* Each picture's least value to 0, its largest to the range's end. Source: keras/src/layers/preprocessing/
 * image_preprocessing/auto_contrast.py. */
void uc_k_auto_contrast(uc_k_call *c)
{
    static const int64_t axes[] = {1, 2};
    uc_graph *g = c->graph;
    int64_t range[2] = {0, 255};
    const uc_json *given = uc_k_get(c->layer, "value_range");
    size_t n = 0;
    const double *ends = given ? uc_json_f64s(given, g->arena, &n) : NULL;
    const double from = n == 2 ? ends[0] : (double)range[0],
                 to = n == 2 ? ends[1] : (double)range[1];
    const uc_ref x = uc_k_plain(c, c->in[0]);
    const uc_ref wide = uc_g2(g, "Mul", uc_g2(g, "Sub", x, uc_k_scalar(c, from)),
                              uc_k_scalar(c, 255 / (to - from)));
    const uc_ref low = uc_k_axes(c, "ReduceMin", wide, axes, 2, true),
                 high = uc_k_axes(c, "ReduceMax", wide, axes, 2, true);
    const uc_ref scale = uc_g2(g, "Div", uc_k_scalar(c, 255), uc_g2(g, "Sub", high, low));
    uc_ref y =
        uc_g2(g, "Add", uc_g2(g, "Mul", wide, scale), uc_g1(g, "Neg", uc_g2(g, "Mul", low, scale)));
    y = uc_g3(g, "Clip", y, uc_k_scalar(c, 0), uc_k_scalar(c, 255));
    y = uc_g2(g, "Add", uc_g2(g, "Mul", y, uc_k_scalar(c, (to - from) / 255)),
              uc_k_scalar(c, from));
    uc_k_set(c, uc_g_where(g, uc_g1(g, "IsNaN", y), x, y));
}
